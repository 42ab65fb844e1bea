package bot

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"sekisho/auth/measure"
	"sekisho/commands"
)

// eventWithin is how long a job may take that does not ask for more. The lease
// of what is being told, tellLease of package commands, must be longer than
// this: two workers would tell it twice.
const eventWithin = 50 * time.Second

// route is what events are routed by.
type route struct{ source, detailType string }

// Event hands one event to its job. An event that nothing here acts on is a
// quiet no-op; one that cannot be read is an error, as is a job that failed:
// the error keeps the event, to be delivered again and in the end put aside. A
// job that takes too long is cut off.
func (b *Bot) Event(ctx context.Context, text []byte) error {
	return b.event(ctx, straight, time.Time{}, text)
}

// The ways in which events come, as measured.
const (
	straight  = "direct"
	viaQueue  = "sqs"
	viaStream = "kinesis"
)

// event is Event for one that came by another way, sent at that time; the zero
// time stands for the event's own.
func (b *Bot) event(ctx context.Context, way string, sent time.Time, text []byte) (err error) {
	failed := measure.Unread
	defer func() {
		if err != nil {
			b.desk.Count(measure.JobErrors, failed)
		}
	}()
	var e commands.Event
	if err := json.Unmarshal(text, &e); err != nil {
		return fmt.Errorf("an event that cannot be read: %w", err)
	}
	if e.Source == "" || e.DetailType == "" {
		return errors.New("an event without source or detail-type: is something other than EventBridge aimed at this queue or function?")
	}
	job, known := b.jobs[route{e.Source, e.DetailType}]
	if !known {
		b.log.DebugContext(ctx, "an event that nothing acts on", "source", e.Source, "detail-type", e.DetailType)
		return nil
	}
	failed = e.DetailType
	if !b.doors.has(job.Door) { // its rights are another process's
		return fmt.Errorf("event %q (%s): %w; it belongs to the door %q", e.ID, e.DetailType, errClosed, job.Door)
	}
	if requestID(ctx) == "" {
		ctx = WithRequest(ctx, e.ID)
	}
	if sent.IsZero() {
		sent = e.Time
	}
	if e.Prompt() && !sent.IsZero() {
		b.desk.Since(sent, measure.EventLag, way)
	}
	defer b.desk.Since(b.desk.Now(), measure.JobLatency, e.DetailType)
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("event %q: panic: %v\n%s", e.ID, p, debug.Stack())
		}
	}()
	within := cmp.Or(job.Within, eventWithin)
	ctx, cancel := context.WithTimeoutCause(ctx, within, fmt.Errorf("the job was not done within %v", within))
	defer cancel()
	if err := job.Run(ctx, b.desk, e); err != nil {
		if cause := context.Cause(ctx); cause != nil && !errors.Is(err, cause) {
			err = fmt.Errorf("%w: %w", cause, err)
		}
		return fmt.Errorf("event %q (%s): %w", e.ID, e.DetailType, err)
	}
	return nil
}
