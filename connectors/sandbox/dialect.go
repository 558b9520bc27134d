package sandbox

import (
	"encoding/json"
	"maps"
	"slices"
	"time"

	"github.com/kaphub/kaphub/fhir"
)

// Dialect is how a server departs from plain R4: switches that can be thrown together. Its CapabilityStatement tells the
// truth about all that one can tell of.
type Dialect struct {
	// What can be searched for, and how.
	NoLastUpdated      bool     // searches refuse _lastUpdated
	NoLastUpdatedOf    []string // searches of these types do
	Prefixes           []string // of _lastUpdated that are taken: "gt"; nil = all
	NoIdentifierSearch bool     // searches refuse identifier
	ByLink             []string // searches of these types take neither patient nor _lastUpdated: they want what a record was made for
	PatientRequired    bool     // clinical types are searched with a patient, an _id or an identifier only
	Lenient            bool     // ignores search parameters that it does not know
	Sort               Sort     // how _sort is taken

	// What is there, and what can be written.
	Missing  []string // types it does not have: "Task", "MedicationDispense"
	NoWrites []string // types that can be read only
	Withhold []string // searches of these types hold a row back, and say so

	// How pages go on.
	PageCap  int    // largest page; 0 = 500
	PageSize int    // every page has so many rows, whatever _count says; 0 = by _count
	Links    Links  // how a next link is written
	Repeats  bool   // a page begins with the last row of the one before
	Total    Totals // what Bundle.total says

	// What a record says of itself.
	NoVersions bool // no versionId, no ETag, no history
	NoUpdated  bool // no meta.lastUpdated
	NoClock    bool // no Date header, and no time on a Bundle
	Escaped    bool // writes < > & as \u003c \u003e \u0026

	// When a written record shows.
	LateBy  int           // after so many further searches
	LateFor time.Duration // after so long, by the server's clock; its lastUpdated is that of the write

	// How writes are guarded.
	NoConditionalCreate bool    // If-None-Exist is ignored: a second create makes a second record
	Overstates          bool    // it states conditional creates and versioned updates all the same
	IfMatch             IfMatch // how a stale If-Match is answered
}

// IfMatch is how a server answers an If-Match that is no longer true.
type IfMatch int

// The ways to answer a stale If-Match.
const (
	IfMatch412     IfMatch = iota // 412 Precondition Failed, as R4 says
	IfMatch409                    // 409 Conflict, as many do
	IfMatchIgnored                // not looked at: the last writer wins
)

// Sort is how a server takes _sort.
type Sort int

// The ways to take _sort.
const (
	SortKept Sort = iota
	SortIgnored
	SortRefused
)

// Links is how a server writes the link to the next page.
type Links int

// The ways to write a next link. All of them are opaque.
const (
	LinksAbsolute Links = iota // base/?_page=…
	LinksOfType                // Type?_page=…, from the base
	LinksQuery                 // ?_page=…, from the search
)

// Totals is what a server says in Bundle.total.
type Totals int

// The ways to count.
const (
	TotalExact     Totals = iota
	TotalEstimated        // a few more than there are, unless only the count is asked for
	TotalAbsent
)

// ThinUSCore is a server that offers what US Core demands and not much more: no Task, no Consent, no ServiceRequest, no
// MedicationDispense, nothing can be written, every search needs a patient, and nothing tells what changed.
func ThinUSCore() Dialect {
	return Dialect{
		NoLastUpdated: true, PatientRequired: true, NoConditionalCreate: true, IfMatch: IfMatchIgnored, Sort: SortRefused, PageCap: 20,
		Missing:  []string{"Task", "Consent", "ServiceRequest", "MedicationDispense", "Flag", "Appointment", "AdverseEvent", "MedicationAdministration"},
		NoWrites: slices.Sorted(maps.Keys(kinds)),
	}
}

func (d Dialect) orDefault() Dialect {
	if d.PageCap == 0 {
		d.PageCap = 500
	}
	return d
}

// told reports whether searches of typ take _lastUpdated at all.
func (d Dialect) told(typ string) bool {
	return !d.NoLastUpdated && !slices.Contains(d.ByLink, typ) && !slices.Contains(d.NoLastUpdatedOf, typ)
}

// takes reports whether the server lets others write typ.
func (s *Server) takes(typ string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	d := s.options.Dialect
	return !slices.Contains(d.Missing, typ) && !slices.Contains(d.NoWrites, typ)
}

// spoken is an answer with one record, as this dialect words it.
func (s *Server) spoken(a answer) answer {
	d := s.options.Dialect
	if d.NoVersions {
		a.headers = slices.DeleteFunc(a.headers, func(pair [2]string) bool { return pair[0] == "ETag" })
	}
	if a.status < 300 {
		a.body = d.words(a.body)
	}
	return a
}

// words is a record as this dialect writes it: without what it does not say of it.
func (d Dialect) words(body []byte) []byte {
	var edits []fhir.Edit
	if d.NoVersions {
		edits = append(edits, fhir.Edit{Path: "meta.versionId"})
	}
	if d.NoUpdated {
		edits = append(edits, fhir.Edit{Path: "meta.lastUpdated"})
	}
	if len(edits) == 0 || !json.Valid(body) {
		return body
	}
	less, err := fhir.Apply(body, edits...)
	if err != nil {
		return body // it was stored with that meta
	}
	return less
}
