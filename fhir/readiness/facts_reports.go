package readiness

import (
	"slices"

	"github.com/kaphub/kaphub/fhir"
)

// reports are the prescriber's DiagnosticReports that decide on clearance, each read as the Observation that would say the
// same; the rest of them are none of the hub's business.
//
//	the report                                           read as
//	code says clearance, or a conclusion is a decision   a decision on clearance
//	  one conclusionCode                                 its value
//	  several, or none                                   a value that cannot be read
//	  partial, preliminary                               pending
//	  appended                                           amended
//	  who interpreted it, else who performed it          who decided
func (f *facts) reports() (as []fhir.Seen[fhir.Observation]) {
	deciding := map[fhir.Key]bool{} // a report that decided once does so in every telling: one that says nothing more is unreadable
	for _, s := range f.chart.DiagnosticReports {
		if s.Party != f.policy.Prescriber.Name {
			continue
		}
		told := fhir.Seen[fhir.Observation]{Version: s.Version, Latest: s.Latest}
		if s.Value != nil {
			o, decides := f.report(s.Party, s.Value)
			told.Value = o
			deciding[s.Key] = deciding[s.Key] || decides
		}
		as = append(as, told)
	}
	return slices.DeleteFunc(as, func(s fhir.Seen[fhir.Observation]) bool { return !deciding[s.Key] })
}

// report is r as an Observation; decides is false when it says nothing on clearance.
func (f *facts) report(party string, r *fhir.DiagnosticReport) (o *fhir.Observation, decides bool) {
	o = &fhir.Observation{}
	o.Id, o.Meta, o.Identifier, o.BasedOn, o.Subject = r.Id, r.Meta, r.Identifier, r.BasedOn, r.Subject
	o.Code, o.EffectiveDateTime, o.EffectivePeriod, o.Issued = r.Code, r.EffectiveDateTime, r.EffectivePeriod, r.Issued
	if o.Performer = r.ResultsInterpreter; len(o.Performer) == 0 {
		o.Performer = r.Performer
	}
	if status, ok := reportStatus[r.Status.Code()]; ok {
		_ = o.Status.UnmarshalJSON([]byte(`"` + status + `"`)) // one of R4's own
	}
	decides = f.decides(party, o)
	if len(r.ConclusionCode) > 0 {
		value := fhir.CodeableConcept{Text: r.ConclusionCode[0].Text}
		for _, c := range r.ConclusionCode {
			value.Coding = append(value.Coding, c.Coding...) // two that differ are ambiguous
			decides = decides || f.code(party, &c, fhir.SystemDecision) != ""
		}
		o.ValueCodeableConcept = &value
	}
	if decides && !f.decides(party, o) {
		system, code := fhir.SystemKAP, fhir.CodeClearance
		o.Code.Coding = append(slices.Clone(o.Code.Coding), fhir.Coding{System: &system, Code: &code})
	}
	return o, decides
}

// reportStatus is the status of an Observation that says the same as a report's.
var reportStatus = map[string]string{
	"registered": "registered", "partial": "preliminary", "preliminary": "preliminary", "final": "final", "amended": "amended",
	"corrected": "corrected", "appended": "amended", "cancelled": "cancelled", "entered-in-error": "entered-in-error", "unknown": "unknown",
}

// letter returns the newest document that the prescriber sent, nil when there is none: it may hold a decision that no code
// tells.
func (f *facts) letter() *record[fhir.DocumentReference] {
	var newest *record[fhir.DocumentReference]
	for _, r := range records(f.chart.DocumentReferences, f.look) {
		if !f.ours(r.Version) || !r.live() || r.Value.Status.Code() != "current" || copied(r.Value.Identifier) {
			continue
		}
		if newest == nil || !f.instant(r.Recorded(), r.Value.Date).Before(f.instant(newest.Recorded(), newest.Value.Date)) {
			newest = &r
		}
	}
	return newest
}
