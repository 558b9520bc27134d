package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/ncruces/go-sqlite3"

	"github.com/kaphub/kaphub/config"
	"github.com/kaphub/kaphub/connectors"
	"github.com/kaphub/kaphub/fhir/exchange"
)

// sentence words err for the operator: what happened and what to do. Errors that already say it pass as they are.
func sentence(err error) string {
	if _, ok := errors.AsType[*config.Invalid](err); ok {
		return err.Error()
	}
	text := joined(err.Error())
	if _, ok := errors.AsType[*worded](err); ok {
		return text
	}
	if full(err) {
		first, _, _ := strings.Cut(err.Error(), "\n")
		return "the disk is full or failing: free some space, then run the command again; nothing that was stored is lost (" + first + ")"
	}
	if e, ok := errors.AsType[*connectors.Error](err); ok {
		return text + unhinted(e)
	}
	switch {
	case errors.Is(err, context.Canceled):
		return "stopped: run it again to go on where it left off; nothing is lost"
	case errors.Is(err, context.DeadlineExceeded):
		return text + ": it took too long: run it again to go on where it left off"
	case errors.Is(err, exchange.ErrBusy):
		return text + ": another kaphub is at work here: wait for it, or stop it"
	case errors.Is(err, syscall.EADDRINUSE):
		return text + ": the address is taken: stop what listens there, or set hub.listen to another"
	case errors.Is(err, sqlite3.CORRUPT):
		return text + ": the store's file is damaged: keep it, move it away and restore the last backup (kaphub restore --from FILE)"
	case nowhere(err) != "":
		return text + ": there is no directory " + nowhere(err) + ": make it first"
	case errors.Is(err, fs.ErrPermission):
		return text + ": give the hub's user the right to it"
	case isDial(err):
		return text + ": nothing answers there: check that it runs and that the address is right"
	}
	return text
}

// joined makes one sentence of several errors; beyond a few it only counts.
func joined(text string) string {
	const most = 4
	lines := strings.Split(text, "\n")
	if len(lines) > most {
		lines = append(lines[:most], fmt.Sprintf("and %d more", len(lines)-most))
	}
	return strings.Join(lines, "; ")
}

// unhinted says what to do about a partner's failure that does not say so itself.
func unhinted(e *connectors.Error) string {
	switch {
	case e.Hint != "":
		return ""
	case e.Fault == connectors.Temporary:
		return ": try again later; what is due stays due"
	case e.Fault == connectors.Garbled:
		return ": tell the counterpart; it is read again next time"
	}
	return ": kaphub check asks the counterpart what it offers"
}

// full reports whether the disk had no room. From inside the encryption that looks like any failure of the disk.
func full(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) || errors.Is(err, sqlite3.FULL) || errors.Is(err, sqlite3.IOERR) ||
		strings.Contains(err.Error(), "the disk is full")
}

// nowhere is the directory whose lack is the cause of err, "" when it is not.
func nowhere(err error) string {
	at, ok := errors.AsType[*fs.PathError](err)
	if !ok || !errors.Is(err, fs.ErrNotExist) {
		return ""
	}
	dir := filepath.Dir(at.Path)
	if _, missing := os.Stat(dir); errors.Is(missing, fs.ErrNotExist) {
		return dir
	}
	return ""
}

func isDial(err error) bool {
	op, ok := errors.AsType[*net.OpError](err)
	return ok && op.Op == "dial"
}

// inWords is an error that says what a person needs to hear, and stays what it is: exchange.ErrConflict, say.
func inWords(is error, format string, args ...any) error {
	return &worded{fmt.Sprintf(format, args...), is}
}

type worded struct {
	text string
	is   error
}

func (e *worded) Error() string { return e.text }

// Unwrap returns what it is.
func (e *worded) Unwrap() error { return e.is }
