package bot_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"sekisho/auth"
	"sekisho/bot"
	"sekisho/commands"
)

func fixture(t testing.TB, name string) []byte {
	t.Helper()
	text, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestAPendingEventReachesTheGate(t *testing.T) {
	w := newWorld(t)
	w.ec2.up(webID, noon)
	if err := w.Event(t.Context(), fixture(t, "events/pending.json")); err != nil {
		t.Fatal(err)
	}
	if len(w.ec2.stopped) != 1 || w.ec2.stopped[0] != webID {
		t.Errorf("stopped: %v", w.ec2.stopped)
	}
	if post := w.chat.posted(t); post.channel != alerts || !strings.Contains(post.text, "Refused") {
		t.Errorf("said in %s: %q", post.channel, post.text)
	}
	if len(w.queue.tasks) != 1 || !strings.Contains(w.queue.tasks[0], "Confirm a stop") {
		t.Errorf("tasks: %v", w.queue.tasks)
	}
}

func TestAScheduleSweeps(t *testing.T) {
	w := newWorld(t)
	if err := w.Event(t.Context(), fixture(t, "events/schedule.json")); err != nil {
		t.Fatal(err)
	}
	if log := w.log.String(); !strings.Contains(log, `"msg":"swept","looked":1`) {
		t.Errorf("the log: %s", log)
	}
}

// A task that the bot puts in the queue comes back by the same door.
func TestATaskOfTheBotsOwnIsRouted(t *testing.T) {
	w := newWorld(t)
	w.ec2.up(webID, noon)
	if err := w.Event(t.Context(), fixture(t, "events/pending.json")); err != nil {
		t.Fatal(err)
	}
	if err := w.Event(t.Context(), []byte(w.queue.tasks[0])); err != nil {
		t.Fatal(err)
	}
	if len(w.ec2.stopped) != 2 {
		t.Errorf("confirming a stop that did not happen asked for %d stops, want one more", len(w.ec2.stopped)-1)
	}
}

func TestAnEventThatNothingActsOnIsNoError(t *testing.T) {
	w := newWorld(t)
	for _, text := range []string{
		`{"source":"aws.ec2","detail-type":"EC2 Spot Instance Interruption Warning","detail":{}}`,
		`{"source":"aws.s3","detail-type":"EC2 Instance State-change Notification","detail":{}}`,
		`{"source":"sekisho.task","detail-type":"A task of a later version","detail":[]}`,
		`{"source":"aws.ec2","detail-type":"EC2 Instance State-change Notification","time":"2027-01-15T08:00:00Z","detail":{"instance-id":"` + webID + `","state":"shutting-down"}}`,
		`{"source":"aws.ec2","detail-type":"EC2 Instance State-change Notification","time":"2027-01-15T08:00:00Z","detail":{"instance-id":"` + webID + `","state":"a new state"}}`,
	} {
		if err := w.Event(t.Context(), []byte(text)); err != nil {
			t.Errorf("%s: %v", text, err)
		}
	}
	if len(w.ec2.stopped) > 0 || len(w.chat.posts) > 0 {
		t.Error("something was done")
	}
	if log := w.log.String(); strings.Contains(log, `"level":"WARN"`) || strings.Contains(log, `"level":"ERROR"`) {
		t.Errorf("it is not quiet: %s", log)
	}
}

// What cannot be read is kept, and in the end put aside: never thrown away.
func TestAMalformedEventIsAnError(t *testing.T) {
	w := newWorld(t)
	for _, text := range []string{
		``, `{`, `null`, `[]`, `"text"`, `{}`, `{"source":"aws.ec2"}`, `{"detail-type":"Sweep"}`,
		`{"source":"aws.ec2","detail-type":"EC2 Instance State-change Notification"}`,
		`{"source":"aws.ec2","detail-type":"EC2 Instance State-change Notification","detail":{}}`,
		`{"source":"aws.ec2","detail-type":"EC2 Instance State-change Notification","detail":[]}`,
		`{"source":"aws.ec2","detail-type":"EC2 Instance State-change Notification","detail":{"instance-id":"web-1","state":"pending"}}`,
		`{"source":"aws.ec2","detail-type":"EC2 Instance State-change Notification","time":"today","detail":{"instance-id":"` + webID + `","state":"pending"}}`,
		`{"source":"sekisho.task","detail-type":"Confirm a stop","detail":"x"}`,
		`{"source":"sekisho.task","detail-type":"Tell about a start","detail":{"launch":"x"}}`,
		`{"source":"sekisho.task","detail-type":"Settle a start"}`,
		`{"source":"sekisho.task","detail-type":"Say","detail":7}`,
		`{"source":"sekisho.task","detail-type":"Start for the owner","detail":[1]}`,
	} {
		if err := w.Event(t.Context(), []byte(text)); err == nil {
			t.Errorf("no error for %s", text)
		}
	}
}

func TestAFailedJobKeepsItsEvent(t *testing.T) {
	w := newWorld(t)
	away := errors.New("EC2 is away")
	w.ec2.before = func(context.Context) error { return away }
	err := w.Event(t.Context(), fixture(t, "events/pending.json"))
	if !errors.Is(err, away) || !strings.Contains(err.Error(), "7bf73129") {
		t.Errorf("the error is %v; want EC2's, with the event's id", err)
	}
}

func TestAPanickingJobKeepsItsEvent(t *testing.T) {
	w := newWorld(t)
	w.ec2.before = func(context.Context) error { panic("a mistake") }
	err := w.Event(t.Context(), fixture(t, "events/pending.json"))
	if err == nil || !strings.Contains(err.Error(), "a mistake") || !strings.Contains(err.Error(), "harness_test.go") {
		t.Errorf("the error is %v; want the panic with its stack", err)
	}
}

// endless is a job that works until it is cut off.
func endless(detailType string, within time.Duration) commands.Job {
	return commands.Job{Source: "test", DetailType: detailType, Door: auth.DoorGate, Within: within,
		Run: func(ctx context.Context, _ *commands.Desk, _ commands.Event) error {
			<-ctx.Done()
			return ctx.Err()
		},
	}
}

func TestAJobIsCutOffAtItsLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := worldOn(t, nil)
		w.AddJob(endless("usual", 0))
		w.AddJob(endless("long", 13*time.Minute))
		l := &bot.Lambda{Bot: w.Bot}
		invoke := func(ctx context.Context, text []byte) error {
			_, err := l.Invoke(ctx, text)
			return err
		}
		for _, test := range []struct {
			job      string
			event    func(context.Context, []byte) error
			function time.Duration // until Lambda would kill the process
			want     time.Duration
			says     string
		}{
			{"usual", w.Event, time.Hour, 50 * time.Second, "not done within 50s: context deadline exceeded"},
			{"long", w.Event, time.Hour, 13 * time.Minute, "not done within 13m0s: context deadline exceeded"},
			{"usual", invoke, time.Hour, 50 * time.Second, "not done within 50s: context deadline exceeded"},
			{"long", invoke, time.Minute, 59500 * time.Millisecond, "the function's time is up: context deadline exceeded"},
		} {
			ctx, cancel := context.WithTimeout(t.Context(), test.function)
			start := time.Now()
			err := test.event(ctx, []byte(`{"id":"e1","source":"test","detail-type":"`+test.job+`"}`))
			cancel()
			if took := time.Since(start); took != test.want {
				t.Errorf("%s was cut off after %v, want %v", test.job, took, test.want)
			}
			if !errors.Is(err, context.DeadlineExceeded) || !strings.HasSuffix(err.Error(), test.says) || !strings.Contains(err.Error(), "e1") {
				t.Errorf("%s: the error is %v; want it to end with %q, and name the event", test.job, err, test.says)
			}
		}
	})
}

// Reading every access key of a big account takes minutes, as reports do; what a
// start waits for does not.
func TestWhichJobsMayTakeLong(t *testing.T) {
	for _, j := range commands.Jobs() {
		want := time.Duration(0)
		switch j.Source + "/" + j.DetailType {
		case "sekisho.schedule/Keys", "sekisho.task/List the access keys", "sekisho.task/Let held keys end",
			"sekisho.schedule/Report", "sekisho.task/Send a report", "sekisho.task/Report to somebody":
			want = 13 * time.Minute
		}
		if j.Within != want {
			t.Errorf("%s, %s may take %v, want %v", j.Source, j.DetailType, j.Within, want)
		}
	}
}

// FuzzEvent: no event does harm that it does not speak of. An unread one is an
// error, and nothing is ever stopped but the instance that it names.
func FuzzEvent(f *testing.F) {
	for _, name := range []string{"pending", "stopped", "schedule"} {
		f.Add(fixture(f, "events/"+name+".json"))
	}
	f.Add([]byte(`{"source":"sekisho.task","detail-type":"Say","detail":{"channel":"C","text":"x","try":3}}`))
	f.Add([]byte(`{"source":"sekisho.task","detail-type":"Settle a start","detail":{"instance":"` + webID + `","launch":1,"try":-1}}`))
	f.Add([]byte(`{"source":"sekisho.task","detail-type":"Start for the owner","detail":{"user":"U","instance":"i"}}`))
	f.Add([]byte(`{"source":"sekisho.task","detail-type":"Tell about a start","detail":{"instance":"` + webID + `","launch":1800000000000}}`))
	w := newWorld(f)
	f.Fuzz(func(t *testing.T, text []byte) {
		w.redis.FlushAll()
		w.forget()
		w.ec2.instances[webID] = auth.Instance{
			ID: webID, State: auth.Running, LaunchTime: noon, Tags: map[string]string{"Sekisho": guarded},
		}
		w.ec2.stopped = nil
		err := w.Event(t.Context(), text)
		var shape struct {
			Source string `json:"source"`
			Detail any    `json:"detail"`
		}
		if json.Unmarshal(text, &shape) != nil && err == nil {
			t.Fatal("an event that is no JSON object is no error")
		}
		if err != nil && strings.Contains(err.Error(), "panic") {
			t.Fatal(err)
		}
		if len(w.ec2.stopped) > 0 && !bytes.Contains(text, []byte("EC2 Instance State-change")) && shape.Source != "sekisho.schedule" {
			t.Fatalf("%s stopped %v", text, w.ec2.stopped)
		}
	})
}
