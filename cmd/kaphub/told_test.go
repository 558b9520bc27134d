package main

import (
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/kaphub/kaphub/config"
	"github.com/kaphub/kaphub/connectors/fhirrest"
	"github.com/kaphub/kaphub/connectors/folder"
	"github.com/kaphub/kaphub/connectors/ical"
)

// Every key that may be written stands in the example or in the README, and every command in the README.
func TestEveryKeyAndCommandIsTold(t *testing.T) {
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	text := string(readme) + string(config.Example)
	for _, typ := range []reflect.Type{reflect.TypeFor[config.Config](), reflect.TypeFor[fhirrest.Config](), reflect.TypeFor[folder.Config](), reflect.TypeFor[ical.Config]()} {
		for _, key := range keysOf(typ) {
			if !regexp.MustCompile(`\b` + key + "[`:]").MatchString(text) {
				t.Errorf("%s: neither the example nor the README tells of %s", typ, key)
			}
		}
	}
	for i, commands := 0, reflect.TypeFor[cli](); i < commands.NumField(); i++ {
		field := commands.Field(i)
		if _, ok := field.Tag.Lookup("cmd"); ok && !strings.Contains(string(readme), "kaphub "+strings.ToLower(field.Name)) {
			t.Errorf("the README does not tell of kaphub %s", strings.ToLower(field.Name))
		}
	}
}

// keysOf are the keys of a block of the config and of the blocks in it.
func keysOf(typ reflect.Type) (keys []string) {
	switch typ.Kind() {
	case reflect.Pointer, reflect.Slice:
		return keysOf(typ.Elem())
	case reflect.Struct:
		for i := range typ.NumField() {
			field := typ.Field(i)
			if key, ok := field.Tag.Lookup("yaml"); ok && key != "-" {
				keys = append(append(keys, key), keysOf(field.Type)...)
			} else if field.Name == "Value" { // of a line of the sheet
				keys = append(keys, keysOf(field.Type)...)
			}
		}
	}
	return keys
}
