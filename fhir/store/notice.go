package store

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/exchange"
	table "github.com/kaphub/kaphub/fhir/store/db"
)

// Notices returns every notice as it stands that is not ended, or came to its end after the given time, oldest first, and
// the moment of which that is.
func (db *DB) Notices(ctx context.Context, after time.Time) (list []exchange.Mail, asOf fhir.Moment, err error) {
	err = db.snap(ctx, "read notices", func(q *table.Queries) error {
		at, err := q.Moment(ctx)
		if err != nil {
			return err
		}
		rows, err := q.NoticesAsTheyStand(ctx, ms(after))
		if err != nil {
			return err
		}
		asOf, list = fhir.Moment(at), make([]exchange.Mail, 0, len(rows))
		for _, r := range rows {
			n, err := noticeOf(r)
			if err != nil {
				return err
			}
			list = append(list, n)
		}
		return nil
	})
	return list, asOf, err
}

// Notice commits the next step of a notice. ErrConflict when anything was committed of that person's notices after asOf:
// then whoever did it, another replica perhaps, knew what the caller does not, and nothing was changed.
func (db *DB) Notice(ctx context.Context, actor string, asOf fhir.Moment, n exchange.Mail) (at fhir.Moment, err error) {
	about := map[string]int64{}
	for _, t := range n.About {
		about[t.What] = ms(t.At)
	}
	text, err := json.Marshal(about)
	if err != nil {
		return 0, fmt.Errorf("notice: %w", err)
	}
	err = db.commit(ctx, "notice", n.ID, func(c *commit) error {
		c.actor, c.detail = actor, string(n.State)
		last, err := c.NoticedLast(ctx, n.Person)
		if err != nil {
			return err
		}
		if last > int64(asOf) {
			return fmt.Errorf("notice %s: %w", n.ID, exchange.ErrConflict)
		}
		at = fhir.Moment(c.moment)
		row := table.Notice{ID: n.ID, Moment: c.moment, At: c.at, Kind: string(n.Kind), Person: n.Person, Address: n.Address, Day: n.Day,
			State: string(n.State), Ended: n.Ended(), Attempts: int64(n.Attempts), Due: ms(n.Due), Told: int64(n.Count), About: string(text), Why: n.Why}
		row.Mac = c.seal("notice", noticeParts(row)...)
		return c.PutNotice(ctx, table.PutNoticeParams(row))
	})
	return at, err
}

func noticeOf(r table.Notice) (exchange.Mail, error) {
	n := exchange.Mail{ID: r.ID, Kind: exchange.MailKind(r.Kind), Person: r.Person, Address: r.Address, Day: r.Day, State: exchange.MailState(r.State),
		Attempts: int(r.Attempts), Due: clock(r.Due), Count: int(r.Told), Why: r.Why, At: clock(r.At), Moment: fhir.Moment(r.Moment)}
	about := map[string]int64{}
	if err := json.Unmarshal([]byte(r.About), &about); err != nil {
		return n, fmt.Errorf("notice %s is damaged: run `kaphub audit verify`", r.ID)
	}
	for _, id := range sorted(about) {
		n.About = append(n.About, exchange.Told{What: id, At: clock(about[id])})
	}
	return n, nil
}

// noticeParts are what the MAC of a notice's step covers.
func noticeParts(r table.Notice) []string {
	return []string{r.ID, num(r.At), r.Kind, r.Person, r.Address, r.Day, r.State, fmt.Sprint(r.Ended), num(r.Attempts), num(r.Due), num(r.Told), r.About, r.Why}
}

func (v *verifier) notices(ctx context.Context) error {
	rows, err := v.AllNotices(ctx)
	for _, r := range rows {
		v.row("notice", fmt.Sprintf("notice %s (step at %d)", r.ID, r.Moment), r.Moment, r.Mac, noticeParts(r)...)
	}
	return err
}
