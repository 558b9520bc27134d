package main

import (
	"context"

	"github.com/kaphub/kaphub/cmd/internal/console"
	"github.com/kaphub/kaphub/cmd/internal/people"
	"github.com/kaphub/kaphub/fhir/readiness"
)

// reconciling is what the console's findings and reports need of the hub.
type reconciling struct {
	*hub
	house *people.House
}

// WhoseFinding is store.Whose.
func (r reconciling) WhoseFinding(ctx context.Context, finding string) (string, error) {
	return r.store.Whose(ctx, finding)
}

// Handle is store.Handle.
func (r reconciling) Handle(ctx context.Context, by string, handlings ...readiness.Handling) error {
	return r.store.Handle(ctx, by, handlings...)
}

// Colleagues are all who have an account.
func (r reconciling) Colleagues(ctx context.Context) ([]people.Account, error) {
	return r.house.Accounts(ctx)
}

// Given are the reports given, newest first.
func (r reconciling) Given(ctx context.Context) ([]console.Given, error) { return r.given(ctx) }

// Give keeps the report of now as given.
func (r reconciling) Give(ctx context.Context, by string) (console.Given, error) {
	p, err := r.reporting(ctx, by)
	if err != nil {
		return console.Given{}, err
	}
	return console.Given{At: p.at, Moment: p.moment, By: by}, r.reported(ctx, by, p)
}
