package entry

import (
	"errors"
	"time"

	"github.com/kaphub/kaphub/connectors/desk"
	"github.com/kaphub/kaphub/fhir/exchange"
	"github.com/kaphub/kaphub/fhir/plan"
)

// The papers that a client withdraws.
const (
	WithdrawRelease   = "release"
	WithdrawTreatment = "treatment"
	WithdrawBoth      = "both"
)

// Papers is what the client signed, or withdrew.
type Papers struct {
	Signed      string // a date; "" is today
	Release     string // y or n
	ReleaseFrom string // a date; "" is when it was signed
	ReleaseTo   string // a date, or none; needed of a release
	Consents    string // y or n
	Refer       string // y or n; "" is n
	Withdraw    string // WithdrawRelease, WithdrawTreatment or WithdrawBoth; then nothing else is read
}

// Make returns the slips of the papers.
func (w Papers) Make(a About, n desk.Note) ([]exchange.Slip, error) {
	var r reading
	var p desk.Papers
	if w.Withdraw != "" {
		what := needed(&r, "withdraw", w.Withdraw, One(WithdrawRelease, WithdrawTreatment, WithdrawBoth))
		p.Withdraws = what != WithdrawTreatment
		if what != WithdrawRelease {
			p.Revoked = a.Policy.Consents
		}
		return r.made(func() ([]exchange.Slip, error) { return a.Book.Papers(n, p) })
	}
	signed, err := a.Clock().Signed(w.Signed)
	r.wrong("signed", err)
	p.Signed = signed
	if release := needed(&r, "release", w.Release, Yes); release != nil && *release {
		p.Release = true
		p.From = maybe(&r, "release-from", w.ReleaseFrom, a.Clock().Date)
		p.To = needed(&r, "release-to", w.ReleaseTo, a.Clock().Date)
	}
	if consents := needed(&r, "consents", w.Consents, Yes); consents != nil && *consents {
		p.Consents = a.Policy.Consents
	}
	if refer := maybe(&r, "refer", w.Refer, Yes); refer != nil && *refer {
		if p.Refer = true; a.Refers() { // a second one would be told there once more
			return nil, errors.New("the client is referred to " + a.Book.Prescriber.Title + " already: leave --refer out")
		}
	}
	return r.made(func() ([]exchange.Slip, error) { return a.Book.Papers(n, p) })
}

// Signed reads the day on which something was signed; "" is today.
func (c Clock) Signed(word string) (time.Time, error) {
	if word == "" {
		word = "today"
	}
	day, err := c.Date(word)
	if err != nil {
		return time.Time{}, err
	}
	at, err := time.ParseInLocation(time.DateOnly, day, c.Zone)
	if err != nil || at.After(c.Now) {
		return at, errors.New("must be a date that is not to come")
	}
	return at, nil
}

// Refers reports whether the client is referred to the prescriber already.
func (a About) Refers() bool { return plan.Refers(a.Chart, a.Policy) }
