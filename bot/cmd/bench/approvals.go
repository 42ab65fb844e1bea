package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"sekisho/auth"
	"sekisho/infra/local/awssim"
)

const (
	approvalRounds = 5
	approvalAsks   = 100 // a round
	approver       = "U0BENCH0002"
)

// approvals measures how long a signed `/ec2-pass i-… for a reason` takes
// through the http door when it asks for an approval, against one that gives a
// pass at once. EC2 and Redis are asked in both; what a worker does later (the
// card, the direct message) keeps nobody waiting.
func approvals(ctx context.Context, w *workshop) ([]row, error) {
	world, err := newWorld(ctx, w)
	if err != nil {
		return nil, err
	}
	defer world.Close()
	url, err := world.listen(world.app.HTTP)
	if err != nil {
		return nil, err
	}
	addr := strings.TrimPrefix(url, "http://")
	p := world.app.Desk.Policy
	p.Passes.Limit = auth.Limit{Person: 1 << 30, Instance: 1 << 30, Per: time.Minute}
	p.Channels.Approvals = alerts
	free := p.Rules
	asked := []auth.Rule{{Name: "asked", Ask: []string{auth.Everyone}, Approve: &auth.Approve{By: []string{approver}, Count: 1, Within: time.Hour, Reason: true}}}
	next := 0
	side := func(rules []auth.Rule, wanted string) func() (float64, error) {
		return func() (float64, error) {
			p.Rules = rules
			var spent time.Duration
			for range approvalAsks {
				next++
				id := fmt.Sprintf("i-%017d", next)
				world.cloud.Add(awssim.Instance{ID: id, Name: "web", Tags: map[string]string{"Sekisho": "guarded"}})
				begin := time.Now()
				if err := send(ctx, addr, id+" for the bench", wanted); err != nil {
					return 0, err
				}
				spent += time.Since(begin)
			}
			return spent.Seconds() * 1000 / approvalAsks, nil
		}
	}
	ask, give := side(asked, "Asked"), side(free, "One-time pass")
	_, warmAsk := ask()
	_, warmGive := give()
	if err := errors.Join(warmAsk, warmGive); err != nil {
		return nil, err
	}
	o, t, err := rounds(approvalRounds, ask, give)
	if err != nil {
		return nil, err
	}
	r, _ := compare("http door: /ec2-pass i-…, an approval is asked for", "a pass is given at once", "%.2f ms", o, t)
	added := median(o) - median(t)
	return []row{r, {measured: "  an approval adds", ours: fmt.Sprintf("%+.2f ms", added)}}, nil
}
