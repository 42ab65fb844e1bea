package auth

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Closed answers a stopped event: it confirms a stop that the gate asked for,
// and closes the grant of a start that was admitted.
func (g *Gate) Closed(ctx context.Context, e StateChange) (Outcome, error) {
	starts, err := g.Starts.Starts(ctx, []string{e.Instance})
	if err != nil {
		return Outcome{}, fmt.Errorf("reading the start of %s: %w", e.Instance, err)
	}
	s, known := starts[e.Instance]
	if !known || e.At.Before(s.Launch) { // the end of an earlier start, come late
		return Outcome{}, nil
	}
	return g.ended(ctx, Instance{ID: e.Instance}, s)
}

// ended writes down that the start is over. It is told where the gate had a
// part in it: what was let in, only watched or left alone was ended by somebody.
// Should whoever wrote it down have died before it was told, the event tells it
// when it comes again.
func (g *Gate) ended(ctx context.Context, i Instance, was Start) (Outcome, error) {
	s, _, err := g.Starts.Advance(ctx, was.Instance, was.Launch, Ended, "", g.Now())
	if err != nil || was.Admitted || was.Settled() && !was.endUntold() {
		return Outcome{}, err
	}
	return Outcome{Instance: i, Start: s, Recorded: true}, nil
}

// endUntold says that nobody was told that the refused start is over.
func (s Start) endUntold() bool {
	told := s.Card.Told
	return s.Stage == Ended && told < Ended && told != Watched && told != LeftAlone
}

// Confirm looks whether a refused start has come to rest. If not, it asks
// again for the stop and moves the start on to Stuck, which is told once.
func (g *Gate) Confirm(ctx context.Context, instance string, launch time.Time) (Outcome, error) {
	starts, err := g.Starts.Starts(ctx, []string{instance})
	if err != nil {
		return Outcome{}, fmt.Errorf("reading the start of %s: %w", instance, err)
	}
	s, known := starts[instance]
	if !known || !s.Launch.Equal(launch) || s.Settled() || s.Stage == Stuck || g.Policy.Gate.Mode != Enforce {
		return Outcome{}, nil
	}
	i, err := g.Instances.Instance(ctx, instance)
	if errors.Is(err, ErrNoInstance) || err == nil && i.State.Down() {
		i.ID = instance
		return g.ended(ctx, i, s)
	}
	if err != nil {
		return Outcome{}, fmt.Errorf("reading %s: %w", instance, err)
	}
	if !i.LaunchTime.Equal(launch) {
		return Outcome{}, nil
	}
	var failed error
	if i.State.Up() {
		if s, failed = g.end(ctx, i, s); s.Settled() {
			return Outcome{Instance: i, Start: s, Recorded: true}, failed
		}
	}
	s, err = g.advance(ctx, s, Stuck, noteOf(failed))
	return Outcome{Instance: i, Start: s, Recorded: true}, err
}

func noteOf(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
