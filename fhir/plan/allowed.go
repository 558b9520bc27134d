package plan

import (
	"slices"
	"time"

	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/exchange"
	"github.com/kaphub/kaphub/fhir/readiness"
)

// Allowed answers at send time whether d may leave now: its release is still the one it rests on, active, and names
// the prescriber, and an active referral stands behind it; what goes home may go while the client is linked. why is a
// coded sentence when it may not: then d is to be withdrawn, and Plan stages it anew if it is wanted under what holds now.
func Allowed(d exchange.Delivery, chart fhir.Chart, policy readiness.Policy, now time.Time) (ok bool, why string) {
	s := survey(chart, policy, nil, now)
	switch {
	case d.To == fhir.Practice:
		why = s.linked()
	case d.Release == nil, d.To != s.prescriber:
		why = whyNotNamed
	default:
		why = s.released(d)
	}
	return why == "", why
}

// linked answers "" while the client is linked at both sides.
func (s *situation) linked() string {
	at := func(sources []string) bool {
		return slices.ContainsFunc(s.chart.Links, func(l fhir.Link) bool {
			return slices.Contains(sources, l.Source) && l.How != fhir.Candidate
		})
	}
	if !at(s.policy.Practice.Sources) || !at(s.policy.Prescriber.Sources) {
		return whyUnlinked
	}
	return ""
}

// released answers "" while d's release and referral hold.
func (s *situation) released(d exchange.Delivery) string {
	release, ok := latest(s.chart.Consents, fhir.Key{Source: d.Release.Source, Type: d.Release.Type, ID: d.Release.ID})
	if !ok || release.Party != fhir.Practice {
		return whyEnded
	}
	if why := s.permits(release); why != "" {
		return why
	}
	if release.N != d.Release.Version {
		return whyChanged
	}
	if d.What != exchange.WhatPatient && d.What != exchange.WhatPacket { // a packet names no record of theirs
		if patient, ok := fhir.Subject(fhir.Resource{Type: d.Type, Body: d.Body}); !ok || !s.fits(patient) {
			return whyOther
		}
	}
	if slices.Contains(talks, d.What) {
		if !s.newest(d) {
			return whyOverheard
		}
		return ""
	}
	if !slices.ContainsFunc(s.referrals(), func(r referral) bool { return lane(r.Key) == d.Lane }) {
		return whyReferral
	}
	return ""
}
