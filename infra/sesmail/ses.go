// Package sesmail sends reports as mail, by Amazon SES. The bot's role needs
// ses:SendEmail, and ses:SendRawEmail too: by that name IAM checks mail that
// comes as MIME, whichever call brings it.
package sesmail

import (
	"bytes"
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sesv2"
	"github.com/aws/aws-sdk-go-v2/service/sesv2/types"
	"github.com/cenkalti/backoff/v5"

	"sekisho/auth/report"
)

// Limits of one message.
const (
	largest = 40 << 20 // bytes of MIME
	mostTo  = 50
	quotas  = "https://docs.aws.amazon.com/ses/latest/dg/quotas.html"
)

// tries takes a few seconds altogether: in SES's sandbox one mail a second is all.
const tries = 5

// Mailer is SES of one region.
type Mailer struct{ client *sesv2.Client }

var _ report.Mailer = (*Mailer)(nil)

// New makes the adapter. The SDK would send again what SES may have taken: it
// does not try again at all.
func New(c aws.Config) *Mailer {
	return &Mailer{sesv2.NewFromConfig(c, func(o *sesv2.Options) { o.Retryer = aws.NopRetryer{} })}
}

// Send keeps the promise of report.Mailer. It sends again, for a few seconds,
// only where SES has too much to do or cannot be reached.
func (m *Mailer) Send(ctx context.Context, mail report.Mail) (id string, err error) {
	l, err := address(mail)
	if err != nil {
		return "", err
	}
	var raw bytes.Buffer
	if err := l.write(&raw, time.Now()); err != nil {
		return "", fmt.Errorf("writing the mail: %w", err)
	}
	if raw.Len() > largest {
		return "", &report.MailRefusal{
			Why:  fmt.Sprintf("it has %d bytes, and SES takes %d at most (%s)", raw.Len(), largest, quotas),
			Next: "attach less",
		}
	}
	in := &sesv2.SendEmailInput{
		Content:          &types.EmailContent{Raw: &types.RawMessage{Data: raw.Bytes()}},
		FromEmailAddress: aws.String(l.sender()),
		Destination:      &types.Destination{ToAddresses: l.recipients()},
	}
	if l.ConfigurationSet != "" {
		in.ConfigurationSetName = &l.ConfigurationSet
	}
	// Where ctx ends, Retry returns its error; what SES said last says more.
	backoff.Retry(ctx, func() (struct{}, error) {
		var again bool
		if id, again, err = m.once(ctx, l, in); again {
			return struct{}{}, err
		}
		return struct{}{}, nil
	}, backoff.WithMaxTries(tries))
	return id, err
}

// once sends one request at most. The mail was certainly not taken where it says again.
func (m *Mailer) once(ctx context.Context, l letter, in *sesv2.SendEmailInput) (id string, again bool, err error) {
	w := &way{}
	out, err := m.client.SendEmail(ctx, in, func(o *sesv2.Options) { w.HTTPClient, o.HTTPClient = o.HTTPClient, w })
	if err != nil {
		again, err = l.failed(err, w.used.Load())
		return "", again, err
	}
	if id = aws.ToString(out.MessageId); id == "" {
		return "", false, fmt.Errorf("%w: SES answered without a message id", report.ErrUnsure)
	}
	return id, false, nil
}
