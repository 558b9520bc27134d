package plan

import (
	"slices"
	"time"

	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/exchange"
	"github.com/kaphub/kaphub/fhir/readiness"
)

// Allowed answers at send time whether d may leave now: its release is still the one it rests on, active, and names
// the prescriber, and an active referral stands behind it; what goes home may go while the client is linked, and the records
// it comes from and goes into are theirs beyond doubt. why is a coded sentence when it may not: then d is to be withdrawn, and Plan stages it anew if it is wanted under what holds now.
func Allowed(d exchange.Delivery, chart fhir.Chart, policy readiness.Policy, now time.Time) (ok bool, why string) {
	s := survey(chart, policy, nil, now)
	switch {
	case d.To == fhir.Practice:
		why = s.goesHome(d)
	case d.Release == nil, d.To != s.prescriber:
		why = whyNotNamed
	default:
		why = s.released(d)
	}
	return why == "", why
}

// linked answers "" while the client is linked at both sides, and no record there may as well be theirs.
func (s *situation) linked() string {
	for _, l := range s.chart.Links {
		if l.Likely() && (s.policy.Prescriber.Tells(l.Source) || s.policy.Practice.Tells(l.Source)) {
			return whyOther
		}
	}
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

// goesHome answers "" while d rests on records that are the client's and goes into one that is.
func (s *situation) goesHome(d exchange.Delivery) string {
	if why := s.linked(); why != "" {
		return why
	}
	home, ok := s.whose(fhir.Resource{Type: d.Type, Body: d.Body}, s.policy.Practice.Sources...)
	here := false
	for _, l := range s.chart.Links {
		here = here || l.How != fhir.Candidate && slices.Contains(s.policy.Practice.Sources, l.Source) && l.Patient == home.ID
	}
	if !ok || !here {
		return whyOther
	}
	for _, b := range d.Rests {
		if !charted(b, s.chart.Tasks) && !charted(b, s.chart.Observations) && !charted(b, s.chart.MedicationRequests) && !charted(b, s.chart.MedicationDispenses) {
			return whyOther
		}
	}
	return ""
}

// charted reports whether b is a version of the client's, or one that such a one is carried in.
func charted[T any](b fhir.Basis, list []fhir.Seen[T]) bool {
	return slices.ContainsFunc(list, func(v fhir.Seen[T]) bool { return v.Basis() == b })
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
		if patient, ok := s.whose(fhir.Resource{Type: d.Type, Body: d.Body}, s.policy.Prescriber.Sources...); !ok || !s.fits(patient) {
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
