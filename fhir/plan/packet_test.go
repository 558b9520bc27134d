package plan_test

import (
	"strings"
	"testing"
	"time"

	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/exchange"
	"github.com/kaphub/kaphub/fhir/plan"
	"github.com/kaphub/kaphub/fhir/readiness"
)

// byHand is a world whose prescriber no connector reaches.
func byHand() *world {
	w := newWorld()
	w.policy.Prescriber.Packet, w.policy.Prescriber.Sources = true, nil
	return w.tell(w.PatientHere(), w.Release(), w.Referral())
}

// layOut prints every staged packet, and handOver records that every one was handed over.
func (w *world) layOut() *world { return w.becomes(exchange.Staged, exchange.LaidOut) }

func (w *world) handOver() *world { return w.becomes(exchange.LaidOut, exchange.Delivered) }

func (w *world) becomes(from, to exchange.State) *world {
	w.clock = w.clock.Add(time.Second)
	for i := range w.ledger {
		if e := &w.ledger[i]; e.State == from && e.Why == "" {
			e.State, e.Receipt = to, &exchange.Receipt{At: w.clock}
		}
	}
	return w
}

// recall puts aside what must not be handed over, and answers why.
func (w *world) recall() (whys []string) {
	for i := range w.ledger {
		if e := &w.ledger[i]; e.State == exchange.LaidOut && e.Why == "" {
			if e.Why = plan.Recall(*e, w.chart(), w.verdict, w.policy, w.ledger, w.clock); e.Why != "" {
				whys = append(whys, e.Why)
			}
		}
	}
	return whys
}

func TestOnePacketTellsWholeReferral(t *testing.T) {
	w := byHand()
	w.policy.Part2 = true
	w.tell(w.Dosing(w.clock.AddDate(0, 0, 10)), w.Dosing(w.clock.AddDate(0, 0, -10), set("id", "past")))
	c := w.stage()
	same(t, whats(c), "packet")
	d := c.Stage[0]
	if d.Type != "Bundle" || d.To != w.policy.Prescriber.Name || d.Release == nil || len(d.Rests) != 4 {
		t.Fatalf("%s to %s under %v, rests on %d", d.Type, d.To, d.Release, len(d.Rests))
	}
	b := body(t, d)
	for i, want := range []string{"Patient", "Consent", "ServiceRequest", "Appointment"} {
		if got := at(b, "entry", i, "resource", "resourceType"); got != want {
			t.Errorf("entry %d is %q, want %s", i, got, want)
		}
		url, id := at(b, "entry", i, "fullUrl"), at(b, "entry", i, "resource", "id")
		if id == "" || !strings.HasSuffix(url, "/"+want+"/"+id) {
			t.Errorf("entry %d is %s at %s", i, id, url)
		}
	}
	if at(b, "entry", 4) != "" {
		t.Error("a session that is over was told")
	}
	patient := "Patient/" + at(b, "entry", 0, "resource", "id")
	for i, got := range []string{at(b, "entry", 1, "resource", "patient", "reference"), at(b, "entry", 2, "resource", "subject", "reference"),
		at(b, "entry", 3, "resource", "participant", 0, "actor", "reference")} {
		if got != patient {
			t.Errorf("%d is of %s, not of %s", i+1, got, patient)
		}
	}
	if at(b, "meta", "security", 0, "code") != exchange.LabelPart2 || at(b, "meta", "security", 0, "display") != exchange.Notice {
		t.Error("the redisclosure notice does not go along")
	}
}

func TestWhenAnotherPacketIsDue(t *testing.T) {
	moved := func(w *world) { w.tell(w.PatientHere(set("address.0.city", "Boulder"))) }
	rows := []struct {
		name  string
		world func(w *world)
		want  string
	}{
		{"nothing happened: the one that is staged stays", func(w *world) {}, ""},
		{"the client moved before it was printed: the older one is withdrawn", moved, "packet, withdraw"},
		{"the client moved while it lay there: a new one replaces it", func(w *world) { w.layOut(); moved(w) }, "packet"},
		{"the client moved after it was handed over: one that says it replaces theirs", func(w *world) { w.layOut().handOver(); moved(w) }, "packet again"},
		{"the record was stored anew in the same words", func(w *world) { w.layOut(); w.tell(w.PatientHere(set("meta.versionId", "9"))) }, ""},
		{"the referral became urgent after it was handed over", func(w *world) { w.layOut().handOver(); w.tell(w.Referral(set("priority", "urgent"))) }, "packet again"},
		{"a new release was signed while it lay there: it goes under that one", func(w *world) { w.layOut(); w.tell(w.Release(set("provision.period.end", w.Day(700)))) }, "packet"},
		{"a new release was signed after it was handed over: they have it", func(w *world) {
			w.layOut().handOver()
			w.tell(w.Release(set("provision.period.end", w.Day(700))))
		}, ""},
		{"a session was booked while it lay there: no other packet for that", func(w *world) { w.layOut(); w.tell(w.Dosing(w.clock.AddDate(0, 0, 9))) }, ""},
		{"the release was withdrawn before it was printed", func(w *world) { w.tell(w.Release(set("status", "inactive"))) }, "withdraw"},
		{"the release was withdrawn while it lay there: it is never taken for unsent", func(w *world) { w.layOut(); w.tell(w.Release(set("status", "inactive"))) }, ""},
		{"the prescriber decided", func(w *world) {
			w.tell(w.Prescription(), w.Clearance(fhir.DecisionCleared, w.Day(-1), w.Day(60), set("issued", w.Day(-1)+"T10:00:00Z")))
		}, "withdraw"},
		{"put aside for a lapse that is over: it is printed anew", func(w *world) {
			w.layOut()
			w.ledger[0].Why = "the release has ended or was withdrawn"
		}, "packet"},
		{"it may lie there, nobody knows: nothing before that is settled", func(w *world) { w.becomes(exchange.Staged, exchange.Attempted); moved(w) }, ""},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			w := byHand()
			w.stage()
			row.world(w)
			same(t, whats(w.plan()), row.want)
		})
	}
}

func TestWhyAPacketIsNotHandedOverAnyMore(t *testing.T) {
	rows := []struct {
		name  string
		world func(w *world)
		want  string
	}{
		{"nothing happened", func(w *world) {}, ""},
		{"the release was withdrawn", func(w *world) { w.tell(w.Release(set("status", "inactive"))) }, "ended"},
		{"the release ended", func(w *world) { w.clock = w.clock.AddDate(2, 0, 0) }, "ended|period"},
		{"the referral was revoked", func(w *world) { w.tell(w.Referral(set("status", "revoked"))) }, "no active referral"},
		{"whose records these are is in doubt", func(w *world) {
			w.verdict.Findings = []readiness.Finding{{Code: "R01", Severity: readiness.S1, State: readiness.New}}
		}, "two people"},
		{"a newer one was printed", func(w *world) {
			w.tell(w.PatientHere(set("address.0.city", "Boulder")))
			w.stage()
			w.layOut()
		}, "newer packet"},
		{"a newer one is due and not printed: the older one is still good", func(w *world) {
			w.tell(w.PatientHere(set("address.0.city", "Boulder")))
			w.stage()
		}, ""},
		{"the prescriber decided", func(w *world) {
			w.tell(w.Prescription(), w.Clearance(fhir.DecisionCleared, w.Day(-1), w.Day(60), set("issued", w.Day(-1)+"T10:00:00Z")))
		}, "answered"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			w := byHand()
			w.stage()
			w.layOut()
			row.world(w)
			got := strings.Join(w.recall(), "; ")
			fits := row.want == "" && got == ""
			for _, word := range strings.Split(row.want, "|") {
				fits = fits || word != "" && strings.Contains(got, word)
			}
			if !fits {
				t.Errorf("got %q, want %q", got, row.want)
			}
		})
	}
}

func TestTheCalendarTokenStaysHere(t *testing.T) {
	w := newWorld()
	w.policy.Prescriber.Packet, w.policy.Prescriber.Sources = true, nil
	w.tell(w.PatientHere(set("identifier.-1", map[string]any{"system": fhir.SystemToken, "value": "tok-17"})), w.Release(), w.Referral())
	c := w.stage()
	same(t, whats(c), "packet")
	if strings.Contains(string(c.Stage[0].Body), "tok-17") {
		t.Error("the calendar's token went along")
	}
}
