package store

import (
	"context"
	"encoding/hex"
	"fmt"
	"slices"

	"github.com/kaphub/kaphub/fhir"
	table "github.com/kaphub/kaphub/fhir/store/db"
)

// verifyPage is how many rows are read at a time.
const verifyPage = 500

// VerifyAudit computes the whole chain again, and the MAC of every row that a commit stored, and tells what does not
// fit. progress, if not nil, is called as it goes on.
func (db *DB) VerifyAudit(ctx context.Context, progress func(done, total int64)) (AuditReport, error) {
	v := verifier{db: db, stored: map[int64][32]byte{}, progress: progress}
	err := db.snap(ctx, "verify audit", func(q *table.Queries) error {
		v.Queries = q
		var err error
		if v.total, err = q.CountSealed(ctx); err != nil {
			return err
		}
		for _, check := range []func(context.Context) error{v.versions, v.links, v.rulings, v.rejects, v.verdicts, v.judgements, v.sourceLog, v.deliveries, v.steps, v.tellings, v.settings, v.sealed, v.notices, v.trays, v.handlings, v.began, v.accounts, v.glasses, v.chain} {
			if err := check(ctx); err != nil {
				return err
			}
		}
		return nil
	})
	slices.Sort(v.report.Altered)
	return v.report, err
}

type verifier struct {
	*table.Queries
	db       *DB
	report   AuditReport
	stored   map[int64][32]byte // moment -> what its rows add up to
	done     int64
	total    int64
	progress func(done, total int64)
}

// row computes a stored row's MAC again, and takes the stored one into its commit's digest: so that one that was
// altered is named itself, and one that was removed or added by what its commit says.
func (v *verifier) row(kind, name string, moment int64, stored string, parts ...string) {
	m := v.db.seal(kind, moment, parts...)
	if hex.EncodeToString(m[:]) != stored {
		v.report.Altered = append(v.report.Altered, name)
		if raw, err := hex.DecodeString(stored); err == nil {
			copy(m[:], raw)
		}
	}
	v.count(moment, m)
}

func (v *verifier) count(moment int64, m [32]byte) {
	sum := v.stored[moment]
	mix(&sum, m)
	v.stored[moment] = sum
	v.tick()
}

func (v *verifier) tick() {
	v.done++
	if v.progress != nil && (v.done%verifyPage == 0 || v.done == v.total) {
		v.progress(v.done, v.total)
	}
}

func (v *verifier) versions(ctx context.Context) error {
	var at table.VersionsFromParams
	at.Lim = verifyPage
	for {
		rows, err := v.VersionsFrom(ctx, at)
		if err != nil {
			return err
		}
		for _, r := range rows {
			v.row("version", fmt.Sprintf("%s/%s/%s version %d", r.Source, r.Type, r.ID, r.N), r.Moment, r.Mac, versionParts(r)...)
			at.Source, at.Type, at.ID, at.N = r.Source, r.Type, r.ID, r.N
		}
		if len(rows) < verifyPage {
			return nil
		}
	}
}

func (v *verifier) links(ctx context.Context) error {
	rows, err := v.AllLinks(ctx)
	for _, r := range rows {
		v.row("link", fmt.Sprintf("link of %s to %s", r.Client, r.Source), r.Moment, r.Mac, linkParts(r)...)
		if r.Ended != 0 {
			v.count(r.Ended, v.db.seal("unlink", r.Ended, r.Source, r.Patient, r.Client))
		}
	}
	return err
}

func (v *verifier) rulings(ctx context.Context) error {
	rows, err := v.AllRulings(ctx)
	for _, r := range rows {
		v.row("ruling", fmt.Sprintf("what was said of %s at %s", r.Client, r.Source), r.Moment, r.Mac, rulingParts(r)...)
	}
	return err
}

func (v *verifier) rejects(ctx context.Context) error {
	rows, err := v.Rejects(ctx, true)
	for _, r := range rows {
		v.row("reject", "reject "+r.ID, r.Moment, r.Mac, rejectParts(r)...)
		if r.ResolvedMoment != 0 {
			v.count(r.ResolvedMoment, v.db.seal("resolved", r.ResolvedMoment, r.ID, r.Resolved))
		}
	}
	return err
}

func (v *verifier) verdicts(ctx context.Context) error {
	var at table.VerdictsFromParams
	at.Lim = verifyPage
	for {
		rows, err := v.VerdictsFrom(ctx, at)
		if err != nil {
			return err
		}
		for _, r := range rows {
			v.row("verdict", fmt.Sprintf("verdict on %s with %s at %d", r.Client, r.Prescriber, r.Moment), r.Moment, r.Mac, r.Client, r.Prescriber, r.Body)
			at.Client, at.Prescriber, at.Moment = r.Client, r.Prescriber, r.Moment
		}
		if len(rows) < verifyPage {
			return nil
		}
	}
}

// judgements looks at when each verdict was judged, under which policy, and how long it stood. Those of before they were
// sealed have no MAC; a MAC that was taken away shows in its commit's digest.
func (v *verifier) judgements(ctx context.Context) error {
	var at table.JudgementsFromParams
	at.Lim = verifyPage
	for {
		rows, err := v.JudgementsFrom(ctx, at)
		if err != nil {
			return err
		}
		for _, r := range rows {
			if r.Mac != "" {
				v.row("judgement", fmt.Sprintf("judgement of %s with %s at %d", r.Client, r.Prescriber, r.Moment), r.Moment, r.Mac, judgementParts(r)...)
			}
			at.Client, at.Prescriber, at.Moment = r.Client, r.Prescriber, r.Moment
		}
		if len(rows) < verifyPage {
			return nil
		}
	}
}

// sourceLog looks at how far each source was said to have been read, like judgements.
func (v *verifier) sourceLog(ctx context.Context) error {
	var at table.SourceLogFromParams
	at.Lim = verifyPage
	for {
		rows, err := v.SourceLogFrom(ctx, at)
		if err != nil {
			return err
		}
		for _, r := range rows {
			if r.Mac != "" {
				v.row("source", fmt.Sprintf("how far %s was read at %d", r.Name, r.Moment), r.Moment, r.Mac, sourceParts(r)...)
			}
			at.Name, at.Moment = r.Name, r.Moment
		}
		if len(rows) < verifyPage {
			return nil
		}
	}
}

// deliveries also compares each one's standing with its last step.
func (v *verifier) deliveries(ctx context.Context) error {
	rows, err := v.Deliveries(ctx, "")
	if err != nil {
		return err
	}
	for _, d := range rows {
		first, err := v.FirstStep(ctx, d.ID)
		if err = found(err); err != nil {
			v.report.Altered = append(v.report.Altered, "delivery "+d.ID)
			continue
		}
		v.row("delivery", "delivery "+d.ID, first, d.Mac, deliveryParts(d)...)
		last, err := v.StepAt(ctx, table.StepAtParams{ID: d.ID, Moment: d.Moment})
		if found(err) != nil || last.State != d.State || last.Attempts != d.Attempts || last.Receipt != d.Receipt || last.Due != 0 && last.Due != d.Due {
			v.report.Altered = append(v.report.Altered, "delivery "+d.ID+" (how it stands)")
		}
	}
	return nil
}

func (v *verifier) steps(ctx context.Context) error {
	rows, err := v.AllSteps(ctx)
	for _, r := range rows {
		v.row("step", fmt.Sprintf("delivery %s (step at %d)", r.ID, r.Moment), r.Moment, r.Mac, stepParts(r)...)
	}
	return err
}

func (v *verifier) tellings(ctx context.Context) error {
	rows, err := v.AllTellings(ctx)
	for _, r := range rows {
		v.row("telling", "telling "+r.ID, r.Moment, r.Mac, tellingParts(r)...)
	}
	return err
}

func (v *verifier) settings(ctx context.Context) error {
	rows, err := v.AllSettings(ctx)
	for _, r := range rows {
		v.row("setting", "setting "+r.Name, r.Moment, r.Mac, r.Name, r.Actor, r.Value)
	}
	return err
}

func (v *verifier) began(ctx context.Context) error {
	rows, err := v.AllBegan(ctx)
	for _, r := range rows {
		v.row("began", fmt.Sprintf("how %s with %s stood at the start of %s/%s/%s", r.Client, r.Prescriber, r.Source, r.Type, r.ID), r.Moment, r.Mac, beganParts(r)...)
	}
	return err
}

// sealed looks at what was set apart: whole while it waits or was admitted, empty once it was expunged.
func (v *verifier) sealed(ctx context.Context) error {
	rows, err := v.SealedAll(ctx, true)
	for _, r := range rows {
		name := "sealed " + r.ID
		v.row("sealed", name, r.Moment, r.Mac, sealedParts(r)...)
		if r.Outcome != "" {
			v.count(r.Ended, v.db.seal("sealed "+r.Outcome, r.Ended, r.ID, r.Actor, r.Why))
		}
		body, err := disclose(v.db.keys.sealed, r.ID, r.Body)
		if whole := err == nil && (r.Hash == "" || bodyOf(r.Type, body) == r.Hash); whole == (r.Outcome == expunged) {
			v.report.Altered = append(v.report.Altered, name+" (its content)")
		}
	}
	return err
}

// bodyOf is the hash of a resource as it was read.
func bodyOf(typ string, body []byte) string {
	res, err := fhir.Parse(body, typ)
	if err != nil {
		return ""
	}
	return res.Hash
}

// chain follows the entries from the first to the sealed tip, and compares each one's digest with what is stored.
func (v *verifier) chain(ctx context.Context) error {
	tip, err := v.Tip(ctx)
	if err != nil {
		return err
	}
	before, after := "", int64(0)
	for {
		rows, err := v.AuditAfter(ctx, table.AuditAfterParams{After: after, Lim: verifyPage})
		if err != nil {
			return err
		}
		for _, e := range rows {
			v.report.Entries++
			if v.db.chain(before, e) != e.Mac {
				v.report.Broken = append(v.report.Broken, e.Moment)
			}
			sum := v.stored[e.Moment]
			if hex.EncodeToString(sum[:]) != e.Digest {
				v.report.Altered = append(v.report.Altered, fmt.Sprintf("what commit %d stored (%s)", e.Moment, e.Action))
			}
			delete(v.stored, e.Moment)
			before, after = e.Mac, e.Moment
			v.tick()
		}
		if len(rows) < verifyPage {
			break
		}
	}
	if tip.Entries != v.report.Entries || tip.Mac != before || tip.Moment != after ||
		tip.Entries > 0 && tip.Seal != v.db.sealTip(tip.Moment, tip.Entries, tip.Mac) {
		v.report.Broken = append(v.report.Broken, max(tip.Moment, after+1)) // cut short, or its end was tampered with
	}
	for moment := range v.stored {
		v.report.Altered = append(v.report.Altered, fmt.Sprintf("rows of commit %d, of which the audit knows nothing", moment))
	}
	return nil
}
