// Package connectortest is the suite that every connector passes, whatever it talks to.
package connectortest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kaphub/kaphub/connectors"
	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/exchange"
)

// World makes things happen at the far side. What a far side cannot do it answers with false, and the cases that need
// it are skipped by name.
type World interface {
	// Put writes a resource as the other side's own user would: a new one, or in place of the one with the same id.
	Put(t *testing.T, body string) (fhir.Ref, bool)
	Delete(t *testing.T, ref fhir.Ref) bool
	// Count returns how many records of a type now carry an identifier.
	Count(t *testing.T, typ string, id fhir.ID) int
	// Trouble asks for trouble with the next n requests that fit it; Mend ends all of it.
	Trouble(t *testing.T, kind Trouble, n int) bool
	Mend(t *testing.T)
}

// Trouble is what a far side can be asked to do wrong.
type Trouble string

// The troubles the suite asks for.
const (
	Busy      Trouble = "busy"      // 503 with Retry-After: 7
	Denied    Trouble = "denied"    // 401
	Garbage   Trouble = "garbage"   // a read is answered with something that is no FHIR
	Truncated Trouble = "truncated" // a read is answered with half of it
	Withheld  Trouble = "withheld"  // a read lacks a row, and says so
	Loop      Trouble = "loop"      // pages lead back to themselves
	LostReply Trouble = "lost"      // a create is done, and its reply lost
	Huge      Trouble = "huge"      // a read is answered with two gigabytes
)

// Forever is an n that does not end before Mend.
const Forever = -1

// RetryAfter is what Busy asks for.
const RetryAfter = 7 * time.Second

// Canary is in the name of every client the suite writes. It must not turn up in any error.
const Canary = "Zanzibarra"

// Setup returns a connector to an empty far side that pages by three rows, and the far side.
type Setup func(t *testing.T) (connectors.Connector, World)

// Run puts a connector through the suite. Cases for what it cannot do are skipped by name.
func Run(t *testing.T, setup Setup) {
	for _, group := range []struct {
		name  string
		cases []testCase
		has   func(connectors.Connector) bool
	}{
		{"pull", pulls, func(c connectors.Connector) bool { return c.Puller != nil }},
		{"sweep", sweeps, func(c connectors.Connector) bool { return c.Sweeper != nil }},
		{"read", reads, func(c connectors.Connector) bool { return c.Reader != nil }},
		{"push", pushes, func(c connectors.Connector) bool { return c.Pusher != nil }},
		{"check", checks, func(c connectors.Connector) bool { return c.Checker != nil }},
	} {
		t.Run(group.name, func(t *testing.T) {
			for _, tc := range group.cases {
				t.Run(tc.name, func(t *testing.T) {
					c, w := setup(t)
					if !group.has(c) {
						t.Skipf("%s cannot %s", c.Name, group.name)
					}
					tc.run(t, &stage{c, w})
				})
			}
		})
	}
}

type testCase struct {
	name string
	run  func(*testing.T, *stage)
}

type stage struct {
	connectors.Connector
	World
}

// trouble asks for trouble, or skips the case.
func (s *stage) trouble(t *testing.T, kind Trouble, n int) {
	t.Helper()
	if !s.Trouble(t, kind, n) {
		t.Skipf("this far side cannot be made %s", kind)
	}
}

// client writes a client under the given id.
func (s *stage) client(t *testing.T, id string) fhir.Ref {
	t.Helper()
	return s.put(t, patient(id, "first"))
}

func (s *stage) put(t *testing.T, body string) fhir.Ref {
	t.Helper()
	ref, ok := s.Put(t, body)
	if !ok {
		t.Skip("this far side does not take such a record")
	}
	return ref
}

func patient(id, given string) string {
	return fmt.Sprintf(`{"resourceType":"Patient","id":%q,"identifier":[{"system":"urn:kaphub:test:mrn","value":%q}],"name":[{"family":%q,"given":[%q]}]}`,
		id, id, Canary, given)
}

func observation(id, of, text string) string {
	return fmt.Sprintf(`{"resourceType":"Observation","id":%q,"status":"final","code":{"text":%q},"subject":{"reference":"Patient/%s"}}`, id, text, of)
}

// pull reads one page, which must come.
func (s *stage) pull(t *testing.T, since exchange.Cursor, roster exchange.Roster) exchange.Page {
	t.Helper()
	page, err := s.Puller.Pull(t.Context(), since, roster)
	if err != nil {
		t.Fatalf("pull: %v", err)
	}
	return page
}

// toTheEnd reads until there is no more.
func (s *stage) toTheEnd(t *testing.T, since exchange.Cursor, roster exchange.Roster) pages {
	t.Helper()
	all, err := s.tryToTheEnd(t.Context(), since, roster)
	if err != nil {
		t.Fatalf("pull: %v", err)
	}
	return all
}

var errEndless = errors.New("the pull does not end")

func (s *stage) tryToTheEnd(ctx context.Context, since exchange.Cursor, roster exchange.Roster) (pages, error) {
	var all pages
	for range 500 {
		page, err := s.Puller.Pull(ctx, since, roster)
		if err != nil {
			return all, err
		}
		all = append(all, page)
		if since = page.Next; !page.More {
			return all, nil
		}
	}
	return all, errEndless
}

// pages are what one read brought.
type pages []exchange.Page

func (p pages) last() exchange.Page { return p[len(p)-1] }

func (p pages) resources() []fhir.Resource {
	var all []fhir.Resource
	for _, page := range p {
		all = append(all, page.Resources...)
	}
	return all
}

// has reports whether a resource came whose body holds text.
func (p pages) has(ref fhir.Ref, text string) bool {
	return slices.ContainsFunc(p.resources(), func(r fhir.Resource) bool {
		return r.Ref() == ref && strings.Contains(string(r.Body), text)
	})
}

// want fails unless all of refs came.
func (p pages) want(t *testing.T, refs ...fhir.Ref) {
	t.Helper()
	for _, ref := range refs {
		if !p.has(ref, "") {
			t.Errorf("%s was not read", ref)
		}
	}
}

// wantFault fails unless err is of the given fault and tells nothing of a client. It returns what err says besides.
func wantFault(t *testing.T, err error, want connectors.Fault) connectors.Error {
	t.Helper()
	e, ok := errors.AsType[*connectors.Error](err)
	if !ok {
		t.Fatalf("got %v, want a *connectors.Error", err)
	}
	if e.Fault != want {
		t.Errorf("fault is %s, want %s: %v", e.Fault, want, err)
	}
	wantDiscreet(t, err)
	return *e
}

// wantDiscreet fails if err repeats a client's data, a query or a body.
func wantDiscreet(t *testing.T, err error) {
	t.Helper()
	text := fmt.Sprintf("%v %+v %s", err, err, connectors.Why(err))
	for _, secret := range []string{Canary, "urn:kaphub:test", "identifier=", "_lastUpdated=", "Patient/", "{", "<html"} {
		if strings.Contains(text, secret) {
			t.Errorf("the error repeats %q: %s", secret, text)
		}
	}
}
