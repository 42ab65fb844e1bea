package auth_test

import (
	"testing"
	"time"

	"sekisho/auth"
)

func TestAnApprovedPassLetsOneStartIn(t *testing.T) {
	w := newWorld(t)
	w.leadsApprove(1)
	r := w.asked(hana)
	w.wantNoPass()
	_, err := w.show(r, hana)
	wantRefusal(t, err, auth.NotApproved)
	w.wait(time.Minute)
	r, err = w.approve(r, ben)
	if err != nil {
		t.Fatal(err)
	}
	w.wantNoPass()
	want := auth.Change{Verb: auth.Approved, By: ben, At: w.now.UTC(), Door: "socket", Source: "trigger-3", Settles: true}
	if len(r.History) != 1 || r.History[0] != want {
		t.Errorf("the approval is %+v; want %+v", r.History, want)
	}
	for _, other := range []string{ben, chiyo, ""} {
		_, err = w.show(r, other)
		wantRefusal(t, err, auth.NotYours)
	}
	w.wait(time.Minute)
	pass := w.shown(r, hana)
	if pass.User != hana || pass.Instance != web || pass.Rule != "leads" || !pass.Deadline.Equal(w.now.Add(passTTL)) {
		t.Errorf("the pass: %+v", pass)
	}
	w.wantStands(r, auth.RequestApproved, 2)
	if at, ok := w.kept(r).Did(auth.Shown); !ok || !at.Equal(w.now) {
		t.Errorf("shown: %v, %v", at, ok)
	}

	w.start(web, pass.Code.Reveal())
	o := w.opened(auth.Pending)
	wantStart(t, o.Start, true, auth.Pass, auth.TagGone)
	if web+o.Start.Asked != r.ID || o.Start.User != hana || o.Start.ByBot() {
		t.Errorf("the grant does not say what it came from: %+v", o.Start)
	}
	w.ec2.wantDid("Untag " + web + " Auth=" + pass.Code.Reveal())
	w.become(web, auth.Stopped)
	w.start(web, pass.Code.Reveal())
	wantStart(t, w.opened(auth.Pending).Start, false, auth.Used, auth.StopAsked)
	w.ec2.wantDid("Stop " + web)
	w.become(web, auth.Stopped)
	_, err = w.show(r, hana)
	wantRefusal(t, err, auth.Spent)
}

func TestASecondClickGivesAFreshCode(t *testing.T) {
	w := newWorld(t)
	w.leadsApprove(1)
	w.policy.Passes.Limit.Instance = 1 // the request is one pass, however often it is shown
	r := w.approved()
	passes := []auth.Issued{w.shown(r, hana)}
	for range 2 {
		w.wait(time.Second)
		passes = append(passes, w.shown(r, hana))
	}
	for _, p := range passes {
		if !p.Deadline.Equal(passes[0].Deadline) {
			t.Errorf("good until %v, and first until %v", p.Deadline, passes[0].Deadline)
		}
	}
	w.wantStands(r, auth.RequestApproved, 4) // every look is noted
	for _, old := range passes[:2] {
		w.start(web, old.Code.Reveal())
		wantStart(t, w.opened(auth.Pending).Start, false, auth.Voided, auth.StopAsked)
		w.ec2.wantDid("Stop " + web)
		w.become(web, auth.Stopped)
	}
	w.start(web, passes[2].Code.Reveal())
	wantStart(t, w.opened(auth.Pending).Start, true, auth.Pass, auth.TagGone)
	w.ec2.wantDid("Untag " + web + " Auth=" + passes[2].Code.Reveal())
	w.become(web, auth.Stopped)
	_, err := w.show(r, hana)
	wantRefusal(t, err, auth.Spent)
}

func TestAClickThatComesTwiceVoidsNothing(t *testing.T) {
	w := newWorld(t)
	w.leadsApprove(1)
	r := w.approved()
	w.shown(r, hana)
	click := w.click(hana)
	_, pass, err := w.requests.Show(t.Context(), r.ID, click)
	if err != nil {
		t.Fatal(err)
	}
	_, _, err = w.requests.Show(t.Context(), r.ID, click)
	wantRefusal(t, err, auth.Replayed)
	w.start(web, pass.Code.Reveal())
	wantStart(t, w.opened(auth.Pending).Start, true, auth.Pass, auth.TagGone)
	w.ec2.wantDid("Untag " + web + " Auth=" + pass.Code.Reveal())
}

// The store forgets passes a day after they have died. The request is
// remembered longer, and must not give out another pass then.
func TestASpentRequestStaysSpent(t *testing.T) {
	for name, spend := range map[string]func(*world, auth.Issued){
		"not used": func(*world, auth.Issued) {},
		"revoked": func(w *world, _ auth.Issued) {
			if err := w.passes.Void(w.t.Context(), hana, web); err != nil {
				w.t.Fatal(err)
			}
		},
		"used": func(w *world, pass auth.Issued) {
			w.start(web, pass.Code.Reveal())
			w.opened(auth.Pending)
			w.ec2.wantDid("Untag " + web + " Auth=" + pass.Code.Reveal())
			w.become(web, auth.Stopped)
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.leadsApprove(1)
			r := w.approved()
			spend(w, w.shown(r, hana))
			for _, later := range []time.Duration{passTTL + time.Second, 23 * time.Hour, 2 * time.Hour, 20 * 24 * time.Hour} {
				w.wait(later)
				_, err := w.show(r, hana)
				wantRefusal(t, err, auth.Spent)
			}
		})
	}
}

func TestARevokedPassIsNotShownAgain(t *testing.T) {
	w := newWorld(t)
	w.leadsApprove(1)
	r := w.approved()
	w.shown(r, hana)
	if err := w.passes.Void(t.Context(), hana, web); err != nil {
		t.Fatal(err)
	}
	_, err := w.show(r, hana)
	wantRefusal(t, err, auth.Spent)
}

// Another pass of the same person for the same instance is not this request's.
func TestShowGoesByItsOwnPass(t *testing.T) {
	w := newWorld(t)
	w.leadsApprove(1)
	first := w.approved()
	w.shown(first, hana)
	second := w.approved() // the first was shown: it is open no more
	live := w.shown(second, hana)
	_, err := w.show(first, hana)
	wantRefusal(t, err, auth.Spent)
	w.start(web, live.Code.Reveal())
	wantStart(t, w.opened(auth.Pending).Start, true, auth.Pass, auth.TagGone)
	w.ec2.wantDid("Untag " + web + " Auth=" + live.Code.Reveal())
}

func TestAShownPassDoesNotLapse(t *testing.T) {
	w := newWorld(t)
	w.leadsApprove(1)
	r := w.approved()
	w.wait(59 * time.Minute)
	w.shown(r, hana)
	w.wait(2 * time.Minute)
	if now, err := w.lapse(r); err != nil || now.Version() != 2 {
		t.Errorf("%+v, %v", now.History, err)
	}
	w.shown(r, hana) // and it can be looked at again while it is live
}

// The same goes for a pass that nobody had to agree to.
func TestAnExchangeGoesByTheHoursOfTheAsking(t *testing.T) {
	w := newWorld(t)
	minute := w.now.UTC().Hour()*60 + w.now.UTC().Minute()
	w.policy.Rules[0].Match.Hours = &auth.Hours{From: minute, To: minute + 1, Zone: time.UTC}
	pass := w.issue(hana, web)
	w.wait(5 * time.Minute)
	if _, err := w.requests.Exchange(t.Context(), w.click(hana), w.ec2.truth[web], pass.PassRecord); err != nil {
		t.Error(err)
	}
}

func TestAnExchangeKeepsTheDeadline(t *testing.T) {
	w := newWorld(t)
	old := w.issue(hana, web)
	w.wait(4 * time.Minute)
	fresh, err := w.requests.Exchange(t.Context(), w.click(hana), w.ec2.truth[web], old.PassRecord)
	if err != nil {
		t.Fatal(err)
	}
	if !fresh.Deadline.Equal(old.Deadline) || fresh.Code.Reveal() == old.Code.Reveal() {
		t.Errorf("exchanged for a pass until %v; want a new code, and the old deadline %v", fresh.Deadline, old.Deadline)
	}
	w.start(web, old.Code.Reveal())
	wantStart(t, w.opened(auth.Pending).Start, false, auth.Voided, auth.StopAsked)
	w.ec2.wantDid("Stop " + web)
	w.become(web, auth.Stopped)
	w.start(web, fresh.Code.Reveal())
	s := w.opened(auth.Pending).Start
	wantStart(t, s, true, auth.Pass, auth.TagGone)
	if !s.ByBot() {
		t.Errorf("asked as %q: nobody can tell that the bot began it", s.Asked)
	}
	w.ec2.wantDid("Untag " + web + " Auth=" + fresh.Code.Reveal())
}

func TestAnExchangeIsForTheOwnerOfALivePass(t *testing.T) {
	w := newWorld(t)
	w.ec2.put(guarded(db, auth.Stopped, w.now))
	old := w.issue(hana, web)
	exchange := func(user, instance string) error {
		_, err := w.requests.Exchange(t.Context(), w.click(user), w.ec2.truth[instance], old.PassRecord)
		return err
	}
	wantRefusal(t, exchange(ben, web), auth.NoPass)
	wantRefusal(t, exchange(hana, db), auth.NoPass)

	rules := w.policy.Rules
	w.policy.Rules = nil
	wantRefusal(t, exchange(hana, web), auth.NoRule)
	w.policy.Rules = []auth.Rule{{Name: "others", Ask: []string{ben}}}
	wantRefusal(t, exchange(hana, web), auth.NotAllowed)
	w.policy.Rules = rules
	w.leadsApprove(1) // nobody had to agree when the pass was given out
	wantRefusal(t, exchange(hana, web), auth.PolicyChanged)
	w.policy.Rules = rules

	w.wait(10*time.Minute + time.Second)
	wantRefusal(t, exchange(hana, web), auth.NoPass)
}

// A pass that was approved, or taken by breaking glass, is exchanged as long as
// it would be given out.
func TestAnExchangeGoesByWhatThePassCameFrom(t *testing.T) {
	for name, tt := range map[string]struct {
		request func(*world) auth.Request
		change  func(*world)
	}{
		"approved": {(*world).approved, func(w *world) { w.slack.groups[leads] = []string{chiyo} }},
		"glass": {func(w *world) auth.Request {
			w.policy.Rules[0].Ask = []string{ben} // who may break glass need not be who may ask
			r := w.brokenGlass()
			if _, err := w.confirmGlass(r, hana); err != nil {
				w.t.Fatal(err)
			}
			return r
		}, func(w *world) { w.policy.Rules[0].BreakGlass.By = []string{ben} }},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.leadsApprove(1)
			r := tt.request(w)
			pass := w.shown(r, hana)
			exchange := func(user string) (auth.Issued, error) {
				return w.requests.Exchange(t.Context(), w.click(user), w.ec2.truth[web], pass.PassRecord)
			}
			_, err := exchange(ben)
			wantRefusal(t, err, auth.NoPass)
			tt.change(w)
			_, err = exchange(hana)
			wantRefusal(t, err, auth.PolicyChanged)
			w.slack.groups[leads], w.policy.Rules[0].BreakGlass.By = []string{ben}, []string{hana}
			fresh, err := exchange(hana)
			if err != nil || !fresh.Deadline.Equal(pass.Deadline) {
				t.Fatalf("good until %v, %v; want %v", fresh.Deadline, err, pass.Deadline)
			}
			_, err = w.show(r, hana) // the code is the bot's now
			wantRefusal(t, err, auth.Spent)
		})
	}
}

func TestAPassIsNotShownForEver(t *testing.T) {
	w := newWorld(t)
	w.leadsApprove(1)
	r := w.approved()
	for range 20 {
		w.shown(r, hana)
	}
	_, err := w.show(r, hana)
	wantRefusal(t, err, auth.Spent)
}
