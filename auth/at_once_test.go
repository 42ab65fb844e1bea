package auth_test

import (
	"fmt"
	"sync"
	"testing"

	"sekisho/auth"
)

// Of 500 decisions at once one settles the request, and every other is told so.
func TestOneOf500DecisionsSettles(t *testing.T) {
	const at = 500
	for name, tt := range map[string]struct {
		count int
		verbs []auth.Verb
	}{
		"approve, deny and withdraw": {1, []auth.Verb{auth.Approved, auth.Denied, auth.Withdraw}},
		"three approvals":            {3, []auth.Verb{auth.Approved}},
		"three approvals or a no":    {3, []auth.Verb{auth.Approved, auth.Approved, auth.Approved, auth.Denied}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.leadsApprove(tt.count)
			var users []string
			for n := range at {
				user := fmt.Sprint("U", n)
				users = append(users, user)
				w.slack.people[user] = auth.Person{ID: user}
			}
			w.slack.groups[leads] = users
			r := w.asked(hana)
			errs := make([]error, at)
			seen := make([]auth.Request, at)
			together := sync.WaitGroup{}
			for n, user := range users {
				by := w.click(user)
				verb := tt.verbs[n%len(tt.verbs)]
				together.Go(func() {
					switch ctx := t.Context(); verb {
					case auth.Approved:
						seen[n], errs[n] = w.requests.Approve(ctx, r.ID, by)
					case auth.Denied:
						seen[n], errs[n] = w.requests.Deny(ctx, r.ID, by, "")
					default:
						by.User = hana
						seen[n], errs[n] = w.requests.Withdraw(ctx, r.ID, by)
					}
				})
			}
			together.Wait()
			kept := w.kept(r)
			var won, settled int
			for n, err := range errs {
				if err == nil {
					won++
					continue
				}
				if wantRefusal(t, err, auth.TooLate); seen[n].State() != kept.State() {
					t.Errorf("a loser sees %s; it is %s", seen[n].State(), kept.State())
				}
			}
			for _, c := range kept.History {
				if c.Settles {
					settled++
				}
			}
			if settled != 1 || !kept.History[len(kept.History)-1].Settles || won != len(kept.History) {
				t.Errorf("%d were told that they won, %d settled: %+v", won, settled, kept.History)
			}
			if kept.State() == auth.RequestApproved && len(kept.Approvers()) != tt.count {
				t.Errorf("approved by %q; want %d", kept.Approvers(), tt.count)
			}
		})
	}
}
