package commands

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/slack-go/slack"

	"sekisho/auth"
)

// tellLease is how long one worker may take over a start's message before
// another may: longer than Slack's slowest answers and one Retry-After.
const tellLease = 30 * time.Second

// tellTask has a start told later, because Slack was away.
type tellTask struct {
	startRef
	Try int `json:"try"`
}

// tell brings the start's one card up to date: posted, or rewritten, as often
// as the start moves on meanwhile. When Slack is away it is put off, not lost.
func (d *Desk) tell(ctx context.Context, i auth.Instance, s auth.Start) error {
	return d.tellTry(ctx, i, tellTask{startRef{s.Instance, s.Launch.UnixMilli()}, 0})
}

// tellAgain tells what could not be told before.
func tellAgain(ctx context.Context, d *Desk, e Event) error {
	t, err := read[tellTask](e)
	if err != nil {
		return err
	}
	return d.tellTry(ctx, auth.Instance{ID: t.Instance}, t)
}

func (d *Desk) tellTry(ctx context.Context, i auth.Instance, t tellTask) error {
	for more := true; more; {
		s, mine, err := d.Cards.TakeCard(ctx, t.Instance, t.launch(), d.Now(), tellLease)
		if errors.Is(err, auth.ErrCardHeld) && d.Queue != nil {
			// That worker tells what it finds; should it have died, this comes after.
			return d.later(ctx, taskTell, t, tellLease)
		}
		if err != nil || !mine {
			return err
		}
		if i.LaunchTime.IsZero() {
			i = d.describe(ctx, i)
		}
		card, said := d.show(ctx, i, s)
		more, err = d.Cards.PutCard(ctx, t.Instance, t.launch(), card)
		if said != nil {
			d.Log.WarnContext(ctx, "telling about a start", "instance", t.Instance, "try", t.Try, "error", said)
			t.Try++
			return errors.Join(err, d.later(ctx, taskTell, t, pauseBefore(t.Try)))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// describe reads the instance for its card; a card can do without.
func (d *Desk) describe(ctx context.Context, i auth.Instance) auth.Instance {
	full, err := d.Instances.Instance(ctx, i.ID)
	if err != nil {
		d.Log.WarnContext(ctx, "describing an instance for its card", "instance", i.ID, "error", err)
		return i
	}
	return full
}

// show posts or rewrites the card and adds to its thread what is new. It
// returns the card as it stands now, also beside an error.
func (d *Desk) show(ctx context.Context, i auth.Instance, s auth.Start) (auth.Card, error) {
	text, blocks := startCard(d.Policy, i, s)
	card := s.Card
	if card.TS == "" {
		ts, err := d.Chat.Post(ctx, d.Policy.Alerts, "", text, blocks)
		if err != nil {
			return card, err
		}
		card.Channel, card.TS = d.Policy.Alerts, ts
	} else if err := d.Chat.Update(ctx, card.Channel, card.TS, text, blocks); err != nil {
		return card, err
	}
	if detail := threadLine(d.Policy, i, s); detail != "" {
		if _, err := d.Chat.Post(ctx, card.Channel, card.TS, detail, []slack.Block{section(detail)}); err != nil {
			return card, err
		}
	}
	card.Told = s.Stage
	return card, nil
}

// sayTask is a message that could not be said before.
type sayTask struct {
	Channel string `json:"channel"`
	Text    string `json:"text"`
	Try     int    `json:"try"`
}

// announce says one paragraph in a channel, later if it cannot be said now.
func (d *Desk) announce(ctx context.Context, t sayTask) error {
	_, err := d.Chat.Post(ctx, t.Channel, "", t.Text, []slack.Block{section(t.Text)})
	if err == nil {
		return nil
	}
	t.Try++
	if later := d.later(ctx, taskSay, t, pauseBefore(t.Try)); later != nil {
		return fmt.Errorf("saying something in %s: %w", t.Channel, errors.Join(err, later))
	}
	d.Log.WarnContext(ctx, "saying something", "channel", t.Channel, "try", t.Try, "error", err)
	return nil
}

func sayAgain(ctx context.Context, d *Desk, e Event) error {
	t, err := read[sayTask](e)
	if err != nil {
		return err
	}
	return d.announce(ctx, t)
}
