package fhirrest_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kaphub/kaphub/connectors/fhirrest"
	"github.com/kaphub/kaphub/connectors/sandbox"
	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/exchange"
)

// inOrderOfID answers searches for patients two a page and by id, whatever _sort says. It does keep _lastUpdated.
func (f *far) inOrderOfID(updated ...string) {
	f.otherwise = func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path != "/Patient" {
			return false
		}
		q := r.URL.Query()
		var fit []string
		for i, at := range updated {
			if since := strings.TrimPrefix(q.Get("_lastUpdated"), "ge"); at >= since {
				fit = append(fit, fmt.Sprintf(`{"resource":{"resourceType":"Patient","id":"p%d","meta":{"lastUpdated":%q}}}`, i, at))
			}
		}
		from, to := 0, len(fit)
		_, _ = fmt.Sscan(q.Get("page"), &from)
		link := ""
		if to-from > 2 {
			to = from + 2
			q.Set("page", fmt.Sprint(to))
			link = fmt.Sprintf(`,"link":[{"relation":"next","url":"%s/Patient?%s"}]`, f.url, q.Encode())
		}
		say(w, 200, `{"resourceType":"Bundle","type":"searchset"`+link+`,"entry":[`+strings.Join(fit[from:to], ",")+`]}`)
		return true
	}
}

func TestAServerThatIgnoresSortHidesNoRow(t *testing.T) {
	for name, updated := range map[string][]string{
		"a page that happens to be in order, its last row just changed": {"2026-01-01T00:00:00Z", "2026-03-01T00:00:00Z", "2026-01-02T00:00:00Z", "2026-01-03T00:00:00Z", "2026-01-04T00:00:00Z"},
		"newest first, two rows of one instant":                         {"2026-03-01T00:00:00Z", "2026-03-01T00:00:00Z", "2026-02-01T00:00:00Z", "2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z"},
		"in order, really":                                              {"2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z", "2026-01-03T00:00:00Z", "2026-01-04T00:00:00Z", "2026-01-05T00:00:00Z"},
	} {
		t.Run(name, func(t *testing.T) {
			f, c := newFar(t, sandbox.Dialect{}, fhirrest.Options{})
			f.inOrderOfID(updated...)
			last, all := round(t, c, "", exchange.Roster{})
			for i := range updated {
				if !has(all, fmt.Sprint("Patient/p", i)) {
					t.Errorf("p%d was not read, and the round is complete: %v", i, last.Complete)
				}
			}
		})
	}
}

func TestAPageThatEndsBeforeItsTotalIsNoWholeReading(t *testing.T) {
	f, c := newFar(t, sandbox.Dialect{}, fhirrest.Options{})
	f.patient(t, "p1")
	cut := func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path != "/Observation" {
			return false
		}
		say(w, 200, `{"resourceType":"Bundle","type":"searchset","total":3,"entry":[{"resource":{"resourceType":"Observation","id":"o1","status":"final","code":{"text":"x"},"subject":{"reference":"Patient/p1"}}}]}`)
		return true
	}
	f.otherwise = cut
	last, all := round(t, c, "", exchange.Roster{})
	if last.Complete || !has(all, "Observation/o1") {
		t.Errorf("complete %v: two of three rows are missing", last.Complete)
	}
	page, err := c.Sweeper.Sweep(t.Context(), "", newcomer("p1"))
	if err != nil || len(page.Swept) > 0 {
		t.Errorf("swept %v: what was cut off would count as gone (%v)", page.Swept, err)
	}
	f.otherwise = nil
	if last, _ = round(t, c, last.Next, exchange.Roster{}); !last.Complete {
		t.Errorf("mended, and still incomplete: %s", last.Why)
	}
}

func TestANextLinkWithoutAnAddressIsGarbage(t *testing.T) {
	for _, link := range []string{`{"relation":"next"}`, `{"relation":"next","url":""}`} {
		f, c := newFar(t, sandbox.Dialect{}, fhirrest.Options{})
		f.answers("", "Patient", 200, `{"resourceType":"Bundle","type":"searchset","link":[`+link+`]}`)
		if last, _, err := tryRound(t, c, "", exchange.Roster{}); err == nil {
			t.Errorf("%s: complete %v", link, last.Complete)
		}
	}
}

func TestATypeThatWasThereYesterdayIsMissed(t *testing.T) {
	f, c := newFar(t, sandbox.Dialect{}, fhirrest.Options{})
	last, _ := round(t, c, "", exchange.Roster{})
	f.server.Speak(sandbox.Dialect{Missing: []string{"Flag"}}) // an upgrade, or another node's statement
	again := open(t, fhirrest.Options{BaseURL: f.url})
	if last, _ = round(t, again, last.Next, exchange.Roster{}); last.Complete || last.Why != "Flag: not offered any more" {
		t.Errorf("complete %v, why %q: a stop might stand there", last.Complete, last.Why)
	}
	without := open(t, fhirrest.Options{BaseURL: f.url, Dialect: fhirrest.Dialect{Types: []string{"Patient", "Task", "Observation", "MedicationRequest"}}})
	if last, _ = round(t, without, last.Next, exchange.Roster{}); !last.Complete {
		t.Errorf("taken out of the config knowingly, and still missed: %s", last.Why)
	}
}

func TestAServersClockThatWasAheadHidesNothing(t *testing.T) {
	t.Run("by its Date", func(t *testing.T) {
		f, c := newFar(t, sandbox.Dialect{}, fhirrest.Options{Now: func() time.Time { return noon }})
		dated := func(at time.Time) {
			f.otherwise = func(w http.ResponseWriter, r *http.Request) bool {
				w.Header().Set("Date", at.Format(http.TimeFormat))
				return false
			}
		}
		f.now = noon.AddDate(3, 0, 0)
		dated(f.now)
		last, _ := round(t, c, "", exchange.Roster{})
		f.now = noon
		dated(noon)
		f.patient(t, "p1")
		if last, all := round(t, c, last.Next, exchange.Roster{}); !has(all, "Patient/p1") || !last.Complete {
			t.Errorf("complete %v %s: what came after the clock was set right was not read", last.Complete, last.Why)
		}
	})
	t.Run("by a row of tomorrow, where it tells no time", func(t *testing.T) {
		f, c := newFar(t, sandbox.Dialect{}, fhirrest.Options{Now: func() time.Time { return noon }})
		f.otherwise = func(w http.ResponseWriter, r *http.Request) bool {
			if r.URL.Path != "/Patient" {
				return false
			}
			w.Header()["Date"] = nil
			say(w, 200, `{"resourceType":"Bundle","type":"searchset","entry":[{"resource":{"resourceType":"Patient","id":"p","meta":{"lastUpdated":"2036-01-01T00:00:00Z"}}}]}`)
			return true
		}
		last, _ := round(t, c, "", exchange.Roster{})
		f.forget()
		round(t, c, last.Next, exchange.Roster{})
		if got := f.queries("Patient")[0].Get("_lastUpdated"); got > "ge2026-03-02T12" {
			t.Errorf("asked since %q", got)
		}
	})
}

func TestALookThatDoesNotShowEverythingIsNoLook(t *testing.T) {
	for name, bundle := range map[string]string{
		"rows are withheld":   `{"resourceType":"Bundle","type":"searchset","entry":[{"search":{"mode":"outcome"},"resource":{"resourceType":"OperationOutcome","issue":[{"severity":"warning","code":"suppressed"}]}}]}`,
		"the total says more": `{"resourceType":"Bundle","type":"searchset","total":1}`,
	} {
		t.Run(name, func(t *testing.T) {
			f, c := newFar(t, sandbox.Dialect{NoConditionalCreate: true}, fhirrest.Options{})
			f.answers("GET", "Patient", 200, bundle)
			if got := pushed(t, c, delivery("a"), true); got != "uncertain, may have arrived" {
				t.Errorf("%s: it may stand among what is not shown", got)
			}
			if n := f.writes(); n > 0 {
				t.Errorf("%d written", n)
			}
		})
	}
}

// writes counts what was asked of f other than to be read.
func (f *far) writes() (n int) {
	for _, call := range f.server.Calls() {
		if call.Method != http.MethodGet {
			n++
		}
	}
	return n
}

func TestWhatSomebodyInBetweenSaysIsNoRefusal(t *testing.T) {
	for _, tc := range []struct {
		name   string
		status int
		media  string
		want   string
	}{
		{"a portal sends us elsewhere", 302, "text/html", "garbled, may have arrived"},
		{"a gateway knows no such path", 404, "text/html", "garbled"},
		{"the server itself knows no such type", 404, "application/fhir+json", "refused"},
		{"the server says no", 422, "application/fhir+json", "refused"},
		{"a gateway finds it too large", 413, "text/html", "refused"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			f, c := newFar(t, sandbox.Dialect{}, fhirrest.Options{})
			f.otherwise = func(w http.ResponseWriter, r *http.Request) bool {
				if r.Method != http.MethodPost {
					return false
				}
				w.Header().Set("Content-Type", tc.media)
				w.Header().Set("Location", "/login")
				w.WriteHeader(tc.status)
				_, _ = w.Write([]byte(`{}`))
				return true
			}
			if got := pushed(t, c, delivery("a"), false); got != tc.want {
				t.Errorf("%s, want %s", got, tc.want)
			}
		})
	}
}

// A server whose searches lag, and that makes no conditional creates, may show a copy only a while after it was made.
func TestWhereOnlyALookTellsItIsGivenTimeToShow(t *testing.T) {
	now := noon
	f, c := newFar(t, sandbox.Dialect{NoConditionalCreate: true, LateBy: 2}, fhirrest.Options{Now: func() time.Time { return now }})
	f.server.Fault(sandbox.Fault{Do: sandbox.DropAfter, Method: "POST"})
	d := delivery("a")
	if got := pushed(t, c, d, false); got != "temporary, may have arrived" {
		t.Fatal(got)
	}
	d.Tried, now = now, now.Add(20*time.Second)
	for range 3 {
		if got := pushed(t, c, d, true); got != "temporary, may have arrived" && got != "existed" {
			t.Errorf("asked soon after: %s", got)
		}
	}
	now = now.Add(time.Hour)
	if got := pushed(t, c, d, true); got != "existed" {
		t.Errorf("asked again: %s", got)
	}
	f.server.Speak(sandbox.Dialect{})
	if n := f.Count(t, "Patient", copyID); n != 1 {
		t.Errorf("%d copies", n)
	}
	empty, _ := newFar(t, sandbox.Dialect{NoConditionalCreate: true}, fhirrest.Options{})
	other := open(t, fhirrest.Options{BaseURL: empty.url, Now: func() time.Time { return now }})
	d.Tried = now.Add(-2 * time.Minute)
	if got := pushed(t, other, d, true); got != "created" {
		t.Errorf("long after, and nothing there: %s", got)
	}
}

func TestTwoCopiesDoNotUndoThatThisTryWroteOne(t *testing.T) {
	f, c := newFar(t, sandbox.Dialect{NoConditionalCreate: true}, fhirrest.Options{Dialect: fhirrest.Dialect{ConditionalCreate: set(true)}})
	f.Put(t, string(delivery("earlier").Body))
	f.changing("POST", "Patient", func(s int, h http.Header, _ string) (int, string) { h.Del("Location"); return s, "" })
	nameless, looked := f.otherwise, false
	f.otherwise = func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method == http.MethodGet && r.URL.Path == "/Patient" && !looked { // the earlier one does not show yet
			looked = true
			say(w, 200, `{"resourceType":"Bundle","type":"searchset","total":0}`)
			return true
		}
		return nameless(w, r)
	}
	if got := pushed(t, c, delivery("a"), false); got != "conflict, may have arrived" {
		t.Errorf("%s", got)
	}
}

func TestSomebodyElsesRecordIsNotTakenForTheClients(t *testing.T) {
	f, c := newFar(t, sandbox.Dialect{NoLastUpdated: true}, fhirrest.Options{})
	f.patient(t, "p1")
	f.answers("GET", "Observation", 200, `{"resourceType":"Bundle","type":"searchset","entry":[
		{"resource":{"resourceType":"Observation","id":"mine","status":"final","code":{"text":"x"},"subject":{"reference":"Patient/p1"}}},
		{"resource":{"resourceType":"Observation","id":"theirs","status":"final","code":{"text":"x"},"subject":{"reference":"Patient/p2"}}},
		{"resource":{"resourceType":"Observation","id":"broken","status":"final","Status":"final","code":{"text":"x"},"subject":{"reference":"Patient/p2"}}}]}`)
	last, all := round(t, c, "", exchange.RosterOf([]string{"p1"}, exchange.Everybody{Members: []string{"p1"}}))
	if !has(all, "Observation/mine") || has(all, "Observation/theirs") || len(all.Rejects) > 0 {
		t.Errorf("read %v and %d rejects", all.Resources, len(all.Rejects))
	}
	if last.Complete || last.Why != "Observation: somebody else's record in the answer" || len(all.Swept) > 0 {
		t.Errorf("complete %v, why %q, swept %v: a server that mixes patients up has not answered", last.Complete, last.Why, all.Swept)
	}
}

func TestOfARecordThatComesTwiceOnAPageTheNewestTellingCounts(t *testing.T) {
	f, c := newFar(t, sandbox.Dialect{}, fhirrest.Options{})
	f.answers("GET", "Patient", 200, `{"resourceType":"Bundle","type":"searchset","entry":[
		{"resource":{"resourceType":"Patient","id":"p1","meta":{"lastUpdated":"2026-03-01T00:00:00Z"},"active":true}},
		{"resource":{"resourceType":"Patient","id":"p1","meta":{"lastUpdated":"2026-03-02T00:00:00Z"},"active":false}},
		{"resource":{"resourceType":"Patient","id":"p1","meta":{"lastUpdated":"2026-02-01T00:00:00Z"},"active":true}}]}`)
	page, err := c.Puller.Pull(t.Context(), "", exchange.Roster{})
	if err != nil || len(page.Resources) != 1 || !strings.Contains(string(page.Resources[0].Body), "false") {
		t.Errorf("%v %d resources", err, len(page.Resources))
	}
}

// A server that says it looks at If-Match and does not: what somebody wrote between our look and our update is gone, and
// that must be told.
func TestALostUpdateIsTold(t *testing.T) {
	for name, meddle := range map[string]bool{"somebody wrote in between": true, "nobody did": false} {
		t.Run(name, func(t *testing.T) {
			f, c := newFar(t, sandbox.Dialect{IfMatch: sandbox.IfMatchIgnored, Overstates: true}, fhirrest.Options{})
			if got := pushed(t, c, delivery("a"), false); got != "created" {
				t.Fatal(got)
			}
			d := delivery("b")
			d.Update = true
			f.otherwise = func(w http.ResponseWriter, r *http.Request) bool {
				if r.Method == http.MethodPut && meddle {
					body, _ := f.server.Get(fhir.Ref{Type: "Patient", ID: "patient-1"})
					if _, err := f.server.Put(body); err != nil {
						t.Error(err)
					}
				}
				return false
			}
			receipt, err := c.Pusher.Push(t.Context(), d, false)
			if err != nil || receipt.Outcome != exchange.OutcomeUpdated || slices.Contains(receipt.Codes, exchange.CodeOverwrote) != meddle {
				t.Errorf("%+v %v", receipt, err)
			}
		})
	}
}

func TestWhomTheOtherSideKnowsIsNotMadeASecondTime(t *testing.T) {
	f, c := newFar(t, sandbox.Dialect{}, fhirrest.Options{})
	theirs, _ := f.Put(t, `{"resourceType":"Patient","identifier":[{"system":"urn:mrn","value":"7"}],"active":true}`)
	d := delivery("a")
	d.Body = []byte(strings.Replace(string(d.Body), `"identifier":[`, `"identifier":[{"system":"urn:mrn","value":"7"},`, 1))
	d.Update = true
	receipt, err := c.Pusher.Push(t.Context(), d, false)
	if err != nil || receipt.Outcome != exchange.OutcomeExisted || receipt.Ref != theirs || !slices.Contains(receipt.Codes, exchange.CodeTheirs) {
		t.Errorf("%+v %v", receipt, err)
	}
	if n := f.writes(); n != 1 { // the test's own
		t.Errorf("%d writes: their record is theirs", n)
	}
}
