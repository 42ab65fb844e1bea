package awssim

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"
)

const jsonContentType = "application/x-amz-json-1.1"

// jsonService is one that speaks AWS's JSON protocol, version 1.1.
// https://smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html
type jsonService struct {
	name    string // in signatures: "events"
	target  string // what stands before an action in X-Amz-Target: "AWSEvents."
	title   string // "EventBridge"
	actions map[string]jsonAction
	need    func(c *Cloud, action string, in named) need // the caller holds mu
}

// named is what a request is about, by the name that its service has for it.
type named struct{ Name, Rule, SecretId string }

// jsonAction does what a request's body asks for. The caller holds mu.
type jsonAction func(c *Cloud, body []byte) (any, error)

// jsonTarget says which of the services of this kind, and which of its actions, a request names. SQS and Config are others.
func jsonTarget(target string) (s jsonService, action string, found bool) {
	for _, s := range []jsonService{events, secretsManager, ssm} {
		if action, found := strings.CutPrefix(target, s.target); found {
			return s, action, true
		}
	}
	return jsonService{}, "", false
}

// taking makes an action of a function that takes its parameters as a struct. Any parameter that isn't in it is refused.
func taking[In any](do func(*Cloud, In) (any, error)) jsonAction {
	return func(c *Cloud, body []byte) (any, error) {
		var in In
		d := json.NewDecoder(bytes.NewReader(body))
		d.DisallowUnknownFields()
		if err := d.Decode(&in); err != nil {
			return nil, refuse("SerializationException", "The request's body can't be read, or has a parameter unknown here: %v", err)
		}
		return do(c, in)
	}
}

func (c *Cloud) serveJSON(w http.ResponseWriter, r *http.Request, s jsonService, action string, body []byte) {
	requestID := newRequestID()
	call := Call{Service: s.name, Action: action, Key: signedBy(r)}
	var in named
	if json.Unmarshal(body, &in) == nil {
		for _, id := range []string{in.Name, in.Rule, in.SecretId} {
			if id != "" {
				call.IDs = append(call.IDs, id)
			}
		}
	}

	out, err := c.callJSON(r, s, action, in, body)
	c.record(call, err)
	if err != nil {
		refused := asAPIError(err)
		// Whatever the client did wrong is a 400: https://docs.aws.amazon.com/secretsmanager/latest/apireference/CommonErrors.html
		status := http.StatusBadRequest
		if refused.Status >= http.StatusInternalServerError {
			status = refused.Status
		}
		shape := map[string]string{"__type": refused.Code, "message": refused.Message}
		answer(w, jsonContentType, requestID, status, mustJSON(shape))
		return
	}
	answer(w, jsonContentType, requestID, http.StatusOK, mustJSON(out))
}

func (c *Cloud) callJSON(r *http.Request, s jsonService, action string, in named, body []byte) (any, error) {
	if err := c.admitCall(r, s.name, action, "ThrottlingException"); err != nil {
		return nil, err
	}
	do := s.actions[action]
	if do == nil {
		return nil, refuse("UnknownOperationException", "The local %s doesn't know the action %s.", s.title, action)
	}
	by := c.callerOf(r)
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.permit(by, s.need(c, action, in)); err != nil {
		return nil, err
	}
	return do(c, body)
}

func errValidation(format string, args ...any) *APIError {
	return refuse("ValidationException", format, args...)
}

func errNotGiven(parameter string) *APIError {
	return errValidation("1 validation error detected: Value null at '%s' failed to satisfy constraint: Member must not be null", parameter)
}
