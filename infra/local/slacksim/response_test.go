package slacksim

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/slack-go/slack"
	"github.com/slack-go/slack/socketmode"
)

// respondTo types a command, has the bot ack it with payload, and returns the command's response URL.
func respondTo(t *testing.T, w *Workspace, api *slack.Client, channel string, payload any) string {
	t.Helper()
	urls := make(chan string, 1)
	listen(t, api, func(c *socketmode.Client, e socketmode.Event) {
		urls <- e.Data.(slack.SlashCommand).ResponseURL
		c.Ack(*e.Request, payload)
	})
	if err := w.Command(t.Context(), "U0HANA", channel, "/ec2-pass", ""); err != nil {
		t.Fatal(err)
	}
	return receive(t, urls)
}

// post sends a body to a response URL and returns the status and Slack's answer.
func post(t *testing.T, url, body string) (int, string) {
	t.Helper()
	resp, err := http.Post(url, "application/json", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, _ := io.ReadAll(resp.Body)
	return resp.StatusCode, string(bytes.TrimSpace(b))
}

func TestResponseURLIsUsedFiveTimes(t *testing.T) {
	w, api := open(t, Options{})
	url := respondTo(t, w, api, "C0OPS", nil)
	for range 5 {
		if status, body := post(t, url, `{"text":"more"}`); status != 200 || body != "ok" {
			t.Fatalf("got %d %s", status, body)
		}
	}
	status, body := post(t, url, `{"text":"one too many"}`)
	if status != 404 || body != `{"error":"expired_url","ok":false}` {
		t.Errorf("the sixth got %d %s", status, body)
	}
	if seen := w.Messages("C0OPS", "U0HANA"); len(seen) != 5 || !seen[0].Ephemeral || seen[0].To != "U0HANA" {
		t.Errorf("hana sees %+v", seen)
	}
}

func TestResponseURLExpires(t *testing.T) {
	now := newClock()
	w, api := open(t, Options{Now: now.Now})
	url := respondTo(t, w, api, "C0OPS", nil)
	now.Advance(30 * time.Minute)
	if status, body := post(t, url, `{"text":"just in time"}`); status != 200 {
		t.Errorf("after 30 minutes: %d %s", status, body)
	}
	now.Advance(time.Second)
	if status, _ := post(t, url, `{"text":"late"}`); status != 404 {
		t.Errorf("a second later: %d", status)
	}
	if status, _ := post(t, w.base+"/response/made-up", `{"text":"x"}`); status != 404 {
		t.Errorf("a made-up URL: %d", status)
	}
}

func TestResponseURLRefusesBadMessages(t *testing.T) {
	w, api := open(t, Options{})
	url := respondTo(t, w, api, "C0OPS", nil)
	for body, code := range map[string]string{
		`{`:                               "invalid_payload",
		`{"text":""}`:                     "no_text",
		`{"blocks":[{"type":"section"}]}`: "invalid_blocks",
	} {
		status, got := post(t, url, body)
		var answer struct{ Error string }
		json.Unmarshal([]byte(got), &answer)
		if status != 400 || answer.Error != code {
			t.Errorf("%s: got %d %s, want %s", body, status, got, code)
		}
	}
}

// TestResponseURLWorksWithoutTheBot: it "will bypass any channel posting permissions".
func TestResponseURLWorksWithoutTheBot(t *testing.T) {
	w, api := open(t, Options{})
	url := respondTo(t, w, api, "C0NOBOT", map[string]any{"text": "acked"})
	if _, _, err := api.PostMessage("", slack.MsgOptionResponseURL(url, "in_channel"), text("for all")); err != nil {
		t.Fatal(err)
	}
	seen := w.Messages("C0NOBOT", "U0HANA")
	if len(seen) != 2 || !seen[0].Ephemeral || seen[1].Ephemeral || seen[1].Text != "for all" {
		t.Errorf("hana sees %+v", seen)
	}
}

// TestEphemeralStaysEphemeral is the rule that keeps a pass from being published by a replacement.
func TestEphemeralStaysEphemeral(t *testing.T) {
	w, api := open(t, Options{})
	url := respondTo(t, w, api, "C0OPS", map[string]any{"text": "secret"})
	before := only(t, w.Messages("C0OPS", "U0HANA"))
	if status, body := post(t, url, `{"text":"replaced","replace_original":"true","response_type":"in_channel"}`); status != 200 {
		t.Fatalf("got %d %s", status, body)
	}
	after := only(t, w.Messages("C0OPS", "U0HANA"))
	if after.Text != "replaced" || !after.Edited || after.ID != before.ID || !after.Ephemeral || after.To != "U0HANA" {
		t.Errorf("hana sees %+v", after)
	}
	if seen := w.Messages("C0OPS", "U0BEN"); len(seen) != 0 {
		t.Errorf("ben sees %+v", seen)
	}
	if _, _, err := api.PostMessage("", slack.MsgOptionDeleteOriginal(url)); err != nil {
		t.Fatal(err)
	}
	if seen := w.Messages("C0OPS", "U0HANA"); len(seen) != 0 {
		t.Errorf("after delete_original hana sees %+v", seen)
	}
}

// TestClickReplacesItsMessage uses the response URL of a click on a public card.
func TestClickReplacesItsMessage(t *testing.T) {
	w, api := open(t, Options{})
	urls := make(chan string, 1)
	listen(t, api, func(c *socketmode.Client, e socketmode.Event) {
		urls <- e.Data.(slack.InteractionCallback).ResponseURL
		c.Ack(*e.Request)
	})
	_, ts, err := api.PostMessage("C0OPS", card())
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Click(t.Context(), "U0BEN", "C0OPS", ts, "decide", "approve"); err != nil {
		t.Fatal(err)
	}
	url := receive(t, urls)
	if _, _, err := api.PostMessage("", slack.MsgOptionReplaceOriginal(url), text("approved by ben")); err != nil {
		t.Fatal(err)
	}
	m := only(t, w.Messages("C0OPS", "U0HANA"))
	if m.TS != ts || m.Text != "approved by ben" || m.Blocks != nil || m.Ephemeral || !m.Edited {
		t.Errorf("hana sees %+v", m)
	}
	// Without replace_original the answer is a new message, for the one who clicked.
	if status, body := post(t, url, `{"text":"thank you"}`); status != 200 {
		t.Fatalf("got %d %s", status, body)
	}
	if seen := w.Messages("C0OPS", "U0BEN"); len(seen) != 2 || !seen[1].Ephemeral || seen[1].To != "U0BEN" {
		t.Errorf("ben sees %+v", seen)
	}
}
