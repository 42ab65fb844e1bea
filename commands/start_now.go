package commands

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"sekisho/auth"
)

const actionStart = "pass_start"

// startTask asks the worker to start an instance for the owner of a pass.
type startTask struct {
	User        string `json:"user"`
	Instance    string `json:"instance"`
	Pass        string `json:"pass"`   // the pass's id
	Issued      int64  `json:"issued"` // when the pass was, milliseconds
	Asked       string `json:"asked"`  // what asked for the pass
	Request     string `json:"request"`
	ResponseURL string `json:"response_url"`
}

// startNow answers "Start it now"; its value is "instance pass-id". Starting
// is the worker's: the door that Slack reaches needs no right to start.
func startNow(ctx context.Context, d *Desk, r Request) (Message, error) {
	instance, pass, ok := strings.Cut(r.Value, " ")
	if !ok || !auth.IsInstanceID(instance) {
		return say("That button is from an older version. Ask again with `/ec2-pass`."), nil
	}
	if !d.startable() {
		return say("“Start it now” is switched off. Set the tag yourself, with the two lines above."), nil
	}
	live, err := d.Passes.Live(ctx, r.User, []string{instance})
	if err != nil {
		return Message{}, err
	}
	n := slices.IndexFunc(live, func(p auth.PassRecord) bool { return p.ID == pass })
	if n < 0 {
		err := &auth.Refusal{Reason: auth.NoPass}
		d.outcome(ctx, r.actor(), auth.Entry{Act: auth.ActPassStart, Instance: instance}, err)
		return Message{}, err
	}
	task := startTask{
		User: r.User, Instance: instance, Pass: pass, Issued: live[n].Issued.UnixMilli(), Asked: live[n].Request,
		Request: r.ID, ResponseURL: r.ResponseURL,
	}
	if err := d.later(ctx, taskStart, task, 0); err != nil {
		return Message{}, err
	}
	m := say(fmt.Sprintf(":hourglass_flowing_sand: Starting `%s` for you: I set the tag and press Start. I'll tell you here when EC2 has taken it.", instance))
	m.Replace = true
	return m, nil
}

// startForOwner does what "Start it now" asked for. The code that the owner
// saw is not known here, so a fresh pass takes its place, straight into the tag.
func startForOwner(ctx context.Context, d *Desk, e Event) error {
	t, err := read[startTask](e)
	if err != nil {
		return err
	}
	answer, err := d.startFor(ctx, t)
	if err != nil {
		var fault bool
		if answer, fault = Sorry(err); fault {
			d.Log.ErrorContext(ctx, "start it now", "instance", t.Instance, "user", t.User, "error", err)
		}
	}
	if err := d.Chat.Respond(ctx, t.ResponseURL, answer.Text, answer.Blocks, true); err != nil {
		// The gate tells the channel who was let in: the start is not lost.
		d.Log.WarnContext(ctx, "telling the owner about a start", "instance", t.Instance, "user", t.User, "error", err)
	}
	return nil
}

func (d *Desk) startFor(ctx context.Context, t startTask) (Message, error) {
	i, err := d.Instances.Instance(ctx, t.Instance)
	if err != nil {
		return Message{}, err
	}
	by := auth.Actor{User: t.User, Door: doorEvents, Source: t.Request}
	pass, err := d.Requests.Exchange(ctx, by, i, auth.PassRecord{ID: t.Pass, Issued: time.UnixMilli(t.Issued), Request: t.Asked})
	d.outcome(ctx, by, auth.Entry{Act: auth.ActPassStart, Instance: t.Instance, Rule: pass.Rule}, err)
	var r *auth.Refusal
	if errors.As(err, &r) && (r.Reason == auth.Replayed || r.Reason == auth.NoPass) {
		return d.startedBefore(ctx, t, r)
	}
	if err != nil {
		return Message{}, err
	}
	key, code := d.Policy.Gate.PassTag, pass.Code.Reveal()
	if err := d.Starter.Start(ctx, t.Instance, key, code); err != nil {
		d.Log.WarnContext(ctx, "starting for the owner", "instance", t.Instance, "user", t.User, "error", err)
		if i, seen := d.Instances.Instance(ctx, t.Instance); seen == nil && i.State.Up() {
			return say(fmt.Sprintf(":white_check_mark: `%s` is %s.", t.Instance, i.State)), nil // EC2 took it, and its answer was lost
		}
		return d.takeBack(ctx, t, code, err)
	}
	d.Log.InfoContext(ctx, "started for the owner", "instance", t.Instance, "user", t.User)
	return say(fmt.Sprintf(":white_check_mark: EC2 is starting `%s`. <#%s> says when the gate has let it in.", t.Instance, d.Policy.Channels.Alerts)), nil
}

// startedBefore answers a task that was delivered again, or a second click:
// what became of the first is seen on the instance.
func (d *Desk) startedBefore(ctx context.Context, t startTask, r *auth.Refusal) (Message, error) {
	i, err := d.Instances.Instance(ctx, t.Instance)
	if err != nil {
		return Message{}, err
	}
	if i.State.Up() {
		return say(fmt.Sprintf(":white_check_mark: `%s` is %s.", t.Instance, i.State)), nil
	}
	if r.Reason == auth.NoPass {
		return Message{}, r
	}
	// Nothing is taken back: the first try may still be under way.
	return say(fmt.Sprintf(":warning: `%s` does not run: the first try to start it was cut short. If it stays so, ask again with `/ec2-pass`, which voids what is left of this one.", t.Instance)), nil
}

// takeBack undoes a start that EC2 did not take: no code is left in the tag.
func (d *Desk) takeBack(ctx context.Context, t startTask, code string, why error) (Message, error) {
	left := "The pass is void and the tag is clean"
	if err := d.Starter.Untag(ctx, t.Instance, d.Policy.Gate.PassTag, code); err != nil {
		d.Log.WarnContext(ctx, "removing an unused tag", "instance", t.Instance, "error", err)
		left = "The pass is void, but the tag could not be removed: the sweep will do it"
	}
	var none *auth.Refusal // there is no live pass any more, which is as good
	if err := d.Passes.Void(ctx, t.User, t.Instance); err != nil && !errors.As(err, &none) {
		d.Log.WarnContext(ctx, "voiding an unused pass", "instance", t.Instance, "error", err)
		left = fmt.Sprintf("The pass could not be made void: `/ec2-pass revoke %s` does it", t.Instance)
	}
	reason := "EC2 did not take the start"
	switch {
	case errors.Is(why, auth.ErrNotYet):
		reason = "it is not stopped yet (EC2 starts only stopped instances)"
	case errors.Is(why, auth.ErrNoInstance):
		reason = "EC2 does not know it any more"
	}
	return say(fmt.Sprintf(":warning: `%s` was not started: %s. %s; ask again with `/ec2-pass` when it can start.", t.Instance, reason, left)), nil
}
