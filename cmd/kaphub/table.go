package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"text/tabwriter"
)

// table is a list at the terminal, in columns; end writes it.
type table struct{ to *tabwriter.Writer }

// table begins one; without heads it has none.
func (s *scene) table(heads ...string) table {
	t := table{tabwriter.NewWriter(s.out, 0, 0, 2, ' ', 0)}
	if len(heads) > 0 {
		t.row(heads...)
	}
	return t
}

func (t table) row(cells ...string) { _, _ = fmt.Fprintln(t.to, strings.Join(cells, "\t")) }

func (t table) end() error { return t.to.Flush() }

// many counts in words: "1 link", "2 links".
func many(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// json writes v for a program.
func (s *scene) json(v any) error {
	e := json.NewEncoder(s.out)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

// short is an id as a list shows it: long enough to be told from the others.
func short(id string) string { return fmt.Sprintf("%.12s", id) }
