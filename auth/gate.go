package auth

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// StateChange is what an "EC2 Instance State-change Notification" says. It
// names nobody and carries no tags, may come late, twice or out of order:
// https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/monitoring-instance-state-changes.html
type StateChange struct {
	Instance string
	State    State
	At       time.Time
	Region   string
}

// StopTime is how long a refused start may take to come to rest before people
// are called.
const StopTime = time.Minute

// Gate judges starts and does what follows from the verdict.
type Gate struct {
	Policy    *Policy
	Instances InstanceReader
	Stopper   Stopper
	Starts    StartStore
	Pepper    Pepper
	Region    string // of the instances that can be seen
	Now       func() time.Time
	// Looks are the pauses before looking again at what EC2 may show late.
	Looks []time.Duration
	// Pause waits, or returns the context's error.
	Pause func(context.Context, time.Duration) error
	// Recent remembers what the store cannot be asked for, or does not know yet.
	Recent *Recent
}

// Outcome is what became of a start, for those who tell it.
type Outcome struct {
	Instance Instance
	Start    Start
	// Recorded is false when the store was away: the start is then known to
	// this process only, and Settle writes it down.
	Recorded bool
}

// None says that there was no guarded start to judge.
func (o Outcome) None() bool { return o.Start.Stage == 0 }

// Opened answers a pending or running event: it judges the start that the
// event speaks of, and acts. When acting failed, the outcome stands beside the
// error and the event is to be tried again.
func (g *Gate) Opened(ctx context.Context, e StateChange) (Outcome, error) {
	if e.Region != g.Region {
		return Outcome{}, fmt.Errorf("the event is of region %q, and this process sees %q only: run another one there, or keep the event from here", e.Region, g.Region)
	}
	i, err := g.look(ctx, e)
	if err != nil {
		return Outcome{}, err
	}
	if !i.State.Up() {
		return Outcome{}, nil // over before it could be judged
	}
	if e.State == Running {
		i.State = Running // the event knows better than a read that shows pending still
	}
	done, err := g.Recent.turn(ctx, i.ID)
	if err != nil {
		return Outcome{}, err
	}
	defer done()
	if s, ok := g.Recent.allowed(i); ok {
		return Outcome{Instance: i, Start: s}, nil // Settle writes it down
	}
	o, err := g.Judge(ctx, i)
	if !errors.Is(err, ErrUnavailable) || !o.None() {
		return o, err
	}
	if g.Recent.admitted(i) {
		return Outcome{}, nil // let in before the store went away
	}
	if e.State == Running && g.Now().Sub(e.At) < blip {
		return Outcome{}, err // another process may have let it in at pending: ask once more
	}
	return g.unjudged(ctx, i)
}

// blip is how long the store may be away before a start that runs already is
// treated as one that cannot be judged.
const blip = 30 * time.Second

// Judge decides about the start that the instance is in, once, and acts on it.
// It is safe to call again for the same start: what was done is not repeated,
// what was left is finished. What was refused while the store was away stays
// refused: a pass is not spent on a start that is being stopped.
func (g *Gate) Judge(ctx context.Context, i Instance) (Outcome, error) {
	if !g.Policy.Gate.Guard.Covers(i) {
		return Outcome{}, nil
	}
	s, err := g.decide(ctx, &i)
	if err != nil {
		return Outcome{}, fmt.Errorf("judging the start of %s: %w", i.ID, err)
	}
	if s.Stage == 0 {
		return g.unjudged(ctx, i)
	}
	if !s.Launch.Equal(i.LaunchTime) {
		return Outcome{}, nil // started again since: a later event speaks of that
	}
	s, err = g.act(ctx, i, s)
	return Outcome{Instance: i, Start: s, Recorded: true}, err
}

// decide asks the store, and looks at the tag again before a refusal is
// written down: the tag may have been set a moment ago. Of a start that this
// process refused without the store it only reads the record, which another
// process may have written: no Start where there is none.
func (g *Gate) decide(ctx context.Context, i *Instance) (Start, error) {
	if _, ok := g.Recent.refused(*i); ok {
		s, _, err := g.Starts.Judge(ctx, Knock{Instance: i.ID, Launch: i.LaunchTime, Now: g.Now()})
		return s, err
	}
	for n := 0; ; n++ {
		s, _, err := g.Starts.Judge(ctx, g.knock(*i, n == len(g.Looks)))
		if err != nil || s.Stage != 0 {
			return s, err
		}
		if err := g.Pause(ctx, g.Looks[n]); err != nil {
			return Start{}, err
		}
		tags, err := g.Instances.Tags(ctx, i.ID)
		if err != nil {
			return Start{}, err
		}
		if len(tags) > 0 { // none at all is a stale reading: it must not hide an obstacle
			i.Tags = tags
		}
	}
}

func (g *Gate) knock(i Instance, final bool) Knock {
	k := Knock{
		Instance: i.ID, Launch: i.LaunchTime, Now: g.Now(),
		Misfit: NoTag, Final: final, Lock: g.Policy.Gate.Lock,
	}
	text := i.Tags[g.Policy.Gate.PassTag]
	if text == "" {
		return k
	}
	k.Misfit = Unknown
	if code, ok := ReadCode(text); ok {
		k.Code = g.Pepper.Digest(i.ID, code)
		k.Misfit = g.Pepper.Misfit(i.ID, code)
	}
	return k
}
