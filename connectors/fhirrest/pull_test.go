package fhirrest_test

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kaphub/kaphub/connectors"
	"github.com/kaphub/kaphub/connectors/fhirrest"
	"github.com/kaphub/kaphub/connectors/sandbox"
	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/exchange"
)

var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

// far is a sandbox that can be made to answer single requests otherwise, and that remembers what it was asked.
type far struct {
	world
	mu        sync.Mutex
	now       time.Time
	otherwise func(w http.ResponseWriter, r *http.Request) bool // true: it has answered
	asked     []string                                          // "GET Patient?query"
}

func newFar(t *testing.T, d sandbox.Dialect, o fhirrest.Options) (*far, connectors.Connector) {
	t.Helper()
	f := &far{now: noon}
	f.server = sandbox.NewServer(sandbox.Options{Dialect: d, Now: func() time.Time { return f.now }})
	f.url = serve(t, f)
	o.BaseURL = f.url
	return f, open(t, o)
}

func (f *far) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	f.asked = append(f.asked, r.Method+" "+strings.TrimPrefix(r.URL.RequestURI(), "/"))
	otherwise := f.otherwise
	f.mu.Unlock()
	if otherwise == nil || !otherwise(w, r) {
		f.server.ServeHTTP(w, r)
	}
}

// answers makes f answer otherwise to requests of a method ("" = any) and path ("" = any).
func (f *far) answers(method, path string, status int, body string) {
	f.otherwise = func(w http.ResponseWriter, r *http.Request) bool {
		if method != "" && r.Method != method || path != "" && r.URL.Path != "/"+path {
			return false
		}
		say(w, status, body)
		return true
	}
}

func say(w http.ResponseWriter, status int, body string) {
	w.Header().Set("Content-Type", "application/fhir+json")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, body)
}

// queries are the queries asked of a type since the last call of forget.
func (f *far) queries(typ string) []url.Values {
	f.mu.Lock()
	defer f.mu.Unlock()
	var all []url.Values
	for _, line := range f.asked {
		if rest, ok := strings.CutPrefix(line, "GET "+typ+"?"); ok {
			q, _ := url.ParseQuery(rest)
			all = append(all, q)
		}
	}
	return all
}

func (f *far) forget() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.asked = nil
}

func (f *far) patient(t *testing.T, id string) {
	t.Helper()
	if _, ok := f.Put(t, fmt.Sprintf(`{"resourceType":"Patient","id":%q,"identifier":[{"system":"urn:mrn","value":%q}]}`, id, id)); !ok {
		t.Fatal("the sandbox takes no patient")
	}
}

// round reads one round; what is told of it is its last page and all resources.
func round(t *testing.T, c connectors.Connector, since exchange.Cursor, roster exchange.Roster) (last exchange.Page, all exchange.Page) {
	t.Helper()
	last, all, err := tryRound(t, c, since, roster)
	if err != nil {
		t.Fatal(err)
	}
	return last, all
}

func tryRound(t *testing.T, c connectors.Connector, since exchange.Cursor, roster exchange.Roster) (last exchange.Page, all exchange.Page, err error) {
	t.Helper()
	for range 300 {
		if last, err = c.Puller.Pull(t.Context(), since, roster); err != nil {
			return last, all, err
		}
		all.Resources = append(all.Resources, last.Resources...)
		all.Gone = append(all.Gone, last.Gone...)
		all.Swept = append(all.Swept, last.Swept...)
		all.Rejects = append(all.Rejects, last.Rejects...)
		if since = last.Next; !last.More {
			return last, all, nil
		}
	}
	t.Fatal("the round does not end")
	return
}

func has(p exchange.Page, ref string) bool {
	return slices.ContainsFunc(p.Resources, func(r fhir.Resource) bool { return r.Ref().String() == ref })
}

func TestTheWatermarkIsTheServersClockWhenItsReadBegan(t *testing.T) {
	for _, tc := range []struct {
		name        string
		date, meta  time.Time // how the server tells the time; zero = not
		newest      time.Time // of its only row
		want        time.Time // the bound of the next read, before rounding
		unmarked    bool
		overlapping time.Duration
	}{
		{name: "by its Date", date: noon, want: noon.Add(-5 * time.Minute)},
		{name: "by its bundle's time, if that is earlier", date: noon, meta: noon.Add(-time.Hour), want: noon.Add(-65 * time.Minute)},
		{name: "by its Date, if that is earlier", date: noon, meta: noon.Add(time.Hour), want: noon.Add(-5 * time.Minute)},
		{name: "its own, however wrong", date: noon.Add(-72 * time.Hour), want: noon.Add(-72*time.Hour - 5*time.Minute)},
		{name: "less the overlap of the config", date: noon, overlapping: time.Hour, want: noon.Add(-time.Hour)},
		{name: "by its newest row, if it tells no time", newest: noon.Add(-time.Hour), want: noon.Add(-65 * time.Minute)},
		{name: "unknown, if it tells nothing at all: everything is read again", unmarked: true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			f, c := newFar(t, sandbox.Dialect{}, fhirrest.Options{Dialect: fhirrest.Dialect{Overlap: tc.overlapping}})
			f.otherwise = func(w http.ResponseWriter, r *http.Request) bool {
				if r.URL.Path != "/Patient" {
					return false
				}
				w.Header()["Date"] = nil
				if !tc.date.IsZero() {
					w.Header().Set("Date", tc.date.Format(http.TimeFormat))
				}
				meta, row := "", ""
				if !tc.meta.IsZero() {
					meta = `,"meta":{"lastUpdated":"` + tc.meta.Format(time.RFC3339) + `"}`
				}
				if !tc.newest.IsZero() {
					row = `{"resource":{"resourceType":"Patient","id":"p","meta":{"lastUpdated":"` + tc.newest.Format(time.RFC3339) + `"}}}`
				}
				say(w, 200, `{"resourceType":"Bundle","type":"searchset"`+meta+`,"entry":[`+row+`]}`)
				return true
			}
			last, _ := round(t, c, "", exchange.Roster{})
			f.forget()
			round(t, c, last.Next, exchange.Roster{})
			got := f.queries("Patient")[0].Get("_lastUpdated")
			want := "ge" + tc.want.Add(-time.Millisecond).Format("2006-01-02T15:04:05.000Z")
			if tc.unmarked {
				want = ""
			}
			if got != want {
				t.Errorf("asked since %q, want %q", got, want)
			}
		})
	}
}

func TestAServerThatTakesOnlyGtIsAskedFromASecondBefore(t *testing.T) {
	f, c := newFar(t, sandbox.Dialect{}, fhirrest.Options{Dialect: fhirrest.Dialect{LastUpdated: fhirrest.LastUpdatedGT, Overlap: time.Minute}})
	last, _ := round(t, c, "", exchange.Roster{})
	f.forget()
	round(t, c, last.Next, exchange.Roster{})
	if got := f.queries("Patient")[0].Get("_lastUpdated"); got != "gt2026-03-02T11:58:59.000Z" {
		t.Errorf("asked since %q", got)
	}
}

func TestTheWatermarkMovesOnlyWhenAllWasRead(t *testing.T) {
	f, c := newFar(t, sandbox.Dialect{}, fhirrest.Options{})
	f.patient(t, "p1")
	f.server.Fault(sandbox.Fault{Do: sandbox.WithholdRow, Type: "Patient"})
	last, _ := round(t, c, "", exchange.Roster{})
	if last.Complete || last.Why != "Patient: rows withheld" {
		t.Errorf("complete %v, why %q", last.Complete, last.Why)
	}
	f.forget()
	last, all := round(t, c, last.Next, exchange.Roster{})
	if f.queries("Patient")[0].Has("_lastUpdated") || !f.queries("Task")[0].Has("_lastUpdated") {
		t.Error("what was withheld was not asked for again from where it was, or what was not withheld was")
	}
	if !has(all, "Patient/p1") || !last.Complete {
		t.Errorf("complete %v, why %q", last.Complete, last.Why)
	}
}

func TestARoundLeftAloneHalfWayIsNoReadingOfToday(t *testing.T) {
	for _, tc := range []struct {
		name string
		gap  time.Duration
		late bool // what came to the first type meanwhile is read before the read counts as complete
	}{
		{"it went on at once", time.Minute, false},
		{"it went on the next day", 24 * time.Hour, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			now := noon
			f, c := newFar(t, sandbox.Dialect{}, fhirrest.Options{Now: func() time.Time { return now }})
			f.patient(t, "p1")
			since := exchange.Cursor("")
			for range 3 { // patients are behind us
				page, err := c.Puller.Pull(t.Context(), since, exchange.Roster{})
				if err != nil {
					t.Fatal(err)
				}
				since = page.Next
			}
			now, f.now = now.Add(tc.gap), f.now.Add(tc.gap)
			f.patient(t, "late")
			last, all := round(t, c, since, exchange.Roster{})
			if !last.Complete || has(all, "Patient/late") != tc.late {
				t.Errorf("complete %v %s, the late one was read: %v", last.Complete, last.Why, has(all, "Patient/late"))
			}
		})
	}
}

func TestMarksAreThoseOfOneServer(t *testing.T) {
	_, before := newFar(t, sandbox.Dialect{}, fhirrest.Options{})
	last, _ := round(t, before, "", exchange.Roster{})
	f, after := newFar(t, sandbox.Dialect{}, fhirrest.Options{})
	f.patient(t, "old")
	f.now = f.now.Add(24 * time.Hour)
	if _, all := round(t, after, last.Next, exchange.Roster{}); !has(all, "Patient/old") {
		t.Error("the new server was read only from where the old one ended")
	}
}

func TestWhatASearchThatFailsMeansForTheRound(t *testing.T) {
	const missing = `{"resourceType":"OperationOutcome","issue":[{"severity":"error","code":"not-supported"}]}`
	for _, tc := range []struct {
		name, typ string
		status    int
		why       string // of the round; "" = complete
		err       bool
	}{
		{"a right that is missing for one type leaves it incomplete", "Observation", 403, "Observation: denied", false},
		{"a type that trips the server up leaves it incomplete", "Observation", 500, "Observation: temporary", false},
		{"a search that is refused leaves it incomplete", "Flag", 422, "Flag: refused", false},
		{"a type that its statement promises and that is not there leaves it incomplete: a stop may stand in it", "Flag", 404, "Flag: not offered", false},
		{"refused as not supported is the same", "Flag", 400, "Flag: not offered", false},
		{"an essential type that the server does not know leaves it incomplete", "Task", 404, "Task: not offered", false},
		{"a busy server ends the read", "Observation", 503, "", true},
		{"a wrong token ends the read", "Observation", 401, "", true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			f, c := newFar(t, sandbox.Dialect{}, fhirrest.Options{})
			f.patient(t, "p1")
			for _, typ := range []string{"Observation", "Task", "Flag"} {
				if tc.typ != typ {
					f.Put(t, fmt.Sprintf(`{"resourceType":%q,"id":"x","status":"final","intent":"order","code":{"text":"x"},"subject":{"reference":"Patient/p1"}}`, typ))
				}
			}
			f.answers("", tc.typ, tc.status, missing)
			last, all, err := tryRound(t, c, "", exchange.Roster{})
			if tc.err != (err != nil) {
				t.Fatalf("got %v", err)
			}
			if err != nil {
				return
			}
			if last.Why != tc.why || last.Complete != (tc.why == "") {
				t.Errorf("complete %v, why %q", last.Complete, last.Why)
			}
			if !has(all, "Patient/p1") {
				t.Error("the others were not read")
			}
			f.otherwise = nil
			if last, _ = round(t, c, last.Next, exchange.Roster{}); !last.Complete {
				t.Errorf("mended, and still incomplete: %s", last.Why)
			}
		})
	}
	t.Run("when every search is refused there is nothing to tell but the error", func(t *testing.T) {
		f, c := newFar(t, sandbox.Dialect{}, fhirrest.Options{Dialect: fhirrest.Dialect{LastUpdated: "ge"}})
		f.otherwise = func(w http.ResponseWriter, r *http.Request) bool {
			if r.URL.Path == "/metadata" {
				return false
			}
			say(w, 403, "{}")
			return true
		}
		if _, _, err := tryRound(t, c, "", exchange.Roster{}); connectors.FaultOf(err) != connectors.Denied || err == nil {
			t.Errorf("got %v", err)
		}
	})
	t.Run("a statement that may not be read states nothing, and all is tried", func(t *testing.T) {
		f, c := newFar(t, sandbox.Dialect{}, fhirrest.Options{})
		f.patient(t, "p1")
		f.answers("", "metadata", 403, "{}")
		if last, all := round(t, c, "", exchange.Roster{}); !last.Complete || !has(all, "Patient/p1") {
			t.Errorf("complete %v, why %q", last.Complete, last.Why)
		}
	})
	t.Run("of a server that states nothing, a type it does not know and nobody needs is passed over", func(t *testing.T) {
		f, c := newFar(t, sandbox.Dialect{}, fhirrest.Options{})
		f.patient(t, "p1")
		f.otherwise = func(w http.ResponseWriter, r *http.Request) bool {
			if r.URL.Path != "/metadata" && r.URL.Path != "/Flag" {
				return false
			}
			say(w, 404, missing)
			return true
		}
		if last, all := round(t, c, "", exchange.Roster{}); !last.Complete || !has(all, "Patient/p1") {
			t.Errorf("complete %v, why %q", last.Complete, last.Why)
		}
	})
	t.Run("what the server's own statement leaves out is not missed", func(t *testing.T) {
		f, c := newFar(t, sandbox.Dialect{Missing: []string{"Task", "CarePlan"}}, fhirrest.Options{})
		if last, _ := round(t, c, "", exchange.Roster{}); !last.Complete || len(f.queries("Task")) > 0 {
			t.Errorf("complete %v, why %q", last.Complete, last.Why)
		}
	})
	t.Run("what the config leaves out is not asked for", func(t *testing.T) {
		f, c := newFar(t, sandbox.Dialect{}, fhirrest.Options{Dialect: fhirrest.Dialect{Types: []string{"Patient", "Task"}}})
		if last, _ := round(t, c, "", exchange.Roster{}); !last.Complete || len(f.queries("Observation")) > 0 || len(f.queries("Task")) == 0 {
			t.Errorf("complete %v, why %q", last.Complete, last.Why)
		}
	})
}

// sameInstant answers searches for patients with rows of one instant, two a page, so that only links tell pages apart.
func (f *far) sameInstant(links map[string]string) {
	f.otherwise = func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path != "/Patient" {
			return false
		}
		page := r.URL.Query().Get("page")
		next, ok := links[page]
		if !ok {
			say(w, 410, `{}`)
			return true
		}
		link := ""
		if next != "" {
			if !strings.Contains(next, "://") {
				next = f.url + "/Patient?page=" + next
			}
			link = `,"link":[{"relation":"next","url":"` + next + `"}]`
		}
		say(w, 200, fmt.Sprintf(`{"resourceType":"Bundle","type":"searchset"%s,"entry":[{"resource":{"resourceType":"Patient","id":"p%s","meta":{"lastUpdated":"2026-03-01T00:00:00Z"}}}]}`, link, page))
		return true
	}
}

func TestNextLinksAreFollowedWhereTimeCannotTellPagesApart(t *testing.T) {
	f, c := newFar(t, sandbox.Dialect{}, fhirrest.Options{})
	t.Run("to their end", func(t *testing.T) {
		f.sameInstant(map[string]string{"": "2", "2": "3", "3": "4", "4": ""})
		last, all := round(t, c, "", exchange.Roster{})
		for _, id := range []string{"Patient/p2", "Patient/p3", "Patient/p4"} {
			if !has(all, id) {
				t.Errorf("%s was not read", id)
			}
		}
		if !last.Complete {
			t.Error(last.Why)
		}
	})
	for name, links := range map[string]map[string]string{
		"in a circle of one":                      {"": "2", "2": "2"},
		"in a circle of three":                    {"": "2", "2": "3", "3": "4", "4": "2"},
		"in a circle that begins after some time": {"": "2", "2": "3", "3": "4", "4": "5", "5": "6", "6": "7", "7": "5"},
	} {
		t.Run(name, func(t *testing.T) {
			f.sameInstant(links)
			_, _, err := tryRound(t, c, "", exchange.Roster{})
			if connectors.FaultOf(err) != connectors.Garbled || !strings.Contains(fmt.Sprint(err), "paging loop") {
				t.Errorf("got %v", err)
			}
		})
	}
	t.Run("away from the server they are not", func(t *testing.T) {
		f.sameInstant(map[string]string{"": "2", "2": "http://example.org/Patient"})
		_, _, err := tryRound(t, c, "", exchange.Roster{})
		if connectors.FaultOf(err) != connectors.Garbled || !strings.Contains(fmt.Sprint(err), "leads away") {
			t.Errorf("got %v", err)
		}
	})
	t.Run("once they have expired, the type is read again from its mark", func(t *testing.T) {
		f.sameInstant(map[string]string{"": "2", "2": "3", "3": ""})
		var since exchange.Cursor
		for range 2 { // into the links
			page, err := c.Puller.Pull(t.Context(), since, exchange.Roster{})
			if err != nil {
				t.Fatal(err)
			}
			since = page.Next
		}
		f.sameInstant(map[string]string{"": "b", "b": "c", "c": ""})
		last, all := round(t, c, since, exchange.Roster{})
		if !last.Complete || !has(all, "Patient/pb") || !has(all, "Patient/pc") {
			t.Errorf("complete %v, why %q", last.Complete, last.Why)
		}
	})
	t.Run("more pages than there can be are taken for a circle", func(t *testing.T) {
		links := map[string]string{"": "1"}
		for i := range 50 {
			links[fmt.Sprint(i+1)] = fmt.Sprint(i + 2)
		}
		f.sameInstant(links)
		c := open(t, fhirrest.Options{BaseURL: f.url, Dialect: fhirrest.Dialect{MaxPages: 20}})
		if _, _, err := tryRound(t, c, "", exchange.Roster{}); !strings.Contains(fmt.Sprint(err), "paging loop") {
			t.Errorf("got %v", err)
		}
	})
}

func TestAServerThatStatesNothingIsTried(t *testing.T) {
	for _, tc := range []struct {
		name  string
		rows  func(lastUpdated string) int // how many patients it answers
		sweep bool
	}{
		{"and honours _lastUpdated", func(s string) int { return map[bool]int{true: 0, false: 1}[strings.HasPrefix(s, "ge2999")] }, false},
		{"and ignores _lastUpdated", func(string) int { return 1 }, true},
		{"and answers nothing to what it does not know: that is not \"no news\"", func(s string) int { return map[bool]int{true: 1, false: 0}[s == ""] }, true},
		{"and has nobody yet", func(string) int { return 0 }, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			f, c := newFar(t, sandbox.Dialect{}, fhirrest.Options{})
			f.otherwise = func(w http.ResponseWriter, r *http.Request) bool {
				row := ""
				if r.URL.Path == "/Patient" && tc.rows(r.URL.Query().Get("_lastUpdated")) > 0 {
					row = `{"resource":{"resourceType":"Patient","id":"p","meta":{"lastUpdated":"2026-03-01T00:00:00Z"}}}`
				}
				if r.URL.Path == "/metadata" {
					say(w, 200, `{"resourceType":"CapabilityStatement","rest":[{"mode":"server"}]}`)
					return true
				}
				say(w, 200, `{"resourceType":"Bundle","type":"searchset","entry":[`+row+`]}`)
				return true
			}
			_, all := round(t, c, "", exchange.RosterOf(nil, exchange.Everybody{Members: []string{"p"}}))
			if swept := len(all.Swept) > 0; swept != tc.sweep {
				t.Errorf("read client by client: %v", swept)
			}
			report, err := c.Checker.Check(t.Context())
			if err != nil || (report.Capabilities.Mode == connectors.ModeDelta) == tc.sweep || report.Capabilities.Known {
				t.Errorf("%+v %v", report.Capabilities, err)
			}
		})
	}
}

func TestWhatStandsInABundle(t *testing.T) {
	const patient = `{"resourceType":"Patient","id":"p1","multipleBirthInteger":1,  "extension":[{"url":"urn:x","valueDecimal":1.50,"valueString":"a\u003cb"}]}`
	page := func(t *testing.T, bundle string) (exchange.Page, error) {
		t.Helper()
		f, c := newFar(t, sandbox.Dialect{}, fhirrest.Options{})
		f.answers("", "Patient", 200, bundle)
		return c.Puller.Pull(t.Context(), "", exchange.Roster{})
	}
	t.Run("a record keeps its bytes", func(t *testing.T) {
		body := strings.Replace(patient, `,"valueString":"a\u003cb"`, "", 1)
		got, err := page(t, `{"resourceType":"Bundle","type":"searchset","entry":[ {"resource": `+body+` } ]}`)
		if err != nil || len(got.Resources) != 1 || string(got.Resources[0].Body) != body {
			t.Errorf("%+v %v", got, err)
		}
	})
	t.Run("what was deleted is told as gone", func(t *testing.T) {
		got, err := page(t, `{"resourceType":"Bundle","type":"searchset","entry":[
			{"fullUrl":"http://x/Patient/p1","response":{"status":"410 Gone"}}, {"request":{"method":"DELETE","url":"Patient/p2"}}]}`)
		if err != nil || !slices.Equal(got.Gone, []fhir.Ref{{Type: "Patient", ID: "p1"}, {Type: "Patient", ID: "p2"}}) {
			t.Errorf("%+v %v", got.Gone, err)
		}
	})
	t.Run("a word that says nothing was withheld is no gap", func(t *testing.T) {
		got, err := page(t, `{"resourceType":"Bundle","type":"searchset","entry":[{"search":{"mode":"outcome"},"resource":
			{"resourceType":"OperationOutcome","issue":[{"severity":"information","code":"informational"}]}}]}`)
		if err != nil || got.Unknowns != 0 {
			t.Errorf("%+v %v", got, err)
		}
	})
	t.Run("an outcome without that word is one, whatever its mode", func(t *testing.T) {
		got, err := page(t, `{"resourceType":"Bundle","type":"searchset","entry":[
			{"resource":{"resourceType":"OperationOutcome","issue":[{"severity":"information","code":"suppressed"}]}}, {"search":{"mode":"outcome"}}]}`)
		if err != nil || got.Unknowns != 2 {
			t.Errorf("%+v %v", got, err)
		}
	})
	for name, bundle := range map[string]string{
		"a history":                     `{"resourceType":"Bundle","type":"history","entry":[]}`,
		"a single record":               patient,
		"a list":                        `[]`,
		"half of it":                    `{"resourceType":"Bundle","type":"searchset","entry":[{"resource":{"resour`,
		"two at once":                   `{"resourceType":"Bundle","type":"searchset"}{"resourceType":"Bundle","type":"searchset"}`,
		"entries told twice":            `{"resourceType":"Bundle","type":"searchset","entry":[],"entry":[{"resource":` + patient + `}]}`,
		"an entry that holds nothing":   `{"resourceType":"Bundle","type":"searchset","entry":[{"fullUrl":"urn:x"}]}`,
		"an entry with two records":     `{"resourceType":"Bundle","type":"searchset","entry":[{"resource":` + patient + `,"resource":` + patient + `}]}`,
		"entries that are no list":      `{"resourceType":"Bundle","type":"searchset","entry":"none"}`,
		"a name in another case":        `{"resourceType":"Bundle","Type":"searchset"}`,
		"nothing":                       ``,
		"a body of a client in no JSON": `<Patient/>`,
	} {
		t.Run("garbage: "+name, func(t *testing.T) {
			if got, err := page(t, bundle); err == nil || connectors.FaultOf(err) != connectors.Garbled {
				t.Errorf("%+v %v", got, err)
			}
		})
	}
}

func TestAPullThroughTheRosterFindsNewClients(t *testing.T) {
	noDelta := sandbox.Dialect{NoLastUpdated: true}
	t.Run("at a practice by what makes somebody a client", func(t *testing.T) {
		f, c := newFar(t, noDelta, fhirrest.Options{Party: fhir.Practice})
		f.patient(t, "new")
		f.Put(t, `{"resourceType":"ServiceRequest","id":"r","status":"active","intent":"order","subject":{"reference":"Patient/new"}}`)
		last, all := round(t, c, "", exchange.Roster{})
		if !last.Complete || !has(all, "ServiceRequest/r") || len(all.Swept) != 0 {
			t.Errorf("complete %v, swept %v", last.Complete, all.Swept)
		}
	})
	t.Run("at a prescriber by the identifiers of clients not linked there, some at a time", func(t *testing.T) {
		f, c := newFar(t, noDelta, fhirrest.Options{Dialect: fhirrest.Dialect{PageSize: 100}})
		f.patient(t, "there")
		wanted := []fhir.ID{{System: "urn:odd,|$", Value: `a\b`}}
		for i := range 25 {
			wanted = append(wanted, fhir.ID{System: "urn:mrn", Value: fmt.Sprint("m", i)})
		}
		wanted[24] = fhir.ID{System: "urn:mrn", Value: "there"}
		f.forget()
		last, all := round(t, c, "", exchange.RosterOf(nil, exchange.Everybody{Wanted: wanted}))
		if !last.Complete || !has(all, "Patient/there") {
			t.Errorf("complete %v %s", last.Complete, last.Why)
		}
		asked := f.queries("Patient")
		if len(asked) != 2 || !strings.Contains(asked[0].Get("identifier")+asked[1].Get("identifier"), `urn:odd\,\|\$|a\\b,`) ||
			strings.Count(asked[0].Get("identifier")+","+asked[1].Get("identifier"), ",urn:") < 23 {
			t.Errorf("asked %d times: %v", len(asked), asked)
		}
	})
	t.Run("and reads the directory only as far as somebody is named", func(t *testing.T) {
		f, c := newFar(t, noDelta, fhirrest.Options{})
		f.patient(t, "p1")
		for _, body := range []string{
			`{"resourceType":"Practitioner","id":"dr"}`, `{"resourceType":"Practitioner","id":"other"}`, `{"resourceType":"Organization","id":"clinic"}`,
			`{"resourceType":"PractitionerRole","id":"role","practitioner":{"reference":"Practitioner/dr"},"organization":{"reference":"Organization/clinic"}}`,
			`{"resourceType":"Observation","id":"o","status":"final","code":{"text":"x"},"subject":{"reference":"Patient/p1"},"performer":[{"reference":"PractitionerRole/role"},{"reference":"Practitioner/nobody"}]}`,
		} {
			if _, ok := f.Put(t, body); !ok {
				t.Fatalf("the sandbox does not take %s", body)
			}
		}
		last, all := round(t, c, "", newcomer("p1"))
		for ref, want := range map[string]bool{"PractitionerRole/role": true, "Practitioner/dr": true, "Organization/clinic": true, "Practitioner/other": false} {
			if has(all, ref) != want {
				t.Errorf("%s read: %v", ref, !want)
			}
		}
		if !last.Complete || !slices.Equal(all.Swept, []string{"p1", "p1"}) {
			t.Errorf("complete %v %s, swept %v", last.Complete, last.Why, all.Swept)
		}
	})
}

func TestOnlyAPageThatSurelyHoldsEverythingCountsAsSwept(t *testing.T) {
	members := newcomer("p1")
	for _, tc := range []struct {
		name   string
		total  int
		status int
		swept  bool
		why    string
	}{
		{"two pages that add up to their total", 2, 200, true, ""},
		{"two pages that do not: a row slipped through between them", 3, 200, false, "Observation: pages do not add up to their total"},
		{"a type that is refused", 0, 403, false, "Observation: denied"},
		{"an essential type that is not known", 0, 404, false, "Observation: not offered"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			f, c := newFar(t, sandbox.Dialect{}, fhirrest.Options{})
			f.patient(t, "p1")
			f.otherwise = func(w http.ResponseWriter, r *http.Request) bool {
				q := r.URL.Query()
				if r.URL.Path != "/Observation" || !q.Has("patient") && !q.Has("page") {
					return false
				}
				link, id := fmt.Sprintf(`,"link":[{"relation":"next","url":"%s/Observation?page=2"}]`, f.url), "o1"
				if q.Has("page") {
					link, id = "", "o2"
				}
				say(w, tc.status, fmt.Sprintf(`{"resourceType":"Bundle","type":"searchset","total":%d%s,"entry":[{"resource":{"resourceType":"Observation","id":%q,"status":"final","code":{"text":"x"}}}]}`, tc.total, link, id))
				return true
			}
			last, all := round(t, c, "", members)
			if (len(all.Swept) == 1) != tc.swept || last.Why != tc.why || last.Complete != tc.swept {
				t.Errorf("swept %v, complete %v, why %q", all.Swept, last.Complete, last.Why)
			}
			page, err := c.Sweeper.Sweep(t.Context(), "", members)
			if err != nil || (len(page.Swept) == 1) != tc.swept || !has(page, "Patient/p1") {
				t.Errorf("swept %v %v", page.Swept, err)
			}
			if page, err = c.Sweeper.Sweep(t.Context(), page.Next, members); err != nil || page.More || page.Complete != tc.swept || page.Why != tc.why {
				t.Errorf("more %v, complete %v, why %q, %v", page.More, page.Complete, page.Why, err)
			}
		})
	}
}

func TestATokenIsShownAndNeverTold(t *testing.T) {
	server := sandbox.NewServer(sandbox.Options{Token: "open-sesame"})
	address := serve(t, server)
	for _, tc := range []struct{ name, token string }{{"the right one", "open-sesame"}, {"a wrong one", "shut-sesame"}} {
		t.Run(tc.name, func(t *testing.T) {
			c := open(t, fhirrest.Options{BaseURL: address, Auth: fhirrest.Auth{Kind: fhirrest.AuthBearer, Token: func() (string, error) { return tc.token, nil }}})
			_, _, err := tryRound(t, c, "", exchange.Roster{})
			if good := tc.token == "open-sesame"; good != (err == nil) || !good && connectors.FaultOf(err) != connectors.Denied {
				t.Errorf("got %v", err)
			}
			if strings.Contains(fmt.Sprintf("%v %+v %#v", err, err, c), "sesame") {
				t.Error("the token was told")
			}
		})
	}
}

func TestAnIdCannotLeadOutOfItsType(t *testing.T) {
	f, c := newFar(t, sandbox.Dialect{}, fhirrest.Options{})
	if _, err := c.Reader.Read(t.Context(), fhir.Ref{Type: "Patient", ID: "../metadata"}); err == nil || slices.Contains(f.asked, "GET metadata") {
		t.Errorf("asked %v: %v", f.asked, err)
	}
}

// newcomer is a roster of one client whom nobody has read yet.
func newcomer(patient string) exchange.Roster {
	return exchange.RosterOf([]string{patient}, exchange.Everybody{Members: []string{patient}})
}
