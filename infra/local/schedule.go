package local

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/uuid"
)

// What the schedule asks for.
const (
	sweepJob  = "Sweep"  // what really runs
	keysJob   = "Keys"   // which access keys are too old
	reportJob = "Report" // what happened since the last report

	reportName = "weekly" // of the report, in the demo's policy
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
			w.AWS.Send(w.queue, scheduled(sweepJob, w.opts.Now(), nil))
		}
	}
}

type scheduleInput struct {
	Job string `json:"job"`
}

// runNow is the schedule's event, now: a day is long for somebody who waits for a daily job, and a week longer.
func (w *World) runNow(_ context.Context, in scheduleInput) error {
	var detail map[string]string
	switch in.Job {
	case sweepJob, keysJob:
	case reportJob:
		detail = map[string]string{"name": reportName}
		w.AWS.ForgetReport() // IAM's own is hours old at most, and a week passes
	default:
		return &refusal{"bad_request", fmt.Sprintf("the schedule has no job %q", in.Job)}
	}
	w.AWS.Send(w.queue, scheduled(in.Job, w.opts.Now(), detail))
	w.journal.add(entry{Kind: "schedule", Detail: in.Job})
	w.changed()
	return nil
}

// scheduled is an event of our own in EventBridge's envelope. Its time is in whole seconds.
func scheduled(job string, now time.Time, detail map[string]string) string {
	if detail == nil {
		detail = map[string]string{}
	}
	event, err := json.Marshal(map[string]any{
		"version":     "0",
		"id":          uuid.NewString(),
		"source":      "sekisho.schedule",
		"detail-type": job,
		"account":     account,
		"region":      region,
		"time":        now.UTC().Format(time.RFC3339),
		"resources":   []string{},
		"detail":      detail,
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
