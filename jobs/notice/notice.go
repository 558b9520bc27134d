// Package notice tells the people of a practice by mail that there is something to act on, and never what: a digest a day,
// and at once what must be acted on now. It decides who is to be told what from values and now; the step does it.
package notice

import (
	"slices"
	"time"

	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/exchange"
	"github.com/kaphub/kaphub/fhir/readiness"
	"github.com/kaphub/kaphub/jobs/report"
)

// Urgency is what somebody wants to be told at once.
type Urgency string

// The urgencies.
const (
	Through Urgency = "through" // S1 at once, in the quiet hours too
	Waits   Urgency = "waits"   // S1 at once, and after the quiet hours what came up in them
	Never   Urgency = "none"    // the digest only
)

// Person is somebody at the practice who is told.
type Person struct {
	Name    string // as the config calls them
	Address string
	Roles   []readiness.Owner
	Urgent  Urgency
}

// Roles are those that people at the practice have.
var Roles = []readiness.Owner{readiness.Therapist, readiness.Admin, readiness.Operator, readiness.Privacy}

// Board is what there is to act on, and how the clients stand: counts, and keys that are never told.
type Board struct {
	Acts   []report.Acts        // by owner
	Opened map[string]time.Time // since when each of them is open, by finding or by the key of what touches many
	States map[readiness.State]int
}

// Survey counts what stands. The verdicts must have passed readiness.Current (law 8).
func Survey(in report.Input) Board {
	b := Board{Acts: report.ToActOn(in), Opened: map[string]time.Time{}, States: map[readiness.State]int{}}
	for _, v := range in.Clients {
		b.States[v.State]++
		for _, f := range v.Findings {
			if f.State == readiness.Resolved {
				continue
			}
			opened := f.Opened
			if opened.IsZero() {
				opened = f.Since
			}
			opened = opened.Truncate(time.Millisecond) // as the store keeps times
			b.Opened[f.ID] = opened
			if was, is := b.Opened[f.RollUp]; !is || opened.Before(was) {
				b.Opened[f.RollUp] = opened
			}
		}
	}
	return b
}

// Known is all that is known when it is decided who is told what.
type Known struct {
	Now       time.Time
	Zone      *time.Location // the practice's
	People    []Person
	Quiet     time.Time // when the quiet hours end that now lies in; zero = it lies in none
	Board     Board
	Mails     []exchange.Mail // as they stand: those not ended, and those that ended since the first of what stands on the board came up
	AsOf      fhir.Moment
	DigestNow bool // the schedule, or a person, asks for the day's digest
}

// of returns how much somebody with these roles is to act on, and what of it now: what is theirs, what they see to for those outside the practice, and
// what is the business of a role that nobody has, so that it is not nobody's.
//
//	owner                             whose it is
//	a role that somebody has          theirs
//	prescriber, pharmacy or client    the admin's, who asks them
//	a role that nobody has            everybody's
func (k Known) of(p Person) (n int, now []string) {
	for _, a := range k.Board.Acts {
		if role := role(a.Owner); slices.Contains(p.Roles, role) || !k.has(role) {
			n += a.N
			now = append(now, a.Urgent...)
		}
	}
	return n, now
}

// role is who at the practice sees to what owner must do.
func role(owner readiness.Owner) readiness.Owner {
	if slices.Contains(Roles, owner) {
		return owner
	}
	return readiness.Admin
}

func (k Known) has(role readiness.Owner) bool {
	return slices.ContainsFunc(k.People, func(p Person) bool { return slices.Contains(p.Roles, role) })
}

// person returns whoever is called name.
func (k Known) person(name string) (Person, bool) {
	i := slices.IndexFunc(k.People, func(p Person) bool { return p.Name == name })
	if i < 0 {
		return Person{}, false
	}
	return k.People[i], true
}
