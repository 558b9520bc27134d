package console

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode"
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
	// Whose returns the clients of rejects, by the reject's id, as far as they are known: with a name, when by asks for it, which is
	// noted; with by "" by key alone.
	Whose(ctx context.Context, by string, rejects []fhir.Reject) (map[string]Whose, error)
}

// Whose is a client as a page of the exchange names them.
type Whose struct {
	Client, Name string // Name is "" for whoever sees keys only
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
	Rows []rejectRow
	All  bool
}

type rejectRow struct {
	fhir.Reject
	Whose Whose // zero: nobody's that is known
}

type rejectPage struct {
	exchangeFrame
	Of       fhir.Reject
	Whose    Whose
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
	whose, err := v.whose(list)
	if err != nil {
		return err
	}
	slices.Reverse(list)
	for _, r := range list {
		p.Rows = append(p.Rows, rejectRow{v.unnamed(r), whose[r.ID]})
	}
	return v.show("exchange_rejects", p)
}

// whose are the clients of rejects: by name for whoever sees every client, by key for anybody else.
func (v *visit) whose(rejects []fhir.Reject) (map[string]Whose, error) {
	by := v.who.Name
	if !v.who.SeesAll() {
		by = ""
	}
	return v.Rejects.Whose(v.ctx(), by, rejects)
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

// rejected is the page of the reject that the address names, without its body.
func (v *visit) rejected() (rejectPage, error) {
	list, err := v.Rejects.Rejects(v.ctx(), true)
	if err != nil {
		return rejectPage{}, err
	}
	i := slices.IndexFunc(list, func(r fhir.Reject) bool { return r.ID == v.r.PathValue("reject") })
	if i < 0 {
		return rejectPage{}, notFoundHere("reject")
	}
	whose, err := v.whose(list[i : i+1])
	if err != nil {
		return rejectPage{}, err
	}
	r := v.unnamed(list[i])
	return rejectPage{exchangeFrame: v.exchangeFrame("Reject"), Of: r, Whose: whose[r.ID], Resolves: r.Resolved == "" && v.who.Is(resolving...), Bodies: v.who.Is(readingBodies...)}, nil
}

func (v *visit) reject() error {
	p, err := v.rejected()
	if err != nil {
		return err
	}
	return v.show("exchange_reject", p)
}

// rejectBody shows what was received: whose it is nobody knows for sure, so that every look is noted.
func (v *visit) rejectBody() error {
	p, err := v.rejected()
	if err != nil {
		return err
	}
	whole, err := v.Rejects.Reject(v.ctx(), v.who.Name, p.Of.ID)
	if err != nil {
		return err
	}
	p.Body = string(whole.Body)
	return v.show("exchange_reject", p)
}

func (v *visit) resolveReject() error {
	p, err := v.rejected()
	if err != nil {
		return err
	}
	r := p.Of
	why, problem := reasonOf(v.r.PostFormValue("why"))
	if problem == "" && !Telling(why) {
		problem = "Say what was done about it, in a few words, like “Skylight says it was a test”. Whoever looks later has nothing else."
	}
	if problem != "" {
		p.Problems, p.Reason = []string{problem}, why
		return v.send(http.StatusUnprocessableEntity, "exchange_reject", p)
	}
	switch err := v.Rejects.Resolve(v.ctx(), v.who.Name, r.ID, why); {
	case errors.Is(err, exchange.ErrConflict):
		if p, err = v.rejected(); err != nil {
			return err
		}
		if r = p.Of; r.Resolved != why {
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

// Telling reports whether a text can tell anybody what was done: ten characters at least, and not one letter over and over.
func Telling(text string) bool {
	letters := map[rune]bool{}
	for _, r := range strings.ToLower(text) {
		if unicode.IsLetter(r) {
			letters[r] = true
		}
	}
	return utf8.RuneCountInString(strings.TrimSpace(text)) >= 10 && len(letters) >= 4
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
