package bot

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambdacontext"
)

// Lambda answers invocations: a function URL's requests, SQS and Kinesis
// batches, and events that EventBridge sends straight. It is a lambda.Handler.
type Lambda struct {
	Bot  *Bot
	HTTP *HTTP // nil when the http door is closed
	// Before, if set, is called when an invocation begins.
	Before func(context.Context)
	// After, if set, is called when an invocation is over, whether or not it
	// failed: until the next one, nothing runs.
	After func()
}

// margin is what an invocation ends before its deadline, at which Lambda would
// kill the process without an answer: then a whole batch would come again, and
// the log would not say why.
const margin = 500 * time.Millisecond

var errDeadline = errors.New("the function's time is up")

var errClosed = errors.New("this process does not open that door (SEKISHO_DOORS)")

// Invoke answers one invocation. What fails is in the log, too: Lambda's own line
// about it has no request id.
func (l *Lambda) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	if l.After != nil {
		defer l.After()
	}
	if of, ok := lambdacontext.FromContext(ctx); ok {
		ctx = WithRequest(ctx, of.AwsRequestID)
	}
	if l.Before != nil {
		l.Before(ctx)
	}
	answer, err := l.invoke(ctx, payload)
	if err != nil {
		l.Bot.log.ErrorContext(ctx, "an invocation failed", "error", err)
	}
	return answer, err
}

// invoke tells one kind of invocation from another by its shape.
func (l *Lambda) invoke(ctx context.Context, payload []byte) ([]byte, error) {
	var shape struct {
		RequestContext struct {
			HTTP *struct{} `json:"http"`
		} `json:"requestContext"`
		Records []struct {
			Source string `json:"eventSource"`
		} `json:"Records"`
	}
	if err := json.Unmarshal(payload, &shape); err != nil {
		return nil, fmt.Errorf("an invocation that cannot be read: %w", err)
	}
	if end, ok := ctx.Deadline(); ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadlineCause(ctx, end.Add(-margin), errDeadline)
		defer cancel()
	}
	switch {
	case shape.RequestContext.HTTP != nil:
		return l.url(ctx, payload)
	case !l.Bot.doors.Events():
		return nil, errClosed
	case len(shape.Records) > 0 && shape.Records[0].Source == "aws:sqs":
		return l.batch(ctx, payload)
	case len(shape.Records) > 0 && shape.Records[0].Source == "aws:kinesis":
		return l.stream(ctx, payload)
	}
	return nil, l.Bot.Event(ctx, payload)
}

// url answers a function URL's request (payload format 2.0):
// https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html#urls-payloads
func (l *Lambda) url(ctx context.Context, payload []byte) ([]byte, error) {
	if l.HTTP == nil {
		return urlAnswer(plain(http.StatusForbidden, errClosed.Error()+"\n"))
	}
	var r events.LambdaFunctionURLRequest
	if err := json.Unmarshal(payload, &r); err != nil {
		return nil, fmt.Errorf("a function URL's request that cannot be read: %w", err)
	}
	body := []byte(r.Body)
	if r.IsBase64Encoded { // as Slack's forms arrive
		var err error
		if body, err = base64.StdEncoding.DecodeString(r.Body); err != nil {
			return urlAnswer(plain(http.StatusBadRequest, "The body is not base64, though marked so.\n"))
		}
	}
	if len(body) > bodyAtMost {
		return urlAnswer(plain(http.StatusRequestEntityTooLarge, "The request is larger than 1 MiB.\n"))
	}
	header := func(key string) string { return r.Headers[strings.ToLower(key)] } // they arrive in lower case
	return urlAnswer(l.HTTP.answer(ctx, r.RequestContext.HTTP.Method, r.RawPath, header, body))
}

func urlAnswer(a answer) ([]byte, error) {
	return json.Marshal(events.LambdaFunctionURLResponse{
		StatusCode: a.status, Body: string(a.body), Headers: map[string]string{"Content-Type": a.contentType},
	})
}

// batch handles SQS messages all at once and names those that failed, so that
// only they come again:
// https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html#services-sqs-batchfailurereporting
func (l *Lambda) batch(ctx context.Context, payload []byte) ([]byte, error) {
	var in events.SQSEvent
	if err := json.Unmarshal(payload, &in); err != nil {
		return nil, fmt.Errorf("an SQS batch that cannot be read: %w", err)
	}
	failed := make([]bool, len(in.Records))
	var all sync.WaitGroup
	for n, m := range in.Records {
		all.Go(func() {
			ctx := WithRequest(ctx, m.MessageId)
			if err := l.Bot.event(ctx, viaQueue, sentAt(m), []byte(m.Body)); err != nil {
				l.Bot.log.ErrorContext(ctx, "handling a message", "message", m.MessageId, "error", err)
				failed[n] = true
			}
		})
	}
	all.Wait()
	out := events.SQSEventResponse{BatchItemFailures: []events.SQSBatchItemFailure{}}
	for n, m := range in.Records {
		if failed[n] {
			out.BatchItemFailures = append(out.BatchItemFailures, events.SQSBatchItemFailure{ItemIdentifier: m.MessageId})
		}
	}
	return json.Marshal(out)
}

// sentAt is when the message was put into the queue; the zero time where SQS
// does not say.
func sentAt(m events.SQSMessage) time.Time {
	ms, err := strconv.ParseInt(m.Attributes["SentTimestamp"], 10, 64)
	if err != nil {
		return time.Time{}
	}
	return time.UnixMilli(ms)
}
