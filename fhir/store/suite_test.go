package store

import (
	"context"
	"errors"
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
	table "github.com/kaphub/kaphub/fhir/store/db"
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
		Recogniser: fhir.Recogniser{Prescribers: w.prescribers, Watch: fhir.DefaultWatchList()}})
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
	c, err := w.Sweep(w.ctx, src, w.leaseOf(src), p)
	w.must(err)
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

// link has a person say that a source's patient is this client, though nothing speaks for it.
func (w *world) link(src Source, patient, client string) {
	w.Helper()
	w.must(w.commit(w.ctx, "link", client, func(c *commit) error {
		c.actor = "ann"
		links, err := c.LinksOf(w.ctx, table.LinksOfParams{Patients: set(map[string]bool{patient: true}), Source: src.Name})
		if err != nil {
			return err
		}
		return c.confirm(w.ctx, verdictOf{who{src.Name, src.Party, patient}, client, ""}, links)
	}))
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
		{"a person links and unlinks, and is not overruled", persons},
		{"what tells nothing new makes no version, a hold set again does", versions},
		{"a page that tells nothing new moves the cursor and nothing else", silent},
		{"a stale copy never stands for the newer record", older},
		{"a page is stored whole or not at all", atomic},
		{"two readers of one source: one holds the fence", fences},
		{"what cannot be read is kept, shown and superseded", rejects},
		{"an open reject that comes again stays as it is", rejectsAgain},
		{"a sweep finds what the delta missed and what is gone", sweeps},
		{"who is swept tonight, and who this week", sweepers},
		{"a Task that names nobody is whose record it is about; what names nobody any more is not read", nobodys},
		{"a record that moves to another patient is gone for the first", moves},
		{"clients are found by their Patients at the practice, as they stand now", eachPatient},
		{"the chart knows who stands behind the records", directoryEntries},
		{"the chart of a past moment is what was known then", asOf},
		{"a verdict on an old chart conflicts", decideConflicts},
		{"a verdict that says nothing new costs no new verdict", judgesAgain},
		{"how the verdict stood when a session began is noted", sessionBegins},
		{"a source that fails and comes back has its clients judged again", recovers},
		{"a delivery's life, from staged to delivered", ledgerLife},
		{"one lane, one delivery at a time", lanes},
		{"what is laid out for a person is neither tried nor withdrawn", laidOut},
		{"a packet is put aside, or handed over, and never taken for unsent", packetLife},
		{"a lost reply is asked about before it is sent again", lost},
		{"the chart holds what is outstanding, as of any moment", outstandings},
		{"what was refused is made good by a later delivery of the same copy", superseded},
		{"what was refused is taken back when it is not wanted any more", takenBack},
		{"a person settles what became of a delivery", settles},
		{"of each state the newest deliveries come first", newest},
		{"what a person says did not arrive is staged for sure", settledNot},
		{"a person has tried again what waits", retries},
		{"what people told by phone is kept, and corrected by another entry", tellings},
		{"the account of a client holds every delivery with its steps", accounts},
		{"the roster asks only about whom the prescriber was told", roster},
		{"what is out of scope is sealed, looked at, then admitted or expunged", setsApart},
		{"of conditions nothing but the watch list is kept", keepsTheWatchListOnly},
		{"what is kept no more does not stand for ever", forgetsWhatIsKeptNoMore},
		{"what is kept is doubted when it cannot be read", doubtsWhatIsKeptAndBroken},
		{"whoever decided is shown with their roles", findsRoles},
		{"what is sealed follows its patient, and what it replaces elsewhere is gone", sealedFollows},
		{"replicas take turns at a counterpart, and leave it in peace together", turns},
		{"when something was last sent to a party", lastSent},
		{"whose records come before their Patient does is asked for", laggards},
		{"a calendar's token links whoever is read first, and makes nobody a client", calendarTokens},
		{"what stands in a calendar of strangers is kept by digest, as of any moment", strays},
		{"who was told when is kept, and nobody is told twice by replicas", noticesLife},
		{"settings and moments of the past", settings},
		{"settings are kept when they change, all in one commit", keeps},
		{"a look has a millisecond of its own", looks},
		{"whatever moved an engagement, it had moved then and has not before", moved},
		{"what was open at a past moment is told as it stood", openThen},
		{"what people did about findings is kept, as of any moment, and no verdict is touched", handles},
		{"who may come in is kept, with secrets that the table does not tell", accountsLife},
		{"tries to sign in are counted, by replicas together", triesCount},
		{"a look in need is kept with its reason", glassBreaks},
		{"who looked at a client is told, whatever of them it was", looksAtClient},
		{"sessions are kept so that the table opens no door", sessionsKept},
		{"the audit names what was altered", auditNames},
		{"a new process finds everything where it was", reopens},
		{"two processes may start together", startTogether},
		{"a wrong key opens nothing", wrongKey},
	} {
		t.Run(c.name, func(t *testing.T) { c.test(t, fresh(t)) })
	}
}

func linksOfOne(src Source, patient string) table.LinksOfParams {
	return table.LinksOfParams{Patients: set(map[string]bool{patient: true}), Source: src.Name}
}

func digestsOf(src Source, patient string) table.DigestsOfParams {
	return table.DigestsOfParams{Source: src.Name, Patient: patient}
}

var everyVerdict = table.VerdictsFromParams{Lim: 1000}

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
		{"a judgement is made to last", `UPDATE judgement SET until = until + 1`, `UPDATE judgement SET until = until - 1`, "judgement of " + client},
		{"a source is made to look read", `UPDATE source_log SET last_complete = last_complete + 1`, `UPDATE source_log SET last_complete = last_complete - 1`, "how far ehr was read"},
		{"a try is made to wait", `UPDATE step SET due = due + 1 WHERE due <> 0`, `UPDATE step SET due = due - 1 WHERE due <> 0`, "(step at"},
		{"a seal is taken off", `UPDATE judgement SET mac = '-' || mac; UPDATE judgement SET mac = '' WHERE client = '` + client + `'`, ``, "what commit"},
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
