package commands

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"sekisho/auth"
)

// upkeep is what every sweep does besides looking at instances: it looks after
// the requests, notices a new policy, and lets old entries of the trail go.
func (d *Desk) upkeep(ctx context.Context) error {
	err := errors.Join(d.attendAll(ctx), d.NoticePolicy(ctx), d.CheckOnce(ctx))
	now := d.Now()
	// Up to a midnight, so that there is something to trim once a day and not
	// at each sweep.
	upTo, trimmed := d.Trail.Trim(ctx, now.Add(-d.Policy.Trail.Keep).Truncate(24*time.Hour), now)
	if upTo > 0 {
		d.Log.InfoContext(ctx, "the trail was trimmed", "up_to", upTo)
	}
	return errors.Join(err, trimmed)
}

// policyOnce says whether this process has said which policy it follows, and
// whether Slack knows what it names.
type policyOnce struct {
	mu      sync.Mutex
	noted   bool
	checked bool
}

// CheckOnce tells, once in a process, which channels and groups of the policy
// Slack does not know or does not let the bot into.
func (d *Desk) CheckOnce(ctx context.Context) error {
	d.policy.mu.Lock()
	checked := d.policy.checked
	d.policy.checked = true
	d.policy.mu.Unlock()
	if checked || d.Check == nil {
		return nil
	}
	err := d.Check(ctx)
	if err == nil {
		return nil
	}
	d.Log.WarnContext(ctx, "what the policy names in Slack", "error", err)
	return d.announce(ctx, sayTask{Channel: d.Policy.Channels.Alerts, Text: ":wrench: *What I could not use in Slack although the policy names it*:\n" + quoted(err.Error(), 2000)})
}

// NoticePolicy records and tells that the policy is another one than before.
// It does so once in a process, so that two releases side by side for a while
// do not take turns.
func (d *Desk) NoticePolicy(ctx context.Context) error {
	d.policy.mu.Lock()
	defer d.policy.mu.Unlock()
	if d.policy.noted {
		return nil
	}
	before, err := d.Policies.SwapPolicy(ctx, d.Policy.Hash)
	if err != nil {
		return fmt.Errorf("noting the policy: %w", err)
	}
	d.policy.noted = true
	if before == d.Policy.Hash {
		return nil
	}
	d.record(ctx, auth.Actor{Door: doorEvents}, auth.Entry{Act: auth.ActPolicy, Outcome: auth.Done, Note: "before: " + before})
	if before == "" {
		return nil // the first one ever
	}
	return d.announce(ctx, sayTask{Channel: d.Policy.Channels.Alerts, Text: fmt.Sprintf(
		":page_facing_up: *The policy has changed*: `%s` → `%s`. If nobody here knows why, compare `sekisho.yml` with its history.", before, d.Policy.Hash)})
}
