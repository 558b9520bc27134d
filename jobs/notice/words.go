package notice

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/kaphub/kaphub/connectors"
	"github.com/kaphub/kaphub/fhir/exchange"
	"github.com/kaphub/kaphub/fhir/readiness"
)

// Letterhead is what every mail bears.
type Letterhead struct {
	Practice string
	Link     string // where to look: hub.public_url
}

var states = []readiness.State{readiness.Hold, readiness.Unknown, readiness.NotReady, readiness.InOrder, readiness.Ready}

// Message is the mail of m: counts and a link, and nothing of any client, not even a key.
func (k Known) Message(m exchange.Mail, head Letterhead) connectors.Message {
	p, _ := k.person(m.Person)
	msg := connectors.Message{ID: m.ID, To: m.Address, Date: k.Now, Urgent: m.Kind == exchange.MailUrgent}
	at := k.Now.In(k.Zone)
	var b strings.Builder
	switch m.Kind {
	case exchange.MailDigest:
		msg.Subject = "kaphub " + at.Format("Mon 2 Jan") + ": " + toAct(m.Count)
		if n := len(m.About); n > 0 {
			msg.Subject += fmt.Sprintf(", %d now", n)
		}
		fmt.Fprintf(&b, "%s, %s\nFor the %s:\n\n", head.Practice, at.Format("Mon 2 Jan 2006 15:04 MST"), roles(p))
		k.grades(&b, p)
		fmt.Fprintf(&b, "\n%s\n", k.board())
	case exchange.MailUrgent:
		msg.Subject = "kaphub " + at.Format("Mon 2 Jan 15:04") + ": " + toAct(m.Count) + " now"
		fmt.Fprintf(&b, "%s, %s\nFor the %s: %s now that you were not told of before.\n\n", head.Practice, at.Format("Mon 2 Jan 2006 15:04 MST"), roles(p), toAct(m.Count))
		k.grades(&b, p)
	default:
		msg.Subject = "kaphub: a test"
		fmt.Fprintf(&b, "%s, %s\nSomebody asked the hub for this mail, to see whether mail arrives. It has.\n", head.Practice, at.Format("Mon 2 Jan 2006 15:04 MST"))
	}
	fmt.Fprintf(&b, "\nLook: %s\n\nThis mail holds no client data. The hub reports what is recorded; it decides nothing.\n", head.Link)
	if m.Kind == exchange.MailDigest {
		b.WriteString("It comes when there is nothing to do, too: where it does not come, the hub or its mail is broken.\n")
	}
	msg.Text = b.String()
	return msg
}

func toAct(n int) string {
	if n == 0 {
		return "nothing to act on"
	}
	return fmt.Sprintf("%d to act on", n)
}

// grades counts what p is to act on by how soon.
func (k Known) grades(b *strings.Builder, p Person) {
	n, now := k.of(p)
	fmt.Fprintf(b, "%4d  to act on now\n%4d  besides, before a session or this week\n", len(now), n-len(now))
}

// board counts the clients by state.
func (k Known) board() string {
	var parts []string
	sum := 0
	for _, s := range states {
		if n := k.Board.States[s]; n > 0 {
			sum += n
			parts = append(parts, fmt.Sprintf("%d %s", n, s))
		}
	}
	switch sum {
	case 0:
		return "No clients yet."
	case 1:
		return "1 client: " + parts[0] + "."
	}
	return fmt.Sprintf("%d clients: %s.", sum, strings.Join(parts, ", "))
}

// roles are somebody's roles in words.
func roles(p Person) string {
	var names []string
	for _, r := range Roles {
		if slices.Contains(p.Roles, r) {
			names = append(names, string(r))
		}
	}
	if len(names) < 2 {
		return strings.Join(names, "")
	}
	return strings.Join(names[:len(names)-1], ", ") + " and " + names[len(names)-1]
}

// Test is a mail that somebody asked for.
func Test(p Person, now time.Time) exchange.Mail {
	return exchange.Mail{ID: fmt.Sprintf("test-%s-%d", p.Name, now.UnixMilli()), Kind: exchange.MailTest, Person: p.Name, Address: p.Address,
		State: exchange.MailWaiting, Due: now}
}
