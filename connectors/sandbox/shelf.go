package sandbox

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/kaphub/kaphub/fhir"
)

// shelf holds every version of every record.
type shelf struct {
	rows  map[string]map[string]*row // by type, then id
	order map[string][]*row          // by type, in order of creation
	names map[string]int             // the last number given to a new record, by type
	last  time.Time                  // of the last stamped write
}

type row struct {
	typ, id  string
	versions []*version
}

type version struct {
	row   *row
	n     int
	at    time.Time
	body  []byte // nil when gone
	gone  bool
	seen  int // visible to searches once this many were answered
	index index
}

func (r *row) last() *version { return r.versions[len(r.versions)-1] }

func (r *row) version(n string) *version {
	if i, err := strconv.Atoi(n); err == nil && i >= 1 && i <= len(r.versions) {
		return r.versions[i-1]
	}
	return nil
}

func (v *version) etag() string { return `W/"` + strconv.Itoa(v.n) + `"` }

func (v *version) location(base string) string {
	return fmt.Sprintf("%s/%s/%s/_history/%d", base, v.row.typ, v.row.id, v.n)
}

func (v *version) answer(status int) answer {
	a := answer{status: status, body: v.body}
	a.header("ETag", v.etag())
	a.header("Last-Modified", v.at.UTC().Format(http.TimeFormat))
	return a
}

func (s *shelf) row(typ, id string) *row { return s.rows[typ][id] }

// name returns an id for a new record. Two servers give the same ids to different records, as real ones do.
func (s *shelf) name(typ string) string {
	if s.names == nil {
		s.names = map[string]int{}
	}
	for {
		s.names[typ]++
		id := strings.ToLower(typ) + "-" + strconv.Itoa(s.names[typ])
		if s.row(typ, id) == nil {
			return id
		}
	}
}

// after returns now, or a millisecond after the last stamped write if that is later.
func (s *shelf) after(now time.Time) time.Time {
	now = now.Truncate(time.Millisecond)
	if !now.After(s.last) {
		now = s.last.Add(time.Millisecond)
	}
	s.last = now
	return now
}

// put adds a version. The body is kept as it is but for its id and the server's part of its meta.
func (s *shelf) put(typ, id string, body []byte, at time.Time, searches int) (*version, error) {
	n := 1
	r := s.row(typ, id)
	if r != nil {
		n = len(r.versions) + 1
	}
	stamped, err := stampBody(body, id, n, at)
	if err != nil {
		return nil, err
	}
	ix, err := indexed(typ, stamped)
	if err != nil {
		return nil, err
	}
	if r == nil {
		r = &row{typ: typ, id: id}
		s.add(r)
	}
	v := &version{row: r, n: n, at: at, body: stamped, seen: searches, index: ix}
	r.versions = append(r.versions, v)
	return v, nil
}

func (s *shelf) add(r *row) {
	if s.rows == nil {
		s.rows, s.order = map[string]map[string]*row{}, map[string][]*row{}
	}
	if s.rows[r.typ] == nil {
		s.rows[r.typ] = map[string]*row{}
	}
	s.rows[r.typ][r.id] = r
	s.order[r.typ] = append(s.order[r.typ], r)
}

func (s *shelf) remove(r *row, at time.Time) {
	r.versions = append(r.versions, &version{row: r, n: len(r.versions) + 1, at: at, gone: true})
}

const instant = "2006-01-02T15:04:05.000Z07:00"

var errNoResource = errors.New("no JSON resource")

// stampBody returns body with the server's id and its part of meta; every other byte stays as it was.
func stampBody(body []byte, id string, n int, at time.Time) ([]byte, error) {
	stamped, err := fhir.Apply(body,
		fhir.Edit{Path: "id", Value: id},
		fhir.Edit{Path: "meta.versionId", Value: strconv.Itoa(n)},
		fhir.Edit{Path: "meta.lastUpdated", Value: at.UTC().Format(instant)})
	if err != nil {
		return nil, fmt.Errorf("stamp: %w", err)
	}
	return stamped, nil
}

// face reads what a body says it is; both are "" when it is no JSON object.
func face(body []byte) (typ, id string) {
	var f struct {
		ResourceType string `json:"resourceType"`
		ID           string `json:"id"`
	}
	if json.Unmarshal(body, &f) != nil {
		return "", ""
	}
	return f.ResourceType, f.ID
}
