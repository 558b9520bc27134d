package exchange

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// life writes steps as "state/attempts outcome", one minute apart.
func life(words ...string) []Step {
	at := time.Date(2026, 3, 2, 16, 0, 0, 0, time.UTC)
	var steps []Step
	for i, w := range words {
		var s Step
		what, outcome, _ := strings.Cut(w, " ")
		state, attempts, _ := strings.Cut(what, "/")
		s.State, s.At = State(state), at.Add(time.Duration(i)*time.Minute)
		_, _ = fmt.Sscan(attempts, &s.Attempts)
		if outcome != "" {
			s.Receipt = &Receipt{Outcome: Outcome(outcome), At: s.At}
			switch s.Receipt.Outcome {
			case OutcomeTold, OutcomeNotThere, OutcomeHandedOver:
				s.Receipt.By = "Robin"
			}
		}
		steps = append(steps, s)
	}
	return steps
}

func TestWhatWasDisclosed(t *testing.T) {
	for _, r := range []struct {
		name  string
		steps []Step
		want  Certainty
		at    int    // index of the step that tells when
		ends  string // of its tries
	}{
		{"staged", life("staged/0"), NotDisclosed, -1, ""},
		{"staged and withdrawn", life("staged/0", "withdrawn/0"), NotDisclosed, -1, ""},
		{"under way", life("staged/0", "attempted/1"), MayHave, 1, ""},
		{"created", life("staged/0", "attempted/1", "delivered/1 created"), Received, 2, "arrived"},
		{"surely not, then created", life("staged/0", "attempted/1", "staged/1", "attempted/2", "delivered/2 created"), Received, 4, "did not go, arrived"},
		{"surely not, then withdrawn", life("staged/0", "attempted/1", "staged/1", "withdrawn/1"), NotDisclosed, -1, "did not go"},
		{"reply lost", life("staged/0", "attempted/1", "attempted/1"), MayHave, 1, "lost"},
		{"reply lost, found there", life("staged/0", "attempted/1", "attempted/1", "attempted/2", "delivered/2 existed"), Received, 1, "lost, arrived"},
		{"reply lost, not there, sent again", life("staged/0", "attempted/1", "attempted/1", "attempted/2", "delivered/2 created"), Received, 4, "lost, arrived"},
		{"the hub died, found there", life("staged/0", "attempted/1", "attempted/2", "delivered/2 existed"), Received, 1, ", arrived"},
		{"reply lost, asked in vain, unknown", life("staged/0", "attempted/1", "attempted/1", "attempted/2", "unknown/2 unknown"), MayHave, 1, "lost, unknown"},
		{"unknown, a person says it arrived", life("staged/0", "attempted/1", "unknown/1 unknown", "delivered/1 told"), Received, 1, "unknown"},
		{"unknown, a person says it did not, then withdrawn", life("staged/0", "attempted/1", "unknown/1 unknown", "staged/1 not-there", "withdrawn/1"), SaidNot, 1, "unknown"},
		{"unknown, tried again by hand", life("staged/0", "attempted/1", "unknown/1 unknown", "attempted/1"), MayHave, 1, "unknown"},
		{"refused", life("staged/0", "attempted/1", "refused/1 refused"), TurnedDown, 2, "refused"},
		{"refused and withdrawn", life("staged/0", "attempted/1", "refused/1 refused", "withdrawn/1"), TurnedDown, 2, "refused"},
		{"refused, sent again and taken", life("staged/0", "attempted/1", "refused/1 refused", "staged/1", "attempted/2", "delivered/2 created"), Received, 5, "refused, arrived"},
		{"refused, told by phone", life("staged/0", "attempted/1", "refused/1 refused", "delivered/1 told"), Received, 3, "refused"},
		{"laid out", life("staged/0", "attempted/1", "laid-out/1 laid-out"), MayHave, 2, "laid out"},
		{"laid out and handed over", life("staged/0", "attempted/1", "laid-out/1 laid-out", "delivered/1 handed-over"), HandedOver, 3, "laid out"},
		{"laid out and torn up", life("staged/0", "attempted/1", "laid-out/1 laid-out", "withdrawn/1 not-there"), NotDisclosed, -1, "laid out"},
		{"no ledger", nil, NotDisclosed, -1, ""},
	} {
		t.Run(r.name, func(t *testing.T) {
			got, at := Disclosed(r.steps)
			want := time.Time{}
			if r.at >= 0 {
				want = r.steps[r.at].At
			}
			if got != r.want || !at.Equal(want) {
				t.Errorf("%q at %s, want %q at %s", got, at, r.want, want)
			}
			var ends []string
			for _, try := range Tries(r.steps) {
				ends = append(ends, string(try.End))
			}
			if all := strings.Join(ends, ", "); all != r.ends {
				t.Errorf("its tries ended %q, want %q", all, r.ends)
			}
		})
	}
}

func TestElementsSayWhatIsToldAndNotWhatItSays(t *testing.T) {
	list, err := Elements([]byte(`{"resourceType":"Bundle","type":"collection","entry":[
		{"fullUrl":"urn:a","resource":{"resourceType":"Patient","active":true,"name":[{"family":"Secret","given":["A","B"]},{"family":"Hidden"}]}},
		{"resource":{"resourceType":"MedicationRequest","dispenseRequest":{"numberOfRepeatsAllowed":3}}}]}`))
	if err != nil {
		t.Fatal(err)
	}
	want := "[{Patient.active yes or no 1} {Patient.name.family text 2} {Patient.name.given text 2} {MedicationRequest.dispenseRequest.numberOfRepeatsAllowed number 1}]"
	if got := fmt.Sprint(list); got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
	if _, err := Elements([]byte(`["Secret"]`)); err == nil || strings.Contains(err.Error(), "Secret") {
		t.Errorf("%v", err)
	}
}
