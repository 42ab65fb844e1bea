package auth_test

import (
	"errors"
	"fmt"
	"testing"
	"testing/iotest"
	"time"

	"sekisho/auth"
	"sekisho/auth/authtest"
)

const (
	passTTL  = 5 * time.Minute
	glassTTL = 2 * time.Minute
)

// leadsApprove has everybody ask and so many of the leads approve within an
// hour; hana may break glass.
func (w *world) leadsApprove(count int) *auth.Rule {
	w.policy.Rules = []auth.Rule{{
		Name: "leads", Ask: []string{auth.Everyone}, TTL: passTTL,
		Approve:    &auth.Approve{By: []string{leads}, Count: count, Within: time.Hour},
		BreakGlass: &auth.BreakGlass{By: []string{hana}, TTL: glassTTL},
	}}
	return &w.policy.Rules[0]
}

func (w *world) wish(user string) auth.Wish {
	return auth.Wish{Asker: w.click(user), Instance: w.ec2.truth[web]}
}

// asked is the user's request for web, which must become one.
func (w *world) asked(user string) auth.Request {
	w.t.Helper()
	pass, r, err := w.requests.Ask(w.t.Context(), w.wish(user))
	if err != nil || pass != nil || r == nil {
		w.t.Fatalf("asking: pass %v, request %v, %v", pass, r, err)
	}
	return *r
}

// brokenGlass is hana's break-glass request, not yet confirmed.
func (w *world) brokenGlass() auth.Request {
	w.t.Helper()
	wish := w.wish(hana)
	wish.Why = "the site is down"
	r, err := w.requests.AskToBreakGlass(w.t.Context(), wish)
	if err != nil {
		w.t.Fatalf("asking to break glass: %v", err)
	}
	return r
}

// The clicks of a user on a request.
func (w *world) approve(r auth.Request, user string) (auth.Request, error) {
	return w.requests.Approve(w.t.Context(), r.ID, w.click(user))
}

func (w *world) deny(r auth.Request, user string) (auth.Request, error) {
	return w.requests.Deny(w.t.Context(), r.ID, w.click(user), "not tonight")
}

func (w *world) withdraw(r auth.Request, user string) (auth.Request, error) {
	return w.requests.Withdraw(w.t.Context(), r.ID, w.click(user))
}

func (w *world) confirmGlass(r auth.Request, user string) (auth.Request, error) {
	return w.requests.Confirm(w.t.Context(), r.ID, w.click(user))
}

func (w *world) lapse(r auth.Request) (auth.Request, error) {
	return w.requests.Lapse(w.t.Context(), r.ID)
}

func (w *world) show(r auth.Request, user string) (auth.Issued, error) {
	_, pass, err := w.requests.Show(w.t.Context(), r.ID, w.click(user))
	return pass, err
}

// approved is hana's request with ben's approval, which is enough.
func (w *world) approved() auth.Request {
	w.t.Helper()
	r := w.asked(hana)
	now, err := w.approve(r, ben)
	if err != nil || now.State() != auth.RequestApproved {
		w.t.Fatalf("approving: %s, %v", now.State(), err)
	}
	return now
}

// shown is the pass of the user's approved request.
func (w *world) shown(r auth.Request, user string) auth.Issued {
	w.t.Helper()
	pass, err := w.show(r, user)
	if err != nil || pass.Code.Reveal() == "" {
		w.t.Fatalf("showing: %v", err)
	}
	return pass
}

// wait moves the clock, the store's too.
func (w *world) wait(d time.Duration) {
	w.now = w.now.Add(d)
	w.redis.FastForward(d)
}

// kept is the request as the store has it.
func (w *world) kept(r auth.Request) auth.Request {
	w.t.Helper()
	kept, _, err := w.store.Request(w.t.Context(), r.ID)
	if err != nil {
		w.t.Fatalf("reading the request: %v", err)
	}
	return kept
}

// wantStands wants the request in this state, after so many changes.
func (w *world) wantStands(r auth.Request, s auth.RequestState, version int) {
	w.t.Helper()
	if kept := w.kept(r); kept.State() != s || kept.Version() != version {
		w.t.Errorf("the request is %s at version %d: %+v; want %s, %d", kept.State(), kept.Version(), kept.History, s, version)
	}
}

// wantNoPass wants no pass to be out for web.
func (w *world) wantNoPass() {
	w.t.Helper()
	if all, err := w.store.PassesOf(w.t.Context(), []string{web}); err != nil || len(all) != 0 {
		w.t.Errorf("passes were given out: %+v, %v", all, err)
	}
}

func TestWhereNobodyNeedsToAgreeThePassComesAtOnce(t *testing.T) {
	w := newWorld(t)
	wish := w.wish(hana)
	wish.TTL = time.Minute
	pass, r, err := w.requests.Ask(t.Context(), wish)
	if err != nil || r != nil || pass.Code.Reveal() == "" {
		t.Fatalf("pass %v, request %v, %v", pass, r, err)
	}
	if pass.Rule != "everyone" || pass.User != hana || pass.Request == "" || !pass.Deadline.Equal(w.now.Add(time.Minute)) {
		t.Errorf("the pass: %+v", pass)
	}
	if all, err := w.store.Requests(t.Context()); err != nil || len(all) != 0 {
		t.Errorf("requests were made: %+v, %v", all, err)
	}
	_, _, err = w.requests.Ask(t.Context(), wish)
	wantRefusal(t, err, auth.Replayed)
}

func TestTheTTLIsNoLongerThanTheRules(t *testing.T) {
	for wanted, want := range map[time.Duration]time.Duration{
		0: passTTL, -time.Second: passTTL, time.Minute: time.Minute, passTTL: passTTL, passTTL + 1: passTTL, time.Hour: passTTL,
	} {
		w := newWorld(t)
		w.leadsApprove(1)
		wish := w.wish(hana)
		wish.TTL = wanted
		_, r, err := w.requests.Ask(t.Context(), wish)
		if err != nil || r.TTL != want {
			t.Fatalf("wanted %v: got %v, %v; want %v", wanted, r.TTL, err, want)
		}
		if _, err := w.approve(*r, ben); err != nil {
			t.Fatal(err)
		}
		if pass := w.shown(*r, hana); !pass.Deadline.Equal(w.now.Add(want)) {
			t.Errorf("wanted %v: good until %v; want %v", wanted, pass.Deadline, w.now.Add(want))
		}
	}
}

func TestARequestKeepsWhatWasAsked(t *testing.T) {
	w := newWorld(t)
	rule := w.leadsApprove(2)
	rule.Match.Tags = map[string]string{"Sekisho": "guarded", "Env": "prod"}
	rule.Approve.Confirm = true
	i := w.ec2.truth[web]
	i.Tags["Env"], i.Tags["Team"] = "prod", "blue"
	i.Type, i.Region, i.Account = "p5.48xlarge", "eu-west-1", "111122223333"
	wish := auth.Wish{
		Asker: w.click(hana), Instance: i, Why: "the release", TTL: time.Minute, Channel: "C0OPS", Reply: "sealed",
	}
	_, r, err := w.requests.Ask(t.Context(), wish)
	if err != nil {
		t.Fatal(err)
	}
	want := auth.Request{
		ID: r.ID, Asker: hana, Instance: web, Name: "web-1", Type: "p5.48xlarge", Region: "eu-west-1", Account: "111122223333",
		Matched: []string{"Env=prod", "Sekisho=guarded"}, Why: "the release", TTL: time.Minute, Rule: "leads",
		By: []string{leads}, Need: 2, Confirm: true, Within: time.Hour, Asked: w.now,
		Channel: "C0OPS", Door: "socket", Source: "trigger-1", Reply: "sealed",
	}
	if fmt.Sprintf("%+v", *r) != fmt.Sprintf("%+v", want) {
		t.Errorf("the request is\n%+v\nwant\n%+v", *r, want)
	}
	if i, ok := auth.InstanceOf(r.ID); !ok || i != web || len(r.ID) != len(web)+1+22 {
		t.Errorf("the id %q is not the instance's, or can be guessed", r.ID)
	}
	if got := w.kept(*r); !got.Asked.Equal(w.now) || got.State() != auth.RequestPending || !got.Open() {
		t.Errorf("stored as %+v", got)
	}
}

func TestAskingIsRefusedWhereAPassMakesNoSense(t *testing.T) {
	for state, want := range map[auth.State]auth.Reason{
		auth.Stopped:      "",
		auth.Stopping:     "", // it can be started in a moment
		auth.Pending:      auth.AlreadyUp,
		auth.Running:      auth.AlreadyUp,
		auth.ShuttingDown: auth.Gone,
		auth.Terminated:   auth.Gone,
		"unguarded":       auth.NotGuarded,
	} {
		for _, count := range []int{0, 1} {
			w := newWorld(t)
			if count > 0 {
				w.leadsApprove(count)
			}
			wish := w.wish(hana)
			wish.Instance.State, wish.Why = state, "the site is down"
			if state == "unguarded" {
				wish.Instance.State, wish.Instance.Tags = auth.Running, nil
			}
			pass, r, err := w.requests.Ask(t.Context(), wish)
			if want == "" {
				if err != nil {
					t.Errorf("%s: refused: %v", state, err)
				}
				continue
			}
			wantRefusal(t, err, want)
			if pass != nil || r != nil {
				t.Errorf("%s: got %v, %v all the same", state, pass, r)
			}
			_, err = w.requests.AskToBreakGlass(t.Context(), wish)
			wantRefusal(t, err, want)
			w.wantNoPass()
		}
	}
}

func TestAskingIsRefusedByTheRule(t *testing.T) {
	for name, tt := range map[string]struct {
		change func(w *world, r *auth.Rule)
		want   auth.Reason
	}{
		"not for her":                  {func(_ *world, r *auth.Rule) { r.Ask = []string{ben, leads} }, auth.NotAllowed},
		"in a group that is gone":      {func(_ *world, r *auth.Rule) { r.Ask = []string{"S0GONE"} }, auth.NotAllowed},
		"no rule":                      {func(w *world, _ *auth.Rule) { w.policy.Rules = nil }, auth.NoRule},
		"why?":                         {func(_ *world, r *auth.Rule) { r.Approve.Reason = true }, auth.NeedsReason},
		"she alone could approve":      {func(_ *world, r *auth.Rule) { r.Approve.By, r.Approve.Count = []string{hana}, 1 }, auth.NoApprovers},
		"one too few":                  {func(_ *world, r *auth.Rule) { r.Approve.Count = 3 }, auth.NoApprovers},
		"one of them twice":            {func(_ *world, r *auth.Rule) { r.Approve.By, r.Approve.Count = []string{ben, leads}, 3 }, auth.NoApprovers},
		"the approvers' group is gone": {func(w *world, _ *auth.Rule) { delete(w.slack.groups, leads) }, auth.NoApprovers},
		"the approvers' group is empty, but for her": {func(w *world, r *auth.Rule) {
			w.slack.groups[leads], r.Approve.Count = []string{hana}, 1
		}, auth.NoApprovers},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			tt.change(w, w.leadsApprove(2))
			pass, r, err := w.requests.Ask(t.Context(), w.wish(hana))
			wantRefusal(t, err, tt.want)
			if pass != nil || r != nil {
				t.Errorf("got %v, %v all the same", pass, r)
			}
			var refused *auth.Refusal
			if errors.As(err, &refused) && tt.want != auth.NoRule && (refused.Rule == nil || refused.Rule.Name != "leads") {
				t.Errorf("the refusal does not name its rule: %+v", refused.Rule)
			}
			w.wantNoPass()
		})
	}
}

func TestARuleThatAsksWhyIsContentWithAReason(t *testing.T) {
	w := newWorld(t)
	w.leadsApprove(1).Approve.Reason = true
	wish := w.wish(hana)
	wish.Why = "the release"
	_, r, err := w.requests.Ask(t.Context(), wish)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.approve(*r, ben); err != nil {
		t.Fatal(err)
	}
	w.shown(*r, hana)
}

func TestOneOpenRequestOfAPerson(t *testing.T) {
	w := newWorld(t)
	w.leadsApprove(1)
	first := w.asked(hana)
	_, other, err := w.requests.Ask(t.Context(), w.wish(hana))
	wantRefusal(t, err, auth.AlreadyAsked)
	if other == nil || other.ID != first.ID {
		t.Errorf("the open request does not stand beside the refusal: %+v", other)
	}
	w.asked(dan)
	if _, err := w.approve(first, ben); err != nil {
		t.Fatal(err)
	}
	_, _, err = w.requests.Ask(t.Context(), w.wish(hana)) // she is to fetch it
	wantRefusal(t, err, auth.AlreadyAsked)
	w.shown(first, hana)
	w.asked(hana)
}

func TestAReplayedCommandAsksNothing(t *testing.T) {
	w := newWorld(t)
	w.leadsApprove(1)
	wish := w.wish(hana)
	_, r, err := w.requests.Ask(t.Context(), wish)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		_, _, err = w.requests.Ask(t.Context(), wish)
		wantRefusal(t, err, auth.Replayed)
		if now, _ := w.withdraw(*r, hana); now.State() != auth.RequestWithdrawn { // it makes no room either
			t.Errorf("the request is %s", now.State())
		}
	}
	if all, err := w.store.Requests(t.Context()); err != nil || len(all) != 1 {
		t.Errorf("requests: %+v, %v", all, err)
	}
}

func TestNoRequestWithoutRandomness(t *testing.T) {
	w := newWorld(t)
	w.leadsApprove(1)
	dry := errors.New("no randomness")
	w.requests.Random = iotest.ErrReader(dry)
	if _, _, err := w.requests.Ask(t.Context(), w.wish(hana)); !errors.Is(err, dry) {
		t.Errorf("error %v; want the source's own", err)
	}
}

func TestInstanceOfARequest(t *testing.T) {
	for id, want := range map[string]string{
		web + "/abc": web, "i-1a2b3c4d/x": "i-1a2b3c4d", web: "", web + "/": "", "/abc": "", "web/abc": "", "": "",
	} {
		if got, ok := auth.InstanceOf(id); ok != (want != "") || ok && got != want {
			t.Errorf("%q is of %q, %v; want %q", id, got, ok, want)
		}
	}
}

// With leaves the request alone that it was made from: many may go on from it.
func TestWithChangesNothingBehindItsBack(t *testing.T) {
	r := auth.Request{Asked: authtest.T0, History: make([]auth.Change, 0, 8)}
	denied, approved := r.With(auth.Change{Verb: auth.Denied, Settles: true}), r.With(auth.Change{Verb: auth.Approved, Settles: true})
	if denied.State() != auth.RequestDenied || approved.State() != auth.RequestApproved || r.State() != auth.RequestPending {
		t.Errorf("denied is %s, approved is %s, and what they came from %s", denied.State(), approved.State(), r.State())
	}
}
