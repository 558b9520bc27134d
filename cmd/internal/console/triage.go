package console

import (
	"errors"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/kaphub/kaphub/cmd/internal/people"
	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/exchange"
	"github.com/kaphub/kaphub/fhir/readiness"
	"github.com/kaphub/kaphub/jobs/report"
)

// maxNote is how long a reason or a note may be, in characters.
const maxNote = 500

// triageForm is what somebody types about a finding, and what is wrong with it.
type triageForm struct {
	ID, Seen string // the finding, and its stamp when they looked
	Back     string // where they came from
	After    string // the finding in the row below: the place to come back to when this one's row goes
	Persons  []people.Account

	Reason, Until, Person     string
	Latest, Longest           string // until when it may be snoozed: for the field, and in words
	NoReason, NoUntil, NoName string // what is wrong with each field
	Unseen                    bool   // they do not see what it says: they may give it away, and no more
	Handled                   bool   // there is something to take back
	Picked                    []string
}

// IsPicked reports whether a finding was ticked.
func (f triageForm) IsPicked(id string) bool {
	return slices.ContainsFunc(f.Picked, func(p string) bool { return strings.HasPrefix(p, id+".") })
}

// local is a time as a field of a form takes it.
const local = "2006-01-02T15:04"

// formFor is the form for one finding, with what is likeliest in it: silent up to tomorrow morning.
func (v *visit) formFor(f report.Finding, persons []people.Account, back string) triageForm {
	longest := readiness.LongestSnooze
	if f.Severity == readiness.S1 {
		longest = readiness.LongestUrgentSnooze
	}
	now := v.now.In(v.Zone)
	latest, until := now.Add(longest).Truncate(time.Minute), time.Date(now.Year(), now.Month(), now.Day()+1, 8, 0, 0, 0, v.Zone)
	if until.After(latest) {
		until = latest
	}
	return triageForm{
		ID: f.ID, Seen: f.Stamp(), Back: back, Persons: persons, Until: until.Format(local), Latest: latest.Format(local),
		Longest: spelled(longest), Handled: f.Acknowledged != nil || f.Snoozed != nil || f.Assigned != nil,
		Unseen: unseen(f),
	}
}

// spelled is a limit in words.
func spelled(d time.Duration) string {
	if d <= 48*time.Hour {
		return count(int(d.Hours()), "hour", "hours")
	}
	return count(int(d.Hours()/24), "day", "days")
}

// unseen reports whether the visitor does not see what f says: what one cannot read, one cannot have seen.
func unseen(f report.Finding) bool {
	return ruleShown[f.Code] != whole && (f.Words == forTherapist || f.Words == asks(f.Code))
}

// kinds are what a form may ask for.
var kinds = []readiness.HandlingKind{readiness.Acknowledge, readiness.Snooze, readiness.Assign, readiness.LetGo}

// typed reads a form.
func (v *visit) typed(form triageForm) (triageForm, readiness.Handling, error) {
	if err := v.r.ParseForm(); err != nil {
		return form, readiness.Handling{}, err
	}
	do := readiness.HandlingKind(v.r.PostForm.Get("do"))
	if !slices.Contains(kinds, do) {
		return form, readiness.Handling{}, unreadableForm
	}
	form.Back, form.After = v.r.PostForm.Get("back"), v.r.PostForm.Get("after")
	form.Reason = oneLine(v.r.PostForm.Get("reason"))
	form.Person = oneLine(v.r.PostForm.Get("person"))
	form.Picked = v.r.PostForm["finding"]
	if until := v.r.PostForm.Get("until"); until != "" || do == readiness.Snooze {
		form.Until = until
	}
	if len([]rune(form.Reason)) > maxNote {
		form.NoReason = "It is too long: 500 characters are enough to say why."
	}
	what := readiness.Handling{Kind: do, Reason: form.Reason}
	switch do {
	case readiness.Assign:
		what.Person = form.Person
		if form.Person == "" {
			form.NoName = "Say to whom."
		}
	case readiness.Snooze:
		var err error
		if what.Until, err = v.written(form.Until); err != nil {
			form.NoUntil = "This is no time. Write it like " + v.now.In(v.Zone).AddDate(0, 0, 1).Format(local) + "."
		}
		if form.Reason == "" {
			form.NoReason = "Say why: whoever reads it later wants to know."
		}
	case readiness.LetGo:
		what.Reason = ""
	}
	return form, what, nil
}

// written reads a time as a form has it.
func (v *visit) written(s string) (time.Time, error) {
	s = strings.TrimSpace(s)
	for _, layout := range []string{local, "2006-01-02T15:04:05", "2006-01-02 15:04"} {
		if t, err := time.ParseInLocation(layout, s, v.Zone); err == nil {
			return t.UTC(), nil
		}
	}
	return time.Time{}, errors.New("no time")
}

// oneLine is text without what would break a line.
func oneLine(s string) string {
	return strings.Join(strings.FieldsFunc(s, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) || unicode.Is(unicode.Cf, r) }), " ")
}

var unreadableForm = &refusal{http.StatusBadRequest, "This form cannot be read", "Nothing was saved. Go back, open the page again and send it once more."}

func (f *triageForm) wrong() bool { return f.NoReason != "" || f.NoUntil != "" || f.NoName != "" }

// mayGive answers why a finding must not be given to a person, in words; "" when it may.
func mayGive(to string, f report.Finding, therapists []fhir.Therapist, persons []people.Account) string {
	i := slices.IndexFunc(persons, func(a people.Account) bool { return strings.EqualFold(a.Name, to) })
	switch {
	case i < 0:
		return "Nobody of that name works here. Choose a person of the practice."
	case persons[i].Sight(therapists...) == people.Nothing, readiness.Confided(f.Code) && !persons[i].Confidant(therapists...):
		return persons[i].Name + " does not see this client. Choose somebody who does."
	}
	return ""
}

// inView is a finding as the verdict tells it.
func inView(in report.Input, id string) (f readiness.Finding, of readiness.Verdict, ok bool) {
	for _, c := range in.Clients {
		for _, x := range c.Findings {
			if x.ID == id {
				return x, c, true
			}
		}
	}
	return f, of, false
}

const changedMeanwhile = "It changed while you looked at it. Nothing was saved: this is how it stands now. Look again, then send it once more."

// handleOne keeps what somebody did about one finding.
func (v *visit) handleOne() error {
	in, whole, err := v.meet("")
	if err != nil {
		return err
	}
	persons, err := v.colleagues()
	if err != nil {
		return err
	}
	form, what, err := v.typed(v.formFor(whole.Finding, persons, ""))
	if err != nil {
		return err
	}
	raw, of, ok := inView(in, whole.ID)
	if !ok {
		return strangeFinding
	}
	shown := func(status int, wrong string) error { // once more: that is a look
		in, whole, err := v.meet("view finding")
		if err != nil {
			return err
		}
		return v.showFinding(status, in, whole, form, wrong)
	}
	again := func(wrong string) error { return shown(http.StatusUnprocessableEntity, wrong) }
	switch {
	case form.wrong():
		return again("")
	case v.r.PostForm.Get("seen") != whole.Stamp():
		return shown(http.StatusConflict, changedMeanwhile)
	}
	if what.Kind == readiness.Assign {
		if form.NoName = mayGive(what.Person, whole.Finding, of.Therapists, persons); form.NoName != "" {
			return again("")
		}
	}
	what = about(what, raw, of)
	if why := v.mayHandle(raw, whole.Finding, what); why != "" {
		if what.Kind == readiness.Snooze && raw.State != readiness.Resolved && !form.Unseen {
			form.NoUntil = why
			return again("")
		}
		return again(why)
	}
	if err := v.Triage.Handle(v.ctx(), v.who.Name, what); err != nil {
		if errors.Is(err, exchange.ErrConflict) {
			return shown(http.StatusConflict, "It was resolved meanwhile: nothing is left to do about it.")
		}
		return err
	}
	v.say(done(what.Kind, 1, what, v))
	if back, ours := listed(form.Back); ours {
		place := whole.ID
		if leaves := what.Kind == readiness.Snooze || what.Kind == readiness.Acknowledge && back.Query().Has("unseen"); leaves && findingID.MatchString(form.After) {
			place = form.After
		}
		return v.to(back.String() + "#f-" + place)
	}
	return v.to("/findings/" + whole.ID)
}

// about is what, said of one finding.
func about(what readiness.Handling, f readiness.Finding, of readiness.Verdict) readiness.Handling {
	what.Finding, what.Client, what.Prescriber, what.Severity = f.ID, of.Client, of.Prescriber, f.Severity
	return what
}

// mayHandle says why a visitor must not do this; "" when they may.
func (v *visit) mayHandle(raw readiness.Finding, f report.Finding, what readiness.Handling) string {
	if unseen(f) && (what.Kind == readiness.Acknowledge || what.Kind == readiness.Snooze) {
		return "What it says is for the therapist to see: give it to them."
	}
	if err := raw.MayHandle(what, v.now); err != nil {
		return capital(err.Error()) + "."
	}
	return ""
}

// capital begins a sentence.
func capital(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

// done says what came of it.
func done(kind readiness.HandlingKind, n int, what readiness.Handling, v *visit) string {
	it := "The finding is"
	if n != 1 {
		it = count(n, "finding is", "findings are")
	}
	switch kind {
	case readiness.Acknowledge:
		return it + " acknowledged. The client's state stays as it is."
	case readiness.Snooze:
		return it + " silent until " + what.Until.In(v.Zone).Format("Mon 2 Jan 15:04 MST") + ". The client's state stays as it is."
	case readiness.Assign:
		return it + " assigned to " + what.Person + "."
	}
	return it + " released: it speaks, and is nobody's but its owner's."
}

// handleSeveral acknowledges or assigns what was ticked, all of it or nothing.
func (v *visit) handleSeveral() error {
	form, what, err := v.typed(triageForm{})
	if err != nil {
		return err
	}
	if what.Kind != readiness.Acknowledge && what.Kind != readiness.Assign {
		return unreadableForm
	}
	back, _ := listed(form.Back)
	v.r.URL.RawQuery = back.RawQuery
	again := func(status int, wrong string) error { return v.showFindings(status, form, wrong) }
	switch {
	case form.wrong():
		return again(http.StatusUnprocessableEntity, "")
	case len(form.Picked) == 0:
		return again(http.StatusUnprocessableEntity, "Nothing is ticked. Tick the findings that are meant, then press the button again.")
	}
	in, err := v.look("", "", "")
	if err != nil {
		return err
	}
	persons, err := v.colleagues()
	if err != nil {
		return err
	}
	now := map[string]report.Finding{}
	for _, f := range report.All(in) {
		now[f.ID] = f
	}
	var list []readiness.Handling
	var changed, wrong []string
	for _, picked := range form.Picked {
		id, stamp, _ := strings.Cut(picked, ".")
		raw, of, ok := inView(in, id)
		f := now[id]
		switch {
		case !ok:
			return strangeFinding
		case f.Stamp() != stamp:
			changed = append(changed, f.Code+" of "+f.Client.Name())
			continue
		}
		one := about(what, raw, of)
		why := v.mayHandle(raw, f, one)
		if why == "" && one.Kind == readiness.Assign {
			why = mayGive(one.Person, f, of.Therapists, persons)
		}
		if why != "" {
			wrong = append(wrong, f.Code+" of "+f.Client.Name()+": "+why)
		}
		list = append(list, one)
	}
	switch {
	case len(changed) > 0:
		return again(http.StatusConflict, "Nothing was saved: while you looked, this changed: "+strings.Join(changed, ", ")+". This is how all stand now.")
	case len(wrong) > 0:
		return again(http.StatusUnprocessableEntity, "Nothing was saved. "+strings.Join(wrong, " "))
	}
	if err := v.Triage.Handle(v.ctx(), v.who.Name, list...); err != nil {
		if errors.Is(err, exchange.ErrConflict) {
			return again(http.StatusConflict, "Nothing was saved: one of them was resolved meanwhile. This is how all stand now.")
		}
		return err
	}
	v.say(done(what.Kind, len(list), what, v))
	return v.to(back.String() + "#f-" + list[0].Finding)
}

// findingID is how the id of a finding looks.
var findingID = regexp.MustCompile(`^[A-Za-z0-9_-]{1,80}$`)

// listed is the list from which somebody came, with what they had sought; of any other address, the whole list.
func listed(back string) (*url.URL, bool) {
	u, err := url.Parse(within(back))
	if err != nil || u.Path != "/findings" {
		return &url.URL{Path: "/findings"}, false
	}
	return &url.URL{Path: u.Path, RawQuery: u.Query().Encode()}, true
}
