package store

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"time"

	table "github.com/kaphub/kaphub/fhir/store/db"
)

// manifest lies beside a backup as its signature: the pages are encrypted, but only this tells that they are whole.
type manifest struct {
	Format int       `json:"format"`
	Hub    string    `json:"hub"`
	Moment int64     `json:"moment"`
	Made   time.Time `json:"made"`
	SHA256 string    `json:"sha256"`
	MAC    string    `json:"mac"`
}

// sign is the manifest's MAC under the backup subkey.
func (m manifest) sign(key Key) string {
	sum := mac(key.sub(forSigning), num(int64(m.Format)), m.Hub, num(m.Moment), m.Made.UTC().Format(time.RFC3339Nano), m.SHA256)
	return hex.EncodeToString(sum[:])
}

// signatureOf is where the signature of the backup at path lies.
func signatureOf(path string) string { return path + ".sig" }

// Backup writes a consistent, encrypted and signed copy to path (SQLite; on PostgreSQL it answers what to do instead).
// The key is in neither file: without the key file or the recovery key a backup is worth nothing.
func (db *DB) Backup(ctx context.Context, path string) (err error) {
	if db.pool != nil {
		return errors.New("backup: this store is in PostgreSQL: use pg_dump or your server's own backup, and keep the key file elsewhere")
	}
	for _, p := range []string{path, signatureOf(path)} {
		if _, err := os.Lstat(p); err == nil {
			return fmt.Errorf("backup: %s is there already: choose another name", p)
		}
	}
	at, err := db.read.Moment(ctx)
	if err != nil {
		return fmt.Errorf("backup: %w", plain(err))
	}
	part := path + ".part"
	defer func() { _ = os.Remove(part) }()
	if err := copyPages(ctx, db.path, db.key.sub(forPages), part, db.key.sub(forBackup)); err != nil {
		return fmt.Errorf("backup: %w", err)
	}
	sum, err := hashFile(part)
	if err != nil {
		return fmt.Errorf("backup: %w", err)
	}
	m := manifest{Format: 1, Hub: version(), Moment: at, Made: db.now().UTC(), SHA256: sum}
	m.MAC = m.sign(db.key)
	text, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return fmt.Errorf("backup: %w", err)
	}
	if err := os.WriteFile(signatureOf(path), append(text, '\n'), 0o600); err != nil {
		return fmt.Errorf("backup: %w", err)
	}
	if err := os.Rename(part, path); err != nil {
		return fmt.Errorf("backup: %w", err)
	}
	return nil
}

// Restore makes a new store at to from the backup at from. It checks the signature first, never overwrites a file,
// and leaves the store paused: since the backup was made things may have been sent that it does not know of, so all
// that waits to be sent counts as tried and is asked about first.
func Restore(ctx context.Context, from, to string, key Key) error {
	if isPostgres(to) {
		return errors.New("restore: a PostgreSQL store is restored with pg_restore or your server's own tools")
	}
	for _, p := range []string{to, to + "-wal"} {
		if _, err := os.Lstat(p); err == nil {
			return fmt.Errorf("restore: %s is there already: move it away first", p)
		}
	}
	if err := checkSignature(from, key); err != nil {
		return fmt.Errorf("restore: %w", err)
	}
	part := to + ".part"
	for _, p := range []string{part, part + "-wal", part + "-shm", part + ".lock"} {
		_ = os.Remove(p)
		defer func() { _ = os.Remove(p) }()
	}
	if err := copyPages(ctx, from, key.sub(forBackup), part, key.sub(forPages)); err != nil {
		return fmt.Errorf("restore: %w", err)
	}
	if err := pause(ctx, part, key); err != nil {
		return fmt.Errorf("restore: %w", err)
	}
	if err := os.Link(part, to); err != nil { // unlike Rename it never overwrites
		return fmt.Errorf("restore: %w", err)
	}
	return nil
}

// pause marks a freshly restored store.
func pause(ctx context.Context, path string, key Key) error {
	db, err := Open(ctx, Options{DSN: path, Key: key})
	if err != nil {
		return err
	}
	return errors.Join(db.Restored(ctx), db.Close())
}

// Restored marks a store as brought back from a backup, whoever brought it back: it is paused, what waits to be sent counts as
// tried, for it may have been sent since, and nobody is signed in. Said twice, it does no harm.
func (db *DB) Restored(ctx context.Context) error {
	return db.commit(ctx, "restore", "", func(c *commit) error {
		staged, err := c.Deliveries(ctx, "staged")
		if err != nil {
			return err
		}
		for _, d := range staged {
			d.State, d.Attempts, d.Why = "attempted", d.Attempts+1, "restored: may have been sent after the backup"
			if err := c.step(ctx, d); err != nil {
				return err
			}
		}
		if err := c.DropEverySession(ctx); err != nil { // whoever was in signs in again
			return err
		}
		c.detail = fmt.Sprintf("deliveries in doubt=%d", len(staged))
		return c.PutMeta(ctx, table.PutMetaParams{Name: metaPaused, Value: "restored"})
	})
}

// checkSignature compares a backup with the signature beside it.
func checkSignature(path string, key Key) error {
	text, err := os.ReadFile(signatureOf(path))
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s is not there: without its signature a backup cannot be trusted", signatureOf(path))
	}
	if err != nil {
		return err
	}
	var m manifest
	if err := json.Unmarshal(text, &m); err != nil || m.Format != 1 {
		return fmt.Errorf("%s is no signature of this hub's backups", signatureOf(path))
	}
	if m.MAC != m.sign(key) {
		return errors.New("the signature was not made with this key: use the key file or recovery key of the store that was backed up")
	}
	sum, err := hashFile(path)
	if err != nil {
		return err
	}
	if sum != m.SHA256 {
		return fmt.Errorf("%s is not what was signed: it was damaged or changed; use another backup", path)
	}
	return nil
}

// copyPages writes all pages of one encrypted file, as of one moment, into a new one under another key.
func copyPages(ctx context.Context, from string, fromKey []byte, to string, toKey []byte) error {
	if err := create(to); err != nil {
		return err
	}
	source, err := sqliteAt(from, fromKey, "")
	if err != nil {
		return err
	}
	defer func() { _ = source.Close() }()
	source.SetMaxOpenConns(1)
	full, err := filepath.Abs(to)
	if err != nil {
		return err
	}
	secret := hex.EncodeToString(toKey)
	target := "file:" + escape(full) + "?vfs=adiantum&hexkey=" + secret
	_, err = source.ExecContext(ctx, "VACUUM INTO $1", target)
	if err = plain(err); err != nil && strings.Contains(err.Error(), secret) {
		return errors.New("the copy cannot be written there: is the directory writable?") // SQLite's own words carry the key
	}
	return err
}

func escape(path string) string {
	return strings.NewReplacer("%", "%25", "?", "%3f", "#", "%23").Replace(filepath.ToSlash(path))
}

func hashFile(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer func() { _ = f.Close() }()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// version is the hub's own, as built.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	return info.Main.Version
}
