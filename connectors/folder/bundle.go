package folder

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/kaphub/kaphub/fhir"
)

// item is what one row or entry of a file says.
type item struct {
	line      int
	resources []fhir.Resource
	gone      []fhir.Ref
	withheld  bool // an OperationOutcome says that rows are missing
	refused   *Refusal
}

// readJSON reads a Bundle, or one resource by itself.
func readJSON(body []byte) ([]item, error) {
	text, err := plainText(body)
	if err != nil {
		return nil, err
	}
	if len(bytes.TrimSpace(text)) == 0 {
		return nil, &Unread{Reason: fileEmpty, Hint: "it has no content; export it again"}
	}
	top, err := fhir.Members(text)
	if err != nil {
		return nil, &Unread{Reason: fileNotFHIR, Hint: "it is not one JSON object, or only part of one; export it again"}
	}
	switch word(top["resourceType"]) {
	case "Bundle":
		return readBundle(top)
	case "":
		return nil, &Unread{Reason: fileNotFHIR, Hint: "it says no resourceType; export it as a FHIR R4 Bundle"}
	}
	return []item{gate(1, bytes.TrimSpace(text), true)}, nil
}

// readNDJSON reads one resource a line.
func readNDJSON(body []byte) ([]item, error) {
	text, err := plainText(body)
	if err != nil {
		return nil, err
	}
	var items []item
	line := 0
	for raw := range bytes.Lines(text) {
		line++
		if raw = bytes.TrimSpace(raw); len(raw) > 0 {
			items = append(items, gate(line, bytes.Clone(raw), false))
		}
	}
	if len(items) == 0 {
		return nil, &Unread{Reason: fileEmpty, Hint: "it has no lines; export it again"}
	}
	return items, nil
}

// gate lets one resource in, or refuses it alone.
func gate(line int, raw []byte, entry bool) item {
	r, err := fhir.Parse(raw, "")
	if wrong, ok := errors.AsType[*fhir.Refusal](err); ok {
		refused := &Refusal{Line: line, Column: wrong.Path, Reason: wrong.Reason, Type: wrong.Type, ID: wrong.ID, Row: raw, entry: entry}
		if wrong.Subject.Type == "Patient" {
			refused.Client = wrong.Subject.ID
		}
		return item{line: line, refused: refused}
	}
	return item{line: line, resources: []fhir.Resource{r}}
}

// bundles are the kinds that a party may leave.
var bundles = []string{"collection", "transaction", "batch", "searchset", "history", "message", "document"}

// about are resources that tell of the exchange and not of a client.
var about = []string{"MessageHeader", "Parameters", "Composition"}

// readBundle reads every entry. A history is told newest first, and read oldest first.
func readBundle(top map[string]json.RawMessage) ([]item, error) {
	kind := word(top["type"])
	if !slices.Contains(bundles, kind) {
		return nil, &Unread{Reason: fileNotFHIR, Hint: "it is a Bundle of a kind that holds no records; write one of " + strings.Join(bundles, ", ")}
	}
	var raws []json.RawMessage
	if top["entry"] != nil && json.Unmarshal(top["entry"], &raws) != nil {
		return nil, &Unread{Reason: fileNotFHIR, Hint: "its entries are no list; export it again"}
	}
	entries := make([]map[string]json.RawMessage, len(raws))
	names := map[string]string{} // fullUrl of an entry → how the others may refer to it
	for i, raw := range raws {
		e, err := fhir.Members(raw)
		if err != nil {
			continue // refused below
		}
		entries[i] = e
		name(e, names)
	}
	items := make([]item, 0, len(raws))
	for i, raw := range raws {
		items = append(items, readEntry(i+1, raw, entries[i], names))
	}
	if kind == "history" {
		slices.Reverse(items)
	}
	return items, nil
}

// name notes how an entry is referred to by a URN, and gives it an id where it has none: in a transaction nobody has yet.
func name(e map[string]json.RawMessage, names map[string]string) {
	url := word(e["fullUrl"])
	urn, ok := strings.CutPrefix(url, "urn:uuid:")
	resource, err := fhir.Members(e["resource"])
	if !ok || err != nil {
		return
	}
	typ, id := word(resource["resourceType"]), word(resource["id"])
	if id == "" {
		given, err := fhir.Apply(e["resource"], fhir.Edit{Path: "id", Value: urn})
		if err != nil {
			return
		}
		e["resource"], id = given, urn
	}
	names[url] = typ + "/" + id
}

var urnReference = regexp.MustCompile(`("reference"\s*:\s*)"(urn:uuid:[^"\\]+)"`)

func readEntry(n int, raw json.RawMessage, e map[string]json.RawMessage, names map[string]string) item {
	var request struct{ Method, URL string }
	var response struct{ Status string }
	bad := item{line: n, refused: &Refusal{Line: n, Reason: fhir.ReasonNotObject, Row: raw, entry: true}}
	if e == nil ||
		e["request"] != nil && json.Unmarshal(e["request"], &request) != nil ||
		e["response"] != nil && json.Unmarshal(e["response"], &response) != nil {
		return bad
	}
	body := e["resource"]
	if body == nil {
		if request.Method != http.MethodDelete && !strings.HasPrefix(response.Status, "410") {
			return bad
		}
		ref, ok := fhir.LastRef(request.URL, word(e["fullUrl"]))
		if !ok {
			return bad
		}
		return item{line: n, gone: []fhir.Ref{ref}}
	}
	inner, err := fhir.Members(body)
	if err != nil {
		return gate(n, body, true)
	}
	switch typ := word(inner["resourceType"]); {
	case typ == "OperationOutcome":
		return item{line: n, withheld: true}
	case slices.Contains(about, typ):
		return item{line: n}
	}
	body = urnReference.ReplaceAllFunc(body, func(match []byte) []byte {
		parts := urnReference.FindSubmatch(match)
		if to, ok := names[string(parts[2])]; ok {
			return append(bytes.Clone(parts[1]), `"`+to+`"`...)
		}
		return match
	})
	return gate(n, body, true)
}

// word reads raw as a string, "" for anything else.
func word(raw json.RawMessage) (s string) {
	if raw == nil || json.Unmarshal(raw, &s) != nil {
		return ""
	}
	return s
}
