// Package desk is the way of a party that has no other: what people enter by hand, as FHIR resources with their
// Provenance, told as a source of its own ("desk" of the practice, "desk-<prescriber>" of a prescriber).
package desk

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/kaphub/kaphub/connectors"
	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/exchange"
)

// Tray is where entries lie until they are read, and after.
type Tray interface {
	// Slips returns up to limit slips of a source that were entered after place, oldest first.
	Slips(ctx context.Context, source string, place int64, limit int) ([]exchange.Slip, error)
	// SlipsAbout returns all slips of a source about a client, oldest first.
	SlipsAbout(ctx context.Context, source, client string) ([]exchange.Slip, error)
	// SlipWith returns the newest slip that tells of ref; exchange.ErrNotFound when none does.
	SlipWith(ctx context.Context, source string, ref fhir.Ref) (exchange.Slip, error)
}

// Source returns the name of a party's desk. These names are reserved: no connector in a config may bear one.
func Source(party string) string {
	if party == fhir.Practice {
		return name
	}
	return name + "-" + party
}

const name = "desk"

// pageSize bounds the slips of one page.
const pageSize = 100

// New returns the desk of a party as a connector over tray: it can be pulled and single records read again. It cannot be
// swept (what was entered is never gone), nothing is sent to it, and there is nobody to check.
func New(party string, tray Tray) connectors.Connector {
	d := desk{source: Source(party), tray: tray, size: pageSize}
	return connectors.Connector{Name: d.source, Party: party, Puller: d, Reader: d}
}

type desk struct {
	source string
	tray   Tray
	size   int
}

// Pull returns the next slips. A page without a read-through is an entry aside: it tells nothing of how far the mailbox
// was read. With one, everything up to then was read, and all of it is entered. A client new to the source is read to the
// beginning first, by a page of their own.
func (d desk) Pull(ctx context.Context, since exchange.Cursor, roster exchange.Roster) (exchange.Page, error) {
	at, err := d.parse(since)
	if err != nil {
		return exchange.Page{}, err
	}
	for _, client := range roster.New {
		if client > at.back {
			return d.readBack(ctx, at, client)
		}
	}
	slips, err := d.slips(ctx, at.place, d.size+1)
	if err != nil {
		return exchange.Page{}, err
	}
	page := exchange.Page{More: len(slips) > d.size}
	for _, s := range slips[:min(len(slips), d.size)] {
		page.Resources = append(page.Resources, s.Records...)
		at.place = s.Place
		if s.ReadTo.After(at.read) {
			at.read = s.ReadTo
		}
	}
	if !page.More {
		page.Complete, page.AsOf, page.Aside = !at.read.IsZero(), at.read, at.read.IsZero()
		at.read, at.back = time.Time{}, ""
	}
	if at != (cursor{}) {
		page.Next = at.cursor()
	}
	return page, nil
}

// readBack returns everything about a client. The roster is in a stable order, so that the last one read tells who is next.
func (d desk) readBack(ctx context.Context, at cursor, client string) (exchange.Page, error) {
	slips, err := d.tray.SlipsAbout(ctx, d.source, client)
	if err != nil {
		return exchange.Page{}, connectors.Errorf("look into the tray", connectors.Temporary, "%w", err)
	}
	page := exchange.Page{Swept: []string{client}, More: true}
	for _, s := range slips {
		page.Resources = append(page.Resources, s.Records...)
	}
	at.back = client
	page.Next = at.cursor()
	return page, nil
}

// Read returns a record as the newest entry left it.
func (d desk) Read(ctx context.Context, ref fhir.Ref) (fhir.Resource, error) {
	s, err := d.tray.SlipWith(ctx, d.source, ref)
	if errors.Is(err, exchange.ErrNotFound) {
		return fhir.Resource{}, &connectors.Error{Op: "read " + ref.Type, Fault: connectors.Refused, Err: exchange.ErrNotFound}
	}
	if err != nil {
		return fhir.Resource{}, connectors.Errorf("read "+ref.Type, connectors.Temporary, "%w", err)
	}
	for _, r := range slices.Backward(s.Records) {
		if r.Ref() == ref {
			return r, nil
		}
	}
	return fhir.Resource{}, &connectors.Error{Op: "read " + ref.Type, Fault: connectors.Refused, Err: exchange.ErrNotFound}
}

// Waiting reports whether a desk has slips that were not read yet: a desk at which nothing lies need not be read.
func Waiting(ctx context.Context, tray Tray, source string, since exchange.Cursor) (bool, error) {
	d := desk{source: source, tray: tray}
	at, err := d.parse(since)
	if err != nil {
		return false, err
	}
	slips, err := d.slips(ctx, at.place, 1)
	return len(slips) > 0, err
}

func (d desk) slips(ctx context.Context, place int64, limit int) ([]exchange.Slip, error) {
	if err := ctx.Err(); err != nil {
		return nil, connectors.Errorf("look into the tray", connectors.Temporary, "%w", err)
	}
	slips, err := d.tray.Slips(ctx, d.source, place, limit)
	if err != nil {
		return nil, connectors.Errorf("look into the tray", connectors.Temporary, "%w", err)
	}
	return slips, nil
}

// cursor is the last slip that was read, and of a read that is not at its end the newest read-through in it and the last
// client who was read to the beginning.
type cursor struct {
	place int64
	read  time.Time
	back  string
}

func (c cursor) cursor() exchange.Cursor {
	text := strconv.FormatInt(c.place, 10)
	if !c.read.IsZero() || c.back != "" {
		ms := int64(0)
		if !c.read.IsZero() {
			ms = c.read.UnixMilli()
		}
		text += " " + strconv.FormatInt(ms, 10) + " " + c.back
	}
	return exchange.Cursor(strings.TrimRight(text, " "))
}

func (d desk) parse(since exchange.Cursor) (c cursor, err error) {
	parts := strings.Split(string(since), " ")
	if since == "" {
		return c, nil
	}
	c.place, err = strconv.ParseInt(parts[0], 10, 64)
	if err == nil && len(parts) > 1 {
		var ms int64
		if ms, err = strconv.ParseInt(parts[1], 10, 64); ms != 0 {
			c.read = time.UnixMilli(ms).UTC()
		}
	}
	if len(parts) > 2 {
		c.back = parts[2]
	}
	if err != nil || len(parts) > 3 {
		return c, &connectors.Error{Op: "read cursor", Fault: connectors.Garbled, Hint: "it is none of a desk", Err: errCursor}
	}
	return c, nil
}

var errCursor = errors.New("not a place in a tray")
