package folder

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/kaphub/kaphub/fhir"
)

// Refusal is one row that was not taken, and why. Its String names a line, a column and a code, never a value.
type Refusal struct {
	Line   int    // in the file, 1 = its first
	Column string // or element; "" = the row as a whole
	Reason string // one of the bad… codes, or the gate's reason
	Type   string // of the resource the row would have made, "" if that could not be told
	ID     string // its id, likewise
	Client string // the Patient id it belongs to, likewise
	Row    []byte // as it stood in the file
	Number string // the practice's own of the client, "" if that could not be told; like Cell, for whoever sent the file alone
	Cell   string // what stands in the column

	entry bool // Line counts a Bundle's entries
}

func (r Refusal) String() string {
	what := "line"
	if r.entry {
		what = "entry"
	}
	if r.Column == "" {
		return fmt.Sprintf("%s %d: %s", what, r.Line, r.Reason)
	}
	return fmt.Sprintf("%s %d: %s: %s", what, r.Line, r.Column, r.Reason)
}

// Unread is why a whole file was not taken. Nothing in what Error says repeats what the file holds.
type Unread struct {
	Reason string   // one of the file… codes
	Hint   string   // what to do next
	Header []string // its first line, for whoever sent the file alone
}

func (u *Unread) Error() string { return u.Reason + ": " + u.Hint }

// Why a whole file is not taken.
const (
	fileEncoding  = "encoding"
	fileHeader    = "header"
	fileEmpty     = "empty"
	fileTooLarge  = "too-large"
	fileNotPlain  = "not-a-plain-file"
	fileUnknown   = "unknown-kind"
	fileNotFHIR   = "not-fhir"
	fileForbidden = "not-readable"
)

// Why a row is not taken.
const (
	badFields  = "wrong-number-of-fields"
	badQuotes  = "quotes"
	badEnd     = "quote-not-closed-rest-of-file-unread"
	badControl = "control-character"
	badLength  = "too-long"
	badMissing = "missing"
	badDate    = "no-date"
	badNoDay   = "no-such-day"
	badFuture  = "in-the-future"
	badNumber  = "no-number"
	badCode    = "not-a-known-word"
	badForm    = "wrong-form"
	badParty   = "no-prescriber-of-the-config"
	badTwice   = "same-client-twice"
	badAlone   = "needs-another-column"
)

const maxCell = 1000 // runes; nothing that belongs into a column is longer

// table is a CSV file whose header is known.
type table struct {
	heading
	rows []row
	cut  bool // a quote was never closed: what came after it was not read
}

// row is one line of a table, read or refused.
type row struct {
	line    int
	cells   map[string]string // by column, trimmed; a column that is absent or empty is not in it
	raw     []byte
	refused *Refusal // it cannot be read at all
}

// column is one of a table's.
type column struct {
	name     string
	required bool   // in the header
	about    string // for people
}

// header is how the first line of a file with these columns may read: the required ones first.
func header(columns []column) string {
	var names []string
	for _, required := range []bool{true, false} {
		for _, c := range columns {
			if c.required == required {
				names = append(names, c.name)
			}
		}
	}
	return strings.Join(names, ",")
}

// readTable takes a CSV file apart; words are what else its header may call a column, and leave has it leave out the columns that are not known. The error is an *Unread when none of
// it can be taken.
func readTable(body []byte, columns []column, words map[string][]string, leave bool) (table, error) {
	text, err := plainText(body)
	if err != nil {
		return table{}, err
	}
	in := csv.NewReader(bytes.NewReader(text))
	in.ReuseRecord = false
	first, err := in.Read()
	if errors.Is(err, io.EOF) {
		return table{}, &Unread{Reason: fileEmpty, Hint: "it has no lines; export it again"}
	}
	if err != nil {
		return table{}, &Unread{Reason: fileHeader, Hint: "the first line cannot be read as CSV; it should be some of " + header(columns)}
	}
	var t table
	if t.heading, err = readHeader(first, columns, words, leave); err != nil {
		return table{}, err
	}
	in.FieldsPerRecord = len(t.names)
	for {
		from := in.InputOffset()
		record, err := in.Read()
		if errors.Is(err, io.EOF) {
			return t, nil
		}
		raw := bytes.TrimRight(text[from:in.InputOffset()], "\r\n")
		r := row{raw: raw}
		if wrong, ok := errors.AsType[*csv.ParseError](err); ok {
			r.line = wrong.StartLine
			r.refused = &Refusal{Line: r.line, Reason: badQuotes, Row: raw}
			if errors.Is(err, csv.ErrFieldCount) {
				r.refused.Reason = badFields
				if len(record) > 0 {
					r.line, _ = in.FieldPos(0)
					r.refused.Line = r.line
				}
			} else if in.InputOffset() >= int64(len(text)) && wrong.Line != wrong.StartLine {
				r.refused.Reason, t.cut = badEnd, true
			}
			t.rows = append(t.rows, r)
			continue
		}
		r.line, _ = in.FieldPos(0)
		r.read(t.names, record)
		if len(r.cells) > 0 || r.refused != nil { // a line of commas says nothing
			t.rows = append(t.rows, r)
		}
	}
}

func (r *row) read(names, record []string) {
	r.cells = make(map[string]string, len(record))
	for i, cell := range record {
		cell = strings.TrimSpace(cell)
		switch {
		case cell == "", names[i] == "":
			continue
		case utf8.RuneCountInString(cell) > maxCell:
			r.refused = &Refusal{Line: r.line, Column: names[i], Reason: badLength, Row: r.raw}
		case strings.ContainsFunc(cell, func(c rune) bool { return unicode.IsControl(c) && c != '\n' && c != '\r' && c != '\t' }):
			r.refused = &Refusal{Line: r.line, Column: names[i], Reason: badControl, Row: r.raw}
		}
		r.cells[names[i]] = strings.Join(strings.Fields(cell), " ") // a line break within quotes is a space
	}
}

// plainText is body as UTF-8 without a byte order mark.
func plainText(body []byte) ([]byte, error) {
	const save = "; save it as CSV UTF-8 and export it again"
	switch {
	case bytes.HasPrefix(body, []byte{0xff, 0xfe}), bytes.HasPrefix(body, []byte{0xfe, 0xff}):
		return nil, &Unread{Reason: fileEncoding, Hint: "it is written in UTF-16" + save}
	case bytes.IndexByte(body, 0) >= 0:
		return nil, &Unread{Reason: fileEncoding, Hint: "it is no text" + save}
	case !utf8.Valid(body):
		return nil, &Unread{Reason: fileEncoding, Hint: "it is not written in UTF-8 (Windows-1252, perhaps)" + save}
	}
	return bytes.TrimPrefix(body, []byte("\ufeff")), nil
}

// refuse is a refusal of the row for what stands in a column.
func (r *row) refuse(column, reason string) *Refusal {
	return &Refusal{Line: r.line, Column: column, Reason: reason, Row: r.raw, Number: r.cells["id"], Cell: r.cells[column]}
}

// object is a piece of FHIR JSON; its keys are written in alphabetical order, so that the same row has the same bytes.
type object = map[string]any

// resource puts what a row says through the gate.
func resource(o object) (fhir.Resource, *Refusal) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(o); err != nil {
		return fhir.Resource{}, &Refusal{Reason: badForm}
	}
	r, err := fhir.Parse(bytes.TrimSpace(b.Bytes()), "")
	if wrong, ok := errors.AsType[*fhir.Refusal](err); ok {
		return r, &Refusal{Column: wrong.Path, Reason: wrong.Reason, Type: wrong.Type, ID: wrong.ID}
	}
	return r, nil
}
