package readiness

import (
	"time"

	"github.com/kaphub/kaphub/fhir"
)

// news is something on the watch list that a record tells of.
type news struct {
	row *fhir.Watched
	at  time.Time // when it was recorded
	of  *fhir.Version
}

// news finds what is on the practice's watch list, whoever told it. What was entered in error, and a condition that was
// refuted, is none; that a record disappeared takes nothing back.
//
//	record                looked for in                    dated
//	Condition             code                             recordedDate
//	MedicationStatement   medicationCodeableConcept        dateAsserted, else the beginning of what it is effective
//	Observation           code, and its answer             issued, else effective
//	Encounter             class, type                      the beginning of its period
//
// Without a date it is when the record was first told. A date without an hour is the end of that day, but not after the
// record was first told; of the prescriber's own records its beginning: they knew.
func (f *facts) news() (all []news) {
	list, terms := f.policy.Watch, f.policy.Terms
	if len(list) == 0 {
		return nil
	}
	note := func(v *fhir.Version, first time.Time, row *fhir.Watched, dates ...*string) {
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
		all = append(all, news{row, at, v})
	}
	for _, r := range records(f.chart.Conditions, f.look) {
		c := r.Value
		if row, ok := list.Row(terms, r.Party, "Condition", c.Code); ok && !holds(c.VerificationStatus, refuted) && !holds(c.VerificationStatus, mistaken) {
			note(r.Version, r.first(), row, c.RecordedDate)
		}
	}
	for _, r := range records(f.chart.MedicationStatements, f.look) {
		m := r.Value
		if row, ok := list.Row(terms, r.Party, "MedicationStatement", m.MedicationCodeableConcept); ok && m.Status != "entered-in-error" && m.Status != "not-taken" {
			start := m.EffectiveDateTime
			if m.EffectivePeriod != nil {
				start = m.EffectivePeriod.Start
			}
			note(r.Version, r.first(), row, m.DateAsserted, start)
		}
	}
	if len(list.Codes("Observation")) > 0 {
		for _, r := range f.observed {
			o := r.Value
			if row, ok := list.Row(terms, r.Party, "Observation", &o.Code); ok && !void(o) && !copied(o.Identifier) && row.Answers(terms, r.Party, o.ValueCodeableConcept) {
				note(r.Version, r.first(), row, o.Issued, o.EffectiveDateTime, o.EffectiveInstant)
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
			if status := e.Status.Code(); !ok || status == "entered-in-error" || status == "cancelled" || status == "planned" || copied(e.Identifier) {
				continue
			}
			var start *string
			if e.Period != nil {
				start = e.Period.Start
			}
			note(r.Version, r.first(), row, start)
		}
	}
	return all
}

// How a condition is said not to be one.
var (
	refuted  = fhir.Code{System: systemVerified, Code: "refuted"}
	mistaken = fhir.Code{System: systemVerified, Code: "entered-in-error"}
)

const systemVerified = "http://terminology.hl7.org/CodeSystem/condition-ver-status"
