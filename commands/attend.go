package commands

import (
	"context"
	"errors"
	"time"

	"sekisho/auth"
)

// attendTask has somebody look after a request: what happened to it is
// recorded and told, reminders are sent, and when its time is up it lapses.
type attendTask struct {
	ID  string `json:"id"`
	Try int    `json:"try"`
	// Again says that it comes back until the request is closed. One task of a
	// request does, from when it was asked on; the sweep makes up for a lost one.
	Again bool `json:"again"`
}

// changed sees to it that what just happened to a request is recorded, before
// whoever did it is answered, and told by a worker.
func (d *Desk) changed(ctx context.Context, r auth.Request) {
	soon, cancel := detached(ctx)
	defer cancel()
	if err := d.tellRequest(attendTask{ID: r.ID}).record(soon, d); err != nil {
		d.Log.WarnContext(ctx, "recording what happened to a request", "request", r.ID, "error", err) // attend does it
	}
	d.attendSoon(ctx, attendTask{ID: r.ID, Again: r.Version() == 0})
}

// attendSoon has a worker look after a request, or looks after it here where
// there is none.
func (d *Desk) attendSoon(ctx context.Context, t attendTask) {
	ctx, cancel := detached(ctx)
	defer cancel()
	err := d.later(ctx, taskAttend, t, 0)
	if err == nil {
		return
	}
	if err := d.attendTo(ctx, t); err != nil {
		d.Log.ErrorContext(ctx, "a request is told of with the next sweep", "request", t.ID, "error", err)
	}
}

// attend looks after a request.
func attend(ctx context.Context, d *Desk, e Event) error {
	t, err := read[attendTask](e)
	if err != nil {
		return err
	}
	return d.attendTo(ctx, t)
}

func (d *Desk) attendTo(ctx context.Context, t attendTask) error {
	r, err := d.Requests.Lapse(ctx, t.ID)
	if err == nil {
		r, err = d.Requests.Remind(ctx, t.ID)
	}
	var refused *auth.Refusal
	if errors.As(err, &refused) && refused.Reason == auth.NoRequest {
		d.Log.InfoContext(ctx, "a request is forgotten", "request", t.ID)
		return nil
	}
	if err != nil {
		return err
	}
	if err := d.tellRequest(t).tell(ctx, d); err != nil {
		return err
	}
	if !t.Again || !r.Open() || d.Queue == nil {
		return nil
	}
	return d.later(ctx, taskAttend, attendTask{ID: t.ID, Again: true}, max(time.Second, wake(r).Sub(d.Now())+time.Second))
}

// wake is when something is due to happen to the request by itself.
func wake(r auth.Request) time.Time {
	lapses := r.Lapses()
	if due, ok := r.Reminder(); ok && due.Before(lapses) {
		return due
	}
	return lapses
}

// attendAll looks after every request, for the sweep: whatever task was lost,
// nothing is forgotten.
func (d *Desk) attendAll(ctx context.Context) error {
	all, err := d.Requests.Store.Requests(ctx)
	if err != nil {
		return err
	}
	var failed []error
	for _, r := range all {
		if err := d.attendTo(ctx, attendTask{ID: r.ID}); err != nil {
			failed = append(failed, err)
		}
	}
	return errors.Join(failed...)
}
