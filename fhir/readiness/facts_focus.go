package readiness

import (
	"slices"

	"github.com/kaphub/kaphub/fhir"
)

// otherMedicine reports whether r is for another medicine or route than the one prescribed. What it leads to must be
// ketamine when that can be found out; a prescription that is not on file leaves a doubt (components notes it).
func (f *facts) otherMedicine(r record[fhir.Observation]) bool {
	for i := range r.Value.Focus {
		if f.focus(&r.Value.Focus[i], r) == no {
			return true
		}
	}
	return false
}

// focus reports whether what a decision is for is the ketamine prescribed here.
func (f *facts) focus(ref *fhir.Reference, r record[fhir.Observation]) answer {
	for i := range f.prescriptions {
		if p := &f.prescriptions[i]; points(ref, r.Source, p.Version, p.Value.Identifier) {
			if now := f.prescribed(); now != nil && !sameRoute(p.Value, now.Value) {
				return no
			}
			return p.ketamine
		}
	}
	if found := f.medication(medicine{source: r.Source, reference: ref, contained: r.Value.Contained}); found != nil {
		return f.ketamine(medicine{source: r.Source, party: r.Party, concept: found.Code})
	}
	id, identified := fhir.IDOf(ref.Identifier)
	if identified {
		drug := fhir.CodeableConcept{Coding: []fhir.Coding{{System: &id.System, Code: &id.Value}}}
		if is := f.ketamine(medicine{party: r.Party, concept: &drug}); is != cannotTell {
			return is
		}
	}
	switch to, _, ok := target(ref); {
	case ok && to.Type == "MedicationRequest" && here(f.chart.MedicationRequests, r.Source, to.ID):
		return no // on file, and not among the prescriptions of ketamine
	case !ok && ref.Reference == nil && identified && id.System != systemNDC && id.System != systemSNOMED:
		return yes // a number of the prescriber's own: its code says what it decides on
	}
	return cannotTell
}

// Where a number says which drug is meant.
const (
	systemNDC    = "http://hl7.org/fhir/sid/ndc"
	systemSNOMED = "http://snomed.info/sct"
)

// here reports whether source tells of the record called id, as list now stands.
func here[T any](list []fhir.Seen[T], source, id string) bool {
	return slices.ContainsFunc(list, func(s fhir.Seen[T]) bool {
		return s.Latest && !s.Gone && s.Source == source && s.ID == id
	})
}

// sameRoute reports whether two prescriptions go by the same route, as far as both say so in one code system.
func sameRoute(a, b *fhir.MedicationRequest) bool {
	routes := func(m *fhir.MedicationRequest) (codes []fhir.Coding) {
		for _, d := range m.DosageInstruction {
			if d.Route != nil {
				codes = append(codes, d.Route.Coding...)
			}
		}
		return codes
	}
	if a == b {
		return true
	}
	differ := false
	for _, x := range routes(a) {
		for _, y := range routes(b) {
			if text(x.System) == text(y.System) {
				if text(x.Code) == text(y.Code) {
					return true
				}
				differ = true
			}
		}
	}
	return !differ
}
