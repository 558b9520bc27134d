package console

import (
	"context"
	"errors"
	"fmt"
	"html"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kaphub/kaphub/cmd/internal/entry"
	"github.com/kaphub/kaphub/cmd/internal/people"
	"github.com/kaphub/kaphub/connectors/desk"
	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/exchange"
	"github.com/kaphub/kaphub/fhir/fhirtest"
	"github.com/kaphub/kaphub/fhir/readiness"
	"github.com/kaphub/kaphub/jobs/report"
)

// room is what the town keeps of its clients.
type room struct {
	charts  map[string]fhir.Chart
	sent    []exchange.Recorded
	told    []exchange.Telling
	lines   []exchange.Line
	crowds  []exchange.Crowd
	glasses []exchange.Glass
	slips   []exchange.Slip
	learn   func([]exchange.Slip) error
	wrong   *BadMoment
	begins  time.Time
}

// sheet is what Skylight agreed with Reverie.
var sheet = readiness.Sheet{
	Signed: readiness.Day{Year: 2026, Month: 1, Day: 10}, Deciders: []fhir.ID{fhirtest.DeciderNPI}, ClearanceValidity: readiness.Is(90 * 24 * time.Hour),
	FollowUp: readiness.None[time.Duration](), DoseInterval: readiness.None[time.Duration](), SessionCap: readiness.None[int](), Preparations: readiness.Is(1),
	Systolic: readiness.Is(readiness.Limit{Value: 140, Unit: "mm[Hg]"}), Diastolic: readiness.Is(readiness.Limit{Value: 90, Unit: "mm[Hg]"}),
	OfficeOnly: readiness.None[bool](), StatesNotServed: readiness.None[[]string](), LeadDays: readiness.None[int](), SessionFacts: readiness.None[int](),
	Phone: "303-555-0100", WeekendPhone: "303-555-0199",
	Hours: readiness.Hours{Zone: denver, Open: map[time.Weekday][2]time.Duration{time.Tuesday: {9 * time.Hour, 17 * time.Hour}}},
}

var policy = readiness.Policy{
	Hash: "one", Zone: denver, Sheet: sheet, Rules: readiness.DefaultRules(), Credentials: readiness.None[[]readiness.Credential](),
	Practice:   readiness.Party{Name: fhir.Practice, Title: "Reverie", Sources: []string{fhirtest.PracticeSource}, Desk: desk.Source(fhir.Practice)},
	Prescriber: readiness.Party{Name: fhirtest.Prescriber, Title: "Skylight", Sources: []string{fhirtest.PrescriberSource}, Identifiers: []fhir.ID{fhirtest.PrescriberNPI}, Desk: desk.Source(fhirtest.Prescriber)},
	Consents:   []fhir.Code{{System: fhir.SystemKAP, Code: fhir.CodeTreatmentConsent}},
}

// robins is Robin's course so far; the session is Dana's, in two hours.
func robins() *fhirtest.Course {
	c := fhirtest.Client(now)
	c.Client = "c-robin"
	return c
}

func dana(c *fhirtest.Course) fhir.Version {
	return c.DaysBefore(10).Dosing(c.Session, fhirtest.Set("participant.1.actor.display", "Dana"))
}

// tell makes versions all that is known of Robin, and the verdict what they come to.
func (w *town) tell(c *fhirtest.Course, versions ...fhir.Version) {
	w.t.Helper()
	chart := c.Chart(versions...)
	chart.Client = "c-robin"
	v := readiness.Assess(chart, policy, now)
	v.Client, v.Therapists, v.Findings = "c-robin", []fhir.Therapist{{Name: "Dana"}}, readiness.Track(nil, v.Findings, now)
	w.room.charts = map[string]fhir.Chart{"c-robin": chart}
	w.view.Clients[0] = v
}

func (w *town) Client(ctx context.Context, by, what, client, asOf string) (Dossier, error) {
	if w.room.wrong != nil && asOf != "" {
		return Dossier{}, w.room.wrong
	}
	in, err := w.Look(ctx, by, what, client, asOf)
	return Dossier{View: in, Chart: w.room.charts[client], Policies: map[string]readiness.Policy{fhirtest.Prescriber: policy, "aurora": policy}, Sent: w.room.sent, Told: w.room.told}, err
}

func (w *town) Begins(context.Context) (time.Time, error) { return w.room.begins, nil }

func (w *town) Changed(ctx context.Context, by, client, from, to string) (report.ChangesInput, error) {
	if w.room.wrong != nil {
		return report.ChangesInput{}, w.room.wrong
	}
	in, err := w.Look(ctx, by, "changes", client, from+" "+to)
	before := in
	before.AsOf, before.Clients = in.AsOf.AddDate(0, 0, -1), nil
	return report.ChangesInput{Client: client, Before: before, After: in}, err
}

func (w *town) Disclosed(ctx context.Context, by, client, form, _, _ string) (report.AccountingInput, error) {
	if w.room.wrong != nil {
		return report.AccountingInput{}, w.room.wrong
	}
	in, err := w.Look(ctx, by, "disclosures "+form, client, "")
	return report.AccountingInput{Generated: now, From: now.AddDate(-6, 0, 0), To: now, Practice: "Reverie", Client: client, Chosen: in.Clients[0].Chosen, Zone: denver,
		Sent: w.room.sent, Told: w.room.told}, err
}

func (w *town) About(_ context.Context, _, client, prescriber string) (entry.About, error) {
	chart, ok := w.room.charts[client]
	if !ok || prescriber != fhirtest.Prescriber {
		return entry.About{}, exchange.ErrNotFound
	}
	book := desk.Book{Practice: desk.Party{Name: fhir.Practice, Title: "Reverie"}, Prescriber: desk.Party{Name: fhirtest.Prescriber, Title: "Skylight"}, Zone: denver}
	return entry.About{Chart: chart, Policy: policy, Book: book, Now: now}, nil
}

func (w *town) Enter(_ context.Context, by string, slips []exchange.Slip) (Saved, error) {
	if slices.ContainsFunc(w.room.slips, func(s exchange.Slip) bool { return s.Entry == slips[0].Entry }) {
		return Saved{}, exchange.ErrConflict
	}
	w.looks = append(w.looks, by+"|entered|"+slips[0].Client+"|"+slips[0].Kind)
	w.room.slips = append(w.room.slips, slips...)
	if w.room.learn != nil {
		return Saved{}, w.room.learn(slips)
	}
	return Saved{}, nil
}

func (w *town) Looked(_ context.Context, client string, before int64, limit int) (out []exchange.Line, _ error) {
	for _, l := range slices.Backward(w.room.lines) {
		if l.Subject == client && (before == 0 || l.Seq < before) && len(out) < limit {
			out = append(out, l)
		}
	}
	return out, nil
}

func (w *town) Crowded(context.Context, string, time.Time, *time.Location) ([]exchange.Crowd, error) {
	return w.room.crowds, nil
}

func (w *town) Glasses(context.Context, time.Time) ([]exchange.Glass, error) {
	return w.room.glasses, nil
}

func (w *town) BreakGlass(_ context.Context, who people.Account, client, reason string) (exchange.Glass, error) {
	if len(reason) < 8 {
		return exchange.Glass{}, people.ErrReason
	}
	g := exchange.Glass{ID: "g-1", Account: who.ID, Client: client, Reason: reason, Actor: who.Name, From: now, Until: now.Add(time.Hour)}
	w.room.glasses = append(w.room.glasses, g)
	w.open[who.ID] = append(w.open[who.ID], g)
	return g, nil
}

// count is how often an element of a data-test-id stands on the page.
func (a answerTo) count(id string) int { return strings.Count(a.body, `data-test-id="`+id+`"`) }

// text is the page's text.
func (a answerTo) text() string {
	text := regexp.MustCompile(`<[^>]*>`).ReplaceAllString(a.body, " ")
	return strings.Join(strings.Fields(html.UnescapeString(text)), " ")
}

func TestAClientsPageShowsEveryGateAndWhatItRestsOn(t *testing.T) {
	w := newTown(t)
	c := robins()
	all := append(c.InOrder(), dana(c))
	w.tell(c, append(all, c.On(now.Add(-30*time.Minute)).Arrival()...)...)
	a := w.as(people.Therapist).get("/clients/c-robin")
	if a.StatusCode != http.StatusOK {
		t.Fatalf("%d %s", a.StatusCode, w.log.String())
	}
	if got := a.count("gate"); got != len(readiness.Gates()) {
		t.Errorf("%d gates are shown", got)
	}
	says := a.text()
	for _, want := range []string{"Juniper Invented-p1", "Born 29 February 1988", "Skylight recorded cleared on", "One lozenge under the tongue", "systolic: 118 mmHg", "Recorded Mon 12 Jan 09:00, read by the hub",
		"ehr/Consent/release-p1 version 1", "in order ", "Sessions’ worth", "Go-ahead open"} {
		if !strings.Contains(says, want) {
			t.Errorf("the page does not say %q in %s", want, says)
		}
	}
	if !slices.Contains(w.looks, "Ann therapist|client|c-robin|") {
		t.Errorf("nobody noted the look: %q", w.looks)
	}
	// The name that the papers bear stands where it is found out who is who, and nowhere else.
	if n := strings.Count(says, "Testa Inventedsson"); n == 0 || n > 2 {
		t.Errorf("the legal name is told %d times", n)
	}
	if i := strings.Index(says, "Everything received and sent"); strings.Contains(says[i:], "Testa") {
		t.Error("the timeline tells the legal name")
	}
}

// What a gate waits for is entered from where it is told: by whoever may, and never into the past.
func TestAnOpenGateLeadsToTheFormThatAnswersIt(t *testing.T) {
	w := newTown(t)
	c := robins()
	w.tell(c, slices.DeleteFunc(append(c.InOrder(), dana(c)), func(v fhir.Version) bool { return v.Type == "MedicationDispense" || v.Type == "Consent" })...)
	label, papers := "/clients/c-robin/desk/label?prescriber="+fhirtest.Prescriber, "/clients/c-robin/desk/papers?prescriber="+fhirtest.Prescriber
	for _, tt := range []struct {
		as            people.Role
		path          string
		label, papers bool
	}{
		{people.Therapist, "", true, true}, {people.Owner, "", true, true}, {people.Admin, "", false, true}, {people.Reader, "", false, false}, {people.Privacy, "", false, false},
		{people.Therapist, "?as-of=2026-03-03", false, false},
	} {
		a := w.as(tt.as).get("/clients/c-robin" + tt.path)
		if got := [2]bool{strings.Contains(a.body, `href="`+label+`"`), strings.Contains(a.body, `href="`+papers+`"`)}; a.StatusCode != http.StatusOK || got != [2]bool{tt.label, tt.papers} {
			t.Errorf("%s%s is answered %d; label check and papers are led to: %v", tt.as, tt.path, a.StatusCode, got)
		}
	}
}

func TestTheTimelineIsPagedNewestFirst(t *testing.T) {
	w := newTown(t)
	c := robins()
	versions := append(c.InOrder(), dana(c))
	for i := range 50 {
		versions = append(versions, c.On(now.Add(time.Duration(i-60)*time.Minute)).BloodPressure(100+i, 60, fhirtest.Set("id", fmt.Sprint("bp-", i))))
	}
	w.tell(c, versions...)
	w.room.told = []exchange.Telling{{ID: "t-1", Client: "c-robin", Party: "skylight", How: "phone", What: "a safety call", Purpose: "safety", By: "Ann", At: now.Add(-time.Second)}}
	g := w.as(people.Owner)
	first := g.get("/clients/c-robin")
	if first.count("event") != eventsAPage || !first.has("older") {
		t.Errorf("%d events, older: %v", first.count("event"), first.has("older"))
	}
	says := first.text()
	if says = says[strings.Index(says, "Everything received"):]; strings.Index(says, "a safety call") > strings.Index(says, "systolic: 149 mmHg") {
		t.Error("the newest is not the first")
	}
	if says := w.as(people.Admin).get("/clients/c-robin").text(); !strings.Contains(says, "Told") || strings.Contains(says, "a safety call") {
		t.Error("an admin reads what somebody told, or not that they did")
	}
	second := g.get("/clients/c-robin?page=2")
	if second.count("event") == 0 || second.has("older") || strings.Contains(second.text(), "a safety call") {
		t.Errorf("%d events on the second page", second.count("event"))
	}
	for _, odd := range []string{"99", "-3", "x"} {
		if a := g.get("/clients/c-robin?page=" + odd); a.StatusCode != http.StatusOK || a.count("event") == 0 {
			t.Errorf("page %s: %d, %d events", odd, a.StatusCode, a.count("event"))
		}
	}
}

func TestATimeThatCannotBeReadIsSaidAtItsField(t *testing.T) {
	w := newTown(t)
	c := robins()
	w.tell(c, append(c.InOrder(), dana(c))...)
	g := w.as(people.Owner)
	w.room.wrong = &BadMoment{Field: "as-of", Err: errors.New(`this "soon" is no time`)}
	for _, path := range []string{"/clients/c-robin?as-of=soon", "/clients/c-robin/changes?from=soon", "/clients/c-robin/disclosures?from=soon"} {
		if strings.Contains(path, "disclosures") {
			continue // it asks again without
		}
		a := g.get(path)
		if a.StatusCode != http.StatusOK || !a.has("wrong") || !strings.Contains(a.body, `value="soon"`) || !strings.Contains(a.body, "aria-invalid") {
			t.Errorf("%s: %d, at the field: %v", path, a.StatusCode, a.has("wrong"))
		}
	}
}

func TestContactsAreShownAsTheClientAskedForThem(t *testing.T) {
	w := newTown(t)
	c := robins()
	all := append(c.InOrder(), dana(c))
	who := c.DaysBefore(1).PatientHere(fhirtest.Set("telecom", []any{
		map[string]any{"system": "email", "value": "robin@example.org"}, map[string]any{"system": "phone", "value": "303-555-0177", "use": "old"},
		map[string]any{"system": "sms", "value": "303-555-0188", "use": "mobile", "rank": 1},
	}), fhirtest.Set("extension", []any{map[string]any{"url": fhir.ExtensionPronouns, "extension": []any{map[string]any{"url": "value", "valueCodeableConcept": map[string]any{"text": "they/them"}}}}}))
	w.tell(c, append(all, who)...)
	a := w.as(people.Admin).get("/clients/c-robin")
	says := a.text()
	contacts := says[strings.Index(says, "How the client may be reached"):strings.Index(says, "Everything received")]
	if !strings.Contains(contacts, "Text message 303-555-0188 (mobile) asked for first E-mail robin@example.org") || strings.Contains(contacts, "0177") {
		t.Error(contacts)
	}
	if !strings.Contains(says, "Juniper Invented-p1 they/them") {
		t.Error("the pronouns are not shown beside the name")
	}
}

func TestWhatChangedIsComparedInWords(t *testing.T) {
	w := newTown(t)
	c := robins()
	w.tell(c, append(c.InOrder(), dana(c))...)
	a := w.as(people.Therapist).get("/clients/c-robin/changes")
	if a.StatusCode != http.StatusOK || !a.has("changed") || !strings.Contains(a.text(), "It had not been judged before") {
		t.Errorf("%d %s", a.StatusCode, a.text())
	}
}

func TestDisclosuresAreForTheClientAndWholeOrNotAtAll(t *testing.T) {
	w := newTown(t)
	c := robins()
	w.tell(c, append(c.InOrder(), dana(c))...)
	w.room.told = []exchange.Telling{{ID: "t-1", Client: "c-robin", Party: "skylight", Recipient: "Dr. Vale", How: "phone", What: "=cmd|a reading of 181", Purpose: "safety", By: "Ann", At: now.Add(-time.Hour)}}
	for _, role := range []people.Role{people.Owner, people.Privacy, people.Reader, people.Therapist} {
		g := w.as(role)
		if a := g.get("/clients/c-robin/disclosures"); !strings.Contains(a.text(), "a reading of 181") || !a.has("csv") || a.has("not-for-print") {
			t.Errorf("%s: %s", role, a.text())
		}
		csv := g.get("/clients/c-robin/disclosures.csv")
		if csv.Header.Get("Content-Disposition") != `attachment; filename="disclosures-c-robin.csv"` || !strings.Contains(csv.body, "'=cmd|a reading of 181") {
			t.Errorf("%s: %v %s", role, csv.Header, csv.body)
		}
	}
	if a := w.as(people.Admin).get("/clients/c-robin/disclosures"); strings.Contains(a.text(), "181") || !a.has("not-for-print") || !a.has("disclosure") || a.has("csv") {
		t.Errorf("an admin: %s", a.text())
	}
}

func TestWhoLookedIsForWhoOversees(t *testing.T) {
	w := newTown(t)
	c := robins()
	w.tell(c, append(c.InOrder(), dana(c))...)
	for i := range 60 {
		w.room.lines = append(w.room.lines, exchange.Line{Seq: int64(i + 1), At: now, Actor: "Lee", Action: "view client", Subject: "c-robin", Detail: "g-1"})
	}
	w.room.glasses = []exchange.Glass{{ID: "g-1", Client: "c-robin", Actor: "Lee", Reason: "Dana is ill", From: now, Until: now.Add(time.Hour)}, {ID: "g-2", Client: "c-kim", Reason: "of another"}}
	w.room.crowds = []exchange.Crowd{{Actor: "Ann", Action: "print board", First: now.Add(-time.Hour), Last: now, Times: 3}}
	a := w.as(people.Privacy).get("/clients/c-robin/looks")
	if !strings.Contains(a.text(), "Tue 3 Mar Ann print board 3 times, last 09:00") {
		t.Errorf("who printed the board is not told: %s", a.text())
	}
	if a.count("look") != linesAPage || a.count("glass") != 1 || strings.Contains(a.body, "of another") || !strings.Contains(a.body, "before=11") {
		t.Errorf("%d lines, %d reasons", a.count("look"), a.count("glass"))
	}
	if a := w.as(people.Privacy).get("/clients/c-robin/looks?before=11"); a.count("look") != 10 {
		t.Errorf("%d lines on the second page", a.count("look"))
	}
}

func TestAClientWhoIsNotOnesOwnIsOpenedWithAReason(t *testing.T) {
	w := newTown(t)
	c := robins()
	w.tell(c, append(c.InOrder(), dana(c))...)
	w.room.charts["c-kim"] = w.room.charts["c-robin"]
	g := w.as(people.Therapist)
	bare := func(a answerTo, key string) string { return strings.ReplaceAll(a.body, key, "") }
	other, none := g.get("/clients/c-kim"), g.get("/clients/c-nobody")
	if other.StatusCode != http.StatusNotFound || none.StatusCode != other.StatusCode || bare(other, "c-kim") != bare(none, "c-nobody") || !other.has("glass") {
		t.Errorf("%d and %d tell them apart, or offer nothing", other.StatusCode, none.StatusCode)
	}
	short := url.Values{"reason": {" x  "}}
	other, none = g.post("/clients/c-kim/glass", short), g.post("/clients/c-nobody/glass", short)
	if other.StatusCode != http.StatusUnprocessableEntity || !other.has("wrong") || bare(other, "c-kim") != bare(none, "c-nobody") {
		t.Errorf("without a reason: %d, %d", other.StatusCode, none.StatusCode)
	}
	if a := g.post("/clients/c-kim/glass", url.Values{"reason": {"Lee is ill, I stand in"}}); a.StatusCode != http.StatusSeeOther || a.Header.Get("Location") != "/clients/c-kim" {
		t.Errorf("with a reason: %d %s", a.StatusCode, a.body)
	}
	if a := g.get("/clients/c-kim"); a.StatusCode != http.StatusOK || !strings.Contains(a.text(), "You may see this client for an hour") || a.count("gate") != 0 {
		t.Errorf("after it: %d", a.StatusCode)
	}
	if len(w.room.glasses) != 1 || w.room.glasses[0].Reason != "Lee is ill, I stand in" {
		t.Errorf("kept: %+v", w.room.glasses)
	}
	if a := w.as(people.Reader).get("/clients/c-nobody"); a.has("glass") {
		t.Error("a reader is offered to open whom nobody knows")
	}
}

// A client with two prescribers has a section of each, and a card of each: the one whose session is next is shown first.
func TestEachPrescriberHasASectionOfItsOwn(t *testing.T) {
	w := newTown(t)
	c := robins()
	w.tell(c, arriving(c)...)
	other := w.view.Clients[0]
	other.Prescriber, other.Appointment, other.State, other.Words = "aurora", nil, readiness.Hold, "Stopped by Aurora on Sun 1 Mar 2026"
	w.view.Clients = append(w.view.Clients, other)
	w.view.Titles["aurora"] = "Aurora"
	g := w.as(people.Therapist)
	a := g.get("/clients/c-robin")
	if a.count("engagement") != 2 || a.count("verdict") != 2 || !strings.Contains(a.text(), "HOLD with Aurora Stopped by Aurora") {
		t.Errorf("%d sections, %d verdicts", a.count("engagement"), a.count("verdict"))
	}
	if a := g.get(card); !strings.Contains(a.text(), "IN-ORDER today 11:00 with Skylight") || !strings.Contains(a.body, `href="/clients/c-robin/card?with=aurora"`) {
		t.Error(a.text())
	}
	if a := g.get(card + "?with=aurora"); !strings.Contains(a.text(), "HOLD with Aurora") {
		t.Error(a.text())
	}
	if a := g.get(card + "?with=nobody"); a.StatusCode != http.StatusNotFound {
		t.Errorf("a card with nobody: %d", a.StatusCode)
	}
}

// Somebody who asks for a time before the first record is told so, first, and is shown nothing that they could take for it.
func TestATimeBeforeTheFirstRecordShowsNothingOfToday(t *testing.T) {
	w := newTown(t)
	c := robins()
	w.tell(c, append(c.InOrder(), dana(c))...)
	w.room.begins = now.Add(-90 * time.Minute)
	w.room.wrong = &BadMoment{Field: "as-of", Err: errors.New("nothing was known then: the hub's records begin on 2026-03-03 07:30 MST")}
	a := w.as(people.Owner).get("/clients/c-robin?as-of=2026-02-20T09:00")
	says := a.text()
	if !a.has("refused-moment") || a.has("verdict") || a.has("gate") || a.has("event") || a.has("client-links") || strings.Index(a.body, "records begin on") > strings.Index(a.body, "<h1") {
		t.Error(says)
	}
	if !strings.Contains(a.body, `min="2026-03-03T07:30" max="2026-03-03T09:00"`) || !strings.Contains(a.body, `href="/clients/c-robin?as-of=first"`) {
		t.Error(a.body)
	}
	w.room.wrong = nil
	past := w.as(people.Owner).get("/clients/c-robin?as-of=@12")
	says = past.text()
	if !past.has("past") || !strings.Contains(says, "As it was known on Tuesday 3 March 2026, 09:00 MST") || strings.Index(past.body, `data-test-id="past"`) > strings.Index(past.body, "<h1") || !strings.Contains(past.body, `value="2026-03-03T09:00"`) {
		t.Error(says)
	}
	if strings.Index(past.body, `data-test-id="as-of-form"`) > strings.Index(past.body, `data-test-id="engagement"`) {
		t.Error("another time is chosen below everything")
	}
	// On a hub that began today nothing can have changed since yesterday.
	if a := w.as(people.Owner).get("/clients/c-robin"); !strings.Contains(a.body, "changes?from=first") || !strings.Contains(a.text(), "What changed since the first record") {
		t.Error(a.text())
	}
	if a := w.as(people.Owner).get("/clients/c-robin/changes"); !slices.Contains(w.looks, "Ann owner|changes|c-robin|first ") || a.has("wrong") {
		t.Errorf("%q", w.looks)
	}
}
