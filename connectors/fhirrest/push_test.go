package fhirrest_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/kaphub/kaphub/connectors"
	"github.com/kaphub/kaphub/connectors/fhirrest"
	"github.com/kaphub/kaphub/connectors/sandbox"
	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/exchange"
)

var copyID = fhir.ID{System: fhir.SystemCopy, Value: "c0ffee"}

func delivery(given string) exchange.Delivery {
	return exchange.Delivery{ID: "d1", Type: "Patient", Copy: copyID, Body: fmt.Appendf(nil, `{"resourceType":"Patient","identifier":[{"system":%q,"value":"c0ffee"}],"name":[{"given":[%q]}]}`, copyID.System, given)}
}

func update(given string) exchange.Delivery {
	d := delivery(given)
	d.Update = true
	return d
}

func set(b bool) *bool { return &b }

// pushed is how a push ended, in a word: the outcome, or the fault and whether it may have arrived.
func pushed(t *testing.T, c connectors.Connector, d exchange.Delivery, asked bool) string {
	t.Helper()
	r, err := c.Pusher.Push(t.Context(), d, asked)
	if err == nil {
		return string(r.Outcome)
	}
	if connectors.MayHaveArrived(err) {
		return connectors.FaultOf(err).String() + ", may have arrived"
	}
	return connectors.FaultOf(err).String()
}

func TestNothingIsWrittenTwiceWhateverTheServerCan(t *testing.T) {
	cannotLook := fhirrest.Dialect{IdentifierSearch: set(false)}
	for _, tc := range []struct {
		name           string
		server         sandbox.Dialect
		dialect        fhirrest.Dialect
		first          string // a try whose reply is lost
		asked, updated string
		copies         int
	}{
		{"creates are conditional and identifiers can be searched", sandbox.Dialect{}, fhirrest.Dialect{},
			"temporary, may have arrived", "existed", "updated", 1},
		{"the condition is ignored without a word, though it is stated", sandbox.Dialect{NoConditionalCreate: true}, fhirrest.Dialect{ConditionalCreate: set(true)},
			"temporary, may have arrived", "existed", "updated", 1},
		{"creates are not conditional", sandbox.Dialect{NoConditionalCreate: true}, fhirrest.Dialect{},
			"temporary, may have arrived", "existed", "updated", 1},
		{"identifiers cannot be searched, creates are conditional", sandbox.Dialect{}, cannotLook,
			"temporary, may have arrived", "existed", "updated", 1},
		{"neither", sandbox.Dialect{NoConditionalCreate: true}, cannotLook,
			"temporary, may have arrived", "uncertain, may have arrived", "uncertain, may have arrived", 1},
		{"neither, and only the search itself shows it", sandbox.Dialect{NoConditionalCreate: true, NoIdentifierSearch: true}, fhirrest.Dialect{IdentifierSearch: set(true)},
			"temporary, may have arrived", "uncertain, may have arrived", "uncertain, may have arrived", 1},
		{"the search ignores the identifier and answers with everybody", sandbox.Dialect{NoConditionalCreate: true, NoIdentifierSearch: true, Lenient: true},
			fhirrest.Dialect{IdentifierSearch: set(true)}, "temporary, may have arrived", "existed", "updated", 1},
		{"stale writes are not noticed", sandbox.Dialect{IfMatch: sandbox.IfMatchIgnored}, fhirrest.Dialect{},
			"temporary, may have arrived", "existed", "updated", 1},
	} {
		t.Run(tc.name, func(t *testing.T) {
			f, c := newFar(t, tc.server, fhirrest.Options{Dialect: tc.dialect})
			for i := range 7 { // others, on more than one page
				f.patient(t, fmt.Sprint("other", i))
			}
			f.server.Fault(sandbox.Fault{Do: sandbox.DropAfter, Method: "POST"})
			for i, step := range []struct {
				d     exchange.Delivery
				asked bool
				want  string
			}{{delivery("a"), false, tc.first}, {delivery("a"), true, tc.asked}, {update("b"), true, tc.updated}, {update("b"), false, strings.Replace(tc.updated, "updated", "existed", 1)}} {
				if got := pushed(t, c, step.d, step.asked); got != step.want {
					t.Errorf("push %d: %s, want %s", i+1, got, step.want)
				}
			}
			f.server.Speak(sandbox.Dialect{})
			if n := f.Count(t, "Patient", copyID); n != tc.copies {
				t.Errorf("%d copies", n)
			}
		})
	}
}

func TestAnUpdateGivesWayToWhoWasFaster(t *testing.T) {
	for _, tc := range []struct {
		name   string
		status sandbox.IfMatch
		faster []string // what somebody writes just before our first, second … put
		want   string
		stands string
	}{
		{"nobody was", sandbox.IfMatch412, nil, "updated", "ours"},
		{"once: it is read again and put again", sandbox.IfMatch412, []string{"theirs"}, "updated", "ours"},
		{"once, told as 409", sandbox.IfMatch409, []string{"theirs"}, "updated", "ours"},
		{"with our own words: they stand", sandbox.IfMatch412, []string{"ours"}, "existed", "ours"},
		{"twice: a conflict, decided again later", sandbox.IfMatch412, []string{"theirs", "theirs too"}, "conflict", "theirs too"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			f, c := newFar(t, sandbox.Dialect{IfMatch: tc.status}, fhirrest.Options{})
			if got := pushed(t, c, delivery("old"), false); got != "created" {
				t.Fatal(got)
			}
			faster := tc.faster
			f.otherwise = func(_ http.ResponseWriter, r *http.Request) bool {
				if r.Method == http.MethodPut && len(faster) > 0 && r.Header.Get("X-Theirs") == "" {
					words := faster[0]
					faster = faster[1:]
					body := strings.Replace(string(delivery(words).Body), `{`, `{"id":"`+strings.TrimPrefix(r.URL.Path, "/Patient/")+`",`, 1)
					theirs, err := http.NewRequestWithContext(r.Context(), http.MethodPut, f.url+r.URL.Path, strings.NewReader(body))
					if err != nil {
						t.Error(err)
						return false
					}
					theirs.Header.Set("X-Theirs", "yes")
					theirs.Header.Set("Content-Type", "application/fhir+json")
					answer, err := http.DefaultClient.Do(theirs)
					if err != nil {
						t.Error(err)
						return false
					}
					_ = answer.Body.Close()
				}
				return false
			}
			got := pushed(t, c, update("ours"), false)
			if got != tc.want {
				t.Errorf("%s, want %s", got, tc.want)
			}
			f.otherwise = nil
			_, body := f.do(t, http.MethodGet, "Patient?identifier=c0ffee", "")
			if !strings.Contains(string(body), `"`+tc.stands+`"`) {
				t.Errorf("there stands %s", body)
			}
		})
	}
}

// asServer lets the sandbox answer, and f change its answer.
func (f *far) changing(method, path string, change func(status int, h http.Header, body string) (int, string)) {
	f.otherwise = func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method != method || !strings.HasPrefix(r.URL.Path, "/"+path) {
			return false
		}
		held := &holder{header: http.Header{}}
		f.server.ServeHTTP(held, r)
		h := held.header
		status, body := change(held.status, h, held.body.String())
		h.Del("Content-Length")
		for k := range w.Header() {
			w.Header().Del(k)
		}
		for k, v := range h {
			w.Header()[k] = v
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
		return true
	}
}

type holder struct {
	header http.Header
	status int
	body   strings.Builder
}

func (h *holder) Header() http.Header         { return h.header }
func (h *holder) WriteHeader(status int)      { h.status = status }
func (h *holder) Write(p []byte) (int, error) { return h.body.Write(p) }

func TestTheServersAnswerToAWriteIsReadWithCare(t *testing.T) {
	for _, tc := range []struct {
		name, method, path string
		change             func(status int, h http.Header, body string) (int, string)
		want               string
	}{
		{"it says where and not what", "POST", "Patient", func(s int, _ http.Header, _ string) (int, string) { return s, "" }, "created"},
		{"it says what and not where", "POST", "Patient", func(s int, h http.Header, b string) (int, string) { h.Del("Location"); h.Del("ETag"); return s, b }, "created"},
		{"it says neither: it is looked for", "POST", "Patient", func(s int, h http.Header, _ string) (int, string) { h.Del("Location"); h.Del("ETag"); return s, "" }, "created"},
		{"it answers with an outcome", "POST", "Patient", func(s int, _ http.Header, _ string) (int, string) {
			return s, `{"resourceType":"OperationOutcome","id":"ok"}`
		}, "created"},
		{"it took it and does not show it", "GET", "Patient/", func(int, http.Header, string) (int, string) { return 404, "{}" }, "temporary, may have arrived"},
		{"it took it and may not show it", "GET", "Patient/", func(int, http.Header, string) (int, string) { return 403, "{}" }, "created"},
		{"it took it and then is busy: its word is the receipt", "GET", "Patient/", func(int, http.Header, string) (int, string) { return 503, "{}" }, "created"},
		{"it drops our identifier", "GET", "Patient/", func(s int, _ http.Header, b string) (int, string) { return s, strings.ReplaceAll(b, "c0ffee", "") }, "uncertain, may have arrived"},
		{"it rewrites our copy into something the gate refuses", "GET", "Patient/", func(s int, _ http.Header, b string) (int, string) {
			return s, strings.Replace(b, "{", `{"text":null,`, 1)
		}, "created"},
		{"it answers the write with a login page", "POST", "Patient", func(_ int, h http.Header, _ string) (int, string) {
			h.Set("Content-Type", "text/html")
			return 200, "<html>"
		}, "garbled, may have arrived"},
		{"it refuses", "POST", "Patient", func(int, http.Header, string) (int, string) { return 422, "{}" }, "refused"},
		{"it fails in the middle", "POST", "Patient", func(int, http.Header, string) (int, string) { return 500, "{}" }, "temporary, may have arrived"},
		{"it answers a look with nothing to look at", "GET", "Patient", func(int, http.Header, string) (int, string) { return 200, "" }, "garbled"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			o := fhirrest.Options{}
			if tc.want == "garbled" {
				o.Dialect.ConditionalCreate = set(false) // so that it looks first
			}
			f, c := newFar(t, sandbox.Dialect{}, o)
			f.changing(tc.method, tc.path, tc.change)
			if got := pushed(t, c, delivery("a"), false); got != tc.want {
				t.Errorf("%s, want %s", got, tc.want)
			}
		})
	}
}

func TestAskingSaysNotThereOnlyWhenItLooked(t *testing.T) {
	for _, tc := range []struct {
		name     string
		server   sandbox.Dialect
		dialect  fhirrest.Dialect
		status   int
		notFound bool
		fault    connectors.Fault
	}{
		{"it looked, and nothing stands there", sandbox.Dialect{}, fhirrest.Dialect{}, 0, true, connectors.Refused},
		{"the search is not there", sandbox.Dialect{}, fhirrest.Dialect{}, 404, false, connectors.Uncertain},
		{"the search is refused", sandbox.Dialect{}, fhirrest.Dialect{}, 400, false, connectors.Uncertain},
		{"the server does not search by identifier", sandbox.Dialect{NoIdentifierSearch: true}, fhirrest.Dialect{}, 0, false, connectors.Uncertain},
		{"the server is busy", sandbox.Dialect{}, fhirrest.Dialect{}, 503, false, connectors.Temporary},
	} {
		t.Run(tc.name, func(t *testing.T) {
			f, c := newFar(t, tc.server, fhirrest.Options{Dialect: tc.dialect})
			if tc.status > 0 {
				f.answers("GET", "Patient", tc.status, "{}")
			}
			_, err := c.Asker.Ask(t.Context(), delivery("a"))
			if errors.Is(err, exchange.ErrNotFound) != tc.notFound || connectors.FaultOf(err) != tc.fault || !connectors.MayHaveArrived(err) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestADeliveryWithoutIdentifierIsRefused(t *testing.T) {
	_, c := newFar(t, sandbox.Dialect{}, fhirrest.Options{})
	d := delivery("a")
	d.Copy = fhir.ID{}
	if got := pushed(t, c, d, false); got != "refused" {
		t.Error(got)
	}
}
