package store

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/kaphub/kaphub/fhir/exchange"
	"github.com/kaphub/kaphub/fhir/fhirtest"
	"github.com/kaphub/kaphub/fhir/plan"
	"github.com/kaphub/kaphub/fhir/readiness"
	"github.com/kaphub/kaphub/fhir/store/storetest"
)

func TestABackupComesBackPausedAndInDoubt(t *testing.T) {
	dir := t.TempDir()
	w, course, client := enrolledWorld(t, filepath.Join(dir, "kaphub.db"))
	d := delivery(client, "", "a")
	w.decide(w.verdict(client, readiness.InOrder), plan.Changes{Stage: []exchange.Delivery{d}})
	backup := filepath.Join(dir, "it's a backup?#1.db")
	w.must(w.Backup(w.ctx, backup))
	if err := w.Backup(w.ctx, backup); err == nil {
		t.Fatal("a backup was overwritten")
	}
	w.receive(skylight, page(course.On(w.now).Flag("active"))) // after the backup

	to := filepath.Join(dir, "restored.db")
	w.must(Restore(w.ctx, backup, to, someKey))
	if err := Restore(w.ctx, backup, to, someKey); err == nil || !strings.Contains(err.Error(), "is there already") {
		t.Fatalf("a store was overwritten: %v", err)
	}
	back := newWorld(t, to)
	want(t, "records", len(back.chart(client).Tasks), 3)
	want(t, "what came after the backup", len(back.chart(client).Flags), 0)
	paused, err := back.Paused(w.ctx)
	w.must(err)
	want(t, "paused", paused, true)
	e, err := back.Delivery(w.ctx, d.ID)
	w.must(err)
	want(t, "what was staged may have been sent", e.State, exchange.Attempted)
	f, before, err := back.Attempt(w.ctx, d.ID, time.Minute)
	w.must(err)
	want(t, "it is asked about", before.State, exchange.Attempted)
	w.must(back.Defer(w.ctx, f, back.now, "unreachable"))
	e, err = back.Delivery(w.ctx, d.ID)
	w.must(err)
	want(t, "and stays in doubt", e.State, exchange.Attempted)
	w.must(back.Resume(w.ctx))
	paused, err = back.Paused(w.ctx)
	w.must(err)
	want(t, "paused", paused, false)
	report, err := back.VerifyAudit(w.ctx, nil)
	w.must(err)
	want(t, "broken or altered", len(report.Broken)+len(report.Altered), 0)

	info, err := os.Stat(to)
	w.must(err)
	want(t, "mode", info.Mode().Perm(), 0o600)
	left, err := filepath.Glob(filepath.Join(dir, "*.part*"))
	w.must(err)
	want(t, "left over", len(left), 0)
}

func TestABackupThatIsNotWholeIsRefused(t *testing.T) {
	dir := t.TempDir()
	w, _, _ := enrolledWorld(t, filepath.Join(dir, "kaphub.db"))
	backup := filepath.Join(dir, "backup.db")
	w.must(w.Backup(w.ctx, backup))
	whole, err := os.ReadFile(backup)
	w.must(err)
	signature, err := os.ReadFile(backup + ".sig")
	w.must(err)
	to := filepath.Join(dir, "restored.db")
	for _, c := range []struct {
		name string
		key  Key
		file []byte
		sig  []byte
		says string
	}{
		{"one byte changed", someKey, append(append([]byte{}, whole[:5000]...), append([]byte{whole[5000] ^ 1}, whole[5001:]...)...), signature, "damaged or changed"},
		{"cut short", someKey, whole[:len(whole)-4096], signature, "damaged or changed"},
		{"another key", NewKey(), whole, signature, "not made with this key"},
		{"another moment signed", someKey, whole, bytes.Replace(signature, []byte(`"moment": `), []byte(`"moment": 1`), 1), "not made with this key"},
		{"no signature", someKey, whole, nil, "cannot be trusted"},
	} {
		w.must(os.WriteFile(backup, c.file, 0o600))
		w.must(os.Remove(backup + ".sig"))
		if c.sig != nil {
			w.must(os.WriteFile(backup+".sig", c.sig, 0o600))
		}
		err := Restore(w.ctx, backup, to, c.key)
		if err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", c.name, err)
		}
		if _, err := os.Lstat(to); err == nil {
			t.Fatalf("%s: a store was made", c.name)
		}
		w.must(os.WriteFile(backup+".sig", signature, 0o600))
	}
}

func TestNoNameStandsInClearInAnyFile(t *testing.T) {
	dir := t.TempDir()
	w, course, client := enrolledWorld(t, filepath.Join(dir, "kaphub.db"))
	w.must(w.Backup(w.ctx, filepath.Join(dir, "backup.db")))
	files, err := os.ReadDir(dir)
	w.must(err)
	if len(files) < 4 { // the file, its WAL, the backup and its signature
		t.Fatalf("only %d files", len(files))
	}
	for _, f := range files {
		text, err := os.ReadFile(filepath.Join(dir, f.Name()))
		w.must(err)
		for _, canary := range []string{"Inventedsson", "Juniper", "1988-02-29", "MRN-p1", "resourceType", "SQLite format", client, "Patient/" + course.Patient} {
			if bytes.Contains(text, []byte(canary)) {
				t.Errorf("%s holds %q in clear", f.Name(), canary)
			}
		}
		info, err := f.Info()
		w.must(err)
		if info.Mode().Perm() != 0o600 {
			t.Errorf("%s can be read by others: %v", f.Name(), info.Mode())
		}
	}
}

func TestAFullDiskIsOneSentenceAndLosesNothing(t *testing.T) {
	w, _, client := enrolledWorld(t, filepath.Join(t.TempDir(), "kaphub.db"))
	before := w.chart(client)
	var pages int64
	w.must(w.writer.QueryRowContext(w.ctx, "PRAGMA page_count").Scan(&pages))
	_, err := w.writer.ExecContext(w.ctx, "PRAGMA max_page_count = "+num(pages))
	w.must(err)
	big := page()
	for n := range 200 {
		big.Resources = append(big.Resources, fhirtest.Nth(n+10, w.now).Referral().Resource)
	}
	big.Next = "far"
	_, err = w.Receive(w.ctx, ehr, w.leaseOf(ehr), w.since["ehr"], big)
	if err == nil || !strings.Contains(err.Error(), "the disk is full: free some space") {
		t.Fatalf("got %v", err)
	}
	want(t, "moment", w.chart(client).Moment, before.Moment)
	_, err = w.writer.ExecContext(w.ctx, "PRAGMA max_page_count = 1000000")
	w.must(err)
	want(t, "with space again", w.receive(ehr, big).Versions, 200)
}

func TestPostgresSaysHowItIsBackedUp(t *testing.T) {
	w := newWorld(t, storetest.Postgres(t))
	if err := w.Backup(w.ctx, "x"); err == nil || !strings.Contains(err.Error(), "pg_dump") {
		t.Fatalf("got %v", err)
	}
	if err := Restore(w.ctx, "x", w.dsn, someKey); err == nil || !strings.Contains(err.Error(), "pg_restore") {
		t.Fatalf("got %v", err)
	}
}
