package commands

import (
	"context"
	"errors"
	"fmt"

	"github.com/slack-go/slack"

	"sekisho/auth"
)

const actionBreak = "request_break"

// breakGlass answers `/ec2-pass break-glass i-… reason`: a pass without
// anybody's approval, for those whom the policy names. It asks once more first.
func breakGlass(ctx context.Context, d *Desk, r Request) (Message, error) {
	if r.Text == "" {
		return say("Break-glass is for emergencies: `/ec2-pass break-glass web-1 for the outage`. It needs a reason, and everybody is told."), nil
	}
	f, why, err := d.wished(ctx, r)
	if err != nil || f.instead != nil {
		return instead(f, err)
	}
	wish, err := d.wish(r, f.Instance, why, 0)
	if err != nil {
		return Message{}, err
	}
	req, err := d.Requests.AskToBreakGlass(ctx, wish)
	if err != nil {
		d.outcome(ctx, r.actor(), auth.Entry{Act: auth.ActBreakGlass, Instance: f.ID, Note: why}, err)
		var refused *auth.Refusal
		if errors.As(err, &refused) && refused.Reason == auth.AlreadyAsked {
			return openPage(d.Policy, req, d.Now()), nil
		}
		return Message{}, err
	}
	d.changed(ctx, req)
	return breakPage(d.Policy, req), nil
}

// breakPage asks for the second confirmation.
func breakPage(p *auth.Policy, r auth.Request) Message {
	yes := button(actionBreak, r.ID, "Break the glass").WithStyle(slack.StyleDanger).WithConfirm(
		confirm("Go without approval?", "Everybody in the break-glass channel is told at once, with your name and reason.", "Break the glass", "No"))
	m := say(fmt.Sprintf(":rotating_light: *Break-glass*: a pass for %s that nobody approves, good for %s.", name(r.Name), span(r.TTL)))
	m.Blocks = append(m.Blocks,
		section("Your reason: "+quoted(r.Why, whyMost)),
		slack.NewActionBlock("", yes, button(actionWithdraw, r.ID, "Never mind")),
		small(fmt.Sprintf("<#%s> is told at once. This question lapses %s.", p.Channels.BreakGlass, moment(r.Lapses()))))
	return m
}

// breakGlassConfirmed answers "Break the glass": the pass, at once.
func breakGlassConfirmed(ctx context.Context, d *Desk, r Request) (Message, error) {
	req, err := d.Requests.Confirm(ctx, r.Value, r.actor())
	switch {
	case err == nil:
		d.changed(ctx, req)
	case req.Asker == r.User && req.State() == auth.RequestApproved && req.Open():
		// Broken before, but the pass did not come through.
	default:
		return d.cameToNothing(ctx, r, auth.ActBreakGlass, req, err)
	}
	m, err := show(ctx, d, r)
	m.Replace = err == nil
	return m, err
}

// brokenGlass is the loud message about a pass that nobody approved.
func brokenGlass(r auth.Request) string {
	return fmt.Sprintf(":rotating_light: <!here> *Break-glass*: %s took a pass for %s (`%s`, %s) without approval.\n*Why:* %s\n*Rule:* %s. *Next:* if this is news to you, ask %s now.",
		person(r.Asker), name(r.Name), r.Instance, r.Type, quoted(r.Why, whyMost), quoted(r.Rule, nameMost), person(r.Asker))
}
