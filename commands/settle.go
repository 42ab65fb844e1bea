package commands

import (
	"context"
	"errors"
	"sync"
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
	return d.follow(ctx, e.actor(), o, nil)
}

// tellUnrecorded posts the card of a start that could not be recorded, and has
// it settled later: once in this process, however many events speak of it.
func (d *Desk) tellUnrecorded(ctx context.Context, o auth.Outcome) error {
	s := o.Start
	key := startRef{s.Instance, s.Launch.UnixMilli()}
	d.unrecorded.mu.Lock()
	defer d.unrecorded.mu.Unlock()
	was := d.unrecorded.starts[key]
	if was.queued && was.card.Told >= s.Stage {
		return nil
	}
	s.Card = was.card
	for posted := auth.Stage(0); s.Card.Told < s.Stage; posted = s.Stage {
		var err error
		if s.Card, err = d.show(ctx, o.Instance, s, posted); err != nil {
			// With the record, a card that cannot be posted now is told then.
			d.Log.WarnContext(ctx, "telling about a start", "instance", s.Instance, "error", err)
			break
		}
	}
	err := d.later(ctx, taskSettle, settleTask{
		startRef: key, Admitted: s.Admitted, Decided: s.Decided.UnixMilli(), Stage: s.Stage, Note: s.Note, Card: s.Card,
	}, pauseBefore(0))
	if d.unrecorded.starts == nil || len(d.unrecorded.starts) >= unrecordedAtMost {
		d.unrecorded.starts = make(map[startRef]unrecordedStart)
	}
	d.unrecorded.starts[key] = unrecordedStart{s.Card, err == nil}
	return err
}

// unrecorded are the starts that were decided while the store was away, so
// that this process tells and settles each of them once.
type unrecorded struct {
	mu     sync.Mutex
	starts map[startRef]unrecordedStart
}

const unrecordedAtMost = 1000

type unrecordedStart struct {
	card   auth.Card
	queued bool // Settle is on its way
}
