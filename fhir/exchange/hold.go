package exchange

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Leases gives the right to read a source to one at a time.
type Leases interface {
	Lease(ctx context.Context, name, holder string, ttl time.Duration) (Lease, error)
	Release(ctx context.Context, l Lease) error
}

// Hold is a lease that is kept while a long read goes on. Not safe for concurrent use.
type Hold struct {
	Lease Lease

	leases Leases
	holder string
	now    func() time.Time
	taken  time.Time
}

// leaseFor is short, since the fence keeps what it guards: a dead reader is waited for no longer.
const leaseFor = 5 * time.Second

// Take takes the lease of the named source; ErrBusy while another holds it.
func Take(ctx context.Context, leases Leases, name, holder string, now func() time.Time) (*Hold, error) {
	h := &Hold{leases: leases, holder: holder, now: now, taken: now()}
	lease, err := leases.Lease(ctx, name, holder, leaseFor)
	if err != nil {
		return nil, fmt.Errorf("lease %s: %w", name, err)
	}
	h.Lease = lease
	return h, nil
}

// Keep takes the lease again once it ran out; until then nobody else can, and whoever was faster then reads on: ErrBusy.
func (h *Hold) Keep(ctx context.Context) error {
	now := h.now()
	if now.Sub(h.taken) < leaseFor {
		return ctx.Err()
	}
	lease, err := h.leases.Lease(ctx, h.Lease.Name, h.holder, leaseFor)
	if err != nil {
		return fmt.Errorf("renew the lease of %s: %w", h.Lease.Name, err)
	}
	h.Lease, h.taken = lease, now
	return nil
}

// End gives the lease back, whatever became of ctx. One that another holds by now is left alone.
func (h *Hold) End(ctx context.Context) error {
	if err := h.leases.Release(context.WithoutCancel(ctx), h.Lease); err != nil && !errors.Is(err, ErrConflict) {
		return fmt.Errorf("release %s: %w", h.Lease.Name, err)
	}
	return nil
}
