package rest

import (
	"slices"
	"strings"
	"testing"
)

func TestWhatAGrantAllows(t *testing.T) {
	for _, tc := range []struct {
		name, asked, granted string
		missing              string
		calls                map[string]string // type and act: the scope that is named, "" = allowed
	}{
		{"all of it", "system/Task.rs", "system/Task.rs", "", map[string]string{"Task s": "", "Task r": "", "Task c": "system/Task.c"}},
		{"version 1 for version 2", "system/Task.rs system/Flag.cruds", "system/Task.read system/Flag.*", "", map[string]string{"Task s": "", "Flag d": ""}},
		{"version 1 writes and does not read", "system/Task.cruds", "system/Task.write", "system/Task.cruds", map[string]string{"Task u": "", "Task s": "system/Task.rs"}},
		{"version 2 for version 1", "system/*.read", "system/*.rs", "", map[string]string{"Flag s": ""}},
		{"every type for one", "system/Task.rs system/Flag.rs", "system/*.cruds", "", map[string]string{"Task s": "", "Consent c": ""}},
		{"one type for every", "system/*.rs", "system/Patient.rs", "system/*.rs", map[string]string{"Patient s": "", "Flag s": "system/Flag.rs"}},
		{"reads without searching", "system/Task.rs", "system/Task.r", "system/Task.rs", map[string]string{"Task r": "", "Task s": "system/Task.rs"}},
		{"some rows only, unasked", "system/Observation.rs", "system/Observation.rs?category=vital-signs", "system/Observation.rs", map[string]string{"Observation s": "system/Observation.rs"}},
		{"some rows only, as asked", "system/Observation.rs?category=vital-signs", "system/Observation.rs?category=vital-signs", "", map[string]string{"Observation s": ""}},
		{"one left out", "system/Patient.rs system/Flag.rs", "system/Patient.rs", "system/Flag.rs", map[string]string{"Flag s": "system/Flag.rs"}},
		{"in two pieces", "system/Task.cruds", "system/Task.rs system/Task.cud", "", map[string]string{"Task u": ""}},
		{"nothing at all", "system/Patient.rs", "", "system/Patient.rs", map[string]string{"Patient s": "system/Patient.rs"}},
		{"words of its own: only the server knows", "system/Patient.rs", "fhir.all openid", "system/Patient.rs", map[string]string{"Patient s": ""}},
		{"another's scope is not ours", "system/Patient.rs", "system/Flag.rs user/Patient.rs patient/Patient.rs", "system/Patient.rs", map[string]string{"Patient s": "system/Patient.rs"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := scopes{asked: strings.Fields(tc.asked), granted: strings.Fields(tc.granted), said: true}
			if got := strings.Join(s.missing(), " "); got != tc.missing {
				t.Errorf("missing %q", got)
			}
			for call, want := range tc.calls {
				typ, act, _ := strings.Cut(call, " ")
				if got, _ := s.lacking(typ, act[0]); got != want {
					t.Errorf("%s lacks %q", call, got)
				}
			}
		})
	}
	silent := scopes{asked: []string{"system/Patient.rs"}, granted: []string{"system/Patient.rs"}}
	if name, _ := silent.lacking("Flag", 's'); name != "" || silent.missing() != nil {
		t.Error("a server that does not say what it granted is taken at its word")
	}
}

func TestWhatIsAScope(t *testing.T) {
	good := []string{"system/Patient.rs", "system/*.cruds", "system/*.*", "system/Task.write", "system/Observation.rs?category=a|b"}
	for _, text := range append(slices.Clone(good), "", "openid", "user/Patient.rs", "system/Patient", "system/.rs", "system/Patient.", "system/Patient.all", "system/Patient.rs?") {
		if SystemScope(text) != slices.Contains(good, text) {
			t.Errorf("%q: %v", text, SystemScope(text))
		}
	}
}
