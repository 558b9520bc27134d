package report

import (
	"bytes"
	"encoding/csv"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/exchange"
)

func letterOf(t *testing.T, in AccountingInput) string {
	t.Helper()
	var b bytes.Buffer
	if err := NewAccounting(in).HTML(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// accountingSeed is one of every certainty, and what must not be in it.
func accountingSeed() AccountingInput {
	denver, _ := time.LoadLocation("America/Denver")
	start := time.Date(2026, 3, 2, 16, 0, 0, 0, time.UTC)
	release := fhir.Basis{Source: "ehr", Party: fhir.Practice, Type: "Consent", ID: "c1", Version: 2}
	n := 0
	sent := func(to string, what exchange.What, body string, states ...any) exchange.Recorded {
		n++
		r := exchange.Recorded{Entry: exchange.Entry{Delivery: exchange.Delivery{ID: strings.Repeat(string(rune('a'+n)), 16), To: to, What: what, Body: []byte(body), Release: &release}}}
		attempts := 0
		for i := 0; i < len(states); i++ {
			s := exchange.Step{At: start.Add(time.Duration(24*n)*time.Hour + time.Duration(i)*time.Minute), State: states[i].(exchange.State)}
			if s.State == exchange.Attempted && (i == 0 || states[i-1] != any(exchange.Attempted)) {
				attempts++
			}
			s.Attempts = attempts
			if i+1 < len(states) {
				if receipt, ok := states[i+1].(exchange.Receipt); ok {
					receipt.At = s.At
					s.Receipt = &receipt
					i++
				}
			}
			r.Steps = append(r.Steps, s)
			r.State, r.Receipt, r.Last = s.State, s.Receipt, s.At
		}
		return r
	}
	const patient = `{"resourceType":"Patient","name":[{"family":"Example"}],"birthDate":"1990-01-01","telecom":[{"value":"1"}]}`
	const request = `{"resourceType":"ServiceRequest","reasonCode":[{"text":"x"}]}`
	staged, tried := exchange.Staged, exchange.Attempted
	return AccountingInput{
		Generated: start.AddDate(0, 2, 0), From: SixYears(start.AddDate(0, 2, 0)), To: start.AddDate(0, 2, 0), Known: start.AddDate(0, 0, -7), Practice: "Reverie",
		Client: "c-7f3a", Chosen: "Juniper <b>Example</b>", Zone: denver,
		Recipients: map[string]Recipient{"skylight": {"Skylight Psychedelics", "1 Made Up Street, Boulder CO", "NPI 1234567893"}},
		Permits:    map[fhir.Basis]Permit{release: {From: "2026-01-01", To: "2026-12-31", Came: start}},
		Sent: []exchange.Recorded{
			sent("skylight", exchange.WhatPatient, patient, staged, tried, exchange.Delivered, exchange.Receipt{Outcome: exchange.OutcomeCreated}),
			sent("skylight", exchange.WhatReferral, request, staged, tried, tried, tried, exchange.Unknown, exchange.Receipt{Outcome: exchange.OutcomeUnknown}),
			sent("skylight", exchange.WhatReferral, request, staged, tried, exchange.Refused, exchange.Receipt{Outcome: exchange.OutcomeRefused}),
			sent("skylight", exchange.WhatReferral, request, staged, tried, exchange.Unknown, exchange.Receipt{Outcome: exchange.OutcomeUnknown}, staged, exchange.Receipt{Outcome: exchange.OutcomeNotThere, By: "Robin"}),
			sent("skylight", exchange.WhatPacket, `{"resourceType":"Bundle","entry":[{"resource":`+patient+`},{"resource":`+request+`}]}`,
				staged, tried, exchange.LaidOut, exchange.Receipt{Outcome: exchange.OutcomeLaidOut}, exchange.Delivered, exchange.Receipt{Outcome: exchange.OutcomeHandedOver, By: "Robin", To: "Dr. Test"}),
			sent("skylight", exchange.WhatPatient, patient, staged, exchange.Withdrawn),
			sent(fhir.Practice, exchange.WhatClearance, `{"resourceType":"Observation"}`, staged, tried, exchange.Delivered, exchange.Receipt{Outcome: exchange.OutcomeCreated}),
		},
		Told: []exchange.Telling{
			{ID: "t-1", Recipient: "=HYPERLINK(\"x\")", At: start.AddDate(0, 0, 20), How: "phone", What: "mistaken", Purpose: "safety", By: "Robin", Corrected: true},
			{ID: "t-2", Recipient: "=HYPERLINK(\"x\")", At: start.AddDate(0, 0, 20), How: "phone", What: "@that you felt unwell", Purpose: "Your safety", By: "Robin"},
			{ID: "t-3", Party: "skylight", At: start.AddDate(-7, 0, 0), How: "fax", What: "long ago", Purpose: "referral", By: "Robin"},
		},
	}
}

func TestTheAccountingReadsAsItDid(t *testing.T) {
	for file, render := range map[string]func(Accounting, io.Writer) error{
		"accounting.html": Accounting.HTML, "accounting.csv": Accounting.CSV, "accounting.json": Accounting.JSON,
		"accounting.txt": func(a Accounting, w io.Writer) error { return a.Text(w, Options{Width: 90}) },
	} {
		var got bytes.Buffer
		if err := render(NewAccounting(accountingSeed()), &got); err != nil {
			t.Fatal(err)
		}
		golden := filepath.Join("testdata", file)
		if *update {
			if err := os.WriteFile(golden, got.Bytes(), 0o644); err != nil { //nolint:gosec // test data
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got.Bytes(), want) {
			t.Errorf("%s changed; look at the difference and run with -update if it is meant:\n%s", file, got.String())
		}
	}
}

func TestWhatAnAccountingHolds(t *testing.T) {
	a := NewAccounting(accountingSeed())
	var certain []string
	for _, d := range a.Lines {
		certain = append(certain, string(d.Certainty))
	}
	if got := strings.Join(certain, ", "); got != "received, may, turned down, said not, handed over, received" {
		t.Errorf("it holds %s", got)
	}
	page := letterOf(t, accountingSeed())
	for _, never := range []string{"<b>Example", "mistaken", "long ago", "<script", "http://", "https://"} {
		if strings.Contains(page, never) {
			t.Errorf("the page holds %q", never)
		}
	}
	var b bytes.Buffer
	if err := a.CSV(&b); err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(&b).ReadAll()
	if err != nil || len(rows) != 8 {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	for _, row := range rows {
		for _, cell := range row {
			if cell != "" && strings.ContainsAny(cell[:1], "=+-@") {
				t.Errorf("a spreadsheet would run %q", cell)
			}
		}
	}
}

// A list that asks for six years of a hub that began last week knows of a week, and says so in every form.
func TestAnAccountingClaimsNoMoreThanIsKnown(t *testing.T) {
	in := accountingSeed()
	in.Sent, in.Told = nil, nil
	for form, render := range map[string]func(Accounting, io.Writer) error{"html": Accounting.HTML, "csv": Accounting.CSV, "json": Accounting.JSON,
		"text": func(a Accounting, w io.Writer) error { return a.Text(w, Options{Width: 400}) }} {
		var b bytes.Buffer
		if err := render(NewAccounting(in), &b); err != nil {
			t.Fatal(err)
		}
		if got := b.String(); !strings.Contains(got, "since 23 February 2026, when the hub began to keep records") || !strings.Contains(got, "told earlier, or in another way, is not listed") || strings.Contains(got, "Nothing was told") {
			t.Errorf("%s says %s", form, got)
		}
	}
}
