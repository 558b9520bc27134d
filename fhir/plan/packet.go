package plan

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/exchange"
	"github.com/kaphub/kaphub/fhir/readiness"
)

// packets returns, for each referral to a prescriber whom no connector reaches, the packet that a person is to hand over.
// One packet tells a content: the trimmed client and request, word for word. So what changed in the records and not in
// them makes no other packet.
//
//	the ledger holds                                    wanted
//	none of this content                                a packet, which replaces what is laid out
//	one of this content, laid out, under this release   that one
//	one of this content, laid out, under another        a packet under this one, which replaces it
//	one of this content, handed over                    none, whatever was signed since: they have it
//	one of another content, handed over                 a packet that says it replaces the one they have
//
// Planned sessions go along as they stand when the packet is staged; that one is booked or moved makes no other packet.
func (s *situation) packets(release fhir.Seen[fhir.Consent]) []exchange.Delivery {
	var wanted []exchange.Delivery
	for _, r := range s.referrals() {
		if s.answered(r) {
			continue
		}
		d, content, ok := s.packet(r, release)
		if !ok {
			continue
		}
		if last, ok := s.handed(d.Copy); ok {
			if strings.HasPrefix(last.Occasion, content) {
				continue
			}
			d.Update = true
		}
		d.Lane = lane(r.Key)
		wanted = append(wanted, d)
	}
	return wanted
}

// handed returns the packet of this copy that was handed over last.
func (s *situation) handed(copy fhir.ID) (last exchange.Entry, ok bool) {
	for _, e := range s.byCopy[copy] {
		if e.State == exchange.Delivered {
			last, ok = e, true
		}
	}
	return last, ok
}

// packet makes the Bundle: who the client is, the release, what is asked, and the sessions that are planned. content is
// the beginning of its occasion.
func (s *situation) packet(r referral, release fhir.Seen[fhir.Consent]) (d exchange.Delivery, content string, ok bool) {
	who, known := s.subject(r.Version)
	if !known {
		return d, "", false
	}
	ids := map[exchange.What]fhir.ID{
		exchange.WhatPatient: s.copyThere(exchange.WhatPatient, who.Key), exchange.WhatConsent: s.copyThere(exchange.WhatConsent, release.Key),
		exchange.WhatReferral: s.copyThere(exchange.WhatReferral, r.Key),
	}
	patient := fhir.Ref{Type: "Patient", ID: ids[exchange.WhatPatient].Value}
	client, ok1 := s.described(who)
	consent, ok2 := s.consent(release, patient, ids[exchange.WhatConsent])
	body, err := s.trim(r.Version)
	if err != nil || !ok1 || !ok2 {
		return d, "", false
	}
	request, ok := s.request(r, body, patient, &exchange.Receipt{Ref: fhir.Ref{Type: "Consent", ID: ids[exchange.WhatConsent].Value}}, ids[exchange.WhatReferral])
	if !ok {
		return d, "", false
	}
	content = "packet " + digest(client.Body, request.Body)
	parts := []exchange.Delivery{client, consent, request}
	b := object{"resourceType": "Bundle", "type": "collection"}
	if s.policy.Part2 {
		b["meta"] = object{"security": []object{{"system": fhir.SystemActCode, "code": exchange.LabelPart2, "display": exchange.Notice}}}
	}
	d = exchange.Delivery{What: exchange.WhatPacket, Type: "Bundle", Occasion: content, Copy: s.copyThere(exchange.WhatPacket, r.Key)}
	b["identifier"] = identifier(d.Copy)
	var entries []object
	for _, p := range append(parts, s.planned(r, patient)...) {
		one, err := fhir.Apply(p.Body, fhir.Edit{Path: "id", Value: p.Copy.Value})
		if err != nil {
			return d, "", false
		}
		entries = append(entries, object{"fullUrl": fhir.Base + "/packet/" + p.Type + "/" + p.Copy.Value, "resource": json.RawMessage(one)})
		d.Rests = append(d.Rests, p.Rests...)
	}
	b["entry"] = entries
	if d.Body, err = json.Marshal(b); err != nil {
		return d, "", false
	}
	return d, content, true
}

func digest(bodies ...[]byte) string {
	h := sha256.New()
	for _, b := range bodies {
		_, _ = h.Write(append(b, 0)) // a hash takes everything
	}
	return hex.EncodeToString(h.Sum(nil))[:16]
}

// planned are the client's sessions to come, each at its time and of its kind, and nothing else of them.
func (s *situation) planned(r referral, patient fhir.Ref) (all []exchange.Delivery) {
	for _, a := range fhir.Now(fhir.Of(fhir.Practice, s.chart.Appointments)) {
		kind := s.session(a)
		if kind == "" || !slices.Contains([]string{"booked", "pending"}, a.Value.Status.Code()) || !s.moment(a.Value.Start).After(s.now) || !s.belongs(a, r) {
			continue
		}
		body, err := s.trim(a.Version)
		if err != nil {
			continue
		}
		copy := s.copyThere(exchange.WhatPacket, a.Key)
		d, ok := s.delivery(exchange.WhatPacket, a.Version, copy, body,
			fhir.Edit{Path: "identifier", Value: nil},
			fhir.Edit{Path: "serviceType", Value: []object{{"coding": []object{{"system": fhir.SystemSession, "code": kind}}}}},
			fhir.Edit{Path: "participant", Value: []object{{"actor": literal(patient), "status": "accepted"}}})
		if ok {
			d.Type = "Appointment"
			all = append(all, d)
		}
	}
	slices.SortStableFunc(all, func(a, b exchange.Delivery) int { return cmp.Compare(a.Occasion, b.Occasion) })
	return all
}

// session is which session of the course an appointment is, "" for none that a prescriber is told of.
func (s *situation) session(a fhir.Seen[fhir.Appointment]) string {
	for i := range a.Value.ServiceType {
		code, reading := s.policy.Terms.Code(a.Party, &a.Value.ServiceType[i], fhir.SystemSession)
		if reading == fhir.Mapped && (code == fhir.SessionPreparation || code == fhir.SessionDosing) {
			return code
		}
	}
	return ""
}

// belongs reports whether an appointment is surely of this referral's course.
func (s *situation) belongs(a fhir.Seen[fhir.Appointment], r referral) bool {
	if len(a.Value.BasedOn) == 0 {
		return len(s.policy.Others) == 0
	}
	return slices.ContainsFunc(a.Value.BasedOn, func(ref fhir.Reference) bool {
		if ref.Reference == nil {
			return false
		}
		to, ok := s.own(a.Source, *ref.Reference)
		return ok && a.Source == r.Source && to == r.Ref()
	})
}

// Recall answers why a packet that is laid out must not be handed over any more, "" while it may. The ledger is the
// engagement's.
func Recall(e exchange.Entry, chart fhir.Chart, verdict readiness.Verdict, policy readiness.Policy, ledger []exchange.Entry, now time.Time) string {
	s := survey(chart, policy, ledger, now)
	if Mistaken(verdict) {
		return whyDoubt
	}
	if ok, why := Allowed(e.Delivery, chart, policy, now); !ok {
		return why
	}
	later := false
	for _, o := range s.byCopy[e.Copy] {
		if later && o.State != exchange.Withdrawn && o.State != exchange.Refused && o.State != exchange.Staged {
			return whyReplaced
		}
		later = later || o.ID == e.ID
	}
	for _, r := range s.referrals() {
		if lane(r.Key) == e.Lane && s.answered(r) {
			return whyAnswered
		}
	}
	return ""
}

// Why a packet must not be handed over any more, besides why it might not leave.
const (
	whyDoubt    = "the records may be of two people"
	whyReplaced = "a newer packet stands in its place"
	whyAnswered = "the prescriber has answered the referral"
)
