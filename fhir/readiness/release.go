package readiness

import (
	"cmp"
	"slices"
	"strings"
	"time"

	r4 "github.com/samply/golang-fhir-models/fhir-models/fhir"

	"github.com/kaphub/kaphub/fhir"
)

// release is a Consent to tell this prescriber, or a denial of it.
type release struct {
	record[fhir.Consent]
	permits   bool
	doubt     string    // why the hub cannot apply it, in words
	given     time.Time // when the client gave it
	givenLast time.Time // the last moment at which they may have: a date without an hour may mean its evening
	from, to  time.Time // zero: open
}

// Why a release does not let the prescriber be told, in words that name nobody.
const (
	whyEnded   = "the release has ended or was withdrawn"
	whyOutside = "outside the release's period"
	whyForbids = "the release does not permit it"
	whyDenied  = "another record denies disclosure to this prescriber"
)

// Release is one of the practice's records about telling this prescriber, and why it does not let them be told now: "" when
// it does.
type Release struct {
	*fhir.Version
	Why string
}

// Released returns the practice's records about telling this prescriber, the one given last last. While the gate "release"
// is not met none of them lets anybody be told. It is the one judgement by which anything is shown, planned and sent; a
// record that names others only is not among them.
func Released(chart fhir.Chart, policy Policy, now time.Time) []Release {
	f := &facts{chart: &chart, policy: &policy, clock: &clock{now: now}, zone: cmp.Or(policy.Zone, time.UTC)}
	f.papers()
	s := f.released()
	out := make([]Release, len(f.releases))
	for i := range f.releases {
		out[i] = Release{f.releases[i].Version, s.why[i]}
		if out[i].Why == "" && (s.now == nil || s.denied != nil) {
			out[i].Why = whyEnded
		}
	}
	return out
}

// Covers reports whether what p permits is wide enough for a referral: to be told, for treatment, and not of single records,
// other kinds of record, one kind of content or what bears a label, but for how confidential it is. What p does not speak of, it does not limit. Its periods are not looked at.
func Covers(p *r4.ConsentProvision) bool {
	among := func(codes []fhir.Coding, wanted ...string) bool {
		return len(codes) == 0 || slices.ContainsFunc(codes, func(c fhir.Coding) bool { return slices.Contains(wanted, text(c.Code)) })
	}
	told := len(p.Action) == 0 || slices.ContainsFunc(p.Action, func(a fhir.CodeableConcept) bool {
		return len(a.Coding) > 0 && among(a.Coding, "disclose", "access")
	})
	labelled := slices.ContainsFunc(p.SecurityLabel, func(c fhir.Coding) bool { return text(c.System) != fhir.SystemConfidential })
	return told && len(p.Data)+len(p.Code) == 0 && !labelled && among(p.Purpose, "TREAT", "ETREAT", "CAREMGT", "COC", "PATRQT") && among(p.Class, "ServiceRequest")
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
		named = named || slices.ContainsFunc(f.whom(ref, r.Version), f.policy.Prescriber.is) || denies && f.anybody(ref, r.Version)
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
	case denies && bad:
		out.from, out.to = time.Time{}, time.Time{} // whenever it was meant for
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
	out.givenLast = out.given
	if at, end, ok := f.when(c.DateTime); ok && at.Equal(out.given) {
		out.givenLast = end.Add(-time.Nanosecond)
	}
	if began := r.since(denying); denies && began.After(r.first()) && began.After(out.givenLast) {
		out.givenLast = began // it said something else before
	}
	return out, true
}

// denying reports whether c is an active denial.
func denying(c *fhir.Consent) bool {
	p := c.Provision
	return c.Status.Code() == "active" && p != nil && p.Type != nil && p.Type.Code() == "deny"
}

// anybody reports whether ref, written in v, may mean the prescriber: it leads to an organization or a clinician of whom
// nothing is known here, or only gives somebody a name.
func (f *facts) anybody(ref *fhir.Reference, v *fhir.Version) bool {
	if len(f.whom(ref, v)) > 0 {
		return false
	}
	to, _, ok := target(ref)
	kind := cmp.Or(to.Type, text(ref.Type))
	return !ok && kind == "" || slices.Contains([]string{"Organization", "Practitioner", "PractitionerRole"}, kind)
}

// whom is meant for a reference of which it matters that it may lead to another server than v's own, where that is known:
// who bears its id here is somebody else.
func (f *facts) whom(ref *fhir.Reference, v *fhir.Version) []fhir.ID {
	base, literal := strings.TrimRight(f.policy.Bases[v.Source], "/"), text(ref.Reference)
	if base != "" && strings.Contains(literal, "://") && !strings.HasPrefix(literal, base+"/") {
		return f.identities(&fhir.Reference{Identifier: ref.Identifier}, v.Source, 0)
	}
	return f.meant(ref, v)
}

// during reports whether now lies in p; none does not limit, one that cannot be read does.
func (f *facts) during(p *fhir.Period) bool {
	from, to, bad := f.period(p)
	return !bad && (from.IsZero() || f.clock.passed(from)) && (to.IsZero() || !f.clock.passed(to))
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

// permission says how the releases to this prescriber stand now.
type permission struct {
	now, doubtful, over, early, denied *release
	withdrawn                          *fhir.Version
	why                                []string // of each release, why it does not count; "" when it does
}

// released finds the release that counts. The one given last decides: a withdrawal ends what was given before it, and a
// denial outdoes what was not surely given after it. It is worked out once.
func (f *facts) released() *permission {
	if f.release == nil {
		f.release = f.findRelease()
	}
	return f.release
}

func (f *facts) findRelease() *permission {
	s := &permission{why: make([]string, 0, len(f.releases))}
	var ended time.Time
	for i := range f.releases {
		r := &f.releases[i]
		if is, v := withdrawn(r.record); is && !r.given.Before(ended) {
			ended, s.withdrawn = r.given, v
		}
	}
	for i := range f.releases {
		s.why = append(s.why, f.weigh(s, &f.releases[i], ended))
	}
	for i := range f.releases {
		if s.why[i] == "" && f.outdone(&f.releases[i]) != nil {
			s.why[i] = whyDenied
		}
	}
	if s.now != nil {
		s.denied = f.outdone(s.now)
	}
	if s.now != nil || s.doubtful != nil {
		s.withdrawn = nil
	}
	return s
}

// weigh notes in s what r is, given that what was given up to ended was withdrawn, and answers why it does not count.
func (f *facts) weigh(s *permission, r *release, ended time.Time) string {
	if !r.live() || r.Value.Status.Code() != "active" {
		return whyEnded
	}
	if r.permits && !f.clock.passed(r.given.Add(-f.policy.Rules.Skew)) {
		s.early = r
		return whyOutside
	}
	switch begun, over := f.begun(r), f.ended(r); {
	case s.withdrawn != nil && !r.given.After(ended) && (r.permits || r.doubt != ""):
		return whyEnded
	case r.doubt != "":
		s.doubtful = r
		return r.doubt
	case !r.permits:
		if begun && !over {
			s.denied = r
		}
		return whyForbids
	case f.outlived(r.given, s.withdrawn) != "":
		doubted := *r
		doubted.doubt = f.outlived(r.given, s.withdrawn)
		s.doubtful = &doubted
		return doubted.doubt
	case over:
		s.over = r
		return whyOutside
	case !begun:
		s.early = r
		return whyOutside
	}
	s.now = r
	return ""
}

func (f *facts) begun(r *release) bool { return r.from.IsZero() || f.clock.passed(r.from) }
func (f *facts) ended(r *release) bool { return !r.to.IsZero() && f.clock.passed(r.to) }

// outdone returns the denial that stands now and was perhaps not given before r; nil when there is none.
func (f *facts) outdone(r *release) (by *release) {
	for i := range f.releases {
		d := &f.releases[i]
		if d.live() && d.Value.Status.Code() == "active" && !d.permits && d.doubt == "" && f.begun(d) && !f.ended(d) && !d.givenLast.Before(r.given) {
			by = d
		}
	}
	return by
}
