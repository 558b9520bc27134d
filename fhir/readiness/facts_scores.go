package readiness

import (
	"strconv"
	"time"

	"github.com/kaphub/kaphub/fhir"
)

// score is the result of a questionnaire as the practice recorded it.
type score struct {
	of    *fhir.Version
	scale string // its LOINC code
	value float64
	at    time.Time
}

// The questionnaires whose scores are looked at.
const (
	loincPHQ9  = "44261-6" // total
	loincItem9 = "44260-8" // thoughts of being better off dead, of PHQ-9
	loincGAD7  = "70274-6" // total
)

// score notes r if it is the score of a questionnaire. One that is gone, not final or no plain number is none.
func (f *facts) score(r *record[fhir.Observation]) {
	o := r.Value
	if !r.live() || !final(o) || o.DataAbsentReason != nil {
		return
	}
	scale := f.code(r.Party, &o.Code, fhir.SystemLOINC)
	if scale != loincPHQ9 && scale != loincItem9 && scale != loincGAD7 {
		return
	}
	value, _, ok := amount(o.ValueQuantity)
	switch {
	case o.ValueInteger != nil:
		value = float64(*o.ValueInteger)
	case !ok && o.ValueString != nil:
		n, err := strconv.Atoi(*o.ValueString)
		if err != nil {
			return
		}
		value = float64(n)
	case !ok:
		return
	}
	at := f.instant(r.Recorded(), o.EffectiveDateTime, o.EffectiveInstant, o.Issued)
	if f.clock.passed(at) {
		f.scores = append(f.scores, score{of: r.Version, scale: scale, value: value, at: at})
	}
}

// scored returns the scores of a scale, by when they were taken.
func (f *facts) scored(scale string) (list []*score) {
	for i := range f.scores {
		if s := &f.scores[i]; s.scale == scale {
			list = append(list, s)
		}
	}
	return list
}
