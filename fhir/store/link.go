package store

import (
	"context"
	"slices"
	"strconv"

	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/exchange"
	table "github.com/kaphub/kaphub/fhir/store/db"
)

// How a link came about. A candidate is no link: it tells that two could be meant, and that a person must say which.
const (
	enrolled     = "enrolled"
	byKey        = "key"
	byIdentifier = "identifier"
	byPerson     = "person"
	candidate    = fhir.Candidate
)

// loadLinks reads which clients the page's patients are.
func (r *receipt) loadLinks(ctx context.Context, page exchange.Page, read reading) error {
	r.clients, r.fresh = map[string]string{}, map[string]bool{}
	patients := map[string]bool{}
	for _, it := range read.items {
		if it.subject != "" {
			patients[it.subject] = true
		}
	}
	for _, j := range read.rejects {
		if j.Subject.Type == "Patient" {
			patients[storable(j.Subject.ID)] = true
		}
	}
	for _, p := range page.Swept {
		patients[p] = true
	}
	return r.readLinks(ctx, patients)
}

func (r *receipt) readLinks(ctx context.Context, patients map[string]bool) error {
	if len(patients) == 0 {
		return nil
	}
	links, err := r.LinksOf(ctx, table.LinksOfParams{Patients: set(patients), Source: r.src.Name})
	for _, l := range links {
		if l.How != candidate {
			r.clients[l.Patient] = l.Client
			r.fresh[l.Patient] = l.ReadBack == 0
		}
	}
	return err
}

// link finds out whom the page is about: it matches patients by identifier and enrols clients (fhir.md section 8).
func (r *receipt) link(ctx context.Context, read reading) error {
	patients := map[string]item{}
	for _, it := range read.items {
		if it.Type == "Patient" {
			patients[it.ID] = it // the last one in the page tells how it stands
		}
	}
	if r.src.Party == fhir.Practice {
		if err := r.matchAtPractice(ctx, patients); err != nil {
			return err
		}
		if err := r.enrol(ctx, read); err != nil {
			return err
		}
	}
	touched, err := r.keepDigests(ctx, patients)
	if err != nil {
		return err
	}
	births, err := r.keepTraits(ctx, patients)
	if err != nil {
		return err
	}
	r.noted = len(touched)+len(births) > 0
	return r.matchAll(ctx, patients, touched, births)
}

// matchAtPractice links patients whom another source of the practice has made clients already, so that a second
// source, a calendar say, makes nobody a client twice.
func (r *receipt) matchAtPractice(ctx context.Context, patients map[string]item) error {
	var unlinked []string
	digests := map[string]bool{}
	for _, id := range sorted(patients) {
		if r.clients[id] != "" {
			continue
		}
		unlinked = append(unlinked, id)
		for _, d := range patients[id].digests {
			digests[d] = true
		}
	}
	sharing, err := r.sharingWith(ctx, digests)
	if err != nil {
		return err
	}
	for _, id := range unlinked {
		clients := sharing.any(patients[id].digests)
		if key := patients[id].ownKey; key == id { // at the desk, Patient/<hub key> is the client by the hub's own key
			if clients, err = r.ofKey(ctx, key); err != nil {
				return err
			}
		}
		if len(clients) != 1 {
			continue
		}
		parted, err := r.PartedFrom(ctx, table.PartedFromParams{Source: r.src.Name, Patient: id})
		if err != nil {
			return err
		}
		if slices.Contains(parted, clients[0]) {
			continue
		}
		taken, err := r.LinkOfClient(ctx, table.LinkOfClientParams{Client: clients[0], Source: r.src.Name})
		if err != nil {
			return err
		}
		if len(taken) == 0 {
			if err := r.putLink(ctx, r.src.Name, r.src.Party, id, clients[0], byIdentifier); err != nil {
				return err
			}
		}
	}
	return nil
}

// ofKey returns the client of a hub key; none when nobody was ever given it.
func (r *receipt) ofKey(ctx context.Context, key string) ([]string, error) {
	known, err := r.ClientKnown(ctx, key)
	if err != nil || known == 0 {
		return nil, err
	}
	return []string{key}, nil
}

// enrol makes a client of every patient of the practice whom a referral, an appointment or a release names, and an
// engagement with each prescriber it names. One that cannot tell the prescriber names them all; that counts only for
// a client of whom nothing better is known.
func (r *receipt) enrol(ctx context.Context, read reading) error {
	var clear, passed, vague []item
	engaged := map[Engagement]bool{} // by an earlier trigger in this page
	asked := map[string]bool{}       // clients of whom it is known whether anything better is known
	for _, it := range read.items {
		switch {
		case !it.enrols:
		case it.Type == "Task":
			passed = append(passed, it) // after what may make a client of whom it is about
		case len(it.named) > 1 && len(it.named) == len(r.db.recogniser.Prescribers):
			vague = append(vague, it)
		default:
			clear = append(clear, it)
		}
	}
	clear = append(clear, passed...)
	for i, it := range append(clear, vague...) {
		client := r.clients[it.subject]
		if client == "" && it.Type == "Task" {
			continue // it is about no referral that the hub knows
		}
		if client == "" {
			var err error
			if client, err = r.newClient(ctx, it.subject); err != nil {
				return err
			}
			if err := r.putLink(ctx, r.src.Name, r.src.Party, it.subject, client, enrolled); err != nil {
				return err
			}
		}
		if i >= len(clear) {
			if asked[client] {
				continue // whatever names all names the same
			}
			asked[client] = true
			n, err := r.CountEngagements(ctx, client)
			if err != nil {
				return err
			}
			if n > 0 {
				continue
			}
		}
		for _, p := range it.named {
			e := Engagement{Client: client, Prescriber: p}
			if engaged[e] {
				continue
			}
			engaged[e] = true
			result, err := r.Engage(ctx, table.EngageParams{Client: client, Prescriber: p, Moment: r.moment, Moved: r.moment})
			if err != nil {
				return err
			}
			if r.moved[client] {
				continue // whether it is new need not be asked
			}
			n, err := result.RowsAffected()
			if err != nil {
				return err
			}
			if n > 0 {
				r.moved[client] = true
			}
		}
	}
	return nil
}

// newClient returns the hub key of a client whom the source's patient makes one. It says nothing about whom it names. A
// store begun anew with the same master key names the same client the same, so that what was written elsewhere is found
// there and not written twice. A key that was ever given is not given again: the patient was parted from that client.
func (r *receipt) newClient(ctx context.Context, patient string) (string, error) {
	const alphabet = "0123456789abcdefghjkmnpqrstvwxyz"
	for try := 0; ; try++ {
		sum := mac(r.db.keys.digests, "client", r.src.Name, patient, strconv.Itoa(try))
		key := make([]byte, 10)
		for i := range key {
			key[i] = alphabet[sum[i]%32]
		}
		client := "c-" + string(key)
		if n, err := r.CountLinks(ctx, client); err != nil || n == 0 {
			return client, err
		}
	}
}

// putLink stores a link that this page brought about.
func (r *receipt) putLink(ctx context.Context, source, party, patient, client, how string) error {
	if err := r.storeLink(ctx, table.Link{Source: source, Patient: patient, Client: client, Party: party, How: how, Since: r.at}); err != nil {
		return err
	}
	r.moved[client] = true
	r.done.Links++
	if source == r.src.Name {
		r.clients[patient], r.fresh[patient] = client, true
	}
	return nil
}

// storeLink stores l as of this commit.
func (c *commit) storeLink(ctx context.Context, l table.Link) error {
	return c.PutLink(ctx, table.PutLinkParams{Source: l.Source, Patient: l.Patient, Client: l.Client, Moment: c.moment, Party: l.Party,
		How: l.How, Since: l.Since, ReadBack: l.ReadBack, Mac: c.seal("link", linkParts(l)...), Evidence: l.Evidence})
}

func (c *commit) endCandidate(ctx context.Context, source, patient, client string) error {
	c.seal("unlink", source, patient, client)
	_, err := c.EndCandidate(ctx, table.EndCandidateParams{Ended: c.moment, Source: source, Patient: patient, Client: client})
	return err
}

// linkParts are what a link's MAC covers.
func linkParts(l table.Link) []string {
	parts := []string{l.Source, l.Patient, l.Client, l.Party, l.How, num(l.Since)}
	if l.Evidence != "" { // older links have none
		parts = append(parts, l.Evidence)
	}
	return parts
}

func keySet(keys []string) map[string]bool {
	m := make(map[string]bool, len(keys))
	for _, k := range keys {
		m[k] = true
	}
	return m
}

func sorted[T any](m map[string]T) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
