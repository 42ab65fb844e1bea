package purge_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"sekisho/auth"
	"sekisho/auth/purge"
	"sekisho/auth/purge/purgetest"
)

const (
	day = 24 * time.Hour

	key1 = "AKIATEST000000000001"
	key2 = "AKIATEST000000000002"
	key3 = "AKIATEST000000000003"
	own  = "AKIATEST000000000BOT"

	hanaID = "AIDATESThana" // of the IAM user hana

	hana  = "U0HANA"  // owns the IAM user hana
	ben   = "U0BEN"   // decides
	chiyo = "U0CHIYO" // decides
	dan   = "U0DAN"   // decides nothing
	guest = "U0GUEST" // named as one who decides, and a guest
	team  = "S0SECURITY"
)

var t0 = purgetest.T0

// world is an account with a purge that looks after it, and a clock that only
// a test moves. Its days are counted from t0.
type world struct {
	t      tb
	mu     sync.Mutex
	time   time.Time
	iam    *account
	store  purge.Store
	budget purge.Budget
	slack  *directory
	policy *auth.Policy
	self   purge.Self
	purge  *purge.Purge
	warned []error // what the purge could get around
	clicks int
}

// tb is what a test and a property's test have in common.
type tb interface {
	Helper()
	Errorf(string, ...any)
	Fatalf(string, ...any)
	Context() context.Context
}

// newWorld enforces the default policy, with a limit that is not reached.
func newWorld(t tb) *world {
	w := &world{t: t, time: t0, slack: newDirectory()}
	w.iam = newAccount(w.now)
	memory := purgetest.NewMemory()
	w.store, w.budget = memory, memory
	w.self = purge.Self{Account: "111122223333", UserID: "AIDATESTsekisho", KeyID: own}
	policy, keys := auth.Defaults(), auth.DefaultKeys()
	keys.Mode, keys.Cap = auth.Enforce, auth.KeyCap{Keys: 100, Share: 100}
	keys.Decide = []string{team, hana, guest}
	policy.Keys = &keys
	policy.People.Principals = map[string][]auth.Principal{hana: {"user/hana"}}
	w.policy = &policy
	w.restart()
	return w
}

// restart puts another process in the place of the purge.
func (w *world) restart() { w.purge = w.another() }

func (w *world) another() *purge.Purge {
	return &purge.Purge{
		Policy: w.policy, Users: w.iam, Keys: w.iam, Ender: w.iam, Finder: w.iam,
		Store: w.store, Budget: w.budget, Directory: w.slack, Now: w.now,
		WhoAmI: func(context.Context) (purge.Self, error) { return w.self, nil },
		Warn:   func(_ context.Context, err error) { w.warned = append(w.warned, err) },
	}
}

func (w *world) now() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.time
}

func (w *world) wait(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.time = w.time.Add(d)
}

// dawn is when a day begins.
func dawn(n int) time.Time { return t0.Add(time.Duration(n) * day) }

// goTo sweeps once a day until this one, which is swept, too.
func (w *world) goTo(n int) {
	w.t.Helper()
	for next := w.now().Add(day); !next.After(dawn(n)); next = next.Add(day) {
		w.wait(day)
		w.sweep()
	}
}

// jumpTo leaves the days before this one out: nobody sweeps.
func (w *world) jumpTo(n int) {
	w.t.Helper()
	w.wait(dawn(n).Sub(w.now()))
	w.sweep()
}

// sweep looks at the whole account, and after each key that there is work for.
func (w *world) sweep() purge.Sweep {
	w.t.Helper()
	s, err := w.purge.Sweep(w.t.Context(), func(int, int) {})
	if err != nil {
		w.t.Fatalf("the sweep: %v", err)
	}
	for _, ref := range s.Work {
		if _, err := w.lookAfter(ref); err != nil {
			w.t.Fatalf("looking after %s: %v", ref.ID, err)
		}
	}
	return s
}

// lookAfter does as in life: what came of a key is told, and what waited for
// that is done, and told.
func (w *world) lookAfter(ref purge.Ref) (purge.Attended, error) {
	w.t.Helper()
	a, err := w.purge.Attend(w.t.Context(), ref, nil)
	w.tell(ref.ID)
	if a.Untold && err == nil {
		a, err = w.purge.Attend(w.t.Context(), ref, nil)
		w.tell(ref.ID)
	}
	return a, err
}

// attendUntold looks after a key, and people hear nothing of it.
func (w *world) attendUntold(id, user string) purge.Attended {
	w.t.Helper()
	a, err := w.purge.Attend(w.t.Context(), purge.Ref{ID: id, User: user}, nil)
	if err != nil {
		w.t.Fatalf("looking after %s: %v", id, err)
	}
	return a
}

// attend looks after one key, as an event makes it.
func (w *world) attend(id, user string) purge.Attended {
	w.t.Helper()
	a, err := w.lookAfter(purge.Ref{ID: id, User: user})
	if err != nil {
		w.t.Fatalf("looking after %s: %v", id, err)
	}
	return a
}

func (w *world) record(id string) purge.Record {
	w.t.Helper()
	f, err := w.store.Record(w.t.Context(), id)
	if err != nil {
		w.t.Fatalf("reading the record of %s: %v", id, err)
	}
	return f.Record
}

// tell notes that people know what a record says.
func (w *world) tell(id string) {
	w.t.Helper()
	n := w.record(id).Version()
	if _, err := w.store.PutTold(w.t.Context(), id, auth.Told{Version: n, Recorded: n}); err != nil {
		w.t.Fatalf("noting what was told of %s: %v", id, err)
	}
}

// write adds to the record of hana's key, whatever it may say.
func (w *world) write(history ...purge.Change) {
	w.t.Helper()
	for _, c := range history {
		r := w.record(key1)
		if r.Version() == 0 {
			r = purge.Record{ID: key1, User: "hana", UserID: hanaID, Account: w.self.Account, Created: t0}
		}
		if _, changed, err := w.store.Change(w.t.Context(), r.With(c)); !changed || err != nil {
			w.t.Fatalf("writing %+v: %v, %v", c, changed, err)
		}
	}
}

// history is what became of a key, a line for each change: "76 warned until 90",
// in days.
func (w *world) history(id string) []string {
	w.t.Helper()
	var all []string
	for _, c := range w.record(id).History {
		line := fmt.Sprint(days(c.At.Sub(t0)), " ", c.Verb)
		switch c.Verb {
		case purge.Ordered, purge.Begun, purge.Dropped, purge.Would:
			line += " " + string(c.Do)
		}
		if !c.Until.IsZero() {
			line += " until " + days(c.Until.Sub(t0))
		}
		if c.Observed {
			line += ", observed"
		}
		all = append(all, line)
	}
	return all
}

func days(d time.Duration) string { return fmt.Sprint(float64(d) / float64(day)) }

// wantHistory compares the history but for what is about to be done.
func (w *world) wantHistory(id string, want ...string) {
	w.t.Helper()
	got := slices.DeleteFunc(w.history(id), func(line string) bool { return strings.Contains(line, " begun ") })
	if !slices.Equal(got, want) {
		w.t.Errorf("%s has this history:\n  %s\nwant\n  %s", id, strings.Join(got, "\n  "), strings.Join(want, "\n  "))
	}
}

// wantDid claims what was changed in IAM since the last time, in order.
func (w *world) wantDid(want ...string) {
	w.t.Helper()
	if got := w.iam.changes(); !slices.Equal(got, want) {
		w.t.Errorf("on day %s, what changed in IAM: %q; want %q", days(w.now().Sub(t0)), got, want)
	}
}

// click is one more thing that somebody does in Slack.
func (w *world) click(user string) auth.Actor {
	w.clicks++
	return auth.Actor{User: user, Door: "socket", Source: fmt.Sprint("click-", w.clicks)}
}

// keep, exempt and order must go well.
func (w *world) keep(id, user string) {
	w.t.Helper()
	if _, err := w.purge.Keep(w.t.Context(), id, w.click(user), "the release is on Friday"); err != nil {
		w.t.Fatalf("%s keeps %s: %v", user, id, err)
	}
}

func (w *world) exempt(id, user string, until time.Time) {
	w.t.Helper()
	if _, err := w.purge.Exempt(w.t.Context(), id, w.click(user), until, "a supplier moves in autumn"); err != nil {
		w.t.Fatalf("%s exempts %s: %v", user, id, err)
	}
}

func (w *world) order(id, user string, do purge.Do) {
	w.t.Helper()
	if _, err := w.purge.Order(w.t.Context(), id, w.click(user), do); err != nil {
		w.t.Fatalf("%s orders: %s %s: %v", user, do, id, err)
	}
}

// active and inactive are keys that were made so many days before t0.
func active(id string, age int) purge.Key {
	return purge.Key{ID: id, Active: true, Created: dawn(-age)}
}

func inactive(id string, age int) purge.Key { return purge.Key{ID: id, Created: dawn(-age)} }

func wantRefusal(t tb, err error, why auth.Reason) {
	t.Helper()
	if !refusedFor(err, why) {
		t.Errorf("error %v; want a refusal: %s", err, why)
	}
}

func refusedFor(err error, why auth.Reason) bool {
	var r *auth.Refusal
	return errors.As(err, &r) && r.Reason == why
}

// directory knows who is there.
type directory struct {
	people map[string]auth.Person
	groups map[string][]string
	err    error
}

func newDirectory() *directory {
	d := &directory{people: make(map[string]auth.Person), groups: map[string][]string{team: {ben, chiyo}}}
	for _, user := range []string{hana, ben, chiyo, dan, guest} {
		d.people[user] = auth.Person{ID: user, Guest: user == guest}
	}
	return d
}

func (d *directory) Person(_ context.Context, user string) (auth.Person, error) {
	p, ok := d.people[user]
	if !ok && d.err == nil {
		return p, auth.ErrNobody
	}
	return p, d.err
}

func (d *directory) Members(_ context.Context, id string) ([]string, error) {
	return d.groups[id], d.err
}

var _ tb = (*testing.T)(nil)

var errBusy = errors.New("IAM is busy")
