package notice

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/kaphub/kaphub/connectors"
	"github.com/kaphub/kaphub/fhir/exchange"
)

const (
	gather = 5 * time.Minute // between two urgent mails to one person: what comes up meanwhile is told in one
	lease  = 5 * time.Minute // a try that was not heard of for so long is over
)

// Plan decides which mails there are to be, and which there are not to be any more. A mail stands still until it is due.
//
//	a digest is asked for, and none is there for the day      a digest, waiting
//	  in quiet hours                                          for the day on which they end
//	S1 that is theirs, and told to them in no mail            an urgent mail, waiting
//	  and a digest goes now                                   that one tells of it
//	  and one waits that was never tried                      that one tells of it too
//	  and one was sent a moment ago                           waiting a few minutes, to gather
//	  it came up again                                        as if it had never been told
//	S1 that was told                                          nothing, however long it lasts
//	a digest whose day is over                                over
//	an urgent mail of whose findings none stands any more,    over
//	  or that was never tried, and a digest told of them
//	a mail to somebody who is told no more                    over
//	a digest whose try was never heard of again               uncertain: it counts as sent
func Plan(k Known) (steps []exchange.Mail) {
	for _, m := range k.Mails {
		if why, state := k.ends(m); why != "" {
			m.State, m.Why = state, why
			steps = append(steps, m)
		}
	}
	for _, p := range k.People {
		m, is := k.digest(p)
		if is {
			steps = append(steps, m)
		}
		if is && !m.Due.After(k.Now) || k.digestGoes(p) {
			continue
		}
		if m, is := k.urgent(p); is {
			steps = append(steps, m)
		}
	}
	return steps
}

// ends says why m comes to its end unsent, "" when it does not.
func (k Known) ends(m exchange.Mail) (why string, state exchange.MailState) {
	p, there := k.person(m.Person)
	underway := m.State == exchange.MailTrying && k.Now.Before(m.Due)
	switch {
	case m.Ended() || underway:
		return "", ""
	case m.Kind != exchange.MailUrgent && m.State == exchange.MailTrying:
		return "the hub was stopped while it was sent", exchange.MailUncertain
	case !there || m.Kind == exchange.MailUrgent && p.Urgent == Never:
		return "they are told no more", exchange.MailOver
	case m.Kind == exchange.MailDigest && m.Day < k.day(k.Now):
		return "its day is over" + after(m), exchange.MailOver
	case m.Kind == exchange.MailUrgent && len(k.stands(p, m.About)) == 0:
		return "nothing of it stands any more" + after(m), exchange.MailOver
	case m.Kind == exchange.MailUrgent && m.Attempts == 0 && k.digestTold(p, m.About):
		return "a digest told of it", exchange.MailOver
	}
	return "", ""
}

// digestGoes reports whether a digest to p is tried for the first time now.
func (k Known) digestGoes(p Person) bool {
	return slices.ContainsFunc(k.Mails, func(m exchange.Mail) bool {
		return m.Kind == exchange.MailDigest && m.Person == p.Name && m.State == exchange.MailWaiting && m.Attempts == 0 && m.Day == k.day(k.Now) && !m.Due.After(k.Now) && !k.Quiet.After(k.Now)
	})
}

// digestTold reports whether digests told p of all of about that still stands.
func (k Known) digestTold(p Person, about []exchange.Told) bool {
	told := told(k.Mails, p, func(m exchange.Mail) bool { return m.Kind == exchange.MailDigest && tells(m) })
	return !slices.ContainsFunc(k.stands(p, about), func(t exchange.Told) bool { return k.news(told, t.What) })
}

// told is what p was told of by the mails that count, and as of when at last.
func told(mails []exchange.Mail, p Person, counts func(exchange.Mail) bool) map[string]time.Time {
	told := map[string]time.Time{}
	for _, m := range mails {
		if m.Person != p.Name || !counts(m) {
			continue
		}
		for _, t := range m.About {
			if t.At.After(told[t.What]) {
				told[t.What] = t.At
			}
		}
	}
	return told
}

// news reports whether what stands on the board was not told, or came up again since.
func (k Known) news(told map[string]time.Time, what string) bool {
	at, is := told[what]
	return !is || at.Before(k.Board.Opened[what])
}

// after is what the tries before came to.
func after(m exchange.Mail) string {
	if m.Why == "" {
		return ""
	}
	return "; " + m.Why
}

// digest is the day's, unless there is one.
func (k Known) digest(p Person) (m exchange.Mail, is bool) {
	if !k.DigestNow {
		return m, false
	}
	due := k.Now
	if k.Quiet.After(due) {
		due = k.Quiet
	}
	day := k.day(due)
	if slices.ContainsFunc(k.Mails, func(m exchange.Mail) bool {
		return m.Kind == exchange.MailDigest && m.Person == p.Name && m.Day >= day
	}) {
		return m, false
	}
	return exchange.Mail{ID: "digest-" + p.Name + "-" + day, Kind: exchange.MailDigest, Person: p.Name, Address: p.Address, Day: day,
		State: exchange.MailWaiting, Due: due}, true
}

// urgent is what must be acted on now and p was not told yet.
func (k Known) urgent(p Person) (m exchange.Mail, is bool) {
	if p.Urgent == Never {
		return m, false
	}
	due := k.Now
	for _, was := range k.Mails {
		if was.Person != p.Name || was.Kind != exchange.MailUrgent {
			continue
		}
		if was.Attempts > 0 && due.Before(was.At.Add(gather)) && !was.At.After(k.Now) {
			due = was.At.Add(gather)
		}
		if was.State == exchange.MailWaiting && was.Attempts == 0 {
			m = was
		}
	}
	about := slices.Clone(m.About)
	told := told(k.Mails, p, tells)
	_, now := k.of(p)
	for _, what := range now {
		if k.news(told, what) {
			about = append(about, k.tell(what))
		}
	}
	if len(about) == len(m.About) {
		return m, false
	}
	if m.ID == "" { // the commit it is decided at is in no other: whoever decides on an older one is refused
		m = exchange.Mail{ID: fmt.Sprintf("urgent-%s-%d", p.Name, k.AsOf), Kind: exchange.MailUrgent, Person: p.Name, Address: p.Address, State: exchange.MailWaiting, Due: due}
	}
	m.About = about
	return m, true
}

// tells reports whether a mail tells its person of what it is about, or will. A digest that may not have arrived has not
// told of S1.
func tells(m exchange.Mail) bool {
	if m.Kind == exchange.MailUrgent {
		return m.State != exchange.MailOver
	}
	return m.State == exchange.MailSent
}

// tell is that somebody is told now of what stands on the board. Clocks of replicas differ: it is never before it came up.
func (k Known) tell(what string) exchange.Told {
	if opened := k.Board.Opened[what]; opened.After(k.Now) {
		return exchange.Told{What: what, At: opened}
	}
	return exchange.Told{What: what, At: k.Now}
}

// stands are those of about that p must still act on now.
func (k Known) stands(p Person, about []exchange.Told) (still []exchange.Told) {
	_, now := k.of(p)
	for _, t := range about {
		if slices.Contains(now, t.What) {
			still = append(still, t)
		}
	}
	return still
}

// Due are the mails to be tried now, the urgent ones first.
//
//	waiting, due                               now
//	trying, and not heard of since its lease   now, if it is urgent: rather twice than never
//	a digest, in quiet hours                   not now
//	urgent, in quiet hours                     as that person wants it
//	urgent, never tried, and a digest goes     not now: that one may tell of it
func Due(k Known) (list []exchange.Mail) {
	quiet := k.Quiet.After(k.Now)
	for _, m := range k.Mails {
		p, there := k.person(m.Person)
		hushed := quiet && (m.Kind == exchange.MailDigest || m.Kind == exchange.MailUrgent && p.Urgent != Through)
		if m.Kind == exchange.MailUrgent && m.Attempts == 0 && k.digestGoes(p) {
			continue
		}
		if there && !m.Ended() && !hushed && !m.Due.After(k.Now) && (m.State == exchange.MailWaiting || m.Kind == exchange.MailUrgent) {
			list = append(list, m)
		}
	}
	slices.SortStableFunc(list, func(a, b exchange.Mail) int { return cmp.Compare(rank(a), rank(b)) })
	return list
}

func rank(m exchange.Mail) int {
	if m.Kind == exchange.MailUrgent {
		return 0
	}
	return 1
}

// Try is m with a try begun: to be committed before the mail is sent.
func (k Known) Try(m exchange.Mail) exchange.Mail {
	p, _ := k.person(m.Person)
	m.State, m.Attempts, m.Due, m.Address, m.Why = exchange.MailTrying, m.Attempts+1, k.Now.Add(lease), p.Address, ""
	switch m.Kind {
	case exchange.MailDigest:
		n, now := k.of(p)
		m.About, m.Count = nil, n
		for _, what := range now {
			m.About = append(m.About, k.tell(what))
		}
	case exchange.MailUrgent:
		m.About = k.stands(p, m.About)
		m.Count = len(m.About)
	}
	return m
}

// Ended is m after its try came to err, at now.
//
//	taken              sent
//	later              waiting: 1, 5, then every 15 minutes
//	refused, denied    waiting: 1, 5, 15 minutes, 1 hour, then every 6
//	nobody can tell    a digest, or a test: uncertain, it counts as sent; urgent: waiting as after a refusal, for as long as it stands
func Ended(m exchange.Mail, err error, now time.Time) exchange.Mail {
	m.State, m.Why = exchange.MailWaiting, ""
	if err == nil {
		m.State = exchange.MailSent
		return m
	}
	m.Why = connectors.Why(err)
	doubt, fault := connectors.MayHaveArrived(err), connectors.FaultOf(err)
	if doubt && m.Kind != exchange.MailUrgent {
		m.State = exchange.MailUncertain
	}
	steps := []time.Duration{time.Minute, 5 * time.Minute, 15 * time.Minute}
	if doubt || fault == connectors.Refused || fault == connectors.Denied {
		steps = append(steps, time.Hour, 6*time.Hour)
	}
	if m.Kind == exchange.MailTest && m.State == exchange.MailWaiting {
		m.State = exchange.MailOver // whoever asked for it sees why, and asks again
	}
	m.Due = now.Add(steps[min(m.Attempts, len(steps))-1])
	return m
}

// day is the civil day of t at the practice.
func (k Known) day(t time.Time) string { return t.In(k.Zone).Format(time.DateOnly) }
