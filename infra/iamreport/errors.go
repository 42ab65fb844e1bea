package iamreport

import (
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/smithy-go"
	"github.com/cenkalti/backoff/v5"

	"sekisho/auth/purge"
)

// Both pass once a report was made.
var (
	errNone   = errors.New("IAM has no credential report, or one too old to give")
	errMaking = errors.New("IAM is making its credential report")
)

// busy is what the SDK takes for passing, too.
var busy = retry.IsErrorRetryables(retry.DefaultRetryables)

// translate is the one place that understands IAM's errors. It keeps the code
// and the message, and drops the request's details. What does not pass by itself
// is a backoff.PermanentError:
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetCredentialReport.html
func translate(action string, err error) error {
	said := fmt.Errorf("%s: %w", action, err)
	if e, ok := errors.AsType[smithy.APIError](err); ok {
		switch e.ErrorCode() {
		case "ReportNotPresent", "ReportExpired":
			return fmt.Errorf("%w (%s: %s)", errNone, e.ErrorCode(), e.ErrorMessage())
		case "ReportInProgress":
			return fmt.Errorf("%w (%s: %s)", errMaking, e.ErrorCode(), e.ErrorMessage())
		case "AccessDenied", "AccessDeniedException", "UnauthorizedOperation":
			return backoff.Permanent(fmt.Errorf("%w (%s: %s)", &purge.Denied{Action: action}, e.ErrorCode(), e.ErrorMessage()))
		}
		said = fmt.Errorf("%s: %s: %s", action, e.ErrorCode(), e.ErrorMessage())
		if strings.Contains(e.ErrorCode(), "Signature") { // IAM may repeat all that was signed, the session token too
			said = fmt.Errorf("%s: %s", action, e.ErrorCode())
		}
	}
	if busy.IsErrorRetryable(err) != aws.TrueTernary {
		return backoff.Permanent(said)
	}
	return said
}
