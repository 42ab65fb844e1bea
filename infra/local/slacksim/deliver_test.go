package slacksim

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/slack-go/slack"
)

// TestSignVector is the example of https://docs.slack.dev/authentication/verifying-requests-from-slack.
func TestSignVector(t *testing.T) {
	body := "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar" +
		"&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=" +
		"&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN" +
		"&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"
	got := Sign("8f742231b10e8888abcd99yyyzzz85a5", "1531420618", body)
	if want := "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// app is a bot behind signed HTTP; verified requests reach handle.
func app(t *testing.T, w *Workspace, handle http.HandlerFunc) {
	t.Helper()
	srv := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		verifier, err := slack.NewSecretsVerifier(r.Header, "test-signing-secret")
		if err != nil {
			t.Errorf("%s: %v", r.URL.Path, err)
			return
		}
		body, _ := io.ReadAll(r.Body)
		verifier.Write(body)
		if verifier.Ensure() != nil {
			t.Errorf("%s: the signature is wrong", r.URL.Path)
		}
		r.Body = io.NopCloser(strings.NewReader(string(body)))
		handle(rw, r)
	}))
	t.Cleanup(srv.Close)
	w.DeliverTo(srv.URL + "/")
}

func TestCommandOverHTTP(t *testing.T) {
	for _, tc := range []struct{ name, kind, body, want string }{
		{"json", "application/json; charset=utf-8", `{"response_type":"ephemeral","text":"as json"}`, "as json"},
		{"plain text", "text/plain", "as text", "as text"},
		{"nothing", "", "", ""},
		{"an empty object", "application/json", "{}", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w, _ := open(t, Options{})
			commands := make(chan slack.SlashCommand, 1)
			app(t, w, func(rw http.ResponseWriter, r *http.Request) {
				c, err := slack.SlashCommandParse(r)
				if err != nil || r.URL.Path != "/slack/commands" {
					t.Errorf("%s: %v", r.URL.Path, err)
				}
				commands <- c
				rw.Header().Set("Content-Type", tc.kind)
				io.WriteString(rw, tc.body)
			})
			if err := w.Command(t.Context(), "U0HANA", "C0SECRET", "/ec2-pass", "web-1 & more"); err != nil {
				t.Fatal(err)
			}
			c := receive(t, commands)
			if c.Text != "web-1 & more" || c.Command != "/ec2-pass" || c.UserName != "hana" || c.ChannelName != "privategroup" || c.TriggerID == "" || c.IsEnterpriseInstall {
				t.Errorf("the app received %+v", c)
			}
			seen := w.Messages("C0SECRET", "U0HANA")
			if tc.want == "" {
				if len(seen) != 0 {
					t.Errorf("hana sees %+v", seen)
				}
			} else if m := only(t, seen); m.Text != tc.want || !m.Ephemeral {
				t.Errorf("hana sees %+v", m)
			}
		})
	}
}

func TestClickOverHTTP(t *testing.T) {
	w, api := open(t, Options{})
	clicks := make(chan slack.InteractionCallback, 1)
	app(t, w, func(_ http.ResponseWriter, r *http.Request) {
		c, err := slack.InteractionCallbackParse(r)
		if err != nil || r.URL.Path != "/slack/interactions" {
			t.Errorf("%s: %v", r.URL.Path, err)
		}
		clicks <- c
	})
	_, ts, err := api.PostMessage("C0OPS", card())
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Click(t.Context(), "U0BEN", "C0OPS", ts, "decide", "deny"); err != nil {
		t.Fatal(err)
	}
	if c := receive(t, clicks); c.User.ID != "U0BEN" || c.ActionCallback.BlockActions[0].ActionID != "deny" {
		t.Errorf("the app received %+v", c)
	}
}

func TestFailingApps(t *testing.T) {
	release := make(chan struct{})
	defer close(release)
	for _, tc := range []struct {
		name   string
		handle http.HandlerFunc
		code   string
	}{
		{"an error", func(rw http.ResponseWriter, _ *http.Request) { rw.WriteHeader(500) }, "dispatch_failed"},
		{"a redirect", func(rw http.ResponseWriter, r *http.Request) { http.Redirect(rw, r, "/elsewhere", http.StatusFound) }, "dispatch_failed"},
		{"another success", func(rw http.ResponseWriter, _ *http.Request) { rw.WriteHeader(202) }, "dispatch_failed"},
		{"too slow", func(rw http.ResponseWriter, r *http.Request) {
			select {
			case <-r.Context().Done():
			case <-release:
			}
		}, "operation_timeout"},
		{"broken JSON", func(rw http.ResponseWriter, _ *http.Request) {
			rw.Header().Set("Content-Type", "application/json")
			io.WriteString(rw, "{")
		}, "invalid_command_response"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var limits Limits
			if tc.code == "operation_timeout" {
				limits.AckIn = 20 * time.Millisecond
			}
			w, _ := open(t, Options{Limits: limits})
			app(t, w, tc.handle)
			wantDelivery(t, w.Command(t.Context(), "U0HANA", "C0OPS", "/ec2-pass", ""), tc.code)
			if m := only(t, w.Messages("C0OPS", "U0HANA")); !m.System || !strings.Contains(m.Text, tc.code) {
				t.Errorf("hana sees %+v", m)
			}
		})
	}
}

func TestNobodyListens(t *testing.T) {
	w, api := open(t, Options{})
	wantDelivery(t, w.Command(t.Context(), "U0HANA", "C0OPS", "/ec2-pass", ""), "dispatch_failed")
	_, ts, err := api.PostMessage("C0OPS", card())
	if err != nil {
		t.Fatal(err)
	}
	wantDelivery(t, w.Click(t.Context(), "U0HANA", "C0OPS", ts, "decide", "deny"), "dispatch_failed")
}

func TestImpossibleCommands(t *testing.T) {
	w, _ := open(t, Options{})
	for _, tc := range []struct{ name, user, channel, command, why string }{
		{"not a member", "U0BEN", "C0SECRET", "/ec2-pass", "is not in channel"},
		{"no such user", "U0NOBODY", "C0OPS", "/ec2-pass", "nobody who can act"},
		{"deactivated", "U0GONE", "C0OPS", "/ec2-pass", "nobody who can act"},
		{"no such channel", "U0HANA", "C0NONE", "/ec2-pass", "no channel"},
		{"no slash", "U0HANA", "C0OPS", "ec2-pass", "starts with a slash"},
	} {
		err := w.Command(t.Context(), tc.user, tc.channel, tc.command, "")
		if err == nil || !strings.Contains(err.Error(), tc.why) {
			t.Errorf("%s: got %v, want %q", tc.name, err, tc.why)
		}
	}
}

// TestSocketReplacesHTTP: with Socket Mode on, nothing is sent to the request URLs.
func TestSocketReplacesHTTP(t *testing.T) {
	w, api := open(t, Options{})
	app(t, w, func(http.ResponseWriter, *http.Request) { t.Error("the request URL was called") })
	listen(t, api, answerWith(t, map[string]any{"text": "by socket"}))
	if err := w.Command(t.Context(), "U0HANA", "C0OPS", "/ec2-pass", ""); err != nil {
		t.Fatal(err)
	}
	if m := only(t, w.Messages("C0OPS", "U0HANA")); m.Text != "by socket" {
		t.Errorf("hana sees %+v", m)
	}
}

func TestTheCallerMayGiveUp(t *testing.T) {
	w, api := open(t, Options{})
	_, frames := dial(t, api) // never acks
	receive(t, frames)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	err := w.Command(ctx, "U0HANA", "C0OPS", "/ec2-pass", "")
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if seen := w.Messages("C0OPS", "U0HANA"); len(seen) != 0 {
		t.Errorf("Slack told hana %+v about what her client gave up", seen)
	}
	// The app's connection outlives the caller: the next command arrives on it.
	receive(t, frames)
	go w.Command(t.Context(), "U0HANA", "C0OPS", "/ec2-pass", "again")
	if f := receive(t, frames); !strings.Contains(string(f.Payload), "again") {
		t.Errorf("the next frame is %+v", f)
	}
}

func TestTriggersAreUnique(t *testing.T) {
	w, _ := open(t, Options{Now: newClock().Now})
	seen := map[string]bool{}
	for range 100 {
		id := w.newTrigger("U0HANA")
		if seen[id] {
			t.Fatalf("%s was used twice", id)
		}
		seen[id] = true
	}
}
