package store

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/kaphub/kaphub/fhir/exchange"
	table "github.com/kaphub/kaphub/fhir/store/db"
)

// Sessions keeps the console's sessions, as alexedwards/scs asks (CtxStore, IterableCtxStore). A token is kept as its hash
// and what a session says encrypted, so that reading the table opens no door.
type Sessions struct{ db *DB }

// Sessions returns where sessions are kept.
func (db *DB) Sessions() Sessions { return Sessions{db} }

// hashed marks a name that All gave: it is the hash itself, which ends a session and opens none.
const hashed = "#"

func tokenHash(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}

// FindCtx returns what a session says, unless it is over. One that was tampered with is not found.
func (s Sessions) FindCtx(ctx context.Context, token string) ([]byte, bool, error) {
	hash := tokenHash(token)
	text, err := s.db.read.FindSession(ctx, table.FindSessionParams{Token: hash, Now: ms(s.db.now())})
	if err = found(err); errors.Is(err, exchange.ErrNotFound) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, fmt.Errorf("read session: %w", plain(err))
	}
	data, err := disclose(s.db.keys.people, "session "+hash, text)
	return data, err == nil, nil //nolint:nilerr // as scs asks
}

// CommitCtx keeps a session until expiry, and clears away those that are over. One that was ended stays so: what a request
// that was under way then would keep is dropped.
func (s Sessions) CommitCtx(ctx context.Context, token string, data []byte, expiry time.Time) error {
	hash := tokenHash(token)
	text, err := enclose(s.db.keys.people, "session "+hash, data)
	if err != nil {
		return err
	}
	now := ms(s.db.now())
	if err := s.db.write.PutSession(ctx, table.PutSessionParams{Token: hash, Began: now, Expiry: ms(expiry), Data: text}); err != nil {
		return fmt.Errorf("keep session: %w", plain(err))
	}
	if err := s.db.write.DropOldSessions(ctx, now); err != nil {
		return fmt.Errorf("clear away sessions: %w", plain(err))
	}
	return nil
}

// DeleteCtx ends a session.
func (s Sessions) DeleteCtx(ctx context.Context, token string) error {
	hash, ok := strings.CutPrefix(token, hashed)
	if !ok {
		hash = tokenHash(token)
	}
	if err := s.db.write.DropSession(ctx, hash); err != nil {
		return fmt.Errorf("end session: %w", plain(err))
	}
	return nil
}

// AllCtx returns what every session says, by names under which DeleteCtx ends them, and that open none.
func (s Sessions) AllCtx(ctx context.Context) (map[string][]byte, error) {
	rows, err := s.db.read.SessionsNow(ctx, ms(s.db.now()))
	if err != nil {
		return nil, fmt.Errorf("read sessions: %w", plain(err))
	}
	all := make(map[string][]byte, len(rows))
	for _, r := range rows {
		if data, err := disclose(s.db.keys.people, "session "+r.Token, r.Data); err == nil {
			all[hashed+r.Token] = data
		}
	}
	return all, nil
}

// Find is FindCtx.
func (s Sessions) Find(token string) ([]byte, bool, error) {
	return s.FindCtx(context.Background(), token)
}

// Commit is CommitCtx.
func (s Sessions) Commit(token string, data []byte, expiry time.Time) error {
	return s.CommitCtx(context.Background(), token, data, expiry)
}

// Delete is DeleteCtx.
func (s Sessions) Delete(token string) error { return s.DeleteCtx(context.Background(), token) }

// Own says whose a session is, once it was committed; ErrNotFound when there is none.
func (s Sessions) Own(ctx context.Context, token, account string) error {
	n, err := s.db.write.OwnSession(ctx, table.OwnSessionParams{Token: tokenHash(token), Account: account})
	if err == nil && n == 0 {
		err = exchange.ErrNotFound
	}
	if err != nil {
		return fmt.Errorf("whose session: %w", plain(err))
	}
	return nil
}

// Of returns the sessions of an account that are not over, oldest first.
func (s Sessions) Of(ctx context.Context, account string) ([]exchange.Session, error) {
	rows, err := s.db.read.SessionsOf(ctx, table.SessionsOfParams{Account: account, Now: ms(s.db.now())})
	if err != nil {
		return nil, fmt.Errorf("read sessions: %w", plain(err))
	}
	list := make([]exchange.Session, 0, len(rows))
	for _, r := range rows {
		list = append(list, exchange.Session{Name: hashed + r.Token, Began: clock(r.Began), Until: clock(r.Expiry)})
	}
	return list, nil
}

// End ends every session of an account.
func (s Sessions) End(ctx context.Context, account string) error {
	if account == "" {
		return errors.New("end sessions: of no account")
	}
	if err := s.db.write.DropSessions(ctx, account); err != nil {
		return fmt.Errorf("end sessions: %w", plain(err))
	}
	return nil
}
