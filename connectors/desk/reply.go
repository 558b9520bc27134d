package desk

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
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
// behind; in a message whom it is about stands in the line above it, and ReplyEnd below it.
const ReplyBlock = `STATUS: (cleared / cleared-with-conditions / deferred / not-cleared / withdrawn)
VALID-TO: (a date, or none)
LIMITS: (BP 140/90, HR 100, or none)
CONDITIONS: (with ; between them, or none)
SESSIONS: (6 in all, 1 a week, 7 days apart, office, or none)
DIRECTIONS: (only if they change, word for word)`

// ReplyEnd is the line at which a block ends: what stands below it belongs to no answer.
const ReplyEnd = "END"

// ReplyLike shows whoever pasted none what a block looks like.
const ReplyLike = "STATUS: cleared\nVALID-TO: 2027-05-31\nLIMITS: BP 140/90, HR 100"

// hint is what the block itself says of an answer.
var hint = regexp.MustCompile(`^\([^)]*\)`)

// quoteMarks are how a mail program quotes a line.
var quoteMarks = regexp.MustCompile(`^[ \t>|]+`)

// farewell is a line at which every answer ends: the block's own end, the mark of a signature, or a telephone's own words.
var farewell = regexp.MustCompile(`^(?:END\b.*|--+|__+|(?i:sent from my ).*)$`)

// replyKeys are the keys of a block: at the beginning of a line as somebody writes them, within a line in capital letters.
var replyKeys = regexp.MustCompile(`(?:^(?i:(STATUS|VALID[- ]TO|LIMITS|CONDITIONS|SESSIONS|DIRECTIONS|DECIDED BY(?:, DATE)?))|\b(STATUS|VALID[- ]TO|LIMITS|CONDITIONS|SESSIONS|DIRECTIONS))\s*:`)

// Block is one reply block of a message.
type Block struct {
	Head    string // what stands before it, behind the block before: whom it is about
	answers []answer
}

type answer struct {
	key   string
	lines []string // what stands behind the key, and below it up to where the paragraph ends
	sure  int      // how many of them are the answer's beyond doubt
	depth int      // how deep it is quoted
}

// Blocks finds the reply blocks in a message, filled in or not. beside is what stands in none of them.
func Blocks(text string) (all []Block, beside string) {
	var head, around strings.Builder
	aside := func(line string) {
		if line = strings.TrimSpace(line); line != "" {
			head.WriteString(line + "\n")
			around.WriteString(line + "\n")
		}
	}
	open := false // the last answer may go on in this line
	text = strings.ReplaceAll(strings.ReplaceAll(text, "\r\n", "\n"), "\r", "\n")
	for line := range strings.SplitSeq(text, "\n") {
		marks := quoteMarks.FindString(line)
		depth := strings.Count(marks, ">") + strings.Count(marks, "|")
		line = strings.TrimSpace(line[len(marks):])
		keys := replyKeys.FindAllStringSubmatchIndex(line, -1)
		if len(keys) == 0 {
			open = open && line != "" && !farewell.MatchString(line)
			if !open || !all[len(all)-1].answers[len(all[len(all)-1].answers)-1].goesOn(line, depth) {
				aside(line)
			}
			continue
		}
		aside(line[:keys[0][0]])
		for i, k := range keys {
			end := len(line)
			if i+1 < len(keys) {
				end = keys[i+1][0]
			}
			key := keyOf(line, k)
			if len(all) == 0 || all[len(all)-1].closedTo(key, depth) {
				all, open = append(all, Block{Head: head.String()}), false
				head.Reset()
			}
			b := &all[len(all)-1]
			if open { // what stood between two keys was the first one's
				above := &b.answers[len(b.answers)-1]
				above.sure = len(above.lines)
			}
			b.answers = append(b.answers, answer{key: key, lines: []string{strings.TrimSpace(hint.ReplaceAllString(strings.TrimSpace(line[k[1]:end]), ""))}, sure: 1, depth: depth})
			open = true
		}
	}
	return all, around.String()
}

// keyOf is the key of a match, as ReplyBlock writes it.
func keyOf(line string, at []int) string {
	from, to := at[2], at[3]
	if from < 0 {
		from, to = at[4], at[5]
	}
	key := strings.ToUpper(strings.ReplaceAll(line[from:to], " ", "-"))
	if strings.HasPrefix(key, "DECIDED") {
		return "DECIDED-BY"
	}
	return key
}

// closedTo reports whether a key begins another block: a status where this one has one, or what it has at another depth.
func (b *Block) closedTo(key string, depth int) bool {
	return slices.ContainsFunc(b.answers, func(a answer) bool { return a.key == key && (key == "STATUS" || a.depth != depth) })
}

// goesOn takes the line below an answer, and reports whether it is the answer's beyond doubt: it reads on where the line above
// broke off, as a signature does not.
func (a *answer) goesOn(line string, depth int) bool {
	if depth != a.depth {
		return false
	}
	above := a.lines[len(a.lines)-1]
	a.lines = append(a.lines, line)
	first, _ := utf8.DecodeRuneInString(line)
	last := above[strings.LastIndex(above, " ")+1:]
	reads := unicode.IsLower(first) || unicode.IsDigit(first) || strings.HasSuffix(above, ",") || strings.HasSuffix(above, ";") || slices.Contains([]string{"and", "or", "the", "a", "of"}, last)
	if !reads || a.none() || a.sure != len(a.lines)-1 {
		return false
	}
	a.sure++
	return true
}

// none reports whether nothing is answered: then no line below is the answer either.
func (a *answer) none() bool {
	return a.lines[0] == "" || a.key == "DIRECTIONS" && unchanged(a.lines[0])
}

// said is what the answer says, on one line.
func (a *answer) said() string {
	if a.none() {
		return ""
	}
	return strings.Join(strings.Fields(strings.Join(a.lines[:a.sure], " ")), " ")
}

// Filled reports whether anything is filled in.
func (b Block) Filled() bool {
	return slices.ContainsFunc(b.answers, func(a answer) bool { return a.lines[0] != "" })
}

// GoesOn reports whether lines stand right below an answer that were taken for none of it: whoever compares looks at them.
func (b Block) GoesOn() bool {
	return slices.ContainsFunc(b.answers, func(a answer) bool { return a.sure < len(a.lines) && (a.lines[0] == "" || !a.none()) })
}

// Read reads the block. An answer that cannot be read is an error that names its line and never repeats it: nothing is
// guessed.
func (b Block) Read() (Reply, error) {
	var r Reply
	seen := map[string]bool{}
	for _, a := range b.answers {
		text := a.said()
		if text == "" {
			continue
		}
		if seen[a.key] {
			return r, fmt.Errorf("%s stands there twice: paste one reply at a time", a.key)
		}
		seen[a.key] = true
		if err := r.take(a.key, text); err != nil {
			return r, fmt.Errorf("%s %w", a.key, err)
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
	case "DECIDED-BY":
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
