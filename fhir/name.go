package fhir

import (
	"strings"
	"unicode"
)

// PlainName returns s in lower case with letters only and without their marks: "Müller-Łoś" is "mullerlos".
func PlainName(s string) string {
	var b strings.Builder
	for _, r := range strings.ToLower(s) {
		switch {
		case r < unicode.MaxASCII && unicode.IsLetter(r):
			b.WriteRune(r)
		case r < unicode.MaxASCII, unicode.Is(unicode.Mn, r):
		default:
			if to, ok := unmarked[r]; ok {
				b.WriteString(to)
			} else if unicode.IsLetter(r) {
				b.WriteRune(r)
			}
		}
	}
	return b.String()
}

// unmarked maps the marked Latin letters of European and Vietnamese names to plain ones.
var unmarked = func() map[rune]string {
	m := map[rune]string{'ß': "ss", 'æ': "ae", 'œ': "oe", 'þ': "th"}
	for to, marked := range map[string]string{
		"a": "àáâãäåāăąǎạảấầẩẫậắằẳẵặ", "c": "çćĉċč", "d": "ďđð", "e": "èéêëēĕėęěẹẻẽếềểễệ", "g": "ĝğġģ", "h": "ĥħ",
		"i": "ìíîïĩīĭįıỉị", "j": "ĵ", "k": "ķ", "l": "ĺļľŀł", "n": "ñńņňŉ", "o": "òóôõöøōŏőơọỏốồổỗộớờởỡợ",
		"r": "ŕŗř", "s": "śŝşšș", "t": "ţťŧț", "u": "ùúûüũūŭůűųưụủứừửữự", "w": "ŵ", "y": "ýÿŷỳỵỷỹ", "z": "źżž",
	} {
		for _, r := range marked {
			m[r] = to
		}
	}
	return m
}()

// soundOf writes how a plain name sounds, by the rules of Soundex (Russell and Odell's patents of 1918 and 1922): its
// first letter, and what the next three groups of consonants are. "meier" and "mayer" sound alike. A name that is not
// in Latin letters sounds as it is written.
func soundOf(name string) string {
	sound, last := []byte{}, byte(0)
	for i, r := range name {
		if r > unicode.MaxASCII {
			return name
		}
		group := groups[r-'a']
		switch {
		case i == 0:
			sound = append(sound, byte(r))
		case group == '-': // h and w do not part two consonants of one group
			continue
		case group != 0 && group != last && len(sound) < 4:
			sound = append(sound, group)
		}
		last = group
	}
	return string(sound)
}

// groups are the consonants that sound alike; 0 for a vowel, '-' for what is not heard.
var groups = func() (of [26]byte) {
	for i, letters := range []string{"bfpv", "cgjkqsxz", "dt", "l", "mn", "r"} {
		for _, c := range letters {
			of[c-'a'] = byte('1' + i)
		}
	}
	of['h'-'a'], of['w'-'a'] = '-', '-'
	return of
}()
