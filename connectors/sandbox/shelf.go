package sandbox

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
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

// stampBody returns body with the server's id and meta.versionId and meta.lastUpdated, every other byte as it was.
func stampBody(body []byte, id string, n int, at time.Time) ([]byte, error) {
	members, err := topLevel(body)
	if err != nil {
		return nil, err
	}
	meta := map[string]json.RawMessage{}
	var out bytes.Buffer
	out.WriteByte('{')
	fmt.Fprintf(&out, `"resourceType":%s,"id":%q`, members.value("resourceType"), id)
	if old := members.value("meta"); old != nil {
		if err := json.Unmarshal(old, &meta); err != nil {
			return nil, fmt.Errorf("read meta: %w", errNoResource)
		}
	}
	meta["versionId"] = json.RawMessage(strconv.Quote(strconv.Itoa(n)))
	meta["lastUpdated"] = json.RawMessage(strconv.Quote(at.UTC().Format(instant)))
	written, err := json.Marshal(meta)
	if err != nil {
		return nil, fmt.Errorf("write meta: %w", err)
	}
	out.WriteString(`,"meta":`)
	out.Write(written)
	for _, m := range members {
		switch m.name {
		case "resourceType", "id", "meta":
		default:
			out.WriteByte(',')
			out.Write(m.whole)
		}
	}
	out.WriteByte('}')
	return out.Bytes(), nil
}

// member is one member of a JSON object, as written.
type member struct {
	name  string
	value json.RawMessage
	whole []byte // `"name": value`
}

type memberList []member

func (l memberList) value(name string) json.RawMessage {
	for _, m := range l {
		if m.name == name {
			return m.value
		}
	}
	return nil
}

// topLevel takes one JSON object with a resourceType apart, members in the order and the bytes they were written in.
func topLevel(body []byte) (memberList, error) {
	if !json.Valid(body) {
		return nil, errNoResource
	}
	dec := json.NewDecoder(bytes.NewReader(body))
	if open, err := dec.Token(); err != nil || open != json.Delim('{') {
		return nil, errNoResource
	}
	var members memberList
	for dec.More() {
		before := dec.InputOffset()
		name, err := dec.Token()
		if err != nil {
			return nil, errNoResource
		}
		var value json.RawMessage
		if err := dec.Decode(&value); err != nil {
			return nil, errNoResource
		}
		whole := bytes.TrimLeft(body[before:dec.InputOffset()], ", \t\r\n")
		members = append(members, member{name: name.(string), value: value, whole: whole})
	}
	if members.value("resourceType") == nil {
		return nil, errNoResource
	}
	return members, nil
}

func typeOf(body []byte) (string, error) { return textMember(body, "resourceType") }

func idOf(body []byte) string {
	id, err := textMember(body, "id")
	if err != nil {
		return ""
	}
	return id
}

func textMember(body []byte, name string) (string, error) {
	members, err := topLevel(body)
	if err != nil {
		return "", err
	}
	var text string
	if err := json.Unmarshal(members.value(name), &text); err != nil {
		return "", errNoResource
	}
	return text, nil
}
