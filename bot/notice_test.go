package bot_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"sekisho/auth"
	"sekisho/commands"
)

func TestOpeningTheHomeTabPublishesIt(t *testing.T) {
	overBothDoors(t, func(t *testing.T, w *world, _ string, send deliver) {
		w.ec2.before = func(context.Context) error { return errors.New("EC2 is away") } // the tab says so
		if got := send("events_api", happened("app_home_opened")); got != "" {
			t.Errorf("acknowledged with %s", got)
		}
		if len(w.views.homes) != 1 || <-w.views.homes != hana {
			t.Error("hana's Home tab is not published")
		}
	})
}

// Slack sends an event again that is not acknowledged.
func TestAnEventThatFailsIsAcknowledgedAndLogged(t *testing.T) {
	for name, run := range map[string]func(context.Context, *commands.Desk, commands.Request) error{
		"a fault": func(context.Context, *commands.Desk, commands.Request) error { return errors.New("a mistake") },
		"a panic": func(context.Context, *commands.Desk, commands.Request) error { panic("a mistake") },
	} {
		t.Run(name, func(t *testing.T) {
			overBothDoors(t, func(t *testing.T, w *world, _ string, send deliver) {
				w.AddNotice(commands.Notice{Type: "test", Run: run})
				if got := send("events_api", happened("test")); got != "" {
					t.Errorf("acknowledged with %s", got)
				}
				if log := w.log.String(); !strings.Contains(log, "a mistake") || !strings.Contains(log, `"level":"ERROR"`) {
					t.Errorf("the log: %s", log)
				}
			})
		})
	}
}

// Over the socket nothing but a command and a form waits for its handler.
func TestWhatNeedsNoAnswerIsAcknowledgedBeforeItIsHandled(t *testing.T) {
	for payload, envelope := range map[string]string{
		happened("test"): "events_api", chosen("test"): "interactive", clickedInAMessage("test"): "interactive",
	} {
		socketTest(t, func(t *testing.T, w *world, s *slackEnd, _ func(), _ <-chan error) {
			goOn, handled := make(chan struct{}), make(chan struct{})
			wait := func(context.Context, *commands.Desk, commands.Request) (commands.Message, error) {
				<-goOn
				close(handled)
				return commands.Message{}, nil
			}
			w.AddButton(commands.Button{Action: "test", Answers: wait})
			w.AddShortcut(commands.Shortcut{Callback: "test", Answers: wait})
			w.AddNotice(commands.Notice{Type: "test", Run: func(ctx context.Context, d *commands.Desk, r commands.Request) error {
				_, err := wait(ctx, d, r)
				return err
			}})
			c := s.accept()
			c.envelope(envelope, "e1", payload)
			if a := c.ack(); a.ID != "e1" || a.Payload != nil {
				t.Errorf("%s: acknowledged %q with %s", payload, a.ID, a.Payload)
			}
			close(goOn)
			<-handled
			go c.CloseRead(t.Context())
		})
	}
}

func TestSlacksChallengeIsRepeatedOnlyToSlack(t *testing.T) {
	w := newWorld(t)
	h := door(t, w)
	body := string(fixture(t, "url_verification.json"))
	answer := httptest.NewRecorder()
	h.ServeHTTP(answer, signed("/slack/events", body))
	if answer.Code != http.StatusOK || answer.Body.String() != "test-challenge" || !strings.HasPrefix(answer.Header().Get("Content-Type"), "text/plain") {
		t.Errorf("%d %s %q", answer.Code, answer.Header(), answer.Body)
	}
	r := signed("/slack/events", body)
	r.Header.Del("X-Slack-Signature")
	if status, said := send(h, r); status != http.StatusUnauthorized || strings.Contains(said, "test-challenge") {
		t.Errorf("unsigned: %d %q", status, said)
	}
}

// Whoever sends forgeries must be found in the trail, and must not fill it.
func TestForgedRequestsAreRecordedOnceInTenSeconds(t *testing.T) {
	w := newWorld(t)
	h := door(t, w)
	now := noon
	w.desk.Now = func() time.Time { return now }
	forge := func(path string) {
		t.Helper()
		r := signed(path, happened("app_home_opened"))
		r.Header.Set("X-Slack-Signature", "v0="+strings.Repeat("0", 64))
		if status, body := send(h, r); status != http.StatusUnauthorized {
			t.Errorf("%s: %d %s", path, status, body)
		}
	}
	recorded := func() auth.Entry {
		t.Helper()
		all := w.trail.take()
		if len(all) != 1 {
			t.Fatalf("%d entries in the trail; want one: %+v", len(all), all)
		}
		return all[0]
	}
	forge("/slack/events")
	forge("/slack/commands")
	now = now.Add(10*time.Second - 1)
	forge("/slack/interactions")
	if e := recorded(); e.Act != auth.ActDoor || e.Outcome != auth.Refused || e.Door != "http" || e.Note != "" || !strings.Contains(e.Reason, "signature") || e.Submitted != "" {
		t.Errorf("the trail has %+v", e)
	}
	now = noon.Add(10 * time.Second)
	forge("/slack/events")
	if e := recorded(); !strings.Contains(e.Note, "2 more") || !e.Time.Equal(now) {
		t.Errorf("then it has %+v", e)
	}
	now = now.Add(time.Hour)
	send(h, signed("/slack/events", string(fixture(t, "home_opened.json"))))
	if all := w.trail.take(); len(all) > 0 {
		t.Errorf("Slack's own request stands there, too: %+v", all)
	}
	if len(w.views.homes) != 1 {
		t.Errorf("%d Home tabs were published; want Slack's own request's", len(w.views.homes))
	}
}

// The trail says through which door somebody came, and with which request.
func TestTheDoorStandsInTheTrail(t *testing.T) {
	w := newWorld(t)
	h := door(t, w)
	for n, r := range []*http.Request{
		signed("/slack/commands", slashBody("1.1", "web-1")),
		signed("/slack/interactions", clickBody("1.2", "pass_get", webID)),
	} {
		send(h, r)
		all := w.trail.take()
		if len(all) != 1 || all[0].Act != auth.ActPassIssue || all[0].Door != "http" || all[0].Submitted != hana || all[0].Source != [...]string{"1.1", "1.2"}[n] {
			t.Errorf("the trail has %+v", all)
		}
	}
}
