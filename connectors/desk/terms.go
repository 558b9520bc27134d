package desk

import (
	"errors"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/exchange"
)

// Spacing is how many dosing sessions a decision allows, how far apart and where. The zero Spacing limits nothing.
type Spacing struct {
	InAll  int      // under this decision, at most
	Weekly int      // in any seven days, at most
	Apart  int      // days between sessions, at least
	Places []string // codes of v3-ActCode: the office, remote, at home
}

var (
	spacingInAll = regexp.MustCompile(`(?i)^(?:for |at most |up to |max )?(\d{1,3}|one|two|three|four|five|six|seven|eight|nine|ten|twelve)(?: sessions?)?(?: in all| in total| altogether)?$`)
	spacingWeek  = regexp.MustCompile(`(?i)^(?:at most |up to |max )?(\d|once|twice|one|two|three)(?: sessions?)? (?:a|per|every|each) week$`)
	spacingApart = regexp.MustCompile(`(?i)^(?:at least )?(\d{1,3}) ?(d|days?|w|wks?|weeks?) (?:apart|between)(?: sessions)?$`)
	spacingPlace = map[string]string{"office": fhir.ActOffice, "in the office": fhir.ActOffice, "office only": fhir.ActOffice, "remote": fhir.ActRemote, "home": fhir.ActHome, "at home": fhir.ActHome}
)

// counted are the numbers that people write as words.
var counted = map[string]int{"once": 1, "twice": 2, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10, "twelve": 12}

// ParseSpacing reads what a decision says of sessions as people write it: "6 in all, 1 a week, 7 days apart, office". ""
// and "none" limit nothing.
func ParseSpacing(text string) (s Spacing, err error) {
	if strings.EqualFold(strings.TrimSpace(text), "none") {
		return s, nil
	}
	for _, part := range regexp.MustCompile(`[,;]|\band\b|\bor\b`).Split(text, -1) {
		part = strings.Trim(strings.TrimSpace(part), ".")
		number := func(m []string) int { n, _ := strconv.Atoi(m[1]); return max(n, counted[strings.ToLower(m[1])]) } // digits or a word, by the pattern
		switch m := spacingApart.FindStringSubmatch(part); {
		case part == "":
		case m != nil:
			if s.Apart = number(m); strings.HasPrefix(strings.ToLower(m[2]), "w") {
				s.Apart *= 7
			}
		case spacingWeek.MatchString(part):
			s.Weekly = number(spacingWeek.FindStringSubmatch(part))
		case spacingInAll.MatchString(part):
			s.InAll = number(spacingInAll.FindStringSubmatch(part))
		case spacingPlace[strings.ToLower(part)] != "":
			if place := spacingPlace[strings.ToLower(part)]; !slices.Contains(s.Places, place) {
				s.Places = append(s.Places, place)
			}
		default:
			return Spacing{}, errors.New("cannot be read: write it like 6 in all, 1 a week, 7 days apart, office")
		}
	}
	return s, nil
}

// components are the parts of a decision that say so.
func (s Spacing) components() (parts []object) {
	item := func(code string) object { return concept(fhir.SystemClearanceItem, code) }
	if s.InAll > 0 {
		parts = append(parts, object{"code": item(fhir.ItemSessions), "valueInteger": s.InAll})
	}
	if s.Weekly > 0 {
		parts = append(parts, object{"code": item(fhir.ItemWeekly), "valueInteger": s.Weekly})
	}
	if s.Apart > 0 {
		parts = append(parts, object{"code": item(fhir.ItemInterval), "valueQuantity": object{"value": s.Apart, "unit": "days", "system": fhir.SystemUCUM, "code": "d"}})
	}
	for _, place := range s.Places {
		parts = append(parts, object{"code": item(fhir.ItemSetting), "valueCodeableConcept": concept(fhir.SystemActCode, place)})
	}
	return parts
}

// Condition says how a condition of a decision stands by the prescriber's word: met, or open again. decision is the version
// that counts, condition its words.
func (b Book) Condition(n Note, decision *fhir.Version, condition string, met bool) ([]exchange.Slip, error) {
	if err := n.check(); err != nil {
		return nil, err
	}
	if strings.TrimSpace(condition) == "" {
		return nil, errors.New("which condition is missing")
	}
	status := "requested"
	if met {
		status = "completed"
	}
	d := b.draft(n, b.Prescriber, KindCondition)
	d.add("Task", d.id("condition"), nil, object{
		"status": status, "intent": "order", "code": concept(fhir.SystemKAP, fhir.CodeCondition), "description": condition,
		"focus": at(decision), "for": d.patient(), "lastModified": instant(n.told()),
	})
	return slips(d)
}
