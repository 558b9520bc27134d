package report_test

import (
	"strings"
	"testing"
	"time"

	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/fhirtest"
	"github.com/kaphub/kaphub/jobs/report"
)

var shownAt = time.Date(2026, 3, 3, 16, 0, 0, 0, time.UTC)

// What a record says can be read by a person, whatever type it is of.
func TestARecordIsToldInWords(t *testing.T) {
	t.Parallel()
	c := fhirtest.Client(shownAt)
	all := append(c.Blameless(), c.DaysBefore(2).Goal(), c.CarePlan(), c.AdverseEvent(fhir.CodeAskPrescriber), c.Administration(shownAt.AddDate(0, 0, -9), 1), c.SessionDone(shownAt.AddDate(0, 0, -9)), c.Flag("active"))
	chart := c.Chart(all...)
	r := report.NewRecords(&chart, map[string]string{fhir.Practice: "Reverie", fhirtest.Prescriber: "Skylight"}, nil, fhirtest.Denver)
	if got := len(r.All()); got != len(all) {
		t.Errorf("%d versions, want %d", got, len(all))
	}
	said := map[string]string{}
	for _, v := range r.All() {
		rec, ok := r.Of(v.Basis())
		if !ok || rec.Title == "" || len(rec.Says) == 0 {
			t.Errorf("%s says nothing: %+v", v.Key, rec)
		}
		text := ""
		for _, s := range rec.Says {
			text += s.Name + "=" + s.Value + "|"
		}
		said[rec.Kind] += text
	}
	for kind, want := range map[string]string{
		"Blood pressure": "mmHg", "Decision": "Says=cleared|", "Prescription": "Directions=", "Dosing session": "From=", "Go-ahead": "Says=yes|", "Consent to treatment": "Status=active",
		"Ride home": "Says=yes", "Adverse event": "Grade=", "Medicine taken": "Dose=", "Who the client is": "Juniper Invented-p1 (chosen)", "Referral": "|For=evaluation|", "Release of information": "Status=active|", "Request to take the referral up": "What=to take it up|",
	} {
		for _, raw := range []string{"IDSCL", "kap-", "=fulfill", "patient-privacy"} {
			if strings.Contains(said[kind], raw) {
				t.Errorf("%s tells the code %q: %s", kind, raw, said[kind])
			}
		}
		if !strings.Contains(said[kind], want) {
			t.Errorf("%s tells %q, want %q in it", kind, said[kind], want)
		}
	}
}

// What is open says nothing but dates, states and who the client is: a new row of the table is for those who may see all.
func TestWhatIsOpenIsNoStoryAndNoNumber(t *testing.T) {
	t.Parallel()
	c := fhirtest.Client(shownAt)
	const mark = "MARK-7734"
	chart := c.Chart(
		c.Prescription(fhirtest.Set("dosageInstruction", []any{map[string]any{"text": mark}}), fhirtest.Set("status", "active")),
		c.AdverseEvent(fhir.CodeSerious, fhirtest.Set("event", map[string]any{"text": mark})),
		c.BloodPressure(181, 97), c.Clearance(fhir.DecisionConditions, c.Day(-5), c.Day(50), fhirtest.Set("note", []any{map[string]any{"text": mark}})),
		c.Dosing(c.Session, fhirtest.Set("comment", mark), fhirtest.Set("description", mark)),
	)
	r := report.NewRecords(&chart, nil, nil, fhirtest.Denver)
	marked := 0
	for _, v := range r.All() {
		rec := r.Word(v)
		for _, s := range rec.Says {
			if strings.Contains(s.Value, mark) || strings.Contains(s.Value, "181") {
				marked++
			}
		}
		for _, s := range rec.Open() {
			if strings.Contains(s.Value, mark) || strings.Contains(s.Value, "181") {
				t.Errorf("%s %s is open", rec.Kind, s.Name)
			}
		}
	}
	if marked < 5 {
		t.Errorf("only %d marks are told at all, so little is tested", marked)
	}
}

// An entry says who made it, how it came and from whom.
func TestAnEntryNamesWhoEnteredIt(t *testing.T) {
	t.Parallel()
	c := fhirtest.Client(shownAt)
	stop := c.Told("desk-skylight", fhirtest.Prescriber, `{"resourceType":"Flag","id":"stop-1","meta":{"versionId":"1"},"status":"active","code":{"text":"stop"},"subject":{"reference":"Patient/client-1"}}`)
	said := c.Told("desk-skylight", fhirtest.Prescriber, `{"resourceType":"Provenance","id":"e-1","meta":{"versionId":"1"},"recorded":"2026-03-03T15:00:00Z","target":[{"reference":"Flag/stop-1/_history/1"}],
		"agent":[{"who":{"identifier":{"system":"`+fhir.SystemActor+`","value":"ada"},"display":"ada"}},{"who":{"display":"Dr. Vale"},"onBehalfOf":{"display":"Skylight"}}],
		"entity":[{"role":"source","what":{"identifier":{"system":"`+fhir.SystemMedium+`","value":"phone"}}}]}`)
	chart := c.Chart(stop, said)
	rec := report.NewRecords(&chart, nil, nil, nil).Word(&stop)
	if rec.By != "ada" || rec.Told != "phone" || rec.From != "Dr. Vale" {
		t.Errorf("%+v", rec)
	}
}

// Whose number it is, is told by name where the settings or a directory know it; a number is never told bare, and one that two
// have is nobody's.
func TestANumberIsTold(t *testing.T) {
	t.Parallel()
	practitioner := func(id, name string) string {
		return `{"resourceType":"Practitioner","id":"` + id + `","identifier":[{"system":"http://hl7.org/fhir/sid/us-npi","value":"` + fhirtest.DeciderNPI.Value + `"}],"name":[{"given":["` + name + `"],"family":"Vale"}]}`
	}
	for _, r := range []struct {
		name  string
		names map[fhir.ID]string
		also  []string
		want  string
	}{
		{"nobody knows it", nil, nil, "NPI " + fhirtest.DeciderNPI.Value},
		{"the settings know it", map[fhir.ID]string{fhirtest.DeciderNPI: "Dr. Vale"}, nil, "Dr. Vale"},
		{"the prescriber's directory knows it", nil, []string{practitioner("v1", "Ida")}, "Ida Vale"},
		{"two have it", nil, []string{practitioner("v1", "Ida"), practitioner("v2", "Max")}, "NPI " + fhirtest.DeciderNPI.Value},
		{"two have it, and the settings know whose it is", map[fhir.ID]string{fhirtest.DeciderNPI: "Dr. Vale"}, []string{practitioner("v1", "Ida"), practitioner("v2", "Max")}, "Dr. Vale"},
	} {
		c := fhirtest.Client(shownAt)
		all := []fhir.Version{c.Clearance(fhir.DecisionCleared, c.Day(-5), c.Day(50), fhirtest.Set("performer.0.display", nil))}
		for _, body := range r.also {
			all = append(all, c.Told(fhirtest.PrescriberSource, fhirtest.Prescriber, body))
		}
		chart := c.Chart(all...)
		by := ""
		for _, s := range report.NewRecords(&chart, nil, r.names, nil).Word(&all[0]).Says {
			if s.Name == "By" {
				by = s.Value
			}
		}
		if by != r.want {
			t.Errorf("%s: by %q, want %q", r.name, by, r.want)
		}
	}
}
