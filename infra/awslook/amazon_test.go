package awslook_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"sekisho/infra/awslook"
)

const (
	account = "123456789012"
	region  = "eu-west-1"
	role    = "arn:aws:iam::" + account + ":role/sekisho-keeper"
)

// now is AWS's clock.
var now = time.Date(2026, 11, 23, 5, 0, 0, 0, time.UTC)

// call is one request: of a query service its form, of a JSON service its body.
type call struct {
	action, region string
	form           url.Values
	json           map[string]any
	path           string // of SES
}

// refusal is AWS's answer with an error code.
type refusal string

func (r refusal) Error() string { return string(r) }

// cloud answers calls, by a transport without a network, and notes the actions.
type cloud struct {
	answer func(call) (string, error)
	mu     sync.Mutex
	calls  []string
}

func (c *cloud) RoundTrip(r *http.Request) (*http.Response, error) {
	one, err := read(r)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	c.calls = append(c.calls, one.action)
	c.mu.Unlock()
	w := httptest.NewRecorder()
	w.Header().Set("Date", now.Format(http.TimeFormat))
	body, err := c.answer(one)
	code, refused := errors.AsType[refusal](err)
	switch {
	case err != nil && !refused:
		return nil, err
	case one.form == nil:
		if refused {
			w.Header().Set("X-Amzn-Errortype", string(code))
			w.WriteHeader(http.StatusBadRequest)
			body = fmt.Sprintf(`{"__type":%q,"message":"so it is"}`, code)
		}
	case refused && strings.HasPrefix(one.action, "ec2:"):
		w.WriteHeader(http.StatusForbidden)
		body = fmt.Sprintf("<Response><Errors><Error><Code>%s</Code><Message>so it is</Message></Error></Errors></Response>", code)
	case refused:
		w.WriteHeader(http.StatusForbidden)
		body = fmt.Sprintf("<ErrorResponse><Error><Code>%s</Code><Message>so it is</Message></Error></ErrorResponse>", code)
	case !strings.HasPrefix(one.action, "ec2:"):
		_, name, _ := strings.Cut(one.action, ":")
		body = fmt.Sprintf("<%[1]sResponse><%[1]sResult>%[2]s</%[1]sResult></%[1]sResponse>", name, body)
	}
	io.WriteString(w, body)
	return w.Result(), nil
}

// read finds out what a request asks for. The signature says of which Region and service:
// Credential=KEY/DATE/REGION/SERVICE/aws4_request
func read(r *http.Request) (call, error) {
	scope := strings.Split(r.Header.Get("Authorization"), "/")
	if len(scope) < 5 {
		return call{}, errors.New("the request is not signed")
	}
	c := call{region: scope[2], path: r.URL.Path}
	body := new(bytes.Buffer)
	if r.Body != nil {
		body.ReadFrom(r.Body)
	}
	switch service := scope[3]; service {
	case "ses":
		c.action = "ses:GetAccount"
		if strings.Contains(c.path, "/identities/") {
			c.action = "ses:GetEmailIdentity"
		}
	case "events", "config":
		_, name, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
		c.action = service + ":" + name
		return c, json.Unmarshal(body.Bytes(), &c.json)
	default:
		form, err := url.ParseQuery(body.String())
		c.action, c.form = service+":"+form.Get("Action"), form
		return c, err
	}
	return c, nil
}

// open gives a Look at a cloud that answers so.
func open(own awslook.Own, answer func(call) (string, error)) (*awslook.Look, *cloud) {
	c := &cloud{answer: answer}
	config := aws.Config{
		Region: region, HTTPClient: &http.Client{Transport: c},
		Credentials: credentials.NewStaticCredentialsProvider("AKIATESTTESTTEST0001", "test-secret", "test-session"),
		Retryer:     func() aws.Retryer { return aws.NopRetryer{} },
	}
	return awslook.New(func(string) aws.Config { return config }, own), c
}

// members reads a list of a query service: "ActionNames.member.1" and so on.
func members(form url.Values, list string) (all []string) {
	for n := 1; form.Has(fmt.Sprintf("%s.member.%d", list, n)); n++ {
		all = append(all, form.Get(fmt.Sprintf("%s.member.%d", list, n)))
	}
	return all
}

func wantError(t *testing.T, err error, parts ...string) {
	t.Helper()
	for _, want := range parts {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got the error %v, want %q in it", err, want)
		}
	}
}

func (c *cloud) count(action string) int {
	n := 0
	for _, one := range c.calls {
		if one == action {
			n++
		}
	}
	return n
}

func wantSame[T comparable](t *testing.T, what string, got []T, want ...T) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}
