package mail

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/textproto"
	"os"
	"strconv"

	gomail "github.com/wneessen/go-mail"
	"github.com/wneessen/go-mail/smtp"

	"github.com/kaphub/kaphub/connectors"
)

// session is one connection, and what keeps it from outliving its caller.
type session struct {
	smtp  *smtp.Client
	conn  net.Conn
	leave func() bool
}

func (s session) end(client *gomail.Client) {
	_ = client.CloseWithSMTPClient(s.smtp) // what was taken is taken
	_ = s.conn.Close()
	s.leave()
}

// reply is what the server said, as the cause of an error: its code alone, for its words may name a person.
type reply struct {
	code     int
	enhanced string
}

func (r reply) Error() string {
	if r.enhanced != "" {
		return fmt.Sprintf("the server answers %d %s", r.code, r.enhanced)
	}
	return fmt.Sprintf("the server answers %d", r.code)
}

func (r reply) codes() []string {
	if r.enhanced != "" {
		return []string{strconv.Itoa(r.code), r.enhanced}
	}
	return []string{strconv.Itoa(r.code)}
}

// fault is what a reply means:
//
//	530 534 535 538   Denied     it wants a login, or another one
//	4xx               Temporary  again later
//	5xx               Refused
func (r reply) fault() (connectors.Fault, string) {
	switch {
	case r.code == 530 || r.code == 534 || r.code == 535 || r.code == 538:
		return connectors.Denied, "the mail server wants another login: see notices.smtp.user and its password"
	case r.code >= 500:
		return connectors.Refused, "the mail server does not take it: is notices.from an address that it may send for, and does the receiver's exist?"
	}
	return connectors.Temporary, ""
}

// unreached is why nothing could be handed over: nothing of the message was sent.
//
//	a reply                             by its code
//	a certificate that nobody vouches   Denied
//	no answer, or the network           Temporary
//	else                                Denied: it cannot do what is asked of it, STARTTLS or a login
func (m *Mailer) unreached(op string, err error) error {
	e := &connectors.Error{Op: op, Unsent: true}
	var said *textproto.Error
	var broken net.Error
	switch {
	case errors.As(err, &said):
		r := reply{code: said.Code}
		e.Err, e.Codes = r, r.codes()
		e.Fault, e.Hint = r.fault()
	case untrusted(err):
		e.Fault, e.Err = connectors.Denied, errors.New("nobody vouches for the server's certificate")
		e.Hint = "write the host as the certificate names it; where no public authority vouches for it, notices.smtp.ca_file"
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded):
		e.Fault, e.Err = connectors.Temporary, errors.New("the mail server does not answer in time")
	case errors.As(err, &broken), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, net.ErrClosed):
		e.Fault, e.Err = connectors.Temporary, errors.New("the mail server cannot be reached, or hung up")
		e.Hint = "see notices.smtp: host, port and tls"
	case errors.Is(err, context.Canceled):
		e.Fault, e.Err = connectors.Temporary, context.Canceled
	default:
		e.Fault = connectors.Denied
		e.Err = errors.New("the mail server does not offer what is asked of it")
		e.Hint = "is notices.smtp.tls right (tls for port 465, starttls for 587), and does the server know a login (SCRAM-SHA-256, PLAIN or LOGIN)?"
	}
	return e
}

func untrusted(err error) bool {
	var verify *tls.CertificateVerificationError
	var name x509.HostnameError
	var authority x509.UnknownAuthorityError
	return errors.As(err, &verify) || errors.As(err, &name) || errors.As(err, &authority)
}

// outcome is why a message was not taken, or that nobody can tell.
//
//	the server answered                                 by its code: it did not take it
//	the line broke before the end of the message        Temporary: what has no end is not taken
//	the line broke after the end, before the answer     Uncertain
func outcome(op string, err error) error {
	e := &connectors.Error{Op: op, Fault: connectors.Temporary, Unsent: true, Err: errors.New("the line to the mail server broke")}
	var sent *gomail.SendError
	if !errors.As(err, &sent) {
		return e
	}
	if code := sent.ErrorCode(); code >= 400 {
		r := reply{code, sent.EnhancedStatusCode()}
		e.Err, e.Codes = r, r.codes()
		e.Fault, e.Hint = r.fault()
		return e
	}
	switch sent.Reason {
	case gomail.ErrSMTPDataClose:
		e.Fault, e.Unsent, e.Err = connectors.Uncertain, false, errors.New("the line to the mail server broke before it said that it took the message")
	case gomail.ErrNoUnencoded, gomail.ErrGetSender, gomail.ErrGetRcpts:
		e.Fault, e.Err = connectors.Refused, errors.New("the message cannot be sent as it is")
	default: // a line that broke before the end of the message
	}
	return e
}
