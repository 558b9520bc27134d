package desk

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/exchange"
)

// longestLine is how many letters a line may have: a line, not a note.
const longestLine = 300

// Line reads what is said in one line: without a break, or anything else that a screen would obey.
func Line(s string) (string, error) {
	s = strings.TrimSpace(s)
	if utf8.RuneCountInString(s) > longestLine || strings.ContainsFunc(s, func(r rune) bool {
		return unicode.IsControl(r) || unicode.In(r, unicode.Zl, unicode.Zp, unicode.Bidi_Control)
	}) {
		return "", fmt.Errorf("must be one line of at most %d letters: shorten it", longestLine)
	}
	return s, nil
}

// Reason says in one line why a session began while its records were not READY: the practice's fact. session is the
// Appointment.
func (b Book) Reason(n Note, session fhir.Key, line string) ([]exchange.Slip, error) {
	if err := n.check(); err != nil {
		return nil, err
	}
	switch said, err := Line(line); {
	case err != nil:
		return nil, in("why", fmt.Errorf("the reason %w", err))
	case said == "":
		return nil, in("why", fmt.Errorf("the reason %w", errMissing))
	default:
		line = said
	}
	d := b.draft(n, b.Practice, KindReason)
	d.add("Observation", d.id("reason"), nil, object{
		"status": "final", "code": concept(fhir.SystemKAP, fhir.CodeBeganWhy), "subject": d.patient(),
		"focus": []object{at(&fhir.Version{Key: session})}, "effectiveDateTime": instant(n.At), "issued": instant(n.At),
		"performer": []object{{"display": n.By}}, "valueString": line,
	})
	return slips(d)
}
