// Command kaphub is the hub between a therapy practice and its prescribers: one binary that reads both sides, decides
// what is in order, and writes what is missing to the other side.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
	_ "time/tzdata" // the practice's zone is known on a machine that has no zone files
)

func main() {
	signal.Ignore(syscall.SIGPIPE) // status | head must not kill what still has to be put away
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Environ(), os.Stdin, os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}
