package bot_test

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"sekisho/auth"
	"sekisho/auth/measure"
	"sekisho/bot"
	"sekisho/commands"
	"sekisho/infra/metrics"
)

// measured is what a metric has come to, by its values; the zero Total where
// nothing was measured.
func (w *world) measured(m measure.Metric, by ...string) metrics.Total {
	for _, t := range w.meter.Totals() {
		if t.Metric == m && slices.Equal(t.By[:len(m.About().By)], by) {
			return t
		}
	}
	return metrics.Total{}
}

func (w *world) wantTook(t *testing.T, took time.Duration, m measure.Metric, by ...string) {
	t.Helper()
	if got := w.measured(m, by...); got.Count != 1 || got.Sum != took {
		t.Errorf("%s %q: %d in %v; want one in %v", m.About().Name, by, got.Count, got.Sum, took)
	}
}

type answers = func(context.Context, *commands.Desk, commands.Request) (commands.Message, error)

// slowly makes the clock go on by a second whenever an answer is made.
func (w *world) slowly() answers {
	now := noon
	w.desk.Now = func() time.Time { return now }
	return func(context.Context, *commands.Desk, commands.Request) (commands.Message, error) {
		now = now.Add(time.Second)
		return page("Done."), nil
	}
}

func TestADoorsAnswersAreTimed(t *testing.T) {
	for what, do := range map[string]func(w *world, send deliver, a answers){
		"a click": func(w *world, send deliver, a answers) {
			w.AddButton(commands.Button{Action: "test", Answers: a})
			send("interactive", clickedInAMessage("test"))
		},
		"a form": func(w *world, send deliver, a answers) {
			w.AddForm(commands.Form{Callback: "test", Answers: a})
			send("interactive", submitted("test", "x"))
		},
		"a shortcut": func(w *world, send deliver, a answers) {
			w.AddShortcut(commands.Shortcut{Callback: "test", Answers: a})
			send("interactive", chosen("test"))
		},
	} {
		t.Run(what, func(t *testing.T) {
			overBothDoors(t, func(t *testing.T, w *world, door string, send deliver) {
				do(w, send, w.slowly())
				w.wantTook(t, time.Second, measure.DoorLatency, door)
			})
		})
	}
}

func TestACommandIsTimed(t *testing.T) {
	w := newWorld(t)
	send(door(t, w), signed("/slack/commands", slashBody("1.1", "help")))
	w.wantTook(t, 0, measure.DoorLatency, "http")
	if done := w.measured(measure.Decisions, string(auth.ActPassIssue), "done"); done.Count != 0 {
		t.Errorf("asking for help decided %+v", done)
	}
	send(door(t, w), signed("/slack/commands", slashBody("1.2", "web-1")))
	if done := w.measured(measure.Decisions, string(auth.ActPassIssue), "done"); done.Count != 1 {
		t.Errorf("issuing a pass: %d decisions", done.Count)
	}
}

// What nobody waits for an answer to is no latency of the door's.
func TestWhatIsNoQuestionIsNotTimed(t *testing.T) {
	w := newWorld(t)
	h := door(t, w)
	send(h, signed("/slack/events", happened("app_home_opened")))
	send(h, signed("/slack/commands", "command=%2Fother&user_id=U1&trigger_id=1"))
	send(h, signed("/slack/interactions", clickBody("1.1", "unknown", "x")))
	unsigned := signed("/slack/commands", slashBody("1.1", "help"))
	unsigned.Header.Del("X-Slack-Signature")
	send(h, unsigned)
	if got := w.measured(measure.DoorLatency, "http"); got.Count != 0 {
		t.Errorf("%d were timed", got.Count)
	}
}

func TestJobsAreTimedAndTheirFailuresCounted(t *testing.T) {
	w := newWorld(t)
	now := noon
	w.desk.Now = func() time.Time { return now }
	job := func(fails func() error) func(context.Context, *commands.Desk, commands.Event) error {
		return func(context.Context, *commands.Desk, commands.Event) error {
			now = now.Add(time.Minute)
			return fails()
		}
	}
	for name, fails := range map[string]func() error{
		"good": func() error { return nil },
		"bad":  func() error { return errors.New("it cannot be done") },
		"ugly": func() error { panic("a mistake") },
	} {
		w.AddJob(commands.Job{Source: "test", DetailType: name, Door: auth.DoorGate, Run: job(fails)})
		failed := w.Event(t.Context(), []byte(`{"source":"test","detail-type":"`+name+`"}`)) != nil
		w.wantTook(t, time.Minute, measure.JobLatency, name)
		if got := w.measured(measure.JobErrors, name).Count; (got == 1) != failed || got > 1 {
			t.Errorf("%s: %d failures are counted", name, got)
		}
	}
	w.Event(t.Context(), []byte(`no event`))
	w.Event(t.Context(), []byte(`{"source":"test"}`))
	w.Event(t.Context(), []byte(`{"source":"test","detail-type":"nobody's"}`))
	if got := w.measured(measure.JobErrors, measure.Unread).Count; got != 2 {
		t.Errorf("%d events are counted as unread", got)
	}
	if got := w.measured(measure.JobLatency, "nobody's").Count; got != 0 {
		t.Error("an event that nothing acts on is measured: anybody could name new series")
	}
}

func TestAnEventsLagIsFromWhenItWasSent(t *testing.T) {
	event := func(source string) string {
		return `{"source":"` + source + `","detail-type":"note","id":"e1","time":"` + noon.Add(-time.Hour).UTC().Format(time.RFC3339) + `","detail":{}}`
	}
	batch := func(t *testing.T, body string, sent string) []byte {
		var b events.SQSEvent
		if err := json.Unmarshal(batchOf(t, body), &b); err != nil {
			t.Fatal(err)
		}
		b.Records[0].Attributes["SentTimestamp"] = sent
		text, err := json.Marshal(b)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	for name, c := range map[string]struct {
		way  string
		lag  time.Duration
		send func(*testing.T, *world, *bot.Lambda)
	}{
		"straight": {"direct", time.Hour, func(t *testing.T, _ *world, l *bot.Lambda) { l.Invoke(t.Context(), []byte(event("test"))) }},
		"through a queue": {"sqs", 5 * time.Second, func(t *testing.T, _ *world, l *bot.Lambda) {
			l.Invoke(t.Context(), batch(t, event("test"), strconv.FormatInt(noon.Add(-5*time.Second).UnixMilli(), 10)))
		}},
		"through a queue that does not say when": {"sqs", time.Hour, func(t *testing.T, _ *world, l *bot.Lambda) {
			l.Invoke(t.Context(), batch(t, event("test"), ""))
		}},
		"through a stream": {"kinesis", 7 * time.Second, func(t *testing.T, _ *world, l *bot.Lambda) {
			l.Invoke(t.Context(), streamOf(t, streamed{"k", event("test"), 7 * time.Second}))
		}},
		"through a stream, too late": {"kinesis", 2 * time.Hour, func(t *testing.T, _ *world, l *bot.Lambda) {
			l.Invoke(t.Context(), streamOf(t, streamed{"k", event("test"), 2 * time.Hour}))
		}},
		"polled": {"sqs", 3 * time.Second, func(t *testing.T, w *world, _ *bot.Lambda) {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			w.Poll(ctx, &source{end: cancel, plays: []func(context.Context, taker) error{func(ctx context.Context, handle taker) error {
				return handle(ctx, "m1", event("test"), noon.Add(-3*time.Second))
			}}})
		}},
	} {
		t.Run(name, func(t *testing.T) {
			w, l := function(t, "events")
			noted(w)
			c.send(t, w, l)
			w.wantTook(t, c.lag, measure.EventLag, c.way)
		})
	}
	for name, event := range map[string]string{
		"a task, which waits on purpose":        `{"source":"sekisho.task","detail-type":"Settle a start","time":"2027-01-15T07:00:00Z","detail":{}}`,
		"CloudTrail's, which come minutes late": `{"source":"aws.ec2","detail-type":"AWS API Call via CloudTrail","time":"2027-01-15T07:50:00Z","detail":{}}`,
	} {
		t.Run(name, func(t *testing.T) {
			w, l := function(t, "events")
			l.Invoke(t.Context(), []byte(event))
			l.Invoke(t.Context(), batchOf(t, event))
			if direct, sqs := w.measured(measure.EventLag, "direct").Count, w.measured(measure.EventLag, "sqs").Count; direct+sqs != 0 {
				t.Errorf("measured %d times", direct+sqs)
			}
		})
	}
}

// After is called for every invocation: what it does would else wait for the
// next one, which may never come.
func TestAfterEveryInvocation(t *testing.T) {
	w, l := function(t, "events")
	noted(w)
	w.AddJob(commands.Job{Source: "test", DetailType: "ugly", Door: auth.DoorGate,
		Run: func(context.Context, *commands.Desk, commands.Event) error { panic("a mistake") }})
	calls := 0
	l.After = func() { calls++ }
	for n, payload := range []string{
		`{"source":"test","detail-type":"note","id":"good"}`, `{"source":"test","detail-type":"note","id":"bad"}`,
		`{"source":"test","detail-type":"ugly"}`, `no JSON`, string(fixture(t, "lambda/function_url.json")),
	} {
		l.Invoke(t.Context(), []byte(payload))
		if calls != n+1 {
			t.Errorf("%s: called %d times after %d invocations", payload, calls, n+1)
		}
	}
}

func TestAStartAndASweepAreMeasured(t *testing.T) {
	w := newWorld(t)
	w.ec2.up(webID, noon)
	later := noon.Add(3 * time.Second)
	w.desk.Now = func() time.Time { return later }
	if err := w.Event(t.Context(), fixture(t, "events/pending.json")); err != nil {
		t.Fatal(err)
	}
	w.wantTook(t, 3*time.Second, measure.GateLatency)
	if err := w.Event(t.Context(), fixture(t, "events/schedule.json")); err != nil {
		t.Fatal(err)
	}
	w.ec2.before = func(context.Context) error { return errors.New("EC2 is away") }
	w.Event(t.Context(), fixture(t, "events/schedule.json"))
	if got := w.measured(measure.Sweeps).Count; got != 1 {
		t.Errorf("of two sweeps one could look; %d are counted as finished", got)
	}
}

func TestAnUnjudgedStartHasNoLatency(t *testing.T) {
	w := newWorld(t)
	stopped := []byte(`{"source":"aws.ec2","detail-type":"EC2 Instance State-change Notification","time":"2027-01-15T08:00:00Z","region":"eu-central-1","detail":{"instance-id":"` + webID + `","state":"stopped"}}`)
	if err := w.Event(t.Context(), stopped); err != nil {
		t.Fatal(err)
	}
	w.ec2.before = func(context.Context) error { return errors.New("EC2 is away") }
	w.Event(t.Context(), fixture(t, "events/pending.json"))
	if got := w.measured(measure.GateLatency).Count; got != 0 {
		t.Errorf("measured %d times", got)
	}
}

func TestConnectionsAreCounted(t *testing.T) {
	socketTest(t, func(t *testing.T, w *world, s *slackEnd, stop func(), done <-chan error) {
		open := func(want int) {
			t.Helper()
			synctest.Wait()
			if got := w.measured(measure.SocketConnections).Level; got != want {
				t.Errorf("%d connections are counted, want %d", got, want)
			}
		}
		first := s.accept()
		open(1)
		first.send(`{"type":"disconnect","reason":"warning"}`)
		second := s.accept()
		open(2) // the old one is still read
		first.CloseNow()
		open(1)
		go second.CloseRead(t.Context())
		stop()
		<-done
		open(0)
	})
}
