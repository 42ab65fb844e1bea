package auth_test

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"strings"
	"testing"
	"testing/iotest"

	"pgregory.net/rapid"

	"sekisho/auth"
)

const responseURL = "https://hooks.slack.test/commands/T0/1/not-a-real-one"

func sealed(t *testing.T, text string) string {
	t.Helper()
	s, err := pepper(t).Seal(rand.Reader, text)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestOpenIsTheReverseOfSeal(t *testing.T) {
	key := pepper(t)
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.String().Draw(t, "text")
		s, err := key.Seal(rand.Reader, text)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := key.Open(s); err != nil || got != text {
			t.Fatalf("opened as %q, %v; want %q", got, err, text)
		}
	})
}

func TestSealHidesTheText(t *testing.T) {
	one, two := sealed(t, responseURL), sealed(t, responseURL)
	raw, err := base64.RawURLEncoding.DecodeString(one)
	if err != nil || strings.Contains(one, "hooks") || strings.Contains(string(raw), "hooks") {
		t.Errorf("%q shows what is in it, %v", raw, err)
	}
	if one == two {
		t.Error("the same text twice looks the same: the nonce is used again")
	}
	if none := sealed(t, ""); none != "" {
		t.Errorf("no text is sealed as %q", none)
	}
}

func TestOpenTakesNothingThatWasChanged(t *testing.T) {
	key, whole := pepper(t), sealed(t, responseURL)
	raw, _ := base64.RawURLEncoding.DecodeString(whole)
	for n := range raw {
		raw[n] ^= 1
		if text, err := key.Open(base64.RawURLEncoding.EncodeToString(raw)); !errors.Is(err, auth.ErrSealed) || text != "" {
			t.Errorf("byte %d changed: opened as %q, %v", n, text, err)
		}
		raw[n] ^= 1
		if _, err := key.Open(base64.RawURLEncoding.EncodeToString(raw[:n])); n > 0 && !errors.Is(err, auth.ErrSealed) {
			t.Errorf("cut after %d bytes: %v", n, err)
		}
	}
	for _, text := range []string{whole + "=", "not base64!", responseURL} {
		if _, err := key.Open(text); !errors.Is(err, auth.ErrSealed) {
			t.Errorf("%q: %v", text, err)
		}
	}
	other, err := auth.NewPepper(testPepper + ", another")
	if err != nil {
		t.Fatal(err)
	}
	if text, err := other.Open(whole); !errors.Is(err, auth.ErrSealed) || text != "" {
		t.Errorf("another pepper opens it: %q, %v", text, err)
	}
}

func TestNoSealWithoutRandomness(t *testing.T) {
	dry := errors.New("no randomness")
	if s, err := pepper(t).Seal(iotest.ErrReader(dry), responseURL); !errors.Is(err, dry) || s != "" {
		t.Errorf("sealed as %q, %v; want the source's own error", s, err)
	}
}
