package store

import table "github.com/kaphub/kaphub/fhir/store/db"

func linksOfOne(src Source, patient string) table.LinksOfParams {
	return table.LinksOfParams{Patients: set(map[string]bool{patient: true}), Source: src.Name}
}

func digestsOf(src Source, patient string) table.DigestsOfParams {
	return table.DigestsOfParams{Source: src.Name, Patient: patient}
}

var everyVerdict = table.VerdictsFromParams{Lim: 1000}
