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
	if !s.toEnd(i) {
		return s, nil
	}
	return g.end(ctx, i, s)
}

// toEnd says whether EC2 is to be asked to end this refused start: again, where
// it took a stop and the instance runs all the same.
func (s Start) toEnd(i Instance) bool {
	return !s.Settled() && (s.Stage < StopAsked || i.State == Running)
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

// end stops the instance, and writes down what came of it.
func (g *Gate) end(ctx context.Context, i Instance, s Start) (Start, error) {
	to, note, err := g.stop(ctx, i)
	if err != nil {
		return s, err
	}
	return g.advance(ctx, s, to, note)
}

// stop stops the instance, or does what the policy says where that cannot be.
// It returns the stage that the start is at then, and what stood in the way.
func (g *Gate) stop(ctx context.Context, i Instance) (to Stage, note string, err error) {
	obstacle, known := obstacleOf(i)
	if g.Policy.Gate.Mode != Enforce {
		return Watched, string(obstacle), nil
	}
	if known {
		return g.answer(ctx, i, obstacle)
	}
	err = g.Stopper.Stop(ctx, i.ID)
	switch {
	case err == nil:
		return StopAsked, "", nil
	case errors.Is(err, ErrNotYet):
		return Unstopped, "", nil
	case errors.Is(err, ErrNoInstance):
		return Ended, "", nil
	case errors.Is(err, ErrStopProtected):
		return g.answer(ctx, i, StopProtected)
	case errors.Is(err, ErrCannotStop) && i.Spot:
		return g.answer(ctx, i, SpotOneTime)
	case errors.Is(err, ErrCannotStop):
		return g.answer(ctx, i, InstanceStore)
	}
	return 0, "", fmt.Errorf("stopping %s: %w", i.ID, err)
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

// answer does what the policy declares for the obstacle, and returns as stop does.
func (g *Gate) answer(ctx context.Context, i Instance, o Obstacle) (to Stage, note string, err error) {
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
		return LeftAlone, string(o), nil
	}
	if errors.Is(err, ErrNotYet) {
		return Unstopped, string(o), nil
	}
	if err != nil {
		return 0, "", fmt.Errorf("ending %s, which cannot simply be stopped (%s): %w", i.ID, o, err)
	}
	return StopAsked, string(o), nil
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
