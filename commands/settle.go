package commands

import (
	"context"
	"errors"
	"time"

	"sekisho/auth"
)

// settleTask carries a start that was decided while the store was away, until
// it can be written down.
type settleTask struct {
	startRef
	Admitted bool       `json:"admitted"`
	Decided  int64      `json:"decided"` // milliseconds
	Stage    auth.Stage `json:"stage"`
	Note     string     `json:"note,omitempty"`
	Card     auth.Card  `json:"card"`
	Try      int        `json:"try"`
}

// settle writes down what was decided while the store was away.
func settle(ctx context.Context, d *Desk, e Event) error {
	t, err := read[settleTask](e)
	if err != nil {
		return err
	}
	o, err := d.Gate.Settle(ctx, auth.Start{
		Instance: t.Instance, Launch: t.launch(), Admitted: t.Admitted, Reason: auth.Unjudged,
		Decided: time.UnixMilli(t.Decided), Stage: t.Stage, Note: t.Note,
	})
	if errors.Is(err, auth.ErrUnavailable) {
		t.Try++
		return d.later(ctx, taskSettle, t, min(pauseBefore(t.Try), 30*time.Second))
	}
	if err != nil || o.None() {
		return err
	}
	if t.Card.TS != "" && o.Start.Card.TS == "" {
		if _, err := d.Cards.PutCard(ctx, t.Instance, t.launch(), t.Card); err != nil {
			return err
		}
	}
	return d.follow(ctx, o, nil)
}

// tellUnrecorded posts the card of a start that could not be recorded, once in
// this process, and has it settled later.
func (d *Desk) tellUnrecorded(ctx context.Context, o auth.Outcome) error {
	s := o.Start
	key := s.Instance + s.Launch.UTC().String()
	d.unrecorded.mu.Lock()
	defer d.unrecorded.mu.Unlock()
	card, told := d.unrecorded.cards[key]
	if told && card.Told >= s.Stage {
		return nil
	}
	s.Card = card
	card, said := d.show(ctx, o.Instance, s)
	if said == nil {
		if d.unrecorded.cards == nil || len(d.unrecorded.cards) > 1000 {
			d.unrecorded.cards = make(map[string]auth.Card)
		}
		d.unrecorded.cards[key] = card
	} else {
		d.Log.WarnContext(ctx, "telling about a start", "instance", s.Instance, "error", said)
	}
	// With the record, a card that could not be posted now is told then.
	return d.later(ctx, taskSettle, settleTask{
		startRef: startRef{s.Instance, s.Launch.UnixMilli()}, Admitted: s.Admitted,
		Decided: s.Decided.UnixMilli(), Stage: s.Stage, Note: s.Note, Card: card,
	}, pauseBefore(0))
}
