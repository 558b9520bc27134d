package main

import (
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/kaphub/kaphub/cmd/internal/people"
	"github.com/kaphub/kaphub/connectors/sandbox"
	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/exchange"
)

// troubled is a place where something of each kind waits for a person: a delivery of unknown outcome, a record that could
// not be read, one that is sealed, and somebody who may be two.
func troubled(t *testing.T) (p *place, h *hub) {
	t.Helper()
	p = settle(t)
	_, patient := p.newcomer()
	p.registers("early", patient)
	p.must(0, "sync")
	p.must(0, "sync")
	for mrn, state := range read(t, p.must(0, "status", "--json").out).byMRN() {
		if state == "READY" {
			ref := p.world.Prescriber.Find("Patient", fhir.ID{System: sandbox.SystemMRN, Value: mrn})[0]
			plant(t, p.world.Prescriber, `{"resourceType":"Flag","id":"note-1","meta":{"security":[{"system":"http://terminology.hl7.org/CodeSystem/v3-ActCode","code":"PSYTHPN"}]},
				"status":"active","code":{"text":"what was said in the room"},"subject":{"reference":"`+ref.String()+`"}}`)
			break
		}
	}
	p.world.Prescriber.Speak(sandbox.Dialect{NoIdentifierSearch: true, NoConditionalCreate: true})
	referred(t, p.world.Practice, "ada", "Invented", "1990-01-01", "MRN-ADA")
	p.world.Prescriber.Fault(sandbox.Fault{Do: sandbox.DropAfter, Method: http.MethodPost, Type: "Patient"})
	p.must(exitUnwell, "sync")
	p.must(exitUnwell, "sync")
	s := &scene{cli: &cli{Config: p.path("kaphub.yaml")}, out: t.Output(), err: t.Output(), now: time.Now, log: slog.New(slog.DiscardHandler)}
	h, err := s.open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(h.close)
	return p, h
}

// visitor is somebody at the console who follows links and sends forms.
type visitor struct {
	t    *testing.T
	base string
}

func (c visitor) ask(method, path string, form url.Values) (status int, body string) {
	c.t.Helper()
	r, err := http.NewRequestWithContext(c.t.Context(), method, c.base+path, strings.NewReader(form.Encode()))
	if err != nil {
		c.t.Fatal(err)
	}
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		c.t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	return answer.StatusCode, string(text)
}

// first is the first link of a page that fits.
func (c visitor) first(path, pattern string) string {
	c.t.Helper()
	_, body := c.ask(http.MethodGet, path, nil)
	found := regexp.MustCompile(`href="(` + pattern + `)"`).FindStringSubmatch(body)
	if found == nil {
		c.t.Fatalf("%s leads to no %s:\n%s", path, pattern, body)
	}
	return found[1]
}

// seen is what a form says that was looked at.
func (c visitor) seen(path string) string {
	c.t.Helper()
	_, body := c.ask(http.MethodGet, path, nil)
	found := regexp.MustCompile(`name="seen" value="([^"]*)"`).FindStringSubmatch(body)
	if found == nil {
		c.t.Fatalf("%s has no form:\n%s", path, body)
	}
	return strings.ReplaceAll(found[1], "&#43;", "+")
}

func (c visitor) must(path string, form url.Values, says string) {
	c.t.Helper()
	if status, body := c.ask(http.MethodPost, path, form); status != http.StatusOK || !strings.Contains(body, says) {
		c.t.Errorf("%s is answered %d, without %q:\n%s", path, status, says, body)
	}
}

// Whatever waits for a person in the exchange is settled at the console, over the store itself; and the audit log tells who.
func TestTheExchangeIsSettledAtTheConsole(t *testing.T) {
	t.Parallel()
	p, h := troubled(t)
	owner := visitor{t: t, base: h.shownTo(t, people.Owner)}
	officer := visitor{t: t, base: h.shownTo(t, people.Privacy)}
	operator := visitor{t: t, base: h.shownTo(t, people.Operator)}

	sent := owner.first("/exchange/deliveries", "/exchange/deliveries/[0-9a-f]{20,}")
	_, body := operator.ask(http.MethodGet, sent, nil)
	if strings.Contains(body, "MRN-ADA") || strings.Contains(body, "1990-01-01") || strings.Contains(body, "ehr/") || !strings.Contains(body, "unknown") {
		t.Errorf("an operator is told\n%s", body)
	}
	seen := owner.seen(sent)
	said := url.Values{"seen": {seen}, "outcome": {string(exchange.OutcomeTold)}, "note": {"they have her"}, "to": {"Nan"}}
	owner.must(sent+"/settle", said, ">delivered<")
	if status, _ := owner.ask(http.MethodPost, sent+"/settle", url.Values{"seen": {seen}, "outcome": {string(exchange.OutcomeNotThere)}, "note": {"no"}}); status != http.StatusConflict {
		t.Errorf("what was settled is settled again: %d", status)
	}
	officer.must(sent+"/body", url.Values{"why": {"a complaint"}}, "1990-01-01")

	reject := owner.first("/exchange/rejects", "/exchange/rejects/r-[^\"]*")
	officer.must(reject+"/body", url.Values{}, "{")
	owner.must(reject+"/resolve", url.Values{"why": {"Skylight says it was a test"}}, "closed: Skylight says it was a test")

	sealed := officer.first("/exchange/sealed", "/exchange/sealed/s-[^\"]*")
	officer.must(sealed+"/open", url.Values{"why": {"to decide"}}, "what was said in the room")
	officer.must(sealed+"/expunge", url.Values{"why": {"notes of a session"}, "sure": {"1"}}, "expunged by Invented privacy officer")
	if status, _ := officer.ask(http.MethodPost, sealed+"/open", url.Values{"why": {"again"}}); status != http.StatusGone {
		t.Errorf("what was expunged is opened: %d", status)
	}

	link := owner.first("/exchange/links", "/exchange/links/[0-9a-z-]+")
	_, body = owner.ask(http.MethodGet, link, nil)
	if !strings.Contains(body, "birth date") || !strings.Contains(body, "agrees") || !strings.Contains(body, "(legal)") && !strings.Contains(body, "Born") {
		t.Errorf("who compares is shown\n%s", body)
	}
	owner.must(link+"/confirm", url.Values{"seen": {owner.seen(link)}, "compared": {"1"}}, "confirmed by Invented owner")
	owner.must(link+"/undo", url.Values{"seen": {owner.seen(link)}, "why": {"sisters"}}, "undone by Invented owner: sisters")

	entries, err := h.store.AuditLog(t.Context(), 0, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	var log strings.Builder
	for _, e := range entries {
		log.WriteString(e.Actor + ": " + e.Action + "\n")
	}
	for _, line := range []string{
		"Invented owner: settle", "Invented owner: resolve reject", "Invented owner: view link", "Invented owner: list deliveries",
		"Invented privacy officer: view body of delivery", "Invented privacy officer: view reject", "Invented privacy officer: open sealed", "Invented privacy officer: expunged",
		"Invented operator: view delivery",
	} {
		if !strings.Contains(log.String(), line+"\n") {
			t.Errorf("the audit log does not tell of %q", line)
		}
	}
	if t.Failed() {
		t.Log(log.String())
	}
	p.must(0, "audit", "verify")
}

// A connection is tested as kaphub check does it, and what was found stands with the counterpart; nothing is asked of an
// engine that does not run.
func TestTheExchangeIsShownAsItStands(t *testing.T) {
	t.Parallel()
	p := settle(t)
	p.must(0, "sync")
	s := &scene{cli: &cli{Config: p.path("kaphub.yaml")}, out: t.Output(), err: t.Output(), now: time.Now, log: slog.New(slog.DiscardHandler)}
	h, err := s.open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(h.close)
	operator := visitor{t: t, base: h.shownTo(t, people.Operator)}
	writes := p.writes()
	operator.must("/exchange/sources/skylight/test", url.Values{}, "reachable and speaks FHIR")
	if p.writes() != writes {
		t.Error("a test writes at the counterpart")
	}
	_, body := operator.ask(http.MethodGet, "/exchange", nil)
	for _, told := range []string{"skylight", "ehr", "fresh", "FHIR server"} {
		if !strings.Contains(body, told) {
			t.Errorf("the exchange does not tell of %q:\n%s", told, body)
		}
	}
	_, body = operator.ask(http.MethodGet, "/exchange/sources/skylight", nil)
	if !strings.Contains(body, "Tested at") || !strings.Contains(body, "by Invented operator") {
		t.Errorf("the test is not kept:\n%s", body)
	}
	if status, body := operator.ask(http.MethodPost, "/exchange/sync", nil); status != http.StatusServiceUnavailable || !strings.Contains(body, "kaphub serve") {
		t.Errorf("without an engine a sync is answered %d:\n%s", status, body)
	}
}

// What is shown when something is wrong is for everybody, too: every page about it, in both themes and on a phone.
func TestWhatIsWrongIsShownToEverybodyInABrowser(t *testing.T) {
	browsing(t)
	_, h := troubled(t)
	for _, row := range []struct {
		role  people.Role
		pages []string // a list, and what its first row leads to
	}{
		{people.Owner, []string{"/exchange", "/exchange/sources/[a-z]+", "/exchange/deliveries", "/exchange/deliveries/[0-9a-f]{20,}", "/exchange/rejects", "/exchange/rejects/r-[^\"]*",
			"/exchange/links", "/exchange/links/[0-9a-z-]+", "/exchange/jobs", ""}},
		{people.Privacy, []string{"/exchange/sealed", "/exchange/sealed/s-[^\"]*"}},
		{people.Operator, []string{"/exchange/deliveries", "/exchange/deliveries/[0-9a-f]{20,}", "/exchange/links", ""}},
	} {
		t.Run(string(row.role), func(t *testing.T) {
			base := h.shownTo(t, row.role)
			w, by := newWalker(t, base, false), visitor{t: t, base: base}
			for i := 0; i < len(row.pages); i += 2 {
				paths := row.pages[i : i+1]
				if row.pages[i+1] != "" {
					paths = append(paths[:1:1], by.first(row.pages[i], row.pages[i+1]))
				}
				for _, path := range paths {
					if status := w.open(path); status != http.StatusOK {
						t.Errorf("%s is answered %d", path, status)
					}
					for _, theme := range []string{"light", "dark"} {
						w.in(theme, 1280)
						for _, v := range w.judged() {
							t.Errorf("%s in %s: %s", path, theme, v)
						}
					}
					w.in("light", 390)
					if over := inPage[int](w, `document.documentElement.scrollWidth - window.innerWidth`); over > 0 {
						t.Errorf("%s is %d px wider than a phone", path, over)
					}
					for _, wrong := range w.heardWrong() {
						t.Errorf("%s: %s", path, wrong)
					}
				}
			}
		})
	}
}
