package folder

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/kaphub/kaphub/fhir"
)

var now = time.Date(2026, 3, 3, 16, 0, 0, 0, time.UTC)

var skylight = Prescriber{Name: "skylight", Title: "Skylight Psychedelics", ID: fhir.ID{System: fhir.SystemNPI, Value: "1234567893"}}

var format = Format{Prescribers: []Prescriber{skylight}, Now: now}

func read(file io.Reader, f Format) ([]fhir.Resource, []Refusal, error) {
	r, err := Roster(file, f)
	return r.Records, r.Refused, err
}

const (
	head = "id,family,given,birth_date"
	ada  = "17,Invented,Ada Maria,1988-02-29"
)

func TestARosterBecomesPatientsAndReferrals(t *testing.T) {
	file := "ID,Family,Given,birth date,chosen_name,pronouns,phone,email,address,city,state,postal_code,contact_preference,calendar_token,prescriber,referred_on,referral_id,referral_reason_code,therapist,therapist_npi\r\n" +
		"17,Invented,Ada Maria,1988-02-29,Juniper,they/them,(303) 555-0100,j@example.org,\"1 Main St\r\nApt 2\",Denver,CO,80202,text,tok-17,Skylight Psychedelics,2026-02-20,R-1,F33.2,Tara Therapist,1987654321\r\n"
	all, refused, err := read(strings.NewReader("\ufeff"+file), format)
	if err != nil || len(refused) > 0 || len(all) != 2 {
		t.Fatalf("%d records, refused %v, %v", len(all), refused, err)
	}
	id := PatientID(SystemNumber, "17")
	for i, want := range []string{
		`{"address":[{"city":"Denver","line":["1 Main St Apt 2"],"postalCode":"80202","state":"CO","use":"home"}],"birthDate":"1988-02-29",` +
			`"extension":[{"extension":[{"url":"value","valueCodeableConcept":{"text":"they/them"}}],"url":"` + fhir.ExtensionPronouns + `"},` +
			`{"url":"` + fhir.ExtensionTherapist + `","valueReference":{"display":"Tara Therapist","identifier":{"system":"` + fhir.SystemNPI + `","value":"1987654321"},"type":"Practitioner"}}],"id":"` + id + `",` +
			`"identifier":[{"system":"` + SystemNumber + `","value":"17"},{"system":"` + fhir.SystemToken + `","value":"tok-17"}],` +
			`"name":[{"family":"Invented","given":["Ada","Maria"],"use":"official"},{"text":"Juniper","use":"usual"}],"resourceType":"Patient",` +
			`"telecom":[{"system":"phone","value":"(303) 555-0100"},{"rank":1,"system":"sms","value":"(303) 555-0100"},{"system":"email","value":"j@example.org"}]}`,
		`{"authoredOn":"2026-02-20","code":{"coding":[{"code":"kap-evaluation","system":"` + fhir.SystemKAP + `"}]},"id":"r-` + key("referral", id, "skylight", "R-1") + `",` +
			`"identifier":[{"system":"` + systemReferral + `","type":{"coding":[{"code":"PLAC","system":"` + fhir.SystemIdentifierType + `"}]},"value":"R-1"}],"intent":"order",` +
			`"performer":[{"display":"Skylight Psychedelics","identifier":{"system":"` + fhir.SystemNPI + `","value":"1234567893"}}],` +
			`"reasonCode":[{"coding":[{"code":"F33.2","system":"http://hl7.org/fhir/sid/icd-10-cm"}]}],` +
			`"requester":{"display":"Tara Therapist","identifier":{"system":"` + fhir.SystemNPI + `","value":"1987654321"}},"resourceType":"ServiceRequest","status":"active","subject":{"reference":"Patient/` + id + `"}}`,
	} {
		if got := string(all[i].Body); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
	hub := fhir.Recogniser{ReferralCodes: []fhir.Code{{System: fhir.SystemKAP, Code: fhir.CodeEvaluation}},
		Prescribers: []fhir.Known{{Name: "skylight", Identifiers: []fhir.ID{skylight.ID}}}}
	if prescribers, ok := hub.Concerns(all[1]); !ok || len(prescribers) != 1 {
		t.Errorf("the referral makes nobody a client: %v %v", prescribers, ok)
	}
}

func TestABadRowIsRefusedAlone(t *testing.T) {
	for _, row := range []struct{ name, columns, cells, want string }{
		{"no number", "", ",Invented,Ada,1988-02-29", "line 2: id: missing"},
		{"no family name", "", "17,,Ada,1988-02-29", "line 2: family: missing"},
		{"no date of birth", "", "17,Invented,Ada,", "line 2: birth_date: missing"},
		{"a date as people write it in the United States", "", "17,Invented,Ada,2/29/1988", "line 2: birth_date: no-date"},
		{"a day that does not exist", "", "17,Invented,Ada,1980-02-31", "line 2: birth_date: no-such-day"},
		{"a day that does not exist in the United States either", "", "17,Invented,Ada,2/31/1980", "line 2: birth_date: no-such-day"},
		{"born tomorrow week", "", "17,Invented,Ada,2026-03-10", "line 2: birth_date: in-the-future"},
		{"born before telephones", "", "17,Invented,Ada,1888-02-29", "line 2: birth_date: no-date"},
		{"a field too many", "", ada + ",", "line 2: wrong-number-of-fields"},
		{"a field too few", "", "17,Invented,Ada", "line 2: wrong-number-of-fields"},
		{"a quote inside a word", "", `17,Inv"ented,Ada,1988-02-29`, "line 2: quotes"},
		{"a bell in the name", "", "17,Inven\ated,Ada,1988-02-29", "line 2: family: control-character"},
		{"a novel for a name", "", "17," + strings.Repeat("x", 1001) + ",Ada,1988-02-29", "line 2: family: too-long"},
		{"an e-mail address without an at", ",email", ada + ",nobody", "line 2: email: wrong-form"},
		{"a state in full", ",state", ada + ",Colorado", "line 2: state: wrong-form"},
		{"preferred by carrier pigeon", ",contact_preference", ada + ",pigeon", "line 2: contact_preference: not-a-known-word"},
		{"preferred by phone, without one", ",contact_preference", ada + ",phone", "line 2: contact_preference: needs-another-column"},
		{"referred to somebody else", ",prescriber,referred_on", ada + ",elsewhere,2026-02-20", "line 2: prescriber: no-prescriber-of-the-config"},
		{"a status of no referral", ",referral_status", ada + ",active", "line 2: referral_status: needs-another-column"},
		{"a status that is none", ",referred_on,referral_status", ada + ",2026-02-20,maybe", "line 2: referral_status: not-a-known-word"},
		{"referred next month", ",referred_on", ada + ",2026-04-20", "line 2: referred_on: in-the-future"},
	} {
		t.Run(row.name, func(t *testing.T) {
			good := "18,Other,Bea,1990-01-01" + strings.Repeat(",", strings.Count(row.columns, ","))
			all, refused, err := read(strings.NewReader(head+row.columns+"\n"+row.cells+"\n"+good+"\n"), format)
			if err != nil || len(refused) != 1 || refused[0].String() != row.want {
				t.Fatalf("refused %v, %v; want %s", refused, err, row.want)
			}
			if len(all) != 1 || all[0].ID != PatientID(SystemNumber, "18") {
				t.Errorf("%d records came beside it", len(all))
			}
			if string(refused[0].Row) != row.cells {
				t.Errorf("kept %q", refused[0].Row)
			}
		})
	}
}

func TestARowThatNamesItsClientIsTheirs(t *testing.T) {
	_, refused, err := read(strings.NewReader(head+"\n17,Invented,Ada,soon\n"), format)
	if id := PatientID(SystemNumber, "17"); err != nil || len(refused) != 1 || refused[0].Client != id || refused[0].ID != id || refused[0].Type != "Patient" {
		t.Errorf("%+v %v", refused, err)
	}
	items, whole, err := roster([]byte(head+"\n"+ada+"\n"+ada+"\n"), format)
	if err != nil || !whole || len(items) != 2 || items[1].refused == nil || items[1].refused.Reason != badTwice {
		t.Errorf("the same client twice: %v", items)
	}
}

func TestAQuoteThatIsNeverClosedIsSaid(t *testing.T) {
	items, whole, err := roster([]byte(head+"\n"+ada+"\n18,\"Open,Bea,1990-01-01\n19,Third,Cleo,1990-01-01\n"), format)
	if err != nil || whole || len(items) != 2 || items[1].refused.String() != "line 3: "+badEnd {
		t.Errorf("whole %v: %+v, %v", whole, items, err)
	}
}

func TestUSDatesWhereTheConfigSaysSo(t *testing.T) {
	f := format
	f.USDates = true
	all, refused, err := read(strings.NewReader(head+"\n17,Invented,Ada,2/29/1988\n18,Other,Bea,1990-01-01\n"), f)
	if err != nil || len(refused) > 0 || len(all) != 2 || !strings.Contains(string(all[0].Body), `"birthDate":"1988-02-29"`) {
		t.Errorf("%v %v", refused, err)
	}
}

func TestAFileThatCannotBeTakenSaysWhatToDo(t *testing.T) {
	for _, row := range []struct{ name, file, reason, hint string }{
		{"nothing", "", fileEmpty, "export it again"},
		{"UTF-16, as spreadsheets save it", "\xff\xfei\x00d\x00", fileEncoding, "UTF-16"},
		{"Windows-1252", head + "\n17,Ir\xe8ne,Ada,1988-02-29\n", fileEncoding, "UTF-8"},
		{"a spreadsheet", "PK\x03\x04\x00\x00", fileEncoding, "no text"},
		{"no header", "17,Zanzibarra,Ada,1988-02-29\n", fileHeader, "column 2 is none of the known ones"},
		{"a column missing", "id,family,given\n17,A,B\n", fileHeader, "column birth_date is missing"},
		{"a column twice", head + ",family\n", fileHeader, "column family stands there twice"},
		{"semicolons", "id;family;given;birth_date\n", fileHeader, "semicolons"},
		{"a header in broken quotes", "\"id,family\n", fileHeader, RosterColumns()},
	} {
		t.Run(row.name, func(t *testing.T) {
			_, _, err := read(strings.NewReader(row.file), format)
			wrong, ok := errors.AsType[*Unread](err)
			if !ok || wrong.Reason != row.reason || !strings.Contains(wrong.Hint, row.hint) {
				t.Fatalf("got %v", err)
			}
			if strings.Contains(fmt.Sprint(err), "Zanzibarra") {
				t.Errorf("it repeats a name: %v", err)
			}
		})
	}
}

// A file as a common program writes it: its own words for the columns are understood, what is not known is left out only where
// that is allowed, and the days are told to be written with the month first.
func TestTheExportOfAnotherProgramIsUnderstood(t *testing.T) {
	body, err := os.ReadFile("testdata/export.csv")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Roster(bytes.NewReader(body), format); err == nil || strings.Contains(err.Error(), "Copay") || !strings.Contains(err.Error(), "column 10 is none of the known ones") {
		t.Errorf("what is not known is taken unattended: %v", err)
	}
	f := format
	f.LeaveOut = true
	r, err := Roster(bytes.NewReader(body), f)
	if err != nil || !r.USOnly || len(r.Records) > 0 || len(r.Refused) != 4 {
		t.Fatalf("%+v %v", r, err)
	}
	if got := fmt.Sprint(r.Taken); got != "[{Client ID id} {First Name given} {Last Name family} {Preferred Name chosen_name} {DOB birth_date} {Mobile phone} {E-mail Address email} {Zip Code postal_code} {Provider therapist}]" {
		t.Errorf("taken %s", got)
	}
	if got := fmt.Sprint(r.Left); got != "[Copay Home Phone]" {
		t.Errorf("left out %s", got)
	}
	if r.Called("birth_date") != "DOB" || r.Called("pronouns") != "pronouns" {
		t.Error("a column is not called as the file calls it")
	}
	f.USDates = true
	r, err = Roster(bytes.NewReader(body), f)
	if err != nil || r.USOnly || len(r.Records) != 3 || len(r.Refused) != 1 {
		t.Fatalf("%+v %v", r, err)
	}
	if is := r.Refused[0]; is.Number != "RV-1003" || is.Cell != "2/31/1980" || is.String() != "line 5: birth_date: no-such-day" {
		t.Errorf("%+v", is)
	}
	f.ReferTo, f.ReferredOn = "skylight", "2026-03-01"
	r, err = Roster(bytes.NewReader(body), f)
	if err != nil || len(r.Records) != 6 || !strings.Contains(string(r.Records[1].Body), `"authoredOn":"2026-03-01"`) {
		t.Errorf("nobody is referred: %+v %v", r, err)
	}
}

func TestWhichDaysCanOnlyBeReadWithTheMonthFirst(t *testing.T) {
	for days, want := range map[string]bool{
		"3/13/1996": true, "3/4/1996 12/31/1980": true, "3/13/1996 2/31/1980": true,
		"13/3/1996": false, "3/13/1996 1980-01-01": false, "2/31/1980": false, "3/4/1996 soon": false,
	} {
		file := head + "\n"
		for i, day := range strings.Fields(days) {
			file += fmt.Sprintf("%d,Invented,Ada,%s\n", i, day)
		}
		if r, err := Roster(strings.NewReader(file), format); err != nil || r.USOnly != want {
			t.Errorf("%s: %v, want %v (%v)", days, r.USOnly, want, err)
		}
	}
}
