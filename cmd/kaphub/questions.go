package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/kaphub/kaphub/connectors/desk"
	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/exchange"
	"github.com/kaphub/kaphub/fhir/plan"
	"github.com/kaphub/kaphub/fhir/readiness"
)

type questionsCommand struct {
	Prescriber string `placeholder:"NAME" help:"To whom; else to each."`
	Out        string `placeholder:"FILE" help:"Write it there, readable by you alone; overwrites nothing."`
	Again      bool   `help:"Though one was drafted today already."`
}

// Run drafts the day's questions to each prescriber: one message, by session date, with a reply block for each client. A
// person sends it.
func (c *questionsCommand) Run(ctx context.Context, s *scene) error {
	h, err := s.open(ctx)
	if err != nil {
		return err
	}
	defer h.close()
	in, err := h.view(ctx)
	if err != nil {
		return err
	}
	var drafts []string
	var drafted []readiness.Policy
	asked := map[string][]asking{} // by prescriber
	known := false
	for _, p := range h.policies() {
		if c.Prescriber != "" && c.Prescriber != p.Prescriber.Name {
			continue
		}
		known = true
		today, err := h.draftedToday(ctx, p.Prescriber.Name)
		if err != nil {
			return err
		}
		if today && !c.Again {
			_, _ = fmt.Fprintf(s.err, "The questions to %s were drafted today already: one message a day is enough (--again drafts them once more).\n", p.Prescriber.Title)
			continue
		}
		text, of, err := h.questions(ctx, p, in.Clients)
		if err != nil {
			return err
		}
		asked[p.Prescriber.Name] = of
		if text == "" {
			_, _ = fmt.Fprintf(s.err, "Nothing to ask %s today.\n", p.Prescriber.Title)
			continue
		}
		drafts, drafted = append(drafts, text), append(drafted, p)
	}
	if !known {
		return errors.New("--prescriber names nobody in the config")
	}
	if len(drafts) == 0 {
		return nil
	}
	whole := strings.Join(drafts, "\n\n=== next message ===\n\n")
	if c.Out != "" {
		if err := create(c.Out, []byte(whole)); err != nil {
			return fmt.Errorf("write the questions: %w", err)
		}
		s.printf("Wrote %s: read it, and send it the way you agreed.\n", c.Out)
	} else {
		s.printf("%s", whole)
	}
	for _, p := range drafted {
		name := p.Prescriber.Name
		if err := h.drafted(ctx, h.actor, p, asked[name]); err != nil {
			return err
		}
		if n := len(asked[name]); n > 0 {
			_, _ = fmt.Fprintf(s.err, "It tells %s of %s, and the accounting of disclosures says so; if it is not sent, correct that: kaphub disclosures add CLIENT --instead-of ID.\n", p.Prescriber.Title, many(n, "client"))
		}
	}
	return nil
}

// drafted notes that the day's questions to a prescriber were drafted by somebody, and of whom they tell. Nobody tells the hub
// whether a draft is sent: it counts as told until somebody corrects it.
func (h *hub) drafted(ctx context.Context, by string, p readiness.Policy, of []asking) error {
	name := p.Prescriber.Name
	if err := h.store.Set(ctx, by, questionsTo(name), h.now().UTC().Format(time.RFC3339)); err != nil {
		return fmt.Errorf("note that the questions were drafted: %w", err)
	}
	if err := h.store.Audit(ctx, by, "draft questions", "", name); err != nil {
		return err
	}
	for _, a := range of {
		_, err := h.store.Tell(ctx, by, exchange.Telling{
			Client: a.key, Party: name, Recipient: p.Prescriber.Title, At: h.now(), How: "e-mail", By: by,
			What:    "initials, year of birth, the day of the next session, and what of the prescriber's records is still open, in the day's questions",
			Purpose: "treatment, under the release: what the prescriber must answer before the session",
		})
		if err != nil {
			return fmt.Errorf("note what the questions tell of %s: %w", a.key, err)
		}
	}
	return nil
}

func questionsTo(prescriber string) string { return "questions " + prescriber }

// draftedToday reports whether a prescriber's questions were drafted on this day of the practice.
func (h *hub) draftedToday(ctx context.Context, prescriber string) (bool, error) {
	last, err := h.store.Setting(ctx, questionsTo(prescriber), 0)
	if err != nil || last == "" {
		return false, err
	}
	at, err := time.Parse(time.RFC3339, last)
	zone := h.config.Location()
	return err == nil && readiness.DayOf(at, zone) == readiness.DayOf(h.now(), zone), nil
}

// asking is what is to be asked about one client.
type asking struct {
	key    string
	client string    // as the message names them
	start  time.Time // of the next session; zero = none booked
	lines  []string
}

// questions is the message to one prescriber, "" when there is nothing to ask: what only they can answer, the nearest
// session first, and then what the sheet leaves open. With it comes about whom it asks. Nothing is asked about a client
// while their records may be two people's.
func (h *hub) questions(ctx context.Context, p readiness.Policy, verdicts []readiness.Verdict) (string, []asking, error) {
	var all []asking
	for _, v := range verdicts {
		if v.Prescriber != p.Prescriber.Name || plan.Mistaken(v) {
			continue
		}
		lines := ask(v)
		if len(lines) == 0 {
			continue
		}
		chart, err := h.store.Chart(ctx, v.Client, 0)
		if err != nil {
			return "", nil, err
		}
		if !mayAskAbout(chart, p, h.now()) {
			continue
		}
		a := asking{key: v.Client, client: discreet(chart), lines: lines}
		if v.Appointment != nil {
			a.start = v.Appointment.Start
		}
		all = append(all, a)
	}
	slices.SortStableFunc(all, func(a, b asking) int {
		if a.start.IsZero() != b.start.IsZero() {
			return map[bool]int{true: 1, false: -1}[a.start.IsZero()]
		}
		return cmp.Or(a.start.Compare(b.start), cmp.Compare(a.client, b.client))
	})
	open := unasked(p.Sheet)
	if len(all) == 0 && len(open) == 0 {
		return "", nil, nil
	}
	var b strings.Builder
	zone := h.config.Location()
	fmt.Fprintf(&b, "Questions to %s from %s, %s\n", p.Prescriber.Title, p.Practice.Title, h.now().In(zone).Format("Mon 2 Jan 2006"))
	if len(all) > 0 {
		fmt.Fprintf(&b, "Please fill in what applies below each client and send it back.\n")
	}
	for i, a := range all {
		session := "no session booked"
		if !a.start.IsZero() {
			session = "session " + a.start.In(zone).Format("Mon 2 Jan 2006 15:04")
		}
		fmt.Fprintf(&b, "\n%d. %s, %s\n", i+1, a.client, session)
		for _, line := range a.lines {
			fmt.Fprintf(&b, "   - %s\n", line)
		}
		fmt.Fprintf(&b, "\n%s\n", desk.ReplyBlock+"\n"+desk.ReplyEnd)
	}
	if len(open) > 0 {
		fmt.Fprintf(&b, "\nOf our agreement these lines are still open. For each, please give a value, or \"none\":\n")
		for _, line := range open {
			fmt.Fprintf(&b, "   - %s\n", cmp.Or(sheetLines[line], line))
		}
	}
	return b.String(), all, nil
}

// mayAskAbout reports whether a release lets this prescriber be told something of the client now: a question tells that they
// are one, and when their session is.
func mayAskAbout(chart fhir.Chart, p readiness.Policy, now time.Time) bool {
	return slices.ContainsFunc(readiness.Released(chart, p, now), func(r readiness.Release) bool { return r.Why == "" })
}

// sheetLines are what a line of the sheet asks.
var sheetLines = map[string]string{
	"clearance_validity": "For how long does a clearance hold that names no end?",
	"follow_up":          "How long after a decision do you want to see a client again?",
	"dose_interval":      "How many days lie at least between two dosing sessions?",
	"session_cap":        "How many dosing sessions in seven days at most?",
	"systolic_limit":     "Up to which systolic pressure may a session begin (mmHg)?",
	"diastolic_limit":    "Up to which diastolic pressure may a session begin (mmHg)?",
	"heart_rate_limit":   "Up to which heart rate may a session begin (bpm)?",
	"preparations":       "How many preparation sessions before the first dosing session?",
	"office_only":        "Are sessions in the therapist's office only?",
	"states_not_served":  "Which states do you not serve?",
	"lead_days":          "How many business days does a refill take?",
}

// ask gathers what of a verdict only the prescriber can answer: open gates of theirs, and findings that no gate tells.
func ask(v readiness.Verdict) (lines []string) {
	add := func(text string) {
		if text != "" && !slices.Contains(lines, text) {
			lines = append(lines, text)
		}
	}
	told := map[readiness.GateName]bool{}
	for _, g := range v.Gates {
		if g.Owner != readiness.Prescriber || g.State != readiness.Open && g.State != readiness.Untold {
			continue
		}
		told[g.Name] = true
		if g.Name == readiness.GateEvaluation || g.Name == readiness.GatePreparation || g.Name == readiness.GateInterval || g.Name == readiness.GateSetting {
			continue // the first follows from the decision; the others are lines of the sheet
		}
		add(g.Words)
	}
	for _, f := range v.Findings {
		if f.Owner != readiness.Prescriber || f.Under != "" || f.State == readiness.Resolved || f.Severity == readiness.S4 || byMouth[f.Code] {
			continue
		}
		if r := rule(f.Code); r == "" || !told[r] {
			add(f.Words)
		}
	}
	return lines
}

// byMouth are the rules whose words no message repeats, though the prescriber must act: they tell what another prescriber
// recorded, or what the client took. Whoever speaks with the prescriber decides what of it is theirs to hear.
var byMouth = map[string]bool{"R27": true, "R28": true, "R43": true}

// rule is the gate that a rule speaks of.
func rule(code string) readiness.GateName {
	for _, r := range readiness.Catalogue() {
		if r.Code == code {
			return r.Gate
		}
	}
	return ""
}

// discreet is how a client is named in a message: initials, year of birth and the hub key, and no more than that.
func discreet(chart fhir.Chart) string {
	var initials strings.Builder
	for _, word := range strings.Fields(readiness.ChosenName(chart)) {
		if r, _ := utf8.DecodeRuneInString(word); unicode.IsLetter(r) {
			initials.WriteString(strings.ToUpper(string(r)) + ".")
		}
	}
	year := ""
	for _, p := range fhir.Now(fhir.Of(fhir.Practice, chart.Patients)) {
		if p.Value.BirthDate != nil && len(*p.Value.BirthDate) >= 4 && year == "" {
			year = ", born " + (*p.Value.BirthDate)[:4]
		}
	}
	return cmp.Or(initials.String(), "client") + year + " (" + chart.Client + ")"
}
