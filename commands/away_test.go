package commands_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/slack-go/slack"

	"sekisho/auth"
)

// halfChat posts cards, and nothing in their threads.
type halfChat struct{ *chat }

func (h *halfChat) Post(ctx context.Context, channel, thread, text string, blocks []slack.Block) (string, error) {
	if thread != "" {
		return "", errors.New("Slack goes away")
	}
	return h.chat.Post(ctx, channel, thread, text, blocks)
}

const gone = "LOADING the store is away"

func TestWithoutTheStoreNoPassIsGivenOut(t *testing.T) {
	o := newOffice(t)
	page := o.ask(hana, "web-1")
	o.redis.SetError(gone)
	for _, text := range []string{"web-1", "mine", "revoke web-1"} {
		if m := o.ask(hana, text); !strings.Contains(m.Text, "Redis") || !strings.Contains(m.Text, "with a new command or click") || strings.Contains(m.Text, gone) {
			t.Errorf("%q is answered with %q", text, m.Text)
		}
	}
	for action, value := range map[string]string{"pass_get": webID, "pass_revoke": webID, "pass_start": buttonValue(t, page, "pass_start")} {
		if m := o.click(hana, action, value); !strings.Contains(m.Text, "Redis") || m.Replace {
			t.Errorf("%s is answered with %+v", action, m)
		}
	}
	if m := o.ask(hana, "list"); !strings.Contains(m.Text, "Guarded instances") {
		t.Errorf("the list needs no store, and is answered with %q", m.Text)
	}
}

// The policy says stop: the start is ended, told once, and written down when
// the store is back; the card goes on from there.
func TestWithoutTheStoreAStartIsStoppedAndWrittenDownLater(t *testing.T) {
	o := newOffice(t)
	o.redis.SetError(gone)
	o.ec2.start(webID)
	o.events(webID, auth.Pending)
	o.ec2.change(webID, func(i *auth.Instance) { i.State = auth.Running }) // the stop has not come about yet
	if err := o.event(webID, auth.Running); !errors.Is(err, auth.ErrUnavailable) {
		t.Errorf("a running event right away: %v; another process may have let the start in", err)
	}
	if o.ec2.count("Stop") < 1 {
		t.Fatal("it is not stopped")
	}
	card := o.chat.next(t, "post")
	if !strings.Contains(card.text, "is being stopped") || !strings.Contains(strings.Join(texts(card.blocks), "\n"), "when_unavailable: stop") {
		t.Errorf("the card is %q %v", card.text, texts(card.blocks))
	}
	o.chat.next(t, "post") // the thread's line
	if more := o.chat.all(); len(more) > 0 {
		t.Errorf("the second event is told too: %+v", more)
	}
	if kinds := o.queue.kinds(); len(kinds) != 1 {
		t.Errorf("it is to be written down %d times: %v", len(kinds), kinds)
	}
	for range 3 {
		if err := o.work("Settle a start"); err != nil {
			t.Fatal(err)
		}
	}
	o.redis.SetError("")
	o.ec2.change(webID, func(i *auth.Instance) { i.State = auth.Stopped })
	for len(o.queue.tasks) > 0 {
		if kind := o.queue.kinds()[0]; o.work(kind) != nil {
			t.Fatalf("%s failed", kind)
		}
	}
	starts, err := o.Gate.Starts.Starts(t.Context(), []string{webID})
	if s := starts[webID]; err != nil || s.Admitted || s.Reason != auth.Unjudged || s.Stage != auth.Ended || s.Card.TS != card.ts {
		t.Errorf("the record is %+v, %v", s, err)
	}
	for _, s := range o.chat.all() {
		if s.how == "post" && s.thread == "" {
			t.Errorf("a second card is posted: %+v", s)
		}
		if s.how == "update" && s.ts != card.ts {
			t.Errorf("another card is updated: %+v", s)
		}
	}
}

func TestWithoutTheStoreTheStoppedEventIsKept(t *testing.T) {
	o := newOffice(t)
	o.redis.SetError(gone)
	if err := o.event(webID, auth.Stopped); !errors.Is(err, auth.ErrUnavailable) {
		t.Errorf("the event is lost: %v", err)
	}
}

func TestWithoutTheStoreAllowMeansAllow(t *testing.T) {
	o := newOffice(t)
	o.Policy.Gate.WhenUnavailable = auth.AllowUnjudged
	secret := code(t, o.ask(hana, "web-1"))
	o.redis.SetError(gone)
	o.ec2.tag(webID, "Auth", secret)
	o.ec2.start(webID)
	o.events(webID, auth.Pending, auth.Running)
	card := o.chat.next(t, "post")
	if o.ec2.count("Stop") > 0 || !strings.Contains(card.text, "without a judgement") {
		t.Errorf("stopped %d times, told %q", o.ec2.count("Stop"), card.text)
	}
	o.redis.SetError("")
	for len(o.queue.tasks) > 0 {
		if kind := o.queue.kinds()[0]; o.work(kind) != nil {
			t.Fatalf("%s failed", kind)
		}
	}
	// The pass that stood in the tag is spent after all.
	starts, err := o.Gate.Starts.Starts(t.Context(), []string{webID})
	if s := starts[webID]; err != nil || !s.Admitted || s.Reason != auth.Pass || s.User != hana {
		t.Errorf("the record is %+v, %v", s, err)
	}
	o.later(time.Minute)
	o.ec2.tag(webID, "Auth", secret)
	o.ec2.start(webID)
	o.events(webID, auth.Pending)
	if o.ec2.count("Stop") != 1 {
		t.Error("the pass opened the gate twice")
	}
}

// With the store and Slack away, the card is told with the record.
func TestWithoutTheStoreAndSlack(t *testing.T) {
	o := newOffice(t)
	o.redis.SetError(gone)
	o.chat.goAway(errors.New("Slack is away"))
	o.ec2.start(webID)
	o.events(webID, auth.Pending)
	o.redis.SetError("")
	o.chat.goAway(nil)
	if err := o.work("Settle a start"); err != nil {
		t.Fatal(err)
	}
	if s := o.chat.next(t, "post"); s.thread != "" || !strings.Contains(strings.Join(texts(s.blocks), "\n"), "Redis") {
		t.Errorf("told %+v", s)
	}
}

func TestWithoutTheStoreAndTheQueueTheEventIsKept(t *testing.T) {
	o := newOffice(t)
	o.redis.SetError(gone)
	o.queue.away = errors.New("SQS is away")
	o.ec2.start(webID)
	if err := o.event(webID, auth.Pending); err == nil {
		t.Error("the event is lost, and nobody would write the start down")
	}
	if o.ec2.count("Stop") != 1 {
		t.Error("it is not stopped")
	}
	o.chat.all()

	// The queue is back before the stop has come about.
	o.queue.away = nil
	o.ec2.change(webID, func(i *auth.Instance) { i.State = auth.Running })
	o.events(webID, auth.Pending)
	if kinds := o.queue.kinds(); len(kinds) != 1 || kinds[0] != "Settle a start" {
		t.Errorf("left to do: %v", kinds)
	}
	if more := o.chat.all(); len(more) > 0 {
		t.Errorf("it is told twice: %+v", more)
	}
}
