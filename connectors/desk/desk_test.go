package desk

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/kaphub/kaphub/connectors"
	"github.com/kaphub/kaphub/connectors/connectortest"
	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/exchange"
)

var now = time.Date(2026, 3, 3, 16, 0, 0, 0, time.UTC)

// shelf is a tray in memory.
type shelf struct {
	slips []exchange.Slip
	read  bool // through, at every look
}

func (s *shelf) put(slips ...exchange.Slip) {
	for _, x := range slips {
		x.Place = int64(len(s.slips) + 1)
		s.slips = append(s.slips, x)
	}
}

func (s *shelf) Slips(_ context.Context, source string, place int64, limit int) (out []exchange.Slip, err error) {
	for _, x := range s.slips {
		if x.Source == source && x.Place > place && len(out) < limit {
			out = append(out, x)
		}
	}
	if s.read && len(out) < limit {
		out = append(out, exchange.Slip{Place: max(place, int64(len(s.slips))), Source: source, ReadTo: now})
	}
	return out, nil
}

func (s *shelf) SlipsAbout(_ context.Context, source, client string) (out []exchange.Slip, err error) {
	for _, x := range s.slips {
		if x.Source == source && x.Client == client {
			out = append(out, x)
		}
	}
	return out, nil
}

func (s *shelf) SlipWith(_ context.Context, source string, ref fhir.Ref) (exchange.Slip, error) {
	for _, x := range slices.Backward(s.slips) {
		if x.Source == source && slices.ContainsFunc(x.Records, func(r fhir.Resource) bool { return r.Ref() == ref }) {
			return x, nil
		}
	}
	return exchange.Slip{}, exchange.ErrNotFound
}

// world is a desk at which the suite's records are entered, and whose mailbox was always just read through. It deletes
// nothing, and no trouble can be asked of it.
type world struct{ *shelf }

func (w world) Put(t *testing.T, body string) (fhir.Ref, bool) {
	t.Helper()
	r, err := fhir.Parse([]byte(body), "")
	if err != nil {
		return fhir.Ref{}, false // nothing gets into the tray that did not pass the gate
	}
	of, _ := fhir.Subject(r)
	w.put(exchange.Slip{Source: name, Client: of.ID, Records: []fhir.Resource{r}})
	return r.Ref(), true
}

func (world) Delete(*testing.T, fhir.Ref) bool                    { return false }
func (world) Count(*testing.T, string, fhir.ID) int               { return 0 }
func (world) Trouble(*testing.T, connectortest.Trouble, int) bool { return false }
func (world) Mend(*testing.T)                                     {}

func TestTheDeskIsAConnectorAsAnyOther(t *testing.T) {
	connectortest.Run(t, func(*testing.T) (connectors.Connector, connectortest.World) {
		tray := &shelf{read: true}
		c := New(fhir.Practice, tray)
		c.Puller = desk{source: name, tray: tray, size: 3}
		return c, world{tray}
	})
}

func TestHowFarAMailboxWasRead(t *testing.T) {
	book, party := testBook(), Party{Name: "skylight"}
	entry := func(tray *shelf) { tray.put(must(book.Stop(testNote(), book.Prescriber, false, "chest pain"))...) }
	read := func(at time.Time) func(*shelf) {
		return func(tray *shelf) { tray.put(must(book.ReadThrough(testNote(), party, at))...) }
	}
	early, late := now.Add(-8*time.Hour), now.Add(-time.Hour)
	tests := []struct {
		name            string
		enter           []func(*shelf)
		complete, aside bool
		asOf            time.Time
	}{
		{"nothing entered tells nothing of it", nil, false, true, time.Time{}},
		{"an entry by itself tells nothing of it", []func(*shelf){entry}, false, true, time.Time{}},
		{"a read-through tells up to when", []func(*shelf){entry, read(late)}, true, false, late},
		{"what is entered after it does not undo it", []func(*shelf){read(late), entry, entry, entry, entry}, true, false, late},
		{"of two the later counts, in whatever order they were entered", []func(*shelf){read(late), entry, read(early), entry}, true, false, late},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tray := &shelf{}
			for _, enter := range tt.enter {
				enter(tray)
			}
			var page exchange.Page
			d := desk{source: Source("skylight"), tray: tray, size: 2}
			for since := exchange.Cursor(""); ; since = page.Next {
				var err error
				if page, err = d.Pull(t.Context(), since, exchange.Roster{}); err != nil {
					t.Fatal(err)
				}
				if !page.More {
					break
				}
			}
			if page.Complete != tt.complete || page.Aside != tt.aside || !page.AsOf.Equal(tt.asOf) {
				t.Errorf("complete %v, aside %v, as of %s", page.Complete, page.Aside, page.AsOf)
			}
			if waits, err := Waiting(t.Context(), tray, d.source, page.Next); waits || err != nil {
				t.Errorf("something still waits: %v", err)
			}
		})
	}
}

func testBook() Book {
	return Book{
		Practice:   Party{Name: fhir.Practice, Title: "Reverie"},
		Prescriber: Party{Name: "skylight", Title: "Skylight", Identifier: fhir.ID{System: fhir.SystemNPI, Value: "1234567893"}},
		Zone:       time.FixedZone("MST", -7*3600),
	}
}

func testNote() Note {
	return Note{Entry: NewEntry(), Client: "c-1", By: "ada", At: now, Medium: "e-mail"}
}

func must(slips []exchange.Slip, err error) []exchange.Slip {
	if err != nil {
		panic(err)
	}
	return slips
}
