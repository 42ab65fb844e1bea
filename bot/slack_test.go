package bot_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/slack-go/slack"

	"sekisho/auth"
	"sekisho/bot"
	"sekisho/infra/local/slacksim"
	"sekisho/infra/slackchat"
)

// workspace is a whole small Slack on a port of its own.
func workspace(t *testing.T) (*slacksim.Workspace, string) {
	t.Helper()
	s := slacksim.New(slacksim.Options{
		BotToken: "xoxb-test-bot", AppToken: "xapp-test-app", SigningSecret: testSecret,
		Users:    []slacksim.User{{ID: hana, Name: "hana"}},
		Channels: []slacksim.Channel{{ID: "C0OPS", Name: "ops", Members: []string{hana}}},
		Now:      func() time.Time { return noon },
	})
	server := httptest.NewServer(s.Handler())
	s.Serve(server.URL)
	t.Cleanup(func() { s.Close(); server.Close() })
	return s, server.URL
}

// connect runs a socket door against the workspace until the test ends.
func connect(t *testing.T, w *world, url, appToken string) (done <-chan error) {
	t.Helper()
	client := slack.New("xoxb-test-bot", slack.OptionAppLevelToken(appToken), slack.OptionAPIURL(url+"/api/"))
	socket := &bot.Socket{Bot: w.Bot, Log: w.desk.Log, Open: func(ctx context.Context) (string, error) {
		_, url, err := client.StartSocketModeContext(ctx)
		return url, err
	}}
	ctx, stop := context.WithCancel(context.Background())
	result, over := make(chan error, 1), make(chan struct{})
	go func() {
		result <- socket.Run(ctx)
		close(over)
	}()
	t.Cleanup(func() { stop(); <-over })
	return result
}

// try types a command until Slack can deliver it: while the bot connects,
// Slack tells a person that the app did not answer.
func try(t *testing.T, s *slacksim.Workspace, text string) {
	t.Helper()
	until(t, "a command is delivered", func() bool {
		return s.Sockets() > 0 && s.Command(t.Context(), hana, "C0OPS", "/ec2-pass", text) == nil
	})
}

// last is the newest thing that hana sees.
func last(t *testing.T, s *slacksim.Workspace) slacksim.Message {
	t.Helper()
	all := s.Messages("C0OPS", hana)
	if len(all) == 0 {
		t.Fatal("hana sees nothing")
	}
	return all[len(all)-1]
}

func TestAPassOverSocketMode(t *testing.T) {
	w := newWorld(t)
	s, url := workspace(t)
	connect(t, w, url, "xapp-test-app")
	try(t, s, "web-1")
	m := last(t, s)
	if !m.Ephemeral || m.To != hana || m.System || !strings.Contains(string(m.Blocks), "One-time pass") {
		t.Errorf("hana sees %+v", m)
	}
	if all := s.Messages("C0OPS", "U0BEN"); len(all) > 0 {
		t.Errorf("somebody else sees %+v", all)
	}
	if all := w.trail.take(); len(all) == 0 || all[len(all)-1].Door != "socket" {
		t.Errorf("the trail has %+v", all)
	}

	for _, end := range []func(){
		func() { s.Disconnect("refresh_requested") },
		func() { s.Disconnect("too_many_websockets") },
		func() { s.Away(true); s.Away(false) },
	} {
		end()
		try(t, s, "help")
		if m := last(t, s); m.System || !strings.Contains(m.Text, "How to use") {
			t.Errorf("after the connection's end hana sees %+v", m)
		}
	}
}

func TestSlackRefusesSocketMode(t *testing.T) {
	for name, c := range map[string]struct {
		token, code string
		before      func(*slacksim.Workspace)
	}{
		"a wrong token": {"xapp-test-wrong", "invalid_auth", nil},
		"a bot's token": {"xoxb-test-bot", "not_allowed_token_type", nil},
		"switched off":  {"xapp-test-app", "link_disabled", func(s *slacksim.Workspace) { s.Disconnect("link_disabled") }},
	} {
		t.Run(name, func(t *testing.T) {
			s, url := workspace(t)
			if c.before != nil {
				c.before(s)
			}
			done := connect(t, newWorld(t), url, c.token)
			var err error
			select {
			case err = <-done:
			case <-time.After(20 * time.Second):
				t.Fatal("Run goes on")
			}
			var refused *bot.Fatal
			if !errors.As(err, &refused) || refused.Code != c.code || strings.Contains(err.Error(), c.token) {
				t.Errorf("Run returned %v", err)
			}
		})
	}
}

// The whole way through the form, as a person clicks it, against Slack's own
// rules for views.
func TestAPassByForm(t *testing.T) {
	for _, through := range []string{"http", "socket"} {
		t.Run(through, func(t *testing.T) {
			w := newWorld(t)
			s, url := workspace(t)
			api := slack.New("xoxb-test-bot", slack.OptionAPIURL(url+"/api/"))
			w.desk.Views = slackchat.New(func() *slack.Client { return api }, http.DefaultClient, url+"/api/")
			if through == "http" {
				server := httptest.NewServer(door(t, w))
				defer server.Close()
				s.DeliverTo(server.URL)
				if err := s.Verify(t.Context()); err != nil {
					t.Error(err)
				}
			} else {
				connect(t, w, url, "xapp-test-app")
				until(t, "the bot connects", func() bool { return s.Sockets() > 0 })
			}
			must := func(err error) {
				t.Helper()
				if err != nil {
					t.Fatal(err)
				}
			}
			must(s.OpenHome(t.Context(), hana))
			until(t, "the Home tab is published", func() bool { _, ok := s.Home(hana); return ok })
			home, _ := s.Home(hana)
			must(s.ClickView(t.Context(), hana, home.ID, blockOf(t, home.Blocks, "ask_open"), "ask_open"))
			until(t, "the form opens", func() bool { return len(s.Views(hana)) == 1 })

			form := s.Views(hana)[0]
			pick := map[string]map[string]slacksim.Input{"instance": {"instance": {Selected: webID}}}
			must(s.Submit(t.Context(), hana, form.ID, pick))
			open := s.Views(hana)
			if len(open) != 1 || open[0].Submit != "" || !strings.Contains(string(open[0].Blocks), "One-time pass") || len(open[0].Errors) > 0 {
				t.Fatalf("hana sees %+v", open)
			}
			if all := w.trail.take(); len(all) != 1 || all[0].Act != auth.ActPassIssue || all[0].Door != through {
				t.Errorf("the trail has %+v", all)
			}
			must(s.CloseView(hana, open[0].ID))

			must(s.Shortcut(t.Context(), hana, "ec2_pass"))
			until(t, "the form opens", func() bool { return len(s.Views(hana)) == 1 })
			form = s.Views(hana)[0]
			pick["why"] = map[string]slacksim.Input{"why": {Value: strings.Repeat(" ", 9) + "x"}}
			w.desk.Policy.Rules[0].Ask = nil // the policy of the next release
			must(s.Submit(t.Context(), hana, form.ID, pick))
			if open := s.Views(hana); len(open) != 1 || !strings.Contains(string(open[0].Blocks), "does not let you ask") {
				t.Errorf("hana sees %+v", open)
			}
			if all := w.trail.take(); len(all) != 1 || all[0].Outcome != auth.Refused || all[0].Door != through {
				t.Errorf("the trail has %+v", all)
			}
		})
	}
}

// until waits for what comes over a network at its own pace.
func until(t *testing.T, what string, happened func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	again := time.NewTicker(5 * time.Millisecond)
	defer again.Stop()
	for !happened() {
		select {
		case <-again.C:
		case <-ctx.Done():
			t.Fatalf("within 20 s, not: %s", what)
		}
	}
}

// blockOf gives the id of the block in which a button stands.
func blockOf(t *testing.T, blocks json.RawMessage, action string) string {
	t.Helper()
	var all []struct {
		ID       string `json:"block_id"`
		Elements []struct {
			Action string `json:"action_id"`
		} `json:"elements"`
	}
	if err := json.Unmarshal(blocks, &all); err != nil {
		t.Fatal(err)
	}
	for _, b := range all {
		for _, e := range b.Elements {
			if e.Action == action {
				return b.ID
			}
		}
	}
	t.Fatalf("there is no button %s in %s", action, blocks)
	return ""
}

func TestAPassOverSignedHTTP(t *testing.T) {
	w := newWorld(t)
	s, _ := workspace(t)
	server := httptest.NewServer(door(t, w))
	defer server.Close()
	s.DeliverTo(server.URL)
	if err := s.Command(t.Context(), hana, "C0OPS", "/ec2-pass", "web-1"); err != nil {
		t.Fatal(err)
	}
	if m := last(t, s); !m.Ephemeral || m.To != hana || m.System || !strings.Contains(string(m.Blocks), "One-time pass") {
		t.Errorf("hana sees %+v", m)
	}
}
