package readiness

import (
	"cmp"
	"slices"
	"time"

	"github.com/kaphub/kaphub/fhir"
)

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
	f.passed = f.passedOn(g)
	for _, r := range records(f.chart.ServiceRequests, f.look) {
		if !practices(r.Version) || copied(r.Value.Identifier) || !g.IsReferral(*r.Value) {
			continue
		}
		if f.asks(r, &f.policy.Prescriber) || len(r.Value.Performer) == 0 && len(f.policy.Others) == 0 {
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
