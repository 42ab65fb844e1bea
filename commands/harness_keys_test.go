package commands_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"

	"sekisho/auth"
	"sekisho/auth/purge"
	"sekisho/commands"
	"sekisho/infra/redisstore"
)

const (
	keysChannel = "C0KEYS"
	account     = "111122223333"
	day         = 24 * time.Hour
	keyTask     = "Look after an access key"
	keysTask    = "List the access keys"
)

// keyOffice is an office that looks after access keys, with the real rules and
// store, and an IAM of its own. Ben and mai decide; hana's IAM user is hana.
type keyOffice struct {
	*office
	iam *iam
}

func newKeyOffice(t testing.TB) *keyOffice {
	t.Helper()
	o := &keyOffice{office: newOffice(t)}
	o.iam = newIAM(o.clock)
	o.keepKeys()
	return o
}

// beside is another process, on the same store and the same IAM.
func (o *keyOffice) beside() *keyOffice {
	o.t.Helper()
	b := &keyOffice{office: newOfficeOn(o.t, o.redis), iam: o.iam}
	b.clock, b.chat, b.queue = o.clock, o.chat, o.queue
	b.Now, b.Chat, b.Private, b.Queue = o.clock.Now, o.chat, o.chat, o.queue
	b.keepKeys()
	return b
}

func (o *keyOffice) keepKeys() {
	keys := auth.DefaultKeys()
	keys.Mode, keys.Decide = auth.Enforce, []string{ben, mai}
	o.Policy.Keys, o.Policy.Channels.Keys = &keys, keysChannel
	o.Policy.People.Principals = map[string][]auth.Principal{hana: {"user/hana"}}
	store := keyStore(o.t, o.redis)
	o.Firsts = store
	o.Purge = &purge.Purge{
		Policy: o.Policy, WhoAmI: o.iam.WhoAmI, Users: o.iam, Keys: o.iam, Ender: o.iam, Finder: o.iam,
		Store: store.Keys(), Budget: store.Keys(), Directory: o.people, Now: o.clock.Now, Warn: o.KeyWarning,
	}
}

func keyStore(t testing.TB, redis *miniredis.Miniredis) *redisstore.Store {
	t.Helper()
	client, err := redisstore.Dial("redis://" + redis.Addr())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close() })
	return redisstore.New(client)
}

// sweepKeys is the daily schedule, and what the workers then do.
func (o *keyOffice) sweepKeys() {
	o.t.Helper()
	if err := o.schedule(); err != nil {
		o.t.Fatal(err)
	}
	o.rush()
}

func (o *keyOffice) schedule() error {
	o.t.Helper()
	return o.run(commands.Event{ID: "test-schedule", Source: "sekisho.schedule", DetailType: "Keys", Detail: []byte("{}")})
}

// days lets some days pass, with the sweep of each.
func (o *keyOffice) days(n int) {
	o.t.Helper()
	for range n {
		o.later(day)
		o.sweepKeys()
	}
}

// warned is hana's key of 76 days, about which she and the channel were told
// just now.
func (o *keyOffice) warned() (id string, card said) {
	o.t.Helper()
	id = o.iam.add("hana", 76*day)[0]
	o.sweepKeys()
	card = o.chat.next(o.t, "post")
	o.chat.all()
	return id, card
}

// history is what has become of the key.
func (o *keyOffice) history(id string) (verbs []purge.Verb) {
	o.t.Helper()
	f, err := o.Purge.Store.Record(o.t.Context(), id)
	if err != nil {
		o.t.Fatal(err)
	}
	for _, c := range f.History {
		verbs = append(verbs, c.Verb)
	}
	return verbs
}

func (o *keyOffice) wantHistory(id string, want ...purge.Verb) {
	o.t.Helper()
	if got := o.history(id); !slices.Equal(got, want) {
		o.t.Errorf("what became of %s: %v, not %v", id, got, want)
	}
}

// attendKey runs a task about the key, as any worker might.
func (o *keyOffice) attendKey(id, user string) error {
	o.t.Helper()
	detail, _ := json.Marshal(map[string]string{"id": id, "user": user})
	return o.run(taskOf(keyTask, string(detail)))
}

func taskOf(kind, detail string) commands.Event {
	return commands.Event{ID: "test-task", Source: "sekisho.task", DetailType: kind, Detail: json.RawMessage(detail)}
}

// sekisho types `/sekisho text`.
func (o *keyOffice) sekisho(user, text string) commands.Message {
	o.t.Helper()
	r := o.request(user)
	r.Text = text
	return o.answer(commands.Commands()[1].Answers, r)
}

// iam is IAM, STS and AWS Config: it does what it is told at once, or fails as
// it is told.
type iam struct {
	mu    sync.Mutex
	clock *clock
	users map[string]*purge.User // by name
	used  map[string]purge.Use   // by key
	named map[string]string      // what Config says: id → name
	calls []string
	fail  map[string]error // by the call's name
	// during, when set, runs while the named call is on its way.
	during map[string]func()
}

func newIAM(c *clock) *iam {
	return &iam{
		clock: c, users: make(map[string]*purge.User), used: make(map[string]purge.Use), named: make(map[string]string),
		fail: make(map[string]error), during: make(map[string]func()),
	}
}

// add makes a user with active keys of these ages, never used.
func (i *iam) add(name string, ages ...time.Duration) (ids []string) {
	i.mu.Lock()
	defer i.mu.Unlock()
	u := &purge.User{Name: name, ID: "AIDATEST" + strings.ToUpper(name), Path: "/", Tags: make(map[string]string)}
	for n, age := range ages {
		k := purge.Key{ID: fmt.Sprintf("AKIATEST%s%d", strings.ToUpper(name), n+1), Active: true, Created: i.clock.Now().Add(-age)}
		u.Keys, ids = append(u.Keys, k), append(ids, k.ID)
	}
	i.users[name], i.named[u.ID] = u, name
	return ids
}

// change changes one user as somebody in the console would.
func (i *iam) change(name string, how func(*purge.User)) {
	i.mu.Lock()
	defer i.mu.Unlock()
	how(i.users[name])
}

// key finds a key, wherever it is.
func (i *iam) key(id string) (k purge.Key, there bool) {
	i.mu.Lock()
	defer i.mu.Unlock()
	for _, u := range i.users {
		for _, k := range u.Keys {
			if k.ID == id {
				return k, true
			}
		}
	}
	return k, false
}

// state is "active", "inactive" or "gone".
func (i *iam) state(id string) string {
	switch k, there := i.key(id); {
	case !there:
		return "gone"
	case k.Active:
		return "active"
	}
	return "inactive"
}

// call notes a call and says how it goes.
func (i *iam) call(name, about string) error {
	i.mu.Lock()
	i.calls = append(i.calls, name+" "+about)
	during, err := i.during[name], i.fail[name]
	i.mu.Unlock()
	if during != nil {
		during()
	}
	return err
}

// since are the calls made meanwhile.
func (i *iam) since(do func()) []string {
	i.mu.Lock()
	n := len(i.calls)
	i.mu.Unlock()
	do()
	i.mu.Lock()
	defer i.mu.Unlock()
	return slices.Clone(i.calls[n:])
}

// acts are the calls that change something.
func (i *iam) acts() (acts []string) {
	i.mu.Lock()
	defer i.mu.Unlock()
	for _, c := range i.calls {
		for _, verb := range []string{"Deactivate ", "Reactivate ", "Delete "} {
			if strings.HasPrefix(c, verb) {
				acts = append(acts, c)
			}
		}
	}
	return acts
}

func (i *iam) WhoAmI(context.Context) (purge.Self, error) {
	return purge.Self{Account: account, UserID: "AROATESTSEKISHO:bot", KeyID: "ASIATESTSEKISHO"}, i.call("WhoAmI", "")
}

func (i *iam) Users(_ context.Context, each func(purge.User)) error {
	if err := i.call("Users", ""); err != nil {
		return err
	}
	i.mu.Lock()
	var all []purge.User
	for _, u := range i.users {
		all = append(all, purge.User{Name: u.Name, ID: u.ID, Path: u.Path})
	}
	i.mu.Unlock()
	slices.SortFunc(all, func(a, b purge.User) int { return strings.Compare(a.Name, b.Name) })
	for _, u := range all {
		each(u)
	}
	return nil
}

// user finds one; IAM tells names apart without regard to case.
func (i *iam) user(name string) (*purge.User, error) {
	for n, u := range i.users {
		if strings.EqualFold(n, name) {
			return u, nil
		}
	}
	return nil, fmt.Errorf("%w: %s", purge.ErrGone, name)
}

func (i *iam) User(_ context.Context, name string) (purge.User, error) {
	if err := i.call("User", name); err != nil {
		return purge.User{}, err
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	u, err := i.user(name)
	if err != nil {
		return purge.User{}, err
	}
	return purge.User{Name: u.Name, ID: u.ID, Path: u.Path, Tags: u.Tags}, nil
}

func (i *iam) Keys(_ context.Context, name string) ([]purge.Key, error) {
	if err := i.call("Keys", name); err != nil {
		return nil, err
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	u, err := i.user(name)
	if err != nil {
		return nil, err
	}
	return slices.Clone(u.Keys), nil
}

func (i *iam) LastUse(_ context.Context, id string) (purge.Use, string, error) {
	if err := i.call("LastUse", id); err != nil {
		return purge.Use{}, "", err
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	for _, u := range i.users {
		if slices.ContainsFunc(u.Keys, func(k purge.Key) bool { return k.ID == id }) {
			return i.used[id], u.Name, nil
		}
	}
	return purge.Use{}, "", fmt.Errorf("%w: %s", purge.ErrGone, id)
}

// act changes a key of the user that is named; IAM would take its caller's own
// where none is.
func (i *iam) act(verb, user, id string, how func(u *purge.User, n int)) error {
	if err := i.call(verb, user+" "+id); err != nil {
		return err
	}
	if user == "" {
		return errors.New("no user is named")
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	u, err := i.user(user)
	if err != nil {
		return err
	}
	n := slices.IndexFunc(u.Keys, func(k purge.Key) bool { return k.ID == id })
	if n < 0 {
		return fmt.Errorf("%w: %s of %s", purge.ErrGone, id, user)
	}
	how(u, n)
	return nil
}

func (i *iam) Deactivate(_ context.Context, user, id string) error {
	return i.act("Deactivate", user, id, func(u *purge.User, n int) { u.Keys[n].Active = false })
}

func (i *iam) Reactivate(_ context.Context, user, id string) error {
	return i.act("Reactivate", user, id, func(u *purge.User, n int) { u.Keys[n].Active = true })
}

func (i *iam) Delete(_ context.Context, user, id string) error {
	return i.act("Delete", user, id, func(u *purge.User, n int) { u.Keys = slices.Delete(u.Keys, n, n+1) })
}

func (i *iam) Named(_ context.Context, region, id string) (string, error) {
	if err := i.call("Named", region+" "+id); err != nil {
		return "", err
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.named[id], nil
}

// asMessage is what was said as an answer is.
func asMessage(s said) commands.Message {
	return commands.Message{Text: s.text, Blocks: s.blocks}
}
