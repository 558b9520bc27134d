package exchange

import (
	"time"

	"github.com/kaphub/kaphub/fhir"
)

// NotTold is how what was noted as told, and was not, is corrected: such a Telling tells nothing, and no accounting shows it.
const NotTold = "not-told"

// Telling is something told of a client to somebody outside by a person, by phone, fax or letter, and recorded by hand:
// a lapsed release still allows a safety call, logged (fhir.md, "What may leave"). What is wrong is corrected by another
// that stands in its place; none is ever deleted.
type Telling struct {
	ID        string
	Client    string
	Party     string // a prescriber's name; "" = somebody else
	Recipient string // who received it, by name
	Address   string // where, if known
	At        time.Time
	How       string // phone, fax, letter, in-person, e-mail or portal
	What      string // brief description of what was told
	Purpose   string // why, or on what basis
	By        string // who told it
	Instead   string // id of the one it corrects; "" = none
	Corrected bool   // another stands in its place

	Recorded time.Time
	Actor    string // who recorded it
	Moment   fhir.Moment
}
