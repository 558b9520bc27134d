package store

import (
	"bytes"
	"cmp"
	"encoding/hex"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/exchange"
)

// directory are the types that belong to no client: who and what stands behind the records.
var directory = map[string]bool{
	"Practitioner": true, "PractitionerRole": true, "Organization": true, "Medication": true, "Location": true,
}

// clinical are the types a chart is read from. One of these whose client cannot be told is a reject, never dropped.
var clinical = map[string]bool{
	"Consent": true, "ServiceRequest": true, "Task": true, "Observation": true, "MedicationRequest": true,
	"MedicationDispense": true, "MedicationAdministration": true, "Procedure": true, "Flag": true, "CarePlan": true, "Goal": true,
	"Condition": true, "MedicationStatement": true, "AdverseEvent": true, "DiagnosticReport": true,
}

// item is one resource of a page, read as far as the store must.
type item struct {
	fhir.Resource
	subject  string   // the source's Patient id; "" for the directory
	enrols   bool     // it makes its subject a client
	named    []string // the prescribers it names
	digests  []string // of a Patient's business identifiers
	ownKey   string   // the hub's own client key on a copy of a Patient
	traits   fhir.Traits
	mentions []fhir.Ref

	about []fhir.Ref // of a Task that names nobody: the records that it is about

	outOfScope string // why it is to be sealed apart (R49)
}

// reading is a page sorted by what becomes of it.
type reading struct {
	items   []item
	rejects []fhir.Reject
	nobodys []item // of a client's types, and name none (place)
	ignored int    // belongs to no client and to no directory

	unkept []fhir.Resource // of what the hub keeps some only, and not this; without bodies
	broken []fhir.Reject   // unreadable, and by its codes nothing that the hub keeps; without bodies
}

// readPage reads what the transaction will need, before there is one. Records are read on all processors at once and
// keep their order.
func (db *DB) readPage(src Source, page exchange.Page) reading {
	read := make([]reading, len(page.Resources)/share+1)
	var group sync.WaitGroup
	i := 0
	for portion := range slices.Chunk(page.Resources, share) {
		into := &read[i]
		i++
		group.Go(func() {
			for _, res := range portion {
				db.readResource(src, res, into)
			}
		})
	}
	group.Wait()
	whole := reading{items: make([]item, 0, len(page.Resources))}
	for _, r := range page.Rejects {
		if db.recogniser.Keeps(src.Party, r.Type, r.Body) {
			whole.rejects = append(whole.rejects, r)
			continue
		}
		r.Hash, r.Body = cmp.Or(r.Hash, bodyHash(r.Body)), nil
		whole.broken = append(whole.broken, r)
	}
	for _, r := range read {
		whole.items = append(whole.items, r.items...)
		whole.rejects = append(whole.rejects, r.rejects...)
		whole.nobodys = append(whole.nobodys, r.nobodys...)
		whole.ignored += r.ignored
		whole.unkept = append(whole.unkept, r.unkept...)
	}
	return whole
}

// share is how many resources one goroutine reads.
const share = 64

// readResource reads one resource and sorts it into r. Whatever reading it may do to the hub, it is kept and shown, and
// does not come back as a crash with every start.
func (db *DB) readResource(src Source, res fhir.Resource, r *reading) {
	defer func() {
		if recover() != nil {
			r.rejects = append(r.rejects, unreadable(res, "the hub fails to read it"))
		}
	}()
	if !utf8.Valid(res.Body) || bytes.IndexByte(res.Body, 0) >= 0 || strings.ContainsRune(res.ID+res.VersionID, 0) {
		r.rejects = append(r.rejects, unreadable(res, "not text that can be stored"))
		return
	}
	if !db.recogniser.Keeps(src.Party, res.Type, res.Body) {
		r.ignored++
		r.unkept = append(r.unkept, fhir.Resource{Type: res.Type, ID: res.ID, LastUpdated: res.LastUpdated})
		return
	}
	it, outline := item{Resource: res}, fhir.OutlineAt(res, src.Base)
	it.outOfScope = outline.OutOfScope(db.recogniser.Part2)
	if !directory[res.Type] {
		switch {
		case outline.Placed && !outline.Subject.IsZero():
			it.subject = outline.Subject.ID
		case !outline.Placed && clinical[res.Type]:
			r.rejects = append(r.rejects, unreadable(res, "subject is no Patient of this source"))
			return
		case clinical[res.Type]:
			it.about = fhir.About(res, src.Base)
		default:
			r.ignored++
			return
		}
	}
	if res.Type == "Patient" {
		it.digests, it.ownKey = db.identify(outline.Identifiers)
		it.traits = fhir.TraitsOf(res)
	}
	if src.Party == fhir.Practice && it.subject != "" {
		it.named, it.enrols = db.recogniser.Concerns(res)
	}
	for _, ref := range outline.References {
		if directory[ref.Type] {
			it.mentions = append(it.mentions, ref)
		}
	}
	if clinical[res.Type] && it.subject == "" {
		r.nobodys = append(r.nobodys, it)
		return
	}
	r.items = append(r.items, it)
}

// unreadable is a reject for a resource that passed the gate and still cannot be placed.
func unreadable(res fhir.Resource, reason string) fhir.Reject {
	return fhir.Reject{Type: res.Type, Ref: res.ID, Reason: reason, Body: res.Body, Hash: res.Hash}
}

// identify returns the keyed digests of a Patient's identifiers, and the hub's own client key if it carries one.
// A digest tells whether two identifiers are the same, and nothing else.
func (db *DB) identify(ids []fhir.ID) (digests []string, ownKey string) {
	for _, id := range ids {
		switch id.System {
		case fhir.SystemClient:
			ownKey = id.Value
		case fhir.SystemCopy:
		default:
			m := mac(db.keys.digests, id.System, id.Value)
			digests = append(digests, hex.EncodeToString(m[:16]))
		}
	}
	return digests, ownKey
}
