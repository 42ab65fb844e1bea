package bot

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/coder/websocket"
	"github.com/coder/websocket/wsjson"

	"sekisho/auth/measure"
)

// Limits of Socket Mode.
const (
	// ackAtMost is the size from which Slack silently drops an answer over the
	// socket; a larger one goes through the response URL.
	ackAtMost = 20 << 10
	// envelopeAtMost bounds what is read in one message.
	envelopeAtMost = 1 << 20
	// pingEvery finds a connection that is dead at the other end only.
	pingEvery, pingWait = 20 * time.Second, 10 * time.Second
	// lingerFor is how long an old connection is read after Slack announced
	// its end, about 10 seconds ahead: payloads still come on it.
	lingerFor = 30 * time.Second
	// atOnce bounds the envelopes being answered.
	atOnce = 64
)

// Socket is the socket door: https://docs.slack.dev/apis/events-api/using-socket-mode
type Socket struct {
	Bot *Bot
	// Open asks Slack for the address of a new connection.
	Open func(context.Context) (url string, err error)
	Log  *slog.Logger

	slots chan struct{} // one is held by each envelope being answered
}

// fatal are the answers to apps.connections.open that no waiting heals, and
// what to do: https://docs.slack.dev/reference/methods/apps.connections.open
var fatal = map[string]string{
	"invalid_auth":           "Slack does not know SLACK_APP_TOKEN: copy the app-level token (xapp-…) from the app's Basic Information page",
	"not_authed":             "SLACK_APP_TOKEN is empty: set it to the app-level token (xapp-…)",
	"not_allowed_token_type": "SLACK_APP_TOKEN is not an app-level token: it begins with xapp-",
	"token_revoked":          "SLACK_APP_TOKEN was revoked: make a new app-level token",
	"token_expired":          "SLACK_APP_TOKEN has expired: make a new app-level token",
	"account_inactive":       "SLACK_APP_TOKEN belongs to a workspace or user that is gone: make a new app-level token",
	"missing_scope":          "SLACK_APP_TOKEN lacks the scope connections:write",
	"no_permission":          "SLACK_APP_TOKEN lacks the scope connections:write",
	"link_disabled":          "Socket Mode is switched off for this app: switch it on in the app's settings, or use the http door",
}

// Fatal explains an error of the socket door that no waiting heals.
type Fatal struct{ Code, Advice string }

func (f *Fatal) Error() string { return "Slack refused Socket Mode (" + f.Code + "): " + f.Advice }

// fatalFor finds the refusal in an error of apps.connections.open.
func fatalFor(err error) *Fatal {
	if advice, ok := fatal[err.Error()]; ok {
		return &Fatal{err.Error(), advice}
	}
	return nil
}

// Run answers envelopes until ctx ends; then it takes no more, finishes those
// begun, closes the connections and returns nil. It connects again for ever,
// but returns a *Fatal for what no waiting heals.
func (s *Socket) Run(ctx context.Context) error {
	s.slots = make(chan struct{}, atOnce)
	// The connections outlive ctx: what was begun is still answered on them.
	conns, hangUp := context.WithCancel(context.WithoutCancel(ctx))
	var readers sync.WaitGroup
	defer func() {
		for range atOnce { // whoever holds every slot knows that nothing is begun any more
			s.slots <- struct{}{}
		}
		hangUp()
		readers.Wait()
	}()
	pause := backoff.NewExponentialBackOff()
	pause.InitialInterval, pause.MaxInterval = 250*time.Millisecond, time.Minute
	for ctx.Err() == nil {
		c, err := s.connect(ctx)
		if refused := (*Fatal)(nil); errors.As(err, &refused) {
			return refused
		}
		if err == nil {
			pause.Reset()
			readers.Go(func() {
				s.Bot.desk.Level(measure.SocketConnections, 1)
				defer s.Bot.desk.Level(measure.SocketConnections, -1)
				c.read(ctx, conns)
			})
			select {
			case <-ctx.Done():
			case err = <-c.renew:
			}
			if refused := (*Fatal)(nil); errors.As(err, &refused) {
				return refused
			}
			if err == nil {
				continue // Slack asks for a new connection: the old one is still read
			}
		}
		if ctx.Err() != nil {
			return nil
		}
		wait := pause.NextBackOff()
		s.Log.WarnContext(ctx, "socket mode: connecting again", "error", err, "in", wait)
		select {
		case <-ctx.Done():
		case <-time.After(wait):
		}
	}
	return nil
}

// conn is one connection. renew takes one word: nil when Slack announced the
// connection's end, or why it ended.
type conn struct {
	*Socket
	ws    *websocket.Conn
	renew chan error
}

// connect opens a connection and waits for Slack's hello.
func (s *Socket) connect(ctx context.Context) (*conn, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, 30*time.Second, errors.New("no connection within 30 s"))
	defer cancel()
	url, err := s.Open(ctx)
	if err != nil {
		if refused := fatalFor(err); refused != nil {
			return nil, refused
		}
		return nil, fmt.Errorf("asking Slack for a connection: %w", err)
	}
	ws, _, err := websocket.Dial(ctx, url, nil)
	if err != nil {
		// The address holds a ticket: the error, which may hold it, stays here.
		return nil, errors.New("the WebSocket could not be opened")
	}
	ws.SetReadLimit(envelopeAtMost)
	var hello envelope
	if err := wsjson.Read(ctx, ws, &hello); err != nil {
		ws.CloseNow()
		return nil, fmt.Errorf("no hello from Slack: %w", err)
	}
	switch hello.Type {
	case "hello":
	case "disconnect":
		ws.CloseNow()
		return nil, disconnected(hello.Reason)
	default:
		ws.CloseNow()
		return nil, fmt.Errorf("the connection began with %.40q, not with hello", hello.Type)
	}
	s.Log.InfoContext(ctx, "socket mode: connected", "connections", hello.Connections)
	return &conn{s, ws, make(chan error, 1)}, nil
}

// envelope is a message from Slack.
type envelope struct {
	Type        string          `json:"type"`
	ID          string          `json:"envelope_id"`
	Reason      string          `json:"reason"`          // of disconnect
	Connections int             `json:"num_connections"` // of hello
	Payload     json.RawMessage `json:"payload"`
}

func disconnected(reason string) error {
	if advice, ok := fatal[reason]; ok {
		return &Fatal{reason, advice}
	}
	return fmt.Errorf("the connection was ended by Slack: %.60s", reason)
}

// read takes envelopes until the connection ends, and none any more once ctx
// has ended; the connection itself lives until conns ends.
func (c *conn) read(ctx, conns context.Context) {
	conns, hangUp := context.WithCancel(conns)
	defer hangUp()
	closed := make(chan struct{})
	defer func() { <-closed }()
	go func() { // gives Slack a close frame, so that it sends nothing more here
		defer close(closed)
		<-conns.Done()
		c.ws.Close(websocket.StatusNormalClosure, "")
	}()
	go c.ping(conns, hangUp)
	for {
		var e envelope
		// Not bound to conns: a read that is cut off would end the connection
		// without a close frame.
		if err := wsjson.Read(context.WithoutCancel(conns), c.ws, &e); err != nil {
			hangUp()
			c.tell(fmt.Errorf("the connection ended: %w", err))
			return
		}
		switch {
		case e.Type == "disconnect":
			if e.Reason == "warning" || e.Reason == "refresh_requested" {
				c.tell(nil)
				stop := time.AfterFunc(lingerFor, hangUp)
				defer stop.Stop()
				continue
			}
			c.tell(disconnected(e.Reason))
			return
		case e.ID != "" && ctx.Err() == nil:
			select {
			case c.slots <- struct{}{}:
				go func() {
					defer func() { <-c.slots }()
					c.take(context.WithoutCancel(ctx), e)
				}()
			case <-conns.Done():
			}
		}
	}
}

// tell says once what Run needs to know.
func (c *conn) tell(why error) {
	select {
	case c.renew <- why:
	default:
	}
}

func (c *conn) ping(ctx context.Context, hangUp func()) {
	every := time.NewTicker(pingEvery)
	defer every.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-every.C:
		}
		wait, cancel := context.WithTimeout(ctx, pingWait)
		err := c.ws.Ping(wait)
		cancel()
		if err != nil {
			hangUp()
			return
		}
	}
}

// take answers one envelope. What a click or an event asks for is done after
// it was acknowledged; the answer to a command or a form travels in its
// acknowledgement.
func (c *conn) take(ctx context.Context, e envelope) {
	ctx = WithRequest(ctx, e.ID)
	switch e.Type {
	case "slash_commands":
		c.slash(ctx, e)
	case "interactive":
		c.interaction(ctx, e)
	case "events_api":
		c.ack(ctx, e.ID, nil)
		kind, r, _, err := notice(e.Payload)
		if err != nil {
			c.Log.WarnContext(ctx, "an event that cannot be read", "error", err)
			return
		}
		r.Door = doorSocket
		c.Bot.notice(ctx, kind, r)
	default:
		c.ack(ctx, e.ID, nil)
	}
}

func (c *conn) interaction(ctx context.Context, e envelope) {
	in, err := interaction(e.Payload)
	if err == nil && in.kind == kindForm {
		in.Door = doorSocket
		c.ack(ctx, e.ID, c.Bot.submit(ctx, in))
		return
	}
	c.ack(ctx, e.ID, nil)
	if err != nil {
		c.Log.WarnContext(ctx, "an interaction was passed over", "reason", err)
		return
	}
	in.Door = doorSocket
	if in.kind == kindShortcut {
		c.Bot.shortcut(ctx, in)
		return
	}
	c.Bot.click(ctx, in)
}

func (c *conn) slash(ctx context.Context, e envelope) {
	name, r, err := slashPayload(e.Payload)
	if err != nil {
		c.Log.WarnContext(ctx, "a command that cannot be read", "error", err)
		c.ack(ctx, e.ID, nil)
		return
	}
	r.Door = doorSocket
	m := c.Bot.command(ctx, name, r)
	text, err := render(m)
	if err != nil {
		c.Log.ErrorContext(ctx, "rendering an answer", "error", err)
	}
	if err == nil && len(text) < ackAtMost && c.ack(ctx, e.ID, text) == nil {
		return
	}
	c.ack(ctx, e.ID, nil)
	c.Bot.say(ctx, r, m)
}

// ack tells Slack that the envelope arrived, with an answer or without.
func (c *conn) ack(ctx context.Context, id string, payload json.RawMessage) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	return wsjson.Write(ctx, c.ws, struct {
		ID      string          `json:"envelope_id"`
		Payload json.RawMessage `json:"payload,omitempty"`
	}{id, payload})
}
