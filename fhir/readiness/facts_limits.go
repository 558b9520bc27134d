package readiness

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/kaphub/kaphub/fhir"
)

// own is what the prescriber recorded for this very client.
type own[T any] struct {
	value T
	at    time.Time     // when it was recorded
	of    *fhir.Version // nil: nothing is on file

	lapsed bool // its source no longer has it, or it is of a time to come: it may still bind, and frees from nothing
}

// bound is an upper limit of a reading, as readings are compared.
type bound struct {
	value     float64
	exclusive bool // the limit itself is already beyond: "<"
}

// stricter reports whether a reading may be beyond b and within other.
func (b bound) stricter(other bound) bool {
	return b.value < other.value || b.value == other.value && b.exclusive && !other.exclusive
}

// rate is how many dosing sessions are allowed in so many days.
type rate struct{ sessions, days int }

// most is how many dosing sessions are allowed from a day on.
type most struct {
	sessions int
	from     time.Time
}

// terms are what the prescriber recorded for this client alone. They come before the sheet, which speaks of every client;
// where several records state one of them, the strictest counts.
//
//	stated in                               is
//	the decision that counts: a component   max-systolic, max-diastolic, max-heart-rate (or the LOINC code), interval-min,
//	                                        max-sessions-a-week, max-sessions, setting
//	a goal that is accepted or active:      an upper limit of systolic 8480-6, diastolic 8462-4, heart rate 8867-4:
//	  target                                detailQuantity, or the high end of detailRange
//	an active care plan: the activity       so many sessions in so many days (repeat.frequency, period), so many in all
//	  kap-session dosing, scheduledTiming   (repeat.count), counted from the plan's beginning
//
// That a goal or a plan disappeared from its source lifts nothing; that it was closed does. One that disappeared, or that
// begins later, counts beside the sheet and not before it: it makes nothing looser.
type terms struct {
	limits   [vitals]own[bound]
	unread   [vitals]*fhir.Version // states a limit of that reading which cannot be read
	interval own[time.Duration]
	rates    []own[rate]
	mosts    []own[most]
	setting  own[[]string] // codes of v3-ActCode
	unsaid   own[string]   // what of the sessions cannot be read
}

var (
	itemLimits  = map[string]vital{fhir.ItemSystolic: systolic, fhir.ItemDiastolic: diastolic, fhir.ItemHeartRate: heartRate}
	loincLimits = map[string]vital{fhir.LOINCSystolic: systolic, fhir.LOINCDiastolic: diastolic, fhir.LOINCHeartRate: heartRate}
)

// bind notes a limit; of two for one reading the stricter counts.
func (t *terms) bind(which vital, q *fhir.Quantity, at time.Time, of *fhir.Version, lapsed bool) bool {
	b, ok := which.bound(q)
	if !ok {
		t.unread[which] = of
		return false
	}
	if had := t.limits[which]; had.of == nil || b.stricter(had.value) {
		t.limits[which] = own[bound]{b, at, of, lapsed}
	}
	return true
}

// bound reads q as an upper limit of v.
func (v vital) bound(q *fhir.Quantity) (b bound, ok bool) {
	if q == nil {
		return b, false
	}
	if q.Comparator != nil {
		switch q.Comparator.Code() {
		case "<":
			b.exclusive = true
		case "<=":
		default:
			return b, false
		}
	}
	plain := *q
	plain.Comparator = nil
	b.value, ok = v.quantity(&plain)
	return b, ok && b.value > 0
}

// term reads a component of d that is neither condition nor contraindication. It returns the doubt that is left when it
// cannot be read.
func (f *facts) term(d *decision, item string, c *fhir.ObservationComponent) string {
	which, limit := itemLimits[item]
	if item == "" {
		which, limit = loincLimits[f.code(d.Party, &c.Code, fhir.SystemLOINC)]
	}
	t := &d.terms
	switch {
	case limit:
		if !t.bind(which, c.ValueQuantity, d.issued, d.Version, false) {
			return "a limit in it cannot be read"
		}
	case item == fhir.ItemInterval:
		length, ok := duration(c.ValueQuantity)
		if !ok {
			return "the interval in it cannot be read"
		}
		t.interval = own[time.Duration]{value: max(length, t.interval.value), at: d.issued, of: d.Version}
	case item == fhir.ItemSessions, item == fhir.ItemWeekly:
		if c.ValueInteger == nil || *c.ValueInteger <= 0 {
			return "the number of sessions in it cannot be read"
		}
		if item == fhir.ItemWeekly {
			t.rates = append(t.rates, own[rate]{value: rate{*c.ValueInteger, 7}, at: d.issued, of: d.Version})
		} else {
			t.mosts = append(t.mosts, own[most]{value: most{*c.ValueInteger, d.from}, at: d.issued, of: d.Version})
		}
	case item == fhir.ItemSetting:
		code := f.code(d.Party, c.ValueCodeableConcept, fhir.SystemActCode)
		if !slices.Contains([]string{fhir.ActOffice, fhir.ActRemote, fhir.ActHome}, code) {
			return "the setting in it cannot be read"
		}
		t.setting = own[[]string]{value: append(t.setting.value, code), at: d.issued, of: d.Version}
	default:
		return "a part of it cannot be read"
	}
	return ""
}

// own returns the client's own terms, worked out once.
func (f *facts) own() *terms {
	if f.terms != nil {
		return f.terms
	}
	t := terms{}
	if d := f.decided(); d != nil {
		t = d.terms
		t.rates, t.mosts = slices.Clone(t.rates), slices.Clone(t.mosts)
	}
	for i := range f.goals {
		f.goalTerms(&t, &f.goals[i])
	}
	for i := range f.plans {
		f.planTerms(&t, &f.plans[i])
	}
	f.terms = &t
	return f.terms
}

func (f *facts) goalTerms(t *terms, r *record[fhir.Goal]) {
	g := r.Value
	switch g.LifecycleStatus.Code() {
	case "accepted", "active":
	default:
		return
	}
	at, lapsed := f.instant(r.first(), g.StatusDate, g.StartDate), !r.live()
	if from, _, ok := f.when(g.StartDate); ok && !f.clock.passed(from) {
		lapsed = true
	}
	for i := range g.Target {
		target := &g.Target[i]
		which, ok := loincLimits[f.code(r.Party, target.Measure, fhir.SystemLOINC)]
		if !ok {
			continue
		}
		q := target.DetailQuantity
		if target.DetailRange != nil {
			q = target.DetailRange.High
		}
		t.bind(which, q, at, r.Version, lapsed)
	}
}

func (f *facts) planTerms(t *terms, r *record[fhir.CarePlan]) {
	p := r.Value
	if p.Status.Code() != "active" {
		return
	}
	from, to, bad := time.Time{}, time.Time{}, false
	if p.Period != nil {
		from, to, bad = f.period(p.Period)
	}
	if !bad && !to.IsZero() && f.over(to) {
		return
	}
	at, lapsed := f.instant(r.first(), p.Created), bad || !r.live() || !f.clock.passed(from)
	if from.IsZero() {
		from = at
	}
	for i := range p.Activity {
		a := p.Activity[i].Detail
		if a == nil || a.ScheduledTiming == nil || f.code(r.Party, a.Code, fhir.SystemSession) != fhir.SessionDosing {
			continue
		}
		switch a.Status.Code() {
		case "completed", "cancelled", "stopped", "entered-in-error":
			continue
		}
		often := a.ScheduledTiming.Repeat
		if often == nil {
			continue // it names days, and no limit
		}
		if often.Count != nil {
			t.mosts = append(t.mosts, own[most]{most{max(*often.Count, or(often.CountMax)), from}, at, r.Version, lapsed})
		}
		switch days, ok := everyDays(often); {
		case ok:
			t.rates = append(t.rates, own[rate]{rate{max(*often.Frequency, or(often.FrequencyMax)), days}, at, r.Version, lapsed})
		case often.Frequency != nil:
			t.unsaid = own[string]{"how often the care plan allows sessions cannot be read", at, r.Version, lapsed}
		}
	}
}

// everyDays returns the days of a repeat's period; ok is false when it is told in no whole number of them.
func everyDays(often *fhir.TimingRepeat) (days int, ok bool) {
	if often.Frequency == nil || *often.Frequency <= 0 || often.Period == nil || often.PeriodMax != nil || often.PeriodUnit == nil {
		return 0, false
	}
	n, err := strconv.Atoi(often.Period.String())
	each := map[string]int{"d": 1, "wk": 7}[*often.PeriodUnit]
	return n * each, err == nil && n > 0 && n <= 366 && each > 0
}

func or(n *int) int {
	if n == nil {
		return 0
	}
	return *n
}

// limit is the upper limit of a reading as it counts for this client.
type limit struct {
	bound
	line   Answer        // Set, NoneSet, or NotAsked: it is not on file
	unread bool          // the prescriber stated one that cannot be read
	of     *fhir.Version // the record of the client's own limit; nil: by the sheet
	from   string        // where it comes from, in words
}

// limit finds the limit of a reading: the client's own, else the sheet's, else it is not on file.
//
//	recorded for the client   sheet               it is
//	one that can be read      –                   that one, "Skylight recorded it on 12 Jan 2026"
//	one that disappeared, or  a number            the stricter of the two
//	  begins later
//	  … the same              none set            that one
//	  … the same              not asked           not on file: ask; a reading beyond that one is still beyond
//	one that cannot           –                   not on file: ask
//	none                      a number            that one, "per agreement of Sat 10 Jan 2026"
//	none                      a number, in no     not on file: ask
//	                            unit of pressure
//	none                      none set            not asked for
//	none                      not asked           not on file: ask
func (f *facts) limit(which vital) limit {
	t := f.own()
	if t.unread[which] != nil {
		return limit{of: t.unread[which], unread: true}
	}
	s := &f.policy.Sheet
	asked := [vitals]Asked[Limit]{s.Systolic, s.Diastolic, s.HeartRate}[which]
	value, ok := which.measured(asked.Value.Value, asked.Value.Unit)
	sheet := limit{bound: bound{value: value}, line: asked.Answer, from: f.agreed()}
	if asked.Answer == Set && !ok {
		sheet = limit{}
	}
	l := t.limits[which]
	if l.of == nil || l.lapsed && sheet.line == Set && sheet.stricter(l.value) {
		return sheet
	}
	theirs := limit{bound: l.value, line: Set, of: l.of, from: f.recorded(l.at)}
	if l.lapsed && sheet.line == NotAsked {
		theirs.line = NotAsked
	}
	return theirs
}

// recorded says that the prescriber recorded a limit for this client, and when.
func (f *facts) recorded(at time.Time) string {
	return f.prescriber() + " recorded it on " + f.on(at)
}

// onFile says which limits of the readings are on file and where each comes from: "systolic pressure 130 mmHg, diastolic
// pressure 85 mmHg (Skylight recorded it on 12 Jan 2026); heart rate 100 a minute (per agreement of Sat 10 Jan 2026)".
func (f *facts) onFile() string {
	if f.limitsSay != "" {
		return f.limitsSay
	}
	var out strings.Builder
	before := "" // where the limits told last come from; not written yet
	end := func() {
		if before != "" {
			out.WriteString(" (" + before + ")")
		}
	}
	for which := range vitals {
		l := f.limit(which)
		from := l.from
		if l.line == NotAsked {
			from = ""
		}
		switch {
		case which == 0:
		case from != "" && from == before:
			out.WriteString(", ")
		default:
			end()
			out.WriteString("; ")
		}
		before = from
		switch {
		case l.line == Set && l.exclusive:
			out.WriteString(which.name() + " below " + which.measure(l.value))
		case l.line == Set:
			out.WriteString(which.name() + " " + which.measure(l.value))
		case l.line == NoneSet:
			out.WriteString(which.name() + " none set")
		default:
			out.WriteString("no limit of the " + which.name() + " is on file")
		}
	}
	end()
	f.limitsSay = out.String()
	return f.limitsSay
}
