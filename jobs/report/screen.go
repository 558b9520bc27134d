package report

import (
	"fmt"
	"io"
	"strings"

	"charm.land/lipgloss/v2"
	"charm.land/lipgloss/v2/table"

	"github.com/kaphub/kaphub/fhir/readiness"
)

// screen writes for a terminal of some width, in colour or without.
type screen struct {
	b      strings.Builder
	width  int
	colour bool
}

func newScreen(o Options) *screen {
	if o.Width <= 0 {
		o.Width = 100
	}
	return &screen{width: max(o.Width, 32), colour: o.Colour}
}

func (s *screen) flush(w io.Writer, doing string) error {
	if _, err := io.WriteString(w, s.b.String()); err != nil {
		return fmt.Errorf("%s: %w", doing, err)
	}
	return nil
}

// paint returns text in style, or as it is where there is no colour.
func (s *screen) paint(style lipgloss.Style, text string) string {
	if !s.colour {
		return text
	}
	return style.Render(text)
}

var (
	bold  = lipgloss.NewStyle().Bold(true)
	faint = lipgloss.NewStyle().Faint(true)
)

// tone is the style of a verdict; its word says the same without colour.
func tone(v readiness.State) lipgloss.Style {
	hue := map[readiness.State]string{readiness.Hold: "1", readiness.Unknown: "5", readiness.NotReady: "3", readiness.InOrder: "6", readiness.Ready: "2"}
	return lipgloss.NewStyle().Bold(true).Foreground(lipgloss.Color(hue[v]))
}

// line writes text, wrapped, each line after the first indented as deep.
func (s *screen) line(indent int, text string) {
	room := max(s.width-indent, 20)
	for _, l := range strings.Split(lipgloss.Wrap(text, room, " "), "\n") {
		s.b.WriteString(strings.TrimRight(strings.Repeat(" ", indent)+l, " ") + "\n")
	}
}

func (s *screen) heading(text string, n int) {
	s.b.WriteString("\n")
	if n >= 0 {
		text = fmt.Sprintf("%s (%d)", text, n)
	}
	s.line(0, s.paint(bold, text))
}

// table writes rows under headers; where there is no room for columns, as a list. style paints one cell.
func (s *screen) table(headers []string, rows [][]string, style func(row, col int) lipgloss.Style) {
	widths, fits := s.columns(headers, rows)
	if !fits {
		for i, row := range rows {
			if i > 0 {
				s.b.WriteString("\n")
			}
			for col, cell := range row {
				if cell != "" {
					s.line(2, s.paint(style(i, col), cell))
				}
			}
		}
		return
	}
	t := table.New().Headers(headers...).Rows(rows...).Wrap(true).
		Border(lipgloss.NormalBorder()).BorderTop(false).BorderBottom(false).BorderLeft(false).BorderRight(false).BorderColumn(false).
		StyleFunc(func(row, col int) lipgloss.Style {
			base := lipgloss.NewStyle()
			if s.colour && row == table.HeaderRow {
				base = faint
			} else if s.colour && row >= 0 {
				base = style(row, col)
			}
			if col < len(headers)-1 {
				base = base.PaddingRight(gap)
			}
			return base.Width(widths[col])
		})
	s.block(t.String())
}

const (
	gap   = 2  // between columns
	short = 24 // a column of no more than this is not wrapped
	least = 20 // no text can be read in a column narrower than this
)

// columns shares the width out: short columns have what they need, long ones the rest in proportion. fits is false where
// that leaves too little to read.
func (s *screen) columns(headers []string, rows [][]string) (widths []int, fits bool) {
	widths = make([]int, len(headers))
	rest, long, last := s.width, 0, -1
	for col := range headers {
		widths[col] = lipgloss.Width(headers[col])
		for _, row := range rows {
			widths[col] = max(widths[col], lipgloss.Width(row[col]))
		}
		if col < len(headers)-1 {
			widths[col] += gap
		}
		if widths[col] <= short {
			rest -= widths[col]
		} else {
			long, last = long+widths[col], col
		}
	}
	if long <= rest {
		return widths, true
	}
	for col, need := range widths {
		if need > short && col != last {
			widths[col] = max(need*max(rest, 0)/long, least)
		}
	}
	if last < 0 {
		return nil, false
	}
	widths[last] = s.width
	for col := range widths {
		if col != last {
			widths[last] -= widths[col]
		}
	}
	return widths, widths[last] >= least
}

func (s *screen) block(text string) {
	for _, l := range strings.Split(strings.TrimRight(text, "\n"), "\n") {
		s.b.WriteString(strings.TrimRight(l, " ") + "\n")
	}
}
