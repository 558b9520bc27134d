package fhirrest

import "testing"

func TestAnUpdateTakesNothingAwayThatIsNotOurs(t *testing.T) {
	for _, tc := range []struct{ name, typ, there, update, want string }{
		{"a note of theirs stays", "Observation", `{"resourceType":"Observation","id":"1","status":"final","note":[{"text":"seen"}]}`, `{"resourceType":"Observation","status":"amended"}`, `{"resourceType":"Observation","status":"amended","note":[{"text":"seen"}]}`},
		{"what we say no more goes", "Task", `{"resourceType":"Task","status":"rejected","statusReason":{"text":"full"},"_statusReason":{"id":"x"}}`, `{"resourceType":"Task","status":"accepted"}`, `{"resourceType":"Task","status":"accepted"}`},
		{"another of a choice of ours goes", "Observation", `{"resourceType":"Observation","valueString":"x"}`, `{"resourceType":"Observation","valueBoolean":true}`, `{"resourceType":"Observation","valueBoolean":true}`},
		{"a link that we set goes", "Observation", `{"resourceType":"Observation","basedOn":[{"reference":"ServiceRequest/1"}]}`, `{"resourceType":"Observation","status":"final"}`, `{"resourceType":"Observation","status":"final"}`},
		{"a narrative of what was goes", "Task", `{"resourceType":"Task","text":{"status":"generated"}}`, `{"resourceType":"Task","status":"accepted"}`, `{"resourceType":"Task","status":"accepted"}`},
		{"an extension of theirs stays", "Task", `{"resourceType":"Task","extension":[{"url":"u","valueCode":"c"}]}`, `{"resourceType":"Task","status":"accepted"}`, `{"resourceType":"Task","status":"accepted","extension":[{"url":"u","valueCode":"c"}]}`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, err := keeping([]byte(tc.there), tc.typ, []byte(tc.update))
			if err != nil || !sameContent(got, []byte(tc.want)) {
				t.Errorf("%v %s, want %s", err, got, tc.want)
			}
		})
	}
}
