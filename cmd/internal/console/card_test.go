package console

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/kaphub/kaphub/cmd/internal/people"
	"github.com/kaphub/kaphub/connectors/desk"
	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/exchange"
	"github.com/kaphub/kaphub/fhir/fhirtest"
	"github.com/kaphub/kaphub/fhir/readiness"
)

const card = "/clients/c-robin/card"

// opened are the fields of a page's form as a browser would send it: what is hidden, and what is filled in.
func opened(t *testing.T, a answerTo, form string) url.Values {
	t.Helper()
	i := strings.Index(a.body, `data-test-id="`+form+`"`)
	if i < 0 {
		t.Fatalf("no form %s in %s", form, a.text())
	}
	part, _, _ := strings.Cut(a.body[i:], "</form>")
	v := url.Values{}
	for _, in := range regexp.MustCompile(`<input [^>]*type="hidden"[^>]*>`).FindAllString(part, -1) {
		name, value := regexp.MustCompile(`name="([^"]*)"`).FindStringSubmatch(in), regexp.MustCompile(`value="([^"]*)"`).FindStringSubmatch(in)
		v.Set(name[1], value[1])
	}
	return v
}

// learns has what is entered stand in the chart, and the client judged with it, as the hub does.
func (w *town) learns(c *fhirtest.Course, versions []fhir.Version) {
	w.tell(c, versions...)
	w.room.learn = func(slips []exchange.Slip) error {
		for _, s := range slips {
			for _, r := range s.Records {
				v := fhir.Version{Key: fhir.Key{Source: s.Source, Type: r.Type, ID: r.ID}, Party: fhir.Practice, N: 1, Moment: fhir.Moment(9000 + len(versions)), Received: s.At, Resource: r}
				versions = append(versions, v)
			}
		}
		chart := c.Chart(versions...)
		chart.Links = append(chart.Links, fhir.Link{Client: "c-robin", Source: desk.Source(fhir.Practice), Patient: "c-robin", How: "key", Moment: 1, ReadBack: true})
		v := readiness.Assess(chart, policy, now)
		v.Client, v.Therapists = "c-robin", []fhir.Therapist{{Name: "Dana"}}
		w.room.charts["c-robin"], w.view.Clients[0] = chart, v
		return nil
	}
}

// arriving is a client in order, whose session begins in two hours.
func arriving(c *fhirtest.Course) []fhir.Version {
	all := append(c.InOrder(), dana(c), c.DaysBefore(3).Goal(fhirtest.Set("target", []any{
		map[string]any{"measure": map[string]any{"coding": []any{map[string]any{"system": fhir.SystemLOINC, "code": fhir.LOINCSystolic}}}, "detailQuantity": map[string]any{"value": 130, "system": fhir.SystemUCUM, "code": "mm[Hg]"}},
		map[string]any{"measure": map[string]any{"coding": []any{map[string]any{"system": fhir.SystemLOINC, "code": fhir.LOINCHeartRate}}}, "detailQuantity": map[string]any{"value": 100, "system": fhir.SystemUCUM, "code": "/min"}},
	})))
	return all
}

func TestTheCardSaysAllThatIsNeededInTheRoom(t *testing.T) {
	w := newTown(t)
	c := robins()
	w.tell(c, arriving(c)...)
	a := w.as(people.Therapist).get(card)
	if a.StatusCode != http.StatusOK {
		t.Fatalf("%d %s", a.StatusCode, w.log.String())
	}
	text := a.text()
	for _, want := range []string{
		"IN-ORDER today 11:00 Records in order; arrival checks pending.", "Session Tue 3 Mar, 11:00 to 13:00 MST, with Dana",
		"systolic pressure up to 130 mmHg (Skylight recorded it on Sat 28 Feb 2026)", "diastolic pressure up to 90 mmHg (per agreement of Sat 10 Jan 2026)",
		"Skylight, if you need them: 303-555-0100", "They are open until 17:00", "At weekends: 303-555-0199 .",
		"One lozenge under the tongue at each session, in the therapist's office", "I give the go-ahead for this session", "There is no override",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the card does not say %q in %s", want, text)
		}
	}
	if strings.Contains(strings.ToLower(a.body), "start anyway") || strings.Contains(a.body, "override</button>") {
		t.Error("there is an override")
	}
}

func TestALimitThatIsNotOnFileSaysSo(t *testing.T) {
	w := newTown(t)
	c := robins()
	w.tell(c, append(c.InOrder(), dana(c))...) // no heart rate on the sheet
	if text := w.as(people.Therapist).get(card).text(); !strings.Contains(text, "No limit of the heart rate is on file: ask the prescriber") {
		t.Error(text)
	}
}

func TestWhatWasLearnedIsRecordedAndJudgedAtOnce(t *testing.T) {
	w := newTown(t)
	c := robins()
	w.learns(c, arriving(c))
	g := w.as(people.Therapist)
	form := opened(t, g.get(card), "checks")
	for field, value := range map[string]string{"bp": "118/76", "hr": "72", "ride": "y", "fasting": "y", "location": "y", "new": "n", "go-ahead": "y"} {
		form.Set(field, value)
	}
	a := g.post(card, form)
	if a.StatusCode != http.StatusSeeOther || !strings.HasPrefix(a.Header.Get("Location"), card) {
		t.Fatalf("%d %s", a.StatusCode, a.text())
	}
	after := g.get(a.Header.Get("Location"))
	if !strings.Contains(after.text(), "READY today 11:00 Records in order; arrival checks and go-ahead recorded 09:00. Not a medical decision") || !strings.Contains(after.text(), "Saved at 09:00: blood pressure 118/76, heart rate 72,") || after.has("no-override") {
		t.Error(after.text())
	}
	// Sent twice, it is entered once.
	if n := len(w.room.slips); n != 1 || w.room.slips[0].Actor != "Ann therapist" || w.room.slips[0].Kind != desk.KindArrival {
		t.Fatalf("%d slips", n)
	}
	g.post(card, form)
	if text := g.get(card).text(); len(w.room.slips) != 1 || !strings.Contains(text, "sent twice, it is entered once") {
		t.Errorf("%d slips; %s", len(w.room.slips), text)
	}
}

func TestAReadingBeyondTheLimitHoldsAtOnce(t *testing.T) {
	w := newTown(t)
	c := robins()
	w.learns(c, arriving(c))
	g := w.as(people.Therapist)
	form := opened(t, g.get(card), "checks")
	form.Set("bp", "136/80")
	g.post(card, form)
	a := g.get(card)
	for _, want := range []string{
		"HOLD today 11:00 09:00 136/80: systolic beyond 130 mmHg (Skylight recorded it on Sat 28 Feb 2026). therapist do not begin; call Skylight",
		"Call Skylight 303-555-0100", "The most recent reading of each counts", "09:00 136/80 , systolic beyond 130 mmHg by Ann therapist",
	} {
		if !strings.Contains(a.text(), want) {
			t.Errorf("the card does not say %q in %s", want, a.text())
		}
	}
	if strings.Contains(a.body, "placeholder=\"1") || !a.has("readings") {
		t.Error("a number that nobody took looks like one that was")
	}
}

func TestWhatIsWrongOnTheCardIsSaidAtItsField(t *testing.T) {
	for name, tt := range map[string]struct {
		field, value, says string
	}{
		"a blood pressure upside down": {"bp", "76/118", "Blood pressure must be two numbers"},
		"a heart rate that is none":    {"hr", "fast", "Heart rate must be a number"},
		"nothing at all":               {"", "", "Nothing is filled in yet"},
		"a session that was moved":     {"session", "ehr/Appointment/other@2026-03-03T18:00:00Z", "The session was moved or changed"},
	} {
		w := newTown(t)
		c := robins()
		w.learns(c, arriving(c))
		g := w.as(people.Therapist)
		form := opened(t, g.get(card), "checks")
		form.Set("ride", map[bool]string{true: "y"}[tt.field != ""])
		if tt.field != "" {
			form.Set(tt.field, tt.value)
		}
		a := g.post(card, form)
		if a.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(a.text(), tt.says) || !a.has("problem") || len(w.room.slips) > 0 {
			t.Errorf("%s: %d, %d slips, %s", name, a.StatusCode, len(w.room.slips), a.text())
		}
		if tt.field == "bp" && (!strings.Contains(a.body, `value="76/118"`) || !strings.Contains(a.body, `aria-invalid="true"`) || !strings.Contains(a.body, `value="y" checked`)) {
			t.Errorf("%s: what was typed is lost", name)
		}
	}
}

// The second key is the session's own therapist's: nobody gives it for them, whatever else they may.
func TestTheGoAheadIsTheSessionsTherapists(t *testing.T) {
	w := newTown(t)
	c := robins()
	w.learns(c, arriving(c))
	owner := w.as(people.Owner)
	a := owner.get(card)
	if a.has("go-ahead") || !a.has("not-your-go") {
		t.Error("an owner is offered the go-ahead")
	}
	form := opened(t, a, "checks")
	form.Set("go-ahead", "y")
	if a := owner.post(card, form); a.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(a.text(), "The go-ahead is Dana's to give") || len(w.room.slips) > 0 {
		t.Errorf("%d %s", a.StatusCode, a.text())
	}
	if a := w.as(people.Owner, people.Therapist).get(card); !a.has("go-ahead") {
		t.Error("an owner who is the session's therapist is not offered it")
	}
}

func TestDirectionsAreAcknowledgedAsTheyWereRead(t *testing.T) {
	w := newTown(t)
	c := robins()
	all := fhirtest.WithoutRecord(append(c.InOrder(), dana(c)), "Observation", "acknowledged-p1")
	w.learns(c, all)
	g := w.as(people.Therapist)
	a := g.get(card)
	if !strings.Contains(a.text(), "are not acknowledged") {
		t.Fatal(a.text())
	}
	form := opened(t, a, "acknowledge")
	stale := url.Values{"with": form["with"], "entry": form["entry"], "digest": {"of others"}}
	if a := g.post(card+"/directions", stale); a.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(a.text(), "The directions changed while you read") || len(w.room.slips) > 0 {
		t.Errorf("others: %d %s", a.StatusCode, a.text())
	}
	g.post(card+"/directions", form)
	if text := g.get(card).text(); !strings.Contains(text, "Dose and instructions acknowledged on Tue 3 Mar 2026") || len(w.room.slips) != 1 || w.room.slips[0].Kind != desk.KindAcknowledge {
		t.Errorf("%d slips: %s", len(w.room.slips), text)
	}
}

// There is no override: a session that begins while not READY asks why, at once, and the verdict of then stays (R50).
func TestASessionThatBeganWhileNotReadyAsksWhy(t *testing.T) {
	w := newTown(t)
	c := robins()
	c.Session = now.Add(-30 * time.Minute)
	all := append(c.InOrder(), dana(c))
	w.learns(c, all)
	began := fhir.Began{Prescriber: fhirtest.Prescriber, Key: fhir.Key{Source: fhirtest.PracticeSource, Type: "Appointment", ID: "dosing-p1"}, Start: c.Session, State: "NOT-READY", Moment: 500}
	chart := w.room.charts["c-robin"]
	chart.Began = []fhir.Began{began}
	w.room.charts["c-robin"] = chart
	g := w.as(people.Therapist)
	a := g.get(card)
	if !a.has("began") || !strings.Contains(a.text(), "The session of 08:30 began while the verdict was NOT-READY") {
		t.Fatal(a.text())
	}
	form := opened(t, a, "began")
	if a := g.post(card+"/reason", form); a.StatusCode != http.StatusUnprocessableEntity || !a.has("wrong") || len(w.room.slips) > 0 {
		t.Errorf("without a reason: %d", a.StatusCode)
	}
	form.Set("why", "The ride came late, the client was settled")
	if a := g.post(card+"/reason", form); a.StatusCode != http.StatusSeeOther || len(w.room.slips) != 1 || w.room.slips[0].Kind != desk.KindReason {
		t.Fatalf("with one: %d, %d slips", a.StatusCode, len(w.room.slips))
	}
	if !strings.Contains(fmt.Sprint(string(w.room.slips[0].Records[1].Body)), "The ride came late") {
		t.Error("the reason is not in what was kept")
	}
	form.Set("session", "ehr/Appointment/none")
	if a := g.post(card+"/reason", form); a.StatusCode != http.StatusSeeOther || len(w.room.slips) != 1 {
		t.Errorf("for no session: %d", a.StatusCode)
	}
}

// A client tells of a new medicine between two sessions: it is kept, and shown, though none is booked.
func TestWhatIsNewIsRecordedThoughNoSessionIsBooked(t *testing.T) {
	w := newTown(t)
	c := robins()
	w.learns(c, fhirtest.WithoutRecord(arriving(c), "Appointment", "dosing-"+c.Patient))
	g := w.as(people.Therapist)
	a := g.get(card)
	if a.has("go-ahead") || !a.has("new") || strings.Contains(a.body, `name="bp"`) {
		t.Fatalf("without a session it asks\n%s", a.text())
	}
	form := opened(t, a, "checks")
	form.Set("new", "y")
	form.Set("news", "clonazepam since Sunday")
	a = g.post(card, form)
	if a.StatusCode != http.StatusSeeOther || len(w.room.slips) != 1 {
		t.Fatalf("%d, %d slips: %s", a.StatusCode, len(w.room.slips), a.text())
	}
	if text := g.get(a.Header.Get("Location")).text(); !strings.Contains(text, "something is new: “clonazepam since Sunday”") || !strings.Contains(text, "NOT-READY") || !strings.Contains(text, "ask whether the clearance holds") {
		t.Error(text)
	}
	form = opened(t, g.get(card), "checks")
	form.Set("bp", "118/76")
	if a := g.post(card, form); a.StatusCode != http.StatusUnprocessableEntity || len(w.room.slips) != 1 {
		t.Errorf("a reading for no session: %d, %d slips", a.StatusCode, len(w.room.slips))
	}
}

func TestNobodyButTheirTherapistAndTheOwnerHasTheCard(t *testing.T) {
	w := newTown(t)
	c := robins()
	w.tell(c, arriving(c)...)
	for _, role := range []people.Role{people.Admin, people.Privacy, people.Reader, people.Operator} {
		if a := w.as(role).get(card); a.StatusCode != http.StatusForbidden || strings.Contains(a.body, "lozenge") {
			t.Errorf("%s: %d", role, a.StatusCode)
		}
	}
	// An admin who treats others sees how this client's records stand, and no dose of theirs.
	g := w.as(people.Admin, people.Therapist)
	account := w.people["p-admin"]
	account.Therapist = "Lee"
	w.people["p-admin"] = account
	for _, path := range []string{card, "/clients/c-robin/disclosures.csv"} {
		if a := g.get(path); a.StatusCode != http.StatusForbidden || strings.Contains(a.body, "lozenge") {
			t.Errorf("%s: %d", path, a.StatusCode)
		}
	}
	if a := g.post(card, url.Values{"with": {"skylight"}, "ride": {"y"}}); a.StatusCode != http.StatusForbidden || len(w.room.slips) > 0 {
		t.Errorf("they enter: %d", a.StatusCode)
	}
	if a := g.get("/clients/c-robin"); a.StatusCode != http.StatusOK || strings.Contains(a.body, "lozenge under") || !a.has("apart") {
		t.Errorf("the client's page: %d", a.StatusCode)
	}
}

// Each reading of the day stays on the card, with its hour and whose it is, also when the last one is within the limit.
func TestEachReadingOfTheDayStaysOnTheCard(t *testing.T) {
	w := newTown(t)
	c := robins()
	w.learns(c, arriving(c))
	g := w.as(people.Therapist)
	for _, bp := range []string{"136/92", "118/76"} {
		form := opened(t, g.get(card), "checks")
		form.Set("bp", bp)
		g.post(card, form)
	}
	text := g.get(card).text()
	if !strings.Contains(text, "09:00 136/92 , systolic beyond 130 mmHg, diastolic beyond 90 mmHg by Ann therapist") || !strings.Contains(text, "09:00 118/76 by Ann therapist") {
		t.Error(text)
	}
}

// Why a session must not begin is told in the words of whoever stopped it, and whom to call by who must act.
func TestTheCardSaysWhyAndWhomToCall(t *testing.T) {
	stop := func(c *fhirtest.Course) fhir.Version {
		return c.DaysBefore(1).Flag("active", fhirtest.Set("code.text", "Hold: wait for the <cardiology> letter"))
	}
	for name, tt := range map[string]struct {
		chart func(c *fhirtest.Course) []fhir.Version
		says  []string
		never []string
		calls bool
	}{
		"a stop of the prescriber's": {
			func(c *fhirtest.Course) []fhir.Version { return append(arriving(c), stop(c)) },
			[]string{"HOLD today 11:00 Skylight recorded a stop on Mon 2 Mar 2026: “Hold: wait for the <cardiology> letter”.", "therapist do not begin until Skylight lifts it", "Call Skylight 303-555-0100", "What was prescribed before"},
			[]string{"if you need them", "Directions, word for word", "cardiology> letter” wrote"}, true,
		},
		"in order": {arriving, []string{"Skylight, if you need them: 303-555-0100"}, []string{"Call Skylight", "prescribed before"}, false},
		"a clearance withdrawn": {
			func(c *fhirtest.Course) []fhir.Version {
				return append(arriving(c), c.DaysBefore(1).Clearance(fhir.DecisionWithdrawn, c.Day(-1), c.Day(40), fhirtest.Set("id", "w")))
			},
			[]string{"HOLD today 11:00 Skylight withdrew the clearance on Mon 2 Mar 2026.", "therapist do not begin; speak with Skylight Call Skylight 303-555-0100"}, []string{"Stopped by"}, true,
		},
		"a decision that cannot be read": {
			func(c *fhirtest.Course) []fhir.Version {
				return append(arriving(c), c.DaysBefore(1).Clearance("perhaps", c.Day(-1), c.Day(40), fhirtest.Set("id", "p")))
			},
			[]string{"UNKNOWN today 11:00 Cannot tell: The decision of Skylight of Mon 2 Mar 2026 cannot be read. practice ask Skylight for the decision Call Skylight 303-555-0100"}, []string{"Clearance: The decision"}, true,
		},
		"no release any more": {
			func(c *fhirtest.Course) []fhir.Version {
				return fhirtest.WithoutRecord(arriving(c), "Consent", "release-p1")
			},
			[]string{"Tell the practice’s admin ( 303-555-0140 ).", "have the client sign a release Tell the practice’s admin ( 303-555-0140 ). Until a release stands, nothing of the client may be told Skylight", "Skylight, but not about this client: 303-555-0100"}, []string{"Call Skylight"}, true,
		},
	} {
		w := newTown(t)
		c := robins()
		w.tell(c, tt.chart(c)...)
		a := w.as(people.Therapist).get(card)
		for _, want := range tt.says {
			if !strings.Contains(a.text(), want) {
				t.Errorf("%s: the card does not say %q in %s", name, want, a.text())
			}
		}
		for _, never := range tt.never {
			if strings.Contains(a.text(), never) {
				t.Errorf("%s: the card says %q", name, never)
			}
		}
		if a.has("call") != tt.calls {
			t.Errorf("%s: somebody is to be called or told: %v", name, a.has("call"))
		}
	}
}

// What is new has a line; it stays on the card, with what was said of it since, and stands in the practice's own record.
func TestWhatIsNewIsKeptInALine(t *testing.T) {
	w := newTown(t)
	c := robins()
	w.learns(c, arriving(c))
	g := w.as(people.Therapist)
	answer := func(is, line string) answerTo {
		form := opened(t, g.get(card), "checks")
		form.Set("new", is)
		form.Set("news", line)
		return g.post(card, form)
	}
	if a := answer("", "A new blood thinner"); a.StatusCode != http.StatusUnprocessableEntity || !a.has("wrong") || !strings.Contains(a.body, `value="A new blood thinner"`) {
		t.Errorf("a line without an answer: %d %s", a.StatusCode, a.text())
	}
	answer("y", "A new blood thinner")
	if body := string(w.room.slips[0].Records[1].Body); !strings.Contains(body, `"note":[{"text":"A new blood thinner"}]`) {
		t.Error(body)
	}
	if text := g.get(card).text(); !strings.Contains(text, "Something is new since the clearance. Ann therapist wrote: “A new blood thinner”") ||
		!strings.Contains(text, "Call Skylight 303-555-0100") || !strings.Contains(text, "09:00 Ann therapist: something is new: “A new blood thinner”") || !strings.Contains(text, "or what Skylight said of it") {
		t.Error(text)
	}
}

// Before their window opens the arrival checks are not asked; whether anything is new, and a stop, can always be said.
func TestBeforeTheWindowOnlyWhatIsNeverTooEarlyIsAsked(t *testing.T) {
	w := newTown(t)
	c := robins()
	c.Session = now.Add(50 * time.Hour)
	w.learns(c, append(c.InOrder(), dana(c)))
	g := w.as(people.Therapist)
	a := g.get(card)
	if text := a.text(); !strings.Contains(text, "Arrival checks are asked from Wed 4 Mar 11:00 on; a reading entered before then does not count.") || strings.Contains(a.body, `name="bp"`) ||
		strings.Contains(a.body, `name="go-ahead"`) || !strings.Contains(a.body, "/desk/stop") {
		t.Error(text)
	}
	form := opened(t, a, "checks")
	form.Set("new", "y")
	form.Set("news", "A fall on Sunday")
	g.post(card, form)
	if text := g.get(card).text(); !strings.Contains(text, "NOT-READY Thu 5 Mar 11:00") || !strings.Contains(text, "wrote: “A fall on Sunday”") {
		t.Error(text)
	}
}

func TestTheGoAheadSaysByWhomAndWhen(t *testing.T) {
	w := newTown(t)
	c := robins()
	w.learns(c, arriving(c))
	g := w.as(people.Therapist)
	form := opened(t, g.get(card), "checks")
	form.Set("go-ahead", "y")
	g.post(card, form)
	if a := g.get(card); !strings.Contains(a.text(), "✓ Go-ahead given on Tue 3 Mar 2026 09:00 by Dana") || a.has("go-ahead") {
		t.Error(a.text())
	}
}

// Whoever opened another's client with a reason looks, and may say stop: they enter no check, acknowledge no directions and say
// not why it began; nor does somebody who sees every client by another role of theirs.
func TestNobodyEntersTheChecksOfAnothersClient(t *testing.T) {
	for name, roles := range map[string][]people.Role{"in need": {people.Therapist}, "a reader too": {people.Reader, people.Therapist}} {
		w := newTown(t)
		c := robins()
		w.tell(c, arriving(c)...)
		dana := w.as(people.Therapist)
		form := opened(t, dana.get(card), "checks")
		form.Set("bp", "120/80")
		if a := dana.post(card, form); a.StatusCode != http.StatusSeeOther || len(w.room.slips) == 0 {
			t.Fatalf("the client's own therapist: %d %s", a.StatusCode, a.body)
		}
		w.room.slips = nil
		lee := w.as(roles...)
		account := w.people["p-"+string(roles[0])]
		account.Therapist = "Lee"
		w.people[account.ID] = account
		w.open[account.ID] = []exchange.Glass{{Client: "c-robin", Until: now.Add(time.Hour)}}
		if a := lee.get(card); a.StatusCode != http.StatusOK || !a.has("guest") || a.has("checks") || a.has("acknowledge") || a.has("began") {
			t.Errorf("%s: the card is answered %d, or asks for what is not theirs to say", name, a.StatusCode)
		}
		for _, path := range []string{card, card + "/directions", card + "/reason"} {
			if a := lee.post(path, form); a.StatusCode != http.StatusForbidden || len(w.room.slips) != 0 {
				t.Errorf("%s: %s is answered %d, %d entered", name, path, a.StatusCode, len(w.room.slips))
			}
		}
	}
}
