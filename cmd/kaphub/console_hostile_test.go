package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kaphub/kaphub/cmd/internal/people"
	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/fhirtest"
	"github.com/kaphub/kaphub/fhir/store"
)

// bothByFile is a practice and a prescriber who leave FHIR in directories.
const bothByFile = `hub: {name: Reverie, time_zone: America/Denver, listen: "127.0.0.1:0"}
store: {dsn: kaphub.db, key_file: kaphub.key}
practice:
  connectors: [{name: ehr, kind: folder, in: in, wait: 1s}]
prescribers:
  - name: skylight
    title: Skylight
    identifiers: [{system: "http://hl7.org/fhir/sid/us-npi", value: "1234567893"}]
    connectors: [{name: skylight, kind: folder, in: mail, out: out, wait: 1s}]
    sheet: {signed: 2026-01-10, deciders: [{system: "http://hl7.org/fhir/sid/us-npi", value: "1245319599", name: Dr Imaginary}], dose_interval: none set, session_cap: none set, follow_up: none set, preparations: none set}
rules: {telehealth_until: 2099-12-31}
`

// toldBoth is a hub that read one client's whole course from both sides, with write over every text in it. It went the way of
// real records: files, gate, store, judgement.
func toldBoth(t *testing.T, write func(typ, path, was string) string) (*hub, string) {
	t.Helper()
	p := &place{t: t, dir: t.TempDir()}
	for _, dir := range []string{"in", "mail", "out"} {
		if err := os.Mkdir(p.path(dir), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(p.path("kaphub.yaml"), []byte(bothByFile), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := store.NewKey().Save(p.path("kaphub.key")); err != nil {
		t.Fatal(err)
	}
	for dir, lines := range wholeCourse(t, write) {
		for name, text := range map[string]string{"all.ndjson": strings.Join(lines, "\n") + "\n", "all.ndjson.done": ""} {
			if err := os.WriteFile(filepath.Join(p.path(dir), name), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	p.run("sync")
	s := p.run("sync")
	h, err := (&scene{cli: &cli{Config: p.path("kaphub.yaml")}, out: io.Discard, err: io.Discard, now: time.Now, log: slog.New(slog.DiscardHandler)}).open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(h.close)
	in, err := h.view(t.Context())
	if err != nil || len(in.Clients) != 1 {
		t.Fatalf("%d clients, %v\n%s%s", len(in.Clients), err, s.out, s.err)
	}
	return h, in.Clients[0].Client
}

// wholeCourse is everything that a practice and a prescriber have to say of a client, of every type, by directory.
func wholeCourse(t *testing.T, write func(typ, path, was string) string) map[string][]string {
	t.Helper()
	now := time.Now().UTC().Truncate(time.Second)
	c := fhirtest.Client(now)
	note := []any{map[string]any{"text": "a note"}}
	own := func(kind, rest string) fhir.Version {
		return c.Told(fhirtest.PracticeSource, fhir.Practice, fmt.Sprintf(`{"resourceType":%q,"id":"own-%s","meta":{"versionId":"1","lastUpdated":%q},"subject":{"reference":"Patient/%s"},%s}`,
			kind, strings.ToLower(kind), c.At.Format(time.RFC3339), c.Patient, rest))
	}
	all := c.InOrder()
	all = append(all, c.DaysBefore(40).Clearance(fhir.DecisionConditions, c.Day(-40), c.Day(50), fhirtest.Set("component", []any{fhirtest.Condition("an ECG")}), fhirtest.Set("note", note)))
	all = append(all, c.On(now.Add(-time.Hour)).BloodPressure(137, 86), c.HeartRate(71, fhirtest.Set("valueQuantity.value", 137.3)), c.Check(fhir.CodeNewInformation, true, fhirtest.Set("note", note)))
	all = append(all, c.DaysBefore(3).Goal(fhirtest.Set("note", note), fhirtest.Set("target", []any{map[string]any{
		"measure":        map[string]any{"coding": []any{map[string]any{"system": fhir.SystemLOINC, "code": fhir.LOINCSystolic}}},
		"detailQuantity": map[string]any{"value": 141, "system": fhir.SystemUCUM, "code": "mm[Hg]"},
	}})), c.CarePlan(fhirtest.Set("title", "a plan"), fhirtest.Set("description", "of the course")),
		c.AdverseEvent(fhir.CodeAskPrescriber, fhirtest.Set("event", map[string]any{"text": "what happened"})), c.Administration(now.AddDate(0, 0, -9), 1, fhirtest.Set("dosage.text", "half of it"), fhirtest.Set("note", note)),
		c.SessionDone(now.AddDate(0, 0, -9), fhirtest.Set("note", note)), c.Flag("active", fhirtest.Set("code.text", "a flag")),
		c.Task("on-hold", fhirtest.Set("statusReason", map[string]any{"text": "why"}), fhirtest.Set("description", "what"), fhirtest.Set("note", note)),
		c.Prescription(fhirtest.Set("note", note), fhirtest.Set("dosageInstruction.0.text", "one at each session"), fhirtest.Set("dosageInstruction.0.patientInstruction", "let it melt")),
		c.Fulfilment("address-confirmation-pending"), c.Diagnosis(fhir.Code{System: "http://snomed.info/sct", Code: "38341003"}, fhirtest.Set("code.text", "a diagnosis"), fhirtest.Set("note", note)),
		c.Takes(fhir.Code{System: fhir.SystemRxNorm, Code: "36437"}, fhirtest.Set("note", note)),
		c.Dosing(c.Session, fhirtest.Set("comment", "a comment"), fhirtest.Set("description", "a description")),
		c.Referral(fhirtest.Set("note", note), fhirtest.Set("reasonCode", []any{map[string]any{"text": "a reason"}})),
		own("Observation", `"status":"final","code":{"coding":[{"system":"http://loinc.org","code":"44261-6"}],"text":"PHQ-9"},"valueQuantity":{"value":137.3,"unit":"score"},"effectiveDateTime":"`+now.Format(time.RFC3339)+`","note":[{"text":"of a score"}]`),
		own("Encounter", `"status":"finished","class":{"system":"http://terminology.hl7.org/CodeSystem/v3-ActCode","code":"EMER","display":"emergency"},"type":[{"text":"a visit"}],"reasonCode":[{"text":"a reason"}],"period":{"start":"`+now.AddDate(0, 0, -1).Format(time.RFC3339)+`"}`),
		own("DiagnosticReport", `"status":"final","code":{"text":"a report"},"conclusion":"what it found","issued":"`+now.Format(time.RFC3339)+`"`),
		own("DocumentReference", `"status":"current","type":{"text":"a letter"},"description":"what it says","content":[{"attachment":{"title":"a title","contentType":"application/pdf"}}]`),
	)
	newest, order := map[fhir.Key]fhir.Version{}, []fhir.Key{}
	for _, v := range all {
		if _, ok := newest[v.Key]; !ok {
			order = append(order, v.Key)
		}
		newest[v.Key] = v
	}
	out := map[string][]string{}
	for _, key := range order {
		var body map[string]any
		if err := json.Unmarshal(newest[key].Resource.Body, &body); err != nil {
			t.Fatal(err)
		}
		if key.Type == "Patient" { // the hub's own key is another one here
			body["identifier"] = slices.DeleteFunc(body["identifier"].([]any), func(x any) bool { return x.(map[string]any)["system"] == fhir.SystemClient })
		}
		text, err := json.Marshal(overwritten(key.Type, "", body, write))
		if err != nil {
			t.Fatal(err)
		}
		dir := map[string]string{fhirtest.PracticeSource: "in", fhirtest.PrescriberSource: "mail"}[key.Source]
		out[dir] = append(out[dir], string(text))
	}
	return out
}

// prose are the elements that hold what people write.
var prose = []string{"text", "display", "description", "comment", "conclusion", "title", "patientInstruction", "valueString", "family", "given", "line", "city", "unit"}

// overwritten writes over every text in an element.
func overwritten(typ, path string, x any, write func(typ, path, was string) string) any {
	switch x := x.(type) {
	case map[string]any:
		for key, value := range x {
			below := path + "." + key
			if said, ok := value.(string); ok && slices.Contains(prose, key) {
				x[key] = write(typ, below, said)
			} else if list, ok := value.([]any); ok && slices.Contains(prose, key) {
				for i := range list {
					if said, ok := list[i].(string); ok {
						list[i] = write(typ, below, said)
					}
				}
			} else {
				x[key] = overwritten(typ, below, value, write)
			}
		}
	case []any:
		for i := range x {
			x[i] = overwritten(typ, path, x[i], write)
		}
	}
	return x
}

var hrefs = regexp.MustCompile(`(?:href|action)="(/[^"]*)"`)

// pages are all pages that somebody is led to, from Today and from a client's.
func pages(t *testing.T, base string, from ...string) map[string]string {
	t.Helper()
	seen, todo := map[string]string{}, append([]string{"/"}, from...)
	browser := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	for len(todo) > 0 && len(seen) < 250 {
		path, _, _ := strings.Cut(html.UnescapeString(todo[0]), "#")
		todo = todo[1:]
		if _, ok := seen[path]; ok || strings.HasPrefix(path, "/static/") {
			continue
		}
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, base+path, nil)
		if err != nil {
			t.Errorf("%q is no address: %v", path, err)
			continue
		}
		res, err := browser.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(res.Body)
		if err = errors.Join(err, res.Body.Close()); err != nil {
			t.Fatal(err)
		}
		if res.StatusCode >= http.StatusInternalServerError {
			t.Errorf("%s is answered %d", path, res.StatusCode)
		}
		seen[path] = string(body)
		if kind := res.Header.Get("Content-Type"); !strings.HasPrefix(kind, "text/html") && res.StatusCode == http.StatusOK && res.Header.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s is %s, and a browser may take it for something else", path, kind)
		}
		for _, m := range hrefs.FindAllStringSubmatch(string(body), -1) {
			todo = append(todo, m[1])
		}
	}
	return seen
}

// An admin acts on what is open and reads no dose, direction, reading, score or story, on whatever page: all that anybody
// wrote is marked, in records of every type, and no mark reaches them. Others read it, or nothing would be tested.
func TestNoMarkedWordReachesAnAdmin(t *testing.T) {
	t.Parallel()
	const mark = "Zqmark"
	h, client := toldBoth(t, func(typ, path, was string) string {
		if typ == "Patient" || strings.HasPrefix(path, ".participant") || strings.Contains(path, "performer") || strings.Contains(path, "requester") || path == ".code.coding.display" {
			return was // who the client and their therapists are, an admin sees
		}
		return mark + " " + strings.ReplaceAll(typ+path, ".", "-") + " 3.7719 mg"
	})
	one := "/clients/" + client
	from := []string{one, one + "?page=2", one + "/changes", one + "/disclosures", one + "/desk", "/findings", "/report", "/desk", "/exchange", "/clients"}
	theirs := pages(t, h.shownTo(t, people.Owner), append(from, one+"/card")...)
	for _, typ := range []string{"Task", "Appointment", "Observation", "MedicationRequest", "MedicationAdministration", "Procedure", "Encounter", "Flag", "CarePlan", "Goal", "Condition", "AdverseEvent", "DiagnosticReport", "DocumentReference", "ServiceRequest"} {
		there := false
		for _, body := range theirs {
			there = there || strings.Contains(body, mark+" "+typ)
		}
		if !there {
			t.Errorf("no mark of %s is told to an owner, so it is not tested", typ)
		}
	}
	for _, roles := range [][]people.Role{{people.Admin}, {people.Operator}} {
		all := pages(t, h.shownTo(t, roles...), from...)
		for path, body := range all {
			for _, told := range []string{mark, "3.7719", "137.3"} {
				if at := strings.Index(body, told); at >= 0 {
					t.Errorf("%s as %s tells %q", path, roles, strings.Join(strings.Fields(body[max(0, at-200):min(len(body), at+120)]), " "))
					break
				}
			}
		}
		if roles[0] == people.Admin && (len(all) < 8 || !strings.Contains(all[one], `data-test-id="gate"`)) {
			t.Errorf("only %d pages were looked at", len(all))
		}
	}
}

// hostile are what somebody could write into any text.
var hostileWords = []string{
	`<script>window.hostile=1</script>`, `"><img src=x onerror=window.hostile=1>`, `' onmouseover='window.hostile=1`, `javascript:window.hostile=1`, `</title></style></textarea><svg onload=window.hostile=1>`,
	"\u202egnp.exe\u202c \u2066x\u2069", "a\u0007b\u001b[2Jc\u0085d", `{{.Who}} ${7*7} &lt;b&gt;`, strings.Repeat("x", 2000), "\u200f\u061cأمل", "𝒵͑͑͑͑͑͑͑͑͑͑algo",
}

// What others write is text on every page: it executes nothing, breaks out of no attribute, turns nothing around.
func TestHostileTextIsTextOnEveryPage(t *testing.T) {
	t.Parallel()
	n := 0
	h, client := toldBoth(t, func(typ, path, was string) string {
		if path == ".valueString" || strings.HasSuffix(path, ".unit") {
			return was
		}
		n++
		return hostileWords[n%len(hostileWords)]
	})
	one := "/clients/" + client
	from := []string{one, one + "?page=2", one + "/changes", one + "/disclosures", one + "/looks", one + "/card", one + "/desk", "/findings", "/report", "/desk", "/exchange", "/clients"}
	held := 0
	for path, body := range pages(t, h.shownTo(t, people.Owner), from...) {
		held += strings.Count(body, "window.hostile")
		if !strings.HasPrefix(body, "<!doctype html>") { // a table, or a file for programs: no browser reads it as a page
			continue
		}
		for _, raw := range []string{"<script>window", "<img src=x", "<svg onload", "' onmouseover='", "\u202e", "\u2066", "\u061c", "\u200f", "\u0007", "\u001b", "\u0085"} {
			if at := strings.Index(body, raw); at >= 0 {
				t.Errorf("%s holds %q: %q", path, raw, body[max(0, at-80):min(len(body), at+60)])
			}
		}
		if m := regexp.MustCompile(`(?i)(href|src|action|formaction)="\s*javascript:`).FindString(body); m != "" {
			t.Errorf("%s leads to a script: %s", path, m)
		}
	}
	if held < 20 {
		t.Errorf("hostile text stands on the pages %d times only, so little is tested", held)
	}
}

// The same in a browser: nothing runs, nothing stands beside the screen.
func TestHostileTextMovesNothingInABrowser(t *testing.T) {
	browsing(t)
	n := 0
	h, client := toldBoth(t, func(typ, path, was string) string {
		if path == ".valueString" || strings.HasSuffix(path, ".unit") {
			return was
		}
		n++
		return hostileWords[n%len(hostileWords)]
	})
	w := newWalker(t, h.shownTo(t, people.Owner), false)
	for _, width := range []int64{390, 820} {
		w.in("light", width)
		for _, path := range []string{"", "/card", "/changes", "/disclosures"} {
			if status := w.open("/clients/" + client + path); status != http.StatusOK {
				t.Errorf("%s is answered %d", path, status)
			}
			wide := inPage[bool](w, `document.documentElement.scrollWidth > window.innerWidth + 1`)
			ran := inPage[bool](w, `window.hostile === 1`)
			if wide || ran {
				t.Errorf("%q at %d: wider than the screen %v, something ran %v", path, width, wide, ran)
			}
		}
	}
}
