package console

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/kaphub/kaphub/cmd/internal/entry"
	"github.com/kaphub/kaphub/connectors/desk"
	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/readiness"
)

// begins is where an entry of a kind about a client begins: at its form, or with "" at the client's desk; there also where the form
// is not the visitor's for this client.
func (v *visit) begins(client, kind string) (path string, err error) {
	path = "/clients/" + client + "/desk"
	if kind == "" {
		return path, nil
	}
	whole, err := v.theirs(client)
	if err != nil {
		return "", err
	}
	for _, d := range v.doors(whole) {
		if d.Kind == kind {
			return d.of(client), nil
		}
	}
	return path, nil
}

// door is an entry that somebody may make about a client.
type door struct {
	Kind, Name, Says string
}

// seldom are the kinds of entry to which what waits for them leads: they stand at the desk alone.
var seldom = []string{desk.KindCondition, desk.KindLift, desk.KindReason}

// arrival is the kind of what is entered on the session's card.
const arrival = "arrival"

// of is where it is made about a client.
func (d door) of(client string) string {
	if d.Kind == arrival {
		return "/clients/" + client + "/card"
	}
	return "/clients/" + client + "/desk/" + d.Kind
}

// doors are what the visitor may enter about a client; whole says that it is theirs to be with at a session.
func (v *visit) doors(whole bool) (all []door) {
	for _, f := range deskForms {
		if v.who.Is(f.may...) && (whole || !f.near) {
			all = append(all, door{f.Kind, f.Name, f.Says})
		}
	}
	if whole && v.who.Is(caring...) && len(all) > 0 {
		all = slices.Insert(all, 1, door{arrival, "Arrival checks, anything new, go-ahead", "The client's card: the checks, a new diagnosis, medicine or pregnancy, the go-ahead, whom to call."})
	}
	return all
}

// entryLinks are the doors to a client's entries.
func (v *visit) entryLinks(client string, whole bool) (all []formLink) {
	for _, d := range v.doors(whole) {
		all = append(all, formLink{d.of(client), d.Name, d.Says})
	}
	return all
}

// shortcuts are the links to the entries that are usual, for the pages about the client whose chart it is. Of whom a stop stands that was entered
// here, its end comes first.
func (v *visit) shortcuts(chart fhir.Chart) ([]formLink, error) {
	whole, err := v.theirs(v.client)
	if err != nil {
		return nil, err
	}
	parties, err := v.Roster.Prescribers(v.ctx(), "")
	if err != nil {
		return nil, err
	}
	standing, _ := entry.About{Chart: chart, Parties: append(parties, desk.Party{Name: fhir.Practice})}.Stops()
	var first, rest []formLink
	for _, l := range v.entryLinks(v.client, whole) {
		switch {
		case l.Path == v.r.URL.Path:
		case len(standing) > 0 && strings.HasSuffix(l.Path, "/"+desk.KindLift):
			first = append(first, l)
		case !slices.ContainsFunc(seldom, func(kind string) bool { return strings.HasSuffix(l.Path, "/"+kind) }):
			rest = append(rest, l)
		}
	}
	return append(first, rest...), nil
}

// tellApart says of a client what others of the same name and birth date do not have, as far as the visitor may meet those.
func (v *visit) tellApart(s *subject, chart fhir.Chart) error {
	if twin, err := v.hasTwin(*s, entry.Born(chart)); err != nil || !twin {
		return err
	}
	var apart []string
	if names := strings.Fields(readiness.LegalName(chart)); len(names) > 0 {
		last, _ := utf8.DecodeRuneInString(names[len(names)-1])
		apart = append(apart, "legal last name "+string(unicode.ToUpper(last))+".")
	}
	for _, r := range fhir.Now(fhir.Of(fhir.Practice, chart.ServiceRequests)) {
		if r.Value.AuthoredOn == nil || len(*r.Value.AuthoredOn) < len(time.DateOnly) {
			continue
		}
		if on, err := time.Parse(time.DateOnly, (*r.Value.AuthoredOn)[:len(time.DateOnly)]); err == nil {
			apart = append(apart, "referred "+on.Format("Mon 2 Jan 2006"))
			break
		}
	}
	by, err := v.Views.Therapists(v.ctx(), s.Key)
	if err != nil {
		return fmt.Errorf("whose client %s is: %w", s.Key, err)
	}
	for _, t := range by {
		if name := t.Shown(); name != "" {
			apart = append(apart, "with "+name)
			break
		}
	}
	s.Apart = strings.Join(apart, " · ")
	return nil
}

// hasTwin reports whether the visitor may meet another client of that name who was born on the same day.
func (v *visit) hasTwin(s subject, born string) (bool, error) {
	meant, err := v.Search.Meant(v.ctx(), s.Name)
	if err != nil {
		return false, err
	}
	for _, client := range meant.All() {
		if client == s.Key || meant.Born(client) != born {
			continue
		}
		switch err := v.mayMeet(client); {
		case errors.Is(err, strangeClient):
		default:
			return err == nil, err
		}
	}
	return false, nil
}
