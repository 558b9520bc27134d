package folder

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"slices"

	"github.com/kaphub/kaphub/connectors"
	"github.com/kaphub/kaphub/fhir"
)

// checker tells what the directories allow. It makes and removes an empty file in each, and nothing else.
type checker struct{ Options }

// Check looks at the directories and at what waits in them.
func (c *checker) Check(ctx context.Context) (connectors.Report, error) {
	const op = "check folder"
	report := connectors.Report{Software: "a directory"}
	say := func(level, about, format string, args ...any) {
		report.Lines = append(report.Lines, connectors.Line{Level: level, About: about, Text: fmt.Sprintf(format, args...)})
	}
	if err := ctx.Err(); err != nil {
		return report, trouble(ctx, op, err)
	}
	for _, dir := range []struct{ about, path string }{{"in", c.In}, {"out", c.Out}} {
		if dir.path == "" {
			continue
		}
		info, err := os.Stat(dir.path)
		if errors.Is(err, fs.ErrNotExist) && dir.about == "out" {
			say("works", dir.about, "it is made when the first packet is laid out")
			continue
		}
		if err != nil {
			return report, trouble(ctx, op, err)
		}
		if !info.IsDir() {
			return report, trouble(ctx, op, fmt.Errorf("%w: %s is no directory", fs.ErrInvalid, dir.about))
		}
		probe, err := os.CreateTemp(dir.path, ".check-*")
		if err != nil {
			return report, trouble(ctx, op, err)
		}
		_ = probe.Close()
		_ = os.Remove(probe.Name())
		say("works", dir.about, "the directory is there, and the hub may write to it")
		if mode := info.Mode().Perm(); mode&0o007 != 0 {
			say("degrades", dir.about, "everybody on this machine may look into it (mode %04o): run chmod o-rwx on it", mode)
		}
	}
	if c.In != "" {
		if err := c.contents(say); err != nil {
			return report, trouble(ctx, op, err)
		}
	}
	if c.Out != "" {
		say("works", "packets", "a referral is laid out as a Bundle and a page to print; a person hands it over and records it: kaphub deliveries handed-over")
		report.Lines = append(report.Lines, connectors.Line{Level: "impossible", About: "receipts",
			Text: "nobody there says that a packet arrived", Instead: "the person who handed it over says when"})
	}
	return report, nil
}

// contents says what the files may be, and what is wrong with those that wait.
func (c *checker) contents(say func(level, about, format string, args ...any)) error {
	b := inbox{c.Options}
	if c.Party == fhir.Practice {
		say("works", "roster", "%s, with a header of some of: %s", c.Roster, RosterColumns())
	} else {
		say("works", "statuses", "%s, with a header of some of: %s", c.Statuses, header(statusColumns))
	}
	say("works", "FHIR", "*.json (a Bundle or one resource) and *.ndjson")
	say("degrades", "searching", "nobody can be asked for one client: what is exported is what is known")
	infos, err := b.list()
	if err != nil {
		return err
	}
	wrong := map[string]int{}
	for _, info := range infos {
		if u := b.fault(info); u != nil {
			wrong[u.Error()]++
		}
	}
	for _, text := range sortedKeys(wrong) {
		say("degrades", "waiting", "%d of the files that wait cannot be taken: %s", wrong[text], text)
	}
	return nil
}

// fault tells what is wrong with a file that waits, nil for nothing.
func (b *inbox) fault(info fs.FileInfo) *Unread {
	if u := b.unfit(info); u != nil {
		return u
	}
	body, err := b.read(b.dir(info.Name()), info)
	if err == nil {
		_, _, err = b.parse(b.kind(info.Name()), body, info.ModTime())
	}
	u, _ := errors.AsType[*Unread](err)
	return u
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
