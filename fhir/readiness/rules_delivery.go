package readiness

import (
	"cmp"
	"slices"
	"strconv"

	"github.com/kaphub/kaphub/fhir"
)

// R46 delivery-failed: what should stand at the other side and does not, so that a person must carry it there by phone
// or on paper. One finding for each party that did not get something, one row for all whom it touches. The deliveries
// that may have arrived are never taken for unsent: they are asked about, or settled by a person.
//
//	a delivery of this engagement                                  finding
//	refused                                                        S2
//	sent, and whether it arrived cannot be found out               S2
//	tried 5 times, or since 6 h, and not accepted                  S2
//	not tried for a business day: there is no way to go            S2
//	laid out for a person, not handed over for a business day      S2
//	laid out, and should not be handed over any more               S4
//	any of these, and a later one of the same copy was staged      none
//	any of these, and the prescriber took up the referral since    S4: it would only ask again
//	on its way                                                     none
func deliveryFailed(f *facts) []Finding {
	byParty := map[string]*undelivered{}
	var parties []string
	for i := range f.chart.Outstanding {
		o := &f.chart.Outstanding[i]
		if o.Prescriber != f.policy.Prescriber.Name || o.Superseded {
			continue
		}
		failure, moot := f.failing(o)
		if failure == onItsWay {
			continue
		}
		u := byParty[o.To]
		if u == nil {
			u = &undelivered{party: f.party(o.To), moot: true}
			byParty[o.To] = u
			parties = append(parties, o.To)
		}
		u.add(o, failure, moot)
	}
	out := make([]Finding, 0, len(parties))
	for _, name := range parties {
		out = append(out, f.undelivered(byParty[name]))
	}
	return out
}

// failure is why a delivery does not stand at the other side; the graver ones come last.
type failure int8

const (
	onItsWay failure = iota
	lies             // laid out, and nobody said that it was handed over
	waits            // nothing leads there
	fails            // tried, and not accepted
	uncertain
	refused
)

// The states of a delivery, as package exchange words them.
const (
	stateLaidOut = "laid-out"
	stateRefused = "refused"
	stateUnknown = "unknown"
)

// asking are the deliveries that ask a prescriber to take a client up: moot once that has happened (law 6).
var asking = []string{"patient", "consent", "referral", "task", "packet"}

// failing says whether o failed, and whether that still matters.
func (f *facts) failing(o *fhir.Outstanding) (is failure, moot bool) {
	r, standard := f.policy.Rules, DefaultRules()
	hours := f.policy.Sheet.Hours
	if o.To == fhir.Practice {
		hours = Hours{}
	}
	switch {
	case o.State == stateRefused:
		is = refused
	case o.State == stateUnknown:
		is = uncertain
	case o.State == stateLaidOut:
		if o.Why == "" && !f.clock.passed(hours.Later(o.Since, cmp.Or(r.HandOverWait, standard.HandOverWait), f.zone)) {
			return onItsWay, false
		}
		is, moot = lies, o.Why != ""
	case o.Since.IsZero():
		if f.clock.passed(hours.Later(o.Staged, 1, f.zone)) {
			is = waits
		}
	case o.Attempts >= cmp.Or(r.DeliveryTries, standard.DeliveryTries), f.clock.passed(o.Since.Add(cmp.Or(r.DeliveryWait, standard.DeliveryWait))):
		is = fails
	}
	if is != onItsWay && slices.Contains(asking, o.What) {
		moot = moot || referralGate(f).State == Met
	}
	return is, moot
}

// undelivered is what one party did not get.
type undelivered struct {
	party Party
	is    failure // the gravest that matters
	moot  bool    // none matters any more
	n     int     // that matter, or all where none does
	first *fhir.Outstanding
	rests []fhir.Basis
}

func (u *undelivered) add(o *fhir.Outstanding, is failure, moot bool) {
	if moot && !u.moot {
		return
	}
	if u.moot && !moot {
		*u = undelivered{party: u.party}
	}
	if u.n++; is > u.is {
		u.is, u.first = is, o
	}
	for _, b := range o.Rests {
		if !slices.Contains(u.rests, b) {
			u.rests = append(u.rests, b)
		}
	}
}

// undelivered words what one party did not get. The words are the same for every client whom one trouble touches, so
// that they can stand as one row; what is the client's own stands in the values.
func (f *facts) undelivered(u *undelivered) Finding {
	title := cmp.Or(u.party.Title, u.party.Name)
	byHand := "call them" + f.phones() + " or hand over a printed packet"
	if u.party.Name == fhir.Practice {
		byHand = "enter it in the practice's records by hand"
	}
	severity, owner := S2, Admin
	var words, next string
	switch u.is {
	case refused:
		words = title + " refused what was sent"
		next = string(OpenRefused) + "; correct it, then try it again; until then " + byHand
	case uncertain:
		words = "Whether what was sent to " + title + " arrived cannot be found out"
		next = "ask them" + f.phonesOf(u.party) + ", then " + string(EnterOutcome)
	case fails:
		words, owner = title+" does not take what is sent", Operator
		next = string(CheckSending) + "; until it goes, " + byHand
	case waits:
		if u.first.What == "packet" {
			words = "A packet for " + title + " is not printed yet"
			next = string(PrintPacket) + " and hand it over, or call them" + f.phones()
			break
		}
		words, owner = "What is for "+title+" has no way to go", Operator
		next = string(OpenStaged) + ", and why; until it goes, " + byHand
	default:
		words = "A packet for " + title + " is laid out, and nobody recorded that it was handed over"
		next = "hand it over, or call them" + f.phones() + ", and " + string(EnterHanded)
	}
	switch {
	case u.moot && u.is == lies:
		severity, words = S4, "A packet for "+title+" need not be handed over any more"
		next = "take it back; if it was handed over already, " + string(EnterHanded)
	case u.moot:
		severity, owner = S4, Admin
		words += ", and is not needed any more: the referral was taken up"
		next = "nothing need be sent; " + string(EnterOutcome)
	}
	says := wordsOf(u.first.What) + ": " + u.is.String() + ", since " + f.on(cmp.Or(u.first.Since, u.first.Staged)) + " " + atTime(cmp.Or(u.first.Since, u.first.Staged), f.zone)
	if n := u.first.Attempts; n > 0 {
		says += ", " + strconv.Itoa(n) + " " + plural(n == 1, "try", "tries")
	}
	if u.first.Why != "" && u.first.Why != u.is.String() {
		says += " (" + u.first.Why + ")"
	}
	if u.n > 1 {
		says += "; and " + strconv.Itoa(u.n-1) + " more"
	}
	r := found(severity, u.party.Name, words, next).by(owner).values(u.party.Name, says)
	r.Because = u.rests
	r.RollUp = "R46/" + u.party.Name
	return r
}

// phonesOf returns how a party is reached: of the practice itself the hub knows no number.
func (f *facts) phonesOf(p Party) string {
	if p.Name == fhir.Practice {
		return ""
	}
	return f.phones()
}

func (is failure) String() string {
	return [...]string{"on its way", "laid out", "not tried", "not accepted", "outcome unknown", "refused"}[is]
}

// wordsOf is what a kind of delivery is called on screens.
func wordsOf(what string) string {
	switch what {
	case "patient":
		return "client's record"
	case "consent":
		return "release"
	case "task":
		return "request to evaluate"
	case "packet":
		return "referral packet"
	case "task-status":
		return "status of the referral"
	}
	return what
}
