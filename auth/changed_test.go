package auth_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"sekisho/auth"
)

// An approval counts as long as its approver may approve.
func TestAnApproverWhoLeaves(t *testing.T) {
	for name, leave := range map[string]func(*world){
		"the company": func(w *world) { w.slack.people[ben] = auth.Person{ID: ben, Deactivated: true} },
		"Slack":       func(w *world) { delete(w.slack.people, ben) },
		"the group":   func(w *world) { w.slack.groups[leads] = []string{chiyo, dan} },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.leadsApprove(2)
			r := w.asked(hana)
			if _, err := w.approve(r, ben); err != nil {
				t.Fatal(err)
			}
			w.slack.groups[leads] = []string{ben, chiyo, dan}
			leave(w)
			now, err := w.approve(r, chiyo)
			if err != nil || now.State() != auth.RequestPending {
				t.Fatalf("after one of two who counts: %s, %v", now.State(), err)
			}
			now, err = w.approve(r, dan)
			if err != nil || now.State() != auth.RequestApproved {
				t.Fatalf("after two who count: %s, %v", now.State(), err)
			}
			w.shown(r, hana)
			w.slack.people[dan] = auth.Person{ID: dan, Guest: true}
			_, err = w.show(r, hana)
			wantRefusal(t, err, auth.PolicyChanged)
		})
	}
}

// The policy is asked at the request, at every click, and at the hand-out.
func TestThePolicyMayChangeInBetween(t *testing.T) {
	for name, tt := range map[string]struct {
		change             func(*auth.Policy)
		approve, deny, out auth.Reason
	}{
		"ben approves no more":  {func(p *auth.Policy) { p.Rules[0].Approve.By = []string{chiyo} }, auth.NotApprover, auth.NotApprover, auth.PolicyChanged},
		"hana may ask no more":  {func(p *auth.Policy) { p.Rules[0].Ask = []string{dan} }, auth.PolicyChanged, "", auth.PolicyChanged},
		"no rule any more":      {func(p *auth.Policy) { p.Rules = nil }, auth.NotApprover, auth.NotApprover, auth.PolicyChanged},
		"two must agree now":    {func(p *auth.Policy) { p.Rules[0].Approve.Count = 2 }, "", "", auth.PolicyChanged},
		"a reason is needed":    {func(p *auth.Policy) { p.Rules[0].Approve.Reason = true }, auth.PolicyChanged, "", auth.PolicyChanged},
		"nobody must agree now": {func(p *auth.Policy) { p.Rules[0].Approve = nil }, auth.NotApprover, auth.NotApprover, ""},
		"another rule decides, by others": {func(p *auth.Policy) {
			p.Rules = append([]auth.Rule{{Name: "dan", Ask: []string{auth.Everyone},
				Approve: &auth.Approve{By: []string{dan}, Count: 1, Within: time.Hour}}}, p.Rules...)
		}, auth.NotApprover, auth.NotApprover, auth.PolicyChanged},
		"one of three is enough": {func(p *auth.Policy) { p.Rules[0].Approve.By = []string{leads, dan} }, "", "", ""},
	} {
		change := func(w *world) (back func()) {
			was, rule := *w.policy, w.policy.Rules[0]
			a := *rule.Approve
			rule.Approve = &a
			w.policy.Rules = []auth.Rule{rule}
			tt.change(w.policy)
			return func() { *w.policy = was }
		}
		want := func(t *testing.T, err error, why auth.Reason) {
			t.Helper()
			if why != "" {
				wantRefusal(t, err, why)
			} else if err != nil {
				t.Error(err)
			}
		}
		t.Run(name+", before a click", func(t *testing.T) {
			w := newWorld(t)
			w.leadsApprove(1)
			r := w.asked(hana)
			back := change(w)
			now, err := w.approve(r, ben)
			want(t, err, tt.approve)
			if err == nil && now.State() == auth.RequestApproved != (tt.out == "") {
				t.Errorf("the approval makes it %s", now.State())
			}
			if err != nil {
				w.wantStands(r, auth.RequestPending, 0)
			}
			back()
			r = w.asked(dan)
			change(w)
			_, err = w.deny(r, ben)
			want(t, err, tt.deny)
		})
		t.Run(name+", before the pass is out", func(t *testing.T) {
			w := newWorld(t)
			w.leadsApprove(1)
			r := w.approved()
			back := change(w)
			_, err := w.show(r, hana)
			want(t, err, tt.out)
			if tt.out == "" {
				return
			}
			w.wantNoPass()
			w.wantStands(r, auth.RequestApproved, 1) // nobody un-approves it
			back()
			w.shown(r, hana)
			change(w)
			_, err = w.show(r, hana) // nor is a fresh code given out
			want(t, err, tt.out)
		})
	}
}

// A rule's hours are about when it was asked: an approval may come later.
func TestHoursAreThoseOfTheAsking(t *testing.T) {
	w := newWorld(t)
	rule := w.leadsApprove(1)
	minute := w.now.UTC().Hour()*60 + w.now.UTC().Minute()
	rule.Match.Hours = &auth.Hours{From: minute, To: minute + 1, Zone: time.UTC}
	r := w.asked(hana)
	w.wait(5 * time.Minute)
	if _, err := w.approve(r, ben); err != nil {
		t.Fatal(err)
	}
	w.wait(5 * time.Minute)
	w.shown(r, hana)
	_, _, err := w.requests.Ask(t.Context(), w.wish(dan))
	wantRefusal(t, err, auth.NoRule)
}

// What the instance is, is looked at anew.
func TestTheInstanceMayChangeInBetween(t *testing.T) {
	rewrite := func(f func(*auth.Instance)) func(*world) {
		return func(w *world) {
			i := tagged(w.ec2.truth[web], "") // a copy, with its own tags
			f(&i)
			w.ec2.put(i)
		}
	}
	state := func(s auth.State) func(*world) { return rewrite(func(i *auth.Instance) { i.State = s }) }
	for name, tt := range map[string]struct {
		change  func(*world)
		approve auth.Reason // "" is none
		show    auth.Reason
	}{
		"runs":           {state(auth.Running), "", auth.AlreadyUp},
		"begins to run":  {state(auth.Pending), "", auth.AlreadyUp},
		"is terminated":  {state(auth.Terminated), "", auth.Gone},
		"is not guarded": {rewrite(func(i *auth.Instance) { delete(i.Tags, "Sekisho") }), "", auth.NotGuarded},
		"is retagged":    {rewrite(func(i *auth.Instance) { i.Tags["Env"] = "prod" }), auth.NotApprover, auth.PolicyChanged},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.leadsApprove(1)
			w.policy.Rules = append([]auth.Rule{{
				Name: "prod", Match: auth.Match{Tags: map[string]string{"Env": "prod"}}, Ask: []string{auth.Everyone},
				Approve: &auth.Approve{By: []string{dan}, Count: 1, Within: time.Hour},
			}}, w.policy.Rules...)
			was := w.ec2.truth[web]
			first := w.asked(chiyo)
			tt.change(w)
			_, err := w.approve(first, ben)
			if tt.approve == "" && err != nil {
				t.Error(err)
			} else if tt.approve != "" {
				wantRefusal(t, err, tt.approve)
			}
			w.ec2.put(was)
			r := w.approved()
			tt.change(w)
			_, err = w.show(r, hana)
			wantRefusal(t, err, tt.show)
			w.wantNoPass()
			w.wantStands(r, auth.RequestApproved, 1)
			w.ec2.put(was)
			w.shown(r, hana) // nothing is lost
			tt.change(w)
			_, err = w.show(r, hana)
			wantRefusal(t, err, tt.show)
		})
	}
}

func TestAnInstanceThatEC2DoesNotKnowAnyMore(t *testing.T) {
	w := newWorld(t)
	w.leadsApprove(1)
	pending, r := w.asked(dan), w.approved()
	delete(w.ec2.truth, web)
	_, err := w.approve(pending, ben)
	for name, err := range map[string]error{
		"approve": err,
		"show":    func() error { _, err := w.show(r, hana); return err }(),
	} {
		if !errors.Is(err, auth.ErrNoInstance) || !strings.Contains(err.Error(), web) {
			t.Errorf("%s: %v; want no such instance, by its id", name, err)
		}
	}
	if _, err := w.withdraw(pending, dan); err != nil {
		t.Errorf("its asker cannot withdraw: %v", err)
	}
	w.wait(time.Hour + time.Second)
	if now, err := w.lapse(r); err != nil || now.Open() {
		t.Errorf("it does not lapse: %v", err)
	}
	w.wantNoPass()
}
