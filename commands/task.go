package commands

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"sekisho/auth"
)

// The bot's own tasks, which go through the queue in an EventBridge event's
// form. A task that cannot be done yet puts itself back; it is not left to the
// queue's redelivery, which would give up after a few tries.
const (
	taskSource    = "sekisho.task"
	taskConfirm   = "Confirm a stop"
	taskTell      = "Tell about a start"
	taskSettle    = "Settle a start"
	taskSay       = "Say"
	taskStart     = "Start for the owner"
	taskAttend    = "Look after a request"
	taskRecord    = "Record"
	taskCaller    = "Name a caller"
	taskKey       = "Look after an access key"
	taskKeys      = "List the access keys"
	taskHold      = "Ask about a hold"
	taskLetEnd    = "Let held keys end"
	taskReport    = "Send a report"
	taskReportFor = "Report to somebody"
	taskDoctor    = "Examine for somebody"
)

var errNoQueue = errors.New("no queue is configured (SEKISHO_QUEUE_URL): nothing can be done later")

// later puts a task in the queue.
func (d *Desk) later(ctx context.Context, task string, detail any, after time.Duration) error {
	if d.Queue == nil {
		return fmt.Errorf("%q for later: %w", task, errNoQueue)
	}
	text, err := json.Marshal(map[string]any{
		"version": "0", "id": uuid.NewString(), "source": taskSource, "detail-type": task,
		"time": d.Now().UTC().Format(time.RFC3339), "detail": detail,
	})
	if err != nil {
		return err
	}
	if err := d.queueOf(task).Send(ctx, string(text), after); err != nil {
		return fmt.Errorf("%q for later: %w", task, err)
	}
	return nil
}

// queueOf is the queue of the process that may do the task.
func (d *Desk) queueOf(task string) Queue {
	if d.KeysQueue == nil {
		return d.Queue
	}
	for _, j := range Jobs() {
		if j.Source == taskSource && j.DetailType == task && j.Door == auth.DoorKeys {
			return d.KeysQueue
		}
	}
	return d.Queue
}

// read reads an event's detail; what cannot be read is an error that keeps the
// event, and in the end brings it to the dead-letter queue.
func read[T any](e Event) (T, error) {
	var detail T
	if err := json.Unmarshal(e.Detail, &detail); err != nil {
		return detail, fmt.Errorf("the detail of event %q (%s) cannot be read: %w", e.ID, e.DetailType, err)
	}
	return detail, nil
}

// pauseBefore is how long the nth further try of a task waits: from a few
// seconds to five minutes.
func pauseBefore(try int) time.Duration {
	return min(5*time.Second<<min(max(try, 0), 10), 5*time.Minute)
}
