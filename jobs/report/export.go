package report

import (
	"encoding/csv"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
)

// JSON writes the report for a program.
func (r Report) JSON(w io.Writer) error { return writeJSON(w, "write report", r) }

// CSV writes one row per finding (snoozed ones in a section of their own), waiting client, roll-up and measure of the loops, safe to open in a spreadsheet.
func (r Report) CSV(w io.Writer) error {
	out := csv.NewWriter(w)
	rows := [][]string{{"section", "code", "rule", "severity", "client", "chosen_name", "prescriber", "state", "session", "since", "age_days", "owner", "finding", "next_step", "values", "id", "reopened", "due", "acknowledged_by", "assigned_to", "snoozed_until", "snoozed_why"}}
	for _, section := range []struct {
		name string
		list []Finding
	}{{"new", r.New}, {"persisting", r.Lasting}, {"resolved", r.Resolved}, {"snoozed", r.Snoozed}} {
		for _, f := range section.list {
			values := make([]string, 0, len(f.Values))
			for _, v := range f.Values {
				values = append(values, v.Party+": "+v.Says)
			}
			rows = append(rows, append([]string{section.name, f.Code, f.Rule, string(f.Severity), f.Client.Key, f.Client.Chosen, f.Client.Prescriber, string(f.Client.State),
				r.instant(f.Client.Session), r.instant(f.Since), strconv.Itoa(f.Age), string(f.Owner), f.Words, f.Next, strings.Join(values, "; "), f.ID, strconv.Itoa(f.Reopened), r.instant(f.Due)}, r.did(f.Handled)...))
		}
	}
	for _, x := range r.Waiting {
		rows = append(rows, append([]string{"waiting", x.Code, "", string(x.Severity), x.Client.Key, x.Client.Chosen, x.Client.Prescriber, string(x.Client.State),
			r.instant(x.Client.Session), r.instant(x.Since), strconv.Itoa(x.Age), string(x.Owner), "waiting on " + x.On, x.Next, "", x.ID, "", ""}, r.did(x.Handled)...))
	}
	for _, x := range r.RollUps {
		rows = append(rows, append([]string{"touching-many", x.Code, "", string(x.Severity), "", "", "", "", "", r.instant(x.Since), strconv.Itoa(x.Age),
			string(x.Owner), x.Words, x.Next, x.touches(), x.Key, "", ""}, r.did(Handled{Snoozed: x.Snoozed})...))
	}
	rows = append(rows, r.loopRows(len(rows[0]))...)
	for _, row := range rows {
		for i := range row {
			row[i] = inert(row[i])
		}
		if err := out.Write(row); err != nil {
			return fmt.Errorf("write report: %w", err)
		}
	}
	out.Flush()
	if err := out.Error(); err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	return nil
}

// loopRows tell how long loops take: what in the column rule, how long in the column finding.
func (r Report) loopRows(columns int) (rows [][]string) {
	if r.Loops == nil {
		return nil
	}
	add := func(what, says string) {
		row := make([]string, columns)
		row[0], row[2], row[12] = "loops", what, says
		rows = append(rows, row)
	}
	for _, m := range r.Loops.Measures {
		add(m.Step.Title(), m.All.String())
	}
	add("closed", r.Loops.Closed.String())
	add("follow-ups in time", r.Loops.FollowUps.String())
	return rows
}

// did is what people did about a finding, in the last columns.
func (r Report) did(h Handled) []string {
	cells := make([]string, 4)
	if h.Acknowledged != nil {
		cells[0] = h.Acknowledged.By
	}
	if h.Assigned != nil {
		cells[1] = h.Assigned.To
	}
	if h.Snoozed != nil {
		cells[2], cells[3] = r.instant(h.Snoozed.Until), h.Snoozed.Reason
	}
	return cells
}

// inert keeps a spreadsheet from taking a cell for a formula.
func inert(cell string) string {
	if cell != "" && strings.ContainsRune("=+-@\t\r\n", rune(cell[0])) {
		return "'" + cell
	}
	return cell
}

func (r Report) instant(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.In(r.zone).Format(time.RFC3339)
}
