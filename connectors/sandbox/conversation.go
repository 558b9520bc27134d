package sandbox

import (
	"time"

	"github.com/kaphub/kaphub/fhir"
)

// conversations are lives in which something is said beside the plain course of a referral. They are told after the
// situations, in a world that asks for them, and fit the same hub.
var conversations = []situation{
	{inOrder, "in order, until the prescriber takes the closed referral up again: a reader must have seen it closed", func(c *client) {
		c.treated(-40 * day)
		c.bookedFor(3 * day)
		c.w.plan(c.w.pace.Settle, c.isReopened)
	}},
	{hold, "the prescriber proposes to abort the referral: it is unsafe for anybody to carry out", func(c *client) {
		c.treated(-43 * day)
		c.bookedFor(3 * day)
		c.w.plan(-20*time.Hour, c.isUnsafe)
	}},
	{notReady, "the prescriber waits for the last ECG, and asks in a Task of its own", func(c *client) {
		c.enrols(-5 * day)
		c.refers(-5*day, intake)
		c.bookedFor(9 * day)
		c.w.plan(-day, c.isAsked)
	}},
	{unknown, "the referral says cleared, and the decision itself is not there", func(c *client) {
		c.enrols(-20 * day)
		c.refers(-20*day, evaluated)
		c.prepares(-3 * day)
		c.bookedFor(4 * day)
		c.w.plan(-day, func(at time.Time) { c.moves(at, "completed", "cleared", "") })
	}},
	{inOrder, "the decision came inside the Task that was completed with it", func(c *client) {
		const from = -45 * day
		c.enrols(from)
		c.w.plan(from, c.isReferred)
		c.w.plan(from+time.Hour, c.comes)
		seen := c.course(c.w.start.Add(from+time.Hour), Office(), acknowledged, evaluated).Sub(c.w.start)
		c.w.plan(seen+time.Hour, c.decidesInside)
		end := c.course(c.w.start.Add(seen+time.Hour), Office(), prescribed, delivered).Sub(c.w.start)
		c.w.plan(end+4*time.Hour, c.acknowledges)
		c.prepares(end + 2*day)
		c.bookedFor(3 * day)
	}},
	{notReady, "declined with a reason: the request stays active, and may go to another prescriber", func(c *client) {
		c.enrols(-12 * day)
		c.refers(-12*day, acknowledged)
		c.w.plan(-9*day, c.isRejected)
	}},
}

// live plans one life of each situation.
func (w *World) live(all []situation) {
	for _, s := range all {
		c := w.person()
		c.wants, c.why = s.wants, s.why
		s.live(c)
	}
}

// isReopened takes a closed referral up again.
func (c *client) isReopened(at time.Time) { c.moves(at, "in-progress", "", "A letter came in late.") }

// isUnsafe is a Task of the prescriber's that proposes to abort the referral.
func (c *client) isUnsafe(at time.Time) {
	c.w.write(c.w.Prescriber, object{
		"resourceType": "Task", "status": "requested", "intent": "proposal", "code": concept(fhir.SystemTaskCode, "abort"),
		"focus": refer(c.request), "for": refer(c.there), "authoredOn": stamp(at), "lastModified": stamp(at), "requester": refer(skylight),
		"reasonCode": object{"text": "Unsafe for anybody to carry out"},
	})
}

// isAsked is a question of the prescriber's to the practice, part of the referral.
func (c *client) isAsked(at time.Time) {
	c.w.write(c.w.Prescriber, object{
		"resourceType": "Task", "status": "requested", "intent": "order", "partOf": list(refer(c.task)), "for": refer(c.there),
		"description": "Please send the last ECG", "authoredOn": stamp(at), "lastModified": stamp(at), "requester": refer(skylight),
		"owner": object{"display": "the practice that referred"},
	})
	c.moves(at, "", fhir.BusinessAwaitsInformation, "")
}

// decidesInside completes the Task with the decision in it, and nowhere else.
func (c *client) decidesInside(at time.Time) {
	decision := c.clearanceOf(at, c.decision, "CLR")
	decision["id"] = "decision"
	c.w.revise(c.w.Prescriber, c.task, func(t object) {
		t["status"], t["lastModified"] = "completed", stamp(at)
		t["contained"] = list(decision)
		t["output"] = list(object{"type": concept(fhir.SystemKAP, fhir.CodeClearance), "valueReference": object{"reference": "#decision"}})
	})
}
