package purge

import (
	"context"
	"errors"
	"fmt"
	"slices"
)

// Look reads one key afresh: its user with tags, all of the user's keys, and
// the key's own use. A user who was renamed is found by the id, where that is
// known. It fails with ErrGone where there is no such key.
func (p *Purge) Look(ctx context.Context, ref Ref, userID string) (User, error) {
	u, err := p.Users.User(ctx, ref.User)
	if userID != "" && (errors.Is(err, ErrGone) || err == nil && u.ID != userID) {
		u, err = p.search(ctx, userID)
	}
	if err == nil {
		u.Keys, err = p.Keys.Keys(ctx, u.Name)
	}
	if err != nil {
		return User{}, fmt.Errorf("reading the IAM user %s: %w", ref.User, err)
	}
	for n, k := range u.Keys {
		if k.ID == ref.ID {
			u.Keys[n].Used, err = p.lastUse(ctx, u.Name, k.ID)
			return u, err
		}
	}
	return User{}, fmt.Errorf("%s of %s: %w", ref.ID, ref.User, ErrGone)
}

// lastUse reads when a key was used last. IAM may answer that the bot is denied
// this for a key that was deleted a moment ago (inferred), so the list of the
// user's keys has the last word.
func (p *Purge) lastUse(ctx context.Context, user, id string) (*Use, error) {
	use, _, err := p.Keys.LastUse(ctx, id)
	var denied *Denied
	if errors.As(err, &denied) {
		keys, listed := p.Keys.Keys(ctx, user)
		if listed == nil && !slices.ContainsFunc(keys, func(k Key) bool { return k.ID == id }) {
			err = ErrGone
		}
	}
	if err != nil {
		return nil, fmt.Errorf("reading when %s of %s was used last: %w", id, user, err)
	}
	return &use, nil
}

// Find reads the user whom AWS Config speaks of, by a user's id or by that of a
// key, with tags, keys and the use of those keys that matter. Config's name for
// a user may be out of date, and IAM's word counts. It fails with ErrGone where
// there is no such user.
func (p *Purge) Find(ctx context.Context, region, id string) (User, error) {
	u, err := p.find(ctx, region, id)
	if err != nil {
		return User{}, err
	}
	if u.Keys, err = p.Keys.Keys(ctx, u.Name); err != nil {
		return User{}, fmt.Errorf("listing the keys of %s: %w", u.Name, err)
	}
	j, err := p.judge(ctx)
	if err != nil {
		return User{}, err
	}
	return u, p.readUses(ctx, j, &u, nil)
}

func (p *Purge) find(ctx context.Context, region, id string) (User, error) {
	if IsKeyID(id) {
		_, name, err := p.Keys.LastUse(ctx, id)
		var denied *Denied
		if errors.As(err, &denied) { // so IAM may answer for a key that it does not have: no word of a missing permission
			p.Warn(ctx, fmt.Errorf("asking whose key %s is: %v", id, err))
			err = ErrGone
		}
		if err != nil {
			return User{}, fmt.Errorf("asking whose key %s is: %w", id, err)
		}
		return p.Users.User(ctx, name)
	}
	name, err := p.Finder.Named(ctx, region, id)
	if err != nil {
		p.Warn(ctx, fmt.Errorf("asking AWS Config in %s for the name of %s: %w", region, id, err))
	}
	if name != "" {
		u, err := p.Users.User(ctx, name)
		if err == nil && u.ID == id || err != nil && !errors.Is(err, ErrGone) {
			return u, err
		}
	}
	return p.search(ctx, id)
}

// search goes through all users: Config does not know every one in every
// Region.
func (p *Purge) search(ctx context.Context, id string) (User, error) {
	var name string
	err := p.Users.Users(ctx, func(u User) {
		if u.ID == id {
			name = u.Name
		}
	})
	if err != nil {
		return User{}, fmt.Errorf("looking for the user %s: %w", id, err)
	}
	if name == "" {
		return User{}, fmt.Errorf("the user %s: %w", id, ErrGone)
	}
	return p.Users.User(ctx, name)
}

// readUses reads when those of the user's keys were used last that matter. A key
// that is gone meanwhile stays unread: whoever acts looks again.
func (p *Purge) readUses(ctx context.Context, j Judge, u *User, records map[string]Filed) error {
	for n, k := range u.Keys {
		if !j.Matters(k, records[k.ID].Record, p.Now()) {
			continue
		}
		use, err := p.lastUse(ctx, u.Name, k.ID)
		if err != nil && !errors.Is(err, ErrGone) {
			return err
		}
		u.Keys[n].Used = use
	}
	return nil
}
