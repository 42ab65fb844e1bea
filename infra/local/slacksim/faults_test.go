package slacksim

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/slack-go/slack"
)

func TestAway(t *testing.T) {
	w, api := open(t, Options{})
	_, frames := dial(t, api)
	receive(t, frames)
	w.Away(true)
	if f, open := <-frames; open {
		t.Errorf("the socket got %+v instead of its end", f)
	}
	for what, call := range map[string]func() error{
		"auth.test": func() error { _, err := api.AuthTest(); return err },
		"apps.connections.open": func() error {
			_, _, err := api.StartSocketModeContext(t.Context())
			return err
		},
	} {
		if status, ok := errors.AsType[slack.StatusCodeError](call()); !ok || status.Code != http.StatusServiceUnavailable {
			t.Errorf("%s: got %v, want 503", what, call())
		}
	}
	if status, _ := post(t, w.base+"/response/any", `{"text":"x"}`); status != http.StatusServiceUnavailable {
		t.Errorf("a response URL: %d, want 503", status)
	}
	if err := w.Command(t.Context(), "U0HANA", "C0OPS", "/ec2-pass", ""); err == nil || !strings.Contains(err.Error(), "away") {
		t.Errorf("a command: %v", err)
	}
	if w.Sockets() != 0 {
		t.Errorf("%d sockets are open", w.Sockets())
	}
	w.Away(false)
	_, err := api.AuthTest()
	wantCode(t, "auth.test", err, "")
}

func TestRateLimit(t *testing.T) {
	w, api := open(t, Options{})
	w.RateLimit("chat.postMessage", 2, 1500*time.Millisecond)
	for range 2 {
		_, _, err := api.PostMessage("C0OPS", text("x"))
		if limited, ok := errors.AsType[*slack.RateLimitedError](err); !ok || limited.RetryAfter != 2*time.Second {
			t.Errorf("got %v, want a rate limit of 2 s", err)
		}
	}
	_, _, err := api.PostMessage("C0OPS", text("x"))
	wantCode(t, "the third", err, "")
}

func TestFailNext(t *testing.T) {
	w, api := open(t, Options{})
	w.FailNext("chat.postMessage", "internal_error", 1)
	_, err := api.AuthTest()
	wantCode(t, "another method", err, "")
	_, _, err = api.PostMessage("C0OPS", text("x"))
	wantCode(t, "the first", err, "internal_error")
	_, _, err = api.PostMessage("C0OPS", text("x"))
	wantCode(t, "the second", err, "")

	var methods, codes []string
	for _, c := range w.Calls() {
		methods, codes = append(methods, c.Method), append(codes, c.Error)
	}
	if got := strings.Join(methods, " "); got != "auth.test chat.postMessage chat.postMessage" {
		t.Errorf("the calls were %s", got)
	}
	if got := strings.Join(codes, ","); got != ",internal_error," {
		t.Errorf("their errors were %s", got)
	}
	if c := w.Calls()[1]; c.Channel != "C0OPS" || c.At.IsZero() {
		t.Errorf("the call was recorded as %+v", c)
	}

	url := respondTo(t, w, api, "C0OPS", nil)
	w.FailNext(ResponseURL, "internal_error", 1)
	if status, _ := post(t, url, `{"text":"x"}`); status != 400 {
		t.Errorf("a failing response URL answered %d", status)
	}
	if status, _ := post(t, url, `{"text":"x"}`); status != 200 {
		t.Errorf("the next answered %d", status)
	}
}

func TestDropAcks(t *testing.T) {
	w, api := open(t, Options{Limits: Limits{AckIn: 50 * time.Millisecond}})
	listen(t, api, answerWith(t, map[string]any{"text": "hello"}))
	w.DropAcks(true)
	wantDelivery(t, w.Command(t.Context(), "U0HANA", "C0OPS", "/ec2-pass", ""), "operation_timeout")

	byHTTP, _ := open(t, Options{})
	app(t, byHTTP, func(http.ResponseWriter, *http.Request) {})
	byHTTP.DropAcks(true)
	wantDelivery(t, byHTTP.Command(t.Context(), "U0HANA", "C0OPS", "/ec2-pass", ""), "operation_timeout")
	byHTTP.DropAcks(false)
	if err := byHTTP.Command(t.Context(), "U0HANA", "C0OPS", "/ec2-pass", ""); err != nil {
		t.Error(err)
	}
}

func TestWait(t *testing.T) {
	w, api := open(t, Options{})
	found := make(chan []Message, 1)
	go func() {
		all, err := w.Wait(t.Context(), func(all []Message) bool { return len(all) == 2 && all[1].Edited })
		if err != nil {
			t.Error(err)
		}
		found <- all
	}()
	if _, err := api.PostEphemeral("C0OPS", "U0HANA", text("one")); err != nil {
		t.Fatal(err)
	}
	_, ts, err := api.PostMessage("C0SECRET", text("two"))
	if err != nil {
		t.Fatal(err)
	}
	if _, _, _, err := api.UpdateMessage("C0SECRET", ts, text("changed")); err != nil {
		t.Fatal(err)
	}
	if all := receive(t, found); all[0].Text != "one" || all[1].Text != "changed" {
		t.Errorf("Wait saw %+v", all)
	}

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = w.Wait(ctx, func([]Message) bool { return false })
	if !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), `"changed"`) {
		t.Errorf("giving up says %v", err)
	}
}

func TestChanges(t *testing.T) {
	w, api := open(t, Options{})
	ctx, cancel := context.WithCancel(t.Context())
	changes := w.Changes(ctx)
	for range 3 { // three changes that nobody reads are one receive
		if _, _, err := api.PostMessage("C0OPS", text("x")); err != nil {
			t.Fatal(err)
		}
	}
	receive(t, changes)
	if len(changes) != 0 {
		t.Error("unread changes pile up")
	}
	cancel()
	for range changes { // ends
	}
}

// TestCloseEndsEverything leaves a socket open and a command unanswered.
func TestCloseEndsEverything(t *testing.T) {
	w, api := open(t, Options{})
	_, frames := dial(t, api)
	receive(t, frames)
	done := make(chan error, 1)
	go func() { done <- w.Command(t.Context(), "U0HANA", "C0OPS", "/ec2-pass", "") }()
	receive(t, frames) // the envelope, never acked
	w.Close()
	if n := w.Sockets(); n != 0 {
		t.Errorf("Close did not wait for %d sockets", n)
	}
	if receive(t, done) == nil {
		t.Error("the command succeeded")
	}
	if _, open := <-frames; open {
		t.Error("the socket outlived the workspace")
	}
}
