package fhir

import (
	"encoding/json"
	"testing"
)

func TestTheCanonicalForm(t *testing.T) {
	for from, want := range map[string]string{
		` { "b" : 1 , "a" : [ true , null ] } `: `{"a":[true,null],"b":1}`,
		`{"B":1,"a":2,"_a":3,"A":4}`:            `{"A":4,"B":1,"_a":3,"a":2}`,
		`[1.50, 1.5e0, -0, 1E+2]`:               `[1.50,1.5e0,-0,1E+2]`,
		`"\u003c\/\u00e9\ud83d\ude00\u0041"`:    `"</é😀A"`,
		`"\"\\\b\f\n\r\t\u0000\u001f\u000a"`:    `"\"\\\u0008\u000c\n\r\t\u0000\u001f\n"`,
		`{"\u0062":1,"a":{}}`:                   `{"a":{},"b":1}`,
		`[]`:                                    `[]`,
		`"{,"`:                                  `"{,"`,
		`[",", ","]`:                            `[",",","]`,
	} {
		got, err := Canonical([]byte(from))
		if err != nil || string(got) != want {
			t.Errorf("%s: got %s, %v, want %s", from, got, err, want)
		}
	}
	for _, twice := range []string{`{"a":1,"a":1}`, `{"a":1,"\u0061":1}`, `[{"x":{"a":1,"a":2}}]`} {
		if _, err := Canonical([]byte(twice)); err == nil {
			t.Errorf("%s has a canonical form", twice)
		}
	}
}

func TestTheGrammarIsTheStandardLibrarys(t *testing.T) {
	for _, s := range []string{
		``, ` `, `0`, `-0`, `-`, `+1`, `01`, `1.`, `.5`, `1.0`, `1e`, `1e5`, `1E-5`, `1e+`, `1.5.5`, `0x1`, `Infinity`,
		`true`, `tru`, `truee`, `false`, `fals`, `null`, `nul`, `nulll`, `True`,
		`""`, `"`, `"a`, `"\"`, `"\"`, `"\\"`, `"\u12"`, `"\u12g4"`, `"\u1234"`, `"\uABCD"`, `"\uabcd"`, `"\q"`, `"\`, "\"\t\"", "\"\x7f\"",
		`[`, `]`, `[]`, `[1`, `[1,`, `[1,]`, `[,1]`, `[1 2]`, `[[]]`, `[[]`,
		`{`, `}`, `{}`, `{"a"`, `{"a":`, `{"a":1`, `{"a":1,`, `{"a":1,}`, `{"a" 1}`, `{a:1}`, `{1:1}`, `{"a":1 "b":2}`, `{"a"::1}`,
		`1 2`, `{}{}`, `{} x`, "\v{}", "\u00a0{}", `/**/{}`, `{}//`,
	} {
		_, err := Canonical([]byte(s))
		if valid := json.Valid([]byte(s)); valid != (err == nil) {
			t.Errorf("%q: valid is %v, and we say %v", s, valid, err)
		}
	}
	for _, half := range []string{`"\ud83d"`, `"\ude00"`, `"\ud83d\u0041"`, `"\ud83dx"`, "\"\xc3\"", "\"\xed\xa0\x80\""} {
		if _, err := Canonical([]byte(half)); err == nil {
			t.Errorf("%q is half a character, and readers differ in what they make of it", half)
		}
	}
}
