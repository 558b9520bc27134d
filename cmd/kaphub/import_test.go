package main

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/kaphub/kaphub/cmd/internal/people"
)

// reverie is a practice that goes live: a calendar in a file, a CSV roster, and Skylight reached by hand.
type reverie struct {
	*place
	today time.Time
}

func goLive(t *testing.T) *reverie {
	t.Helper()
	r := &reverie{place: &place{t: t, dir: t.TempDir()}, today: time.Now().UTC()}
	r.must(0, "init", "--preset", "skylight")
	text, err := os.ReadFile(r.path("kaphub.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	before, rest, _ := strings.Cut(string(text), "    - name: ehr")
	_, after, _ := strings.Cut(rest, "\nprescribers:")
	config := before + `    - name: calendar
      kind: ical
      file: feed.ics
      kinds: [{match: '(?i)dosing', kind: dosing}, {match: '(?i)prep', kind: preparation}]

prescribers:` + after
	for _, change := range [][2]string{
		{"credentials: not asked", "credentials: none set"},
		{"time_zone: America/Denver          # yours", "time_zone: UTC"},
		{"deciders: []", `deciders: [{system: "http://hl7.org/fhir/sid/us-npi", value: "1881697747", name: Dr Imaginary}]`},
		{"follow_up: not asked", "follow_up: 90d"}, {"clearance_validity: not asked", "clearance_validity: 90d"},
		{"dose_interval: not asked", "dose_interval: 5d"}, {"session_cap: not asked", "session_cap: 2"}, {"preparations: not asked", "preparations: 1"},
		{"systolic_limit: not asked", "systolic_limit: 140 mmHg"}, {"diastolic_limit: not asked", "diastolic_limit: 90 mmHg"},
		{"heart_rate_limit: not asked", "heart_rate_limit: 100 bpm"}, {"lead_days: not asked", "lead_days: 10"},
	} {
		if !strings.Contains(config, change[0]) {
			t.Fatalf("the config has no %q", change[0])
		}
		config = strings.Replace(config, change[0], change[1], 1)
	}
	r.file("kaphub.yaml", config)
	return r
}

func (r *reverie) file(name, text string) string {
	r.t.Helper()
	if err := os.WriteFile(filepath.Join(r.dir, name), []byte(text), 0o600); err != nil {
		r.t.Fatal(err)
	}
	return r.path(name)
}

func (r *reverie) day(n int) string { return r.today.AddDate(0, 0, n).Format(time.DateOnly) }

// clients writes roster, baseline and calendar of n clients who are in the middle of their course.
func (r *reverie) clients(n int) (roster, baseline string) {
	rows := []string{"id,family,given,birth_date,chosen_name,state,calendar_token"}
	seen := []string{"id,verified_by,verified_on,release_from,release_to,consents_on,decided_on,cleared_to,cleared_to_again,filled_on,discard_after,directions,doses_left,preparations,sessions,follow_up_on"}
	var feed strings.Builder
	for i := range n {
		rows = append(rows, fmt.Sprintf("R%d,Inventedsson-%d,Testa,1988-02-%02d,Juniper %d,CO,K-%02dX", i, i, i%28+1, i, i))
		seen = append(seen, strings.Join([]string{fmt.Sprint("R", i), "Maya Okafor", r.day(0), r.day(-120), r.day(200), r.day(-120), r.day(-40), r.day(50), r.day(50),
			r.day(-30), r.day(150), "one lozenge under the tongue", "4", r.day(-35), r.day(-20) + " " + r.day(-10), r.day(-15)}, ","))
		fmt.Fprintf(&feed, "BEGIN:VEVENT\r\nUID:u%d\r\nDTSTAMP:20260101T000000Z\r\nDTSTART:%sT160000Z\r\nDURATION:PT3H\r\nSUMMARY:Dosing K-%02dX\r\nEND:VEVENT\r\n",
			i, strings.ReplaceAll(r.day(3+i%9), "-", ""), i)
	}
	fmt.Fprintf(&feed, "BEGIN:VEVENT\r\nUID:s\r\nDTSTAMP:20260101T000000Z\r\nDTSTART:%sT160000Z\r\nDURATION:PT3H\r\nSUMMARY:Dosing K-NOBODY of Zanzibarra\r\nEND:VEVENT\r\n", strings.ReplaceAll(r.day(4), "-", ""))
	r.file("feed.ics", "BEGIN:VCALENDAR\r\nVERSION:2.0\r\n"+feed.String()+"END:VCALENDAR\r\n")
	return r.file("roster.csv", strings.Join(rows, "\n")), r.file("baseline.csv", strings.Join(seen, "\n"))
}

// board is how many clients are in each state, and what of S1 and S2 is told.
func (r *reverie) board() (states map[string]int, urgent []string, strays int) {
	r.t.Helper()
	type finding struct{ Code, Severity, Words string }
	var doc struct {
		Counts []struct {
			State string
			N     int
		}
		DoNow      []finding `json:"do_now"`
		New        []finding
		Persisting []finding
		Strays     []struct{ Digest string }
	}
	if err := json.Unmarshal([]byte(r.must(0, "report", "--format", "json").out), &doc); err != nil {
		r.t.Fatal(err)
	}
	for _, f := range append(append(doc.DoNow, doc.New...), doc.Persisting...) {
		if f.Severity == "S1" || f.Severity == "S2" {
			urgent = append(urgent, f.Code+" "+f.Words)
		}
	}
	states = map[string]int{}
	for _, c := range doc.Counts {
		states[c.State] = c.N
	}
	return states, urgent, len(doc.Strays)
}

func TestDayOneBeginsWhereThePapersStand(t *testing.T) {
	r := goLive(t)
	roster, baseline := r.clients(38)
	dry := r.must(0, "import", roster, "--baseline", baseline, "--dry-run")
	if !strings.Contains(dry.out, "38 new, 0 changed, 0 as they were; 0 rows refused") {
		t.Error(dry.out)
	}
	if s := r.must(0, "status"); !strings.Contains(s.out, "No clients yet") {
		t.Errorf("a dry run changed something:\n%s", s.out)
	}
	r.must(3, "sync") // the calendar is read before anybody is a client; the mailbox was never read through
	r.must(0, "import", roster, "--baseline", baseline)
	r.must(0, "record", "read-through", "--prescriber", "skylight", "--by", "Maya Okafor")
	r.must(0, "sync")
	states, urgent, strays := r.board()
	if states["IN-ORDER"] != 38 || len(urgent) != 0 {
		t.Errorf("%v\n%s\n%s", states, strings.Join(urgent, "\n"), r.must(0, "status").out)
	}
	if strays != 1 {
		t.Errorf("%d events match nobody, want 1", strays)
	}
	for _, out := range []string{r.must(0, "status").out, r.must(0, "report", "--format", "text").out, r.must(0, "report", "--format", "json").out} {
		if strings.Contains(out, "Zanzibarra") || strings.Contains(out, "NOBODY") {
			t.Error("a title or token of a stranger is shown")
		}
	}
	again := r.must(0, "import", roster, "--baseline", baseline)
	if !strings.Contains(again.out, "0 new, 0 changed, 38 as they were") || !strings.Contains(again.out, "entries saved 0") {
		t.Errorf("twice is not once:\n%s", again.out)
	}
	r.must(0, "audit", "verify")
}

func TestAReferralThatTheRosterNamesLaterIsTheOneOfTheBaseline(t *testing.T) {
	r := goLive(t)
	roster, _ := r.clients(1)
	baseline := r.file("baseline.csv", "id,verified_by,verified_on,referred_on,release_from\nR0,Maya,"+strings.Join([]string{r.day(0), r.day(-5), r.day(-5)}, ","))
	r.must(0, "import", roster, "--baseline", baseline)
	text, err := os.ReadFile(roster)
	if err != nil {
		t.Fatal(err)
	}
	header, row, _ := strings.Cut(string(text), "\n")
	r.file("roster.csv", header+",prescriber,referred_on\n"+row+",skylight,"+r.day(-5))
	r.must(0, "import", roster, "--baseline", baseline)
	if s := r.must(0, "explain", "R0"); strings.Contains(s.out, "R02") {
		t.Errorf("the client is referred twice:\n%s", s.out)
	}
	if s := r.must(0, "packet"); strings.Count(s.out, ".html") != 1 {
		t.Errorf("not one packet:\n%s", s.out)
	}
}

func TestWhatAnImportRefuses(t *testing.T) {
	r := goLive(t)
	roster, baseline := r.clients(3)
	add := func(name, row string) {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		r.file(filepath.Base(name), string(text)+"\n"+row)
	}
	add(roster, "R9,Badrow,Testa,yesterday,,CO,")
	add(baseline, "R77,Maya,"+r.day(0))
	add(baseline, "R0,Maya,"+r.day(0)+strings.Repeat(",", 13))
	add(baseline, "R9,Maya,"+r.day(0)+strings.Repeat(",", 13))
	s := r.must(3, "import", roster, "--baseline", baseline)
	for _, line := range []string{"roster line 5: birth_date", "baseline line 5: it is no row", "baseline line 6: id: the client has a row already", "baseline line 7: id: the roster has no such client", "3 new"} {
		if !strings.Contains(s.out, line) {
			t.Errorf("%q is not said:\n%s", line, s.out)
		}
	}
	if strings.Contains(s.out+s.err, "Badrow") || strings.Contains(s.out+s.err, "yesterday") {
		t.Errorf("a value is repeated:\n%s", s.out)
	}
	if s := r.must(1, "import", r.file("none.csv", "id,family,given,birth_date\nR1,,,\n")); !strings.Contains(s.err, "nothing could be taken") {
		t.Error(s.err)
	}
	r.must(1, "import", r.file("other.csv", "when,who\n"))
	r.must(1, "import", roster, "--baseline", r.file("b.csv", "id,shoe_size\n"))
}

// Whoever the roster names sees their clients as soon as they have an account, before any session is booked.
func TestAClientOfTheRosterIsTheTherapistsWhomItNames(t *testing.T) {
	t.Parallel()
	r := goLive(t)
	export, err := os.ReadFile("../../connectors/folder/testdata/export.csv")
	if err != nil {
		t.Fatal(err)
	}
	roster := r.file("export.csv", string(export))
	if out := r.must(1, "import", roster, "--us-dates", "--referred-on", r.day(-3)); !strings.Contains(out.out, "DOB is taken as birth_date") || !strings.Contains(out.out, "Copay is not known") {
		t.Error(out)
	}
	if out := r.must(3, "import", roster, "--leave-out", "--us-dates", "--referred-on", r.day(-3)); !strings.Contains(out.out, "clients: 3 new") {
		t.Error(out)
	}
	h, err := (&scene{cli: &cli{Config: r.path("kaphub.yaml")}, out: io.Discard, err: io.Discard, now: time.Now, log: slog.New(slog.DiscardHandler)}).open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer h.close()
	known, err := window{h}.Known(t.Context())
	if err != nil || fmt.Sprint(known.Named()) != "[Robin Sample, LPC Sam Testcase, LMFT]" {
		t.Fatalf("to choose from are %q, %v", known.Named(), err)
	}
	robin := known.Of(people.Account{Roles: []people.Role{people.Therapist}, Therapist: "Robin Sample, LPC"})
	by, err := window{h}.Treating(t.Context())
	mine := 0
	for _, of := range by {
		if robin.Treats(of[0]) {
			mine++
		}
	}
	if err != nil || mine != 2 {
		t.Errorf("Robin has %d clients, %v", mine, err)
	}
}
