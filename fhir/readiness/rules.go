package readiness

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"time"

	"github.com/kaphub/kaphub/fhir"
)

// Rule is one row of the catalogue (rules.md): what it asks, and how it judges.
type Rule struct {
	Code     string   // "R10"
	Name     string   // "clearance-expires-before-session"
	Asks     string   // what it looks for, in plain words
	Severity string   // as in the catalogue: "S2; S1 within 48 h"
	Owner    Owner    // who acts unless a finding says otherwise
	Gate     GateName // the gate it speaks of, "" when of none
	Holds    bool     // what it finds may be a recorded stop
	Under    []string // parents: while one is open, its findings are folded under it
	Source   string   // where the rule comes from: a CFR section, a guide, the prescriber's record, or "practice's choice"
	Sheet    []string // lines of the prescriber sheet that it goes by, as the config writes them
	Answered bool     // the prescriber answers it, whoever acts first (R42)
	Confided bool     // to its owner only: it is counted nowhere, where one more or less may tell of one client
	judge    func(*facts) []Finding
	derived  func(*facts, []*Finding) []Finding // instead of judge: looks at what the others found that keeps a session from being ready and is the prescriber's to answer, and may set when it is due
}

// Catalogue returns the rules that are judged, in the order of rules.md.
func Catalogue() []Rule { return slices.Clone(catalogue) }

var catalogue = slices.Concat(identityRules, clearanceRules, medicineRules, sessionRules, exchangeRules, lookingBackRules, conversationRules)

// noClearance are the parents of what need not be said while nothing is cleared.
var noClearance = []string{"R09", "R12"}

// Confided reports whether what the rule of code finds is told to its owner only.
func Confided(code string) bool {
	r := rule(code)
	return r != nil && r.Confided
}

// rule returns the catalogue's row of code.
func rule(code string) *Rule {
	for i := range catalogue {
		if catalogue[i].Code == code {
			return &catalogue[i]
		}
	}
	return nil
}

// judgeRules asks every rule that is asked for, those last that judge what the others found, and folds children under their
// open parent.
func (f *facts) judgeRules(asked func(*Rule) bool) []Finding {
	out := []Finding{}
	add := func(r *Rule, list []Finding) {
		for _, found := range list {
			found.Code, found.Rule, found.State = r.Code, r.Name, New
			if found.Owner == "" {
				found.Owner = r.Owner
			}
			found.Takes = taker(found.Owner, found.Next, atTheDay(r.Gate))
			if found.Because == nil {
				found.Because = []fhir.Basis{}
			}
			if f.next != nil && (found.Severity == S1 || found.Severity == S2) && (found.Due.IsZero() || found.Due.After(f.next.start)) {
				found.Due = f.next.start // the session does not begin beside it
			}
			found.ID = findingID(f.chart.Client, f.policy.Prescriber.Name, r.Name, found.ID)
			out = append(out, found)
		}
	}
	for i := range catalogue {
		if r := &catalogue[i]; r.judge != nil && asked(r) {
			add(r, r.judge(f))
		}
	}
	out = gravest(out)
	var waiting []*Finding
	for i := range out {
		if r := &out[i]; (r.Severity == S1 || r.Severity == S2) && (r.Owner == Prescriber || rule(r.Code).Answered) {
			waiting = append(waiting, r)
		}
	}
	for i := range catalogue {
		if r := &catalogue[i]; r.derived != nil {
			add(r, r.derived(f, waiting))
		}
	}
	return fold(out)
}

// every asks for every rule, holding for those whose findings may be a recorded stop.
func every(*Rule) bool     { return true }
func holding(r *Rule) bool { return r.Holds }

// fold puts each finding under the first of its parents that is there too. What is graver than its parent speaks for
// itself: an S1 never hides behind an S2.
func fold(found []Finding) []Finding {
	for i := range found {
		for _, parent := range rule(found[i].Code).Under {
			if found[i].Under == "" && slices.ContainsFunc(found, func(f Finding) bool { return f.Code == parent && f.Severity <= found[i].Severity }) {
				found[i].Under = parent
			}
		}
	}
	return found
}

// gravest keeps one finding of each id, the gravest: what two records say of one thing is one finding.
func gravest(found []Finding) []Finding {
	if len(found) < 2 {
		return found
	}
	out := make([]Finding, 0, len(found))
	at := make(map[string]int, len(found))
	for _, f := range found {
		i, again := at[f.ID]
		switch {
		case !again:
			at[f.ID], out = len(out), append(out, f)
		case f.Severity < out[i].Severity:
			out[i] = f
		}
	}
	return out
}

// findingID names a finding: the same for the same client, prescriber, rule and thing it is about.
func findingID(client, prescriber, rule, about string) string {
	h := sha256.New()
	for _, s := range []string{client, prescriber, rule, about} {
		_, _ = h.Write([]byte(s))
		_, _ = h.Write([]byte{0})
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// found makes a finding about something; the rule's row and the id are filled in by judgeRules.
func found(severity Severity, about, words, next string, rests ...*fhir.Version) Finding {
	return Finding{ID: about, Severity: severity, Words: words, Next: next, Because: because(rests...)}
}

func (f Finding) by(o Owner) Finding {
	f.Owner = o
	return f
}

// due sets by when it must be resolved. What keeps a session from beginning is due when it begins, whatever else is said.
func (f Finding) due(t time.Time) Finding {
	f.Due = t
	return f
}

func (f Finding) values(pairs ...string) Finding {
	f.Values = make(map[string]string, len(pairs)/2)
	for i := 0; i+1 < len(pairs); i += 2 {
		f.Values[pairs[i]] = pairs[i+1]
	}
	return f
}

// window is the dosing sessions that rules look at: those that may still happen in the next 14 days. They are found once.
func (f *facts) window() []*session {
	if !f.windowed {
		f.inWindow, f.windowed = f.findWindow(), true
	}
	return f.inWindow
}

func (f *facts) findWindow() []*session {
	ahead := f.policy.Rules.Window
	if ahead == 0 {
		ahead = DefaultRules().Window
	}
	return f.within(ahead)
}

// within is the dosing sessions that may still happen, and begin so far ahead at most.
func (f *facts) within(ahead time.Duration) []*session {
	var out []*session
	for i := range f.dosing {
		s := &f.dosing[i]
		if s.standing() && !f.clock.passed(s.end) && f.clock.passed(s.start.Add(-ahead)) && (s == f.next || f.owns(s) != no) {
			out = append(out, s)
		}
	}
	return out
}

// later is n business days after t by the prescriber's calendar.
func (f *facts) later(t time.Time, n int) time.Time {
	return f.policy.Sheet.Hours.Later(t, n, f.zone)
}
