package fhir

import (
	"bytes"
	"unicode/utf16"
	"unicode/utf8"
)

// escapeLen returns how many bytes the escape at the start of b takes, both halves of a surrogate pair together;
// 0 for what is none. Half a pair is no text: readers would each put something else in its place.
func escapeLen(b []byte) int {
	if len(b) < 2 {
		return 0
	}
	switch b[1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return 2
	case 'u':
		r, ok := hex4(b)
		switch {
		case !ok:
			return 0
		case !utf16.IsSurrogate(r):
			return 6
		}
		if low, ok := hex4(b[6:]); ok && utf16.DecodeRune(r, low) != utf8.RuneError {
			return 12
		}
	}
	return 0
}

// hex4 reads the four digits of a \uXXXX at the start of b.
func hex4(b []byte) (r rune, ok bool) {
	if len(b) < 6 || b[0] != '\\' || b[1] != 'u' {
		return 0, false
	}
	for _, c := range b[2:6] {
		switch {
		case '0' <= c && c <= '9':
			c -= '0'
		case 'a' <= c && c <= 'f':
			c -= 'a' - 10
		case 'A' <= c && c <= 'F':
			c -= 'A' - 10
		default:
			return 0, false
		}
		r = r<<4 | rune(c)
	}
	return r, true
}

// unescape appends to dst what the inside of a scanned string says.
func unescape(dst, inner []byte) []byte {
	for {
		p := bytes.IndexByte(inner, '\\')
		if p < 0 {
			return append(dst, inner...)
		}
		dst, inner = append(dst, inner[:p]...), inner[p:]
		n := escapeLen(inner)
		switch inner[1] {
		case 'b':
			dst = append(dst, '\b')
		case 'f':
			dst = append(dst, '\f')
		case 'n':
			dst = append(dst, '\n')
		case 'r':
			dst = append(dst, '\r')
		case 't':
			dst = append(dst, '\t')
		case 'u':
			r, _ := hex4(inner)
			if n == 12 {
				low, _ := hex4(inner[6:])
				r = utf16.DecodeRune(r, low)
			}
			dst = utf8.AppendRune(dst, r)
		default:
			dst = append(dst, inner[1])
		}
		inner = inner[n:]
	}
}

// escape appends plain with just the escapes that JSON demands.
func escape(dst, plain []byte) []byte {
	const digits = "0123456789abcdef"
	from := 0
	for p, c := range plain {
		if c >= ' ' && c != '"' && c != '\\' {
			continue
		}
		dst, from = append(dst, plain[from:p]...), p+1
		switch c {
		case '"', '\\':
			dst = append(dst, '\\', c)
		case '\n':
			dst = append(dst, `\n`...)
		case '\r':
			dst = append(dst, `\r`...)
		case '\t':
			dst = append(dst, `\t`...)
		default:
			dst = append(dst, '\\', 'u', '0', '0', digits[c>>4], digits[c&15])
		}
	}
	return append(dst, plain[from:]...)
}
