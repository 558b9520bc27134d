package console

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/kaphub/kaphub/cmd/internal/people"
	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/jobs/report"
)

// Reports are the reconciliation reports that were given: what is new in one is new since the one before.
type Reports interface {
	// Given returns the reports given, newest first.
	Given(ctx context.Context) ([]Given, error)
	// Give has the report of now be one that was given.
	Give(ctx context.Context, by string) (Given, error)
}

// Given is a report that was given. What it said is what was known at its moment.
type Given struct {
	At     time.Time
	Moment fhir.Moment
	By     string
}

// Before is when the report before at was given; zero when none was.
func Before(given []Given, at time.Time) (last time.Time) {
	for _, g := range given {
		if g.At.Before(at) && g.At.After(last) {
			last = g.At
		}
	}
	return last
}

// pastReports is how many of the reports given are listed.
const pastReports = 60

func (c *Console) reportRoutes() []route {
	routes := []route{
		{Pattern: "GET /report", May: seeing, do: (*visit).report},
		{Pattern: "POST /report", May: giving, do: (*visit).give},
	}
	for _, f := range forms {
		routes = append(routes, route{Pattern: "GET /report." + f.ending, May: seeing, do: func(v *visit) error { return v.export(f) }})
	}
	return routes
}

// giving is who may give a report to the whole practice.
var giving = []people.Role{people.Owner, people.Admin}

// forms are how a report is taken away.
var forms = []exported{
	{"html", "text/html; charset=utf-8", "HTML", report.Report.HTML},
	{"csv", "text/csv; charset=utf-8", "CSV", report.Report.CSV},
	{"json", "application/json", "JSON", report.Report.JSON},
}

type exported struct {
	ending, kind, name string
	write              func(report.Report, io.Writer) error
}

// reportPage is the reconciliation report as of a moment, and those given before.
type reportPage struct {
	frame
	report.Report
	AsOfWord string // how this moment is named in an address; "" = now
	Exports  []link
	Sections []section
	NWaiting int
	Charts   []chart
	Weeks    int
	May      bool // give it
	Given    []Given
	More     bool // reports were given before those that are listed
	LeftOut  string
}

// section is one list of findings of the report.
type section struct {
	ID, Name, None string
	List           []report.Finding
	Over           bool // they are resolved
	N, More        int  // all of them; those that are not listed here
}

// inSection is how many findings a section of the page lists: the files have all.
const inSection = 60

func (s section) cut() section {
	if s.N = len(s.List); s.N > inSection {
		s.List, s.More = s.List[:inSection], s.N-inSection
	}
	return s
}

// reported is what the visitor may see of the report at the moment that the address names.
func (v *visit) reported(what string) (report.Input, []Given, error) {
	in, err := v.look(what, "", v.r.URL.Query().Get("as-of"))
	if bad, ok := errors.AsType[*BadMoment](err); ok {
		return in, nil, &refusal{http.StatusUnprocessableEntity, "There is no such moment", capital(bad.Error()) + "."}
	}
	if err != nil {
		return in, nil, err
	}
	given, err := v.Reports.Given(v.ctx())
	if err != nil {
		return in, nil, fmt.Errorf("which reports were given: %w", err)
	}
	in.Since = Before(given, in.AsOf)
	return in, given, nil
}

func (v *visit) report() error {
	in, given, err := v.reported("view report")
	if err != nil {
		return err
	}
	r := report.Build(v.nowCallable(in))
	p := reportPage{frame: v.frame("Report"), Report: r, AsOfWord: v.r.URL.Query().Get("as-of"), May: v.who.Is(giving...), Given: given}
	p.Now = in.AsOf
	if v.handedOn > 0 {
		p.LeftOut = count(v.handedOn, "client who was yours then is", "clients who were yours then are")
	}
	if p.More = len(given) > pastReports; p.More {
		p.Given = given[:pastReports]
	}
	for _, f := range forms {
		p.Exports = append(p.Exports, link{Path: "/report." + f.ending + asOfQuery(p.AsOfWord), Name: f.name})
	}
	p.Sections = []section{
		{ID: "new", Name: "New", None: "Nothing new.", List: r.New},
		{ID: "persisting", Name: "Persisting", None: "Nothing persists.", List: r.Lasting},
		{ID: "resolved", Name: "Resolved", None: "Nothing was resolved.", List: r.Resolved, Over: true},
		{ID: "snoozed", Name: "Snoozed", None: "Nothing is snoozed.", List: r.Snoozed},
	}
	for i := range p.Sections {
		p.Sections[i] = p.Sections[i].cut()
	}
	p.NWaiting, p.Waiting = len(r.Waiting), r.Waiting[:min(len(r.Waiting), inSection)]
	if r.Loops != nil {
		p.Charts, p.Weeks = p.charts(*r.Loops), len(r.Loops.Closed.Weeks)
	}
	return v.show("report", p)
}

// export sends the report as a file, as the page shows it to this visitor.
func (v *visit) export(f exported) error {
	in, _, err := v.reported("export report as " + f.ending)
	if err != nil {
		return err
	}
	var b bytes.Buffer
	if err := f.write(report.Build(in), &b); err != nil {
		return err
	}
	v.w.Header().Set("Content-Type", f.kind)
	v.w.Header().Set("Content-Disposition", `attachment; filename="reconciliation-`+in.AsOf.In(cmp.Or(in.Zone, v.Zone)).Format("2006-01-02-1504")+"."+f.ending+`"`)
	v.w.WriteHeader(http.StatusOK)
	_, _ = b.WriteTo(v.w) // the asker has gone: nobody to tell
	return nil
}

// give has the report of now count as given.
func (v *visit) give() error {
	if err := v.r.ParseForm(); err != nil {
		return err
	}
	if v.r.PostForm.Get("sure") != "yes" {
		v.say("Nothing was given. It changes what is new for everybody: tick the box beside the button, then press it again.")
		return v.to("/report#given")
	}
	g, err := v.Reports.Give(v.ctx(), v.who.Name)
	if err != nil {
		return err
	}
	v.say("The report of " + g.At.In(v.Zone).Format("Mon 2 Jan 15:04 MST") + " is kept as given. What comes from now on is new in the next one.")
	return v.to("/report" + asOfQuery(g.AsOf()))
}

// AsOf names the moment of a report in an address.
func (g Given) AsOf() string { return fmt.Sprintf("@%d", g.Moment) }

func asOfQuery(word string) string {
	if word == "" {
		return ""
	}
	return "?as-of=" + url.QueryEscape(word)
}
