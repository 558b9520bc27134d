package sandbox

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/kaphub/kaphub/fhir"
)

func newWorld(t *testing.T, c *clock, o WorldOptions) *World {
	t.Helper()
	o.Now = c.now
	w, err := NewWorld(o)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// whole checks everything a server holds: it passes the gate, and whatever it refers to is there.
func whole(t *testing.T, name string, s *Server) (refused int) {
	t.Helper()
	for _, body := range s.All() {
		r, err := fhir.Parse(body, "")
		if err != nil {
			refused++
			var refusal *fhir.Refusal
			if !errors.As(err, &refusal) || !strings.Contains(string(body), `"Status":"cancelled"`) {
				t.Errorf("%s: the gate refuses %s: %v", name, body, err)
			}
			continue
		}
		for _, ref := range fhir.References(r) {
			if _, ok := s.Get(ref); !ok {
				t.Errorf("%s: %s refers to %s, which is not there", name, r.Ref(), ref)
			}
		}
	}
	return refused
}

func TestEverythingInAWorldIsReadableAndLeadsSomewhere(t *testing.T) {
	c := newClock()
	w := newWorld(t, c, WorldOptions{Clients: 60, Pace: Living(time.Second)})
	check := func(when string) {
		t.Helper()
		if n := whole(t, when+", practice", w.Practice) + whole(t, when+", prescriber", w.Prescriber); n != 1 {
			t.Errorf("%s: %d records are refused, want the one garbled on purpose", when, n)
		}
	}
	check("at the start")
	for range 40 {
		c.advance(time.Hour)
		if err := w.Tick(); err != nil {
			t.Fatal(err)
		}
	}
	check("forty hours later")
}

func TestAWorldShowsAllFiveStates(t *testing.T) {
	w := newWorld(t, newClock(), WorldOptions{})
	wants, names := map[string]int{}, map[string]bool{}
	for _, s := range w.Clients() {
		wants[s.Wants]++
		if names[s.Name] || s.Why == "" {
			t.Errorf("%s: names are told once, and every situation says why", s.Name)
		}
		names[s.Name] = true
		if got := w.Practice.Find("Patient", fhir.ID{System: SystemMRN, Value: s.MRN}); len(got) != 1 {
			t.Errorf("%s stands %d times at the practice", s.MRN, len(got))
		}
	}
	for _, state := range []string{ready, inOrder, notReady, hold, unknown} {
		if wants[state] == 0 {
			t.Errorf("nobody wants %s", state)
		}
	}
	if few := newWorld(t, newClock(), WorldOptions{Clients: 5}).Clients(); len(few) != 5 || few[0].Wants != ready || few[4].Wants != unknown {
		t.Errorf("five clients: %v", few)
	}
	many := newWorld(t, newClock(), WorldOptions{Clients: 200}).Clients()
	all := map[string]bool{}
	for _, s := range many {
		all[s.Name] = true
	}
	if len(all) != 200 {
		t.Errorf("two hundred clients have %d names", len(all))
	}
}

func TestTheSameSeedGivesTheSameWorld(t *testing.T) {
	dump := func(seed uint64) []byte {
		w := newWorld(t, newClock(), WorldOptions{Seed: seed, Clients: 40})
		return bytes.Join(append(w.Practice.All(), w.Prescriber.All()...), []byte("\n"))
	}
	if !bytes.Equal(dump(7), dump(7)) {
		t.Error("one seed gave two worlds")
	}
	if bytes.Equal(dump(7), dump(8)) {
		t.Error("two seeds gave one world")
	}
}

func TestThePastIsRecordedInItsOwnTime(t *testing.T) {
	c := newClock()
	w := newWorld(t, c, WorldOptions{})
	for _, s := range []*Server{w.Practice, w.Prescriber} {
		for _, body := range s.All() {
			var r struct {
				ID   string `json:"id"`
				Meta struct {
					LastUpdated time.Time `json:"lastUpdated"`
				} `json:"meta"`
			}
			if err := json.Unmarshal(body, &r); err != nil {
				t.Fatal(err)
			}
			if r.Meta.LastUpdated.After(c.now()) {
				t.Errorf("%s is of the future", r.ID)
			}
		}
	}
	begun := w.Prescriber.Find("Organization", npi)
	if body, _ := w.Prescriber.Get(begun[0]); !strings.Contains(string(body), `"lastUpdated":"2025-01-26T`) {
		t.Errorf("the directory is older than the clients: %s", body)
	}
}

// carry does by hand what the hub does: it sends a client's referral over.
func carry(t *testing.T, a asker, mrn string) string {
	t.Helper()
	patient := a.do("POST", "Patient", `{"resourceType":"Patient","identifier":[{"system":"`+SystemMRN+`","value":"`+mrn+`"}]}`)
	request := a.do("POST", "ServiceRequest", `{"resourceType":"ServiceRequest","status":"active","intent":"order","subject":{"reference":"Patient/`+patient.text("id")+`"}}`)
	task := a.do("POST", "Task", `{"resourceType":"Task","identifier":[{"system":"urn:plac","value":"1"}],"status":"requested","intent":"order",
		"code":{"coding":[{"system":"http://hl7.org/fhir/CodeSystem/task-code","code":"fulfill"}]},
		"focus":{"reference":"ServiceRequest/`+request.text("id")+`"},"for":{"reference":"Patient/`+patient.text("id")+`"}}`)
	if task.status != 201 {
		t.Fatalf("task: %d %s", task.status, task.body)
	}
	return "Task/" + task.text("id")
}

// newcomer returns the client who was referred this morning.
func newcomer(t *testing.T, w *World) *client {
	t.Helper()
	for _, c := range w.clients {
		if c.task.IsZero() {
			return c
		}
	}
	t.Fatal("nobody is new")
	return nil
}

func TestAReferralGoesItsWay(t *testing.T) {
	clk := newClock()
	w := newWorld(t, clk, WorldOptions{Pace: Living(time.Minute)})
	there, here := serve(t, w.Prescriber), serve(t, w.Practice)
	c := newcomer(t, w)
	path := carry(t, there, c.mrn)
	for i, step := range []struct{ status, business, at string }{
		{"requested", "", ""}, // the inbox is read
		{"received", "2.0", ""},
		{"accepted", "3.0", ""},
		{"accepted", "intake-sent", ""},
		{"in-progress", "5.1.1", ""},
		{"in-progress", "5.1.4", ""},
		{"completed", "cleared", ""},
	} {
		if err := w.Tick(); err != nil {
			t.Fatal(err)
		}
		got := there.get(path)
		if got.text("status") != step.status || got.text("businessStatus", "coding", "code") != step.business {
			t.Errorf("minute %d: %s %s, want %s %s", i, got.text("status"), got.text("businessStatus", "coding", "code"), step.status, step.business)
		}
		clk.advance(time.Minute)
	}
	final := there.get(path)
	if ids := final.body; !strings.Contains(ids, `"FILL"`) || !strings.Contains(ids, `"urn:plac"`) {
		t.Errorf("the Task keeps what was sent and gets the prescriber's number: %s", ids)
	}
	patient := c.there.ID
	if got := there.get("Observation?code=" + fhir.SystemKAP + "|" + fhir.CodeClearance + "&patient=" + patient); got.text("total") != "1" ||
		got.text("entry", "resource", "valueCodeableConcept", "coding", "code") != fhir.DecisionCleared {
		t.Errorf("clearance: %s", got.body)
	}
	for _, state := range []string{"", fhir.FulfilmentSent, fhir.FulfilmentAddress, fhir.FulfilmentCompound, fhir.FulfilmentShipped, fhir.FulfilmentDelivered} {
		if err := w.Tick(); err != nil {
			t.Fatal(err)
		}
		got := there.get("Task?code=" + fhir.SystemKAP + "|fulfilment&patient=" + patient)
		if code := got.text("entry", "resource", "businessStatus", "coding", "code"); code != state {
			t.Errorf("parcel: %q, want %q", code, state)
		}
		clk.advance(time.Minute)
	}
	if got := there.get("MedicationDispense?patient=" + patient); got.text("entry", "resource", "status") != "completed" || got.text("entry", "resource", "whenHandedOver") == "" {
		t.Errorf("dispense: %s", got.body)
	}
	for range 5 {
		if err := w.Tick(); err != nil {
			t.Fatal(err)
		}
		clk.advance(time.Minute)
	}
	home := c.here.ID
	for query, want := range map[string]string{
		"Appointment?service-type=" + fhir.SystemSession + "|dosing&status=booked&patient=" + home:           "1",
		"Appointment?service-type=" + fhir.SystemSession + "|preparation&status=fulfilled&patient=" + home:   "1",
		"Observation?code=" + fhir.SystemKAP + "|" + fhir.CodeAcknowledged + "&patient=" + home:              "1",
		"Observation?code=" + fhir.SystemLOINC + "|" + fhir.LOINCBloodPressure + "&patient=" + home:          "1",
		"Observation?focus=" + c.dosing.String() + "&code=" + fhir.SystemKAP + "|" + fhir.CodeNewInformation: "1",
	} {
		if got := here.get(query); got.text("total") != want {
			t.Errorf("%s: %s, want %s", query, got.text("total"), want)
		}
	}
	clk.advance(6 * time.Hour)
	if err := w.Tick(); err != nil {
		t.Fatal(err)
	}
	for _, query := range []string{
		"Observation?code=" + fhir.SystemKAP + "|" + fhir.CodeGoAhead + "&patient=" + home, "Procedure?patient=" + home, "MedicationAdministration?patient=" + home,
	} {
		if got := here.get(query); got.text("total") != "1" {
			t.Errorf("after the session, %s: %s", query, got.text("total"))
		}
	}
}

func TestAReferralSentTwiceIsWorkedOnce(t *testing.T) {
	clk := newClock()
	w := newWorld(t, clk, WorldOptions{Pace: Living(time.Minute)})
	there := serve(t, w.Prescriber)
	c := newcomer(t, w)
	first, second := carry(t, there, c.mrn), carry(t, there, c.mrn)
	for range 20 {
		if err := w.Tick(); err != nil {
			t.Fatal(err)
		}
		clk.advance(time.Minute)
	}
	if a, b := there.get(first).text("status"), there.get(second).text("status"); a != "completed" || b != "requested" {
		t.Errorf("the first is %s, the second %s", a, b)
	}
}

func TestAHoldIsLiftedByANewerRecord(t *testing.T) {
	clk := newClock()
	w := newWorld(t, clk, WorldOptions{Pace: Living(time.Minute)})
	there := serve(t, w.Prescriber)
	held := w.clients[3]
	flag, rx := held.stop.String(), held.rx.String()
	if there.get(flag).text("status") != "active" || there.get(rx).text("status") != "on-hold" {
		t.Fatal("nobody is held")
	}
	clk.advance(7 * time.Minute)
	if err := w.Tick(); err != nil {
		t.Fatal(err)
	}
	if got := there.get(flag); got.text("status") != "inactive" || got.text("meta", "lastUpdated") < "2026-03-02T16:07" || there.get(rx).text("status") != "active" {
		t.Errorf("not lifted as of now: %s", got.body)
	}
}

func TestAWorldServesOnLoopbackUntilItIsTold(t *testing.T) {
	w := newWorld(t, newClock(), WorldOptions{})
	ctx, stop := contextOf(t)
	practice, prescriber, err := w.Serve(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for _, base := range []string{practice, prescriber} {
		if got := (asker{t, base}).get("metadata"); got.text("fhirVersion") != "4.0.1" {
			t.Errorf("%s: %d", base, got.status)
		}
	}
	if practice == prescriber {
		t.Error("both at one address")
	}
	stop()
	if err := w.Run(ctx, time.Hour); err != nil {
		t.Errorf("run ends quietly when told: %v", err)
	}
}

// TestDump writes the world for the independent validators when asked: SANDBOX_DUMP=dir go test -run TestDump.
func TestDump(t *testing.T) {
	dir := os.Getenv("SANDBOX_DUMP")
	if dir == "" {
		t.Skip("SANDBOX_DUMP names no directory")
	}
	c := newClock()
	w := newWorld(t, c, WorldOptions{Clients: 60, Pace: Living(time.Second)})
	for range 30 {
		c.advance(time.Hour)
		if err := w.Tick(); err != nil {
			t.Fatal(err)
		}
	}
	for name, s := range map[string]*Server{"practice": w.Practice, "prescriber": w.Prescriber} {
		all := append(s.All(), s.metadata().body)
		if err := os.WriteFile(filepath.Join(dir, name+".ndjson"), bytes.Join(all, []byte("\n")), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func TestADeclinedReferralIsRejectedWithAReason(t *testing.T) {
	clk := newClock()
	w := newWorld(t, clk, WorldOptions{Pace: Living(time.Minute)})
	there := serve(t, w.Prescriber)
	c := newcomer(t, w)
	c.declined = true
	path := carry(t, there, c.mrn)
	for range 3 {
		if err := w.Tick(); err != nil {
			t.Fatal(err)
		}
		clk.advance(time.Minute)
	}
	if got := there.get(path); got.text("status") != "rejected" || got.text("statusReason", "text") == "" {
		t.Errorf("got %s", got.body)
	}
}

func BenchmarkNewWorld(b *testing.B) {
	c := newClock()
	for b.Loop() {
		if _, err := NewWorld(WorldOptions{Now: c.now, Clients: 200}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkTick(b *testing.B) {
	c := newClock()
	w, err := NewWorld(WorldOptions{Now: c.now, Clients: 1000, Pace: Living(time.Second)})
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if err := w.Tick(); err != nil {
			b.Fatal(err)
		}
	}
}
