package store

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"

	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/exchange"
	table "github.com/kaphub/kaphub/fhir/store/db"
)

// Chart returns all that the hub knew of a client at a moment; 0 is now. ErrNotFound for nobody's key.
func (db *DB) Chart(ctx context.Context, client string, asOf fhir.Moment) (fhir.Chart, error) {
	var chart fhir.Chart
	err := db.snap(ctx, "chart of "+client, func(q *table.Queries) error {
		at, err := moment(ctx, q, asOf)
		if err != nil {
			return err
		}
		links, err := q.LinksAt(ctx, table.LinksAtParams{Client: client, Moment: at})
		if err != nil {
			return err
		}
		if len(links) == 0 {
			return exchange.ErrNotFound
		}
		own, err := q.VersionsAt(ctx, table.VersionsAtParams{Client: client, Moment: at})
		if err != nil {
			return err
		}
		dir, err := q.DirectoryAt(ctx, table.DirectoryAtParams{Client: client, Moment: at})
		if err != nil {
			return err
		}
		rejects, err := q.RejectsAt(ctx, table.RejectsAtParams{Client: client, Moment: at})
		if err != nil {
			return err
		}
		open, err := rejectsOf(rejects)
		if err != nil {
			return err
		}
		for i := range open {
			open[i].Resolved = "" // as of then
		}
		sources, err := sourcesAt(ctx, q, at)
		if err != nil {
			return err
		}
		versions := make([]fhir.Version, 0, len(own)+len(dir))
		for _, list := range [][]table.Version{own, dir} {
			for _, v := range list {
				versions = append(versions, versionOf(v))
			}
		}
		slices.SortStableFunc(versions, func(a, b fhir.Version) int { return int(a.Moment - b.Moment) })
		chart = fhir.NewChart(client, fhir.Moment(at), versions, linksOf(links, at), sources, open)
		apart, err := q.SealedAt(ctx, table.SealedAtParams{Client: client, Moment: at})
		if err != nil {
			return err
		}
		chart.Sealed = sealedOf(apart)
		if chart.Outstanding, err = outstanding(ctx, q, client, at); err != nil {
			return err
		}
		if chart.HandedOver, err = handedOver(ctx, q, client, at); err != nil {
			return err
		}
		chart.Began, err = began(ctx, q, client, at)
		return err
	})
	return chart, err
}

// EachPatient calls yield for every Patient by which the practice knows a client, by client, as it stands now: enough to
// find somebody by, without reading a chart. A body that cannot be read is passed over.
func (db *DB) EachPatient(ctx context.Context, yield func(client string, p fhir.Patient)) error {
	rows, err := db.read.PracticePatients(ctx)
	if err != nil {
		return fmt.Errorf("read patients: %w", plain(err))
	}
	for _, row := range rows {
		if p, err := fhir.Read[fhir.Patient](fhir.Resource{Type: "Patient", ID: row.ID, Body: []byte(row.Body)}); err == nil {
			yield(row.Client, p)
		}
	}
	return nil
}

func linksOf(rows []table.Link, at int64) []fhir.Link {
	links := make([]fhir.Link, 0, len(rows))
	for _, l := range rows {
		link := fhir.Link{Client: l.Client, Source: l.Source, Patient: l.Patient, How: l.How,
			Moment: fhir.Moment(l.Moment), Since: clock(l.Since), Evidence: readEvidence(l.Evidence)}
		if l.ReadBack != 0 && l.ReadBack <= at {
			link.ReadBack, link.Whole = true, fhir.Moment(l.ReadBack)
		}
		links = append(links, link)
	}
	return links
}

func bodyHash(body []byte) string {
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:])
}
