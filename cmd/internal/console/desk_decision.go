package console

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/kaphub/kaphub/cmd/internal/entry"
	"github.com/kaphub/kaphub/connectors/desk"
	"github.com/kaphub/kaphub/fhir"
)

// outcomes are what a decision may come to, as a form shows them.
var outcomes = []choice{
	{Value: fhir.DecisionCleared, Label: "Cleared"}, {Value: fhir.DecisionConditions, Label: "Cleared, with conditions"}, {Value: fhir.DecisionDeferred, Label: "Deferred: not yet"},
	{Value: fhir.DecisionNotCleared, Label: "Not cleared"}, {Value: fhir.DecisionWithdrawn, Label: "Clearance withdrawn"}, {Value: entry.FollowUpDone, Label: "A follow-up took place"},
}

func askDecision(a entry.About, _ bool) asked {
	title := a.Book.Prescriber.Title
	var q asked
	outcome := field{Name: "outcome", Label: "What did " + title + " decide?", Kind: "choice", Choices: slices.Clone(outcomes)}
	switch len(a.Deciders) {
	case 0:
		q.Cannot = "The prescriber sheet lists nobody who may decide. Whoever looks after the settings writes them there, once " + title + " has agreed."
		return q
	case 1:
		outcome.Hint = "By " + a.Deciders[0].Shown() + "."
	}
	q.Fields = append(q.Fields, outcome)
	if len(a.Deciders) > 1 {
		who := field{Name: "decider", Label: "Who decided?", Kind: "choice"}
		for _, d := range a.Deciders {
			who.Choices = append(who.Choices, choice{Value: d.ID.Value, Label: d.Shown()})
		}
		q.Fields = append(q.Fields, who)
	}
	validTo := field{Name: "valid-to", Label: "Valid to", Kind: "end", NoneLabel: "The message gives no end", Only: "if-clears"}
	if end, ok := a.Ends("", a.Now); ok {
		if day, err := time.Parse(time.DateOnly, end); err == nil {
			end = day.Format("Mon 2 Jan 2006")
		}
		validTo.NoneLabel += ": per agreement to " + end + ", if dated today"
	}
	dated := told("Dated")
	q.Fields = append(q.Fields, dated[0], dated[1], validTo,
		field{Name: "condition", Label: "Conditions", Hint: "One per line.", Shy: true, Kind: "text", Only: "if-conditions"},
		field{Name: "by-reading", Label: "Readings below the limits before each session", Kind: "check", Only: "if-conditions"},
		field{Name: "from", Label: "Who wrote or called?", Kind: "line", Rare: true},
		field{Name: "limit", Label: "Limits", Kind: "line", Hint: "Like BP 140/90, HR 100.", Only: "if-clears", Rare: true},
		field{Name: "sessions", Label: "Sessions", Kind: "line", Hint: "Like 6 in all, 1 a week, 7 days apart, office.", Only: "if-clears", Rare: true},
		field{Name: "directions", Label: "Directions, word for word", Kind: "text", Hint: "Only if they change; they wait for the label check.", Only: "unless-follow-up", Rare: true},
		field{Name: "in-person", Label: "The prescriber saw the client in person for it", Kind: "check", Rare: true},
		field{Name: "valid-to-again", Label: "Nobody else here to confirm it? Type the end once more", Kind: "date", Only: "if-clears", Rare: true})
	q.More = "More: limits, sessions, directions, who wrote, in person, no second person"
	return q
}

func readDecision(_ entry.About, f url.Values) entry.Form {
	d := entry.Decision{Outcome: answer(f, "outcome"), Decider: answer(f, "decider"), ValidTo: end(f, "valid-to"), ValidToAgain: answer(f, "valid-to-again"),
		Sessions: answer(f, "sessions"), Directions: answer(f, "directions"), InPerson: ticked(f, "in-person"), Sure: ticked(f, sure), Seen: ticked(f, tookPlace)}
	if limit := answer(f, "limit"); limit != "" {
		d.Limits = []string{limit}
	}
	d.Conditions = strings.Split(answer(f, "condition"), "\n")
	if ticked(f, "by-reading") {
		d.Conditions = append(d.Conditions, "bp")
	}
	return d
}

// decisionAnswers are a decision's answers as its form has them, for what a reply filled in.
func decisionAnswers(a entry.About, d entry.Decision, reply desk.Reply) url.Values {
	f := url.Values{"told": {"now"}, "medium": {"e-mail"}, "outcome": {d.Outcome}, "directions": {d.Directions}, "decider": {""}}
	if d.Sessions != "none" {
		f.Set("sessions", d.Sessions)
	}
	switch day, err := a.Clock().Date(d.ValidTo); {
	case err != nil:
		f.Set("valid-to", d.ValidTo) // as it was written: whoever looks sees it
	case day == "" && d.ValidTo != "":
		f.Set("valid-to-none", "y")
	default:
		f.Set("valid-to", day)
	}
	conditions, byReading := entry.Conditions(d.Conditions)
	f.Set("condition", strings.Join(conditions, "\n"))
	if byReading {
		f.Set("by-reading", "y")
	}
	var limits []string
	for _, l := range reply.Limits {
		below := " "
		if l.Below {
			below = " < "
		}
		limits = append(limits, l.Of+below+strconv.FormatFloat(l.Value, 'f', -1, 64))
	}
	f.Set("limit", strings.Join(limits, ", "))
	return f
}
