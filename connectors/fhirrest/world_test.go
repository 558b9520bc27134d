package fhirrest_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/kaphub/kaphub/connectors"
	"github.com/kaphub/kaphub/connectors/connectortest"
	"github.com/kaphub/kaphub/connectors/fhirrest"
	"github.com/kaphub/kaphub/connectors/sandbox"
	"github.com/kaphub/kaphub/fhir"
)

// world is a far side reached by HTTP, as its own user would; trouble comes from the sandbox, where it is one.
type world struct {
	url    string
	server *sandbox.Server
	frail  bool // swallows a huge answer itself
}

func (w world) Put(t *testing.T, body string) (fhir.Ref, bool) {
	t.Helper()
	var named struct{ ResourceType, ID string }
	if err := json.Unmarshal([]byte(body), &named); err != nil {
		t.Fatal(err)
	}
	method, path := http.MethodPost, named.ResourceType
	if named.ID != "" {
		method, path = http.MethodPut, path+"/"+named.ID
	}
	status, answer := w.do(t, method, path, body)
	if status >= 400 {
		return fhir.Ref{}, false
	}
	if err := json.Unmarshal(answer, &named); err != nil {
		t.Fatal(err)
	}
	return fhir.Ref{Type: named.ResourceType, ID: named.ID}, true
}

func (w world) Delete(t *testing.T, ref fhir.Ref) bool {
	t.Helper()
	status, _ := w.do(t, http.MethodDelete, ref.String(), "")
	return status < 300
}

func (w world) Count(t *testing.T, typ string, id fhir.ID) int {
	t.Helper()
	_, answer := w.do(t, http.MethodGet, typ+"?identifier="+url.QueryEscape(id.System+"|"+id.Value), "")
	var b struct{ Total int }
	if err := json.Unmarshal(answer, &b); err != nil {
		t.Fatal(err)
	}
	return b.Total
}

func (w world) Trouble(_ *testing.T, kind connectortest.Trouble, n int) bool {
	fault, ok := map[connectortest.Trouble]sandbox.Fault{
		connectortest.Busy:      {Do: sandbox.Answer, Status: 503, RetryAfter: connectortest.RetryAfter},
		connectortest.Denied:    {Do: sandbox.Expired},
		connectortest.Garbage:   {Do: sandbox.GarbagePage, Method: "GET"},
		connectortest.Truncated: {Do: sandbox.TruncateJSON, Method: "GET"},
		connectortest.Withheld:  {Do: sandbox.WithholdRow, Method: "GET", Type: "Patient"},
		connectortest.Loop:      {Do: sandbox.LoopPages},
		connectortest.LostReply: {Do: sandbox.DropAfter, Method: "POST"},
		connectortest.Huge:      {Do: sandbox.HugeBody, Method: "GET", Bytes: 2 << 30},
	}[kind]
	if !ok || w.frail && kind == connectortest.Huge {
		return false
	}
	fault.Times = n
	w.server.Fault(fault)
	return true
}

func (w world) Mend(*testing.T) {
	w.server.Mend()
}

func (w world) do(t *testing.T, method, path, body string) (int, []byte) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, w.url+"/"+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/fhir+json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, answer
}

// open returns a connector to a server at address.
func open(t *testing.T, o fhirrest.Options) connectors.Connector {
	t.Helper()
	o.Name = "far"
	if o.Party == "" {
		o.Party = "skylight"
	}
	if o.Auth.Kind == "" {
		o.Auth.Kind = fhirrest.AuthNone
	}
	if o.Dialect.PageSize == 0 {
		o.Dialect.PageSize = 3
	}
	c, err := fhirrest.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// serve runs a handler on loopback until the test ends.
func serve(t *testing.T, h http.Handler) string {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.URL
}

// byOffset makes a server page by counting rows, as most do: it keeps no snapshot, and its next link is an offset.
type byOffset struct{ http.Handler }

func (o byOffset) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	count, err := strconv.Atoi(q.Get("_count"))
	if r.Method != http.MethodGet || err != nil {
		o.Handler.ServeHTTP(w, r)
		return
	}
	offset, _ := strconv.Atoi(q.Get("_offset"))
	q.Del("_offset")
	q.Set("_count", "500")
	all := httptest.NewRecorder()
	whole := r.Clone(r.Context())
	whole.URL.RawQuery = q.Encode()
	o.Handler.ServeHTTP(all, whole)
	var b map[string]any
	if all.Code != http.StatusOK || json.Unmarshal(all.Body.Bytes(), &b) != nil {
		w.Header().Set("Content-Type", all.Header().Get("Content-Type"))
		w.Header().Set("Retry-After", all.Header().Get("Retry-After"))
		w.WriteHeader(all.Code)
		_, _ = io.Copy(w, all.Body)
		return
	}
	rows, _ := b["entry"].([]any)
	from := min(offset, len(rows))
	to := min(from+count, len(rows))
	b["entry"], b["link"] = rows[from:to], []any{}
	if to < len(rows) {
		q.Set("_count", strconv.Itoa(count))
		q.Set("_offset", strconv.Itoa(to))
		b["link"] = []any{map[string]any{"relation": "next", "url": "http://" + r.Host + r.URL.Path + "?" + q.Encode()}}
	}
	w.Header().Set("Content-Type", "application/fhir+json")
	_ = json.NewEncoder(w).Encode(b)
}

func sandboxed(d sandbox.Dialect, o fhirrest.Options, wrap func(http.Handler) http.Handler) connectortest.Setup {
	return func(t *testing.T) (connectors.Connector, connectortest.World) {
		server := sandbox.NewServer(sandbox.Options{Dialect: d})
		var h http.Handler = server
		if wrap != nil {
			h = wrap(h)
		}
		o := o
		o.BaseURL = serve(t, h)
		o.Limits.MaxBody = 1 << 20
		return open(t, o), world{o.BaseURL, server, wrap != nil}
	}
}

func TestEveryServerOfWhateverDialectPassesTheSuite(t *testing.T) {
	for _, tc := range []struct {
		name    string
		dialect sandbox.Dialect
		options fhirrest.Options
		wrap    func(http.Handler) http.Handler
	}{
		{name: "plain R4, a prescriber"},
		{name: "plain R4, a practice", options: fhirrest.Options{Party: fhir.Practice}},
		{name: "searches do not take _lastUpdated", dialect: sandbox.Dialect{NoLastUpdated: true}},
		{name: "a practice whose searches do not take _lastUpdated", dialect: sandbox.Dialect{NoLastUpdated: true}, options: fhirrest.Options{Party: fhir.Practice}},
		{name: "searches need a patient", dialect: sandbox.Dialect{PatientRequired: true}, options: fhirrest.Options{Dialect: fhirrest.Dialect{PatientRequired: true}}},
		{name: "creates are not conditional, and stale writes answer 409", dialect: sandbox.Dialect{NoConditionalCreate: true, IfMatch: sandbox.IfMatch409}},
		{name: "answers are escaped", dialect: sandbox.Dialect{Escaped: true}},
		{name: "only gt is taken", options: fhirrest.Options{Dialect: fhirrest.Dialect{LastUpdated: fhirrest.LastUpdatedGT}}},
		{name: "pages are counted off while rows move", wrap: func(h http.Handler) http.Handler { return byOffset{h} }},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			connectortest.Run(t, sandboxed(tc.dialect, tc.options, tc.wrap))
		})
	}
}

// TestPeer runs the suite against an independent server: KAPHUB_PEER=http://127.0.0.1:18201, empty or not.
func TestPeer(t *testing.T) {
	base := os.Getenv("KAPHUB_PEER")
	if base == "" {
		t.Skip("KAPHUB_PEER names no server")
	}
	connectortest.Run(t, func(t *testing.T) (connectors.Connector, connectortest.World) {
		w := peer{world{url: base}}
		w.clear(t)
		return open(t, fhirrest.Options{BaseURL: base}), w
	})
}

// peer is the independent server of .ci/interop: it can be asked to fail, and must be emptied before each case.
type peer struct{ world }

func (p peer) Mend(*testing.T) {}

func (p peer) clear(t *testing.T) {
	t.Helper()
	for _, typ := range []string{"Observation", "Patient"} {
		for {
			_, answer := p.do(t, http.MethodGet, typ+"?_count=200", "")
			var b struct {
				Entry []struct{ Resource struct{ ID string } }
			}
			if err := json.Unmarshal(answer, &b); err != nil {
				t.Fatal(err)
			}
			if len(b.Entry) == 0 {
				break
			}
			for _, e := range b.Entry {
				p.Delete(t, fhir.Ref{Type: typ, ID: e.Resource.ID})
			}
		}
	}
}

func (p peer) Trouble(t *testing.T, kind connectortest.Trouble, n int) bool {
	t.Helper()
	status := map[connectortest.Trouble]string{connectortest.Busy: `"status":503,"retryAfter":7`, connectortest.Denied: `"status":401`}[kind]
	if status == "" {
		return false
	}
	if n < 0 {
		n = 1
	}
	p.do(t, http.MethodPost, "_fault", fmt.Sprintf(`[{%s,"times":%d}]`, status, n))
	return true
}
