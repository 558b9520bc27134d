package entry

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/kaphub/kaphub/connectors/desk"
	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/exchange"
	"github.com/kaphub/kaphub/fhir/readiness"
)

// Who may say stop.
const (
	SaidPrescriber = "prescriber"
	SaidTherapist  = "therapist"
	SaidClient     = "client"
)

// Stop is a stop: who said it, and why in one line, "" when that was not said. Whoever is asked the least is done the soonest.
type Stop struct {
	Said string
	Why  string
}

// Make returns the slips of the stop. The prescriber's is theirs; what the therapist or the client says is the practice's.
func (s Stop) Make(a About, n desk.Note) ([]exchange.Slip, error) {
	var r reading
	said := needed(&r, "said", s.Said, One(SaidPrescriber, SaidTherapist, SaidClient))
	party := a.Book.Practice
	if said == SaidPrescriber {
		party = a.Book.Prescriber
	} else if n.From == "" {
		n.From = "the " + said
	}
	return r.made(func() ([]exchange.Slip, error) {
		return a.Book.Stop(n, party, said == SaidClient, strings.TrimSpace(s.Why))
	})
}

// Lift is the end of a stop, by the word of whoever said it.
type Lift struct {
	Entry string // that stop's; "" where one only stands
	Said  string // who says that it is over: prescriber, therapist or client
}

// Make returns the slips of the lift. Who of its owner lifts it stands in the note. That anybody else says so is not the end
// of it, and is refused.
func (l Lift) Make(a About, n desk.Note) ([]exchange.Slip, error) {
	var r reading
	stop, err := a.Stop(l.Entry)
	switch all, _ := a.Stops(); {
	case err != nil && len(all) > 1:
		r.wrong("stop", err)
	case err != nil:
		return nil, err
	}
	said := needed(&r, "said", l.Said, One(SaidPrescriber, SaidTherapist, SaidClient))
	if said != "" && stop.Version != nil && said != stop.Said {
		who := stop.Who()
		r.wrong("said", fmt.Errorf("ends nothing: only %s lifts what %s said. Ask them, and enter what they answer", who, who))
	}
	if n.From == "" {
		r.wrong("from", ErrMissing)
	}
	if stop.Version == nil {
		return nil, r.problems
	}
	return r.made(func() ([]exchange.Slip, error) { return a.Book.Lift(n, stop.Party, stop.Version) })
}

// Standing is a stop that stands at a desk.
type Standing struct {
	*fhir.Version
	Entry string // which made it
	Party desk.Party
	Said  string // prescriber, therapist or client
	Since time.Time
	Line  string // why, as it was entered; "" when it was not
}

// Who is whoever said the stop, as they are called: "Skylight", "the client".
func (s Standing) Who() string {
	if s.Said == SaidPrescriber {
		return s.Party.Title
	}
	return "the " + s.Said
}

// Stops returns the stops that stand at a desk, and how many stand in other records: those their owner lifts there.
func (a About) Stops() (standing []Standing, elsewhere int) {
	for _, f := range fhir.Now(a.Chart.Flags) {
		if f.Value.Status.Code() != "active" {
			continue
		}
		i := slices.IndexFunc(a.Parties, func(p desk.Party) bool { return desk.Source(p.Name) == f.Source })
		if i < 0 {
			elsewhere++
			continue
		}
		s := Standing{Version: f.Version, Entry: "e-" + strings.TrimPrefix(f.ID, "stop-"), Party: a.Parties[i], Since: f.Recorded()}
		switch {
		case s.Party.Name != fhir.Practice:
			s.Said = SaidPrescriber
		case readiness.SaidByClient(f.Value):
			s.Said = SaidClient
		default:
			s.Said = SaidTherapist
		}
		if f.Value.Code.Text != nil {
			s.Line = *f.Value.Code.Text
		}
		standing = append(standing, s)
	}
	return standing, elsewhere
}

// Stop returns the stop that an entry made, or with "" the only one that stands.
func (a About) Stop(entry string) (Standing, error) {
	all, elsewhere := a.Stops()
	if entry != "" {
		all = slices.DeleteFunc(all, func(s Standing) bool { return strings.TrimPrefix(s.Entry, "e-") != strings.TrimPrefix(entry, "e-") })
	}
	switch {
	case len(all) == 0 && elsewhere > 0:
		return Standing{}, errors.New("the stop stands in the other side's own record: they lift it there, and the next sync brings it")
	case len(all) == 0:
		return Standing{}, errors.New("no such stop stands: a decision that stops is lifted by a decision that clears")
	case len(all) > 1:
		return Standing{}, fmt.Errorf("%d stops stand: say with --entry which one, kaphub record list shows them", len(all))
	}
	return all[0], nil
}
