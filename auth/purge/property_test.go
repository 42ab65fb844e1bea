package purge_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"sekisho/auth"
	"sekisho/auth/purge"
)

// TestKeysInAnyOrder plays random years of an account: sweeps and events that
// crash anywhere, clicks, other people's hands, readings that lag behind, and a
// policy that changes. However it goes, a key that the bot deactivates or
// deletes
//
//   - is not the bot's own, not exempt, and it is not observe mode;
//   - was inactive, by what was written down, for the whole grace, and IAM shows
//     it so, if it is deleted;
//
// and where nobody ordered it, the key
//
//   - is older than max_age, or unused for as long as the unused rule says;
//   - is past the date that people were told, and the one until which it was spared;
//   - is one of which people were told long enough before, where the policy is gentle,
//     and everything that its record says;
//   - was counted against the limit within a day before, or let go on by somebody.
//
// And in the end every key ends: nothing that happened leaves one behind.
func TestKeysInAnyOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := newLand(t)
		t.Repeat(map[string]func(*rapid.T){
			"a while":          l.pass,
			"a while, 2":       l.pass,
			"a sweep":          l.look,
			"a sweep, 2":       l.look,
			"a sweep, 3":       l.look,
			"an event":         l.event,
			"a click":          l.clickOn,
			"a word on a hold": l.confirm,
			"a hand":           l.meddle,
			"another policy":   l.legislate,
			"IAM lags behind":  l.lag,
		})
		l.finish()
	})
}

// land is an account whose keys' ends are watched.
type land struct {
	*world
	ids    []string
	lead   time.Duration
	holds  []string
	stale  time.Time // until then IAM may show what was
	people []string
}

func newLand(t *rapid.T) *land {
	l := &land{world: newWorld(t), people: []string{"hana", "ben", "ci", "sekisho"}}
	l.budget = &counted{Budget: l.budget, t: t, at: make(map[string]time.Time), free: make(map[string]time.Time)}
	k := l.policy.Keys
	k.FirstRun = rapid.SampledFrom([]auth.FirstRun{auth.Gentle, auth.Gentle, auth.AtOnce}).Draw(t, "first run")
	k.Warn = rapid.SampledFrom([][]time.Duration{{14 * day, 7 * day, day}, {5 * day}, {30 * day, day}}).Draw(t, "warn")
	k.OwnerTag = "owner"
	l.lead = k.Lead()
	for _, name := range l.people {
		l.iam.add(name)
		l.newKey(t, name)
	}
	l.newKey(t, "ci")
	l.self.KeyID = l.ids[len(l.ids)-1] // ci's second
	l.restart()
	l.iam.ending = func(do purge.Do, u purge.User, k purge.Key) {
		h := l.record(k.ID).History
		if n := len(h) - 1; n < 0 || h[n].Verb != purge.Begun || h[n].Do != do {
			t.Fatalf("%s of %s: it was not written down before: %q", do, k.ID, l.history(k.ID))
		}
		l.mayEnd(do, u, k)
		if shown, late := l.iam.shown[u.Name]; do == purge.Delete &&
			(k.Active || late && at(shown, k.ID) >= 0 && shown.Keys[at(shown, k.ID)].Active) {
			t.Fatalf("%s is active, or shown so: %q", k.ID, l.history(k.ID))
		}
		if n, told := l.unheardOf(k.ID); pendingBy(h) == "" && n > told {
			t.Fatalf("%s of %s: people know %d changes of %q", do, k.ID, told, l.history(k.ID))
		}
		if at, ok := l.budget.(*counted).within(k.ID, l.now()); pendingBy(h) == "" && !ok {
			t.Fatalf("%s of %s was counted at %v", do, k.ID, at)
		}
	}
	return l
}

// unheardOf counts the changes up to the last that is news, and those that people
// know.
func (l *land) unheardOf(id string) (news, told int) {
	f, err := l.store.Record(l.t.Context(), id)
	if err != nil {
		l.t.Fatalf("reading the record of %s: %v", id, err)
	}
	for n, c := range f.History {
		switch c.Verb {
		case purge.Ordered, purge.Begun, purge.Dropped:
		default:
			news = n + 1
		}
	}
	return news, f.Told.Version
}

// mayEnd holds what is about to happen against what was promised.
func (l *land) mayEnd(do purge.Do, u purge.User, k purge.Key) {
	l.t.Helper()
	policy, now, h := l.policy.Keys, l.now(), l.record(k.ID).History
	wrong := func(why string, args ...any) {
		l.t.Helper()
		l.t.Fatalf("day %s: %s of %s: %s; %q", days(now.Sub(t0)), do, k.ID, fmt.Sprintf(why, args...), l.history(k.ID))
	}
	switch {
	case policy.Mode != auth.Enforce:
		wrong("the policy observes")
	case k.ID == l.self.KeyID || u.ID == l.self.UserID:
		wrong("it is the bot's own")
	case slices.ContainsFunc(policy.Exempt, func(e auth.KeyExemption) bool { return e.Covers(u.Name, u.Path, u.Tags) }):
		wrong("it is exempt")
	}
	used := l.iam.uses[k.ID].At
	if do == purge.Delete {
		off, since := turned(h)
		switch {
		case !off:
			wrong("it is active")
		case now.Before(since.Add(policy.Grace)) || now.Before(used.Add(policy.Grace)):
			wrong("it is inactive since %v, used %v", since, used)
		}
	}
	if pendingBy(h) != "" {
		return
	}
	idle := used
	if k.Created.After(idle) {
		idle = k.Created
	}
	if now.Before(k.Created.Add(policy.MaxAge)) && (policy.Unused == 0 || now.Before(idle.Add(policy.Unused))) {
		wrong("it is %s old, unused for %s", days(now.Sub(k.Created)), days(now.Sub(idle)))
	}
	told, spared, enough := l.told(h)
	if now.Before(told) || now.Before(spared) {
		wrong("not before %v was told, and it is spared until %v", told, spared)
	}
	if do == purge.Deactivate && policy.FirstRun == auth.Gentle && !enough {
		wrong("nobody was told in time")
	}
}

// told reads what people were told: until when nothing happens, until when it
// is spared, and whether a whole warning lies behind them. A sweep may miss a
// day or two; who undoes a deactivation is told that it comes again in a week.
func (l *land) told(h []purge.Change) (until, spared time.Time, enough bool) {
	for _, c := range h {
		switch {
		case c.Observed, c.Verb == purge.Released:
			until, enough = time.Time{}, false
		case c.Verb == purge.Warned:
			until = c.Until
			whole := c.Until.Sub(c.At) >= l.lead-min(48*time.Hour, l.lead/2)
			enough = enough || whole && !l.now().Before(c.Until)
		case c.Verb == purge.Kept, c.Verb == purge.Exempted:
			spared = c.Until
		case c.Verb == purge.Deactivated:
			until, spared, enough = c.Until, time.Time{}, false
		case c.Verb == purge.FoundOff:
			until, enough = c.Until, false
		case c.Verb == purge.Reactivated, c.Verb == purge.FoundOn:
			until, spared, enough = c.Until, time.Time{}, true
		}
	}
	return until, spared, enough
}

// turned says whether the record knows the key as inactive, and since when.
func turned(h []purge.Change) (off bool, since time.Time) {
	for _, c := range h {
		switch {
		case c.Observed:
		case c.Verb == purge.Deactivated, c.Verb == purge.FoundOff:
			off, since = true, c.At
		case c.Verb == purge.Reactivated, c.Verb == purge.FoundOn:
			off, since = false, c.At
		}
	}
	return off, since
}

// pendingBy is who ordered what is about to be done; empty where nobody did.
func pendingBy(h []purge.Change) string {
	if n := len(h) - 1; n >= 0 && (h[n].Verb == purge.Begun || h[n].Verb == purge.Ordered) {
		return h[n].By
	}
	return ""
}

// counted is a budget whose word is held against its limit.
type counted struct {
	purge.Budget
	t     *rapid.T
	limit int
	at    map[string]time.Time // when a key was counted
	free  map[string]time.Time // when somebody let it go on
}

func (c *counted) within(id string, now time.Time) (time.Time, bool) {
	for _, m := range []map[string]time.Time{c.at, c.free} {
		if at, ok := m[id]; ok && now.Sub(at) < day {
			return at, true
		}
	}
	return c.at[id], false
}

func (c *counted) SetLimit(ctx context.Context, limit int) error {
	c.limit = limit
	return c.Budget.SetLimit(ctx, limit)
}

func (c *counted) Claim(ctx context.Context, ids []string, whole bool, now time.Time) (bool, error) {
	ok, err := c.Budget.Claim(ctx, ids, whole, now)
	more := 0
	for _, id := range ids {
		if _, known := c.within(id, now); ok && !known {
			c.at[id] = now
			more++
		}
	}
	n := 0
	for _, at := range c.at {
		if now.Sub(at) < day {
			n++
		}
	}
	if more > 0 && n > max(1, c.limit) {
		c.t.Fatalf("%d keys end within a day; the limit is %d", n, c.limit)
	}
	return ok, err
}

func (c *counted) Allow(ctx context.Context, id, user string, now time.Time) (purge.Hold, bool, error) {
	h, won, err := c.Budget.Allow(ctx, id, user, now)
	for _, k := range h.Keys {
		if won {
			c.free[k.ID] = now
		}
	}
	return h, won, err
}

func (l *land) newKey(t *rapid.T, user string) {
	id := fmt.Sprintf("AKIATESTLAND%08d", len(l.ids))
	age := rapid.SampledFrom([]int{0, 20, 60, 75, 89, 120, 400}).Draw(t, "age")
	k := active(id, age)
	k.Created, k.Active = l.now().Add(-time.Duration(age)*day), rapid.IntRange(0, 4).Draw(t, "inactive") > 0
	l.iam.alter(user, func(u *purge.User) { u.Keys = append(u.Keys, k) })
	l.ids = append(l.ids, id)
}

func (l *land) pass(t *rapid.T) {
	l.wait(rapid.SampledFrom([]time.Duration{
		time.Second, lease, 11 * time.Minute, time.Hour, day, day, day, 3 * day, 8 * day, 20 * day,
	}).Draw(t, "a while"))
	if !l.now().Before(l.stale) {
		l.iam.forget()
	}
}

// look sweeps, and looks after some of the keys that there is work for.
func (l *land) look(t *rapid.T) {
	s, err := l.purge.Sweep(t.Context(), func(int, int) {})
	if err != nil {
		t.Fatalf("sweeping: %v", err)
	}
	if s.Hold != nil {
		l.holds = append(l.holds, s.Hold.ID)
	}
	for _, v := range s.Plan.Ends() {
		if !slices.ContainsFunc(s.Work, func(ref purge.Ref) bool { return ref.ID == v.Key.ID }) {
			continue
		}
		l.mayEnd(v.Do, v.User, v.Key)
		if _, ok := l.budget.(*counted).within(v.Key.ID, l.now()); !ok || s.Hold != nil {
			t.Fatalf("%s is to end: counted or let go on: %v; held: %+v", v.Key.ID, ok, s.Hold)
		}
	}
	for _, ref := range s.Work {
		if rapid.IntRange(0, 9).Draw(t, "it is not lost") > 0 {
			l.lookAfter(t, ref)
		}
	}
}

// lookAfter lets a process look after a key that may end anywhere, and people may
// hear of it.
func (l *land) lookAfter(t *rapid.T, ref purge.Ref) {
	left := rapid.SampledFrom([]int{-1, -1, -1, 1, 2, 3, 4, 5}).Draw(t, "effects")
	f := &fuse{left: left, lost: rapid.Bool().Draw(t, "answer lost")}
	_, err := l.doomed(f).Attend(t.Context(), ref, nil)
	if err != nil && !errors.Is(err, errCrash) && !errors.Is(err, purge.ErrHeld) {
		t.Fatalf("looking after %s: %v", ref.ID, err)
	}
	if rapid.IntRange(0, 4).Draw(t, "it is told") > 0 {
		l.tell(ref.ID)
	}
}

func (l *land) event(t *rapid.T) {
	id := rapid.SampledFrom(l.ids).Draw(t, "key")
	u, ok := l.iam.owner(id)
	if !ok {
		u.Name = "hana"
	}
	l.lookAfter(t, purge.Ref{ID: id, User: u.Name})
}

func (l *land) clickOn(t *rapid.T) {
	id := rapid.SampledFrom(l.ids).Draw(t, "key")
	by := l.click(rapid.SampledFrom([]string{ben, chiyo, dan}).Draw(t, "by"))
	var err error
	switch rapid.SampledFrom([]string{"keep", "exempt", "deactivate", "undo"}).Draw(t, "click") {
	case "keep":
		_, err = l.purge.Keep(t.Context(), id, by, "")
	case "exempt":
		until := l.now().Add(rapid.SampledFrom([]time.Duration{time.Hour, 3 * day, 40 * day, 300 * day}).Draw(t, "until"))
		_, err = l.purge.Exempt(t.Context(), id, by, until, "")
	case "deactivate":
		_, err = l.purge.Order(t.Context(), id, by, purge.Deactivate)
	case "undo":
		_, err = l.purge.Order(t.Context(), id, by, purge.Reactivate)
	}
	var refused *auth.Refusal
	if err != nil && !errors.As(err, &refused) {
		t.Fatalf("a click: %v", err)
	}
}

func (l *land) confirm(t *rapid.T) {
	if len(l.holds) == 0 {
		t.Skip("nothing is held")
	}
	_, _, err := l.purge.Confirm(t.Context(), rapid.SampledFrom(l.holds).Draw(t, "hold"), l.click(ben))
	if err != nil && !refusedFor(err, auth.TooLate) {
		t.Fatalf("a word: %v", err)
	}
}

// meddle is what others do to keys and users.
func (l *land) meddle(t *rapid.T) {
	id := rapid.SampledFrom(l.ids).Draw(t, "key")
	u, ok := l.iam.owner(id)
	if !ok {
		t.Skip("it is gone")
	}
	l.iam.forget()
	ways := []string{"use", "use", "turn on", "turn off", "remove", "rename", "tag", "a key"}
	switch rapid.SampledFrom(ways).Draw(t, "how") {
	case "use":
		if l.iam.is(id) == "active" {
			l.iam.use(id)
		}
	case "turn on":
		l.iam.turn(id, true)
	case "turn off":
		l.iam.turn(id, false)
	case "remove":
		l.iam.remove(id)
	case "rename":
		l.iam.alter(u.Name, func(u *purge.User) { u.Name += "'" })
	case "tag":
		l.iam.alter(u.Name, func(u *purge.User) {
			if _, tagged := u.Tags["keep"]; tagged {
				delete(u.Tags, "keep")
				return
			}
			u.Tags["keep"] = "yes"
		})
	case "a key":
		if len(u.Keys) < 2 {
			l.newKey(t, u.Name)
		}
	}
}

func (l *land) legislate(t *rapid.T) {
	k := l.policy.Keys
	switch rapid.SampledFrom([]string{"mode", "mode", "max_age", "grace", "unused", "cap", "exempt"}).Draw(t, "what") {
	case "mode":
		k.Mode = rapid.SampledFrom([]auth.Mode{auth.Observe, auth.Enforce, auth.Enforce}).Draw(t, "mode")
	case "max_age":
		k.MaxAge = rapid.SampledFrom([]time.Duration{40 * day, 90 * day, 365 * day}).Draw(t, "max_age")
	case "grace":
		k.Grace = rapid.SampledFrom([]time.Duration{0, day, 10 * day, 30 * day}).Draw(t, "grace")
	case "unused":
		k.Unused = rapid.SampledFrom([]time.Duration{0, 35 * day, 60 * day}).Draw(t, "unused")
	case "cap":
		k.Cap.Keys = rapid.SampledFrom([]int{1, 2, 100}).Draw(t, "cap")
	case "exempt":
		k.Exempt = rapid.SampledFrom([][]auth.KeyExemption{
			nil, {{User: "ha*"}}, {{TagKey: "keep", TagValue: "*"}},
		}).Draw(t, "exempt")
	}
}

// lag has IAM show a user's keys as they are now for some minutes.
func (l *land) lag(t *rapid.T) {
	u, ok := l.iam.owner(rapid.SampledFrom(l.ids).Draw(t, "key"))
	if !ok {
		t.Skip("it is gone")
	}
	l.iam.show(u.Name)
	l.stale = l.now().Add(9 * time.Minute)
}

// finish lets the dust settle, and two months of sweeps go well.
func (l *land) finish() {
	k := l.policy.Keys
	k.Mode, k.MaxAge, k.Grace, k.Unused, k.Exempt = auth.Enforce, 90*day, 10*day, 0, nil
	k.Cap.Keys = 100
	l.iam.forget()
	l.wait(purge.Longest + 400*day)
	for range 60 {
		l.wait(day)
		l.sweep()
	}
	for _, id := range l.ids {
		if u, there := l.iam.owner(id); there && id != l.self.KeyID && u.ID != l.self.UserID {
			l.t.Fatalf("%s is still %s: %q", id, l.iam.is(id), l.history(id))
		}
	}
}
