package plan

import (
	"slices"
	"strings"
	"time"

	r4 "github.com/samply/golang-fhir-models/fhir-models/fhir"

	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/readiness"
)

// Why a release does not let anything leave, in words that name nobody.
const (
	whyEnded     = "the release has ended or was withdrawn"
	whyChanged   = "the release changed since: it is staged anew under the new one"
	whyNotNamed  = "the release does not name this prescriber"
	whyOutside   = "outside the release's period"
	whyForbids   = "the release does not permit it"
	whyException = "the release has exceptions that the hub cannot apply"
	whyDenied    = "another record denies disclosure to this prescriber"
	whyLimited   = "the release is limited to something else"
	whyOther     = "it is written for a record that is not, or may not be, this client's"
	whyReferral  = "no active referral stands behind it"
	whyUnlinked  = "the client is no longer linked"
)

// release returns the newest release under which this prescriber may be told now.
func (s *situation) release() (fhir.Seen[fhir.Consent], bool) {
	var best fhir.Seen[fhir.Consent]
	found := false
	for _, c := range fhir.Now(fhir.Of(fhir.Practice, s.chart.Consents)) {
		if s.permits(c) == "" && (!found || !s.given(c).Before(s.given(best))) {
			best, found = c, true
		}
	}
	return best, found
}

// permits answers "" when c lets the prescriber be told now, else why not.
func (s *situation) permits(c fhir.Seen[fhir.Consent]) string {
	if fhir.IsCopy(c.Resource) || !privacy(c.Value) || c.Value.Provision == nil {
		return whyForbids
	}
	if c.Value.Status.Code() != "active" {
		return whyEnded
	}
	p := c.Value.Provision
	if p.Type == nil || p.Type.Code() != "permit" {
		return whyForbids
	}
	if !s.actor(c, p.Actor) {
		return whyNotNamed
	}
	if !s.within(p.Period) {
		return whyOutside
	}
	if len(p.Provision) > 0 {
		return whyException
	}
	if !s.covers(p) {
		return whyLimited
	}
	if s.denied(s.given(c)) {
		return whyDenied
	}
	if s.ended(s.given(c)) || !s.open() {
		return whyEnded
	}
	return ""
}

// open reports whether the gate "release" is met: nothing is told on which the readiness verdict would not rest.
func (s *situation) open() bool {
	if !s.asked {
		s.asked, s.mayTell = true, readiness.Released(s.chart, s.policy, s.now) != nil
	}
	return s.mayTell
}

// covers reports whether a permission is wide enough for a referral: to be told, for treatment, and not of single records
// or other kinds of record. What p does not speak of, it does not limit.
func (s *situation) covers(p *r4.ConsentProvision) bool {
	return readiness.Covers(p) && s.within(p.DataPeriod)
}

// ended reports whether the client withdrew a release to this prescriber that was given no earlier than given: what was
// signed last decides, and its withdrawal brings no older one back.
func (s *situation) ended(given time.Time) bool {
	return slices.ContainsFunc(fhir.Now(fhir.Of(fhir.Practice, s.chart.Consents)), func(c fhir.Seen[fhir.Consent]) bool {
		p := c.Value.Provision
		return !fhir.IsCopy(c.Resource) && privacy(c.Value) && slices.Contains([]string{"inactive", "rejected"}, c.Value.Status.Code()) &&
			p != nil && (p.Type == nil || p.Type.Code() != "deny") && s.actor(c, p.Actor) && !s.given(c).Before(given)
	})
}

// denied reports whether a record that is no older than given says that this prescriber must not be told. One that names
// nobody means everybody, and one that cannot be told to mean others, or another time, is taken to mean this.
func (s *situation) denied(given time.Time) bool {
	return slices.ContainsFunc(fhir.Now(fhir.Of(fhir.Practice, s.chart.Consents)), func(c fhir.Seen[fhir.Consent]) bool {
		p := c.Value.Provision
		return !fhir.IsCopy(c.Resource) && privacy(c.Value) && c.Value.Status.Code() == "active" &&
			p != nil && p.Type != nil && p.Type.Code() == "deny" && s.mayName(c, p.Actor) && s.mayHold(p.Period) &&
			!s.givenLast(c).Before(given)
	})
}

// given is when the client signed c: by the paper's date, else the beginning of its period, else when it was recorded. A
// date that is still to come is a mistake, and outdoes nothing.
func (s *situation) given(c fhir.Seen[fhir.Consent]) time.Time {
	if t := s.moment(c.Value.DateTime); !t.IsZero() && !t.After(s.now) {
		return t
	}
	if p := c.Value.Provision; p != nil && p.Period != nil {
		if t := s.moment(p.Period.Start); !t.IsZero() && !t.After(s.now) {
			return t
		}
	}
	return c.Recorded()
}

// givenLast is the last moment at which c may have been given: a date without an hour may mean its evening.
func (s *situation) givenLast(c fhir.Seen[fhir.Consent]) time.Time {
	at := s.given(c)
	if c.Value.DateTime == nil {
		return at
	}
	if from, to, err := fhir.Span(*c.Value.DateTime, s.zone); err == nil && from.Equal(at) {
		return to
	}
	return at
}

// privacy reports whether c is about releasing information, as fhir.md section 8 recognises it.
func privacy(c *fhir.Consent) bool {
	return has(&c.Scope, fhir.Code{System: fhir.SystemConsentScope, Code: "patient-privacy"}) &&
		slices.ContainsFunc(c.Category, func(cc fhir.CodeableConcept) bool {
			return has(&cc, fhir.Code{System: fhir.SystemActCode, Code: "IDSCL"}) ||
				has(&cc, fhir.Code{System: fhir.SystemLOINC, Code: fhir.LOINCConsentDocument})
		})
}

// within reports whether now lies in p; an open side does not limit, one that cannot be read does.
func (s *situation) within(p *fhir.Period) bool {
	if p == nil {
		return true
	}
	if p.Start != nil {
		if from, _, err := fhir.Span(*p.Start, s.zone); err != nil || s.now.Before(from) {
			return false
		}
	}
	if p.End != nil {
		if _, to, err := fhir.Span(*p.End, s.zone); err != nil || s.now.After(to) {
			return false
		}
	}
	return true
}

// mayHold is within, but for a side that cannot be read: that does not limit.
func (s *situation) mayHold(p *fhir.Period) bool {
	if p == nil {
		return true
	}
	if p.Start != nil {
		if from, _, err := fhir.Span(*p.Start, s.zone); err == nil && s.now.Before(from) {
			return false
		}
	}
	if p.End != nil {
		if _, to, err := fhir.Span(*p.End, s.zone); err == nil && s.now.After(to) {
			return false
		}
	}
	return true
}

// mayName is actor, and true too for nobody in particular, and for one whose reference leads to nobody known here.
func (s *situation) mayName(c fhir.Seen[fhir.Consent], actors []r4.ConsentProvisionActor) bool {
	return len(actors) == 0 || s.actor(c, actors) || slices.ContainsFunc(actors, func(a r4.ConsentProvisionActor) bool {
		if a.Reference.Reference == nil || len(s.known(c.Version, a.Reference, 2)) > 0 {
			return false
		}
		to, ok := s.own(c.Source, *a.Reference.Reference)
		return !ok || slices.Contains([]string{"Organization", "Practitioner", "PractitionerRole"}, to.Type)
	})
}

func (s *situation) actor(c fhir.Seen[fhir.Consent], actors []r4.ConsentProvisionActor) bool {
	return slices.ContainsFunc(actors, func(a r4.ConsentProvisionActor) bool {
		return s.names(c.Version, a.Reference, s.policy.Prescriber)
	})
}

// names reports whether a reference in v means party: by a business identifier in the reference, in the resource it
// contains, or in the directory entry it leads to. A display alone names nobody.
func (s *situation) names(v *fhir.Version, ref fhir.Reference, party readiness.Party) bool {
	return slices.ContainsFunc(s.known(v, ref, 2), func(id fhir.ID) bool { return slices.Contains(party.Identifiers, id) })
}

// known returns the business identifiers of whom a reference in v means, following a role to its organization and
// practitioner at most depth steps.
func (s *situation) known(v *fhir.Version, ref fhir.Reference, depth int) []fhir.ID {
	var ids []fhir.ID
	if ref.Identifier != nil && ref.Identifier.System != nil && ref.Identifier.Value != nil {
		ids = append(ids, fhir.ID{System: *ref.Identifier.System, Value: *ref.Identifier.Value})
	}
	if ref.Reference == nil || depth == 0 {
		return ids
	}
	if strings.HasPrefix(*ref.Reference, "#") {
		return append(ids, fhir.ContainedIdentifiers(v.Resource, *ref.Reference)...)
	}
	to, ok := s.own(v.Source, *ref.Reference)
	if !ok {
		return ids
	}
	key := fhir.Key{Source: v.Source, Type: to.Type, ID: to.ID}
	if o, ok := latest(s.chart.Organizations, key); ok {
		ids = append(ids, fhir.Identifiers(o.Resource)...)
	}
	if p, ok := latest(s.chart.Practitioners, key); ok {
		ids = append(ids, fhir.Identifiers(p.Resource)...)
	}
	if r, ok := latest(s.chart.PractitionerRoles, key); ok {
		ids = append(ids, fhir.Identifiers(r.Resource)...)
		for _, next := range []*fhir.Reference{r.Value.Organization, r.Value.Practitioner} {
			if next != nil {
				ids = append(ids, s.known(r.Version, *next, depth-1)...)
			}
		}
	}
	return ids
}

// own is local for a reference written by source: one that leads to another server than its own means nobody there.
func (s *situation) own(source, literal string) (fhir.Ref, bool) {
	base := strings.TrimRight(s.policy.Bases[source], "/")
	if base != "" && strings.Contains(literal, "://") && !strings.HasPrefix(literal, base+"/") {
		return fhir.Ref{}, false
	}
	return local(literal)
}

// local reads a literal reference by the resource it names; an absolute one is taken for its own server's, where only
// what that server told is looked up.
func local(literal string) (fhir.Ref, bool) {
	if scheme, rest, absolute := strings.Cut(literal, "://"); absolute && (scheme == "http" || scheme == "https") {
		rest, _, _ = strings.Cut(rest, "/_history/")
		parts := strings.Split(rest, "/")
		if len(parts) < 3 {
			return fhir.Ref{}, false
		}
		literal = parts[len(parts)-2] + "/" + parts[len(parts)-1]
	}
	return fhir.ParseRef(literal, "")
}

// latest returns the latest version of key in list, unless it is gone.
func latest[T any](list []fhir.Seen[T], key fhir.Key) (fhir.Seen[T], bool) {
	for _, v := range list {
		if v.Key == key && v.Latest && !v.Gone {
			return v, true
		}
	}
	return fhir.Seen[T]{}, false
}

func has(cc *fhir.CodeableConcept, want fhir.Code) bool {
	return cc != nil && slices.ContainsFunc(cc.Coding, func(c fhir.Coding) bool {
		return c.System != nil && c.Code != nil && *c.System == want.System && *c.Code == want.Code
	})
}

// moment reads a FHIR time as its first instant; zero when there is none to read.
func (s *situation) moment(text *string) time.Time {
	if text == nil {
		return time.Time{}
	}
	from, _, err := fhir.Span(*text, s.zone)
	if err != nil {
		return time.Time{}
	}
	return from
}
