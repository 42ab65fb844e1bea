package purge

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"

	"sekisho/auth"
)

// atOnce is how many users are read beside each other. IAM's limits are not
// published; more is not faster for long.
const atOnce = 8

// Read reads every user of the account and judges every key, and changes
// nothing. It calls IAM once for each user, and twice more for a user with a
// key that matters. Progress is told how many users were read.
func (p *Purge) Read(ctx context.Context, progress func(done, total int)) (Plan, error) {
	j, err := p.judge(ctx)
	if err != nil {
		return Plan{}, err
	}
	records, err := p.Store.Records(ctx)
	if err != nil {
		return Plan{}, fmt.Errorf("reading the keys' records: %w", err)
	}
	var users []User
	if err := p.Users.Users(ctx, func(u User) { users = append(users, u) }); err != nil {
		return Plan{}, fmt.Errorf("listing the IAM users: %w", err)
	}
	if err := p.readKeys(ctx, j, users, records, progress); err != nil {
		return Plan{}, err
	}
	bare := make(map[string]Record, len(records))
	for id, f := range records {
		bare[id] = f.Record
	}
	plan := j.Plan(users, bare, p.Now())
	plan.records = records
	return plan, nil
}

// ReadUser reads one user and judges the user's keys; ErrGone where there is
// none.
func (p *Purge) ReadUser(ctx context.Context, name string) (Plan, error) {
	j, err := p.judge(ctx)
	if err != nil {
		return Plan{}, err
	}
	u, err := p.Users.User(ctx, name)
	if err == nil {
		u.Keys, err = p.Keys.Keys(ctx, u.Name)
	}
	if err != nil {
		return Plan{}, fmt.Errorf("reading the IAM user %s: %w", name, err)
	}
	records := make(map[string]Record, len(u.Keys))
	for n, k := range u.Keys {
		f, err := p.Store.Record(ctx, k.ID)
		if err != nil {
			return Plan{}, fmt.Errorf("reading the record of %s: %w", k.ID, err)
		}
		records[k.ID] = f.Record
		u.Keys[n].Used, err = p.lastUse(ctx, u.Name, k.ID)
		if err != nil && !errors.Is(err, ErrGone) {
			return Plan{}, err
		}
	}
	return j.Plan([]User{u}, records, p.Now()), nil
}

// readKeys reads the users' keys, and of those users who have one that matters
// the tags, too. The first error ends it: a plan of half an account would take
// the limit for another.
func (p *Purge) readKeys(ctx context.Context, j Judge, users []User, records map[string]Filed, progress func(done, total int)) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	next := make(chan int)
	var workers sync.WaitGroup
	var mu sync.Mutex
	done := 0
	for range min(atOnce, len(users)) {
		workers.Go(func() {
			for n := range next {
				if err := p.readUser(ctx, j, &users[n], records); err != nil {
					stop(err)
					continue
				}
				mu.Lock()
				done++
				progress(done, len(users))
				mu.Unlock()
			}
		})
	}
	for n := range users {
		select {
		case next <- n:
		case <-ctx.Done():
		}
	}
	close(next)
	workers.Wait()
	return context.Cause(ctx)
}

// readUser reads one user's keys. A user who is gone meanwhile has none.
func (p *Purge) readUser(ctx context.Context, j Judge, u *User, records map[string]Filed) error {
	found, err := p.Keys.Keys(ctx, u.Name)
	if errors.Is(err, ErrGone) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("listing the keys of %s: %w", u.Name, err)
	}
	u.Keys = found
	now := p.Now()
	if !slices.ContainsFunc(found, func(k Key) bool { return j.Matters(k, records[k.ID].Record, now) }) {
		return nil
	}
	full, err := p.Users.User(ctx, u.Name)
	if errors.Is(err, ErrGone) {
		u.Keys = nil
		return nil
	}
	if err != nil {
		return fmt.Errorf("reading the IAM user %s: %w", u.Name, err)
	}
	u.Tags = full.Tags
	return p.readUses(ctx, j, u, records)
}

// Sweep is what a look at the whole account came to.
type Sweep struct {
	Plan Plan
	// Work lists the keys that somebody is to attend to.
	Work []Ref
	// Hold is what waits for somebody's word; nil where nothing does.
	Hold *Hold
}

// Sweep reads the whole account, holds what would end by itself against the
// day's limit, all of it or none, and says which keys are to be attended to:
// those about which there is something to do, or to tell.
func (p *Purge) Sweep(ctx context.Context, progress func(done, total int)) (Sweep, error) {
	plan, err := p.Read(ctx, progress)
	if err != nil {
		return Sweep{}, err
	}
	if err := p.Budget.SetLimit(ctx, plan.Limit); err != nil {
		return Sweep{}, fmt.Errorf("noting how many keys may end: %w", err)
	}
	account, err := p.Account(ctx)
	if err != nil {
		return Sweep{}, err
	}
	s := Sweep{Plan: plan}
	ends := plan.Ends()
	if len(ends) > 0 {
		ids := make([]string, len(ends))
		for n, v := range ends {
			ids[n] = v.Key.ID
		}
		ok, err := p.Budget.Claim(ctx, ids, true, plan.At)
		if err != nil {
			return Sweep{}, fmt.Errorf("counting the keys that end: %w", err)
		}
		if !ok {
			h, err := p.Budget.PutHold(ctx, plan.hold())
			if err != nil {
				return Sweep{}, fmt.Errorf("noting what waits for somebody's word: %w", err)
			}
			s.Hold = &h
		}
	}
	s.Work = plan.work(account, s.Hold != nil)
	return s, nil
}

// work lists the keys to attend to: the oldest first, and at the end those that
// IAM does not list any more; not those of another account, of which it cannot
// say.
func (p Plan) work(account string, held bool) []Ref {
	var all []Ref
	listed := make(map[string]bool, len(p.Verdicts))
	for _, v := range p.Verdicts {
		listed[v.Key.ID] = true
		if held && v.counts() {
			continue // also where there is something to tell: whoever attends to it would end it
		}
		if v.Do != Nothing || p.records[v.Key.ID].restless() {
			all = append(all, Ref{v.Key.ID, v.User.Name})
		}
	}
	for _, id := range slices.Sorted(maps.Keys(p.records)) {
		f := p.records[id]
		if !listed[id] && f.Account == account && (!f.State(false).Ended || f.restless()) {
			all = append(all, Ref{id, f.User})
		}
	}
	return all
}

// untold says whether people have not been told yet what the record says would
// happen, or happened, to the key.
func (f Filed) untold() bool {
	return slices.ContainsFunc(f.History[min(f.Told.Version, f.Version()):], func(c Change) bool {
		return c.Verb != Begun && c.Verb != Ordered && c.Verb != Dropped
	})
}

// restless says whether there is something to record or to tell of the key.
func (f Filed) restless() bool {
	return f.Version() > 0 && (f.Told.Version < f.Version() || f.Told.Recorded < f.Version())
}

// Confirm lets a hold's keys end beyond the limit, by the word of somebody who
// may decide. won says that nobody had said so before.
func (p *Purge) Confirm(ctx context.Context, id string, by auth.Actor) (h Hold, won bool, err error) {
	may, err := p.MaySee(ctx, by.User)
	if err != nil {
		return Hold{}, false, err
	}
	if !may {
		return Hold{}, false, &auth.Refusal{Reason: auth.NoDecider}
	}
	return p.Budget.Allow(ctx, id, by.User, p.Now())
}
