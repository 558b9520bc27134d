package jwks

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// Files are where the keys for one counterpart lie: the one that signs, the one that will, and the one that did and may
// still be asked for. Only the first must be there.
//
// A rotation makes Next (New, Save), waits until the counterpart has read it, promotes it (Promote), waits until nobody
// checks anything that the old one signed, and ends it (Retire). Each step is one rename or removal, and is found
// undone or done after a crash.
type Files struct{ Current, Next, Old string }

// At is where they lie beside current; next "" is current.next.
func At(current, next string) Files {
	if next == "" {
		next = current + ".next"
	}
	return Files{Current: current, Next: next, Old: current + ".old"}
}

// Published are the keys whose public halves the counterpart must be able to read, the signing one first. One that is
// there and cannot be read is left out and told of; so is a signing key that is missing.
func (f Files) Published() ([]Key, error) {
	var all []Key
	var wrong error
	for _, file := range []string{f.Current, f.Next, f.Old} {
		key, err := Load(file)
		switch {
		case errors.Is(err, fs.ErrNotExist) && file != f.Current:
		case err != nil:
			wrong = errors.Join(wrong, err)
		default:
			all = append(all, key)
		}
	}
	return all, wrong
}

// ErrOld is the error for a promotion while the key before is still published.
var ErrOld = errors.New("the key of the last rotation is still published")

// Promote makes Next the signing key; the one before is kept as Old, published on. There must be no other Old: ErrOld.
func (f Files) Promote() error {
	next, err := Load(f.Next)
	if err != nil {
		return err
	}
	current, err := Load(f.Current)
	if err != nil {
		return err
	}
	if next.ID() == current.ID() {
		return errors.New("the next key is the signing key: make another")
	}
	switch old, err := Load(f.Old); {
	case errors.Is(err, fs.ErrNotExist):
		if err := os.Link(f.Current, f.Old); err != nil {
			return fmt.Errorf("keep the old key: %w", err)
		}
	case err != nil:
		return err
	case old.ID() != current.ID(): // the same one: an earlier try came as far as this
		return ErrOld
	}
	if err := os.Rename(f.Next, f.Current); err != nil { // at every moment there is a signing key
		return fmt.Errorf("promote the next key: %w", err)
	}
	return nil
}

// Retire ends the publication of the old key and removes its file. None there is fs.ErrNotExist.
func (f Files) Retire() (Key, error) {
	old, err := Load(f.Old)
	if err != nil {
		return Key{}, err
	}
	if current, err := Load(f.Current); err != nil || current.ID() == old.ID() {
		return Key{}, errors.Join(err, errors.New("a rotation was broken off half way: run it again first"))
	}
	if err := os.Remove(f.Old); err != nil {
		return Key{}, fmt.Errorf("remove the old key: %w", err)
	}
	return old, nil
}

// Set is the public halves of keys as a JWK set (RFC 7517), each once.
func Set(keys []Key) []byte {
	set := struct {
		Keys []json.RawMessage `json:"keys"`
	}{Keys: []json.RawMessage{}}
	seen := map[string]bool{}
	for _, k := range keys {
		if !seen[k.ID()] {
			set.Keys = append(set.Keys, k.Public())
		}
		seen[k.ID()] = true
	}
	text, err := json.MarshalIndent(set, "", "  ")
	if err != nil { // of valid JSON, it can
		return []byte(`{"keys":[]}`)
	}
	return append(text, '\n')
}
