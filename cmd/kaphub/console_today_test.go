package main

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/kaphub/kaphub/cmd/internal/console"
	"github.com/kaphub/kaphub/cmd/internal/people"
	"github.com/kaphub/kaphub/connectors/sandbox"
	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/readiness"
)

// begun is a month whose first cycle is over.
func begun(t *testing.T) *month {
	t.Helper()
	m := newMonth(t)
	for range 2 {
		_, err := m.cycle(t.Context(), bars{})
		must(t, err)
		must(t, m.world.Tick())
	}
	return m
}

// found are the chosen names of those whom words mean.
func (m *month) found(words string) (chosen []string) {
	m.t.Helper()
	meant, err := window{m.hub}.Meant(m.t.Context(), words)
	must(m.t, err)
	in, err := window{m.hub}.Glance(m.t.Context())
	must(m.t, err)
	for _, v := range in.Clients {
		if meant.Is(v.Client) {
			chosen = append(chosen, v.Chosen)
		}
	}
	return chosen
}

func TestAClientIsFoundByEachNameByBirthDateAndByKey(t *testing.T) {
	t.Parallel()
	m := begun(t)
	in, err := window{m.hub}.Glance(t.Context())
	must(t, err)
	one := in.Clients[1]
	var p fhir.Patient
	must(t, m.store.EachPatient(t.Context(), func(client string, q fhir.Patient) {
		if client == one.Client {
			p = q
		}
	}))
	born, err := time.Parse(time.DateOnly, *p.BirthDate)
	must(t, err)
	for _, words := range []string{one.Chosen, strings.ToUpper(*p.Name[0].Family), (*p.Name[0].Family)[1:], *p.BirthDate, born.Format("1/2/2006"), born.Format("2 Jan 2006"), one.Client, one.Client[:6],
		*p.Identifier[0].Value, one.Chosen[:2] + " " + born.Format("2006-01")} {
		if got := strings.Join(m.found(words), ", "); !strings.Contains(got, one.Chosen) {
			t.Errorf("%q finds %q, want %s", words, got, one.Chosen)
		}
	}
	for _, words := range []string{"nobody of this name", "1901-01-01", "c-zzzzzz", "%", "_"} {
		if got := m.found(words); len(got) > 0 {
			t.Errorf("%q finds %v", words, got)
		}
	}
	if n := len(m.found("")); n != len(in.Clients) {
		t.Errorf("no words find %d of %d", n, len(in.Clients))
	}

	full := strings.ToLower(p.Name[0].Given[0] + " " + *p.Name[0].Family)
	for words, want := range map[string]bool{
		full + " " + *p.BirthDate: true, born.Format("1/2/2006") + " " + full: true, full + " " + born.Format("2 January 2006"): true, " " + one.Client + " ": true,
		full: false, *p.BirthDate: false, *p.Name[0].Family + " " + *p.BirthDate: false, full[1:] + " " + *p.BirthDate: false, full + " " + born.AddDate(0, 0, 1).Format(time.DateOnly): false,
		one.Client[:6]: false, full + " more " + *p.BirthDate: false, "": false,
	} {
		meant, err := window{m.hub}.Meant(t.Context(), words)
		must(t, err)
		if got := meant.Exactly(one.Client); got != want {
			t.Errorf("%q names the client in full: %v, want %v", words, got, want)
		}
	}

	meant, err := window{m.hub}.Meant(t.Context(), "")
	must(t, err)
	if meant.Born(one.Client) != *p.BirthDate {
		t.Errorf("born %s, want %s", meant.Born(one.Client), *p.BirthDate)
	}
	patient := m.world.Practice.Find("Patient", fhir.ID{System: sandbox.SystemMRN, Value: m.mrnOf(one.Verdict)})[0]
	m.clock.forward(time.Hour)
	plant(t, m.world.Practice, `{"resourceType":"Patient","id":"`+patient.ID+`","identifier":[{"system":"`+sandbox.SystemMRN+`","value":"`+m.mrnOf(one.Verdict)+`"}],
		"name":[{"use":"official","family":"Ångström","given":["Zoë"]}],"birthDate":"1971-02-03"}`)
	_, err = m.cycle(t.Context(), bars{})
	must(t, err)
	if len(m.found("angstrom")) != 1 || len(m.found("1971-02-03")) != 1 || len(m.found(*p.BirthDate)) > 0 && *p.BirthDate != "1971-02-03" {
		t.Errorf("after a new name and birth date: %v, %v, of before %v", m.found("angstrom"), m.found("1971-02-03"), m.found(*p.BirthDate))
	}
}

func (m *month) mrnOf(v *readiness.Verdict) string {
	for _, id := range v.Identifiers {
		if id.System == sandbox.SystemMRN {
			return id.Value
		}
	}
	m.t.Fatal("a client without a number")
	return ""
}

// A look and a print are in the audit log; what a page asks by itself is not, and is no moment of the hub's.
func TestALookIsNotedAndWhatAPageAsksByItselfIsNot(t *testing.T) {
	t.Parallel()
	m := begun(t)
	options, err := m.console(&people.Account{ID: "p-1", Login: "ann", Name: "Ann", Roles: []people.Role{people.Owner}, Epoch: 1})
	must(t, err)
	handler, err := console.New(options)
	must(t, err)
	get := func(path string) *httptest.ResponseRecorder {
		t.Helper()
		rec := httptest.NewRecorder()
		handler.ServeHTTP(rec, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "http://127.0.0.1"+path, nil))
		return rec
	}
	page := get("/").Body.String()
	_, rest, _ := strings.Cut(page, `hx-get="/changes`)
	ask, _, _ := strings.Cut(rest, `"`)
	ask = "/changes" + strings.ReplaceAll(ask, "&amp;", "&")
	before, err := m.store.Newest(t.Context())
	must(t, err)
	for range 3 {
		m.clock.forward(30 * time.Second)
		if is := get(ask).Code; is != http.StatusNoContent {
			t.Fatalf("nothing has changed, and a page that asks is answered %d", is)
		}
	}
	if after, err := m.store.Newest(t.Context()); err != nil || after != before {
		t.Errorf("asking left @%d after @%d, %v", after, before, err)
	}
	get("/print")
	log, err := m.store.AuditLog(t.Context(), int64(before)-1, 10)
	must(t, err)
	var said []string
	for _, e := range log {
		said = append(said, e.Actor+" "+e.Action+" "+e.Subject)
	}
	if text := strings.Join(said, "; "); text != "Ann view board ; Ann print board " {
		t.Errorf("the audit log says %q", text)
	}
	m.types("record", "stop", m.world.Clients()[1].MRN, "--said", "prescriber", "--from", "Dr. Vale", "--medium", "phone", "--why", "chest pain", "--by", "Tara")
	_, err = m.cycle(t.Context(), bars{})
	must(t, err)
	if is := get(ask); is.Code != http.StatusOK || !strings.Contains(is.Body.String(), "Stopped by") {
		t.Errorf("somebody is stopped, and a page that asks is answered %d", is.Code)
	}
}

// Law 8: what the first screen shows has been asked whether it still stands, at this instant.
func TestTodayShowsNoVerdictThatStandsNoMore(t *testing.T) {
	t.Parallel()
	m := begun(t)
	states := func() map[readiness.State]int {
		in, err := window{m.hub}.Glance(t.Context())
		must(t, err)
		whole, err := m.view(context.Background())
		must(t, err)
		counts := map[readiness.State]int{}
		for i, v := range in.Clients {
			counts[v.State]++
			if w := whole.Clients[i]; w.State != v.State || w.Words != v.Words || w.Next != v.Next || w.Owner != v.Owner {
				t.Errorf("Today says %s %q, the report %s %q", v.State, v.Words, w.State, w.Words)
			}
		}
		return counts
	}
	if now := states(); now[readiness.Unknown] == len(m.world.Clients()) || now[readiness.Hold] == 0 {
		t.Fatalf("the world is too quiet: %v", now)
	}
	m.clock.forward(9 * 24 * time.Hour) // nothing was read for days, and every verdict is past its time
	is := states()
	if is[readiness.Ready]+is[readiness.InOrder]+is[readiness.NotReady] > 0 || is[readiness.Hold] == 0 {
		t.Errorf("after nine days of silence: %v", is)
	}
}
