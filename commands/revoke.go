package commands

import (
	"context"
	"fmt"
	"strings"

	"sekisho/auth"
)

const actionRevoke = "pass_revoke"

// revokeByName answers `/ec2-pass revoke web-1`.
func revokeByName(ctx context.Context, d *Desk, r Request) (Message, error) {
	if r.Text == "" {
		return say("Which one? `/ec2-pass revoke web-1`, by name or id. `/ec2-pass mine` shows the passes you hold."), nil
	}
	if id := strings.ToLower(r.Text); auth.IsInstanceID(id) {
		return d.revoke(ctx, r, id, id)
	}
	f, err := d.find(ctx, r.Text)
	if err != nil {
		return Message{}, err
	}
	if f.instead != nil {
		return *f.instead, nil
	}
	return d.revoke(ctx, r, f.ID, f.Name())
}

// revokeByButton answers a Revoke button; its value is the instance's id.
func revokeByButton(ctx context.Context, d *Desk, r Request) (Message, error) {
	m, err := d.revoke(ctx, r, r.Value, r.Value)
	m.Replace = err == nil
	return m, err
}

func (d *Desk) revoke(ctx context.Context, r Request, instance, called string) (Message, error) {
	err := d.Passes.Void(ctx, r.User, instance)
	d.outcome(ctx, r.actor(), auth.Entry{Act: auth.ActPassRevoke, Instance: instance}, err)
	if err != nil {
		return Message{}, err
	}
	return say(fmt.Sprintf("Your pass for %s is revoked: its code opens nothing any more. If the tag is set already, remove it or let the sweep do so.", name(called))), nil
}
