package purge_test

import (
	"testing"
	"time"

	"sekisho/auth"
	"sekisho/auth/purge"
)

// unheard lets so many days pass, with a sweep on each of which people hear
// nothing, and says on how many of them it was left for that.
func (w *world) unheard(sweeps int) (untold int) {
	w.t.Helper()
	for range sweeps {
		s, err := w.purge.Sweep(w.t.Context(), func(int, int) {})
		if err != nil {
			w.t.Fatalf("the sweep: %v", err)
		}
		for _, ref := range s.Work {
			if w.attendUntold(ref.ID, ref.User).Untold {
				untold++
			}
		}
		w.wait(day)
	}
	return untold
}

// TestNothingFollowsWhatNobodyHeard: while Slack is away, no key comes nearer to
// its end, however many sweeps go by.
func TestNothingFollowsWhatNobodyHeard(t *testing.T) {
	w := newKey(t)
	w.wait(76 * day)
	if n := w.unheard(26); n != 12 { // from day 90 on
		t.Errorf("it was left on %d days", n)
	}
	if calls := w.iam.acts(); len(calls) > 0 {
		t.Errorf("IAM was asked for %q", calls)
	}
	w.sweep() // and now people hear of it
	w.wantDid("deactivate " + key1)
}

func TestNoDeletionBeforeTheDeactivationWasHeardOf(t *testing.T) {
	w := newKey(t)
	w.goTo(89)
	w.wait(day)
	w.unheard(26)
	w.wantDid("deactivate " + key1)
	w.tell(key1)
	w.unheard(1)
	w.wantDid("delete " + key1)
}

// The first act on a key that nobody heard of follows nothing; the second does.
func TestAtOnceUnheard(t *testing.T) {
	w := newKey(t)
	w.policy.Keys.FirstRun, w.policy.Keys.Grace = auth.AtOnce, 0
	w.wait(200 * day)
	if n := w.unheard(26); n != 26 {
		t.Errorf("it was left on %d days", n)
	}
	w.wantDid("deactivate " + key1)
}

// What somebody decided counts like what the bot did.
func TestClickUnheard(t *testing.T) {
	w := newKey(t)
	w.goTo(89)
	w.exempt(key1, ben, w.now().Add(time.Hour))
	w.wait(day)
	if a := w.attendUntold(key1, "hana"); !a.Untold {
		t.Errorf("%+v", a)
	}
	w.wantDid()
}

// A person's order waits for nobody.
func TestOrderUnheard(t *testing.T) {
	w := newKey(t)
	w.wait(80 * day)
	w.unheard(3)
	w.order(key1, ben, purge.Deactivate)
	w.unheard(1)
	w.wantDid("deactivate " + key1)
	w.order(key1, ben, purge.Reactivate)
	w.unheard(1)
	w.wantDid("reactivate " + key1)
}

// What was ordered, begun or dropped is no news: whoever goes on waits for nobody.
func TestNoNewsIsUnheard(t *testing.T) {
	for name, prepare := range map[string]func(*world){
		"begun": (*world).begin,
		"begun, and dropped": func(w *world) {
			w.begin()
			w.write(purge.Change{Verb: purge.Dropped, Do: purge.Deactivate, At: w.now()})
		},
		"ordered, and dropped": func(w *world) {
			w.goTo(89)
			w.order(key1, ben, purge.Deactivate)
			w.write(purge.Change{Verb: purge.Dropped, Do: purge.Deactivate, At: w.now()})
			w.wait(day)
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newKey(t)
			prepare(w)
			w.wait(lease)
			if a := w.attendUntold(key1, "hana"); a.Untold {
				t.Errorf("%+v", a)
			}
			w.wantDid("deactivate " + key1)
		})
	}
}
