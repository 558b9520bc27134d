package main

import (
	"cmp"
	"context"
	"slices"
	"sync"

	"github.com/kaphub/kaphub/cmd/internal/people"
	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/readiness"
	"github.com/kaphub/kaphub/fhir/store"
	"github.com/kaphub/kaphub/jobs/report"
)

// held is the board as the store told it last, shortened, so that looking at it costs what changed since and not all there
// is. It is no source of truth: what it gives as of a moment is what the store's board of that moment would give, and whoever
// shows a verdict of it asks first whether it still stands (law 8). Another replica's verdicts come from the store like one's own.
type held struct {
	mu   sync.Mutex
	kept []snapshot // the newest last

	knowing sync.Mutex
	known   *people.Known // who the therapists are by now
	of      []*heldRow    // of these rows
}

// snapshot is the board of one moment, by client and prescriber. Nobody changes it or what it points at.
type snapshot struct {
	moment fhir.Moment
	rows   []*heldRow
}

// heldRow is how an engagement stands, and what of it a look has to look at.
type heldRow struct {
	readiness.Standing
	gist *report.Gist
}

// snapshots is how many are kept: people who look at the same time ask for moments close to each other, in any order.
const snapshots = 4

// shifts tells what befell whom between two moments.
type shifts interface {
	BoardSince(ctx context.Context, after, upTo fhir.Moment) ([]store.Shift, error)
}

// at returns the board of a moment: the newest kept one of before, and what befell whom since.
func (h *held) at(ctx context.Context, from shifts, moment fhir.Moment) ([]*heldRow, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	i := len(h.kept)
	for i > 0 && h.kept[i-1].moment > moment {
		i--
	}
	var before snapshot
	if i > 0 {
		before = h.kept[i-1]
	}
	if before.moment == moment {
		return before.rows, nil
	}
	list, err := from.BoardSince(ctx, before.moment, moment)
	if err != nil {
		return nil, err
	}
	is := snapshot{moment, before.with(list)}
	if i == len(h.kept) {
		h.kept = append(h.kept[max(0, len(h.kept)+1-snapshots):], is)
	}
	return is.rows, nil
}

// therapists is who the therapists are whom the board of a moment names. It is learnt again when the board has changed.
func (h *held) therapists(ctx context.Context, from shifts, moment fhir.Moment) (*people.Known, error) {
	rows, err := h.at(ctx, from, moment)
	if err != nil {
		return nil, err
	}
	h.knowing.Lock()
	defer h.knowing.Unlock()
	if h.known != nil && len(rows) == len(h.of) && (len(rows) == 0 || &rows[0] == &h.of[0]) {
		return h.known, nil
	}
	var clients [][]fhir.Therapist
	for i, row := range rows {
		if i > 0 && rows[i-1].Client == row.Client { // with another prescriber
			clients[len(clients)-1] = append(slices.Clone(clients[len(clients)-1]), row.Verdict.Therapists...)
			continue
		}
		clients = append(clients, row.Verdict.Therapists)
	}
	h.known, h.of = people.Know(clients), rows
	return h.known, nil
}

// with is the board after what befell some of it; both are in the order of their clients.
func (s snapshot) with(list []store.Shift) []*heldRow {
	if len(list) == 0 {
		return s.rows
	}
	rows := make([]*heldRow, 0, len(s.rows)+len(list))
	old := s.rows
	for _, shift := range list {
		i, there := slices.BinarySearchFunc(old, shift.Engagement, func(x *heldRow, e readiness.Engagement) int {
			return cmp.Or(cmp.Compare(x.Client, e.Client), cmp.Compare(x.Prescriber, e.Prescriber))
		})
		rows = append(rows, old[:i]...)
		is := &heldRow{Standing: shift.Standing}
		switch {
		case shift.Anew:
			is.Verdict = report.Shortened(is.Verdict)
			is.gist = report.GistOf(&is.Verdict)
		case there:
			is.Verdict, is.gist = shift.Retold(old[i].Verdict), old[i].gist
		}
		rows = append(rows, is)
		if old = old[i:]; there {
			old = old[1:]
		}
	}
	return append(rows, old...)
}

// brief gathers what the first screen shows, as of a moment and its time that are now.
func (h *hub) brief(ctx context.Context, p point) (report.Brief, error) {
	in := report.Brief{AsOf: p.at, Titles: map[string]string{}, Reaches: map[string]readiness.Reach{}}
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
	board, err := h.held.at(ctx, h.store, p.moment)
	if err != nil {
		return in, err
	}
	checks := map[string]*readiness.Check{}
	in.Clients = make([]report.Shown, 0, len(board))
	for _, s := range board {
		check := checks[s.Prescriber]
		if check == nil {
			check = readiness.NewCheck(policyOf(policies, s.Prescriber), states, p.at)
			checks[s.Prescriber] = check
		}
		if !s.Judged {
			v := notJudged(s.Engagement, p.at)
			in.Clients = append(in.Clients, report.Shown{Verdict: &v, Gist: report.GistOf(&v)})
			continue
		}
		in.Clients = append(in.Clients, report.Shown{Verdict: check.Still(&s.Verdict, s.Moved), Gist: s.gist})
	}
	if in.Handlings, err = h.store.Handlings(ctx, "", p.moment); err != nil {
		return in, err
	}
	in.Strays, err = h.straysAt(ctx, states, p)
	return in, err
}
