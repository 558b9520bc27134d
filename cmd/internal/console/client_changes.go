package console

import (
	"errors"
	"time"

	"github.com/kaphub/kaphub/jobs/report"
)

// changesPage is what changed for a client between two moments, and why each verdict moved.
type changesPage struct {
	frame
	whom
	From, To moment
	Shown    bool
	First    bool // it is since the first record
	report.Changes
}

func (v *visit) changesPage() error {
	query := v.r.URL.Query()
	p := changesPage{frame: v.frame("What changed")}
	begins, err := v.Clients.Begins(v.ctx())
	if err != nil {
		return err
	}
	from := query.Get("from")
	if yesterday := v.now.AddDate(0, 0, -1); from == "" && yesterday.After(begins) {
		from = yesterday.In(v.Zone).Format(civil)
	} else if from == "" {
		from = "first"
	}
	p.From, p.To = v.moment(from, time.Time{}, begins), v.moment(query.Get("to"), time.Time{}, begins)
	p.First = from == "first"
	if err := v.sees(); err != nil {
		return err
	}
	in, err := v.Clients.Changed(v.ctx(), v.who.Name, v.client, p.From.Typed, p.To.Typed)
	if bad, ok := errors.AsType[*BadMoment](err); ok {
		if bad.Field == "to" {
			p.To.Wrong = sentence(bad.Error())
		} else {
			p.From.Wrong = sentence(bad.Error())
		}
		d, err := v.dossier("client", "")
		if err != nil {
			return err
		}
		p.whom = whomOf(&d.Chart, v.client)
		return v.show("changes", p)
	}
	if err != nil {
		return err
	}
	in.Before, in.After = seen(in.Before, v.who, v.client), seen(in.After, v.who, v.client)
	in.Verdicts = seen(report.Input{Clients: in.Verdicts}, v.who, v.client).Clients
	p.Changes, p.Shown = report.NewChanges(in), true
	p.From = v.moment(from, in.Before.AsOf, begins)
	if p.To.Typed != "" {
		p.To = v.moment(p.To.Typed, in.After.AsOf, begins)
	}
	p.whom = whom{Key: v.client, Name: p.Chosen}
	if p.Name == "" {
		p.Name = v.client
	}
	return v.show("changes", p)
}

// Record says what became of a record.
func (p changesPage) Record(r report.RecordChanged) string {
	return r.Words(func(t time.Time) string { return p.Clock(t) })
}

// Cause is what moved a gate, where no record did.
func (p changesPage) Cause(g report.GateChange) string {
	switch g.Cause {
	case report.BySettings:
		return "The settings changed."
	case report.BySources:
		return "A source can be trusted otherwise."
	case report.ByTime:
		return "No record and no setting changed: time passed, or something outside the records did."
	case report.ByRecords:
	}
	return ""
}

// Gate is a gate in words.
func (p changesPage) Gate(g report.GateChange) string {
	if title := gateTitles[g.Gate]; title != "" {
		return title
	}
	return string(g.Gate)
}

// Stood is how a gate stands, in a word.
func (p changesPage) Stood(g report.GateChange, before bool) string {
	state := g.To
	if before {
		state = g.From
	}
	if as := gateStates[state]; as[1] != "" {
		return as[1]
	}
	return "not judged"
}
