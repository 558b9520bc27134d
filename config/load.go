package config

import (
	_ "embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"reflect"

	"github.com/caarlos0/env/v11"
	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// Example is a config with every key, explained. kaphub init starts from it.
//
//go:embed kaphub.example.yaml
var Example []byte

// overrides are what the environment may say in place of the file: where a container differs from its neighbour, and secrets.
type overrides struct {
	DSN       Secret `env:"DSN"`
	Key       Secret `env:"KEY"`
	KeyFile   string `env:"KEY_FILE"`
	Listen    string `env:"LISTEN"`
	PublicURL string `env:"PUBLIC_URL"`
	Password  Secret `env:"SMTP_PASSWORD"`
}

// Load reads the config at path and what environment (KAPHUB_…, as from os.Environ) says in its place.
// Every mistake is reported at once as an *Invalid; a file that cannot be read is an error of its own.
func Load(path string, environment []string) (Config, error) {
	text, err := os.ReadFile(path) //nolint:gosec // the operator names the file
	if errors.Is(err, fs.ErrNotExist) {
		return Config{}, fmt.Errorf("there is no config at %s: run kaphub init to make one, or name yours with --config", path)
	}
	if err != nil {
		return Config{}, fmt.Errorf("read config: %w", err)
	}
	return Read(path, text, environment)
}

// Read is Load of a text as if it stood at path already: what is about to be written there is judged before it is.
func Read(path string, text []byte, environment []string) (Config, error) {
	c := Config{file: path, hash: HashOf(text), marks: marks{}}
	c.defaults()
	r := &reader{marks: c.marks}
	if problem, ok := r.file(text, &c); !ok {
		return c, c.Invalid([]Problem{problem})
	}
	problems := append(r.problems, c.override(environment)...)
	return c, c.Invalid(append(problems, c.check()...))
}

func (c *Config) defaults() {
	c.Hub.Listen = "127.0.0.1:8080"
	c.Hub.Reports = "reports"
	c.Store.DSN = NewSecret("kaphub.db")
	c.Store.KeyFile = "kaphub.key"
}

// file reads the text; a file that is no YAML at all has one problem only.
func (r *reader) file(text []byte, c *Config) (Problem, bool) {
	tree, err := parser.ParseBytes(text, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		p := Problem{Line: 1, Column: 1, Text: "cannot be read as YAML: check indentation, colons and quotes"}
		if y, ok := errors.AsType[yaml.Error](err); ok && y.GetToken() != nil {
			p.Line, p.Column = y.GetToken().Position.Line, y.GetToken().Position.Column
			p.Text = "cannot be read as YAML (" + y.GetMessage() + "): check indentation, colons and quotes"
		}
		return p, false
	}
	var body ast.Node
	for _, doc := range tree.Docs {
		if doc.Body == nil || doc.Body.Type() == ast.CommentType {
			continue
		}
		if body != nil {
			r.fail(doc.Body, "", "a second document begins here: a hub has one config, remove the ---")
			break
		}
		body = doc.Body
	}
	if body == nil {
		return Problem{Line: 1, Column: 1, Text: "the file is empty: run kaphub init in an empty directory to see a whole one"}, false
	}
	r.mapping(body, reflect.ValueOf(c).Elem(), "", nil)
	return Problem{}, true
}

func (c *Config) override(environment []string) []Problem {
	var o overrides
	if err := env.ParseWithOptions(&o, env.Options{Environment: env.ToMap(environment), Prefix: "KAPHUB_"}); err != nil {
		return []Problem{{Path: "environment", Text: "cannot be read: check the KAPHUB_… variables"}}
	}
	if !o.DSN.IsZero() {
		c.Store.DSN = o.DSN
	}
	c.Store.Key = o.Key
	if c.Notices != nil {
		c.Notices.SMTP.Password = o.Password
	}
	for _, f := range []struct {
		into *string
		from string
	}{{&c.Store.KeyFile, o.KeyFile}, {&c.Hub.Listen, o.Listen}, {&c.Hub.PublicURL, o.PublicURL}} {
		if f.from != "" {
			*f.into = f.from
		}
	}
	return nil
}
