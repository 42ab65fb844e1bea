package iamreport_test

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"sekisho/auth/purge"
	"sekisho/infra/iamreport"
)

const (
	generate = "GenerateCredentialReport"
	get      = "GetCredentialReport"
)

// amazon answers each action from a script of its own, one answer a call and the
// last one for good, and notes what was called. It is a transport without a
// network, so that it works in synctest bubbles.
type amazon struct {
	script map[string][]answer
	calls  []string
}

// answer is what is inside …Result, or with a code an error.
type answer struct {
	body   string
	code   string
	status int // of an error; 0: 400
}

func (a *amazon) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, err
	}
	action := form.Get("Action")
	a.calls = append(a.calls, action)
	now := a.script[action][0]
	if len(a.script[action]) > 1 {
		a.script[action] = a.script[action][1:]
	}
	w := httptest.NewRecorder()
	if now.code != "" {
		w.WriteHeader(max(now.status, http.StatusBadRequest))
		fmt.Fprintf(w, "<ErrorResponse><Error><Code>%s</Code><Message>so it is</Message></Error></ErrorResponse>", now.code)
	} else {
		fmt.Fprintf(w, "<%[1]sResponse><%[1]sResult>%[2]s</%[1]sResult></%[1]sResponse>", action, now.body)
	}
	return w.Result(), nil
}

func state(s string) answer { return answer{body: "<State>" + s + "</State>"} }

const made = "2026-03-04T01:06:07Z"

func content(text string) answer {
	return answer{body: "<ReportFormat>text/csv</ReportFormat><GeneratedTime>" + made + "</GeneratedTime>" +
		"<Content>" + base64.StdEncoding.EncodeToString([]byte(text)) + "</Content>"}
}

// all is a report of one user; from its lack of columns nothing follows here.
var all = content("user\nann\n")

var (
	denied     = answer{code: "AccessDenied", status: 403}
	throttled  = answer{code: "Throttling"}
	failed     = answer{code: "ServiceFailure", status: 500}
	notPresent = answer{code: "ReportNotPresent", status: 410}
	expired    = answer{code: "ReportExpired", status: 410}
	notReady   = answer{code: "ReportInProgress", status: 404}
)

func open(generates, gets []answer) (*iamreport.Reader, *amazon) {
	cloud := &amazon{script: map[string][]answer{generate: generates, get: gets}}
	return iamreport.New(aws.Config{
		Region: "eu-central-1", HTTPClient: &http.Client{Transport: cloud},
		Credentials: credentials.NewStaticCredentialsProvider("AKIATESTTESTTESTSELF", "test-secret-key", "test-session"),
	}), cloud
}

func answers(a ...answer) []answer { return a }

// TestCredentials goes each way to a report, with the calls that it takes.
func TestCredentials(t *testing.T) {
	const asked, given = generate, get
	for what, c := range map[string]struct {
		generates, gets []answer
		calls           []string
	}{
		"at once":              {answers(state("COMPLETE")), answers(all), []string{asked, given}},
		"made first":           {answers(state("STARTED"), state("INPROGRESS"), state("COMPLETE")), answers(all), []string{asked, asked, asked, given}},
		"in a state unheard":   {answers(state(""), state("COMPLETE")), answers(all), []string{asked, asked, given}},
		"expired meanwhile":    {answers(state("COMPLETE")), answers(expired, all), []string{asked, given, asked, given}},
		"gone meanwhile":       {answers(state("COMPLETE")), answers(notPresent, all), []string{asked, given, asked, given}},
		"not ready after all":  {answers(state("COMPLETE")), answers(notReady, all), []string{asked, given, asked, given}},
		"throttled":            {answers(throttled, state("COMPLETE")), answers(throttled, throttled, all), []string{asked, asked, given, given, given}},
		"throttled for longer": {answers(throttled, throttled, throttled, throttled, state("COMPLETE")), answers(all), []string{asked, asked, asked, asked, asked, given}},
		"IAM fails for a time": {answers(failed, failed, failed, failed, state("COMPLETE")), answers(all), []string{asked, asked, asked, asked, asked, given}},
		"none may be made":     {answers(denied), answers(all), []string{asked, given}},
		"made by another":      {answers(denied), answers(notReady, notReady, all), []string{asked, given, given, given}},
	} {
		synctest.Test(t, func(t *testing.T) {
			r, cloud := open(c.generates, c.gets)
			got, err := r.Credentials(t.Context())
			if err != nil || len(got.Rows) != 1 || got.Rows[0].User != "ann" {
				t.Errorf("%s: %+v, error %v", what, got, err)
			}
			if want := time.Date(2026, 3, 4, 1, 6, 7, 0, time.UTC); got.Made != want {
				t.Errorf("%s: made at %v, want %v", what, got.Made, want)
			}
			if !slices.Equal(cloud.calls, c.calls) {
				t.Errorf("%s: called\n%q\nwant\n%q", what, cloud.calls, c.calls)
			}
		})
	}
}

// What will not pass is not waited for.
func TestRefusals(t *testing.T) {
	for what, c := range map[string]struct {
		generates, gets []answer
		denied          string // the action
		says            string
		calls           int
	}{
		"may not read":             {answers(state("COMPLETE")), answers(denied), "iam:GetCredentialReport", "AccessDenied: so it is", 2},
		"may do nothing":           {answers(denied), answers(denied), "iam:GetCredentialReport", "AccessDenied: so it is", 2},
		"may not make, and none":   {answers(denied), answers(notPresent), "iam:GenerateCredentialReport", "ReportNotPresent: so it is", 2},
		"may not make, and old":    {answers(denied), answers(expired), "iam:GenerateCredentialReport", "ReportExpired: so it is", 2},
		"denied in other words":    {answers(state("COMPLETE")), answers(answer{code: "UnauthorizedOperation"}), "iam:GetCredentialReport", "so it is", 2},
		"an error nobody foresaw":  {answers(answer{code: "LimitExceeded"}), nil, "", "iam:GenerateCredentialReport: LimitExceeded: so it is", 1},
		"no word of its age":       {answers(state("COMPLETE")), answers(answer{body: "<Content>dXNlcg==</Content>"}), "", "does not say how old", 2},
		"nothing in it":            {answers(state("COMPLETE")), answers(content("")), "", "IAM's credential report cannot be read: it is empty", 2},
		"something else in it":     {answers(state("COMPLETE")), answers(content("<html>")), "", "no column user", 2},
		"not even base64 in there": {answers(state("COMPLETE")), answers(answer{body: "<Content>%</Content>"}), "", "iam:GetCredentialReport: ", 2},
	} {
		synctest.Test(t, func(t *testing.T) {
			r, cloud := open(c.generates, c.gets)
			got, err := r.Credentials(t.Context())
			if err == nil || !strings.Contains(err.Error(), c.says) || got.Rows != nil {
				t.Fatalf("%s: %+v, error %v; want one that says %q", what, got, err, c.says)
			}
			d, is := errors.AsType[*purge.Denied](err)
			if is != (c.denied != "") || is && (d.Action != c.denied || !strings.Contains(err.Error(), c.denied)) {
				t.Errorf("%s: %v, want a denial of %q", what, err, c.denied)
			}
			if len(cloud.calls) != c.calls {
				t.Errorf("%s: called %q", what, cloud.calls)
			}
			for _, secret := range []string{"test-secret", "test-session", "Signature"} {
				if strings.Contains(err.Error(), secret) {
					t.Errorf("%s: the error holds %q: %v", what, secret, err)
				}
			}
		})
	}
}

// TestTheWaitHasAnEnd for every reason to wait, and says what it was about.
func TestTheWaitHasAnEnd(t *testing.T) {
	for what, c := range map[string]struct {
		generates, gets []answer
		says            string
	}{
		"being made": {answers(state("INPROGRESS")), nil, "IAM is making its credential report (INPROGRESS)"},
		"not ready":  {answers(denied), answers(notReady), "ReportInProgress: so it is"},
		"expired":    {answers(state("COMPLETE")), answers(expired), "ReportExpired: so it is"},
		"throttled":  {answers(throttled), nil, "iam:GenerateCredentialReport: Throttling: so it is"},
	} {
		synctest.Test(t, func(t *testing.T) {
			r, cloud := open(c.generates, c.gets)
			began := time.Now()
			_, err := r.Credentials(t.Context())
			if err == nil || !strings.Contains(err.Error(), "within 2 minutes") || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%s: %v", what, err)
			}
			if took := time.Since(began); took != 2*time.Minute {
				t.Errorf("%s: it took %v", what, took)
			}
			if n := len(cloud.calls); n < 10 || n > 120 {
				t.Errorf("%s: %d calls", what, n)
			}
		})
	}
}

// The caller's own deadline comes first, and its cause is told.
func TestTheCallerMayNotWait(t *testing.T) {
	late := errors.New("the report's hour is over")
	synctest.Test(t, func(t *testing.T) {
		r, _ := open(answers(state("STARTED")), nil)
		ctx, cancel := context.WithTimeoutCause(t.Context(), 5*time.Second, late)
		defer cancel()
		began := time.Now()
		if _, err := r.Credentials(ctx); !errors.Is(err, late) || time.Since(began) != 5*time.Second {
			t.Errorf("%v after %v, want %v", err, time.Since(began), late)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		r, cloud := open(answers(state("COMPLETE")), answers(all))
		ctx, cancel := context.WithCancelCause(t.Context())
		cancel(late)
		if _, err := r.Credentials(ctx); !errors.Is(err, late) || len(cloud.calls) != 0 {
			t.Errorf("%v after the calls %q, want %v", err, cloud.calls, late)
		}
	})
}
