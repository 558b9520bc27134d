package console

import (
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/kaphub/kaphub/jobs/report"
)

// chart is a small drawing of numbers by week, and the same numbers as a table. Nothing is drawn of too few.
type chart struct {
	ID, Name string
	Says     string // the whole of it in a line: "median 3 days, 1 to 9 days, n = 12"
	Note     string // what is not in it, "" = nothing
	Few      string // why nothing is drawn, "" = it is
	Heads    []string
	Rows     []chartRow
	Marks    []mark
	Lines    []gridLine
	Foot     []tick
}

// chartRow is one week in the table.
type chartRow struct {
	Week  time.Time
	Cells []string
}

// The size of a drawing, in its own units: the plot lies right of the numbers and above the days.
const (
	chartWidth, chartHeight           = 360.0, 150.0
	plotLeft, plotTop, plotW, plotEnd = 40.0, 10.0, 312.0, 122.0
)

// mark is one week in the drawing: a line from the least to the most with a dot at the median, or a bar within a bar.
type mark struct {
	Week          time.Time
	Tells         string // for whoever points at it
	X, Low, High  string // of the line
	Mid           string // of the dot
	Bar           bool
	Left, Width   string // of the bars
	Top, Tall     string // of all of them
	InTop, InTall string // of those that are so
}

type gridLine struct{ Y, TextY, Says string }

type tick struct {
	X    string
	Week time.Time
}

// coordinate writes a number for the drawing.
func coordinate(f float64) string { return strconv.FormatFloat(math.Round(f*10)/10, 'f', -1, 64) }

// Size is the drawing's view box.
func (chart) Size() string {
	return "0 0 " + coordinate(chartWidth) + " " + coordinate(chartHeight)
}

var chartNames = map[report.LoopStep]string{
	report.ToAcknowledgement: "Until they acknowledged it",
	report.ToEvaluation:      "Until they saw the client",
	report.ToDecision:        "Until they decided",
	report.ToMedicine:        "Until the medicine was in hand",
}

// charts draws the loops.
func (f frame) charts(l report.Loops) (all []chart) {
	for _, m := range l.Measures {
		all = append(all, f.measured(m))
	}
	all = append(all, f.shared(l.Closed, "closed", "Loops closed", "answered by now",
		"no referral was sent"), f.shared(l.FollowUps, "follow-ups", "Follow-ups in time", "held by the day they were due", "no follow-up was due"))
	return all
}

func (f frame) measured(m report.Measure) chart {
	c := chart{ID: map[report.LoopStep]string{report.ToAcknowledgement: "acknowledged", report.ToEvaluation: "evaluated", report.ToDecision: "decided", report.ToMedicine: "in-hand"}[m.Step],
		Name: chartNames[m.Step], Heads: []string{"n", "Median", "Shortest", "Longest"}}
	c.Says = m.All.String()
	if m.Waiting > 0 {
		c.Note = count(m.Waiting, "client waits", "clients wait") + " for it now, the longest for " + m.Longest.String() + "."
	}
	if m.Untold > 0 {
		c.Note += " " + count(m.Untold, "client came", "clients came") + " farther, and nobody recorded this step."
	}
	if m.All.N < report.TooFew {
		c.Few = fmt.Sprintf("Too few to draw: %d in these weeks, and it takes %d.", m.All.N, report.TooFew)
	}
	days := func(h report.Hours) float64 { return time.Duration(h).Hours() / 24 }
	top := ceiling(days(m.All.Most))
	y := func(h report.Hours) float64 { return plotEnd - (plotEnd-plotTop)*days(h)/top }
	step := plotW / float64(max(len(m.Weeks), 1))
	for i, w := range m.Weeks {
		row := chartRow{w.Start, []string{strconv.Itoa(w.N), "", "", ""}}
		if w.N > 0 {
			row.Cells = []string{strconv.Itoa(w.N), w.Median.String(), w.Least.String(), w.Most.String()}
			x := plotLeft + step*(float64(i)+.5)
			low, high := y(w.Least), y(w.Most)
			if low-high < 2 { // one alone is a dot
				low, high = y(w.Median), y(w.Median)
			}
			c.Marks = append(c.Marks, mark{Week: w.Start, Tells: "week of " + f.Day(w.Start) + ": median " + w.Median.String() + ", n = " + strconv.Itoa(w.N),
				X: coordinate(x), Low: coordinate(low), High: coordinate(high), Mid: coordinate(y(w.Median))})
		}
		c.Rows = append(c.Rows, row)
	}
	for _, part := range []float64{0, .5, 1} {
		at := plotEnd - (plotEnd-plotTop)*part
		c.Lines = append(c.Lines, gridLine{coordinate(at), coordinate(at + 4), coordinate(top*part) + " d"})
	}
	c.Foot = f.feet(m.Weeks[0].Start, m.Weeks[len(m.Weeks)/2].Start, m.Weeks[len(m.Weeks)-1].Start, step, len(m.Weeks))
	return c
}

func (f frame) shared(s report.Share, id, name, are, none string) chart {
	c := chart{ID: id, Name: name, Heads: []string{"n", are, "Share"}, Says: none}
	if s.Of > 0 {
		c.Says = s.String() + " " + are
	}
	if s.Of < report.TooFew {
		c.Few = fmt.Sprintf("Too few to draw: %d in these weeks, and it takes %d.", s.Of, report.TooFew)
	}
	most := 0
	for _, w := range s.Weeks {
		most = max(most, w.Of)
	}
	top := ceiling(float64(most))
	tall := func(n int) float64 { return (plotEnd - plotTop) * float64(n) / top }
	step := plotW / float64(max(len(s.Weeks), 1))
	for i, w := range s.Weeks {
		row := chartRow{w.Start, []string{strconv.Itoa(w.Of), "", ""}}
		if w.Of > 0 {
			row.Cells = []string{strconv.Itoa(w.Of), strconv.Itoa(w.Are), strconv.Itoa(w.Percent()) + " %"}
			c.Marks = append(c.Marks, mark{Week: w.Start, Bar: true, Tells: fmt.Sprintf("week of %s: %d of %d %s", f.Day(w.Start), w.Are, w.Of, are),
				Left: coordinate(plotLeft + step*float64(i) + step*.2), Width: coordinate(step * .6),
				Top: coordinate(plotEnd - tall(w.Of)), Tall: coordinate(tall(w.Of)), InTop: coordinate(plotEnd - tall(w.Are)), InTall: coordinate(tall(w.Are))})
		}
		c.Rows = append(c.Rows, row)
	}
	for _, n := range []float64{0, top} {
		at := plotEnd - (plotEnd-plotTop)*n/top
		c.Lines = append(c.Lines, gridLine{coordinate(at), coordinate(at + 4), coordinate(n)})
	}
	c.Foot = f.feet(s.Weeks[0].Start, s.Weeks[len(s.Weeks)/2].Start, s.Weeks[len(s.Weeks)-1].Start, step, len(s.Weeks))
	return c
}

func (f frame) feet(first, middle, last time.Time, step float64, n int) []tick {
	at := func(i int) string { return coordinate(plotLeft + step*(float64(i)+.5)) }
	return []tick{{at(0), first}, {at(n / 2), middle}, {at(n - 1), last}}
}

// Foot is a day as it stands under a drawing.
func (f frame) Foot(t time.Time) string { return t.In(f.zone).Format("2 Jan") }

// ceiling is a round number that is not less than most: what a drawing goes up to.
func ceiling(most float64) float64 {
	for _, c := range []float64{2, 4, 6, 10, 14, 20, 30, 40, 60, 90, 120, 180, 240, 365} {
		if most <= c {
			return c
		}
	}
	return math.Ceil(most/100) * 100
}

func count(n int, one, more string) string {
	return words["many"].(func(int, string, string) string)(n, one, more)
}
