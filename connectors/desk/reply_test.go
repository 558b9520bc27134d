package desk_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/kaphub/kaphub/connectors/desk"
)

// read reads the only block of a message that is filled in.
func read(text string) (desk.Reply, error) {
	blocks, _ := desk.Blocks(text)
	if len(blocks) > 1 {
		blocks = slices.DeleteFunc(blocks, func(b desk.Block) bool { return !b.Filled() })
	}
	if len(blocks) != 1 {
		return desk.Reply{}, errors.New("no block, or several")
	}
	return blocks[0].Read()
}

func TestAReplyBlockIsReadAndNothingInItGuessed(t *testing.T) {
	tests := []struct {
		name, text string
		want       desk.Reply
		err        string
	}{
		{"on one line", "STATUS: cleared VALID-TO: 2026-05-31 LIMITS: none", desk.Reply{Outcome: "cleared", ValidTo: "2026-05-31", NoLimits: true}, ""},
		{"quoted, in other words", "Hi,\n> Status: Cleared with conditions.\n> Valid to: none\n> Limits: BP <140/90 and HR 100 bpm\n> Conditions: ECG; cardiology letter\nBest, V.",
			desk.Reply{Outcome: "cleared-with-conditions", ValidTo: "none", Limits: []desk.Limit{{Of: "systolic", Value: 140, Below: true}, {Of: "diastolic", Value: 90, Below: true}, {Of: "heart-rate", Value: 100}},
				Conditions: []string{"ECG", "cardiology letter"}}, ""},
		{"a block that nobody filled in", desk.ReplyBlock, desk.Reply{}, ""},
		{"filled in behind the hints", strings.Replace(desk.ReplyBlock, "withdrawn)", "withdrawn) deferred", 1), desk.Reply{Outcome: "deferred"}, ""},
		{"new directions", "STATUS: cleared\nDIRECTIONS: half a lozenge,\nwait ten minutes\n\nDr. V", desk.Reply{Outcome: "cleared", Directions: "half a lozenge, wait ten minutes"}, ""},
		{"signed, by a mail program that ends its lines in CR LF", "STATUS: cleared-with-conditions\r\nCONDITIONS: ECG\r\n\r\nDr. V\r\nDIRECTIONS: half a lozenge\r\n\r\nDr. V",
			desk.Reply{Outcome: "cleared-with-conditions", Conditions: []string{"ECG"}, Directions: "half a lozenge"}, ""},
		{"signed with a mark", "STATUS: cleared\nLIMITS: BP 140/90\n-- \nDr. V", desk.Reply{Outcome: "cleared", Limits: []desk.Limit{{Of: "systolic", Value: 140}, {Of: "diastolic", Value: 90}}}, ""},
		{"a packet's page, filled in", "CLIENT: c-1\nSTATUS: cleared\nVALID-TO: 2026-05-31\nLIMITS: BP 140/90\nDECIDED BY, DATE: Dr. V, 2026-03-01",
			desk.Reply{Outcome: "cleared", ValidTo: "2026-05-31", Limits: []desk.Limit{{Of: "systolic", Value: 140}, {Of: "diastolic", Value: 90}}, Decider: "Dr. V, 2026-03-01"}, ""},
		{"signed by a telephone", "CONDITIONS: ECG\nSent from my phone", desk.Reply{Conditions: []string{"ECG"}}, ""},
		{"directions that stay, and a postscript", "STATUS: cleared\nDIRECTIONS: None.\nPS: greetings", desk.Reply{Outcome: "cleared"}, ""},
		{"a status that is none", "STATUS: probably fine", desk.Reply{}, "STATUS cannot be read"},
		{"a limit that is none", "LIMITS: normal", desk.Reply{}, "LIMITS cannot be read"},
		{"an answer twice", "STATUS: cleared\nLIMITS: none\nLIMITS: BP 140/90", desk.Reply{}, "twice"},
		{"no reply at all", "Thanks!", desk.Reply{}, "no block"},
		{"the signature below an empty answer", "STATUS: cleared\nDIRECTIONS:\nBest, Dr. Sample", desk.Reply{Outcome: "cleared"}, ""},
		{"the signature below a hint", "STATUS: cleared\nDIRECTIONS: (only if they change, word for word)\nBest, Dr. Sample", desk.Reply{Outcome: "cleared"}, ""},
		{"the signature below directions", "STATUS: cleared\nDIRECTIONS: half a lozenge\nBest, Dr. Sample", desk.Reply{Outcome: "cleared", Directions: "half a lozenge"}, ""},
		{"two lines of directions, and the end", "STATUS: cleared\nDIRECTIONS: Half a lozenge,\nwait ten minutes\nEND\nBest, Dr. Sample", desk.Reply{Outcome: "cleared", Directions: "Half a lozenge, wait ten minutes"}, ""},
		{"lines between two keys", "STATUS: cleared\nDIRECTIONS: Half a lozenge.\nWait ten minutes.\nDECIDED BY: Dr. V", desk.Reply{Outcome: "cleared", Directions: "Half a lozenge. Wait ten minutes.", Decider: "Dr. V"}, ""},
		{"the message that is answered stands below", "STATUS: cleared\nDIRECTIONS: half a lozenge\n> as I asked, take\n> STATUS: (cleared / deferred)\n> DIRECTIONS: (only if they change)", desk.Reply{Outcome: "cleared", Directions: "half a lozenge"}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r, err := read(tt.text)
			if tt.err != "" {
				if err == nil || !strings.Contains(err.Error(), tt.err) || strings.Contains(err.Error(), "probably") {
					t.Errorf("error %v", err)
				}
				return
			}
			if err != nil || r.Outcome != tt.want.Outcome || r.ValidTo != tt.want.ValidTo || !slices.Equal(r.Limits, tt.want.Limits) || !slices.Equal(r.Conditions, tt.want.Conditions) || r.Directions != tt.want.Directions || r.NoLimits != tt.want.NoLimits || r.Decider != tt.want.Decider {
				t.Errorf("%+v, %v", r, err)
			}
		})
	}
}

// What stands below an answer and was not taken is told, so that whoever compares looks there.
func TestWhatWasNotTakenIsTold(t *testing.T) {
	for text, want := range map[string]bool{
		"STATUS: cleared\nDIRECTIONS: half a lozenge\nWait ten minutes":  true,
		"STATUS: cleared\nDIRECTIONS:\nhalf a lozenge":                   true,
		"STATUS: cleared\nDIRECTIONS: none\nPS: greetings":               false,
		"STATUS: cleared\nDIRECTIONS: half a lozenge\nEND\nBest, Dr. S.": false,
		"STATUS: cleared\nDIRECTIONS: half a lozenge\n\nBest, Dr. S.":    false,
	} {
		blocks, _ := desk.Blocks(text)
		if blocks[0].GoesOn() != want {
			t.Errorf("%q goes on: %v", text, !want)
		}
	}
}

// The draft of the day has a block for each client: each is found below whom it is about.
func TestADraftHasABlockForEachClient(t *testing.T) {
	draft := "Questions\n\n1. H.T., born 2002 (c-ky2x0n0se0)\n   - no decision\n\nSTATUS: cleared\nDIRECTIONS:\nEND\n2. T.T., born 1964 (c-g4454gzbxh)\n\nSTATUS: deferred\nEND\n\nThanks"
	blocks, beside := desk.Blocks(draft)
	if len(blocks) != 2 || !strings.Contains(blocks[0].Head, "c-ky2x0n0se0") || strings.Contains(blocks[1].Head, "c-ky2x0n0se0") || !strings.Contains(blocks[1].Head, "c-g4454gzbxh") || !strings.Contains(beside, "Thanks") {
		t.Fatalf("%+v\n%s", blocks, beside)
	}
	if r, err := blocks[1].Read(); err != nil || r.Outcome != "deferred" {
		t.Errorf("%+v %v", r, err)
	}
}
