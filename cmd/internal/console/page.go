package console

import (
	"html/template"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/kaphub/kaphub/cmd/internal/people"
	"github.com/kaphub/kaphub/jobs/report"
)

// frame is what every page stands in.
type frame struct {
	Title      string
	House      string // the practice
	Who        string // "" = nobody is signed in
	Nav        []link
	Said       string // what came of the last form
	Now        time.Time
	MayFind    bool   // clients: who looks may
	Sought     string // what was looked for
	SoughtHere bool   // the page is what was found
	zone       *time.Location
	visitor    people.Account
}

// link leads to a screen.
type link struct {
	Path, Name string
	Here       bool
}

// screens are what the head of each page leads to, in the order of the day.
var screens = []struct {
	link
	may []people.Role
}{
	{link{Path: "/", Name: "Today"}, seeing},
	{link{Path: "/clients", Name: "Clients"}, seeing},
	{link{Path: "/findings", Name: "Findings"}, seeing},
	{link{Path: "/report", Name: "Report"}, seeing},
	{link{Path: "/exchange", Name: "Exchange"}, exchanging},
	{link{Path: "/desk", Name: "Desk"}, keeping},
	{link{Path: "/settings", Name: "Settings"}, lookingAtSettings},
	{link{Path: "/looks", Name: "Emergency looks"}, overseeing},
	{link{Path: "/accounts", Name: "Accounts"}, owning},
}

// frame returns the frame of a page of this visit.
func (v *visit) frame(title string) frame {
	f := frame{Title: title, House: v.Practice, Who: v.who.Name, Now: v.now, zone: v.Zone, visitor: v.who}
	if v.who.ID == "" {
		return f
	}
	f.MayFind = v.who.Is(seeing...)
	f.Said = v.sessions.PopString(v.ctx(), keySaid)
	for _, s := range screens {
		if v.who.Is(s.may...) {
			s.Here = v.r.URL.Path == s.Path || s.Path != "/" && strings.HasPrefix(v.r.URL.Path, s.Path+"/")
			f.Nav = append(f.Nav, s.link)
		}
	}
	return f
}

// Clock is a time of today as one reads it, with its day when it is another, and the zone's name.
func (f frame) Clock(t time.Time) string {
	if t.IsZero() {
		return "never"
	}
	t, now := t.In(f.zone), f.Now.In(f.zone)
	switch {
	case t.Format(time.DateOnly) == now.Format(time.DateOnly):
		return t.Format("15:04")
	case t.Year() == now.Year():
		return t.Format("Mon 2 Jan 15:04")
	}
	return t.Format("Mon 2 Jan 2006 15:04")
}

// Full is a time with its weekday and zone.
func (f frame) Full(t time.Time) string {
	return t.In(f.zone).Format("Monday 2 January 2006, 15:04 MST")
}

// Second is a time to the second, with its zone: what somebody waits for.
func (f frame) Second(t time.Time) string { return t.In(f.zone).Format("15:04:05 MST") }

// Day is the day of a time, with its weekday.
func (f frame) Day(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	if t = t.In(f.zone); t.Year() != f.Now.In(f.zone).Year() {
		return t.Format("Mon 2 Jan 2006")
	}
	return t.Format("Mon 2 Jan")
}

// Instant is a time for machines.
func (f frame) Instant(t time.Time) string { return t.In(f.zone).Format(time.RFC3339) }

// dialable is a part of a sentence, and how a telephone dials it where it is a number.
type dialable struct {
	Text, Tel string
}

var number = regexp.MustCompile(`(?:\+1[-. ])?(?:\([0-9]{3}\) ?|\b[0-9]{3}[-. ])[0-9]{3}[-. ][0-9]{4}\b|\+[0-9][0-9 .-]{7,}[0-9]\b`) // no date looks so

// dialling finds the telephone numbers in a sentence.
func dialling(sentence string) (parts []dialable) {
	from := 0
	for _, at := range number.FindAllStringIndex(sentence, -1) {
		if at[0] > from {
			parts = append(parts, dialable{Text: sentence[from:at[0]]})
		}
		parts = append(parts, dialable{Text: sentence[at[0]:at[1]], Tel: dialled(sentence[at[0]:at[1]])})
		from = at[1]
	}
	if from < len(sentence) {
		parts = append(parts, dialable{Text: sentence[from:]})
	}
	return parts
}

// Number is the first telephone number in a line; "" = none is.
func Number(line string) string { return number.FindString(line) }

// words are what templates may call beside a page's own methods.
var words = template.FuncMap{
	"static":   static,
	"who":      report.WhoActs,
	"dialling": dialling,
	"join":     func(list []string) string { return strings.Join(list, ", ") },
	"many": func(n int, one, more string) string {
		if n == 1 {
			return "1 " + one
		}
		if n == 0 {
			return "no " + more
		}
		return strconv.Itoa(n) + " " + more
	},
}
