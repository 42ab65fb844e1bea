package awssim_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"sekisho/infra/local/awssim"
)

// The SDK tries three times by itself: two throttled calls are overcome, three are not.
func TestThrottledCallsAreTriedAgain(t *testing.T) {
	seen := make(chan awssim.Call, 10)
	w := newWorld(t, awssim.Options{StopTime: never, OnCall: func(c awssim.Call) { seen <- c }})
	i := w.Add(awssim.Instance{State: "running"})

	w.Throttle("StopInstances", 2)
	_, err := w.stop(t.Context(), i.ID)
	wantOK(t, err)
	for _, want := range []string{"RequestLimitExceeded", "RequestLimitExceeded", ""} {
		got := <-seen
		if got.Service != "ec2" || got.Action != "StopInstances" || len(got.IDs) != 1 || got.IDs[0] != i.ID || got.ErrorCode != want {
			t.Errorf("call %+v, want StopInstances of %s with code %q", got, i.ID, want)
		}
	}
	if n := len(w.Calls()); n != 3 {
		t.Errorf("%d calls recorded, want 3", n)
	}

	w.Throttle("StopInstances", 3)
	_, err = w.stop(t.Context(), i.ID)
	wantCode(t, err, "RequestLimitExceeded")
	if status := statusOf(t, err); status != http.StatusServiceUnavailable {
		t.Errorf("throttled with status %d, want 503", status)
	}

	url := w.CreateQueue("q", time.Minute, "", 0)
	w.Throttle("SendMessage", 1)
	_, err = w.sqs.SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: &url, MessageBody: aws.String("once")})
	wantOK(t, err)
	if got := w.Queue(url).Visible; len(got) != 1 {
		t.Errorf("the queue has %v, want one message: a throttled call has no effect", got)
	}
}

func statusOf(t *testing.T, err error) int {
	t.Helper()
	response, ok := errors.AsType[*awshttp.ResponseError](err)
	if !ok {
		t.Fatalf("no HTTP response in %v", err)
	}
	return response.HTTPStatusCode()
}

func TestArrangedFailures(t *testing.T) {
	w := newWorld(t, awssim.Options{})
	i := w.Add(awssim.Instance{State: "running"})
	w.Fail("StopInstances", "UnauthorizedOperation", 1)
	w.Fail("StopInstances", "InsufficientInstanceCapacity", 1)
	once := func(o *ec2.Options) { o.Retryer = aws.NopRetryer{} }
	for _, want := range []string{"UnauthorizedOperation", "InsufficientInstanceCapacity"} {
		_, err := w.ec2.StopInstances(t.Context(), &ec2.StopInstancesInput{InstanceIds: []string{i.ID}}, once)
		wantCode(t, err, want)
		if got := w.state(t, i.ID); got != "running" {
			t.Errorf("a call that failed left it %s", got)
		}
	}
	_, err := w.stop(t.Context(), i.ID)
	wantOK(t, err)
}

func TestStaleReads(t *testing.T) {
	w := newWorld(t, awssim.Options{})
	i := w.Add(awssim.Instance{Tags: map[string]string{"Auth": "before"}})
	wantOK(t, w.StartInstance(i.ID))
	wantOK(t, w.SetTag(i.ID, "Auth", "after"))

	w.StaleReads(i.ID, 2)
	for range 2 {
		got := w.describe(t, i.ID)
		if got.State.Name != "stopped" || *got.Tags[0].Value != "before" || !got.LaunchTime.Equal(i.LaunchTime) {
			t.Errorf("a stale read shows %s, %v, %v", got.State.Name, *got.Tags[0].Value, got.LaunchTime)
		}
	}
	if got := w.describe(t, i.ID); got.State.Name != "running" || *got.Tags[0].Value != "after" || !got.LaunchTime.After(i.LaunchTime) {
		t.Errorf("the third read shows %s, %v, %v", got.State.Name, *got.Tags[0].Value, got.LaunchTime)
	}

	// an instance that was launched just now isn't known to a stale read at all
	launched, err := w.Launch(awssim.Instance{Name: "new"})
	wantOK(t, err)
	w.StaleReads(launched.ID, 2)
	_, err = w.ec2.DescribeInstances(t.Context(), &ec2.DescribeInstancesInput{InstanceIds: []string{launched.ID}})
	wantCode(t, err, "InvalidInstanceID.NotFound")
	all, err := w.ec2.DescribeInstances(t.Context(), &ec2.DescribeInstancesInput{})
	wantOK(t, err)
	if len(all.Reservations) != 1 {
		t.Errorf("a stale list has %d instances, want 1", len(all.Reservations))
	}
	w.describe(t, launched.ID)
}

func TestHiddenTags(t *testing.T) {
	w := newWorld(t, awssim.Options{})
	i := w.Add(awssim.Instance{State: "running", Tags: map[string]string{"Auth": "code"}})
	w.HideTags(i.ID, 1)
	if got := w.describe(t, i.ID).Tags; len(got) != 0 {
		t.Errorf("the first read has tags %v", got)
	}
	w.HideTags(i.ID, 1)
	out, err := w.ec2.DescribeTags(t.Context(), &ec2.DescribeTagsInput{Filters: []types.Filter{{Name: aws.String("resource-id"), Values: []string{i.ID}}}})
	wantOK(t, err)
	if len(out.Tags) != 1 {
		t.Errorf("DescribeTags shows %d tags, want 1", len(out.Tags))
	}
	w.describe(t, i.ID) // uses the fault up
	if got := w.describe(t, i.ID).Tags; len(got) != 1 {
		t.Errorf("the next read has tags %v, want one", got)
	}
}

func TestIgnoredStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := awssim.New(awssim.Options{StopTime: time.Second})
		defer c.Close()
		i := c.Add(awssim.Instance{State: "running"})
		c.IgnoreStops(i.ID, true)
		wantOK(t, c.StopInstance(i.ID))
		time.Sleep(time.Hour)
		if got := c.Instances()[0].State; got != "stopping" {
			t.Errorf("an ignored stop ended %s", got)
		}
		c.IgnoreStops(i.ID, false)
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if got := c.Instances()[0].State; got != "stopped" {
			t.Errorf("ignored no longer, it is %s", got)
		}
	})
}

func TestSignatures(t *testing.T) {
	w := newWorld(t, awssim.Options{})
	w.CreateQueue("q", time.Minute, "", 0)
	tests := []struct{ name, key, region, ec2Code, sqsCode string }{
		{"the key", testKey, "eu-central-1", "", ""},
		{"another key", "AKIDOTHERTEST", "eu-central-1", "AuthFailure", "InvalidClientTokenId"},
		{"another region", testKey, "us-east-1", "AuthFailure", "SignatureDoesNotMatch"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			e, s := w.clients(tt.key, tt.region)
			_, err := e.DescribeInstances(t.Context(), &ec2.DescribeInstancesInput{})
			if tt.ec2Code == "" {
				wantOK(t, err)
			} else {
				wantCode(t, err, tt.ec2Code)
				if status := statusOf(t, err); status != http.StatusUnauthorized {
					t.Errorf("EC2 status %d, want 401", status)
				}
			}
			_, err = s.GetQueueUrl(t.Context(), &sqs.GetQueueUrlInput{QueueName: aws.String("q")})
			if tt.sqsCode == "" {
				wantOK(t, err)
			} else {
				wantCode(t, err, tt.sqsCode)
			}
		})
	}

	post := func(authorization string) int {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.server.URL, strings.NewReader("Action=DescribeInstances&Version=2016-11-15"))
		wantOK(t, err)
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("X-Amz-Date", "20260304T050607Z")
		if authorization != "" {
			r.Header.Set("Authorization", authorization)
		}
		response, err := w.server.Client().Do(r)
		wantOK(t, err)
		defer response.Body.Close()
		return response.StatusCode
	}
	scope := "AWS4-HMAC-SHA256 Credential=" + testKey + "/20260304/eu-central-1/"
	rest := "/aws4_request, SignedHeaders=host;x-amz-date, Signature=" + strings.Repeat("0", 64)
	for authorization, want := range map[string]int{
		"":                         401,
		"Bearer x":                 401,
		scope + "ec2":              401,
		scope + "sqs" + rest:       401,
		scope + "ec2" + rest:       200,
		scope + "ec2" + rest + "0": 401,
	} {
		if got := post(authorization); got != want {
			t.Errorf("Authorization %q: status %d, want %d", authorization, got, want)
		}
	}
}

// Real clients fall over what they don't know here rather than going on.
func TestUnknownActions(t *testing.T) {
	w := newWorld(t, awssim.Options{})
	_, err := w.ec2.DescribeVolumes(t.Context(), &ec2.DescribeVolumesInput{})
	if message := wantCode(t, err, "InvalidAction"); message != "The action DescribeVolumes is not valid for this web service." {
		t.Errorf("message %q", message)
	}
	_, err = w.sqs.ListQueues(t.Context(), &sqs.ListQueuesInput{})
	wantCode(t, err, "UnknownOperationException")
	response, err := w.server.Client().Get(w.server.URL)
	wantOK(t, err)
	response.Body.Close()
	if response.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("GET answers %d, want 405", response.StatusCode)
	}
}

func TestClosedCloudAnswers(t *testing.T) {
	w := newWorld(t, awssim.Options{})
	w.Close()
	once := func(o *ec2.Options) { o.Retryer = aws.NopRetryer{} }
	_, err := w.ec2.DescribeInstances(t.Context(), &ec2.DescribeInstancesInput{}, once)
	wantCode(t, err, "ServiceUnavailable")
}

func TestChanges(t *testing.T) {
	w := newWorld(t, awssim.Options{})
	ctx, cancel := context.WithCancel(t.Context())
	changes := w.Changes(ctx)
	i := w.Add(awssim.Instance{})
	wantOK(t, w.SetTag(i.ID, "a", "b"))
	<-changes
	select {
	case <-changes:
		t.Error("two changes gave two ticks, want them merged")
	default:
	}
	wantOK(t, w.StartInstance(i.ID))
	<-changes
	cancel()
	for range changes { // ends when the channel is closed
	}
}

// What was arranged to fail is taken back, and nothing else.
func TestRecover(t *testing.T) {
	w := newWorld(t, awssim.Options{StopTime: never})
	i := w.Add(awssim.Instance{State: "running"})
	w.Fail("StopInstances", "UnauthorizedOperation", 100)
	w.Fail("StopInstances", "IncorrectInstanceState", 1)
	w.Recover("StopInstances", "UnauthorizedOperation")
	w.Recover("StopInstances", "Unheard")
	_, err := w.stop(t.Context(), i.ID)
	wantCode(t, err, "IncorrectInstanceState")
	_, err = w.stop(t.Context(), i.ID)
	wantOK(t, err)
}
