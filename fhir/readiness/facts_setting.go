package readiness

import (
	"cmp"
	"slices"

	"github.com/kaphub/kaphub/fhir"
)

// whereabouts is where sessions of this client may be held, and where the client lives.
type whereabouts struct {
	known     bool
	allowed   []string // codes of v3-ActCode; nil: anywhere
	says      string   // allowed, in words
	from      string   // where that comes from, "" where nothing is limited
	agreed    string   // the sheet, where anything rests on it
	of        []*fhir.Version
	home      *fhir.Version // the record of the client's address, where it is looked at
	stateless bool          // a state is needed, and none is on file
	unserved  string        // the state the client lives in, where it is not served
}

// whereabouts finds where sessions may be held: as recorded for the client, else by the sheet. Which states are served is
// the prescriber's licence, and the sheet's alone. It is worked out once.
func (f *facts) whereabouts() *whereabouts {
	if f.setting == nil {
		f.setting = f.findWhereabouts()
	}
	return f.setting
}

func (f *facts) findWhereabouts() *whereabouts {
	t, sheet := f.own(), &f.policy.Sheet
	k := &whereabouts{known: sheet.StatesNotServed.Answer != NotAsked && (t.setting.of != nil || sheet.OfficeOnly.Answer != NotAsked)}
	if sheet.StatesNotServed.Answer != NotAsked {
		k.agreed = f.agreed()
	}
	switch {
	case t.setting.of != nil:
		k.allowed, k.from, k.of = t.setting.value, f.recorded(t.setting.at), []*fhir.Version{t.setting.of}
	case sheet.OfficeOnly.Answer == Set && sheet.OfficeOnly.Value:
		k.allowed, k.from, k.agreed = []string{fhir.ActOffice}, f.agreed(), f.agreed()
	case sheet.OfficeOnly.Answer != NotAsked:
		k.agreed = f.agreed()
	}
	for i, code := range k.allowed {
		if i > 0 {
			k.says += " or "
		}
		k.says += settings[code]
	}
	if sheet.StatesNotServed.Answer != Set {
		return k
	}
	state, home := f.home()
	k.home, k.stateless = home, state == ""
	if slices.ContainsFunc(sheet.StatesNotServed.Value, func(s string) bool { return cmp.Or(stateOf(s), s) == state }) && state != "" {
		k.unserved = state
	}
	return k
}

// settings are how a setting reads on the screen.
var settings = map[string]string{fhir.ActOffice: "in the office", fhir.ActRemote: "remote", fhir.ActHome: "at the client's home"}

// elsewhere says how s is booked elsewhere than it may be held, "" when it is not.
func (k *whereabouts) elsewhere(s *session) string {
	at := booked(s.Value)
	if len(k.allowed) == 0 || slices.Contains(k.allowed, at) {
		return ""
	}
	return "is booked " + settings[at] + ", and may be held " + k.says + " only (" + k.from + ")"
}

// booked returns where a is recorded to take place; in the office, where nothing is said.
func booked(a *fhir.Appointment) string {
	concepts := append(slices.Clone(a.ServiceType), a.ServiceCategory...)
	if a.AppointmentType != nil {
		concepts = append(concepts, *a.AppointmentType)
	}
	for _, code := range []string{fhir.ActHome, fhir.ActRemote} {
		if slices.ContainsFunc(concepts, func(c fhir.CodeableConcept) bool {
			return holds(&c, fhir.Code{System: fhir.SystemActCode, Code: code})
		}) {
			return code
		}
	}
	return fhir.ActOffice
}
