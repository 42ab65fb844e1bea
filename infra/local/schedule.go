package local

import (
	"encoding/json"
	"time"

	"github.com/google/uuid"
)

// schedule stands for EventBridge Scheduler: it asks for a sweep again and again, until the world ends.
func (w *World) schedule() {
	tick := time.NewTicker(w.opts.SweepEvery)
	defer tick.Stop()
	for {
		select {
		case <-w.ctx.Done():
			return
		case <-tick.C:
			w.AWS.Send(w.queue, sweepEvent(w.opts.Now()))
		}
	}
}

// sweepEvent is an event of our own in EventBridge's envelope.
func sweepEvent(now time.Time) string {
	event, err := json.Marshal(map[string]any{
		"version":     "0",
		"id":          uuid.NewString(),
		"source":      "sekisho.schedule",
		"detail-type": "Sweep",
		"account":     account,
		"region":      region,
		"time":        now.UTC().Format(time.RFC3339),
		"resources":   []string{},
		"detail":      map[string]any{},
	})
	if err != nil {
		panic("local: a map of strings can't be encoded: " + err.Error()) // unreachable
	}
	return string(event)
}

func newID() (string, error) {
	id, err := uuid.NewRandom()
	return id.String(), err
}
