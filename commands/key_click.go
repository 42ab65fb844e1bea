package commands

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/slack-go/slack"

	"sekisho/auth"
	"sekisho/auth/purge"
)

const (
	formKeyKeep   = "key_keep"
	formKeyExempt = "key_exempt"
	fieldUntil    = "until"
)

// keyOff answers Deactivate now on a key's card; the value is the key's id.
func keyOff(ctx context.Context, d *Desk, r Request) (Message, error) {
	return d.orderKey(ctx, r, purge.Deactivate, "I am deactivating it; its card says when it is done. Until it is deleted, Undo brings it back.")
}

// keyUndo answers Undo.
func keyUndo(ctx context.Context, d *Desk, r Request) (Message, error) {
	return d.orderKey(ctx, r, purge.Reactivate, "I am reactivating it; its card says when it is done. It is kept for 7 days then.")
}

func (d *Desk) orderKey(ctx context.Context, r Request, do purge.Do, answer string) (Message, error) {
	if d.Purge == nil {
		return Message{}, &auth.Refusal{Reason: auth.NoKey}
	}
	rec, err := d.Purge.Order(ctx, r.Value, r.actor(), do)
	if err != nil {
		return d.keyRefused(ctx, r, auth.ActKeyOrder, rec, err)
	}
	d.orderedKey(ctx, rec)
	return say(fmt.Sprintf("The access key %s of %s: %s", keyName(rec.ID), name(rec.User), answer)), nil
}

// openKeyKeep answers Keep 7 days: why is asked for in a modal.
func openKeyKeep(ctx context.Context, d *Desk, r Request) (Message, error) {
	return d.openKeyForm(ctx, r, auth.ActKeyKeep, purge.Kept, func(rec purge.Record) slack.ModalViewRequest {
		return modal(formKeyKeep, rec.ID, "Keep 7 days longer", "Keep", keyFormHead(rec), keyWhy())
	})
}

// openKeyExempt answers Exempt until…
func openKeyExempt(ctx context.Context, d *Desk, r Request) (Message, error) {
	return d.openKeyForm(ctx, r, auth.ActKeyExempt, purge.Exempted, func(rec purge.Record) slack.ModalViewRequest {
		date := slack.NewDatePickerBlockElement(fieldUntil)
		date.InitialDate = d.Now().AddDate(0, 0, 30).UTC().Format(time.DateOnly)
		return modal(formKeyExempt, rec.ID, "Exempt until a date", "Exempt", keyFormHead(rec),
			slack.NewInputBlock(fieldUntil, plain("Until the end of which day (UTC)?"), plain("A year from now at most. The usual warnings come before."), date),
			keyWhy())
	})
}

func keyFormHead(r purge.Record) slack.Block {
	return section(fmt.Sprintf("Access key %s of %s", keyName(r.ID), name(r.User)))
}

func keyWhy() slack.Block {
	return slack.NewInputBlock(fieldWhy, plain("Why?"), plain("It stands on the card and in the trail."),
		slack.NewPlainTextInputBlockElement(plain("The supplier changes it on the 12th"), fieldWhy).WithMultiline(true).WithMaxLength(whyMost))
}

// openKeyForm opens a modal. Whoever may not decide is told before they fill it
// in.
func (d *Desk) openKeyForm(ctx context.Context, r Request, act auth.Act, verb purge.Verb, form func(purge.Record) slack.ModalViewRequest) (Message, error) {
	if d.Purge == nil {
		return Message{}, &auth.Refusal{Reason: auth.NoKey}
	}
	rec, err := d.Purge.MayDecide(ctx, r.Value, r.User, purge.Change{Verb: verb})
	if err != nil {
		return d.keyRefused(ctx, r, act, rec, err)
	}
	return Message{}, d.Views.Open(ctx, r.ID, form(rec))
}

// keepKey answers the modal of Keep 7 days.
func keepKey(ctx context.Context, d *Desk, r Request) (Message, error) {
	why, wrong := reasonIn(r)
	if wrong != nil {
		return *wrong, nil
	}
	if d.Purge == nil {
		return Message{}, &auth.Refusal{Reason: auth.NoKey}
	}
	rec, err := d.Purge.Keep(ctx, r.Value, r.actor(), why)
	return d.sparedKey(ctx, r, auth.ActKeyKeep, rec, err)
}

// exemptKey answers the modal of Exempt until…
func exemptKey(ctx context.Context, d *Desk, r Request) (Message, error) {
	why, wrong := reasonIn(r)
	if wrong != nil {
		return *wrong, nil
	}
	day, err := time.Parse(time.DateOnly, r.Fields[fieldUntil])
	until := day.AddDate(0, 0, 1)
	if now := d.Now(); err != nil || !until.After(now) || until.After(now.Add(purge.Longest)) {
		return Message{Wrong: map[string]string{fieldUntil: "Choose a day from today on, a year from now at most."}}, nil
	}
	if d.Purge == nil {
		return Message{}, &auth.Refusal{Reason: auth.NoKey}
	}
	rec, err := d.Purge.Exempt(ctx, r.Value, r.actor(), until, why)
	return d.sparedKey(ctx, r, auth.ActKeyExempt, rec, err)
}

func (d *Desk) sparedKey(ctx context.Context, r Request, act auth.Act, rec purge.Record, err error) (Message, error) {
	if err != nil {
		return d.keyRefused(ctx, r, act, rec, err)
	}
	d.orderedKey(ctx, rec)
	return say(fmt.Sprintf(":shield: The access key %s of %s is kept until %s. Its card says so, with your reason.",
		keyName(rec.ID), name(rec.User), moment(rec.State(true).Spared))), nil
}

// keyRefused records a click that changed nothing, and says to whoever made it
// how the key stands.
func (d *Desk) keyRefused(ctx context.Context, r Request, act auth.Act, rec purge.Record, err error) (Message, error) {
	d.outcome(ctx, r.actor(), auth.Entry{Act: act, Key: r.Value, IAMUser: rec.User, Decided: r.User}, err)
	var refused *auth.Refusal
	if errors.As(err, &refused) && refused.Reason == auth.KeyMoved && rec.Version() > 0 {
		if rec.State(d.Policy.Keys.Observing()).Pending.Verb == purge.Ordered {
			d.orderedKey(ctx, rec) // whoever took the order may have died before a worker heard of it
		}
		return say("That came too late, and changed nothing: " + keyHeadline(rec)), nil
	}
	return Message{}, err
}
