package console

import (
	"cmp"
	"errors"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/kaphub/kaphub/cmd/internal/entry"
	"github.com/kaphub/kaphub/connectors/desk"
	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/exchange"
	"github.com/kaphub/kaphub/fhir/readiness"
	"github.com/kaphub/kaphub/jobs/report"
)

// cardEntry is how the id of an entry looks: the form brings its own, so that sending it twice enters nothing twice.
var cardEntry = regexp.MustCompile(`^e-[0-9a-z]{8}$`)

// notToEnter is answered to somebody who opened another's client with a reason.
var notToEnter = &refusal{http.StatusForbidden, "This is for the client's therapist to enter", "You opened somebody else's client: you may look, and say stop. Nothing was saved."}

// about is what an entry about the client is made of, for somebody who may make one in the session room.
func (v *visit) about(prescriber string) (entry.About, error) {
	if err := v.sees(); err != nil {
		return entry.About{}, err
	}
	if !v.whole {
		return entry.About{}, notTheirs
	}
	switch theirs, err := v.theirs(v.client); {
	case err != nil:
		return entry.About{}, err
	case !theirs:
		return entry.About{}, notToEnter
	}
	return v.Room.About(v.ctx(), "", v.client, prescriber)
}

// learn saves what was found at the client's arrival.
func (v *visit) learn() error {
	if err := v.r.ParseForm(); err != nil {
		return err
	}
	form := v.r.PostForm
	f := checks{With: form.Get("with"), Entry: form.Get("entry"), Session: form.Get("session"), wrong: map[string]string{}, Arrival: entry.Arrival{
		BP: form.Get("bp"), HR: form.Get("hr"), Ride: form.Get("ride"), Fasting: form.Get("fasting"), Location: form.Get("location"), New: form.Get("new"), News: form.Get("news"), GoAhead: form.Get("go-ahead"),
	}}
	if !cardEntry.MatchString(f.Entry) {
		f.Entry = desk.NewEntry()
	}
	about, err := v.about(f.With)
	if err != nil {
		return err
	}
	wrong := func(list ...problem) error {
		for _, p := range list {
			f.wrong[p.Field] = p.Text
		}
		return v.card(f.With, f, problem{}, list)
	}
	next, _, _ := about.Next()
	own, may := v.mayGo(about.Treating(next))
	switch {
	case f.Session != sessionKey(next):
		return wrong(problem{"session", "The session was moved or changed while you wrote. Look at it, and send the checks again."})
	case f.GoAhead != "" && !may:
		return wrong(problem{"go-ahead", "The go-ahead is " + about.Whose(next) + "'s to give."})
	}
	f.Giver = own
	note, err := about.Note(f.Entry, desk.Writer(v.who.Hand()), entry.Heard{}, false)
	if err != nil {
		return err
	}
	slips, err := f.Make(about, note)
	if list, ok := errors.AsType[entry.Problems](err); ok {
		var all []problem
		for _, p := range list {
			all = append(all, problem{p.Field, ended(fieldNames[p.Field] + " " + p.Err.Error())})
		}
		return wrong(all...)
	}
	if err != nil {
		return wrong(problem{"bp", "Nothing is filled in yet: answer what you found, and leave out what was not asked."})
	}
	return v.learned(f.With, f.Entry, f.told(), slips)
}

// told is what was entered, in words: whoever entered it sees that it is what they meant.
func (c checks) told() string {
	var all []string
	say := func(answer, yes, no string) {
		switch answer, err := entry.Yes(answer); {
		case err != nil:
		case *answer:
			all = append(all, yes)
		default:
			all = append(all, no)
		}
	}
	if c.BP != "" {
		all = append(all, "blood pressure "+strings.Join(strings.Fields(c.BP), ""))
	}
	if c.HR != "" {
		all = append(all, "heart rate "+strings.TrimSpace(c.HR))
	}
	say(c.Ride, "the ride home is arranged", "the ride home is not arranged")
	say(c.Fasting, "fasting was kept", "fasting was not kept")
	say(c.Location, "the client is where the session is to be", "the client is not where the session is to be")
	say(c.New, "something is new", "nothing is new")
	if line := strings.TrimSpace(c.News); line != "" {
		all = append(all, "“"+line+"”")
	}
	say(c.GoAhead, "the go-ahead is given", "no go-ahead")
	return strings.Join(all, ", ")
}

var fieldNames = map[string]string{"bp": "Blood pressure", "hr": "Heart rate", "ride": "The ride home", "fasting": "Fasting", "location": "The location", "new": "Anything new", "news": "The line", "go-ahead": "The go-ahead"}

func ended(s string) string { return strings.TrimSuffix(strings.TrimSpace(s), ".") + "." }

// learned saves slips, of which what says what they are, and shows the card with the new verdict.
func (v *visit) learned(with, id, what string, slips []exchange.Slip) error {
	at := v.now.In(v.Zone).Format("15:04")
	saved, err := v.Room.Enter(v.ctx(), v.who.Name, slips)
	switch {
	case errors.Is(err, exchange.ErrConflict):
		v.say("This was saved already as " + id + ": sent twice, it is entered once.")
	case err != nil:
		return err
	case saved.Later:
		v.say("Saved at " + at + ": " + what + ". It comes in with the next sync: the verdict below is from before.")
	default:
		line := "Saved at " + at + ": " + what + "."
		for _, c := range seen(report.Input{Clients: saved.Verdicts}, v.who, v.client).Clients {
			if c.Prescriber == with {
				line += " Now " + string(c.State) + "."
			}
		}
		v.say(line)
	}
	return v.to("/clients/" + v.client + "/card?" + url.Values{"with": {with}}.Encode())
}

// acknowledge saves that the therapist read the directions: the very ones that were shown.
func (v *visit) acknowledge() error {
	if err := v.r.ParseForm(); err != nil {
		return err
	}
	form := v.r.PostForm
	with := form.Get("with")
	about, err := v.about(with)
	if err != nil {
		return err
	}
	id := form.Get("entry")
	if !cardEntry.MatchString(id) {
		id = desk.NewEntry()
	}
	note, err := about.Note(id, desk.Writer(v.who.Hand()), entry.Heard{}, false)
	if err != nil {
		return err
	}
	slips, err := entry.Acknowledged{Digest: cmp.Or(form.Get("digest"), "none")}.Make(about, note)
	if errors.Is(err, entry.ErrOtherDirections) {
		return v.card(with, checks{}, problem{}, []problem{{"directions", "The directions changed while you read. Read these, and acknowledge them."}})
	}
	if err != nil {
		return err
	}
	return v.learned(with, id, "you have read the directions", slips)
}

// beganWhy saves why a session began while its records were not in order. There is no override: the verdict of then stays
// beside the reason (R50).
func (v *visit) beganWhy() error {
	if err := v.r.ParseForm(); err != nil {
		return err
	}
	form := v.r.PostForm
	with, why := form.Get("with"), form.Get("why")
	about, err := v.about(with)
	if err != nil {
		return err
	}
	list := readiness.Beginning(about.Chart, about.Policy, about.Now)
	i := slices.IndexFunc(list, func(b fhir.Began) bool { return b.String() == form.Get("session") })
	if i < 0 {
		v.say("No session asks for a reason any more.")
		return v.to("/clients/" + v.client + "/card?" + url.Values{"with": {with}}.Encode())
	}
	id := form.Get("entry")
	if !cardEntry.MatchString(id) {
		id = desk.NewEntry()
	}
	note, err := about.Note(id, desk.Writer(v.who.Hand()), entry.Heard{}, false)
	if err != nil {
		return err
	}
	slips, err := about.Book.Reason(note, list[i].Key, why)
	if err != nil {
		return v.card(with, checks{}, problem{"why", "Say why in one line, of at most 300 letters."}, nil)
	}
	return v.learned(with, id, "why it began", slips)
}
