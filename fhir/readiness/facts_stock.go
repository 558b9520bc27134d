package readiness

import (
	"math"
	"slices"
	"time"

	"github.com/kaphub/kaphub/fhir"
)

// stock is the medicine in the client's hands.
type stock struct {
	any   bool      // some of it was handed over or delivered
	known bool      // left can be counted
	left  float64   // sessions' worth, of what is in date
	maybe int       // sessions that were never closed: as many doses may be gone
	used  bool      // a dose was taken since the newest came in
	first time.Time // when the first came in
	since time.Time // when the newest came in
	over  bool      // all of it is out of date at the time of need
	ends  time.Time // the first instant at which all of it is out of date; zero: not on file
	fills []fill    // oldest first
	seen  *dispense // the newest label check of what the pharmacy's own record told of already
	by    *record[fhir.Observation]
	rests []*fhir.Version
	waits *fulfilment
}

// fill is medicine that came in at once.
type fill struct {
	of    *dispense
	in    time.Time
	worth float64 // in sessions
	known bool
	over  bool // out of date at the time of need
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
//	a label check of the practice                       counts when it was filled after the pharmacy's own last record;
//	                                                    else, of the only fill, what it says where that is less
//	a dose taken since                                  one sessions' worth less
//	a session never closed                              perhaps one less
//	dose or quantity not structured                     at least one dose, until one is taken; then cannot tell
//	some of it out of date at the time of need          what is in date, as if every dose since that came in was of it
//	the dose in force is another than that by which it  what is left of the amount, by the dose in force, where that
//	  was dispensed or taken                            is less
//	counted with the client since                       what was counted, where that is less or nothing else is known
func (f *facts) inHand() stock {
	s := stock{known: true}
	last := f.lastFill()
	for i := range f.dispenses {
		d := &f.dispenses[i]
		if !d.live() || d.status != "completed" {
			continue
		}
		if d.handed.IsZero() || !f.clock.passed(d.handed) {
			if _, there := f.delivered(d); !there {
				continue
			}
		}
		if !f.ours(d.Version) && !last.IsZero() && !d.filled.After(last) {
			s.seen = d // the same fill, looked at
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
		s.add(d.Version, in)
		worth, known := f.worth(d)
		s.fills = append(s.fills, fill{of: d, in: in, worth: worth, known: known})
		s.left += worth
		s.known = s.known && known
	}
	if newest := f.newestFulfilment(); newest != nil {
		switch {
		case newest.status == fhir.FulfilmentDelivered && !s.any && f.clock.passed(newest.at):
			s.add(newest.Version, newest.at)
			s.known = false
		case newest.status != fhir.FulfilmentDelivered && !s.any:
			s.waits = newest
		}
	}
	f.take(&s)
	f.ration(&s)
	f.readLabel(&s)
	f.spoil(&s)
	f.count(&s)
	return s
}

// lastFill returns when the pharmacy's own records say that something came last, handed over or delivered: a label check of
// what was filled by then looked at one of those.
func (f *facts) lastFill() (last time.Time) {
	for i := range f.dispenses {
		d := &f.dispenses[i]
		if !f.ours(d.Version) || !d.live() || d.status != "completed" {
			continue
		}
		came := d.handed
		if came.IsZero() {
			came, _ = f.delivered(d)
		}
		last = later(last, came)
	}
	return last
}

func (s *stock) add(v *fhir.Version, at time.Time) {
	s.any = true
	s.rests = append(s.rests, v)
	if s.first.IsZero() || at.Before(s.first) {
		s.first = at
	}
	if at.After(s.since) {
		s.since = at
	}
}

// take subtracts what was taken since the first of it came in.
func (f *facts) take(s *stock) {
	if !s.any {
		return
	}
	from, newest := f.midnight(s.first), f.midnight(s.since)
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

// readLabel puts what the practice read on the label of the only fill over what the pharmacy's record says of it, where that is
// less, or where the record says nothing that counts. Of a record that says nothing, every dose since it came in is gone.
func (f *facts) readLabel(s *stock) {
	if s.seen == nil || len(s.fills) != 1 {
		return
	}
	left, ok := f.worth(s.seen)
	if !ok {
		return
	}
	from := f.midnight(s.first)
	if s.known {
		from = s.seen.handed
	}
	for _, d := range f.taken {
		if !d.at.Before(from) {
			left--
		}
	}
	if !s.known || left < s.left {
		s.known, s.left = true, left
		s.rests = append(s.rests, s.seen.Version)
	}
}

// ration counts what is left by the dose in force: of six lozenges, five taken one by one, nothing is left for a session at
// two. It only ever takes away, and only where every amount is told in the unit of the directions.
func (f *facts) ration(s *stock) {
	rx := f.prescribed()
	if rx == nil || !s.any || !s.known {
		return
	}
	each, ok := directed(rx.Value.DosageInstruction)
	if !ok {
		return
	}
	left := 0.0
	for i := range s.fills {
		quantity, unit, ok := measured(s.fills[i].of.Value.Quantity)
		if !ok || unit != each.unit {
			return
		}
		left += quantity
	}
	for _, d := range f.taken {
		if !d.at.Before(f.midnight(s.first)) {
			left -= f.usedOn(d, each)
		}
	}
	s.left = min(s.left, math.Floor(left/each.high+1e-9))
}

// usedOn is how much was taken on the day of d: as recorded, where every dose of that day was recorded in the unit of dose;
// else the most that the directions of that day let be taken; else the most of dose.
func (f *facts) usedOn(d dose, now span) float64 {
	sum, recorded := 0.0, false
	for i := range f.intakes {
		if in := &f.intakes[i]; in.day == d.day {
			sum, recorded = sum+in.given, in.known && in.unit == now.unit
			if !recorded {
				break
			}
		}
	}
	if recorded {
		return sum
	}
	then := intake{record: record[fhir.MedicationAdministration]{Value: &fhir.MedicationAdministration{}}, at: d.at}
	if _, directions := f.directionsAt(&then); directions != nil {
		if was, ok := directed(directions); ok && was.unit == now.unit {
			return was.high
		}
	}
	return now.high
}

// midnight is the beginning of the day of t.
func (f *facts) midnight(t time.Time) time.Time { return DayOf(t, f.zone).Start(f.zone) }

// spoil takes away what is out of date at the time of need: a fill whose last day is before, and one that tells none and
// came in before such a one. Which fill a dose was taken from nobody records: what is left in date is counted as if each
// had been taken from there.
func (f *facts) spoil(s *stock) {
	if len(s.fills) == 0 {
		return
	}
	s.over = true
	spoiled, undated := false, false
	fresh, from := 0.0, time.Time{}
	for i := len(s.fills) - 1; i >= 0; i-- {
		x := &s.fills[i]
		end := x.of.expires
		x.over = !end.IsZero() && f.over(end) || end.IsZero() && spoiled
		if x.over {
			spoiled = true
			continue
		}
		s.over = false
		fresh += x.worth
		if from.IsZero() || x.in.Before(from) {
			from = x.in
		}
		undated = undated || end.IsZero()
		s.ends = later(s.ends, end)
	}
	if undated {
		s.ends = time.Time{}
	}
	if !spoiled || s.over {
		return
	}
	for _, d := range f.taken {
		if !d.at.Before(f.midnight(from)) {
			fresh--
		}
	}
	s.left = min(s.left, max(fresh, 0))
}

// spoiled reports whether some of it is out of date at the time of need.
func (s *stock) spoiled() bool {
	return slices.ContainsFunc(s.fills, func(x fill) bool { return x.over })
}

// count puts what was counted with the client since the newest fill came in over what was computed, where it is less, or
// where nothing could be computed. A count does not tell what is in date from what is not.
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
	if !s.known && !s.over && s.spoiled() {
		return
	}
	if !s.known || left < s.left {
		s.known, s.left, s.by = true, left, newest
		s.rests = append(s.rests, newest.Version)
	}
}
