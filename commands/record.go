package commands

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"sekisho/auth"
	"sekisho/auth/measure"
)

// afterwards is how long each of the things may take that follow from what has
// happened: that it is recorded, and that a worker is told of it.
const afterwards = time.Second

// detached is a context for those. The caller's own deadline does not count.
func detached(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), afterwards)
}

// recordTask carries an entry that the trail could not take. It is sealed with
// the pepper: nobody who can only write to the queue has an entry signed.
type recordTask struct {
	Entry string `json:"entry"`
	Try   int    `json:"try"`
}

// record writes down what was decided. While the store is away the entry waits
// in the queue; whatever happens, it is a line of the log.
func (d *Desk) record(ctx context.Context, by auth.Actor, e auth.Entry) {
	e.Time, e.Policy, e.Door, e.Source = d.Now(), d.Policy.Hash, by.Door, by.Source
	if e.Submitted == "" {
		e.Submitted = by.User
	}
	if err := d.append(ctx, e); err != nil {
		d.Log.WarnContext(ctx, "writing the trail", "act", e.Act, "error", err)
		d.print(e)
		ctx, cancel := detached(ctx)
		defer cancel()
		if err := d.recordLater(ctx, e); err != nil {
			d.Log.ErrorContext(ctx, "an entry of the trail stands only in the log", "entry", e, "error", err)
		}
	}
}

func (d *Desk) recordLater(ctx context.Context, e auth.Entry) error {
	text, err := json.Marshal(e)
	if err != nil {
		return err
	}
	sealed, err := d.Passes.Pepper.Seal(d.Passes.Random, string(text))
	if err != nil {
		return err
	}
	return d.later(ctx, taskRecord, recordTask{Entry: sealed}, pauseBefore(0))
}

// recordAgain writes down what could not be written before.
func recordAgain(ctx context.Context, d *Desk, e Event) error {
	t, err := read[recordTask](e)
	if err != nil {
		return err
	}
	text, err := d.Passes.Pepper.Open(t.Entry)
	if err != nil {
		return fmt.Errorf("the entry in event %q: %w", e.ID, err)
	}
	var entry auth.Entry
	if err := json.Unmarshal([]byte(text), &entry); err != nil {
		return fmt.Errorf("the entry in event %q: %w", e.ID, err)
	}
	err = d.append(ctx, entry)
	if errors.Is(err, auth.ErrUnavailable) {
		t.Try++
		return d.later(ctx, taskRecord, t, pauseBefore(t.Try))
	}
	return err
}

func (d *Desk) append(ctx context.Context, entries ...auth.Entry) error {
	ctx, cancel := detached(ctx)
	defer cancel()
	linked, err := d.Trail.Append(ctx, entries...)
	if err != nil {
		return err
	}
	for _, e := range linked {
		d.Count(measure.Decisions, string(e.Act), string(e.Outcome))
	}
	d.print(linked...)
	return nil
}

// print writes entries as lines of JSON; one without a hash is not in the
// trail yet.
func (d *Desk) print(entries ...auth.Entry) {
	if d.Lines == nil {
		return
	}
	d.lines.Lock()
	defer d.lines.Unlock()
	for _, e := range entries {
		if text, err := json.Marshal(struct {
			Kind string `json:"kind"`
			auth.Entry
		}{"trail", e}); err == nil {
			d.Lines.Write(append(text, '\n'))
		}
	}
}

// outcome records how an attempt came out: done, or refused and why. A fault
// decided nothing, and is the log's.
func (d *Desk) outcome(ctx context.Context, by auth.Actor, e auth.Entry, err error) {
	var refused *auth.Refusal
	switch {
	case err == nil:
		e.Outcome = auth.Done
	case errors.As(err, &refused):
		e.Outcome, e.Reason = auth.Refused, string(refused.Reason)
		if refused.Rule != nil {
			e.Rule = refused.Rule.Name
		}
	default:
		return
	}
	d.record(ctx, by, e)
}
