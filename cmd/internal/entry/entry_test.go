package entry_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kaphub/kaphub/cmd/internal/entry"
	"github.com/kaphub/kaphub/connectors/desk"
	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/exchange"
	"github.com/kaphub/kaphub/fhir/fhirtest"
	"github.com/kaphub/kaphub/fhir/readiness"
)

const day = 24 * time.Hour

// now is a Tuesday, 09:00 in Denver; the session begins two hours later.
var now = time.Date(2026, 3, 3, 16, 0, 0, 0, time.UTC)

var book = desk.Book{
	Practice:   desk.Party{Name: fhir.Practice, Title: "Reverie"},
	Prescriber: desk.Party{Name: fhirtest.Prescriber, Title: "Skylight", Identifier: fhirtest.PrescriberNPI},
	Medicine:   "ketamine lozenge, under the tongue", Zone: fhirtest.Denver,
}

var policy = readiness.Policy{
	Hash:       "one",
	Practice:   readiness.Party{Name: fhir.Practice, Title: "Reverie", Sources: []string{fhirtest.PracticeSource}, Desk: desk.Source(fhir.Practice)},
	Prescriber: readiness.Party{Name: fhirtest.Prescriber, Title: "Skylight", Identifiers: []fhir.ID{fhirtest.PrescriberNPI}, Desk: desk.Source(fhirtest.Prescriber)},
	Zone:       fhirtest.Denver,
	Consents:   []fhir.Code{{System: fhir.SystemKAP, Code: fhir.CodeTreatmentConsent}},
	Sheet:      readiness.Sheet{Deciders: []fhir.ID{fhirtest.DeciderNPI}, ClearanceValidity: readiness.Is(90 * day)},
	Rules:      readiness.DefaultRules(),
}

// client is one of whom the hub knows only what was entered, and the practice's calendar.
type client struct {
	*testing.T
	course   *fhirtest.Course
	versions []fhir.Version
	count    map[fhir.Key]int64
	at       time.Time
}

func arrives(t *testing.T) *client {
	c := fhirtest.Client(now)
	return &client{T: t, course: c, count: map[fhir.Key]int64{}, at: now,
		versions: []fhir.Version{c.DaysBefore(80).PatientHere(), c.DaysBefore(60).Dosing(c.Session)}}
}

func (c *client) about() entry.About {
	links := []fhir.Link{{Client: c.course.Client, Source: fhirtest.PracticeSource, Patient: c.course.Patient, How: "enrolled", Moment: 1, ReadBack: true}}
	for _, source := range []string{desk.Source(fhir.Practice), desk.Source(fhirtest.Prescriber)} {
		links = append(links, fhir.Link{Client: c.course.Client, Source: source, Patient: c.course.Client, How: "identifier", Moment: 1})
	}
	return entry.About{
		Chart:  fhir.NewChart(c.course.Client, fhir.Moment(2000+len(c.versions)), c.versions, links, fhirtest.Sources(c.at), nil),
		Policy: policy, Book: book, Parties: []desk.Party{book.Practice, book.Prescriber}, Now: c.at,
		Deciders: []desk.Person{{Name: "Dr. Imaginary", ID: fhirtest.DeciderNPI}},
	}
}

// by enters a form as somebody, and answers the entry's id.
func (c *client) by(who string, form entry.Form) string {
	c.Helper()
	c.at = c.at.Add(time.Minute)
	a := c.about()
	n, err := a.Note(desk.NewEntry(), desk.Writer{Name: who}, entry.Heard{From: "Dr. Vale"}, false)
	if err != nil {
		c.Fatal(err)
	}
	slips, err := form.Make(a, n)
	if err != nil {
		c.Fatalf("%T: %v", form, err)
	}
	c.receive(slips)
	return n.Entry
}

// receive stores slips as the store would.
func (c *client) receive(slips []exchange.Slip) {
	for _, s := range slips {
		party := fhir.Practice
		if s.Source != desk.Source(fhir.Practice) {
			party = fhirtest.Prescriber
		}
		for _, r := range s.Records {
			key := fhir.Key{Source: s.Source, Type: r.Type, ID: r.ID}
			c.count[key]++
			c.versions = append(c.versions, fhir.Version{Key: key, Party: party, N: c.count[key], Moment: fhir.Moment(1000 + len(c.versions)), Received: s.At, Resource: r})
		}
	}
}

var cleared = entry.Decision{Outcome: "cleared", ValidTo: "31 May 2026"}

var label = entry.Label{NameMatches: "y", Filled: "2026-02-20", DiscardAfter: "none", Sessions: "4", Directions: "One lozenge"}

// Everything that is wrong is said at once, each thing at its answer, and what is only wrong together, too.
func TestWhatIsWrongIsSaidAtItsAnswer(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		form entry.Form
		want string
	}{
		"a decision without an outcome":                 {entry.Decision{}, "outcome"},
		"one that clears, and says nothing of its end":  {entry.Decision{Outcome: "cleared"}, "valid-to"},
		"several at once":                               {entry.Decision{Outcome: "cleared", ValidTo: "soon", Limits: []string{"low"}, Sessions: "often"}, "valid-to limit sessions"},
		"a decider whom the sheet does not list":        {entry.Decision{Outcome: "deferred", Decider: "Dr. No"}, "decider"},
		"an end typed twice, and not the same":          {entry.Decision{Outcome: "cleared", ValidTo: "2026-05-31", ValidToAgain: "2026-05-30"}, "valid-to-again"},
		"an end before the decision":                    {entry.Decision{Outcome: "cleared", ValidTo: "2026-03-01"}, "valid-to"},
		"conditions that are not named":                 {entry.Decision{Outcome: "cleared-with-conditions", ValidTo: "none"}, "condition"},
		"a label that nobody compared":                  {entry.Label{}, "name-matches filled discard-after sessions directions"},
		"a label filled in the future":                  {entry.Label{NameMatches: "y", Filled: "2026-04-01", DiscardAfter: "none", Sessions: "4", Directions: "One lozenge"}, "filled"},
		"the same directions, and none on file":         {entry.Label{NameMatches: "y", Filled: "2026-02-20", DiscardAfter: "none", Sessions: "4", Directions: "same"}, "directions"},
		"a label with another name needs its date only": {entry.Label{NameMatches: "n"}, "filled"},
		"papers":                                    {entry.Papers{Signed: "tomorrow", Release: "y"}, "signed release-to consents"},
		"a release that ends before it begins":      {entry.Papers{Release: "y", ReleaseTo: "2026-01-01", Consents: "n"}, "release-to"},
		"readings that nobody has":                  {entry.Arrival{BP: "76/118", HR: "NaN", Ride: "perhaps"}, "bp hr ride"},
		"a stop that nobody said":                   {entry.Stop{}, "said"},
		"a stop in two lines":                       {entry.Stop{Said: "client", Why: "one\ntwo"}, "why"},
		"a session of a day that is none":           {entry.After{On: "someday"}, "on held"},
		"a dosing session of which nothing is said": {entry.After{Session: "dosing", On: "2026-03-02", Held: "y"}, "at as-directed effects"},
		"a session that began at no hour":           {entry.After{Session: "dosing", On: "2026-03-02", At: "noonish", Held: "y"}, "at as-directed effects"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := arrives(t).about()
			n, err := a.Note(desk.NewEntry(), desk.Writer{Name: "ada"}, entry.Heard{}, false)
			if err != nil {
				t.Fatal(err)
			}
			_, err = tt.form.Make(a, n)
			problems, ok := errors.AsType[entry.Problems](err)
			if !ok {
				t.Fatalf("no problems, but %v", err)
			}
			var at []string
			for _, p := range problems {
				at = append(at, p.Field)
			}
			if got := strings.Join(at, " "); got != tt.want {
				t.Errorf("wrong at %q: %v", got, err)
			}
		})
	}
}

// What is wrong with an entry as a whole names no answer.
func TestWhatCannotBeEnteredAtAll(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		form entry.Form
		want string
	}{
		"a condition, and the clearance has none": {entry.Condition{Met: "y"}, "has no condition"},
		"a stop to lift, and none stands":         {entry.Lift{}, "no such stop stands"},
		"a reason, and no session asks for one":   {entry.Reason{Why: "it was urgent"}, "no session of the client asks"},
		"a session that no calendar has":          {entry.After{Held: "y"}, "no such session is in the calendar"},
		"no paper at all":                         {entry.Papers{Release: "n", Consents: "n"}, "what was signed is missing"},
		"checks, and nothing was asked":           {entry.Arrival{}, "any answer is missing"},
	} {
		a := arrives(t).about()
		n, err := a.Note(desk.NewEntry(), desk.Writer{Name: "ada"}, entry.Heard{}, false)
		if err != nil {
			t.Fatal(err)
		}
		_, err = tt.form.Make(a, n)
		if _, at := errors.AsType[entry.Problems](err); at || err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestWhereverAnEntryCameFromItsDateIsRead(t *testing.T) {
	t.Parallel()
	a := arrives(t).about()
	for name, tt := range map[string]struct {
		heard entry.Heard
		want  string
	}{
		"by a pigeon, tomorrow":  {entry.Heard{Told: "2026-03-04", Medium: "pigeon"}, "medium told"},
		"by telephone, just now": {entry.Heard{Medium: "phone"}, ""},
	} {
		_, err := a.Note(desk.NewEntry(), desk.Writer{Name: "ada"}, tt.heard, false)
		problems, _ := errors.AsType[entry.Problems](err)
		var at []string
		for _, p := range problems {
			at = append(at, p.Field)
		}
		if got := strings.Join(at, " "); got != tt.want {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAFillThatWasCheckedBeforeIsKnownAgain(t *testing.T) {
	t.Parallel()
	c := arrives(t)
	c.by("ada", label)
	check, handed := c.about().Fill("2026-02-20")
	if check == nil || handed == "" {
		t.Fatal("the fill is not known")
	}
	if other, _ := c.about().Fill("2026-02-21"); other != nil {
		t.Error("a fill of another day is taken for it")
	}
	again := label
	again.Directions = "Half a lozenge"
	c.by("ada", again)
	second, since := c.about().Fill("2026-02-20")
	if second.ID != check.ID || since != handed {
		t.Errorf("the second check is of %s, in the client's hands since %s; want %s since %s", second.ID, since, check.ID, handed)
	}
	if rx, words, err := c.about().Directions(); err != nil || rx == nil || words != "Half a lozenge" {
		t.Errorf("directions on file: %q, %v", words, err)
	}
}

func TestStopsStandUntilTheirOwnerLiftsThem(t *testing.T) {
	t.Parallel()
	c := arrives(t)
	theirs := c.by("ada", entry.Stop{Said: entry.SaidPrescriber, Why: "chest pain"})
	ours := c.by("ada", entry.Stop{Said: entry.SaidClient})
	if _, err := c.about().Stop(""); err == nil || !strings.Contains(err.Error(), "2 stops stand") {
		t.Errorf("which one is not asked: %v", err)
	}
	one, err := c.about().Stop(theirs)
	if err != nil || one.Party.Title != "Skylight" || one.Line != "chest pain" {
		t.Errorf("%+v, %v", one, err)
	}
	c.by("ada", entry.Lift{Entry: theirs, Said: entry.SaidPrescriber})
	standing, elsewhere := c.about().Stops()
	if len(standing) != 1 || standing[0].Entry != ours || standing[0].Party.Title != "Reverie" || elsewhere != 0 {
		t.Errorf("%+v, %d elsewhere", standing, elsewhere)
	}
	c.versions = append(c.versions, c.course.On(c.at).Flag("active"))
	if _, elsewhere := c.about().Stops(); elsewhere != 1 {
		t.Errorf("%d stand in other records", elsewhere)
	}
}

func TestOnlyWhoeverSaidStopLiftsIt(t *testing.T) {
	t.Parallel()
	for said, others := range map[string][]string{
		entry.SaidPrescriber: {entry.SaidClient, entry.SaidTherapist, ""}, entry.SaidClient: {entry.SaidTherapist, entry.SaidPrescriber}, entry.SaidTherapist: {entry.SaidClient},
	} {
		c := arrives(t)
		stop := c.by("ada", entry.Stop{Said: said})
		held := readiness.Assess(c.about().Chart, policy, c.at)
		if held.State != readiness.Hold || said == entry.SaidClient && !strings.Contains(held.Words, "Stopped by the client") {
			t.Errorf("the stop of the %s: %s: %s", said, held.State, held.Words)
		}
		lift := func(who string, told string) error {
			n, err := c.about().Note(desk.NewEntry(), desk.Writer{Name: "ada"}, entry.Heard{From: "Somebody", Told: told}, false)
			if err != nil {
				return err
			}
			_, err = entry.Lift{Entry: stop, Said: who}.Make(c.about(), n)
			return err
		}
		for _, other := range others {
			if err := lift(other, ""); err == nil || !strings.Contains(err.Error(), "said") {
				t.Errorf("the stop of the %s is lifted by %q: %v", said, other, err)
			}
		}
		if err := lift(said, c.at.AddDate(0, 0, -1).Format("2006-01-02T15:04")); err == nil || !strings.Contains(err.Error(), "nobody lifted it before") {
			t.Errorf("it is lifted before it was said: %v", err)
		}
		if err := lift(said, ""); err != nil {
			t.Errorf("the %s cannot lift their own stop: %v", said, err)
		}
	}
}

func TestWhatWasEnteredAndHowItStands(t *testing.T) {
	t.Parallel()
	c := arrives(t)
	first := c.by("ada", cleared)
	checked := c.by("ada", label)
	changed := label
	changed.Directions = "Half a lozenge"
	then := c.by("grace", changed)

	var list []string
	for _, e := range entry.List(c.about().Chart, []readiness.Policy{policy}) {
		list = append(list, fmt.Sprintf("%s %s by %s: %s%s", e.ID, e.Kind, e.By, e.UndoneBy, e.ChangedBy))
	}
	want := []string{first + " decision by ada: ", checked + " label by ada: " + then, then + " label by grace: "}
	if !slices.Equal(list, want) {
		t.Errorf("got  %q\nwant %q", list, want)
	}

	waiting := entry.Waiting(c.about().Chart, []readiness.Policy{policy})
	if len(waiting) != 1 || waiting[0].ID != first || waiting[0].Prescriber != policy.Prescriber.Name || !waiting[0].ConfirmBy.After(now) {
		t.Fatalf("waiting: %+v", waiting)
	}
	confirm := func(who string) {
		for _, o := range fhir.Now(c.about().Chart.Observations) {
			if o.ID != "decision-"+strings.TrimPrefix(first, "e-") {
				continue
			}
			slips, err := book.Confirm(desk.Note{Entry: desk.NewEntry(), Client: c.course.Client, By: who, At: c.at}, o.Version)
			if err != nil {
				t.Fatal(err)
			}
			c.receive(slips)
		}
	}
	if confirm("Ada"); len(entry.Waiting(c.about().Chart, []readiness.Policy{policy})) != 1 {
		t.Error("whoever entered it has confirmed it")
	}
	if confirm("grace"); len(entry.Waiting(c.about().Chart, []readiness.Policy{policy})) != 0 {
		t.Error("it still waits")
	}
}

// Whoever typed an entry for somebody else is no second person beside it, and neither is whoever it was typed for, whatever
// they are called by then.
func TestTheSamePersonUnderAnotherName(t *testing.T) {
	t.Parallel()
	for _, r := range []struct {
		name             string
		entered, confirm desk.Writer
		waits            bool
	}{
		{"an account, called otherwise by now", desk.Writer{Name: "Ada Quill", Account: "p-1"}, desk.Writer{Name: "Ada Vance", Account: "p-1"}, true},
		{"who typed it for another", desk.Writer{Name: "Bo", Account: "p-2", Typist: "p-1"}, desk.Writer{Name: "Ada Quill", Account: "p-1"}, true},
		{"somebody else", desk.Writer{Name: "Ada Quill", Account: "p-1"}, desk.Writer{Name: "Bo", Account: "p-2"}, false},
	} {
		c := arrives(t)
		slips, err := cleared.Make(c.about(), desk.Note{Entry: desk.NewEntry(), Client: c.course.Client, At: c.at}.Signed(r.entered))
		if err != nil {
			t.Fatal(err)
		}
		c.receive(slips)
		if got := desk.WriterOf(slips[0]); got != r.entered {
			t.Errorf("%s: entered by %+v", r.name, got)
		}
		if list := entry.List(c.about().Chart, []readiness.Policy{policy}); list[0].By != r.entered.Name {
			t.Errorf("%s: shown as entered by %s", r.name, list[0].By)
		}
		for _, o := range fhir.Now(c.about().Chart.Observations) {
			if strings.HasPrefix(o.ID, "decision-") {
				slips, err = book.Confirm(desk.Note{Entry: desk.NewEntry(), Client: c.course.Client, At: c.at}.Signed(r.confirm), o.Version)
			}
		}
		if err != nil {
			t.Fatal(err)
		}
		c.receive(slips)
		if got := len(entry.Waiting(c.about().Chart, []readiness.Policy{policy})) > 0; got != r.waits {
			t.Errorf("%s: waits %v", r.name, got)
		}
	}
}

// The end typed twice needs nobody else.
func TestAloneTheEndIsTypedTwice(t *testing.T) {
	t.Parallel()
	for name, d := range map[string]entry.Decision{
		"the end as it was given":   {Outcome: "cleared", ValidTo: "31 May 2026", ValidToAgain: "5/31/2026"},
		"none given, as was agreed": {Outcome: "cleared", ValidTo: "none", ValidToAgain: "2026-06-01"},
	} {
		c := arrives(t)
		c.by("ada", d)
		if waits := entry.Waiting(c.about().Chart, []readiness.Policy{policy}); len(waits) != 0 {
			t.Errorf("%s: it waits for a second person", name)
		}
	}
}

func TestSessionsThatAreOver(t *testing.T) {
	t.Parallel()
	c := arrives(t)
	c.versions = append(c.versions,
		c.course.DaysBefore(50).Dosing(now.Add(-10*day), fhirtest.Set("id", "over")),
		c.course.DaysBefore(50).Dosing(now.Add(-3*day), fhirtest.Set("id", "off"), fhirtest.Set("status", "cancelled")),
		c.course.DaysBefore(50).Preparation(now.Add(-20*day)))
	a := c.about()
	var kinds []string
	for _, s := range a.Begun() {
		kinds = append(kinds, s.Kind+" "+s.Start.In(fhirtest.Denver).Format(time.DateOnly))
	}
	if want := []string{"dosing 2026-02-21", "preparation 2026-02-11"}; !slices.Equal(kinds, want) {
		t.Errorf("%q, want %q", kinds, want)
	}
	for name, one := range map[string]struct {
		which  entry.After
		want   string
		booked bool
	}{
		"the day's own":                           {entry.After{On: "2026-02-11"}, "preparation 2026-02-11 " + a.Begun()[1].Start.In(fhirtest.Denver).Format("15:04"), true},
		"one that nobody booked":                  {entry.After{Session: "integration", On: "yesterday"}, "integration 2026-03-02 12:00", false},
		"… at its hour":                           {entry.After{Session: "dosing", On: "yesterday", At: "09:30"}, "dosing 2026-03-02 09:30", false},
		"a booked one that began at another hour": {entry.After{Session: "dosing", On: "2026-02-21", At: "07:10"}, "dosing 2026-02-21 07:10", true},
		"another one of the same day":             {entry.After{Session: "dosing", On: "2026-02-21", At: "07:10", Apart: "y"}, "dosing 2026-02-21 07:10", false},
	} {
		s, booked, err := a.Over(one.which)
		if got := s.Kind + " " + s.Start.In(fhirtest.Denver).Format("2006-01-02 15:04"); err != nil || got != one.want || booked != one.booked {
			t.Errorf("%s: %s, booked %v, %v", name, got, booked, err)
		}
	}
	next, _, ok := a.Next()
	if !ok || !next.Start.Equal(c.course.Session) {
		t.Errorf("the next session is %v", next.Start)
	}
}

func TestTodaysSessionIsOfferedFirst(t *testing.T) {
	t.Parallel()
	c := arrives(t)
	c.versions = append(c.versions, c.course.DaysBefore(50).Preparation(now.Add(-20*day)))
	a := c.about()
	all := a.Lately()
	if i := a.Nearest(all); i < 0 || all[i].Kind != fhir.SessionDosing || !all[i].Start.Equal(c.course.Session) {
		t.Fatalf("nearest is %d of %+v", i, all)
	}
	note, err := a.Note(desk.NewEntry(), desk.Writer{Name: "ada"}, entry.Heard{}, false)
	if err != nil {
		t.Fatal(err)
	}
	held := entry.After{Session: "dosing", On: "today", Held: "y", AsDirected: "y", Effects: "none"}
	if _, err := held.Make(a, note); err == nil || !strings.Contains(err.Error(), "which is to come") {
		t.Errorf("held before the hour for which it is booked, and no hour given: %v", err)
	}
	held.At = now.Add(-time.Hour).In(fhirtest.Denver).Format("15:04")
	slips, err := held.Make(a, note)
	if err != nil {
		t.Fatal(err)
	}
	want := now.Add(-time.Hour).UTC().Format("2006-01-02T15:04")
	if len(slips) != 1 || !slices.ContainsFunc(slips[0].Records, func(r fhir.Resource) bool { return r.Type == "Procedure" && strings.Contains(string(r.Body), want) }) {
		t.Errorf("it is not stored from %s", want)
	}
}

func TestASessionEnteredAsHeldAsksWhy(t *testing.T) {
	t.Parallel()
	c := arrives(t) // never cleared
	c.by("ada", entry.After{Session: "dosing", On: "yesterday", At: "09:30", Held: "y", AsDirected: "y", Effects: "none"})
	list := readiness.Unexplained(c.about().Chart, policy, now)
	if len(list) != 1 || list[0].Type != "Procedure" || list[0].State == string(readiness.Ready) {
		t.Fatalf("asks for a reason: %+v", list)
	}
	found := func() bool {
		return slices.ContainsFunc(readiness.Assess(c.about().Chart, policy, now).Findings, func(f readiness.Finding) bool { return f.Code == "R50" })
	}
	if !found() {
		t.Error("no finding of a dose without clearance")
	}
	c.by("ada", entry.Reason{Why: "the prescriber cleared by phone"})
	if list := readiness.Unexplained(c.about().Chart, policy, now); len(list) != 0 || found() {
		t.Errorf("with the reason on file it still asks: %+v", list)
	}
}

func TestAReplyFillsWhatWasNotWritten(t *testing.T) {
	t.Parallel()
	pasted, err := arrives(t).about().Read("STATUS: cleared-with-conditions\nVALID-TO: 31 Jan 2099\nLIMITS: BP < 140/90\nCONDITIONS: an ECG; bp\nSESSIONS: none\n", nobody)
	r := pasted.Reply
	if err != nil {
		t.Fatal(err)
	}
	d := entry.Decision{ValidTo: "2099-01-30"}
	d.Fill(r)
	if d.Outcome != "cleared-with-conditions" || d.ValidTo != "2099-01-30" || !slices.Equal(d.Limits, []string{"systolic=<140", "diastolic=<90"}) ||
		!slices.Equal(d.Conditions, []string{"an ECG", "bp"}) || d.Sessions != "none" {
		t.Errorf("%+v", d)
	}
	if arrives(t).by("ada", d) == "" {
		t.Error("it is not entered")
	}
	r.NoLimits, r.Limits = true, nil
	none := entry.Decision{}
	if none.Fill(r); !slices.Equal(none.Limits, []string{"none"}) {
		t.Errorf("limits: %q", none.Limits)
	}
}

func TestWhomAWordMeans(t *testing.T) {
	t.Parallel()
	c := arrives(t)
	p, err := fhir.Read[fhir.Patient](c.versions[0].Resource)
	if err != nil {
		t.Fatal(err)
	}
	b := entry.Bearer{Key: "c-abc12345"}.With(&p)
	family, born := *p.Name[0].Family, *p.BirthDate
	day, _ := time.Parse(time.DateOnly, born)
	if b.Born != born || entry.Born(c.about().Chart) != born {
		t.Errorf("born %s", b.Born)
	}
	sought := c.about().Clock().Sought
	for word, want := range map[string]struct{ means, surely bool }{
		family[:3]: {true, false}, family[1:]: {true, false}, strings.ToUpper(family): {true, true}, "nobody": {false, false}, family + " nobody": {false, false},
		"": {true, false}, " ": {true, false}, born: {true, true}, born[:7]: {true, false}, day.Format("2 January 2006"): {true, true}, family + " " + born: {true, true},
		"c-abc": {true, false}, "C-ABC12345": {true, true}, "c-abc12346": {false, false}, *p.Identifier[0].Value: {true, true},
	} {
		if s := sought(word); s.Means(b) != want.means || s.Surely(b) != want.surely {
			t.Errorf("%q means them: %v, surely: %v", word, s.Means(b), s.Surely(b))
		}
	}
	// A name that is spelled otherwise is alike, and no more.
	other, err := fhir.Read[fhir.Patient](fhir.Resource{Type: "Patient", ID: "1", Body: []byte(`{"resourceType":"Patient","id":"1","name":[{"given":["José"],"family":"O'Hara"}]}`)})
	if err != nil {
		t.Fatal(err)
	}
	jose := entry.Bearer{Key: "c-1"}.With(&other)
	for word, surely := range map[string]bool{"josé": true, "Jose": false, "o'hara": true, "ohara": false, "José O'Hara": true} {
		if s := sought(word); !s.Means(jose) || s.Surely(jose) != surely {
			t.Errorf("%q means José: %v, surely: %v", word, s.Means(jose), s.Surely(jose))
		}
	}
}

// Something new is told of the client: for that no session need be booked. Everything else is for one.
func TestWhatIsNewIsToldWithoutASession(t *testing.T) {
	t.Parallel()
	c := arrives(t)
	c.versions = fhirtest.WithoutRecord(c.versions, "Appointment", "dosing-"+c.course.Patient)
	a := c.about()
	note, err := a.Note(desk.NewEntry(), desk.Writer{Name: "ada"}, entry.Heard{}, false)
	if err != nil {
		t.Fatal(err)
	}
	slips, err := entry.Arrival{New: "y", News: "a new medicine"}.Make(a, note)
	if err != nil || len(slips) != 1 || len(slips[0].Records) == 0 || strings.Contains(string(slips[0].Records[0].Body), `"focus"`) {
		t.Errorf("%d slips, %v", len(slips), err)
	}
	for _, w := range []entry.Arrival{{}, {News: "a new medicine"}, {New: "y", BP: "118/76"}, {New: "n", Ride: "y"}, {New: "n", GoAhead: "y"}} {
		if slips, err := w.Make(a, note); err == nil || !strings.Contains(err.Error(), "no dosing session") {
			t.Errorf("%+v: %d slips, %v", w, len(slips), err)
		}
	}
}
