package commands

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/slack-go/slack"

	"sekisho/auth"
)

// tellLease is how long one worker may take over a message before another may:
// longer than a job that tells may take (eventWithin in package bot).
const tellLease = time.Minute

// tellTask has a start told later, because Slack was away.
type tellTask struct {
	startRef
	Try int `json:"try"`
}

// tell records how far the start has come, and brings its one card up to date: posted, or rewritten, as often
// as the start moves on meanwhile. When Slack is away it is put off, not lost.
func (d *Desk) tell(ctx context.Context, by auth.Actor, i auth.Instance, s auth.Start) error {
	return d.tellTry(ctx, by, i, tellTask{startRef{s.Instance, s.Launch.UnixMilli()}, 0})
}

// tellAgain tells what could not be told before.
func tellAgain(ctx context.Context, d *Desk, e Event) error {
	t, err := read[tellTask](e)
	if err != nil {
		return err
	}
	return d.tellTry(ctx, e.actor(), auth.Instance{ID: t.Instance}, t)
}

func (d *Desk) tellTry(ctx context.Context, by auth.Actor, i auth.Instance, t tellTask) error {
	var posted auth.Stage
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
		for _, e := range startEntries(s) {
			d.record(ctx, by, e)
		}
		s.Card.Recorded = s.Stage
		card, said := d.show(ctx, i, s, posted)
		posted = s.Stage
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

// startEntries are what the trail does not have yet of the start: the verdict,
// and what was done about it.
func startEntries(s auth.Start) []auth.Entry {
	verdict := auth.Entry{Act: auth.ActStart, Outcome: auth.Refused, Submitted: s.User, Instance: s.Instance, Reason: string(s.Reason), Note: "launched " + s.Launch.UTC().Format(time.RFC3339)}
	if s.Admitted {
		verdict.Outcome = auth.Done
	}
	if s.Stage == auth.Watched {
		verdict.Note = joined(verdict.Note, auth.ObservedNote)
	}
	var all []auth.Entry
	if s.Card.Recorded == 0 {
		all = append(all, verdict)
	}
	end := verdict
	end.Act, end.Outcome, end.Note = auth.ActStartStop, auth.Done, joined(verdict.Note, s.String())
	switch {
	case s.Admitted || s.Stage <= auth.Unstopped || s.Stage <= s.Card.Recorded:
		return all
	case s.Stage == auth.LeftAlone || s.Stage == auth.Stuck:
		end.Outcome = auth.Refused
	}
	return append(all, end)
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

// show posts or rewrites the card, unless this worker has just posted it at this
// stage, and adds to its thread what is new. It returns the card as it stands now,
// also beside an error. A new card with something to add is to be noted before
// that is added: should this worker die, another must not post a second one.
func (d *Desk) show(ctx context.Context, i auth.Instance, s auth.Start, posted auth.Stage) (auth.Card, error) {
	text, blocks := startCard(d.Policy, i, s)
	card, detail := s.Card, threadLine(d.Policy, i, s)
	switch {
	case card.TS == "":
		ts, err := d.Chat.Post(ctx, d.Policy.Channels.Alerts, "", text, blocks)
		if err != nil {
			return card, err
		}
		card.Channel, card.TS = d.Policy.Channels.Alerts, ts
		if detail != "" {
			return card, nil
		}
	case s.Stage != posted:
		if err := d.Chat.Update(ctx, card.Channel, card.TS, text, blocks); err != nil {
			return card, err
		}
	}
	if detail != "" {
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
	Thread  string `json:"thread,omitempty"`
	Text    string `json:"text"`
	Try     int    `json:"try"`
}

// announce says one paragraph in a channel, later if it cannot be said now.
func (d *Desk) announce(ctx context.Context, t sayTask) error {
	_, err := d.Chat.Post(ctx, t.Channel, t.Thread, t.Text, []slack.Block{section(t.Text)})
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

// announceOnce announces what is announced once in a day.
func (d *Desk) announceOnce(ctx context.Context, what string, t sayTask) error {
	first, err := d.Firsts.First(ctx, what, 24*time.Hour)
	if err != nil || !first {
		return err
	}
	return d.announce(ctx, t)
}

func sayAgain(ctx context.Context, d *Desk, e Event) error {
	t, err := read[sayTask](e)
	if err != nil {
		return err
	}
	return d.announce(ctx, t)
}
