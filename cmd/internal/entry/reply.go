package entry

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/kaphub/kaphub/connectors/desk"
	"github.com/kaphub/kaphub/fhir"
)

// Pasted is what a prescriber's message says of one client.
type Pasted struct {
	desk.Reply
	Nameless bool     // it names no client: whoever compares knows whom it is about
	GoesOn   bool     // lines stand right below an answer, or beside the block, that were taken for none of it
	Others   []string // the hub keys of those of whom it tells too, which is still to be entered
}

// Called is a client whose whole name stands in a text.
type Called struct {
	Client string
	Name   string // in plain letters, to be compared with: it is shown to nobody
}

// Stranger is what Read answers of a message that is not about this client. It repeats nothing of it but hub keys.
type Stranger struct {
	Keys []string // whom it names, as far as the hub knows them
	Why  []string // what does not fit
}

func (s Stranger) Error() string {
	return "the message is not about this client: " + strings.Join(s.Why, ", ") + "; nothing was read from it: open the form of the client whom it is about"
}

// ErrNoReply is what Read answers of a message without a block that is filled in.
var ErrNoReply = errors.New("the message has no reply block that is filled in, so nothing was read from it: enter by hand what it says. Such a block is lines like STATUS: cleared, VALID-TO: 2027-05-31, LIMITS: BP 140/90")

// Read takes from a prescriber's message what it says of this client: of several blocks the one below their hub key. A message
// that names somebody else is a Stranger's. called finds those of the practice's clients whose whole name stands in a text.
func (a About) Read(text string, called func(text string) ([]Called, error)) (p Pasted, err error) {
	blocks, beside := desk.Blocks(text)
	blocks = slices.DeleteFunc(blocks, func(b desk.Block) bool { return !b.Filled() })
	var mine desk.Block
	switch len(blocks) {
	case 0:
		return p, ErrNoReply
	case 1:
		mine = blocks[0]
		switch parts := partsOf(mine.Head); {
		case len(parts) > 0: // the draft of the day, in which a block was filled in for one client
			beside = parts[len(parts)-1]
			p.answered(parts)
		case len(keysIn(mine.Head)) > 0:
			beside = mine.Head
		}
	default:
		if mine, err = a.own(blocks, &p); err != nil {
			return p, err
		}
		beside = mine.Head
	}
	who, err := called(beside)
	if err != nil {
		return p, err
	}
	if p.Nameless, err = a.about(beside, who); err != nil {
		return p, err
	}
	p.GoesOn = p.GoesOn || mine.GoesOn()
	if p.Reply, err = mine.Read(); err != nil {
		return p, err
	}
	if _, err := maybeDate(a.Clock(), p.ValidTo); err != nil {
		return p, fmt.Errorf("VALID-TO %w, with nothing behind it, or none", err)
	}
	return p, nil
}

// heads is the line with which a client's part of a day's draft begins.
var heads = regexp.MustCompile(`(?m)^\d+\. .*\(c-[0-9a-z]+\)`)

// partsOf are the parts of a day's draft, a client's each; none of a text that is no draft.
func partsOf(text string) (parts []string) {
	at := heads.FindAllStringIndex(text, -1)
	for i, m := range at {
		end := len(text)
		if i+1 < len(at) {
			end = at[i+1][0]
		}
		parts = append(parts, text[m[0]:end])
	}
	return parts
}

// answers is a question's answer in a day's draft that is no longer what the draft itself says there.
var answers = regexp.MustCompile(`(?m)^ANSWER:[ \t]*[^\s(]`)

// answered notes what is answered beside the block in the last of a draft's parts: of others, whom it tells of; of this client,
// that there are lines which are taken for none of the block.
func (p *Pasted) answered(parts []string) {
	for i, part := range parts {
		if !answers.MatchString(part) {
			continue
		}
		if i == len(parts)-1 {
			p.GoesOn = true
			continue
		}
		for _, k := range keysIn(part) {
			if !slices.Contains(p.Others, k) {
				p.Others = append(p.Others, k)
			}
		}
	}
}

// maybeDate reads a date that may be left out.
func maybeDate(c Clock, word string) (string, error) {
	if word == "" {
		return "", nil
	}
	return c.Date(word)
}

// own is the one of several blocks that stands below this client's key; the others are noted.
func (a About) own(blocks []desk.Block, p *Pasted) (desk.Block, error) {
	var mine []desk.Block
	for _, b := range blocks {
		parts := partsOf(b.Head)
		if len(parts) > 0 {
			b.Head = parts[len(parts)-1]
		}
		keys := keysIn(b.Head)
		if slices.Equal(keys, []string{a.Chart.Client}) {
			p.answered(parts)
			mine = append(mine, b)
			continue
		}
		for _, k := range keys {
			if k != a.Chart.Client && !slices.Contains(p.Others, k) {
				p.Others = append(p.Others, k)
			}
		}
	}
	switch len(mine) {
	case 0:
		return desk.Block{}, Stranger{p.Others, []string{fmt.Sprintf("it has %d reply blocks, and none below the hub key of this client (%s)", len(blocks), a.Chart.Client)}}
	case 1:
		return mine[0], nil
	}
	return desk.Block{}, errors.New("the message has two reply blocks for this client, so nothing was read from it: look which one counts, and enter that one by hand")
}

// about asks whether a text is about this client: nameless when it names nobody, a Stranger when it names somebody else.
func (a About) about(text string, called []Called) (nameless bool, err error) {
	var s Stranger
	names, born := a.identity()
	nameless = !slices.ContainsFunc(fhir.Now(a.Chart.Patients), func(p fhir.Seen[fhir.Patient]) bool { return CalledIn(text, p.Value) != "" })
	other := func(key, why string) {
		s.Why = append(s.Why, why)
		if key != "" && !slices.Contains(s.Keys, key) {
			s.Keys = append(s.Keys, key)
		}
	}
	for _, k := range keysIn(text) {
		if nameless = nameless && k != a.Chart.Client; k != a.Chart.Client {
			other(k, "it names the hub key "+k)
		}
	}
	for _, c := range called {
		if c.Client != a.Chart.Client && !slices.ContainsFunc(names, func(n []string) bool { return strings.Join(n, " ") == c.Name }) {
			other(c.Client, "it bears the name of another client ("+c.Client+")")
		}
	}
	if initials := initialsIn(text); len(initials) > 0 && len(names) > 0 {
		if fits := slices.ContainsFunc(initials, func(i string) bool { return abbreviates(i, names) }); fits {
			nameless = false
		} else {
			other("", "it names other initials")
		}
	}
	if dates := birthsIn(text, a.Now); len(dates) > 0 && len(born) > 0 {
		for _, days := range dates {
			fits := slices.ContainsFunc(days, func(d string) bool {
				return slices.ContainsFunc(born, func(b string) bool { return strings.HasPrefix(b, d) })
			})
			switch {
			case !fits && len(days[0]) == len("2006"):
				other("", "it names another year of birth")
			case !fits:
				other("", "it names another birth date")
			case len(days[0]) > len("2006"):
				nameless = false
			}
		}
	}
	if len(s.Why) > 0 {
		s.Why = slices.Compact(s.Why)
		return false, s
	}
	return nameless, nil
}

// identity is by what names, word by word in plain letters, and birth dates the client is known.
func (a About) identity() (names [][]string, born []string) {
	for _, p := range fhir.Now(a.Chart.Patients) {
		if p.Value.BirthDate != nil {
			born = append(born, *p.Value.BirthDate)
		}
		names = append(names, namesOf(p.Value)...)
	}
	return names, born
}

// namesOf are a patient's names, word by word in plain letters: each given name before the family's, and names that are written whole.
func namesOf(p *fhir.Patient) (all [][]string) {
	for _, n := range p.Name {
		if n.Family != nil {
			for _, given := range n.Given {
				all = append(all, append(wordsOf(given), wordsOf(*n.Family)...))
			}
		}
		if n.Text != nil {
			all = append(all, wordsOf(*n.Text))
		}
	}
	return slices.DeleteFunc(all, func(words []string) bool { return len(words) < 2 })
}

// wordsOf are the words of a text in plain letters.
func wordsOf(text string) (words []string) {
	for _, w := range strings.FieldsFunc(text, func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsMark(r) && r != '\'' && r != '’' && r != '-'
	}) {
		if w = fhir.PlainName(w); w != "" {
			words = append(words, w)
		}
	}
	return words
}

// CalledIn returns the name by which a text calls a patient, "" when their whole name does not stand in it: the given name
// before the family's, with one more between at most, or behind it.
func CalledIn(text string, p *fhir.Patient) string {
	words := wordsOf(text)
	for _, name := range namesOf(p) {
		given, family := name[:1], name[1:]
		for i := range words {
			starts := func(at int, part []string) bool {
				return at+len(part) <= len(words) && slices.Equal(words[at:at+len(part)], part)
			}
			if starts(i, given) && (starts(i+1, family) || starts(i+2, family)) || starts(i, family) && starts(i+len(family), given) {
				return strings.Join(name, " ")
			}
		}
	}
	return ""
}

var hubKey = regexp.MustCompile(`\bc-[0-9a-hjkmnp-tv-z]{10}\b|\(c-[0-9a-z]+\)|(?mi:^[ \t]*CLIENT:[ \t]*c-[0-9a-z]+)`)

// keysIn are the hub keys that a text names, each once.
func keysIn(text string) (keys []string) {
	for _, k := range hubKey.FindAllString(text, -1) {
		if k = strings.Trim(k[strings.Index(k, "c-"):], "()"); !slices.Contains(keys, k) {
			keys = append(keys, k)
		}
	}
	return keys
}

// initialsAre initials as a draft names a client, or as people do: "H.T., born 2002", "about H.T.".
var initialsAre = regexp.MustCompile(`((?:\p{Lu}\.){2,5}),?\s*(?:\(|(?i:born|dob))|(?i:\bre:|\bfor|\babout|\bclient|\bpatient)\s+((?:\p{Lu}\.){2,5})`)

func initialsIn(text string) (all []string) {
	for _, m := range initialsAre.FindAllStringSubmatch(text, -1) {
		all = append(all, strings.ToLower(strings.ReplaceAll(m[1]+m[2], ".", "")))
	}
	return all
}

// abbreviates reports whether initials are those of one of the names: the first and the last of them are enough.
func abbreviates(initials string, names [][]string) bool {
	letter := func(word string) string {
		_, n := utf8.DecodeRuneInString(word)
		return fhir.PlainName(word[:n])
	}
	last, _ := utf8.DecodeLastRuneInString(initials)
	return slices.ContainsFunc(names, func(name []string) bool {
		return letter(name[0]) == letter(initials) && letter(name[len(name)-1]) == fhir.PlainName(string(last))
	})
}

const aDate = `\d{4}-\d{1,2}-\d{1,2}|\d{1,2}[/.]\d{1,2}[/.]\d{2,4}|\d{1,2}\.? \p{L}{3,9}\.?,? \d{4}|\p{L}{3,9}\.? \d{1,2},? \d{4}`

var (
	birthIs = regexp.MustCompile(`(?i)\b(?:d\.?o\.?b\.?|born|birth ?da(?:te|y)|date of birth)[\s:.()]*(?:on |in )?(` + aDate + `|\d{4}\b)`)
	someDay = regexp.MustCompile(`\b(?:` + aDate + `)\b`)
)

// grown is how long ago a date must lie to be taken for a birth date where nothing says that it is one.
const grown = 12

// birthsIn are the birth dates that a text names, each as the days that it may mean, or as a year.
func birthsIn(text string, now time.Time) (all [][]string) {
	for _, m := range birthIs.FindAllStringSubmatch(text, -1) {
		if len(m[1]) == len("2006") {
			all = append(all, []string{m[1]})
		} else if days := daysOf(m[1], now); len(days) > 0 {
			all = append(all, days)
		}
	}
	for _, word := range someDay.FindAllString(text, -1) {
		if days := daysOf(word, now); len(days) > 0 && slices.Max(days) < now.AddDate(-grown, 0, 0).Format(time.DateOnly) {
			all = append(all, days)
		}
	}
	return all
}

// daysOf are the days that a written date may mean, month or day first; of a year in two digits that is to come, the one a
// hundred years before too.
func daysOf(word string, now time.Time) (days []string) {
	word = strings.Join(strings.Fields(strings.NewReplacer(".", " ", ",", " ", "/", " ").Replace(word)), " ")
	for _, form := range []string{"2006-1-2", "1 2 2006", "2 1 2006", "1 2 06", "2 1 06", "2 Jan 2006", "2 January 2006", "Jan 2 2006", "January 2 2006"} {
		t, err := time.Parse(form, word)
		if err != nil {
			continue
		}
		days = append(days, t.Format(time.DateOnly))
		if t.After(now) && strings.HasSuffix(form, "06") && !strings.HasSuffix(form, "2006") {
			days = append(days, t.AddDate(-100, 0, 0).Format(time.DateOnly))
		}
	}
	return days
}
