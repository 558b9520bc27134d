package desk

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Reply is what a prescriber answered in a reply block. What it does not say is empty.
type Reply struct {
	Outcome    string
	ValidTo    string // as written; "none" for none
	Limits     []Limit
	NoLimits   bool // it says that there are none
	Conditions []string
	Sessions   string // as written; "none" for no limit
	Directions string
	Decider    string // who decided and when, as written: for whoever compares
}

// ReplyBlock is what a prescriber is asked to fill in and send back. On a packet CLIENT: stands before it and DECIDED BY, DATE:
// behind; whom it is about is for whoever enters it to say.
const ReplyBlock = `STATUS: (cleared / cleared-with-conditions / deferred / not-cleared / withdrawn)
VALID-TO: (a date, or none)
LIMITS: (BP 140/90, HR 100, or none)
CONDITIONS: (with ; between them, or none)
SESSIONS: (6 in all, 1 a week, 7 days apart, office, or none)
DIRECTIONS: (only if they change, word for word)`

// hint is what the block itself says of an answer.
var hint = regexp.MustCompile(`^\([^)]*\)`)

// farewell is where an answer ends and the letter goes on: a blank line, the mark of a signature, or a telephone's own words.
var farewell = regexp.MustCompile(`\n[ \t]*\n|\n--[ \t]*(?:\n|$)|\n(?i:sent from my )`)

var quoteMarks = regexp.MustCompile(`(?m)^[ \t>|]+`)

var replyKeys = regexp.MustCompile(`(?im)(\bSTATUS|\bVALID[- ]TO|\bLIMITS|\bCONDITIONS|\bSESSIONS|\bDIRECTIONS|^DECIDED BY(?:, DATE)?)\s*:`)

// ParseReply reads a reply block, on one line or on several, quoted or not. An answer that cannot be read is an error that
// names its line and never repeats it: nothing is guessed.
func ParseReply(text string) (Reply, error) {
	var r Reply
	text = strings.ReplaceAll(strings.ReplaceAll(text, "\r\n", "\n"), "\r", "\n")
	text = quoteMarks.ReplaceAllString(text, "")
	marks := replyKeys.FindAllStringSubmatchIndex(text, -1)
	if len(marks) == 0 {
		return r, errors.New("what was pasted holds no reply block: it begins with STATUS:")
	}
	seen := map[string]bool{}
	for i, m := range marks {
		end := len(text)
		if i+1 < len(marks) {
			end = marks[i+1][0]
		}
		key := strings.ToUpper(strings.ReplaceAll(text[m[2]:m[3]], " ", "-"))
		whole := farewell.Split(strings.TrimSpace(text[m[1]:end]), 2)[0]
		answer := strings.Join(strings.Fields(whole), " ")
		if first, _, _ := strings.Cut(whole, "\n"); key == "DIRECTIONS" && unchanged(first) {
			continue // what follows "none" is no part of them
		}
		if answer = strings.TrimSpace(hint.ReplaceAllString(answer, "")); answer == "" {
			continue // not filled in
		}
		if seen[key] {
			return r, fmt.Errorf("%s stands there twice: paste one reply at a time", key)
		}
		seen[key] = true
		if err := r.take(key, answer); err != nil {
			return r, fmt.Errorf("%s %w", key, err)
		}
	}
	return r, nil
}

// unchanged reports whether a line says that the directions stay as they are.
func unchanged(line string) bool {
	word := strings.ToLower(strings.Trim(hint.ReplaceAllString(strings.TrimSpace(line), ""), " .\r"))
	return slices.Contains([]string{"none", "same", "no", "no change", "unchanged", "n/a"}, word)
}

func (r *Reply) take(key, answer string) (err error) {
	none := strings.EqualFold(answer, "none") || strings.EqualFold(answer, "none given") || strings.EqualFold(answer, "n/a") || strings.EqualFold(answer, "no")
	switch key {
	case "STATUS":
		word := strings.ToLower(strings.Trim(answer, ". "))
		word = strings.NewReplacer(" ", "-", "_", "-").Replace(word)
		for _, o := range Outcomes {
			if word == o {
				r.Outcome = o
				return nil
			}
		}
		return errors.New("cannot be read: it must be cleared, cleared-with-conditions, deferred, not-cleared or withdrawn")
	case "VALID-TO":
		r.ValidTo = strings.Trim(answer, ".")
		if none {
			r.ValidTo = "none"
		}
	case "LIMITS":
		if r.NoLimits = none; !none {
			r.Limits, err = ParseLimits(answer)
		}
	case "CONDITIONS":
		if !none {
			for _, c := range strings.Split(answer, ";") {
				if c = strings.TrimSpace(c); c != "" {
					r.Conditions = append(r.Conditions, c)
				}
			}
		}
	case "SESSIONS":
		if r.Sessions = answer; none {
			r.Sessions = "none"
		}
		_, err = ParseSpacing(r.Sessions)
	case "DIRECTIONS":
		r.Directions = answer
	case "DECIDED-BY", "DECIDED-BY,-DATE":
		r.Decider = answer
	}
	return err
}

var (
	limitsParted  = regexp.MustCompile(`[,;]|\band\b`)
	limitPressure = regexp.MustCompile(`(?i)^(?:bp|blood pressure)?\s*(<|<=|≤|below|under|up to|max)?\s*(\d{2,3})\s*/\s*(\d{2,3})\s*(?:mm ?hg)?$`)
	limitOne      = regexp.MustCompile(`(?i)^(systolic|sbp|diastolic|dbp|heart[- ]rate|hr|pulse)\s*(?:=|:)?\s*(<|<=|≤|below|under|up to|max)?\s*(\d{2,3}(?:\.\d)?)\s*(mm ?hg|bpm|/min)?$`)
	limitNames    = map[string]string{"systolic": "systolic", "sbp": "systolic", "diastolic": "diastolic", "dbp": "diastolic",
		"heart-rate": "heart-rate", "heart rate": "heart-rate", "hr": "heart-rate", "pulse": "heart-rate"}
)

// ParseLimits reads upper limits as people write them: "BP 140/90, HR < 100", "systolic=140". "" and "none" are none.
func ParseLimits(text string) ([]Limit, error) {
	var all []Limit
	if strings.EqualFold(strings.TrimSpace(text), "none") {
		return nil, nil
	}
	for _, part := range limitsParted.Split(text, -1) {
		part = strings.Trim(strings.TrimSpace(part), ".")
		if part == "" {
			continue
		}
		number := func(s string) float64 { v, _ := strconv.ParseFloat(s, 64); return v } // digits, by the pattern
		below := func(s string) bool { return s == "<" || strings.EqualFold(s, "below") || strings.EqualFold(s, "under") }
		if m := limitPressure.FindStringSubmatch(part); m != nil {
			all = append(all, Limit{"systolic", number(m[2]), below(m[1])}, Limit{"diastolic", number(m[3]), below(m[1])})
			continue
		}
		m := limitOne.FindStringSubmatch(part)
		if m == nil {
			return nil, errors.New("cannot be read: write it like BP 140/90, HR 100")
		}
		of := limitNames[strings.ToLower(m[1])]
		if unit := strings.ToLower(m[4]); unit != "" && (of == "heart-rate") != (unit == "bpm" || unit == "/min") {
			return nil, errors.New("has a unit that does not fit: blood pressure is in mmHg, heart rate in bpm")
		}
		all = append(all, Limit{of, number(m[3]), below(m[2])})
	}
	return all, nil
}
