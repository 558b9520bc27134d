package pull

import (
	"context"

	"github.com/kaphub/kaphub/fhir/exchange"
)

// coming is a page that has been asked for.
type coming struct {
	stop     context.CancelFunc
	done     chan struct{}
	page     exchange.Page
	err      error
	panicked any
}

// begin asks for the page behind since. Whoever begins must wait for it or drop it.
func begin(ctx context.Context, ask func(context.Context, exchange.Cursor) (exchange.Page, error), since exchange.Cursor) *coming {
	c := &coming{done: make(chan struct{})}
	ctx, c.stop = context.WithCancel(ctx)
	go func() {
		defer close(c.done)
		defer func() { c.panicked = recover() }() // for whoever waits, as if they had asked themselves
		c.page, c.err = ask(ctx, since)
	}()
	return c
}

func (c *coming) wait() (exchange.Page, error) {
	<-c.done
	c.stop()
	if c.panicked != nil {
		panic(c.panicked)
	}
	return c.page, c.err
}

// drop ends an asking that nobody waits for any more. It may have been waited for.
func (c *coming) drop() {
	c.stop()
	<-c.done
}
