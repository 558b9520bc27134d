package store

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/exchange"
	"github.com/kaphub/kaphub/fhir/fhirtest"
	"github.com/kaphub/kaphub/fhir/plan"
	"github.com/kaphub/kaphub/fhir/readiness"
)

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
	want(t, "roster", fmt.Sprint(r.New, w.whole(r).Members), "[s-p1 s-p2] [s-p1 s-p2]")
	back := page(first.PatientThere(), first.Task("requested"))
	back.Swept = []string{"s-" + first.Patient}
	w.receive(skylight, back) // what came before the link is read back
	client := w.client(ehr, first.Patient)
	want(t, "their Task is there", len(w.chart(client).Tasks), 1)
	want(t, "read back", w.chart(client).Links[1].ReadBack, true)
	want(t, "and since when", w.chart(client).Links[1].Whole, w.chart(client).Moment) // what came up to it had been there before (R14)
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

func persons(t *testing.T, dsn string) {
	w, course, client := enrolledWorld(t, dsn)
	patient := "s-" + course.Patient
	then := w.chart(client).Moment
	pair := w.pairID(skylight.Name, patient, client)
	w.must(w.Undo(w.ctx, "admin", pair, "", "another person"))
	wantError(t, w.Undo(w.ctx, "admin", pair, "", "again"), exchange.ErrConflict)
	want(t, "Tasks after", len(w.chart(client).Tasks), 0)
	want(t, "judged again", len(w.stale()), 1)
	past, err := w.Chart(w.ctx, client, then)
	w.must(err)
	want(t, "Tasks then", len(past.Tasks), 3)

	w.receive(skylight, page(course.On(w.now).PatientThere()))
	want(t, "not linked again by number", w.client(skylight, patient), "")
	want(t, "but shown", w.chart(client).Links[1].How, "candidate")
	w.must(w.Confirm(w.ctx, "admin", pair, ""))
	wantError(t, w.Confirm(w.ctx, "admin", pair, ""), exchange.ErrConflict)
	links := w.chart(client).Links
	want(t, "links", len(links), 2)
	want(t, "how", links[1].How, "person")
	want(t, "Tasks again", len(w.chart(client).Tasks), 3)
	report, err := w.VerifyAudit(w.ctx, nil)
	w.must(err)
	want(t, "altered", strings.Join(report.Altered, ","), "")
	w.exec("UPDATE link SET ended = 0 WHERE how = 'identifier'")
	report, err = w.VerifyAudit(w.ctx, nil)
	w.must(err)
	want(t, "a link brought back in secret", len(report.Altered), 1)
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

	ahead := course.On(w.now.Add(49 * time.Hour)).Flag("inactive")
	w.receive(skylight, page(ahead))
	w.now = w.now.Add(time.Hour)
	again := course.On(w.now.Add(-time.Minute)).Flag("active")
	w.receive(skylight, page(again))
	flags = fhir.Now(w.chart(client).Flags)
	want(t, "a hold set after a clock that ran ahead was set right", flags[0].Resource.Hash, again.Resource.Hash)
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
	stranger := fhir.Reject{ID: "r-0", Source: "skylight", Subject: fhir.Ref{Type: "Patient", ID: "nobody"}}
	whose, err := w.WhoseRejects(w.ctx, append(open, stranger))
	w.must(err)
	want(t, "whose", len(whose) == 1 && whose[open[0].ID] == client, true)
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
	kept := p.Resources
	p.Resources, p.Rejects = nil, []fhir.Reject{{Type: "Flag", Subject: fhir.Ref{Type: "Patient", ID: "s-p1"}, Reason: "no-id", Body: []byte("{")}}
	want(t, "a row without an id may be any of them: nothing is absent", w.sweep(skylight, p).Gone, 0)
	moved := []byte(`{"resourceType":"Flag","id":"hold-p1","subject":{"reference":"Patient/somebody"},"status":null}`)
	p.Resources, p.Swept, p.Rejects = kept, nil, []fhir.Reject{{Type: "Flag", Ref: hold.ID, Subject: fhir.Ref{Type: "Patient", ID: "somebody"}, Reason: "null", Body: moved}}
	before := len(w.chart(client).Rejects)
	w.sweep(skylight, p)
	want(t, "what was the client's and cannot be read now is theirs to doubt", len(w.chart(client).Rejects), before+1)
	p.Resources, p.Swept, p.Rejects, p.Unknowns = nil, []string{"s-p1"}, nil, 1
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

func nobodys(t *testing.T, dsn string) {
	w, course, client := enrolledWorld(t, dsn)
	at := course.On(w.now)
	told := func(body string) fhir.Version { return at.Told(skylight.Name, skylight.Party, body) }
	task := func(id, about string) fhir.Version {
		return told(`{"resourceType":"Task","id":"` + id + `","status":"requested","intent":"proposal",` + about + `"code":{"coding":[{"system":"` + fhir.SystemTaskCode + `","code":"abort"}]}}`)
	}
	rejected := func() int { return len(w.chart(client).Rejects) }
	tasks := len(fhir.Now(w.chart(client).Tasks))
	now := func() int { return len(fhir.Now(w.chart(client).Tasks)) - tasks }

	want(t, "about nothing", w.receive(skylight, page(task("a", ""))).Ignored, 1)
	want(t, "about a stranger's record", w.receive(skylight, page(task("b", `"focus":{"reference":"ServiceRequest/unheard-of"},`))).Ignored, 1)
	want(t, "neither is the client's", now(), 0)
	w.receive(skylight, page(task("c", `"focus":{"reference":"Observation/clearance-p1"},`)))
	want(t, "one about their decision is", now(), 1)
	w.receive(skylight, page(task("d", `"partOf":[{"reference":"Task/c"}],`)))
	want(t, "and one that is part of that", now(), 2)
	w.receive(skylight, page(task("e", `"focus":{"reference":"Task/f"},`), at.Told(skylight.Name, skylight.Party,
		`{"resourceType":"Task","id":"f","status":"requested","intent":"order","for":{"reference":"Patient/s-p1"}}`)))
	want(t, "one about a record in the same page", now(), 4)
	w.sweep(skylight, exchange.Page{Swept: []string{"s-" + course.Patient}})
	want(t, "a sweep of theirs misses what says whom it is for, and nothing else", now()+tasks, 3)

	stranger := told(`{"resourceType":"Observation","id":"loose","status":"final","code":{"text":"x"}}`)
	want(t, "an observation of nobody", w.receive(skylight, page(stranger)).Ignored, 1)
	want(t, "is nobody's", rejected(), 0)
	decided := at.Clearance(fhir.DecisionWithdrawn, course.Day(0), course.Day(1), fhirtest.Set("subject", nil))
	want(t, "a decision that names nobody any more is a reject", w.receive(skylight, page(decided)).Rejects, 1)
	want(t, "and the client's", rejected(), 1)
	w.receive(skylight, page(at.Clearance(fhir.DecisionWithdrawn, course.Day(0), course.Day(1))))
	want(t, "until it can be read", rejected(), 0)
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

func roster(t *testing.T, dsn string) {
	w := newWorld(t, dsn)
	course := fhirtest.Client(w.now)
	w.receive(ehr, page(course.Referral(), course.PatientHere()))
	client := w.client(ehr, course.Patient)
	r, err := w.Roster(w.ctx, skylight)
	w.must(err)
	want(t, "asking tells: nobody yet", len(w.whole(r).Wanted)+len(w.whole(r).Members), 0)
	d := delivery(client, "", "a")
	w.decide(w.verdict(client, readiness.NotReady), plan.Changes{Stage: []exchange.Delivery{d}})
	_, _, err = w.Attempt(w.ctx, d.ID, time.Minute)
	w.must(err)
	r, err = w.Roster(w.ctx, skylight)
	w.must(err)
	want(t, "wanted", fmt.Sprint(w.whole(r).Wanted), fmt.Sprintf("[{%s %s} {https://reverie.example/mrn MRN-p1}]", fhir.SystemClient, client))
	r, err = w.Roster(w.ctx, ehr)
	w.must(err)
	want(t, "members", fmt.Sprint(r.New, w.whole(r).Members), "[p1] [p1]")

	calendar := Source{Name: "calendar", Party: fhir.Practice}
	r, err = w.Roster(w.ctx, calendar)
	w.must(err)
	want(t, "wanted in the calendar", fmt.Sprint(w.whole(r).Wanted), "[{https://reverie.example/mrn MRN-p1}]")
	w.receive(calendar, page(course.PatientHere(fhirtest.Set("id", "cal-9"))))
	want(t, "nobody is a client twice", w.client(calendar, "cal-9"), client)

	course.Client = client
	w.receive(skylight, page(course.PatientThere(fhirtest.Set("identifier.0.value", "another number"))))
	want(t, "our own key links", w.client(skylight, "s-p1"), client)
}

func laggards(t *testing.T, dsn string) {
	w := newWorld(t, dsn)
	course := fhirtest.Client(w.now)
	asked := func() string {
		r, err := w.Roster(w.ctx, skylight)
		w.must(err)
		return fmt.Sprint(r.New)
	}
	w.receive(ehr, page(course.Referral(), course.PatientHere()))
	client := w.client(ehr, course.Patient)
	there := slices.DeleteFunc(course.InOrder(), func(v fhir.Version) bool { return v.Source != "skylight" || v.Type == "Patient" })
	w.receive(skylight, page(there...))
	want(t, "records of a Patient who was never seen: they are asked for", asked(), "[s-p1]")
	w.receive(skylight, page(fhirtest.Nth(2, w.now).PatientThere()))
	want(t, "somebody else's Patient is no answer", asked(), "[s-p1]")
	w.now = w.now.Add(8 * 24 * time.Hour)
	want(t, "nobody is asked for for ever", asked(), "[]")
	w.now = w.now.Add(-8 * 24 * time.Hour)
	late := page(append(there, course.PatientThere())...)
	late.Swept = []string{"s-p1"}
	w.receive(skylight, late)
	want(t, "linked when their Patient shows", w.client(skylight, "s-p1"), client)
	want(t, "what hung on it is in the chart", len(fhir.Now(w.chart(client).MedicationRequests)) > 0, true)
	want(t, "asked for no more", asked(), "[]")
}

func (w *world) whole(r exchange.Roster) exchange.Everybody {
	w.Helper()
	all, err := r.Everybody(w.ctx)
	w.must(err)
	return all
}

func TestAStoreBegunAnewWithItsKeyNamesClientsTheSame(t *testing.T) {
	keyIn := func(name string) (*world, string) {
		w := newWorld(t, filepath.Join(t.TempDir(), name))
		c := fhirtest.Client(w.now)
		w.receive(ehr, page(c.PatientHere(), c.Referral()))
		return w, w.client(ehr, c.Patient)
	}
	_, first := keyIn("lost.db")
	w, again := keyIn("anew.db")
	want(t, "hub key", again, first)

	c := fhirtest.Client(w.now)
	w.must(w.Undo(w.ctx, "admin", w.pairID(ehr.Name, c.Patient, again), "", "another person"))
	w.receive(ehr, page(c.Referral(fhirtest.Set("status", "on-hold"))))
	if other := w.client(ehr, c.Patient); other == again || other == "" {
		t.Errorf("parted from %s, the patient became %q", again, other)
	}
}
