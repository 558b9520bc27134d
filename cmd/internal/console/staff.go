package console

import (
	"strings"

	"github.com/kaphub/kaphub/cmd/internal/people"
	"github.com/kaphub/kaphub/fhir/readiness"
	"github.com/kaphub/kaphub/jobs/report"
)

// colleague is who of the practice does what a therapist cannot.
type colleague struct {
	Title string // "the practice’s admin"
	Names string // of those who have such an account; "" = nobody is known
	Phone string // the practice's own; "" = none is on file
}

// String says whom to tell, by name and number where they are known.
func (c colleague) String() string {
	s := c.Title
	if c.Names != "" {
		s += ", " + c.Names
	}
	if c.Phone != "" {
		s += " (" + c.Phone + ")"
	}
	return s
}

// roleOf is who of the practice acts where somebody who treats clients cannot, and how they are called.
var roleOf = map[readiness.Owner]struct {
	role  people.Role
	title string
}{
	readiness.Admin:    {people.Admin, "the practice’s admin"},
	readiness.Operator: {people.Operator, "whoever looks after the hub"},
	readiness.Privacy:  {people.Privacy, "the privacy officer"},
}

// mostNamed is how many people are named for one role.
const mostNamed = 2

// staff is whom to tell of what is somebody else's to do: by name where the practice has such an account, else the owner's.
func (v *visit) staff() (map[readiness.Owner]colleague, error) {
	all, err := v.Accounts.Accounts(v.ctx())
	if err != nil {
		return nil, err
	}
	called := func(role people.Role) string {
		var names []string
		for _, a := range all {
			if a.Is(role) && len(names) < mostNamed {
				names = append(names, a.Name)
			}
		}
		return strings.Join(names, " or ")
	}
	out, owner := map[readiness.Owner]colleague{}, called(people.Owner)
	for who, is := range roleOf {
		one := colleague{Title: is.title, Names: called(is.role), Phone: v.Staff.Phone()}
		if one.Names == "" && owner != "" {
			one.Names = "or the owner, " + owner
		}
		out[who] = one
	}
	return out, nil
}

// actsByName says on whom a step waits and who takes it, by name where staff knows them.
func actsByName(owner, takes readiness.Owner, staff map[readiness.Owner]colleague) string {
	return report.WhoActs(byName(owner, staff), byName(takes, staff))
}

// byName is who acts, with the names of those who have such an account.
func byName(who readiness.Owner, staff map[readiness.Owner]colleague) readiness.Owner {
	if names := staff[who].Names; names != "" {
		return who + ", " + readiness.Owner(names)
	}
	return who
}
