// Package config owns what the operator writes: kaphub.yaml and the KAPHUB_… environment, read once, strictly and whole,
// with every mistake reported at once, by its line and with what to write instead.
package config

import (
	"crypto/sha256"
	"encoding/hex"
	"path/filepath"
	"time"
)

// Config is one hub: one practice and any number of prescribers.
type Config struct {
	Hub         Hub          `yaml:"hub"`
	Store       Store        `yaml:"store"`
	Practice    Practice     `yaml:"practice"`
	Prescribers []Prescriber `yaml:"prescribers"`
	Schedules   Schedules    `yaml:"schedules"`
	Rules       Rules        `yaml:"rules"`
	Notices     *Notices     `yaml:"notices"` // nil = nobody is told by mail

	file  string
	hash  string
	marks marks
}

// Hub is the installation.
type Hub struct {
	Name      string    `yaml:"name"`
	Zone      Zone      `yaml:"time_zone"` // the practice's
	Listen    string    `yaml:"listen"`
	PublicURL string    `yaml:"public_url"`
	Proxies   []Network `yaml:"proxies"`       // who beside this machine is believed for whom they ask
	Part2     bool      `yaml:"part2_program"` // 42 CFR Part 2
	Reports   string    `yaml:"reports"`       // directory for written reports
}

// Store is where the records are kept.
type Store struct {
	DSN     Secret `yaml:"dsn"`      // a file's path, or postgres://…
	KeyFile string `yaml:"key_file"` // mode 0600
	Key     Secret `yaml:"-"`        // KAPHUB_KEY, in place of the file
}

// Practice is the party that refers clients.
type Practice struct {
	Title         string              `yaml:"title"`
	Identifiers   []ID                `yaml:"identifiers"`
	Contact       []string            `yaml:"contact"` // address, phone, e-mail: lines of a cover sheet
	Connectors    []Entry             `yaml:"connectors"`
	StaleAfter    Duration            `yaml:"stale_after"` // 0 = one business day
	Credentials   Asked[[]Credential] `yaml:"credentials"`
	ReferralCodes []Code              `yaml:"referral_codes"`
	Consents      []Code              `yaml:"treatment_consents"`
	WatchList     []Watched           `yaml:"watch_list"`  // nil = the default; empty = nothing
	ClientWays    []string            `yaml:"client_ways"` // by which it reaches its clients: phone, sms, email; empty = not on file
	ConceptMaps   []string            `yaml:"concept_maps"`
	Quiet         []Quiet             `yaml:"quiet_hours"` // nothing is asked of its sources then, and nothing sent
}

// Prescriber is a party that clears, prescribes and holds.
type Prescriber struct {
	Name        string     `yaml:"name"`
	Title       string     `yaml:"title"`
	Identifiers []ID       `yaml:"identifiers"`
	Connectors  []Entry    `yaml:"connectors"`
	StaleAfter  Duration   `yaml:"stale_after"` // 0 = one business day
	Closed      Day        `yaml:"closed"`      // its practice closes, or closed, on this day
	Sheet       Sheet      `yaml:"sheet"`
	Ketamine    []Code     `yaml:"ketamine_codes"`
	ConceptMaps []string   `yaml:"concept_maps"`
	TaskDialect string     `yaml:"task_dialect"` // the guide by which this prescriber moves its Tasks: any, cow, bser, sdoh, cdex
	TaskSteps   []TaskStep `yaml:"task_steps"`   // agreed over the guide
	Contact     []string   `yaml:"contact"`      // as the practice's; the accounting of disclosures names it too
	Withhold    []string   `yaml:"withhold"`     // what this prescriber is not told, like Patient.address
	Quiet       []Quiet    `yaml:"quiet_hours"`  // nothing is asked of its sources then, and nothing sent
	Rules       Rules      `yaml:"rules"`        // over the hub's
}

// TaskStep is one step of a Task that was agreed upon: {from: accepted, to: rejected, by: filler, is: normal}.
type TaskStep struct {
	From string `yaml:"from"`
	To   string `yaml:"to"`
	By   string `yaml:"by"` // placer, filler, either
	Is   string `yaml:"is"` // normal, allowed, anomalous
}

// ID is a business identifier.
type ID struct {
	System string `yaml:"system"`
	Value  string `yaml:"value"`
}

// Decider is who may decide on clearance: a number, and the name by which an entry calls them.
type Decider struct {
	System string `yaml:"system"`
	Value  string `yaml:"value"`
	Name   string `yaml:"name"`
}

// ID is the decider's number.
func (d Decider) ID() ID { return ID{d.System, d.Value} }

// Code is a code in a system.
type Code struct {
	System string `yaml:"system"`
	Code   string `yaml:"code"`
}

// Watched is a code that, recorded after a clearance, is for the prescriber to know.
type Watched struct {
	System   string   `yaml:"system"`
	Code     string   `yaml:"code"`
	Words    string   `yaml:"words"`    // how it is called on the screen
	Severity string   `yaml:"severity"` // S1 or S2
	In       []string `yaml:"in"`       // Condition, MedicationStatement, Observation, Encounter
	Unless   []Code   `yaml:"unless"`   // answers of an Observation that say nothing new
}

// Credential is something of the practice with an end that must be current.
type Credential struct {
	Name  string `yaml:"name"`
	Until Day    `yaml:"until"`
}

// Sheet is what a prescriber agreed with the practice. A line that is left out is "not asked".
type Sheet struct {
	Signed            Day             `yaml:"signed"`
	Published         Day             `yaml:"published"` // what is not signed was read on their public pages on this day
	Deciders          []Decider       `yaml:"deciders"`
	Medicine          string          `yaml:"medicine"` // as a label calls it, where a message does not name it
	ClearanceValidity Asked[Duration] `yaml:"clearance_validity"`
	FollowUp          Asked[Duration] `yaml:"follow_up"`
	DoseInterval      Asked[Duration] `yaml:"dose_interval"`
	SessionCap        Asked[int]      `yaml:"session_cap"` // in any 7 days
	Systolic          Asked[Limit]    `yaml:"systolic_limit"`
	Diastolic         Asked[Limit]    `yaml:"diastolic_limit"`
	HeartRate         Asked[Limit]    `yaml:"heart_rate_limit"`
	Preparations      Asked[int]      `yaml:"preparations"`
	OfficeOnly        Asked[bool]     `yaml:"office_only"`
	StatesNotServed   Asked[[]string] `yaml:"states_not_served"`
	LeadDays          Asked[int]      `yaml:"lead_days"`     // business days
	SessionFacts      Asked[int]      `yaml:"session_facts"` // business days
	Pharmacies        []Pharmacy      `yaml:"pharmacies"`
	Hours             []Hours         `yaml:"hours"`
	Zone              Zone            `yaml:"time_zone"` // of the hours; else the hub's
	Holidays          []Day           `yaml:"holidays"`
	Phone             string          `yaml:"phone"`
	WeekendPhone      string          `yaml:"weekend_phone"`
}

// Pharmacy is one that fills a prescriber's prescriptions: for clients of these states, or of all that no other lists.
type Pharmacy struct {
	Name   string   `yaml:"name"`
	Phone  string   `yaml:"phone"`
	States []string `yaml:"states"`
	Rest   bool     `yaml:"rest"`
}

// Schedules are cron expressions in the hub's zone; "" = not by schedule.
type Schedules struct {
	Sync   string `yaml:"sync"`
	Night  string `yaml:"night"`
	Sweep  string `yaml:"sweep"`
	Report string `yaml:"report"`
}

// Rules are the settings of the rules; what is nil keeps its default.
type Rules struct {
	Window           *Duration `yaml:"window"`
	Skew             *Duration `yaml:"skew"`
	ReferralTwice    *Duration `yaml:"referral_twice"`
	ReferralWarn     *int      `yaml:"referral_warn"`
	ReferralEscalate *int      `yaml:"referral_escalate"`
	StallWarn        *Duration `yaml:"stall_warn"`
	ReleaseWarn      *Duration `yaml:"release_warn"`
	RebookWait       *int      `yaml:"rebook_wait"`
	BookedUrgent     *Duration `yaml:"booked_urgent"`
	ClearanceWarn    *Duration `yaml:"clearance_warn"`
	ClearanceUrgent  *Duration `yaml:"clearance_urgent"`
	ConditionDue     *Duration `yaml:"condition_due"`
	ClearanceMaxAge  *Duration `yaml:"clearance_max_age"`
	UnsortedEvent    *Duration `yaml:"unsorted_event"`
	PrescriptionWait *int      `yaml:"prescription_wait"`
	FillLimitMonths  *int      `yaml:"fill_limit_months"`
	RefillLimit      *int      `yaml:"refill_limit"`
	PreparationWait  *Duration `yaml:"preparation_wait"`
	AddressWait      *int      `yaml:"address_wait"`
	ParcelWait       *Duration `yaml:"parcel_wait"`
	ParcelUrgent     *Duration `yaml:"parcel_urgent"`
	DosesSpare       *int      `yaml:"doses_spare"`
	RefillLead       *int      `yaml:"refill_lead"`
	DiscardWarn      *Duration `yaml:"discard_warn"`
	TelehealthUntil  *Day      `yaml:"telehealth_until"`
	TelehealthWarn   *Duration `yaml:"telehealth_warn"`
	CredentialFirst  *Duration `yaml:"credential_first"`
	CredentialAgain  *Duration `yaml:"credential_again"`
	CredentialLast   *Duration `yaml:"credential_last"`
	ConsentRenew     *Duration `yaml:"consent_renew"`
	OutcomeWorse     *int      `yaml:"outcome_worse"` // points
	OutcomeEvery     *Duration `yaml:"outcome_every"`
	FactsFollowUp    *Duration `yaml:"facts_follow_up"`
	IntegrationWait  *Duration `yaml:"integration_wait"`
	DriftStart       *Duration `yaml:"drift_start"`
	UnclosedWait     *Duration `yaml:"unclosed_wait"`
	GapAnswer        *Duration `yaml:"gap_answer"`
	DischargeWait    *Duration `yaml:"discharge_wait"`
	DeliveryTries    *int      `yaml:"delivery_tries"`
	DeliveryWait     *Duration `yaml:"delivery_wait"`
	HandOverWait     *int      `yaml:"hand_over_wait"` // business days
}

// File returns the path the config was read from.
func (c *Config) File() string { return c.file }

// Hash tells the text that the config was read from apart from any other.
func (c *Config) Hash() string { return c.hash }

// HashOf is the Hash of a config of this text.
func HashOf(text []byte) string {
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

// Path returns name as the config means it: relative to the directory the config lies in.
func (c *Config) Path(name string) string {
	if name == "" || filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(filepath.Dir(c.file), name)
}

// Location returns the hub's time zone.
func (c *Config) Location() *time.Location { return c.Hub.Zone.Location() }
