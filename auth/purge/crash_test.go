package purge_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"sekisho/auth"
	"sekisho/auth/purge"
)

// lease is a little more than a worker has for an act before another takes over.
const lease = time.Minute + time.Second

var errCrash = errors.New("the process is gone")

// fuse is a process that ends at its nth effect: before it, or after it and
// before the answer comes. Nothing that it does later has an effect.
type fuse struct {
	left  int // effects until then; negative: it never ends
	lost  bool
	blown bool
}

// effect does something that others see.
func (f *fuse) effect(do func() error) error {
	if f.left--; f.left == 0 {
		f.blown = true
		if f.lost {
			_ = do()
		}
	}
	if f.blown {
		return errCrash
	}
	return do()
}

// fused are the ways on which a process has an effect.
type fused struct {
	purge.Store
	purge.Budget
	purge.Ender
	*fuse
}

func (f fused) Change(ctx context.Context, r purge.Record) (now purge.Record, changed bool, err error) {
	err = f.effect(func() error { now, changed, err = f.Store.Change(ctx, r); return err })
	return now, changed, err
}

func (f fused) Claim(ctx context.Context, ids []string, whole bool, at time.Time) (ok bool, err error) {
	err = f.effect(func() error { ok, err = f.Budget.Claim(ctx, ids, whole, at); return err })
	return ok, err
}

func (f fused) Deactivate(ctx context.Context, user, id string) error {
	return f.effect(func() error { return f.Ender.Deactivate(ctx, user, id) })
}

func (f fused) Reactivate(ctx context.Context, user, id string) error {
	return f.effect(func() error { return f.Ender.Reactivate(ctx, user, id) })
}

func (f fused) Delete(ctx context.Context, user, id string) error {
	return f.effect(func() error { return f.Ender.Delete(ctx, user, id) })
}

// doomed is a process with a fuse.
func (w *world) doomed(f *fuse) *purge.Purge {
	p := w.another()
	all := fused{w.store, w.budget, w.iam, f}
	p.Store, p.Budget, p.Ender = all, all, all
	return p
}

// TestCrashAnywhere ends the process at every effect that looking after a key
// has, before it and after it: another process brings it to the same end, with
// each change in IAM made once and written down once.
func TestCrashAnywhere(t *testing.T) {
	for _, c := range []struct {
		name    string
		prepare func(*world)
		did     []string
		wrote   []purge.Verb
	}{
		{"a deactivation", func(w *world) { w.goTo(89); w.wait(day) },
			[]string{"deactivate " + key1}, []purge.Verb{purge.Deactivated}},
		{"a deletion", func(w *world) { w.goTo(99); w.wait(day) },
			[]string{"delete " + key1}, []purge.Verb{purge.Deleted}},
		{"both, of a key never seen before", func(w *world) {
			w.policy.Keys.FirstRun, w.policy.Keys.Grace = auth.AtOnce, 0
			w.wait(200 * day)
		}, []string{"deactivate " + key1, "delete " + key1}, []purge.Verb{purge.Deactivated, purge.Deleted}},
		{"an order", func(w *world) { w.goTo(80); w.order(key1, ben, purge.Deactivate) },
			[]string{"deactivate " + key1}, []purge.Verb{purge.Ordered, purge.Deactivated}},
		{"an undo", func(w *world) { w.goTo(95); w.order(key1, ben, purge.Reactivate) },
			[]string{"reactivate " + key1}, []purge.Verb{purge.Ordered, purge.Reactivated}},
		{"an undo, half a minute after", func(w *world) {
			w.goTo(90)
			w.wait(30 * time.Second)
			w.order(key1, ben, purge.Reactivate)
		}, []string{"reactivate " + key1}, []purge.Verb{purge.Ordered, purge.Reactivated}},
	} {
		for _, lost := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, answer lost: %v", c.name, lost), func(t *testing.T) {
				n := 1
				for ; crashed(t, c.prepare, &fuse{left: n, lost: lost}, c.did, c.wrote); n++ {
				}
				if n < 4 {
					t.Errorf("the act had only %d effects", n-1)
				}
			})
		}
	}
}

// crashed says whether the fuse blew, and holds what comes after against how it
// ought to be.
func crashed(t *testing.T, prepare func(*world), f *fuse, did []string, wrote []purge.Verb) bool {
	t.Helper()
	n := f.left
	w := newKey(t)
	prepare(w)
	w.iam.changes()
	before := w.record(key1).History
	if n := len(before) - 1; n >= 0 && before[n].Verb == purge.Ordered {
		before = before[:n]
	}

	ref := purge.Ref{ID: key1, User: "hana"}
	_, err := w.doomed(f).Attend(t.Context(), ref, nil)
	if f.blown != errors.Is(err, errCrash) {
		t.Fatalf("effect %d: crashed %v, error %v", n, f.blown, err)
	}
	if f.blown {
		_, err = w.another().Attend(t.Context(), ref, nil)
		if err != nil && !errors.Is(err, purge.ErrHeld) {
			t.Fatalf("effect %d, at once again: %v", n, err)
		}
		w.wait(lease)
		w.attend(key1, "hana")
	}
	w.wait(lease)
	w.attend(key1, "hana")

	if got := w.iam.changes(); !slices.Equal(got, did) {
		t.Errorf("effect %d: what changed in IAM: %q; want %q", n, got, did)
	}
	var got []purge.Verb
	for _, c := range w.record(key1).History[len(before):] {
		if c.Verb != purge.Begun && c.Verb != purge.Warned { // an undone key is warned of right away
			got = append(got, c.Verb)
		}
	}
	if !slices.Equal(got, wrote) {
		t.Errorf("effect %d: written down: %q; want %q", n, w.history(key1)[len(before):], wrote)
	}
	return f.blown
}

// What was begun days ago is counted anew when it is gone on with.
func TestCrashDaysAgo(t *testing.T) {
	w := newKey(t)
	w.goTo(89)
	w.wait(day)
	if err := w.budget.SetLimit(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	f := &fuse{left: 3} // it is counted, begun, and not done
	if _, err := w.doomed(f).Attend(t.Context(), purge.Ref{ID: key1, User: "hana"}, nil); !errors.Is(err, errCrash) {
		t.Fatal(err)
	}
	w.wait(3 * day)
	if ok, err := w.budget.Claim(t.Context(), []string{key2}, false, w.now()); !ok || err != nil {
		t.Fatal("the day's one key:", ok, err)
	}
	if a := w.attend(key1, "hana"); !a.Over {
		t.Errorf("beyond the limit: %+v", a.Verdict)
	}
	w.wantDid()
	w.wait(day)
	w.attend(key1, "hana")
	w.wantDid("deactivate " + key1)
}

// A begun act that the policy does not ask for any more is not gone on with.
func TestCrashThenAnotherPolicy(t *testing.T) {
	for name, change := range map[string]func(*world){
		"exempt":              func(w *world) { w.policy.Keys.Exempt = []auth.KeyExemption{{User: "hana"}} },
		"observe":             func(w *world) { w.policy.Keys.Mode = auth.Observe },
		"max_age, a year":     func(w *world) { w.policy.Keys.MaxAge = 365 * day },
		"max_age, a day more": func(w *world) { w.policy.Keys.MaxAge = 91 * day },
	} {
		t.Run(name, func(t *testing.T) {
			w := newKey(t)
			w.goTo(89)
			w.wait(day)
			ref := purge.Ref{ID: key1, User: "hana"}
			if _, err := w.doomed(&fuse{left: 3}).Attend(t.Context(), ref, nil); !errors.Is(err, errCrash) {
				t.Fatal(err)
			}
			change(w)
			if _, err := w.purge.Attend(t.Context(), ref, nil); !errors.Is(err, purge.ErrHeld) {
				t.Errorf("while the other may be at it: %v", err)
			}
			w.wait(lease)
			w.attend(key1, "hana")
			w.wantDid()
			dropped := func(c purge.Change) bool {
				return c.Verb == purge.Dropped && c.Do == purge.Deactivate && c.Note != ""
			}
			if !slices.ContainsFunc(w.record(key1).History, dropped) {
				t.Errorf("nothing was dropped: %q", w.history(key1))
			}
		})
	}
}

// What another worker did and could not write down is written down at once.
func TestDoneIsWrittenDownAtOnce(t *testing.T) {
	w := newKey(t)
	w.goTo(89)
	w.wait(day)
	ref := purge.Ref{ID: key1, User: "hana"}
	if _, err := w.doomed(&fuse{left: 3, lost: true}).Attend(t.Context(), ref, nil); !errors.Is(err, errCrash) {
		t.Fatal(err)
	}
	w.iam.asked()
	w.attend(key1, "hana")
	if calls := w.iam.asked(); slices.Contains(calls, "deactivate hana "+key1) {
		t.Errorf("it was done again: %q", calls)
	}
	w.wantHistory(key1, deactivated...)
}

// A key that somebody deletes right before the bot does is as good as deleted.
func TestDeletedUnderTheWorkersHands(t *testing.T) {
	w := newKey(t)
	w.goTo(99)
	w.wait(day)
	w.iam.changes()
	w.iam.before = func(call string) error {
		if call == "delete hana "+key1 {
			w.iam.remove(key1)
		}
		return nil
	}
	w.attend(key1, "hana")
	w.wantDid()
	if h := w.record(key1).History; h[len(h)-1].Verb != purge.Deleted {
		t.Errorf("%q", w.history(key1))
	}
}
