package commands

import (
	"context"
	"fmt"

	"sekisho/auth"
)

const actionShow = "request_show"

// show answers "Show my pass"; its value is the request's id. The code is in
// this private answer and nowhere else, and its time begins now.
func show(ctx context.Context, d *Desk, r Request) (Message, error) {
	req, pass, err := d.Requests.Show(ctx, r.Value, r.actor())
	if pass.ID == "" {
		return d.cameToNothing(ctx, r, auth.ActShow, req, err)
	}
	if err != nil { // the pass is out, and only that it is out was not noted
		d.Log.WarnContext(ctx, "noting that a pass was shown", "request", req.ID, "error", err)
		d.outcome(ctx, r.actor(), auth.Entry{Act: auth.ActShow, Instance: req.Instance, Request: req.ID, Rule: req.Rule, Decided: r.User}, nil)
	}
	d.changed(ctx, req)
	return passPage(d.Policy, instanceOf(req), pass, d.startable()), nil
}

// instanceOf is what a request remembers of its instance: enough for its pages.
func instanceOf(r auth.Request) auth.Instance {
	return auth.Instance{ID: r.Instance, Region: r.Region, Account: r.Account, Type: r.Type, Tags: map[string]string{"Name": r.Name}}
}

const actionWithdraw = "request_withdraw"

// withdrawByButton answers Withdraw; its value is the request's id.
func withdrawByButton(ctx context.Context, d *Desk, r Request) (Message, error) {
	req, err := d.Requests.Withdraw(ctx, r.Value, r.actor())
	if err != nil {
		return d.cameToNothing(ctx, r, auth.ActWithdraw, req, err)
	}
	d.changed(ctx, req)
	m := say(fmt.Sprintf("Your request for %s is withdrawn. Nobody needs to decide about it any more.", name(req.Name)))
	m.Replace = true
	return m, nil
}

// withdrawByName answers `/ec2-pass withdraw gpu-1`.
func withdrawByName(ctx context.Context, d *Desk, r Request) (Message, error) {
	if r.Text == "" {
		return say("Which one? `/ec2-pass withdraw web-1`, by name or id. Your Home tab shows what you have asked for."), nil
	}
	f, err := d.find(ctx, r.Text)
	if err != nil || f.instead != nil {
		return instead(f, err)
	}
	all, err := d.Requests.Store.Requests(ctx)
	if err != nil {
		return Message{}, err
	}
	for _, req := range all {
		if req.Asker == r.User && req.Instance == f.ID && req.State() == auth.RequestPending {
			r.Value = req.ID
			m, err := withdrawByButton(ctx, d, r)
			m.Replace = false
			return m, err
		}
	}
	return say(fmt.Sprintf("You have no open request for %s.", name(f.Name()))), nil
}
