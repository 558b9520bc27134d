package readiness

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/kaphub/kaphub/fhir"
)

// caring is how long after a session its therapist is still one of the client's.
const caring = 90

// therapists are those whom the practice's sessions with the client name: booked, held or lately over; and those whom its
// Patient names for as long as it does; each once.
func (f *facts) therapists() []fhir.Therapist {
	var all []fhir.Therapist
	add := func(t fhir.Therapist) {
		if !slices.ContainsFunc(all, func(x fhir.Therapist) bool { return x.Name == t.Name && slices.Equal(x.IDs, t.IDs) }) {
			all = append(all, t)
		}
	}
	for i := range f.clients {
		for _, t := range f.assigned(f.clients[i].Version) {
			add(t)
		}
	}
	for _, list := range [][]session{f.dosing, f.preparations, f.integrations} {
		for i := range list {
			s := &list[i]
			if !s.standing() && !s.done() || f.owns(s) == no || f.clock.passed(shift(s.end, caring*24*time.Hour, f.zone)) {
				continue
			}
			for _, t := range f.treating(s) {
				add(t)
			}
		}
	}
	slices.SortFunc(all, func(a, b fhir.Therapist) int { return strings.Compare(a.Shown(), b.Shown()) })
	return all
}

// assigned are the therapists whom v, a Patient of the practice, names: a roster says so before any session is booked. One who
// is only perhaps the client makes nobody theirs.
func (f *facts) assigned(v *fhir.Version) (all []fhir.Therapist) {
	if slices.ContainsFunc(f.chart.Links, func(l fhir.Link) bool {
		return l.How == fhir.Candidate && l.Source == v.Source && l.Patient == v.Resource.ID
	}) {
		return nil
	}
	var p struct {
		Extension []struct {
			URL   string          `json:"url"`
			Value *fhir.Reference `json:"valueReference"`
		} `json:"extension"`
	}
	if json.Unmarshal(v.Resource.Body, &p) != nil {
		return nil
	}
	for _, e := range p.Extension {
		if e.URL != fhir.ExtensionTherapist {
			continue
		}
		if t, ok := f.therapistIn(v, e.Value); ok {
			all = append(all, t)
		}
	}
	return all
}

// treating are the therapists whom a session names.
func (f *facts) treating(s *session) (all []fhir.Therapist) {
	for i := range s.Value.Participant {
		if t, ok := f.therapistIn(s.Version, s.Value.Participant[i].Actor); ok {
			all = append(all, t)
		}
	}
	return all
}

// therapistIn is whom actor, written in v, names as a therapist; false when it names none.
//
//	name    as v shows them, else as their own record does, else as any record shows whoever has one of their numbers
//	numbers those of v and of their own record; where there is neither name nor number, where their own record lies
//
// A number that two names have is nobody's, and gives no name.
func (f *facts) therapistIn(v *fhir.Version, actor *fhir.Reference) (t fhir.Therapist, ok bool) {
	if !therapist(actor) {
		return t, false
	}
	t.Name = text(actor.Display)
	if id, ok := fhir.IDOf(actor.Identifier); ok {
		t.IDs = append(t.IDs, id)
	}
	if to, _, ok := target(actor); ok {
		f.onRecord(&t, fhir.Key{Source: v.Source, Type: to.Type, ID: to.ID})
		if t.Name == "" && len(t.IDs) == 0 {
			t.IDs = []fhir.ID{{System: fhir.Base + "/source/" + v.Source, Value: to.String()}}
		}
	} else {
		t.IDs = append(t.IDs, fhir.ContainedIdentifiers(v.Resource, text(actor.Reference))...)
	}
	slices.SortFunc(t.IDs, func(a, b fhir.ID) int { return strings.Compare(a.System+"|"+a.Value, b.System+"|"+b.Value) })
	t.IDs = slices.Compact(t.IDs)
	if t.Name == "" {
		t.Name = f.nameOf(t.IDs)
	}
	return t, t.Name != "" || len(t.IDs) > 0
}

// onRecord adds what somebody's own record tells; a role's is that of who has it.
func (f *facts) onRecord(t *fhir.Therapist, key fhir.Key) {
	if role := entry(f.chart.PractitionerRoles, key); role != nil {
		if t.Name == "" && role.Practitioner != nil {
			t.Name = text(role.Practitioner.Display)
		}
		if role.Practitioner != nil {
			if id, ok := fhir.IDOf(role.Practitioner.Identifier); ok {
				t.IDs = append(t.IDs, id)
			}
		}
		to, _, ok := target(role.Practitioner)
		if !ok {
			return
		}
		key.Type, key.ID = to.Type, to.ID
	}
	if p := entry(f.chart.Practitioners, key); p != nil {
		t.IDs = identified(t.IDs, p.Identifier)
		if t.Name == "" {
			t.Name = fhir.PersonName(p)
		}
	}
}

// nameOf is the one name that the practice's records show of whoever has one of these numbers; "" when they show none, or several.
func (f *facts) nameOf(ids []fhir.ID) string {
	if len(ids) == 0 {
		return ""
	}
	var found []string
	see := func(name string, of ...fhir.ID) {
		same := func(x string) bool { return strings.EqualFold(x, name) }
		if name != "" && slices.ContainsFunc(of, func(id fhir.ID) bool { return slices.Contains(ids, id) }) && !slices.ContainsFunc(found, same) {
			found = append(found, name)
		}
	}
	seeRef := func(ref *fhir.Reference) {
		if ref == nil {
			return
		}
		if id, ok := fhir.IDOf(ref.Identifier); ok {
			see(text(ref.Display), id)
		}
	}
	for _, p := range fhir.Now(fhir.Of(fhir.Practice, f.chart.Practitioners)) {
		see(fhir.PersonName(p.Value), identified(nil, p.Value.Identifier)...)
	}
	for _, r := range fhir.Now(fhir.Of(fhir.Practice, f.chart.ServiceRequests)) { // a roster names who refers
		seeRef(r.Value.Requester)
	}
	for _, a := range fhir.Now(fhir.Of(fhir.Practice, f.chart.Appointments)) {
		for i := range a.Value.Participant {
			if actor := a.Value.Participant[i].Actor; therapist(actor) {
				seeRef(actor)
			}
		}
	}
	if len(found) != 1 {
		return ""
	}
	return found[0]
}

// therapist reports whether actor is a person who treats.
func therapist(actor *fhir.Reference) bool {
	if actor == nil {
		return false
	}
	kind := text(actor.Type)
	if to, _, ok := target(actor); ok {
		kind = to.Type
	}
	return kind == "Practitioner" || kind == "PractitionerRole"
}

// Named is somebody whom a session names as its therapist: as they are known, and as it refers to them.
type Named struct {
	fhir.Therapist
	Ref *fhir.Reference
}

// TherapistsOf returns those whom the session v of a chart names as its therapists, in its order; nil when it names nobody.
// Whom it names in a way that nobody can read has neither name nor number.
func TherapistsOf(chart fhir.Chart, policy Policy, v *fhir.Version) (all []Named) {
	a, err := fhir.Read[fhir.Appointment](v.Resource)
	if err != nil {
		return nil
	}
	f := &facts{chart: &chart, policy: &policy}
	for i := range a.Participant {
		actor := a.Participant[i].Actor
		if !therapist(actor) {
			continue
		}
		t, _ := f.therapistIn(v, actor)
		all = append(all, Named{t, actor})
	}
	return all
}
