package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kaphub/kaphub/fhir/store"
)

// Whatever becomes of the store's file, the hub says so and begins no other in its place.
func TestAStoreThatWasLost(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		spoil func(t *testing.T, file string)
		words []string
	}{
		{"the file is gone", func(t *testing.T, file string) { must(t, os.Remove(file)) }, []string{"kaphub.db is gone or empty", "kaphub restore"}},
		{"the file is empty", func(t *testing.T, file string) { must(t, os.Truncate(file, 0)) }, []string{"kaphub.db is gone or empty", "kaphub restore"}},
		{"pages were overwritten", func(t *testing.T, file string) {
			f, err := os.OpenFile(file, os.O_WRONLY, 0)
			must(t, err)
			_, err = f.WriteAt([]byte(strings.Repeat("\xff", 60_000)), 3*4096)
			must(t, err)
			must(t, f.Close())
		}, []string{"damaged", "kaphub restore"}},
	}
	p := settle(t)
	p.must(0, "sync")
	p.must(0, "backup", "--out", p.path("copy"))
	want := read(t, p.must(0, "status", "--json").out).byMRN()
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			test.spoil(t, p.path("kaphub.db"))
			p.must(1, "sync").oneSentence(t, test.words...)
			left, err := filepath.Glob(p.path("kaphub.db*"))
			must(t, err)
			for _, name := range left {
				if !strings.HasSuffix(name, ".used") {
					must(t, os.Remove(name))
				}
			}
			p.must(0, "restore", "--from", p.path("copy"))
			p.must(0, "sync")
			if got := read(t, p.must(0, "status", "--json").out).byMRN(); len(got) != len(want) {
				t.Errorf("restored, %d clients are on the board, want %d", len(got), len(want))
			}
		})
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// The key that was written down opens a backup; a wrong one leaves everything as it was.
func TestALostKeyFile(t *testing.T) {
	t.Parallel()
	p := settle(t)
	right, err := store.LoadKey(p.path("kaphub.key"))
	must(t, err)
	before, err := os.ReadFile(p.path("kaphub.key"))
	must(t, err)
	p.must(0, "sync")
	p.must(0, "backup", "--out", p.path("copy"))
	p.change("dsn: kaphub.db", "dsn: other.db")
	restore := func(line string) said {
		p.stdin = line
		return p.run("restore", "--recovery-key", "--from", p.path("copy"))
	}
	if s := restore(store.NewKey().Recovery()); s.code != 1 {
		t.Error("a key file was passed over")
	} else {
		s.oneSentence(t, "another key", "move it away")
	}
	must(t, os.Remove(p.path("kaphub.key")))
	restore("AAAA-BBBB").oneSentence(t, "not a whole recovery key")
	restore(store.NewKey().Recovery()).oneSentence(t, "not made with this key")
	for _, name := range []string{"kaphub.key", "other.db"} {
		if exists(p.path(name)) {
			t.Errorf("a wrong recovery key left %s behind", name)
		}
	}
	if s := restore(right.Recovery() + "\n"); s.code != 0 {
		t.Fatalf("the right recovery key: %s", s.err)
	}
	after, err := os.ReadFile(p.path("kaphub.key"))
	if err != nil || string(after) != string(before) {
		t.Errorf("the key file is not the one that was lost: %v", err)
	}
	p.must(0, "sync")
}
