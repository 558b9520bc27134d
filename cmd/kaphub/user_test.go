package main

import (
	"encoding/json"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"github.com/kaphub/kaphub/cmd/internal/people"
	"github.com/kaphub/kaphub/config"
	"github.com/kaphub/kaphub/fhir/store"
)

var invitation = regexp.MustCompile(`(\S*)` + people.InvitePath + `([\w-]{43})\n`)

// door is a hub made by init with its first owner, and what was said.
type door struct {
	*testing.T
	dir, file string
	env       []string
}

func (d *door) says(code int, args ...string) said {
	d.Helper()
	s := kaphub(d.Context(), d.env, append([]string{"--config", d.file}, args...)...)
	if s.code != code {
		d.Fatalf("kaphub %v exits %d, want %d: %s%s", args, s.code, code, s.out, s.err)
	}
	if code != 0 {
		s.oneSentence(d.T)
	}
	return s
}

// token is the one invitation in what was said.
func (d *door) token(s said) (address, token string) {
	d.Helper()
	found := invitation.FindAllStringSubmatch(s.out, -1)
	if len(found) != 1 {
		d.Fatalf("%d invitations in:\n%s", len(found), s.out)
	}
	return found[0][1], found[0][2]
}

// house opens the store as serve does.
func (d *door) house() *people.House {
	d.Helper()
	c, err := config.Load(d.file, d.env)
	if err != nil {
		d.Fatal(err)
	}
	key, err := masterKey(&c)
	if err != nil {
		d.Fatal(err)
	}
	db, err := store.Open(d.Context(), store.Options{DSN: dsn(&c), Key: key})
	if err != nil {
		d.Fatal(err)
	}
	d.Cleanup(func() { _ = db.Close() })
	h, err := people.New(people.Options{Store: db, Now: time.Now, Cost: people.Cost{Passes: 1, KiB: 64, Lanes: 1}})
	if err != nil {
		d.Fatal(err)
	}
	return h
}

func TestInitInvitesTheFirstOwner(t *testing.T) {
	d := &door{T: t, dir: t.TempDir()}
	d.file = filepath.Join(d.dir, "kaphub.yaml")
	d.says(1, "init", "--name", "Ann")
	d.says(1, "init", "--owner", "ann")
	d.says(1, "init", "--owner", "ann lee", "--name", "Ann")
	if exists(d.file) {
		t.Fatal("a mistake in the owner's name left a config behind")
	}
	_, token := d.token(d.says(0, "init", "--owner", "Ann", "--name", "Ann Lee"))
	h := d.house()
	passed, err := h.Accept(t.Context(), token, "quiet lantern over teal rivers")
	if err != nil {
		t.Fatal(err)
	}
	factor, err := h.Enrol(t.Context(), passed)
	if err != nil {
		t.Fatal(err)
	}
	code, err := totp.GenerateCode(factor.Secret, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := h.Confirm(t.Context(), people.From{}, passed, factor.Secret, code); err != nil {
		t.Fatal(err)
	}
	if s := d.says(0, "user"); !regexp.MustCompile(`ann +Ann Lee +owner +- +in use +20`).MatchString(s.out) {
		t.Errorf("she is not in:\n%s", s.out)
	}
	if s := d.says(1, "user", "disable", "ann"); !strings.Contains(s.err, "last owner") {
		t.Errorf("says %s", s.err)
	}
}

func TestUsersAreKeptFromTheTerminal(t *testing.T) {
	d := &door{T: t, dir: t.TempDir()}
	d.file = filepath.Join(d.dir, "kaphub.yaml")
	d.says(0, "init")
	if s := d.says(0, "user"); !strings.Contains(s.out, "kaphub user add") {
		t.Errorf("nobody is there, and nothing says what to do:\n%s", s.out)
	}
	for _, bad := range [][]string{
		{"add", "tara"}, {"add", "tara", "--name", "Tara"}, {"add", "tara", "--name", "Tara", "--role", "god"},
		{"add", "tara", "--name", "Tara", "--role", "therapist"}, {"add", "t", "--name", "hub", "--role", "god"},
		{"roles", "nobody"}, {"roles", "--role", "owner"}, {"reset", "nobody"}, {"disable", "nobody"}, {"enable", "nobody"},
	} {
		d.says(1, append([]string{"user"}, bad...)...)
	}
	address, first := d.token(d.says(0, "user", "add", "Tara", "--name", "Tara Vance", "--role", "therapist", "--therapist", "Dr. Tara Vance"))
	if address != "" {
		t.Errorf("the address is %q, and there is none", address)
	}
	d.env = []string{"KAPHUB_PUBLIC_URL=https://hub.example.org/"}
	address, second := d.token(d.says(0, "user", "reset", "TARA", "--phone"))
	if address != "https://hub.example.org" || first == second {
		t.Errorf("%s, %v", address, first == second)
	}
	d.says(1, "user", "add", "tara", "--name", "Another", "--role", "reader")
	d.says(1, "user", "roles", "tara", "--role", "therapist", "--number", "12345")
	d.says(0, "user", "roles", "tara", "--role", "therapist", "--role", "admin", "--number", "1679576722")
	if s := d.says(0, "user", "list"); !strings.Contains(s.out, "Dr. Tara Vance NPI 1679576722") {
		t.Errorf("her number is not listed: %q", s.out)
	}
	if s := d.says(0, "user", "roles", "tara"); s.out != "tara: admin, therapist\n" {
		t.Errorf("says %q", s.out)
	}
	for _, r := range people.Roles() {
		if s := d.says(0, "user", "roles"); !strings.Contains(s.out, string(r)) {
			t.Errorf("%s is not told", r)
		}
	}
	d.says(0, "user", "disable", "tara")
	d.says(1, "user", "reset", "tara")
	d.says(0, "user", "enable", "tara")
	_, third := d.token(d.says(0, "user", "reset", "tara"))
	var list []shownUser
	if err := json.Unmarshal([]byte(d.says(0, "user", "list", "--json").out), &list); err != nil || len(list) != 1 || list[0].Therapist != "Dr. Tara Vance" || len(list[0].Numbers) != 1 {
		t.Errorf("%+v: %v", list, err)
	}
	log := d.says(0, "audit", "list").out
	for _, action := range []string{"invite", "reset account", "change account", "disable account", "enable account"} {
		if !regexp.MustCompile(`operator \S+  ` + action + `  ` + list[0].ID).MatchString(log) {
			t.Errorf("%s is not in the audit log:\n%s", action, log)
		}
	}
	for _, secret := range []string{first, second, third, "Vance"} {
		if strings.Contains(log, secret) {
			t.Errorf("the audit log holds %q", secret)
		}
	}

	backup := filepath.Join(d.dir, "backup.db")
	d.says(0, "backup", "--out", backup)
	there := &door{T: t, dir: d.dir, file: d.file, env: []string{"KAPHUB_DSN=" + filepath.Join(d.dir, "restored.db")}}
	s := there.says(0, "restore", "--from", backup)
	if !strings.Contains(s.out, "1 invitation withdrawn") {
		t.Errorf("says %s", s.out)
	}
	if _, err := there.house().Accept(t.Context(), third, "quiet lantern over teal rivers"); err == nil {
		t.Error("an invitation survived the restore")
	}
	if _, err := d.house().Invited(t.Context(), third); err != nil {
		t.Errorf("where it was made it stands: %v", err)
	}
}
