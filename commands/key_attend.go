package commands

import (
	"context"
	"errors"
	"fmt"
	"time"

	"sekisho/auth/purge"
)

// keyTask has somebody look after an access key: what is to be done about it is
// done, recorded and told.
type keyTask struct {
	purge.Ref
	Try int `json:"try"`
}

// soonest is how far ahead the queue keeps a task. What is due later, the daily
// sweep sees to:
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-delay-queues.html
const soonest = 15 * time.Minute

// attendKey looks after a key.
func attendKey(ctx context.Context, d *Desk, e Event) error {
	t, err := read[keyTask](e)
	if err != nil || d.Purge == nil {
		return err
	}
	_, err = d.attendToKey(ctx, t, nil)
	return err
}

// AttendKey looks after a key now, for whoever sits at a terminal. The error
// says what could not be done, also where it is tried again later.
func (d *Desk) AttendKey(ctx context.Context, ref purge.Ref) error {
	left, err := d.attendToKey(ctx, keyTask{Ref: ref}, nil)
	if left != nil {
		left = fmt.Errorf("%s of %s: %w", ref.ID, ref.User, left)
	}
	return errors.Join(left, err)
}

// keyTries bounds how often a fault of AWS's or of Slack's is tried again: for
// some four hours, after which the next sweep sees to the key.
const keyTries = 50

// attendToKey does what is to be done about a key and tells it. Whatever was
// done is told, also where the next step failed. What is left to do is one
// task, however much that is: of two there would soon be four. left is what
// could not be done now, failed what keeps this task.
func (d *Desk) attendToKey(ctx context.Context, t keyTask, seen *purge.User) (left, failed error) {
	a, left := d.Purge.Attend(ctx, t.Ref, seen)
	next, after := t, time.Duration(-1)
	again := func(try int, pause time.Duration) {
		if after < 0 || pause < after {
			next.Try, after = try, pause
		}
	}
	telling := d.tellKey(t)
	telling.again = func(_ context.Context, try int, pause time.Duration) error {
		if try <= keyTries { // then the next sweep tells it
			again(try, pause)
		}
		return nil
	}
	failed = telling.tell(ctx, d)
	if a.Untold && failed == nil && after < 0 { // it was told now
		a, left = d.Purge.Attend(ctx, t.Ref, nil)
		failed = telling.tell(ctx, d)
	}
	var denied *purge.Denied
	switch wait := a.Verdict.At.Sub(d.Now()); {
	case errors.Is(left, purge.ErrHeld):
		again(t.Try, tellLease)
	case errors.As(left, &denied):
		// Trying again soon changes nothing; the next sweep does.
		failed = errors.Join(failed, d.missingPermission(ctx, denied))
	case left != nil && t.Try >= keyTries:
		d.Log.ErrorContext(ctx, "an access key is left for the next sweep", "key", t.ID, "user", t.User, "error", left)
	case left != nil:
		d.Log.WarnContext(ctx, "looking after an access key", "key", t.ID, "user", t.User, "try", t.Try, "error", left)
		again(t.Try+1, pauseBefore(t.Try+1))
	case a.Over:
		left = errOver
		d.Log.WarnContext(ctx, "an access key is left for the next sweep", "key", t.ID, "user", t.User, "error", left)
	case wait > 0 && wait <= soonest && d.Queue != nil:
		again(0, wait+time.Second)
	}
	if after < 0 {
		return left, failed
	}
	if later := d.later(ctx, taskKey, next, after); later != nil {
		return left, errors.Join(failed, later)
	}
	return left, failed
}

var errOver = errors.New("as many keys as the policy allows have ended within a day, or it waits with others for somebody's word")

// orderedKey sees to it that what somebody just decided about a key is
// recorded, before they are answered, and done and told by a worker.
func (d *Desk) orderedKey(ctx context.Context, r purge.Record) {
	t := keyTask{Ref: purge.Ref{ID: r.ID, User: r.User}}
	soon, cancel := detached(ctx)
	defer cancel()
	if err := d.tellKey(t).record(soon, d); err != nil {
		d.Log.WarnContext(ctx, "recording what was decided about a key", "key", r.ID, "error", err) // attendToKey does it
	}
	ctx, cancel = detached(ctx)
	defer cancel()
	err := d.later(ctx, taskKey, t, 0)
	if err == nil {
		return
	}
	if left, err := d.attendToKey(ctx, t, nil); left != nil || err != nil {
		err = errors.Join(left, err)
		d.Log.ErrorContext(ctx, "what was decided about a key is done with the next sweep", "key", r.ID, "error", err)
	}
}

// missingPermission tells, once a day, which permission the bot's role lacks.
func (d *Desk) missingPermission(ctx context.Context, denied *purge.Denied) error {
	account, err := d.Purge.Account(ctx)
	if err != nil {
		account = "*"
	}
	resource, or := "*", ""
	if denied.Action == "iam:UpdateAccessKey" || denied.Action == "iam:DeleteAccessKey" {
		resource = "arn:aws:iam::" + account + ":user/*"
		or = "\nWhere my role is meant for the users of one path, exempt the others by `path` in `keys.exempt` instead."
	}
	return d.announceOnce(ctx, "denied/"+denied.Action, sayTask{Channel: d.Policy.Channels.Keys, Text: fmt.Sprintf(
		":wrench: *A permission is missing*: AWS does not let me call `%s`, so access keys are not looked after as they should be. Add this statement to my role's policy; the next sweep goes on by itself:\n```{\"Effect\": \"Allow\", \"Action\": \"%s\", \"Resource\": \"%s\"}```%s",
		denied.Action, denied.Action, resource, or)})
}

// KeyWarning tells of what went wrong and could be got around.
func (d *Desk) KeyWarning(ctx context.Context, err error) {
	d.Log.WarnContext(ctx, "looking after access keys", "error", err)
	var denied *purge.Denied
	if errors.As(err, &denied) {
		if err := d.missingPermission(ctx, denied); err != nil {
			d.Log.ErrorContext(ctx, "telling of a missing permission", "action", denied.Action, "error", err)
		}
	}
}
