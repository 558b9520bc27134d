package fhirrest

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/kaphub/kaphub/connectors"
	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/exchange"
)

// bundle is one page of a search, as received.
type bundle struct {
	at      time.Time // the server's clock when it answered; zero if it does not say
	next    string
	total   int // -1 if it does not say
	entries []entry
}

type entry struct {
	resource json.RawMessage
	updated  time.Time // meta.lastUpdated, also of what the gate refuses
	match    bool      // it answers the search; false for what came along
	outcome  bool      // it tells of the search itself
	gone     fhir.Ref
}

// readBundle takes a Bundle of a kind apart. The resources in it keep their bytes; whether they can be read is the gate's business.
func readBundle(op, kind string, body []byte) (bundle, error) {
	b, err := takeApart(kind, body)
	if err != nil {
		e := connectors.Errorf(op, connectors.Garbled, "answer is no %s: %w", kind, err)
		e.Unsent = true
		return bundle{}, e
	}
	return b, nil
}

// mostRows is how many rows one page may have: ten times the most that is ever asked for.
const mostRows = 10_000

func takeApart(want string, body []byte) (bundle, error) {
	b := bundle{total: -1}
	top, err := fhir.Members(body)
	if err != nil {
		return b, err
	}
	var kind, mode string
	var meta struct{ LastUpdated string }
	var links []struct{ Relation, URL string }
	var rows []json.RawMessage
	for name, into := range map[string]any{"resourceType": &kind, "type": &mode, "meta": &meta, "link": &links, "entry": &rows, "total": &b.total} {
		if raw, ok := top[name]; ok && json.Unmarshal(raw, into) != nil {
			return b, errors.New(name + " cannot be read")
		}
	}
	if kind != "Bundle" || mode != want {
		return b, errors.New("it is something else")
	}
	if at, err := time.Parse(time.RFC3339, meta.LastUpdated); err == nil {
		b.at = at
	}
	for _, l := range links {
		if l.Relation != "next" {
			continue
		}
		if b.next = l.URL; b.next == "" {
			return b, errors.New("there is a next page and no link to it")
		}
	}
	if len(rows) > mostRows {
		return b, fmt.Errorf("a page of more than %d rows: set dialect.page_size lower, or have the counterpart page", mostRows)
	}
	for _, raw := range rows {
		e, err := readEntry(raw)
		if err != nil {
			return b, err
		}
		b.entries = append(b.entries, e)
	}
	return b, nil
}

func readEntry(raw []byte) (entry, error) {
	fields, err := fhir.Members(raw)
	if err != nil {
		return entry{}, err
	}
	var (
		url      string
		search   struct{ Mode string }
		request  struct{ Method, URL string }
		response struct{ Status string }
	)
	for name, into := range map[string]any{"fullUrl": &url, "search": &search, "request": &request, "response": &response} {
		if value, ok := fields[name]; ok && json.Unmarshal(value, into) != nil {
			return entry{}, errors.New("entry." + name + " cannot be read")
		}
	}
	e := entry{resource: fields["resource"], match: search.Mode == "" || search.Mode == "match", outcome: search.Mode == "outcome"}
	if e.resource == nil {
		if request.Method == http.MethodDelete || strings.HasPrefix(response.Status, "410") {
			e.gone, _ = fhir.LastRef(request.URL, url)
		}
		if e.gone.IsZero() && !e.outcome {
			return entry{}, errors.New("entry without a resource")
		}
		return e, nil
	}
	var glance struct {
		ResourceType string
		Meta         struct{ LastUpdated string }
	}
	_ = json.Unmarshal(e.resource, &glance) // what cannot be glanced at, the gate refuses
	e.updated, _ = time.Parse(time.RFC3339, glance.Meta.LastUpdated)
	e.outcome = e.outcome || glance.ResourceType == "OperationOutcome"
	return e, nil
}

// matches counts the rows that answer the search.
func (b bundle) matches() (n int) {
	for _, e := range b.entries {
		if e.match && !e.outcome {
			n++
		}
	}
	return n
}

// withholds reports whether an OperationOutcome stands where rows should.
func (b bundle) withholds() bool {
	return slices.ContainsFunc(b.entries, func(e entry) bool {
		return e.outcome && (e.resource == nil || !informational(e.resource))
	})
}

// informational reports whether an OperationOutcome only passes the time of day: nothing was withheld.
func informational(raw []byte) bool {
	var o struct {
		Issue []struct{ Severity, Code string }
	}
	if err := json.Unmarshal(raw, &o); err != nil || len(o.Issue) == 0 {
		return false
	}
	for _, i := range o.Issue {
		if i.Severity != "information" || i.Code != "informational" {
			return false
		}
	}
	return true
}

// sort files a page's entries: what passes the gate, what does not, what is gone, what was withheld.
// patient is whom the search was for, "" if nobody.
//
// A search tells a record as it stands, once. Of a record that comes several times on one page the newest telling counts:
// rows that moved while they were paged, or a server that pours out a record's past.
func (s *server) sort(into *exchange.Page, b bundle, patient string) {
	at := map[fhir.Ref]int{}
	for _, e := range b.entries {
		switch {
		case !e.gone.IsZero():
			into.Gone = append(into.Gone, e.gone)
		case e.outcome:
			if e.resource == nil || !informational(e.resource) {
				into.Unknowns++
			}
		default:
			r, err := fhir.Parse(e.resource, "")
			if err != nil {
				into.Rejects = append(into.Rejects, s.reject(e.resource, err, patient))
				continue
			}
			if i, again := at[r.Ref()]; again {
				if !r.LastUpdated.Before(into.Resources[i].LastUpdated) {
					into.Resources[i] = r
				}
				continue
			}
			at[r.Ref()] = len(into.Resources)
			into.Resources = append(into.Resources, r)
		}
	}
}

func (s *server) reject(body []byte, err error, patient string) fhir.Reject {
	sum := sha256.Sum256(body)
	out := fhir.Reject{Source: s.name, Reason: "refused", Body: bytes.Clone(body), Hash: hex.EncodeToString(sum[:]), Received: s.now()}
	var refusal *fhir.Refusal
	if errors.As(err, &refusal) {
		out.Type, out.Ref, out.Subject = refusal.Type, refusal.ID, refusal.Subject
		out.Reason = refusal.Error()
	}
	if out.Subject.IsZero() && patient != "" {
		out.Subject = fhir.Ref{Type: "Patient", ID: patient}
	}
	return out
}
