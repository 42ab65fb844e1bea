package awscall_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"

	"sekisho/infra/awscall"
)

// amazon answers without a network.
type amazon func(*http.Request) (status int, body string)

func (a amazon) RoundTrip(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	status, body := a(r)
	w.WriteHeader(status)
	io.WriteString(w, body)
	return w.Result(), nil
}

func call(a amazon) awscall.Call {
	return awscall.Call{
		Service: "ssm", ContentType: awscall.JSON, Target: "AmazonSSM.GetParameter",
		Config: aws.Config{
			HTTPClient:  &http.Client{Transport: a},
			Credentials: credentials.NewStaticCredentialsProvider("AKIATESTTESTTESTTEST", "test-secret", "test-session"),
		},
	}
}

func TestAQuestionIsSigned(t *testing.T) {
	for region, host := range map[string]string{"eu-west-1": "ssm.eu-west-1.amazonaws.com", "cn-north-1": "ssm.cn-north-1.amazonaws.com.cn"} {
		var asked *http.Request
		answer, err := call(func(r *http.Request) (int, string) { asked = r; return http.StatusOK, "yes" }).Send(t.Context(), region, "{}")
		if string(answer) != "yes" || err != nil {
			t.Fatalf("%q, %v", answer, err)
		}
		for header, want := range map[string]string{
			"Authorization": "Credential=AKIATESTTESTTESTTEST/", "X-Amz-Security-Token": "test-session",
			"X-Amz-Target": "AmazonSSM.GetParameter", "Content-Type": "application/x-amz-json-1.1",
		} {
			if got := asked.Header.Get(header); !strings.Contains(got, want) {
				t.Errorf("%s: %q, want %q", header, got, want)
			}
		}
		if !strings.Contains(asked.Header.Get("Authorization"), "/"+region+"/ssm/aws4_request") || asked.URL.String() != "https://"+host+"/" || asked.Method != http.MethodPost {
			t.Errorf("%s %s, signed %s", asked.Method, asked.URL, asked.Header.Get("Authorization"))
		}
	}
	keyless := call(nil)
	keyless.Config.Credentials = nil
	if _, err := keyless.Send(t.Context(), "eu-west-1", "{}"); err == nil || !strings.Contains(err.Error(), "no AWS credentials") {
		t.Errorf("without credentials: %v", err)
	}
}

func TestARefusalIsReadInEitherProtocol(t *testing.T) {
	for body, want := range map[string]string{
		`{"__type":"ParameterNotFound","message":"so it is"}`:                              "ParameterNotFound",
		`{"__type":"com.amazonaws.ssm#ParameterNotFound","Message":"so it is"}`:            "ParameterNotFound",
		`<R><Error><Code>AccessDenied</Code><Message>so it is</Message></Error></R>`:       "AccessDenied",
		`<html>a proxy's page that repeats AWS4-HMAC-SHA256 Credential=AKIATEST</html>`:    "",
		`{"error":"another program's, that repeats AWS4-HMAC-SHA256 Credential=AKIATEST"}`: "",
	} {
		_, err := call(func(*http.Request) (int, string) { return http.StatusForbidden, body }).Send(t.Context(), "eu-west-1", "{}")
		e, _ := errors.AsType[smithy.APIError](err)
		switch {
		case want != "" && (e == nil || e.ErrorCode() != want || e.ErrorMessage() != "so it is"):
			t.Errorf("%s became %v", body, err)
		case want == "" && (e != nil || err == nil || strings.Contains(err.Error(), "AKIATEST")):
			t.Errorf("%s became %v", body, err)
		}
	}
}

func TestOnlyWhatIsBusyIsAskedAgain(t *testing.T) {
	for _, c := range []struct {
		status int
		body   string
		calls  int
	}{
		{http.StatusInternalServerError, `{}`, 3}, {http.StatusTooManyRequests, `{}`, 3},
		{http.StatusBadRequest, `{"__type":"ThrottlingException"}`, 3},
		{http.StatusBadRequest, `{"__type":"ParameterNotFound"}`, 1}, {http.StatusForbidden, `<html>`, 1},
	} {
		synctest.Test(t, func(t *testing.T) {
			calls := 0
			_, err := call(func(*http.Request) (int, string) { calls++; return c.status, c.body }).Send(t.Context(), "eu-west-1", "{}")
			if err == nil || calls != c.calls {
				t.Errorf("%d %s: asked %d times, %v", c.status, c.body, calls, err)
			}
		})
	}
}

// What counts the SDK's calls counts these, too: once, however often it was tried.
func TestTheConfigurationsOptionsStandAroundACall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := call(func(*http.Request) (int, string) { return http.StatusInternalServerError, `{"__type":"Busy"}` })
		c.ServiceID = "SSM"
		var seen []string
		c.Config.APIOptions = append(c.Config.APIOptions, func(s *middleware.Stack) error {
			return s.Initialize.Add(middleware.InitializeMiddlewareFunc("test", func(
				ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler,
			) (middleware.InitializeOutput, middleware.Metadata, error) {
				out, metadata, err := next.HandleInitialize(ctx, in)
				seen = append(seen, awsmiddleware.GetServiceID(ctx)+" "+err.Error())
				return out, metadata, err
			}), middleware.After)
		})
		_, err := c.Send(t.Context(), "eu-west-1", "{}")
		if e, ok := errors.AsType[smithy.APIError](err); !ok || e.ErrorCode() != "Busy" || len(seen) != 1 || seen[0] != "SSM "+err.Error() {
			t.Errorf("%v; seen was %q", err, seen)
		}
	})
}

func TestPartition(t *testing.T) {
	for region, want := range map[string]string{"eu-central-1": "aws", "cn-north-1": "aws-cn", "us-gov-west-1": "aws-us-gov", "": "aws"} {
		if got := awscall.Partition(region); got != want {
			t.Errorf("%q is of %q, want %q", region, got, want)
		}
	}
}

// A region stands in a host's name.
func TestNoRegionLeadsElsewhere(t *testing.T) {
	for _, region := range []string{"", "evil.example/", "eu west", "EU", strings.Repeat("a", 40)} {
		_, err := call(func(r *http.Request) (int, string) { t.Errorf("%s was asked", r.URL); return 0, "" }).Send(t.Context(), region, "{}")
		if err == nil {
			t.Errorf("%q is taken", region)
		}
	}
}
