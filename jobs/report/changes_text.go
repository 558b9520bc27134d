package report

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/kaphub/kaphub/fhir/readiness"
)

// why says in sentences why a verdict moved.
//
//	was and is            what changed between        it says
//	never judged          anything                    that it is the first verdict
//	the same state        nothing that is shown       that nothing changed
//	any                   a gate, by a record         which record, and how the gate stands now
//	any                   settings                    that they changed, and which gates with them
//	any                   a source                    that it can be trusted otherwise
//	another state         none of these               that nothing was recorded: it was time alone
func (d *differ) why(c Change, before, after readiness.Verdict) []string {
	at := func(t time.Time) string { return stamp(t, cmp.Or(d.After.Zone, time.UTC), d.After.AsOf) }
	if before.State == "" || len(before.Gates) == 0 && len(after.Gates) > 0 {
		return []string{"It had not been judged before."}
	}
	var why []string
	by := map[Cause][]string{}
	for _, g := range c.Gates {
		if g.From == g.To {
			continue
		}
		if g.Cause != ByRecords {
			by[g.Cause] = append(by[g.Cause], fmt.Sprintf("%s from %s to %s", g.Gate, g.From, g.To))
			continue
		}
		var records []string
		for _, r := range g.Records {
			if r.Became != TakenIn && r.Became != LeftAside {
				records = append(records, r.Words(at))
			}
		}
		why = append(why, fmt.Sprintf("The gate %s went from %s to %s: %s.", g.Gate, g.From, g.To, strings.Join(records, "; ")))
	}
	if n := len(d.settingsOf(c.Prescriber)); n > 0 {
		why = append(why, many(n, "setting")+" changed"+went(by[BySettings])+".")
	}
	for _, s := range d.sources {
		if slices.Contains(after.Sources, s.Name) {
			why = append(why, fmt.Sprintf("The source %s was %s and is %s.", s.Name, s.From, s.To))
		}
	}
	if len(by[BySources]) > 0 {
		why = append(why, "With the sources went "+strings.Join(by[BySources], ", ")+".")
	}
	if len(by[ByTime]) > 0 {
		why = append(why, "Nothing that these gates rest on changed, only time passed: "+strings.Join(by[ByTime], ", ")+".")
	}
	moved := before.State != after.State || before.Words != after.Words
	switch {
	case len(why) > 0:
	case !moved:
		why = append(why, "Nothing changed that bears on it.")
	case !before.Until.After(d.After.AsOf) && len(d.Came)+len(d.Went) == 0:
		why = append(why, "Nothing was recorded between: time alone moved it. It stood until "+at(before.Until)+" at the latest.")
	default:
		why = append(why, "Its gates stand as they did: "+after.Words+".")
	}
	return why
}

func went(gates []string) string {
	if len(gates) == 0 {
		return ""
	}
	return ", and with it " + strings.Join(gates, ", ")
}

func (d *differ) settingsOf(prescriber string) []Setting {
	return slices.DeleteFunc(slices.Clone(d.Settings), func(s Setting) bool { return s.Prescriber != prescriber })
}

// Words say what became of a record.
func (r RecordChanged) Words(at func(time.Time) string) string {
	name := r.Source + "/" + r.Type + "/" + r.ID
	switch r.Became {
	case Came:
		if r.To > 1 {
			return fmt.Sprintf("%s came, and stands at version %d, received %s", name, r.To, at(r.Received))
		}
		return fmt.Sprintf("%s came, received %s", name, at(r.Received))
	case Altered:
		return fmt.Sprintf("%s changed from version %d to %d, received %s", name, r.From, r.To, at(r.Received))
	case Deleted:
		return fmt.Sprintf("%s is gone at its source, seen %s", name, at(r.Received))
	case Parted:
		return name + " is not this client's any more"
	case TakenIn:
		return fmt.Sprintf("%s version %d, known before, bears on it now", name, r.To)
	}
	return fmt.Sprintf("%s version %d bears on it no more", name, r.From)
}

// JSON writes the changes for a program.
func (c Changes) JSON(w io.Writer) error { return writeJSON(w, "write changes", c) }

// Text writes the changes for a terminal.
func (c Changes) Text(w io.Writer, o Options) error {
	s := newScreen(o)
	at := func(t time.Time) string { return stamp(t, c.zone, c.To) }
	full := func(t time.Time) string { return t.In(c.zone).Format("Mon 2 Jan 2006, 15:04:05 MST") }
	s.line(0, s.paint(bold, plain(c.Practice)+" · what changed for "+called(Client{Key: c.Client, Chosen: c.Chosen})))
	s.line(0, "from "+full(c.From)+" to "+full(c.To))
	for _, e := range c.Engaged {
		s.b.WriteString("\n")
		s.line(0, s.paint(bold, "with "+plain(e.Title)+": "+e.move()))
		if e.From.Words != e.To.Words && e.From.Words != "" {
			s.line(2, "was: "+plain(e.From.Words))
		}
		s.line(2, "is:  "+plain(e.To.Words))
		for _, why := range e.Why {
			s.line(2, plain(why))
		}
		if len(e.Between) > 1 {
			var parts []string
			for _, p := range e.Between {
				parts = append(parts, string(p.State)+" "+at(p.At))
			}
			s.line(2, "Between: "+strings.Join(parts, ", "))
		}
		if len(e.Gates) > 0 {
			s.heading("Gates", len(e.Gates))
		}
		for _, g := range e.Gates {
			s.change(g, at)
		}
		if len(e.Findings) > 0 {
			s.heading("Findings", len(e.Findings))
		}
		for _, f := range e.Findings {
			head := f.Became + " " + s.paint(bold, string(f.Severity)) + " " + f.Code + " " + f.Rule
			if f.Was != "" {
				head += ", was " + string(f.Was)
			}
			s.line(2, head)
			s.line(6, plain(f.Words))
			if f.Became == "resolved" {
				s.line(6, "resolved"+by(f.By))
			}
			for _, r := range f.Records {
				s.line(6, s.paint(faint, plain(r.Words(at))))
			}
		}
	}
	if len(c.Settings) > 0 {
		s.heading("Settings", len(c.Settings))
		for _, x := range c.Settings {
			s.line(2, plain(x.Prescriber+" "+x.Key+": "+cmp.Or(x.From, "not set")+" → "+cmp.Or(x.To, "not set")))
		}
	}
	if len(c.Sources) > 0 {
		s.heading("Sources", len(c.Sources))
		for _, x := range c.Sources {
			s.line(2, plain(x.Name)+": "+string(x.From)+" → "+string(x.To)+because(x.Why))
		}
	}
	s.heading("Records that came between", len(c.Records))
	for _, r := range c.Records {
		s.line(2, plain(r.Words(at)))
	}
	return s.flush(w, "write changes")
}

// move is how the state moved: "READY → HOLD", "READY, as before".
func (c Change) move() string {
	switch c.From.State {
	case "":
		return "new, " + string(c.To.State)
	case c.To.State:
		return string(c.To.State) + ", as before"
	}
	return string(c.From.State) + " → " + string(c.To.State)
}

func (s *screen) change(g GateChange, at func(time.Time) string) {
	head := string(g.Gate) + ": "
	switch g.From {
	case g.To:
		head += "still " + string(g.To) + ", by other versions"
	case "":
		head += string(g.To)
	default:
		head += string(g.From) + " → " + string(g.To)
	}
	s.line(2, head)
	if g.WordsFrom != "" && g.WordsFrom != g.WordsTo {
		s.line(6, "was: "+plain(g.WordsFrom))
	}
	s.line(6, "is:  "+plain(g.WordsTo))
	for _, r := range g.Records {
		s.line(6, s.paint(faint, plain(r.Words(at))))
	}
	switch g.Cause {
	case BySettings:
		s.line(6, s.paint(faint, "the settings changed"))
	case BySources:
		s.line(6, s.paint(faint, "a source can be trusted otherwise"))
	case ByTime:
		if g.From != "" {
			s.line(6, s.paint(faint, "no record and no setting changed: time passed, or something outside the records did"))
		}
	case ByRecords:
	}
}
