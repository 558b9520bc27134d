package config

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
)

const hidden = "(secret)"

// Secret is a text that cannot print, log or encode itself. Reveal is the only way to read it.
type Secret struct{ text string }

// NewSecret hides text.
func NewSecret(text string) Secret { return Secret{text} }

// Reveal returns the text. Call it where it is used, never where it is shown.
func (s Secret) Reveal() string { return s.text }

// IsZero reports whether there is no secret.
func (s Secret) IsZero() bool { return s.text == "" }

// String never returns the text.
func (s Secret) String() string { return hidden }

// GoString never returns the text.
func (s Secret) GoString() string { return hidden }

// Format never writes the text, whatever the verb.
func (s Secret) Format(w fmt.State, _ rune) { _, _ = io.WriteString(w, hidden) }

// LogValue never returns the text.
func (s Secret) LogValue() slog.Value { return slog.StringValue(hidden) }

// MarshalText never returns the text; JSON, YAML and XML encoders use it or the two below.
func (s Secret) MarshalText() ([]byte, error) { return []byte(hidden), nil }

// MarshalJSON never returns the text.
func (s Secret) MarshalJSON() ([]byte, error) { return []byte(`"` + hidden + `"`), nil }

// MarshalYAML never returns the text.
func (s Secret) MarshalYAML() ([]byte, error) { return []byte(`"` + hidden + `"`), nil }

// UnmarshalText takes the text as it is.
func (s *Secret) UnmarshalText(text []byte) error {
	if string(text) == hidden {
		return errors.New("is a secret that was printed, not the secret: write the real one, or leave it to its file or the environment")
	}
	s.text = string(text)
	return nil
}
