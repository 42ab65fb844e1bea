package commands

import (
	"context"
	"errors"
	"time"

	"sekisho/auth"
)

// telling is how what happens to a record, be it a request or an access key,
// reaches the trail and then people: by one worker at a time, from wherever
// the one before came to.
type telling[R any] struct {
	about string // for the log
	try   int
	// take and put are the store's.
	take func(ctx context.Context) (r R, t auth.Told, ok bool, err error)
	put  func(ctx context.Context, t auth.Told) (more bool, err error)
	// entries are what the trail lacks, up to a version of the record.
	entries func(R, auth.Told) (missing []auth.Entry, upTo int)
	// show tells people what is new. It returns how far it came, also beside an
	// error.
	show func(ctx context.Context, r R, t auth.Told) (auth.Told, error)
	// again has a worker go on later.
	again func(ctx context.Context, try int, after time.Duration) error
}

// tell records what is new, and then tells it, until nothing is. When Slack is
// away it is put off, not lost.
func (t telling[R]) tell(ctx context.Context, d *Desk) error {
	for more := true; more; {
		r, told, ok, err := t.takeSoon(ctx)
		if errors.Is(err, auth.ErrCardHeld) && d.Queue != nil {
			// That worker tells what it finds; should it have died, this comes after.
			return t.again(ctx, t.try, tellLease)
		}
		if err != nil || !ok {
			return err
		}
		told, failed := t.catchUp(ctx, d, r, told)
		if failed == nil {
			told, failed = t.show(ctx, r, told)
		}
		more, err = t.put(ctx, told)
		if failed != nil {
			d.Log.WarnContext(ctx, "telling", "about", t.about, "try", t.try, "error", failed)
			return errors.Join(err, t.again(ctx, t.try+1, pauseBefore(t.try+1)))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// takeSoon waits a little for the right to tell: whoever only records has it
// for some milliseconds.
func (t telling[R]) takeSoon(ctx context.Context) (r R, told auth.Told, ok bool, err error) {
	for pause := 20 * time.Millisecond; ; pause *= 2 {
		r, told, ok, err = t.take(ctx)
		if !errors.Is(err, auth.ErrCardHeld) || pause > 500*time.Millisecond {
			return r, told, ok, err
		}
		select {
		case <-ctx.Done():
			return r, told, ok, context.Cause(ctx)
		case <-time.After(pause):
		}
	}
}

// record brings the trail up to date, and tells nobody. Whoever is telling just
// now records it, too.
func (t telling[R]) record(ctx context.Context, d *Desk) error {
	r, told, ok, err := t.take(ctx)
	if errors.Is(err, auth.ErrCardHeld) {
		return nil
	}
	if err != nil || !ok {
		return err
	}
	told, failed := t.catchUp(ctx, d, r, told)
	_, err = t.put(ctx, told)
	return errors.Join(failed, err)
}

func (t telling[R]) catchUp(ctx context.Context, d *Desk, r R, told auth.Told) (auth.Told, error) {
	entries, upTo := t.entries(r, told)
	for n := range entries {
		entries[n].Policy = d.Policy.Hash
	}
	if len(entries) > 0 {
		if err := d.append(ctx, entries...); err != nil {
			return told, err
		}
	}
	told.Recorded = upTo
	return told, nil
}
