package sandbox

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/kaphub/kaphub/fhir"
)

// clock is a hand that only a test moves.
type clock struct{ at time.Time }

func (c *clock) now() time.Time            { return c.at }
func (c *clock) advance(d time.Duration)   { c.at = c.at.Add(d) }
func newClock() *clock                     { return &clock{time.Date(2026, 3, 2, 16, 0, 0, 0, time.UTC)} }
func (c *clock) options(d Dialect) Options { return Options{Now: c.now, Dialect: d, FaultDoor: true} }

// reply is an answer as a client reads it.
type reply struct {
	status int
	header http.Header
	body   string
	tree   map[string]any
	err    error
}

func (r reply) text(path ...string) string {
	found := walk(r.tree, path)
	if len(found) == 0 {
		return ""
	}
	return fmt.Sprint(found[0])
}

// ids returns the ids of the records in a Bundle, joined.
func (r reply) ids() string {
	var out []string
	for _, e := range walk(r.tree, []string{"entry", "resource", "id"}) {
		out = append(out, fmt.Sprint(e))
	}
	return strings.Join(out, " ")
}

func (r reply) next() string {
	for _, l := range walk(r.tree, []string{"link"}) {
		if m := l.(map[string]any); m["relation"] == "next" {
			return m["url"].(string)
		}
	}
	return ""
}

// asker talks to a server over real HTTP.
type asker struct {
	t    *testing.T
	base string
}

func serve(t *testing.T, s *Server) asker {
	t.Helper()
	ts := httptest.NewServer(s)
	t.Cleanup(ts.Close)
	return asker{t, ts.URL}
}

func (a asker) do(method, path, body string, header ...string) reply {
	a.t.Helper()
	if !strings.HasPrefix(path, "http") {
		path = a.base + "/" + path
	}
	req, err := http.NewRequestWithContext(a.t.Context(), method, path, strings.NewReader(body))
	if err != nil {
		a.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/fhir+json")
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return reply{err: err}
	}
	defer func() { _ = res.Body.Close() }()
	data, err := io.ReadAll(res.Body)
	r := reply{status: res.StatusCode, header: res.Header, body: string(data), err: err}
	_ = json.Unmarshal(data, &r.tree) // some answers are no JSON on purpose
	return r
}

func (a asker) get(path string) reply { a.t.Helper(); return a.do(http.MethodGet, path, "") }

func contextOf(t *testing.T) (context.Context, context.CancelFunc) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	t.Cleanup(stop)
	return ctx, stop
}

func TestARecordLivesAndIsDeleted(t *testing.T) {
	c := newClock()
	a := serve(t, NewServer(c.options(Dialect{})))
	made := a.do("POST", "Patient", `{"resourceType":"Patient","meta":{"tag":[{"code":"x"}]},"birthDate" : "1990-01-02", "x":1.50}`)
	if made.status != 201 || made.header.Get("ETag") != `W/"1"` || !strings.HasSuffix(made.header.Get("Location"), "/Patient/patient-1/_history/1") {
		t.Fatalf("create: %d %v", made.status, made.header)
	}
	want := `{"resourceType":"Patient","meta":{"tag":[{"code":"x"}],"versionId":"1","lastUpdated":"2026-03-02T16:00:00.000Z"},"birthDate" : "1990-01-02", "x":1.50,"id":"patient-1"}`
	if got := a.get("Patient/patient-1").body; got != want {
		t.Errorf("what was sent is kept as it was but for id and meta:\n got %s\nwant %s", got, want)
	}
	c.advance(time.Minute)
	put := a.do("PUT", "Patient/patient-1", `{"resourceType":"Patient","id":"patient-1"}`, "If-Match", `W/"1"`)
	if put.status != 200 || put.header.Get("ETag") != `W/"2"` {
		t.Fatalf("update: %d %v", put.status, put.header)
	}
	if got := a.get("Patient/patient-1/_history/1"); got.status != 200 || !strings.Contains(got.body, "1990-01-02") {
		t.Errorf("vread: %d %s", got.status, got.body)
	}
	if got := a.do("DELETE", "Patient/patient-1", ""); got.status != 204 {
		t.Errorf("delete: %d", got.status)
	}
	if got := a.get("Patient/patient-1"); got.status != 410 || got.text("issue", "code") != "deleted" {
		t.Errorf("read after delete: %d %s", got.status, got.body)
	}
	if got := a.get("Patient"); got.text("total") != "0" {
		t.Errorf("search after delete: %s", got.body)
	}
	if got := a.get("Patient/patient-1/_history"); got.text("total") != "3" || got.text("entry", "request", "method") != "DELETE" {
		t.Errorf("history: %s", got.body)
	}
	if got := a.get("Patient/nobody"); got.status != 404 {
		t.Errorf("read of nobody: %d", got.status)
	}
	if got := a.do("POST", "Patient", `{"resourceType":"Task"}`); got.status != 400 {
		t.Errorf("a Task posted as a Patient: %d", got.status)
	}
	if got := a.do("POST", "Patient", `{"resourceType":`); got.status != 400 {
		t.Errorf("half a Patient: %d", got.status)
	}
}

func TestSearchFinds(t *testing.T) {
	c := newClock()
	s := NewServer(c.options(Dialect{}))
	a := serve(t, s)
	for _, body := range []string{
		`{"resourceType":"Patient","id":"p1","identifier":[{"system":"urn:mrn","value":"1"}],"birthDate":"1990-01-02"}`,
		`{"resourceType":"Patient","id":"p2","identifier":[{"system":"urn:mrn","value":"2"},{"value":"bare"}]}`,
		`{"resourceType":"Observation","id":"o1","status":"final","code":{"coding":[{"system":"urn:c","code":"bp"}]},"subject":{"reference":"Patient/p1"},"effectivePeriod":{"start":"2026-03-01","end":"2026-03-31"},"basedOn":[{"reference":"ServiceRequest/r1"}]}`,
		`{"resourceType":"Observation","id":"o2","status":"preliminary","code":{"coding":[{"system":"urn:c","code":"hr"}]},"subject":{"reference":"Patient/p2"},"effectiveDateTime":"2026-03-01T09:00:00Z"}`,
		`{"resourceType":"Appointment","id":"a1","status":"booked","start":"2026-03-05T16:00:00Z","serviceType":[{"coding":[{"system":"urn:s","code":"dosing"}]}],"participant":[{"actor":{"reference":"Practitioner/p1"}},{"actor":{"reference":"Patient/p2"}}]}`,
		`{"resourceType":"Task","id":"t1","status":"requested","intent":"order","for":{"reference":"Patient/p1"},"focus":{"reference":"ServiceRequest/r1"}}`,
		`{"resourceType":"MedicationDispense","id":"d1","status":"completed","subject":{"reference":"Patient/p1"},"authorizingPrescription":[{"reference":"MedicationRequest/m1"}]}`,
	} {
		if _, err := s.Put([]byte(body)); err != nil {
			t.Fatal(err)
		}
		c.advance(time.Minute)
	}
	for name, row := range map[string]struct{ query, want string }{
		"a record by its id":                                     {"Patient?_id=p1", "p1"},
		"two records by their ids":                               {"Patient?_id=p1,p2", "p1 p2"},
		"a client by system and value":                           {"Patient?identifier=urn:mrn|2", "p2"},
		"nobody under another system":                            {"Patient?identifier=urn:ssn|2", ""},
		"a client by value in any system":                        {"Patient?identifier=2", "p2"},
		"a client by a value that has no system":                 {"Patient?identifier=|bare", "p2"},
		"nobody by a value whose system was left out on purpose": {"Patient?identifier=|2", ""},
		"one client's observations":                              {"Observation?patient=Patient/p1", "o1"},
		"one client's observations by bare id":                   {"Observation?patient=p2", "o2"},
		"one client's observations by address":                   {"Observation?subject=" + a.base + "/Patient/p2", "o2"},
		"observations by code and status":                        {"Observation?code=urn:c|bp,urn:c|hr&status=final", "o1"},
		"observations asserted on a day":                         {"Observation?date=ge2026-03-31", "o1"},
		"observations based on a referral":                       {"Observation?based-on=ServiceRequest/r1", "o1"},
		"a patient's sessions, not a practitioner's":             {"Appointment?patient=p2", "a1"},
		"no session for a practitioner who has a patient's id":   {"Appointment?patient=p1", ""},
		"sessions of one kind":                                   {"Appointment?service-type=urn:s|dosing&date=gt2026-03-05", ""},
		"sessions from a day on":                                 {"Appointment?date=ge2026-03-05&status=booked,arrived", "a1"},
		"the tasks of a client":                                  {"Task?patient=p1&focus=ServiceRequest/r1", "t1"},
		"what a prescription led to":                             {"MedicationDispense?prescription=MedicationRequest/m1", "d1"},
		"what changed since a minute":                            {"Observation?_lastUpdated=ge2026-03-02T16:03:00Z", "o2"},
		"what changed before a minute":                           {"Observation?_lastUpdated=lt2026-03-02T16:03:00Z", "o1"},
		"newest first":                                           {"Observation?_sort=-_lastUpdated", "o2 o1"},
		"oldest first":                                           {"Observation?_sort=_lastUpdated", "o1 o2"},
	} {
		t.Run(name, func(t *testing.T) {
			got := asker{t, a.base}.get(row.query)
			if got.status != 200 || got.ids() != row.want {
				t.Errorf("%s found %d %q, want %q", row.query, got.status, got.ids(), row.want)
			}
		})
	}
	for name, path := range map[string]string{
		"a parameter that R4 does not define": "AdverseEvent?patient=p1",
		"a modifier":                          "Patient?identifier:of-type=x",
		"a date that is none":                 "Observation?date=ge2026-13-01",
		"an order it does not keep":           "Observation?_sort=date",
	} {
		if got := a.get(path); got.status != 400 || got.text("resourceType") != "OperationOutcome" {
			t.Errorf("%s: %d %s", name, got.status, got.body)
		}
	}
	if got := a.do("POST", "Patient/_search", "identifier=urn:mrn|1", "Content-Type", "application/x-www-form-urlencoded"); got.ids() != "p1" {
		t.Errorf("search by form: %s", got.body)
	}
	if got := a.get("Patient?_summary=count"); got.text("total") != "2" || got.ids() != "" {
		t.Errorf("count: %s", got.body)
	}
}

func TestPagesStayAsTheyWereAsked(t *testing.T) {
	c := newClock()
	s := NewServer(c.options(Dialect{PageCap: 2}))
	a := serve(t, s)
	for range 5 {
		if _, err := s.Put([]byte(`{"resourceType":"Patient"}`)); err != nil {
			t.Fatal(err)
		}
	}
	first := a.get("Patient?_count=50&_sort=_lastUpdated")
	if first.ids() != "patient-1 patient-2" || first.text("total") != "5" {
		t.Fatalf("first page: %s", first.body)
	}
	s.Delete(fhir.Ref{Type: "Patient", ID: "patient-3"})
	if _, err := s.Put([]byte(`{"resourceType":"Patient"}`)); err != nil {
		t.Fatal(err)
	}
	second := a.get(first.next())
	if second.ids() != "patient-3 patient-4" {
		t.Errorf("second page: %s", second.ids())
	}
	if again := a.get(first.next()); again.ids() != second.ids() {
		t.Errorf("the second page asked again: %s", again.ids())
	}
	if third := a.get(second.next()); third.ids() != "patient-5" || third.next() != "" {
		t.Errorf("third page: %s, next %q", third.ids(), third.next())
	}
	if lost := a.get("?_page=gone"); lost.status != 410 {
		t.Errorf("a page no longer kept: %d", lost.status)
	}
}
