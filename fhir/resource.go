package fhir

import (
	"errors"
)

// ErrUnreadable is what Read answers when a resource does not fit its view.
var ErrUnreadable = errors.New("resource does not fit its view")

// Refusal says why the gate did not let a resource in. It never carries a value from the resource:
// Reason is one of the Reason codes, Path the element's path in names that FHIR R4 knows ("?" for any other);
// Type, ID and Subject are what could be salvaged.
type Refusal struct {
	Reason  string
	Path    string
	Type    string
	ID      string
	Subject Ref
}

func (r *Refusal) Error() string {
	if r.Path == "" {
		return "refused: " + r.Reason
	}
	return "refused: " + r.Reason + " at " + r.Path
}

// Why the gate or the outgoing lint refuses.
const (
	ReasonNotJSON       = "not JSON"
	ReasonBadText       = "text that is not valid Unicode"
	ReasonTrailing      = "something after the end"
	ReasonTooLarge      = "too large"
	ReasonTooDeep       = "nested too deeply"
	ReasonNotObject     = "not an object"
	ReasonDuplicateKey  = "duplicate key"
	ReasonWrongCase     = "key in the wrong case"
	ReasonStrangeKey    = "key that no FHIR element can have"
	ReasonNull          = "null"
	ReasonEmpty         = "empty value"
	ReasonNoType        = "no resourceType"
	ReasonUnknownType   = "unknown resourceType"
	ReasonOtherType     = "not the expected resourceType"
	ReasonNoID          = "no id"
	ReasonBadID         = "id of the wrong form"
	ReasonMissing       = "required element missing"
	ReasonChoice        = "more than one of a choice"
	ReasonModifier      = "modifier extension not known here"
	ReasonImplicitRules = "implicit rules not known here"
	ReasonUnknownCode   = "code not in its required value set"
	ReasonWrongKind     = "value of the wrong kind"
	ReasonBadTime       = "meta.lastUpdated is no instant"
	ReasonDangling      = "reference that leads nowhere at the receiver"
)
