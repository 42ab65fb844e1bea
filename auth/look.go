package auth

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// look reads the instance until what EC2 shows can be the start that the event
// announced. Reads right at an event were seen to show the state before it, or
// no tags at all.
func (g *Gate) look(ctx context.Context, e StateChange) (Instance, error) {
	for n := 0; ; n++ {
		i, err := g.Instances.Instance(ctx, e.Instance)
		if err != nil && !errors.Is(err, ErrNoInstance) {
			return Instance{}, fmt.Errorf("reading %s: %w", e.Instance, err)
		}
		if err == nil && plausible(i, e) {
			return g.backfill(ctx, i)
		}
		if n == len(g.Looks) {
			return g.giveUp(ctx, i, err, e)
		}
		if err := g.Pause(ctx, g.Looks[n]); err != nil {
			return Instance{}, err
		}
	}
}

// plausible says whether this read can be of the start that the event speaks
// of. LaunchTime is when the start was asked for, a moment before pending; one
// that is much older belongs to an earlier start.
func plausible(i Instance, e StateChange) bool {
	const between = 2 * time.Minute
	if !i.State.Up() {
		return i.State == Terminated
	}
	return e.State != Pending || !i.LaunchTime.Before(e.At.Add(-between))
}

// giveUp decides what an implausible last read means: an old event speaks of a
// start that is over, a fresh one is worth another delivery where EC2 shows the
// state from before it.
func (g *Gate) giveUp(ctx context.Context, i Instance, err error, e StateChange) (Instance, error) {
	const fresh = time.Minute
	switch {
	case err == nil && i.State.Up():
		return g.backfill(ctx, i)
	case g.Now().Sub(e.At) < fresh && (err != nil || e.State == Pending && i.State == Stopped):
		return Instance{}, fmt.Errorf("EC2 does not show yet that %s is %s: the event is to be delivered again", e.Instance, e.State)
	}
	return i, nil
}

// backfill asks for the tags apart when the instance shows none at all and
// the guard goes by tags: else a guarded instance could pass as unguarded.
func (g *Gate) backfill(ctx context.Context, i Instance) (Instance, error) {
	if len(i.Tags) > 0 || !g.Policy.Gate.Guard.ByTags() {
		return i, nil
	}
	tags, err := g.Instances.Tags(ctx, i.ID)
	if err != nil {
		return Instance{}, fmt.Errorf("reading the tags of %s: %w", i.ID, err)
	}
	i.Tags = tags
	return i, nil
}
