package pull

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/kaphub/kaphub/fhir/exchange"
)

func TestTheNextPageIsOnItsWayWhileOneIsStored(t *testing.T) {
	begun := make(chan exchange.Cursor, 9)
	source := &pages{answer: func(since exchange.Cursor, _ exchange.Roster) (exchange.Page, error) {
		begun <- since
		return exchange.Page{Next: since + "+", More: since == "", Complete: since != ""}, nil
	}}
	var asked []exchange.Cursor
	store := &shelf{receive: func(page exchange.Page) error {
		if page.More { // storing the first page ends only once the second was asked for
			asked = append(asked, <-begun, <-begun)
		}
		return nil
	}}
	_, err := Step{Store: store, Puller: source, Source: src, Holder: "me", Now: time.Now}.Run(t.Context())
	if want := []exchange.Cursor{"", "+"}; err != nil || !slices.Equal(asked, want) || !slices.Equal(store.received, []string{">+", "+>++"}) {
		t.Errorf("asked %q, received %v, error %v", asked, store.received, err)
	}
}

func TestNothingIsAskedForThatNobodyWillRead(t *testing.T) {
	tests := []struct {
		name         string
		bound, asked int
	}{
		{"beyond the bound of a run", 3, 3},
		{"behind the end", 0, 9},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			source := &pages{n: 9}
			step := Step{Store: &shelf{}, Puller: source, Source: src, Holder: "me", Now: time.Now, Pages: tt.bound}
			if _, err := step.Run(t.Context()); err != nil || len(source.rosters) != tt.asked {
				t.Errorf("asked %d times, error %v", len(source.rosters), err)
			}
		})
	}
}

func TestAPageThatIsNotWantedAnyMoreHasEndedWithTheRun(t *testing.T) {
	full := errors.New("disk full")
	running := 0
	source := &pages{answer: func(since exchange.Cursor, _ exchange.Roster) (exchange.Page, error) {
		running++
		defer func() { running-- }() // the race detector tells if it outlives the run
		return exchange.Page{Next: since + "+", More: true}, nil
	}}
	_, err := Step{Store: &shelf{receive: func(exchange.Page) error { return full }}, Puller: source, Source: src, Holder: "me", Now: time.Now}.Run(t.Context())
	if !errors.Is(err, full) || running != 0 || len(source.rosters) != 2 {
		t.Errorf("error %v, asked %d times", err, len(source.rosters))
	}
}

func TestASourceThatPanicsDoesSoWhereItIsRead(t *testing.T) {
	source := &pages{answer: func(since exchange.Cursor, _ exchange.Roster) (exchange.Page, error) {
		if since == "+" {
			panic("index out of range")
		}
		return exchange.Page{Next: "+", More: true}, nil
	}}
	store := &shelf{}
	defer func() {
		if recover() != "index out of range" || !slices.Equal(store.received, []string{">+"}) || store.open {
			t.Errorf("the page before was not kept: %v", store.received)
		}
	}()
	_, _ = Step{Store: store, Puller: source, Source: src, Holder: "me", Now: time.Now}.Run(t.Context())
}
