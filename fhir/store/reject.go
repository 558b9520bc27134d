package store

import (
	"context"
	"encoding/base64"
	"fmt"
	"strings"

	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/exchange"
	table "github.com/kaphub/kaphub/fhir/store/db"
)

// keepRejects stores what could not be read (invariant 5), and closes those that a readable version has superseded; one
// that comes again stays as it is. It returns how many open ones of this source belong to nobody.
func (r *receipt) keepRejects(ctx context.Context, rejects []fhir.Reject, open []table.OpenRejectsRow, readable map[fhir.Ref]bool) (orphans int, err error) {
	known, again := map[string]bool{}, map[string]bool{}
	for i, j := range rejects {
		if j.Hash == "" {
			rejects[i].Hash = bodyHash(j.Body)
		}
		again[rejects[i].Hash] = true
	}
	for _, o := range open {
		if !again[o.Hash] && o.Ref != "" && readable[fhir.Ref{Type: o.Type, ID: o.Ref}] {
			if err := r.resolve(ctx, o.ID, "superseded"); err != nil {
				return 0, err
			}
			r.moved[r.clients[o.Subject]] = true
			continue
		}
		known[o.Hash] = true
		if o.Subject == "" {
			orphans++
		}
	}
	for _, j := range rejects {
		if known[j.Hash] {
			continue
		}
		known[j.Hash] = true
		j.Type, j.Ref, j.Reason, j.Subject.ID = storable(j.Type), storable(j.Ref), storable(j.Reason), storable(j.Subject.ID)
		subject := ""
		if j.Subject.Type == "Patient" {
			subject = j.Subject.ID
		}
		if now := r.heads[fhir.Ref{Type: j.Type, ID: j.Ref}]; now != nil && (subject == "" || r.clients[subject] == "" && r.clients[now.subject] != "") {
			subject = now.subject // an older version of it could be read, and stands in that client's chart
		}
		if subject == "" {
			orphans++
		}
		row := table.PutRejectParams{ID: fmt.Sprintf("r-%d-%s", r.moment, j.Hash[:min(8, len(j.Hash))]), Source: r.src.Name,
			Type: j.Type, Ref: j.Ref, Subject: subject, Reason: j.Reason, Hash: j.Hash, Received: r.at, Moment: r.moment,
			Body: base64.StdEncoding.EncodeToString(j.Body)} // base64: what is unreadable need not even be text
		row.Mac = r.seal("reject", rejectParts(table.Reject{ID: row.ID, Source: row.Source, Type: row.Type, Ref: row.Ref,
			Subject: row.Subject, Reason: row.Reason, Hash: row.Hash, Received: row.Received, Body: row.Body})...)
		if err := r.PutReject(ctx, row); err != nil {
			return 0, err
		}
		r.done.Rejects++
		r.moved[r.clients[subject]] = true
	}
	return orphans, nil
}

// storable is s as PostgreSQL can keep it: what was salvaged from garbage may be garbage.
func storable(s string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "\uFFFD")
}

// rejectParts are what a reject's MAC covers; how it was resolved is sealed by the commit that did.
func rejectParts(j table.Reject) []string {
	return []string{j.ID, j.Source, j.Type, j.Ref, j.Subject, j.Reason, j.Hash, num(j.Received), j.Body}
}

// resolve closes a reject for a reason.
func (c *commit) resolve(ctx context.Context, id, reason string) error {
	c.seal("resolved", id, reason)
	n, err := c.ResolveReject(ctx, table.ResolveRejectParams{Resolved: reason, Moment: c.moment, ID: id})
	if err == nil && n == 0 {
		err = fmt.Errorf("reject %s: %w", id, exchange.ErrConflict)
	}
	return err
}

// Resolve closes an open reject by a person's decision, with their reason. Its client is judged again; a source that
// was incomplete for it alone is complete with its next complete read.
func (db *DB) Resolve(ctx context.Context, actor, id, reason string) error {
	return db.commit(ctx, "resolve reject", id, func(c *commit) error {
		c.actor = actor
		j, err := c.Reject(ctx, id)
		if err != nil {
			return found(err)
		}
		if err := c.resolve(ctx, id, reason); err != nil {
			return err
		}
		links, err := c.LinksOf(ctx, table.LinksOfParams{Patients: set(map[string]bool{j.Subject: true}), Source: j.Source})
		if err != nil {
			return err
		}
		clients := map[string]bool{}
		for _, l := range links {
			clients[l.Client] = true
		}
		if len(clients) == 0 {
			return nil
		}
		return c.moveAll(ctx, clients)
	})
}

// WhoseRejects returns to which client the patients of rejects are linked, by the reject's id; a reject of nobody that is known,
// and one that two may be meant by, is left out.
func (db *DB) WhoseRejects(ctx context.Context, rejects []fhir.Reject) (map[string]string, error) {
	whose, patients := map[string]string{}, map[string]map[string]bool{}
	for _, j := range rejects {
		if j.Subject.ID == "" {
			continue
		}
		if patients[j.Source] == nil {
			patients[j.Source] = map[string]bool{}
		}
		patients[j.Source][j.Subject.ID] = true
	}
	for source, list := range patients {
		links, err := db.read.LinksOf(ctx, table.LinksOfParams{Patients: set(list), Source: source})
		if err != nil {
			return nil, fmt.Errorf("whose the rejects are: %w", plain(err))
		}
		client, two := map[string]string{}, map[string]bool{}
		for _, l := range links {
			if l.How == candidate {
				continue
			}
			two[l.Patient] = two[l.Patient] || client[l.Patient] != "" && client[l.Patient] != l.Client
			client[l.Patient] = l.Client
		}
		for _, j := range rejects {
			if c := client[j.Subject.ID]; j.Source == source && c != "" && !two[j.Subject.ID] {
				whose[j.ID] = c
			}
		}
	}
	return whose, nil
}

// Rejects returns the open rejects, or with all every one there ever was, oldest first.
func (db *DB) Rejects(ctx context.Context, all bool) ([]fhir.Reject, error) {
	rows, err := db.read.Rejects(ctx, all)
	if err != nil {
		return nil, fmt.Errorf("read rejects: %w", plain(err))
	}
	return rejectsOf(rows)
}

// RejectsAt returns the rejects that were open at a moment, oldest first, as they stood then.
func (db *DB) RejectsAt(ctx context.Context, asOf fhir.Moment) ([]fhir.Reject, error) {
	rows, err := db.read.OpenRejectsAt(ctx, momentOr(asOf))
	if err != nil {
		return nil, fmt.Errorf("read rejects: %w", plain(err))
	}
	for i := range rows {
		rows[i].Resolved = "" // as of then
	}
	return rejectsOf(rows)
}

// Reject returns one reject; ErrNotFound when there is none of that id.
func (db *DB) Reject(ctx context.Context, id string) (fhir.Reject, error) {
	row, err := db.read.Reject(ctx, id)
	if err != nil {
		return fhir.Reject{}, fmt.Errorf("read reject: %w", plain(found(err)))
	}
	list, err := rejectsOf([]table.Reject{row})
	if err != nil {
		return fhir.Reject{}, err
	}
	return list[0], nil
}

func rejectsOf(rows []table.Reject) ([]fhir.Reject, error) {
	list := make([]fhir.Reject, 0, len(rows))
	for _, j := range rows {
		body, err := base64.StdEncoding.DecodeString(j.Body)
		if err != nil {
			return nil, fmt.Errorf("reject %s is damaged: run `kaphub audit verify`", j.ID)
		}
		r := fhir.Reject{ID: j.ID, Source: j.Source, Type: j.Type, Ref: j.Ref, Reason: j.Reason, Body: body, Hash: j.Hash,
			Received: clock(j.Received), Moment: fhir.Moment(j.Moment), Resolved: j.Resolved}
		if j.Subject != "" {
			r.Subject = fhir.Ref{Type: "Patient", ID: j.Subject}
		}
		list = append(list, r)
	}
	return list, nil
}
