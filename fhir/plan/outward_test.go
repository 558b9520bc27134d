package plan_test

import (
	"strings"
	"testing"

	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/exchange"
	"github.com/kaphub/kaphub/fhir/fhirtest"
	"github.com/kaphub/kaphub/fhir/plan"
	"github.com/kaphub/kaphub/fhir/readiness"
)

var (
	otherNPI = fhir.ID{System: fhir.SystemNPI, Value: "1992999999"}
	other    = readiness.Party{Name: "aurora", Title: "Aurora", Identifiers: []fhir.ID{otherNPI}}
)

func by(id fhir.ID) map[string]any {
	return map[string]any{"identifier": map[string]any{"system": id.System, "value": id.Value}}
}

func label(code string) []any {
	return []any{map[string]any{"system": fhir.SystemConfidential, "code": code}}
}

func TestWhatLeavesFirst(t *testing.T) {
	actor := func(ref map[string]any) fhir.Edit { return set("provision.actor.0.reference", ref) }
	rows := []struct {
		name  string
		world func(w *world)
		want  string
	}{
		{"with release and referral the client is announced first", func(w *world) {
			w.tell(w.PatientHere(), w.Release(), w.Referral())
		}, "patient"},
		{"a client the prescriber knows already is not made twice", func(w *world) {
			w.registeredThere().tell(w.PatientHere(), w.Release(), w.Referral())
		}, "consent"},
		{"two patients at the prescriber tie: a person decides", func(w *world) {
			w.registeredThere().tell(w.PatientHere(), w.Release(), w.Referral())
			w.links = append(w.links, fhir.Link{Client: w.Client, Source: fhirtest.PrescriberSource, Patient: "twin"})
		}, ""},
		{"the linked patients may be two people", func(w *world) {
			w.tell(w.PatientHere(), w.Release(), w.Referral())
			w.verdict.Findings = []readiness.Finding{{Code: "R01", Severity: readiness.S1, State: readiness.New}}
		}, ""},
		{"the doubt who they are was resolved", func(w *world) {
			w.tell(w.PatientHere(), w.Release(), w.Referral())
			w.verdict.Findings = []readiness.Finding{{Code: "R01", Severity: readiness.S1, State: readiness.Resolved}}
		}, "patient"},

		{"without a release nothing leaves", func(w *world) {
			w.tell(w.PatientHere(), w.Referral())
		}, ""},
		{"a release that was withdrawn", func(w *world) {
			w.tell(w.PatientHere(), w.Release(), w.Referral(), w.Release(set("status", "inactive")))
		}, ""},
		{"a release that is only proposed", func(w *world) {
			w.tell(w.PatientHere(), w.Release(set("status", "proposed")), w.Referral())
		}, ""},
		{"a release that was deleted", func(w *world) {
			release := w.Release()
			w.tell(w.PatientHere(), release, w.Referral(), w.Gone(release, "deleted"))
		}, ""},
		{"a release that ended yesterday", func(w *world) {
			w.tell(w.PatientHere(), w.Release(set("provision.period.end", w.Day(-1))), w.Referral())
		}, ""},
		{"a release that ends today still holds", func(w *world) {
			w.tell(w.PatientHere(), w.Release(set("provision.period.end", w.Day(0))), w.Referral())
		}, "patient"},
		{"a release that begins tomorrow", func(w *world) {
			w.tell(w.PatientHere(), w.Release(set("provision.period.start", w.Day(1))), w.Referral())
		}, ""},
		{"a release whose end cannot be read", func(w *world) {
			w.tell(w.PatientHere(), w.Release(set("provision.period.end", "2027-01-01T10:00:00")), w.Referral())
		}, ""},
		{"a release for another prescriber", func(w *world) {
			w.tell(w.PatientHere(), w.Release(actor(by(otherNPI))), w.Referral())
		}, ""},
		{"a release that names the prescriber by display alone", func(w *world) {
			w.tell(w.PatientHere(), w.Release(actor(map[string]any{"display": "Skylight Psychedelics"})), w.Referral())
		}, ""},
		{"a release that names the prescriber through the practice's directory", func(w *world) {
			w.tell(w.organization("org-1", fhirtest.PrescriberNPI),
				w.PatientHere(), w.Release(actor(map[string]any{"reference": "Organization/org-1"})), w.Referral())
		}, "patient"},
		{"a release that forbids", func(w *world) {
			w.tell(w.PatientHere(), w.Release(set("provision.type", "deny")), w.Referral())
		}, ""},
		{"a second record that forbids this prescriber overrides", func(w *world) {
			w.tell(w.PatientHere(), w.Release(), w.Referral(), w.Release(set("id", "no"), set("provision.type", "deny")))
		}, ""},
		{"a release with an exception the hub cannot apply", func(w *world) {
			w.tell(w.PatientHere(), w.Release(set("provision.provision.0.type", "deny")), w.Referral())
		}, ""},
		{"a record that forbade, before the client permitted it", func(w *world) {
			w.tell(w.DaysBefore(30).Release(set("id", "no"), set("provision.type", "deny")))
			w.DaysBefore(3)
			w.tell(w.PatientHere(), w.Release(), w.Referral())
		}, "patient"},
		{"a release that names the prescriber by a full address", func(w *world) {
			w.tell(w.organization("org-1", fhirtest.PrescriberNPI),
				w.PatientHere(), w.Release(actor(map[string]any{"reference": "https://ehr.example/fhir/Organization/org-1"})), w.Referral())
		}, "patient"},
		{"the client withdrew the release given last: an older one that nobody ended counts no more", func(w *world) {
			w.tell(w.DaysBefore(30).Release(set("id", "older")))
			w.DaysBefore(3)
			w.tell(w.PatientHere(), w.Release(set("status", "inactive")), w.Referral())
		}, ""},
		{"a release that was withdrawn in the same second as another was given", func(w *world) {
			w.tell(w.PatientHere(), w.Release(set("id", "a")), w.Release(set("id", "b"), set("status", "inactive")), w.Referral())
		}, ""},
		{"an older release withdrawn long after this one was signed: whether both were meant cannot be told", func(w *world) {
			signed := set("dateTime", w.Day(-30))
			w.tell(w.DaysBefore(30).Release(set("id", "older"), signed))
			w.DaysBefore(10)
			w.tell(w.PatientHere(), w.Release(), w.Referral())
			w.DaysBefore(2)
			w.tell(w.Release(set("id", "older"), signed, set("status", "inactive")))
		}, ""},
		{"a release given after an older one was withdrawn", func(w *world) {
			w.tell(w.DaysBefore(30).Release(set("id", "older"), set("status", "inactive")))
			w.DaysBefore(3)
			w.tell(w.PatientHere(), w.Release(), w.Referral())
		}, "patient"},
		{"a withdrawn release for somebody else ends nothing", func(w *world) {
			w.tell(w.PatientHere(), w.Release(), w.Release(set("id", "b"), set("status", "inactive"), actor(by(otherNPI))), w.Referral())
		}, "patient"},
		{"a second record that forbids everybody", func(w *world) {
			w.tell(w.PatientHere(), w.Release(), w.Referral(), w.Release(set("id", "no"), set("provision.type", "deny"), set("provision.actor", nil)))
		}, ""},
		{"a second record that forbids somebody nobody can tell", func(w *world) {
			w.tell(w.PatientHere(), w.Release(), w.Referral(), w.Release(set("id", "no"), set("provision.type", "deny"), actor(map[string]any{"reference": "Organization/unheard-of"})))
		}, ""},
		{"a release dated next year by mistake does not outlive a denial of today", func(w *world) {
			w.tell(w.PatientHere(), w.Release(set("dateTime", w.Day(365))), w.Referral())
			w.DaysBefore(1)
			w.tell(w.Release(set("id", "no"), set("provision.type", "deny")))
		}, ""},
		{"a denial of the same day, at no hour", func(w *world) {
			w.tell(w.PatientHere(), w.Release(), w.Referral(), w.Release(set("id", "no"), set("provision.type", "deny"), set("dateTime", w.Day(-3))))
		}, ""},
		{"a second record that forbids another prescriber", func(w *world) {
			w.tell(w.PatientHere(), w.Release(), w.Referral(), w.Release(set("id", "no"), set("provision.type", "deny"), actor(by(otherNPI))))
		}, "patient"},
		{"a second record that forbids for a time that cannot be read", func(w *world) {
			w.tell(w.PatientHere(), w.Release(), w.Referral(), w.Release(set("id", "no"), set("provision.type", "deny"), set("provision.period.end", "2027-01-01T10:00:00")))
		}, ""},
		{"a release for research alone", func(w *world) {
			w.tell(w.PatientHere(), w.Release(set("provision.purpose", []any{map[string]any{"system": "http://terminology.hl7.org/CodeSystem/v3-ActReason", "code": "HRESCH"}})), w.Referral())
		}, ""},
		{"a release for treatment", func(w *world) {
			w.tell(w.PatientHere(), w.Release(set("provision.purpose", []any{map[string]any{"system": "http://terminology.hl7.org/CodeSystem/v3-ActReason", "code": "TREAT"}})), w.Referral())
		}, "patient"},
		{"a release of single records, which the hub cannot keep to", func(w *world) {
			w.tell(w.PatientHere(), w.Release(set("provision.data", []any{map[string]any{"meaning": "instance", "reference": map[string]any{"reference": "Observation/1"}}})), w.Referral())
		}, ""},
		{"a release of appointments alone", func(w *world) {
			w.tell(w.PatientHere(), w.Release(set("provision.class", []any{map[string]any{"system": "http://hl7.org/fhir/resource-types", "code": "Appointment"}})), w.Referral())
		}, ""},
		{"a release to collect, not to tell", func(w *world) {
			w.tell(w.PatientHere(), w.Release(set("provision.action", []any{map[string]any{"coding": []any{map[string]any{"system": "http://terminology.hl7.org/CodeSystem/consentaction", "code": "collect"}}}})), w.Referral())
		}, ""},
		{"a release that names somebody at another server, who bears there the id that the prescriber has here", func(w *world) {
			w.policy.Bases = map[string]string{fhirtest.PracticeSource: "https://ehr.example/fhir"}
			w.tell(w.organization("org-1", fhirtest.PrescriberNPI),
				w.PatientHere(), w.Release(actor(map[string]any{"reference": "https://elsewhere.example/fhir/Organization/org-1"})), w.Referral())
		}, ""},
		{"a release that names the prescriber by its own server's full address", func(w *world) {
			w.policy.Bases = map[string]string{fhirtest.PracticeSource: "https://ehr.example/fhir/"}
			w.tell(w.organization("org-1", fhirtest.PrescriberNPI),
				w.PatientHere(), w.Release(actor(map[string]any{"reference": "https://ehr.example/fhir/Organization/org-1"})), w.Referral())
		}, "patient"},
		{"a consent to treatment is no release", func(w *world) {
			w.tell(w.PatientHere(), w.TreatmentConsent(), w.Referral())
		}, ""},
		{"a release labelled very restricted cannot be shown to anybody", func(w *world) {
			w.tell(w.PatientHere(), w.Release(set("meta.security", label("V"))), w.Referral())
		}, ""},

		{"a referral that was revoked", func(w *world) {
			w.tell(w.PatientHere(), w.Release(), w.Referral(), w.Referral(set("status", "revoked")))
		}, ""},
		{"a referral that is only a plan", func(w *world) {
			w.tell(w.PatientHere(), w.Release(), w.Referral(set("intent", "plan")))
		}, ""},
		{"a referral for something else", func(w *world) {
			w.tell(w.PatientHere(), w.Release(), w.Referral(set("code.coding.0.code", "massage")))
		}, ""},
		{"a referral to another prescriber", func(w *world) {
			w.tell(w.PatientHere(), w.Release(), w.Referral(set("performer", []any{by(otherNPI)})))
		}, ""},
		{"a referral that names nobody, where there is one prescriber", func(w *world) {
			w.tell(w.PatientHere(), w.Release(), w.Referral(set("performer", nil)))
		}, "patient"},
		{"a referral that names nobody, where there are two", func(w *world) {
			w.policy.Others = []readiness.Party{other}
			w.tell(w.PatientHere(), w.Release(), w.Referral(set("performer", nil)))
		}, ""},
		{"a referral that names the prescriber in a contained organization", func(w *world) {
			w.tell(w.PatientHere(), w.Release(), w.Referral(
				set("contained", []any{map[string]any{"resourceType": "Organization", "id": "sky",
					"identifier": []any{by(fhirtest.PrescriberNPI)["identifier"]}}}),
				set("performer", []any{map[string]any{"reference": "#sky"}})))
		}, "patient"},
		{"a referral that names a role at the prescriber", func(w *world) {
			w.tell(w.organization("org-1", fhirtest.PrescriberNPI),
				w.Told(fhirtest.PracticeSource, fhir.Practice, `{"resourceType":"PractitionerRole","id":"role-1","organization":{"reference":"Organization/org-1"}}`),
				w.PatientHere(), w.Release(), w.Referral(set("performer", []any{map[string]any{"reference": "PractitionerRole/role-1"}})))
		}, "patient"},
		{"a referral labelled restricted stays whole, and nobody is announced for it", func(w *world) {
			w.tell(w.PatientHere(), w.Release(), w.Referral(set("meta.security", label("R"))))
		}, ""},
		{"a referral labelled as substance use stays", func(w *world) {
			w.tell(w.PatientHere(), w.Release(), w.Referral(set("meta.security", []any{map[string]any{"system": fhir.SystemActCode, "code": "SUD"}})))
		}, ""},
		{"a referral labelled normal leaves", func(w *world) {
			w.tell(w.PatientHere(), w.Release(), w.Referral(set("meta.security", label("N"))))
		}, "patient"},
		{"a patient record labelled restricted", func(w *world) {
			w.tell(w.PatientHere(set("meta.security", label("R"))), w.Release(), w.Referral())
		}, ""},
		{"a referral with a modifier that nobody here understands", func(w *world) {
			v := w.Referral()
			v.Resource.Body = []byte(strings.Replace(string(v.Resource.Body), `"status"`,
				`"modifierExtension":[{"url":"https://unknown.example","valueBoolean":true}],"status"`, 1))
			w.tell(w.PatientHere(), w.Release(), v)
		}, ""},

		{"the prescriber has decided by another way: the referral was taken up", func(w *world) {
			w.registeredThere().tell(w.PatientHere(), w.Release(), w.Referral(), w.DaysBefore(1).Clearance(fhir.DecisionCleared, w.Day(-1), ""))
		}, "clearance"},
		{"a decision of last year answers last year's referral", func(w *world) {
			w.registeredThere().tell(w.DaysBefore(300).Clearance(fhir.DecisionCleared, w.Day(-300), w.Day(-200)))
			w.DaysBefore(3)
			w.tell(w.PatientHere(), w.Release(), w.Referral())
		}, "consent, clearance"},
		{"a decision that is not final yet", func(w *world) {
			w.registeredThere().tell(w.PatientHere(), w.Release(), w.Referral(), w.DaysBefore(1).Clearance(fhir.DecisionCleared, w.Day(-1), "", set("status", "preliminary")))
		}, "consent, clearance"},
		{"the prescriber has a Task of its own with the referral's number", func(w *world) {
			w.registeredThere().tell(w.PatientHere(), w.Release(), w.Referral(), w.DaysBefore(1).Task("accepted", set("identifier.0", nil)))
		}, "task-status"},
		{"the prescriber refused this very referral by a Task of its own", func(w *world) {
			w.registeredThere().tell(w.PatientHere(), w.Release(), w.Referral(), w.DaysBefore(1).Task("rejected", set("identifier.0", nil)))
		}, "task-status"},
		{"the prescriber has a Task about something else", func(w *world) {
			w.registeredThere().tell(w.PatientHere(), w.Release(), w.Referral(),
				w.DaysBefore(1).Told(fhirtest.PrescriberSource, fhirtest.Prescriber,
					`{"resourceType":"Task","id":"call","status":"requested","intent":"plan","for":{"reference":"Patient/s-p1"}}`))
		}, "consent"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			w := newWorld()
			row.world(w)
			c := w.plan()
			same(t, whats(c), row.want)
			for _, d := range c.Stage { // else it would be withdrawn and staged anew for ever
				if ok, why := plan.Allowed(d, w.chart(), w.policy, w.clock); !ok {
					t.Errorf("%s is staged and may not leave: %s", d.What, why)
				}
			}
		})
	}
}

func (w *world) organization(id string, npi fhir.ID) fhir.Version {
	return w.Told(fhirtest.PracticeSource, fhir.Practice, `{"resourceType":"Organization","id":"`+id+`","identifier":[{"system":"`+npi.System+`","value":"`+npi.Value+`"}]}`)
}

func TestOneReferralGoesStepByStep(t *testing.T) {
	w := referred()
	same(t, w.settle(t), "patient, consent, referral, task")

	release := w.versions[1].Basis()
	for _, e := range w.ledger {
		if e.To != fhirtest.Prescriber || e.Lane != w.ledger[0].Lane {
			t.Errorf("%s goes to %s in lane %s", e.What, e.To, e.Lane)
		}
		if e.Release == nil || *e.Release != release {
			t.Errorf("%s does not record the release it rests on", e.What)
		}
		if len(e.Rests) != 1 {
			t.Errorf("%s does not record the version it discloses", e.What)
		}
	}
}

func TestTheNextStepWaitsForTheReceipt(t *testing.T) {
	w := referred()
	w.stage()
	for _, state := range []exchange.State{exchange.Staged, exchange.Attempted, exchange.Unknown, exchange.Refused} {
		w.ledger[0].State, w.ledger[0].Attempts = state, 1
		if state == exchange.Staged {
			w.ledger[0].Attempts = 0
		}
		if c := w.plan(); len(c.Stage)+len(c.Withdraw) > 0 {
			t.Errorf("while the Patient is %s: %v", state, whats(c))
		}
	}
}

func TestEveryReferenceIsOneTheOtherSideKnows(t *testing.T) {
	w := referred()
	w.settle(t)
	patient, consent, request, task := w.ledger[0], w.ledger[1], w.ledger[2], w.ledger[3]
	rows := []struct{ name, got, want string }{
		{"the consent is the client's there", at(body(t, consent.Delivery), "patient", "reference"), patient.Receipt.Ref.String()},
		{"the referral is the client's there", at(body(t, request.Delivery), "subject", "reference"), patient.Receipt.Ref.String()},
		{"the referral points to the consent there", at(body(t, request.Delivery), "supportingInfo", 0, "reference"), consent.Receipt.Ref.String()},
		{"the referral names the prescriber by number", at(body(t, request.Delivery), "performer", 0, "identifier", "value"), fhirtest.PrescriberNPI.Value},
		{"the referral names the therapist by number", at(body(t, request.Delivery), "requester", "identifier", "value"), fhirtest.TherapistNPI.Value},
		{"the task is about the referral there", at(body(t, task.Delivery), "focus", "reference"), request.Receipt.Ref.String()},
		{"the task is for the client there", at(body(t, task.Delivery), "for", "reference"), patient.Receipt.Ref.String()},
		{"the task is requested", at(body(t, task.Delivery), "status"), "requested"},
		{"the task bears the practice's number", at(body(t, task.Delivery), "identifier", 0, "value"), "PLAC-p1"},
		{"the task is owned by the prescriber", at(body(t, task.Delivery), "owner", "identifier", "value"), fhirtest.PrescriberNPI.Value},
		{"no step mentions the practice's own ids", strings.Join(mentions(w, "Patient/p1", "Consent/release-p1", "ServiceRequest/referral-p1"), " "), ""},
	}
	for _, row := range rows {
		if row.got != row.want {
			t.Errorf("%s: got %q, want %q", row.name, row.got, row.want)
		}
	}
}

// mentions returns which of words occur in what has gone to the prescriber.
func mentions(w *world, words ...string) []string {
	var found []string
	for _, word := range words {
		for _, e := range w.ledger {
			if e.To != fhir.Practice && strings.Contains(string(e.Body), word) {
				found = append(found, word)
				break
			}
		}
	}
	return found
}

func TestWhatMustNotLeaveDoesNot(t *testing.T) {
	w := newWorld()
	long := strings.Repeat("process note ", 30)
	w.tell(
		w.PatientHere(
			set("text", map[string]any{"status": "generated", "div": `<div xmlns="http://www.w3.org/1999/xhtml">NARRATIVE</div>`}),
			set("contact", []any{map[string]any{"name": map[string]any{"text": "PARTNER"}}}),
			set("extension", []any{map[string]any{"url": "https://reverie.example/ext", "valueString": "EXTENSION"}}),
			set("identifier.-1", map[string]any{"system": "http://hl7.org/fhir/sid/us-ssn", "value": "000-00-SSN"}),
			set("name.-1", map[string]any{"use": "old", "text": "LEFTBEHIND"})),
		w.Release(set("sourceAttachment", map[string]any{"title": "ATTACHMENT", "contentType": "application/pdf"}),
			set("provision.actor.-1", map[string]any{"role": map[string]any{"text": "recipient"}, "reference": map[string]any{"display": "EMPLOYER"}})),
		w.Referral(set("note", []any{map[string]any{"text": "NOTE"}}), set("patientInstruction", "INSTRUCTION"),
			set("reasonCode", []any{map[string]any{"text": long}, map[string]any{"text": "treatment-resistant depression"}}),
			set("reasonReference", []any{map[string]any{"reference": "Condition/secret", "display": "CONDITION"}})),
	)
	same(t, w.settle(t), "patient, consent, referral, task")
	if found := mentions(w, "NARRATIVE", "PARTNER", "EXTENSION", "SSN", "LEFTBEHIND", "ATTACHMENT", "EMPLOYER", "NOTE", "INSTRUCTION", "process note", "CONDITION", "secret"); len(found) > 0 {
		t.Errorf("left all the same: %v", found)
	}
	if found := mentions(w, "Juniper", "treatment-resistant depression", "MRN-p1", "1988-02-29"); len(found) != 4 {
		t.Errorf("only %v left of what the prescriber needs", found)
	}
	if found := mentions(w, exchange.Notice); len(found) > 0 {
		t.Error("the redisclosure notice goes along though this is no Part 2 programme")
	}
}

func TestWhatThePracticeWithholdsFromThisPrescriberStays(t *testing.T) {
	w := newWorld()
	w.tell(w.PatientHere(set("address", []any{map[string]any{"city": "HIDINGPLACE"}})), w.Release(), w.Referral(set("reasonCode", []any{map[string]any{"text": "REASON"}})))
	told := w.stage().Stage[0]
	w.policy.Withhold = []string{"Patient.address", "ServiceRequest.reasonCode"}
	c := w.stage()
	if len(c.Withdraw) != 1 || c.Withdraw[0] != told.ID || len(c.Stage) != 1 || c.Stage[0].ID == told.ID {
		t.Errorf("what was staged before must be taken back and told with less: %+v", c)
	}
	w.arrive()
	same(t, w.settle(t), "consent, referral, task")
	for _, e := range w.ledger {
		if e.State == exchange.Delivered && (strings.Contains(string(e.Body), "HIDINGPLACE") || strings.Contains(string(e.Body), "REASON")) {
			t.Errorf("%s left with what was to be withheld", e.What)
		}
	}
	if len(mentions(w, "Juniper")) == 0 {
		t.Error("the rest is told")
	}
}

func TestAPart2ProgrammeSendsTheNoticeAlong(t *testing.T) {
	w := referred()
	w.policy.Part2 = true
	w.settle(t)
	if got := at(body(t, w.sentTask().Delivery), "input", 0, "valueString"); got != exchange.Notice {
		t.Errorf("the Task says %q", got)
	}
}

func TestWhatWasStagedIsTakenBack(t *testing.T) {
	rows := []struct {
		name   string
		before func(w *world)
		want   string
	}{
		{"the release was withdrawn", func(w *world) { w.tell(w.Release(set("status", "inactive"))) }, "withdraw"},
		{"the release ran out meanwhile", func(w *world) { w.clock = w.clock.AddDate(1, 0, 0) }, "withdraw"},
		{"the referral was revoked", func(w *world) { w.tell(w.Referral(set("status", "revoked"))) }, "withdraw"},
		{"the referral was an error", func(w *world) { w.tell(w.Referral(set("status", "entered-in-error"))) }, "withdraw"},
		{"the referral now goes to another prescriber", func(w *world) { w.tell(w.Referral(set("performer", []any{by(otherNPI)}))) }, "withdraw"},
		{"the patient record was corrected: the newer one goes instead", func(w *world) { w.tell(w.PatientHere(set("birthDate", "1988-02-28"))) }, "patient, withdraw"},
		{"the release was written anew: it goes under the new one", func(w *world) { w.tell(w.Release(set("dateTime", w.Day(0)))) }, "patient, withdraw"},
		{"the prescriber decided meanwhile", func(w *world) {
			w.registeredThere().tell(w.On(now).Clearance(fhir.DecisionCleared, w.Day(0), ""))
		}, "clearance, withdraw"},
		{"whose records they are is in doubt", func(w *world) {
			w.verdict.Findings = []readiness.Finding{{Code: "R01", Severity: readiness.S2, State: readiness.Persisting}}
		}, "withdraw"},
		{"it may have arrived: the disclosure log must not lie", func(w *world) {
			w.tell(w.Release(set("status", "inactive")))
			w.ledger[0].State, w.ledger[0].Attempts = exchange.Attempted, 1
		}, ""},
		{"it was tried, and for sure did not arrive", func(w *world) {
			w.tell(w.Release(set("status", "inactive")))
			w.ledger[0].Attempts = 1
		}, "withdraw"},
		{"it was tried in vain before the release was written anew", func(w *world) {
			w.tell(w.Release(set("dateTime", w.Day(0))))
			w.ledger[0].Attempts = 1
		}, "patient, withdraw"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			w := referred()
			w.stage()
			row.before(w)
			same(t, whats(w.plan()), row.want)
		})
	}
}

func TestWhatWasTakenBackGoesWhenItIsWantedAgain(t *testing.T) {
	w := referred()
	w.stage()
	w.verdict.Findings = []readiness.Finding{{Code: "R01", Severity: readiness.S1, State: readiness.New}}
	same(t, whats(w.stage()), "withdraw")
	w.verdict.Findings = nil
	same(t, w.settle(t), "patient, consent, referral, task")
	if w.ledger[0].ID == w.ledger[1].ID {
		t.Error("the withdrawn id is used again")
	}
}

func TestAReferralCorrectedAfterARefusalGoesAgain(t *testing.T) {
	w := referred()
	w.stage()
	w.ledger[0].State, w.ledger[0].Attempts = exchange.Refused, 1
	same(t, whats(w.stage()), "")
	w.tell(w.PatientHere(set("address", nil)))
	same(t, whats(w.stage()), "patient, withdraw")
	w.arrive()
	same(t, w.settle(t), "consent, referral, task") // what was refused is not asked for once more
}

func TestAReleaseRenewedOnTheWayIsShownAgainBeforeTheReferral(t *testing.T) {
	w := referred()
	w.stage()
	w.arrive()
	w.stage()
	w.arrive() // Patient and Consent stand there
	w.tell(w.Release(set("provision.period.end", w.Day(600))))
	same(t, whats(w.stage()), "consent again")
}

func TestTheClientsRecordThereIsTheOneThatStands(t *testing.T) {
	announced := func() *world {
		w := referred()
		w.stage()
		w.arrive()
		w.readBack() // the Patient stands there and is linked
		return w
	}
	t.Run("deleted there: nothing that would dangle is sent", func(t *testing.T) {
		w := announced()
		w.tell(w.Gone(w.versions[len(w.versions)-1], "deleted"))
		same(t, whats(w.stage()), "")
	})
	t.Run("linked to another record there by a person: that one", func(t *testing.T) {
		w := announced()
		w.links[len(w.links)-1].Patient = "kept"
		c := w.stage()
		same(t, whats(c), "consent")
		if got := at(body(t, c.Stage[0]), "patient", "reference"); got != "Patient/kept" {
			t.Errorf("the consent is for %s", got)
		}
		if ok, why := plan.Allowed(c.Stage[0], w.chart(), w.policy, w.clock); !ok {
			t.Errorf("it may not leave: %s", why)
		}
	})
	t.Run("that may be another client's: a person decides first", func(t *testing.T) {
		w := referred()
		w.links = append(w.links, fhir.Link{Client: w.Client, Source: fhirtest.PrescriberSource, Patient: "whose", How: fhir.Candidate})
		same(t, whats(w.plan()), "")
	})
	t.Run("unlinked while a try is under way: the try is not sent on under somebody else's record", func(t *testing.T) {
		w := announced()
		d := w.stage().Stage[0]
		w.links[len(w.links)-1].Patient = "kept"
		if ok, why := plan.Allowed(d, w.chart(), w.policy, w.clock); ok || why == "" {
			t.Errorf("%s for %s may still leave", d.What, at(body(t, d), "patient", "reference"))
		}
	})
}

func TestAReferralAfterARejectionIsANewOne(t *testing.T) {
	w := referred()
	w.settle(t)
	w.move(set("status", "rejected"), set("statusReason.text", "outside our states"))
	same(t, w.settle(t), "task-status")
	w.On(w.clock)
	w.tell(w.Referral(set("status", "revoked")), w.Referral(set("id", "second"), set("identifier.0.value", "PLAC-second")))
	same(t, w.settle(t), "referral, revocation again, task")
}
