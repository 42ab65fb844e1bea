package slacksim

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"
)

const (
	// maxPostText: longer text is "truncated" according to the page, which also lists msg_too_long. Refusing is the stricter
	// reading, and the one that shows a mistake. Characters.
	// https://docs.slack.dev/reference/methods/chat.postMessage#truncating
	maxPostText = 40_000

	// maxUpdateText is refused with msg_too_long, in characters.
	// https://docs.slack.dev/reference/methods/chat.update
	maxUpdateText = 4_000
)

// content is what a message says, checked and ready to be stored.
type content struct {
	text   string
	blocks json.RawMessage
}

// newContent checks text and blocks as every way of posting does. blocks is JSON text, or empty. It expects w.mu to be held.
func (w *Workspace) newContent(text, blocks string, maxText int) (content, error) {
	c := content{text: text}
	if n := utf8.RuneCountInString(text); n > maxText {
		return c, fail("msg_too_long")
	}
	checked, err := w.checkBlocks(blocks)
	if err != nil {
		return c, err
	}
	c.blocks = checked
	if strings.TrimSpace(text) == "" && c.blocks == nil {
		return c, fail("no_text")
	}
	return c, nil
}

func chatPostMessage(w *Workspace, a args) (result, error) {
	channel := a["channel"]
	if u := w.user(channel); u != nil {
		// A user id stands for the direct messages with that user.
		r, _, err := w.direct(channel)
		if err != nil {
			return nil, fail("channel_not_found")
		}
		channel = r.ID
	}
	r, err := w.openRoom(channel)
	if err != nil {
		return nil, err
	}
	c, err := w.newContent(a["text"], a["blocks"], maxPostText)
	if err != nil {
		return nil, err
	}
	thread, err := w.thread(r, a["thread_ts"])
	if err != nil {
		return nil, err
	}
	if err := w.pace(r.ID); err != nil {
		return nil, err
	}
	m := w.add(Message{Channel: r.ID, ThreadTS: thread, User: w.bot.ID, Text: c.text, Blocks: c.blocks})
	return result{"channel": r.ID, "ts": m.TS, "message": w.wire(m)}, nil
}

func chatPostEphemeral(w *Workspace, a args) (result, error) {
	r, err := w.memberRoom(a["channel"])
	if err != nil {
		return nil, err
	}
	if !r.has(a["user"]) {
		return nil, fail("user_not_in_channel")
	}
	c, err := w.newContent(a["text"], a["blocks"], maxPostText)
	if err != nil {
		return nil, err
	}
	thread, err := w.thread(r, a["thread_ts"])
	if err != nil {
		return nil, err
	}
	m := w.add(Message{Channel: r.ID, ThreadTS: thread, User: w.bot.ID, Text: c.text, Blocks: c.blocks, Ephemeral: true, To: a["user"]})
	return result{"message_ts": m.TS}, nil
}

// chatUpdate changes the bot's own message. Absent blocks are kept and an empty array takes them away; absent text is kept beside
// new blocks. https://docs.slack.dev/reference/methods/chat.update
func chatUpdate(w *Workspace, a args) (result, error) {
	r, err := w.botRoom(a["channel"])
	if err != nil {
		return nil, err
	}
	m, err := w.ownMessage(r, a["ts"], "cant_update_message")
	if err != nil {
		return nil, err
	}
	text, hasText := a["text"]
	blocks, hasBlocks := a["blocks"]
	if !hasText && !hasBlocks {
		return nil, fail("no_text")
	}
	if !hasText {
		text = m.Text
	}
	if !hasBlocks {
		blocks = string(m.Blocks)
	}
	c, err := w.newContent(text, blocks, maxUpdateText)
	if err != nil {
		return nil, err
	}
	w.edit(m, c)
	return result{"channel": r.ID, "ts": m.TS, "text": m.Text, "message": w.wire(m)}, nil
}

func chatDelete(w *Workspace, a args) (result, error) {
	r, err := w.botRoom(a["channel"])
	if err != nil {
		return nil, err
	}
	m, err := w.ownMessage(r, a["ts"], "cant_delete_message")
	if err != nil {
		return nil, err
	}
	w.remove(m)
	return result{"channel": r.ID, "ts": m.TS}, nil
}

func chatGetPermalink(w *Workspace, a args) (result, error) {
	r, err := w.botRoom(a["channel"])
	if err != nil {
		return nil, err
	}
	m := w.message(r.ID, a["message_ts"])
	if m == nil || m.Ephemeral {
		return nil, fail("message_not_found")
	}
	link := fmt.Sprintf("https://%s.slack.com/archives/%s/p%s", teamDomain, r.ID, strings.ReplaceAll(m.TS, ".", ""))
	if m.ThreadTS != "" {
		link += "?thread_ts=" + m.ThreadTS + "&cid=" + r.ID
	}
	return result{"channel": r.ID, "permalink": link}, nil
}

// ownMessage finds a message that the bot may change. An ephemeral one cannot be found by the Web API at all.
func (w *Workspace) ownMessage(r *room, ts, notYours string) (*Message, error) {
	m := w.message(r.ID, ts)
	switch {
	case m == nil || m.Ephemeral:
		return nil, fail("message_not_found")
	case m.User != w.bot.ID:
		return nil, fail(notYours)
	}
	return m, nil
}

// thread resolves thread_ts to the thread's parent: a reply to a reply belongs to the same thread.
func (w *Workspace) thread(r *room, ts string) (string, error) {
	if ts == "" {
		return "", nil
	}
	m := w.message(r.ID, ts)
	if m == nil || m.Ephemeral {
		return "", fail("thread_not_found")
	}
	if m.ThreadTS != "" {
		return m.ThreadTS, nil
	}
	return m.TS, nil
}

// pace takes one from the channel's allowance, or refuses with the time until there is one again.
func (w *Workspace) pace(channel string) error {
	every, burst := w.limits.PostEvery, w.limits.PostBurst
	if every < 0 {
		return nil
	}
	now := w.opts.Now()
	whole := w.posted[channel]
	if whole.Before(now) {
		whole = now
	}
	if wait := whole.Sub(now) - time.Duration(burst-1)*every; wait > 0 {
		return &apiError{code: "ratelimited", retryAfter: wait}
	}
	w.posted[channel] = whole.Add(every)
	return nil
}
