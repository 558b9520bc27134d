package readiness_test

import (
	"testing"
	"time"

	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/fhirtest"
	"github.com/kaphub/kaphub/fhir/readiness"
)

// Whom to call is a matter of the hour: each row is a time on the wall in Denver, of a prescriber in Denver.
func TestWhomToCallGoesByThePrescribersHours(t *testing.T) {
	t.Parallel()
	week := readiness.Hours{Open: map[time.Weekday][2]time.Duration{}, Holidays: map[readiness.Day]bool{{Year: 2026, Month: 3, Day: 4}: true}}
	for d := time.Monday; d <= time.Friday; d++ {
		week.Open[d] = [2]time.Duration{9 * time.Hour, 17 * time.Hour}
	}
	both := readiness.Sheet{Phone: "office", WeekendPhone: "weekend", Hours: week}
	unknown := both
	unknown.Hours = readiness.Hours{}
	one, late := both, both
	one.WeekendPhone, late.Phone = "", ""
	for name, tt := range map[string]struct {
		sheet              readiness.Sheet
		at                 string
		call, until, again string
		open               bool
	}{
		"within their hours":                     {both, "2026-03-03 09:00", "office", "2026-03-03 17:00", "", true},
		"as they close":                          {both, "2026-03-03 17:00", "weekend", "", "2026-03-05 09:00", false}, // the 4th is a holiday
		"before they open":                       {both, "2026-03-03 08:59", "weekend", "", "2026-03-03 09:00", false},
		"on a holiday":                           {both, "2026-03-04 12:00", "weekend", "", "2026-03-05 09:00", false},
		"on a Saturday":                          {both, "2026-03-07 12:00", "weekend", "", "2026-03-09 09:00", false},
		"on a Saturday, without a weekend phone": {one, "2026-03-07 12:00", "office", "", "2026-03-09 09:00", false},
		"within their hours, without an office":  {late, "2026-03-03 12:00", "weekend", "2026-03-03 17:00", "", true},
		"no hours on file, a weekday":            {unknown, "2026-03-03 12:00", "office", "", "", true},
		"no hours on file, a Sunday":             {unknown, "2026-03-08 12:00", "weekend", "", "", false},
		"nothing on file":                        {readiness.Sheet{}, "2026-03-03 12:00", "", "", "", true},
	} {
		at := func(s string) time.Time {
			if s == "" {
				return time.Time{}
			}
			x, err := time.ParseInLocation("2006-01-02 15:04", s, fhirtest.Denver)
			if err != nil {
				t.Fatal(err)
			}
			return x
		}
		r := tt.sheet.Reach(at(tt.at), fhirtest.Denver)
		if r.Phone != tt.call || r.Open != tt.open || !r.Until.Equal(at(tt.until)) || !r.Again.Equal(at(tt.again)) {
			t.Errorf("%s: %+v", name, r)
		}
		if r.Other == r.Phone && r.Phone != "" {
			t.Errorf("%s: the other number is the same", name)
		}
	}
}

// A limit is the client's own, else the sheet's, else it is not on file, and says so.
func TestTheLimitsOfAReadingSayWhoseTheyAre(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 3, 16, 0, 0, 0, time.UTC)
	c := fhirtest.Client(now)
	policy := readiness.Policy{
		Practice: readiness.Party{Name: fhir.Practice, Title: "Reverie", Sources: []string{fhirtest.PracticeSource}}, Zone: fhirtest.Denver,
		Prescriber: readiness.Party{Name: fhirtest.Prescriber, Title: "Skylight", Sources: []string{fhirtest.PrescriberSource}, Identifiers: []fhir.ID{fhirtest.PrescriberNPI}},
		Sheet: readiness.Sheet{
			Signed: readiness.Day{Year: 2026, Month: 1, Day: 10}, Deciders: []fhir.ID{fhirtest.DeciderNPI},
			Systolic: readiness.Is(readiness.Limit{Value: 140, Unit: "mm[Hg]"}), HeartRate: readiness.None[readiness.Limit](),
		},
		Rules: readiness.DefaultRules(),
	}
	says := func(versions ...fhir.Version) (said []string) {
		for _, l := range readiness.Limits(c.Chart(versions...), policy, now) {
			said = append(said, l.Name+": "+l.Says()+" ("+l.From+")")
		}
		return said
	}
	equal(t, says(c.InOrder()...), []string{
		"systolic pressure: up to 140 mmHg (per agreement of Sat 10 Jan 2026)", "diastolic pressure:  ()", "heart rate: none set (per agreement of Sat 10 Jan 2026)",
	})
	own := append(c.InOrder(), c.DaysBefore(3).Goal(fhirtest.Set("target", []any{map[string]any{
		"measure":        map[string]any{"coding": []any{map[string]any{"system": fhir.SystemLOINC, "code": fhir.LOINCSystolic}}},
		"detailQuantity": map[string]any{"value": 130, "comparator": "<", "system": fhir.SystemUCUM, "code": "mm[Hg]", "unit": "mmHg"},
	}})))
	if got, want := says(own...)[0], "systolic pressure: below 130 mmHg (Skylight recorded it on Sat 28 Feb 2026)"; got != want {
		t.Errorf("the client's own limit: %q, want %q", got, want)
	}
}

func equal(t *testing.T, got, want []string) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%q, want %q", got, want)
	}
	for i := range got {
		if got[i] != want[i] {
			t.Errorf("%q, want %q", got[i], want[i])
		}
	}
}
