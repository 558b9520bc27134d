package folder

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/kaphub/kaphub/fhir"
)

// The identifier systems of what a roster names, unless the config names the practice's own.
const (
	SystemNumber   = fhir.Base + "/practice-number"   // the practice's own number of a client
	systemReferral = fhir.Base + "/practice-referral" // the practice's own number of a referral
)

// Prescriber is whom a row may name.
type Prescriber struct {
	Name  string  // in the config
	Title string  // as shown
	ID    fhir.ID // by which it is referred to
}

// Format is what a table's rows mean besides what they say.
type Format struct {
	System      string         // of the practice's numbers; "" = SystemNumber
	Zone        *time.Location // in which a day begins; nil = UTC
	USDates     bool           // 02/29/1988 beside 1988-02-29
	LeaveOut    bool           // a column of a roster that is not known is left out, and not a reason to refuse the file
	ReferTo     string         // the prescriber of a roster's row that names none, by name in the config; "" = the only one
	ReferredOn  string         // the day of the referral of a roster's row without one, 2026-01-31; "" = such a row tells of none
	Prescribers []Prescriber   // whom a roster may refer to
	Referral    fhir.Code      // what a referral asks for; zero = kap-evaluation
	Now         time.Time      // nothing is born, referred or shipped after it
}

func (f Format) system() string {
	if f.System == "" {
		return SystemNumber
	}
	return f.System
}

// RosterColumns tells the header of a roster, for people.
func RosterColumns() string { return header(rosterColumns) }

// Column is one of a roster's header.
type Column struct {
	Name   string
	Needed bool
	Means  string // "" = its name says it
}

// Columns are those that a roster's header may have.
func Columns() []Column {
	all := make([]Column, 0, len(rosterColumns))
	for _, c := range rosterColumns {
		all = append(all, Column{c.name, c.required, c.about})
	}
	return all
}

var rosterColumns = []column{
	{"id", true, "the practice's own number of the client"},
	{"family", true, "legal family name"},
	{"given", true, "legal given names, parted by spaces"},
	{"birth_date", true, "2026-01-31"},
	{"chosen_name", false, "as the client is called"},
	{"pronouns", false, "they/them"},
	{"phone", false, ""},
	{"email", false, ""},
	{"address", false, "street and number"},
	{"city", false, ""},
	{"state", false, "two letters"},
	{"postal_code", false, ""},
	{"contact_preference", false, "phone, text or email"},
	{"calendar_token", false, "what stands in the calendar in place of the client's name"},
	{"prescriber", false, "to whom the client is referred: a name of the config, or its title"},
	{"referred_on", false, "the day of the referral"},
	{"referral_id", false, "the practice's own number of the referral; a second referral of a client needs one"},
	{"referral_status", false, "active (when empty), on-hold, revoked, completed, entered-in-error"},
	{"referral_reason_code", false, "ICD-10-CM"},
	{"therapist", false, "whose client they are, and who refers: the name as their account has it"},
	{"therapist_npi", false, "ten digits"},
}

// Reading is what a roster says, and how it was understood.
type Reading struct {
	Records []fhir.Resource
	Refused []Refusal
	Taken   []Taken  // columns whose header has another word than the hub
	Left    []string // the header's words above what was left out
	USOnly  bool     // every date in it can be read only with the month first, and is not
}

// Roster reads a CSV roster: each row becomes a Patient, and with prescriber and referred_on a ServiceRequest. The ids
// of both come from the practice's numbers, so that a changed row is a new version of the same record. A row that cannot
// be taken is refused alone. The error is an *Unread when the file cannot be taken at all.
func Roster(r io.Reader, f Format) (Reading, error) {
	var out Reading
	body, err := io.ReadAll(r)
	if err != nil {
		return out, fmt.Errorf("read roster: %w", err)
	}
	t, err := readTable(body, rosterColumns, rosterWords, f.LeaveOut)
	if err != nil {
		return out, err
	}
	out.Taken, out.Left, out.USOnly = t.taken, t.left, !f.USDates && t.monthFirst()
	items, _ := f.rows(&t)
	for _, it := range items {
		out.Records = append(out.Records, it.resources...)
		if it.refused != nil {
			out.Refused = append(out.Refused, *it.refused)
		}
	}
	return out, nil
}

// Called is how a file's own header calls a column.
func (r *Reading) Called(column string) string {
	for _, t := range r.Taken {
		if t.As == column {
			return t.Wrote
		}
	}
	return column
}

// PatientID is the id under which a table's rows speak of the client whom the practice knows by number.
func PatientID(system, number string) string { return "c-" + key("client", system, number) }

// ReferralID is the id under which they speak of that client's referral to a prescriber of the config, by the practice's
// number of it, "" for none.
func ReferralID(patient, prescriber, number string) string {
	return "r-" + key("referral", patient, prescriber, number)
}

func key(parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return hex.EncodeToString(sum[:])[:32]
}

// roster reads the rows of a roster; whole is false when some of it could not be attributed to a client.
func roster(body []byte, f Format) (items []item, whole bool, err error) {
	t, err := readTable(body, rosterColumns, rosterWords, f.LeaveOut)
	if err != nil {
		return nil, false, err
	}
	items, whole = f.rows(&t)
	return items, whole, nil
}

func (f Format) rows(t *table) (items []item, whole bool) {
	whole = !t.cut
	seen := map[string]bool{}
	for i := range t.rows {
		r := &t.rows[i]
		it := item{line: r.line, refused: r.refused}
		number := r.cells["id"]
		id := PatientID(f.system(), number)
		switch {
		case it.refused != nil:
		case number == "":
			it.refused = r.refuse("id", badMissing)
		case seen[id]:
			it.refused = r.refuse("id", badTwice) // which of the two holds, nobody can tell: the first stands
		default:
			it.resources, it.refused = f.client(r, id)
		}
		if it.refused != nil {
			it.resources = nil
			if number == "" {
				whole = false
			} else {
				it.refused.Type, it.refused.ID, it.refused.Client = "Patient", id, id
			}
		}
		seen[id] = true
		items = append(items, it)
	}
	return items, whole
}

// client reads one row of a roster.
func (f Format) client(r *row, id string) ([]fhir.Resource, *Refusal) {
	patient, wrong := f.patient(r, id)
	if wrong != nil {
		return nil, wrong
	}
	referral, wrong := f.referral(r, id)
	if wrong != nil {
		return nil, wrong
	}
	var all []fhir.Resource
	for _, o := range []object{patient, referral} {
		if o == nil {
			continue
		}
		one, wrong := resource(o)
		if wrong != nil {
			return nil, r.refuse(wrong.Column, wrong.Reason)
		}
		all = append(all, one)
	}
	return all, nil
}

var (
	emailForm  = regexp.MustCompile(`^[^@\s]+@[^@\s]+\.[^@\s]+$`)
	phoneForm  = regexp.MustCompile(`^[+0-9().\-/ x]{7,30}$`)
	stateForm  = regexp.MustCompile(`^[A-Z]{2}$`)
	postalForm = regexp.MustCompile(`^[0-9]{5}(-[0-9]{4})?$`)
	icdForm    = regexp.MustCompile(`^[A-TV-Z][0-9][0-9AB](\.[0-9A-Z]{1,4})?$`)
	npiForm    = regexp.MustCompile(`^[0-9]{10}$`)
)

// forms are what the values of some columns must look like.
var forms = map[string]*regexp.Regexp{
	"email": emailForm, "phone": phoneForm, "state": stateForm, "postal_code": postalForm,
	"referral_reason_code": icdForm, "therapist_npi": npiForm, "decider_npi": npiForm,
}

// formed answers the first column whose value has the wrong form.
func (r *row) formed() *Refusal {
	for _, name := range slices.Sorted(maps.Keys(forms)) {
		if v, ok := r.cells[name]; ok && !forms[name].MatchString(v) {
			return r.refuse(name, badForm)
		}
	}
	return nil
}

func (f Format) patient(r *row, id string) (object, *Refusal) {
	for _, name := range []string{"family", "given", "birth_date"} {
		if r.cells[name] == "" {
			return nil, r.refuse(name, badMissing)
		}
	}
	if wrong := r.formed(); wrong != nil {
		return nil, wrong
	}
	born, wrong := f.past(r, "birth_date")
	if wrong != nil {
		return nil, wrong
	}
	if born < "1900" {
		return nil, r.refuse("birth_date", badDate)
	}
	telecom, wrong := contact(r)
	if wrong != nil {
		return nil, wrong
	}
	names := []object{{"use": "official", "family": r.cells["family"], "given": strings.Fields(r.cells["given"])}}
	if chosen := r.cells["chosen_name"]; chosen != "" {
		names = append(names, object{"use": "usual", "text": chosen})
	}
	ids := []object{{"system": f.system(), "value": r.cells["id"]}}
	if token := r.cells["calendar_token"]; token != "" {
		ids = append(ids, object{"system": fhir.SystemToken, "value": token})
	}
	p := object{"resourceType": "Patient", "id": id, "identifier": ids, "name": names, "birthDate": born}
	if len(telecom) > 0 {
		p["telecom"] = telecom
	}
	address := object{}
	for column, element := range map[string]string{"city": "city", "state": "state", "postal_code": "postalCode"} {
		if v := r.cells[column]; v != "" {
			address[element] = v
		}
	}
	if line := r.cells["address"]; line != "" {
		address["line"] = []string{line}
	}
	if len(address) > 0 {
		address["use"] = "home"
		p["address"] = []object{address}
	}
	var more []object
	if said := r.cells["pronouns"]; said != "" {
		more = append(more, object{"url": fhir.ExtensionPronouns, "extension": []object{{"url": "value", "valueCodeableConcept": object{"text": said}}}})
	}
	if who := r.therapist(); len(who) > 0 {
		who["type"] = "Practitioner"
		more = append(more, object{"url": fhir.ExtensionTherapist, "valueReference": who})
	}
	if len(more) > 0 {
		p["extension"] = more
	}
	return p, nil
}

// therapist is how a row names the client's therapist, empty when it names none.
func (r *row) therapist() object {
	who := object{}
	if name := r.cells["therapist"]; name != "" {
		who["display"] = name
	}
	if npi := r.cells["therapist_npi"]; npi != "" {
		who["identifier"] = object{"system": fhir.SystemNPI, "value": npi}
	}
	return who
}

// contact is how the client is reached, the way they prefer first in rank.
func contact(r *row) ([]object, *Refusal) {
	preferred := strings.ToLower(r.cells["contact_preference"])
	system := map[string]string{"": "", "phone": "phone", "text": "sms", "email": "email"}
	want, ok := system[preferred]
	if !ok {
		return nil, r.refuse("contact_preference", badCode)
	}
	phone, email := r.cells["phone"], r.cells["email"]
	if want != "" && (want == "email" && email == "" || want != "email" && phone == "") {
		return nil, r.refuse("contact_preference", badAlone)
	}
	var all []object
	if phone != "" {
		all = append(all, object{"system": "phone", "value": phone})
		if want == "sms" {
			all = append(all, object{"system": "sms", "value": phone})
		}
	}
	if email != "" {
		all = append(all, object{"system": "email", "value": email})
	}
	for _, t := range all {
		if t["system"] == want {
			t["rank"] = 1
		}
	}
	return all, nil
}

// referral is the referral that a row tells of, nil for none: only a row with its day tells of one.
func (f Format) referral(r *row, patient string) (object, *Refusal) {
	on, wrong := f.past(r, "referred_on")
	if wrong != nil {
		return nil, wrong
	}
	if on = cmp.Or(on, f.ReferredOn); on == "" {
		for _, name := range []string{"referral_id", "referral_status", "referral_reason_code"} {
			if r.cells[name] != "" {
				return nil, r.refuse(name, badAlone)
			}
		}
		return nil, nil
	}
	to, wrong := f.referredTo(r)
	if wrong != nil {
		return nil, wrong
	}
	status := r.cells["referral_status"]
	if status == "" {
		status = "active"
	}
	if !slices.Contains([]string{"active", "on-hold", "revoked", "completed", "entered-in-error"}, status) {
		return nil, r.refuse("referral_status", badCode)
	}
	code := f.Referral
	if code == (fhir.Code{}) {
		code = fhir.Code{System: fhir.SystemKAP, Code: fhir.CodeEvaluation}
	}
	s := object{"resourceType": "ServiceRequest", "id": ReferralID(patient, to.Name, r.cells["referral_id"]),
		"status": status, "intent": "order", "authoredOn": on, "subject": object{"reference": "Patient/" + patient},
		"code": object{"coding": []object{{"system": code.System, "code": code.Code}}},
	}
	if to.ID.Value != "" {
		s["performer"] = []object{{"identifier": object{"system": to.ID.System, "value": to.ID.Value}, "display": to.Title}}
	}
	if number := r.cells["referral_id"]; number != "" {
		s["identifier"] = []object{{"system": systemReferral, "value": number,
			"type": object{"coding": []object{{"system": fhir.SystemIdentifierType, "code": "PLAC"}}}}}
	}
	if reason := r.cells["referral_reason_code"]; reason != "" {
		s["reasonCode"] = []object{{"coding": []object{{"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": reason}}}}
	}
	if requester := r.therapist(); len(requester) > 0 {
		s["requester"] = requester
	}
	return s, nil
}

// referredTo is the prescriber whom a row names; with one in the config an empty cell means that one.
func (f Format) referredTo(r *row) (Prescriber, *Refusal) {
	named := cmp.Or(r.cells["prescriber"], f.ReferTo)
	if named == "" && len(f.Prescribers) == 1 {
		return f.Prescribers[0], nil
	}
	if named == "" {
		return Prescriber{}, r.refuse("prescriber", badMissing)
	}
	for _, p := range f.Prescribers {
		if strings.EqualFold(named, p.Name) || strings.EqualFold(named, p.Title) || named == p.ID.Value {
			return p, nil
		}
	}
	return Prescriber{}, r.refuse("prescriber", badParty)
}
