package report

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"charm.land/lipgloss/v2"

	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/exchange"
)

// Dispatch is one delivery as a person looks at it: what became of it, and what of the client it tells. It never holds
// the body unless that was asked for.
type Dispatch struct {
	ID         string         `json:"id"`
	Client     string         `json:"client"`
	Prescriber string         `json:"prescriber"`
	To         string         `json:"to"`
	What       exchange.What  `json:"what"`
	Type       string         `json:"type"`
	State      exchange.State `json:"state"`
	Story      string         `json:"story"`             // "sent, reply lost, found there on 2 Mar 09:15"
	Waits      string         `json:"waits,omitempty"`   // why it does not go now
	Why        string         `json:"why,omitempty"`     // coded reason of the last failure
	Staged     time.Time      `json:"staged"`            // when it was decided
	Due        time.Time      `json:"due,omitzero"`      // the next try not before
	Copy       string         `json:"copy"`              // by which the other side is asked
	Lane       string         `json:"lane,omitempty"`    // what goes one after the other
	Update     bool           `json:"update,omitempty"`  // in place of an older copy
	Release    *Permit        `json:"release,omitempty"` // null for what goes home to the practice
	Tells      []string       `json:"tells"`             // the versions disclosed
	Tries      []DispatchTry  `json:"tries"`
	Said       []DispatchSaid `json:"said,omitempty"` // what people said of it

	Elements []exchange.Element `json:"elements,omitempty"`
	Body     json.RawMessage    `json:"body,omitempty"`
}

// Permit is the release that a delivery rests on.
type Permit struct {
	Record string    `json:"record"` // "ehr/Consent/c1 version 2"
	Status string    `json:"status"` // of that version
	From   string    `json:"from,omitempty"`
	To     string    `json:"to,omitempty"`     // "" = no end
	Came   time.Time `json:"came,omitzero"`    // when the hub first read this version
	ReadTo time.Time `json:"read_to,omitzero"` // up to when its source had been read when this was first sent
}

// DispatchTry is one try.
type DispatchTry struct {
	N     int       `json:"n"`
	Begun time.Time `json:"begun"`
	Ended time.Time `json:"ended,omitzero"`
	End   string    `json:"end"`
	Why   string    `json:"why,omitempty"`   // coded
	Codes []string  `json:"codes,omitempty"` // the coded part of the answer
	Ref   string    `json:"ref,omitempty"`   // where it stands there
}

// DispatchSaid is what a person said of a delivery.
type DispatchSaid struct {
	At      time.Time        `json:"at"`
	By      string           `json:"by"`
	Outcome exchange.Outcome `json:"outcome"`
	To      string           `json:"to,omitempty"`
	Note    string           `json:"note,omitempty"`
}

// NewDispatch words one delivery as it stands now. Release, Waits, Elements and Body are the caller's to fill in.
func NewDispatch(r exchange.Recorded, zone *time.Location, now time.Time) Dispatch {
	e := r.Entry
	d := Dispatch{ID: e.ID, Client: e.Client, Prescriber: e.Prescriber, To: e.To, What: e.What, Type: e.Type, State: e.State, Why: e.Why,
		Staged: e.Staged, Copy: e.Copy.System + "|" + e.Copy.Value, Lane: e.Lane, Update: e.Update, Tells: []string{}, Tries: []DispatchTry{}}
	if e.State == exchange.Staged || e.State == exchange.Attempted {
		d.Due = e.Due
	}
	for _, b := range e.Rests {
		d.Tells = append(d.Tells, versionOf(b))
	}
	for _, t := range exchange.Tries(r.Steps) {
		try := DispatchTry{N: t.N, Begun: t.Begun, Ended: t.Ended, End: ended(t, e, now), Why: t.Why}
		if t.Receipt != nil && t.Receipt.By == "" {
			try.Codes, try.Ref = t.Receipt.Codes, t.Receipt.Ref.String()
		}
		d.Tries = append(d.Tries, try)
	}
	for _, s := range r.Steps {
		if s.Receipt != nil && s.Receipt.By != "" { // a later step may still carry it
			said := DispatchSaid{At: s.Receipt.At, By: s.Receipt.By, Outcome: s.Receipt.Outcome, To: s.Receipt.To, Note: s.Receipt.Note}
			if n := len(d.Said); n == 0 || d.Said[n-1] != said {
				d.Said = append(d.Said, said)
			}
		}
	}
	d.Story = story(r, zone, now)
	return d
}

// PermitOf words the release that a delivery rests on. seen is the version itself, nil when it is not known any more;
// read is up to when its source had been read when the delivery was first sent.
func PermitOf(b fhir.Basis, seen *fhir.Seen[fhir.Consent], read time.Time) *Permit {
	p := &Permit{Record: versionOf(b), ReadTo: read}
	if seen == nil || seen.Value == nil {
		return p
	}
	p.Status, p.Came = seen.Value.Status.Code(), seen.Received
	if v := seen.Value.Provision; v != nil && v.Period != nil {
		p.From, p.To = text(v.Period.Start), text(v.Period.End)
	}
	return p
}

func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

func versionOf(b fhir.Basis) string {
	return fmt.Sprintf("%s/%s/%s version %d", b.Source, b.Type, b.ID, b.Version)
}

// asked reports whether a try that ended so only asked whether an earlier one had arrived, and did not find it.
func asked(t exchange.Try) bool {
	return t.End == exchange.EndLost && (strings.HasPrefix(t.Why, "not-there-when-asked") || strings.HasPrefix(t.Why, "not-askable"))
}

// ended is how a try ended, in words.
func ended(t exchange.Try, e exchange.Entry, now time.Time) string {
	switch {
	case asked(t):
		return "asked, not there"
	case t.End == exchange.EndOpen && t.N == e.Attempts && e.State == exchange.Attempted && now.Before(e.Due):
		return "under way"
	case t.End == exchange.EndOpen:
		return "the hub stopped before the answer came"
	case t.End == exchange.EndLost:
		return "no answer: it may have arrived"
	case t.End == exchange.EndNot:
		return "it did not go"
	case t.End == exchange.EndRefused:
		return "refused"
	case t.End == exchange.EndUnknown:
		return "whether it arrived cannot be found out"
	case t.End == exchange.EndLaidOut:
		return "laid out for a person"
	case t.End == exchange.EndSettled:
		return "settled by a person"
	case t.Receipt != nil && t.Receipt.Outcome == exchange.OutcomeExisted:
		return "found there"
	case t.Receipt != nil && t.Receipt.Outcome == exchange.OutcomeUpdated:
		return "received, in place of the older copy"
	}
	return "received"
}

// story tells in one line what became of a delivery: "sent, reply lost, found there on 2 Mar 09:15".
func story(r exchange.Recorded, zone *time.Location, now time.Time) string {
	var parts []string
	say := func(format string, args ...any) {
		part := fmt.Sprintf(format, args...)
		if n := len(parts); n == 0 || parts[n-1] != part {
			parts = append(parts, part)
		}
	}
	on := func(t time.Time) string { return dated(t, zone, now) }
	tries := exchange.Tries(r.Steps)
	for i := 0; i < len(tries); i++ {
		t := tries[i]
		switch {
		case t.End == exchange.EndNot:
			n := 1
			for ; i+1 < len(tries) && tries[i+1].End == exchange.EndNot; i++ {
				n++
			}
			say("%s did not go", many(n, "try"))
		case asked(t):
			say("asked, not there")
		case t.End == exchange.EndOpen && ended(t, r.Entry, now) == "under way":
			say("being sent")
		case t.End == exchange.EndOpen:
			say("begun, and the hub stopped")
		case t.End == exchange.EndLost:
			say("sent, reply lost")
		case t.End == exchange.EndArrived && t.Receipt != nil && t.Receipt.Outcome == exchange.OutcomeExisted:
			say("found there on %s", on(t.Ended))
		case t.End == exchange.EndArrived:
			say("sent and received on %s", on(t.Ended))
		case t.End == exchange.EndRefused:
			say("refused on %s", on(t.Ended))
		case t.End == exchange.EndUnknown:
			say("whether it arrived cannot be found out")
		case t.End == exchange.EndLaidOut:
			say("laid out on %s", on(t.Ended))
		}
	}
	for i, s := range r.Steps {
		if s.Receipt == nil || s.Receipt.By == "" || i > 0 && r.Steps[i-1].Receipt != nil && r.Steps[i-1].Receipt.At.Equal(s.Receipt.At) {
			continue
		}
		by := plain(s.Receipt.By)
		switch s.Receipt.Outcome {
		case exchange.OutcomeHandedOver:
			say("handed over by %s on %s%s", by, date(s.Receipt.At, zone, now), to(s.Receipt.To))
		case exchange.OutcomeNotThere:
			say("%s says on %s that it did not arrive", by, on(s.At))
		default:
			say("%s says on %s that it arrived", by, on(s.At))
		}
	}
	switch r.State {
	case exchange.Withdrawn:
		say("withdrawn (%s)", cmp.Or(r.Why, "no reason kept"))
	case exchange.LaidOut:
		if r.Why != "" {
			say("not to be handed over (%s)", r.Why)
		}
	case exchange.Staged:
		if len(tries) == 0 {
			say("not sent yet")
		}
	}
	return strings.Join(parts, ", ")
}

// dated writes a time with its day: "2 Mar 09:15", with the year when it is another.
func dated(t time.Time, zone *time.Location, now time.Time) string {
	return date(t, zone, now) + t.In(zone).Format(" 15:04")
}

func to(whom string) string {
	if whom == "" {
		return ""
	}
	return " to " + plain(whom)
}

// Text writes one delivery for a terminal.
func (d Dispatch) Text(w io.Writer, zone *time.Location, o Options) error {
	s := newScreen(o)
	at := func(t time.Time) string {
		if t.IsZero() {
			return ""
		}
		return t.In(zone).Format("Mon 2 Jan 2006 15:04:05 MST")
	}
	row := func(name, value string) {
		if value == "" {
			return
		}
		head := s.paint(faint, fmt.Sprintf("%-11s", name)) + " "
		for _, l := range strings.Split(lipgloss.Wrap(plain(value), max(s.width-12, 20), " "), "\n") {
			s.b.WriteString(strings.TrimRight(head+l, " ") + "\n")
			head = strings.Repeat(" ", 12)
		}
	}
	s.line(0, s.paint(bold, d.Story))
	row("delivery", d.ID)
	row("client", d.Client)
	row("to", d.To+", for the engagement with "+d.Prescriber)
	row("what", string(d.What)+" ("+d.Type+")")
	row("state", string(d.State))
	row("waits", d.Waits)
	row("why", d.Why)
	row("decided", at(d.Staged))
	row("next try", at(d.Due))
	row("lane", d.Lane)
	row("copy", d.Copy)
	if p := d.Release; p != nil {
		row("release", p.Record)
		row("", p.words(zone))
	} else {
		row("release", "none is needed: it goes home to the practice")
	}
	for i, v := range d.Tells {
		row([]string{"tells", ""}[min(i, 1)], v)
	}
	s.heading("Tries", len(d.Tries))
	for _, t := range d.Tries {
		said := t.End
		if t.Ref != "" {
			said += " as " + t.Ref
		}
		if t.Why != "" && t.End != t.Why {
			said += " (" + t.Why + ")"
		}
		if len(t.Codes) > 0 {
			said += " [" + strings.Join(t.Codes, ", ") + "]"
		}
		s.line(2, fmt.Sprintf("%d  %s  %s", t.N, at(t.Begun), plain(said)))
	}
	for _, p := range d.Said {
		what := map[exchange.Outcome]string{exchange.OutcomeHandedOver: "handed it over", exchange.OutcomeNotThere: "says that it did not arrive"}[p.Outcome]
		said := at(p.At) + "  " + p.By + " " + cmp.Or(what, "says that it arrived") + to(p.To)
		if p.Note != "" {
			said += ": " + p.Note
		}
		s.line(2, plain(said))
	}
	if len(d.Elements) > 0 {
		s.heading("What it tells", len(d.Elements))
		rows := make([][]string, 0, len(d.Elements))
		for _, e := range d.Elements {
			n := ""
			if e.N > 1 {
				n = fmt.Sprintf("%d times", e.N)
			}
			rows = append(rows, []string{"  " + plain(e.Path), e.Kind, n})
		}
		pad := 0
		for _, r := range rows {
			pad = max(pad, len(r[0]))
		}
		for _, r := range rows {
			s.b.WriteString(strings.TrimRight(fmt.Sprintf("%-*s  %-9s  %s", pad, r[0], r[1], r[2]), " ") + "\n")
		}
	}
	if len(d.Body) > 0 {
		s.heading("The body, as it is sent", -1)
		s.b.WriteString(strings.ReplaceAll(string(d.Body), "\x1b", "") + "\n")
	}
	return s.flush(w, "write delivery")
}

// words say what the release said, and how fresh it was.
func (p Permit) words(zone *time.Location) string {
	if p.Came.IsZero() {
		return "this version of it is not known any more"
	}
	said := p.Status
	switch {
	case p.From != "" && p.To != "":
		said += ", from " + p.From + " to " + p.To
	case p.To != "":
		said += ", to " + p.To
	case p.From != "":
		said += ", from " + p.From + ", without an end"
	default:
		said += ", without an end"
	}
	said += "; first read " + p.Came.In(zone).Format("Mon 2 Jan 2006 15:04")
	if !p.ReadTo.IsZero() {
		said += "; when this was sent, its source had been read up to " + p.ReadTo.In(zone).Format("Mon 2 Jan 2006 15:04")
	}
	return said
}

// Dispatches writes a list of deliveries for a terminal.
func Dispatches(w io.Writer, list []Dispatch, o Options) error {
	s := newScreen(o)
	if len(list) == 0 {
		s.line(0, "No deliveries.")
		return s.flush(w, "write deliveries")
	}
	rows := make([][]string, 0, len(list))
	for _, d := range list {
		became := d.Story
		codes := ""
		if n := len(d.Tries); n > 0 && d.State == exchange.Refused {
			codes = strings.Join(d.Tries[n-1].Codes, ", ")
		}
		if said := cmp.Or(d.Waits, codes); said != "" {
			became += "\n> " + said
		} else if d.Why != "" && slices.Contains([]exchange.State{exchange.Staged, exchange.Attempted, exchange.Refused}, d.State) {
			became += "\n> " + d.Why
		}
		rows = append(rows, []string{d.ID[:min(12, len(d.ID))] + "\n" + d.Client, d.To + "\n" + string(d.What), string(d.State), became})
	}
	s.table([]string{"DELIVERY", "TO", "STATE", "WHAT BECAME OF IT"}, rows, func(int, int) lipgloss.Style { return lipgloss.NewStyle() })
	return s.flush(w, "write deliveries")
}

// DispatchesJSON writes a list of deliveries for a program.
func DispatchesJSON(w io.Writer, list []Dispatch) error {
	return writeJSON(w, "write deliveries", struct {
		Schema     int        `json:"schema"`
		Deliveries []Dispatch `json:"deliveries"`
	}{schema, full(list)})
}

// JSON writes one delivery for a program.
func (d Dispatch) JSON(w io.Writer) error {
	return writeJSON(w, "write delivery", struct {
		Schema int `json:"schema"`
		Dispatch
	}{schema, d})
}
