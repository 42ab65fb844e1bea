package ec2instances

import (
	"errors"
	"fmt"

	"github.com/aws/smithy-go"

	"sekisho/auth"
)

// meanings are the error codes that the gate must tell apart:
// https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html
var meanings = map[string]error{
	"InvalidInstanceID.NotFound":  auth.ErrNoInstance,
	"InvalidInstanceID.Malformed": auth.ErrNoInstance,
	"InvalidInstanceId.NotFound":  auth.ErrNoInstance,
	"InvalidID":                   auth.ErrNoInstance, // of the tag calls
	"IncorrectInstanceState":      auth.ErrNotYet,
	"OperationNotPermitted":       auth.ErrStopProtected,
	"UnsupportedOperation":        auth.ErrCannotStop,
}

// translate is the one place that understands EC2's errors. It keeps the code
// and the message, which hold no secret, and drops the request's details.
func translate(err error) error {
	var e smithy.APIError
	if !errors.As(err, &e) {
		return err
	}
	if meaning, known := meanings[e.ErrorCode()]; known {
		return fmt.Errorf("%w (EC2: %s: %s)", meaning, e.ErrorCode(), e.ErrorMessage())
	}
	return fmt.Errorf("EC2: %s: %s", e.ErrorCode(), e.ErrorMessage())
}
