package folder

import (
	"regexp"
	"time"
)

// monthFirst is how a day is written in the United States.
const monthFirst = "1/2/2006"

var (
	isoForm   = regexp.MustCompile(`^[0-9]{4}-[0-9]{2}-[0-9]{2}$`)
	slashForm = regexp.MustCompile(`^[0-9]{1,2}/[0-9]{1,2}/[0-9]{4}$`)
)

// date reads a civil date, "" for an empty cell, and answers it as FHIR writes it.
func (f Format) date(r *row, column string) (string, *Refusal) {
	text := r.cells[column]
	if text == "" {
		return "", nil
	}
	for layout, form := range map[string]*regexp.Regexp{time.DateOnly: isoForm, monthFirst: slashForm} {
		if !form.MatchString(text) {
			continue
		}
		t, err := time.Parse(layout, text)
		switch {
		case err != nil:
			return "", r.refuse(column, badNoDay)
		case layout == time.DateOnly || f.USDates:
			return t.Format(time.DateOnly), nil
		}
	}
	return "", r.refuse(column, badDate)
}

// monthFirst reports whether every day in the table is written with slashes, and can be one when the month comes first.
// What can only be read with the day first speaks against it; a day that does not exist either way does not.
func (t *table) monthFirst() bool {
	found := false
	for i := range t.rows {
		for _, column := range []string{"birth_date", "referred_on"} {
			text := t.rows[i].cells[column]
			if text == "" {
				continue
			}
			if !slashForm.MatchString(text) {
				return false
			}
			_, us := time.Parse(monthFirst, text)
			_, other := time.Parse("2/1/2006", text)
			if us != nil && other == nil {
				return false
			}
			found = found || us == nil
		}
	}
	return found
}

// past is date, for what cannot lie ahead. A day is given to every time zone.
func (f Format) past(r *row, column string) (string, *Refusal) {
	on, wrong := f.date(r, column)
	if wrong == nil && !f.Now.IsZero() && on > f.Now.Add(24*time.Hour).Format(time.DateOnly) {
		return "", r.refuse(column, badFuture)
	}
	return on, wrong
}
