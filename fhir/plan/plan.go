// Package plan decides what should cross the border now: from a chart, the verdicts and the ledger it calculates
// what to stage and what to take back. It is pure.
//
// What is wanted is calculated from the records alone, and then compared with the ledger:
//
//	wanted, and the ledger …          | change
//	----------------------------------+---------------------------------------------------------------
//	holds it under the same id        | none: it goes, went, was refused or is a person's to decide
//	withdrew it under the same id, or | staged anew, as the next occasion ("again 1")
//	  put it aside where it was laid  |
//	holds an older one, staged        | the older one is withdrawn, this one staged
//	holds an older one, attempted     | none until its outcome is known
//	holds an older one, laid out      | staged, to replace it: a person may have handed the older one over
//	holds an older one, delivered     | staged, as an update of the same copy
//	no longer wanted, staged          | withdrawn
//	no longer wanted, refused         | withdrawn: there is nothing left for a person to correct
//
// What is staged has for sure not arrived, tried or not: a try that may have arrived leaves a delivery attempted.
package plan

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/exchange"
	"github.com/kaphub/kaphub/fhir/readiness"
)

// Changes is what to do to the ledger.
type Changes struct {
	Stage    []exchange.Delivery
	Withdraw []string // delivery ids, of staged and refused ones
}

// Plan calculates the changes for one engagement. ledger holds all entries of the engagement, oldest first.
// What is in the ledger already, by ID, is never staged again. A record that is labelled restricted, and a referral
// that rests on one, are not staged: the referral's gate stays open and shows it.
func Plan(chart fhir.Chart, verdict readiness.Verdict, policy readiness.Policy, ledger []exchange.Entry, now time.Time) Changes {
	s := survey(chart, policy, ledger, now)
	if Mistaken(verdict) {
		return Changes{Withdraw: s.staged(nil)} // whose records these are is in doubt
	}
	return s.compare(append(s.outward(), s.homeward()...))
}

// Mistaken reports whether the verdict doubts that the linked patients are one person (R01): then nothing is sent, not
// even once more.
func Mistaken(v readiness.Verdict) bool {
	for _, f := range v.Findings {
		if f.Code == "R01" && f.State != readiness.Resolved && (f.Severity == readiness.S1 || f.Severity == readiness.S2) {
			return true
		}
	}
	return false
}

// situation is what one planning looks at.
type situation struct {
	chart      fhir.Chart
	policy     readiness.Policy
	prescriber string
	zone       *time.Location
	disclosure exchange.Disclosure
	now        time.Time
	ledger     []exchange.Entry
	byID       map[string]exchange.Entry
	byCopy     map[fhir.ID][]exchange.Entry // in the ledger's order

	asked  bool // whether readiness was asked about the releases
	judged []readiness.Release
	sought bool // whether readiness was asked which referrals are passed on
	passed []fhir.Key
}

func survey(chart fhir.Chart, policy readiness.Policy, ledger []exchange.Entry, now time.Time) *situation {
	s := &situation{
		chart: chart, policy: policy, prescriber: policy.Prescriber.Name, zone: cmp.Or(policy.Zone, time.UTC),
		disclosure: exchange.DefaultDisclosure().Without(policy.Withhold...), now: now,
		ledger: ledger, byID: make(map[string]exchange.Entry, len(ledger)), byCopy: make(map[fhir.ID][]exchange.Entry, len(ledger)),
	}
	for _, e := range ledger {
		s.byID[e.ID] = e
		s.byCopy[e.Copy] = append(s.byCopy[e.Copy], e)
	}
	return s
}

// compare turns what is wanted into changes of the ledger. Of two deliveries with one id the first counts.
func (s *situation) compare(wanted []exchange.Delivery) Changes {
	var c Changes
	keep := map[string]bool{}
	for _, d := range wanted {
		held := s.identify(&d)
		if keep[d.ID] {
			continue
		}
		keep[d.ID] = true
		if held || s.underway(d.Copy) {
			continue
		}
		if _, there := s.stands(d.Copy); there {
			d.Update = true
		}
		c.Stage = append(c.Stage, d)
	}
	c.Withdraw = append(s.staged(keep), s.refused(keep)...)
	return c
}

// identify gives d its id and reports whether the ledger holds it. One that was withdrawn, or laid out and put aside,
// is another occasion when it is wanted again: the same id would never be sent.
func (s *situation) identify(d *exchange.Delivery) (held bool) {
	occasion := d.Occasion
	for again := 1; ; again++ {
		d.ID = exchange.DeliveryID(d.Client, d.Prescriber, d.What, d.Occasion)
		e, ok := s.byID[d.ID]
		if !ok || e.State != exchange.Withdrawn && (e.State != exchange.LaidOut || e.Why == "") {
			return ok
		}
		d.Occasion = fmt.Sprintf("%s again %d", occasion, again)
	}
}

// staged returns the ids of the staged deliveries that are not to be kept.
func (s *situation) staged(keep map[string]bool) []string {
	var ids []string
	for _, e := range s.ledger {
		if e.State == exchange.Staged && !keep[e.ID] {
			ids = append(ids, e.ID)
		}
	}
	return ids
}

// refused returns the ids of the refused deliveries that are not to be kept: something later took their place, or they
// would only ask again for what has happened since.
func (s *situation) refused(keep map[string]bool) []string {
	var ids []string
	for _, e := range s.ledger {
		if e.State == exchange.Refused && !keep[e.ID] {
			ids = append(ids, e.ID)
		}
	}
	return ids
}

// underway reports whether a delivery of the copy may have arrived and has no outcome yet: what follows must wait for it.
func (s *situation) underway(copy fhir.ID) bool {
	return slices.ContainsFunc(s.byCopy[copy], func(e exchange.Entry) bool {
		return e.State == exchange.Attempted || e.State == exchange.Unknown
	})
}

// stands returns the last delivery of the copy that arrived.
func (s *situation) stands(copy fhir.ID) (exchange.Entry, bool) {
	var last exchange.Entry
	found := false
	for _, e := range s.byCopy[copy] {
		if e.State != exchange.Delivered || e.Receipt == nil || e.Receipt.Ref.IsZero() {
			continue
		}
		if !found || !e.Receipt.At.Before(last.Receipt.At) {
			last, found = e, true
		}
	}
	return last, found
}

// there returns where the copy stands, by its receipt.
func (s *situation) there(copy fhir.ID) (fhir.Ref, bool) {
	e, ok := s.stands(copy)
	if !ok {
		return fhir.Ref{}, false
	}
	return e.Receipt.Ref, true
}

// patientAt returns the client's Patient at the sources, by its link; ok is false when there is none, or several that tie,
// or another likely could be meant. A record that only resembles theirs does not stand beside the one that is.
func (s *situation) patientAt(sources []string) (ref fhir.Ref, ok bool) {
	for _, source := range sources {
		resembles := false
		for _, l := range s.chart.Links {
			switch {
			case l.Source != source:
			case l.How == fhir.Candidate && !l.Likely():
				resembles = true
			case l.How == fhir.Candidate || ok && ref.ID != l.Patient:
				return fhir.Ref{}, false
			default:
				ref, ok = fhir.Ref{Type: "Patient", ID: l.Patient}, true
			}
		}
		if ok || resembles {
			return ref, ok
		}
	}
	return fhir.Ref{}, false
}

// fits reports whether ref may be the client's Patient at the prescriber: one that is linked for sure, or any that is not
// in doubt while none is.
func (s *situation) fits(ref fhir.Ref) bool {
	named, sure := false, false
	for _, l := range s.chart.Links {
		if !slices.Contains(s.policy.Prescriber.Sources, l.Source) {
			continue
		}
		if l.Patient == ref.ID && l.How == fhir.Candidate {
			return false // beside a link it says that the link is in doubt
		}
		named = named || l.Patient == ref.ID
		sure = sure || l.How != fhir.Candidate
	}
	return named || !sure
}

// fill completes what every delivery of this engagement has in common.
func (s *situation) fill(d exchange.Delivery) exchange.Delivery {
	d.Client, d.Prescriber = s.chart.Client, s.prescriber
	return d
}

func at(v *fhir.Version) string { return fmt.Sprintf("%s@%d", v.Key, v.N) }
