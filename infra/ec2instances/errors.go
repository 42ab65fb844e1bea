package ec2instances

import (
	"errors"
	"fmt"
	"strings"

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
// and the message, and drops the request's details.
func translate(err error) error {
	var e smithy.APIError
	if !errors.As(err, &e) {
		return err
	}
	if meaning, known := meanings[e.ErrorCode()]; known {
		return fmt.Errorf("%w (EC2: %s: %s)", meaning, e.ErrorCode(), e.ErrorMessage())
	}
	if strings.Contains(e.ErrorCode(), "Signature") { // EC2 may repeat all that was signed, the session token too
		return errors.New("EC2: " + e.ErrorCode())
	}
	return fmt.Errorf("EC2: %s: %s", e.ErrorCode(), e.ErrorMessage())
}

// tagFault translates the error of a call that carried a tag's value. EC2
// quotes parameters that it does not like, and the value may be a pass's code:
// then only the meaning is kept.
func tagFault(err error, value string) error {
	err = translate(err)
	if err == nil || value == "" || !strings.Contains(err.Error(), value) {
		return err
	}
	for _, meaning := range meanings {
		if errors.Is(err, meaning) {
			return meaning
		}
	}
	return errors.New("EC2 refused it, in words that hold the tag's value and are not repeated here")
}
