package folder

import (
	"strings"
	"testing"
	"time"

	"github.com/kaphub/kaphub/fhir"
)

// told is one row of statuses, written as "column=value" pairs.
func told(pairs ...string) string {
	var names, cells []string
	for _, p := range pairs {
		name, cell, _ := strings.Cut(p, "=")
		names, cells = append(names, name), append(cells, cell)
	}
	return strings.Join(names, ",") + "\n" + strings.Join(cells, ",") + "\n"
}

func TestARowOfStatusesBecomesThePrescribersFacts(t *testing.T) {
	denver, err := time.LoadLocation("America/Denver")
	if err != nil {
		t.Fatal(err)
	}
	f := format
	f.Zone = denver
	items, err := statuses([]byte(told("client=17", "family=Invented", "birth_date=1988-02-29", "changed_on=2026-03-02T15:04:05-07:00",
		"referral=accepted", "referral_id=R-1", "case_id=C-9", "evaluation=fulfilled", "evaluation_on=2026-02-25",
		"clearance=cleared-with-conditions", "clearance_on=2026-03-01", "valid_to=2026-05-30", "conditions=ECG on file | no alcohol", "decider_npi=1234567893",
		"follow_up_done_on=2026-03-01", "follow_up_booked_on=2026-04-01",
		"prescription=active", "prescribed_on=2026-03-01", "quantity=6", "unit=lozenge", "dose=1", "repeats=1", "route=sublingual", "directions=One at each session",
		"shipped_on=2026-03-01", "delivered_on=2026-03-02", "discard_after=2026-08-30", "sessions_worth=6", "fulfilment=delivered")), f)
	if err != nil || len(items) != 1 || items[0].refused != nil {
		t.Fatalf("%v %+v", err, items)
	}
	id := PatientID(SystemNumber, "17")
	var types []string
	for _, r := range items[0].resources {
		types = append(types, r.Type)
		if want := time.Date(2026, 3, 2, 22, 4, 5, 0, time.UTC); !r.LastUpdated.Equal(want) {
			t.Errorf("%s was last changed %s", r.Type, r.LastUpdated)
		}
		if ref, ok := fhir.Subject(r); r.Type != "Patient" && (!ok || ref.ID != id) {
			t.Errorf("%s is about %v", r.Type, ref)
		}
	}
	if got := strings.Join(types, " "); got != "Patient Task Appointment Appointment Appointment MedicationRequest Observation MedicationDispense Task" {
		t.Fatal(got)
	}
	rx := items[0].resources[5].ID
	for i, part := range map[int]string{
		0: `"identifier":[{"system":"` + SystemNumber + `","value":"17"}]`,
		1: `"status":"accepted"`,
		2: `"start":"2026-02-25T00:00:00-07:00","status":"fulfilled"`,
		4: `"status":"booked"`,
		5: `"doseAndRate":[{"doseQuantity":{"code":"{lozenge}","system":"http://unitsofmeasure.org","unit":"lozenge","value":1}}],"route":{"coding":[{"code":"37839007"`,
		6: `"effectivePeriod":{"end":"2026-05-30","start":"2026-03-01"},"focus":[{"reference":"MedicationRequest/` + rx + `"}]`,
		7: `"batch":{"expirationDate":"2026-08-30"}`,
		8: `"businessStatus":{"coding":[{"code":"delivered"`,
	} {
		if !strings.Contains(string(items[0].resources[i].Body), part) {
			t.Errorf("%s lacks %s: %s", types[i], part, items[0].resources[i].Body)
		}
	}
}

// A changed row is a new version of the same records; another decision is another record.
func TestIdsHoldAcrossExports(t *testing.T) {
	ids := func(pairs ...string) (all []string) {
		items, err := statuses([]byte(told(append([]string{"client=17"}, pairs...)...)), format)
		if err != nil || len(items) != 1 || items[0].refused != nil {
			t.Fatalf("%v %+v", err, items)
		}
		for _, r := range items[0].resources[1:] {
			all = append(all, r.ID)
		}
		return all
	}
	cleared := ids("clearance=cleared", "clearance_on=2026-03-01")
	if withdrawn := ids("clearance=withdrawn", "clearance_on=2026-03-01"); withdrawn[0] != cleared[0] {
		t.Error("the same decision in other words is another record")
	}
	if later := ids("clearance=withdrawn", "clearance_on=2026-03-02"); later[0] == cleared[0] {
		t.Error("a later decision replaces the earlier one")
	}
	if held, active := ids("prescription=on-hold", "prescribed_on=2026-03-01"), ids("prescription=active", "prescribed_on=2026-03-01"); held[0] != active[0] {
		t.Error("a held prescription is another one")
	}
	if shipped, delivered := ids("shipped_on=2026-03-01"), ids("shipped_on=2026-03-01", "delivered_on=2026-03-02"); shipped[0] != delivered[0] {
		t.Error("a parcel that arrived is another one")
	}
}

func TestABadRowOfStatusesIsRefusedAlone(t *testing.T) {
	for _, row := range []struct {
		name  string
		pairs []string
		want  string
	}{
		{"nobody in particular", []string{"client=", "clearance=cleared", "clearance_on=2026-03-01"}, "line 2: client: missing"},
		{"two numbers for one client", []string{"client=17", "hub_client=k1", "clearance=cleared", "clearance_on=2026-03-01"}, "line 2: hub_client: same-client-twice"},
		{"nothing is said", []string{"client=17", "clearance="}, "line 2: missing"},
		{"a word for a decision that is none", []string{"client=17", "clearance=ok", "clearance_on=2026-03-01"}, "line 2: clearance: not-a-known-word"},
		{"a decision without its day", []string{"client=17", "clearance=cleared"}, "line 2: clearance_on: missing"},
		{"a decision to come", []string{"client=17", "clearance=cleared", "clearance_on=2026-04-01"}, "line 2: clearance_on: in-the-future"},
		{"valid until before it began", []string{"client=17", "clearance=cleared", "clearance_on=2026-03-01", "valid_to=2026-02-01"}, "line 2: valid_to: wrong-form"},
		{"conditions that nobody told", []string{"client=17", "clearance=cleared-with-conditions", "clearance_on=2026-03-01"}, "line 2: conditions: needs-another-column"},
		{"cleared, yet with conditions", []string{"client=17", "clearance=cleared", "clearance_on=2026-03-01", "conditions=ECG"}, "line 2: conditions: needs-another-column"},
		{"an end without a decision", []string{"client=17", "valid_to=2026-05-01"}, "line 2: valid_to: needs-another-column"},
		{"a decider without a number", []string{"client=17", "clearance=cleared", "clearance_on=2026-03-01", "decider_npi=Dr. Who"}, "line 2: decider_npi: wrong-form"},
		{"a dose of some", []string{"client=17", "prescription=active", "prescribed_on=2026-03-01", "dose=some", "unit=lozenge"}, "line 2: dose: no-number"},
		{"a dose of one what", []string{"client=17", "prescription=active", "prescribed_on=2026-03-01", "dose=1"}, "line 2: unit: missing"},
		{"half a repeat", []string{"client=17", "prescription=active", "prescribed_on=2026-03-01", "repeats=0.5"}, "line 2: repeats: no-number"},
		{"delivered before it was shipped", []string{"client=17", "shipped_on=2026-03-02", "delivered_on=2026-03-01"}, "line 2: delivered_on: wrong-form"},
		{"a label without a parcel", []string{"client=17", "sessions_worth=6"}, "line 2: sessions_worth: needs-another-column"},
		{"under way to nowhere known", []string{"client=17", "fulfilment=lost"}, "line 2: fulfilment: not-a-known-word"},
	} {
		t.Run(row.name, func(t *testing.T) {
			items, err := statuses([]byte(told(row.pairs...)), format)
			if err != nil || len(items) != 1 || items[0].refused == nil || items[0].refused.String() != row.want || len(items[0].resources) > 0 {
				t.Fatalf("%v %+v, want %s", err, items, row.want)
			}
			if row.pairs[0] == "client=17" && len(row.pairs) > 1 && !strings.HasPrefix(row.pairs[1], "hub_client") && items[0].refused.Client != PatientID(SystemNumber, "17") {
				t.Error("nobody knows whose it is")
			}
		})
	}
}
