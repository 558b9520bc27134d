package console

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/kaphub/kaphub/cmd/internal/entry"
	"github.com/kaphub/kaphub/connectors/desk"
	"github.com/kaphub/kaphub/fhir/exchange"
	"github.com/kaphub/kaphub/fhir/readiness"
)

// releasesAtOnce is how many clients one form lists: each that is ticked is an entry of its own.
const releasesAtOnce = 50

// releasesPage enters for many clients at once that a release is signed on paper: a practice comes with its papers.
type releasesPage struct {
	frame
	Rows    []unreleased
	More    int // who are not listed yet
	Fields  []field
	Problem string
}

// unreleased is a client with a prescriber to whom no release is in force.
type unreleased struct {
	subject
	Prescriber, Title string
	Words             string // what is recorded of it
	Entry             string // the id that its entry gets
	Ticked            bool
}

// Value is what the row's box sends: as which entry, so that a form that is sent twice enters nothing twice, and whom it is about.
func (u unreleased) Value() string { return u.Entry + " " + u.about() }

func (u unreleased) about() string { return u.Carried() + ", to " + u.Prescriber }

// unreleased are the visitor's clients of whom a signed release may be entered. Where the client's own word stands against it,
// a withdrawal or a denial, the paper is entered about them alone.
func (v *visit) unreleased(what string) (rows []unreleased, more int, err error) {
	in, err := v.look(what, "", "")
	if err != nil {
		return nil, 0, err
	}
	parties, err := v.Roster.Prescribers(v.ctx(), "")
	if err != nil {
		return nil, 0, err
	}
	for _, c := range in.Clients {
		i := slices.IndexFunc(c.Gates, func(g readiness.Gate) bool { return g.Name == readiness.GateRelease })
		of := slices.IndexFunc(parties, func(p desk.Party) bool { return p.Name == c.Prescriber })
		if i < 0 || of < 0 || c.Gates[i].State == readiness.Met || c.Gates[i].Owner == readiness.Client {
			continue
		}
		if len(rows) == releasesAtOnce {
			more++
			continue
		}
		a, err := v.Desk.About(v.ctx(), "", c.Client, c.Prescriber)
		if err != nil {
			return nil, 0, fmt.Errorf("read chart of %s: %w", c.Client, err)
		}
		row := unreleased{subject: subjectOf(a.Chart), Prescriber: c.Prescriber, Title: parties[of].Title, Words: c.Gates[i].Words, Entry: desk.NewEntry()}
		if err := v.tellApart(&row.subject, a.Chart); err != nil {
			return nil, 0, err
		}
		rows = append(rows, row)
	}
	slices.SortStableFunc(rows, func(a, b unreleased) int { return strings.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name)) })
	return rows, more, nil
}

func (v *visit) releases() error {
	p := releasesPage{Fields: releaseFields()}
	var err error
	if p.Rows, p.More, err = v.unreleased("releases"); err != nil {
		return err
	}
	p.frame = v.deskFrame("Releases on paper")
	return v.show("desk_releases", p)
}

func releaseFields() []field {
	return []field{
		{Name: "signed", Label: "Signed on", Kind: "date", Hint: "The day on the papers of all whom you tick. Who signed on another day comes in a second round.", Needed: "always"},
		{Name: "release-to", Label: "They end on", Kind: "end", NoneLabel: "No end is written on them"},
	}
}

// saveReleases enters each that was ticked by itself: the ledger and the audit log read as if it had been entered alone.
func (v *visit) saveReleases() error {
	f, err := v.filled()
	if err != nil {
		return err
	}
	p := releasesPage{}
	if p.Rows, p.More, err = v.unreleased(""); err != nil {
		return err
	}
	form := formPage{asked: asked{Fields: releaseFields()}.filled(f)}
	problems := form.tooMuch()
	var entries [][]exchange.Slip
	before := 0
	for _, value := range f["release"] {
		id, about, _ := strings.Cut(value, " ")
		i := slices.IndexFunc(p.Rows, func(u unreleased) bool { return u.about() == about })
		switch was, err := v.Desk.Entry(v.ctx(), id); {
		case !entryID.MatchString(id):
			return staleForm
		case err == nil && was[0].Kind == desk.KindPapers && was[0].Actor == v.who.Name && strings.HasPrefix(about, was[0].Client+", "):
			before++ // the form was sent twice
			continue
		case err == nil:
			return staleForm
		case !errors.Is(err, exchange.ErrNotFound):
			return err
		case i < 0:
			p.Problem = "What is recorded of somebody you ticked changed since this form was opened. Look at the list as it is now, and tick once more."
			continue
		}
		p.Rows[i].Entry, p.Rows[i].Ticked = id, true
		slips, err := v.released(p.Rows[i], f)
		if told, about := errors.AsType[entry.Problems](err); about && len(problems) == 0 {
			problems = told
		} else if err != nil && !about {
			return err
		}
		entries = append(entries, slips)
	}
	if len(f["release"]) == 0 {
		p.Problem = "Nobody is ticked: tick those whose signed release you have before you."
	}
	form.point(problems)
	if p.Fields = form.Fields; p.Problem != "" || len(form.Wrong) > 0 {
		p.frame = v.deskFrame("Releases on paper")
		return v.send(http.StatusUnprocessableEntity, "desk_releases", p)
	}
	for n, slips := range entries {
		switch _, err := v.Desk.Enter(v.ctx(), v.who.Name, slips); {
		case errors.Is(err, exchange.ErrConflict):
			before++
		case err != nil && n == 0:
			return fmt.Errorf("enter the release of %s: %w", slips[0].Client, err)
		case err != nil:
			v.Log.ErrorContext(v.ctx(), "a release on paper was not entered", "client", slips[0].Client, "entered", n, "ticked", len(entries), "error", err)
			v.say(fmt.Sprintf("Only %s entered. The others are listed here still: tick them once more.", many(n, "release is", "releases are")))
			return v.to("/desk/releases")
		}
	}
	line := fmt.Sprintf("%s entered, each by itself.", many(len(f["release"])-before, "release is", "releases are"))
	if before > 0 {
		line += fmt.Sprintf(" %s entered already: the form was sent twice.", many(before, "was", "were"))
	}
	v.say(line)
	return v.to("/desk/releases")
}

// released is the entry of one client's release.
func (v *visit) released(u unreleased, f url.Values) ([]exchange.Slip, error) {
	a, err := v.Desk.About(v.ctx(), v.who.Name, u.Key, u.Prescriber)
	if err != nil {
		return nil, err
	}
	note, err := a.Note(u.Entry, desk.Writer(v.who.Hand()), entry.Heard{}, false)
	if err != nil {
		return nil, err
	}
	return entry.Papers{Signed: answer(f, "signed"), Release: "y", ReleaseTo: end(f, "release-to"), Consents: "n"}.Make(a, note)
}
