package console

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/kaphub/kaphub/cmd/internal/people"
	"github.com/kaphub/kaphub/fhir/exchange"
)

// Looks keeps who looked at whom. *people.House is one.
type Looks interface {
	// Looked returns who did or looked at what of a client, newest first; with before, what came before that entry.
	Looked(ctx context.Context, client string, before int64, limit int) ([]exchange.Line, error)
	// Crowded returns who was shown a client among others since a time, on the board, its print, findings and reports: one for each
	// person, kind and day of zone, newest first.
	Crowded(ctx context.Context, client string, since time.Time, zone *time.Location) ([]exchange.Crowd, error)
	// Glasses returns every look in need that ended after since, or lasts.
	Glasses(ctx context.Context, since time.Time) ([]exchange.Glass, error)
	// BreakGlass lets an account see one client for an hour; people.ErrReason when the reason says nothing.
	BreakGlass(ctx context.Context, who people.Account, client, reason string) (exchange.Glass, error)
}

// Who may look where not everybody may.
var (
	overseeing = []people.Role{people.Owner, people.Privacy}                                  // who looked, and why
	clinical   = []people.Role{people.Owner, people.Therapist, people.Privacy, people.Reader} // doses, readings, events
	treating   = []people.Role{people.Therapist}
	caring     = []people.Role{people.Owner, people.Therapist} // in the session room
)

// looksPage is who looked at a client, or did something about them.
type looksPage struct {
	frame
	whom
	Lines   []lookRow
	Glasses []exchange.Glass
	Crowds  []exchange.Crowd // of the days that are shown
	Older   string
}

type lookRow struct {
	exchange.Line
	Reason string // of a look in need
}

const (
	linesAPage   = 50
	crowdsShown  = 30 // days
	glassesShown = 365 * 24 * time.Hour
)

func (v *visit) looksPage() error {
	p := looksPage{frame: v.frame("Who looked")}
	d, err := v.dossier("who looked", "")
	if err != nil {
		return err
	}
	p.whom = whomOf(&d.Chart, v.client)
	before, _ := strconv.ParseInt(v.r.URL.Query().Get("before"), 10, 64)
	lines, err := v.Looks.Looked(v.ctx(), v.client, max(before, 0), linesAPage+1)
	if err != nil {
		return err
	}
	glasses, err := v.Looks.Glasses(v.ctx(), v.now.Add(-glassesShown))
	if err != nil {
		return err
	}
	why := map[string]string{}
	for _, g := range glasses {
		if g.Client == v.client {
			why[g.ID] = g.Reason
			p.Glasses = append(p.Glasses, g)
		}
	}
	if before == 0 {
		if p.Crowds, err = v.Looks.Crowded(v.ctx(), v.client, v.now.AddDate(0, 0, -crowdsShown), v.Zone); err != nil {
			return err
		}
	}
	if len(lines) > linesAPage {
		lines = lines[:linesAPage]
		p.Older = v.r.URL.Path + "?before=" + strconv.FormatInt(lines[linesAPage-1].Seq, 10)
	}
	for _, l := range lines {
		p.Lines = append(p.Lines, lookRow{l, why[l.Detail]})
	}
	return v.show("looks", p)
}

// shortestReason is how many letters a reason has that says something. The house asks for as many; here it is asked before
// anybody finds out whether there is such a client.
const shortestReason = 8

// breakGlass opens a client who is not the therapist's, with a reason, for an hour. Whether there is such a client nobody
// learns who gives none.
func (v *visit) breakGlass() error {
	if err := v.r.ParseForm(); err != nil {
		return err
	}
	reason := strings.Join(strings.Fields(v.r.PostForm.Get("reason")), " ")
	if len([]rune(reason)) < shortestReason {
		return v.stranger(http.StatusUnprocessableEntity, reason, "Say in a few words why you need to see this client.")
	}
	_, err := v.Views.Therapists(v.ctx(), v.client)
	if errors.Is(err, exchange.ErrNotFound) {
		return v.stranger(http.StatusNotFound, reason, "There is no client of this key. Look for them by name or birth date.")
	}
	if err != nil {
		return err
	}
	switch _, err := v.Looks.BreakGlass(v.ctx(), v.who, v.client, reason); {
	case errors.Is(err, people.ErrReason):
		return v.stranger(http.StatusUnprocessableEntity, reason, "Say in a few words why you need to see this client.")
	case err != nil:
		return err
	}
	v.say("You may see this client for an hour. Your reason is kept, and the privacy officer reads it.")
	return v.to("/clients/" + v.client)
}

// stranger is the page of a client who is not the visitor's, or of nobody, once more.
func (v *visit) stranger(status int, reason, wrong string) error {
	return v.send(status, "refused", v.refused(strangeClient, reason, wrong))
}
