package auth

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/base64"
	"errors"
	"io"
)

// Seal encrypts a short text, such as one that is as good as a password for a
// while (a response URL), so that a store or queue can keep it without holding
// it, and nobody without the pepper can make another.
func (p Pepper) Seal(random io.Reader, text string) (string, error) {
	if text == "" {
		return "", nil
	}
	box, err := p.box()
	if err != nil {
		return "", err
	}
	sealed := make([]byte, box.NonceSize(), box.NonceSize()+len(text)+box.Overhead())
	if _, err := io.ReadFull(random, sealed); err != nil {
		return "", err
	}
	return base64.RawURLEncoding.EncodeToString(box.Seal(sealed, sealed, []byte(text), nil)), nil
}

// ErrSealed: the text was not sealed with this pepper, or was changed since.
var ErrSealed = errors.New("a sealed text cannot be opened: SEKISHO_PEPPER differs from the one it was sealed with")

// Open is the reverse of Seal.
func (p Pepper) Open(sealed string) (string, error) {
	if sealed == "" {
		return "", nil
	}
	box, err := p.box()
	if err != nil {
		return "", err
	}
	raw, err := base64.RawURLEncoding.DecodeString(sealed)
	if err != nil || len(raw) < box.NonceSize() {
		return "", ErrSealed
	}
	text, err := box.Open(nil, raw[:box.NonceSize()], raw[box.NonceSize():], nil)
	if err != nil {
		return "", ErrSealed
	}
	return string(text), nil
}

func (p Pepper) box() (cipher.AEAD, error) {
	block, err := aes.NewCipher(p.hmac("seal"))
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}
