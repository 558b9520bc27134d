package main

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"
)

const rosterOfThree = `id,family,given,birth_date,chosen_name,state,calendar_token,prescriber,referred_on
R-101,Testcase,Robin,1988-02-29,Juniper,CO,K-7QX4,skylight,2026-03-02
R-102,Sample,Sage,1991-07-14,,CO,K-2MB9,skylight,2026-03-02
R-103,Example,Linden,1979-11-03,,CO,K-9TWD,skylight,2026-03-02
`

// Reverie has a calendar, a spreadsheet and people; Skylight writes e-mails and answers the phone. Three clients come from
// referral to READY, one through a stop on a Friday evening, one through a change of dose.
func TestReverieAndSkylightAsTheyAreToday(t *testing.T) {
	t.Parallel()
	s := tell(t, "2026-03-02 09:00")
	fmt.Fprint(&s.told, "Reverie has a calendar, a spreadsheet and people. Skylight writes e-mails and answers the phone.\nThe names are invented. Every line behind a $ was typed; the board follows where it changed.\n")

	s.day("2026-03-02 09:00", "Maya, who runs the office, begins in an empty directory.")
	s.quietly("init", "--preset", "skylight")
	fmt.Fprint(&s.told, "\n$ kaphub init --preset skylight\n(it prints the recovery key once; she writes it down)\n")
	s.key()
	s.told.WriteString("\nShe connects the calendar and writes down what Skylight agreed to.\n")
	s.agreed()
	s.calendar()
	s.does(0, "check")

	s.then(20*time.Minute, "The three clients of the spreadsheet, each with a token that says nothing about them.")
	s.write("roster.csv", rosterOfThree)
	s.does(0, "import", s.path("roster.csv"))
	s.does(3, "sync")
	s.then(2*time.Minute, "So she reads what lies in the mailbox from Skylight: nothing about these three yet.")
	s.does(0, "record", "read-through", "--by", "Maya")
	s.does(0, "sync")

	s.then(5*time.Minute, "The clients signed the papers this morning.")
	for _, c := range three {
		s.does(0, "record", "papers", c, "--release", "y", "--release-to", "2026-12-31", "--consents", "y", "--by", "Maya")
		s.clock.forward(time.Minute)
	}
	s.then(2*time.Minute, "The referrals go out on paper.")
	s.does(0, "sync")
	s.does(0, "packet")
	s.then(4*time.Hour, "The courier took the three pages to Skylight.")
	for _, f := range s.laidOut() {
		s.does(0, "deliveries", "handed-over", f, "--by", "Maya", "--to", "Skylight's front desk")
	}

	s.day("2026-03-04 16:00", "Two days later. Maya reads the mailbox, finds nothing, and sends Skylight the day's one message.")
	s.does(0, "record", "read-through", "--by", "Maya")
	s.does(0, "sync")
	s.does(0, "questions")

	s.day("2026-03-05 16:10", `Skylight has seen all three, and answers. The first mail has the reply block that Maya had sent along with her
questions; Juniper's blood pressure is to stay below a limit. Until all of the mailbox is entered the board cannot tell.`)
	s.does(3, "sync")
	s.stdin = "> STATUS: cleared-with-conditions\n> VALID-TO: Mon 1 Jun 2026\n> LIMITS: BP 135/85, HR 95\n> CONDITIONS: bp\n> DIRECTIONS: none\n> " + pastedAside + "\n"
	entry := entryID.FindString(s.does(0, "record", "decision", "juniper", "--paste", "--medium", "e-mail", "--by", "Maya").out)
	s.then(time.Minute, "Theo compares it with the mail: a decision that clears needs a second pair of eyes.")
	s.does(1, "record", "confirm", entry, "--by", "maya")
	s.does(0, "record", "confirm", entry, "--by", "Theo")
	s.then(2*time.Minute, "On the other two Maya is alone, and types the end twice.")
	s.does(0, "record", "decision", "sage", "--outcome", "cleared", "--valid-to", "2026-06-01", "--valid-to-again", "2026-06-01", "--medium", "e-mail", "--by", "Maya")
	s.clock.forward(time.Minute)
	s.does(0, "record", "decision", "linden", "--outcome", "cleared", "--valid-to", "2026-06-01", "--valid-to-again", "2026-06-01", "--medium", "e-mail", "--by", "Maya")
	s.clock.forward(time.Minute)
	s.does(0, "record", "read-through", "--by", "Maya")

	s.then(time.Hour, "The sessions are put into the calendar, with the tokens and no names.")
	sessions := []event{
		{"2026-03-12 10:00", "PT1H", "Prep K-7QX4", calendarSecret},
		{"2026-03-12 13:00", "PT1H", "Prep K-2MB9", calendarSecret},
		{"2026-03-12 15:00", "PT1H", "Prep K-9TWD", calendarSecret},
		{"2026-03-13 18:00", "PT3H", "Dosing K-2MB9 " + calendarSecret, ""},
		{"2026-03-16 10:00", "PT3H", "Dosing K-7QX4", calendarSecret},
		{"2026-03-17 10:00", "PT3H", "Dosing K-9TWD", calendarSecret},
		{"2026-03-14 09:00", "PT2H", "Birthday of " + calendarSecret, "bring a cake"},
	}
	s.calendar(sessions...)
	s.does(0, "sync")

	s.day("2026-03-11 16:00", "The parcels have come. Each client reads the label out on the phone.")
	s.does(0, "record", "read-through", "--by", "Maya")
	s.does(0, "sync")
	for _, c := range three {
		s.does(0, "record", "label", c, "--name-matches", "y", "--filled", "2026-03-09", "--discard-after", "2026-08-31", "--sessions", "4",
			"--directions", "One lozenge under the tongue, once, in the session", "--by", "Maya")
		s.clock.forward(time.Minute)
	}

	s.day("2026-03-12 16:30", "Three preparation sessions took place today. Maya has read the mail at noon and again now.")
	s.does(0, "record", "read-through", "--by", "Maya")
	s.does(0, "sync")
	for _, c := range three {
		s.does(0, "record", "after", c, "--held", "y", "--by", "Tara")
		s.clock.forward(time.Minute)
	}

	s.day("2026-03-13 17:00", "Friday evening. Sage's session is at six.")
	s.does(0, "record", "read-through", "--by", "Maya")
	s.does(0, "sync")
	s.then(35*time.Minute, "Sage is here. Tara, the therapist, measures, asks and gives the go-ahead.")
	s.does(0, arrival("sage", "124/78", "70")...)
	s.is("Sage Sample", "READY")
	s.then(10*time.Minute, "The phone: it is Dr. Vale. A result has come in, and Sage is not to be dosed today.")
	s.does(0, "record", "stop", "sage", "--said", "prescriber", "--from", "Dr. Vale", "--medium", "phone", "--why", "an ECG result of today", "--by", "Tara")
	s.is("Sage Sample", "HOLD")
	s.then(10*time.Minute, "Nobody is dosed. The session is moved to Monday in the calendar.")
	sessions[3].start = "2026-03-16 15:00"
	s.calendar(sessions...)
	s.does(0, "sync")

	s.day("2026-03-14 06:30", "Saturday, first thing: the morning's report.")
	s.does(0, "report", "--format", "text")

	s.day("2026-03-16 09:00", "Monday. Maya reads what came over the weekend: nothing. Silence lifts no stop.")
	s.does(0, "record", "read-through", "--by", "Maya")
	s.does(0, "sync")
	s.is("Sage Sample", "HOLD")
	s.then(10*time.Minute, "Dr. Vale calls: the result is harmless, and the stop is lifted.")
	s.does(0, "record", "lift", "sage", "--said", "prescriber", "--from", "Dr. Vale", "--medium", "phone", "--by", "Maya")
	s.then(20*time.Minute, "Juniper is here.")
	s.does(0, arrival("juniper", "118/76", "72")...)
	s.is("Juniper", "READY")
	s.then(4*time.Hour, "Juniper's session is over.")
	s.does(0, "record", "after", "juniper", "--held", "y", "--as-directed", "y", "--effects", "expected", "--left", "3", "--by", "Tara")
	s.then(time.Hour, "Sage is here for the second time. What was measured on Friday does not count today.")
	s.does(0, arrival("sage", "122/80", "68")...)
	s.is("Sage Sample", "READY")
	s.then(210*time.Minute, "Sage's session is over.")
	s.does(0, "record", "after", "sage", "--held", "y", "--as-directed", "y", "--effects", "none", "--left", "3", "--by", "Tara")

	s.day("2026-03-17 08:30", "Tuesday. A mail from Skylight: Linden takes half from now on.")
	half := "STATUS: cleared\nVALID-TO: 2026-06-01\nDIRECTIONS: Half a lozenge under the tongue, once, in the session\n"
	s.does(0, "sync")
	s.stdin = half
	s.does(0, "record", "decision", "linden", "--paste", "--valid-to-again", "2026-06-01", "--medium", "e-mail", "--by", "Maya")
	s.does(0, "record", "read-through", "--by", "Maya")
	s.is("Linden Example", "NOT-READY")
	s.then(time.Hour, "Linden is here with a new bottle. Tara reads its label with Linden: that is the acknowledgement.")
	s.does(0, "record", "label", "linden", "--name-matches", "y", "--filled", "2026-03-16", "--discard-after", "2026-08-31", "--sessions", "4",
		"--directions", "same", "--by", "Tara")
	s.then(3*time.Minute, "The checks and the go-ahead.")
	s.does(0, arrival("linden", "116/74", "64")...)
	s.is("Linden Example", "READY")

	s.then(time.Hour, "What was told to whom, and whether the log is whole.")
	s.does(0, "disclosures", "c-h42etsegxa", "--format", "text")
	s.does(0, "audit", "verify")
	s.nowhere([]string{"roster.csv", "secrets/calendar"}, "Testcase", "Robin", "Juniper", "Linden Example", "K-7QX4", "bring a cake", calendarSecret, pastedAside, "ECG result of", "Half a lozenge")
	s.golden("today.txt")
}

var three = []string{"juniper", "sage", "linden"}

const (
	calendarSecret = "aunt Zanzibarra"
	pastedAside    = "PS: give my love to Quintilia"
)

// arrival are the checks before a session and the go-ahead.
func arrival(client, bp, hr string) []string {
	return []string{"record", "arrival", client, "--bp", bp, "--hr", hr, "--ride", "y", "--fasting", "y", "--location", "y", "--new", "n", "--go-ahead", "y", "--by", "Tara"}
}

// laidOut are the packets that lie there to be handed over, as the list shows them.
func (s *tale) laidOut() (ids []string) {
	for line := range strings.Lines(s.quietly("deliveries", "list", "--state", "laid-out").out) {
		if f := strings.Fields(line); len(f) > 0 && chance.MatchString(f[0]) {
			ids = append(ids, f[0])
		}
	}
	return ids
}

// key puts a fixed key into the place of the one that init made, so that the tale is the same each time.
func (s *tale) key() {
	s.t.Helper()
	s.write("kaphub.key", strings.Repeat("0123456789abcdef", 4)+"\n")
}

// agreed writes into the config that there is a calendar, and what Skylight agreed to.
func (s *tale) agreed() {
	s.t.Helper()
	config, _ := os.ReadFile(s.path("kaphub.yaml"))
	_, ehr, _ := strings.Cut(string(config), "    - name: ehr")
	ehr, _, _ = strings.Cut(ehr, "\nprescribers:")
	s.edit([][2]string{
		{"    - name: ehr" + ehr, `    - name: calendar
      kind: ical
      url_file: secrets/calendar
      kinds: [{match: '(?i)\bprep', kind: preparation}, {match: '(?i)\bdos(e|ing)\b', kind: dosing}]
`},
		{"credentials: not asked", "credentials: none set"},
		{"      # signed: 2026-01-10             # when they agreed to what stands here\n", "      signed: 2026-02-27\n"},
		{"      published: 2026-11-23            # until then: when the pages were read\n", ""},
		{"deciders: []                     # who", `deciders: [{system: "http://hl7.org/fhir/sid/us-npi", value: "1881697747", name: Dr. Vale}] # who`},
		{"clearance_validity: not asked", "clearance_validity: 90d"},
		{"follow_up: not asked", "follow_up: 90d"},
		{"dose_interval: not asked  ", "dose_interval: 5d  "},
		{"session_cap: not asked", "session_cap: 2"},
		{"preparations: not asked", "preparations: 1"},
		{"systolic_limit: not asked", "systolic_limit: 140 mmHg"},
		{"diastolic_limit: not asked", "diastolic_limit: 90 mmHg"},
		{"heart_rate_limit: not asked", "heart_rate_limit: 100 bpm"},
		{"lead_days: not asked", "lead_days: 10"},
		{"      # phone: …                       # no page gives one", `      phone: "(720) 555-0111"`},
		{"      # weekend_phone: …", `      weekend_phone: "(720) 555-0199"`},
	}...)
}
