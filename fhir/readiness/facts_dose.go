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

// intake is a dose as the practice recorded it: that it was taken, and perhaps how much.
type intake struct {
	record[fhir.MedicationAdministration]
	at     time.Time
	day    Day
	given  float64
	unit   string
	known  bool // given is a plain amount
	going  bool // it is not over yet
	astray bool // recorded as not taken as directed
}

// takes notes a dose that was taken.
func (f *facts) takes(r record[fhir.MedicationAdministration], at time.Time) {
	in := intake{record: r, at: at, day: DayOf(at, f.zone), going: r.Value.Status == "in-progress"}
	if r.Value.Dosage != nil {
		in.given, in.unit, in.known = measured(r.Value.Dosage.Dose)
	}
	in.astray = slices.ContainsFunc(r.Value.StatusReason, func(c fhir.CodeableConcept) bool {
		return f.code(r.Party, &c, fhir.SystemKAP) == fhir.CodeNotAsDirected
	})
	f.intakes = append(f.intakes, in)
}

// sortIntakes puts the doses into the order in which they were taken.
func (f *facts) sortIntakes() {
	slices.SortStableFunc(f.intakes, func(a, b intake) int {
		return cmp.Or(a.at.Compare(b.at), cmp.Compare(a.Source, b.Source), cmp.Compare(a.ID, b.ID))
	})
}

// span is an amount from low to high, both included, in one unit.
type span struct {
	low, high float64
	unit      string
}

// holds reports whether an amount lies in s, but for what is lost in counting with fractions.
func (s span) holds(amount float64) bool {
	const slack = 1e-9
	return amount >= s.low-slack*math.Max(1, s.low) && amount <= s.high+slack*math.Max(1, s.high)
}

// String writes s as "1 lozenge", "1 to 2 lozenge".
func (s span) String() string {
	if s.low == s.high {
		return count(s.high) + " " + s.unit
	}
	return count(s.low) + " to " + count(s.high) + " " + s.unit
}

// directed is the amount that directions state for one session.
//
//	directions                        amount
//	a dose                            that dose
//	a range                           from its low to its high end, both included; without a low end from nothing
//	several doses of one instruction  from the least to the most of them
//	several instructions              one after another: their sum
//	one that is taken as needed       may be left out
//	no dose, no high end, a dose per  cannot be told
//	  kilogram, units that differ
func directed(directions []fhir.Dosage) (sum span, ok bool) {
	for i := range directions {
		each, ok := directedBy(&directions[i])
		if !ok || i > 0 && each.unit != sum.unit {
			return span{}, false
		}
		sum = span{sum.low + each.low, sum.high + each.high, each.unit}
	}
	return sum, sum.high > 0
}

func directedBy(d *fhir.Dosage) (each span, ok bool) {
	for i := range d.DoseAndRate {
		one, ok := span{}, false
		switch r := &d.DoseAndRate[i]; {
		case r.DoseQuantity != nil:
			one.high, one.unit, ok = measured(r.DoseQuantity)
			one.low = one.high
		case r.DoseRange != nil:
			one.high, one.unit, ok = measured(r.DoseRange.High)
			if low, in, told := measured(r.DoseRange.Low); told {
				one.low, ok = low, ok && in == one.unit && low <= one.high
			}
		}
		switch {
		case !ok || one.high == 0 || i > 0 && one.unit != each.unit:
			return span{}, false
		case i == 0:
			each = one
		default:
			each.low, each.high = math.Min(each.low, one.low), math.Max(each.high, one.high)
		}
	}
	if d.AsNeededBoolean != nil && *d.AsNeededBoolean || d.AsNeededCodeableConcept != nil {
		each.low = 0
	}
	return each, each.high > 0
}

// directionsAt returns the prescription that a dose was taken on, and its directions as they stood then: the one that the
// dose names, else the newest order written by then. nil when none is on file.
func (f *facts) directionsAt(in *intake) (*fhir.Version, []fhir.Dosage) {
	var on *prescription
	for i := range f.prescriptions {
		p := &f.prescriptions[i]
		if in.Value.Request != nil && points(in.Value.Request, in.Source, p.Version, p.Value.Identifier) {
			on = p
			break
		}
		switch p.status {
		case "active", "completed", "on-hold", "stopped":
			if p.order && p.ketamine == yes && !p.authored.After(in.at) {
				on = p
			}
		}
	}
	if on == nil {
		return nil, nil
	}
	then, directions := on.Version, on.Value.DosageInstruction
	for _, told := range slices.Backward(on.Told) {
		then, directions = told.Version, told.Value.DosageInstruction
		if !told.Recorded().After(in.at) {
			break
		}
	}
	return then, directions
}

// worth returns how many sessions d is worth: its quantity by the dose of its prescription, in the same unit.
func (f *facts) worth(d *dispense) (float64, bool) {
	quantity, unit, ok := measured(d.Value.Quantity)
	if !ok || unit == "session" {
		return quantity, ok
	}
	p := f.authorises(d.record)
	if len(d.Value.AuthorizingPrescription) == 0 {
		p = f.prescribed()
	}
	if p == nil {
		return 0, false
	}
	dose, ok := directed(p.Value.DosageInstruction) // the most that may be taken
	if !ok || dose.unit != unit {
		return 0, false
	}
	return math.Floor(quantity/dose.high + 1e-9), true
}

// measured reads q as an amount of medicine: masses in milligrams, and what is counted by its name in the singular. Only
// amounts of one unit can be compared; nothing is ever turned from pieces into milligrams.
func measured(q *fhir.Quantity) (value float64, unit string, ok bool) {
	value, unit, ok = amount(q)
	switch unit {
	case "kg":
		return value * 1e6, "mg", ok
	case "g":
		return value * 1e3, "mg", ok
	case "mg":
		return value, "mg", ok
	case "ug", "mcg", "µg":
		return value / 1e3, "mg", ok
	}
	unit = strings.ToLower(strings.Trim(unit, "{}"))
	if len(unit) > 3 {
		unit = strings.TrimSuffix(unit, "s")
	}
	return value, unit, ok && unit != ""
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
