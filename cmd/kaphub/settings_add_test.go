package main

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/kaphub/kaphub/cmd/internal/console"
	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/readiness"
)

// fill is an empty form of something new, with some of it typed.
func (k steward) fill(t *testing.T, section string, typed ...string) console.Change {
	t.Helper()
	s, err := k.Settled(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	c := console.Change{Section: section, Base: s.Base, Form: url.Values{}, Reason: "they asked for it"}
	for pair := range slices.Chunk(typed, 2) {
		c.Form.Set(pair[0], pair[1])
	}
	return c
}

// board is how everybody on the board stands.
func (k steward) board(t *testing.T) map[string]readiness.State {
	t.Helper()
	in, err := k.view(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]readiness.State{}
	for _, v := range in.Clients {
		all[v.Client+" "+v.Prescriber] = v.State
	}
	return all
}

const feed = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x//y//EN\r\nEND:VCALENDAR\r\n"

func TestACalendarIsAddedTestedAndTakenOutAgain(t *testing.T) {
	t.Parallel()
	p := settle(t)
	p.must(0, "sync")
	k := p.stewarded()
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/calendar")
		_, _ = w.Write([]byte(feed))
	}))
	defer web.Close()
	before, stood := p.text(), k.board(t)
	address := web.URL + "/s3cr3t.ics"

	for _, bad := range []struct{ field, typed, says string }{
		{"name", "Ours!", "is no name"}, {"name", "ehr", "is the name of another source"}, {"name", "../x", "is no name"}, {"calendar", "", "is missing"}, {"name", "desk", "is kept for"},
	} {
		c := k.fill(t, newCalendar, "calendar", address)
		c.Form.Set(bad.field, bad.typed)
		w := k.weigh(t, c)
		if f := fieldOf(&w.Section, bad.field); !strings.Contains(strings.Join(f.Wrong, " "), bad.says) || w.Effect.Clients > 0 {
			t.Errorf("%s %q: %q %q", bad.field, bad.typed, f.Wrong, w.Wrong)
		}
		if err := k.Settle(t.Context(), "Ann", c); !errors.Is(err, console.ErrWrong) {
			t.Errorf("%s %q: %v", bad.field, bad.typed, err)
		}
	}
	if left, err := os.ReadDir(p.path("secrets")); err == nil && len(left) > 0 {
		t.Errorf("what was refused leaves %v", left)
	}

	c := k.fill(t, newCalendar, "calendar", address)
	w := k.weigh(t, c)
	if len(w.Wrong) > 0 || len(w.Section.WrongAt()) > 0 || !w.Tests || p.text() != before || len(w.Notes) == 0 {
		t.Fatalf("%v %+v", w.Wrong, w.Section.WrongAt())
	}
	if text := strings.Join(w.Text, "\n"); strings.Contains(text, "s3cr3t") || !strings.Contains(text, "+     - {name: calendar, kind: ical, url_file: secrets/calendar}") && !strings.Contains(text, "{name: calendar, kind: ical, url_file: secrets/calendar}") {
		t.Errorf("the file would say\n%s", text)
	}
	c.Form.Del("calendar") // as the next page sends it on
	test, err := k.Try(t.Context(), "Ann", c)
	if err != nil || len(test.Lines) == 0 || slices.ContainsFunc(test.Lines, func(l console.TestLine) bool { return l.Level == "fails" }) {
		t.Errorf("%+v %v", test, err)
	}
	if err := k.Settle(t.Context(), "Ann", c); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(p.path("secrets/calendar")); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info, err)
	}

	k = p.stewarded()
	k.judgeFirst(t.Context())
	k.asWeighed(t, stood, w.Effect)
	p.must(0, "sync")
	k = p.stewarded()
	if changes, err := k.Changes(t.Context(), 0); err != nil || len(changes) < 2 || !slices.ContainsFunc(changes[0].Lines, func(l console.Line) bool { return l.Label == "calendar: kind" && l.To == "ical" }) {
		t.Errorf("%+v %v", changes, err)
	}

	out := k.fill(t, ofSource+"calendar")
	out.Removes = true
	if w = k.weigh(t, out); w.Refused != "" || w.Sure != "" || len(w.Lost) == 0 || len(w.Lines) != 1 || !strings.Contains(strings.Join(w.Kept, " "), "secrets/calendar") {
		t.Errorf("%+v %+v", w.Removal, w.Lines)
	}
	if err := k.Settle(t.Context(), "Ann", out); err != nil {
		t.Fatal(err)
	}
	if p.text() != before {
		t.Errorf("the file is not what it was:\n%s", p.text())
	}
	k = p.stewarded()
	w = k.weigh(t, k.fill(t, newCalendar, "calendar", address))
	if f := fieldOf(&w.Section, "name"); !strings.Contains(strings.Join(f.Wrong, " "), "was read before") {
		t.Errorf("the name is given to another: %q", f.Wrong)
	}
	if log := p.must(0, "audit", "list", "--limit", "999").out; strings.Contains(log, "s3cr3t") || !strings.Contains(log, "test connection") {
		t.Errorf("the audit log says\n%s", log)
	}
	p.must(0, "audit", "verify")
}

// asWeighed checks that everybody stands as a change was weighed to have them stand.
func (k steward) asWeighed(t *testing.T, stood map[string]readiness.State, e console.Effect) {
	t.Helper()
	is, want := k.board(t), maps.Clone(stood)
	for _, turn := range e.Turned {
		want[turn.After.Client+" "+turn.After.Prescriber] = turn.After.State
	}
	if !maps.Equal(is, want) {
		t.Errorf("weighed to be\n%v\nand is\n%v", want, is)
	}
}

func TestAServerThatKnowsTheHubByAKeyGetsIt(t *testing.T) {
	t.Parallel()
	p := settle(t)
	k := p.stewarded()
	c := k.fill(t, newEHR, "of", "skylight", "base", "https://fhir.example.org/r4", "client", "kaphub-7", "scopes", "system/Task.rs\nsystem/Observation.rs")
	w := k.weigh(t, c)
	if len(w.Wrong) > 0 || len(w.Section.WrongAt()) > 0 {
		// the prescriber's name is its first source's already
		if f := fieldOf(&w.Section, "name"); !strings.Contains(strings.Join(f.Wrong, " "), "is the name of another source") {
			t.Fatalf("%v %+v", w.Wrong, w.Section.WrongAt())
		}
	}
	c.Form.Set("name", "second")
	if w = k.weigh(t, c); len(w.Wrong) > 0 || len(w.Section.WrongAt()) > 0 || !strings.Contains(strings.Join(w.Notes, " "), `"kty"`) || strings.Contains(strings.Join(w.Notes, " "), `"d"`) {
		t.Fatalf("%v %+v %v", w.Wrong, w.Section.WrongAt(), w.Notes)
	}
	c.Form.Set("token", "x")
	if w = k.weigh(t, c); len(fieldOf(&w.Section, "client").Wrong) == 0 {
		t.Error("a token and a key at once")
	}
	for _, bad := range []struct{ typed, says string }{{"http://fhir.example.org", "https"}, {"", "is missing"}} {
		c := k.fill(t, newEHR, "of", fhir.Practice, "name", "second", "base", bad.typed)
		if w := k.weigh(t, c); !strings.Contains(strings.Join(fieldOf(&w.Section, "base").Wrong, " "), bad.says) {
			t.Errorf("%q: %+v %v", bad.typed, w.Section.WrongAt(), w.Wrong)
		}
	}
	c = k.fill(t, newFolder, "of", fhir.Practice, "in", p.dir, "out", p.path("out"))
	if w := k.weigh(t, c); len(fieldOf(&w.Section, "out").Wrong) == 0 {
		t.Errorf("packets for the practice itself: %v", w.Wrong)
	}
}

func TestAPrescriberComesAndGoes(t *testing.T) {
	t.Parallel()
	p := settle(t)
	p.must(0, "sync")
	k := p.stewarded()
	before := p.text()

	only := k.fill(t, ofPrescriber+"skylight")
	only.Removes, only.Sure = true, true
	if w := k.weigh(t, only); w.Refused == "" || len(w.Lines) > 0 {
		t.Errorf("the only prescriber can go: %+v", w.Removal)
	}
	if err := k.Settle(t.Context(), "Ann", only); !errors.Is(err, console.ErrWrong) || p.text() != before {
		t.Errorf("the only prescriber went: %v", err)
	}

	if w := k.weigh(t, k.fill(t, newPrescriber, "who~answer", another, "title", "Skylight")); len(fieldOf(&w.Section, "title").Wrong) == 0 {
		t.Error("two of one name")
	}
	c := k.fill(t, newPrescriber, "who~answer", another, "title", "Aurora Clinic", "npi", "1234567893", "phone", "303-555-0177")
	w := k.weigh(t, c)
	if len(w.Wrong) > 0 || len(w.Section.WrongAt()) > 0 {
		t.Fatalf("%v %+v", w.Wrong, w.Section.WrongAt())
	}
	if len(w.Effect.Turned) == 0 || !strings.Contains(w.Effect.Turned[0].After.Words, "names no prescriber") {
		t.Errorf("that sessions are nobody's from then on is not said: %+v", w.Effect.Moves)
	}
	stood := k.board(t)
	if err := k.Settle(t.Context(), "Ann", c); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(p.text(), "\n      # signed: ") {
		t.Errorf("how a sheet is written is not said beside it:\n%s", p.text())
	}
	k = p.stewarded()
	k.judgeFirst(t.Context())
	k.asWeighed(t, stood, w.Effect)
	if w := k.weigh(t, k.form(t, "sheet-aurora-clinic", "prescribers[1].sheet.signed", "2026-01-10", "prescribers[1].sheet.follow_up~answer", "set", "prescribers[1].sheet.follow_up", "60d")); len(w.Wrong) > 0 || len(w.Lines) != 2 {
		t.Errorf("their sheet cannot be written: %v %+v", w.Wrong, w.Lines)
	}

	gone := k.fill(t, ofPrescriber+"skylight")
	gone.Removes = true
	w = k.weigh(t, gone)
	if w.Refused != "" || w.Sure == "" || len(w.Lines) != 1 || w.Effect.Unknown() == 0 {
		t.Fatalf("%+v %+v %+v", w.Removal, w.Lines, w.Effect)
	}
	if err := k.Settle(t.Context(), "Ann", gone); !errors.Is(err, console.ErrUnsure) {
		t.Errorf("nobody agreed: %v", err)
	}
	stood = k.board(t)
	gone.Sure = true
	if err := k.Settle(t.Context(), "Ann", gone); err != nil {
		t.Fatal(err)
	}
	k = p.stewarded()
	k.judgeFirst(context.WithoutCancel(t.Context()))
	k.asWeighed(t, stood, w.Effect)
	changes, err := k.Changes(t.Context(), 0)
	if err != nil || len(changes[0].Lines) != 1 || changes[0].Lines[0].To != "taken out" {
		t.Errorf("the history says %+v %v", changes[0].Lines, err)
	}
	if w := k.weigh(t, k.fill(t, newPrescriber, "who~answer", another, "title", "Skylight")); !strings.Contains(strings.Join(fieldOf(&w.Section, "title").Wrong, " "), "were with before") {
		t.Errorf("the name is given to another: %q", fieldOf(&w.Section, "title").Wrong)
	}
}

func TestTheLastSourceGoesWhenSomebodySaysSo(t *testing.T) {
	t.Parallel()
	p := settle(t)
	p.must(0, "sync")
	k := p.stewarded()
	c := k.fill(t, ofSource+"ehr")
	c.Removes = true
	w := k.weigh(t, c)
	if w.Sure == "" || w.Refused != "" || len(w.Effect.Turned) == 0 {
		t.Fatalf("%+v %+v", w.Removal, w.Effect)
	}
	if err := k.Settle(t.Context(), "Ann", c); !errors.Is(err, console.ErrUnsure) {
		t.Fatal(err)
	}
	c.Sure = true
	stood := k.board(t)
	if err := k.Settle(t.Context(), "Ann", c); err != nil {
		t.Fatal(err)
	}
	k = p.stewarded()
	k.judgeFirst(t.Context())
	k.asWeighed(t, stood, w.Effect)
}

func TestProxiesAreSetAtTheConsole(t *testing.T) {
	t.Parallel()
	k := settle(t).stewarded()
	if w := k.weigh(t, k.form(t, "address", "hub.proxies", "10.0.0.7\n10.1.0.0/16")); len(w.Wrong) > 0 || len(w.Lines) != 1 || !w.Effect.None {
		t.Errorf("%v %+v", w.Wrong, w.Lines)
	}
	w := k.weigh(t, k.form(t, "address", "hub.proxies", "everywhere", "hub.public_url", "http://hub.example.org"))
	if len(fieldOf(&w.Section, "hub.proxies").Wrong) == 0 || len(fieldOf(&w.Section, "hub.public_url").Wrong) == 0 {
		t.Errorf("%+v %v", w.Section.WrongAt(), w.Wrong)
	}
}
