package awssim_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sesv2"
	"github.com/aws/aws-sdk-go-v2/service/sesv2/types"

	"sekisho/infra/local/awssim"
)

func TestSESAccount(t *testing.T) {
	w := mailWorld(t, awssim.Options{})
	_, err := w.send(t, rawMail(report))
	wantOK(t, err)
	for _, tt := range []struct{ sandbox, paused bool }{{false, false}, {true, false}, {false, true}} {
		w.SetSandbox(tt.sandbox)
		w.PauseSending(tt.paused)
		out, err := w.ses.GetAccount(t.Context(), &sesv2.GetAccountInput{})
		wantOK(t, err)
		if out.ProductionAccessEnabled == tt.sandbox || out.SendingEnabled == tt.paused || *out.EnforcementStatus != "HEALTHY" || out.SendQuota.SentLast24Hours != 1 {
			t.Errorf("%+v: the account is %+v", tt, out)
		}
	}
	_, err = w.send(t, rawMail(report))
	wantCode(t, err, "SendingPausedException")
	w.PauseSending(false)
	_, err = w.send(t, rawMail(report))
	wantOK(t, err)
}

func TestSESIdentities(t *testing.T) {
	w := newWorld(t, awssim.Options{})
	w.VerifyIdentity("example.com")
	w.VerifyIdentity("Bot@Example.Org")
	w.AddIdentity("pending.example.net")
	identity := func(name string) (*sesv2.GetEmailIdentityOutput, error) {
		return w.ses.GetEmailIdentity(t.Context(), &sesv2.GetEmailIdentityInput{EmailIdentity: &name})
	}
	for name, want := range map[string]sesv2.GetEmailIdentityOutput{
		"Example.COM":         {IdentityType: types.IdentityTypeDomain, VerifiedForSendingStatus: true, VerificationStatus: types.VerificationStatusSuccess},
		"Bot@example.org":     {IdentityType: types.IdentityTypeEmailAddress, VerifiedForSendingStatus: true, VerificationStatus: types.VerificationStatusSuccess},
		"pending.example.net": {IdentityType: types.IdentityTypeDomain, VerificationStatus: types.VerificationStatusPending},
	} {
		out, err := identity(name)
		wantOK(t, err)
		if out.IdentityType != want.IdentityType || out.VerifiedForSendingStatus != want.VerifiedForSendingStatus || out.VerificationStatus != want.VerificationStatus {
			t.Errorf("%s is %+v", name, out)
		}
	}
	for _, name := range []string{"mail.example.com", "bot@example.org", "bot@example.com", "example.org"} {
		_, err := identity(name)
		wantCode(t, err, "NotFoundException")
		if status := statusOf(t, err); status != http.StatusNotFound {
			t.Errorf("%s: status %d", name, status)
		}
	}
	calls := w.Calls()
	if last := calls[len(calls)-1]; last.Service != "ses" || last.Action != "GetEmailIdentity" || !slices.Equal(last.IDs, []string{"example.org"}) {
		t.Errorf("recorded %+v", last)
	}
	w.Throttle("GetEmailIdentity", 3)
	_, err := identity("example.com")
	wantCode(t, err, "TooManyRequestsException")
	if status := statusOf(t, err); status != http.StatusTooManyRequests {
		t.Errorf("throttled with status %d", status)
	}
	_, err = w.ses.GetEmailIdentity(t.Context(), &sesv2.GetEmailIdentityInput{EmailIdentity: aws.String("a/b")})
	wantCode(t, err, "UnknownOperationException")
}

func TestSESLooksHaveNoQuery(t *testing.T) {
	w := newWorld(t, awssim.Options{})
	status, text := w.byHand(t, http.MethodGet, "/v2/email/account?colour=red", "ses", "", "")
	if status != http.StatusBadRequest || !strings.Contains(text, "colour") {
		t.Errorf("a query: %d %s", status, text)
	}
}
