package purge_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"sekisho/auth/purge"
)

// account is an IAM account as the bot meets it: it refuses a call that names
// no user or another key's, and may show for a while what is no longer so. It
// is the Finder, too.
type account struct {
	now func() time.Time

	mu    sync.Mutex
	users map[string]purge.User // the truth, by name
	uses  map[string]purge.Use  // by key
	shown map[string]purge.User // for readings by this name, in the place of the truth
	calls []string              // "Keys hana", "Deactivate hana AKIA…", …
	did   []string              // those that changed something: "deactivate AKIA…"

	config    map[string]string // AWS Config's names, by user id
	configErr error

	// before may refuse a call; it runs outside of the lock.
	before func(call string) error
	// ending sees a call that ends a key before it does.
	ending func(do purge.Do, u purge.User, k purge.Key)
}

func newAccount(now func() time.Time) *account {
	return &account{
		now: now, users: make(map[string]purge.User), uses: make(map[string]purge.Use),
		shown: make(map[string]purge.User), config: make(map[string]string),
		before: func(string) error { return nil },
		ending: func(purge.Do, purge.User, purge.Key) {},
	}
}

// add puts a user, whose id follows from the name, with keys into the account.
func (a *account) add(name string, keys ...purge.Key) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.users[name] = purge.User{Name: name, ID: "AIDATEST" + name, Path: "/", Tags: make(map[string]string), Keys: keys}
}

// alter changes a user as somebody else than the bot does.
func (a *account) alter(name string, how func(*purge.User)) {
	a.mu.Lock()
	defer a.mu.Unlock()
	u := clone(a.users[name])
	delete(a.users, name)
	how(&u)
	a.users[u.Name] = u
}

// turn makes a key active or inactive by somebody else's hand.
func (a *account) turn(id string, active bool) {
	u, _ := a.owner(id)
	a.alter(u.Name, func(u *purge.User) { u.Keys[at(*u, id)].Active = active })
}

// remove takes a key away by somebody else's hand.
func (a *account) remove(id string) {
	u, _ := a.owner(id)
	a.alter(u.Name, func(u *purge.User) { u.Keys = slices.Delete(u.Keys, at(*u, id), at(*u, id)+1) })
}

// use uses a key now.
func (a *account) use(id string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.uses[id] = purge.Use{At: a.now(), Service: "s3", Region: "eu-west-1"}
}

// show has a user shown from now on as they are now; forget ends that.
func (a *account) show(name string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.shown[name] = clone(a.users[name])
}

func (a *account) forget() {
	a.mu.Lock()
	defer a.mu.Unlock()
	clear(a.shown)
}

// owner finds whose a key is.
func (a *account) owner(id string) (purge.User, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.ownerLocked(id)
}

func (a *account) ownerLocked(id string) (purge.User, bool) {
	for _, u := range a.users {
		if at(u, id) >= 0 {
			return clone(u), true
		}
	}
	return purge.User{}, false
}

// is says how a key is: active, inactive or gone.
func (a *account) is(id string) string {
	u, ok := a.owner(id)
	switch {
	case !ok:
		return "gone"
	case u.Keys[at(u, id)].Active:
		return "active"
	}
	return "inactive"
}

// changes forgets and returns what changed since it was asked last.
func (a *account) changes() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	did := a.did
	a.did = nil
	return did
}

// asked forgets and returns the calls since it was asked last.
func (a *account) asked() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	calls := a.calls
	a.calls = nil
	return calls
}

// acts forgets the calls since it was asked last, and returns those that were to
// change something.
func (a *account) acts() []string {
	return slices.DeleteFunc(a.asked(), func(call string) bool {
		return !strings.Contains(call, "activate ") && !strings.HasPrefix(call, "delete ")
	})
}

// call notes a call, and takes the lock for it if it is let in.
func (a *account) call(ctx context.Context, words ...string) (unlock func(), err error) {
	call := strings.Join(words, " ")
	if err := cmp.Or(ctx.Err(), a.before(call)); err != nil {
		return nil, err
	}
	a.mu.Lock()
	a.calls = append(a.calls, call)
	return a.mu.Unlock, nil
}

func (a *account) Users(ctx context.Context, each func(purge.User)) error {
	unlock, err := a.call(ctx, "Users")
	if err != nil {
		return err
	}
	all := slices.SortedFunc(maps.Values(a.users), func(a, b purge.User) int { return cmp.Compare(a.Name, b.Name) })
	unlock()
	for _, u := range all {
		u.Tags, u.Keys = nil, nil
		each(u)
	}
	return nil
}

func (a *account) User(ctx context.Context, name string) (purge.User, error) {
	unlock, err := a.call(ctx, "User", name)
	if err != nil {
		return purge.User{}, err
	}
	defer unlock()
	u, err := a.read(name)
	u.Keys = nil
	return u, err
}

func (a *account) Keys(ctx context.Context, name string) ([]purge.Key, error) {
	unlock, err := a.call(ctx, "Keys", name)
	if err != nil {
		return nil, err
	}
	defer unlock()
	u, err := a.read(name)
	return u.Keys, err
}

func (a *account) read(name string) (purge.User, error) {
	if name == "" {
		return purge.User{}, errors.New("no user is named: IAM would take the bot itself")
	}
	if u, ok := a.shown[name]; ok {
		return clone(u), nil
	}
	u, ok := a.users[name]
	if !ok {
		return u, fmt.Errorf("the user %s: %w", name, purge.ErrGone)
	}
	return clone(u), nil
}

func (a *account) LastUse(ctx context.Context, id string) (purge.Use, string, error) {
	unlock, err := a.call(ctx, "LastUse", id)
	if err != nil {
		return purge.Use{}, "", err
	}
	defer unlock()
	u, ok := a.ownerLocked(id)
	if !ok {
		return purge.Use{}, "", fmt.Errorf("the key %s: %w", id, purge.ErrGone)
	}
	return a.uses[id], u.Name, nil
}

func (a *account) Deactivate(ctx context.Context, user, id string) error {
	return a.end(ctx, purge.Deactivate, user, id)
}

func (a *account) Reactivate(ctx context.Context, user, id string) error {
	return a.end(ctx, purge.Reactivate, user, id)
}

func (a *account) Delete(ctx context.Context, user, id string) error {
	return a.end(ctx, purge.Delete, user, id)
}

func (a *account) end(ctx context.Context, do purge.Do, user, id string) error {
	unlock, err := a.call(ctx, string(do), user, id)
	if err != nil {
		return err
	}
	defer unlock()
	if user == "" {
		return errors.New("no user is named: IAM would take the bot itself")
	}
	u, n := a.users[user], at(a.users[user], id)
	if n < 0 {
		return fmt.Errorf("%s of %s: %w", id, user, purge.ErrGone)
	}
	if do.Ends() {
		a.ending(do, clone(u), u.Keys[n])
	}
	was := u.Keys[n].Active
	switch do {
	case purge.Delete:
		u.Keys = slices.Delete(u.Keys, n, n+1)
		a.users[user] = u
	default:
		u.Keys[n].Active = do == purge.Reactivate
		if was == u.Keys[n].Active {
			return nil
		}
	}
	a.did = append(a.did, string(do)+" "+id)
	return nil
}

func (a *account) Named(ctx context.Context, region, id string) (string, error) {
	unlock, err := a.call(ctx, "Named", region, id)
	if err != nil {
		return "", err
	}
	defer unlock()
	return a.config[id], a.configErr
}

// at is where the user has the key; -1 if nowhere.
func at(u purge.User, id string) int {
	return slices.IndexFunc(u.Keys, func(k purge.Key) bool { return k.ID == id })
}

func clone(u purge.User) purge.User {
	u.Tags, u.Keys = maps.Clone(u.Tags), slices.Clone(u.Keys)
	return u
}
