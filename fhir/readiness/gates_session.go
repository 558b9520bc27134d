package readiness

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/kaphub/kaphub/fhir"
)

// consentsGate asks whether the client signed every treatment consent that is asked for.
//
//	of each kind, the one given last    gate
//	none                                open
//	active at the instant of need       met
//	ended by then                       open
//	older than consents may be          open, where the practice asks for new ones
//	withdrawn                           blocked (R07), also when the record is gone: only a newer one lifts it
//	not readable, with exceptions       unknown
//	another withdrawn since it was      unknown
//	  signed, on a later day
//	dated or beginning later            open
//	gone                                open (R48)
func consentsGate(f *facts) Gate {
	var all []*fhir.Version
	for _, kind := range f.kinds() {
		g, rests := f.consented(kind)
		if g.State != Met {
			return g
		}
		all = append(all, rests...)
	}
	return met("Consent to treatment signed", all...)
}

// consented is the consents gate for one kind, and the versions it rests on.
func (f *facts) consented(kind fhir.Code) (Gate, []*fhir.Version) {
	const sign = "have the client sign it"
	c, v := f.signed(kind)
	if v != nil {
		return blocked("The client withdrew the consent to treatment on "+f.on(v.Recorded()), "hold; speak with the client and "+f.prescriber(), v, c.Gone), nil
	}
	if c == nil && f.policy.Practice.Lacks("Consent") {
		return f.silent(f.policy.Practice, "of consents", "enter the signed consent at the desk", f.ground()...), nil
	}
	if c == nil || !c.live() {
		return open("A consent to treatment is not on file as signed"+f.whichKind(kind), sign), nil
	}
	rests := []*fhir.Version{c.Version}
	dated := func() string { return "The consent to treatment of " + f.on(c.given) + f.whichKind(kind) }
	renew := f.policy.Rules.ConsentRenew
	switch {
	case c.Value.Status.Code() != "active":
		return open(dated()+" is "+c.Value.Status.Code(), sign, c.Version), rests
	case c.doubt != "":
		return untold(dated()+" cannot be relied upon: "+c.doubt, "have the client sign it anew", c.Version), rests
	case !f.clock.passed(c.given.Add(-f.policy.Rules.Skew)):
		return open("The consent to treatment is dated "+f.on(c.given)+", which is to come", sign, c.Version), rests
	case !c.from.IsZero() && !f.over(c.from):
		return open("The consent to treatment begins on "+f.on(c.from), "have the client sign one from today", c.Version), rests
	case !c.to.IsZero() && f.over(c.to):
		return open("The consent to treatment ends on "+lastDay(c.to, f.zone), "have the client sign a new one", c.Version), rests
	case renew > 0 && f.over(shift(c.given, renew, f.zone)):
		return open(dated()+" is to be signed anew after "+Spelled(renew), "have the client sign a new one", c.Version), rests
	}
	return Gate{State: Met}, rests
}

// whichKind names a consent where several are asked for.
func (f *facts) whichKind(kind fhir.Code) string {
	if len(f.kinds()) == 1 {
		return ""
	}
	return " (" + kind.Code + ")"
}

// signed returns the consent of a kind that counts, and the version that withdrew it when it was withdrawn. The one
// given last decides; of one day the withdrawal does.
func (f *facts) signed(kind fhir.Code) (best *consent, withdrew *fhir.Version) {
	for i := range f.consents {
		c := &f.consents[i]
		if c.kind != kind || c.Value.Status.Code() == "entered-in-error" {
			continue
		}
		active := c.live() && c.Value.Status.Code() == "active" && f.clock.passed(c.given)
		if is, v := withdrawn(c.record); is {
			best, withdrew = c, v
			continue
		}
		switch {
		case best == nil:
			best = c
		case withdrew != nil:
			if active && c.given.After(best.given) {
				signed := *c
				signed.doubt = cmp.Or(signed.doubt, f.outlived(c.given, withdrew))
				best, withdrew = &signed, nil
			}
		case active || !best.live() || best.Value.Status.Code() != "active":
			best = c
		}
	}
	return best, withdrew
}

// preparationGate asks whether the client was prepared.
//
//	sheet        kept before the session   booked before it     gate
//	not asked    –                         –                    unknown: ask
//	none set     –                         –                    met, per agreement
//	n            n or more                 –                    met
//	n            fewer                     enough with them     not due, until they are over
//	n            fewer                     not enough           open
func preparationGate(f *facts) Gate {
	line := f.policy.Sheet.Preparations
	switch line.Answer {
	case NotAsked:
		return untold("How many preparation sessions "+f.prescriber()+" asks for is not on file", "ask "+f.prescriber()+" and note it on the sheet").by(Prescriber)
	case NoneSet:
		return met("No preparation is asked for").per(f.agreed())
	}
	var rests []*fhir.Version
	kept, booked := 0, 0
	var ends time.Time
	for i := range f.preparations {
		s := &f.preparations[i]
		if f.next != nil && !s.start.Before(f.next.start) {
			continue
		}
		switch {
		case s.done() && f.clock.passed(s.start), f.preparedOn(s):
			kept++
			rests = append(rests, s.Version)
		case s.standing() && !f.clock.passed(s.end):
			if booked++; kept+booked <= line.Value {
				ends = s.end
				rests = append(rests, s.Version)
			}
		}
	}
	for _, p := range f.prepared { // held without an appointment
		if (f.next == nil || p.at.Before(f.next.start)) && !slices.ContainsFunc(f.preparations, func(s session) bool { return DayOf(s.start, f.zone) == p.day && (s.done() || f.preparedOn(&s)) }) {
			kept++
			rests = append(rests, p.of)
		}
	}
	words := strconv.Itoa(kept) + " of " + strconv.Itoa(line.Value) + " preparation " + plural(line.Value == 1, "session", "sessions") + " kept"
	switch {
	case kept >= line.Value:
		return met(words, rests...).per(f.agreed())
	case kept+booked >= line.Value:
		return notDue(words+"; booked up to "+f.on(ends), "keep the preparation session", rests...).until(ends)
	}
	return open(words, "book a preparation session with the client", rests...)
}

// preparedOn reports whether the practice recorded that the preparation of s took place: a calendar never says.
func (f *facts) preparedOn(s *session) bool {
	return s.standing() && f.clock.passed(s.start) && slices.ContainsFunc(f.prepared, func(p dose) bool { return p.day == DayOf(s.start, f.zone) })
}

// intervalGate asks whether the session keeps the distance and the number that the prescriber asks for: recorded for this
// client, else on the sheet.
//
//	interval and number                    sessions before             gate
//	either not on file                     –                           unknown: ask
//	recorded for the client, not readable  –                           unknown: ask
//	none set                               –                           met, per agreement
//	on file                                no session booked           met
//	on file                                far enough, few enough      met
//	on file                                too close, too many         open (R31)
//	  … only if one that was never closed was held                     unknown
func intervalGate(f *facts) Gate {
	k := f.spacing()
	p := f.prescriber()
	switch {
	case k.unsaid.of != nil:
		return untold(k.unsaid.value, "ask "+p+" how often, and how far apart", k.unsaid.of).by(Prescriber)
	case !k.known:
		return untold("The interval or the weekly number of sessions that "+p+" asks for is not on file", "ask "+p+" and note it on the sheet").by(Prescriber)
	case f.next == nil:
		return met("No session is booked that could be too close; "+k.words(), k.of...).per(k.agreed)
	}
	sure, perhaps := f.dosesBefore()
	rests := slices.Concat(k.of, f.takenBy)
	for _, d := range perhaps {
		rests = append(rests, d.of)
	}
	rests = append(rests, f.next.Version)
	if words := k.crowded(f, f.next, sure); words != "" {
		return open("The session of "+f.on(f.next.start)+" "+words, "ask "+p+", or move the session", rests...)
	}
	if words := k.crowded(f, f.next, append(slices.Clone(sure), perhaps...)); words != "" {
		return untold("The session of "+f.on(perhaps[len(perhaps)-1].at)+" was never closed; if it was held, that of "+f.on(f.next.start)+" "+words, "close the session", rests...)
	}
	words := "No dose before"
	if len(sure) > 0 {
		words = "Last dose on " + f.on(sure[len(sure)-1].at)
	}
	return met(words+"; "+k.words(), rests...).per(k.agreed)
}

// dosesBefore returns the doses taken before the next session, and those that may have been: sessions never closed, and
// sessions still booked with another prescriber before it.
func (f *facts) dosesBefore() (sure, perhaps []dose) {
	for _, d := range f.taken {
		if d.first.Before(f.next.start.Add(-usual)) { // what was taken shortly before is the session's own, begun early
			sure = append(sure, d)
		}
	}
	for i := range f.dosing {
		s := &f.dosing[i]
		day := DayOf(s.start, f.zone)
		if s != f.next && s.standing() && s.start.Before(f.next.start) && !f.closed(s) {
			perhaps = append(perhaps, dose{day: day, first: s.start, at: s.start, of: s.Version})
		}
	}
	return sure, perhaps
}

// spacing is how far apart and how many the dosing sessions of this client may be.
type spacing struct {
	known    bool // both are on file, or none is set
	interval own[time.Duration]
	rates    []own[rate]
	unsaid   own[string]
	parts    []string        // in words, each with where it comes from
	agreed   string          // the sheet, where anything rests on it
	of       []*fhir.Version // the prescriber's records, where anything rests on them
}

// words tells the limits and where each comes from; never empty.
func (k *spacing) words() string { return cmp.Or(strings.Join(k.parts, "; "), "nothing is limited") }

// spacing finds the interval and the number of sessions that count, once: each as recorded for the client, else as on the sheet.
func (f *facts) spacing() *spacing {
	if f.spaced != nil {
		return f.spaced
	}
	t, sheet := f.own(), &f.policy.Sheet
	k := &spacing{unsaid: t.unsaid, interval: t.interval, rates: t.rates, known: true}
	say := func(words, from string) { k.parts = append(k.parts, words+" ("+from+")") }
	switch {
	case t.interval.of != nil:
		k.of = append(k.of, t.interval.of)
		say(apart(t.interval.value), f.recorded(t.interval.at))
	case sheet.DoseInterval.Answer == NotAsked:
		k.known = false
	default:
		k.interval.value, k.agreed = sheet.DoseInterval.Value, f.agreed()
		if k.interval.value > 0 {
			say(apart(k.interval.value), k.agreed)
		}
	}
	firm := 0 // that stand in the sheet's place
	for _, r := range t.rates {
		if !r.lapsed {
			firm++
		}
		k.of = append(k.of, r.of)
		say(r.value.words(), f.recorded(r.at))
	}
	switch {
	case firm > 0:
	case sheet.SessionCap.Answer == NotAsked:
		k.known = false
	default:
		k.agreed = f.agreed()
		if sheet.SessionCap.Answer == Set {
			r := rate{sheet.SessionCap.Value, 7}
			k.rates = append(slices.Clone(k.rates), own[rate]{value: r})
			say(r.words(), k.agreed)
		}
	}
	f.spaced = k
	return k
}

func apart(d time.Duration) string {
	if d%aDay != 0 {
		return "at least " + count(d.Hours()) + " hours apart"
	}
	return "at least " + several(int(d/aDay), "day") + " apart"
}

func (r rate) words() string {
	return "at most " + several(r.sessions, "session") + " in " + several(r.days, "day")
}

// crowded says how s is too close to doses, "" when it is not.
func (k *spacing) crowded(f *facts, s *session, doses []dose) string {
	for _, d := range doses {
		if k.interval.value > 0 && shiftBack(s.start, k.interval.value, f.zone).Before(d.at) {
			return "is too close to that of " + f.on(d.at) + ": " + k.words()
		}
	}
	for _, r := range k.rates {
		since := DayOf(s.start, f.zone).Plus(1 - r.value.days).Start(f.zone)
		within := 1
		for _, d := range doses {
			if !d.at.Before(since) && d.at.Before(s.start) {
				within++
			}
		}
		if within > r.value.sessions {
			return "is one too many: " + k.words()
		}
	}
	return ""
}

// settingGate asks whether the client may be treated where they are. That the session really is there, the location
// check asks at arrival.
//
//	states not served, setting              on file                          gate
//	states not asked                        –                                unknown: ask
//	states set                              no state in the client's address unknown
//	states set                              a state that is not served       open (R32)
//	setting neither recorded for the        –                                unknown: ask
//	  client nor asked
//	the session is booked elsewhere than    –                                open (R32)
//	  recorded for the client, else than
//	  the sheet allows
//	else                                    –                                met
func settingGate(f *facts) Gate {
	k := f.whereabouts()
	p := f.prescriber()
	if !k.known {
		return untold("Where "+p+" allows sessions is not on file", "ask "+p+" and note it on the sheet").by(Prescriber)
	}
	switch {
	case k.stateless:
		return untold("The state the client lives in is not on file, or is none", "complete the client's address", k.home).by(Admin)
	case k.unserved != "":
		return open(p+" does not serve "+k.unserved, "ask "+p, k.home)
	}
	rests := append(slices.Clone(k.of), k.home)
	if f.next != nil {
		if words := k.elsewhere(f.next); words != "" {
			return open("The session "+words, "move the session, or ask "+p, append(rests, f.next.Version)...)
		}
		rests = append(rests, f.next.Version)
	}
	words := "Setting and state allowed"
	if k.from != "" {
		words += ": " + k.says + " (" + k.from + ")"
	}
	return met(words, rests...).per(k.agreed)
}

// home returns the two letters of the state the client lives in, and the record that says so; "" when none does.
func (f *facts) home() (state string, v *fhir.Version) {
	for i := range f.clients {
		if r := &f.clients[i]; r.live() && state == "" {
			state, v = stateOf(f.state(r.Value)), r.Version
		}
	}
	return state, v
}

// state returns the state the client lives in: of the last address given, a home address before others, that has not ended.
func (f *facts) state(p *fhir.Patient) string {
	found := ""
	for _, a := range p.Address {
		if a.Period != nil {
			if _, to, ok := f.when(a.Period.End); ok && f.clock.passed(to) {
				continue
			}
		}
		home := a.Use == nil || a.Use.Code() == "home"
		if s := strings.TrimSpace(text(a.State)); s != "" && (found == "" || home) {
			found = s
		}
	}
	return found
}

// credentialsGate asks whether every licence, certificate and agreement lasts to the instant of need.
//
//	config       ends, there or in the directory    gate
//	not asked    –                                  unknown
//	none set     none before it                     met
//	listed       all on or after it                 met
//	any          one before it                      open
func credentialsGate(f *facts) Gate {
	line := f.policy.Credentials
	if line.Answer == NotAsked {
		return untold("Licences, certificates and agreements are not listed", "list them with their ends in the config")
	}
	all := f.credentials()
	var first *credential
	for i := range all {
		c := &all[i]
		if f.over(c.end) {
			return open(begun(c.name)+f.endsOn(c), "renew it", c.of).until(c.end)
		}
		if first == nil || c.end.Before(first.end) {
			first = c
		}
	}
	if first == nil {
		return met("No credential is asked for").per("none set in the config")
	}
	return met(plural(len(all) == 1, "The 1 credential is", "All "+strconv.Itoa(len(all))+" credentials are")+" current, the first up to "+lastDay(first.end, f.zone), first.of).per("as listed in the config")
}

// endsOn says when c ends, or ended.
func (f *facts) endsOn(c *credential) string {
	verb := " ends on "
	if f.clock.passed(c.end) {
		verb = " ended on "
	}
	return verb + lastDay(c.end, f.zone)
}

// begun is a name at the beginning of a sentence.
func begun(name string) string {
	first, size := utf8.DecodeRuneInString(name)
	return string(unicode.ToUpper(first)) + name[size:]
}
