package fhirrest

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"

	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/exchange"
)

// discoveries are the searches that find new clients where not every type tells what changed: at a practice what makes
// somebody a client; and, where patients themselves are not told, those who carry a client's identifier, some at a time.
func (s *server) discoveries(offers *offer, p *position, all exchange.Everybody) []string {
	var names []string
	for _, typ := range s.role().discover {
		if slices.Contains(offers.types, typ) && !offers.tells(typ) && !offers.search[typ].patient {
			names = append(names, typ)
		}
	}
	if !slices.Contains(offers.types, "Patient") || offers.tells("Patient") {
		return names
	}
	if p.Walk != nil {
		if _, ok := portion(p.Walk.Type); ok {
			return append(names, p.Walk.Type)
		}
	}
	if left := after(all, p.Asked); len(left) > 0 {
		names = append(names, "Patient "+left[min(atOnce, len(left))-1].digest)
	}
	return names
}

// atOnce is how many identifiers one search asks for: its address stays short enough for every server.
const atOnce = 20

// portion is up to which digest a search called name looks identifiers up; ok is false for any other search. Whoever is
// found is no longer wanted while the others still are: a portion is known by what it ends with, not by counting.
func portion(name string) (upTo string, ok bool) {
	_, upTo, ok = strings.Cut(name, " ")
	return upTo, ok
}

// sought is an identifier to be looked up. Its digest alone is kept in a cursor.
type sought struct {
	digest string
	id     fhir.ID
}

// after are the identifiers wanted beyond a digest, by digest.
func after(all exchange.Everybody, digest string) (left []sought) {
	for _, id := range all.Wanted {
		sum := sha256.Sum256([]byte(id.System + "|" + id.Value))
		if d := hex.EncodeToString(sum[:8]); d > digest {
			left = append(left, sought{d, id})
		}
	}
	slices.SortFunc(left, func(a, b sought) int { return strings.Compare(a.digest, b.digest) })
	return left
}

func wanted(all exchange.Everybody, from, upTo string) string {
	var tokens []string
	for _, s := range after(all, from) {
		if s.digest <= upTo {
			tokens = append(tokens, token(s.id))
		}
	}
	return strings.Join(tokens, ",")
}

// token is an identifier as a search takes it.
func token(id fhir.ID) string {
	escape := strings.NewReplacer(`\`, `\\`, `|`, `\|`, `,`, `\,`, `$`, `\$`)
	return escape.Replace(id.System) + "|" + escape.Replace(id.Value)
}
