package people

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	_ "embed" // the commonest passwords
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"unicode"

	"golang.org/x/crypto/argon2"
	"golang.org/x/text/unicode/norm"
)

// Cost is what a password's hash takes: time for who guesses, and memory.
type Cost struct {
	Passes, KiB uint32
	Lanes       uint8
}

// usual is above what OWASP asks for at least (19 MiB, 2 passes).
var usual = Cost{Passes: 2, KiB: 64 << 10, Lanes: 1}

const (
	shortest = 12
	longest  = 200
	saltSize = 16
	hashSize = 32
	atOnce   = 2  // hashes computed at the same time
	waiting  = 32 // who may wait for their turn
)

//go:embed refused.txt
var refusedWords string

// Unfit says what is wrong with a password that somebody chose, and nothing of what it is.
type Unfit struct{ says string }

func (u *Unfit) Error() string { return u.says }

// mistakes says what is wrong with a password that somebody chooses. It never repeats any of it.
func mistakes(password string, p person) error {
	password = norm.NFC.String(password) // as it is hashed: keyboards send an accent as one character or as two
	runes := []rune(password)
	switch {
	case len(runes) < shortest:
		return &Unfit{fmt.Sprintf("the password is too short: take at least %d characters, four words that do not belong together for instance", shortest)}
	case len(runes) > longest:
		return &Unfit{fmt.Sprintf("the password is too long: take at most %d characters", longest)}
	}
	distinct := map[rune]bool{}
	for _, r := range runes {
		distinct[r] = true
	}
	bare := unwound(password)
	easy := &Unfit{"the password is among the first that somebody would guess: take four words that do not belong together"}
	if len(distinct) < 5 || inARow(runes) {
		return easy
	}
	for own := range strings.FieldsSeq(strings.ToLower(p.facts.Login + " " + p.facts.Name + " kaphub")) {
		if own = unwound(own); len(own) >= 3 {
			bare = strings.ReplaceAll(bare, own, "")
		}
	}
	for word := range strings.FieldsSeq(refusedWords) {
		bare = strings.ReplaceAll(bare, word, "")
	}
	if left := len([]rune(bare)); left < 4 && left < letters(runes) || letters(runes) == 0 && len(distinct) < 8 {
		return easy
	}
	return nil
}

// unwound are the letters of a password as it was before it was made to look like none: p4$$w0rd2026 is password.
func unwound(s string) string {
	s = strings.Map(func(r rune) rune {
		if i := strings.IndexRune("013457@$!", r); i >= 0 {
			return rune("oieastasi"[i])
		}
		return unicode.ToLower(r)
	}, strings.TrimRightFunc(s, func(r rune) bool { return !unicode.IsLetter(r) }))
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) {
			return r
		}
		return -1
	}, s)
}

func letters(runes []rune) (n int) {
	for _, r := range runes {
		if unicode.IsLetter(r) {
			n++
		}
	}
	return n
}

// inARow reports whether most characters follow the one before them, up or down, as in 123456789 or abcdef.
func inARow(runes []rune) bool {
	n := 0
	for i := 1; i < len(runes); i++ {
		if d := runes[i] - runes[i-1]; d >= -1 && d <= 1 {
			n++
		}
	}
	return n*3 >= len(runes)*2
}

// hasher computes hashes, a few at once: so that a flood of tries takes no more memory than that.
type hasher struct {
	cost     Cost
	turn     chan struct{}
	queue    atomic.Int64
	computed atomic.Int64
	decoy    string // what an unknown login's password is compared with
}

func newHasher(cost Cost) *hasher {
	if cost == (Cost{}) {
		cost = usual
	}
	return &hasher{cost: cost, turn: make(chan struct{}, atOnce), decoy: phc(cost, make([]byte, saltSize), make([]byte, hashSize))}
}

// key is a password's hash; ErrBusy when too many wait for one.
func (h *hasher) key(ctx context.Context, password string, salt []byte, c Cost) ([]byte, error) {
	defer h.queue.Add(-1)
	if h.queue.Add(1) > waiting+atOnce {
		return nil, ErrBusy
	}
	select {
	case h.turn <- struct{}{}:
		defer func() { <-h.turn }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	h.computed.Add(1)
	return argon2.IDKey([]byte(cut(norm.NFC.String(password), longest+1)), salt, c.Passes, c.KiB, c.Lanes, hashSize), nil
}

// hash is a password as it is kept.
func (h *hasher) hash(ctx context.Context, password string) (string, error) {
	salt := make([]byte, saltSize)
	_, _ = rand.Read(salt) // never fails
	key, err := h.key(ctx, password, salt, h.cost)
	return phc(h.cost, salt, key), err
}

// fits reports whether it is the password that was kept; with "" kept it is not, and takes the same time to say so.
// old means that it is to be hashed anew, at a higher cost.
func (h *hasher) fits(ctx context.Context, kept, password string) (fits, old bool, err error) {
	compared := kept
	if kept == "" {
		compared = h.decoy
	}
	c, salt, want, err := readPHC(compared)
	if err != nil {
		return false, false, err
	}
	key, err := h.key(ctx, password, salt, c)
	if err != nil {
		return false, false, err
	}
	fits = subtle.ConstantTimeCompare(key, want) == 1 && kept != ""
	return fits, fits && c != h.cost && c.KiB <= h.cost.KiB && c.Passes <= h.cost.Passes, nil
}

var b64 = base64.RawStdEncoding

// phc writes a hash as the password hashing competition agreed on.
func phc(c Cost, salt, key []byte) string {
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, c.KiB, c.Passes, c.Lanes, b64.EncodeToString(salt), b64.EncodeToString(key))
}

func readPHC(text string) (c Cost, salt, key []byte, err error) {
	parts := strings.Split(text, "$")
	if len(parts) == 6 && parts[1] == "argon2id" && parts[2] == fmt.Sprintf("v=%d", argon2.Version) {
		_, err = fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &c.KiB, &c.Passes, &c.Lanes)
		if err == nil {
			salt, err = b64.DecodeString(parts[4])
		}
		if err == nil {
			key, err = b64.DecodeString(parts[5])
		}
		if err == nil && c.Passes > 0 && c.Lanes > 0 && len(key) == hashSize && c.KiB <= 4<<20 {
			return c, salt, key, nil
		}
	}
	return c, nil, nil, errors.New("a kept password cannot be read: run `kaphub audit verify`, and reset the account")
}
