package iamkeys_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"sekisho/auth/purge"
	"sekisho/infra/iamkeys"
)

// calls are all that the adapter does, by AWS's name for it.
var calls = map[string]func(context.Context, *iamkeys.IAM) error{
	"iam:ListUsers": func(ctx context.Context, i *iamkeys.IAM) error { return i.Users(ctx, func(purge.User) {}) },
	"iam:GetUser":   func(ctx context.Context, i *iamkeys.IAM) error { return second(i.User(ctx, "ann")) },
	"iam:ListAccessKeys": func(ctx context.Context, i *iamkeys.IAM) error {
		return second(i.Keys(ctx, "ann"))
	},
	"iam:GetAccessKeyLastUsed": func(ctx context.Context, i *iamkeys.IAM) error {
		_, _, err := i.LastUse(ctx, keyID)
		return err
	},
	"iam:UpdateAccessKey":   func(ctx context.Context, i *iamkeys.IAM) error { return i.Deactivate(ctx, "ann", keyID) },
	"iam:DeleteAccessKey":   func(ctx context.Context, i *iamkeys.IAM) error { return i.Delete(ctx, "ann", keyID) },
	"sts:GetCallerIdentity": func(ctx context.Context, i *iamkeys.IAM) error { return second(i.WhoAmI(ctx)) },
	"config:ListDiscoveredResources": func(ctx context.Context, i *iamkeys.IAM) error {
		return second(i.Named(ctx, "eu-west-1", "AIDATEST"))
	},
}

func TestErrorsAreToldApart(t *testing.T) {
	for action, call := range calls {
		for code, c := range map[string]struct{ gone, denied bool }{
			"NoSuchEntity":          {gone: true},
			"AccessDenied":          {denied: true},
			"AccessDeniedException": {denied: true},
			"UnauthorizedOperation": {denied: true},
			"ValidationError":       {},
		} {
			account, _ := open(answer{code: code})
			err := call(t.Context(), account)
			if err == nil {
				t.Errorf("%s: %s is no error", action, code)
				continue
			}
			denied, is := errors.AsType[*purge.Denied](err)
			if errors.Is(err, purge.ErrGone) != c.gone || is != c.denied || is && denied.Action != action {
				t.Errorf("%s: %s became %v", action, code, err)
			}
			if text := err.Error(); !strings.Contains(text, action) || !strings.Contains(text, code+": so it is") {
				t.Errorf("%s: the error does not say %s and why: %s", action, code, text)
			}
			for _, secret := range []string{"test-secret", "test-session", "Signature"} {
				if strings.Contains(err.Error(), secret) {
					t.Errorf("%s: the error holds %q: %v", action, secret, err)
				}
			}
		}
	}
}

// Eight times each call is tried. Throttled are the later tries: the SDK waits
// exactly twenty seconds before each of the next ones, and then for nothing
// else. That other wait would never end in a bubble, being rounded down.
func TestThrottlingIsOutlasted(t *testing.T) {
	failing, throttled := answer{code: "RequestTimeout"}, answer{code: "Throttling"}
	for action, call := range calls {
		if !strings.HasPrefix(action, "iam:") {
			continue
		}
		for outlasted, then := range map[bool]answer{true: {body: "<User/>"}, false: throttled} {
			synctest.Test(t, func(t *testing.T) {
				account, cloud := open(failing, failing, failing, failing, failing, throttled, throttled, then)
				err := call(t.Context(), account)
				if (err == nil) != outlasted || err != nil && !strings.Contains(err.Error(), "Throttling: so it is") {
					t.Errorf("%s: %v", action, err)
				}
				if len(cloud.calls) != 8 {
					t.Errorf("%s was tried %d times", action, len(cloud.calls))
				}
			})
		}
	}
}

// Once one call was throttled the others wait their turn.
func TestThrottlingSlowsEveryCallDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		account, cloud := open(answer{body: last}, answer{code: "Throttling"}, answer{body: last})
		for what, c := range []struct {
			outcome error
			calls   int
		}{{nil, 1}, {context.DeadlineExceeded, 2}, {context.DeadlineExceeded, 2}} {
			soon, cancel := context.WithTimeout(t.Context(), time.Millisecond)
			defer cancel()
			if err := second(account.Keys(soon, "ann")); !errors.Is(err, c.outcome) || len(cloud.calls) != c.calls {
				t.Errorf("call %d: %v, and IAM was called %d times", what, err, len(cloud.calls))
			}
		}
	})
}
