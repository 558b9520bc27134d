package sandbox

import (
	"bytes"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
)

// answer is what the server has to say, before it is said.
type answer struct {
	status  int
	headers [][2]string
	body    []byte
}

func (a *answer) header(name, value string) { a.headers = append(a.headers, [2]string{name, value}) }

// outcome is an answer with one coded issue. text is for people and never holds what was sent.
func outcome(status int, code, text string) answer {
	return answer{status: status, body: mustJSON(object{
		"resourceType": "OperationOutcome",
		"issue":        []object{{"severity": "error", "code": code, "details": object{"text": text}}},
	})}
}

func (s *Server) send(w http.ResponseWriter, a answer) {
	s.mu.Lock()
	d := s.options.Dialect
	s.mu.Unlock()
	h := w.Header()
	h.Set("Date", s.options.Now().UTC().Format(http.TimeFormat))
	if d.NoClock {
		h["Date"] = nil
	}
	for _, pair := range a.headers {
		h.Set(pair[0], pair[1])
	}
	if len(a.body) > 0 && h.Get("Content-Type") == "" {
		h.Set("Content-Type", "application/fhir+json; charset=utf-8")
	}
	body := a.body
	if d.Escaped {
		var out bytes.Buffer
		json.HTMLEscape(&out, body)
		body = out.Bytes()
	}
	if len(body) > 0 {
		h.Set("Content-Length", strconv.Itoa(len(body)))
	}
	w.WriteHeader(a.status)
	_, _ = w.Write(body) // a client that has gone away is no concern of the server
}

// object is a JSON object that is written, never read.
type object = map[string]any

// mustJSON writes what the sandbox itself composed: strings, numbers, lists and objects, which cannot fail.
func mustJSON(v any) []byte {
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		panic(err)
	}
	return bytes.TrimSpace(out.Bytes())
}

// metadata is the CapabilityStatement: the truth about what this server does.
func (s *Server) metadata() answer {
	s.mu.Lock()
	d := s.options.Dialect
	s.mu.Unlock()
	var resources []object
	for _, typ := range typesOf(d) {
		var searchParams []object
		for _, p := range parametersOf(typ, d) {
			searchParams = append(searchParams, object{"name": p.name, "type": p.kind.String()})
		}
		r := object{
			"type":              typ,
			"interaction":       interactionsOf(typ, d),
			"versioning":        "versioned-update",
			"readHistory":       true,
			"updateCreate":      true,
			"conditionalCreate": !d.NoConditionalCreate || d.Overstates,
			"conditionalUpdate": false,
			"conditionalDelete": "not-supported",
			"searchParam":       searchParams,
		}
		if d.IfMatch == IfMatchIgnored && !d.Overstates {
			r["versioning"] = "versioned"
		}
		if d.NoVersions {
			r["versioning"], r["readHistory"] = "no-version", false
		}
		if d.PatientRequired && clinical(typ) {
			r["documentation"] = "Searches need a patient, an _id or an identifier."
		}
		resources = append(resources, r)
	}
	rest := object{"mode": "server", "resource": resources}
	if s.options.Token != "" {
		rest["security"] = object{"description": "A static bearer token is needed."}
	}
	return answer{status: http.StatusOK, body: mustJSON(object{
		"resourceType":   "CapabilityStatement",
		"status":         "active",
		"date":           s.options.Now().UTC().Format("2006-01-02"),
		"kind":           "instance",
		"software":       object{"name": s.options.Name},
		"implementation": object{"description": "A sandbox: every client in it is invented."},
		"fhirVersion":    "4.0.1",
		"format":         []string{"application/fhir+json"},
		"rest":           []object{rest},
	})}
}

// interactionsOf are what can be done with a type in this dialect.
func interactionsOf(typ string, d Dialect) (list []object) {
	codes := []string{"read", "search-type"}
	if !d.NoVersions {
		codes = append(codes, "vread", "history-instance")
	}
	if !slices.Contains(d.NoWrites, typ) {
		codes = append(codes, "create", "update", "delete")
	}
	for _, code := range codes {
		list = append(list, object{"code": code})
	}
	return list
}
