package awssim

import (
	"encoding/xml"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
)

// The query protocol as IAM and STS speak it, of which EC2's is a dialect: a form in, XML out.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/programming.html
type queryService struct {
	name      string // in signatures: "iam"
	namespace string
	actions   map[string]func(*Cloud, form) (any, error) // all that it can do; the caller holds mu
	need      func(*Cloud, string, form) need            // of an action; nil: none. The caller holds mu
}

func (c *Cloud) serveQuery(w http.ResponseWriter, r *http.Request, s queryService, body []byte) {
	requestID := newRequestID()
	values, parseErr := url.ParseQuery(string(body))
	f := form{values, c.callerOf(r)}
	call := Call{Service: s.name, Action: f.get("Action"), Key: signedBy(r)}
	for _, parameter := range []string{"UserName", "AccessKeyId"} {
		if id := f.get(parameter); id != "" {
			call.IDs = append(call.IDs, id)
		}
	}

	result, err := c.callQuery(r, s, call.Action, f, parseErr)
	c.record(call, err)
	if err != nil {
		refused := asAPIError(err)
		shape := newQueryError(refused, requestID)
		answer(w, "text/xml", requestID, refused.Status, encodeXML("ErrorResponse", s.namespace, shape))
		return
	}
	shape := queryAnswer{call.Action, result, requestID}
	answer(w, "text/xml", requestID, http.StatusOK, encodeXML(call.Action+"Response", s.namespace, shape))
}

func (c *Cloud) callQuery(r *http.Request, s queryService, action string, f form, parseErr error) (any, error) {
	if parseErr != nil {
		return nil, refuse("MalformedQueryString", "The request's body is not a form: %v", parseErr)
	}
	if err := c.admitCall(r, s.name, action, "Throttling"); err != nil {
		if refused, ok := errors.AsType[*APIError](err); ok && refused.Code == "AccessDenied" && s.need != nil {
			c.mu.Lock()
			defer c.mu.Unlock()
			return nil, c.unauthorized(f.by, s.need(c, action, f), implicitDeny)
		}
		return nil, err
	}
	do := s.actions[action]
	if do == nil {
		return nil, refuse("InvalidAction", "Could not find operation %s for version %s", action, f.get("Version"))
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if s.need != nil {
		if err := c.permit(f.by, s.need(c, action, f)); err != nil {
			return nil, err
		}
	}
	return do(c, f)
}

// queryAnswer is an answer's XML: what came of the action, if it has something to tell, and the request's id.
type queryAnswer struct {
	action    string
	result    any // nil: nothing to tell
	requestID string
}

// MarshalXML names the result after the action, which a struct tag can't.
func (a queryAnswer) MarshalXML(e *xml.Encoder, start xml.StartElement) error {
	if err := e.EncodeToken(start); err != nil {
		return err
	}
	if a.result != nil {
		if err := e.EncodeElement(a.result, element(a.action+"Result")); err != nil {
			return err
		}
	}
	metadata := struct{ RequestId string }{a.requestID}
	if err := e.EncodeElement(metadata, element("ResponseMetadata")); err != nil {
		return err
	}
	return e.EncodeToken(start.End())
}

func element(name string) xml.StartElement { return xml.StartElement{Name: xml.Name{Local: name}} }

type queryError struct {
	Type      string `xml:"Error>Type"` // whose fault: "Sender", "Receiver"
	Code      string `xml:"Error>Code"`
	Message   string `xml:"Error>Message"`
	RequestID string `xml:"RequestId"`
}

func newQueryError(refused *APIError, requestID string) queryError {
	whose := "Sender"
	if refused.Status >= http.StatusInternalServerError {
		whose = "Receiver"
	}
	return queryError{whose, refused.Code, refused.Message, requestID}
}

// The sizes of a page that IAM gives. https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListUsers.html
const usualItems, maxItems = 100, 1000

// moreXML says whether another page follows.
type moreXML struct {
	IsTruncated bool
	Marker      string `xml:",omitempty"`
}

// page is the part of a list that a call asked for, of those to keep. The list is in order of place.
func page[T any](f form, list []T, place func(T) string, keep func(T) bool) (shown []T, more moreXML, err error) {
	size := usualItems
	if text, given := f.lookup("MaxItems"); given {
		size, err = strconv.Atoi(text)
		if err != nil || size < 1 || size > maxItems {
			return nil, more, errConstraint(text, "maxItems", fmt.Sprintf("Member must be between 1 and %d", maxItems))
		}
	}
	after, err := readToken(f.get("Marker"))
	if err != nil {
		return nil, more, refuse("ValidationError", "Invalid Marker.")
	}
	from, _ := slices.BinarySearchFunc(list, after, func(item T, after string) int {
		if place(item) <= after {
			return -1
		}
		return 1
	})
	for _, item := range list[from:] {
		if !keep(item) {
			continue
		}
		if len(shown) == size {
			return shown, moreXML{true, writeToken(place(shown[size-1]))}, nil
		}
		shown = append(shown, item)
	}
	return shown, more, nil
}

func everyone[T any](T) bool { return true }
