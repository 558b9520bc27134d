package readiness

import (
	"slices"
	"time"

	"github.com/kaphub/kaphub/fhir"
)

// Asked is one line of the prescriber sheet: a value, "none set" (the gate asks nothing), or
// "not asked" (the gate stays unknown and says whom to ask). The zero Asked is "not asked".
type Asked[T any] struct {
	Answer Answer
	Value  T
}

// Answer is which of the three a line of the sheet is.
type Answer int

// The three answers.
const (
	NotAsked Answer = iota
	NoneSet
	Set
)

// Is returns a line that states v.
func Is[T any](v T) Asked[T] { return Asked[T]{Answer: Set, Value: v} }

// None returns a line that says "none set".
func None[T any]() Asked[T] { return Asked[T]{Answer: NoneSet} }

// Limit is a number with its unit, e.g. 140 mm[Hg].
type Limit struct {
	Value float64
	Unit  string // UCUM
}

// Day is a civil date, in the practice's zone where an instant is needed.
type Day struct {
	Year  int
	Month time.Month
	Day   int
}

// Hours are a party's opening hours in its own zone; no entry for a weekday = closed.
type Hours struct {
	Zone     *time.Location
	Open     map[time.Weekday][2]time.Duration // from, to after midnight
	Holidays map[Day]bool
}

// Sheet is what a prescriber agreed with the practice, signed by them (rules.md, "The prescriber sheet").
type Sheet struct {
	Signed            Day
	Published         Day                  // what is not signed was read on their public pages on this day
	Deciders          []fhir.ID            // who may decide on clearance; empty = whoever the prescriber's Organization employs is not enough: unattributed
	ClearanceValidity Asked[time.Duration] // of a clearance without an end
	FollowUp          Asked[time.Duration] // a follow-up is due this long after the last decision or follow-up
	DoseInterval      Asked[time.Duration] // between dosing sessions, at least
	SessionCap        Asked[int]           // dosing sessions in any 7 days, at most
	Systolic          Asked[Limit]         // upper limits of a reading before a session
	Diastolic         Asked[Limit]
	HeartRate         Asked[Limit]
	Preparations      Asked[int]  // preparation sessions before the first dosing session, at least
	OfficeOnly        Asked[bool] // sessions only in the therapist's office
	StatesNotServed   Asked[[]string]
	LeadDays          Asked[int]   // business days a refill takes
	SessionFacts      Asked[int]   // business days after a session within which they want its facts
	Pharmacies        []Dispensary // who fills the prescriptions; empty = not on file
	Hours             Hours
	Phone             string
	WeekendPhone      string
}

// Dispensary is a pharmacy that fills the prescriber's prescriptions, and for whom.
type Dispensary struct {
	Name   string
	Phone  string
	States []string // of clients, by their two letters
	Rest   bool     // and of all clients whose state no other pharmacy lists
}

// Party is one side of the exchange as a policy knows it.
type Party struct {
	Name        string // fhir.Practice or the prescriber's name in the config
	Title       string // as shown: "Skylight Psychedelics"
	Identifiers []fhir.ID
	Address     []string      // lines that tell where it is and how it is reached, as on a letter
	Sources     []string      // connector instances that are read for it
	Desk        string        // the source of what people enter by hand for it; "" = none
	Limit       time.Duration // a complete read older than this is stale; 0 = one business day, same day for a session today
	Silent      []string      // resource types that none of its sources tells of, where that is known: what would stand there is unknown, not absent
	Packet      bool          // no connector writes to it: what it is to be told, a person hands over
	Takes       []string      // resource types that can be written to it; nil = nothing is known to be refused
	Closed      Day           // its practice closes, or closed, on this day; zero: it does not, as far as is known
	Imported    string        // the source of what was imported once, at go-live: it stands as it was told, and is never waited for; "" = none
}

// Lacks reports whether no source of p is known to tell of typ: that none is on file says nothing then.
func (p Party) Lacks(typ string) bool { return slices.Contains(p.Silent, typ) }

// Accepts reports whether a resource of typ may be brought to p.
func (p Party) Accepts(typ string) bool { return p.Takes == nil || slices.Contains(p.Takes, typ) }

// is reports whether id is one of p's.
func (p Party) is(id fhir.ID) bool { return slices.Contains(p.Identifiers, id) }

// Tells reports whether the source named speaks for p.
func (p Party) Tells(source string) bool {
	return slices.Contains(p.Sources, source) || p.Desk != "" && p.Desk == source
}

// Awaited are the sources whose complete read a verdict waits for: those that are read for p; where none is, its desk,
// which is read up to the last "I have read everything up to …". A desk beside another source is never waited for: what
// was entered there is there.
func (p Party) Awaited() []string {
	if len(p.Sources) == 0 && p.Desk != "" {
		return []string{p.Desk}
	}
	return p.Sources
}

// AssignedElsewhere reports whether another prescriber gave the client this number: whose patient somebody else is, this
// prescriber is not told.
func (p *Policy) AssignedElsewhere(id fhir.Identifier) bool {
	if id.Assigner == nil {
		return false
	}
	by, _ := fhir.IDOf(id.Assigner.Identifier)
	return slices.ContainsFunc(p.Others, func(other Party) bool {
		return slices.Contains(other.Identifiers, by) || id.Assigner.Display != nil && other.Title != "" && *id.Assigner.Display == other.Title
	})
}

// Credential is something with an end that must be current: a licence, a certificate, an agreement.
type Credential struct {
	Name  string
	Until Day
}

// Policy is all that Assess needs to know besides the chart. It is for one engagement.
type Policy struct {
	Hash          string // changes whenever anything that bears on a verdict changes, code maps and rules included
	Practice      Party
	Prescriber    Party
	Others        []Party        // the other prescribers: a hold from any of them holds here too
	Zone          *time.Location // the practice's
	Sheet         Sheet
	TaskGuide     Guide  // by which the prescriber moves its Tasks; "" = AnyGuide
	TaskSteps     []Step // agreed over the guide
	Terms         *fhir.Terms
	ReferralCodes []fhir.Code
	Ketamine      []fhir.Code // codes that mean ketamine besides RxNorm 6130
	Credentials   Asked[[]Credential]
	Consents      []fhir.Code       // treatment consents that must be signed; default kap|kap-treatment-consent
	ClientWays    []string          // by which the practice reaches its clients, as ContactPoint.system says them; empty = not on file
	Watch         fhir.WatchList    // what, recorded since the clearance, is for the prescriber to know
	Withhold      []string          // elements that this prescriber is not told, as "Type.element" (exchange.Withholdable)
	Part2         bool              // 42 CFR Part 2 programme: the redisclosure notice goes along
	Bases         map[string]string // by source: what its own absolute references begin with, where that is known
	Rules         Rules
}

// Rules are the settings of the rules, with the defaults of rules.md. The tags tell of each which rules go by it, its key
// in the config, in what it is counted and what it means: `kaphub rules` and the README say it from here.
type Rules struct {
	Window           time.Duration `rule:"" key:"window" means:"how far ahead rules look at dosing sessions"`
	Skew             time.Duration `rule:"R47" key:"skew" means:"how far two clocks may differ"`
	ReferralTwice    time.Duration `rule:"R02" key:"referral_twice" means:"older referrals are not looked at"`
	ReferralWarn     int           `rule:"R03" key:"referral_warn" unit:"business days" means:"unanswered so long, it warns"`
	ReferralEscalate int           `rule:"R03" key:"referral_escalate" unit:"business days" means:"unanswered so long, it is S2"`
	StallWarn        time.Duration `rule:"R04" key:"stall_warn" means:"nothing booked for so long, it warns, and again after as long"`
	ReleaseWarn      time.Duration `rule:"R06" key:"release_warn" means:"so long before a release ends, it warns"`
	RebookWait       int           `rule:"R08" key:"rebook_wait" unit:"business days" means:"so long a missed evaluation may wait for another"`
	BookedUrgent     time.Duration `rule:"R09" key:"booked_urgent" means:"so near to the session, it is S1"`
	ClearanceWarn    time.Duration `rule:"R10" key:"clearance_warn" means:"so long before the session, it warns"`
	ClearanceUrgent  time.Duration `rule:"R10" key:"clearance_urgent" means:"so near to the session, it is S1"`
	ConditionDue     time.Duration `rule:"R13" key:"condition_due" means:"so long before the session, a condition of the clearance must be met"`
	ClearanceMaxAge  time.Duration `rule:"R10" key:"clearance_max_age" means:"how long a clearance without an end counts where the sheet says nothing; 0 = unknown"`
	PrescriptionWait int           `rule:"R17" key:"prescription_wait" unit:"business days" means:"cleared so long without a prescription, it is S2"`
	FillLimitMonths  int           `rule:"R21" key:"fill_limit_months" unit:"months" means:"a prescription may be filled so long after it was written (21 CFR 1306.22)"`
	RefillLimit      int           `rule:"R21" key:"refill_limit" unit:"repeats" means:"the most that a prescription may allow (21 CFR 1306.22)"`
	PreparationWait  time.Duration `rule:"R18" key:"preparation_wait" means:"so long after the medicine came, a preparation session is booked"`
	AddressWait      int           `rule:"R19" key:"address_wait" unit:"business days" means:"the pharmacy waits so long for the call, it is S2"`
	ParcelWait       time.Duration `rule:"R20" key:"parcel_wait" means:"so long after it was shipped, somebody asks whether it arrived"`
	ParcelUrgent     time.Duration `rule:"R20" key:"parcel_urgent" means:"so near to the session, it is S2"`
	DosesSpare       int           `rule:"R22" key:"doses_spare" unit:"sessions" means:"with so many to spare, or fewer, it is S3"`
	RefillLead       int           `rule:"R23" key:"refill_lead" unit:"business days" means:"how long a refill takes where the sheet's lead_days was not asked"`
	DiscardWarn      time.Duration `rule:"R26" key:"discard_warn" means:"so long before the medicine is out of date, it warns"`
	TelehealthUntil  Day           `rule:"R33" key:"telehealth_until" means:"the last day on which the law lets prescribe by telehealth without an exam in person (90 FR 61301)"`
	TelehealthWarn   time.Duration `rule:"R33" key:"telehealth_warn" means:"so long before it, what still waits for a prescription is S2"`
	CredentialFirst  time.Duration `rule:"R34" key:"credential_first" means:"so long before one ends, it is S4"`
	CredentialAgain  time.Duration `rule:"R34" key:"credential_again" means:"so long before, it is S3"`
	CredentialLast   time.Duration `rule:"R34" key:"credential_last" means:"so long before, it is said once more"`
	ConsentRenew     time.Duration `rule:"R35" key:"consent_renew" means:"so long after it was signed, a consent to treatment is signed anew; 0 = never"`
	OutcomeWorse     int           `rule:"R38" key:"outcome_worse" unit:"points" means:"so much more on PHQ-9 or GAD-7 is worse; 0 = not looked at"`
	OutcomeEvery     time.Duration `rule:"R38" key:"outcome_every" means:"so long after a PHQ-9, another is due before the session; 0 = never"`
	FactsFollowUp    time.Duration `rule:"R39" key:"facts_follow_up" means:"so near to the follow-up, it is S2"`
	IntegrationWait  time.Duration `rule:"R40" key:"integration_wait" means:"so long after a dose, an integration session is booked"`
	DriftStart       time.Duration `rule:"R41" key:"drift_start" means:"so far two sides' starts may differ"`
	UnclosedWait     time.Duration `rule:"R41" key:"unclosed_wait" means:"so long a session that is over may wait to be closed"`
	GapAnswer        time.Duration `rule:"R42" key:"gap_answer" means:"so much open time the prescriber is given to answer between a closed day and the session"`
	DischargeWait    time.Duration `rule:"R43" key:"discharge_wait" means:"so long after the last dose, sessions have stopped"`
	DeliveryTries    int           `rule:"R46" key:"delivery_tries" unit:"tries" means:"after so many tries, or"`
	DeliveryWait     time.Duration `rule:"R46" key:"delivery_wait" means:"after so long, a delivery failed"`
	HandOverWait     int           `rule:"R46" key:"hand_over_wait" unit:"business days" means:"so long a packet may lie before it is handed over"`
	UnsortedEvent    time.Duration `rule:"R51" key:"unsorted_event" means:"an event this long counts as dosing until a rule sorts it"`
}

// DefaultRules are the defaults of rules.md.
func DefaultRules() Rules {
	const day = 24 * time.Hour
	return Rules{
		Window: 14 * day, Skew: 5 * time.Minute,
		ReferralTwice: 90 * day, ReferralWarn: 2, ReferralEscalate: 5, RebookWait: 3,
		StallWarn: 7 * day, ReleaseWarn: 30 * day, BookedUrgent: 72 * time.Hour,
		ClearanceWarn: 14 * day, ClearanceUrgent: 48 * time.Hour, ConditionDue: 5 * day,
		PrescriptionWait: 3, FillLimitMonths: 6, RefillLimit: 5, DosesSpare: 1, UnsortedEvent: 90 * time.Minute,
		PreparationWait: 7 * day, AddressWait: 2, ParcelWait: 5 * day, ParcelUrgent: 3 * day, RefillLead: 10, DiscardWarn: 14 * day,
		TelehealthUntil: Day{2026, time.December, 31}, TelehealthWarn: 30 * day,
		CredentialFirst: 60 * day, CredentialAgain: 30 * day, CredentialLast: 7 * day,
		OutcomeWorse: 5, OutcomeEvery: 30 * day, FactsFollowUp: 5 * day, IntegrationWait: 72 * time.Hour,
		DriftStart: 15 * time.Minute, UnclosedWait: 48 * time.Hour, GapAnswer: 4 * time.Hour, DischargeWait: 30 * day,
		DeliveryTries: 5, DeliveryWait: 6 * time.Hour, HandOverWait: 1,
	}
}
