package commands

import (
	"context"
	"time"
)

// startRef names a start: an instance and its launch time in milliseconds.
type startRef struct {
	Instance string `json:"instance"`
	Launch   int64  `json:"launch"`
}

func (r startRef) launch() time.Time { return time.UnixMilli(r.Launch) }

// confirmStop looks whether a refused start has come to rest, and escalates
// once if it has not.
func confirmStop(ctx context.Context, d *Desk, e Event) error {
	ref, err := read[startRef](e)
	if err != nil {
		return err
	}
	o, err := d.Gate.Confirm(ctx, ref.Instance, ref.launch())
	return d.follow(ctx, e.actor(), o, err)
}
