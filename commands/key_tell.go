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

// tellKey is how what becomes of a key is recorded and told: its one card is
// brought up to date, each step is a line in the card's thread, and the owner
// hears what concerns them. Going on later is up to whoever calls for it.
func (d *Desk) tellKey(t keyTask) telling[purge.Record] {
	store := d.Purge.Store
	posted := 0 // the version that a card shows which this worker has posted
	return telling[purge.Record]{
		about: "access key " + t.ID,
		try:   t.Try,
		take: func(ctx context.Context) (purge.Record, auth.Told, bool, error) {
			f, ok, err := store.TakeTelling(ctx, t.ID, d.Now(), tellLease)
			return f.Record, f.Told, ok, err
		},
		put:     func(ctx context.Context, told auth.Told) (bool, error) { return store.PutTold(ctx, t.ID, told) },
		entries: keyEntries,
		show: func(ctx context.Context, r purge.Record, told auth.Told) (auth.Told, error) {
			return d.showKey(ctx, r, told, &posted)
		},
	}
}

// keyActs are the changes that the trail has; that something was begun is not
// yet that it was done.
var keyActs = map[purge.Verb]auth.Act{
	purge.Warned: auth.ActKeyWarn, purge.Kept: auth.ActKeyKeep, purge.Exempted: auth.ActKeyExempt,
	purge.Ordered: auth.ActKeyOrder, purge.Dropped: auth.ActKeyOrder,
	purge.Deactivated: auth.ActKeyOff, purge.Reactivated: auth.ActKeyOn, purge.Deleted: auth.ActKeyDelete,
	purge.Would:    auth.ActKeyObserve,
	purge.Released: auth.ActKeyNotice, purge.FoundOff: auth.ActKeyNotice, purge.FoundOn: auth.ActKeyNotice, purge.Gone: auth.ActKeyNotice,
}

func keyEntries(r purge.Record, told auth.Told) (entries []auth.Entry, upTo int) {
	for _, c := range r.History[max(0, told.Recorded):] {
		act, ok := keyActs[c.Verb]
		if !ok {
			continue
		}
		e := auth.Entry{
			Time: c.At, Act: act, Outcome: auth.Done, Key: r.ID, IAMUser: r.User, Decided: c.By, Rule: c.Rule,
			Door: c.Door, Source: c.Source, Reason: string(c.Verb), Note: c.Note,
		}
		if c.Verb == purge.Dropped {
			e.Outcome = auth.Refused
		}
		if c.Do != "" {
			e.Reason = string(c.Do)
		}
		if !c.Until.IsZero() {
			e.Note = joined(e.Note, "until "+c.Until.UTC().Format(time.RFC3339))
		}
		if c.Observed {
			e.Note = joined(e.Note, auth.ObservedNote)
		}
		entries = append(entries, e)
	}
	return entries, r.Version()
}

func joined(a, b string) string {
	if a == "" {
		return b
	}
	return a + "; " + b
}

// showKey brings the card up to date, adds what is new to its thread, and tells
// the owner. It returns how far it came, also beside an error. A new card is noted
// before anything else is said: should this worker die, another must not post a
// second one.
func (d *Desk) showKey(ctx context.Context, r purge.Record, told auth.Told, posted *int) (auth.Told, error) {
	fresh := r.History[max(0, told.Version):]
	text, blocks := keyCard(d.Policy.Keys, r)
	shown := auth.ErrNotReachable // there is no card yet, or where it is it cannot be reached any more
	switch {
	case told.TS != "" && *posted == r.Version():
		shown = nil
	case told.TS != "":
		shown = d.Chat.Update(ctx, told.Channel, told.TS, text, blocks)
	}
	if errors.Is(shown, auth.ErrNotReachable) {
		told.Channel, told.TS, shown = d.postCard(ctx, d.Policy.Channels.Keys, text, blocks)
		*posted = r.Version()
		return told, shown
	}
	if shown != nil {
		return told, shown
	}
	for _, c := range fresh {
		// The owner first: where writing to people fails for long, the thread does
		// not get the line again with every try.
		if err := d.tellKeyOwner(ctx, r, c, told); err != nil {
			return told, err
		}
		if line := keyLine(r, c); line != "" && told.Version > 0 { // the first thing is the card itself
			_, err := d.Chat.Post(ctx, told.Channel, told.TS, line, []slack.Block{section(line)})
			if errors.Is(err, auth.ErrNotReachable) { // the card says it, too
				d.Log.WarnContext(ctx, "a thread takes no line", "key", r.ID, "channel", told.Channel, "error", err)
			} else if err != nil {
				return told, err
			}
		}
		told.Version++
	}
	return told, nil
}

// tellKeyOwner writes to the key's owner, where one is known. Observe mode
// leaves people in peace.
func (d *Desk) tellKeyOwner(ctx context.Context, r purge.Record, c purge.Change, told auth.Told) error {
	owner := r.Sight().Owner
	m, concerns := ownerMessage(d.Policy.Keys, r, c)
	if owner == "" || c.Observed || !concerns {
		return nil
	}
	_, _, err := d.Private.Direct(ctx, owner, m.Text, m.Blocks)
	if errors.Is(err, auth.ErrNotReachable) {
		text := fmt.Sprintf("%s, I cannot write to you, so I tell you here: %s", person(owner), m.Text)
		_, err = d.Chat.Post(ctx, told.Channel, told.TS, text, []slack.Block{section(text)})
	}
	return err
}
