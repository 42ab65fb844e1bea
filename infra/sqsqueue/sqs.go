// Package sqsqueue is the work and event queue, on Amazon SQS.
package sqsqueue

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// Limits of SQS:
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html
const (
	longestDelay = 15 * time.Minute
	batch        = 10
	longestPoll  = 20 * time.Second
)

// handleFor is how long one message may take. It stays below the visibility
// timeout that is asked for on receiving, so that no other worker gets the
// message while it is being handled.
const (
	handleFor  = 50 * time.Second
	visibility = 60 * time.Second
	// retryAfter is when a message that failed comes again.
	retryAfter = 15 * time.Second
)

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
		return fmt.Errorf("sending to the queue: %w", err)
	}
	return nil
}

// Receive waits for messages, up to 20 seconds, and hands each to handle, all
// of a batch at once. One that is handled without an error is removed; another
// comes again. When ctx ends Receive waits no longer, and what was begun is
// finished.
func (q *Queue) Receive(ctx context.Context, handle func(ctx context.Context, id, text string) error) error {
	out, err := q.client.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{
		QueueUrl: &q.url, MaxNumberOfMessages: batch, WaitTimeSeconds: int32(longestPoll / time.Second),
		VisibilityTimeout: int32(visibility / time.Second),
	})
	if err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return fmt.Errorf("receiving from the queue: %w", err)
	}
	var all sync.WaitGroup
	for _, m := range out.Messages {
		all.Go(func() { q.one(context.WithoutCancel(ctx), m, handle) })
	}
	all.Wait()
	return nil
}

func (q *Queue) one(ctx context.Context, m types.Message, handle func(context.Context, string, string) error) {
	// What follows the handling must not be cut off by the handling's own limit.
	ctx, cancel := context.WithTimeout(ctx, visibility)
	defer cancel()
	handling, done := context.WithTimeoutCause(ctx, handleFor, errors.New("handling a message took too long"))
	defer done()
	id := aws.ToString(m.MessageId)
	if err := handle(handling, id, aws.ToString(m.Body)); err != nil {
		q.log.ErrorContext(ctx, "handling a message", "message", id, "error", err)
		q.after(ctx, m, retryAfter)
		return
	}
	_, err := q.client.DeleteMessage(ctx, &sqs.DeleteMessageInput{QueueUrl: &q.url, ReceiptHandle: m.ReceiptHandle})
	if err != nil { // it comes again; handling it twice changes nothing
		q.log.WarnContext(ctx, "removing a handled message", "message", id, "error", err)
	}
}

func (q *Queue) after(ctx context.Context, m types.Message, wait time.Duration) {
	_, err := q.client.ChangeMessageVisibility(ctx, &sqs.ChangeMessageVisibilityInput{
		QueueUrl: &q.url, ReceiptHandle: m.ReceiptHandle, VisibilityTimeout: int32(wait / time.Second),
	})
	if err != nil { // then it comes again when its visibility timeout ends
		q.log.WarnContext(ctx, "putting a message back", "message", aws.ToString(m.MessageId), "error", err)
	}
}
