package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kaphub/kaphub/config"
	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/readiness"
)

func TestThePresetOfSkylightIsAWholeConfig(t *testing.T) {
	file := filepath.Join(t.TempDir(), "kaphub.yaml")
	if s := kaphub(t.Context(), nil, "--config", file, "init", "--preset", "skylight"); s.code != 0 {
		t.Fatal(s.err)
	}
	c, err := config.Load(file, nil)
	if err != nil {
		t.Fatal(err)
	}
	if c.Schedules.Sync == "" || c.Practice.Title == "" || len(c.Prescribers) != 1 {
		t.Fatal("what is not the prescriber's is lost")
	}
	all, err := policies(&c, nil)
	if err != nil {
		t.Fatal(err)
	}
	p := all[0]
	sheet := p.Sheet
	if len(p.Prescriber.Sources) != 0 {
		t.Errorf("reached by hand, and yet a source is waited for: %v", p.Prescriber.Sources)
	}
	if len(sheet.Pharmacies) != 3 || len(sheet.StatesNotServed.Value) != 11 || !sheet.OfficeOnly.Value || len(sheet.Deciders) != 0 || sheet.Published.IsZero() || !sheet.Signed.IsZero() {
		t.Errorf("%+v", sheet)
	}
	if sheet.FollowUp.Answer != readiness.NotAsked || sheet.ClearanceValidity.Answer != readiness.NotAsked || sheet.Systolic.Answer != readiness.NotAsked {
		t.Error("what no page says must stay not asked")
	}
	system, words := fhir.Base+"/CodeSystem/skylight-parcel", "waiting for your call"
	code, reading := p.Terms.Code("skylight", &fhir.CodeableConcept{Coding: []fhir.Coding{{System: &system, Code: &words}}}, fhir.SystemFulfilment)
	if reading != fhir.Mapped || code != fhir.FulfilmentAddress {
		t.Errorf("%q is read as %q", words, code)
	}
}

func TestHowSkylightIsReached(t *testing.T) {
	for name, tc := range map[string]struct{ entry, says string }{
		"over what it cannot go":      {`{name: skylight, kind: skylight, over: carrier-pigeon}`, "connectors[0].over"},
		"over nothing":                {`{name: skylight, kind: skylight}`, "connectors[0].over"},
		"another kind goes over none": {`{name: skylight, kind: fhirrest, over: desk, base_url: "http://127.0.0.1:1/fhir", auth: {kind: none}}`, "is for kind skylight only"},
		"over a FHIR server":          {`{name: skylight, kind: skylight, over: fhirrest, base_url: "http://127.0.0.1:1/fhir", auth: {kind: none}}`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "kaphub.yaml")
			if s := kaphub(t.Context(), nil, "--config", file, "init", "--preset", "skylight"); s.code != 0 {
				t.Fatal(s.err)
			}
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			text = []byte(strings.Replace(string(text), "{name: skylight, kind: skylight, over: desk}", tc.entry, 1))
			if err := os.WriteFile(file, text, 0o600); err != nil {
				t.Fatal(err)
			}
			c, err := config.Load(file, nil)
			if err != nil {
				t.Fatal(err)
			}
			s := &scene{cli: &cli{Config: file}, now: time.Now}
			_, problems := connect(&c, s, nil)
			said := slices.ContainsFunc(problems, func(p config.Problem) bool { return strings.Contains(p.Path+" "+p.Text, tc.says) })
			if (tc.says == "") != (len(problems) == 0) || tc.says != "" && !said {
				t.Errorf("%v", problems)
			}
		})
	}
}
