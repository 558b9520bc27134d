package main

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"github.com/kaphub/kaphub/cmd/internal/people"
)

// sees judges the page that stands there: by axe in both themes, on a phone's width, and where it is.
func (w *walker) sees(at string) {
	w.t.Helper()
	if got := inPage[string](w, `location.pathname`); got != at {
		w.t.Fatalf("the browser is at %s, want %s: %s", got, at, inPage[string](w, `document.querySelector("main").innerText`))
	}
	for _, scheme := range []string{"light", "dark"} {
		if w.plain {
			break // axe is a script itself
		}
		w.in(scheme, 1280)
		for _, v := range w.judged() {
			w.t.Errorf("%s in %s: %s", at, scheme, v)
		}
	}
	w.in("light", 390)
	if over := inPage[int](w, `document.documentElement.scrollWidth - window.innerWidth`); over > 0 {
		w.t.Errorf("%s is %d px wider than a phone", at, over)
	}
}

// fills types into the page's fields by their names, and sends the form with the first of them.
func (w *walker) fills(pairs ...string) {
	w.t.Helper()
	for i := 0; i < len(pairs); i += 2 {
		inPage[bool](w, fmt.Sprintf(`(() => { document.querySelector("main [name=%s]").value = %q; return true })()`, pairs[i], pairs[i+1]))
	}
	n := inPage[int](w, fmt.Sprintf(`[...document.forms].filter(f => f.method === "post").indexOf(document.querySelector("main [name=%s]").form)`, pairs[0]))
	w.send(n)
}

// Somebody comes in for the first time and again, at a real browser, with JavaScript and without, and every page on the way
// is sound.
func TestSigningInAtABrowser(t *testing.T) {
	browsing(t)
	for name, plain := range map[string]bool{"with JavaScript": false, "without": true} {
		t.Run(name, func(t *testing.T) {
			const word = "quiet lantern over teal rivers"
			d, token := newHub(t)
			s := stand(t, d.file, nil)
			w := newWalker(t, "http://"+s.address, plain)
			w.open("/")
			w.sees("/sign-in")
			w.fills("login", "ann", "password", "something else entirely")
			w.sees("/sign-in")
			w.open(people.InvitePath + token)
			w.sees("/invitation")
			w.fills("password", "short", "again", "short")
			w.sees("/invitation")
			w.heardWrong() // a refused form is an error to the browser
			w.fills("password", word, "again", word)
			w.sees("/sign-in/factor")
			if shown := inPage[int](w, `document.querySelector("img.qr").naturalWidth`); shown < 200 {
				t.Errorf("the QR code is %d px wide", shown)
			}
			secret := strings.ReplaceAll(inPage[string](w, `document.querySelector("[data-test-id=secret]").innerText`), " ", "")
			code := func() string {
				t.Helper()
				c, err := totp.GenerateCode(secret, s.now())
				if err != nil {
					t.Fatal(err)
				}
				return c
			}
			w.fills("code", code())
			w.sees("/sign-in/factor")
			codes := inPage[string](w, `document.querySelector("[data-test-id=recovery-codes]").innerText`)
			if found := regexp.MustCompile(`[a-z2-7]{4}(-[a-z2-7]{4}){3}`).FindAllString(codes, -1); len(found) != 8 {
				t.Errorf("%d recovery codes are shown: %s", len(found), codes)
			}
			w.open("/account")
			w.sees("/account")
			w.open("/accounts")
			w.sees("/accounts")
			w.fills("name", "Bo Lee", "login", "bo")
			w.sees("/accounts") // a role is missing
			w.heardWrong()
			inPage[bool](w, `(document.querySelector("[name=role][value=reader]").checked = true)`)
			w.fills("name", "Bo Lee")
			if link := inPage[string](w, `document.querySelector("[data-test-id=link]").value`); !strings.HasPrefix(link, w.base+people.InvitePath) {
				t.Errorf("the link is %q", link)
			}
			w.sees("/accounts")
			w.open("/looks")
			w.sees("/looks")
			s.clock.Add(int64((22 * time.Minute).Seconds()))
			w.open("/accounts")
			w.sees("/sign-in")
			if !strings.Contains(inPage[string](w, `document.querySelector("main").innerText`), "nothing happened for 20 minutes") {
				t.Error("it is not said why one signs in again")
			}
			w.fills("login", "ann", "password", word)
			w.sees("/sign-in/code")
			w.fills("code", code())
			w.sees("/accounts")
			for _, wrong := range w.heardWrong() {
				t.Error(wrong)
			}
		})
	}
}
