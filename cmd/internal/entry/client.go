package entry

import (
	"slices"
	"strings"

	"github.com/kaphub/kaphub/fhir"
)

// Means reports whether a client may be meant by part of a name, an identifier, or a birth date as Clock.Date returns it.
func Means(p *fhir.Patient, word, born string) bool {
	word = strings.ToLower(strings.TrimSpace(word))
	if p.BirthDate != nil && born != "" && *p.BirthDate == born {
		return true
	}
	for _, id := range p.Identifier {
		if id.Value != nil && strings.EqualFold(*id.Value, word) {
			return true
		}
	}
	for _, n := range p.Name {
		parts := slices.Clone(n.Given)
		for _, s := range []*string{n.Family, n.Text} {
			if s != nil {
				parts = append(parts, *s)
			}
		}
		if word != "" && strings.Contains(strings.ToLower(strings.Join(parts, " ")), word) {
			return true
		}
	}
	return false
}

// Born returns the client's birth date as the practice has it, "" when it is not on file.
func Born(c fhir.Chart) string {
	for _, p := range fhir.Now(fhir.Of(fhir.Practice, c.Patients)) {
		if p.Value.BirthDate != nil {
			return *p.Value.BirthDate
		}
	}
	return ""
}
