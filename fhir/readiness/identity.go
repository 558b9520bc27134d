package readiness

import (
	"slices"
	"strings"

	"github.com/kaphub/kaphub/fhir"
)

// mismatch is what two records of one client say of who they are.
type mismatch struct {
	is    answer // whether they agree
	close bool   // the family names are spelt a little differently: a notice, not a doubt
	words string
	a, b  *fhir.Version
	birth bool // it is the birth date that differs
}

// undecided reports whether l leaves open whose records these are: a candidate that likely is the client, or any while the
// client has no record there for sure. One that only resembles them, beside the record they have, is a notice.
func (f *facts) undecided(l fhir.Link) bool {
	return l.How == fhir.Candidate && (l.Likely() || !slices.ContainsFunc(f.chart.Links, func(sure fhir.Link) bool {
		return sure.Source == l.Source && sure.How != fhir.Candidate
	}))
}

// shareNoMore returns the prescriber's records that are the client's by an identifier alone, which one side has changed
// since: the link stays until a person decides.
func (f *facts) shareNoMore() (out []*fhir.Version) {
	var known []fhir.ID
	for i := range f.clients {
		if r := &f.clients[i]; r.live() {
			known = identified(known, r.Value.Identifier)
		}
	}
	if known == nil {
		return nil
	}
	known = append(known, fhir.ID{System: fhir.SystemClient, Value: f.chart.Client})
	for i := range f.theirs {
		r := &f.theirs[i]
		if !r.live() || !slices.ContainsFunc(f.chart.Links, func(l fhir.Link) bool {
			return l.Source == r.Source && l.Patient == r.ID && l.How == "identifier"
		}) {
			continue
		}
		if !slices.ContainsFunc(identified(nil, r.Value.Identifier), func(id fhir.ID) bool { return slices.Contains(known, id) }) {
			out = append(out, r.Version)
		}
	}
	return out
}

// openHere returns the open question about a record of this engagement's prescriber, nil when there is none.
func (f *facts) openHere() *fhir.Link {
	for i := range f.chart.Links {
		if l := &f.chart.Links[i]; f.policy.Prescriber.Tells(l.Source) && f.undecided(*l) {
			return l
		}
	}
	return nil
}

// place is where a source's records are, in words about this engagement: another prescriber is not named.
func (f *facts) place(source string) string {
	switch {
	case slices.ContainsFunc(f.policy.Others, func(p Party) bool { return p.Tells(source) }):
		return anotherPrescriber
	case f.policy.Prescriber.Tells(source):
		return f.prescriber()
	}
	return source
}

// mismatches compares the practice's record of the client with every other, here and at the prescriber, as far as they
// do not plainly agree. The preferred name is never compared: only birth date and family name.
func (f *facts) mismatches() []mismatch {
	if !f.differing {
		f.differ, f.differing = f.disagreements(), true
	}
	return f.differ
}

func (f *facts) disagreements() (found []mismatch) {
	var home *record[fhir.Patient]
	for i := range f.clients {
		r := &f.clients[i]
		if !r.live() {
			continue
		}
		if home == nil || r.String() < home.String() { // the same one, in whichever order they came
			home = r
		}
	}
	for i := range f.clients {
		if r := &f.clients[i]; r.live() && r != home {
			if m, ok := f.compare(home, r); ok {
				found = append(found, m)
			}
		}
	}
	if home == nil {
		return nil
	}
	for i := range f.theirs {
		if r := &f.theirs[i]; r.live() {
			if m, ok := f.compare(home, r); ok {
				found = append(found, m)
			}
		}
	}
	return found
}

// compare tells how two records differ; ok is false when they plainly agree.
//
//	birth dates                 family names                 they
//	differ                      –                            differ
//	one missing or partial      –                            cannot be told to agree
//	equal                       one missing                  cannot be told to agree
//	equal                       equal after normalising      agree
//	equal                       ≥ 0.92 alike                 agree, with a notice
//	equal                       else                         differ
func (f *facts) compare(a, b *record[fhir.Patient]) (mismatch, bool) {
	m := mismatch{a: a.Version, b: b.Version}
	where := func() string { return f.title(a.Version) + " and " + f.title(b.Version) }
	born, too := text(a.Value.BirthDate), text(b.Value.BirthDate)
	switch {
	case born == "" || too == "" || born != too && (strings.HasPrefix(born, too) || strings.HasPrefix(too, born)):
		m.words = "The birth date is not complete at " + where()
		return m, true
	case born != too:
		m.is, m.birth, m.words = no, true, "The birth date differs between "+where()
		return m, true
	}
	best := -1.0
	for _, x := range families(a.Value) {
		for _, y := range families(b.Value) {
			best = max(best, alike(x, y))
		}
	}
	switch {
	case best == 1:
		return m, false
	case best >= 0.92:
		m.is, m.close, m.words = yes, true, "The family name is spelt differently at "+where()
	case best >= 0:
		m.is, m.words = no, "The family name differs between "+where()
	default:
		m.words = "The family name is not on file at " + where()
	}
	return m, true
}

// families returns the family names of p, normalised: whatever their use, since a legal and a preferred name are both theirs.
func families(p *fhir.Patient) []string {
	var out []string
	for _, n := range p.Name {
		if s := fhir.PlainName(text(n.Family)); s != "" {
			out = append(out, s)
		}
	}
	if len(out) > 0 {
		return out
	}
	for _, n := range p.Name {
		if words := strings.Fields(text(n.Text)); len(words) > 0 {
			if s := fhir.PlainName(words[len(words)-1]); s != "" {
				out = append(out, s)
			}
		}
	}
	return out
}

// chosen returns the name the client goes by.
func chosen(p *fhir.Patient) string {
	best, rank := "", 9
	for _, n := range p.Name {
		use := 2
		if n.Use != nil {
			switch n.Use.Code() {
			case "usual":
				use = 0
			case "nickname":
				use = 1
			case "official":
				use = 2
			case "old", "maiden":
				use = 4
			default:
				use = 3
			}
		}
		said := text(n.Text)
		if said == "" {
			said = strings.Join(append(append([]string{}, n.Given...), text(n.Family)), " ")
		}
		if said = strings.TrimSpace(said); said != "" && use < rank {
			best, rank = said, use
		}
	}
	return best
}

// alike tells how alike two names are, from 0 to 1: Jaro's measure with Winkler's weight on the beginning.
func alike(a, b string) float64 {
	if a == b {
		return 1
	}
	x, y := []rune(a), []rune(b)
	window := max(len(x), len(y))/2 - 1
	mx, my := make([]bool, len(x)), make([]bool, len(y))
	matches := 0
	for i := range x {
		for j := max(0, i-window); j < min(len(y), i+window+1); j++ {
			if !my[j] && x[i] == y[j] {
				mx[i], my[j] = true, true
				matches++
				break
			}
		}
	}
	if matches == 0 {
		return 0
	}
	swapped, j := 0, 0
	for i := range x {
		if !mx[i] {
			continue
		}
		for !my[j] {
			j++
		}
		if x[i] != y[j] {
			swapped++
		}
		j++
	}
	m := float64(matches)
	jaro := (m/float64(len(x)) + m/float64(len(y)) + (m-float64(swapped)/2)/m) / 3
	prefix := 0
	for prefix < min(4, len(x), len(y)) && x[prefix] == y[prefix] {
		prefix++
	}
	return min(0.999, jaro+float64(prefix)*0.1*(1-jaro))
}

// LegalName returns the client's legal name as the practice has it, "" when none is told as such.
func LegalName(chart fhir.Chart) string {
	for _, p := range fhir.Now(fhir.Of(fhir.Practice, chart.Patients)) {
		for _, n := range p.Value.Name {
			if n.Use == nil || n.Use.Code() != "official" {
				continue
			}
			family := ""
			if n.Family != nil {
				family = *n.Family
			}
			if name := strings.TrimSpace(strings.Join(n.Given, " ") + " " + family); name != "" {
				return name
			}
		}
	}
	return ""
}

// ChosenName returns the name the client goes by at the practice, "" when none is on file.
func ChosenName(chart fhir.Chart) string {
	for _, p := range fhir.Now(fhir.Of(fhir.Practice, chart.Patients)) {
		if name := chosen(p.Value); name != "" {
			return name
		}
	}
	return ""
}
