package bot_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/lambdacontext"

	"sekisho/auth"
	"sekisho/bot"
	"sekisho/commands"
)

// logged gives the request_id of the lines with this message.
func (w *world) logged(t *testing.T, msg string) (ids []string) {
	t.Helper()
	for line := range strings.Lines(w.log.String()) {
		var l struct {
			Msg string `json:"msg"`
			ID  string `json:"request_id"`
		}
		if err := json.Unmarshal([]byte(line), &l); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		if l.Msg == msg {
			ids = append(ids, l.ID)
		}
	}
	return ids
}

func (w *world) wantID(t *testing.T, msg, want string) {
	t.Helper()
	if got := w.logged(t, msg); len(got) != 1 || got[0] != want {
		t.Errorf("the lines %q have the request ids %q, want %q\n%s", msg, got, want, w.log)
	}
}

const unknown = "an unknown button was clicked"

func TestTheHTTPDoorTakesAnIDFromOutside(t *testing.T) {
	const trace = "Root=1-67891233-abcdef012345678912345678;Sampled=1"
	for name, c := range map[string]struct {
		headers map[string]string
		want    string // empty: a new one
	}{
		"a load balancer's":      {map[string]string{"X-Amzn-Trace-Id": trace}, trace},
		"a proxy's":              {map[string]string{"X-Request-Id": "f81d4fae-7dec-11d0-a765-00a0c91e6bf6"}, "f81d4fae-7dec-11d0-a765-00a0c91e6bf6"},
		"both":                   {map[string]string{"X-Amzn-Trace-Id": trace, "X-Request-Id": "r1"}, trace},
		"none":                   {nil, ""},
		"with a line's end":      {map[string]string{"X-Request-Id": "r1\n{}"}, ""},
		"with quotes":            {map[string]string{"X-Request-Id": `r1","level":"ERROR`}, ""},
		"longer than any":        {map[string]string{"X-Request-Id": strings.Repeat("r", 129)}, ""},
		"in letters of no proxy": {map[string]string{"X-Request-Id": "관소"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			w := worldOn(t, nil)
			r := signed("/slack/interactions", clickBody("1.1", "unknown", "x"))
			for key, value := range c.headers {
				r.Header[http.CanonicalHeaderKey(key)] = []string{value}
			}
			send(door(t, w), r)
			ids := w.logged(t, unknown)
			if len(ids) != 1 || c.want != "" && ids[0] != c.want {
				t.Fatalf("the ids are %q, want %q", ids, c.want)
			}
			if sent := c.headers["X-Request-Id"]; c.want == "" && (ids[0] == "" || len(ids[0]) > 13 || ids[0] == sent) {
				t.Errorf("the new id is %q", ids[0])
			}
		})
	}
}

func TestNewIDsDiffer(t *testing.T) {
	w := worldOn(t, nil)
	h := door(t, w)
	for range 2 {
		send(h, signed("/slack/interactions", clickBody("1.1", "unknown", "x")))
	}
	if ids := w.logged(t, unknown); len(ids) != 2 || ids[0] == ids[1] {
		t.Errorf("two requests have the ids %q", ids)
	}
}

func TestAnEnvelopeNamesItsRequest(t *testing.T) {
	socketTest(t, func(t *testing.T, w *world, s *slackEnd, _ func(), _ <-chan error) {
		c := s.accept()
		c.command("e-17", "nonsense nonsense")
		c.ack()
		w.wantID(t, "command /ec2-pass", "e-17")
		go c.CloseRead(t.Context())
	})
}

func TestAFailedInvocationIsLogged(t *testing.T) {
	ctx := lambdacontext.NewContext(t.Context(), &lambdacontext.LambdaContext{AwsRequestID: "8476a536-e9f4"})
	w, l := function(t, "events")
	noted(w)
	if _, err := l.Invoke(ctx, []byte(note("bad"))); err == nil || !strings.Contains(w.log.String(), err.Error()[len(`event "bad"`):]) {
		t.Errorf("the error is %v, the log:\n%s", err, w.log)
	}
	w.wantID(t, "an invocation failed", "8476a536-e9f4")
	w.log.Reset()
	l.Invoke(ctx, []byte(note("good")))
	l.Invoke(ctx, batchOf(t, note("bad"))) // which has a line of its own
	if lines := w.logged(t, "an invocation failed"); len(lines) > 0 {
		t.Errorf("what did not fail is logged:\n%s", w.log)
	}
}

func TestAnEventNamesItsRequest(t *testing.T) {
	ctx := lambdacontext.NewContext(context.Background(), &lambdacontext.LambdaContext{AwsRequestID: "8476a536-e9f4"})
	const event = `{"source":"test","detail-type":"say","id":"event-1"}`
	for name, c := range map[string]struct {
		want string
		send func(*testing.T, *world, *bot.Lambda)
	}{
		"by itself":       {"event-1", func(_ *testing.T, w *world, _ *bot.Lambda) { w.Event(context.Background(), []byte(event)) }},
		"invoked":         {"8476a536-e9f4", func(_ *testing.T, _ *world, l *bot.Lambda) { l.Invoke(ctx, []byte(event)) }},
		"in a batch":      {"m0", func(t *testing.T, _ *world, l *bot.Lambda) { l.Invoke(ctx, batchOf(t, event)) }},
		"in a stream":     {"shardId-000000000000:0", func(t *testing.T, _ *world, l *bot.Lambda) { l.Invoke(ctx, streamOf(t, streamed{"k", event, 0})) }},
		"polled from SQS": {"m1", func(t *testing.T, w *world, _ *bot.Lambda) { w.pollOne(t, "m1", event) }},
		"a request by a URL": {"8476a536-e9f4", func(t *testing.T, w *world, l *bot.Lambda) {
			w.AddButton(commands.Button{Action: "test", Answers: func(ctx context.Context, d *commands.Desk, _ commands.Request) (commands.Message, error) {
				d.Log.InfoContext(ctx, "said")
				return commands.Message{}, nil
			}})
			l.Invoke(ctx, recordedURL(t, "/slack/interactions", clickBody("1.1", "test", "x"), true))
		}},
	} {
		t.Run(name, func(t *testing.T) {
			w, l := function(t, "http,events")
			w.AddJob(commands.Job{Source: "test", DetailType: "say", Door: auth.DoorGate,
				Run: func(ctx context.Context, d *commands.Desk, _ commands.Event) error {
					d.Log.InfoContext(ctx, "said")
					return nil
				}})
			c.send(t, w, l)
			w.wantID(t, "said", c.want)
		})
	}
}

// pollOne has a queue hand over one message.
func (w *world) pollOne(t *testing.T, id, text string) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	w.Poll(ctx, &source{end: cancel, plays: []func(context.Context, taker) error{func(ctx context.Context, handle taker) error {
		return errors.Join(handle(ctx, id, text, noon))
	}}})
}

func TestALogHandlerKeepsWhatItWasGiven(t *testing.T) {
	var out bytes.Buffer
	log := slog.New(bot.LogHandler(slog.NewJSONHandler(&out, &slog.HandlerOptions{Level: slog.LevelWarn}))).With("a", 1).WithGroup("g")
	ctx := bot.WithRequest(t.Context(), "r1")
	log.InfoContext(ctx, "below the level")
	log.WarnContext(ctx, "said", "b", 2)
	log.Warn("about no request")
	var first, second map[string]any
	d := json.NewDecoder(&out)
	if err := errors.Join(d.Decode(&first), d.Decode(&second)); err != nil || d.More() {
		t.Fatalf("%v: %s", err, out.String())
	}
	group, _ := first["g"].(map[string]any)
	if first["msg"] != "said" || first["a"] != 1.0 || group["b"] != 2.0 || group["request_id"] != "r1" {
		t.Errorf("the line is %v", first)
	}
	if text, _ := json.Marshal(second); strings.Contains(string(text), "request_id") {
		t.Errorf("a line about no request is %s", text)
	}
}
