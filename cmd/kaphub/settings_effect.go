package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/kaphub/kaphub/cmd/internal/console"
	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/exchange"
	"github.com/kaphub/kaphub/fhir/readiness"
)

// shownTurns bounds how many clients are named of each sort; all are counted.
const shownTurns = 60

// effect judges everybody on the board twice at one moment, under the policies of now and under those of next, and tells
// who would stand otherwise. It keeps nothing. Those whose session is next come first, and when patience is over the others
// are counted and not looked at: 10,000 clients take a minute or so, and nobody waits for that before they see the first.
func (h *hub) effect(ctx context.Context, next *hub, patience time.Duration) (console.Effect, error) {
	began := time.Now() // how long somebody waits, whatever the hub's own clock says
	p, err := h.present(ctx)
	if err != nil {
		return console.Effect{}, err
	}
	board, err := h.store.Board(ctx, 0)
	if err != nil {
		return console.Effect{}, err
	}
	states, err := h.sourcesAt(ctx, p)
	if err != nil {
		return console.Effect{}, err
	}
	slices.SortStableFunc(board, func(a, b readiness.Standing) int { return comparing(nextOf(a), nextOf(b)) })
	e := console.Effect{Clients: len(board)}
	moves := map[[2]readiness.State]int{}
	var chart fhir.Chart
	for _, s := range board {
		if e.Looked > 0 && time.Since(began) > patience {
			e.Rest = time.Since(began) / time.Duration(e.Looked) * time.Duration(e.Clients-e.Looked)
			break
		}
		if chart.Client != s.Client {
			if chart, err = h.store.Chart(ctx, s.Client, 0); errors.Is(err, exchange.ErrNotFound) {
				continue // linked to another meanwhile
			} else if err != nil {
				return e, fmt.Errorf("read the chart of %s: %w", s.Client, err)
			}
		}
		before := h.under(chart, h.policy(s.Prescriber), s.Verdict, states, p.at)
		after := h.under(chart, next.policy(s.Prescriber), s.Verdict, states, p.at)
		if _, stays := next.byPrescriber()[s.Prescriber]; !stays { // nobody judges them: as the board will show what was judged last
			after = readiness.Current(s.Verdict, false, next.policy(s.Prescriber), states, p.at)
		}
		e.Looked++
		turn := console.Turn{Before: before, After: after}
		switch {
		case before.State != after.State:
			moves[[2]readiness.State{before.State, after.State}]++
			e.Turned = keep(e.Turned, turn)
		case len(console.Whys(before, after)) > 0:
			e.Otherwise++
			e.Said = keep(e.Said, turn)
		}
	}
	for way, n := range moves {
		e.Moves = append(e.Moves, console.Move{From: way[0], To: way[1], N: n})
	}
	slices.SortFunc(e.Moves, func(a, b console.Move) int {
		return cmp.Or(b.N-a.N, cmp.Compare(a.From, b.From), cmp.Compare(a.To, b.To))
	})
	return e, nil
}

func keep(list []console.Turn, t console.Turn) []console.Turn {
	if len(list) == shownTurns {
		return list
	}
	return append(list, t)
}

// under is a verdict as it would be shown now under a policy.
func (h *hub) under(chart fhir.Chart, p readiness.Policy, last readiness.Verdict, states []fhir.SourceState, now time.Time) readiness.Verdict {
	v := readiness.Assess(chart, p, now)
	return readiness.Current(v.After(last, &chart, &p, now), false, p, states, now)
}

func nextOf(s readiness.Standing) time.Time {
	if s.Verdict.Appointment == nil {
		return time.Time{}
	}
	return s.Verdict.Appointment.Start
}

// comparing orders by time, those without one last.
func comparing(a, b time.Time) int {
	if a.IsZero() != b.IsZero() {
		if a.IsZero() {
			return 1
		}
		return -1
	}
	return a.Compare(b)
}
