package awssim_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sesv2"
	"github.com/aws/aws-sdk-go-v2/service/sesv2/types"
	"github.com/aws/smithy-go"

	"sekisho/infra/local/awssim"
)

// bot is whom tests send from, and report a mail that is good.
const (
	bot    = "bot@example.com"
	report = "From: Sekisho <bot@example.com>\r\nTo: Hana <hana@example.org>\r\n" +
		"Subject: =?utf-8?q?Access_keys_=E2=9C=93?=\r\n\r\nAll is well.\r\n"
)

func rawMail(raw string) *sesv2.SendEmailInput {
	return &sesv2.SendEmailInput{Content: &types.EmailContent{Raw: &types.RawMessage{Data: []byte(raw)}}}
}

func sendTo(to ...string) *sesv2.SendEmailInput {
	in := rawMail(report)
	in.Destination = &types.Destination{ToAddresses: to}
	return in
}

func once(o *sesv2.Options) { o.Retryer = aws.NopRetryer{} }

// mailWorld is a world that may send from the bot's address.
func mailWorld(t *testing.T, opts awssim.Options) *world {
	w := newWorld(t, opts)
	w.VerifyIdentity(bot)
	return w
}

func (w *world) send(t *testing.T, in *sesv2.SendEmailInput) (string, error) {
	t.Helper()
	out, err := w.ses.SendEmail(t.Context(), in, once)
	if err != nil {
		return "", err
	}
	return *out.MessageId, nil
}

func TestSendEmail(t *testing.T) {
	clock := newClock()
	w := mailWorld(t, awssim.Options{Now: clock.now})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	changes := w.Changes(ctx)
	in := rawMail(report)
	in.FromEmailAddress = aws.String("The bot <bot@example.com>")
	in.Destination = &types.Destination{
		ToAddresses: []string{"Ken <ken@example.org>"}, CcAddresses: []string{"cc@example.org"}, BccAddresses: []string{"bcc@example.org"},
	}
	id, err := w.send(t, in)
	wantOK(t, err)
	if form := regexp.MustCompile(`^0107[0-9a-f]{12}-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}-000000$`); !form.MatchString(id) {
		t.Errorf("the message's id is %q", id)
	}
	select {
	case <-changes:
	default:
		t.Error("a mail was sent, and nothing changed")
	}

	want := awssim.Mail{ID: id, At: clock.now(), From: bot, To: []string{"ken@example.org", "cc@example.org", "bcc@example.org"}, Raw: []byte(report)}
	if got, sent := w.Mail(id); !sent || !reflect.DeepEqual(got, want) {
		t.Errorf("sent %+v, want %+v", got, want)
	}
	if got := w.Mails(); !reflect.DeepEqual(got, []awssim.Mail{want}) {
		t.Errorf("all mails: %+v", got)
	}
	if _, sent := w.Mail("0107"); sent {
		t.Error("a mail was sent that wasn't")
	}
	call := w.Calls()[0]
	if call.Service != "ses" || call.Action != "SendEmail" || call.ErrorCode != "" ||
		!slices.Equal(call.IDs, []string{"Ken <ken@example.org>", "cc@example.org", "bcc@example.org"}) {
		t.Errorf("recorded %+v", call)
	}
}

// Without a Destination the MIME's own recipients get the mail, and without a sender it is the MIME's.
func TestSendEmailByItsHeaders(t *testing.T) {
	w := mailWorld(t, awssim.Options{})
	id, err := w.send(t, rawMail("From: bot@example.com\nTo: a@example.org,\n B <b@example.org>\nCc: c@example.org\nBcc: d@example.org\n\nHello"))
	wantOK(t, err)
	m, _ := w.Mail(id)
	if m.From != bot || !slices.Equal(m.To, []string{"a@example.org", "b@example.org", "c@example.org", "d@example.org"}) {
		t.Errorf("sent from %s to %v", m.From, m.To)
	}
}

func TestSendEmailRefusals(t *testing.T) {
	w := mailWorld(t, awssim.Options{})
	var many []string
	for n := range 51 {
		many = append(many, fmt.Sprintf("user%02d@example.org", n))
	}
	line := strings.Repeat("a", 998)
	tenant, settings := rawMail(report), rawMail(report)
	tenant.TenantName, settings.ConfigurationSetName = aws.String("t"), aws.String("reports")
	template := &types.EmailContent{Template: &types.Template{TemplateName: aws.String("t")}}
	simple := &types.EmailContent{Simple: &types.Message{Subject: &types.Content{Data: aws.String("Hello")}, Body: &types.Body{}}}
	badly := "BadRequestException"
	tests := map[string]struct {
		in            *sesv2.SendEmailInput
		code, message string // what the message contains; code "": it is taken
	}{
		"fifty recipients":         {sendTo(many[:50]...), "", ""},
		"fifty-one":                {sendTo(many...), badly, "Recipient count exceeds 50."},
		"fifty-one in MIME":        {rawMail("From: bot@example.com\nTo: " + strings.Join(many, ",\n ") + "\n\n"), badly, "Recipient count exceeds 50."},
		"an address of none":       {sendTo("hana@example.org", ""), badly, "Invalid email address ."},
		"not an address":           {sendTo("hana"), badly, "Invalid email address hana."},
		"not one in MIME":          {rawMail("From: bot@example.com\nTo: hana\n\n"), badly, "Invalid email address hana."},
		"nobody to send to":        {rawMail("From: bot@example.com\n\nHello"), badly, "Missing required header 'To'."},
		"no From":                  {rawMail("To: hana@example.org\n\nHello"), badly, "Missing required header 'From'."},
		"a From like no From":      {rawMail("From: bot\nTo: hana@example.org\n\nHello"), badly, "Invalid email address bot."},
		"no MIME":                  {rawMail("Hello"), badly, "not MIME"},
		"nothing":                  {rawMail(""), badly, "Content.Raw.Data"},
		"a long line":              {rawMail(report + line + "\r\n"), "", ""},
		"too long a line":          {rawMail(report + line + "a\n"), badly, "longer than 1000 bytes"},
		"a simple mail":            {&sesv2.SendEmailInput{Content: simple}, badly, "raw content only"},
		"a template":               {&sesv2.SendEmailInput{Content: template}, badly, "raw content only"},
		"a parameter unknown here": {tenant, badly, "TenantName"},
		"an unknown set":           {settings, "NotFoundException", "Configuration set <reports> does not exist."},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			before := len(w.Mails())
			_, err := w.send(t, tt.in)
			if tt.code == "" {
				wantOK(t, err)
				return
			}
			if message := wantCode(t, err, tt.code); !strings.Contains(message, tt.message) {
				t.Errorf("refused with %q, want %q in it", message, tt.message)
			}
			if len(w.Mails()) != before {
				t.Error("the mail was refused, and sent")
			}
		})
	}
	w.AddConfigurationSet("reports")
	_, err := w.send(t, settings)
	wantOK(t, err)
}

func TestMailSize(t *testing.T) {
	w := mailWorld(t, awssim.Options{})
	w.useNoSockets()
	const want = "Message length is more than 41943040 bytes long."
	_, err := w.send(t, rawMail(report+strings.Repeat("a\n", (40<<20-len(report))/2+1)))
	if got := wantCode(t, err, "BadRequestException"); got != want {
		t.Errorf("40 MiB and a little: %s", got)
	}

	// so large that it isn't even read
	r := httptest.NewRequest(http.MethodPost, "/v2/email/outbound-emails", strings.NewReader(strings.Repeat("a", 60<<20)))
	r.Header.Set("X-Amz-Date", "20260304T050607Z")
	r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential="+testKey+"/20260304/eu-central-1/ses/aws4_request, "+
		"SignedHeaders=host;x-amz-date, Signature="+strings.Repeat("0", 64))
	answer := httptest.NewRecorder()
	w.Handler().ServeHTTP(answer, r)
	if answer.Code != http.StatusBadRequest || answer.Header().Get("X-Amzn-Errortype") != "BadRequestException" ||
		!strings.Contains(answer.Body.String(), want) {
		t.Errorf("60 MiB: %d %s", answer.Code, answer.Body)
	}
}

func TestIdentities(t *testing.T) {
	from := func(call, header string) *sesv2.SendEmailInput {
		in := rawMail("From: " + header + "\nTo: hana@example.org\n\n")
		if call != "" {
			in.FromEmailAddress = &call
		}
		return in
	}
	tests := map[string]struct {
		verified string
		in       *sesv2.SendEmailInput
		failed   string // "" when it may be sent
	}{
		"nothing":              {"", from("", "bot@example.com"), "bot@example.com"},
		"the address":          {"bot@example.com", from("", "Bot <bot@example.com>"), ""},
		"another of its":       {"hana@example.com", from("", "Bot <bot@example.com>"), "Bot <bot@example.com>"},
		"in another case":      {"bot@EXAMPLE.com", from("", "bot@Example.com"), ""},
		"names are apart":      {"Bot@example.com", from("", "bot@example.com"), "bot@example.com"},
		"the domain":           {"Example.com", from("bot@example.com", "bot@EXAMPLE.com"), ""},
		"a domain above":       {"example.com", from("", "bot@mail.example.com"), ""},
		"a domain below":       {"mail.example.com", from("", "bot@example.com"), "bot@example.com"},
		"a longer domain":      {"example.com", from("", "bot@notexample.com"), "bot@notexample.com"},
		"the call's, not MIME": {"example.com", from("bot@example.com", "bot@example.net"), "bot@example.net"},
		"the MIME's, not call": {"example.com", from("bot@example.net", "bot@example.com"), "bot@example.net"},
		"neither":              {"", from("bot@example.net", "Bot <bot@example.net>"), "bot@example.net, Bot <bot@example.net>"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, awssim.Options{})
			w.VerifyIdentity(tt.verified)
			_, err := w.send(t, tt.in)
			if tt.failed == "" {
				wantOK(t, err)
				return
			}
			want := "Email address is not verified. The following identities failed the check in region EU-CENTRAL-1: " + tt.failed
			if got := wantCode(t, err, "MessageRejected"); got != want {
				t.Errorf("refused with\n%s, want\n%s", got, want)
			}
		})
	}
}

func TestSandbox(t *testing.T) {
	w := mailWorld(t, awssim.Options{})
	_, err := w.send(t, sendTo("hana@example.org"))
	wantOK(t, err)
	w.SetSandbox(true)
	_, err = w.send(t, sendTo("hana@example.org", "ken@example.org", "hana@example.org", bot))
	want := "Email address is not verified. The following identities failed the check in region EU-CENTRAL-1: hana@example.org, ken@example.org"
	if got := wantCode(t, err, "MessageRejected"); got != want {
		t.Errorf("refused with\n%s, want\n%s", got, want)
	}
	w.VerifyIdentity("hana@example.org")
	_, err = w.send(t, sendTo("hana@example.org", "success@simulator.amazonses.com"))
	wantOK(t, err)
	_, err = w.send(t, rawMail(strings.ReplaceAll(report, "hana@", "ken@")))
	wantCode(t, err, "MessageRejected")
	w.SetSandbox(false)
	_, err = w.send(t, sendTo("ken@example.org"))
	wantOK(t, err)
}

func TestMailsAreNotKeptForEver(t *testing.T) {
	w := mailWorld(t, awssim.Options{})
	var ids []string
	for range 103 {
		id, err := w.send(t, rawMail(report))
		wantOK(t, err)
		ids = append(ids, id)
	}
	var kept []string
	for _, m := range w.Mails() {
		kept = append(kept, m.ID)
	}
	if !slices.Equal(kept, ids[3:]) {
		t.Errorf("%d mails are kept, from %s on; want the last 100, oldest first", len(kept), kept[0])
	}
	if _, sent := w.Mail(ids[2]); sent {
		t.Error("the oldest can be had still")
	}
}

// Refusals that were asked for come with SES's own words.
func TestSESFaults(t *testing.T) {
	w := mailWorld(t, awssim.Options{})
	in := rawMail(report)
	in.FromEmailAddress = aws.String(bot)
	tests := []struct {
		code    string
		status  int
		message string
	}{
		{(&types.AccountSuspendedException{}).ErrorCode(), 400, "The account may not send"},
		{(&types.SendingPausedException{}).ErrorCode(), 400, "Sending paused for this account."},
		{(&types.MailFromDomainNotVerifiedException{}).ErrorCode(), 400, "MAIL FROM domain"},
		{(&types.MessageRejected{}).ErrorCode(), 400, "failed the check in region EU-CENTRAL-1: bot@example.com"},
		{(&types.TooManyRequestsException{}).ErrorCode(), 429, "Maximum sending rate exceeded."},
		{(&types.LimitExceededException{}).ErrorCode(), 400, "Daily message quota exceeded."},
		{"AccessDeniedException", 403, "User `arn:aws:sts::111122223333:assumed-role/sekisho/demo' is not authorized to perform `ses:SendRawEmail' " +
			"on resource `arn:aws:ses:eu-central-1:111122223333:identity/bot@example.com'"},
		{"InternalFailure", 500, "This failure was asked for."},
	}
	for _, tt := range tests {
		w.Fail("SendEmail", tt.code, 1)
		_, err := w.send(t, in)
		if got := wantCode(t, err, tt.code); !strings.Contains(got, tt.message) {
			t.Errorf("%s says %q", tt.code, got)
		}
		if status := statusOf(t, err); status != tt.status {
			t.Errorf("%s comes with status %d, want %d", tt.code, status, tt.status)
		}
	}
	if n := len(w.Mails()); n != 0 {
		t.Errorf("%d mails were sent", n)
	}

	w.Throttle("SendEmail", 3)
	_, err := w.send(t, in)
	wantCode(t, err, "TooManyRequestsException")
	_, err = w.ses.SendEmail(t.Context(), in) // the SDK tries three times
	wantOK(t, err)
	if n := len(w.Mails()); n != 1 {
		t.Errorf("%d mails were sent, want one", n)
	}
}

// The sender of a mail whose answer is lost can't know, and an SDK that tries again sends it again.
func TestLoseAnswers(t *testing.T) {
	w := mailWorld(t, awssim.Options{})
	w.LoseAnswers(2)
	_, err := w.send(t, rawMail(report))
	if _, answered := errors.AsType[smithy.APIError](err); err == nil || answered {
		t.Errorf("the connection was to be closed, and the error is %v", err)
	}
	if calls, n := w.Calls(), len(w.Mails()); n != 1 || len(calls) != 1 || calls[0].ErrorCode != "" {
		t.Errorf("%d mails were sent, want one; recorded %+v", n, calls)
	}
	_, err = w.ses.SendEmail(t.Context(), rawMail(report))
	wantOK(t, err)
	if n := len(w.Mails()); n != 3 {
		t.Errorf("%d mails were sent, want one of the first call and two of the second", n)
	}

	w.LoseAnswers(1)
	_, err = w.send(t, rawMail("Hello")) // refusals are answered
	wantCode(t, err, "BadRequestException")
	w.LoseAnswers(0)
	_, err = w.send(t, rawMail(report))
	wantOK(t, err)
}

func TestSESSignaturesAndPaths(t *testing.T) {
	w := mailWorld(t, awssim.Options{})
	for _, tt := range []struct{ key, region, code string }{
		{"AKIDOTHERTEST", "eu-central-1", "InvalidClientTokenId"},
		{testKey, "us-east-1", "SignatureDoesNotMatch"},
	} {
		other := sesv2.NewFromConfig(sdkConfig(w.server.Client(), w.server.URL, tt.key, tt.region))
		_, err := other.SendEmail(t.Context(), rawMail(report))
		wantCode(t, err, tt.code)
	}
	for _, call := range []func() error{
		func() error {
			_, err := w.ses.ListEmailIdentities(t.Context(), &sesv2.ListEmailIdentitiesInput{})
			return err
		},
		func() error {
			_, err := w.ses.CreateEmailIdentity(t.Context(), &sesv2.CreateEmailIdentityInput{EmailIdentity: aws.String("example.com")})
			return err
		},
	} {
		err := call()
		wantCode(t, err, "UnknownOperationException")
		if status := statusOf(t, err); status != http.StatusNotFound {
			t.Errorf("an unknown path has status %d", status)
		}
	}
	if n := len(w.Mails()); n != 0 {
		t.Errorf("%d mails were sent", n)
	}
}

func TestBounce(t *testing.T) {
	clock := newClock()
	w := mailWorld(t, awssim.Options{Now: clock.now})
	w.AddConfigurationSet("reports")
	queue := w.CreateQueue("events", time.Minute, "", 0)
	w.RouteEventsTo(queue)
	in := sendTo("hana@example.org", "ken@example.org")
	in.ConfigurationSetName = aws.String("reports")
	id, err := w.send(t, in)
	wantOK(t, err)
	wantCode(t, w.Bounce("0107"), "NotFoundException")
	clock.advance(time.Minute)
	wantOK(t, w.Bounce(id))

	var got struct {
		Version    string
		DetailType string `json:"detail-type"`
		Source     string
		Account    string
		Time       string
		Region     string
		Resources  []string
		Detail     json.RawMessage
	}
	var raw []byte
	select {
	case raw = <-w.bounced:
	case <-time.After(10 * time.Second):
		t.Fatal("no event of the bounce")
	}
	wantOK(t, json.Unmarshal(raw, &got))
	if got.Version != "0" || got.DetailType != "Email Bounced" || got.Source != "aws.ses" || got.Account != "111122223333" ||
		got.Time != "2026-03-04T05:07:07Z" || got.Region != "eu-central-1" ||
		!slices.Equal(got.Resources, []string{"arn:aws:ses:eu-central-1:111122223333:configuration-set/reports"}) {
		t.Errorf("event %s", raw)
	}
	var feedback struct{ Bounce struct{ FeedbackID string } }
	wantOK(t, json.Unmarshal(got.Detail, &feedback))
	want := `{
		"eventType": "Bounce",
		"bounce": {
			"bounceType": "Permanent", "bounceSubType": "General",
			"bouncedRecipients": [
				{"emailAddress": "hana@example.org", "action": "failed", "status": "5.1.1", "diagnosticCode": "smtp; 550 5.1.1 user unknown"},
				{"emailAddress": "ken@example.org", "action": "failed", "status": "5.1.1", "diagnosticCode": "smtp; 550 5.1.1 user unknown"}
			],
			"timestamp": "2026-03-04T05:07:07.890Z", "feedbackId": "` + feedback.Bounce.FeedbackID + `", "reportingMTA": "dns; mta.example.com"
		},
		"mail": {
			"timestamp": "2026-03-04T05:06:07.890Z", "source": "bot@example.com",
			"sourceArn": "arn:aws:ses:eu-central-1:111122223333:identity/bot@example.com", "sendingAccountId": "111122223333",
			"messageId": "` + id + `", "destination": ["hana@example.org", "ken@example.org"], "headersTruncated": false,
			"commonHeaders": {
				"from": ["Sekisho <bot@example.com>"], "to": ["Hana <hana@example.org>"], "messageId": "` + id + `", "subject": "Access keys ✓"
			},
			"tags": {"ses:caller-identity": ["demo"], "ses:configuration-set": ["reports"], "ses:from-domain": ["example.com"]}
		}
	}`
	var gotDetail, wantDetail any
	wantOK(t, json.Unmarshal(got.Detail, &gotDetail))
	wantOK(t, json.Unmarshal([]byte(want), &wantDetail))
	if !reflect.DeepEqual(gotDetail, wantDetail) || feedback.Bounce.FeedbackID == "" || feedback.Bounce.FeedbackID == id {
		t.Errorf("detail\n%s, want\n%s", got.Detail, want)
	}
	if messages := w.receive(t, queue); len(messages) != 1 || *messages[0].Body != string(raw) {
		t.Errorf("the queue has %d messages, want the event", len(messages))
	}
}
