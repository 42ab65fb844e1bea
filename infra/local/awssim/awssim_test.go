package awssim_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/configservice"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/sesv2"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"

	"sekisho/infra/local/awssim"
)

const (
	testKey    = "AKIDTESTONLY"
	testSecret = "test-secret-not-a-real-one"

	// never is a boot or stop time that no test outlives: the instance stays where it is.
	never = time.Hour
)

// world is a cloud, the SDK's own clients of it, and the events that it sends.
type world struct {
	*awssim.Cloud
	server *httptest.Server
	ec2    *ec2.Client
	sqs    *sqs.Client
	iam    *iam.Client
	sts    *sts.Client
	config *configservice.Client
	ses    *sesv2.Client

	bridge     *eventbridge.Client
	secrets    *secretsmanager.Client
	parameters *ssm.Client

	events  chan event  // state changes
	trail   chan []byte // CloudTrail's
	judged  chan []byte // Config's
	bounced chan []byte // SES's
}

const (
	trailType  = "AWS API Call via CloudTrail"
	configType = "Config Rules Compliance Change"
	bounceType = "Email Bounced"
)

type event struct {
	Version    string
	ID         string
	DetailType string `json:"detail-type"`
	Source     string
	Account    string
	Time       time.Time
	Region     string
	Resources  []string
	Detail     struct {
		InstanceID string `json:"instance-id"`
		State      string
	}
}

func newWorld(t *testing.T, opts awssim.Options) *world {
	t.Helper()
	opts.AccessKeyID = testKey
	c := awssim.New(opts)
	server := httptest.NewServer(c.Handler())
	c.SetBaseURL(server.URL)
	t.Cleanup(func() { // the cloud first: it ends long polls, which the server would wait for
		c.Close()
		server.Close()
	})
	w := &world{
		Cloud: c, events: make(chan event, 100), trail: make(chan []byte, 100), judged: make(chan []byte, 100), bounced: make(chan []byte, 100),
	}
	w.server = server
	w.ec2, w.sqs = w.clients(testKey, "eu-central-1")
	w.useRegion("eu-central-1")
	c.OnEvent(func(raw []byte) {
		var e event
		if err := json.Unmarshal(raw, &e); err != nil {
			t.Errorf("an event is not JSON: %v", err)
		}
		switch e.DetailType {
		case trailType:
			w.trail <- raw
		case configType:
			w.judged <- raw
		case bounceType:
			w.bounced <- raw
		default:
			w.events <- e
		}
	})
	return w
}

func (w *world) clients(key, region string) (*ec2.Client, *sqs.Client) {
	return clients(w.server.Client(), w.server.URL, key, region)
}

// useRegion makes the clients of the services about users and of SES, for a region.
func (w *world) useRegion(region string) {
	w.useConfig(sdkConfig(w.server.Client(), w.server.URL, testKey, region))
}

// useNoSockets makes the same clients without a network, for large requests and answers. On a busy machine the SDK may close a
// request's body before net/http is done with it, which then drops the connection with the rest of the answer.
func (w *world) useNoSockets() {
	w.useConfig(sdkConfig(inProcess{w.Handler()}, "http://aws.test", testKey, "eu-central-1"))
}

func (w *world) useConfig(cfg aws.Config) {
	w.iam, w.sts, w.config, w.ses = iam.NewFromConfig(cfg), sts.NewFromConfig(cfg), configservice.NewFromConfig(cfg), sesv2.NewFromConfig(cfg)
	w.bridge, w.secrets, w.parameters = eventbridge.NewFromConfig(cfg), secretsmanager.NewFromConfig(cfg), ssm.NewFromConfig(cfg)
}

func clients(http aws.HTTPClient, url, key, region string) (*ec2.Client, *sqs.Client) {
	cfg := sdkConfig(http, url, key, region)
	return ec2.NewFromConfig(cfg), sqs.NewFromConfig(cfg)
}

// sdkConfig makes the SDK's own clients, which don't wait between retries here.
func sdkConfig(http aws.HTTPClient, url, key, region string) aws.Config {
	return aws.Config{
		Region:       region,
		Credentials:  credentials.NewStaticCredentialsProvider(key, testSecret, ""),
		BaseEndpoint: &url,
		HTTPClient:   http,
		Retryer: func() aws.Retryer {
			return retry.NewStandard(func(o *retry.StandardOptions) {
				o.Backoff = retry.BackoffDelayerFunc(func(int, error) (time.Duration, error) { return 0, nil })
			})
		},
	}
}

// inProcess is an HTTP client without a network, for synctest bubbles: a bubble's clock stands still while anything in
// it waits for a socket.
type inProcess struct{ handler http.Handler }

func (p inProcess) Do(r *http.Request) (*http.Response, error) {
	recorder := httptest.NewRecorder()
	p.handler.ServeHTTP(recorder, r)
	return recorder.Result(), nil
}

// wantStates takes as many events of an instance as there are states, and compares.
func (w *world) wantStates(t *testing.T, id string, states ...string) {
	t.Helper()
	for _, want := range states {
		select {
		case e := <-w.events:
			if e.Detail.InstanceID != id || e.Detail.State != want {
				t.Fatalf("event says %s is %s, want %s is %s", e.Detail.InstanceID, e.Detail.State, id, want)
			}
		case <-time.After(10 * time.Second):
			t.Fatalf("no event that %s is %s", id, want)
		}
	}
}

func (w *world) state(t *testing.T, id string) string {
	t.Helper()
	for _, i := range w.Instances() {
		if i.ID == id {
			return i.State
		}
	}
	t.Fatalf("no instance %s", id)
	return ""
}

func (w *world) describe(t *testing.T, id string) types.Instance {
	t.Helper()
	out, err := w.ec2.DescribeInstances(t.Context(), &ec2.DescribeInstancesInput{InstanceIds: []string{id}})
	if err != nil {
		t.Fatal(err)
	}
	if len(out.Reservations) != 1 || len(out.Reservations[0].Instances) != 1 {
		t.Fatalf("described %s as %+v, want one instance", id, out.Reservations)
	}
	return out.Reservations[0].Instances[0]
}

func (w *world) start(ctx context.Context, ids ...string) (*ec2.StartInstancesOutput, error) {
	return w.ec2.StartInstances(ctx, &ec2.StartInstancesInput{InstanceIds: ids})
}

func (w *world) stop(ctx context.Context, ids ...string) (*ec2.StopInstancesOutput, error) {
	return w.ec2.StopInstances(ctx, &ec2.StopInstancesInput{InstanceIds: ids})
}

func (w *world) terminate(ctx context.Context, ids ...string) (*ec2.TerminateInstancesOutput, error) {
	return w.ec2.TerminateInstances(ctx, &ec2.TerminateInstancesInput{InstanceIds: ids})
}

// wantCode says that err is an API error with that code, and gives its message.
func wantCode(t *testing.T, err error, code string) string {
	t.Helper()
	if refused, ok := errors.AsType[*awssim.APIError](err); ok { // from the console
		err = &smithy.GenericAPIError{Code: refused.Code, Message: refused.Message}
	}
	refused, ok := errors.AsType[smithy.APIError](err)
	if !ok {
		t.Fatalf("error is %v, want an API error %s", err, code)
	}
	if refused.ErrorCode() != code {
		t.Fatalf("error is %s: %s, want code %s", refused.ErrorCode(), refused.ErrorMessage(), code)
	}
	return refused.ErrorMessage()
}

func wantOK(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// clock is a clock that stands still until it is moved.
type clock struct{ at atomic.Pointer[time.Time] }

func newClock() *clock {
	c := &clock{}
	start := time.Date(2026, 3, 4, 5, 6, 7, 890e6, time.UTC)
	c.at.Store(&start)
	return c
}

func (c *clock) now() time.Time { return *c.at.Load() }

func (c *clock) advance(d time.Duration) {
	later := c.now().Add(d)
	c.at.Store(&later)
}
