package fhir

import "slices"

// Known is a prescriber as recognition needs it.
type Known struct {
	Name        string
	Identifiers []ID
}

// Has reports whether any of ids is one of k's.
func (k Known) Has(ids ...ID) bool {
	return slices.ContainsFunc(ids, func(id ID) bool { return slices.Contains(k.Identifiers, id) })
}

// NamedBy reports whether ref names k: by an identifier on the reference itself, or by one of the resource that it
// leads to. lookup answers that resource's identifiers (nil when it is not at hand); a nil lookup knows none.
func (k Known) NamedBy(ref Reference, lookup func(Ref) []ID) bool {
	return k.Has(idsOf(ref, lookup)...)
}

// idsOf returns the business identifiers of whom ref names.
func idsOf(ref Reference, lookup func(Ref) []ID) (ids []ID) {
	if id, ok := IDOf(ref.Identifier); ok {
		ids = append(ids, id)
	}
	if ref.Reference == nil || lookup == nil {
		return ids
	}
	if to, ok := ParseRef(*ref.Reference, ""); ok {
		ids = append(ids, lookup(to)...)
	}
	return ids
}

// IDOf returns identifier as an ID; ok is false without both a system and a value.
func IDOf(identifier *Identifier) (id ID, ok bool) {
	if identifier == nil || identifier.System == nil || identifier.Value == nil {
		return ID{}, false
	}
	id = ID{*identifier.System, *identifier.Value}
	return id, id.System != "" && id.Value != ""
}

// Recogniser tells what of a source concerns the hub at all (fhir.md section 8).
type Recogniser struct {
	ReferralCodes []Code // default: kap-evaluation
	Prescribers   []Known
	Terms         *Terms
	Watch         WatchList      // what of conditions and other medicines is kept
	Part2         bool           // 42 CFR Part 2 programme: substance use records are in its scope
	Lookup        func(Ref) []ID // identifiers of the practice's directory entries; nil when none are at hand
}

// Concerns reports whether a resource of the practice makes its subject a client of the hub:
//
//	a KAP referral        order, referral code                        → whom its performers name
//	a KAP appointment     any service type of the KAP course          → everybody
//	a release             patient-privacy, IDSCL or LOINC 64292-6     → whom its actors name; nobody if they are others
//	a referral passed on  Task, order, fulfill, about a referral      → whom its owner names; nobody if it is no prescriber.
//	                                                                    It makes nobody a client who is none already
//
// prescribers are those it names; a trigger that names none, or whom it cannot tell, names all. What was entered in
// error, and what the hub wrote itself, concerns nobody; nor does an event of a calendar, which names whoever its token
// says and makes nobody a client.
func (g Recogniser) Concerns(r Resource) (prescribers []string, ok bool) {
	switch r.Type {
	case "ServiceRequest":
		s, err := glance[ServiceRequest](r)
		if err == nil && s.Status.Code() != enteredInError && g.IsReferral(s) && !copied(s.Identifier) {
			return g.named(s.Performer), true
		}
	case "Appointment":
		a, err := glance[Appointment](r)
		if err == nil && a.Status.Code() != enteredInError && g.IsSession(a) && !FromCalendar(a) && !copied(a.Identifier) {
			return g.named(nil), true
		}
	case "Consent":
		c, err := glance[Consent](r)
		if err == nil && c.Status.Code() != enteredInError && IsRelease(c) && !g.others(Actors(c)) && !copied(c.Identifier) {
			return g.named(Actors(c)), true
		}
	case "Task":
		t, err := glance[Task](r)
		if err == nil && g.PassesOn(t) && !copied(t.Identifier) {
			names := g.surely([]Reference{*t.Owner})
			return names, len(names) > 0
		}
	}
	return nil, false
}

// copied is IsCopy of what bears these identifiers.
func copied(ids []Identifier) bool {
	return slices.ContainsFunc(ids, func(i Identifier) bool {
		id, ok := IDOf(&i)
		return ok && id.System == SystemCopy
	})
}

// PassesOn reports whether t, a Task of the practice's own, asks its owner to take up a referral that stays as it is: so a
// request that one prescriber turned down goes to another. One that was called off, or closed without a result, asks nobody.
func (g Recogniser) PassesOn(t Task) bool {
	code, reading := g.Terms.Code(Practice, t.Code, SystemTaskCode)
	if reading != Mapped || code != "fulfill" || t.Intent != "order" || t.Owner == nil || t.Focus == nil {
		return false
	}
	if slices.Contains([]string{"draft", "rejected", "cancelled", "failed", enteredInError}, t.Status.Code()) {
		return false
	}
	if t.Focus.Reference == nil {
		return t.Focus.Identifier != nil
	}
	return typeOf(*t.Focus.Reference) == "ServiceRequest"
}

const enteredInError = "entered-in-error"

// others reports whether refs are all told to be somebody else: each has an identifier in a system by which
// prescribers are known here, and none of them is one. A release to the client's family doctor is none of ours.
func (g Recogniser) others(refs []Reference) bool {
	for _, ref := range refs {
		ids := idsOf(ref, g.Lookup)
		told := false
		for _, k := range g.Prescribers {
			if k.Has(ids...) {
				return false
			}
			told = told || slices.ContainsFunc(ids, func(id ID) bool {
				return slices.ContainsFunc(k.Identifiers, func(own ID) bool { return own.System == id.System })
			})
		}
		if !told {
			return false
		}
	}
	return len(refs) > 0
}

// surely returns the prescribers that refs name.
func (g Recogniser) surely(refs []Reference) (names []string) {
	for _, k := range g.Prescribers {
		if slices.ContainsFunc(refs, func(r Reference) bool { return k.NamedBy(r, g.Lookup) }) {
			names = append(names, k.Name)
		}
	}
	return names
}

// named returns the prescribers that refs name; all of them when that cannot be told.
func (g Recogniser) named(refs []Reference) (names []string) {
	if names = g.surely(refs); len(names) == 0 {
		for _, k := range g.Prescribers {
			names = append(names, k.Name)
		}
	}
	return names
}

// IsReferral reports whether s asks a prescriber for a KAP evaluation: an order with a referral code. Its status is not
// looked at: a revoked referral is still one.
func (g Recogniser) IsReferral(s ServiceRequest) bool {
	codes := g.ReferralCodes
	if len(codes) == 0 {
		codes = []Code{{SystemKAP, CodeEvaluation}}
	}
	return s.Intent.Code() == "order" && slices.ContainsFunc(codes, func(c Code) bool {
		code, reading := g.Terms.Code(Practice, s.Code, c.System)
		return reading == Mapped && code == c.Code
	})
}

// IsSession reports whether a is an appointment of the KAP course: any of its service types is one.
func (g Recogniser) IsSession(a Appointment) bool {
	return slices.ContainsFunc(a.ServiceType, func(c CodeableConcept) bool {
		_, reading := g.Terms.Code(Practice, &c, SystemSession)
		return reading == Mapped || reading == Ambiguous
	})
}

// FromCalendar reports whether a was read from a calendar feed.
func FromCalendar(a Appointment) bool {
	return slices.ContainsFunc(a.Identifier, func(i Identifier) bool { return i.System != nil && *i.System == SystemCalendarEvent })
}

// IsRelease reports whether c is a release of information: scope patient-privacy, category IDSCL or LOINC 64292-6, and
// a provision that permits. Whom it names (Actors), its status and its period are for the reader to judge.
func IsRelease(c Consent) bool {
	if !holds(&c.Scope, Code{SystemConsentScope, "patient-privacy"}) {
		return false
	}
	if c.Provision == nil || c.Provision.Type == nil || c.Provision.Type.Code() != "permit" {
		return false
	}
	return slices.ContainsFunc(c.Category, func(k CodeableConcept) bool {
		return holds(&k, Code{SystemActCode, "IDSCL"}) || holds(&k, Code{SystemLOINC, LOINCConsentDocument})
	})
}

// Actors returns whom a Consent's provision names.
func Actors(c Consent) (refs []Reference) {
	if c.Provision != nil {
		for _, a := range c.Provision.Actor {
			refs = append(refs, a.Reference)
		}
	}
	return refs
}

// holds reports whether concept has one of codes as it stands, without translation.
func holds(concept *CodeableConcept, codes ...Code) bool {
	return concept != nil && slices.ContainsFunc(concept.Coding, func(c Coding) bool {
		return c.System != nil && c.Code != nil && slices.Contains(codes, Code{*c.System, *c.Code})
	})
}
