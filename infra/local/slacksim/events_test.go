package slacksim

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/slack-go/slack"
	"github.com/slack-go/slack/slackevents"
	"github.com/slack-go/slack/socketmode"
)

func checkOpened(t *testing.T, e slackevents.EventsAPIEvent, view string) {
	t.Helper()
	outer, _ := e.Data.(*slackevents.EventsAPICallbackEvent)
	opened, ok := e.InnerEvent.Data.(*slackevents.AppHomeOpenedEvent)
	if !ok || outer == nil {
		t.Fatalf("the bot received %+v", e)
	}
	if e.Type != "event_callback" || e.TeamID != "T0LOCAL" || e.APIAppID == "" || !strings.HasPrefix(outer.EventID, "Ev") || outer.EventTime == 0 {
		t.Errorf("the event is wrapped as %+v", outer)
	}
	if opened.User != "U0HANA" || opened.Channel != "D0HANA" || opened.Tab != "home" || opened.EventTimeStamp == "" {
		t.Errorf("the event is %+v", opened)
	}
	if got := opened.View; view == "" && got != nil || view != "" && (got == nil || got.ID != view) {
		t.Errorf("the event's view is %+v, want %q", got, view)
	}
}

func TestOpenHomeOverSocket(t *testing.T) {
	w, api := open(t, Options{})
	events := make(chan slackevents.EventsAPIEvent, 1)
	listen(t, api, func(c *socketmode.Client, e socketmode.Event) {
		events <- e.Data.(slackevents.EventsAPIEvent)
		if e.Request.RetryAttempt != 0 || e.Request.AcceptsResponsePayload {
			t.Errorf("the envelope is %+v", e.Request)
		}
		c.Ack(*e.Request)
	})
	if err := w.OpenHome(t.Context(), "U0HANA"); err != nil {
		t.Fatal(err)
	}
	checkOpened(t, receive(t, events), "")
	first, err := api.PublishView("U0HANA", home("welcome"), "")
	if err != nil {
		t.Fatal(err)
	}
	if err := w.OpenHome(t.Context(), "U0HANA"); err != nil {
		t.Fatal(err)
	}
	checkOpened(t, receive(t, events), first.ID)
}

func TestOpenHomeOverHTTP(t *testing.T) {
	w, _ := open(t, Options{})
	events := make(chan slackevents.EventsAPIEvent, 2)
	app(t, w, func(rw http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		e, err := slackevents.ParseEvent(body, slackevents.OptionNoVerifyToken())
		if err != nil || r.URL.Path != "/slack/events" || r.Header.Get("Content-Type") != "application/json" || r.Header.Get("X-Slack-Retry-Num") != "" {
			t.Errorf("%s: %v, %v", r.URL.Path, r.Header, err)
		}
		events <- e
		rw.WriteHeader(http.StatusNoContent) // any 2xx will do
	})
	if err := w.OpenHome(t.Context(), "U0HANA"); err != nil {
		t.Fatal(err)
	}
	checkOpened(t, receive(t, events), "")
	if len(events) != 0 {
		t.Error("an acknowledged event was sent again")
	}
}

// TestEventsAreRetried: the same event once more, at once.
func TestEventsAreRetried(t *testing.T) {
	type try struct{ id, num, reason string }
	for _, tc := range []struct {
		name   string
		answer func(rw http.ResponseWriter, nth int)
		tries  int
		reason string
		code   string
	}{
		{"a failure", func(rw http.ResponseWriter, nth int) { rw.WriteHeader(map[int]int{1: 500, 2: 200}[nth]) }, 2, "http_error", ""},
		{"two failures", func(rw http.ResponseWriter, _ int) { rw.WriteHeader(500) }, 2, "http_error", "dispatch_failed"},
		{"a connection cut", func(rw http.ResponseWriter, nth int) {
			if nth == 1 {
				panic(http.ErrAbortHandler)
			}
		}, 2, "connection_failed", ""},
		{"no wish for it", func(rw http.ResponseWriter, _ int) {
			rw.Header().Set("X-Slack-No-Retry", "1")
			rw.WriteHeader(500)
		}, 1, "", "dispatch_failed"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w, _ := open(t, Options{})
			tries := make(chan try, 8)
			var nth atomic.Int32
			app(t, w, func(rw http.ResponseWriter, r *http.Request) {
				var e struct {
					ID string `json:"event_id"`
				}
				json.NewDecoder(r.Body).Decode(&e)
				tries <- try{e.ID, r.Header.Get("X-Slack-Retry-Num"), r.Header.Get("X-Slack-Retry-Reason")}
				tc.answer(rw, int(nth.Add(1)))
			})
			err := w.OpenHome(t.Context(), "U0HANA")
			if tc.code != "" {
				wantDelivery(t, err, tc.code)
			} else if err != nil {
				t.Error(err)
			}
			first := receive(t, tries)
			if tc.tries == 2 {
				if second := receive(t, tries); second != (try{first.id, "1", tc.reason}) || first.num != "" || first.id == "" {
					t.Errorf("tried as %+v, then as %+v", first, second)
				}
			}
			if len(tries) != 0 {
				t.Errorf("tried again: %+v", <-tries)
			}
		})
	}
}

func TestEventsAreRetriedOverSocket(t *testing.T) {
	w, api := open(t, Options{Limits: Limits{AckIn: 50 * time.Millisecond}})
	requests := make(chan *socketmode.Request, 2)
	listen(t, api, func(c *socketmode.Client, e socketmode.Event) {
		requests <- e.Request
		if e.Request.RetryAttempt > 0 {
			c.Ack(*e.Request)
		}
	})
	if err := w.OpenHome(t.Context(), "U0HANA"); err != nil {
		t.Fatal(err)
	}
	first, second := receive(t, requests), receive(t, requests)
	if first.RetryAttempt != 0 || first.RetryReason != "" || second.RetryAttempt != 1 || second.RetryReason != "timeout" {
		t.Errorf("tried as %+v, then as %+v", first, second)
	}
	if string(first.Payload) != string(second.Payload) {
		t.Errorf("the retry is another event: %s", second.Payload)
	}
	w.DropAcks(true)
	wantDelivery(t, w.OpenHome(t.Context(), "U0HANA"), "operation_timeout")
}

func TestImpossibleActs(t *testing.T) {
	w, _ := open(t, Options{})
	wantDelivery(t, w.OpenHome(t.Context(), "U0HANA"), "dispatch_failed") // nobody listens
	wantDelivery(t, w.Shortcut(t.Context(), "U0HANA", "ask"), "dispatch_failed")
	for what, act := range map[string]func() error{
		"opening Home": func() error { return w.OpenHome(t.Context(), "U0GONE") },
		"a shortcut":   func() error { return w.Shortcut(t.Context(), "U0GONE", "ask") },
	} {
		if err := act(); err == nil || !strings.Contains(err.Error(), "nobody who can act") {
			t.Errorf("%s: %v", what, err)
		}
	}
	w.Away(true)
	if err := w.OpenHome(t.Context(), "U0HANA"); err == nil || !strings.Contains(err.Error(), "away") {
		t.Errorf("opening Home while Slack is away: %v", err)
	}
}

func TestShortcutOverHTTP(t *testing.T) {
	w, _ := open(t, Options{})
	shortcuts := make(chan slack.InteractionCallback, 1)
	app(t, w, func(_ http.ResponseWriter, r *http.Request) {
		c, err := slack.InteractionCallbackParse(r)
		if err != nil || r.URL.Path != "/slack/interactions" {
			t.Errorf("%s: %v", r.URL.Path, err)
		}
		shortcuts <- c
	})
	if err := w.Shortcut(t.Context(), "U0BEN", "ask"); err != nil {
		t.Fatal(err)
	}
	if c := receive(t, shortcuts); c.Type != slack.InteractionTypeShortcut || c.User.ID != "U0BEN" || c.CallbackID != "ask" || c.TriggerID == "" {
		t.Errorf("the app received %+v", c)
	}
}

func TestVerify(t *testing.T) {
	for _, tc := range []struct {
		name, kind string
		answer     func(challenge string) string
		fails      bool
	}{
		{"plain text", "text/plain", func(c string) string { return c }, false},
		{"JSON", "application/json", func(c string) string { return `{"challenge":"` + c + `"}` }, false},
		{"a form", "application/x-www-form-urlencoded", func(c string) string { return "challenge=" + c }, false},
		{"nothing", "text/plain", func(string) string { return "" }, true},
		{"another", "application/json", func(string) string { return `{"challenge":"x"}` }, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w, api := open(t, Options{})
			_, frames := dial(t, api) // an open socket changes nothing
			receive(t, frames)
			app(t, w, func(rw http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				e, err := slackevents.ParseEvent(body, slackevents.OptionNoVerifyToken())
				asked, ok := e.Data.(*slackevents.EventsAPIURLVerificationEvent)
				if err != nil || !ok || e.Type != slackevents.URLVerification || r.URL.Path != "/slack/events" {
					t.Errorf("the app was sent %s to %s", body, r.URL.Path)
					return
				}
				rw.Header().Set("Content-Type", tc.kind)
				io.WriteString(rw, tc.answer(asked.Challenge))
			})
			if err := w.Verify(t.Context()); (err != nil) != tc.fails {
				t.Errorf("got %v", err)
			}
		})
	}
	w, _ := open(t, Options{})
	if w.Verify(t.Context()) == nil {
		t.Error("an address that is not there was verified")
	}
	app(t, w, func(rw http.ResponseWriter, _ *http.Request) { rw.WriteHeader(404) })
	if w.Verify(t.Context()) == nil {
		t.Error("a 404 verified the address")
	}
}
