package store

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/exchange"
	"github.com/kaphub/kaphub/fhir/fhirtest"
)

// named is a client of the practice whom its calendar names by token.
func named(course *fhirtest.Course, token string) fhir.Version {
	return course.PatientHere(fhirtest.Set("identifier", []map[string]string{{"system": "https://reverie.example/mrn", "value": "MRN-" + course.Patient},
		{"system": fhir.SystemToken, "value": token}}))
}

func barePatient(token string) fhir.Version {
	return inCalendar(fmt.Sprintf(`{"resourceType":"Patient","id":"t-%s","identifier":[{"system":%q,"value":%q}]}`, strings.ToLower(token), fhir.SystemToken, token))
}

func event(token string) fhir.Version {
	return inCalendar(fmt.Sprintf(`{"resourceType":"Appointment","id":"e-%[1]s","identifier":[{"system":%[2]q,"value":"e-%[1]s"}],"status":"booked",
		"serviceType":[{"coding":[{"system":%[3]q,"code":"dosing"}]}],"start":"2026-03-06T09:00:00-07:00","end":"2026-03-06T12:00:00-07:00",
		"participant":[{"actor":{"reference":"Patient/t-%[1]s"},"status":"accepted"}]}`, strings.ToLower(token), fhir.SystemCalendarEvent, fhir.SystemSession))
}

func inCalendar(body string) fhir.Version {
	r, err := fhir.Parse([]byte(body), "")
	if err != nil {
		panic(err)
	}
	return fhir.Version{Resource: r}
}

func calendarTokens(t *testing.T, dsn string) {
	w := newWorld(t, dsn)
	calendar := Source{Name: "calendar", Party: fhir.Practice}
	wanted := func() string {
		r, err := w.Roster(w.ctx, calendar)
		w.must(err)
		var tokens []string
		for _, id := range w.whole(r).Wanted {
			if id.System == fhir.SystemToken {
				tokens = append(tokens, id.Value)
			}
		}
		slices.Sort(tokens) // they come in the order of the hub's keys
		return fmt.Sprint(tokens, w.whole(r).Members, r.New)
	}

	w.receive(calendar, page(barePatient("K-1"), event("K-1"))) // the calendar is read before anybody is a client
	want(t, "nobody is a client by a calendar", w.client(calendar, "t-k-1"), "")
	want(t, "and nobody wanted", wanted(), "[] [] []")

	one, two := fhirtest.Nth(1, w.now), fhirtest.Nth(2, w.now)
	w.receive(ehr, page(one.Referral(), named(one, "K-1"), two.Referral(), named(two, "K-2")))
	want(t, "both are asked for now", wanted(), "[K-1 K-2] [] []")
	w.receive(calendar, page(barePatient("K-1"), barePatient("K-2")))
	want(t, "the roster came later", w.client(calendar, "t-k-1"), w.client(ehr, one.Patient))
	want(t, "the roster came first", w.client(calendar, "t-k-2"), w.client(ehr, two.Patient))
	want(t, "both are to be read back", wanted(), "[] [t-k-1 t-k-2] [t-k-1 t-k-2]")
	w.receive(calendar, page(event("K-1")))
	want(t, "appointments", len(w.chart(w.client(ehr, one.Patient)).Appointments), 1)

	unreadable := page()
	unreadable.Rejects = []fhir.Reject{{Type: "Appointment", Ref: "e-k-9", Subject: fhir.Ref{Type: "Patient", ID: "t-k-1"}, Reason: "its time zone is unknown", Body: []byte("{}")}}
	w.receive(calendar, unreadable)
	open := func() int {
		list, err := w.Rejects(w.ctx, false)
		w.must(err)
		return len(list)
	}
	want(t, "an event that cannot be read", open(), 1)
	taken := page()
	taken.Gone = []fhir.Ref{{Type: "Appointment", ID: "e-k-9"}}
	w.receive(calendar, taken)
	want(t, "once it is out of the calendar", open(), 0)

	three, four := fhirtest.Nth(3, w.now), fhirtest.Nth(4, w.now)
	w.receive(ehr, page(three.Referral(), named(three, "K-3"), four.Referral(), named(four, "K-3")))
	w.receive(calendar, page(barePatient("K-3"), event("K-3")))
	want(t, "a token that two clients bear is nobody's", w.client(calendar, "t-k-3"), "")

	open2 := func(course *fhirtest.Course) (n int) {
		for _, l := range w.chart(w.client(ehr, course.Patient)).Links {
			if l.Source == calendar.Name && l.How == fhir.Candidate && l.Patient == "t-k-1" {
				n++
			}
		}
		return n
	}
	want(t, "no question on a token that one client bears", open2(one), 0)
	five := fhirtest.Nth(5, w.now)
	w.receive(ehr, page(five.Referral(), named(five, "K-1")))
	want(t, "given to another too: whose events these are is in doubt", open2(one)*10+open2(five), 11)
	w.receive(ehr, page(named(five, "K-5")))
	want(t, "and is no more when that is put right", open2(one)*10+open2(five), 0)
	w.receive(ehr, page(named(one, "K-7")))
	w.receive(ehr, page(named(five, "K-1")))
	want(t, "passed on to another: the events are in doubt too", open2(one)*10+open2(five), 11)
	want(t, "and stay where they were until a person decides", w.client(calendar, "t-k-1"), w.client(ehr, one.Patient))
}

func strays(t *testing.T, dsn string) {
	w := newWorld(t, dsn)
	calendar := Source{Name: "calendar", Party: fhir.Practice}
	at := w.now.Add(48 * time.Hour)
	told := func(tokens ...string) {
		p := page()
		list := []exchange.Stray{}
		for _, token := range tokens {
			list = append(list, exchange.Stray{Token: fhir.ID{System: fhir.SystemToken, Value: token}, Start: at, End: at.Add(time.Hour)})
		}
		p.Strays = &list
		w.receive(calendar, p)
	}
	told("K-1", "K-2")
	list, err := w.Strays(w.ctx, "calendar", 0)
	w.must(err)
	if len(list) != 2 || !list[0].Start.Equal(at) || strings.Contains(fmt.Sprint(list), "K-") || list[0].Token == list[1].Token {
		t.Fatalf("%v", list)
	}
	then, err := w.MomentAt(w.ctx, w.now)
	w.must(err)
	w.now = w.now.Add(time.Minute)
	told()
	list, err = w.Strays(w.ctx, "calendar", 0)
	w.must(err)
	want(t, "now", len(list), 0)
	list, err = w.Strays(w.ctx, "calendar", then)
	w.must(err)
	want(t, "then", len(list), 2)
}
