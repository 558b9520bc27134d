package fhir

import "unicode/utf8"

// scanner reads JSON by its grammar (RFC 8259), one pass, and refuses what is not.
type scanner struct {
	*tree
	pos   int
	depth int
}

func (s *scanner) space() {
	for s.pos < len(s.body) {
		switch s.body[s.pos] {
		case ' ', '\t', '\n', '\r':
			s.pos++
		default:
			return
		}
	}
}

func (s *scanner) next() byte {
	if s.pos < len(s.body) {
		return s.body[s.pos]
	}
	return 0
}

func (s *scanner) value(keyFrom, keyTo int, keyEscaped bool) (reason string) {
	i := len(s.nodes)
	s.nodes = append(s.nodes, node{from: int32(s.pos), keyFrom: int32(keyFrom), keyTo: int32(keyTo), keyEscaped: keyEscaped})
	switch c := s.next(); {
	case c == '{':
		s.nodes[i].kind = object
		reason = s.members('}', true)
	case c == '[':
		s.nodes[i].kind = array
		reason = s.members(']', false)
	case c == '"':
		var escaped bool
		escaped, reason = s.text()
		s.nodes[i].kind, s.nodes[i].escaped = text, escaped
	case c == '-' || '0' <= c && c <= '9':
		s.nodes[i].kind = number
		reason = s.number()
	case c == 't':
		s.nodes[i].kind = boolean
		reason = s.word("true")
	case c == 'f':
		s.nodes[i].kind = boolean
		reason = s.word("false")
	case c == 'n':
		s.nodes[i].kind = null
		reason = s.word("null")
	default:
		reason = ReasonNotJSON
	}
	if reason == "" {
		s.nodes[i].to, s.nodes[i].end = int32(s.pos), int32(len(s.nodes))
	}
	return reason
}

// members reads what stands between brackets, to closing.
func (s *scanner) members(closing byte, keyed bool) (reason string) {
	if s.depth++; s.depth > maxDepth {
		return ReasonTooDeep
	}
	s.pos++
	s.space()
	if s.next() == closing {
		s.pos++
		s.depth--
		return ""
	}
	for {
		var from, to int
		var escaped bool
		if keyed {
			if s.next() != '"' {
				return ReasonNotJSON
			}
			from = s.pos + 1
			if escaped, reason = s.text(); reason != "" {
				return reason
			}
			to = s.pos - 1
			s.space()
			if s.next() != ':' {
				return ReasonNotJSON
			}
			s.pos++
			s.space()
		}
		if reason := s.value(from, to, escaped); reason != "" {
			return reason
		}
		s.space()
		switch s.next() {
		case ',':
			s.pos++
			s.space()
		case closing:
			s.pos++
			s.depth--
			return ""
		default:
			return ReasonNotJSON
		}
	}
}

func (s *scanner) word(w string) string {
	if len(s.body)-s.pos < len(w) || string(s.body[s.pos:s.pos+len(w)]) != w {
		return ReasonNotJSON
	}
	s.pos += len(w)
	return ""
}

func (s *scanner) number() string {
	if s.next() == '-' {
		s.pos++
	}
	if s.next() == '0' {
		s.pos++
	} else if !s.digits() {
		return ReasonNotJSON
	}
	if s.next() == '.' {
		s.pos++
		if !s.digits() {
			return ReasonNotJSON
		}
	}
	if c := s.next(); c == 'e' || c == 'E' {
		s.pos++
		if c := s.next(); c == '+' || c == '-' {
			s.pos++
		}
		if !s.digits() {
			return ReasonNotJSON
		}
	}
	return ""
}

func (s *scanner) digits() bool {
	from := s.pos
	for c := s.next(); '0' <= c && c <= '9'; c = s.next() {
		s.pos++
	}
	return s.pos > from
}

// ordinary are the bytes of a string that need no second look: most of what there is to read.
var ordinary = func() (set [256]bool) {
	for c := ' '; c < utf8.RuneSelf; c++ {
		set[c] = c != '"' && c != '\\'
	}
	return set
}()

// text reads a string from its opening to behind its closing quote.
func (s *scanner) text() (escaped bool, reason string) {
	s.pos++
	body, from, wide := s.body, s.pos, false
	for p := from; p < len(body); p++ {
		c := body[p]
		if ordinary[c] {
			continue
		}
		switch {
		case c == '"':
			if wide && !utf8.Valid(body[from:p]) {
				return escaped, ReasonBadText
			}
			s.pos = p + 1
			return escaped, ""
		case c == '\\':
			escaped = true
			n := escapeLen(body[p:])
			if n == 0 {
				return escaped, ReasonBadText
			}
			p += n - 1
		case c < ' ':
			return escaped, ReasonBadText
		case c >= utf8.RuneSelf:
			wide = true
		}
	}
	return escaped, ReasonNotJSON
}
