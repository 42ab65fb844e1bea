package bot

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"runtime/debug"

	"sekisho/commands"
)

// route is what events are routed by.
type route struct{ source, detailType string }

// Event hands one event to its job. An event that nothing here acts on is a
// quiet no-op; one that cannot be read is an error, as is a job that failed:
// the error keeps the event, to be delivered again and in the end put aside.
func (b *Bot) Event(ctx context.Context, text []byte) (err error) {
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
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("event %q: panic: %v\n%s", e.ID, p, debug.Stack())
		}
	}()
	if err := job.Run(ctx, b.desk, e); err != nil {
		return fmt.Errorf("event %q (%s): %w", e.ID, e.DetailType, err)
	}
	return nil
}
