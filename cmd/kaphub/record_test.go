package main

import (
	"bufio"
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/kaphub/kaphub/cmd/internal/people"
	"github.com/kaphub/kaphub/connectors/desk"
)

// letters makes a place whose prescriber only writes e-mails.
func letters(t *testing.T) *place {
	p := settle(t)
	text, err := os.ReadFile(p.path("kaphub.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	p.change(regexp.MustCompile(`connectors: \[\{name: skylight[^\n]*`).FindString(string(text)), "connectors: []")
	return p
}

var entryID = regexp.MustCompile(`e-[0-9a-z]{8}`)

// step is a command and what its last lines must hold.
type step struct {
	args string
	want string
}

func (p *place) steps(steps ...step) (ids []string) {
	p.t.Helper()
	for _, s := range steps {
		args := strings.Split(s.args, " ")
		for i, a := range args {
			args[i] = strings.ReplaceAll(a, "_", " ")
			if n := len(ids); a == "LAST" && n > 0 {
				args[i] = ids[n-1]
			}
		}
		out := p.must(0, args...).out
		if !strings.Contains(out, s.want) {
			p.t.Errorf("%s says\n%s\nwant %q", s.args, out, s.want)
		}
		if id := entryID.FindString(out); id != "" && args[1] != "list" {
			ids = append(ids, id)
		}
	}
	return ids
}

var ready = []step{
	{"record decision juniper --outcome cleared --valid-to 2099-01-31 --medium e-mail --by ada", "decided by Skylight (per agreement of Sat 10 Jan 2026)"},
	{"record label juniper --name-matches y --filled yesterday --discard-after 2099-05-01 --sessions 4 --directions One_lozenge --by ada", "(label, by ada)"},
	{"record read-through --by ada", "Everything from Skylight up to"},
	{"record arrival juniper --bp 118/76 --hr 72 --ride y --fasting y --location y --new n --go-ahead y --by ada", "to be confirmed by a second person by the end of"},
}

// becomesReady tells everything, and has a second person confirm the decision: nobody is READY by one person's slip.
func (p *place) becomesReady() []string {
	p.t.Helper()
	ids := p.steps(ready...)
	p.steps(step{"record confirm " + ids[0] + " --by grace", "Skylight: READY."})
	return ids
}

func TestAClientOfAPrescriberWhoWritesLettersBecomesReadyByEntries(t *testing.T) {
	t.Parallel()
	p := letters(t)
	p.run("sync")
	ids := p.steps(ready...)
	p.steps(
		step{"status", "IN-ORDER"},
		step{"record list juniper", "to be confirmed by a second person by the end of"},
		step{"record confirm " + ids[0] + " --by grace", "Skylight: READY."},
		step{"audit verify", "none broken, nothing altered"},
		step{"status", "Skylight mailbox read to"},
		step{"check", "its mailbox is read to"},
	)
	key := regexp.MustCompile(`c-[a-z0-9]{8,}`).FindString(p.must(0, "record", "list", "juniper").out)
	account := strings.Join(strings.Fields(p.must(0, "explain", key).out), " ")
	for _, want := range []string{"dispensed 4 sessions 4, in the client's hands since", "(Reverie (sandbox), entered by ada,", "left 4 sessions dispensed less taken", "a refill takes none per agreement"} {
		if !strings.Contains(account, want) {
			t.Errorf("the account does not say %q:\n%s", want, account)
		}
	}
}

func TestTheAuditNamesWhoTypedBesideWhoIsSaidToHave(t *testing.T) {
	t.Parallel()
	p := letters(t)
	p.run("sync")
	p.steps(step{"record read-through --by ada", "(read-through, by ada)"})
	if log := p.must(0, "audit", "list").out; !strings.Contains(log, "ada ("+actor()+")  record read-through") {
		t.Errorf("the audit log says\n%s", log)
	}
}

func TestWhoeverIsAskedMayLeave(t *testing.T) {
	t.Parallel()
	in, typing := io.Pipe() // nobody types
	defer func() { _ = typing.Close() }()
	ctx, leave := context.WithCancel(t.Context())
	var out strings.Builder
	s := &scene{in: in, out: &out, now: time.Now}
	a := s.asker(ctx, time.UTC)
	a.tty = true
	ended := make(chan error, 1)
	go func() { ended <- a.text(new(string), question{flag: "why", ask: "Why"}) }()
	leave()
	if err := <-ended; !errors.Is(err, errNoAnswer) {
		t.Errorf("it ends with %v", err)
	}
}

func TestNobodyIsReferredTwice(t *testing.T) {
	t.Parallel()
	p := letters(t)
	p.run("sync")
	p.must(exitError, "record", "papers", "juniper", "--release", "n", "--consents", "n", "--refer", "y").oneSentence(t, "referred to Skylight already", "leave --refer out")
}

func TestWhatIsNotUnderstoodLeadsToTheHelpThatTells(t *testing.T) {
	t.Parallel()
	p := &place{t: t, dir: t.TempDir()}
	p.must(exitError, "links", "confirm", "x").oneSentence(t, "--by=NAME", "kaphub links confirm --help")
	p.must(exitError, "status", "--bogus").oneSentence(t, "--bogus", "kaphub status --help")
	p.must(exitError, "nonsense").oneSentence(t, "nonsense", "kaphub --help lists the commands")
}

func TestATerminalObeysNothingOfWhatWasReceived(t *testing.T) {
	t.Parallel()
	if got := harmless([]byte("a\x1b[2J\tb\n\u009bc\u202ed")); got != "a\ufffd[2J\tb\n\ufffdc\ufffdd" {
		t.Errorf("%q", got)
	}
}

func TestAStopHoldsAtOnceAndOnlyItsOwnerLiftsIt(t *testing.T) {
	t.Parallel()
	p := letters(t)
	p.run("sync")
	p.becomesReady()
	p.steps(
		step{"record stop juniper --said prescriber --from Dr._Vale --why chest_pain --medium phone", "HOLD. Stopped by Skylight"},
		step{"record read-through", "Everything from Skylight"},
		step{"status", "Stopped by Skylight"},
	)
	p.run("record", "lift", "juniper").oneSentence(t, "--said is missing")
	p.run("record", "lift", "juniper", "--said", "client").oneSentence(t, "only Skylight lifts what Skylight said")
	p.steps(step{"record lift juniper --said prescriber --from Dr._Vale --medium phone", "Skylight: NOT-READY."}) // the go-ahead is older
	p.steps(step{"record arrival juniper --go-ahead y --new n", "Skylight: READY."})
}

func TestAnEntryIsCorrectedAndNeverDeleted(t *testing.T) {
	t.Parallel()
	p := letters(t)
	p.run("sync")
	ids := p.becomesReady()
	label, arrival := ids[1], ids[3]
	p.steps(step{"record label juniper --name-matches y --filled yesterday --discard-after none --sessions 4 --directions Half_a_lozenge", "(label,"})
	p.run("record", "undo", label, "--why", "the wrong box").oneSentence(t, "changed it since")
	p.steps(
		step{"record undo " + arrival + " --why another_client", "(undo,"},
		step{"record list juniper", "undone by"},
		step{"status", "NOT-READY"},
	)
	p.run("record", "undo", arrival, "--why", "once more").oneSentence(t, "changed it since")
	p.run("record", "undo", "e-00000000", "--why", "none").oneSentence(t, "there is no entry")
	if out := p.must(0, "audit", "list").out; !strings.Contains(out, "record undo") {
		t.Errorf("the audit says nothing of it:\n%s", out)
	}
}

func TestASecondPersonConfirms(t *testing.T) {
	t.Parallel()
	p := letters(t)
	p.run("sync")
	ids := p.steps(ready[0])
	p.run("record", "confirm", ids[0], "--by", "Ada").oneSentence(t, "a second person")
	p.steps(step{"record confirm " + ids[0] + " --by grace", "(confirm, by grace)"})
	if out := p.must(0, "record", "list", "juniper").out; strings.Contains(out, "a second person confirms") {
		t.Errorf("it still waits:\n%s", out)
	}
	alone := ready[0]
	alone.args += " --valid-to-again 2099-01-30"
	p.run(strings.Split(alone.args, " ")...).oneSentence(t, "not the end that was given")
}

func TestAReplyIsPasted(t *testing.T) {
	t.Parallel()
	p := letters(t)
	p.run("sync")
	p.stdin = "> STATUS: cleared-with-conditions VALID-TO: 31 Jan 2099\n> LIMITS: BP 140/90, HR 100\n> CONDITIONS: an ECG; bp\n"
	p.steps(step{"record decision juniper --paste", "(decision,"})
	p.stdin = ""
	p.steps(step{"record read-through", "Everything"})
	key := regexp.MustCompile(`c-[0-9a-z]{10}`).FindString(p.must(0, "record", "list", "juniper").out)
	if out := p.must(0, "explain", key).out; !strings.Contains(out, "an ECG") || !strings.Contains(out, "valid to Sat 31 Jan") {
		t.Errorf("the condition is not on the board:\n%s", out)
	}
	p.run("record", "condition", "juniper").oneSentence(t, "--met")
	p.run("record", "condition", "juniper", "--condition", "a scan", "--met", "y").oneSentence(t, "none of the clearance's conditions")
	p.steps(step{"record condition juniper --met y --told yesterday", "(condition,"})
	if out := p.must(0, "explain", key).out; strings.Contains(out, "no record says that the condition is met") {
		t.Errorf("it is still open, though it was said after the decision of today:\n%s", out)
	}
	p.stdin = "STATUS: perhaps"
	p.run("record", "decision", "juniper", "--paste").oneSentence(t, "STATUS cannot be read")
}

func TestQuestionsAreDraftedOnceADay(t *testing.T) {
	t.Parallel()
	p := letters(t)
	p.run("sync")
	file := p.path("questions.txt")
	p.must(0, "questions", "--out", file)
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"Questions to Skylight", "J.E., born 19", "No decision of Skylight on clearance is on file", "STATUS:", "VALID-TO:"} {
		if !strings.Contains(string(text), want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	if strings.Contains(string(text), "Juniper") || strings.Contains(string(text), "Example") {
		t.Error("the message names a client in full")
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	key := regexp.MustCompile(`\((c-[0-9a-z]+)\)`).FindStringSubmatch(string(text))
	if key == nil {
		t.Fatal("the message bears no key")
	}
	if told := p.must(0, "disclosures", key[1], "--format", "text").out; !strings.Contains(told, "in the day's questions") {
		t.Errorf("the accounting does not tell of the question:\n%s", told)
	}
	if again := p.must(0, "questions"); again.out != "" || !strings.Contains(again.err, "drafted today already") {
		t.Errorf("a second draft: %s%s", again.out, again.err)
	}
	if again := p.must(0, "questions", "--again"); !strings.Contains(again.out, "Questions to Skylight") {
		t.Error("no draft with --again")
	}
	if told := p.must(0, "disclosures", key[1], "--format", "text").out; strings.Count(told, "in the day's questions") != 1 {
		t.Errorf("the same draft is told of more than once:\n%s", told)
	}
}

func TestNothingIsAskedAboutAClientWhoseReleaseWasWithdrawn(t *testing.T) {
	t.Parallel()
	p := letters(t)
	p.run("sync")
	p.must(0, "record", "papers", "juniper", "--withdraw", "release", "--by", "ada")
	if out := p.must(0, "questions"); strings.Contains(out.out, "J.E.") {
		t.Errorf("a question tells of a client without a release:\n%s", out.out)
	}
}

func TestNamesOfDesksAreKept(t *testing.T) {
	t.Parallel()
	p := settle(t)
	p.change("{name: ehr,", "{name: desk-ehr,")
	if out := p.run("check"); out.code == 0 || !strings.Contains(out.err, "kept for what people enter by hand") {
		t.Errorf("%d %s", out.code, out.err)
	}
}

// At a terminal everything that no flag says is asked, and what cannot be read is asked for again.
func TestWhoeverSitsThereIsAsked(t *testing.T) {
	var out strings.Builder
	a := &asker{out: &out, in: bufio.NewReader(strings.NewReader("soon\n31 May 2026\nc\ncleared\n\n")), tty: true, zone: time.UTC, now: time.Date(2026, 3, 3, 9, 0, 0, 0, time.UTC)}
	when, err := answered(a, "", question{flag: "valid-to", ask: "Valid to"}, a.clock().Date)
	if err != nil || when != "2026-05-31" || !strings.Contains(out.String(), "must be a date") {
		t.Errorf("%q, %v, asked\n%s", when, err, out.String())
	}
	word, err := a.choice("", question{flag: "outcome", ask: "Outcome"}, "cleared", "cleared-with-conditions", "deferred")
	if err != nil || word != "cleared" {
		t.Errorf("%q, %v", word, err)
	}
	if said, err := a.yes("", question{flag: "ride", ask: "Ride", usual: "-"}); err != nil || said != nil {
		t.Errorf("%v, %v", said, err)
	}
	if _, err := a.yes("", question{flag: "ride", ask: "Ride"}); err == nil {
		t.Error("whoever was asked went away, and it goes on")
	}
}

// Whoever has an account's login on this machine is that account: at the terminal and in the console they are one person,
// who confirms nothing of their own. Where nobody can tell who sits at a terminal, nothing is confirmed there.
func TestOneHumanIsNotTwoPeople(t *testing.T) {
	t.Parallel()
	p := letters(t)
	p.run("sync")
	me := strings.TrimPrefix(actor(), people.Machine+" ")
	entered := func(args ...string) string {
		t.Helper()
		out := p.must(0, append([]string{"record", "decision", "juniper", "--outcome", "cleared", "--valid-to", "2099-01-31", "--medium", "e-mail"}, args...)...).out
		if id := entryID.FindString(out); id != "" {
			return id
		}
		t.Fatalf("nothing was entered:\n%s", out)
		return ""
	}
	before := entered("--by", "Grace") // before anybody had an account
	p.must(0, "user", "add", "grace", "--name", "Grace Low", "--role", "owner")
	p.run("record", "confirm", before).oneSentence(t, "is the login of no account")

	p.must(0, "user", "add", me, "--name", "Ada Quill", "--role", "admin")
	own := entered()
	if out := p.must(0, "record", "list", "juniper").out; !strings.Contains(out, "Ada Quill") || strings.Contains(out, "operator") {
		t.Errorf("who entered it is not shown by the account's name:\n%s", out)
	}
	p.run("record", "confirm", own).oneSentence(t, "whoever entered it cannot confirm it")
	p.run("record", "confirm", own, "--by", "grace").oneSentence(t, "this login is Ada Quill's")
	theirs := entered("--by", "Grace Low")
	p.run("record", "confirm", theirs).oneSentence(t, "whoever entered it cannot confirm it")

	h, err := (&scene{cli: &cli{Config: p.path("kaphub.yaml")}, out: io.Discard, err: io.Discard, now: time.Now, log: slog.New(slog.DiscardHandler)}).open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer h.close()
	w := window{h}
	all, err := h.accounts(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	hands := map[string]people.Hand{}
	for _, a := range all {
		hands[a.Login] = a.Hand()
	}
	for _, r := range []struct{ entry, who, why string }{
		{own, me, "whoever entered it"}, {theirs, me, "whoever entered it"}, {theirs, "grace", "whoever entered it"}, {before, me, "whoever entered it"}, {own, "grace", ""},
	} {
		_, err := w.Confirming(t.Context(), hands[r.who], r.entry, desk.NewEntry())
		if (err == nil) != (r.why == "") || err != nil && !strings.Contains(err.Error(), r.why) {
			t.Errorf("%s confirms in the console what was entered as %s: %v, want %q", r.who, r.entry, err, r.why)
		}
	}
	waiting, err := w.Waiting(t.Context(), hands[me])
	if err != nil || len(waiting) == 0 || waiting[len(waiting)-1].Cannot == "" {
		t.Errorf("the queue offers them their own: %+v %v", waiting, err)
	}
}

// Directions that changed are read and acknowledged by themselves, as in the console, without a label check.
func TestDirectionsAreAcknowledgedAtTheTerminal(t *testing.T) {
	t.Parallel()
	p := letters(t)
	p.run("sync")
	p.run("record", "acknowledge", "juniper", "--read", "y").oneSentence(t, "no prescription is on file")
	p.steps(ready[:2]...)
	p.run("record", "acknowledge", "juniper").oneSentence(t, "--read is missing")
	p.run("record", "acknowledge", "juniper", "--read", "n").oneSentence(t, "not acknowledged")
	if out := p.must(0, "record", "acknowledge", "juniper", "--read", "y", "--by", "grace").out; !strings.Contains(out, "On file: One lozenge") || !strings.Contains(out, "(acknowledge, by grace)") {
		t.Errorf("says\n%s", out)
	}
	if out := p.must(0, "record", "list", "juniper").out; !strings.Contains(out, "acknowledge") {
		t.Errorf("it is not listed:\n%s", out)
	}
}
