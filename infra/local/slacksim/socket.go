package slacksim

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	mathrand "math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/coder/websocket"
	"github.com/google/uuid"
)

const (
	// maxAck: an ack of this many bytes or more is dropped without a word. Slack does not document it; the clients that
	// measured it warn of it.
	// https://github.com/slack-go/slack/blob/v0.35.0/socketmode/socketmode.go
	maxAck = 20 * 1024

	// writeWithin is how long a client may take to accept a frame before it counts as gone.
	writeWithin = 5 * time.Second

	// Why a socket is told to go. https://docs.slack.dev/apis/events-api/using-socket-mode#disconnect
	reasonLinkDisabled = "link_disabled"
	reasonTooMany      = "too_many_websockets"
)

// errUnanswered says that no ack came in time; errNobody that there was nobody to ask.
var (
	errUnanswered = errors.New("no answer in time")
	errNobody     = errors.New("no socket is open")
)

// socket is one Socket Mode connection.
type socket struct {
	conn    *websocket.Conn
	writing sync.Mutex // keeps hello the first frame
}

// ack is what came back for an envelope; payload is nil when the ack had none.
type ack struct{ payload json.RawMessage }

// appsConnectionsOpen hands out a URL with a ticket that opens one socket.
func appsConnectionsOpen(w *Workspace, _ args) (result, error) {
	if w.faults.linkDisabled {
		return nil, fail(reasonLinkDisabled)
	}
	ticket := rand.Text()
	w.tickets[ticket] = true
	address := "ws" + strings.TrimPrefix(w.base, "http") // http → ws, https → wss
	return result{"url": address + "/socket?" + url.Values{"ticket": {ticket}, "app_id": {appID}}.Encode()}, nil
}

func (w *Workspace) serveSocket(rw http.ResponseWriter, r *http.Request) {
	w.mu.Lock()
	ticket := r.URL.Query().Get("ticket")
	valid := w.tickets[ticket] && w.ctx.Err() == nil
	delete(w.tickets, ticket)
	if valid {
		w.loops.Add(1) // under the lock, so that Close cannot have stopped waiting yet
	}
	w.mu.Unlock()
	if !valid {
		http.Error(rw, "the ticket is unknown or used: call apps.connections.open", http.StatusUnauthorized)
		return
	}
	defer w.loops.Done()
	conn, err := websocket.Accept(rw, r, &websocket.AcceptOptions{
		OriginPatterns: []string{"api.slack.com"}, // what slack-go says of itself
	})
	if err != nil {
		return // Accept has answered
	}
	defer conn.CloseNow()
	conn.SetReadLimit(maxBody)
	s := &socket{conn: conn}
	if !w.welcome(s) {
		w.sayGoodbye(s, reasonTooMany)
		return
	}
	defer w.forget(s)
	ctx, cancel := context.WithCancel(w.ctx)
	defer cancel()
	w.loops.Go(func() { w.ping(ctx, s) })
	w.read(ctx, s)
}

// welcome registers the socket and greets it, unless there are too many. A client that has read hello can rely on being counted.
func (w *Workspace) welcome(s *socket) bool {
	s.writing.Lock()
	defer s.writing.Unlock()
	w.mu.Lock()
	if w.faults.away || w.ctx.Err() != nil {
		w.mu.Unlock()
		s.conn.CloseNow()
		return true // registered nowhere: its reader ends at once
	}
	if len(w.sockets) >= w.limits.Sockets {
		w.mu.Unlock()
		return false
	}
	w.sockets = append(w.sockets, s)
	n := len(w.sockets)
	w.mu.Unlock()
	s.send(w.ctx, map[string]any{
		"type": "hello", "num_connections": n, "connection_info": map[string]any{"app_id": appID},
		"debug_info": map[string]any{"host": "applink-local", "started": w.opts.Now().UTC().Format("2006-01-02 15:04:05.000"),
			"build_number": 1, "approximate_connection_time": 3600},
	})
	return true
}

func (w *Workspace) read(ctx context.Context, s *socket) {
	for {
		_, frame, err := s.conn.Read(ctx)
		if err != nil {
			return
		}
		w.acked(frame)
	}
}

// acked hands the ack to the delivery that waits for it. Anything else a client may send is ignored.
func (w *Workspace) acked(frame []byte) {
	if len(frame) >= maxAck {
		return
	}
	var a struct {
		EnvelopeID string          `json:"envelope_id"`
		Payload    json.RawMessage `json:"payload"`
	}
	if json.Unmarshal(frame, &a) != nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	waiting := w.pending[a.EnvelopeID]
	if waiting == nil || w.faults.dropAcks {
		return
	}
	delete(w.pending, a.EnvelopeID)
	waiting <- ack{payload: a.Payload} // has room for its one ack
}

// ping keeps telling the client that the connection lives, and ends it when the client does not say the same.
func (w *Workspace) ping(ctx context.Context, s *socket) {
	tick := time.NewTicker(w.limits.PingEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		answer, cancel := context.WithTimeout(ctx, w.limits.PingEvery)
		err := s.conn.Ping(answer)
		cancel()
		if err != nil {
			s.conn.CloseNow()
			return
		}
	}
}

// overSocket sends an envelope to any one open connection and waits for its ack. It is sent once: Slack does not retry
// commands and clicks.
func (w *Workspace) overSocket(ctx context.Context, envelope map[string]any) (ack, error) {
	id := uuid.NewString()
	envelope["envelope_id"] = id
	waiting := make(chan ack, 1)
	w.mu.Lock()
	w.pending[id] = waiting
	w.mu.Unlock()
	defer func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		delete(w.pending, id)
	}()
	deadline := time.NewTimer(w.limits.AckIn)
	defer deadline.Stop()
	for {
		s := w.anySocket()
		if s == nil {
			return ack{}, errNobody
		}
		s.writing.Lock()
		err := s.send(w.ctx, envelope) // not ctx: a write cut short ends the connection, and it is not the caller's
		s.writing.Unlock()
		if err == nil {
			break
		}
		w.forget(s)
	}
	select {
	case a := <-waiting:
		return a, nil
	case <-deadline.C:
		return ack{}, errUnanswered
	case <-ctx.Done():
		return ack{}, context.Cause(ctx)
	case <-w.ctx.Done():
		return ack{}, errors.New("the workspace was closed")
	}
}

func (w *Workspace) anySocket() *socket {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.sockets) == 0 {
		return nil
	}
	return w.sockets[mathrand.IntN(len(w.sockets))]
}

func (w *Workspace) forget(s *socket) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.sockets = slices.DeleteFunc(w.sockets, func(other *socket) bool { return other == s })
}

// takeSockets removes all sockets, so that nothing more is sent to them. It expects w.mu to be held.
func (w *Workspace) takeSockets() []*socket {
	open := w.sockets
	w.sockets = nil
	return open
}

// sayGoodbye tells a client to go and closes the connection behind it.
func (w *Workspace) sayGoodbye(s *socket, reason string) {
	s.writing.Lock()
	s.send(w.ctx, map[string]any{"type": "disconnect", "reason": reason, "debug_info": map[string]any{"host": "applink-local"}})
	s.writing.Unlock()
	s.conn.Close(websocket.StatusNormalClosure, "")
}

// send writes one frame. It expects s.writing to be held.
func (s *socket) send(ctx context.Context, frame any) error {
	ctx, cancel := context.WithTimeout(ctx, writeWithin)
	defer cancel()
	return s.conn.Write(ctx, websocket.MessageText, mustJSON(frame))
}
