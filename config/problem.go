package config

import (
	"fmt"
	"slices"
	"strings"
)

// Problem is one mistake: where it stands, what is wrong and what to write instead. It never holds a secret.
type Problem struct {
	Line, Column int    // 0 = not in the file
	Path         string // "prescribers[0].sheet.systolic_limit", or the name of an environment variable
	Text         string
}

// Invalid is everything that is wrong with a config.
type Invalid struct {
	File     string
	Problems []Problem
}

// Error lists every problem, one a line, in the order of the file.
func (e *Invalid) Error() string {
	var b strings.Builder
	if len(e.Problems) == 1 {
		b.WriteString("the config has a mistake:")
	} else {
		fmt.Fprintf(&b, "the config has %d mistakes:", len(e.Problems))
	}
	for _, p := range e.Problems {
		b.WriteString("\n  " + e.File)
		if p.Line > 0 {
			fmt.Fprintf(&b, ":%d:%d", p.Line, p.Column)
		}
		b.WriteString(": ")
		if p.Path != "" {
			b.WriteString(p.Path + " ")
		}
		b.WriteString(p.Text)
	}
	return b.String()
}

// Invalid returns problems as one error in the order of the file, nil when there are none.
func (c *Config) Invalid(problems []Problem) error {
	if len(problems) == 0 {
		return nil
	}
	slices.SortStableFunc(problems, func(a, b Problem) int {
		if a.Line != b.Line {
			return a.Line - b.Line
		}
		return a.Column - b.Column
	})
	return &Invalid{File: c.file, Problems: slices.Compact(problems)}
}

// Problem returns a problem with the element at path, placed at its line or that of the nearest element above it.
func (c *Config) Problem(path, format string, args ...any) Problem {
	m := c.marks.near(path)
	return Problem{Line: m.line, Column: m.column, Path: path, Text: fmt.Sprintf(format, args...)}
}

type mark struct{ line, column int }

type marks map[string]mark

func (m marks) near(path string) mark {
	for path != "" {
		if at, ok := m[path]; ok {
			return at
		}
		path = path[:max(0, strings.LastIndexAny(path, ".["))]
	}
	return mark{1, 1}
}
