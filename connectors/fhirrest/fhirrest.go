// Package fhirrest talks to a party through any FHIR R4 REST server: what it reads, how it pages and how it writes
// follow what the server itself states, or what the operator says in its place.
package fhirrest

import (
	"crypto/x509"
	"errors"
	"fmt"
	"time"

	"github.com/kaphub/kaphub/connectors"
	"github.com/kaphub/kaphub/connectors/internal/rest"
	"github.com/kaphub/kaphub/connectors/jwks"
	"github.com/kaphub/kaphub/fhir"
)

// Auth is how the hub proves who it is.
type Auth = rest.Auth

// Limits are how much, how fast and how long.
type Limits = rest.Limits

// The ways to authenticate.
const (
	AuthNone   = rest.AuthNone
	AuthBearer = rest.AuthBearer
	AuthSmart  = rest.AuthSmart
)

// How a server takes _lastUpdated in searches.
const (
	LastUpdatedGE   = "ge"
	LastUpdatedGT   = "gt"
	LastUpdatedLE   = "le"   // only what did not change since can be asked for: as good as none
	LastUpdatedNone = "none" // then a pull goes through the roster, client by client
)

// Dialect is what the operator knows of a server better than it states itself. A zero field leaves it to the server.
type Dialect struct {
	LastUpdated       string            `yaml:"last_updated"`       // LastUpdatedGE, …GT, …LE or …None; "" = by statement and probe
	LastUpdatedOf     map[string]string `yaml:"last_updated_of"`    // the same for single types, before last_updated
	PageSize          int               `yaml:"page_size"`          // 100
	Overlap           time.Duration     `yaml:"overlap"`            // 5 m: how far before the last read the next one begins
	Types             []string          `yaml:"types"`              // what is read from it; nil = all that its role has and its statement does not leave out
	Writes            []string          `yaml:"writes"`             // what it takes of what the hub brings; nil = by statement, [] = nothing
	NamesReferral     bool              `yaml:"names_referral"`     // agreed: every record names the referral or prescription it was made for
	PatientRequired   bool              `yaml:"patient_required"`   // searches of clinical types need a patient
	ConditionalCreate *bool             `yaml:"conditional_create"` // If-None-Exist is looked at
	IdentifierSearch  *bool             `yaml:"identifier_search"`
	IfMatch           *bool             `yaml:"if_match"`  // a stale If-Match is turned down
	Totals            string            `yaml:"totals"`    // TotalsExact or …Estimated; "" = the count is asked for where a total does not add up
	MaxPages          int               `yaml:"max_pages"` // of one search; 10,000: more is taken for a paging loop
}

// How far Bundle.total can be relied on.
const (
	TotalsExact     = "exact"
	TotalsEstimated = "estimated" // then a search that was cut short cannot be noticed by it
)

// Options are what New needs.
type Options struct {
	Name    string // the source's
	Party   string // fhir.Practice or a prescriber's name: decides what is read
	BaseURL string
	Auth    Auth
	Dialect Dialect
	Limits  Limits

	Watch     map[string][]fhir.Code // the only codes that Conditions and MedicationStatements are read of; a type without any is not read
	Turnstile connectors.Turnstile   // the pace shared with other replicas; nil = none to share it with
	Keys      *jwks.Files            // of smart auth: what it signs with
	Roots     *x509.CertPool         // whom a server's certificate may come from; nil = whom this machine trusts
	Now       func() time.Time       // nil = time.Now
}

// New returns a connector that can do everything a connector can. It checks o and asks the server nothing yet.
func New(o Options) (connectors.Connector, error) {
	if o.Name == "" || o.Party == "" {
		return connectors.Connector{}, errors.New("open fhirrest: a connector needs a name and a party")
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	client, err := rest.New(rest.Options{Base: o.BaseURL, Auth: o.Auth, Limits: o.Limits, Roots: o.Roots, Now: o.Now, Turnstile: o.Turnstile})
	if err != nil {
		return connectors.Connector{}, fmt.Errorf("open connector %s: %w", o.Name, err)
	}
	d := o.Dialect
	if d.PageSize == 0 {
		d.PageSize = 100
	}
	if d.Overlap == 0 {
		d.Overlap = 5 * time.Minute
	}
	if d.MaxPages == 0 {
		d.MaxPages = 10_000
	}
	s := &server{name: o.Name, party: o.Party, dialect: d, client: client, now: o.Now, watch: tokens(o.Watch), asking: make(chan struct{}, 1)}
	return connectors.Connector{Name: o.Name, Party: o.Party, Alone: o.Limits.Concurrency == 1, Base: client.Base(), Puller: s, Sweeper: s, Reader: s, Pusher: s, Asker: s, Checker: s, Offerer: s, Keys: o.Keys}, nil
}

// server is the counterpart, as far as the hub can tell.
type server struct {
	name, party string
	dialect     Dialect
	client      *rest.Client
	now         func() time.Time
	watch       map[string]string // by type: the codes that are asked for, as a search takes them

	asking chan struct{} // holds one: who asks what the server offers
	offer  *offer        // what it was last found to offer
}

// role is what is read from a party of one kind.
type role struct {
	types     []string // in this order
	essential []string // without these nobody can be judged
	discover  []string // in a sweep: what makes somebody a client
	writes    []string // what the hub has to bring there
	must      string   // of these, without which nothing is brought by this way at all
}

var (
	practice = role{
		types: []string{"Patient", "Consent", "ServiceRequest", "Task", "Appointment", "Observation", "Procedure", "Encounter",
			"MedicationAdministration", "Flag", "AdverseEvent", "Condition", "MedicationStatement", "Practitioner", "PractitionerRole", "Organization"},
		essential: []string{"Patient", "Consent", "ServiceRequest", "Appointment"},
		discover:  []string{"ServiceRequest", "Consent", "Appointment"},
		writes:    []string{"Task", "Observation", "MedicationRequest", "MedicationDispense"},
	}
	prescriber = role{
		types: []string{"Patient", "Task", "Observation", "MedicationRequest", "MedicationDispense", "Appointment", "Encounter", "Flag", "CarePlan", "Goal",
			"AdverseEvent", "ServiceRequest", "DiagnosticReport", "DocumentReference", "Practitioner", "PractitionerRole", "Organization", "Medication"},
		essential: []string{"Patient", "Task", "Observation", "MedicationRequest"},
		writes:    []string{"Patient", "Consent", "ServiceRequest", "Task"},
		must:      "ServiceRequest",
	}
)

func (s *server) role() role {
	if s.party == fhir.Practice {
		return practice
	}
	return prescriber
}

// byPatient is the search parameter that names a type's client. A type that is not here is the directory's.
var byPatient = map[string]string{
	"Patient": "_id", "AdverseEvent": "subject",
	"Consent": "patient", "ServiceRequest": "patient", "Task": "patient", "Appointment": "patient", "Observation": "patient",
	"Procedure": "patient", "Encounter": "patient", "MedicationAdministration": "patient", "Flag": "patient",
	"MedicationRequest": "patient", "MedicationDispense": "patient", "CarePlan": "patient",
	"Goal": "patient", "Condition": "patient", "MedicationStatement": "patient",
	"DiagnosticReport": "patient", "DocumentReference": "patient",
}

func isDirectory(typ string) bool { return byPatient[typ] == "" }
