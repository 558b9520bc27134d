package desk

import (
	"errors"
	"fmt"
	"strings"

	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/exchange"
)

// longestReason is how many letters a reason may have: a line, not a note.
const longestReason = 300

// Reason says in one line why a session began while its records were not READY: the practice's fact. session is the
// Appointment.
func (b Book) Reason(n Note, session fhir.Key, line string) ([]exchange.Slip, error) {
	if err := n.check(); err != nil {
		return nil, err
	}
	switch line = strings.TrimSpace(line); {
	case line == "":
		return nil, in("why", fmt.Errorf("the reason %w", errMissing))
	case strings.ContainsAny(line, "\n\r") || len(line) > longestReason:
		return nil, in("why", errors.New("the reason takes more than one line: shorten it"))
	}
	d := b.draft(n, b.Practice, KindReason)
	d.add("Observation", d.id("reason"), nil, object{
		"status": "final", "code": concept(fhir.SystemKAP, fhir.CodeBeganWhy), "subject": d.patient(),
		"focus": []object{at(&fhir.Version{Key: session})}, "effectiveDateTime": instant(n.At), "issued": instant(n.At),
		"performer": []object{{"display": n.By}}, "valueString": line,
	})
	return slips(d)
}
