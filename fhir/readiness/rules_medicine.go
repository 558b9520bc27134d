package readiness

import (
	"strconv"

	"github.com/kaphub/kaphub/fhir"
)

// medicineRules are part C: prescription, pharmacy, medicine (rules.md).
var medicineRules = []Rule{
	{
		Code: "R17", Name: "cleared-without-prescription", Severity: "S3; S2 after 3 business days", Owner: Prescriber, Gate: GatePrescription, Under: noClearance,
		Asks:   "The client is cleared, and no prescription is on file.",
		Source: "practice's choice", Sheet: []string{"hours"},
		judge: clearedWithoutPrescription,
	},
	{
		Code: "R18", Name: "medicine-without-preparation", Severity: "S1 without therapist; S2 without preparation", Owner: Therapist, Gate: GatePreparation, Under: noClearance,
		Asks:   "The medicine is with the client, and nobody of the practice is, or no preparation is booked.",
		Source: "practice's choice", Sheet: []string{"preparations"},
		judge: medicineWithoutPreparation,
	},
	{
		Code: "R19", Name: "address-call-pending", Severity: "S3; S2 after 2 business days with nothing in hand", Owner: Client, Gate: GateMedicine, Under: noClearance,
		Asks:   "The pharmacy ships once the client has confirmed the address by phone, and still waits.",
		Source: "practice's choice", Sheet: []string{"hours", "pharmacies"},
		judge: addressCallPending,
	},
	{
		Code: "R20", Name: "delivery-unconfirmed", Severity: "S3; S2 within 3 days of the session with nothing in hand", Owner: Admin, Gate: GateMedicine, Under: noClearance,
		Asks:   "The medicine was shipped or dispensed, and nobody says that the client has it.",
		Source: "practice's choice", Sheet: []string{"pharmacies"},
		judge: deliveryUnconfirmed,
	},
	{
		Code: "R21", Name: "prescription-stale", Severity: "S1", Owner: Prescriber, Gate: GatePrescription, Under: noClearance,
		Asks:   "A fill came, or would come, later than the law lets it, or beyond what was prescribed.",
		Source: "21 CFR 1306.22, 1306.23",
		judge:  prescriptionStale,
	},
	{
		Code: "R22", Name: "doses-short", Severity: "S2 when the next session lacks it; S3 when a later one does, or few are spare", Owner: Prescriber, Gate: GateMedicine, Under: noClearance,
		Asks:   "The client has too little medicine in hand for the sessions booked before the next follow-up, or hardly more than they need.",
		Source: "practice's choice", Sheet: []string{"follow_up"},
		judge: dosesShort,
	},
	{
		Code: "R23", Name: "refill-late", Severity: "S2", Owner: Admin, Gate: GateMedicine, Under: noClearance,
		Asks:   "Medicine is short, and the prescriber takes longer for a refill than there is time before the session.",
		Source: "the prescriber's sheet; else practice's choice", Sheet: []string{"lead_days", "hours", "holidays"},
		judge: refillLate,
	},
	{
		Code: "R24", Name: "dose-change-unacknowledged", Severity: "S1", Owner: Therapist, Gate: GateInstructions,
		Asks:   "The directions are newer than those the therapist acknowledged.",
		Source: "rules.md; practice's choice",
		judge:  doseChangeUnacknowledged,
	},
	{
		Code: "R25", Name: "dose-disagreement", Severity: "S1", Owner: Therapist,
		Asks:   "A dose was taken otherwise than prescribed, the medicine was shipped to the practice, or its label bears another name or other directions.",
		Source: "the prescription; 21 CFR 1306.04, 1306.05",
		judge:  doseDisagreement,
	},
	{
		Code: "R26", Name: "medicine-out-of-date", Severity: "S2 for the next session, or with none booked; S3 for a later one, or soon", Owner: Pharmacy, Gate: GateMedicine, Under: noClearance,
		Asks:   "None of the medicine in hand will be in date at a session, or it goes out of date soon. The last day counts as a whole.",
		Source: "the label of the medicine",
		judge:  medicineOutOfDate,
	},
	{
		Code: "R27", Name: "dispensed-against-hold", Severity: "S1", Owner: Prescriber,
		Asks:   "Medicine was dispensed after a hold or a withdrawal, or while a follow-up was overdue.",
		Source: "the prescriber's record", Sheet: []string{"follow_up"},
		judge: dispensedAgainstHold,
	},
	{
		Code: "R28", Name: "duplicate-prescription", Severity: "S1", Owner: Prescriber,
		Asks:   "Two prescribers have a prescription of ketamine for the client that may be filled.",
		Source: "practice's choice",
		judge:  duplicatePrescription,
	},
}

// R17 cleared-without-prescription
//
//	newest decision   prescription in force   medicine in hand   since the decision    finding
//	clears            no                      no                 < 3 business days     S3
//	clears            no                      no                 3 and more            S2
//	clears            yes                     –                  –                     none
//	clears            no                      yes                –                     none: it was prescribed
//	none that clears  –                       –                  –                     none
//
// Of a prescriber who only writes e-mails nobody hears of a prescription before its medicine has come: S2 begins there as
// many business days later as a refill takes.
func clearedWithoutPrescription(f *facts) []Finding {
	d := f.decided()
	if d == nil || !d.clearing() || f.stopped() != nil || f.prescribed() != nil || f.stock.any {
		return nil
	}
	wait := f.policy.Rules.PrescriptionWait
	if len(f.policy.Prescriber.Sources) == 0 {
		days, _, _ := f.lead()
		wait += days
	}
	severity := f.rising(S3, once(f.later(d.issued, wait), S2))
	return []Finding{found(severity, "prescription", "Waiting on "+f.prescriber()+" for the prescription since "+f.on(d.issued), "nudge "+f.prescriber()+f.phones(), d.Version)}
}

// R21 prescription-stale (21 CFR 1306.22, .23). Filling is limited, taking is not; partial fills count by quantity.
//
//	the prescription in force                                      finding
//	allows more than 5 repeats                                     S1
//	filled later than 6 months after it was written                S1
//	more dispensed than prescribed × (1 + repeats), same unit      S1
//	a fill is still needed for a booked session, and it is too     S1
//	  late to fill it
//	else                                                           none
func prescriptionStale(f *facts) (out []Finding) {
	rx := f.prescribed()
	if rx == nil {
		return nil
	}
	p := f.prescriber()
	months := f.fillMonths()
	limit := DayOf(rx.authored, f.zone).Months(months).Plus(1).Start(f.zone)
	repeats, prescribed, unit, known := 0, 0.0, "", false
	if d := rx.Value.DispenseRequest; d != nil {
		if d.NumberOfRepeatsAllowed != nil {
			repeats = *d.NumberOfRepeatsAllowed
		}
		prescribed, unit, known = measured(d.Quantity)
	}
	if allowed := f.policy.Rules.RefillLimit; repeats > allowed {
		out = append(out, found(S1, "repeats", "The prescription of "+f.on(rx.authored)+" allows "+strconv.Itoa(repeats)+" repeats; "+strconv.Itoa(allowed)+" are the most", "ask "+p+" for a new prescription", rx.Version))
	}
	total := 0.0
	rests := []*fhir.Version{rx.Version}
	for i := range f.dispenses {
		d := &f.dispenses[i]
		if !d.live() || d.status != "completed" || !f.fills(d, rx) {
			continue
		}
		if !d.when.Before(limit) {
			out = append(out, found(S1, d.String(), "Filled on "+f.on(d.when)+", later than "+strconv.Itoa(months)+" months after "+f.on(rx.authored), "ask "+p+" and the pharmacy", rx.Version, d.Version).
				values(d.Party, "filled on "+f.on(d.when), rx.Party, "written on "+f.on(rx.authored)))
		}
		if q, in, ok := measured(d.Value.Quantity); ok && known && in == unit && f.ours(d.Version) {
			total += q
			rests = append(rests, d.Version)
		}
	}
	if most := prescribed * float64(1+repeats); known && total > most {
		out = append(out, found(S1, "quantity", count(total)+" were dispensed, "+count(most)+" prescribed", "ask "+p+" and the pharmacy", rests...))
	}
	if end := f.fillable(rx); rx.status == "active" && f.next != nil && f.clock.passed(end) && f.needsFill() {
		out = append(out, found(S1, "fill", "A fill is still needed for a booked session, and the prescription of "+f.on(rx.authored)+" could be filled up to "+lastDay(end, f.zone), "ask "+p+" for a new prescription", rx.Version, f.next.Version))
	}
	return out
}

// needsFill reports whether the booked sessions need more than is in hand.
func (f *facts) needsFill() bool {
	sessions, _ := f.booked()
	return sessions > 0 && (!f.stock.any || f.stock.known && f.stock.left < float64(sessions))
}

// booked counts the sessions booked up to the next follow-up, else in the window that rules look at.
func (f *facts) booked() (n int, versions []*fhir.Version) {
	sessions := f.bookedSessions()
	for _, s := range sessions {
		versions = append(versions, s.Version)
	}
	return len(sessions), versions
}

// bookedSessions are those, by start.
func (f *facts) bookedSessions() []*session {
	u := f.followUp()
	end := u.due
	if u.booked != nil {
		end = u.booked.start
	}
	if end.IsZero() {
		return f.window()
	}
	var sessions []*session
	for i := range f.dosing {
		if s := &f.dosing[i]; s.standing() && !f.clock.passed(s.end) && s.start.Before(end) && (s == f.next || f.owns(s) != no) {
			sessions = append(sessions, s)
		}
	}
	return sessions
}

// R22 doses-short. Counted in sessions' worth, of what is in date at the next session (where nothing is, R26 says it);
// against the sessions booked before the next follow-up, or, where none is booked or due, in the next 14 days.
//
//	in hand                                          finding
//	too little for the next session                  S2, and the gate is open
//	enough for the next, too little for a later one  S3: there is time, and the next session may be READY
//	enough for all, with none or one to spare        S3, and the session may be READY
//	enough for all, with more to spare               none
//	cannot be counted, or nothing ever came in       none: the gate says it
//	any, and nothing is booked                       none
//
// The list of what goes wrong has S2 alone; S3 is ours, for what does not yet bear on the next session.
func dosesShort(f *facts) []Finding {
	n, sessions := f.booked()
	if n == 0 || !f.stock.any || !f.stock.known {
		return nil
	}
	left := max(f.stock.left, 0)
	spare := left - float64(n)
	if spare > float64(f.policy.Rules.DosesSpare) {
		return nil
	}
	severity := S3
	if spare < 0 {
		severity = f.graveFor(f.firstWithout())
	}
	words := count(left) + " " + plural(left == 1, "session's", "sessions'") + " worth in hand, " + strconv.Itoa(n) + " booked before the next follow-up"
	rests := append(append([]*fhir.Version{}, f.stock.rests...), f.takenBy...)
	return []Finding{found(severity, "doses", words, "ask "+f.prescriber()+" for the next fill", append(rests, sessions...)...).
		values(f.policy.Prescriber.Name, count(left)+" in hand", fhir.Practice, strconv.Itoa(n)+" booked")}
}

// R24 dose-change-unacknowledged
//
//	newest acknowledgement                             finding
//	none                                               none: the gate is open
//	of the directions in force                         none
//	of others                                          S1
func doseChangeUnacknowledged(f *facts) []Finding {
	rx, ack := f.prescribed(), f.acknowledged()
	if rx == nil || ack == nil || len(rx.Value.DosageInstruction) == 0 || f.acknowledges(ack, rx) {
		return nil
	}
	return []Finding{found(S1, rx.String(), "The dose or instructions changed on "+f.on(rx.Recorded())+"; acknowledged were those before, on "+f.on(f.said(*ack)),
		"read and acknowledge them before the next dose; tell the client", rx.Version, ack.Version).
		values(f.policy.Prescriber.Name, "changed on "+f.on(rx.Recorded()), fhir.Practice, "acknowledged on "+f.on(f.said(*ack)))}
}
