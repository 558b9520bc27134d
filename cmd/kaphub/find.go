package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/kaphub/kaphub/jobs/report"
)

// knows answers an error for a word that is no party.
func (h *hub) knows(party string) error {
	titles := h.titles()
	if party == "" || titles[party] != "" {
		return nil
	}
	return fmt.Errorf("no party is called so: write practice, or a prescriber's name as in %s", h.config.File())
}

// client returns the hub key of the client whom word names.
func (h *hub) client(ctx context.Context, word string) (string, error) {
	in, err := h.view(ctx)
	if err != nil {
		return "", err
	}
	return find(in, word)
}

// find returns the hub key of the client whom word names: a hub key, or a business identifier's value.
func find(in report.Input, word string) (string, error) {
	found := ""
	for _, v := range in.Clients {
		named := v.Client == word
		for _, id := range v.Identifiers {
			named = named || id.Value == word
		}
		if !named || v.Client == found {
			continue
		}
		if found != "" {
			return "", errors.New("that identifier belongs to several clients: use the hub key that kaphub status --json shows")
		}
		found = v.Client
	}
	if found == "" {
		return "", errors.New("no client of that key or identifier is known: kaphub status shows the hub keys")
	}
	return found, nil
}

// only returns the one item whose id begins with start.
func only[T any](list []T, start, what string, id func(T) string) (T, error) {
	var found []T
	for _, item := range list {
		if strings.HasPrefix(id(item), start) {
			found = append(found, item)
		}
	}
	var none T
	switch {
	case start == "" || len(found) == 0:
		return none, fmt.Errorf("no %s of that id: the list shows them", what)
	case len(found) > 1:
		return none, fmt.Errorf("%d ids begin like that: write more of the %s's id", len(found), what)
	}
	return found[0], nil
}
