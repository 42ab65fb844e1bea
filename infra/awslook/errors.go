package awslook

import (
	"errors"
	"fmt"
	"strings"

	"github.com/aws/smithy-go"

	"sekisho/auth/doctor"
)

// failed is the one place that understands AWS's errors. What the bot may not
// see wraps doctor.ErrUnseen and gives the statement that its policy lacks. Of
// the others it keeps the code and the message, and drops the request's details.
func failed(action, resource string, err error) error {
	code, said := told(err)
	switch code {
	case "":
		return fmt.Errorf("%s: %w", action, err)
	case "AccessDenied", "AccessDeniedException", "UnauthorizedOperation":
		return fmt.Errorf(`%s %w: %s; add to the policy {"Effect":"Allow","Action":%q,"Resource":%q}`,
			action, doctor.ErrUnseen, code, action, resource)
	}
	if strings.Contains(code, "Signature") { // AWS may repeat all that was signed, the session token too
		return fmt.Errorf("%s: %s", action, code)
	}
	return fmt.Errorf("%s: %s: %s", action, code, said)
}

// told is AWS's answer in an error; without a code there was none.
func told(err error) (code, said string) {
	if e, ok := errors.AsType[smithy.APIError](err); ok {
		return e.ErrorCode(), e.ErrorMessage()
	}
	return "", ""
}
