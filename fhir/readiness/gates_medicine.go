package readiness

import (
	"slices"
	"strconv"
	"time"

	"github.com/kaphub/kaphub/fhir"
)

// prescriptionGate asks whether the prescriber prescribed. Taking is not limited by the six months of 21 CFR 1306.22,
// filling is: an old prescription with the medicine in hand stays valid.
//
//	newest ketamine order                                medicine in hand   gate
//	active                                               –                  met
//	  … and no longer to be filled (R21)                 no                 open
//	completed (all of it was dispensed)                  –                  met
//	on hold                                              –                  open (R15 holds)
//	stopped, cancelled, draft                            –                  open
//	"active" with intent proposal or plan, do-not        –                  open: that is no prescription
//	of a medicine that cannot be read, unknown status    –                  unknown
//	none on file                                         yes                met: what was dispensed was prescribed
//	none on file                                         no                 open; unknown where the prescriber's systems tell none
//	gone                                                 –                  unknown (R48)
func prescriptionGate(f *facts) Gate {
	p := f.prescriber()
	rx := f.prescribed()
	s := f.stock
	if rx != nil {
		words := p + " prescribed on " + f.on(rx.authored)
		if end := f.fillable(rx); rx.status == "active" && !s.any && f.clock.passed(end) {
			return open(words+"; it could be filled up to "+lastDay(end, f.zone), f.ask("a new prescription"), rx.Version).from(end)
		}
		return met(words, rx.Version)
	}
	var last *prescription
	for i := range f.prescriptions {
		last = &f.prescriptions[i]
	}
	switch {
	case last == nil && s.any:
		return met("Dispensed on "+f.on(s.since)+", hence prescribed", s.rests...)
	case last == nil && f.policy.Prescriber.Lacks("MedicationRequest"):
		return f.silent(f.policy.Prescriber, "of prescriptions", "enter the label check at the desk when the medicine is there", f.ground()...)
	case last == nil:
		return open("No prescription is on file", f.ask("the prescription"))
	case !last.live():
		return untold("The prescription of "+f.on(last.authored)+" disappeared", "ask "+p+" whether it still holds", last.last(), last.Version)
	case last.ketamine != yes:
		return untold("The medicine prescribed on "+f.on(last.authored)+" cannot be read", "map the prescriber's code for ketamine", last.Version).by(Operator)
	case !last.order:
		return open("What "+p+" recorded on "+f.on(last.authored)+" is no prescription but a "+last.Value.Intent, "ask "+p+" for the prescription", last.Version)
	case last.status == "unknown":
		return untold("The state of the prescription of "+f.on(last.authored)+" is unknown", "ask "+p, last.Version)
	}
	if onHold(last.status) == yes {
		return open("The prescription of "+f.on(last.authored)+" is on hold", "wait until "+p+" lifts the hold", last.Version)
	}
	return open("The prescription of "+f.on(last.authored)+" is "+last.status, f.ask("a prescription"), last.Version)
}

// ask is the step to a prescription: of a client whom the prescriber holds, nobody asks for one.
func (f *facts) ask(what string) string {
	p := f.prescriber()
	if slices.ContainsFunc(f.stops, func(s stop) bool { return s.title == p && !s.client }) {
		return "wait until " + p + " lifts the hold"
	}
	return "ask " + p + " for " + what
}

// fillable returns the first instant at which p may no longer be filled.
func (f *facts) fillable(p *prescription) time.Time {
	end := DayOf(p.authored, f.zone).Months(f.fillMonths()).Plus(1).Start(f.zone)
	if d := p.Value.DispenseRequest; d != nil && d.ValidityPeriod != nil {
		if _, to, ok := f.when(d.ValidityPeriod.End); ok && to.Before(end) {
			end = to
		}
	}
	return end
}

func (f *facts) fillMonths() int {
	if n := f.policy.Rules.FillLimitMonths; n > 0 {
		return n
	}
	return DefaultRules().FillLimitMonths
}

// medicineGate asks whether the client has the medicine, enough of it and in date. How it is counted stands at inHand.
//
//	in hand                                                    gate
//	its label bears another name, or directions that were not  open at once (R25)
//	  prescribed
//	nothing on file                                            open
//	dispensed, and nobody says that the client has it          open
//	nothing on file, prescribed, and the prescriber's systems  unknown
//	  tell no dispense
//	nothing but what cannot be read                            unknown
//	under way, at the pharmacy, held up, returned              open
//	out of date at the instant of need                         open
//	counted: at least one session's worth                      met
//	counted: less                                              open
//	counted: less if a session that was never closed was held  unknown
//	not counted, none taken since it came in                   met: at least one dose
//	not counted, some taken since                              unknown
func medicineGate(f *facts) Gate {
	s := f.stock
	if check, bore := f.mislabelled(); check != nil {
		words, next := f.misread(check, bore)
		return open(words, next, check.Version).by(Therapist).adverse()
	}
	if !s.any && f.unreadFill != nil {
		return untold("What was dispensed on "+f.on(f.unreadFill.Recorded())+" cannot be read", "map the pharmacy's code for ketamine, or record a label check", f.unreadFill).by(Operator)
	}
	if !s.any {
		return f.waitsFor(s)
	}
	words := "In the client's hands since " + f.on(s.since)
	switch {
	case s.over:
		words += ", and out of date"
		if f.next != nil {
			words += " by the session"
		}
		return open(words, "ask the pharmacy for medicine that is in date", s.rests...)
	case !s.known && s.used:
		return untold(words+"; how many sessions it is worth is not on file, and some was taken since", "count with the client and record it", s.rests...).by(Therapist)
	case !s.known && s.maybe > 0, s.known && s.left >= 1 && s.left-float64(s.maybe) < 1:
		return untold(words+"; whether it was taken at a session that was never closed is not on file", "close the session", s.rests...).by(Therapist)
	case s.known && s.left < 1:
		if s.spoiled() {
			words += ", what is out of date left out"
		}
		return open(words+", and all of it taken", "ask "+f.prescriber()+" and the pharmacy for the next fill", append(s.rests, f.takenBy...)...)
	case s.known:
		if s.spoiled() {
			words += ", what is out of date left out"
		}
		words += ", worth " + count(s.left) + " more " + plural(s.left == 1, "session", "sessions")
	}
	return met(words, s.rests...)
}

// waitsFor says why there is nothing in hand.
func (f *facts) waitsFor(s stock) Gate {
	if d := f.unconfirmed(); s.waits == nil && d != nil {
		return open("Dispensed on "+f.on(d.when)+"; that the client has it is not on file", "ask the client whether it arrived", d.Version).by(Client)
	}
	prescribed := f.prescribed() != nil || f.policy.Prescriber.Lacks("MedicationRequest")
	if s.waits == nil && prescribed && f.policy.Prescriber.Lacks("MedicationDispense") {
		return f.silent(f.policy.Prescriber, "what was dispensed", "enter the label check at the desk when the medicine is there", f.ground()...).by(Therapist)
	}
	pharmacy, home := f.pharmacy()
	if s.waits == nil {
		return open("No medicine is on file as dispensed", "ask "+pharmacy+" or the client", home)
	}
	since := f.on(s.waits.at)
	switch s.waits.status {
	case fhir.FulfilmentAddress:
		return open("The pharmacy ships once the client has confirmed the address by phone, and waits since "+since, "have the client call "+pharmacy, s.waits.Version, home).by(Client)
	case fhir.FulfilmentShipped:
		return open("Shipped on "+since+", delivery not confirmed", "ask the client whether it arrived", s.waits.Version).by(Client)
	case fhir.FulfilmentException, fhir.FulfilmentReturned:
		return open("The delivery is recorded as "+s.waits.status+" on "+since, "ask "+pharmacy, s.waits.Version, home)
	case fhir.FulfilmentSent, fhir.FulfilmentCompound:
		return open("At the pharmacy since "+since, "wait, or ask "+pharmacy, s.waits.Version, home)
	}
	return untold("How the delivery stands since "+since+" cannot be read", "ask "+pharmacy, s.waits.Version, home)
}

// pharmacy is who fills for this client by the prescriber's sheet, with the phone, and the record of where they live that
// this rests on; "the pharmacy" when the sheet or the record does not tell.
//
//	the sheet has a pharmacy                               it is
//	that lists the client's state                          that one
//	else one for the rest, and the client's state is known that one
//	else                                                   not known
func (f *facts) pharmacy() (words string, rests *fhir.Version) {
	list := f.policy.Sheet.Pharmacies
	if len(list) == 0 {
		return "the pharmacy", nil
	}
	state, home := f.home()
	if state == "" {
		return "the pharmacy", home
	}
	at := slices.IndexFunc(list, func(p Dispensary) bool { return slices.Contains(p.States, state) })
	if at < 0 {
		at = slices.IndexFunc(list, func(p Dispensary) bool { return p.Rest })
	}
	if at < 0 {
		return "the pharmacy", home
	}
	if list[at].Phone == "" {
		return list[at].Name, home
	}
	return list[at].Name + ", " + list[at].Phone, home
}

// instructionsGate asks whether the therapist read the dose and instructions that now hold. The digest decides, not the
// reference: what was acknowledged is what is acknowledged.
//
//	prescription in force    its directions   newest acknowledgement         gate
//	none, or none in force   –                –                              not due: the prescription is open first
//	none, by what was filled –                –                              unknown: nothing to acknowledge
//	on file                  none             –                              unknown
//	on file, and another     they differ      –                              unknown
//	  active one changed since
//	on file                  on file          none                           open
//	on file                  on file          of these very directions       met
//	on file                  on file          of others                      open (R24)
func instructionsGate(f *facts) Gate {
	rx := f.prescribed()
	if rx == nil {
		if g := prescriptionGate(f); g.State == Open {
			return notDue("Nothing to acknowledge yet. "+g.Words, "")
		}
	}
	if rx == nil {
		return untold("No directions in force are on file", "ask "+f.prescriber()+" for the dose and instructions").by(Prescriber)
	}
	if len(rx.Value.DosageInstruction) == 0 {
		return untold("The prescription of "+f.on(rx.authored)+" carries no directions", "ask "+f.prescriber()+" for the dose and instructions", rx.Version).by(Prescriber)
	}
	ack := f.acknowledged()
	if other := f.rival(rx); other != nil {
		return untold("Two prescriptions are active with different directions, and the older was changed on "+f.on(other.Recorded()), "ask "+f.prescriber()+" which one holds", rx.Version, other.Version).by(Prescriber)
	}
	switch {
	case ack == nil:
		return open("The dose and instructions of "+f.on(rx.Recorded())+" are not acknowledged", "read and acknowledge them", rx.Version)
	case !f.acknowledges(ack, rx):
		return open("The dose or instructions changed on "+f.on(rx.Recorded())+", after what was acknowledged", "read and acknowledge them; tell the client", rx.Version, ack.Version)
	}
	return met("Dose and instructions acknowledged on "+f.on(f.said(*ack)), ack.Version, rx.Version)
}

// rival returns another active order whose directions differ from those of rx, and which was changed since rx was
// recorded: it cannot be told which of the two holds. nil when there is none.
func (f *facts) rival(rx *prescription) *prescription {
	for i := range f.prescriptions {
		p := &f.prescriptions[i]
		if p.Version == rx.Version || !p.live() || !p.order || p.ketamine != yes || p.status != "active" || !p.Recorded().After(rx.Recorded()) {
			continue
		}
		if fhir.DosageDigest(p.Resource) != fhir.DosageDigest(rx.Resource) {
			return p
		}
	}
	return nil
}

// acknowledges reports whether ack is of the directions of rx.
func (f *facts) acknowledges(ack *record[fhir.Observation], rx *prescription) bool {
	if ack.Value.ValueString == nil {
		return false
	}
	if f.digested != rx.Version {
		f.digested, f.digest = rx.Version, fhir.DosageDigest(rx.Resource)
	}
	return *ack.Value.ValueString == f.digest
}

// count writes a number of sessions.
func count(n float64) string { return strconv.FormatFloat(n, 'f', -1, 64) }

func plural(one bool, single, many string) string {
	if one {
		return single
	}
	return many
}
