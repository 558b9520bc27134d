package plan

import (
	"bytes"
	"encoding/json"
	"slices"

	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/exchange"
)

// homeward returns the copies at the practice that do not say what the prescriber says now: Task status, clearance,
// prescription and dispense. They go back to who referred under a rule of their own, not under the release. What the hub
// wrote to the prescriber is no source for them, but for our coordination Task once the prescriber has moved it.
func (s *situation) homeward() []exchange.Delivery {
	home, ok := s.home()
	if !ok || s.linked() != "" {
		return nil
	}
	var wanted []exchange.Delivery
	for _, t := range fhir.Of(s.prescriber, s.chart.Tasks) {
		if !t.Latest {
			continue
		}
		if _, asks := s.questionOrGone(t); asks {
			wanted = s.carry(wanted, exchange.WhatQuestion, t.Version, func() []fhir.Edit { return s.questionHome(t, home) })
		} else {
			wanted = s.carry(wanted, exchange.WhatTaskStatus, t.Version, func() []fhir.Edit { return s.taskHome(t, home) })
		}
	}
	for _, o := range fhir.Of(s.prescriber, s.chart.Observations) {
		if o.Latest {
			wanted = s.carry(wanted, exchange.WhatClearance, o.Version, func() []fhir.Edit { return s.clearanceHome(o, home) })
		}
	}
	for _, m := range fhir.Of(s.prescriber, s.chart.MedicationRequests) {
		if m.Latest {
			wanted = s.carry(wanted, exchange.WhatPrescription, m.Version, func() []fhir.Edit { return s.prescriptionHome(m, home) })
		}
	}
	for _, m := range fhir.Of(s.prescriber, s.chart.MedicationDispenses) {
		if m.Latest {
			wanted = s.carry(wanted, exchange.WhatDispense, m.Version, func() []fhir.Edit { return s.dispenseHome(m, home) })
		}
	}
	return wanted
}

// home returns the client's Patient at the practice: the one that was referred, else the one that is linked.
func (s *situation) home() (fhir.Ref, bool) {
	for _, r := range s.everReferred() {
		if ref, ok := s.whose(r.Resource, r.Source); ok && slices.ContainsFunc(s.chart.Links, func(l fhir.Link) bool {
			return l.Source == r.Source && l.Patient == ref.ID
		}) {
			return ref, true
		}
	}
	return s.patientAt(s.policy.Practice.Sources)
}

// everReferred returns the practice's referrals to this prescriber that still stand there, in whatever status: facts
// about a referral that was closed, or that names another by now, still go home.
func (s *situation) everReferred() []referral {
	return slices.DeleteFunc(fhir.Now(fhir.Of(fhir.Practice, s.chart.ServiceRequests)), func(r referral) bool {
		_, told := s.there(s.copyThere(exchange.WhatReferral, r.Key))
		return fhir.IsCopy(r.Resource) || !told && !s.refers(r)
	})
}

// carry adds the delivery of v's copy to wanted, if the copy does not say already what it would. edits answers nil for
// what is not ours to relay.
func (s *situation) carry(wanted []exchange.Delivery, what exchange.What, v *fhir.Version, edits func() []fhir.Edit) []exchange.Delivery {
	if s.policy.Prescriber.Desk != "" && v.Source == s.policy.Prescriber.Desk {
		return wanted // the practice entered it by hand: it knows
	}
	id := exchange.CopyID(s.chart.Client, fhir.Practice, what, v.Key)
	last, before := s.stands(id)
	if !s.policy.Practice.Accepts(kinds[what]) {
		return wanted // it is shown here, and nowhere else
	}
	if before && slices.Contains(last.Rests, v.Basis()) {
		return wanted // carried home already
	}
	var d exchange.Delivery
	var ok bool
	if v.Gone || void(v.Resource) {
		if !before {
			return wanted
		}
		d, ok = s.retracted(what, v, id, last.Body)
	} else if e := edits(); e != nil {
		body, err := s.trim(v)
		if err != nil {
			return wanted
		}
		d, ok = s.delivery(what, v, id, body, append(e, fhir.Edit{Path: "identifier.-1", Value: identifier(id)})...)
	}
	if !ok || before && same(last.Body, d.Body) {
		return wanted
	}
	d.To, d.Lane = fhir.Practice, "home "+v.String()
	return append(wanted, s.fill(d))
}

// retracted is the copy as it was last sent, marked as an error: its original is gone or says so itself.
func (s *situation) retracted(what exchange.What, v *fhir.Version, id fhir.ID, last []byte) (exchange.Delivery, bool) {
	return s.ended(what, v, id, last, "entered-in-error")
}

// ended is the copy as it was last sent, in another status.
func (s *situation) ended(what exchange.What, v *fhir.Version, id fhir.ID, last []byte, status string) (exchange.Delivery, bool) {
	body, err := fhir.Apply(last, fhir.Edit{Path: "status", Value: status})
	if err != nil {
		return exchange.Delivery{}, false
	}
	return exchange.Delivery{What: what, Type: kinds[what], Occasion: at(v), Copy: id, Body: body, Rests: []fhir.Basis{v.Basis()}}, true
}

// void reports whether r says of itself that it should never have been.
func void(r fhir.Resource) bool { return statusOf(r.Body) == "entered-in-error" }

// statusOf reads a body's status, "" when there is none to read.
func statusOf(body []byte) string {
	var glance struct {
		Status string `json:"status"`
	}
	if json.Unmarshal(body, &glance) != nil {
		return ""
	}
	return glance.Status
}

func same(a, b []byte) bool {
	ca, errA := fhir.Canonical(a)
	cb, errB := fhir.Canonical(b)
	return errA == nil && errB == nil && bytes.Equal(ca, cb)
}

// taskHome is how the practice reads the prescriber's Task; nil for one that is about no referral of ours, and for our own
// as long as it says what we wrote.
func (s *situation) taskHome(t fhir.Seen[fhir.Task], home fhir.Ref) []fhir.Edit {
	referrals := s.everReferred()
	i := slices.IndexFunc(referrals, func(r referral) bool { return s.about(t, r) })
	if i < 0 {
		return nil
	}
	id := exchange.CopyID(s.chart.Client, fhir.Practice, exchange.WhatTaskStatus, t.Key)
	if _, told := s.stands(id); !told && s.untouched(t) || s.asWritten(t) {
		return nil
	}
	edits := []fhir.Edit{
		{Path: "focus", Value: literal(referrals[i].Ref())},
		{Path: "for", Value: literal(home)},
		{Path: "requester", Value: party(s.policy.Practice)},
	}
	edits = append(edits, s.businessHome(t)...)
	if t.Value.Owner != nil {
		if owner := s.logical(t.Version, *t.Value.Owner); owner != nil {
			return append(edits, fhir.Edit{Path: "owner", Value: owner})
		}
	}
	return append(edits, fhir.Edit{Path: "owner", Value: party(s.policy.Prescriber)})
}

// businessHome adds to where the prescriber says the referral stands what it means in the hub's codes, and in the
// practice's. What nobody has mapped goes home as it is, with its text.
func (s *situation) businessHome(t fhir.Seen[fhir.Task]) (edits []fhir.Edit) {
	code, reading := s.policy.Terms.Code(s.prescriber, t.Value.BusinessStatus, fhir.SystemBusinessStatus)
	if reading != fhir.Mapped {
		return nil
	}
	ours := fhir.Code{System: fhir.SystemBusinessStatus, Code: code}
	for _, c := range append([]fhir.Code{ours}, s.policy.Terms.Theirs(fhir.Practice, ours)...) {
		if !has(t.Value.BusinessStatus, c) {
			edits = append(edits, fhir.Edit{Path: "businessStatus.coding.-1", Value: object{"system": c.System, "code": c.Code}})
		}
	}
	return edits
}

// questionOrGone is question, and true too of one that is gone and whose copy stands here.
func (s *situation) questionOrGone(t fhir.Seen[fhir.Task]) (referral, bool) {
	if t.Gone {
		_, told := s.stands(exchange.CopyID(s.chart.Client, fhir.Practice, exchange.WhatQuestion, t.Key))
		return referral{}, told
	}
	return s.question(t)
}

// questionHome is how the practice reads what the prescriber asks of it or of the client.
func (s *situation) questionHome(t fhir.Seen[fhir.Task], home fhir.Ref) []fhir.Edit {
	r, ok := s.question(t)
	id := exchange.CopyID(s.chart.Client, fhir.Practice, exchange.WhatQuestion, t.Key)
	if !ok || slices.ContainsFunc(fhir.Now(fhir.Of(fhir.Practice, s.chart.Tasks)), func(own fhir.Seen[fhir.Task]) bool {
		return slices.Contains(fhir.Identifiers(own.Resource), id) && own.Value.Status.Code() == t.Value.Status.Code()
	}) {
		return nil // where both stand alike, what the practice wrote into its copy stays
	}
	owner := party(s.policy.Practice)
	if t.Value.Owner != nil && t.Value.Owner.Reference != nil && t.Value.For != nil && t.Value.For.Reference != nil && *t.Value.Owner.Reference == *t.Value.For.Reference {
		owner = literal(home)
	}
	edits := []fhir.Edit{
		{Path: "focus", Value: literal(r.Ref())},
		{Path: "for", Value: literal(home)},
		{Path: "requester", Value: party(s.policy.Prescriber)},
		{Path: "owner", Value: owner},
	}
	for _, ref := range t.Value.PartOf {
		if to, ok := local(*ref.Reference); ok && to.Type == "Task" {
			key := fhir.Key{Source: t.Source, Type: to.Type, ID: to.ID}
			return append(edits, fhir.Edit{Path: "partOf", Value: []object{{"identifier": identifier(exchange.CopyID(s.chart.Client, fhir.Practice, exchange.WhatTaskStatus, key))}}})
		}
	}
	return edits
}

// untouched reports whether our coordination Task still says what we wrote: the prescriber gave it no status, reason,
// business status or number of its own.
func (s *situation) untouched(t fhir.Seen[fhir.Task]) bool {
	return (fhir.IsCopy(t.Resource) || s.sent(t.Version)) && t.Value.Status.Code() == "requested" &&
		t.Value.BusinessStatus == nil && t.Value.StatusReason == nil &&
		!slices.ContainsFunc(t.Value.Identifier, func(i fhir.Identifier) bool {
			return has(i.Type, fhir.Code{System: fhir.SystemIdentifierType, Code: "FILL"})
		})
}

// asWritten reports whether t is a stop that we told of, and stands there as we last wrote it.
func (s *situation) asWritten(t fhir.Seen[fhir.Task]) bool {
	return slices.ContainsFunc(s.ledger, func(e exchange.Entry) bool {
		return e.What == exchange.WhatUnsafe && e.Receipt != nil && e.Receipt.Ref == t.Ref() && statusOf(e.Body) == t.Value.Status.Code()
	})
}

// sent reports whether v is a coordination Task of ours, by its receipt: not every server keeps our identifier.
func (s *situation) sent(v *fhir.Version) bool {
	return slices.ContainsFunc(s.ledger, func(e exchange.Entry) bool {
		return e.What == exchange.WhatTask && e.Receipt != nil && e.Receipt.Ref == v.Ref()
	})
}

// about reports whether t coordinates referral r: our own Task for it, one that bears its number, or one that names it.
func (s *situation) about(t fhir.Seen[fhir.Task], r referral) bool {
	ours := s.copyThere(exchange.WhatTask, r.Key)
	numbers := append(fhir.Identifiers(r.Resource), ours)
	if slices.ContainsFunc(fhir.Identifiers(t.Resource), func(id fhir.ID) bool { return slices.Contains(numbers, id) }) {
		return true
	}
	if ref, ok := s.there(ours); ok && ref == t.Ref() {
		return true
	}
	refs := t.Value.BasedOn
	if t.Value.Focus != nil {
		refs = append(slices.Clone(refs), *t.Value.Focus)
	}
	return slices.ContainsFunc(refs, func(ref fhir.Reference) bool { return s.means(ref, r) })
}

// means reports whether the prescriber's reference leads to referral r: to our copy of it, or to one of its identifiers.
func (s *situation) means(ref fhir.Reference, r referral) bool {
	id := s.copyThere(exchange.WhatReferral, r.Key)
	if ref.Identifier != nil && ref.Identifier.System != nil && ref.Identifier.Value != nil {
		named := fhir.ID{System: *ref.Identifier.System, Value: *ref.Identifier.Value}
		if named == id || slices.Contains(fhir.Identifiers(r.Resource), named) {
			return true
		}
	}
	if ref.Reference == nil {
		return false
	}
	to, literal := local(*ref.Reference)
	copied, ok := s.there(id)
	return literal && ok && to == copied
}

// clearance reports whether o is a medical clearance in the prescriber's own words.
func (s *situation) clearance(o fhir.Seen[fhir.Observation]) bool {
	code, reading := s.policy.Terms.Code(s.prescriber, &o.Value.Code, fhir.SystemKAP)
	return reading == fhir.Mapped && code == fhir.CodeClearance && !fhir.IsCopy(o.Resource)
}

func (s *situation) clearanceHome(o fhir.Seen[fhir.Observation], home fhir.Ref) []fhir.Edit {
	if !s.clearance(o) {
		return nil
	}
	edits := []fhir.Edit{
		{Path: "subject", Value: literal(home)},
		{Path: "performer", Value: s.logicals(o.Version, o.Value.Performer)},
	}
	if r, ok := s.answers(o); ok {
		edits = append(edits, fhir.Edit{Path: "basedOn", Value: []object{literal(r.Ref())}})
	}
	var focus []object // the medicine it is for, by the name its copy bears at the practice
	for _, ref := range o.Value.Focus {
		if ref.Reference == nil {
			continue
		}
		to, ok := local(*ref.Reference)
		if !ok || to.Type != "MedicationRequest" {
			continue
		}
		key := fhir.Key{Source: o.Source, Type: to.Type, ID: to.ID}
		focus = append(focus, object{"identifier": identifier(exchange.CopyID(s.chart.Client, fhir.Practice, exchange.WhatPrescription, key))})
	}
	if focus != nil {
		edits = append(edits, fhir.Edit{Path: "focus", Value: focus})
	}
	return edits
}

// answers returns the referral that a clearance answers: the one it names, else the only one there is.
func (s *situation) answers(o fhir.Seen[fhir.Observation]) (referral, bool) {
	referrals := s.everReferred()
	for _, r := range referrals {
		if slices.ContainsFunc(o.Value.BasedOn, func(ref fhir.Reference) bool { return s.means(ref, r) }) {
			return r, true
		}
	}
	if len(referrals) == 1 {
		return referrals[0], true
	}
	return referral{}, false
}

func (s *situation) prescriptionHome(m fhir.Seen[fhir.MedicationRequest], home fhir.Ref) []fhir.Edit {
	code := s.medicine(m.Version, m.Value.MedicationCodeableConcept, m.Value.MedicationReference)
	if fhir.IsCopy(m.Resource) || !s.ketamine(code) || !slices.Contains(orders, m.Value.Intent) {
		return nil
	}
	edits := []fhir.Edit{
		{Path: "subject", Value: literal(home)},
		{Path: "reportedBoolean", Value: true}, // a report of the prescriber's order, and none of the practice's own
	}
	if m.Value.MedicationCodeableConcept == nil {
		edits = append(edits, fhir.Edit{Path: "medicationCodeableConcept", Value: code})
	}
	if m.Value.Requester != nil {
		if o := s.logical(m.Version, *m.Value.Requester); o != nil {
			edits = append(edits, fhir.Edit{Path: "requester", Value: o})
		}
	}
	return edits
}

// orders are the intents of a prescription; a proposal or a plan is none.
var orders = []string{"order", "original-order", "reflex-order", "filler-order", "instance-order"}

func (s *situation) dispenseHome(m fhir.Seen[fhir.MedicationDispense], home fhir.Ref) []fhir.Edit {
	code := s.medicine(m.Version, m.Value.MedicationCodeableConcept, m.Value.MedicationReference)
	var prescriptions []object
	filled := false // a prescription that is ours to relay
	for _, ref := range m.Value.AuthorizingPrescription {
		if ref.Reference == nil {
			continue
		}
		to, ok := local(*ref.Reference)
		if !ok || to.Type != "MedicationRequest" {
			continue
		}
		key := fhir.Key{Source: m.Source, Type: to.Type, ID: to.ID}
		prescriptions = append(prescriptions, object{"identifier": identifier(exchange.CopyID(s.chart.Client, fhir.Practice, exchange.WhatPrescription, key))})
		if p, ok := latest(s.chart.MedicationRequests, key); ok {
			prescribed := s.medicine(p.Version, p.Value.MedicationCodeableConcept, p.Value.MedicationReference)
			filled = filled || s.ketamine(prescribed)
			if code == nil {
				code = prescribed
			}
		}
	}
	if fhir.IsCopy(m.Resource) || code == nil || !s.ketamine(code) && !filled {
		return nil
	}
	edits := []fhir.Edit{{Path: "subject", Value: literal(home)}}
	if m.Value.MedicationCodeableConcept == nil {
		edits = append(edits, fhir.Edit{Path: "medicationCodeableConcept", Value: code})
	}
	if prescriptions != nil {
		edits = append(edits, fhir.Edit{Path: "authorizingPrescription", Value: prescriptions})
	}
	return edits
}

// medicine returns the code of a medicine, given in place, contained, or as an entry of the source; nil when it is not known.
func (s *situation) medicine(v *fhir.Version, code *fhir.CodeableConcept, ref *fhir.Reference) *fhir.CodeableConcept {
	if code != nil || ref == nil || ref.Reference == nil {
		return code
	}
	if to, ok := local(*ref.Reference); ok {
		if m, ok := latest(s.chart.Medications, fhir.Key{Source: v.Source, Type: to.Type, ID: to.ID}); ok {
			return m.Value.Code
		}
		return nil
	}
	var body struct {
		Contained []struct {
			ID   string                `json:"id"`
			Code *fhir.CodeableConcept `json:"code"`
		} `json:"contained"`
	}
	if json.Unmarshal(v.Resource.Body, &body) != nil {
		return nil
	}
	for _, c := range body.Contained {
		if "#"+c.ID == *ref.Reference {
			return c.Code
		}
	}
	return nil
}

func (s *situation) ketamine(code *fhir.CodeableConcept) bool {
	return has(code, fhir.Code{System: fhir.SystemRxNorm, Code: fhir.RxNormKetamine}) ||
		slices.ContainsFunc(s.policy.Ketamine, func(c fhir.Code) bool { return has(code, c) })
}
