package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"github.com/kaphub/kaphub/cmd/internal/people"
)

// uploads puts a file into the page's first file field, and sends its form.
func (w *walker) uploads(name, text string) {
	w.t.Helper()
	n := inPage[int](w, fmt.Sprintf(`(() => {
		const field = document.querySelector("main input[type=file]"), box = new DataTransfer();
		box.items.add(new File([%q], %q, {type: "text/csv"}));
		field.files = box.files;
		return [...document.forms].filter(f => f.method === "post").indexOf(field.form);
	})()`, text, name))
	w.send(n)
}

// chooses ticks a box or an answer, or chooses of a list.
func (w *walker) chooses(name, value string) {
	w.t.Helper()
	inPage[bool](w, fmt.Sprintf(`(() => {
		for (const f of document.querySelectorAll("main [name='%s']")) {
			if (f.tagName === "SELECT") f.value = %q;
			if (f.value === %q && f.type !== "select-one") f.checked = true;
		}
		return true;
	})()`, name, value, value))
}

// presses sends the form of a button, by it.
func (w *walker) presses(id string) {
	w.t.Helper()
	inPage[bool](w, fmt.Sprintf(`(() => {
		const b = document.querySelector("[data-test-id='%s']"), form = b.form, only = document.createElement("input");
		for (const other of document.querySelectorAll("main form")) if (other !== form) other.remove();
		only.type = "hidden"; only.name = b.name || "nothing"; only.value = b.value;
		for (const o of form.querySelectorAll("button")) o.remove();
		form.append(only);
		return true;
	})()`, id))
	w.send(inPage[int](w, `[...document.forms].filter(f => f.method === "post").findIndex(f => f.closest("main"))`))
}

func (w *walker) says() string {
	w.t.Helper()
	return inPage[string](w, `document.querySelector("main").innerText`)
}

// comesIn takes an invitation and goes through the second factor, to what one sees first.
func (w *walker) comesIn(invitation string) {
	w.t.Helper()
	const word = "quiet lantern over teal rivers"
	w.open(invitation)
	w.sees("/invitation")
	w.fills("password", word, "again", word)
	w.sees("/sign-in/factor")
	secret := strings.ReplaceAll(inPage[string](w, `document.querySelector("[data-test-id=secret]").innerText`), " ", "")
	code, err := totp.GenerateCode(secret, time.Now())
	if err != nil {
		w.t.Fatal(err)
	}
	w.fills("code", code)
	w.sees("/sign-in/factor") // the recovery codes
	w.open("/")
}

func roster(prescriber string) string {
	text := "id,family,given,birth_date,chosen_name,pronouns,state,therapist,prescriber,referred_on\n"
	for i := range 38 {
		text += fmt.Sprintf("%d,Invented%d,Given%d,19%02d-0%d-%02d,Wren%d,%s,CO,Robin Sample,%s,2026-01-%02d\n", 100+i, i, i, 60+i, 1+i%9, 1+i%28, i, []string{"they/them", "she/her", "he/him"}[i%3], prescriber, 1+i%9)
	}
	return text
}

// Somebody makes a hub of an empty directory at a real browser: from the code at the terminal to 38 clients on Today, and a
// therapist's Today on a phone.
func TestTheFirstRunInABrowser(t *testing.T) {
	browsing(t)
	n := arrives(t, t.TempDir())
	w := newWalker(t, n.base, false)
	w.open("/")
	w.sees("/")
	w.fills("code", n.code)
	w.sees("/start/practice")
	w.fills("'hub.name'", "Hill House", "'hub.time_zone'", "Denver")
	w.sees("/start/practice")
	w.heardWrong() // a refused form is an error to the browser
	w.fills("'hub.name'", "Hill House", "'hub.time_zone'", "America/Denver", "'practice.contact'", "12 Aspen Way\n303-555-0140")
	w.sees("/start/prescriber")
	w.chooses("who~answer", "another")
	w.fills("title", "Aurora Clinic", "npi", "1234567893", "phone", "303-555-0199")
	w.sees("/start/sheet")
	w.presses("later")
	w.sees("/start/key")
	groups := inPage[[]string](w, `[...document.querySelectorAll("[data-test-id=recovery] code")].map(c => c.innerText)`)
	if len(groups) != 14 {
		t.Fatalf("%d groups", len(groups))
	}
	w.send(0)
	w.sees("/start/key")
	w.fills("a", groups[4], "b", groups[13])
	w.sees("/start/records")
	w.chooses("how~answer", "none")
	w.presses("go-on")
	w.sees("/start/roster")
	broken := strings.Replace(strings.Replace(roster("Aurora Clinic"), "1961-02-02", "2/2/61", 1), "1963-04-04", "", 1) + "999,Invented,Given,1970-01-01,Wren\n"
	w.uploads("roster.csv", broken)
	w.sees("/start/roster")
	for _, want := range []string{"36 clients would come in", "3 rows cannot be taken", "Row 3 (101), birth_date", "Row 5 (103), birth_date", "Row 40", "Wren0"} {
		if !strings.Contains(w.says(), want) {
			t.Errorf("it is not said: %s\n%s", want, w.says())
		}
	}
	w.presses("import")
	w.sees("/start/roster")
	if !strings.Contains(w.says(), "36 clients are in") {
		t.Error(w.says())
	}
	w.uploads("roster.csv", roster("Aurora Clinic")) // mended
	if !strings.Contains(w.says(), "2 clients would come in") {
		t.Error(w.says())
	}
	w.presses("import")
	w.open("/")
	w.sees("/start/owner")
	w.fills("name", "Ann Owner", "login", "ann")
	invitation := inPage[string](w, `location.pathname`)
	if !strings.HasPrefix(invitation, "/invitation") {
		t.Fatalf("it ends at %s", invitation)
	}
	for _, wrong := range w.heardWrong() {
		t.Error(wrong)
	}
	w.comesIn(invitation)
	w.sees("/")
	if found := regexp.MustCompile(`\b38\b`).FindString(w.says()); found == "" {
		t.Errorf("Today does not speak of 38: %s", w.says())
	}

	calendar := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(feed)) }))
	defer calendar.Close()
	w.open("/settings")
	w.sees("/settings")
	w.open("/settings/new-calendar")
	w.sees("/settings/new-calendar")
	w.fills("calendar", calendar.URL+"/s3cr3t.ics")
	w.sees("/settings/new-calendar")
	w.presses("try")
	if text := w.says(); !strings.Contains(text, "works") || strings.Contains(text, "s3cr3t") {
		t.Error(text)
	}
	w.sees("/settings/new-calendar")
	w.presses("save")
	w.sees("/settings")
	w.open("/settings/remove/source-calendar")
	w.sees("/settings/remove/source-calendar")
	w.presses("remove")
	w.sees("/settings/remove/source-calendar") // it is the last: that is to be agreed to
	w.heardWrong()
	w.chooses("sure", "yes")
	w.presses("remove")
	w.sees("/settings")
	w.open("/settings/remove/prescriber-aurora-clinic")
	w.sees("/settings/remove/prescriber-aurora-clinic")
	w.open("/settings/history")
	w.sees("/settings/history")

	w.open("/accounts")
	w.sees("/accounts")
	w.chooses("role", string(people.Therapist))
	w.fills("name", "Robin Sample", "login", "robin", "other", "Robin Sample")
	w.sees("/accounts")
	link := inPage[string](w, `document.querySelector("[data-test-id=link]").value`)
	for _, wrong := range w.heardWrong() {
		t.Error(wrong)
	}
	phone := newWalker(t, n.base, false)
	phone.in("light", 390)
	phone.comesIn(link[strings.Index(link, people.InvitePath):])
	phone.sees("/")
	if text := phone.says(); !strings.Contains(text, "38 clients") || strings.Contains(text, "quiet day") || strings.Contains(text, "No client of yours") || strings.Contains(text, "calendar") {
		t.Errorf("the therapist sees %s", text)
	}
	phone.open("/clients")
	if text := phone.says(); !strings.Contains(text, "Wren2") {
		t.Errorf("among the therapist's clients are %s", text)
	}
	for _, wrong := range phone.heardWrong() {
		t.Error(wrong)
	}
}
