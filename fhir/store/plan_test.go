package store

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// scans are the queries that may read a whole table: rare, or all that they read is wanted.
var scans = map[string]bool{
	"allBegan": true, "allLinks": true, "allRulings": true, "allSettings": true, "allSteps": true, "allTellings": true, "board": true, "countDeliveries": true, "countSealed": true, "countVersions": true, "deliveries": true, "openDeliveriesAt": true, "practicePatients": true, "rejects": true, "sealedAll": true, "twiceAtPractice": true, "verdictsFrom": true, "versionsFrom": true,
	"moveParty": true, "auditAfter": true, "wantedAtPractice": true,
	"accountsNow": true, "allAccounts": true, "allGlasses": true, "dropEverySession": true,
}

// Cost follows change: what runs with every page, verdict or try goes by an index, whether or not statistics were kept.
func TestQueriesGoByAnIndex(t *testing.T) {
	w := newWorld(t, filepath.Join(t.TempDir(), "kaphub.db"))
	w.fill(2000)
	w.plans()
	w.exec("ANALYZE")
	w.plans()
}

func (w *world) plans() {
	files, err := filepath.Glob("db/*.sql.go")
	w.must(err)
	query := regexp.MustCompile("(?s)const (\\w+) = `(.*?)`")
	param := regexp.MustCompile(`\$\d+`)
	for _, file := range files {
		text, err := os.ReadFile(file)
		w.must(err)
		for _, q := range query.FindAllSubmatch(text, -1) {
			name, statement := string(q[1]), param.ReplaceAllString(string(q[2]), "'x'")
			statement = strings.ReplaceAll(statement, "json_each('x')", "json_each('{}')")
			w.plan(name, statement)
		}
	}
}

func (w *world) plan(name, statement string) {
	rows, err := w.reader.QueryContext(w.ctx, "EXPLAIN QUERY PLAN "+statement)
	w.must(err)
	defer func() { w.must(rows.Close()) }()
	for rows.Next() {
		var id, parent, unused int
		var detail string
		w.must(rows.Scan(&id, &parent, &unused, &detail))
		if strings.HasPrefix(detail, "SCAN ") && !scans[name] && !harmless.MatchString(detail) {
			w.Errorf("%s reads a whole table: %s", name, detail)
		}
	}
	w.must(rows.Err())
}

// harmless are scans of what is small by itself: a list of keys, what a subquery found, a recursion's own rows, the handful of sources.
var harmless = regexp.MustCompile(`^SCAN (touched|befell|k|reach|r|up|json_each|n|CONSTANT ROW|\d+ )`)
