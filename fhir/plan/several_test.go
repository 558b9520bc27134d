package plan_test

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/exchange"
	"github.com/kaphub/kaphub/fhir/fhirtest"
	"github.com/kaphub/kaphub/fhir/plan"
	"github.com/kaphub/kaphub/fhir/readiness"
)

// several is one client with several prescribers at once. Whatever a prescriber writes carries a mark of its own: in
// every id, identifier, display and text.
type several struct {
	*fhirtest.Course
	names    []string
	versions []fhir.Version
	links    []fhir.Link
	sources  []fhir.SourceState
	policies []readiness.Policy
	clock    time.Time
}

func mark(k int) string { return fmt.Sprintf("Mark%dof", k) }

func npi(k int) fhir.ID { return fhir.ID{System: fhir.SystemNPI, Value: fmt.Sprintf("100000000%d", k)} }
func decider(k int) fhir.ID {
	return fhir.ID{System: fhir.SystemNPI, Value: fmt.Sprintf("200000000%d", k)}
}

func withSeveral(n int) *several {
	s := &several{Course: fhirtest.Client(now), clock: now}
	s.links = s.Links()[:1]
	s.sources = fhirtest.Sources(now)[:1]
	base := newWorld().policy
	base.Sheet = readiness.Sheet{Signed: readiness.Day{Year: 2026, Month: time.January, Day: 10}, ClearanceValidity: readiness.Is(90 * 24 * time.Hour),
		FollowUp: readiness.None[time.Duration](), DoseInterval: readiness.None[time.Duration](), SessionCap: readiness.None[int](),
		Systolic: readiness.None[readiness.Limit](), Diastolic: readiness.None[readiness.Limit](), HeartRate: readiness.None[readiness.Limit](),
		Preparations: readiness.None[int](), OfficeOnly: readiness.None[bool](), StatesNotServed: readiness.None[[]string](), LeadDays: readiness.None[int]()}
	base.Credentials = readiness.None[[]readiness.Credential]()
	var parties []readiness.Party
	for k := range n {
		name := string(rune('a' + k))
		s.names = append(s.names, name)
		parties = append(parties, readiness.Party{Name: name, Title: "House " + strings.ToUpper(name), Sources: []string{name}, Identifiers: []fhir.ID{npi(k)}})
		s.sources = append(s.sources, fhir.SourceState{Name: name, Party: name, LastComplete: now, LastTried: now, Complete: true})
		s.links = append(s.links, fhir.Link{Client: s.Client, Source: name, Patient: mark(k) + "-s-p1", How: "identifier", Moment: 1, ReadBack: true})
	}
	for k := range n {
		p := base
		p.Prescriber, p.Others = parties[k], slices.Delete(slices.Clone(parties), k, k+1)
		p.Sheet.Deciders = []fhir.ID{decider(k)}
		s.policies = append(s.policies, p)
	}
	return s
}

var (
	anyID      = regexp.MustCompile(`"id":"`)
	anyRef     = regexp.MustCompile(`"reference":"([A-Za-z]+)/`)
	anyDisplay = regexp.MustCompile(`"(display|text)":"`)
)

// by has prescriber k tell what fhirtest's one prescriber would, with its mark.
func (s *several) by(k int, v fhir.Version) {
	body := string(v.Resource.Body)
	body = anyID.ReplaceAllString(body, `"id":"`+mark(k)+"-")
	body = anyRef.ReplaceAllString(body, `"reference":"$1/`+mark(k)+"-")
	body = anyDisplay.ReplaceAllString(body, `"$1":"`+mark(k)+" ")
	body = strings.NewReplacer(fhirtest.PrescriberNPI.Value, npi(k).Value, fhirtest.DeciderNPI.Value, decider(k).Value, "FILL-", mark(k)+"-FILL-").Replace(body)
	s.versions = append(s.versions, s.Told(s.names[k], s.names[k], body))
}

func (s *several) here(vs ...fhir.Version) { s.versions = append(s.versions, vs...) }

func (s *several) chart() fhir.Chart {
	return fhir.NewChart(s.Client, fhir.Moment(len(s.versions)+1), s.versions, s.links, s.sources, nil)
}

// referredTo has the practice refer to prescriber k, with a release.
func (s *several) referredTo(k int) {
	s.here(s.Release(set("id", fmt.Sprintf("release-%d", k)), set("provision.actor.0.reference", by(npi(k)))),
		s.Referral(set("id", fmt.Sprintf("referral-%d", k)), set("identifier.0.value", fmt.Sprintf("PLAC-%d", k)),
			set("performer.0", by(npi(k))), set("supportingInfo.0.reference", fmt.Sprintf("Consent/release-%d", k))))
}

// befall lets one thing happen at a prescriber, or at the practice.
func (s *several) befall(t *rapid.T) {
	s.On(now.Add(-time.Duration(rapid.IntRange(1, 20*24*60).Draw(t, "minutes ago")) * time.Minute))
	k := rapid.IntRange(0, len(s.names)-1).Draw(t, "who")
	switch rapid.IntRange(0, 11).Draw(t, "what") {
	case 0:
		s.by(k, s.Flag(rapid.SampledFrom([]string{"active", "active", "inactive"}).Draw(t, "flag")))
	case 1:
		s.by(k, s.Flag("active", set("code", map[string]any{"text": "unmapped"})))
	case 2:
		s.by(k, s.Clearance(rapid.SampledFrom([]string{fhir.DecisionCleared, fhir.DecisionNotCleared, fhir.DecisionWithdrawn, fhir.DecisionDeferred}).Draw(t, "decision"), s.Day(-30), s.Day(30)))
	case 3:
		s.by(k, s.Prescription(set("status", rapid.SampledFrom([]string{"active", "on-hold", "stopped"}).Draw(t, "rx"))))
	case 4:
		s.by(k, s.Dispense())
	case 5:
		s.by(k, s.Task(rapid.SampledFrom([]string{"requested", "accepted", "rejected", "completed"}).Draw(t, "task")))
	case 6:
		s.by(k, s.PatientThere(set("birthDate", rapid.SampledFrom([]string{"1988-02-29", "1988-02-29", "1987-01-01"}).Draw(t, "born"))))
	case 7:
		s.by(k, s.AdverseEvent(rapid.SampledFrom([]string{fhir.CodeSerious, fhir.CodeAskPrescriber, "mild"}).Draw(t, "grade")))
	case 8:
		s.by(k, s.Evaluation())
	case 9:
		if len(s.versions) > 0 {
			if v := rapid.SampledFrom(s.versions).Draw(t, "which"); v.Party != fhir.Practice {
				s.here(s.Gone(v, "deleted"))
			}
		}
	case 10:
		s.here(s.Dosing(now.Add(time.Duration(rapid.IntRange(-100, 200).Draw(t, "hours"))*time.Hour),
			set("id", fmt.Sprintf("dosing-%d", len(s.versions))), set("basedOn", []any{map[string]any{"reference": fmt.Sprintf("ServiceRequest/referral-%d", k)}})))
	case 11:
		s.links[k+1].How = rapid.SampledFrom([]string{"identifier", "person", fhir.Candidate}).Draw(t, "how")
	}
}

// drawn is a client of two or three prescribers to whom this and that happened, in the order in which it was told.
func drawn(t *rapid.T) *several {
	s := withSeveral(rapid.IntRange(2, 3).Draw(t, "prescribers"))
	s.DaysBefore(30)
	var numbers []fhir.Edit // that each of them gave the client, as the practice noted them
	for k := range s.names {
		numbers = append(numbers, set("identifier.-1", map[string]any{"system": "https://house.example/" + s.names[k], "value": mark(k) + "-number", "assigner": by(npi(k))}))
	}
	s.here(s.PatientHere(numbers...), s.TreatmentConsent())
	for k := range s.names {
		if rapid.IntRange(0, 3).Draw(t, "referred") > 0 {
			s.referredTo(k)
		}
	}
	for range rapid.IntRange(0, 14).Draw(t, "events") {
		s.befall(t)
	}
	return s
}

// foreign returns the marks and numbers of every prescriber but k that are in text.
func (s *several) foreign(k int, text string) (found []string) {
	for other := range s.names {
		for _, m := range []string{mark(other), npi(other).Value, decider(other).Value} {
			if other != k && strings.Contains(text, m) {
				found = append(found, m)
			}
		}
	}
	return found
}

// holdLines are the gates and findings in which a verdict may say that another prescriber stops the client, or has prescribed
// too: these alone name versions of another's record, in because, and their words name nobody.
func holdLines(code string) bool {
	switch code {
	case "hold", "R15", "R27", "R28", "R30", "R48":
		return true
	}
	return false
}

func TestNothingOfOnePrescriberReachesAnother(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := drawn(t)
		var ledger []exchange.Entry
		for range 4 { // as far as the steps of a referral go
			for k, p := range s.policies {
				v := readiness.Assess(s.chart(), p, now)
				for i := range v.Gates {
					if holdLines(string(v.Gates[i].Name)) {
						v.Gates[i].Because = nil
					}
				}
				for i := range v.Findings {
					if holdLines(v.Findings[i].Code) {
						v.Findings[i].Because = nil
					}
				}
				text, err := json.MarshalIndent(v, "", " ")
				if err != nil {
					t.Fatal(err)
				}
				if found := s.foreign(k, string(text)); found != nil {
					t.Fatalf("the verdict with %s tells of another: %v\n%s", s.names[k], found, text)
				}
				var own []exchange.Entry
				for _, e := range ledger {
					if e.Prescriber == s.names[k] {
						own = append(own, e)
					}
				}
				for _, d := range plan.Plan(s.chart(), v, p, own, now).Stage {
					text, err := json.Marshal(d)
					if err != nil {
						t.Fatal(err)
					}
					if d.To != fhir.Practice && d.To != s.names[k] {
						t.Fatalf("staged for %s with %s", d.To, s.names[k])
					}
					if found := s.foreign(k, string(text)+string(d.Body)); found != nil {
						t.Fatalf("%s to %s with %s tells of another: %v\n%s", d.What, d.To, s.names[k], found, d.Body)
					}
					ledger = append(ledger, exchange.Entry{Delivery: d, State: exchange.Delivered, Attempts: 1,
						Receipt: &exchange.Receipt{Outcome: exchange.OutcomeCreated, Ref: fhir.Ref{Type: d.Type, ID: copyID(d.Copy)}, At: now}})
				}
			}
		}
	})
}

// A stop that any prescriber recorded stops every engagement; a decision that stops does too, but where this prescriber
// cleared later.
func TestAHoldOfAnyPrescriberHoldsEveryEngagement(t *testing.T) {
	held := 0
	rapid.Check(t, func(t *rapid.T) {
		s := drawn(t)
		stopped := map[int]readiness.Verdict{}
		var all []readiness.Verdict
		for k, p := range s.policies {
			v := readiness.Assess(s.chart(), p, now)
			all = append(all, v)
			if g, _ := v.Gate(readiness.GateHold); g.State == readiness.Blocked {
				stopped[k] = v
			}
		}
		for k := range stopped {
			held++
			for other, v := range all {
				if _, refusal := v.Gate(readiness.GateHold); refusal && v.State != readiness.Hold && !s.clearedSince(other) {
					t.Fatalf("%s is stopped, and %s is %s: %s", s.names[k], s.names[other], v.State, v.Words)
				}
			}
		}
	})
	if held == 0 {
		t.Fatal("no hold was ever drawn")
	}
}

// clearedSince reports whether prescriber k has a clearing decision: whether it is newer, the table below says.
func (s *several) clearedSince(k int) bool {
	return slices.ContainsFunc(s.versions, func(v fhir.Version) bool {
		return v.Party == s.names[k] && v.Type == "Observation" && strings.Contains(string(v.Resource.Body), `"code":"`+fhir.DecisionCleared+`"`)
	})
}

func TestWhatOnePrescriberStopsForTheOthers(t *testing.T) {
	tests := []struct {
		name  string
		tell  func(s *several)
		state readiness.GateState // of the hold gate with the other
		words string
	}{
		{"nothing", func(*several) {}, readiness.Met, "No stop"},
		{"a stop", func(s *several) { s.by(1, s.Flag("active")) }, readiness.Blocked, "Another prescriber recorded a hold on Sun 1 Mar 2026"},
		{"a stop that was lifted", func(s *several) { s.by(1, s.Flag("active")); s.by(1, s.On(now).Flag("inactive")) }, readiness.Met, "No stop"},
		{"a prescription on hold", func(s *several) { s.by(1, s.Prescription(set("status", "on-hold"))) }, readiness.Blocked, "Another prescriber recorded a hold on Sun 1 Mar 2026"},
		{"a serious event", func(s *several) { s.by(1, s.AdverseEvent(fhir.CodeSerious)) }, readiness.Blocked, "Another prescriber recorded a hold on Sun 1 Mar 2026"},
		{"not cleared", func(s *several) { s.by(1, s.Clearance(fhir.DecisionNotCleared, s.Day(-2), "")) }, readiness.Blocked, "Another prescriber recorded a hold on Sun 1 Mar 2026"},
		{"deferred", func(s *several) { s.by(1, s.Clearance(fhir.DecisionDeferred, s.Day(-2), "")) }, readiness.Met, "No stop"},
		{"withdrawn, and cleared by the other since", func(s *several) {
			s.by(1, s.Clearance(fhir.DecisionWithdrawn, s.Day(-2), ""))
			s.On(now.AddDate(0, 0, -1))
			s.by(0, s.Clearance(fhir.DecisionCleared, s.Day(-1), s.Day(30), set("focus", nil)))
		}, readiness.Met, "No stop"},
		{"withdrawn, and cleared by the other before", func(s *several) {
			s.On(now.AddDate(0, 0, -3))
			s.by(0, s.Clearance(fhir.DecisionCleared, s.Day(-3), s.Day(30)))
			s.On(now.AddDate(0, 0, -2))
			s.by(1, s.Clearance(fhir.DecisionWithdrawn, s.Day(-2), ""))
		}, readiness.Blocked, "Another prescriber recorded a hold on Sun 1 Mar 2026"},
		{"withdrawn, and cleared again", func(s *several) {
			s.by(1, s.Clearance(fhir.DecisionWithdrawn, s.Day(-2), ""))
			s.On(now.AddDate(0, 0, -1))
			s.by(1, s.Clearance(fhir.DecisionCleared, s.Day(-1), s.Day(30)))
		}, readiness.Met, "No stop"},
		{"an alert that cannot be read", func(s *several) { s.by(1, s.Flag("active", set("code", map[string]any{"text": "see me"}))) }, readiness.Untold, "Another prescriber recorded what the hub cannot read"},
		{"a question of theirs", func(s *several) { s.by(1, s.AdverseEvent(fhir.CodeAskPrescriber)) }, readiness.Open, "Another prescriber recorded what is not settled"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := withSeveral(2)
			s.DaysBefore(30)
			s.here(s.PatientHere(), s.TreatmentConsent())
			s.referredTo(0)
			s.On(now.AddDate(0, 0, -2))
			test.tell(s)
			v := readiness.Assess(s.chart(), s.policies[0], now)
			g, _ := v.Gate(readiness.GateHold)
			if g.State != test.state || !strings.HasPrefix(g.Words, test.words) {
				t.Errorf("the gate is %s: %s; want %s: %s", g.State, g.Words, test.state, test.words)
			}
			if (v.State == readiness.Hold) != (test.state == readiness.Blocked) || v.State == readiness.Hold && !strings.HasPrefix(v.Words, "Stopped by another prescriber on") {
				t.Errorf("the verdict is %s: %s", v.State, v.Words)
			}
		})
	}
}
