package store

import (
	"context"
	"slices"
	"strings"

	"github.com/kaphub/kaphub/fhir"
	table "github.com/kaphub/kaphub/fhir/store/db"
)

// who is a Patient at a prescriber's source.
type who struct{ source, party, patient string }

// matchAll compares with the practice's clients every prescriber's patient for whom the page may change the answer:
// those it tells of, those who have an identifier in common with what came or went and their rivals, and those born on the
// same day as a client of whom something else came or went. So it does not matter which side is told first. A patient of the
// practice's own who was linked by such an identifier, a calendar's say, is looked at too: it may be another's by now.
func (r *receipt) matchAll(ctx context.Context, patients map[string]item, digests, births map[string]bool) error {
	keys := map[who]string{} // whom to look at -> the hub's own key on them
	if len(digests) > 0 {
		others, err := r.PatientsSharing(ctx, set(digests))
		if err != nil {
			return err
		}
		for _, o := range others {
			keys[who{o.Source, o.Party, o.Patient}] = ""
		}
		rivals, err := r.RivalsOf(ctx, set(digests))
		if err != nil {
			return err
		}
		for _, o := range rivals {
			keys[who{o.Source, o.Party, o.Patient}] = ""
		}
		joined, err := r.JoinedAtPractice(ctx, set(digests))
		if err != nil {
			return err
		}
		for _, o := range joined {
			keys[who{o.Source, fhir.Practice, o.Patient}] = ""
		}
	}
	if r.src.Party != fhir.Practice {
		for id, it := range patients {
			keys[who{r.src.Name, r.src.Party, id}] = it.ownKey
		}
	} else if len(births) > 0 {
		others, err := r.PatientsBorn(ctx, set(births))
		if err != nil {
			return err
		}
		for _, o := range others {
			keys[who{o.Source, o.Party, o.Patient}] = ""
		}
	}
	all := make([]who, 0, len(keys))
	for w := range keys {
		all = append(all, w)
	}
	slices.SortFunc(all, func(a, b who) int { return strings.Compare(a.source+"\x00"+a.patient, b.source+"\x00"+b.patient) })
	for _, w := range all {
		if err := r.match(ctx, w, keys[w]); err != nil {
			return err
		}
	}
	return nil
}

// match links a prescriber's patient to a client, or keeps the question open for a person.
//
//	the patient …                                                      it is
//	bears the hub's own key                                            linked
//	shares an identifier with one client alone, who shares it with
//	  no other patient there and has none there                        linked
//	shares one with several clients, or is one of several with one     open, with each
//	is linked by identifier and a tie shows later                      linked, and open: nothing is told until it is decided
//	shares none, is linked to nobody, and birth date and more agree    open, with each of whom that is so
//	was refused or parted by a person                                  never linked but by a person; open again when
//	                                                                   something new agrees (parted: at once)
func (r *receipt) match(ctx context.Context, w who, ownKey string) error {
	m := matching{receipt: r, who: w, open: map[string]table.Link{}, wants: map[string]string{}}
	if err := m.load(ctx); err != nil {
		return err
	}
	if err := m.settle(ctx, ownKey); err != nil {
		return err
	}
	if err := m.ask(ctx); err != nil {
		return err
	}
	return m.keep(ctx)
}

// matching is one patient on the way to a client.
type matching struct {
	*receipt
	who
	linked, how string
	open        map[string]table.Link // candidates that stand, by client
	said        []table.Ruling
	ended       []string            // clients whom a link was ended with
	sharing     []string            // clients who share an identifier and were not refused
	shared      map[string][]string // by client, the digests they share
	wants       map[string]string   // the questions that should stand: client -> evidence
}

func (m *matching) load(ctx context.Context) error {
	links, err := m.LinksOf(ctx, table.LinksOfParams{Patients: set(map[string]bool{m.patient: true}), Source: m.source})
	if err != nil {
		return err
	}
	for _, l := range links {
		if l.How == candidate {
			m.open[l.Client] = l
		} else {
			m.linked, m.how = l.Client, l.How
		}
	}
	if m.said, err = m.RulingsOn(ctx, table.RulingsOnParams{Source: m.source, Patient: m.patient}); err != nil {
		return err
	}
	if m.ended, err = m.PartedFrom(ctx, table.PartedFromParams{Source: m.source, Patient: m.patient}); err != nil {
		return err
	}
	digests, err := m.DigestsOf(ctx, table.DigestsOfParams{Source: m.source, Patient: m.patient})
	if err != nil {
		return err
	}
	found, err := m.sharingWith(ctx, keySet(digests))
	if err != nil {
		return err
	}
	m.shared = map[string][]string{}
	for _, d := range digests {
		for _, client := range found[d] {
			m.shared[client] = append(m.shared[client], d)
		}
	}
	for _, client := range sorted(m.shared) {
		if !refused(m.said, client, m.shared[client]) {
			m.sharing = append(m.sharing, client)
		}
	}
	return nil
}

// settle links the patient where nothing needs to be asked.
func (m *matching) settle(ctx context.Context, ownKey string) error {
	if m.linked != "" {
		return nil
	}
	if ownKey != "" && !m.parted(ownKey) {
		known, err := m.ClientKnown(ctx, ownKey)
		if err != nil {
			return err
		}
		if known > 0 {
			m.linked, m.how = ownKey, byKey
			return m.putLink(ctx, m.source, m.party, m.patient, ownKey, byKey)
		}
	}
	if len(m.sharing) != 1 || m.parted(m.sharing[0]) {
		return nil
	}
	client := m.sharing[0]
	alone, err := m.alone(ctx, client)
	if err != nil || !alone {
		return err
	}
	taken, err := m.LinkOfClient(ctx, table.LinkOfClientParams{Client: client, Source: m.source})
	if err != nil || len(taken) > 0 {
		return err
	}
	m.linked, m.how = client, byIdentifier
	return m.putLink(ctx, m.source, m.party, m.patient, client, byIdentifier)
}

// parted reports whether a person has ever spoken against this patient's being client: then only a person links them.
func (m *matching) parted(client string) bool {
	return slices.Contains(m.ended, client) ||
		slices.ContainsFunc(m.said, func(s table.Ruling) bool { return s.Client == client && s.Said == saidRefused })
}

// alone reports whether no other patient of the source shares an identifier with client, but for those of whom a person
// said that they are not, or are another.
func (m *matching) alone(ctx context.Context, client string) (bool, error) {
	rivals, err := m.PatientsOfClient(ctx, table.PatientsOfClientParams{Client: client, Source: m.source})
	if err != nil {
		return false, err
	}
	for _, rival := range rivals {
		if rival == m.patient {
			continue
		}
		other := matching{receipt: m.receipt, who: who{m.source, m.party, rival}, open: map[string]table.Link{}}
		if err := other.load(ctx); err != nil {
			return false, err
		}
		sure := other.linked != "" && other.linked != client && other.how != byIdentifier
		if !sure && slices.Contains(other.sharing, client) {
			return false, nil
		}
	}
	return true, nil
}

// ask finds out which questions should stand.
func (m *matching) ask(ctx context.Context) error {
	doubt := false // of the link there is
	for _, client := range m.sharing {
		if client != m.linked {
			if err := m.want(ctx, client); err != nil {
				return err
			}
			doubt = true
		}
	}
	if m.linked != "" && m.how == byIdentifier {
		if !doubt {
			alone, err := m.alone(ctx, m.linked)
			if err != nil {
				return err
			}
			doubt = !alone
		}
		if doubt {
			return m.want(ctx, m.linked)
		}
	}
	if m.linked != "" || len(m.sharing) > 0 {
		return nil // identifiers speak
	}
	return m.propose(ctx)
}

// want keeps the question open whether the patient is client.
func (m *matching) want(ctx context.Context, client string) error {
	traits, err := m.TraitOf(ctx, table.TraitOfParams{Source: m.source, Patient: m.patient})
	if err != nil {
		return err
	}
	theirs, err := m.TraitsOfClient(ctx, client)
	if err != nil {
		return err
	}
	var own table.Trait
	if len(traits) > 0 {
		own = traits[0]
	}
	evidence, _ := compare(own, theirs)
	says := fhir.Differs
	if len(m.shared[client]) > 0 {
		says = fhir.Agrees
	}
	m.wants[client] = spell(append([]fhir.Evidence{{Kind: fhir.EvidenceIdentifier, Says: says}}, evidence...))
	return nil
}

// propose asks of every client born on the same day, where enough else agrees (fhir.Weight).
func (m *matching) propose(ctx context.Context) error {
	traits, err := m.TraitOf(ctx, table.TraitOfParams{Source: m.source, Patient: m.patient})
	if err != nil || len(traits) == 0 || traits[0].Birth == "" {
		return err
	}
	clients, err := m.ClientsBorn(ctx, traits[0].Birth)
	if err != nil {
		return err
	}
	for _, client := range clients {
		theirs, err := m.TraitsOfClient(ctx, client)
		if err != nil {
			return err
		}
		evidence, agreed := compare(traits[0], theirs)
		if fhir.Weight(evidence) >= fhir.WeightProposed && !refused(m.said, client, append(agreed, m.shared[client]...)) {
			m.wants[client] = spell(evidence)
		}
	}
	return nil
}

// keep makes the questions that stand those that should. One whose evidence changed keeps its age.
func (m *matching) keep(ctx context.Context) error {
	for _, client := range sorted(m.wants) {
		was, stands := m.open[client]
		if stands && was.Evidence == m.wants[client] {
			continue
		}
		asked := table.Link{Source: m.source, Patient: m.patient, Client: client, Party: m.party, How: candidate, Since: m.at, Evidence: m.wants[client]}
		if stands {
			asked.Since = was.Since
			if err := m.endCandidate(ctx, m.source, m.patient, client); err != nil {
				return err
			}
		}
		if err := m.storeLink(ctx, asked); err != nil {
			return err
		}
		m.moved[client] = true
	}
	for _, client := range sorted(m.open) {
		if _, stands := m.wants[client]; stands {
			continue
		}
		if err := m.endCandidate(ctx, m.source, m.patient, client); err != nil {
			return err
		}
		m.moved[client] = true
	}
	return nil
}

// refused reports whether the last word of a person on client was no, and nothing of agreed is new since.
func refused(said []table.Ruling, client string, agreed []string) bool {
	for _, s := range slices.Backward(said) {
		if s.Client != client {
			continue
		}
		before := strings.Fields(s.Agreed)
		return s.Said == saidRefused && !slices.ContainsFunc(agreed, func(d string) bool { return !slices.Contains(before, d) })
	}
	return false
}

// sharers are the practice's clients by the digests of their identifiers.
type sharers map[string][]string

func (c *commit) sharingWith(ctx context.Context, digests map[string]bool) (sharers, error) {
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
