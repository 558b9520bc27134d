// Package readiness decides whether the records are in order for a client's next dosing session, and says why: charts,
// policies and now go in, a verdict comes out, and nothing else of the world is touched.
package readiness

import (
	"time"

	"github.com/kaphub/kaphub/fhir"
)

// State is a verdict's one word. Precedence is the order of the constants.
type State string

// The five states (rules.md, "Verdict").
const (
	Hold     State = "HOLD"
	Unknown  State = "UNKNOWN"
	NotReady State = "NOT-READY"
	InOrder  State = "IN-ORDER"
	Ready    State = "READY"
)

// GateName names a gate. Gates are judged and shown in the order of Gates.
type GateName string

// The gates, in order.
const (
	GateIdentity       GateName = "identity"
	GateRelease        GateName = "release"
	GateReferral       GateName = "referral"
	GateEvaluation     GateName = "evaluation"
	GateClearance      GateName = "clearance"
	GateHold           GateName = "hold"
	GatePrescription   GateName = "prescription"
	GateMedicine       GateName = "medicine"
	GateInstructions   GateName = "instructions"
	GateConsents       GateName = "consents"
	GatePreparation    GateName = "preparation"
	GateFollowUp       GateName = "follow-up"
	GateInterval       GateName = "interval"
	GateSetting        GateName = "setting"
	GateCredentials    GateName = "credentials"
	GateVitals         GateName = "vitals"
	GateRide           GateName = "ride"
	GateFasting        GateName = "fasting"
	GateLocation       GateName = "location"
	GateNewInformation GateName = "new-information"
	GateGoAhead        GateName = "go-ahead"
)

// GateState is how a gate stands.
type GateState string

// The states of a gate.
const (
	Met     GateState = "met"
	Open    GateState = "open"
	Blocked GateState = "blocked" // a recorded stop
	Untold  GateState = "unknown" // cannot be told: missing, stale, unmapped, ambiguous or contradictory
	NotDue  GateState = "not-due"
)

// Owner is on whom it waits.
type Owner string

// The owners (rules.md, "Actors").
const (
	Therapist  Owner = "therapist"
	Admin      Owner = "admin"
	Prescriber Owner = "prescriber"
	Pharmacy   Owner = "pharmacy"
	Client     Owner = "client"
	Operator   Owner = "operator"
	Privacy    Owner = "privacy officer"
)

// Gate is one gate of a verdict.
type Gate struct {
	Name    GateName     `json:"gate"`
	State   GateState    `json:"state"`
	Owner   Owner        `json:"owner"`
	Takes   Owner        `json:"takes,omitempty"`  // who of the practice takes the next step; "" = nobody: there is none but to wait
	Words   string       `json:"words"`            // what is recorded, by whom and when: "Skylight recorded cleared on 2 Mar 2026"
	Next    string       `json:"next,omitempty"`   // the next step, "" when met
	Since   time.Time    `json:"since,omitzero"`   // since when it stands so, by the owner's record
	Due     time.Time    `json:"due,omitzero"`     // by when it must be met
	Because []fhir.Basis `json:"because"`          // the versions it rests on (invariant 4); a met gate has at least one, or Agreed
	Agreed  string       `json:"agreed,omitempty"` // what of the prescriber sheet it rests on: "per agreement of Sat 10 Jan 2026"
}

// Severity of a finding: S1 act now … S4 housekeeping.
type Severity string

// The severities.
const (
	S1 Severity = "S1"
	S2 Severity = "S2"
	S3 Severity = "S3"
	S4 Severity = "S4"
)

// FindingState is where a finding is in its life across runs.
type FindingState string

// The life of a finding.
const (
	New        FindingState = "new"
	Persisting FindingState = "persisting"
	Resolved   FindingState = "resolved"
	Reopened   FindingState = "reopened"
)

// Finding is what one rule has to say about one engagement. Its ID is the same for the same facts.
type Finding struct {
	ID       string            `json:"id"`   // hash(client, prescriber, rule, about)
	Code     string            `json:"code"` // "R10"
	Rule     string            `json:"rule"` // "clearance-expires-before-session"
	Severity Severity          `json:"severity"`
	State    FindingState      `json:"state"`
	Since    time.Time         `json:"since"`                 // first seen by the hub
	Opened   time.Time         `json:"opened,omitzero"`       // since when it is open this time, where it was reopened; else zero
	Reopened int               `json:"reopened,omitempty"`    // how often it came back
	Resolved time.Time         `json:"resolved,omitzero"`     // when, with state resolved
	By       string            `json:"by,omitempty"`          // resolved by what
	Ended    []fhir.Basis      `json:"resolved_by,omitempty"` // the records that resolved it, where a record did
	Owner    Owner             `json:"owner"`
	Takes    Owner             `json:"takes,omitempty"` // as in Gate
	Words    string            `json:"words"`
	Next     string            `json:"next"`
	Due      time.Time         `json:"due,omitzero"`     // by when it must be resolved, where that is known
	Values   map[string]string `json:"values,omitempty"` // both sides' values, by party
	Because  []fhir.Basis      `json:"because"`
	RollUp   string            `json:"roll_up,omitempty"` // findings of one key are shown as one row: "touches 12 sessions"
	Under    string            `json:"under,omitempty"`   // code of the open parent it is folded under
}

// Appointment is the dosing session a verdict is about.
type Appointment struct {
	Source    string    `json:"source"`
	Type      string    `json:"type"`
	ID        string    `json:"id"`
	Start     time.Time `json:"start"`
	End       time.Time `json:"end,omitzero"`
	Therapist string    `json:"therapist,omitempty"` // as the practice's record displays them
}

// Verdict is the judgement of one engagement at one moment. It is constant until Until if nothing moves.
type Verdict struct {
	Client      string           `json:"client"`
	Prescriber  string           `json:"prescriber"`
	Chosen      string           `json:"chosen"`      // the client's chosen name, for screens and reports only
	Identifiers []fhir.ID        `json:"identifiers"` // the practice's business identifiers
	State       State            `json:"state"`
	Words       string           `json:"words"`           // the words on the screen
	Owner       Owner            `json:"owner"`           // of the first thing to do; "" when there is none
	Takes       Owner            `json:"takes,omitempty"` // as in Gate
	Next        string           `json:"next"`            // the first thing to do; "" when there is none
	Until       time.Time        `json:"until"`           // re-judge at this time at the latest; never zero
	Judged      time.Time        `json:"judged"`
	Appointment *Appointment     `json:"appointment,omitempty"`
	Gates       []Gate           `json:"gates"`
	Findings    []Finding        `json:"findings"`
	Therapists  []fhir.Therapist `json:"therapists,omitempty"` // whom the practice's Patient names, and its sessions up to 90 days after the last
	Loop        *Loop            `json:"loop,omitempty"`       // how far the newest referral has come; nil without one
	Account     []Figure         `json:"account,omitempty"`    // of sessions' worth; none while no medicine is on file
	Sources     []string         `json:"sources"`              // the sources it depends on being fresh
	Moment      fhir.Moment      `json:"moment"`               // the chart's
	Policy      string           `json:"policy"`               // Policy.Hash it was judged under

	Begun []Appointment `json:"-"` // the last dosing sessions that had begun, by their start: how each stood then is noted (fhir.Began)
}
