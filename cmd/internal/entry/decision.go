package entry

import (
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/kaphub/kaphub/connectors/desk"
	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/exchange"
	"github.com/kaphub/kaphub/fhir/readiness"
)

// FollowUpDone is the outcome of a follow-up that took place.
const FollowUpDone = "follow-up-done"

// Outcomes are what a decision may come to, the follow-up among them.
var Outcomes = append(slices.Clone(desk.Outcomes), FollowUpDone)

// Decision is what the prescriber decided, or that a follow-up took place. When it was decided stands in the note.
type Decision struct {
	Outcome      string // one of Outcomes
	Decider      string // a name or number on the sheet; "" with one decider is that one
	ValidTo      string // a date or none; needed of what clears
	ValidToAgain string // the same once more, when nobody else can confirm it
	Conditions   []string
	Limits       []string // as people write them
	Sessions     string
	Directions   string // others than those on file, word for word
	InPerson     bool
	Sure         bool // whoever enters it looked again: it was decided that long ago
	Seen         bool // … and the evaluation that is booked for a later day took place
}

// ErrUnlikely is what is wrong with a date that is hardly meant, until somebody is sure of it.
var ErrUnlikely = errors.New("lies more than 30 days back: is that right? Look at the message again")

// ErrBooked is what is wrong with a clearance of before the client's evaluation, until somebody says that it took place. Whatever
// does not clear is saved at once.
type ErrBooked struct {
	For time.Time // when it is booked, in the practice's zone
}

func (e ErrBooked) Error() string {
	return "is before the evaluation, which is booked for " + e.For.Format("Mon 2 Jan 15:04") + ": did it take place already?"
}

// dated asks whether the client can have been decided about at a time, and whether it is likely.
func (d Decision) dated(a About, told time.Time) error {
	switch born := Born(a.Chart); {
	case told.IsZero():
		return nil
	case born != "" && told.In(a.Clock().Zone).Format(time.DateOnly) <= born:
		return errors.New("lies before the client was born: look at the year again")
	case !d.Sure && told.Before(a.Now.AddDate(0, 0, -30)):
		return ErrUnlikely
	}
	if at, booked := a.evaluation(); booked && !d.Seen && (d.Outcome == fhir.DecisionCleared || d.Outcome == fhir.DecisionConditions) {
		if zone := a.Clock().Zone; readiness.DayOf(told, zone).Start(zone).AddDate(0, 0, 1).Before(at) {
			return ErrBooked{at.In(zone)}
		}
	}
	return nil
}

// evaluation is for when the client's evaluation is booked that the records wait for.
func (a About) evaluation() (at time.Time, booked bool) {
	v := readiness.Assess(a.Chart, a.Policy, a.Now)
	g, _ := v.Gate(readiness.GateEvaluation)
	if g.State != readiness.Open {
		return at, false
	}
	for _, s := range fhir.Now(a.Chart.Appointments) {
		on := slices.ContainsFunc(g.Because, func(b fhir.Basis) bool { return b.Source == s.Source && b.Type == s.Type && b.ID == s.ID })
		if !on || s.Value.Start == nil {
			continue
		}
		if start, err := time.Parse(time.RFC3339, *s.Value.Start); err == nil {
			return start, true
		}
	}
	return at, false
}

// Fill takes from a prescriber's reply what was not written down yet.
func (d *Decision) Fill(r desk.Reply) {
	fill := func(to *string, word string) {
		if *to == "" {
			*to = word
		}
	}
	fill(&d.Outcome, r.Outcome)
	fill(&d.ValidTo, r.ValidTo)
	fill(&d.Directions, r.Directions)
	fill(&d.Sessions, r.Sessions)
	if len(d.Conditions) == 0 {
		d.Conditions = r.Conditions
	}
	if len(d.Limits) > 0 {
		return
	}
	if r.NoLimits {
		d.Limits = []string{"none"}
	}
	for _, l := range r.Limits {
		below := ""
		if l.Below {
			below = "<"
		}
		d.Limits = append(d.Limits, l.Of+"="+below+strconv.FormatFloat(l.Value, 'f', -1, 64))
	}
}

// Make returns the decision's slips, or the follow-up's.
func (d Decision) Make(a About, n desk.Note) ([]exchange.Slip, error) {
	var r reading
	outcome := needed(&r, "outcome", d.Outcome, One(Outcomes...))
	who, err := a.Decider(d.Decider)
	if errors.Is(err, ErrNobodyDecides) {
		return nil, err
	}
	r.wrong("decider", err)
	r.wrong("told", d.dated(a, n.Told))
	if outcome == FollowUpDone {
		return r.made(func() ([]exchange.Slip, error) { return a.Book.FollowUp(n, n.Told, who, d.InPerson) })
	}
	p := desk.Decision{Outcome: outcome, Decider: who, InPerson: d.InPerson}
	if desk.Clears(outcome) {
		d.terms(a, n, &r, &p)
	}
	if rx, onFile, err := a.Directions(); err != nil {
		return nil, err
	} else if rx != nil && d.Directions != "" && d.Directions != onFile {
		p.Directions, p.Rx = d.Directions, rx
	}
	return r.made(func() ([]exchange.Slip, error) { return a.Book.Decide(n, p) })
}

// terms reads to when and on what terms a decision clears.
func (d Decision) terms(a About, n desk.Note, r *reading, p *desk.Decision) {
	p.ValidTo = needed(r, "valid-to", d.ValidTo, a.Clock().Date)
	p.Conditions, p.ByReading = Conditions(d.Conditions)
	for _, word := range d.Limits {
		l, err := desk.ParseLimits(word)
		r.wrong("limit", err)
		p.Limits = append(p.Limits, l...)
	}
	var err error
	p.Spacing, err = desk.ParseSpacing(d.Sessions)
	r.wrong("sessions", err)
	again := maybe(r, "valid-to-again", d.ValidToAgain, a.Clock().Date)
	if d.ValidToAgain == "" || len(r.problems) > 0 {
		return
	}
	if end, _ := a.Ends(p.ValidTo, n.Told); again != p.ValidTo && again != end {
		r.wrong("valid-to-again", errors.New("is not the end that was given: look at the message again, then enter it anew"))
	}
	p.Retyped = true
}

// Conditions reads conditions: "bp" means that the readings stay below the limits.
func Conditions(words []string) (conditions []string, byReading bool) {
	for _, text := range words {
		switch text = strings.TrimSpace(text); text {
		case "":
		case "bp":
			byReading = true
		default:
			conditions = append(conditions, text)
		}
	}
	return conditions, byReading
}

// Ends returns when a decision ends that was made at told: as it says, or per agreement where it says nothing and the sheet
// does; "" = nobody says.
func (a About) Ends(validTo string, told time.Time) (end string, agreed bool) {
	every := a.Policy.Sheet.ClearanceValidity
	if validTo != "" || every.Answer != readiness.Set {
		return validTo, false
	}
	return told.In(a.Clock().Zone).Add(every.Value).Format(time.DateOnly), true
}

// ErrNobodyDecides is what Decider answers of a sheet that lists nobody: then no decision can be entered at all.
var ErrNobodyDecides = errors.New("the sheet lists nobody who may decide: write them under sheet.deciders, and check that the prescriber agreed")

// Decider returns who on the sheet is meant by a name or a number; "" is the one decider of a sheet that lists no other.
func (a About) Decider(word string) (desk.Person, error) {
	word = strings.TrimSpace(word)
	switch {
	case len(a.Deciders) == 0:
		return desk.Person{}, ErrNobodyDecides
	case word == "" && len(a.Deciders) == 1:
		return a.Deciders[0], nil
	case word == "":
		return desk.Person{}, ErrMissing
	}
	found := -1
	for i, d := range a.Deciders {
		if word != d.ID.Value && !strings.Contains(strings.ToLower(d.Name), strings.ToLower(word)) {
			continue
		}
		if found >= 0 {
			return desk.Person{}, errors.New("fits several: write the number")
		}
		found = i
	}
	if found < 0 {
		return desk.Person{}, errors.New("is nobody on the sheet: only who is listed there may decide")
	}
	return a.Deciders[found], nil
}

// Directions returns the prescription in force, nil when none is on file, and its directions in words.
func (a About) Directions() (rx *fhir.Version, words string, err error) {
	v := readiness.Prescribed(a.Chart, a.Policy, a.Now)
	if v == nil {
		return nil, "", nil
	}
	words, err = DirectionsOf(v.Resource)
	if err != nil {
		return nil, "", err
	}
	return v, words, nil
}

// DirectionsOf returns a prescription's directions in words, "" when it has none.
func DirectionsOf(prescription fhir.Resource) (string, error) {
	rx, err := fhir.Read[fhir.MedicationRequest](prescription)
	if err != nil {
		return "", err
	}
	var all []string
	for _, d := range rx.DosageInstruction {
		if d.Text != nil {
			all = append(all, *d.Text)
		}
	}
	return strings.Join(all, " "), nil
}

// Condition is how a condition of the clearance stands by the prescriber's word.
type Condition struct {
	Condition string // part of its words; "" where there is one only
	Met       string // y or n
}

// Make returns the slips of what the prescriber says of a condition.
func (c Condition) Make(a About, n desk.Note) ([]exchange.Slip, error) {
	decision, all := readiness.Conditions(a.Chart, a.Policy, n.At)
	if len(all) == 0 {
		return nil, errors.New("the clearance that counts has no condition")
	}
	var r reading
	which := all[0].Words
	if c.Condition != "" || len(all) > 1 {
		which = needed(&r, "condition", c.Condition, Which(all))
	}
	met := needed(&r, "met", c.Met, Yes)
	return r.made(func() ([]exchange.Slip, error) { return a.Book.Condition(n, decision, which, met != nil && *met) })
}

// Which reads which of a clearance's conditions is meant, by part of its words.
func Which(all []readiness.Condition) func(string) (string, error) {
	return func(word string) (string, error) {
		found := ""
		for _, c := range all {
			switch {
			case strings.EqualFold(c.Words, word):
				return c.Words, nil
			case !strings.Contains(strings.ToLower(c.Words), strings.ToLower(word)):
			case found != "":
				return "", errors.New("fits several: write more of it")
			default:
				found = c.Words
			}
		}
		if found == "" {
			return "", errors.New("is none of the clearance's conditions")
		}
		return found, nil
	}
}
