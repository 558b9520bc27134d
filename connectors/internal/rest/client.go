// Package rest is the one way connectors speak HTTP: paced, bounded, never retrying, never following a redirect,
// and never letting a body or a query into an error.
package rest

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"github.com/go-resty/resty/v2"
	"github.com/sony/gobreaker/v2"

	"github.com/kaphub/kaphub/connectors"
)

// Limits are how much, how fast and how long. A zero field means its default.
type Limits struct {
	Timeout       time.Duration `yaml:"timeout"`             // whole request, body included; 60 s
	HeaderTimeout time.Duration `yaml:"header_timeout"`      // until the answer begins; 30 s
	MaxBody       int64         `yaml:"max_body_bytes"`      // of an answer, decompressed; 32 MiB
	Rate          float64       `yaml:"requests_per_second"` // 5, on loopback 500
	Burst         int           `yaml:"burst"`               // 10, on loopback 500
	Concurrency   int           `yaml:"concurrency"`         // reading and sending at once, over all replicas: 2; 1 = one waits for the other
	Trip          int           `yaml:"trip_after"`          // failures in a row after which the counterpart is left in peace; 5
	Rest          time.Duration `yaml:"rest"`                // for how long; 30 s
}

func (l Limits) orDefault(near bool) Limits {
	if near { // nobody to be spared
		set(&l.Rate, 500)
		set(&l.Burst, 500)
	}
	set(&l.Timeout, 60*time.Second)
	set(&l.HeaderTimeout, 30*time.Second)
	set(&l.MaxBody, 32<<20)
	set(&l.Rate, 5)
	set(&l.Burst, 10)
	set(&l.Trip, 5)
	set(&l.Rest, 30*time.Second)
	return l
}

func set[T comparable](v *T, to T) {
	var zero T
	if *v == zero {
		*v = to
	}
}

// Options are what New needs.
type Options struct {
	Base   string // as CheckBase allows it
	Auth   Auth
	Limits Limits
	Roots  *x509.CertPool // nil = the system's
	Now    func() time.Time

	Turnstile connectors.Turnstile // the pace shared with other replicas; nil = there are none to share it with
}

// Client speaks to one counterpart. Safe for concurrent use: pace and breaker are shared by all that is asked of it.
type Client struct {
	base    *url.URL
	auth    Auth
	limits  Limits
	now     func() time.Time
	http    *resty.Client
	pace    *pace
	breaker *gobreaker.CircuitBreaker[Answer]
	tokens  *tokens // nil unless auth is smart
}

// New checks o and does nothing else.
func New(o Options) (*Client, error) {
	base, err := CheckBase(o.Base, o.Auth.Kind)
	if err != nil {
		return nil, fmt.Errorf("base_url %w", err)
	}
	if o.Auth.Kind == AuthBearer && o.Auth.Token == nil {
		return nil, errors.New("bearer auth without a token: name a token file or environment variable")
	}
	if o.Auth.Kind == AuthSmart {
		if err := o.Auth.Smart.check(base); err != nil {
			return nil, err
		}
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	l := o.Limits.orDefault(loopback(base.Hostname()))
	c := &Client{base: base, auth: o.Auth, limits: l, now: o.Now, pace: newPace(o.Turnstile, base.Host, l, o.Now)}
	c.http = resty.NewWithClient(&http.Client{
		Transport:     transport(l, o.Roots),
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}).
		SetRetryCount(0). // resty replays a POST on a dropped connection otherwise: retrying is the queue's
		SetDebug(false).
		SetDisableWarn(true).
		SetLogger(silent{}).
		SetDoNotParseResponse(true). // read here, under the limit
		SetHeader("User-Agent", "kaphub")
	c.breaker = gobreaker.NewCircuitBreaker[Answer](gobreaker.Settings{
		Timeout:      l.Rest,
		ReadyToTrip:  func(n gobreaker.Counts) bool { return n.ConsecutiveFailures >= uint32(l.Trip) }, //nolint:gosec // a small setting
		IsSuccessful: func(err error) bool { return err == nil || connectors.FaultOf(err) != connectors.Temporary },
		IsExcluded:   func(err error) bool { return errors.Is(err, context.Canceled) },
	})
	if o.Auth.Kind == AuthSmart {
		c.tokens = newTokens(o.Auth.Smart, c)
	}
	return c, nil
}

func transport(l Limits, roots *x509.CertPool) *http.Transport {
	return &http.Transport{
		Proxy:                  http.ProxyFromEnvironment, // never asked for loopback
		DialContext:            (&net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
		TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots},
		TLSHandshakeTimeout:    10 * time.Second,
		ResponseHeaderTimeout:  l.HeaderTimeout,
		MaxResponseHeaderBytes: 1 << 20,
		IdleConnTimeout:        90 * time.Second,
		MaxIdleConnsPerHost:    4,
		ForceAttemptHTTP2:      true,
	}
}

// silent keeps resty from writing anything anywhere.
type silent struct{}

func (silent) Errorf(string, ...any) {}
func (silent) Warnf(string, ...any)  {}
func (silent) Debugf(string, ...any) {}

// Call is one request. Op names it in errors and holds codes only: "search Task".
type Call struct {
	Op          string
	Method      string // "" = GET
	Path        string // under the base: "Task/t1"
	Query       url.Values
	Link        string // in place of Path and Query: a link that the server gave, which must lie under the base
	Body        []byte
	IfMatch     string // an ETag
	IfNoneExist string // an escaped query

	Accept          string // a media type in place of FHIR JSON: text/calendar
	IfNoneMatch     string // an ETag, and
	IfModifiedSince string // a Last-Modified seen before: the answer may then be Unchanged
}

func (c Call) reads() bool { return c.Method == "" || c.Method == http.MethodGet }

// Answer is what the server said. With an error, Status is still set if there was one.
type Answer struct {
	Status   int
	Body     []byte
	Date     time.Time // the server's clock; zero if it does not say
	ETag     string
	Location string

	Modified  string // Last-Modified
	Unchanged bool   // what the call's conditions named still stands; no Body
}

// Do makes one request and answers 2xx; anything else is a *connectors.Error. Only where a token that should be good is
// refused (401), and the request has surely done nothing, it is made once more with another one.
func (c *Client) Do(ctx context.Context, call Call) (Answer, error) {
	address, err := c.address(call)
	if err != nil {
		return Answer{}, err
	}
	answer, g, err := c.once(ctx, call, address)
	if c.tokens == nil || answer.Status != http.StatusUnauthorized || connectors.MayHaveArrived(err) || !c.tokens.drop(ctx, g) {
		return answer, err
	}
	answer, _, err = c.once(ctx, call, address)
	return answer, err
}

// once makes one request, when its turn has come and the counterpart is not left in peace, with the token that is good
// at that moment.
func (c *Client) once(ctx context.Context, call Call, address string) (Answer, *grant, error) {
	if rest, err := c.pace.wait(ctx); err != nil {
		return Answer{}, nil, waited(ctx, call.Op)
	} else if rest > 0 {
		e := connectors.Errorf(call.Op, connectors.Temporary, "left in peace, as another of the hub's processes found it in trouble")
		e.After, e.Unsent = rest, true
		return Answer{}, nil, e
	}
	g, err := c.grant(ctx, call, address)
	if err != nil {
		return Answer{}, nil, err
	}
	answer, err := c.breaker.Execute(func() (Answer, error) { return c.send(ctx, call, address, g.token) })
	c.pace.tell(ctx, c.breaker.State() == gobreaker.StateOpen, err)
	if errors.Is(err, gobreaker.ErrOpenState) || errors.Is(err, gobreaker.ErrTooManyRequests) {
		e := connectors.Errorf(call.Op, connectors.Temporary, "left in peace after %d failures in a row", c.limits.Trip)
		e.After, e.Unsent = c.limits.Rest, true
		return Answer{}, nil, e
	}
	return answer, g, err
}

func (c *Client) send(ctx context.Context, call Call, address, token string) (Answer, error) {
	bounded, cancel := context.WithTimeout(ctx, c.limits.Timeout)
	defer cancel()
	var written atomic.Bool
	traced := httptrace.WithClientTrace(bounded, &httptrace.ClientTrace{WroteHeaders: func() { written.Store(true) }})

	request := c.request(traced, call, token)
	method := call.Method
	if method == "" {
		method = http.MethodGet
	}
	response, err := request.Execute(method, address)
	if err != nil {
		return Answer{}, lost(ctx, call, err, call.reads() || !written.Load())
	}
	raw := response.RawResponse
	defer func() { _ = raw.Body.Close() }()

	answer := Answer{Status: raw.StatusCode, ETag: raw.Header.Get("ETag"), Location: raw.Header.Get("Location")}
	if at, err := http.ParseTime(raw.Header.Get("Date")); err == nil {
		answer.Date = at
	}
	answer.Modified = raw.Header.Get("Last-Modified")
	if answer.Status == http.StatusNotModified && call.IfNoneMatch+call.IfModifiedSince != "" {
		answer.Unchanged = true
		return answer, nil
	}
	if answer.Status < 200 || answer.Status > 299 {
		return answer, c.refusal(call, raw)
	}
	if answer.Body, err = c.read(ctx, call, raw); err != nil {
		return answer, err
	}
	return answer, nil
}

func (c *Client) request(ctx context.Context, call Call, token string) *resty.Request {
	r := c.http.R().SetContext(ctx).SetHeader("Accept", cmp.Or(call.Accept, "application/fhir+json"))
	if call.Body != nil {
		r.SetHeader("Content-Type", "application/fhir+json").SetBody(call.Body)
	}
	if call.IfMatch != "" {
		r.SetHeader("If-Match", call.IfMatch)
	}
	if call.IfNoneExist != "" {
		r.SetHeader("If-None-Exist", call.IfNoneExist)
	}
	if call.IfNoneMatch != "" {
		r.SetHeader("If-None-Match", call.IfNoneMatch)
	}
	if call.IfModifiedSince != "" {
		r.SetHeader("If-Modified-Since", call.IfModifiedSince)
	}
	if token != "" {
		r.SetAuthToken(token)
	}
	return r
}

// read takes the body of a good answer, never more than the limit: a bomb is let go of, not swallowed.
func (c *Client) read(ctx context.Context, call Call, raw *http.Response) ([]byte, error) {
	garbled := func(hint, format string, args ...any) error {
		e := connectors.Errorf(call.Op, connectors.Garbled, format, args...)
		e.Hint, e.Unsent = hint, call.reads()
		return e
	}
	tooLarge := func() error {
		return garbled("set dialect.page_size lower, or limits.max_body_bytes higher", "answer larger than %s", size(c.limits.MaxBody))
	}
	if raw.Header.Get("Content-Encoding") != "" { // the transport undoes the one it asked for
		return nil, garbled("", "answer in an encoding that was not asked for")
	}
	if raw.ContentLength > c.limits.MaxBody {
		return nil, tooLarge()
	}
	body, err := io.ReadAll(io.LimitReader(raw.Body, c.limits.MaxBody+1))
	switch {
	case err != nil:
		return nil, lost(ctx, call, err, call.reads())
	case int64(len(body)) > c.limits.MaxBody:
		return nil, tooLarge()
	case len(bytes.TrimSpace(body)) == 0:
		return nil, nil
	case call.Accept != "" && !isMedia(raw.Header.Get("Content-Type"), call.Accept):
		return nil, garbled("", "answer is not %s", call.Accept)
	case call.Accept == "" && !isJSON(raw.Header.Get("Content-Type")):
		return nil, garbled("is base_url the address of the FHIR server itself?", "answer is not FHIR JSON")
	}
	return body, nil
}

func isJSON(contentType string) bool {
	media, _, _ := strings.Cut(contentType, ";")
	switch strings.ToLower(strings.TrimSpace(media)) {
	case "application/fhir+json", "application/json":
		return true
	}
	return false
}

// isMedia reports whether contentType is want; a server that does not tell, or calls all text plain, is taken at want.
func isMedia(contentType, want string) bool {
	media, _, _ := strings.Cut(contentType, ";")
	switch media = strings.ToLower(strings.TrimSpace(media)); media {
	case want, "", "text/plain", "application/octet-stream":
		return true
	}
	return false
}

func size(n int64) string {
	if n >= 1<<20 && n%(1<<20) == 0 {
		return fmt.Sprintf("%d MiB", n>>20)
	}
	return fmt.Sprintf("%d bytes", n)
}
