package sandbox

import (
	"fmt"
	"time"

	"github.com/kaphub/kaphub/fhir"
)

// SystemMRN is the identifier system of the practice's own patient numbers, which the prescriber keeps too.
const SystemMRN = "https://reverie.example/mrn"

// The identifier systems of the two parties' own records.
const (
	systemReferral     = "https://reverie.example/referral"
	systemStaff        = "https://reverie.example/staff"
	systemFiller       = "https://skylight.example/referral"
	systemDecision     = "https://skylight.example/clearance"
	systemPrescription = "https://skylight.example/prescription"
	systemDispense     = "https://skylight.example/dispense"
	systemFulfilment   = "https://skylight.example/fulfilment"
	systemChart        = "https://skylight.example/chart"
)

// client is one invented person: who they are, and where their records stand at both parties.
type client struct {
	w      *World
	n      int
	mrn    string
	legal  string // given name on papers
	chosen string // the name they go by
	family string
	birth  string
	told   string // the birth date the prescriber wrote down
	wants  string
	why    string

	silent   bool          // the prescriber never answers for this client
	declined bool          // the prescriber will say no
	decision fhir.Code     // what the prescriber decides
	valid    time.Duration // for how long
	doses    int           // lozenges prescribed

	here, there fhir.Ref // the Patient at the practice and at the prescriber
	therapist   object
	release     fhir.Ref
	treatment   fhir.Ref
	referral    fhir.Ref // the ServiceRequest at the practice
	request     fhir.Ref // its copy at the prescriber
	task        fhir.Ref // the coordination Task
	evaluation  fhir.Ref
	clearance   fhir.Ref
	rx          fhir.Ref
	fulfilment  fhir.Ref
	dispense    fhir.Ref
	preparation fhir.Ref
	dosing      fhir.Ref
	begins      time.Time // the dosing session
	stop        fhir.Ref
}

// id returns a business identifier of this client's only record of a kind.
func (c *client) id(system, prefix string) fhir.ID {
	return fhir.ID{System: system, Value: fmt.Sprintf("%s-%d", prefix, c.n)}
}

// Given names that nobody can mistake for a real client's together with the family names below.
var given = []string{
	"Juniper", "Marlow", "Wren", "Clover", "Fennel", "Linden", "Sorrel", "Bramble", "Tansy", "Yarrow", "Aster", "Hazel",
	"Rowan", "Sage", "Cedar", "Poppy", "Ivy", "Briar", "Laurel", "Thistle", "Holly", "Willow", "Maple", "Basil", "Dahlia",
	"Indigo", "Lark", "Moss", "Ocean", "Pepper", "Quill", "Rue", "Sunny", "Teal", "Vesper", "Zephyr",
}

var families = []string{"Example", "Sample", "Testcase"}

// legalNames are on the papers of those who go by another name.
var legalNames = map[string]string{"Juniper": "Placeholder", "Wren": "Formality"}

// person invents the next client.
func (w *World) person() *client {
	n := len(w.clients)
	c := &client{
		w: w, n: 1001 + n, mrn: fmt.Sprintf("RV-%d", 1001+n),
		chosen: given[n%len(given)], family: families[(n+n/len(given))%len(families)],
		birth: fmt.Sprintf("%d-%02d-%02d", 1958+w.random.IntN(45), 1+w.random.IntN(12), 1+w.random.IntN(28)),
		valid: 90 * day, doses: 6, decision: fhir.Code{System: fhir.SystemDecision, Code: fhir.DecisionCleared},
		therapist: therapists[n%len(therapists)],
	}
	if round := n / len(given); round > 0 {
		c.chosen = fmt.Sprintf("%s %s", c.chosen, roman(round+1))
	}
	c.legal, c.told = c.chosen, c.birth
	if legal, ok := legalNames[c.chosen]; ok {
		c.legal = legal
	}
	w.clients = append(w.clients, c)
	return c
}

// roman numbers the clients who share a given name, so that no two names on a board are the same.
func roman(n int) string {
	var s string
	for _, r := range []struct {
		n int
		s string
	}{{1000, "M"}, {900, "CM"}, {500, "D"}, {400, "CD"}, {100, "C"}, {90, "XC"}, {50, "L"}, {40, "XL"}, {10, "X"}, {9, "IX"}, {5, "V"}, {4, "IV"}, {1, "I"}} {
		for ; n >= r.n; n -= r.n {
			s += r.s
		}
	}
	return s
}

// patient is the client's Patient as a party with this birth date on file writes it.
func (c *client) patient(birth string, own ...object) object {
	names := list(object{"use": "official", "family": c.family, "given": []string{c.legal}})
	if c.legal != c.chosen {
		names = append(names, object{"use": "usual", "family": c.family, "given": []string{c.chosen}})
	}
	return object{
		"resourceType": "Patient",
		"identifier":   append(list(typed("MR", fhir.ID{System: SystemMRN, Value: c.mrn})), own...),
		"active":       true,
		"name":         names,
		"telecom":      list(object{"system": "phone", "value": fmt.Sprintf("303-555-%04d", 100+c.n%100), "use": "mobile"}),
		"birthDate":    birth,
		"address":      list(object{"use": "home", "line": []string{fmt.Sprintf("%d Sample Street", c.n)}, "city": "Denver", "state": "CO", "postalCode": "80299", "country": "US"}),
	}
}
