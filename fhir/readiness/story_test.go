package readiness_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/fhirtest"
	"github.com/kaphub/kaphub/fhir/readiness"
)

var update = flag.Bool("update", false, "write the golden files anew")

// A story is one client's way to a session, step by step, as a person of the clinic would tell it. After each step the
// records are judged as the hub would judge them then, and what the hub says is written on a page that needs no Go to be
// read (testdata/stories). What must hold at each step is asserted in code as well, so that a page written anew in haste
// cannot hide a mistake.
type story struct {
	t       *testing.T
	c       *course
	policy  readiness.Policy
	links   []fhir.Link
	owed    []fhir.Outstanding
	began   []fhir.Began
	told    []fhir.Version
	read    []fhir.SourceState
	silent  []string // sources that are not read at present
	verdict readiness.Verdict
	judged  bool
	heard   time.Time // of the step before
	page    strings.Builder
}

// records is what somebody records at a step.
type records = func(c *course) fhir.Version

// tell begins a story: who the client is to those who care for them, from when on it is told, and when the session is.
func tell(t *testing.T, title, chosen, begins, session, about string, edits ...func(*readiness.Policy)) *story {
	t.Helper()
	s := &story{t: t, c: fhirtest.Client(wall(begins)), policy: policy(edits...)}
	s.c.Session = wall(session)
	s.read, s.links = fhirtest.Sources(s.c.Now), s.c.Links()
	for _, o := range s.policy.Others {
		s.read = append(s.read, fhir.SourceState{Name: o.Name, Party: o.Name, LastComplete: s.c.Now, LastTried: s.c.Now, Complete: true})
	}
	s.write("", title)
	s.write("", strings.Repeat("=", len(title)))
	s.write("", "")
	s.write("", about)
	s.hears(s.c.DaysBefore(61).PatientHere(set("name.1.text", chosen)))
	t.Cleanup(func() { s.golden(title) })
	return s
}

// wall is a time on the wall in Denver.
func wall(at string) time.Time { return denverAt(at[:10], at[11:]) }

// inOrder has everything been recorded that comes before the session's day, less the records named as "Type/name".
func (s *story) inOrder(less ...string) *story {
	for _, v := range s.c.InOrder()[1:] {
		if !slices.ContainsFunc(less, func(l string) bool { return l+"-"+s.c.Patient == v.Type+"/"+v.ID }) {
			s.hears(v)
		}
	}
	return s
}

// before has something been recorded before the story begins.
func (s *story) before(days int, what ...records) *story {
	for _, w := range what {
		s.hears(w(s.c.DaysBefore(days)))
	}
	return s
}

// hears keeps a version as the next that the hub was told, in the order of telling whatever was made first.
func (s *story) hears(v fhir.Version) {
	v.Moment, v.N = fhir.Moment(len(s.told)+1), 1
	for i := range s.told {
		if s.told[i].Key == v.Key {
			v.N++
		}
	}
	s.told = append(s.told, v)
}

// goesSilent has sources not be read from now on; speaks has them be read again.
func (s *story) goesSilent(sources ...string) { s.silent = append(s.silent, sources...) }
func (s *story) speaks()                      { s.silent = nil }

// step is one moment: what is recorded then, everything read that can be, and what the hub says.
func (s *story) step(at, what string, recorded ...records) *step {
	s.t.Helper()
	now := wall(at)
	s.between(now)
	for i := range s.read {
		if !slices.Contains(s.silent, s.read[i].Name) {
			s.read[i].LastComplete, s.read[i].LastTried = now, now
		}
	}
	who, first := []string{}, len(s.told)
	for _, r := range recorded {
		v := r(s.c.On(now))
		v.Received = now
		s.hears(v)
		if name := s.title(v.Party); !slices.Contains(who, name) {
			who = append(who, name)
		}
	}
	before := s.verdict
	chart := s.chart()
	s.verdict = readiness.Assess(chart, s.policy, now)
	if s.judged {
		s.verdict = s.verdict.After(before, &chart, &s.policy, now)
	} else {
		s.verdict.Findings = readiness.Track(nil, s.verdict.Findings, now)
	}
	s.write("", "")
	s.write("", now.Format("Monday 2 January 2006, 15:04"))
	s.write("    ", what)
	switch {
	case first < len(s.told):
		s.write("    ", "[recorded by "+strings.Join(who, " and ")+"]")
	case s.judged:
		s.write("    ", "[nothing new is recorded]")
	}
	s.tells(before, now)
	s.judged, s.heard = true, now
	return &step{s, before}
}

func (s *story) chart() fhir.Chart {
	c := fhir.NewChart(s.c.Client, fhir.Moment(len(s.told)), slices.Clone(s.told), s.links, slices.Clone(s.read), nil)
	c.Outstanding, c.Began = s.owed, s.began
	return c
}

// between looks at every half hour from the step before to the next one: while nothing is recorded, time alone makes nobody
// READY, and lifts no stop.
func (s *story) between(next time.Time) {
	if !s.judged {
		return
	}
	was := s.verdict.State
	for at := s.heard.Add(30 * time.Minute); at.Before(next) && at.Before(s.heard.Add(7*day)); at = at.Add(30 * time.Minute) {
		v := readiness.Assess(s.chart(), s.policy, at)
		if v.State == readiness.Ready && was != readiness.Ready {
			s.t.Fatalf("%s: READY by time alone, after %s", at.In(fhirtest.Denver).Format("2 Jan 15:04"), was)
		}
		if was == readiness.Hold && v.State != readiness.Hold {
			s.t.Fatalf("%s: time alone lifted the stop: %s", at.In(fhirtest.Denver).Format("2 Jan 15:04"), v.Words)
		}
	}
}

func (s *story) title(party string) string {
	for _, p := range append([]readiness.Party{s.policy.Practice, s.policy.Prescriber}, s.policy.Others...) {
		if p.Name == party {
			return p.Title
		}
	}
	return party
}

// step is what was said after one, to be checked.
type step struct {
	*story
	was readiness.Verdict
}

// is the state after the step.
func (s *step) is(want readiness.State) *step {
	s.t.Helper()
	if s.verdict.State != want {
		s.t.Errorf("%s: %s (%s), want %s", s.heard.Format("Mon 2 Jan 15:04"), s.verdict.State, s.verdict.Words, want)
	}
	return s
}

// says has the screen's words, a gate's or an open finding's hold that text.
func (s *step) says(want string) *step {
	s.t.Helper()
	all := []string{s.verdict.Words, s.verdict.Next}
	for _, g := range s.verdict.Gates {
		all = append(all, g.Words, g.Next)
	}
	for _, f := range s.verdict.Findings {
		all = append(all, f.Words, f.Next, f.By)
	}
	if !strings.Contains(strings.Join(all, "\n"), want) {
		s.t.Errorf("%s: nothing says %q in\n%s", s.heard.Format("Mon 2 Jan 15:04"), want, strings.Join(all, "\n"))
	}
	return s
}

// finds has rules find something at this severity ("R15 S1"), new or not; not has them find nothing.
func (s *step) finds(want ...string) *step {
	s.t.Helper()
	for _, w := range want {
		if !slices.ContainsFunc(s.verdict.Findings, func(f readiness.Finding) bool {
			return f.State != readiness.Resolved && f.Code+" "+string(f.Severity) == w
		}) {
			s.t.Errorf("%s: no %s", s.heard.Format("Mon 2 Jan 15:04"), w)
		}
	}
	return s
}

func (s *step) not(codes ...string) *step {
	s.t.Helper()
	for _, f := range s.verdict.Findings {
		if f.State != readiness.Resolved && slices.Contains(codes, f.Code) {
			s.t.Errorf("%s: %s %s", s.heard.Format("Mon 2 Jan 15:04"), f.Code, f.Words)
		}
	}
	return s
}

// resolves has what these rules had found end at this step.
func (s *step) resolves(codes ...string) *step {
	s.t.Helper()
	for _, code := range codes {
		if !slices.ContainsFunc(s.verdict.Findings, func(f readiness.Finding) bool {
			return f.Code == code && f.State == readiness.Resolved && f.Resolved.Equal(s.verdict.Judged)
		}) {
			s.t.Errorf("%s: %s is not resolved", s.heard.Format("Mon 2 Jan 15:04"), code)
		}
	}
	return s.not(codes...)
}

// gate has a gate stand so.
func (s *step) gate(name readiness.GateName, want readiness.GateState) *step {
	s.t.Helper()
	if g := gate(s.t, s.verdict, name); g.State != want {
		s.t.Errorf("%s: %s is %s (%s), want %s", s.heard.Format("Mon 2 Jan 15:04"), name, g.State, g.Words, want)
	}
	return s
}

// golden compares the page with the one on file.
func (s *story) golden(title string) {
	name, _, _ := strings.Cut(strings.TrimPrefix(s.t.Name(), "TestStory"), "/")
	number, words := name[:2], strings.ToLower(strings.Join(strings.FieldsFunc(title, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9')
	}), "-"))
	path := filepath.Join("testdata", "stories", number+"-"+words+".txt")
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			s.t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(s.page.String()), 0o644); err != nil { //nolint:gosec // a page to be read
			s.t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		s.t.Fatalf("%v: write it with -update", err)
	}
	if got := s.page.String(); got != string(want) {
		s.t.Errorf("%s is not what is told now (-update writes it anew):\n%s", path, got)
	}
	for i, line := range strings.Split(s.page.String(), "\n") {
		if len(line) > 120 {
			s.t.Errorf("%s:%d is too wide for a page", path, i+1)
		}
	}
}

// write adds a paragraph to the page, folded at a hundred columns, every line after the first indented two more.
func (s *story) write(indent, text string) {
	line := indent
	for i, word := range strings.Fields(text) {
		if i > 0 && len([]rune(line))+1+len([]rune(word)) > 100 {
			fmt.Fprintln(&s.page, line)
			line = indent
			if indent != "" {
				line += "  "
			}
		} else if i > 0 {
			line += " "
		}
		line += word
	}
	fmt.Fprintln(&s.page, strings.TrimRight(line, " "))
}
