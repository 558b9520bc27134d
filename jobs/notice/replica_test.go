package notice

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kaphub/kaphub/connectors"
	"github.com/kaphub/kaphub/connectors/mail"
	"github.com/kaphub/kaphub/connectors/mail/mailtest"
	"github.com/kaphub/kaphub/fhir/readiness"
	"github.com/kaphub/kaphub/fhir/store"
	"github.com/kaphub/kaphub/fhir/store/storetest"
)

// Four replicas on one store do the same at the same time: each mail is sent once.
func TestReplicasTellOnce(t *testing.T) {
	for engine, fresh := range map[string]func(testing.TB) string{
		"sqlite": func(t testing.TB) string { return filepath.Join(t.TempDir(), "kaphub.db") }, "postgres": storetest.Postgres,
	} {
		t.Run(engine, func(t *testing.T) {
			if engine == "postgres" && testing.Short() {
				t.Skip("it starts a server")
			}
			server := mailtest.New(t, mailtest.Options{StartTLS: true})
			roots, err := mail.Roots(server.CA)
			if err != nil {
				t.Fatal(err)
			}
			mailer, err := mail.New(mail.Options{Host: server.Host, Port: server.Port, TLS: mail.StartTLS, Roots: roots, From: "kaphub@reverie.example", Hub: "hub.reverie.example"})
			if err != nil {
				t.Fatal(err)
			}
			w := newWorld(t, "2026-03-02 07:00", maya, tara)
			options := store.Options{DSN: fresh(t), Key: store.NewKey(), Now: func() time.Time { return w.time }}
			var replicas []*store.DB
			for range 4 {
				db, err := store.Open(t.Context(), options)
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { _ = db.Close() })
				replicas = append(replicas, db)
			}
			all := func(digest bool) {
				var group sync.WaitGroup
				for _, db := range replicas {
					group.Go(func() {
						s := w.step(digest)
						s.Store, s.Mailer = db, mailer
						if _, err := s.Run(t.Context()); err != nil {
							t.Error(err)
						}
					})
				}
				group.Wait()
			}
			all(true)
			w.time = w.time.Add(time.Hour)
			w.open("a", readiness.S1, readiness.Therapist)
			w.open("b", readiness.S1, readiness.Admin)
			for range 3 {
				all(true)
			}
			server.Fail(mailtest.Fault{At: "END", Taken: true, Times: 1}) // one of them dies with the answer
			w.time = w.time.AddDate(0, 0, 1)
			for _, db := range replicas {
				s := w.step(true)
				s.Store, s.Mailer = db, mailer
				if _, err := s.Run(t.Context()); err != nil && connectors.FaultOf(err) != connectors.Uncertain {
					t.Error(err)
				}
			}
			var got []string
			for _, m := range server.Mails() {
				got = append(got, m.To+" "+m.Header.Get("Subject"))
			}
			slices.Sort(got)
			want := []string{
				"maya@reverie.example kaphub Mon 2 Mar 08:00: 1 to act on now", "maya@reverie.example kaphub Mon 2 Mar: nothing to act on", "maya@reverie.example kaphub Tue 3 Mar: 1 to act on, 1 now",
				"tara@reverie.example kaphub Mon 2 Mar 08:00: 1 to act on now", "tara@reverie.example kaphub Mon 2 Mar: nothing to act on", "tara@reverie.example kaphub Tue 3 Mar: 1 to act on, 1 now",
			}
			if fmt.Sprint(got) != fmt.Sprint(want) {
				t.Errorf("arrived:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
			}
			report, err := replicas[0].VerifyAudit(t.Context(), nil)
			if err != nil || len(report.Altered)+len(report.Broken) > 0 {
				t.Errorf("the audit: %+v %v", report, err)
			}
		})
	}
}
