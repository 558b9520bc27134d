package readiness

import (
	"slices"
	"time"

	"github.com/kaphub/kaphub/fhir"
)

// news is something on the watch list that a record tells of.
type news struct {
	row  *fhir.Watched
	at   time.Time // when it was recorded, as the record dates it
	told time.Time // when it was first told, where what was on file from the beginning was read before that; else zero
	of   *fhir.Version
}

// news finds what is on the practice's watch list, whoever told it. What was entered in error, and a condition that was
// refuted, is none; that a record disappeared takes nothing back.
//
//	record                looked for in                    dated
//	Condition             code                             recordedDate
//	MedicationStatement   medicationCodeableConcept, or    dateAsserted, else the beginning of what it is effective
//	                        of the Medication inside it
//	Observation           code, and its answer             issued, else effective
//	Encounter             class, type                      the beginning of its period
//
// Without a date it is when the record was first told. One that was told before without saying so, an answer that was
// corrected, is no older than the telling that says so first. A date without an hour is the end of that day, but not after the
// record was first told; of the prescriber's own records its beginning: they knew.
//
// A date says when it happened, or was written down; when its owner first told of it is another matter (told). What came
// with the first whole read of a client's records at a source was on file before anybody listened: of that nobody can say
// when it was told first. Nor does it matter of the prescriber's own.
func (f *facts) news() (all []news) {
	list, terms := f.policy.Watch, f.policy.Terms
	if len(list) == 0 {
		return nil
	}
	note := func(v *fhir.Version, began fhir.Moment, first, since time.Time, row *fhir.Watched, dates ...*string) {
		at := first
		for _, date := range dates {
			from, end, ok := f.when(date)
			if !ok {
				continue
			}
			if at = end.Add(-time.Nanosecond); f.ours(v) {
				at = from
			} else if len(*date) <= len(time.DateOnly) {
				at = sooner(at, later(first, from))
			}
			break
		}
		if since.After(first) {
			at = later(at, since)
		}
		n := news{row: row, at: at, of: v}
		if !f.ours(v) && f.listened(v.Source, began) {
			n.told = first
		}
		all = append(all, n)
	}
	for _, r := range records(f.chart.Conditions, f.look) {
		c := r.Value
		is := func(c *fhir.Condition) bool {
			return !holds(c.VerificationStatus, refuted) && !holds(c.VerificationStatus, mistaken)
		}
		if row, ok := list.Row(terms, r.Party, "Condition", c.Code); ok && is(c) {
			note(r.Version, r.began(), r.first(), r.since(is), row, c.RecordedDate)
		}
	}
	for _, r := range records(f.chart.MedicationStatements, f.look) {
		m := r.Value
		is := func(m *fhir.MedicationStatement) bool {
			return m.Status != "entered-in-error" && m.Status != "not-taken"
		}
		if row, ok := list.Row(terms, r.Party, "MedicationStatement", m.Medicines()...); ok && is(m) {
			start := m.EffectiveDateTime
			if m.EffectivePeriod != nil {
				start = m.EffectivePeriod.Start
			}
			note(r.Version, r.began(), r.first(), r.since(is), row, m.DateAsserted, start)
		}
	}
	if len(list.Codes("Observation")) > 0 {
		for _, r := range f.observed {
			o := r.Value
			row, ok := list.Row(terms, r.Party, "Observation", &o.Code)
			is := func(o *fhir.Observation) bool { return !void(o) && row.Answers(terms, r.Party, o.ValueCodeableConcept) }
			if ok && !copied(o.Identifier) && is(o) {
				note(r.Version, r.began(), r.first(), r.since(is), row, o.Issued, o.EffectiveDateTime, o.EffectiveInstant)
			}
		}
	}
	if len(list.Codes("Encounter")) > 0 {
		for _, r := range records(f.chart.Encounters, f.look) {
			e := r.Value
			concepts := []*fhir.CodeableConcept{{Coding: []fhir.Coding{e.Class}}}
			for i := range e.Type {
				concepts = append(concepts, &e.Type[i])
			}
			row, ok := list.Row(terms, r.Party, "Encounter", concepts...)
			is := func(e *fhir.Encounter) bool {
				return !slices.Contains([]string{"entered-in-error", "cancelled", "planned"}, e.Status.Code())
			}
			if !ok || !is(e) || copied(e.Identifier) {
				continue
			}
			var start *string
			if e.Period != nil {
				start = e.Period.Start
			}
			note(r.Version, r.began(), r.first(), r.since(is), row, start)
		}
	}
	return all
}

// listened reports whether the client's records at source had been read to the beginning before moment: what came since was
// not there until then.
func (f *facts) listened(source string, moment fhir.Moment) bool {
	for i := range f.chart.Links {
		if l := &f.chart.Links[i]; l.Source == source && l.How != fhir.Candidate && (!l.ReadBack || moment <= l.Whole) {
			return false
		}
	}
	return true
}

// How a condition is said not to be one.
var (
	refuted  = fhir.Code{System: systemVerified, Code: "refuted"}
	mistaken = fhir.Code{System: systemVerified, Code: "entered-in-error"}
)

const systemVerified = "http://terminology.hl7.org/CodeSystem/condition-ver-status"
