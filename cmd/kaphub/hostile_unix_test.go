//go:build unix

package main

import (
	"os/exec"
	"syscall"
	"testing"
)

// peak is the most memory that a process that ended held at once, in KiB: the VmHWM of /proc.
func peak(t *testing.T, c *exec.Cmd) int64 {
	t.Helper()
	usage, ok := c.ProcessState.SysUsage().(*syscall.Rusage)
	if !ok {
		t.Skip("this system does not tell how much memory a process held")
	}
	return usage.Maxrss
}
