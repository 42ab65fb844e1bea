package auth_test

import (
	"testing"
	"time"

	"sekisho/auth"
)

func TestBreakingGlassNeedsASecondWord(t *testing.T) {
	w := newWorld(t)
	w.leadsApprove(2)
	r := w.brokenGlass()
	if !r.Break || r.Rule != "leads" || r.Why != "the site is down" || r.Need != 0 || r.TTL != glassTTL {
		t.Errorf("the request: %+v", r)
	}
	_, err := w.show(r, hana)
	wantRefusal(t, err, auth.NotApproved)
	for _, other := range []string{ben, dan, ""} {
		_, err = w.confirmGlass(r, other)
		wantRefusal(t, err, auth.NotYours)
	}
	for _, click := range []func(auth.Request, string) (auth.Request, error){w.approve, w.deny} {
		_, err = click(r, ben) // nobody is asked, and so nobody answers
		wantRefusal(t, err, auth.TooLate)
	}
	w.wantStands(r, auth.RequestPending, 0)
	now, err := w.confirmGlass(r, hana)
	if err != nil || now.State() != auth.RequestApproved || len(now.Approvers()) != 0 {
		t.Fatalf("confirmed: %s by %q, %v", now.State(), now.Approvers(), err)
	}
	if c, _ := now.Settled(); c.Verb != auth.Broke || c.By != hana || c.Note != "the site is down" {
		t.Errorf("settled by %+v", c)
	}
	_, err = w.confirmGlass(r, hana)
	wantRefusal(t, err, auth.TooLate)
	_, err = w.show(r, ben)
	wantRefusal(t, err, auth.NotYours)
	if pass := w.shown(r, hana); !pass.Deadline.Equal(w.now.Add(glassTTL)) {
		t.Errorf("good until %v; want %v from now", pass.Deadline, glassTTL)
	}
}

func TestBreakingGlassIsForThoseWhomTheRuleNames(t *testing.T) {
	for name, tt := range map[string]struct {
		change func(w *world, r *auth.Rule)
		why    string
		want   auth.Reason
	}{
		"another":             {func(_ *world, r *auth.Rule) { r.BreakGlass.By = []string{ben, leads} }, "fire", auth.NoBreakGlass},
		"no such way":         {func(_ *world, r *auth.Rule) { r.BreakGlass = nil }, "fire", auth.NoBreakGlass},
		"no rule":             {func(w *world, _ *auth.Rule) { w.policy.Rules = nil }, "fire", auth.NoBreakGlass},
		"a guest":             {func(w *world, _ *auth.Rule) { w.slack.people[hana] = auth.Person{ID: hana, Guest: true} }, "fire", auth.NoBreakGlass},
		"no reason":           {func(*world, *auth.Rule) {}, "", auth.NeedsReason},
		"no right, no reason": {func(_ *world, r *auth.Rule) { r.BreakGlass = nil }, "", auth.NoBreakGlass},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			tt.change(w, w.leadsApprove(1))
			wish := w.wish(hana)
			wish.Why = tt.why
			_, err := w.requests.AskToBreakGlass(t.Context(), wish)
			wantRefusal(t, err, tt.want)
			if all, _ := w.store.Requests(t.Context()); len(all) != 0 {
				t.Errorf("stored %+v", all)
			}
		})
	}
	w := newWorld(t)
	w.leadsApprove(1).Ask = []string{ben} // who may break glass need not be who may ask
	r := w.brokenGlass()
	if _, err := w.confirmGlass(r, hana); err != nil {
		t.Fatal(err)
	}
	w.shown(r, hana)
}

func TestBreakingGlassIsJudgedAgainAtEveryClick(t *testing.T) {
	w := newWorld(t)
	rule := w.leadsApprove(1)
	r := w.brokenGlass()
	by := rule.BreakGlass.By
	rule.BreakGlass.By = []string{ben}
	_, err := w.confirmGlass(r, hana)
	wantRefusal(t, err, auth.NoBreakGlass)
	rule.BreakGlass.By = by
	if _, err := w.confirmGlass(r, hana); err != nil {
		t.Fatal(err)
	}
	rule.BreakGlass.By = []string{ben}
	_, err = w.show(r, hana)
	wantRefusal(t, err, auth.PolicyChanged)
	w.wantNoPass()
}

func TestABreakGlassRequestLapsesSoon(t *testing.T) {
	w := newWorld(t)
	w.leadsApprove(1)
	r := w.brokenGlass()
	w.wait(10*time.Minute + time.Millisecond)
	_, err := w.confirmGlass(r, hana)
	wantRefusal(t, err, auth.TooLate)
	if now, err := w.lapse(r); err != nil || now.State() != auth.RequestExpired {
		t.Errorf("%s, %v; want expired", now.State(), err)
	}
	r = w.brokenGlass()
	if now, err := w.withdraw(r, hana); err != nil || now.State() != auth.RequestWithdrawn {
		t.Errorf("%s, %v; want withdrawn", now.State(), err)
	}
}

// An ordinary request must not be settled by its asker through the other door.
func TestConfirmIsForBreakGlassAlone(t *testing.T) {
	w := newWorld(t)
	w.leadsApprove(1)
	r := w.asked(hana)
	_, err := w.confirmGlass(r, hana)
	wantRefusal(t, err, auth.TooLate)
	w.wantStands(r, auth.RequestPending, 0)
}
