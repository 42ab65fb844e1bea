package commands

import (
	"context"
	"fmt"

	"sekisho/auth"
)

// mismatch does what the policy says about a pass that somebody else spent, and
// tells it, loudly.
func (d *Desk) mismatch(ctx context.Context, by auth.Actor, s auth.Start, n auth.Named) error {
	done := "It is left running: the policy says `on_mismatch: alert`."
	if d.Policy.People.OnMismatch == auth.StopMismatch {
		done = d.stopMismatch(ctx, by, s)
	}
	text := fmt.Sprintf(":rotating_light: <!here> *The pass of %s was spent by somebody else*: `%s` was started by %s. %s\n*Next:* ask %s whether the code was handed on; if not, take away the rights of that principal.",
		person(s.User), s.Instance, callerName(d.Policy, n.Caller), done, person(s.User))
	return d.announce(ctx, sayTask{Channel: d.Policy.Channels.Alerts, Text: text})
}

// stopMismatch stops the start, if it is still the one that the instance is in,
// and says what was done.
func (d *Desk) stopMismatch(ctx context.Context, by auth.Actor, s auth.Start) string {
	if d.Policy.Gate.Mode != auth.Enforce {
		return "Observe mode: with `gate.mode: enforce` it would be stopped."
	}
	i, err := d.Instances.Instance(ctx, s.Instance)
	if err == nil && !i.LaunchTime.Equal(s.Launch) {
		return "It has been started anew since, and is left alone."
	}
	if err == nil {
		err = d.Gate.Stopper.Stop(ctx, s.Instance)
	}
	outcome, done := auth.Done, "I have asked EC2 to stop it."
	if err != nil {
		d.Log.ErrorContext(ctx, "stopping a start of another principal", "instance", s.Instance, "error", err)
		outcome, done = auth.Refused, "*It could not be stopped*: stop it by hand if it was not meant."
	}
	d.record(ctx, by, auth.Entry{
		Act: auth.ActStartStop, Outcome: outcome, Submitted: s.User, Instance: s.Instance, Reason: auth.MismatchReason, Note: done,
	})
	return done
}
