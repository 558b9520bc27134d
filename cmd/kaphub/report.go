package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/kaphub/kaphub/jobs"
	"github.com/kaphub/kaphub/jobs/report"
)

type reportCommand struct {
	Format string `enum:"html,csv,json,text" default:"text" help:"html, csv, json or text."`
	Out    string `placeholder:"FILE" help:"Write to a file (mode 0600) instead of the terminal."`
	AsOf   string `placeholder:"T" help:"As it was known then: 2026-03-03T09:15, or @1234, a moment of the audit log."`
}

// Run writes the reconciliation report.
func (c *reportCommand) Run(ctx context.Context, s *scene) error {
	return s.look(ctx, "view report", c.AsOf, "", func(in report.Input, _ string) error {
		var page bytes.Buffer
		r := report.Build(in)
		var err error
		switch c.Format {
		case "html":
			err = r.HTML(&page)
		case "csv":
			err = r.CSV(&page)
		case "json":
			err = r.JSON(&page)
		default:
			options := s.options()
			options.Colour = options.Colour && c.Out == ""
			err = r.Text(&page, options)
		}
		if err != nil {
			return fmt.Errorf("write report: %w", err)
		}
		if c.Out != "" {
			if err := replace(c.Out, page.Bytes()); err != nil {
				return err
			}
			s.printf("Wrote %s (readable by you alone).\n", c.Out)
			return nil
		}
		_, err = s.out.Write(page.Bytes())
		return err
	})
}

const lastReport = "report.last" // setting: when the report before was written

// writeReport writes the morning's report into the reports directory. What is new in it is new since the one before.
func (h *hub) writeReport(ctx context.Context) (jobs.Counts, error) {
	in, err := h.view(ctx)
	if err != nil {
		return nil, err
	}
	if before, err := h.store.Setting(ctx, lastReport, 0); err == nil && before != "" {
		if in.Since, err = time.Parse(time.RFC3339, before); err != nil {
			return nil, fmt.Errorf("read when the last report was written: %w", err)
		}
	}
	var page bytes.Buffer
	if err := report.Build(in).HTML(&page); err != nil {
		return nil, fmt.Errorf("write report: %w", err)
	}
	dir := h.config.Path(h.config.Hub.Reports)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make reports directory: %w", err)
	}
	name := filepath.Join(dir, "report-"+in.AsOf.In(h.config.Location()).Format("2006-01-02-1504")+".html")
	if err := replace(name, page.Bytes()); err != nil {
		return nil, err
	}
	if err := h.store.Set(ctx, h.actor, lastReport, in.AsOf.UTC().Format(time.RFC3339)); err != nil {
		return nil, fmt.Errorf("note that the report was written: %w", err)
	}
	return jobs.Counts{"clients": int64(len(in.Clients))}, h.store.Audit(ctx, h.actor, "write report", "", "")
}

// replace writes a file that only its owner may read, whole or not at all.
func replace(name string, body []byte) error {
	if at, err := os.Stat(name); err == nil && at.IsDir() {
		return fmt.Errorf("write %s: that is a directory: name a file in it", name)
	}
	file, err := os.CreateTemp(filepath.Dir(name), ".kaphub-*") // mode 0600
	if err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	_, err = file.Write(body)
	err = errors.Join(err, file.Sync(), file.Close())
	if err == nil {
		err = os.Rename(file.Name(), name)
	}
	if err != nil {
		if gone := os.Remove(file.Name()); gone != nil && !errors.Is(gone, fs.ErrNotExist) {
			err = errors.Join(err, gone)
		}
		return fmt.Errorf("write %s: %w", name, err)
	}
	return nil
}
