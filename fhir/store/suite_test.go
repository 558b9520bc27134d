package store

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/exchange"
	"github.com/kaphub/kaphub/fhir/fhirtest"
	"github.com/kaphub/kaphub/fhir/plan"
	"github.com/kaphub/kaphub/fhir/readiness"
	"github.com/kaphub/kaphub/fhir/store/storetest"
)

var (
	ehr      = Source{Name: fhirtest.PracticeSource, Party: fhir.Practice}
	skylight = Source{Name: fhirtest.PrescriberSource, Party: fhirtest.Prescriber}
	morning  = time.Date(2026, 3, 3, 16, 15, 0, 0, time.UTC)
	someKey  = func() Key { var k Key; copy(k.b[:], "a key that only tests may ever use"); return k }()
)

// world is one store and the hands that fill it. Time moves only when a test says so.
type world struct {
	testing.TB
	*DB
	ctx   context.Context
	dsn   string
	now   time.Time
	since map[string]exchange.Cursor
	lease map[string]Lease

	prescribers []fhir.Known
}

func newWorld(t testing.TB, dsn string) *world {
	w := &world{TB: t, ctx: t.Context(), dsn: dsn, now: morning, since: map[string]exchange.Cursor{}, lease: map[string]Lease{},
		prescribers: []fhir.Known{fhirtest.Known}}
	w.DB = w.open()
	t.Cleanup(func() {
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	})
	return w
}

func (w *world) open() *DB {
	w.Helper()
	db, err := Open(w.ctx, Options{DSN: w.dsn, Key: someKey, Now: func() time.Time { return w.now },
		Recogniser: fhir.Recogniser{Prescribers: w.prescribers}})
	w.must(err)
	return db
}

func (w *world) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

// want fails unless got is want.
func want[T comparable](t testing.TB, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Fatalf("%s: got %v, want %v", what, got, want)
	}
}

func wantError(t testing.TB, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Fatalf("got error %v, want %v", err, want)
	}
}

func (w *world) leaseOf(src Source) Lease {
	w.Helper()
	if l, ok := w.lease[src.Name]; ok {
		return l
	}
	l, err := w.Lease(w.ctx, src.Name, "test", 24*365*time.Hour)
	w.must(err)
	w.lease[src.Name] = l
	return l
}

// page is a complete page with the given resources.
func page(versions ...fhir.Version) exchange.Page {
	p := exchange.Page{Complete: true}
	for _, v := range versions {
		p.Resources = append(p.Resources, v.Resource)
	}
	return p
}

// receive stores a page of src under the next cursor.
func (w *world) receive(src Source, p exchange.Page) Changed {
	w.Helper()
	p.Next = w.since[src.Name] + "+"
	c, err := w.Receive(w.ctx, src, w.leaseOf(src), w.since[src.Name], p)
	w.must(err)
	w.since[src.Name] = p.Next
	return c
}

func (w *world) sweep(src Source, p exchange.Page) Changed {
	w.Helper()
	name := "sweep:" + src.Name
	p.Next = w.since[name] + "+"
	c, err := w.Sweep(w.ctx, src, w.leaseOf(src), w.since[name], p)
	w.must(err)
	w.since[name] = p.Next
	return c
}

// told gives each source the versions that are its own, in pages of their own.
func (w *world) told(versions ...fhir.Version) {
	w.Helper()
	for _, src := range []Source{ehr, skylight} {
		own := slices.DeleteFunc(slices.Clone(versions), func(v fhir.Version) bool { return v.Source != src.Name })
		w.receive(src, page(own...))
	}
}

// client returns the hub's key of the practice's patient.
func (w *world) client(src Source, patient string) string {
	w.Helper()
	links, err := w.read.LinksOf(w.ctx, linksOfOne(src, patient))
	w.must(err)
	for _, l := range links {
		if l.How != candidate {
			return l.Client
		}
	}
	return ""
}

func (w *world) chart(client string) fhir.Chart {
	w.Helper()
	c, err := w.Chart(w.ctx, client, 0)
	w.must(err)
	return c
}

func (w *world) stale() []Engagement {
	w.Helper()
	list, err := w.Stale(w.ctx, w.now, map[string]string{fhirtest.Prescriber: "p1", "other": "p1"}, 1000)
	w.must(err)
	return list
}

// verdict is a verdict on the chart as it stands.
func (w *world) verdict(client string, state readiness.State) readiness.Verdict {
	w.Helper()
	return readiness.Verdict{Client: client, Prescriber: fhirtest.Prescriber, State: state, Judged: w.now,
		Until: w.now.Add(12 * time.Hour), Moment: w.chart(client).Moment, Policy: "p1"}
}

func (w *world) decide(v readiness.Verdict, c plan.Changes) {
	w.Helper()
	w.must(w.Decide(w.ctx, v, c))
}

// enrolled is a world with one client, known to both sides, and judged.
func enrolledWorld(t testing.TB, dsn string) (*world, *fhirtest.Course, string) {
	w := newWorld(t, dsn)
	course := fhirtest.Client(w.now)
	w.told(course.InOrder()...)
	client := w.client(ehr, course.Patient)
	w.decide(w.verdict(client, readiness.InOrder), plan.Changes{})
	return w, course, client
}

func delivery(client, lane, occasion string) exchange.Delivery {
	return exchange.Delivery{ID: exchange.DeliveryID(client, fhirtest.Prescriber, exchange.WhatTask, occasion), Client: client,
		Prescriber: fhirtest.Prescriber, To: fhirtest.Prescriber, What: exchange.WhatTask, Occasion: occasion, Type: "Task",
		Copy: fhir.ID{System: fhir.SystemCopy, Value: occasion}, Body: []byte(`{"resourceType":"Task"}`), Lane: lane,
		Rests: []fhir.Basis{{Source: "ehr", Type: "ServiceRequest", ID: "r", Version: 1}}, Release: &fhir.Basis{ID: "release", Version: 2}}
}

func TestSQLite(t *testing.T) {
	exercise(t, func(t testing.TB) string { return filepath.Join(t.TempDir(), "kaphub.db") })
}

func TestPostgres(t *testing.T) { exercise(t, storetest.Postgres) }

// exercise is what a store does, on every engine.
func exercise(t *testing.T, fresh func(testing.TB) string) {
	for _, c := range []struct {
		name string
		test func(*testing.T, string)
	}{
		{"a referral makes its subject a client with one engagement", enrols},
		{"an appointment alone engages all prescribers, beside a referral none but the one it names", engages},
		{"a patient nobody referred leaves nothing behind", leavesNothing},
		{"a prescriber's patient with the same number is the same client, whoever comes first", matches},
		{"two patients with one number stay candidates until it is settled", ties},
		{"what tells nothing new makes no version, a hold set again does", versions},
		{"a stale copy never stands for the newer record", older},
		{"a page is stored whole or not at all", atomic},
		{"two readers of one source: one holds the fence", fences},
		{"what cannot be read is kept, shown and superseded", rejects},
		{"a sweep finds what the delta missed and what is gone", sweeps},
		{"a record that moves to another patient is gone for the first", moves},
		{"the chart knows who stands behind the records", directoryEntries},
		{"the chart of a past moment is what was known then", asOf},
		{"a verdict on an old chart conflicts", decideConflicts},
		{"a verdict that says nothing new costs no new verdict", judgesAgain},
		{"a source that fails and comes back has its clients judged again", recovers},
		{"a delivery's life, from staged to delivered", ledgerLife},
		{"one lane, one delivery at a time", lanes},
		{"a lost reply is asked about before it is sent again", lost},
		{"the roster asks only about whom the prescriber was told", roster},
		{"settings and moments of the past", settings},
		{"the audit names what was altered", auditNames},
		{"a new process finds everything where it was", reopens},
		{"two processes may start together", startTogether},
		{"a wrong key opens nothing", wrongKey},
	} {
		t.Run(c.name, func(t *testing.T) { c.test(t, fresh(t)) })
	}
}

func enrols(t *testing.T, dsn string) {
	w, course, client := enrolledWorld(t, dsn)
	if len(client) != 12 || !strings.HasPrefix(client, "c-") {
		t.Fatalf("client key %q", client)
	}
	chart := w.chart(client)
	want(t, "links", len(chart.Links), 2)
	want(t, "referrals", len(chart.ServiceRequests), 1)
	want(t, "tasks", len(chart.Tasks), 3)
	want(t, "latest task", *chart.Tasks[2].Value.Id == *chart.Tasks[0].Value.Id && chart.Tasks[2].Latest && !chart.Tasks[0].Latest, true)
	want(t, "observations", len(chart.Observations), 2)
	want(t, "patient of the prescriber", w.client(skylight, "s-"+course.Patient), client)
	for _, l := range chart.Links {
		want(t, "how "+l.Source, l.How, map[string]string{"ehr": "enrolled", "skylight": "identifier"}[l.Source])
		want(t, "read back", l.ReadBack, false)
	}
	board, err := w.Board(w.ctx, 0)
	w.must(err)
	want(t, "board", len(board), 1)
	want(t, "prescriber", board[0].Prescriber, fhirtest.Prescriber)
	want(t, "judged", board[0].Judged && !board[0].Moved && board[0].Verdict.State == readiness.InOrder, true)
}

func engages(t *testing.T, dsn string) {
	w := newWorld(t, dsn)
	w.must(w.Close())
	w.prescribers = append(w.prescribers, fhir.Known{Name: "other", Identifiers: []fhir.ID{{System: fhir.SystemNPI, Value: "1111111112"}}})
	w.DB = w.open()
	referred, booked := fhirtest.Nth(1, w.now), fhirtest.Nth(2, w.now)
	w.receive(ehr, page(referred.Dosing(referred.Session), referred.Referral(), booked.Dosing(booked.Session)))
	with := map[string]int{}
	for _, e := range w.stale() {
		with[e.Client]++
	}
	want(t, "referred", with[w.client(ehr, "p1")], 1)
	want(t, "only booked", with[w.client(ehr, "p2")], 2)
}

func leavesNothing(t *testing.T, dsn string) {
	w := newWorld(t, dsn)
	course := fhirtest.Client(w.now)
	c := w.receive(ehr, page(course.PatientHere(), course.TreatmentConsent()))
	want(t, "changed", c, Changed{Ignored: 2})
	c = w.receive(skylight, page(course.PatientThere(), course.Task("requested")))
	want(t, "changed", c, Changed{Ignored: 2})
	n, err := w.read.CountVersions(w.ctx)
	w.must(err)
	want(t, "versions", n, 0)
	want(t, "digests of the practice's", len(w.digests(ehr, course.Patient)), 0)
	want(t, "digests of the prescriber's", len(w.digests(skylight, "s-"+course.Patient)), 1)
}

func (w *world) digests(src Source, patient string) []string {
	w.Helper()
	list, err := w.read.DigestsOf(w.ctx, digestsOf(src, patient))
	w.must(err)
	return list
}

func matches(t *testing.T, dsn string) {
	w := newWorld(t, dsn)
	first, second := fhirtest.Nth(1, w.now), fhirtest.Nth(2, w.now)
	w.receive(skylight, page(first.PatientThere(), first.Task("requested"))) // before anybody is a client
	w.receive(ehr, page(first.Referral(), first.PatientHere()))
	w.receive(ehr, page(second.Referral(), second.PatientHere()))
	w.receive(skylight, page(second.Task("requested"), second.PatientThere())) // the order within a page does not matter
	for _, c := range []*fhirtest.Course{first, second} {
		client := w.client(ehr, c.Patient)
		want(t, "same client", w.client(skylight, "s-"+c.Patient), client)
	}
	want(t, "their Task is there", len(w.chart(w.client(ehr, second.Patient)).Tasks), 1)

	r, err := w.Roster(w.ctx, skylight)
	w.must(err)
	want(t, "roster", fmt.Sprint(r.Members), "[{s-p1 false} {s-p2 false}]")
	back := page(first.PatientThere(), first.Task("requested"))
	back.Swept = []string{"s-" + first.Patient}
	w.receive(skylight, back) // what came before the link is read back
	client := w.client(ehr, first.Patient)
	want(t, "their Task is there", len(w.chart(client).Tasks), 1)
	want(t, "read back", w.chart(client).Links[1].ReadBack, true)
}

func ties(t *testing.T, dsn string) {
	w := newWorld(t, dsn)
	first, second := fhirtest.Nth(1, w.now), fhirtest.Nth(2, w.now)
	number := map[string]any{"system": "https://reverie.example/mrn", "value": "SHARED"}
	w.receive(ehr, page(first.Referral(), first.PatientHere(fhirtest.Set("identifier.0", number)),
		second.Referral(), second.PatientHere(fhirtest.Set("identifier.0", number))))
	w.receive(skylight, page(first.PatientThere(fhirtest.Set("identifier.0", number)), first.Task("requested")))
	a, b := w.client(ehr, first.Patient), w.client(ehr, second.Patient)
	want(t, "linked", w.client(skylight, "s-p1"), "")
	for _, client := range []string{a, b} {
		links := w.chart(client).Links
		want(t, "links", len(links), 2)
		want(t, "how", links[1].How, "candidate")
		want(t, "no Task of whom it may not be", len(w.chart(client).Tasks), 0)
	}
	w.receive(ehr, page(second.PatientHere())) // the practice corrects its number
	want(t, "linked", w.client(skylight, "s-p1"), a)
	want(t, "links of the other", len(w.chart(b).Links), 1)
	want(t, "links of the one", len(w.chart(a).Links), 2)
}

func versions(t *testing.T, dsn string) {
	w, course, client := enrolledWorld(t, dsn)
	hold := course.On(w.now).Flag("active")
	want(t, "a hold", w.receive(skylight, page(hold)), Changed{Versions: 1, Clients: 1})
	want(t, "the same again", w.receive(skylight, page(hold)), Changed{})
	lift := course.On(w.now.Add(time.Minute)).Flag("inactive")
	again := course.On(w.now.Add(2 * time.Minute)).Flag("active")
	want(t, "lifted and set again", w.receive(skylight, page(lift, again)).Versions, 2)
	p := page()
	p.Gone = []fhir.Ref{hold.Ref(), {Type: "Flag", ID: "never heard of"}}
	want(t, "deleted", w.receive(skylight, p), Changed{Gone: 1, Clients: 1})
	want(t, "deleted again", w.receive(skylight, p), Changed{})
	flags := w.chart(client).Flags
	want(t, "versions of the hold", len(flags), 4)
	want(t, "gone", flags[3].Gone && flags[3].Latest && flags[3].Why == "deleted", true)
	want(t, "and back", w.receive(skylight, page(again)).Versions, 1)
	want(t, "number", w.chart(client).Flags[4].N, 5)
}

func older(t *testing.T, dsn string) {
	w, course, client := enrolledWorld(t, dsn)
	free := course.On(w.now.Add(-2 * time.Minute)).Flag("inactive")
	hold := course.On(w.now.Add(-time.Minute)).Flag("active")
	w.receive(skylight, page(free))
	w.receive(skylight, page(hold))
	want(t, "an old copy that is known", w.receive(skylight, page(free)), Changed{})
	unknown := course.On(w.now.Add(-90*time.Second)).Flag("inactive", fhirtest.Set("meta.versionId", "9"))
	unknown.Resource.VersionID = "9"
	want(t, "an old copy that is not", w.receive(skylight, page(unknown)).Versions, 2)
	flags := fhir.Now(w.chart(client).Flags)
	want(t, "one hold", len(flags), 1)
	want(t, "it stands", flags[0].Resource.Hash, hold.Resource.Hash)
}

func atomic(t *testing.T, dsn string) {
	w, course, client := enrolledWorld(t, dsn)
	before := w.chart(client).Moment
	p := page(course.On(w.now).Flag("active"))
	ctx, cancel := context.WithCancel(w.ctx)
	cancel()
	if _, err := w.Receive(ctx, skylight, w.leaseOf(skylight), w.since["skylight"], p); err == nil {
		t.Fatal("a page was stored under a context that had ended")
	}
	_, _ = w.Receive(w.ctx, skylight, w.leaseOf(skylight), "not the stored cursor", p)
	want(t, "moment", w.chart(client).Moment, before)
	cursor, err := w.Cursor(w.ctx, "skylight")
	w.must(err)
	want(t, "cursor", cursor, w.since["skylight"])
}

func fences(t *testing.T, dsn string) {
	w := newWorld(t, dsn)
	first, err := w.Lease(w.ctx, "ehr", "one", time.Minute)
	w.must(err)
	_, err = w.Lease(w.ctx, "ehr", "two", time.Minute)
	wantError(t, err, exchange.ErrBusy)
	w.now = w.now.Add(2 * time.Minute)
	second, err := w.Lease(w.ctx, "ehr", "two", time.Minute)
	w.must(err)
	course := fhirtest.Client(w.now)
	_, err = w.Receive(w.ctx, ehr, first, "", page(course.Referral()))
	wantError(t, err, exchange.ErrConflict)
	w.must(w.Release(w.ctx, first)) // too late to matter
	p := page(course.Referral())
	p.Next = "1"
	_, err = w.Receive(w.ctx, ehr, second, "", p)
	w.must(err)
	_, err = w.Receive(w.ctx, ehr, second, "", p)
	wantError(t, err, exchange.ErrConflict)
	w.must(w.Release(w.ctx, second))
	third, err := w.Lease(w.ctx, "ehr", "three", time.Minute)
	w.must(err)
	want(t, "fence", third.Fence, 3)
	if _, err = w.Receive(w.ctx, skylight, third, "", p); err == nil {
		t.Fatal("a lease of one source served another")
	}
}

func rejects(t *testing.T, dsn string) {
	w, course, client := enrolledWorld(t, dsn)
	hold := course.On(w.now).Flag("active")
	garbled := fhir.Reject{Type: "Flag", Ref: hold.ID, Subject: fhir.Ref{Type: "Patient", ID: "s-p1"}, Reason: "status: unknown code", Body: []byte("{\xff\x00"), Hash: "f00d"}
	p := page()
	p.Rejects = []fhir.Reject{garbled}
	want(t, "a garbled hold", w.receive(skylight, p), Changed{Rejects: 1, Clients: 1})
	want(t, "twice", w.receive(skylight, p), Changed{})
	open := w.chart(client).Rejects
	want(t, "open", len(open), 1)
	want(t, "kept whole", string(open[0].Body), string(garbled.Body))
	want(t, "source", w.source("skylight").Complete, true) // it belongs to somebody

	then := w.chart(client).Moment
	want(t, "then it can be read", w.receive(skylight, page(hold)), Changed{Versions: 1, Clients: 1})
	want(t, "open", len(w.chart(client).Rejects), 0)
	past, err := w.Chart(w.ctx, client, then)
	w.must(err)
	want(t, "open then", len(past.Rejects), 1)

	p.Rejects = []fhir.Reject{{Type: "Fl\x00ag", Ref: "\xff\x00", Subject: fhir.Ref{Type: "Patient", ID: "s-p1\x00"}, Reason: "garbage", Body: []byte("\x00"), Hash: "beef"}}
	p.Resources = []fhir.Resource{{Type: "Flag", ID: "x\x00y", Body: hold.Resource.Body, Hash: "ace"}}
	want(t, "garbage is no reason to stop", w.receive(skylight, p), Changed{Rejects: 2, Clients: 1})
	list, err := w.Rejects(w.ctx, false)
	w.must(err)
	for _, j := range list {
		w.must(w.Resolve(w.ctx, "admin", j.ID, "garbage"))
	}
	w.receive(skylight, page())
	p.Resources = nil

	p.Rejects = []fhir.Reject{{Reason: "no JSON", Body: []byte("<html>"), Hash: "cafe"}}
	w.decide(w.verdict(client, readiness.InOrder), plan.Changes{})
	want(t, "one that belongs to nobody", w.receive(skylight, p), Changed{Rejects: 1, Clients: 1})
	want(t, "complete", w.source("skylight").Complete, false)
	list, err = w.Rejects(w.ctx, false)
	w.must(err)
	want(t, "open", len(list), 1)
	w.must(w.Resolve(w.ctx, "admin", list[0].ID, "an error page, nothing of a client"))
	w.receive(skylight, page())
	want(t, "complete", w.source("skylight").Complete, true)
	all, err := w.Rejects(w.ctx, true)
	w.must(err)
	want(t, "all", len(all), 4)
	one, err := w.Reject(w.ctx, list[0].ID)
	w.must(err)
	want(t, "resolved", one.Resolved, "an error page, nothing of a client")
	_, err = w.Reject(w.ctx, "r-0")
	wantError(t, err, exchange.ErrNotFound)
}

func (w *world) source(name string) fhir.SourceState {
	w.Helper()
	list, err := w.Sources(w.ctx, 0)
	w.must(err)
	for _, s := range list {
		if s.Name == name {
			return s
		}
	}
	return fhir.SourceState{}
}

func sweeps(t *testing.T, dsn string) {
	w, course, client := enrolledWorld(t, dsn)
	there := slices.DeleteFunc(course.InOrder(), func(v fhir.Version) bool { return v.Source != "skylight" })
	complete := w.source("skylight").LastComplete
	w.now = w.now.Add(time.Hour)

	p := page(there...)
	p.Swept = []string{"s-p1"}
	changed := w.receive(skylight, p) // the first is the read back
	want(t, "missed by the read back", changed.Missed, 0)
	hold := course.On(w.now).Flag("active")
	p.Resources = append(p.Resources, hold.Resource)
	changed = w.sweep(skylight, p)
	want(t, "missed", changed.Missed, 1)
	want(t, "gone", changed.Gone, 0)
	want(t, "a sweep makes nothing complete", w.source("skylight").LastComplete.After(complete.Add(2*time.Hour)), false)

	p.Resources = slices.DeleteFunc(p.Resources, func(r fhir.Resource) bool { return r.Type == "Observation" || r.Type == "Appointment" })
	changed = w.sweep(skylight, p)
	want(t, "the clearance is gone, the appointment is merely over", changed.Gone, 1)
	want(t, "missed", changed.Missed, 1)
	var why string
	for _, o := range w.chart(client).Observations {
		if o.Gone {
			why = o.Why
		}
	}
	want(t, "why", why, "absent from sweep")
	p.Resources, p.Unknowns = nil, 1
	want(t, "rows were withheld: nothing is absent", w.sweep(skylight, p).Gone, 0)
	want(t, "complete", w.source("skylight").Complete, false)
}

func moves(t *testing.T, dsn string) {
	w := newWorld(t, dsn)
	first, second := fhirtest.Nth(1, w.now), fhirtest.Nth(2, w.now)
	w.told(first.InOrder()...)
	w.told(second.InOrder()...)
	a, b := w.client(ehr, first.Patient), w.client(ehr, second.Patient)
	cleared := first.On(w.now).Clearance(fhir.DecisionCleared, first.Day(0), first.Day(90), fhirtest.Set("subject.reference", "Patient/s-p2"))
	w.receive(skylight, page(cleared))
	for _, o := range fhir.Now(w.chart(a).Observations) {
		want(t, "misfiled clearance still there", o.ID == cleared.ID, false)
	}
	want(t, "the other client's", len(fhir.Now(w.chart(b).Observations)), 3)
	stranger := first.On(w.now.Add(time.Minute)).Clearance(fhir.DecisionCleared, first.Day(0), first.Day(90), fhirtest.Set("subject.reference", "Patient/stranger"))
	want(t, "gone to a stranger", w.receive(skylight, page(stranger)), Changed{Gone: 1, Ignored: 1, Clients: 1})
	want(t, "the other client's", len(fhir.Now(w.chart(b).Observations)), 2)
}

func directoryEntries(t *testing.T, dsn string) {
	w, course, client := enrolledWorld(t, dsn)
	res := func(body string) fhir.Version {
		r, err := fhir.Parse([]byte(body), "")
		w.must(err)
		return fhir.Version{Resource: r}
	}
	role := res(`{"resourceType":"PractitionerRole","id":"r1","practitioner":{"reference":"Practitioner/dr1"}}`)
	doctor := res(`{"resourceType":"Practitioner","id":"dr1","active":true}`)
	stranger := res(`{"resourceType":"Practitioner","id":"dr2","active":true}`)
	w.receive(skylight, page(role, doctor, stranger))
	want(t, "practitioners nobody refers to", len(w.chart(client).Practitioners), 0)
	before := w.chart(client).Moment
	w.receive(skylight, page(course.On(w.now).Clearance(fhir.DecisionCleared, course.Day(0), course.Day(90),
		fhirtest.Set("performer.0", map[string]any{"reference": "PractitionerRole/r1"}))))
	chart := w.chart(client)
	want(t, "roles", len(chart.PractitionerRoles), 1)
	want(t, "practitioners", len(chart.Practitioners), 1)
	past, err := w.Chart(w.ctx, client, before)
	w.must(err)
	want(t, "then", len(past.PractitionerRoles), 0)
	w.decide(w.verdict(client, readiness.InOrder), plan.Changes{})
	left := res(`{"resourceType":"Practitioner","id":"dr1","active":false}`)
	want(t, "the doctor leaves", w.receive(skylight, page(left)), Changed{Versions: 1, Clients: 1})
	want(t, "practitioners", len(w.chart(client).Practitioners), 2)
}

func asOf(t *testing.T, dsn string) {
	w, course, client := enrolledWorld(t, dsn)
	then := w.chart(client).Moment
	w.now = w.now.Add(time.Hour)
	w.receive(skylight, page(course.On(w.now).Clearance(fhir.DecisionWithdrawn, course.Day(0), course.Day(1))))
	w.decide(w.verdict(client, readiness.Hold), plan.Changes{})

	past, err := w.Chart(w.ctx, client, then)
	w.must(err)
	want(t, "observations then", len(past.Observations), 2)
	want(t, "observations now", len(w.chart(client).Observations), 3)
	want(t, "source then", past.Sources[0].LastComplete.Equal(morning), true)
	e := Engagement{Client: client, Prescriber: fhirtest.Prescriber}
	s, err := w.Standing(w.ctx, e, then)
	w.must(err)
	want(t, "verdict then", s.Verdict.State, readiness.InOrder)
	want(t, "moved then", s.Moved, false)
	s, err = w.Standing(w.ctx, e, 0)
	w.must(err)
	want(t, "verdict now", s.Verdict.State, readiness.Hold)
	board, err := w.Board(w.ctx, then)
	w.must(err)
	want(t, "board then", board[0].Verdict.State, readiness.InOrder)
	board, err = w.Board(w.ctx, 1)
	w.must(err)
	want(t, "board on the first day", len(board), 1)
	want(t, "not judged yet", board[0].Judged, false)
	m, err := w.MomentAt(w.ctx, morning.Add(time.Minute))
	w.must(err)
	want(t, "the moment", m, then)
	m, err = w.MomentAt(w.ctx, morning.Add(-time.Minute))
	w.must(err)
	want(t, "before all time", m, 0)
	_, err = w.Chart(w.ctx, "c-nobody", 0)
	wantError(t, err, exchange.ErrNotFound)
}

func decideConflicts(t *testing.T, dsn string) {
	w, course, client := enrolledWorld(t, dsn)
	old := w.verdict(client, readiness.Ready)
	w.receive(skylight, page(course.On(w.now).Flag("active")))
	d := delivery(client, "lane", "1")
	wantError(t, w.Decide(w.ctx, old, plan.Changes{Stage: []exchange.Delivery{d}}), exchange.ErrConflict)
	_, err := w.Delivery(w.ctx, d.ID)
	wantError(t, err, exchange.ErrNotFound)
	want(t, "stale", fmt.Sprint(w.stale()), fmt.Sprintf("[{%s skylight}]", client))
	w.decide(w.verdict(client, readiness.Hold), plan.Changes{Stage: []exchange.Delivery{d, d}})
	want(t, "stale", len(w.stale()), 0)
	l, err := w.Ledger(w.ctx, Engagement{Client: client, Prescriber: fhirtest.Prescriber})
	w.must(err)
	want(t, "ledger", len(l), 1)
	want(t, "what it rests on", fmt.Sprint(l[0].Rests, *l[0].Release), fmt.Sprint(d.Rests, *d.Release))
	wantError(t, w.Decide(w.ctx, readiness.Verdict{Client: "c-nobody", Prescriber: "skylight"}, plan.Changes{}), exchange.ErrNotFound)
}

func judgesAgain(t *testing.T, dsn string) {
	w, _, client := enrolledWorld(t, dsn)
	e := Engagement{Client: client, Prescriber: fhirtest.Prescriber}
	count := func() (n int) {
		rows, err := w.read.VerdictsFrom(w.ctx, everyVerdict)
		w.must(err)
		return len(rows)
	}
	before := w.chart(client).Moment
	want(t, "verdicts", count(), 1)
	w.now = w.now.Add(13 * time.Hour)
	want(t, "its time has passed", len(w.stale()), 1)
	w.decide(w.verdict(client, readiness.InOrder), plan.Changes{})
	want(t, "verdicts", count(), 1)
	want(t, "stale", len(w.stale()), 0)
	now, err := w.Standing(w.ctx, e, 0)
	w.must(err)
	want(t, "until", now.Verdict.Until.Equal(w.now.Add(12*time.Hour)), true)
	then, err := w.Standing(w.ctx, e, before)
	w.must(err)
	want(t, "until, then", then.Verdict.Until.Equal(morning.Add(12*time.Hour)), true)

	v := w.verdict(client, readiness.NotReady)
	v.Findings = []readiness.Finding{{ID: "f1", Code: "R17", Severity: readiness.S3, State: readiness.New}}
	w.decide(v, plan.Changes{})
	want(t, "verdicts", count(), 2)
	list, err := w.Stale(w.ctx, w.now, map[string]string{fhirtest.Prescriber: "p2", "nobody": "p1"}, 10)
	w.must(err)
	want(t, "another policy", len(list), 1)
}

func recovers(t *testing.T, dsn string) {
	w, _, client := enrolledWorld(t, dsn)
	w.now = w.now.Add(15 * time.Minute)
	w.receive(skylight, page())
	w.receive(ehr, page())
	want(t, "a fresh source read once more touches nobody", len(w.stale()), 0)
	w.must(w.DB.Failed(w.ctx, skylight, "temporary"))
	want(t, "complete", w.source("skylight").Complete, false)
	want(t, "why", w.source("skylight").Why, "temporary")
	want(t, "judged again", len(w.stale()), 1)
	w.decide(w.verdict(client, readiness.InOrder), plan.Changes{})
	w.receive(skylight, page())
	want(t, "and again", len(w.stale()), 1)

	v := w.verdict(client, readiness.Unknown)
	v.Findings = []readiness.Finding{{ID: "f", Code: "R44"}}
	w.decide(v, plan.Changes{})
	w.receive(ehr, page())
	want(t, "nothing new: complete at the same time", len(w.stale()), 0)
	w.now = w.now.Add(time.Minute)
	w.receive(ehr, page())
	want(t, "UNKNOWN for want of a read is judged after one", len(w.stale()), 1)
	more := page()
	more.More, more.Unknowns = true, 2
	w.receive(ehr, more)
	want(t, "complete until the read has ended", w.source("ehr").Complete, true)
	w.receive(ehr, page())
	want(t, "rows withheld on an earlier page", w.source("ehr").Complete, false)
	w.receive(ehr, page())
	want(t, "complete", w.source("ehr").Complete, true)
}

func ledgerLife(t *testing.T, dsn string) {
	w, _, client := enrolledWorld(t, dsn)
	a, b := delivery(client, "", "a"), delivery(client, "", "b")
	w.decide(w.verdict(client, readiness.InOrder), plan.Changes{Stage: []exchange.Delivery{a, b}})
	due, err := w.Due(w.ctx, fhirtest.Prescriber, w.now, 10)
	w.must(err)
	want(t, "due", len(due), 2)
	want(t, "body", string(due[0].Body), string(a.Body))

	f, before, err := w.Attempt(w.ctx, a.ID, time.Minute)
	w.must(err)
	want(t, "as it stood", before.State, exchange.Staged)
	_, _, err = w.Attempt(w.ctx, a.ID, time.Minute)
	wantError(t, err, exchange.ErrBusy)
	want(t, "due meanwhile", len(w.due()), 1)
	wantError(t, w.Withdraw(w.ctx, a.ID, "no"), exchange.ErrConflict)
	wantError(t, w.Decide(w.ctx, w.verdict(client, readiness.InOrder), plan.Changes{Withdraw: []string{a.ID}}), exchange.ErrConflict)
	w.must(w.Deliver(w.ctx, f, exchange.Receipt{Outcome: exchange.OutcomeCreated, Ref: fhir.Ref{Type: "Task", ID: "t1"}, At: w.now}))
	wantError(t, w.Deliver(w.ctx, f, exchange.Receipt{}), exchange.ErrConflict)
	e, err := w.Delivery(w.ctx, a.ID)
	w.must(err)
	want(t, "state", e.State, exchange.Delivered)
	want(t, "where", e.Receipt.Ref.ID, "t1")
	want(t, "planned again", len(w.stale()), 1)

	w.decide(w.verdict(client, readiness.NotReady), plan.Changes{Withdraw: []string{b.ID}})
	list, err := w.Deliveries(w.ctx, exchange.Withdrawn)
	w.must(err)
	want(t, "withdrawn", len(list), 1)
	w.decide(w.verdict(client, readiness.InOrder), plan.Changes{Stage: []exchange.Delivery{a, b}})
	want(t, "what is in the ledger is not staged again", len(w.due()), 0)
	_, _, err = w.Attempt(w.ctx, "nothing", time.Minute)
	wantError(t, err, exchange.ErrNotFound)
}

func (w *world) due() []exchange.Entry {
	w.Helper()
	due, err := w.Due(w.ctx, fhirtest.Prescriber, w.now, 10)
	w.must(err)
	return due
}

func lanes(t *testing.T, dsn string) {
	w, _, client := enrolledWorld(t, dsn)
	a, b, other := delivery(client, "x", "a"), delivery(client, "x", "b"), delivery(client, "y", "c")
	w.decide(w.verdict(client, readiness.InOrder), plan.Changes{Stage: []exchange.Delivery{a, b, other}})
	occasions := func() (s string) {
		for _, e := range w.due() {
			s += e.Occasion
		}
		return s
	}
	want(t, "due", occasions(), "ac")
	f, _, err := w.Attempt(w.ctx, a.ID, time.Minute)
	w.must(err)
	w.must(w.Deliver(w.ctx, f, exchange.Receipt{Outcome: exchange.OutcomeUnknown}))
	want(t, "an unknown outcome holds the lane", occasions(), "c")
	w.must(w.Retry(w.ctx, a.ID))
	want(t, "due", occasions(), "ac")
	f, before, err := w.Attempt(w.ctx, a.ID, time.Minute)
	w.must(err)
	want(t, "an unknown one is asked about", before.State, exchange.Attempted)
	w.must(w.Deliver(w.ctx, f, exchange.Receipt{Outcome: exchange.OutcomeRefused, Codes: []string{"error/invalid"}}))
	want(t, "a refused one frees the lane", occasions(), "bc")
	w.must(w.Retry(w.ctx, a.ID))
	want(t, "tried again by hand", occasions(), "ac")
	wantError(t, w.Retry(w.ctx, b.ID), exchange.ErrConflict)
}

func lost(t *testing.T, dsn string) {
	w, _, client := enrolledWorld(t, dsn)
	a := delivery(client, "x", "a")
	w.decide(w.verdict(client, readiness.InOrder), plan.Changes{Stage: []exchange.Delivery{a}})
	f, _, err := w.Attempt(w.ctx, a.ID, time.Minute)
	w.must(err)
	w.must(w.Defer(w.ctx, f, w.now.Add(time.Minute), "temporary"))
	want(t, "due", len(w.due()), 0)
	w.now = w.now.Add(time.Minute)
	f, before, err := w.Attempt(w.ctx, a.ID, time.Minute)
	w.must(err)
	want(t, "it did not arrive for sure", before.State, exchange.Staged)
	want(t, "why", before.Why, "temporary")

	// The process dies here. Another takes over when its time is up.
	w.now = w.now.Add(2 * time.Minute)
	want(t, "due", len(w.due()), 1)
	g, before, err := w.Attempt(w.ctx, a.ID, time.Minute)
	w.must(err)
	want(t, "it may have arrived", before.State, exchange.Attempted)
	wantError(t, w.Defer(w.ctx, f, w.now, "late"), exchange.ErrConflict)
	w.must(w.Lost(w.ctx, g, w.now, "reply lost"))
	g, _, err = w.Attempt(w.ctx, a.ID, time.Minute)
	w.must(err)
	w.must(w.Defer(w.ctx, g, w.now, "unreachable"))
	e, err := w.Delivery(w.ctx, a.ID)
	w.must(err)
	want(t, "an earlier try may still have arrived", e.State, exchange.Attempted)
	want(t, "attempts", e.Attempts, 4)
}

func roster(t *testing.T, dsn string) {
	w := newWorld(t, dsn)
	course := fhirtest.Client(w.now)
	w.receive(ehr, page(course.Referral(), course.PatientHere()))
	client := w.client(ehr, course.Patient)
	r, err := w.Roster(w.ctx, skylight)
	w.must(err)
	want(t, "asking tells: nobody yet", len(r.Wanted)+len(r.Members), 0)
	d := delivery(client, "", "a")
	w.decide(w.verdict(client, readiness.NotReady), plan.Changes{Stage: []exchange.Delivery{d}})
	_, _, err = w.Attempt(w.ctx, d.ID, time.Minute)
	w.must(err)
	r, err = w.Roster(w.ctx, skylight)
	w.must(err)
	want(t, "wanted", fmt.Sprint(r.Wanted), fmt.Sprintf("[{%s %s} {https://reverie.example/mrn MRN-p1}]", fhir.SystemClient, client))
	r, err = w.Roster(w.ctx, ehr)
	w.must(err)
	want(t, "members", fmt.Sprint(r.Members), "[{p1 false}]")

	calendar := Source{Name: "calendar", Party: fhir.Practice}
	r, err = w.Roster(w.ctx, calendar)
	w.must(err)
	want(t, "wanted in the calendar", fmt.Sprint(r.Wanted), "[{https://reverie.example/mrn MRN-p1}]")
	w.receive(calendar, page(course.PatientHere(fhirtest.Set("id", "cal-9"))))
	want(t, "nobody is a client twice", w.client(calendar, "cal-9"), client)

	course.Client = client
	w.receive(skylight, page(course.PatientThere(fhirtest.Set("identifier.0.value", "another number"))))
	want(t, "our own key links", w.client(skylight, "s-p1"), client)
}

func settings(t *testing.T, dsn string) {
	w := newWorld(t, dsn)
	value, err := w.Setting(w.ctx, "rules", 0)
	w.must(err)
	want(t, "unset", value, "")
	w.must(w.Set(w.ctx, "admin", "rules", "one"))
	then, err := w.MomentAt(w.ctx, w.now)
	w.must(err)
	w.now = w.now.Add(-time.Hour) // the clock is set back
	w.must(w.Set(w.ctx, "admin", "rules", "two"))
	value, err = w.Setting(w.ctx, "rules", then)
	w.must(err)
	want(t, "then", value, "one")
	value, err = w.Setting(w.ctx, "rules", 0)
	w.must(err)
	want(t, "now", value, "two")
	log, err := w.AuditLog(w.ctx, 0, 10)
	w.must(err)
	want(t, "entries", len(log), 2)
	want(t, "time never runs backwards", log[1].At.Equal(morning), true)
	want(t, "who", log[1].Actor, "admin")
	paused, err := w.Paused(w.ctx)
	w.must(err)
	want(t, "paused", paused, false)
}

func auditNames(t *testing.T, dsn string) {
	w, course, client := enrolledWorld(t, dsn)
	d := delivery(client, "", "a")
	w.decide(w.verdict(client, readiness.NotReady), plan.Changes{Stage: []exchange.Delivery{d}})
	f, _, err := w.Attempt(w.ctx, d.ID, time.Minute)
	w.must(err)
	w.must(w.Deliver(w.ctx, f, exchange.Receipt{Outcome: exchange.OutcomeCreated}))
	p := page()
	p.Rejects = []fhir.Reject{{Reason: "no JSON", Body: []byte("<html>")}}
	w.receive(ehr, p)
	list, err := w.Rejects(w.ctx, false)
	w.must(err)
	w.must(w.Resolve(w.ctx, "admin", list[0].ID, "nothing"))
	w.must(w.Audit(w.ctx, "admin", "looked at", client, "chart"))
	var done, total int64
	report, err := w.VerifyAudit(w.ctx, func(d, t int64) { done, total = d, t })
	w.must(err)
	if len(report.Broken)+len(report.Altered) > 0 || report.Entries == 0 {
		t.Fatalf("an honest store: %+v", report)
	}
	want(t, "progress", done, total)

	for _, c := range []struct{ name, do, undo, named string }{
		{"a clearance is made to say more", `UPDATE version SET body = body || ' ' WHERE type = 'Observation' AND id = 'clearance-` + course.Patient + `'`,
			`UPDATE version SET body = substr(body, 1, length(body) - 1) WHERE type = 'Observation' AND id = 'clearance-` + course.Patient + `'`, "Observation/clearance-p1 version 1"},
		{"what was sent is changed", `UPDATE delivery SET body = 'x' || body`, `UPDATE delivery SET body = substr(body, 2)`, "delivery " + d.ID},
		{"a receipt is changed", `UPDATE delivery SET state = 'refused'`, `UPDATE delivery SET state = 'delivered'`, "how it stands"},
		{"a patient is made another's", `UPDATE link SET client = client || 'x'`, `UPDATE link SET client = substr(client, 1, length(client) - 1)`, "link of"},
		{"a verdict is changed", `UPDATE verdict SET body = body || ' '`, `UPDATE verdict SET body = substr(body, 1, length(body) - 1)`, "verdict on " + client},
		{"a record is moved to another commit", `UPDATE version SET moment = moment + 1 WHERE type = 'Flag' OR type = 'Consent'`, `UPDATE version SET moment = moment - 1 WHERE type = 'Flag' OR type = 'Consent'`, "what commit"},
		{"a record is removed", `CREATE TABLE aside AS SELECT * FROM version WHERE type = 'Consent'; DELETE FROM version WHERE type = 'Consent'`,
			`INSERT INTO version SELECT * FROM aside; DROP TABLE aside`, "what commit"},
	} {
		w.exec(c.do)
		report, err := w.VerifyAudit(w.ctx, nil)
		w.must(err)
		if !strings.Contains(strings.Join(report.Altered, "\n"), c.named) || len(report.Broken) > 0 {
			t.Errorf("%s: %q is not named: %+v", c.name, c.named, report)
		}
		w.exec(c.undo)
	}
	w.exec(`UPDATE audit SET actor = 'nobody' WHERE action = 'looked at'`)
	report, err = w.VerifyAudit(w.ctx, nil)
	w.must(err)
	if len(report.Broken) == 0 {
		t.Error("a forged actor was not seen")
	}
	w.exec(`UPDATE audit SET actor = 'admin' WHERE action = 'looked at'`)
	w.exec(`DELETE FROM audit WHERE action = 'looked at'`)
	report, err = w.VerifyAudit(w.ctx, nil)
	w.must(err)
	if len(report.Broken) == 0 {
		t.Error("the last line was cut off, and it was not seen")
	}
}

func (w *world) exec(statements string) {
	w.Helper()
	for _, statement := range strings.Split(statements, ";") {
		_, err := w.writer.ExecContext(w.ctx, statement)
		w.must(err)
	}
}

func reopens(t *testing.T, dsn string) {
	w, course, client := enrolledWorld(t, dsn)
	before := w.chart(client)
	w.must(w.Close())
	w.DB = w.open()
	after := w.chart(client)
	want(t, "moment", after.Moment, before.Moment)
	for i, o := range after.Observations {
		want(t, "byte for byte", string(o.Resource.Body), string(before.Observations[i].Resource.Body))
		want(t, "last updated", o.Resource.LastUpdated.Equal(before.Observations[i].Resource.LastUpdated), true)
	}
	var again []fhir.Version
	for _, task := range fhir.Of(fhirtest.Prescriber, after.Tasks) {
		again = append(again, *task.Version)
	}
	want(t, "told again", w.receive(skylight, page(again...)), Changed{})
	want(t, "something new", w.receive(skylight, page(course.On(w.now).Flag("active"))).Versions, 1)
}

func startTogether(t *testing.T, dsn string) {
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			db, err := Open(t.Context(), Options{DSN: dsn, Key: someKey})
			if err != nil {
				t.Error(err)
				return
			}
			for range 5 {
				if err := db.Audit(t.Context(), "test", "start", "", ""); err != nil {
					t.Error(err)
				}
			}
			if err := db.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	w := newWorld(t, dsn)
	report, err := w.VerifyAudit(w.ctx, nil)
	w.must(err)
	want(t, "entries", report.Entries, 20)
	want(t, "broken", len(report.Broken), 0)
}

func wrongKey(t *testing.T, dsn string) {
	newWorld(t, dsn)
	_, err := Open(t.Context(), Options{DSN: dsn, Key: NewKey()})
	if err == nil || !strings.Contains(err.Error(), "cannot be opened with this key file") {
		t.Fatalf("got %v", err)
	}
	if _, err := Open(t.Context(), Options{DSN: dsn}); err == nil {
		t.Fatal("opened without a key")
	}
}
