package main

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
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
	digests := map[string]string{}
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
		asked[p.Prescriber.Name], digests[p.Prescriber.Name] = of, digestOf(text)
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
		if _, err := h.drafted(ctx, h.actor, p, asked[name], digests[name]); err != nil {
			return err
		}
		if n := len(asked[name]); n > 0 {
			_, _ = fmt.Fprintf(s.err, "It tells %s of %s, and the accounting of disclosures says so; if it is not sent, correct that: kaphub disclosures add CLIENT --instead-of ID.\n", p.Prescriber.Title, many(n, "client"))
		}
	}
	return nil
}

// drafted notes that the day's questions to a prescriber were drafted by somebody, and of whom they tell. Nobody tells the hub
// whether a draft is sent: it counts as told until somebody corrects it. The same draft is noted once: already says that it was.
func (h *hub) drafted(ctx context.Context, by string, p readiness.Policy, of []asking, digest string) (already bool, err error) {
	name := p.Prescriber.Name
	last, err := h.lastDraft(ctx, name)
	if err != nil || last.digest == digest && digest != "" {
		return err == nil, err
	}
	now := h.now().UTC().Truncate(time.Second)
	noted := sentDraft{at: now, digest: digest}
	for _, a := range of {
		noted.clients = append(noted.clients, a.key)
	}
	if err := h.store.Set(ctx, by, questionsTo(name), noted.String()); err != nil {
		return false, fmt.Errorf("note that the questions were drafted: %w", err)
	}
	if err := h.store.Audit(ctx, by, "draft questions", "", name); err != nil {
		return false, err
	}
	for _, a := range of {
		_, err := h.store.Tell(ctx, by, exchange.Telling{
			Client: a.key, Party: name, Recipient: p.Prescriber.Title, At: now, How: "e-mail", By: by,
			What:    "initials, year of birth, the day of the next session, and what of the prescriber's records is still open, in the day's questions",
			Purpose: "treatment, under the release: what the prescriber must answer before the session",
		})
		if err != nil {
			return false, fmt.Errorf("note what the questions tell of %s: %w", a.key, err)
		}
	}
	return false, nil
}

// unsent takes back that the last draft to a prescriber was sent: what it would have told of each client stands corrected, and
// the day's questions may be drafted again. exchange.ErrNotFound when none is noted.
func (h *hub) unsent(ctx context.Context, by string, p readiness.Policy) error {
	name := p.Prescriber.Name
	last, err := h.lastDraft(ctx, name)
	if err != nil {
		return err
	}
	if last.digest == "" {
		return exchange.ErrNotFound
	}
	for _, client := range last.clients {
		_, told, err := h.store.Account(ctx, client)
		if err != nil {
			return err
		}
		for _, t := range told {
			if t.Corrected || t.Party != name || !t.At.Equal(last.at) || t.How == exchange.NotTold {
				continue
			}
			_, err := h.store.Tell(ctx, by, exchange.Telling{Client: client, Party: name, Recipient: t.Recipient, At: t.At, How: exchange.NotTold, By: by,
				What: "nothing: the day's questions were drafted, and not sent", Purpose: "a correction", Instead: t.ID})
			if err != nil {
				return fmt.Errorf("correct what the questions tell of %s: %w", client, err)
			}
		}
	}
	if err := h.store.Audit(ctx, by, "take back questions", "", name); err != nil {
		return err
	}
	return h.store.Set(ctx, by, questionsTo(name), "")
}

// sentDraft is what is kept of a draft: when it was noted as sent, its digest, and of whom it tells.
type sentDraft struct {
	at      time.Time // zero: none
	digest  string    // "": one of which only the time was kept
	clients []string
}

func (d sentDraft) String() string {
	return strings.Join(append([]string{d.at.Format(time.RFC3339), d.digest}, d.clients...), " ")
}

// lastDraft is the last draft to a prescriber that was noted as sent and not taken back.
func (h *hub) lastDraft(ctx context.Context, prescriber string) (d sentDraft, err error) {
	text, err := h.store.Setting(ctx, questionsTo(prescriber), 0)
	if err != nil || text == "" {
		return d, err
	}
	parts := strings.Fields(text)
	if d.at, err = time.Parse(time.RFC3339, parts[0]); err != nil {
		return d, fmt.Errorf("when the questions were drafted: %w", err)
	}
	if len(parts) > 1 {
		d.digest, d.clients = parts[1], parts[2:]
	}
	return d, nil
}

// digestOf tells one draft from another.
func digestOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:16])
}

func questionsTo(prescriber string) string { return "questions " + prescriber }

// draftedToday reports whether a prescriber's questions were drafted on this day of the practice.
func (h *hub) draftedToday(ctx context.Context, prescriber string) (bool, error) {
	last, err := h.lastDraft(ctx, prescriber)
	if err != nil || last.at.IsZero() {
		return false, err
	}
	zone := h.config.Location()
	return readiness.DayOf(last.at, zone) == readiness.DayOf(h.now(), zone), nil
}

// asking is what is to be asked about one client.
type asking struct {
	key    string
	client string    // as the message names them
	start  time.Time // of the next session; zero = none booked
	lines  []string
	reply  string // what is to be filled in: the fields that fit what is asked
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
		a := asking{key: v.Client, client: discreet(chart), lines: lines, reply: replyTo(v, len(lines))}
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
		fmt.Fprintf(&b, "\n%s\n", a.reply+"\n"+desk.ReplyEnd)
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
	clearance, _ := v.Gate(readiness.GateClearance)
	cleared := clearance.State == readiness.Met
	for _, g := range v.Gates {
		if g.Owner != readiness.Prescriber || g.State != readiness.Open && g.State != readiness.Untold {
			continue
		}
		told[g.Name] = true
		if g.Name == readiness.GateEvaluation || g.Name == readiness.GatePreparation || g.Name == readiness.GateInterval || g.Name == readiness.GateSetting {
			continue // the first follows from the decision; the others are lines of the sheet
		}
		if g.Name == readiness.GatePrescription && !cleared {
			continue // it follows from a decision that clears
		}
		add(g.Words)
	}
	for _, f := range v.Findings {
		if f.Owner != readiness.Prescriber && !theirWord[f.Code] || f.Under != "" || f.State == readiness.Resolved || f.Severity == readiness.S4 || byMouth[f.Code] {
			continue
		}
		if r := rule(f.Code); r == "" || !told[r] {
			add(f.Words)
		}
	}
	return lines
}

// theirWord are the rules that ask the practice to ask the prescriber, and that only a word of theirs ends: an effect of a session,
// and a dose or a label that differs from what was prescribed.
var theirWord = map[string]bool{"R25": true, "R30": true}

// deciding are the gates that a decision answers.
var deciding = []readiness.GateName{readiness.GateClearance, readiness.GateEvaluation, readiness.GateHold}

// replyTo are the fields for the answers to what is asked about a client: a decision's where one is asked for, and else, or for
// the rest, a line.
func replyTo(v readiness.Verdict, lines int) string {
	decisions := 0
	for _, g := range v.Gates {
		if g.Owner == readiness.Prescriber && (g.State == readiness.Open || g.State == readiness.Untold) && g.Name != readiness.GateEvaluation && slices.Contains(deciding, g.Name) {
			decisions++
		}
	}
	for _, f := range v.Findings {
		if f.Code == "R30" && f.Under == "" && f.State != readiness.Resolved || f.Owner == readiness.Prescriber && f.Code != "R30" && slices.Contains(deciding, rule(f.Code)) {
			decisions++
		}
	}
	switch {
	case decisions == 0:
		return answerLine
	case decisions < lines: // it stands before the block: what follows DIRECTIONS is read as directions
		return answerLine + "\n\n" + desk.ReplyBlock
	}
	return desk.ReplyBlock
}

// answerLine is where a question that asks for no decision is answered.
const answerLine = "ANSWER: (in a line, to what is asked above; done, or when)"

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
