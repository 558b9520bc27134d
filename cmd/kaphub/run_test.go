package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"text/template"

	"github.com/kaphub/kaphub/connectors/sandbox"
	"github.com/kaphub/kaphub/fhir/store"
)

// place is a hub of its own in a directory of its own, between a practice and a prescriber of the sandbox.
type place struct {
	t     *testing.T
	dir   string
	world *sandbox.World
	env   []string
	stdin string
}

// settle makes a place. The world's servers end with the test.
func settle(t *testing.T) *place {
	t.Helper()
	return settleIn(t, sandbox.WorldOptions{Seed: 1})
}

// settleIn is settle in a world of one's own.
func settleIn(t *testing.T, o sandbox.WorldOptions) *place {
	t.Helper()
	world, err := sandbox.NewWorld(o)
	if err != nil {
		t.Fatal(err)
	}
	practice, prescriber, err := world.Serve(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	p := &place{t: t, dir: t.TempDir(), world: world}
	p.write(practice, prescriber)
	if err := store.NewKey().Save(p.path("kaphub.key")); err != nil {
		t.Fatal(err)
	}
	return p
}

func (p *place) path(name string) string { return filepath.Join(p.dir, name) }

func (p *place) write(practice, prescriber string) {
	p.t.Helper()
	var text bytes.Buffer
	facts := struct{ Practice, Prescriber, NPI, Listen string }{practice, prescriber, sandbox.NPI, "127.0.0.1:0"}
	if err := template.Must(template.New("").Parse(demoConfig)).Execute(&text, facts); err != nil {
		p.t.Fatal(err)
	}
	if err := os.WriteFile(p.path("kaphub.yaml"), text.Bytes(), 0o600); err != nil {
		p.t.Fatal(err)
	}
}

// change edits the config.
func (p *place) change(old, new string) {
	p.t.Helper()
	text, err := os.ReadFile(p.path("kaphub.yaml"))
	if err != nil {
		p.t.Fatal(err)
	}
	if !strings.Contains(string(text), old) {
		p.t.Fatalf("the config has no %q to change", old)
	}
	if err := os.WriteFile(p.path("kaphub.yaml"), []byte(strings.ReplaceAll(string(text), old, new)), 0o600); err != nil {
		p.t.Fatal(err)
	}
}

// said is what a command answered.
type said struct {
	code     int
	out, err string
}

func (p *place) run(args ...string) said {
	p.t.Helper()
	return kaphubWith(p.t.Context(), p.stdin, p.env, append([]string{"--config", p.path("kaphub.yaml")}, args...)...)
}

// must runs a command that must exit with code.
func (p *place) must(code int, args ...string) said {
	p.t.Helper()
	s := p.run(args...)
	if s.code != code {
		p.t.Fatalf("kaphub %s exits %d, want %d\n%s%s", strings.Join(args, " "), s.code, code, s.out, s.err)
	}
	return s
}

func kaphub(ctx context.Context, env []string, args ...string) said {
	return kaphubWith(ctx, "", env, args...)
}

func kaphubWith(ctx context.Context, stdin string, env []string, args ...string) said {
	var out, err bytes.Buffer
	code := run(ctx, args, env, strings.NewReader(stdin), &out, &err)
	return said{code, out.String(), err.String()}
}

// oneSentence checks that a failure is told in one line that holds every one of words.
func (s said) oneSentence(t *testing.T, words ...string) {
	t.Helper()
	text := strings.TrimSpace(s.err)
	if strings.Contains(text, "\n") || !strings.HasPrefix(text, "kaphub: ") {
		t.Errorf("want one sentence on stderr, got:\n%s", s.err)
	}
	for _, word := range words {
		if !strings.Contains(text, word) {
			t.Errorf("want %q in: %s", word, text)
		}
	}
}

func TestUsage(t *testing.T) {
	tests := []struct {
		name string
		args []string
		code int
		word string
	}{
		{"no arguments list the commands", nil, 0, "demo"},
		{"help is no failure", []string{"sync", "--help"}, 0, "Exits 0 all well"},
		{"a misspelt command is one", []string{"sink"}, 1, "kaphub --help"},
		{"a command's misspelt flag is one", []string{"status", "--jsn"}, 1, "--json"},
		{"the version as a flag", []string{"--version"}, 0, "go1."},
		{"version needs no config", []string{"version"}, 0, "kaphub"},
		{"what needs a config says how to get one", []string{"--config", "nowhere.yaml", "sync"}, 1, "kaphub init"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := kaphub(t.Context(), nil, test.args...)
			if s.code != test.code || !strings.Contains(s.out+s.err, test.word) {
				t.Errorf("exits %d and says %q, want %d and %q", s.code, s.out+s.err, test.code, test.word)
			}
		})
	}
}

func TestInitOverwritesNothing(t *testing.T) {
	dir := t.TempDir()
	file, key := filepath.Join(dir, "kaphub.yaml"), filepath.Join(dir, "kaphub.key")
	first := kaphub(t.Context(), nil, "--config", file, "init")
	if first.code != 0 || strings.Count(first.out, "Recovery key") != 1 {
		t.Fatalf("init exits %d: %s%s", first.code, first.out, first.err)
	}
	for _, name := range []string{file, key} {
		info, err := os.Stat(name)
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: mode %v, error %v; want 0600", name, info.Mode(), err)
		}
	}
	text, err := os.ReadFile(key)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(first.out, strings.TrimSpace(string(text))) {
		t.Error("init printed the key file")
	}
	if s := kaphub(t.Context(), nil, "--config", file, "status"); s.code != 0 {
		t.Errorf("the written config does not open: %s", s.err)
	}
	again := kaphub(t.Context(), nil, "--config", file, "init")
	again.oneSentence(t, "overwrites nothing")
	if again.code != 1 {
		t.Errorf("a second init exits %d, want 1", again.code)
	}
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	if s := kaphub(t.Context(), nil, "--config", file, "init"); s.code != 1 {
		t.Error("init must not make a config for a key that is there already")
	}
	after, err := os.ReadFile(key)
	if err != nil || !bytes.Equal(text, after) {
		t.Error("init changed a key file that was there")
	}
}

func TestEveryMistakeInTheConfigIsToldAtOnce(t *testing.T) {
	p := &place{t: t, dir: t.TempDir()}
	p.write("http://127.0.0.1:1", "http://fhir.example.org/r4")
	p.change(`auth: {kind: none}}]
prescribers`, `auth: {kind: bearer, token_file: secrets/ehr}}]
prescribers`)
	p.change("follow_up: 90d", "follow_up: quarterly")
	p.change("hub: {", `schedules: {sync: "0 0 31 2 *"}
hub: {`)
	p.change("phone: 303-555-0100", "fone: 303-555-0100")
	p.change("    sheet:", "    withhold: [Patient.name]\n    sheet:")
	s := p.must(1, "sync")
	got := strings.ReplaceAll(s.err, p.dir+string(filepath.Separator), "")
	want := `kaphub: the config has 7 mistakes:
  kaphub.yaml:1:13: schedules.sync cannot be kept: schedule "0 0 31 2 *": it never fires: there is no such day
  kaphub.yaml:3:25: store.key_file is not there (kaphub.key): bring the key this store was made with, or run kaphub init for a new hub
  kaphub.yaml:7:97: practice.connectors[0].auth.token_file secrets/ehr is not there: put the token into it, and run chmod 600 secrets/ehr
  kaphub.yaml:12:51: prescribers[0].connectors[0].base_url is http beyond this machine, where everybody on the way can read it: write https
  kaphub.yaml:13:16: prescribers[0].withhold[0] Patient.name cannot be withheld: write some of Consent.performer, Consent.policy, Patient.telecom, Patient.gender, Patient.address, Patient.communication, ServiceRequest.category, ServiceRequest.priority, ServiceRequest.occurrenceDateTime, ServiceRequest.occurrencePeriod, ServiceRequest.performerType, ServiceRequest.reasonCode
  kaphub.yaml:18:18: prescribers[0].sheet.follow_up "quarterly" is no duration: write days, hours or minutes, like 90d, 26h or 45m
  kaphub.yaml:29:7: prescribers[0].sheet.fone is no key here: write phone
`
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}
