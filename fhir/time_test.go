package fhir

import (
	"strings"
	"testing"
	"time"
)

func TestTheTimeSpanned(t *testing.T) {
	denver, err := time.LoadLocation("America/Denver")
	if err != nil {
		t.Fatal(err)
	}
	rows := []struct{ name, text, from, to string }{
		{"a day lasts to its end in the practice's zone", "2026-03-02", "2026-03-02T00:00:00-07:00", "2026-03-02T23:59:59.999999999-07:00"},
		{"the day the clocks go forward has 23 hours", "2026-03-08", "2026-03-08T00:00:00-07:00", "2026-03-08T23:59:59.999999999-06:00"},
		{"the day the clocks go back has 25", "2026-11-01", "2026-11-01T00:00:00-06:00", "2026-11-01T23:59:59.999999999-07:00"},
		{"a leap day", "2028-02-29", "2028-02-29T00:00:00-07:00", "2028-02-29T23:59:59.999999999-07:00"},
		{"a month", "2026-02", "2026-02-01T00:00:00-07:00", "2026-02-28T23:59:59.999999999-07:00"},
		{"a year", "2026", "2026-01-01T00:00:00-07:00", "2026-12-31T23:59:59.999999999-07:00"},
		{"a moment is that moment", "2026-03-02T16:05:11Z", "2026-03-02T16:05:11Z", "2026-03-02T16:05:11Z"},
		{"a moment elsewhere", "2026-03-02T16:05:11.5+01:00", "2026-03-02T15:05:11.5Z", "2026-03-02T15:05:11.5Z"},
		{"a minute", "2026-03-02T16:05Z", "2026-03-02T16:05:00Z", "2026-03-02T16:05:59.999999999Z"},
		{"a time without a zone is nobody's", "2026-03-02T16:05:11", "", ""},
		{"a day that is none", "2026-02-30", "", ""},
		{"an hour that is none", "2026-03-02T24:00:00Z", "", ""},
		{"another order", "02/03/2026", "", ""},
		{"words", "yesterday", "", ""},
		{"nothing", "", "", ""},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			from, to, err := Span(row.text, denver)
			if row.from == "" {
				if err == nil || row.text != "" && strings.Contains(err.Error(), row.text) {
					t.Fatalf("got %v: want an error that does not tell the date", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if want := moment(t, row.from); !from.Equal(want) {
				t.Errorf("from %v, want %v", from, want)
			}
			if want := moment(t, row.to); !to.Equal(want) {
				t.Errorf("to %v, want %v", to, want)
			}
		})
	}
}

func moment(t *testing.T, s string) time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		t.Fatal(err)
	}
	return at
}
