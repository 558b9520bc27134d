package main

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/kaphub/kaphub"

// Who may import whom (design.md section 2), one row a package; "x/..." stands for x and all below it.
// A package without a row fails, and so does a row without a package.
var rows = map[string][]string{
	"config": {},

	"fhir":           {},
	"fhir/fhirtest":  {"fhir"},
	"fhir/life":      {"fhir", "fhir/fhirtest"},
	"fhir/readiness": {"fhir"},
	"fhir/exchange":  {"fhir"},
	"fhir/plan":      {"fhir", "fhir/readiness", "fhir/exchange"},

	"fhir/store":           {"fhir", "fhir/readiness", "fhir/exchange", "fhir/plan", "fhir/store/db"},
	"fhir/store/db":        {},
	"fhir/store/storetest": {},

	"connectors":               {"connectors/jwks", "fhir", "fhir/exchange"},
	"connectors/connectortest": {"connectors", "fhir", "fhir/exchange"},
	"connectors/internal/rest": {"connectors", "connectors/jwks", "fhir/exchange"},
	"connectors/jwks":          {},
	"connectors/fhirrest":      {"connectors", "connectors/internal/rest", "connectors/jwks", "fhir", "fhir/exchange"},
	"connectors/folder":        {"connectors", "fhir", "fhir/exchange"},
	"connectors/ical":          {"connectors", "connectors/internal/rest", "fhir", "fhir/exchange"},
	"connectors/skylight":      {},
	"connectors/desk":          {"connectors", "fhir", "fhir/exchange"},
	"connectors/sandbox":       {"fhir"},
	"connectors/mail":          {"connectors"},
	"connectors/mail/mailtest": {},

	"jobs":           {},
	"jobs/pull":      {"jobs", "connectors", "fhir", "fhir/exchange", "fhir/readiness"},
	"jobs/push":      {"jobs", "connectors", "fhir", "fhir/exchange", "fhir/readiness", "fhir/plan"},
	"jobs/sweep":     {"jobs", "connectors", "fhir", "fhir/exchange", "fhir/readiness"},
	"jobs/reconcile": {"jobs", "fhir", "fhir/readiness", "fhir/exchange", "fhir/plan"},
	"jobs/report":    {"fhir", "fhir/readiness", "fhir/exchange"},
	"jobs/notice":    {"jobs", "jobs/report", "connectors", "fhir", "fhir/exchange", "fhir/readiness"},

	"cmd/internal/people":              {"fhir", "fhir/exchange"},
	"cmd/internal/console":             {"cmd/internal/people", "cmd/internal/entry", "connectors/desk", "jobs", "jobs/report", "fhir", "fhir/exchange", "fhir/readiness", "fhir/plan"},
	"cmd/internal/console/consoletest": {},
	"cmd/internal/entry":               {"connectors/desk", "fhir", "fhir/exchange", "fhir/plan", "fhir/readiness"},
	"cmd/kaphub":                       {"..."},
}

// onlyFromTests are packages that nothing but tests may import, and one another.
var onlyFromTests = []string{"fhir/fhirtest", "fhir/life", "connectors/connectortest", "connectors/mail/mailtest", "fhir/store/storetest", "cmd/internal/console/consoletest"}

// pure packages decide; they see values and now, and nothing of the world.
var pure = map[string][]string{
	"fhir/readiness": {"context", "os", "net", "net/http", "database/sql", "log", "log/slog"},
	"fhir/plan":      {"context", "os", "net", "net/http", "database/sql", "log", "log/slog"},
}

type listed struct {
	ImportPath string
	Imports    []string
}

func TestEveryPackageImportsOnlyWhatItsRowAllows(t *testing.T) {
	packages := list(t)
	seen := map[string]bool{}
	for _, p := range packages {
		name := strings.TrimPrefix(p.ImportPath, module+"/")
		seen[name] = true
		allowed, ok := rows[name]
		if !ok {
			t.Errorf("package %s has no row: say in deps_test.go whom it may import", name)
			continue
		}
		for _, imported := range p.Imports {
			if slices.Contains(pure[name], imported) {
				t.Errorf("%s decides and must stay pure: it imports %s", name, imported)
			}
			ours, ok := strings.CutPrefix(imported, module+"/")
			if !ok {
				continue
			}
			if slices.Contains(onlyFromTests, ours) && !slices.Contains(onlyFromTests, name) {
				t.Errorf("%s imports %s, which is for tests only", name, ours)
			}
			if !slices.Contains(allowed, ours) && !slices.Contains(allowed, "...") {
				t.Errorf("%s may not import %s", name, ours)
			}
			if strings.HasPrefix(ours, "cmd/") && !strings.HasPrefix(name, "cmd/") {
				t.Errorf("%s imports %s: nobody but a command imports cmd", name, ours)
			}
		}
	}
	for name := range rows {
		if !seen[name] {
			t.Errorf("row %s has no package: take it out", name)
		}
	}
}

// list asks the go command for every package of the module and what its non-test files import.
func list(t *testing.T) []listed {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", "list", "-json=ImportPath,Imports", module+"/...").Output()
	if err != nil {
		t.Fatalf("list packages: %v", err)
	}
	var all []listed
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p listed
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatalf("read the package list: %v", err)
		}
		all = append(all, p)
	}
}

func TestDecisionsNeverAskForTheTime(t *testing.T) {
	for name := range pure {
		cmd := exec.CommandContext(t.Context(), "grep", "-rnE", `time\.(Now|Since|Until|After|Sleep|Tick)\b`, "--include=*.go", "--exclude=*_test.go", "../../"+name)
		out, err := cmd.Output()
		if exit, ok := errors.AsType[*exec.ExitError](err); ok && exit.ExitCode() == 1 {
			continue // nothing found
		} else if err != nil {
			t.Fatalf("grep %s: %v", name, err)
		}
		t.Errorf("%s asks for the time; now is an argument:\n%s", name, out)
	}
}
