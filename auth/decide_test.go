package auth_test

import (
	"slices"
	"testing"
	"time"

	"sekisho/auth"
)

func TestAPendingRequestLapses(t *testing.T) {
	w := newWorld(t)
	w.leadsApprove(1)
	r := w.asked(hana)
	w.wait(time.Hour)
	if _, err := w.lapse(r); err != nil {
		t.Fatal(err)
	}
	w.wantStands(r, auth.RequestPending, 0) // to the minute: there is time still
	w.wait(time.Millisecond)
	for name, click := range map[string]func(auth.Request, string) (auth.Request, error){"approve": w.approve, "deny": w.deny} {
		if _, err := click(r, ben); err == nil {
			t.Errorf("%s after the time was up", name)
		} else {
			wantRefusal(t, err, auth.TooLate) // though nobody has written it down yet
		}
	}
	for range 2 {
		now, err := w.lapse(r)
		if err != nil || now.State() != auth.RequestExpired {
			t.Errorf("lapsed: %s, %v", now.State(), err)
		}
	}
	w.wantStands(r, auth.RequestExpired, 1)
	if c := w.kept(r).History[0]; c.By != "" || c.Verb != auth.Lapsed {
		t.Errorf("it lapsed by %+v", c)
	}
	_, err := w.approve(r, ben)
	wantRefusal(t, err, auth.TooLate)
	_, err = w.show(r, hana)
	wantRefusal(t, err, auth.TooLate)
	w.asked(hana) // there is room for another
}

func TestAnApprovalThatIsNotMadeUseOfLapses(t *testing.T) {
	w := newWorld(t)
	w.leadsApprove(1)
	r := w.asked(hana)
	w.wait(50 * time.Minute)
	r, err := w.approve(r, ben)
	if err != nil {
		t.Fatal(err)
	}
	w.wait(time.Hour) // from the approval
	if now, err := w.lapse(r); err != nil || now.Version() != 1 {
		t.Errorf("lapsed too early: %+v, %v", now.History, err)
	}
	w.wait(time.Millisecond)
	_, err = w.show(r, hana)
	wantRefusal(t, err, auth.TooLate)
	for range 2 {
		now, err := w.lapse(r)
		if err != nil || now.Open() {
			t.Errorf("open after its time: %v", err)
		}
	}
	w.wantStands(r, auth.RequestApproved, 2) // what was decided stays decided
	_, err = w.show(r, hana)
	wantRefusal(t, err, auth.TooLate)
	w.wantNoPass()
}

func TestOnlyTheAskerWithdraws(t *testing.T) {
	w := newWorld(t)
	w.leadsApprove(1)
	r := w.asked(hana)
	for _, other := range []string{ben, dan, ""} {
		_, err := w.withdraw(r, other)
		wantRefusal(t, err, auth.NotYours)
	}
	now, err := w.withdraw(r, hana)
	if err != nil || now.State() != auth.RequestWithdrawn || now.Open() {
		t.Errorf("withdrawn: %s, %v", now.State(), err)
	}
	for name, click := range map[string]func(auth.Request, string) (auth.Request, error){
		"approve": w.approve, "deny": w.deny,
	} {
		now, err := click(r, ben)
		if wantRefusal(t, err, auth.TooLate); now.State() != auth.RequestWithdrawn {
			t.Errorf("%s: the loser sees %s", name, now.State())
		}
	}
	_, err = w.withdraw(r, hana)
	wantRefusal(t, err, auth.TooLate)
	_, err = w.show(r, hana)
	wantRefusal(t, err, auth.TooLate)
	w.wantStands(r, auth.RequestWithdrawn, 1)

	r = w.approved()
	_, err = w.withdraw(r, hana)
	wantRefusal(t, err, auth.TooLate)
}

func TestADenialSaysWhy(t *testing.T) {
	w := newWorld(t)
	w.leadsApprove(1)
	r := w.asked(hana)
	now, err := w.deny(r, ben)
	if err != nil || now.State() != auth.RequestDenied {
		t.Fatalf("denied: %s, %v", now.State(), err)
	}
	if c, _ := now.Settled(); c.By != ben || c.Note != "not tonight" || c.Verb != auth.Denied {
		t.Errorf("the denial: %+v", c)
	}
	_, err = w.approve(r, chiyo)
	wantRefusal(t, err, auth.TooLate)
	_, err = w.show(r, hana)
	wantRefusal(t, err, auth.TooLate)
	w.wantStands(r, auth.RequestDenied, 1)
	w.asked(hana)
}

// Approve and Deny ask for the same right, and so does the look before the
// modal that asks for a reason.
func TestWhoMayNotApproveMayNotDeny(t *testing.T) {
	strange := func(p auth.Person) func(*world) string {
		return func(w *world) string {
			p.ID = "U0STRANGE"
			w.slack.people[p.ID] = p
			w.slack.groups[leads] = append(w.slack.groups[leads], p.ID)
			return p.ID
		}
	}
	for name, tt := range map[string]struct {
		clicker func(*world) string
		want    auth.Reason
	}{
		"the asker": {func(*world) string { return hana }, auth.OwnRequest},
		"the asker, who is a lead": {func(w *world) string {
			w.slack.groups[leads] = append(w.slack.groups[leads], hana)
			return hana
		}, auth.OwnRequest},
		"not a lead":             {func(*world) string { return dan }, auth.NotApprover},
		"nobody":                 {func(*world) string { return "" }, auth.NotApprover},
		"the group":              {func(*world) string { return leads }, auth.NotApprover},
		"a lead who is a bot":    {strange(auth.Person{Bot: true}), auth.NotApprover},
		"a lead who is a guest":  {strange(auth.Person{Guest: true}), auth.NotApprover},
		"a lead who has left":    {strange(auth.Person{Deactivated: true}), auth.NotApprover},
		"a lead from elsewhere":  {strange(auth.Person{Outside: true}), auth.NotApprover},
		"a lead nobody knows of": {func(w *world) string { delete(w.slack.people, ben); return ben }, auth.NotApprover},
		"a lead no more":         {func(w *world) string { w.slack.groups[leads] = []string{chiyo}; return ben }, auth.NotApprover},
		"a lead of no group":     {func(w *world) string { delete(w.slack.groups, leads); return ben }, auth.NotApprover},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.leadsApprove(1)
			r := w.asked(hana)
			user := tt.clicker(w)
			_, may := w.requests.MayDecide(t.Context(), r.ID, user)
			wantRefusal(t, may, tt.want)
			wantRefusal(t, w.requests.MayDecideOn(t.Context(), r, w.ec2.truth[web], user), tt.want)
			_, err := w.approve(r, user)
			wantRefusal(t, err, tt.want)
			_, err = w.deny(r, user)
			wantRefusal(t, err, tt.want)
			w.wantStands(r, auth.RequestPending, 0)
		})
	}
}

func TestTheQuorumCountsPeople(t *testing.T) {
	w := newWorld(t)
	w.leadsApprove(2)
	r := w.asked(hana)
	now, err := w.approve(r, ben)
	if err != nil || now.State() != auth.RequestPending || now.History[0].Settles {
		t.Fatalf("after one of two: %+v, %v", now.History, err)
	}
	_, err = w.show(r, hana)
	wantRefusal(t, err, auth.NotApproved)
	_, err = w.requests.MayDecide(t.Context(), r.ID, ben)
	wantRefusal(t, err, auth.AlreadyApproved)
	_, err = w.approve(r, ben)
	wantRefusal(t, err, auth.AlreadyApproved)
	now, err = w.approve(r, chiyo)
	if err != nil || now.State() != auth.RequestApproved || !slices.Equal(now.Approvers(), []string{ben, chiyo}) {
		t.Errorf("after two of two: %s by %q, %v", now.State(), now.Approvers(), err)
	}
	w.shown(r, hana)
}

func TestWhoHasApprovedMayThinkAgain(t *testing.T) {
	w := newWorld(t)
	w.leadsApprove(2)
	r := w.asked(hana)
	if _, err := w.approve(r, ben); err != nil {
		t.Fatal(err)
	}
	now, err := w.deny(r, ben)
	if err != nil || now.State() != auth.RequestDenied {
		t.Errorf("%s, %v; want denied", now.State(), err)
	}
}

func TestNobodyKnowsSuchARequest(t *testing.T) {
	w := newWorld(t)
	w.leadsApprove(1)
	r := auth.Request{ID: web + "/none"}
	clicks := map[string]func(auth.Request, string) (auth.Request, error){
		"approve": w.approve, "deny": w.deny, "withdraw": w.withdraw, "confirm": w.confirmGlass,
		"lapse": func(r auth.Request, _ string) (auth.Request, error) { return w.lapse(r) },
		"show":  func(r auth.Request, u string) (auth.Request, error) { _, err := w.show(r, u); return r, err },
		"may": func(r auth.Request, u string) (auth.Request, error) {
			_, err := w.requests.MayDecide(t.Context(), r.ID, u)
			return r, err
		},
	}
	for name, click := range clicks {
		_, err := click(r, ben)
		if wantRefusal(t, err, auth.NoRequest); t.Failed() {
			t.Fatal(name)
		}
	}
}

func TestAReminderIsNotedWhileSomebodyIsWaitedFor(t *testing.T) {
	w := newWorld(t)
	w.leadsApprove(1) // within an hour
	remind := func(r auth.Request, after time.Duration, version int) {
		t.Helper()
		w.now = w.now.Add(after)
		now, err := w.requests.Remind(t.Context(), r.ID)
		if err != nil || now.Version() != version {
			t.Errorf("after %s: %d changes, %v; want %d", after, now.Version(), err, version)
		}
	}
	const eighth = time.Hour / 8
	glass := w.brokenGlass()
	remind(glass, eighth, 0)
	if _, err := w.withdraw(glass, hana); err != nil {
		t.Fatal(err)
	}
	r := w.asked(hana)
	remind(r, eighth-time.Second, 0)
	remind(r, time.Second, 1)
	remind(r, 0, 1) // once for each time
	remind(r, 2*eighth-time.Second, 1)
	remind(r, time.Second, 2)
	remind(r, 4*eighth, 3)
	remind(r, 8*eighth, 3) // and three times at most
	w.wantStands(r, auth.RequestPending, 3)

	again := w.asked(ben)
	if _, err := w.approve(again, chiyo); err != nil {
		t.Fatal(err)
	}
	remind(again, eighth, 1)
}
