package auth

import (
	"context"
	"errors"
	"fmt"
)

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
		if err := g.removeTag(ctx, i); err != nil {
			return s, fmt.Errorf("removing the spent tag of %s: %w", i.ID, err)
		}
	}
	return g.advance(ctx, s, TagGone, "")
}

// removeTag removes the pass tag with the value that it has. A read that does
// not show it may be an old one: then it is looked at once more.
func (g *Gate) removeTag(ctx context.Context, i Instance) error {
	key := g.Policy.Gate.PassTag
	value := i.Tags[key]
	if value == "" {
		tags, err := g.Instances.Tags(ctx, i.ID)
		if err != nil {
			return err
		}
		if value = tags[key]; value == "" {
			return nil
		}
	}
	return g.Stopper.Untag(ctx, i.ID, key, value)
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
