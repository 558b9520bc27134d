package entry

import (
	"slices"
	"strings"
	"time"

	"github.com/kaphub/kaphub/connectors/desk"
	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/readiness"
)

// Entered is an entry as a list of them shows it.
type Entered struct {
	ID, Kind, By, Medium string
	At, Told             time.Time
	UndoneBy, ChangedBy  string    // the entry that did it; "" = it stands
	ConfirmBy            time.Time // up to when a second person must confirm it; zero = nobody need
	Prescriber           string    // whose decision waits for a second person

	targets []string
}

// List returns what was entered about a client, oldest first, and how each entry stands.
func List(chart fhir.Chart, policies []readiness.Policy) []Entered {
	var all []Entered
	for _, p := range fhir.Now(chart.Provenances) {
		if !slices.ContainsFunc(policies, func(of readiness.Policy) bool { return p.Source == of.Practice.Desk || p.Source == of.Prescriber.Desk }) {
			continue
		}
		i := slices.IndexFunc(all, func(e Entered) bool { return e.ID == p.ID })
		if i < 0 {
			i, all = len(all), append(all, read(p))
		}
		for _, t := range p.Value.Target {
			if t.Reference != nil && !strings.HasPrefix(*t.Reference, "Patient/") {
				all[i].targets = append(all[i].targets, p.Source+"/"+*t.Reference)
			}
		}
	}
	for i := range all {
		all[i].stand(chart, policies, all)
	}
	return all
}

// Waiting returns the entries that wait for a second person, oldest first.
func Waiting(chart fhir.Chart, policies []readiness.Policy) []Entered {
	return slices.DeleteFunc(List(chart, policies), func(e Entered) bool { return e.ConfirmBy.IsZero() })
}

func read(p fhir.Seen[fhir.Provenance]) Entered {
	e := Entered{ID: p.ID, At: p.Recorded()}
	if p.Value.Activity != nil && len(p.Value.Activity.Coding) > 0 && p.Value.Activity.Coding[0].Code != nil {
		e.Kind = *p.Value.Activity.Coding[0].Code
	}
	for _, a := range p.Value.Agent {
		if id := a.Who.Identifier; id != nil && id.Value != nil && id.System != nil && *id.System == fhir.SystemActor {
			if e.By = *id.Value; a.Who.Display != nil {
				e.By = *a.Who.Display
			}
		}
	}
	if p.Value.OccurredDateTime != nil {
		e.Told, _ = time.Parse(time.RFC3339, *p.Value.OccurredDateTime)
	}
	for _, x := range p.Value.Entity {
		if x.What.Identifier != nil && x.What.Identifier.Value != nil {
			e.Medium = *x.What.Identifier.Value
		}
	}
	return e
}

// stand finds whether the entry was corrected or changed since, and whether it is a decision that waits for a second person.
func (e *Entered) stand(chart fhir.Chart, policies []readiness.Policy, all []Entered) {
	for i := range all {
		later := &all[i]
		for _, t := range e.targets {
			record, version, _ := strings.Cut(t, "/_history/")
			for _, other := range later.targets {
				about, now, _ := strings.Cut(other, "/_history/")
				if about != record || later.ID == e.ID || !later.At.After(e.At) {
					continue
				}
				switch {
				case later.Kind == desk.KindUndo && now != version:
					e.UndoneBy = later.ID
					return
				case later.Kind != desk.KindConfirm:
					e.ChangedBy = later.ID
					return
				}
			}
		}
	}
	for _, p := range policies {
		for _, o := range fhir.Now(chart.Observations) {
			if e.Kind != desk.KindDecision || o.Source != p.Prescriber.Desk || !slices.Contains(e.targets, o.Source+"/"+o.Ref().String()+"/_history/"+o.Resource.VersionID) {
				continue
			}
			if until, waits := readiness.AwaitsSecond(chart, p, o.Version); waits {
				e.ConfirmBy, e.Prescriber = until, p.Prescriber.Name
				return
			}
		}
	}
}
