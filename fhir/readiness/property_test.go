package readiness_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/fhirtest"
	"github.com/kaphub/kaphub/fhir/readiness"
)

// life is one client's chart as chance made it.
type life struct {
	course   *fhirtest.Course
	versions []fhir.Version
	sources  []fhir.SourceState
	links    []fhir.Link
	rejects  []fhir.Reject
	policy   readiness.Policy
	now      time.Time
	story    []string
	lasting  bool // nothing that was told is dropped
}

func (l *life) chart() fhir.Chart {
	vs := slices.Clone(l.versions)
	slices.SortStableFunc(vs, func(a, b fhir.Version) int { return cmp.Compare(a.Moment, b.Moment) })
	return fhir.NewChart(l.course.Client, fhir.Moment(len(vs)), vs, l.links, l.sources, l.rejects)
}

func (l *life) assess() readiness.Verdict { return readiness.Assess(l.chart(), l.policy, l.now) }

func (l *life) note(format string, args ...any) {
	l.story = append(l.story, fmt.Sprintf(format, args...))
}

// blameless begins a life in which nothing is wrong.
func blameless() *life {
	c := fhirtest.Client(now)
	return &life{course: c, versions: c.Blameless(), sources: fhirtest.Sources(now), links: c.Links(), policy: policy(), now: now}
}

var decisions = []string{
	fhir.DecisionCleared, fhir.DecisionConditions, fhir.DecisionDeferred, fhir.DecisionNotCleared, fhir.DecisionWithdrawn, "never-heard-of",
}

// happen lets one thing happen, recorded and received at a time of its own.
func (l *life) happen(t *rapid.T) {
	c := l.course
	c.On(l.now.Add(-time.Duration(rapid.IntRange(0, 3*24*60).Draw(t, "minutes ago")) * time.Minute))
	tell := func(v fhir.Version) { l.versions = append(l.versions, v) }
	id := func() fhirtestEdit {
		return fhirtest.Set("id", fmt.Sprintf("more-%d", len(l.versions)))
	}
	what := rapid.SampledFrom([]string{
		"nothing", "drop", "gone", "status", "remove", "clearance", "clearance again", "flag", "event", "task", "move", "dose",
		"taken", "pressure", "check", "go-ahead", "consent", "release", "fulfilment", "another session", "performer", "focus", "fill",
	}).Draw(t, "what")
	l.note("%s at %s", what, c.At.Format(time.RFC3339))
	switch what {
	case "drop":
		if l.lasting {
			return
		}
		i := rapid.IntRange(0, len(l.versions)-1).Draw(t, "which")
		l.note("  %s", l.versions[i].Key)
		l.versions = slices.Delete(l.versions, i, i+1)
	case "gone":
		v := rapid.SampledFrom(l.versions).Draw(t, "which")
		c.On(now.Add(-time.Duration(rapid.IntRange(0, 60).Draw(t, "gone minutes ago")) * time.Minute))
		tell(c.Gone(v, "deleted"))
		l.note("  %s", v.Key)
	case "status":
		l.again(t, "status", rapid.SampledFrom([]any{
			"active", "inactive", "draft", "final", "amended", "preliminary", "entered-in-error", "cancelled", "revoked", "on-hold",
			"completed", "stopped", "booked", "fulfilled", "noshow", "rejected", "unknown", "in-progress",
		}).Draw(t, "status"))
	case "remove":
		l.again(t, rapid.SampledFrom([]string{
			"effectivePeriod.end", "effectivePeriod", "performer", "valueCodeableConcept", "valueBoolean", "valueString", "issued", "focus",
			"provision.period.end", "provision.actor", "birthDate", "name", "start", "serviceType", "code", "whenHandedOver", "quantity",
			"authorizingPrescription", "dosageInstruction", "medicationCodeableConcept", "component", "participant",
		}).Draw(t, "element"), nil)
	case "clearance", "clearance again":
		end := rapid.IntRange(-40, 40).Draw(t, "end")
		edits := []fhirtestEdit{}
		if what == "clearance" {
			edits = append(edits, id())
		}
		if rapid.Bool().Draw(t, "with a condition") {
			edits = append(edits, fhirtest.Set("component", []any{fhirtest.Condition("ECG")}))
		}
		tell(c.Clearance(rapid.SampledFrom(decisions).Draw(t, "decision"), c.Day(min(end, rapid.IntRange(-50, 5).Draw(t, "start"))), c.Day(end), edits...))
	case "flag":
		tell(c.Flag(rapid.SampledFrom([]string{"active", "inactive", "entered-in-error"}).Draw(t, "flag")))
	case "event":
		tell(c.AdverseEvent(rapid.SampledFrom([]string{fhir.CodeSerious, fhir.CodeAskPrescriber, fhir.CodeExpected, "mild"}).Draw(t, "grade")))
	case "task":
		tell(c.Task(rapid.SampledFrom([]string{"requested", "accepted", "rejected", "completed", "cancelled", "failed", "on-hold"}).Draw(t, "task")))
	case "move":
		at := c.Session.Add(time.Duration(rapid.IntRange(-72, 72).Draw(t, "hours")) * time.Hour)
		tell(c.Dosing(at, fhirtest.Set("status", rapid.SampledFrom([]string{"booked", "arrived", "cancelled", "fulfilled", "pending"}).Draw(t, "booking"))))
	case "dose":
		tell(c.Prescription(fhirtest.Set("dosageInstruction.0.text", "Two lozenges"), fhirtest.Set("status", rapid.SampledFrom([]string{"active", "stopped", "on-hold"}).Draw(t, "rx"))))
	case "taken":
		tell(c.Administration(c.At, rapid.IntRange(1, 2).Draw(t, "lozenges"), id()))
	case "fill":
		v := c.Dispense(id(), fhirtest.Set("quantity.value", rapid.IntRange(1, 6).Draw(t, "quantity")), good(c.Day(rapid.IntRange(-5, 30).Draw(t, "good for"))))
		if rapid.Bool().Draw(t, "seen on the label") {
			v = c.Told(fhirtest.PracticeSource, fhir.Practice, string(v.Resource.Body), fhirtest.Set("meta", nil), fhirtest.Set("subject.reference", "Patient/"+c.Patient))
		}
		tell(v)
	case "pressure":
		tell(c.BloodPressure(rapid.IntRange(90, 200).Draw(t, "systolic"), rapid.IntRange(50, 120).Draw(t, "diastolic"), id()))
	case "check":
		tell(c.Check(rapid.SampledFrom([]string{fhir.CodeRide, fhir.CodeFasting, fhir.CodeLocation, fhir.CodeNewInformation}).Draw(t, "check"), rapid.Bool().Draw(t, "answer"), id()))
	case "go-ahead":
		tell(c.GoAhead(fhirtest.Set("valueBoolean", rapid.Bool().Draw(t, "yes"))))
	case "consent":
		tell(c.TreatmentConsent(id(), fhirtest.Set("status", rapid.SampledFrom([]string{"active", "inactive", "rejected", "draft"}).Draw(t, "consent"))))
	case "release":
		tell(c.Release(id(), fhirtest.Set("status", rapid.SampledFrom([]string{"active", "inactive"}).Draw(t, "release")),
			fhirtest.Set("provision.type", rapid.SampledFrom([]string{"permit", "deny"}).Draw(t, "type"))))
	case "fulfilment":
		tell(c.Fulfilment(rapid.SampledFrom([]string{fhir.FulfilmentShipped, fhir.FulfilmentDelivered, fhir.FulfilmentReturned, fhir.FulfilmentAddress}).Draw(t, "state")))
	case "another session":
		tell(c.Dosing(c.Session.Add(time.Duration(rapid.IntRange(-200, 400).Draw(t, "hours away"))*time.Hour), id()))
	case "performer":
		l.again(t, "performer", []any{map[string]any{"identifier": map[string]any{"system": fhir.SystemNPI, "value": "1999999999"}}})
	case "focus":
		l.again(t, "focus", []any{map[string]any{"reference": "Appointment/another"}})
	}
}

type fhirtestEdit = fhir.Edit

// again tells some record's next version with one element changed; one that the gate refuses is not told.
func (l *life) again(t *rapid.T, path string, value any) {
	v := rapid.SampledFrom(l.versions).Draw(t, "which")
	if v.Gone {
		return
	}
	body, err := fhir.Apply(v.Resource.Body, fhirtest.Set(path, value), fhirtest.Set("meta", nil))
	if err != nil {
		return
	}
	if _, err := fhir.Parse(body, v.Type); err != nil {
		return
	}
	l.note("  %s %s=%v", v.Key, path, value)
	l.versions = append(l.versions, l.course.Told(v.Source, v.Party, string(body)))
}

// suffer lets something happen to how the records are read, or to what is agreed.
func (l *life) suffer(t *rapid.T) {
	what := rapid.SampledFrom([]string{"well", "well", "well", "stale", "incomplete", "never", "not read back", "reject", "not asked", "none set", "time"}).Draw(t, "suffers")
	l.note("%s", what)
	switch what {
	case "stale":
		l.sources[rapid.IntRange(0, 1).Draw(t, "source")].LastComplete = now.AddDate(0, 0, -rapid.IntRange(1, 9).Draw(t, "days"))
	case "incomplete":
		l.sources[rapid.IntRange(0, 1).Draw(t, "source")].Complete = false
	case "never":
		l.sources = slices.Delete(l.sources, 0, 1)
	case "not read back":
		l.links[rapid.IntRange(0, 1).Draw(t, "link")].ReadBack = false
	case "reject":
		l.rejects = append(l.rejects, fhir.Reject{ID: "r1", Source: fhirtest.PracticeSource})
	case "not asked":
		s := &l.policy.Sheet
		*rapid.SampledFrom([]*readiness.Answer{&s.Systolic.Answer, &s.Preparations.Answer, &s.FollowUp.Answer, &s.SessionCap.Answer, &s.OfficeOnly.Answer}).Draw(t, "line") = readiness.NotAsked
	case "none set":
		s := &l.policy.Sheet
		*rapid.SampledFrom([]*readiness.Answer{&s.Systolic.Answer, &s.Preparations.Answer, &s.FollowUp.Answer, &s.SessionCap.Answer, &s.OfficeOnly.Answer}).Draw(t, "line") = readiness.NoneSet
	case "time":
		l.now = now.Add(time.Duration(rapid.IntRange(-72*60, 72*60).Draw(t, "minutes later")) * time.Minute)
	}
}

func lived(t *rapid.T) *life {
	l := blameless()
	for range rapid.IntRange(0, 4).Draw(t, "events") {
		l.happen(t)
	}
	l.suffer(t)
	return l
}

// Whatever happens to a chart, READY means what the laws say it means. Written against the laws, not against Assess.
func TestReadyIsReady(t *testing.T) {
	ready := 0
	rapid.Check(t, func(t *rapid.T) {
		l := lived(t)
		v := l.assess()
		if v.State != readiness.Ready {
			return
		}
		ready++
		if why := wrongly(l, v); why != "" {
			t.Fatalf("READY, but %s\n%v", why, l.story)
		}
	})
	if ready == 0 && !testing.Short() { // in short, chance has too few tries
		t.Error("chance never made a ready client: the property says nothing")
	}
}

// wrongly says why v must not be READY; "" when it may.
func wrongly(l *life, v readiness.Verdict) string {
	newest, said := map[fhir.Key]fhir.Version{}, map[fhir.Key]fhir.Version{} // how it stands, and what it said last by the owner's clock
	for _, x := range l.versions {
		was, ok := said[x.Key]
		switch {
		case x.Gone:
			newest[x.Key] = x
		case !ok || !x.Recorded().Before(was.Recorded()):
			said[x.Key], newest[x.Key] = x, x
		}
	}
	state := map[string]fhir.SourceState{}
	for _, s := range l.sources {
		state[s.Name] = s
	}
	if len(v.Gates) != len(readiness.Gates()) {
		return "a gate is missing"
	}
	for i, g := range v.Gates {
		if g.Name != readiness.Gates()[i] || g.State != readiness.Met {
			return fmt.Sprintf("gate %s is %s", g.Name, g.State)
		}
		if len(g.Because) == 0 && g.Agreed == "" {
			return fmt.Sprintf("gate %s rests on nothing", g.Name)
		}
		for _, b := range g.Because {
			x, ok := newest[fhir.Key{Source: b.Source, Type: b.Type, ID: b.ID}]
			if !ok || x.Gone || x.N != b.Version {
				return fmt.Sprintf("gate %s rests on %v, which is not the newest", g.Name, b)
			}
			s, ok := state[b.Source]
			if !ok || !s.Complete || l.now.Sub(s.LastComplete) >= 4*day {
				return fmt.Sprintf("gate %s rests on %s, which is not fresh", g.Name, b.Source)
			}
		}
	}
	for _, s := range []string{fhirtest.PracticeSource, fhirtest.PrescriberSource} {
		if x, ok := state[s]; !ok || !x.Complete || fhirtest.Denver != nil && x.LastComplete.In(fhirtest.Denver).YearDay() != v.Appointment.Start.In(fhirtest.Denver).YearDay() && l.now.In(fhirtest.Denver).YearDay() == v.Appointment.Start.In(fhirtest.Denver).YearDay() {
			return s + " was not read today"
		}
	}
	if len(l.rejects) > 0 || slices.ContainsFunc(l.links, func(x fhir.Link) bool { return !x.ReadBack }) {
		return "something was not read"
	}
	return hazards(l, v, newest)
}

// hazards looks at the newest records themselves for what no client may have and be ready.
func hazards(l *life, v readiness.Verdict, newest map[fhir.Key]fhir.Version) string {
	type observation struct {
		Status string
		Issued time.Time
		Code   struct{ Coding []struct{ Code string } }
		Value  struct{ Coding []struct{ Code string } } `json:"valueCodeableConcept"`
		Yes    *bool                                    `json:"valueBoolean"`
	}
	var lastDecision, lastStop time.Time
	var goAhead, changed time.Time
	says := ""
	for key, x := range newest {
		content := x
		if x.Gone { // silence lifts nothing: what it said last still stands
			for _, y := range l.versions {
				if y.Key == key && !y.Gone && (content.Gone || !y.Recorded().Before(content.Recorded())) {
					content = y
				}
			}
		}
		switch key.Type {
		case "Flag":
			if status(content) == "active" {
				return "a stop stands: " + key.String()
			}
		case "MedicationRequest":
			if status(content) == "on-hold" {
				return "the prescription is on hold"
			}
			changed = later(changed, x.Recorded())
		case "Appointment":
			if key.ID == v.Appointment.ID {
				changed = later(changed, arranged(l.versions, key))
			}
		case "Observation":
			var o observation
			decode(content, &o)
			if len(o.Code.Coding) == 0 {
				continue
			}
			switch o.Code.Coding[0].Code {
			case fhir.CodeClearance:
				changed = later(changed, x.Recorded())
				if o.Status != "final" && o.Status != "amended" || len(o.Value.Coding) == 0 {
					continue
				}
				if o.Issued.IsZero() {
					o.Issued = began(l.versions, key, o.Value.Coding[0].Code)
				}
				if code := o.Value.Coding[0].Code; code == fhir.DecisionWithdrawn || code == fhir.DecisionNotCleared {
					lastStop = later(lastStop, o.Issued)
				} else if o.Issued.After(lastDecision) {
					lastDecision, says = o.Issued, code
				}
			case fhir.CodeGoAhead:
				if !x.Gone && o.Yes != nil && *o.Yes {
					goAhead = later(goAhead, x.Recorded())
				}
			}
		case "AdverseEvent":
			var e struct {
				RecordedDate time.Time
				Severity     struct{ Coding []struct{ Code string } }
			}
			decode(content, &e)
			if e.Severity.Coding[0].Code == fhir.CodeSerious && !lastDecision.After(e.RecordedDate) && !answered(newest, e.RecordedDate) {
				return "a serious adverse event is open"
			}
		}
	}
	switch {
	case !lastStop.IsZero() && !lastDecision.After(lastStop):
		return "the newest decision stops the client"
	case says != fhir.DecisionCleared:
		return "the newest decision is " + says
	case !goAhead.After(changed):
		return "something changed since the go-ahead"
	}
	return ""
}

// began is since when the record of a decision has said code.
func began(versions []fhir.Version, key fhir.Key, code string) (at time.Time) {
	told := slices.DeleteFunc(slices.Clone(versions), func(x fhir.Version) bool { return x.Key != key || x.Gone })
	slices.SortStableFunc(told, func(a, b fhir.Version) int { return a.Recorded().Compare(b.Recorded()) })
	for _, x := range slices.Backward(told) {
		if !strings.Contains(string(x.Resource.Body), `"`+code+`"`) {
			break
		}
		at = x.Recorded()
	}
	return at
}

// arranged is since when the session has had the time and the people that it has.
func arranged(versions []fhir.Version, key fhir.Key) time.Time {
	type arrangement struct {
		Status, Start, End string
		Participant        []struct{ Actor json.RawMessage }
		ServiceType        json.RawMessage
	}
	told := slices.DeleteFunc(slices.Clone(versions), func(x fhir.Version) bool { return x.Key != key || x.Gone })
	slices.SortStableFunc(told, func(a, b fhir.Version) int { return a.Recorded().Compare(b.Recorded()) })
	var since time.Time
	before := ""
	for _, x := range told {
		var a arrangement
		decode(x, &a)
		if slices.Contains([]string{"pending", "booked", "arrived", "checked-in"}, a.Status) {
			a.Status = ""
		}
		if is := fmt.Sprint(a); is != before {
			since, before = x.Recorded(), is
		}
	}
	return since
}

// answered reports whether any decision was issued after t.
func answered(newest map[fhir.Key]fhir.Version, t time.Time) bool {
	for key, x := range newest {
		if key.Type != "Observation" || x.Gone || x.Party != fhirtest.Prescriber {
			continue
		}
		var o struct{ Issued time.Time }
		decode(x, &o)
		if o.Issued.After(t) {
			return true
		}
	}
	return false
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// If nothing moves, a verdict is the same up to its Until.
func TestAVerdictIsConstantUntilItsUntil(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := lived(t)
		v := l.assess()
		if !v.Until.After(l.now) {
			t.Fatalf("Until %s is not after %s", v.Until, l.now)
		}
		at := l.now.Add(time.Duration(rapid.Int64Range(0, int64(v.Until.Sub(l.now))-1).Draw(t, "later")))
		if rapid.Bool().Draw(t, "last moment") {
			at = v.Until.Add(-1)
		}
		l.now = at
		w := l.assess()
		v.Judged, v.Until, v.Begun = w.Judged, w.Until, w.Begun // what has begun is beside what it says
		if !reflect.DeepEqual(v, w) {
			t.Fatalf("at %s it is %s: %s\nbefore %s: %s\n%v", at, w.State, w.Words, v.State, v.Words, l.story)
		}
	})
}

// The order in which the hub heard of things does not matter, once every source is read completely. That there was a
// disorder is told (R47), and changes no state.
func TestTheOrderOfArrivalDoesNotMatter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := lived(t)
		l.sources = fhirtest.Sources(now)
		l.versions = slices.DeleteFunc(l.versions, func(v fhir.Version) bool { return v.Gone })
		seen := map[string]bool{}
		l.versions = slices.DeleteFunc(l.versions, func(v fhir.Version) bool { // two versions of one instant have no order
			k := v.String() + v.Recorded().String()
			again := seen[k]
			seen[k] = true
			return again
		})
		v := l.assess()
		l.versions = rapid.Permutation(l.versions).Draw(t, "order")
		for i := range l.versions {
			l.versions[i].Moment = fhir.Moment(i + 1)
		}
		w := l.assess()
		v.Begun = w.Begun // of what was heard of in time: by its very meaning another in another order
		if a, b := unordered(v), unordered(w); !reflect.DeepEqual(a, b) {
			t.Fatalf("%s: %s\n%s: %s\n%v", v.State, v.Words, w.State, w.Words, l.story)
		}
	})
}

// unordered puts what has no order of its own into one.
func unordered(v readiness.Verdict) readiness.Verdict {
	v.Findings = slices.DeleteFunc(slices.Clone(v.Findings), func(f readiness.Finding) bool { return f.Code == "R47" })
	byName := func(a, b fhir.Basis) int {
		return cmp.Or(cmp.Compare(a.Source, b.Source), cmp.Compare(a.Type, b.Type), cmp.Compare(a.ID, b.ID), cmp.Compare(a.Version, b.Version))
	}
	for i := range v.Gates {
		slices.SortFunc(v.Gates[i].Because, byName)
	}
	for i := range v.Findings {
		slices.SortFunc(v.Findings[i].Because, byName)
	}
	slices.SortFunc(v.Findings, func(a, b readiness.Finding) int { return cmp.Compare(a.ID, b.ID) })
	return v
}

// While a read is incomplete, a verdict may fall, never rise, whatever the half that came says.
func TestWhileAReadIsIncompleteNothingRises(t *testing.T) {
	rank := map[readiness.State]int{readiness.Hold: 0, readiness.Unknown: 1, readiness.NotReady: 2, readiness.InOrder: 3, readiness.Ready: 4}
	held := 0
	rapid.Check(t, func(t *rapid.T) {
		l := lived(t)
		before := l.assess()
		n := len(l.versions)
		l.lasting = true
		for range rapid.IntRange(1, 4).Draw(t, "half the news") {
			l.happen(t)
		}
		for i := n; i < len(l.versions); i++ {
			l.versions[i].Received = later(l.now, now).Add(time.Second) // after every complete read
		}
		for i := range l.sources {
			l.sources[i].Complete = false
		}
		after := l.assess()
		if before.State == readiness.Hold {
			held++
		}
		if rank[after.State] > rank[before.State] {
			t.Fatalf("rose from %s (%s) to %s (%s)\n%v", before.State, before.Words, after.State, after.Words, l.story)
		}
	})
	if held == 0 && !testing.Short() { // in short, chance has too few tries
		t.Error("chance never made a hold: the property says little")
	}
}
