package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/kaphub/kaphub/cmd/internal/console"
	"github.com/kaphub/kaphub/config"
	"github.com/kaphub/kaphub/connectors/jwks"
	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/exchange"
)

// The forms by which somebody comes in whom the config does not name yet. The first run asks with the same fields.
const (
	newPrescriber = "new-prescriber"
	newCalendar   = "new-calendar"
	newEHR        = "new-server"
	newFolder     = "new-folder"
)

// kindsAdded are the connectors that the forms make.
var kindsAdded = map[string]string{newCalendar: "ical", newEHR: "fhirrest", newFolder: "folder"}

// additions are those forms, as the settings show them.
func additions(c *config.Config) []console.Section {
	parties := options(fhir.Practice, "the practice: its own records")
	for i := range c.Prescribers {
		parties = append(parties, console.Option{Value: c.Prescribers[i].Name, Label: prescriberParty(&c.Prescribers[i]).Title})
	}
	source := func(key, title, lead, usual string, asked bool, fields ...console.Field) console.Section {
		s := console.Section{Key: key, Title: title, Lead: lead, Group: groupSources, Owner: true, Adds: true}
		if asked {
			s.Fields = append(s.Fields, console.Field{Path: "of", Label: "Whose records are there?", Kind: console.KindChoice, Options: parties})
		}
		s.Fields = append(append(s.Fields, fields...), console.Field{Path: "name", Label: "Short name", Kind: console.KindText, Usual: usual,
			Hint: "Small letters, digits and hyphens. It is for ever: records are kept under it."})
		return s
	}
	who := whoPrescribes()
	who.Key, who.Title, who.Group, who.Owner, who.Adds = newPrescriber, "Add a prescriber", groupPrescriber, true, true
	who.Lead = "Somebody more who screens your clients and prescribes. What they agreed to is asked next, on a sheet of their own; until they answered, it is unknown."
	return []console.Section{who,
		source(newCalendar, "Add a calendar", "Appointments of the practice, read from a calendar feed. Nothing is ever written to it.", "calendar", false, calendarFields()...),
		source(newEHR, "Add a FHIR server", "The practice’s EHR, or a prescriber’s server. What it offers is found out; all else can be set once it is there.", "ehr, or the prescriber’s name", true, serverFields()...),
		source(newFolder, "Add a shared folder", "A directory on this machine, for files that people or other programs put there, and for packets to print.", "folder", true, folderFields()...),
	}
}

func calendarFields() []console.Field {
	return []console.Field{{Path: "calendar", Label: "Calendar: its secret address", Kind: console.KindSecret,
		Hint: "In iCal format, as your calendar’s settings show it. Kept in a file of its own and never shown again. Events name a client by a token, such as K-17, and not by name."}}
}

func serverFields() []console.Field {
	return []console.Field{
		{Path: "base", Label: "Server: its address", Hint: "What stands before /metadata and /Patient.", Kind: console.KindText},
		{Path: "token", Label: "Server: its token", Hint: "Kept in a file of its own and never shown again. Left empty for a server on this machine, and for one that knows you by a key (SMART Backend Services), which is set up under Settings.", Kind: console.KindSecret},
		{Path: "client", Label: "SMART Backend Services: the client id that you were given", Hint: "In place of a token, where the server lets in whom it knows by a key. The hub makes the key.", Kind: console.KindText},
		{Path: "scopes", Label: "SMART Backend Services: scopes", Hint: sourceHints["auth.scopes"], Kind: console.KindLines},
	}
}

func folderFields() []console.Field {
	return []console.Field{
		{Path: "in", Label: "Folder: read from", Hint: sourceHints["in"], Kind: console.KindText},
		{Path: "out", Label: "Folder: written to", Hint: sourceHints["out"], Kind: console.KindText},
	}
}

// fieldOf is a form's field by its path; nil when it has none.
func fieldOf(s *console.Section, path string) *console.Field {
	for i := range s.Fields {
		if s.Fields[i].Path == path {
			return &s.Fields[i]
		}
	}
	return nil
}

// blameOn puts a mistake to a field, or to the first there is.
func blameOn(s *console.Section, path, text string) {
	f := fieldOf(s, path)
	if f == nil {
		f = &s.Fields[0]
	}
	f.Wrong = append(f.Wrong, text)
}

// addition is what a form makes of somebody new.
type addition struct {
	path  string            // where it is to stand
	text  string            // as the file writes it
	keys  map[string]string // which field each of its keys came from
	notes []string          // what to know, beside
	undo  func()            // takes away what was kept in a file for it
}

// drawer keeps what is secret in files of its own beside a config: nothing can be tried without.
type drawer struct {
	dir string
	log *slog.Logger
}

func (d drawer) has(name string) bool {
	info, err := os.Stat(filepath.Join(d.dir, name))
	return err == nil && info.Size() > 0
}

// confide puts a secret into its file, readable by the hub alone; an empty one changes nothing. undo takes away what was
// not there before.
func (d drawer) confide(name, secret string) (undo func(), err error) {
	undo = func() {}
	if secret == "" {
		return undo, nil
	}
	at := filepath.Join(d.dir, name)
	if err := os.MkdirAll(filepath.Dir(at), 0o700); err != nil {
		return undo, readOnly(err)
	}
	if !d.has(name) {
		undo = func() {
			if err := os.Remove(at); err != nil {
				d.log.Warn("remove a secret that is not used", "file", name, "error", err)
			}
		}
	}
	return undo, replaceFile(at, []byte(secret+"\n"))
}

// signing has a key for a counterpart that knows the hub by its signature, made if there is none, and returns its public half.
func (d drawer) signing(name string) (public string, err error) {
	at := filepath.Join(d.dir, name)
	key, err := jwks.Load(at)
	if errors.Is(err, fs.ErrNotExist) {
		if key, err = jwks.New("ES384"); err != nil {
			return "", err
		}
		if err = os.MkdirAll(filepath.Dir(at), 0o700); err == nil {
			err = key.Save(at)
		}
		if err != nil {
			return "", readOnly(err)
		}
	}
	if err != nil {
		return "", fmt.Errorf("read the key that signs: %w", err)
	}
	return string(jwks.Set([]jwks.Key{key})), nil
}

// source is what a form makes of a new connector of a name. What is wrong stands at its field.
func (d drawer) source(kind, name string, s *console.Section) (a addition, err error) {
	a.undo = func() {}
	said := func(path string) string {
		if f := fieldOf(s, path); f != nil {
			return f.Text
		}
		return ""
	}
	secret := "secrets/" + name
	head := "{name: " + name + ", kind: " + kind
	switch kind {
	case "ical":
		if said("calendar") == "" && !d.has(secret) {
			blameOn(s, "calendar", "is missing")
		}
		a.keys = map[string]string{"url_file": "calendar"}
		a.text = head + ", url_file: " + secret + "}"
		a.undo, err = d.confide(secret, said("calendar"))
	case "fhirrest":
		a.keys = map[string]string{"base_url": "base", "auth": "token"}
		auth := "{kind: none}"
		switch {
		case said("client") != "" && said("token") != "":
			blameOn(s, "client", "is written beside a token: a server asks for one of the two")
		case said("client") != "":
			a.keys["auth"] = "client"
			var scopes []string
			for _, t := range texts(console.KindLines, said("scopes")) {
				scopes = append(scopes, config.Quoted(t))
			}
			auth = "{kind: smart, client_id: " + config.Quoted(said("client")) + ", key_file: " + secret + ".jwk, scopes: [" + strings.Join(scopes, ", ") + "]}"
			var public string
			public, err = d.signing(secret + ".jwk")
			a.notes = append(a.notes, "The key is made. Give its public half to whoever runs the server; they let the hub in once they know it: "+public)
		case said("token") != "" || d.has(secret):
			auth = "{kind: bearer, token_file: " + secret + "}"
			a.undo, err = d.confide(secret, said("token"))
		}
		a.text = head + ", base_url: " + config.Quoted(said("base")) + ", auth: " + auth + "}"
	case "folder":
		a.keys = map[string]string{"in": "in", "out": "out"}
		a.text = head
		for _, key := range []string{"in", "out"} {
			if text := said(key); text != "" {
				a.text += ", " + key + ": " + config.Quoted(text)
			}
		}
		a.text += "}"
	}
	for i := range s.Fields {
		if f := &s.Fields[i]; f.Kind == console.KindSecret {
			f.Text, f.Held = "", f.Text != "" || d.has(secret) // never shown again
		}
	}
	return a, err
}

// blame puts what is wrong with what was added to the field that it came from.
func (a addition) blame(s *console.Section, problems []config.Problem) (rest []string) {
	for _, p := range problems {
		key, ok := strings.CutPrefix(p.Path, a.path)
		if !ok {
			rest = append(rest, strings.TrimSpace(p.Path+" "+p.Text))
			continue
		}
		key = strings.TrimPrefix(key, ".")
		from := ""
		for _, at := range slices.Backward(slices.Sorted(maps.Keys(a.keys))) { // the longest first
			if key == at || strings.HasPrefix(key, at+".") || strings.HasPrefix(key, at+"[") {
				from = a.keys[at]
				break
			}
		}
		blameOn(s, from, p.Text)
	}
	return rest
}

// whoPrescribes asks who it is.
func whoPrescribes() console.Section {
	return console.Section{Lead: "Who screens your clients and prescribes. A second one can be added later, under Settings.", Fields: []console.Field{
		{Path: "who", Label: "Who is it?", Answers: []console.Option{
			{Value: kindSkylight, Label: "Skylight Psychedelics, as its public pages describe it"}, {Value: another, Label: "Somebody else, who is reached by mail, phone or letter"}}},
		{Path: "title", Label: "Somebody else: their name", Kind: console.KindText},
		{Path: "npi", Label: "Their NPI", Hint: "Ten digits, by which your referrals and releases name them. Left empty where you do not know it yet.", Kind: console.KindText},
		{Path: "phone", Label: "Their phone", Kind: console.KindText},
	}}
}

// prescribed is a config of nobody but the prescriber who was chosen. What is wrong stands at its field.
func prescribed(s *console.Section) ([]byte, error) {
	who, title, npi, phone := s.Fields[0].Answer, s.Fields[1].Text, s.Fields[2].Text, s.Fields[3].Text
	name := slug(title)
	switch {
	case who != kindSkylight && who != another:
		blameOn(s, "who", "choose one")
	case who == another && name == "":
		blameOn(s, "title", "is missing: write their name, as you call them")
	case who == kindSkylight && title != "":
		blameOn(s, "title", fmt.Sprintf("you wrote %q and chose Skylight: choose “Somebody else”, or empty this", title))
	}
	if npi != "" && !fhir.IsNPI(npi) {
		blameOn(s, "npi", "is no NPI: it has ten digits, of which the last one proves the others; look for a slip")
	}
	if len(s.WrongAt()) > 0 {
		return nil, nil
	}
	var changes []config.Edit
	if phone != "" {
		changes = append(changes, config.Edit{Path: "prescribers[0].sheet.phone", Text: config.Quoted(phone)})
	}
	if who == kindSkylight {
		fresh, err := begunWith(kindSkylight)
		if err != nil {
			return nil, err
		}
		if npi != "" {
			changes = append(changes, config.Edit{Path: "prescribers[0].identifiers[1]", Text: "{system: " + config.Quoted(fhir.SystemNPI) + ", value: " + fmt.Sprintf("%q", npi) + "}"})
		}
		return config.Apply(fresh, changes)
	}
	id := "{system: https://kaphub.example/fhir/prescriber, value: " + name + "}"
	if npi != "" {
		id = "{system: " + config.Quoted(fhir.SystemNPI) + ", value: " + fmt.Sprintf("%q", npi) + "}"
	}
	changes = append(changes, config.Edit{Path: "prescribers[0].name", Text: name}, config.Edit{Path: "prescribers[0].title", Text: config.Quoted(title)},
		config.Edit{Path: "prescribers[0].identifiers", List: []string{id}}, config.Edit{Path: "prescribers[0].sheet.time_zone"})
	fresh, err := begunWith("")
	if err != nil {
		return nil, err
	}
	return config.Apply(fresh, changes)
}

// firstPrescriber are the lines of a config's first prescriber, as of an element of a list.
func firstPrescriber(text []byte) string {
	_, rest, _ := strings.Cut(string(text), "\nprescribers:")
	rest, _, _ = strings.Cut(rest, "\nschedules:")
	_, rest, _ = strings.Cut(rest, "\n  - ")
	var lines []string
	for line := range strings.Lines(strings.TrimRight(rest, "\n ")) {
		lines = append(lines, strings.TrimPrefix(strings.TrimRight(line, "\n"), "    "))
	}
	return strings.Join(lines, "\n")
}

// slug is a short name for ever: small letters, digits and hyphens.
func slug(title string) string {
	var b strings.Builder
	for _, r := range strings.ToLower(title) {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9' && b.Len() > 0:
			b.WriteRune(r)
		case b.Len() > 0 && !strings.HasSuffix(b.String(), "-"):
			b.WriteByte('-')
		}
	}
	name := b.String()
	return strings.Trim(name[:min(len(name), 32)], "-")
}

// added is what one of the forms makes of somebody new, in the place where the file has its like.
func (k steward) added(ctx context.Context, s *console.Section, file map[string]string) (a addition, err error) {
	a.undo = func() {}
	if s.Key == newPrescriber {
		fresh, err := prescribed(s)
		if err != nil || fresh == nil {
			return a, err
		}
		a = addition{path: oneMore(file, "prescribers"), text: firstPrescriber(fresh), undo: a.undo,
			keys: map[string]string{"name": "title", "title": "title", "identifiers": "npi", "sheet.phone": "phone"}}
		name := kindSkylight
		if s.Fields[0].Answer == another {
			name = slug(s.Fields[1].Text)
		}
		was, err := k.prescribedBefore(ctx, name)
		if was {
			blameOn(s, "title", fmt.Sprintf("%s is the name of a prescriber whom clients were with before, and whose records are kept: write another; the same one comes back with the lines of %s that were kept beside it", name, filepath.Base(k.config.File())))
		}
		return a, err
	}
	of, list := fhir.Practice, "practice.connectors"
	if f := fieldOf(s, "of"); f != nil {
		if of = f.Text; of != fhir.Practice {
			i := slices.IndexFunc(k.config.Prescribers, func(p config.Prescriber) bool { return p.Name == of })
			if i < 0 {
				f.Wrong = append(f.Wrong, "choose one")
				return a, nil
			}
			list = fmt.Sprintf("prescribers[%d].connectors", i)
		}
	}
	name := fieldOf(s, "name").Text
	if name == "" {
		name = map[string]string{newCalendar: "calendar", newEHR: "ehr", newFolder: "folder"}[s.Key]
		if of != fhir.Practice {
			name = of + strings.TrimPrefix("-"+name, "-ehr")
		}
	}
	if wrong, err := k.unfitName(ctx, name, file); err != nil || wrong != "" {
		blameOn(s, "name", wrong)
		return a, err
	}
	a, err = drawer{filepath.Dir(k.config.File()), k.log}.source(kindsAdded[s.Key], name, s)
	a.path = oneMore(file, list)
	a.keys["name"] = "name"
	if kindsAdded[s.Key] != "folder" && len(s.WrongAt()) == 0 {
		a.notes = append(a.notes, "Until it was read to the end for the first time, clients of whom it may know something are UNKNOWN. It is read as soon as this is saved.")
	}
	return a, err
}

// oneMore is the path of one more element of a list.
func oneMore(file map[string]string, list string) string {
	for n := 0; ; n++ {
		if path := fmt.Sprintf("%s[%d]", list, n); !written(file, path) {
			return path
		}
	}
}

var connectorName = regexp.MustCompile(`^[a-z][a-z0-9-]{0,31}$`)

// unfitName says why a new connector cannot have a name, "" when it can. A name is for ever: what another server tells must
// never stand among the records of the one before, for both may call somebody patient 1.
func (k steward) unfitName(ctx context.Context, name string, file map[string]string) (string, error) {
	if !connectorName.MatchString(name) {
		return fmt.Sprintf("%q is no name: use small letters, digits and hyphens, a letter first", name), nil
	}
	for _, e := range k.config.Connectors() {
		if e.Name == name {
			return name + " is the name of another source: choose another", nil
		}
	}
	for _, value := range file {
		if value == "secrets/"+name || value == "secrets/"+name+".jwk" {
			return "secrets/" + name + " holds a secret of something else: choose another name", nil
		}
	}
	states, err := k.store.Sources(ctx, 0)
	if err != nil {
		return "", err
	}
	if slices.ContainsFunc(states, func(s fhir.SourceState) bool { return s.Name == name }) {
		return fmt.Sprintf("a source called %s was read before, and its records are kept under that name: choose another; the very same one comes back with the lines of %s that were kept beside it",
			name, filepath.Base(k.config.File())), nil
	}
	return "", nil
}

// prescribedBefore reports whether clients are or were with a prescriber of a name whom the config does not name.
func (k steward) prescribedBefore(ctx context.Context, name string) (bool, error) {
	if slices.ContainsFunc(k.config.Prescribers, func(p config.Prescriber) bool { return p.Name == name }) {
		return false, nil // said otherwise
	}
	board, err := k.store.Board(ctx, 0)
	if err != nil {
		return false, err
	}
	for _, s := range board {
		if s.Prescriber == name {
			return true, nil
		}
	}
	return false, nil
}

// Try tests the connection of the source that a change is about, as it would be, and changes nothing there.
func (k steward) Try(ctx context.Context, by string, c console.Change) (*console.Test, error) {
	d, err := k.draft(ctx, c)
	if err != nil {
		return nil, err
	}
	name := d.source
	if d.next == nil || name == "" {
		return nil, console.ErrWrong
	}
	d.next.store, d.next.pace.DB = k.store, k.store
	for _, one := range d.next.connectors {
		if one.Name != name || one.Checker == nil {
			continue
		}
		if err := k.store.Audit(ctx, by, "test connection", name, ""); err != nil {
			return nil, fmt.Errorf("note in the audit log: %w", err)
		}
		return d.next.tested(ctx, by, one), nil
	}
	return nil, exchange.ErrNotFound
}
