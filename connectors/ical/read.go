package ical

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/kaphub/kaphub/connectors"
	"github.com/kaphub/kaphub/connectors/internal/rest"
	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/exchange"
)

// read reads the feed as it stands now. What was read last is used again where the server says that nothing changed.
func (f *feed) read(ctx context.Context) (*calendar, error) {
	if err := ctx.Err(); err != nil {
		return nil, &connectors.Error{Op: f.op("read"), Fault: connectors.Temporary, Err: err}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	var body []byte
	var answer rest.Answer
	var err error
	if f.File != "" {
		body, err = f.fromFile()
	} else {
		answer, err = f.fetch(ctx)
		body = answer.Body
	}
	if err != nil {
		return nil, err
	}
	if answer.Unchanged && f.last != nil {
		return f.last, nil
	}
	cal, err := readCalendar(string(body), &f.Options)
	if err != nil {
		e := connectors.Errorf(f.op("read"), connectors.Garbled, "%w", err)
		e.Hint = "open the calendar's address in a browser: it must answer with a calendar (ICS), and no page to sign in"
		return nil, e
	}
	f.last, f.etag, f.since = cal, answer.ETag, answer.Modified
	return cal, nil
}

func (f *feed) fromFile() ([]byte, error) {
	file, err := os.Open(f.File)
	if err != nil {
		e := connectors.Errorf(f.op("read"), connectors.Temporary, "the calendar's file cannot be opened")
		e.Hint = "is it there, and may the hub's user read it?"
		return nil, e
	}
	defer func() { _ = file.Close() }()
	body, err := io.ReadAll(io.LimitReader(file, f.Limits.MaxBody+1))
	if err != nil {
		return nil, connectors.Errorf(f.op("read"), connectors.Temporary, "the calendar's file cannot be read")
	}
	if int64(len(body)) > f.Limits.MaxBody {
		return nil, connectors.Errorf(f.op("read"), connectors.Garbled, "the calendar's file is larger than %d bytes", f.Limits.MaxBody)
	}
	return body, nil
}

// fetch asks the server. Its address is the secret: no error, and no hint, repeats it.
func (f *feed) fetch(ctx context.Context) (rest.Answer, error) {
	at, err := f.Address()
	if err != nil {
		return rest.Answer{}, f.noAddress("cannot be read")
	}
	if at = strings.TrimSpace(at); strings.HasPrefix(strings.ToLower(at), "webcal://") {
		at = "https" + at[len("webcal"):]
	}
	if f.client == nil || at != f.at {
		base, _ := rest.Origin(at)
		client, err := rest.New(rest.Options{Base: base, Auth: rest.Auth{Kind: rest.AuthLink}, Limits: f.Limits, Now: f.Now})
		if err != nil {
			return rest.Answer{}, f.noAddress("is none that may be read: it must begin with https://, or lie on this machine")
		}
		f.client, f.at, f.etag, f.since, f.last = client, at, "", "", nil
	}
	call := rest.Call{Op: f.op("read"), Link: at, Accept: "text/calendar"}
	if f.last != nil {
		call.IfNoneMatch, call.IfModifiedSince = f.etag, f.since
	}
	answer, err := f.client.Do(ctx, call)
	if e, ok := errors.AsType[*connectors.Error](err); ok {
		switch e.Fault {
		case connectors.Denied:
			e.Hint = "the calendar's secret address was taken back: make a new one there, and put it in the old one's place"
		case connectors.Refused:
			e.Hint = "the calendar is not at this address any more: look up its secret address again"
		default:
			e.Hint = "is the calendar's server reachable from here?"
		}
	}
	return answer, err
}

func (f *feed) noAddress(why string) error {
	e := connectors.Errorf(f.op("read"), connectors.Denied, "the calendar's address %s", why)
	e.Hint = "put the calendar's secret address (ICS) into the file or variable that the config names"
	return e
}

// Read returns a record as the feed tells it now; exchange.ErrNotFound when the window has none of it.
func (f *feed) Read(ctx context.Context, ref fhir.Ref) (fhir.Resource, error) {
	cal, err := f.read(ctx)
	if err != nil {
		return fhir.Resource{}, err
	}
	now := f.Now()
	list, _ := cal.occurrences(now.Add(-f.Back-beyond), now.Add(f.Ahead+beyond))
	for _, o := range list {
		for _, e := range f.entries(o) {
			switch {
			case e.ref == ref:
				return fhir.Parse(e.body, "Appointment")
			case ref.Type == "Patient" && ref.ID == patientID(e.token):
				body, _ := barePatient(e.token)
				return fhir.Parse(body, "Patient")
			}
		}
	}
	return fhir.Resource{}, &connectors.Error{Op: f.op("read " + ref.Type), Fault: connectors.Refused, Err: exchange.ErrNotFound}
}

// Check tells what the calendar offers, in numbers.
func (f *feed) Check(ctx context.Context) (connectors.Report, error) {
	cal, err := f.read(ctx)
	if err != nil {
		return connectors.Report{}, err
	}
	now := f.Now()
	list, endless := cal.occurrences(now.Add(-f.Back), now.Add(f.Ahead))
	marked, sorted, unsorted, group := 0, 0, 0, 0
	tokens := map[string]bool{}
	for _, o := range list {
		if len(o.tokens) == 0 {
			continue
		}
		marked++
		if len(o.tokens) > 1 {
			group++
		}
		if o.kind != "" {
			sorted++
		} else {
			unsorted++
		}
		for _, t := range o.tokens {
			tokens[t] = true
		}
	}
	r := connectors.Report{Software: "iCalendar feed"}
	say := func(level, about, format string, args ...any) {
		r.Lines = append(r.Lines, connectors.Line{Level: level, About: about, Text: fmt.Sprintf(format, args...)})
	}
	say("works", "events", "%d from %s to %s; nothing is kept of those without a token, and of the others the times, the token and the kind",
		len(list), now.Add(-f.Back).In(f.Zone).Format("Mon 2 Jan 2006"), now.Add(f.Ahead).In(f.Zone).Format("Mon 2 Jan 2006"))
	switch {
	case marked == 0 && len(list) > 0:
		say("degrades", "tokens", "no event has a token: write each client's token into the titles, and see that the calendar shares titles and not only busy times")
	default:
		say("works", "tokens", "%s with a token; of different ones: %d; of more than one client: %d", events(marked), len(tokens), group)
	}
	if unsorted > 0 {
		say("degrades", "kinds", "with a token and of a known kind: %s, of none: %d; of these, those of 90 minutes or longer count as dosing sessions until a rule under kinds says otherwise", events(sorted), unsorted)
	} else {
		say("works", "kinds", "%s with a token, none of an unknown kind", events(sorted))
	}
	if n := len(cal.faults) + len(endless); n > 0 {
		say("degrades", "unreadable", "%s cannot be read; kaphub rejects shows those with a token", events(n))
	}
	say("impossible", "what happened", "a calendar does not tell whether a session took place: a person records it")
	say("impossible", "writing", "the hub writes nothing into a calendar")
	return r, nil
}

// events counts in words.
func events(n int) string {
	if n == 1 {
		return "1 event"
	}
	return fmt.Sprintf("%d events", n)
}
