package sandbox

import (
	"strings"
	"testing"
	"time"
)

const somebody = `{"resourceType":"Patient","identifier":[{"system":"urn:mrn","value":"1"}]}`

func TestConditionalCreate(t *testing.T) {
	s := NewServer(newClock().options(Dialect{}))
	a := serve(t, s)
	post := func() reply { return a.do("POST", "Patient", somebody, "If-None-Exist", "identifier=urn:mrn|1") }
	first, again := post(), post()
	if first.status != 201 || again.status != 200 || again.text("id") != first.text("id") || again.header.Get("Location") != first.header.Get("Location") {
		t.Errorf("made %d, then %d %s", first.status, again.status, again.body)
	}
	if _, err := s.Put([]byte(somebody)); err != nil {
		t.Fatal(err)
	}
	if got := post(); got.status != 412 {
		t.Errorf("two match: %d", got.status)
	}
	if got := a.do("POST", "Patient", somebody, "If-None-Exist", "shoe-size=44"); got.status != 400 {
		t.Errorf("a condition that cannot be searched: %d", got.status)
	}
}

func TestDialects(t *testing.T) {
	stale := func(a asker) reply {
		a.do("POST", "Patient", somebody)
		return a.do("PUT", "Patient/patient-1", `{"resourceType":"Patient","id":"patient-1"}`, "If-Match", `W/"9"`)
	}
	for name, row := range map[string]struct {
		dialect Dialect
		ask     func(asker) reply
		status  int
	}{
		"plain: a stale If-Match is 412":                  {Dialect{}, stale, 412},
		"a stale If-Match is 409":                         {Dialect{IfMatch: IfMatch409}, stale, 409},
		"a stale If-Match is not looked at":               {Dialect{IfMatch: IfMatchIgnored}, stale, 200},
		"_lastUpdated is refused":                         {Dialect{NoLastUpdated: true}, func(a asker) reply { return a.get("Task?_lastUpdated=ge2026-01-01") }, 400},
		"identifier is refused":                           {Dialect{NoIdentifierSearch: true}, func(a asker) reply { return a.get("Task?identifier=urn:x|1") }, 400},
		"a clinical type needs a patient":                 {Dialect{PatientRequired: true}, func(a asker) reply { return a.get("Observation?code=x") }, 400},
		"with a patient it is answered":                   {Dialect{PatientRequired: true}, func(a asker) reply { return a.get("Observation?patient=p1") }, 200},
		"the directory needs no patient":                  {Dialect{PatientRequired: true}, func(a asker) reply { return a.get("Practitioner") }, 200},
		"a type that is missing cannot be searched":       {Dialect{Missing: []string{"Task"}}, func(a asker) reply { return a.get("Task") }, 404},
		"a type that is missing cannot be written":        {Dialect{Missing: []string{"Task"}}, func(a asker) reply { return a.do("POST", "Task", `{"resourceType":"Task"}`) }, 404},
		"plain: an unknown parameter is refused":          {Dialect{}, func(a asker) reply { return a.get("Patient?shoe-size=44") }, 400},
		"lenient: an unknown parameter is passed over":    {Dialect{Lenient: true}, func(a asker) reply { return a.get("Patient?shoe-size=44") }, 200},
		"plain: a type that nobody has is not found":      {Dialect{}, func(a asker) reply { return a.get("Spaceship") }, 404},
		"plain: a body that is no JSON is not looked at":  {Dialect{}, func(a asker) reply { return a.do("POST", "Patient", somebody, "Content-Type", "text/plain") }, 415},
		"plain: the id of an update is that of its place": {Dialect{}, func(a asker) reply { return a.do("PUT", "Patient/p2", somebody) }, 400},
		"plain: an update makes what is not there":        {Dialect{}, func(a asker) reply { return a.do("PUT", "Patient/p2", `{"resourceType":"Patient","id":"p2"}`) }, 201},
	} {
		t.Run(name, func(t *testing.T) {
			got := row.ask(serve(t, NewServer(newClock().options(row.dialect))))
			if got.status != row.status {
				t.Errorf("got %d %s", got.status, got.body)
			}
			if got.status >= 400 && (got.text("resourceType") != "OperationOutcome" || strings.Contains(got.body, "44")) {
				t.Errorf("no OperationOutcome, or one that repeats the query: %s", got.body)
			}
		})
	}
}

func TestConditionalCreateIgnoredMakesTwo(t *testing.T) {
	a := serve(t, NewServer(newClock().options(Dialect{NoConditionalCreate: true})))
	for range 2 {
		if got := a.do("POST", "Patient", somebody, "If-None-Exist", "identifier=urn:mrn|1"); got.status != 201 {
			t.Errorf("got %d", got.status)
		}
	}
}

func TestLateRowsShowUpAfterSomeSearches(t *testing.T) {
	s := NewServer(newClock().options(Dialect{LateBy: 2}))
	a := serve(t, s)
	a.do("POST", "Patient", somebody)
	if got := a.get("Patient/patient-1"); got.status != 200 {
		t.Errorf("a read sees it at once: %d", got.status)
	}
	for i, want := range []string{"0", "0", "1", "1"} {
		if got := a.get("Patient").text("total"); got != want {
			t.Errorf("search %d found %s, want %s", i+1, got, want)
		}
	}
	a.do("PUT", "Patient/patient-1", `{"resourceType":"Patient","id":"patient-1","active":true}`)
	if got := a.get("Patient"); got.text("total") != "1" || strings.Contains(got.body, `"active"`) {
		t.Errorf("until then the older version is shown: %s", got.body)
	}
}

func TestEscapedOutputIsTheSameJSON(t *testing.T) {
	s := NewServer(newClock().options(Dialect{Escaped: true}))
	a := serve(t, s)
	got := a.do("POST", "Observation", `{"resourceType":"Observation","valueQuantity":{"comparator":"<"}}`)
	if !strings.Contains(got.body, `"\u003c"`) || got.text("valueQuantity", "comparator") != "<" {
		t.Errorf("got %s", got.body)
	}
	plain := serve(t, NewServer(newClock().options(Dialect{})))
	if got := plain.do("POST", "Observation", `{"resourceType":"Observation","valueQuantity":{"comparator":"<"}}`); !strings.Contains(got.body, `"<"`) {
		t.Errorf("plain: %s", got.body)
	}
}

func TestTheCapabilityStatementTellsTheTruth(t *testing.T) {
	has := func(r reply, typ, parameter string) bool {
		for _, v := range walk(r.tree, []string{"rest", "resource"}) {
			m := v.(map[string]any)
			if m["type"] != typ {
				continue
			}
			for _, p := range walk(m, []string{"searchParam", "name"}) {
				if p == parameter {
					return true
				}
			}
			return parameter == ""
		}
		return false
	}
	plain := serve(t, NewServer(newClock().options(Dialect{}))).get("metadata")
	odd := serve(t, NewServer(newClock().options(Dialect{NoLastUpdated: true, NoIdentifierSearch: true, Missing: []string{"Task"}}))).get("metadata")
	for _, row := range []struct {
		typ, parameter string
		plain, odd     bool
	}{
		{"Task", "", true, false},
		{"Patient", "_lastUpdated", true, false},
		{"Patient", "identifier", true, false},
		{"Patient", "_id", true, true},
		{"AdverseEvent", "patient", false, false},
	} {
		if p, o := has(plain, row.typ, row.parameter), has(odd, row.typ, row.parameter); p != row.plain || o != row.odd {
			t.Errorf("%s.%s: plain %v, odd %v", row.typ, row.parameter, p, o)
		}
	}
}

func TestABearerTokenIsAskedFor(t *testing.T) {
	o := newClock().options(Dialect{})
	o.Token = "let-me-in"
	a := serve(t, NewServer(o))
	if got := a.get("Patient"); got.status != 401 || !strings.Contains(got.header.Get("WWW-Authenticate"), "invalid_token") {
		t.Errorf("without: %d", got.status)
	}
	if got := a.do("GET", "Patient", "", "Authorization", "Bearer wrong"); got.status != 401 {
		t.Errorf("wrong: %d", got.status)
	}
	if got := a.do("GET", "Patient", "", "Authorization", "Bearer let-me-in"); got.status != 200 {
		t.Errorf("right: %d", got.status)
	}
	if got := a.get("metadata"); got.status != 200 || got.text("rest", "security", "description") == "" {
		t.Errorf("the CapabilityStatement is open and says so: %d", got.status)
	}
}

func TestTheServersClockIsTheOneItWasGiven(t *testing.T) {
	c := newClock()
	s := NewServer(c.options(Dialect{}))
	a := serve(t, s)
	for range 3 {
		a.do("POST", "Patient", somebody)
	}
	c.advance(time.Hour)
	got := a.get("Patient?_sort=_lastUpdated")
	if got.header.Get("Date") != "Mon, 02 Mar 2026 17:00:00 GMT" || got.text("meta", "lastUpdated") != "2026-03-02T17:00:00.000Z" {
		t.Errorf("Date %s, Bundle %s", got.header.Get("Date"), got.text("meta", "lastUpdated"))
	}
	times := walk(got.tree, []string{"entry", "resource", "meta", "lastUpdated"})
	if len(times) != 3 || times[0] != "2026-03-02T16:00:00.000Z" || times[1] != "2026-03-02T16:00:00.001Z" {
		t.Errorf("no two writes have one time: %v", times)
	}
}
