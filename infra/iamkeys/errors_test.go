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

func TestThrottlingIsOutlasted(t *testing.T) {
	for action, call := range calls {
		if !strings.HasPrefix(action, "iam:") {
			continue
		}
		for throttled, outlasted := range map[int]bool{7: true, 8: false} {
			synctest.Test(t, func(t *testing.T) {
				var script []answer
				for range throttled {
					script = append(script, answer{code: "Throttling"})
				}
				account, cloud := open(append(script, answer{body: "<User/>"})...)
				err := call(t.Context(), account)
				if (err == nil) != outlasted || err != nil && !strings.Contains(err.Error(), "Throttling: so it is") {
					t.Errorf("%s, throttled %d times: %v", action, throttled, err)
				}
				if len(cloud.calls) != 8 {
					t.Errorf("%s was tried %d times", action, len(cloud.calls))
				}
			})
		}
	}
}

// Once throttled, other calls wait their turn too. Left alone they take no time
// in a bubble.
func TestThrottlingSlowsEveryCallDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ten := func(i *iamkeys.IAM) time.Duration {
			from := time.Now()
			for range 10 {
				if _, err := i.Keys(t.Context(), "ann"); err != nil {
					t.Error(err)
				}
			}
			return time.Since(from)
		}
		account, _ := open(answer{body: last})
		if took := ten(account); took != 0 {
			t.Errorf("unthrottled: %v", took)
		}
		account, _ = open(answer{code: "Throttling"}, answer{body: last})
		if err := account.Users(t.Context(), func(purge.User) {}); err != nil {
			t.Error(err)
		}
		if took := ten(account); took < time.Second {
			t.Errorf("ten calls after a throttled one took %v", took)
		} else {
			t.Log(took)
		}
	})
}
