package rest

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/kaphub/kaphub/connectors"
	"github.com/kaphub/kaphub/fhir/exchange"
)

// Status is an HTTP status as the cause of an error.
type Status int

func (s Status) Error() string { return "status " + strconv.Itoa(int(s)) }

// StatusOf returns the HTTP status that err rests on, 0 if it rests on none.
func StatusOf(err error) int {
	s, _ := errors.AsType[Status](err)
	return int(s)
}

// What a status means for the queue:
//
//	401 403              Denied     the operator's business
//	404 410              Refused    wraps exchange.ErrNotFound
//	408 425 429 5xx      Temporary  again later, not before Retry-After
//	409 412              Conflict   read, decide again
//	501 505, other 4xx   Refused    with the coded part of the OperationOutcome
//	3xx                  Refused    redirects are not followed: they would carry the token away
//	3xx, 404 or 410 to a write, not in FHIR: Garbled. Somebody in between spoke, and that is no refusal (invariant 7)
//
// After any 4xx and after 503 the server says that it did nothing; after another 5xx nobody knows.
func (c *Client) refusal(call Call, raw *http.Response) error {
	status := raw.StatusCode
	e := &connectors.Error{Op: call.Op, Fault: connectors.Refused, Err: Status(status)}
	e.Unsent = call.reads() || status >= 400 && status < 500 || status == http.StatusServiceUnavailable || status == http.StatusNotImplemented
	switch {
	case status == http.StatusUnauthorized:
		e.Fault, e.Hint = connectors.Denied, "the token is missing, wrong or expired: renew it"
		if c.tokens != nil {
			e.Hint = "the server refuses tokens that were just granted: does it trust this authorisation server, and is base_url what they are for?"
		}
	case status == http.StatusForbidden:
		e.Fault, e.Hint = connectors.Denied, "the hub's account may not do this there: ask the counterpart for the right"
	case status == http.StatusNotFound || status == http.StatusGone:
		e.Err = fmt.Errorf("%w: %w", Status(status), exchange.ErrNotFound)
	case status == http.StatusConflict || status == http.StatusPreconditionFailed:
		e.Fault = connectors.Conflict
	case transient(status):
		e.Fault = connectors.Temporary
		e.After = retryAfter(raw.Header.Get("Retry-After"), c.now())
	case status < 400:
		e.Hint = "a redirect is not followed: write the final address in base_url"
	}
	own := isJSON(raw.Header.Get("Content-Type"))
	if !call.reads() && !own && (status < 400 || status == http.StatusNotFound || status == http.StatusGone) {
		e.Fault = connectors.Garbled
	}
	if own {
		e.Codes = outcomeCodes(raw.Body)
		if len(e.Codes) > 0 {
			e.Err = fmt.Errorf("%w %s", e.Err, strings.Join(e.Codes, ", "))
		}
	}
	return e
}

// transient reports whether status says that it may go well later.
func transient(status int) bool {
	switch status {
	case http.StatusRequestTimeout, http.StatusTooEarly, http.StatusTooManyRequests:
		return true
	}
	return status >= 500 && status != http.StatusNotImplemented && status != http.StatusHTTPVersionNotSupported
}

// longest is as long as a server may put the hub off: a mistaken year would silence it.
const longest = 24 * time.Hour

func retryAfter(header string, now time.Time) time.Duration {
	header = strings.TrimSpace(header)
	if seconds, err := strconv.ParseInt(header, 10, 64); err == nil {
		return min(time.Duration(min(max(seconds, 0), int64(longest/time.Second)))*time.Second, longest)
	}
	if at, err := http.ParseTime(header); err == nil {
		return min(max(at.Sub(now), 0), longest)
	}
	return 0
}

// outcomeCodes is the coded part of an OperationOutcome, "severity/code". What is no code of R4 is written
// "uncoded": a server might have put a client's data there.
func outcomeCodes(body io.Reader) []string {
	const enough = 1 << 20
	var outcome struct {
		Issue []struct{ Severity, Code string }
	}
	if err := json.NewDecoder(io.LimitReader(body, enough)).Decode(&outcome); err != nil {
		return nil
	}
	var codes []string
	for _, issue := range outcome.Issue {
		code := known(severities, issue.Severity) + "/" + known(issueTypes, issue.Code)
		if !slices.Contains(codes, code) && len(codes) < 10 {
			codes = append(codes, code)
		}
	}
	return codes
}

var (
	severities = []string{"fatal", "error", "warning", "information"}
	issueTypes = []string{
		"invalid", "structure", "required", "value", "invariant", "security", "login", "unknown", "expired", "forbidden",
		"suppressed", "processing", "not-supported", "duplicate", "multiple-matches", "not-found", "deleted", "too-long",
		"code-invalid", "extension", "too-costly", "business-rule", "conflict", "transient", "lock-error", "no-store",
		"exception", "timeout", "incomplete", "throttled", "informational",
	}
)

func known(list []string, word string) string {
	if slices.Contains(list, word) {
		return word
	}
	return "uncoded"
}

// waited is the error of a call whose turn did not come.
func waited(ctx context.Context, op string) error {
	cause := ctx.Err()
	if cause == nil { // the limiter foresees that the deadline would pass
		cause = context.DeadlineExceeded
	}
	return &connectors.Error{Op: op, Fault: connectors.Temporary, Unsent: true, Err: fmt.Errorf("wait for its turn: %w", cause)}
}

// lost is the error of a call that got no whole answer. The transport's own words are not repeated: they hold the
// query, and now and then a piece of the answer.
func lost(ctx context.Context, call Call, err error, unsent bool) error {
	e := &connectors.Error{Op: call.Op, Fault: connectors.Temporary, Unsent: unsent}
	var (
		dns    *net.DNSError
		verify *tls.CertificateVerificationError
		host   x509.HostnameError
		issuer x509.UnknownAuthorityError
		record tls.RecordHeaderError
		alert  tls.AlertError
		slow   net.Error
	)
	switch {
	case ctx.Err() != nil:
		e.Err = ctx.Err()
	case errors.As(err, &dns):
		e.Err, e.Hint = errors.New("the host's name is not known"), "check base_url and the network"
	case errors.Is(err, syscall.ECONNREFUSED):
		e.Err, e.Hint = errors.New("connection refused"), "is the server running, and base_url right?"
	case errors.As(err, &verify), errors.As(err, &host), errors.As(err, &issuer):
		e.Err, e.Hint = errors.New("the server's certificate is not trusted"), "check base_url, the server's certificate, or ca_file"
	case errors.As(err, &record), errors.As(err, &alert):
		e.Err, e.Hint = errors.New("no TLS 1.2 or newer could be agreed on"), "check that base_url's port speaks https"
	case errors.As(err, &slow) && slow.Timeout(), errors.Is(err, context.DeadlineExceeded):
		e.Err = errors.New("no whole answer in time")
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		e.Err = errors.New("the connection broke")
	default:
		e.Err = errors.New("the exchange broke off")
	}
	return e
}
