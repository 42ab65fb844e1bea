package slacksim

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/coder/websocket/wsjson"
	"github.com/slack-go/slack"
	"github.com/slack-go/slack/socketmode"
)

// frame is any frame that Slack sends.
type frame struct {
	Type           string          `json:"type"`
	Reason         string          `json:"reason"`
	NumConnections int             `json:"num_connections"`
	EnvelopeID     string          `json:"envelope_id"`
	Accepts        bool            `json:"accepts_response_payload"`
	Payload        json.RawMessage `json:"payload"`
}

// dial opens a socket by hand and hands over what arrives on it; the channel is closed with the socket.
func dial(t *testing.T, api *slack.Client) (*websocket.Conn, <-chan frame) {
	t.Helper()
	_, address, err := api.StartSocketModeContext(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	conn, _, err := websocket.Dial(t.Context(), address, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.CloseNow() })
	frames := make(chan frame, 64)
	go func() {
		defer close(frames)
		for {
			var f frame
			if wsjson.Read(context.Background(), conn, &f) != nil {
				return
			}
			frames <- f
		}
	}()
	return conn, frames
}

func answerWith(t *testing.T, payload any) func(*socketmode.Client, socketmode.Event) {
	return func(c *socketmode.Client, e socketmode.Event) {
		if err := c.Ack(*e.Request, payload); err != nil {
			t.Error(err)
		}
	}
}

func TestCommandOverSocket(t *testing.T) {
	w, api := open(t, Options{})
	commands := make(chan slack.SlashCommand, 1)
	listen(t, api, func(c *socketmode.Client, e socketmode.Event) {
		commands <- e.Data.(slack.SlashCommand)
		c.Ack(*e.Request, map[string]any{"text": "your pass", "blocks": []any{section("*your pass*")}})
	})
	if err := w.Command(t.Context(), "U0HANA", "C0OPS", "/ec2-pass", "web-1 for the demo"); err != nil {
		t.Fatal(err)
	}
	got := receive(t, commands)
	if got.Command != "/ec2-pass" || got.Text != "web-1 for the demo" || got.UserID != "U0HANA" || got.ChannelID != "C0OPS" ||
		got.ChannelName != "ops" || got.TeamID != "T0LOCAL" || got.TriggerID == "" || !strings.HasPrefix(got.ResponseURL, w.base+"/response/") {
		t.Errorf("the bot received %+v", got)
	}
	m := only(t, w.Messages("C0OPS", "U0HANA"))
	if !m.Ephemeral || m.To != "U0HANA" || m.Text != "your pass" || m.Blocks == nil || m.User != w.Bot().ID {
		t.Errorf("hana sees %+v", m)
	}
	if seen := w.Messages("C0OPS", "U0BEN"); len(seen) != 0 {
		t.Errorf("ben sees %+v", seen)
	}
}

func TestCommandInChannel(t *testing.T) {
	w, api := open(t, Options{})
	listen(t, api, answerWith(t, map[string]any{"text": "for all", "response_type": "in_channel"}))
	if err := w.Command(t.Context(), "U0HANA", "C0OPS", "/ec2-pass", "help"); err != nil {
		t.Fatal(err)
	}
	seen := w.Messages("C0OPS", "U0BEN")
	if len(seen) != 2 || seen[0].Text != "/ec2-pass help" || seen[0].User != "U0HANA" || seen[1].Text != "for all" {
		t.Errorf("ben sees %+v", seen)
	}
}

func TestClickOverSocket(t *testing.T) {
	w, api := open(t, Options{})
	clicks := make(chan slack.InteractionCallback, 1)
	accepts := make(chan bool, 1)
	listen(t, api, func(c *socketmode.Client, e socketmode.Event) {
		clicks <- e.Data.(slack.InteractionCallback)
		accepts <- e.Request.AcceptsResponsePayload
		c.Ack(*e.Request, map[string]any{"text": "ignored"})
	})
	_, parent, err := api.PostMessage("C0OPS", text("parent"))
	if err != nil {
		t.Fatal(err)
	}
	_, ts, err := api.PostMessage("C0OPS", text("fallback"), card(), slack.MsgOptionTS(parent))
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Click(t.Context(), "U0BEN", "C0OPS", ts, "decide", "approve"); err != nil {
		t.Fatal(err)
	}
	got := receive(t, clicks)
	action := got.ActionCallback.BlockActions[0]
	if got.Type != slack.InteractionTypeBlockActions || got.User.ID != "U0BEN" || got.Channel.ID != "C0OPS" || got.Team.ID != "T0LOCAL" ||
		got.TriggerID == "" || got.ResponseURL == "" || got.APIAppID == "" {
		t.Errorf("the bot received %+v", got)
	}
	if action.ActionID != "approve" || action.BlockID != "decide" || action.Value != "r-1" || action.Text.Text != "Approve" || action.ActionTs == "" || action.Type != "button" {
		t.Errorf("the action is %+v", action)
	}
	if c := got.Container; c.Type != "message" || c.MessageTs != ts || c.ChannelID != "C0OPS" || c.ThreadTs != parent || c.IsEphemeral {
		t.Errorf("the container is %+v", c)
	}
	if got.Message.Timestamp != ts || got.Message.Text != "fallback" || len(got.Message.Blocks.BlockSet) != 2 {
		t.Errorf("the message is %+v", got.Message)
	}
	if receive(t, accepts) {
		t.Error("a click's ack accepts no payload")
	}
	if n := len(w.Messages("C0OPS", "U0BEN")); n != 2 {
		t.Errorf("the ack's content became a message: %d messages", n)
	}
}

func TestClickOnEphemeral(t *testing.T) {
	w, api := open(t, Options{})
	clicks := make(chan slack.InteractionCallback, 1)
	listen(t, api, func(c *socketmode.Client, e socketmode.Event) {
		clicks <- e.Data.(slack.InteractionCallback)
		c.Ack(*e.Request)
	})
	ts, err := api.PostEphemeral("C0OPS", "U0HANA", card())
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Click(t.Context(), "U0HANA", "C0OPS", ts, "decide", "deny"); err != nil {
		t.Fatal(err)
	}
	got := receive(t, clicks)
	if !got.Container.IsEphemeral || got.Container.MessageTs != ts || got.Message.Timestamp != "" {
		t.Errorf("container %+v, message %+v", got.Container, got.Message.Timestamp)
	}
}

func TestImpossibleClicks(t *testing.T) {
	w, api := open(t, Options{})
	reached := make(chan socketmode.Event, 16)
	listen(t, api, func(c *socketmode.Client, e socketmode.Event) { reached <- e; c.Ack(*e.Request) })
	private, err := api.PostEphemeral("C0OPS", "U0HANA", card())
	if err != nil {
		t.Fatal(err)
	}
	_, plain, err := api.PostMessage("C0OPS", text("no blocks"))
	if err != nil {
		t.Fatal(err)
	}
	_, secret, err := api.PostMessage("C0SECRET", card())
	if err != nil {
		t.Fatal(err)
	}
	choose := slack.NewOptionsSelectBlockElement("static_select", nil, "pick",
		slack.NewOptionBlockObject("a", slack.NewTextBlockObject("plain_text", "A", false, false), nil))
	_, menu, err := api.PostMessage("C0OPS", slack.MsgOptionBlocks(slack.NewActionBlock("menu", choose)))
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct{ name, user, channel, message, block, action, why string }{
		{"another's ephemeral", "U0BEN", "C0OPS", private, "decide", "approve", "sees no message"},
		{"a private channel", "U0BEN", "C0SECRET", secret, "decide", "approve", "sees no message"},
		{"no such message", "U0HANA", "C0OPS", "1.000001", "decide", "approve", "sees no message"},
		{"another channel's message", "U0HANA", "C0OPS", secret, "decide", "approve", "sees no message"},
		{"no blocks", "U0HANA", "C0OPS", plain, "decide", "approve", "no block"},
		{"no such block", "U0HANA", "C0OPS", private, "other", "approve", "no block"},
		{"no such element", "U0HANA", "C0OPS", private, "decide", "maybe", "no element"},
		{"not a button", "U0HANA", "C0OPS", menu, "menu", "pick", "only buttons"},
		{"somebody deactivated", "U0GONE", "C0OPS", menu, "menu", "pick", "nobody who can act"},
		{"the bot itself", "U0SEKISHO", "C0OPS", menu, "menu", "pick", "nobody who can act"},
	} {
		err := w.Click(t.Context(), tc.user, tc.channel, tc.message, tc.block, tc.action)
		if err == nil || !strings.Contains(err.Error(), tc.why) {
			t.Errorf("%s: got %v, want %q", tc.name, err, tc.why)
		}
	}
	if len(reached) != 0 {
		t.Errorf("%d of them reached the bot", len(reached))
	}
}

func TestHelloCountsConnections(t *testing.T) {
	w, api := open(t, Options{})
	for n := 1; n <= 10; n++ {
		_, frames := dial(t, api)
		if f := receive(t, frames); f.Type != "hello" || f.NumConnections != n {
			t.Fatalf("connection %d was greeted with %+v", n, f)
		}
	}
	_, frames := dial(t, api)
	if f := receive(t, frames); f.Type != "disconnect" || f.Reason != "too_many_websockets" {
		t.Errorf("the eleventh was told %+v", f)
	}
	if w.Sockets() != 10 {
		t.Errorf("%d sockets are open", w.Sockets())
	}
}

func TestTicketsOpenOneSocket(t *testing.T) {
	_, api := open(t, Options{})
	_, address, err := api.StartSocketModeContext(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	first, _, err := websocket.Dial(t.Context(), address, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer first.CloseNow()
	if second, _, err := websocket.Dial(t.Context(), address, nil); err == nil {
		second.CloseNow()
		t.Error("one ticket opened two sockets")
	}
}

// TestEachPayloadGoesToOneConnection sends enough commands that a favourite would show.
func TestEachPayloadGoesToOneConnection(t *testing.T) {
	w, api := open(t, Options{})
	counts := make(chan int, 128)
	for i := range 2 {
		listen(t, api, func(c *socketmode.Client, e socketmode.Event) { counts <- i; c.Ack(*e.Request) })
	}
	const commands = 64
	for range commands {
		if err := w.Command(t.Context(), "U0HANA", "C0OPS", "/ec2-pass", "web-1"); err != nil {
			t.Fatal(err)
		}
	}
	if len(counts) != commands {
		t.Fatalf("%d commands were delivered %d times", commands, len(counts))
	}
	seen := map[int]int{}
	for range commands {
		seen[<-counts]++
	}
	if seen[0] == 0 || seen[1] == 0 { // by chance once in 2^63
		t.Errorf("the connections got %v", seen)
	}
}

func TestNobodyAcks(t *testing.T) {
	w, api := open(t, Options{Limits: Limits{AckIn: 20 * time.Millisecond}})
	deliveries := make(chan string, 16)
	listen(t, api, func(c *socketmode.Client, e socketmode.Event) { deliveries <- e.Request.EnvelopeID })
	wantDelivery(t, w.Command(t.Context(), "U0HANA", "C0OPS", "/ec2-pass", "web-1"), "operation_timeout")
	m := only(t, w.Messages("C0OPS", "U0HANA"))
	if m.Text != `/ec2-pass failed with the error "operation_timeout"` || !m.System || !m.Ephemeral || m.To != "U0HANA" {
		t.Errorf("hana sees %+v", m)
	}
	_, ts, err := api.PostMessage("C0OPS", card())
	if err != nil {
		t.Fatal(err)
	}
	wantDelivery(t, w.Click(t.Context(), "U0HANA", "C0OPS", ts, "decide", "approve"), "operation_timeout")
	if n := len(w.Messages("C0OPS", "U0HANA")); n != 2 {
		t.Errorf("a click without an ack left a message: %d", n)
	}
	// One delivery each: what was not acked is not sent again.
	receive(t, deliveries)
	receive(t, deliveries)
	wantDelivery(t, w.Command(t.Context(), "U0HANA", "C0OPS", "/ec2-pass", "web-1"), "operation_timeout")
	receive(t, deliveries)
	if len(deliveries) != 0 {
		t.Error("an envelope was sent again")
	}
}

// TestAckSize sends acks by hand, since slack-go itself refuses to send one that Slack would drop.
func TestAckSize(t *testing.T) {
	for _, tc := range []struct {
		name string
		size int
		in   time.Duration
		code string
	}{{"just fits", maxAck - 1, 0, ""}, {"too large", maxAck, 50 * time.Millisecond, "operation_timeout"}} {
		t.Run(tc.name, func(t *testing.T) {
			w, api := open(t, Options{Limits: Limits{AckIn: tc.in}})
			conn, frames := dial(t, api)
			receive(t, frames) // hello
			done := make(chan error, 1)
			go func() { done <- w.Command(t.Context(), "U0HANA", "C0OPS", "/ec2-pass", "") }()
			f := receive(t, frames)
			if f.Type != "slash_commands" || !f.Accepts {
				t.Errorf("the envelope is %+v", f)
			}
			empty := `{"envelope_id":"` + f.EnvelopeID + `","payload":{"text":""}}`
			full := strings.Replace(empty, `""}}`, `"`+strings.Repeat("x", tc.size-len(empty))+`"}}`, 1)
			if err := conn.Write(t.Context(), websocket.MessageText, []byte(full)); err != nil {
				t.Fatal(err)
			}
			err := receive(t, done)
			if tc.code == "" && err != nil {
				t.Error(err)
			}
			if tc.code != "" {
				wantDelivery(t, err, tc.code)
			}
		})
	}
}

func TestStrayAcksAreIgnored(t *testing.T) {
	w, api := open(t, Options{})
	conn, frames := dial(t, api)
	receive(t, frames)
	done := make(chan error, 1)
	go func() { done <- w.Command(t.Context(), "U0HANA", "C0OPS", "/ec2-pass", "") }()
	f := receive(t, frames)
	for _, stray := range []string{`nonsense`, `{}`, `{"envelope_id":"other","payload":{"text":"wrong"}}`,
		`{"envelope_id":"` + f.EnvelopeID + `","payload":{"text":"right"}}`,
		`{"envelope_id":"` + f.EnvelopeID + `","payload":{"text":"twice"}}`} {
		if err := conn.Write(t.Context(), websocket.MessageText, []byte(stray)); err != nil {
			t.Fatal(err)
		}
	}
	if err := receive(t, done); err != nil {
		t.Fatal(err)
	}
	if m := only(t, w.Messages("C0OPS", "U0HANA")); m.Text != "right" {
		t.Errorf("hana sees %+v", m)
	}
}

func TestBadAckContent(t *testing.T) {
	w, api := open(t, Options{})
	listen(t, api, answerWith(t, map[string]any{"blocks": []any{section(long(3001))}}))
	wantDelivery(t, w.Command(t.Context(), "U0HANA", "C0OPS", "/ec2-pass", ""), "invalid_command_response")
	if m := only(t, w.Messages("C0OPS", "U0HANA")); !m.System {
		t.Errorf("hana sees %+v", m)
	}
}

func TestReconnectAfterRefresh(t *testing.T) {
	w, api := open(t, Options{})
	hellos := listen(t, api, answerWith(t, map[string]any{"text": "still here"}))
	for _, reason := range []string{"warning", "refresh_requested"} {
		w.Disconnect(reason)
		receive(t, hellos)
		if err := w.Command(t.Context(), "U0HANA", "C0OPS", "/ec2-pass", ""); err != nil {
			t.Fatalf("after %s: %v", reason, err)
		}
	}
}

func TestLinkDisabled(t *testing.T) {
	w, api := open(t, Options{})
	_, frames := dial(t, api)
	receive(t, frames)
	w.Disconnect("link_disabled")
	if f := receive(t, frames); f.Type != "disconnect" || f.Reason != "link_disabled" {
		t.Errorf("got %+v", f)
	}
	if f, open := <-frames; open {
		t.Errorf("after the disconnect came %+v", f)
	}
	_, _, err := api.StartSocketModeContext(t.Context())
	wantCode(t, "connecting while Socket Mode is off", err, "link_disabled")
	w.Reenable()
	_, _, err = api.StartSocketModeContext(t.Context())
	wantCode(t, "connecting again", err, "")
}

func TestPings(t *testing.T) {
	_, api := open(t, Options{Limits: Limits{PingEvery: 200 * time.Millisecond}})
	_, address, err := api.StartSocketModeContext(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	pings := make(chan struct{}, 1)
	conn, _, err := websocket.Dial(t.Context(), address, &websocket.DialOptions{
		OnPingReceived: func(context.Context, []byte) bool {
			select {
			case pings <- struct{}{}:
			default:
			}
			return true
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.CloseNow()
	go func() {
		for {
			if _, _, err := conn.Read(context.Background()); err != nil {
				return
			}
		}
	}()
	for range 3 { // an answered ping is followed by the next
		receive(t, pings)
	}
}

// TestSilentSocketIsDropped opens a socket that answers no ping.
func TestSilentSocketIsDropped(t *testing.T) {
	_, api := open(t, Options{Limits: Limits{PingEvery: 20 * time.Millisecond}})
	_, address, err := api.StartSocketModeContext(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	conn, _, err := websocket.Dial(t.Context(), address, &websocket.DialOptions{
		OnPingReceived: func(context.Context, []byte) bool { return false },
	})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.CloseNow()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	for err == nil {
		_, _, err = conn.Read(ctx) // hello, then the end
	}
	if ctx.Err() != nil {
		t.Error("the silent socket was kept")
	}
}
