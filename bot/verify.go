package bot

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"hash"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Verifier checks that a request comes from Slack:
// https://docs.slack.dev/authentication/verifying-requests-from-slack
// It is safe for concurrent use.
type Verifier struct {
	now     func() time.Time
	secrets atomic.Pointer[signingSecrets]
}

// signingSecrets are Slack's and, after a change, the one before until then.
type signingSecrets struct {
	current, before *signingSecret
	until           time.Time
}

// keepBefore is how long the secret of before is taken too: Slack, who stores
// the new one and this process change at three different moments.
const keepBefore = time.Hour

type signingSecret struct {
	text string
	macs sync.Pool // of hash.Hash: a keyed hash is reused, its key schedule is half the work
}

func newSigningSecret(text string) *signingSecret {
	s := &signingSecret{text: text}
	s.macs.New = func() any { return hmac.New(sha256.New, []byte(text)) }
	return s
}

// signedWithin is how far a request's time may be from ours.
const signedWithin = 5 * time.Minute

// Why a request is not let in. The sentences hold nothing of the request.
var (
	errNoSignature  = errors.New("the request is not signed")
	errOldSignature = errors.New("the request's time is more than 5 minutes from ours: an old request sent again, or a wrong clock")
	errBadSignature = errors.New("the request's signature is not Slack's: compare SLACK_SIGNING_SECRET with the app's")
)

// NewVerifier takes the app's signing secret.
func NewVerifier(secret string, now func() time.Time) (*Verifier, error) {
	if secret == "" {
		return nil, errors.New("SLACK_SIGNING_SECRET is not set: the http door checks every request with it")
	}
	v := &Verifier{now: now}
	v.secrets.Store(&signingSecrets{current: newSigningSecret(secret)})
	return v, nil
}

// Renew takes another signing secret, and the one before for an hour more. Who
// cannot wait so long starts the process anew.
func (v *Verifier) Renew(secret string) {
	old := v.secrets.Load()
	if secret == old.current.text {
		return
	}
	v.secrets.Store(&signingSecrets{current: newSigningSecret(secret), before: old.current, until: v.now().Add(keepBefore)})
}

// Verify checks the raw body against the headers X-Slack-Request-Timestamp and
// X-Slack-Signature. It reads nothing else of the request.
func (v *Verifier) Verify(timestamp, signature string, body []byte) error {
	theirs, signed := strings.CutPrefix(signature, "v0=")
	if !signed || timestamp == "" {
		return errNoSignature
	}
	seconds, err := strconv.ParseInt(timestamp, 10, 64)
	if err != nil {
		return errNoSignature
	}
	now := v.now()
	if age := now.Sub(time.Unix(seconds, 0)); age.Abs() > signedWithin {
		return errOldSignature
	}
	var want [sha256.Size]byte
	if n, err := hex.Decode(want[:], []byte(theirs[:min(len(theirs), hex.EncodedLen(len(want)))])); err != nil || n != len(want) || len(theirs) != hex.EncodedLen(n) {
		return errBadSignature
	}
	s := v.secrets.Load()
	if s.current.signed(want[:], timestamp, body) || s.before != nil && now.Before(s.until) && s.before.signed(want[:], timestamp, body) {
		return nil
	}
	return errBadSignature
}

// signed says whether this is the secret's signature.
func (s *signingSecret) signed(want []byte, timestamp string, body []byte) bool {
	var got [sha256.Size]byte
	mac := s.macs.Get().(hash.Hash)
	defer s.macs.Put(mac)
	mac.Reset()
	mac.Write([]byte("v0:" + timestamp + ":"))
	mac.Write(body)
	return hmac.Equal(mac.Sum(got[:0]), want)
}
