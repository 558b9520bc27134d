package sandbox

import (
	"bytes"
	"net/http"
	"slices"
	"strconv"
)

// pagesKept is how many pages a server keeps for clients that read on; the oldest is forgotten first.
const pagesKept = 1024

// page is what is left of a search's answer: the rows as they were when it was asked.
type page struct {
	typ   string
	self  string
	rows  []*version
	total int
	size  int
}

// pages are kept under opaque handles, each good for any number of readings.
type pages struct {
	kept map[string]page
	line []string
	n    int
}

func (p *pages) keep(rest page) string {
	if p.kept == nil {
		p.kept = map[string]page{}
	}
	p.n++
	handle := "p" + strconv.FormatUint(uint64(p.n)*2654435761%4294967296, 36) + "-" + strconv.Itoa(p.n)
	p.kept[handle] = rest
	if p.line = append(p.line, handle); len(p.line) > pagesKept {
		delete(p.kept, p.line[0])
		p.line = p.line[1:]
	}
	return handle
}

func (p *pages) find(handle string) (page, bool) {
	found, ok := p.kept[handle]
	return found, ok
}

// page answers with the first rows of p and a link to the rest.
func (s *Server) page(base string, p page, fault *Fault) answer {
	d := s.options.Dialect
	now := p.rows[:min(p.size, len(p.rows))]
	links := []link{{"self", p.self}}
	if rest := p.rows[len(now):]; len(rest) > 0 {
		if d.Repeats && p.size > 1 {
			rest = p.rows[len(now)-1:]
		}
		next := "?" + pageParameter + "=" + s.pages.keep(page{typ: p.typ, self: p.self, rows: rest, total: p.total, size: p.size})
		switch d.Links {
		case LinksAbsolute:
			next = base + "/" + next
		case LinksOfType:
			next = p.typ + next
		}
		links = append(links, link{"next", next})
	}
	if fault.is(LoopPages) {
		links = []link{{"self", p.self}, {"next", p.self}}
	}
	held := fault.is(WithholdRow) || slices.Contains(d.Withhold, p.typ)
	entries := make([][]byte, 0, len(now))
	for i, v := range now {
		if held && i == 0 {
			entries = append(entries, withheld)
			continue
		}
		entries = append(entries, entry(base, v, d))
	}
	if held && len(now) == 0 {
		entries = append(entries, withheld)
	}
	return s.bundle("searchset", d.Total.say(p.total), entries, links)
}

// say is what a page's total says of so many rows; negative: nothing.
func (t Totals) say(n int) int {
	switch t {
	case TotalEstimated:
		return n + 3
	case TotalAbsent:
		return -1
	}
	return n
}

func entry(base string, v *version, d Dialect) []byte {
	var out bytes.Buffer
	out.WriteString(`{"fullUrl":"` + base + "/" + v.row.typ + "/" + v.row.id + `","resource":`)
	out.Write(d.words(v.body))
	out.WriteString(`,"search":{"mode":"match"}}`)
	return out.Bytes()
}

// withheld is the entry that stands where a server does not show a row.
var withheld = mustJSON(object{
	"resource": object{"resourceType": "OperationOutcome", "issue": []object{{
		"severity": "warning", "code": "suppressed", "details": object{"text": "some rows are not shown"}}}},
	"search": object{"mode": "outcome"},
})

// history answers with every version of one record, newest first.
func (s *Server) history(base string, t target) answer {
	r := s.shelf.row(t.typ, t.id)
	if r == nil {
		return outcome(http.StatusNotFound, "not-found", "there is no such record")
	}
	var entries [][]byte
	for _, v := range slices.Backward(r.versions) {
		var out bytes.Buffer
		out.WriteString(`{"fullUrl":"` + base + "/" + t.typ + "/" + t.id + `"`)
		method, status := "PUT", "200"
		switch {
		case v.gone:
			method, status = "DELETE", "204"
		case v.n == 1:
			method, status = "POST", "201"
		}
		if !v.gone {
			out.WriteString(`,"resource":`)
			out.Write(v.body)
		}
		out.WriteString(`,"request":`)
		out.Write(mustJSON(object{"method": method, "url": t.typ + "/" + t.id}))
		out.WriteString(`,"response":`)
		out.Write(mustJSON(object{"status": status, "etag": v.etag(), "lastModified": v.at.UTC().Format(instant)}))
		out.WriteByte('}')
		entries = append(entries, out.Bytes())
	}
	return s.bundle("history", len(entries), entries, []link{{"self", base + "/" + t.typ + "/" + t.id + "/_history"}})
}
