package console

import (
	"slices"
	"strings"

	"github.com/kaphub/kaphub/cmd/internal/people"
	"github.com/kaphub/kaphub/fhir/exchange"
	"github.com/kaphub/kaphub/fhir/readiness"
	"github.com/kaphub/kaphub/jobs/report"
)

// shown is what of a rule, or of a gate, somebody sees who must see no dose, reading, score or story of an event. Whose it
// is, since when it stands, and that it does, everybody sees.
type shown int

// A rule or a gate without a row in the tables below is hidden: what is new is clinical until somebody has looked at it.
const (
	hidden shown = iota // that there is something, and for whom
	ask                 // what is asked, and the next step
	whole               // what is recorded, without what anybody wrote in words of their own
)

// ruleShown says it of each rule. A rule is whole when its words and values are made of dates, of states and of the hub's own
// phrases alone.
var ruleShown = map[string]shown{
	"R01": whole, "R02": whole, "R03": whole, "R04": whole, "R05": whole, "R06": whole, "R07": whole,
	"R08": whole, "R09": whole, "R10": whole, "R11": whole, "R12": whole, "R16": whole,
	"R13": ask, // conditions, as the prescriber wrote them
	"R14": ask, // what happened to the client
	"R15": ask,
	"R17": whole, "R18": whole, "R19": whole, "R20": whole, "R22": whole, "R23": whole, "R26": whole, "R28": whole,
	"R21": ask,             // amounts
	"R24": ask, "R25": ask, // directions and doses
	"R27": ask,
	"R29": whole, "R31": whole, "R32": whole, "R33": whole, "R34": whole, "R35": whole, "R36": whole, "R39": whole, "R40": whole,
	"R41": whole, "R42": whole, "R43": whole,
	"R30": ask,    // events
	"R37": ask,    // readings
	"R38": hidden, // scores, for the therapist only: not even its name
	"R44": whole, "R45": whole, "R46": whole, "R47": whole, "R48": whole, "R49": ask,
	"R50": whole, "R51": whole, "R52": whole, "R53": whole, "R54": whole,
	"R55": ask, "R56": ask, // what the prescriber wrote
}

// gateShown says it of each gate.
var gateShown = map[readiness.GateName]shown{
	readiness.GateIdentity: whole, readiness.GateRelease: whole, readiness.GateReferral: whole, readiness.GateEvaluation: whole, readiness.GateClearance: whole,
	readiness.GateHold: ask, readiness.GatePrescription: whole, readiness.GateMedicine: whole, readiness.GateInstructions: ask, readiness.GateConsents: whole,
	readiness.GatePreparation: whole, readiness.GateFollowUp: whole, readiness.GateInterval: whole, readiness.GateSetting: whole, readiness.GateCredentials: whole,
	readiness.GateVitals: ask, readiness.GateRide: whole, readiness.GateFasting: whole, readiness.GateLocation: whole, readiness.GateNewInformation: ask, readiness.GateGoAhead: whole,
}

// figuresShown are the numbers of the account that count sessions, fills and days, and no dose.
var figuresShown = []readiness.FigureName{
	readiness.Dispensed, readiness.Taken, readiness.Unclosed, readiness.Counted, readiness.Left, readiness.BookedAhead, readiness.GoodUntil, readiness.Tranche,
	readiness.SinceFollowUp, readiness.FollowUpDue, readiness.Lead, readiness.AskBy,
}

const (
	forTherapist = "Something that the therapist looks at"
	askTherapist = "speak with the client's therapist"
	keptApart    = "what was written is for the therapist"
)

// seen leaves of a view what somebody may see of it. met is the client whom they were let in to, "" when all are looked at:
// whoever opened a client with a reason sees the whole of them.
func seen(in report.Input, who people.Account, met string) report.Input {
	sight := map[string]people.Sight{}
	for _, v := range in.Clients {
		s := who.Sight(v.Therapists...)
		if s == people.Nothing && v.Client == met {
			s = people.Whole
		}
		sight[v.Client] = max(sight[v.Client], s)
	}
	gone := func(client string) bool { return client != "" && sight[client] == people.Nothing }
	in.Clients = slices.DeleteFunc(slices.Clone(in.Clients), func(v readiness.Verdict) bool { return gone(v.Client) })
	in.Handlings = slices.DeleteFunc(slices.Clone(in.Handlings), func(h readiness.Handling) bool { return gone(h.Client) })
	in.Deliveries = slices.DeleteFunc(slices.Clone(in.Deliveries), func(d exchange.Entry) bool { return gone(d.Client) })
	if !who.SeesAll() {
		in.Rejects, in.Strays = nil, nil // of nobody yet
	}
	confided := map[string]bool{} // findings of which nothing is said: neither what nor that they are there
	for i := range in.Clients {
		v := &in.Clients[i]
		if opened := v.Client == met && who.Sight(v.Therapists...) == people.Nothing; !opened && !who.Confidant(v.Therapists...) {
			for _, f := range v.Findings {
				confided[f.ID] = readiness.Confided(f.Code)
			}
			*v = unconfided(*v)
		}
	}
	in.Handlings = slices.DeleteFunc(in.Handlings, func(h readiness.Handling) bool { return confided[h.Finding] })
	return hide(in, func(client string) bool { return sight[client] != people.Whole })
}

// unconfided leaves out of a verdict what is told to the client's therapist only (R38), and that it is there.
func unconfided(v readiness.Verdict) readiness.Verdict {
	for _, f := range v.Findings {
		if readiness.Confided(f.Code) && f.Words != "" && strings.Contains(v.Words, f.Words) {
			v.Words, v.Next = strings.Replace(v.Words, f.Words, "something that the therapist looks at", 1), "ask the therapist"
		}
	}
	v.Findings = slices.DeleteFunc(slices.Clone(v.Findings), func(f readiness.Finding) bool { return readiness.Confided(f.Code) })
	return v
}

// hide leaves out of a view what is for the therapists of those clients.
func hide(in report.Input, of func(client string) bool) report.Input {
	in.Clients, in.Handlings = slices.Clone(in.Clients), slices.Clone(in.Handlings)
	in.Deliveries, in.Rejects = slices.Clone(in.Deliveries), slices.Clone(in.Rejects)
	code := map[string]string{}
	for i := range in.Clients {
		for _, f := range in.Clients[i].Findings {
			code[f.ID] = f.Code
		}
		if of(in.Clients[i].Client) {
			in.Clients[i] = discreet(in.Clients[i])
		}
	}
	for i := range in.Handlings { // what people wrote of what is not shown
		if h := &in.Handlings[i]; h.Reason != "" && of(h.Client) && ruleShown[code[h.Finding]] != whole {
			h.Reason = keptApart
		}
	}
	for i := range in.Deliveries {
		if of(in.Deliveries[i].Client) {
			in.Deliveries[i] = withoutBody(in.Deliveries[i])
		}
	}
	for i := range in.Rejects { // whose they are is not sure: nobody reads them here
		in.Rejects[i].Body = nil
	}
	return in
}

// withoutBody is a delivery without what it tells, and without what a person wrote about it.
func withoutBody(e exchange.Entry) exchange.Entry {
	e.Body = nil
	if e.Receipt != nil && e.Receipt.Note != "" {
		r := *e.Receipt
		r.Note = keptApart
		e.Receipt = &r
	}
	return e
}

// Unclinical is a verdict without the gates and findings that tell of doses, readings, scores or what happened: for what is
// written to somebody else.
func Unclinical(v readiness.Verdict) readiness.Verdict {
	v = discreet(v)
	for i := range v.Gates {
		v.Gates[i].Words = strings.ReplaceAll(v.Gates[i].Words, " ("+keptApart+")", "")
	}
	for i := range v.Findings {
		v.Findings[i].Words = strings.ReplaceAll(v.Findings[i].Words, " ("+keptApart+")", "")
	}
	v.Findings = slices.DeleteFunc(slices.Clone(v.Findings), func(f readiness.Finding) bool { return ruleShown[f.Code] != whole })
	v.Gates = slices.DeleteFunc(slices.Clone(v.Gates), func(g readiness.Gate) bool { return gateShown[g.Name] != whole })
	return v
}

// discreet leaves out of a verdict what is for the client's therapist: doses, readings, scores, what happened, and whatever
// anybody wrote about it. That something is there, whose it is, what is next and since when, stays.
func discreet(v readiness.Verdict) readiness.Verdict {
	v.Findings, v.Gates = slices.Clone(v.Findings), slices.Clone(v.Gates)
	words, next := v.Words, v.Next
	instead := func(was, is, nextWas, nextIs string) { // the verdict's own words are made of those of a gate or a finding
		if was != "" && was != is {
			words = strings.ReplaceAll(words, was, is)
		}
		if nextWas != "" && next == nextWas {
			next = nextIs
		}
	}
	for i := range v.Gates {
		g := &v.Gates[i]
		was := *g
		discreetGate(g)
		instead(was.Words, g.Words, was.Next, g.Next)
		if was.Name == readiness.GateVitals && was.State == readiness.Blocked {
			words = strings.Replace(words, "Stopped by a reading beyond the limit", "Stopped by the practice", 1)
		}
	}
	for i := range v.Findings {
		f := &v.Findings[i]
		was := *f
		discreetFinding(f)
		instead(was.Words, f.Words, was.Next, f.Next)
	}
	v.Words, v.Next = unquoted(words), unquoted(next)
	v.Account = slices.DeleteFunc(slices.Clone(v.Account), func(g readiness.Figure) bool { return !slices.Contains(figuresShown, g.Of) })
	return v
}

func discreetGate(g *readiness.Gate) {
	as := gateShown[g.Name]
	if as == whole {
		g.Words, g.Next = unquoted(g.Words), unquoted(g.Next)
		return
	}
	g.Words = map[readiness.GateState]string{
		readiness.Met: "In order; the therapist sees by what", readiness.Open: "Open; the therapist sees why", readiness.Blocked: "Stopped; the therapist sees why",
		readiness.Untold: "Cannot be told; the therapist sees why", readiness.NotDue: "Not due yet",
	}[g.State]
	if g.Next = unquoted(g.Next); as == hidden && g.Next != "" {
		g.Next = askTherapist
	}
}

func discreetFinding(f *readiness.Finding) {
	switch ruleShown[f.Code] {
	case whole:
		f.Words, f.Next, f.By = unquoted(f.Words), unquoted(f.Next), unquoted(f.By)
		values := make(map[string]string, len(f.Values))
		for party, said := range f.Values {
			values[party] = unquoted(said)
		}
		if f.Values = values; len(values) == 0 {
			f.Values = nil
		}
	case ask:
		f.Words, f.Values, f.By, f.Next = asks(f.Code), nil, "", unquoted(f.Next)
	default:
		f.Words, f.Values, f.By, f.Rule = forTherapist, nil, "", "for-the-therapist"
		if f.Next != "" {
			f.Next = askTherapist
		}
	}
}

// asks is what a rule asks, for those who do not see what it found.
func asks(code string) string {
	for _, r := range readiness.Catalogue() {
		if r.Code == code {
			return r.Asks + " The therapist sees what is recorded."
		}
	}
	return forTherapist
}

// conditions begin what a clearance is conditional on, in the prescriber's own words.
const conditions = "no record says that the condition is met: "

// unquoted is a sentence of the hub's without what somebody else wrote, which it quotes.
func unquoted(s string) string {
	if at := strings.Index(s, conditions); at >= 0 {
		s = s[:at] + strings.TrimSuffix(conditions, ": ") + "; the therapist sees which"
	}
	from := strings.Index(s, "“")
	if from < 0 {
		return s
	}
	rest := ""
	if to := strings.LastIndex(s, "”"); to > from {
		rest = s[to+len("”"):]
	}
	return strings.TrimRight(s[:from], " :") + " (" + keptApart + ")" + rest
}
