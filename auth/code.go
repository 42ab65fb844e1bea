package auth

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"io"
	"log/slog"
	"strings"
)

// codeAlphabet has no two characters that a reader could take for each other:
// 0 and O, 1, I and L, 2 and Z, 5 and S, 8 and B are all left out. All upper
// case, so that a double click selects the whole code and case never matters.
const codeAlphabet = "34679ACDEFGHJKMNPQRTUVWXY"

const (
	// secretLen characters of codeAlphabet are 116 bits: above the 112 from
	// which NIST SP 800-63B-4 lets a look-up secret be kept as a plain digest
	// (https://pages.nist.gov/800-63-4/sp800-63b.html).
	secretLen = 25
	// markLen is the length of each of the two marks behind the secret.
	markLen = 3
	codeLen = secretLen + 2*markLen
)

// Code is the secret of a pass: what its owner writes into the instance's tag.
// It prints as a placeholder; only Reveal gives it away.
//
// Behind the random part stand two short marks, both keyed by the pepper: one
// says that Sekisho made the code, the other for which instance. They let a
// refusal say "this pass is for another instance" without a second look-up.
// They prove nothing: only the digest of the whole code opens the gate.
//
// The text stands behind a pointer because fmt calls no String method on a
// field that is not exported, and on none at all for a verb such as %d. A
// pointer to a string inside a struct prints as an address all the same.
type Code struct{ text *string }

// ErrPepperShort is the error of NewPepper.
var ErrPepperShort = errors.New("the pepper is shorter than 32 bytes: make one with `openssl rand -hex 32`")

// Pepper is the key of the digest and of the marks. It prints as a placeholder,
// and keeps its key behind a pointer for the same reason as Code.
type Pepper struct{ key *string }

// NewPepper takes the key, 32 bytes at least.
func NewPepper(key string) (Pepper, error) {
	if len(key) < 32 {
		return Pepper{}, ErrPepperShort
	}
	return Pepper{&key}, nil
}

// NewCode draws a code for one instance from random, which is crypto/rand.Reader
// outside of tests.
func (p Pepper) NewCode(random io.Reader, instance string) (Code, error) {
	secret := make([]byte, 0, secretLen)
	// A byte below 250 maps evenly on 25 characters; a higher one is drawn again.
	for draw := make([]byte, 2*secretLen); len(secret) < secretLen; {
		if _, err := io.ReadFull(random, draw); err != nil {
			return Code{}, err
		}
		for _, b := range draw {
			if b < 250 && len(secret) < secretLen {
				secret = append(secret, codeAlphabet[b%25])
			}
		}
	}
	s := string(secret)
	s += p.mark("made", s) + p.mark("for "+instance, s)
	return Code{&s}, nil
}

// ReadCode reads a code as people write them into tags: any case, with the
// quotes, blanks or back-ticks that came along with the paste. It reports
// false when the text does not have a code's shape.
func ReadCode(text string) (Code, bool) {
	if len(text) > 256 { // EC2's limit of a tag's value
		return Code{}, false
	}
	s := strings.ToUpper(strings.Trim(text, " \t\r\n'\"`"))
	if len(s) != codeLen {
		return Code{}, false
	}
	for i := range len(s) {
		if strings.IndexByte(codeAlphabet, s[i]) < 0 {
			return Code{}, false
		}
	}
	return Code{&s}, true
}

// Digest is what is stored of a code: 22 characters of base64, 128 bits of an
// HMAC-SHA256 over instance and code. The same code digests differently for
// another instance, so a stored digest can only ever open its own.
func (p Pepper) Digest(instance string, c Code) string {
	sum := p.hmac("digest", instance, c.Reveal())
	return base64.RawURLEncoding.EncodeToString(sum[:16])
}

// Misfit says why a code that the instance's store does not know is not one of
// its passes: Unknown, OtherInstance, or Expired where the marks say that it
// was a pass of this instance, forgotten since.
func (p Pepper) Misfit(instance string, c Code) Reason {
	text := c.Reveal()
	if len(text) != codeLen {
		return Unknown
	}
	secret, made, whose := text[:secretLen], text[secretLen:secretLen+markLen], text[secretLen+markLen:]
	switch {
	case made != p.mark("made", secret):
		return Unknown
	case whose != p.mark("for "+instance, secret):
		return OtherInstance
	}
	return Expired
}

func (p Pepper) mark(what, secret string) string {
	sum := p.hmac("mark", what, secret)
	m := make([]byte, markLen)
	for i := range m {
		m[i] = codeAlphabet[int(sum[i])%len(codeAlphabet)]
	}
	return string(m)
}

func (p Pepper) hmac(parts ...string) []byte {
	h := hmac.New(sha256.New, []byte(*p.key))
	for _, part := range parts {
		io.WriteString(h, part)
		h.Write([]byte{0})
	}
	return h.Sum(nil)
}

// Reveal gives the code itself: for the owner's private reply and for the
// owner's tag, and for nothing else. Of no code it is empty.
func (c Code) Reveal() string {
	if c.text == nil {
		return ""
	}
	return *c.text
}

const redacted = "[redacted]"

// String, GoString, MarshalText and LogValue keep the code out of logs and JSON.
func (c Code) String() string               { return redacted }
func (c Code) GoString() string             { return redacted }
func (c Code) MarshalText() ([]byte, error) { return []byte(redacted), nil }
func (c Code) LogValue() slog.Value         { return slog.StringValue(redacted) }

// String, GoString, MarshalText and LogValue keep the pepper out of logs and JSON.
func (p Pepper) String() string               { return redacted }
func (p Pepper) GoString() string             { return redacted }
func (p Pepper) MarshalText() ([]byte, error) { return []byte(redacted), nil }
func (p Pepper) LogValue() slog.Value         { return slog.StringValue(redacted) }
