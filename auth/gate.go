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
	Now       func() time.Time
	// Looks are the pauses before looking again at what EC2 may show late.
	Looks []time.Duration
	// Pause waits, or returns the context's error.
	Pause func(context.Context, time.Duration) error
	// Recent remembers admissions while the store is away.
	Recent *Recent
}

// Outcome is what became of a start, for those who tell it.
type Outcome struct {
	Instance Instance
	Start    Start
	// Recorded is false when the store was away: the start is then known to
	// nobody but this outcome.
	Recorded bool
}

// None says that there was no guarded start to judge.
func (o Outcome) None() bool { return o.Start.Stage == 0 }

// Opened answers a pending or running event: it judges the start that the
// event speaks of, and acts. When acting failed, the outcome stands beside the
// error and the event is to be tried again.
func (g *Gate) Opened(ctx context.Context, e StateChange) (Outcome, error) {
	i, err := g.look(ctx, e)
	if err != nil {
		return Outcome{}, err
	}
	if !i.State.Up() {
		return Outcome{}, nil // over before it could be judged
	}
	if g.Recent.allowed(i) {
		return Outcome{}, nil // decided while the store was away; Settle writes it down
	}
	o, err := g.Judge(ctx, i)
	if errors.Is(err, ErrUnavailable) && o.None() {
		return g.unjudged(ctx, i)
	}
	return o, err
}

// Judge decides about the start that the instance is in, once, and acts on it.
// It is safe to call again for the same start: what was done is not repeated,
// what was left is finished.
func (g *Gate) Judge(ctx context.Context, i Instance) (Outcome, error) {
	if !g.Policy.Gate.Guard.Covers(i) {
		return Outcome{}, nil
	}
	s, err := g.decide(ctx, &i)
	if err != nil {
		return Outcome{}, fmt.Errorf("judging the start of %s: %w", i.ID, err)
	}
	if !s.Launch.Equal(i.LaunchTime) {
		return Outcome{}, nil // started again since: a later event speaks of that
	}
	s, err = g.act(ctx, i, s)
	return Outcome{Instance: i, Start: s, Recorded: true}, err
}

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
			return i, g.backfill(ctx, &i)
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
		return i, g.backfill(ctx, &i)
	case g.Now().Sub(e.At) < fresh && (err != nil || e.State == Pending && i.State == Stopped):
		return Instance{}, fmt.Errorf("EC2 does not show yet that %s is %s: the event is to be delivered again", e.Instance, e.State)
	}
	return i, nil
}

// backfill asks for the tags apart when the instance shows none at all and
// the guard goes by tags: else a guarded instance could pass as unguarded.
func (g *Gate) backfill(ctx context.Context, i *Instance) error {
	if len(i.Tags) > 0 || !g.Policy.Gate.Guard.ByTags() {
		return nil
	}
	tags, err := g.Instances.Tags(ctx, i.ID)
	if err != nil {
		return fmt.Errorf("reading the tags of %s: %w", i.ID, err)
	}
	i.Tags = tags
	return nil
}

// decide asks the store, and looks at the tag again before a refusal is
// written down: the tag may have been set a moment ago.
func (g *Gate) decide(ctx context.Context, i *Instance) (Start, error) {
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

// act does what the verdict asks for, as far as it is not done yet.
func (g *Gate) act(ctx context.Context, i Instance, s Start) (Start, error) {
	if s.Admitted {
		g.Recent.Add(s)
		return g.clearTag(ctx, i, s)
	}
	if s.Settled() || s.Stage >= StopAsked && i.State != Running {
		return s, nil
	}
	return g.end(ctx, i, s) // again, where EC2 took a stop and it runs all the same
}

func (g *Gate) clearTag(ctx context.Context, i Instance, s Start) (Start, error) {
	if s.Stage >= Watched {
		return s, nil
	}
	if g.Policy.Gate.Mode != Enforce {
		return g.advance(ctx, s, Watched, "")
	}
	if s.Reason == Pass {
		key := g.Policy.Gate.PassTag
		if err := g.Stopper.Untag(ctx, i.ID, key, i.Tags[key]); err != nil {
			return s, fmt.Errorf("removing the spent tag of %s: %w", i.ID, err)
		}
	}
	return g.advance(ctx, s, TagGone, "")
}

// end stops the instance, or does what the policy says where that cannot be.
func (g *Gate) end(ctx context.Context, i Instance, s Start) (Start, error) {
	obstacle, known := obstacleOf(i)
	if g.Policy.Gate.Mode != Enforce {
		return g.advance(ctx, s, Watched, string(obstacle))
	}
	if known {
		return g.answer(ctx, i, s, obstacle)
	}
	err := g.Stopper.Stop(ctx, i.ID)
	switch {
	case err == nil:
		return g.advance(ctx, s, StopAsked, "")
	case errors.Is(err, ErrNotYet):
		return g.advance(ctx, s, Unstopped, "")
	case errors.Is(err, ErrNoInstance):
		return g.advance(ctx, s, Ended, "")
	case errors.Is(err, ErrStopProtected):
		return g.answer(ctx, i, s, StopProtected)
	case errors.Is(err, ErrCannotStop) && i.Spot:
		return g.answer(ctx, i, s, SpotOneTime)
	case errors.Is(err, ErrCannotStop):
		return g.answer(ctx, i, s, InstanceStore)
	}
	return s, fmt.Errorf("stopping %s: %w", i.ID, err)
}

// obstacleOf names what can be seen before EC2 is asked to stop.
func obstacleOf(i Instance) (Obstacle, bool) {
	if _, member := i.Tags["aws:autoscaling:groupName"]; member {
		return AutoScaling, true
	}
	if i.RootDevice == "instance-store" {
		return InstanceStore, true
	}
	return "", false
}

// answer does what the policy declares for the obstacle.
func (g *Gate) answer(ctx context.Context, i Instance, s Start, o Obstacle) (Start, error) {
	var err error
	switch g.Policy.Gate.CannotStop[o] {
	case Terminate:
		err = g.Stopper.Terminate(ctx, i.ID)
	case StopAnyway:
		if o == StopProtected {
			err = g.Stopper.Unprotect(ctx, i.ID)
		}
		if err == nil {
			err = g.Stopper.Stop(ctx, i.ID)
		}
	default:
		return g.advance(ctx, s, LeftAlone, string(o))
	}
	if errors.Is(err, ErrNotYet) {
		return g.advance(ctx, s, Unstopped, string(o))
	}
	if err != nil {
		return s, fmt.Errorf("ending %s, which cannot simply be stopped (%s): %w", i.ID, o, err)
	}
	return g.advance(ctx, s, StopAsked, string(o))
}

// advance writes down what was done. What was done stays done when the store
// is away: the outcome says so, and the error brings the event back.
func (g *Gate) advance(ctx context.Context, s Start, to Stage, note string) (Start, error) {
	if s.Stage >= to {
		return s, nil
	}
	moved, _, err := g.Starts.Advance(ctx, s.Instance, s.Launch, to, note, g.Now())
	if err != nil {
		s.Stage, s.StageAt, s.Note = to, g.Now(), note
		return s, fmt.Errorf("recording what was done about %s: %w", s.Instance, err)
	}
	return moved, nil
}

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

func (g *Gate) ended(ctx context.Context, i Instance, s Start) (Outcome, error) {
	s, moved, err := g.Starts.Advance(ctx, s.Instance, s.Launch, Ended, "", g.Now())
	if err != nil || !moved || s.Admitted {
		return Outcome{}, err
	}
	return Outcome{Instance: i, Start: s, Recorded: true}, nil
}

// Confirm looks whether a refused start has come to rest. If not, it asks
// again for the stop and moves the start on to Stuck, which is told once.
func (g *Gate) Confirm(ctx context.Context, instance string, launch time.Time) (Outcome, error) {
	starts, err := g.Starts.Starts(ctx, []string{instance})
	if err != nil {
		return Outcome{}, fmt.Errorf("reading the start of %s: %w", instance, err)
	}
	s, known := starts[instance]
	if !known || !s.Launch.Equal(launch) || s.Settled() || s.Stage == Stuck {
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
	if i.State.Up() && g.Policy.Gate.Mode == Enforce {
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
