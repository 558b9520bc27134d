package fhirrest

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/kaphub/kaphub/connectors"
	"github.com/kaphub/kaphub/connectors/internal/rest"
	"github.com/kaphub/kaphub/fhir"
)

// Offers tells what the server offers, as far as reading it has shown.
func (s *server) Offers(ctx context.Context) (connectors.Capabilities, error) {
	o, err := s.offers(ctx)
	if err != nil {
		return connectors.Capabilities{}, err
	}
	return s.capabilities(o), nil
}

// Check tells what the server offers and what is done where it does not. It asks afresh, reads one row of each type at
// most, and changes nothing there. An error means that the server could not be asked at all; why the hub is let in or not is
// told even then.
func (s *server) Check(ctx context.Context) (connectors.Report, error) {
	claims, err := s.client.Prove(ctx)
	if err != nil {
		return connectors.Report{Auth: claims}, err
	}
	offers, err := s.explore(ctx)
	if err != nil {
		return connectors.Report{Auth: claims}, err
	}
	r := reporter{server: s}
	r.add("works", "connection", "", "reachable and speaks FHIR")
	if !offers.states {
		r.add("degrades", "statement", "all that the hub needs are tried", "lists no resource types")
	}
	if offers, err = r.types(ctx, offers); err != nil {
		return connectors.Report{Auth: claims}, err
	}
	r.changes(offers)
	r.linked(offers)
	r.writing(offers)
	r.absent(offers)
	return connectors.Report{Software: offers.software, Capabilities: s.capabilities(offers), Lines: r.lines, Auth: claims}, nil
}

// reporter gathers the lines of a report.
type reporter struct {
	*server
	lines []connectors.Line
}

func (r *reporter) add(level, about, instead, format string, args ...any) {
	r.lines = append(r.lines, connectors.Line{Level: level, About: about, Text: fmt.Sprintf(format, args...), Instead: instead})
}

// types tries to read one row of each type, the way a pull would; what that teaches is in the offer that comes back.
func (r *reporter) types(ctx context.Context, offers *offer) (*offer, error) {
	var works, missing, withheld []string
	for _, typ := range offers.types {
		err := r.tryOne(ctx, offers, typ)
		if err != nil && ownTrouble(err) {
			better, learned, tried := r.mend(ctx, offers, typ, err)
			if tried != nil {
				return offers, tried
			}
			if offers = better; learned {
				err = nil
			}
		}
		switch {
		case err == nil:
			works = append(works, typ)
		case kept(typ, err):
			withheld = append(withheld, typ)
		case notOffered(err):
			missing = append(missing, typ)
		default:
			r.add("impossible", typ, "until it is mended no read is complete, and every client is UNKNOWN", "%s", err.Error())
		}
	}
	if len(works) == 0 && len(missing)+len(withheld) == len(offers.types) {
		r.add("fails", "reading", "", "nothing that the hub reads is there: base_url is probably not where FHIR begins; it is the address that stands before /metadata and /Patient")
		return offers, nil
	}
	if len(works) > 0 {
		r.add("works", "reading", "", "%s", strings.Join(works, ", "))
	}
	if pointing := "MedicationStatement"; slices.Contains(works, pointing) {
		r.add("degrades", pointing, "ask \"anything new?\" at arrival, as always", "is read where it has the code, or the Medication inside it: one that points to a Medication elsewhere is not")
	}
	for _, typ := range withheld {
		r.add("degrades", typ, r.instead(typ), "is kept from the hub: %s", r.lost(typ))
	}
	for _, typ := range missing {
		if r.needed(offers, typ) {
			r.add("impossible", typ, "if the server really has none, list what it has under dialect.types", "is refused as unknown, so no read is complete")
		} else {
			r.add("degrades", typ, r.instead(typ), "is refused as unknown: what rests on it stays unknown")
		}
	}
	return offers, nil
}

// tryOne searches for one row of typ, by what changed where that is how it is read.
func (s *server) tryOne(ctx context.Context, offers *offer, typ string) error {
	call := rest.Call{Op: "search " + typ, Path: typ, Query: url.Values{"_count": {"1"}}}
	a := offers.search[typ]
	switch {
	case a.tells():
		if a.sorts {
			call.Query.Set("_sort", "_lastUpdated")
		}
		call.Query.Set("_lastUpdated", a.since+"1970-01-01")
	case offers.isLinked(typ):
		l := offers.links[typ][0]
		call.Query.Set(l.parameter, l.to[0]+"/"+nobody)
	case !isDirectory(typ):
		call.Query.Set(byPatient[typ], nobody)
	}
	_, _, err := s.search(ctx, call)
	return err
}

// changes tells how the server is read.
func (r *reporter) changes(offers *offer) {
	each := offers.each()
	if len(each) == 0 && len(offers.types) > 0 {
		r.add("works", "changes", "", "searches honour _lastUpdated (%s): only what changed is read", offers.search[offers.types[0]].from)
		return
	}
	var told, only []string
	for _, typ := range offers.clinical() {
		if offers.tells(typ) {
			told = append(told, typ)
		}
		if offers.search[typ].patient {
			only = append(only, typ)
		}
	}
	const slowly = "clients are read one by one, which takes longer"
	switch {
	case len(told) > 0:
		r.add("degrades", "changes", "these are read client by client, which takes longer; of the others only what changed", "searches for %s do not tell what changed", strings.Join(each, ", "))
	case len(only) > 0:
		r.add("degrades", "changes", slowly, "searches need a patient (%s)", offers.search[only[0]].from)
	default:
		r.add("degrades", "changes", slowly, "searches do not tell what changed (%s)", r.why(offers))
	}
	var blind []string
	for _, typ := range r.role().discover {
		if slices.Contains(only, typ) {
			blind = append(blind, typ)
		}
	}
	if len(blind) > 0 && len(blind) == len(slices.DeleteFunc(slices.Clone(r.role().discover), func(typ string) bool { return !slices.Contains(offers.types, typ) })) {
		r.add("impossible", "new clients", "bring them in by another source of the practice: a roster, a calendar feed, the desk; they are then found here by their identifier",
			"%s need a patient, so nobody new is found by reading", strings.Join(blind, ", "))
	}
}

// why says where it was learned that no search tells what changed.
func (r *reporter) why(offers *offer) string {
	for _, typ := range offers.each() {
		switch offers.search[typ].from {
		case connectors.Config:
			return "config"
		case connectors.Probe:
			return "found by trying"
		}
	}
	return "its statement does not list _lastUpdated"
}

// writing tells how what the hub brings gets there.
func (r *reporter) writing(offers *offer) {
	var takes, not []string
	for _, typ := range r.role().writes {
		if offers.writing[typ].create {
			takes = append(takes, typ)
		} else {
			not = append(not, typ)
		}
	}
	switch {
	case len(takes) == 0:
	case offers.condition.is:
		r.add("works", "writing", "", "conditional create is offered (%s), and the hub looks by identifier before it writes: nothing is written twice", offers.condition.from)
	case r.searchesCopies(offers):
		r.add("degrades", "writing", "the hub looks by identifier before it writes", "conditional create is not offered (%s)", offers.condition.from)
	default:
		r.add("impossible", "writing", "after a lost reply a person has to look whether it arrived", "neither conditional create nor identifier search")
	}
	switch offers.versions.is {
	case guardIfMatch:
		if len(takes) > 0 {
			r.add("works", "updates", "", "a write over somebody else's is turned down (If-Match, %s)", offers.versions.from)
		}
	case guardNone, guardBlind:
		if len(takes) > 0 {
			r.add("degrades", "updates", "the hub reads right before and right after it writes, and tells when somebody's words were lost", "If-Match is not looked at (%s)", offers.versions.from)
		}
	}
	for _, typ := range not {
		level, what, instead := "degrades", "cannot be written there", r.untaken(typ, offers)
		if s := r.role().must; s == typ {
			level = "impossible"
		}
		r.add(level, typ+" sent", instead, "%s (%s)", what, offers.writing[typ].from)
	}
}

// absent tells of the types that the server does not have, and what is done instead.
func (r *reporter) absent(offers *offer) {
	for _, typ := range offers.missing {
		if instead := r.instead(typ); instead != "" {
			r.add("degrades", typ, instead, "is not offered, by %s: %s", r.byWhom(), r.lost(typ))
		}
	}
}

// A type's absence: what is not told, and what is done instead. Types whose absence costs nothing are not here.
type absence struct{ lost, instead string }

var absences = map[bool]map[string]absence{
	false: { // at a prescriber
		"Patient":            {"whose records these are is not told", "nothing can be read from it; take its connector out and use the desk"},
		"Task":               {"whether a referral arrived and was accepted is not told", "it is unknown until an evaluation or a decision arrives, or is entered at the desk; where the medicine is comes from the dispense or the label check"},
		"Observation":        {"a decision as an Observation is not told", "a DiagnosticReport counts where there is one; else enter the decision at the desk"},
		"MedicationRequest":  {"prescriptions are not told", "enter the label check at the desk when the medicine is there"},
		"MedicationDispense": {"whether the medicine was dispensed is not told", "enter the label check at the desk when the medicine is there"},
		"Appointment":        {"evaluations and follow-ups are not told", "a decision proves the evaluation; enter follow-ups at the desk"},
		"Encounter":          {"whether a client was seen in person is not told", "say so with the decision or the follow-up at the desk"},
		"Flag":               {"stops recorded as a Flag are not told", "a withdrawn decision and a prescription on hold still stop; enter any other STOP at the desk"},
		"Goal":               {"limits that they set as a goal are not told", "enter the client's own limits with the decision at the desk; else the sheet's count"},
		"CarePlan":           {"a course on hold is not told", "a withdrawn decision and a prescription on hold still stop; enter any other STOP at the desk"},
	},
	true: { // at the practice
		"Patient":                  {"clients are not told", "bring a roster"},
		"Consent":                  {"releases and consents are not told", "enter signed papers at the desk"},
		"ServiceRequest":           {"referrals are not told", "enter them at the desk"},
		"Appointment":              {"sessions are not told", "add a calendar feed"},
		"Observation":              {"arrival checks, acknowledgements and go-aheads are not told", "enter them at the desk"},
		"Procedure":                {"sessions held are told by their appointment only", "enter what happened at the desk"},
		"MedicationAdministration": {"doses taken are not told", "enter what happened at the desk"},
		"Flag":                     {"stops are not told", "enter a STOP at the desk"},
		"AdverseEvent":             {"adverse events are not told", "enter a STOP at the desk"},
		"Condition":                {"conditions on the watch list are not told", "ask \"anything new?\" at arrival, as always"},
		"MedicationStatement":      {"medicines on the watch list are not told", "ask \"anything new?\" at arrival, as always"},
	},
}

func (s *server) instead(typ string) string { return absences[s.party == fhir.Practice][typ].instead }
func (s *server) lost(typ string) string    { return absences[s.party == fhir.Practice][typ].lost }

// untaken says what is done with what cannot be written there.
func (s *server) untaken(typ string, offers *offer) string {
	if s.party == fhir.Practice {
		return "it is shown here, and not copied into the practice's system"
	}
	switch typ {
	case "Task":
		return "the ServiceRequest goes alone; whether it was taken up, their decision tells, or the desk"
	case "Consent":
		return "the referral goes without a copy of the release, on which it rests all the same"
	case "Patient":
		return "the referral goes only for clients whom they have already; for others as a packet that a person hands over"
	}
	return "the referral goes as a packet that a person hands over"
}

// searchesCopies reports whether the hub can look by identifier for everything that it writes there.
func (s *server) searchesCopies(offers *offer) bool {
	for _, typ := range s.role().writes {
		if _, has := offers.identify[typ]; (has || !offers.states) && !offers.identifies(typ) {
			return false
		}
	}
	return true
}

func (s *server) byWhom() string {
	if s.dialect.Types != nil {
		return "the config"
	}
	return "its own statement"
}

// capabilities are the facts of an offer, each with where it was learned.
func (s *server) capabilities(o *offer) connectors.Capabilities {
	c := connectors.Capabilities{Known: o.states || s.dialect.Types != nil, Reads: o.types, Lacks: o.missing, Mode: connectors.ModeMixed}
	switch each := o.each(); {
	case len(each) == 0:
		c.Mode = connectors.ModeDelta
	case len(each) == len(o.clinical()):
		c.Mode = connectors.ModeClient
	}
	say := func(name, typ, value string, from connectors.Origin) {
		c.All = append(c.All, connectors.Capability{Name: name, Type: typ, Value: value, From: from})
	}
	stated := connectors.Statement
	if s.dialect.Types != nil {
		stated = connectors.Config
	} else if !o.states {
		stated = connectors.Assumed
	}
	for _, typ := range s.role().types {
		say("read", typ, strconv.FormatBool(slices.Contains(o.types, typ)), stated)
	}
	for _, typ := range o.types {
		a := o.search[typ]
		say("_lastUpdated", typ, a.since, a.from)
		for _, l := range o.links[typ] {
			say("found by", typ, l.parameter, connectors.Statement)
		}
		if a.patient {
			say("patient required", typ, "true", a.from)
		}
		if a.tells() && !a.sorts {
			say("_sort", typ, "false", a.from)
		}
	}
	for _, typ := range s.role().writes {
		w := o.writing[typ]
		if w.create {
			c.Takes = append(c.Takes, typ)
		}
		say("create", typ, strconv.FormatBool(w.create), w.from)
	}
	say("conditional create", "", strconv.FormatBool(o.condition.is), o.condition.from)
	say("identifier search", "", strconv.FormatBool(s.searchesCopies(o)), o.byID)
	say("guard against lost updates", "", o.versions.is, o.versions.from)
	totals, from := s.dialect.Totals, connectors.Config
	if totals == "" {
		totals, from = "counted where they do not add up", connectors.Assumed
	}
	say("totals", "", totals, from)
	return c
}
