package auth

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Sweep looks at what really is, for what events missed.
type Sweep struct {
	Gate      *Gate
	Passes    *Passes
	Instances InstanceFinder
}

// Swept is what one look found.
type Swept struct {
	Looked   int       // guarded instances
	Running  int       // of them up
	Outcomes []Outcome // starts that were judged, finished or confirmed only now
	Untagged []string  // instances whose stale tag was removed, or in observe mode would have been
}

// Run looks at every guarded instance once. One that fails does not keep the
// others from being looked at; the errors come back together. Without the
// store it does nothing: it could not tell an admitted start from another.
func (w *Sweep) Run(ctx context.Context) (Swept, error) {
	begin := w.Gate.Now()
	found, err := w.Instances.Guarded(ctx, w.Gate.Policy.Gate.Guard)
	if err != nil {
		return Swept{}, fmt.Errorf("listing the guarded instances: %w", err)
	}
	ids := make([]string, len(found))
	for n, i := range found {
		ids[n] = i.ID
	}
	starts, err := w.Gate.Starts.Starts(ctx, ids)
	if err != nil {
		return Swept{}, fmt.Errorf("reading the grants: %w", err)
	}
	passes, err := w.Passes.Store.PassesOf(ctx, ids)
	if err != nil {
		return Swept{}, fmt.Errorf("reading the passes: %w", err)
	}
	since, err := w.since(ctx, begin)
	if err != nil {
		return Swept{}, err
	}
	sum := Swept{Looked: len(found)}
	var failed []error
	for _, i := range found {
		o, err := w.one(ctx, i, starts[i.ID], passes, since, &sum)
		if err != nil {
			failed = append(failed, err)
		}
		if !o.None() {
			sum.Outcomes = append(sum.Outcomes, o)
		}
	}
	if len(failed) > 0 {
		return sum, errors.Join(failed...)
	}
	if err := w.Gate.Starts.PutSwept(ctx, begin.Add(-listedLate)); err != nil {
		return sum, fmt.Errorf("noting up to when starts were judged: %w", err)
	}
	return sum, nil
}

// What EC2 lists may be old by this much, so that a start could be missed.
const listedLate = 2 * time.Minute

// lostAfter is the time without a whole sweep after which, under `allow`,
// starts may have been let in while the store was away and their records be
// still on the way. It is longer than any sensible schedule.
const lostAfter = time.Hour

// since says from when on every guarded start has a record. One without a
// record from before that time was not guarded then, or its record was lost:
// nobody can know whether it would have been let in.
func (w *Sweep) since(ctx context.Context, begin time.Time) (time.Time, error) {
	since, err := w.Gate.Starts.Swept(ctx)
	if err != nil {
		return since, fmt.Errorf("reading up to when starts were judged: %w", err)
	}
	if since.IsZero() || w.Gate.Policy.Gate.WhenUnavailable == AllowUnjudged && begin.Sub(since) > lostAfter {
		return begin, nil
	}
	return since, nil
}

func (w *Sweep) one(ctx context.Context, i Instance, s Start, passes []PassRecord, since time.Time, sum *Swept) (Outcome, error) {
	known := s.Stage != 0 && s.Launch.Equal(i.LaunchTime)
	switch {
	case i.State.Up():
		sum.Running++
		return w.up(ctx, i, s, known, since)
	case i.State == Stopped:
		return w.down(ctx, i, s, known, passes, sum)
	}
	return Outcome{}, nil
}

func (w *Sweep) up(ctx context.Context, i Instance, s Start, known bool, since time.Time) (Outcome, error) {
	if known {
		if err := w.Gate.Starts.Keep(ctx, i.ID); err != nil || s.Settled() {
			return Outcome{}, err
		}
		return w.Gate.Judge(ctx, i)
	}
	done, err := w.Gate.Recent.turn(ctx, i.ID)
	if err != nil {
		return Outcome{}, err
	}
	defer done()
	if allowed, ok := w.Gate.Recent.allowed(i); ok {
		return Outcome{Instance: i, Start: allowed}, nil // Settle writes it down
	}
	if _, refused := w.Gate.Recent.refused(i); !refused && i.LaunchTime.Before(since) {
		return w.adopt(ctx, i)
	}
	return w.Gate.Judge(ctx, i)
}

// adopt writes down a start of which the store cannot know whether it was let
// in: from before the first look, from before it was guarded, or from before
// the store lost its data. Stopping it could stop what was admitted.
func (w *Sweep) adopt(ctx context.Context, i Instance) (Outcome, error) {
	s, fresh, err := w.Gate.Starts.Judge(ctx, Knock{
		Instance: i.ID, Launch: i.LaunchTime, Now: w.Gate.Now(), Final: true, Forced: Before, Admit: true,
	})
	if err != nil || !fresh {
		return Outcome{}, err
	}
	s, err = w.Gate.advance(ctx, s, Watched, "")
	return Outcome{Instance: i, Start: s, Recorded: true}, err
}

func (w *Sweep) down(ctx context.Context, i Instance, s Start, known bool, passes []PassRecord, sum *Swept) (Outcome, error) {
	var o Outcome
	if known && s.Stage < Ended {
		var err error
		if o, err = w.Gate.ended(ctx, i, s); err != nil {
			return o, err
		}
	}
	key := w.Gate.Policy.Gate.PassTag
	text, tagged := i.Tags[key]
	if !tagged || w.Passes.LiveCode(i.ID, text, passes) {
		return o, nil
	}
	if w.Gate.Policy.Gate.Mode == Enforce {
		if err := w.Gate.Stopper.Untag(ctx, i.ID, key, text); err != nil {
			return o, fmt.Errorf("removing the stale tag of %s: %w", i.ID, err)
		}
	}
	sum.Untagged = append(sum.Untagged, i.ID)
	return o, nil
}
