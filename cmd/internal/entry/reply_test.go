package entry_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/kaphub/kaphub/cmd/internal/entry"
	"github.com/kaphub/kaphub/fhir"
)

func nobody(string) ([]entry.Called, error) { return nil, nil }

// A message that names somebody else fills in nothing, however it names them, and its error repeats hub keys alone.
func TestAMessageAboutSomebodyElseIsNotRead(t *testing.T) {
	t.Parallel()
	a := arrives(t).about()
	p, err := fhir.Read[fhir.Patient](arrives(t).versions[0].Resource)
	if err != nil {
		t.Fatal(err)
	}
	a.Chart.Client = "c-0123456789"
	mine, born := *p.Name[0].Family, *p.BirthDate
	given := p.Name[0].Given[0]
	initials := given[:1] + "." + mine[:1] + "."
	const cleared = "\nSTATUS: cleared\nVALID-TO: 2099-05-31\n"
	wren := func(text string) (all []entry.Called, err error) {
		if strings.Contains(text, "Wren Testcase") {
			all = append(all, entry.Called{Client: "c-wren000000", Name: "wren testcase"})
		}
		return all, nil
	}
	for _, tt := range []struct {
		name, text string
		why        string // "" = it is read
		nameless   bool
	}{
		{"their key", "1. " + initials + ", born " + born[:4] + " (c-0123456789)\n" + cleared, "", false},
		{"their key, and the session that is to come", "1. " + initials + ", born " + born[:4] + " (c-0123456789), session Fri 27 Nov 2099 16:25\n" + cleared, "", false},
		{"a session to come as a form writes it", "session 11/27/27" + cleared, "", true},
		{"their name", "About " + given + " " + mine + cleared, "", false},
		{"their birth date", "DOB " + born + cleared, "", false},
		{"nobody", "Hi," + cleared, "", true},
		{"their year of birth alone", "born " + born[:4] + cleared, "", true},
		{"another key", "1. H.T., born " + born[:4] + " (c-ky2x0n0se0)\n" + cleared, "c-ky2x0n0se0", false},
		{"another key behind the block", cleared + "\n(c-ky2x0n0se0)", "c-ky2x0n0se0", false},
		{"another key on a packet", "CLIENT: c-kim" + cleared, "c-kim", false},
		{"another's name and birth date", "quick note on Wren Testcase (DOB 5/28/1971): STATUS: cleared", "c-wren000000", false},
		{"another's name", "Wren Testcase is fine." + cleared, "c-wren000000", false},
		{"another birth date", "DOB: 5/28/1971" + cleared, "birth date", false},
		{"another birth date that nobody calls one", "(28 May 1971)" + cleared, "birth date", false},
		{"another year of birth", "the client born 1971" + cleared, "year of birth", false},
		{"other initials", "about X.Y." + cleared, "initials", false},
		{"a doctor's letters, and a day of this year", "Dr. V., M.D., 2 Mar 2026" + cleared, "", true},
		{"the whole draft below, and one answer", "STATUS: cleared\n\n> 1. A.B. (c-ky2x0n0se0)\n> STATUS: (cleared)\n> 2. C.D. (c-0123456789)\n> STATUS: (cleared)", "c-ky2x0n0se0", false},
	} {
		got, err := a.Read(tt.text, wren)
		stranger, strange := errors.AsType[entry.Stranger](err)
		if (tt.why != "") != strange || !strange && err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		if strange && (!strings.Contains(err.Error(), tt.why) || strings.Contains(err.Error(), "1971") || strings.Contains(err.Error(), "Wren") || got.Outcome != "") {
			t.Errorf("%s: %v, %+v", tt.name, err, got)
		}
		if strange && strings.HasPrefix(tt.why, "c-") && !slices.Contains(stranger.Keys, tt.why) {
			t.Errorf("%s names %q", tt.name, stranger.Keys)
		}
		if !strange && (got.Nameless != tt.nameless || got.Outcome != "cleared") {
			t.Errorf("%s: %+v", tt.name, got)
		}
	}
}

// Of the day's draft, answered for several clients, each form takes its client's block and tells of the others.
func TestOfSeveralBlocksThisClientsIsTaken(t *testing.T) {
	t.Parallel()
	a := arrives(t).about()
	a.Chart.Client = "c-0123456789"
	draft := "1. (c-ky2x0n0se0)\n\nSTATUS: deferred\nEND\n\n2. (c-0123456789)\n\nSTATUS: cleared\nVALID-TO: none\nEND\n\n3. (c-g4454gzbxh)\n\nSTATUS: (cleared / deferred)\nEND\n"
	p, err := a.Read(draft, nobody)
	if err != nil || p.Outcome != "cleared" || !slices.Equal(p.Others, []string{"c-ky2x0n0se0"}) {
		t.Errorf("%+v %v", p, err)
	}
	a.Chart.Client = "c-g4454gzbxh"
	if p, err := a.Read(draft, nobody); err == nil || p.Outcome != "" || !strings.Contains(err.Error(), "none below the hub key") {
		t.Errorf("%+v %v", p, err)
	}
	if _, err := a.Read("STATUS: cleared\nSTATUS: deferred", nobody); err == nil {
		t.Error("two blocks that name nobody are read")
	}
}

// In a day's draft many are answered in a line, and one in a block: the line's client is told of, and nothing is taken for theirs.
func TestALineForAnotherLeavesTheBlockToThisClient(t *testing.T) {
	t.Parallel()
	a := arrives(t).about()
	a.Chart.Client = "c-0123456789"
	const draft = "> 1. (c-ky2x0n0se0), session Fri 27 Nov 2099 16:25\n>    - a refill\n> ANSWER: sent today\n> END\n>\n> 2. (c-g4454gzbxh)\n> ANSWER: (in a line)\n> END\n>\n> 3. (c-0123456789)\n> ANSWER: %s\n> STATUS: cleared\n> END\n"
	for answer, beside := range map[string]bool{"resent, see below": true, "(in a line)": false, "": false} {
		p, err := a.Read(fmt.Sprintf(draft, answer), nobody)
		if err != nil || p.Outcome != "cleared" || !slices.Equal(p.Others, []string{"c-ky2x0n0se0"}) || p.GoesOn != beside {
			t.Errorf("%q: %+v %v", answer, p, err)
		}
	}
	a.Chart.Client = "c-ky2x0n0se0"
	if p, err := a.Read(fmt.Sprintf(draft, ""), nobody); err == nil || p.Outcome != "" {
		t.Errorf("another's block is taken: %+v", p)
	}
	a.Chart.Client = "c-0123456789"
	if p, err := a.Read(fmt.Sprintf(draft, "")+"> 4. (c-ppppppppp0)\n> STATUS: deferred\n> END\n", nobody); err != nil || p.Outcome != "cleared" || !slices.Equal(p.Others, []string{"c-ppppppppp0", "c-ky2x0n0se0"}) && !slices.Equal(p.Others, []string{"c-ky2x0n0se0", "c-ppppppppp0"}) {
		t.Errorf("%+v %v", p, err)
	}
}

func TestADateWithWordsBehindItIsNone(t *testing.T) {
	t.Parallel()
	a := arrives(t).about()
	if _, err := a.Read("STATUS: cleared\nVALID-TO: 2027-05-01 Thanks, Ida", nobody); err == nil || !strings.HasPrefix(err.Error(), "VALID-TO") || strings.Contains(err.Error(), "Ida") {
		t.Errorf("%v", err)
	}
	if p, err := a.Read("STATUS: cleared\nVALID-TO: 2027-05-01\nThanks, Ida", nobody); err != nil || p.ValidTo != "2027-05-01" || !p.GoesOn {
		t.Errorf("%+v %v", p, err)
	}
	for _, text := range []string{"Thanks!", "STATUS: (cleared / deferred)\nVALID-TO:"} {
		if _, err := a.Read(text, nobody); !errors.Is(err, entry.ErrNoReply) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestTheWholeNameCallsAClient(t *testing.T) {
	t.Parallel()
	var p fhir.Patient
	if err := json.Unmarshal([]byte(`{"name":[{"given":["Wren","Ada"],"family":"de la Tést"}]}`), &p); err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]bool{
		"note on Wren de la Test (DOB": true, "De la Test, Wren": true, "WREN A. DE LA TEST": true, "Ada de la Test": true,
		"Wren": false, "the Test of Wren": false, "Wrenna de la Test": false, "": false,
	} {
		if got := entry.CalledIn(text, &p) != ""; got != want {
			t.Errorf("%q: %v", text, got)
		}
	}
}
