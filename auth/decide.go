package auth

import (
	"context"
	"errors"
	"fmt"
)

// MayDecide looks whether the person may decide about the request now. It is
// what Approve and Deny go by; asked alone, it spares somebody a modal.
func (q *Requests) MayDecide(ctx context.Context, id, user string) (Request, error) {
	r, _, err := q.Store.Request(ctx, id)
	if err != nil {
		return Request{}, err
	}
	_, err = q.fit(ctx, r, user)
	return r, err
}

// MayDecideOn is MayDecide for a request and an instance that were just read.
func (q *Requests) MayDecideOn(ctx context.Context, r Request, i Instance, user string) error {
	if err := q.undecided(r); err != nil {
		return err
	}
	ruling, err := q.ruleOn(ctx, r, i, user)
	return unfit(ruling, err)
}

// fit is the ruling on one person's decision about the request as it stands.
func (q *Requests) fit(ctx context.Context, r Request, user string) (Ruling, error) {
	if err := q.undecided(r); err != nil {
		return Ruling{}, err
	}
	ruling, err := q.rule(ctx, r, user)
	return ruling, unfit(ruling, err)
}

// undecided refuses a request that nobody can decide about any more.
func (q *Requests) undecided(r Request) error {
	if r.State() != RequestPending || r.Break || q.Now().After(r.Lapses()) {
		return &Refusal{Reason: TooLate}
	}
	return nil
}

func unfit(r Ruling, err error) error {
	if err == nil && r.Unfit != "" {
		return &Refusal{Reason: r.Unfit, Rule: r.Rule}
	}
	return err
}

// rule asks the referee about the request, with the instance as it is now.
func (q *Requests) rule(ctx context.Context, r Request, clicker string) (Ruling, error) {
	i, err := q.Instances.Instance(ctx, r.Instance)
	if err != nil {
		return Ruling{}, fmt.Errorf("reading %s: %w", r.Instance, err)
	}
	return q.ruleOn(ctx, r, i, clicker)
}

func (q *Requests) ruleOn(ctx context.Context, r Request, i Instance, clicker string) (Ruling, error) {
	return q.Referee.Rule(ctx, Case{
		Asker: r.Asker, Instance: i, At: r.Asked, Why: r.Why, Approved: r.Approvers(), Clicker: clicker,
	})
}

// Approve counts the person's approval; the last one that is needed settles
// the request. It returns the request as it stands after, also beside a
// *Refusal that says why the click came to nothing.
func (q *Requests) Approve(ctx context.Context, id string, by Actor) (Request, error) {
	return q.change(ctx, id, by, func(r Request) (Change, error) {
		ruling, err := q.fit(ctx, r, by.User)
		if err == nil && ruling.Refused != "" { // nobody's approval could give it out
			err = &Refusal{Reason: PolicyChanged, Rule: ruling.Rule}
		}
		return Change{Verb: Approved, Settles: ruling.Missing <= 1}, err
	})
}

// Deny settles the request. It needs the same right as Approve.
func (q *Requests) Deny(ctx context.Context, id string, by Actor, why string) (Request, error) {
	return q.change(ctx, id, by, func(r Request) (Change, error) {
		_, err := q.fit(ctx, r, by.User)
		var refused *Refusal
		if errors.As(err, &refused) && refused.Reason == AlreadyApproved {
			err = nil // who has approved may think again
		}
		return Change{Verb: Denied, Note: why, Settles: true}, err
	})
}

// Withdraw ends the asker's own request while nobody has decided.
func (q *Requests) Withdraw(ctx context.Context, id string, by Actor) (Request, error) {
	return q.change(ctx, id, by, func(r Request) (Change, error) {
		switch {
		case by.User != r.Asker:
			return Change{}, &Refusal{Reason: NotYours}
		case r.State() != RequestPending:
			return Change{}, &Refusal{Reason: TooLate}
		}
		return Change{Verb: Withdraw, Settles: true}, nil
	})
}

// Confirm is a break-glass asker's second word.
func (q *Requests) Confirm(ctx context.Context, id string, by Actor) (Request, error) {
	return q.change(ctx, id, by, func(r Request) (Change, error) {
		switch {
		case by.User != r.Asker:
			return Change{}, &Refusal{Reason: NotYours}
		case !r.Break || r.State() != RequestPending || q.Now().After(r.Lapses()):
			return Change{}, &Refusal{Reason: TooLate}
		}
		ruling, err := q.rule(ctx, r, "")
		if err == nil && !ruling.MayBreakGlass {
			err = &Refusal{Reason: NoBreakGlass, Rule: ruling.Rule}
		}
		return Change{Verb: Broke, Note: r.Why, Settles: true}, err
	})
}

// Lapse ends a request whose time is up; one whose time is not comes back as
// it is.
func (q *Requests) Lapse(ctx context.Context, id string) (Request, error) {
	return q.change(ctx, id, Actor{}, func(r Request) (Change, error) {
		if !r.Open() || !q.Now().After(r.Lapses()) {
			return Change{}, ErrNoChange
		}
		return Change{Verb: Lapsed, Settles: r.State() == RequestPending}, nil
	})
}

// Remind notes that the approvers are to be reminded, once for each time that
// it is due.
func (q *Requests) Remind(ctx context.Context, id string) (Request, error) {
	return q.change(ctx, id, Actor{}, func(r Request) (Change, error) {
		if due, ok := r.Reminder(); !ok || q.Now().Before(due) {
			return Change{}, ErrNoChange
		}
		return Change{Verb: Reminded}, nil
	})
}

// change lets next decide what happens to the request, of all at once one.
func (q *Requests) change(ctx context.Context, id string, by Actor, next func(Request) (Change, error)) (Request, error) {
	r, err := Amend(ctx,
		func(ctx context.Context) (Request, error) {
			r, _, err := q.Store.Request(ctx, id)
			return r, err
		},
		func(r Request) (Request, error) {
			c, err := next(r)
			c.By, c.Door, c.Source, c.At = by.User, by.Door, by.Source, q.Now()
			return r.With(c), err
		},
		q.Store.ChangeRequest)
	if err != nil {
		return r, fmt.Errorf("the request %s: %w", id, err)
	}
	return r, nil
}
