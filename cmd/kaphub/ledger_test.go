package main

import (
	"encoding/json"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kaphub/kaphub/connectors/sandbox"
	"github.com/kaphub/kaphub/fhir/exchange"
	"github.com/kaphub/kaphub/jobs/report"
)

// sent reads the deliveries of a client.
func (p *place) sent(client string) []report.Dispatch {
	p.t.Helper()
	var list struct{ Deliveries []report.Dispatch }
	if err := json.Unmarshal([]byte(p.must(0, "deliveries", "list", "--json", "--client", client).out), &list); err != nil {
		p.t.Fatal(err)
	}
	return list.Deliveries
}

// posted counts what was written to a server.
func posted(s *sandbox.Server) (n int) {
	for _, call := range s.Calls() {
		if call.Method == http.MethodPost || call.Method == http.MethodPut {
			n++
		}
	}
	return n
}

// withdrawn is the release of a referred client, withdrawn.
func withdrawn(t *testing.T, s *sandbox.Server, id string) {
	t.Helper()
	const npi = `{"identifier":{"system":"http://hl7.org/fhir/sid/us-npi","value":"` + sandbox.NPI + `"}}`
	plant(t, s, `{"resourceType":"Consent","id":"`+id+`-release","status":"inactive","scope":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/consentscope","code":"patient-privacy"}]},
		  "category":[{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/v3-ActCode","code":"IDSCL"}]}],"patient":{"reference":"Patient/`+id+`"},"dateTime":"2026-01-01T10:00:00Z",
		  "policyRule":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/v3-ActCode","code":"OPTIN"}]},
		  "provision":{"type":"permit","actor":[{"role":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/v3-ParticipationType","code":"IRCP"}]},"reference":`+npi+`}]}}`)
}

// A reply is lost, and before the hub can ask the client withdraws the release: what arrived is told as it was, it is in
// the accounting, and nothing more is sent.
func TestALostReplyThenAWithdrawnRelease(t *testing.T) {
	t.Parallel()
	p := settle(t)
	p.must(0, "sync")
	p.must(0, "sync")
	referred(t, p.world.Practice, "ada", "Invented", "1990-01-01", "MRN-ADA")
	p.world.Prescriber.Fault(sandbox.Fault{Do: sandbox.DropAfter, Method: http.MethodPost, Type: "Patient"})
	p.must(exitUnwell, "sync")
	list := p.sent("MRN-ADA")
	if len(list) != 1 || list[0].State != "attempted" || list[0].Story != "sent, reply lost" {
		t.Fatalf("after the lost reply: %+v", list)
	}
	if n := len(whole(p.world.Prescriber, "Patient", "MRN-ADA")); n != 1 {
		t.Fatalf("%d records of hers at the prescriber", n)
	}

	withdrawn(t, p.world.Practice, "ada")
	written := posted(p.world.Prescriber)
	for range 3 {
		p.must(0, "sync")
	}
	list = p.sent("MRN-ADA")
	if len(list) != 1 || list[0].State != "delivered" || !regexp.MustCompile(`^sent, reply lost, found there on \w{3} \d+ \w{3} \d\d:\d\d$`).MatchString(list[0].Story) {
		t.Errorf("after the release was withdrawn: %+v", list)
	}
	if n := posted(p.world.Prescriber) - written; n != 0 {
		t.Errorf("%d more writes to the prescriber", n)
	}
	shown := strings.Join(strings.Fields(p.must(0, "deliveries", "show", list[0].ID[:12]).out), " ")
	for _, word := range []string{"sent, reply lost, found there on", "no answer: it may have arrived", "found there as Patient/", "ada-release version 1", "active", "had been read up to", "Patient.name.family"} {
		if !strings.Contains(shown, word) {
			t.Errorf("want %q in\n%s", word, shown)
		}
	}
	if strings.Contains(shown, "Invented") {
		t.Errorf("the list of elements says what they hold:\n%s", shown)
	}
	lines := p.accounting("MRN-ADA").Lines
	if len(lines) != 1 || lines[0].Certainty != exchange.Received || lines[0].Identifier != "NPI "+sandbox.NPI ||
		!strings.HasPrefix(lines[0].Words, "Sent; the answer was lost. Found at theirs on ") || !strings.Contains(lines[0].What, "date of birth") {
		t.Errorf("the accounting: %+v", lines)
	}
}

// accounting reads the accounting of a client.
func (p *place) accounting(client string, more ...string) report.Accounting {
	p.t.Helper()
	var a report.Accounting
	if err := json.Unmarshal([]byte(p.must(0, append([]string{"disclosures", client, "--format", "json"}, more...)...).out), &a); err != nil {
		p.t.Fatal(err)
	}
	return a
}

// A server that can neither be asked nor takes conditional creates leaves a lost reply for a person. Trying again by hand
// doubles nothing; a person's word lets the referral go on; and the client reads of it what is true.
func TestAPersonSettlesWhatCannotBeFoundOut(t *testing.T) {
	t.Parallel()
	p := settle(t)
	p.must(0, "sync")
	p.must(0, "sync")
	p.world.Prescriber.Speak(sandbox.Dialect{NoIdentifierSearch: true, NoConditionalCreate: true})
	referred(t, p.world.Practice, "ada", "Invented", "1990-01-01", "MRN-ADA")
	p.world.Prescriber.Fault(sandbox.Fault{Do: sandbox.DropAfter, Method: http.MethodPost, Type: "Patient"})
	p.must(exitUnwell, "sync")
	for _, again := range []bool{false, true} {
		if again {
			if out := p.must(0, "deliveries", "retry", "--all", "--party", "skylight").out; !strings.Contains(out, "Due now: 1.") || !strings.Contains(out, "asked about before anything is sent: 1") {
				t.Error(out)
			}
		}
		p.run("sync") // 3: whether it arrived cannot be found out
		if list := p.sent("MRN-ADA"); list[0].State != exchange.Unknown || !strings.Contains(list[0].Story, "whether it arrived cannot be found out") {
			t.Fatalf("%+v", list)
		}
	}
	there := whole(p.world.Prescriber, "Patient", "MRN-ADA")
	if len(there) != 1 {
		t.Fatalf("%d records of hers at the prescriber", len(there))
	}
	id := p.sent("MRN-ADA")[0].ID
	if out := p.must(0, "explain", "MRN-ADA").out; !strings.Contains(out, "R46") || !strings.Contains(strings.Join(strings.Fields(out), " "), "deliveries settle") {
		t.Errorf("nobody is told to settle it:\n%s", out)
	}
	var morning struct {
		DoNow []struct{ Code string } `json:"do_now"`
	}
	if err := json.Unmarshal([]byte(p.must(0, "report", "--format", "json").out), &morning); err != nil || !slices.ContainsFunc(morning.DoNow, func(f struct{ Code string }) bool { return f.Code == "R46" }) {
		t.Errorf("the report does not say that it is to be settled now: %+v %v", morning.DoNow, err)
	}
	if lines := p.accounting("MRN-ADA").Lines; len(lines) != 1 || lines[0].Certainty != exchange.MayHave {
		t.Errorf("the accounting: %+v", lines)
	}
	p.must(1, "deliveries", "settle", id, "--arrived", "--by", "Robin Example", "--ref", "Task/1").oneSentence(t, "must be the Patient")
	p.must(1, "deliveries", "settle", id, "--arrived", "--not-arrived", "--by", "Robin Example")
	p.must(1, "deliveries", "handed-over", id, "--by", "Robin Example").oneSentence(t, "only a packet that is laid out")
	var standing struct{ ID string }
	if err := json.Unmarshal([]byte(there[0]), &standing); err != nil {
		t.Fatal(err)
	}
	p.must(0, "deliveries", "settle", id, "--arrived", "--by", "Robin Example", "--told-by", "the front desk", "--ref", "Patient/"+standing.ID)
	p.run("sync")
	for _, typ := range []string{"Consent", "ServiceRequest", "Task"} {
		if n := len(whole(p.world.Prescriber, typ, "Patient/"+standing.ID)); n != 1 {
			t.Errorf("%d %s of hers at the prescriber", n, typ)
		}
	}
	lines := p.accounting("MRN-ADA").Lines
	if len(lines) != 4 || lines[0].Certainty != exchange.Received || !strings.HasPrefix(lines[0].Words, "Received, as Robin Example found out on ") {
		t.Errorf("the accounting: %+v", lines)
	}
	if out := p.must(0, "explain", "MRN-ADA").out; strings.Contains(strings.Split(out, "Resolved this week")[0], "R46") {
		t.Errorf("it is settled, and still to be settled:\n%s", out)
	}
	p.must(0, "audit", "verify")
}

// What people told is in the accounting beside what was sent, and a correction stands in the place of what it corrects.
func TestACallIsInTheAccounting(t *testing.T) {
	t.Parallel()
	p := settle(t)
	referred(t, p.world.Practice, "ada", "Invented", "1990-01-01", "MRN-ADA")
	p.must(0, "sync")
	add := func(code int, more ...string) said {
		return p.must(code, append([]string{"disclosures", "add", "MRN-ADA", "--how", "phone", "--purpose", "your safety", "--by", "Robin Example"}, more...)...)
	}
	before := len(p.accounting("MRN-ADA").Lines)
	id := strings.TrimSuffix(strings.Fields(add(0, "--party", "skylight", "--to", "the nurse on call", "--what", "wrong words", "--on", "2026-03-02").out)[2], ".")
	add(0, "--to", "the nurse on call", "--party", "skylight", "--what", "that you felt unwell", "--on", "2026-03-02", "--instead-of", id)
	add(1, "--to", "x", "--what", "y", "--instead-of", id).oneSentence(t, "corrected already")
	add(1, "--to", "x", "--what", "y", "--instead-of", "t-0").oneSentence(t, "there is no entry t-0")
	add(1, "--what", "y").oneSentence(t, "say who received it")
	add(1, "--to", "x", "--what", " ").oneSentence(t, "must each say something")
	add(1, "--to", "x", "--what", "y", "--on", "2999-01-01").oneSentence(t, "in the future")
	add(1, "--party", "practice", "--what", "y").oneSentence(t, "no disclosure")
	add(1, "--party", "nobody", "--what", "y").oneSentence(t, "no party is called so")
	a := p.accounting("MRN-ADA")
	told := slices.DeleteFunc(a.Lines, func(d report.Disclosure) bool { return d.Copy != "" })
	if len(told) != 1 || told[0].What != "that you felt unwell" || told[0].Recipient != "Skylight, the nurse on call" || len(told)+before != len(p.accounting("MRN-ADA").Lines) {
		t.Errorf("%+v", told)
	}
	if lines := p.accounting("MRN-ADA", "--to", "2026-03-02").Lines; len(lines) != 1 {
		t.Errorf("up to that day: %+v", lines)
	}
	p.must(1, "disclosures", "MRN-ADA", "--from", "2026-03-03", "--to", "2026-03-02").oneSentence(t, "--to lies before --from")
	for _, format := range []string{"html", "csv", "text"} {
		if out := p.must(0, "disclosures", "MRN-ADA", "--format", format).out; !strings.Contains(out, "that you felt unwell") || strings.Contains(out, "wrong words") {
			t.Errorf("%s:\n%s", format, out)
		}
	}
	p.must(0, "audit", "verify")
}

// accounted fails unless the accountings say of every record of the hub's at the prescriber that it is there, or may be;
// and of none that it is there which is not. At rest none is doubtful.
func (o *outpost) accounted(rest bool) {
	o.t.Helper()
	board, err := o.store.Board(o.t.Context(), 0)
	if err != nil {
		o.t.Fatal(err)
	}
	listed := map[string]exchange.Certainty{}
	for _, st := range board {
		in, err := o.account(o.t.Context(), st.Client)
		if err != nil {
			o.t.Fatal(err)
		}
		in.To = o.clock.now().Add(time.Hour)
		for _, d := range report.NewAccounting(in).Lines {
			listed[d.Copy] = d.Certainty
		}
	}
	stands := map[string]bool{}
	for copy := range copies(o.world.Prescriber) {
		_, value, _ := strings.Cut(copy, " ")
		stands[value] = true
		if is := listed[value]; is != exchange.Received && (rest || is != exchange.MayHave) {
			o.t.Errorf("%s stands at the prescriber, and the accounting says %q of it", copy, is)
		}
	}
	for value, is := range listed {
		if is == exchange.Received && !stands[value] {
			o.t.Errorf("the accounting says that %s was received, and it stands nowhere", value)
		}
		if rest && is != exchange.Received {
			o.t.Errorf("at rest the accounting says %q of %s", is, value)
		}
	}
}
