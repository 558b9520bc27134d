package plan

import (
	"slices"
	"strings"
	"time"

	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/readiness"
)

// Why a delivery must not leave, in words that name nobody.
const (
	whyEnded     = "the release has ended or was withdrawn"
	whyChanged   = "the release changed since: it is staged anew under the new one"
	whyNotNamed  = "the release does not name this prescriber"
	whyOther     = "it is written for a record that is not, or may not be, this client's"
	whyReferral  = "no active referral stands behind it"
	whyOverheard = "the practice says something else since"
	whyUnlinked  = "the client is no longer linked"
)

// release returns the release given last under which this prescriber may be told now.
func (s *situation) release() (fhir.Seen[fhir.Consent], bool) {
	for _, r := range slices.Backward(s.releases()) {
		if c, ok := latest(s.chart.Consents, r.Key); ok && r.Why == "" && c.N == r.N {
			return c, true
		}
	}
	return fhir.Seen[fhir.Consent]{}, false
}

// permits answers "" when c lets the prescriber be told now, else why not. One of which the source has told in older words
// since does not: which of them it means is read again first.
func (s *situation) permits(c fhir.Seen[fhir.Consent]) string {
	for _, r := range s.releases() {
		if r.Key == c.Key && r.Party == c.Party {
			if r.Why == "" && r.N != c.N {
				return whyChanged
			}
			return r.Why
		}
	}
	return whyNotNamed
}

// releases are readiness's judgement of the practice's releases, asked once.
func (s *situation) releases() []readiness.Release {
	if !s.asked {
		s.asked, s.judged = true, readiness.Released(s.chart, s.policy, s.now)
	}
	return s.judged
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
