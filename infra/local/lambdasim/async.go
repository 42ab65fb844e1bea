package lambdasim

import (
	"encoding/json"
	"errors"
	"time"

	"github.com/google/uuid"
)

// tries is how often an asynchronous invocation is made in all.
// https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html
const tries = 3

// InvokeAsync takes an event and returns (Event), as EventBridge calls a function. One that fails is tried twice more, with
// the same request id, and then told to OnFailure. It waits for a sandbox instead of being throttled.
func (s *Service) InvokeAsync(name string, payload []byte) error {
	f := s.function(name)
	if len(payload) > maxAsyncPayload {
		return ErrTooLarge
	}
	id := uuid.NewString()
	return s.begin(func() {
		var out outcome
		for try := range tries {
			if try > 0 && !s.wait(f.RetryAfter) {
				return
			}
			select {
			case f.slots <- struct{}{}:
			case <-s.ctx.Done():
				return
			}
			out = f.serve(id, payload)
			<-f.slots
			if out.err == nil || s.ctx.Err() != nil {
				return
			}
		}
		if f.OnFailure != nil {
			f.OnFailure(f.givenUp(id, payload, out.err))
		}
	})
}

// wait says whether the service is still there afterwards.
func (s *Service) wait(d time.Duration) bool {
	select {
	case <-time.After(d):
		return true
	case <-s.ctx.Done():
		return false
	}
}

// failureRecord is what an on-failure destination is sent.
// https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html#invocation-async-destinations
type failureRecord struct {
	Version         string          `json:"version"`
	Timestamp       string          `json:"timestamp"`
	RequestContext  failedRequest   `json:"requestContext"`
	RequestPayload  json.RawMessage `json:"requestPayload,omitempty"` // not for a stream's batch
	ResponseContext failedResponse  `json:"responseContext"`
	ResponsePayload json.RawMessage `json:"responsePayload,omitempty"` // not for a stream's batch
	Batch           *failedBatch    `json:"KinesisBatchInfo,omitempty"`
}

type failedRequest struct {
	RequestID   string `json:"requestId"`
	FunctionARN string `json:"functionArn"`
	Condition   string `json:"condition"`
	Invoked     int    `json:"approximateInvokeCount"`
}

type failedResponse struct {
	StatusCode    int    `json:"statusCode"`
	Version       string `json:"executedVersion"`
	FunctionError string `json:"functionError,omitempty"`
}

// How Lambda writes times in its records.
const recordTime = "2006-01-02T15:04:05.000Z"

func (f *function) givenUp(id string, payload []byte, err error) []byte {
	record := failureRecord{
		Version: "1.0", Timestamp: time.Now().UTC().Format(recordTime),
		RequestContext:  failedRequest{id, f.arn() + ":$LATEST", "RetriesExhausted", tries},
		RequestPayload:  asJSON(payload),
		ResponseContext: failedResponse{StatusCode: 200, Version: "$LATEST", FunctionError: "Unhandled"},
	}
	if told, ok := errors.AsType[*Error](err); ok {
		record.ResponsePayload = asJSON(told.Payload)
	}
	return mustJSON(record)
}

// asJSON is the text itself, or a string of it where it is no JSON.
func asJSON(text []byte) json.RawMessage {
	if json.Valid(text) {
		return text
	}
	return mustJSON(string(text))
}

func mustJSON(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic("lambdasim: a record can't be encoded: " + err.Error()) // unreachable
	}
	return b
}
