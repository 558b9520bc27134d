package store

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/kaphub/kaphub/fhir"
	"github.com/kaphub/kaphub/fhir/exchange"
	table "github.com/kaphub/kaphub/fhir/store/db"
)

// Accounts returns every account as it stands, in the order of their ids, and the moment of which that is.
func (db *DB) Accounts(ctx context.Context) (list []exchange.Account, asOf fhir.Moment, err error) {
	err = db.snap(ctx, "read accounts", func(q *table.Queries) error {
		at, err := q.AccountsMoved(ctx)
		if err != nil {
			return err
		}
		rows, err := q.AccountsNow(ctx)
		if err != nil {
			return err
		}
		asOf, list = fhir.Moment(at), make([]exchange.Account, 0, len(rows))
		for _, r := range rows {
			a, err := db.accountOf(table.AccountNowRow(r))
			if err != nil {
				return err
			}
			list = append(list, a)
		}
		return nil
	})
	return list, asOf, err
}

// AccountOf returns one account as it stands; ErrNotFound when there is none of that id.
func (db *DB) AccountOf(ctx context.Context, id string) (exchange.Account, error) {
	row, err := db.read.AccountNow(ctx, id)
	if err != nil {
		return exchange.Account{}, fmt.Errorf("read account %s: %w", id, plain(found(err)))
	}
	return db.accountOf(row)
}

func (db *DB) accountOf(r table.AccountNowRow) (exchange.Account, error) {
	secrets, err := disclose(db.keys.people, r.ID, r.Secrets)
	if err != nil {
		return exchange.Account{}, fmt.Errorf("account %s: %w", r.ID, errSealBroken)
	}
	return exchange.Account{ID: r.ID, Facts: []byte(r.Facts), Secrets: secrets, Seen: clock(r.Seen), Moment: fhir.Moment(r.Moment)}, nil
}

// KeepAccount commits an account's next version, as what the audit log names action and detail. ErrConflict when any
// account has a version after asOf: then whoever wrote it, another replica perhaps, knew what the caller does not, and
// nothing was changed.
func (db *DB) KeepAccount(ctx context.Context, actor, action, detail string, asOf fhir.Moment, a exchange.Account) error {
	secrets, err := enclose(db.keys.people, a.ID, a.Secrets)
	if err != nil {
		return fmt.Errorf("%s: %w", action, err)
	}
	return db.commit(ctx, action, a.ID, func(c *commit) error {
		c.actor, c.detail = actor, detail
		last, err := c.AccountsMoved(ctx)
		if err != nil {
			return err
		}
		if last > int64(asOf) {
			return exchange.ErrConflict
		}
		if err := c.ForgetSecrets(ctx, a.ID); err != nil {
			return err
		}
		row := table.Account{ID: a.ID, Moment: c.moment, At: c.at, Actor: actor, Facts: string(a.Facts), Digest: digestOf(secrets), Secrets: secrets}
		row.Mac = c.seal("account", accountParts(row)...)
		return c.PutAccount(ctx, table.PutAccountParams(row))
	})
}

// digestOf is by what secrets that were written are known again.
func digestOf(secrets string) string {
	sum := sha256.Sum256([]byte(secrets))
	return hex.EncodeToString(sum[:])
}

// accountParts are what an account's MAC covers: the secrets by their digest, since they are forgotten before the rest.
func accountParts(r table.Account) []string {
	return []string{r.ID, num(r.At), r.Actor, r.Facts, r.Digest}
}

// SignedIn commits that somebody signed in with the code of a time step, or by a recovery code for step 0. ErrConflict when
// a code of that step or a later one was taken already, by this hub or another replica: then nothing was changed.
func (db *DB) SignedIn(ctx context.Context, actor, action, id string, step int64) error {
	return db.commit(ctx, action, id, func(c *commit) error {
		c.actor = actor
		if step == 0 {
			return c.SeeAccount(ctx, table.SeeAccountParams{ID: id, Seen: c.at})
		}
		n, err := c.UseStep(ctx, table.UseStepParams{ID: id, Step: step, Seen: c.at})
		if err == nil && n == 0 {
			err = exchange.ErrConflict
		}
		return err
	})
}

// triesKept is how long tries are remembered that nobody followed up.
const triesKept = 24 * time.Hour

// loginDigest stands for a login as it was typed, which may be anything, a password too.
func (db *DB) loginDigest(login string) string {
	m := mac(db.keys.people, "login", login)
	return hex.EncodeToString(m[:])
}

// Mark is by what the hub knows again what it gave away: of parts, and nobody else can make it.
func (db *DB) Mark(parts ...string) string {
	m := mac(db.keys.people, append([]string{"mark"}, parts...)...)
	return hex.EncodeToString(m[:])
}

// Tries returns how many tries to sign in by that login failed since the last that did not, and when the last one was.
// After a day without one there were none.
func (db *DB) Tries(ctx context.Context, login string) (failed int, last time.Time, err error) {
	row, err := db.read.Tries(ctx, db.loginDigest(login))
	switch err = found(err); {
	case err == exchange.ErrNotFound: //nolint:errorlint // found answers this very one
		return 0, time.Time{}, nil
	case err != nil:
		return 0, time.Time{}, fmt.Errorf("read tries to sign in: %w", plain(err))
	case db.now().Sub(clock(row.Last)) >= triesKept:
		return 0, time.Time{}, nil
	}
	return int(row.Failed), clock(row.Last), nil
}

// CountTry counts one more try by that login, on top of the number that Tries told. ErrConflict when that moved meanwhile.
func (db *DB) CountTry(ctx context.Context, login string, was int) error {
	n, err := db.write.CountTry(ctx, table.CountTryParams{Login: db.loginDigest(login), Was: int64(was), Now: ms(db.now()), Stale: ms(db.now().Add(-triesKept)) + 1})
	if err == nil && n == 0 {
		err = exchange.ErrConflict
	}
	if err != nil {
		return fmt.Errorf("count a try to sign in: %w", plain(err))
	}
	return nil
}

// ReturnTry takes a try by that login back, the one that was counted on top of was: it did not fail, and the last that did
// was before.
func (db *DB) ReturnTry(ctx context.Context, login string, was int, before time.Time) error {
	err := db.write.ReturnTry(ctx, table.ReturnTryParams{Login: db.loginDigest(login), Counted: int64(was) + 1, Before: ms(before)})
	if err != nil {
		return fmt.Errorf("count a try to sign in: %w", plain(err))
	}
	return nil
}

// ForgetTries forgets the tries by that login, and those of others that nobody followed up.
func (db *DB) ForgetTries(ctx context.Context, login string) error {
	err := db.write.ForgetTries(ctx, table.ForgetTriesParams{Login: db.loginDigest(login), Stale: ms(db.now().Add(-triesKept))})
	if err != nil {
		return fmt.Errorf("forget tries to sign in: %w", plain(err))
	}
	return nil
}

// accounts looks at every version: the newest has its secrets, the others none.
func (v *verifier) accounts(ctx context.Context) error {
	rows, err := v.AllAccounts(ctx)
	for i, r := range rows {
		name := fmt.Sprintf("account %s (version at %d)", r.ID, r.Moment)
		v.row("account", name, r.Moment, r.Mac, accountParts(r)...)
		newest := i+1 == len(rows) || rows[i+1].ID != r.ID
		_, broken := disclose(v.db.keys.people, r.ID, r.Secrets)
		if newest && (broken != nil || digestOf(r.Secrets) != r.Digest) || !newest && r.Secrets != "" {
			v.report.Altered = append(v.report.Altered, name+" (its secrets)")
		}
	}
	return err
}
