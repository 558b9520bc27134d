package ical

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kaphub/kaphub/connectors"
	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/exchange"
)

// house is a practice with a calendar in a file.
type house struct {
	t     *testing.T
	c     connectors.Connector
	file  string
	now   time.Time
	since exchange.Cursor
}

func newHouse(t *testing.T, change ...func(*Options)) *house {
	t.Helper()
	h := &house{t: t, file: filepath.Join(t.TempDir(), "feed.ics"), now: today}
	o := Options{Name: "calendar", File: h.file, Zone: denver, Token: regexp.MustCompile(defaultToken),
		Kinds: []Kind{{regexp.MustCompile(`(?i)\bprep`), fhir.SessionPreparation}, {regexp.MustCompile(`(?i)\bdos(e|ing)\b`), fhir.SessionDosing},
			{regexp.MustCompile(`(?i)integration`), fhir.SessionIntegration}},
		Places: []Place{{regexp.MustCompile(`(?i)zoom`), AtDistance}, {regexp.MustCompile(`(?i)home`), AtHome}},
		Now:    func() time.Time { return h.now }}
	for _, f := range change {
		f(&o)
	}
	h.c = must(New(o))
	return h
}

func (h *house) feed(events ...string) *house {
	h.t.Helper()
	return h.raw("BEGIN:VCALENDAR\nVERSION:2.0\n" + strings.Join(events, "") + "END:VCALENDAR\n")
}

func (h *house) raw(text string) *house {
	h.t.Helper()
	if err := os.WriteFile(h.file, []byte(strings.ReplaceAll(text, "\n", "\r\n")), 0o600); err != nil {
		h.t.Fatal(err)
	}
	return h
}

func vevent(uid string, lines ...string) string {
	return "BEGIN:VEVENT\nUID:" + uid + "\nDTSTAMP:20260301T000000Z\n" + strings.Join(lines, "\n") + "\nEND:VEVENT\n"
}

// session is an event of a client, three days ahead and more.
func session(uid, token string, days int) string {
	at := today.AddDate(0, 0, days).Format(localForm)
	return vevent(uid, "DTSTART;TZID=America/Denver:"+at, "DURATION:PT3H", "SUMMARY:Dosing "+token)
}

// read reads to the end for the given tokens.
func (h *house) read(tokens ...string) exchange.Page {
	h.t.Helper()
	var all exchange.Everybody
	for _, token := range tokens {
		all.Members = append(all.Members, patientID(token))
	}
	return h.readFor(exchange.RosterOf(nil, all))
}

func (h *house) readFor(roster exchange.Roster) (whole exchange.Page) {
	h.t.Helper()
	for range 100 {
		page, err := h.c.Puller.Pull(h.t.Context(), h.since, roster)
		if err != nil {
			h.t.Fatal(err)
		}
		h.since = page.Next
		page.Resources, page.Rejects = append(whole.Resources, page.Resources...), append(whole.Rejects, page.Rejects...)
		page.Swept = append(whole.Swept, page.Swept...)
		if whole = page; !page.More {
			return whole
		}
	}
	h.t.Fatal("the read does not end")
	return whole
}

// told writes the appointments of a page a line each, in the practice's time.
func told(t *testing.T, page exchange.Page) (lines []string) {
	t.Helper()
	for _, r := range page.Resources {
		if r.Type != "Appointment" {
			continue
		}
		a, err := fhir.Read[fhir.Appointment](r)
		if err != nil {
			t.Fatal(err)
		}
		kind, place := "–", ""
		if len(a.ServiceType) > 0 {
			kind = *a.ServiceType[0].Coding[0].Code
		}
		if len(a.ServiceCategory) > 0 {
			place = " " + *a.ServiceCategory[0].Coding[0].Code
		}
		start, end := must(time.Parse(time.RFC3339, *a.Start)), must(time.Parse(time.RFC3339, *a.End))
		lines = append(lines, fmt.Sprintf("%s +%s %s %s%s", start.In(denver).Format("01-02 15:04"), end.Sub(start), a.Status.Code(), kind, place))
	}
	slices.Sort(lines)
	return lines
}

func same(t *testing.T, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("got\n  %s\nwant\n  %s", strings.Join(got, "\n  "), strings.Join(want, "\n  "))
	}
}

func sample(t *testing.T, name string) string {
	t.Helper()
	return string(must(os.ReadFile(filepath.Join("testdata", name))))
}

func TestCalendarsAsTheyAreShared(t *testing.T) {
	t.Run("Google: a moved and a cancelled occurrence, one taken out, an all-day event, someone's dentist", func(t *testing.T) {
		page := newHouse(t).raw(sample(t, "google.ics")).read("K-7QX4")
		same(t, told(t, page),
			"02-24 10:00 +1h30m0s booked integration VR",
			"03-03 10:00 +1h30m0s booked integration VR",
			"03-06 10:00 +3h0m0s booked dosing",
			"03-11 14:00 +1h30m0s booked integration",
			"03-20 00:00 +24h0m0s booked –",
			"03-24 10:00 +1h30m0s cancelled integration")
		if len(page.Rejects) > 0 || !page.Complete {
			t.Errorf("%d rejects, complete %v", len(page.Rejects), page.Complete)
		}
	})
	t.Run("Outlook: Windows names, a zone of its own rules, clocks put forward on 8 March, a tentative one", func(t *testing.T) {
		page := newHouse(t).raw(sample(t, "outlook.ics")).read("K-22AB")
		same(t, told(t, page),
			"03-02 10:00 +1h0m0s booked preparation",
			"03-09 10:00 +3h0m0s pending dosing",
			"03-16 10:00 +1h0m0s booked preparation",
			"03-30 10:00 +1h0m0s booked preparation")
	})
	t.Run("Apple: this and all that follow moved, a time without a zone, a zone that nobody knows", func(t *testing.T) {
		page := newHouse(t).raw(sample(t, "apple.ics")).read("K-9ZZ")
		same(t, told(t, page),
			"03-03 09:00 +3h0m0s booked dosing HH",
			"03-05 09:00 +45m0s booked –",
			"03-10 09:00 +3h0m0s booked dosing HH",
			"03-18 13:00 +2h0m0s booked dosing",
			"03-25 13:00 +2h0m0s booked dosing")
		if len(page.Rejects) != 1 || page.Rejects[0].Reason != "event at line 56: its time zone is unknown" || page.Rejects[0].Subject.ID != patientID("K-9ZZ") {
			t.Errorf("rejects %+v", page.Rejects)
		}
	})
}

// What a calendar's user wrote, and where. None of it may be in anything that leaves the connector.
var private = []string{"Jordan", "Beck", "journal", "playlist", "zoom.example", "Robin", "Example St", "Okafor", "jordan@", "Dentist", "google.com", "retreat", "Suite"}

func TestNothingOfAnEventsTextIsKept(t *testing.T) {
	for _, name := range []string{"google.ics", "outlook.ics", "apple.ics"} {
		h := newHouse(t).raw(sample(t, name))
		page := h.read("K-7QX4", "K-22AB", "K-9ZZ")
		text := string(page.Next) + fmt.Sprintf("%+v", page)
		for _, r := range page.Resources {
			text += string(r.Body)
		}
		for _, r := range page.Rejects {
			text += string(r.Body)
		}
		report := must(h.c.Checker.Check(t.Context()))
		text += fmt.Sprintf("%+v %+v", report, h.c.Puller.(*feed).last)
		for _, word := range private {
			if strings.Contains(text, word) {
				t.Errorf("%s: %q was kept", name, word)
			}
		}
	}
}

func TestTimes(t *testing.T) {
	for _, tc := range []struct {
		name string
		zone string
		at   []string
		want []string
	}{
		{"a time that the clocks jump over is as if they had not been put forward", "", []string{"DTSTART;TZID=America/Denver:20260308T023000", "DURATION:PT2H"}, []string{"03-08 03:30 +2h0m0s"}},
		{"a time that comes twice is the first", "", []string{"DTSTART;TZID=America/Denver:20261101T013000", "DURATION:PT2H"}, nil},
		{"a weekly event keeps its time on the clock when they change", "", []string{"DTSTART;TZID=America/Denver:20260301T090000", "DTEND;TZID=America/Denver:20260301T110000", "RRULE:FREQ=WEEKLY;COUNT=3"},
			[]string{"03-01 09:00 +2h0m0s", "03-08 09:00 +2h0m0s", "03-15 09:00 +2h0m0s"}},
		{"an event in UTC moves on the clock when they change", "", []string{"DTSTART:20260301T160000Z", "DURATION:PT2H", "RRULE:FREQ=WEEKLY;COUNT=3"},
			[]string{"03-01 09:00 +2h0m0s", "03-08 10:00 +2h0m0s", "03-15 10:00 +2h0m0s"}},
		{"an end that is a day lasts to the end of that day", "", []string{"DTSTART;TZID=America/Denver:20260303T090000", "DURATION:PT2H", "RRULE:FREQ=WEEKLY;UNTIL=20260310"},
			[]string{"03-03 09:00 +2h0m0s", "03-10 09:00 +2h0m0s"}},
		{"further dates are added, and taken out again", "", []string{"DTSTART;TZID=America/Denver:20260303T090000", "DURATION:PT2H", "RDATE;TZID=America/Denver:20260305T090000,20260306T090000", "EXDATE;TZID=America/Denver:20260305T090000"},
			[]string{"03-03 09:00 +2h0m0s", "03-06 09:00 +2h0m0s"}},
		{"a day taken out takes what is on it", "", []string{"DTSTART;TZID=America/Denver:20260303T090000", "DURATION:PT2H", "RRULE:FREQ=DAILY;COUNT=3", "EXDATE;VALUE=DATE:20260304"},
			[]string{"03-03 09:00 +2h0m0s", "03-05 09:00 +2h0m0s"}},
		{"a zone behind a vendor's name", "", []string{"DTSTART;TZID=/freeassociation.sourceforge.net/America/New_York:20260303T090000", "DURATION:PT2H"}, []string{"03-03 07:00 +2h0m0s"}},
		{"an event without an end is over at once", "", []string{"DTSTART:20260303T160000Z"}, []string{"03-03 09:00 +0s"}},
		{"an all-day event lasts a day on the clock, also when they change", "", []string{"DTSTART;VALUE=DATE:20260308"}, []string{"03-08 00:00 +23h0m0s"}},
		{"an event 61 days ago is out of the window", "", []string{"DTSTART:20251228T160000Z", "DURATION:PT2H"}, nil},
		{"an event 121 days ahead is out of the window", "", []string{"DTSTART:20260703T160000Z", "DURATION:PT2H"}, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			page := newHouse(t).feed(vevent("u", append(tc.at, "SUMMARY:Dosing K-1A")...)).read("K-1A")
			got := told(t, page)
			for i := range got {
				got[i] = strings.TrimSuffix(got[i], " booked dosing")
			}
			if len(page.Rejects) > 0 {
				t.Errorf("rejected: %s", page.Rejects[0].Reason)
			}
			same(t, got, tc.want...)
		})
	}
	if got := zoneOf(denver).at(time.Date(2026, 11, 1, 1, 30, 0, 0, time.UTC)); got.Format(time.RFC3339) != "2026-11-01T07:30:00Z" {
		t.Errorf("01:30 that comes twice is read as %s", got.Format(time.RFC3339))
	}
}

func TestABadEventIsRefusedAlone(t *testing.T) {
	at, long := "DTSTART:20260303T160000Z", "DURATION:PT2H"
	for reason, lines := range map[string][]string{
		badStart:  {"DTSTART:tomorrow at nine", long},
		badEnd:    {at, "DTEND:20260301T160000Z"},
		badZone:   {"DTSTART;TZID=Mars/Olympus:20260303T090000", long},
		badRule:   {at, long, "RRULE:FREQ=MINUTELY"},
		badChange: {at, long, "RECURRENCE-ID:yesterday"},
		badStatus: {at, long, "STATUS:MAYBE"},
	} {
		t.Run(reason, func(t *testing.T) {
			h := newHouse(t).feed(vevent("bad", append(lines, "SUMMARY:Robin Ng K-1A dosing")...), session("good", "K-2B", 3))
			page := h.read("K-1A", "K-2B")
			if len(page.Rejects) != 1 || !page.Complete {
				t.Fatalf("%d rejects, complete %v", len(page.Rejects), page.Complete)
			}
			r := page.Rejects[0]
			if r.Reason != "event at line 3: "+reason || r.Ref == "" || r.Hash == "" || r.Source != "calendar" || r.Subject.ID != patientID("K-1A") || strings.Contains(string(r.Body), "Robin") {
				t.Errorf("reject %+v %s", r, r.Body)
			}
			if len(told(t, page)) != 1 {
				t.Errorf("told %v", told(t, page))
			}
			again := h.read("K-1A", "K-2B")
			if len(again.Rejects)+len(again.Resources) != 0 {
				t.Error("what stands as it stood is told again")
			}
			mended := h.feed(vevent("bad", at, long, "SUMMARY:K-1A dosing"), session("good", "K-2B", 3)).read("K-1A", "K-2B")
			if len(mended.Resources) != 1 || mended.Resources[0].ID != r.Ref {
				t.Errorf("the event, once readable, does not take the reject's place: %v", mended.Resources)
			}
		})
	}
}

func TestWhatBecomesOfAnEvent(t *testing.T) {
	t.Run("a moved event is a new version of the same appointment", func(t *testing.T) {
		h := newHouse(t).feed(session("a", "K-1A", 3))
		first := h.read("K-1A")
		second := h.feed(session("a", "K-1A", 5)).read("K-1A")
		if len(second.Resources) != 1 || second.Resources[0].ID != first.Resources[1].ID || len(second.Gone) != 0 {
			t.Errorf("%v, gone %v", second.Resources, second.Gone)
		}
	})
	t.Run("an event moved beyond the window is moved, and not gone", func(t *testing.T) {
		h := newHouse(t).feed(session("a", "K-1A", 3))
		h.read("K-1A")
		page := h.feed(session("a", "K-1A", 200)).read("K-1A")
		if len(page.Resources) != 1 || len(page.Gone) != 0 {
			t.Errorf("%v, gone %v", page.Resources, page.Gone)
		}
	})
	t.Run("an event to come that is not there any more is gone; one that is over is not", func(t *testing.T) {
		h := newHouse(t).feed(session("a", "K-1A", 3), session("over", "K-1A", -3), session("b", "K-1A", 6), session("c", "K-1A", 7))
		h.read("K-1A")
		page := h.feed(session("b", "K-1A", 6), session("c", "K-1A", 7)).read("K-1A")
		if len(page.Gone) != 1 || page.Gone[0].ID != "e-"+digest("a") || !page.Complete {
			t.Errorf("gone %v", page.Gone)
		}
		if again := h.read("K-1A"); len(again.Gone) != 0 {
			t.Error("gone once more")
		}
	})
	t.Run("an event that cannot be read any more is not gone", func(t *testing.T) {
		h := newHouse(t).feed(session("a", "K-1A", 3))
		h.read("K-1A")
		page := h.feed(vevent("a", "DTSTART;TZID=Nowhere:20260305T090000", "SUMMARY:K-1A dosing")).read("K-1A")
		if len(page.Gone) != 0 || len(page.Rejects) != 1 {
			t.Errorf("gone %v, %d rejects", page.Gone, len(page.Rejects))
		}
	})
	t.Run("an event that could not be read for a while is told again, in the same words too", func(t *testing.T) {
		h := newHouse(t).feed(session("a", "K-1A", 3))
		h.read("K-1A")
		h.feed(vevent("a", "DTSTART;TZID=Nowhere:20260305T090000", "SUMMARY:K-1A dosing")).read("K-1A")
		page := h.feed(session("a", "K-1A", 3)).read("K-1A")
		if len(page.Resources) != 1 || page.Resources[0].ID != "e-"+digest("a") || len(page.Gone) != 0 {
			t.Errorf("%d records, gone %v", len(page.Resources), page.Gone)
		}
	})
	t.Run("an unreadable event that is taken out, or comes back as a series, is gone as what it was", func(t *testing.T) {
		bad := vevent("a", "DTSTART;TZID=Nowhere:20260305T090000", "SUMMARY:K-1A dosing")
		for _, next := range []string{"", vevent("a", "DTSTART;TZID=America/Denver:20260305T090000", "RRULE:FREQ=DAILY;COUNT=2", "SUMMARY:K-1A dosing")} {
			h := newHouse(t).feed(bad)
			rejects := h.read("K-1A").Rejects
			page := h.feed(next).read("K-1A")
			if len(page.Gone) != 1 || page.Gone[0].ID != rejects[0].Ref {
				t.Errorf("gone %v, want %s", page.Gone, rejects[0].Ref)
			}
		}
	})
	t.Run("of two versions of one event the newer counts", func(t *testing.T) {
		old := vevent("a", "DTSTART:20260303T160000Z", "DURATION:PT2H", "SEQUENCE:1", "SUMMARY:K-1A dosing")
		newer := vevent("a", "DTSTART:20260304T160000Z", "DURATION:PT2H", "SEQUENCE:2", "SUMMARY:K-1A dosing")
		same(t, told(t, newHouse(t).feed(newer, old).read("K-1A")), "03-04 09:00 +2h0m0s booked dosing")
	})
	t.Run("an event of two clients is an appointment of each", func(t *testing.T) {
		page := newHouse(t).feed(session("a", "K-1A and K-2B", 3)).read("K-1A", "K-2B")
		if len(told(t, page)) != 2 || len(page.Resources) != 4 {
			t.Errorf("%d records", len(page.Resources))
		}
	})
	t.Run("a whole calendar cut off in the middle is no calendar", func(t *testing.T) {
		h := newHouse(t).raw(sample(t, "google.ics")[:1500])
		_, err := h.c.Puller.Pull(t.Context(), "", exchange.Roster{})
		if connectors.FaultOf(err) != connectors.Garbled {
			t.Errorf("got %v", err)
		}
	})
	for name, text := range map[string]string{"an empty answer": "", "a page to sign in": "<!doctype html><p>Sign in, Jordan", "a calendar without an end": "BEGIN:VCALENDAR\n"} {
		t.Run(name+" is no news", func(t *testing.T) {
			_, err := newHouse(t).raw(text).c.Puller.Pull(t.Context(), "", exchange.Roster{})
			if connectors.FaultOf(err) != connectors.Garbled || strings.Contains(err.Error(), "Jordan") {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestAFeedThatLostMostOfItsEventsIsDoubted(t *testing.T) {
	many := func(n int) (list []string) {
		for i := range n {
			list = append(list, session(fmt.Sprint("u", i), "K-1A", i+1))
		}
		return list
	}
	h := newHouse(t).feed(many(8)...)
	h.read("K-1A")
	h.feed(many(2)...)
	for i := range 2 {
		page := h.read("K-1A")
		if page.Complete || page.Why == "" || len(page.Gone) != 0 {
			t.Fatalf("read %d: complete %v, gone %d", i+1, page.Complete, len(page.Gone))
		}
		if again := h.read("K-1A"); again.Complete {
			t.Fatal("two reads within an hour count as two")
		}
		h.now = h.now.Add(61 * time.Minute)
	}
	if page := h.read("K-1A"); !page.Complete || len(page.Gone) != 6 {
		t.Errorf("after three reads: complete %v, gone %d", page.Complete, len(page.Gone))
	}

	h = newHouse(t, func(o *Options) { o.ConfirmFor = 1 }).feed(many(8)...)
	h.read("K-1A")
	if page := h.feed().read("K-1A"); !page.Complete || len(page.Gone) != 8 {
		t.Errorf("the operator believes it at once: complete %v, gone %d", page.Complete, len(page.Gone))
	}

	h = newHouse(t).feed(many(8)...)
	h.read("K-1A")
	h.feed().read("K-1A")
	if page := h.feed(many(8)...).read("K-1A"); !page.Complete || len(page.Gone)+len(page.Resources) != 0 {
		t.Errorf("they are back: complete %v", page.Complete)
	}
}

func TestWhomACalendarTellsOf(t *testing.T) {
	h := newHouse(t).feed(session("a", "K-1A", 3), session("b", "K-2B", 4), session("nobody", "K-ZZZ", 5), vevent("free", "DTSTART:20260303T160000Z", "SUMMARY:Lunch"))
	wanted := fhir.ID{System: fhir.SystemToken, Value: "K-2B"}
	page := h.readFor(exchange.RosterOf(nil, exchange.Everybody{Members: []string{patientID("K-1A")}, Wanted: []fhir.ID{wanted, {System: "urn:mrn", Value: "K-ZZZ"}}}))
	var refs []string
	for _, r := range page.Resources {
		refs = append(refs, r.Ref().String())
	}
	same(t, refs, "Patient/"+patientID("K-1A"), "Appointment/e-"+digest("a"), "Patient/"+patientID("K-2B"))
	if page.Strays == nil || len(*page.Strays) != 2 {
		t.Fatalf("strays %v", page.Strays)
	}
	page = h.readFor(exchange.RosterOf([]string{patientID("K-2B")}, exchange.Everybody{Members: []string{patientID("K-1A"), patientID("K-2B")}}))
	if len(told(t, page)) != 1 || !slices.Equal(page.Swept, []string{patientID("K-2B")}) || len(*page.Strays) != 1 {
		t.Errorf("once linked: %v, swept %v, %d strays", told(t, page), page.Swept, len(*page.Strays))
	}
}

func FuzzReadingACalendar(f *testing.F) {
	for _, name := range []string{"google.ics", "outlook.ics", "apple.ics"} {
		f.Add(string(must(os.ReadFile(filepath.Join("testdata", name)))))
	}
	f.Add("BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:a\nDTSTART;TZID=\"\nRRULE:FREQ=DAILY;BYEASTER=9999999\nEND:VEVENT\nEND:VCALENDAR")
	o := &Options{Name: "calendar", File: "x", Zone: denver, Token: regexp.MustCompile(defaultToken), Now: func() time.Time { return today }}
	f.Fuzz(func(t *testing.T, body string) {
		cal, err := readCalendar(body, o)
		if err != nil {
			return
		}
		list, _ := cal.occurrences(today.Add(-60*day), today.Add(120*day))
		for _, occurrence := range list {
			for _, e := range (&feed{Options: *o}).entries(occurrence) {
				if _, err := fhir.Parse(e.body, "Appointment"); err != nil {
					t.Fatalf("%s: %v", e.body, err)
				}
			}
		}
	})
}
