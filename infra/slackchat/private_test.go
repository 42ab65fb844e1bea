package slackchat_test

import (
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"sekisho/auth"
)

// wantError checks that an error says so, and nothing secret.
func wantError(t *testing.T, err error, wants ...string) {
	t.Helper()
	for _, want := range wants {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q in it", err, want)
		}
	}
	for _, secret := range []string{token, "://", "the-text", "the-trigger"} {
		if err != nil && strings.Contains(err.Error(), secret) {
			t.Errorf("the error holds %q: %v", secret, err)
		}
	}
}

func TestDirect(t *testing.T) {
	chat, calls := scripted(t, map[string][]string{
		"conversations.open": {`{"ok":true,"channel":{"id":"D0HANA"}}`},
		"chat.postMessage":   {`{"ok":true,"channel":"D0HANA","ts":"1800000000.000001"}`},
	})
	for range 2 {
		channel, ts, err := chat.Direct(t.Context(), "U0HANA", "the-text", blocks("the-text in a block"))
		if err != nil || channel != "D0HANA" || ts != "1800000000.000001" {
			t.Fatalf("got %s %s, %v", channel, ts, err)
		}
	}
	if open := <-calls; open.method != "conversations.open" || open.form.Get("users") != "U0HANA" || open.token != token {
		t.Errorf("first sent %+v", open)
	}
	post := <-calls
	if post.method != "chat.postMessage" || post.form.Get("channel") != "D0HANA" || post.form.Get("text") != "the-text" ||
		!strings.Contains(post.form.Get("blocks"), "the-text in a block") || post.form.Get("unfurl_links") != "false" {
		t.Errorf("then sent %+v", post)
	}
	if rest := took(calls); !slices.Equal(rest, []string{"chat.postMessage"}) {
		t.Errorf("the second time called %q, want the channel remembered", rest)
	}
}

func TestDirectWithoutAWay(t *testing.T) {
	const opened, posted = `{"ok":true,"channel":{"id":"D0HANA"}}`, `{"ok":true,"ts":"1.1"}`
	for _, c := range []struct {
		open, post string
		never      bool
		want       string
	}{
		{refuses("user_not_found"), posted, true, "user_not_found"},
		{refuses("user_not_visible"), posted, true, "user_not_visible"},
		{refuses("user_disabled"), posted, true, "user_disabled"},
		{refuses("cannot_dm_bot"), posted, true, "cannot_dm_bot"},
		{refuses("channel_not_found"), posted, true, "channel_not_found"},
		{opened, refuses("messages_tab_disabled"), true, "turn on the Messages tab"},
		{opened, refuses("cannot_dm_bot"), true, "cannot_dm_bot"},
		{opened, refuses("channel_not_found"), true, "channel_not_found"},
		{opened, refuses("not_in_channel"), true, "not_in_channel"},
		{opened, refuses("is_archived"), true, "is_archived"},
		{opened, refuses("restricted_action"), true, "restricted_action"},
		{`{"ok":false,"error":"missing_scope","needed":"im:write"}`, posted, false, "add the scope (im:write)"},
		{refuses("missing_scope"), posted, false, "add the scope (named on the method's page)"},
		{`{"ok":true}`, posted, false, "names no channel"},
		{refuses("internal_error"), posted, false, "internal_error"},
		{opened, refuses("invalid_auth"), false, "invalid_auth"},
		{opened, "429 6", false, "rate limit"},
		{"429 6", posted, false, "rate limit"},
	} {
		chat, _ := scripted(t, map[string][]string{"conversations.open": {c.open}, "chat.postMessage": {c.post}})
		_, _, err := chat.Direct(t.Context(), "U0HANA", "the-text", nil)
		wantError(t, err, "writing to U0HANA: ", c.want)
		if errors.Is(err, auth.ErrNotReachable) != c.never {
			t.Errorf("%v: ErrNotReachable is %v, want %v", err, !c.never, c.never)
		}
	}
	_, _, err := unreached().Direct(t.Context(), "U0HANA", "the-text", nil)
	wantError(t, err, "writing to U0HANA: unexpected EOF")
	if errors.Is(err, auth.ErrNotReachable) || !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("got %v, want the network's error alone", err)
	}
}

func TestDirectObeysAShortRetryAfter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		chat, _ := scripted(t, map[string][]string{
			"conversations.open": {"429 2", `{"ok":true,"channel":{"id":"D0HANA"}}`},
			"chat.postMessage":   {"429 3", `{"ok":true,"ts":"1.1"}`},
		})
		start := time.Now()
		if _, _, err := chat.Direct(t.Context(), "U0HANA", "the-text", nil); err != nil || time.Since(start) != 5*time.Second {
			t.Errorf("written after %v, %v; want 5s", time.Since(start), err)
		}
	})
}

func TestWhisper(t *testing.T) {
	chat, calls := scripted(t, map[string][]string{"chat.postEphemeral": {`{"ok":true,"message_ts":"1.1"}`}})
	if err := chat.Whisper(t.Context(), "C0OPS", "U0HANA", "the-text", blocks("the-text in a block")); err != nil {
		t.Fatal(err)
	}
	if c := <-calls; c.form.Get("channel") != "C0OPS" || c.form.Get("user") != "U0HANA" || c.form.Get("text") != "the-text" ||
		!strings.Contains(c.form.Get("blocks"), "the-text in a block") || c.token != token {
		t.Errorf("sent %+v", c)
	}
}

func TestWhisperWithoutAWay(t *testing.T) {
	for code, never := range map[string]bool{
		"user_not_in_channel": true, "not_in_channel": true, "channel_not_found": true, "is_archived": true,
		"invalid_blocks": false, "fatal_error": false,
	} {
		chat, _ := scripted(t, map[string][]string{"chat.postEphemeral": {refuses(code)}})
		err := chat.Whisper(t.Context(), "C0OPS", "U0HANA", "the-text", nil)
		wantError(t, err, "whispering to U0HANA in C0OPS: ", code)
		if errors.Is(err, auth.ErrNotReachable) != never {
			t.Errorf("%v: ErrNotReachable is %v, want %v", err, !never, never)
		}
	}
	err := unreached().Whisper(t.Context(), "C0OPS", "U0HANA", "the-text", nil)
	wantError(t, err, "whispering to U0HANA in C0OPS: unexpected EOF")
}
