package main

import (
	"fmt"
	"log/slog"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kaphub/kaphub/connectors/mail/mailtest"
	"github.com/kaphub/kaphub/connectors/sandbox"
)

// post gives the place a mail server and people who are told.
func (p *place) post(o mailtest.Options) *mailtest.Server {
	p.t.Helper()
	p.change("hub: {", "hub: {public_url: https://hub.reverie.example, ")
	return p.people(o)
}

// people is post for a place whose address is known.
func (p *place) people(o mailtest.Options) *mailtest.Server {
	p.t.Helper()
	s := mailtest.New(p.t, o)
	for name, text := range map[string]string{"ca.pem": string(s.CA), "smtp": o.Password + "\n"} {
		if err := os.WriteFile(p.path(name), []byte(text), 0o600); err != nil {
			p.t.Fatal(err)
		}
	}
	text, err := os.ReadFile(p.path("kaphub.yaml"))
	if err != nil {
		p.t.Fatal(err)
	}
	block := fmt.Sprintf(`
notices:
  smtp: {host: %s, port: %d, tls: starttls, ca_file: ca.pem, user: %s, password_file: smtp}
  from: Reverie <kaphub@reverie.example>
  digest: "0 7 * * *"
  people:
    - {name: maya, email: maya@reverie.example, roles: [admin, operator, privacy officer]}
    - {name: tara, email: tara@reverie.example, roles: [therapist]}
`, s.Host, s.Port, o.User)
	if err := os.WriteFile(p.path("kaphub.yaml"), append(text, block...), 0o600); err != nil {
		p.t.Fatal(err)
	}
	return s
}

var ours = mailtest.Options{StartTLS: true, User: "hub", Password: "hunter2"}

// subjects are what arrived, without the hour.
func subjects(mails []mailtest.Mail) (all []string) {
	for _, m := range mails {
		name, _, _ := strings.Cut(m.To, "@")
		all = append(all, name+": "+regexp.MustCompile(`kaphub \w{3} \d+ \w{3}`).ReplaceAllString(regexp.MustCompile(` \d\d:\d\d`).ReplaceAllString(m.Header.Get("Subject"), ""), "kaphub"))
	}
	return all
}

func TestPeopleAreToldByMail(t *testing.T) {
	t.Parallel()
	p := settle(t)
	server := p.post(ours)
	if out := p.must(0, "check").out; !strings.Contains(out, "answers over TLS, and lets the hub in; 2 people are told") {
		t.Errorf("check says\n%s", out)
	}
	if len(server.Mails()) > 0 {
		t.Fatal("to check is to tell")
	}
	p.must(0, "notices", "test", "maya")
	p.run("notices", "test", "rosa").oneSentence(t, "rosa", "maya, tara")
	synced := p.must(0, "sync").out
	if !regexp.MustCompile(`notices +2 sent`).MatchString(synced) {
		t.Errorf("sync says\n%s", synced)
	}
	got := subjects(server.Mails())
	if len(got) != 3 || got[0] != "maya: kaphub: a test" || !regexp.MustCompile(`^maya: kaphub: \d+ to act on now$`).MatchString(got[1]) || !regexp.MustCompile(`^tara: kaphub: \d+ to act on now$`).MatchString(got[2]) {
		t.Fatalf("arrived: %q", got)
	}
	p.must(0, "sync")
	p.must(0, "run", "notices")
	if n := len(server.Mails()); n != 3 {
		t.Errorf("what lasts is told again: %q", subjects(server.Mails()))
	}
	p.must(0, "run", "digest")
	p.must(0, "run", "digest")
	if got := subjects(server.Mails()[3:]); len(got) != 2 || !strings.HasPrefix(got[0], "maya: kaphub: ") || !strings.Contains(got[1], " to act on, ") {
		t.Errorf("the digests: %q", got)
	}
	list := p.must(0, "notices").out
	for _, want := range []string{"maya@reverie.example", "digest", "urgent", "test", "sent"} {
		if !strings.Contains(list, want) {
			t.Errorf("the list has no %s:\n%s", want, list)
		}
	}
	if strings.Count(p.must(0, "notices", "--person", "tara").out, "\n") != 3 {
		t.Errorf("of one person:\n%s", p.must(0, "notices", "--person", "tara").out)
	}
	p.must(0, "audit", "verify")
	if out := p.must(0, "audit", "list").out; !strings.Contains(out, "notice") || !strings.Contains(out, "digest-maya-") {
		t.Errorf("the audit log does not say who was told:\n%s", out)
	}
}

func TestAMailServerThatFailsIsSaid(t *testing.T) {
	t.Parallel()
	p := settle(t)
	server := p.post(ours)
	server.Fail(mailtest.Fault{At: "RCPT", Reply: "550 5.1.1 maya@reverie.example: no such user", Times: -1})
	s := p.must(exitUnwell, "sync")
	s.oneSentence(t, "not all is well", "550 5.1.1")
	if strings.Contains(s.err, "reverie.example") || strings.Contains(s.err, "no such user") {
		t.Errorf("it tells the address: %s", s.err)
	}
	if out := p.must(0, "check").out; !strings.Contains(out, "a mail to maya does not go: send mail: refused (550, 5.1.1)") {
		t.Errorf("check says\n%s", out)
	}
	p.run("notices", "test", "tara").oneSentence(t, "refused", "550")
	if list := p.must(0, "notices").out; !strings.Contains(list, "waiting until") || !strings.Contains(list, "refused (550, 5.1.1)") {
		t.Errorf("the list says\n%s", list)
	}
	if n := len(server.Mails()); n > 0 {
		t.Errorf("%d mails arrived", n)
	}
	p.change("tls: starttls", "tls: tls")
	p.must(1, "check")
	p.change("public_url: https://hub.reverie.example, ", "")
	p.run("notices").oneMistake(t, "hub.public_url")
}

// oneMistake checks that a config's mistake is told in words.
func (s said) oneMistake(t *testing.T, words ...string) {
	t.Helper()
	for _, word := range words {
		if s.code != exitError || !strings.Contains(s.err, word) {
			t.Errorf("exit %d, %s: it does not say %q", s.code, s.err, word)
		}
	}
}

// The mails of a practice whose every client is a canary: counts, and nothing else.
func TestAMailHoldsNothingOfAnyClient(t *testing.T) {
	t.Parallel()
	p := settleIn(t, sandbox.WorldOptions{Seed: 3, Clients: 40})
	p.between(asItIs, blabbing)
	server := p.post(ours)
	plantCanary(t, p.world.Practice)
	said := p.run("--log", "debug", "sync")
	p.must(0, "run", "digest")
	p.must(0, "notices", "test", "tara")
	status := read(t, p.must(0, "status", "--json").out)
	words := slices.Clone(canary)
	for _, c := range p.world.Clients() {
		words = append(words, c.MRN)
		words = append(words, strings.Fields(c.Name)...)
	}
	for _, c := range status.Clients {
		words = append(words, c.Client)
	}
	mails := server.Mails()
	if len(mails) != 5 {
		t.Fatalf("arrived: %q\n%s", subjects(mails), said.err)
	}
	for _, m := range mails {
		for _, word := range words {
			if strings.Contains(m.Raw, word) || strings.Contains(m.Text, word) {
				t.Errorf("a mail tells %q:\n%s", word, m.Raw)
			}
		}
		if m.Header.Get("Content-Type") != "text/plain; charset=UTF-8" || m.Header.Get("Auto-Submitted") != "auto-generated" {
			t.Errorf("its headers are %v", m.Header)
		}
	}
	log := said.out + said.err
	for _, secret := range []string{"hunter2", "maya@reverie.example"} {
		if strings.Contains(log, secret) {
			t.Errorf("the log tells %q", secret)
		}
	}
	if named := p.tablesNaming([]string{"hunter2"}); len(named) > 0 {
		t.Errorf("the password is kept in %v", named)
	}
}

// On a clock: a digest that fell into a time when the hub was off is made good once.
func TestServeTellsByItsSchedule(t *testing.T) {
	t.Parallel()
	p := settle(t)
	server := p.post(ours)
	at := &scene{cli: &cli{Config: p.path("kaphub.yaml")}, now: time.Now, log: slog.New(slog.DiscardHandler)}
	h, err := at.open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer h.close()
	list := h.noticeJobs()
	if len(list) != 2 || list[0].Schedule != "0 7 * * *" || list[1].Look != time.Minute || list[0].Lane != list[1].Lane {
		t.Fatalf("the jobs are %+v", list)
	}
	if _, err := list[0].Work(t.Context()); err != nil || len(server.Mails()) != 2 {
		t.Errorf("a practice without clients is told too: %v %q", err, subjects(server.Mails()))
	}
	for range 2 {
		if counts, err := list[1].Work(t.Context()); err != nil || len(counts) > 0 {
			t.Errorf("a look that finds nothing: %v %v", counts, err)
		}
	}
}
