package console

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"

	"github.com/kaphub/kaphub/cmd/internal/people"
	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/exchange"
)

// Vault is what arrived out of scope, sealed until the privacy officer has looked.
type Vault interface {
	// Sealed returns what waits, or with all everything that ever was, oldest first; never a body.
	Sealed(ctx context.Context, all bool) ([]fhir.Sealed, error)
	// Unseal returns what was received, noted with the reason. exchange.ErrNotFound when it was expunged.
	Unseal(ctx context.Context, by, id, why string) ([]byte, error)
	// Admit takes one in with the rest, Expunge destroys its content. exchange.ErrConflict when it was decided on.
	Admit(ctx context.Context, by, id, why string) error
	Expunge(ctx context.Context, by, id, why string) error
}

var unsealing = []people.Role{people.Privacy}

func (c *Console) sealedRoutes() []route {
	return []route{
		{Pattern: "GET /exchange/sealed", May: unsealing, do: (*visit).sealed},
		{Pattern: "GET /exchange/sealed/{sealed}", May: unsealing, do: (*visit).sealedOne},
		{Pattern: "POST /exchange/sealed/{sealed}/open", May: unsealing, do: (*visit).unseal},
		{Pattern: "POST /exchange/sealed/{sealed}/admit", May: unsealing, do: func(v *visit) error {
			return v.endSealed("admitted", v.Vault.Admit, "It is admitted: it counts with the next sync.")
		}},
		{Pattern: "POST /exchange/sealed/{sealed}/expunge", May: unsealing, do: func(v *visit) error {
			return v.endSealed("expunged", v.Vault.Expunge, "It is expunged: its content is destroyed here. Tell its source not to send such records.")
		}},
	}
}

type sealedListPage struct {
	exchangeFrame
	Rows []fhir.Sealed
	All  bool
}

type sealedPage struct {
	exchangeFrame
	Of       fhir.Sealed
	Reason   string
	Problems []string
	Body     string
}

func (v *visit) sealed() error {
	p := sealedListPage{exchangeFrame: v.exchangeFrame("Sealed"), All: v.r.URL.Query().Has("all")}
	var err error
	if p.Rows, err = v.Vault.Sealed(v.ctx(), p.All); err != nil {
		return err
	}
	slices.Reverse(p.Rows)
	return v.show("exchange_sealed", p)
}

func (v *visit) sealedRecord() (fhir.Sealed, error) {
	list, err := v.Vault.Sealed(v.ctx(), true)
	if err != nil {
		return fhir.Sealed{}, err
	}
	i := slices.IndexFunc(list, func(x fhir.Sealed) bool { return x.ID == v.r.PathValue("sealed") })
	if i < 0 {
		return fhir.Sealed{}, notFoundHere("sealed record")
	}
	return list[i], nil
}

func (v *visit) sealedPage(x fhir.Sealed) sealedPage {
	return sealedPage{exchangeFrame: v.exchangeFrame("Sealed record"), Of: x}
}

func (v *visit) sealedOne() error {
	x, err := v.sealedRecord()
	if err != nil {
		return err
	}
	return v.show("exchange_sealed_one", v.sealedPage(x))
}

// why is the reason that a form on a sealed record gives; when it is none that will do, the page is shown again and done.
func (v *visit) why(x fhir.Sealed, also string) (reason string, done bool, err error) {
	reason, problem := reasonOf(v.r.PostFormValue("why"))
	if problem == "" {
		problem = also
	}
	if problem == "" {
		return reason, false, nil
	}
	p := v.sealedPage(x)
	p.Problems, p.Reason = []string{problem}, reason
	return reason, true, v.send(http.StatusUnprocessableEntity, "exchange_sealed_one", p)
}

func (v *visit) unseal() error {
	x, err := v.sealedRecord()
	if err != nil {
		return err
	}
	why, done, err := v.why(x, "")
	if done || err != nil {
		return err
	}
	body, err := v.Vault.Unseal(v.ctx(), v.who.Name, x.ID, why)
	if errors.Is(err, exchange.ErrNotFound) {
		return &refusal{http.StatusGone, "Nothing is left of it", "Its content was expunged by " + x.By + "."}
	}
	if err != nil {
		return err
	}
	p := v.sealedPage(x)
	p.Body = string(body)
	return v.show("exchange_sealed_one", p)
}

func (v *visit) endSealed(outcome string, end func(ctx context.Context, by, id, why string) error, said string) error {
	x, err := v.sealedRecord()
	if err != nil {
		return err
	}
	also := ""
	if outcome == "expunged" && v.r.PostFormValue("sure") == "" && x.Outcome == "" {
		also = "Say that you know that it cannot be undone."
	}
	why, done, err := v.why(x, also)
	if done || err != nil {
		return err
	}
	switch err := end(v.ctx(), v.who.Name, x.ID, why); {
	case errors.Is(err, exchange.ErrConflict):
		if x, err = v.sealedRecord(); err != nil {
			return err
		}
		if x.Outcome != outcome || x.By != v.who.Name {
			return &refusal{http.StatusConflict, "It is decided already", "It is " + x.Outcome + ", by " + x.By + ": " + x.Why + ". Nothing of yours was saved."}
		}
		v.say("It is " + outcome + " already.")
	case err != nil:
		return err
	default:
		v.say(said)
	}
	return v.to("/exchange/sealed/" + url.PathEscape(x.ID))
}
