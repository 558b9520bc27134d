package fhirrest_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/kaphub/kaphub/connectors/fhirrest"
	"github.com/kaphub/kaphub/connectors/sandbox"
	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/exchange"
)

// referred is a client whose clearance and dispense say what they were made for, and whose Task names neither.
var referred = []string{
	`{"resourceType":"ServiceRequest","id":"sr","status":"active","intent":"order","subject":{"reference":"Patient/p1"}}`,
	`{"resourceType":"Task","id":"t","status":"completed","intent":"order","focus":{"reference":"ServiceRequest/sr"},"for":{"reference":"Patient/p1"}}`,
	`{"resourceType":"MedicationRequest","id":"rx","status":"active","intent":"order","subject":{"reference":"Patient/p1"},"medicationCodeableConcept":{"text":"ketamine"}}`,
	`{"resourceType":"Observation","id":"clearance","status":"final","code":{"text":"clearance"},"subject":{"reference":"Patient/p1"},"basedOn":[{"reference":"ServiceRequest/sr"}],"focus":[{"reference":"MedicationRequest/rx"}]}`,
	`{"resourceType":"MedicationDispense","id":"dispense","status":"completed","subject":{"reference":"Patient/p1"},"authorizingPrescription":[{"reference":"MedicationRequest/rx"}],"medicationCodeableConcept":{"text":"ketamine"}}`,
	`{"resourceType":"Observation","id":"unbound","status":"final","code":{"text":"a reading"},"subject":{"reference":"Patient/p1"}}`,
	`{"resourceType":"ServiceRequest","id":"other","status":"active","intent":"order","subject":{"reference":"Patient/p2"}}`,
	`{"resourceType":"Observation","id":"others","status":"final","code":{"text":"clearance"},"subject":{"reference":"Patient/p2"},"basedOn":[{"reference":"ServiceRequest/other"}]}`,
}

func TestResultsAreFoundFromWhatTheyWereMadeFor(t *testing.T) {
	for _, tc := range []struct {
		name    string
		dialect sandbox.Dialect
		agreed  bool
		also    []string // planted too
		finds   []string
		misses  []string
		why     string
		swept   bool
	}{
		{
			name: "the clearance from its referral, the dispense from its prescription", agreed: true, swept: true,
			dialect: sandbox.Dialect{ByLink: []string{"Observation", "MedicationDispense"}},
			finds:   []string{"Observation/clearance", "MedicationDispense/dispense"}, misses: []string{"Observation/unbound", "Observation/others"},
		},
		{
			name:    "nobody agreed that all name their referral: it is found, and the read is not complete",
			dialect: sandbox.Dialect{ByLink: []string{"Observation"}},
			finds:   []string{"Observation/clearance"}, misses: []string{"Observation/unbound"}, why: "Observation: only what names its referral is found",
		},
		{
			name: "no other search tells what changed either", agreed: true, swept: true,
			dialect: sandbox.Dialect{NoLastUpdated: true, ByLink: []string{"Observation", "MedicationDispense"}},
			finds:   []string{"Observation/clearance", "MedicationDispense/dispense"}, misses: []string{"Observation/unbound"},
		},
		{
			name: "the Task from its referral, and its results from the Task", agreed: true, swept: true,
			dialect: sandbox.Dialect{NoLastUpdated: true, ByLink: []string{"Task", "MedicationDispense"}},
			finds:   []string{"Task/t", "MedicationDispense/dispense", "Observation/unbound"},
		},
		{
			name: "what names no referral, where a Task names it as its output", agreed: true, swept: true,
			dialect: sandbox.Dialect{ByLink: []string{"Observation"}},
			also:    []string{`{"resourceType":"Task","id":"t","status":"completed","intent":"order","focus":{"reference":"ServiceRequest/sr"},"for":{"reference":"Patient/p1"},"output":[{"type":{"text":"result"},"valueReference":{"reference":"Observation/unbound"}}]}`},
			finds:   []string{"Observation/clearance", "Observation/unbound"},
		},
		{
			name: "a Task that names somebody else's result brings nothing of theirs", agreed: true,
			dialect: sandbox.Dialect{ByLink: []string{"Observation"}},
			also:    []string{`{"resourceType":"Task","id":"t","status":"completed","intent":"order","focus":{"reference":"ServiceRequest/sr"},"for":{"reference":"Patient/p1"},"output":[{"type":{"text":"result"},"valueReference":{"reference":"Observation/others"}}]}`},
			finds:   []string{"Observation/clearance"}, misses: []string{"Observation/others"}, why: "Observation: somebody else's record in the answer",
		},
		{
			name: "a result that is nowhere is none", agreed: true, swept: true,
			dialect: sandbox.Dialect{ByLink: []string{"Observation"}},
			also:    []string{`{"resourceType":"Task","id":"t","status":"completed","intent":"order","focus":{"reference":"ServiceRequest/sr"},"for":{"reference":"Patient/p1"},"output":[{"type":{"text":"result"},"valueReference":{"reference":"Observation/nowhere"}}]}`},
			finds:   []string{"Observation/clearance"},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			f, c := newFar(t, tc.dialect, fhirrest.Options{Dialect: fhirrest.Dialect{NamesReferral: tc.agreed}})
			f.patient(t, "p1")
			f.patient(t, "p2")
			for _, body := range slices.Concat(referred, tc.also) {
				if _, ok := f.Put(t, body); !ok {
					t.Fatal("the sandbox does not take it")
				}
			}
			last, all := round(t, c, "", exchange.RosterOf([]string{"p1"}, exchange.Everybody{Members: []string{"p1"}}))
			for _, ref := range tc.finds {
				if !has(all, ref) {
					t.Errorf("%s was not found", ref)
				}
			}
			for _, ref := range tc.misses {
				if has(all, ref) {
					t.Errorf("%s was found", ref)
				}
			}
			if last.Complete != (tc.why == "") || last.Why != tc.why {
				t.Errorf("complete %v: %q, want %q", last.Complete, last.Why, tc.why)
			}
			if got := slices.Contains(all.Swept, "p1"); got != tc.swept {
				t.Errorf("read to the beginning: %v, want %v", got, tc.swept)
			}
			report, err := c.Checker.Check(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			for _, typ := range tc.dialect.ByLink {
				level := map[bool]string{true: "degrades", false: "impossible"}[tc.agreed]
				said := false
				for _, l := range report.Lines {
					said = said || l.Level == level && l.About == typ && strings.Contains(l.Text, "only by")
				}
				if !said {
					t.Errorf("check does not say that %s %s: %+v", typ, level, report.Lines)
				}
			}
		})
	}
}

// The server's statement knows no Observation, and yet a Task names one.
func TestAnOutputThatNoSearchBringsIsReadByItself(t *testing.T) {
	const (
		whole   = `{"resourceType":"Observation","id":"o","status":"final","code":{"text":"x"},"subject":{"reference":"Patient/p1"}}`
		others  = `{"resourceType":"Observation","id":"o","status":"final","code":{"text":"x"},"subject":{"reference":"Patient/p2"}}`
		another = `{"resourceType":"Observation","id":"o2","status":"final","code":{"text":"x"},"subject":{"reference":"Patient/p1"}}`
		broken  = `{"resourceType":"Observation","id":"o","status":"final","Status":"cancelled","code":{"text":"x"},"subject":{"reference":"Patient/p1"}}`
	)
	for _, tc := range []struct {
		name    string
		dialect sandbox.Dialect
		types   []string
		status  int
		body    string
		found   bool
		rejects int
		gone    bool
		why     string
	}{
		{name: "it is there", status: 200, body: whole, found: true},
		{name: "it is there, and nothing tells what changed", dialect: sandbox.Dialect{NoLastUpdated: true}, status: 200, body: whole, found: true},
		{name: "it cannot be read: it is kept as a reject", status: 200, body: broken, rejects: 1},
		{name: "it was deleted", status: 410, gone: true},
		{name: "it is nowhere", status: 404},
		{name: "it is refused", status: 403, why: "Observation: denied"},
		{name: "it is somebody else's", status: 200, body: others, why: "Observation: somebody else's record in the answer"},
		{name: "it is another one", status: 200, body: another, why: "Observation: somebody else's record in the answer"},
		{name: "the operator wants no Observation from there", types: []string{"Patient", "Task", "ServiceRequest"}, status: 200, body: whole},
	} {
		t.Run(tc.name, func(t *testing.T) {
			tc.dialect.Missing = []string{"Observation"}
			f, c := newFar(t, tc.dialect, fhirrest.Options{Dialect: fhirrest.Dialect{Types: tc.types}})
			f.patient(t, "p1")
			f.Put(t, `{"resourceType":"Task","id":"t","status":"completed","intent":"order","for":{"reference":"Patient/p1"},"output":[{"type":{"text":"result"},"valueReference":{"reference":"`+f.url+`/Observation/o"}},{"type":{"text":"x"},"valueReference":{"reference":"#o"}}]}`)
			f.answers(http.MethodGet, "Observation/o", tc.status, tc.body)
			var last, all exchange.Page
			for since := exchange.Cursor(""); ; since = last.Next {
				var err error
				if last, err = c.Puller.Pull(t.Context(), since, exchange.RosterOf(nil, exchange.Everybody{Members: []string{"p1"}})); err != nil {
					t.Fatal(err)
				}
				all.Resources, all.Gone, all.Rejects = append(all.Resources, last.Resources...), append(all.Gone, last.Gone...), append(all.Rejects, last.Rejects...)
				if !last.More {
					break
				}
			}
			if has(all, "Observation/o") != tc.found || has(all, "Observation/o2") || len(all.Rejects) != tc.rejects ||
				slices.Contains(all.Gone, fhir.Ref{Type: "Observation", ID: "o"}) != tc.gone || last.Why != tc.why || last.Complete != (tc.why == "") {
				t.Errorf("found %v, %d rejects, gone %v, complete %v: %q", has(all, "Observation/o"), len(all.Rejects), all.Gone, last.Complete, last.Why)
			}
		})
	}
}
