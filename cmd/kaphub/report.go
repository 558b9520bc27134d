package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/kaphub/kaphub/cmd/internal/console"
	"github.com/kaphub/kaphub/fhir"
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
	h, err := s.open(ctx)
	if err != nil {
		return err
	}
	defer h.close()
	return h.look(ctx, "view report", c.AsOf, "", func(in report.Input, _ string) error {
		in, err := h.since(ctx, in)
		if err != nil {
			return err
		}
		var page bytes.Buffer
		r := report.Build(in)
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

const lastReport = "report.last" // setting: when the report before was given

// keptReports is how many reports given are looked back at.
const keptReports = 1000

// given are the reports that were given, newest first: what each said is what was known at its moment.
func (h *hub) given(ctx context.Context) ([]console.Given, error) {
	said, err := h.store.SettingHistory(ctx, lastReport, 0, keptReports)
	if err != nil {
		return nil, err
	}
	list := make([]console.Given, 0, len(said))
	for _, s := range said {
		when, number, numbered := strings.Cut(s.Value, " @")
		at, err := time.Parse(time.RFC3339Nano, when)
		if err != nil {
			return nil, fmt.Errorf("read when a report was given: %w", err)
		}
		moment := s.Moment // what was given before its moment was kept, too
		if n, err := strconv.ParseInt(number, 10, 64); numbered && err == nil {
			moment = fhir.Moment(n)
		}
		list = append(list, console.Given{At: at, Moment: moment, By: s.Actor})
	}
	return list, nil
}

// since has a report tell what is new since the one that was given before it.
func (h *hub) since(ctx context.Context, in report.Input) (report.Input, error) {
	given, err := h.given(ctx)
	in.Since = console.Before(given, in.AsOf)
	return in, err
}

// reporting is the point at which actor gives a report now: a commit of its own, whose time no later one shares.
func (h *hub) reporting(ctx context.Context, actor string) (point, error) {
	if err := h.apply(ctx); err != nil {
		return point{}, err
	}
	moment, at, err := h.store.Look(ctx, actor, "give report", "", "")
	return point{moment, at}, err
}

// reported keeps that the report of a point was given.
func (h *hub) reported(ctx context.Context, actor string, p point) error {
	if err := h.store.Set(ctx, actor, lastReport, fmt.Sprintf("%s @%d", p.at.UTC().Format(time.RFC3339Nano), p.moment)); err != nil {
		return fmt.Errorf("note that the report was given: %w", err)
	}
	return nil
}

// writeReport writes the morning's report into the reports directory. What is new in it is new since the one before.
func (h *hub) writeReport(ctx context.Context) (jobs.Counts, error) {
	p, err := h.reporting(ctx, h.actor)
	if err != nil {
		return nil, err
	}
	in, err := h.viewAt(ctx, p, "")
	if err != nil {
		return nil, err
	}
	if in, err = h.since(ctx, in); err != nil {
		return nil, err
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
	return jobs.Counts{"clients": int64(len(in.Clients))}, h.reported(ctx, h.actor, p)
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
