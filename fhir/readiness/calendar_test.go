package readiness

import (
	"testing"
	"time"

	"github.com/kaphub/kaphub/fhir"
)

func denver(t *testing.T) *time.Location {
	t.Helper()
	zone, err := time.LoadLocation("America/Denver")
	if err != nil {
		t.Fatal(err)
	}
	return zone
}

func TestBusinessDays(t *testing.T) {
	zone := denver(t)
	at := func(s string) time.Time {
		out, err := time.ParseInLocation("2006-01-02 15:04", s, zone)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	weekend := Hours{Open: map[time.Weekday][2]time.Duration{time.Saturday: {}, time.Sunday: {}}}
	holiday := Hours{Holidays: map[Day]bool{{2026, time.March, 9}: true}}
	closed := Hours{Open: map[time.Weekday][2]time.Duration{time.Monday: {}}, Holidays: map[Day]bool{}}
	for d := (Day{2026, time.January, 1}); d.Year < 2028; d = d.Plus(1) {
		closed.Holidays[d] = true
	}
	for _, r := range []struct {
		name  string
		hours Hours
		from  string
		n     int
		want  string
	}{
		{"Tuesday plus one is Wednesday", Hours{}, "2026-03-03 09:15", 1, "2026-03-04 09:15"},
		{"Friday plus one is Monday", Hours{}, "2026-02-27 16:10", 1, "2026-03-02 16:10"},
		{"over the beginning of summer time the wall clock counts", Hours{}, "2026-03-06 16:10", 1, "2026-03-09 16:10"},
		{"over the end of summer time too", Hours{}, "2026-10-30 16:10", 1, "2026-11-02 16:10"},
		{"Saturday plus one is Tuesday at midnight", Hours{}, "2026-02-28 10:00", 1, "2026-03-03 00:00"},
		{"Sunday plus none is Monday at midnight", Hours{}, "2026-03-01 10:00", 0, "2026-03-02 00:00"},
		{"Friday plus five is Friday", Hours{}, "2026-02-27 16:10", 5, "2026-03-06 16:10"},
		{"a holiday is skipped", holiday, "2026-03-06 16:10", 1, "2026-03-10 16:10"},
		{"who works at weekends counts weekends", weekend, "2026-02-28 10:00", 1, "2026-03-01 10:00"},
		{"who works at weekends skips the week", weekend, "2026-03-01 10:00", 1, "2026-03-07 10:00"},
		{"who never works still ends", closed, "2026-03-03 10:00", 1, "2026-03-05 00:00"},
	} {
		t.Run(r.name, func(t *testing.T) {
			if got := r.hours.Later(at(r.from), r.n, zone); !got.Equal(at(r.want)) {
				t.Errorf("got %s, want %s", got, r.want)
			}
		})
	}
	t.Run("hours in a zone of their own are counted there", func(t *testing.T) {
		eastern, err := time.LoadLocation("America/New_York")
		if err != nil {
			t.Fatal(err)
		}
		got := Hours{Zone: eastern}.Later(at("2026-02-27 23:00"), 1, zone) // Saturday 01:00 there
		if want := time.Date(2026, 3, 3, 0, 0, 0, 0, eastern); !got.Equal(want) {
			t.Errorf("got %s, want %s", got, want)
		}
	})
}

func TestBusinessDaysBefore(t *testing.T) {
	zone := denver(t)
	at := func(s string) time.Time {
		out, err := time.ParseInLocation("2006-01-02 15:04", s, zone)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	holiday := Hours{Holidays: map[Day]bool{{2026, time.March, 9}: true}}
	closed := Hours{Open: map[time.Weekday][2]time.Duration{time.Monday: {}}, Holidays: map[Day]bool{}}
	for d := (Day{2024, time.January, 1}); d.Year < 2027; d = d.Plus(1) {
		closed.Holidays[d] = true
	}
	for _, r := range []struct {
		name  string
		hours Hours
		to    string
		n     int
		want  time.Time
	}{
		{"Wednesday less one is Tuesday", Hours{}, "2026-03-04 09:15", 1, at("2026-03-03 09:15")},
		{"Monday less one is Friday", Hours{}, "2026-03-02 16:10", 1, at("2026-02-27 16:10")},
		{"over the beginning of summer time the wall clock counts", Hours{}, "2026-03-09 16:10", 1, at("2026-03-06 16:10")},
		{"over the end of summer time too", Hours{}, "2026-11-02 16:10", 1, at("2026-10-30 16:10")},
		{"a holiday is skipped", holiday, "2026-03-10 16:10", 1, at("2026-03-06 16:10")},
		{"Saturday less one is the end of Thursday", Hours{}, "2026-02-28 10:00", 1, at("2026-02-27 00:00").Add(-1)},
		{"Sunday less none is the end of Friday", Hours{}, "2026-03-01 10:00", 0, at("2026-02-28 00:00").Add(-1)},
		{"who never works still ends", closed, "2026-03-03 10:00", 1, at("2026-03-02 00:00").Add(-1)},
	} {
		t.Run(r.name, func(t *testing.T) {
			got := r.hours.Earlier(at(r.to), r.n, zone)
			if !got.Equal(r.want) {
				t.Errorf("got %s, want %s", got, r.want)
			}
			if r.hours.Holidays[Day{2024, time.January, 1}] {
				return
			}
			if r.hours.Later(got, r.n, zone).After(at(r.to)) {
				t.Error("it is too late: the business days are not over by then")
			}
			if next := got.Add(time.Second); !r.hours.Later(next, r.n, zone).After(at(r.to)) {
				t.Error("it is not the last such instant")
			}
		})
	}
}

func TestMonths(t *testing.T) {
	for _, r := range []struct {
		name string
		from Day
		n    int
		want Day
	}{
		{"the same day", Day{2026, time.January, 13}, 6, Day{2026, time.July, 13}},
		{"over the year", Day{2025, time.September, 3}, 6, Day{2026, time.March, 3}},
		{"31 August plus six is the last of February", Day{2025, time.August, 31}, 6, Day{2026, time.February, 28}},
		{"in a leap year too", Day{2027, time.August, 31}, 6, Day{2028, time.February, 29}},
		{"31 December plus six is 30 June", Day{2025, time.December, 31}, 6, Day{2026, time.June, 30}},
	} {
		t.Run(r.name, func(t *testing.T) {
			if got := r.from.Months(r.n); got != r.want {
				t.Errorf("got %s, want %s", got, r.want)
			}
		})
	}
}

func TestShift(t *testing.T) {
	zone := denver(t)
	from := time.Date(2026, 3, 2, 16, 5, 0, 0, zone)
	if got, want := shift(from, 90*24*time.Hour, zone), time.Date(2026, 6, 1, 0, 0, 0, 0, zone); !got.Equal(want) {
		t.Errorf("ninety days: %s, want through 31 May", got)
	}
	if got, want := shift(from, 36*time.Hour, zone), from.Add(36*time.Hour); !got.Equal(want) {
		t.Errorf("36 hours: %s, want %s", got, want)
	}
	if got := shiftBack(time.Date(2026, 3, 12, 9, 0, 0, 0, zone), 7*24*time.Hour, zone); got.Before(time.Date(2026, 3, 5, 23, 0, 0, 0, zone)) || got.After(time.Date(2026, 3, 6, 0, 0, 0, 0, zone)) {
		t.Errorf("a week back from Thursday, over summer time: %s", got)
	}
}

func TestTheClockRemembersTheNearestInstantAhead(t *testing.T) {
	now := time.Date(2026, 3, 3, 16, 0, 0, 0, time.UTC)
	c := &clock{now: now}
	if got := c.until(); !got.Equal(now.Add(horizon)) {
		t.Errorf("asked nothing: until %s", got)
	}
	if !c.passed(now) || !c.passed(now.Add(-time.Hour)) || c.passed(now.Add(time.Hour)) || c.passed(now.Add(30*time.Minute)) || c.passed(now.Add(2*time.Hour)) {
		t.Error("passed is wrong")
	}
	if got := c.until(); !got.Equal(now.Add(30 * time.Minute)) {
		t.Errorf("until %s", got)
	}
}

func TestNames(t *testing.T) {
	for _, r := range []struct {
		name, a, b string
		least      float64
		most       float64
	}{
		{"marks", "Müller-Łoś", "Muller Los", 1, 1},
		{"case and spaces", "de la Cruz", "DELACRUZ", 1, 1},
		{"composed and decomposed", "Nguyễn", "Nguye\u0302\u0303n", 1, 1},
		{"one letter", "Johnson", "Jonson", 0.92, 0.999},
		{"two letters swapped", "Martha", "Marhta", 0.92, 0.999},
		{"another name", "Smith", "Jones", 0, 0.5},
		{"not Latin, the same", "山田", "山田", 1, 1},
		{"not Latin, another", "山田", "田中", 0, 0.9},
	} {
		t.Run(r.name, func(t *testing.T) {
			if got := alike(fhir.PlainName(r.a), fhir.PlainName(r.b)); got < r.least || got > r.most {
				t.Errorf("%.3f, want from %.3f to %.3f", got, r.least, r.most)
			}
		})
	}
}

// The catalogue is what others fold, count and show by.
func TestTheCatalogueIsWhole(t *testing.T) {
	want := []string{"R01", "R02", "R03", "R04", "R05", "R06", "R07", "R08", "R09", "R10", "R11", "R12", "R13", "R14", "R15", "R16", "R17", "R18", "R19", "R20", "R21", "R22", "R23", "R24", "R25", "R26", "R27", "R28", "R29", "R30", "R31", "R32", "R33", "R34", "R35", "R36", "R37", "R38", "R39", "R40", "R41", "R42", "R43", "R44", "R45", "R46", "R47", "R48", "R49", "R50", "R51", "R52", "R53", "R54", "R55", "R56"}
	names := map[string]bool{}
	if len(Catalogue()) != len(want) {
		t.Fatalf("%d rules", len(Catalogue()))
	}
	for i, r := range Catalogue() {
		if r.Code != want[i] || r.Name == "" || r.Asks == "" || r.Source == "" || r.Severity == "" || r.Owner == "" || names[r.Name] {
			t.Errorf("row %d: %+v", i, r)
		}
		names[r.Name] = true
		for _, parent := range r.Under {
			if rule(parent) == nil {
				t.Errorf("%s lies under %s, which is no rule", r.Code, parent)
			}
		}
	}
}
