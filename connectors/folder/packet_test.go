package folder

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/kaphub/kaphub/connectors"
	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/exchange"
)

// packet is a delivery whose texts are each of n letters, and a line of them long.
func packet(id string, long int, part2 bool) exchange.Delivery {
	say := func(s string) string { return s + strings.Repeat("x", long) }
	meta := ""
	if part2 {
		meta = `"meta":{"security":[{"code":"` + exchange.LabelPart2 + `"}]},`
	}
	var sessions strings.Builder
	for i := range 3 + long {
		fmt.Fprintf(&sessions, `,{"resource":{"resourceType":"Appointment","id":"a%d","status":"booked","serviceType":[{"coding":[{"system":%q,"code":"dosing"}]}],
			"start":"2026-04-%02dT17:00:00Z","participant":[{"actor":{"reference":"Patient/p"},"status":"accepted"}]}}`, i, fhir.SystemSession, i%28+1)
	}
	body := fmt.Sprintf(`{"resourceType":"Bundle",%s"type":"collection","entry":[
	{"resource":{"resourceType":"Patient","id":"p","identifier":[{"system":%q,"value":"17"},{"system":%q,"value":"c-1"},{"system":%q,"value":"SECRETCOPY"},{"system":%q,"value":"SECRETTOKEN"}],
	 "name":[{"use":"official","family":%q,"given":["Ada"]},{"use":"usual","text":%q}],"birthDate":"1988-02-29",
	 "extension":[{"url":%q,"extension":[{"url":"value","valueCodeableConcept":{"text":"they/them"}}]}],
	 "telecom":[{"system":"phone","value":"(303) 555-0101"},{"system":"sms","value":"(303) 555-0101","rank":1},{"system":"email","value":%q}],
	 "address":[{"line":[%q],"city":"Denver","state":"CO","postalCode":"80202"}]}},
	{"resource":{"resourceType":"Consent","id":"c","status":"active","scope":{"text":"x"},"category":[{"text":"x"}],"dateTime":"2026-02-01T10:00:00Z","provision":{"period":{"start":"2026-02-01","end":"2027-01-31"}}}},
	{"resource":{"resourceType":"ServiceRequest","id":"s","status":"active","intent":"order","priority":"urgent","code":{"coding":[{"system":%q,"code":%q}]},"subject":{"reference":"Patient/p"},
	 "authoredOn":"2026-02-02","requester":{"identifier":{"system":%q,"value":"1987654321"},"display":%q},"reasonCode":[{"coding":[{"code":"F33.2","display":%q}]}],"identifier":[{"system":"urn:r","value":"R-1"}]}}%s]}`,
		meta, SystemNumber, fhir.SystemClient, fhir.SystemCopy, fhir.SystemToken, say("<b>Inv&ented</b>"), say("Juniper"), fhir.ExtensionPronouns, say("j@example.org"), say("1 Main St"),
		fhir.SystemKAP, fhir.CodeEvaluation, fhir.SystemNPI, say("Tara Therapist"), say("depression"), sessions.String())
	return exchange.Delivery{ID: id, What: exchange.WhatPacket, Type: "Bundle", Client: "c-1", Body: []byte(body)}
}

var paper = Stationer{
	From: Contact{"Reverie", []string{"1 Main St, Denver CO 80202", "Phone (303) 555-0100", "hello@reverie.example"}},
	To:   Contact{"Skylight Psychedelics", []string{"Phone (720) 555-0111"}},
	Zone: time.FixedZone("MST", -7*3600),
	Reply: "STATUS: (cleared / cleared-with-conditions / deferred / not-cleared / withdrawn)\nVALID-TO: (a date, or none)\n" +
		"LIMITS: (BP 140/90, HR 100, or none)\nCONDITIONS: (with ; between them, or none)\nSESSIONS: (6 in all, 1 a week, 7 days apart, office, or none)\nDIRECTIONS: (only if they change, word for word)",
}

func newPackets(t *testing.T) (*Packets, string) {
	dir := filepath.Join(t.TempDir(), "out")
	return NewPackets(dir, paper, func() time.Time { return now }), dir
}

const packetID = "1a2b3c4d5e6f7890"

func TestAPacketIsLaidOutOnce(t *testing.T) {
	p, dir := newPackets(t)
	d := packet(packetID, 0, false)
	if _, err := p.Ask(t.Context(), d); !errors.Is(err, exchange.ErrNotFound) {
		t.Errorf("before: %v", err)
	}
	r, err := p.Push(t.Context(), d, false)
	if err != nil || r.Outcome != exchange.OutcomeLaidOut || r.At.IsZero() || r.Ref.ID != "1a2b3c4d5e6f" {
		t.Fatalf("%+v %v", r, err)
	}
	page := filepath.Join(dir, "1a2b3c4d5e6f.html")
	for _, name := range []string{page, filepath.Join(dir, "1a2b3c4d5e6f.bundle.json")} {
		if info, err := os.Stat(name); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%v %v", info, err)
		}
	}
	if err := os.WriteFile(page, []byte("as it was"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, asked := range []bool{false, true} {
		if again, err := p.Push(t.Context(), d, asked); err != nil || again.Outcome != exchange.OutcomeLaidOut || again.Ref != r.Ref {
			t.Errorf("again: %+v %v", again, err)
		}
	}
	if text, _ := os.ReadFile(page); string(text) != "as it was" {
		t.Error("it was printed twice")
	}
	if r, err := p.Ask(t.Context(), d); err != nil || r.Outcome != exchange.OutcomeLaidOut {
		t.Errorf("asked: %+v %v", r, err)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, ".*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestAPacketThatMustNotGoIsPutAsideAndNeverDeleted(t *testing.T) {
	p, dir := newPackets(t)
	d := packet(packetID, 0, false)
	if err := p.Recall(t.Context(), d); !errors.Is(err, exchange.ErrNotFound) {
		t.Errorf("nothing there: %v", err)
	}
	if _, err := p.Push(t.Context(), d, false); err != nil {
		t.Fatal(err)
	}
	for range 2 { // twice does no harm
		if err := p.Recall(t.Context(), d); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"1a2b3c4d5e6f.html", "1a2b3c4d5e6f.bundle.json"} {
		if _, err := os.Stat(filepath.Join(dir, "withdrawn", name)); err != nil {
			t.Error(err)
		}
		if _, err := os.Stat(filepath.Join(dir, name)); err == nil {
			t.Errorf("%s still lies there", name)
		}
	}
	_, err := p.Push(t.Context(), d, true)
	if connectors.FaultOf(err) != connectors.Uncertain {
		t.Errorf("asked for again: %v", err)
	}
}

func TestOnlyPacketsAreLaidOut(t *testing.T) {
	p, dir := newPackets(t)
	other := packet(packetID, 0, false)
	other.What = exchange.WhatTask
	half := packet(packetID, 0, false)
	half.Body = bytes.Replace(half.Body, []byte(`"Consent"`), []byte(`"Flag"`), 1)
	for _, d := range []exchange.Delivery{other, half, {ID: packetID, What: exchange.WhatPacket, Body: []byte("{")}} {
		_, err := p.Push(t.Context(), d, false)
		if connectors.FaultOf(err) != connectors.Refused || connectors.MayHaveArrived(err) || strings.Contains(fmt.Sprint(err), "Ada") {
			t.Errorf("%s: %v", d.What, err)
		}
	}
	if _, err := os.Stat(dir); err == nil {
		t.Error("something was laid out")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := p.Push(ctx, packet(packetID, 0, false), false); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

func TestThePageSaysWhoIsReferredForWhatUnderWhichRelease(t *testing.T) {
	text, err := paper.Page(packet(packetID, 0, true), now)
	if err != nil {
		t.Fatal(err)
	}
	page := string(text)
	for _, want := range []string{"Skylight Psychedelics", "Phone (720) 555-0111", "Reverie", "hello@reverie.example", exchange.Notice,
		"<b>Juniper</b> (they/them)", "Ada &lt;b&gt;Inv&amp;ented&lt;/b&gt;", "1988-02-29", "phone (303) 555-0101", "text message", "1 Main St, Denver, CO 80202",
		"Evaluation and clearance for ketamine-assisted psychotherapy", "<b>urgent</b>", "F33.2 depression", "2026-02-02, by Tara Therapist NPI 1987654321", "R-1",
		"2026-04-01 10:00 dosing", "from 2026-02-01 to 2027-01-31", "CLIENT: c-1", "STATUS:", "VALID-TO:", "LIMITS:", "CONDITIONS:", "DECIDED BY, DATE:", "2026-03-03 09:00 MST"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	for _, never := range []string{"<script", "http://", "https://", "src=", "SECRET"} {
		if strings.Contains(page, never) {
			t.Errorf("the page has %q", never)
		}
	}
	if strings.Index(page, "Juniper") > strings.Index(page, "Inv&amp;ented") {
		t.Error("the legal name stands before the chosen one")
	}
	if plain, err := paper.Page(packet(packetID, 0, false), now); err != nil || strings.Contains(string(plain), exchange.Notice) {
		t.Errorf("a practice that is no Part 2 programme says it is: %v", err)
	}
}

// The page is printed by a browser, on the browser's own paper and on A4, as short and as long as it can get.
func TestThePageIsOnePage(t *testing.T) {
	browser, err := exec.LookPath("chromium")
	if err != nil {
		t.Skip("no chromium here to print with")
	}
	for _, row := range []struct {
		name string
		long int
		a4   bool
	}{{"short, on Letter", 0, false}, {"as long as it gets, on Letter", 250, false}, {"as long as it gets, on A4", 250, true}} {
		t.Run(row.name, func(t *testing.T) {
			wordy := paper
			wordy.From.Lines = strings.Split(strings.TrimSpace(strings.Repeat(strings.Repeat("y", 200)+" ", 9)), " ")
			text, err := wordy.Page(packet(packetID, row.long, true), now)
			if err != nil {
				t.Fatal(err)
			}
			text = bytes.Replace(text, []byte("max-height: 252mm; overflow: hidden;"), nil, 1) // nothing is cut off to make it fit
			if row.a4 {
				text = bytes.Replace(text, []byte("@page {"), []byte("@page { size: A4;"), 1)
			}
			dir := t.TempDir()
			if err := os.WriteFile(filepath.Join(dir, "p.html"), text, 0o600); err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			cmd := exec.CommandContext(ctx, browser, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--no-pdf-header-footer", //nolint:gosec // a browser on a page of ours
				"--user-data-dir="+filepath.Join(dir, "profile"), "--print-to-pdf="+filepath.Join(dir, "p.pdf"), "file://"+filepath.Join(dir, "p.html"))
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Skipf("chromium does not print here: %v: %.200s", err, out)
			}
			pdf, err := os.ReadFile(filepath.Join(dir, "p.pdf"))
			if err != nil {
				t.Fatal(err)
			}
			if n := bytes.Count(pdf, []byte("/Type /Page\n")) + bytes.Count(pdf, []byte("/Type /Page ")); n != 1 {
				t.Errorf("%d pages", n)
			}
		})
	}
}
