package purge

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
)

// ErrHeld: another worker is at this key just now.
var ErrHeld = errors.New("another worker is at this key")

// lease is how long one worker may take over an act before another does it
// again: longer than an event or a task may take. Who takes longer does at worst
// once more what is done.
const lease = time.Minute

// steps bounds what one call does for one key: the longest way is from a fresh
// key to its deletion at once.
const steps = 20

// Attended is what one look after a key came to.
type Attended struct {
	Record  Record
	Verdict Verdict // the last one
	Over    bool    // it would have ended, and the day's limit is reached
	Untold  bool    // it would have ended, and people are to be told first of what came before
}

// Attend does what is to be done about one key, until nothing is. The key is
// read afresh right before an act, and what that was begun for must still hold;
// seen spares the first reading, for whoever has just read it. While another
// worker is at the key it fails with ErrHeld.
func (p *Purge) Attend(ctx context.Context, ref Ref, seen *User) (Attended, error) {
	j, err := p.judge(ctx)
	if err != nil {
		return Attended{}, err
	}
	w := worker{Purge: p, judge: j, ref: ref, seen: seen}
	for range steps {
		a, again, err := w.step(ctx)
		if err != nil || !again {
			return a, err
		}
	}
	return Attended{}, fmt.Errorf("%s of %s: no end after %d steps", ref.ID, ref.User, steps)
}

// worker looks after one key.
type worker struct {
	*Purge
	judge Judge
	ref   Ref
	seen  *User // what IAM says; nil where it must be read (again)
	mine  int   // the version at which this worker began an act; 0 none
}

// step does one thing: an act in IAM, or one more change of the record. again
// says that there may be more to do.
func (w *worker) step(ctx context.Context) (a Attended, again bool, err error) {
	filed, err := w.Store.Record(ctx, w.ref.ID)
	if err != nil {
		return a, false, fmt.Errorf("reading the record of %s: %w", w.ref.ID, err)
	}
	r := filed.Record
	a.Record = r
	state := r.State(w.judge.Policy.Observing())
	now := w.Now()
	if state.Ended && now.Sub(state.Since) < settling {
		return a, false, nil
	}
	if account := w.judge.Self.Account; r.Version() > 0 && r.Account != account {
		return a, false, fmt.Errorf("%s is a key of account %s, and the bot's credentials are of account %s: nothing is done about it", r.ID, r.Account, account)
	}
	if w.seen == nil {
		u, err := w.Look(ctx, w.ref, r.UserID)
		if errors.Is(err, ErrGone) {
			return w.gone(ctx, r, state)
		}
		if err != nil {
			return a, false, err
		}
		w.seen = &u
	}
	w.ref.User = w.seen.Name
	key, there := w.seen.key(w.ref.ID)
	if !there {
		return w.gone(ctx, r, state)
	}
	a.Verdict = w.judge.Key(*w.seen, key, r, now)
	if r.Version() == 0 {
		r = Record{ID: key.ID, User: w.seen.Name, UserID: w.seen.ID, Account: w.judge.Self.Account, Created: key.Created}
	}
	begun := state.Pending.Verb == Begun
	mine := begun && w.mine == r.Version()
	switch v := a.Verdict; {
	case v.Do == Nothing:
		return a, false, nil
	case begun && !mine && !v.Done && now.Sub(state.Pending.At) < lease:
		return a, false, ErrHeld
	case v.counts() && !mine && filed.untold():
		a.Untold = true
		return a, false, nil
	case v.Do.Acts() && !v.Done && !mine:
		return w.begin(ctx, a, r, state)
	case v.Do.Acts() && !v.Done:
		w.seen = nil
		if err := w.act(ctx, v); err != nil {
			return a, false, fmt.Errorf("%s of %s: %s: %w", v.Key.ID, v.User.Name, v.Do, err)
		}
	}
	return w.append(ctx, r, w.change(a.Verdict, state, now))
}

// begin notes what is about to be done, so that of any number of workers one
// does it. What the policy does by itself is counted first.
func (w *worker) begin(ctx context.Context, a Attended, r Record, s State) (Attended, bool, error) {
	if !a.Verdict.ordered {
		ok, err := w.Budget.Claim(ctx, []string{w.ref.ID}, false, w.Now())
		if err != nil {
			return a, false, fmt.Errorf("counting %s: %w", w.ref.ID, err)
		}
		if !ok {
			a.Over = true
			return a, false, nil
		}
	}
	w.seen = nil // what was begun for must hold right before the act
	next := r.With(Change{
		Verb: Begun, Do: a.Verdict.Do, At: w.Now(), Rule: a.Verdict.Rule, Worker: uuid.NewString(),
		By: s.Pending.By, Door: s.Pending.Door, Source: s.Pending.Source,
	})
	now, changed, err := w.Store.Change(ctx, next)
	if err != nil {
		return a, false, fmt.Errorf("noting what is begun with %s: %w", w.ref.ID, err)
	}
	if changed {
		w.mine = next.Version()
	}
	a.Record = now
	return a, true, nil
}

// act calls IAM. A key that is gone is as good as deleted; else the next look
// finds out.
func (w *worker) act(ctx context.Context, v Verdict) error {
	var err error
	switch v.Do {
	case Deactivate:
		err = w.Ender.Deactivate(ctx, v.User.Name, v.Key.ID)
	case Reactivate:
		err = w.Ender.Reactivate(ctx, v.User.Name, v.Key.ID)
	case Delete:
		if v.shown {
			return errors.New("IAM shows the key as active, and what is active is not deleted")
		}
		if err = w.Ender.Delete(ctx, v.User.Name, v.Key.ID); errors.Is(err, ErrGone) {
			return nil
		}
	}
	return err
}

// change is what the verdict adds to the record.
func (w *worker) change(v Verdict, s State, now time.Time) Change {
	c := Change{
		At: now, Do: s.Pending.Do, By: s.Pending.By, Door: s.Pending.Door, Source: s.Pending.Source,
		Rule: v.Rule, Observed: w.judge.Policy.Observing() && s.Pending.Verb == "", Sight: w.sight(v),
	}
	switch v.Do {
	case Warn:
		c.Verb, c.Until, c.Lead = Warned, v.At, v.Lead
	case Release:
		c.Verb, c.Note = Released, v.Why
	case NoteOff:
		c.Verb, c.Until = FoundOff, v.At
	case NoteOn:
		c.Verb, c.Until = FoundOn, now.Add(respite)
	case SayWould:
		c.Verb, c.Do = Would, v.Next
	case Drop:
		c.Verb, c.Note = Dropped, v.Why
	default:
		c.Verb, c.Until = v.Do.done(), v.At
		c.Sight.Active = v.Do == Reactivate
	}
	return c
}

// sight is what people are shown of the key.
func (w *worker) sight(v Verdict) *Sight {
	s := &Sight{Active: v.Key.Active, Used: v.Key.Used, Owner: w.Owner(v.User), Next: v.Next, When: v.At}
	for _, k := range v.User.Keys {
		if k.ID != v.Key.ID {
			s.Others = append(s.Others, k)
		}
	}
	return s
}

// gone writes down that a key is not in IAM any more: by the act that was
// begun, or by somebody else's.
func (w *worker) gone(ctx context.Context, r Record, s State) (Attended, bool, error) {
	if r.Version() == 0 || s.Ended {
		return Attended{Record: r}, false, nil
	}
	c := Change{Verb: Gone, At: w.Now()}
	if s.Pending.Do == Delete && s.Pending.Verb == Begun {
		c.Verb, c.Do, c.Rule = Deleted, Delete, s.Pending.Rule
	}
	return w.append(ctx, r, c)
}

// append stores one more change; whoever was quicker is looked at again.
func (w *worker) append(ctx context.Context, r Record, c Change) (Attended, bool, error) {
	now, changed, err := w.Store.Change(ctx, r.With(c))
	if !changed {
		w.seen = nil
	}
	if err != nil {
		return Attended{Record: now}, false, fmt.Errorf("noting what became of %s: %w", w.ref.ID, err)
	}
	return Attended{Record: now}, true, nil
}
