package slackchat

import (
	"cmp"
	"errors"
	"fmt"
	"net/url"

	"github.com/slack-go/slack"

	"sekisho/auth"
)

// refusal is Slack's answer in an error, or none.
func refusal(err error) slack.SlackErrorResponse {
	var answer slack.SlackErrorResponse
	errors.As(err, &answer)
	return answer
}

// plain takes the URL out of a transport's error (a response URL is as good as
// a password for half an hour), and adds what Slack says of a refused message
// and what to do about it.
func (c *Chat) plain(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err
	}
	answer := refusal(err)
	if len(answer.ResponseMetadata.Messages) > 0 {
		err = fmt.Errorf("%w: %q", err, answer.ResponseMetadata.Messages)
	}
	if help := advice(answer); help != "" {
		err = fmt.Errorf("%w: %s", err, help)
	}
	return err
}

// advice says what to do where somebody can help, or nothing.
func advice(answer slack.SlackErrorResponse) string {
	switch answer.Err {
	case "not_in_channel":
		return "invite the bot to the channel with /invite"
	case "channel_not_found":
		return "the id is wrong, or the channel is private: correct it, or invite the bot to the channel with /invite"
	case "is_archived":
		return "the channel is archived: unarchive it, or name another"
	case "missing_scope":
		needed := cmp.Or(answer.Needed, "named on the method's page")
		return fmt.Sprintf("add the scope (%s) to the app and install it again", needed)
	case "messages_tab_disabled":
		return "turn on the Messages tab in the app's settings, under App Home"
	case "not_enabled":
		return "turn on the Home tab in the app's settings, under App Home"
	case "expired_trigger_id", "trigger_expired":
		return "the click took too long to answer (Slack allows 3 seconds): click again"
	case "exchanged_trigger_id", "trigger_exchanged":
		return "this click has opened a window before: click again"
	}
	return ""
}

// unreachable marks an error as auth.ErrNotReachable when this person or
// channel cannot be written to in this way, however often it is tried, and as
// auth.ErrBlocks when Slack knows no such message.
// https://docs.slack.dev/reference/methods/conversations.open
// https://docs.slack.dev/reference/methods/chat.postMessage
// https://docs.slack.dev/reference/methods/chat.postEphemeral
func (c *Chat) unreachable(err error) error {
	switch refusal(err).Err {
	case "user_not_found", "user_not_visible", "user_disabled", "cannot_dm_bot", "messages_tab_disabled",
		"user_not_in_channel", "not_in_channel", "channel_not_found", "is_archived", "thread_not_found", "cant_update_message",
		"restricted_action", "restricted_action_read_only_channel", "restricted_action_thread_only_channel",
		"restricted_action_non_threadable_channel":
		return fmt.Errorf("%w: %w", auth.ErrNotReachable, c.plain(err))
	case "invalid_blocks", "invalid_blocks_format", "invalid_attachments": // the last of tables that Slack does not take
		return fmt.Errorf("%w: %w", auth.ErrBlocks, c.plain(err))
	}
	return c.plain(err)
}
