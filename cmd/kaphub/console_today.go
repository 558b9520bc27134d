package main

import (
	"context"

	"github.com/kaphub/kaphub/jobs/report"
)

// Brief is brief of now, noted as a look of whoever is signed in.
func (w window) Brief(ctx context.Context, by, what string) (report.Brief, error) {
	if err := w.apply(ctx); err != nil {
		return report.Brief{}, err
	}
	seen, at, err := w.store.Look(ctx, by, what, "", "")
	if err != nil {
		return report.Brief{}, err
	}
	return w.brief(ctx, point{seen, at})
}

// Glance is brief of now, noted nowhere.
func (w window) Glance(ctx context.Context) (report.Brief, error) {
	p, err := w.present(ctx)
	if err != nil {
		return report.Brief{}, err
	}
	return w.brief(ctx, p)
}
