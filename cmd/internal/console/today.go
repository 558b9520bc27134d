package console

import (
	"github.com/kaphub/kaphub/jobs/report"
)

// doNow is how many things to do stand on the first screen; the rest is counted.
const doNow = 7

func (c *Console) todayRoutes() []route {
	return []route{
		{Pattern: "GET /{$}", May: seeing, do: (*visit).today},
	}
}

// todayPage is what the practice opens every morning, what needs acting on first.
type todayPage struct {
	frame
	report.Report
	Do   []report.Finding // at most doNow
	More int              // other things to do
}

func (v *visit) today() error {
	in, err := v.look("board", "", "")
	if err != nil {
		return err
	}
	p := todayPage{frame: v.frame("Today"), Report: report.Build(in)}
	p.frame.Now = in.AsOf
	p.Do = p.DoNow
	if len(p.Do) > doNow {
		p.Do, p.More = p.Do[:doNow], len(p.Do)-doNow
	}
	return v.show("today", p)
}
