package store

import (
	"bytes"
	"testing"
	"time"

	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/exchange"
	"github.com/kaphub/kaphub/fhir/fhirtest"
	"github.com/kaphub/kaphub/fhir/plan"
	"github.com/kaphub/kaphub/fhir/readiness"
)

// Of conditions nothing but the watch list is kept: not as a record, and not as a reject either.
func keepsTheWatchListOnly(t *testing.T, dsn string) {
	w, course, client := enrolledWorld(t, dsn)
	at := course.On(w.now)
	listed := fhir.Code{System: fhir.SystemICD10, Code: "Z33.1"}
	secret := fhir.Code{System: fhir.SystemICD10, Code: "F43.10"}
	other := at.Diagnosis(secret, fhirtest.Set("id", "other"), fhirtest.Set("recordedDate", nil))
	done := w.receive(ehr, page(at.Diagnosis(listed), other))
	want(t, "one version is stored", done.Versions, 1)
	want(t, "one is passed over", done.Ignored, 1)
	kept := w.chart(client).Conditions
	want(t, "the chart has the one on the list", len(kept), 1)
	want(t, "and it is that one", kept[0].Value.Code.Coding[0].Code != nil && *kept[0].Value.Code.Coding[0].Code == listed.Code, true)
	want(t, "the client is judged again", len(w.stale()) > 0, true)

	broken := func(r fhir.Resource) exchange.Page {
		return exchange.Page{Complete: true, Rejects: []fhir.Reject{{Type: r.Type, Ref: r.ID, Reason: "unknown code", Body: r.Body, Hash: r.Hash, Subject: fhir.Ref{Type: "Patient", ID: course.Patient}}}}
	}
	w.receive(ehr, broken(other.Resource))
	want(t, "a broken one that is not on the list is no reject", len(w.chart(client).Rejects), 0)
	w.receive(ehr, broken(at.Diagnosis(listed, fhirtest.Set("id", "broken")).Resource))
	want(t, "a broken one that is on it is", len(w.chart(client).Rejects), 1)
	for _, r := range w.chart(client).Rejects {
		want(t, "and nothing of the other", bytes.Contains(r.Body, []byte(secret.Code)), false)
	}
}

// What a kept record says does not stand for ever once it says something else that is not kept: a limit that the prescriber
// took out of a goal is gone, and an older telling that comes late takes nothing away.
func forgetsWhatIsKeptNoMore(t *testing.T, dsn string) {
	w, course, client := enrolledWorld(t, dsn)
	target := func(code string) fhir.Edit {
		return fhirtest.Set("target", []any{map[string]any{"measure": map[string]any{"coding": []any{map[string]any{"system": fhir.SystemLOINC, "code": code}}},
			"detailQuantity": map[string]any{"value": 150, "system": fhir.SystemUCUM, "code": "mm[Hg]"}}})
	}
	goal := func(code string, ago time.Duration) exchange.Page {
		return page(course.On(w.now.Add(-ago)).Goal(target(code)))
	}
	w.receive(skylight, goal(fhir.LOINCSystolic, 2*time.Hour))
	want(t, "the limit is kept", len(w.chart(client).Goals), 1)
	w.receive(skylight, goal("29463-7", 3*time.Hour))
	want(t, "an older telling takes nothing away", len(w.chart(client).Goals), 1)
	w.receive(skylight, goal("29463-7", time.Hour))
	goals := w.chart(client).Goals
	want(t, "a newer one does", goals[len(goals)-1].Gone, true)
	want(t, "and is not kept itself", bytes.Contains(goals[len(goals)-1].Resource.Body, []byte("29463-7")), false)
	want(t, "the client is judged again", len(w.stale()) > 0, true)
}

// What a kept record said may stand no more once a newer telling of it cannot be read: whatever its codes seem to say, the
// client waits for one that can (law 1). Of what was never kept nothing is noted.
func doubtsWhatIsKeptAndBroken(t *testing.T, dsn string) {
	w, course, client := enrolledWorld(t, dsn)
	limit := course.On(w.now.Add(-2 * time.Hour)).Goal(fhirtest.Set("target", []any{map[string]any{"measure": map[string]any{"coding": []any{map[string]any{"system": fhir.SystemLOINC, "code": fhir.LOINCSystolic}}},
		"detailQuantity": map[string]any{"value": 150, "system": fhir.SystemUCUM, "code": "mm[Hg]"}}}))
	broken := func(id string) exchange.Page {
		body := []byte(`{"resourceType":"Goal","id":"` + id + `","lifecycleStatus":"activ","target":[{"measure":{"coding":[{"code":"8480-6"}]}}]}`)
		return exchange.Page{Complete: true, Rejects: []fhir.Reject{{Type: "Goal", Ref: id, Reason: "unknown code", Body: body, Subject: fhir.Ref{Type: "Patient", ID: "s-" + course.Patient}}}}
	}
	w.receive(skylight, broken(limit.ID))
	want(t, "what was never kept is no reject", len(w.chart(client).Rejects), 0)
	w.receive(skylight, page(limit))
	w.receive(skylight, broken(limit.ID))
	want(t, "what was kept is", len(w.chart(client).Rejects), 1)
	want(t, "and nothing of what it says", len(w.chart(client).Rejects[0].Body), 0)
	w.receive(skylight, broken(limit.ID))
	want(t, "once", len(w.chart(client).Rejects), 1)
	w.receive(skylight, page(course.On(w.now).Goal(fhirtest.Set("target", []any{map[string]any{"measure": map[string]any{"coding": []any{map[string]any{"system": fhir.SystemLOINC, "code": "29463-7"}}}}}))))
	want(t, "until it can be read", len(w.chart(client).Rejects), 0)
	goals := w.chart(client).Goals
	want(t, "and says something else", goals[len(goals)-1].Gone, true)
}

// Whoever is named as a practitioner is shown with their roles, though nobody names those.
func findsRoles(t *testing.T, dsn string) {
	w, course, client := enrolledWorld(t, dsn)
	at := course.On(w.now)
	dr := at.Told(fhirtest.PrescriberSource, fhirtest.Prescriber, `{"resourceType":"Practitioner","id":"dr","identifier":[{"system":"`+fhirtest.DeciderNPI.System+`","value":"`+fhirtest.DeciderNPI.Value+`"}]}`)
	role := at.Role(fhirtest.Set("practitioner", map[string]any{"reference": "Practitioner/dr"}))
	w.receive(skylight, page(dr, role))
	want(t, "nobody names the practitioner yet", len(w.chart(client).PractitionerRoles), 0)
	w.receive(skylight, page(at.Clearance(fhir.DecisionCleared, course.Day(-1), course.Day(60), fhirtest.Set("performer", []any{map[string]any{"reference": "Practitioner/dr"}}))))
	want(t, "the role comes with the one who decided", len(w.chart(client).PractitionerRoles), 1)
	w.decide(w.verdict(client, readiness.InOrder), plan.Changes{})
	want(t, "judged", len(w.stale()), 0)
	ended := at.Role(fhirtest.Set("practitioner", map[string]any{"reference": "Practitioner/dr"}), fhirtest.Set("active", false))
	w.receive(skylight, page(ended))
	want(t, "that it ended, the client is judged by", len(w.stale()) > 0, true)
}
