package folder

import (
	"encoding/json"
	"strings"

	"github.com/kaphub/kaphub/fhir"
)

// routes are the words for a route of administration, as SNOMED CT codes.
var routes = map[string]string{"sublingual": "37839007", "oral": "26643006", "intranasal": "46713006", "intramuscular": "78421000"}

func (s *statusRow) medicine() object {
	code := s.cell("medicine")
	if code == "" {
		code = fhir.RxNormKetamine
	}
	return coded(fhir.SystemRxNorm, code)
}

func (s *statusRow) amount(n json.Number) object {
	unit := s.cell("unit")
	if unit == "" {
		s.fail("unit", badMissing)
	}
	return object{"value": n, "unit": unit, "system": fhir.SystemUCUM, "code": "{" + unit + "}"}
}

func (s *statusRow) prescription() {
	status := s.word("prescription", "active", "on-hold", "stopped", "completed", "cancelled")
	on, quantity, dose, repeats := s.before("prescribed_on"), s.number("quantity"), s.number("dose"), s.number("repeats")
	route := s.word("route", "sublingual", "oral", "intranasal", "intramuscular")
	if !s.needs("prescription", "prescription_id", "prescribed_on", "quantity", "dose", "repeats", "route", "directions") {
		return
	}
	if on == "" {
		s.fail("prescribed_on", badMissing)
	}
	number := s.cell("prescription_id")
	if number == "" {
		number = on
	}
	s.rx = s.id("m", number)
	m := object{"resourceType": "MedicationRequest", "id": s.rx, "status": status, "intent": "order", "subject": s.subject(),
		"medicationCodeableConcept": s.medicine(), "authoredOn": on}
	instruction := object{}
	if text := s.cell("directions"); text != "" {
		instruction["text"] = text
	}
	if route != "" {
		instruction["route"] = coded("http://snomed.info/sct", routes[route])
	}
	if dose != "" {
		instruction["doseAndRate"] = []object{{"doseQuantity": s.amount(dose)}}
	}
	if len(instruction) > 0 {
		m["dosageInstruction"] = []object{instruction}
	}
	request := object{}
	if quantity != "" {
		request["quantity"] = s.amount(quantity)
	}
	if repeats != "" {
		if strings.Contains(string(repeats), ".") {
			s.fail("repeats", badNumber)
		}
		request["numberOfRepeatsAllowed"] = repeats
	}
	if len(request) > 0 {
		m["dispenseRequest"] = request
	}
	s.make(m)
}

func (s *statusRow) dispense() {
	shipped, delivered, discard, worth := s.before("shipped_on"), s.before("delivered_on"), s.day("discard_after"), s.number("sessions_worth")
	if shipped == "" && delivered == "" {
		s.needs("shipped_on", "discard_after", "sessions_worth", "dispense_id")
		return
	}
	if delivered != "" && delivered < shipped {
		s.fail("delivered_on", badForm)
	}
	number := s.cell("dispense_id")
	if number == "" {
		number = shipped
	}
	d := object{"resourceType": "MedicationDispense", "id": s.id("s", number), "status": "in-progress", "subject": s.subject()}
	if discard != "" { // the label's own date stands on the medicine, as FHIR has it
		d["contained"] = []object{{"resourceType": "Medication", "id": "m", "code": s.medicine(), "batch": object{"expirationDate": discard}}}
		d["medicationReference"] = object{"reference": "#m"}
	} else {
		d["medicationCodeableConcept"] = s.medicine()
	}
	if shipped != "" {
		d["whenPrepared"] = shipped
	}
	if delivered != "" {
		d["whenHandedOver"], d["status"] = delivered, "completed"
	}
	if worth != "" {
		d["quantity"] = object{"value": worth, "unit": "session", "system": fhir.SystemUCUM, "code": "{session}"}
	}
	if s.rx != "" {
		d["authorizingPrescription"] = []object{{"reference": "MedicationRequest/" + s.rx}}
	}
	s.make(d)
}

func (s *statusRow) fulfilment() {
	state := s.word("fulfilment", fhir.FulfilmentSent, fhir.FulfilmentAddress, fhir.FulfilmentCompound, fhir.FulfilmentShipped,
		fhir.FulfilmentDelivered, fhir.FulfilmentException, fhir.FulfilmentReturned)
	if state == "" {
		return
	}
	number := s.cell("dispense_id")
	if number == "" {
		number = s.rx
	}
	status := "in-progress"
	if state == fhir.FulfilmentDelivered {
		status = "completed"
	}
	t := object{"resourceType": "Task", "id": s.id("p", number), "status": status, "intent": "order", "for": s.subject(),
		"code": coded(fhir.SystemKAP, fhir.CodeFulfilment), "businessStatus": coded(fhir.SystemFulfilment, state)}
	if s.rx != "" {
		t["focus"] = object{"reference": "MedicationRequest/" + s.rx}
	}
	if s.changed != "" {
		t["lastModified"] = s.changed
	}
	s.make(t)
}
