package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/kaphub/kaphub/config"
	"github.com/kaphub/kaphub/connectors/mail"
	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/exchange"
	"github.com/kaphub/kaphub/fhir/readiness"
	"github.com/kaphub/kaphub/jobs"
	"github.com/kaphub/kaphub/jobs/notice"
	"github.com/kaphub/kaphub/jobs/report"
)

// post is how the people of the practice are told by mail; nil where nobody is.
type post struct {
	mailer *mail.Mailer
	people []notice.Person
	head   notice.Letterhead

	mu     sync.Mutex
	looked time.Time   // when the board was last looked at
	moment fhir.Moment // which was then the newest
}

// postOf makes the post as the config has it. It touches no network.
func postOf(c *config.Config) (*post, []config.Problem) {
	n := c.Notices
	if n == nil {
		return nil, nil
	}
	public, err := url.Parse(c.Hub.PublicURL)
	if err != nil || public.Hostname() == "" {
		return nil, nil // said already
	}
	o := mail.Options{Host: n.SMTP.Host, Port: n.SMTP.Port, TLS: mail.TLS(n.SMTP.TLS), User: n.SMTP.User, From: n.From, Hub: public.Hostname(),
		Password: func() (string, error) { return password(c) }}
	if n.SMTP.CAFile != "" {
		pem, err := os.ReadFile(c.Path(n.SMTP.CAFile))
		if err == nil {
			o.Roots, err = mail.Roots(pem)
		}
		if err != nil {
			return nil, []config.Problem{c.Problem("notices.smtp.ca_file", "holds no certificate: name a PEM file")}
		}
	}
	p := &post{head: notice.Letterhead{Practice: c.Hub.Name, Link: c.Hub.PublicURL}}
	if p.head.Practice == "" {
		p.head.Practice = "kaphub"
	}
	if p.mailer, err = mail.New(o); err != nil {
		return nil, nil // said already, key by key
	}
	for _, who := range n.People {
		one := notice.Person{Name: who.Name, Address: who.Email, Urgent: notice.Urgency(who.Urgent)}
		if who.Urgent == "" {
			one.Urgent = notice.Through
		}
		for _, role := range who.Roles {
			one.Roles = append(one.Roles, readiness.Owner(role))
		}
		p.people = append(p.people, one)
	}
	return p, nil
}

func password(c *config.Config) (string, error) {
	if s := c.Notices.SMTP.Password; !s.IsZero() {
		return s.Reveal(), nil
	}
	text, err := os.ReadFile(c.Path(c.Notices.SMTP.PasswordFile))
	if err != nil {
		return "", errors.New("the password's file cannot be read")
	}
	return strings.TrimRight(string(text), "\r\n"), nil
}

// telling is the step that tells people.
func (h *hub) telling(digest bool) notice.Step {
	return notice.Step{
		Store: h.store, Mailer: h.post.mailer, People: h.post.people, Head: h.post.head, Zone: h.config.Location(), Now: h.now, Actor: h.actor, Digest: digest,
		Quiet: func(now time.Time) time.Time {
			return config.QuietUntil(h.config.Notices.Quiet, now, h.config.Location())
		},
		Look: func(ctx context.Context) (report.Input, error) { return h.view(ctx) },
	}
}

// tellPeople tells people what they are to be told now: the day's digest when it is asked for, and what must be acted on now.
func (h *hub) tellPeople(ctx context.Context, digest bool) (jobs.Counts, error) {
	if h.post == nil {
		return nil, nil
	}
	counts, err := h.telling(digest).Run(ctx)
	delete(counts, notice.Planned) // what is sent is said, and what waits is listed
	return counts, err
}

// noteNotices tells people, and notes in d what came of it.
func (h *hub) noteNotices(ctx context.Context, d *done) {
	if counts, err := h.tellPeople(ctx, false); len(counts) > 0 || err != nil {
		d.note("notices", counts, err)
	}
}

// idle is how long nothing is looked at while nothing was committed: the end of a snooze comes without a commit.
const idle = 10 * time.Minute

// tellNews is tellPeople for a look that nobody announced: cost follows change.
func (h *hub) tellNews(ctx context.Context) (jobs.Counts, error) {
	p := h.post
	p.mu.Lock()
	defer p.mu.Unlock()
	now := h.now()
	mails, moment, err := h.store.Notices(ctx, now)
	if err != nil {
		return nil, err
	}
	due := slices.ContainsFunc(mails, func(m exchange.Mail) bool { return !m.Due.After(now) })
	if !due && moment == p.moment && now.Sub(p.looked) < idle {
		return nil, nil
	}
	counts, err := h.tellPeople(ctx, false)
	if err != nil {
		return counts, err
	}
	p.looked, p.moment = now, moment
	return counts, nil
}

// noticeJobs are what tells people: the digest by its schedule, and what is due or new by nudge and look.
func (h *hub) noticeJobs() []jobs.Job {
	if h.post == nil {
		return nil
	}
	return []jobs.Job{
		{Name: "digest", Lane: "notices", Schedule: h.config.Notices.Digest, Work: func(ctx context.Context) (jobs.Counts, error) { return h.tellPeople(ctx, true) }},
		{Name: "notices", Lane: "notices", Look: time.Minute, Work: h.tellNews},
	}
}

type noticesCommand struct {
	List listNotices `cmd:"" default:"withargs" help:"List who was told when: digests, what had to be acted on at once, and tests."`
	Test testNotice  `cmd:"" help:"Send somebody a test mail."`
}

type listNotices struct {
	Person string `placeholder:"NAME" help:"Of one person."`
	Days   int    `default:"30" help:"Of so many days back; what waits is always listed."`
	JSON   bool   `help:"As JSON."`
}

// noticeRow is one mail: a contract of notices --json.
type noticeRow struct {
	ID       string             `json:"id"`
	Kind     exchange.MailKind  `json:"kind"`
	Person   string             `json:"person"`
	Address  string             `json:"address"`
	State    exchange.MailState `json:"state"`
	At       time.Time          `json:"at"` // since when it stands so: sent at
	Told     int                `json:"told"`
	Attempts int                `json:"attempts"`
	Due      time.Time          `json:"due,omitzero"` // of one that waits
	Why      string             `json:"why,omitempty"`
}

// Run lists who was told when.
func (c *listNotices) Run(ctx context.Context, s *scene) error {
	h, err := s.open(ctx)
	if err != nil {
		return err
	}
	defer h.close()
	mails, _, err := h.store.Notices(ctx, h.now().AddDate(0, 0, -c.Days))
	if err != nil {
		return err
	}
	rows := []noticeRow{}
	for _, m := range mails {
		if c.Person != "" && c.Person != m.Person {
			continue
		}
		row := noticeRow{ID: m.ID, Kind: m.Kind, Person: m.Person, Address: m.Address, State: m.State, At: m.At, Told: m.Count, Attempts: m.Attempts, Why: m.Why}
		if !m.Ended() {
			row.Due = m.Due
		}
		rows = append(rows, row)
	}
	if c.JSON {
		to := json.NewEncoder(s.out)
		to.SetIndent("", "  ")
		return to.Encode(struct {
			Schema  int         `json:"schema"`
			Notices []noticeRow `json:"notices"`
		}{1, rows})
	}
	if len(rows) == 0 {
		s.printf("Nobody was told anything by mail.\n")
		return nil
	}
	table := s.table("WHEN", "WHO", "ADDRESS", "WHAT", "STATE", "TO ACT ON", "TRIES", "WHY")
	for _, r := range rows {
		state := string(r.State)
		if !r.Due.IsZero() {
			state += " until " + h.local(r.Due)
		}
		table.row(h.local(r.At), r.Person, r.Address, string(r.Kind), state, fmt.Sprint(r.Told), fmt.Sprint(r.Attempts), r.Why)
	}
	return table.end()
}

type testNotice struct {
	Person string `arg:"" help:"Whom, as notices.people calls them."`
}

// Run sends somebody a test mail, and keeps the record of it.
func (c *testNotice) Run(ctx context.Context, s *scene) error {
	h, err := s.open(ctx)
	if err != nil {
		return err
	}
	defer h.close()
	if h.post == nil {
		return errors.New("nobody is told by mail: write notices into the config; the example shows how")
	}
	i := slices.IndexFunc(h.post.people, func(p notice.Person) bool { return p.Name == c.Person })
	if i < 0 {
		var names []string
		for _, p := range h.post.people {
			names = append(names, p.Name)
		}
		return fmt.Errorf("notices.people names no %q: write one of %s", c.Person, strings.Join(names, ", "))
	}
	if _, err := h.telling(false).TestMail(ctx, h.post.people[i]); err != nil {
		return err
	}
	s.printf("The mail server took a test to %s: see that it arrived.\n", c.Person)
	return nil
}

// checkNotices says whether people could be told, without telling them anything.
func (h *hub) checkNotices(ctx context.Context) []checked {
	n := h.config.Notices
	if h.post == nil {
		return []checked{{Level: "degrades", About: "notices", Text: "nobody is told by mail: who does not look sees nothing"}}
	}
	var lines []checked
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	if err := h.post.mailer.Check(ctx); err != nil {
		lines = append(lines, checked{Level: "fails", About: "notices", Text: sentence(err)})
	} else {
		how := "over TLS"
		if n.SMTP.TLS == "none" {
			how = "on this machine, without TLS"
		}
		if n.SMTP.User != "" {
			how += ", and lets the hub in"
		}
		lines = append(lines, checked{Level: "works", About: "notices", Text: fmt.Sprintf("the mail server %s answers %s; %s told (kaphub notices test NAME sends a test)", h.post.mailer.Server(), how, isAre(len(n.People)))})
	}
	if gap := jobs.Closest(n.Digest, h.config.Location(), h.now()); gap > 0 && gap < 12*time.Hour {
		lines = append(lines, checked{Level: "degrades", About: "schedule digest", Text: "asks for a digest more than once a day: one a person a day is mailed, the first"})
	}
	var nobodys []string
	for _, role := range notice.Roles {
		if !slices.ContainsFunc(h.post.people, func(p notice.Person) bool { return slices.Contains(p.Roles, role) }) {
			nobodys = append(nobodys, string(role))
		}
	}
	if len(nobodys) > 0 {
		lines = append(lines, checked{Level: "degrades", About: "notices", Text: "nobody's role is " + strings.Join(nobodys, ", "), Instead: "everybody is told of what is theirs"})
	}
	mails, _, err := h.store.Notices(ctx, h.now())
	if err != nil {
		return append(lines, checked{Level: "fails", About: "notices", Text: err.Error()})
	}
	if i := slices.IndexFunc(mails, func(m exchange.Mail) bool { return m.Attempts > 0 && m.Why != "" }); i >= 0 {
		lines = append(lines, checked{Level: "degrades", About: "notices", Text: "a mail to " + mails[i].Person + " does not go: " + mails[i].Why + "; it is tried again (kaphub notices)"})
	}
	return lines
}

func isAre(n int) string {
	if n == 1 {
		return "1 person is"
	}
	return fmt.Sprintf("%d people are", n)
}
