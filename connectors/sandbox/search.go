package sandbox

import (
	"bytes"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

const pageParameter = "_page"

// query is a search, understood.
type query struct {
	conditions []condition
	count      int
	summary    bool // only the total is asked for
	newest     bool // newest first
	sorted     bool
}

// condition holds when one of its wanted values matches (values are or-ed, conditions and-ed).
type condition struct {
	parameter
	wanted []want
}

type want struct {
	prefix string // eq, ne, gt, ge, lt, le, sa, eb
	value
	anySystem bool
}

func (s *Server) search(base, typ string, form url.Values, fault *Fault) answer {
	if handle := form.Get(pageParameter); handle != "" {
		s.searches++
		p, ok := s.pages.find(handle)
		if !ok {
			return outcome(http.StatusGone, "expired", "the page is no longer kept: search again")
		}
		return s.page(base, p, fault)
	}
	if typ == "" {
		return outcome(http.StatusNotFound, "not-supported", "this server searches one type at a time")
	}
	q, refusal := s.understand(typ, form)
	if refusal != nil {
		return *refusal
	}
	s.searches++
	found := s.find(typ, q)
	if q.summary {
		return s.bundle("searchset", len(found), nil, []link{{"self", base + "/" + typ + "?" + form.Encode()}})
	}
	return s.page(base, page{
		typ: typ, self: base + "/" + typ + "?" + form.Encode(), rows: found, total: len(found), size: q.count,
	}, fault)
}

// matches is a search for a condition of a create.
func (s *Server) matches(typ string, form url.Values) ([]*version, *answer) {
	q, refusal := s.understand(typ, form)
	if refusal != nil {
		return nil, refusal
	}
	var found []*version
	for _, r := range s.shelf.order[typ] {
		if v := r.last(); !v.gone && q.holds(v) { // a server sees its own rows at once, even if its searches do not
			found = append(found, v)
		}
	}
	return found, nil
}

func (s *Server) find(typ string, q query) []*version {
	var found []*version
	for _, r := range s.shelf.order[typ] {
		if v := s.visible(r); v != nil && !v.gone && q.holds(v) {
			found = append(found, v)
		}
	}
	if q.sorted {
		slices.SortStableFunc(found, func(a, b *version) int {
			if q.newest {
				return b.at.Compare(a.at)
			}
			return a.at.Compare(b.at)
		})
	}
	return found
}

// visible returns the newest version that searches show already, nil if there is none.
func (s *Server) visible(r *row) *version {
	d := s.options.Dialect
	for _, v := range slices.Backward(r.versions) {
		counted := d.LateBy == 0 || v.seen+d.LateBy < s.searches
		passed := d.LateFor == 0 || !s.options.Now().Before(v.at.Add(d.LateFor))
		if v.gone || counted && passed {
			return v
		}
	}
	return nil
}

func (s *Server) understand(typ string, form url.Values) (query, *answer) {
	d := s.options.Dialect
	q := query{count: min(100, d.PageCap)}
	refuse := func(code, text string) (query, *answer) {
		a := outcome(http.StatusBadRequest, code, text)
		return q, &a
	}
	whose, linked := false, slices.Contains(d.ByLink, typ)
	parameters := parametersOf(typ, d)
	for name, values := range form {
		switch name {
		case "_count":
			n, err := strconv.Atoi(values[0])
			if err != nil || n < 0 {
				return refuse("value", "_count is no number")
			}
			q.count, q.summary = min(n, d.PageCap), q.summary || n == 0
			if d.PageSize > 0 && n > 0 {
				q.count = d.PageSize
			}
			continue
		case "_summary":
			if values[0] != "count" {
				return refuse("not-supported", "this server summarises by count only")
			}
			q.summary = true
			continue
		case "_sort":
			if values[0] != "_lastUpdated" && values[0] != "-_lastUpdated" {
				return refuse("not-supported", "this server sorts by _lastUpdated only")
			}
			if d.Sort == SortRefused {
				return refuse("not-supported", "this server does not sort")
			}
			q.sorted, q.newest = d.Sort == SortKept, values[0][0] == '-'
			continue
		case "_format", "_total":
			continue
		}
		i := slices.IndexFunc(parameters, func(p parameter) bool { return p.name == name })
		if i < 0 {
			if d.Lenient {
				continue
			}
			return refuse("not-supported", "this server does not search "+typ+" by "+safeName(name))
		}
		whose = whose || slices.Contains([]string{"patient", "subject", "_id", "identifier"}, name) || linked && parameters[i].kind == reference
		for _, v := range values {
			c, ok := understandCondition(parameters[i], v)
			if !ok {
				return refuse("value", "the value of "+name+" cannot be read")
			}
			if name == byLastUpdated.name && d.Prefixes != nil && slices.ContainsFunc(c.wanted, func(w want) bool { return !slices.Contains(d.Prefixes, w.prefix) }) {
				return refuse("value", "this server does not take that prefix of _lastUpdated")
			}
			q.conditions = append(q.conditions, c)
		}
	}
	if linked && !whose {
		return refuse("required", "this server searches "+typ+" for what it was made for only")
	}
	if d.PatientRequired && clinical(typ) && !whose {
		return refuse("required", "this server searches "+typ+" for one patient only")
	}
	return q, nil
}

// safeName returns a parameter's name when it looks like one: a query must not come back in an error.
func safeName(name string) string {
	for _, r := range name {
		if !strings.ContainsRune("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_:.", r) {
			return "that parameter"
		}
	}
	return name
}

func understandCondition(p parameter, text string) (condition, bool) {
	c := condition{parameter: p}
	for one := range strings.SplitSeq(text, ",") {
		if one == "" {
			return c, false
		}
		w := want{}
		switch p.kind {
		case token:
			system, code, bar := strings.Cut(one, "|")
			if !bar {
				system, code, w.anySystem = "", one, true
			}
			w.system, w.code = system, code
		case reference:
			w.code = plainReference(one)
		case date:
			w.prefix = "eq"
			if len(one) > 2 && strings.Contains(" eq ne gt ge lt le sa eb ", " "+one[:2]+" ") {
				w.prefix, one = one[:2], one[2:]
			}
			var ok bool
			if w.from, w.to, ok = moment(one); !ok {
				return c, false
			}
		}
		c.wanted = append(c.wanted, w)
	}
	return c, true
}

func (q query) holds(v *version) bool {
	for _, c := range q.conditions {
		if !c.holds(v) {
			return false
		}
	}
	return true
}

func (c condition) holds(v *version) bool {
	var values []value
	switch c.name {
	case byID.name:
		values = []value{{code: v.row.id}}
	case byLastUpdated.name:
		values = []value{{from: v.at, to: v.at.Add(time.Millisecond)}}
	default:
		values = v.index[c.name]
	}
	for _, have := range values {
		for _, w := range c.wanted {
			if w.matches(c, have) {
				return true
			}
		}
	}
	return false
}

func (w want) matches(c condition, have value) bool {
	switch c.kind {
	case token:
		return (w.code == "" || have.code == w.code) && (w.anySystem || have.system == w.system)
	case reference:
		if c.name == "patient" && !strings.Contains(have.code, "Patient/") {
			return false // an actor who is no patient
		}
		return have.code == w.code || !strings.Contains(w.code, "/") && strings.HasSuffix(have.code, "/"+w.code) && strings.Count(have.code, "/") == 1 ||
			strings.Contains(w.code, "://") && strings.HasSuffix(w.code, "/"+have.code)
	}
	switch w.prefix {
	case "gt":
		return have.to.After(w.to)
	case "ge":
		return have.to.After(w.from)
	case "lt":
		return have.from.Before(w.from)
	case "le":
		return have.from.Before(w.to)
	case "sa":
		return !have.from.Before(w.to)
	case "eb":
		return !have.to.After(w.from)
	case "ne":
		return have.from.Before(w.from) || have.to.After(w.to)
	}
	return !have.from.Before(w.from) && !have.to.After(w.to)
}

// link is a Bundle's link.
type link struct{ relation, url string }

// bundle writes a Bundle by hand, so that every record in it stays as it was written.
func (s *Server) bundle(typ string, total int, entries [][]byte, links []link) answer {
	var out bytes.Buffer
	out.WriteString(`{"resourceType":"Bundle","type":"` + typ + `"`)
	if !s.options.Dialect.NoClock {
		out.WriteString(`,"meta":{"lastUpdated":"` + s.options.Now().UTC().Format(instant) + `"}`)
	}
	if total >= 0 {
		out.WriteString(`,"total":` + strconv.Itoa(total))
	}
	for i, l := range links {
		out.WriteString([]string{`,"link":[`, `,`}[min(i, 1)])
		out.Write(mustJSON(object{"relation": l.relation, "url": l.url}))
	}
	if len(links) > 0 {
		out.WriteByte(']')
	}
	for i, e := range entries {
		out.WriteString([]string{`,"entry":[`, `,`}[min(i, 1)])
		out.Write(e)
	}
	if len(entries) > 0 {
		out.WriteByte(']')
	}
	out.WriteByte('}')
	return answer{status: http.StatusOK, body: out.Bytes()}
}
