package sandbox

import (
	"fmt"
	"slices"
	"time"

	"github.com/kaphub/kaphub/fhir"
)

// NPI is the prescriber's identifier, at both parties: of its organisation, and of the one clinician who decides there.
const NPI = "1234567893"

// The prescriber's own directory.
var (
	skylight = fhir.Ref{Type: "Organization", ID: "skylight"}
	decider  = fhir.Ref{Type: "Practitioner", ID: "decider"}
	role     = fhir.Ref{Type: "PractitionerRole", ID: "decider-skylight"}
	lozenge  = fhir.Ref{Type: "Medication", ID: "ketamine-lozenge"}
	pharmacy = fhir.Ref{Type: "Organization", ID: "pharmacy"}
)

var (
	npi         = fhir.ID{System: fhir.SystemNPI, Value: NPI}
	ketamine    = object{"coding": list(object{"system": fhir.SystemRxNorm, "code": fhir.RxNormKetamine, "display": "ketamine"}), "text": "Ketamine sublingual lozenge, compounded"}
	sublingual  = object{"coding": list(object{"system": "http://snomed.info/sct", "code": "37839007", "display": "Sublingual route"})}
	prescribing = object{"reference": role.String(), "identifier": identifier(npi), "display": "Dr. Ida Sample"}
)

// furnishPrescriber writes down who and what there is at the prescriber before any client comes.
func (w *World) furnishPrescriber() {
	s := w.Prescriber
	w.write(s, object{"resourceType": "Organization", "id": skylight.ID, "identifier": list(identifier(npi)), "active": true, "name": "Skylight Psychedelics (sandbox)"})
	w.write(s, object{"resourceType": "Organization", "id": pharmacy.ID, "active": true, "name": "Example Compounding Pharmacy"})
	w.write(s, object{"resourceType": "Practitioner", "id": decider.ID, "identifier": list(identifier(npi)), "active": true, "name": list(object{"family": "Sample", "given": []string{"Ida"}, "prefix": []string{"Dr."}})})
	w.write(s, object{"resourceType": "PractitionerRole", "id": role.ID, "active": true, "practitioner": refer(decider), "organization": refer(skylight)})
	w.write(s, object{"resourceType": "Medication", "id": lozenge.ID, "status": "active", "code": ketamine, "form": object{"text": "sublingual lozenge"}})
	w.write(s, object{"resourceType": "Patient", "identifier": list(identifier(fhir.ID{System: systemChart, Value: "S-1"})), "active": true,
		"name": list(object{"family": "Example", "given": []string{"Nobody"}}), "birthDate": "1970-01-01"}) // somebody else's patient
}

// comes has the referral stand at the prescriber as an earlier hub would have left it.
func (c *client) comes(at time.Time) {
	w, s := c.w, c.w.Prescriber
	c.there = w.write(s, c.patient(c.told, identifier(c.id(systemChart, "S"))))
	plac := typed("PLAC", c.id(systemReferral, "REF"))
	c.request = w.write(s, object{
		"resourceType": "ServiceRequest", "identifier": list(plac), "status": "active", "intent": "order",
		"code": concept(fhir.SystemKAP, fhir.CodeEvaluation), "subject": refer(c.there), "authoredOn": stamp(at), "performer": list(refer(skylight)),
	})
	focus := refer(c.request)
	focus["identifier"] = plac // a reader who knows only the practice's own number can follow it
	c.task = w.write(s, object{
		"resourceType": "Task", "identifier": list(plac), "status": "requested", "intent": "order",
		"code": concept(fhir.SystemTaskCode, "fulfill"), "focus": focus, "for": refer(c.there),
		"authoredOn": stamp(at), "lastModified": stamp(at), "owner": refer(skylight),
	})
	w.seen[c.task], w.seen[c.request] = true, true
}

// readInbox picks up coordination Tasks that came since and lets their course begin; where no Task can come, the
// referrals themselves.
func (w *World) readInbox(now time.Time) {
	if !w.Prescriber.takes("Task") {
		w.readReferrals(now)
	}
	for _, task := range w.Prescriber.having("Task", "status", "requested") {
		if w.seen[task] {
			continue
		}
		w.seen[task] = true
		body, _ := w.Prescriber.Get(task)
		tree, err := decode(body)
		if err != nil || !coded(tree, "code", "fulfill") {
			continue
		}
		focus, _ := tree["focus"].(object)
		whose, _ := tree["for"].(object)
		patient := localRef(whose["reference"])
		c := w.clientAt(patient)
		if c == nil || c.silent || !c.task.IsZero() {
			continue // nobody this world knows, nobody it answers for, or a referral it has already
		}
		c.task, c.there, c.request = task, patient, localRef(focus["reference"])
		if c.declined {
			w.planAt(now.Add(w.pace.Acknowledge), c.isAcknowledged)
			w.planAt(now.Add(w.pace.Acknowledge+w.pace.Accept), c.isRejected)
			continue
		}
		c.course(now, w.pace, acknowledged, delivered)
	}
}

// readReferrals picks up ServiceRequests that came since.
func (w *World) readReferrals(now time.Time) {
	for _, request := range w.Prescriber.having("ServiceRequest", "status", "active") {
		body, _ := w.Prescriber.Get(request)
		tree, err := decode(body)
		if w.seen[request] || err != nil {
			continue
		}
		w.seen[request] = true
		whose, _ := tree["subject"].(object)
		patient := localRef(whose["reference"])
		if c := w.clientAt(patient); c != nil && !c.silent && c.request.IsZero() {
			c.there, c.request = patient, request
			c.course(now, w.pace, acknowledged, delivered)
		}
	}
}

// clientAt returns the client whose Patient at the prescriber this is, by the practice's number; nil for a stranger.
func (w *World) clientAt(patient fhir.Ref) *client {
	body, _ := w.Prescriber.Get(patient)
	tree, err := decode(body)
	if err != nil {
		return nil
	}
	for _, id := range walk(tree, []string{"identifier"}) {
		if id, ok := id.(object); ok && id["system"] == SystemMRN {
			i := slices.IndexFunc(w.clients, func(c *client) bool { return c.mrn == id["value"] })
			if i >= 0 {
				return w.clients[i]
			}
		}
	}
	return nil
}

// moves has the prescriber move the coordination Task. status or business may be "": as it was.
func (c *client) moves(at time.Time, status, business, why string) {
	c.w.revise(c.w.Prescriber, c.task, func(t object) {
		if status != "" {
			t["status"] = status
		}
		if business != "" {
			t["businessStatus"] = concept(fhir.SystemBusinessStatus, business)
		}
		if why != "" {
			t["statusReason"] = object{"text": why}
		}
		t["lastModified"] = stamp(at)
	})
}

func (c *client) isAcknowledged(at time.Time) {
	c.w.revise(c.w.Prescriber, c.task, func(t object) {
		ids, _ := t["identifier"].([]any)
		t["identifier"] = append(ids, typed("FILL", c.id(systemFiller, "FILL")))
		t["status"], t["businessStatus"], t["lastModified"] = "received", concept(fhir.SystemBusinessStatus, "2.0"), stamp(at)
	})
}

func (c *client) isAccepted(at time.Time) { c.moves(at, "accepted", "3.0", "") }
func (c *client) getsIntake(at time.Time) { c.moves(at, "", "intake-sent", "") }
func (c *client) isRejected(at time.Time) {
	c.moves(at, "rejected", "4.0", "No clinician is free this season.")
}
func (c *client) isEvaluated(at time.Time) {
	c.w.revise(c.w.Prescriber, c.evaluation, func(a object) {
		a["status"] = "fulfilled"
		a["participant"] = c.meets(c.there, prescribing, "accepted")
	})
	c.moves(at, "", "5.1.4", "")
}

// booksEvaluation books the client's evaluation for a time.
func (c *client) booksEvaluation(start time.Time) func(time.Time) {
	return func(at time.Time) {
		c.evaluation = c.w.write(c.w.Prescriber, c.appointment(fhir.SessionEvaluation, c.there, prescribing, start, time.Hour, "booked"))
		c.moves(at, "in-progress", "5.1.1", "")
	}
}

// decides records the decision on clearance.
func (c *client) decides(at time.Time) {
	c.clearance = c.w.write(c.w.Prescriber, c.clearanceOf(at, c.decision, "CLR"))
	c.w.revise(c.w.Prescriber, c.task, func(t object) {
		t["status"], t["lastModified"] = "completed", stamp(at)
		t["businessStatus"] = concept(fhir.SystemBusinessStatus, "cleared")
		t["output"] = list(object{"type": concept(fhir.SystemKAP, fhir.CodeClearance), "valueReference": refer(c.clearance)})
	})
}

func (c *client) clearanceOf(at time.Time, decision fhir.Code, prefix string) object {
	o := object{
		"resourceType": "Observation", "identifier": list(identifier(c.id(systemDecision, prefix))),
		"basedOn": list(refer(c.request)), "status": "final",
		"category": list(concept("http://terminology.hl7.org/CodeSystem/observation-category", "exam")),
		"code":     named(fhir.SystemKAP, fhir.CodeClearance, "Medical clearance for ketamine-assisted psychotherapy"),
		"subject":  refer(c.there), "focus": list(object{"reference": lozenge.String(), "display": "ketamine, sublingual lozenge"}),
		"effectivePeriod": object{"start": stamp(at), "end": dated(at.Add(c.valid))}, "issued": stamp(at),
		"performer":            list(prescribing),
		"valueCodeableConcept": concept(decision.System, decision.Code),
	}
	if decision.Code == fhir.DecisionWithdrawn {
		o["effectivePeriod"] = object{"start": stamp(at)}
	}
	if c.w.reports { // the same, as many systems say it
		o["resourceType"], o["conclusionCode"] = "DiagnosticReport", list(concept(decision.System, decision.Code))
		delete(o, "focus")
		delete(o, "valueCodeableConcept")
	}
	return o
}

// withdraws records a newer decision that takes the clearance back.
func (c *client) withdraws(at time.Time) {
	c.w.write(c.w.Prescriber, c.clearanceOf(at, fhir.Code{System: fhir.SystemDecision, Code: fhir.DecisionWithdrawn}, "CLR-W"))
}

// directions is a dosageInstruction for so many lozenges a session.
func directions(n int) []object {
	return list(object{
		"sequence": 1, "text": fmt.Sprintf("Dissolve %d lozenge(s) under the tongue at the session, in the therapist's office only.", n),
		"route": sublingual, "doseAndRate": list(object{"doseQuantity": lozenges(n)}),
	})
}

func (c *client) isPrescribed(at time.Time) {
	c.rx = c.w.write(c.w.Prescriber, object{
		"resourceType": "MedicationRequest", "identifier": list(identifier(c.id(systemPrescription, "RX"))),
		"status": "active", "intent": "order", "medicationCodeableConcept": ketamine, "subject": refer(c.there),
		"authoredOn": stamp(at), "requester": prescribing, "basedOn": list(refer(c.request)), "dosageInstruction": directions(1),
		"dispenseRequest": object{
			"validityPeriod":         object{"start": stamp(at), "end": dated(at.AddDate(0, 6, 0))},
			"numberOfRepeatsAllowed": 1, "quantity": lozenges(c.doses),
		},
	})
}

// changesDose gives new directions; the prescription stays the same.
func (c *client) changesDose(at time.Time) {
	c.w.revise(c.w.Prescriber, c.rx, func(rx object) { rx["dosageInstruction"] = directions(2) })
}

// reachesPharmacy opens the pharmacy's own record of what it does: FHIR's dispense knows no shipping.
func (c *client) reachesPharmacy(at time.Time) {
	c.fulfilment = c.w.write(c.w.Prescriber, object{
		"resourceType": "Task", "identifier": list(identifier(c.id(systemFulfilment, "F"))),
		"status": "in-progress", "intent": "order", "code": concept(fhir.SystemKAP, fhir.CodeFulfilment),
		"businessStatus": concept(fhir.SystemFulfilment, fhir.FulfilmentSent), "focus": refer(c.rx), "for": refer(c.there),
		"authoredOn": stamp(at), "lastModified": stamp(at), "owner": refer(pharmacy),
	})
	c.w.seen[c.fulfilment] = true
}

// parcel moves the pharmacy's record on.
func (c *client) parcel(state string) func(time.Time) {
	return func(at time.Time) {
		c.w.revise(c.w.Prescriber, c.fulfilment, func(t object) {
			t["businessStatus"], t["lastModified"] = concept(fhir.SystemFulfilment, state), stamp(at)
			if state == fhir.FulfilmentDelivered {
				t["status"] = "completed"
			}
		})
		switch state {
		case fhir.FulfilmentCompound:
			c.dispense = c.w.write(c.w.Prescriber, object{
				"resourceType": "MedicationDispense", "identifier": list(identifier(c.id(systemDispense, "D"))),
				"status": "in-progress", "medicationCodeableConcept": ketamine, "subject": refer(c.there),
				"performer":               list(object{"actor": refer(pharmacy)}),
				"authorizingPrescription": list(refer(c.rx)), "quantity": lozenges(c.doses), "whenPrepared": stamp(at),
				"dosageInstruction": directions(1),
			})
		case fhir.FulfilmentDelivered:
			c.w.revise(c.w.Prescriber, c.dispense, func(d object) { d["status"], d["whenHandedOver"] = "completed", stamp(at) })
		}
	}
}

// isStopped is the prescriber's hold; isReleased lifts it again, by a newer record of the same party.
func (c *client) isStopped(at time.Time) {
	c.stop = c.w.write(c.w.Prescriber, object{
		"resourceType": "Flag", "status": "active",
		"category": list(concept("http://terminology.hl7.org/CodeSystem/flag-category", "clinical")),
		"code":     named(fhir.SystemKAP, fhir.CodeStop, "Hold: wait for the cardiology letter"), "subject": refer(c.there),
		"period": object{"start": stamp(at)}, "author": prescribing,
	})
	c.w.revise(c.w.Prescriber, c.rx, func(rx object) { rx["status"] = "on-hold" })
}

func (c *client) isReleased(at time.Time) {
	c.w.revise(c.w.Prescriber, c.stop, func(f object) {
		f["status"], f["period"] = "inactive", object{"start": f["period"].(object)["start"], "end": stamp(at)}
	})
	c.w.revise(c.w.Prescriber, c.rx, func(rx object) { rx["status"] = "active" })
}

// followsUp is a follow-up visit, kept, and the decision it ends with.
func (c *client) followsUp(at time.Time) {
	c.w.write(c.w.Prescriber, c.appointment(fhir.SessionFollowUp, c.there, prescribing, at.Add(-time.Hour), time.Hour, "fulfilled"))
	c.clearance = c.w.write(c.w.Prescriber, c.clearanceOf(at, c.decision, "CLR-F"))
}

// isGarbled is a reading that contradicts itself: no reader can tell which of its two statuses holds.
func (c *client) isGarbled(at time.Time) {
	c.w.writeRaw(c.w.Prescriber, fmt.Appendf(nil, `{"resourceType":"Observation","status":"final","Status":"cancelled","code":%s,"subject":%s,"effectiveDateTime":%q,"valueString":"see letter"}`,
		mustJSON(concept(fhir.SystemLOINC, fhir.LOINCHeartRate)), mustJSON(refer(c.there)), stamp(at)))
}
