package folder

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/kaphub/kaphub/connectors"
	"github.com/kaphub/kaphub/connectors/connectortest"
	"github.com/kaphub/kaphub/fhir"
)

// desk is a party that leaves files.
type desk struct {
	dir string
	n   int
	out bool // the last Bundle lacks rows
	now time.Time
}

func newDesk(t *testing.T, change func(*Options)) (connectors.Connector, *desk) {
	t.Helper()
	d := &desk{dir: t.TempDir(), now: now}
	o := Options{Name: "exports", Party: fhir.Practice, In: d.dir, PageSize: 3, Format: format, Now: func() time.Time { return d.now }}
	if change != nil {
		change(&o)
	}
	c, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return c, d
}

// leave leaves a file that was written a minute ago, each a second after the one before.
func (d *desk) leave(t *testing.T, name, body string) {
	t.Helper()
	at := filepath.Join(d.dir, name)
	if err := os.WriteFile(at, []byte(body), 0o600); err != nil {
		t.Fatal(err)
	}
	d.n++
	when := d.now.Add(-time.Hour + time.Duration(d.n)*time.Second)
	if err := os.Chtimes(at, when, when); err != nil {
		t.Fatal(err)
	}
}

func (d *desk) Put(t *testing.T, body string) (fhir.Ref, bool) {
	d.leave(t, fmt.Sprintf("%03d.json", d.n), body)
	top, err := fhir.Members([]byte(body))
	if err != nil {
		t.Fatal(err)
	}
	ref := fhir.Ref{Type: word(top["resourceType"]), ID: word(top["id"])}
	return ref, ref.ID != ""
}

func (d *desk) Delete(t *testing.T, ref fhir.Ref) bool {
	d.leave(t, fmt.Sprintf("%03d.json", d.n), `{"resourceType":"Bundle","type":"history","entry":[{"request":{"method":"DELETE","url":"`+ref.String()+`"}}]}`)
	return true
}

func (d *desk) Count(*testing.T, string, fhir.ID) int { return 0 }

func (d *desk) Trouble(t *testing.T, kind connectortest.Trouble, _ int) bool {
	if kind == connectortest.Withheld {
		d.leave(t, fmt.Sprintf("%03d.json", d.n), `{"resourceType":"Bundle","type":"searchset","entry":[{"search":{"mode":"outcome"},"resource":{"resourceType":"OperationOutcome"}}]}`)
		d.out = true
		return true
	}
	return false // a directory is neither busy nor does it lose a reply; what a file does is tested here
}

// Mend exports again what was withheld.
func (d *desk) Mend(t *testing.T) {
	if d.out {
		d.leave(t, fmt.Sprintf("%03d.json", d.n), `{"resourceType":"Bundle","type":"searchset"}`)
	}
}

func TestConnector(t *testing.T) {
	connectortest.Run(t, func(t *testing.T) (connectors.Connector, connectortest.World) {
		return newDesk(t, nil)
	})
}
