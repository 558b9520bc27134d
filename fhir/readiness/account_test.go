package readiness_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/fhirtest"
	"github.com/kaphub/kaphub/fhir/readiness"
)

func figure(v readiness.Verdict, of readiness.FigureName) (readiness.Figure, bool) {
	i := slices.IndexFunc(v.Account, func(g readiness.Figure) bool { return g.Of == of })
	if i < 0 {
		return readiness.Figure{}, false
	}
	return v.Account[i], true
}

// A row asks for one figure: its value, or the beginning of why it is unknown after "?", or "-" where it does not stand.
func TestTheAccountOfSessionsWorth(t *testing.T) {
	filled := func(edits ...fhir.Edit) told {
		return less("MedicationDispense", "dispense").then(func(c *course) fhir.Version { return c.DaysBefore(30).Dispense(edits...) })
	}
	took := func(days int) func(c *course) fhir.Version {
		return func(c *course) fhir.Version {
			return c.DaysBefore(days).Administration(c.At, 1, set("id", "taken-"+time.Duration(days).String()))
		}
	}
	counted := func(left float64, days int) func(c *course) fhir.Version {
		return func(c *course) fhir.Version {
			return c.DaysBefore(days).Check(fhir.CodeAmountLeft, true, set("valueBoolean", nil), set("focus", nil),
				set("valueQuantity", map[string]any{"value": left, "unit": "sessions", "system": fhir.SystemUCUM, "code": "{session}"}))
		}
	}
	part := func(id string, days int, quantity any) func(c *course) fhir.Version {
		return func(c *course) fhir.Version {
			return c.DaysBefore(days).Dispense(set("id", id), set("quantity.value", quantity))
		}
	}
	open := sessionOn(now.AddDate(0, 0, -10), "open")
	for _, r := range []struct {
		name   string
		told   told
		policy func(*readiness.Policy)
		want   map[readiness.FigureName]string
	}{
		{"no medicine in any way: no account", none, nil, map[readiness.FigureName]string{readiness.Dispensed: "-", readiness.Left: "-"}},
		{"six dispensed, none taken, one booked", all, nil, map[readiness.FigureName]string{
			readiness.Dispensed: "6", readiness.Taken: "0", readiness.Left: "6", readiness.BookedAhead: "1", readiness.Unclosed: "-", readiness.Counted: "-",
			readiness.Tranche: "1", readiness.SinceFollowUp: "0", readiness.FollowUpDue: "2026-04-12", readiness.Lead: "10", readiness.AskBy: "-"}},
		{"two of six taken", told(all).then(took(20)).then(took(10)), nil, map[readiness.FigureName]string{
			readiness.Taken: "2", readiness.Left: "4", readiness.SinceFollowUp: "2"}},
		{"taken before the medicine came", told(all).then(took(40)), nil, map[readiness.FigureName]string{
			readiness.Taken: "0", readiness.Left: "6", readiness.SinceFollowUp: "1"}},
		{"one session was never closed", told(all).then(open), nil, map[readiness.FigureName]string{
			readiness.Unclosed: "1", readiness.Left: "?1 session was never closed: from 5 to 6"}},
		{"prescribed, and nothing dispensed", unfilled, nil, map[readiness.FigureName]string{
			readiness.Dispensed: "?No medicine is on file as dispensed", readiness.Left: "?nothing is on file", readiness.Tranche: "0", readiness.GoodUntil: "?no last day"}},
		{"delivered, and how much nobody said", told(unfilled).then(parcel(fhir.FulfilmentDelivered, 9)), nil, map[readiness.FigureName]string{
			readiness.Dispensed: "?it was delivered on Sun 22 Feb 2026, and how much is not on file", readiness.Left: "?what came in is not on file as a number; at least one"}},
		{"… and one taken since", told(unfilled).then(parcel(fhir.FulfilmentDelivered, 9)).then(took(8)), nil, map[readiness.FigureName]string{
			readiness.Left: "?what came in is not on file as a number, and some was taken"}},
		{"… and then counted", told(unfilled).then(parcel(fhir.FulfilmentDelivered, 9)).then(took(8)).then(counted(3, 8)), nil, map[readiness.FigureName]string{
			readiness.Counted: "3", readiness.Left: "3"}},
		{"counted fewer than computed, one taken since", told(all).then(counted(4, 20)).then(took(10)), nil, map[readiness.FigureName]string{
			readiness.Counted: "4", readiness.Left: "3"}},
		{"the quantity is in another unit than the dose", filled(set("quantity", map[string]any{"value": 600, "unit": "mg", "code": "mg", "system": fhir.SystemUCUM})), nil, map[readiness.FigureName]string{
			readiness.Dispensed: "?how many sessions the fill of Sun 1 Feb 2026 is worth is not on file"}},
		{"three partial fills of two are the first fill", filled(set("quantity.value", 2)).then(part("b", 20, 2)).then(part("c", 10, 2)), nil, map[readiness.FigureName]string{
			readiness.Dispensed: "6", readiness.Tranche: "1"}},
		{"… and two more begin the second", filled(set("quantity.value", 2)).then(part("b", 20, 2)).then(part("c", 10, 2)).then(part("d", 5, 2)), nil, map[readiness.FigureName]string{
			readiness.Dispensed: "8", readiness.Tranche: "2"}},
		{"all of it out of date", filled(good("2026-03-02")), nil, map[readiness.FigureName]string{readiness.Left: "0", readiness.GoodUntil: "2026-03-02"}},
		{"good for months", filled(good("2026-06-30")), nil, map[readiness.FigureName]string{readiness.GoodUntil: "2026-06-30"}},
		{"no last day on the label", all, nil, map[readiness.FigureName]string{readiness.GoodUntil: "?the record of what came on Sun 1 Feb 2026 tells no last day"}},
		{"no session booked", less("Appointment", "dosing"), nil, map[readiness.FigureName]string{readiness.BookedAhead: "0"}},
		{"sessions are not told of", less("Appointment", "dosing"), func(p *readiness.Policy) { p.Practice.Silent = []string{"Appointment"} }, map[readiness.FigureName]string{
			readiness.BookedAhead: "?the practice's systems do not tell of sessions"}},
		{"two booked and one in hand", filled(set("quantity.value", 1)).then(sessionOn(denverAt("2026-03-17", "09:00"), "next")), nil, map[readiness.FigureName]string{
			readiness.BookedAhead: "2", readiness.Left: "1", readiness.AskBy: "2026-03-03"}},
		{"no decision to count from", less("Observation", "clearance"), nil, map[readiness.FigureName]string{
			readiness.SinceFollowUp: "?no decision or follow-up of Skylight Psychedelics", readiness.FollowUpDue: "?no decision or follow-up of Skylight Psychedelics"}},
		{"the cadence was not asked", all, onSheet(func(s *readiness.Sheet) { s.FollowUp = readiness.Asked[time.Duration]{} }), map[readiness.FigureName]string{readiness.FollowUpDue: "?how often"}},
		{"no cadence", all, onSheet(func(s *readiness.Sheet) { s.FollowUp = readiness.None[time.Duration]() }), map[readiness.FigureName]string{readiness.FollowUpDue: "none"}},
		{"a follow-up was held", told(all).then(took(20)).then(took(10)).then(func(c *course) fhir.Version {
			return c.DaysBefore(15).Evaluation(set("id", "fu"), set("serviceType.0.coding.0.code", "follow-up"))
		}), nil, map[readiness.FigureName]string{readiness.SinceFollowUp: "1", readiness.FollowUpDue: "2026-05-17"}},
		{"no prescription on file, medicine in hand", less("MedicationRequest", "rx"), nil, map[readiness.FigureName]string{readiness.Tranche: "?no prescription in force is on file"}},
		{"no lead time", all, onSheet(func(s *readiness.Sheet) { s.LeadDays = readiness.None[int]() }), map[readiness.FigureName]string{readiness.Lead: "none"}},
	} {
		t.Run(r.name, func(t *testing.T) {
			v := rowAt{told: r.told, policy: r.policy}.verdict()
			for of, want := range r.want {
				g, ok := figure(v, of)
				why, unknown := strings.CutPrefix(want, "?")
				switch {
				case want == "-" && !ok:
				case !ok, want == "-":
					t.Errorf("%s stands there: %t (%+v)", of, ok, g)
				case unknown && (g.Value != "" || !strings.HasPrefix(g.Why, why)):
					t.Errorf("%s is %q (%s), want unknown: %s", of, g.Value, g.Why, why)
				case !unknown && g.Value != want:
					t.Errorf("%s is %q (%s), want %q", of, g.Value, g.Why, want)
				}
			}
			for _, g := range v.Account {
				if (g.Value == "") == (g.Why == "") {
					t.Errorf("%s: value %q, why %q: one of the two", g.Of, g.Value, g.Why)
				}
			}
		})
	}
}

func TestEachNumberNamesWhoRecordedIt(t *testing.T) {
	v := rowAt{told: told(all).then(func(c *course) fhir.Version {
		return label(c, c.Day(-6), 5, set("quantity", map[string]any{"value": 6, "unit": "sessions", "code": "{session}"}))
	}).then(func(c *course) fhir.Version {
		return c.DaysBefore(4).Administration(c.At, 1)
	})}.verdict()
	c := fhirtest.Client(now)
	chart := c.Chart(c.Blameless()...)
	for _, r := range []struct {
		of   readiness.FigureName
		n    int
		by   string
		says string
		of2  string
	}{
		{readiness.Dispensed, 0, "Skylight Psychedelics", "6, in the client's hands since Sun 1 Feb 2026", "MedicationDispense"},
		{readiness.Dispensed, 1, "Reverie", "6, in the client's hands since Thu 26 Feb 2026", "MedicationDispense"},
		{readiness.Taken, 0, "Reverie", "taken on Fri 27 Feb 2026", "MedicationAdministration"},
		{readiness.BookedAhead, 0, "Reverie", "session of Tue 3 Mar 2026", "Appointment"},
		{readiness.Tranche, 0, "Skylight Psychedelics", "prescribed on Tue 13 Jan 2026", "MedicationRequest"},
		{readiness.SinceFollowUp, 0, "Skylight Psychedelics", "decision of Mon 12 Jan 2026", "Observation"},
	} {
		g, _ := figure(v, r.of)
		if len(g.From) <= r.n {
			t.Errorf("%s names %d records", r.of, len(g.From))
			continue
		}
		o := g.From[r.n]
		if o.By != r.by || o.Says != r.says || o.Type != r.of2 || o.At.IsZero() || o.Version != 1 {
			t.Errorf("%s: %+v", r.of, o)
		}
	}
	if g, _ := figure(readiness.Assess(chart, policy(), now), readiness.Left); g.Note == "" {
		t.Error("left does not say how it was found")
	}
}
