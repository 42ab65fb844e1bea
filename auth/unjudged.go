package auth

import (
	"context"
	"errors"
	"sync"
)

// unjudged does what the policy declares for a start while the store is away,
// or goes on with what was begun then. It writes nothing down, even if the
// store is back meanwhile: Settle does.
func (g *Gate) unjudged(ctx context.Context, i Instance) (Outcome, error) {
	now := g.Now()
	s, begun := g.Recent.refused(i)
	if !begun {
		s = Start{
			Instance: i.ID, Launch: i.LaunchTime, Reason: Unjudged, Decided: now, Stage: Decided, StageAt: now,
			Admitted: g.Policy.Gate.WhenUnavailable == AllowUnjudged,
		}
	}
	var failed error
	if !s.Admitted && s.toEnd(i) {
		to, note, err := g.stop(ctx, i)
		if to > s.Stage {
			s.Stage, s.StageAt, s.Note = to, now, note
		}
		failed = err
	}
	g.Recent.Add(s)
	return Outcome{Instance: i, Start: s}, failed
}

// Settle records a start that had to be decided while the store was away. A
// pass that was good after all is spent. It fails with ErrUnavailable while
// the store still is.
func (g *Gate) Settle(ctx context.Context, decided Start) (Outcome, error) {
	i, err := g.Instances.Instance(ctx, decided.Instance)
	if err != nil && !errors.Is(err, ErrNoInstance) {
		return Outcome{}, err
	}
	if !i.LaunchTime.Equal(decided.Launch) {
		i.State = Stopped // gone, or started again: that start is over
	}
	i.ID, i.LaunchTime = decided.Instance, decided.Launch
	seen := i
	if !i.State.Up() {
		seen.Tags = nil // a tag that is there now may be meant for the next start
	}
	k := g.knock(seen, false)
	var s Start
	if decided.Admitted {
		if s, _, err = g.Starts.Judge(ctx, k); err != nil {
			return Outcome{}, err
		}
	}
	if s.Stage == 0 {
		k.Forced, k.Admit, k.Final = Unjudged, decided.Admitted, true
		if s, _, err = g.Starts.Judge(ctx, k); err != nil {
			return Outcome{}, err
		}
	}
	if !s.Launch.Equal(decided.Launch) || s.Admitted && !decided.Admitted {
		// Started again since: that start has a record of its own. Or it had
		// been let in before: what was done and told all the same stays told.
		return Outcome{}, nil
	}
	to := decided.Stage
	if !decided.Admitted && i.State.Down() {
		to = Ended // the event of it came when there was no record yet
	}
	if s, err = g.advance(ctx, s, to, decided.Note); err != nil {
		return Outcome{}, err
	}
	return Outcome{Instance: i, Start: s, Recorded: true}, nil
}

// Recent remembers what this process let in, and what it refused without the
// store, so that a later event of that start comes to the same when the store
// has gone away, or come back, in between. It is bounded and safe for
// concurrent use; nil remembers nothing.
type Recent struct {
	mu     sync.Mutex
	starts map[string]Start         // by instance
	turns  map[string]chan struct{} // closed when the one who has the turn is done
}

// turn waits until nobody else in this process judges the instance, so that a
// later event of a start sees what the first one came to: else it could find
// the store back beside it, refuse what is being let in, or spend the pass of
// what is being stopped. done gives the turn back.
func (r *Recent) turn(ctx context.Context, instance string) (done func(), err error) {
	if r == nil {
		return func() {}, nil
	}
	for {
		r.mu.Lock()
		others, busy := r.turns[instance]
		if !busy {
			mine := make(chan struct{})
			if r.turns == nil {
				r.turns = make(map[string]chan struct{})
			}
			r.turns[instance] = mine
			r.mu.Unlock()
			return func() {
				r.mu.Lock()
				defer r.mu.Unlock()
				delete(r.turns, instance)
				close(mine)
			}, nil
		}
		r.mu.Unlock()
		select {
		case <-others:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

const recentAtMost = 10_000

// Add remembers a start, in the place of an earlier one of the instance.
func (r *Recent) Add(s Start) {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.starts == nil || len(r.starts) >= recentAtMost {
		r.starts = make(map[string]Start)
	}
	r.starts[s.Instance] = s
}

// admitted says whether the instance's present start was let in.
func (r *Recent) admitted(i Instance) bool {
	s, ok := r.find(i)
	return ok && s.Admitted
}

// allowed finds the present start if it was let in without a judgement, and is
// not known to be written down.
func (r *Recent) allowed(i Instance) (Start, bool) {
	s, ok := r.find(i)
	return s, ok && s.Admitted && s.Reason == Unjudged && s.Stage == Decided
}

// refused finds the present start if it was refused without a judgement. The
// store may know of it by now.
func (r *Recent) refused(i Instance) (Start, bool) {
	s, ok := r.find(i)
	return s, ok && !s.Admitted
}

func (r *Recent) find(i Instance) (Start, bool) {
	if r == nil {
		return Start{}, false
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	s, ok := r.starts[i.ID]
	return s, ok && s.Launch.Equal(i.LaunchTime)
}
