package main

import (
	"context"
	"fmt"
)

type auditCommand struct {
	Verify verifyAudit `cmd:"" help:"Recompute the keyed chain over every commit."`
	List   listAudit   `cmd:"" help:"Show the newest entries."`
}

type verifyAudit struct{}

// Run proves that nothing in the audit log, and nothing it vouches for, was changed.
func (c *verifyAudit) Run(ctx context.Context, s *scene) error {
	h, err := s.open(ctx)
	if err != nil {
		return err
	}
	defer h.close()
	shown := s.bars(ctx)
	bar := shown.to("audit")
	found, err := h.store.VerifyAudit(ctx, bar.at)
	bar.done()
	shown.wait()
	if err != nil {
		return fmt.Errorf("verify audit: %w", err)
	}
	if len(found.Broken)+len(found.Altered) > 0 {
		for _, seq := range found.Broken {
			s.printf("entry %d does not fit the chain\n", seq)
		}
		for _, key := range found.Altered {
			s.printf("%s is not what was audited\n", key)
		}
		return fmt.Errorf("the audit log does not hold: %d broken entries, %d altered records: stop this hub, keep its files and restore the last backup that verifies", len(found.Broken), len(found.Altered))
	}
	s.printf("The audit log holds: %d entries, none broken, nothing altered.\n", found.Entries)
	return nil
}

type listAudit struct {
	Limit int `default:"50" help:"How many."`
}

// Run shows the newest audit entries: hub keys and codes only.
func (c *listAudit) Run(ctx context.Context, s *scene) error {
	h, err := s.open(ctx)
	if err != nil {
		return err
	}
	defer h.close()
	const page = 1000
	var last []string
	for after := int64(0); ; {
		entries, err := h.store.AuditLog(ctx, after, page)
		if err != nil {
			return fmt.Errorf("read audit log: %w", err)
		}
		for _, e := range entries {
			after = e.Seq
			last = append(last, fmt.Sprintf("%d  %s  %s  %s  %s  %s", e.Seq, h.local(e.At), e.Actor, e.Action, e.Subject, e.Detail))
		}
		last = last[max(0, len(last)-max(0, c.Limit)):]
		if len(entries) < page {
			break
		}
	}
	for _, line := range last {
		s.printf("%s\n", line)
	}
	return nil
}
