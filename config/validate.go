package config

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"
)

// Validate answers an *Invalid with everything that is wrong, nil when nothing is. Load has called it already.
func (c *Config) Validate() error { return c.Invalid(c.check()) }

// names become job names, lanes and metric labels.
var nameForm = regexp.MustCompile(`^[a-z][a-z0-9-]{0,31}$`)

func (c *Config) check() []Problem {
	var ps []Problem
	add := func(path, format string, args ...any) { ps = append(ps, c.Problem(path, format, args...)) }

	if c.Hub.Zone.Location() == nil && !c.has("hub.time_zone") {
		add("hub.time_zone", "is missing: write the practice's zone, like America/Denver")
	}
	if _, _, err := net.SplitHostPort(c.Hub.Listen); err != nil {
		add("hub.listen", "%q is no address: write host and port, like 127.0.0.1:8080", c.Hub.Listen)
	}
	if u, err := url.Parse(c.Hub.PublicURL); c.Hub.PublicURL != "" && (err != nil || u.Host == "" || u.Scheme != "https" && (u.Scheme != "http" || !onThisMachine(u.Hostname()))) {
		add("hub.public_url", "must be an https address, like https://hub.example.org")
	}
	if c.Store.DSN.IsZero() {
		add("store.dsn", "is empty: write a file's path, like kaphub.db, or postgres://…")
	}
	if c.Store.Key.IsZero() {
		ps = append(ps, c.keyFile()...)
	}
	if len(c.Practice.Connectors) == 0 && !c.has("practice.connectors") {
		add("practice.connectors", "is missing: the practice needs one, like {name: ehr, kind: fhirrest, base_url: https://…}; write [] where everything is entered at the desk")
	}
	if len(c.Prescribers) == 0 {
		add("prescribers", "is missing: write at least one prescriber")
	}
	ps = append(ps, c.names()...)
	ps = append(ps, c.ids("practice.identifiers", c.Practice.Identifiers)...)
	ps = append(ps, c.codes("practice.referral_codes", c.Practice.ReferralCodes)...)
	ps = append(ps, c.codes("practice.treatment_consents", c.Practice.Consents)...)
	ps = append(ps, c.files("practice.concept_maps", c.Practice.ConceptMaps)...)
	for i, k := range c.Practice.Credentials.Value {
		if k.Name == "" || k.Until.IsZero() {
			add(fmt.Sprintf("practice.credentials[%d]", i), "needs a name and an end: write {name: …, until: 2027-01-31}")
		}
	}
	ps = append(ps, c.watched("practice.watch_list", c.Practice.WatchList)...)
	for i, way := range c.Practice.ClientWays {
		if ways := []string{"phone", "sms", "email", "fax", "url", "other"}; !slices.Contains(ways, way) {
			add(fmt.Sprintf("practice.client_ways[%d]", i), "%q is no way of reaching somebody: write some of %s", way, strings.Join(ways, ", "))
		}
	}
	ps = append(ps, c.rules("rules", c.Rules)...)
	ps = append(ps, c.notices()...)
	for i := range c.Prescribers {
		ps = append(ps, c.prescriber(fmt.Sprintf("prescribers[%d]", i), &c.Prescribers[i])...)
	}
	return ps
}

func (c *Config) prescriber(path string, p *Prescriber) []Problem {
	var ps []Problem
	add := func(path, format string, args ...any) { ps = append(ps, c.Problem(path, format, args...)) }
	if len(p.Identifiers) == 0 {
		add(path+".identifiers", "is missing: write how the practice's records name this prescriber, like {system: http://hl7.org/fhir/sid/us-npi, value: \"1234567893\"}")
	}
	ps = append(ps, c.ids(path+".identifiers", p.Identifiers)...)
	for i, d := range p.Sheet.Deciders {
		if d.System == "" || d.Value == "" {
			add(fmt.Sprintf("%s.sheet.deciders[%d]", path, i), "needs both system and value, and a name if you like: only both together identify")
		}
	}
	ps = append(ps, c.codes(path+".ketamine_codes", p.Ketamine)...)
	ps = append(ps, c.files(path+".concept_maps", p.ConceptMaps)...)
	ps = append(ps, c.rules(path+".rules", p.Rules)...)
	if p.Sheet.Signed.IsZero() && p.Sheet.Published.IsZero() && p.Sheet.agreed() && !c.has(path+".sheet.signed") {
		add(path+".sheet.signed", "is missing: write the date on which the prescriber agreed to the sheet, like 2026-01-10")
	}
	oneOf := func(path, value string, words ...string) {
		if !slices.Contains(words, value) {
			add(path, "%q is none of %s", value, strings.Join(words, ", "))
		}
	}
	if p.TaskDialect != "" {
		oneOf(path+".task_dialect", p.TaskDialect, "any", "cow", "bser", "sdoh", "cdex")
	}
	for i, s := range p.TaskSteps {
		at := fmt.Sprintf("%s.task_steps[%d]", path, i)
		oneOf(at+".from", s.From, taskStates...)
		oneOf(at+".to", s.To, taskStates...)
		oneOf(at+".by", s.By, "placer", "filler", "either")
		oneOf(at+".is", s.Is, "normal", "allowed", "anomalous")
	}
	for i, state := range p.Sheet.StatesNotServed.Value {
		if len(state) != 2 || strings.ToUpper(state) != state {
			add(fmt.Sprintf("%s.sheet.states_not_served[%d]", path, i), "%q is no state: write its two letters, like AK", state)
		}
	}
	ps = append(ps, c.pharmacies(path+".sheet.pharmacies", p.Sheet.Pharmacies)...)
	units := []struct {
		key, unit, like string
		line            Asked[Limit]
	}{
		{"systolic_limit", "mm[Hg]", "140 mmHg", p.Sheet.Systolic},
		{"diastolic_limit", "mm[Hg]", "90 mmHg", p.Sheet.Diastolic},
		{"heart_rate_limit", "/min", "100 bpm", p.Sheet.HeartRate},
	}
	for _, u := range units {
		if unit := u.line.Value.Unit; u.line.Answer == Set && unit != "" && unit != u.unit && (unit != "kPa" || u.unit != "mm[Hg]") {
			add(path+".sheet."+u.key, "has the wrong unit: write it like %s", u.like)
		}
	}
	return ps
}

// taskStates are FHIR's.
var taskStates = []string{"draft", "requested", "received", "accepted", "rejected", "ready", "cancelled", "in-progress", "on-hold", "failed", "completed", "entered-in-error"}

// pharmacies checks that each client has one pharmacy at most.
func (c *Config) pharmacies(path string, list []Pharmacy) []Problem {
	var ps []Problem
	taken, rest := map[string]string{}, ""
	for i, p := range list {
		at := fmt.Sprintf("%s[%d]", path, i)
		if p.Name == "" {
			ps = append(ps, c.Problem(at+".name", "is missing: write the pharmacy's name"))
		}
		if p.Rest && rest != "" {
			ps = append(ps, c.Problem(at+".rest", "is %s's already: one pharmacy at most fills for the rest", rest))
		}
		if p.Rest {
			rest = p.Name
		}
		if !p.Rest && len(p.States) == 0 {
			ps = append(ps, c.Problem(at+".states", "is missing: write the states whose clients it fills for, like [CO, UT], or rest: true"))
		}
		for j, state := range p.States {
			switch {
			case len(state) != 2 || strings.ToUpper(state) != state:
				ps = append(ps, c.Problem(fmt.Sprintf("%s.states[%d]", at, j), "%q is no state: write its two letters, like CO", state))
			case taken[state] != "":
				ps = append(ps, c.Problem(fmt.Sprintf("%s.states[%d]", at, j), "%s is %s's already: one pharmacy at most fills for a state", state, taken[state]))
			}
			taken[state] = p.Name
		}
	}
	return ps
}

// agreed reports whether any line claims that the prescriber said something.
func (s *Sheet) agreed() bool {
	for _, answer := range []Answer{s.ClearanceValidity.Answer, s.FollowUp.Answer, s.DoseInterval.Answer, s.SessionCap.Answer, s.Systolic.Answer, s.Diastolic.Answer,
		s.HeartRate.Answer, s.Preparations.Answer, s.OfficeOnly.Answer, s.StatesNotServed.Answer, s.LeadDays.Answer, s.SessionFacts.Answer} {
		if answer != NotAsked {
			return true
		}
	}
	return len(s.Deciders) > 0
}

// names checks that sources and prescribers can be told apart for ever: the store keeps them.
func (c *Config) names() []Problem {
	var ps []Problem
	seen := map[string]string{}
	name := func(path, name string) {
		switch first, taken := seen[name]; {
		case name == "":
			ps = append(ps, c.Problem(path, "is missing: write a short name in small letters, like skylight"))
		case !nameForm.MatchString(name):
			ps = append(ps, c.Problem(path, "%q is no name: use small letters, digits and hyphens, a letter first", name))
		case taken:
			ps = append(ps, c.Problem(path, "%q is the name of %s already: choose another", name, first))
		default:
			seen[name] = strings.TrimSuffix(path, ".name")
		}
	}
	for _, e := range c.Connectors() {
		if e.Name == "desk" || strings.HasPrefix(e.Name, "desk-") {
			ps = append(ps, c.Problem(e.path+".name", "%q is kept for what people enter by hand, which needs no connector: choose another", e.Name))
			continue
		}
		if e.Name == "roster" {
			ps = append(ps, c.Problem(e.path+".name", "%q is kept for what kaphub import brings in: choose another", e.Name))
			continue
		}
		name(e.path+".name", e.Name)
		if e.Kind == "" {
			ps = append(ps, c.Problem(e.path+".kind", "is missing: write which kind of connector it is, like fhirrest"))
		}
	}
	seen = map[string]string{"practice": "the practice itself", "hub": "the hub itself"}
	for i, p := range c.Prescribers {
		name(fmt.Sprintf("prescribers[%d].name", i), p.Name)
	}
	return ps
}

func (c *Config) keyFile() []Problem {
	info, err := os.Stat(c.Path(c.Store.KeyFile))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return []Problem{c.Problem("store.key_file", "is not there (%s): bring the key this store was made with, or run kaphub init for a new hub", c.Store.KeyFile)}
	case err != nil || !info.Mode().IsRegular():
		return []Problem{c.Problem("store.key_file", "cannot be read (%s): name a file that the hub's user owns", c.Store.KeyFile)}
	case info.Mode().Perm()&0o077 != 0:
		return []Problem{c.Problem("store.key_file", "may be read by others (mode %04o): run chmod 600 %s", info.Mode().Perm(), c.Store.KeyFile)}
	}
	return nil
}

// Builtin begins the name of a code map that comes with the hub.
const Builtin = "builtin:"

var builtins = []string{"bser", "cow"}

func (c *Config) files(path string, names []string) []Problem {
	var ps []Problem
	for i, name := range names {
		if builtin, ok := strings.CutPrefix(name, Builtin); ok {
			if !slices.Contains(builtins, builtin) {
				ps = append(ps, c.Problem(fmt.Sprintf("%s[%d]", path, i), "%s does not come with the hub: write one of %s%s", name, Builtin, strings.Join(builtins, ", "+Builtin)))
			}
			continue
		}
		if info, err := os.Stat(c.Path(name)); err != nil || info.IsDir() {
			ps = append(ps, c.Problem(fmt.Sprintf("%s[%d]", path, i), "%s is not there: write the path of a FHIR ConceptMap, relative to this config", name))
		}
	}
	return ps
}

func (c *Config) ids(path string, ids []ID) []Problem {
	var ps []Problem
	for i, id := range ids {
		if id.System == "" || id.Value == "" {
			ps = append(ps, c.Problem(fmt.Sprintf("%s[%d]", path, i), "needs both system and value: only together they identify"))
		}
	}
	return ps
}

func (c *Config) codes(path string, codes []Code) []Problem {
	var ps []Problem
	for i, code := range codes {
		if code.System == "" || code.Code == "" {
			ps = append(ps, c.Problem(fmt.Sprintf("%s[%d]", path, i), "needs both system and code"))
		}
	}
	return ps
}

// watched checks the rows of the watch list.
func (c *Config) watched(path string, rows []Watched) []Problem {
	var ps []Problem
	for i, r := range rows {
		at := fmt.Sprintf("%s[%d]", path, i)
		if r.System == "" || r.Code == "" || r.Words == "" {
			ps = append(ps, c.Problem(at, "needs system, code and words: write {system: http://loinc.org, code: 82810-3, words: a pregnancy status, severity: S1, in: [Observation]}"))
		}
		if r.Severity != "S1" && r.Severity != "S2" {
			ps = append(ps, c.Problem(at+".severity", "%q is neither S1 nor S2: write S1 for what is urgent, S2 for what must be answered before the session", r.Severity))
		}
		if len(r.In) == 0 {
			ps = append(ps, c.Problem(at+".in", "is missing: write where to look, some of %s", strings.Join(watchable, ", ")))
		}
		for j, typ := range r.In {
			if !slices.Contains(watchable, typ) {
				ps = append(ps, c.Problem(fmt.Sprintf("%s.in[%d]", at, j), "%q is not looked at: write some of %s", typ, strings.Join(watchable, ", ")))
			}
		}
		ps = append(ps, c.codes(at+".unless", r.Unless)...)
	}
	return ps
}

var watchable = []string{"Condition", "MedicationStatement", "Observation", "Encounter"}

// rules refuses settings that would loosen the law: it can be made stricter only.
func (c *Config) rules(path string, r Rules) []Problem {
	var ps []Problem
	within := func(key string, n *int, least, most int, why string) {
		if n != nil && (*n < least || *n > most) {
			ps = append(ps, c.Problem(path+"."+key, "must lie between %d and %d%s", least, most, why))
		}
	}
	within("fill_limit_months", r.FillLimitMonths, 1, 6, ": 21 CFR 1306.22 allows no more")
	within("refill_limit", r.RefillLimit, 0, 5, ": 21 CFR 1306.22 allows no more")
	within("referral_warn", r.ReferralWarn, 1, 60, "")
	within("referral_escalate", r.ReferralEscalate, 1, 60, "")
	within("rebook_wait", r.RebookWait, 1, 60, "")
	within("prescription_wait", r.PrescriptionWait, 1, 60, "")
	within("doses_spare", r.DosesSpare, 0, 60, "")
	within("address_wait", r.AddressWait, 1, 60, "")
	within("refill_lead", r.RefillLead, 0, 60, "")
	within("outcome_worse", r.OutcomeWorse, 0, 27, ": a PHQ-9 has no more")
	within("delivery_tries", r.DeliveryTries, 1, 20, "")
	within("hand_over_wait", r.HandOverWait, 1, 60, "")
	if r.DeliveryWait != nil && (*r.DeliveryWait <= 0 || *r.DeliveryWait > Duration(72*time.Hour)) {
		ps = append(ps, c.Problem(path+".delivery_wait", "must be longer than nothing and no longer than 3d: write it like 6h"))
	}
	longer := func(key string, d *Duration) {
		if d != nil && *d <= 0 {
			ps = append(ps, c.Problem(path+"."+key, "must be longer than nothing: write it like 7d"))
		}
	}
	longer("preparation_wait", r.PreparationWait)
	longer("parcel_wait", r.ParcelWait)
	longer("parcel_urgent", r.ParcelUrgent)
	longer("discard_warn", r.DiscardWarn)
	if r.UnsortedEvent != nil && (*r.UnsortedEvent <= 0 || *r.UnsortedEvent > Duration(90*time.Minute)) {
		ps = append(ps, c.Problem(path+".unsorted_event", "must lie between 1m and 90m: a longer event may be a dosing session"))
	}
	if r.ConditionDue != nil && *r.ConditionDue > Duration(60*24*time.Hour) {
		ps = append(ps, c.Problem(path+".condition_due", "must be no longer than 60d: write it like 5d"))
	}
	if r.CredentialFirst != nil && r.CredentialAgain != nil && *r.CredentialFirst < *r.CredentialAgain || r.CredentialAgain != nil && r.CredentialLast != nil && *r.CredentialAgain < *r.CredentialLast {
		ps = append(ps, c.Problem(path+".credential_again", "must lie between credential_first and credential_last: the first warning is the earliest"))
	}
	if r.Window != nil && *r.Window <= 0 {
		ps = append(ps, c.Problem(path+".window", "must be longer than nothing: write it like 14d"))
	}
	return ps
}

// has reports whether path is written in the file.
func (c *Config) has(path string) bool {
	_, ok := c.marks[path]
	return ok
}

// onThisMachine reports whether host is loopback: a place to practise.
func onThisMachine(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
