package push

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/kaphub/kaphub/fhir/exchange"
	"github.com/kaphub/kaphub/fhir/readiness"
	"github.com/kaphub/kaphub/jobs"
)

// laid is a ledger that knows what is laid out, and a directory it lies in.
type laid struct {
	*ledger
	lies map[string]bool
	full error
}

func (l laid) Deliveries(_ context.Context, state exchange.State) (out []exchange.Entry, err error) {
	for _, r := range l.rows {
		if r.State == state {
			out = append(out, r.Entry)
		}
	}
	return out, nil
}

func (l laid) Ledger(context.Context, readiness.Engagement) (out []exchange.Entry, err error) {
	for _, r := range l.rows {
		out = append(out, r.Entry)
	}
	return out, nil
}

func (l laid) put(id, why string) error {
	r := l.find(id)
	r.Why = why
	l.note("note %s", id)
	return nil
}

// directory answers as a folder does.
type directory struct{ laid }

func (d directory) Recall(_ context.Context, e exchange.Delivery) error {
	switch {
	case d.full != nil:
		return d.full
	case !d.lies[e.ID]:
		return exchange.ErrNotFound
	}
	d.note("put aside %s", e.ID)
	return nil
}

type noting struct{ laid }

func (n noting) Recall(_ context.Context, id, why string) error { return n.put(id, why) }

func TestWhatMustNotBeHandedOverIsPutAside(t *testing.T) {
	packet := func(id, to string) *row {
		r := referral(id)
		r.What, r.State, r.To = exchange.WhatPacket, exchange.LaidOut, to
		return r
	}
	// ada's chart in these tests holds no release: none of them may be handed over.
	for _, row := range []struct {
		name string
		rows []*row
		lies map[string]bool
		full error
		log  string
		err  string
	}{
		{"put aside first, then noted", []*row{packet("a", "skylight")}, map[string]bool{"a": true}, nil, "put aside a, note a", ""},
		{"not there any more: it may have been handed over, and is noted", []*row{packet("a", "skylight")}, nil, nil, "note a", ""},
		{"another party's", []*row{packet("a", "aurora")}, map[string]bool{"a": true}, nil, "", ""},
		{"noted before", []*row{func() *row { r := packet("a", "skylight"); r.Why = "lapsed"; return r }()}, map[string]bool{"a": true}, nil, "", ""},
		{"it cannot be put aside: tried again with the next run", []*row{packet("a", "skylight")}, nil, errors.New("disk full"), "", "put it aside"},
	} {
		t.Run(row.name, func(t *testing.T) {
			l := laid{&ledger{rows: row.rows, now: func() time.Time { return now }}, row.lies, row.full}
			s := Step{Store: l.ledger, Laid: noting{l}, Recaller: directory{l}, To: "skylight", Now: func() time.Time { return now }, Policies: map[string]readiness.Policy{"skylight": {}}}
			counts, err := s.Run(t.Context())
			if got := strings.Join(l.log, ", "); got != row.log {
				t.Errorf("got %q, want %q", got, row.log)
			}
			if row.err == "" && err != nil || row.err != "" && (err == nil || !strings.Contains(err.Error(), row.err)) {
				t.Errorf("got %v, want %q", err, row.err)
			}
			want := jobs.Counts{}
			if strings.HasSuffix(row.log, "note a") {
				want[Recalled] = 1
			}
			if counts[Recalled] != want[Recalled] {
				t.Errorf("counts %v", counts)
			}
		})
	}
}
