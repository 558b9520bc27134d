package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/kaphub/kaphub/connectors/folder"
	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/store"
)

const byPaper = `hub: {name: Reverie, time_zone: America/Denver}
store: {dsn: kaphub.db, key_file: kaphub.key}
practice:
  contact: ["Phone (303) 555-0100"]
  connectors:
    - {name: exports, kind: folder, in: in, wait: 1s}
prescribers:
  - name: skylight
    title: Skylight Psychedelics
    identifiers: [{system: "http://hl7.org/fhir/sid/us-npi", value: "1234567893"}]
    connectors: []
    sheet: {signed: 2026-01-10, phone: "(720) 555-0111"}
`

// paper is a practice with a shared directory, and a prescriber whom no connector reaches.
func paper(t *testing.T) *place {
	t.Helper()
	p := &place{t: t, dir: t.TempDir()}
	if err := os.WriteFile(p.path("kaphub.yaml"), []byte(byPaper), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(p.path("in"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := store.NewKey().Save(p.path("kaphub.key")); err != nil {
		t.Fatal(err)
	}
	return p
}

// leave leaves a file in the shared directory, with its marker.
func (p *place) leave(name, text string) {
	p.t.Helper()
	for _, f := range []struct{ name, text string }{{name, text}, {name + ".done", ""}} {
		if err := os.WriteFile(filepath.Join(p.path("in"), f.name), []byte(f.text), 0o600); err != nil {
			p.t.Fatal(err)
		}
	}
}

// release is the client's release to the prescriber.
func (p *place) release(status string) {
	p.leave("papers-"+status+".json", fmt.Sprintf(`{"resourceType":"Consent","id":"rel","status":%q,"scope":{"coding":[{"system":%q,"code":"patient-privacy"}]},
		"category":[{"coding":[{"system":%q,"code":"IDSCL"}]}],"patient":{"reference":"Patient/%s"},"dateTime":%q,
		"policyRule":{"coding":[{"system":%[3]q,"code":"OPTIN"}]},"provision":{"type":"permit","actor":[{"role":{"text":"recipient"},
		"reference":{"identifier":{"system":%[6]q,"value":"1234567893"}}}]}}`,
		status, fhir.SystemConsentScope, fhir.SystemActCode, folder.PatientID(folder.SystemNumber, "17"), time.Now().AddDate(0, 0, -2).Format(time.DateOnly), fhir.SystemNPI))
}

func (p *place) files(dir string) (names []string) {
	entries, _ := os.ReadDir(p.path(dir))
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

func TestAReferralOnPaper(t *testing.T) {
	p := paper(t)
	p.leave("roster.csv", "id,family,given,birth_date,chosen_name,referred_on\n17,Invented,Ada,1988-02-29,Juniper,"+time.Now().AddDate(0, 0, -2).Format(time.DateOnly)+"\n")
	p.run("sync")
	if s := p.run("packet"); s.code != 0 || !strings.Contains(s.out, "No packet is due") {
		t.Fatalf("without a release: %+v", s)
	}
	p.release("active")
	if s := p.run("sync"); !strings.Contains(s.out, "1 packet to be printed") {
		t.Fatalf("%+v", s)
	}
	s := p.run("packet")
	if s.code != 0 || !strings.Contains(s.out, "kaphub deliveries handed-over") {
		t.Fatalf("%+v", s)
	}
	names := p.files("packets")
	if len(names) != 2 || !strings.HasSuffix(names[0], ".bundle.json") || !strings.HasSuffix(names[1], ".html") {
		t.Fatalf("printed: %v", names)
	}
	page, err := os.ReadFile(filepath.Join(p.path("packets"), names[1]))
	if err != nil || !strings.Contains(string(page), "Juniper") || !strings.Contains(string(page), "(720) 555-0111") || !strings.Contains(string(page), "(303) 555-0100") {
		t.Errorf("the page: %v", err)
	}
	id := strings.TrimSuffix(names[1], ".html")
	if s := p.run("deliveries", "list", "--state", "laid-out"); !strings.Contains(s.out, id) {
		t.Errorf("%+v", s)
	}
	if err := os.Remove(filepath.Join(p.path("packets"), names[1])); err != nil {
		t.Fatal(err)
	}
	if s := p.run("packet", id); s.code != 0 || len(p.files("packets")) != 2 {
		t.Errorf("printed once more where it is missing: %+v", s)
	}

	p.release("inactive") // the client withdraws while it lies there
	if s := p.run("sync"); !strings.Contains(s.out, "1 recalled") || strings.Contains(s.out, "by hand") {
		t.Errorf("%+v", s)
	}
	if aside := p.files("packets/withdrawn"); len(aside) != 2 || len(p.files("packets")) != 1 {
		t.Errorf("put aside: %v; left: %v", aside, p.files("packets"))
	}
	if s := p.run("packet", id); s.code == 0 || len(p.files("packets")) != 1 {
		t.Errorf("printed without a release: %+v", s)
	}
	if s := p.run("deliveries"); !strings.Contains(strings.Join(strings.Fields(s.out), " "), "not to be handed over (the release") {
		t.Errorf("%+v", s)
	}
}

// client is the key of the one client.
func client(t *testing.T, p *place) string {
	t.Helper()
	_, rest, _ := strings.Cut(p.run("status", "--json").out, `"client": "`)
	key, _, ok := strings.Cut(rest, `"`)
	if !ok {
		t.Fatal("nobody is on the board")
	}
	return key
}

func TestAPacketHandedOverIsWaitedFor(t *testing.T) {
	p := paper(t)
	p.leave("roster.csv", "id,family,given,birth_date,referred_on\n17,Invented,Ada,1988-02-29,"+time.Now().AddDate(0, 0, -2).Format(time.DateOnly)+"\n")
	p.release("active")
	p.run("sync")
	out := t.TempDir()
	if s := p.run("packet", "--out", out); s.code != 0 || !strings.Contains(s.out, out) {
		t.Fatalf("%+v", s)
	}
	var id string
	for line := range strings.Lines(p.run("deliveries", "list", "--state", "laid-out").out) {
		if strings.Contains(line, "skylight") {
			id = strings.Fields(line)[0]
		}
	}
	if s := p.run("deliveries", "handed-over", id, "--by", "Tara", "--to", "the front desk"); s.code != 0 {
		t.Fatalf("%+v", s)
	}
	p.run("sync")
	if s := p.run("explain", client(t, p)); !strings.Contains(strings.Join(strings.Fields(s.out), " "), "was handed over to Skylight Psychedelics") {
		t.Errorf("%+v", s)
	}
	if s := p.run("packet"); !strings.Contains(s.out, "No packet is due") {
		t.Errorf("another one: %+v", s)
	}
}
