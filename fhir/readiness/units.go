package readiness

import (
	"cmp"
	"math"
	"strings"
	"time"

	"github.com/kaphub/kaphub/fhir"
)

// vital is one of the three readings before a session.
type vital int

const (
	systolic vital = iota
	diastolic
	heartRate
	vitals
)

func (v vital) name() string {
	return [...]string{"systolic pressure", "diastolic pressure", "heart rate"}[v]
}

// Span is what a reading can be at all, both ends included.
type Span struct{ Low, High float64 }

// Has reports whether value is in s.
func (s Span) Has(value float64) bool { return value >= s.Low && value <= s.High }

// Wider than any cuff or monitor shows of somebody who is awake: what lies outside was mistyped. They are no limits, and say
// nothing of anybody's health.
var (
	SystolicSpan  = Span{40, 300} // mm[Hg]
	DiastolicSpan = Span{20, 200} // mm[Hg]
	HeartRateSpan = Span{20, 300} // a minute
)

func (v vital) span() Span { return [...]Span{SystolicSpan, DiastolicSpan, HeartRateSpan}[v] }

// measure writes a value of v with its unit: "140 mmHg", "100 a minute".
func (v vital) measure(value float64) string {
	if v == heartRate {
		return count(value) + " a minute"
	}
	return count(math.Round(value*10)/10) + " mmHg"
}

// unitOf reads units as people write them.
var unitOf = map[string]string{"mmHg": "mm[Hg]", "mmhg": "mm[Hg]", "kpa": "kPa", "bpm": "/min", "beats/min": "/min", "beats/minute": "/min", "{beats}/min": "/min"}

// kPaOf is one mm[Hg] in kPa, exactly: UCUM defines m[Hg] as 133.3220 kPa.
const kPaOf = 0.133322

// measured reads a value told in unit as v is compared: pressure in mm[Hg], heart rate a minute. ok is false for any other
// unit, and for none: which one is meant is never assumed.
func (v vital) measured(value float64, unit string) (float64, bool) {
	switch unit = cmp.Or(unitOf[unit], unit); {
	case v == heartRate:
		return value, unit == "/min"
	case unit == "kPa":
		return math.Round(value/kPaOf*1e6) / 1e6, true // to the sixth place, so that 18.66508 kPa is 140 mm[Hg] and not a hair more
	}
	return value, unit == "mm[Hg]"
}

// quantity reads a value of v; ok is false when it is no plain number in a unit of v.
func (v vital) quantity(q *fhir.Quantity) (float64, bool) {
	value, unit, ok := amount(q)
	if !ok || q.Code != nil && !ucum(q.System) {
		return 0, false
	}
	value, fits := v.measured(value, unit)
	return value, fits
}

// ucum reports whether a code of this system is a unit of UCUM, or of no system that is told.
func ucum(system *string) bool {
	return system == nil || strings.TrimSuffix(*system, "/") == fhir.SystemUCUM
}

const aDay = 24 * time.Hour

// spans are how long the units of time are.
var spans = map[string]time.Duration{"h": time.Hour, "d": aDay, "day": aDay, "days": aDay, "wk": 7 * aDay, "week": 7 * aDay, "weeks": 7 * aDay}

// duration reads a quantity of time; ok is false for a unit whose length differs, such as a month.
func duration(q *fhir.Quantity) (time.Duration, bool) {
	value, unit, ok := amount(q)
	each, known := spans[unit]
	length := value * float64(each)
	return time.Duration(length), ok && known && value > 0 && length < float64(10*365*aDay)
}
