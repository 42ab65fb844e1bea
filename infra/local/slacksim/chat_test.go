package slacksim

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/slack-go/slack"
)

func text(s string) slack.MsgOption { return slack.MsgOptionText(s, false) }

func TestPostMessageRefusals(t *testing.T) {
	for _, tc := range []struct {
		name, channel string
		msg           slack.MsgOption
		code          string
	}{
		{"an unknown channel", "C0NONE", text("x"), "channel_not_found"},
		{"a channel without the bot", "C0NOBOT", text("x"), "not_in_channel"},
		{"a private channel without the bot", "C0HIDDEN", text("x"), "channel_not_found"},
		{"a private channel with the bot", "C0SECRET", text("x"), ""},
		{"nothing to say", "C0OPS", text(""), "no_text"},
		{"only spaces", "C0OPS", text(" \n"), "no_text"},
		{"the longest text", "C0OPS", text(long(40_000)), ""},
		{"too long a text", "C0OPS", text(long(40_001)), "msg_too_long"},
		{"a thread that is not", "C0OPS", slack.MsgOptionCompose(text("x"), slack.MsgOptionTS("1.000001")), "thread_not_found"},
		{"a person's direct messages", "U0BEN", text("x"), ""},
		{"those of somebody deactivated", "U0GONE", text("x"), "channel_not_found"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, api := open(t, Options{})
			_, _, err := api.PostMessage(tc.channel, tc.msg)
			wantCode(t, "chat.postMessage", err, tc.code)
		})
	}
}

func TestPostMessageByJSON(t *testing.T) {
	w, _ := open(t, Options{})
	body := `{"channel":"C0OPS","text":"hello","blocks":[{"type":"section","text":{"type":"mrkdwn","text":"<@U0BEN> *hello*"}}]}`
	req, _ := http.NewRequestWithContext(t.Context(), "POST", w.base+"/api/chat.postMessage", strings.NewReader(body))
	req.Header.Set("Content-Type", "application/json; charset=utf-8")
	req.Header.Set("Authorization", "Bearer xoxb-test-bot")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	m := only(t, w.Messages("C0OPS", "U0BEN"))
	if m.Text != "hello" || !strings.Contains(string(m.Blocks), "<@U0BEN> *hello*") {
		t.Errorf("got %+v", m)
	}
	if ids := blockIDs(t, m); len(ids) != 1 || ids[0] == "" {
		t.Errorf("block ids were not filled in: %v", ids)
	}
}

func TestMessageLife(t *testing.T) {
	w, api := open(t, Options{Now: newClock().Now}) // a clock that stands still: timestamps must grow all the same
	_, ts, err := api.PostMessage("C0OPS", text("fallback"), card())
	if err != nil {
		t.Fatal(err)
	}
	_, reply, err := api.PostMessage("C0OPS", text("in the thread"), slack.MsgOptionTS(ts))
	if err != nil {
		t.Fatal(err)
	}
	_, deeper, err := api.PostMessage("C0OPS", text("to the reply"), slack.MsgOptionTS(reply))
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range w.Messages("C0OPS", "U0BEN") {
		want := ts
		if m.ID == ts {
			want = ""
		}
		if m.ThreadTS != want {
			t.Errorf("%q has the thread %q, want %q", m.Text, m.ThreadTS, want)
		}
	}
	if !(ts < reply && reply < deeper) {
		t.Errorf("timestamps do not grow: %s, %s, %s", ts, reply, deeper)
	}
	link, err := api.GetPermalink(&slack.PermalinkParameters{Channel: "C0OPS", Ts: reply})
	if err != nil || !strings.Contains(link, "/archives/C0OPS/p"+strings.Replace(reply, ".", "", 1)+"?thread_ts="+ts) {
		t.Errorf("permalink %q, %v", link, err)
	}

	// Text alone keeps the blocks.
	if _, _, _, err := api.UpdateMessage("C0OPS", ts, text("approved")); err != nil {
		t.Fatal(err)
	}
	m := w.Messages("C0OPS", "U0BEN")[0]
	if m.Text != "approved" || !m.Edited || m.Blocks == nil || m.TS != ts {
		t.Errorf("after an update of the text: %+v", m)
	}
	_, _, _, err = api.UpdateMessage("C0OPS", ts, text(long(4_001)))
	wantCode(t, "an update too long", err, "msg_too_long")
	_, _, _, err = api.UpdateMessage("C0OPS", ts)
	wantCode(t, "an update of nothing", err, "no_text")
	if _, _, err := api.DeleteMessage("C0OPS", ts); err != nil {
		t.Fatal(err)
	}
	_, _, err = api.DeleteMessage("C0OPS", ts)
	wantCode(t, "deleting again", err, "message_not_found")
	_, _, _, err = api.UpdateMessage("C0OPS", ts, text("x"))
	wantCode(t, "updating what is gone", err, "message_not_found")
}

func TestEmptyBlocksTakeTheBlocksAway(t *testing.T) {
	w, api := open(t, Options{})
	_, ts, err := api.PostMessage("C0OPS", text("fallback"), card())
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.PostForm(w.base+"/api/chat.update", map[string][]string{
		"token": {"xoxb-test-bot"}, "channel": {"C0OPS"}, "ts": {ts}, "text": {"done"}, "blocks": {"[]"},
	})
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if m := only(t, w.Messages("C0OPS", "U0BEN")); m.Blocks != nil || m.Text != "done" {
		t.Errorf("got %+v", m)
	}
}

func TestEphemeral(t *testing.T) {
	w, api := open(t, Options{})
	ts, err := api.PostEphemeral("C0OPS", "U0HANA", text("for hana"))
	if err != nil {
		t.Fatal(err)
	}
	m := only(t, w.Messages("C0OPS", "U0HANA"))
	if !m.Ephemeral || m.To != "U0HANA" || m.ID != ts {
		t.Errorf("hana sees %+v", m)
	}
	if seen := w.Messages("C0OPS", "U0BEN"); len(seen) != 0 {
		t.Errorf("ben sees %+v", seen)
	}
	_, _, _, err = api.UpdateMessage("C0OPS", ts, text("x"))
	wantCode(t, "updating an ephemeral message", err, "message_not_found")
	_, _, err = api.PostMessage("C0OPS", text("x"), slack.MsgOptionTS(ts))
	wantCode(t, "a thread under an ephemeral message", err, "thread_not_found")
	_, err = api.PostEphemeral("C0SECRET", "U0BEN", text("x"))
	wantCode(t, "to somebody who is not there", err, "user_not_in_channel")
	_, err = api.PostEphemeral("C0NOBOT", "U0HANA", text("x"))
	wantCode(t, "where the bot is not", err, "not_in_channel")
}

func TestPrivateChannelsAreSeenByMembersOnly(t *testing.T) {
	w, api := open(t, Options{})
	for _, c := range []string{"C0SECRET", "U0HANA", "C0OPS"} {
		if _, _, err := api.PostMessage(c, text("hello")); err != nil {
			t.Fatal(err)
		}
	}
	for _, tc := range []struct {
		channel, viewer string
		want            int
	}{
		{"C0SECRET", "U0HANA", 1}, {"C0SECRET", "U0BEN", 0}, {"D0HANA", "U0HANA", 1}, {"D0HANA", "U0BEN", 0}, {"C0OPS", "U0GONE", 1},
	} {
		if got := len(w.Messages(tc.channel, tc.viewer)); got != tc.want {
			t.Errorf("%s sees %d messages in %s, want %d", tc.viewer, got, tc.channel, tc.want)
		}
	}
}

func TestPostingIsPaced(t *testing.T) {
	now := newClock()
	_, api := open(t, Options{Now: now.Now})
	post := func(channel string) error { _, _, err := api.PostMessage(channel, text("x")); return err }
	for i := range 5 {
		if err := post("C0OPS"); err != nil {
			t.Fatalf("message %d of the burst: %v", i+1, err)
		}
	}
	err := post("C0OPS")
	limited, ok := err.(*slack.RateLimitedError)
	if !ok || limited.RetryAfter != time.Second {
		t.Fatalf("the sixth: got %v, want a rate limit with 1 s", err)
	}
	if err := post("C0SECRET"); err != nil {
		t.Errorf("another channel has its own allowance: %v", err)
	}
	now.Advance(999 * time.Millisecond)
	if post("C0OPS") == nil {
		t.Error("posted a millisecond too early")
	}
	now.Advance(time.Millisecond)
	if err := post("C0OPS"); err != nil {
		t.Errorf("after the second: %v", err)
	}
	if post("C0OPS") == nil {
		t.Error("two messages for one second")
	}
	now.Advance(time.Hour)
	for range 5 {
		if err := post("C0OPS"); err != nil {
			t.Errorf("the burst after a rest: %v", err)
		}
	}
	if post("C0OPS") == nil {
		t.Error("a rest saved up more than the burst")
	}
}

func TestPacingCanBeLifted(t *testing.T) {
	_, api := open(t, Options{Now: newClock().Now, Limits: Limits{PostEvery: -1}})
	for range 20 {
		if _, _, err := api.PostMessage("C0OPS", text("x")); err != nil {
			t.Fatal(err)
		}
	}
}

func TestOnlyOwnMessagesChange(t *testing.T) {
	w, api := open(t, Options{})
	w.mu.Lock()
	m := w.add(Message{Channel: "C0OPS", User: "U0HANA", Text: "/ec2-pass web-1"})
	w.mu.Unlock()
	_, _, _, err := api.UpdateMessage("C0OPS", m.TS, text("x"))
	wantCode(t, "updating another's message", err, "cant_update_message")
	_, _, err = api.DeleteMessage("C0OPS", m.TS)
	wantCode(t, "deleting another's message", err, "cant_delete_message")
}
