package desk

import (
	"fmt"
	"time"

	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/exchange"
)

// Stop makes the Flag of a stop that party said, or, with client, that the client said to it: it holds at once. line is why, in one line, "" when it was not said.
func (b Book) Stop(n Note, party Party, client bool, line string) ([]exchange.Slip, error) {
	if err := n.check(); err != nil {
		return nil, err
	}
	line, err := Line(line)
	if err != nil {
		return nil, in("why", fmt.Errorf("the reason %w", err))
	}
	d := b.draft(n, party, KindStop)
	code := concept(fhir.SystemKAP, fhir.CodeStop)
	if line != "" {
		code["text"] = line
	}
	author := party.reference()
	if n.From != "" {
		author = object{"display": n.From}
	}
	if client { // whose word it is decides whose word ends it
		author["reference"] = "Patient/" + n.Client
	}
	d.add("Flag", d.id("stop"), nil, object{
		"status": "active", "code": code, "subject": d.patient(), "period": object{"start": instant(n.told())}, "author": author,
	})
	return slips(d)
}

// Lift ends a stop by the word of the party that owns it. stop is the Flag as it stands at a desk.
func (b Book) Lift(n Note, party Party, stop *fhir.Version) ([]exchange.Slip, error) {
	if err := n.check(); err != nil {
		return nil, err
	}
	if stop.Source != Source(party.Name) {
		return nil, fmt.Errorf("the stop is not %s's: only whoever said it lifts it", party.Title)
	}
	body, err := members(stop)
	if err != nil {
		return nil, err
	}
	period, _ := body["period"].(map[string]any)
	if period == nil {
		period = map[string]any{}
	}
	if start, ok := period["start"].(string); ok {
		if said, err := time.Parse(time.RFC3339, start); err == nil && n.told().Before(said) {
			return nil, in("told", fmt.Errorf("the stop was said only on %s: nobody lifted it before", said.In(b.zone()).Format("Mon 2 Jan 2006 15:04")))
		}
	}
	period["end"] = instant(n.told())
	body["status"], body["period"] = "inactive", period
	d := b.draft(n, party, KindLift)
	d.add("Flag", "", stop, body)
	return slips(d)
}
