package readiness_test

import (
	"testing"

	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/fhirtest"
	"github.com/kaphub/kaphub/fhir/readiness"
)

func TestStory08(t *testing.T) {
	s := tell(t, "A dose change that nobody read", "Robin Achterberg", "2026-03-03 08:00", "2026-03-03 10:00",
		"Everything is done and the session begins at ten. At half past nine Skylight changes the dose. The therapist does not look at their mail before a session; the hub does.").inOrder()
	s.step("2026-03-03 08:00", "The morning of the session.").is(readiness.InOrder)
	s.step("2026-03-03 09:15", "Robin has arrived: checks and go-ahead.", theDay()...).is(readiness.Ready)
	var changed fhir.Version
	s.step("2026-03-03 09:30", "Skylight changes the directions.", func(c *course) fhir.Version {
		changed = c.Prescription(set("authoredOn", "2026-01-13"), set("dosageInstruction.0.text", "Half a lozenge under the tongue at each session, in the therapist's office"),
			set("dosageInstruction.0.doseAndRate.0.doseQuantity.value", 0.5))
		return changed
	}).is(readiness.NotReady).finds("R24 S1", "R52 S2").gate(readiness.GateInstructions, readiness.Open)
	s.step("2026-03-03 09:40", "The therapist gives the go-ahead again, without having read the new directions.", goesAhead).is(readiness.NotReady).finds("R24 S1")
	s.step("2026-03-03 09:50", "The therapist reads them, and says so.", func(c *course) fhir.Version {
		return c.Acknowledged(changed)
	}).resolves("R24").gate(readiness.GateInstructions, readiness.Met).is(readiness.Ready)
}

func TestStory09(t *testing.T) {
	s := tell(t, "Two prescriptions", "Ezra Quill", "2026-03-02 09:00", "2026-03-04 10:00",
		"Ezra has a prescription from Skylight. A second clinic prescribes ketamine too, and neither knows of the other. Which of the two holds is for the prescribers to say.", others)
	s.links = append(s.links, fhir.Link{Client: s.c.Client, Source: "journey", Patient: "j-1", How: "identifier", ReadBack: true, Since: s.c.Now})
	s.inOrder("Appointment/dosing")
	s.before(10, func(c *course) fhir.Version {
		return c.Dosing(c.Session, set("basedOn", []any{ref("ServiceRequest/referral-p1")}))
	})
	theirs := func(status string) records {
		return func(c *course) fhir.Version {
			return c.Told("journey", "journey", string(c.Prescription(set("id", "theirs"), set("status", status), set("authoredOn", "2026-03-02")).Resource.Body), set("meta", nil), set("subject.reference", "Patient/j-1"))
		}
	}
	s.step("2026-03-02 09:00", "One prescription, one prescriber.").is(readiness.InOrder)
	s.step("2026-03-02 15:00", "The other clinic prescribes.", theirs("active")).is(readiness.NotReady).finds("R28 S1").says("Another prescriber")
	s.step("2026-03-03 08:30", "The therapist calls both. Nothing is recorded yet.").is(readiness.NotReady).finds("R28 S1")
	s.step("2026-03-03 11:00", "The other clinic stops its prescription.", theirs("stopped")).is(readiness.InOrder).resolves("R28")
}

func TestStory10(t *testing.T) {
	s := tell(t, "The parcel comes before the preparation", "Alder Baptiste", "2026-03-02 09:00", "2026-03-30 10:00",
		"Medicine often comes before a client has been prepared: that is how this prescriber works. It is only after a week without a date that somebody should ask.")
	s.inOrder("MedicationDispense/dispense", "Appointment/preparation", "Appointment/dosing")
	s.step("2026-03-02 09:00", "Cleared and prescribed; the pharmacy is waiting for Alder's address.", func(c *course) fhir.Version {
		return c.Fulfilment(fhir.FulfilmentAddress)
	}).is(readiness.NotReady).finds("R19 S3")
	s.step("2026-03-04 09:30", "Two business days, and nobody has called the pharmacy back.").is(readiness.NotReady).finds("R19 S2")
	s.step("2026-03-06 12:00", "Alder called, it was shipped, and the parcel is there: six lozenges.", func(c *course) fhir.Version { return c.Fulfilment(fhir.FulfilmentDelivered) },
		func(c *course) fhir.Version { return c.Dispense() }).resolves("R19").not("R18", "R20").is(readiness.NotReady)
	s.step("2026-03-14 12:00", "Eight days later, no preparation is booked.").is(readiness.NotReady).finds("R18 S2")
	s.step("2026-03-14 13:00", "The practice books one, for the 20th.", func(c *course) fhir.Version {
		return c.Preparation(wall("2026-03-20 10:00"), set("status", "booked"))
	}).resolves("R18")
	s.step("2026-03-20 12:30", "It was kept.", func(c *course) fhir.Version { return c.Preparation(wall("2026-03-20 10:00")) }).is(readiness.InOrder).says("could be booked")
}

func TestStory11(t *testing.T) {
	s := tell(t, "One lozenge short", "Noor Castellan", "2026-03-02 09:00", "2026-03-05 10:00",
		"Noor has two lozenges in hand and three sessions booked before the next visit with Skylight. Nothing is wrong with Thursday; but the third session has no medicine, and a refill takes ten business days.")
	s.inOrder("MedicationDispense/dispense")
	s.before(30, func(c *course) fhir.Version { return c.Dispense(set("quantity.value", 2)) })
	s.step("2026-03-02 09:00", "Two lozenges, one session booked.").is(readiness.InOrder).not("R23")
	s.step("2026-03-02 10:00", "Two more sessions are booked: the 19th and the 26th.", books("second", "2026-03-19 10:00"), books("third", "2026-03-26 10:00")).is(readiness.InOrder).finds("R22 S3").not("R23")
	s.step("2026-03-12 10:30", "The 12th, ten business days before the third. The first was taken a week ago: one lozenge, two sessions.", firstIsKept, tookOne("2026-03-05 10:00")).is(readiness.InOrder).finds("R22 S3", "R23 S3")
	s.step("2026-03-16 11:00", "The refill is at the door.", func(c *course) fhir.Version {
		return c.Dispense(set("id", "refill"), set("quantity.value", 6))
	}).is(readiness.InOrder).resolves("R22", "R23")
}

// firstIsKept closes the session that the story began with.
func firstIsKept(c *course) fhir.Version { return c.Dosing(c.Session, set("status", "fulfilled")) }

func TestStory12(t *testing.T) {
	s := tell(t, "The medicine goes out of date between two sessions", "Soren Vidal", "2026-03-02 08:00", "2026-03-02 10:00",
		"What a compounding pharmacy makes keeps for a limited time. Soren's lozenges are good to use up to 6 March: good for Monday's session, and not for the one a week later.")
	s.inOrder("MedicationDispense/dispense")
	s.before(30, func(c *course) fhir.Version { return c.Dispense(good("2026-03-06")) })
	s.before(9, books("second", "2026-03-09 10:00"))
	s.step("2026-03-02 08:00", "Monday, the first of the two.").is(readiness.InOrder).finds("R26 S3")
	s.step("2026-03-02 09:30", "Arrival checks and the go-ahead.", theDay()...).is(readiness.Ready).finds("R26 S3")
	s.step("2026-03-02 13:00", "It took place, with one lozenge.", firstIsKept, tookOne("2026-03-02 10:00")).is(readiness.NotReady).finds("R26 S2").gate(readiness.GateMedicine, readiness.Open)
	s.step("2026-03-06 15:00", "A new fill came, good to use up to June.", func(c *course) fhir.Version {
		return c.Dispense(set("id", "fresh"), good("2026-06-01"))
	}).resolves("R26").is(readiness.InOrder)
}

func TestStory13(t *testing.T) {
	s := tell(t, "Consent withdrawn while a delivery is under way", "Briar Nakamura", "2026-03-02 09:00", "2026-03-06 10:00",
		"Briar withdraws the release of information while a letter to Skylight lies ready. It is called back and not sent; what was told before cannot be untold. Later Briar withdraws the consent to the treatment itself, and that is a stop.").inOrder()
	letter := fhir.Outstanding{ID: "letter", Prescriber: fhirtest.Prescriber, To: fhirtest.Prescriber, What: "packet", State: "laid-out", Staged: wall("2026-03-02 08:30"), Since: wall("2026-03-02 08:30"), Attempts: 1}
	s.owed = []fhir.Outstanding{letter}
	s.step("2026-03-02 09:00", "All is on file. A letter to Skylight lies ready to be handed over.").is(readiness.InOrder).not("R46")
	letter.Why = "the release was withdrawn"
	s.owed = []fhir.Outstanding{letter}
	s.step("2026-03-02 11:00", "Briar withdraws the release. The letter is called back.", func(c *course) fhir.Version {
		return c.Release(set("status", "inactive"))
	}).is(readiness.NotReady).finds("R07 S1").gate(readiness.GateRelease, readiness.Open)
	s.owed = nil
	s.step("2026-03-03 10:00", "The letter was torn up. Briar signs a new release: Skylight may know again.", func(c *course) fhir.Version {
		return c.Release(set("id", "release-anew"), set("dateTime", "2026-03-03T10:00:00-07:00"))
	}).is(readiness.InOrder).resolves("R07").says("Released to Skylight Psychedelics on Tue 3 Mar 2026").gate(readiness.GateRelease, readiness.Met)
	s.step("2026-03-04 18:00", "Briar withdraws the consent to the treatment.", func(c *course) fhir.Version {
		return c.TreatmentConsent(set("status", "inactive"))
	}).is(readiness.Hold).finds("R07 S1").says("Stopped by the client")
	s.step("2026-03-05 09:00", "Skylight's clearance still stands. It does not speak for Briar.").is(readiness.Hold)
}

func TestStory14(t *testing.T) {
	s := tell(t, "Kilopascal", "Teal Ferreira", "2026-03-03 08:00", "2026-03-03 10:00",
		"A new cuff shows blood pressure in kilopascal. The hub reads the unit, and never assumes one: a number without a unit is no reading.").inOrder()
	pressure := func(systolic, diastolic float64, unit string) records {
		return func(c *course) fhir.Version {
			return c.BloodPressure(1, 1, set("component.0.valueQuantity", quantity(systolic, unit, unit)), set("component.1.valueQuantity", quantity(diastolic, unit, unit)))
		}
	}
	s.step("2026-03-03 09:00", "All but the blood pressure is done.", arrival[1:]...).is(readiness.InOrder).gate(readiness.GateVitals, readiness.Open)
	s.step("2026-03-03 09:10", "It is written down as 15.7 over 10.1, with no unit.", pressure(15.7, 10.1, "")).is(readiness.Unknown).gate(readiness.GateVitals, readiness.Untold)
	s.step("2026-03-03 09:15", "Corrected: 15.7 over 10.1 kPa, which is 118 over 76 mmHg.", pressure(15.7, 10.1, "kPa")).gate(readiness.GateVitals, readiness.Met)
	s.step("2026-03-03 09:20", "The therapist gives the go-ahead.", goesAhead).is(readiness.Ready)
	s.step("2026-03-03 09:50", "Taken once more, just before: 19.0 over 12.4 kPa, which is 143 over 93 mmHg.", func(c *course) fhir.Version {
		return c.BloodPressure(1, 1, set("id", "again"), set("component.0.valueQuantity", quantity(19.0, "kPa", "kPa")), set("component.1.valueQuantity", quantity(12.4, "kPa", "kPa")))
	}).is(readiness.Hold).finds("R37 S1").gate(readiness.GateVitals, readiness.Blocked)
}
