package readiness_test

import (
	"testing"
	"time"

	"github.com/kaphub/kaphub/fhir/readiness"
)

func TestHowAFindingStandsWithPeople(t *testing.T) {
	opened := now.Add(-10 * time.Hour)
	open := readiness.Finding{ID: "f", Code: "R10", Severity: readiness.S2, State: readiness.Persisting, Since: opened}
	back := open
	back.State, back.Reopened, back.Since, back.Opened = readiness.Reopened, 1, opened.AddDate(0, 0, -9), opened
	urgent, resolved := open, open
	urgent.Severity = readiness.S1
	resolved.State = readiness.Resolved

	did := func(kind readiness.HandlingKind, ago time.Duration) readiness.Handling {
		return readiness.Handling{Finding: "f", Kind: kind, Severity: readiness.S2, At: now.Add(-ago), Until: now.Add(time.Hour), Person: "Rosa", Reason: "they rang"}
	}
	seen, off, given, let := did(readiness.Acknowledge, time.Hour), did(readiness.Snooze, time.Hour), did(readiness.Assign, time.Hour), did(readiness.LetGo, time.Minute)
	over, other := off, off
	over.Until, other.Finding = now, "g"
	for _, r := range []struct {
		name    string
		finding readiness.Finding
		did     []readiness.Handling
		want    string
	}{
		{"nobody did anything", open, nil, ""},
		{"acknowledged", open, []readiness.Handling{seen}, "acknowledged"},
		{"acknowledged before it was resolved, and it came back → not acknowledged", back, []readiness.Handling{did(readiness.Acknowledge, 11*time.Hour)}, ""},
		{"acknowledged since it came back", back, []readiness.Handling{seen}, "acknowledged"},
		{"snoozed → silent", open, []readiness.Handling{off}, "snoozed"},
		{"snoozed, and its end came → it speaks", open, []readiness.Handling{over}, ""},
		{"snoozed, and graver than it was → it speaks", urgent, []readiness.Handling{off}, ""},
		{"snoozed before it was resolved, and it came back → it speaks", back, []readiness.Handling{did(readiness.Snooze, 11*time.Hour)}, ""},
		{"snoozed once more, for a shorter time → as was said last", open, []readiness.Handling{off, over}, ""},
		{"another finding is snoozed", open, []readiness.Handling{other}, ""},
		{"assigned", open, []readiness.Handling{given}, "Rosa's"},
		{"assigned before it was resolved, and it came back → still theirs", back, []readiness.Handling{did(readiness.Assign, 11*time.Hour)}, "Rosa's"},
		{"everything at once", open, []readiness.Handling{seen, given, off}, "acknowledged snoozed Rosa's"},
		{"released → as if nobody had said anything", open, []readiness.Handling{seen, given, off, let}, ""},
		{"released, then acknowledged", open, []readiness.Handling{off, let, did(readiness.Acknowledge, 0)}, "acknowledged"},
		{"resolved → nothing of it is left", resolved, []readiness.Handling{seen, given, off}, ""},
	} {
		t.Run(r.name, func(t *testing.T) {
			is, got := r.finding.Handled(r.did, now), ""
			for _, x := range []struct {
				h    *readiness.Handling
				word string
			}{{is.Acknowledged, "acknowledged"}, {is.Snoozed, "snoozed"}, {is.Assigned, "Rosa's"}} {
				if x.h != nil && got != "" {
					got += " "
				}
				if x.h != nil {
					got += x.word
				}
			}
			if got != r.want {
				t.Errorf("it is %q, want %q", got, r.want)
			}
		})
	}
}

func TestWhatMayBeDoneAboutAFinding(t *testing.T) {
	day := 24 * time.Hour
	for _, r := range []struct {
		name     string
		severity readiness.Severity
		state    readiness.FindingState
		kind     readiness.HandlingKind
		person   string
		reason   string
		snooze   time.Duration
		may      bool
	}{
		{"an S1 is acknowledged", readiness.S1, readiness.New, readiness.Acknowledge, "", "", 0, true},
		{"an S1 is snoozed for a day", readiness.S1, readiness.New, readiness.Snooze, "", "they rang", day, true},
		{"an S1 is snoozed for longer", readiness.S1, readiness.New, readiness.Snooze, "", "they rang", day + time.Second, false},
		{"an S2 is snoozed for a month", readiness.S2, readiness.New, readiness.Snooze, "", "they rang", 30 * day, true},
		{"an S3 is snoozed for longer than anybody remembers", readiness.S3, readiness.New, readiness.Snooze, "", "they rang", 31 * day, false},
		{"a snooze without a reason", readiness.S2, readiness.New, readiness.Snooze, "", "", day, false},
		{"a snooze that ends at once", readiness.S2, readiness.New, readiness.Snooze, "", "they rang", 0, false},
		{"an assignment", readiness.S2, readiness.New, readiness.Assign, "Rosa", "", 0, true},
		{"an assignment to nobody", readiness.S2, readiness.New, readiness.Assign, "", "", 0, false},
		{"a release", readiness.S2, readiness.Persisting, readiness.LetGo, "", "", 0, true},
		{"what is resolved is acknowledged", readiness.S2, readiness.Resolved, readiness.Acknowledge, "", "", 0, false},
	} {
		t.Run(r.name, func(t *testing.T) {
			f := readiness.Finding{ID: "f", Severity: r.severity, State: r.state}
			h := readiness.Handling{Finding: "f", Kind: r.kind, Person: r.person, Reason: r.reason, Until: now.Add(r.snooze)}
			if err := f.MayHandle(h, now); (err == nil) != r.may {
				t.Errorf("got %v", err)
			}
		})
	}
}
