package purge

import (
	"context"
	"fmt"
	"time"

	"sekisho/auth"
)

// Longest is how far in the future somebody may spare a key.
const Longest = 366 * 24 * time.Hour

// Keep spares the key for some days more. Like the others it returns the record
// as it stands after, also beside a *auth.Refusal that says why the click came
// to nothing.
func (p *Purge) Keep(ctx context.Context, id string, by auth.Actor, why string) (Record, error) {
	return p.amend(ctx, id, by, Change{Verb: Kept, Note: why})
}

// Exempt spares the key until a date, which must lie ahead and not further than
// Longest.
func (p *Purge) Exempt(ctx context.Context, id string, by auth.Actor, until time.Time, why string) (Record, error) {
	if now := p.Now(); !until.After(now) || until.After(now.Add(Longest)) {
		return Record{}, &auth.Refusal{Reason: auth.BadDate}
	}
	return p.amend(ctx, id, by, Change{Verb: Exempted, Until: until, Note: why})
}

// Order has the key deactivated, or reactivated, as soon as a worker comes to
// it.
func (p *Purge) Order(ctx context.Context, id string, by auth.Actor, do Do) (Record, error) {
	if do != Deactivate && do != Reactivate {
		return Record{}, fmt.Errorf("%s: nobody can order to %q a key", id, do)
	}
	return p.amend(ctx, id, by, Change{Verb: Ordered, Do: do})
}

// MayDecide looks whether the person may bring about this change now. It is
// what the three go by; asked alone, it spares somebody a modal.
func (p *Purge) MayDecide(ctx context.Context, id, user string, want Change) (Record, error) {
	f, err := p.Store.Record(ctx, id)
	if err != nil {
		return f.Record, err
	}
	return f.Record, p.fit(ctx, f.Record, user, want)
}

// MaySee says whether the person may be shown everybody's keys: those who may
// decide about them.
func (p *Purge) MaySee(ctx context.Context, user string) (bool, error) {
	return auth.MayDecide(ctx, p.Directory, p.Policy.Keys.Decide, user)
}

func (p *Purge) fit(ctx context.Context, r Record, user string, want Change) error {
	may, err := p.MaySee(ctx, user)
	if err != nil {
		return err
	}
	observing := p.Policy.Keys.Observing()
	s := r.State(observing)
	undo := want.Do == Reactivate
	switch {
	case r.Version() == 0:
		return &auth.Refusal{Reason: auth.NoKey}
	case !may:
		return &auth.Refusal{Reason: auth.NoDecider}
	case s.Ended, s.Pending.Verb != "" && !p.stuck(s, want), undo && !(s.Off && s.Ours), !undo && s.Off:
		return &auth.Refusal{Reason: auth.KeyMoved}
	case want.Do == Deactivate && observing:
		return &auth.Refusal{Reason: auth.KeyObserve}
	case want.Do != Deactivate && user == r.Sight().Owner:
		return &auth.Refusal{Reason: auth.OwnKey}
	}
	return nil
}

// stuck says whether what the policy began has come to nothing for a while, so
// that somebody can still spare the key, or bring it back.
func (p *Purge) stuck(s State, want Change) bool {
	return want.Do != Deactivate && s.Pending.By == "" && p.Now().Sub(s.Pending.At) >= lease
}

func (p *Purge) amend(ctx context.Context, id string, by auth.Actor, want Change) (Record, error) {
	return auth.Amend(ctx,
		func(ctx context.Context) (Record, error) {
			f, err := p.Store.Record(ctx, id)
			return f.Record, err
		},
		func(r Record) (Record, error) {
			if r.came(want.Verb, by.Source) {
				return r, auth.ErrNoChange // the same click, delivered twice
			}
			if err := p.fit(ctx, r, by.User, want); err != nil {
				return r, err
			}
			c, s := want, r.State(true)
			c.By, c.Door, c.Source, c.At = by.User, by.Door, by.Source, p.Now()
			if c.Verb == Kept {
				c.Until = latest(c.At, s.Promised, s.Spared).Add(respite)
			}
			if c.Until.After(c.At.Add(Longest)) {
				return r, &auth.Refusal{Reason: auth.BadDate}
			}
			return r.With(c), nil
		},
		p.Store.Change)
}
