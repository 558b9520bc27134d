package config

import (
	"errors"
	"fmt"
	"io/fs"
	"net/mail"
	"os"
	"slices"
	"strings"
)

// Notices are who is told by mail that there is something to act on, and how; nil where nobody is.
type Notices struct {
	SMTP   SMTP     `yaml:"smtp"`
	From   string   `yaml:"from"`
	Digest string   `yaml:"digest"` // cron, in the hub's zone
	Quiet  []Quiet  `yaml:"quiet_hours"`
	People []Person `yaml:"people"`
}

// SMTP is the mail server.
type SMTP struct {
	Host         string `yaml:"host"`
	Port         int    `yaml:"port"` // 0 = 587 with starttls, 465 with tls, 25 with none
	TLS          string `yaml:"tls"`  // starttls, tls, or none (this machine only)
	CAFile       string `yaml:"ca_file"`
	User         string `yaml:"user"`
	PasswordFile string `yaml:"password_file"`
	Password     Secret `yaml:"-"` // KAPHUB_SMTP_PASSWORD, in place of the file
}

// Person is somebody at the practice who is told.
type Person struct {
	Name   string   `yaml:"name"` // short, and for ever: the store keeps it
	Email  string   `yaml:"email"`
	Roles  []string `yaml:"roles"`
	Urgent string   `yaml:"urgent"` // through (the default), waits or none
}

// roles are those of people at the practice.
var roles = []string{"therapist", "admin", "operator", "privacy officer"}

// notices checks who is told, and how.
func (c *Config) notices() []Problem {
	n := c.Notices
	if n == nil {
		return nil
	}
	var ps []Problem
	add := func(path, format string, args ...any) { ps = append(ps, c.Problem("notices"+path, format, args...)) }
	if c.Hub.PublicURL == "" {
		add("", "need hub.public_url: a mail holds no client data, only where to look; write the https address under which people reach the hub")
	}
	if n.Digest == "" {
		add(".digest", "is missing: write when it is mailed, like \"0 7 * * 1-5\"")
	}
	if n.From == "" {
		add(".from", "is missing: write the address that the mails come from, like \"Reverie <kaphub@example.org>\"")
	} else if !isAddress(n.From, true) {
		add(".from", "is no e-mail address: write it like kaphub@example.org, or \"Reverie <kaphub@example.org>\"")
	}
	ps = append(ps, c.smtp(&n.SMTP)...)
	if len(n.People) == 0 {
		add(".people", "is missing: write who is told, like {name: maya, email: maya@example.org, roles: [admin]}")
	}
	names, addresses := map[string]bool{}, map[string]bool{}
	for i, p := range n.People {
		at := fmt.Sprintf(".people[%d]", i)
		switch {
		case p.Name == "":
			add(at+".name", "is missing: write a short name in small letters, like maya")
		case !nameForm.MatchString(p.Name):
			add(at+".name", "%q is no name: use small letters, digits and hyphens, a letter first", p.Name)
		case names[p.Name]:
			add(at+".name", "%q is somebody's already: choose another", p.Name)
		}
		names[p.Name] = true
		switch address := strings.ToLower(p.Email); {
		case !isAddress(p.Email, false):
			add(at+".email", "is no e-mail address: write it alone, like maya@example.org")
		case addresses[address]:
			add(at+".email", "is somebody's already: write each address once, with all its roles")
		default:
			addresses[address] = true
		}
		if len(p.Roles) == 0 {
			add(at+".roles", "is missing: write some of %s", strings.Join(roles, ", "))
		}
		for j, role := range p.Roles {
			if !slices.Contains(roles, role) {
				add(fmt.Sprintf("%s.roles[%d]", at, j), "%q is none of %s", role, strings.Join(roles, ", "))
			}
		}
		if !slices.Contains([]string{"", "through", "waits", "none"}, p.Urgent) {
			add(at+".urgent", "%q is none of through (what must be acted on now is mailed at once, in the quiet hours too), waits (until they end) and none (the digest only)", p.Urgent)
		}
	}
	return ps
}

func (c *Config) smtp(s *SMTP) []Problem {
	var ps []Problem
	add := func(path, format string, args ...any) {
		ps = append(ps, c.Problem("notices.smtp"+path, format, args...))
	}
	if s.Host == "" {
		add(".host", "is missing: write the mail server's name, like smtp.example.org")
	} else if strings.ContainsAny(s.Host, ":/ ") {
		add(".host", "%q is no host: write the name alone, and the port as port", s.Host)
	}
	if s.Port < 0 || s.Port > 65535 {
		add(".port", "%d is no port: write 587, or leave it out", s.Port)
	}
	switch s.TLS {
	case "starttls", "tls":
	case "none":
		if s.Host != "" && !onThisMachine(s.Host) {
			add(".tls", "none is for a mail server on this machine only: write starttls, or tls where it is spoken from the first byte (port 465)")
		}
	default:
		add(".tls", "is none of starttls, tls (from the first byte, port 465) and none (this machine only)")
	}
	secret := s.PasswordFile != "" || !s.Password.IsZero()
	if s.User != "" && !secret {
		add(".password_file", "is missing: write the path of a file that holds the password of %s and nothing else, or set KAPHUB_SMTP_PASSWORD", s.User)
	}
	if s.User == "" && secret {
		add(".user", "is missing: there is a password, and nobody whose it is")
	}
	for _, f := range []struct{ key, name string }{{".password_file", s.PasswordFile}, {".ca_file", s.CAFile}} {
		if f.name == "" {
			continue
		}
		switch info, err := os.Stat(c.Path(f.name)); {
		case errors.Is(err, fs.ErrNotExist):
			add(f.key, "is not there (%s)", f.name)
		case err != nil || !info.Mode().IsRegular():
			add(f.key, "cannot be read (%s): name a file that the hub's user may read", f.name)
		case f.key == ".password_file" && info.Mode().Perm()&0o077 != 0:
			add(f.key, "may be read by others (mode %04o): run chmod 600 %s", info.Mode().Perm(), f.name)
		}
	}
	return ps
}

// isAddress reports whether text is one e-mail address, named where it may be.
func isAddress(text string, named bool) bool {
	a, err := mail.ParseAddress(text)
	if err != nil || strings.ContainsAny(text, "\r\n") || !strings.Contains(a.Address, "@") {
		return false
	}
	return named || a.Address == text
}
