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
		return d.revoke(ctx, r.User, id, id)
	}
	f, err := d.find(ctx, r.Text)
	if err != nil {
		return Message{}, err
	}
	if f.instead != nil {
		return *f.instead, nil
	}
	return d.revoke(ctx, r.User, f.ID, f.Name())
}

// revokeByButton answers a Revoke button; its value is the instance's id.
func revokeByButton(ctx context.Context, d *Desk, r Request) (Message, error) {
	m, err := d.revoke(ctx, r.User, r.Value, r.Value)
	m.Replace = err == nil
	return m, err
}

func (d *Desk) revoke(ctx context.Context, user, instance, called string) (Message, error) {
	if err := d.Passes.Void(ctx, user, instance); err != nil {
		return Message{}, err
	}
	d.Log.InfoContext(ctx, "pass revoked", "user", user, "instance", instance)
	return say(fmt.Sprintf("Your pass for %s is revoked: its code opens nothing any more. If the tag is set already, remove it or let the sweep do so.", name(called))), nil
}
