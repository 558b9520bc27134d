package report

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"strings"
	"time"

	"github.com/kaphub/kaphub/fhir/readiness"
)

//go:embed templates
var files embed.FS

// pages are the parsed templates. They are part of the program: one that does not parse is a mistake of ours, and the
// first test finds it.
var pages = template.Must(template.New("").Funcs(template.FuncMap{"who": WhoActs}).ParseFS(files, "templates/*.html"))

// style is the page's one stylesheet, and policy the only thing the page may load: that stylesheet, known by its hash.
var style, policy = stylesheet("templates/report.css")

// stylesheet returns one of our stylesheets, and the policy of a page that may load it and nothing else.
func stylesheet(name string) (template.CSS, string) {
	css, err := files.ReadFile(name)
	if err != nil {
		panic("report: the stylesheet is not embedded: " + err.Error())
	}
	text := "\n" + strings.TrimSpace(string(css)) + "\n"
	sum := sha256.Sum256([]byte(text))
	return template.CSS(text), //nolint:gosec // our own file, embedded
		"default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'; base-uri 'none'; form-action 'none'"
}

// page is what the template report.html is executed with. Its methods word what the template shows.
type page struct {
	Report
	Style  template.CSS
	Policy string
}

// HTML writes the report as one self-contained page: no script, nothing loaded, fit for paper and phone. Nothing is
// written unless all of it could be.
func (r Report) HTML(w io.Writer) error {
	var b bytes.Buffer
	if err := pages.ExecuteTemplate(&b, "report.html", page{Report: r, Style: style, Policy: policy}); err != nil {
		return fmt.Errorf("render report: %w", err)
	}
	if _, err := b.WriteTo(w); err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	return nil
}

// Head is the moment that is shown, in full.
func (p page) Head() string { return p.AsOf.In(p.zone).Format("Monday 2 January 2006, 15:04 MST") }

// Stamp is a time as one reads it now.
func (p page) Stamp(t time.Time) string { return stamp(t, p.zone, p.AsOf) }

// Day is the day of a time.
func (p page) Day(t time.Time) string { return date(t, p.zone, p.AsOf) }

// Meeting is a session's start.
func (p page) Meeting(t time.Time) string { return meeting(t, p.zone, p.AsOf) }

// Instant is a time for machines, as a time element carries it.
func (p page) Instant(t time.Time) string { return p.instant(t) }

// Lasts is an age in words.
func (p page) Lasts(days int) string { return lasts(days) }

// Reading is how far a source can be trusted.
func (p page) Reading(l Line) string { return l.Reading(p.zone, p.AsOf) }

// Touches is how far a roll-up reaches.
func (p page) Touches(r RollUp) string { return r.touches() }

// Waits is what a client waits on.
func (p page) Waits(w Wait) string { return p.waits(w) }

// Lived is since when a finding is there, and how often it came back.
func (p page) Lived(f Finding) string { return strings.TrimPrefix(f.lived(p.zone, p.AsOf), " · ") }

// Marks is what people did about a finding, a line each.
func (p page) Marks(h Handled) []string { return h.marks(p.zone, p.AsOf) }

// Silent is by whom and up to when what touches many is snoozed.
func (p page) Silent(r RollUp) []string { return Handled{Snoozed: r.Snoozed}.marks(p.zone, p.AsOf) }

// Tries counts in words.
func (p page) Tries(n int) string { return many(n, "try") }

// Total is how many engagements there are.
func (p page) Total() int {
	n := 0
	for _, c := range p.Counts {
		n += c.N
	}
	return n
}

// Card is a finding with the page it stands on.
func (p page) Card(f Finding) card { return card{p, f} }

// Plan is a list of sessions with the page it stands on.
func (p page) Plan(list []Session, id string) plan { return plan{p, list, id} }

type card struct {
	Page page
	Finding
}

// Brief is as much of the finding's id as names it to a command.
func (c card) Brief() string { return brief(c.ID) }

// Over reports whether the finding is resolved.
func (c card) Over() bool { return c.State == readiness.Resolved }

type plan struct {
	Page page
	List []Session
	ID   string
}

// Name is how a client is called.
func (c Client) Name() string { return c.name() }
