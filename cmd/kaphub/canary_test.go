package main

import (
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// paperAndFeed is a practice with a calendar and a shared directory, and a prescriber who leaves files and is handed packets.
const paperAndFeed = `hub: {name: Reverie, time_zone: America/Denver, listen: "127.0.0.1:0"}
store: {dsn: kaphub.db, key_file: kaphub.key}
practice:
  connectors:
    - {name: exports, kind: folder, in: in, wait: 1s}
    - {name: calendar, kind: ical, url_file: feed, kinds: [{match: '(?i)dosing', kind: dosing}]}
prescribers:
  - name: skylight
    title: Skylight
    identifiers: [{system: "http://hl7.org/fhir/sid/us-npi", value: "1234567893"}]
    connectors: [{name: mail, kind: folder, in: mail, out: out, wait: 1s}]
    sheet: {signed: 2026-01-10, deciders: [{system: "http://hl7.org/fhir/sid/us-npi", value: "1881697747", name: Dr Imaginary}]}
`

// What is said in passing, and what the calendar's address holds, is kept nowhere at all.
var passing = []string{"Zanzibarra", "quokka", "numbat", "birdcage.example", "SECRETFEED"}

// theirs is what only the prescriber's own record of her says.
var theirs = []string{"Wombat Lane", "555-0199"}

// The same for whoever is reached by paper: a hostile roster, a talkative calendar, a pasted reply, a proposed link.
func TestNobodyIsNamedOnTheWayByPaperEither(t *testing.T) {
	t.Parallel()
	p := paper(t)
	for _, dir := range []string{"mail", "out"} {
		if err := os.Mkdir(p.path(dir), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(p.path(name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	dosing := time.Now().UTC().AddDate(0, 0, 5).Format("20060102")
	event := func(uid, start, title string) string {
		return strings.ReplaceAll(fmt.Sprintf("BEGIN:VEVENT\nUID:%s@birdcage.example\nDTSTAMP:20260101T000000Z\nDTSTART:%s\nDURATION:PT3H\nSUMMARY:%s\nDESCRIPTION:quokka\nLOCATION:1 Birdcage Walk\nATTENDEE;CN=Featherstonehaugh:mailto:w@birdcage.example\nEND:VEVENT\n",
			uid, start, title), "\n", "\r\n")
	}
	feed := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasSuffix(r.URL.Path, "/basic.ics") {
			http.Error(w, "no calendar of Wilhelmina here", http.StatusForbidden)
			return
		}
		w.Header().Set("Content-Type", "text/calendar")
		_, _ = fmt.Fprintf(w, "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\n%s%s%sEND:VCALENDAR\r\n",
			event("a", dosing+"T160000Z", "Dosing K-77QX Zanzibarra"), event("b", "Wilhelmina", "prep K-77QX Zanzibarra"), event("c", dosing+"T160000Z", "Dosing K-NUMBAT numbat"))
	}))
	t.Cleanup(feed.Close)
	write("kaphub.yaml", paperAndFeed)
	write("feed", feed.URL+"/private-SECRETFEED/basic.ics?key=SECRETFEED\n")
	p.leave("roster Featherstonehaugh.csv", "id,family,given,birth_date,chosen_name,calendar_token,phone,address,referred_on\n"+
		"CANARY-77,Featherstonehaugh,=1+1,1971-04-05,<script>Wilhelmina</script>,K-77QX,303-555-0177,1 Birdcage Walk,"+time.Now().AddDate(0, 0, -2).Format(time.DateOnly)+"\n"+
		"CANARY-78,Featherstonehaugh,\x1b[2J,5.4.1971,Wilhelmina,,303-555-0177,1 Birdcage Walk,\n")
	for _, f := range []struct{ name, text string }{
		{"mail/Wilhelmina.json", `{"resourceType":"Patient","id":"w1","name":[{"family":"Featherstonehaugh","given":["Wilhelmina"]}],"birthDate":"1971-04-05","telecom":[{"system":"phone","value":"303-555-0177"},{"system":"phone","value":"303-555-0199"}],"address":[{"line":["2 Wombat Lane"]}]}`},
		{"mail/Featherstonehaugh.pdf", "%PDF"},
		{"mail/Wilhelmina broken.json", `{"resourceType":"Patient","name":"sorrowful`},
	} {
		write(f.name, f.text)
		write(f.name+".done", "")
	}

	silent := func(where, text string, words ...[]string) {
		t.Helper()
		for _, word := range slices.Concat(words...) {
			if strings.Contains(text, word) {
				t.Errorf("%s tells %q", where, word)
			}
		}
	}
	nobody := func(args ...string) said {
		t.Helper()
		s := p.run(append([]string{"--log", "debug"}, args...)...)
		silent(strings.Join(args, " "), s.out+s.err, canary, passing, theirs)
		return s
	}
	insider := func(args ...string) said { // it shows the client to whoever may see them, and what was said in passing to nobody
		t.Helper()
		s := p.must(0, args...)
		silent(strings.Join(args, " "), s.out, passing, theirs)
		return s
	}

	nobody("sync")
	nobody("sync")
	nobody("run", "sync")
	nobody("check")
	if s := nobody("links", "list"); !strings.Contains(s.out, "mail") {
		t.Errorf("no link is proposed, so nothing is tested:\n%s", s.out)
	} else if id := regexp.MustCompile(`(?m)^\s*([a-z]*-?[0-9a-f-]{6,})\s`).FindStringSubmatch(s.out); id == nil {
		t.Errorf("no link has an id:\n%s", s.out)
	} else {
		insider("links", "show", id[1])
		nobody("links", "show", id[1], "--json")
		nobody("links", "refuse", id[1], "--by", "ada", "--reason", "another person")
	}
	key := client(t, p)
	insider("record", "papers", key, "--release", "y", "--release-to", "none", "--consents", "y", "--by", "ada")
	if s := nobody("sync"); !strings.Contains(s.out, "laid out") {
		t.Errorf("no packet was laid out, so nothing is tested:\n%s", s.out)
	}
	nobody("packet", key)
	ids := p.files("out")
	if len(ids) != 2 {
		t.Fatalf("laid out: %v", ids)
	}
	id := strings.TrimSuffix(ids[1], ".html")
	nobody("deliveries")
	nobody("deliveries", "show", id)
	nobody("deliveries", "handed-over", id, "--by", "Tara")
	nobody("questions", "--again")
	p.stdin = "Hi, about Wilhelmina Featherstonehaugh, quokka:\nSTATUS: cleared\nVALID-TO: 2099-01-31\nLIMITS: BP 140/90\n\nsorrowful numbat\n"
	insider("record", "decision", key, "--paste", "--by", "ada")
	p.stdin = ""
	if s := nobody("rejects", "list"); !strings.Contains(s.out, "Appointment") || !strings.Contains(s.out, "roster") {
		t.Errorf("too little was rejected, so nothing is tested:\n%s", s.out)
	}
	nobody("sealed", "list")
	nobody("record", "list", "nobody of that name")
	nobody("disclosures", "nobody of that name")
	for _, format := range []string{"text", "csv", "html", "json"} {
		if s := insider("disclosures", key, "--format", format); format == "html" && strings.Contains(s.out, "<script>") {
			t.Error("a name is code in the accounting")
		}
	}
	insider("explain", key)
	insider("status")
	nobody("audit", "list", "--limit", "500")
	write("feed", feed.URL+"/private-SECRETFEED/none?key=SECRETFEED\n")
	nobody("sync")
	nobody("check")
	nobody("audit", "verify")

	// On the disk she stands in what was left, its copies and the packets, for the hub's user alone.
	page, err := os.ReadFile(filepath.Join(p.path("out"), ids[1]))
	if err != nil || strings.Contains(string(page), "<script>") || strings.Contains(string(page), "K-77QX") || !strings.Contains(string(page), "Wilhelmina") {
		t.Errorf("the page: %v %s", err, page)
	}
	err = filepath.WalkDir(p.dir, func(at string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		name, _ := filepath.Rel(p.dir, at)
		info, err := e.Info()
		if err != nil || info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %v (%v)", name, info.Mode(), err)
		}
		body, err := os.ReadFile(at)
		switch top, _, _ := strings.Cut(filepath.ToSlash(name), "/"); {
		case strings.Contains(name, "receipts"):
			silent(name, strings.NewReplacer(`"file": "roster Featherstonehaugh.csv"`, "", `"file": "Wilhelmina.json"`, "", `"file": "Wilhelmina broken.json"`, "", `"file": "Featherstonehaugh.pdf"`, "").Replace(string(body)), canary, passing, theirs)
		case top == "in" || top == "mail" || top == "feed":
		case top == "out":
			silent(name, string(body), passing, theirs)
		default:
			silent(name, string(body), canary, passing, theirs)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}

	// Nor in the store, opened with its key.
	if named := p.tablesNaming([]string{"Wilhelmina", "Featherstonehaugh", "1971-04-05", "Birdcage", "555-0177"}); !slices.Equal(named, []string{"delivery", "verdict", "version"}) {
		t.Errorf("she is named in the tables %v", named)
	}
	if named := p.tablesNaming(append([]string{"sorrowful"}, passing...)); len(named) > 0 {
		t.Errorf("what was said in passing is kept in the tables %v", named)
	}
}
