package slacksim

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/slack-go/slack"
	"github.com/slack-go/slack/socketmode"
)

// clock is a time that moves when a test says so.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *clock { return &clock{now: time.Unix(1_800_000_000, 0)} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// town is the workspace of these tests: two people in #ops, one of them in a private channel, a third who left the company,
// and a channel that the bot was not invited to.
func town(o Options) Options {
	o.Users = []User{
		{ID: "U0HANA", Name: "hana", RealName: "Hana Mori", TZ: "Asia/Tokyo"},
		{ID: "U0BEN", Name: "ben", RealName: "Ben Okafor", TZ: "Europe/London"},
		{ID: "U0GONE", Name: "gone", Deleted: true},
	}
	o.Channels = []Channel{
		{ID: "C0OPS", Name: "ops", Members: []string{"U0HANA", "U0BEN"}},
		{ID: "C0SECRET", Name: "secret", Members: []string{"U0HANA"}, Private: true},
		{ID: "C0NOBOT", Name: "no-bot", Members: []string{"U0HANA"}, BotAbsent: true},
		{ID: "C0HIDDEN", Name: "hidden", Members: []string{"U0HANA"}, BotAbsent: true, Private: true},
	}
	o.Groups = []Group{{ID: "S0APPROVERS", Handle: "approvers", Name: "Approvers", Members: []string{"U0HANA"}}}
	return o
}

// open serves a workspace and returns the unmodified client of slack-go for it.
func open(t *testing.T, o Options) (*Workspace, *slack.Client) {
	t.Helper()
	w := New(town(o))
	return w, serve(t, w)
}

func serve(t *testing.T, w *Workspace) *slack.Client {
	t.Helper()
	srv := httptest.NewServer(w.Handler())
	t.Cleanup(srv.Close)
	t.Cleanup(w.Close)
	w.Serve(srv.URL)
	return slack.New("xoxb-test-bot", slack.OptionAPIURL(srv.URL+"/api/"), slack.OptionAppLevelToken("xapp-test-app"))
}

// listen connects the bot over Socket Mode and hands every command, interaction and event to handle, in one goroutine. It returns when Slack
// has said hello; each further hello is sent on the channel.
func listen(t *testing.T, api *slack.Client, handle func(*socketmode.Client, socketmode.Event)) <-chan *socketmode.Request {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	client := socketmode.New(api, socketmode.OptionLog(log.New(io.Discard, "", 0)))
	hellos := make(chan *socketmode.Request, 16)
	var loops sync.WaitGroup
	loops.Go(func() { client.RunContext(ctx) })
	loops.Go(func() {
		for {
			select {
			case <-ctx.Done():
				return
			case e := <-client.Events:
				switch e.Type {
				case socketmode.EventTypeHello:
					hellos <- e.Request
				case socketmode.EventTypeSlashCommand, socketmode.EventTypeInteractive, socketmode.EventTypeEventsAPI:
					handle(client, e)
				}
			}
		}
	})
	t.Cleanup(loops.Wait)
	t.Cleanup(cancel)
	receive(t, hellos)
	return hellos
}

// receive takes one value, or fails the test when none comes.
func receive[T any](t *testing.T, ch <-chan T) T {
	t.Helper()
	select {
	case v := <-ch:
		return v
	case <-time.After(10 * time.Second):
		t.Fatal("nothing arrived within 10 s")
		panic("unreachable")
	}
}

func wantCode(t *testing.T, what string, err error, code string) {
	t.Helper()
	got := "no error"
	if err != nil {
		got = err.Error()
	}
	if code == "" {
		code = "no error"
	}
	if got != code {
		t.Errorf("%s: got %s, want %s", what, got, code)
	}
}

func wantDelivery(t *testing.T, err error, code string) {
	t.Helper()
	failed, ok := errors.AsType[*DeliveryError](err)
	if !ok || failed.Code != code {
		t.Errorf("got %v, want a DeliveryError with the code %s", err, code)
	}
}

func only(t *testing.T, messages []Message) Message {
	t.Helper()
	if len(messages) != 1 {
		t.Fatalf("got %d messages, want one: %+v", len(messages), messages)
	}
	return messages[0]
}

func button(action, text string) *slack.ButtonBlockElement {
	return slack.NewButtonBlockElement(action, "r-1", slack.NewTextBlockObject("plain_text", text, false, false))
}

func section(text string) *slack.SectionBlock {
	return slack.NewSectionBlock(slack.NewTextBlockObject("mrkdwn", text, false, false), nil, nil)
}

// card is a message with the two buttons most tests press.
func card() slack.MsgOption {
	return slack.MsgOptionBlocks(section("*Start web-1?*"), slack.NewActionBlock("decide", button("approve", "Approve"), button("deny", "Deny")))
}

func blockIDs(t *testing.T, m Message) []string {
	t.Helper()
	var blocks []struct {
		ID string `json:"block_id"`
	}
	if err := json.Unmarshal(m.Blocks, &blocks); err != nil {
		t.Fatalf("blocks of %s: %v", m.ID, err)
	}
	var ids []string
	for _, b := range blocks {
		ids = append(ids, b.ID)
	}
	return ids
}

func long(n int) string { return strings.Repeat("é", n) } // two bytes each: limits count characters
