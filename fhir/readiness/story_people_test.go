package readiness_test

import (
	"testing"

	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/readiness"
)

func TestStory21(t *testing.T) {
	s := tell(t, "A chosen name that is not the legal one", "Juniper Rowe", "2026-03-02 09:00", "2026-03-03 10:00",
		"Juniper's papers bear another name. The practice keeps both; Skylight knows only the one on the papers. A chosen name is no mismatch, and it is the one that is shown.").inOrder()
	s.step("2026-03-02 09:00", "Skylight has the legal name, the practice both.").is(readiness.InOrder).not("R01").gate(readiness.GateIdentity, readiness.Met)
	s.step("2026-03-02 10:00", "Skylight learns Juniper's chosen first name and writes that one alone.", func(c *course) fhir.Version {
		return c.PatientThere(set("name.0.given", []any{"Juniper"}))
	}).is(readiness.InOrder).not("R01")
	s.step("2026-03-02 11:00", "And the chosen family name, which the practice does not have as one yet.", func(c *course) fhir.Version {
		return c.PatientThere(set("name.0.given", []any{"Juniper"}), set("name.0.family", "Rowe"))
	}).is(readiness.NotReady).finds("R01 S1").says("family name")
	s.step("2026-03-02 12:00", "The practice records it among Juniper's names.", func(c *course) fhir.Version {
		return c.PatientHere(set("name.1", map[string]any{"use": "usual", "text": "Juniper Rowe", "family": "Rowe", "given": []any{"Juniper"}}))
	}).is(readiness.InOrder).resolves("R01")
	s.step("2026-03-03 09:40", "The day: arrival checks and the go-ahead.", theDay()...).is(readiness.Ready)
	if s.verdict.Chosen != "Juniper Rowe" {
		t.Errorf("shown as %q", s.verdict.Chosen)
	}
}

func TestStory22(t *testing.T) {
	s := tell(t, "Twins", "Ash Winterbourne", "2026-03-02 09:00", "2026-03-04 10:00",
		"Ash and their twin were born on the same day and bear the same family name. Skylight opens a second record that fits both. Until a person says whose it is, nothing of it is taken for Ash's, and Ash is not said to be ready: it may hold a stop.").inOrder()
	s.step("2026-03-02 09:00", "All is on file for Wednesday.").is(readiness.InOrder)
	known := s.links
	s.links = append(known[:len(known):len(known)], fhir.Link{Client: s.c.Client, Source: "skylight", Patient: "twin", How: fhir.Candidate, ReadBack: true, Since: wall("2026-03-02 14:00")})
	s.step("2026-03-02 14:00", "Skylight's second record is found. It may be Ash's or their twin's.").is(readiness.Unknown)
	s.step("2026-03-03 12:00", "Ash arrives a day early to talk. Nobody has decided yet.").is(readiness.Unknown)
	s.links = known
	s.step("2026-03-03 15:00", "The practice asked for the full name, and decided: the record is the twin's.").is(readiness.InOrder)
}

func TestStory23(t *testing.T) {
	s := tell(t, "Refused, and still booked", "Perrin Solano", "2026-03-02 09:00", "2026-03-05 10:00",
		"Skylight turns Perrin's referral down. The session that was booked in hope is still in the calendar.")
	s.inOrder("Task/task", "Appointment/evaluation", "Observation/clearance", "MedicationRequest/rx", "MedicationDispense/dispense", "Observation/acknowledged")
	s.before(5, func(c *course) fhir.Version {
		return c.Task("requested", set("authoredOn", "2026-02-25T09:00:00-07:00"))
	})
	s.step("2026-03-02 09:00", "Skylight has not answered yet.").is(readiness.NotReady)
	s.step("2026-03-02 15:00", "Skylight turns the referral down.", func(c *course) fhir.Version { return c.Task("rejected") }).is(readiness.NotReady).finds("R05 S1").gate(readiness.GateReferral, readiness.Open)
	s.step("2026-03-03 10:00", "The therapist speaks with Perrin; the practice cancels the session.", func(c *course) fhir.Version {
		return c.Dosing(c.Session, set("status", "cancelled"))
	}).is(readiness.NotReady).resolves("R05")
}
