package main

import (
	"context"
	"maps"
	"sync"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"

	"github.com/kaphub/kaphub/jobs"
)

// bars shows long work at a terminal or to whoever asks how far a job has come, and is silent elsewhere.
type bars struct {
	all  *mpb.Progress
	tell func(part string, done int64) // nil = nobody asks
}

// showing are bars that tell how far each part of a job has come.
func (h *hub) showing(job string) bars {
	var mu sync.Mutex
	come := jobs.Counts{}
	return bars{tell: func(part string, done int64) {
		engine := h.running.Load()
		if engine == nil {
			return
		}
		mu.Lock()
		come[part] = done
		all := maps.Clone(come)
		mu.Unlock()
		engine.Tell(job, all)
	}}
}

func (s *scene) bars(ctx context.Context) bars {
	if _, ok := terminal(s.err); !ok {
		return bars{}
	}
	return bars{all: mpb.NewWithContext(ctx, mpb.WithOutput(s.err), mpb.WithAutoRefresh())}
}

// wait lets every bar be drawn to its end.
func (b bars) wait() {
	if b.all != nil {
		b.all.Wait()
	}
}

// bar is one line of progress; the nil bar is silent.
type bar struct {
	line *mpb.Bar
	tell func(done int64)
}

// count is a bar of work whose end is not known.
func (b bars) count(name string) *bar {
	if b.tell != nil {
		return &bar{tell: func(done int64) { b.tell(name, done) }}
	}
	if b.all == nil {
		return nil
	}
	return &bar{line: b.all.New(0, mpb.SpinnerStyle(),
		mpb.PrependDecorators(decor.Name(name, decor.WCSyncSpaceR)),
		mpb.AppendDecorators(decor.CurrentNoUnit("%d", decor.WCSyncSpace), decor.OnComplete(decor.Name(""), " done")))}
}

// to is a bar of work whose end is known.
func (b bars) to(name string) *bar {
	if b.all == nil {
		return nil
	}
	return &bar{line: b.all.New(0, mpb.BarStyle(),
		mpb.PrependDecorators(decor.Name(name, decor.WCSyncSpaceR)),
		mpb.AppendDecorators(decor.CountersNoUnit("%d / %d", decor.WCSyncSpace)))}
}

// at moves the bar to done of total.
func (b *bar) at(done, total int64) {
	switch {
	case b == nil:
	case b.tell != nil:
		b.tell(done)
	default:
		b.line.SetTotal(total, false)
		b.line.SetCurrent(done)
	}
}

// done ends the bar where it stands.
func (b *bar) done() {
	if b != nil && b.line != nil {
		b.line.SetTotal(-1, true)
	}
}
