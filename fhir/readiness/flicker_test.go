package readiness_test

import (
	"cmp"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/fhirtest"
	"github.com/kaphub/kaphub/fhir/readiness"
)

// troubled is a life in which more goes wrong than in lived: referrals twice, evaluations missed, parcels on their way,
// deliveries that fail, people who may be somebody else.
func troubled(t *rapid.T) *life { return troubledBefore(t, now) }

// troubledBefore is a life in which it had gone wrong before a time.
func troubledBefore(t *rapid.T, then time.Time) *life {
	l := blameless()
	l.now = then
	c := l.course
	id := func() fhirtestEdit { return fhirtest.Set("id", fmt.Sprintf("trouble-%d", len(l.versions))) }
	for range rapid.IntRange(0, 5).Draw(t, "troubles") {
		c.On(then.Add(-time.Duration(rapid.IntRange(0, 20*24*60).Draw(t, "minutes ago")) * time.Minute))
		var v fhir.Version
		switch what := rapid.SampledFrom([]string{"referral", "evaluation", "parcel", "namesake", "elsewhere", "fill", "other"}).Draw(t, "trouble"); what {
		case "referral":
			v = c.Referral(id(), fhirtest.Set("identifier", nil), fhirtest.Set("authoredOn", c.At.Format(time.RFC3339)))
		case "evaluation":
			v = c.Evaluation(id(), fhirtest.Set("status", rapid.SampledFrom([]string{"noshow", "cancelled", "booked"}).Draw(t, "evaluation")))
		case "parcel":
			v = c.Fulfilment(rapid.SampledFrom([]string{fhir.FulfilmentShipped, fhir.FulfilmentAddress}).Draw(t, "parcel"))
		case "namesake":
			v = c.PatientThere(id(), fhirtest.Set("birthDate", "1971-02-03"))
		case "elsewhere":
			v = c.PatientHere(id(), fhirtest.Set("birthDate", "1971-02-03"))
		case "fill":
			v = c.Dispense(id())
		default:
			l.happen(t)
			continue
		}
		l.note("%s at %s", v.Key, c.At.Format(time.RFC3339))
		l.versions = append(l.versions, v)
	}
	l.suffer(t)
	return l
}

// named are the ids of v by what each finding is and rests on.
func named(v readiness.Verdict) map[string][]string {
	out := map[string][]string{}
	for _, f := range unordered(v).Findings {
		out[f.Code+fmt.Sprint(f.Because)] = append(out[f.Code+fmt.Sprint(f.Because)], f.ID)
	}
	for _, ids := range out {
		slices.Sort(ids)
	}
	return out
}

// While nothing moves, a finding that rests on the same records has the same id, whenever it is judged.
func TestAFindingKeepsItsIdWhileTimePasses(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := troubled(t)
		before := named(l.assess())
		l.now = l.now.Add(time.Duration(rapid.IntRange(1, 10*24*60).Draw(t, "minutes later")) * time.Minute)
		after := named(l.assess())
		for what, ids := range before {
			if later, ok := after[what]; ok && len(later) == len(ids) && !slices.Equal(ids, later) {
				t.Fatalf("%s was %v and is %v\n%v", what, ids, later, l.story)
			}
		}
	})
}

// One id is one finding; and what may touch many says by which key it is one row (rules.md).
func TestNoTwoFindingsShareAnId(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := troubled(t)
		seen := map[string]string{}
		for _, f := range l.assess().Findings {
			if other, twice := seen[f.ID]; twice {
				t.Fatalf("%s and %s share an id\n%v", f.Words, other, l.story)
			}
			seen[f.ID] = f.Words
			if many := slices.Contains([]string{"R11", "R33", "R34", "R44", "R46", "R47"}, f.Code); many && f.RollUp == "" {
				t.Fatalf("%s touches many, and has no key by which it is one row", f.Code)
			}
		}
	})
}

// Judged twice at one moment, nothing changes, neither in what is found nor in its life.
func TestJudgingTwiceChangesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := troubled(t)
		chart := l.chart()
		first := l.assess().After(readiness.Verdict{}, &chart, &l.policy, l.now)
		l.happen(t)
		chart = l.chart()
		once := l.assess().After(first, &chart, &l.policy, l.now)
		twice := l.assess().After(once, &chart, &l.policy, l.now)
		if !reflect.DeepEqual(once, twice) {
			t.Fatalf("once %+v\ntwice %+v\n%v", once.Findings, twice.Findings, l.story)
		}
	})
}

// In whichever order the hub hears of things, it finds the same.
func TestFindingsDoNotDependOnTheOrderOfVersions(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := troubled(t)
		l.sources = fhirtest.Sources(now)
		l.versions = slices.DeleteFunc(l.versions, func(v fhir.Version) bool { return v.Gone })
		seen := map[string]bool{}
		l.versions = slices.DeleteFunc(l.versions, func(v fhir.Version) bool { // two versions of one instant have no order
			k := v.String() + v.Recorded().String()
			again := seen[k]
			seen[k] = true
			return again
		})
		before := unordered(l.assess()).Findings
		l.versions = rapid.Permutation(l.versions).Draw(t, "order")
		for i := range l.versions {
			l.versions[i].Moment = fhir.Moment(i + 1)
		}
		after := unordered(l.assess()).Findings
		if a, b := briefly(before), briefly(after); a != b {
			t.Fatalf("%s\n%s\n%v", a, b, l.story)
		}
	})
}

func briefly(list []readiness.Finding) string {
	var out []string
	for _, f := range list {
		out = append(out, f.Code+" "+f.ID+" "+string(f.Severity)+" under "+f.Under)
	}
	slices.Sort(out)
	return strings.Join(out, "\n")
}

// A record that has nothing to do with it changes no finding.
func TestFindingsAreNotMovedByUnrelatedRecords(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := troubled(t)
		before := briefly(l.assess().Findings)
		c := l.course
		c.On(now.AddDate(0, 0, -rapid.IntRange(50, 300).Draw(t, "days ago")))
		unrelated := c.HeartRate(64, fhirtest.Set("id", "unrelated"), fhirtest.Set("code", map[string]any{"coding": []any{map[string]any{"system": "https://example.org/unrelated", "code": "shoe-size"}}}))
		l.versions = slices.Insert(l.versions, rapid.IntRange(0, len(l.versions)).Draw(t, "where"), unrelated)
		if after := briefly(l.assess().Findings); after != before {
			t.Fatalf("before\n%s\nafter\n%s\n%v", before, after, l.story)
		}
	})
}

// comesBack are the rules whose findings may end and come back while time alone passes, and why their tables say so.
var comesBack = map[string]string{
	"R44": "a source must have been read today when the session is today",
}

// While nothing but time moves, what was found stays found until it ends, and does not come back.
func TestNothingFlickersWhileTimePasses(t *testing.T) {
	seen := 0
	rapid.Check(t, func(t *rapid.T) {
		// What a record tells of the future may well end a finding for a while: all of them are of before.
		l := troubledBefore(t, now.AddDate(0, 0, -rapid.IntRange(0, 3).Draw(t, "days before")))
		there, gone, code := map[string]bool{}, map[string]time.Time{}, map[string]string{}
		for end := l.now.AddDate(0, 0, 45); l.now.Before(end); {
			for i := range l.sources {
				l.sources[i].LastComplete = l.now // read all the time, and there is no news
			}
			v := l.assess()
			is := map[string]bool{}
			for _, f := range v.Findings {
				is[f.ID], code[f.ID] = true, f.Code+" "+f.Words
				if at, ended := gone[f.ID]; ended && comesBack[f.Code] == "" {
					t.Fatalf("%s %q was gone since %s and is back at %s\n%v", f.Code, f.Words, at, l.now, l.story)
				}
			}
			for id := range maps.Keys(there) {
				if !is[id] {
					gone[id] = l.now
					seen++
				}
			}
			there = is
			l.now = v.Until
		}
	})
	if seen == 0 {
		t.Error("chance never made a finding that time ends: the property says nothing")
	}
}

// A finding is named by records and kinds, never by a time or by words that may change: the second argument of found is made
// of literals, keys, names and codes alone.
func TestFindingsAreNamedByRecordsAlone(t *testing.T) {
	files, err := filepath.Glob("rules_*.go")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		set := token.NewFileSet()
		file, err := parser.ParseFile(set, name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, decl := range file.Decls {
			body, ok := decl.(*ast.FuncDecl)
			if !ok || body.Body == nil {
				continue
			}
			assigned := map[string][]ast.Expr{}
			ast.Inspect(body.Body, func(x ast.Node) bool {
				if a, ok := x.(*ast.AssignStmt); ok && len(a.Lhs) == len(a.Rhs) {
					for i := range a.Lhs {
						if id, ok := a.Lhs[i].(*ast.Ident); ok {
							assigned[id.Name] = append(assigned[id.Name], a.Rhs[i])
						}
					}
				}
				return true
			})
			ast.Inspect(body.Body, func(x ast.Node) bool {
				call, ok := x.(*ast.CallExpr)
				if !ok || len(call.Args) < 4 {
					return true
				}
				if id, ok := call.Fun.(*ast.Ident); ok && id.Name == "found" {
					n++
					about := []ast.Expr{call.Args[1]}
					if id, ok := call.Args[1].(*ast.Ident); ok {
						about = assigned[id.Name] // none: it was handed in, by a caller that is looked at by eye
					}
					for _, e := range about {
						if wrong := changing(e); wrong != "" {
							t.Errorf("%s: a finding is named by %s", set.Position(call.Pos()), wrong)
						}
					}
				}
				return true
			})
		}
	}
	if n < 40 {
		t.Errorf("only %d findings were looked at", n)
	}
}

// changing is what in e may change while the facts do not; "" when nothing may.
func changing(e ast.Expr) (wrong string) {
	ast.Inspect(e, func(x ast.Node) bool {
		switch x := x.(type) {
		case *ast.CallExpr:
			name := ""
			switch f := x.Fun.(type) {
			case *ast.SelectorExpr:
				name = f.Sel.Name
			case *ast.Ident:
				name = f.Name
			}
			if !slices.Contains([]string{"String", "name", "about", "Code", "unless"}, name) {
				wrong = cmp.Or(wrong, "a call of "+name)
			}
		case *ast.SelectorExpr:
			if slices.Contains([]string{"words", "Words", "when", "at", "since", "start", "end", "issued", "Received", "display", "Display"}, x.Sel.Name) {
				wrong = cmp.Or(wrong, "the field "+x.Sel.Name)
			}
		}
		return true
	})
	return wrong
}
