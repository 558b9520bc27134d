package ical

import (
	"strings"
	"testing"
)

// Whose calendar it is stands on its sessions as the config says it: a name, a number, or both.
func TestWhoseCalendarItIs(t *testing.T) {
	for _, r := range []struct {
		name, want string
		is         TherapistID
	}{
		{"a number", `"actor":{"type":"Practitioner","identifier":{"system":"s","value":"1"}}`, TherapistID{System: "s", Value: "1"}},
		{"a name", `"actor":{"type":"Practitioner","display":"Tara"}`, TherapistID{Name: "Tara"}},
		{"both", `"actor":{"type":"Practitioner","identifier":{"system":"s","value":"1"},"display":"Tara"}`, TherapistID{Name: "Tara", System: "s", Value: "1"}},
	} {
		h := newHouse(t, func(o *Options) { o.Therapist = r.is }).feed(session("u1", "K-AAAA", 1))
		found := false
		for _, x := range h.read("K-AAAA").Resources {
			found = found || strings.Contains(string(x.Body), r.want)
		}
		if !found {
			t.Errorf("%s: no session says %s", r.name, r.want)
		}
	}
	for is, right := range map[TherapistID]bool{{Name: "Tara"}: true, {System: "s", Value: "1"}: true, {System: "s"}: false, {Name: "Tara", Value: "1"}: false, {}: false} {
		if wrong := (Config{File: "feed.ics", Therapist: &is}).Validate(); (len(wrong) == 0) != right {
			t.Errorf("%+v: %v", is, wrong)
		}
	}
}
