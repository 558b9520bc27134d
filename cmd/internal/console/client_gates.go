package console

import (
	"cmp"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/kaphub/kaphub/connectors/desk"
	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/readiness"
	"github.com/kaphub/kaphub/jobs/report"
)

// engagement is the client with one prescriber.
type engagement struct {
	Prescriber, Title string
	State             readiness.State
	Words             string
	Owner, Takes      readiness.Owner
	Next              string
	Door              *link     // to where it is done
	Session           time.Time // zero: none is booked
	Therapist         string
	Judged, Until     time.Time
	Gates             []gateRow
	Met, Asked        int
	Account           []figureRow
	Open, Over        []report.Finding
}

// gateRow is one gate as the checklist shows it.
type gateRow struct {
	Name, Title, Sign, State, Class string
	Words                           string
	Owner, Takes                    readiness.Owner
	Next                            string
	Since, Due                      time.Time
	Agreed                          string
	Rests                           []side
	Form                            formLink // which answers it; none: there is no such form, or it is not the visitor's
}

// side is what one party's records say of a gate.
type side struct {
	Title   string
	Records []recordRow
}

// recordRow is a version that a gate rests on.
type recordRow struct {
	report.Record
	Name  string // "ehr/Consent/c1"
	Known bool   // what it says is at hand
	Apart bool   // it says more than the visitor sees
}

// gateTitles are the gates in words.
var gateTitles = map[readiness.GateName]string{
	readiness.GateIdentity: "Identity", readiness.GateRelease: "Release of information", readiness.GateReferral: "Referral", readiness.GateEvaluation: "Evaluation",
	readiness.GateClearance: "Clearance", readiness.GateHold: "No hold, no open event", readiness.GatePrescription: "Prescription", readiness.GateMedicine: "Medicine in hand",
	readiness.GateInstructions: "Directions acknowledged", readiness.GateConsents: "Consents signed", readiness.GatePreparation: "Preparation", readiness.GateFollowUp: "Follow-up",
	readiness.GateInterval: "Time between sessions", readiness.GateSetting: "Setting and state", readiness.GateCredentials: "Credentials",
	readiness.GateVitals: "Blood pressure and heart rate", readiness.GateRide: "Ride home", readiness.GateFasting: "Fasting", readiness.GateLocation: "Location",
	readiness.GateNewInformation: "Anything new", readiness.GateGoAhead: "Go-ahead",
}

// gateStates are how a gate stands: a sign, a word, and a name for the stylesheet.
var gateStates = map[readiness.GateState][3]string{
	readiness.Met: {"✓", "in order", "met"}, readiness.Open: {"○", "open", "open"}, readiness.Blocked: {"✕", "stopped", "blocked"},
	readiness.Untold: {"?", "cannot tell", "untold"}, readiness.NotDue: {"–", "not due yet", "notdue"},
}

func (v *visit) engagement(in report.Input, verdict readiness.Verdict, records *report.Records) engagement {
	e := engagement{Prescriber: verdict.Prescriber, Title: cmp.Or(in.Titles[verdict.Prescriber], verdict.Prescriber), State: verdict.State, Words: verdict.Words,
		Owner: verdict.Owner, Takes: verdict.Takes, Next: verdict.Next, Door: doorOf(v.who, verdict.Next, verdict.Client), Judged: verdict.Judged, Until: verdict.Until}
	if a := verdict.Appointment; a != nil {
		e.Session, e.Therapist = a.Start, a.Therapist
	}
	for _, g := range verdict.Gates {
		e.Gates = append(e.Gates, v.gateRow(g, records))
		if e.Asked++; g.State == readiness.Met {
			e.Met++
		}
	}
	e.Account = figureRows(in, verdict.Account)
	week := in.AsOf.AddDate(0, 0, -7)
	for _, f := range report.FindingsOf(in, verdict) {
		switch {
		case f.State != readiness.Resolved:
			e.Open = append(e.Open, f)
		case f.Resolved.After(week):
			e.Over = append(e.Over, f)
		}
	}
	return e
}

// gateForms are the desk's forms by which a gate is answered.
var gateForms = map[readiness.GateName]string{
	readiness.GateRelease: desk.KindPapers, readiness.GateConsents: desk.KindPapers, readiness.GateEvaluation: desk.KindDecision, readiness.GateClearance: desk.KindDecision,
	readiness.GateFollowUp: desk.KindDecision, readiness.GateHold: desk.KindLift, readiness.GatePrescription: desk.KindLabel, readiness.GateMedicine: desk.KindLabel,
	readiness.GatePreparation: desk.KindAfter,
}

// answeredBy is the desk's form that answers what a gate waits for, where it is the visitor's to enter. A stop that was not entered
// at a desk is lifted where it stands.
func (v *visit) answeredBy(g readiness.Gate, prescriber string) (link formLink) {
	i := slices.IndexFunc(deskForms, func(k deskKind) bool { return k.Kind == gateForms[g.Name] })
	if i < 0 || g.State == readiness.Met || g.State == readiness.NotDue || !v.who.Is(deskForms[i].may...) || deskForms[i].near && !v.whole {
		return link
	}
	entered := func(b fhir.Basis) bool { return strings.HasPrefix(b.Source, desk.Source(fhir.Practice)) }
	if g.Name == readiness.GateHold && !slices.ContainsFunc(g.Because, entered) {
		return link
	}
	return formLink{"/clients/" + v.client + "/desk/" + deskForms[i].Kind + "?" + url.Values{"prescriber": {prescriber}}.Encode(), deskForms[i].Name, deskForms[i].Says}
}

func (v *visit) gateRow(g readiness.Gate, records *report.Records) gateRow {
	as := gateStates[g.State]
	if as[0] == "" {
		as = [3]string{"?", string(g.State), "untold"}
	}
	row := gateRow{Name: string(g.Name), Title: cmp.Or(gateTitles[g.Name], string(g.Name)), Sign: as[0], State: as[1], Class: as[2], Words: g.Words, Owner: g.Owner, Takes: g.Takes,
		Next: g.Next, Since: g.Since, Due: g.Due, Agreed: g.Agreed}
	for _, b := range g.Because {
		rec, known := records.Of(b)
		r := v.recordRow(rec, g.Name == readiness.GateIdentity)
		r.Known = known
		i := slices.IndexFunc(row.Rests, func(s side) bool { return s.Title == rec.Title })
		if i < 0 {
			i, row.Rests = len(row.Rests), append(row.Rests, side{Title: rec.Title})
		}
		row.Rests[i].Records = append(row.Rests[i].Records, r)
	}
	return row
}

// recordRow is a record as the visitor may see it. The name that the client's papers bear is shown where it is found out
// who is who, and nowhere else.
func (v *visit) recordRow(rec report.Record, identity bool) recordRow {
	all := len(rec.Says)
	if !v.whole {
		rec.Says = rec.Open()
	}
	row := recordRow{Record: rec, Name: keyOf(rec.Basis), Known: true, Apart: len(rec.Says) < all}
	if !identity {
		row.Says = slices.DeleteFunc(slices.Clone(rec.Says), func(s report.Said) bool { return s.Legal })
	}
	return row
}

func keyOf(b fhir.Basis) string { return b.Source + "/" + b.Type + "/" + b.ID }

// figureRow is one number of the account of sessions' worth.
type figureRow struct {
	Name, Value string
	Unknown     bool
	Lines       []string // how it was found
	From        []readiness.Origin
}

func figureRows(in report.Input, account []readiness.Figure) []figureRow {
	rows := make([]figureRow, 0, len(account))
	for _, g := range account {
		row := figureRow{Name: report.FigureName(g), Value: report.FigureValue(in, g), Unknown: g.Value == "", From: g.From}
		row.Name = strings.ToUpper(row.Name[:1]) + row.Name[1:]
		for _, line := range []string{g.Why, g.Note, g.Agreed} {
			if line != "" {
				row.Lines = append(row.Lines, line)
			}
		}
		rows = append(rows, row)
	}
	return rows
}
