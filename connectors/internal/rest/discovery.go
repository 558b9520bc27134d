package rest

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/kaphub/kaphub/connectors"
)

// discovery is what of .well-known/smart-configuration bears on getting a token.
type discovery struct {
	Issuer        string   `json:"issuer"`
	TokenEndpoint string   `json:"token_endpoint"`
	Grants        []string `json:"grant_types_supported"`
	Methods       []string `json:"token_endpoint_auth_methods_supported"`
	Algorithms    []string `json:"token_endpoint_auth_signing_alg_values_supported"`
	Scopes        []string `json:"scopes_supported"`

	date time.Time // the server's clock when it answered
}

const wellKnown = ".well-known/smart-configuration"

// discover asks the counterpart where its tokens come from. The answer's token endpoint may be spoken to.
func (c *Client) discover(ctx context.Context) (discovery, error) {
	const op = "read smart-configuration"
	var d discovery
	answer, err := c.aside(ctx, op, http.MethodGet, c.base.JoinPath(wellKnown).String(), nil)
	d.date = answer.Date
	if e, ok := errors.AsType[*connectors.Error](err); ok {
		if e.Fault == connectors.Refused {
			e.Fault = connectors.Denied // it is the operator's business
			e.Hint = "the server tells no SMART configuration: is base_url right? If the counterpart names a token endpoint by other means, write it under auth.token_url"
		}
		return d, e
	}
	wrong := func(hint, text string) error {
		e := connectors.Errorf(op, connectors.Garbled, "%s", text)
		e.Hint, e.Unsent = hint, true
		return e
	}
	if json.Unmarshal(answer.Body, &d) != nil {
		return d, wrong("tell the counterpart, or write auth.token_url", "it is no JSON that can be read")
	}
	if err := CheckTokenURL(d.TokenEndpoint, loopback(c.base.Hostname())); err != nil {
		return d, wrong("tell the counterpart, or write auth.token_url", "its token_endpoint "+err.Error())
	}
	return d, nil
}

// CheckTokenURL says whether the hub may prove itself at address: https, or on this machine where near says that the
// counterpart is there too. Its errors repeat nothing of it.
func CheckTokenURL(address string, near bool) error {
	u, err := url.Parse(address)
	switch {
	case address == "":
		return errors.New("is missing")
	case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https":
		return errors.New("is no address: it is like https://auth.example.org/token")
	case u.User != nil || u.Fragment != "":
		return errors.New("holds a user name or a fragment")
	case u.Scheme == "http" && (!near || !loopback(u.Hostname())):
		return errors.New("is http, where others could read what is sent: it must be https")
	}
	return nil
}

// aside makes a request that carries no token: for discovery, for a token, for our own key set. Its answer is JSON of at
// most 1 MiB. Whatever fails, nothing was written at the counterpart.
func (c *Client) aside(ctx context.Context, op, method, address string, form url.Values) (Answer, error) {
	if err := c.pace.limiter.Wait(ctx); err != nil {
		return Answer{}, waited(ctx, op)
	}
	bounded, cancel := context.WithTimeout(ctx, c.limits.Timeout)
	defer cancel()
	request := c.http.R().SetContext(bounded).SetHeader("Accept", "application/json")
	if form != nil {
		request.SetHeader("Content-Type", "application/x-www-form-urlencoded").SetBody(form.Encode())
	}
	call := Call{Op: op, Method: method}
	response, err := request.Execute(method, address)
	if err != nil {
		return Answer{}, lost(ctx, call, err, true)
	}
	raw := response.RawResponse
	defer func() { _ = raw.Body.Close() }()
	answer := Answer{Status: raw.StatusCode}
	if at, err := http.ParseTime(raw.Header.Get("Date")); err == nil {
		answer.Date = at
	}
	const most = 1 << 20
	body, err := io.ReadAll(io.LimitReader(raw.Body, most+1))
	own := isJSON(raw.Header.Get("Content-Type"))
	switch {
	case answer.Status < 200 || answer.Status > 299:
		if own && len(body) <= most {
			answer.Body = body // an OAuth error, of which only the code is read
		}
		e := &connectors.Error{Op: op, Fault: connectors.Refused, Err: Status(answer.Status), Unsent: true}
		if transient(answer.Status) {
			e.Fault, e.After = connectors.Temporary, retryAfter(raw.Header.Get("Retry-After"), c.now())
		}
		if answer.Status < 400 {
			e.Hint = "a redirect is not followed: write the final address"
		}
		return answer, e
	case err != nil:
		return answer, lost(ctx, call, err, true)
	case len(body) > most || !own:
		e := connectors.Errorf(op, connectors.Garbled, "answer is not JSON of at most 1 MiB")
		e.Unsent = true
		return answer, e
	}
	answer.Body = body
	return answer, nil
}
