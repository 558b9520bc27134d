package console

import (
	"cmp"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/kaphub/kaphub/cmd/internal/entry"
	"github.com/kaphub/kaphub/cmd/internal/people"
	"github.com/kaphub/kaphub/connectors/desk"
	"github.com/kaphub/kaphub/fhir/readiness"
)

// atTheSession is who reads and acknowledges the directions on a label.
var atTheSession = []people.Role{people.Owner, people.Therapist}

// deskForms are the desk's entries about a client, in the order of a course.
//
//	form                     owner   admin   therapist, of their own clients
//	papers, decision,        yes     yes     yes
//	stop, lift, after, reason
//	condition, label         yes     -       yes        (what the prescriber wrote: conditions, directions)
//
// The checks at arrival and the go-ahead are on the session's card.
var deskForms = []deskKind{
	{Kind: desk.KindStop, Name: "Stop", Says: "They hold for now, or somebody said stop. It holds at once.", may: keeping, stops: true, ask: askStop, read: readStop},
	{Kind: desk.KindPapers, Name: "Signed papers", Says: "A release or consents to treatment; or what was withdrawn. A client who is not referred yet is referred here too.", may: keeping, ask: askPapers, read: readPapers},
	{Kind: desk.KindDecision, Name: "Decision or follow-up", Says: "What the prescriber decided on clearance, or that a follow-up took place. That they hold for now is a stop; that they decided “not yet” is a decision: deferred.", may: keeping, ask: askDecision, read: readDecision},
	{Kind: desk.KindCondition, Name: "Condition of the clearance", Says: "That a condition is met by the prescriber's word, or open again.", may: atTheSession, near: true, stops: true, ask: askCondition, read: readCondition},
	{Kind: desk.KindLabel, Name: "Medicine came: label check", Says: "What the label of the medicine says, in the client's hands. Saving it says that you read its directions.", may: atTheSession, near: true, ask: askLabel, read: readLabel},
	{Kind: desk.KindAfter, Name: "After the session", Says: "Held or not, as directed or not, the effects, what is left.", may: keeping, ask: askAfter, read: readAfter},
	{Kind: desk.KindLift, Name: "End of a stop", Says: "By the word of whoever said it.", may: keeping, ask: askLift, read: readLift},
	{Kind: desk.KindReason, Name: "Reason for a session", Says: "Why a session was held that began while its records were not in order.", may: keeping, ask: askReason, read: readReason},
}

// The answers of yes and no.
func yesNo(yes, no string) []choice {
	return []choice{{Value: "y", Label: yes}, {Value: "n", Label: no}}
}

// choose marks the answer that is usual.
func choose(value string, all []choice) []choice {
	for i := range all {
		all[i].Chosen = all[i].Value == value
	}
	return all
}

// other is the choice of what is none of those offered, and is asked for next.
const other = "other"

// today is the day on which the form is shown, as a browser's calendar wants it.
func today(a entry.About) string { return a.Now.In(a.Clock().Zone).Format(time.DateOnly) }

// told are the fields that say how it came.
func told(label string) []field {
	return []field{
		{Name: "told", Label: label, Kind: "line", Value: "now", Hint: "Now if left empty, or like 16:05, yesterday, 2026-03-02 16:05.", Shy: true},
		{Name: "medium", Label: "It came by", Kind: "choice", Optional: true, Choices: []choice{
			{Value: "e-mail", Label: "E-mail"}, {Value: "phone", Label: "Phone"}, {Value: "letter", Label: "Letter"}, {Value: "in-person", Label: "In person"}, {Value: "portal", Label: "Portal"}}},
	}
}

// folded folds away by what way it came: of these entries nobody has to find the message again.
func folded(told []field) []field {
	for i := range told {
		told[i].Rare = told[i].Name == "medium"
	}
	return told
}

func askStop(a entry.About, _ bool) asked {
	return asked{More: "More: how it came, their name", Fields: slices.Concat([]field{
		{Name: "said", Label: "Who said stop?", Kind: "choice", Choices: []choice{
			{Value: entry.SaidPrescriber, Label: a.Book.Prescriber.Title}, {Value: entry.SaidTherapist, Label: "The therapist"}, {Value: entry.SaidClient, Label: "The client"}}},
	}, folded(told("When?")), []field{
		{Name: "why", Label: "Why, in one line", Kind: "line", Optional: true},
		{Name: "from", Label: "Their name", Kind: "line", Rare: true},
	})}
}

func readStop(_ entry.About, f url.Values) entry.Form {
	return entry.Stop{Said: answer(f, "said"), Why: answer(f, "why")}
}

func askLift(a entry.About, whole bool) asked {
	standing, elsewhere := a.Stops()
	var q asked
	switch {
	case len(standing) == 0 && elsewhere > 0:
		q.Cannot = "The stop was not entered here: it stands in its own system, where whoever wrote it ends it, and the next sync brings that. Remind them; what they told you stands for nothing here until then."
		return q
	case len(standing) == 0:
		q.Cannot = "No stop stands that was entered here. A decision that stops is lifted by a decision that clears."
		return q
	}
	var stops []choice
	for _, s := range standing {
		label := "Said by " + s.Who() + ", entered " + s.Since.In(a.Clock().Zone).Format("Mon 2 Jan 2006 15:04")
		if s.Line != "" && whole {
			label += ": " + s.Line
		}
		stops = append(stops, choice{Value: s.Entry, Label: label, Chosen: len(standing) == 1})
	}
	q.Fields = slices.Concat([]field{
		{Name: "stop", Label: "Which stop?", Kind: "choice", Choices: stops},
		{Name: "said", Label: "Who says that it is over?", Kind: "choice", Choices: []choice{
			{Value: entry.SaidPrescriber, Label: a.Book.Prescriber.Title}, {Value: entry.SaidTherapist, Label: "The therapist"}, {Value: entry.SaidClient, Label: "The client"}},
			Hint: "Only whoever said stop lifts it."},
		{Name: "from", Label: "Their name", Kind: "line", Needed: "always"},
	}, folded(told("When did they say so?")))
	q.More = "More: how it came"
	return q
}

func readLift(_ entry.About, f url.Values) entry.Form {
	return entry.Lift{Entry: answer(f, "stop"), Said: answer(f, "said")}
}

func askPapers(a entry.About, _ bool) asked {
	title := a.Book.Prescriber.Title
	q := asked{Fields: []field{
		{Name: "withdraw", Label: "What happened?", Kind: "choice", Choices: choose("signed", []choice{
			{Value: "signed", Label: "Papers were signed"}, {Value: entry.WithdrawRelease, Label: "The release was withdrawn"},
			{Value: entry.WithdrawTreatment, Label: "The consents to treatment were withdrawn"}, {Value: entry.WithdrawBoth, Label: "Both were withdrawn"}})},
		{Name: "signed", Label: "Signed on", Kind: "date", Value: today(a), Only: "if-signed"},
		{Name: "release", Label: "A release to " + title + "?", Kind: "choice", Choices: yesNo("Signed", "Not this time"), Only: "if-signed"},
		{Name: "release-to", Label: "The release holds to", Kind: "end", NoneLabel: "It names no end", Only: "if-signed if-release"},
		{Name: "consents", Label: "The consents to treatment?", Kind: "choice", Choices: yesNo("Signed", "Not this time"), Only: "if-signed"},
	}}
	if !a.Refers() {
		q.Fields = append(q.Fields, field{Name: "refer", Label: "Refer the client to " + title + "?", Kind: "choice", Choices: choose("n", yesNo("Yes", "No")), Only: "if-signed"})
	}
	for _, f := range told("When was it withdrawn?") {
		f.Only = "if-withdrawn"
		q.Fields = append(q.Fields, f)
	}
	return q
}

func readPapers(_ entry.About, f url.Values) entry.Form {
	w := entry.Papers{Signed: answer(f, "signed"), Release: answer(f, "release"), ReleaseTo: end(f, "release-to"), Consents: answer(f, "consents"), Refer: answer(f, "refer")}
	if what := answer(f, "withdraw"); what != "signed" {
		w.Withdraw = what
	}
	return w
}

func askCondition(a entry.About, _ bool) asked {
	decision, all := readiness.Conditions(a.Chart, a.Policy, a.Now)
	if len(all) == 0 {
		return asked{Cannot: "The clearance that counts names no condition."}
	}
	var which []choice
	for _, c := range all {
		stands := "open"
		if c.Met {
			stands = "recorded as met"
		}
		which = append(which, choice{Value: c.Words, Label: c.Words + " (" + stands + ")", Chosen: len(all) == 1})
	}
	return asked{More: "More: who said so, how it came", Rests: decision.String() + " " + decision.Resource.VersionID, Fields: slices.Concat([]field{
		{Name: "condition", Label: "Which condition?", Kind: "choice", Choices: which},
		{Name: "met", Label: "What does " + a.Book.Prescriber.Title + " say?", Kind: "choice", Choices: yesNo("It is met", "It is open")},
		{Name: "from", Label: "Who said so?", Kind: "line", Rare: true},
	}, folded(told("When did they say so?")))}
}

func readCondition(_ entry.About, f url.Values) entry.Form {
	return entry.Condition{Condition: answer(f, "condition"), Met: answer(f, "met")}
}

func askLabel(a entry.About, _ bool) asked {
	rx, onFile, err := a.Directions()
	if err != nil {
		return asked{Cannot: "The prescription on file cannot be read: ask " + a.Book.Prescriber.Title + " to send it again."}
	}
	bears := "Is the client's legal name on it?"
	if name := readiness.LegalName(a.Chart); name != "" {
		bears = "Is the legal name on it, " + name + "?"
	}
	q := asked{Rests: "none"}
	if rx != nil {
		q.Rests = rx.String() + " " + rx.Resource.VersionID
	}
	q.Fields = []field{
		{Name: "name-matches", Label: bears, Kind: "choice", Choices: yesNo("Yes", "No, another name")},
		{Name: "filled", Label: "Filled on", Kind: "date"},
		{Name: "discard-after", Label: "Discard after", Kind: "end", NoneLabel: "No date on it", Only: "if-named"},
		{Name: "sessions", Label: "Enough for how many sessions?", Kind: "number", Only: "if-named"},
	}
	if rx != nil {
		q.Fields = append(q.Fields, field{Name: "same", Label: "Directions on the label", Kind: "choice", Quote: cmp.Or(onFile, "(directions without words)"),
			Choices: []choice{{Value: entry.Same, Label: "The same, word for word"}, {Value: other, Label: "Others, which are:"}}, Only: "if-named", Leads: "directions"})
	}
	q.Fields = append(q.Fields, field{Name: "directions", Label: "Directions on the label, word for word", Kind: "text", Only: map[bool]string{true: "if-named if-other", false: "if-named"}[rx != nil]})
	return q
}

func readLabel(_ entry.About, f url.Values) entry.Form {
	directions := answer(f, "directions")
	if answer(f, "same") == entry.Same {
		directions = entry.Same
	}
	return entry.Label{NameMatches: answer(f, "name-matches"), Filled: answer(f, "filled"), DiscardAfter: end(f, "discard-after"), Sessions: answer(f, "sessions"), Directions: directions}
}

// lately is how many sessions a form offers.
const lately = 5

// later marks a session that is booked for a later hour of today: at what hour it began has to be said.
const later = " later"

func askAfter(a entry.About, _ bool) asked {
	var which []choice
	zone := a.Clock().Zone
	all := a.Lately()
	if len(all) > lately {
		all = all[:lately]
	}
	nearest := a.Nearest(all)
	for i, s := range all {
		at := s.Start.In(zone)
		today := at.Format(time.DateOnly) == today(a)
		value, label := s.Kind+" "+at.Format("2006-01-02 15:04"), sentence(s.Kind)+", "+at.Format("Mon 2 Jan 2006 15:04")
		switch {
		case !today:
		case s.Start.After(a.Now):
			value, label = value+later, label+" (today, booked for later)"
		default:
			label += " (today)"
		}
		which = append(which, choice{Value: value, Label: label, Chosen: today && i == nearest}) // an older one is not guessed
	}
	which = append(which, choice{Value: other, Label: "One that nobody booked, which is:", Chosen: len(which) == 0})
	var kinds []choice
	for _, kind := range entry.SessionKinds {
		kinds = append(kinds, choice{Value: kind, Label: sentence(kind)})
	}
	return asked{Fields: []field{
		{Name: "which", Label: "Which session?", Kind: "choice", Choices: which, Needed: "always"},
		{Name: "kind", Label: "What was it?", Kind: "choice", Choices: kinds, Only: "if-another", Needed: "which=other"},
		{Name: "on", Label: "On which day?", Kind: "date", Only: "if-another", Needed: "which=other"},
		{Name: "held", Label: "Did it take place?", Kind: "choice", Choices: yesNo("Yes", "No")},
		{Name: "at", Label: "At what hour did it begin?", Hint: "Like 13:30.", Booked: "Left empty: as booked.", Kind: "line", Only: "if-began"},
		{Name: "as-directed", Label: "Dose taken as directed?", Kind: "choice", Choices: yesNo("Yes", "No"), Only: "if-held"},
		{Name: "effects", Label: "Effects", Kind: "choice", Choices: []choice{
			{Value: desk.EffectsNone, Label: "None"}, {Value: desk.EffectsExpected, Label: "Expected, and settled"},
			{Value: desk.EffectsAsk, Label: "Ask the prescriber"}, {Value: desk.EffectsSerious, Label: "Serious: it holds at once"}}, Only: "if-held"},
		{Name: "what", Label: "What happened, in one line", Kind: "line", Optional: true, Only: "if-held"},
		{Name: "left", Label: "Medicine left for how many sessions?", Kind: "number", Optional: true, Only: "if-held"},
	}}
}

func readAfter(_ entry.About, f url.Values) entry.Form {
	w := entry.After{At: answer(f, "at"), Held: answer(f, "held"), AsDirected: answer(f, "as-directed"), Effects: answer(f, "effects"), What: answer(f, "what"), Left: answer(f, "left")}
	switch parts := strings.Fields(answer(f, "which")); {
	case len(parts) >= 3:
		w.Session, w.On, w.Booked = parts[0], parts[1], parts[2]
	default:
		w.Session, w.On, w.Apart, w.Unbooked = answer(f, "kind"), answer(f, "on"), answer(f, another), true
	}
	if w.Held != "y" {
		w.At = ""
	}
	return w
}

func askReason(a entry.About, _ bool) asked {
	var which []choice
	zone := a.Clock().Zone
	for i, b := range readiness.Unexplained(a.Chart, a.Policy, a.Now) {
		stood := "begun while " + b.State
		if b.State == string(readiness.Unknown) {
			stood = "of which it cannot be told how its records stood"
		}
		which = append(which, choice{Value: b.Start.In(zone).Format(time.DateOnly), Label: b.Start.In(zone).Format("Mon 2 Jan 2006 15:04") + ", " + stood, Chosen: i == 0})
	}
	if len(which) == 0 {
		return asked{Cannot: sentence(entry.ErrNoReason.Error()) + "."}
	}
	return asked{Fields: []field{
		{Name: "on", Label: "Which session?", Kind: "choice", Choices: which},
		{Name: "why", Label: "Why was it held, in one line?", Kind: "line", Hint: "The verdict of then stays as it was."},
	}}
}

func readReason(_ entry.About, f url.Values) entry.Form {
	return entry.Reason{On: answer(f, "on"), Why: answer(f, "why")}
}
