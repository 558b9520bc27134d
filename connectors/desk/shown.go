package desk

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/kaphub/kaphub/fhir"
)

// Shown returns in one line what an entered decision says, for whoever compares it with the message: "cleared; decided by
// Dr. Vale; valid to 2026-06-01; systolic up to 135". The error says that r is no decision that can be read.
func Shown(r fhir.Resource) (string, error) {
	o, err := fhir.Read[fhir.Observation](r)
	if err != nil {
		return "", fmt.Errorf("read the decision: %w", err)
	}
	parts := []string{coded(o.ValueCodeableConcept)}
	for i := range o.Performer {
		if name := o.Performer[i].Display; name != nil {
			parts = append(parts, "decided by "+*name)
		} else if id, ok := fhir.IDOf(o.Performer[i].Identifier); ok {
			parts = append(parts, "decided by "+id.Shown())
		}
	}
	if period := o.EffectivePeriod; period != nil {
		if period.End != nil {
			parts = append(parts, "valid to "+*period.End)
		} else {
			parts = append(parts, "no end given")
		}
	}
	for i := range o.Component {
		c := &o.Component[i]
		switch {
		case coded(&c.Code) == fhir.ItemInterval && c.ValueQuantity != nil && c.ValueQuantity.Value != nil:
			parts = append(parts, "at least "+c.ValueQuantity.Value.String()+" days apart")
		case coded(&c.Code) == fhir.ItemSetting:
			parts = append(parts, map[string]string{fhir.ActOffice: "in the office", fhir.ActRemote: "remote", fhir.ActHome: "at home"}[coded(c.ValueCodeableConcept)])
		case coded(&c.Code) == fhir.ItemWeekly && c.ValueInteger != nil:
			parts = append(parts, fmt.Sprintf("at most %d a week", *c.ValueInteger))
		case c.ValueQuantity != nil:
			parts = append(parts, upTo(coded(&c.Code), c.ValueQuantity))
		case c.ValueCodeableConcept != nil && c.ValueCodeableConcept.Text != nil:
			parts = append(parts, "condition: "+*c.ValueCodeableConcept.Text)
		case c.ValueInteger != nil:
			parts = append(parts, fmt.Sprintf("sessions at most: %d", *c.ValueInteger))
		}
	}
	return strings.Join(parts, "; "), nil
}

// coded is a concept's first code, "" when it has none.
func coded(c *fhir.CodeableConcept) string {
	if c == nil || len(c.Coding) == 0 || c.Coding[0].Code == nil {
		return ""
	}
	return *c.Coding[0].Code
}

// upTo is a limit in words.
func upTo(item string, q *fhir.Quantity) string {
	how, value := " up to ", ""
	if q.Comparator != nil && q.Comparator.Code() == "<" {
		how = " below "
	}
	if q.Value != nil {
		if v, err := q.Value.Float64(); err == nil {
			value = strconv.FormatFloat(v, 'f', -1, 64)
		}
	}
	return strings.ReplaceAll(strings.TrimPrefix(item, "max-"), "-", " ") + how + value
}
