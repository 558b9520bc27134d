package fhirrest

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/kaphub/kaphub/connectors/internal/rest"
	"github.com/kaphub/kaphub/fhir"
)

// watched are the types of which nothing but the practice's watch list is read: asked for by code where the server takes
// that, and what comes unasked the store does not keep.
var watched = []string{"Condition", "MedicationStatement"}

// spare are the types that a server may keep to itself: that the hub is not let in to them leaves a read complete, and kaphub
// check says so. What rests on them is more than a session needs, or was never told before.
var spare = []string{"Condition", "MedicationStatement", "Goal"}

// tokens are the codes of each type as a search takes them.
func tokens(codes map[string][]fhir.Code) map[string]string {
	out := map[string]string{}
	for _, typ := range watched {
		list := codes[typ]
		var all []string
		for _, c := range list {
			all = append(all, token(fhir.ID{System: c.System, Value: c.Code}))
		}
		if len(all) > 0 {
			out[typ] = strings.Join(all, ",")
		}
	}
	return out
}

// idle reports whether typ is one of which nothing is watched for: then it is not asked for at all.
func (s *server) idle(typ string) bool { return slices.Contains(watched, typ) && s.watch[typ] == "" }

// byCode narrows a search of typ to what is watched for, where the server takes that.
func (o *offer) byCode(q url.Values, typ string) url.Values {
	if codes := o.search[typ].codes; codes != "" {
		q.Set("code", codes)
	}
	return q
}

// watching names the list that is watched for.
func (s *server) watching() string {
	if len(s.watch) == 0 {
		return ""
	}
	h := sha256.New()
	for _, typ := range slices.Sorted(maps.Keys(s.watch)) {
		_, _ = h.Write([]byte(typ + "\n" + s.watch[typ] + "\n"))
	}
	return hex.EncodeToString(h.Sum(nil)[:4])
}

// rewatch begins the watched types anew where the list is another one than they were read by.
func (p *position) rewatch(list string) {
	if p.Watch == list {
		return
	}
	p.Watch = list
	p.Marks = maps.Clone(p.Marks)
	for _, typ := range watched {
		delete(p.Marks, typ)
	}
	p.Done = slices.DeleteFunc(p.Done, func(name string) bool { return slices.Contains(watched, typeOf(name)) })
	if p.Walk != nil && slices.Contains(watched, typeOf(p.Walk.Type)) {
		p.Walk = nil
	}
}

// kept reports whether err only says that the server keeps a spare type to itself.
func kept(typ string, err error) bool {
	return slices.Contains(spare, typ) && (notOffered(err) || withheld(err))
}

// withheld reports whether a search was refused for want of a right.
func withheld(err error) bool {
	return rest.StatusOf(err) == http.StatusForbidden || errors.Is(err, rest.ErrScope)
}
