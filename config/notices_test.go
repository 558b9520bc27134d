package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const told = `notices:
  smtp: {host: smtp.example.org, tls: starttls, user: hub, password_file: smtp}
  from: Reverie <kaphub@example.org>
  digest: "0 7 * * 1-5"
  quiet_hours: ["20:00-07:00"]
  people:
    - {name: maya, email: maya@example.org, roles: [admin, operator]}
    - {name: tara, email: tara@example.org, roles: [therapist], urgent: waits}
`

func TestNotices(t *testing.T) {
	public := strings.Replace(small, "hub: {", "hub: {public_url: https://hub.example.org, ", 1)
	for _, c := range []struct {
		name, old, new string
		env            []string
		want           []string // none = it is well
	}{
		{name: "as they should be"},
		{name: "without an address to look at", old: "public_url: https://hub.example.org, ", want: []string{"7:1 notices need hub.public_url"}},
		{name: "an address from the environment will do", old: "public_url: https://hub.example.org, ", env: []string{"KAPHUB_PUBLIC_URL=https://hub.example.org"}},
		{name: "an open line to a far server", old: "tls: starttls", new: "tls: none", want: []string{"8:34 notices.smtp.tls none is for a mail server on this machine only"}},
		{name: "an open line on this machine", old: "host: smtp.example.org, tls: starttls", new: "host: 127.0.0.1, tls: none"},
		{name: "no tls at all", old: ", tls: starttls", want: []string{"8:3 notices.smtp.tls is none of starttls"}},
		{name: "a host with its port", old: "host: smtp.example.org", new: `host: "smtp.example.org:587"`, want: []string{"notices.smtp.host"}},
		{name: "a password in the file", old: "password_file: smtp", new: "password: hunter2", want: []string{"notices.smtp.password is no key here", "notices.smtp.password_file is missing"}},
		{name: "a password from the environment", old: ", password_file: smtp", env: []string{"KAPHUB_SMTP_PASSWORD=hunter2"}},
		{name: "a password and nobody whose it is", old: "user: hub, ", want: []string{"notices.smtp.user is missing"}},
		{name: "a password file that is not there", old: "password_file: smtp", new: "password_file: gone", want: []string{"notices.smtp.password_file is not there (gone)"}},
		{name: "a password file for everybody", old: "password_file: smtp", new: "password_file: open", want: []string{"may be read by others (mode 0644): run chmod 600 open"}},
		{name: "everything wrong with people is told at once", old: "{name: maya, email: maya@example.org, roles: [admin, operator]}", new: `{name: Maya Smith, email: "Tara <tara@example.org>", roles: [boss], urgent: maybe}`,
			want: []string{`notices.people[0].name "Maya Smith" is no name`, "notices.people[0].email is no e-mail address", `notices.people[0].roles[0] "boss" is none of`, `notices.people[0].urgent "maybe" is none of`}},
		{name: "one person twice", old: "name: tara, email: tara@example.org", new: "name: maya, email: Maya@Example.org", want: []string{"notices.people[1].name", "notices.people[1].email is somebody's already"}},
		{name: "nobody", old: "  people:\n    - {name: maya, email: maya@example.org, roles: [admin, operator]}\n    - {name: tara, email: tara@example.org, roles: [therapist], urgent: waits}\n", want: []string{"notices.people is missing"}},
		{name: "no digest", old: "  digest: \"0 7 * * 1-5\"\n", want: []string{"notices.digest is missing"}},
		{name: "a sender that is none", old: "Reverie <kaphub@example.org>", new: "Reverie", want: []string{"notices.from is no e-mail address"}},
		{name: "a sender that is two headers", old: "Reverie <kaphub@example.org>", new: `"a@b.example\r\nBcc: x@y.example"`, want: []string{"notices.from is no e-mail address"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := write(t, strings.Replace(public+told, c.old, c.new, 1))
			for name, mode := range map[string]os.FileMode{"smtp": 0o600, "open": 0o644} {
				if err := os.WriteFile(filepath.Join(filepath.Dir(path), name), []byte("hunter2"), mode); err != nil {
					t.Fatal(err)
				}
			}
			got, err := Load(path, c.env)
			if len(c.want) == 0 {
				if err != nil {
					t.Fatal(err)
				}
				if n := got.Notices; n == nil || len(n.People) != 2 || n.People[1].Urgent != "waits" || len(n.Quiet) != 1 || n.SMTP.Password.IsZero() == (c.env != nil && strings.Contains(c.env[0], "PASSWORD")) {
					t.Errorf("read as %+v", got.Notices)
				}
				return
			}
			said := problems(t, err)
			for _, want := range c.want {
				if !strings.Contains(said, want) {
					t.Errorf("it is not said that %s:\n%s", want, said)
				}
			}
			if strings.Contains(said, "hunter2") {
				t.Error("the password is told")
			}
		})
	}
	if c, err := Load(write(t, small), nil); err != nil || c.Notices != nil {
		t.Errorf("without the block somebody is told: %v", err)
	}
}
