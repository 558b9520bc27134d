package readiness_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/fhirtest"
	"github.com/kaphub/kaphub/fhir/readiness"
)

func TestStory15(t *testing.T) {
	s := tell(t, "The go-ahead, and then the session moves an hour", "Jules Amari", "2026-03-03 07:30", "2026-03-03 10:00",
		"A go-ahead is for one session at one time. When the session moves, the therapist is asked again.").inOrder()
	s.step("2026-03-03 07:30", "The morning of the session.").is(readiness.InOrder)
	s.step("2026-03-03 09:00", "Arrival checks and the go-ahead.", theDay()...).is(readiness.Ready)
	s.step("2026-03-03 09:20", "The room is taken. The front desk moves the session to eleven.", movesTo("2026-03-03 11:00")).is(readiness.NotReady).finds("R52 S2")
	s.step("2026-03-03 10:40", "The therapist confirms.", goesAhead).is(readiness.Ready).resolves("R52")
}

func TestStory16(t *testing.T) {
	s := tell(t, "A source is silent over the long weekend", "Kit Soderberg", "2026-02-13 16:00", "2026-02-17 10:00",
		"Monday is Presidents' Day. Skylight's records were last read on Friday at 16:10, and then the line is down. Whatever Skylight recorded since, nobody at the practice can see. Skylight may be silent for one business day, and the weekend and the holiday are none; but on the day of a session its records must have been read that day, or nobody can tell.",
		onSheet(func(s *readiness.Sheet) {
			s.Hours = readiness.Hours{Zone: fhirtest.Denver, Holidays: map[readiness.Day]bool{{Year: 2026, Month: time.February, Day: 16}: true}}
		})).inOrder()
	s.step("2026-02-13 16:10", "Friday. Both sides were read; all is on file for Tuesday.").is(readiness.InOrder)
	s.goesSilent("skylight")
	s.step("2026-02-14 12:00", "Saturday. The line is down.").is(readiness.InOrder)
	s.step("2026-02-16 18:00", "Presidents' Day. Still down. What stands is what was read on Friday.").is(readiness.InOrder)
	s.step("2026-02-17 08:00", "Tuesday morning. The session is today, and Skylight's records are those of Friday.").is(readiness.Unknown).finds("R44 S2").says("Fri 13 Feb 2026 16:10")
	s.step("2026-02-17 09:15", "Kit has arrived. Checks and go-ahead are recorded.", theDay()...).is(readiness.Unknown)
	s.speaks()
	s.step("2026-02-17 09:40", "The line is up again, and everything is read. On Saturday Skylight had recorded a stop.", func(c *course) fhir.Version {
		return c.On(wall("2026-02-14 15:00")).Flag("active")
	}).is(readiness.Hold).finds("R15 S1").resolves("R44")
}

func TestStory17(t *testing.T) {
	s := tell(t, "An older version comes after a newer one", "Indigo Laurent", "2026-03-02 09:00", "2026-03-04 10:00",
		"Skylight stopped Indigo at ten, lifted the stop at 10:20, and set it again at 10:50. The three messages come in another order: what was written at 10:20 comes last. It is the newest to arrive, and not the newest word.").inOrder()
	var lifted fhir.Version
	s.step("2026-03-02 09:00", "All is on file for Wednesday.").is(readiness.InOrder)
	s.step("2026-03-02 11:00", "The stop comes, as it was set at 10:50.", func(c *course) fhir.Version {
		c.On(wall("2026-03-02 10:00")).Flag("active")
		lifted = c.On(wall("2026-03-02 10:20")).Flag("inactive")
		return c.On(wall("2026-03-02 10:50")).Flag("active")
	}).is(readiness.Hold).finds("R15 S1")
	s.step("2026-03-02 11:30", "Now the message of 10:20 comes, which says that it was lifted.", func(*course) fhir.Version { return lifted }).is(readiness.Hold).finds("R15 S1")
	s.step("2026-03-03 10:00", "Skylight lifts the stop.", lifts).is(readiness.InOrder).resolves("R15")
}

func TestStory18(t *testing.T) {
	s := tell(t, "The follow-up lapses in the middle of the series", "Emery Vance", "2026-03-02 09:00", "2026-03-03 10:00",
		"Skylight wants to see clients every sixty days. Emery's series goes on past that day, and no visit is booked.",
		onSheet(func(s *readiness.Sheet) { s.FollowUp = readiness.Is(60 * day) })).inOrder()
	s.before(9, books("second", "2026-03-19 10:00"))
	s.step("2026-03-02 09:00", "Cleared on 11 January; the visit is due by 12 March.").is(readiness.InOrder).not("R29")
	s.step("2026-03-03 13:00", "The first session took place.", firstIsKept, tookOne("2026-03-03 10:00")).not("R29").gate(readiness.GateFollowUp, readiness.NotDue)
	s.step("2026-03-13 09:00", "The day has passed; the second session is in six days.").is(readiness.NotReady).finds("R29 S1").gate(readiness.GateFollowUp, readiness.Open)
	s.step("2026-03-17 11:00", "Emery is seen by Skylight.", followUp).resolves("R29").gate(readiness.GateFollowUp, readiness.Met).is(readiness.InOrder)
}

func TestStory19(t *testing.T) {
	s := tell(t, "The release ends on the day of the session", "Marin Delacroix", "2026-03-02 09:00", "2026-03-04 19:00",
		"Marin's release of information names 4 March as its last day, and the session is on that evening. The last day counts, to its end.")
	s.inOrder("Consent/release")
	s.before(60, func(c *course) fhir.Version { return c.Release(set("provision.period.end", "2026-03-04")) })
	s.step("2026-03-02 09:00", "Two days before.").is(readiness.InOrder).finds("R06 S3")
	s.step("2026-03-04 18:30", "The evening of the 4th: arrival checks and the go-ahead.", theDay()...).is(readiness.Ready)
	s.step("2026-03-05 00:00", "Midnight. From now on the hub sends Skylight nothing more.").is(readiness.NotReady).finds("R06 S1").gate(readiness.GateRelease, readiness.Open)
	s.step("2026-03-05 10:00", "Marin signs a new one.", func(c *course) fhir.Version {
		return c.Release(set("id", "release-anew"), set("dateTime", "2026-03-05T10:00:00-07:00"))
	}).resolves("R06").gate(readiness.GateRelease, readiness.Met)
}

func TestStory20(t *testing.T) {
	s := tell(t, "Six days between two sessions, one of them an hour short", "Oakley Brandt", "2026-03-02 08:00", "2026-03-02 10:00",
		"Skylight wants six days between two sessions. Days are counted on the calendar: from Monday to Sunday are six, although the clocks go forward on that Sunday and it is 143 hours.").inOrder()
	s.step("2026-03-02 09:30", "Monday: arrival checks and the go-ahead.", theDay()...).is(readiness.Ready)
	s.step("2026-03-02 13:00", "The session took place. The next is booked for Saturday.", firstIsKept, tookOne("2026-03-02 10:00"), books("second", "2026-03-07 10:00")).
		is(readiness.NotReady).finds("R31 S2").gate(readiness.GateInterval, readiness.Open)
	s.step("2026-03-02 13:10", "The practice moves it to Sunday, at the same time of day.", books("second", "2026-03-08 10:00")).is(readiness.InOrder).resolves("R31").gate(readiness.GateInterval, readiness.Met)
}

func TestStory24(t *testing.T) {
	s := tell(t, "Across midnight, on the night the clocks go back", "Hollis Arden", "2026-10-30 09:00", "2026-10-31 23:30",
		"A late session on Saturday, from half past eleven until half past one. Clearance and medicine are good up to Saturday. What was in order when the session began does not fall over its midnight; but nothing that begins on Sunday rests on it.")
	s.inOrder("Observation/clearance", "MedicationDispense/dispense")
	s.before(50, func(c *course) fhir.Version { return c.Clearance(fhir.DecisionCleared, "2026-09-10", "2026-10-31") })
	s.before(30, func(c *course) fhir.Version { return c.Dispense(good("2026-10-31")) })
	s.step("2026-10-30 09:00", "Friday, the day before.").is(readiness.InOrder).finds("R26 S3")
	s.step("2026-10-31 23:10", "Saturday night: arrival checks and the go-ahead.", theDay()...).is(readiness.Ready)
	s.step("2026-11-01 00:30", "Half past midnight, in the middle of the session.").is(readiness.Ready).not("R10")
	s.step("2026-11-01 01:00", "The session is on; the front desk, early for Sunday, moves the start to one o'clock by mistake.", movesTo("2026-11-01 01:00")).
		is(readiness.NotReady).finds("R10 S1", "R52 S2").gate(readiness.GateClearance, readiness.Open)
	s.step("2026-11-01 01:10", "It is put right.", movesTo("2026-10-31 23:30")).resolves("R10").gate(readiness.GateClearance, readiness.Met).is(readiness.NotReady).finds("R52 S2")
}

func TestStory25(t *testing.T) {
	s := tell(t, "Somebody else's go-ahead", "Remy Calloway", "2026-03-03 08:00", "2026-03-03 10:00",
		"The second key is the word of the therapist who leads the session. A colleague's word is meant well, and is another's.").inOrder()
	s.step("2026-03-03 08:00", "The morning of the session.").is(readiness.InOrder)
	s.step("2026-03-03 09:20", "Remy is here. Arrival checks.", arrival...).is(readiness.InOrder)
	s.step("2026-03-03 09:40", "The therapist is late. A colleague gives the go-ahead.", func(c *course) fhir.Version {
		return c.GoAhead(set("performer.0.identifier.value", "1003000126"))
	}).is(readiness.NotReady).gate(readiness.GateGoAhead, readiness.Open).says("somebody else")
	s.step("2026-03-03 09:45", "The colleague takes the session over, and the appointment says so; the go-ahead came before that.", func(c *course) fhir.Version {
		return c.Dosing(c.Session, set("participant.1.actor.identifier.value", "1003000126"), set("participant.1.actor.display", "Invented Colleague"))
	}).is(readiness.NotReady).finds("R52 S2")
	s.step("2026-03-03 09:50", "The colleague gives the go-ahead for the session that is now theirs.", func(c *course) fhir.Version {
		return c.GoAhead(set("performer.0.identifier.value", "1003000126"))
	}).is(readiness.Ready).resolves("R52")
}

func TestStory26(t *testing.T) {
	s := tell(t, "A session that began while it was not ready", "Avery Stone", "2026-03-03 08:00", "2026-03-03 10:00",
		"Avery's checks were made on paper, and nobody entered them. The session took place. The hub neither stopped it nor judges it afterwards: it asks why, and keeps the answer beside what it had said.",
		func(p *readiness.Policy) { p.Practice.Desk = "desk-practice" }).inOrder()
	s.step("2026-03-03 08:00", "The morning of the session.").is(readiness.InOrder)
	begins := s.step("2026-03-03 10:00", "The session begins. No check and no go-ahead are on file.").is(readiness.NotReady).gate(readiness.GateGoAhead, readiness.Open)
	s.began = []fhir.Began{{
		Prescriber: fhirtest.Prescriber, Key: fhir.Key{Source: fhirtest.PracticeSource, Type: "Appointment", ID: "dosing-p1"},
		Start: s.c.Session, State: string(begins.verdict.State),
	}}
	s.step("2026-03-03 12:30", "It took place, with one lozenge.", firstIsKept, tookOne("2026-03-03 10:00")).is(readiness.NotReady).finds("R50 S1")
	s.step("2026-03-03 15:00", "The checks are entered from the paper. They come after the beginning.", theDay()...).is(readiness.NotReady).finds("R50 S1")
	s.step("2026-03-03 17:00", "The therapist says why: the computer was down, and the checks were made on paper.", func(c *course) fhir.Version {
		return c.Told("desk-practice", fhir.Practice, fmt.Sprintf(`{"resourceType":"Observation","id":"why","status":"final","code":{"coding":[{"system":%q,"code":%q}]},
			"issued":"2026-03-03T17:00:00-07:00","focus":[{"reference":"%s/source/ehr/Appointment/dosing-p1"}],"valueString":"the checks were made on paper"}`, fhir.SystemKAP, fhir.CodeBeganWhy, fhir.Base))
	}).resolves("R50")
}
