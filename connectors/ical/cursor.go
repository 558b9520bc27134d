package ical

import (
	"encoding/json"
	"slices"
	"time"

	"github.com/kaphub/kaphub/connectors"
	"github.com/kaphub/kaphub/fhir/exchange"
)

// position is what the cursor holds: what was told of whom, by digests.
type position struct {
	Version int                         `json:"ical"`
	Known   map[string]map[string]known `json:"known,omitempty"` // by Patient id and record
	Back    []string                    `json:"back,omitempty"`  // newcomers told to the beginning
	Events  int                         `json:"events,omitempty"`
	Doubts  int                         `json:"doubts,omitempty"`
	Doubted time.Time                   `json:"doubted,omitzero"`
}

// known is a record as it was told.
type known struct {
	Hash string `json:"h"`
	End  int64  `json:"e,omitempty"`
	UID  string `json:"u,omitempty"`
}

// keep is how many digits of a digest are kept: what they must tell apart is one calendar's.
const keep = 12

func short(digest string) string { return digest[:min(keep, len(digest))] }

func (f *feed) position(since exchange.Cursor) (*position, error) {
	p := &position{Version: 1}
	if since != "" {
		if err := json.Unmarshal([]byte(since), p); err != nil || p.Version != 1 {
			e := connectors.Errorf(f.op("pull"), connectors.Garbled, "the stored cursor is none of a calendar's")
			e.Hint = "give the source another name, so that it is read from the beginning"
			return nil, e
		}
	}
	if p.Known == nil {
		p.Known = map[string]map[string]known{}
	}
	return p, nil
}

func (p *position) cursor() exchange.Cursor {
	body, err := json.Marshal(p)
	if err != nil {
		panic(err) // strings, numbers and a time
	}
	return exchange.Cursor(body)
}

func (p *position) has(patient, key string) bool {
	_, ok := p.Known[patient][key]
	return ok
}

func (p *position) knows(patient string, r record) bool {
	return p.Known[patient][r.key].Hash == short(r.hash)
}

func (p *position) note(patient string, r record) {
	if p.Known[patient] == nil {
		p.Known[patient] = map[string]known{}
	}
	k := known{Hash: short(r.hash), UID: short(r.uid)}
	if !r.end.IsZero() {
		k.End = r.end.Unix()
	}
	p.Known[patient][r.key] = k
}

// doubt has a record told once more when it can be read again.
func (p *position) doubt(patient, key string) {
	if k, ok := p.Known[patient][key]; ok {
		k.Hash = ""
		p.Known[patient][key] = k
	}
}

// forget drops the newcomers that the roster names no more.
func (p *position) forget(roster exchange.Roster) {
	p.Back = slices.DeleteFunc(p.Back, func(id string) bool { return !slices.Contains(roster.New, id) })
}

// newcomer returns the next one to be told to the beginning.
func (p *position) newcomer(roster exchange.Roster) (string, bool) {
	for _, id := range roster.New {
		if !slices.Contains(p.Back, id) {
			return id, true
		}
	}
	return "", false
}
