package desk

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/exchange"
)

// Decision is what the prescriber decided on clearance.
type Decision struct {
	Outcome    string // a code of fhir.SystemDecision
	Decider    Person
	ValidTo    string // a date, "" for none given
	Retyped    bool   // alone: the end was typed twice
	Conditions []string
	ByReading  bool // a condition is that the readings stay below the limits
	Limits     []Limit
	Spacing    Spacing

	InPerson bool // they saw the client in person for it

	Directions string        // others than those on file, word for word; "" = they stay as they are
	Rx         *fhir.Version // the prescription in force, whose directions change
}

// Person is one who decides.
type Person struct {
	Name string
	ID   fhir.ID
}

// Limit is an upper limit of a reading.
type Limit struct {
	Of    string // systolic, diastolic, heart-rate
	Value float64
	Below bool // the limit itself is beyond
}

// Outcomes are the decisions that can be entered.
var Outcomes = []string{fhir.DecisionCleared, fhir.DecisionConditions, fhir.DecisionDeferred, fhir.DecisionNotCleared, fhir.DecisionWithdrawn}

// Clears reports whether an outcome clears: only such a decision needs a second person.
func Clears(outcome string) bool {
	return outcome == fhir.DecisionCleared || outcome == fhir.DecisionConditions
}

// Decide makes the clearance Observation: the prescriber's fact. Directions that change with it are prescribed, and not
// yet acknowledged.
func (b Book) Decide(n Note, p Decision) ([]exchange.Slip, error) {
	if err := n.check(); err != nil {
		return nil, err
	}
	conditions := len(p.Conditions)
	if p.ByReading {
		conditions++
	}
	switch {
	case !slices.Contains(Outcomes, p.Outcome):
		return nil, errors.New("the outcome is none that the hub knows: cleared, cleared-with-conditions, deferred, not-cleared or withdrawn")
	case p.Decider.ID == (fhir.ID{}):
		return nil, fmt.Errorf("who decided %w", errMissing)
	case p.Outcome == fhir.DecisionConditions && conditions == 0:
		return nil, in("condition", errors.New("it clears with conditions and names none: write them, or ask which they are"))
	case p.Outcome == fhir.DecisionCleared && conditions > 0:
		return nil, in("outcome", errors.New("it names conditions: then the outcome is cleared-with-conditions"))
	case p.Directions != "" && p.Rx == nil:
		return nil, in("directions", errors.New("directions change, and no prescription is on file: enter them with the label check"))
	case p.ValidTo != "" && p.ValidTo < b.day(n.told()):
		return nil, in("valid-to", errors.New("it ends before it was decided: look at the dates again"))
	}
	d := b.draft(n, b.Prescriber, KindDecision)
	o := object{
		"status": "final", "code": concept(fhir.SystemKAP, fhir.CodeClearance), "subject": d.patient(),
		"focus":     []object{{"identifier": object{"system": fhir.SystemRxNorm, "value": fhir.RxNormKetamine}, "display": cmp.Or(b.Medicine, "ketamine")}},
		"issued":    instant(n.told()),
		"performer": []object{p.Decider.reference()}, "valueCodeableConcept": concept(fhir.SystemDecision, p.Outcome),
	}
	if Clears(p.Outcome) {
		period := object{"start": b.day(n.told())}
		if p.ValidTo != "" {
			period["end"] = p.ValidTo
		}
		o["effectivePeriod"] = period
	}
	parts, err := p.components()
	if err != nil {
		return nil, err
	}
	if len(parts) > 0 {
		o["component"] = parts
	}
	d.add("Observation", d.id("decision"), nil, o)
	if p.InPerson {
		d.seen(fhir.SessionEvaluation, n.told())
	}
	if p.Directions != "" {
		if _, _, err := b.prescription(d, Label{Rx: p.Rx, Directions: p.Directions}); err != nil {
			return nil, err
		}
	}
	var reasons []object
	if p.Retyped && Clears(p.Outcome) {
		reasons = append(reasons, concept(fhir.SystemKAP, fhir.CodeRetyped))
	}
	s, err := d.slip(reasons...)
	if err != nil {
		return nil, err
	}
	return []exchange.Slip{s}, nil
}

// Shown is how they are called on a screen: by name, else by their number.
func (p Person) Shown() string { return cmp.Or(p.Name, p.ID.Shown()) }

// reference names the person by their number.
func (p Person) reference() object {
	o := object{"identifier": object{"system": p.ID.System, "value": p.ID.Value}}
	if p.Name != "" {
		o["display"] = p.Name
	}
	return o
}

// limitCodes are what a reading is called: its item in a decision, and its unit.
var limitCodes = map[string][3]string{
	"systolic": {"max-systolic", "mmHg", "mm[Hg]"}, "diastolic": {"max-diastolic", "mmHg", "mm[Hg]"}, "heart-rate": {"max-heart-rate", "/min", "/min"},
}

func (p Decision) components() ([]object, error) {
	var parts []object
	item := func(code string) object { return concept(fhir.SystemClearanceItem, code) }
	if p.ByReading {
		parts = append(parts, object{"code": item("condition"), "valueCodeableConcept": object{
			"coding": []object{{"system": fhir.Base + "/CodeSystem/clearance-condition", "code": "bp-below-limit-before-session"}},
			"text":   "readings below the limits before each session",
		}})
	}
	for _, text := range p.Conditions {
		parts = append(parts, object{"code": item("condition"), "valueCodeableConcept": object{"text": text}})
	}
	for _, l := range p.Limits {
		code, ok := limitCodes[l.Of]
		if !ok || l.Value <= 0 || l.Value > 300 {
			return nil, in("limit", errors.New("a limit cannot be read: write it like systolic=140"))
		}
		q := object{"value": l.Value, "unit": code[1], "system": fhir.SystemUCUM, "code": code[2]}
		if l.Below {
			q["comparator"] = "<"
		}
		parts = append(parts, object{"code": item(code[0]), "valueQuantity": q})
	}
	return append(parts, p.Spacing.components()...), nil
}

// seen adds the Encounter that says the prescriber and the client were in one place.
func (d *draft) seen(kind string, on time.Time) {
	d.add("Encounter", d.id("visit"), nil, object{
		"status": "finished", "class": object{"system": fhir.SystemActCode, "code": "AMB", "display": "ambulatory"},
		"type": []object{concept(fhir.SystemSession, kind)}, "subject": d.patient(), "period": object{"start": instant(on), "end": instant(on)},
	})
}

// FollowUp makes the Appointment of a follow-up that took place: the prescriber's fact. inPerson says that they saw the
// client in one place.
func (b Book) FollowUp(n Note, on time.Time, with Person, inPerson bool) ([]exchange.Slip, error) {
	if err := n.check(); err != nil {
		return nil, err
	}
	if on.IsZero() || on.After(n.At) {
		return nil, in("told", errors.New("the follow-up is still to come: enter it when it has taken place"))
	}
	d := b.draft(n, b.Prescriber, KindFollowUp)
	people := []object{{"actor": d.patient(), "status": "accepted"}}
	if with.ID != (fhir.ID{}) {
		who := with.reference()
		who["type"] = "Practitioner"
		people = append(people, object{"actor": who, "status": "accepted"})
	}
	d.add("Appointment", d.id("follow-up"), nil, object{
		"status": "fulfilled", "serviceType": []object{concept(fhir.SystemSession, fhir.SessionFollowUp)},
		"start": instant(on), "end": instant(on), "participant": people,
	})
	if inPerson {
		d.seen(fhir.SessionFollowUp, on)
	}
	return slips(d)
}

// Confirm says that a second person compared a decision with its message. decision is the version as it was entered.
func (b Book) Confirm(n Note, decision *fhir.Version) ([]exchange.Slip, error) {
	if err := n.check(); err != nil {
		return nil, err
	}
	d := b.draft(n, b.Prescriber, KindConfirm)
	target := object{"reference": decision.Ref().String() + "/_history/" + decision.Resource.VersionID}
	r, err := parse(d.provenance([]object{d.patient(), target}, nil))
	if err != nil {
		return nil, fmt.Errorf("make a record of the entry: %w", err)
	}
	return []exchange.Slip{{Source: Source(b.Prescriber.Name), Entry: d.Entry, Client: d.Client, Kind: d.kind, Actor: d.By, At: d.At, Records: []fhir.Resource{r}}}, nil
}
