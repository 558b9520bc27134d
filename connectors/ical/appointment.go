package ical

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/kaphub/kaphub/fhir"
)

// entry is what one occurrence is for one client, as the hub reads it.
type entry struct {
	token string
	start time.Time
	end   time.Time
	kind  string
	ref   fhir.Ref
	body  []byte
}

// id names an occurrence: the same when it is moved, or its words change.
func (o occurrence) id() string {
	if o.original.IsZero() {
		return "e-" + o.uid
	}
	return "e-" + digest(o.uid, o.original.UTC().Format(time.RFC3339))
}

// patientID is the id of the bare Patient that stands for a token.
func patientID(token string) string { return "t-" + digest("token", token) }

// The resources a feed is told as. Nothing of a client is in them but the token.
type (
	coding struct {
		System string `json:"system"`
		Code   string `json:"code"`
	}
	concept struct {
		Coding []coding `json:"coding"`
	}
	identifier struct {
		System string `json:"system"`
		Value  string `json:"value"`
	}
	reference struct {
		Reference  string      `json:"reference,omitempty"`
		Type       string      `json:"type,omitempty"`
		Identifier *identifier `json:"identifier,omitempty"`
		Display    string      `json:"display,omitempty"`
	}
	participant struct {
		Actor  reference `json:"actor"`
		Status string    `json:"status"`
	}
	patient struct {
		ResourceType string       `json:"resourceType"`
		ID           string       `json:"id"`
		Identifier   []identifier `json:"identifier"`
	}
	appointment struct {
		ResourceType    string        `json:"resourceType"`
		ID              string        `json:"id"`
		Identifier      []identifier  `json:"identifier"`
		Status          string        `json:"status"`
		ServiceCategory []concept     `json:"serviceCategory,omitempty"`
		ServiceType     []concept     `json:"serviceType,omitempty"`
		Start           string        `json:"start"`
		End             string        `json:"end"`
		Participant     []participant `json:"participant"`
	}
)

// places are the codes of v3-ActCode for where.
var places = map[string]string{AtOffice: "AMB", AtHome: "HH", AtDistance: "VR"}

// barePatient says that there is a client with this token, and nothing else.
func barePatient(token string) ([]byte, fhir.Ref) {
	ref := fhir.Ref{Type: "Patient", ID: patientID(token)}
	return encode(patient{ref.Type, ref.ID, []identifier{{fhir.SystemToken, token}}}), ref
}

// entries are what o is for each of its clients. Where several come, each has an appointment of their own.
func (f *feed) entries(o occurrence) []entry {
	list := make([]entry, 0, len(o.tokens))
	for _, token := range o.tokens {
		ref := fhir.Ref{Type: "Appointment", ID: o.id()}
		if len(o.tokens) > 1 {
			ref.ID = "e-" + digest(o.id(), token)
		}
		a := appointment{ResourceType: ref.Type, ID: ref.ID, Identifier: []identifier{{fhir.SystemCalendarEvent, ref.ID}},
			Status: o.status, Start: f.written(o.start), End: f.written(o.end),
			Participant: []participant{{reference{Reference: "Patient/" + patientID(token)}, "accepted"}}}
		if o.kind != "" {
			a.ServiceType = []concept{{[]coding{{fhir.SystemSession, o.kind}}}}
		}
		if o.place != "" {
			a.ServiceCategory = []concept{{[]coding{{fhir.SystemActCode, places[o.place]}}}}
		}
		if f.Therapist != (TherapistID{}) {
			whose := reference{Type: "Practitioner", Display: f.Therapist.Name}
			if f.Therapist.Value != "" {
				whose.Identifier = &identifier{f.Therapist.System, f.Therapist.Value}
			}
			a.Participant = append(a.Participant, participant{whose, "accepted"})
		}
		list = append(list, entry{token: token, start: o.start, end: o.end, kind: o.kind, ref: ref, body: encode(a)})
	}
	return list
}

func (f *feed) written(t time.Time) string { return t.In(f.Zone).Format(time.RFC3339) }

// rejects are what is kept of an event that cannot be read, for each of its clients: no text of it. Its hash does not
// know the line, which moves with every other event.
func (f *feed) rejects(x fault) (list []fhir.Reject) {
	id := "e-" + digest(x.uid, x.recurrence, x.begins)
	if x.uid != "" && x.recurrence == "" {
		id = "e-" + x.uid // so that the event, once it can be read, takes its place
	}
	body := encode(struct {
		Event  string `json:"event"`
		Line   int    `json:"line"`
		Begins string `json:"begins,omitempty"`
	}{id, x.line, x.begins})
	for _, token := range x.tokens {
		list = append(list, fhir.Reject{Source: f.Name, Type: "Appointment", Ref: id, Subject: fhir.Ref{Type: "Patient", ID: patientID(token)},
			Reason: fmt.Sprintf("event at line %d: %s", x.line, x.reason), Body: body, Hash: digest(id, x.begins, x.reason, token)})
	}
	return list
}

func encode(v any) []byte {
	body, err := json.Marshal(v)
	if err != nil {
		panic(err) // strings only
	}
	return body
}
