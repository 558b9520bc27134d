package desk

import (
	"errors"
	"fmt"
	"time"

	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/exchange"
)

// Session is the appointment that an entry is about.
type Session struct {
	Appointment *fhir.Version
	Therapist   *fhir.Reference // as the appointment names them; nil = it names nobody
	Start, End  time.Time
}

// Arrival are the checks before a session. What is nil was not asked.
type Arrival struct {
	Systolic, Diastolic, HeartRate *float64
	Ride, Fasting, Location        *bool
	New                            *bool  // something is new since the clearance; this alone is told where no session is booked
	News                           string // with New: what, or what the prescriber said of it, in one line; "" = not said
	GoAhead                        *bool  // the therapist's
}

// Arrive makes the Observations of the arrival checks and the go-ahead: the practice's facts.
func (b Book) Arrive(n Note, s Session, p Arrival) ([]exchange.Slip, error) {
	if err := n.check(); err != nil {
		return nil, err
	}
	if checks := p.Systolic != nil || p.Diastolic != nil || p.HeartRate != nil || p.Ride != nil || p.Fasting != nil || p.Location != nil || p.GoAhead != nil; s.Appointment == nil && (checks || p.New == nil) {
		return nil, fmt.Errorf("the session it is for %w", errMissing)
	}
	if (p.Systolic == nil) != (p.Diastolic == nil) {
		return nil, in("bp", errors.New("a blood pressure has two numbers: write it like 118/76"))
	}
	news, err := Line(p.News)
	switch {
	case err != nil:
		return nil, in("news", err)
	case news != "" && p.New == nil:
		return nil, in("news", errors.New("needs an answer beside it: is anything new, yes or no"))
	}
	d := b.draft(n, b.Practice, KindArrival)
	who := object{"display": n.By}
	observe := func(id string, code object, value object) {
		o := object{
			"status": "final", "code": code, "subject": d.patient(),
			"effectiveDateTime": instant(n.told()), "issued": instant(n.told()), "performer": []object{who},
		}
		if s.Appointment != nil {
			o["focus"] = []object{at(s.Appointment)}
		}
		for k, v := range value {
			o[k] = v
		}
		d.add("Observation", d.id(id), nil, o)
	}
	if p.Systolic != nil {
		observe("bp", concept(fhir.SystemLOINC, fhir.LOINCBloodPressure), object{"component": []object{
			{"code": concept(fhir.SystemLOINC, fhir.LOINCSystolic), "valueQuantity": quantity(*p.Systolic, "mmHg", "mm[Hg]")},
			{"code": concept(fhir.SystemLOINC, fhir.LOINCDiastolic), "valueQuantity": quantity(*p.Diastolic, "mmHg", "mm[Hg]")},
		}})
	}
	if p.HeartRate != nil {
		observe("heart-rate", concept(fhir.SystemLOINC, fhir.LOINCHeartRate), object{"valueQuantity": quantity(*p.HeartRate, "/min", "/min")})
	}
	for _, c := range []struct {
		code   string
		answer *bool
	}{{fhir.CodeRide, p.Ride}, {fhir.CodeFasting, p.Fasting}, {fhir.CodeLocation, p.Location}, {fhir.CodeNewInformation, p.New}} {
		if c.answer == nil {
			continue
		}
		value := object{"valueBoolean": *c.answer}
		if c.code == fhir.CodeNewInformation && news != "" {
			value["note"] = []object{{"text": news}}
		}
		observe(c.code, concept(fhir.SystemKAP, c.code), value)
	}
	if p.GoAhead != nil {
		if s.Therapist != nil {
			who = elsewhere(s.Appointment.Source, s.Therapist)
		}
		observe(fhir.CodeGoAhead, concept(fhir.SystemKAP, fhir.CodeGoAhead), object{"valueBoolean": *p.GoAhead})
	}
	if len(d.made) == 0 {
		return nil, fmt.Errorf("any answer %w", errMissing)
	}
	return slips(d)
}

// elsewhere is a reference that was written by source, as it is the same wherever it is read.
func elsewhere(source string, ref *fhir.Reference) object {
	o := object{}
	if id, ok := fhir.IDOf(ref.Identifier); ok {
		o["identifier"] = object{"system": id.System, "value": id.Value}
	}
	if ref.Reference != nil {
		o["reference"] = *ref.Reference
		if to, ok := fhir.ParseRef(*ref.Reference, ""); ok {
			o["reference"] = fhir.Base + "/source/" + source + "/" + to.String()
		}
	}
	if ref.Display != nil {
		o["display"] = *ref.Display
	}
	return o
}

func quantity(value float64, unit, code string) object {
	return object{"value": value, "unit": unit, "system": fhir.SystemUCUM, "code": code}
}

// The effects of a session as the therapist found them.
const (
	EffectsNone     = "none"
	EffectsExpected = "expected"
	EffectsAsk      = "ask"
	EffectsSerious  = "serious"
)

var grades = map[string]string{EffectsExpected: fhir.CodeExpected, EffectsAsk: fhir.CodeAskPrescriber, EffectsSerious: fhir.CodeSerious}

// After is what became of a session.
type After struct {
	Kind       string // fhir.SessionDosing, fhir.SessionPreparation or fhir.SessionIntegration
	Start, End time.Time
	Held       bool
	AsDirected bool   // of a dosing session: the dose was taken as directed
	Effects    string // of a dosing session that was held
	Line       string // what happened, in one line; "" = nothing to add
	Left       *float64
}

// Close makes what the practice records of a session: that it took place or not, the dose, the effects and what is left.
func (b Book) Close(n Note, p After) ([]exchange.Slip, error) {
	if err := n.check(); err != nil {
		return nil, err
	}
	line, err := Line(p.Line)
	if err != nil {
		return nil, in("what", fmt.Errorf("what happened %w", err))
	}
	dosed := p.Kind == fhir.SessionDosing && p.Held
	grade, graded := grades[p.Effects]
	switch {
	case p.Kind != fhir.SessionDosing && p.Kind != fhir.SessionPreparation && p.Kind != fhir.SessionIntegration:
		return nil, errors.New("only a preparation, a dosing or an integration session is closed here")
	case p.Start.IsZero() || p.Start.After(n.At):
		return nil, in("on", errors.New("the session is still to come: close it when it is over"))
	case dosed && !graded && p.Effects != EffectsNone:
		return nil, in("effects", fmt.Errorf("the effects (none, expected, ask or serious) %w", errMissing))
	case p.Left != nil && *p.Left < 0:
		return nil, in("left", errors.New("less than nothing cannot be left"))
	}
	d := b.draft(n, b.Practice, KindAfter)
	status := "completed"
	if !p.Held {
		status = "not-done"
	}
	period := object{"start": instant(p.Start)}
	if p.End.After(p.Start) {
		period["end"] = instant(p.End)
	}
	d.add("Procedure", d.id("session"), nil, object{
		"status": status, "code": concept(fhir.SystemSession, p.Kind), "subject": d.patient(), "performedPeriod": period,
	})
	if dosed {
		dose := object{
			"status": "completed", "medicationCodeableConcept": b.drug(), "subject": d.patient(), "effectiveDateTime": instant(p.Start),
		}
		if !p.AsDirected {
			dose["statusReason"] = []object{concept(fhir.SystemKAP, fhir.CodeNotAsDirected)}
		}
		d.add("MedicationAdministration", d.id("dose"), nil, dose)
	}
	if dosed && graded {
		event := object{
			"actuality": "actual", "subject": d.patient(), "date": instant(p.Start), "recordedDate": instant(n.At),
			"severity": concept(fhir.SystemKAP, grade),
		}
		if line != "" {
			event["event"] = object{"text": line}
		}
		d.add("AdverseEvent", d.id("effects"), nil, event)
	}
	if p.Left != nil {
		d.add("Observation", d.id("left"), nil, object{
			"status": "final", "code": concept(fhir.SystemKAP, fhir.CodeAmountLeft), "subject": d.patient(),
			"effectiveDateTime": instant(n.At), "issued": instant(n.At), "valueQuantity": quantity(*p.Left, "sessions", "{session}"),
		})
	}
	return slips(d)
}
