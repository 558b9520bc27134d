package store

import (
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"
)

// SQLite binds $N by first appearance, PostgreSQL by number: one text serves both only while the two agree.
func TestParametersAppearInTheOrderOfTheirNumbers(t *testing.T) {
	files, err := filepath.Glob("db/*.sql.go")
	if err != nil || len(files) == 0 {
		t.Fatalf("no generated queries: %v", err)
	}
	query := regexp.MustCompile("(?s)const (\\w+) = `(.*?)`")
	param := regexp.MustCompile(`\$(\d+)`)
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, q := range query.FindAllSubmatch(text, -1) {
			next := 1
			for _, p := range param.FindAllSubmatch(q[2], -1) {
				n, err := strconv.Atoi(string(p[1]))
				if err != nil {
					t.Fatal(err)
				}
				if n > next {
					t.Errorf("%s: $%d appears before $%d: name the parameters in the order of the text", q[1], n, next)
				}
				next = max(next, n+1)
			}
		}
	}
}
