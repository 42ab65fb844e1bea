package wire

import (
	"context"
	"errors"
	"fmt"

	"sekisho/auth"
)

// CheckSlack looks whether Slack knows the channels and user groups that the
// policy names, and lets the bot in. Each that it does not is an error that
// says which line of the policy names it.
func (a *App) CheckSlack(ctx context.Context) error {
	var wrong []error
	for _, c := range a.Desk.Policy.Channels.Named() {
		if _, err := a.chat.Channel(ctx, c.ID); err != nil {
			wrong = append(wrong, fmt.Errorf("the policy's slack.channels.%s: %w", c.Key, err))
		}
	}
	seen := make(map[string]bool)
	groups := func(where string, ids []string) {
		for _, id := range ids {
			if !auth.IsGroup(id) || seen[id] {
				continue
			}
			seen[id] = true
			if _, err := a.Desk.Directory.Members(ctx, id); err != nil {
				wrong = append(wrong, fmt.Errorf("the policy's %s names %s: %w", where, id, err))
			}
		}
	}
	for _, r := range a.Desk.Policy.Rules {
		groups(fmt.Sprintf("rule %q", r.Name), r.Named())
	}
	if keys := a.Desk.Policy.Keys; keys != nil {
		groups("keys.decide", keys.Decide)
	}
	groups("admins", a.Desk.Policy.Admins)
	for _, r := range a.Desk.Policy.Reports {
		groups(fmt.Sprintf("report %q", r.Name), r.Ask)
	}
	return errors.Join(wrong...)
}
