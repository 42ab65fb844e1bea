package commands

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/slack-go/slack"

	"sekisho/auth"
)

// tellRequest is how a request is recorded and told: the approvers' card is
// brought up to date, and the asker hears what they wait for.
func (d *Desk) tellRequest(t attendTask) telling[auth.Request] {
	store := d.Requests.Store
	return telling[auth.Request]{
		about: "request " + t.ID,
		try:   t.Try,
		take: func(ctx context.Context) (auth.Request, auth.Told, bool, error) {
			return store.TakeTelling(ctx, t.ID, d.Now(), tellLease)
		},
		put:     func(ctx context.Context, told auth.Told) (bool, error) { return store.PutTold(ctx, t.ID, told) },
		entries: requestEntries,
		show:    d.showRequest,
		again: func(ctx context.Context, try int, after time.Duration) error {
			return d.later(ctx, taskAttend, attendTask{ID: t.ID, Try: try}, after)
		},
	}
}

// requestEntries are what has happened to the request since the trail was last
// told.
func requestEntries(r auth.Request, told auth.Told) (entries []auth.Entry, upTo int) {
	if told.Recorded < 0 {
		entries = append(entries, askEntry(r))
	}
	for _, c := range r.History[max(0, told.Recorded):] {
		if e, ok := changeEntry(r, c); ok {
			entries = append(entries, e)
		}
	}
	return entries, r.Version()
}

func askEntry(r auth.Request) auth.Entry {
	e := auth.Entry{
		Time: r.Asked, Act: auth.ActRequest, Outcome: auth.Done, Submitted: r.Asker, Instance: r.Instance, Request: r.ID,
		Rule: r.Rule, Note: r.Why, Door: r.Door, Source: r.Source,
	}
	if r.Break {
		e.Reason = auth.BrokenGlass
	}
	return e
}

// changeEntry is a change as the trail has it; a reminder decides nothing.
func changeEntry(r auth.Request, c auth.Change) (auth.Entry, bool) {
	acts := map[auth.Verb]auth.Act{
		auth.Approved: auth.ActApprove, auth.Denied: auth.ActDeny, auth.Lapsed: auth.ActLapse,
		auth.Withdraw: auth.ActWithdraw, auth.Broke: auth.ActBreakGlass, auth.Shown: auth.ActShow,
	}
	act, ok := acts[c.Verb]
	e := auth.Entry{
		Time: c.At, Act: act, Outcome: auth.Done, Decided: c.By, Submitted: r.Asker, Instance: r.Instance, Request: r.ID,
		Rule: r.Rule, Note: c.Note, Door: c.Door, Source: c.Source,
	}
	switch {
	case c.Verb == auth.Approved && c.Settles:
		e.Reason = auth.SettledNote
	case c.Verb == auth.Lapsed && r.Break:
		e.Reason = auth.BrokenGlass
	}
	return e, ok
}

// showRequest tells what is new of a request. It returns how far it came, also
// beside an error.
func (d *Desk) showRequest(ctx context.Context, r auth.Request, told auth.Told) (auth.Told, error) {
	fresh, had := r.History[max(0, told.Version):], told.TS
	told, err := d.showToApprovers(ctx, r, told, fresh)
	if err != nil {
		return told, err
	}
	if slices.ContainsFunc(fresh, concernsAsker) {
		if had == "" && told.TS != "" {
			return told, nil // noted first: should this worker die, another must not post a second card
		}
		if err := d.tellAsker(ctx, r, told); err != nil {
			return told, err
		}
	}
	told.Version = r.Version()
	return told, nil
}

// concernsAsker says whether the asker waits to hear of the change, and was not
// behind it.
func concernsAsker(c auth.Change) bool {
	return c.Settles && c.Verb != auth.Withdraw && c.Verb != auth.Broke || c.Verb == auth.Lapsed
}

// showToApprovers posts or rewrites the card, and reminds in its thread. Of a
// broken glass everybody is told, once.
func (d *Desk) showToApprovers(ctx context.Context, r auth.Request, told auth.Told, fresh []auth.Change) (auth.Told, error) {
	channel, text, blocks := d.requestMessage(r)
	if channel == "" {
		return told, nil
	}
	if told.TS == "" {
		channel, ts, err := d.postCard(ctx, channel, text, blocks)
		if err != nil {
			return told, err
		}
		told.Channel, told.TS = channel, ts
	} else if err := d.Chat.Update(ctx, told.Channel, told.TS, text, blocks); err != nil {
		return told, err
	}
	for _, c := range fresh {
		if c.Verb != auth.Reminded || r.State() != auth.RequestPending {
			continue
		}
		text := fmt.Sprintf("%s: still waiting. It lapses %s.", mentions(r.By), moment(r.Lapses()))
		if _, err := d.Chat.Post(ctx, told.Channel, told.TS, text, []slack.Block{section(text)}); err != nil {
			return told, err
		}
	}
	return told, nil
}

// postCard posts a card. Those who decide are better asked in the wrong channel
// than nowhere.
func (d *Desk) postCard(ctx context.Context, channel, text string, blocks []slack.Block) (used, ts string, err error) {
	ts, err = d.Chat.Post(ctx, channel, "", text, blocks)
	if alerts := d.Policy.Channels.Alerts; errors.Is(err, auth.ErrNotReachable) && channel != alerts {
		blocks = append(blocks, small(fmt.Sprintf(":warning: This belongs into <#%s>, where I cannot write: invite me there.", channel)))
		d.Log.ErrorContext(ctx, "a channel of the policy cannot be written to", "channel", channel, "error", err)
		channel = alerts
		ts, err = d.Chat.Post(ctx, channel, "", text, blocks)
	}
	return channel, ts, err
}

// requestMessage is what a channel is told of the request, and which one;
// empty where none is.
func (d *Desk) requestMessage(r auth.Request) (channel, text string, blocks []slack.Block) {
	if r.Break {
		if _, broke := r.Did(auth.Broke); !broke {
			return "", "", nil
		}
		text = brokenGlass(r)
		return d.Policy.Channels.BreakGlass, text, []slack.Block{section(text)}
	}
	channel = d.Policy.Channels.Approvals
	if channel == "" {
		channel = d.Policy.Channels.Alerts // the policy has changed since it was asked
	}
	text, blocks = requestCard(r)
	return channel, text, blocks
}

// replyFor is how long Slack takes answers through a command's response URL.
const replyFor = 30 * time.Minute

// tellAsker tells the asker how it came out, where they asked and by direct
// message. One who cannot be written to is told in their channel, or at the
// least by name below the card.
func (d *Desk) tellAsker(ctx context.Context, r auth.Request, told auth.Told) error {
	m := outcomePage(r, d.Now())
	if url, err := d.Passes.Pepper.Open(r.Reply); err != nil {
		d.Log.WarnContext(ctx, "opening a reply", "request", r.ID, "error", err)
	} else if url != "" && d.Now().Sub(r.Asked) < replyFor {
		if err := d.Chat.Respond(ctx, url, m.Text, m.Blocks, true); err != nil {
			d.Log.InfoContext(ctx, "rewriting the asker's answer", "request", r.ID, "error", err)
		}
	}
	_, _, err := d.Private.Direct(ctx, r.Asker, m.Text, m.Blocks)
	if errors.Is(err, auth.ErrNotReachable) && r.Channel != "" {
		d.Log.InfoContext(ctx, "a direct message did not arrive", "request", r.ID, "user", r.Asker, "error", err)
		err = d.Private.Whisper(ctx, r.Channel, r.Asker, m.Text, m.Blocks)
	}
	if errors.Is(err, auth.ErrNotReachable) && told.TS != "" {
		text := fmt.Sprintf("%s, I cannot write to you, so I tell you here: %s Your Home tab of this app shows it, too.", person(r.Asker), outcomeText(r, d.Now()))
		_, err = d.Chat.Post(ctx, told.Channel, told.TS, text, []slack.Block{section(text)})
	}
	if errors.Is(err, auth.ErrNotReachable) {
		d.Log.WarnContext(ctx, "the asker cannot be told", "request", r.ID, "user", r.Asker, "error", err)
		return nil
	}
	return err
}
