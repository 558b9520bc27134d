package readiness

import (
	"cmp"
	"slices"
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

// faceToFace are the classes of an encounter (v3-ActCode) at which both are in one place. A visit to an emergency department,
// of which the prescriber may tell as news, is no exam by the prescriber.
var faceToFace = []string{"AMB", "FLD", "HH", "IMP", "ACUTE", "NONAC", "OBSENC", "SS"}

// credential is a licence, a certificate or an agreement, and when it ends.
type credential struct {
	name, about string
	end         time.Time // the first instant at which it is over
	of          *fhir.Version
}

// credentials returns those of the config, and those of the next session's therapists whose end the practice's directory
// tells. A licence that was renewed is as good as its latest end.
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
		if role := listed(f.chart.PractitionerRoles, fhir.Key{Source: f.next.Source, Type: to.Type, ID: to.ID}); role != nil {
			if p := role.Value.Period; p != nil {
				if _, end, ok := f.when(p.End); ok {
					all = append(all, credential{name: "the role of " + who, about: role.String(), end: end, of: role.Version})
				}
			}
			if to, _, ok = target(role.Value.Practitioner); !ok {
				continue
			}
		}
		if p := listed(f.chart.Practitioners, fhir.Key{Source: f.next.Source, Type: to.Type, ID: to.ID}); p != nil {
			all = append(all, f.qualifications(p, who)...)
		}
	}
	return all
}

// qualifications returns what p is qualified for, each with the latest end that is told of it. One that is told without
// an end somewhere has none.
func (f *facts) qualifications(p *fhir.Seen[fhir.Practitioner], who string) (all []credential) {
	endless := map[string]bool{}
	for i := range p.Value.Qualification {
		q := &p.Value.Qualification[i]
		what := titled(&q.Code)
		if q.Period == nil || q.Period.End == nil {
			endless[what] = true
			continue
		}
		_, end, ok := f.when(q.Period.End)
		if !ok {
			continue
		}
		one := credential{name: what + " of " + who, about: what, end: end, of: p.Version}
		if j := slices.IndexFunc(all, func(c credential) bool { return c.about == what }); j < 0 {
			all = append(all, one)
		} else if end.After(all[j].end) {
			all[j] = one
		}
	}
	all = slices.DeleteFunc(all, func(c credential) bool { return endless[c.about] })
	for i := range all {
		all[i].about = p.String() + " " + all[i].about
	}
	return all
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
