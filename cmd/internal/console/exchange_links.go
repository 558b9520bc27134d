package console

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/kaphub/kaphub/cmd/internal/people"
	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/exchange"
)

// Links are which records are whose.
type Links interface {
	// Pairs returns what is to be decided and what people decided, or with all every pair; open questions first. None tells
	// who anybody is.
	Pairs(ctx context.Context, all bool) ([]Pair, error)
	// Pair returns one with who the client is, and what was told on its strength; by's look is noted, unless by is "".
	// exchange.ErrNotFound when there is none.
	Pair(ctx context.Context, by, id string) (Pair, error)
	// Rule notes a person's word: Confirm, Refuse or Undo. exchange.ErrConflict when the pair does not stand as they saw
	// it, or is in no state for that word.
	Rule(ctx context.Context, by, id, seen string, word Word, reason string) error
}

// Word is what a person says of a pair.
type Word string

// The words.
const (
	Confirm Word = "confirmed"
	Refuse  Word = "refused"
	Undo    Word = "undone"
)

// Pair is a source's Patient together with a client: who it is, may be, or was said not to be.
type Pair struct {
	ID, State                     string // open, in doubt, linked, refused, undone
	Client, Source, Party, Whom   string // Whom: the party, as shown
	Patient                       string // id at the source
	How                           string
	Since                         time.Time
	Linked, Open, Likely, Refused bool
	Evidence                      []fhir.Evidence // while open
	TiedClients, TiedPatients     []string        // pairs that cannot all be true
	Rulings                       []Ruling        // oldest first

	// Of one only:
	Here []Identity // at the practice
	Then []Identity // at the other side, when linked; else nothing of it is kept but what it takes to compare
	Told []Told     // what was sent on its strength
}

// Ground is what a pair that is linked rests on, in words.
func (p Pair) Ground() string {
	if words, ok := map[string]string{
		"enrolled": "the practice’s own record", "key": "it bears the hub’s key", "identifier": "a shared identifier", "person": "a person said so", "candidate": "what agrees in both",
	}[p.How]; ok {
		return words
	}
	return p.How
}

// Ruling is what a person said of a pair.
type Ruling struct {
	Said, By, Reason string
	At               time.Time
}

// Identity is somebody as a source knows them, legal name and all.
type Identity struct {
	Source      string
	Names       []string
	Birth       string
	Identifiers []string
}

// Told is a delivery that rested on a link.
type Told struct {
	Delivery string
	What     exchange.What
	Whom     string
	State    exchange.State
	At       time.Time
}

// Says is what was brought, in words.
func (t Told) Says() string { return sentenceCase(brings(t.What)) }

// Seen is by what it is known whether a pair still stands as somebody saw it.
func (p Pair) Seen() string { return p.State + " " + p.Since.UTC().Format(time.RFC3339) }

// Settled reports whether nobody needs to decide.
func (p Pair) Settled() bool { return !p.Open }

var matching = []people.Role{people.Owner, people.Admin}

// identifying are those who may see who somebody is by their legal name, where records are matched.
var identifying = []people.Role{people.Owner, people.Admin, people.Privacy}

func (c *Console) linkRoutes() []route {
	rule := func(w Word) func(*visit) error { return func(v *visit) error { return v.rule(w) } }
	return []route{
		{Pattern: "GET /exchange/links", May: exchanging, do: (*visit).links},
		{Pattern: "GET /exchange/links/{link}", May: identifying, do: (*visit).link},
		{Pattern: "POST /exchange/links/{link}/confirm", May: matching, do: rule(Confirm)},
		{Pattern: "POST /exchange/links/{link}/refuse", May: matching, do: rule(Refuse)},
		{Pattern: "POST /exchange/links/{link}/undo", May: matching, do: rule(Undo)},
	}
}

type linksPage struct {
	exchangeFrame
	Rows  []Pair
	All   bool
	Names bool // the visitor may look at one
}

type linkPage struct {
	exchangeFrame
	Of       Pair
	Rules    bool
	Reason   string
	Problems []string
}

func (v *visit) links() error {
	p := linksPage{exchangeFrame: v.exchangeFrame("Links"), All: v.r.URL.Query().Has("all"), Names: v.who.Is(identifying...)}
	var err error
	if p.Rows, err = v.Links.Pairs(v.ctx(), p.All); err != nil {
		return err
	}
	for i := range p.Rows {
		if v.discreetHere() {
			p.Rows[i].Patient, p.Rows[i].Rulings = "", nil
		}
	}
	return v.show("exchange_links", p)
}

// pair is the pair that the address names; it is noted that by looks, unless by is "": what they say of it is noted then.
func (v *visit) pair(by string) (Pair, error) {
	p, err := v.Links.Pair(v.ctx(), by, v.r.PathValue("link"))
	if errors.Is(err, exchange.ErrNotFound) {
		return p, notFoundHere("link")
	}
	return p, err
}

func (v *visit) linkPage(p Pair) linkPage {
	return linkPage{exchangeFrame: v.exchangeFrame("Link"), Of: p, Rules: v.who.Is(matching...)}
}

func (v *visit) link() error {
	p, err := v.pair(v.who.Name)
	if err != nil {
		return err
	}
	return v.show("exchange_link", v.linkPage(p))
}

func (v *visit) rule(w Word) error {
	p, err := v.pair("")
	if err != nil {
		return err
	}
	if n := len(p.Rulings); n > 0 && p.Rulings[n-1].By == v.who.Name && p.Rulings[n-1].Said == string(w) && v.r.PostFormValue("seen") != p.Seen() {
		v.say("That is recorded already.")
		return v.toLink(p)
	}
	reason := strings.TrimSpace(v.r.PostFormValue("why"))
	problem := ""
	if w != Confirm {
		reason, problem = reasonOf(reason)
	} else if v.r.PostFormValue("compared") == "" {
		problem = "Say that you compared the two records: of the other side's nothing is kept here that could do it for you."
	}
	if problem != "" {
		if p, err = v.pair(v.who.Name); err != nil {
			return err
		}
		page := v.linkPage(p)
		page.Problems, page.Reason = []string{problem}, reason
		return v.send(http.StatusUnprocessableEntity, "exchange_link", page)
	}
	err = v.Links.Rule(v.ctx(), v.who.Name, p.ID, v.r.PostFormValue("seen"), w, reason)
	switch {
	case errors.Is(err, exchange.ErrConflict):
		now, err := v.pair(v.who.Name)
		if err != nil {
			return err
		}
		text := "It is " + now.State + " by now"
		if n := len(now.Rulings); n > 0 {
			text += ", " + now.Rulings[n-1].Said + " by " + now.Rulings[n-1].By
		} else if w == Confirm && now.Open {
			text = "The record may be linked to another client: the list of links shows to whom. Undo that link first, if it is wrong"
		}
		return &refusal{http.StatusConflict, "This link does not stand as you saw it", text + ". Nothing of yours was saved: open it again and look."}
	case err != nil:
		return err
	}
	v.say(map[Word]string{
		Confirm: "It is the client. Its record is read back to the beginning with the next sync; birth date and family name are compared then.",
		Refuse:  "It is not the client. It is asked again only when something agrees that does not now.",
		Undo:    "The link has ended. The clients are judged again with the next sync; what was sent on its strength is listed below.",
	}[w])
	return v.toLink(p)
}

func (v *visit) toLink(p Pair) error { return v.to("/exchange/links/" + url.PathEscape(p.ID)) }

// Agreeing are the kinds of evidence that stand so between the two records, in words.
func (p Pair) Agreeing() string {
	var kinds []string
	for _, e := range p.Evidence {
		if e.Says == fhir.Agrees || e.Says == fhir.Alike {
			kinds = append(kinds, e.Kind+" "+e.Says)
		}
	}
	return strings.Join(kinds, ", ")
}

// LastRuling is what was said of it last; zero when nobody said anything.
func (p Pair) LastRuling() Ruling {
	if len(p.Rulings) == 0 {
		return Ruling{}
	}
	return p.Rulings[len(p.Rulings)-1]
}

// openFirst counts what is to be decided.
func openFirst(list []Pair) int {
	return len(slices.DeleteFunc(slices.Clone(list), Pair.Settled))
}

// ToDecide is how many pairs wait for a person.
func (p linksPage) ToDecide() int { return openFirst(p.Rows) }
