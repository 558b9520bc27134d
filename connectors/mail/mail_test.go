package mail

import (
	"context"
	"crypto/x509"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/kaphub/kaphub/connectors"
	"github.com/kaphub/kaphub/connectors/mail/mailtest"
)

var someMail = connectors.Message{ID: "digest-maya-2026-03-02", To: "maya@reverie.example", Subject: "kaphub Mon 2 Mar: 3 to act on",
	Text: "Reverie\n\n  1  to act on now\n.\n", Date: time.Date(2026, 3, 2, 14, 0, 0, 0, time.UTC)}

// to makes a mailer for a server; change turns what it is told.
func to(t *testing.T, s *mailtest.Server, change func(*Options)) *Mailer {
	t.Helper()
	roots, err := Roots(s.CA)
	if err != nil {
		t.Fatal(err)
	}
	o := Options{Host: s.Host, Port: s.Port, TLS: StartTLS, Roots: roots, From: "Reverie <kaphub@reverie.example>", Hub: "hub.reverie.example", Timeout: 5 * time.Second}
	if change != nil {
		change(&o)
	}
	m, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestAMailArrivesWithItsHeaders(t *testing.T) {
	for name, o := range map[string]mailtest.Options{
		"starttls": {StartTLS: true, User: "hub", Password: "hunter2"},
		"tls":      {Implicit: true, User: "hub", Password: "hunter2"},
		"none":     {},
	} {
		t.Run(name, func(t *testing.T) {
			s := mailtest.New(t, o)
			m := to(t, s, func(with *Options) {
				with.TLS = TLS(name)
				with.User, with.Password = o.User, func() (string, error) { return o.Password, nil }
			})
			urgent := someMail
			urgent.Urgent = true
			if err := errors.Join(m.Check(t.Context()), m.Send(t.Context(), someMail), m.Send(t.Context(), urgent)); err != nil {
				t.Fatal(err)
			}
			got := s.Mails()
			if len(got) != 2 {
				t.Fatalf("%d mails arrived", len(got))
			}
			for key, want := range map[string]string{
				"Subject": someMail.Subject, "To": "<maya@reverie.example>", "From": `"Reverie" <kaphub@reverie.example>`, "Auto-Submitted": "auto-generated",
				"Message-Id": "<digest-maya-2026-03-02.kaphub@hub.reverie.example>", "List-Id": "kaphub notices <notices.hub.reverie.example>",
				"Date": "Mon, 02 Mar 2026 14:00:00 +0000", "Content-Type": "text/plain; charset=UTF-8", "X-Mailer": "", "User-Agent": "", "Importance": "",
			} {
				if is := got[0].Header.Get(key); is != want {
					t.Errorf("%s is %q, want %q", key, is, want)
				}
			}
			if got[0].Text != someMail.Text || got[0].From != "kaphub@reverie.example" || got[1].Header.Get("Importance") != "high" {
				t.Errorf("it arrived as %+v", got[0])
			}
			if said := strings.Join(s.Said(), "\n"); !strings.Contains(said, "EHLO hub.reverie.example") {
				t.Errorf("the hub presents itself otherwise: %s", said)
			}
		})
	}
}

func TestWhatBecomesOfAMail(t *testing.T) {
	for _, c := range []struct {
		name    string
		server  mailtest.Options
		fault   mailtest.Fault
		change  func(*Options)
		want    connectors.Fault
		unsent  bool
		says    string
		arrived int
	}{
		{name: "the server is busy", fault: mailtest.Fault{At: "MAIL", Reply: "451 4.3.0 later, maya@reverie.example"}, want: connectors.Temporary, unsent: true, says: "451 4.3.0"},
		{name: "the receiver is greylisted", fault: mailtest.Fault{At: "RCPT", Reply: "450 4.7.1 maya@reverie.example is greylisted"}, want: connectors.Temporary, unsent: true, says: "450"},
		{name: "the receiver does not exist", fault: mailtest.Fault{At: "RCPT", Reply: "550 5.1.1 maya@reverie.example unknown"}, want: connectors.Refused, unsent: true, says: "550 5.1.1"},
		{name: "the message is refused before it is sent", fault: mailtest.Fault{At: "DATA", Reply: "554 5.7.1 no"}, want: connectors.Refused, unsent: true, says: "554"},
		{name: "the message is refused after it was sent", fault: mailtest.Fault{At: "END", Reply: "552 5.2.2 full"}, want: connectors.Refused, unsent: true, says: "552"},
		{name: "the disk there is full", fault: mailtest.Fault{At: "END", Reply: "452 4.3.1 full"}, want: connectors.Temporary, unsent: true, says: "452"},
		{name: "the server hangs up before the message", fault: mailtest.Fault{At: "DATA"}, want: connectors.Temporary, unsent: true, says: "broke"},
		{name: "the server hangs up after the message, which it took", fault: mailtest.Fault{At: "END", Taken: true}, want: connectors.Uncertain, says: "broke", arrived: 1},
		{name: "the server hangs up after the message, which it did not take", fault: mailtest.Fault{At: "END"}, want: connectors.Uncertain, says: "broke"},
		{name: "the server hangs up at once", fault: mailtest.Fault{At: "CONNECT"}, want: connectors.Temporary, unsent: true, says: "hung up"},
		{name: "the server is closed", fault: mailtest.Fault{At: "CONNECT", Reply: "421 4.3.2 closed"}, want: connectors.Temporary, unsent: true, says: "421"},
		{name: "the server offers no STARTTLS", server: mailtest.Options{User: "hub", Password: "hunter2"}, want: connectors.Denied, unsent: true, says: "tls"},
		{name: "the certificate is another host's", server: mailtest.Options{StartTLS: true, Name: "other.example"}, want: connectors.Denied, unsent: true, says: "certificate"},
		{name: "nobody vouches for the certificate", server: mailtest.Options{StartTLS: true}, change: func(o *Options) { o.Roots = x509.NewCertPool() }, want: connectors.Denied, unsent: true, says: "certificate"},
		{name: "nobody vouches, and TLS is spoken at once", server: mailtest.Options{Implicit: true}, change: func(o *Options) { o.TLS, o.Roots = Implicit, x509.NewCertPool() }, want: connectors.Denied, unsent: true, says: "certificate"},
		{name: "the password is wrong", server: mailtest.Options{StartTLS: true, User: "hub", Password: "other"}, want: connectors.Denied, unsent: true, says: "535"},
		{name: "the server wants a login", server: mailtest.Options{StartTLS: true, User: "hub", Password: "other"}, change: func(o *Options) { o.User = "" }, want: connectors.Denied, unsent: true, says: "530"},
		{name: "the server knows no login", server: mailtest.Options{StartTLS: true}, want: connectors.Denied, unsent: true, says: "login"},
		{name: "nobody is there", change: func(o *Options) { o.Port = 1 }, want: connectors.Temporary, unsent: true, says: "cannot be reached"},
		{name: "the password cannot be read", change: func(o *Options) {
			o.Password = func() (string, error) { return "", errors.New("the file cannot be read") }
		}, want: connectors.Denied, unsent: true, says: "password_file"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.server == (mailtest.Options{}) {
				c.server = mailtest.Options{StartTLS: true, User: "hub", Password: "hunter2"}
			}
			s := mailtest.New(t, c.server)
			c.fault.Times = 1
			s.Fail(c.fault)
			m := to(t, s, func(o *Options) {
				o.User, o.Password = "hub", func() (string, error) { return "hunter2", nil }
				if c.change != nil {
					c.change(o)
				}
			})
			err := m.Send(t.Context(), someMail)
			e, ok := errors.AsType[*connectors.Error](err)
			if !ok || e.Fault != c.want || e.Unsent != c.unsent || !strings.Contains(e.Error(), c.says) {
				t.Fatalf("got %v (%+v), want %v", err, e, c.want)
			}
			for _, secret := range []string{"maya", "reverie.example", "hunter2", "greylisted", "unknown"} {
				if strings.Contains(err.Error(), secret) || strings.Contains(connectors.Why(err), secret) {
					t.Errorf("the error tells %q: %v", secret, err)
				}
			}
			if n := len(s.Mails()); n != c.arrived {
				t.Errorf("%d mails arrived", n)
			}
			for _, line := range s.Said() {
				if c.server.User != "" && !c.server.StartTLS && !c.server.Implicit && strings.HasPrefix(line, "AUTH") {
					t.Error("the password went over an open line")
				}
			}
		})
	}
}

func TestASendEndsWithItsContext(t *testing.T) {
	s := mailtest.New(t, mailtest.Options{StartTLS: true})
	m := to(t, s, nil)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := m.Send(ctx, someMail); connectors.FaultOf(err) != connectors.Temporary || len(s.Mails()) > 0 {
		t.Errorf("got %v", err)
	}
}

func TestWithoutTLSOnlyThisMachineIsSpokenTo(t *testing.T) {
	if _, err := New(Options{Host: "mail.example", TLS: None, From: "a@b.example", Hub: "hub.example"}); err == nil {
		t.Error("a far server is spoken to without TLS")
	}
}
