package bot

import (
	"context"
	"sync"
	"time"

	"github.com/cenkalti/backoff/v5"
)

// Source is where a long-running process gets its events.
type Source interface {
	// Receive waits for a batch, hands each message to handle, and removes
	// those that were handled without an error. It returns early when ctx
	// ends, but not before what it began is finished.
	Receive(ctx context.Context, handle func(ctx context.Context, id, text string, sent time.Time) error) error
}

// readOn is how long a batch keeps Poll from the next: as long as the usual
// jobs take.
const readOn = time.Minute

// Poll reads events until ctx ends and what was begun is finished. A job that
// takes long does not keep others waiting: the next batch is read beside it. A
// source that fails is asked again, less and less often, up to every half
// minute.
func (b *Bot) Poll(ctx context.Context, s Source) {
	pause := backoff.NewExponentialBackOff()
	pause.InitialInterval, pause.MaxInterval = 500*time.Millisecond, 30*time.Second
	var begun sync.WaitGroup
	defer begun.Wait()
	for ctx.Err() == nil {
		read := make(chan error, 1)
		begun.Go(func() {
			read <- s.Receive(ctx, func(ctx context.Context, id, text string, sent time.Time) error {
				return b.event(WithRequest(ctx, id), viaQueue, sent, []byte(text))
			})
		})
		var err error
		select {
		case err = <-read:
		case <-time.After(readOn):
			continue
		}
		if err == nil {
			pause.Reset()
			continue
		}
		if ctx.Err() != nil {
			return
		}
		wait := pause.NextBackOff()
		b.log.ErrorContext(ctx, "reading events", "error", err, "again_in", wait)
		select {
		case <-ctx.Done():
		case <-time.After(wait):
		}
	}
}
