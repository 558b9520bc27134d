package people

import (
	"maps"
	"slices"
	"strings"

	"github.com/kaphub/kaphub/fhir"
)

// Known is who the practice's therapists are, as far as the records of all clients tell. Only with it is it safe to say that
// an account is one of them: two people of one name are known apart by their numbers, or not at all.
type Known struct {
	clients map[string]int            // how many clients have a therapist, by token
	by      map[string]fhir.Therapist // by the same
	ids     map[string][]fhir.ID      // of a name that one person has
	shared  map[string]bool           // names that several people have
}

// Know learns from the therapists of each client.
func Know(clients [][]fhir.Therapist) *Known {
	k := &Known{clients: map[string]int{}, by: map[string]fhir.Therapist{}, ids: map[string][]fhir.ID{}, shared: map[string]bool{}}
	for _, of := range clients {
		counted := map[string]bool{}
		for _, t := range of {
			if is := token(t); !counted[is] {
				counted[is] = true
				k.clients[is]++
				k.by[is] = t
			}
		}
	}
	bearers := map[fhir.ID][]string{} // the names under which a number is borne
	groups := map[string][][]fhir.ID{}
	for _, is := range slices.Sorted(maps.Keys(k.by)) {
		t := k.by[is]
		name := plain(t.Name)
		if name == "" || len(t.IDs) == 0 {
			continue
		}
		for _, id := range t.IDs {
			if !slices.Contains(bearers[id], name) {
				bearers[id] = append(bearers[id], name)
			}
		}
		groups[name] = join(groups[name], t.IDs)
	}
	for name, of := range groups {
		for i := range of {
			for j := range i {
				if differ(of[i], of[j]) {
					k.shared[name] = true
				}
			}
			for _, id := range of[i] {
				if len(bearers[id]) == 1 {
					k.ids[name] = append(k.ids[name], id)
				}
			}
		}
	}
	return k
}

// join adds one's numbers to those of the people known by one name: who shares a number is one person.
func join(groups [][]fhir.ID, ids []fhir.ID) [][]fhir.ID {
	one := slices.Clone(ids)
	var rest [][]fhir.ID
	for _, g := range groups {
		if meet(g, one) {
			one = append(one, g...)
		} else {
			rest = append(rest, g)
		}
	}
	return append(rest, one)
}

// Of is the account as it can be told whom it is: with the numbers of its name, where one person has that name; without the
// name, where several have it, or somebody of other numbers.
//
//	the account's name is       the account has a number   it is
//	one person's                none                       that person, by name and by each of their numbers
//	one person's                theirs                     the same
//	one person's                another of that kind       whoever has its number
//	several people's            –                          whoever has its number
//	nobody's with a number      –                          whoever is shown so, and whoever has its number
func (k *Known) Of(a Account) Account {
	name := plain(a.Therapist)
	switch ids := k.ids[name]; {
	case name == "":
	case k.shared[name], differ(a.Numbers, ids):
		a.Therapist = ""
	default:
		a.Numbers = append(slices.Clone(a.Numbers), ids...)
	}
	return a
}

// Named are the names under which therapists are shown, each once, in order.
func (k *Known) Named() []string {
	var names []string
	for _, t := range k.by {
		if t.Name != "" {
			names = append(names, t.Name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// Unclaimed is a therapist whom no account is, so that no therapist sees their clients.
type Unclaimed struct {
	fhir.Therapist
	Clients int
	Shared  bool // several people have the name: only a number tells them apart
}

// Unclaimed are those whom none of the accounts is, the one of most clients first.
func (k *Known) Unclaimed(accounts []Account) (all []Unclaimed) {
	var as []Account
	for _, a := range accounts {
		if a.Is(Therapist) {
			as = append(as, k.Of(a))
		}
	}
	for is, t := range k.by {
		if !slices.ContainsFunc(as, func(a Account) bool { return a.treats([]fhir.Therapist{t}) }) {
			all = append(all, Unclaimed{t, k.clients[is], k.shared[plain(t.Name)]})
		}
	}
	slices.SortFunc(all, func(a, b Unclaimed) int {
		if a.Clients != b.Clients {
			return b.Clients - a.Clients
		}
		return strings.Compare(token(a.Therapist), token(b.Therapist))
	})
	return all
}

// Treats reports whether the account is this therapist.
func (a Account) Treats(t fhir.Therapist) bool { return a.treats([]fhir.Therapist{t}) }

// treats reports whether one of these is the account: by a number, where both have one of a kind, else by name.
func (a Account) treats(therapists []fhir.Therapist) bool {
	return a.Is(Therapist) && slices.ContainsFunc(therapists, func(t fhir.Therapist) bool {
		switch {
		case meet(a.Numbers, t.IDs):
			return true
		case differ(a.Numbers, t.IDs):
			return false
		}
		return a.Therapist != "" && sameName(a.Therapist, t.Name)
	})
}

// meet reports whether two people have a number in common: then they are one.
func meet(a, b []fhir.ID) bool {
	return slices.ContainsFunc(a, func(id fhir.ID) bool { return slices.Contains(b, id) })
}

// differ reports whether two people have numbers of one kind, and none in common: then they are two.
func differ(a, b []fhir.ID) bool {
	return !meet(a, b) && slices.ContainsFunc(a, func(x fhir.ID) bool {
		return slices.ContainsFunc(b, func(y fhir.ID) bool { return x.System == y.System })
	})
}

func plain(name string) string { return strings.ToLower(oneName(name)) }

// token is the same of therapists who are known alike.
func token(t fhir.Therapist) string {
	words := []string{plain(t.Name)}
	for _, id := range t.IDs {
		words = append(words, id.Token())
	}
	return strings.Join(words, "\n")
}
