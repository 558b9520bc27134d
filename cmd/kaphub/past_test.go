package main

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/kaphub/kaphub/connectors/sandbox"
	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/exchange"
	"github.com/kaphub/kaphub/fhir/readiness"
	"github.com/kaphub/kaphub/fhir/store"
	"github.com/kaphub/kaphub/jobs"
	"github.com/kaphub/kaphub/jobs/report"
)

// month is a hub in a living world on a clock of the test's, and all that it ever answered.
type month struct {
	*place
	*hub
	clock    *hands
	random   *rand.Rand
	answered []toldThen
	shown    map[string]int // how many answers showed what
	replica  held           // what another process holds of the board
}

// toldThen is one answer: its moment in the audit log, the time that it says, and whom it explains.
type toldThen struct{ moment, at, client, file string }

func newMonth(t *testing.T) *month {
	t.Helper()
	m := &month{clock: &hands{}, random: rand.New(rand.NewPCG(7, 7)), shown: map[string]int{}} //nolint:gosec // a month that can be repeated
	m.clock.at.Store(time.Date(2026, 3, 2, 15, 0, 0, 0, time.UTC).UnixMilli())
	pace := sandbox.Living(9 * time.Hour)
	pace.Session, pace.Arrive = 4*24*time.Hour, 2*time.Hour
	world, err := sandbox.NewWorld(sandbox.WorldOptions{Now: m.clock.now, Seed: 5, Clients: 7, Pace: pace})
	must(t, err)
	practice, prescriber, err := world.Serve(t.Context())
	must(t, err)
	m.place = &place{t: t, dir: t.TempDir(), world: world}
	m.write(practice, prescriber)
	must(t, store.NewKey().Save(m.path("kaphub.key")))
	m.opens()
	t.Cleanup(func() { m.close() })
	return m
}

// opens opens the hub, anew if it is open.
func (m *month) opens() {
	m.t.Helper()
	if m.hub != nil {
		m.close()
	}
	s := &scene{cli: &cli{Config: m.path("kaphub.yaml")}, now: m.clock.now, log: slog.New(slog.DiscardHandler)}
	h, err := s.open(m.t.Context())
	must(m.t, err)
	m.hub = h
}

// types runs a command as a person does, on the clock of the month.
func (m *month) types(args ...string) string {
	m.t.Helper()
	var out, wrong bytes.Buffer
	if code := runAt(m.t.Context(), m.clock.now, append([]string{"--config", m.path("kaphub.yaml")}, args...), nil, strings.NewReader(""), &out, &wrong); code != 0 {
		m.t.Fatalf("kaphub %s exits %d: %s", strings.Join(args, " "), code, wrong.String())
	}
	return out.String()
}

// says writes everything that status, explain and report say as of then, "" for now.
func (m *month) says(w io.Writer, asOf string) (at time.Time) {
	m.t.Helper()
	ctx := m.t.Context()
	must(m.t, m.look(ctx, "view report", asOf, "", func(in report.Input, _ string) error {
		at = in.AsOf
		r := report.Build(in)
		for _, write := range []func() error{
			func() error { return report.Status(w, in) },
			func() error { return report.Board(w, in, report.Options{}) },
			func() error { return r.JSON(w) },
			func() error { return r.Text(w, report.Options{}) },
			func() error { return r.CSV(w) },
			func() error { return r.HTML(w) },
		} {
			if err := write(); err != nil {
				return err
			}
		}
		return nil
	}))
	return at
}

// explains writes what explain says of a client as of then.
func (m *month) explains(w io.Writer, asOf, client string) (at time.Time) {
	m.t.Helper()
	must(m.t, m.look(m.t.Context(), "view client", asOf, client, func(in report.Input, client string) error {
		at = in.AsOf
		if err := report.ExplainJSON(w, in, client); err != nil {
			return err
		}
		return report.Explain(w, in, client, report.Options{})
	}))
	return at
}

// asks looks now and keeps the answer: by turns the board with the report, and a client's gates.
func (m *month) asks() {
	m.t.Helper()
	n := len(m.answered)
	a := toldThen{file: m.path(fmt.Sprintf("answer-%d", n))}
	var text bytes.Buffer
	var at time.Time
	if clients := m.world.Clients(); n%4 == 3 {
		a.client = clients[n/4%len(clients)].MRN
		at = m.explains(&text, "", a.client)
	} else {
		at = m.says(&text, "")
	}
	newest, err := m.store.Newest(m.t.Context())
	must(m.t, err)
	a.moment, a.at = fmt.Sprintf("@%d", newest), at.Format(time.RFC3339Nano)
	must(m.t, os.WriteFile(a.file, text.Bytes(), 0o600))
	m.answered = append(m.answered, a)
	m.holds(newest)
	for what, sign := range map[string]string{
		"a record that cannot be read": "Records that could not be read", "a delivery that waits for its next try": "tried again by itself from",
		"a delivery that was refused": "correct what they refuse", "a stale source": `"state": "stale"`, "an incomplete source": `"state": "incomplete"`,
		"records that moved since": "the records moved since", "settings that changed since": "the settings, code maps or rules changed",
		"a verdict past its time": "the verdict stood up to", "the practice's first name": "Reverie (sandbox)", "its second": "Reverie of Denver",
		"the prescriber's second name": "Skylight PLLC", "an event of nobody's": "match nobody", "what sweeps found": "missed by delta",
		"a stop of the desk": `"type": "Flag"`, "READY": `"state": "READY"`, "HOLD": `"state": "HOLD"`, "an open question who is who": "kaphub links",
		"a client's gates": "stands until", "whose a finding is": "Theodora",
	} {
		if strings.Contains(text.String(), sign) {
			m.shown[what]++
		}
	}
}

// tells compares what is said as of then with what was said then.
func (m *month) tells(a toldThen, asOf string) bool {
	m.t.Helper()
	var text bytes.Buffer
	if a.client != "" {
		m.explains(&text, asOf, a.client)
	} else {
		m.says(&text, asOf)
	}
	before, err := os.ReadFile(a.file)
	must(m.t, err)
	if bytes.Equal(before, text.Bytes()) {
		return true
	}
	was, is := strings.Split(string(before), "\n"), strings.Split(text.String(), "\n")
	for i := range was {
		if i >= len(is) || was[i] != is[i] {
			m.t.Errorf("--as-of %s (%s): line %d was\n%s\nand is\n%s", asOf, a.moment, i+1, was[i], strings.Join(is[min(i, len(is)):min(i+1, len(is))], ""))
			break
		}
	}
	return false
}

// happens is what befalls the hub in a month, by turns of about six hours; the world's own lives go on beside it.
func (m *month) happens(turn int) {
	m.t.Helper()
	ctx, mrn := m.t.Context(), m.world.Clients()[1].MRN
	patient := m.world.Practice.Find("Patient", fhir.ID{System: sandbox.SystemMRN, Value: mrn})[0]
	switch turn {
	case 6: // a record that nobody can read, which becomes readable
		plant(m.t, m.world.Practice, `{"resourceType":"Consent","id":"torn","status":["active"],"patient":{"reference":"`+patient.String()+`"}}`)
	case 14:
		m.world.Practice.Delete(fhir.Ref{Type: "Consent", ID: "torn"})
	case 10, 70: // another setting of the rules, and back
		m.change("prescribers:\n", "rules: {booked_urgent: 48h, clearance_warn: 21d}\nprescribers:\n")
		if turn == 70 {
			m.change("rules: {booked_urgent: 48h, clearance_warn: 21d}\nrules: {booked_urgent: 48h, clearance_warn: 21d}\n", "")
		}
		m.opens()
	case 20: // nothing goes to the prescriber for days, and the practice refers somebody new
		m.world.Prescriber.Fault(sandbox.Fault{Do: sandbox.Answer, Method: http.MethodPost, Status: http.StatusServiceUnavailable, RetryAfter: 5 * time.Hour, Times: -1})
		referred(m.t, m.world.Practice, "autumn", "Example", "1988-08-08", "MRN-autumn")
	case 28:
		m.world.Prescriber.Mend()
	case 33: // the practice takes another name
		m.change("title: Reverie (sandbox)", "title: Reverie of Denver")
		m.opens()
	case 40: // the prescriber is away for days
		m.world.Prescriber.Fault(sandbox.Fault{Do: sandbox.Answer, Status: http.StatusBadGateway, Times: -1})
	case 46:
		m.world.Prescriber.Mend()
	case 50: // what a person enters, and ends
		m.types("record", "stop", mrn, "--said", "prescriber", "--from", "Dr. Vale", "--medium", "phone", "--why", "chest pain", "--by", "Tara")
	case 56:
		m.types("record", "lift", mrn, "--said", "prescriber", "--from", "Dr. Vale", "--medium", "phone", "--by", "Tara")
	case 22, 58: // what people do about findings, and take back
		in, err := m.view(ctx)
		must(m.t, err)
		for _, v := range in.Clients {
			for _, f := range v.Findings {
				if f.State != readiness.Resolved {
					must(m.t, m.store.Handle(ctx, "Kim", readiness.Handling{Finding: f.ID, Client: v.Client, Prescriber: v.Prescriber, Actor: "Kim", At: m.clock.now(),
						Kind: []readiness.HandlingKind{readiness.Assign, readiness.LetGo}[turn/58], Person: "Theodora"}))
				}
			}
		}
	case 60: // somebody refuses what is sent
		m.world.Prescriber.Fault(sandbox.Fault{Do: sandbox.Answer, Method: http.MethodPost, Status: http.StatusUnprocessableEntity, Times: 1})
		referred(m.t, m.world.Practice, "winter", "Testcase", "1977-07-07", "MRN-winter")
	case 64: // a prescriber's patient who may be a client's, and what a person says to that
		plant(m.t, m.world.Prescriber, `{"resourceType":"Patient","id":"early","identifier":[{"system":"https://skylight.example/chart","value":"SELF"}],
			"name":[{"use":"official","family":"Sample","given":["Testa"]}],"birthDate":"1966-06-06"}`)
		referred(m.t, m.world.Practice, "spring", "Sample", "1966-06-06", "MRN-spring")
	case 68:
		for _, p := range m.links() {
			if p.State == "open" {
				m.types("links", "refuse", p.ID, "--by", "Kim", "--reason", "her sister")
			}
		}
	case 76: // the prescriber takes another name, and a sheet of another day
		m.change("title: Skylight\n", "title: Skylight PLLC\n")
		m.change("signed: 2026-01-10", "signed: 2026-03-20")
		m.opens()
	case 3, 80: // a calendar tells of an event of nobody's
		m.strays(turn, m.clock.now().Add(30*time.Hour))
	case 92: // a record that a sweep finds, and no pull had
		_, err := m.world.Practice.PutAt([]byte(`{"resourceType":"Flag","id":"late","status":"inactive","code":{"text":"x"},"subject":{"reference":"`+patient.String()+`"}}`), m.clock.now().AddDate(-3, 0, 0))
		must(m.t, err)
		_, err = m.sweepAll(ctx)
		must(m.t, err)
	case 100: // a reject that a person settles
		plant(m.t, m.world.Practice, `{"resourceType":"Consent","id":"torn-again","status":["active"],"patient":{"reference":"`+patient.String()+`"}}`)
	case 104:
		open, err := m.store.Rejects(ctx, false)
		must(m.t, err)
		for _, r := range open {
			must(m.t, m.store.Resolve(ctx, "Ada", r.ID, "looked at on paper"))
		}
	}
}

// hears has one more record of a client's read, and nobody judged for it.
func (m *month) hears(turn int) {
	m.t.Helper()
	mrn := m.world.Clients()[turn%len(m.world.Clients())].MRN
	patient := m.world.Practice.Find("Patient", fhir.ID{System: sandbox.SystemMRN, Value: mrn})[0]
	for _, status := range []string{"active", "inactive"} {
		m.clock.forward(time.Second)
		plant(m.t, m.world.Practice, `{"resourceType":"Flag","id":"heard-`+mrn+`","status":"`+status+`","code":{"text":"moved house"},"subject":{"reference":"`+patient.String()+`"}}`)
		m.pullAll(m.t.Context(), &done{by: map[string]jobs.Counts{}, failed: map[string]error{}}, bars{})
		if status == "active" {
			m.asks()
		}
	}
}

// strays has a calendar tell of one event of nobody's, in place of what it told before.
func (m *month) strays(turn int, at time.Time) {
	m.t.Helper()
	ctx, src := m.t.Context(), exchange.Source{Name: "calendar", Party: fhir.Practice}
	lease, err := m.store.Lease(ctx, src.Name, "test", time.Minute)
	must(m.t, err)
	since, err := m.store.Cursor(ctx, src.Name)
	must(m.t, err)
	_, err = m.store.Receive(ctx, src, lease, since, exchange.Page{Next: exchange.Cursor(fmt.Sprint(turn)), Complete: true, Strays: &[]exchange.Stray{{Token: fhir.ID{System: fhir.SystemToken, Value: fmt.Sprint("K-", turn)}, Start: at, End: at.Add(time.Hour)}}})
	must(m.t, err)
	must(m.t, m.store.Release(ctx, lease))
}

// Every answer of a month is given once more when the month is over, and is the same byte for byte: whatever came, was
// settled, sent, refused, renamed or set otherwise meanwhile.
func TestAMonthIsToldAgainByteForByte(t *testing.T) {
	t.Parallel()
	m := newMonth(t)
	ctx := t.Context()
	const turns = 115
	step := 0
	asks := func() {
		if step++; !testing.Short() || step%5 == 0 {
			m.asks()
		}
	}
	for turn := range turns {
		m.clock.forward(time.Duration(60+m.random.IntN(300)) * time.Minute)
		must(t, m.world.Tick())
		m.happens(turn)
		asks() // time has passed, and nothing was read yet
		m.pullAll(ctx, &done{by: map[string]jobs.Counts{}, failed: map[string]error{}}, bars{})
		asks() // read, and not judged yet
		if turn%5 == 4 {
			m.hears(turn)
			asks() // and something more was read
		}
		_, err := m.cycle(ctx, bars{})
		must(t, err)
		asks()
		m.clock.forward(time.Duration(1+m.random.IntN(170)) * time.Minute)
		asks()
	}
	if len(m.answered) < 500 && !testing.Short() {
		t.Errorf("%d moments were recorded, want 500", len(m.answered))
	}
	m.clock.forward(40 * 24 * time.Hour)
	same := 0
	for i, a := range m.answered {
		if asOf := []string{a.at, a.moment}[i%2]; m.tells(a, asOf) {
			same++
		}
		if t.Failed() && i > 20 {
			break
		}
	}
	t.Logf("%d of %d answers of %s are the same, byte for byte; they showed %v", same, len(m.answered), m.answered[0].at[:7], m.shown)
	for _, n := range []string{"a record that cannot be read", "a delivery that waits for its next try", "a delivery that was refused", "a stale source", "an incomplete source",
		"records that moved since", "settings that changed since", "a verdict past its time", "the practice's first name", "its second", "the prescriber's second name",
		"an event of nobody's", "what sweeps found", "a stop of the desk", "READY", "HOLD", "an open question who is who", "a client's gates", "whose a finding is"} {
		if m.shown[n] == 0 && !testing.Short() {
			t.Errorf("the month was too quiet: no answer showed %s", n)
		}
	}
	for _, a := range []toldThen{m.answered[2], m.answered[len(m.answered)/2], m.answered[len(m.answered)-1]} { // and as one types it
		if a.client == "" {
			before, err := os.ReadFile(a.file)
			must(t, err)
			if out := m.types("status", "--json", "--as-of", a.moment); !strings.HasPrefix(string(before), out) {
				t.Errorf("kaphub status --as-of %s says otherwise", a.moment)
			}
		}
	}
	verified, err := m.store.VerifyAudit(ctx, nil)
	if err != nil || len(verified.Broken)+len(verified.Altered) > 0 {
		t.Errorf("the audit does not hold: %v %v", verified, err)
	}
}
