package notice

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/kaphub/kaphub/config"
	"github.com/kaphub/kaphub/fhir/exchange"
	"github.com/kaphub/kaphub/fhir/readiness"
)

var night = []config.Quiet{{From: 20 * time.Hour, To: 7 * time.Hour}}

func TestADigestADay(t *testing.T) {
	w := newWorld(t, "2026-03-02 07:00", maya, tara)
	w.open("a", readiness.S2, readiness.Admin)
	w.open("b", readiness.S3, readiness.Operator)
	w.open("c", readiness.S2, readiness.Prescriber)
	same(t, "a role each, and one mail for two roles; whom the admin asks are the admin's", w.run(true), "maya: Mon 2 Mar: 3 to act on", "tara: Mon 2 Mar: nothing to act on")
	same(t, "asked for again", w.run(true))
	w.time = w.time.Add(8 * time.Hour)
	same(t, "and in the afternoon", w.run(true))
	w.board = nil
	w.time = at("2026-03-03 07:00")
	same(t, "a quiet day is told too", w.run(true), "maya: Tue 3 Mar: nothing to act on", "tara: Tue 3 Mar: nothing to act on")
	text := w.box[0].Text
	for _, want := range []string{"For the admin and operator:", "   0  to act on now\n   3  besides", "1 client: 1 NOT-READY.", "Look: https://hub.reverie.example\n", "no client data"} {
		if !strings.Contains(text, want) {
			t.Errorf("the digest has no %q:\n%s", want, text)
		}
	}
}

func TestWhatIsToBeActedOnNowIsToldOnce(t *testing.T) {
	w := newWorld(t, "2026-03-02 10:00", maya, tara)
	same(t, "nothing", w.run(false))
	w.open("a", readiness.S1, readiness.Therapist)
	w.open("b", readiness.S1, readiness.Therapist)
	same(t, "two are one mail", w.run(false), "tara: Mon 2 Mar 10:00: 2 to act on now")
	for range 20 {
		w.time = w.time.Add(30 * time.Second)
		same(t, "it lasts", w.run(false))
	}
	for i := range 100 { // a storm
		w.open(strings.Repeat("x", i+1), readiness.S1, readiness.Therapist)
	}
	same(t, "a storm is one mail", w.run(false), "tara: Mon 2 Mar 10:10: 100 to act on now")
	w.time = w.time.Add(time.Minute)
	w.open("c", readiness.S1, readiness.Therapist)
	same(t, "what comes up at once after is gathered", w.run(false))
	w.time = w.time.Add(time.Minute)
	w.open("d", readiness.S1, readiness.Therapist)
	same(t, "and gathered", w.run(false))
	w.time = w.time.Add(3 * time.Minute)
	same(t, "into one", w.run(false), "tara: Mon 2 Mar 10:15: 2 to act on now")
	w.time = w.time.Add(time.Hour)
	w.resolve("a")
	same(t, "resolved", w.run(false))
	w.time = w.time.Add(time.Hour)
	w.reopen("a")
	same(t, "reopened", w.run(false), "tara: Mon 2 Mar 12:15: 1 to act on now")
	w.time = w.time.Add(time.Hour)
	w.open("e", readiness.S2, readiness.Therapist)
	same(t, "an S2 can wait", w.run(false))
	w.board[len(w.board)-1].Severity = readiness.S1
	same(t, "until it is graver", w.run(false), "tara: Mon 2 Mar 13:15: 1 to act on now")
	w.people = append(w.people, Person{Name: "rosa", Address: "rosa@reverie.example", Roles: []readiness.Owner{readiness.Therapist}, Urgent: Never})
	same(t, "who wants no urgent mail gets none", w.run(false))
	w.people[2].Urgent = Through
	same(t, "who is new is told of all that stands, once", w.run(false), "rosa: Mon 2 Mar 13:15: 105 to act on now")
}

func TestADigestTellsOfWhatIsToBeActedOnNow(t *testing.T) {
	w := newWorld(t, "2026-03-02 07:00", tara)
	w.open("a", readiness.S1, readiness.Therapist)
	w.open("b", readiness.S2, readiness.Therapist)
	same(t, "at the hour of the digest", w.run(true), "tara: Mon 2 Mar: 2 to act on, 1 now")
	w.time = w.time.Add(time.Hour)
	same(t, "no other mail does", w.run(false))
	w.time = at("2026-03-03 07:00")
	w.open("c", readiness.S1, readiness.Therapist)
	w.fails = []error{dropped}
	same(t, "a digest of which nobody can tell", w.run(true))
	w.time = w.time.Add(time.Minute)
	same(t, "told of nothing that is urgent", w.run(false), "tara: Tue 3 Mar 07:01: 1 to act on now")
}

func TestQuietHours(t *testing.T) {
	waits := tara
	waits.Urgent = Waits
	w := newWorld(t, "2026-03-02 21:30", maya, waits)
	w.quiet = night
	w.open("a", readiness.S1, readiness.Therapist)
	w.open("b", readiness.S1, readiness.Admin)
	same(t, "what is to be acted on now goes through, or waits", w.run(true), "maya: Mon 2 Mar 21:30: 1 to act on now")
	w.time = at("2026-03-03 06:59")
	same(t, "until the last minute", w.run(false))
	w.time = at("2026-03-03 07:00")
	same(t, "then what waited goes in one, as the new day's", w.run(false), "maya: Tue 3 Mar: 1 to act on, 1 now", "tara: Tue 3 Mar: 1 to act on, 1 now")
	same(t, "and nothing more", w.run(false))
	if w.states() != "digest sent, urgent sent, digest sent, urgent over" {
		t.Errorf("the mails are %s", w.states())
	}
	w.time = at("2026-03-03 07:30")
	same(t, "of which there is one a day", w.run(true))
	w.time = at("2026-03-03 21:30")
	same(t, "the evening's is the next morning's again", w.run(true))
	w.time = at("2026-03-04 07:00")
	same(t, "one each", w.run(true), "maya: Wed 4 Mar: 1 to act on, 1 now", "tara: Wed 4 Mar: 1 to act on, 1 now")
}

// On the night in which the clocks of Denver go forward (8 March 2026) there is no 02:30, in autumn there are two 01:30.
func TestTheNightsInWhichTheClocksChange(t *testing.T) {
	w := newWorld(t, "2026-03-07 23:30", maya)
	w.quiet = night
	same(t, "asked for before midnight", w.run(true))
	for w.time.Before(at("2026-03-08 09:00")) {
		w.time = w.time.Add(10 * time.Minute)
		w.run(true)
	}
	if len(w.box) != 1 || !w.box[0].Date.Equal(at("2026-03-08 07:00")) {
		t.Errorf("in spring %d digests came, the first at %s", len(w.box), w.box[0].Date.In(denver))
	}
	w = newWorld(t, "2026-11-01 00:10", maya)
	for range 3 * 60 { // by then it is 02:10, for the second hour came twice
		w.time = w.time.Add(time.Minute)
		if clock := w.time.In(denver).Format("15:04"); clock == "01:30" {
			w.run(true)
		}
	}
	if len(w.box) != 1 {
		t.Errorf("in autumn %d digests came", len(w.box))
	}
}

func TestWhatFailsIsTriedAgain(t *testing.T) {
	w := newWorld(t, "2026-03-02 07:00", maya)
	w.open("a", readiness.S1, readiness.Admin)
	w.fails = []error{busy, busy, busy, nobody, busy, busy}
	same(t, "the server is busy", w.run(true))
	var came []string
	for range 600 {
		w.time = w.time.Add(time.Minute)
		came = append(came, w.run(false)...)
	}
	if len(came) != 2 || w.states() != "digest sent, urgent sent" {
		t.Errorf("in ten hours came %q: %s", came, w.states())
	}
	for _, m := range w.steps {
		if m.Attempts > 5 {
			t.Errorf("%d tries of %s", m.Attempts, m.ID)
		}
	}

	w = newWorld(t, "2026-03-02 22:00", maya)
	for range 100 {
		w.fails = append(w.fails, busy)
	}
	for w.time.Before(at("2026-03-03 00:30")) {
		w.run(w.time.Equal(at("2026-03-02 22:00")))
		w.time = w.time.Add(time.Minute)
	}
	if len(w.box) > 0 || w.states() != "digest over" || w.steps[len(w.steps)-1].Why != "its day is over; send mail: temporary" {
		t.Errorf("a digest that could not go on its day: %s, %q", w.states(), w.steps[len(w.steps)-1].Why)
	}
}

func TestWhereNobodyCanTellWhetherItArrived(t *testing.T) {
	w := newWorld(t, "2026-03-02 07:00", maya)
	w.loses, w.fails = true, []error{dropped}
	w.run(true)
	w.time = w.time.Add(time.Hour)
	same(t, "a digest counts as sent", w.run(true))
	if w.states() != "digest uncertain" {
		t.Errorf("it is %s", w.states())
	}
	w.open("a", readiness.S1, readiness.Admin)
	w.fails = []error{dropped, dropped}
	w.run(false)
	for range 60 {
		w.time = w.time.Add(time.Minute)
		w.run(false)
	}
	if len(w.box) != 4 || w.box[1].ID != w.box[3].ID || w.states() != "digest uncertain, urgent sent" {
		t.Errorf("what is urgent is told again under the same id until it is known: %d mails, %s", len(w.box), w.states())
	}
}

func TestAMailThatIsNotNeededAnyMoreIsNotSent(t *testing.T) {
	w := newWorld(t, "2026-03-02 10:00", maya, tara)
	w.open("a", readiness.S1, readiness.Admin)
	w.open("b", readiness.S1, readiness.Therapist)
	w.fails = []error{busy, busy}
	same(t, "the server is busy", w.run(false))
	w.resolve("a")
	w.people = w.people[:1] // tara left
	w.time = w.time.Add(5 * time.Minute)
	// What is a therapist's is everybody's now that there is none.
	same(t, "only what stands is told, and to whom it concerns", w.run(false), "maya: Mon 2 Mar 10:05: 1 to act on now")
	if w.states() != "urgent over, urgent over, urgent sent" {
		t.Errorf("the mails are %s", w.states())
	}
}

func TestATest(t *testing.T) {
	w := newWorld(t, "2026-03-02 10:00", maya)
	if state, err := w.step(false).TestMail(t.Context(), maya); err != nil || state != "sent" || len(w.box) != 1 || w.box[0].Subject != "kaphub: a test" {
		t.Errorf("a test is %s, %v", state, err)
	}
	w.fails = []error{nobody}
	w.time = w.time.Add(time.Second)
	if state, err := w.step(false).TestMail(t.Context(), maya); err == nil || state != "over" {
		t.Errorf("one that is refused is %s, %v", state, err)
	}
	w.time = w.time.Add(time.Hour)
	same(t, "it is not tried again", w.run(true), "maya: Mon 2 Mar: nothing to act on")
}

func TestAHubThatIsKilledWhileItSends(t *testing.T) {
	killed := errors.New("killed")
	for _, c := range []struct{ name, after, want string }{
		{"what came of a digest is not known: it counts as sent, and it is said", "", "digest uncertain"},
		{"what is urgent is sent again: rather twice than never", "a", "urgent sent"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, "2026-03-02 07:00", maya)
			if c.after != "" {
				w.open(c.after, readiness.S1, readiness.Admin)
			}
			w.with = func(m exchange.Mail) error {
				if m.State == exchange.MailSent {
					return killed
				}
				return nil
			}
			if _, err := w.step(c.after == "").Run(t.Context()); !errors.Is(err, killed) {
				t.Fatal(err)
			}
			w.with = nil
			w.time = w.time.Add(4 * time.Minute)
			same(t, "whoever was at it may still be", w.run(false))
			w.time = w.time.Add(2 * time.Minute)
			w.run(false)
			if w.states() != c.want {
				t.Errorf("the mail is %s", w.states())
			}
		})
	}
}
