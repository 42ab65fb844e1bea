package slackchat

import (
	"context"
	"fmt"

	"github.com/slack-go/slack"
)

// Channel gives a channel's name, and an error that says what to do when the
// bot cannot speak there: not a member, archived, no such channel, no scope.
// https://docs.slack.dev/reference/methods/conversations.info
func (c *Chat) Channel(ctx context.Context, id string) (name string, err error) {
	var channel *slack.Channel
	err = c.patiently(ctx, func() (err error) {
		channel, err = c.api().GetConversationInfoContext(ctx, &slack.GetConversationInfoInput{ChannelID: id})
		return err
	})
	if err == nil {
		switch {
		case channel.IsArchived:
			err = slack.SlackErrorResponse{Err: "is_archived"}
		case !channel.IsMember:
			err = slack.SlackErrorResponse{Err: "not_in_channel"}
		default:
			return channel.Name, nil
		}
		id = fmt.Sprintf("%s (#%s)", id, channel.Name)
	}
	return "", fmt.Errorf("looking at the channel %s: %w", id, c.plain(err))
}
