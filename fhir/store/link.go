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
	byIdentifier = "identifier"
	candidate    = "candidate"
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
	r.noted = len(touched) > 0
	if r.src.Party != fhir.Practice {
		for _, id := range sorted(patients) {
			if err := r.match(ctx, r.src.Name, r.src.Party, id, patients[id].digests, patients[id].ownKey); err != nil {
				return err
			}
		}
		return nil
	}
	return r.matchAcross(ctx, touched)
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
	sharing, err := r.sharing(ctx, digests)
	if err != nil {
		return err
	}
	for _, id := range unlinked {
		clients := sharing.any(patients[id].digests)
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

// enrol makes a client of every patient of the practice whom a referral, an appointment or a release names, and an
// engagement with each prescriber it names. One that cannot tell the prescriber names them all; that counts only for
// a client of whom nothing better is known.
func (r *receipt) enrol(ctx context.Context, read reading) error {
	var clear, vague []item
	engaged := map[Engagement]bool{} // by an earlier trigger in this page
	asked := map[string]bool{}       // clients of whom it is known whether anything better is known
	for _, it := range read.items {
		switch {
		case !it.enrols:
		case len(it.named) > 1 && len(it.named) == len(r.db.recogniser.Prescribers):
			vague = append(vague, it)
		default:
			clear = append(clear, it)
		}
	}
	for i, it := range append(clear, vague...) {
		client := r.clients[it.subject]
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

// keepDigests replaces the digests by which the page's patients are matched. Of patients of the practice who are no
// clients not even these are kept. It returns the digests that came or went.
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
		stored := known[id]
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
	}
	return touched, nil
}

// matchAcross looks at the patients whom prescribers have told of before, where a client's identifiers came or went.
func (r *receipt) matchAcross(ctx context.Context, digests map[string]bool) error {
	if len(digests) == 0 {
		return nil
	}
	others, err := r.PatientsSharing(ctx, set(digests))
	if err != nil {
		return err
	}
	for _, o := range others {
		theirs, err := r.DigestsOf(ctx, table.DigestsOfParams{Source: o.Source, Patient: o.Patient})
		if err != nil {
			return err
		}
		if err := r.match(ctx, o.Source, o.Party, o.Patient, theirs, ""); err != nil {
			return err
		}
	}
	return nil
}

// match links a prescriber's patient to the client with whom it alone shares an identifier, or who bears the hub's
// own key on it. Where two could be meant, on either side, they stay candidates until a person tells.
func (r *receipt) match(ctx context.Context, source, party, patient string, digests []string, ownKey string) error {
	links, err := r.LinksOf(ctx, table.LinksOfParams{Patients: set(map[string]bool{patient: true}), Source: source})
	if err != nil {
		return err
	}
	linked, candidates := "", map[string]bool{}
	for _, l := range links {
		if l.How == candidate {
			candidates[l.Client] = true
		} else {
			linked = l.Client
		}
	}
	found, err := r.sharing(ctx, keySet(digests))
	if err != nil {
		return err
	}
	sharing := found.any(digests)
	parted, err := r.PartedFrom(ctx, table.PartedFromParams{Source: source, Patient: patient})
	if err != nil {
		return err
	}
	if linked == "" && ownKey != "" && !slices.Contains(parted, ownKey) {
		known, err := r.ClientKnown(ctx, ownKey)
		if err != nil {
			return err
		}
		if known > 0 {
			if linked, err = ownKey, r.putLink(ctx, source, party, patient, ownKey, byIdentifier); err != nil {
				return err
			}
		}
	}
	if linked == "" && len(sharing) == 1 && !slices.Contains(parted, sharing[0]) {
		rivals, err := r.PatientsOfClient(ctx, table.PatientsOfClientParams{Client: sharing[0], Source: source})
		if err != nil {
			return err
		}
		taken, err := r.LinkOfClient(ctx, table.LinkOfClientParams{Client: sharing[0], Source: source})
		if err != nil {
			return err
		}
		if len(rivals) <= 1 && len(taken) == 0 {
			if linked, err = sharing[0], r.putLink(ctx, source, party, patient, sharing[0], byIdentifier); err != nil {
				return err
			}
		}
	}
	for _, client := range sharing {
		if client == linked {
			continue
		}
		if !candidates[client] {
			if err := r.putLink(ctx, source, party, patient, client, candidate); err != nil {
				return err
			}
		}
		delete(candidates, client)
	}
	for _, client := range sorted(candidates) { // they share nothing any more, or it is settled
		if err := r.endCandidate(ctx, source, patient, client); err != nil {
			return err
		}
		r.moved[client] = true
	}
	return nil
}

// putLink stores a link that this page brought about, or a candidate for one.
func (r *receipt) putLink(ctx context.Context, source, party, patient, client, how string) error {
	if err := r.storeLink(ctx, source, party, patient, client, how); err != nil {
		return err
	}
	r.moved[client] = true
	if how != candidate {
		r.done.Links++
		if source == r.src.Name {
			r.clients[patient], r.fresh[patient] = client, true
		}
	}
	return nil
}

func (c *commit) storeLink(ctx context.Context, source, party, patient, client, how string) error {
	l := table.PutLinkParams{Source: source, Patient: patient, Client: client, Moment: c.moment, Party: party, How: how, Since: c.at}
	l.Mac = c.seal("link", linkParts(table.Link{Source: source, Patient: patient, Client: client, Party: party, How: how, Since: c.at})...)
	return c.PutLink(ctx, l)
}

func (c *commit) endCandidate(ctx context.Context, source, patient, client string) error {
	c.seal("unlink", source, patient, client)
	_, err := c.EndCandidate(ctx, table.EndCandidateParams{Ended: c.moment, Source: source, Patient: patient, Client: client})
	return err
}

// linkParts are what a link's MAC covers.
func linkParts(l table.Link) []string {
	return []string{l.Source, l.Patient, l.Client, l.Party, l.How, num(l.Since)}
}

// sharers are the practice's clients by the digests of their identifiers.
type sharers map[string][]string

func (c *commit) sharing(ctx context.Context, digests map[string]bool) (sharers, error) {
	if len(digests) == 0 {
		return nil, nil
	}
	rows, err := c.ClientsSharing(ctx, set(digests))
	s := sharers{}
	for _, row := range rows {
		s[row.Digest] = append(s[row.Digest], row.Client)
	}
	return s, err
}

// any returns the clients that share at least one of digests, each once, in a stable order.
func (s sharers) any(digests []string) (clients []string) {
	for _, d := range digests {
		clients = append(clients, s[d]...)
	}
	slices.Sort(clients)
	return slices.Compact(clients)
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
