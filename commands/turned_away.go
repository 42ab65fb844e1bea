package commands

import (
	"context"
	"fmt"
	"sync"
	"time"

	"sekisho/auth"
)

// turnedAwayEvery bounds the entries about requests that are not Slack's:
// whoever sends them must not fill the trail.
const turnedAwayEvery = 10 * time.Second

// turnedAway counts them.
type turnedAway struct {
	mu      sync.Mutex
	last    time.Time
	skipped int
}

// TurnedAway records a request that was not signed by Slack, or not now. Of
// many in a short time it records how many there were.
func (d *Desk) TurnedAway(ctx context.Context, door, why string) {
	d.turned.mu.Lock()
	now := d.Now()
	if now.Sub(d.turned.last) < turnedAwayEvery {
		d.turned.skipped++
		d.turned.mu.Unlock()
		return
	}
	note := ""
	if d.turned.skipped > 0 {
		note = fmt.Sprintf("and %d more since the entry before", d.turned.skipped)
	}
	d.turned.last, d.turned.skipped = now, 0
	d.turned.mu.Unlock()
	d.record(ctx, auth.Actor{Door: door}, auth.Entry{Act: auth.ActDoor, Outcome: auth.Refused, Reason: why, Note: note})
}
