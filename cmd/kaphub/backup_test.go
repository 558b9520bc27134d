package main

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/kaphub/kaphub/config"
	"github.com/kaphub/kaphub/fhir/store"
	"github.com/kaphub/kaphub/fhir/store/storetest"
)

// A store that pg_restore brought back, or a whole disk of before, has sessions in it that ended since and invitations that
// were used: one command ends them all, and has the hub ask before it sends.
func TestWhatWasBroughtBackBringsNobodyAlong(t *testing.T) {
	for engine, dsn := range map[string]func(testing.TB) string{
		"SQLite":     func(t testing.TB) string { return filepath.Join(t.TempDir(), "kaphub.db") },
		"PostgreSQL": storetest.Postgres,
	} {
		t.Run(engine, func(t *testing.T) {
			if testing.Short() && engine == "PostgreSQL" {
				t.Skip("needs PostgreSQL")
			}
			d := &door{T: t, dir: t.TempDir()}
			d.file, d.env = filepath.Join(d.dir, "kaphub.yaml"), []string{"KAPHUB_DSN=" + dsn(t)}
			d.says(0, "init")
			_, token := d.token(d.says(0, "user", "add", "tara", "--name", "Tara Vance", "--role", "reader"))
			c, err := config.Load(d.file, d.env)
			if err != nil {
				t.Fatal(err)
			}
			key, err := masterKey(&c)
			if err != nil {
				t.Fatal(err)
			}
			db, err := store.Open(t.Context(), store.Options{DSN: c.Store.DSN.Reveal(), Key: key})
			if err != nil {
				t.Fatal(err)
			}
			if err := db.Sessions().CommitCtx(t.Context(), "t0ken", []byte("x"), time.Now().Add(time.Hour)); err != nil {
				t.Fatal(err)
			}
			if err := db.Close(); err != nil {
				t.Fatal(err)
			}

			if s := d.says(0, "restore", "--in-place"); !strings.Contains(s.out, "1 invitation withdrawn") || !strings.Contains(s.out, "kaphub sync") {
				t.Errorf("says %s", s.out)
			}
			if db, err = store.Open(t.Context(), store.Options{DSN: c.Store.DSN.Reveal(), Key: key}); err != nil {
				t.Fatal(err)
			}
			defer func() { _ = db.Close() }()
			if _, in, err := db.Sessions().FindCtx(t.Context(), "t0ken"); err != nil || in {
				t.Errorf("a session survived: %v", err)
			}
			if paused, err := db.Paused(t.Context()); err != nil || !paused {
				t.Errorf("it sends: %v", err)
			}
			house, err := houseOf(&scene{now: time.Now}, db, "x")
			if err != nil {
				t.Fatal(err)
			}
			if _, err := house.Invited(t.Context(), token); err == nil {
				t.Error("an invitation survived")
			}
			d.says(0, "restore", "--in-place") // twice does no harm
			d.says(0, "audit", "verify")
			if engine == "PostgreSQL" {
				d.says(1, "restore", "--from", d.file).oneSentence(t, "pg_restore", "--in-place")
			}
		})
	}
	d := &door{T: t, dir: t.TempDir()}
	d.file = filepath.Join(d.dir, "kaphub.yaml")
	d.says(1, "restore")
}
