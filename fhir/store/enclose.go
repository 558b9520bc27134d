package store

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"

	"github.com/kaphub/kaphub/fhir/exchange"
)

// enclose encrypts what is kept as id under a key of its own, so that reading the table is not reading it, and what is
// moved to another row cannot be read at all.
func enclose(key []byte, id string, body []byte) (string, error) {
	gcm, err := cipherOf(key)
	if err != nil {
		return "", err
	}
	nonce := make([]byte, gcm.NonceSize())
	_, _ = rand.Read(nonce) // never fails
	return base64.StdEncoding.EncodeToString(gcm.Seal(nonce, nonce, body, []byte(id))), nil
}

// disclose is the way back; ErrNotFound where nothing is kept.
func disclose(key []byte, id, text string) ([]byte, error) {
	if text == "" {
		return nil, exchange.ErrNotFound
	}
	gcm, err := cipherOf(key)
	if err != nil {
		return nil, err
	}
	raw, err := base64.StdEncoding.DecodeString(text)
	if err != nil || len(raw) < gcm.NonceSize() {
		return nil, errSealBroken
	}
	body, err := gcm.Open(nil, raw[:gcm.NonceSize()], raw[gcm.NonceSize():], []byte(id))
	if err != nil {
		return nil, errSealBroken
	}
	return body, nil
}

var errSealBroken = errors.New("what is sealed is damaged: run `kaphub audit verify`")

func cipherOf(key []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("seal: %w", err)
	}
	return cipher.NewGCM(block)
}
