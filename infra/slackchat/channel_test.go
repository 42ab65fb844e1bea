package slackchat_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"sekisho/auth"
)

func TestChannel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		chat, calls := scripted(t, map[string][]string{
			"conversations.info": {"429 2", `{"ok":true,"channel":{"id":"C0OPS","name":"ops","is_member":true}}`},
		})
		start := time.Now()
		if name, err := chat.Channel(t.Context(), "C0OPS"); err != nil || name != "ops" || time.Since(start) != 2*time.Second {
			t.Errorf("got %q, %v after %v; want ops after 2s", name, err, time.Since(start))
		}
		if c := <-calls; c.form.Get("channel") != "C0OPS" || c.token != token {
			t.Errorf("sent %+v", c)
		}
	})
}

func TestChannelWhereTheBotCannotSpeak(t *testing.T) {
	const missing = `{"ok":false,"error":"missing_scope","needed":"channels:read","provided":"chat:write"}`
	is := func(more string) string { return `{"ok":true,"channel":{"id":"C0OPS","name":"ops"` + more + `}}` }
	for answer, want := range map[string]string{
		is(``): "C0OPS (#ops): not_in_channel: invite the bot to the channel with /invite",
		is(`,"is_member":true,"is_archived":true`): "C0OPS (#ops): is_archived: the channel is archived",
		refuses("channel_not_found"):               "C0OPS: channel_not_found: the id is wrong, or the channel is private",
		refuses("not_in_channel"):                  "C0OPS: not_in_channel: invite the bot",
		missing:                                    "C0OPS: missing_scope: add the scope (channels:read)",
	} {
		chat, _ := scripted(t, map[string][]string{"conversations.info": {answer}})
		_, err := chat.Channel(t.Context(), "C0OPS")
		wantError(t, err, "looking at the channel "+want)
	}
	_, err := unreached().Channel(t.Context(), "C0OPS")
	wantError(t, err, "looking at the channel C0OPS: unexpected EOF")
}

func TestPostWhereTheBotCannotSpeak(t *testing.T) {
	for code, want := range map[string]string{
		"not_in_channel":    "posting in C0OPS: this person or channel cannot be written to: not_in_channel: invite the bot to the channel with /invite",
		"channel_not_found": "posting in C0OPS: this person or channel cannot be written to: channel_not_found: the id is wrong, or the channel is private",
		"is_archived":       "posting in C0OPS: this person or channel cannot be written to: is_archived: the channel is archived: unarchive it, or name another",
	} {
		chat, _ := scripted(t, map[string][]string{"chat.postMessage": {refuses(code)}})
		_, err := chat.Post(t.Context(), "C0OPS", "", "the-text", nil)
		wantError(t, err, want)
		if !errors.Is(err, auth.ErrNotReachable) {
			t.Errorf("%s does not say that trying again is no use", code)
		}
	}
}

func TestUpdateWhereTheBotCannotSpeak(t *testing.T) {
	for _, code := range []string{"is_archived", "channel_not_found", "cant_update_message"} {
		chat, _ := scripted(t, map[string][]string{"chat.update": {refuses(code)}})
		if err := chat.Update(t.Context(), "C0OPS", "1.1", "the-text", nil); !errors.Is(err, auth.ErrNotReachable) {
			t.Errorf("%s does not say that trying again is no use: %v", code, err)
		}
	}
}
