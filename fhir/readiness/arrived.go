package readiness

import (
	"cmp"
	"slices"
	"time"

	"github.com/kaphub/kaphub/fhir"
)

// ArrivalOpens returns from when on the arrival checks of a session are asked: what was recorded earlier answers none.
func ArrivalOpens(session time.Time) time.Time { return session.Add(-arrivalOpens) }

// Reading is a reading of the day of the next dosing session as it is on file.
type Reading struct {
	Limit  Limited // what was read, and the limit on file for it
	Read   string  // the number alone: "172"; "" where it is none in the right unit
	At     time.Time
	Beyond bool // the limit on file
	Unsure bool // it cannot be read, or cannot be right
	Of     *fhir.Version
}

// Readings returns every reading that is on file of the day of the next dosing session, the oldest first; of one moment
// systolic pressure, diastolic pressure, heart rate. The gate goes by the newest of each.
func Readings(chart fhir.Chart, policy Policy, now time.Time) (list []Reading) {
	f := gather(&chart, &policy, &clock{now: now}, nil)
	if f.next == nil {
		return nil
	}
	limits := Limits(chart, policy, now)
	for which := range vitals {
		bound := f.limit(which).bound
		for r := range f.readingsOf(which) {
			if r.loose && !r.beyond(bound) {
				continue
			}
			t := Reading{Limit: limits[which], At: r.at, Beyond: r.beyond(bound), Unsure: !r.ok || r.odd, Of: r.of}
			if r.ok {
				t.Read = count(r.value)
			}
			list = append(list, t)
		}
	}
	slices.SortStableFunc(list, func(a, b Reading) int { return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Of.String(), b.Of.String())) })
	return list
}

// Answered is what was answered to whether anything is new since the clearance.
type Answered struct {
	New  bool
	At   time.Time
	Note string // what, in the words of whoever wrote it down; nothing is read out of it
	Of   *fhir.Version
}

// News returns what was answered to it since the clearance that counts, and stands, the oldest first.
func News(chart fhir.Chart, policy Policy, now time.Time) (list []Answered) {
	f := gather(&chart, &policy, &clock{now: now}, nil)
	d := f.decided()
	for r := range f.asNew() {
		if r.Value.ValueBoolean == nil || d != nil && d.lifts() && d.issued.After(f.said(*r)) {
			continue
		}
		a := Answered{New: *r.Value.ValueBoolean, At: f.said(*r), Of: r.Version}
		for _, n := range r.Value.Note {
			if n.Text != "" {
				a.Note = n.Text
			}
		}
		list = append(list, a)
	}
	slices.SortStableFunc(list, func(a, b Answered) int { return a.At.Compare(b.At) })
	return list
}
