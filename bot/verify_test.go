package bot_test

import (
	"errors"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"sekisho/bot"
	"sekisho/infra/local/slacksim"
)

// Slack's published example:
// https://docs.slack.dev/authentication/verifying-requests-from-slack
const (
	slacksSecret    = "8f742231b10e8888abcd99yyyzzz85a5"
	slacksTime      = "1531420618"
	slacksSignature = "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503"
	slacksBody      = "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"
)

// verifierAt makes a Verifier of Slack's example whose clock is off by late.
func verifierAt(t testing.TB, late time.Duration) *bot.Verifier {
	t.Helper()
	v, err := bot.NewVerifier(slacksSecret, func() time.Time { return time.Unix(1531420618, 0).Add(late) })
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestVerifyTakesSlacksOwnExample(t *testing.T) {
	if err := verifierAt(t, 0).Verify(slacksTime, slacksSignature, []byte(slacksBody)); err != nil {
		t.Errorf("Slack's own example is refused: %v", err)
	}
}

func TestVerifyRefuses(t *testing.T) {
	v := verifierAt(t, 0)
	for name, c := range map[string]struct{ timestamp, signature, body string }{
		"one letter of the body":   {slacksTime, slacksSignature, strings.Replace(slacksBody, "roadrunner", "roadrunneR", 1)},
		"more at the body's end":   {slacksTime, slacksSignature, slacksBody + "&text=x"},
		"an empty body":            {slacksTime, slacksSignature, ""},
		"another time":             {"1531420619", slacksSignature, slacksBody},
		"the time's zeros":         {"01531420618", slacksSignature, slacksBody},
		"a time that is no number": {"now", slacksSignature, slacksBody},
		"a time beyond int64":      {"99999999999999999999", slacksSignature, slacksBody},
		"the end of time":          {strconv.FormatInt(1<<63-1, 10), slacksSignature, slacksBody},
		"the beginning of time":    {strconv.FormatInt(-1<<63, 10), slacksSignature, slacksBody},
		"no time":                  {"", slacksSignature, slacksBody},
		"no signature":             {slacksTime, "", slacksBody},
		"an empty signature":       {slacksTime, "v0=", slacksBody},
		"another version":          {slacksTime, "v1=" + slacksSignature[3:], slacksBody},
		"no version":               {slacksTime, slacksSignature[3:], slacksBody},
		"half of the signature":    {slacksTime, slacksSignature[:3+32], slacksBody},
		"more than the signature":  {slacksTime, slacksSignature + "00", slacksBody},
		"the last digit":           {slacksTime, slacksSignature[:len(slacksSignature)-1] + "4", slacksBody},
		"the first digit":          {slacksTime, "v0=b" + slacksSignature[4:], slacksBody},
		"no hexadecimal":           {slacksTime, "v0=" + strings.Repeat("zz", 32), slacksBody},
		"another app's secret":     {slacksTime, slacksim.Sign("another app's secret", slacksTime, slacksBody), slacksBody},
	} {
		if err := v.Verify(c.timestamp, c.signature, []byte(c.body)); err == nil {
			t.Errorf("%s: let in", name)
		}
	}
}

func TestVerifyHoldsTheTimeAgainstItsOwnClock(t *testing.T) {
	for late, in := range map[time.Duration]bool{
		0:                              true,
		5 * time.Minute:                true,
		-5 * time.Minute:               true,
		5*time.Minute + time.Second:    false,
		-(5*time.Minute + time.Second): false,
		365 * 24 * time.Hour:           false,
	} {
		err := verifierAt(t, late).Verify(slacksTime, slacksSignature, []byte(slacksBody))
		if (err == nil) != in {
			t.Errorf("a request from %s ago: %v", late, err)
		}
	}
}

// An error that quoted the expected signature would hand out a forgery, and
// one that quoted the request would bring it into the log unverified.
func TestVerifySaysNothingOfTheRequest(t *testing.T) {
	v := verifierAt(t, 0)
	forged := "v0=" + strings.Repeat("ab", 32)
	for _, err := range []error{
		v.Verify(slacksTime, forged, []byte(slacksBody)),
		v.Verify("1531400000", slacksSignature, []byte(slacksBody)),
		v.Verify("", "", []byte(slacksBody)),
	} {
		if err == nil {
			t.Fatal("let in")
		}
		for _, word := range []string{slacksSignature[3:], forged[3:], "roadrunner", slacksSecret, "1531400000"} {
			if strings.Contains(err.Error(), word) {
				t.Errorf("%q holds %q", err, word)
			}
		}
	}
}

// The keyed hashes are shared: what one request leaves in them must not reach
// the next.
func TestVerifyFromManyGoroutines(t *testing.T) {
	v := verifierAt(t, 0)
	var all sync.WaitGroup
	for n := range 16 {
		all.Go(func() {
			for range 200 {
				body := slacksBody
				if n%2 == 1 {
					body += "&x=" + strconv.Itoa(n)
				}
				if err := v.Verify(slacksTime, slacksSignature, []byte(body)); (err == nil) != (n%2 == 0) {
					t.Errorf("goroutine %d: %v", n, err)
					return
				}
			}
		})
	}
	all.Wait()
}

// Slack and who stores its secret do not change at the same moment.
func TestVerifyTakesTheSecretOfBeforeForAnHour(t *testing.T) {
	var passed time.Duration
	v, err := bot.NewVerifier("first", func() time.Time { return time.Unix(1531420618, 0).Add(passed) })
	if err != nil {
		t.Fatal(err)
	}
	in := func(what string, wants ...string) {
		t.Helper()
		stamp := strconv.FormatInt(1531420618+int64(passed.Seconds()), 10)
		for _, secret := range []string{"first", "second", "third"} {
			err := v.Verify(stamp, slacksim.Sign(secret, stamp, slacksBody), []byte(slacksBody))
			if (err == nil) != slices.Contains(wants, secret) {
				t.Errorf("%s: the %s secret: %v", what, secret, err)
			}
		}
	}
	in("at first", "first")
	v.Renew("second")
	in("after a change", "first", "second")
	passed = 30 * time.Minute
	v.Renew("second") // which is no change
	passed = time.Hour - time.Second
	in("before an hour", "first", "second")
	passed = time.Hour
	in("after it", "second")
	v.Renew("third")
	in("after another change", "second", "third")
}

func TestRenewWhileRequestsComeIn(t *testing.T) {
	v := verifierAt(t, 0)
	var all sync.WaitGroup
	all.Go(func() {
		for n := range 200 {
			v.Renew([]string{slacksSecret, "another"}[n%2])
		}
	})
	for range 4 {
		all.Go(func() {
			for range 200 { // the right secret is always the one or the other
				if err := v.Verify(slacksTime, slacksSignature, []byte(slacksBody)); err != nil {
					t.Errorf("refused: %v", err)
					return
				}
			}
		})
	}
	all.Wait()
}

func TestNewVerifierNeedsASecret(t *testing.T) {
	if _, err := bot.NewVerifier("", time.Now); err == nil || !strings.Contains(err.Error(), "SLACK_SIGNING_SECRET") {
		t.Errorf("an empty secret: %v", err)
	}
}

// FuzzVerify is the fuzz target of the signed request: nothing but the right
// signature over exactly these bytes is let in.
func FuzzVerify(f *testing.F) {
	f.Add(slacksTime, slacksSignature, []byte(slacksBody))
	f.Add(slacksTime, "v0=", []byte(""))
	f.Add("-1", "v0=\x00", []byte("\xff"))
	v := verifierAt(f, 0)
	f.Fuzz(func(t *testing.T, timestamp, signature string, body []byte) {
		right := slacksim.Sign(slacksSecret, timestamp, string(body))
		err := v.Verify(timestamp, signature, body)
		if err == nil && !strings.EqualFold(signature, right) {
			t.Fatalf("let in with %q, where %q is right", signature, right)
		}
		if err != nil && errors.Unwrap(err) != nil {
			t.Fatalf("the error carries another: %#v", err)
		}
		if seconds, bad := strconv.ParseInt(timestamp, 10, 64); bad == nil && (time.Unix(seconds, 0).Sub(time.Unix(1531420618, 0))).Abs() <= 5*time.Minute {
			if err := v.Verify(timestamp, right, body); err != nil {
				t.Fatalf("the right signature is refused: %v", err)
			}
		}
	})
}
