// Package iamreport reads IAM's credential report.
package iamreport

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/cenkalti/backoff/v5"

	"sekisho/auth/purge"
	"sekisho/auth/report"
)

// api is what is called of IAM, and the role's whole need.
type api interface {
	GenerateCredentialReport(context.Context, *iam.GenerateCredentialReportInput, ...func(*iam.Options)) (*iam.GenerateCredentialReportOutput, error)
	GetCredentialReport(context.Context, *iam.GetCredentialReportInput, ...func(*iam.Options)) (*iam.GetCredentialReportOutput, error)
}

// Reader reads one account's credential report.
type Reader struct{ api api }

var _ report.CredentialReader = (*Reader)(nil)

// New makes the adapter.
func New(c aws.Config) *Reader { return &Reader{iam.NewFromConfig(c)} }

// waitAtMost is how long IAM has to make a report. AWS names no time; a few
// seconds are usual.
const waitAtMost = 2 * time.Minute

var errSlow = errors.New("IAM did not have its credential report ready within 2 minutes; ask again, for it goes on making it")

// Credentials keeps the promise of report.CredentialReader. A report is at most
// 4 hours old, as IAM makes none sooner; an older one is read where the bot may
// not have one made: see Made.
func (r *Reader) Credentials(ctx context.Context) (report.Credentials, error) {
	out, err := r.wait(ctx)
	if err != nil {
		return report.Credentials{}, err
	}
	c, err := parse(out.Content)
	if err != nil {
		return report.Credentials{}, fmt.Errorf("IAM's credential report cannot be read: %w", err)
	}
	c.Made = out.GeneratedTime.UTC()
	return c, nil
}

// wait asks until there is a report. Each question is tried three times by the
// SDK; what is only busy is asked again after a longer pause.
func (r *Reader) wait(ctx context.Context) (*iam.GetCredentialReportOutput, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, waitAtMost, errSlow)
	defer cancel()
	pause := backoff.NewExponentialBackOff()
	pause.InitialInterval, pause.MaxInterval = time.Second, 10*time.Second
	var denied, last error
	out, err := backoff.Retry(ctx, func() (*iam.GetCredentialReportOutput, error) {
		if denied == nil {
			err := r.generate(ctx)
			if _, is := errors.AsType[*purge.Denied](err); is {
				denied = err // one that somebody else had made must do
			} else if err != nil {
				return nil, err
			}
		}
		out, err := r.get(ctx)
		if denied != nil && errors.Is(err, errNone) {
			err = backoff.Permanent(fmt.Errorf("%w, and %w", err, denied))
		}
		return out, err
	}, backoff.WithBackOff(pause), backoff.WithNotify(func(err error, _ time.Duration) { last = err }))
	if err == nil || ctx.Err() == nil {
		return out, err
	}
	if err = context.Cause(ctx); last != nil {
		err = fmt.Errorf("%w (last: %w)", err, last)
	}
	return nil, err
}

// generate has IAM make a report, or keep the one of the last 4 hours. Its error
// is errMaking until there is one:
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_GenerateCredentialReport.html
func (r *Reader) generate(ctx context.Context) error {
	out, err := r.api.GenerateCredentialReport(ctx, &iam.GenerateCredentialReportInput{})
	if err != nil {
		return translate("iam:GenerateCredentialReport", err)
	}
	if out.State != types.ReportStateTypeComplete {
		return fmt.Errorf("%w (%.20s)", errMaking, out.State)
	}
	return nil
}

func (r *Reader) get(ctx context.Context) (*iam.GetCredentialReportOutput, error) {
	out, err := r.api.GetCredentialReport(ctx, &iam.GetCredentialReportInput{})
	if err != nil {
		return nil, translate("iam:GetCredentialReport", err)
	}
	if out.GeneratedTime == nil {
		return nil, backoff.Permanent(errors.New("iam:GetCredentialReport: the answer does not say how old the report is"))
	}
	return out, nil
}
