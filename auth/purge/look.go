package purge

import (
	"context"
	"errors"
	"fmt"
)

// Look reads one key afresh: its user with tags, all of the user's keys, and
// the key's own use. It fails with ErrGone where there is no such key.
func (p *Purge) Look(ctx context.Context, ref Ref) (User, error) {
	u, err := p.lookAt(ctx, ref)
	if !errors.Is(err, ErrGone) {
		return u, err
	}
	// Whoever was renamed keeps their keys.
	_, name, unknown := p.Keys.LastUse(ctx, ref.ID)
	var denied *Denied // so IAM answers for a key that the account does not have
	switch {
	case unknown != nil && !errors.Is(unknown, ErrGone) && !errors.As(unknown, &denied):
		return User{}, fmt.Errorf("asking whose key %s is: %w", ref.ID, unknown)
	case unknown != nil, name == "", name == ref.User:
		return User{}, err
	}
	return p.lookAt(ctx, Ref{ref.ID, name})
}

func (p *Purge) lookAt(ctx context.Context, ref Ref) (User, error) {
	u, err := p.Users.User(ctx, ref.User)
	if err == nil {
		u.Keys, err = p.Keys.Keys(ctx, u.Name)
	}
	if err != nil {
		return User{}, fmt.Errorf("reading the IAM user %s: %w", ref.User, err)
	}
	for n, k := range u.Keys {
		if k.ID != ref.ID {
			continue
		}
		use, _, err := p.Keys.LastUse(ctx, k.ID)
		if err != nil {
			return User{}, fmt.Errorf("reading when %s was used last: %w", k.ID, err)
		}
		u.Keys[n].Used = &use
		return u, nil
	}
	return User{}, fmt.Errorf("%s of %s: %w", ref.ID, ref.User, ErrGone)
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

// readUses reads when those of the user's keys were used last that matter.
func (p *Purge) readUses(ctx context.Context, j Judge, u *User, records map[string]Filed) error {
	for n, k := range u.Keys {
		if !j.Matters(k, records[k.ID].Record, p.Now()) {
			continue
		}
		use, _, err := p.Keys.LastUse(ctx, k.ID)
		if errors.Is(err, ErrGone) {
			continue
		}
		if err != nil {
			return fmt.Errorf("reading when %s was used last: %w", k.ID, err)
		}
		u.Keys[n].Used = &use
	}
	return nil
}
