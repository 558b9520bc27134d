package store

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kaphub/kaphub/fhir/exchange"
)

func noticesLife(t *testing.T, dsn string) {
	w := newWorld(t, dsn)
	read := func(after time.Time) []exchange.Mail {
		list, _, err := w.Notices(w.ctx, after)
		w.must(err)
		return list
	}
	_, asOf, err := w.Notices(w.ctx, w.now)
	w.must(err)
	m := exchange.Mail{ID: "urgent-maya-0", Kind: exchange.MailUrgent, Person: "maya", Address: "maya@reverie.example", State: exchange.MailWaiting, Due: w.now,
		About: []exchange.Told{{What: "f1", At: w.now}, {What: "R44/ehr", At: w.now.Add(-time.Hour)}}}
	first, err := w.Notice(w.ctx, "hub", asOf, m)
	w.must(err)
	_, err = w.Notice(w.ctx, "hub", asOf, exchange.Mail{ID: "urgent-maya-0-too", Person: "maya"})
	want(t, "another replica that knew as little is refused", errors.Is(err, exchange.ErrConflict), true)
	other := exchange.Mail{ID: "digest-tara-2026-03-03", Kind: exchange.MailDigest, Person: "tara", Day: "2026-03-03", State: exchange.MailWaiting, Due: w.now}
	_, err = w.Notice(w.ctx, "hub", asOf, other)
	want(t, "what was told to one person is no other's business", err, nil)
	got := read(w.now)
	want(t, "both stand", len(got), 2)
	one := got[0]
	want(t, "as it was written", one.ID+one.Person+one.Address+string(one.State)+string(one.Kind), m.ID+m.Person+m.Address+string(m.State)+string(m.Kind))
	want(t, "with what it is about", slices.EqualFunc(one.About, []exchange.Told{m.About[1], m.About[0]}, func(a, b exchange.Told) bool { return a.What == b.What && a.At.Equal(b.At) }), true)
	want(t, "and since when", one.At.Equal(w.now) && one.Due.Equal(w.now) && one.Moment == first, true)

	m.State, m.Attempts, m.Count = exchange.MailTrying, 1, 2
	at, err := w.Notice(w.ctx, "hub", first, m)
	w.must(err)
	m.State, m.Why = exchange.MailSent, ""
	_, err = w.Notice(w.ctx, "hub", at, m)
	w.must(err)
	want(t, "what is sent is not shown as waiting", len(read(w.now)), 1)
	want(t, "but as sent", read(w.now.Add(-time.Second))[1].State, exchange.MailSent)
	report, err := w.VerifyAudit(w.ctx, nil)
	w.must(err)
	want(t, "an honest store", len(report.Broken)+len(report.Altered), 0)

	for _, c := range []struct{ do, undo string }{
		{`UPDATE notice SET person = 'nobody' WHERE state = 'sent'`, `UPDATE notice SET person = 'maya' WHERE state = 'sent'`},
		{`UPDATE notice SET at = at + 1 WHERE state = 'sent'`, `UPDATE notice SET at = at - 1 WHERE state = 'sent'`},
		{`UPDATE notice SET about = '{}' WHERE state = 'trying'`, ``},
	} {
		w.exec(c.do)
		report, err := w.VerifyAudit(w.ctx, nil)
		w.must(err)
		want(t, c.do+" is named", strings.Contains(strings.Join(report.Altered, "\n"), "notice urgent-maya-0"), true)
		if c.undo != "" {
			w.exec(c.undo)
		}
	}
	w.exec(`DELETE FROM notice WHERE person = 'tara'`)
	report, err = w.VerifyAudit(w.ctx, nil)
	w.must(err)
	want(t, "one that is taken away is missed", strings.Contains(strings.Join(report.Altered, "\n"), "what commit"), true)
}
