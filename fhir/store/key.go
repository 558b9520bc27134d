package store

import (
	"bytes"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
)

// Key is the 32-byte master key; subkeys for pages, audit, digests and backups are derived from it (HKDF). It cannot print itself.
type Key struct{ b [32]byte }

// The purposes a subkey is derived for. What was written with one cannot be read with another.
const (
	forPages   = "kaphub pages"
	forBackup  = "kaphub backup pages"
	forSigning = "kaphub backup signature"
	forAudit   = "kaphub audit"
	forTip     = "kaphub audit tip"
	forDigests = "kaphub identifier digests"
	forSealed  = "kaphub sealed content"
	forPeople  = "kaphub account secrets and sessions"
	forCheck   = "kaphub key check"
)

// NewKey returns a random key.
func NewKey() Key {
	var k Key
	_, _ = rand.Read(k.b[:]) // never fails (crypto/rand)
	return k
}

// ParseKey reads a key from its 64 hex characters. The error never carries them.
func ParseKey(text string) (Key, error) {
	var k Key
	text = strings.TrimSpace(text)
	if len(text) != 2*len(k.b) {
		return k, fmt.Errorf("a key has %d hex characters, this has %d: use the one that `kaphub init` made", 2*len(k.b), len(text))
	}
	if _, err := hex.Decode(k.b[:], []byte(text)); err != nil {
		return Key{}, errors.New("a key is written in hex (0-9, a-f) only: use the one that `kaphub init` made")
	}
	return k, nil
}

// LoadKey reads the key file at path. Only its owner may be able to read it.
func LoadKey(path string) (Key, error) {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return Key{}, fmt.Errorf("key file %s is not there: `kaphub init` makes one for a new store; for an existing store put its key file back, or type in its recovery key", path)
	}
	if err != nil {
		return Key{}, fmt.Errorf("key file %s: %w", path, err)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return Key{}, fmt.Errorf("key file %s can be read by others (%04o): chmod 600 %s", path, info.Mode().Perm(), path)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return Key{}, fmt.Errorf("key file %s: %w", path, err)
	}
	k, err := ParseKey(string(text))
	if err != nil {
		return Key{}, fmt.Errorf("key file %s: %w", path, err)
	}
	return k, nil
}

// Save writes the key to a new file at path that only its owner can read. It never overwrites.
func (k Key) Save(path string) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("save key: %w", err)
	}
	_, err = f.WriteString(hex.EncodeToString(k.b[:]) + "\n")
	return errors.Join(err, f.Sync(), f.Close())
}

// IsZero reports whether k is no key at all.
func (k Key) IsZero() bool { return k == Key{} }

// String is "[key]": a key cannot be printed by accident.
func (k Key) String() string { return "[key]" }

// Format is "[key]" for every verb.
func (k Key) Format(s fmt.State, _ rune) { _, _ = s.Write([]byte("[key]")) }

// letters is Crockford's alphabet: without I, L, O and U, which are misread when written by hand.
var letters = base32.NewEncoding("0123456789ABCDEFGHJKMNPQRSTVWXYZ").WithPadding(base32.NoPadding)

// Recovery returns the key as groups of letters to be written down once and locked away; the last group is a checksum.
func (k Key) Recovery() string {
	sum := sha256.Sum256(k.b[:])
	text := letters.EncodeToString(append(k.b[:], sum[:3]...))
	var groups []string
	for len(text) > 0 {
		n := min(4, len(text))
		groups, text = append(groups, text[:n]), text[n:]
	}
	return strings.Join(groups, "-")
}

// ParseRecovery reads back what Recovery wrote, in upper or lower case, with or without its dashes and spaces.
func ParseRecovery(text string) (Key, error) {
	var k Key
	text = strings.ToUpper(strings.Join(strings.Fields(strings.ReplaceAll(text, "-", "")), ""))
	text = strings.NewReplacer("I", "1", "L", "1", "O", "0").Replace(text)
	raw, err := letters.DecodeString(text)
	if err != nil || len(raw) != len(k.b)+3 {
		return k, errors.New("this is not a whole recovery key: it has 14 groups of four letters and digits; copy it again from the paper")
	}
	sum := sha256.Sum256(raw[:len(k.b)])
	if !bytes.Equal(sum[:3], raw[len(k.b):]) {
		return k, errors.New("the recovery key has a typing mistake: its last group does not fit the rest; copy it again from the paper")
	}
	copy(k.b[:], raw)
	return k, nil
}

// sub derives the subkey for one purpose.
func (k Key) sub(purpose string) []byte {
	b, err := hkdf.Key(sha256.New, k.b[:], nil, purpose, 32)
	if err != nil {
		panic("hkdf: " + err.Error()) // 32 bytes are always to be had
	}
	return b
}

// mac is HMAC-SHA256 over parts, each with its length, so that no two lists of parts read the same.
func mac(key []byte, parts ...string) [32]byte {
	size := 0
	for _, p := range parts {
		size += 8 + len(p)
	}
	text := make([]byte, 0, size)
	for _, p := range parts {
		text = append(binary.LittleEndian.AppendUint64(text, uint64(len(p))), p...)
	}
	h := hmac.New(sha256.New, key)
	_, _ = h.Write(text)
	var sum [32]byte
	h.Sum(sum[:0])
	return sum
}
