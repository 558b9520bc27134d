package readiness_test

import (
	"slices"
	"testing"
	"time"

	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/fhirtest"
)

// A client's therapists are those whom the practice's sessions name, up to 90 days after the last of them.
func TestWhoseTheClientIs(t *testing.T) {
	led := func(at time.Time, status, by string) told {
		return func(c *course) []fhir.Version {
			return []fhir.Version{c.DaysBefore(200).Dosing(at, set("status", status), set("participant.1.actor.display", by))}
		}
	}
	for _, r := range []struct {
		name string
		told told
		want []string
	}{
		{"a session is booked → its therapist", led(now.Add(day), "booked", "Robin"), []string{"Robin"}},
		{"a session was held 89 days ago → its therapist still", led(now.Add(-89*day), "fulfilled", "Robin"), []string{"Robin"}},
		{"a session was held 92 days ago → nobody", led(now.Add(-92*day), "fulfilled", "Robin"), nil},
		{"a session was called off → nobody", led(now.Add(day), "cancelled", "Robin"), nil},
		{"nothing is booked → nobody", func(*course) []fhir.Version { return nil }, nil},
	} {
		var got []string
		for _, t := range (rowAt{told: r.told}).verdict().Therapists {
			got = append(got, t.Name)
		}
		if !slices.Equal(got, r.want) {
			t.Errorf("%s: %q, want %q", r.name, got, r.want)
		}
	}
}

// A session may name its therapist by a number, or by where their own record lies. Who that is the practice's other records
// tell; where they tell nothing, or two names, the number stays.
func TestWhoASessionNames(t *testing.T) {
	const number, role = `"identifier":[{"system":"http://hl7.org/fhir/sid/us-npi","value":"1679576722"}]`, "PractitionerRole"
	session := func(edits ...fhir.Edit) told {
		return func(c *course) []fhir.Version {
			return []fhir.Version{c.Dosing(now.Add(day), append([]fhir.Edit{set("participant.1.actor.display", nil)}, edits...)...)}
		}
	}
	lies := func(at string) fhir.Edit {
		return set("participant.1.actor", map[string]any{"reference": at})
	}
	record := func(kind, id, body string) told {
		return func(c *course) []fhir.Version {
			return []fhir.Version{c.Told(fhirtest.PracticeSource, fhir.Practice, `{"resourceType":"`+kind+`","id":"`+id+`",`+body+`}`)}
		}
	}
	robin := record("Practitioner", "t1", number+`,"name":[{"given":["Robin"],"family":"Sample"}]`)
	refers := func(c *course) []fhir.Version {
		return []fhir.Version{c.Referral(set("requester", map[string]any{"display": "Robin Sample", "identifier": map[string]any{"system": fhir.SystemNPI, "value": "1679576722"}}))}
	}
	npi, licence := fhirtest.TherapistNPI, fhir.ID{System: "https://ehr.example/licence", Value: "17"}
	for _, r := range []struct {
		name string
		told []told
		want fhir.Therapist
	}{
		{"a number, and nobody has it → the number", []told{session()}, fhir.Therapist{IDs: []fhir.ID{npi}}},
		{"a number that a practitioner has → their name", []told{session(), robin}, fhir.Therapist{Name: "Robin Sample", IDs: []fhir.ID{npi}}},
		{"a number of whoever refers, as a roster has it → their name", []told{session(), refers}, fhir.Therapist{Name: "Robin Sample", IDs: []fhir.ID{npi}}},
		{"a number that two have → the number", []told{session(), robin, record("Practitioner", "t2", number+`,"name":[{"text":"Alex Example"}]`)}, fhir.Therapist{IDs: []fhir.ID{npi}}},
		{"a practitioner's record → their name and number", []told{session(lies("Practitioner/t1")), robin}, fhir.Therapist{Name: "Robin Sample", IDs: []fhir.ID{npi}}},
		{"a role's record → whose it is", []told{session(lies("PractitionerRole/r1")), robin, record(role, "r1", `"practitioner":{"reference":"Practitioner/t1"}`)}, fhir.Therapist{Name: "Robin Sample", IDs: []fhir.ID{npi}}},
		{"a role's record that shows the name", []told{session(lies("PractitionerRole/r1")), record(role, "r1", `"practitioner":{"display":"Robin Sample"}`)}, fhir.Therapist{Name: "Robin Sample"}},
		{"a number of their own record, whose name another record shows", []told{session(lies("Practitioner/t3")), robin,
			record("Practitioner", "t3", `"identifier":[{"system":"https://ehr.example/licence","value":"17"},{"system":"http://hl7.org/fhir/sid/us-npi","value":"1679576722"}]`)},
			fhir.Therapist{Name: "Robin Sample", IDs: []fhir.ID{npi, licence}}},
		{"a record that is not at hand → where it lies", []told{session(lies("Practitioner/t9")), robin},
			fhir.Therapist{IDs: []fhir.ID{{System: fhir.Base + "/source/" + fhirtest.PracticeSource, Value: "Practitioner/t9"}}}},
	} {
		v := (rowAt{told: func(c *course) (all []fhir.Version) {
			for _, tell := range r.told {
				all = append(all, tell(c)...)
			}
			return all
		}}).verdict()
		if len(v.Therapists) != 1 || v.Therapists[0].Name != r.want.Name || !slices.Equal(v.Therapists[0].IDs, r.want.IDs) {
			t.Errorf("%s: %+v, want %+v", r.name, v.Therapists, r.want)
		}
		if v.Appointment.Therapist != r.want.Shown() {
			t.Errorf("%s: the session shows %q", r.name, v.Appointment.Therapist)
		}
	}
}

// A client who is handed on stays in sight of whoever treated them for 90 days after the last session with them, and no day
// longer; the verdict is judged again when that is over.
func TestWhoTreatedAClientBefore(t *testing.T) {
	last := now.Add(-89 * day)
	v := (rowAt{told: func(c *course) []fhir.Version {
		before := c.DaysBefore(100).Dosing(last, set("status", "fulfilled"), set("id", "before"), set("participant.1.actor", map[string]any{"type": "Practitioner", "display": "Alex"}))
		return []fhir.Version{before, c.Dosing(now.Add(day), set("participant.1.actor.display", "Robin"))}
	}}).verdict()
	if len(v.Therapists) != 2 || v.Therapists[0].Name != "Alex" || v.Therapists[1].Name != "Robin" {
		t.Errorf("before: %+v", v.Therapists)
	}
	if end := last.Add(2*time.Hour + 90*day); v.Until.After(end) {
		t.Errorf("the verdict stands until %v, after whoever treated before is no longer theirs: %v", v.Until, end)
	}
}

// Before any session is booked a client is whoever's the practice's Patient says; sessions add to it. The family doctor, and
// whom a record names that is only perhaps the client's, see nobody.
func TestWhoseTheClientIsByTheRoster(t *testing.T) {
	names := func(display string) fhir.Edit {
		return set("extension", []any{map[string]any{"url": fhir.ExtensionTherapist, "valueReference": map[string]any{
			"type": "Practitioner", "display": display, "identifier": map[string]any{"system": fhir.SystemNPI, "value": "1679576722"}}}})
	}
	for _, r := range []struct {
		name string
		told told
		want []string
	}{
		{"the Patient names one → theirs", func(c *course) []fhir.Version { return []fhir.Version{c.PatientHere(names("Robin"))} }, []string{"Robin"}},
		{"a session names another → of both", func(c *course) []fhir.Version {
			return []fhir.Version{c.PatientHere(names("Robin")), c.Dosing(now.Add(day), set("participant.1.actor", map[string]any{"type": "Practitioner", "display": "Alex"}))}
		}, []string{"Alex", "Robin"}},
		{"it names another now → only hers", func(c *course) []fhir.Version {
			return []fhir.Version{c.DaysBefore(3).PatientHere(names("Robin")), c.PatientHere(names("Alex"))}
		}, []string{"Alex"}},
		{"it names a family doctor → nobody", func(c *course) []fhir.Version {
			return []fhir.Version{c.PatientHere(set("generalPractitioner", []any{map[string]any{"type": "Practitioner", "display": "Dr. Family"}}))}
		}, nil},
	} {
		var got []string
		for _, who := range (rowAt{told: r.told}).verdict().Therapists {
			got = append(got, who.Name)
		}
		if !slices.Equal(got, r.want) {
			t.Errorf("%s: %q, want %q", r.name, got, r.want)
		}
	}
}
