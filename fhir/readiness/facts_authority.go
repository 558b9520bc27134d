package readiness

import (
	"cmp"
	"slices"
	"strconv"
	"time"

	"github.com/kaphub/kaphub/fhir"
)

// inPerson returns the newest record of the prescriber that says they saw the client in person, nil when there is none. A
// session in the practice's rooms is no examination by the prescriber, and an appointment does not say where it was.
func (f *facts) inPerson() *fhir.Version {
	var newest *record[fhir.Encounter]
	for _, r := range records(f.chart.Encounters, f.look) {
		if !f.ours(r.Version) || !r.live() || copied(r.Value.Identifier) || r.Value.Status.Code() != "finished" || text(r.Value.Class.System) != fhir.SystemActCode {
			continue
		}
		if slices.Contains(faceToFace, text(r.Value.Class.Code)) && (newest == nil || older(newest.Version, r.Version) <= 0) {
			newest = &r
		}
	}
	if newest == nil {
		return nil
	}
	return newest.Version
}

// faceToFace are the classes of an encounter (v3-ActCode) that are a visit, with both in one place: ambulatory, in the field, at
// home. A stay in a hospital (emergency, inpatient, observation, short stay), of which the prescriber may tell as news, is no
// exam by the prescriber; where one was made there, a person says so: kaphub record decision --in-person.
var faceToFace = []string{"AMB", "FLD", "HH"}

// credential is a licence, a certificate or an agreement, and when it ends.
type credential struct {
	name, about string
	end         time.Time // the first instant at which it is over
	of          *fhir.Version
}

// credentials returns those of the config, and those of the next session's therapists whose end the practice's directory
// tells: the role in which they come, or all they have where the session names none, and their qualifications.
func (f *facts) credentials() (all []credential) {
	for _, c := range f.policy.Credentials.Value {
		all = append(all, credential{name: c.Name, about: c.Name, end: c.Until.Plus(1).Start(f.zone)})
	}
	if f.next == nil {
		return all
	}
	for i := range f.next.Value.Participant {
		actor := f.next.Value.Participant[i].Actor
		to, _, ok := target(actor)
		if !ok || !therapist(actor) {
			continue
		}
		who := text(actor.Display)
		if who == "" {
			who = "the session's therapist"
		}
		at := func(to fhir.Ref) fhir.Key { return fhir.Key{Source: f.next.Source, Type: to.Type, ID: to.ID} }
		if role := listed(f.chart.PractitionerRoles, at(to)); role != nil {
			if c, ends := f.roleUpTo(role, who); ends {
				all = append(all, c)
			}
			if to, _, ok = target(role.Value.Practitioner); !ok {
				continue
			}
		} else if c, ends := f.rolesOf(at(to), who); ends {
			all = append(all, c)
		}
		if p := listed(f.chart.Practitioners, at(to)); p != nil {
			all = append(all, f.qualifications(p, who)...)
		}
	}
	return all
}

// roleUpTo tells when a role ends: by its period, or by now where it is said to be active no more. ends is false when it does
// not.
func (f *facts) roleUpTo(r *fhir.Seen[fhir.PractitionerRole], who string) (c credential, ends bool) {
	c = credential{name: "the role of " + who, about: r.String(), of: r.Version}
	if p := r.Value.Period; p != nil {
		_, c.end, ends = f.when(p.End)
	}
	if is(r.Value.Active, false) && (!ends || r.Recorded().Before(c.end)) {
		c.end, ends = r.Recorded(), true
	}
	return c, ends
}

// rolesOf is the last to end of the roles that a practitioner has; ends is false when there is one without an end, or none.
func (f *facts) rolesOf(who fhir.Key, name string) (last credential, ends bool) {
	for i := range f.chart.PractitionerRoles {
		r := &f.chart.PractitionerRoles[i]
		if !r.Latest || r.Gone || r.Source != who.Source {
			continue
		}
		if to, _, ok := target(r.Value.Practitioner); !ok || to != (fhir.Ref{Type: who.Type, ID: who.ID}) {
			continue
		}
		c, over := f.roleUpTo(r, name)
		if !over {
			return credential{}, false
		}
		if !ends || c.end.After(last.end) {
			last, ends = c, true
		}
	}
	return last, ends
}

// qualifications returns what p is qualified for and when that ends. One that was renewed is left out: the same licence is
// told with a later end, or as begun later and without an end. A title alone, without any period, renews nothing.
func (f *facts) qualifications(p *fhir.Seen[fhir.Practitioner], who string) (all []credential) {
	own := p.Value.Qualification
	times := map[string]int{}
	for i := range own {
		_, end, ok := f.lasts(&own[i])
		if !ok || slices.ContainsFunc(own, func(q fhir.PractitionerQualification) bool { return f.renews(&q, &own[i]) }) {
			continue
		}
		what := titled(&own[i].Code)
		about := p.String() + " " + what
		if times[what]++; times[what] > 1 {
			about += " " + strconv.Itoa(times[what])
		}
		all = append(all, credential{name: what + " of " + who, about: about, end: end, of: p.Version})
	}
	return all
}

// lasts reads the period of a qualification; ok is false when it tells no end.
func (f *facts) lasts(q *fhir.PractitionerQualification) (from, end time.Time, ok bool) {
	if q.Period == nil {
		return from, end, false
	}
	from, _, _ = f.when(q.Period.Start)
	_, end, ok = f.when(q.Period.End)
	return from, end, ok
}

// renews reports whether one is the same licence as other, which ends, and lasts longer.
func (f *facts) renews(one, other *fhir.PractitionerQualification) bool {
	if titled(&one.Code) != titled(&other.Code) || differentLicence(one, other) {
		return false
	}
	from, end, ends := f.lasts(one)
	began, over, _ := f.lasts(other)
	if ends {
		return end.After(over)
	}
	return !from.IsZero() && from.After(began) && text(one.Period.End) == ""
}

// differentLicence reports whether two qualifications of one title are not one and the same: by who issued them, else by
// their numbers. Where neither is told they are one.
func differentLicence(a, b *fhir.PractitionerQualification) bool {
	if x, y := issuer(a), issuer(b); x != "" && y != "" {
		return x != y
	}
	mine, others := identified(nil, a.Identifier), identified(nil, b.Identifier)
	return len(mine) > 0 && len(others) > 0 && !slices.ContainsFunc(mine, func(id fhir.ID) bool { return slices.Contains(others, id) })
}

// issuer tells who issued a qualification, "" where that is not told.
func issuer(q *fhir.PractitionerQualification) string {
	if q.Issuer == nil {
		return ""
	}
	id, _ := fhir.IDOf(q.Issuer.Identifier)
	return cmp.Or(text(q.Issuer.Reference), id.Value, text(q.Issuer.Display))
}

// titled is what a concept is called.
func titled(c *fhir.CodeableConcept) string {
	if s := text(c.Text); s != "" {
		return s
	}
	for _, k := range c.Coding {
		if s := cmp.Or(text(k.Display), text(k.Code)); s != "" {
			return s
		}
	}
	return "a qualification"
}

// listed returns the directory's entry under key as it now stands, nil when it is not at hand.
func listed[T any](list []fhir.Seen[T], key fhir.Key) *fhir.Seen[T] {
	for i := range list {
		if s := &list[i]; s.Latest && !s.Gone && s.Key == key {
			return s
		}
	}
	return nil
}
