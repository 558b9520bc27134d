package readiness

import (
	"cmp"
	"slices"
	"time"

	r4 "github.com/samply/golang-fhir-models/fhir-models/fhir"

	"github.com/kaphub/kaphub/fhir"
)

// release is a Consent to tell this prescriber, or a denial of it.
type release struct {
	record[fhir.Consent]
	permits  bool
	doubt    string    // why the hub cannot apply it, in words
	given    time.Time // when the client gave it
	from, to time.Time // zero: open
}

// consent is a Consent to treatment of one kind.
type consent struct {
	record[fhir.Consent]
	kind     fhir.Code
	given    time.Time
	from, to time.Time // zero: open
	doubt    string    // why it cannot be relied upon, in words
}

// withdrawn reports whether the client took c back: it was set inactive, and nothing since made it active again.
func withdrawn(r record[fhir.Consent]) (bool, *fhir.Version) {
	is, v := r.says(func(c *fhir.Consent) answer {
		switch c.Status.Code() {
		case "inactive", "rejected":
			return yes
		case "active", "entered-in-error":
			return no
		}
		return cannotTell
	})
	return is == yes, v
}

// papers finds what the client signed and what the practice ordered.
func (f *facts) papers() {
	for _, r := range records(f.chart.Consents, f.look) {
		if !practices(r.Version) || copied(r.Value.Identifier) {
			continue
		}
		if told, ok := f.releaseOf(r); ok {
			f.releases = append(f.releases, told)
		}
		for _, kind := range f.kinds() {
			if f.treats(r.Value, kind) {
				f.consents = append(f.consents, f.consentOf(r, kind))
			}
		}
	}
	slices.SortStableFunc(f.releases, func(a, b release) int { return a.given.Compare(b.given) })
	slices.SortStableFunc(f.consents, func(a, b consent) int { return a.given.Compare(b.given) })
	g := fhir.Recogniser{ReferralCodes: f.policy.ReferralCodes, Terms: f.policy.Terms}
	for _, r := range records(f.chart.ServiceRequests, f.look) {
		if !practices(r.Version) || copied(r.Value.Identifier) || !g.IsReferral(*r.Value) {
			continue
		}
		if f.refersTo(r, &f.policy.Prescriber) || len(r.Value.Performer) == 0 && len(f.policy.Others) == 0 {
			f.referrals = append(f.referrals, r)
		} else {
			f.elsewhere = append(f.elsewhere, r)
		}
	}
	slices.SortStableFunc(f.referrals, func(a, b record[fhir.ServiceRequest]) int {
		return cmp.Or(f.instant(a.Recorded(), a.Value.AuthoredOn).Compare(f.instant(b.Recorded(), b.Value.AuthoredOn)), older(a.Version, b.Version))
	})
}

func (f *facts) refersTo(r record[fhir.ServiceRequest], party *Party) bool {
	return slices.ContainsFunc(r.Value.Performer, func(ref fhir.Reference) bool { return f.names(&ref, r.Version, party) })
}

// releaseOf reads r as a release to this prescriber; ok is false when it is none, or names others only.
func (f *facts) releaseOf(r record[fhir.Consent]) (release, bool) {
	c, p := r.Value, r.Value.Provision
	if p == nil || !holds(&c.Scope, fhir.Code{System: fhir.SystemConsentScope, Code: "patient-privacy"}) ||
		!slices.ContainsFunc(c.Category, func(k fhir.CodeableConcept) bool {
			return holds(&k, fhir.Code{System: fhir.SystemActCode, Code: "IDSCL"}) || holds(&k, fhir.Code{System: fhir.SystemLOINC, Code: fhir.LOINCConsentDocument})
		}) {
		return release{}, false
	}
	denies := p.Type != nil && p.Type.Code() == "deny"
	named := denies && len(p.Actor) == 0 // a denial of nobody in particular is one of everybody
	for i := range p.Actor {
		ref := &p.Actor[i].Reference
		named = named || f.names(ref, r.Version, &f.policy.Prescriber) || denies && f.anybody(ref, r.Version)
	}
	if !named {
		return release{}, false
	}
	out := release{record: r}
	var bad bool
	out.from, out.to, bad = f.period(p.Period)
	switch {
	case p.Type == nil:
		out.doubt = "it does not say whether it permits or denies"
	case denies:
	case bad:
		out.doubt = "its period cannot be read"
	case len(p.Provision) > 0:
		out.doubt = "it has exceptions that the hub cannot apply"
	case !Covers(p) || !f.during(p.DataPeriod):
		out.doubt = "it is limited to something else"
	default:
		out.permits = p.Type.Code() == "permit"
	}
	out.given = f.given(r, out.from)
	return out, true
}

// anybody reports whether ref, written in v, may mean the prescriber: it leads to an organization or a clinician of whom
// nothing is known here.
func (f *facts) anybody(ref *fhir.Reference, v *fhir.Version) bool {
	if ref.Reference == nil || len(f.meant(ref, v)) > 0 {
		return false
	}
	to, _, ok := target(ref)
	return !ok || slices.Contains([]string{"Organization", "Practitioner", "PractitionerRole"}, to.Type)
}

// during reports whether now lies in p; none does not limit, one that cannot be read does.
func (f *facts) during(p *fhir.Period) bool {
	from, to, bad := f.period(p)
	return !bad && (from.IsZero() || f.clock.passed(from)) && (to.IsZero() || !f.clock.passed(to))
}

// Covers reports whether what p permits is wide enough for a referral: to be told, for treatment, and not of single records
// or other kinds of record. What p does not speak of, it does not limit. Its periods are not looked at.
func Covers(p *r4.ConsentProvision) bool {
	among := func(codes []fhir.Coding, wanted ...string) bool {
		return len(codes) == 0 || slices.ContainsFunc(codes, func(c fhir.Coding) bool { return slices.Contains(wanted, text(c.Code)) })
	}
	told := len(p.Action) == 0 || slices.ContainsFunc(p.Action, func(a fhir.CodeableConcept) bool {
		return len(a.Coding) > 0 && among(a.Coding, "disclose", "access")
	})
	return told && len(p.Data) == 0 && among(p.Purpose, "TREAT", "ETREAT", "CAREMGT", "COC", "PATRQT") && among(p.Class, "ServiceRequest")
}

// Released returns the version of the practice's record under which this prescriber may be told now; nil when the gate
// "release" would not be met. It is the one predicate by which anything is planned and sent.
func Released(chart fhir.Chart, policy Policy, now time.Time) *fhir.Version {
	f := &facts{chart: &chart, policy: &policy, clock: &clock{now: now}, zone: cmp.Or(policy.Zone, time.UTC)}
	f.papers()
	if r := f.released(); r.now != nil && r.denied == nil {
		return r.now.Version
	}
	return nil
}

// outlived returns the doubt about a paper signed at given when another of its kind was withdrawn by v: that the older
// one is closed on the day the new one is signed is how papers are renewed; withdrawn on a later day, it cannot be told
// whether the client meant this one too.
func (f *facts) outlived(given time.Time, v *fhir.Version) string {
	if v == nil || DayOf(given, f.zone).Plus(1).Start(f.zone).After(v.Recorded()) {
		return ""
	}
	return "another was withdrawn on " + f.on(v.Recorded()) + ", after it was signed"
}

// consentOf reads r as a consent to treatment.
func (f *facts) consentOf(r record[fhir.Consent], kind fhir.Code) consent {
	out := consent{record: r, kind: kind}
	if p := r.Value.Provision; p != nil {
		var bad bool
		out.from, out.to, bad = f.period(p.Period)
		switch {
		case bad:
			out.doubt = "its period cannot be read"
		case p.Type != nil && p.Type.Code() == "deny":
			out.doubt = "it denies something"
		case len(p.Provision) > 0:
			out.doubt = "it has exceptions that the hub cannot apply"
		}
	}
	out.given = f.given(r, out.from)
	return out
}

// given is when the client signed: by the paper's date, else the beginning of its period, else its first record.
func (f *facts) given(r record[fhir.Consent], from time.Time) time.Time {
	if at, _, ok := f.when(r.Value.DateTime); ok {
		return at
	}
	if !from.IsZero() {
		return from
	}
	return r.first()
}

// period reads p; an end that is only a date lasts to the end of that day. bad means that a side cannot be read.
func (f *facts) period(p *fhir.Period) (from, to time.Time, bad bool) {
	if p == nil {
		return time.Time{}, time.Time{}, false
	}
	var ok bool
	if p.Start != nil {
		if from, _, ok = f.when(p.Start); !ok {
			bad = true
		}
	}
	if p.End != nil {
		if _, to, ok = f.when(p.End); !ok {
			bad = true
		}
	}
	return from, to, bad || !from.IsZero() && !to.IsZero() && !from.Before(to)
}

// kinds are the treatment consents that must be signed.
func (f *facts) kinds() []fhir.Code {
	if len(f.policy.Consents) == 0 {
		return defaultConsents
	}
	return f.policy.Consents
}

var defaultConsents = []fhir.Code{{System: fhir.SystemKAP, Code: fhir.CodeTreatmentConsent}}

// treats reports whether c is a consent to treatment of that kind.
func (f *facts) treats(c *fhir.Consent, kind fhir.Code) bool {
	return holds(&c.Scope, fhir.Code{System: fhir.SystemConsentScope, Code: "treatment"}) &&
		slices.ContainsFunc(c.Category, func(k fhir.CodeableConcept) bool {
			return f.code(fhir.Practice, &k, kind.System) == kind.Code
		})
}

// holds reports whether concept has code as it stands, without translation.
func holds(concept *fhir.CodeableConcept, code fhir.Code) bool {
	return concept != nil && slices.ContainsFunc(concept.Coding, func(c fhir.Coding) bool {
		return c.System != nil && c.Code != nil && *c.System == code.System && *c.Code == code.Code
	})
}
