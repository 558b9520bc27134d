package console

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/kaphub/kaphub/cmd/internal/entry"
	"github.com/kaphub/kaphub/cmd/internal/people"
	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/readiness"
	"github.com/kaphub/kaphub/jobs/report"
)

// openRow is what keeps a session from being ready: what is recorded, as it was written, and who must act.
type openRow struct {
	Sign, Class string
	Words       string
	Quotes      []quoteRow
	Owner       readiness.Owner // whose it is
	Takes       readiness.Owner // who of the practice takes the next step
	Next        string
}

// quoteRow is what somebody wrote, word for word.
type quoteRow struct {
	Who, Text string
}

// limitRow is a reading that is taken, and the limit on file for it.
type limitRow struct {
	Name, Says, From string
	Missing          bool
}

// readingRow is what was read of the client at one moment.
type readingRow struct {
	At     time.Time
	Says   string // "172/104"
	Beyond string // "systolic beyond 140 mmHg"; "" = it lies within what is on file
	From   string // whose limit that is
	By     string
	of     *fhir.Version
}

// newsRow is what was answered to whether anything is new.
type newsRow struct {
	At       time.Time
	New      bool
	Note, By string
}

// directions are what the prescriber wrote, word for word.
type directions struct {
	Medicine string // its name and strength, as the prescription has them
	Lines    []string
	Written  time.Time
	Title    string // whose they are
	Digest   string // of these very directions: what is acknowledged
	Stands   gateRow
	InHand   gateRow // the medicine in the client's hands
	Held     string  // what is in their hands, where no prescription is in force
	Ask      bool    // they are to be acknowledged, and the visitor may
}

func (e engagement) gate(name readiness.GateName) gateRow {
	if i := slices.IndexFunc(e.Gates, func(g gateRow) bool { return g.Name == string(name) }); i >= 0 {
		return e.Gates[i]
	}
	return gateRow{}
}

// said fills in what is on file.
func (p *cardPage) said(v *visit, a entry.About, verdict readiness.Verdict, records *report.Records) error {
	for _, l := range readiness.Limits(a.Chart, a.Policy, a.Now) {
		p.Limits = append(p.Limits, limitRow{Name: l.Name, Says: l.Says(), From: l.From, Missing: l.On == readiness.NotAsked})
	}
	for i := range p.Limits[:max(len(p.Limits)-1, 0)] {
		if p.Limits[i].From == p.Limits[i+1].From && p.Limits[i+1].Name != "heart rate" {
			p.Limits[i].From = "" // said once, after both
		}
	}
	p.Readings = readingsOf(readiness.Readings(a.Chart, a.Policy, a.Now), records)
	news := readiness.News(a.Chart, a.Policy, a.Now)
	for i, n := range news {
		if n.New || i == len(news)-1 {
			if n.New {
				p.News = nil
			}
			p.News = append(p.News, newsRow{At: n.At, New: n.New, Note: n.Note, By: writerOf(records.Word(n.Of))})
		}
	}
	p.Form.Given = p.E.gate(readiness.GateGoAhead)
	if by := p.Form.Given.writer("Observation"); by != "" && p.Form.Given.Class == "met" {
		p.Form.Given.Words += " by " + by
	}
	whom, err := v.staff()
	if err != nil {
		return err
	}
	p.First, p.Also = p.lead(p.open(verdict, a.Now))
	p.Stands = standing(p.E.Gates)
	p.Rx = v.directions(a, p.E, records)
	p.Call = p.callNow(&a, whom)
	theirs := func(row openRow) bool { // where the visitor cannot go
		return (row.Owner == readiness.Operator || row.Owner == readiness.Privacy) && !v.who.Is(roleOf[row.Owner].role, people.Owner)
	}
	for i, row := range p.Also {
		if theirs(row) {
			p.Also[i].Owner, p.Also[i].Next = "you", "tell "+whom[row.Owner].String()
		}
		p.Also[i].Owner = byName(stepping(p.Also[i]), whom)
	}
	if row := p.First; theirs(row) {
		p.First.Owner, p.First.Next, p.Call.Told = "you", "tell "+whom[row.Owner].String(), ""
		if p.E.State == readiness.Unknown {
			p.First.Next += "; whether the session may be held until then, ask " + p.E.Title
		}
	}
	p.First.Owner = byName(stepping(p.First), whom)
	return nil
}

// lead parts the one thing to know from what else is open.
func (p *cardPage) lead(rows []openRow) (first openRow, also []openRow) {
	first = openRow{Words: p.E.Words, Owner: p.E.Owner, Next: p.plainly(p.E.Next)}
	switch {
	case p.E.State == readiness.Ready:
		first.Words = "Records in order" // as of when, the line below says, once
		if !p.Done.IsZero() {
			first.Words += "; arrival checks and go-ahead recorded " + p.At(p.Done)
		}
		first.Words += ". Not a medical decision"
	case p.Sober():
	case p.E.State == readiness.Unknown:
		for i, row := range rows {
			if row.Class == "open" && row.Owner == first.Owner && row.Next == first.Next { // the finding of what cannot be told
				rows = slices.Delete(rows, i, i+1)
				break
			}
			if row.Class == "untold" && strings.HasSuffix(p.E.Words, strings.TrimPrefix(row.Words, "Clearance: ")) {
				first.Quotes, rows = row.Quotes, slices.Delete(rows, i, i+1)
				break
			}
		}
	case len(rows) > 0:
		first, rows = rows[0], rows[1:]
	}
	first.Words = strings.TrimSuffix(first.Words, ".")
	return first, rows
}

// standing are the checks as they stand: what is not in order first, then what is asked at the arrival.
func standing(gates []gateRow) (rows []gateRow) {
	for _, g := range gates {
		if g.Class != "met" && g.Class != "notdue" && !slices.Contains(arrivalGates, readiness.GateName(g.Name)) {
			rows = append(rows, g)
		}
	}
	slices.SortStableFunc(rows, func(a, b gateRow) int { return cmp.Compare(stopRank[a.Class], stopRank[b.Class]) })
	for _, g := range gates {
		if slices.Contains(arrivalGates, readiness.GateName(g.Name)) {
			rows = append(rows, g)
		}
	}
	return rows
}

var stopRank = map[string]int{"blocked": 0, "untold": 1, "open": 2}

// open is why the session is not to begin, or cannot be told: each stop; else each item that is open by now.
func (p *cardPage) open(verdict readiness.Verdict, now time.Time) (rows []openRow) {
	if p.Sober() {
		return nil
	}
	counted, told := map[readiness.GateName]bool{}, map[fhir.Basis]bool{}
	for i, g := range verdict.Gates {
		name := g.Name
		due := g.State == readiness.Blocked || g.State == readiness.Untold ||
			g.State == readiness.Open && (!slices.Contains(arrivalGates, name) || !g.Due.After(now))
		if !due {
			continue
		}
		counted[name] = true
		if name == readiness.GateGoAhead && g.State == readiness.Open && fellBy(g, told) {
			continue // asked anew in the form, once that is settled
		}
		if slices.Contains(arrivalGates, name) {
			for _, b := range g.Because {
				told[b] = true
			}
		}
		row := openRow{Sign: p.E.Gates[i].Sign, Class: p.E.Gates[i].Class, Words: g.Words, Owner: g.Owner, Takes: g.Takes, Next: p.plainly(g.Next), Quotes: p.E.Gates[i].quotes()}
		if name == readiness.GateClearance {
			row.Words = "Clearance: " + row.Words
			if g.State == readiness.Blocked && len(rows) == 0 {
				row.Words = p.E.Words
			}
		}
		if name == readiness.GateGoAhead && p.Form.MayGo {
			row.Words = strings.ReplaceAll(row.Words, ", after the go-ahead", ", after your go-ahead")
		}
		if name == readiness.GateVitals && g.State == readiness.Blocked {
			row.Words, row.Quotes = p.readSoFar(), nil
			row.Next = "do not begin; call " + p.E.Title + " and tell them what was read. Whether the session may be held is theirs to say."
		}
		rows = append(rows, row)
	}
	for _, f := range verdict.Findings { // R36 tells of the arrival gates, which stand here each by itself
		urgent := f.Under == "" && f.Code != "R36" && f.State != readiness.Resolved && (f.Severity == readiness.S1 || f.Severity == readiness.S2)
		if gate := gateOf(f.Code); urgent && (gate == "" || !counted[gate]) {
			rows = append(rows, openRow{Sign: "○", Class: "open", Words: f.Words, Owner: f.Owner, Takes: f.Takes, Next: p.plainly(f.Next)})
		}
	}
	slices.SortStableFunc(rows, func(a, b openRow) int { return cmp.Compare(stopRank[a.Class], stopRank[b.Class]) })
	said := map[quoteRow]bool{}
	for i := range rows {
		rows[i].Quotes = slices.DeleteFunc(rows[i].Quotes, func(q quoteRow) bool {
			before := said[q]
			said[q] = true
			return before
		})
	}
	return rows
}

// fellBy reports whether a go-ahead that was given fell by nothing but what the open arrival checks tell of.
func fellBy(g readiness.Gate, told map[fhir.Basis]bool) bool {
	n := len(g.Because) - 1 // the last is the go-ahead itself
	return n > 0 && !slices.ContainsFunc(g.Because[:n], func(b fhir.Basis) bool { return !told[b] })
}

// gateOf is the gate that a rule speaks of, "" when none.
func gateOf(code string) readiness.GateName {
	for _, r := range readiness.Catalogue() {
		if r.Code == code {
			return r.Gate
		}
	}
	return ""
}

// plainly is a next step as one says it in the room.
func (p *cardPage) plainly(next string) string {
	if rest, ok := strings.CutPrefix(next, "hold; "); ok {
		next = "do not begin; " + rest
	} else if rest, ok := strings.CutPrefix(next, "hold until "); ok {
		next = "do not begin until " + rest
	}
	return p.withoutNumber(next, p.Reach) // it stands below
}

// readSoFar are the readings of the day in a line, from the first on that lies beyond its limit.
func (p *cardPage) readSoFar() string {
	var all []string
	for _, r := range p.Readings {
		if len(all) == 0 && r.Beyond == "" {
			continue
		}
		one := p.At(r.At) + " " + r.Says
		if r.Beyond != "" {
			one += ": " + r.Beyond + " (" + r.From + ")"
		}
		all = append(all, one)
	}
	return strings.Join(all, "; ")
}

// written are the parts of records that somebody writes in words of their own, by type.
var written = map[string][]string{
	"Flag": {"Says"}, "CarePlan": {"Title", "Says", "Note"}, "Observation": {"Note"}, "MedicationRequest": {"Why", "Note"},
	"Task": {"Why", "Says", "Note", "Answer"}, "AdverseEvent": {"What happened"}, "DocumentReference": {"Says"}, "DiagnosticReport": {"Says"},
}

// quotes are what was written in the records that a gate rests on, unless its words quote it already.
func (g gateRow) quotes() (list []quoteRow) {
	for _, s := range g.Rests {
		for _, r := range s.Records {
			for _, said := range r.Says {
				q := quoteRow{Who: cmp.Or(r.From, r.By, s.Title), Text: said.Value}
				if slices.Contains(written[r.Basis.Type], said.Name) && !strings.Contains(g.Words, said.Value) && !slices.Contains(list, q) {
					list = append(list, q)
				}
			}
		}
	}
	return list
}

// writer is who the newest record of a type, of those that a gate rests on, is by.
func (g gateRow) writer(kind string) (by string) {
	for _, s := range g.Rests {
		for _, r := range s.Records {
			if r.Basis.Type == kind {
				by = writerOf(r.Record)
			}
		}
	}
	return by
}

// writerOf is who a record says it is by, else who entered it by hand, else whose it is.
func writerOf(r report.Record) string {
	for _, s := range r.Says {
		if s.Name == "By" && s.Value != "" {
			return s.Value
		}
	}
	return cmp.Or(r.By, r.Title)
}

// readingsOf puts together what was read at one moment.
func readingsOf(all []readiness.Reading, records *report.Records) (rows []readingRow) {
	short := strings.NewReplacer(" pressure", "")
	for _, t := range all {
		says := cmp.Or(t.Read, "not readable")
		if t.Limit.Unit != "mmHg" && t.Read != "" {
			says += " " + t.Limit.Unit
		}
		i := slices.IndexFunc(rows, func(r readingRow) bool { return r.of == t.Of && r.At.Equal(t.At) })
		if i < 0 {
			i, rows = len(rows), append(rows, readingRow{At: t.At, Says: says, By: writerOf(records.Word(t.Of)), of: t.Of})
		} else {
			rows[i].Says += "/" + says
		}
		if t.Beyond {
			over := short.Replace(t.Limit.Name) + " " + over(t.Limit)
			rows[i].Beyond, rows[i].From = strings.TrimPrefix(rows[i].Beyond+", "+over, ", "), cmp.Or(rows[i].From, t.Limit.From)
		} else if t.Unsure && t.Read != "" {
			rows[i].Beyond = strings.TrimPrefix(rows[i].Beyond+", "+short.Replace(t.Limit.Name)+" cannot be right", ", ")
		}
	}
	return rows
}

// over says that a reading lies beyond its limit: "beyond 140 mmHg", or "not below 140 mmHg" where the limit itself is beyond.
func over(l readiness.Limited) string {
	if l.Below {
		return "not " + l.Says()
	}
	return "beyond " + strings.TrimPrefix(l.Says(), "up to ")
}

// directions are those in force, as the prescriber wrote them.
func (v *visit) directions(a entry.About, e engagement, records *report.Records) directions {
	out := directions{Title: e.Title, Stands: e.gate(readiness.GateInstructions), InHand: e.gate(readiness.GateMedicine)}
	rx := readiness.Prescribed(a.Chart, a.Policy, a.Now)
	if rx == nil {
		out.Held = held(out.InHand)
		return out
	}
	read, err := fhir.Read[fhir.MedicationRequest](rx.Resource)
	if err != nil {
		return out
	}
	for _, d := range read.DosageInstruction {
		for _, s := range []*string{d.Text, d.PatientInstruction} {
			if s != nil && strings.TrimSpace(*s) != "" && !slices.Contains(out.Lines, *s) {
				out.Lines = append(out.Lines, *s)
			}
		}
	}
	for _, s := range records.Word(rx).Says {
		switch {
		case s.Name == "Medicine" && out.Medicine == "":
			out.Medicine = s.Value
		case s.Name == "Directions" && len(out.Lines) == 0:
			out.Lines = append(out.Lines, s.Value)
		}
	}
	out.Written, out.Digest = rx.Recorded(), fhir.DosageDigest(rx.Resource)
	out.Ask = len(read.DosageInstruction) > 0 && out.Stands.Class == "open" && v.who.Is(treating...)
	return out
}

// held is what the client has by what was dispensed.
func held(medicine gateRow) string {
	var parts []string
	for _, s := range medicine.Rests {
		for _, r := range s.Records {
			for _, said := range r.Says {
				if r.Basis.Type == "MedicationDispense" && slices.Contains([]string{"Medicine", "Amount"}, said.Name) && !slices.Contains(parts, said.Value) {
					parts = append(parts, said.Value)
				}
			}
		}
	}
	return strings.Join(parts, "; ")
}

// dialled is a number as a telephone dials it.
func dialled(phone string) string {
	return strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' || r == '+' {
			return r
		}
		return -1
	}, phone)
}

// Told reports whether it is on file that something is new, and nothing since that it is not.
func (p cardPage) Told() bool { return len(p.News) > 0 && p.News[len(p.News)-1].New }
