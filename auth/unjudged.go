package auth

import (
	"context"
	"errors"
	"sync"
	"time"
)

// unjudged does what the policy declares for a start while the store is away.
func (g *Gate) unjudged(ctx context.Context, i Instance) (Outcome, error) {
	if g.Recent.Has(i.ID, i.LaunchTime) {
		return Outcome{}, nil // let in before the store went away
	}
	s := Start{
		Instance: i.ID, Launch: i.LaunchTime, Reason: Unjudged, Decided: g.Now(), Stage: Decided,
		Admitted: g.Policy.Gate.WhenUnavailable == AllowUnjudged,
	}
	if s.Admitted {
		return Outcome{Instance: i, Start: s}, nil
	}
	s, err := g.end(ctx, i, s)
	if errors.Is(err, ErrUnavailable) {
		err = nil // it is known that nothing can be recorded; Settle does it later
	}
	return Outcome{Instance: i, Start: s}, err
}

// Settle records a start that had to be decided while the store was away. A
// pass that was good after all is spent. It fails with ErrUnavailable while
// the store still is.
func (g *Gate) Settle(ctx context.Context, decided Start) (Outcome, error) {
	i, err := g.Instances.Instance(ctx, decided.Instance)
	if err != nil && !errors.Is(err, ErrNoInstance) {
		return Outcome{}, err
	}
	i.ID, i.LaunchTime = decided.Instance, decided.Launch
	k := g.knock(i, false)
	if decided.Admitted {
		if s, _, err := g.Starts.Judge(ctx, k); err != nil || s.Stage != 0 {
			return Outcome{Instance: i, Start: s, Recorded: true}, err
		}
	}
	k.Forced, k.Admit = Unjudged, decided.Admitted
	s, _, err := g.Starts.Judge(ctx, k)
	if err != nil {
		return Outcome{}, err
	}
	if s, err = g.advance(ctx, s, decided.Stage, decided.Note); err != nil {
		return Outcome{}, err
	}
	return Outcome{Instance: i, Start: s, Recorded: true}, nil
}

// Recent remembers the latest admissions of this process, so that a second
// event of an admitted start does not stop it when the store has gone away in
// between. It is bounded and safe for concurrent use; nil remembers nothing.
type Recent struct {
	mu       sync.Mutex
	admitted map[string]time.Time // instance → launch
}

const recentAtMost = 10_000

// Add remembers an admitted start.
func (r *Recent) Add(s Start) {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.admitted == nil || len(r.admitted) >= recentAtMost {
		r.admitted = make(map[string]time.Time)
	}
	r.admitted[s.Instance] = s.Launch
}

// Has says whether the start is remembered as admitted.
func (r *Recent) Has(instance string, launch time.Time) bool {
	if r == nil {
		return false
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	at, ok := r.admitted[instance]
	return ok && at.Equal(launch)
}
