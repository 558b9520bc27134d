package fhir

import (
	"encoding/json"
	"regexp"
	"strings"
)

// Therapist is somebody who treats, as the practice's records know them: by a name, by numbers, or by both.
type Therapist struct {
	Name string `json:"name,omitempty"` // as shown; "" where no record shows one
	IDs  []ID   `json:"identifiers,omitempty"`
}

// Shown is how they are called on a screen: by name, else by the first of their numbers.
func (t Therapist) Shown() string {
	if t.Name != "" || len(t.IDs) == 0 {
		return t.Name
	}
	return t.IDs[0].Shown()
}

// PersonName is a clinician's name as their record shows it: as one text, else given and family name.
func PersonName(p *Practitioner) string {
	for _, n := range p.Name {
		parts := n.Given
		if n.Family != nil {
			parts = append(parts[:len(parts):len(parts)], *n.Family)
		}
		if n.Text != nil {
			parts = []string{*n.Text}
		}
		if name := strings.Join(strings.Fields(strings.Join(parts, " ")), " "); name != "" {
			return name
		}
	}
	return ""
}

// UnmarshalJSON reads a therapist; a name alone is one, as verdicts of old have them.
func (t *Therapist) UnmarshalJSON(b []byte) error {
	if len(b) > 0 && b[0] == '"' {
		*t = Therapist{}
		return json.Unmarshal(b, &t.Name)
	}
	type plain Therapist
	return json.Unmarshal(b, (*plain)(t))
}

// Shown is an identifier on a screen: "NPI 1234567893", else its value.
func (id ID) Shown() string {
	if id.System == SystemNPI {
		return "NPI " + id.Value
	}
	return id.Value
}

var npi = regexp.MustCompile(`^[0-9]{10}$`)

// IsNPI reports whether a text can be an NPI: ten digits, the last of which proves the others (Luhn, over the prefix 80840).
func IsNPI(text string) bool {
	if !npi.MatchString(text) {
		return false
	}
	sum := 24 // of the prefix
	for i, c := range text {
		n := int(c - '0')
		if i%2 == 0 {
			if n *= 2; n > 9 {
				n -= 9
			}
		}
		sum += n
	}
	return sum%10 == 0
}

// ParseID reads an identifier as people write it: ten digits are an NPI, anything else needs its system, like
// https://ehr.example/staff|17. ok is false when it is neither.
func ParseID(word string) (id ID, ok bool) {
	word = strings.TrimSpace(word)
	if npi.MatchString(word) {
		return ID{SystemNPI, word}, true
	}
	system, value, found := strings.Cut(word, "|")
	return ID{system, value}, found && system != "" && value != "" && !strings.ContainsAny(word, " \t\r\n") && len(word) <= 300
}

// Token writes an identifier as ParseID reads it.
func (id ID) Token() string {
	if id.System == SystemNPI && npi.MatchString(id.Value) {
		return id.Value
	}
	return id.System + "|" + id.Value
}
