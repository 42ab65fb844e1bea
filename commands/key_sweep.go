package commands

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

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
	var denied *purge.Denied
	if errors.As(err, &denied) {
		return d.missingPermission(ctx, denied) // trying again soon changes nothing
	}
	return errors.Join(err, d.attendToKeys(ctx, s.Work))
}

// attendToKeys has each of the keys looked after.
func (d *Desk) attendToKeys(ctx context.Context, keys []purge.Ref) error {
	var failed []error
	for _, ref := range keys {
		t := keyTask{Ref: ref}
		if d.Queue != nil {
			failed = append(failed, d.later(ctx, taskKey, t, 0))
			continue
		}
		_, err := d.attendToKey(ctx, t, nil)
		failed = append(failed, err)
	}
	return errors.Join(failed...)
}

// SweepKeys looks at every access key of the account, and asks for somebody's
// word where too many would end at once. The keys in Work are still to be
// attended to. Progress is told how many users were read.
func (d *Desk) SweepKeys(ctx context.Context, progress func(done, total int)) (purge.Sweep, error) {
	s, err := d.Purge.Sweep(ctx, progress)
	d.Log.InfoContext(ctx, "swept the access keys", "keys", len(s.Plan.Verdicts), "work", len(s.Work), "held", s.Hold != nil, "error", err)
	if err != nil {
		return s, err
	}
	if n := s.Plan.Begins(s.Hold != nil); n > d.Policy.Keys.Cap.Keys {
		err = d.announceOnce(ctx, "keys near "+d.Now().UTC().Format(time.DateOnly), sayTask{Channel: d.Policy.Channels.Keys, Text: fmt.Sprintf(
			":key: %d access keys are near their end, or past it, and get a card each below. `/sekisho keys` lists them, the oldest first.", n)})
	}
	return s, errors.Join(err, d.tellHold(ctx, s.Hold, 0))
}

// holdTask has a hold told later, because Slack was away.
type holdTask struct {
	Hold purge.Hold `json:"hold"`
	Try  int        `json:"try"`
}

// tellHoldAgain tells what could not be told before.
func tellHoldAgain(ctx context.Context, d *Desk, e Event) error {
	t, err := read[holdTask](e)
	if err != nil || d.Purge == nil {
		return err
	}
	if d.Now().Sub(t.Hold.At) >= 24*time.Hour {
		return nil // the next sweep has asked
	}
	stored, err := d.Purge.Budget.PutHold(ctx, t.Hold)
	if err != nil {
		return err
	}
	return d.tellHold(ctx, &stored, t.Try)
}

const actionConfirmHold = "keys_hold"

// tellHold asks those who decide about keys for their word, later if it cannot
// be said now.
func (d *Desk) tellHold(ctx context.Context, h *purge.Hold, try int) error {
	if h == nil || h.Told || h.By != "" {
		return nil
	}
	by := auth.Actor{Door: doorEvents, Source: "hold " + h.ID}
	err := d.recordOnce(ctx, by, "held "+h.ID, auth.Entry{Act: auth.ActKeyCap, Outcome: auth.Refused, Reason: string(auth.OverCap), Note: heldNote(*h)})
	if err != nil {
		return err
	}
	text, blocks := holdCard(d.Policy, *h)
	if _, _, err := d.postCard(ctx, d.Policy.Channels.Keys, text, blocks); err != nil {
		if later := d.later(ctx, taskHold, holdTask{*h, try + 1}, pauseBefore(try+1)); later != nil {
			return fmt.Errorf("asking whether so many keys may end: %w", errors.Join(err, later))
		}
		d.Log.WarnContext(ctx, "asking whether so many keys may end", "try", try, "error", err)
		return nil
	}
	return d.Purge.Budget.ToldHold(ctx, h.ID)
}

// recordOnce writes down what is noticed again and again.
func (d *Desk) recordOnce(ctx context.Context, by auth.Actor, what string, e auth.Entry) error {
	first, err := d.Firsts.First(ctx, what, 48*time.Hour) // longer than a hold is known
	if err == nil && first {
		d.record(ctx, by, e)
	}
	return err
}

// RecordWord writes down whose word let held keys end, where nobody has yet.
func (d *Desk) RecordWord(ctx context.Context, by auth.Actor, h purge.Hold) error {
	return d.recordOnce(ctx, by, "word "+h.ID, auth.Entry{Act: auth.ActKeyCap, Outcome: auth.Done, Decided: h.By, Note: heldNote(h)})
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
	n := len(h.Keys)
	title := fmt.Sprintf(":octagonal_sign: *%d access %s would end now*, with those of the last 24 hours more than the %d that the policy allows a day: nothing was touched",
		n, plural(n, "key", "keys"), h.Limit)
	var lines []string
	for _, k := range h.Keys[:min(most, n)] {
		lines = append(lines, fmt.Sprintf("• %s %s of %s", k.Do, keyName(k.ID), name(k.User)))
	}
	if n > most {
		lines = append(lines, fmt.Sprintf("… and %d more: `sekisho keys plan` at a terminal lists all", n-most))
	}
	if p.Keys.Grace == 0 {
		lines = append(lines, "The policy's `grace` is 0: what is deactivated is deleted right after.")
	}
	blocks := []slack.Block{section(title), section(strings.Join(lines, "\n"))}
	if len(p.Keys.Decide) == 0 {
		return title, append(blocks, section("*Next:* raise `keys.cap` in the policy if this is meant, or name in `keys.decide` who may let it go on."))
	}
	yes := button(actionConfirmHold, h.ID, plural(n, "Let it end", fmt.Sprintf("Let these %d end", n))).WithStyle(slack.StyleDanger).
		WithConfirm(confirm("Let them end?", "They are deactivated or deleted as listed. A deactivation can be undone, a deletion cannot.", "Let them end", "Not yet"))
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
	if err == nil {
		err = d.RecordWord(ctx, r.actor(), h)
	}
	if err != nil {
		d.outcome(ctx, r.actor(), entry, err)
		return Message{}, err
	}
	soon, cancel := detached(ctx)
	defer cancel()
	// Also for whoever comes second: the first may have died here.
	if err := d.later(soon, taskLetEnd, holdTask{Hold: h}, 0); err != nil {
		d.Log.WarnContext(ctx, "the keys that were let end do so with the next sweep", "error", err)
	}
	if !won {
		d.outcome(ctx, r.actor(), entry, &auth.Refusal{Reason: auth.TooLate})
		return say(whoever(h.By) + " has let them end already. Their cards say what became of them."), nil
	}
	n := len(h.Keys)
	text := fmt.Sprintf(":octagonal_sign: %s let the %d access %s that waited end. Their cards follow.", person(r.User), n, plural(n, "key", "keys"))
	if err := d.announce(soon, sayTask{Channel: d.Policy.Channels.Keys, Text: text}); err != nil {
		d.Log.WarnContext(ctx, "telling of a confirmation", "error", err)
	}
	return say(fmt.Sprintf("You let %d access %s end. I look at each once more before I touch it; the cards say what became of them.", n, plural(n, "key", "keys"))), nil
}

// letEnd has held keys looked after that were allowed to end. Whether they were
// is asked of each: a forged task lifts no limit.
func letEnd(ctx context.Context, d *Desk, e Event) error {
	t, err := read[holdTask](e)
	if err != nil || d.Purge == nil {
		return err
	}
	refs := make([]purge.Ref, len(t.Hold.Keys))
	for n, k := range t.Hold.Keys {
		refs[n] = k.Ref
	}
	return d.attendToKeys(ctx, refs)
}

// whoever names who let keys end: a person, or somebody at a terminal.
func whoever(by string) string {
	if user, ok := strings.CutPrefix(by, "terminal:"); ok {
		return "Somebody at a terminal (" + quoted(user, nameMost) + ")"
	}
	return person(by)
}
