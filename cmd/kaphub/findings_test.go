package main

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/kaphub/kaphub/jobs/report"
)

func (p *place) findings(args ...string) []report.Finding {
	p.t.Helper()
	var doc struct {
		Schema   int
		Findings []report.Finding
	}
	if err := json.Unmarshal([]byte(p.must(0, append([]string{"findings", "list", "--json"}, args...)...).out), &doc); err != nil {
		p.t.Fatal(err)
	}
	if doc.Schema != 1 {
		p.t.Fatalf("schema %d", doc.Schema)
	}
	return doc.Findings
}

// What people do about findings is kept and shown, silences notices and moves no verdict.
func TestPeopleLookAfterFindings(t *testing.T) {
	t.Parallel()
	p := settle(t)
	p.must(0, "sync")
	before := p.must(0, "status", "--json").out
	var urgent, late report.Finding // an S1, and one that is less
	for _, f := range p.findings() {
		switch {
		case f.RollUp != "":
		case f.Severity == "S1" && urgent.ID == "":
			urgent = f
		case f.Severity == "S2" && late.ID == "":
			late = f
		}
	}
	if urgent.ID == "" || late.ID == "" {
		t.Fatal("the world has no S1 or no S2 to look after")
	}

	p.must(0, "findings", "acknowledge", urgent.ID[:8], "--by", "Rosa", "--note", "spoke with them")
	p.must(0, "findings", "assign", urgent.ID, late.ID, "--to", "Dana  Example", "--by", "Rosa")
	silent := p.must(0, "findings", "snooze", late.ID, "--for", "3d", "--reason", "they answer on Thursday", "--by", "Rosa").out
	if !strings.Contains(silent, "silent up to") || !strings.Contains(silent, "stays "+string(late.Client.State)) {
		t.Errorf("snooze says\n%s", silent)
	}
	for _, row := range []struct {
		args []string
		says string
	}{
		{[]string{"snooze", urgent.ID, "--for", "25h", "--reason", "x"}, "an S1 may be snoozed for 24h at most"},
		{[]string{"snooze", late.ID, "--for", "31d", "--reason", "x"}, "an S2 may be snoozed for 30d at most"},
		{[]string{"snooze", late.ID, "--for", "3d", "--reason", " "}, "says why"},
		{[]string{"snooze", late.ID, "--for", "3d"}, "--reason"},
		{[]string{"snooze", late.ID, "--reason", "x"}, "--for"},
		{[]string{"snooze", late.ID, "--until", "2020-01-01", "--reason", "x"}, "ends in the future"},
		{[]string{"snooze", late.ID, "--until", "soon", "--reason", "x"}, "is no time"},
		{[]string{"assign", late.ID, "--to", " "}, "to whom"},
		{[]string{"acknowledge", "zzz"}, "no finding of that id"},
		{[]string{"acknowledge", late.ID, "zzz"}, "no finding of that id"},
	} {
		p.must(1, append([]string{"findings"}, row.args...)...).oneSentence(t, row.says)
	}

	mine := p.findings("--person", "dana example")
	if len(mine) != 2 || mine[0].ID != urgent.ID || mine[0].Acknowledged == nil || mine[1].Snoozed == nil || mine[1].Snoozed.Reason != "they answer on Thursday" {
		t.Errorf("Dana's are %+v", mine)
	}
	for _, f := range p.findings("--severity", "S1") {
		if f.Severity != "S1" {
			t.Errorf("an S1 is asked for, and %s is listed", f.Severity)
		}
	}
	for _, f := range p.findings("--owner", string(late.Owner), "--client", late.Client.Key) {
		if f.Owner != late.Owner || f.Client.Key != late.Client.Key {
			t.Errorf("listed is %+v", f)
		}
	}
	for _, view := range [][]string{{"findings"}, {"findings", "show", late.ID[:8]}, {"explain", late.Client.Key}, {"report"}, {"report", "--format", "html"}, {"report", "--format", "json"}, {"report", "--format", "csv"}} {
		if text := p.must(0, view...).out; !strings.Contains(strings.Join(strings.Fields(text), " "), "they answer on Thursday") {
			t.Errorf("%v does not say why it is snoozed:\n%s", view, text)
		}
	}
	if text := p.must(0, "status").out; !strings.Contains(text, "1 finding snoozed") {
		t.Errorf("status does not count what is silent:\n%s", text)
	}
	if after := p.must(0, "status", "--json").out; stateOfEach(t, after) != stateOfEach(t, before) {
		t.Errorf("verdicts moved: %s, before %s", stateOfEach(t, after), stateOfEach(t, before))
	}
	p.must(0, "sync")
	p.must(0, "findings", "release", late.ID, "--by", "Rosa")
	if f := p.findings("--client", late.Client.Key); f[0].Snoozed != nil || f[0].Assigned != nil {
		t.Errorf("released, it is %+v", f[0])
	}
	show := p.must(0, "findings", "show", late.ID).out
	for _, word := range []string{"assigned to Dana Example by Rosa", "snoozed up to", "released by Rosa", "rests on"} {
		if !strings.Contains(show, word) {
			t.Errorf("show does not say %q:\n%s", word, show)
		}
	}
	if log := p.must(0, "audit", "list").out; !strings.Contains(log, "snooze finding") || !strings.Contains(log, "Rosa") || strings.Contains(log, "Thursday") {
		t.Errorf("the audit says\n%s", log)
	}
	p.must(0, "audit", "verify")
}

// stateOfEach is the states of all clients, one after the other.
func stateOfEach(t *testing.T, status string) (out string) {
	t.Helper()
	var doc struct {
		Clients []struct{ Client, State string }
	}
	if err := json.Unmarshal([]byte(status), &doc); err != nil {
		t.Fatal(err)
	}
	for _, c := range doc.Clients {
		out += c.Client + " " + c.State + "\n"
	}
	return out
}
