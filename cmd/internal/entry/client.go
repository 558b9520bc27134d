package entry

import (
	"slices"
	"strings"

	"github.com/kaphub/kaphub/fhir"
)

// Means reports whether a client may be meant by words: each part of one of their names, chosen or legal, in plain letters and
// in any order; or by an identifier, or a birth date as Clock.Date returns it.
func Means(p *fhir.Patient, words, born string) bool {
	words = strings.TrimSpace(words)
	if p.BirthDate != nil && born != "" && *p.BirthDate == born {
		return true
	}
	for _, id := range p.Identifier {
		if id.Value != nil && strings.EqualFold(*id.Value, words) {
			return true
		}
	}
	var parts []string
	for _, n := range p.Name {
		texts := slices.Clone(n.Given)
		for _, s := range []*string{n.Family, n.Text} {
			if s != nil {
				texts = append(texts, *s)
			}
		}
		for _, text := range texts {
			parts = append(parts, fhir.PlainName(text), strings.ToLower(text))
		}
	}
	list := strings.Fields(words)
	return len(list) > 0 && !slices.ContainsFunc(list, func(word string) bool {
		plain := fhir.PlainName(word)
		if plain == "" || strings.ContainsAny(word, "0123456789") { // letters alone would mean too many
			plain = strings.ToLower(word)
		}
		return !slices.ContainsFunc(parts, func(part string) bool { return strings.Contains(part, plain) })
	})
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
