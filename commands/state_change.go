package commands

import (
	"context"
	"errors"
	"fmt"

	"sekisho/auth"
	"sekisho/auth/measure"
)

// stateChange answers EC2's state-change events: the gate judges and acts, and
// then people are told.
func stateChange(ctx context.Context, d *Desk, e Event) error {
	detail, err := read[struct {
		Instance string     `json:"instance-id"`
		State    auth.State `json:"state"`
	}](e)
	if err != nil {
		return err
	}
	if !auth.IsInstanceID(detail.Instance) {
		return fmt.Errorf("event %q names no instance: instance-id is %.40q", e.ID, detail.Instance)
	}
	change := auth.StateChange{Instance: detail.Instance, State: detail.State, At: e.Time, Region: e.Region}
	var o auth.Outcome
	switch change.State {
	case auth.Pending, auth.Running:
		o, err = d.Gate.Opened(ctx, change)
		if !o.None() && err == nil {
			d.Since(e.Time, measure.GateLatency)
		}
	case auth.Stopped, auth.Terminated:
		o, err = d.Gate.Closed(ctx, change)
	}
	return d.follow(ctx, e.actor(), o, err)
}

// follow tells what the gate did and sees to it that a stop is confirmed. It
// comes after acting, whether or not that went well; its own failures and the
// gate's keep the event.
func (d *Desk) follow(ctx context.Context, by auth.Actor, o auth.Outcome, acted error) error {
	if o.None() {
		return acted
	}
	s := o.Start
	d.Log.InfoContext(ctx, "start judged", "instance", s.Instance, "launch", s.Launch, "admitted", s.Admitted,
		"reason", s.Reason, "user", s.User, "stage", int(s.Stage), "note", s.Note, "recorded", o.Recorded, "error", acted)
	if !o.Recorded {
		return errors.Join(acted, d.tellUnrecorded(ctx, o))
	}
	return errors.Join(acted, d.watch(ctx, s), d.tell(ctx, by, o.Instance, s))
}

// watch has the stop confirmed when its time is up.
func (d *Desk) watch(ctx context.Context, s auth.Start) error {
	if s.Admitted || s.Settled() || s.Stage >= auth.Stuck || d.Queue == nil {
		return nil
	}
	return d.later(ctx, taskConfirm, startRef{s.Instance, s.Launch.UnixMilli()}, auth.StopTime)
}
