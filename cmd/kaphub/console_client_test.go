package main

import (
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/kaphub/kaphub/cmd/internal/people"
)

// answeredBy is what a page of the console says, and how it was answered. A form is sent as a browser of this site sends it.
func answeredBy(t *testing.T, address string, form url.Values) (status int, text, body string) {
	t.Helper()
	method, content := http.MethodGet, ""
	if form != nil {
		method, content = http.MethodPost, form.Encode()
	}
	r, err := http.NewRequestWithContext(t.Context(), method, address, strings.NewReader(content))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	if err := res.Body.Close(); err != nil {
		t.Fatal(err)
	}
	body = string(raw)
	return res.StatusCode, strings.Join(strings.Fields(regexp.MustCompile(`<[^>]*>`).ReplaceAllString(body, " ")), " "), body
}

// asItWas writes over nothing, but that the therapist is the one who looks.
func asItWas(_, path, was string) string {
	if path == ".participant.actor.display" && was == "Invented Therapist" {
		return "Robin Sample, LPC"
	}
	return was
}

func TestAClientIsSeenAsOfAnotherTime(t *testing.T) {
	t.Parallel()
	h, client := toldBoth(t, asItWas)
	base := h.shownTo(t, people.Owner)
	one := base + "/clients/" + client
	moment, err := h.store.Newest(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	at := "@" + strconv.FormatInt(int64(moment), 10)
	status, text, body := answeredBy(t, one+"?as-of="+at, nil)
	if status != http.StatusOK || !strings.Contains(body, `data-test-id="past"`) || !strings.Contains(text, "Juniper Invented-p1") {
		t.Errorf("as of %s: %d %s", at, status, text)
	}
	for word, says := range map[string]string{
		"soon": "is no time", "2099-01-01": "lies in the future", "@999999": "lies in the future", "1999-01-01": "the hub&#39;s records begin on", "@1": "were not kept",
	} {
		for _, page := range []string{"?as-of=", "/changes?from="} {
			status, text, body := answeredBy(t, one+page+url.QueryEscape(word), nil)
			if status != http.StatusOK || !strings.Contains(body, `data-test-id="wrong"`) || !strings.Contains(text, says) {
				t.Errorf("%s%s: %d, want %q in %s", page, word, status, says, text[:min(len(text), 600)])
			}
		}
	}
	if status, text, _ := answeredBy(t, one+"/changes?from="+at+"&to=now", nil); status != http.StatusOK || !strings.Contains(text, "With Skylight:") {
		t.Errorf("changes: %d %s", status, text)
	}
	if _, text, body := answeredBy(t, one+"/changes?from=now&to="+at, nil); !strings.Contains(body, `data-test-id="wrong"`) {
		t.Errorf("backwards: %s", text)
	}
	for from, says := range map[string]string{"soon": "is no day", "2099-01-01": "the time accounted for would be empty"} {
		if status, text, _ := answeredBy(t, one+"/disclosures?from="+from, nil); status != http.StatusOK || !strings.Contains(text, says) {
			t.Errorf("disclosures from %s: %d %s", from, status, text)
		}
	}
	// Every look is in the log, under the name of who looked.
	_, text, _ = answeredBy(t, one+"/looks", nil)
	for _, want := range []string{"Invented owner view client", "Invented owner view changes", "Invented owner view disclosures", "Invented owner view who looked"} {
		if !strings.Contains(text, want) {
			t.Errorf("the log does not say %q: %s", want, text)
		}
	}
}

// What a therapist learns in the room is judged before they look up: within two seconds.
func TestWhatATherapistLearnsIsJudgedWithinTwoSeconds(t *testing.T) {
	t.Parallel()
	h, client := toldBoth(t, asItWas)
	card := h.shownTo(t, people.Therapist) + "/clients/" + client + "/card"
	_, text, body := answeredBy(t, card, nil)
	form := url.Values{"bp": {"181/99"}, "hr": {"80"}, "ride": {"y"}}
	checks, _, _ := strings.Cut(body[max(0, strings.Index(body, `data-test-id="checks"`)):], "</form>")
	for _, in := range regexp.MustCompile(`<input type="hidden" name="([^"]*)" value="([^"]*)">`).FindAllStringSubmatch(checks, -1) {
		form.Set(in[1], in[2])
	}
	if form.Get("session") == "" {
		t.Fatalf("no session is booked: %s", text)
	}
	began := time.Now()
	status, text, _ := answeredBy(t, card, form) // it is led to the card again
	if took := time.Since(began); status != http.StatusOK || took > 2*time.Second {
		t.Errorf("%d after %v", status, took)
	}
	if !strings.Contains(text, "181/99") && !strings.Contains(text, "Blood pressure and heart rate") || !strings.Contains(text, "Recorded as") && !strings.Contains(text, "The ride home is arranged") {
		t.Errorf("the card does not show what was learned: %s", text)
	}
	log, err := h.store.AuditOf(t.Context(), client, 0, 20)
	if err != nil {
		t.Fatal(err)
	}
	found := false
	for _, l := range log {
		found = found || l.Actor == "Invented therapist" && strings.Contains(l.Detail+l.Action, "arrival")
	}
	if !found {
		t.Errorf("the log does not name who entered it: %+v", log)
	}
}
