package awssim

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
)

// SES's REST protocol, version 2: JSON at paths, and one of them known.
// https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_SendEmail.html
const (
	sesPrefix      = "/v2/email/"
	sesSendPath    = sesPrefix + "outbound-emails"
	sesSend        = "SendEmail"
	sesContentType = "application/json"
)

// maxSESBody bounds a request's body: base64 makes four bytes of three.
const maxSESBody = maxMailSize/3*4 + 1<<20

// sesRequest has every parameter that SendEmail takes here. Any other is refused.
type sesRequest struct {
	FromEmailAddress     string
	Destination          sesDestination
	Content              sesContent
	ConfigurationSetName string
}

type sesDestination struct {
	ToAddresses, CcAddresses, BccAddresses []string
}

func (d sesDestination) all() []string {
	return slices.Concat(d.ToAddresses, d.CcAddresses, d.BccAddresses)
}

type sesContent struct {
	Raw              *struct{ Data []byte }
	Simple, Template json.RawMessage // refused
}

func (c *Cloud) serveSES(w http.ResponseWriter, r *http.Request) {
	requestID := newRequestID()
	call := Call{Service: "ses", Action: r.Method + " " + r.URL.Path, Key: signedBy(r)}
	if r.Method == http.MethodPost && r.URL.Path == sesSendPath {
		call.Action = sesSend
	}
	in, readErr := readSES(http.MaxBytesReader(w, r.Body, maxSESBody))
	call.IDs = in.Destination.all()

	id, err := c.callSES(r, call.Action, in, readErr)
	c.record(call, err)
	if err != nil {
		refused := asAPIError(err)
		w.Header().Set("X-Amzn-Errortype", refused.Code)
		answer(w, sesContentType, requestID, refused.Status, mustJSON(map[string]string{"message": refused.Message}))
		return
	}
	if c.losesAnswer() {
		panic(http.ErrAbortHandler) // net/http closes the connection
	}
	answer(w, sesContentType, requestID, http.StatusOK, mustJSON(map[string]string{"MessageId": id}))
}

func readSES(body io.Reader) (in sesRequest, err error) {
	text, err := io.ReadAll(body)
	if _, tooLong := errors.AsType[*http.MaxBytesError](err); tooLong {
		return in, errMailSize()
	}
	if err != nil {
		return in, badRequest("The request's body can't be read: %v", err)
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&in); err != nil {
		return in, badRequest("The local SES can't read the request's body, or has no such parameter: %v", err)
	}
	return in, nil
}

func (c *Cloud) callSES(r *http.Request, action string, in sesRequest, readErr error) (id string, err error) {
	if err := c.admitCall(r, "ses", action, "TooManyRequestsException"); err != nil {
		if refused, ok := errors.AsType[*APIError](err); ok {
			refused.Message = c.sesWording(c.callerOf(r), refused, in)
		}
		return "", err
	}
	if action != sesSend {
		return "", &APIError{"UnknownOperationException", "The local SES doesn't know " + action + ".", http.StatusNotFound}
	}
	if readErr != nil {
		return "", readErr
	}
	by := c.callerOf(r)
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.permit(by, c.sesNeeds(in)...); err != nil {
		return "", err
	}
	return c.sesSendEmail(in)
}

// sesWording is what SES says with a code that a test asked for, where it is known.
func (c *Cloud) sesWording(by caller, refused *APIError, in sesRequest) string {
	switch refused.Code {
	case "AccessDeniedException":
		c.mu.Lock()
		defer c.mu.Unlock()
		return c.unauthorized(by, c.sesNeeds(in)[0], implicitDeny).Message
	case "AccountSuspendedException":
		return "The account may not send mail any more."
	case "LimitExceededException":
		return "Daily message quota exceeded."
	case "MailFromDomainNotVerifiedException":
		return "The custom MAIL FROM domain of the identity is not verified."
	case "MessageRejected":
		return c.notVerified([]string{in.FromEmailAddress})
	case "SendingPausedException":
		return errSendingPaused().Message
	case "TooManyRequestsException":
		return "Maximum sending rate exceeded."
	}
	return refused.Message
}

// notVerified is SES's sentence about addresses that nobody proved to own.
// https://docs.aws.amazon.com/ses/latest/dg/troubleshoot-error-messages.html
func (c *Cloud) notVerified(identities []string) string {
	return fmt.Sprintf("Email address is not verified. The following identities failed the check in region %s: %s",
		strings.ToUpper(c.opts.Region), strings.Join(identities, ", "))
}

func (c *Cloud) identityARN(identity string) string {
	return "arn:aws:ses:" + c.opts.Region + ":" + c.opts.Account + ":identity/" + identity
}

func badRequest(format string, args ...any) *APIError {
	return refuse("BadRequestException", format, args...)
}

func errMailSize() *APIError {
	return badRequest("Message length is more than %d bytes long.", maxMailSize)
}

func errSendingPaused() *APIError {
	return refuse("SendingPausedException",
		"Sending paused for this account. For more information, please check the inbox of the email address "+
			"associated with your AWS account.")
}
