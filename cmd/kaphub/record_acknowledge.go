package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"github.com/kaphub/kaphub/cmd/internal/entry"
	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/exchange"
)

type recordAcknowledge struct {
	entryFlags
	Read string `placeholder:"y|n" help:"The directions on file were read, and are acknowledged."`
}

// Run shows the directions on file, and enters that they were read: the very ones that were shown.
func (c *recordAcknowledge) Run(ctx context.Context, s *scene) error {
	return s.record(ctx, &c.entryFlags, false, c.build)
}

func (c *recordAcknowledge) build(r *recording) ([]exchange.Slip, error) {
	rx, onFile, err := r.Directions()
	if err != nil {
		return nil, err
	}
	if rx == nil {
		return entry.Acknowledged{}.Make(r.About, r.note)
	}
	_, _ = fmt.Fprintf(r.out, "  On file: %s\n", cmp.Or(harmless([]byte(onFile)), "(directions without words)"))
	read, err := word(r.asker, &c.Read, question{flag: "read", ask: "Read and acknowledged", form: "y or n"}, entry.Yes)
	if err != nil {
		return nil, err
	}
	if !*read {
		return nil, errors.New("nothing was entered: directions that were not read are not acknowledged")
	}
	return entry.Acknowledged{Digest: fhir.DosageDigest(rx.Resource)}.Make(r.About, r.note)
}
