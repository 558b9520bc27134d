package store

import (
	"slices"
	"testing"

	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/exchange"
	"github.com/kaphub/kaphub/fhir/fhirtest"
	"github.com/kaphub/kaphub/fhir/plan"
	"github.com/kaphub/kaphub/fhir/readiness"
)

func silent(t *testing.T, dsn string) {
	w, course, client := enrolledWorld(t, dsn)
	stranger := fhirtest.Nth(2, w.now)
	told := page(slices.DeleteFunc(course.InOrder(), func(v fhir.Version) bool { return v.Source != "skylight" })...)
	w.receive(skylight, told)
	held := told
	held.Resources = append(slices.Clone(told.Resources), course.On(w.now).Flag("active").Resource)
	for _, c := range []struct {
		name   string
		page   exchange.Page
		source Source
		more   bool
		spoken bool
	}{
		{"the same records again", told, skylight, true, false},
		{"no records", page(), skylight, true, false},
		{"the practice's patient whom nobody referred", page(stranger.PatientHere()), ehr, true, false},
		{"the prescriber's patient whom nobody referred, known by number from now on", page(stranger.PatientThere()), skylight, true, true},
		{"the same patient again", page(stranger.PatientThere()), skylight, true, false},
		{"a hold among known records", held, skylight, true, true},
		{"a row withheld", exchange.Page{Unknowns: 1}, skylight, true, true},
		{"the end of the read", page(), skylight, false, true},
	} {
		before, lines, moved := w.chart(client).Moment, w.lines(), len(w.stale())
		sources, err := w.Sources(w.ctx, before)
		w.must(err)
		c.page.More = c.more
		w.receive(c.source, c.page)
		cursor, err := w.Cursor(w.ctx, c.source.Name)
		w.must(err)
		want(t, c.name+": the cursor", cursor, w.since[c.source.Name])
		want(t, c.name+": a line in the audit", w.lines()-lines, map[bool]int{true: 1}[c.spoken])
		want(t, c.name+": a moment", int(w.moment()-before), map[bool]int{true: 1}[c.spoken])
		if !c.spoken {
			want(t, c.name+": clients to judge", len(w.stale()), moved)
		}
		then, err := w.Sources(w.ctx, before)
		w.must(err)
		want(t, c.name+": what was known then", slices.Equal(then, sources), true)
	}
	want(t, "a sweep that finds nothing new", w.sweep(skylight, held), Changed{})
	lines := w.lines()
	want(t, "and again", w.sweep(skylight, held), Changed{})
	want(t, "lines", w.lines(), lines)
	report, err := w.VerifyAudit(w.ctx, nil)
	w.must(err)
	want(t, "broken or altered", len(report.Broken)+len(report.Altered), 0)
}

func (w *world) lines() int {
	w.Helper()
	log, err := w.AuditLog(w.ctx, 0, 1000)
	w.must(err)
	return len(log)
}

// moment is the newest one.
func (w *world) moment() fhir.Moment {
	w.Helper()
	n, err := w.read.Moment(w.ctx)
	w.must(err)
	return fhir.Moment(n)
}

func rejectsAgain(t *testing.T, dsn string) {
	w, course, client := enrolledWorld(t, dsn)
	readable := course.On(w.now).Flag("active")
	w.receive(skylight, page(readable))
	w.decide(w.verdict(client, readiness.Hold), plan.Changes{})
	of := func(name string, body string) fhir.Reject {
		return fhir.Reject{Type: "Flag", Ref: name, Subject: fhir.Ref{Type: "Patient", ID: "s-p1"}, Reason: "status: unknown code", Body: []byte(body)}
	}
	for _, c := range []struct {
		name string
		page exchange.Page
	}{
		{"of a client", exchange.Page{Rejects: []fhir.Reject{of("f2", "{1")}}},
		{"twice in one page", exchange.Page{Rejects: []fhir.Reject{of("f3", "{2"), of("f3", "{2")}}},
		{"beside a version of the same record that can be read", exchange.Page{Resources: []fhir.Resource{readable.Resource}, Rejects: []fhir.Reject{of(readable.ID, "{3")}}},
		{"of nobody", exchange.Page{Rejects: []fhir.Reject{{Reason: "no JSON", Body: []byte("<html>")}}}},
		{"of nobody, read to the end", exchange.Page{Complete: true, Rejects: []fhir.Reject{{Reason: "no JSON", Body: []byte("<p>")}}}},
	} {
		c.page.More = !c.page.Complete
		want(t, c.name, w.receive(skylight, c.page).Rejects, 1)
		w.decide(w.verdict(client, readiness.Hold), plan.Changes{})
		before := w.moment()
		open, err := w.Rejects(w.ctx, false)
		w.must(err)
		for range 2 {
			want(t, c.name+", again", w.receive(skylight, c.page), Changed{})
			want(t, c.name+", again: clients to judge", len(w.stale()), 0)
		}
		if c.page.More {
			want(t, c.name+", again: moments", w.moment(), before)
		}
		all, err := w.Rejects(w.ctx, true)
		w.must(err)
		want(t, c.name+", again: rejects", len(all), len(open))
	}
}
