package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/kaphub/kaphub/cmd/internal/console"
	"github.com/kaphub/kaphub/config"
	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/exchange"
	"github.com/kaphub/kaphub/fhir/readiness"
)

// The headings under which the sections of the settings are listed.
const (
	groupPractice   = "The practice"
	groupPrescriber = "What each prescriber agreed to"
	groupRules      = "The rules"
)

// sections are all that can be set from the console, without their values. What is not among them is changed in the file:
// where the hub keeps its records, and by which key.
func sections(c *config.Config) []console.Section {
	all := []console.Section{practiceSection(), addressSection(), noticesSection(), schedulesSection()}
	for i := range c.Prescribers {
		all = append(all, sheetSection(c, i), prescriberSection(c, i))
	}
	all = append(all, rulesSection("rules", "rules", "Settings of the rules", "They count with every prescriber, unless something else is written for one."), watchSection())
	for i := range c.Prescribers {
		p := &c.Prescribers[i]
		title := cmp.Or(p.Title, p.Name)
		all = append(all, rulesSection("rules-"+p.Name, fmt.Sprintf("prescribers[%d].rules", i), "Settings of the rules with "+title, "They count with "+title+" alone, and go before those for every prescriber."))
	}
	return append(all, sourceSections(c)...)
}

func practiceSection() console.Section {
	return console.Section{Key: "practice", Title: "Practice", Group: groupPractice, Lead: "Who you are, and how your clients are reached.", Fields: []console.Field{
		{Path: "hub.name", Label: "Name of the practice", Kind: console.KindText},
		{Path: "practice.title", Label: "Name as others read it", Hint: "On packets and pages. Left empty: the name above.", Kind: console.KindText},
		{Path: "hub.time_zone", Label: "Time zone", Hint: "Choose from the list, or write another like Europe/Berlin.", Kind: console.KindText, Options: zones()},
		{Path: "practice.contact", Label: "Address and phone", Hint: "One line each. It stands on what you send to prescribers; the first phone number is what therapists are told to call.", Kind: console.KindLines},
		{Path: "practice.identifiers", Label: "Numbers of the practice", Hint: "Such as its NPI.", Kind: console.KindRows, Columns: identifierColumns()},
		{Path: "practice.client_ways", Label: "How you reach your clients", Hint: "Where a client asked to be reached in another way, the hub tells you.", Kind: console.KindMany,
			Options: options("phone", "phone", "sms", "text message", "email", "e-mail", "fax", "fax", "url", "a portal", "other", "another way")},
		{Path: "practice.credentials", Label: "What must be current on the day of a session", Hint: "Licence, certificate, insurance, agreements; for each the last day on which it is good.", Kind: console.KindRows,
			Answers: sheetAnswers(), Columns: []console.Column{{Key: "name", Label: "What"}, {Key: "until", Label: "Good until", Hint: "2027-01-31"}}},
		{Path: "practice.stale_after", Label: "How old your own records may be", Hint: "Like 26h. Left empty: one business day.", Kind: console.KindText, Usual: "one business day"},
		{Path: "practice.quiet_hours", Label: "Quiet hours", Hint: "Nothing is asked of your own servers then. Like 22:00-06:00, one a line.", Kind: console.KindLines},
		{Path: "hub.part2_program", Label: "Is this a 42 CFR Part 2 programme?", Hint: "Then the redisclosure notice goes along with what is sent.", Kind: console.KindChoice, Options: yesNo(), Usual: "no"},
	}}
}

func addressSection() console.Section {
	return console.Section{Key: "address", Title: "Address", Group: groupPractice, Owner: true,
		Lead: "How people reach this hub from beyond this machine: by one https address, which a TLS proxy answers for. A mistake here can shut everybody out who is not at this machine; there it is mended in the file.", Fields: []console.Field{
			{Path: "hub.public_url", Label: "Address under which people reach the hub", Hint: "Like https://hub.example.org. Links in mails and invitations begin with it. Left empty: from this machine alone.", Kind: console.KindText},
			{Path: "hub.proxies", Label: "Proxies on other machines", Hint: "Where the TLS proxy asks from, an address or network a line, like 10.0.0.7 or 10.0.0.0/24: who is named here is believed for whom they ask. Left empty: a proxy on this machine.", Kind: console.KindLines},
		}}
}

func noticesSection() console.Section {
	when := "Like 0 7 * * 1-5: minute, hour, day, month, weekday."
	return console.Section{Key: "notices", Title: "Notices by mail", Group: groupPractice, Owner: true, Lead: "Who is told by mail that there is something to act on. A mail holds counts and a link, and no client data. The link begins with the hub’s address, which is set under Address.", Fields: []console.Field{
		{Path: "notices", Label: "Is anybody told by mail?", Answers: []console.Option{{Value: "none", Label: "Nobody"}, {Value: console.AnswerSet, Label: "Yes, as written below"}}},
		{Path: "notices.people", Label: "Who", Kind: console.KindRows, Columns: []console.Column{
			{Key: "name", Label: "Short name", Hint: "maya"}, {Key: "email", Label: "E-mail"}, {Key: "roles", Label: "Roles", Hint: "therapist, admin, operator, privacy officer", Kind: console.KindWords},
			{Key: "urgent", Label: "What is urgent", Kind: console.KindChoice, Options: options("", "at once", "through", "at once, written", "waits", "after the quiet hours", "none", "in the digest only")}}},
		{Path: "notices.digest", Label: "When the digest goes out", Hint: when, Kind: console.KindText},
		{Path: "notices.quiet_hours", Label: "Quiet hours", Hint: "A digest waits until they end. Like 20:00-07:00, one a line.", Kind: console.KindLines},
		{Path: "notices.from", Label: "From whom", Hint: "Like Reverie <kaphub@example.org>.", Kind: console.KindText},
		{Path: "notices.smtp.host", Label: "Mail server", Hint: "Its name alone, like smtp.example.org.", Kind: console.KindText},
		{Path: "notices.smtp.port", Label: "Port", Hint: "Left empty: 587 with starttls, 465 with tls.", Kind: console.KindText},
		{Path: "notices.smtp.tls", Label: "Encryption", Kind: console.KindChoice, Options: options("", "", "starttls", "starttls", "tls", "tls from the first byte", "none", "none (this machine only)")},
		{Path: "notices.smtp.user", Label: "User", Kind: console.KindText},
		{Path: "notices.smtp.password_file", Label: "File that holds the password", Hint: "The password itself is set under Secrets.", Kind: console.KindText},
		{Path: "notices.smtp.ca_file", Label: "Certificate file", Hint: "Where no public authority vouches for the server.", Kind: console.KindText},
	}}
}

func schedulesSection() console.Section {
	when := "minute, hour, day, month, weekday. Left empty: by hand only."
	return console.Section{Key: "schedules", Title: "When the hub works", Group: groupPractice, Lead: "In the practice's time zone.", Fields: []console.Field{
		{Path: "schedules.sync", Label: "By day: read, decide and send", Hint: when + " Not more often than every 15 minutes.", Kind: console.KindText},
		{Path: "schedules.night", Label: "At night", Hint: when, Kind: console.KindText},
		{Path: "schedules.sweep", Label: "Read everything once more", Hint: when, Kind: console.KindText},
		{Path: "schedules.report", Label: "The morning's report", Hint: when, Kind: console.KindText},
	}}
}

// sheetSection is what a prescriber agreed to.
func sheetSection(c *config.Config, i int) console.Section {
	p := &c.Prescribers[i]
	at := fmt.Sprintf("prescribers[%d].sheet.", i)
	title := cmp.Or(p.Title, p.Name)
	s := console.Section{Key: "sheet-" + p.Name, Title: "Sheet of " + title, Group: groupPrescriber, Owner: true,
		Lead: "What " + title + " agreed to and signed. Each line is agreed, “none set” (nothing is asked), or “not asked” (it stays unknown, and the board says whom to ask). Nothing here is a suggestion: ask them, then write it down."}
	add := func(f console.Field) {
		f.Path = at + f.Path
		f.Rests = restsOn(strings.TrimPrefix(f.Path, at))
		s.Fields = append(s.Fields, f)
	}
	answers := sheetAnswers()
	switch {
	case !p.Sheet.Signed.IsZero():
		answers[2].Label = "Agreed, signed " + civil(p.Sheet.Signed)
	case !p.Sheet.Published.IsZero():
		answers = append(answers, console.Option{Value: answerPublished, Label: "As their pages say, not agreed yet"})
	}
	line := func(key, label, hint string, kind console.Kind, more ...console.Option) {
		add(console.Field{Path: key, Label: label, Hint: hint, Kind: kind, Answers: answers, Options: more})
	}
	add(console.Field{Path: "signed", Label: "Signed on", Hint: "The day on which they agreed, like 2026-01-10.", Kind: console.KindText})
	add(console.Field{Path: "published", Label: "Read on their public pages on", Hint: "For what is not signed.", Kind: console.KindText})
	add(console.Field{Path: "deciders", Label: "Who may clear", Hint: "The clinicians who sign clearances, each with their own NPI: ask the prescriber for the list. A clearance counts once its signer stands here; you can add them later.",
		Kind: console.KindRows, Columns: slices.Insert(identifierColumns(), 1, console.Column{Key: "name", Label: "Name"})})
	line("clearance_validity", "A clearance without an end is good for", "Like 90 days.", console.KindText)
	line("follow_up", "A follow-up is due after", "Counted from the last decision or follow-up. Like 90 days.", console.KindText)
	line("dose_interval", "Between dosing sessions, at least", "Like 5 days.", console.KindText)
	line("session_cap", "Dosing sessions in any 7 days, at most", "A number.", console.KindText)
	line("systolic_limit", "Systolic limit before a session", "Like 140 mmHg.", console.KindText)
	line("diastolic_limit", "Diastolic limit before a session", "Like 90 mmHg.", console.KindText)
	line("heart_rate_limit", "Heart rate limit before a session", "Like 100 bpm.", console.KindText)
	line("preparations", "Preparation sessions before the first dose", "A number.", console.KindText)
	line("office_only", "Only in the therapist's office?", "", console.KindChoice, options("", "choose", "true", "yes", "false", "no, sessions at home are agreed")...)
	line("states_not_served", "States that are not served", "Two letters each, like AK, AL.", console.KindWords)
	line("lead_days", "Business days a refill takes", "A number.", console.KindText)
	line("session_facts", "Business days within which they want a session's facts", "A number.", console.KindText)
	add(console.Field{Path: "medicine", Label: "The medicine as a label calls it", Hint: "Where a message does not name it.", Kind: console.KindText})
	add(console.Field{Path: "pharmacies", Label: "Pharmacies", Kind: console.KindRows, Columns: []console.Column{{Key: "name", Label: "Name"}, {Key: "phone", Label: "Phone"},
		{Key: "states", Label: "For clients in", Hint: "CO, UT", Kind: console.KindWords}, {Key: "rest", Label: "And all others?", Kind: console.KindChoice, Options: options("", "no", "true", "yes")}}})
	add(console.Field{Path: "hours", Label: "Opening hours", Hint: "Like Mon-Fri 09:00-17:00, one a line.", Kind: console.KindLines, Usual: "Mon-Fri 09:00-17:00"})
	add(console.Field{Path: "time_zone", Label: "Time zone of the hours", Hint: "Left empty: the practice's.", Kind: console.KindText})
	add(console.Field{Path: "holidays", Label: "Holidays", Hint: "Days on which they are closed, like 2026-12-25, one a line.", Kind: console.KindLines})
	add(console.Field{Path: "phone", Label: "Phone", Kind: console.KindText})
	add(console.Field{Path: "weekend_phone", Label: "Phone at weekends", Kind: console.KindText})
	s.Fields = append(s.Fields, askSigned(at, p.Sheet.Signed, p.Sheet.Published)...)
	return s
}

// prescriberSection is what else is known of a prescriber.
func prescriberSection(c *config.Config, i int) console.Section {
	p := &c.Prescribers[i]
	at, title := fmt.Sprintf("prescribers[%d].", i), cmp.Or(p.Title, p.Name)
	s := console.Section{Key: ofPrescriber + p.Name, Title: title, Group: groupPrescriber, Owner: true, Lead: "How " + title + " is named and reached.",
		Facts: []console.Fact{{Name: "Name for ever", Value: p.Name}},
		Fields: []console.Field{
			{Path: "title", Label: "Name as shown", Kind: console.KindText},
			{Path: "identifiers", Label: "How referrals and releases name them", Hint: "Whoever else a release names is a stranger to the hub.", Kind: console.KindRows, Columns: identifierColumns()},
			{Path: "contact", Label: "Address, phone, fax", Hint: "One line each, as on the cover of a packet.", Kind: console.KindLines},
			{Path: "stale_after", Label: "How old their records may be", Hint: "Like 26h.", Kind: console.KindText, Usual: "one business day"},
			{Path: "closed", Label: "The day on which they close", Hint: "Clearances do not outlive it unasked (R16). Left empty: none known.", Kind: console.KindText},
			{Path: "quiet_hours", Label: "Quiet hours", Hint: "Nothing is asked of their servers then, and nothing sent. Like 22:00-06:00, one a line.", Kind: console.KindLines},
			{Path: "withhold", Label: "What they are not told", Hint: "By the clients' wish. Some of " + strings.Join(exchange.Withholdable(), ", ") + ", one a line.", Kind: console.KindLines},
		}}
	for j := range s.Fields {
		s.Fields[j].Path = at + s.Fields[j].Path
	}
	return s
}

// rulesSection are the settings of the rules at a path.
func rulesSection(key, path, title, lead string) console.Section {
	s := console.Section{Key: key, Title: title, Lead: lead + " Left empty, the default counts. Days written plain are business days where the setting says so. They may be stricter than the law, never looser.", Group: groupRules, Owner: true}
	for _, t := range readiness.DefaultRules().Settings() {
		hint := capital(t.Means) + "."
		if t.Unit != "" {
			hint = "In " + t.Unit + ": " + t.Means + "."
		}
		usual := t.Default
		if t.Key == "telehealth_until" {
			usual = "2026-12-31"
		}
		s.Fields = append(s.Fields, console.Field{Path: path + "." + t.Key, Label: capital(strings.ReplaceAll(t.Key, "_", " ")), Hint: hint, Kind: console.KindText, Usual: usual, Rests: namesOf(t.Rules)})
	}
	return s
}

func watchSection() console.Section {
	return console.Section{Key: "watch", Title: "Watch list", Group: groupRules, Owner: true,
		Lead: "What, recorded after a clearance, the prescriber must be asked about (R14).", Fields: []console.Field{
			{Path: "practice.watch_list", Label: "The list", Kind: console.KindRows, Rests: namesOf([]string{"R14"}),
				Answers: []console.Option{{Value: "usual", Label: "The list that comes with the hub"}, {Value: "none", Label: "Nothing is watched for"}, {Value: console.AnswerSet, Label: "Your own, below"}},
				Columns: []console.Column{{Key: "words", Label: "What it is called"}, {Key: "system", Label: "System", Hint: "http://loinc.org"}, {Key: "code", Label: "Code"},
					{Key: "severity", Label: "How urgent", Kind: console.KindChoice, Options: options("", "", "S1", "S1, urgent", "S2", "S2, before the session")},
					{Key: "in", Label: "Where", Hint: strings.Join(fhir.Watchable(), ", "), Kind: console.KindWords},
					{Key: "unless", Label: "But not when it says", Hint: "system and code", Kind: console.KindCodes}}},
		}}
}

func identifierColumns() []console.Column {
	return []console.Column{{Key: "value", Label: "NPI, or other number"}, {Key: "system", Label: "Register", Hint: "empty for an NPI", Kind: console.KindRegister}}
}

func sheetAnswers() []console.Option {
	return []console.Option{{Value: "not asked", Label: "Not asked"}, {Value: "none set", Label: "None set"}, {Value: console.AnswerSet, Label: "Agreed"}}
}

// capital is a text that begins as a sentence does.
func capital(text string) string {
	if text == "" {
		return ""
	}
	return strings.ToUpper(text[:1]) + text[1:]
}

// civil is a day as one reads it.
func civil(d config.Day) string {
	return time.Date(d.Year, d.Month, d.Day, 0, 0, 0, 0, time.UTC).Format("Mon 2 Jan 2006")
}

// zones are the time zones of the United States, as people call them.
func zones() []console.Option {
	return options("America/New_York", "Eastern", "America/Chicago", "Central", "America/Denver", "Mountain", "America/Phoenix", "Mountain, Arizona",
		"America/Los_Angeles", "Pacific", "America/Anchorage", "Alaska", "Pacific/Honolulu", "Hawaii", "America/Puerto_Rico", "Atlantic, Puerto Rico")
}

func yesNo() []console.Option { return options("", "no", "true", "yes") }

// options are values with their labels, in turn.
func options(pairs ...string) []console.Option {
	var all []console.Option
	for pair := range slices.Chunk(pairs, 2) {
		all = append(all, console.Option{Value: pair[0], Label: pair[1]})
	}
	return all
}

// restsOn names the rules that go by a line of the sheet.
func restsOn(key string) []string {
	var codes []string
	for _, r := range readiness.Catalogue() {
		if slices.Contains(r.Sheet, key) {
			codes = append(codes, r.Code)
		}
	}
	return namesOf(codes)
}

func namesOf(codes []string) []string {
	var names []string
	for _, r := range readiness.Catalogue() {
		if slices.Contains(codes, r.Code) {
			names = append(names, r.Code+" "+strings.ReplaceAll(r.Name, "-", " "))
		}
	}
	return names
}
