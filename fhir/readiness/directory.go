package readiness

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/kaphub/kaphub/fhir"
)

// answer to a question the records may leave open.
type answer int8

const (
	cannotTell answer = iota
	no
	yes
)

// names reports whether ref, written in v, names party by one of its identifiers: on the reference itself, or on the
// organization or role it leads to.
func (f *facts) names(ref *fhir.Reference, v *fhir.Version, party *Party) bool {
	return slices.ContainsFunc(f.meant(ref, v), func(id fhir.ID) bool {
		return slices.Contains(party.Identifiers, id)
	})
}

// meant returns the business identifiers of whoever ref, written in v, means, there or in what v contains.
func (f *facts) meant(ref *fhir.Reference, v *fhir.Version) []fhir.ID {
	return append(f.identities(ref, v.Source, 2), fhir.ContainedIdentifiers(v.Resource, text(ref.Reference))...)
}

// identities returns the business identifiers of whoever ref, written by source, means, following a role to its
// practitioner and organization at most depth steps. Nobody is identified by a display.
func (f *facts) identities(ref *fhir.Reference, source string, depth int) []fhir.ID {
	if ref == nil {
		return nil
	}
	var ids []fhir.ID
	if id, ok := fhir.IDOf(ref.Identifier); ok {
		ids = append(ids, id)
	}
	to, _, ok := target(ref)
	if !ok || depth == 0 {
		return ids
	}
	key := fhir.Key{Source: source, Type: to.Type, ID: to.ID}
	switch to.Type {
	case "Organization":
		if o := entry(f.chart.Organizations, key); o != nil {
			ids = identified(ids, o.Identifier)
		}
	case "Practitioner":
		if p := entry(f.chart.Practitioners, key); p != nil {
			ids = identified(ids, p.Identifier)
		}
	case "PractitionerRole":
		if r := entry(f.chart.PractitionerRoles, key); r != nil {
			ids = identified(ids, r.Identifier)
			ids = append(ids, f.identities(r.Practitioner, source, depth-1)...)
			ids = append(ids, f.identities(r.Organization, source, depth-1)...)
		}
	}
	return ids
}

// entry returns the directory entry under key as it now stands, nil when it is not at hand.
func entry[T any](list []fhir.Seen[T], key fhir.Key) *T {
	for i := range list {
		if s := &list[i]; s.Latest && !s.Gone && s.Key == key {
			return s.Value
		}
	}
	return nil
}

func identified(ids []fhir.ID, own []fhir.Identifier) []fhir.ID {
	for i := range own {
		if id, ok := fhir.IDOf(&own[i]); ok {
			ids = append(ids, id)
		}
	}
	return ids
}

// decider reports whether any of the references names somebody who may decide on clearance; cannotTell when nobody that
// they name can be identified.
func (f *facts) decider(refs []fhir.Reference, v *fhir.Version) answer {
	found := cannotTell
	for i := range refs {
		for _, id := range f.meant(&refs[i], v) {
			if slices.Contains(f.policy.Sheet.Deciders, id) {
				return yes
			}
			found = no
		}
	}
	return found
}

// medicine is what a record says of the drug it is about.
type medicine struct {
	source, party string
	concept       *fhir.CodeableConcept
	reference     *fhir.Reference
	contained     []json.RawMessage
}

// ketamine reports whether m is ketamine: by ingredient, by one of the prescriber's codes, or by the Medication it leads
// to. What merely mentions the word is not guessed at.
func (f *facts) ketamine(m medicine) answer {
	concept := m.concept
	if concept == nil || len(concept.Coding) == 0 && concept.Text == nil {
		concept = nil
		if found := f.medication(m); found != nil {
			concept = found.Code
		}
	}
	if concept == nil {
		return cannotTell
	}
	for _, c := range concept.Coding {
		if c.System == nil || c.Code == nil {
			continue
		}
		if own := (fhir.Code{System: *c.System, Code: *c.Code}); own == (fhir.Code{System: fhir.SystemRxNorm, Code: fhir.RxNormKetamine}) || slices.Contains(f.policy.Ketamine, own) {
			return yes
		}
	}
	code, reading := f.policy.Terms.Code(m.party, concept, fhir.SystemRxNorm)
	switch {
	case reading == fhir.Mapped && code == fhir.RxNormKetamine:
		return yes
	case reading != fhir.Mapped, mentions(concept, "ketamine"):
		return cannotTell
	}
	return no
}

// medication returns the Medication that m leads to, contained or of the same source.
func (f *facts) medication(m medicine) *fhir.Medication {
	if m.reference == nil || m.reference.Reference == nil {
		return nil
	}
	if id, inside := strings.CutPrefix(*m.reference.Reference, "#"); inside {
		for _, raw := range m.contained {
			var found fhir.Medication
			if json.Unmarshal(raw, &found) == nil && text(found.Id) == id {
				return &found
			}
		}
		return nil
	}
	to, _, ok := target(m.reference)
	if !ok {
		return nil
	}
	return entry(f.chart.Medications, fhir.Key{Source: m.source, Type: to.Type, ID: to.ID})
}

// mentions reports whether the words of concept hold word.
func mentions(concept *fhir.CodeableConcept, word string) bool {
	if strings.Contains(strings.ToLower(text(concept.Text)), word) {
		return true
	}
	return slices.ContainsFunc(concept.Coding, func(c fhir.Coding) bool {
		return strings.Contains(strings.ToLower(text(c.Display)), word)
	})
}

// code reads concept in system as party means it; "" when it has no single meaning there.
func (f *facts) code(party string, concept *fhir.CodeableConcept, system string) string {
	code, reading := f.policy.Terms.Code(party, concept, system)
	if reading != fhir.Mapped {
		return ""
	}
	return code
}
