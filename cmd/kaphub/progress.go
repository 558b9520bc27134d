package main

import (
	"context"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
)

// bars shows long work at a terminal and is silent elsewhere.
type bars struct{ all *mpb.Progress }

func (s *scene) bars(ctx context.Context) bars {
	if _, ok := terminal(s.err); !ok {
		return bars{}
	}
	return bars{mpb.NewWithContext(ctx, mpb.WithOutput(s.err), mpb.WithAutoRefresh())}
}

// wait lets every bar be drawn to its end.
func (b bars) wait() {
	if b.all != nil {
		b.all.Wait()
	}
}

// bar is one line of progress; the nil bar is silent.
type bar struct{ line *mpb.Bar }

// count is a bar of work whose end is not known.
func (b bars) count(name string) *bar {
	if b.all == nil {
		return nil
	}
	return &bar{b.all.New(0, mpb.SpinnerStyle(),
		mpb.PrependDecorators(decor.Name(name, decor.WCSyncSpaceR)),
		mpb.AppendDecorators(decor.CurrentNoUnit("%d", decor.WCSyncSpace), decor.OnComplete(decor.Name(""), " done")))}
}

// to is a bar of work whose end is known.
func (b bars) to(name string) *bar {
	if b.all == nil {
		return nil
	}
	return &bar{b.all.New(0, mpb.BarStyle(),
		mpb.PrependDecorators(decor.Name(name, decor.WCSyncSpaceR)),
		mpb.AppendDecorators(decor.CountersNoUnit("%d / %d", decor.WCSyncSpace)))}
}

// at moves the bar to done of total.
func (b *bar) at(done, total int64) {
	if b != nil {
		b.line.SetTotal(total, false)
		b.line.SetCurrent(done)
	}
}

// done ends the bar where it stands.
func (b *bar) done() {
	if b != nil {
		b.line.SetTotal(-1, true)
	}
}
