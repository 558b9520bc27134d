package readiness

import (
	"slices"
	"strconv"

	"github.com/kaphub/kaphub/fhir"
)

// exchangeRules are part E: the exchange itself (rules.md).
var exchangeRules = []Rule{
	{
		Code: "R44", Name: "source-stale", Severity: "S2", Owner: Operator,
		Asks:   "A source was not read completely for longer than its party's limit.",
		Source: "practice's choice",
		judge:  sourceStale,
	},
	{
		Code: "R45", Name: "page-incomplete", Severity: "S2", Owner: Operator,
		Asks:   "A read was not complete, or a record could not be read.",
		Source: "rules.md, law 1",
		judge:  pageIncomplete,
	},
	{
		Code: "R46", Name: "delivery-failed", Severity: "S2; S4 once the referral was taken up without it", Owner: Operator,
		Asks:   "Something that should have reached the other side has not.",
		Source: "practice's choice",
		judge:  deliveryFailed,
	},
	{
		Code: "R47", Name: "clock-anomaly", Severity: "S3", Owner: Operator,
		Asks:   "A source's clock or the order of its versions cannot be trusted.",
		Source: "rules.md",
		judge:  clockAnomaly,
	},
	{
		Code: "R48", Name: "record-disappeared", Severity: "S1 for a clearance or a hold; else S2", Owner: Operator, Holds: true,
		Asks:   "A record that still counted is gone from its source.",
		Source: "rules.md, law 2",
		judge:  recordDisappeared,
	},
	{
		Code: "R49", Name: "out-of-scope-content", Severity: "S1", Owner: Privacy,
		Asks:   "Something arrived that was not meant for the hub: a psychotherapy note, a Part 2 record, somebody else's record.",
		Source: "45 CFR 164.501, 164.508(a)(2); 42 CFR 2.12",
		judge:  outOfScopeContent,
	},
}

// R44 source-stale: one row for all whom it touches.
//
//	last complete read                              finding
//	never                                           S2
//	older than the party's limit                    S2
//	before today, and the session is today          S2
//	within it                                       none
func sourceStale(f *facts) (out []Finding) {
	for _, s := range f.sources() {
		switch s.is {
		case Stale, Never:
			next, owner := f.policy.readIt(s.name)
			r := found(S2, s.name, f.lastRead(s), next).by(owner)
			r.RollUp = "R44/" + s.name
			out = append(out, r)
		}
	}
	return out
}

// R45 page-incomplete: what could not be read is never taken for "no news".
//
//	on file                                         finding
//	the last read of a source was not complete      S2, one row for all whom it touches
//	an open reject of this client                   S2
//	a stored version that does not fit its view     S2
func pageIncomplete(f *facts) (out []Finding) {
	for _, s := range f.sources() {
		if s.is == Incomplete {
			r := found(S2, s.name, f.lastRead(s), string(ReadAgain))
			r.RollUp = "R45/" + s.name
			out = append(out, r)
		}
	}
	if n := len(f.chart.Rejects); n > 0 {
		r := found(S2, "rejects", strconv.Itoa(n)+" "+plural(n == 1, "record", "records")+" of the client could not be read", string(OpenRejects))
		out = append(out, r)
	}
	if len(f.chart.Unread) > 0 {
		out = append(out, found(S2, "unread", strconv.Itoa(len(f.chart.Unread))+" stored "+plural(len(f.chart.Unread) == 1, "version", "versions")+" of the client's records cannot be interpreted", "ask the source to correct them",
			slices.DeleteFunc(slices.Clone(f.chart.Unread), f.foreign)...))
	}
	return out
}

// R48 record-disappeared: a record that still counted is gone from its source, and nothing of its kind took its place.
//
//	gone                                                    finding
//	the decision that counts, a stop, a held prescription   S1
//	an adverse event that nobody answered                   S1
//	client, referral, release, consent, coordination Task   S2
//	prescription in force, dispense counted                 S2
//	a dosing session to come                                S2, until it would be over
//	anything else, or something newer of its kind is there  none
func recordDisappeared(f *facts) (out []Finding) {
	note := func(severity Severity, what string, last, gone *fhir.Version) {
		if gone == nil {
			return
		}
		out = append(out, found(severity, last.String(), "The "+f.unless(last, what, "hold")+" disappeared from "+f.place(last.Source)+" ("+gone.Why+")", "ask "+f.title(last)+" whether it still holds", gone, last))
	}
	if d := f.stopped(); d != nil {
		note(S1, "decision that stops the client", d.Version, d.Gone)
	} else if d := f.decided(); d != nil {
		note(S1, "decision on clearance", d.Version, d.Gone)
	}
	for _, s := range f.stops {
		note(S1, "recorded stop", s.says, s.gone)
	}
	for _, s := range f.doubts {
		note(S1, "alert", s.says, s.gone)
	}
	for _, e := range f.events {
		note(S1, "adverse event", e.says, e.gone)
	}
	lastGone(f.clients, always, func(r *record[fhir.Patient]) { note(S2, "practice's record of the client", r.Version, r.Gone) })
	lastGone(f.theirs, always, func(r *record[fhir.Patient]) { note(S2, f.prescriber()+"'s record of the client", r.Version, r.Gone) })
	lastGone(f.referrals, func(s *fhir.ServiceRequest) bool { return s.Status.Code() == "active" }, func(r *record[fhir.ServiceRequest]) {
		note(S2, "referral", r.Version, r.Gone)
	})
	lastGone(f.coordination, always, func(r *record[fhir.Task]) { note(S2, "prescriber's record of the referral", r.Version, r.Gone) })
	if r := f.released(); r.now == nil && r.withdrawn == nil {
		for i := range f.releases {
			if r := &f.releases[i]; r.permits && r.Value.Status.Code() == "active" {
				note(S2, "release", r.Version, r.Gone)
			}
		}
	}
	for _, kind := range f.kinds() {
		if c, v := f.signed(kind); c != nil && (v != nil || c.Value.Status.Code() == "active") {
			severity := S2
			if v != nil {
				severity = S1
			}
			note(severity, "consent to treatment", c.Version, c.Gone)
		}
	}
	f.medicineGone(note)
	for i := range f.dosing {
		s := &f.dosing[i]
		switch s.status {
		case "booked", "pending", "arrived", "checked-in":
			if s.Gone != nil && !f.clock.passed(s.end) {
				note(S2, "dosing session of "+f.on(s.start), s.Version, s.Gone)
			}
		}
	}
	return out
}

// medicineGone notes the prescription in force and the dispenses counted that disappeared.
func (f *facts) medicineGone(note func(Severity, string, *fhir.Version, *fhir.Version)) {
	if f.prescribed() == nil {
		for i := range f.prescriptions {
			if p := &f.prescriptions[i]; p.order && p.status == "active" {
				note(S2, "prescription", p.Version, p.Gone)
			}
		}
	}
	for i := range f.dispenses {
		d := &f.dispenses[i]
		if d.Gone == nil || d.status != "completed" {
			continue
		}
		replaced := false
		for j := range f.dispenses {
			later := &f.dispenses[j]
			replaced = replaced || later.live() && later.status == "completed" && !later.when.Before(d.when)
		}
		if !replaced {
			note(S2, "dispense", d.Version, d.Gone)
		}
	}
}

// lastGone calls tell for the gone records of list that counts holds for, when none of the kind is left.
func lastGone[T any](list []record[T], counts func(*T) bool, tell func(*record[T])) {
	for i := range list {
		if list[i].live() && counts(list[i].Value) {
			return
		}
	}
	for i := range list {
		if !list[i].live() && counts(list[i].Value) {
			tell(&list[i])
		}
	}
}

func always[T any](*T) bool { return true }
