package main

import (
	"cmp"
	"context"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/kaphub/kaphub/cmd/internal/console"
	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/readiness"
)

// names are who clients are, as the practice's records had it when somebody was looked for last.
type names struct {
	mu     sync.Mutex
	moment fhir.Moment
	by     map[string]bearer
}

// bearer is what a client may be found by.
type bearer struct {
	born  string   // "" = not on file
	parts []string // of every name, chosen and legal, in plain letters
	ids   []string

	given, family []string // of every name, part by part
}

// Meant returns by what words mean a client: "" means everybody.
func (w window) Meant(ctx context.Context, words string) (console.Meant, error) {
	by, err := w.names.now(ctx, w.hub)
	if err != nil {
		return console.Meant{}, err
	}
	ask := w.asked(words)
	return console.Meant{
		Is:   func(v *readiness.Verdict) bool { return ask.means(v, by[v.Client]) },
		Born: func(client string) string { return by[client].born },
		Exactly: func(client string) bool {
			n, known := by[client]
			return known && (strings.EqualFold(strings.TrimSpace(words), client) || w.fully(words, n))
		},
	}, nil
}

// now returns the names as they are now: only of those whom something befell they are read anew. Nobody changes the map.
func (n *names) now(ctx context.Context, h *hub) (map[string]bearer, error) {
	moment, err := h.store.Newest(ctx)
	if err != nil {
		return nil, err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if moment <= n.moment {
		return n.by, nil
	}
	by, read := maps.Clone(n.by), map[string]bool{}
	if by == nil {
		by = map[string]bearer{}
	}
	err = h.store.PatientsSince(ctx, n.moment, func(client string, p fhir.Patient) {
		if !read[client] {
			read[client] = true
			delete(by, client)
		}
		by[client] = by[client].with(&p)
	})
	if err != nil {
		return nil, err
	}
	n.moment, n.by = moment, by
	return by, nil
}

// with takes in what one Patient says.
func (n bearer) with(p *fhir.Patient) bearer {
	if p.BirthDate != nil {
		n.born = cmp.Or(n.born, *p.BirthDate)
	}
	for _, name := range p.Name {
		texts := slices.Clone(name.Given)
		for _, s := range []*string{name.Family, name.Text} {
			if s != nil {
				texts = append(texts, *s)
			}
		}
		n.parts = append(n.parts, plainParts(texts...)...)
		n.given = append(n.given, plainParts(name.Given...)...)
		if name.Family != nil {
			n.family = append(n.family, plainParts(*name.Family)...)
		}
	}
	for _, id := range p.Identifier {
		if id.Value != nil {
			n.ids = append(n.ids, strings.ToLower(*id.Value))
		}
	}
	return n
}

func plainParts(texts ...string) (parts []string) {
	for _, text := range texts {
		for _, word := range strings.Fields(text) {
			if p := fhir.PlainName(word); p != "" {
				parts = append(parts, p)
			}
		}
	}
	return parts
}

// sought is what somebody looks for.
type sought struct {
	born  string // a whole birth date; "" = it is none
	words []string
}

var ofDate = regexp.MustCompile(`^[12][0-9]{3}(-[01]?[0-9]?(-[0-3]?[0-9]?)?)?$`)

func (w window) asked(words string) sought {
	a := sought{words: strings.Fields(strings.ToLower(words))}
	if strings.ContainsAny(words, "0123456789") {
		a.born, _ = w.clock().Date(words)
	}
	return a
}

// means reports whether v's client is meant: by a birth date, or by words of which each is part of a name, the beginning of
// the hub's key or of the birth date, or an identifier.
func (a sought) means(v *readiness.Verdict, n bearer) bool {
	if a.born != "" && a.born == n.born {
		return true
	}
	chosen := plainParts(v.Chosen)
	for _, word := range a.words {
		plain := fhir.PlainName(word)
		part := func(p string) bool { return plain != "" && strings.Contains(p, plain) }
		switch {
		case slices.ContainsFunc(n.parts, part), slices.ContainsFunc(chosen, part):
		case len(word) > len("c-") && strings.HasPrefix(v.Client, word):
		case ofDate.MatchString(word) && n.born != "" && strings.HasPrefix(n.born, word):
		case slices.Contains(n.ids, word):
		default:
			return false
		}
	}
	return true
}

// fully reports whether words are a client's full name and birth date: the whole of both, and nothing else.
func (w window) fully(words string, n bearer) bool {
	list := strings.Fields(words)
	for from := range list {
		for to := from + 1; to <= min(from+3, len(list)); to++ {
			date := strings.Join(list[from:to], " ")
			if !strings.ContainsAny(date, "0123456789") {
				continue
			}
			if born, err := w.clock().Date(date); err != nil || born == "" || born != n.born {
				continue
			}
			name := plainParts(slices.Concat(list[:from], list[to:])...)
			known := !slices.ContainsFunc(name, func(word string) bool { return !slices.Contains(n.given, word) && !slices.Contains(n.family, word) })
			whole := len(n.family) > 0 && !slices.ContainsFunc(n.family, func(part string) bool { return !slices.Contains(name, part) })
			return known && whole && slices.ContainsFunc(name, func(word string) bool { return slices.Contains(n.given, word) })
		}
	}
	return false
}
