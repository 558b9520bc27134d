package fhirrest_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/kaphub/kaphub/connectors/fhirrest"
	"github.com/kaphub/kaphub/connectors/sandbox"
	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/exchange"
)

func watching(codes ...string) fhirrest.Options {
	watch := map[string][]fhir.Code{}
	for _, c := range codes {
		watch["Condition"] = append(watch["Condition"], fhir.Code{System: "https://icd.example", Code: c})
	}
	return fhirrest.Options{Party: fhir.Practice, Watch: watch}
}

func TestConditionsAreAskedForByTheCodesOfTheWatchList(t *testing.T) {
	f, c := newFar(t, sandbox.Dialect{}, watching("Z33.1", "I10"))
	round(t, c, "", exchange.Roster{New: []string{"p1"}})
	asked := f.queries("Condition")
	if len(asked) < 2 {
		t.Fatalf("asked %v", asked)
	}
	for _, q := range asked {
		if q.Get("code") != "https://icd.example|Z33.1,https://icd.example|I10" {
			t.Errorf("asked for %q", q)
		}
	}
	if len(f.queries("MedicationStatement")) > 0 {
		t.Error("a type of which nothing is watched for was asked for")
	}
	f, c = newFar(t, sandbox.Dialect{}, watching())
	if last, _ := round(t, c, "", exchange.Roster{}); !last.Complete || len(f.queries("Condition")) > 0 {
		t.Errorf("an empty list: complete %v, asked %v", last.Complete, f.queries("Condition"))
	}
}

func TestAnotherWatchListIsReadFromTheBeginning(t *testing.T) {
	f, c := newFar(t, sandbox.Dialect{}, watching("Z33.1"))
	last, _ := round(t, c, "", exchange.Roster{})
	for _, tc := range []struct {
		name  string
		codes []string
		anew  bool
	}{{"the same list", []string{"Z33.1"}, false}, {"one more code", []string{"Z33.1", "I10"}, true}} {
		o := watching(tc.codes...)
		o.BaseURL = f.url
		again := open(t, o)
		f.forget()
		round(t, again, last.Next, exchange.Roster{})
		if got := !f.queries("Condition")[0].Has("_lastUpdated"); got != tc.anew {
			t.Errorf("%s: from the beginning: %v", tc.name, got)
		}
		if !f.queries("Observation")[0].Has("_lastUpdated") {
			t.Errorf("%s: what is not watched was read anew", tc.name)
		}
	}
}

func TestAServerMayKeepWatchedTypesToItself(t *testing.T) {
	for status, body := range map[int]string{403: `{"resourceType":"OperationOutcome","issue":[{"severity":"error","code":"forbidden"}]}`, 404: `{}`} {
		f, c := newFar(t, sandbox.Dialect{}, watching("Z33.1"))
		f.otherwise = func(w http.ResponseWriter, r *http.Request) bool {
			if !strings.HasPrefix(r.URL.Path, "/Condition") {
				return false
			}
			say(w, status, body)
			return true
		}
		if last, _ := round(t, c, "", exchange.Roster{}); !last.Complete {
			t.Errorf("%d: the read is not complete: %s", status, last.Why)
		}
		report, err := c.Checker.Check(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		told := false
		for _, l := range report.Lines {
			told = told || l.About == "Condition" && l.Level == "degrades" && strings.Contains(l.Text, "kept from the hub")
		}
		if !told {
			t.Errorf("%d: check says nothing: %+v", status, report.Lines)
		}
	}
}

func TestACodeThatIsNoParameterAfterAllIsLeftOut(t *testing.T) {
	f, c := newFar(t, sandbox.Dialect{}, watching("Z33.1"))
	f.otherwise = func(w http.ResponseWriter, r *http.Request) bool {
		if !strings.HasPrefix(r.URL.Path, "/Condition") || !r.URL.Query().Has("code") {
			return false
		}
		say(w, 400, `{"resourceType":"OperationOutcome","issue":[{"severity":"error","code":"invalid"}]}`)
		return true
	}
	last, _ := round(t, c, "", exchange.Roster{})
	asked := f.queries("Condition")
	if !last.Complete || asked[len(asked)-1].Has("code") {
		t.Errorf("complete %v %s, asked %v", last.Complete, last.Why, asked)
	}
}
