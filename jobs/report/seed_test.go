package report

import (
	"time"

	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/exchange"
	"github.com/kaphub/kaphub/fhir/readiness"
)

// denver is the practice's zone.
var denver = func() *time.Location {
	zone, err := time.LoadLocation("America/Denver")
	if err != nil {
		panic(err)
	}
	return zone
}()

// asOf is Tuesday 3 March 2026, 09:15 in Denver.
var asOf = time.Date(2026, 3, 3, 16, 15, 0, 0, time.UTC)

func at(days, hour, minute int) time.Time {
	return time.Date(2026, 3, 3+days, hour, minute, 0, 0, denver)
}

// seed is a practice on a busy Tuesday: every state, every section, nobody real.
func seed() Input {
	session := func(id string, start time.Time) *readiness.Appointment {
		return &readiness.Appointment{Source: "ehr", Type: "Appointment", ID: id, Start: start, End: start.Add(2 * time.Hour), Therapist: "Imara Fictive"}
	}
	basis := func(source, party, typ, id string, n int64) []fhir.Basis {
		return []fhir.Basis{{Source: source, Party: party, Type: typ, ID: id, Version: n}}
	}
	mailbox := readiness.Finding{ID: "f-44", Code: "R44", Rule: "source-stale", Severity: readiness.S2, State: readiness.Persisting, Since: at(0, 7, 0), Owner: readiness.Operator,
		Words: "Mailbox of Aurora Wellness last read Fri 16:10", Next: "read the mailbox, then enter \"I have read everything up to\"", RollUp: "source mailbox"}
	verdict := func(client, chosen, prescriber string, state readiness.State, words string) readiness.Verdict {
		return readiness.Verdict{Client: client, Chosen: chosen, Prescriber: prescriber, State: state, Words: words,
			Identifiers: []fhir.ID{{System: "https://reverie.example/mrn", Value: "MRN-" + client}}, Until: at(1, 0, 0), Judged: at(0, 9, 14)}
	}

	juniper := verdict("c-7f3a", "Juniper Invented", "skylight", readiness.Hold, "Stopped by Skylight on 1 Mar")
	juniper.Appointment, juniper.Owner, juniper.Next = session("a1", at(0, 11, 0)), readiness.Therapist, "do not begin; call Skylight on 555-0100"
	juniper.Gates = []readiness.Gate{
		{Name: readiness.GateIdentity, State: readiness.Met, Owner: readiness.Admin, Words: "Same birth date at both sides", Because: basis("ehr", fhir.Practice, "Patient", "p1", 2)},
		{Name: readiness.GateHold, State: readiness.Blocked, Owner: readiness.Prescriber, Words: "Skylight recorded a stop on Sun 1 Mar 2026", Next: "ask Skylight; only they lift it",
			Since: at(-2, 14, 20), Due: at(0, 11, 0), Because: basis("skylight", "skylight", "Flag", "stop-1", 1)},
		{Name: readiness.GatePreparation, State: readiness.Met, Owner: readiness.Therapist, Words: "Two sessions kept", Agreed: "per agreement of Sat 10 Jan 2026", Because: basis("ehr", fhir.Practice, "Appointment", "prep-2", 3)},
		{Name: readiness.GateGoAhead, State: readiness.NotDue, Owner: readiness.Therapist, Next: "at arrival"},
	}
	juniper.Account = []readiness.Figure{
		{Of: readiness.Dispensed, Value: "6", Unit: "sessions", From: []readiness.Origin{
			{Says: "6, in the client's hands since Sun 1 Feb 2026", By: "Skylight Psychedelics", At: at(-30, 9, 0), Basis: basis("skylight", "skylight", "MedicationDispense", "d-1", 1)[0]}}},
		{Of: readiness.Taken, Value: "1", Unit: "sessions", Note: "since the medicine came on Sun 1 Feb 2026", From: []readiness.Origin{
			{Says: "taken on Tue 17 Feb 2026", By: "Reverie, entered by ada", At: at(-14, 15, 0), Basis: basis("desk", fhir.Practice, "MedicationAdministration", "e-7-dose", 1)[0]}}},
		{Of: readiness.Left, Unit: "sessions", Why: "1 session was never closed: from 4 to 5"},
		{Of: readiness.GoodUntil, Value: "2026-06-30", Unit: "date"},
		{Of: readiness.Lead, Value: "10", Unit: "business days", Agreed: "per agreement of Sat 10 Jan 2026"},
	}
	juniper.Findings = []readiness.Finding{
		{ID: "f-15", Code: "R15", Rule: "prescriber-hold", Severity: readiness.S1, State: readiness.New, Since: at(0, 7, 0), Owner: readiness.Therapist,
			Words: "Skylight recorded a stop on Sun 1 Mar 2026; a session is booked for today", Next: "do not begin; call Skylight on 555-0100",
			Values: map[string]string{fhir.Practice: "dosing session booked, 3 Mar 11:00", "skylight": "stop, active since 1 Mar 14:20"}, Because: basis("skylight", "skylight", "Flag", "stop-1", 1)},
	}

	rowan := verdict("c-19bd", "Rowan <Madeup>", "aurora", readiness.Unknown, "Cannot tell: mailbox last read Fri 16:10")
	rowan.Appointment, rowan.Owner, rowan.Next = session("a2", at(1, 9, 30)), readiness.Admin, "read the mailbox of Aurora Wellness"
	rowan.Findings = []readiness.Finding{mailbox}

	sage := verdict("c-52e0", "Sage Pretend", "skylight", readiness.NotReady, "2 items open: clearance ends 12 Mar, before the session (prescriber, since 1 Mar)")
	sage.Appointment, sage.Owner, sage.Next = session("a3", at(11, 13, 0)), readiness.Prescriber, "renew the clearance or move the session"
	sage.Findings = []readiness.Finding{
		{ID: "f-10", Code: "R10", Rule: "clearance-expires-before-session", Severity: readiness.S2, State: readiness.Persisting, Since: at(-9, 7, 0), Owner: readiness.Prescriber,
			Words: "The clearance ends on 12 Mar, two days before the session", Next: "renew the clearance or move the session",
			Values: map[string]string{fhir.Practice: "session on 14 Mar 13:00", "skylight": "cleared from Fri 12 Dec 2025 to Thu 12 Mar 2026"}, Because: basis("skylight", "skylight", "Observation", "clr-9", 4)},
		{ID: "f-22", Code: "R22", Rule: "doses-short", Severity: readiness.S2, State: readiness.Reopened, Since: at(0, 7, 0), Owner: readiness.Admin,
			Words: "1 session's worth in hand, 2 sessions booked", Next: "ask Skylight for a refill", Because: basis("skylight", "skylight", "MedicationDispense", "d-3", 1)},
		{ID: "f-09", Code: "R24", Rule: "dose-change-unacknowledged", Severity: readiness.S1, State: readiness.Resolved, Since: at(-4, 7, 0), Resolved: at(0, 8, 40), By: "the therapist's acknowledgement", Owner: readiness.Therapist,
			Words: "The dose changed on 27 Feb", Next: "read the new instruction and acknowledge it"},
	}

	wren := verdict("c-8c41", "Wren Imagined", "skylight", readiness.NotReady, "1 item open: referral not answered (prescriber, since 27 Feb)")
	wren.Owner, wren.Next = readiness.Admin, "call Skylight about the referral"
	wren.Findings = []readiness.Finding{
		{ID: "f-03", Code: "R03", Rule: "referral-unacknowledged", Severity: readiness.S3, State: readiness.Persisting, Since: at(-4, 10, 0), Owner: readiness.Prescriber,
			Words: "Sent on 27 Feb and not answered", Next: "call Skylight about the referral", Because: basis("skylight", "skylight", "Task", "t-8", 1)},
		{ID: "f-17", Code: "R17", Rule: "cleared-without-prescription", Severity: readiness.S3, State: readiness.Persisting, Since: at(-4, 10, 0), Owner: readiness.Prescriber,
			Words: "Cleared on 27 Feb and nothing prescribed", Next: "ask for the prescription", Under: "R03"},
	}

	ash := verdict("c-aa02", "Ash Unreal", "skylight", readiness.InOrder, "Records in order; arrival checks pending")
	ash.Appointment, ash.Owner, ash.Next = session("a5", at(0, 15, 0)), readiness.Therapist, "arrival checks at 14:30"
	ash.Findings = []readiness.Finding{
		{ID: "f-06", Code: "R06", Rule: "release-missing", Severity: readiness.S3, State: readiness.New, Since: at(0, 7, 0), Owner: readiness.Admin,
			Words: "The release ends on 28 Mar", Next: "ask the client to sign a new one"},
		{ID: "f-31", Code: "R31", Rule: "sessions-too-close", Severity: readiness.S2, State: readiness.Persisting, Since: at(-1, 7, 0), Owner: readiness.Therapist, Due: at(0, 15, 0),
			Words: "Two sessions within 6 days", Next: "move one of them"},
	}

	linden := verdict("c-d310", "Linden Neverborn", "skylight", readiness.Ready, "Records in order as of 09:15. Not a medical decision.")
	linden.Appointment = session("a6", at(0, 9, 30))
	linden.Loop = &readiness.Loop{Sent: at(-60, 9, 0), Acknowledged: at(-59, 12, 0), Evaluated: at(-50, 10, 0), Decided: at(-50, 11, 0), InHand: at(-30, 9, 0),
		FollowUps: []readiness.Followed{{Due: at(-20, 0, 0), Seen: at(-22, 9, 0)}}}
	sage.Loop = &readiness.Loop{Sent: at(-40, 9, 0), Acknowledged: at(-36, 9, 0), Decided: at(-20, 9, 0)}
	wren.Loop = &readiness.Loop{Sent: at(-4, 10, 0)}

	return Input{
		Generated: asOf.Add(2 * time.Second), AsOf: asOf, Since: at(-1, 6, 30), Practice: "Reverie", Zone: denver,
		Titles: map[string]string{fhir.Practice: "Reverie", "skylight": "Skylight Psychedelics", "aurora": "Aurora Wellness"},
		Sources: []Source{
			{Name: "ehr", Party: fhir.Practice, Title: "Reverie", State: Fresh, LastComplete: at(0, 9, 12)},
			{Name: "skylight", Party: "skylight", Title: "Skylight Psychedelics", State: Fresh, LastComplete: at(0, 9, 10)},
			{Name: "mailbox", Party: "aurora", Title: "Aurora Wellness", State: Stale, LastComplete: at(-4, 16, 10), Why: "no read recorded since"},
			{Name: "calendar", Party: fhir.Practice, Title: "Reverie", State: Incomplete, LastComplete: at(-1, 20, 0), Why: "2 rows withheld"},
			{Name: "pharmacy", Party: "aurora", Title: "Aurora Wellness", State: Never},
		},
		Clients: []readiness.Verdict{linden, wren, sage, juniper, rowan, ash},
		Handlings: []readiness.Handling{
			{Finding: "f-10", Kind: readiness.Acknowledge, Severity: readiness.S2, Actor: "Dana", At: at(-8, 9, 0)},
			{Finding: "f-10", Kind: readiness.Assign, Severity: readiness.S2, Person: "Rosa", Actor: "Dana", At: at(-8, 9, 1)},
			{Finding: "f-31", Kind: readiness.Snooze, Severity: readiness.S2, Actor: "Dana", At: at(0, 8, 0), Until: at(1, 12, 0), Reason: "the office is moving one of them"},
		},
		Rejects: []fhir.Reject{{ID: "rj-1", Source: "skylight", Type: "Observation", Ref: "obs-4", Reason: "duplicate key at status", Received: at(0, 9, 10)}},
		Strays:  []Stray{{Source: "calendar", Digest: "5f1e0c2a", Start: at(2, 14, 0), End: at(2, 17, 0)}},
		Deliveries: []exchange.Entry{
			{Delivery: exchange.Delivery{ID: "dlv-1", Client: "c-8c41", To: "skylight", What: exchange.WhatTask}, State: exchange.Refused, Attempts: 1, Staged: at(-1, 9, 0), Why: "error/business-rule"},
			{Delivery: exchange.Delivery{ID: "dlv-2", Client: "c-52e0", To: fhir.Practice, What: exchange.WhatClearance}, State: exchange.Staged, Attempts: 3, Staged: at(0, 8, 0), Due: at(0, 9, 20), Why: "temporary: 503"},
			{Delivery: exchange.Delivery{ID: "dlv-3", Client: "c-52e0", To: fhir.Practice, What: exchange.WhatTaskStatus}, State: exchange.Delivered, Attempts: 1, Staged: at(0, 8, 0)},
		},
	}
}
