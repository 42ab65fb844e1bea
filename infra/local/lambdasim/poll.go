package lambdasim

import (
	"context"
	"fmt"
	"path"
	"strings"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// Queue is what Poll reads.
type Queue interface {
	// Receive takes up to n messages, which nobody else sees for the queue's visibility timeout. It waits a while for the
	// first; that none came is no error.
	Receive(ctx context.Context, n int) ([]events.SQSMessage, error)
	// Delete removes a message by its receipt handle.
	Delete(ctx context.Context, receipt string) error
}

// Poll is an event source mapping of a queue, with ReportBatchItemFailures: it calls the function with up to batch messages,
// one batch at a time, and deletes those that did not fail. The others are left to the queue's visibility timeout.
// It returns nil when ctx ends, or the queue's error.
func (s *Service) Poll(ctx context.Context, name string, q Queue, batch int) error {
	for ctx.Err() == nil && s.ctx.Err() == nil {
		messages, err := q.Receive(ctx, batch)
		if err != nil && ctx.Err() == nil {
			return fmt.Errorf("lambdasim: receiving for %s: %w", name, err)
		}
		if len(messages) == 0 {
			continue
		}
		for _, m := range s.handled(ctx, name, messages) {
			if err := q.Delete(ctx, m.ReceiptHandle); err != nil && ctx.Err() == nil {
				return fmt.Errorf("lambdasim: deleting what %s has handled: %w", name, err)
			}
		}
	}
	return nil
}

// handled calls the function and returns the messages that did not fail.
func (s *Service) handled(ctx context.Context, name string, messages []events.SQSMessage) []events.SQSMessage {
	answer, err := s.Invoke(ctx, name, mustJSON(events.SQSEvent{Records: messages}))
	if err != nil {
		return nil
	}
	ids := make(map[string]bool)
	for _, m := range messages {
		ids[m.MessageId] = true
	}
	failed, whole := failures(answer, ids)
	if whole {
		return nil
	}
	var done []events.SQSMessage
	for _, m := range messages {
		if !failed[m.MessageId] {
			done = append(done, m)
		}
	}
	return done
}

// SQS is a queue that is reached over SQS's own protocol.
type SQS struct {
	Client *sqs.Client
	URL    string
}

var _ Queue = SQS{}

// Receive waits up to 20 s, as long as SQS lets it.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-short-and-long-polling.html
func (q SQS) Receive(ctx context.Context, n int) ([]events.SQSMessage, error) {
	out, err := q.Client.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{
		QueueUrl: &q.URL, MaxNumberOfMessages: int32(n), WaitTimeSeconds: 20,
		MessageSystemAttributeNames: []types.MessageSystemAttributeName{types.MessageSystemAttributeNameAll},
	})
	if err != nil {
		return nil, err
	}
	var all []events.SQSMessage
	for _, m := range out.Messages {
		all = append(all, events.SQSMessage{
			MessageId: *m.MessageId, ReceiptHandle: *m.ReceiptHandle, Body: *m.Body, Md5OfBody: *m.MD5OfBody,
			Attributes: m.Attributes, EventSource: "aws:sqs", EventSourceARN: q.arn(), AWSRegion: region,
		})
	}
	return all, nil
}

// Delete removes one message.
func (q SQS) Delete(ctx context.Context, receipt string) error {
	_, err := q.Client.DeleteMessage(ctx, &sqs.DeleteMessageInput{QueueUrl: &q.URL, ReceiptHandle: &receipt})
	return err
}

// arn is made of the URL's end, …/111122223333/name.
func (q SQS) arn() string {
	owner, name := path.Split(strings.TrimSuffix(q.URL, "/"))
	return "arn:aws:sqs:" + region + ":" + path.Base(owner) + ":" + name
}
