package folder

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/kaphub/kaphub/connectors"
	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/exchange"
)

// all reads from a cursor to the end.
func all(t *testing.T, c connectors.Connector, since exchange.Cursor) (whole exchange.Page) {
	t.Helper()
	for range 50 {
		page, err := c.Puller.Pull(t.Context(), since, exchange.Roster{})
		if err != nil {
			t.Fatalf("pull: %v", err)
		}
		page.Resources = append(whole.Resources, page.Resources...)
		page.Rejects = append(whole.Rejects, page.Rejects...)
		page.Gone = append(whole.Gone, page.Gone...)
		if whole, since = page, page.Next; !page.More {
			return whole
		}
	}
	t.Fatal("the pull does not end")
	return whole
}

func receiptOf(t *testing.T, d *desk, name string) (r receiptFile) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(d.dir, "receipts", name+".receipt.json"))
	if err == nil {
		err = json.Unmarshal(text, &r)
	}
	if err != nil {
		t.Fatalf("receipt of %s: %v", name, err)
	}
	for _, secret := range []string{"Invented", "Zanzibarra", "1988"} {
		if strings.Contains(string(text), secret) {
			t.Errorf("the receipt repeats %q", secret)
		}
	}
	return r
}

func there(d *desk, parts ...string) bool {
	_, err := os.Lstat(filepath.Join(append([]string{d.dir}, parts...)...))
	return err == nil
}

func TestWhatWasTakenIsKeptAndAnswered(t *testing.T) {
	c, d := newDesk(t, nil)
	d.leave(t, "roster.csv", head+"\n"+ada+"\n18,Zanzibarra,Bea,soon\n19,Third,Cleo,1990-01-01\n")
	page := all(t, c, "")
	if len(page.Resources) != 2 || len(page.Rejects) != 1 || !page.Complete {
		t.Fatalf("%d records, %d rejects, complete %v (%s)", len(page.Resources), len(page.Rejects), page.Complete, page.Why)
	}
	j := page.Rejects[0]
	if id := PatientID(SystemNumber, "18"); j.Reason != "roster line 3: birth_date: no-date" || j.Subject.ID != id || j.Ref != id || j.Source != "exports" || string(j.Body) != "18,Zanzibarra,Bea,soon" {
		t.Errorf("%+v", j)
	}
	r := receiptOf(t, d, "roster.csv")
	if !r.Taken || r.Rows != 3 || r.Refused != 1 || len(r.Lines) != 1 || r.Lines[0] != (lineFile{3, "birth_date", badDate}) {
		t.Errorf("%+v", r)
	}
	if there(d, "roster.csv") {
		t.Error("it still lies there")
	}
	entries, err := os.ReadDir(filepath.Join(d.dir, "taken"))
	if err != nil || len(entries) != 1 || !strings.HasPrefix(entries[0].Name(), "00000001-20260303T160000Z-") {
		t.Fatalf("%v %v", entries, err)
	}
	if info, err := entries[0].Info(); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the copy is %v", info.Mode())
	}
}

func TestAFileIsTakenOnceItIsWhole(t *testing.T) {
	c, d := newDesk(t, nil)
	at := filepath.Join(d.dir, "roster.csv")
	write := func(text string, when time.Time) {
		t.Helper()
		if err := errors.Join(os.WriteFile(at, []byte(text), 0o600), os.Chtimes(at, when, when)); err != nil {
			t.Fatal(err)
		}
	}
	write(head+"\n17,Inv", d.now)
	page := all(t, c, "")
	if len(page.Resources) != 0 || page.Complete || page.Why != "files that are still being written: 1" || !there(d, "roster.csv") {
		t.Fatalf("half a file: %d records, complete %v, %s", len(page.Resources), page.Complete, page.Why)
	}
	d.now = d.now.Add(time.Minute)
	write(head+"\n"+ada+"\n", d.now)
	if page = all(t, c, page.Next); page.Complete {
		t.Error("it was taken while it grew")
	}
	d.now = d.now.Add(time.Minute)
	if page = all(t, c, page.Next); len(page.Resources) != 1 || !page.Complete {
		t.Errorf("%d records, complete %v (%s)", len(page.Resources), page.Complete, page.Why)
	}

	write(head+"\n"+ada+"\n18,Other,Bea,1990-01-01\n", d.now.Add(24*time.Hour)) // the share's clock runs ahead
	if page = all(t, c, page.Next); page.Complete {
		t.Error("it was taken at first sight")
	}
	d.now = d.now.Add(time.Minute)
	if page = all(t, c, page.Next); len(page.Resources) != 2 || !page.Complete {
		t.Errorf("unchanged between two looks: %d records, %s", len(page.Resources), page.Why)
	}

	write(head+"\n"+ada+"\n", d.now)
	if err := os.WriteFile(at+".done", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if page = all(t, c, page.Next); len(page.Resources) != 1 || !page.Complete || there(d, "roster.csv.done") {
		t.Errorf("with its marker: %d records, complete %v", len(page.Resources), page.Complete)
	}
}

func TestWhatIsNobodysBusinessIsLeftAlone(t *testing.T) {
	c, d := newDesk(t, func(o *Options) { o.Ignore = []string{"*.txt", "archive*"} })
	for _, name := range []string{".roster.csv", "roster.csv.part", "roster.csv.tmp", "x.json.filepart", "README.txt", "orphan.csv.done", "roster.csv~"} {
		d.leave(t, name, "Zanzibarra")
	}
	if err := os.Mkdir(filepath.Join(d.dir, "archive-2025"), 0o700); err != nil {
		t.Fatal(err)
	}
	if page := all(t, c, ""); !page.Complete || len(page.Resources)+len(page.Rejects) > 0 || !there(d, "README.txt") {
		t.Errorf("complete %v (%s)", page.Complete, page.Why)
	}
}

func TestWhatCannotBeTakenStaysAndSaysSo(t *testing.T) {
	for _, row := range []struct {
		name   string
		leave  func(t *testing.T, d *desk)
		file   string
		reason string
	}{
		{"a spreadsheet", func(t *testing.T, d *desk) { d.leave(t, "clients.xlsx", "PK") }, "clients.xlsx", fileUnknown},
		{"a table that is no roster", func(t *testing.T, d *desk) { d.leave(t, "status.csv", "client\n1\n") }, "status.csv", fileUnknown},
		{"a roster with another header", func(t *testing.T, d *desk) { d.leave(t, "roster.csv", "Zanzibarra,x\n") }, "roster.csv", fileHeader},
		{"a roster of nobody", func(t *testing.T, d *desk) { d.leave(t, "roster.csv", head+"\n") }, "roster.csv", fileEmpty},
		{"a file beyond the limit", func(t *testing.T, d *desk) { d.leave(t, "big.json", strings.Repeat(" ", 5000)) }, "big.json", fileTooLarge},
		{"half a Bundle", func(t *testing.T, d *desk) { d.leave(t, "b.json", `{"resourceType":"Bundle","entry":[`) }, "b.json", fileNotFHIR},
		{"a Bundle that says its type twice", func(t *testing.T, d *desk) {
			d.leave(t, "b.json", `{"resourceType":"Bundle","type":"collection","type":"batch"}`)
		}, "b.json", fileNotFHIR},
		{"JSON that is no FHIR", func(t *testing.T, d *desk) { d.leave(t, "b.json", `{"name":"Zanzibarra"}`) }, "b.json", fileNotFHIR},
		{"an empty file", func(t *testing.T, d *desk) { d.leave(t, "b.ndjson", " \n\n") }, "b.ndjson", fileEmpty},
		{"a link", func(t *testing.T, d *desk) {
			if err := os.Symlink("/etc/passwd", filepath.Join(d.dir, "roster.csv")); err != nil {
				t.Skip("this system has no links")
			}
		}, "roster.csv", fileNotPlain},
		{"a directory", func(t *testing.T, d *desk) {
			if err := os.Mkdir(filepath.Join(d.dir, "march"), 0o700); err != nil {
				t.Fatal(err)
			}
		}, "march", fileNotPlain},
		{"a pipe", func(t *testing.T, d *desk) {
			if runtime.GOOS == "windows" || syscall.Mkfifo(filepath.Join(d.dir, "roster.csv"), 0o600) != nil {
				t.Skip("this system has no pipes")
			}
		}, "roster.csv", fileNotPlain},
	} {
		t.Run(row.name, func(t *testing.T) {
			c, d := newDesk(t, func(o *Options) { o.MaxBytes = 4096 })
			row.leave(t, d)
			d.leave(t, "good.json", `{"resourceType":"Patient","id":"p1"}`)
			page := all(t, c, "")
			if page.Complete || page.Why != "files that cannot be taken: 1 ("+row.reason+"); receipts/ beside them says why" {
				t.Errorf("complete %v, why %q", page.Complete, page.Why)
			}
			if len(page.Resources) != 1 {
				t.Error("the other file did not come")
			}
			if !there(d, row.file) {
				t.Error("it is gone")
			}
			if r := receiptOf(t, d, row.file); r.Taken || r.Why != row.reason || r.Next == "" {
				t.Errorf("%+v", r)
			}
			report, err := c.Checker.Check(t.Context())
			if err != nil || !strings.Contains(fmt.Sprint(report.Lines), row.reason) {
				t.Errorf("check does not tell of it: %v", err)
			}
			if err := os.Remove(filepath.Join(d.dir, row.file)); err != nil {
				t.Fatal(err)
			}
			if page = all(t, c, page.Next); !page.Complete {
				t.Errorf("taken away, and still: %s", page.Why)
			}
		})
	}
}

func TestTheSameFileTwiceDoesNoHarm(t *testing.T) {
	c, d := newDesk(t, nil)
	first, second := head+"\n"+ada+"\n", head+"\n17,Renamed,Ada,1988-02-29\n"
	d.leave(t, "roster.csv", first)
	page := all(t, c, "")
	d.leave(t, "roster.csv", second)
	page = all(t, c, page.Next)
	at := filepath.Join(d.dir, "roster.csv")
	old := d.now.Add(-time.Hour + time.Second) // the very file of then, copied back with its time
	if err := errors.Join(os.WriteFile(at, []byte(first), 0o600), os.Chtimes(at, old, old)); err != nil {
		t.Fatal(err)
	}
	if page = all(t, c, page.Next); len(page.Resources) > 0 || !page.Complete || !receiptOf(t, d, "roster.csv").Again {
		t.Errorf("an old file came back: %d records", len(page.Resources))
	}
	d.leave(t, "roster.csv", first) // a new export in the words of then: it may be a hold that came back
	if page = all(t, c, page.Next); len(page.Resources) != 1 {
		t.Errorf("a new export in old words: %d records", len(page.Resources))
	}
}

func TestWhoLeftTheRosterIsAFindingAndNoDeletion(t *testing.T) {
	one, two, three := ada, "18,Other,Bea,1990-01-01", "19,Third,Cleo,1990-01-01"
	rows := []struct {
		name    string
		partial bool
		next    string
		gone    int
	}{
		{"all are still there", false, one + "\n" + two + "\n" + three, 0},
		{"one left", false, one + "\n" + two, 1},
		{"one left, of a roster that names some only", true, one + "\n" + two, 0},
		{"one cannot be read: they did not leave", false, one + "\n" + two + "\n19,Third,Cleo,soon", 0},
		{"a row belongs to nobody: who left cannot be told", false, one + "\n" + two + "\n,Third,Cleo,1990-01-01", 0},
		{"the end was cut off: who left cannot be told", false, one + "\n18,\"Other,Bea,1990-01-01", 0},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			c, d := newDesk(t, func(o *Options) { o.Partial, o.PageSize = row.partial, 2 })
			d.leave(t, "roster-1.csv", head+"\n"+one+"\n"+two+"\n"+three+"\n")
			page := all(t, c, "")
			d.leave(t, "roster-2.csv", head+"\n"+row.next+"\n")
			page = all(t, c, page.Next)
			if len(page.Gone) != row.gone {
				t.Fatalf("gone: %v", page.Gone)
			}
			if row.gone == 1 && page.Gone[0] != (fhir.Ref{Type: "Patient", ID: PatientID(SystemNumber, "19")}) {
				t.Errorf("gone: %v", page.Gone)
			}
		})
	}
}

// A row that cannot be read stays a reject when its client is read back, and takes nothing from them.
func TestReadBackDoesNotLoseWhatWasRefused(t *testing.T) {
	c, d := newDesk(t, nil)
	d.leave(t, "roster-1.csv", head+"\n"+ada+"\n")
	d.leave(t, "roster-2.csv", head+"\n17,Invented,Ada,soon\n")
	id := PatientID(SystemNumber, "17")
	d.leave(t, "o.json", `{"resourceType":"Observation","id":"o1","status":"final","code":{"text":"x"},"subject":{"reference":"Patient/`+id+`"}}`)
	next := all(t, c, "").Next
	page, err := c.Puller.Pull(t.Context(), next, exchange.RosterOf([]string{id}, exchange.Everybody{}))
	if err != nil || len(page.Swept) != 1 || len(page.Resources) != 1 || page.Resources[0].ID != "o1" {
		t.Fatalf("swept %v, %d records, %v", page.Swept, len(page.Resources), err)
	}
	if len(page.Rejects) != 1 || page.Rejects[0].Type != "Patient" || page.Rejects[0].Ref != id || page.Rejects[0].Subject.ID != id {
		t.Errorf("%+v", page.Rejects)
	}
}

// A bad row of statuses is the client's until a person says otherwise: a good row beside it makes nothing good.
func TestABadRowOfStatusesIsNotMadeGoodByAnother(t *testing.T) {
	c, d := newDesk(t, func(o *Options) { o.Party = "skylight" })
	d.leave(t, "status.csv", "client,clearance,clearance_on\n17,cleared,2026-03-01\n17,maybe,2026-03-02\n")
	page := all(t, c, "")
	if len(page.Rejects) != 1 || page.Rejects[0].Type != "" || page.Rejects[0].Subject.ID != PatientID(SystemNumber, "17") {
		t.Errorf("%+v", page.Rejects)
	}
}

func TestABundleMayNameItsRecordsByURN(t *testing.T) {
	c, d := newDesk(t, nil)
	d.leave(t, "tx.json", `{"resourceType":"Bundle","type":"transaction","entry":[
		{"fullUrl":"urn:uuid:11111111-0000-4000-8000-000000000001","resource":{"resourceType":"Patient","name":[{"family":"Zanzibarra"}]},"request":{"method":"POST","url":"Patient"}},
		{"fullUrl":"urn:uuid:11111111-0000-4000-8000-000000000002","resource":{"resourceType":"Observation","id":"o1","status":"final","code":{"text":"x"},
		  "subject":{"reference": "urn:uuid:11111111-0000-4000-8000-000000000001"}},"request":{"method":"PUT","url":"Observation/o1"}},
		{"request":{"method":"DELETE","url":"Flag/f1"}}, {"resource":{"resourceType":"Observation","id":"o2"}}]}`)
	page := all(t, c, "")
	if len(page.Resources) != 2 || len(page.Gone) != 1 || len(page.Rejects) != 1 {
		t.Fatalf("%d records, gone %v, %d rejects", len(page.Resources), page.Gone, len(page.Rejects))
	}
	if ref, ok := fhir.Subject(page.Resources[1]); !ok || ref != page.Resources[0].Ref() {
		t.Errorf("the observation is about %v, the client is %v", ref, page.Resources[0].Ref())
	}
	if !strings.HasPrefix(page.Rejects[0].Reason, "bundle entry 4: ") {
		t.Error(page.Rejects[0].Reason)
	}
}

func TestHowOldWhatIsReadIs(t *testing.T) {
	c, d := newDesk(t, func(o *Options) { o.AsOfFile = true })
	page := all(t, c, "")
	if page.Complete || page.Why == "" {
		t.Error("nothing was ever left, and the read is complete")
	}
	d.leave(t, "roster.csv", head+"\n"+ada+"\n")
	page = all(t, c, page.Next)
	if want := d.now.Add(-time.Hour + time.Second); !page.Complete || !page.AsOf.Equal(want) {
		t.Errorf("as of %s, want %s", page.AsOf, want)
	}
	d.now = d.now.Add(48 * time.Hour)
	if again := all(t, c, page.Next); !again.AsOf.Equal(page.AsOf) {
		t.Errorf("nothing new, and yet as of %s", again.AsOf)
	}
}

func TestTheCopiesBelongToTheRecords(t *testing.T) {
	c, d := newDesk(t, nil)
	d.leave(t, "roster.csv", head+"\n"+ada+"\n")
	page := all(t, c, "")
	if err := os.RemoveAll(filepath.Join(d.dir, "taken")); err != nil {
		t.Fatal(err)
	}
	_, err := c.Puller.Pull(context.Background(), page.Next, exchange.Roster{})
	if connectors.FaultOf(err) != connectors.Temporary || !strings.Contains(fmt.Sprint(err), "is the share mounted") {
		t.Errorf("an unmounted share reads as no news: %v", err)
	}
}

func FuzzIntake(f *testing.F) {
	f.Add(uint8(0), []byte(head+"\n"+ada+"\n18,\"Oth\ner\",Bea,1990-01-01\n"))
	f.Add(uint8(1), []byte(told("client=17", "clearance=cleared", "clearance_on=2026-03-01")))
	f.Add(uint8(2), []byte(`{"resourceType":"Bundle","type":"history","entry":[{"request":{"method":"DELETE","url":"Flag/f1"}},{"resource":{"resourceType":"Patient","id":"p"}}]}`))
	f.Add(uint8(3), []byte("{\"resourceType\":\"Patient\",\"id\":\"p\"}\n\n{"))
	kinds := []string{"roster", "statuses", "bundle", "ndjson"}
	b := inbox{Options{Party: fhir.Practice, Format: format}}
	f.Fuzz(func(t *testing.T, kind uint8, body []byte) {
		name := kinds[int(kind)%len(kinds)]
		items, _, err := b.parse(name, body, now)
		if err != nil {
			if _, ok := errors.AsType[*Unread](err); !ok {
				t.Fatalf("not told as an *Unread: %v", err)
			}
			return
		}
		last := 0
		for _, it := range items {
			if it.refused != nil {
				if len(it.resources) > 0 || it.refused.Reason == "" || it.refused.Line < 1 {
					t.Fatalf("%+v", it.refused)
				}
				if (name == "roster" || name == "statuses") && it.refused.Line < last {
					t.Fatalf("line %d after line %d", it.refused.Line, last)
				}
				last = it.refused.Line
			}
			for _, r := range it.resources {
				if _, err := fhir.Parse(r.Body, r.Type); err != nil || r.ID == "" {
					t.Fatalf("%s is not fit for the store: %v", r.Type, err)
				}
			}
		}
		again, _, _ := b.parse(name, body, now)
		if len(again) != len(items) {
			t.Fatal("read twice, it says two things")
		}
	})
}
