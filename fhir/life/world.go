package life

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/fhirtest"
)

// World is a life as it reached the hub: what each source told of it, and when that came.
type World struct {
	Life     Life
	Versions []fhir.Version // in the order in which they came
	Came     []Event        // what came with each of them
	Client   string

	whole fhir.Chart // all that ever came, read once
	links []fhir.Link
	began []fhir.Began
}

// Began notes how the verdict stood when a session began, as the hub does: every chart after it says so.
func (w *World) Began(b fhir.Began) { w.began = append(w.began, b) }

// every is how often a source is read, from opens to closes.
const (
	every  = 15 * time.Minute
	opens  = 6
	closes = 21
)

// Sources are those that are read in this life.
func (l Life) Sources() []string {
	names := []string{Practice, Prescriber}
	if l.Agreed.CalendarFeed {
		names = append(names, Calendar)
	}
	if l.Agreed.TwoPrescribers {
		names = append(names, Other)
	}
	return names
}

// Reach makes the world of a life.
func Reach(l Life) *World {
	w := &World{Life: l}
	t := newTeller(l)
	w.Client = t.Client
	type arrival struct {
		v  fhir.Version
		e  Event
		at time.Time
	}
	var all []arrival
	for _, e := range l.Events {
		if v, ok := t.tell(e); ok {
			if at := w.comes(e); !at.IsZero() {
				all = append(all, arrival{v, e, at})
			}
		}
	}
	slices.SortStableFunc(all, func(a, b arrival) int { return a.at.Compare(b.at) })
	count := map[fhir.Key]int64{}
	for i, a := range all {
		if slices.ContainsFunc(all[i+1:], func(b arrival) bool { return b.at.Equal(a.at) && b.v.Key == a.v.Key }) {
			continue // a read brings a record as it is then, and nothing of what it was between two reads
		}
		count[a.v.Key]++
		a.v.N, a.v.Received = count[a.v.Key], a.at
		a.v.Moment = 1
		if n := len(w.Versions); n > 0 {
			a.v.Moment = w.Versions[n-1].Moment
			if !w.Versions[n-1].Received.Equal(a.at) || w.Versions[n-1].Source != a.v.Source {
				a.v.Moment++
			}
		}
		w.Versions = append(w.Versions, a.v)
		w.Came = append(w.Came, a.e)
	}
	for _, s := range l.Sources() {
		patient := map[string]string{Practice: t.Patient, Calendar: t.Patient, Prescriber: t.there(), Other: "o-" + t.Patient}[s]
		w.links = append(w.links, fhir.Link{Client: t.Client, Source: s, Patient: patient, How: "identifier", Moment: 1, ReadBack: true, Since: l.Start})
	}
	w.whole = fhir.NewChart(w.Client, fhir.Moment(len(w.Versions)), w.Versions, nil, nil, nil)
	return w
}

// comes is when the hub hears of e: with the first complete read after it was told; of a read that breaks off, half comes.
func (w *World) comes(e Event) time.Time {
	at := slot(e.At.Add(e.Lag))
	for range 40 * 96 {
		switch how := w.outage(e.Source, at); {
		case how == "", how == "partial" && half(e):
			return at
		}
		at = slot(at.Add(time.Second))
	}
	return time.Time{}
}

// half tells which half of a read that breaks off e is in: by its id, so that it is always the same.
func half(e Event) bool {
	sum := e.At.Unix() / 7
	for _, c := range []byte(e.What) {
		sum += int64(c)
	}
	return sum%2 == 0
}

// slot is the first time at or after t at which sources are read.
func slot(t time.Time) time.Time {
	at := t.In(fhirtest.Denver)
	at = at.Add(every - 1).Truncate(every)
	switch h := at.Hour(); {
	case h < opens:
		return time.Date(at.Year(), at.Month(), at.Day(), opens, 0, 0, 0, fhirtest.Denver)
	case h >= closes:
		return time.Date(at.Year(), at.Month(), at.Day()+1, opens, 0, 0, 0, fhirtest.Denver)
	}
	return at
}

// before is the last time at or before t at which sources are read.
func before(t time.Time) time.Time {
	at := t.In(fhirtest.Denver).Truncate(every)
	switch h := at.Hour(); {
	case h < opens:
		return time.Date(at.Year(), at.Month(), at.Day()-1, closes-1, 45, 0, 0, fhirtest.Denver)
	case h >= closes:
		return time.Date(at.Year(), at.Month(), at.Day(), closes-1, 45, 0, 0, fhirtest.Denver)
	}
	return at
}

// outage is how the source is troubled at t: "", "down" or "partial".
func (w *World) outage(source string, t time.Time) string {
	for i := range w.Life.Events {
		if e := &w.Life.Events[i]; e.What == Outage && e.Source == source && !t.Before(e.Start) && t.Before(e.End) {
			return e.Says
		}
	}
	return ""
}

// Source is how far a source was read at t: the end of the last complete read, and whether the last one was complete.
func (w *World) Source(name string, t time.Time) (complete time.Time, whole bool) {
	last := before(t)
	whole = w.outage(name, last) != "partial"
	for at := last; !at.Before(w.Life.Start); {
		trouble := w.spell(name, at)
		if trouble == nil {
			return at, whole
		}
		at = before(trouble.Start.Add(-time.Second))
	}
	return time.Time{}, whole
}

// spell is the outage of a source at t, nil when there is none.
func (w *World) spell(source string, t time.Time) *Event {
	for i := range w.Life.Events {
		if e := &w.Life.Events[i]; e.What == Outage && e.Source == source && !t.Before(e.Start) && t.Before(e.End) {
			return e
		}
	}
	return nil
}

// stands reports whether something that lasts for a while stands at t.
func (e *Event) stands(t time.Time) bool {
	return !t.Before(e.Start) && (e.End.IsZero() || t.Before(e.End))
}

// Boundaries are the instants at which something of the life changed for the hub, sorted: what came, what began and ended,
// and the sessions' starts and ends.
func (w *World) Boundaries() []time.Time {
	var all []time.Time
	for i := range w.Versions {
		all = append(all, w.Versions[i].Received)
	}
	for i := range w.Life.Events {
		switch e := &w.Life.Events[i]; e.What {
		case Outage:
			all = append(all, slot(e.Start), slot(e.End), slot(e.Start).Add(every))
		case Rejected, SealedAway, Resembles, Undelivered:
			all = append(all, e.Start)
			if !e.End.IsZero() {
				all = append(all, e.End)
			}
		case Session:
			all = append(all, e.Start, e.Start.Add(-every))
		}
	}
	slices.SortFunc(all, time.Time.Compare)
	return slices.CompactFunc(all, time.Time.Equal)
}

// At is all that the hub knew at t. It shares what was read with every other chart of the world: it is for reading.
func (w *World) At(t time.Time) fhir.Chart {
	n, _ := slices.BinarySearchFunc(w.Versions, t, func(v fhir.Version, t time.Time) int {
		if v.Received.After(t) {
			return 1
		}
		return -1
	})
	moment := fhir.Moment(0)
	if n > 0 {
		moment = w.Versions[n-1].Moment
	}
	full := &w.whole
	c := fhir.Chart{Client: w.Client, Moment: moment, Links: w.links}
	c.Patients = upTo(full.Patients, moment)
	c.Consents = upTo(full.Consents, moment)
	c.ServiceRequests = upTo(full.ServiceRequests, moment)
	c.Tasks = upTo(full.Tasks, moment)
	c.Appointments = upTo(full.Appointments, moment)
	c.Observations = upTo(full.Observations, moment)
	c.MedicationRequests = upTo(full.MedicationRequests, moment)
	c.MedicationDispenses = upTo(full.MedicationDispenses, moment)
	c.MedicationAdministrations = upTo(full.MedicationAdministrations, moment)
	c.Flags = upTo(full.Flags, moment)
	c.CarePlans = upTo(full.CarePlans, moment)
	c.PractitionerRoles = upTo(full.PractitionerRoles, moment)
	c.AdverseEvents = upTo(full.AdverseEvents, moment)
	c.Procedures = upTo(full.Procedures, moment)
	c.Encounters = upTo(full.Encounters, moment)
	c.Goals = upTo(full.Goals, moment)
	c.Conditions = upTo(full.Conditions, moment)
	c.MedicationStatements = upTo(full.MedicationStatements, moment)
	for _, b := range w.began {
		if b.Start.Before(t) {
			c.Began = append(c.Began, b)
		}
	}
	for _, s := range w.Life.Sources() {
		complete, whole := w.Source(s, t)
		party := map[string]string{Practice: fhir.Practice, Calendar: fhir.Practice, Prescriber: fhirtest.Prescriber, Other: Other}[s]
		c.Sources = append(c.Sources, fhir.SourceState{Name: s, Party: party, LastComplete: complete, LastTried: before(t), Complete: whole})
	}
	for i := range w.Life.Events {
		e := &w.Life.Events[i]
		if !e.stands(t) {
			continue
		}
		party := map[string]string{Practice: fhir.Practice, Prescriber: fhirtest.Prescriber}[e.Source]
		switch e.What {
		case Rejected:
			c.Rejects = append(c.Rejects, fhir.Reject{ID: "reject-" + e.Start.String(), Source: e.Source, Received: e.Start})
		case SealedAway:
			c.Sealed = append(c.Sealed, fhir.Sealed{ID: "sealed", Source: e.Source, Party: party, Type: "Observation", Reason: fhir.OutOfScopeNotes, Bears: e.Says == "bears", Received: e.Start})
		case Resembles:
			c.Links = append(slices.Clone(c.Links), fhir.Link{Client: w.Client, Source: Prescriber, Patient: "somebody", How: fhir.Candidate, Moment: 1, Since: e.Start})
		case Undelivered:
			since := e.Start
			if e.Says == "staged" {
				since = time.Time{}
			}
			c.Outstanding = append(c.Outstanding, fhir.Outstanding{ID: "delivery", Prescriber: fhirtest.Prescriber, To: cmp.Or(party, fhirtest.Prescriber), What: "appointment", State: e.Says,
				Staged: e.Start, Since: since, Attempts: e.N})
		}
	}
	return c
}

// upTo returns what of list was known at moment.
func upTo[T any](list []fhir.Seen[T], moment fhir.Moment) []fhir.Seen[T] {
	n := 0
	for n < len(list) && list[n].Moment <= moment {
		n++
	}
	if n == 0 {
		return nil
	}
	out := slices.Clone(list[:n])
	for i := range out {
		if out[i].Latest {
			continue
		}
		out[i].Latest = true
		for j := i + 1; j < n; j++ {
			if out[j].Key == out[i].Key {
				out[i].Latest = false
				break
			}
		}
	}
	return out
}

// Fresh reads the chart at t from its versions alone, as a hub that starts again would.
func (w *World) Fresh(t time.Time) fhir.Chart {
	c := w.At(t)
	n := 0
	for n < len(w.Versions) && !w.Versions[n].Received.After(t) {
		n++
	}
	again := fhir.NewChart(w.Client, c.Moment, w.Versions[:n:n], c.Links, c.Sources, c.Rejects)
	again.Sealed, again.Outstanding, again.Began = c.Sealed, c.Outstanding, c.Began
	return again
}

// Shuffled is Fresh with what had come by t in another order: as if the sources had been read in another.
func (w *World) Shuffled(t time.Time, by *rand.Rand) fhir.Chart {
	c := w.At(t)
	n := 0
	for n < len(w.Versions) && !w.Versions[n].Received.After(t) {
		n++
	}
	versions := make([]fhir.Version, 0, n)
	for _, i := range by.Perm(n) {
		v := w.Versions[i]
		v.Moment = fhir.Moment(len(versions) + 1)
		versions = append(versions, v)
	}
	again := fhir.NewChart(w.Client, fhir.Moment(n), versions, c.Links, c.Sources, c.Rejects)
	again.Sealed, again.Outstanding, again.Began = c.Sealed, c.Outstanding, c.Began
	return again
}
