package commands

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/slack-go/slack"

	"sekisho/auth"
	"sekisho/auth/purge"
)

// keySweep answers the daily schedule.
func keySweep(ctx context.Context, d *Desk, e Event) error {
	if d.Purge == nil {
		return nil
	}
	s, err := d.SweepKeys(ctx, func(int, int) {})
	if err != nil {
		return err
	}
	var failed []error
	for _, ref := range s.Work {
		t := keyTask{Ref: ref}
		if d.Queue != nil {
			failed = append(failed, d.later(ctx, taskKey, t, 0))
			continue
		}
		failed = append(failed, d.attendToKey(ctx, t, nil))
	}
	return errors.Join(failed...)
}

// SweepKeys looks at every access key of the account, and asks for somebody's
// word where too many would end at once. The keys in Work are still to be
// attended to. Progress is told how many users were read.
func (d *Desk) SweepKeys(ctx context.Context, progress func(done, total int)) (purge.Sweep, error) {
	s, err := d.Purge.Sweep(ctx, progress)
	d.Log.InfoContext(ctx, "swept the access keys", "keys", len(s.Plan.Verdicts), "work", len(s.Work), "held", s.Hold != nil, "error", err)
	var denied *purge.Denied
	if errors.As(err, &denied) {
		return s, errors.Join(err, d.missingPermission(ctx, denied))
	}
	if err != nil {
		return s, err
	}
	if n := s.Plan.Begins(); n > d.Policy.Keys.Cap.Keys {
		err = d.announce(ctx, sayTask{Channel: d.Policy.Channels.Keys, Text: fmt.Sprintf(
			":key: %d access keys are near their end, or past it, and get a card each below. `/sekisho keys` lists them, the oldest first.", n)})
	}
	return s, errors.Join(err, d.tellHold(ctx, s.Hold))
}

const actionConfirmHold = "keys_hold"

// tellHold asks those who decide about keys for their word.
func (d *Desk) tellHold(ctx context.Context, h *purge.Hold) error {
	if h == nil || h.Told {
		return nil
	}
	by := auth.Actor{Door: doorEvents, Source: "hold " + h.ID}
	d.record(ctx, by, auth.Entry{Act: auth.ActKeyCap, Outcome: auth.Refused, Reason: string(auth.OverCap), Note: heldNote(*h)})
	text, blocks := holdCard(d.Policy, *h)
	if _, err := d.Chat.Post(ctx, d.Policy.Channels.Keys, "", text, blocks); err != nil {
		return fmt.Errorf("asking whether so many keys may end: %w", err)
	}
	return d.Purge.Budget.ToldHold(ctx, h.ID)
}

// RecordHold writes down that held keys were let go on at a terminal.
func (d *Desk) RecordHold(ctx context.Context, by auth.Actor, h purge.Hold) {
	d.record(ctx, by, auth.Entry{Act: auth.ActKeyCap, Outcome: auth.Done, Note: heldNote(h)})
}

func heldNote(h purge.Hold) string {
	var all []string
	for _, k := range h.Keys {
		all = append(all, string(k.Do)+" "+k.ID)
	}
	return strings.Join(all, ", ")
}

// holdCard says what would have been done, and how to have it done.
func holdCard(p *auth.Policy, h purge.Hold) (string, []slack.Block) {
	const most = 20
	title := fmt.Sprintf(":octagonal_sign: *%d access keys would end at once*, and the policy allows %d a day: nothing was touched", len(h.Keys), h.Limit)
	var lines []string
	for _, k := range h.Keys[:min(most, len(h.Keys))] {
		lines = append(lines, fmt.Sprintf("• %s %s of %s", k.Do, keyName(k.ID), name(k.User)))
	}
	if n := len(h.Keys) - most; n > 0 {
		lines = append(lines, fmt.Sprintf("… and %d more: `sekisho keys plan` lists all", n))
	}
	blocks := []slack.Block{section(title), section(strings.Join(lines, "\n"))}
	if len(p.Keys.Decide) == 0 {
		return title, append(blocks, section("*Next:* raise `keys.cap` in the policy if this is meant, or name in `keys.decide` who may let it go on."))
	}
	yes := button(actionConfirmHold, h.ID, fmt.Sprintf("Let these %d end", len(h.Keys))).WithStyle(slack.StyleDanger).
		WithConfirm(confirm("Let them end?", fmt.Sprintf("%d keys are deactivated or deleted as listed. A deactivation can be undone, a deletion cannot.", len(h.Keys)), "Let them end", "Not yet"))
	return title, append(blocks,
		section(fmt.Sprintf("*Next:* if this is meant, one of %s lets exactly these go on. If it is not, look at what has changed: the policy's `keys:`, or these users.", mentions(p.Keys.Decide))),
		slack.NewActionBlock("", yes), small("Asked "+moment(h.At)+" · asked again with tomorrow's sweep"))
}

// confirmHold answers its button; the value is the hold's id.
func confirmHold(ctx context.Context, d *Desk, r Request) (Message, error) {
	if d.Purge == nil {
		return Message{}, &auth.Refusal{Reason: auth.NoKey}
	}
	h, won, err := d.Purge.Confirm(ctx, r.Value, r.actor())
	entry := auth.Entry{Act: auth.ActKeyCap, Decided: r.User, Note: heldNote(h)}
	var refused *auth.Refusal
	if errors.As(err, &refused) && refused.Reason == auth.TooLate {
		d.outcome(ctx, r.actor(), entry, err)
		return say("That question is two days old or more, and forgotten. The next sweep asks again, with the keys as they are then."), nil
	}
	if err == nil && !won {
		d.outcome(ctx, r.actor(), entry, &auth.Refusal{Reason: auth.TooLate})
		return say(fmt.Sprintf("%s has let them go on already.", person(h.By))), nil
	}
	d.outcome(ctx, r.actor(), entry, err)
	if err != nil {
		return Message{}, err
	}
	soon, cancel := detached(ctx)
	defer cancel()
	for _, k := range h.Keys {
		if err := d.later(soon, taskKey, keyTask{Ref: k.Ref}, 0); err != nil {
			d.Log.WarnContext(ctx, "a key ends with the next sweep", "key", k.ID, "error", err)
		}
	}
	text := fmt.Sprintf(":octagonal_sign: %s let these %d access keys end. Their cards follow.", person(r.User), len(h.Keys))
	if err := d.announce(soon, sayTask{Channel: d.Policy.Channels.Keys, Text: text}); err != nil {
		d.Log.WarnContext(ctx, "telling of a confirmation", "error", err)
	}
	return say(fmt.Sprintf("You let these %d access keys end. I look at each once more before I touch it; their cards say what became of them.", len(h.Keys))), nil
}
