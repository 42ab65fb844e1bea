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

// roundTrips counts what is waited for: at the issue of a pass, and at the
// gate's decision about a start with a live pass that EC2 shows at first look.
func roundTrips(ctx context.Context, w *workshop) ([]row, error) {
	world, err := newWorld(ctx, w)
	if err != nil {
		return nil, err
	}
	defer world.Close()
	// The first time, scripts are loaded besides.
	if _, err := world.tell(ctx, "i-00000000000000001"); err != nil {
		return nil, err
	}
	s, err := world.tell(ctx, "i-00000000000000002")
	if err != nil {
		return nil, err
	}
	one, two := reach{atMost: 1, format: "%.0f"}, reach{atMost: 2, format: "%.0f"}
	count := func(measured, what string, n int, to reach) row {
		return row{measured: measured, ours: fmt.Sprintf("%d %s", n, what)}.judge(float64(n), to)
	}
	return []row{
		count("round trips: pass issued", "Redis", s.issue.redis, one),
		{measured: "  the whole command, /ec2-pass i-…", ours: s.command.String()},
		count("round trips: start judged", "Redis", s.verdict.redis, one),
		count("  with the spent tag's removal", "EC2", s.event.ec2, two),
		{measured: "  the whole event, told and recorded", ours: s.event.String()},
	}, nil
}

// trips are calls to others.
type trips struct{ redis, ec2, sqs, slack int }

func (t trips) since(before trips) trips {
	return trips{t.redis - before.redis, t.ec2 - before.ec2, t.sqs - before.sqs, t.slack - before.slack}
}

func (t trips) String() string {
	var parts []string
	for _, p := range []struct {
		n    int
		what string
	}{{t.redis, "Redis"}, {t.ec2, "EC2"}, {t.sqs, "SQS"}, {t.slack, "Slack"}} {
		if p.n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", p.n, p.what))
		}
	}
	return strings.Join(parts, ", ")
}

// story is what the steps of one pass took.
type story struct {
	command trips // a slash command, from the request to the answer
	issue   trips // the issue of a pass alone
	verdict trips // the start's event, up to where the gate acts on its verdict
	event   trips // the start's event, to the end
}

// tell has a pass issued for a new instance, and the instance started with it.
func (w *world) tell(ctx context.Context, id string) (s story, err error) {
	w.cloud.Add(awssim.Instance{ID: id, Name: "web", Tags: map[string]string{"Sekisho": "guarded"}})
	before := w.count()
	if err := w.command(ctx, id); err != nil {
		return s, err
	}
	s.command = w.count().since(before)

	i, err := w.app.Desk.Instances.Instance(ctx, id)
	if err != nil {
		return s, err
	}
	before = w.count()
	pass, err := w.app.Desk.Passes.Issue(ctx, auth.NewPass{Instance: i.ID, User: person, Request: "bench-" + id}, 10*time.Minute)
	if err != nil {
		return s, err
	}
	s.issue = w.count().since(before)

	err = errors.Join(w.cloud.SetTag(id, w.app.Desk.Policy.Gate.PassTag, pass.Code.Reveal()), w.cloud.StartInstance(id))
	if err != nil {
		return s, err
	}
	before = w.count()
	if err := w.app.Bot.Event(ctx, <-w.events); err != nil {
		return s, err
	}
	s.event = w.count().since(before)
	select {
	case at := <-w.acts:
		s.verdict = at.since(before)
	default:
		return s, errors.New("the gate did not remove the tag: it did not let the start in")
	}
	return s, nil
}
