package console

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/kaphub/kaphub/cmd/internal/people"
	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/exchange"
)

// Rejects are what came and could not be read.
type Rejects interface {
	// Rejects returns the open ones, or with all every one there ever was, oldest first, none with its body.
	Rejects(ctx context.Context, all bool) ([]fhir.Reject, error)
	// Reject returns one with what was received, in which nothing is left that a terminal would obey; by's look is noted.
	Reject(ctx context.Context, by, id string) (fhir.Reject, error)
	// Resolve closes one for a reason. exchange.ErrConflict when it is closed.
	Resolve(ctx context.Context, by, id, reason string) error
}

var resolving = []people.Role{people.Owner, people.Admin}

func (c *Console) rejectRoutes() []route {
	return []route{
		{Pattern: "GET /exchange/rejects", May: exchanging, do: (*visit).rejects},
		{Pattern: "GET /exchange/rejects/{reject}", May: exchanging, do: (*visit).reject},
		{Pattern: "POST /exchange/rejects/{reject}/body", May: readingBodies, do: (*visit).rejectBody},
		{Pattern: "POST /exchange/rejects/{reject}/resolve", May: resolving, do: (*visit).resolveReject},
	}
}

type rejectsPage struct {
	exchangeFrame
	Rows []fhir.Reject
	All  bool
}

type rejectPage struct {
	exchangeFrame
	Of       fhir.Reject
	Resolves bool
	Bodies   bool
	Reason   string // as it was typed
	Problems []string
	Body     string
}

func (v *visit) rejects() error {
	p := rejectsPage{exchangeFrame: v.exchangeFrame("Rejects"), All: v.r.URL.Query().Has("all")}
	list, err := v.Rejects.Rejects(v.ctx(), p.All)
	if err != nil {
		return err
	}
	slices.Reverse(list)
	for _, r := range list {
		p.Rows = append(p.Rows, v.unnamed(r))
	}
	return v.show("exchange_rejects", p)
}

// unnamed leaves out where a record stands at its source, for whoever sees keys and states only.
func (v *visit) unnamed(r fhir.Reject) fhir.Reject {
	r.Body = nil
	if v.discreetHere() {
		r.Ref, r.Subject = "", fhir.Ref{}
		if r.Resolved != "" && r.Resolved != "superseded" {
			r.Resolved = "resolved" // in somebody's own words
		}
	}
	return r
}

// rejected is the reject that the address names, without its body.
func (v *visit) rejected() (fhir.Reject, error) {
	list, err := v.Rejects.Rejects(v.ctx(), true)
	if err != nil {
		return fhir.Reject{}, err
	}
	i := slices.IndexFunc(list, func(r fhir.Reject) bool { return r.ID == v.r.PathValue("reject") })
	if i < 0 {
		return fhir.Reject{}, notFoundHere("reject")
	}
	return v.unnamed(list[i]), nil
}

func (v *visit) rejectPage(r fhir.Reject) rejectPage {
	return rejectPage{exchangeFrame: v.exchangeFrame("Reject"), Of: r, Resolves: r.Resolved == "" && v.who.Is(resolving...), Bodies: v.who.Is(readingBodies...)}
}

func (v *visit) reject() error {
	r, err := v.rejected()
	if err != nil {
		return err
	}
	return v.show("exchange_reject", v.rejectPage(r))
}

// rejectBody shows what was received: whose it is nobody knows, so that every look is noted.
func (v *visit) rejectBody() error {
	r, err := v.rejected()
	if err != nil {
		return err
	}
	whole, err := v.Rejects.Reject(v.ctx(), v.who.Name, r.ID)
	if err != nil {
		return err
	}
	p := v.rejectPage(r)
	p.Body = string(whole.Body)
	return v.show("exchange_reject", p)
}

func (v *visit) resolveReject() error {
	r, err := v.rejected()
	if err != nil {
		return err
	}
	why, problem := reasonOf(v.r.PostFormValue("why"))
	if problem != "" {
		p := v.rejectPage(r)
		p.Problems, p.Reason = []string{problem}, why
		return v.send(http.StatusUnprocessableEntity, "exchange_reject", p)
	}
	switch err := v.Rejects.Resolve(v.ctx(), v.who.Name, r.ID, why); {
	case errors.Is(err, exchange.ErrConflict):
		if r, err = v.rejected(); err != nil {
			return err
		}
		if r.Resolved != why {
			return &refusal{http.StatusConflict, "It is closed already", "Somebody, or a newer record, was quicker: " + r.Resolved + ". Nothing of yours was saved."}
		}
		v.say("It is resolved already.")
	case err != nil:
		return err
	default:
		v.say("It is resolved. Its client is judged again with the next sync.")
	}
	return v.to("/exchange/rejects/" + url.PathEscape(r.ID))
}

// reasonOf is why somebody does something, or what is wrong with it.
func reasonOf(typed string) (why, problem string) {
	why = strings.TrimSpace(typed)
	switch {
	case why == "":
		return why, "Say why: it is kept with what you do."
	case utf8.RuneCountInString(why) > 500:
		return why, "The reason is too long: 500 characters are enough."
	}
	return why, ""
}
