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
	return d.attendToKey(ctx, t, nil)
}

// AttendKey looks after a key now, for whoever sits at a terminal.
func (d *Desk) AttendKey(ctx context.Context, ref purge.Ref) error {
	return d.attendToKey(ctx, keyTask{Ref: ref}, nil)
}

// attendToKey does what is to be done about a key and tells it. Whatever was
// done is told, also where the next step failed.
func (d *Desk) attendToKey(ctx context.Context, t keyTask, seen *purge.User) error {
	a, err := d.Purge.Attend(ctx, t.Ref, seen)
	told := d.tellKey(t).tell(ctx, d)
	var denied *purge.Denied
	switch {
	case errors.Is(err, purge.ErrHeld) && d.Queue != nil:
		return errors.Join(told, d.later(ctx, taskKey, t, tellLease))
	case errors.As(err, &denied):
		// Trying again soon changes nothing; the next sweep does.
		return errors.Join(told, d.missingPermission(ctx, denied))
	case err != nil && d.Queue != nil:
		d.Log.WarnContext(ctx, "looking after an access key", "key", t.ID, "user", t.User, "try", t.Try, "error", err)
		t.Try++
		return errors.Join(told, d.later(ctx, taskKey, t, pauseBefore(t.Try)))
	case err != nil:
		return errors.Join(told, err)
	case a.Over:
		d.Log.WarnContext(ctx, "an access key is left for the next sweep: as many as the policy allows have ended within a day", "key", t.ID, "user", t.User)
	}
	if wait := a.Verdict.At.Sub(d.Now()); told == nil && wait > 0 && wait <= soonest && d.Queue != nil {
		return d.later(ctx, taskKey, keyTask{Ref: t.Ref}, wait+time.Second)
	}
	return told
}

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
	if err := d.attendToKey(ctx, t, nil); err != nil {
		d.Log.ErrorContext(ctx, "what was decided about a key is done with the next sweep", "key", r.ID, "error", err)
	}
}

// missingPermission tells, once a day, which permission the bot's role lacks.
func (d *Desk) missingPermission(ctx context.Context, denied *purge.Denied) error {
	first, err := d.Firsts.First(ctx, "denied/"+denied.Action, 24*time.Hour)
	if err != nil || !first {
		return err
	}
	account, err := d.Purge.Account(ctx)
	if err != nil {
		account = "*"
	}
	resource := "*"
	if _, changes := map[string]bool{"iam:UpdateAccessKey": true, "iam:DeleteAccessKey": true}[denied.Action]; changes {
		resource = "arn:aws:iam::" + account + ":user/*"
	}
	return d.announce(ctx, sayTask{Channel: d.Policy.Channels.Keys, Text: fmt.Sprintf(
		":wrench: *A permission is missing*: AWS does not let me call `%s`, so no access key is looked after as it should be. Add this statement to my role's policy; the next sweep goes on by itself:\n```{\"Effect\": \"Allow\", \"Action\": \"%s\", \"Resource\": \"%s\"}```",
		denied.Action, denied.Action, resource)})
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

// Firsts knows what was done before.
type Firsts interface {
	// First says whether nobody has asked for this within the time.
	First(ctx context.Context, what string, within time.Duration) (bool, error)
}
