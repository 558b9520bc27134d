package desk

import (
	"fmt"

	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/exchange"
)

// Acknowledge says that whoever enters it read the directions of a prescription: the practice's fact. What was read is kept
// as the digest of those very directions: when they change, they are to be read again.
func (b Book) Acknowledge(n Note, rx *fhir.Version) ([]exchange.Slip, error) {
	if err := n.check(); err != nil {
		return nil, err
	}
	if rx == nil || !directed(rx) {
		return nil, fmt.Errorf("a prescription with directions %w", errMissing)
	}
	d := b.draft(n, b.Practice, KindAcknowledge)
	d.add("Observation", d.id("acknowledged"), nil, object{
		"status": "final", "code": concept(fhir.SystemKAP, fhir.CodeAcknowledged), "subject": d.patient(),
		"effectiveDateTime": instant(n.At), "issued": instant(n.At),
		"performer": []object{{"display": n.By}}, "focus": []object{at(rx)}, "valueString": fhir.DosageDigest(rx.Resource),
	})
	return slips(d)
}
