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
	"time"
)

// Verifier checks that a request comes from Slack:
// https://docs.slack.dev/authentication/verifying-requests-from-slack
// It is safe for concurrent use.
type Verifier struct {
	now  func() time.Time
	macs sync.Pool // of hash.Hash: a keyed hash is reused, its key schedule is half the work
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
	v.macs.New = func() any { return hmac.New(sha256.New, []byte(secret)) }
	return v, nil
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
	if age := v.now().Sub(time.Unix(seconds, 0)); age.Abs() > signedWithin {
		return errOldSignature
	}
	var want, got [sha256.Size]byte
	if n, err := hex.Decode(want[:], []byte(theirs[:min(len(theirs), hex.EncodedLen(len(want)))])); err != nil || n != len(want) || len(theirs) != hex.EncodedLen(n) {
		return errBadSignature
	}
	mac := v.macs.Get().(hash.Hash)
	defer v.macs.Put(mac)
	mac.Reset()
	mac.Write([]byte("v0:" + timestamp + ":"))
	mac.Write(body)
	if !hmac.Equal(mac.Sum(got[:0]), want[:]) {
		return errBadSignature
	}
	return nil
}
