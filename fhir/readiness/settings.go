package readiness

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"time"
)

// Setting is one setting of the rules as it is at present.
type Setting struct {
	Rules   []string `json:"rules"` // that go by it; empty = all
	Key     string   `json:"key"`   // as the config writes it
	Value   string   `json:"value"` // as the config writes it: "14d", "3"
	Unit    string   `json:"unit,omitempty"`
	Means   string   `json:"means"`
	Default string   `json:"default"`
}

// Settings returns every setting of the rules, in the order of the rules that go by it.
func (r Rules) Settings() []Setting {
	now, usual := reflect.ValueOf(r), reflect.ValueOf(DefaultRules())
	out := make([]Setting, 0, now.NumField())
	for i := range now.NumField() {
		tag := now.Type().Field(i).Tag
		out = append(out, Setting{Rules: strings.Fields(tag.Get("rule")), Key: tag.Get("key"), Unit: tag.Get("unit"), Means: tag.Get("means"),
			Value: written(now.Field(i).Interface()), Default: written(usual.Field(i).Interface())})
	}
	return out
}

// written is a setting's value as the config writes it.
func written(v any) string {
	switch v := v.(type) {
	case time.Duration:
		return Spelled(v)
	case []string:
		return strings.Join(v, ", ")
	}
	return fmt.Sprint(v)
}

// Spelled writes a length of time as the config does, in one unit: up to three days in hours, and longer ones in days.
func Spelled(d time.Duration) string {
	const day = 24 * time.Hour
	switch {
	case d == 0:
		return "0"
	case d%day == 0 && d > 3*day:
		return strconv.Itoa(int(d/day)) + "d"
	case d%time.Hour == 0:
		return strconv.Itoa(int(d/time.Hour)) + "h"
	case d%time.Minute == 0:
		return strconv.Itoa(int(d/time.Minute)) + "m"
	}
	return d.String()
}
