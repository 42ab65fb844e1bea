package commands_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"sekisho/auth/report"
	"sekisho/commands"
)

// Two workers find a part of one that is gone: one does it, even where the other
// was just about to free it, too.
func TestTwoRescuersOfAPart(t *testing.T) {
	first := newReportOffice(t)
	delivery := "weekly " + noon.UTC().Format(time.RFC3339)
	if _, err := first.memory.Begin(t.Context(), delivery, "pictures", "a worker that is gone", noon); err != nil {
		t.Fatal(err)
	}
	first.later(6 * time.Minute)
	second := first.beside()
	sees, uploads, freed := make(chan struct{}), make(chan struct{}), make(chan error)
	first.Desk.Reports.Deliveries = &slowRelease{Deliveries: first.Desk.Reports.Deliveries, wait: func() { close(sees); <-uploads }}
	go func() { freed <- first.due(noon) }()
	<-sees
	var once sync.Once
	second.Files = &watchedFiles{second.Files, func(report.File) {
		once.Do(func() { // the second is at it: now the first goes on
			close(uploads)
			if err := <-freed; err != nil {
				t.Error(err)
			}
		})
	}}
	first.Files = &watchedFiles{first.Files, func(f report.File) { t.Errorf("the first uploads %s, too", f.Name) }}
	if err := second.due(noon); err != nil {
		t.Fatal(err)
	}
	first.finish()
	first.wantOnce("rescued")
	first.wantAlerts("rescued")
}

// slowRelease waits before it gives a part back for the first time.
type slowRelease struct {
	report.Deliveries
	wait func()
}

func (s *slowRelease) Release(ctx context.Context, delivery, part, worker string) error {
	if wait := s.wait; wait != nil {
		s.wait = nil
		wait()
	}
	return s.Deliveries.Release(ctx, delivery, part, worker)
}

type watchedFiles struct {
	commands.Files
	look func(report.File)
}

func (w *watchedFiles) Upload(ctx context.Context, f report.File) (report.SlackFile, error) {
	w.look(f)
	return w.Files.Upload(ctx, f)
}

// With Redis away people hear what is stuck all the same, at the eighth try.
func TestAReportThatIsStuckWithoutRedis(t *testing.T) {
	o := newReportOffice(t)
	o.redis.SetError(gone)
	if err := o.due(noon); err != nil {
		t.Fatal(err)
	}
	for range 6 {
		o.pass(o.queue.tasks[0].after)
	}
	o.wantAlerts("seven tries")
	for range 3 {
		o.pass(o.queue.tasks[0].after)
	}
	o.wantAlerts("ten tries", "I keep trying; what keeps me: `making the report weekly: reading the trail")
	o.redis.SetError("")
	o.finish()
	o.wantOnce("in the end")
}

// Nor does an alert that cannot be said bring the event back, beside its task.
func TestAReportThatIsStuckAndNobodyCanBeTold(t *testing.T) {
	o := newReportOffice(t)
	o.slack.unplug(true)
	o.Queue = &pickyQueue{o.queue, `"Say"`}
	if err := o.due(noon); err != nil {
		t.Fatal(err)
	}
	for range 10 {
		o.pass(o.queue.tasks[0].after) // which wants no error
	}
	if kinds := o.queue.kinds(); len(kinds) != 1 || kinds[0] != reportTask {
		t.Errorf("to do: %v", kinds)
	}
	wants(t, "the log", o.log.String(), "telling that a report is stuck")
	o.slack.unplug(false)
	o.finish()
	o.wantAlerts("in the end")
}

// pickyQueue takes all tasks but those of a kind.
type pickyQueue struct {
	*queue
	kind string
}

func (q *pickyQueue) Send(ctx context.Context, text string, after time.Duration) error {
	if strings.Contains(text, q.kind) {
		return errors.New("SQS is away")
	}
	return q.queue.Send(ctx, text, after)
}
