package config

import (
	"slices"
	"strings"

	"github.com/goccy/go-yaml/ast"
)

// broad is how long a list may be that stands on one line.
const broad = 100

// edited is the text with e made, where it can be made.
func (d *draft) edited(e Edit) (string, error) {
	steps, ok := stepsOf(e.Path)
	if !ok {
		return "", ErrEdit
	}
	at := spot{value: d.body}
	for i, step := range steps {
		next, found := at.into(step)
		if !found {
			if e.Text == "" && e.List == nil {
				return d.text, nil // it is not there
			}
			return d.add(at, steps[i:], e)
		}
		at = next
	}
	if e.Text == "" && e.List == nil {
		return d.remove(at)
	}
	return d.replace(at, e)
}

// step is a key, or with "" the index of an element.
type step struct {
	key   string
	index int
}

func stepsOf(path string) (all []step, ok bool) {
	for part := range strings.SplitSeq(path, ".") {
		key, rest, _ := strings.Cut(part, "[")
		if key == "" {
			return nil, false
		}
		all = append(all, step{key: key})
		for rest != "" {
			var number string
			number, rest, _ = strings.Cut(rest, "]")
			_, index, is := element("[" + number + "]")
			if !is {
				return nil, false
			}
			all = append(all, step{index: index})
			rest = strings.TrimPrefix(rest, "[")
		}
	}
	return all, true
}

// spot is a value and where it hangs.
type spot struct {
	value ast.Node
	pair  *ast.MappingValueNode // that it is the value of; nil = an element, or the whole
	in    ast.Node              // the block or list that it is in
	index int                   // in that
}

func (at spot) into(s step) (spot, bool) {
	if s.key == "" {
		seq, ok := at.value.(*ast.SequenceNode)
		if !ok || s.index >= len(seq.Values) {
			return spot{}, false
		}
		return spot{value: seq.Values[s.index], in: seq, index: s.index}, true
	}
	list, _ := pairs(at.value)
	for i, p := range list {
		if key, _ := scalar(p.Key); key == s.key {
			return spot{value: p.Value, pair: p, in: at.value, index: i}, true
		}
	}
	return spot{}, false
}

// flowing reports whether a block or list stands in brackets.
func flowing(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.MappingNode:
		return n.IsFlowStyle
	case *ast.SequenceNode:
		return n.IsFlowStyle
	}
	return false
}

// offset is where a line and column are; both count from 1, columns in letters.
func (d *draft) offset(line, column int) int {
	if line < 1 || line > len(d.lines) {
		return len(d.text)
	}
	at := d.lines[line-1]
	for i := range d.text[at:] {
		if column--; column == 0 {
			return at + i
		}
	}
	return len(d.text)
}

// begin is where a node begins.
func (d *draft) begin(n ast.Node) int {
	switch n := n.(type) {
	case *ast.MappingNode:
		if n.IsFlowStyle {
			return d.offset(n.Start.Position.Line, n.Start.Position.Column)
		}
		return d.begin(n.Values[0].Key)
	case *ast.MappingValueNode:
		return d.begin(n.Key)
	}
	p := n.GetToken().Position
	return d.offset(p.Line, p.Column)
}

// end is where a node ends; inside brackets a plain word ends sooner.
func (d *draft) end(n ast.Node, inFlow bool) int {
	switch n := n.(type) {
	case *ast.MappingNode:
		if n.IsFlowStyle {
			return d.offset(n.End.Position.Line, n.End.Position.Column) + 1
		}
		return d.endOf(n.Values[len(n.Values)-1], false)
	case *ast.MappingValueNode:
		return d.endOf(n, inFlow)
	case *ast.SequenceNode:
		if n.IsFlowStyle {
			return d.offset(n.End.Position.Line, n.End.Position.Column) + 1
		}
		return d.end(n.Values[len(n.Values)-1], false)
	}
	return d.word(d.begin(n), inFlow)
}

// endOf is where a key's value ends.
func (d *draft) endOf(p *ast.MappingValueNode, inFlow bool) int {
	if empty(p.Value) {
		return d.colon(p)
	}
	return d.end(p.Value, inFlow)
}

// empty reports whether nothing at all is written as a value.
func empty(n ast.Node) bool {
	null, ok := n.(*ast.NullNode)
	return ok && null.GetToken().Origin != "" && !strings.ContainsAny(null.GetToken().Origin, "~nN")
}

// colon is right behind the colon of a key.
func (d *draft) colon(p *ast.MappingValueNode) int {
	at := d.word(d.begin(p.Key), true)
	return at + strings.IndexByte(d.text[at:], ':') + 1
}

// word is where the single value ends that begins at an offset.
func (d *draft) word(at int, inFlow bool) int {
	rest := d.text[at:]
	switch {
	case strings.HasPrefix(rest, `"`):
		for i := 1; i < len(rest); i++ {
			switch rest[i] {
			case '\\':
				i++
			case '"':
				return at + i + 1
			}
		}
	case strings.HasPrefix(rest, "'"):
		for i := 1; i < len(rest); i++ {
			if rest[i] == '\'' {
				if i+1 < len(rest) && rest[i+1] == '\'' {
					i++
					continue
				}
				return at + i + 1
			}
		}
	}
	line, _, _ := strings.Cut(rest, "\n")
	for i := range line {
		tail := line[i:]
		if strings.HasPrefix(tail, " #") || inFlow && (strings.ContainsRune(",]}", rune(tail[0])) || tail[0] == ':') {
			line = line[:i]
			break
		}
	}
	return at + len(strings.TrimRight(line, " "))
}

// lineEnd is where the line ends that an offset lies in.
func (d *draft) lineEnd(at int) int {
	if i := strings.IndexByte(d.text[at:], '\n'); i >= 0 {
		return at + i
	}
	return len(d.text)
}

func (d *draft) lineStart(at int) int { return strings.LastIndexByte(d.text[:at], '\n') + 1 }

// indent is in which column a block's keys stand, and a list's dashes.
func (d *draft) indent(n ast.Node) int {
	at := d.begin(n)
	return len([]rune(d.text[d.lineStart(at):at]))
}

// replace writes another value in the place of one.
func (d *draft) replace(at spot, e Edit) (string, error) {
	inFlow := flowing(at.in)
	if at.pair != nil && (empty(at.value) || !inFlow && !flowing(at.value) && collection(at.value)) {
		from, to := d.colon(at.pair), d.endOf(at.pair, inFlow)
		return d.text[:from] + " " + d.value(e, at, inFlow) + d.text[to:], nil
	}
	from, to := d.begin(at.value), d.end(at.value, inFlow)
	value := d.value(e, at, inFlow)
	if strings.HasPrefix(value, "\n") {
		from = len(strings.TrimRight(d.text[:from], " "))
	}
	after := d.text[to:]
	if gap := len(after) - len(strings.TrimLeft(after, " ")); gap > 0 && strings.HasPrefix(after[gap:], "#") { // the comment keeps its column
		pad := max(1, gap+len([]rune(d.text[from:to]))-len([]rune(value)))
		after = strings.Repeat(" ", pad) + after[gap:]
	}
	return d.text[:from] + value + after, nil
}

func collection(n ast.Node) bool {
	_, block := pairs(n)
	_, list := n.(*ast.SequenceNode)
	return block || list
}

// value is what e writes: a long list one element a line, where that may be.
func (d *draft) value(e Edit, at spot, inFlow bool) string {
	text := flow(e)
	if len(e.List) == 0 || inFlow || at.pair == nil || len(text) <= broad && !strings.HasPrefix(e.List[0], "{") {
		return text
	}
	return listed(e.List, d.indent(at.pair)+2)
}

func listed(items []string, indent int) string {
	var b strings.Builder
	for _, item := range items {
		b.WriteString("\n" + strings.Repeat(" ", indent) + "- " + indented(item, indent+2))
	}
	return b.String()
}

// indented is a text of several lines as it stands in a column.
func indented(text string, column int) string {
	return strings.ReplaceAll(text, "\n", "\n"+strings.Repeat(" ", column))
}

// add writes what is not there yet: below at, the steps that are missing.
func (d *draft) add(at spot, missing []step, e Edit) (string, error) {
	if missing[0].key == "" {
		return d.append(at, missing, e)
	}
	inner := flow(e)
	for _, s := range slices.Backward(missing[1:]) {
		if s.key == "" {
			inner = "[" + inner + "]"
		} else {
			inner = "{" + s.key + ": " + inner + "}"
		}
	}
	if empty(at.value) {
		if at.pair == nil {
			return "", ErrEdit
		}
		from := d.lineEnd(d.colon(at.pair))
		return d.text[:from] + "\n" + strings.Repeat(" ", d.indent(at.pair)+2) + missing[0].key + ": " + inner + d.text[from:], nil
	}
	list, ok := pairs(at.value)
	if !ok {
		return "", ErrEdit
	}
	if flowing(at.value) {
		if len(list) == 0 {
			from := d.begin(at.value) + 1
			return d.text[:from] + missing[0].key + ": " + inner + d.text[from:], nil
		}
		from := d.endOf(list[len(list)-1], true)
		return d.text[:from] + ", " + missing[0].key + ": " + inner + d.text[from:], nil
	}
	indent := d.indent(at.value)
	if len(e.List) > 0 && len(missing) == 1 && (len(inner) > broad || strings.HasPrefix(e.List[0], "{")) {
		inner = listed(e.List, indent+2)
	} else {
		inner = " " + inner
	}
	line := strings.Repeat(" ", indent) + missing[0].key + ":" + inner + "\n"
	from := d.lineStart(d.begin(list[0]))
	to := d.lineEnd(d.endOf(list[len(list)-1], false)) + 1
	if at := d.commented(missing[0].key, from, indent); at >= 0 {
		return d.text[:at] + line + d.text[at:], nil
	}
	if to > len(d.text) {
		return d.text + "\n" + line, nil
	}
	return d.text[:to] + line + d.text[to:], nil
}

// commented is where a comment line begins that shows how the key would be written, in the block whose first line begins at
// from; -1 when none does.
func (d *draft) commented(key string, from, indent int) int {
	top := from
	for top > 0 { // comments above the first key are the block's too
		above := d.lineStart(top - 1)
		if bare := strings.TrimLeft(d.text[above:top-1], " "); bare != "" && !strings.HasPrefix(bare, "#") {
			break
		}
		top = above
	}
	for at := top; at < len(d.text); at = d.lineEnd(at) + 1 {
		line := d.text[at:d.lineEnd(at)]
		bare := strings.TrimLeft(line, " ")
		in := len(line) - len(bare)
		switch {
		case strings.HasPrefix(bare, "# "+key+":") && in == indent:
			return at
		case bare != "" && !strings.HasPrefix(bare, "#") && in < indent && at != from:
			return -1
		}
	}
	return -1
}

// append adds an element to a list.
func (d *draft) append(at spot, missing []step, e Edit) (string, error) {
	seq, ok := at.value.(*ast.SequenceNode)
	if !ok || len(missing) != 1 || missing[0].index != len(seq.Values) || e.List != nil {
		return "", ErrEdit
	}
	switch {
	case strings.Contains(e.Text, "\n") && (flowing(at.in) || flowing(seq) && len(seq.Values) > 0):
		return "", ErrEdit
	case len(seq.Values) == 0 && at.pair != nil && !flowing(at.in):
		from, to := d.colon(at.pair), d.end(at.value, false)
		return d.text[:from] + listed([]string{e.Text}, d.indent(at.pair)+2) + d.text[to:], nil
	case len(seq.Values) == 0:
		from := d.begin(at.value) + 1
		return d.text[:from] + e.Text + d.text[from:], nil
	case flowing(seq):
		from := d.end(seq.Values[len(seq.Values)-1], true)
		return d.text[:from] + ", " + e.Text + d.text[from:], nil
	}
	from := d.remarks(d.lineEnd(d.end(seq.Values[len(seq.Values)-1], false)), d.indent(seq))
	return d.text[:from] + listed([]string{e.Text}, d.indent(seq)) + d.text[from:], nil
}

// remarks is where the lines end that follow the end of a line at an offset and are comments further in than a column: they
// are about what stands above them.
func (d *draft) remarks(at, column int) int {
	for at < len(d.text) {
		end := d.lineEnd(at + 1)
		line := d.text[at+1 : end]
		if bare := strings.TrimLeft(line, " "); !strings.HasPrefix(bare, "#") || len(line)-len(bare) <= column {
			break
		}
		at = end
	}
	return at
}

// remove takes a line or an element out.
func (d *draft) remove(at spot) (string, error) {
	inFlow := flowing(at.in)
	var siblings []ast.Node
	if at.pair != nil {
		list, _ := pairs(at.in)
		for _, p := range list {
			siblings = append(siblings, p)
		}
	} else if seq, ok := at.in.(*ast.SequenceNode); ok {
		siblings = seq.Values
	} else {
		return "", ErrEdit
	}
	self := siblings[at.index]
	if inFlow {
		from, to := d.begin(self), d.end(self, true)
		switch {
		case at.index+1 < len(siblings):
			to = d.begin(siblings[at.index+1])
		case at.index > 0:
			from = d.end(siblings[at.index-1], true)
		}
		return d.text[:from] + d.text[to:], nil
	}
	if at.pair == nil && len(siblings) == 1 { // a list without elements is written as such
		from, to := d.begin(at.in), d.end(at.in, false)
		from = len(strings.TrimRight(d.text[:from], " \n"))
		return d.text[:from] + " []" + d.text[to:], nil
	}
	from, to := d.lineStart(d.begin(self)), min(len(d.text), d.lineEnd(d.end(self, false))+1)
	if at.pair == nil {
		to = min(len(d.text), d.remarks(to-1, d.indent(at.in))+1)
	}
	if head := strings.TrimLeft(d.text[from:d.begin(self)], " "); at.pair != nil && head != "" { // behind a dash
		if at.index+1 == len(siblings) {
			return "", ErrEdit
		}
		from, to = d.begin(self), d.begin(siblings[at.index+1])
	}
	return d.text[:from] + d.text[to:], nil
}
