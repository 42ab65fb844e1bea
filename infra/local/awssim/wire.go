package awssim

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/google/uuid"
)

// maxBody bounds a request's body. SQS's largest batch is 1 MiB of text, and JSON may write a character as six.
const maxBody = 8 << 20

// maxCalls is how many calls are remembered; a demo that polls for days must not grow.
const maxCalls = 10_000

// Call is one wire call, as CloudTrail might record it.
type Call struct {
	Service   string   // "ec2", "sqs", "iam", "sts", "config", "ses", "events", "secretsmanager", "ssm"
	Action    string   // "StartInstances"
	IDs       []string // as the call names them: instances; a queue; a user, then a key; Config's resources; a mail's recipients; or a rule, …
	At        time.Time
	ErrorCode string // "" when it succeeded
	Key       string // the access key id that it is signed with; "" when it isn't signed
}

// Handler serves all of AWS at one address, as a client with AWS_ENDPOINT_URL expects: POST with an X-Amz-Target header is
// a service's JSON, which the target names; POST of a form is a query of IAM, STS or EC2, as its signature says.
// SES alone has paths.
func (c *Cloud) Handler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if action, name := sesLook(r); action != "" {
			c.serveSESLook(w, r, action, name)
			return
		}
		if strings.HasPrefix(r.URL.Path, sesPrefix) {
			c.serveSES(w, r)
			return
		}
		if r.Method != http.MethodPost {
			w.Header().Set("Allow", http.MethodPost)
			http.Error(w, "this is a local AWS endpoint: it takes POST, in AWS's query or JSON protocol", http.StatusMethodNotAllowed)
			return
		}
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
		if err != nil {
			http.Error(w, "can't read the request's body: "+err.Error(), http.StatusBadRequest)
			return
		}
		target := r.Header.Get("X-Amz-Target")
		switch s, action, found := jsonTarget(target); {
		case found:
			c.serveJSON(w, r, s, action, body)
		case strings.HasPrefix(target, configTarget):
			c.serveConfig(w, r, strings.TrimPrefix(target, configTarget), body)
		case target != "":
			c.serveSQS(w, r, strings.TrimPrefix(target, "AmazonSQS."), body)
		case signedFor(r) == iam.name:
			c.serveQuery(w, r, iam, body)
		case signedFor(r) == sts.name:
			c.serveQuery(w, r, sts, body)
		default:
			c.serveEC2(w, r, body)
		}
	})
}

// Calls lists the wire calls so far, oldest first, refused ones too; at most the last 10,000.
func (c *Cloud) Calls() []Call {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]Call(nil), c.calls...)
}

// admitCall is what every wire call meets first: the cloud's end, the signature, and the failures that were arranged
// for its action.
func (c *Cloud) admitCall(r *http.Request, service, action, throttled string) error {
	if err := c.checkSignature(r, service); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return errClosed()
	}
	switch code, refused := c.faults.take(action); {
	case !refused:
		return nil
	case code == "":
		return &APIError{throttled, "Request limit exceeded.", statusOf(throttled)}
	default:
		return &APIError{code, "This failure was asked for.", statusOf(code)}
	}
}

// record remembers a call that is about to be answered.
func (c *Cloud) record(call Call, err error) {
	call.At = c.opts.Now()
	if err != nil {
		call.ErrorCode = asAPIError(err).Code
	}
	c.mu.Lock()
	if len(c.calls) == maxCalls {
		c.calls = append(c.calls[:0], c.calls[maxCalls/2:]...)
	}
	c.calls = append(c.calls, call)
	c.mu.Unlock()
	if c.opts.OnCall != nil {
		c.opts.OnCall(call)
	}
}

func asAPIError(err error) *APIError {
	if refused, ok := errors.AsType[*APIError](err); ok {
		return refused
	}
	return &APIError{"InternalError", err.Error(), http.StatusInternalServerError}
}

// answer sends one answer with the request id that AWS puts on each.
func answer(w http.ResponseWriter, contentType, requestID string, status int, body []byte) {
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("X-Amzn-Requestid", requestID)
	w.WriteHeader(status)
	w.Write(body) // a client that hung up is no concern of the cloud's
}

func newRequestID() string { return uuid.NewString() }
