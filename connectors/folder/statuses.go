package folder

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/kaphub/kaphub/fhir"
)

var statusColumns = []column{
	{"client", true, "the practice's number of the client, as in the packet; may be empty where hub_client is not"},
	{"hub_client", false, "the hub's own key of the client, as in the packet"},
	{"family", false, "compared with the practice's, never used to find the client"},
	{"birth_date", false, "likewise"},
	{"changed_on", false, "when the prescriber's system last changed what the row says: an older row never replaces a newer one"},

	{"referral", false, "received, accepted, rejected, in-progress, on-hold, completed, cancelled"},
	{"referral_id", false, "the practice's number of the referral, as in the packet"},
	{"case_id", false, "the prescriber's own number of it"},
	{"evaluation_on", false, "the day"},
	{"evaluation", false, "booked, fulfilled, noshow, cancelled"},

	{"clearance", false, "cleared, cleared-with-conditions, deferred, not-cleared, withdrawn"},
	{"clearance_on", false, "the day it was decided"},
	{"valid_from", false, "when other than clearance_on"},
	{"valid_to", false, "the last day"},
	{"conditions", false, "parted by |"},
	{"decider_npi", false, "ten digits"},
	{"decision_id", false, "the prescriber's own number of it; else its day tells one from another"},
	{"follow_up_done_on", false, "the last one"},
	{"follow_up_booked_on", false, "the next one"},

	{"prescription", false, "active, on-hold, stopped, completed, cancelled"},
	{"prescription_id", false, "else prescribed_on tells one from another"},
	{"prescribed_on", false, ""},
	{"quantity", false, "a number"},
	{"unit", false, "of quantity and dose: lozenge"},
	{"dose", false, "a session, in the same unit"},
	{"repeats", false, "a number"},
	{"route", false, "sublingual, oral, intranasal, intramuscular"},
	{"directions", false, "as on the label"},
	{"medicine", false, "an RxNorm code; ketamine when empty"},

	{"dispense_id", false, "else shipped_on tells one from another"},
	{"shipped_on", false, ""},
	{"delivered_on", false, ""},
	{"discard_after", false, "the last day"},
	{"sessions_worth", false, "a number"},
	{"fulfilment", false, "sent-to-pharmacy, address-confirmation-pending, compounding, shipped, delivered, exception, returned"},
}

// statuses reads a prescriber's CSV: what each row says of one client becomes a Patient that says no more than who is
// meant, and the prescriber's facts. An empty cell says nothing, and takes nothing back.
func statuses(body []byte, f Format) (items []item, err error) {
	t, err := readTable(body, statusColumns, nil, false)
	if err != nil {
		return nil, err
	}
	for i := range t.rows {
		r := &t.rows[i]
		it := item{line: r.line, refused: r.refused}
		who := f.spokenOf(r)
		if it.refused == nil {
			it.resources, it.refused = f.facts(r, who)
		}
		if it.refused != nil {
			it.resources, it.refused.Client = nil, who.id
		}
		items = append(items, it)
	}
	return items, nil
}

// spoken is whom a row of statuses is about: only a number that both sides know tells, never a name.
type spoken struct {
	id         string
	identifier fhir.ID
}

func (f Format) spokenOf(r *row) spoken {
	switch number, hub := r.cells["client"], r.cells["hub_client"]; {
	case number != "" && hub == "":
		return spoken{PatientID(f.system(), number), fhir.ID{System: f.system(), Value: number}}
	case hub != "" && number == "":
		return spoken{PatientID(fhir.SystemClient, hub), fhir.ID{System: fhir.SystemClient, Value: hub}}
	}
	return spoken{}
}

func (f Format) facts(r *row, who spoken) ([]fhir.Resource, *Refusal) {
	if who.id == "" {
		if r.cells["client"] != "" {
			return nil, r.refuse("hub_client", badTwice)
		}
		return nil, r.refuse("client", badMissing)
	}
	if wrong := r.formed(); wrong != nil {
		return nil, wrong
	}
	changed, wrong := f.changed(r)
	if wrong != nil {
		return nil, wrong
	}
	s := statusRow{Format: f, row: r, who: who, changed: changed}
	for _, read := range []func(){s.patient, s.task, s.evaluation, s.followUps, s.prescription, s.clearance, s.dispense, s.fulfilment} {
		if read(); s.wrong != nil {
			return nil, s.wrong
		}
	}
	if len(s.made) == 1 {
		return nil, r.refuse("", badMissing) // a row that says nothing of its client is a slip
	}
	return s.made, nil
}

// statusRow is one row being read; what is wrong with it stops the reading.
type statusRow struct {
	Format
	*row
	who     spoken
	changed string // meta.lastUpdated, "" when the row does not say

	rx    string // the id of the prescription it tells of
	made  []fhir.Resource
	wrong *Refusal
}

func (s *statusRow) fail(column, reason string) {
	if s.wrong == nil {
		s.wrong = s.refuse(column, reason)
	}
}

func (s *statusRow) cell(column string) string { return s.cells[column] }

// word is a cell that must be one of a few words.
func (s *statusRow) word(column string, known ...string) string {
	v := strings.ToLower(s.cell(column))
	if v != "" && !slices.Contains(known, v) {
		s.fail(column, badCode)
	}
	return v
}

func (s *statusRow) day(column string) string {
	on, wrong := s.date(s.row, column)
	if wrong != nil && s.wrong == nil {
		s.wrong = wrong
	}
	return on
}

// before is day, for what cannot lie ahead.
func (s *statusRow) before(column string) string {
	on, wrong := s.past(s.row, column)
	if wrong != nil && s.wrong == nil {
		s.wrong = wrong
	}
	return on
}

var numberForm = regexp.MustCompile(`^[0-9]{1,6}(\.[0-9]{1,3})?$`)

func (s *statusRow) number(column string) json.Number {
	v := s.cell(column)
	if v != "" && !numberForm.MatchString(v) {
		s.fail(column, badNumber)
		return ""
	}
	return json.Number(v)
}

// needs answers whether what a row begins to tell under first may be told: an empty first says nothing, and then none
// of the others may say something.
func (s *statusRow) needs(first string, others ...string) bool {
	if s.cell(first) != "" {
		return true
	}
	for _, o := range others {
		if s.cell(o) != "" {
			s.fail(o, badAlone)
		}
	}
	return false
}

// id is the id of what the row tells of its client under these keys, the same in every export.
func (s *statusRow) id(kind string, keys ...string) string {
	return kind + "-" + key(append([]string{kind, s.who.id}, keys...)...)
}

func (s *statusRow) make(o object) {
	if s.wrong != nil {
		return
	}
	if s.changed != "" {
		o["meta"] = object{"lastUpdated": s.changed}
	}
	r, wrong := resource(o)
	if wrong != nil {
		s.wrong = s.refuse(wrong.Column, wrong.Reason)
		return
	}
	s.made = append(s.made, r)
}

func (s *statusRow) subject() object { return object{"reference": "Patient/" + s.who.id} }

// moment is an instant of a day in the practice's zone, as FHIR writes it.
func (f Format) moment(on string, after time.Duration) string {
	zone := f.Zone
	if zone == nil {
		zone = time.UTC
	}
	day, err := time.ParseInLocation(time.DateOnly, on, zone)
	if err != nil {
		return on // refused already
	}
	return day.Add(after).Format(time.RFC3339)
}

func coded(system, code string) object {
	return object{"coding": []object{{"system": system, "code": code}}}
}

func (s *statusRow) patient() {
	p := object{"resourceType": "Patient", "id": s.who.id,
		"identifier": []object{{"system": s.who.identifier.System, "value": s.who.identifier.Value}}}
	if name := s.cell("family"); name != "" {
		p["name"] = []object{{"family": name}}
	}
	if born := s.before("birth_date"); born != "" {
		p["birthDate"] = born
	}
	s.make(p)
}

func (s *statusRow) task() {
	status := s.word("referral", "received", "accepted", "rejected", "in-progress", "on-hold", "completed", "cancelled")
	if !s.needs("referral", "case_id") {
		return
	}
	t := object{"resourceType": "Task", "id": s.id("t", s.cell("referral_id")), "status": status, "intent": "order",
		"code": coded(fhir.SystemTaskCode, "fulfill"), "for": s.subject()}
	var ids []object
	for _, n := range []struct{ column, code, system string }{{"case_id", "FILL", fhir.Base + "/case"}, {"referral_id", "PLAC", systemReferral}} {
		if v := s.cell(n.column); v != "" {
			ids = append(ids, object{"type": coded(fhir.SystemIdentifierType, n.code), "system": n.system, "value": v})
		}
	}
	if len(ids) > 0 {
		t["identifier"] = ids
	}
	if s.changed != "" {
		t["lastModified"] = s.changed
	}
	s.make(t)
}

// appointment is a visit with the prescriber at some time of a day.
func (s *statusRow) appointment(kind, id, on, status string) {
	s.make(object{"resourceType": "Appointment", "id": id, "status": status, "serviceType": []object{coded(fhir.SystemSession, kind)},
		"start": s.moment(on, 0), "end": s.moment(on, 24*time.Hour-time.Minute),
		"participant": []object{{"actor": s.subject(), "status": "accepted"}}})
}

func (s *statusRow) evaluation() {
	status := s.word("evaluation", "booked", "fulfilled", "noshow", "cancelled")
	on := s.day("evaluation_on")
	if !s.needs("evaluation", "evaluation_on") {
		return
	}
	if on == "" {
		s.fail("evaluation_on", badMissing)
		return
	}
	s.appointment(fhir.SessionEvaluation, s.id("e"), on, status)
}

func (s *statusRow) followUps() {
	if on := s.before("follow_up_done_on"); on != "" {
		s.appointment(fhir.SessionFollowUp, s.id("f", on), on, "fulfilled")
	}
	if on := s.day("follow_up_booked_on"); on != "" {
		s.appointment(fhir.SessionFollowUp, s.id("f", "next"), on, "booked")
	}
}

func (s *statusRow) clearance() {
	decision := s.word("clearance", fhir.DecisionCleared, fhir.DecisionConditions, fhir.DecisionDeferred, fhir.DecisionNotCleared, fhir.DecisionWithdrawn)
	on, from, to := s.before("clearance_on"), s.day("valid_from"), s.day("valid_to")
	if !s.needs("clearance", "clearance_on", "valid_from", "valid_to", "conditions", "decider_npi", "decision_id") {
		return
	}
	if on == "" {
		s.fail("clearance_on", badMissing)
	}
	conditions := parted(s.cell("conditions"))
	if decision == fhir.DecisionConditions != (len(conditions) > 0) {
		s.fail("conditions", badAlone)
	}
	if from == "" {
		from = on
	}
	if to != "" && to < from {
		s.fail("valid_to", badForm)
	}
	period := object{"start": from}
	if to != "" {
		period["end"] = to
	}
	number := s.cell("decision_id")
	if number == "" {
		number = on
	}
	o := object{"resourceType": "Observation", "id": s.id("d", number), "status": "final", "code": coded(fhir.SystemKAP, fhir.CodeClearance),
		"subject": s.subject(), "effectivePeriod": period, "issued": s.moment(on, 0), "valueCodeableConcept": coded(fhir.SystemDecision, decision)}
	if npi := s.cell("decider_npi"); npi != "" {
		o["performer"] = []object{{"identifier": object{"system": fhir.SystemNPI, "value": npi}}}
	}
	var parts []object
	for _, c := range conditions {
		parts = append(parts, object{"code": coded(fhir.SystemClearanceItem, "condition"), "valueCodeableConcept": object{"text": c}})
	}
	if len(parts) > 0 {
		o["component"] = parts
	}
	if s.rx != "" {
		o["focus"] = []object{{"reference": "MedicationRequest/" + s.rx}}
	}
	s.make(o)
}

func parted(cell string) (parts []string) {
	for p := range strings.SplitSeq(cell, "|") {
		if p = strings.TrimSpace(p); p != "" {
			parts = append(parts, p)
		}
	}
	return parts
}

// changed reads when the row was last changed: an instant, or a day, which means its beginning everywhere.
func (f Format) changed(r *row) (string, *Refusal) {
	if at, err := time.Parse(time.RFC3339, r.cells["changed_on"]); err == nil {
		if !f.Now.IsZero() && at.After(f.Now.Add(24*time.Hour)) {
			return "", r.refuse("changed_on", badFuture)
		}
		return at.UTC().Format(time.RFC3339), nil
	}
	on, wrong := f.past(r, "changed_on")
	if wrong != nil || on == "" {
		return "", wrong
	}
	return on + "T00:00:00Z", nil
}
