package awslook_test

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"

	"sekisho/auth/doctor"
	"sekisho/infra/awslook"
)

// looks are all that there is to see, by the action that is called first.
var looks = map[string]func(context.Context, *awslook.Look) error{
	"sts:GetCallerIdentity": func(ctx context.Context, l *awslook.Look) error { _, err := l.WhoAmI(ctx); return err },
	"iam:SimulatePrincipalPolicy": func(ctx context.Context, l *awslook.Look) error {
		_, err := l.Denied(ctx, role, everything()[:1])
		return err
	},
	"events:ListRules":    func(ctx context.Context, l *awslook.Look) error { _, err := l.Rules(ctx); return err },
	"ec2:DescribeRegions": func(ctx context.Context, l *awslook.Look) error { _, err := l.KeyRules(ctx); return err },
	"ses:GetAccount":      func(ctx context.Context, l *awslook.Look) error { _, err := l.Mail(ctx, "bot@example.com"); return err },
}

func TestErrors(t *testing.T) {
	for action, look := range looks {
		for code, c := range map[string]struct {
			unseen bool
			want   string
		}{
			"AccessDenied":          {true, action + ` cannot be seen from here: AccessDenied; add to the policy {"Effect":"Allow","Action":"` + action},
			"AccessDeniedException": {true, `"Action":"` + action},
			"UnauthorizedOperation": {true, `"Action":"` + action},
			"ThrottlingException":   {false, action + ": ThrottlingException: so it is"},
			"SignatureDoesNotMatch": {false, action + ": SignatureDoesNotMatch"},
			"InvalidClientTokenId":  {false, action + ": InvalidClientTokenId: so it is"},
		} {
			l, _ := open(own, func(call) (string, error) { return "", refusal(code) })
			err := look(t.Context(), l)
			wantError(t, err, c.want)
			if errors.Is(err, doctor.ErrUnseen) != c.unseen {
				t.Errorf("%s: %s became %v", action, code, err)
			}
			if code == "SignatureDoesNotMatch" && strings.Contains(err.Error(), "so it is") {
				t.Errorf("%s: the error may hold what was signed: %v", action, err)
			}
		}
		l, _ := open(own, func(call) (string, error) { return "", io.ErrUnexpectedEOF })
		err := look(t.Context(), l)
		wantError(t, err, action+": ", "unexpected EOF")
		for _, secret := range []string{"test-secret", "test-session", "Signature"} {
			if err != nil && strings.Contains(err.Error(), secret) {
				t.Errorf("%s: the error holds %q: %v", action, secret, err)
			}
		}
	}
}
