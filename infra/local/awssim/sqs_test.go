package awssim_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"sekisho/infra/local/awssim"
)

func (w *world) receive(t *testing.T, url string) []types.Message {
	t.Helper()
	out, err := w.sqs.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: &url, MaxNumberOfMessages: 10,
		MessageSystemAttributeNames: []types.MessageSystemAttributeName{"ApproximateReceiveCount"}})
	wantOK(t, err)
	return out.Messages
}

func bodies(messages []types.Message) string {
	var all []string
	for _, m := range messages {
		all = append(all, *m.Body)
	}
	return strings.Join(all, " ")
}

func TestSendReceiveDelete(t *testing.T) {
	clock := newClock()
	w := newWorld(t, awssim.Options{Now: clock.now})
	url := w.CreateQueue("work", 30*time.Second, "", 0)
	got, err := w.sqs.GetQueueUrl(t.Context(), &sqs.GetQueueUrlInput{QueueName: aws.String("work")})
	wantOK(t, err)
	if *got.QueueUrl != url || url != w.server.URL+"/111122223333/work" {
		t.Errorf("queue URLs %s and %s", *got.QueueUrl, url)
	}

	_, err = w.sqs.SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: &url, MessageBody: aws.String(`{"text":"関所 <&>"}`)})
	wantOK(t, err)
	first := w.receive(t, url)
	if len(first) != 1 || *first[0].Body != `{"text":"関所 <&>"}` || first[0].Attributes["ApproximateReceiveCount"] != "1" {
		t.Fatalf("received %+v", first)
	}
	if again := w.receive(t, url); len(again) != 0 {
		t.Errorf("received %s while it is in flight", bodies(again))
	}
	clock.advance(30 * time.Second)
	second := w.receive(t, url)
	if len(second) != 1 || second[0].Attributes["ApproximateReceiveCount"] != "2" {
		t.Fatalf("after the visibility timeout received %+v", second)
	}
	// the first receive's handle doesn't delete what somebody else has now
	for _, handle := range []*string{first[0].ReceiptHandle, second[0].ReceiptHandle, second[0].ReceiptHandle} {
		_, err = w.sqs.DeleteMessage(t.Context(), &sqs.DeleteMessageInput{QueueUrl: &url, ReceiptHandle: handle})
		wantOK(t, err)
		if n := len(w.Queue(url).InFlight); (n == 1) != (handle == first[0].ReceiptHandle) {
			t.Errorf("%d messages in flight after a delete", n)
		}
	}
	_, err = w.sqs.DeleteMessage(t.Context(), &sqs.DeleteMessageInput{QueueUrl: &url, ReceiptHandle: aws.String("junk")})
	wantCode(t, err, "ReceiptHandleIsInvalid")
}

func TestDelay(t *testing.T) {
	clock := newClock()
	w := newWorld(t, awssim.Options{Now: clock.now})
	url := w.CreateQueue("work", time.Minute, "", 0)
	_, err := w.sqs.SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: &url, MessageBody: aws.String("later"), DelaySeconds: 900})
	wantOK(t, err)
	if s := w.Queue(url); len(s.Delayed) != 1 || len(s.InFlight)+len(s.Visible) != 0 {
		t.Errorf("state %+v, want one delayed", s)
	}
	clock.advance(899 * time.Second)
	if got := w.receive(t, url); len(got) != 0 {
		t.Error("received before the delay was over")
	}
	clock.advance(time.Second)
	if got := w.receive(t, url); len(got) != 1 {
		t.Error("not received after the delay")
	}
	_, err = w.sqs.SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: &url, MessageBody: aws.String("x"), DelaySeconds: 901})
	wantCode(t, err, "InvalidParameterValue")
}

func TestDeadLetters(t *testing.T) {
	clock := newClock()
	w := newWorld(t, awssim.Options{Now: clock.now})
	url := w.CreateQueue("events", 30*time.Second, "events-dead", 2)
	w.Send(url, "poison")
	for n := range 2 {
		if got := w.receive(t, url); len(got) != 1 {
			t.Fatalf("receive %d gave %d messages", n+1, len(got))
		}
		if s := w.Queue(url); len(s.Dead) != 0 || len(s.InFlight) != 1 {
			t.Fatalf("after receive %d: %+v, want it in flight", n+1, s)
		}
		clock.advance(30 * time.Second)
	}
	if got := w.receive(t, url); len(got) != 0 {
		t.Errorf("a third receive gave %s", bodies(got))
	}
	if s := w.Queue(url); !slices.Equal(s.Dead, []string{"poison"}) || len(s.Visible)+len(s.InFlight) != 0 {
		t.Errorf("state %+v, want it dead", s)
	}
	dead, err := w.sqs.GetQueueUrl(t.Context(), &sqs.GetQueueUrlInput{QueueName: aws.String("events-dead")})
	wantOK(t, err)
	if got := w.receive(t, *dead.QueueUrl); bodies(got) != "poison" {
		t.Errorf("the dead-letter queue gave %q", bodies(got))
	}
}

func TestChangeVisibility(t *testing.T) {
	clock := newClock()
	w := newWorld(t, awssim.Options{Now: clock.now})
	url := w.CreateQueue("work", 30*time.Second, "", 0)
	w.Send(url, "m")
	change := func(handle *string, seconds int32) error {
		_, err := w.sqs.ChangeMessageVisibility(t.Context(), &sqs.ChangeMessageVisibilityInput{QueueUrl: &url, ReceiptHandle: handle, VisibilityTimeout: seconds})
		return err
	}
	m := w.receive(t, url)[0]
	wantOK(t, change(m.ReceiptHandle, 60))
	clock.advance(59 * time.Second)
	if got := w.receive(t, url); len(got) != 0 {
		t.Error("visible before the longer timeout")
	}
	wantOK(t, change(m.ReceiptHandle, 0))
	again := w.receive(t, url)
	if len(again) != 1 {
		t.Fatal("not visible at once after a timeout of 0")
	}
	_, notInFlight := errors.AsType[*types.MessageNotInflight](change(m.ReceiptHandle, 10))
	if !notInFlight {
		t.Error("an old handle changed the visibility")
	}
	wantCode(t, change(again[0].ReceiptHandle, 43_201), "InvalidParameterValue")
	clock.advance(30 * time.Second)
	wantCode(t, change(again[0].ReceiptHandle, 10), "AWS.SimpleQueueService.MessageNotInflight")
}

// A long poll answers when a message can be had, when its time is over, or when its reader or the cloud goes. In a
// bubble the seconds are exact.
func TestLongPoll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := awssim.New(awssim.Options{})
		defer c.Close()
		_, client := clients(inProcess{c.Handler()}, "http://aws.test", testKey, "eu-central-1")
		url := c.CreateQueue("work", 5*time.Second, "", 0)
		poll := func(ctx context.Context) (body string, took time.Duration, err error) {
			began := time.Now()
			out, err := client.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: &url, WaitTimeSeconds: 20},
				func(o *sqs.Options) { o.Retryer = aws.NopRetryer{} })
			if err == nil {
				body = bodies(out.Messages)
			}
			return body, time.Since(began), err
		}
		want := func(what, wantBody string, wantTook time.Duration) {
			t.Helper()
			body, took, err := poll(t.Context())
			if body != wantBody || took != wantTook || err != nil {
				t.Errorf("%s: received %q after %v (%v), want %q after %v", what, body, took, err, wantBody, wantTook)
			}
		}

		want("nothing there", "", 20*time.Second)
		c.Send(url, "a")
		want("something there", "a", 0)
		time.AfterFunc(time.Second, func() { c.Send(url, "b") })
		want("something comes", "b", time.Second)
		want("something comes back", "a", 4*time.Second)
		want("something comes back", "b", time.Second)

		_, err := client.SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: &url, MessageBody: aws.String("c"), DelaySeconds: 3})
		wantOK(t, err)
		want("something was delayed", "c", 3*time.Second)

		// A reader that hangs up takes no message with it.
		time.Sleep(time.Second)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		quiet := c.CreateQueue("quiet", 5*time.Second, "", 0)
		url = quiet
		_, took, _ := poll(ctx)
		c.Send(quiet, "d")
		synctest.Wait()
		if s := c.Queue(quiet); took != time.Second || len(s.Visible) != 1 {
			t.Errorf("hung up after %v, the queue has %+v, want a visible message", took, s)
		}
		want("the next reader", "d", 0)

		time.AfterFunc(2*time.Second, c.Close)
		_, took, err = poll(t.Context())
		wantCode(t, err, "ServiceUnavailable")
		if took != 2*time.Second {
			t.Errorf("a poll ended %v after it began, want 2s: when the cloud was closed", took)
		}
	})
}

func TestBatches(t *testing.T) {
	w := newWorld(t, awssim.Options{})
	url := w.CreateQueue("work", time.Minute, "", 0)
	var entries []types.SendMessageBatchRequestEntry
	for n := range 11 {
		entries = append(entries, types.SendMessageBatchRequestEntry{Id: aws.String(fmt.Sprint("e", n)), MessageBody: aws.String(fmt.Sprint("m", n))})
	}
	send := func(entries ...types.SendMessageBatchRequestEntry) (*sqs.SendMessageBatchOutput, error) {
		return w.sqs.SendMessageBatch(t.Context(), &sqs.SendMessageBatchInput{QueueUrl: &url, Entries: entries})
	}
	_, err := send(entries...)
	wantCode(t, err, "AWS.SimpleQueueService.TooManyEntriesInBatchRequest")
	_, err = send(entries[0], entries[0])
	wantCode(t, err, "AWS.SimpleQueueService.BatchEntryIdsNotDistinct")
	_, err = send([]types.SendMessageBatchRequestEntry{}...) // nil would not leave the SDK
	wantCode(t, err, "AWS.SimpleQueueService.EmptyBatchRequest")

	entries[1].DelaySeconds = 901
	out, err := send(entries[0], entries[1], entries[2])
	wantOK(t, err)
	if len(out.Successful) != 2 || len(out.Failed) != 1 || *out.Failed[0].Id != "e1" || *out.Failed[0].Code != "InvalidParameterValue" {
		t.Fatalf("batch answered %+v", out)
	}
	got := w.receive(t, url)
	if bodies(got) != "m0 m2" {
		t.Fatalf("received %q", bodies(got))
	}
	deleted, err := w.sqs.DeleteMessageBatch(t.Context(), &sqs.DeleteMessageBatchInput{QueueUrl: &url, Entries: []types.DeleteMessageBatchRequestEntry{
		{Id: aws.String("a"), ReceiptHandle: got[0].ReceiptHandle},
		{Id: aws.String("b"), ReceiptHandle: aws.String("junk")},
	}})
	wantOK(t, err)
	if len(deleted.Successful) != 1 || *deleted.Successful[0].Id != "a" || len(deleted.Failed) != 1 {
		t.Errorf("batch answered %+v", deleted)
	}
	if s := w.Queue(url); !slices.Equal(s.InFlight, []string{"m2"}) {
		t.Errorf("state %+v, want m2 in flight", s)
	}
}

func TestQueueAttributes(t *testing.T) {
	w := newWorld(t, awssim.Options{})
	url := w.CreateQueue("work", 30*time.Second, "dead", 5)
	w.Send(url, "a")
	w.Send(url, "b")
	if _, err := w.sqs.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: &url}); err != nil {
		t.Fatal(err)
	}
	out, err := w.sqs.GetQueueAttributes(t.Context(), &sqs.GetQueueAttributesInput{QueueUrl: &url, AttributeNames: []types.QueueAttributeName{"All"}})
	wantOK(t, err)
	for name, want := range map[string]string{
		"ApproximateNumberOfMessages":           "1",
		"ApproximateNumberOfMessagesNotVisible": "1",
		"VisibilityTimeout":                     "30",
		"QueueArn":                              "arn:aws:sqs:eu-central-1:111122223333:work",
		"RedrivePolicy":                         `{"deadLetterTargetArn":"arn:aws:sqs:eu-central-1:111122223333:dead","maxReceiveCount":5}`,
	} {
		if got := out.Attributes[name]; got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	_, err = w.sqs.GetQueueAttributes(t.Context(), &sqs.GetQueueAttributesInput{QueueUrl: &url, AttributeNames: []types.QueueAttributeName{"Colour"}})
	wantCode(t, err, "InvalidAttributeName")
}

func TestSQSRefusals(t *testing.T) {
	w := newWorld(t, awssim.Options{})
	url := w.CreateQueue("work", time.Minute, "", 0)
	elsewhere := w.server.URL + "/999999999999/work"
	for _, unknown := range []string{url + "x", elsewhere, "work"} {
		_, err := w.sqs.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: &unknown})
		if _, ok := errors.AsType[*types.QueueDoesNotExist](err); !ok {
			t.Errorf("queue %s: %v, want QueueDoesNotExist", unknown, err)
		}
		wantCode(t, err, "AWS.SimpleQueueService.NonExistentQueue") // the code that SDKs report, from SQS's older protocol
	}
	for _, in := range []*sqs.ReceiveMessageInput{
		{MaxNumberOfMessages: 11}, {WaitTimeSeconds: 21}, {VisibilityTimeout: 43_201},
	} {
		in.QueueUrl = &url
		_, err := w.sqs.ReceiveMessage(t.Context(), in)
		wantCode(t, err, "InvalidParameterValue")
	}
	for code, in := range map[string]*sqs.SendMessageInput{
		"MissingParameter":                            {MessageBody: aws.String("")},
		"InvalidParameterValue":                       {MessageBody: aws.String(strings.Repeat("x", 1<<20+1))},
		"InvalidMessageContents":                      {MessageBody: aws.String("a\x00b")},
		"AWS.SimpleQueueService.UnsupportedOperation": {MessageBody: aws.String("x"), MessageGroupId: aws.String("g")},
	} {
		in.QueueUrl = &url
		_, err := w.sqs.SendMessage(t.Context(), in)
		wantCode(t, err, code)
	}
	if s := w.Queue(url); len(s.Visible) != 0 {
		t.Errorf("a refused message was kept: %d", len(s.Visible))
	}
}
