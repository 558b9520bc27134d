package readiness

import (
	"cmp"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/kaphub/kaphub/fhir"
)

// prescription is a MedicationRequest of the prescriber that is, or may be, ketamine.
type prescription struct {
	record[fhir.MedicationRequest]
	ketamine answer // yes or cannotTell
	order    bool   // it asks for something to be done: no proposal, no plan, no "do not"
	status   string
	authored time.Time
}

// dispense is a MedicationDispense of ketamine.
type dispense struct {
	record[fhir.MedicationDispense]
	status  string
	when    time.Time // filled: handed over, else prepared
	handed  time.Time // zero: not handed over
	expires time.Time // first instant at which the medicine is out of date; zero: not on file
}

// fulfilment is how a delivery of medicine stands.
type fulfilment struct {
	record[fhir.Task]
	status string // in SystemFulfilment; "" cannot be read
	at     time.Time
	began  time.Time
}

// medicines finds prescriptions, dispenses and held prescriptions.
func (f *facts) medicines() {
	for _, r := range records(f.chart.MedicationRequests, f.look) {
		if practices(r.Version) || copied(r.Value.Identifier) {
			continue
		}
		is := f.ketamine(medicine{r.Source, r.Party, r.Value.MedicationCodeableConcept, r.Value.MedicationReference, r.Value.Contained})
		if is == no {
			continue
		}
		p := prescription{record: r, ketamine: is, status: r.Value.Status, authored: f.instant(r.Recorded(), r.Value.AuthoredOn)}
		switch r.Value.Intent {
		case "order", "original-order", "reflex-order", "filler-order", "instance-order":
			p.order = r.Value.DoNotPerform == nil || !*r.Value.DoNotPerform
		}
		if f.ours(r.Version) {
			f.prescriptions = append(f.prescriptions, p)
		}
		f.held(p)
	}
	slices.SortStableFunc(f.prescriptions, func(a, b prescription) int {
		return cmp.Or(a.authored.Compare(b.authored), older(a.Version, b.Version))
	})
	for _, r := range records(f.chart.MedicationDispenses, f.look) {
		if copied(r.Value.Identifier) || !f.ours(r.Version) && !practices(r.Version) {
			continue
		}
		m := medicine{r.Source, r.Party, r.Value.MedicationCodeableConcept, r.Value.MedicationReference, r.Value.Contained}
		if is := f.ketamine(m); is == no || is == cannotTell && f.authorises(r) == nil {
			if is == cannotTell && r.live() && r.Value.Status == "completed" {
				f.unreadFill = r.Version
			}
			continue
		}
		d := dispense{record: r, status: r.Value.Status}
		d.when = f.instant(r.Recorded(), r.Value.WhenHandedOver, r.Value.WhenPrepared)
		if at, _, ok := f.when(r.Value.WhenHandedOver); ok {
			d.handed = at
		}
		if found := f.medication(m); found != nil && found.Batch != nil {
			if _, end, ok := f.when(found.Batch.ExpirationDate); ok {
				d.expires = end
			}
		}
		f.dispenses = append(f.dispenses, d)
	}
	slices.SortStableFunc(f.dispenses, func(a, b dispense) int { return a.when.Compare(b.when) })
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

// prescribed returns the prescription that is in force: the newest active order of ketamine, else the newest completed
// one (all of it was dispensed). What is older than one that was stopped, or whose state is unknown, is not in force,
// however open its record was left. nil when there is none.
func (f *facts) prescribed() *prescription {
	var completed *prescription
	for i := range slices.Backward(f.prescriptions) {
		p := &f.prescriptions[i]
		if !p.order || p.ketamine != yes {
			continue
		}
		switch p.status {
		case "active":
			if p.live() {
				return p
			}
		case "completed":
			if completed == nil && p.live() {
				completed = p
			}
		case "stopped", "cancelled", "unknown":
			return completed
		}
	}
	return completed
}

// authorises returns the prescription of ketamine on file that a dispense names, nil when it names none.
func (f *facts) authorises(r record[fhir.MedicationDispense]) *prescription {
	for i := range f.prescriptions {
		if p := &f.prescriptions[i]; p.ketamine == yes && anyPoints(r.Value.AuthorizingPrescription, r.Source, p.Version, p.Value.Identifier) {
			return p
		}
	}
	return nil
}

// fills reports whether d was dispensed on p. With one prescription on file a dispense that names none is of that one.
func (f *facts) fills(d *dispense, p *prescription) bool {
	if len(d.Value.AuthorizingPrescription) == 0 {
		return len(f.prescriptions) == 1
	}
	return anyPoints(d.Value.AuthorizingPrescription, d.Source, p.Version, p.Value.Identifier)
}

// stock is the medicine in the client's hands.
type stock struct {
	any   bool      // some of it was handed over or delivered
	known bool      // left can be counted
	left  float64   // sessions' worth
	maybe int       // sessions that were never closed: as many doses may be gone
	used  bool      // a dose was taken since the newest came in
	since time.Time // when the newest came in
	over  bool      // the newest is out of date at the time of need
	rests []*fhir.Version
	waits *fulfilment
}

// inHand counts the medicine in hand.
//
//	on file                                             in hand
//	dispense of what cannot be read, on no              nothing; cannot tell
//	  prescription of ketamine
//	dispense to be taken another way than prescribed    nothing
//	dispense completed and handed over                  its quantity in sessions' worth
//	  … and its own delivery still under way or back    nothing
//	delivery "delivered", no dispense on file           at least one dose, until one is taken
//	a label check of the practice                       counts when it is a later fill than the pharmacy's own record
//	a dose taken since                                  one sessions' worth less
//	a session never closed                              perhaps one less
//	dose or quantity not structured                     at least one dose, until one is taken; then cannot tell
//	counted with the client since                       what was counted, where that is less or nothing else is known
func (f *facts) inHand() stock {
	s := stock{known: true}
	var last time.Time // of the pharmacy's own records
	for i := range f.dispenses {
		if d := &f.dispenses[i]; f.ours(d.Version) && d.live() && d.status == "completed" && d.handed.After(last) {
			last = d.handed
		}
	}
	var first time.Time
	for i := range f.dispenses {
		d := &f.dispenses[i]
		if !d.live() || d.status != "completed" {
			continue
		}
		if d.handed.IsZero() || !f.clock.passed(d.handed) {
			if !f.delivered(d) {
				continue
			}
		}
		if !f.ours(d.Version) && !d.handed.After(last) && !last.IsZero() {
			continue
		}
		if p, now := f.authorises(d.record), f.prescribed(); p != nil && now != nil && !sameRoute(p.Value, now.Value) {
			continue // it is to be taken another way
		}
		if away := f.away(d); away != nil {
			s.waits = away
			continue
		}
		in := d.handed
		if in.IsZero() {
			in = d.when
		}
		s.add(d.Version, in, &first)
		s.over = !d.expires.IsZero() && f.over(d.expires)
		if worth, ok := f.worth(d); ok {
			s.left += worth
		} else {
			s.known = false
		}
	}
	if newest := f.newestFulfilment(); newest != nil {
		switch {
		case newest.status == fhir.FulfilmentDelivered && !s.any && f.clock.passed(newest.at):
			s.add(newest.Version, newest.at, &first)
			s.known = false
		case newest.status != fhir.FulfilmentDelivered && !s.any:
			s.waits = newest
		}
	}
	f.take(&s, first)
	f.count(&s)
	return s
}

// count puts what was counted with the client since the newest fill came in over what was computed, where it is less, or
// where nothing could be computed.
func (f *facts) count(s *stock) {
	var newest *record[fhir.Observation]
	var at time.Time
	for i := range f.counted {
		r := &f.counted[i]
		said := f.said(*r)
		if s.any && !said.Before(s.since) && f.clock.passed(said) && (newest == nil || !said.Before(at)) {
			newest, at = r, said
		}
	}
	if newest == nil {
		return
	}
	left, unit, ok := amount(newest.Value.ValueQuantity)
	if !ok || unit != "{session}" {
		return
	}
	for _, d := range f.taken {
		if d.at.After(at) {
			left--
		}
	}
	if !s.known || left < s.left {
		s.known, s.left = true, left
		s.rests = append(s.rests, newest.Version)
	}
}

func (s *stock) add(v *fhir.Version, at time.Time, first *time.Time) {
	s.any = true
	s.rests = append(s.rests, v)
	if first.IsZero() || at.Before(*first) {
		*first = at
	}
	if at.After(s.since) {
		s.since = at
	}
}

// take subtracts what was taken since the first of it came in.
func (f *facts) take(s *stock, first time.Time) {
	if !s.any {
		return
	}
	from, newest := DayOf(first, f.zone).Start(f.zone), DayOf(s.since, f.zone).Start(f.zone)
	for _, d := range f.taken {
		if !d.at.Before(from) {
			s.left--
		}
		if !d.at.Before(newest) {
			s.used = true
		}
	}
	for _, u := range f.unclosed() {
		if !u.start.Before(from) {
			s.maybe++
			s.rests = append(s.rests, u.Version)
		}
	}
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

// delivered reports whether d's own delivery arrived.
func (f *facts) delivered(d *dispense) bool {
	for i := range slices.Backward(f.fulfilments) {
		if t := &f.fulfilments[i]; t.live() && f.carries(t, d) {
			return t.status == fhir.FulfilmentDelivered && f.clock.passed(t.at)
		}
	}
	return false
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

// worth returns how many sessions d is worth: its quantity by the dose of its prescription, in the same unit.
func (f *facts) worth(d *dispense) (float64, bool) {
	quantity, unit, ok := amount(d.Value.Quantity)
	if !ok {
		return 0, false
	}
	if unit == "{session}" || unit == "session" || unit == "sessions" {
		return quantity, true
	}
	p := f.authorises(d.record)
	if len(d.Value.AuthorizingPrescription) == 0 {
		p = f.prescribed()
	}
	if p == nil {
		return 0, false
	}
	dose := 0.0
	for i := range p.Value.DosageInstruction {
		each := 0.0
		for _, r := range p.Value.DosageInstruction[i].DoseAndRate {
			q := r.DoseQuantity
			if r.DoseRange != nil {
				q = r.DoseRange.High // the most that may be taken
			}
			value, in, ok := amount(q)
			if !ok || in != unit {
				return 0, false
			}
			each = math.Max(each, value)
		}
		if each == 0 {
			return 0, false
		}
		dose += each
	}
	if dose <= 0 {
		return 0, false
	}
	return math.Floor(quantity / dose), true
}

// amount reads q as a number and its unit; ok is false without a plain number above nothing.
func amount(q *fhir.Quantity) (value float64, unit string, ok bool) {
	if q == nil || q.Value == nil || q.Comparator != nil {
		return 0, "", false
	}
	value, err := strconv.ParseFloat(q.Value.String(), 64)
	if err != nil || math.IsNaN(value) || math.IsInf(value, 0) || value < 0 {
		return 0, "", false
	}
	unit = text(q.Code)
	if unit == "" {
		unit = strings.ToLower(text(q.Unit))
	}
	return value, unit, true
}

// Prescribed returns the prescription of this prescriber that is in force, nil when there is none on file.
func Prescribed(chart fhir.Chart, policy Policy, now time.Time) *fhir.Version {
	f := gather(&chart, &policy, &clock{now: now}, nil)
	if p := f.prescribed(); p != nil {
		return p.Version
	}
	return nil
}
