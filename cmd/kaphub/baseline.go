package main

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/kaphub/kaphub/cmd/internal/people"
	"github.com/kaphub/kaphub/connectors/desk"
	"github.com/kaphub/kaphub/connectors/folder"
	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/exchange"
)

// baselineColumns are what a baseline may say of a client: who verified it on paper and when, and what stood there. Dates
// are days; of several, with blanks between.
//
//	papers      release_from release_to consents_on referred_on
//	decision    decision (cleared when empty) decided_on decider_npi cleared_to cleared_to_again (typed twice, alone)
//	medicine    prescribed_on (filled_on when empty) filled_on discard_after directions doses_left (in sessions' worth, on verified_on)
//	sessions    preparations sessions (the days on which they took place) follow_up_on
var baselineColumns = []string{"id", "verified_by", "verified_on", "prescriber", "referred_on", "release_from", "release_to", "consents_on",
	"decision", "decided_on", "decider_npi", "cleared_to", "cleared_to_again", "prescribed_on", "filled_on", "discard_after", "directions", "doses_left",
	"preparations", "sessions", "follow_up_on"}

// dayColumns are those that hold days.
var dayColumns = []string{"verified_on", "referred_on", "release_from", "release_to", "consents_on", "decided_on", "cleared_to", "cleared_to_again",
	"prescribed_on", "filled_on", "discard_after", "preparations", "sessions", "follow_up_on"}

// onPaper is the medium of what a baseline says.
const onPaper = "paper"

// verified is one row of a baseline: what somebody saw on paper of one client.
type verified struct {
	line    int
	patient string // in the roster's source
	cells   map[string]string
}

// readBaseline takes the baseline's rows. Those that cannot be taken are refused alone; a client of the roster who has one
// and no referral was referred on paper.
func (in *intake) readBaseline(name string, f folder.Format, h *hub) error {
	body, err := os.ReadFile(name)
	if err != nil {
		return fmt.Errorf("open the baseline: %w", err)
	}
	rows := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(body, []byte("\xEF\xBB\xBF"))))
	rows.TrimLeadingSpace = true
	header, err := rows.Read()
	if err != nil {
		return errors.New("read the baseline: it has no header: kaphub import --columns shows it")
	}
	for i := range header {
		header[i] = strings.ToLower(strings.TrimSpace(header[i]))
		if !slices.Contains(baselineColumns, header[i]) {
			return fmt.Errorf("read the baseline: its column %d is none of %s", i+1, strings.Join(baselineColumns, ","))
		}
	}
	for _, needed := range baselineColumns[:3] {
		if !slices.Contains(header, needed) {
			return fmt.Errorf("read the baseline: its column %s is missing", needed)
		}
	}
	seen := map[string]bool{}
	for {
		row, err := rows.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		line, _ := rows.FieldPos(0)
		v := verified{line: line, cells: map[string]string{}}
		if err == nil {
			for i, cell := range row {
				v.cells[header[i]] = strings.TrimSpace(cell)
			}
			v.patient = folder.PatientID(systemOf(f), v.cells["id"])
			err = v.check(h, seen[v.patient])
		} else {
			err = errors.New("it is no row of the table")
		}
		seen[v.patient] = true
		if err == nil && !in.has(fhir.Ref{Type: "Patient", ID: v.patient}) {
			err = errors.New("id: the roster has no such client, or its row was refused")
		}
		if err != nil {
			in.refused = append(in.refused, fmt.Sprintf("baseline line %d: %s", line, err.Error()))
			continue
		}
		in.verified = append(in.verified, v)
		if err := in.refer(v, f, h); err != nil {
			return err
		}
	}
}

func systemOf(f folder.Format) string {
	if f.System == "" {
		return folder.SystemNumber
	}
	return f.System
}

func (in *intake) has(ref fhir.Ref) bool {
	return slices.ContainsFunc(in.records, func(r fhir.Resource) bool { return r.Ref() == ref })
}

// check looks at a row by itself. Its errors name a column and never a value.
func (v verified) check(h *hub, twice bool) error {
	c := v.cells
	switch {
	case c["id"] == "" || c["verified_by"] == "" || c["verified_on"] == "":
		return errors.New("id, verified_by and verified_on are needed")
	case twice:
		return errors.New("id: the client has a row already")
	case len(h.policies()) > 1 && c["prescriber"] == "" || v.prescriber(h) == "":
		return errors.New("prescriber: name one of the config's")
	case c["cleared_to_again"] != "" && c["cleared_to_again"] != c["cleared_to"]:
		return errors.New("cleared_to_again: it differs from cleared_to")
	}
	today := h.now().In(h.config.Location()).Format(time.DateOnly)
	for _, column := range dayColumns {
		for _, day := range strings.Fields(c[column]) {
			if _, err := time.Parse(time.DateOnly, day); err != nil {
				return fmt.Errorf("%s: write days like 2026-01-31", column)
			}
			ahead := column == "release_to" || column == "discard_after" || strings.HasPrefix(column, "cleared_to")
			if !ahead && day > today {
				return fmt.Errorf("%s: lies in the future", column)
			}
		}
	}
	return nil
}

// prescriber is the one that a row is about, "" when the config has none of that name.
func (v verified) prescriber(h *hub) string {
	named := v.cells["prescriber"]
	for _, p := range h.policies() {
		if named == "" || strings.EqualFold(named, p.Prescriber.Name) || strings.EqualFold(named, p.Prescriber.Title) {
			return p.Prescriber.Name
		}
	}
	return ""
}

// refer adds the referral that the papers tell of, for a client whose roster row has none.
func (in *intake) refer(v verified, f folder.Format, h *hub) error {
	for _, r := range in.records {
		if of, ok := fhir.Subject(r); ok && r.Type == "ServiceRequest" && of.ID == v.patient {
			return nil
		}
	}
	on := v.cells["verified_on"]
	for _, earlier := range []string{v.cells["decided_on"], v.cells["release_from"], v.cells["referred_on"]} {
		if earlier != "" {
			on = earlier
		}
	}
	p := h.policy(v.prescriber(h)).Prescriber
	code := f.Referral
	type object = map[string]any
	body, err := json.Marshal(object{
		"resourceType": "ServiceRequest", "id": folder.ReferralID(v.patient, p.Name, ""), "status": "active", "intent": "order", "authoredOn": on,
		"subject": object{"reference": "Patient/" + v.patient}, "code": object{"coding": []object{{"system": code.System, "code": code.Code}}},
		"performer": []object{{"identifier": object{"system": p.Identifiers[0].System, "value": p.Identifiers[0].Value}, "display": p.Title}},
	})
	if err != nil {
		return fmt.Errorf("write a referral: %w", err)
	}
	r, err := fhir.Parse(body, "ServiceRequest")
	if err != nil {
		return fmt.Errorf("write a referral: %w", err)
	}
	in.records = append(in.records, r)
	return nil
}

// slips are the desk's entries that say what the row says, each by itself; by is whoever verified it, and typed it.
func (v verified) slips(h *hub, client string, by people.Hand) (all [][]exchange.Slip, err error) {
	c, book, zone := v.cells, h.book(v.prescriber(h)), h.config.Location()
	at := func(day string) time.Time {
		t, err := time.ParseInLocation(time.DateOnly, day, zone)
		if err != nil || day == "" {
			return time.Time{}
		}
		return t
	}
	note := func(told string, columns ...string) desk.Note {
		return desk.Note{Entry: v.entry(columns...), Client: client, At: h.now(), Told: at(told), Medium: onPaper}.Signed(desk.Writer(by))
	}
	add := func(what string, slips []exchange.Slip, wrong error) {
		if wrong != nil {
			err = errors.Join(err, fmt.Errorf("%s: %w", what, wrong))
			return
		}
		all = append(all, slips)
	}
	if c["release_from"] != "" || c["consents_on"] != "" {
		p := desk.Papers{Signed: at(c["release_from"]), From: c["release_from"], To: c["release_to"], Release: c["release_from"] != ""}
		if c["consents_on"] != "" {
			p.Consents = h.policy(v.prescriber(h)).Consents
		}
		if p.Signed.IsZero() {
			p.Signed = at(c["consents_on"])
		}
		slips, wrong := book.Papers(note(c["verified_on"], "release_from", "release_to", "consents_on"), p)
		add("release_from", slips, wrong)
	}
	if c["decided_on"] != "" {
		outcome := c["decision"]
		if outcome == "" {
			outcome = fhir.DecisionCleared
		}
		slips, wrong := book.Decide(note(c["decided_on"], "decision", "decided_on", "decider_npi", "cleared_to"),
			desk.Decision{Outcome: outcome, Decider: v.decider(h), ValidTo: c["cleared_to"], Retyped: c["cleared_to_again"] != ""})
		add("decided_on", slips, wrong)
	}
	if c["filled_on"] != "" {
		left, wrong := strconv.ParseFloat(c["doses_left"], 64)
		if wrong != nil {
			return nil, errors.New("doses_left: write how many sessions it is worth, like 4")
		}
		slips, wrong := book.Check(note("", "prescribed_on", "filled_on", "discard_after", "directions", "doses_left"), desk.Label{NameMatches: true,
			FilledOn: c["filled_on"], HandedOn: max(c["filled_on"], c["verified_on"]), // what is taken after the count comes off it
			DiscardAfter: c["discard_after"], Sessions: left, Directions: c["directions"]})
		add("filled_on", slips, cmp.Or(wrong, authored(slips, cmp.Or(c["prescribed_on"], c["filled_on"]))))
	}
	for _, held := range []struct{ column, kind string }{{"preparations", fhir.SessionPreparation}, {"sessions", fhir.SessionDosing}} {
		for _, day := range strings.Fields(c[held.column]) {
			n := note("", held.column)
			n.Entry = v.entry(held.column, day)
			slips, wrong := book.Close(n, desk.After{Kind: held.kind, Start: at(day), Held: true, AsDirected: true, Effects: desk.EffectsNone})
			add(held.column, slips, wrong)
		}
	}
	if c["follow_up_on"] != "" {
		slips, wrong := book.FollowUp(note(c["follow_up_on"], "follow_up_on"), at(c["follow_up_on"]), desk.Person{}, false)
		add("follow_up_on", slips, wrong)
	}
	return all, err
}

// authored dates the prescription that a label check tells of: the statutory months run from there, and not from the import.
func authored(slips []exchange.Slip, on string) error {
	for _, slip := range slips {
		for i, r := range slip.Records {
			if r.Type != "MedicationRequest" {
				continue
			}
			body, err := fhir.Apply(r.Body, fhir.Edit{Path: "authoredOn", Value: on})
			if err != nil {
				return err
			}
			if slip.Records[i], err = fhir.Parse(body, r.Type); err != nil {
				return err
			}
		}
	}
	return nil
}

// decider is who decided: as the row says, else the one whom the sheet names alone.
func (v verified) decider(h *hub) desk.Person {
	sheet := h.sheet(v.prescriber(h))
	for _, d := range sheet.Deciders {
		if v.cells["decider_npi"] == "" && len(sheet.Deciders) == 1 || v.cells["decider_npi"] == d.Value {
			return desk.Person{Name: d.Name, ID: fhir.ID(d.ID())}
		}
	}
	if v.cells["decider_npi"] != "" {
		return desk.Person{ID: fhir.ID{System: fhir.SystemNPI, Value: v.cells["decider_npi"]}}
	}
	return desk.Person{}
}

// entry names what a row says in some columns: the same again when it is imported again.
func (v verified) entry(columns ...string) string {
	text := v.patient
	for _, column := range columns {
		text += "\x00" + column
		if cell, ok := v.cells[column]; ok {
			text += "\x00" + cell
		}
	}
	const letters = "0123456789abcdefghjkmnpqrstvwxyz"
	sum := sha256.Sum256([]byte(text))
	id := make([]byte, 12)
	for i := range id {
		id[i] = letters[sum[i]%32]
	}
	return "e-" + string(id)
}
