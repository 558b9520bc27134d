package readiness

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/kaphub/kaphub/fhir"
)

// R25 dose-disagreement
//
//	doses of one day, as the practice recorded them    the directions then in force   finding
//	within the amount, its ends included               structured                     none
//	together more than it                              structured                     S1
//	together less than it, and the day is over         structured                     S1
//	in a unit that the directions do not use           structured                     none: the account says it
//	"not as directed"                                  –                              S1
//	any of these, and the prescriber decided or        –                              none: they know
//	  prescribed anew since
//
//	shipped to                                         since                          finding
//	the practice, by its identifier or its address     –                              S1
//	the practice                                       a label check, an answer       none
//	anywhere else, or it cannot be told                –                              none
//
//	the newest label check found                       since                          finding
//	another name than the client's                     –                              S1
//	other directions than are on file                  –                              S1
//	other directions than are on file                  the prescriber decided or      none: they know
//	                                                   prescribed anew
func doseDisagreement(f *facts) (out []Finding) {
	if check, bore := f.mislabelled(); check != nil {
		words, next := f.misread(check, bore)
		out = append(out, found(S1, check.String(), words, next, check.Version))
	}
	for i := 0; i < len(f.intakes); {
		n := i + 1
		for n < len(f.intakes) && f.intakes[n].day == f.intakes[i].day {
			n++
		}
		if r, ok := f.disagreement(f.intakes[i:n]); ok {
			out = append(out, r)
		}
		i = n
	}
	for i := range f.dispenses {
		d := &f.dispenses[i]
		if !d.live() || !f.ours(d.Version) || !f.toPractice(d) || f.represcribed(d.when) {
			continue
		}
		if slices.ContainsFunc(f.dispenses, func(x dispense) bool { return practices(x.Version) && x.live() && x.handed.After(d.when) }) {
			continue
		}
		out = append(out, found(S1, d.String(), "What was dispensed on "+f.on(d.when)+" is recorded as shipped to the practice, not to the client",
			"ask "+f.prescriber()+f.phones()+" and the pharmacy where it went", d.Version))
	}
	return out
}

// disagreement judges the doses of one day together.
func (f *facts) disagreement(day []intake) (Finding, bool) {
	first := &day[0]
	var since time.Time
	sum, known, going, astray := 0.0, true, false, false
	var rests []*fhir.Version
	for i := range day {
		in := &day[i]
		since = later(since, later(in.at, in.first()))
		sum += in.given
		known = known && in.known && in.unit == first.unit
		going, astray = going || in.going, astray || in.astray
		rests = append(rests, in.Version)
	}
	if f.represcribed(since) {
		return Finding{}, false
	}
	on := f.on(first.at)
	next := "tell " + f.prescriber() + f.phones() + "; how it goes on is theirs to say"
	rx, directions := f.directionsAt(first)
	want, ok := directed(directions)
	if known && ok && want.unit == first.unit && !want.holds(sum) {
		less := sum < want.low
		if !less || !going && f.clock.passed(first.day.Plus(1).Start(f.zone)) {
			given := count(sum) + " " + first.unit
			return found(S1, first.String(), "On "+on+" "+given+" "+plural(sum == 1, "was", "were")+" taken; prescribed was "+want.String(), next, append(rests, rx)...).
				values(f.policy.Prescriber.Name, want.String(), fhir.Practice, given), true
		}
	}
	if astray {
		return found(S1, first.String(), "The dose of "+on+" is recorded as not taken as directed", next, append(rests, rx)...), true
	}
	return Finding{}, false
}

// represcribed reports whether the prescriber answered what happened at t: by a decision made since, or by a prescription
// that they wrote since.
func (f *facts) represcribed(t time.Time) bool {
	return f.answered(t) || slices.ContainsFunc(f.prescriptions, func(p prescription) bool {
		return p.live() && p.order && p.ketamine == yes && p.Value.AuthoredOn != nil && p.authored.After(t) && f.clock.passed(p.authored)
	})
}

// toPractice reports whether d was sent to the practice and not to the client, as far as that can be told: by the
// destination's identifier or that of whoever runs it, or by its address, line, and town or postal code.
func (f *facts) toPractice(d *dispense) bool {
	to := d.Value.Destination
	if to == nil {
		return false
	}
	if id, ok := fhir.IDOf(to.Identifier); ok && f.policy.Practice.is(id) {
		return true
	}
	inside, ok := strings.CutPrefix(text(to.Reference), "#")
	if !ok {
		return false
	}
	for _, raw := range d.Value.Contained {
		var place struct {
			ID         string            `json:"id"`
			Identifier []fhir.Identifier `json:"identifier"`
			Address    *struct {
				Line       []string `json:"line"`
				City       string   `json:"city"`
				PostalCode string   `json:"postalCode"`
			} `json:"address"`
			Runs *fhir.Reference `json:"managingOrganization"`
		}
		if json.Unmarshal(raw, &place) != nil || place.ID != inside {
			continue
		}
		ids := identified(nil, place.Identifier)
		if place.Runs != nil {
			if id, ok := fhir.IDOf(place.Runs.Identifier); ok {
				ids = append(ids, id)
			}
		}
		if slices.ContainsFunc(ids, f.policy.Practice.is) {
			return true
		}
		a := place.Address
		return a != nil && len(a.Line) > 0 && f.policy.Practice.at(a.Line[0]) && (f.policy.Practice.at(a.PostalCode) || f.policy.Practice.at(a.City))
	}
	return false
}

// at reports whether part is a whole word or words of p's address.
func (p Party) at(part string) bool {
	plain := func(s string) string {
		return " " + strings.Join(strings.FieldsFunc(strings.ToLower(s), func(r rune) bool { return strings.ContainsRune(" ,.;\t\n", r) }), " ") + " "
	}
	return strings.TrimSpace(part) != "" && strings.Contains(plain(strings.Join(p.Address, " ")), plain(part))
}
