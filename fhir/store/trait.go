package store

import (
	"context"
	"encoding/hex"
	"slices"
	"strings"

	"github.com/kaphub/kaphub/fhir"
	table "github.com/kaphub/kaphub/fhir/store/db"
)

// keepDigests replaces the digests by which the page's patients are matched. Of patients of the practice who are no
// clients not even these are kept. It returns the digests that came or went, and the others of the same patients.
func (r *receipt) keepDigests(ctx context.Context, patients map[string]item) (touched map[string]bool, err error) {
	touched = map[string]bool{}
	if len(patients) == 0 {
		return touched, nil
	}
	rows, err := r.DigestsOfMany(ctx, table.DigestsOfManyParams{Patients: set(patients), Source: r.src.Name})
	if err != nil {
		return nil, err
	}
	known := map[string][]string{}
	for _, d := range rows {
		known[d.Patient] = append(known[d.Patient], d.Digest)
	}
	for _, id := range sorted(patients) {
		if r.src.Party == fhir.Practice && r.clients[id] == "" {
			continue
		}
		stored, moved := known[id], len(touched)
		for _, d := range patients[id].digests {
			if slices.Contains(stored, d) {
				continue
			}
			touched[d] = true
			if err := r.PutDigest(ctx, table.PutDigestParams{Source: r.src.Name, Patient: id, Digest: d}); err != nil {
				return nil, err
			}
		}
		for _, d := range stored {
			if slices.Contains(patients[id].digests, d) {
				continue
			}
			touched[d] = true
			if err := r.DropDigest(ctx, table.DropDigestParams{Source: r.src.Name, Patient: id, Digest: d}); err != nil {
				return nil, err
			}
		}
		if len(touched) > moved { // whoever shares another of them may be a rival no more, or a new one
			for _, d := range patients[id].digests {
				touched[d] = true
			}
		}
	}
	return touched, nil
}

// keepTraits replaces what is kept of who the page's patients say they are: digests alone, and of patients of the
// practice who are no clients nothing. It returns the birth dates, as digests, of those of whom something came or went.
func (r *receipt) keepTraits(ctx context.Context, patients map[string]item) (births map[string]bool, err error) {
	births = map[string]bool{}
	if len(patients) == 0 {
		return births, nil
	}
	rows, err := r.TraitsOfMany(ctx, table.TraitsOfManyParams{Patients: set(patients), Source: r.src.Name})
	if err != nil {
		return nil, err
	}
	known := map[string]table.Trait{}
	for _, t := range rows {
		known[t.Patient] = t
	}
	for _, id := range sorted(patients) {
		if r.src.Party == fhir.Practice && r.clients[id] == "" {
			continue
		}
		told := r.db.conceal(patients[id].traits)
		told.Source, told.Patient = r.src.Name, id
		before, had := known[id]
		if told == before || !had && patients[id].traits.Birth == "" {
			continue // without a birth date nobody is found
		}
		if err := r.PutTrait(ctx, table.PutTraitParams(told)); err != nil {
			return nil, err
		}
		for _, birth := range []string{before.Birth, told.Birth} {
			if birth != "" {
				births[birth] = true
			}
		}
	}
	return births, nil
}

// conceal returns the keyed digests of traits, each kind apart: a digest tells whether two are the same, and nothing
// else. They are worth no more than the key is kept.
func (db *DB) conceal(t fhir.Traits) table.Trait {
	hide := func(kind string, values ...string) string {
		var digests []string
		for _, v := range values {
			if v != "" {
				m := mac(db.keys.digests, "trait", kind, v)
				digests = append(digests, hex.EncodeToString(m[:12]))
			}
		}
		slices.Sort(digests)
		return strings.Join(digests, " ")
	}
	return table.Trait{Birth: hide("birth", t.Birth), Family: hide("family", t.Family...), Sound: hide("sound", t.Sound...),
		Given: hide("given", t.Given...), Phone: hide("phone", t.Phone...), Mail: hide("mail", t.Mail...)}
}

// compare tells how a patient's traits stand to those that the practice's sources have of a client, by kind, and which
// digests agree.
func compare(patient table.Trait, client []table.Trait) (evidence []fhir.Evidence, agreed []string) {
	for _, kind := range []struct {
		name string
		of   func(table.Trait) string
		near func(table.Trait) string // what still sounds alike; nil for nothing
	}{
		{fhir.EvidenceBirth, func(t table.Trait) string { return t.Birth }, nil},
		{fhir.EvidenceFamily, func(t table.Trait) string { return t.Family }, func(t table.Trait) string { return t.Sound }},
		{fhir.EvidenceGiven, func(t table.Trait) string { return t.Given }, nil},
		{fhir.EvidencePhone, func(t table.Trait) string { return t.Phone }, nil},
		{fhir.EvidenceMail, func(t table.Trait) string { return t.Mail }, nil},
	} {
		says := fhir.Missing
		same, filed := shared(kind.of, patient, client)
		if filed {
			says = fhir.Differs
		}
		if kind.near != nil && len(same) == 0 {
			if same, _ = shared(kind.near, patient, client); len(same) > 0 {
				says = fhir.Alike
			}
		} else if len(same) > 0 {
			says = fhir.Agrees
		}
		agreed = append(agreed, same...)
		evidence = append(evidence, fhir.Evidence{Kind: kind.name, Says: says})
	}
	return evidence, agreed
}

// shared returns the digests of one kind that both sides have, and whether both have any.
func shared(of func(table.Trait) string, patient table.Trait, client []table.Trait) (same []string, filed bool) {
	theirs := strings.Fields(of(patient))
	for _, c := range client {
		ours := strings.Fields(of(c))
		filed = filed || len(ours) > 0 && len(theirs) > 0
		for _, d := range ours {
			if slices.Contains(theirs, d) && !slices.Contains(same, d) {
				same = append(same, d)
			}
		}
	}
	return same, filed
}

// spell writes evidence as it is stored, and readEvidence reads it.
func spell(evidence []fhir.Evidence) string {
	parts := make([]string, 0, len(evidence))
	for _, e := range evidence {
		parts = append(parts, e.Kind+"="+e.Says)
	}
	return strings.Join(parts, "; ")
}

func readEvidence(text string) (evidence []fhir.Evidence) {
	for part := range strings.SplitSeq(text, "; ") {
		if kind, says, ok := strings.Cut(part, "="); ok {
			evidence = append(evidence, fhir.Evidence{Kind: kind, Says: says})
		}
	}
	return evidence
}
