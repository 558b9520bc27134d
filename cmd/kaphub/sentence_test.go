package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/ncruces/go-sqlite3"

	"github.com/kaphub/kaphub/connectors"
	"github.com/kaphub/kaphub/fhir/exchange"
)

func TestAFailureSaysWhatToDo(t *testing.T) {
	tests := []struct {
		name string
		err  error
		want string
	}{
		{"a full disk", fmt.Errorf("receive a page of ehr: %w", sqlite3.FULL), "free some space"},
		{"a full disk behind the encryption", fmt.Errorf("receive a page of ehr: %w", sqlite3.IOERR), "free some space"},
		{"a full disk while a report is written", fmt.Errorf("write report: %w", syscall.ENOSPC), "free some space"},
		{"a damaged store", fmt.Errorf("open store kaphub.db: %w", sqlite3.CORRUPT), "restore the last backup"},
		{"a directory that is not there", fmt.Errorf("write report: %w", &fs.PathError{Op: "open", Path: "/nowhere/at/all", Err: syscall.ENOENT}), "there is no directory /nowhere/at: make it first"},
		{"an operator who stops it", fmt.Errorf("pull ehr: %w", context.Canceled), "run it again to go on"},
		{"a run that took too long", fmt.Errorf("pull ehr: %w", context.DeadlineExceeded), "run it again to go on"},
		{"a store that another holds", fmt.Errorf("restore: %w", exchange.ErrBusy), "another kaphub is at work"},
		{"an address that is taken", fmt.Errorf("listen: %w", syscall.EADDRINUSE), "set hub.listen to another"},
		{"a partner with a hint", &connectors.Error{Op: "search Task", Fault: connectors.Denied, Hint: "renew the token"}, "(renew the token)"},
		{"a partner that is down", connectors.Errorf("search Task", connectors.Temporary, "status %d", 503), "try again later"},
		{"a partner that answers nonsense", connectors.Errorf("search Task", connectors.Garbled, "broken JSON"), "tell the counterpart"},
		{"many failures at once", errors.Join(errors.New("a"), errors.New("b"), errors.New("c"), errors.New("d"), errors.New("e"), errors.New("f")), "and 2 more"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := sentence(test.err)
			if !strings.Contains(got, test.want) || strings.Contains(got, "\n") {
				t.Errorf("%q does not say %q in one line", got, test.want)
			}
		})
	}
}

func TestAReaderWhoHasSeenEnoughIsToldNothing(t *testing.T) {
	var told strings.Builder
	if code := fail(&told, fmt.Errorf("write board: %w", syscall.EPIPE)); code != exitError || told.Len() > 0 {
		t.Errorf("exits %d and says %q", code, told.String())
	}
}

func TestAMomentInThePracticesZone(t *testing.T) {
	denver, err := time.LoadLocation("America/Denver")
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 3, 3, 17, 0, 0, 0, denver)
	tests := []struct {
		name, word string
		want       time.Time
		wrong      string
	}{
		{"a civil time is the practice's", "2026-03-03T09:15", time.Date(2026, 3, 3, 9, 15, 0, 0, denver), ""},
		{"an instant is itself", "2026-03-03T09:15:00Z", time.Date(2026, 3, 3, 9, 15, 0, 0, time.UTC), ""},
		{"seconds may be written", "2026-03-03 09:15:30", time.Date(2026, 3, 3, 9, 15, 30, 0, denver), ""},
		{"a date means the end of that day", "2026-03-02", time.Date(2026, 3, 3, 0, 0, 0, 0, denver).Add(-time.Millisecond), ""},
		{"today means now", "2026-03-03", time.Time{}, ""},
		{"tomorrow is not known", "2026-03-04T09:15", time.Time{}, "in the future"},
		{"nor is a day to come", "2026-03-05", time.Time{}, "in the future"},
		{"an hour is today's", "11:15", time.Date(2026, 3, 3, 11, 15, 0, 0, denver), ""},
		{"an hour of one digit, too", "9:15", time.Date(2026, 3, 3, 9, 15, 0, 0, denver), ""},
		{"today may be said", "Today  10:00", time.Date(2026, 3, 3, 10, 0, 0, 0, denver), ""},
		{"today alone means now", "today", time.Time{}, ""},
		{"yesterday means the end of it", "yesterday", time.Date(2026, 3, 3, 0, 0, 0, 0, denver).Add(-time.Millisecond), ""},
		{"an hour of yesterday", "yesterday 18:30", time.Date(2026, 3, 2, 18, 30, 0, 0, denver), ""},
		{"an hour to come is not known", "18:30", time.Time{}, "in the future"},
		{"a word is no time", "soon", time.Time{}, "is no time"},
		{"nor is an hour that there is not", "today 25:00", time.Time{}, "is no time"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := pastAt("--as-of", test.word, denver, now)
			switch {
			case test.wrong != "" && (err == nil || !strings.Contains(err.Error(), test.wrong)):
				t.Errorf("error %v, want %q", err, test.wrong)
			case test.wrong == "" && (err != nil || !got.Equal(test.want)):
				t.Errorf("got %v, %v; want %v", got, err, test.want)
			}
		})
	}
}
