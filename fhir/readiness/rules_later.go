package readiness

import (
	"cmp"
	"slices"
	"strings"

	"github.com/kaphub/kaphub/fhir"
)

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
		Code: "R52", Name: "go-ahead-void", Severity: "S2", Owner: Therapist, Gate: GateGoAhead, Under: []string{"R37"},
		Asks:   "Something changed after the therapist's go-ahead, or an arrival check since spoke against the session.",
		Source: "rules.md, law 4",
		judge:  goAheadVoid,
	},
	{
		Code: "R53", Name: "contact-preference", Severity: "S3", Owner: Admin,
		Asks:   "The client asked to be reached by another way than those by which the practice reaches its clients (client_ways).",
		Source: "45 CFR 164.522(b)",
		judge:  contactPreference,
	},
}

// R53 contact-preference (45 CFR 164.522(b)). The hub itself writes to no client, so that there is nothing that it could hold
// back: it compares what the client asked for with the ways by which the practice says that it reaches its clients. It is no
// matter of readiness, and keeps no session waiting.
//
//	the practice's ways (client_ways)   ranked first in the client's record      finding
//	not on file                         –                                        none
//	on file                             nothing, or only what is no longer used  none
//	on file                             one of those ways                        none
//	on file                             another way                              S3
func contactPreference(f *facts) []Finding {
	if len(f.policy.ClientWays) == 0 {
		return nil
	}
	for i := range f.clients {
		r := &f.clients[i]
		var asked []string
		for _, t := range r.Value.Telecom {
			if t.System == nil || t.Rank == nil || *t.Rank != 1 || t.Use != nil && t.Use.Code() == "old" || t.Period != nil && f.lapsed(t.Period.End) {
				continue
			}
			if way := t.System.Code(); !slices.Contains(asked, way) {
				asked = append(asked, way)
			}
		}
		if len(asked) == 0 || slices.ContainsFunc(asked, func(way string) bool { return slices.Contains(f.policy.ClientWays, way) }) {
			continue
		}
		slices.Sort(asked)
		practice := cmp.Or(f.policy.Practice.Title, f.policy.Practice.Name)
		want, have := strings.Join(asked, " or "), strings.Join(f.policy.ClientWays, " or ")
		return []Finding{found(S3, "contact", "The client asked to be reached by "+want+", and "+practice+" reaches its clients by "+have,
			"reach the client as they asked, and say so to whoever writes to them", r.Version).
			values(fhir.Practice, have, "client", want)}
	}
	return nil
}

// lapsed reports whether what lasts up to a date is over.
func (f *facts) lapsed(date *string) bool {
	_, end, ok := f.when(date)
	return ok && f.clock.passed(end)
}

// R52 go-ahead-void
//
//	newest go-ahead of the session    session, decision, prescription or stop changed since,   finding
//	                                  or an arrival check spoke against the session
//	yes, since the checks opened      yes                                                      S2
//	yes, since the checks opened      no                                                       none
//	yes, before they opened           –                                                        none: it will be asked for
//	no, or none                       –                                                        none: the gate is open
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
	return []Finding{found(S2, f.next.String(), f.older(given, changed), f.anew(changed), append(changed, given.Version)...)}
}
