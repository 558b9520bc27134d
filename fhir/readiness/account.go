package readiness

import (
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/kaphub/kaphub/fhir"
)

// Figure is one number of a client's account of sessions' worth, with who recorded what it is made of. What cannot be told
// is unknown, and says why; it is never nothing.
type Figure struct {
	Of     FigureName `json:"of"`
	Value  string     `json:"value,omitempty"`   // "6", "2026-06-30", "none"; "" = unknown
	Unit   string     `json:"unit,omitempty"`    // "sessions", "fills", "business days"; "date"
	Why    string     `json:"why,omitempty"`     // it is unknown
	Note   string     `json:"note,omitempty"`    // how it was found
	Agreed string     `json:"agreed,omitempty"`  // what of the prescriber sheet it rests on
	From   []Origin   `json:"sources,omitempty"` // the records that it is made of
}

// Origin is what one record contributes to a figure.
type Origin struct {
	Says string    `json:"says"` // "6, in the client's hands since 1 Feb 2026"
	By   string    `json:"by"`   // who recorded it: "Skylight Psychedelics"; "Reverie, entered by ada"
	At   time.Time `json:"at"`   // when it was recorded
	fhir.Basis
}

// FigureName names a figure.
type FigureName string

// The figures, in the order in which an account has them. Unclosed, Counted and AskBy stand in it only where there is
// something to say.
const (
	Dispensed     FigureName = "dispensed"       // sessions' worth that came into the client's hands
	Taken         FigureName = "taken"           // doses since the first of it came
	Unclosed      FigureName = "unclosed"        // sessions of which nobody said whether they took place
	Counted       FigureName = "counted"         // with the client, last
	Left          FigureName = "left"            // sessions' worth in hand and in date
	BookedAhead   FigureName = "booked"          // dosing sessions before the next follow-up
	GoodUntil     FigureName = "good-until"      // the last day on which some of it is in date
	Tranche       FigureName = "tranche"         // which fill of the prescription
	SinceFollowUp FigureName = "since-follow-up" // doses since the prescriber saw the client
	FollowUpDue   FigureName = "follow-up-due"
	Lead          FigureName = "refill-lead" // business days that a refill takes
	AskBy         FigureName = "ask-by"      // when a refill for the first session without medicine must be asked for
)

// account draws up the account of the medicine; nil while there is none on file in any way.
//
//	on file                                  figure
//	every fill has a quantity and a dose     dispensed and left are numbers
//	some fill has not                        unknown, unless counted with the client since
//	a delivery without a dispense            unknown: how much came nobody recorded
//	nothing dispensed                        unknown: none is on file, or nobody tells of it
//	a session that was never closed          left is unknown, between two numbers
//	all out of date                          left is 0
//	no last day on some of what is in hand   good-until is unknown
//	a prescription without repeats or        tranche is counted in fills; of how many, is not said
//	  quantity (partial fills add up)
func (f *facts) account() []Figure {
	if len(f.prescriptions) == 0 && len(f.dispenses) == 0 && !f.stock.any && len(f.taken) == 0 {
		return nil
	}
	out := make([]Figure, 0, 12)
	out = append(out, f.dispensed(), f.takenOf())
	if u := f.neverClosed(); u.Value != "" {
		out = append(out, u)
	}
	if r := f.stock.by; r != nil {
		left, _, _ := amount(r.Value.ValueQuantity)
		said := count(left)
		out = append(out, Figure{Of: Counted, Value: said, Unit: "sessions", From: []Origin{f.origin(r.Version, said+", counted with the client on "+f.on(f.said(*r)))}})
	}
	out = append(out, f.leftOver(), f.ahead(), f.goodUntil(), f.tranche())
	since, due := f.followUpFigures()
	out = append(out, since, due)
	return append(out, f.leadFigures()...)
}

// origin is what v says, and who recorded it.
func (f *facts) origin(v *fhir.Version, says string) Origin {
	by := begin(f.title(v))
	if who := f.enterer(v); who != "" {
		by += ", entered by " + who
	}
	return Origin{Says: says, By: by, At: v.Recorded(), Basis: v.Basis()}
}

func (f *facts) dispensed() Figure {
	g := Figure{Of: Dispensed, Unit: "sessions"}
	s, sum, unread := &f.stock, 0.0, ""
	for i := range s.fills {
		x := &s.fills[i]
		says := ", in the client's hands since " + f.on(x.in)
		if x.over {
			says += ", out of date"
		}
		if !x.known {
			unread = f.on(x.in)
			g.From = append(g.From, f.origin(x.of.Version, "not counted"+says))
			continue
		}
		sum += x.worth
		g.From = append(g.From, f.origin(x.of.Version, count(x.worth)+says))
	}
	switch {
	case unread != "":
		g.Why = "how many sessions the fill of " + unread + " is worth is not on file: its quantity, or the dose, cannot be read or is in another unit"
	case len(s.fills) > 0:
		g.Value = count(sum)
	case s.any:
		g.Why = "it was delivered on " + f.on(s.since) + ", and how much is not on file"
		for _, v := range s.rests {
			g.From = append(g.From, f.origin(v, "delivered"))
		}
	default:
		g.Why = medicineGate(f).Words
	}
	return g
}

func (f *facts) takenOf() Figure {
	g := Figure{Of: Taken, Unit: "sessions"}
	from, n := time.Time{}, 0
	if f.stock.any {
		from = f.midnight(f.stock.first)
		g.Note = "since the medicine came on " + f.on(f.stock.first)
	}
	for i := range f.taken {
		d := &f.taken[i]
		if d.at.Before(from) {
			continue
		}
		n++
		g.From = append(g.From, f.origin(d.of, "taken on "+f.on(d.at)))
	}
	g.Value = strconv.Itoa(n)
	return g
}

func (f *facts) neverClosed() Figure {
	g := Figure{Of: Unclosed, Unit: "sessions", Note: "nobody recorded whether they took place: a dose may have been taken at each"}
	if f.stock.maybe == 0 {
		return g
	}
	from := f.midnight(f.stock.first)
	for _, s := range f.unclosed() {
		if !s.start.Before(from) {
			g.From = append(g.From, f.origin(s.Version, "booked for "+f.on(s.start)))
		}
	}
	g.Value = strconv.Itoa(f.stock.maybe)
	return g
}

func (f *facts) leftOver() Figure {
	g := Figure{Of: Left, Unit: "sessions"}
	s := &f.stock
	left := max(s.left, 0)
	switch {
	case s.over:
		g.Value, g.Note = "0", "all of it is out of date"
	case !s.any:
		g.Why = "nothing is on file as in the client's hands"
	case !s.known && s.used:
		g.Why = "what came in is not on file as a number, and some was taken since: count with the client"
	case !s.known:
		g.Why = "what came in is not on file as a number; at least one session's worth, for none was taken since"
	case s.maybe > 0:
		g.Why = strconv.Itoa(s.maybe) + " " + plural(s.maybe == 1, "session was", "sessions were") + " never closed: from " + count(max(left-float64(s.maybe), 0)) + " to " + count(left)
	case s.by != nil:
		g.Value, g.Note = count(left), "as counted with the client, less what was taken since"
	default:
		g.Value, g.Note = count(left), "dispensed less taken"
		if s.seen != nil && slices.Contains(s.rests, s.seen.Version) {
			g.Note = "as the label said, less what was taken since"
			worth, _ := f.worth(s.seen)
			g.From = append(g.From, f.origin(s.seen.Version, count(worth)+", by the label as seen on "+f.on(s.seen.handed)))
		}
		if s.spoiled() {
			g.Note += "; what is out of date is left out"
		}
	}
	return g
}

func (f *facts) ahead() Figure {
	g := Figure{Of: BookedAhead, Unit: "sessions", Note: "in the time that rules look ahead"}
	if u := f.followUp(); u.booked != nil {
		g.Note = "before the follow-up booked for " + f.on(u.booked.start)
	} else if !u.due.IsZero() {
		g.Note = "before the follow-up due by " + lastDay(u.due, f.zone)
	}
	if f.next == nil && f.policy.Practice.Lacks("Appointment") {
		g.Why, g.Note = "the practice's systems do not tell of sessions", ""
		return g
	}
	sessions := f.bookedSessions()
	for _, s := range sessions {
		g.From = append(g.From, f.origin(s.Version, "session of "+f.on(s.start)))
	}
	g.Value = strconv.Itoa(len(sessions))
	return g
}

func (f *facts) goodUntil() Figure {
	g := Figure{Of: GoodUntil, Unit: "date"}
	last, undated := time.Time{}, ""
	for i := range f.stock.fills {
		x := &f.stock.fills[i]
		if x.of.expires.IsZero() {
			if !x.over {
				undated = f.on(x.in)
			}
			continue
		}
		last = later(last, x.of.expires)
		g.From = append(g.From, f.origin(x.of.Version, "good up to "+lastDay(x.of.expires, f.zone)))
	}
	switch {
	case undated != "":
		g.Why = "the record of what came on " + undated + " tells no last day"
	case last.IsZero():
		g.Why = "no last day is on file"
	default:
		g.Value = DayOf(last.Add(-time.Nanosecond), f.zone).String()
	}
	return g
}

func (f *facts) tranche() Figure {
	g := Figure{Of: Tranche, Unit: "fills"}
	rx := f.prescribed()
	if rx == nil {
		g.Why = "no prescription in force is on file"
		return g
	}
	written := 0
	for i := range f.prescriptions {
		if p := &f.prescriptions[i]; p.order && p.ketamine == yes && p.live() && !p.authored.After(rx.authored) {
			written++
		}
	}
	g.From = append(g.From, f.origin(rx.Version, "prescribed on "+f.on(rx.authored)))
	each, unit, known := 0.0, "", false
	allows := "; how many it allows is not on file"
	if d := rx.Value.DispenseRequest; d != nil {
		each, unit, known = measured(d.Quantity)
		if d.NumberOfRepeatsAllowed != nil {
			allows = ", of " + strconv.Itoa(1+*d.NumberOfRepeatsAllowed) + " that it allows"
		}
	}
	total, n := 0.0, 0
	for i := range f.stock.fills {
		d := f.stock.fills[i].of
		if !f.fills(d, rx) {
			continue
		}
		n++
		q, in, ok := measured(d.Value.Quantity)
		total, known = total+q, known && ok && in == unit
		g.From = append(g.From, f.origin(d.Version, "filled on "+f.on(d.filled)))
	}
	if known && each > 0 {
		n = int(math.Ceil(total/each - 1e-9)) // partial fills add up to one
	}
	g.Value = strconv.Itoa(n)
	g.Note = "of the prescription of " + f.on(rx.authored) + allows
	if written > 1 {
		g.Note += "; it is the " + ordinal(written) + " of " + f.prescriber()
	}
	return g
}

func ordinal(n int) string {
	end := "th"
	switch {
	case n%100 >= 11 && n%100 <= 13:
	case n%10 == 1:
		end = "st"
	case n%10 == 2:
		end = "nd"
	case n%10 == 3:
		end = "rd"
	}
	return strconv.Itoa(n) + end
}

func (f *facts) followUpFigures() (since, due Figure) {
	p := f.prescriber()
	since, due = Figure{Of: SinceFollowUp, Unit: "sessions"}, Figure{Of: FollowUpDue, Unit: "date"}
	u := f.followUp()
	if u.seen == nil {
		since.Why = "no decision or follow-up of " + p + " is on file to count from"
	} else {
		n := 0
		for i := range f.taken {
			if f.taken[i].at.After(u.last) {
				n++
			}
		}
		what := plural(u.seen.Type == "Appointment", "follow-up", "decision")
		since.Value, since.Note = strconv.Itoa(n), "since the "+what+" of "+f.on(u.last)
		since.From = []Origin{f.origin(u.seen, what+" of "+f.on(u.last))}
	}
	switch line := f.policy.Sheet.FollowUp; {
	case !u.due.IsZero():
		due.Value = DayOf(u.due.Add(-time.Nanosecond), f.zone).String()
		for _, v := range u.rests {
			due.From = append(due.From, f.origin(v, plural(u.sheet, "counted from here", "planned here")))
		}
		if u.sheet {
			due.Agreed = f.agreed()
		}
		if u.booked != nil {
			due.Note = "booked for " + f.on(u.booked.start)
			due.From = append(due.From, f.origin(u.booked.Version, "booked for "+f.on(u.booked.start)))
		}
	case line.Answer == NoneSet:
		due.Value, due.Agreed = "none", f.agreed()
	case line.Answer == NotAsked:
		due.Why = "how often " + p + " wants to see the client again is not on file"
	default:
		due.Why = "no decision or follow-up of " + p + " is on file to count from"
	}
	return since, due
}

func (f *facts) leadFigures() []Figure {
	days, per, ok := f.lead()
	lead := Figure{Of: Lead, Unit: "business days", Value: "none", Agreed: per}
	if !ok {
		return []Figure{lead}
	}
	lead.Value = strconv.Itoa(days)
	if f.policy.Sheet.LeadDays.Answer == NotAsked {
		lead.Agreed, lead.Note = "", per
	}
	s := f.firstWithout()
	if s == nil {
		return []Figure{lead}
	}
	by := f.askBy(s, days)
	return []Figure{lead, {Of: AskBy, Unit: "date", Value: DayOf(by, f.zone).String(), Note: "for the session of " + f.on(s.start),
		From: []Origin{f.origin(s.Version, "session of "+f.on(s.start))}}}
}
