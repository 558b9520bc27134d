package connectortest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/kaphub/kaphub/connectors"
	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/exchange"
)

// eight clients fill three pages of three.
func (s *stage) eight(t *testing.T) []fhir.Ref {
	t.Helper()
	var refs []fhir.Ref
	for i := range 8 {
		refs = append(refs, s.client(t, fmt.Sprintf("c%d", i+1)))
	}
	return refs
}

// readBack is a roster of members that were read to the beginning before.
func readBack(refs ...fhir.Ref) exchange.Roster {
	return exchange.RosterOf(nil, exchange.Everybody{Members: ids(refs)})
}

func newcomers(refs ...fhir.Ref) exchange.Roster {
	return exchange.RosterOf(ids(refs), exchange.Everybody{Members: ids(refs)})
}

func ids(refs []fhir.Ref) (ids []string) {
	for _, ref := range refs {
		ids = append(ids, ref.ID)
	}
	return ids
}

var pulls = []testCase{
	{"an empty source is read completely", func(t *testing.T, s *stage) {
		all := s.toTheEnd(t, "", exchange.Roster{})
		if len(all.resources()) != 0 || !all.last().Complete {
			t.Errorf("got %d records, complete %v", len(all.resources()), all.last().Complete)
		}
	}},
	{"all that stands there is read, in bounded pages, oldest first within a type", func(t *testing.T, s *stage) {
		refs := s.eight(t)
		all := s.toTheEnd(t, "", readBack(refs...))
		all.want(t, refs...)
		if !all.last().Complete {
			t.Errorf("not complete: %s", all.last().Why)
		}
		if len(all) < 3 {
			t.Errorf("%d pages for eight clients in threes", len(all))
		}
		var before fhir.Resource
		seen := map[fhir.Ref]bool{}
		for _, r := range all.resources() {
			if seen[r.Ref()] {
				continue // repeats are the store's to drop
			}
			seen[r.Ref()] = true
			if r.Type == before.Type && !r.LastUpdated.IsZero() && r.LastUpdated.Before(before.LastUpdated) {
				t.Errorf("%s comes after the newer %s", r.Ref(), before.Ref())
			}
			before = r
		}
	}},
	{"the same cursor brings the same page", func(t *testing.T, s *stage) {
		refs := s.eight(t)
		since := exchange.Cursor("")
		for range 4 {
			first, again := s.pull(t, since, readBack(refs...)), s.pull(t, since, readBack(refs...))
			if len(first.Resources) != len(again.Resources) || first.More != again.More {
				t.Fatalf("%d records, then %d", len(first.Resources), len(again.Resources))
			}
			for i := range first.Resources {
				if !bytes.Equal(first.Resources[i].Body, again.Resources[i].Body) {
					t.Errorf("record %d differs", i)
				}
			}
			if since = first.Next; !first.More {
				return
			}
		}
	}},
	{"a read that stops anywhere goes on from the page it had", func(t *testing.T, s *stage) {
		refs := s.eight(t)
		whole := s.toTheEnd(t, "", readBack(refs...))
		for stop := range whole {
			since := exchange.Cursor("")
			if stop > 0 {
				since = whole[stop-1].Next
			}
			rest := append(whole[:stop:stop], s.toTheEnd(t, since, readBack(refs...))...)
			rest.want(t, refs...)
			if !rest.last().Complete {
				t.Errorf("stopped after page %d: not complete", stop)
			}
		}
	}},
	{"what is new after a read comes with the next one", func(t *testing.T, s *stage) {
		refs := s.eight(t)
		next := s.toTheEnd(t, "", readBack(refs...)).last().Next
		late := s.client(t, "late")
		refs = append(refs, late)
		s.toTheEnd(t, next, readBack(refs...)).want(t, late)
	}},
	{"a record that changes while pages are read is not lost, and pushes no other one out", func(t *testing.T, s *stage) {
		refs := s.eight(t)
		first := s.pull(t, "", readBack(refs...))
		s.put(t, patient(refs[0].ID, "changed"))
		rest := s.toTheEnd(t, first.Next, readBack(refs...))
		next := s.toTheEnd(t, rest.last().Next, readBack(refs...))
		seen := append(append(pages{first}, rest...), next...)
		seen.want(t, refs...)
		if !seen.has(refs[0], "changed") {
			t.Error("the changed words were not read")
		}
	}},
	{"a record that is deleted while pages are read pushes no other one out", func(t *testing.T, s *stage) {
		refs := s.eight(t)
		first := s.pull(t, "", readBack(refs...))
		if !s.Delete(t, refs[0]) {
			t.Skip("this far side deletes nothing")
		}
		append(pages{first}, s.toTheEnd(t, first.Next, readBack(refs...))...).want(t, refs[1:]...)
	}},
	{"a member new to the hub is read to the beginning, and named as swept", func(t *testing.T, s *stage) {
		ada := s.client(t, "ada")
		old := s.put(t, observation("o1", ada.ID, "old"))
		since := s.toTheEnd(t, "", readBack(ada)).last().Next
		page := s.pull(t, since, newcomers(ada))
		if len(page.Swept) != 1 || page.Swept[0] != ada.ID {
			t.Fatalf("swept %v", page.Swept)
		}
		pages{page}.want(t, ada, old)
		if !page.More || page.Complete {
			t.Error("the read is over before what changed was read")
		}
		if all := s.toTheEnd(t, page.Next, newcomers(ada)); !all.last().Complete {
			t.Errorf("not complete: %s", all.last().Why)
		}
	}},
	{"garbage is Garbled, and the cursor is good for another try", func(t *testing.T, s *stage) {
		refs := s.eight(t)
		page := s.pull(t, "", readBack(refs...))
		for _, kind := range []Trouble{Garbage, Truncated} {
			s.trouble(t, kind, 1)
			_, err := s.Puller.Pull(t.Context(), page.Next, readBack(refs...))
			wantFault(t, err, connectors.Garbled)
			s.Mend(t)
		}
		append(pages{page}, s.toTheEnd(t, page.Next, readBack(refs...))...).want(t, refs...)
	}},
	{"an answer of two gigabytes is refused, not swallowed", func(t *testing.T, s *stage) {
		ada := s.client(t, "ada")
		page := s.pull(t, "", readBack(ada))
		s.trouble(t, Huge, 1)
		_, err := s.Puller.Pull(t.Context(), page.Next, newcomers(ada))
		wantFault(t, err, connectors.Garbled)
	}},
	{"withheld rows leave the read incomplete, and come once they are shown", func(t *testing.T, s *stage) {
		refs := s.eight(t)
		s.pull(t, "", readBack(refs...)) // what a connector asks once is asked
		s.trouble(t, Withheld, 1)
		all := s.toTheEnd(t, "", readBack(refs...))
		withheld := 0
		for _, page := range all {
			withheld += page.Unknowns
		}
		if withheld == 0 || all.last().Complete || all.last().Why == "" {
			t.Errorf("%d withheld, complete %v, why %q", withheld, all.last().Complete, all.last().Why)
		}
		s.Mend(t)
		again := s.toTheEnd(t, all.last().Next, readBack(refs...))
		if !again.last().Complete {
			t.Errorf("still incomplete: %s", again.last().Why)
		}
		append(all, again...).want(t, refs...)
	}},
	{"pages that lead in a circle end, and never as complete without all records", func(t *testing.T, s *stage) {
		refs := s.eight(t)
		s.pull(t, "", readBack(refs...))
		s.trouble(t, Loop, Forever)
		all, err := s.tryToTheEnd(t.Context(), "", readBack(refs...))
		if err != nil {
			if errors.Is(err, errEndless) {
				t.Fatal(err)
			}
			wantFault(t, err, connectors.Garbled)
			return
		}
		all.want(t, refs...)
	}},
	{"a busy server is Temporary, not before it said, and nothing is lost", func(t *testing.T, s *stage) {
		refs := s.eight(t)
		page := s.pull(t, "", readBack(refs...))
		s.trouble(t, Busy, 1)
		_, err := s.Puller.Pull(t.Context(), page.Next, readBack(refs...))
		if e := wantFault(t, err, connectors.Temporary); e.After != RetryAfter {
			t.Errorf("after %s, want %s", e.After, RetryAfter)
		}
		append(pages{page}, s.toTheEnd(t, page.Next, readBack(refs...))...).want(t, refs...)
	}},
	{"an expired token is Denied, with a hint", func(t *testing.T, s *stage) {
		ada := s.client(t, "ada")
		s.pull(t, "", readBack(ada))
		s.trouble(t, Denied, 1)
		_, err := s.Puller.Pull(t.Context(), "", readBack(ada))
		if e := wantFault(t, err, connectors.Denied); e.Hint == "" {
			t.Error("no hint")
		}
	}},
	{"a record that cannot be read is kept as a reject, and the others come", func(t *testing.T, s *stage) {
		ada := s.client(t, "ada")
		s.put(t, `{"resourceType":"Observation","id":"bad","status":"final","code":{"text":"x"},"subject":{"reference":"Patient/ada"},"issued":null}`)
		good := s.put(t, observation("good", "ada", "good"))
		all := s.toTheEnd(t, "", readBack(ada))
		all.want(t, ada, good)
		var rejects []fhir.Reject
		for _, page := range all {
			rejects = append(rejects, page.Rejects...)
		}
		if len(rejects) == 0 {
			t.Fatal("no reject")
		}
		for _, r := range rejects {
			if r.Type != "Observation" || r.Ref != "bad" || r.Subject != ada || len(r.Body) == 0 || r.Hash == "" || r.Reason == "" || r.Source == "" {
				t.Errorf("reject %s/%s of %s: %s", r.Type, r.Ref, r.Subject, r.Reason)
			}
		}
	}},
	{"a cancelled pull ends at once", func(t *testing.T, s *stage) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := s.Puller.Pull(ctx, "", exchange.Roster{}); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
	}},
	{"a cursor of another kind is refused", func(t *testing.T, s *stage) {
		_, err := s.Puller.Pull(t.Context(), "no cursor of anybody", exchange.Roster{})
		wantFault(t, err, connectors.Garbled)
	}},
}

var sweeps = []testCase{
	{"every member is swept once, in slices, and the sweep starts over after its end", func(t *testing.T, s *stage) {
		refs := s.eight(t)
		theirs := s.put(t, observation("o1", refs[2].ID, "text"))
		roster := readBack(refs...)
		swept := map[string]int{}
		var all pages
		resume := exchange.Cursor("")
		for range 100 {
			page, err := s.Sweeper.Sweep(t.Context(), resume, roster)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, page)
			for _, id := range page.Swept {
				swept[id]++
			}
			if resume = page.Next; !page.More {
				break
			}
		}
		if len(swept) != 8 || !all.last().Complete || resume != "" {
			t.Errorf("swept %v, complete %v, resume %q", swept, all.last().Complete, resume)
		}
		all.want(t, append(refs, theirs)...)
	}},
	{"a deleted record is in no sweep", func(t *testing.T, s *stage) {
		ada := s.client(t, "ada")
		gone := s.put(t, observation("o1", "ada", "text"))
		if !s.Delete(t, gone) {
			t.Skip("this far side deletes nothing")
		}
		page, err := s.Sweeper.Sweep(t.Context(), "", readBack(ada))
		if err != nil {
			t.Fatal(err)
		}
		if (pages{page}).has(gone, "") || len(page.Swept) != 1 {
			t.Errorf("swept %v", page.Swept)
		}
	}},
	{"withheld rows name nobody as swept", func(t *testing.T, s *stage) {
		ada := s.client(t, "ada")
		if _, err := s.Sweeper.Sweep(t.Context(), "", readBack(ada)); err != nil {
			t.Fatal(err)
		}
		s.trouble(t, Withheld, 1)
		page, err := s.Sweeper.Sweep(t.Context(), "", readBack(ada))
		if err != nil {
			t.Fatal(err)
		}
		if len(page.Swept) != 0 || page.Unknowns == 0 {
			t.Errorf("swept %v, %d withheld", page.Swept, page.Unknowns)
		}
	}},
}

var reads = []testCase{
	{"a record is read as it stands now", func(t *testing.T, s *stage) {
		ada := s.client(t, "ada")
		s.put(t, patient(ada.ID, "second"))
		r, err := s.Reader.Read(t.Context(), ada)
		if err != nil || !bytes.Contains(r.Body, []byte("second")) || r.Ref() != ada {
			t.Errorf("%s, %v", r.Ref(), err)
		}
	}},
	{"a record that never was, or is gone, is not found", func(t *testing.T, s *stage) {
		ada := s.client(t, "ada")
		_, err := s.Reader.Read(t.Context(), fhir.Ref{Type: "Patient", ID: "nobody"})
		if !errors.Is(err, exchange.ErrNotFound) {
			t.Errorf("never was: %v", err)
		}
		if !s.Delete(t, ada) {
			return
		}
		if _, err = s.Reader.Read(t.Context(), ada); !errors.Is(err, exchange.ErrNotFound) {
			t.Errorf("gone: %v", err)
		}
	}},
	{"a record that cannot be read is Garbled and repeats nothing of it", func(t *testing.T, s *stage) {
		ref := s.put(t, fmt.Sprintf(`{"resourceType":"Patient","id":"bad","name":[{"family":%q}],"gender":null}`, Canary))
		_, err := s.Reader.Read(t.Context(), ref)
		wantFault(t, err, connectors.Garbled)
	}},
}

var checks = []testCase{
	{"a healthy counterpart is reported on, and nothing changes there", func(t *testing.T, s *stage) {
		ada := s.client(t, "ada")
		before, err := s.Reader.Read(t.Context(), ada)
		if err != nil {
			t.Fatal(err)
		}
		report, err := s.Checker.Check(t.Context())
		if err != nil || len(report.Lines) == 0 {
			t.Fatalf("%d lines, %v", len(report.Lines), err)
		}
		for _, l := range report.Lines {
			if l.About == "" || l.Text == "" || l.Level != "works" && l.Level != "degrades" && l.Level != "impossible" {
				t.Errorf("line %+v", l)
			}
		}
		if after, err := s.Reader.Read(t.Context(), ada); err != nil || !after.Same(before) {
			t.Errorf("it changed, or %v", err)
		}
	}},
	{"a counterpart that does not let the hub in is an error with a hint", func(t *testing.T, s *stage) {
		s.trouble(t, Denied, Forever)
		_, err := s.Checker.Check(t.Context())
		if e := wantFault(t, err, connectors.Denied); e.Hint == "" {
			t.Error("no hint")
		}
	}},
}
