package config

import (
	"reflect"

	"github.com/goccy/go-yaml/ast"
)

// Entry is one configured connector: its name, its kind, and the rest, which only its own package can read.
type Entry struct {
	Name string
	Kind string
	Over string // the kind that a kind of its own goes over, "" for most

	path  string
	node  ast.Node
	marks marks // the config's, so that what is wrong deep inside is placed there
}

// read takes name and kind; the rest is kept as it stands for Decode.
func (e *Entry) read(r *reader, n ast.Node, path string) {
	e.path, e.node, e.marks = path, n, r.marks
	list, ok := pairs(n)
	if !ok {
		r.fail(n, path, "must be a block of keys: write {name: ehr, kind: fhirrest, …}")
		return
	}
	for _, pair := range list {
		key, _ := scalar(pair.Key)
		r.marks[path+"."+key] = place(pair.Key)
		switch key {
		case "name":
			r.read(pair.Value, reflect.ValueOf(&e.Name).Elem(), path+".name")
		case "kind":
			r.read(pair.Value, reflect.ValueOf(&e.Kind).Elem(), path+".kind")
		case "over":
			r.read(pair.Value, reflect.ValueOf(&e.Over).Elem(), path+".over")
		}
	}
}

// Path returns where the entry stands: "practice.connectors[0]".
func (e *Entry) Path() string { return e.path }

// Decode strictly reads the entry's own part into the struct that into points to and returns every mistake in it.
func (e *Entry) Decode(into any) []Problem {
	r := &reader{marks: e.marks}
	r.mapping(e.node, reflect.ValueOf(into).Elem(), e.path, []string{"name", "kind", "over"})
	return r.problems
}

// Connector is an entry and the party it talks to: "" for the practice, else the prescriber's name.
type Connector struct {
	Entry
	Prescriber string
}

// Connectors returns every configured connector, the practice's first, in the order of the file.
func (c *Config) Connectors() []Connector {
	var all []Connector
	for _, e := range c.Practice.Connectors {
		all = append(all, Connector{Entry: e})
	}
	for _, p := range c.Prescribers {
		for _, e := range p.Connectors {
			all = append(all, Connector{Entry: e, Prescriber: p.Name})
		}
	}
	return all
}
