package slackdirectory

import (
	"errors"
	"fmt"
	"net/url"

	"github.com/slack-go/slack"

	"sekisho/auth"
)

// refusal is an error that asking again does not change: somebody must act, and
// so no old answer hides it. Any other error but auth.ErrNobody means that
// Slack is away.
type refusal struct{ error }

func (r *refusal) Unwrap() error { return r.error }

// explain says what an error of the method means. The URL is left out.
// https://docs.slack.dev/reference/methods/usergroups.users.list
func explain(method string, err error) error {
	if err == nil {
		return nil
	}
	var answer slack.SlackErrorResponse
	if !errors.As(err, &answer) {
		var u *url.Error
		if errors.As(err, &u) {
			err = u.Err
		}
		return fmt.Errorf("%s: %w", method, err)
	}
	err = fmt.Errorf("%s: %w", method, err)
	switch answer.Err {
	case "user_not_found", "user_not_visible", "no_such_subteam", "subteam_not_found", "channel_not_found":
		return fmt.Errorf("%w (%w)", auth.ErrNobody, err)
	case "fatal_error", "internal_error", "ratelimited", "rate_limited", "request_timeout", "service_unavailable",
		"team_added_to_org", "fetch_members_failed":
		return err
	case "plan_upgrade_required":
		err = fmt.Errorf("%w: this workspace's plan has no user groups; name users (U…) in the policy instead", err)
	case "missing_scope":
		err = fmt.Errorf("%w: add the scope %s to the app and install it again, or name users (U…) in the policy instead",
			err, scope(method, answer.Needed))
	}
	return &refusal{err}
}

// scope is what Slack says is missing, or else what the method takes.
func scope(method, needed string) string {
	switch {
	case needed != "":
		return needed
	case method == "usergroups.users.list":
		return "usergroups:read"
	case method == "conversations.members":
		return "channels:read (groups:read for a private channel)"
	default:
		return "users:read"
	}
}
