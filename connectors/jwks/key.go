// Package jwks keeps the key pairs by which the hub proves who it is to a counterpart, and tells their public halves.
package jwks

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"syscall"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

// The two algorithms that SMART Backend Services demands of every server (fhir.md section 6).
const (
	ES384 = string(jose.ES384) // EC P-384
	RS384 = string(jose.RS384) // RSA
)

const (
	leastRSA = 2048 // bits: less is refused
	freshRSA = 3072 // of a key that is made here
)

// Key is a private key with its name and its one algorithm. It cannot print, log or encode itself.
type Key struct{ pair jose.JSONWebKey }

// New makes a key for alg, ES384 or RS384, named by its thumbprint.
func New(alg string) (Key, error) {
	var private any
	var err error
	switch alg {
	case ES384:
		private, err = ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	case RS384:
		private, err = rsa.GenerateKey(rand.Reader, freshRSA)
	default:
		return Key{}, fmt.Errorf("make a key: %q is no algorithm for it: write %s or %s", alg, ES384, RS384)
	}
	if err != nil {
		return Key{}, fmt.Errorf("make a key: %w", err)
	}
	return checked(jose.JSONWebKey{Key: private})
}

// Load reads the key in file, a private JWK or an unencrypted PEM, that nobody but its owner may read. An error names no
// part of the key; a file that is not there is fs.ErrNotExist, one that others may read is fs.ErrPermission.
func Load(file string) (Key, error) {
	f, err := os.OpenFile(file, os.O_RDONLY|syscall.O_NONBLOCK, 0) // a pipe keeps nobody waiting
	if err != nil {
		return Key{}, fmt.Errorf("read key file: %w", err)
	}
	defer func() { _ = f.Close() }()
	switch info, err := f.Stat(); {
	case err != nil || !info.Mode().IsRegular():
		return Key{}, errors.New("read key file: it is no file: name one that the hub's user owns")
	case info.Mode().Perm()&0o077 != 0:
		return Key{}, fmt.Errorf("read key file: others may read it (mode %04o): run chmod 600 on it: %w", info.Mode().Perm(), fs.ErrPermission)
	}
	const most = 64 << 10
	text, err := io.ReadAll(io.LimitReader(f, most))
	if err != nil {
		return Key{}, fmt.Errorf("read key file: %w", err)
	}
	return Parse(text)
}

// Parse reads a private JWK or an unencrypted PEM (PKCS 8, or the older forms for EC and RSA). The key's name is the
// JWK's own, else its thumbprint (RFC 7638).
func Parse(text []byte) (Key, error) {
	if text = bytes.TrimSpace(text); bytes.HasPrefix(text, []byte("{")) {
		var pair jose.JSONWebKey
		if err := pair.UnmarshalJSON(text); err != nil {
			return Key{}, errors.New("the key is no JWK that can be read: write one private key, not a set of them")
		}
		return checked(pair)
	}
	for {
		var block *pem.Block
		if block, text = pem.Decode(text); block == nil {
			return Key{}, errors.New("the key is neither a JWK nor an unencrypted PEM of a private key")
		}
		var private any
		var err error
		switch block.Type {
		case "PRIVATE KEY":
			private, err = x509.ParsePKCS8PrivateKey(block.Bytes)
		case "EC PRIVATE KEY":
			private, err = x509.ParseECPrivateKey(block.Bytes)
		case "RSA PRIVATE KEY":
			private, err = x509.ParsePKCS1PrivateKey(block.Bytes)
		default: // openssl writes the curve's parameters before the key
			continue
		}
		if err != nil {
			return Key{}, errors.New("the key's PEM cannot be read: write an unencrypted PKCS 8 key, or run kaphub keys new")
		}
		return checked(jose.JSONWebKey{Key: private})
	}
}

// checked is pair with its name and algorithm, if it is strong enough and of a kind that every SMART server takes.
func checked(pair jose.JSONWebKey) (Key, error) {
	var alg string
	switch private := pair.Key.(type) {
	case *ecdsa.PrivateKey:
		if private.Curve != elliptic.P384() {
			return Key{}, fmt.Errorf("the key is on curve %s: SMART servers take P-384 (%s), or RSA (%s)", private.Curve.Params().Name, ES384, RS384)
		}
		alg = ES384
	case *rsa.PrivateKey:
		if n := private.N.BitLen(); n < leastRSA {
			return Key{}, fmt.Errorf("the RSA key has %d bits: it needs %d, better %d", n, leastRSA, freshRSA)
		}
		alg = RS384
	default:
		return Key{}, fmt.Errorf("the key is no private key for %s or %s: the public half and shared secrets cannot sign", ES384, RS384)
	}
	if pair.Algorithm != "" && pair.Algorithm != alg {
		return Key{}, fmt.Errorf("the key is meant for another algorithm: SMART servers take %s from a key of its kind", alg)
	}
	if pair.KeyID == "" {
		print, err := pair.Thumbprint(crypto.SHA256)
		if err != nil {
			return Key{}, errors.New("the key has no thumbprint")
		}
		pair.KeyID = base64.RawURLEncoding.EncodeToString(print)
	}
	return Key{jose.JSONWebKey{Key: pair.Key, KeyID: pair.KeyID, Algorithm: alg, Use: "sig"}}, nil
}

// ID is the key's name, the kid of what it signs.
func (k Key) ID() string { return k.pair.KeyID }

// Algorithm is ES384 or RS384.
func (k Key) Algorithm() string { return k.pair.Algorithm }

// Kind says what key it is: "EC P-384", "RSA 3072".
func (k Key) Kind() string {
	if private, ok := k.pair.Key.(*rsa.PrivateKey); ok {
		return fmt.Sprintf("RSA %d", private.N.BitLen())
	}
	return "EC P-384"
}

// Sign returns claims, a struct or a map of any, as a signed JWT (typ JWT, alg and kid as the key's).
func (k Key) Sign(claims any) (string, error) {
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.SignatureAlgorithm(k.pair.Algorithm), Key: k.pair}, (&jose.SignerOptions{}).WithType("JWT"))
	if err != nil {
		return "", errors.New("sign: the key cannot be used")
	}
	text, err := jwt.Signed(signer).Claims(claims).Serialize()
	if err != nil {
		return "", errors.New("sign: the key cannot be used")
	}
	return text, nil
}

// Public is the public half as a JWK.
func (k Key) Public() json.RawMessage {
	public := jose.JSONWebKey{KeyID: k.pair.KeyID, Algorithm: k.pair.Algorithm, Use: "sig"}
	switch private := k.pair.Key.(type) {
	case *ecdsa.PrivateKey:
		public.Key = &private.PublicKey
	case *rsa.PrivateKey:
		public.Key = &private.PublicKey
	}
	text, err := public.MarshalJSON()
	if err != nil { // of a key that checked let through, it can
		return json.RawMessage("null")
	}
	return text
}

// Save writes the key as a JWK into a new file that only its owner may read. It overwrites nothing: fs.ErrExist.
func (k Key) Save(file string) error {
	text, err := k.pair.MarshalJSON()
	if err != nil {
		return errors.New("write key file: the key cannot be encoded")
	}
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("write key file: %w", err)
	}
	_, err = f.Write(append(text, '\n'))
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("write key file: %w", err)
	}
	return nil
}

// Format writes the key's name, whatever the verb.
func (k Key) Format(w fmt.State, _ rune) { _, _ = io.WriteString(w, "key "+k.ID()) }

// MarshalText refuses: nothing encodes a private key by accident.
func (k Key) MarshalText() ([]byte, error) {
	return nil, errors.New("a private key is not encoded: use Public or Save")
}
