package console

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/kaphub/kaphub/cmd/internal/people"
	"github.com/kaphub/kaphub/fhir/readiness"
	"github.com/kaphub/kaphub/jobs/report"
)

// Search knows who clients are.
type Search interface {
	// Meant returns whom words mean: part of a chosen or legal name, a birth date, a hub key or its beginning, an identifier.
	// "" means everybody.
	Meant(ctx context.Context, words string) (Meant, error)
}

// Meant is whom somebody looks for.
type Meant struct {
	Is   func(client string) bool
	Born func(client string) string // the birth date; "" = not on file
	All  func() []string            // the keys of all who are meant, whoever's they are

	// Surely reports whether the words match a client outright: whole words of the name, the whole birth date or key. What is only
	// part of a name, or spelled otherwise, is alike.
	Surely func(client string) bool

	// Exactly reports whether the words are all of what a client is known by: the full name and the birth date, or the key.
	Exactly func(client string) bool
}

func (c *Console) searchRoutes() []route {
	return []route{
		{Pattern: "GET /clients", May: seeing, do: (*visit).clients},
		{Pattern: "POST /clients", May: seeing, do: (*visit).find},
	}
}

const (
	perPage    = 50  // clients
	perPeek    = 8   // while somebody types
	longestAsk = 100 // of what is looked for
)

// clientsPage lists clients: those whom words mean, or those of a part of Today, page by page.
type clientsPage struct {
	frame
	Shows []shelf
	List  []clientRow
	N     int // clients
	From  int // the first of List is this one of N
	To    int
	Older string
	Newer string
	Why   string // what is listed, in words

	Strangers []string // the keys of somebody else's clients, who were named in full
}

// shelf is a part of Today that can be listed whole.
type shelf struct {
	Name, Path string
	Here       bool
}

// clientRow is one client in the list.
type clientRow struct {
	line
	Born string
}

// shows are the lists that Today may have cut.
var shows = []struct{ key, name string }{
	{"", "Everybody"}, {"stopped", "Stopped"}, {"soon", "Today or tomorrow"}, {"later", "Next 14 days"}, {"waiting", "Waiting"}, {"unknown", "Cannot tell"},
}

// in reports whether v stands in a list.
func (v *visit) in(show string, c report.Shown, asOf time.Time) bool {
	day := readiness.DayOf(asOf, v.Zone)
	between := func(from, to int) bool {
		a := c.Appointment
		return a != nil && !a.Start.Before(day.Plus(from).Start(v.Zone)) && a.Start.Before(day.Plus(to).Start(v.Zone))
	}
	switch show {
	case "stopped":
		return c.State == readiness.Hold
	case "unknown":
		return c.State == readiness.Unknown
	case "soon":
		return between(0, 2)
	case "later":
		return between(2, 15)
	case "waiting":
		return c.Waits()
	}
	return true
}

// keySought is what was looked for last, for the pages that list who was found.
const keySought = "sought"

// find takes what somebody looks for. It comes in the form's body and stays in the session: no address, history or log of a
// proxy holds a name. While somebody types, it answers at once with a part of any page.
func (v *visit) find() error {
	if err := v.r.ParseForm(); err != nil {
		return unread(err)
	}
	words := cutTo(strings.Join(strings.Fields(v.r.PostForm.Get("q")), " "), longestAsk)
	switch {
	case v.r.Header.Get("HX-Request") == "":
		v.sessions.Put(v.ctx(), keySought, words)
		if words == "" {
			return v.to("/clients")
		}
		only, err := v.only(words)
		if err != nil {
			return err
		}
		if only == "" {
			return v.to("/clients?found=yes")
		}
		if _, err := v.Views.Look(v.ctx(), v.who.Name, "search clients", only, ""); err != nil {
			return err
		}
		return v.to("/clients/" + only)
	case len([]rune(words)) < 2:
		return v.part(http.StatusOK, "clients", "none", nil)
	}
	return v.listed(words, "", 1, perPeek, func(p clientsPage) error { return v.part(http.StatusOK, "clients", "peek", p) })
}

// only returns the one client whom words match outright, where no other whom the visitor may meet, or named in full, is even like
// them; "" when there are more, or none.
func (v *visit) only(words string) (only string, err error) {
	meant, err := v.Search.Meant(v.ctx(), words)
	if err != nil {
		return "", err
	}
	all := meant.All()
	if len(all) > perPage {
		return "", nil
	}
	for _, client := range all {
		switch err := v.mayMeet(client); {
		case errors.Is(err, strangeClient):
			if meant.Exactly(client) {
				return "", nil
			}
		case err != nil:
			return "", err
		case only != "":
			return "", nil
		default:
			only = client
		}
	}
	if only != "" && !meant.Surely(only) {
		only = ""
	}
	return only, nil
}

// cutTo is at most the first n characters of a text.
func cutTo(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return string(r[:n])
	}
	return s
}

// clients lists those who were found last, or everybody of a part of Today, page by page.
func (v *visit) clients() error {
	q := v.r.URL.Query()
	words, show := "", q.Get("show")
	if q.Has("found") {
		words, show = v.sessions.GetString(v.ctx(), keySought), ""
	}
	page, err := strconv.Atoi(q.Get("page"))
	if err != nil {
		page = 1
	}
	return v.listed(words, show, page, perPage, func(p clientsPage) error {
		p.SoughtHere = true
		return v.show("clients", p)
	})
}

// listed sends one page of the clients whom words mean, or of a part of Today.
func (v *visit) listed(words, show string, page, most int, send func(clientsPage) error) error {
	meant, err := v.Search.Meant(v.ctx(), words)
	if err != nil {
		return err
	}
	in, err := v.Board.Brief(v.ctx(), v.who.Name, "search clients")
	if err != nil {
		return err
	}
	strangers, err := v.strangersNamed(in.Clients, meant)
	if err != nil {
		return err
	}
	in = v.own(in)
	var list []report.Shown
	for _, c := range in.Clients {
		if v.in(show, c, in.AsOf) && meant.Is(c.Client) {
			list = append(list, c)
		}
	}
	slices.SortStableFunc(list, func(a, b report.Shown) int {
		byName := cmp.Or(strings.Compare(strings.ToLower(a.Chosen), strings.ToLower(b.Chosen)), cmp.Compare(a.Client, b.Client))
		if show == "soon" || show == "later" {
			return cmp.Or(session(a).Compare(session(b)), byName)
		}
		return byName
	})
	p := clientsPage{frame: v.frame("Clients"), N: len(list), Strangers: strangers}
	p.Now, p.Sought = in.AsOf, words
	address := func(page int) string {
		to := url.Values{}
		if words != "" {
			to.Set("found", "yes")
		}
		for name, value := range map[string]string{"show": show, "page": strconv.Itoa(page)} {
			if value != "" && value != "1" {
				to.Set(name, value)
			}
		}
		return "/clients?" + to.Encode()
	}
	page = min(max(page, 1), len(list)/most+1)
	from := min((page-1)*most, len(list))
	to := min(from+most, len(list))
	p.From, p.To = from+1, to
	if page > 1 {
		p.Newer = address(page - 1)
	}
	if to < len(list) {
		p.Older = address(page + 1)
	}
	lens := v.lens(p.frame, in.Reaches)
	for _, c := range list[from:to] {
		row := line{frame: p.frame, Client: report.ClientOf(lens.Of(*c.Verdict), in.Titles), Booked: true}
		row.ID = "found-" + slug(row.Key+" "+row.Prescriber)
		p.List = append(p.List, clientRow{row, p.born(meant.Born(c.Client))})
	}
	for _, s := range shows {
		path := "/clients"
		if s.key != "" {
			path += "?show=" + s.key
		}
		here := s.key == show && words == ""
		if here {
			p.Why = s.name
		}
		p.Shows = append(p.Shows, shelf{s.name, path, here})
	}
	return send(p)
}

// strangersNamed are the clients who are not a therapist's own and whom they name in full: those they may open with a reason. Of
// anybody else a search tells nothing, not even that there is somebody. That they were found is noted.
func (v *visit) strangersNamed(all []report.Shown, meant Meant) (keys []string, err error) {
	if !v.who.Is(treating...) || v.who.SeesAll() {
		return nil, nil
	}
	for _, c := range all {
		if v.who.Sight(c.Therapists...) != people.Nothing || !meant.Exactly(c.Client) || slices.Contains(keys, c.Client) {
			continue
		}
		if _, err := v.Views.Look(v.ctx(), v.who.Name, "found by full name", c.Client, ""); err != nil {
			return nil, err
		}
		keys = append(keys, c.Client)
	}
	return keys, nil
}

func session(v report.Shown) time.Time {
	if v.Appointment == nil {
		return time.Unix(1<<40, 0)
	}
	return v.Appointment.Start
}

// born is a birth date as one reads it.
func (frame) born(date string) string {
	if t, err := time.Parse(time.DateOnly, date); err == nil {
		return t.Format("2 Jan 2006")
	}
	return cmp.Or(date, "not on file")
}
