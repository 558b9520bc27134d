package readiness_test

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	lives "github.com/kaphub/kaphub/fhir/life"
	"github.com/kaphub/kaphub/fhir/readiness"
)

// broken names, in the environment, the rule or gate that a run of the tests is to break.
const broken = "KAPHUB_BROKEN"

func TestMain(m *testing.M) {
	if what := os.Getenv(broken); what != "" {
		breakIt(what)
	}
	os.Exit(m.Run())
}

// breakIt breaks a rule, by its code, or a gate, by its name.
func breakIt(what string) (mend func()) {
	for _, r := range readiness.Catalogue() {
		if r.Code == what {
			return readiness.Without(what)
		}
	}
	return readiness.AlwaysMet(readiness.GateName(what))
}

// bySimulator lives on with what broken, up to so many client-days, and says what was found and after how many.
func bySimulator(what string, days int) string {
	defer breakIt(what)()
	see := newSeen()
	for seed := uint64(1); see.days < days; seed++ {
		l := lives.Live(seed)
		if why := judgeLife(l, see); why != "" {
			return fmt.Sprintf("%s after %d client-days", failure(why), see.days+l.Days)
		}
	}
	return ""
}

// byTables runs the tests that state situations, with what broken, and names the first that fails.
func byTables(t *testing.T, what string) string {
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^Test", "-test.failfast", "-test.short",
		"-test.skip=Life|^TestReadyIsReady$|^TestAVerdictIsConstant|^TestTheOrderOfArrival|^TestWhileAReadIsIncomplete|Mutat")
	cmd.Env = append(os.Environ(), broken+"="+what)
	out, err := cmd.CombinedOutput()
	if err == nil {
		return ""
	}
	for line := range strings.Lines(string(out)) {
		if _, name, ok := strings.Cut(line, "--- FAIL: "); ok {
			name, _, _ = strings.Cut(name, " (")
			return name
		}
	}
	return strings.TrimSpace(string(out))
}

// Each rule and each gate is broken on purpose: the rule finds nothing, the gate is always met. The simulator or a table
// must notice, else nothing would notice a mistake there.
func TestEveryMutationIsNoticed(t *testing.T) {
	if os.Getenv("KAPHUB_CLIENT_DAYS") == "" {
		t.Skip("takes its time: make simulate")
	}
	var all []string
	for _, r := range readiness.Catalogue() {
		all = append(all, r.Code)
	}
	for _, g := range readiness.Gates() {
		all = append(all, string(g))
	}
	for _, what := range all {
		simulator, table := bySimulator(what, 3_000), byTables(t, what)
		t.Logf("%-16s simulator: %-60s tables: %s", what, or(simulator), or(table))
		if simulator == "" && table == "" {
			t.Errorf("%s can be broken and nothing notices", what)
		}
	}
}

func or(s string) string {
	if s == "" {
		return "–"
	}
	return s
}
