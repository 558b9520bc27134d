package main

import (
	"bytes"
	"errors"
	"testing"

	"github.com/kaphub/kaphub/cmd/internal/console"
	"github.com/kaphub/kaphub/jobs/report"
)

// A report that was given says for ever what it said: at its moment the same is new, byte for byte, whatever came since.
func TestAReportGivenSaysTheSameForEver(t *testing.T) {
	h := practised(t)
	ctx := t.Context()
	options, err := h.console(nil)
	if err != nil {
		t.Fatal(err)
	}
	files := func(asOf string) string {
		in, err := options.Views.Look(ctx, "Ann", "report", "", asOf)
		if err != nil {
			t.Fatal(err)
		}
		given, err := options.Reports.Given(ctx)
		if err != nil {
			t.Fatal(err)
		}
		in.Since = console.Before(given, in.AsOf)
		r := report.Build(in)
		var b bytes.Buffer
		if err := errors.Join(r.CSV(&b), r.JSON(&b), r.HTML(&b)); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	first, err := options.Reports.Give(ctx, "Ann")
	if err != nil {
		t.Fatal(err)
	}
	was := files(first.AsOf())
	if _, err := h.writeReport(ctx); err != nil { // as the schedule does
		t.Fatal(err)
	}
	given, err := options.Reports.Given(ctx)
	if err != nil || len(given) != 2 || given[1] != first || given[1].By != "Ann" || given[0].By == "Ann" {
		t.Fatalf("given: %+v, %v", given, err)
	}
	if now := files(first.AsOf()); now != was {
		t.Error("the first one says something else by now")
	}
	if files(given[0].AsOf()) == was {
		t.Error("the second says what the first said")
	}
	log, err := h.store.AuditLog(ctx, int64(first.Moment)-1, 1)
	if err != nil || len(log) != 1 || log[0].Actor != "Ann" || log[0].Action != "give report" {
		t.Errorf("the audit log has %+v, %v", log, err)
	}
}
