package notice

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/kaphub/kaphub/connectors"
	"github.com/kaphub/kaphub/fhir/exchange"
	"github.com/kaphub/kaphub/fhir/readiness"
)

// Weeks of a practice: findings come, go and come back, mail servers fail in every way, the hub is killed between any two
// commits, a second replica runs between them. Then the weather clears.
//
//	a digest                at most one a person a day, whatever happened, and none in quiet hours
//	what is to be acted on  told to everybody whom it concerns, at least once each time it came up; and once only, where
//	now                     no try was lost
//	any mail                nothing of a client (world.Send looks)
func TestWhateverHappens(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		waits := tara
		waits.Urgent = rapid.SampledFrom([]Urgency{Through, Waits}).Draw(r, "tara is told")
		w := newWorld(t, "2026-03-06 05:00", maya, waits) // a Friday; on Sunday the clocks change
		w.quiet = night
		killed, lost := errors.New("killed"), false
		var days []string
		nested := 0
		begin := w.time
		end := w.time.AddDate(0, 0, rapid.IntRange(1, 5).Draw(r, "days"))
		slot := at("2026-03-06 07:00")
		n := 0
		for w.time.Before(end) {
			w.time = w.time.Add(time.Duration(rapid.IntRange(1, 240).Draw(r, "minutes")) * time.Minute)
			switch rapid.IntRange(0, 5).Draw(r, "what") {
			case 0:
				n++
				owner := rapid.SampledFrom([]readiness.Owner{readiness.Therapist, readiness.Admin, readiness.Pharmacy, readiness.Privacy}).Draw(r, "owner")
				w.open(fmt.Sprint(n), readiness.S1, owner)
			case 1:
				if n > 0 {
					w.resolve(fmt.Sprint(rapid.IntRange(1, n).Draw(r, "which")))
				}
			case 2:
				if n > 0 {
					if i := rapid.IntRange(1, n).Draw(r, "which"); w.board[i-1].State == readiness.Resolved {
						w.reopen(fmt.Sprint(i))
					}
				}
			case 3:
				for range rapid.IntRange(1, 6).Draw(r, "failures") {
					w.fails = append(w.fails, rapid.SampledFrom([]error{busy, nobody, dropped, errors.New("who knows")}).Draw(r, "failure"))
				}
				w.loses = rapid.Bool().Draw(r, "it arrives all the same")
			}
			digest := !w.time.Before(slot)
			if digest {
				slot = slot.AddDate(0, 0, 1)
			}
			kill, other := rapid.IntRange(0, 12).Draw(r, "killed before step"), rapid.IntRange(0, 6).Draw(r, "another replica before step")
			steps := 0
			w.with = func(exchange.Mail) error {
				steps++
				if steps == kill {
					lost = true
					return killed
				}
				if steps == other && nested == 0 {
					nested++
					defer func() { nested-- }()
					if _, err := w.step(digest).Run(t.Context()); err != nil && !errors.Is(err, killed) && !mailFault(err) {
						r.Fatal(err)
					}
				}
				return nil
			}
			before := len(w.box)
			lost = lost || slices.ContainsFunc(w.fails, connectors.MayHaveArrived)
			if _, err := w.step(digest).Run(t.Context()); err != nil && !errors.Is(err, killed) && !mailFault(err) {
				r.Fatal(err)
			}
			w.with = nil
			for _, m := range w.box[before:] {
				if strings.HasPrefix(m.ID, "digest") {
					days = append(days, m.To+" "+w.time.In(denver).Format(time.DateOnly))
					if !w.step(false).Quiet(w.time).IsZero() {
						r.Errorf("a digest came in the quiet hours, at %s", w.time.In(denver))
					}
				}
			}
		}
		w.fails = nil
		for clear := w.time.Add(20 * time.Hour); w.time.Before(clear); w.time = w.time.Add(10 * time.Minute) {
			w.run(false)
		}
		slices.Sort(days)
		if len(slices.Compact(slices.Clone(days))) != len(days) {
			r.Errorf("more than one digest a person a day: %v", days)
		}
		for _, p := range w.people {
			k := Known{People: w.people, Board: Survey(w.input())}
			_, now := k.of(p)
			for _, what := range now {
				told := 0
				for _, m := range w.box {
					if strings.HasPrefix(m.To, p.Name) && !m.Date.Before(k.Board.Opened[what]) && w.about(m.ID, what) {
						told++
					}
				}
				if told == 0 {
					r.Errorf("%s was never told of %s, open since %s (begun %s)\n%s", p.Name, what, k.Board.Opened[what].In(denver), begin.In(denver), w.states())
				}
				if told > 1 && !lost {
					r.Errorf("%s was told of %s %d times", p.Name, what, told)
				}
			}
		}
	})
}

func mailFault(err error) bool {
	_, is := errors.AsType[*connectors.Error](err)
	return is || strings.Contains(err.Error(), "who knows")
}

// about reports whether the mail of that id tells of what.
func (w *world) about(id, what string) bool {
	return slices.ContainsFunc(w.steps, func(m exchange.Mail) bool {
		return m.ID == id && m.State == exchange.MailTrying && slices.ContainsFunc(m.About, func(t exchange.Told) bool { return t.What == what })
	})
}
