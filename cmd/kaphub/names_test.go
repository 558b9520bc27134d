package main

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/kaphub/kaphub/cmd/internal/people"
	"github.com/kaphub/kaphub/fhir"
)

// A calendar that names its therapist by a number shows the client to whoever has the number, by account or by a name that
// only they have elsewhere; the owner is told whom nobody is.
func TestACalendarNamesItsTherapistByNumber(t *testing.T) {
	r := goLive(t)
	now := time.Now().UTC()
	r.file("feed.ics", fmt.Sprintf("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nUID:d\r\nDTSTAMP:20260101T000000Z\r\nDTSTART:%s\r\nDURATION:PT3H\r\nSUMMARY:Dosing K-1X\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n",
		now.Add(50*time.Hour).Format("20060102T150405Z")))
	r.change("      file: feed.ics\n", "      file: feed.ics\n      therapist: {system: \"http://hl7.org/fhir/sid/us-npi\", value: \"1679576722\"}\n")
	r.must(0, "import", r.file("roster.csv", "id,family,given,birth_date,chosen_name,state,calendar_token,prescriber,referred_on\n"+
		"R1,Inventedsson,Testa,1988-03-12,Juniper,CO,K-1X,skylight,"+r.day(-6)+"\n"))
	r.run("sync")

	h, base := r.serves()
	owner := h.signsIn(t, base, people.Profile{Login: "maya", Name: "Maya Okafor", Roles: []people.Role{people.Owner}})
	other := h.signsIn(t, base, people.Profile{Login: "kit", Name: "Kit", Roles: []people.Role{people.Therapist}, Therapist: "Kit Low"})
	if p := other.get("/"); strings.Contains(p.body, "Juniper") {
		t.Error("a therapist whom the calendar does not name sees the client")
	}
	if p := owner.get("/accounts"); !strings.Contains(p.body, `data-test-id="unclaimed-one"`) || !strings.Contains(p.body, "NPI 1679576722") {
		t.Errorf("the owner is not told whom nobody is:\n%s", p.body)
	}
	key := regexp.MustCompile(`c-[a-z0-9]{8,}`).FindString(owner.get("/").body)
	tara := h.signsIn(t, base, people.Profile{Login: "tara", Name: "Tara", Roles: []people.Role{people.Therapist}, Numbers: []fhir.ID{{System: fhir.SystemNPI, Value: "1679576722"}}})
	if p := tara.get("/"); !strings.Contains(p.body, "Juniper") {
		t.Errorf("whoever has the number does not see the client:\n%s", p.body)
	}
	if p := tara.get("/clients/" + key); p.code != 200 || !strings.Contains(p.body, "Juniper") {
		t.Errorf("their client's page is answered %d", p.code)
	}
	if p := owner.get("/accounts"); strings.Contains(p.body, `data-test-id="unclaimed-one"`) {
		t.Error("the owner is told of a therapist who has an account")
	}
}
