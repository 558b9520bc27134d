package life

import (
	"time"

	"github.com/kaphub/kaphub/fhir"
)

// paperTroubles are those of who the client is, and what may be told of them.
var paperTroubles = []trouble{
	{"the birth date differs", func(p *plot) { p.differs("birth date") }},
	{"the family name differs", func(p *plot) { p.differs("family name") }},
	{"the family name is spelt otherwise", func(p *plot) { p.differs("spelling") }},
	{"the prescriber has no birth date", func(p *plot) { p.differs("no birth date") }},
	{"the client died", func(p *plot) { p.tell(Event{At: p.within(), What: KnownThere, Says: "died"}) }},
	{"another record may be the client's", func(p *plot) { p.befall(Resembles, "", 6) }},
	{"the release ends", func(p *plot) {
		if e := p.one(Release, "active"); e != nil {
			e.End = p.at(15+p.IntN(p.Days), 23, 59)
			if p.IntN(2) == 0 {
				p.tell(Event{At: e.End.Add(-time.Duration(p.IntN(72)-36) * hour), What: Release, ID: "2", Says: "active", Start: e.End.AddDate(0, 0, -2), End: e.End.AddDate(1, 0, 0)})
			}
		}
	}},
	{"the release is withdrawn", func(p *plot) {
		at := p.when()
		p.tell(Event{At: at, What: Release, ID: "1", Says: "inactive", Start: p.at(0, 0, 0), End: p.at(364, 23, 59)})
		if p.IntN(2) == 0 {
			at = p.later(at.Add(day), 6)
			p.tell(Event{At: at, What: Release, ID: "3", Says: "active", Start: at.Truncate(hour), End: p.at(364, 23, 59)})
		}
	}},
	{"telling the prescriber is denied", func(p *plot) { p.tell(Event{At: p.when(), What: Release, ID: "4", Says: "denied"}) }},
	{"no release was signed", func(p *plot) { p.drop(func(e *Event) bool { return e.What == Release }) }},
	{"the treatment consent is withdrawn", func(p *plot) {
		at := p.when()
		p.tell(Event{At: at, What: Consented, ID: "1", Says: "inactive"})
		if p.IntN(2) == 0 {
			p.tell(Event{At: p.later(at.Add(day), 5), What: Consented, ID: "2", Says: "active"})
		}
	}},
	{"the treatment consent is signed late", func(p *plot) {
		if e := p.one(Consented, "active"); e != nil {
			e.At = p.near()
		}
	}},
}

// referralTroubles are those of the referral and the evaluation.
var referralTroubles = []trouble{
	{"two referrals", func(p *plot) {
		at := p.some(1 + p.IntN(p.Days-1))
		p.tell(Event{At: at, What: Referral, ID: "2", Says: "active"})
		if p.IntN(2) == 0 {
			p.tell(Event{At: at.Add(hour), What: Asked, ID: "2", Says: "accepted"})
		}
		p.tell(Event{At: p.later(at.Add(day), 6), What: Referral, ID: "2", Says: "revoked"})
	}},
	{"nobody answers the referral", func(p *plot) { p.delay(4+p.IntN(9), func(e *Event) bool { return e.At.After(p.Start.Add(day)) }) }},
	{"nobody books the evaluation", func(p *plot) {
		p.delay(8+p.IntN(12), func(e *Event) bool { return (e.What != Asked || e.Says != "accepted") && e.At.After(p.Start.Add(day)) })
	}},
	{"the referral is turned down", func(p *plot) {
		at := p.when()
		p.tell(Event{At: at, What: Asked, ID: "1", Says: []string{"rejected", "cancelled", "failed", "on-hold"}[p.IntN(4)]})
		if p.IntN(2) == 0 {
			p.tell(Event{At: p.later(at, 4), What: Asked, ID: "1", Says: "in-progress"})
		}
	}},
	{"the Task moves as no guide has it", func(p *plot) {
		at := p.when()
		p.tell(Event{At: at, What: Asked, ID: "1", Says: "requested"})
		p.tell(Event{At: p.later(at, 5), What: Asked, ID: "1", Says: "accepted"})
	}},
	{"the referral is called off", func(p *plot) { p.tell(Event{At: p.when(), What: Referral, ID: "1", Says: "revoked"}) }},
	{"the evaluation is missed", func(p *plot) {
		if e := p.one(Evaluation, "fulfilled"); e != nil {
			missed, was := *e, e.At
			missed.Says = []string{"noshow", "cancelled"}[p.IntN(2)]
			p.delay(6+p.IntN(5), func(e *Event) bool { return !e.At.Before(was) && (e.What != Session || p.IntN(3) > 0) })
			p.tell(missed)
			p.tell(Event{At: p.later(was.Add(3*day), 2), What: Evaluation, ID: "2", Says: "booked", Start: was.AddDate(0, 0, 7)})
			if p.IntN(3) == 0 {
				p.drop(func(e *Event) bool { return e.What == Evaluation && e.ID == "2" || e.What == Decision })
			}
		}
	}},
	{"the prescriber waits for information", func(p *plot) {
		at := p.some(3)
		p.tell(Event{At: at, What: Asked, ID: "1", Says: "in-progress", Of: []string{fhir.BusinessAwaitsInformation, fhir.BusinessIntakeIncomplete}[p.IntN(2)]})
		p.delay(5, func(e *Event) bool { return e.What == Decision })
	}},
	{"the prescriber asks a question", func(p *plot) {
		at := p.when()
		p.tell(Event{At: at, What: Question, ID: "1", Says: "requested"})
		p.tell(Event{At: p.later(at, 9), What: Question, ID: "1", Says: "completed"})
	}},
	{"the prescriber proposes something else", func(p *plot) {
		at := p.when()
		p.tell(Event{At: at, What: Proposal, ID: "1", Says: "active"})
		p.tell(Event{At: p.later(at, 9), What: Proposal, ID: "1", Says: "revoked"})
	}},
}

// decisionTroubles are those of the decision.
var decisionTroubles = []trouble{
	{"no decision is made", func(p *plot) { p.drop(func(e *Event) bool { return e.What == Decision }) }},
	{"the decision is late", func(p *plot) {
		if e := p.one(Decision, ""); e != nil {
			pending := *e
			pending.Says = []string{"pending", fhir.DecisionDeferred, fhir.DecisionNotCleared, "unreadable"}[p.IntN(4)]
			e.At = p.near()
			e.ID = []string{e.ID, "late"}[p.IntN(2)]
			p.tell(pending)
		}
	}},
	{"the clearance ends early", func(p *plot) {
		if e := p.one(Decision, fhir.DecisionCleared); e != nil {
			e.End = p.at(20+p.IntN(p.Days), 23, 59)
			if p.IntN(2) == 0 {
				again := *e
				again.ID, again.At = "renewed", e.End.Add(-time.Duration(p.IntN(5*24)-24)*hour)
				again.Start, again.End = again.At.Truncate(hour), again.At.AddDate(0, 0, 60)
				p.tell(again)
			}
		}
	}},
	{"the clearance ends on the day before a session", func(p *plot) {
		if e, s := p.one(Decision, fhir.DecisionCleared), p.one(Session, "booked"); e != nil && s != nil {
			e.End = s.Start.AddDate(0, 0, -1)
		}
	}},
	{"the clearance gives no end", func(p *plot) {
		if e := p.one(Decision, fhir.DecisionCleared); e != nil {
			e.End = time.Time{}
			if p.IntN(3) == 0 {
				p.Agreed.Validity = Line{Answer: NotAsked}
			} else {
				p.Agreed.Validity.Value = 20 + p.IntN(70)
			}
		}
	}},
	{"the clearance begins later", func(p *plot) {
		if e := p.one(Decision, fhir.DecisionCleared); e != nil {
			e.Start = e.At.AddDate(0, 0, 5+p.IntN(30)).Truncate(hour)
		}
	}},
	{"the clearance is withdrawn", func(p *plot) {
		at := p.when()
		p.tell(Event{At: at, What: Decision, ID: []string{"1", "2"}[p.IntN(2)], Says: []string{fhir.DecisionWithdrawn, fhir.DecisionNotCleared}[p.IntN(2)], Start: at})
		if p.IntN(3) > 0 {
			at = p.later(at, 8)
			p.tell(Event{At: at, What: Decision, ID: []string{"1", "2", "3"}[p.IntN(3)], Says: fhir.DecisionCleared, Start: at.Truncate(hour), End: at.AddDate(0, 0, 60)})
		}
	}},
	{"the clearance is withdrawn within hours", func(p *plot) {
		if e := p.one(Decision, fhir.DecisionCleared); e != nil {
			p.tell(Event{At: e.At.Add(time.Duration(5+p.IntN(600)) * minute), What: Decision, ID: []string{e.ID, "2"}[p.IntN(2)], Says: fhir.DecisionWithdrawn, Start: e.At})
		}
	}},
	{"the clearance is deferred", func(p *plot) {
		at := p.when()
		p.tell(Event{At: at, What: Decision, ID: "2", Says: []string{fhir.DecisionDeferred, "pending", "unreadable"}[p.IntN(3)], Start: at})
		if p.IntN(2) == 0 {
			at = p.later(at, 8)
			p.tell(Event{At: at, What: Decision, ID: "2", Says: fhir.DecisionCleared, Start: at.Truncate(hour), End: at.AddDate(0, 0, 60)})
		}
	}},
	{"the clearance has a condition", func(p *plot) {
		if e := p.one(Decision, fhir.DecisionCleared); e != nil {
			e.Says = fhir.DecisionConditions
			if p.IntN(2) == 0 {
				at := p.later(e.At, 20)
				p.tell(Event{At: at, What: Decision, ID: "met", Says: fhir.DecisionCleared, Start: at.Truncate(hour), End: at.AddDate(0, 0, 70)})
			}
		}
	}},
	{"who decided leaves", func(p *plot) {
		p.tell(Event{At: p.some(1), What: Role, ID: "1", Says: "active"})
		p.tell(Event{At: p.when(), What: Role, ID: "1", Says: "left"})
	}},
	{"somebody else decided", func(p *plot) {
		if e := p.one(Decision, ""); e != nil {
			e.N = 1 + p.IntN(2)
		}
	}},
}

// stopTroubles are those of stops and events.
var stopTroubles = []trouble{
	{"a stop", func(p *plot) { p.stop(Event{What: Stop, ID: "1", Says: "active"}, "inactive") }},
	{"a stop of another prescriber", func(p *plot) {
		p.Agreed.TwoPrescribers = true
		p.stop(Event{What: Stop, ID: "other", Says: "active", Source: Other}, "inactive")
	}},
	{"the care plan on hold", func(p *plot) { p.stop(Event{What: Plan, ID: "1", Says: "on-hold"}, "active") }},
	{"a proposal to abort", func(p *plot) { p.stop(Event{What: Abort, ID: "1", Says: "requested"}, "cancelled") }},
	{"the prescription on hold", func(p *plot) {
		if e := p.one(Prescription, "active"); e != nil {
			was := *e
			was.At, was.Says = p.when(), "on-hold"
			p.stop(was, "active")
		}
	}},
	{"an adverse event", func(p *plot) {
		p.adverse([]string{fhir.CodeSerious, fhir.CodeAskPrescriber, fhir.CodeExpected, "strange"}[p.IntN(4)], p.when())
	}},
	{"an adverse event at a session", func(p *plot) {
		if e := p.one(Session, "fulfilled"); e != nil {
			p.adverse([]string{fhir.CodeSerious, fhir.CodeAskPrescriber}[p.IntN(2)], e.At.Add(time.Duration(p.IntN(600))*minute))
		}
	}},
	{"an adverse event on the day of the decision", func(p *plot) {
		if e := p.one(Decision, fhir.DecisionCleared); e != nil {
			p.adverse(fhir.CodeSerious, e.At.Add(time.Duration(5+p.IntN(400))*minute))
		}
	}},
}

// medicineTroubles are those of the medicine.
var medicineTroubles = []trouble{
	{"the prescription is late", func(p *plot) {
		if e := p.one(Prescription, "active"); e != nil && e.N > 0 {
			was := e.At
			e.At, e.Start = p.later(was, 30), e.At
			if p.IntN(2) == 0 {
				p.drop(func(e *Event) bool { return e.What == Prescription || e.What == Dispensed || e.What == Parcel })
			}
		}
	}},
	{"the prescription is stopped", func(p *plot) {
		if e := p.one(Prescription, "active"); e != nil {
			was := *e
			was.At, was.Says = p.when(), []string{"stopped", "cancelled", "completed", "unknown"}[p.IntN(4)]
			p.tell(was)
		}
	}},
	{"the prescription is old", func(p *plot) {
		if e := p.one(Prescription, "active"); e != nil {
			e.Start = e.At.AddDate(0, -4-p.IntN(4), 0)
		}
	}},
	{"another prescriber prescribes the same", func(p *plot) {
		p.Agreed.TwoPrescribers = true
		at := p.when()
		e := Event{At: at, Source: Other, What: Elsewhere, ID: "other", Says: "active", Start: at}
		p.tell(e)
		e.At, e.Says = p.later(at, 20), "stopped"
		p.tell(e)
	}},
	{"the parcel waits for the client's call", func(p *plot) {
		at := p.decided().Add(26 * hour)
		p.delay(4+p.IntN(6), func(e *Event) bool { return e.What == Parcel && e.Says != fhir.FulfilmentSent || e.What == Dispensed })
		p.tell(Event{At: at, What: Parcel, ID: "1", Says: fhir.FulfilmentAddress})
	}},
	{"the parcel is long on its way", func(p *plot) {
		p.delay(6+p.IntN(10), func(e *Event) bool {
			return e.What == Parcel && e.Says == fhir.FulfilmentDelivered || e.What == Dispensed
		})
	}},
	{"another dose is taken than prescribed", func(p *plot) {
		if e := p.one(Dosed, ""); e != nil {
			e.N = 2 + p.IntN(2)
		}
	}},
	{"too many repeats", func(p *plot) {
		if e := p.one(Prescription, "active"); e != nil {
			e.M = 6
		}
	}},
	{"the dose changes", func(p *plot) { p.dose(p.when()) }},
	{"the dose changes on the day", func(p *plot) { p.dose(p.near()) }},
	{"too little is dispensed", func(p *plot) {
		if e := p.one(Dispensed, ""); e != nil {
			e.N = 1 + p.IntN(2)
			if p.IntN(2) == 0 {
				p.tell(Event{At: p.later(e.At.Add(3*day), 40), What: Dispensed, ID: "2", Of: "1", N: 3})
			}
		}
	}},
	{"too much is dispensed", func(p *plot) {
		if e := p.one(Dispensed, ""); e != nil {
			p.tell(Event{At: p.later(e.At, 20), What: Dispensed, ID: "3", Of: "1", N: 9})
		}
	}},
	{"the medicine goes out of date", func(p *plot) {
		if e := p.one(Dispensed, ""); e != nil {
			e.End = e.At.AddDate(0, 0, 5+p.IntN(40))
		}
	}},
	{"the parcel does not arrive", func(p *plot) {
		p.drop(func(e *Event) bool {
			return e.What == Dispensed || e.What == Parcel && e.Says == fhir.FulfilmentDelivered
		})
		if e := p.one(Parcel, fhir.FulfilmentShipped); e != nil {
			p.tell(Event{At: p.later(e.At, 6), What: Parcel, ID: "1", Says: []string{fhir.FulfilmentException, fhir.FulfilmentReturned, fhir.FulfilmentAddress, fhir.FulfilmentShipped, "strange"}[p.IntN(5)]})
		}
	}},
	{"the parcel comes back", func(p *plot) {
		if e := p.one(Dispensed, ""); e != nil {
			p.tell(Event{At: p.later(e.At, 4), What: Parcel, ID: "1", Says: fhir.FulfilmentReturned})
		}
	}},
	{"the directions are not acknowledged", func(p *plot) {
		if e := p.one(Acknowledged, ""); e != nil {
			e.At = p.near()
			if p.IntN(3) == 0 {
				p.drop(func(e *Event) bool { return e.What == Acknowledged })
			}
		}
	}},
}
