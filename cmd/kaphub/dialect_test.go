package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"text/template"
	"time"

	"github.com/kaphub/kaphub/connectors/sandbox"
	"github.com/kaphub/kaphub/fhir/exchange"
	"github.com/kaphub/kaphub/fhir/readiness"
	"github.com/kaphub/kaphub/fhir/store"
)

// between is a hub between a practice and a prescriber on a clock of their own.
type between struct {
	t     *testing.T
	now   time.Time
	world *sandbox.World
	hub   *hub
}

// speaking sets up a world whose sides speak these dialects, and a hub between them.
func speaking(t *testing.T, practice, prescriber sandbox.Dialect, reports bool) *between {
	t.Helper()
	b := &between{t: t, now: time.Date(2026, 3, 3, 16, 0, 0, 0, time.UTC)} // a Tuesday, 9:00 in Denver
	clock := func() time.Time { return b.now }
	var err error
	if b.world, err = sandbox.NewWorld(sandbox.WorldOptions{Now: clock, Seed: 1, Pace: sandbox.Living(time.Minute), Reports: reports}); err != nil {
		t.Fatal(err)
	}
	b.world.Practice.Speak(practice)
	b.world.Prescriber.Speak(prescriber)
	here, there, err := b.world.Serve(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var text bytes.Buffer
	facts := struct{ Practice, Prescriber, NPI, Listen string }{here, there, sandbox.NPI, "127.0.0.1:0"}
	if err := template.Must(template.New("").Parse(demoConfig)).Execute(&text, facts); err != nil {
		t.Fatal(err)
	}
	config := text.String()
	config = strings.ReplaceAll(config, `auth: {kind: none}`, `auth: {kind: none}, limits: {requests_per_second: 10000, burst: 10000}`)
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "kaphub.yaml"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := store.NewKey().Save(filepath.Join(dir, "kaphub.key")); err != nil {
		t.Fatal(err)
	}
	s := &scene{cli: &cli{Config: filepath.Join(dir, "kaphub.yaml")}, in: strings.NewReader(""), out: io.Discard, err: io.Discard, now: clock, log: slog.New(slog.DiscardHandler)}
	if b.hub, err = s.open(t.Context()); err != nil {
		t.Fatal(err)
	}
	b.hub.foreground = true
	t.Cleanup(b.hub.close)
	return b
}

// cycle has the hub go round once. What a source withholds is no failure of the hub's.
func (b *between) cycle() {
	b.t.Helper()
	d, err := b.hub.cycle(b.t.Context(), bars{})
	if err != nil {
		b.t.Fatal(err)
	}
	if err := d.err(); err != nil {
		b.t.Logf("cycle: %v", err)
	}
}

// pass lets so many minutes of the world's life go by.
func (b *between) pass(minutes int) {
	b.t.Helper()
	for range minutes {
		b.now = b.now.Add(time.Minute)
		if err := b.world.Tick(); err != nil {
			b.t.Fatal(err)
		}
	}
}

// board are the verdicts by the practice's number.
func (b *between) board() map[string]readiness.Verdict {
	b.t.Helper()
	in, err := b.hub.view(context.WithoutCancel(b.t.Context()))
	if err != nil {
		b.t.Fatal(err)
	}
	all := map[string]readiness.Verdict{}
	for _, v := range in.Clients {
		for _, id := range v.Identifiers {
			if id.System == sandbox.SystemMRN {
				all[id.Value] = v
			}
		}
	}
	return all
}

func TestEveryDialectCarriesTheWholeLoop(t *testing.T) {
	if testing.Short() {
		t.Skip("the matrix of dialects takes a minute")
	}
	for _, row := range matrix {
		sides := map[string][2]bool{"at the practice": {true, false}, "at the prescriber": {false, true}}
		if row.practice.exact() && row.prescriber.exact() {
			sides = map[string][2]bool{"at both": {true, true}} // nothing is lost at either: one run tells as much as two
		}
		for where, speak := range sides {
			t.Run(row.name+", "+where, func(t *testing.T) {
				t.Parallel()
				want := row.practice
				if speak[1] {
					want = row.prescriber
				}
				row.run(t, speak, want)
			})
		}
	}
}

// run goes the whole way under one dialect: the board must show every situation as it is, and carry the
// newcomer from the referral to the session. What the dialect makes impossible to tell is expected by name, with the
// reason that the board must give.
func (row dialectRow) run(t *testing.T, speak [2]bool, want expectation) {
	t.Helper()
	var speaks [2]sandbox.Dialect
	for side, on := range speak {
		if on {
			speaks[side] = row.dialect
		}
	}
	b := speaking(t, speaks[0], speaks[1], row.reports)
	b.cycle()
	b.cycle() // what was found by asking is read
	board, clients := b.board(), b.world.Clients()
	for i, c := range clients {
		v, known := board[c.MRN]
		reason, excused := want.unknown[i]
		if excused && reason == "" {
			excused = false // it can be told
		} else if !excused && c.Wants != "HOLD" && c.Wants != "UNKNOWN" {
			reason, excused = want.unknown[everybody]
		}
		switch {
		case want.absent:
			if known {
				t.Errorf("%s is on the board, and could not be found", c.Why)
			}
		case excused && (v.State != readiness.Unknown || !strings.Contains(whatIsUnknown(v), reason)):
			t.Errorf("[%d] %s: %s, %q; want UNKNOWN because %q", i, c.Why, v.State, v.Words, reason)
		case !excused && string(v.State) != c.Wants:
			t.Errorf("[%d] %s: %s, %q; want %s", i, c.Why, v.State, v.Words, c.Wants)
		}
	}
	newcomer := clients[6]
	if want.byHand {
		b.packetFor(board[newcomer.MRN].Client)
	}
	if want.byHand && !b.world.HandOver(newcomer.MRN) {
		t.Error("the newcomer could not be handed over")
	}
	b.pass(25)
	b.cycle()
	b.cycle()
	switch v := b.board()[newcomer.MRN]; {
	case want.absent:
	case want.ends == "" && v.State != readiness.Ready:
		t.Errorf("the newcomer ends %s, %q; want READY", v.State, v.Words)
	case want.ends != "" && (v.State != readiness.Unknown || !strings.Contains(whatIsUnknown(v), want.ends)):
		t.Errorf("the newcomer ends %s, %q; want UNKNOWN because %q", v.State, v.Words, want.ends)
	}
	for _, typ := range []string{"Patient", "ServiceRequest", "Task"} {
		b.once(typ)
	}
}

func TestTheREADMETellsEveryDialect(t *testing.T) {
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range matrix {
		if line := "| " + row.name + " | " + row.does + " |"; !strings.Contains(string(text), line) {
			t.Errorf("the README has no line %s", line)
		}
	}
}

// whatIsUnknown are the reasons why v is unknown.
func whatIsUnknown(v readiness.Verdict) string {
	words := []string{v.Words}
	for _, g := range v.Gates {
		if g.State == readiness.Untold {
			words = append(words, g.Words)
		}
	}
	return strings.Join(words, "\n")
}

// once fails if the prescriber has two records with one business identifier.
func (b *between) once(typ string) {
	b.t.Helper()
	seen := map[string]bool{}
	for _, body := range b.world.Prescriber.All(typ) {
		var r struct {
			Identifier []struct{ System, Value string }
		}
		if err := json.Unmarshal(body, &r); err != nil {
			b.t.Fatal(err)
		}
		for _, id := range r.Identifier {
			key := id.System + "|" + id.Value
			if seen[key] {
				b.t.Errorf("two of %s carry %s", typ, key)
			}
			seen[key] = true
		}
	}
}

// packetFor fails unless a packet is ready for a person to hand over.
func (b *between) packetFor(client string) {
	b.t.Helper()
	staged, err := b.hub.store.Deliveries(b.t.Context(), exchange.Staged)
	if err != nil {
		b.t.Fatal(err)
	}
	if !slices.ContainsFunc(staged, func(e exchange.Entry) bool { return e.Client == client && e.What == exchange.WhatPacket }) {
		b.t.Errorf("no packet waits to be handed over: %d staged", len(staged))
	}
}

// expectation is how far the board may be from the truth under a dialect. Its zero value is: not at all.
type expectation struct {
	unknown map[int]string // by situation, or everybody but who is stopped: why it cannot be told; "" = it can
	ends    string         // why the newcomer's readiness cannot be told in the end; "" = READY
	byHand  bool           // the newcomer's referral is handed over by a person
	absent  bool           // nobody can be found: the board is empty, and check says what to do
}

const everybody = -1

// exact reports whether the board is to be right in everything.
func (e expectation) exact() bool {
	return len(e.unknown) == 0 && e.ends == "" && !e.byHand && !e.absent
}

// dialectRow is one dialect.
type dialectRow struct {
	name                 string
	does                 string // what the hub does under it, for the README
	dialect              sandbox.Dialect
	reports              bool // the prescriber decides in DiagnosticReports
	practice, prescriber expectation
}

var (
	neverRead = func(source string) expectation {
		return expectation{unknown: map[int]string{everybody: source + " was never read completely"}, ends: source + " was never read completely"}
	}
	untimed = "gives its records no time"
)

// The situations that the matrix names, by their place in the sandbox's list.
const (
	theReady          = 0
	theUnprescribed   = 2
	theReferredToday  = 6
	theTomorrow       = 7 // booked without a decision; the evaluation is tomorrow
	theReleaseOver    = 9 // the release ended: they may not be asked whether they know the client
	theUnacknowledged = 10
	theTaken          = 11 // two lozenges, both taken
	theFollowUp       = 12
	theDeclined       = 14
	theConsentGone    = 17 // the consent to treatment
	theMoved          = 21
)

var matrix = []dialectRow{
	{name: "plain R4", does: "reads what changed, conditional creates"},
	{name: "decisions as DiagnosticReports", does: "a conclusionCode is a decision", reports: true},
	{name: "no _lastUpdated", does: "reads client by client; whom the prescriber knows is found by identifier before anything is written", dialect: sandbox.Dialect{NoLastUpdated: true}},
	{name: "_lastUpdated of some types only", does: "reads what changed of these, client by client of the others",
		dialect: sandbox.Dialect{NoLastUpdatedOf: []string{"Task", "MedicationRequest", "MedicationDispense", "ServiceRequest", "Practitioner"}}},
	{name: "_lastUpdated takes gt only", does: "asks with gt from a second before", dialect: sandbox.Dialect{Prefixes: []string{"gt"}}},
	{name: "_lastUpdated takes le only", does: "reads client by client", dialect: sandbox.Dialect{Prefixes: []string{"le"}}},
	{name: "searches need a patient", does: "learned from the refusal: reads client by client; at a practice nobody new is found", dialect: sandbox.Dialect{PatientRequired: true},
		practice: expectation{absent: true}},
	{name: "_sort is ignored", does: "noticed by asking the other way round: follows the links", dialect: sandbox.Dialect{Sort: sandbox.SortIgnored, PageCap: 7}},
	{name: "_sort is refused", does: "learned from the refusal: follows the links", dialect: sandbox.Dialect{Sort: sandbox.SortRefused, PageCap: 7}},
	{name: "_count is ignored", does: "takes the pages as they come", dialect: sandbox.Dialect{PageSize: 5}},
	{name: "next links relative to the base", does: "completes them", dialect: sandbox.Dialect{Links: sandbox.LinksOfType, Sort: sandbox.SortIgnored, PageCap: 9}},
	{name: "next links that are a query only", does: "completes them", dialect: sandbox.Dialect{Links: sandbox.LinksQuery, Sort: sandbox.SortIgnored, PageCap: 9}},
	{name: "pages repeat rows", does: "drops repeats by hash", dialect: sandbox.Dialect{Repeats: true, Sort: sandbox.SortIgnored, PageCap: 9}},
	{name: "totals are estimated", does: "asks for the count where pages do not add up", dialect: sandbox.Dialect{Total: sandbox.TotalEstimated, PageCap: 9}},
	{name: "no totals", does: "reads to the last link", dialect: sandbox.Dialect{Total: sandbox.TotalAbsent, PageCap: 9}},
	{name: "no version ids", does: "versions by meta.lastUpdated, else by hash", dialect: sandbox.Dialect{NoVersions: true}},
	{name: "no meta.lastUpdated", does: "versions by id and hash; whether a record is older than a go-ahead cannot be told when it is first heard of after it",
		dialect:    sandbox.Dialect{NoUpdated: true},
		practice:   expectation{unknown: map[int]string{theReady: untimed, theMoved: untimed}, ends: untimed},
		prescriber: expectation{unknown: map[int]string{theReady: untimed}, ends: untimed}},
	{name: "tells no clock", does: "the watermark is the newest row", dialect: sandbox.Dialect{NoClock: true}},
	{name: "answers are escaped", does: "reads them as what they mean", dialect: sandbox.Dialect{Escaped: true}},
	{name: "unknown parameters are passed over", does: "counts only rows that fit", dialect: sandbox.Dialect{Lenient: true}},
	{name: "If-Match answered by 409", does: "reads again, decides again", dialect: sandbox.Dialect{IfMatch: sandbox.IfMatch409}},
	{name: "If-Match ignored", does: "reads before and after; a lost update is told", dialect: sandbox.Dialect{IfMatch: sandbox.IfMatchIgnored}},
	{name: "If-None-Exist and If-Match ignored, though stated", does: "looks by identifier before every write", dialect: sandbox.Dialect{IfMatch: sandbox.IfMatchIgnored, NoConditionalCreate: true, Overstates: true}},
	{name: "no conditional create", does: "looks by identifier before every write", dialect: sandbox.Dialect{NoConditionalCreate: true}},
	{name: "neither conditional create nor identifier search", does: "writes once; a lost reply is settled by a person", dialect: sandbox.Dialect{NoConditionalCreate: true, NoIdentifierSearch: true}},
	{name: "rows show two minutes late", does: "the overlap finds them", dialect: sandbox.Dialect{LateFor: 2 * time.Minute}},
	{name: "rows are withheld", does: "the read is not complete: nobody rises", dialect: sandbox.Dialect{Withhold: []string{"Observation"}},
		practice: neverRead("ehr"), prescriber: neverRead("skylight")},
	{name: "no Task", does: "the ServiceRequest goes alone; acknowledged is what is decided", dialect: sandbox.Dialect{Missing: []string{"Task"}},
		prescriber: expectation{unknown: map[int]string{theReferredToday: becomes, theTomorrow: becomes, theUnacknowledged: becomes, theDeclined: becomes}}},
	{name: "no Consent", does: "to the prescriber the referral goes without a copy of the release; at the practice papers are entered at the desk", dialect: sandbox.Dialect{Missing: []string{"Consent"}},
		practice: expectation{unknown: map[int]string{everybody: "does not tell of releases", theConsentGone: "does not tell of releases"}, ends: "does not tell of releases"}},
	{name: "no ServiceRequest", does: "the referral is handed over by a person", dialect: sandbox.Dialect{Missing: []string{"ServiceRequest"}},
		practice:   expectation{ends: ofReferrals, unknown: map[int]string{theReferredToday: ofReferrals, theTomorrow: ofReferrals, theUnacknowledged: ofReferrals, theDeclined: ofReferrals}},
		prescriber: expectation{byHand: true}},
	{name: "no MedicationDispense", does: "a delivery that arrived is one dose at least; else the label check", dialect: sandbox.Dialect{Missing: []string{"MedicationDispense"}},
		prescriber: expectation{unknown: map[int]string{theTaken: "how many sessions it is worth is not on file"}}},
	{name: "no Appointment", does: "evaluations by their decision; a practice adds a calendar feed", dialect: sandbox.Dialect{Missing: []string{"Appointment"}},
		practice:   expectation{unknown: map[int]string{everybody: "does not tell of sessions"}, ends: "does not tell of sessions"},
		prescriber: expectation{unknown: map[int]string{theFollowUp: "does not tell of follow-ups"}}},
	{name: "nothing can be written", does: "asks whether they know the client; the referral is handed over by a person; nothing is copied home", prescriber: expectation{byHand: true},
		dialect: sandbox.Dialect{NoWrites: []string{"Patient", "Consent", "ServiceRequest", "Task", "Observation", "MedicationRequest", "MedicationDispense"}}},
	{name: "thin US Core", does: "clearance and prescription arrive; the label check tells that the medicine is there", dialect: sandbox.ThinUSCore(),
		practice: expectation{absent: true}, prescriber: thin},
	{name: "thin US Core, decisions as DiagnosticReports", does: "the same", dialect: sandbox.ThinUSCore(), reports: true,
		practice: expectation{absent: true}, prescriber: thin},
}

const (
	becomes     = "does not tell what becomes of a referral"
	ofReferrals = "does not tell of referrals"
)

var thin = expectation{byHand: true, ends: "does not tell what was dispensed", unknown: map[int]string{
	everybody:       "does not tell what was dispensed",
	theUnprescribed: "", theReferredToday: "", theTomorrow: "", theReleaseOver: "", theUnacknowledged: "", theDeclined: "",
}}
