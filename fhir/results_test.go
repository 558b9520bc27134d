package fhir_test

import (
	"strings"
	"testing"
	"time"

	"github.com/kaphub/kaphub/fhir"
)

func TestWhatATaskCarriesInsideIsRead(t *testing.T) {
	const observation = `{"resourceType":"Observation","id":"o1","status":"final","code":{"text":"x"},"performer":[{"reference":"#who"}]}`
	const who = `{"resourceType":"Practitioner","id":"who","identifier":[{"system":"http://hl7.org/fhir/sid/us-npi","value":"1245319599"}]}`
	task := func(contained, output string) string {
		return `{"resourceType":"Task","id":"t1","status":"completed","intent":"order","for":{"reference":"Patient/p1"},"contained":[` + contained + `],"output":[{"type":{"text":"result"},` + output + `}]}`
	}
	const leads = `"valueReference":{"reference":"#o1"}`
	for _, row := range []struct {
		name   string
		told   []string // "" = gone
		want   int      // observations in the chart
		now    int      // of these that stand
		unread int
	}{
		{"an output leads to it", []string{task(observation, leads)}, 1, 1, 0},
		{"and again in the next version: its next version", []string{task(observation, leads), task(observation, leads)}, 2, 1, 0},
		{"no output leads to it: it is something else", []string{task(observation, `"valueString":"see inside"`)}, 0, 0, 0},
		{"the next version does not carry it: it is gone", []string{task(observation, leads), task(who, `"valueString":"x"`)}, 2, 0, 0},
		{"no output leads to it any more: it is gone", []string{task(observation, leads), task(observation, `"valueString":"x"`)}, 2, 0, 0},
		{"it is carried again: it is back", []string{task(observation, leads), task(who, `"valueString":"x"`), task(observation, leads)}, 3, 1, 0},
		{"its Task was a mistake: it is gone", []string{task(observation, leads), strings.Replace(task(observation, leads), "completed", "entered-in-error", 1)}, 2, 0, 0},
		{"two of one name: its Task is not read", []string{task(strings.Replace(observation, "final", "preliminary", 1)+","+observation, leads)}, 0, 0, 1},
		{"its Task is gone: it is gone", []string{task(observation, leads), ""}, 2, 0, 0},
		{"it is about the same client", []string{task(strings.Replace(observation, `"status"`, `"subject":{"reference":"Patient/p1"},"status"`, 1), leads)}, 1, 1, 0},
		{"it is about somebody else: its Task is not read", []string{task(strings.Replace(observation, `"status"`, `"subject":{"reference":"Patient/p2"},"status"`, 1), leads)}, 0, 0, 1},
		{"the gate does not let it in: its Task is not read", []string{task(strings.Replace(observation, `"final"`, `"sort of final"`, 1), leads)}, 0, 0, 1},
	} {
		t.Run(row.name, func(t *testing.T) {
			var versions []fhir.Version
			for i, body := range row.told {
				v := fhir.Version{Key: fhir.Key{Source: "skylight", Type: "Task", ID: "t1"}, Party: "skylight", N: int64(i + 1), Moment: fhir.Moment(i + 1), Received: time.Unix(int64(i), 0), Gone: body == ""}
				if body != "" {
					r, err := fhir.Parse([]byte(body), "Task")
					if err != nil {
						t.Fatal(err)
					}
					v.Resource = r
				}
				versions = append(versions, v)
			}
			c := fhir.NewChart("k1", 9, versions, nil, nil, nil)
			if len(c.Observations) != row.want || len(fhir.Now(c.Observations)) != row.now || len(c.Unread) != row.unread {
				t.Fatalf("%d observations, %d of them now, %d unread", len(c.Observations), len(fhir.Now(c.Observations)), len(c.Unread))
			}
			for _, o := range fhir.Now(c.Observations) {
				if b := o.Basis(); b.Type != "Task" || b.ID != "t1" {
					t.Errorf("it rests on %+v, not on its Task's version", b)
				}
				if ref, ok := fhir.Subject(o.Resource); !ok || ref.ID != "p1" {
					t.Errorf("it is about %s", ref)
				}
			}
		})
	}

	r, err := fhir.Parse([]byte(task(observation+","+who, leads)), "Task")
	if err != nil {
		t.Fatal(err)
	}
	c := fhir.NewChart("k1", 9, []fhir.Version{{Key: fhir.Key{Source: "skylight", Type: "Task", ID: "t1"}, Party: "skylight", N: 1, Moment: 1, Resource: r}}, nil, nil, nil)
	if len(c.Observations) != 1 || len(fhir.ContainedIdentifiers(c.Observations[0].Resource, "#who")) != 1 {
		t.Error("who decided, who is contained beside the decision, is out of its reach")
	}
}

// A Task whose decision, prescription and dispense lead to each other inside it.
func TestWhatATaskCarriesLeadsOnAsItIsCalledOutside(t *testing.T) {
	const (
		rx        = `{"resourceType":"MedicationRequest","id":"rx","status":"active","intent":"order","medicationReference":{"reference":"#drug"}}`
		dispense  = `{"resourceType":"MedicationDispense","id":"d","status":"completed","authorizingPrescription":[{"display":"x"},{"reference":"#rx"}],"medicationReference":{"reference":"#drug"}}`
		decision  = `{"resourceType":"Observation","id":"o","status":"final","code":{"text":"x"},"focus":[{"reference":"#rx"}]}`
		drug      = `{"resourceType":"Medication","id":"drug","code":{"coding":[{"system":"http://www.nlm.nih.gov/research/umls/rxnorm","code":"6130"}]}}`
		aside     = `{"resourceType":"MedicationRequest","id":"aside","status":"active","intent":"order","medicationReference":{"reference":"#drug"}}`
		ledOutput = `"output":[{"type":{"text":"x"},"valueReference":{"reference":"#%"}}]`
		ledFocus  = `"focus":{"reference":"#%"}`
	)
	for _, row := range []struct {
		name                               string
		contained, leads                   string
		rxs, dispenses, decisions, refused int
	}{
		{"a dispense, and so the prescription that it fills", dispense + "," + rx + "," + drug + "," + aside, strings.Replace(ledOutput, "%", "d", 1), 1, 1, 0, 0},
		{"a decision, and so the prescription that it is for", decision + "," + rx + "," + drug, strings.Replace(ledOutput, "%", "o", 1), 1, 0, 1, 0},
		{"a prescription that the Task is about", rx + "," + drug + "," + dispense, strings.Replace(ledFocus, "%", "rx", 1), 1, 0, 0, 0},
		{"nothing leads to any", rx + "," + drug + "," + dispense, `"description":"x"`, 0, 0, 0, 0},
		{"what leads to one is written like a name and not like a reference inside", rx, strings.Replace(ledOutput, "#%", "rx", 1), 0, 0, 0, 0},
		{"two bear one id: which one is meant?", rx + "," + strings.Replace(rx, "active", "stopped", 1) + "," + drug, strings.Replace(ledOutput, "%", "rx", 1), 0, 0, 0, 1},
		{"one says another status than there are", strings.Replace(dispense, `"completed"`, `"given"`, 1) + "," + rx + "," + drug, strings.Replace(ledOutput, "%", "d", 1), 1, 0, 0, 1},
		{"one leads to itself", strings.Replace(dispense, "#rx", "#d", 1) + "," + drug, strings.Replace(ledOutput, "%", "d", 1), 0, 1, 0, 0},
	} {
		t.Run(row.name, func(t *testing.T) {
			r, err := fhir.Parse([]byte(`{"resourceType":"Task","id":"t1","status":"completed","intent":"order","for":{"reference":"Patient/p1"},"contained":[`+row.contained+`],`+row.leads+`}`), "Task")
			if err != nil {
				t.Fatal(err)
			}
			c := fhir.NewChart("k1", 9, []fhir.Version{{Key: fhir.Key{Source: "skylight", Type: "Task", ID: "t1"}, Party: "skylight", N: 1, Moment: 1, Resource: r}}, nil, nil, nil)
			if len(c.MedicationRequests) != row.rxs || len(c.MedicationDispenses) != row.dispenses || len(c.Observations) != row.decisions || len(c.Unread) != row.refused {
				t.Fatalf("%d prescriptions, %d dispenses, %d decisions, %d unread", len(c.MedicationRequests), len(c.MedicationDispenses), len(c.Observations), len(c.Unread))
			}
			if row.rxs == 0 {
				return
			}
			is := c.MedicationRequests[0]
			if ref, ok := fhir.Subject(is.Resource); !ok || ref.ID != "p1" || is.Basis().Type != "Task" {
				t.Errorf("it is about %s and rests on %+v", ref, is.Basis())
			}
			if back, ok := fhir.ParseRef(is.Ref().String(), ""); !ok || back != is.Ref() {
				t.Errorf("nothing can lead to %s", is.Ref())
			}
			for _, d := range c.MedicationDispenses {
				if got := *d.Value.AuthorizingPrescription[1].Reference; got != is.Ref().String() {
					t.Errorf("the dispense leads to %s, the prescription is %s", got, is.Ref())
				}
			}
			for _, o := range c.Observations {
				if got := *o.Value.Focus[0].Reference; got != is.Ref().String() {
					t.Errorf("the decision leads to %s, the prescription is %s", got, is.Ref())
				}
			}
		})
	}
}
