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
)

// ways bring a key to an act, and say which.
var ways = map[string]struct {
	prepare func(*world)
	do      purge.Do
	outcome purge.Verb
}{
	"a deactivation": {func(w *world) { w.goTo(89); w.wait(day) }, purge.Deactivate, purge.Deactivated},
	"a deletion":     {func(w *world) { w.goTo(99); w.wait(day) }, purge.Delete, purge.Deleted},
	"a key never seen before": {func(w *world) { w.policy.Keys.FirstRun = auth.AtOnce; w.wait(200 * day) },
		purge.Deactivate, purge.Deactivated},
	"an order": {func(w *world) { w.goTo(80); w.order(key1, ben, purge.Deactivate) }, purge.Deactivate, purge.Deactivated},
	"an undo":  {func(w *world) { w.goTo(95); w.order(key1, ben, purge.Reactivate) }, purge.Reactivate, purge.Reactivated},
}

// ticking lets the clock go on by a nanosecond whenever it is read: no two
// workers see the same time.
func (w *world) ticking() time.Time {
	w.wait(time.Nanosecond)
	return w.now()
}

// TestManyAtOnce lets two, and ten, workers judge a key before any of them acts.
func TestManyAtOnce(t *testing.T) {
	for name, way := range ways {
		for _, workers := range []int{2, 10} {
			t.Run(fmt.Sprint(name, ", ", workers, " workers"), func(t *testing.T) {
				w := newKey(t)
				way.prepare(w)
				before := w.record(key1).Version()
				w.iam.asked()
				w.iam.before = rendezvous("User", workers)

				failed := make(chan error, workers)
				for range workers {
					p := w.another()
					p.Now = w.ticking
					go func() {
						_, err := p.Attend(context.Background(), purge.Ref{ID: key1, User: "hana"}, nil)
						failed <- err
					}()
				}
				done := 0
				for range workers {
					switch err := <-failed; {
					case err == nil:
						done++
					case !errors.Is(err, purge.ErrHeld):
						t.Errorf("a worker: %v", err)
					}
				}
				if done == 0 {
					t.Error("every worker left it to another")
				}
				calls, want := w.iam.acts(), []string{fmt.Sprintf("%s hana %s", way.do, key1)}
				if !slices.Equal(calls, want) {
					t.Errorf("IAM was asked for %q; want %q", calls, want)
				}
				outcomes := slices.DeleteFunc(w.record(key1).History[before:], func(c purge.Change) bool {
					return c.Verb == purge.Begun || c.Verb == purge.Warned
				})
				if len(outcomes) != 1 || outcomes[0].Verb != way.outcome {
					t.Errorf("written down: %q", w.history(key1)[before:])
				}
			})
		}
	}
}

// rendezvous holds the first so many calls that begin so until all are there.
func rendezvous(begins string, n int) func(string) error {
	var all sync.WaitGroup
	all.Add(n)
	seats := make(chan struct{}, n)
	return func(call string) error {
		if strings.HasPrefix(call, begins+" ") {
			select {
			case seats <- struct{}{}:
				all.Done()
				all.Wait()
			default:
			}
		}
		return nil
	}
}

// TestSecondComesDuringTheAct: whoever comes while IAM is called, leaves it.
func TestSecondComesDuringTheAct(t *testing.T) {
	for name, way := range ways {
		t.Run(name, func(t *testing.T) {
			w := newKey(t)
			way.prepare(w)
			ref := purge.Ref{ID: key1, User: "hana"}
			calls := 0
			w.iam.before = func(call string) error {
				if strings.HasPrefix(call, string(way.do)+" ") {
					if calls++; calls > 1 {
						return nil
					}
					if _, err := w.another().Attend(t.Context(), ref, nil); !errors.Is(err, purge.ErrHeld) {
						t.Errorf("the second: %v", err)
					}
				}
				return nil
			}
			if _, err := w.purge.Attend(t.Context(), ref, nil); err != nil || calls != 1 {
				t.Errorf("the first: %d calls, %v", calls, err)
			}
		})
	}
}

func TestSameEventTwice(t *testing.T) {
	w := newKey(t)
	w.goTo(89)
	w.wait(day)
	w.attend(key1, "hana")
	r := w.record(key1)
	w.wantDid("deactivate " + key1)
	if a := w.attend(key1, "hana"); a.Record.Version() != r.Version() || a.Verdict.Do != purge.Nothing {
		t.Errorf("the second time: %+v", a)
	}
	w.wantDid()
}

// A reading that is older than the act it begins is not acted on: the key is
// read again.
func TestSeenIsReadAgainBeforeTheAct(t *testing.T) {
	w := newKey(t)
	w.goTo(89)
	w.wait(day)
	seen, err := w.purge.Look(t.Context(), purge.Ref{ID: key1, User: "hana"}, "")
	if err != nil {
		t.Fatal(err)
	}
	w.iam.alter("hana", func(u *purge.User) { u.Tags["keep"] = "yes" })
	w.policy.Keys.Exempt = []auth.KeyExemption{{TagKey: "keep", TagValue: "*"}}
	if _, err := w.purge.Attend(t.Context(), purge.Ref{ID: key1, User: "hana"}, &seen); err != nil {
		t.Fatal(err)
	}
	w.wantDid()
}

func TestSeenSparesAReading(t *testing.T) {
	w := newKey(t)
	w.wait(80 * day)
	seen, err := w.purge.Look(t.Context(), purge.Ref{ID: key1, User: "hana"}, "")
	if err != nil {
		t.Fatal(err)
	}
	w.policy.Keys.MaxAge = 365 * day
	w.iam.asked()
	if _, err := w.purge.Attend(t.Context(), purge.Ref{ID: key1, User: "hana"}, &seen); err != nil {
		t.Fatal(err)
	}
	if calls := w.iam.asked(); len(calls) > 0 {
		t.Errorf("IAM was asked for %q", calls)
	}
}

func TestStaleAfterADeactivation(t *testing.T) {
	w := newKey(t)
	w.goTo(89)
	w.iam.show("hana")
	w.wait(day)
	w.sweep()
	w.wait(10*time.Minute - time.Nanosecond)
	w.sweep()
	w.attend(key1, "hana")
	w.wantDid("deactivate " + key1)
	w.wantHistory(key1, deactivated...)

	w.wait(time.Nanosecond) // whoever still sees it active, sees what somebody did
	w.attend(key1, "hana")
	if s := w.record(key1).State(false); s.Off {
		t.Errorf("after ten minutes: %q", w.history(key1))
	}
}

// Who undoes a deactivation at once is not told that the key is active already.
func TestStaleUndo(t *testing.T) {
	w := newKey(t)
	w.goTo(89)
	w.iam.show("hana")
	w.wait(day)
	w.sweep()
	w.wantDid("deactivate " + key1)
	w.wait(30 * time.Second)
	w.order(key1, ben, purge.Reactivate)
	w.attend(key1, "hana")
	w.wantDid("reactivate " + key1)
}

func TestStaleAfterAnUndo(t *testing.T) {
	w := newKey(t)
	w.goTo(95)
	w.iam.show("hana")
	w.order(key1, ben, purge.Reactivate)
	w.attend(key1, "hana")
	w.wait(9 * time.Minute)
	w.attend(key1, "hana")
	w.iam.forget()
	w.wait(time.Hour)
	w.attend(key1, "hana")
	w.wantDid("deactivate "+key1, "reactivate "+key1)
	if h := w.history(key1); slices.ContainsFunc(h, func(line string) bool { return strings.Contains(line, "found") }) {
		t.Errorf("nobody else did anything: %q", h)
	}
}

// What IAM goes on showing is not deleted twice. After ten minutes it is not
// late any more, but there: the key was not gone after all.
func TestStaleAfterADeletion(t *testing.T) {
	for name, c := range map[string]struct {
		shown purge.Key
		found purge.Verb
	}{
		"as it was": {inactive(key1, 0), purge.FoundOff},
		"active":    {active(key1, 0), purge.FoundOn},
	} {
		t.Run(name, func(t *testing.T) {
			w := newKey(t)
			w.goTo(100)
			want := w.history(key1)
			w.iam.add("hana", c.shown)
			w.iam.changes()
			for _, d := range []time.Duration{time.Second, 3 * time.Minute, 7*time.Minute - time.Second - time.Nanosecond} {
				w.wait(d)
				if s := w.sweep(); len(s.Work) > 0 {
					t.Errorf("there is work: %+v", s.Work)
				}
				w.iam.asked()
				w.attend(key1, "hana")
				if calls := w.iam.asked(); len(calls) > 0 {
					t.Errorf("IAM was asked for %q", calls)
				}
			}
			if got := w.history(key1); !slices.Equal(got, want) {
				t.Errorf("the record became %q; it was %q", got, want)
			}
			w.wait(time.Nanosecond)
			w.attend(key1, "hana")
			if h := w.record(key1).History[len(want):]; len(h) != 1 || h[0].Verb != c.found {
				t.Errorf("then it became %q", w.history(key1)[len(want):])
			}
			w.wantDid()
		})
	}
}

// A key is not gone that IAM lists: people are told of it anew, and nothing
// happens before.
func TestNotGoneAfterAll(t *testing.T) {
	for name, c := range map[string]struct {
		gone  int // on that day it was not to be seen
		after purge.Key
		want  []string
	}{
		"gone before its time": {80, active(key1, 0), []string{"76 warned until 90", "80 gone",
			"81 found_active until 88", "89 warned until 90", "90 deactivated until 100"}},
		"deleted, and active": {100, active(key1, 0), append(deactivated, "100 deleted",
			"101 found_active until 108", "107 warned until 108", "108 deactivated until 118", "118 deleted")},
		"deleted, and inactive": {100, inactive(key1, 0), append(deactivated, "100 deleted",
			"101 found_inactive until 115", "115 deleted")},
	} {
		t.Run(name, func(t *testing.T) {
			w := newKey(t)
			w.goTo(c.gone - 1)
			if c.gone < 90 {
				w.iam.remove(key1)
			}
			w.goTo(c.gone)
			w.iam.add("hana", c.after)
			w.goTo(c.gone + 18)
			w.wantHistory(key1, c.want...)
		})
	}
}

// Without a grace the deletion waits for IAM to show the deactivation.
func TestShownActiveIsNotDeleted(t *testing.T) {
	w := newKey(t)
	w.policy.Keys.FirstRun, w.policy.Keys.Grace = auth.AtOnce, 0
	w.wait(200 * day)
	w.iam.show("hana")
	for range 5 {
		a := w.attend(key1, "hana")
		if v := a.Verdict; v.Do != purge.Nothing || v.Next != purge.Delete || !v.At.Equal(w.now().Add(time.Minute)) {
			t.Errorf("what comes next: %q now, then %s at %v", v.Do, v.Next, v.At)
		}
		w.sweep()
		w.wait(time.Minute)
	}
	w.wantDid("deactivate " + key1)
	w.iam.forget()
	w.attend(key1, "hana")
	w.wantDid("delete " + key1)
}

// Whoever reactivates a key under the worker's hands, has it live.
func TestReactivatedRightBeforeTheDeletion(t *testing.T) {
	w := newKey(t)
	w.policy.Keys.FirstRun, w.policy.Keys.Grace = auth.AtOnce, 0
	w.wait(200 * day)
	w.iam.show("hana")
	w.attend(key1, "hana")
	w.iam.forget()
	w.wait(time.Minute)
	w.purge.Store = &overtaken{w.store, func() { w.iam.turn(key1, true) }}
	w.attend(key1, "hana")
	w.restart()
	w.wait(time.Minute)
	w.attend(key1, "hana")
	w.wait(10 * time.Minute)
	w.attend(key1, "hana")
	w.wantDid("deactivate " + key1)
	if s := w.record(key1).State(false); s.Off || !s.Promised.Equal(w.now().Add(7*day)) {
		t.Errorf("where it stands: %+v; %q", s, w.history(key1))
	}
}

// Others may reactivate a key before IAM is sure to have shown that it was not.
func TestReactivatedByOthersWithinTheGrace(t *testing.T) {
	w := newKey(t)
	w.policy.Keys.Grace = 5 * time.Minute
	w.goTo(90)
	w.wait(time.Minute)
	w.iam.turn(key1, true)
	for range 9 {
		w.wait(time.Minute)
		w.sweep()
		w.attend(key1, "hana")
	}
	w.wantDid("deactivate " + key1)
	h := w.record(key1).History
	if last := h[len(h)-1]; last.Verb != purge.FoundOn || !last.At.Equal(dawn(90).Add(10*time.Minute)) ||
		!last.Until.Equal(last.At.Add(7*day)) {
		t.Errorf("the last is %+v", last)
	}
	w.goTo(96)
	w.wantDid()
}
