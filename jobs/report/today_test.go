package report

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/kaphub/kaphub/fhir/readiness"
)

// crowded is a board of any mixture, by client and prescriber, and what people did about it.
func crowded(r *rand.Rand, clients int) Input {
	in := Input{Generated: asOf, AsOf: asOf, Practice: "Reverie", Zone: denver, Titles: map[string]string{"skylight": "Skylight", "second": "Second"}}
	codes := []string{"R03", "R04", "R08", "R10", "R11", "R15", "R17", "R19", "R24", "R33", "R38", "R44", "R46", "R52"}
	for n := range clients {
		for _, prescriber := range []string{"second", "skylight"}[r.IntN(2):] {
			v := readiness.Verdict{Client: fmt.Sprintf("c-%04d", n), Prescriber: prescriber, Chosen: fmt.Sprint("Client ", n), State: states[r.IntN(len(states))],
				Until: asOf.Add(time.Duration(r.IntN(48)) * time.Hour), Owner: readiness.Admin, Next: fmt.Sprint("step ", r.IntN(3))}
			if r.IntN(4) > 0 {
				v.Appointment = &readiness.Appointment{Source: "ehr", Type: "Appointment", ID: fmt.Sprint("a", r.IntN(clients)), Start: at(r.IntN(20)-2, 8+r.IntN(9), 0), Therapist: "Dana"}
			}
			for i, name := range []readiness.GateName{readiness.GateReferral, readiness.GateEvaluation, readiness.GateClearance, readiness.GatePrescription, readiness.GateMedicine} {
				v.Gates = append(v.Gates, readiness.Gate{Name: name, State: []readiness.GateState{readiness.Met, readiness.Open, readiness.NotDue}[r.IntN(3)],
					Owner: []readiness.Owner{readiness.Admin, readiness.Prescriber}[r.IntN(2)], Words: "words", Next: fmt.Sprint("step ", i), Since: at(-r.IntN(30), 9, 0)})
			}
			for range r.IntN(5) {
				code := codes[r.IntN(len(codes))]
				f := readiness.Finding{ID: fmt.Sprint("f-", len(in.Clients), "-", len(v.Findings)), Code: code, Severity: readiness.Severity(fmt.Sprint("S", 1+r.IntN(4))),
					State: []readiness.FindingState{readiness.New, readiness.Persisting, readiness.Resolved}[r.IntN(3)], Since: at(-r.IntN(30), 9, 0),
					Owner: readiness.Prescriber, Words: "what " + code, Next: fmt.Sprint("step ", r.IntN(5)), Values: map[string]string{"practice": "here", prescriber: "there"}}
				if f.State == readiness.Resolved {
					f.Resolved = at(0, 7, 0)
				}
				if slices.Contains([]string{"R11", "R33", "R44"}, code) {
					f.RollUp = code + " " + prescriber
				}
				if code == "R46" {
					f.RollUp = fmt.Sprint("undelivered ", r.IntN(clients))
				}
				if r.IntN(4) == 0 {
					f.Under = codes[r.IntN(len(codes))]
				}
				v.Findings = append(v.Findings, f)
				if r.IntN(5) == 0 {
					in.Handlings = append(in.Handlings, readiness.Handling{Finding: f.ID, Client: v.Client, Prescriber: prescriber, Kind: readiness.Snooze, Until: asOf.Add(time.Hour),
						Severity: f.Severity, At: asOf.Add(-time.Hour), Actor: "Kim", Reason: "asked"})
				}
			}
			in.Clients = append(in.Clients, v)
		}
	}
	return in
}

// briefly is in as the first screen has it.
func briefly(in Input) Brief {
	out := Brief{AsOf: in.AsOf, Practice: in.Practice, Zone: in.Zone, Titles: in.Titles, Sources: in.Sources, Handlings: in.Handlings, Strays: in.Strays}
	for _, v := range in.Clients {
		v = Shortened(v)
		out.Clients = append(out.Clients, Shown{&v, GistOf(&v)})
	}
	return out
}

func same[T any](t *testing.T, what string, got Cut[T], want []T, most int) {
	t.Helper()
	if got.More+len(got.Rows) != len(want) || len(got.Rows) > most {
		t.Fatalf("%s: %d rows and %d more of %d", what, len(got.Rows), got.More, len(want))
	}
	for i, row := range got.Rows {
		if !reflect.DeepEqual(row, want[i]) {
			t.Fatalf("%s: row %d is\n%+v\nand the report says\n%+v", what, i, row, want[i])
		}
	}
}

func TestTodayListsWhatTheReportListsInTheSamePlaces(t *testing.T) {
	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, 1)) //nolint:gosec // boards that can be had again
		in := crowded(r, 1+r.IntN(40))
		in.Strays = []Stray{{Source: "calendar", Digest: "1"}, {Source: "calendar", Digest: "2"}}
		whole := Build(in)
		for _, n := range []int{0, 1, 7, 1000} {
			most := Limits{n, n, n, n, n, n}
			is := BuildToday(briefly(in), most, Lens{})
			same(t, "stopped", is.Stopped, whole.Stopped, n)
			same(t, "sessions", is.Sessions, whole.Sessions, n)
			toDo := slices.DeleteFunc(slices.Clone(whole.DoNow), func(f Finding) bool {
				return f.Client.State == readiness.Hold && f.Next == f.Client.Next && f.Owner == f.Client.Owner
			})
			same(t, "do now", is.DoNow, toDo, n)
			same(t, "waiting", is.Waiting, whole.Waiting, n)
			same(t, "strays", is.Strays, whole.Strays, n)
			ahead := slices.Clone(whole.Upcoming) // nobody is cut who must act, for somebody who need not
			slices.SortStableFunc(ahead, func(x, y Session) int {
				return cmp.Compare(slices.Index(states, x.State)/3, slices.Index(states, y.State)/3)
			})
			same(t, "upcoming", is.Upcoming, ahead, n)
			if !reflect.DeepEqual(is.Counts, whole.Counts) {
				t.Fatalf("counts %v, the report says %v", is.Counts, whole.Counts)
			}
			var many []RollUp
			for _, x := range whole.RollUps {
				if x.touched = nil; x.Snoozed == nil && x.Severity <= readiness.S2 {
					many = append(many, x)
				}
			}
			if !reflect.DeepEqual(is.Many, many) {
				t.Fatalf("many\n%+v, the report says\n%+v", is.Many, many)
			}
		}
	}
}

func TestWhatTheReaderMayNotSeeIsNotCounted(t *testing.T) {
	in := crowded(rand.New(rand.NewPCG(3, 1)), 30) //nolint:gosec // a board that can be had again
	all := BuildToday(briefly(in), Limits{DoNow: 3}, Lens{})
	none := BuildToday(briefly(in), Limits{DoNow: 3}, Lens{Hides: func(*readiness.Verdict) bool { return true }})
	confided := 0
	for _, f := range BuildToday(briefly(in), Limits{DoNow: 1000}, Lens{}).DoNow.Rows {
		if readiness.Confided(f.Code) {
			confided++
		}
	}
	if confided == 0 || all.DoNow.More-none.DoNow.More != confided {
		t.Errorf("%d of %d things to do are confided, and %d are told without", confided, 3+all.DoNow.More, 3+none.DoNow.More)
	}
	plain := BuildToday(briefly(in), Limits{Sessions: 5}, Lens{Of: func(v readiness.Verdict) readiness.Verdict { v.Words = "seen"; return v }})
	for _, s := range plain.Sessions.Rows {
		if s.Words != "seen" {
			t.Errorf("%+v", s)
		}
	}
	if len(plain.Sessions.Rows) == 0 {
		t.Error("no session")
	}
}

// What is printed is void when the first of its verdicts may be another.
func TestAPageStandsAsLongAsTheFirstOfItsVerdicts(t *testing.T) {
	v := func(client string, until time.Time) readiness.Verdict {
		return readiness.Verdict{Client: client, State: readiness.Ready, Until: until, Appointment: &readiness.Appointment{ID: client, Start: at(0, 15, 0)}}
	}
	in := briefly(Input{AsOf: asOf, Zone: denver, Clients: []readiness.Verdict{v("a", at(0, 11, 0)), v("b", at(0, 10, 0)), v("gone", at(0, 9, 0))}})
	if is := BuildToday(in, Limits{Sessions: 9}, Lens{}); !is.Until.Equal(at(0, 10, 0)) {
		t.Errorf("it stands to %s", is.Until)
	}
}
