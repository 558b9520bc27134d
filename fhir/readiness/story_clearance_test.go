package readiness_test

import (
	"testing"

	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/fhirtest"
	"github.com/kaphub/kaphub/fhir/readiness"
)

func TestStory01(t *testing.T) {
	s := tell(t, "A stop on Friday evening", "Juniper Vale", "2026-02-27 16:00", "2026-03-02 10:00",
		"Juniper's session is on Monday at ten. On Friday evening, when the practice has gone home, Skylight stops them. The prescriber is not reached before Monday. A stop ends when Skylight says so, and by nothing else.").inOrder()
	s.step("2026-02-27 16:00", "The week ends. All is on file for Monday.").is(readiness.InOrder)
	s.step("2026-02-27 18:40", "Skylight records a stop.", stops).is(readiness.Hold).finds("R15 S1").says("weekends 555-0199")
	s.step("2026-03-01 20:00", "Sunday evening. Skylight's records were read again; the stop is still there.").is(readiness.Hold).finds("R15 S1")
	s.step("2026-03-02 09:00", "Juniper arrives early. The checks are recorded; that lifts nothing.", arrival...).is(readiness.Hold)
	s.step("2026-03-02 09:30", "Skylight, called by the therapist, records that the stop is over.", lifts).is(readiness.InOrder).resolves("R15")
	s.step("2026-03-02 09:45", "The therapist gives the go-ahead.", goesAhead).is(readiness.Ready)
}

func TestStory02(t *testing.T) {
	s := tell(t, "Cleared to the day, two time zones away, on the night the clocks change", "Rowan Ash", "2026-03-06 09:00", "2026-03-08 20:00",
		"Skylight's clinician sits in New York and writes the end of a clearance as the last second of 8 March there. In Denver that is 21:59 of the same evening: the clocks went forward that night in both places. The session is on that Sunday.")
	s.inOrder("Observation/clearance")
	s.before(50, func(c *course) fhir.Version {
		return c.Clearance(fhir.DecisionCleared, "2026-01-15", "2026-03-08T23:59:59-04:00")
	})
	s.step("2026-03-06 09:00", "The session is on Sunday at 20:00.").is(readiness.InOrder).gate(readiness.GateClearance, readiness.Met)
	s.step("2026-03-06 11:00", "The practice moves the session to 22:00, because of the ride home.", movesTo("2026-03-08 22:00")).is(readiness.NotReady).finds("R10 S2").gate(readiness.GateClearance, readiness.Open)
	s.step("2026-03-06 22:30", "Less than two days are left.").is(readiness.NotReady).finds("R10 S1")
	s.step("2026-03-07 10:00", "Skylight writes the end as a plain date, 8 March: the whole of that day, where the session is.", func(c *course) fhir.Version {
		return c.Clearance(fhir.DecisionCleared, "2026-01-15", "2026-03-08")
	}).is(readiness.InOrder).resolves("R10").gate(readiness.GateClearance, readiness.Met)
	s.step("2026-03-08 21:30", "Arrival checks and the go-ahead.", theDay()...).is(readiness.Ready)
}

func TestStory03(t *testing.T) {
	s := tell(t, "A clearance withdrawn before it was told", "Sage Linden", "2026-03-02 09:00", "2026-03-05 10:00",
		"Skylight withdraws Sage's clearance. By a fault of the network the withdrawal comes first, and the clearance that it withdraws a day later. What counts is when Skylight decided, and not when the hub heard of it.")
	s.inOrder("Observation/clearance")
	s.step("2026-03-02 09:00", "No decision has reached the hub yet.").is(readiness.NotReady).finds("R09 S2")
	var clearance fhir.Version
	s.step("2026-03-02 12:00", "The withdrawal comes. The clearance itself does not.", func(c *course) fhir.Version {
		clearance = c.On(wall("2026-02-20 10:00")).Clearance(fhir.DecisionCleared, "2026-02-20", "2026-05-20")
		return c.On(wall("2026-03-02 11:30")).Clearance(fhir.DecisionWithdrawn, "2026-03-02", "", set("id", "withdrawal"))
	}).is(readiness.Hold).finds("R12 S1").gate(readiness.GateClearance, readiness.Blocked)
	s.step("2026-03-03 12:00", "A day late, the clearance of 20 February comes too. It clears nobody any more.", func(*course) fhir.Version { return clearance }).is(readiness.Hold).finds("R12 S1")
	s.step("2026-03-04 15:00", "Skylight looks again and clears Sage anew.", func(c *course) fhir.Version {
		return c.Clearance(fhir.DecisionCleared, "2026-03-04", "2026-06-02", set("id", "anew"))
	}).is(readiness.InOrder).resolves("R12")
}

func TestStory04(t *testing.T) {
	s := tell(t, "An ECG on the last day", "Wren Holloway", "2026-03-02 09:00", "2026-03-12 10:00",
		"Skylight cleared Wren on the condition of an ECG. The practice wants it settled five days before the session. It comes in on the last of those days, and only Skylight's word on it counts.")
	s.inOrder("Observation/clearance")
	s.before(50, func(c *course) fhir.Version {
		return c.Clearance(fhir.DecisionConditions, "2026-01-12", "2026-04-12", set("component", []any{fhirtest.Condition("ECG")}))
	})
	s.step("2026-03-02 09:00", "Ten days before the session, the ECG is not done.").is(readiness.NotReady).finds("R13 S3")
	s.step("2026-03-06 16:00", "Wren tells the therapist that the ECG was fine. The therapist notes that they have heard so.", func(c *course) fhir.Version {
		v := c.ConditionMet("ECG", "completed", set("id", "heard"))
		v.Source, v.Party = fhirtest.PracticeSource, fhir.Practice
		return v
	}).is(readiness.NotReady).gate(readiness.GateClearance, readiness.Open)
	s.step("2026-03-07 09:30", "Saturday morning, half an hour before it is due: Skylight has read the ECG and records the condition as met.", func(c *course) fhir.Version {
		return c.ConditionMet("ECG", "completed")
	}).is(readiness.InOrder).resolves("R13").gate(readiness.GateClearance, readiness.Met)
	s.step("2026-03-12 09:40", "The day: arrival checks and the go-ahead.", theDay()...).is(readiness.Ready)
}

func TestStory05(t *testing.T) {
	s := tell(t, "A clearance that is there no more", "Marlo Finch", "2026-03-02 09:00", "2026-03-04 10:00",
		"Skylight's server no longer has Marlo's clearance. Nobody said that it was withdrawn; nobody says that it stands. The hub does not guess.").inOrder()
	s.step("2026-03-02 09:00", "All is on file for Wednesday.").is(readiness.InOrder)
	s.step("2026-03-02 23:00", "The nightly sweep does not find the clearance.", s.gone("Observation", "clearance", "deleted")).is(readiness.Unknown).finds("R48 S1")
	s.step("2026-03-03 09:00", "The practice calls Skylight. Until something is recorded, nothing changes.").is(readiness.Unknown)
	s.step("2026-03-03 14:00", "Skylight restores the record.", func(c *course) fhir.Version {
		return c.Clearance(fhir.DecisionCleared, "2026-01-11", "2026-04-11", set("issued", "2026-01-11T09:00:00-07:00"))
	}).is(readiness.InOrder).resolves("R48")
}

func TestStory06(t *testing.T) {
	s := tell(t, "A serious event, answered by the prescriber", "Linden Okoro", "2026-03-02 09:00", "2026-03-09 10:00",
		"After Linden's first session the therapist records a serious event. It stops every further session at once, whoever sees it, until Skylight has answered. The practice cannot answer for them.")
	s.inOrder()
	s.before(4, firstSession("2026-02-26 10:00"), tookOne("2026-02-26 10:00"))
	s.step("2026-03-02 09:00", "Four days after the first session. The second is on the 9th.").is(readiness.InOrder)
	s.step("2026-03-06 17:30", "Friday evening. Linden calls; the therapist records a serious event.", func(c *course) fhir.Version {
		return c.AdverseEvent(fhir.CodeSerious)
	}).is(readiness.Hold).finds("R30 S1").says("weekends 555-0199")
	s.step("2026-03-07 09:00", "Linden feels well, and the therapist gives a go-ahead in good faith. It does not count against the stop.", goesAhead).is(readiness.Hold)
	s.step("2026-03-08 12:00", "Skylight calls Linden on Sunday and decides anew: cleared.", func(c *course) fhir.Version {
		return c.Clearance(fhir.DecisionCleared, "2026-03-08", "2026-06-06", set("id", "anew"))
	}).resolves("R30").is(readiness.InOrder)
	s.step("2026-03-09 09:30", "Arrival checks.", arrival...).is(readiness.InOrder).gate(readiness.GateGoAhead, readiness.Open)
	s.step("2026-03-09 09:45", "The therapist gives the go-ahead, knowing Skylight's answer.", goesAhead).is(readiness.Ready)
}

func TestStory07(t *testing.T) {
	s := tell(t, "Another prescriber's stop", "Ellis Moreau", "2026-03-02 09:00", "2026-03-04 10:00",
		"Ellis was at another clinic before. That clinic records a stop. It holds here too; and Skylight is told nothing of who it was.", others)
	s.links = append(s.links, fhir.Link{Client: s.c.Client, Source: "journey", Patient: "j-1", How: "identifier", ReadBack: true, Since: s.c.Now})
	s.inOrder("Appointment/dosing")
	s.before(10, func(c *course) fhir.Version {
		return c.Dosing(c.Session, set("basedOn", []any{ref("ServiceRequest/referral-p1")}))
	})
	s.step("2026-03-02 09:00", "All is on file for Wednesday.").is(readiness.InOrder)
	stop := func(status string) records {
		return func(c *course) fhir.Version {
			return c.Told("journey", "journey", string(c.Flag(status, set("id", "their-stop")).Resource.Body), set("meta", nil), set("subject.reference", "Patient/j-1"))
		}
	}
	s.step("2026-03-03 11:00", "The other clinic records a stop.", stop("active")).is(readiness.Hold).says("another prescriber")
	s.step("2026-03-03 12:00", "Skylight says again that Ellis is cleared. One prescriber does not lift another's stop.", func(c *course) fhir.Version {
		return c.Clearance(fhir.DecisionCleared, "2026-03-03", "2026-06-01", set("id", "again"))
	}).is(readiness.Hold)
	s.step("2026-03-03 16:00", "The other clinic records that the stop is over.", stop("inactive")).is(readiness.InOrder)
}

func TestStory27(t *testing.T) {
	s := tell(t, "A visit of last winter, told in March", "Sorrel Quist", "2026-03-02 09:00", "2026-03-06 10:00",
		"In December Sorrel was in an emergency department. Nobody said so; Skylight cleared Sorrel in January. In March Sorrel mentions it, and the practice notes the visit with the day on which it was. The day is older than the clearance; that anybody knew of it then is on no record.",
		func(p *readiness.Policy) { p.Watch = fhir.DefaultWatchList() }).inOrder()
	s.step("2026-03-02 09:00", "All is on file for Friday.").is(readiness.InOrder)
	s.step("2026-03-03 15:00", "Sorrel mentions the visit, and the practice notes it.", func(c *course) fhir.Version {
		return c.Told(fhirtest.PracticeSource, fhir.Practice, `{"resourceType":"Encounter","id":"visit","status":"finished","class":{"system":"`+fhir.SystemActCode+`","code":"EMER"},
			"subject":{"reference":"Patient/`+c.Patient+`"},"period":{"start":"2025-12-20"}}`)
	}).is(readiness.NotReady).finds("R14 S2").says("whether they knew of it")
	s.step("2026-03-04 11:00", "Skylight looks at it and clears Sorrel anew.", func(c *course) fhir.Version {
		return c.Clearance(fhir.DecisionCleared, "2026-03-04", "2026-06-02", set("id", "anew"))
	}).resolves("R14").is(readiness.InOrder)
	s.step("2026-03-06 09:40", "The day: arrival checks and the go-ahead.", theDay()...).is(readiness.Ready)
}
