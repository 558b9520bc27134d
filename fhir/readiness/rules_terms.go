package readiness

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/kaphub/kaphub/fhir"
)

// R11 clearance-without-expiry: until when a clearance holds must be on file, in the decision or on the sheet. It is one row
// for all clients of the prescriber: the sheet is asked once.
//
//	the decision that counts   it gives an end   the sheet states a validity   finding
//	clears                     no                not asked                     S3, rolled up; its window is unknown, or
//	                                                                             assumed where clearance_max_age is set
//	clears                     no                a length of time, none set    none: per agreement
//	clears                     yes               –                             none
//	stops, defers, or none     –                 –                             none
func clearanceWithoutExpiry(f *facts) []Finding {
	d := f.decided()
	if d == nil || f.stopped() != nil || !d.live() || !d.endless || d.means != clears && d.means != clearsWith {
		return nil
	}
	p := f.prescriber()
	return []Finding{rolled("R11/"+f.policy.Prescriber.Name, found(S3, "validity", p+" gives a clearance no end, and how long one holds is not on the sheet",
		"ask "+p+" how long a clearance holds, and note it on the sheet", d.Version))}
}

// R13 clearance-condition-open
//
//	conditions of the decision that clears      the session begins     finding
//	none, or each recorded as met               –                      none
//	only that the readings stay below limits    –                      none: the readings answer it
//	one that no record says is met              in 5 days or less      S2
//	one that no record says is met              later, or none booked  S3: it is due five days before
//	any, and the decision does not clear        –                      none: R09 or R12 says it
//	  … but for its end alone, which it does    –                      the same: once its end is known the condition is
//	    not give and nobody agreed                                       asked for all the same
func clearanceConditionOpen(f *facts) []Finding {
	d := f.decided()
	if d == nil || f.stopped() != nil {
		return nil
	}
	if whole := *d; d.doubt == noEnd {
		whole.doubt = ""
		d = &whole
	}
	if !d.clearing() {
		return nil
	}
	left, rests := f.outstanding(d)
	if len(left) == 0 {
		return nil
	}
	severity, due := S3, time.Time{}
	words := f.prescriber() + " cleared on " + f.on(d.issued) + " on " + plural(len(left) == 1, "a condition", "conditions") + " that no record says " + plural(len(left) == 1, "is", "are") + " met: " + strings.Join(left, "; ")
	if f.next != nil {
		due = shiftBack(f.next.start, f.policy.Rules.ConditionDue, f.zone)
		severity = f.rising(S3, once(due, S2))
		words += "; the session is on " + f.on(f.next.start)
		rests = append(rests, f.next.Version)
	}
	return []Finding{found(severity, d.String(), words, "ask the client for it, and "+f.prescriber()+" whether it is met; then "+string(EnterAnswer), append(rests, d.Version)...).due(due)}
}

// R16 clearing-clinician-inactive: a clearance stands and falls with somebody who can be asked. That a role or a practice
// ends withdraws nothing: whether the decision still holds is for the prescriber to say.
//
//	the decision that clears was made by                     the config says of the prescriber   finding
//	somebody whose roles there all ended by the session      –                                   S2, rolled up by decider
//	somebody with a role that goes on, or with none on file  –                                   none
//	anybody                                                  closed on a day up to the session   S2, rolled up
//	no decision that clears                                  –                                   none: R09 says it
func clearingClinicianInactive(f *facts) []Finding {
	d := f.decided()
	if d == nil || f.stopped() != nil || !d.clearing() {
		return nil
	}
	gone, words, about, role := f.departure(d)
	if !gone {
		return nil
	}
	p := f.prescriber()
	return []Finding{rolled("R16/"+f.policy.Prescriber.Name+"/"+about, found(S2, about, upper(words)+": "+p+"'s clearance rests on it",
		"ask "+p+f.phones()+" who stands for the decision", d.Version, role))}
}

// departure tells whether whoever made d is there no more at the instant of need, in words and by a key: that the practice
// of the prescriber closes, else that every role there of the deciders ended.
func (f *facts) departure(d *decision) (gone bool, words, about string, role *fhir.Version) {
	if closed := f.policy.Prescriber.Closed; !closed.IsZero() && f.over(closed.Start(f.zone)) {
		return true, f.prescriber() + " is recorded as closed from " + f.on(closed.Start(f.zone)) + " on", "closed", nil
	}
	var ends time.Time
	who := ""
	roles := records(f.chart.PractitionerRoles, f.look)
	for i := range d.Value.Performer {
		ref := &d.Value.Performer[i]
		ids := f.meant(ref, d.Version)
		if !slices.ContainsFunc(ids, func(id fhir.ID) bool { return slices.Contains(f.policy.Sheet.Deciders, id) }) {
			continue
		}
		for j := range roles {
			s := &roles[j]
			if !s.live() || !f.ours(s.Version) || !f.holdsRole(ref, ids, s) {
				continue
			}
			end, over := f.roleEnds(s)
			if !over {
				return false, "", "", nil
			}
			if role == nil || end.After(ends) {
				ends, role = end, s.Version
			}
			for _, id := range ids {
				if slices.Contains(f.policy.Sheet.Deciders, id) {
					who = cmp.Or(who, id.Value)
				}
			}
		}
	}
	if role == nil {
		return false, "", "", nil
	}
	return true, "whoever decided has no role at " + f.prescriber() + " since " + f.on(ends), who, role
}

// holdsRole reports whether s is a role of whoever ref, which has these numbers, means.
func (f *facts) holdsRole(ref *fhir.Reference, ids []fhir.ID, s *record[fhir.PractitionerRole]) bool {
	if to, _, ok := target(ref); ok && to == s.Ref() {
		return true
	}
	of := identified(f.identities(s.Value.Practitioner, s.Source, 1), s.Value.Identifier)
	return slices.ContainsFunc(of, func(id fhir.ID) bool { return slices.Contains(ids, id) && slices.Contains(f.policy.Sheet.Deciders, id) })
}

// roleEnds returns when a role ends, and whether that is so at the instant of need.
func (f *facts) roleEnds(s *record[fhir.PractitionerRole]) (end time.Time, over bool) {
	if p := s.Value.Period; p != nil {
		if _, to, ok := f.when(p.End); ok && f.over(to) {
			return to, true
		}
	}
	return s.Recorded(), is(s.Value.Active, false)
}

// upper begins a sentence with words.
func upper(words string) string { return strings.ToUpper(words[:1]) + words[1:] }
