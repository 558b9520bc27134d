package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

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
	"no-date-either":                       "write the day like 1988-02-28 or 2/28/1988",
	"no-such-day":                          "there is no such day in the calendar; correct it (with slashes the month comes first)",
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

// ReferredTo are the prescribers of the draft.
func (w *wizard) ReferredTo(ctx context.Context) ([]console.Fact, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	h, err := w.opened(ctx)
	if err != nil {
		return nil, err
	}
	var all []console.Fact
	for _, p := range referrable(&h.config) {
		all = append(all, console.Fact{Name: p.Name, Value: p.Title})
	}
	return all, nil
}

// Roster reads a CSV file and keeps it in memory for Import, and to be read otherwise. Nothing of what stands in it goes into
// an error or a log: what it says wrong is told to whoever sent it alone.
func (w *wizard) Roster(ctx context.Context, file []byte, as console.RosterAs) (console.Intake, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	h, err := w.opened(ctx)
	if err != nil {
		return console.Intake{}, err
	}
	w.intake = nil
	if file != nil {
		w.file = file
	}
	format := tables(&h.config, folder.Format{USDates: as.USDates, LeaveOut: true, Now: h.now()})
	switch {
	case w.file == nil:
		return console.Intake{Wrong: "Choose the file first."}, nil
	case as.All:
		if wrong := referAll(&format, as.To, as.On); wrong != "" {
			return console.Intake{Wrong: wrong}, nil
		}
	}
	read, err := folder.Roster(bytes.NewReader(w.file), format)
	if unread, ok := errors.AsType[*folder.Unread](err); ok {
		wrong := "The file cannot be taken: " + unread.Hint + ". Save it as CSV (UTF-8), with the header in its first row."
		if len(unread.Header) > 0 {
			wrong += " Its first row says: " + strings.Join(unread.Header, ", ") + "."
		}
		return console.Intake{Wrong: wrong}, nil
	}
	if err != nil {
		return console.Intake{}, err
	}
	w.intake = &intake{records: read.Records, left: read.Left}
	shown, err := w.tell(ctx, h)
	shown.MonthFirst = read.USOnly
	for _, t := range read.Taken {
		shown.Taken = append(shown.Taken, console.Fact{Name: t.Wrote, Value: t.As})
	}
	for _, r := range read.Refused {
		where := fmt.Sprintf("Row %d", r.Line)
		if r.Number != "" {
			where += " (" + r.Number + ")"
		}
		if r.Column != "" {
			where += ", " + read.Called(r.Column)
		}
		w.intake.refused = append(w.intake.refused, where)
		switch {
		case read.USOnly && r.Reason == "no-date": // said of all of them at once
			continue
		case as.USDates && r.Reason == "no-date":
			r.Reason = "no-date-either"
		}
		what := or(whatToDo[r.Reason], r.Reason)
		if r.Cell != "" {
			what = "“" + r.Cell + "”: " + what
		}
		shown.Refused = append(shown.Refused, console.Fact{Name: where, Value: what})
	}
	return shown, err
}

// referAll has the rows that do not say it themselves be of clients who were referred to a prescriber on a day; wrong is what
// to do when that cannot be.
func referAll(f *folder.Format, to, on string) (wrong string) {
	at, err := time.Parse(time.DateOnly, on)
	switch {
	case !slices.ContainsFunc(f.Prescribers, func(p folder.Prescriber) bool { return p.Name == to }):
		return "Choose the prescriber to whom they were referred."
	case err != nil:
		return "Say on which day they were referred, like 2026-01-31."
	case at.After(f.Now):
		return "The day of the referral lies in the future."
	}
	f.ReferTo, f.ReferredOn = to, on
	return ""
}

// tell is what the roster that was read would bring.
func (w *wizard) tell(ctx context.Context, h *hub) (console.Intake, error) {
	known, err := h.imported(ctx)
	if err != nil {
		return console.Intake{}, err
	}
	t := w.intake.tally(known)
	shown := console.Intake{New: t.fresh, Changed: t.changed, Same: t.same, Alone: t.alone, Left: w.intake.left}
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

// Import brings in what Roster read last; what is not known of it is left out only if that is agreed to.
func (w *wizard) Import(ctx context.Context, leave bool) (console.Intake, error) {
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
	if len(w.intake.left) > 0 && !leave {
		shown.Wrong = "Nothing came in yet: tick that the columns which the hub does not know are left out."
		return shown, nil
	}
	for _, where := range w.intake.refused {
		shown.Refused = append(shown.Refused, console.Fact{Name: where})
	}
	if err := h.admit(ctx, w.intake); err != nil {
		return shown, err
	}
	w.intake, w.file = nil, nil
	if _, err := h.reconcile(ctx, nil); err != nil {
		return shown, err
	}
	return shown, w.mark(stepRoster)
}
