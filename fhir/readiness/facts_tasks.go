package readiness

import (
	"cmp"
	"slices"
	"strconv"
	"time"
	"unicode"

	"github.com/kaphub/kaphub/fhir"
)

// tasks sorts the coordination Tasks from the deliveries of medicine and from what is said beside them.
func (f *facts) tasks() {
	for _, r := range f.tasked {
		code := f.code(r.Party, r.Value.Code, fhir.SystemTaskCode)
		switch {
		case !f.ours(r.Version) && !practices(r.Version):
		case f.code(r.Party, r.Value.Code, fhir.SystemKAP) == fhir.CodeFulfilment:
			if !copied(r.Value.Identifier) {
				f.fulfil(r)
			}
		case f.code(r.Party, r.Value.Code, fhir.SystemKAP) == fhir.CodeCondition:
			if f.ours(r.Version) && !copied(r.Value.Identifier) {
				f.answers = append(f.answers, r)
			}
		case code == "abort":
			f.aborts = append(f.aborts, r)
		case f.ours(r.Version) && len(r.Value.PartOf) > 0:
			f.questions = append(f.questions, r)
		case f.ours(r.Version) && f.coordinates(r.Value):
			f.coordination = append(f.coordination, r)
		case practices(r.Version) && !copied(r.Value.Identifier) && f.coordinates(r.Value) && r.Value.Owner != nil && f.names(r.Value.Owner, r.Version, &f.policy.Prescriber):
			f.placed = append(f.placed, r)
		}
	}
	slices.SortStableFunc(f.coordination, func(a, b record[fhir.Task]) int {
		return cmp.Or(f.instant(a.Recorded(), a.Value.AuthoredOn).Compare(f.instant(b.Recorded(), b.Value.AuthoredOn)), older(a.Version, b.Version))
	})
}

// coordinates reports whether t asks the prescriber to fulfil a referral.
func (f *facts) coordinates(t *fhir.Task) bool {
	code := f.code(f.policy.Prescriber.Name, t.Code, fhir.SystemTaskCode)
	if code != "" {
		return code == "fulfill"
	}
	to, _, ok := target(t.Focus)
	return ok && to.Type == "ServiceRequest"
}

// task returns the newest coordination Task, nil when there is none.
func (f *facts) task() *record[fhir.Task] {
	for i := range slices.Backward(f.coordination) {
		if r := &f.coordination[i]; r.Value.Status.Code() != "entered-in-error" {
			return r
		}
	}
	return nil
}

// odd is a step of a Task that its guide does not know.
type odd struct {
	from, to string
	by       Mover
	at       *fhir.Version // the telling with which it was taken
}

// oddStep returns the anomalous step of r that stands: the last one, if no step that the guide knows followed it. nil when
// there is none. Where the server numbers its versions and some were not seen, what lies between is given the benefit of
// the doubt.
func (f *facts) oddStep(r *record[fhir.Task], by Mover) (found *odd) {
	guide, agreed := f.policy.TaskGuide, f.policy.TaskSteps
	var before *fhir.Seen[fhir.Task]
	wasAsked := f.askedToCancel(r)
	for i := range r.Told {
		told := &r.Told[i]
		if before == nil {
			before = told
			continue
		}
		from, to := before.Value.Status.Code(), told.Value.Status.Code()
		mover := by
		if by == Filler && (to == "cancelled" || from == "draft") {
			mover = Either // the placer writes these on the very same record
		}
		wasAsked = wasAsked || businessMeaning(f.businessStatus(&record[fhir.Task]{Version: before.Version, Value: before.Value})) == fhir.BusinessCancelAsked
		unseen := !follows(before.Version, told.Version)
		switch {
		case from == to:
		case guide.Manner(from, to, mover, wasAsked, agreed) != Anomalous, unseen && guide.reaches(from, to, wasAsked, agreed):
			found = nil
		default:
			found = &odd{from, to, by, told.Version}
		}
		before = told
	}
	if found == nil || f.decidedAfter(found.at.Recorded()) {
		return nil
	}
	return found
}

// follows reports whether b is the very next version after a by the server's own count; false too when it does not count.
func follows(a, b *fhir.Version) bool {
	m, errA := strconv.Atoi(a.Resource.VersionID)
	n, errB := strconv.Atoi(b.Resource.VersionID)
	return errA == nil && errB == nil && n == m+1
}

// askedToCancel reports whether the practice has asked the prescriber to cancel r.
func (f *facts) askedToCancel(r *record[fhir.Task]) bool {
	return slices.ContainsFunc(f.aborts, func(a record[fhir.Task]) bool {
		return a.Value.Intent != "proposal" && a.Value.Focus != nil && points(a.Value.Focus, a.Source, r.Version, r.Value.Identifier)
	})
}

// reopened returns the telling with which a closed Task was taken up again, nil when it was not, or is closed again.
func reopened(r *record[fhir.Task]) (at *fhir.Version) {
	was := false
	for _, told := range r.Told {
		status := told.Value.Status.Code()
		switch is := slices.Contains(closed, status); {
		case is:
			was, at = true, nil
		case was && at == nil && status != "entered-in-error":
			at = told.Version
		}
	}
	return at
}

// decidedAfter reports whether an allowed decider made a decision on this medicine after t.
func (f *facts) decidedAfter(t time.Time) bool {
	return slices.ContainsFunc(f.decisions, func(d decision) bool {
		return d.live() && d.who == yes && !d.other && d.means != pending && d.means != unreadable && d.issued.After(t)
	})
}

// businessStatus reads where the prescriber says the referral stands; "" when it does not say, or in a code of its own that
// nobody has mapped.
func (f *facts) businessStatus(task *record[fhir.Task]) string {
	return f.code(task.Party, task.Value.BusinessStatus, fhir.SystemBusinessStatus)
}

// businessMeaning is code, in the one way in which it is written here of those that mean the same.
func businessMeaning(code string) string {
	switch code {
	case "visit-scheduled":
		return fhir.BusinessScheduled
	case "visit-complete":
		return fhir.BusinessVisited
	}
	return code
}

// whyText is how long the prescriber's own words may be on the screen, in runes.
const whyText = 280

// why returns what the prescriber gave as its reason, as it reads on the screen, ": “…”" or "". Control characters and what
// is longer than a line or two stay out.
func (f *facts) why(task *record[fhir.Task]) string {
	reason := task.Value.StatusReason
	if reason == nil {
		return ""
	}
	return quoted(words(reason, nil))
}

// plainly replaces what would break a line of the screen.
func plainly(r rune) rune {
	if unicode.IsControl(r) {
		return ' '
	}
	return r
}
