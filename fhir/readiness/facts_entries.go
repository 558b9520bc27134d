package readiness

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/kaphub/kaphub/fhir"
)

// confirm asks, of a decision that clears and was entered by hand, whether a second person has looked at it.
//
//	entered at the desk                                  it counts
//	a second person confirmed it                         yes
//	alone, and the end was typed twice                   yes
//	neither                                              to the end of the next business day, and carries nobody to READY
//	                                                     (goAheadGate); then it is in doubt
//
// What stops counts at once and needs nobody else.
func (f *facts) confirm(d *decision) {
	if _, desk := f.policy.desk(d.Source); !desk || d.doubt != "" {
		return
	}
	by, entered, ok := f.entered(d.Version)
	until := f.confirmBy(entered)
	if ok {
		return
	}
	if !f.clock.passed(until) {
		d.waits = "entered by " + by + ", " + ConfirmBy(until, f.zone)
		return
	}
	d.doubt = "entered by " + by + " on " + f.on(entered) + ", awaiting a second person"
	d.ask = string(ConfirmEntry)
}

// ConfirmBy says that a second person must confirm an entry before until.
func ConfirmBy(until time.Time, zone *time.Location) string {
	return "to be confirmed by a second person by the end of " + until.Add(-time.Nanosecond).In(zone).Format("Mon 2 Jan")
}

// alone is how the decision that counts waits for a second person, "" when it does not.
func (f *facts) alone() string {
	if d := f.decided(); d != nil && d.clearing() {
		return d.waits
	}
	return ""
}

// enterer names who entered v by hand; "" when it was not entered by hand, or by nobody who is named.
func (f *facts) enterer(v *fhir.Version) string {
	if !f.policy.isDesk(v.Source) {
		return ""
	}
	if f.enterers == nil {
		f.enterers = map[string]string{}
		for _, s := range records(f.chart.Provenances, f.look) {
			for i := range s.Value.Agent {
				a := &s.Value.Agent[i]
				if !s.live() || !holds(a.Type, fhir.Code{System: systemAgent, Code: "enterer"}) {
					continue
				}
				for _, ref := range s.Value.Target {
					f.enterers[s.Source+" "+text(ref.Reference)] = person(a.Who)
				}
			}
		}
	}
	return f.enterers[v.Source+" "+v.Ref().String()+"/_history/"+v.Resource.VersionID]
}

// confirmBy is when an entry made at t must have been confirmed: the end of the practice's next business day.
func (f *facts) confirmBy(t time.Time) time.Time {
	return DayOf(Hours{}.Later(t, 1, f.zone), f.zone).Plus(1).Start(f.zone)
}

// entered tells who entered v and when, and whether that was confirmed. What nobody vouches for was entered when it was
// recorded, by nobody known.
func (f *facts) entered(v *fhir.Version) (by string, at time.Time, confirmed bool) {
	by, at = "nobody who is named", v.Recorded()
	hands := []string{by} // who entered it, and who typed it for them
	var verified []string
	for _, s := range records(f.chart.Provenances, f.look) {
		if s.Source != v.Source || !s.live() || !slices.ContainsFunc(s.Value.Target, func(ref fhir.Reference) bool { return aims(ref, v) }) {
			continue
		}
		for i := range s.Value.Agent {
			a := &s.Value.Agent[i]
			switch {
			case holds(a.Type, fhir.Code{System: systemAgent, Code: "enterer"}):
				by, at = person(a.Who), f.instant(s.Recorded(), &s.Value.Recorded)
				hands = append(hands, by, hand(a.Who))
			case holds(a.Type, fhir.Code{System: systemAgent, Code: "verifier"}):
				verified = append(verified, hand(a.Who))
			default:
				if id, ok := fhir.IDOf(a.Who.Identifier); ok && id.System == fhir.SystemTypist {
					hands = append(hands, id.Value)
				}
			}
		}
		confirmed = confirmed || slices.ContainsFunc(s.Value.Reason, func(c fhir.CodeableConcept) bool {
			return holds(&c, fhir.Code{System: fhir.SystemKAP, Code: fhir.CodeRetyped})
		})
	}
	return by, at, confirmed || slices.ContainsFunc(verified, func(who string) bool {
		return who != "" && !slices.ContainsFunc(hands, func(h string) bool { return strings.EqualFold(h, who) })
	})
}

const systemAgent = "http://terminology.hl7.org/CodeSystem/provenance-participant-type"

// aims reports whether ref, of the same source, names this very version of a record.
func aims(ref fhir.Reference, v *fhir.Version) bool {
	to, version, found := strings.Cut(text(ref.Reference), "/_history/")
	return found && to == v.Ref().String() && version == v.Resource.VersionID
}

// person is how somebody who enters is named.
func person(who fhir.Reference) string {
	return cmp.Or(strings.TrimSpace(text(who.Display)), hand(who))
}

// hand is who somebody is who enters, whatever they are called by then: their account, or the name where they have none.
func hand(who fhir.Reference) string {
	if id, ok := fhir.IDOf(who.Identifier); ok && id.System == fhir.SystemActor {
		return strings.TrimSpace(id.Value)
	}
	return strings.TrimSpace(text(who.Display))
}

// AwaitsSecond returns up to when a second person must confirm a decision that clears and was entered at the desk of this
// prescriber; false when nobody need, or somebody did.
func AwaitsSecond(chart fhir.Chart, policy Policy, decision *fhir.Version) (until time.Time, waits bool) {
	f := &facts{chart: &chart, policy: &policy, clock: &clock{now: decision.Received}, zone: cmp.Or(policy.Zone, time.UTC)}
	o, err := fhir.Read[fhir.Observation](decision.Resource)
	if err != nil || decision.Source != policy.Prescriber.Desk || void(&o) {
		return time.Time{}, false
	}
	if means, _ := f.meaning(decision.Party, &o); means != clears && means != clearsWith {
		return time.Time{}, false
	}
	_, at, confirmed := f.entered(decision)
	return f.confirmBy(at), !confirmed
}
