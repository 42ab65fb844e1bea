package slackchat_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/slack-go/slack"

	"sekisho/infra/local/slacksim"
	"sekisho/infra/slackchat"
)

const token = "xoxb-test-bot"

func town() *slacksim.Workspace {
	return slacksim.New(slacksim.Options{
		BotToken: token,
		Users:    []slacksim.User{{ID: "U0HANA", Name: "hana"}},
		Channels: []slacksim.Channel{{ID: "C0OPS", Name: "ops", Members: []string{"U0HANA"}}, {ID: "C0WAR", Name: "war-room"}},
	})
}

// open serves a workspace. The forms of what it is sent come on the channel.
func open(t *testing.T) (*slacksim.Workspace, *slackchat.Chat, <-chan url.Values) {
	t.Helper()
	w, forms := town(), make(chan url.Values, 100)
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/api/") {
			if err := r.ParseForm(); err != nil {
				t.Error(err)
			}
			forms <- r.PostForm
		}
		w.Handler().ServeHTTP(rw, r)
	}))
	t.Cleanup(server.Close)
	t.Cleanup(w.Close)
	w.Serve(server.URL)
	return w, chat(server.Client(), server.URL), forms
}

func chat(client *http.Client, base string) *slackchat.Chat {
	api := slack.New(token, slack.OptionAPIURL(base+"/api/"), slack.OptionHTTPClient(client))
	return slackchat.New(func() *slack.Client { return api }, client, base+"/api/")
}

// inBubble gives a Chat whose clock moves only when everything waits: a pace
// can be measured exactly.
func inBubble(t *testing.T, test func(*testing.T, *slacksim.Workspace, *slackchat.Chat)) {
	synctest.Test(t, func(t *testing.T) {
		w := town()
		defer w.Close()
		test(t, w, chat(&http.Client{Transport: inProcess(w.Handler())}, "http://slack.test"))
	})
}

// transport stands for the network between here and Slack.
type transport func(*http.Request) (*http.Response, error)

func (f transport) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// inProcess is no network at all: a bubble's clock stands still while anything
// in it waits for a socket.
func inProcess(h http.Handler) transport {
	return func(r *http.Request) (*http.Response, error) {
		answer := httptest.NewRecorder()
		h.ServeHTTP(answer, r)
		return answer.Result(), nil
	}
}

func blocks(text string) []slack.Block {
	return []slack.Block{slack.NewSectionBlock(slack.NewTextBlockObject("mrkdwn", text, false, false), nil, nil)}
}

// says checks a message, of which text and block begin alike.
func says(t *testing.T, m slacksim.Message, text, thread string) {
	t.Helper()
	if m.Text != text || m.ThreadTS != thread || !strings.Contains(string(m.Blocks), text+" in a block") {
		t.Errorf("got %+v, blocks %s; want %q, also in a block, in the thread %q", m, m.Blocks, text, thread)
	}
}

func TestPostAndUpdate(t *testing.T) {
	w, chat, forms := open(t)
	parent, err := chat.Post(t.Context(), "C0OPS", "", "https://example.com", blocks("https://example.com in a block"))
	if err != nil {
		t.Fatal(err)
	}
	if sent := <-forms; sent.Get("unfurl_links") != "false" || sent.Get("unfurl_media") != "false" || sent.Get("parse") != "" || sent.Has("link_names") {
		t.Errorf("sent %v, want no preview and no mention made of a name", sent)
	}
	reply, err := chat.Post(t.Context(), "C0OPS", parent, "reply", blocks("reply in a block"))
	if err != nil {
		t.Fatal(err)
	}
	if err := chat.Update(t.Context(), "C0OPS", parent, "changed", blocks("changed in a block")); err != nil {
		t.Fatal(err)
	}
	all := w.Messages("C0OPS", "U0HANA")
	if len(all) != 2 || all[0].TS != parent || all[1].TS != reply || !all[0].Edited {
		t.Fatalf("in the channel: %+v", all)
	}
	says(t, all[0], "changed", "")
	says(t, all[1], "reply", parent)
}

func TestUpdateOfADeletedMessageIsNoError(t *testing.T) {
	_, chat, _ := open(t)
	if err := chat.Update(t.Context(), "C0OPS", "1800000000.000001", "late", blocks("late")); err != nil {
		t.Error(err)
	}
	if err := chat.Update(t.Context(), "C0NONE", "1800000000.000001", "late", blocks("late")); err == nil {
		t.Error("updating in no channel went well")
	}
}

func TestErrorsSayWhatSlackSaid(t *testing.T) {
	_, chat, _ := open(t)
	bad := blocks(strings.Repeat("x", 3001))
	_, post := chat.Post(t.Context(), "C0OPS", "", "text", bad)
	ts, err := chat.Post(t.Context(), "C0OPS", "", "text", nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, err := range []error{post, chat.Update(t.Context(), "C0OPS", ts, "text", bad)} {
		for _, want := range []string{"C0OPS", "invalid_blocks", "must be less than 3001 characters [json-pointer:/blocks/0/text/text]"} {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("got %v, want %q in it", err, want)
			}
		}
	}
}

func TestShortRetryAfterIsObeyed(t *testing.T) {
	inBubble(t, func(t *testing.T, w *slacksim.Workspace, chat *slackchat.Chat) {
		start := time.Now()
		w.RateLimit("chat.postMessage", 2, 2*time.Second)
		ts, err := chat.Post(t.Context(), "C0OPS", "", "patient", nil)
		if took := time.Since(start); err != nil || took != 4*time.Second {
			t.Fatalf("posted after %v, error %v; want 4s", took, err)
		}
		w.RateLimit("chat.update", 1, 5*time.Second)
		if err := chat.Update(t.Context(), "C0OPS", ts, "patient still", nil); err != nil || time.Since(start) != 9*time.Second {
			t.Errorf("updated after %v, error %v; want 9s", time.Since(start), err)
		}
	})
}

func TestLongRetryAfterIsAnError(t *testing.T) {
	inBubble(t, func(t *testing.T, w *slacksim.Workspace, chat *slackchat.Chat) {
		start := time.Now()
		w.RateLimit("chat.postMessage", 1, 6*time.Second)
		_, err := chat.Post(t.Context(), "C0OPS", "", "impatient", nil)
		if limited, ok := errors.AsType[*slack.RateLimitedError](err); !ok || limited.RetryAfter != 6*time.Second || time.Since(start) != 0 {
			t.Errorf("got %v after %v, want the rate limit at once", err, time.Since(start))
		}
	})
}

func TestEachChannelHasItsPace(t *testing.T) {
	inBubble(t, func(t *testing.T, w *slacksim.Workspace, chat *slackchat.Chat) {
		start := time.Now()
		for n, want := range []time.Duration{0, 0, 0, time.Second, 2 * time.Second, 3 * time.Second, 4 * time.Second} {
			if _, err := chat.Post(t.Context(), "C0OPS", "", "again", nil); err != nil || time.Since(start) != want {
				t.Errorf("message %d after %v, error %v; want %v", n+1, time.Since(start), err, want)
			}
		}
		if _, err := chat.Post(t.Context(), "C0WAR", "", "elsewhere", nil); err != nil || time.Since(start) != 4*time.Second {
			t.Errorf("in another channel after %v, error %v; want no wait", time.Since(start), err)
		}
		for _, call := range w.Calls() {
			if call.Error != "" {
				t.Errorf("Slack refused: %+v", call)
			}
		}
	})
}
