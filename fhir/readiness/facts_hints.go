package readiness

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/kaphub/kaphub/fhir"
)

// hint is what the referral's Task says of the decision: in its business status, or in a code among its outputs. It is no
// decision: it does not say who decided, for which medicine and until when.
type hint struct {
	says string // a code of SystemDecision
	task *fhir.Version
	at   time.Time
}

// hint returns what the newest coordination Task says of the decision; ok is false when it says nothing. An output counts
// before the business status, and of several outputs one that does not clear.
func (f *facts) hint() (h hint, ok bool) {
	task := f.task()
	if task == nil || !task.live() {
		return h, false
	}
	h = hint{says: f.hinted(task.Party, task.Value), task: task.Version}
	if h.says == "" {
		return h, false
	}
	h.at = f.turned(task, func(t *fhir.Task) bool { return f.hinted(task.Party, t) == h.says })
	return h, true
}

// hinted is what t says of the decision, a code of SystemDecision; "" when it says nothing.
func (f *facts) hinted(party string, t *fhir.Task) (says string) {
	for i := range t.Output {
		out := &t.Output[i]
		var concept fhir.CodeableConcept
		if out.Name != "valueCodeableConcept" || json.Unmarshal(out.Value, &concept) != nil {
			continue
		}
		if code := f.code(party, &concept, fhir.SystemDecision); code != "" && (says == "" || hint{says: says}.clears()) {
			says = code
		}
	}
	if says != "" {
		return says
	}
	switch status := f.code(party, t.BusinessStatus, fhir.SystemBusinessStatus); status {
	case fhir.BusinessCleared, fhir.BusinessConditions, fhir.BusinessNotCleared, fhir.BusinessDeferred, fhir.DecisionWithdrawn:
		return status
	}
	return ""
}

// turned returns when task came to say what same tells: the last moment that its own date may mean; or later, when the hub
// heard it say something else before. Not every system keeps that date up, and none is later than it was heard.
func (f *facts) turned(task *record[fhir.Task], same func(*fhir.Task) bool) time.Time {
	at := f.atLatest(task.Recorded(), task.Value.LastModified)
	if at.After(task.Received) && !task.Received.IsZero() {
		at = task.Received
	}
	if began := task.since(same); began.After(task.first()) && began.After(at) {
		at = began
	}
	return at
}

// clears reports whether h says that the client is cleared.
func (h hint) clears() bool {
	return h.says == fhir.DecisionCleared || h.says == fhir.DecisionConditions
}

// question is what the prescriber waits for, and from whom.
type question struct {
	*fhir.Version
	words string // what is asked, ": “…”", or ""
	since time.Time
	owner Owner
}

// asked returns what the prescriber waits for: the Tasks that it opened as part of a referral, but for those it keeps for
// itself, and a business status that says so.
func (f *facts) asked() (all []question) {
	if task := f.task(); task != nil && task.live() && !slices.Contains(closed, task.Value.Status.Code()) {
		if code := f.businessStatus(task); waitsFor[code] != "" {
			since := task.since(func(t *fhir.Task) bool {
				return f.businessStatus(&record[fhir.Task]{Version: task.Version, Value: t}) == code
			})
			if !f.decidedAfter(since) {
				all = append(all, question{task.Version, f.why(task), since, waitsFor[code]})
			}
		}
	}
	for i := range f.questions {
		q := &f.questions[i]
		status := q.Value.Status.Code()
		if !q.live() || copied(q.Value.Identifier) || slices.Contains(closed, status) || status == "entered-in-error" || status == "draft" {
			continue
		}
		owner := Admin
		if o := q.Value.Owner; o != nil {
			if f.names(o, q.Version, &f.policy.Prescriber) {
				continue
			}
			if to, _, ok := target(o); ok && to.Type == "Patient" {
				owner = Client
			}
		}
		said := ""
		if q.Value.Description != nil {
			said = quoted(*q.Value.Description)
		}
		all = append(all, question{q.Version, said, f.instant(q.first(), q.Value.AuthoredOn), owner})
	}
	return all
}

// waitsFor are the business statuses in which the prescriber waits, and for whom.
var waitsFor = map[string]Owner{
	fhir.BusinessAwaitsInformation: Admin,
	fhir.BusinessIntakeIncomplete:  Client,
	fhir.BusinessAwaitsConsent:     Client,
}

// proposals returns the prescriber's own proposals in place of a referral of ours, that stand and that no newer referral
// has answered.
func (f *facts) proposals() (all []record[fhir.ServiceRequest]) {
	for _, r := range records(f.chart.ServiceRequests, f.look) {
		if !f.ours(r.Version) || copied(r.Value.Identifier) || !r.live() || r.Value.Intent.Code() != "proposal" || len(r.Value.BasedOn)+len(r.Value.Replaces) == 0 {
			continue
		}
		if status := r.Value.Status.Code(); status != "active" && status != "draft" {
			continue
		}
		if slices.ContainsFunc(f.referrals, func(order record[fhir.ServiceRequest]) bool {
			return f.instant(order.first(), order.Value.AuthoredOn).After(r.first())
		}) {
			continue
		}
		all = append(all, r)
	}
	return all
}

// quoted is what a partner wrote, as it reads on the screen: in one line, no longer than whyText; "" when it wrote nothing.
func quoted(said string) string {
	said = strings.Join(strings.Fields(strings.Map(plainly, said)), " ")
	if said == "" {
		return ""
	}
	if runes := []rune(said); len(runes) > whyText {
		said = strings.TrimSpace(string(runes[:whyText])) + " …"
	}
	return ": “" + said + "”"
}
