package fhir

import (
	"encoding/json"
	"slices"
	"strings"
)

// The kinds of evidence for two records being one person's.
const (
	EvidenceIdentifier = "identifier" // a business identifier
	EvidenceBirth      = "birth date"
	EvidenceFamily     = "family name" // of any use: legal, chosen, old
	EvidenceGiven      = "given name"  // of any use
	EvidencePhone      = "phone"
	EvidenceMail       = "e-mail"
)

// How one kind of evidence stands between two records.
const (
	Agrees  = "agrees"
	Alike   = "sounds alike" // family names, or part of one
	Differs = "differs"
	Missing = "not on file" // on one side at least
)

// Evidence is how one kind of evidence stands between two records. It holds nobody's values.
type Evidence struct {
	Kind string `json:"kind"`
	Says string `json:"says"`
}

// What evidence counts for. The birth date must agree, or a business identifier be shared; else nothing counts.
//
//	a business identifier   5        given name    2
//	family name             3        phone         2
//	family name, by sound   2        e-mail        2
//
// What differs takes nothing away: a chosen name is nobody's mistake, and a number changes.
var weights = map[Evidence]int{
	{EvidenceIdentifier, Agrees}: 5,
	{EvidenceFamily, Agrees}:     3,
	{EvidenceFamily, Alike}:      2,
	{EvidenceGiven, Agrees}:      2,
	{EvidencePhone, Agrees}:      2,
	{EvidenceMail, Agrees}:       2,
}

// From which weight on two records are proposed to a person as one client's, and from which on that is likely.
//
//	birth date and …                                      weight   it is
//	nothing, or one of given name, phone, e-mail, sound   0–2      nothing
//	the family name; or two of the others                 3–4      proposed
//	the family name and one more; or three                5 –      likely
const (
	WeightProposed = 3
	WeightLikely   = 5
)

// Weight adds up what evidence counts for.
func Weight(evidence []Evidence) (sum int) {
	if !slices.Contains(evidence, Evidence{EvidenceBirth, Agrees}) && !slices.Contains(evidence, Evidence{EvidenceIdentifier, Agrees}) {
		return 0
	}
	for _, e := range evidence {
		sum += weights[e]
	}
	return sum
}

// Likely reports whether l is a candidate whose evidence makes it likely. One whose evidence was not kept is likely.
func (l Link) Likely() bool {
	return l.How == Candidate && (len(l.Evidence) == 0 || Weight(l.Evidence) >= WeightLikely)
}

// Traits are what a Patient tells of who they are, in a form in which the same is written the same. Every name counts,
// whatever its use: a legal, a chosen and an old name are all theirs.
type Traits struct {
	Birth  string   // a whole date, else ""
	Family []string // PlainName
	Sound  []string // how they and the parts of compound ones sound
	Given  []string // PlainName
	Phone  []string // digits with the country's code, but for North America's 1
	Mail   []string // in lower case
}

// TraitsOf reads the traits of a Patient; what cannot be read is not among them.
func TraitsOf(r Resource) (t Traits) {
	var p struct {
		BirthDate string `json:"birthDate"`
		Name      []struct {
			Text   string   `json:"text"`
			Family string   `json:"family"`
			Given  []string `json:"given"`
		} `json:"name"`
		Telecom []struct {
			System string `json:"system"`
			Value  string `json:"value"`
		} `json:"telecom"`
	}
	_ = json.Unmarshal(r.Body, &p) // what one element says wrongly does not silence the others
	if len(p.BirthDate) == len("2006-01-02") {
		t.Birth = p.BirthDate
	}
	for _, n := range p.Name {
		family, given := n.Family, strings.Fields(strings.Join(n.Given, " "))
		if words := strings.Fields(n.Text); family == "" && len(given) == 0 && len(words) > 1 {
			family, given = words[len(words)-1], words[:len(words)-1]
		}
		note(&t.Family, PlainName(family))
		for _, part := range append(strings.FieldsFunc(family, func(r rune) bool { return r == '-' || r == ' ' }), family) {
			if part = PlainName(part); len(part) > 2 {
				note(&t.Sound, soundOf(part))
			}
		}
		for _, g := range given {
			note(&t.Given, PlainName(g))
		}
	}
	for _, c := range p.Telecom {
		switch c.System {
		case "phone", "sms":
			note(&t.Phone, plainNumber(c.Value))
		case "email":
			if strings.Contains(c.Value, "@") {
				note(&t.Mail, strings.ToLower(strings.TrimSpace(c.Value)))
			}
		}
	}
	return t
}

func note(list *[]string, s string) {
	if s != "" && !slices.Contains(*list, s) {
		*list = append(*list, s)
	}
}

// plainNumber returns the digits by which a phone is reached from abroad, without North America's 1; "" when there are
// too few for a phone. Extensions are left out.
func plainNumber(s string) string {
	s = strings.ToLower(s)
	if i := strings.IndexAny(s, "x;#"); i > 0 {
		s = s[:i]
	}
	s, _, _ = strings.Cut(s, "ext")
	var digits strings.Builder
	for _, r := range s {
		if '0' <= r && r <= '9' {
			digits.WriteRune(r)
		}
	}
	n := strings.TrimPrefix(digits.String(), "00")
	if len(n) == 11 {
		n = strings.TrimPrefix(n, "1")
	}
	if len(n) < 7 {
		return ""
	}
	return n
}
