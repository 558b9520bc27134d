package main

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/kaphub/kaphub/cmd/internal/console"
	"github.com/kaphub/kaphub/config"
	"github.com/kaphub/kaphub/fhir"
)

// The words of a field's answers that stand for no word in the file.
const (
	answerNone  = "none"  // an empty list, or no block at all
	answerUsual = "usual" // the line is left out

	emptyList   = "[]"
	pathNotices = "notices"
	pathWatch   = "practice.watch_list"
)

// filled is a section with the values that the file has.
func filled(s console.Section, file map[string]string) console.Section {
	s.Fields = slices.Clone(s.Fields)
	for i := range s.Fields {
		f := &s.Fields[i]
		f.Text = together(f.Kind, textsOf(f, file))
		if f.Kind == console.KindRows {
			f.Rows = rowsOf(f, file)
		}
		if len(f.Answers) > 0 {
			f.Answer = answerOf(f, file)
			if f.Answer == console.AnswerSet && hasAnswer(f, answerPublished) {
				f.Answer = answerPublished
			}
		}
		if f.Path == pathWatch && f.Answer == answerUsual {
			f.Rows = usualWatch()
		}
	}
	return s
}

// answerOf is which of its answers a field has.
func answerOf(f *console.Field, file map[string]string) string {
	word, single := file[f.Path]
	switch {
	case single && slices.ContainsFunc(f.Answers, func(o console.Option) bool { return o.Value == word }):
		return word
	case word == emptyList:
		return answerNone
	case single || written(file, f.Path):
		return console.AnswerSet
	}
	return f.Answers[0].Value // what counts where nothing is written
}

// written reports whether anything is written below a path.
func written(file map[string]string, path string) bool {
	for at := range file {
		if strings.HasPrefix(at, path+".") || strings.HasPrefix(at, path+"[") {
			return true
		}
	}
	return false
}

// textsOf are a field's values: one, or those of a list.
func textsOf(f *console.Field, file map[string]string) []string {
	switch f.Kind {
	case console.KindLines, console.KindWords, console.KindMany:
		return listOf(file, f.Path)
	case console.KindRows:
		return nil
	}
	word, ok := file[f.Path]
	if !ok || len(f.Answers) > 0 && slices.ContainsFunc(f.Answers, func(o console.Option) bool { return o.Value == word }) ||
		word == "false" && !slices.ContainsFunc(f.Options, func(o console.Option) bool { return o.Value == word }) && len(f.Options) > 0 {
		return nil
	}
	return []string{word}
}

func listOf(file map[string]string, path string) (all []string) {
	for i := 0; ; i++ {
		word, ok := file[fmt.Sprintf("%s[%d]", path, i)]
		if !ok {
			return all
		}
		all = append(all, word)
	}
}

func together(kind console.Kind, texts []string) string {
	if kind == console.KindLines {
		return strings.Join(texts, "\n")
	}
	return strings.Join(texts, ", ")
}

// rowsOf are the rows of a table, as one types them.
func rowsOf(f *console.Field, file map[string]string) (rows [][]string) {
	for i := 0; written(file, fmt.Sprintf("%s[%d]", f.Path, i)); i++ {
		var row []string
		for _, c := range f.Columns {
			at := fmt.Sprintf("%s[%d].%s", f.Path, i, c.Key)
			cell := file[at]
			switch c.Kind {
			case console.KindWords:
				cell = strings.Join(listOf(file, at), ", ")
			case console.KindCodes:
				var codes []string
				for j := 0; written(file, fmt.Sprintf("%s[%d]", at, j)); j++ {
					codes = append(codes, file[fmt.Sprintf("%s[%d].system", at, j)]+" "+file[fmt.Sprintf("%s[%d].code", at, j)])
				}
				cell = strings.Join(codes, "; ")
			case console.KindChoice:
				if cell == "false" {
					cell = ""
				}
			case console.KindRegister:
				if cell == fhir.SystemNPI {
					cell = ""
				}
			}
			row = append(row, cell)
		}
		rows = append(rows, row)
	}
	return rows
}

// usualWatch is the watch list that comes with the hub, as rows: whoever writes their own begins with it.
func usualWatch() (rows [][]string) {
	for _, w := range fhir.DefaultWatchList() {
		var unless []string
		for _, c := range w.Unless {
			unless = append(unless, c.System+" "+c.Code)
		}
		rows = append(rows, []string{w.Words, w.System, w.Code.Code, w.Severity, strings.Join(w.In, ", "), strings.Join(unless, "; ")})
	}
	return rows
}

// typed is a section with what somebody typed in the place of its values.
func typed(s console.Section, form url.Values) console.Section {
	s.Fields = slices.Clone(s.Fields)
	for i := range s.Fields {
		f := &s.Fields[i]
		f.Wrong = nil
		f.Text = together(f.Kind, texts(f.Kind, strings.Join(form[f.Path], "\n")))
		f.Answer = form.Get(f.Path + "~answer")
		if f.Kind != console.KindRows {
			continue
		}
		f.Rows = nil
		for n := 0; ; n++ {
			var row []string
			there := false
			for _, c := range f.Columns {
				key := fmt.Sprintf("%s~%d~%s", f.Path, n, c.Key)
				there = there || form.Has(key)
				cell := strings.TrimSpace(form.Get(key))
				if c.Kind == console.KindRegister && cell == fhir.SystemNPI {
					cell = "" // as it is shown
				}
				row = append(row, cell)
			}
			if !there {
				break
			}
			f.Rows = append(f.Rows, row)
		}
	}
	return s
}

// texts are the values in what was typed into a field.
func texts(kind console.Kind, text string) []string {
	cut := func(rune) bool { return false }
	switch kind {
	case console.KindLines:
		cut = func(r rune) bool { return r == '\n' || r == '\r' }
	case console.KindWords, console.KindMany:
		cut = func(r rune) bool { return strings.ContainsRune(",;\r\n", r) }
	}
	var all []string
	for part := range strings.FieldsFuncSeq(text, cut) {
		if part = strings.TrimSpace(part); part != "" {
			all = append(all, part)
		}
	}
	return all
}

// edits are what makes the file say what was typed. Fields in which something is wrong say so.
func edits(was console.Section, is *console.Section) (all []config.Edit) {
	agreement(is)
	off := "" // a block that is not wanted
	for i := range is.Fields {
		f, before := &is.Fields[i], &was.Fields[i]
		switch {
		case off != "" && strings.HasPrefix(f.Path, off+"."):
			if said := wrote(before, f); said != "" {
				f.Wrong = append(f.Wrong, fmt.Sprintf("you wrote %q here, and above stands “Nobody”: choose the other answer there, or empty this", said))
			}
		case len(f.Answers) > 0 && !slices.ContainsFunc(f.Answers, func(o console.Option) bool { return o.Value == f.Answer }):
			f.Wrong = append(f.Wrong, "choose one")
		case f.Path == pathNotices:
			if f.Answer == answerNone {
				off = f.Path
				if before.Answer != answerNone {
					all = append(all, config.Edit{Path: f.Path})
				}
			}
		case len(f.Answers) > 0 && !counts(f.Answer):
			if said := wrote(before, f); said != "" {
				f.Wrong = append(f.Wrong, fmt.Sprintf("you wrote %q and left “%s”: choose “%s” above it, or empty it", said, labelOf(f, f.Answer), labelOf(f, console.AnswerSet)))
			} else if f.Answer != before.Answer {
				all = append(all, wordEdit(f))
			}
		case f.Kind == console.KindRows:
			all = append(all, rowEdits(before, f)...)
		default:
			all = append(all, valueEdits(before, f)...)
		}
	}
	return all
}

// wrote is what somebody wrote into a field that did not stand there before; "" when nothing. Whoever takes an answer back
// leaves the words below it as they were: that is none.
func wrote(before, f *console.Field) string {
	if f.Kind == console.KindRows {
		for _, row := range f.Rows {
			if !blank(row) && !slices.ContainsFunc(before.Rows, func(old []string) bool { return slices.Equal(old, row) }) {
				return strings.Join(slices.DeleteFunc(slices.Clone(row), func(c string) bool { return c == "" }), ", ")
			}
		}
		return ""
	}
	if now := texts(f.Kind, f.Text); len(now) > 0 && !slices.Equal(now, texts(f.Kind, before.Text)) {
		return strings.Join(now, ", ")
	}
	return ""
}

func labelOf(f *console.Field, answer string) string {
	for _, o := range f.Answers {
		if o.Value == answer {
			return o.Label
		}
	}
	return answer
}

// blank reports whether nothing is written into a row.
func blank(row []string) bool {
	return !slices.ContainsFunc(row, func(c string) bool { return c != "" })
}

// unfitNumbers are the rows that were written anew and name somebody by what no message could ever name them by.
func unfitNumbers(before, f *console.Field) (wrong []string) {
	register := slices.IndexFunc(f.Columns, func(c console.Column) bool { return c.Kind == console.KindRegister })
	number := slices.IndexFunc(f.Columns, func(c console.Column) bool { return c.Key == "value" })
	if register < 0 || number < 0 {
		return nil
	}
	for i, row := range f.Rows {
		if blank(row) || slices.ContainsFunc(before.Rows, func(old []string) bool { return slices.Equal(old, row) }) {
			continue
		}
		said := ""
		switch at, err := url.Parse(row[register]); {
		case row[number] == "":
			said = "the number is missing"
		case row[register] == "" && !fhir.IsNPI(row[number]):
			said = fmt.Sprintf("%s is no NPI: it has ten digits, of which the last one proves the others; look for a slip", row[number])
		case row[register] != "" && (err != nil || at.Scheme == "" || at.Host == "" && at.Opaque == ""):
			said = fmt.Sprintf("%s is no register: leave it empty for an NPI; else write the register’s address, like https://… or urn:oid:…", row[register])
		}
		if said != "" {
			wrong = append(wrong, fmt.Sprintf("Row %d: %s", i+1, said))
		}
	}
	return wrong
}

// wordEdit is an answer that is a word, or none.
func wordEdit(f *console.Field) config.Edit {
	switch f.Answer {
	case answerUsual:
		return config.Edit{Path: f.Path}
	case answerNone:
		return config.Edit{Path: f.Path, List: []string{}}
	}
	return config.Edit{Path: f.Path, Text: f.Answer}
}

func valueEdits(before, f *console.Field) []config.Edit {
	now := texts(f.Kind, f.Text)
	agreed := len(f.Answers) > 0
	switch {
	case agreed && len(now) == 0:
		f.Wrong = append(f.Wrong, "is missing: write what was agreed, or choose another answer")
		return nil
	case slices.Equal(now, texts(f.Kind, before.Text)) && (f.Answer == before.Answer || counts(f.Answer) && counts(before.Answer)):
		return nil
	case len(now) == 0:
		return []config.Edit{{Path: f.Path}}
	}
	switch f.Kind {
	case console.KindLines, console.KindWords, console.KindMany:
		var list []string
		for _, t := range now {
			list = append(list, config.Quoted(t))
		}
		return []config.Edit{{Path: f.Path, List: list}}
	case console.KindChoice:
		if !slices.ContainsFunc(f.Options, func(o console.Option) bool { return o.Value == now[0] }) {
			f.Wrong = append(f.Wrong, "choose one")
			return nil
		}
		return []config.Edit{{Path: f.Path, Text: now[0]}} // true and false are no texts
	}
	return []config.Edit{{Path: f.Path, Text: config.Quoted(now[0])}}
}

// rowEdits change what changed of a table, cell by cell, so that what is written beside the other rows stays.
func rowEdits(before, f *console.Field) (all []config.Edit) {
	if f.Wrong = append(f.Wrong, unfitNumbers(before, f)...); len(f.Wrong) > 0 {
		return nil
	}
	wanted := slices.DeleteFunc(slices.Clone(f.Rows), blank)
	was := before.Rows
	if before.Answer != f.Answer || len(before.Answers) > 0 && before.Answer != console.AnswerSet {
		was = nil // what is shown is not what is written
	}
	switch {
	case len(f.Answers) > 0 && len(wanted) == 0:
		f.Wrong = append(f.Wrong, "is missing: write a row, or choose another answer")
		return nil
	case len(wanted) == 0 && len(was) == 0:
		return nil
	case len(wanted) == 0:
		return []config.Edit{{Path: f.Path, List: []string{}}}
	case len(was) == 0:
		var list []string
		for _, row := range wanted {
			list = append(list, block(f, row))
		}
		return []config.Edit{{Path: f.Path, List: list}}
	}
	var gone []int
	next := len(was)
	for i, row := range f.Rows {
		switch {
		case i >= len(was):
			if !blank(row) {
				all = append(all, config.Edit{Path: fmt.Sprintf("%s[%d]", f.Path, next), Text: block(f, row)})
				next++
			}
		case blank(row):
			gone = append(gone, i)
		default:
			for j, c := range f.Columns {
				if row[j] != was[i][j] {
					e := cell(c, row[j])
					e.Path = fmt.Sprintf("%s[%d].%s", f.Path, i, c.Key)
					all = append(all, e)
				}
			}
		}
	}
	for _, i := range slices.Backward(gone) {
		all = append(all, config.Edit{Path: fmt.Sprintf("%s[%d]", f.Path, i)})
	}
	return all
}

// cell is what a cell writes, without its path.
func cell(c console.Column, text string) config.Edit {
	switch {
	case text == "" && c.Kind == console.KindRegister:
		return config.Edit{Text: config.Quoted(fhir.SystemNPI)}
	case text == "":
		return config.Edit{}
	case c.Kind == console.KindWords:
		e := config.Edit{List: []string{}}
		for _, t := range texts(c.Kind, text) {
			e.List = append(e.List, config.Quoted(t))
		}
		return e
	case c.Kind == console.KindCodes:
		e := config.Edit{List: []string{}}
		for part := range strings.SplitSeq(text, ";") {
			system, code, _ := strings.Cut(strings.TrimSpace(part), " ")
			e.List = append(e.List, "{system: "+config.Quoted(system)+", code: "+config.Quoted(strings.TrimSpace(code))+"}")
		}
		return e
	case c.Kind == console.KindChoice && slices.ContainsFunc(c.Options, func(o console.Option) bool { return o.Value == text }):
		return config.Edit{Text: text}
	}
	return config.Edit{Text: config.Quoted(text)}
}

// block is a row as the file writes it.
func block(f *console.Field, row []string) string {
	var pairs []string
	for i, c := range f.Columns {
		switch e := cell(c, row[i]); {
		case e.List != nil:
			pairs = append(pairs, c.Key+": ["+strings.Join(e.List, ", ")+"]")
		case e.Text != "":
			pairs = append(pairs, c.Key+": "+e.Text)
		}
	}
	return "{" + strings.Join(pairs, ", ") + "}"
}

// blame puts each mistake to the field that it is about; what is left is told above them all.
func blame(s *console.Section, problems []config.Problem) (rest []string) {
	for _, p := range problems {
		best := -1
		for i, f := range s.Fields {
			if (p.Path == f.Path || strings.HasPrefix(p.Path, f.Path+".") || strings.HasPrefix(p.Path, f.Path+"[")) && (best < 0 || len(f.Path) > len(s.Fields[best].Path)) {
				best = i
			}
		}
		if best < 0 {
			rest = append(rest, strings.TrimSpace(p.Path+" "+p.Text))
			continue
		}
		f := &s.Fields[best]
		text := p.Text
		if row, column, ok := within(f, p.Path); ok {
			text = strings.TrimSpace(fmt.Sprintf("Row %d, %s", row+1, column)) + ": " + text
		}
		f.Wrong = append(f.Wrong, text)
	}
	return rest
}

// within is in which row and column of a table something is wrong.
func within(f *console.Field, path string) (row int, column string, ok bool) {
	if f.Kind != console.KindRows {
		return 0, "", false
	}
	rest := strings.TrimPrefix(path, f.Path)
	if n, err := fmt.Sscanf(rest, "[%d]", &row); n != 1 || err != nil {
		return 0, "", false
	}
	_, key, _ := strings.Cut(rest, "].")
	column = "its values"
	for _, c := range f.Columns {
		if k, _, _ := strings.Cut(key, "["); c.Key == k {
			column = strings.ToLower(c.Label)
		}
	}
	return row, column, true
}
