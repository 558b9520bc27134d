package fhir

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
)

// Members takes one JSON object apart, its members' bytes untouched. A key that comes twice is refused: which of the two
// holds, nobody can tell. Its errors repeat nothing of body.
func Members(body []byte) (map[string]json.RawMessage, error) {
	dec := json.NewDecoder(bytes.NewReader(body))
	if open, err := dec.Token(); err != nil || open != json.Delim('{') {
		return nil, errors.New("no JSON object")
	}
	fields := map[string]json.RawMessage{}
	for dec.More() {
		key, err := dec.Token()
		name, ok := key.(string)
		if err != nil || !ok {
			return nil, errors.New("broken JSON")
		}
		var value json.RawMessage
		if dec.Decode(&value) != nil {
			return nil, errors.New("broken JSON")
		}
		if _, twice := fields[name]; twice {
			return nil, errors.New("a key comes twice")
		}
		fields[name] = value
	}
	if _, err := dec.Token(); err != nil {
		return nil, errors.New("broken JSON")
	}
	if dec.More() {
		return nil, errors.New("more than one JSON value")
	}
	return fields, nil
}

// LastRef returns the Type/id with which the first of urls that has one ends, a version left aside.
func LastRef(urls ...string) (Ref, bool) {
	for _, url := range urls {
		url, _, _ := strings.Cut(url, "/_history/")
		parts := strings.Split(url, "/")
		if len(parts) < 2 {
			continue
		}
		if ref, ok := ParseRef(parts[len(parts)-2]+"/"+parts[len(parts)-1], ""); ok {
			return ref, true
		}
	}
	return Ref{}, false
}
