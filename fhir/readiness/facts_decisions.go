package readiness

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/kaphub/kaphub/fhir"
)

// meaning is what a decision on clearance says.
type meaning int8

// The meanings, from the one that lets pass to the one that stops: of two decisions of one moment the later counts.
const (
	clears meaning = iota
	clearsWith
	pending
	unreadable
	deferred
	stopsIt // not cleared, or withdrawn
)

// decision is one Observation of the prescriber on clearance.
type decision struct {
	record[fhir.Observation]
	means  meaning
	says   string    // its code: "cleared"
	issued time.Time // when it was made
	weighs time.Time // when it counts from, against others: for a stop, when the record began to say so
	other  bool      // it is for another medicine or route: it is none

	doubt string // why it cannot be relied upon though it clears, in words; "" when it can
	ask   string // with doubt: what to do, where it is not to ask the prescriber
	waits string // how it waits for a second person though it counts meanwhile; "" when it does not
	who   answer // whether an allowed decider made it

	from, to   time.Time // to zero: no end
	assumed    string    // how the end was found when the decision gives none
	agreed     bool      // … by the sheet
	endless    bool      // it gives no end, and the sheet states none
	terms      terms
	conditions []condition // to be met before a session, other than the readings
	byReading  bool        // a condition is that the readings stay below the limits
}

// lifts reports whether d lifts a stop: it clears without a doubt, and a second person need not look at it any more.
func (d *decision) lifts() bool { return d.clearing() && d.waits == "" }

// clearing reports whether d clears without a doubt that is of its own making.
func (d *decision) clearing() bool {
	return (d.means == clears || d.means == clearsWith) && d.doubt == "" && d.who == yes && d.live()
}

// noEnd is the doubt of a decision that is whole but for its end.
const noEnd = "it gives no end and none is agreed"

// counts reports whether d is a decision at all, whatever it says: one that can be read, by somebody who may decide.
func (d *decision) counts() bool {
	return d.live() && d.means != pending && d.means != unreadable && d.who == yes
}

// decides reports whether an observation of party is a decision on clearance. One that also means something else is one.
func (f *facts) decides(party string, o *fhir.Observation) bool {
	return holds(&o.Code, fhir.Code{System: fhir.SystemKAP, Code: fhir.CodeClearance}) ||
		f.code(party, &o.Code, fhir.SystemKAP) == fhir.CodeClearance
}

// decide reads r as a decision. Void ones (cancelled, entered in error) are none. A record that stopped before and does
// not clear for sure now tells both: what it says, and that it still stops.
func (f *facts) decide(r record[fhir.Observation]) {
	if void(r.Value) {
		return
	}
	d := decision{record: r}
	d.means, d.says = f.meaning(r.Party, r.Value)
	d.issued = f.issued(r, d.means)
	ahead := f.aheadOf(&r)
	d.weighs = d.issued
	d.who = f.decider(r.Value.Performer, r.Version)
	if d.means == stopsIt {
		d.weighs = f.atLatest(d.issued, r.Value.Issued)
		if d.weighs.After(r.Received) {
			d.weighs = r.Recorded() // a date to come does not make a stop outweigh what lifts it
		}
		began := r.since(func(told *fhir.Observation) bool { return f.stopping(r.Party, told) == yes })
		if began.After(r.first()) && began.After(d.weighs) {
			d.weighs = began // it said otherwise before
		}
		f.decisions = append(f.decisions, d)
		return
	}
	d.other = f.otherMedicine(r)
	if ahead {
		d.doubt = "it is dated in the future"
	}
	f.validity(&d)
	f.components(&d)
	if d.means == clears || d.means == clearsWith {
		f.confirm(&d)
	}
	f.decisions = append(f.decisions, d)
	if d.clearing() {
		return
	}
	is, told := r.says(func(told *fhir.Observation) answer {
		if told == r.Value {
			return cannotTell
		}
		return f.stopping(r.Party, told)
	})
	if is == yes {
		d = decision{record: record[fhir.Observation]{Version: told, Value: r.Value, Gone: r.Gone}, means: stopsIt, issued: told.Recorded(), weighs: told.Recorded(), who: d.who}
		for _, t := range r.Told {
			if t.Version == told {
				d.Value = t.Value
				_, d.says = f.meaning(r.Party, t.Value)
			}
		}
		f.decisions = append(f.decisions, d)
	}
}

// aheadOf reports whether r says that it was decided at a time that is still to come.
func (f *facts) aheadOf(r *record[fhir.Observation]) bool {
	at, _, ok := f.when(r.Value.Issued)
	return ok && !f.clock.passed(at.Add(-f.policy.Rules.Skew))
}

// issued returns when r was decided: as it says, else since when it has said so. A record that is merely told again does
// not become a newer decision. Nothing was decided after it was heard: a clock that ran ahead makes no decision newer than
// what came after it.
func (f *facts) issued(r record[fhir.Observation], says meaning) time.Time {
	if at, _, ok := f.when(r.Value.Issued); ok {
		if at.After(r.Received) && !r.Received.IsZero() {
			return r.Recorded()
		}
		return at
	}
	return r.since(func(told *fhir.Observation) bool {
		means, _ := f.meaning(r.Party, told)
		return means == says && !void(told)
	})
}

// void reports whether o was taken back as a mistake.
func void(o *fhir.Observation) bool {
	code := o.Status.Code()
	return code == "cancelled" || code == "entered-in-error"
}

// stopping reports whether o stops (yes), clears or is void (no), or does neither.
func (f *facts) stopping(party string, o *fhir.Observation) answer {
	if void(o) {
		return no
	}
	switch means, _ := f.meaning(party, o); means {
	case stopsIt:
		return yes
	case clears, clearsWith:
		return no
	}
	return cannotTell
}

// meaning reads what o decides, with its code when it is clear. A decision whose record was coded anew, as something
// else, cannot be read any more.
func (f *facts) meaning(party string, o *fhir.Observation) (meaning, string) {
	if !f.decides(party, o) {
		return unreadable, ""
	}
	switch o.Status.Code() {
	case "registered", "preliminary":
		return pending, ""
	case "final", "amended", "corrected":
		code, reading := f.policy.Terms.Code(party, o.ValueCodeableConcept, fhir.SystemDecision)
		if reading != fhir.Mapped || o.DataAbsentReason != nil || o.ValueString != nil || o.ValueBoolean != nil {
			return unreadable, ""
		}
		return means(code), code
	}
	return unreadable, ""
}

// means reads a code of SystemDecision.
func means(code string) meaning {
	switch code {
	case fhir.DecisionCleared:
		return clears
	case fhir.DecisionConditions:
		return clearsWith
	case fhir.DecisionDeferred:
		return deferred
	case fhir.DecisionNotCleared, fhir.DecisionWithdrawn:
		return stopsIt
	}
	return unreadable
}

// validity finds from when to when d clears.
//
//	effective says          the window is
//	start and end           those; an end that is only a date lasts to the end of that day
//	start, no end           to the sheet's validity after the decision, "per agreement"; else the policy's maximum age,
//	                        "assumed"; "none set": without end; else it cannot be told
//	nothing                 from the day of the decision, and the same
func (f *facts) validity(d *decision) {
	o := d.Value
	d.from = d.issued
	if o.EffectiveTiming != nil {
		d.doubt = cmp.Or(d.doubt, "its time cannot be read")
	}
	if p := o.EffectivePeriod; p != nil {
		from, to, bad := f.period(p)
		if bad {
			d.doubt = "its period cannot be read"
		}
		if !from.IsZero() {
			d.from = from
		}
		d.to = to
	} else if o.EffectiveDateTime != nil {
		at, _, ok := f.when(o.EffectiveDateTime)
		if !ok {
			d.doubt = "its date cannot be read"
		}
		d.from = at
	}
	if !d.to.IsZero() {
		return
	}
	agreed := f.policy.Sheet.ClearanceValidity
	switch {
	case agreed.Answer == Set:
		d.to, d.assumed, d.agreed = shift(d.issued, agreed.Value, f.zone), f.agreed(), true
	case agreed.Answer == NoneSet:
		d.assumed, d.agreed = "no end, "+f.agreed(), true
	case f.policy.Rules.ClearanceMaxAge > 0:
		d.endless = true
		d.to, d.assumed = shift(d.issued, f.policy.Rules.ClearanceMaxAge, f.zone), "assumed"
	default:
		d.endless = true
		d.doubt = cmp.Or(d.doubt, noEnd)
	}
}

// conditionByReading is the one condition that the readings answer.
const conditionByReading = "bp-below-limit-before-session"

// components reads the parts of d. A part that cannot be read leaves a doubt: it may be a condition.
func (f *facts) components(d *decision) {
	for i := range d.Value.Focus {
		if f.focus(&d.Value.Focus[i], d.record) == cannotTell {
			d.doubt = cmp.Or(d.doubt, "it is for a medicine or a prescription that is not on file")
		}
	}
	conditions, absolute := 0, false
	for i := range d.Value.Component {
		c := &d.Value.Component[i]
		switch item := f.code(d.Party, &c.Code, fhir.SystemClearanceItem); item {
		case fhir.ItemCondition:
			conditions++
			if concept := c.ValueCodeableConcept; concept != nil && slices.ContainsFunc(concept.Coding, func(k fhir.Coding) bool { return text(k.Code) == conditionByReading }) {
				d.byReading = true
			} else {
				d.conditions = append(d.conditions, condition{concept, words(c.ValueCodeableConcept, c.ValueString)})
			}
		case fhir.ItemContraindication:
			grade := ""
			for j := range c.Interpretation {
				grade = f.code(d.Party, &c.Interpretation[j], fhir.SystemGrade)
			}
			absolute = absolute || grade == "absolute"
			if grade != "absolute" && grade != "relative" {
				d.doubt = cmp.Or(d.doubt, "a contraindication in it has no grade")
			}
		default:
			d.doubt = cmp.Or(d.doubt, f.term(d, item, c))
		}
	}
	switch {
	case absolute && (d.means == clears || d.means == clearsWith):
		d.doubt = "it clears and names an absolute contraindication"
	case d.means == clears && conditions > 0:
		d.doubt = "it clears without conditions and names some"
	case d.means == clearsWith && conditions == 0:
		d.doubt = "it clears with conditions and names none"
	}
}

// words returns how a coded value reads on the screen.
func words(concept *fhir.CodeableConcept, otherwise *string) string {
	if concept != nil {
		if s := strings.TrimSpace(text(concept.Text)); s != "" {
			return s
		}
		for _, c := range concept.Coding {
			if s := cmp.Or(text(c.Display), text(c.Code)); s != "" {
				return s
			}
		}
	}
	return cmp.Or(strings.TrimSpace(text(otherwise)), "one that is not named")
}

const replaces = "http://hl7.org/fhir/StructureDefinition/observation-replaces"

// supersedes reports whether a says that it replaces b, directly or through others.
func (f *facts) supersedes(a, b *decision) bool {
	seen := []*decision{a}
	for i := 0; i < len(seen); i++ {
		from := seen[i]
		for _, e := range from.Value.Extension {
			if e.Url != replaces || e.ValueReference == nil {
				continue
			}
			for j := range f.decisions {
				to := &f.decisions[j]
				if !slices.Contains(seen, to) && points(e.ValueReference, from.Source, to.Version, to.Value.Identifier) {
					seen = append(seen, to)
				}
			}
		}
	}
	return a != b && slices.Contains(seen, b)
}

// newer reports whether a counts over b: by the replaces chain, else by when they were made, and of one moment the one
// that stops counts. Two that say they replace each other are weighed by their dates.
func (f *facts) newer(a, b *decision) bool {
	if over, under := f.supersedes(a, b), f.supersedes(b, a); over != under {
		return over
	}
	return cmp.Or(a.weighs.Compare(b.weighs), cmp.Compare(a.means, b.means), older(a.Version, b.Version), strings.Compare(a.ID, b.ID)) > 0
}

// newest returns the decision that counts over every other for which fits holds.
func (f *facts) newest(fits func(*decision) bool) *decision {
	var best *decision
	for i := range f.decisions {
		d := &f.decisions[i]
		if fits(d) && (best == nil || f.newer(d, best)) {
			best = d
		}
	}
	return best
}

// decided returns the decision that counts, nil when there is none for this medicine.
func (f *facts) decided() *decision {
	return f.newest(func(d *decision) bool { return !d.other })
}

// stopped returns the decision that stops and that no newer one clears: silence, and anything less than a decision that
// clears for sure, lifts nothing. One that was recorded before the stop was made does not lift it, even where it says that it
// replaces it.
func (f *facts) stopped() *decision {
	stop := f.newest(func(d *decision) bool { return d.means == stopsIt && !d.other })
	if stop == nil {
		return nil
	}
	for i := range f.decisions {
		if d := &f.decisions[i]; d.lifts() && !d.other && !later(d.weighs, d.Recorded()).Before(stop.weighs) && f.newer(d, stop) {
			return nil
		}
	}
	return stop
}
