package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/kaphub/kaphub/cmd/internal/console"
	"github.com/kaphub/kaphub/config"
)

// asWritten is the setting of the store under which every config that was written or found is kept, so that who changed
// what and when can be told. The file is the truth; this is its history.
const asWritten = "config"

// pastConfig is a config as its history keeps it: every value, but for what is a secret.
type pastConfig struct {
	Reason string            `json:"reason,omitempty"`
	Values map[string]string `json:"values"`
}

// confidential are the paths whose values are kept nowhere but in the file: they may hold a password.
var confidential = []string{"store.dsn"}

const hiddenValue = "(not shown)"

func withoutSecrets(file map[string]string) map[string]string {
	file = maps.Clone(file)
	for _, path := range confidential {
		if _, ok := file[path]; ok {
			file[path] = hiddenValue
		}
	}
	return file
}

// noteConfig keeps the config that the hub was opened by, when it is another than was kept last: somebody changed it by
// hand, or it is the first.
func (h *hub) noteConfig(ctx context.Context) error {
	text, err := os.ReadFile(h.config.File())
	if err != nil || config.HashOf(text) != h.config.Hash() {
		return nil //nolint:nilerr // it moved in this moment: the next hub notes it
	}
	file, err := config.Leaves(text)
	if err != nil {
		return nil //nolint:nilerr // it is written in a way that is not taken apart: the policies are kept all the same
	}
	value, err := json.Marshal(pastConfig{Values: withoutSecrets(file)})
	if err != nil {
		return fmt.Errorf("write down the config: %w", err)
	}
	before, err := h.store.Setting(ctx, asWritten, 0)
	if err != nil {
		return err
	}
	var last pastConfig
	if before != "" && json.Unmarshal([]byte(before), &last) == nil && maps.Equal(last.Values, withoutSecrets(file)) {
		return nil
	}
	return h.store.KeepAs(ctx, h.actor, "config read", "", map[string]string{asWritten: string(value)})
}

// rewrite puts new in the place of old, whole or not at all, and keeps old beside it under the day and time. Both are
// readable by their owner alone. A config that is a link is written where the link leads.
func rewrite(file string, old, new []byte, now time.Time) (kept string, err error) {
	if file, err = filepath.EvalSymlinks(file); err != nil {
		return "", fmt.Errorf("find the config: %w", err)
	}
	kept = file + "." + now.UTC().Format("20060102-150405.000")
	if err := create(kept, old); errors.Is(err, fs.ErrExist) {
		return "", console.ErrMoved // in the same millisecond
	} else if err != nil {
		return "", readOnly(err)
	}
	return kept, replaceFile(file, new)
}

// replaceFile writes a file that only its owner may read, whole or not at all.
func replaceFile(file string, body []byte) error {
	temp, err := os.CreateTemp(filepath.Dir(file), "."+filepath.Base(file)+".*") // 0600
	if err != nil {
		return readOnly(err)
	}
	_, err = temp.Write(body)
	if err = errors.Join(err, temp.Sync(), temp.Close()); err == nil {
		err = os.Rename(temp.Name(), file)
	}
	if err != nil {
		return errors.Join(readOnly(err), os.Remove(temp.Name()))
	}
	return nil
}

// readOnly is err, or that the hub may not write there.
func readOnly(err error) error {
	if errors.Is(err, fs.ErrPermission) || strings.Contains(err.Error(), "read-only file system") {
		return console.ErrReadOnly
	}
	return fmt.Errorf("write the config: %w", err)
}

// writable reports whether the config can be written from here.
func writable(file string) bool {
	file, err := filepath.EvalSymlinks(file)
	if err != nil {
		return false
	}
	temp, err := os.CreateTemp(filepath.Dir(file), ".kaphub-try.*")
	if err != nil {
		return false
	}
	return errors.Join(temp.Close(), os.Remove(temp.Name())) == nil
}

// differences are the settings that differ between two configs, as c's forms call them; what no form has is told by its
// path. Sources and prescribers are compared by their names: where one goes, the next takes its place in the list.
func differences(c *config.Config, was, is map[string]string) (lines []console.Line) {
	was, is = byName(was), byName(is)
	covered := map[string]bool{}
	for _, gone := range takenOut(was, is) { // as one line
		covered[gone] = true
		lines = append(lines, console.Line{Path: gone, Label: lastName(gone), From: "as written", To: "taken out"})
	}
	places := listPlaces(c)
	for _, s := range sections(c) {
		for i := range s.Fields {
			s.Fields[i].Path = namedPath(s.Fields[i].Path, places)
		}
		before, after := filled(s, was), filled(s, is)
		for i, f := range after.Fields {
			if under(covered, f.Path) {
				continue
			}
			covered[f.Path] = f.Kind != "" // of a block as a whole, each line is told
			from, to := fromTo(&before.Fields[i], &after.Fields[i])
			if from != to {
				lines = append(lines, console.Line{Path: f.Path, Label: s.Title + ": " + f.Label, From: from, To: to})
			}
		}
	}
	rest := map[string]bool{}
	for _, file := range []map[string]string{was, is} {
		for path := range file {
			if was[path] != is[path] && !under(covered, path) && !strings.HasSuffix(path, "connectors") { // of a list, each that comes or goes
				rest[path] = true
			}
		}
	}
	for _, path := range slices.Sorted(maps.Keys(rest)) {
		lines = append(lines, console.Line{Path: path, Label: pathInWords(path), From: was[path], To: is[path]})
	}
	return lines
}

var (
	listPlace = regexp.MustCompile(`^(practice\.connectors\[\d+\]|prescribers\[\d+\])`)
	inPlace   = regexp.MustCompile(`^prescribers\[[^]]+\]\.connectors\[\d+\]`)
	namedIn   = regexp.MustCompile(`^(?:practice\.connectors|prescribers)\[([^]]*)\](?:\.connectors\[([^]]*)\])?`)
)

// namedPath is a path with the names of sources and prescribers in the place of where they stand: prescribers[skylight].title.
// names has the name of each by its path, prescribers[0].name.
func namedPath(path string, names map[string]string) string {
	head := listPlace.FindString(path)
	name := names[head+".name"]
	if head == "" || name == "" {
		return path
	}
	of, _, _ := strings.Cut(head, "[")
	rest := path[len(head):]
	if inner := inPlace.FindString(path); inner != "" && names[inner+".name"] != "" {
		rest = ".connectors[" + names[inner+".name"] + "]" + path[len(inner):]
	}
	return of + "[" + name + "]" + rest
}

func byName(file map[string]string) map[string]string {
	all := make(map[string]string, len(file))
	for path, value := range file {
		all[namedPath(path, file)] = value
	}
	return all
}

// listPlaces are the names of a config's sources and prescribers by where they stand.
func listPlaces(c *config.Config) map[string]string {
	all := map[string]string{}
	for i := range c.Prescribers {
		all[fmt.Sprintf("prescribers[%d].name", i)] = c.Prescribers[i].Name
	}
	for _, e := range c.Connectors() {
		all[e.Path()+".name"] = e.Name
	}
	return all
}

// takenOut are the sources and prescribers that are in one config and not in the other, the prescribers first: their sources
// go with them.
func takenOut(was, is map[string]string) (gone []string) {
	found := map[string]bool{}
	for path := range was {
		if rest, ok := strings.CutSuffix(path, ".name"); ok && namedIn.FindString(path) == rest && is[path] == "" {
			found[rest] = true
		}
	}
	for _, path := range slices.Sorted(maps.Keys(found)) {
		if of, _, inner := strings.Cut(path, ".connectors["); !inner || !found[of] {
			gone = append(gone, path)
		}
	}
	return gone
}

func lastName(path string) string {
	m := namedIn.FindStringSubmatch(path)
	if m == nil {
		return path
	}
	return or(m[2], m[1])
}

// pathInWords is a path as one reads it: of a source or prescriber, its name and the rest.
func pathInWords(path string) string {
	m := namedIn.FindString(path)
	if m == "" {
		return path
	}
	return lastName(path) + ": " + strings.ReplaceAll(strings.TrimPrefix(path[len(m):], "."), "_", " ")
}

// under reports whether a path is one of those covered, or below one.
func under(covered map[string]bool, path string) bool {
	for path != "" {
		if covered[path] {
			return true
		}
		path = path[:max(0, strings.LastIndexAny(path, ".["))]
	}
	return false
}

// secretsIn is where the files lie that a browser may name.
const secretsIn = "secrets/"

// blameFiles marks what names a file or a variable of the environment anew, and reports whether there is any.
// Who changes settings in a browser is not whoever has the machine: with the hub's own key as the password for a server of
// their choosing, it would send the key there, and what is typed as a secret is written over the file that is named.
//
//	key               may be changed to
//	…_file            a file below secrets/, or nothing
//	…_env             nothing: by hand
//	file              nothing: by hand
func blameFiles(was console.Section, s *console.Section) (any bool) {
	for i := range s.Fields {
		f := &s.Fields[i]
		if f.Text == was.Fields[i].Text {
			continue
		}
		key := f.Path[strings.LastIndex(f.Path, ".")+1:]
		wrong := ""
		switch {
		case strings.HasSuffix(key, "_file"):
			if name, below := strings.CutPrefix(f.Text, secretsIn); f.Text != "" && (!below || !filepath.IsLocal(name)) {
				wrong = "from here a file below " + secretsIn + " can be named; write any other into the config by hand"
			}
		case strings.HasSuffix(key, "_env"), key == "file":
			wrong = "is changed in the config by hand alone"
		}
		if wrong != "" {
			f.Wrong, any = append(f.Wrong, wrong), true
		}
	}
	return any
}

// fromTo is what a field said before and says now, in words. Of a table, only the rows that differ.
func fromTo(before, after *console.Field) (from, to string) {
	say := func(f, other *console.Field) string {
		if len(f.Answers) > 0 && !counts(f.Answer) {
			for _, o := range f.Answers {
				if o.Value == f.Answer {
					return strings.ToLower(o.Label)
				}
			}
		}
		if f.Kind == console.KindRows {
			var rows []string
			for _, row := range f.Rows {
				if len(f.Answers) > 0 && other.Answer != f.Answer || !slices.ContainsFunc(other.Rows, func(o []string) bool { return slices.Equal(o, row) }) {
					rows = append(rows, strings.Join(slices.DeleteFunc(slices.Clone(row), func(c string) bool { return c == "" }), " · "))
				}
			}
			return strings.Join(rows, "; ")
		}
		if f.Kind == "" {
			return "as written"
		}
		return strings.ReplaceAll(f.Text, "\n", ", ")
	}
	return say(before, after), say(after, before)
}

// auditable is what the audit log says of a change: from what to what, but for what names a person or says how one is
// reached, of which the path is enough. The whole of it stands in the history.
func auditable(lines []console.Line) string {
	var all []string
	for _, l := range lines {
		text := l.Path
		if strings.Contains(l.Path, ".sheet.") && !strings.HasSuffix(l.Path, "phone") && !strings.HasSuffix(l.Path, "deciders") && !strings.HasSuffix(l.Path, "pharmacies") ||
			strings.Contains(l.Path, "rules.") || strings.HasPrefix(l.Path, "schedules.") || l.Path == pathWatch {
			text += ": " + or(l.From, "(default)") + " → " + or(l.To, "(default)")
		}
		all = append(all, text)
	}
	text := strings.Join(all, "; ")
	const most = 900
	if r := []rune(text); len(r) > most {
		return string(r[:most]) + "… (whole in the history of settings)"
	}
	return text
}

func or(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}

// hunk are the lines of the file that change, with those around them: for whoever writes the change by hand.
func hunk(old, new []byte) (all []string) {
	a, b := strings.Split(strings.TrimSuffix(string(old), "\n"), "\n"), strings.Split(strings.TrimSuffix(string(new), "\n"), "\n")
	// longest common lines: both files are short
	common := make([][]int, len(a)+1)
	for i := range common {
		common[i] = make([]int, len(b)+1)
	}
	for i := len(a) - 1; i >= 0; i-- {
		for j := len(b) - 1; j >= 0; j-- {
			if a[i] == b[j] {
				common[i][j] = common[i+1][j+1] + 1
			} else {
				common[i][j] = max(common[i+1][j], common[i][j+1])
			}
		}
	}
	type line struct {
		mark, text string
	}
	var lines []line
	i, j := 0, 0
	for i < len(a) || j < len(b) {
		switch {
		case i < len(a) && j < len(b) && a[i] == b[j]:
			lines = append(lines, line{" ", a[i]})
			i, j = i+1, j+1
		case i < len(a) && (j == len(b) || common[i+1][j] >= common[i][j+1]):
			lines = append(lines, line{"-", a[i]})
			i++
		default:
			lines = append(lines, line{"+", b[j]})
			j++
		}
	}
	const around = 2
	for n, l := range lines {
		near := slices.ContainsFunc(lines[max(0, n-around):min(len(lines), n+around+1)], func(o line) bool { return o.mark != " " })
		switch {
		case near && strings.Contains(l.text, "dsn:"):
			all = append(all, l.mark+" … "+hiddenValue)
		case near:
			all = append(all, l.mark+" "+l.text)
		case len(all) > 0 && all[len(all)-1] != "…":
			all = append(all, "…")
		}
	}
	if len(all) > 0 && all[len(all)-1] == "…" {
		all = all[:len(all)-1]
	}
	return all
}
