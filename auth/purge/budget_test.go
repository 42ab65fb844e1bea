package purge_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"sekisho/auth"
	"sekisho/auth/purge"
)

// crowd is a world with so many users, each with one key that has come to its
// end on this day, and people have been told.
func crowd(t *testing.T, users, limit int) *world {
	w := newWorld(t)
	for n := range users {
		w.iam.add(fmt.Sprint("user", n), active(crowdKey(n), 0))
	}
	w.policy.Keys.Cap = auth.KeyCap{Keys: limit, Share: 100}
	w.goTo(89)
	w.wait(day)
	return w
}

func crowdKey(n int) string { return fmt.Sprintf("AKIATESTCROWD%07d", n) }

func crowdKeys(n int) []string {
	var all []string
	for n := range n {
		all = append(all, crowdKey(n))
	}
	return all
}

func heldKeys(h *purge.Hold) []string {
	var all []string
	for _, k := range h.Keys {
		all = append(all, k.ID)
	}
	return all
}

func TestUpToTheLimit(t *testing.T) {
	w := crowd(t, 4, 4)
	if s := w.sweep(); s.Hold != nil || s.Plan.Limit != 4 || s.Plan.Over() {
		t.Errorf("four of four: %+v", s)
	}
	if did := w.iam.changes(); len(did) != 4 {
		t.Errorf("it did %q", did)
	}
}

func TestOverTheLimitNothingIsTouched(t *testing.T) {
	w := crowd(t, 4, 3)
	w.iam.add("young", active(key1, -14)) // it is its first warning's day
	s := w.sweep()
	if s.Hold == nil || !slices.Equal(heldKeys(s.Hold), crowdKeys(4)) || s.Hold.Limit != 3 {
		t.Fatalf("the hold: %+v", s.Hold)
	}
	for _, k := range s.Hold.Keys {
		if k.Do != purge.Deactivate || k.User == "" {
			t.Errorf("held: %+v", k)
		}
	}
	if !s.Plan.Over() || len(s.Plan.Ends()) != 4 {
		t.Errorf("the plan: over %v, ends %+v", s.Plan.Over(), s.Plan.Ends())
	}
	if len(s.Work) != 1 || s.Work[0].ID != key1 {
		t.Errorf("work: %+v", s.Work)
	}
	w.wantDid()
}

// Of a key that is held people are asked, and hear of it later.
func TestHeldKeysBeginLater(t *testing.T) {
	w := newWorld(t)
	w.policy.Keys.Cap = auth.KeyCap{Keys: 3, Share: 100}
	w.policy.Keys.FirstRun = auth.AtOnce
	for n := range 4 {
		w.iam.add(fmt.Sprint("user", n), active(crowdKey(n), 200))
	}
	w.iam.add("young", active(key1, 76))
	s, err := w.purge.Sweep(t.Context(), func(int, int) {})
	if err != nil || s.Hold == nil {
		t.Fatalf("%+v, %v", s.Hold, err)
	}
	if n, all := s.Plan.Begins(true), s.Plan.Begins(false); n != 1 || all != 5 {
		t.Errorf("people hear of %d, and of %d if nothing were held", n, all)
	}
}

// A key of which people have not been told everything is work, too.
func TestUntoldIsWork(t *testing.T) {
	w := newKey(t)
	w.wait(80 * day)
	w.attendUntold(key1, "hana")
	if s := w.sweep(); len(s.Work) != 1 || s.Work[0] != (purge.Ref{ID: key1, User: "hana"}) {
		t.Errorf("untold: %+v", s.Work)
	}
	if s := w.sweep(); len(s.Work) > 0 {
		t.Errorf("told: %+v", s.Work)
	}
}

// What somebody ordered is done beside what is held.
func TestOrderBesideAHold(t *testing.T) {
	w := crowd(t, 4, 2)
	w.order(crowdKey(1), ben, purge.Deactivate)
	if s := w.sweep(); s.Hold == nil || len(s.Hold.Keys) != 3 {
		t.Errorf("held: %+v", s.Hold)
	}
	w.wantDid("deactivate " + crowdKey(1))
}

func TestConfirm(t *testing.T) {
	w := crowd(t, 4, 3)
	h := w.sweep().Hold
	for _, user := range []string{dan, guest, ""} {
		_, won, err := w.purge.Confirm(t.Context(), h.ID, w.click(user))
		wantRefusal(t, err, auth.NoDecider)
		if won {
			t.Errorf("%q won", user)
		}
	}
	_, _, err := w.purge.Confirm(t.Context(), "another", w.click(ben))
	wantRefusal(t, err, auth.TooLate)
	w.sweep()
	w.wantDid()

	got, won, err := w.purge.Confirm(t.Context(), h.ID, w.click(ben))
	if err != nil || !won || got.By != ben || !slices.Equal(heldKeys(&got), crowdKeys(4)) {
		t.Errorf("ben's word: %+v, %v, %v", got, won, err)
	}
	got, won, err = w.purge.Confirm(t.Context(), h.ID, w.click(chiyo))
	if err != nil || won || got.By != ben {
		t.Errorf("chiyo's, after it: %+v, %v, %v", got, won, err)
	}

	// A key that comes to its end meanwhile is none of them.
	w.iam.add("more", active(key1, 0), active(key2, 0), active(key3, 0))
	w.policy.Keys.FirstRun = auth.AtOnce
	w.policy.Keys.Cap.Keys = 2
	w.wait(time.Hour)
	for _, k := range h.Keys {
		w.attend(k.ID, k.User)
	}
	s := w.sweep()
	if s.Hold == nil || !slices.Equal(heldKeys(s.Hold), []string{key1, key2, key3}) {
		t.Errorf("held then: %+v", s.Hold)
	}
	want := crowdKeys(4)
	for n := range want {
		want[n] = "deactivate " + want[n]
	}
	w.wantDid(want...)
}

func TestConfirmedWithTheNextSweep(t *testing.T) {
	w := crowd(t, 4, 3)
	h := w.sweep().Hold
	if _, _, err := w.purge.Confirm(t.Context(), h.ID, w.click(ben)); err != nil {
		t.Fatal(err)
	}
	w.wait(time.Hour)
	if s := w.sweep(); s.Hold != nil {
		t.Errorf("held again: %+v", s.Hold)
	}
	if did := w.iam.changes(); len(did) != 4 {
		t.Errorf("it did %q", did)
	}
}

// A held key waits, also where an event or a task that was left over asks for
// it alone. A sweep under another limit finds anew what is too many.
func TestHeldKeyAlone(t *testing.T) {
	w := crowd(t, 3, 2)
	if s := w.sweep(); s.Hold == nil || len(s.Hold.Keys) != 3 {
		t.Fatalf("the hold: %+v", s.Hold)
	}
	before := w.history(crowdKey(0))
	if a := w.attend(crowdKey(0), "user0"); !a.Over || a.Untold {
		t.Errorf("alone: %+v", a)
	}
	w.wantDid()
	if got := w.history(crowdKey(0)); !slices.Equal(got, before) {
		t.Errorf("the record became %q; it was %q", got, before)
	}
	w.policy.Keys.Cap.Keys = 3
	if s := w.sweep(); s.Hold != nil {
		t.Errorf("held: %+v", s.Hold)
	}
	w.wantDid("deactivate "+crowdKey(0), "deactivate "+crowdKey(1), "deactivate "+crowdKey(2))
}

// A word is good for a day.
func TestConfirmedAndForgotten(t *testing.T) {
	w := crowd(t, 4, 3)
	h := w.sweep().Hold
	if _, _, err := w.purge.Confirm(t.Context(), h.ID, w.click(ben)); err != nil {
		t.Fatal(err)
	}
	w.wait(day)
	if s := w.sweep(); s.Hold == nil {
		t.Error("nothing is held")
	}
	w.wantDid()
}

func TestAskedOnceADay(t *testing.T) {
	w := crowd(t, 4, 3)
	today := w.sweep().Hold
	if err := w.budget.ToldHold(t.Context(), today.ID); err != nil {
		t.Fatal(err)
	}
	w.wait(time.Hour)
	if again := w.sweep().Hold; again == nil || again.ID != today.ID || !again.Told {
		t.Errorf("an hour later: %+v", again)
	}
	w.wait(day)
	if next := w.sweep().Hold; next == nil || next.ID == today.ID || next.Told {
		t.Errorf("the next day: %+v", next)
	}
	w.iam.remove(crowdKey(3))
	w.iam.add("more", active(key1, 0))
	w.policy.Keys.FirstRun = auth.AtOnce
	if other := w.sweep().Hold; other == nil || other.Told {
		t.Errorf("of other keys: %+v", other)
	}
}

// Events come one by one, and stop at the limit all the same. So does a key of
// which nothing was known before.
func TestEventsStopAtTheLimit(t *testing.T) {
	for _, first := range []auth.FirstRun{auth.Gentle, auth.AtOnce} {
		t.Run(string(first), func(t *testing.T) {
			w := newWorld(t)
			w.policy.Keys.Cap = auth.KeyCap{Keys: 3, Share: 100}
			w.policy.Keys.FirstRun = first
			for n := range 5 {
				w.iam.add(fmt.Sprint("user", n), active(crowdKey(n), 0))
			}
			if err := w.budget.SetLimit(t.Context(), 3); err != nil {
				t.Fatal(err)
			}
			events := func() (over int) {
				for n := range 5 {
					if w.attend(crowdKey(n), fmt.Sprint("user", n)).Over {
						over++
					}
				}
				return over
			}
			w.wait(76 * day)
			if first == auth.Gentle {
				events()
			}
			w.wait(14 * day)
			if over := events(); over != 2 {
				t.Errorf("%d were over the limit", over)
			}
			w.wantDid("deactivate "+crowdKey(0), "deactivate "+crowdKey(1), "deactivate "+crowdKey(2))
			w.wait(day - time.Nanosecond)
			events()
			w.wantDid()
			w.wait(time.Nanosecond)
			events()
			w.wantDid("deactivate "+crowdKey(3), "deactivate "+crowdKey(4))
		})
	}
}

// An order counts for nothing, and is done beyond the limit.
func TestOrdersAreNotCounted(t *testing.T) {
	w := crowd(t, 3, 1)
	for n := range 3 {
		w.order(crowdKey(n), ben, purge.Deactivate)
	}
	if s := w.sweep(); s.Hold != nil {
		t.Errorf("held: %+v", s.Hold)
	}
	w.wantDid("deactivate "+crowdKey(0), "deactivate "+crowdKey(1), "deactivate "+crowdKey(2))
	w.iam.add("one", active(key1, 10))
	w.policy.Keys.FirstRun = auth.AtOnce
	w.sweep()
	w.wantDid("deactivate " + key1)
}

// A share of the account's keys bounds, too, and never to nothing.
func TestLimitOfAnAccount(t *testing.T) {
	for _, c := range []struct{ keys, share, total, want int }{
		{10, 20, 100, 10}, {10, 20, 50, 10}, {10, 20, 49, 9}, {10, 20, 4, 1}, {10, 20, 0, 1}, {1, 100, 100, 1},
	} {
		if got := (auth.KeyCap{Keys: c.keys, Share: c.share}).Of(c.total); got != c.want {
			t.Errorf("%d keys and %d%% of %d: %d; want %d", c.keys, c.share, c.total, got, c.want)
		}
	}
}
