package slackchat

import (
	"context"
	"fmt"

	"github.com/slack-go/slack"
)

// Open opens a modal for the click that the trigger came with. The trigger is
// good for 3 seconds and once, so nothing is waited for:
// https://docs.slack.dev/reference/methods/views.open
func (c *Chat) Open(ctx context.Context, trigger string, v slack.ModalViewRequest) error {
	v.Type = slack.VTModal
	if _, err := c.api().OpenViewContext(ctx, trigger, v); err != nil {
		return fmt.Errorf("opening a window: %w", c.plain(err))
	}
	return nil
}

// Publish sets the Home tab that the user sees.
// https://docs.slack.dev/reference/methods/views.publish
func (c *Chat) Publish(ctx context.Context, user string, blocks []slack.Block) error {
	home := slack.HomeTabViewRequest{Type: slack.VTHomeTab, Blocks: slack.Blocks{BlockSet: blocks}}
	err := c.patiently(ctx, func() error {
		_, err := c.api().PublishViewContext(ctx, slack.PublishViewContextRequest{UserID: user, View: home})
		return err
	})
	if err != nil {
		return fmt.Errorf("publishing the Home tab of %s: %w", user, c.plain(err))
	}
	return nil
}
