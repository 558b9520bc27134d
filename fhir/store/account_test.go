package store

import (
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

func accountsLife(t *testing.T, dsn string) {
	w := newWorld(t, dsn)
	keep := func(id, facts, secrets string) {
		t.Helper()
		_, asOf, err := w.Accounts(w.ctx)
		w.must(err)
		w.must(w.KeepAccount(w.ctx, "ann", "change account", "owner", asOf, exchange.Account{ID: id, Facts: []byte(facts), Secrets: []byte(secrets)}))
	}
	keep("p-1", `{"login":"ann"}`, "open sesame")
	keep("p-2", `{"login":"bo"}`, "swordfish")
	_, old, err := w.Accounts(w.ctx)
	w.must(err)
	keep("p-1", `{"login":"anna"}`, "open barley")
	wantError(t, w.KeepAccount(w.ctx, "bo", "change account", "", old, exchange.Account{ID: "p-2"}), exchange.ErrConflict)

	list, _, err := w.Accounts(w.ctx)
	w.must(err)
	want(t, "each once", len(list), 2)
	one, err := w.AccountOf(w.ctx, "p-1")
	w.must(err)
	want(t, "as it was written last", string(one.Facts)+string(one.Secrets), `{"login":"anna"}open barley`)
	want(t, "in either way", string(list[0].Facts), string(one.Facts))
	want(t, "and never seen", one.Seen.IsZero(), true)
	_, err = w.AccountOf(w.ctx, "p-3")
	wantError(t, err, exchange.ErrNotFound)

	rows, err := w.read.AllAccounts(w.ctx)
	w.must(err)
	want(t, "every version is kept", len(rows), 3)
	want(t, "the secrets of old ones are not", rows[0].Secrets, "")
	want(t, "those of the newest are not to be read in the table", strings.Contains(rows[1].Secrets, "barley"), false)

	w.must(w.SignedIn(w.ctx, "Ann", "signed in", "p-1", 100))
	wantError(t, w.SignedIn(w.ctx, "Ann", "signed in", "p-1", 100), exchange.ErrConflict)
	wantError(t, w.SignedIn(w.ctx, "Ann", "signed in", "p-1", 99), exchange.ErrConflict)
	w.must(w.SignedIn(w.ctx, "Ann", "signed in", "p-1", 101))
	w.now = w.now.Add(time.Minute)
	w.must(w.SignedIn(w.ctx, "Ann", "signed in", "p-1", 0))
	wantError(t, w.SignedIn(w.ctx, "Ann", "signed in", "p-1", 101), exchange.ErrConflict)
	one, err = w.AccountOf(w.ctx, "p-1")
	w.must(err)
	want(t, "last seen", one.Seen, w.now)
	lines, err := w.AuditOf(w.ctx, "p-1", 0, 3)
	w.must(err)
	want(t, "three were taken, the newest first", len(lines), 3)
	want(t, "by action", lines[0].Action+lines[2].Action, "signed insigned in")
	more, err := w.AuditOf(w.ctx, "p-1", lines[2].Seq, 10)
	w.must(err)
	want(t, "and before them", len(more), 2)
	want(t, "how it began", more[1].Seq < more[0].Seq && more[1].Action == "change account" && more[1].Detail == "owner", true)

	report, err := w.VerifyAudit(w.ctx, nil)
	w.must(err)
	want(t, "an honest store", len(report.Broken)+len(report.Altered), 0)
	for _, c := range []struct{ do, undo, named string }{
		{`UPDATE account SET facts = '{"login":"eve"}' WHERE id = 'p-2'`, `UPDATE account SET facts = '{"login":"bo"}' WHERE id = 'p-2'`, "account p-2"},
		{`UPDATE account SET secrets = secrets || 'x' WHERE id = 'p-2'`, `UPDATE account SET secrets = substr(secrets, 1, length(secrets) - 1) WHERE id = 'p-2'`, "(its secrets)"},
		{`UPDATE account SET secrets = 'x' || secrets WHERE secrets = ''`, `UPDATE account SET secrets = '' WHERE secrets = 'x'`, "(its secrets)"},
	} {
		w.exec(c.do)
		report, err := w.VerifyAudit(w.ctx, nil)
		w.must(err)
		want(t, c.do+" is named", strings.Contains(strings.Join(report.Altered, "\n"), c.named), true)
		w.exec(c.undo)
	}
	w.exec(`UPDATE account SET secrets = (SELECT x.secrets FROM account x WHERE x.id = 'p-1' AND x.secrets <> '') WHERE id = 'p-2'`)
	if _, err = w.AccountOf(w.ctx, "p-2"); err == nil {
		t.Error("another's secrets could be read as one's own")
	}
}

func triesCount(t *testing.T, dsn string) {
	w := newWorld(t, dsn)
	tries := func(login string) int {
		n, _, err := w.Tries(w.ctx, login)
		w.must(err)
		return n
	}
	want(t, "none", tries("ann"), 0)
	w.must(w.CountTry(w.ctx, "ann", 0))
	wantError(t, w.CountTry(w.ctx, "ann", 0), exchange.ErrConflict)
	w.must(w.CountTry(w.ctx, "ann", 1))
	n, last, err := w.Tries(w.ctx, "ann")
	w.must(err)
	want(t, "counted", n, 2)
	want(t, "and when", last, w.now)
	want(t, "another's are others", tries("bo"), 0)
	first := w.now
	w.now = w.now.Add(time.Minute)
	w.must(w.CountTry(w.ctx, "ann", 2))
	w.must(w.ReturnTry(w.ctx, "ann", 2, first))
	n, last, err = w.Tries(w.ctx, "ann")
	w.must(err)
	want(t, "one did not fail", n, 2)
	want(t, "and was none", last, first)
	w.must(w.CountTry(w.ctx, "ann", 2))
	w.must(w.CountTry(w.ctx, "ann", 3))
	w.must(w.ReturnTry(w.ctx, "ann", 2, first))
	n, last, err = w.Tries(w.ctx, "ann")
	w.must(err)
	want(t, "another failed meanwhile", n, 3)
	want(t, "just now", last, w.now)
	w.now = w.now.Add(triesKept)
	want(t, "a day later it is another day", tries("ann"), 0)
	w.must(w.CountTry(w.ctx, "ann", 0))
	want(t, "and counted from the beginning", tries("ann"), 1)
	w.must(w.ForgetTries(w.ctx, "ann"))
	want(t, "forgotten", tries("ann"), 0)
	var typed int
	w.must(w.reader.QueryRowContext(w.ctx, `SELECT count(*) FROM sign_in WHERE login LIKE '%ann%'`).Scan(&typed))
	want(t, "what was typed is not kept", typed, 0)
}

func glassBreaks(t *testing.T, dsn string) {
	w := newWorld(t, dsn)
	g := exchange.Glass{ID: "g-1", Account: "p-1", Client: "c-1", Reason: "her husband called", Actor: "Tara", From: w.now, Until: w.now.Add(time.Hour)}
	w.must(w.BreakGlass(w.ctx, g))
	g2 := g
	g2.ID, g2.Account, g2.Until = "g-2", "p-2", w.now.Add(2*time.Hour)
	w.must(w.BreakGlass(w.ctx, g2))
	mine, err := w.Glasses(w.ctx, "p-1", w.now)
	w.must(err)
	want(t, "as it was written", slices.Equal(mine, []exchange.Glass{g}), true)
	all, err := w.Glasses(w.ctx, "", w.now)
	w.must(err)
	want(t, "newest first", slices.Equal(all, []exchange.Glass{g2, g}), true)
	over, err := w.Glasses(w.ctx, "p-1", w.now.Add(time.Hour))
	w.must(err)
	want(t, "it is over at its end", len(over), 0)
	lines, err := w.AuditOf(w.ctx, "c-1", 0, 10)
	w.must(err)
	want(t, "who looked", len(lines) == 2 && lines[0].Actor == "Tara" && lines[0].Action == "break glass" && lines[0].Detail == "g-2", true)
	w.exec(`UPDATE glass SET reason = 'none' WHERE id = 'g-1'`)
	report, err := w.VerifyAudit(w.ctx, nil)
	w.must(err)
	want(t, "a reason cannot be changed", strings.Join(report.Altered, "\n"), "look in need g-1")
}

func looksAtClient(t *testing.T, dsn string) {
	w, _, client := enrolledWorld(t, dsn)
	d := delivery(client, "", "a")
	w.decide(w.verdict(client, readiness.NotReady), plan.Changes{Stage: []exchange.Delivery{d}})
	label := fhirtest.Set("meta.security", []map[string]string{{"system": fhir.SystemActCode, "code": "PSYTHPN"}})
	w.receive(skylight, page(fhirtest.Client(w.now).On(w.now).Flag("active", label)))
	sealed, err := w.Sealed(w.ctx, false)
	w.must(err)
	w.must(w.Audit(w.ctx, "Ann", "view client", client, ""))
	w.must(w.Audit(w.ctx, "Ann", "view client", "another", ""))
	w.must(w.Audit(w.ctx, "Bo", "view delivery", d.ID, ""))
	_, err = w.Unseal(w.ctx, "Priv", sealed[0].ID, "to look at it")
	w.must(err)
	lines, err := w.LooksAt(w.ctx, client, 0, 10)
	w.must(err)
	var said []string
	for _, l := range lines {
		said = append(said, l.Actor+": "+l.Action)
	}
	want(t, "people only, newest first", strings.Join(said, ", "), "Priv: open sealed, Bo: view delivery, Ann: view client")
	lines, err = w.LooksAt(w.ctx, client, lines[0].Seq, 1)
	w.must(err)
	want(t, "page by page", len(lines) == 1 && lines[0].Actor == "Bo", true)

	since := w.now.AddDate(0, 0, -30)
	for _, act := range [][2]string{{"Ann", "view board"}, {"Ann", "view board"}, {"Ann", "print board"}, {"Bo", "export report as csv"}, {"Bo", "view settings"}, {"hub", "view report"}} {
		w.must(w.Audit(w.ctx, act[0], act[1], "", ""))
	}
	w.now = w.now.AddDate(0, 0, 1)
	w.must(w.Audit(w.ctx, "Ann", "view board", "", ""))
	crowd, err := w.LooksAtAll(w.ctx, client, since, time.UTC, 100)
	w.must(err)
	said = nil
	for _, c := range crowd {
		said = append(said, fmt.Sprint(c.Actor, " ", c.Action, " ", c.Times))
	}
	want(t, "whoever saw everybody saw the client", strings.Join(said, ", "), "Ann view board 1, Ann print board 1, Ann view board 2, Bo export report as csv 1")
	crowd, err = w.LooksAtAll(w.ctx, "nobody", since, time.UTC, 100)
	w.must(err)
	want(t, "nobody saw whom the hub never judged", len(crowd), 0)
}

func sessionsKept(t *testing.T, dsn string) {
	w := newWorld(t, dsn)
	s := w.Sessions()
	until := w.now.Add(time.Hour)
	find := func(token string) string {
		t.Helper()
		data, ok, err := s.FindCtx(w.ctx, token)
		w.must(err)
		want(t, "found what there is", ok, data != nil)
		return string(data)
	}
	w.must(s.Commit("tok-1", []byte("account p-1"), until))
	w.must(s.CommitCtx(w.ctx, "tok-2", []byte("account p-2"), until.Add(time.Hour)))
	wantError(t, s.Own(w.ctx, "tok-9", "p-1"), exchange.ErrNotFound)
	w.must(s.Own(w.ctx, "tok-1", "p-1"))
	w.must(s.CommitCtx(w.ctx, "tok-1", []byte("account p-1, and more"), until))
	want(t, "as it was written last", find("tok-1"), "account p-1, and more")
	want(t, "none of that name", find("tok-9"), "")
	mine, err := s.Of(w.ctx, "p-1")
	w.must(err)
	want(t, "whose it is stays", len(mine) == 1 && mine[0].Until.Equal(until) && mine[0].Began.Equal(w.now), true)
	want(t, "its name opens nothing", find(mine[0].Name)+find(strings.TrimPrefix(mine[0].Name, "#")), "")
	all, err := s.AllCtx(w.ctx)
	w.must(err)
	want(t, "all", len(all), 2)
	want(t, "by the same name", string(all[mine[0].Name]), "account p-1, and more")
	var clear int
	w.must(w.reader.QueryRowContext(w.ctx, `SELECT count(*) FROM web_session WHERE token LIKE '%tok%' OR data LIKE '%account%'`).Scan(&clear))
	want(t, "the table tells neither", clear, 0)
	w.must(s.DeleteCtx(w.ctx, mine[0].Name))
	want(t, "ended by its name", find("tok-1"), "")
	w.must(s.CommitCtx(w.ctx, "tok-1", []byte("account p-1, of a request under way"), until))
	want(t, "what ended does not come back with a request that was under way", find("tok-1"), "")
	wantError(t, s.Own(w.ctx, "tok-1", "p-1"), exchange.ErrNotFound)
	all, err = s.AllCtx(w.ctx)
	w.must(err)
	mine, err = s.Of(w.ctx, "p-1")
	w.must(err)
	want(t, "nor is it among those that stand", len(all) == 1 && len(mine) == 0, true)

	w.exec(`UPDATE web_session SET data = substr(data, 1, length(data) - 4) WHERE data <> ''`)
	want(t, "one that was tampered with is none", find("tok-2"), "")
	w.must(s.CommitCtx(w.ctx, "tok-2", []byte("account p-2"), until))
	w.now = until
	want(t, "over is over", find("tok-2"), "")
	w.must(s.CommitCtx(w.ctx, "tok-3", []byte("account p-3"), until.Add(time.Hour)))
	w.must(s.Own(w.ctx, "tok-3", "p-3"))
	w.must(s.End(w.ctx, "p-3"))
	want(t, "signed out everywhere", find("tok-3"), "")
	w.must(s.CommitCtx(w.ctx, "tok-3", []byte("account p-3"), until.Add(time.Hour)))
	want(t, "not for a request under way either", find("tok-3"), "")
	w.now = until.Add(time.Hour)
	w.must(s.CommitCtx(w.ctx, "tok-4", []byte("account p-4"), w.now.Add(time.Hour)))
	var left int
	w.must(w.reader.QueryRowContext(w.ctx, `SELECT count(*) FROM web_session`).Scan(&left))
	want(t, "nothing is left over", left, 1)
}

func TestAccountsComeBackWithABackupAndSessionsDoNot(t *testing.T) {
	dir := t.TempDir()
	w := newWorld(t, filepath.Join(dir, "kaphub.db"))
	w.must(w.KeepAccount(w.ctx, "ann", "invite", "", 0, exchange.Account{ID: "p-1", Facts: []byte(`{}`), Secrets: []byte("open sesame")}))
	w.must(w.Sessions().CommitCtx(w.ctx, "tok-1", []byte("account p-1"), w.now.Add(1000*time.Hour)))
	backup := filepath.Join(dir, "backup.db")
	w.must(w.Backup(w.ctx, backup))
	to := filepath.Join(dir, "restored.db")
	w.must(Restore(w.ctx, backup, to, someKey))
	back := newWorld(t, to)
	a, err := back.AccountOf(w.ctx, "p-1")
	w.must(err)
	want(t, "the account is back", string(a.Secrets), "open sesame")
	_, ok, err := back.Sessions().FindCtx(w.ctx, "tok-1")
	w.must(err)
	want(t, "nobody is signed in", ok, false)
}
