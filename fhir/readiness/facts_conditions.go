package readiness

import (
	"slices"
	"strings"
	"time"

	"github.com/kaphub/kaphub/fhir"
)

// condition is what a decision makes its clearing depend on.
type condition struct {
	concept *fhir.CodeableConcept
	words   string
}

// is reports whether concept, or else words, name c.
func (c *condition) is(concept *fhir.CodeableConcept, words string) bool {
	if concept != nil && c.concept != nil && slices.ContainsFunc(concept.Coding, func(k fhir.Coding) bool {
		return k.System != nil && k.Code != nil && holds(c.concept, fhir.Code{System: *k.System, Code: *k.Code})
	}) {
		return true
	}
	if concept != nil && text(concept.Text) != "" {
		words = *concept.Text
	}
	return words != "" && plainWords(words) == plainWords(c.words)
}

// plainWords are words as they are compared: however they are spaced and capitalised.
func plainWords(s string) string { return strings.ToLower(strings.Join(strings.Fields(s), " ")) }

// fulfilled finds the record in which the prescriber says, since d was decided, that its condition c is met; nil while none
// does. The newest record on c counts.
//
//	record of the prescriber                                        c is
//	Task kap|clearance-condition for this decision, completed       met
//	  … any other status, or gone                                   open
//	Goal clearance-item|condition, achieved                         met
//	  … any other, or gone                                          open
//	either, for another decision; or that names none and is older   as if it were not there
//	  than this one
func (f *facts) fulfilled(d *decision, c *condition) *fhir.Version {
	var newest time.Time
	var says *fhir.Version
	note := func(at time.Time, v *fhir.Version, named, met bool) {
		if at.Before(newest) || !named && at.Before(d.issued) || !f.clock.passed(at.Add(-f.policy.Rules.Skew)) {
			return
		}
		if newest = at; met {
			says = v
		} else {
			says = nil
		}
	}
	for i := range f.answers {
		r := &f.answers[i]
		t := r.Value
		if !c.is(t.ReasonCode, text(t.Description)) || t.Status.Code() == "entered-in-error" {
			continue
		}
		named := t.Focus != nil && points(t.Focus, r.Source, d.Version, d.Value.Identifier)
		if to, _, ok := target(t.Focus); ok && to.Type == "Observation" && !named {
			continue
		}
		note(sooner(f.atLatest(r.Recorded(), t.LastModified), r.Recorded()), r.Version, named, r.live() && t.Status.Code() == "completed")
	}
	for i := range f.goals {
		r := &f.goals[i]
		g := r.Value
		if !f.isCondition(r) || !c.is(&g.Description, "") || g.LifecycleStatus.Code() == "entered-in-error" {
			continue
		}
		note(sooner(f.atLatest(r.Recorded(), g.StatusDate), r.Recorded()), r.Version, false, r.live() && g.AchievementStatus != nil &&
			f.code(r.Party, g.AchievementStatus, systemAchieved) == "achieved")
	}
	return says
}

// sooner is the earlier of two times: a date without an hour is not after what was told of it.
func sooner(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

const systemAchieved = "http://terminology.hl7.org/CodeSystem/goal-achievement"

// isCondition reports whether r is a goal that stands for a condition of a clearance.
func (f *facts) isCondition(r *record[fhir.Goal]) bool {
	return slices.ContainsFunc(r.Value.Category, func(c fhir.CodeableConcept) bool {
		return f.code(r.Party, &c, fhir.SystemClearanceItem) == fhir.ItemCondition
	})
}

// outstanding returns the conditions of d that no record says are met, and the records that say that the others are.
func (f *facts) outstanding(d *decision) (left []string, rests []*fhir.Version) {
	for i := range d.conditions {
		if v := f.fulfilled(d, &d.conditions[i]); v != nil {
			rests = append(rests, v)
		} else {
			left = append(left, d.conditions[i].words)
		}
	}
	return left, rests
}

// Condition is one condition of a clearance, and whether the prescriber recorded it as met.
type Condition struct {
	Words string
	Met   bool
}

// Conditions returns the decision that counts, and its conditions in its order, those left out that the readings answer.
func Conditions(chart fhir.Chart, policy Policy, now time.Time) (decision *fhir.Version, all []Condition) {
	f := gather(&chart, &policy, &clock{now: now}, nil)
	d := f.decided()
	if d == nil {
		return nil, nil
	}
	for i := range d.conditions {
		c := &d.conditions[i]
		all = append(all, Condition{c.words, f.fulfilled(d, c) != nil})
	}
	return d.Version, all
}
