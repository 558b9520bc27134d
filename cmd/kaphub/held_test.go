package main

import (
	"context"
	"errors"
	"reflect"
	"testing"

	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/readiness"
	"github.com/kaphub/kaphub/fhir/store"
	"github.com/kaphub/kaphub/jobs/report"
)

// holds fails unless what this hub and another hold of the board is the store's board of that moment, shortened.
func (m *month) holds(moment fhir.Moment) {
	m.t.Helper()
	board, err := m.store.Board(m.t.Context(), moment)
	must(m.t, err)
	for who, h := range map[string]*held{"the hub": &m.held, "a replica": &m.replica} {
		rows, err := h.at(m.t.Context(), m.store, moment)
		must(m.t, err)
		if len(rows) != len(board) {
			m.t.Fatalf("%s holds %d engagements at @%d, the store %d", who, len(rows), moment, len(board))
		}
		for i, s := range board {
			if s.Judged {
				s.Verdict = report.Shortened(s.Verdict)
			}
			if !reflect.DeepEqual(rows[i].Standing, s) {
				m.t.Fatalf("%s holds at @%d\n%+v\nand the store says\n%+v", who, moment, rows[i].Standing, s)
			}
		}
	}
}

// story is a store in which at each moment something befell somebody.
type story struct {
	at   map[fhir.Moment][]store.Shift
	read []fhir.Moment
}

func (s *story) BoardSince(_ context.Context, after, upTo fhir.Moment) ([]store.Shift, error) {
	s.read = append(s.read, after)
	by := map[string]store.Shift{}
	for m := after + 1; m <= upTo; m++ {
		for _, x := range s.at[m] {
			by[x.Client] = x
		}
	}
	var list []store.Shift
	for _, key := range []string{"a", "b", "c"} {
		if x, ok := by[key]; ok {
			list = append(list, x)
		}
	}
	if upTo > 100 {
		return nil, errors.New("away")
	}
	return list, nil
}

func judged(client string, state readiness.State) store.Shift {
	return store.Shift{Standing: readiness.Standing{Engagement: readiness.Engagement{Client: client}, Judged: true, Verdict: readiness.Verdict{Client: client, State: state}}, Anew: true}
}

func TestLookingCostsWhatBefellSinceAndTwoMayLookInAnyOrder(t *testing.T) {
	from := &story{at: map[fhir.Moment][]store.Shift{
		2: {judged("b", readiness.Ready)}, 5: {judged("a", readiness.Hold), judged("c", readiness.Unknown)}, 6: {judged("b", readiness.Hold)},
		9: {{Standing: readiness.Standing{Engagement: readiness.Engagement{Client: "b"}, Judged: true, Moved: true, Verdict: readiness.Verdict{Moment: 8}}}},
	}}
	var h held
	states := func(m fhir.Moment) (text string) {
		t.Helper()
		rows, err := h.at(t.Context(), from, m)
		must(t, err)
		for _, r := range rows {
			text += r.Client + " " + string(r.Verdict.State) + "; "
		}
		return text
	}
	for _, look := range []struct {
		moment, after fhir.Moment
		want          string
	}{
		{4, 0, "b READY; "}, {5, 4, "a HOLD; b READY; c UNKNOWN; "}, {8, 5, "a HOLD; b HOLD; c UNKNOWN; "}, {6, 5, "a HOLD; b HOLD; c UNKNOWN; "},
		{9, 8, "a HOLD; b HOLD; c UNKNOWN; "}, {3, 0, "b READY; "}, {10, 9, "a HOLD; b HOLD; c UNKNOWN; "},
	} {
		if is := states(look.moment); is != look.want || from.read[len(from.read)-1] != look.after {
			t.Errorf("at @%d it holds %s, read after %v, want %s after @%d", look.moment, is, from.read, look.want, look.after)
		}
	}
	rows, err := h.at(t.Context(), from, 10)
	if must(t, err); !rows[1].Moved || rows[1].Verdict.Moment != 8 || len(from.read) != 7 {
		t.Errorf("%+v, %v", rows[1], from.read)
	}
	if _, err := h.at(t.Context(), from, 101); err == nil {
		t.Error("a store that is away has a board")
	}
	if is := states(10); is != "a HOLD; b HOLD; c UNKNOWN; " {
		t.Error("and what was held is gone:", is)
	}
}
