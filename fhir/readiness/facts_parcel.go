package readiness

import (
	"cmp"
	"slices"
	"time"

	"github.com/kaphub/kaphub/fhir"
)

// fulfilment is how a delivery of medicine stands.
type fulfilment struct {
	record[fhir.Task]
	status string // in SystemFulfilment; "" cannot be read
	at     time.Time
	began  time.Time
}

// fulfil notes how a delivery stands.
func (f *facts) fulfil(r record[fhir.Task]) {
	t := fulfilment{record: r, status: f.code(r.Party, r.Value.BusinessStatus, fhir.SystemFulfilment)}
	if r.Value.Status.Code() == "entered-in-error" {
		return
	}
	t.at = f.instant(r.Recorded(), r.Value.LastModified)
	t.began = f.instant(r.first(), r.Value.AuthoredOn)
	f.fulfilments = append(f.fulfilments, t)
	slices.SortStableFunc(f.fulfilments, func(a, b fulfilment) int {
		return cmp.Or(a.at.Compare(b.at), older(a.Version, b.Version))
	})
}

// newestFulfilment returns the delivery told of last.
func (f *facts) newestFulfilment() *fulfilment {
	for i := range slices.Backward(f.fulfilments) {
		if t := &f.fulfilments[i]; t.live() && !f.otherDrug(t) {
			return t
		}
	}
	return nil
}

// otherDrug reports whether t delivers what is on file as something else than ketamine.
func (f *facts) otherDrug(t *fulfilment) bool {
	to, _, ok := target(t.Value.Focus)
	if !ok {
		return false
	}
	switch to.Type {
	case "MedicationRequest":
		return here(f.chart.MedicationRequests, t.Source, to.ID) && !slices.ContainsFunc(f.prescriptions, func(p prescription) bool {
			return points(t.Value.Focus, t.Source, p.Version, p.Value.Identifier)
		})
	case "MedicationDispense":
		return here(f.chart.MedicationDispenses, t.Source, to.ID) && !slices.ContainsFunc(f.dispenses, func(d dispense) bool {
			return points(t.Value.Focus, t.Source, d.Version, d.Value.Identifier)
		})
	}
	return false
}

// delivered reports whether d's own delivery arrived, and when that was told.
func (f *facts) delivered(d *dispense) (at time.Time, there bool) {
	for i := range slices.Backward(f.fulfilments) {
		if t := &f.fulfilments[i]; t.live() && f.carries(t, d) {
			if t.status != fhir.FulfilmentDelivered || !f.clock.passed(t.at) {
				return time.Time{}, false
			}
			return t.at, true
		}
	}
	return time.Time{}, false
}

// away returns the delivery that says d is not in hand after all: one that began before d was handed over and is still
// under way, or one that came back. A parcel that began later carries a later fill.
func (f *facts) away(d *dispense) *fulfilment {
	for i := range slices.Backward(f.fulfilments) {
		t := &f.fulfilments[i]
		if !t.live() || !f.carries(t, d) || t.at.Before(d.handed) {
			continue
		}
		switch t.status {
		case fhir.FulfilmentDelivered:
			return nil
		case fhir.FulfilmentException, fhir.FulfilmentReturned:
			return t
		}
		if !t.began.After(d.handed) {
			return t
		}
	}
	return nil
}

// carries reports whether t is the delivery of d: it names d, or d's prescription, or nothing in particular.
func (f *facts) carries(t *fulfilment, d *dispense) bool {
	if t.Value.Focus == nil {
		return true
	}
	if points(t.Value.Focus, t.Source, d.Version, d.Value.Identifier) {
		return true
	}
	for i := range f.prescriptions {
		if p := &f.prescriptions[i]; points(t.Value.Focus, t.Source, p.Version, p.Value.Identifier) {
			return f.fills(d, p)
		}
	}
	to, _, ok := target(t.Value.Focus)
	return !ok || to.Type != "MedicationDispense" && to.Type != "MedicationRequest"
}

// under is the delivery that was told of last, while nothing came into the client's hands since: where the parcel is. nil
// when there is none, or its state cannot be read.
func (f *facts) under() *fulfilment {
	t := f.newestFulfilment()
	if t == nil || t.status == "" || t.status == fhir.FulfilmentDelivered {
		return nil
	}
	for i := range f.dispenses {
		if d := &f.dispenses[i]; d.live() && d.status == "completed" && d.handed.After(t.at) && f.clock.passed(d.handed) && f.carries(t, d) {
			return nil
		}
	}
	return t
}

// sinceSo is since when a delivery has been as it is.
func (f *facts) sinceSo(t *fulfilment) time.Time {
	so := t.since(func(told *fhir.Task) bool {
		return f.code(t.Party, told.BusinessStatus, fhir.SystemFulfilment) == t.status
	})
	if t.at.Before(so) {
		return t.at
	}
	return so
}

// unconfirmed returns the newest fill of which the pharmacy says that it is done, and nobody that it is in the client's
// hands or on its way; nil when there is none, or something came into their hands since.
func (f *facts) unconfirmed() *dispense {
	for i := range slices.Backward(f.dispenses) {
		d := &f.dispenses[i]
		if !d.live() || d.status != "completed" {
			continue
		}
		if !d.handed.IsZero() || !f.ours(d.Version) {
			return nil
		}
		for j := range f.fulfilments {
			if t := &f.fulfilments[j]; t.live() && f.carries(t, d) {
				return nil // the delivery says where it is
			}
		}
		return d
	}
	return nil
}
