package console

import (
	"errors"
	"fmt"
	"net/http"
	"slices"

	"github.com/kaphub/kaphub/cmd/internal/people"
	"github.com/kaphub/kaphub/fhir/exchange"
)

// route is one thing that can be asked for, and by whom.
type route struct {
	Pattern   string        // as net/http writes it: "GET /clients/{client}"
	May       []people.Role // who may; whoever has one of them
	Everybody bool          // signed in or not
	SignedIn  bool          // whoever is signed in, with whatever role
	Client    bool          // it is about {client}: a therapist has it for their own alone
	ByItself  bool          // pages ask for it by themselves, again and again: it keeps nobody signed in
	do        func(*visit) error
}

// Who may see whom, in words that the tables of the screens use.
var (
	everyone = []people.Role{people.Owner, people.Admin, people.Therapist, people.Privacy, people.Reader, people.Operator}
	seeing   = []people.Role{people.Owner, people.Admin, people.Therapist, people.Privacy, people.Reader} // clients, all of them or their own
	keeping  = []people.Role{people.Owner, people.Admin, people.Therapist}                                // entries and triage
)

// routes are all routes, screen by screen.
func (c *Console) routes() []route {
	return slices.Concat(c.signInRoutes(), c.todayRoutes(), c.searchRoutes(), c.deskRoutes(), c.exchangeRoutes(), c.clientRoutes(), c.findingsRoutes(), c.reportRoutes(), c.settingsRoutes(), c.accountRoutes(), c.accountsRoutes(), c.needsRoutes())
}

// serve answers one route: it knows who asks, whether they may, and what to show when something goes wrong.
func (c *Console) serve(rt route) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		v := &visit{Console: c, w: w, r: r, now: c.Now(), client: r.PathValue("client")}
		defer v.mend()
		err := v.whoIs(rt)
		if err == nil {
			err = v.admitted(rt)
		}
		if err == nil {
			err = rt.do(v)
		}
		if err != nil {
			v.fail(err)
		}
	})
}

// admitted answers why this visit must not go on; nil when it may.
func (v *visit) admitted(rt route) error {
	switch {
	case rt.Everybody:
		return nil
	case v.who.ID == "":
		return unknownVisitor
	case !rt.SignedIn && !v.who.Is(rt.May...):
		return forbidden
	case rt.Client:
		return v.mayMeet(v.client)
	}
	return nil
}

// mayMeet answers why this person must not look at a client. A client who is not theirs and one who does not exist are told
// alike: a key tells nothing.
//
//	role                              client                         may
//	owner, admin, privacy, reader     any                            yes
//	therapist                         named by their sessions        yes
//	therapist                         opened with a reason           yes, for an hour
//	therapist                         any other, or none             no
func (v *visit) mayMeet(client string) error {
	by, err := v.Views.Therapists(v.ctx(), client)
	switch {
	case errors.Is(err, exchange.ErrNotFound):
		return strangeClient
	case err != nil:
		return fmt.Errorf("whose client %s is: %w", client, err)
	case v.who.Sight(by...) != people.Nothing:
		return nil
	}
	open, err := v.People.Glass(v.ctx(), v.who.ID)
	if err != nil {
		return fmt.Errorf("who opened %s: %w", client, err)
	}
	if slices.ContainsFunc(open, func(g exchange.Glass) bool { return g.Client == client }) {
		return nil
	}
	return strangeClient
}
