package console

import (
	"errors"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/kaphub/kaphub/cmd/internal/people"
	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/readiness"
	"github.com/kaphub/kaphub/jobs/report"
)

func TestTheReportIsWhatItsReaderMaySee(t *testing.T) {
	for _, r := range []struct {
		role      people.Role
		has, hasn string
	}{
		{people.Owner, "The clearance of Robin|Skylight stopped Kim|200 mg|A score of Kim", "nothing of this"},
		{people.Admin, "The clearance of Robin|A hold of any prescriber", "200 mg|A score|R38|outcome-worsening"},
		{people.Reader, "The clearance of Robin|200 mg", "A score|R38|outcome-worsening"},
		{people.Privacy, "The clearance of Robin|200 mg", "A score|R38|outcome-worsening"},
		{people.Therapist, "The clearance of Robin|200 mg", "Kim"},
	} {
		for _, path := range []string{"/report", "/report.html", "/report.csv", "/report.json"} {
			w := busy(t)
			a := w.as(r.role).get(path)
			if a.StatusCode != http.StatusOK {
				t.Errorf("%s as %s is answered %d", path, r.role, a.StatusCode)
			}
			for _, words := range strings.Split(r.has, "|") {
				if !strings.Contains(a.body, words) {
					t.Errorf("%s as %s says nothing of %q", path, r.role, words)
				}
			}
			for _, words := range strings.Split(r.hasn, "|") {
				if strings.Contains(a.body, words) {
					t.Errorf("%s as %s says %q", path, r.role, words)
				}
			}
		}
	}
}

// A file is noted when it is taken away, and its name tells of nobody.
func TestAFileIsNotedAndItsNameTellsOfNobody(t *testing.T) {
	for ending, kind := range map[string]string{"html": "text/html; charset=utf-8", "csv": "text/csv; charset=utf-8", "json": "application/json"} {
		w := busy(t)
		a := w.as(people.Admin).get("/report." + ending + "?as-of=@12")
		if a.Header.Get("Content-Type") != kind || a.Header.Get("Content-Disposition") != `attachment; filename="reconciliation-2026-03-03-0900.`+ending+`"` {
			t.Errorf("%s: %v", ending, a.Header)
		}
		if len(w.looks) != 1 || w.looks[0] != "Ann admin|export report as "+ending+"||@12" {
			t.Errorf("%s: noted %q", ending, w.looks)
		}
	}
}

// What is new in a report is new since the one given before it, and one given long ago says what it said then.
func TestWhatIsNewCountsFromTheReportBefore(t *testing.T) {
	w := busy(t)
	g := w.as(people.Owner)
	if a := g.get("/report"); !strings.Contains(a.body, "No report was given before") {
		t.Error("there is a report before the first")
	}
	if a := g.post("/report", form()); len(w.office().given) != 0 || a.Header.Get("Location") != "/report#given" || !strings.Contains(g.get("/report").text(), "tick the box") {
		t.Fatalf("it is given unasked: %d %+v", a.StatusCode, w.office().given)
	}
	a := g.post("/report", form("sure", "yes"))
	if a.StatusCode != http.StatusSeeOther || a.Header.Get("Location") != "/report?as-of=%4077" || len(w.office().given) != 1 || w.office().given[0].By != "Ann owner" {
		t.Fatalf("%d to %s: %+v", a.StatusCode, a.Header.Get("Location"), w.office().given)
	}
	w.view.AsOf = now.Add(24 * time.Hour)
	w.view.Clients[1].Findings[0].Since = now.Add(time.Hour)
	a = g.get("/report")
	_, fresh, _ := strings.Cut(a.body, `id="new"`)
	fresh, _, _ = strings.Cut(fresh, "</section>")
	if !strings.Contains(fresh, "Skylight stopped Kim") || strings.Contains(fresh, "Robin") || !strings.Contains(a.body, `href="/report?as-of=%4077"`) {
		t.Errorf("new: %s", fresh)
	}
}

func TestAReportOfNoMomentIsSaid(t *testing.T) {
	w := busy(t)
	w.lost = &BadMoment{Err: errors.New("this lies in the future")}
	if a := w.as(people.Admin).get("/report?as-of=@999"); a.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(a.body, "This lies in the future") {
		t.Errorf("%d %s", a.StatusCode, a.body)
	}
}

// Few are said to be few; many are drawn; and the numbers stand beside either.
func TestLoopsAreDrawnWhenThereAreEnough(t *testing.T) {
	w := busy(t)
	a := w.as(people.Admin).get("/report")
	if !strings.Contains(a.body, "No referral is on file yet") {
		t.Error("it does not say that nobody was referred")
	}
	w.view.Clients[0].Loop = &readiness.Loop{Sent: now.AddDate(0, 0, -30)}
	a = w.as(people.Admin).get("/report")
	if strings.Contains(a.body, "<svg") || strings.Count(a.body, `data-test-id="too-few"`) != 6 {
		t.Error("nothing is drawn as if it were something")
	}
	for i := range 5 {
		v := verdict("c-"+string(rune('a'+i)), "X", "Dana", now, readiness.Ready)
		v.Loop = &readiness.Loop{Sent: now.AddDate(0, 0, -30), Acknowledged: now.AddDate(0, 0, -29+i), Decided: now.AddDate(0, 0, -9-i)}
		w.view.Clients = append(w.view.Clients, v)
	}
	a = w.as(people.Admin).get("/report")
	if n := strings.Count(a.body, "<svg"); n != 3 { // acknowledged, decided, closed
		t.Errorf("%d are drawn", n)
	}
	for _, words := range []string{"median 3 days, from 24 hours to 5 days, n = 5", "5 of 6 (83 %) answered by now", "<th scope=\"col\">Median</th>"} {
		if !strings.Contains(a.body, words) {
			t.Errorf("it does not say %q", words)
		}
	}
	for _, inline := range []string{" style=", "<style", "onload", "javascript:"} {
		if strings.Contains(a.body, inline) {
			t.Errorf("a drawing has %q in it", inline)
		}
	}
}

// A drawing stays within its frame, however long something took.
func TestADrawingStaysInItsFrame(t *testing.T) {
	f := frame{Now: now, zone: denver}
	for _, days := range []int{0, 1, 9, 70, 4000} {
		in := report.Input{AsOf: now, Zone: denver}
		for range 4 {
			in.Clients = append(in.Clients, readiness.Verdict{Loop: &readiness.Loop{Sent: now.AddDate(0, 0, -days-1), Decided: now.AddDate(0, 0, -1)}})
		}
		for _, c := range f.charts(report.LoopsOf(in)) {
			for _, m := range c.Marks {
				for _, s := range []string{m.Low, m.High, m.Mid, m.Top, m.InTop} {
					if s == "" {
						continue
					}
					if y, err := strconv.ParseFloat(s, 64); err != nil || y < plotTop || y > plotEnd {
						t.Errorf("%s, %d days: at %s", c.Name, days, s)
					}
				}
			}
		}
	}
}

// A client who was a therapist's then, and is another's by now, is not theirs to look at in the past either.
func TestWhoseAClientWasIsNoRightToLook(t *testing.T) {
	for _, r := range []struct {
		name  string
		roles []people.Role
		has   bool
	}{{"their therapist of then", []people.Role{people.Therapist}, false}, {"… who is the owner", []people.Role{people.Therapist, people.Owner}, true}} {
		w := busy(t)
		w.moved = map[string][]fhir.Therapist{"c-robin": {{Name: "Lee"}}}
		for _, path := range []string{"/report?as-of=@3", "/report.csv?as-of=@3"} {
			a := w.as(r.roles...).get(path)
			if a.StatusCode != http.StatusOK || strings.Contains(a.body, "Robin") != r.has {
				t.Errorf("%s: %s is answered %d; says Robin: %v", r.name, path, a.StatusCode, !r.has)
			}
			if told := a.has("left-out") && strings.Contains(a.text(), "1 client who was yours then is not yours now"); told != (!r.has && strings.HasPrefix(path, "/report?")) {
				t.Errorf("%s: %s says that somebody is left out: %v", r.name, path, told)
			}
		}
	}
}

// Whoever treats a client now sees how they stood when they were another's.
func TestWhoseAClientIsNowLooksBack(t *testing.T) {
	w := busy(t)
	for i := range w.view.Clients {
		if c := &w.view.Clients[i]; c.Client == "c-robin" {
			c.Therapists = []fhir.Therapist{{Name: "Lee"}} // then
		}
	}
	w.moved = map[string][]fhir.Therapist{"c-robin": {{Name: "Dana"}}}
	for _, roles := range [][]people.Role{{people.Therapist}, {people.Admin, people.Therapist}} {
		g := w.as(roles...)
		for _, path := range []string{"/report?as-of=@3", "/report.csv?as-of=@3"} {
			if a := g.get(path); a.StatusCode != http.StatusOK || !strings.Contains(a.body, "Robin") || a.has("left-out") {
				t.Errorf("%v: %s is answered %d without Robin, or says that somebody is left out", roles, path, a.StatusCode)
			}
		}
	}
}
