package iamkeys

import (
	"errors"
	"fmt"
	"strings"

	"github.com/aws/smithy-go"

	"sekisho/auth/purge"
)

// translate is the one place that understands the errors of IAM, STS and
// Config. It keeps the code and the message, and drops the request's details:
// https://docs.aws.amazon.com/IAM/latest/APIReference/CommonErrors.html
func translate(action string, err error) error {
	e, ok := errors.AsType[smithy.APIError](err)
	if !ok {
		return err
	}
	switch e.ErrorCode() {
	case "NoSuchEntity":
		return fmt.Errorf("%w (%s: %s: %s)", purge.ErrGone, action, e.ErrorCode(), e.ErrorMessage())
	case "AccessDenied", "AccessDeniedException", "UnauthorizedOperation":
		return fmt.Errorf("%w (%s: %s)", &purge.Denied{Action: action}, e.ErrorCode(), e.ErrorMessage())
	}
	if strings.Contains(e.ErrorCode(), "Signature") { // AWS may repeat all that was signed, the session token too
		return fmt.Errorf("%s: %s", action, e.ErrorCode())
	}
	return fmt.Errorf("%s: %s: %s", action, e.ErrorCode(), e.ErrorMessage())
}
