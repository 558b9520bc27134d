package push

import (
	"context"
	"errors"
	"fmt"

	"github.com/kaphub/kaphub/fhir/exchange"
	"github.com/kaphub/kaphub/fhir/plan"
	"github.com/kaphub/kaphub/fhir/readiness"
	"github.com/kaphub/kaphub/jobs"
)

// Laid is what push needs of the store to look after what is laid out.
type Laid interface {
	Deliveries(ctx context.Context, state exchange.State) ([]exchange.Entry, error)
	Ledger(ctx context.Context, e readiness.Engagement) ([]exchange.Entry, error)
	Recall(ctx context.Context, id, why string) error
}

// recall looks at everything that is laid out for the party: what must not be handed over any more, because its release
// ended, say, or a newer packet stands in its place, is put aside where it lies, and the ledger says why. It stays laid
// out: whether it was handed over before, a person says.
func (s Step) recall(ctx context.Context) (jobs.Counts, error) {
	counts := jobs.Counts{}
	if s.Laid == nil {
		return counts, nil
	}
	laid, err := s.Laid.Deliveries(ctx, exchange.LaidOut)
	if err != nil {
		return counts, fmt.Errorf("push to %s: what is laid out: %w", s.To, err)
	}
	for _, e := range laid {
		if e.To != s.To || e.Why != "" {
			continue
		}
		if err := ctx.Err(); err != nil {
			return counts, fmt.Errorf("push to %s: %w", s.To, err)
		}
		if err := s.lookAfter(ctx, e, counts); err != nil {
			return counts, fmt.Errorf("push to %s: delivery %s: %w", s.To, e.ID, err)
		}
	}
	return counts, nil
}

func (s Step) lookAfter(ctx context.Context, e exchange.Entry, counts jobs.Counts) error {
	policy, ok := s.Policies[e.Prescriber]
	if !ok {
		return nil // the config no longer names them: a person sees it laid out
	}
	of := readiness.Engagement{Client: e.Client, Prescriber: e.Prescriber}
	chart, err := s.Store.Chart(ctx, e.Client, 0)
	if err != nil {
		return fmt.Errorf("read the chart: %w", err)
	}
	st, err := s.Store.Standing(ctx, of, 0)
	if err != nil {
		return fmt.Errorf("read its verdict: %w", err)
	}
	ledger, err := s.Laid.Ledger(ctx, of)
	if err != nil {
		return fmt.Errorf("read the ledger: %w", err)
	}
	why := plan.Recall(e, chart, st.Verdict, policy, ledger, s.Now())
	if why == "" {
		return nil
	}
	if s.Recaller != nil {
		if err := s.Recaller.Recall(ctx, e.Delivery); err != nil && !errors.Is(err, exchange.ErrNotFound) {
			return fmt.Errorf("put it aside: %w", err)
		}
	}
	if err := s.Laid.Recall(ctx, e.ID, why); err != nil && !errors.Is(err, exchange.ErrConflict) {
		return fmt.Errorf("note why: %w", err)
	}
	counts[Recalled]++
	return nil
}
