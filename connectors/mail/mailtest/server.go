// Package mailtest is a mail server for tests: it keeps what it is sent, and fails as it is told.
package mailtest

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"mime/quotedprintable"
	"net"
	"net/mail"
	"net/textproto"
	"strings"
	"sync"
	"testing"
	"time"
)

// Options are how a server is.
type Options struct {
	StartTLS bool   // it offers STARTTLS
	Implicit bool   // it speaks TLS from the first byte
	Name     string // the certificate's; "" = 127.0.0.1
	User     string // it asks for this login
	Password string
}

// Fault is one failure: at a command (CONNECT, EHLO, STARTTLS, AUTH, MAIL, RCPT, DATA, or END, the end of the message).
type Fault struct {
	At    string
	Reply string // what is said instead; "" = it hangs up
	Taken bool   // at END: the message was taken all the same
	Times int    // so often; -1 = always
}

// Mail is one message that was taken.
type Mail struct {
	From, To string
	Raw      string // as it came over the wire
	Header   mail.Header
	Text     string // decoded
}

// Server is a mail server on loopback. It ends with the test.
type Server struct {
	Host string
	Port int
	CA   []byte // its certificate, PEM

	t      testing.TB
	o      Options
	secure *tls.Config

	mu     sync.Mutex
	faults []Fault
	mails  []Mail
	said   []string
}

// New starts one.
func New(t testing.TB, o Options) *Server {
	t.Helper()
	s := &Server{t: t, o: o}
	s.certify()
	var listen net.ListenConfig
	listener, err := listen.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	at := listener.Addr().(*net.TCPAddr)
	s.Host, s.Port = at.IP.String(), at.Port
	var open sync.WaitGroup
	open.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			open.Go(func() { s.serve(conn) })
		}
	})
	t.Cleanup(func() {
		_ = listener.Close()
		open.Wait()
	})
	return s
}

// Fail has the server fail, after the faults before.
func (s *Server) Fail(faults ...Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = append(s.faults, faults...)
}

// Mend takes all faults back.
func (s *Server) Mend() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = nil
}

// Mails are the messages that were taken, in their order.
func (s *Server) Mails() []Mail {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Mail(nil), s.mails...)
}

// Said are the commands that the server heard.
func (s *Server) Said() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.said...)
}

func (s *Server) certify() {
	name := s.o.Name
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		s.t.Fatal(err)
	}
	cert := x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "mailtest"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign}
	if name == "" {
		cert.IPAddresses = []net.IP{net.IPv4(127, 0, 0, 1)}
	} else {
		cert.DNSNames = []string{name}
	}
	der, err := x509.CreateCertificate(rand.Reader, &cert, &cert, &key.PublicKey, key)
	if err != nil {
		s.t.Fatal(err)
	}
	s.CA = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	s.secure = &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}
}

// fault is what befalls a command, if anything.
func (s *Server) fault(at string) (Fault, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.faults {
		f := &s.faults[i]
		if f.At == at && f.Times != 0 {
			f.Times--
			return *f, true
		}
	}
	return Fault{}, false
}

// talk is one connection.
type talk struct {
	*Server
	conn net.Conn
	text *textproto.Conn
	mail Mail
	in   bool // logged in
}

func (s *Server) serve(conn net.Conn) {
	defer func() { _ = conn.Close() }()
	_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
	if s.o.Implicit {
		conn = tls.Server(conn, s.secure)
	}
	t := &talk{Server: s, conn: conn, text: textproto.NewConn(conn)}
	if !t.answer("CONNECT", "220 mailtest ESMTP") {
		return
	}
	for {
		line, err := t.text.ReadLine()
		if err != nil {
			return
		}
		s.mu.Lock()
		s.said = append(s.said, line)
		s.mu.Unlock()
		if !t.obey(line) {
			return
		}
	}
}

// answer says reply, or what a fault says instead; false hangs up.
func (t *talk) answer(at, reply string) bool {
	if f, ok := t.fault(at); ok {
		if f.Reply == "" {
			return false
		}
		reply = f.Reply
	}
	return t.text.PrintfLine("%s", reply) == nil
}

func (t *talk) obey(line string) bool {
	verb, rest, _ := strings.Cut(line, " ")
	switch strings.ToUpper(verb) {
	case "EHLO":
		offers := []string{"mailtest", "ENHANCEDSTATUSCODES"}
		if _, secured := t.conn.(*tls.Conn); t.o.StartTLS && !secured {
			offers = append(offers, "STARTTLS")
		}
		if t.o.User != "" {
			offers = append(offers, "AUTH PLAIN")
		}
		for i, offer := range offers {
			sign := "-"
			if i == len(offers)-1 {
				sign = " "
			}
			offers[i] = "250" + sign + offer
		}
		return t.answer("EHLO", strings.Join(offers, "\r\n"))
	case "STARTTLS":
		if !t.answer("STARTTLS", "220 go ahead") {
			return false
		}
		t.conn = tls.Server(t.conn, t.secure)
		t.text = textproto.NewConn(t.conn)
		return true
	case "AUTH":
		_, secret, _ := strings.Cut(rest, " ")
		plain, _ := base64.StdEncoding.DecodeString(secret)
		if string(plain) != "\x00"+t.o.User+"\x00"+t.o.Password {
			return t.answer("AUTH", "535 5.7.8 no")
		}
		t.in = true
		return t.answer("AUTH", "235 2.7.0 yes")
	case "MAIL":
		if t.o.User != "" && !t.in {
			return t.answer("MAIL", "530 5.7.0 log in first")
		}
		t.mail = Mail{From: between(rest)}
		return t.answer("MAIL", "250 2.1.0 ok")
	case "RCPT":
		t.mail.To = between(rest)
		return t.answer("RCPT", "250 2.1.5 ok")
	case "DATA":
		if f, fails := t.fault("DATA"); fails {
			return f.Reply != "" && t.text.PrintfLine("%s", f.Reply) == nil
		}
		return t.text.PrintfLine("354 go ahead") == nil && t.take()
	case "QUIT":
		_ = t.text.PrintfLine("221 bye")
		return false
	case "RSET", "NOOP":
		return t.text.PrintfLine("250 ok") == nil
	}
	return t.text.PrintfLine("502 5.5.1 what?") == nil
}

func between(s string) string {
	_, s, _ = strings.Cut(s, "<")
	s, _, _ = strings.Cut(s, ">")
	return s
}

func (t *talk) take() bool {
	raw, err := io.ReadAll(t.text.DotReader())
	if err != nil {
		return false
	}
	f, fails := t.fault("END")
	if !fails || f.Taken {
		t.mail.Raw = string(raw)
		m, err := mail.ReadMessage(bufio.NewReader(strings.NewReader(t.mail.Raw)))
		if err != nil {
			t.t.Errorf("what was sent is no message: %v", err)
			return false
		}
		t.mail.Header = m.Header
		body := m.Body
		if strings.EqualFold(m.Header.Get("Content-Transfer-Encoding"), "quoted-printable") {
			body = quotedprintable.NewReader(body)
		}
		text, err := io.ReadAll(body)
		if err != nil {
			t.t.Errorf("the message cannot be decoded: %v", err)
		}
		t.mail.Text = strings.ReplaceAll(string(text), "\r\n", "\n")
		t.mu.Lock()
		t.mails = append(t.mails, t.mail)
		t.mu.Unlock()
	}
	if fails {
		return f.Reply != "" && t.text.PrintfLine("%s", f.Reply) == nil
	}
	return t.text.PrintfLine("250 2.0.0 taken") == nil
}

// String says where the server is.
func (s *Server) String() string { return fmt.Sprintf("%s:%d", s.Host, s.Port) }
