package awslook_test

import (
	"errors"
	"fmt"
	"net/url"
	"path"
	"strings"
	"testing"

	"sekisho/auth/doctor"
	"sekisho/infra/awslook"
)

// postOffice is an account with one identity, which is verified or not.
func postOffice(account, identity string, verified bool) func(call) (string, error) {
	return func(c call) (string, error) {
		if c.action == "ses:GetAccount" {
			return account, nil
		}
		if name, _ := url.PathUnescape(path.Base(c.path)); name != identity {
			return "", refusal("NotFoundException")
		}
		return fmt.Sprintf(`{"VerifiedForSendingStatus":%t}`, verified), nil
	}
}

func TestMail(t *testing.T) {
	const healthy = `{"ProductionAccessEnabled":true,"SendingEnabled":true,"EnforcementStatus":"HEALTHY"}`
	for _, c := range []struct {
		account, identity string
		verified          bool
		want              doctor.MailFacts
	}{
		{healthy, "bot@mail.example.com", true, doctor.MailFacts{Verified: true, Sending: true}},
		{healthy, "mail.example.com", true, doctor.MailFacts{Verified: true, Sending: true}},
		{healthy, "example.com", true, doctor.MailFacts{Verified: true, Sending: true}},
		{healthy, "example.com", false, doctor.MailFacts{Sending: true}},
		{healthy, "example.org", true, doctor.MailFacts{Sending: true}},
		{`{"SendingEnabled":true}`, "example.com", true, doctor.MailFacts{Verified: true, Sandbox: true, Sending: true}},
		{`{"ProductionAccessEnabled":true,"SendingEnabled":false}`, "example.com", true, doctor.MailFacts{Verified: true}},
		{strings.Replace(healthy, "HEALTHY", "SHUTDOWN", 1), "example.com", true, doctor.MailFacts{Verified: true}},
	} {
		look, _ := open(awslook.Own{}, postOffice(c.account, c.identity, c.verified))
		got, err := look.Mail(t.Context(), "Sekisho <bot@mail.Example.com>")
		if c.identity == "bot@mail.example.com" {
			got, err = look.Mail(t.Context(), c.identity)
		}
		if err != nil || got != c.want {
			t.Errorf("%s of %s: got %+v, %v; want %+v", c.identity, c.account, got, err, c.want)
		}
	}
}

// A policy may allow to look at the domain alone.
func TestMailOfANarrowPolicy(t *testing.T) {
	for verified, seen := range map[string]bool{"example.com": true, "example.org": false} {
		look, _ := open(awslook.Own{}, func(c call) (string, error) {
			switch name, _ := url.PathUnescape(path.Base(c.path)); {
			case c.action == "ses:GetAccount":
				return `{"SendingEnabled":true}`, nil
			case name == verified:
				return `{"VerifiedForSendingStatus":true}`, nil
			}
			return "", refusal("AccessDeniedException")
		})
		facts, err := look.Mail(t.Context(), "bot@example.com")
		if facts.Verified != seen || errors.Is(err, doctor.ErrUnseen) == seen {
			t.Errorf("with %s: %+v, %v", verified, facts, err)
		}
	}
	look, cloud := open(awslook.Own{}, postOffice("{}", "", false))
	_, err := look.Mail(t.Context(), "nobody")
	wantError(t, err, `"nobody" is not a mail address`)
	if len(cloud.calls) > 0 {
		t.Errorf("AWS was asked: %v", cloud.calls)
	}
}
