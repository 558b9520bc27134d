package fhir

// Base is the canonical base of the hub's own codes.
const Base = "https://kaphub.example/fhir"

// The code systems of the practice's work. A partner's own codes reach these through ConceptMaps (Terms).
const (
	SystemKAP            = Base + "/CodeSystem/kap"
	SystemSession        = Base + "/CodeSystem/kap-session"
	SystemDecision       = Base + "/CodeSystem/clearance-decision"
	SystemClearanceItem  = Base + "/CodeSystem/clearance-item"
	SystemGrade          = Base + "/CodeSystem/contraindication-grade"
	SystemBusinessStatus = Base + "/CodeSystem/referral-business-status"
	SystemFulfilment     = Base + "/CodeSystem/fulfilment"

	SystemLOINC          = "http://loinc.org"
	SystemRxNorm         = "http://www.nlm.nih.gov/research/umls/rxnorm"
	SystemNPI            = "http://hl7.org/fhir/sid/us-npi"
	SystemActCode        = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
	SystemConsentScope   = "http://terminology.hl7.org/CodeSystem/consentscope"
	SystemIdentifierType = "http://terminology.hl7.org/CodeSystem/v2-0203"
	SystemConfidential   = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality"
	SystemTaskCode       = "http://hl7.org/fhir/CodeSystem/task-code"
	SystemUCUM           = "http://unitsofmeasure.org"

	// ExtensionPronouns is how a Patient says by which words the client is spoken of.
	ExtensionPronouns = "http://hl7.org/fhir/StructureDefinition/individual-pronouns"
	// ExtensionDiscardAfter is how a MedicationDispense says on which day its medicine is last good (valueDate or
	// valueDateTime), where its Medication has no batch that does.
	ExtensionDiscardAfter = Base + "/StructureDefinition/discard-after"

	// ExtensionTherapist is how the practice's Patient names one of the client's therapists (valueReference: display, identifier).
	// A generalPractitioner may as well be the family doctor, who sees nobody here. It never goes to a prescriber.
	ExtensionTherapist = Base + "/StructureDefinition/therapist"

	// SystemCopy is the identifier system of what the hub itself wrote: its value is exchange.CopyID.
	// A resource that carries it is a copy and never a fact of its own (fhir.md section 5).
	SystemCopy = Base + "/copy"
	// SystemEntry is the identifier system of what people enter by hand, and the code system of the kinds of entry
	// (Provenance.activity). SystemMedium are the ways by which they were told, SystemActor those who enter: by their account's
	// hub key, or by name where they have none. SystemTypist are, alike, those who typed it for them.
	SystemEntry  = Base + "/entry"
	SystemMedium = Base + "/CodeSystem/medium"
	SystemActor  = Base + "/actor"
	SystemTypist = Base + "/typist"
	// SystemClient is the identifier system of the hub's own client keys on copies of Patient.
	SystemClient = Base + "/client"
	// SystemToken is the identifier system of the token by which a calendar's events name a client. The roster gives it to
	// the client's Patient; a Patient that bears nothing else says nothing of who the client is.
	SystemToken = Base + "/calendar-token"
	// SystemCalendarEvent is the identifier system of an Appointment that was read from a calendar feed.
	SystemCalendarEvent = Base + "/calendar-event"
)

// Codes in SystemKAP.
const (
	CodeEvaluation       = "kap-evaluation"            // ServiceRequest: the default referral code
	CodeTreatmentConsent = "kap-treatment-consent"     // Consent category
	CodeClearance        = "medical-clearance"         // Observation
	CodeGoAhead          = "therapist-go-ahead"        // Observation, valueBoolean, focus: the dosing Appointment
	CodeAcknowledged     = "instructions-acknowledged" // Observation, valueString: DosageDigest, focus: the MedicationRequest
	CodeFulfilment       = "fulfilment"                // Task
	CodeStop             = "stop"                      // Flag: a recorded hold
	CodeCondition        = "clearance-condition"       // Task: a condition of a clearance, named by reasonCode or description; completed when it is met

	CodeAmountLeft = "amount-left"      // Observation, valueQuantity in {session}: what the client was counted to have left
	CodeBeganWhy   = "began-reason"     // Observation, valueString: why a session began while its records were not READY, focus: the dosing Appointment
	CodeOtherName  = "label-other-name" // MedicationDispense.statusReason: the label bears another name than the client's
	CodeRetyped    = "end-retyped"      // Provenance.reason: alone, the one who entered typed the end twice

	CodeNotAsDirected = "not-as-directed" // MedicationAdministration.statusReason: the dose was not taken as directed

	// Arrival checks: Observations of the practice, valueBoolean, focus: the dosing Appointment.
	CodeRide           = "ride-arranged"
	CodeFasting        = "fasting-kept"
	CodeLocation       = "location-confirmed" // the client is where the session is to be, in a state that is served
	CodeNewInformation = "new-information"    // "anything new since clearance?": false is met, true is "ask the prescriber"
)

// Codes of AdverseEvent.severity in SystemKAP, as the therapist recorded them (rules.md R30).
const (
	CodeSerious       = "serious"
	CodeAskPrescriber = "ask-prescriber"
	CodeExpected      = "expected-settled"
	CodeMistaken      = "entered-in-error" // it was entered by mistake: an AdverseEvent has no status to say so
)

// Codes in SystemSession.
const (
	SessionPreparation = "preparation"
	SessionDosing      = "dosing"
	SessionIntegration = "integration"
	SessionEvaluation  = "evaluation"
	SessionFollowUp    = "follow-up"
)

// Codes in SystemDecision.
const (
	DecisionCleared    = "cleared"
	DecisionConditions = "cleared-with-conditions"
	DecisionDeferred   = "deferred"
	DecisionNotCleared = "not-cleared"
	DecisionWithdrawn  = "withdrawn"
)

// Codes in SystemClearanceItem: the parts of a clearance, and what a Goal of the prescriber's is about.
const (
	ItemCondition        = "condition"           // valueCodeableConcept
	ItemContraindication = "contraindication"    // interpretation: its grade
	ItemInterval         = "interval-min"        // between dosing sessions; valueQuantity in h, d or wk
	ItemSessions         = "max-sessions"        // under this clearance; valueInteger
	ItemWeekly           = "max-sessions-a-week" // in any 7 days; valueInteger
	ItemSetting          = "setting"             // v3-ActCode AMB (the office), VR (remote) or HH (at home); several are allowed together
	ItemSystolic         = "max-systolic"        // upper limits of a reading; valueQuantity in mm[Hg], kPa or /min
	ItemDiastolic        = "max-diastolic"
	ItemHeartRate        = "max-heart-rate"
)

// Codes in SystemActCode: where a session takes place.
const (
	ActOffice = "AMB"
	ActRemote = "VR"
	ActHome   = "HH"
)

// Codes in SystemBusinessStatus: the union by meaning of BSeR's, COW's and the practice's own (fhir.md section 2). BSeR's
// numbers are kept as they are; COW's visit-scheduled and visit-complete mean BusinessScheduled and BusinessVisited.
const (
	BusinessCreated        = "2.0"
	BusinessAccepted       = "3.0"
	BusinessDeclined       = "4.0"
	BusinessScheduled      = "5.1.1"
	BusinessNoShow         = "5.1.2"
	BusinessVisitCancelled = "5.1.3"
	BusinessVisited        = "5.1.4"
	BusinessCancelAsked    = "5.2"
	BusinessCancelled      = "6.0"
	BusinessDone           = "7.0"

	BusinessAwaitsInformation = "awaiting-information"
	BusinessIntakeSent        = "intake-sent"
	BusinessIntakeIncomplete  = "intake-incomplete"
	BusinessAwaitsConsent     = "awaiting-consent"
	BusinessCleared           = "cleared"
	BusinessConditions        = "cleared-with-conditions"
	BusinessNotCleared        = "not-cleared"
	BusinessDeferred          = "deferred"
	BusinessPrescribed        = "rx-sent"
	BusinessDispensed         = "rx-dispensed"
	BusinessReferredOn        = "referred-onward"
)

// BusinessStatuses returns every code in SystemBusinessStatus, in the order of a referral's course.
func BusinessStatuses() []string {
	return []string{BusinessCreated, BusinessAccepted, BusinessDeclined, BusinessIntakeSent, BusinessIntakeIncomplete, BusinessAwaitsInformation,
		BusinessAwaitsConsent, BusinessScheduled, BusinessNoShow, BusinessVisitCancelled, BusinessVisited, BusinessCleared, BusinessConditions,
		BusinessNotCleared, BusinessDeferred, BusinessPrescribed, BusinessDispensed, BusinessReferredOn, BusinessCancelAsked, BusinessCancelled, BusinessDone}
}

// Codes in SystemFulfilment.
const (
	FulfilmentSent       = "sent-to-pharmacy"
	FulfilmentAddress    = "address-confirmation-pending"
	FulfilmentCompound   = "compounding"
	FulfilmentShipped    = "shipped"
	FulfilmentDelivered  = "delivered"
	FulfilmentException  = "exception"
	FulfilmentReturned   = "returned"
	RxNormKetamine       = "6130"    // ingredient
	LOINCBloodPressure   = "85354-9" // panel; components systolic and diastolic
	LOINCSystolic        = "8480-6"
	LOINCDiastolic       = "8462-4"
	LOINCHeartRate       = "8867-4"
	LOINCConsentDocument = "64292-6" // release of information
)

// Code is a system and a code in it.
type Code struct {
	System string `json:"system"`
	Code   string `json:"code"`
}

// ID is a business identifier: a system and a value in it. Only both together identify.
type ID struct {
	System string `json:"system"`
	Value  string `json:"value"`
}
