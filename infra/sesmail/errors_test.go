package sesmail_test

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/aws/smithy-go/middleware"

	"sekisho/auth/report"
	"sekisho/infra/sesmail"
)

const unverified = "Email address is not verified. The following identities failed the check in region EU-CENTRAL-1: "

// What SES refuses for good is a refusal with what it says and what to do.
func TestRefusals(t *testing.T) {
	for what, c := range map[string]struct {
		status  int
		code    string
		message string
		set     string // the mail's configuration set
		next    []string
		not     string
	}{
		"sender unverified": {
			status: 400, code: "MessageRejected", message: unverified + "Bot <BOT@example.com>, bot@example.com",
			next: []string{"verify the sender bot@example.com, or its domain"}, not: "sandbox",
		},
		"recipients in the sandbox": {
			status: 400, code: "MessageRejected", message: unverified + "ben@example.org, ann@example.com...",
			next: []string{"verify ann@example.com, ben@example.org in", "production access (https://docs"}, not: "sender",
		},
		"one recipient in the sandbox": {
			status: 400, code: "MessageRejected", message: unverified + "ann@example.com",
			next: []string{"verify ann@example.com in"}, not: "ben@",
		},
		"both": {
			status: 400, code: "MessageRejected", message: unverified + "bot@example.com, ben@example.org",
			next: []string{"verify the sender bot@example.com", "; SES's sandbox", "verify ben@example.org in"}, not: "ann@",
		},
		"another's name within": {
			status: 400, code: "MessageRejected", message: unverified + "joann@example.com, robot@example.com",
			next: []string{"verify these identities"}, not: "ann@",
		},
		"paused, in SES's older words": {
			status: 400, code: "MessageRejected", message: "Sending paused for this account.", next: []string{"resume sending"},
		},
		"a virus":   {status: 400, code: "MessageRejected", next: []string{"text and files"}},
		"MAIL FROM": {status: 400, code: "MailFromDomainNotVerifiedException", next: []string{"MX record of bot@example.com's"}},
		"paused":    {status: 400, code: "SendingPausedException", next: []string{"resume sending"}},
		"suspended": {status: 400, code: "AccountSuspendedException", next: []string{"AWS Support"}},
		"quota":     {status: 400, code: "LimitExceededException", next: []string{"24 hours", "higher sending quota"}},
		"quota, as throttling": {
			status: 429, code: "TooManyRequestsException", message: "Daily message quota exceeded.", next: []string{"24 hours"},
		},
		"no configuration set": {
			status: 404, code: "NotFoundException", set: "reports", next: []string{"configuration set reports in SES", "sekisho.yml"},
		},
		"nor the identity's": {status: 404, code: "NotFoundException", next: []string{"bot@example.com another default"}},
		"denied": {
			status: 403, code: "AccessDeniedException",
			next: []string{"ses:SendEmail", "ses:SendRawEmail", "identity of bot@example.com"}, not: "configuration",
		},
		"denied the set": {
			status: 403, code: "AccessDeniedException", set: "reports", next: []string{"configuration set reports"},
		},
		"malformed": {status: 400, code: "BadRequestException", next: []string{"sekisho.yml"}},
	} {
		if c.message == "" {
			c.message = "so it is"
		}
		t.Run(what, func(t *testing.T) {
			inWorld(t, func(t *testing.T, m *sesmail.Mailer, s *ses) {
				mail := mail()
				mail.ConfigurationSet = c.set
				_, err := m.Send(t.Context(), mail)
				refusal, is := errors.AsType[*report.MailRefusal](err)
				if got, _ := s.seen(); !is || errors.Is(err, report.ErrUnsure) || len(got) != 1 {
					t.Fatalf("error %v, %d requests; want a refusal and one", err, len(got))
				}
				wantEqual(t, "why", refusal.Why, c.code+": "+c.message)
				for _, words := range c.next {
					if !strings.Contains(refusal.Next, words) {
						t.Errorf("it does not say %q: %s", words, refusal.Next)
					}
				}
				if c.not != "" && strings.Contains(refusal.Next, c.not) {
					t.Errorf("it says %q: %s", c.not, refusal.Next)
				}
				noSecrets(t, err)
			}, refused(c.status, c.code, c.message))
		})
	}
}

// AWS may answer with what was signed.
func TestASignatureIsNotQuoted(t *testing.T) {
	said := "The request signature we calculated does not match.\n\nThe Canonical String for this request should have been\n" +
		"'POST\nx-amz-security-token:test-session\nSignature=0123'"
	for _, code := range []string{"SignatureDoesNotMatch", "InvalidSignatureException", "IncompleteSignature"} {
		inWorld(t, func(t *testing.T, m *sesmail.Mailer, s *ses) {
			_, err := m.Send(t.Context(), mail())
			if err == nil || !strings.Contains(err.Error(), code) || errors.Is(err, report.ErrUnsure) {
				t.Errorf("%s: %v", code, err)
			}
			noSecrets(t, err)
		}, refused(403, code, said))
	}
}

// What SES would not take is not sent.
func TestRefusedHere(t *testing.T) {
	for what, c := range map[string]struct {
		change func(*report.Mail)
		says   string
	}{
		"too large":        {func(m *report.Mail) { m.Attached = []report.File{file("report.json", 30<<20)} }, "attach less"},
		"to nobody":        {func(m *report.Mail) { m.To = nil }, "0 recipients"},
		"to too many":      {func(m *report.Mail) { m.To = make([]string, 51) }, "51 recipients"},
		"no sender":        {func(m *report.Mail) { m.From = "" }, `""`},
		"half a sender":    {func(m *report.Mail) { m.From = "bot" }, `"bot"`},
		"half a recipient": {func(m *report.Mail) { m.To[1] = "ben@" }, `"ben@"`},
		"two in one":       {func(m *report.Mail) { m.To[1] = "ben@example.org, eve@example.net" }, "eve@"},
		"two in quotes":    {func(m *report.Mail) { m.To[1] = `"eve@example.net,ben"@example.org` }, "quotes"},
	} {
		inWorld(t, func(t *testing.T, m *sesmail.Mailer, s *ses) {
			mail := mail()
			c.change(&mail)
			_, err := m.Send(t.Context(), mail)
			if _, is := errors.AsType[*report.MailRefusal](err); !is || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%s: %v", what, err)
			}
			if _, dials := s.seen(); dials != 0 {
				t.Errorf("%s: %d connections", what, dials)
			}
		}, taken)
	}
}

func TestTheLargestIsNotRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		reached := errors.New("as far as the SDK")
		c := (&ses{script: []answer{taken}}).config()
		c.APIOptions = []func(*middleware.Stack) error{func(*middleware.Stack) error { return reached }}
		mail := mail()
		mail.Attached = []report.File{file("report.json", 29<<20)}
		if _, err := sesmail.New(c).Send(t.Context(), mail); !errors.Is(err, reached) {
			t.Errorf("29 MB: %v", err)
		}
	})
}

func file(name string, size int) report.File {
	return report.File{Name: name, Type: "application/json", Content: make([]byte, size)}
}
