package plan

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/exchange"
	"github.com/kaphub/kaphub/fhir/readiness"
)

// outward returns, for each referral to the prescriber, the next step that is missing there: Patient, Consent,
// ServiceRequest, coordination Task; and what is said of a referral afterwards. Nothing without a release.
func (s *situation) outward() []exchange.Delivery {
	release, ok := s.release()
	if !ok {
		return nil
	}
	if s.policy.Prescriber.Packet {
		return s.address(append(s.questions(), s.packets(release)...), release)
	}
	var wanted []exchange.Delivery
	for _, r := range s.referrals() {
		if s.answered(r) {
			continue
		}
		if d, ok := s.step(r, release); ok {
			d.Lane = lane(r.Key)
			wanted = append(wanted, d)
		}
	}
	return s.address(append(wanted, s.conversation()...), release)
}

// questions ask a prescriber who can be read, and to whom nothing can be written, whether they know the client: then what
// they record is read. Nothing is made there by it.
func (s *situation) questions() (wanted []exchange.Delivery) {
	p := s.policy.Prescriber
	if len(p.Sources) == 0 || p.Takes == nil || p.Accepts("Patient") || p.Lacks("Patient") {
		return nil
	}
	for _, r := range s.referrals() {
		if _, known := s.patientThere(r); known || s.answered(r) {
			continue
		}
		if d, ok := s.patient(r); ok {
			d.Lane = lane(r.Key) // the packet follows
			wanted = append(wanted, d)
		}
	}
	return wanted
}

// address says to whom these go and under which release.
func (s *situation) address(wanted []exchange.Delivery, release fhir.Seen[fhir.Consent]) []exchange.Delivery {
	for i := range wanted {
		d := &wanted[i]
		d.To = s.prescriber
		d.Occasion += " under " + at(release.Version)
		if less := s.policy.Withhold; len(less) > 0 {
			d.Occasion += " less " + strings.Join(less, " ") // told with less, it is another telling
		}
		basis := release.Basis()
		d.Release = &basis
		*d = s.fill(*d)
	}
	return wanted
}

// lane is where the deliveries of one referral queue.
func lane(referral fhir.Key) string { return "referral " + referral.String() }

type referral = fhir.Seen[fhir.ServiceRequest]

// referrals returns the practice's active referrals to this prescriber.
func (s *situation) referrals() []referral {
	return slices.DeleteFunc(fhir.Now(fhir.Of(fhir.Practice, s.chart.ServiceRequests)), func(r referral) bool {
		return fhir.IsCopy(r.Resource) || r.Value.Status.Code() != "active" || !s.refers(r)
	})
}

// Refers reports whether an active referral of the practice to the policy's prescriber is on file.
func Refers(c fhir.Chart, p readiness.Policy) bool {
	return len(survey(c, p, nil, time.Time{}).referrals()) > 0
}

// refers reports whether r asks this prescriber for an evaluation, whatever became of it.
func (s *situation) refers(r referral) bool {
	asks := fhir.Recogniser{ReferralCodes: s.policy.ReferralCodes, Terms: s.policy.Terms}
	if r.Value.DoNotPerform != nil && *r.Value.DoNotPerform || !asks.IsReferral(*r.Value) {
		return false
	}
	if slices.Contains(s.passedOn(), r.Key) {
		return true
	}
	if len(r.Value.Performer) == 0 {
		return len(s.policy.Others) == 0 // with one prescriber there is nobody else to mean
	}
	return slices.ContainsFunc(r.Value.Performer, func(p fhir.Reference) bool {
		return s.names(r.Version, p, s.policy.Prescriber)
	})
}

// passedOn returns the referrals that a Task of the practice's passes on to this prescriber.
func (s *situation) passedOn() []fhir.Key {
	if !s.sought {
		s.sought, s.passed = true, readiness.Passed(s.chart, s.policy, s.now)
	}
	return s.passed
}

// answered reports whether the prescriber has taken up or turned down the referral by another way than ours: a decision,
// or a coordination Task of its own, that is later than the referral or names it; turned down only if it names it. A
// decision means accepted (law 6), and asking again would only double the work. An older decision answers an older referral.
func (s *situation) answered(r referral) bool {
	since := s.moment(r.Value.AuthoredOn)
	if since.IsZero() {
		since = r.Recorded()
	}
	decided := slices.ContainsFunc(fhir.Now(fhir.Of(s.prescriber, s.chart.Observations)), func(o fhir.Seen[fhir.Observation]) bool {
		if !s.clearance(o) || !slices.Contains([]string{"final", "amended", "corrected"}, o.Value.Status.Code()) {
			return false
		}
		return slices.ContainsFunc(o.Value.BasedOn, func(ref fhir.Reference) bool { return s.means(ref, r) }) ||
			!s.told(o.Value.Issued, o.Version).Before(since)
	})
	reported := slices.ContainsFunc(fhir.Now(fhir.Of(s.prescriber, s.chart.DiagnosticReports)), func(d fhir.Seen[fhir.DiagnosticReport]) bool {
		if !s.reports(d.Value) || !slices.Contains([]string{"final", "amended", "corrected", "appended"}, d.Value.Status.Code()) {
			return false
		}
		return slices.ContainsFunc(d.Value.BasedOn, func(ref fhir.Reference) bool { return s.means(ref, r) }) ||
			!s.told(d.Value.Issued, d.Version).Before(since)
	})
	return decided || reported || slices.ContainsFunc(fhir.Now(fhir.Of(s.prescriber, s.chart.Tasks)), func(t fhir.Seen[fhir.Task]) bool {
		if fhir.IsCopy(t.Resource) || s.sent(t.Version) {
			return false
		}
		if s.about(t, r) {
			return slices.Contains(taken, t.Value.Status.Code()) || slices.Contains(declined, t.Value.Status.Code())
		}
		return slices.Contains(taken, t.Value.Status.Code()) && has(t.Value.Code, fulfil) && !s.told(t.Value.AuthoredOn, t.Version).Before(since)
	})
}

// reports reports whether a report concludes with a decision on clearance.
func (s *situation) reports(r *fhir.DiagnosticReport) bool {
	return slices.ContainsFunc(r.ConclusionCode, func(c fhir.CodeableConcept) bool {
		_, reading := s.policy.Terms.Code(s.prescriber, &c, fhir.SystemDecision)
		return reading == fhir.Mapped
	})
}

// declined are the Task states in which the prescriber has said no to the very referral that the Task names: asking again
// is the practice's to decide, with a new referral.
var declined = []string{"rejected", "cancelled", "failed"}

// taken are the Task states in which somebody has the referral in hand.
var taken = []string{"requested", "received", "accepted", "ready", "in-progress", "on-hold", "completed"}

var fulfil = fhir.Code{System: fhir.SystemTaskCode, Code: "fulfill"}

// told returns when the owner says it happened, else when it was recorded.
func (s *situation) told(text *string, v *fhir.Version) time.Time {
	if t := s.moment(text); !t.IsZero() {
		return t
	}
	return v.Recorded()
}

// step returns the next delivery of the referral's lane; ok is false when nothing is missing or nothing may go.
//
//	the prescriber's systems take    what goes there
//	all four                         Patient, Consent, ServiceRequest, Task
//	no Task                          Patient, Consent, ServiceRequest
//	no Consent                       the referral without a copy of the release, on which it rests all the same
//	no Patient                       the question whether they know the client; if they do, the others
//	no ServiceRequest                nothing: neither a client nor a Task without what it is about says anything
//
// Whom they know already is read first: they may have taken the client up by another way.
func (s *situation) step(r referral, release fhir.Seen[fhir.Consent]) (d exchange.Delivery, ok bool) {
	takes := s.policy.Prescriber.Accepts
	taskCopy := s.copyThere(exchange.WhatTask, r.Key)
	if _, done := s.there(taskCopy); done {
		return d, false
	}
	request, err := s.trim(r.Version)
	if err != nil {
		return d, false // labelled restricted: none of the lane leaves, so that nobody is announced for nothing
	}
	if _, err := s.trim(release.Version); err != nil {
		return d, false
	}
	patient, ok := s.patientThere(r)
	if !ok && takes("Patient") && !takes("ServiceRequest") {
		return d, false // a client whom nothing follows is not announced
	}
	if !ok {
		return s.patient(r) // where no Patient is taken, this only asks whether they know the client
	}
	if s.unread(r) || !takes("ServiceRequest") {
		return d, false
	}
	consentCopy := s.copyThere(exchange.WhatConsent, release.Key)
	consent, ok := s.stands(consentCopy)
	if takes("Consent") && (!ok || !slices.Contains(consent.Rests, release.Basis())) {
		return s.consent(release, patient, consentCopy)
	}
	referralCopy := s.copyThere(exchange.WhatReferral, r.Key)
	there, ok := s.there(referralCopy)
	if !ok {
		return s.request(r, request, patient, consent.Receipt, referralCopy)
	}
	if !takes("Task") {
		return d, false
	}
	return s.task(r, there, patient, taskCopy)
}

func (s *situation) copyThere(what exchange.What, original fhir.Key) fhir.ID {
	return exchange.CopyID(s.chart.Client, s.prescriber, what, original)
}

// unread reports whether the client's Patient at the prescriber is theirs, and was not read to the beginning yet.
func (s *situation) unread(r referral) bool {
	subject, ok := s.subject(r.Version)
	if !ok || s.policy.Prescriber.Lacks("Patient") || len(s.policy.Prescriber.Sources) == 0 {
		return false
	}
	e, ok := s.stands(s.copyThere(exchange.WhatPatient, subject.Key))
	return ok && slices.Contains(e.Receipt.Codes, exchange.CodeTheirs) && !slices.ContainsFunc(s.chart.Links, func(l fhir.Link) bool {
		return slices.Contains(s.policy.Prescriber.Sources, l.Source) && l.Patient == e.Receipt.Ref.ID && l.ReadBack
	})
}

// patientThere returns the client's Patient at the prescriber: the one we made, unless another is linked, else the one
// that is. One that was deleted there is none: what names it would dangle.
func (s *situation) patientThere(r referral) (ref fhir.Ref, ok bool) {
	if subject, known := s.subject(r.Version); known {
		ref, ok = s.there(s.copyThere(exchange.WhatPatient, subject.Key))
	}
	if !ok || !s.fits(ref) {
		ref, ok = s.patientAt(s.policy.Prescriber.Sources)
	}
	gone := slices.ContainsFunc(s.chart.Patients, func(p fhir.Seen[fhir.Patient]) bool {
		return p.Party == s.prescriber && p.Ref() == ref && p.Latest && p.Gone
	})
	return ref, ok && !gone
}

// whose is fhir.SubjectAt for a record that stands, or is to stand, at one of sources, each of which may write full addresses.
func (s *situation) whose(r fhir.Resource, sources ...string) (ref fhir.Ref, ok bool) {
	if ref, ok = fhir.Subject(r); ok {
		return ref, ok
	}
	for _, source := range sources {
		if base := s.policy.Bases[source]; base != "" {
			if ref, ok = fhir.SubjectAt(r, base); ok {
				return ref, ok
			}
		}
	}
	return fhir.Ref{}, false
}

// subject returns the practice's Patient whom v is about.
func (s *situation) subject(v *fhir.Version) (fhir.Seen[fhir.Patient], bool) {
	ref, ok := s.whose(v.Resource, v.Source)
	if !ok {
		return fhir.Seen[fhir.Patient]{}, false
	}
	if desk := s.policy.Practice.Desk; desk != "" && v.Source == desk { // the desk's Patient is a number: another tells who it is
		for _, p := range fhir.Now(fhir.Of(fhir.Practice, s.chart.Patients)) {
			if p.Source != desk && len(p.Value.Name) > 0 {
				return p, true
			}
		}
	}
	return latest(s.chart.Patients, fhir.Key{Source: v.Source, Type: ref.Type, ID: ref.ID})
}

func (s *situation) patient(r referral) (d exchange.Delivery, ok bool) {
	for _, l := range s.chart.Links {
		if slices.Contains(s.policy.Prescriber.Sources, l.Source) {
			return d, false // there may be one already, or several tie: a person decides (R01), or there would soon be two
		}
	}
	p, ok := s.subject(r.Version)
	if !ok {
		return d, false
	}
	return s.described(p)
}

// described is the client as the prescriber is told of them.
func (s *situation) described(p fhir.Seen[fhir.Patient]) (d exchange.Delivery, ok bool) {
	body, err := s.trim(p.Version)
	if err != nil {
		return d, false
	}
	if body, err = s.withoutOthersNumbers(p.Version, body); err != nil {
		return d, false
	}
	id := s.copyThere(exchange.WhatPatient, p.Key)
	return s.delivery(exchange.WhatPatient, p.Version, id, body,
		fhir.Edit{Path: "identifier.-1", Value: identifier(fhir.ID{System: fhir.SystemClient, Value: s.chart.Client})},
		fhir.Edit{Path: "identifier.-1", Value: identifier(id)})
}

func (s *situation) consent(c fhir.Seen[fhir.Consent], patient fhir.Ref, id fhir.ID) (d exchange.Delivery, ok bool) {
	body, err := s.trim(c.Version)
	if err != nil {
		return d, false
	}
	role := object{"coding": []object{{"system": "http://terminology.hl7.org/CodeSystem/v3-ParticipationType", "code": "IRCP"}}}
	edits := []fhir.Edit{
		{Path: "patient", Value: literal(patient)},
		{Path: "provision.actor", Value: []object{{"role": role, "reference": party(s.policy.Prescriber)}}}, // nobody else it names
		{Path: "organization", Value: []object{party(s.policy.Practice)}},
	}
	return s.delivery(exchange.WhatConsent, c.Version, id, body, append(edits, fhir.Edit{Path: "identifier.-1", Value: identifier(id)})...)
}

func (s *situation) request(r referral, body []byte, patient fhir.Ref, consent *exchange.Receipt, id fhir.ID) (exchange.Delivery, bool) {
	edits := []fhir.Edit{
		{Path: "subject", Value: literal(patient)},
		{Path: "performer", Value: []object{party(s.policy.Prescriber)}},
		{Path: "requester", Value: s.requester(r)},
	}
	if consent != nil {
		edits = append(edits, fhir.Edit{Path: "supportingInfo", Value: []object{literal(consent.Ref)}})
	}
	edits = append(edits, s.fillers(r.Version, body)...)
	if plac, ours := s.placer(r); ours {
		edits = append(edits, fhir.Edit{Path: "identifier.-1", Value: plac})
	}
	return s.delivery(exchange.WhatReferral, r.Version, id, body, append(edits, fhir.Edit{Path: "identifier.-1", Value: identifier(id)})...)
}

// fillers takes out the numbers that prescribers have given the referral: another's is none of this one's business.
func (s *situation) fillers(v *fhir.Version, body []byte) (edits []fhir.Edit) {
	var glance struct {
		Identifier []fhir.Identifier `json:"identifier"`
	}
	_ = json.Unmarshal(body, &glance) // it was trimmed just now
	others := s.othersNumbers(v)
	for i := range slices.Backward(glance.Identifier) {
		if others[number(glance.Identifier[i])] || has(glance.Identifier[i].Type, fhir.Code{System: fhir.SystemIdentifierType, Code: "FILL"}) {
			edits = append(edits, fhir.Edit{Path: "identifier." + strconv.Itoa(i)})
		}
	}
	return edits
}

func (s *situation) task(r referral, focus, patient fhir.Ref, id fhir.ID) (exchange.Delivery, bool) {
	plac, _ := s.placer(r)
	edits := []fhir.Edit{
		{Path: "identifier", Value: []object{plac, identifier(id)}},
		{Path: "status", Value: "requested"},
		{Path: "intent", Value: "order"},
		{Path: "code", Value: object{"coding": []object{{"system": fulfil.System, "code": fulfil.Code}}}},
		{Path: "focus", Value: literal(focus)},
		{Path: "for", Value: literal(patient)},
		{Path: "authoredOn", Value: s.now.UTC().Format(time.RFC3339)},
		{Path: "requester", Value: party(s.policy.Practice)},
		{Path: "owner", Value: party(s.policy.Prescriber)},
	}
	if s.policy.Part2 {
		edits = append(edits, fhir.Edit{Path: "input", Value: []object{{
			"type": object{"text": "redisclosure notice"}, "valueString": exchange.Notice,
		}}})
	}
	return s.delivery(exchange.WhatTask, r.Version, id, []byte(`{"resourceType":"Task"}`), edits...)
}
