// Package mail hands notices to a mail server over SMTP, and says in the connectors' words what came of it.
package mail

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/mail"
	"strconv"
	"strings"
	"time"

	gomail "github.com/wneessen/go-mail"

	"github.com/kaphub/kaphub/connectors"
)

// TLS is how the way to the mail server is secured.
type TLS string

// The ways. Without TLS only a server on this machine is spoken to.
const (
	StartTLS TLS = "starttls"
	Implicit TLS = "tls"
	None     TLS = "none"
)

// Options are what New needs.
type Options struct {
	Host     string
	Port     int // 0 = 587 with StartTLS, 465 with Implicit, 25 with None
	TLS      TLS
	Roots    *x509.CertPool         // nil = the machine's
	User     string                 // "" = the server asks for no login
	Password func() (string, error) // read when it is used, so that a new one needs no restart
	From     string                 // an address
	Hub      string                 // the host by which the hub is known: part of Message-ID and List-Id
	Timeout  time.Duration          // of one message, 0 = 30 s
}

// Mailer hands messages to one mail server, a connection each.
type Mailer struct{ Options }

// New checks o and asks nothing yet.
func New(o Options) (*Mailer, error) {
	if o.Port == 0 {
		o.Port = map[TLS]int{StartTLS: 587, Implicit: 465, None: 25}[o.TLS]
	}
	if o.Timeout == 0 {
		o.Timeout = 30 * time.Second
	}
	switch {
	case o.Host == "" || o.Port == 0 || o.From == "" || o.Hub == "":
		return nil, errors.New("mail: host, tls, from and hub are needed")
	case o.TLS == None && !loopback(o.Host):
		return nil, errors.New("mail: without TLS only a server on this machine is spoken to")
	case o.User != "" && o.Password == nil:
		return nil, errors.New("mail: a user needs a password")
	}
	return &Mailer{o}, nil
}

// Server is where the mails go, to be shown.
func (m *Mailer) Server() string { return net.JoinHostPort(m.Host, strconv.Itoa(m.Port)) }

// Send hands one message over. Nil means that the server took it.
func (m *Mailer) Send(ctx context.Context, msg connectors.Message) error {
	const op = "send mail"
	letter, err := m.letter(msg)
	if err != nil {
		return &connectors.Error{Op: op, Fault: connectors.Refused, Unsent: true, Err: err}
	}
	client, session, err := m.dial(ctx, op)
	if err != nil {
		return err
	}
	err = client.SendWithSMTPClient(session.smtp, letter)
	session.end(client)
	if letter.IsDelivered() {
		return nil // whatever became of the farewell
	}
	return outcome(op, err)
}

// Check reaches the server, secures the way and logs in, and sends nothing.
func (m *Mailer) Check(ctx context.Context) error {
	client, session, err := m.dial(ctx, "reach mail server")
	if err != nil {
		return err
	}
	session.end(client)
	return nil
}

// letter is msg with the headers that keep answering machines silent and let mail programs sort it.
func (m *Mailer) letter(msg connectors.Message) (*gomail.Msg, error) {
	letter := gomail.NewMsg(gomail.WithNoDefaultUserAgent())
	if letter.From(m.From) != nil || letter.EnvelopeFrom(address(m.From)) != nil {
		return nil, errors.New("the sender is no address: correct notices.from")
	}
	if letter.To(msg.To) != nil {
		return nil, errors.New("the receiver is no address: correct it in notices.people")
	}
	letter.Subject(msg.Subject)
	letter.SetDateWithValue(msg.Date)
	letter.SetMessageIDWithValue(msg.ID + ".kaphub@" + m.Hub)
	letter.SetGenHeader("Auto-Submitted", "auto-generated")
	letter.SetGenHeader("List-Id", "kaphub notices <notices."+m.Hub+">")
	if msg.Urgent {
		letter.SetImportance(gomail.ImportanceHigh)
	}
	letter.SetBodyString(gomail.TypeTextPlain, msg.Text)
	return letter, nil
}

// address is the address alone of a sender that may have a name.
func address(from string) string {
	if a, err := mail.ParseAddress(from); err == nil {
		return a.Address
	}
	return from
}

// dial connects, secures the way and logs in. The connection ends with ctx.
func (m *Mailer) dial(ctx context.Context, op string) (*gomail.Client, session, error) {
	s := session{}
	options := []gomail.Option{gomail.WithPort(m.Port), gomail.WithTimeout(m.Timeout), gomail.WithHELO(m.helo()), gomail.WithoutNoop(),
		gomail.WithTLSConfig(m.tls()), gomail.WithDialContextFunc(func(dialing context.Context, network, to string) (net.Conn, error) {
			conn, err := m.connect(dialing, network, to)
			if err == nil {
				s.conn, s.leave = conn, context.AfterFunc(ctx, func() { _ = conn.Close() })
			}
			return conn, err
		})}
	switch m.TLS {
	case StartTLS:
		options = append(options, gomail.WithTLSPolicy(gomail.TLSMandatory))
	case Implicit:
		options = append(options, gomail.WithSSL())
	default:
		options = append(options, gomail.WithTLSPolicy(gomail.NoTLS))
	}
	if m.User != "" {
		password, err := m.Password()
		if err != nil {
			return nil, s, &connectors.Error{Op: op, Fault: connectors.Denied, Unsent: true, Err: err, Hint: "see notices.smtp.password_file"}
		}
		options = append(options, gomail.WithOpportunisticSMTPAuth(gomail.SMTPAuthSCRAMSHA256, gomail.SMTPAuthPlain, gomail.SMTPAuthLogin),
			gomail.WithUsername(m.User), gomail.WithPassword(password))
	}
	client, err := gomail.NewClient(m.Host, options...)
	if err != nil {
		return nil, s, &connectors.Error{Op: op, Fault: connectors.Refused, Unsent: true, Err: errors.New("the settings of the mail server do not fit together"), Hint: "see notices.smtp"}
	}
	if s.smtp, err = client.DialToSMTPClientWithContext(ctx); err != nil {
		if s.conn != nil { // the library leaves it open
			s.leave()
			_ = s.conn.Close()
		}
		return nil, s, m.unreached(op, err)
	}
	return client, s, nil
}

// connect opens the connection, and secures it at once where that is agreed.
func (m *Mailer) connect(ctx context.Context, network, to string) (net.Conn, error) {
	var dialer net.Dialer
	if m.TLS == Implicit {
		return (&tls.Dialer{NetDialer: &dialer, Config: m.tls()}).DialContext(ctx, network, to)
	}
	return dialer.DialContext(ctx, network, to)
}

func (m *Mailer) tls() *tls.Config {
	return &tls.Config{ServerName: m.Host, RootCAs: m.Roots, MinVersion: tls.VersionTLS12}
}

// helo is how the hub presents itself: never by the name of the machine.
func (m *Mailer) helo() string {
	if net.ParseIP(m.Hub) != nil || !strings.Contains(m.Hub, ".") {
		return "localhost"
	}
	return m.Hub
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// Roots are the certificates in a PEM file, in place of the machine's.
func Roots(pem []byte) (*x509.CertPool, error) {
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("no certificate in PEM form is in it")
	}
	return pool, nil
}
