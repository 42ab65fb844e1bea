package bot_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"
	"github.com/coder/websocket/wsjson"

	"sekisho/bot"
)

// slackEnd is Slack's end of Socket Mode, played by hand: real WebSockets over
// a network in memory, so that all of it runs in a bubble with its own time.
type slackEnd struct {
	t     *testing.T
	conns chan *websocket.Conn

	mu     sync.Mutex
	opened []time.Time // when a connection was asked for
	refuse []error     // what the next such requests are answered with
}

// newSlackEnd listens for as long as the test runs. The bot dials by the
// default transport, which leads here meanwhile.
func newSlackEnd(t *testing.T) *slackEnd {
	s := &slackEnd{t: t, conns: make(chan *websocket.Conn, 10)}
	l := &pipes{dialled: make(chan net.Conn), closed: make(chan struct{})}
	before := http.DefaultTransport
	http.DefaultTransport = &http.Transport{DialContext: l.dial}
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ws, err := websocket.Accept(w, r, nil)
		if err != nil {
			t.Errorf("accepting: %v", err)
			return
		}
		s.conns <- ws
	})}
	go server.Serve(l)
	t.Cleanup(func() {
		server.Close()
		http.DefaultTransport = before
	})
	return s
}

func (s *slackEnd) open(context.Context) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.opened = append(s.opened, time.Now())
	if len(s.refuse) > 0 {
		err := s.refuse[0]
		s.refuse = s.refuse[1:]
		return "", err
	}
	return "ws://wss.slack.test/link/?ticket=test", nil
}

// times are when connections were asked for.
func (s *slackEnd) times() []time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]time.Time(nil), s.opened...)
}

// accept takes the next connection and says hello.
func (s *slackEnd) accept() *slackConn {
	s.t.Helper()
	c := &slackConn{s.t, <-s.conns}
	c.send(`{"type":"hello","num_connections":1,"connection_info":{"app_id":"A1"}}`)
	return c
}

type slackConn struct {
	t *testing.T
	*websocket.Conn
}

func (c *slackConn) send(text string) {
	c.t.Helper()
	if err := c.Write(c.t.Context(), websocket.MessageText, []byte(text)); err != nil {
		c.t.Errorf("sending %.60s: %v", text, err)
	}
}

// command sends an envelope of `/ec2-pass text`.
func (c *slackConn) command(envelope, text string) {
	c.t.Helper()
	payload, _ := json.Marshal(map[string]string{
		"command": "/ec2-pass", "text": text, "user_id": hana, "channel_id": "C0OPS", "trigger_id": envelope, "response_url": responseURL,
	})
	c.send(fmt.Sprintf(`{"type":"slash_commands","envelope_id":%q,"accepts_response_payload":true,"payload":%s}`, envelope, payload))
}

// ack is what the bot acknowledges with.
type ack struct {
	ID      string          `json:"envelope_id"`
	Payload json.RawMessage `json:"payload"`
}

func (c *slackConn) ack() ack {
	c.t.Helper()
	var a ack
	if err := wsjson.Read(c.t.Context(), c.Conn, &a); err != nil {
		c.t.Errorf("waiting for an acknowledgement: %v", err)
	}
	return a
}

// ended waits for the connection's end and gives its close code, -1 without a
// close frame.
func (c *slackConn) ended() websocket.StatusCode {
	_, _, err := c.Read(c.t.Context())
	return websocket.CloseStatus(err)
}

// pipes is a network in memory.
type pipes struct {
	dialled chan net.Conn
	closed  chan struct{}
	once    sync.Once
}

func (p *pipes) dial(context.Context, string, string) (net.Conn, error) {
	here, there := net.Pipe()
	select {
	case p.dialled <- there:
		return here, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.dialled:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error { p.once.Do(func() { close(p.closed) }); return nil }
func (*pipes) Addr() net.Addr { return &net.UnixAddr{Name: "memory", Net: "unix"} }

// socketTest runs a socket door against a slackEnd. done gives what Run
// returned; stop ends its context.
func socketTest(t *testing.T, test func(t *testing.T, w *world, s *slackEnd, stop func(), done <-chan error)) {
	synctest.Test(t, func(t *testing.T) {
		never := time.AfterFunc(24*time.Hour, func() { panic("the test waits for what never comes") })
		defer never.Stop()
		w, s := worldOn(t, nil), newSlackEnd(t)
		socket := &bot.Socket{Bot: w.Bot, Open: s.open, Log: w.desk.Log}
		ctx, stop := context.WithCancel(context.Background())
		result, over := make(chan error, 1), make(chan struct{})
		go func() {
			result <- socket.Run(ctx)
			close(over)
		}()
		test(t, w, s, stop, result)
		stop()
		for { // a connection that the test did not look at still wants its close answered
			select {
			case ws := <-s.conns:
				go ws.CloseNow()
			case <-over:
				return
			}
		}
	})
}

func TestACommandsAnswerTravelsInItsAck(t *testing.T) {
	socketTest(t, func(t *testing.T, w *world, s *slackEnd, _ func(), _ <-chan error) {
		c := s.accept()
		c.command("e1", "help")
		a := c.ack()
		if a.ID != "e1" {
			t.Errorf("acknowledged %q", a.ID)
		}
		if text := ephemeral(t, http.StatusOK, string(a.Payload)); !strings.Contains(text, "How to use") {
			t.Errorf("answered with %q", text)
		}
		go c.CloseRead(t.Context())
	})
}

// Slack drops an answer of 20 KB and more over the socket without a word.
func TestALargeAnswerGoesThroughTheResponseURL(t *testing.T) {
	socketTest(t, func(t *testing.T, w *world, s *slackEnd, _ func(), _ <-chan error) {
		i := w.ec2.instances[webID]
		i.Type = strings.Repeat("large ", 400)
		for n := range 10 {
			i.ID = fmt.Sprintf("i-0aaaaaaaaaaaaaa%02d", n)
			w.ec2.instances[i.ID] = i
		}
		c := s.accept()
		c.command("e1", "list")
		if a := c.ack(); a.ID != "e1" || a.Payload != nil {
			t.Errorf("acknowledged %q with %d bytes", a.ID, len(a.Payload))
		}
		if answer := <-w.chat.responses; answer.url != responseURL || len(answer.blocks) < 10 {
			t.Errorf("answered at %q with %d blocks", answer.url, len(answer.blocks))
		}
		go c.CloseRead(t.Context())
	})
}

// A click must be acknowledged in time whatever it takes to handle it.
func TestAClickIsAcknowledgedBeforeItIsHandled(t *testing.T) {
	socketTest(t, func(t *testing.T, w *world, s *slackEnd, _ func(), _ <-chan error) {
		goOn := make(chan struct{})
		w.ec2.before = func(context.Context) error { <-goOn; return nil }
		c := s.accept()
		payload, _ := json.Marshal(map[string]any{
			"type": "block_actions", "user": map[string]string{"id": hana}, "trigger_id": "1.1", "response_url": responseURL,
			"actions": []map[string]string{{"action_id": "pass_page:next", "value": "0"}},
		})
		c.send(`{"type":"interactive","envelope_id":"e1","payload":` + string(payload) + `}`)
		if a := c.ack(); a.ID != "e1" || a.Payload != nil {
			t.Errorf("acknowledged %q with %s", a.ID, a.Payload)
		}
		close(goOn)
		if answer := <-w.chat.responses; answer.url != responseURL || !answer.replace {
			t.Errorf("answered %+v", answer)
		}
		go c.CloseRead(t.Context())
	})
}

func TestWhatIsNoCommandIsAcknowledgedToo(t *testing.T) {
	socketTest(t, func(t *testing.T, w *world, s *slackEnd, _ func(), _ <-chan error) {
		c := s.accept()
		for n, envelope := range []string{
			`{"type":"events_api","envelope_id":"e0","payload":{"event":{}}}`,
			`{"type":"slash_commands","envelope_id":"e1","payload":{"command":"/ec2-pass"}}`,
			`{"type":"slash_commands","envelope_id":"e2","payload":[]}`,
			`{"type":"slash_commands","envelope_id":"e3"}`,
			`{"type":"interactive","envelope_id":"e4","payload":"x"}`,
			`{"type":"of a later day","envelope_id":"e5"}`,
		} {
			c.send(envelope)
			if a := c.ack(); a.ID != fmt.Sprintf("e%d", n) || a.Payload != nil {
				t.Errorf("%s: acknowledged %q with %s", envelope, a.ID, a.Payload)
			}
		}
		go c.CloseRead(t.Context())
	})
}

func TestAPanicOverTheSocketIsASentence(t *testing.T) {
	socketTest(t, func(t *testing.T, w *world, s *slackEnd, _ func(), _ <-chan error) {
		w.ec2.before = func(context.Context) error { panic("a mistake") }
		c := s.accept()
		c.command("e1", "")
		if text := ephemeral(t, http.StatusOK, string(c.ack().Payload)); strings.Contains(text, "a mistake") {
			t.Errorf("answered with %q", text)
		}
		go c.CloseRead(t.Context())
	})
}

// Slow commands do not keep others waiting, up to a bound.
func TestEnvelopesAreAnsweredSideBySide(t *testing.T) {
	socketTest(t, func(t *testing.T, w *world, s *slackEnd, _ func(), _ <-chan error) {
		w.ec2.before = func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }
		c := s.accept()
		began := time.Now()
		go func() {
			for n := range 65 {
				c.command(fmt.Sprintf("e%d", n), "")
			}
		}()
		for range 64 {
			c.ack()
		}
		if took := time.Since(began); took > 3*time.Second {
			t.Errorf("64 slow commands took %s together", took)
		}
		c.ack()
		if took := time.Since(began); took < 4*time.Second {
			t.Errorf("the 65th was begun beside the 64 others")
		}
		go c.CloseRead(t.Context())
	})
}

// Slack renews connections every few hours. Envelopes that still come on the
// old one are answered there, until it is closed in good order.
func TestARenewalLosesNoEnvelope(t *testing.T) {
	for _, reason := range []string{"warning", "refresh_requested"} {
		socketTest(t, func(t *testing.T, w *world, s *slackEnd, _ func(), _ <-chan error) {
			first := s.accept()
			first.send(`{"type":"disconnect","reason":"` + reason + `","debug_info":{"host":"wss-111.slack.test"}}`)
			second := s.accept()
			if times := s.times(); len(times) != 2 || times[1].Sub(times[0]) > 0 {
				t.Errorf("%s: connections were asked for at %v; want the second at once", reason, times)
			}
			for n, c := range []*slackConn{first, second, first, second} {
				id := fmt.Sprintf("e%d", n)
				c.command(id, "help")
				if a := c.ack(); a.ID != id || a.Payload == nil {
					t.Errorf("%s: %s was acknowledged as %q with %s", reason, id, a.ID, a.Payload)
				}
			}
			second.CloseRead(t.Context())
			if code := first.ended(); code != websocket.StatusNormalClosure {
				t.Errorf("%s: the old connection ended with code %d", reason, code)
			}
		})
	}
}

func TestALostConnectionIsReplaced(t *testing.T) {
	socketTest(t, func(t *testing.T, w *world, s *slackEnd, _ func(), done <-chan error) {
		for range 3 {
			c := s.accept()
			c.command("e1", "help")
			c.ack()
			c.CloseNow()
		}
		c := s.accept()
		c.command("e2", "help")
		if a := c.ack(); a.ID != "e2" {
			t.Errorf("acknowledged %q", a.ID)
		}
		if len(done) > 0 {
			t.Errorf("Run returned %v", <-done)
		}
		go c.CloseRead(t.Context())
	})
}

// A connection that is dead at Slack's end only would take envelopes for ever
// and lose them all.
func TestASilentConnectionIsReplaced(t *testing.T) {
	socketTest(t, func(t *testing.T, w *world, s *slackEnd, _ func(), _ <-chan error) {
		s.accept() // and never read again: no ping is answered
		began := time.Now()
		c := s.accept()
		if took := time.Since(began); took > time.Minute {
			t.Errorf("it took %s to give the connection up", took)
		}
		c.command("e1", "help")
		c.ack()
		go c.CloseRead(t.Context())
	})
}

func TestAnUnreachableSlackIsAskedLessAndLessOften(t *testing.T) {
	socketTest(t, func(t *testing.T, w *world, s *slackEnd, _ func(), done <-chan error) {
		s.mu.Lock()
		for range 14 {
			s.refuse = append(s.refuse, errors.New("slack server error: 503 Service Unavailable"))
		}
		s.mu.Unlock()
		c := s.accept()
		times := s.times()
		if first := times[1].Sub(times[0]); first > time.Second {
			t.Errorf("the first pause is %s", first)
		}
		if last := times[14].Sub(times[13]); last < 20*time.Second || last > 2*time.Minute {
			t.Errorf("after 14 failures the pause is %s", last)
		}
		before := time.Now()
		c.CloseNow()
		c = s.accept()
		if pause := time.Since(before); pause > time.Second {
			t.Errorf("the first pause after a good connection is %s", pause)
		}
		if len(done) > 0 {
			t.Errorf("Run returned %v", <-done)
		}
		go c.CloseRead(t.Context())
	})
}

func TestAConnectionThatDoesNotSayHello(t *testing.T) {
	socketTest(t, func(t *testing.T, w *world, s *slackEnd, _ func(), done <-chan error) {
		(&slackConn{t, <-s.conns}).send(`{"type":"goodbye"}`)
		(&slackConn{t, <-s.conns}).send(`no JSON`)
		(&slackConn{t, <-s.conns}).send(`{"type":"disconnect","reason":"too_many_websockets"}`)
		<-s.conns // says nothing at all
		c := s.accept()
		c.command("e1", "help")
		c.ack()
		for _, why := range []string{"not with hello", "no hello", "too_many_websockets"} {
			if !strings.Contains(w.log.String(), why) {
				t.Errorf("the log does not say %s: %s", why, w.log)
			}
		}
		if log := w.log.String(); strings.Contains(log, "%!") || strings.Contains(log, "ticket") {
			t.Errorf("the log: %s", log)
		}
		go c.CloseRead(t.Context())
	})
}

func TestWhatNoWaitingHealsIsFatal(t *testing.T) {
	for _, code := range []string{
		"invalid_auth", "not_authed", "not_allowed_token_type", "token_revoked", "token_expired",
		"account_inactive", "missing_scope", "no_permission", "link_disabled",
	} {
		synctest.Test(t, func(t *testing.T) {
			w := worldOn(t, nil)
			asked := 0
			s := &bot.Socket{Bot: w.Bot, Log: w.desk.Log, Open: func(context.Context) (string, error) {
				asked++
				return "", errors.New(code)
			}}
			err := s.Run(t.Context())
			var refused *bot.Fatal
			if !errors.As(err, &refused) || refused.Code != code || len(refused.Advice) < 20 || !strings.Contains(err.Error(), refused.Advice) {
				t.Errorf("%s: %v", code, err)
			}
			if asked != 1 {
				t.Errorf("%s: asked %d times", code, asked)
			}
		})
	}
}

func TestLinkDisabledIsFatal(t *testing.T) {
	for name, disable := range map[string]func(*slackEnd){
		"at once": func(s *slackEnd) {
			(&slackConn{s.t, <-s.conns}).send(`{"type":"disconnect","reason":"link_disabled"}`)
		},
		"later": func(s *slackEnd) {
			c := s.accept()
			c.send(`{"type":"disconnect","reason":"link_disabled"}`)
			c.CloseRead(s.t.Context())
		},
		"while an older connection lingers": func(s *slackEnd) {
			first := s.accept()
			first.send(`{"type":"disconnect","reason":"warning"}`)
			second := s.accept()
			second.send(`{"type":"disconnect","reason":"link_disabled"}`)
			first.CloseRead(s.t.Context())
			second.CloseRead(s.t.Context())
		},
	} {
		socketTest(t, func(t *testing.T, w *world, s *slackEnd, _ func(), done <-chan error) {
			disable(s)
			var refused *bot.Fatal
			if err := <-done; !errors.As(err, &refused) || refused.Code != "link_disabled" || !strings.Contains(err.Error(), "switch it on") {
				t.Errorf("%s: Run returned %v", name, err)
			}
		})
	}
}

// What was begun when the process is told to end is finished, and Slack is
// told by a close frame that nothing more can come here.
func TestAnEndFinishesWhatWasBegun(t *testing.T) {
	socketTest(t, func(t *testing.T, w *world, s *slackEnd, stop func(), done <-chan error) {
		begun, goOn := make(chan struct{}), make(chan struct{})
		var once sync.Once
		w.ec2.before = func(context.Context) error {
			once.Do(func() { close(begun) })
			<-goOn
			return nil
		}
		c := s.accept()
		c.command("e1", "list")
		<-begun
		stop()
		synctest.Wait()
		if len(done) > 0 {
			t.Errorf("Run returned %v before the command was answered", <-done)
		}
		close(goOn)
		a := c.ack()
		if a.ID != "e1" {
			t.Errorf("acknowledged %q", a.ID)
		}
		if text := ephemeral(t, http.StatusOK, string(a.Payload)); !strings.Contains(text, "Guarded instances") {
			t.Errorf("answered with %q", text)
		}
		if code := c.ended(); code != websocket.StatusNormalClosure {
			t.Errorf("the connection ended with code %d", code)
		}
		if err := <-done; err != nil {
			t.Errorf("Run returned %v", err)
		}
	})
}

func TestAnEndWithNothingBegun(t *testing.T) {
	socketTest(t, func(t *testing.T, w *world, s *slackEnd, stop func(), done <-chan error) {
		c := s.accept()
		synctest.Wait()
		began := time.Now()
		stop()
		if code := c.ended(); code != websocket.StatusNormalClosure {
			t.Errorf("the connection ended with code %d", code)
		}
		if err := <-done; err != nil || time.Since(began) > time.Second {
			t.Errorf("Run returned %v after %s", err, time.Since(began))
		}
	})
}

func TestAnEndWhileSlackIsUnreachable(t *testing.T) {
	socketTest(t, func(t *testing.T, w *world, s *slackEnd, stop func(), done <-chan error) {
		s.mu.Lock()
		for range 100 {
			s.refuse = append(s.refuse, errors.New("Slack is away"))
		}
		s.mu.Unlock()
		time.Sleep(10 * time.Minute) // the bubble's time: it pauses now for a minute
		synctest.Wait()
		began := time.Now()
		stop()
		if err := <-done; err != nil || time.Since(began) > 0 {
			t.Errorf("Run returned %v after %s", err, time.Since(began))
		}
	})
}
