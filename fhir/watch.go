package fhir

import (
	"encoding/json"
	"slices"
	"strings"
)

// Watched is one row of the practice's watch list: a code that, recorded after the decision that clears a client, is for
// the prescriber to know. The hub says no more of it than that (rules.md, R14).
type Watched struct {
	Code
	Words    string
	Severity string   // S1 or S2
	In       []string // Condition, MedicationStatement, Observation, Encounter
	Unless   []Code   // answers of an Observation that say nothing new, such as "not pregnant"
}

// WatchList is what is watched for. Of conditions and of what else a client takes, nothing but what is on it is kept.
type WatchList []Watched

// Watchable are the types that a row may look for.
func Watchable() []string {
	return []string{"Condition", "MedicationStatement", "Observation", "Encounter"}
}

// Codes returns the codes that are looked for in records of typ.
func (w WatchList) Codes(typ string) (codes []Code) {
	for i := range w {
		if slices.Contains(w[i].In, typ) && !slices.Contains(codes, w[i].Code) {
			codes = append(codes, w[i].Code)
		}
	}
	return codes
}

// Row returns the first row for a record of typ that party told and that one of concepts, read through its code maps, names.
func (w WatchList) Row(terms *Terms, party, typ string, concepts ...*CodeableConcept) (*Watched, bool) {
	for i := range w {
		row := &w[i]
		if !slices.Contains(row.In, typ) {
			continue
		}
		for _, c := range concepts {
			if row.named(terms, party, c) {
				return row, true
			}
		}
	}
	return nil, false
}

// named reports whether concept has the row's code, or one that party's maps lead to it.
func (r *Watched) named(terms *Terms, party string, concept *CodeableConcept) bool {
	if concept == nil {
		return false
	}
	if holds(concept, r.Code) {
		return true
	}
	code, reading := terms.Code(party, concept, r.System)
	return reading == Mapped && code == r.Code.Code
}

// Answers reports whether an answer to the row's Observation says something: any but those that say nothing new. Two that
// contradict each other say something.
func (r *Watched) Answers(terms *Terms, party string, answer *CodeableConcept) bool {
	if answer == nil || len(answer.Coding) == 0 {
		return true
	}
	return slices.ContainsFunc(answer.Coding, func(c Coding) bool {
		one := CodeableConcept{Coding: []Coding{c}}
		return !slices.ContainsFunc(r.Unless, func(no Code) bool {
			code, reading := terms.Code(party, &one, no.System)
			return reading == Mapped && code == no.Code
		})
	})
}

// glimpse is what of a record tells whether it is kept: its codes, and nothing else.
type glimpse struct {
	Code                      *CodeableConcept  `json:"code"`
	MedicationCodeableConcept *CodeableConcept  `json:"medicationCodeableConcept"`
	MedicationReference       *Reference        `json:"medicationReference"`
	Contained                 []json.RawMessage `json:"contained"`
	Category                  []CodeableConcept `json:"category"`
	Target                    []struct {
		Measure *CodeableConcept `json:"measure"`
	} `json:"target"`
}

// Keeps reports whether the hub keeps a record of typ that party told, by its codes alone; of what it does not keep nothing
// else is looked at.
//
//	Condition                        a code of it is on the watch list
//	MedicationStatement              a code of it, or of the Medication inside it or that one's ingredients, is
//	Goal                             the prescriber's, with a target of blood pressure or heart rate, or of the category
//	                                 clearance-item|condition
//	any other type                   yes
//
// What is broken so that its codes cannot be read is kept: it may be any of these.
func (g Recogniser) Keeps(party, typ string, body []byte) bool {
	switch typ {
	case "Condition", "MedicationStatement", "Goal":
	default:
		return true
	}
	if typ == "Goal" && party == Practice || typ != "Goal" && len(g.Watch.Codes(typ)) == 0 {
		return false
	}
	var seen glimpse
	if err := json.Unmarshal(body, &seen); err != nil {
		return true
	}
	if typ != "Goal" {
		concepts := []*CodeableConcept{seen.Code}
		if typ == "MedicationStatement" {
			concepts = medicines(seen.MedicationCodeableConcept, seen.MedicationReference, seen.Contained)
		}
		_, ok := g.Watch.Row(g.Terms, party, typ, concepts...)
		return ok
	}
	for _, t := range seen.Target {
		switch code, _ := g.Terms.Code(party, t.Measure, SystemLOINC); code {
		case LOINCSystolic, LOINCDiastolic, LOINCHeartRate:
			return true
		}
	}
	return slices.ContainsFunc(seen.Category, func(c CodeableConcept) bool {
		code, reading := g.Terms.Code(party, &c, SystemClearanceItem)
		return reading == Mapped && code == ItemCondition
	})
}

// Medicines returns what m is of, by codes: its own, else those of the Medication that it contains, the product's and its
// ingredients'. A Medication elsewhere is not looked up: m would have to be kept before anybody knows whether it may be.
func (m *MedicationStatement) Medicines() []*CodeableConcept {
	return medicines(m.MedicationCodeableConcept, m.MedicationReference, m.Contained)
}

func medicines(own *CodeableConcept, ref *Reference, contained []json.RawMessage) []*CodeableConcept {
	if own != nil || ref == nil || ref.Reference == nil {
		return []*CodeableConcept{own}
	}
	id, inside := strings.CutPrefix(*ref.Reference, "#")
	for _, raw := range contained {
		var m struct {
			ID         string           `json:"id"`
			Code       *CodeableConcept `json:"code"`
			Ingredient []struct {
				Item *CodeableConcept `json:"itemCodeableConcept"`
			} `json:"ingredient"`
		}
		if !inside || json.Unmarshal(raw, &m) != nil || m.ID != id {
			continue
		}
		all := []*CodeableConcept{m.Code}
		for _, i := range m.Ingredient {
			all = append(all, i.Item)
		}
		return all
	}
	return nil
}
