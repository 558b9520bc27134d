package report

import (
	"bytes"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"charm.land/lipgloss/v2"

	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/exchange"
	"github.com/kaphub/kaphub/fhir/readiness"
)

var update = flag.Bool("update", false, "write the golden files anew")

// forms are all that can be rendered of an input.
var forms = []struct {
	file   string
	render func(w io.Writer, in Input) error
}{
	{"board.txt", func(w io.Writer, in Input) error { return Board(w, in, Options{Width: 110}) }},
	{"board-narrow.txt", func(w io.Writer, in Input) error { return Board(w, in, Options{Width: 60}) }},
	{"report.txt", func(w io.Writer, in Input) error { return Build(in).Text(w, Options{Width: 96}) }},
	{"report.csv", func(w io.Writer, in Input) error { return Build(in).CSV(w) }},
	{"report.json", func(w io.Writer, in Input) error { return Build(in).JSON(w) }},
	{"report.html", func(w io.Writer, in Input) error { return Build(in).HTML(w) }},
	{"status.json", Status},
	{"explain.txt", func(w io.Writer, in Input) error { return Explain(w, in, "c-7f3a", Options{Width: 96}) }},
	{"findings.txt", func(w io.Writer, in Input) error { return Findings(w, in, Filter{}, Options{Width: 96}) }},
	{"findings.json", func(w io.Writer, in Input) error { return FindingsJSON(w, in, Filter{All: true}) }},
	{"explain.json", func(w io.Writer, in Input) error { return ExplainJSON(w, in, "c-7f3a") }},
}

func TestEveryFormReadsAsItDid(t *testing.T) {
	for _, form := range forms {
		t.Run(form.file, func(t *testing.T) {
			var got bytes.Buffer
			if err := form.render(&got, seed()); err != nil {
				t.Fatal(err)
			}
			golden := filepath.Join("testdata", form.file)
			if *update {
				if err := os.MkdirAll("testdata", 0o755); err != nil { //nolint:gosec // test data
					t.Fatal(err)
				}
				if err := os.WriteFile(golden, got.Bytes(), 0o644); err != nil { //nolint:gosec // test data
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got.Bytes(), want) {
				t.Errorf("%s changed; look at the difference and run with -update if it is meant:\n%s", form.file, got.String())
			}
		})
	}
}

func TestEveryFormOfNothingIsFitToBeRead(t *testing.T) {
	for _, form := range forms {
		if strings.HasPrefix(form.file, "explain") {
			continue
		}
		var got bytes.Buffer
		if err := form.render(&got, Input{}); err != nil {
			t.Errorf("%s: %v", form.file, err)
		}
		if strings.Contains(got.String(), "null") || got.Len() == 0 {
			t.Errorf("%s of nothing: %s", form.file, got.String())
		}
	}
}

func TestABoardFitsItsTerminal(t *testing.T) {
	for _, width := range []int{40, 60, 80, 100, 120, 200} {
		for _, colour := range []bool{false, true} {
			o := Options{Width: width, Colour: colour}
			for name, render := range map[string]func(io.Writer) error{
				"board":   func(w io.Writer) error { return Board(w, seed(), o) },
				"report":  func(w io.Writer) error { return Build(seed()).Text(w, o) },
				"explain": func(w io.Writer) error { return Explain(w, seed(), "c-7f3a", o) },
			} {
				var got bytes.Buffer
				if err := render(&got); err != nil {
					t.Fatal(err)
				}
				for line := range strings.Lines(got.String()) {
					if w := lipgloss.Width(strings.TrimRight(line, "\n")); w > width {
						t.Errorf("%s at %d columns has a line of %d: %s", name, width, w, line)
					}
				}
				if strings.Contains(got.String(), "\x1b") != colour {
					t.Errorf("%s at %d columns, colour %v: escapes are wrong", name, width, colour)
				}
			}
		}
	}
}

func TestTheOnlyPrescriberIsNamedOnce(t *testing.T) {
	in := seed()
	for i := range in.Clients {
		in.Clients[i].Prescriber = "skylight"
	}
	var got bytes.Buffer
	if err := Board(&got, in, Options{Width: 100}); err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(got.String(), "Skylight Psychedelics"); n != 1 {
		t.Errorf("the only prescriber is named %d times", n)
	}
}

func TestTextOfRecordsCannotSpeakToTheTerminal(t *testing.T) {
	in := seed()
	in.Clients[0].Chosen = "Lin\x1b[2Jden\r\n\u202eevil"
	in.Clients[0].Words = "a\x1b]0;title\x07b"
	var got bytes.Buffer
	if err := Board(&got, in, Options{Width: 100}); err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{"\x1b", "\x07", "\r", "\u202e"} {
		if strings.Contains(got.String(), bad) {
			t.Errorf("%q went through", bad)
		}
	}
}

func TestASpreadsheetSeesNoFormula(t *testing.T) {
	rows := []struct{ cell, want string }{
		{"=1+1", "'=1+1"}, {"+1", "'+1"}, {"-1", "'-1"}, {"@x", "'@x"}, {"\tx", "'\tx"}, {"Juniper", "Juniper"}, {"", ""}, {"12 = 12", "12 = 12"},
	}
	for _, row := range rows {
		if got := inert(row.cell); got != row.want {
			t.Errorf("%q became %q", row.cell, got)
		}
	}
	in := seed()
	in.Clients[3].Chosen = "=HYPERLINK(1)"
	var got bytes.Buffer
	if err := Build(in).CSV(&got); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(got.String(), "'=HYPERLINK(1)") {
		t.Error("a chosen name reaches the sheet as a formula")
	}
}

func TestWhatGoesWhere(t *testing.T) {
	r := Build(seed())
	names := func(list []Finding) (out string) {
		for _, f := range list {
			out += f.Code + " "
		}
		return strings.TrimSpace(out)
	}
	rows := []struct {
		name string
		got  any
		want any
	}{
		{"a stop is stopped", len(r.Stopped), 1},
		{"today's and tomorrow's sessions by time", r.Sessions[0].Key + " " + r.Sessions[1].Key + " " + r.Sessions[2].Key + " " + r.Sessions[3].Key, "c-d310 c-7f3a c-aa02 c-19bd"},
		{"later ones come later", r.Upcoming[0].Key, "c-52e0"},
		{"S1 is done now", names(r.DoNow), "R15"},
		{"new since the report before, a reopened one too", names(r.New), "R15 R22 R06"},
		{"the rest persists, without waiting, roll-ups and children", names(r.Lasting), "R10"},
		{"resolved since the report before", names(r.Resolved), "R24"},
		{"the snoozed is told apart", names(r.Snoozed), "R31"},
		{"one line per waiting client", len(r.Waiting), 1},
		{"a waiting client waits on the first step", r.Waiting[0].On, "an answer to the referral"},
		{"ages are whole days at the moment that is shown", r.Lasting[0].Age, 9},
		{"a roll-up says how far it reaches", r.RollUps[0].touches(), "touches 1 session"},
		{"both sides' values, by title", r.Lasting[0].Values[1], Value{"Skylight Psychedelics", "cleared from Fri 12 Dec 2025 to Thu 12 Mar 2026"}},
		{"deliveries that go their way are no news", len(r.Sending), 2},
		{"the refused one comes first", r.Sending[0].ID, "dlv-1"},
	}
	for _, row := range rows {
		if row.got != row.want {
			t.Errorf("%s: got %v, want %v", row.name, row.got, row.want)
		}
	}
}

func TestARollUpCountsEachClientAndSessionOnce(t *testing.T) {
	in := Input{AsOf: asOf, Zone: denver}
	for i := range 12 {
		start := at(i, 10, 0)
		v := readiness.Verdict{Client: string(rune('a' + i)), Appointment: &readiness.Appointment{ID: string(rune('a' + i)), Start: start}}
		severity := readiness.S3
		if i == 7 {
			severity = readiness.S2
		}
		for range 2 {
			v.Findings = append(v.Findings, readiness.Finding{Code: "R44", Severity: severity, Since: at(-i, 7, 0), RollUp: "source x"})
		}
		in.Clients = append(in.Clients, v)
	}
	r := Build(in)
	if len(r.RollUps) != 1 || r.RollUps[0].touches() != "touches 12 sessions" || r.RollUps[0].Severity != readiness.S2 || r.RollUps[0].Age != 11 {
		t.Errorf("got %+v", r.RollUps)
	}
	if len(r.Lasting)+len(r.New) != 0 {
		t.Error("what is rolled up is also listed one by one")
	}
}

func TestASourceThatIsWellAgainIsNotToldClientByClient(t *testing.T) {
	in := seed()
	for i := range in.Clients {
		in.Clients[i].Findings = []readiness.Finding{{ID: "f", Code: "R44", Rule: "source-stale", State: readiness.Resolved, Resolved: in.AsOf, RollUp: "R44/calendar"}}
	}
	if r := Build(in); len(r.Resolved) != 0 {
		t.Errorf("%d rows tell that one source was read again", len(r.Resolved))
	}
}

func TestAChildIsShownWhenItsParentIsResolved(t *testing.T) {
	in := seed()
	in.Clients[1].Findings[0].State = readiness.Resolved
	if r := Build(in); len(r.Waiting) != 1 || r.Waiting[0].On != "a prescription" {
		t.Errorf("got %+v", r.Waiting)
	}
}

func TestEveryWaitingRuleSaysWhatOnAndWhomToNudge(t *testing.T) {
	for _, code := range waiting {
		if held := waitedFor[code]; held.on == "" || held.nudge == "" {
			t.Errorf("%s says nothing", code)
		}
	}
}

func TestNobodyIsExplainedWhoIsNotThere(t *testing.T) {
	if err := Explain(io.Discard, seed(), "nobody", Options{}); !errors.Is(err, exchange.ErrNotFound) {
		t.Errorf("got %v", err)
	}
	if err := ExplainJSON(io.Discard, seed(), "nobody"); !errors.Is(err, exchange.ErrNotFound) {
		t.Errorf("got %v", err)
	}
}

func TestHowFarASourceCanBeTrusted(t *testing.T) {
	friday := time.Date(2026, 2, 27, 16, 10, 0, 0, denver)
	rows := []struct {
		name  string
		state fhir.SourceState
		limit time.Duration
		now   time.Time
		want  SourceState
	}{
		{"read a minute ago", fhir.SourceState{LastComplete: asOf.Add(-time.Minute), Complete: true}, time.Hour, asOf, Fresh},
		{"read longer ago than its limit", fhir.SourceState{LastComplete: asOf.Add(-61 * time.Minute), Complete: true}, time.Hour, asOf, Stale},
		{"read at its limit to the second", fhir.SourceState{LastComplete: asOf.Add(-time.Hour), Complete: true}, time.Hour, asOf, Fresh},
		{"read on Friday, looked at on Monday noon", fhir.SourceState{LastComplete: friday, Complete: true}, 0, time.Date(2026, 3, 2, 12, 0, 0, 0, denver), Fresh},
		{"read on Friday, looked at on Monday evening", fhir.SourceState{LastComplete: friday, Complete: true}, 0, time.Date(2026, 3, 2, 17, 0, 0, 0, denver), Stale},
		{"the last read broke off", fhir.SourceState{LastComplete: asOf.Add(-time.Minute)}, time.Hour, asOf, Incomplete},
		{"never read to its end", fhir.SourceState{LastTried: asOf}, time.Hour, asOf, Never},
	}
	for _, row := range rows {
		row.state.Name = "skylight"
		policy := readiness.Policy{Zone: denver, Practice: readiness.Party{Name: fhir.Practice},
			Prescriber: readiness.Party{Name: "skylight", Title: "Skylight", Sources: []string{"skylight"}, Limit: row.limit}}
		got := SourceStates([]readiness.Policy{policy}, []fhir.SourceState{row.state}, row.now)
		if len(got) != 1 || got[0].State != row.want || got[0].Title != "Skylight" {
			t.Errorf("%s: got %+v, want %s", row.name, got, row.want)
		}
	}
}

func TestASourceIsListedOnceThePracticesFirst(t *testing.T) {
	practice := readiness.Party{Name: fhir.Practice, Sources: []string{"ehr"}}
	got := SourceStates([]readiness.Policy{
		{Practice: practice, Prescriber: readiness.Party{Name: "a", Sources: []string{"a1"}}},
		{Practice: practice, Prescriber: readiness.Party{Name: "b", Sources: []string{"b1", "b2"}}},
	}, []fhir.SourceState{{Name: "left over", Party: "c"}}, asOf)
	var names []string
	for _, s := range got {
		names = append(names, s.Name)
	}
	if strings.Join(names, " ") != "ehr a1 b1 b2 left over" {
		t.Errorf("got %v", names)
	}
}
