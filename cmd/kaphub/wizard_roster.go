package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/kaphub/kaphub/cmd/internal/console"
	"github.com/kaphub/kaphub/connectors/folder"
)

// namesShown is how many clients of a roster are shown by name, so that whoever sent it sees that it was read right.
const namesShown = 50

// whatToDo says of each reason for which a row is refused what to do about it. None of them quotes what stands there.
var whatToDo = map[string]string{
	"wrong-number-of-fields":               "the row has more or fewer cells than the header: look for a comma without quotes",
	"quotes":                               "a quote stands where none may be: write it twice, or take it out",
	"quote-not-closed-rest-of-file-unread": "a quote begins here and never ends: close it; the rest of the file could not be read",
	"control-character":                    "there is a character that cannot be printed: type the cell anew",
	"too-long":                             "the cell is too long",
	"missing":                              "the cell is empty, and it is needed",
	"no-date":                              "write the day like 1988-02-28, or tick “Days are written like 2/28/1988”",
	"in-the-future":                        "the day lies in the future",
	"no-number":                            "write a number",
	"not-a-known-word":                     "write one of the words that the list of columns names",
	"wrong-form":                           "it does not look like one: see the list of columns",
	"no-prescriber-of-the-config":          "write the prescriber’s name as this hub has it",
	"same-client-twice":                    "the same client stands in the file twice: the first row is taken",
	"needs-another-column":                 "it needs another cell beside it: a prescriber and a day of referral go together",
}

// Columns tells what a roster's header may have.
func (w *wizard) Columns() []console.Fact {
	var all []console.Fact
	for _, c := range folder.Columns() {
		value := c.Means
		if c.Needed {
			value = strings.TrimSuffix("needed; "+value, "; ")
		}
		all = append(all, console.Fact{Name: c.Name, Value: value})
	}
	return all
}

// Roster reads a CSV file and keeps it in memory for Import. Nothing of what stands in it goes into an error or a log.
func (w *wizard) Roster(ctx context.Context, file []byte, usDates bool) (console.Intake, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	h, err := w.opened(ctx)
	if err != nil {
		return console.Intake{}, err
	}
	w.intake = nil
	format := tables(&h.config, folder.Format{USDates: usDates, Now: h.now()})
	records, refused, err := folder.Roster(bytes.NewReader(file), format)
	if unread, ok := errors.AsType[*folder.Unread](err); ok {
		return console.Intake{Wrong: "The file cannot be taken: " + unread.Hint + ". Save it as CSV (UTF-8), with the header in its first row."}, nil
	}
	if err != nil {
		return console.Intake{}, err
	}
	w.intake = &intake{records: records}
	shown, err := w.tell(ctx, h)
	for _, r := range refused {
		where := fmt.Sprintf("Row %d", r.Line)
		if r.Column != "" {
			where += ", " + r.Column
		}
		shown.Refused = append(shown.Refused, console.Fact{Name: where, Value: or(whatToDo[r.Reason], r.Reason)})
		w.intake.refused = append(w.intake.refused, where)
	}
	return shown, err
}

// tell is what the roster that was read would bring.
func (w *wizard) tell(ctx context.Context, h *hub) (console.Intake, error) {
	known, err := h.imported(ctx)
	if err != nil {
		return console.Intake{}, err
	}
	t := w.intake.tally(known)
	shown := console.Intake{New: t.fresh, Changed: t.changed, Same: t.same, Alone: t.alone}
	for _, r := range w.intake.records {
		if r.Type == "Patient" && len(shown.Names) < namesShown {
			shown.Names = append(shown.Names, calledIn(r.Body))
		}
	}
	return shown, nil
}

// calledIn is how a client of the roster is called.
func calledIn(body []byte) string {
	var p struct {
		Name []struct {
			Use, Text string
			Given     []string
		}
	}
	if json.Unmarshal(body, &p) != nil {
		return ""
	}
	called := ""
	for _, n := range p.Name {
		if n.Use == "usual" && n.Text != "" {
			return n.Text
		}
		called = strings.Join(n.Given, " ")
	}
	return called
}

// Import brings in what Roster read last.
func (w *wizard) Import(ctx context.Context) (console.Intake, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	h, err := w.opened(ctx)
	if err != nil || w.intake == nil {
		return console.Intake{}, err
	}
	shown, err := w.tell(ctx, h)
	if err != nil {
		return shown, err
	}
	for _, where := range w.intake.refused {
		shown.Refused = append(shown.Refused, console.Fact{Name: where})
	}
	if err := h.admit(ctx, w.intake); err != nil {
		return shown, err
	}
	w.intake = nil
	if _, err := h.reconcile(ctx, nil); err != nil {
		return shown, err
	}
	return shown, w.mark(stepRoster)
}
