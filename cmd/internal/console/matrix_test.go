package console

import (
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/kaphub/kaphub/cmd/internal/people"
)

// matrix says who may ask for what: a row a route, the roles that may. It is written apart from the routes on purpose: a new
// route without a row fails, and so does one that lets in somebody else.
var matrix = map[string]string{
	"GET /clients/{client}":                  "owner admin therapist privacy reader",
	"GET /clients/{client}/changes":          "owner admin therapist privacy reader",
	"GET /clients/{client}/disclosures":      "owner admin therapist privacy reader",
	"GET /clients/{client}/disclosures.csv":  "owner therapist privacy reader",
	"GET /clients/{client}/looks":            "owner privacy",
	"POST /clients/{client}/glass":           "therapist",
	"GET /clients/{client}/card":             "owner therapist",
	"POST /clients/{client}/card":            "owner therapist",
	"POST /clients/{client}/card/directions": "therapist",
	"POST /clients/{client}/card/reason":     "owner therapist",

	"GET /{$}": "signed in",

	"GET /account":                    "signed in",
	"POST /account/password":          "signed in",
	"POST /account/recovery":          "signed in",
	"POST /account/sign-out":          "signed in",
	"GET /accounts":                   "owner",
	"POST /accounts":                  "owner",
	"GET /accounts/{account}":         "owner",
	"POST /accounts/{account}":        "owner",
	"GET /accounts/{account}/{what}":  "owner",
	"POST /accounts/{account}/{what}": "owner",
	"GET /looks":                      "owner privacy",

	"GET /sign-in":            "everybody",
	"POST /sign-in":           "everybody",
	"GET /sign-in/code":       "everybody",
	"POST /sign-in/code":      "everybody",
	"GET /invitation/{token}": "everybody",
	"GET /invitation":         "everybody",
	"POST /invitation":        "everybody",
	"GET /sign-in/factor":     "everybody",
	"GET /sign-in/factor.png": "everybody",
	"POST /sign-in/factor":    "everybody",
	"POST /sign-out":          "everybody",
	"GET /changes":            "owner admin therapist privacy reader",
	"GET /clients":            "owner admin therapist privacy reader",
	"POST /clients":           "owner admin therapist privacy reader",
	"GET /print":              "owner admin therapist privacy reader",

	"GET /exchange":                        "owner admin privacy reader operator",
	"GET /exchange/running":                "owner admin privacy reader operator",
	"POST /exchange/sync":                  "owner admin operator",
	"GET /exchange/sources/{source}":       "owner admin privacy reader operator",
	"POST /exchange/sources/{source}/test": "owner admin operator",
	"GET /exchange/jobs":                   "owner admin operator",
	"GET /desk":                            "owner admin therapist",
	"POST /desk/find":                      "owner admin therapist",
	"GET /desk/waiting":                    "owner admin therapist",
	"GET /desk/read-through":               "owner admin",
	"POST /desk/read-through":              "owner admin",
	"GET /desk/releases":                   "owner admin therapist",
	"POST /desk/releases":                  "owner admin therapist",
	"GET /desk/questions/{prescriber}":     "owner admin",
	"POST /desk/questions/{prescriber}":    "owner admin",
	"GET /clients/{client}/desk":           "owner admin therapist",
	"GET /clients/{client}/desk/stop":      "owner admin therapist", "POST /clients/{client}/desk/stop": "owner admin therapist",
	"GET /clients/{client}/desk/papers": "owner admin therapist", "POST /clients/{client}/desk/papers": "owner admin therapist",
	"GET /clients/{client}/desk/decision": "owner admin therapist", "POST /clients/{client}/desk/decision": "owner admin therapist",
	"POST /clients/{client}/desk/decision/reply": "owner admin therapist",
	"GET /clients/{client}/desk/condition":       "owner therapist", "POST /clients/{client}/desk/condition": "owner therapist",
	"GET /clients/{client}/desk/label": "owner therapist", "POST /clients/{client}/desk/label": "owner therapist",
	"GET /clients/{client}/desk/after": "owner admin therapist", "POST /clients/{client}/desk/after": "owner admin therapist",
	"GET /clients/{client}/desk/lift": "owner admin therapist", "POST /clients/{client}/desk/lift": "owner admin therapist",
	"GET /clients/{client}/desk/reason": "owner admin therapist", "POST /clients/{client}/desk/reason": "owner admin therapist",
	"GET /clients/{client}/desk/entries/{entry}/undo":     "owner admin therapist",
	"POST /clients/{client}/desk/entries/{entry}/undo":    "owner admin therapist",
	"POST /clients/{client}/desk/entries/{entry}/confirm": "owner admin therapist",
	"GET /findings":            "owner admin therapist privacy reader",
	"POST /findings":           "owner admin therapist",
	"GET /findings/{finding}":  "owner admin therapist privacy reader",
	"POST /findings/{finding}": "owner admin therapist",

	"GET /report":                                 "owner admin therapist privacy reader",
	"POST /report":                                "owner admin",
	"GET /report.html":                            "owner admin therapist privacy reader",
	"GET /report.csv":                             "owner admin therapist privacy reader",
	"GET /report.json":                            "owner admin therapist privacy reader",
	"GET /settings":                               "owner admin operator",
	"GET /settings/{section}":                     "owner admin operator",
	"POST /settings/{section}":                    "owner admin",
	"GET /settings/history":                       "owner admin operator",
	"GET /settings/remove/{section}":              "owner",
	"POST /settings/remove/{section}":             "owner",
	"POST /settings/reread":                       "owner",
	"GET /settings/secrets/{secret}":              "owner",
	"POST /settings/secrets/{secret}":             "owner",
	"GET /rules":                                  "owner admin therapist privacy reader operator",
	"GET /exchange/deliveries":                    "owner admin therapist privacy reader operator",
	"GET /exchange/deliveries/{delivery}":         "owner admin therapist privacy reader operator",
	"POST /exchange/deliveries/{delivery}/body":   "owner privacy",
	"POST /exchange/deliveries/{delivery}/settle": "owner admin therapist",
	"POST /exchange/deliveries/{delivery}/retry":  "owner admin therapist operator",
	"GET /exchange/links":                         "owner admin privacy reader operator",
	"GET /exchange/links/{link}":                  "owner admin privacy",
	"POST /exchange/links/{link}/confirm":         "owner admin",
	"POST /exchange/links/{link}/refuse":          "owner admin",
	"POST /exchange/links/{link}/undo":            "owner admin",
	"GET /exchange/rejects":                       "owner admin privacy reader operator",
	"GET /exchange/rejects/{reject}":              "owner admin privacy reader operator",
	"POST /exchange/rejects/{reject}/body":        "owner privacy",
	"POST /exchange/rejects/{reject}/resolve":     "owner admin",
	"GET /exchange/sealed":                        "privacy",
	"GET /exchange/sealed/{sealed}":               "privacy",
	"POST /exchange/sealed/{sealed}/open":         "privacy",
	"POST /exchange/sealed/{sealed}/admit":        "privacy",
	"POST /exchange/sealed/{sealed}/expunge":      "privacy",
}

// samples are what a route is asked with, where its pattern names a part: Robin is Dana's, who is the therapist here.
var samples = map[string]string{"client": "c-robin", "source": "skylight", "delivery": "d-robin-unknown", "reject": "r-1-abc", "sealed": "s-1-abc", "link": "l-open"}

var part = regexp.MustCompile(`\{([a-z]+)(\.\.\.)?\}`)

func sample(pattern string) (method, path string) {
	method, path, _ = strings.Cut(pattern, " ")
	path = strings.TrimSuffix(path, "{$}")
	return method, part.ReplaceAllStringFunc(path, func(p string) string {
		name := part.FindStringSubmatch(p)[1]
		if s, ok := samples[name]; ok {
			return s
		}
		return "unheard-of"
	})
}

func TestWhoMayAskForWhat(t *testing.T) {
	w := newTown(t)
	there := map[string]bool{}
	for _, rt := range w.routes() {
		there[rt.Pattern] = true
		may, ok := matrix[rt.Pattern]
		if !ok {
			t.Errorf("%s has no row in the matrix: say who may", rt.Pattern)
			continue
		}
		method, path := sample(rt.Pattern)
		var form url.Values
		if method == http.MethodPost {
			form = url.Values{}
		}
		for _, role := range people.Roles() {
			got := w.as(role).do(method, path, form)
			refused := got.StatusCode == http.StatusForbidden
			allowed := may == "everybody" || may == "signed in" || strings.Contains(" "+may+" ", " "+string(role)+" ")
			if refused == allowed {
				t.Errorf("%s as %s is answered %d; may: %s", rt.Pattern, role, got.StatusCode, may)
			}
			if got.StatusCode >= http.StatusInternalServerError {
				t.Errorf("%s as %s is answered %d: %s", rt.Pattern, role, got.StatusCode, w.log.String())
			}
		}
		if got := w.stranger().do(method, path, form); may != "everybody" && !turnedAway(got) {
			t.Errorf("%s of somebody who is not signed in is answered %d", rt.Pattern, got.StatusCode)
		}
	}
	for pattern := range maps.Keys(matrix) {
		if !there[pattern] {
			t.Errorf("the matrix has a row for %s, and there is no such route", pattern)
		}
	}
}

func turnedAway(a answerTo) bool {
	return a.StatusCode == http.StatusUnauthorized || a.StatusCode == http.StatusSeeOther && strings.HasPrefix(a.Header.Get("Location"), "/sign-in")
}

// A therapist is answered about another's client as about one who does not exist, on every route about a client.
func TestAKeyTellsNothing(t *testing.T) {
	w := newTown(t)
	g := w.as(people.Therapist)
	for _, rt := range w.routes() {
		if !strings.Contains(rt.Pattern, "{client}") {
			continue
		}
		if !rt.Client && rt.Pattern != "POST /clients/{client}/glass" { // it is for the clients of others; looks_test.go
			t.Errorf("%s is about a client, and does not ask whose", rt.Pattern)
		}
		var form url.Values
		if strings.HasPrefix(rt.Pattern, http.MethodPost) {
			form = url.Values{}
		}
		method, path := sample(rt.Pattern)
		other, none := g.do(method, strings.Replace(path, "c-robin", "c-kim", 1), form), g.do(method, strings.Replace(path, "c-robin", "c-nobody", 1), form)
		if other.StatusCode != none.StatusCode || strings.ReplaceAll(other.body, "c-kim", "") != strings.ReplaceAll(none.body, "c-nobody", "") {
			t.Errorf("%s: another's client is answered %d, nobody %d, or in other words", rt.Pattern, other.StatusCode, none.StatusCode)
		}
	}
}
