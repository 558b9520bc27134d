package exchange

import (
	"encoding/json"
	"fmt"
	"slices"
)

// Element is one element of a body that crosses: where it stands, of what kind it is and how often it is there. Never
// what it says.
type Element struct {
	Path string `json:"path"` // "Patient.name.family"
	Kind string `json:"kind"` // "text", "number" or "yes or no"
	N    int    `json:"n"`
}

// Elements lists what a body tells, in the order in which it stands there; of a Bundle, what each of its resources does.
// The error is for what is no JSON object, and says nothing of it.
func Elements(body []byte) ([]Element, error) {
	root, err := decode(body)
	if err != nil {
		return nil, fmt.Errorf("list what is disclosed: %w", err)
	}
	var l lister
	l.resource(root)
	return l, nil
}

type lister []Element

func (l *lister) resource(o fields) {
	typ, _ := o.get("resourceType").(string)
	if typ == "Bundle" {
		entries, _ := o.get("entry").([]any)
		for _, e := range entries {
			entry, _ := e.(fields)
			if r, ok := entry.get("resource").(fields); ok {
				l.resource(r)
			}
		}
		return
	}
	for _, f := range o {
		if f.key != "resourceType" {
			l.value(f.value, join(typ, f.key))
		}
	}
}

func (l *lister) value(v any, path string) {
	kind := "text"
	switch v := v.(type) {
	case fields:
		for _, f := range v {
			l.value(f.value, join(path, f.key))
		}
		return
	case []any:
		for _, item := range v {
			l.value(item, path)
		}
		return
	case json.Number:
		kind = "number"
	case bool:
		kind = "yes or no"
	}
	if i := slices.IndexFunc(*l, func(e Element) bool { return e.Path == path && e.Kind == kind }); i >= 0 {
		(*l)[i].N++
		return
	}
	*l = append(*l, Element{Path: path, Kind: kind, N: 1})
}
