package awssim

import (
	"fmt"
	"net/http"
	"strings"
)

// APIError is a refusal, as AWS words it. Wire calls put it into the protocol's error shape; the console methods
// return it as it is.
type APIError struct {
	Code    string // "IncorrectInstanceState"
	Message string
	Status  int // the HTTP status it travels with
}

func (e *APIError) Error() string { return e.Code + ": " + e.Message }

// refuse makes the error that most refusals are: the caller's mistake, status 400.
func refuse(code, format string, args ...any) *APIError {
	return &APIError{Code: code, Message: fmt.Sprintf(format, args...), Status: http.StatusBadRequest}
}

func errNoInstance(ids ...string) *APIError {
	if len(ids) == 1 {
		return refuse("InvalidInstanceID.NotFound", "The instance ID '%s' does not exist", ids[0])
	}
	return refuse("InvalidInstanceID.NotFound", "The instance IDs '%s' do not exist", strings.Join(ids, ", "))
}

func errMissing(parameter string) *APIError {
	return refuse("MissingParameter", "The request must contain the parameter %s", parameter)
}

func errClosed() *APIError {
	return &APIError{"ServiceUnavailable", "The local cloud has been closed.", http.StatusServiceUnavailable}
}

// errDryRun is how EC2 says yes to a dry run: an error, status 412.
func errDryRun() *APIError {
	return &APIError{"DryRunOperation", "Request would have succeeded, but DryRun flag is set.", http.StatusPreconditionFailed}
}

// statusOf is the HTTP status an error code travels with, for codes that a test injects by name.
func statusOf(code string) int {
	switch code {
	case "AuthFailure":
		return http.StatusUnauthorized
	case "UnauthorizedOperation", "AccessDenied", "AccessDeniedException", "OptInRequired", "ExpiredToken", "InvalidClientTokenId":
		return http.StatusForbidden
	case "NoSuchEntity", "NotFoundException", "ReportInProgress":
		return http.StatusNotFound
	case "ReportNotPresent", "ReportExpired":
		return http.StatusGone
	case "TooManyRequestsException":
		return http.StatusTooManyRequests
	case "LimitExceeded", "EntityAlreadyExists", "DeleteConflict":
		return http.StatusConflict
	case "DryRunOperation":
		return http.StatusPreconditionFailed
	case "InternalError", "InternalFailure", "ServiceFailure":
		return http.StatusInternalServerError
	case "RequestLimitExceeded", "ServiceUnavailable", "Unavailable", "InsufficientInstanceCapacity":
		return http.StatusServiceUnavailable
	}
	return http.StatusBadRequest
}

// errNoEntity is IAM's "not found".
func errNoEntity(format string, args ...any) *APIError {
	return &APIError{"NoSuchEntity", fmt.Sprintf(format, args...), http.StatusNotFound}
}

func errNoKey(id string) *APIError {
	return errNoEntity("The Access Key with id %s cannot be found.", id)
}

func errExists(format string, args ...any) *APIError {
	return &APIError{"EntityAlreadyExists", fmt.Sprintf(format, args...), http.StatusConflict}
}

func errQuota(quota string, limit int) *APIError {
	return &APIError{"LimitExceeded", fmt.Sprintf("Cannot exceed quota for %s: %d", quota, limit), http.StatusConflict}
}

// errConstraint is how IAM refuses a parameter before it looks at anything else.
func errConstraint(value, parameter, constraint string) *APIError {
	return refuse("ValidationError", "1 validation error detected: Value '%s' at '%s' failed to satisfy constraint: %s",
		value, parameter, constraint)
}

func errNull(parameter string) *APIError {
	return refuse("ValidationError", "1 validation error detected: Value null at '%s' failed to satisfy constraint: Member must not be null",
		parameter)
}
