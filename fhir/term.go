package fhir

// Reading is how certain the meaning of a coded value is.
type Reading int

const (
	Absent    Reading = iota // no coding at all
	Unmapped                 // codings, but none in the wanted system and no ConceptMap leads there
	Ambiguous                // two codings that mean different things
	Mapped                   // exactly one meaning
)

// Terms translates partners' codes into the hub's through FHIR ConceptMaps (fhir.md section 8). What has no mapping is
// Unmapped and never guessed. A nil *Terms translates nothing and still reads codes that are the hub's own.
type Terms struct{}

// Code reads what concept means in system: a coding of that system as it is, any other through party's ConceptMaps.
func (t *Terms) Code(party string, concept *CodeableConcept, system string) (string, Reading) {
	panic("to be written")
}
