package readiness

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/kaphub/kaphub/fhir"
)

// record is one record as its owner last told it: the newest telling by the owner's own clock, whatever order the hub
// heard them in (an older version never overwrites a newer one).
type record[T any] struct {
	*fhir.Version
	Value *T
	Gone  *fhir.Version  // the telling that the source no longer has it; nil while it has
	Told  []fhir.Seen[T] // every telling, oldest first by the owner's clock; nil when there is just the one
}

// live reports whether the source still has the record. What is gone is no fact any more, but lifts nothing either.
func (r *record[T]) live() bool { return r.Gone == nil }

// last returns the version that tells how the record stands: the newest telling, or that it is gone.
func (r *record[T]) last() *fhir.Version {
	if r.Gone != nil {
		return r.Gone
	}
	return r.Version
}

// says asks the tellings from the newest back until one answers clearly: what an unclear telling leaves open, an earlier
// one still says. It returns that telling too, the newest when none is clear.
func (r *record[T]) says(ask func(*T) answer) (answer, *fhir.Version) {
	if a := ask(r.Value); a != cannotTell || r.Told == nil {
		return a, r.Version
	}
	for _, told := range slices.Backward(r.Told) {
		if a := ask(told.Value); a != cannotTell {
			return a, told.Version
		}
	}
	return cannotTell, r.Version
}

// since returns when the record began to say what holds reports: the owner's time of the first telling in the unbroken
// run that lasts until now.
func (r *record[T]) since(holds func(*T) bool) time.Time {
	at := r.Recorded()
	for _, told := range slices.Backward(r.Told) {
		if !holds(told.Value) {
			break
		}
		at = told.Recorded()
	}
	return at
}

// first returns when the record was first told of, by the owner's clock.
func (r *record[T]) first() time.Time { return r.since(func(*T) bool { return true }) }

// look is how much of the news is looked at: all that each source told up to its last complete read, and of what came
// since only what was stored up to a moment. A nil look looks at everything.
type look struct {
	complete map[string]time.Time // by source, the end of its last complete read; only of those with news since
	upTo     fhir.Moment
	by       time.Time // not zero: instead, all that was recorded by then, by its owner's clock, whenever the hub heard of it
}

func (l *look) sees(v *fhir.Version) bool {
	if l == nil || v.Moment <= l.upTo {
		return true
	}
	if !l.by.IsZero() {
		return !v.Recorded().After(l.by)
	}
	at, news := l.complete[v.Source]
	return !news || !v.Received.After(at)
}

// teller is a record as one party tells it: what another party writes under the same key is no newer word of the first.
type teller struct {
	fhir.Key
	party string
}

// records gathers the tellings in list that l sees into records, in the order the hub first heard of them.
func records[T any](list []fhir.Seen[T], l *look) []record[T] {
	out := make([]record[T], 0, len(list))
	var at map[teller]int
	if slices.ContainsFunc(list, func(s fhir.Seen[T]) bool { return !s.Latest }) {
		at = make(map[teller]int, len(list))
	}
	for _, told := range list {
		if !l.sees(told.Version) {
			continue
		}
		i, again := at[teller{told.Key, told.Party}]
		if !again {
			i = len(out)
			out = append(out, record[T]{})
			if at != nil {
				at[teller{told.Key, told.Party}] = i
			}
		}
		out[i].hear(told)
	}
	return slices.DeleteFunc(out, func(r record[T]) bool { return r.Value == nil })
}

// hear takes in the next telling in the hub's order. A record that was gone is back when it is told of at least as newly
// as before: an older telling after that (a server restored from its backup) brings nothing back.
func (r *record[T]) hear(told fhir.Seen[T]) {
	if told.Gone {
		r.Gone = told.Version
		return
	}
	if r.Value == nil {
		r.Version, r.Value, r.Gone = told.Version, told.Value, nil
		return
	}
	if older(told.Version, r.Version) >= 0 {
		r.Gone = nil
	}
	if r.Told == nil {
		r.Told = []fhir.Seen[T]{{Version: r.Version, Value: r.Value}}
	}
	r.Told = append(r.Told, told)
	slices.SortStableFunc(r.Told, func(a, b fhir.Seen[T]) int { return older(a.Version, b.Version) })
	newest := r.Told[len(r.Told)-1]
	r.Version, r.Value = newest.Version, newest.Value
}

// older orders two versions of one record by their owner's clock, then by the owner's own count of versions; by the count
// first where the owner tells no time, and only the hub's own clock is left.
func older(a, b *fhir.Version) int {
	m, errA := strconv.Atoi(a.Resource.VersionID)
	n, errB := strconv.Atoi(b.Resource.VersionID)
	count := 0
	if errA == nil && errB == nil {
		count = cmp.Compare(m, n)
	}
	clock := a.Recorded().Compare(b.Recorded())
	if a.Key == b.Key && a.Resource.LastUpdated.IsZero() && b.Resource.LastUpdated.IsZero() {
		return cmp.Or(count, clock)
	}
	return cmp.Or(clock, count)
}

// copied reports whether identifiers mark something that the hub itself wrote: never a fact of its own.
func copied(ids []fhir.Identifier) bool {
	return slices.ContainsFunc(ids, func(id fhir.Identifier) bool {
		return id.System != nil && *id.System == fhir.SystemCopy
	})
}

// because names the versions that a decision rests on.
func because(versions ...*fhir.Version) []fhir.Basis {
	out := make([]fhir.Basis, 0, len(versions))
	for _, v := range versions {
		if v == nil {
			continue
		}
		if b := v.Basis(); !slices.Contains(out, b) {
			out = append(out, b)
		}
	}
	return out
}

// target reads a literal reference as the resource it names, wherever that lives. far is true for an absolute one.
func target(ref *fhir.Reference) (to fhir.Ref, far, ok bool) {
	if ref == nil || ref.Reference == nil {
		return fhir.Ref{}, false, false
	}
	s := *ref.Reference
	if i := strings.Index(s, "/_history/"); i >= 0 {
		s = s[:i]
	}
	i := strings.LastIndexByte(s, '/')
	if i <= 0 {
		return fhir.Ref{}, false, false
	}
	kind := s[:i]
	if j := strings.LastIndexByte(kind, '/'); j >= 0 {
		kind, far = kind[j+1:], true
	}
	return fhir.Ref{Type: kind, ID: s[i+1:]}, far, kind != "" && s[i+1:] != ""
}

// heard returns when the hub first heard of the record.
func (r *record[T]) heard() time.Time {
	at := r.Received
	for _, told := range r.Told {
		if told.Received.Before(at) {
			at = told.Received
		}
	}
	return at
}

// began returns the moment at which the hub first heard of the record.
func (r *record[T]) began() fhir.Moment {
	at := r.Moment
	for _, told := range r.Told {
		at = min(at, told.Moment)
	}
	return at
}

// points reports whether ref, written by source, means the record v that has these business identifiers.
func points(ref *fhir.Reference, source string, v *fhir.Version, ids []fhir.Identifier) bool {
	switch to, far, ok := target(ref); {
	case ok && !far && source == v.Source:
		return to == v.Ref() // its own server's id says more than an identifier, which several records may share
	case ok && far && to == v.Ref():
		return true
	}
	id, ok := fhir.IDOf(ref.Identifier)
	return ok && slices.ContainsFunc(ids, func(own fhir.Identifier) bool {
		has, ok := fhir.IDOf(&own)
		return ok && has == id
	})
}

// anyPoints is points for a list of references.
func anyPoints(refs []fhir.Reference, source string, v *fhir.Version, ids []fhir.Identifier) bool {
	for i := range refs {
		if points(&refs[i], source, v, ids) {
			return true
		}
	}
	return false
}

// text returns what s points to, "" for nothing.
func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
