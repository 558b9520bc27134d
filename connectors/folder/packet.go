package folder

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/kaphub/kaphub/connectors"
	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/exchange"
)

// Packets lays out referral packets in a directory: a Bundle for whoever can read one, and one page to print. A person
// hands them over and says so; until then nobody here knows.
type Packets struct {
	dir       string
	stationer Stationer
	now       func() time.Time
}

// NewPackets returns a way of laying out packets in dir, which is made when the first one is.
func NewPackets(dir string, s Stationer, now func() time.Time) *Packets {
	if now == nil {
		now = time.Now
	}
	return &Packets{dir, s, now}
}

// Dir is where the packets lie.
func (p *Packets) Dir() string { return p.dir }

const withdrawn = "withdrawn" // the directory of what must not be handed over

// Base is what the names of a packet's two files begin with.
func Base(d exchange.Delivery) string { return d.ID[:min(12, len(d.ID))] }

func files(d exchange.Delivery) [2]string {
	return [2]string{Base(d) + ".bundle.json", Base(d) + ".html"} // the page last: where it stands, both do
}

// Push lays a packet out. One that lies there already is left as it is, and its receipt says when it was laid out.
func (p *Packets) Push(ctx context.Context, d exchange.Delivery, asked bool) (exchange.Receipt, error) {
	const op = "lay out packet"
	if err := ctx.Err(); err != nil {
		return exchange.Receipt{}, fmt.Errorf("%s: %w", op, err)
	}
	if d.What != exchange.WhatPacket {
		e := connectors.Errorf(op, connectors.Refused, "a folder takes packets only")
		e.Unsent = true
		return exchange.Receipt{}, e
	}
	if receipt, err := p.Ask(ctx, d); err == nil {
		receipt.Outcome = exchange.OutcomeLaidOut
		return receipt, nil
	} else if !errors.Is(err, exchange.ErrNotFound) {
		return exchange.Receipt{}, err
	}
	if asked && p.lies(filepath.Join(p.dir, withdrawn), d) {
		return exchange.Receipt{}, connectors.Errorf(op, connectors.Uncertain, "it was put aside meanwhile")
	}
	page, err := p.stationer.Page(d, p.now())
	if err != nil {
		return exchange.Receipt{}, &connectors.Error{Op: op, Fault: connectors.Refused, Unsent: true, Err: err}
	}
	if err := ensure(p.dir, true); err != nil {
		return exchange.Receipt{}, trouble(ctx, op, err)
	}
	for i, body := range [2][]byte{d.Body, page} {
		if err := writeWhole(p.dir, files(d)[i], body, time.Time{}); err != nil {
			return exchange.Receipt{}, trouble(ctx, op, err) // the page is written last: without it nothing was laid out
		}
	}
	return p.receipt(d, exchange.OutcomeLaidOut, p.now()), nil
}

func (p *Packets) receipt(d exchange.Delivery, o exchange.Outcome, at time.Time) exchange.Receipt {
	return exchange.Receipt{Outcome: o, Ref: fhir.Ref{Type: "Bundle", ID: Base(d)}, At: at}
}

// Ask tells whether the packet lies there.
func (p *Packets) Ask(ctx context.Context, d exchange.Delivery) (exchange.Receipt, error) {
	const op = "look for packet"
	if err := ctx.Err(); err != nil {
		return exchange.Receipt{}, fmt.Errorf("%s: %w", op, err)
	}
	info, err := os.Lstat(filepath.Join(p.dir, files(d)[1]))
	if errors.Is(err, fs.ErrNotExist) {
		return exchange.Receipt{}, fmt.Errorf("%s: %w", op, exchange.ErrNotFound)
	}
	if err != nil {
		return exchange.Receipt{}, trouble(ctx, op, err)
	}
	return p.receipt(d, exchange.OutcomeLaidOut, info.ModTime()), nil
}

func (p *Packets) lies(dir string, d exchange.Delivery) bool {
	_, err := os.Lstat(filepath.Join(dir, files(d)[1]))
	return err == nil
}

// Recall moves a packet to where nobody hands it over from.
func (p *Packets) Recall(ctx context.Context, d exchange.Delivery) error {
	const op = "put packet aside"
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("%s: %w", op, err)
	}
	aside, moved := filepath.Join(p.dir, withdrawn), 0
	for _, name := range files(d) {
		from := filepath.Join(p.dir, name)
		if _, err := os.Lstat(from); errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err := ensure(aside, true); err != nil {
			return trouble(ctx, op, err)
		}
		if err := os.Rename(from, filepath.Join(aside, name)); err != nil {
			return trouble(ctx, op, err)
		}
		moved++
	}
	if moved == 0 && !p.lies(aside, d) {
		return fmt.Errorf("%s: %w", op, exchange.ErrNotFound)
	}
	return nil
}
