package bot

import (
	"context"
	"time"

	"github.com/cenkalti/backoff/v5"
)

// Source is where a long-running process gets its events.
type Source interface {
	// Receive waits for a batch, hands each message to handle, and removes
	// those that were handled without an error. It returns early when ctx
	// ends, but not before what it began is finished.
	Receive(ctx context.Context, handle func(ctx context.Context, id, text string) error) error
}

// Poll reads events until ctx ends. A source that fails is asked again, less
// and less often, up to every half minute.
func (b *Bot) Poll(ctx context.Context, s Source) {
	pause := backoff.NewExponentialBackOff()
	pause.InitialInterval, pause.MaxInterval = 500*time.Millisecond, 30*time.Second
	for ctx.Err() == nil {
		err := s.Receive(ctx, func(ctx context.Context, id, text string) error {
			return b.Event(ctx, []byte(text))
		})
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
