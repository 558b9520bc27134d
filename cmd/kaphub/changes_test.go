package main

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/kaphub/kaphub/jobs/report"
)

// What changed between two moments is told with what changed it: a record, a setting, a source, or time alone.
func TestWhatChangedAndWhy(t *testing.T) {
	t.Parallel()
	m := newMonth(t)
	mrn := m.world.Clients()[1].MRN // in order, with a session in three days
	step := func(d time.Duration, do func()) (from, to string) {
		from = m.clock.now().Format(time.RFC3339Nano)
		m.clock.forward(d)
		if do != nil {
			do()
		}
		_, err := m.cycle(t.Context(), bars{})
		must(t, err)
		m.clock.forward(time.Second)
		return from, m.clock.now().Format(time.RFC3339Nano)
	}
	_, first := step(time.Minute, nil)
	stopped, _ := step(time.Minute, func() {
		m.types("record", "stop", mrn, "--said", "prescriber", "--from", "Dr. Vale", "--medium", "phone", "--why", "chest pain", "--by", "Tara")
	})
	m.clock.forward(time.Minute)
	afterStop := m.clock.now().Format(time.RFC3339Nano)
	m.clock.forward(time.Minute)
	m.types("record", "lift", mrn, "--said", "prescriber", "--from", "Dr. Vale", "--medium", "phone", "--by", "Tara")
	set := afterStop
	_, afterSet := step(time.Minute, func() {
		m.change("prescribers:\n", "rules: {clearance_warn: 21d}\nprescribers:\n")
		m.change("title: Skylight\n", "title: Skylight PLLC\n")
		m.change("systolic_limit: 140 mmHg", "systolic_limit: not asked")
		m.opens()
	})
	before := m.clock.now().Format(time.RFC3339Nano)
	m.clock.forward(60 * time.Hour) // nobody reads anything
	later := m.clock.now().Format(time.RFC3339Nano)

	for _, c := range []struct {
		name     string
		from, to string
		said     []string
		never    []string
	}{
		{"a stop is entered", stopped, afterStop, []string{"→ HOLD", "The gate hold went from met to blocked: desk-skylight/Flag/", "came, received", "new S1 R15 prescriber-hold", "Records that came between"}, []string{"Settings"}},
		{"the stop is lifted, and settings are others", set, afterSet, []string{"HOLD → IN-ORDER", "resolved S1 R15", "The gate hold went from blocked to met: desk-skylight/Flag/", "changed from version 1 to 2", "skylight rules.clearance_warn: 14d → 21d", "skylight prescriber.title: Skylight → Skylight PLLC", "skylight sheet.systolic_limit: 140 mm[Hg] → not asked", "3 settings changed"}, nil},
		{"nobody reads for two days and a half", before, later, []string{"→ UNKNOWN", "The source ehr was fresh and is stale.", "ehr: fresh → stale", "Records that came between (0)"}, []string{"Settings", "setting changed"}},
		{"nothing happens", before, before, []string{"as before", "Nothing changed that bears on it."}, []string{"Gates", "Findings"}},
		{"from the first moment on", first, later, []string{"Between: ", "HOLD"}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			out := m.types("explain", mrn, "--diff", c.from, c.to)
			t.Logf("\n%s", out)
			for _, word := range c.said {
				if !strings.Contains(out, word) {
					t.Errorf("it does not say %q", word)
				}
			}
			for _, word := range c.never {
				if strings.Contains(out, word) {
					t.Errorf("it says %q", word)
				}
			}
			var read report.Changes
			if err := json.Unmarshal([]byte(m.types("explain", mrn, "--diff", c.from, c.to, "--json")), &read); err != nil || read.Schema != 1 || len(read.Engaged) != 1 {
				t.Errorf("as JSON it is %+v, %v", read, err)
			}
			if again := m.types("explain", mrn, "--diff", c.from, c.to); again != out {
				t.Error("asked again it says otherwise")
			}
		})
	}
	if out := m.types("explain", mrn, "--diff", before, "now"); !strings.Contains(out, "→ UNKNOWN") {
		t.Errorf("up to now: %s", out)
	}
}

func TestAPolicyIsRecalledAsItWas(t *testing.T) {
	for _, p := range load(t, base, nil) {
		text, hash, err := kept(p)
		must(t, err)
		back, err := recalled(text, hash)
		must(t, err)
		back.Terms = p.Terms // of which the hashes are kept
		again, same, err := kept(back)
		must(t, err)
		if again != text || same != hash || hash != p.Hash {
			t.Errorf("recalled, the policy of %s is another:\n%s\n%s", p.Prescriber.Name, text, again)
		}
		if back.Zone.String() != p.Zone.String() || len(back.Sheet.Hours.Open) != len(p.Sheet.Hours.Open) || len(back.Sheet.Hours.Holidays) != len(p.Sheet.Hours.Holidays) {
			t.Errorf("its calendar is another: %+v", back.Sheet.Hours)
		}
	}
}
