package readiness

// lookingBackRules are part F: looking back, and manners (rules.md).
var lookingBackRules = []Rule{
	{
		Code: "R50", Name: "dosed-while-not-ready", Severity: "S1 until a reason is given; S4 where all was recorded in time and the hub only read it late", Owner: Therapist,
		Asks:   "A session was held that began while its verdict was not READY. It asks the therapist for the reason, in one line, and keeps it beside the verdict; it judges nothing.",
		Source: "practice's choice",
		judge:  dosedWhileNotReady,
	},
	{
		Code: "R51", Name: "calendar-event-unmatched", Severity: "S2", Owner: Admin,
		Asks:   "A long calendar event of a client is sorted by no rule.",
		Source: "practice's choice",
		judge:  calendarEventUnmatched,
	},
	{
		Code: "R52", Name: "go-ahead-void", Severity: "S2", Owner: Therapist, Gate: GateGoAhead,
		Asks:   "Something changed after the therapist's go-ahead.",
		Source: "rules.md, law 4",
		judge:  goAheadVoid,
	},
}

// R52 go-ahead-void
//
//	newest go-ahead of the session    session, decision, prescription or stop changed since   finding
//	yes, since the checks opened      yes                                                     S2
//	yes, since the checks opened      no                                                      none
//	yes, before they opened           –                                                       none: it will be asked for
//	no, or none                       –                                                       none: the gate is open
func goAheadVoid(f *facts) []Finding {
	if f.next == nil || !f.clock.passed(f.next.start.Add(-arrivalOpens)) {
		return nil
	}
	given := f.goAhead()
	if given == nil || !is(given.Value.ValueBoolean, true) {
		return nil
	}
	changed := f.changedSince(f.confirmed(given))
	if len(changed) == 0 || undated(changed) { // that, the gate says
		return nil
	}
	return []Finding{found(S2, f.next.String(), f.older(given, changed), "look at the change, then confirm the go-ahead again", append(changed, given.Version)...)}
}
