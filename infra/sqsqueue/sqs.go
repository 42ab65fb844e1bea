// Package sqsqueue is the work and event queue, on Amazon SQS.
package sqsqueue

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/aws/smithy-go"
)

// Limits of SQS:
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html
const (
	longestDelay = 15 * time.Minute
	batch        = 10
	longestPoll  = 20 * time.Second
)

// handleFor is how long one message may take: more than any job asks for, and
// less than the 15 minutes that Lambda gives, so that what works here works there.
const handleFor = 14 * time.Minute

// A message that was received stays out of the other workers' sight for
// visibility, and anew each time that it is renewed: two renewals in a row may
// fail.
const (
	visibility = 60 * time.Second
	renewEvery = 15 * time.Second
	// retryAfter is when a message that failed comes again.
	retryAfter = 15 * time.Second
	// callFor is how long one call about a message may take: a renewal that
	// hangs must not cost the next one.
	callFor = 10 * time.Second
	// finishFor is how long what was begun may go on once the process is to end:
	// as long as most jobs may take. A longer one comes again.
	finishFor = 50 * time.Second
)

var errTooLong = errors.New("handling a message took longer than 14 minutes")

// Queue is one SQS queue.
type Queue struct {
	client *sqs.Client
	url    string
	log    *slog.Logger
}

// New makes the adapter of the queue at this URL.
func New(c aws.Config, url string, log *slog.Logger) *Queue {
	return &Queue{sqs.NewFromConfig(c), url, log}
}

// Send puts a message in the queue, to be seen after a time.
func (q *Queue) Send(ctx context.Context, text string, after time.Duration) error {
	_, err := q.client.SendMessage(ctx, &sqs.SendMessageInput{
		QueueUrl: &q.url, MessageBody: &text, DelaySeconds: int32(min(after, longestDelay) / time.Second),
	})
	if err != nil {
		return fmt.Errorf("sending to the queue: %w", plain(err))
	}
	return nil
}

// Receive waits for messages, up to 20 seconds, and hands each to handle, all
// of a batch at once; each may take up to 14 minutes. One that is handled
// without an error is removed; another comes again after 15 seconds, or within
// a minute if this process dies. When ctx ends Receive waits no longer, and
// what was begun has 50 seconds to finish.
func (q *Queue) Receive(ctx context.Context, handle func(ctx context.Context, id, text string, sent time.Time) error) error {
	out, err := q.client.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{
		QueueUrl: &q.url, MaxNumberOfMessages: batch, WaitTimeSeconds: int32(longestPoll / time.Second),
		VisibilityTimeout:           int32(visibility / time.Second),
		MessageSystemAttributeNames: []types.MessageSystemAttributeName{types.MessageSystemAttributeNameSentTimestamp},
	})
	if err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return fmt.Errorf("receiving from the queue: %w", plain(err))
	}
	var all sync.WaitGroup
	for _, m := range out.Messages {
		all.Go(func() { q.one(ctx, m, handle) })
	}
	all.Wait()
	return nil
}

// handler is what Receive hands messages to.
type handler = func(ctx context.Context, id, text string, sent time.Time) error

func (q *Queue) one(ending context.Context, m types.Message, handle handler) {
	ctx, id := context.WithoutCancel(ending), aws.ToString(m.MessageId)
	if err := q.handle(ctx, ending, m, handle); err != nil {
		q.log.ErrorContext(ctx, "handling a message", "message", id, "error", err)
		if err := q.hide(ctx, m, retryAfter); err != nil { // then it comes again when its visibility timeout ends
			q.log.WarnContext(ctx, "putting a message back", "message", id, "error", err)
		}
		return
	}
	ctx, cancel := context.WithTimeout(ctx, callFor)
	defer cancel()
	_, err := q.client.DeleteMessage(ctx, &sqs.DeleteMessageInput{QueueUrl: &q.url, ReceiptHandle: m.ReceiptHandle})
	if err != nil { // it comes again; handling it twice changes nothing
		q.log.WarnContext(ctx, "removing a handled message", "message", id, "error", plain(err))
	}
}

// handle runs the handler and renews the message's visibility meanwhile. A
// renewal that came after what follows would undo it: the last one has ended
// when handle returns.
func (q *Queue) handle(ctx, ending context.Context, m types.Message, handle handler) error {
	handling, done := context.WithTimeoutCause(ctx, handleFor, errTooLong)
	defer context.AfterFunc(ending, func() {
		soon := time.AfterFunc(finishFor, done)
		context.AfterFunc(handling, func() { soon.Stop() })
	})()
	var renewing sync.WaitGroup
	defer renewing.Wait()
	defer done()
	renewing.Go(func() { q.renew(ctx, m, handling.Done()) })
	return handle(handling, aws.ToString(m.MessageId), aws.ToString(m.Body), sentAt(m))
}

// sentAt is the zero time where SQS does not say.
func sentAt(m types.Message) time.Time {
	ms, err := strconv.ParseInt(m.Attributes[string(types.MessageSystemAttributeNameSentTimestamp)], 10, 64)
	if err != nil {
		return time.Time{}
	}
	return time.UnixMilli(ms)
}

// renew keeps the message out of the other workers' sight until done. It ends
// with the handler's time, too: one that does not heed it must not keep the
// message for ever.
func (q *Queue) renew(ctx context.Context, m types.Message, done <-chan struct{}) {
	tick := time.NewTicker(renewEvery)
	defer tick.Stop()
	for {
		select {
		case <-done:
			return
		case <-tick.C:
		}
		if err := q.hide(ctx, m, visibility); err != nil { // the next tick tries again
			q.log.WarnContext(ctx, "keeping a message that is being handled", "message", aws.ToString(m.MessageId), "error", err)
		}
	}
}

// hide has the message come again after a time from now.
func (q *Queue) hide(ctx context.Context, m types.Message, wait time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, callFor)
	defer cancel()
	_, err := q.client.ChangeMessageVisibility(ctx, &sqs.ChangeMessageVisibilityInput{
		QueueUrl: &q.url, ReceiptHandle: m.ReceiptHandle, VisibilityTimeout: int32(wait / time.Second),
	})
	return plain(err)
}

// plain keeps of what SQS says about a signature the code alone: it may repeat
// all that was signed, the session token among it.
func plain(err error) error {
	if e, ok := errors.AsType[smithy.APIError](err); ok && strings.Contains(e.ErrorCode(), "Signature") {
		return errors.New(e.ErrorCode())
	}
	return err
}
