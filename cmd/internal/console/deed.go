package console

import (
	"strings"

	"github.com/kaphub/kaphub/cmd/internal/people"
	"github.com/kaphub/kaphub/connectors/desk"
	"github.com/kaphub/kaphub/fhir/readiness"
)

// deedPlace is where a deed is done in the browser; a path about a client has a * for them.
type deedPlace struct {
	link
	may []people.Role
}

// deedPlaces are where each deed is done.
var deedPlaces = map[readiness.Deed]deedPlace{
	readiness.ConfirmEntry:  {link{Path: "/desk/waiting", Name: "Confirm it: second person’s queue"}, keeping},
	readiness.SayWhy:        {aboutClient(desk.KindReason, "Enter it: reason for a session"), keeping},
	readiness.EnterAfter:    {aboutClient(desk.KindAfter, "Enter it: after the session"), keeping},
	readiness.EnterHeld:     {aboutClient(desk.KindAfter, "Enter it: after the session"), keeping},
	readiness.EnterInPerson: {aboutClient(desk.KindDecision, "Enter it: decision or follow-up"), keeping},
	readiness.EnterAnswer:   {aboutClient(desk.KindCondition, "Enter it: condition of the clearance"), atTheSession},
	readiness.OpenSealed:    {link{Path: "/exchange/sealed", Name: "Sealed records"}, unsealing},
	readiness.ReadAgain:     {link{Path: "/exchange", Name: "Read again: Exchange"}, exchanging},
	readiness.OpenRejects:   {link{Path: "/exchange/rejects", Name: "What could not be read"}, exchanging},
	readiness.OpenLinks:     {link{Path: "/exchange/links", Name: "Links to confirm"}, exchanging},
	readiness.ReadMailbox:   {link{Path: "/desk/read-through", Name: "Enter it: mailbox read through"}, mailing},
	readiness.CheckSource:   {link{Path: "/exchange", Name: "Exchange"}, exchanging},
	readiness.CheckSending:  {link{Path: "/exchange/deliveries?state=waiting", Name: "What is on its way"}, lookingAtSent},
	readiness.PrintPacket:   {link{Path: "/exchange/deliveries?state=waiting", Name: "What is on its way"}, lookingAtSent},
	readiness.EnterHanded:   {link{Path: "/exchange/deliveries", Name: "Enter it: deliveries"}, lookingAtSent},
	readiness.EnterOutcome:  {link{Path: "/exchange/deliveries", Name: "Enter it: deliveries"}, lookingAtSent},
	readiness.OpenRefused:   {link{Path: "/exchange/deliveries", Name: "What was refused"}, lookingAtSent},
	readiness.OpenStaged:    {link{Path: "/exchange/deliveries?state=waiting", Name: "What is on its way"}, lookingAtSent},
}

func aboutClient(form, name string) link {
	return link{Path: "/clients/*/desk/" + form, Name: name}
}

// Door is doorOf of the page's visitor.
func (f frame) Door(next, client string) *link { return doorOf(f.visitor, next, client) }

// doorOf leads to where what a next step asks for is done, about client where it is about one; nil where that is nowhere in the
// browser, or not who's to do.
func doorOf(who people.Account, next, client string) *link {
	to, ok := deedPlaces[readiness.DeedOf(next)]
	if !ok || !who.Is(to.may...) || client == "" && strings.Contains(to.Path, "*") {
		return nil
	}
	return &link{Path: strings.Replace(to.Path, "*", client, 1), Name: to.Name}
}
