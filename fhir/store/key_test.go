package store

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestAKeyCannotPrintItself(t *testing.T) {
	k := NewKey()
	secret := hex.EncodeToString(k.b[:])
	text, err := json.Marshal(struct{ Key Key }{k})
	if err != nil {
		t.Fatal(err)
	}
	for _, said := range []string{fmt.Sprint(k), fmt.Sprintf("%v %+v %#v %s %x %d %q", k, k, k, k, k, k, k), fmt.Sprintf("%+v", Options{Key: k}), string(text)} {
		if strings.Contains(said, secret) || strings.Contains(said, fmt.Sprint(k.b[0])+" "+fmt.Sprint(k.b[1])) {
			t.Errorf("the key was printed: %s", said[:10])
		}
	}
}

func TestARecoveryKeyComesBackFromPaper(t *testing.T) {
	k := NewKey()
	paper := k.Recovery()
	for _, typed := range []string{paper, strings.ToLower(paper), strings.ReplaceAll(paper, "-", " "), " " + strings.ReplaceAll(paper, "-", "") + "\n",
		strings.ReplaceAll(strings.ReplaceAll(paper, "0", "O"), "1", "l")} {
		back, err := ParseRecovery(typed)
		if err != nil || back != k {
			t.Errorf("%v", err)
		}
	}
	other := byte('A')
	if paper[5] == other {
		other = 'B'
	}
	for name, typed := range map[string]string{"a letter wrong": paper[:5] + string(other) + paper[6:], "a group missing": paper[5:], "nothing": ""} {
		if _, err := ParseRecovery(typed); err == nil {
			t.Errorf("%s: taken for a key", name)
		}
	}
}

func TestAKeyFileSaysWhatIsWrongWithIt(t *testing.T) {
	dir := t.TempDir()
	k := NewKey()
	good := filepath.Join(dir, "good")
	if err := k.Save(good); err != nil {
		t.Fatal(err)
	}
	back, err := LoadKey(good)
	if err != nil || back != k {
		t.Fatalf("saved and loaded: %v", err)
	}
	if err := NewKey().Save(good); err == nil {
		t.Error("a key file was overwritten")
	}
	write := func(name, text string, mode os.FileMode) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
		return path
	}
	whole := hex.EncodeToString(k.b[:])
	for _, c := range []struct{ name, path, says string }{
		{"no file", filepath.Join(dir, "none"), "kaphub init"},
		{"others can read it", write("open", whole, 0o644), "chmod 600"},
		{"too short", write("short", whole[:40], 0o600), "64 hex characters, this has 40"},
		{"not hex", write("words", strings.Repeat("z", 64), 0o600), "hex"},
	} {
		_, err := LoadKey(c.path)
		if err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", c.name, err)
		}
		if err != nil && strings.Contains(err.Error(), whole[:40]) {
			t.Errorf("%s: the error carries the key", c.name)
		}
	}
}
