package auth_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"sekisho/auth"
	"sekisho/infra/redisstore"
)

func TestWithoutSlackNothingIsDecided(t *testing.T) {
	w := newWorld(t)
	w.leadsApprove(1)
	pending, r := w.asked(dan), w.approved()
	w.slack.err = errors.New("slack is away")
	_, _, ask := w.requests.Ask(t.Context(), w.wish(chiyo))
	_, approve := w.approve(pending, ben)
	_, deny := w.deny(pending, ben)
	_, show := w.show(r, hana)
	for name, err := range map[string]error{"ask": ask, "approve": approve, "deny": deny, "show": show} {
		var refused *auth.Refusal
		if !errors.Is(err, w.slack.err) || errors.As(err, &refused) {
			t.Errorf("%s: %v; want a fault", name, err)
		}
	}
	w.wantStands(pending, auth.RequestPending, 0)
	w.wantNoPass()
}

// shaky is a store whose next call of one name does its work, and whose answer
// is lost.
type shaky struct {
	*redisstore.Store
	lose string
}

func (s *shaky) lost(call string, err error) error {
	if s.lose != call || err != nil {
		return err
	}
	s.lose = ""
	return fmt.Errorf("%w: the answer to %s was lost", auth.ErrUnavailable, call)
}

func (s *shaky) PutPass(ctx context.Context, p auth.NewPass) (time.Time, error) {
	deadline, err := s.Store.PutPass(ctx, p)
	return deadline, s.lost("PutPass", err)
}

func (s *shaky) PutRequest(ctx context.Context, r auth.Request) (auth.Request, error) {
	r, err := s.Store.PutRequest(ctx, r)
	return r, s.lost("PutRequest", err)
}

func (s *shaky) ChangeRequest(ctx context.Context, r auth.Request) (auth.Request, bool, error) {
	now, changed, err := s.Store.ChangeRequest(ctx, r)
	return now, changed, s.lost("ChangeRequest", err)
}

// newShakyWorld has every lost call of its store come back as a fault.
func newShakyWorld(t *testing.T, count int) (*world, *shaky) {
	w := newWorld(t)
	w.leadsApprove(count)
	s := &shaky{Store: w.store}
	w.passes.Store, w.requests.Store = s, s
	t.Cleanup(func() {
		if s.lose != "" {
			t.Errorf("%s was not called", s.lose)
		}
	})
	return w, s
}

func wantFault(t *testing.T, err error) {
	t.Helper()
	if !errors.Is(err, auth.ErrUnavailable) {
		t.Errorf("error %v; want the store's", err)
	}
}

// Whatever step the process dies after, the next click goes on from there.
func TestTheNextClickGoesOnFromWhatWasLost(t *testing.T) {
	ctx := t.Context()
	t.Run("ask", func(t *testing.T) {
		w, store := newShakyWorld(t, 1)
		store.lose = "PutRequest"
		_, _, err := w.requests.Ask(ctx, w.wish(hana))
		wantFault(t, err)
		_, r, err := w.requests.Ask(ctx, w.wish(hana))
		wantRefusal(t, err, auth.AlreadyAsked)
		if _, err := w.approve(*r, ben); err != nil {
			t.Fatal(err)
		}
		w.shown(*r, hana)
	})
	t.Run("ask, nobody must agree", func(t *testing.T) {
		w, store := newShakyWorld(t, 1)
		w.policy.Rules[0].Approve = nil
		store.lose = "PutPass"
		pass, _, err := w.requests.Ask(ctx, w.wish(hana))
		wantFault(t, err)
		if pass != nil && pass.Code.Reveal() != "" {
			t.Error("a code stands beside the fault")
		}
		if _, _, err := w.requests.Ask(ctx, w.wish(hana)); err != nil {
			t.Fatal(err)
		}
		if live, err := w.passes.Live(ctx, hana, []string{web}); err != nil || len(live) != 1 {
			t.Errorf("live: %+v, %v; want the one that she has seen", live, err)
		}
	})
	t.Run("approve", func(t *testing.T) {
		w, store := newShakyWorld(t, 2)
		r := w.asked(hana)
		for _, tt := range []struct {
			user string
			want auth.Reason
		}{{ben, auth.AlreadyApproved}, {chiyo, auth.TooLate}} {
			store.lose = "ChangeRequest"
			_, err := w.approve(r, tt.user)
			wantFault(t, err)
			_, err = w.approve(r, tt.user)
			wantRefusal(t, err, tt.want)
		}
		w.wantStands(r, auth.RequestApproved, 2)
		w.shown(r, hana)
	})
	t.Run("deny", func(t *testing.T) {
		w, store := newShakyWorld(t, 1)
		r := w.asked(hana)
		store.lose = "ChangeRequest"
		_, err := w.deny(r, ben)
		wantFault(t, err)
		now, err := w.deny(r, ben)
		if wantRefusal(t, err, auth.TooLate); now.State() != auth.RequestDenied {
			t.Errorf("it is %s", now.State())
		}
	})
	t.Run("lapse", func(t *testing.T) {
		w, store := newShakyWorld(t, 1)
		r := w.asked(hana)
		w.wait(2 * time.Hour)
		store.lose = "ChangeRequest"
		_, err := w.lapse(r)
		wantFault(t, err)
		if now, err := w.lapse(r); err != nil || now.State() != auth.RequestExpired || now.Version() != 1 {
			t.Errorf("%+v, %v", now.History, err)
		}
	})
	t.Run("break glass", func(t *testing.T) {
		w, store := newShakyWorld(t, 1)
		r := w.brokenGlass()
		store.lose = "ChangeRequest"
		_, err := w.confirmGlass(r, hana)
		wantFault(t, err)
		_, err = w.confirmGlass(r, hana)
		wantRefusal(t, err, auth.TooLate)
		w.shown(r, hana)
	})
	for _, lose := range []string{"PutPass", "ChangeRequest"} {
		t.Run("show, "+lose, func(t *testing.T) {
			w, store := newShakyWorld(t, 1)
			r := w.approved()
			first := w.now
			store.lose = lose
			_, err := w.show(r, hana)
			wantFault(t, err)
			w.wait(time.Minute)
			pass := w.shown(r, hana)
			if !pass.Deadline.Equal(first.Add(passTTL)) {
				t.Errorf("good until %v: the time began anew", pass.Deadline)
			}
			if at, _ := w.kept(r).Did(auth.Shown); !at.Equal(w.now) {
				t.Errorf("it was shown at %v, says the request; want %v", at, w.now)
			}
			store.lose = "PutPass"
			_, err = w.show(r, hana)
			wantFault(t, err)
			w.wait(time.Minute)
			pass = w.shown(r, hana) // in the place of one that nobody has seen
			w.start(web, pass.Code.Reveal())
			wantStart(t, w.opened(auth.Pending).Start, true, auth.Pass, auth.TagGone)
			w.ec2.wantDid("Untag " + web + " Auth=" + pass.Code.Reveal())
			w.become(web, auth.Stopped)
			_, err = w.show(r, hana)
			wantRefusal(t, err, auth.Spent)
		})
	}
}

func TestWithoutTheStoreNothingIsDecided(t *testing.T) {
	w := newWorld(t)
	w.leadsApprove(1)
	r := w.asked(hana)
	w.away()
	_, _, ask := w.requests.Ask(t.Context(), w.wish(dan))
	_, approve := w.approve(r, ben)
	_, deny := w.deny(r, ben)
	_, withdraw := w.withdraw(r, hana)
	_, show := w.show(r, hana)
	_, lapse := w.lapse(r)
	for name, err := range map[string]error{
		"ask": ask, "approve": approve, "deny": deny, "withdraw": withdraw, "show": show, "lapse": lapse,
	} {
		if !errors.Is(err, auth.ErrUnavailable) {
			t.Errorf("%s: %v; want a fault, the store is away", name, err)
		}
	}
	w.back()
	w.wantStands(r, auth.RequestPending, 0)
}
