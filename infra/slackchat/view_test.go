package slackchat_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/slack-go/slack"
)

func modal() slack.ModalViewRequest {
	return slack.ModalViewRequest{
		Title:      slack.NewTextBlockObject("plain_text", "Deny", false, false),
		CallbackID: "deny",
		Blocks:     slack.Blocks{BlockSet: blocks("why?")},
	}
}

func TestOpen(t *testing.T) {
	chat, calls := scripted(t, map[string][]string{"views.open": {`{"ok":true,"view":{"id":"V1"}}`}})
	if err := chat.Open(t.Context(), "the-trigger", modal()); err != nil {
		t.Fatal(err)
	}
	c := <-calls
	want := "map[trigger_id:the-trigger view:map[blocks:[map[text:map[text:why? type:mrkdwn] type:section]] " +
		"callback_id:deny title:map[emoji:false text:Deny type:plain_text] type:modal]]"
	if got := fmt.Sprint(c.body); got != want || c.token != token {
		t.Errorf("sent %s; want %s", got, want)
	}
}

func TestOpenRefused(t *testing.T) {
	for code, want := range map[string]string{
		"expired_trigger_id":   "expired_trigger_id: the click took too long",
		"trigger_expired":      "the click took too long",
		"exchanged_trigger_id": "this click has opened a window before",
		"trigger_exchanged":    "this click has opened a window before",
	} {
		chat, _ := scripted(t, map[string][]string{"views.open": {refuses(code)}})
		wantError(t, chat.Open(t.Context(), "the-trigger", modal()), "opening a window: ", want)
	}
	chat, _ := scripted(t, map[string][]string{
		"views.open": {`{"ok":false,"error":"invalid_arguments","response_metadata":{"messages":["[ERROR] too long"]}}`},
	})
	wantError(t, chat.Open(t.Context(), "the-trigger", modal()), `invalid_arguments: ["[ERROR] too long"]`)
	wantError(t, unreached().Open(t.Context(), "the-trigger", modal()), "opening a window: unexpected EOF")
}

// A trigger does not live long enough to wait.
func TestOpenDoesNotWaitForARateLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		chat, calls := scripted(t, map[string][]string{"views.open": {"429 1"}})
		start := time.Now()
		wantError(t, chat.Open(t.Context(), "the-trigger", modal()), "rate limit")
		if n := len(took(calls)); n != 1 || time.Since(start) != 0 {
			t.Errorf("tried %d times in %v, want once and at once", n, time.Since(start))
		}
	})
}

func TestPublish(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		chat, calls := scripted(t, map[string][]string{"views.publish": {"429 2", `{"ok":true}`}})
		start := time.Now()
		if err := chat.Publish(t.Context(), "U0HANA", blocks("home")); err != nil || time.Since(start) != 2*time.Second {
			t.Fatalf("published after %v, %v; want 2s", time.Since(start), err)
		}
		c := <-calls
		want := "map[user_id:U0HANA view:map[blocks:[map[text:map[text:home type:mrkdwn] type:section]] type:home]]"
		if got := fmt.Sprint(c.body); got != want || c.token != token {
			t.Errorf("sent %s; want %s", got, want)
		}
	})
	chat, _ := scripted(t, map[string][]string{"views.publish": {refuses("not_enabled")}})
	wantError(t, chat.Publish(t.Context(), "U0HANA", nil), "Home tab of U0HANA: not_enabled: turn on the Home tab")
	wantError(t, unreached().Publish(t.Context(), "U0HANA", nil), "publishing the Home tab of U0HANA: unexpected EOF")
}
