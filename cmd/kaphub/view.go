package main

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/readiness"
	"github.com/kaphub/kaphub/jobs/report"
)

// point is from where the hub is looked at: what it knew at a moment, asked at a time. The same point gives the same
// answer for ever.
type point struct {
	moment fhir.Moment
	at     time.Time
}

// present is now: the newest moment, by this clock. The settings of now are kept first.
func (h *hub) present(ctx context.Context) (point, error) {
	if err := h.apply(ctx); err != nil {
		return point{}, err
	}
	moment, err := h.store.Newest(ctx)
	return point{moment, h.now().UTC().Truncate(time.Millisecond)}, err
}

// first is the earliest point that can be looked at; zero when there is none yet.
func (h *hub) first(ctx context.Context) (point, error) {
	moment, err := h.store.SettingSince(ctx, inForce)
	if err != nil || moment == 0 {
		return point{}, err
	}
	entry, err := h.store.Logged(ctx, moment)
	return point{moment, entry.At}, err
}

// when reads a flag that names a point: "" and "now" are now, "first" the first that can be looked at, @1234 a moment of the audit log and its time, else a time, of which what
// had been recorded up to then was known. now reports whether it is now, and may be looked at a little later.
func (h *hub) when(ctx context.Context, flag, word string) (p point, now bool, err error) {
	present, err := h.present(ctx)
	if err != nil || word == "" || word == "now" {
		return present, true, err
	}
	if word == "first" {
		p, err = h.first(ctx)
		return p, false, err
	}
	newest, err := h.store.Logged(ctx, present.moment)
	if err != nil {
		return p, false, err
	}
	if text, ok := strings.CutPrefix(word, "@"); ok {
		n, err := strconv.ParseInt(text, 10, 64)
		switch {
		case err != nil || n < 1:
			return p, false, noMoment("%s %q is no moment: write @ and the number of an entry, as kaphub audit list shows them", flag, word)
		case fhir.Moment(n) > present.moment:
			return p, false, noMoment("%s lies in the future: the newest moment is @%d", flag, present.moment)
		}
		entry, err := h.store.Logged(ctx, fhir.Moment(n))
		return point{fhir.Moment(n), entry.At}, false, err
	}
	latest := present.at
	if newest.At.After(latest) { // the clock was set back
		latest = newest.At
	}
	at, err := pastAt(flag, word, h.config.Location(), latest)
	if err != nil {
		return present, true, unseeable{err}
	}
	if at.IsZero() {
		return present, true, nil
	}
	at = at.UTC().Truncate(time.Millisecond)
	moment, err := h.store.MomentAt(ctx, at)
	if err == nil && moment == 0 {
		var begins point
		if begins, err = h.first(ctx); err == nil {
			err = noMoment("nothing was known at %s: the hub's records begin on %s", h.local(at), h.local(begins.at))
		}
	}
	return point{moment, at}, false, err
}

// unseeable is a point that somebody typed and that cannot be looked at: a mistake of theirs, and none of the hub's.
type unseeable struct{ error }

func (u unseeable) Unwrap() error { return u.error }

func noMoment(format string, args ...any) error { return unseeable{fmt.Errorf(format, args...)} }

// look notes in the audit log who looks at what, and has that shown: of the client whom word names, or of all. What is
// shown as of now is what stood at the audit's own entry: --as-of with its time, or with its moment, shows the same once
// more, byte for byte.
func (h *hub) look(ctx context.Context, action, asOf, word string, show func(in report.Input, client string) error) error {
	p, now, err := h.when(ctx, "--as-of", asOf)
	if err != nil {
		return err
	}
	client := ""
	if word != "" {
		in, err := h.viewAt(ctx, p, "")
		if err != nil {
			return err
		}
		if client, err = find(in, word); err != nil {
			return err
		}
	} else if _, err := h.policiesAt(ctx, p.moment); err != nil {
		return err
	}
	seen, at, err := h.store.Look(ctx, h.actor, action, client, asOf)
	if err != nil {
		return err
	}
	if now {
		p = point{seen, at}
	}
	in, err := h.viewAt(ctx, p, client)
	if err != nil {
		return err
	}
	return show(in, client)
}

// view is viewAt of now, for everybody.
func (h *hub) view(ctx context.Context) (report.Input, error) {
	p, err := h.present(ctx)
	if err != nil {
		return report.Input{}, err
	}
	return h.viewAt(ctx, p, "")
}

// viewAt gathers what was known and decided at a point, of one client alone or, with "", of all. Now is a point like any
// other. Every verdict in it has passed readiness.Current: a verdict shown is a verdict checked (law 8).
func (h *hub) viewAt(ctx context.Context, p point, client string) (report.Input, error) {
	in, err := h.standing(ctx, p, client)
	if err != nil {
		return in, err
	}
	if in.Rejects, err = h.store.RejectsAt(ctx, p.moment); err != nil {
		return in, err
	}
	if in.Deliveries, err = h.store.Open(ctx, p.moment); err != nil {
		return in, err
	}
	states, err := h.store.Sources(ctx, p.moment)
	if err != nil {
		return in, err
	}
	in.Strays, err = h.straysAt(ctx, states, p)
	return in, err
}

// standing is viewAt without what is nobody's yet and what is under way for everybody: of one client it costs the same
// however many there are.
func (h *hub) standing(ctx context.Context, p point, client string) (report.Input, error) {
	in := report.Input{Generated: p.at, AsOf: p.at, Titles: map[string]string{}, Reaches: map[string]readiness.Reach{}}
	policies, err := h.policiesAt(ctx, p.moment)
	if err != nil {
		return in, err
	}
	in.Practice, in.Zone = policies[0].Practice.Title, policies[0].Zone
	in.Titles[fhir.Practice] = in.Practice
	for _, one := range policies {
		in.Titles[one.Prescriber.Name] = one.Prescriber.Title
		in.Reaches[one.Prescriber.Name] = one.Sheet.Reach(p.at, one.Zone)
	}
	states, err := h.sourcesAt(ctx, p)
	if err != nil {
		return in, err
	}
	in.Sources = report.SourceStates(policies, states, p.at)
	var board []readiness.Standing
	if client == "" {
		board, err = h.store.Board(ctx, p.moment)
	} else {
		board, err = h.store.BoardOf(ctx, client, p.moment)
	}
	if err != nil {
		return in, err
	}
	for _, s := range board {
		in.Clients = append(in.Clients, standsAt(s, policyOf(policies, s.Prescriber), states, p.at))
	}
	in.Handlings, err = h.store.Handlings(ctx, client, p.moment)
	return in, err
}

// straysAt are the events of nobody's that were not over at a point, source by source.
func (h *hub) straysAt(ctx context.Context, sources []fhir.SourceState, p point) (all []report.Stray, err error) {
	for _, src := range sources {
		list, err := h.store.Strays(ctx, src.Name, p.moment)
		if err != nil {
			return nil, err
		}
		for _, x := range list {
			if x.End.After(p.at) {
				all = append(all, report.Stray{Source: src.Name, Digest: x.Token.Value, Start: x.Start, End: x.End})
			}
		}
	}
	return all, nil
}

// sourcesAt is how far each source had been read at a point, and what sweeps had found in the week before.
func (h *hub) sourcesAt(ctx context.Context, p point) ([]fhir.SourceState, error) {
	states, err := h.store.Sources(ctx, p.moment)
	if err != nil {
		return nil, err
	}
	found, err := h.store.Overlooked(ctx, p.moment, p.at)
	for i := range states {
		states[i].Missed = found[states[i].Name]
	}
	return states, err
}

// standsAt asks whether a verdict stood at a time, under the policy of then.
func standsAt(s readiness.Standing, policy readiness.Policy, states []fhir.SourceState, at time.Time) readiness.Verdict {
	if !s.Judged {
		return notJudged(s.Engagement, at)
	}
	return readiness.Current(s.Verdict, s.Moved, policy, states, at)
}

// notJudged is what is known of an engagement before its first verdict.
func notJudged(e readiness.Engagement, at time.Time) readiness.Verdict {
	return readiness.Verdict{
		Client: e.Client, Prescriber: e.Prescriber, State: readiness.Unknown, Judged: at, Until: at,
		Words: "Cannot tell: not judged yet", Owner: readiness.Operator, Next: "run kaphub sync",
	}
}
