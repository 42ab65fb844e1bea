package commands

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/slack-go/slack"

	"sekisho/auth"
)

const (
	actionApprove = "request_approve"
	actionDeny    = "request_deny"
	formDeny      = "deny"
	fieldWhy      = "why"
)

// approve answers Approve on a card; its value is the request's id.
func approve(ctx context.Context, d *Desk, r Request) (Message, error) {
	req, err := d.Requests.Approve(ctx, r.Value, r.actor())
	if err != nil {
		return d.cameToNothing(ctx, r, auth.ActApprove, req, err)
	}
	d.changed(ctx, req)
	if req.State() == auth.RequestPending {
		return say(fmt.Sprintf(":ballot_box_with_check: Your approval for %s counts: %d of %d. It needs somebody else's, too.",
			name(req.Name), len(req.Approvers()), req.Need)), nil
	}
	return say(fmt.Sprintf(":white_check_mark: You approved %s for %s. They are told, and get the pass themselves: its code is shown to nobody else.",
		name(req.Name), person(req.Asker))), nil
}

// openDeny answers Deny on a card: the reason is asked for in a modal. Whoever
// may not decide is told before they write one.
func openDeny(ctx context.Context, d *Desk, r Request) (Message, error) {
	req, err := d.Requests.MayDecide(ctx, r.Value, r.User)
	var refused *auth.Refusal
	if errors.As(err, &refused) && refused.Reason == auth.AlreadyApproved {
		err = nil // who has approved may think again
	}
	if err != nil {
		return d.cameToNothing(ctx, r, auth.ActDeny, req, err)
	}
	return Message{}, d.Views.Open(ctx, r.ID, denyModal(req))
}

func denyModal(r auth.Request) slack.ModalViewRequest {
	input := slack.NewPlainTextInputBlockElement(plain("What should they know, or do instead?"), fieldWhy).WithMultiline(true).WithMaxLength(whyMost)
	return modal(formDeny, r.ID, "Deny a request", "Deny",
		section(fmt.Sprintf("%s asks for a pass for %s.", person(r.Asker), name(r.Name))),
		slack.NewInputBlock(fieldWhy, plain("Why not?"), plain("They read this, and it stands in the trail."), input),
	)
}

// deny answers the modal.
func deny(ctx context.Context, d *Desk, r Request) (Message, error) {
	why, wrong := reasonIn(r)
	if wrong != nil {
		return *wrong, nil
	}
	req, err := d.Requests.Deny(ctx, r.Value, r.actor(), why)
	if err != nil {
		return d.cameToNothing(ctx, r, auth.ActDeny, req, err)
	}
	d.changed(ctx, req)
	return say(fmt.Sprintf(":no_entry_sign: You denied %s for %s. They are told, with your reason.", name(req.Name), person(req.Asker))), nil
}

// reasonIn is what was written in a form's field for the reason, or what is
// wrong with it.
func reasonIn(r Request) (why string, wrong *Message) {
	why = strings.TrimSpace(r.Fields[fieldWhy])
	switch n := utf8.RuneCountInString(why); {
	case n == 0:
		return "", &Message{Wrong: map[string]string{fieldWhy: "Say in a few words why."}}
	case n > whyMost:
		return "", &Message{Wrong: map[string]string{fieldWhy: fmt.Sprintf("This has %d characters; keep it below %d.", n, whyMost)}}
	}
	return why, nil
}

// cameToNothing records a click that changed nothing, and says why to whoever
// made it: above all, who was quicker.
func (d *Desk) cameToNothing(ctx context.Context, r Request, act auth.Act, req auth.Request, err error) (Message, error) {
	d.outcome(ctx, r.actor(), auth.Entry{
		Act: act, Instance: req.Instance, Request: r.Value, Rule: req.Rule, Decided: r.User, Submitted: req.Asker,
	}, err)
	var refused *auth.Refusal
	if errors.As(err, &refused) && refused.Reason == auth.TooLate && req.ID != "" {
		return say("That came too late, and changed nothing: " + outcomeText(req, d.Now())), nil
	}
	return Message{}, err
}
