package report

import (
	"slices"
	"strings"
	"time"

	"charm.land/lipgloss/v2"

	"github.com/kaphub/kaphub/fhir/readiness"
)

// figures are what the numbers of an account are called.
var figures = map[readiness.FigureName]string{
	readiness.Dispensed: "dispensed", readiness.Taken: "taken", readiness.Unclosed: "perhaps taken", readiness.Counted: "counted",
	readiness.Left: "left", readiness.BookedAhead: "booked", readiness.GoodUntil: "good until", readiness.Tranche: "filled so far",
	readiness.SinceFollowUp: "since follow-up", readiness.FollowUpDue: "follow-up due", readiness.Lead: "a refill takes", readiness.AskBy: "ask for it by",
}

// account writes the account of sessions' worth: each number, and beside it who recorded what it is made of, and when.
func (s *screen) account(r Report, account []readiness.Figure) {
	if len(account) == 0 {
		return
	}
	rows := make([][]string, 0, len(account))
	for _, g := range account {
		var from []string
		for _, line := range []string{g.Why, g.Note, g.Agreed} {
			if line != "" {
				from = append(from, plain(line))
			}
		}
		for _, o := range g.From {
			from = append(from, plain(o.Says)+" ("+plain(o.By)+", "+date(o.At, r.zone, r.AsOf)+"; "+version(o.Basis)+")")
		}
		rows = append(rows, []string{figures[g.Of], figure(r, g), strings.Join(from, "\n")})
	}
	s.b.WriteString("\n")
	s.table([]string{"SESSIONS' WORTH", "", "FROM"}, rows, func(row, col int) lipgloss.Style {
		if col == 1 && account[row].Value == "" {
			return tone(readiness.Unknown)
		}
		return lipgloss.NewStyle()
	})
}

// figure writes a number with its unit: "1 session", "30 Jun 2026", "unknown".
func figure(r Report, g readiness.Figure) string {
	switch {
	case g.Value == "":
		return "unknown"
	case g.Value == "none":
		return "none"
	case g.Unit == "date":
		day, err := time.ParseInLocation(time.DateOnly, g.Value, r.zone)
		if err != nil {
			return plain(g.Value)
		}
		return date(day, r.zone, r.AsOf)
	case g.Value == "1":
		return "1 " + strings.TrimSuffix(g.Unit, "s")
	}
	return plain(g.Value) + " " + g.Unit
}

// accountStatus is an account as a program reads it, with its times in UTC.
func accountStatus(account []readiness.Figure) []readiness.Figure {
	out := slices.Clone(account)
	for i := range out {
		out[i].From = slices.Clone(out[i].From)
		for j := range out[i].From {
			out[i].From[j].At = out[i].From[j].At.UTC()
		}
	}
	return out
}
