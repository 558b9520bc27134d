package entry

import (
	"slices"
	"strings"
	"time"

	"github.com/kaphub/kaphub/connectors/desk"
	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/exchange"
	"github.com/kaphub/kaphub/fhir/readiness"
)

// Entered is an entry as a list of them shows it.
type Entered struct {
	ID, Kind, By, Medium string
	At, Told             time.Time
	Account              string    // the hub key of the account of who entered it; their name where they have none
	From                 string    // who told it, by name; "" = the party that owns the fact
	Source               string    // of one of its records
	UndoneBy, ChangedBy  string    // the entry that did it; "" = it stands
	AgainBy              string    // the entry that undid what had changed it: since then it stands again; "" = nothing had
	Of                   string    // of a correction or a confirmation: the entry that it is about
	ConfirmBy            time.Time // up to when a second person must confirm it; zero = nobody need
	Prescriber           string    // whose decision waits for a second person
	Says                 []desk.Said

	targets []string
}

// Tell puts into entries what their slips say.
func Tell(entries []Entered, slips []exchange.Slip, zone *time.Location) {
	for i := range entries {
		entries[i].Says = desk.Says(slices.DeleteFunc(slices.Clone(slips), func(s exchange.Slip) bool { return s.Entry != entries[i].ID }), zone)
	}
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
	e := Entered{ID: p.ID, At: p.Recorded(), Source: p.Source}
	if p.Value.Activity != nil && len(p.Value.Activity.Coding) > 0 && p.Value.Activity.Coding[0].Code != nil {
		e.Kind = *p.Value.Activity.Coding[0].Code
	}
	for _, a := range p.Value.Agent {
		if id := a.Who.Identifier; id != nil && id.Value != nil && id.System != nil && *id.System == fhir.SystemActor {
			e.By, e.Account = *id.Value, *id.Value
			if a.Who.Display != nil {
				e.By = *a.Who.Display
			}
		} else if a.OnBehalfOf != nil && a.Who.Display != nil {
			e.From = *a.Who.Display
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
	for _, t := range e.targets {
		if e.followed(t, all); e.UndoneBy != "" || e.ChangedBy != "" {
			return
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

// followed finds what became of one version of a record that the entry told of.
//
//	later entries about that record, oldest first     the entry
//	none, or confirmations                            stands
//	a correction                                      is undone
//	another, and no correction                        is changed
//	another, and its correction                       stands again
//
// A correction is about the newest entry that was not corrected.
func (e *Entered) followed(target string, all []Entered) {
	record, version, _ := strings.Cut(target, "/_history/")
	var over []*Entered
	for i := range all {
		later := &all[i]
		if later.ID == e.ID || !later.At.After(e.At) || !slices.ContainsFunc(later.targets, func(t string) bool {
			about, now, _ := strings.Cut(t, "/_history/")
			return about == record && (now != version || later.Kind == desk.KindConfirm)
		}) {
			continue
		}
		switch {
		case later.Kind == desk.KindConfirm:
			if slices.Contains(later.targets, target) {
				later.Of = e.ID
			}
		case later.Kind != desk.KindUndo:
			over, e.AgainBy = append(over, later), ""
		case len(over) == 0:
			e.UndoneBy, later.Of = later.ID, e.ID
			return
		default:
			if over = over[:len(over)-1]; len(over) == 0 {
				e.AgainBy = later.ID
			}
		}
	}
	if len(over) > 0 {
		e.ChangedBy = over[0].ID
	}
}
