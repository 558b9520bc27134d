package main

import (
	"bytes"
	"flag"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "write the golden files anew")

// tale is Reverie and Skylight as they are today, told as it is lived: what is typed, what is answered, and the board
// wherever it changed.
type tale struct {
	*place
	clock *hands
	zone  *time.Location
	feed  string // what the calendar's address gives
	told  bytes.Buffer
	board string
	logs  string            // everything that was logged, from debug on
	wrong string            // everything else on stderr
	ids   map[string]string // what chance or a digest named, as the tale names it
}

// tell begins the tale at a time of Denver.
func tell(t *testing.T, at string) *tale {
	t.Helper()
	zone, err := time.LoadLocation("America/Denver")
	if err != nil {
		t.Fatal(err)
	}
	s := &tale{place: &place{t: t, dir: t.TempDir()}, clock: &hands{}, zone: zone, ids: map[string]string{}}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/calendar")
		_, _ = w.Write([]byte(s.feed))
	}))
	t.Cleanup(server.Close)
	if err := os.Mkdir(s.path("secrets"), 0o700); err != nil {
		t.Fatal(err)
	}
	s.write("secrets/calendar", server.URL+"/secret.ics\n")
	s.now(at)
	return s
}

func (s *tale) write(name, text string) {
	s.t.Helper()
	if err := os.WriteFile(s.path(name), []byte(text), 0o600); err != nil {
		s.t.Fatal(err)
	}
}

// now moves the clock. It never goes back.
func (s *tale) now(at string) {
	s.t.Helper()
	next, err := time.ParseInLocation("2006-01-02 15:04", at, s.zone)
	if err != nil || next.Before(s.clock.now()) {
		s.t.Fatalf("%s: %v", at, err)
	}
	s.clock.at.Store(next.UnixMilli())
}

// day begins a chapter.
func (s *tale) day(at, text string) {
	s.t.Helper()
	s.now(at)
	head := s.clock.now().In(s.zone).Format("Mon 2 Jan 2006, 15:04")
	fmt.Fprintf(&s.told, "\n%s\n%s\n\n%s\n", head, strings.Repeat("=", len(head)), strings.TrimSpace(text))
}

// then goes on within the chapter, some minutes later.
func (s *tale) then(after time.Duration, text string) {
	s.clock.forward(after)
	fmt.Fprintf(&s.told, "\n%s · %s\n", s.clock.now().In(s.zone).Format("15:04"), strings.TrimSpace(text))
}

var (
	chance = regexp.MustCompile(`\b(?:e|release|rx|bp)-\s*[0-9a-z]{8}\b|\b[0-9a-f]{64}\b|\b[0-9a-f]{12}\b|(?m:·\s+[0-9a-f]{8}$)`)
	spaced = regexp.MustCompile(`[^A-Za-z0-9_./:,=@+-]`)
)

// steady replaces what is different in every run.
func (s *tale) steady(text string) string {
	text = strings.ReplaceAll(text, s.dir, "~/kaphub")
	text = strings.ReplaceAll(text, actor(), "operator maya")
	return chance.ReplaceAllStringFunc(text, func(id string) string {
		kind, short := "", id[:min(len(id), 12)]
		if strings.Contains(id, "-") || strings.HasPrefix(id, "·") {
			kind, short = id[:len(id)-8], id[len(id)-8:]
		}
		if s.ids[short] == "" {
			s.ids[short] = fmt.Sprintf("%0*d", len(short), len(s.ids)+1)
		}
		return kind + s.ids[short]
	})
}

// does types a command, and shows what it answers and the board if it changed.
func (s *tale) does(code int, args ...string) said {
	s.t.Helper()
	var shown []string
	for _, a := range args {
		if spaced.MatchString(a) || a == "" {
			a = `"` + a + `"`
		}
		shown = append(shown, a)
	}
	fmt.Fprintf(&s.told, "\n$ kaphub %s\n", s.steady(strings.Join(shown, " ")))
	for line := range strings.Lines(s.stdin) {
		fmt.Fprintf(&s.told, "  | %s", line)
	}
	got := s.quietly(args...)
	s.stdin = ""
	s.told.WriteString(s.steady(got.out + got.err))
	if got.code != 0 {
		fmt.Fprintf(&s.told, "(exit %d)\n", got.code)
	}
	if got.code != code {
		s.t.Errorf("kaphub %s exits %d, want %d\n%s%s", strings.Join(args, " "), got.code, code, got.out, got.err)
	}
	if args[0] != "init" && args[0] != "check" && args[0] != "status" {
		s.look()
	}
	return got
}

// quietly runs a command that the tale does not tell.
func (s *tale) quietly(args ...string) said {
	s.t.Helper()
	var out, all bytes.Buffer
	code := runAt(s.t.Context(), s.clock.now, append([]string{"--config", s.path("kaphub.yaml"), "--log", "debug"}, args...), nil, strings.NewReader(s.stdin), &out, &all)
	var err string
	for line := range strings.Lines(all.String()) {
		if strings.HasPrefix(line, "time=") {
			s.logs += line
		} else {
			err += line
		}
	}
	s.wrong += err
	return said{code, out.String(), err}
}

// look shows the board if it is not the one shown last.
func (s *tale) look() {
	s.t.Helper()
	board := s.steady(s.quietly("status").out)
	_, rows, _ := strings.Cut(board, "\nSTATE") // what stands above tells the times
	if rows == s.board {
		s.told.WriteString("    │ (the board stays as it was)\n")
		return
	}
	s.board = rows
	s.told.WriteString("\n")
	for line := range strings.Lines(strings.TrimRight(board, "\n") + "\n") {
		s.told.WriteString(strings.TrimRight("    │ "+line, " \n") + "\n")
	}
}

// is checks a client's state on the board.
func (s *tale) is(client, state string) {
	s.t.Helper()
	out := s.quietly("status").out
	if !regexp.MustCompile(`(?m)^` + state + ` +` + client + ` `).MatchString(out) {
		s.t.Errorf("%s is not %s:\n%s", client, state, out)
	}
}

// edit changes the config, and shows the new lines.
func (s *tale) edit(pairs ...[2]string) {
	s.t.Helper()
	s.told.WriteString("\n(kaphub.yaml)\n")
	for _, c := range pairs {
		s.change(c[0], c[1])
		for line := range strings.Lines(c[1]) {
			if line, _, _ = strings.Cut(line, " # "); strings.TrimSpace(line) != "" {
				if !strings.Contains(strings.TrimSpace(c[1]), "\n") {
					line = strings.TrimSpace(line)
				}
				s.told.WriteString("  " + strings.TrimRight(line, " \n") + "\n")
			}
		}
	}
}

// event is one of the calendar.
type event struct{ start, length, title, words string }

// calendar is what the feed gives from now on.
func (s *tale) calendar(events ...event) {
	var b strings.Builder
	b.WriteString("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//test//EN\r\n")
	for i, e := range events {
		start, err := time.ParseInLocation("2006-01-02 15:04", e.start, s.zone)
		if err != nil {
			s.t.Fatal(err)
		}
		fmt.Fprintf(&b, "BEGIN:VEVENT\r\nUID:%d@reverie\r\nDTSTAMP:20260302T000000Z\r\nDTSTART:%s\r\nDURATION:%s\r\nSUMMARY:%s\r\nDESCRIPTION:%s\r\nEND:VEVENT\r\n",
			i, start.UTC().Format("20060102T150405Z"), e.length, e.title, e.words)
	}
	s.feed = b.String() + "END:VCALENDAR\r\n"
}

// nowhere checks that none of words lies in the logs, in the audit, or in a file of the hub's but a printed packet.
func (s *tale) nowhere(own []string, words ...string) {
	s.t.Helper()
	audit := s.quietly("audit", "list").out
	if !strings.Contains(audit, "record") {
		s.t.Error("the audit tells of no entry")
	}
	for _, w := range words {
		for where, text := range map[string]string{"the logs": s.logs, "stderr": s.wrong, "the audit": audit} {
			if strings.Contains(strings.ToLower(text), strings.ToLower(w)) {
				s.t.Errorf("%q is in %s", w, where)
			}
		}
	}
	err := filepath.WalkDir(s.dir, func(name string, e fs.DirEntry, err error) error {
		rel, _ := filepath.Rel(s.dir, name)
		for _, o := range own {
			if rel == o {
				return err
			}
		}
		if err != nil || e.IsDir() {
			return err
		}
		body, err := os.ReadFile(name) //nolint:gosec // a test's own directory
		for _, w := range words {
			if bytes.Contains(bytes.ToLower(body), []byte(strings.ToLower(w))) && !strings.HasPrefix(rel, "packets"+string(filepath.Separator)) {
				s.t.Errorf("%q lies in %s", w, rel)
			}
		}
		return err
	})
	if err != nil {
		s.t.Error(err)
	}
}

// golden compares the tale with what it was.
func (s *tale) golden(name string) {
	s.t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil { //nolint:gosec // test data
			s.t.Fatal(err)
		}
		if err := os.WriteFile(file, s.told.Bytes(), 0o644); err != nil { //nolint:gosec // test data
			s.t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file) //nolint:gosec // test data
	if err != nil {
		s.t.Fatal(err)
	}
	got, had := strings.Split(s.told.String(), "\n"), strings.Split(string(want), "\n")
	for i := range max(len(got), len(had)) {
		if i >= len(got) || i >= len(had) || got[i] != had[i] {
			s.t.Fatalf("%s changed at line %d; look at the difference and run with -update if it is meant:\n%s", file, i+1, strings.Join(got[min(i, len(got)):min(i+12, len(got))], "\n"))
		}
	}
}
