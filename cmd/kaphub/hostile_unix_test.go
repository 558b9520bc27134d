//go:build unix

package main

import (
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// What TestPeakOfAnotherProcess is to run, and where it writes the most memory that this held.
const (
	measured   = "KAPHUB_MEASURED"
	measuredTo = "KAPHUB_MEASURED_TO"
)

// TestPeakOfAnotherProcess is no test: it runs a command in the name of one. A process is told to have held what its
// parent held when it was started, and the parent must be a small one for the figure to be the command's own.
func TestPeakOfAnotherProcess(t *testing.T) {
	line := os.Getenv(measured)
	if line == "" {
		t.Skip("it is run by another test")
	}
	command := strings.Fields(line)
	c := exec.CommandContext(t.Context(), command[0], command[1:]...) //nolint:gosec // the test's own words
	c.Stdout, c.Stderr = os.Stdout, os.Stderr
	_ = c.Run()
	usage, ok := c.ProcessState.SysUsage().(*syscall.Rusage)
	if !ok {
		t.Fatal("this system does not tell")
	}
	if err := os.WriteFile(os.Getenv(measuredTo), []byte(strconv.FormatInt(usage.Maxrss, 10)), 0o600); err != nil {
		t.Fatal(err)
	}
	os.Exit(c.ProcessState.ExitCode())
}

// peak is the most memory that the measured process held at once, in KiB.
func peak(t *testing.T, file string) int64 {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	kib, err := strconv.ParseInt(string(text), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return kib
}
