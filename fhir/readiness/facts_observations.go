package readiness

import (
	"cmp"
	"slices"
	"time"

	"github.com/kaphub/kaphub/fhir"
)

// reading is one vital sign as the practice took it.
type reading struct {
	of      *fhir.Version
	focus   []fhir.Reference
	which   vital
	value   float64
	ok      bool // a plain number in the right unit
	odd     bool // it cannot be right: no reading is so low or high, or the diastolic pressure is not below the systolic
	loose   bool // its record is gone or not final: it counts only where it is beyond the limit
	at, end time.Time
}

// observations sorts decisions, go-aheads, acknowledgements, arrival checks and readings.
func (f *facts) observations() {
	told := f.observed
	if reports := records(f.reports(), f.look); len(reports) > 0 {
		told = slices.Concat(told, reports)
	}
	for _, r := range told {
		o := r.Value
		if copied(o.Identifier) {
			continue
		}
		if f.ours(r.Version) {
			if f.decides(r.Party, o) || slices.ContainsFunc(r.Told, func(t fhir.Seen[fhir.Observation]) bool { return f.decides(t.Party, t.Value) }) {
				f.moved = append(f.moved, moved{r.last(), r.heard()})
				f.decide(r)
			}
			continue
		}
		if !practices(r.Version) {
			continue
		}
		switch code := f.code(r.Party, &o.Code, fhir.SystemKAP); code {
		case "":
			if !void(o) {
				f.read(r)
				f.score(&r)
			}
		case fhir.CodeGoAhead:
			f.goAheads = append(f.goAheads, r)
		case fhir.CodeAcknowledged:
			f.acks = append(f.acks, r)
		case fhir.CodeBeganWhy:
			if r.live() && final(o) && text(o.ValueString) != "" {
				f.reasons = append(f.reasons, r)
			}
		case fhir.CodeAmountLeft:
			if r.live() && final(o) {
				f.counted = append(f.counted, r)
			}
		case fhir.CodeRide, fhir.CodeFasting, fhir.CodeLocation, fhir.CodeNewInformation:
			if f.checks == nil {
				f.checks = make(map[string][]record[fhir.Observation], 4)
			}
			f.checks[code] = append(f.checks[code], r)
		}
	}
	slices.SortStableFunc(f.acks, func(a, b record[fhir.Observation]) int {
		return cmp.Or(f.said(a).Compare(f.said(b)), older(a.Version, b.Version), cmp.Compare(a.ID, b.ID))
	})
	slices.SortStableFunc(f.scores, func(a, b score) int {
		return cmp.Or(a.at.Compare(b.at), older(a.of, b.of), cmp.Compare(a.value, b.value))
	})
	slices.SortStableFunc(f.readings, func(a, b reading) int {
		return cmp.Or(a.at.Compare(b.at), older(a.of, b.of), cmp.Compare(a.value, b.value))
	})
}

// final reports whether o is a finished statement.
func final(o *fhir.Observation) bool {
	switch o.Status.Code() {
	case "final", "amended", "corrected":
		return true
	}
	return false
}

// said is when an observation was made: issued, else effective, else recorded.
func (f *facts) said(r record[fhir.Observation]) time.Time {
	return f.instant(r.Recorded(), r.Value.Issued, r.Value.EffectiveDateTime, r.Value.EffectiveInstant)
}

// read notes the vital signs in r.
func (f *facts) read(r record[fhir.Observation]) {
	o := r.Value
	at, end := r.Recorded(), r.Recorded().Add(time.Nanosecond)
	for _, s := range []*string{o.EffectiveDateTime, o.EffectiveInstant, o.Issued} {
		if from, to, ok := f.when(s); ok {
			at, end = from, to
			break
		}
	}
	note := func(code *fhir.CodeableConcept, q *fhir.Quantity, absent *fhir.CodeableConcept) {
		which, ok := loincLimits[f.code(r.Party, code, fhir.SystemLOINC)]
		if !ok {
			return
		}
		n := reading{of: r.Version, focus: o.Focus, which: which, at: at, end: end, loose: !r.live() || !final(o)}
		value, ok := which.quantity(q)
		n.value, n.ok = value, ok && value > 0 && absent == nil
		n.odd = n.ok && !which.span().Has(value)
		f.readings = append(f.readings, n)
	}
	before := len(f.readings)
	note(&o.Code, o.ValueQuantity, o.DataAbsentReason)
	for i := range o.Component {
		c := &o.Component[i]
		note(&c.Code, c.ValueQuantity, c.DataAbsentReason)
	}
	pressure := f.readings[before:]
	for i := range pressure {
		for j := range pressure {
			if x, y := &pressure[i], &pressure[j]; x.which == systolic && y.which == diastolic && x.value <= y.value {
				x.odd, y.odd = true, true
			}
		}
	}
}

// counts reports whether r, a yes-or-no record, is listened to: while it is final and still there; and where it says what
// keeps the gate shut, until it was taken back as a mistake. That it is gone unsays nothing.
func counts(r *record[fhir.Observation], want bool) bool {
	if void(r.Value) {
		return false
	}
	return r.live() && final(r.Value) || r.Value.ValueBoolean != nil && *r.Value.ValueBoolean != want
}

// acknowledged returns the newest word of the therapist on dose and instructions, nil when there is none.
func (f *facts) acknowledged() *record[fhir.Observation] {
	for i := range slices.Backward(f.acks) {
		if r := &f.acks[i]; r.live() && final(r.Value) {
			return r
		}
	}
	return nil
}
