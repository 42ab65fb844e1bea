package purgetest

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"sekisho/auth/purge"
)

func limit(t *testing.T, b purge.Budget, limit int) {
	t.Helper()
	if err := b.SetLimit(t.Context(), limit); err != nil {
		t.Fatalf("SetLimit(%d): %v", limit, err)
	}
}

// claim wants the keys granted, or refused.
func claim(t *testing.T, b purge.Budget, now time.Time, want bool, ids ...string) {
	t.Helper()
	if ok, err := b.Claim(t.Context(), ids, true, now); ok != want || err != nil {
		t.Errorf("Claim(%v) %v after T0: %v, %v; want %v", ids, now.Sub(T0), ok, err, want)
	}
}

func hold(id string, keys ...string) purge.Hold {
	h := purge.Hold{ID: id, At: T0.UTC(), Limit: 1}
	for _, k := range keys {
		h.Keys = append(h.Keys, purge.Held{Ref: purge.Ref{ID: k, User: "<ci> & co"}, Do: purge.Deactivate})
	}
	return h
}

func putHold(t *testing.T, b purge.Budget, h, want purge.Hold) {
	t.Helper()
	if got, err := b.PutHold(t.Context(), h); err != nil || !same(got, want) {
		t.Errorf("PutHold: %v\n%s\nwant\n%s", err, text(got), text(want))
	}
}

func allOrNone(t *testing.T, b purge.Budget) {
	limit(t, b, 3)
	claim(t, b, T0, true)
	claim(t, b, T0, false, "A", "B", "C", "D")
	claim(t, b, T0, true, "A", "B")
	claim(t, b, T0, false, "A", "C", "D") // two more
	claim(t, b, T0, true, "C", "C")       // had one of the refused been counted, there were no place
	claim(t, b, T0, false, "D")

	limit(t, b, 4)
	claim(t, b, T0, true, "D")
	limit(t, b, 1)
	claim(t, b, T0, true, "A", "B", "C", "D") // counted already
	claim(t, b, T0, false, "E")
	limit(t, b, 0)
	claim(t, b, T0.Add(day), false, "E")
}

func onceInADay(t *testing.T, b purge.Budget) {
	limit(t, b, 2)
	claim(t, b, T0, true, "A")
	noon := T0.Add(12 * time.Hour)
	claim(t, b, noon, true, "A", "B") // A's day does not begin again
	claim(t, b, T0.Add(day-time.Millisecond), false, "C")
	claim(t, b, T0.Add(day), true, "C") // in A's place
	claim(t, b, T0.Add(day), false, "A")
	claim(t, b, noon.Add(day), true, "A") // in B's
	claim(t, b, noon.Add(day), false, "B")
}

func noLimit(t *testing.T, b purge.Budget) {
	claim(t, b, T0, false, "A", "B")
	claim(t, b, T0, true, "A")
	claim(t, b, T0, false, "B")
}

func claimsAtOnce(t *testing.T, b purge.Budget) {
	limit(t, b, 10)
	var granted atomic.Int32
	together(200, func(n int) {
		ok, err := b.Claim(context.Background(), []string{fmt.Sprint("K", n)}, false, T0)
		if err != nil {
			t.Errorf("Claim: %v", err)
		}
		if ok {
			granted.Add(1)
		}
	})
	if n := granted.Load(); n != 10 {
		t.Errorf("%d keys may end; the limit is 10", n)
	}
}

func severalAtOnce(t *testing.T, b purge.Budget) {
	limit(t, b, 10)
	var granted atomic.Int32
	together(50, func(n int) {
		ids := []string{fmt.Sprint("A", n), fmt.Sprint("B", n), fmt.Sprint("C", n), fmt.Sprint("D", n)}
		if ok, err := b.Claim(context.Background(), ids, true, T0); ok && err == nil {
			granted.Add(1)
		}
	})
	if n := granted.Load(); n != 2 {
		t.Errorf("%d times four keys may end; the limit is 10 keys", n)
	}
	claim(t, b, T0, true, "E", "F")
	claim(t, b, T0, false, "G")
}

func holdKept(t *testing.T, b purge.Budget) {
	first, second := hold("h", "A", "B"), hold("h", "C")
	putHold(t, b, first, first)
	putHold(t, b, second, first)
	if err := b.ToldHold(t.Context(), "h"); err != nil {
		t.Fatal(err)
	}
	first.Told = true
	putHold(t, b, second, first)
	putHold(t, b, hold("other", "C"), hold("other", "C"))

	if _, _, err := b.Allow(t.Context(), "h", ben, T0); err != nil {
		t.Fatal(err)
	}
	first.By = ben
	putHold(t, b, second, first)
}

func allowedOnce(t *testing.T, b purge.Budget) {
	want := hold("h", "A", "B")
	putHold(t, b, want, want)
	want.By = ben
	for n, user := range []string{ben, ben, "U0CHIYO"} {
		h, won, err := b.Allow(t.Context(), "h", user, T0.Add(time.Duration(n)*time.Hour))
		if err != nil || won != (n == 0) || !same(h, want) {
			t.Errorf("no. %d, %s: won %v, %v\n%s\nwant\n%s", n, user, won, err, text(h), text(want))
		}
	}
	claim(t, b, T0.Add(day), false, "A", "B") // whoever came after did not prolong it
}

func allowedAtOnce(t *testing.T, b purge.Budget) {
	putHold(t, b, hold("h", "A"), hold("h", "A"))
	var wins atomic.Int32
	together(200, func(n int) {
		me := fmt.Sprint("U", n)
		h, won, err := b.Allow(context.Background(), "h", me, T0)
		if err != nil || won != (h.By == me) {
			t.Errorf("%s: won %v, but %q allowed it, %v", me, won, h.By, err)
		}
		if won {
			wins.Add(1)
		}
	})
	if n := wins.Load(); n != 1 {
		t.Errorf("%d allowed it", n)
	}
}

func allowedFree(t *testing.T, b purge.Budget) {
	limit(t, b, 2)
	claim(t, b, T0, true, "A")
	putHold(t, b, hold("h", "B", "C", "D"), hold("h", "B", "C", "D"))
	claim(t, b, T0, false, "B", "C", "D")
	if _, _, err := b.Allow(t.Context(), "h", ben, T0); err != nil {
		t.Fatal(err)
	}
	claim(t, b, T0, true, "B", "C", "D")
	claim(t, b, T0, true, "B", "E") // of these only E counts
	claim(t, b, T0, false, "F")
	claim(t, b, T0.Add(day-time.Millisecond), true, "D")
	claim(t, b, T0.Add(day), false, "B", "C", "D")
	claim(t, b, T0.Add(day), true, "B", "C")
}

// What is held waits, whoever asks for a key of it alone; a look at the whole
// account finds anew whether there are too many.
func heldWait(t *testing.T, b purge.Budget) {
	limit(t, b, 2)
	alone := func(now time.Time, want bool, id string) {
		t.Helper()
		if ok, err := b.Claim(t.Context(), []string{id}, false, now); ok != want || err != nil {
			t.Errorf("Claim(%s) alone %v after T0: %v, %v; want %v", id, now.Sub(T0), ok, err, want)
		}
	}
	putHold(t, b, hold("h", "A", "B", "C"), hold("h", "A", "B", "C"))
	alone(T0, false, "A")
	alone(T0, true, "D")
	claim(t, b, T0, true, "A")
	alone(T0, true, "A") // counted
	if _, _, err := b.Allow(t.Context(), "h", ben, T0); err != nil {
		t.Fatal(err)
	}
	alone(T0, true, "B")                     // allowed
	alone(T0.Add(day+time.Hour), false, "C") // no more, and still held
	alone(T0.Add(2*day), true, "C")          // forgotten
}

func unknownHold(t *testing.T, b purge.Budget) {
	if err := b.ToldHold(t.Context(), "h"); err != nil {
		t.Errorf("ToldHold: %v", err)
	}
	_, won, err := b.Allow(t.Context(), "h", ben, T0)
	if wantTooLate(t, err); won {
		t.Error("it was allowed")
	}
	putHold(t, b, hold("h", "A"), hold("h", "A")) // neither of that has made one
}
