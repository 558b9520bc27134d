package console

import (
	"cmp"
	"strings"
	"time"

	"github.com/kaphub/kaphub/fhir/readiness"
	"github.com/kaphub/kaphub/jobs/report"
)

// line is a client in a list, and what is shown beside them.
type line struct {
	frame
	report.Client
	ID      string // of the element
	Several bool   // prescribers: say whose
	Booked  bool   // say when the session is
	To      string
	Reach   readiness.Reach               // the prescriber, where they are to be called; none: nobody is
	Staff   map[readiness.Owner]colleague // as of the page
	House   calling                       // the practice, where a colleague acts and nobody else is to be called
	Own     bool                          // to the client's therapist
	Told    bool                          // above, in full
}

// notMedical ends the words of READY.
const notMedical = ". Not a medical decision."

// Says are the words of the verdict, with what was recorded of the day where all of it is.
func (l line) Says() string {
	switch {
	case l.Own && l.Stop != "" && l.Why == "": // as the card says it
		return l.Stop
	case l.Done.IsZero():
		return l.Words
	}
	return strings.TrimSuffix(l.Words, notMedical) + "; arrival checks and go-ahead recorded " + l.Clock(l.Done) + notMedical
}

// Begun is since when the next step is to be done; zero where nobody knows, or a therapist has just read it.
func (l line) Begun() time.Time {
	if l.Own && !l.Since.IsZero() && strings.Contains(l.Says(), l.Day(l.Since)) {
		return time.Time{}
	}
	return l.Since
}

// Acts says on whom the next step waits and who takes it.
func (l line) Acts() string { return actsByName(l.Owner, l.Takes, l.Staff) }

// Acts is as of a line.
func (p todayPage) Acts(owner, takes readiness.Owner) string {
	return actsByName(owner, takes, p.Staff)
}

// Line is how a client stands in a list.
func (p todayPage) Line(list string, c report.Client) line {
	if i := strings.LastIndex(c.Words, " ("+string(c.Owner)); i > 0 && c.Owner != "" && c.Next != "" && strings.HasSuffix(c.Words, ")") {
		c.Words = c.Words[:i] // who, and since when, stands beside the next step
	}
	if p.Own != "" {
		c.Therapist = "" // they all are with whoever looks
		if to, ok := p.Staff[c.Owner]; ok && c.Owner != readiness.Admin {
			c.Owner, c.Takes, c.Next = readiness.Therapist, "", "tell "+to.String() // what they cannot do themselves, nor see
			if c.State == readiness.Unknown {
				c.Next += "; until then ask " + c.Prescriber
			}
		}
	}
	l := line{frame: p.frame, Client: c, To: p.To(c), ID: list + "-" + slug(c.Key+" "+c.Prescriber), Several: p.Several, Staff: p.Staff, Own: p.Own != "", Told: list == "session" && p.Told(c), Booked: list != "session" && list != "later"}
	if r := p.Reaches[c.With]; r.Phone != "" && (c.State == readiness.Hold || c.State == readiness.Unknown || c.State == readiness.NotReady && (c.Owner == readiness.Prescriber || strings.Contains(c.Next, c.Prescriber))) {
		l.Reach = r
		l.Next = p.withoutNumber(c.Next, r) // it stands by itself
	}
	if to := p.Staff[cmp.Or(l.Takes, l.Owner)]; l.Reach.Phone == "" {
		l.House = calling{Phone: to.Phone, Tel: dialled(to.Phone)}
	}
	return l
}

// Besides names what is open beside what the row tells of.
func (l line) Besides() string {
	var names []string
	for _, g := range l.Also {
		names = append(names, strings.ToLower(cmp.Or(gateTitles[g], string(g))))
	}
	if l.Else > 0 {
		names = append(names, many(l.Else, "more finding", "more findings"))
	}
	return strings.Join(names, ", ")
}

// Called is the chosen name, or the hub's key.
func (l line) Called() string { return cmp.Or(l.Chosen, l.Key) }
