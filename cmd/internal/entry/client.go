package entry

import (
	"cmp"
	"regexp"
	"slices"
	"strings"

	"github.com/kaphub/kaphub/fhir"
)

// Bearer is a client as somebody may look for them: by what the practice's records know of them, all of it together.
type Bearer struct {
	Key  string
	Born string // "" = not on file

	parts, spelled []string // of every name, chosen and legal: in plain letters; as written, in small ones
	given, family  []string // in plain letters
	ids            []string
}

// With takes in what one Patient says.
func (b Bearer) With(p *fhir.Patient) Bearer {
	if p.BirthDate != nil {
		b.Born = cmp.Or(b.Born, *p.BirthDate)
	}
	for _, name := range p.Name {
		texts := slices.Clone(name.Given)
		for _, s := range []*string{name.Family, name.Text} {
			if s != nil {
				texts = append(texts, *s)
			}
		}
		b.parts = append(b.parts, plainParts(texts...)...)
		for _, text := range texts {
			b.spelled = append(b.spelled, strings.Fields(strings.ToLower(text))...)
		}
		b.given = append(b.given, plainParts(name.Given...)...)
		if name.Family != nil {
			b.family = append(b.family, plainParts(*name.Family)...)
		}
	}
	for _, id := range p.Identifier {
		if id.Value != nil {
			b.ids = append(b.ids, strings.ToLower(strings.TrimSpace(*id.Value)))
		}
	}
	return b
}

func plainParts(texts ...string) (parts []string) {
	for _, text := range texts {
		for _, word := range strings.Fields(text) {
			if p := fhir.PlainName(word); p != "" {
				parts = append(parts, p)
			}
		}
	}
	return parts
}

// Sought is what somebody looks for.
type Sought struct {
	clock Clock
	whole string // all that was written
	born  string // a whole birth date; "" = it is none
	words []string
}

// Sought reads what somebody looks for.
func (c Clock) Sought(words string) Sought {
	s := Sought{clock: c, whole: strings.ToLower(strings.TrimSpace(words)), words: strings.Fields(strings.ToLower(words))}
	s.born = s.date(words)
	return s
}

// date is a whole birth date, "" for what is none.
func (s Sought) date(word string) string {
	if !strings.ContainsAny(word, "0123456789") {
		return ""
	}
	day, err := s.clock.Date(word)
	if err != nil {
		return ""
	}
	return day
}

var ofDate = regexp.MustCompile(`^[12][0-9]{3}(-[01]?[0-9]?(-[0-3]?[0-9]?)?)?$`)

// Means reports whether a client may be meant: by a birth date, an identifier, or by words of which each is part of a name, in
// plain letters and in any order, the beginning of the hub's key or of the birth date, or an identifier. Nothing means everybody.
func (s Sought) Means(b Bearer) bool {
	if s.born != "" && s.born == b.Born || slices.Contains(b.ids, s.whole) {
		return true
	}
	return !slices.ContainsFunc(s.words, func(word string) bool {
		plain := fhir.PlainName(word)
		if strings.ContainsAny(word, "0123456789") {
			plain = "" // letters alone would mean too many
		}
		switch {
		case plain != "" && slices.ContainsFunc(b.parts, func(part string) bool { return strings.Contains(part, plain) }):
		case slices.ContainsFunc(b.spelled, func(part string) bool { return strings.Contains(part, word) }):
		case len(word) > len("c-") && strings.HasPrefix(b.Key, word):
		case ofDate.MatchString(word) && b.Born != "" && strings.HasPrefix(b.Born, word):
		case slices.Contains(b.ids, word):
		default:
			return true
		}
		return false
	})
}

// Surely reports whether a client is matched outright, not only alike: by the whole key, birth date or identifier, or by words of
// which each is that or a whole part of a name, spelled as it is on file. Two may be: whoever opens one looks that there is no other.
func (s Sought) Surely(b Bearer) bool {
	if s.born != "" && s.born == b.Born || slices.Contains(b.ids, s.whole) {
		return true
	}
	return len(s.words) > 0 && !slices.ContainsFunc(s.words, func(word string) bool {
		return word != b.Key && !slices.Contains(b.spelled, word) && !slices.Contains(b.ids, word) && (b.Born == "" || s.date(word) != b.Born)
	})
}

// Fully reports whether a client is named by all that they are known by and by nothing else: the full name and the birth date, or
// the key.
func (s Sought) Fully(b Bearer) bool {
	if s.whole == b.Key {
		return b.Key != ""
	}
	for from := range s.words {
		for to := from + 1; to <= min(from+3, len(s.words)); to++ {
			if born := s.date(strings.Join(s.words[from:to], " ")); born == "" || born != b.Born {
				continue
			}
			name := plainParts(slices.Concat(s.words[:from], s.words[to:])...)
			known := !slices.ContainsFunc(name, func(word string) bool { return !slices.Contains(b.given, word) && !slices.Contains(b.family, word) })
			whole := len(b.family) > 0 && !slices.ContainsFunc(b.family, func(part string) bool { return !slices.Contains(name, part) })
			if known && whole && slices.ContainsFunc(name, func(word string) bool { return slices.Contains(b.given, word) }) {
				return true
			}
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
