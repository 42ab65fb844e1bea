package lambdasim

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
)

// Lambda's limits. https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
const (
	maxPayload      = 6 << 20 // bytes, of a call and of an answer
	maxAsyncPayload = 1 << 20 // bytes, of an asynchronous call
)

// ErrThrottled is the error of a call that came while Reserved others ran.
var ErrThrottled = errors.New("TooManyRequestsException: rate exceeded")

// ErrTooLarge is the error of a call with too large a payload.
var ErrTooLarge = errors.New("RequestTooLargeException: the payload is larger than Lambda takes")

// Error is a function error: the function was called and did not answer.
type Error struct {
	Type    string // "errorString", or Lambda's own: "Runtime.ExitError", "Sandbox.Timedout", …
	Message string
	Payload []byte // both as JSON, with whatever else the function's runtime told
}

func (e *Error) Error() string { return e.Type + ": " + e.Message }

// fault is an error that Lambda itself tells. It names the invocation, as Lambda does.
func fault(i *invocation, kind, format string, args ...any) *Error {
	message := fmt.Sprintf("RequestId: %s Error: ", i.id) + fmt.Sprintf(format, args...)
	payload, err := json.Marshal(map[string]string{"errorType": kind, "errorMessage": message})
	if err != nil {
		panic("lambdasim: two strings can't be encoded: " + err.Error()) // unreachable
	}
	return &Error{Type: kind, Message: message, Payload: payload}
}

// readError is an error that the function's runtime told.
func readError(payload []byte) *Error {
	var told struct {
		Type    string `json:"errorType"`
		Message string `json:"errorMessage"`
	}
	json.Unmarshal(payload, &told) // what is no JSON is passed on all the same, as Lambda does
	return &Error{Type: told.Type, Message: told.Message, Payload: payload}
}

// invocation is one call on its way. Only the sandbox that has it touches it.
type invocation struct {
	id       string
	payload  []byte
	deadline time.Time
	answered chan outcome // takes one
}

type outcome struct {
	answer []byte
	err    error
}

// Invoke calls the function and waits for its answer (RequestResponse). The error is an *Error, ErrThrottled or ErrTooLarge.
// When ctx ends first the function runs on, as in Lambda.
func (s *Service) Invoke(ctx context.Context, name string, payload []byte) ([]byte, error) {
	f := s.function(name)
	if len(payload) > maxPayload {
		return nil, ErrTooLarge
	}
	select {
	case f.slots <- struct{}{}:
	default:
		return nil, ErrThrottled
	}
	done := make(chan outcome, 1)
	err := s.begin(func() {
		out := f.serve(uuid.NewString(), payload)
		<-f.slots // before the caller knows, who may call again at once
		done <- out
	})
	if err != nil {
		<-f.slots
		return nil, err
	}
	select {
	case out := <-done:
		return out.answer, out.err
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// serve runs one invocation in a sandbox; the caller holds a slot.
func (f *function) serve(id string, payload []byte) outcome {
	i := &invocation{id: id, payload: payload, answered: make(chan outcome, 1)}
	b, err := f.take(i)
	if err != nil {
		return outcome{err: err}
	}
	out, lives := b.serve(i)
	if lives {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.idle = append(f.idle, b)
	}
	return out
}

// take finds a warm sandbox, or starts one.
func (f *function) take(i *invocation) (*sandbox, error) {
	f.mu.Lock()
	for len(f.idle) > 0 {
		last := len(f.idle) - 1
		b := f.idle[last]
		f.idle = f.idle[:last]
		if b.lives() {
			f.mu.Unlock()
			return b, nil
		}
	}
	f.started++
	f.mu.Unlock()
	return f.start(i)
}
