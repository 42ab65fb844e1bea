package slackchat

import (
	"context"
	"errors"
	"fmt"

	"github.com/slack-go/slack"
)

// Direct writes a direct message and says where it stands. The error is as
// Post's.
func (c *Chat) Direct(ctx context.Context, user, text string, blocks []slack.Block) (channel, ts string, err error) {
	if channel, err = c.im(ctx, user); err != nil {
		return "", "", fmt.Errorf("writing to %s: %w", user, c.unreachable(err))
	}
	if ts, err = c.post(ctx, channel, "", text, blocks); err != nil {
		return "", "", fmt.Errorf("writing to %s: %w", user, c.unsaid(err))
	}
	return channel, ts, nil
}

// im is the channel of direct messages with the user, which never changes.
func (c *Chat) im(ctx context.Context, user string) (string, error) {
	c.mu.Lock()
	id, known := c.ims[user]
	c.mu.Unlock()
	if known {
		return id, nil
	}
	var channel *slack.Channel
	err := c.patiently(ctx, func() (err error) {
		channel, _, _, err = c.api().OpenConversationContext(ctx, &slack.OpenConversationParameters{Users: []string{user}})
		return err
	})
	if err != nil {
		return "", err
	}
	if channel == nil || channel.ID == "" {
		return "", errors.New("conversations.open: Slack's answer names no channel")
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	makeRoom(c.ims)
	c.ims[user] = channel.ID
	return channel.ID, nil
}

// Whisper says something in a channel that only the user sees, if they are
// there and looking: Slack promises no delivery. The error wraps
// auth.ErrNotReachable where trying again is no use.
// https://docs.slack.dev/reference/methods/chat.postEphemeral
func (c *Chat) Whisper(ctx context.Context, channel, user, text string, blocks []slack.Block) error {
	err := c.patiently(ctx, func() error {
		_, err := c.api().PostEphemeralContext(ctx, channel, user, contents(text, blocks)...)
		return err
	})
	if err != nil {
		return fmt.Errorf("whispering to %s in %s: %w", user, channel, c.unreachable(err))
	}
	return nil
}
