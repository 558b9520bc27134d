package sandbox

import (
	"fmt"
	"time"

	"github.com/kaphub/kaphub/fhir"
)

// ColleagueNPI is the second prescriber's identifier: of the house, and of the one clinician who decides there.
const ColleagueNPI = "1881697747"

// Colleague is a second prescriber, beside the World's own, who shares some of its clients. Nothing happens there by
// itself: a test or a demonstration says what the colleague does, and when.
type Colleague struct {
	*Server
	w *World
}

var colleague = object{"identifier": identifier(fhir.ID{System: fhir.SystemNPI, Value: ColleagueNPI}), "display": "Aurora (sandbox)"}

// Colleague returns a second prescriber with nobody in its care. It listens nowhere: it is an http.Handler.
func (w *World) Colleague() *Colleague {
	w.mu.Lock()
	defer w.mu.Unlock()
	c := &Colleague{NewServer(Options{Name: "Aurora (sandbox)", Now: w.now}), w}
	w.write(c.Server, object{"resourceType": "Organization", "id": "aurora", "identifier": list(colleague["identifier"].(object)), "active": true, "name": "Aurora (sandbox)"})
	return c
}

// IsSent has the practice release the client of a number to the colleague, and refer them. ok is false for nobody's number.
func (c *Colleague) IsSent(mrn string) (ok bool) {
	c.w.mu.Lock()
	defer c.w.mu.Unlock()
	whose := c.w.Practice.Find("Patient", fhir.ID{System: SystemMRN, Value: mrn})
	if len(whose) == 0 {
		return false
	}
	now := c.w.now()
	release := c.w.write(c.w.Practice, object{
		"resourceType": "Consent", "status": "active", "scope": concept(fhir.SystemConsentScope, "patient-privacy"),
		"category": list(concept(fhir.SystemActCode, "IDSCL")), "patient": refer(whose[0]), "dateTime": stamp(now), "policyRule": optIn,
		"provision": object{
			"type": "permit", "period": object{"start": stamp(now), "end": dated(now.Add(365 * day))},
			"actor": list(object{"role": concept("http://terminology.hl7.org/CodeSystem/v3-ParticipationType", "IRCP"), "reference": colleague}),
		},
	})
	c.w.write(c.w.Practice, object{
		"resourceType": "ServiceRequest", "identifier": list(typed("PLAC", fhir.ID{System: systemReferral, Value: "AUR-" + mrn})),
		"status": "active", "intent": "order", "code": concept(fhir.SystemKAP, fhir.CodeEvaluation), "subject": refer(whose[0]),
		"authoredOn": stamp(now), "performer": list(colleague), "supportingInfo": list(refer(release)),
	})
	return true
}

// Decides has the colleague decide on the client of a number, whom the hub has made known there.
func (c *Colleague) Decides(mrn, decision string) error {
	return c.records(mrn, func(patient fhir.Ref, now time.Time) object {
		return object{
			"resourceType": "Observation", "id": "aurora-decision-" + mrn, "status": "final", "code": concept(fhir.SystemKAP, fhir.CodeClearance), "subject": refer(patient),
			"effectivePeriod": object{"start": stamp(now), "end": dated(now.Add(60 * day))}, "issued": stamp(now),
			"performer": list(colleague), "valueCodeableConcept": concept(fhir.SystemDecision, decision),
		}
	})
}

// Stops has the colleague put the treatment of the client on hold, for a reason of its own; again with false lifts it.
func (c *Colleague) Stops(mrn string, active bool, reason string) error {
	return c.records(mrn, func(patient fhir.Ref, now time.Time) object {
		status := map[bool]string{true: "active", false: "inactive"}[active]
		return object{
			"resourceType": "Flag", "id": "aurora-stop-" + mrn, "status": status, "code": named(fhir.SystemKAP, fhir.CodeStop, reason),
			"subject": refer(patient), "period": object{"start": stamp(now)}, "author": colleague,
		}
	})
}

func (c *Colleague) records(mrn string, what func(patient fhir.Ref, now time.Time) object) error {
	c.w.mu.Lock()
	defer c.w.mu.Unlock()
	whose := c.Find("Patient", fhir.ID{System: SystemMRN, Value: mrn})
	if len(whose) == 0 {
		return fmt.Errorf("the colleague knows nobody of that number")
	}
	if _, err := c.Put(mustJSON(what(whose[0], c.w.now()))); err != nil {
		return fmt.Errorf("record at the colleague: %w", err)
	}
	return c.w.err
}
