package desk

import (
	"cmp"
	"errors"
	"fmt"
	"time"

	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/exchange"
)

// Papers are what the client signed. At least one part is there.
type Papers struct {
	Signed    time.Time   // when; a day
	From, To  string      // the release's period, as dates; To "" = without end
	Release   bool        // a release to the prescriber was signed
	Withdraws bool        // … was withdrawn
	Consents  []fhir.Code // treatment consents that were signed
	Revoked   []fhir.Code // … that were withdrawn
	Refer     bool        // the practice refers the client to the prescriber
}

// Papers makes the Consents, and the referral, of what the client signed: the practice's facts.
func (b Book) Papers(n Note, p Papers) ([]exchange.Slip, error) {
	if err := n.check(); err != nil {
		return nil, err
	}
	d := b.draft(n, b.Practice, KindPapers)
	signed := b.day(p.Signed)
	if p.Signed.IsZero() {
		signed = b.day(n.told())
	}
	switch from := cmp.Or(p.From, signed); {
	case p.Release && p.To != "" && p.To < from:
		return nil, in("release-to", errors.New("the release ends before it begins: it would release nothing"))
	case p.Release:
		d.add("Consent", d.id("release"), nil, b.release(d, "active", signed, from, p.To))
	case p.Withdraws:
		d.add("Consent", d.id("release"), nil, b.release(d, "inactive", signed, from, ""))
	}
	for i, kind := range p.Consents {
		d.add("Consent", d.id(fmt.Sprintf("treatment%d", i+1)), nil, treatment(d, kind, "active", signed))
	}
	for i, kind := range p.Revoked {
		d.add("Consent", d.id(fmt.Sprintf("revoked%d", i+1)), nil, treatment(d, kind, "inactive", signed))
	}
	if p.Refer {
		d.add("ServiceRequest", d.id("referral"), nil, object{
			"identifier": []object{{"type": concept(fhir.SystemIdentifierType, "PLAC"), "system": fhir.SystemEntry, "value": d.Entry}},
			"status":     "active", "intent": "order", "code": concept(fhir.SystemKAP, fhir.CodeEvaluation),
			"subject": d.patient(), "authoredOn": instant(n.told()),
			"requester": b.Practice.reference(), "performer": []object{b.Prescriber.reference()},
		})
	}
	if len(d.made) == 0 {
		return nil, fmt.Errorf("what was signed %w", errMissing)
	}
	return slips(d)
}

func (b Book) release(d *draft, status, signed, from, to string) object {
	period := object{"start": from}
	if to != "" {
		period["end"] = to
	}
	return object{
		"status": status, "scope": concept(fhir.SystemConsentScope, "patient-privacy"),
		"category": []object{concept(fhir.SystemActCode, "IDSCL")},
		"patient":  d.patient(), "dateTime": signed, "policyRule": concept(fhir.SystemActCode, "OPTIN"),
		"provision": object{"type": "permit", "period": period, "actor": []object{{
			"role":      concept("http://terminology.hl7.org/CodeSystem/v3-ParticipationType", "IRCP"),
			"reference": b.Prescriber.reference(),
		}}},
	}
}

func treatment(d *draft, kind fhir.Code, status, signed string) object {
	return object{
		"status": status, "scope": concept(fhir.SystemConsentScope, "treatment"), "category": []object{concept(kind.System, kind.Code)},
		"patient": d.patient(), "dateTime": signed, "policyRule": concept(fhir.SystemActCode, "OPTIN"),
	}
}
