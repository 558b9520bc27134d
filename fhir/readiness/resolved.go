package readiness

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/kaphub/kaphub/fhir"
)

const nothingSaysSo = "the records no longer say so"

// After returns v as the successor of previous: its findings tracked, and what is resolved told with what resolved it.
// chart and policy are those that v was judged by.
//
//	since previous                                              it was resolved by
//	the rule's gate is met, and rests on what was told since    the gate's words, and those records
//	a record that the finding rested on was told anew, or gone  that record
//	a source that was not fresh was read completely             that read
//	another gate that answers it is met, by what was told since that gate's words, and those records
//	the settings changed                                        the settings
//	a person or another side acted on what is no record         that it was done, in words: a link, a delivery, a sealed record
//	the rule's gate is met                                      the gate's words, and what the gate rests on
//	another record was told                                     the newest one
//	nothing                                                     its time is over
func (v Verdict) After(previous Verdict, chart *fhir.Chart, policy *Policy, now time.Time) Verdict {
	v.Findings = Track(previous.Findings, v.Findings, now)
	e := ending{verdict: &v, before: &previous, chart: chart, policy: policy, zone: cmp.Or(policy.Zone, time.UTC)}
	for i := range v.Findings {
		f := &v.Findings[i]
		was := slices.IndexFunc(previous.Findings, func(p Finding) bool { return p.ID == f.ID })
		if f.State == Resolved && was >= 0 && previous.Findings[was].State != Resolved {
			f.By, f.Ended = e.of(&previous.Findings[was])
		}
	}
	return v
}

// ending finds what resolved findings between two verdicts.
type ending struct {
	verdict, before *Verdict
	chart           *fhir.Chart
	policy          *Policy
	zone            *time.Location

	news   []*fhir.Version // told since the verdict before, newest first; looked for when first asked for
	looked bool
}

// of says what resolved f, in words, and which records did.
func (e *ending) of(f *Finding) (words string, by []fhir.Basis) {
	var gate *Gate
	if r := rule(f.Code); r != nil {
		if g, ok := e.verdict.Gate(r.Gate); ok && g.State == Met {
			gate = &g
		}
	}
	if gate != nil {
		if by := e.among(gate.Because, true); by != nil {
			return gate.Words, by
		}
	}
	if by := e.among(f.Because, false); by != nil {
		return e.told(by[0]), by
	}
	code, source, _ := strings.Cut(f.RollUp, "/")
	if s, ok := e.chart.Source(source); ok && slices.Contains([]string{"R44", "R45"}, code) && s.Complete {
		return source + " was read completely, up to " + onDay(s.LastComplete, e.zone) + " " + atTime(s.LastComplete, e.zone), nil
	}
	if g, ok := e.verdict.Gate(answers[f.Code]); ok && g.State == Met {
		if by := e.among(g.Because, true); by != nil {
			return g.Words, by
		}
	}
	if e.before.Policy != e.verdict.Policy {
		return "the settings, code maps or rules changed", nil
	}
	if words, ok := actedOn[f.Code]; ok {
		return words, nil
	}
	if gate != nil && gate.Words != "" {
		return gate.Words, gate.Because
	}
	for _, v := range e.since() {
		if v.Party == fhir.Practice || v.Party == e.policy.Prescriber.Name {
			b := because(v)
			return e.told(b[0]), b
		}
	}
	return "its time is over; no newer record was told", nil
}

// answers names the gate, besides the rule's own, that says how a finding ended: a release signed anew ends its withdrawal,
// a decision ends an adverse event.
var answers = map[string]GateName{"R07": GateRelease, "R30": GateClearance}

// actedOn says what resolves a finding that rests on no record.
var actedOn = map[string]string{
	"R01": "somebody decided whose record it is",
	"R45": "what could not be read was settled, or read",
	"R46": "it arrived, or somebody settled it",
	"R49": "the privacy officer looked at it",
}

// among returns the news that tell of the records named: exactly those versions, or any newer ones of the same records.
func (e *ending) among(named []fhir.Basis, exactly bool) (out []fhir.Basis) {
	for _, v := range e.since() {
		if slices.ContainsFunc(named, func(b fhir.Basis) bool {
			return b.Source == v.Source && b.Type == v.Type && b.ID == v.ID && (!exactly || b.Version == v.N)
		}) {
			out = append(out, because(v)...)
		}
	}
	return out
}

// since returns what was told since the verdict before, newest first.
func (e *ending) since() []*fhir.Version {
	if !e.looked {
		e.looked = true
		eachTold(e.chart, func(v *fhir.Version, _ bool) {
			if v.Moment > e.before.Moment {
				e.news = append(e.news, v)
			}
		})
		slices.SortStableFunc(e.news, func(a, b *fhir.Version) int {
			return cmp.Or(-cmp.Compare(a.Moment, b.Moment), -a.Recorded().Compare(b.Recorded()), cmp.Compare(a.String(), b.String()))
		})
	}
	return e.news
}

// told says who told which record when. Of another prescriber's it says no more than that.
func (e *ending) told(b fhir.Basis) string {
	i := slices.IndexFunc(e.news, func(v *fhir.Version) bool {
		return v.Source == b.Source && v.Type == b.Type && v.ID == b.ID && v.N == b.Version
	})
	v := e.news[i]
	who := anotherPrescriber
	for _, p := range []Party{e.policy.Practice, e.policy.Prescriber} {
		if p.Name == v.Party {
			who = cmp.Or(p.Title, p.Name)
		}
	}
	did := " recorded "
	if v.Gone {
		did = " no longer has "
	}
	what := "a newer record"
	if who != anotherPrescriber {
		what = plainRecord(v)
	}
	return begin(who) + did + what + " on " + onDay(v.Recorded(), e.zone) + " " + atTime(v.Recorded(), e.zone)
}

// plainRecord names a record as the clinic does, and how it stands: "the stop as inactive".
func plainRecord(v *fhir.Version) string {
	what := cmp.Or(map[string]string{
		"Appointment": "the appointment", "Consent": "the consent", "Flag": "the stop", "MedicationRequest": "the prescription",
		"MedicationDispense": "the dispense", "MedicationAdministration": "a dose taken", "Procedure": "a session kept", "Patient": "the client's record",
		"Observation": "an entry", "Task": "the Task", "ServiceRequest": "the referral", "AdverseEvent": "the adverse event", "CarePlan": "the care plan",
		"PractitionerRole": "a role",
	}[v.Type], v.Type)
	var r struct {
		Status string
		Code   struct{ Coding []struct{ Code string } }
	}
	if v.Gone || json.Unmarshal(v.Resource.Body, &r) != nil {
		return what
	}
	for _, c := range r.Code.Coding {
		if v.Type == "Observation" && c.Code == fhir.CodeClearance {
			what = "a decision"
		}
	}
	if r.Status == "" || r.Status == "final" {
		return what
	}
	return what + " as " + r.Status
}
