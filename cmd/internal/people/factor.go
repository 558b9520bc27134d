package people

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"fmt"
	"image/png"
	"slices"
	"strings"
	"time"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/totp"
)

// Factor is a second factor that is offered: it counts once a code of it was typed.
type Factor struct {
	Secret string // in letters and digits, as typed into an app that cannot scan
	URI    string // otpauth://…, as a link opens it on the phone itself
	PNG    []byte // the same as a QR code
}

const (
	stepSeconds   = 30
	recoveryCodes = 8
	qrSize        = 264
)

var codeForm = totp.ValidateOpts{Period: stepSeconds, Digits: otp.DigitsSix, Algorithm: otp.AlgorithmSHA1} // what every app can

// newFactor makes one for an account.
func newFactor(title, login string) (Factor, error) {
	key, err := totp.Generate(totp.GenerateOpts{Issuer: title, AccountName: login, Period: stepSeconds, Digits: otp.DigitsSix, Algorithm: otp.AlgorithmSHA1})
	if err != nil {
		return Factor{}, fmt.Errorf("make a second factor: %w", err)
	}
	img, err := key.Image(qrSize, qrSize)
	if err != nil {
		return Factor{}, fmt.Errorf("draw the second factor: %w", err)
	}
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		return Factor{}, fmt.Errorf("draw the second factor: %w", err)
	}
	return Factor{Secret: key.Secret(), URI: key.URL(), PNG: b.Bytes()}, nil
}

// stepOf is the time step whose code it is, of now or of one to either side; 0 = of none.
func stepOf(secret, code string, now time.Time) (int64, error) {
	var step int64
	for _, near := range []int64{-1, 0, 1} {
		n := now.Unix()/stepSeconds + near
		want, err := totp.GenerateCodeCustom(secret, time.Unix(n*stepSeconds, 0), codeForm)
		if err != nil {
			return 0, errors.New("a kept second factor cannot be read: run `kaphub audit verify`, and reset the account")
		}
		if subtle.ConstantTimeCompare([]byte(want), []byte(code)) == 1 {
			step = n
		}
	}
	return step, nil
}

// newRecovery makes codes for whoever loses their phone, and the hashes by which they are known again.
func newRecovery() (codes, hashes []string) {
	for range recoveryCodes {
		text := strings.ToLower(rand.Text()[:16]) // 80 bits
		codes = append(codes, text[:4]+"-"+text[4:8]+"-"+text[8:12]+"-"+text[12:])
		hashes = append(hashes, hashOf(text))
	}
	return codes, hashes
}

// without returns the recovery codes that are left when this one is used, and whether it is one.
func without(hashes []string, code string) ([]string, bool) {
	i := slices.Index(hashes, hashOf(code))
	if i < 0 {
		return hashes, false
	}
	return slices.Concat(hashes[:i], hashes[i+1:]), true
}

// typed is a code as it is compared: people type it with blanks and dashes.
func typed(code string) string {
	return strings.ToLower(strings.Map(func(r rune) rune {
		if strings.ContainsRune(" -\t\u00a0", r) {
			return -1
		}
		return r
	}, cut(code, 100)))
}

func hashOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}
