package slacksim

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"
)

// slackbot is who speaks when Slack itself has something to say.
const slackbot = "USLACKBOT"

// Message is one message as it stands now, after its edits.
type Message struct {
	ID       string // the TS again: within a workspace Slack has no other name for a message
	Channel  string
	TS       string          // "1800000000.000001", unique in the workspace and growing
	ThreadTS string          // of the parent; empty for what is not a reply
	User     string          // the bot's user id; a person's for a command shown in_channel; USLACKBOT for Slack's own
	Text     string          // fallback when there are blocks
	Blocks   json.RawMessage // Block Kit array with every block_id and action_id filled in, or nil
	Files    []File          // shared with the message, whose Text may then be empty

	Ephemeral bool
	To        string // the only viewer of an ephemeral message
	Edited    bool
	System    bool // Slack's own words, such as a command that failed
	At        time.Time
}

// Messages returns what viewer sees in channel, oldest first: everything public, and the ephemeral messages
// addressed to them. Of a private channel or direct message, only members see anything.
func (w *Workspace) Messages(channel, viewer string) []Message {
	w.mu.Lock()
	defer w.mu.Unlock()
	var seen []Message
	for _, m := range w.messages {
		if m.Channel == channel && w.sees(viewer, m) {
			seen = append(seen, *m)
		}
	}
	return seen
}

// Changes returns a channel that receives whenever a message or view appears, changes or goes. Changes that come faster than
// the reader reads are one receive. It is closed when ctx ends.
func (w *Workspace) Changes(ctx context.Context) <-chan struct{} {
	ch := make(chan struct{}, 1)
	w.mu.Lock()
	w.watchers[ch] = true
	w.mu.Unlock()
	context.AfterFunc(ctx, func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		delete(w.watchers, ch)
		close(ch)
	})
	return ch
}

// Wait returns all messages of the workspace, ephemeral ones included, as soon as enough holds of them: at once, or after
// some change. When ctx ends first, the error says what there was instead.
func (w *Workspace) Wait(ctx context.Context, enough func(all []Message) bool) ([]Message, error) {
	watching, stop := context.WithCancel(ctx)
	defer stop()
	changes := w.Changes(watching)
	for {
		all := w.all()
		if enough(all) {
			return all, nil
		}
		select {
		case <-ctx.Done():
			return all, fmt.Errorf("waiting for messages: %w; there are %d: %+v", context.Cause(ctx), len(all), texts(all))
		case <-changes:
		}
	}
}

func (w *Workspace) all() []Message {
	w.mu.Lock()
	defer w.mu.Unlock()
	all := make([]Message, len(w.messages))
	for i, m := range w.messages {
		all[i] = *m
	}
	return all
}

func texts(all []Message) []string {
	var t []string
	for _, m := range all {
		t = append(t, fmt.Sprintf("%s %q", m.Channel, m.Text))
	}
	return t
}

// The methods below expect w.mu to be held.

func (w *Workspace) add(m Message) *Message {
	m.At = w.opts.Now()
	m.TS = w.nextTS(m.At)
	m.ID = m.TS
	w.messages = append(w.messages, &m)
	w.changed()
	return &m
}

func (w *Workspace) edit(m *Message, c content) {
	m.Text, m.Blocks, m.Edited = c.text, c.blocks, true
	w.changed()
}

func (w *Workspace) remove(m *Message) {
	w.messages = slices.DeleteFunc(w.messages, func(other *Message) bool { return other == m })
	w.changed()
}

// say writes a line of Slack's own that only user sees.
func (w *Workspace) say(channel, user, text string) {
	w.add(Message{Channel: channel, User: slackbot, Text: text, Ephemeral: true, To: user, System: true})
}

func (w *Workspace) message(channel, ts string) *Message {
	for _, m := range w.messages {
		if m.Channel == channel && m.TS == ts {
			return m
		}
	}
	return nil
}

func (w *Workspace) sees(viewer string, m *Message) bool {
	if m.Ephemeral {
		return m.To == viewer
	}
	r := w.room(m.Channel)
	return !r.Private && r.im == "" || r.has(viewer)
}

func (w *Workspace) changed() {
	for ch := range w.watchers {
		select {
		case ch <- struct{}{}:
		default: // the reader has not yet taken the last one, which will show it this change too
		}
	}
}

// nextTS is now in Slack's notation, moved on as far as it must to be larger than the last.
func (w *Workspace) nextTS(now time.Time) string {
	now = now.Truncate(time.Microsecond)
	if !now.After(w.lastTS) {
		now = w.lastTS.Add(time.Microsecond)
	}
	w.lastTS = now
	return fmt.Sprintf("%d.%06d", now.Unix(), now.Nanosecond()/1000)
}

// wire is the message as the Web API and interaction payloads show it.
func (w *Workspace) wire(m *Message) map[string]any {
	out := map[string]any{
		"type": "message", "ts": m.TS, "team": w.opts.TeamID, "user": m.User, "text": m.Text,
	}
	if m.User == w.bot.ID {
		out["bot_id"], out["app_id"] = botID, appID
	}
	if m.Blocks != nil {
		out["blocks"] = m.Blocks
	}
	if m.Files != nil {
		files := []any{}
		for _, f := range m.Files {
			files = append(files, w.wireFile(f))
		}
		out["subtype"], out["upload"], out["files"] = "file_share", true, files
	}
	if m.ThreadTS != "" {
		out["thread_ts"] = m.ThreadTS
	}
	if m.Edited {
		out["edited"] = map[string]any{"user": m.User, "ts": m.TS}
	}
	return out
}
