package commands_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"sekisho/auth"
	"sekisho/commands"
)

// A start has one card, whatever number of events speak of it: posted once,
// then rewritten, with each step as a line in its thread.
func TestOneCardForOneStart(t *testing.T) {
	o := newOffice(t)
	o.ec2.start(webID)
	o.events(webID, auth.Pending, auth.Pending, auth.Running, auth.Pending)
	card := o.chat.next(t, "post")
	if card.channel != alerts || card.thread != "" || !strings.Contains(card.text, "is being stopped") {
		t.Errorf("the card is %+v", card)
	}
	if s := o.chat.next(t, "post"); s.thread != card.ts || !strings.Contains(s.text, "accepted the stop") {
		t.Errorf("the thread: %+v", s)
	}
	o.later(20 * time.Second)
	o.ec2.change(webID, func(i *auth.Instance) { i.State = auth.Stopped })
	o.events(webID, auth.Stopped, auth.Stopped)
	if s := o.chat.next(t, "update"); s.ts != card.ts || s.channel != alerts || !strings.Contains(s.text, "is stopped") {
		t.Errorf("the card becomes %+v", s)
	}
	if s := o.chat.next(t, "post"); s.thread != card.ts || !strings.Contains(s.text, "seen stopped") {
		t.Errorf("the thread: %+v", s)
	}
	if more := o.chat.all(); len(more) > 0 {
		t.Errorf("and more was said: %+v", more)
	}

	// Another start has another card.
	o.later(time.Minute)
	o.ec2.start(webID)
	o.events(webID, auth.Pending)
	if s := o.chat.next(t, "post"); s.thread != "" || s.ts == card.ts {
		t.Errorf("the second start: %+v", s)
	}
}

func TestManyTellersPostOneCard(t *testing.T) {
	o := newOffice(t)
	o.ec2.start(webID)
	var all sync.WaitGroup
	for n := range 20 {
		all.Go(func() {
			state := []auth.State{auth.Pending, auth.Running}[n%2]
			if err := o.event(webID, state); err != nil {
				t.Errorf("%s: %v", state, err)
			}
		})
	}
	all.Wait()
	cards, lines := 0, 0
	for _, s := range o.chat.all() {
		switch {
		case s.how == "post" && s.thread == "":
			cards++
		case s.how == "post":
			lines++
		}
	}
	if cards != 1 || lines < 1 {
		t.Errorf("%d cards and %d lines were posted", cards, lines)
	}
	started, err := o.Gate.Starts.Starts(t.Context(), []string{webID})
	if s := started[webID]; err != nil || s.Card.Told != s.Stage || s.Card.TS == "" {
		t.Errorf("the record says %+v, %v", s, err)
	}
}

// What happens while the card is on its way to Slack is told by who tells it.
func TestAStartThatMovesOnWhileItIsTold(t *testing.T) {
	o := newOffice(t)
	o.ec2.start(webID)
	o.chat.during = func() {
		o.later(20 * time.Second)
		o.ec2.change(webID, func(i *auth.Instance) { i.State = auth.Stopped })
		o.events(webID, auth.Stopped)
	}
	o.events(webID, auth.Pending)
	card := o.chat.next(t, "post")
	if s := o.chat.next(t, "update"); s.ts != card.ts || !strings.Contains(s.text, "is stopped") {
		t.Errorf("the card becomes %+v", s)
	}
	if s := o.chat.next(t, "post"); s.thread != card.ts || !strings.Contains(s.text, "seen stopped") {
		t.Errorf("its thread says %+v", s)
	}
}

func TestAMalformedEventIsKept(t *testing.T) {
	o := newOffice(t)
	for _, detail := range []string{``, `[]`, `{}`, `{"instance-id":"web-1","state":"pending"}`, `{"instance-id":7}`} {
		e := commands.Event{Source: "aws.ec2", DetailType: "EC2 Instance State-change Notification", Time: noon, Detail: []byte(detail)}
		if err := o.run(e); err == nil {
			t.Errorf("%q is no error", detail)
		}
	}
	if len(o.ec2.calls) > 0 {
		t.Errorf("AWS was asked: %v", o.ec2.calls)
	}
}

// While Slack is away a card is put off, longer and longer, and told in the end.
func TestACardWaitsForSlack(t *testing.T) {
	o := newOffice(t)
	o.chat.goAway(errors.New("Slack is away"))
	o.ec2.start(webID)
	o.events(webID, auth.Pending)
	if o.ec2.count("Stop") != 1 {
		t.Error("the instance is not stopped because Slack is away")
	}
	o.queue.tasks = o.queue.tasks[1:] // the confirmation
	var waits []time.Duration
	for range 8 {
		waits = append(waits, o.queue.tasks[0].after)
		if err := o.work("Tell about a start"); err != nil {
			t.Fatal(err)
		}
	}
	for n := range waits[1:] {
		if waits[n+1] < waits[n] || waits[n+1] > 15*time.Minute {
			t.Errorf("it waits %v", waits)
		}
	}
	if waits[0] > 30*time.Second || waits[7] < time.Minute {
		t.Errorf("it waits %v", waits)
	}
	o.ec2.change(webID, func(i *auth.Instance) { i.State = auth.Stopped })
	o.events(webID, auth.Stopped) // which is not told either
	o.chat.goAway(nil)
	if err := o.work("Tell about a start"); err != nil {
		t.Fatal(err)
	}
	// The card tells how things stand now, of an instance that it looked up anew.
	if s := o.chat.next(t, "post"); !strings.Contains(s.text, "`web-1`") || !strings.Contains(s.text, "is stopped") {
		t.Errorf("the card is %q", s.text)
	}
	o.chat.all()
	for range o.queue.tasks {
		if err := o.work("Tell about a start"); err != nil {
			t.Fatal(err)
		}
	}
	if more := o.chat.all(); len(more) > 0 {
		t.Errorf("it is told again: %+v", more)
	}
}

// The card was posted, its thread's line was not: the card is not posted twice.
func TestACardThatWasHalfTold(t *testing.T) {
	o := newOffice(t)
	half := &halfChat{chat: o.chat}
	o.Chat = half
	o.ec2.start(webID)
	o.events(webID, auth.Pending)
	card := o.chat.next(t, "post")
	if more := o.chat.all(); len(more) > 0 {
		t.Fatalf("more was said: %+v", more)
	}
	o.Chat = o.chat
	o.queue.take(t)
	if err := o.work("Tell about a start"); err != nil {
		t.Fatal(err)
	}
	if s := o.chat.next(t, "update"); s.ts != card.ts {
		t.Errorf("updated %+v", s)
	}
	if s := o.chat.next(t, "post"); s.thread != card.ts {
		t.Errorf("the thread: %+v", s)
	}
}

func TestWithoutSlackAndQueueTheEventIsKept(t *testing.T) {
	o := newOffice(t)
	o.chat.goAway(errors.New("Slack is away"))
	o.queue.away = errors.New("SQS is away")
	o.ec2.start(webID)
	if err := o.event(webID, auth.Pending); err == nil || !strings.Contains(err.Error(), "SQS is away") {
		t.Errorf("the event is lost: %v", err)
	}
	if o.ec2.count("Stop") != 1 {
		t.Error("the instance is not stopped because nobody can be told")
	}
	// It is told when it comes to rest, at the latest.
	o.chat.goAway(nil)
	o.queue.away = nil
	o.later(time.Second)
	o.events(webID, auth.Pending)
	o.ec2.change(webID, func(i *auth.Instance) { i.State = auth.Stopped })
	o.events(webID, auth.Stopped)
	if s := o.chat.next(t, "post"); !strings.Contains(s.text, "is stopped") {
		t.Errorf("the card is %q", s.text)
	}
}

func TestAStopIsConfirmed(t *testing.T) {
	o := newOffice(t)
	o.ec2.start(webID)
	o.events(webID, auth.Pending)
	o.chat.all()
	if after := o.queue.tasks[0].after; after != auth.StopTime {
		t.Errorf("it is looked at after %s", after)
	}
	if err := o.work("Confirm a stop"); err != nil {
		t.Fatal(err)
	}
	if s := o.chat.next(t, "update"); !strings.Contains(s.text, "Not stopped within 1 minute") {
		t.Errorf("the card becomes %q", s.text)
	}
	if s := o.chat.next(t, "post"); !strings.HasPrefix(s.text, "<!here> ") || s.thread == "" {
		t.Errorf("people are called with %+v", s)
	}
	if kinds := o.queue.kinds(); len(kinds) > 0 {
		t.Errorf("it escalates again: %v", kinds)
	}
}

func TestAConfirmedStopCallsNobody(t *testing.T) {
	o := newOffice(t)
	o.ec2.start(webID)
	o.events(webID, auth.Pending)
	o.ec2.change(webID, func(i *auth.Instance) { i.State = auth.Stopped })
	o.chat.all()
	if err := o.work("Confirm a stop"); err != nil { // the stopped event was lost
		t.Fatal(err)
	}
	if s := o.chat.next(t, "update"); !strings.Contains(s.text, "is stopped") {
		t.Errorf("the card becomes %q", s.text)
	}
	for _, s := range o.chat.all() {
		if strings.Contains(s.text, "<!here>") {
			t.Errorf("people are called with %q", s.text)
		}
	}
}

// A fault of EC2's keeps the event, and what is known is told all the same.
func TestAFailedStopIsToldAndKept(t *testing.T) {
	o := newOffice(t)
	o.ec2.fail["Stop"] = errors.New("EC2: InternalError")
	o.ec2.start(webID)
	if err := o.event(webID, auth.Pending); err == nil {
		t.Error("the event is lost")
	}
	if s := o.chat.next(t, "post"); !strings.Contains(s.text, "is to be stopped") {
		t.Errorf("the card is %q", s.text)
	}
	delete(o.ec2.fail, "Stop")
	o.events(webID, auth.Pending)
	if s := o.chat.next(t, "update"); !strings.Contains(s.text, "is being stopped") {
		t.Errorf("the card becomes %q", s.text)
	}
}

func TestObserveModeSaysWhatWouldHaveBeen(t *testing.T) {
	o := newOffice(t)
	o.Policy.Gate.Mode = auth.Observe
	o.ec2.start(webID)
	o.events(webID, auth.Pending, auth.Running)
	if s := o.chat.next(t, "post"); !strings.Contains(s.text, "Would have refused") {
		t.Errorf("the card is %q", s.text)
	}
	for _, call := range []string{"Stop", "Terminate", "Unprotect", "Untag", "Start"} {
		if o.ec2.count(call) > 0 {
			t.Errorf("in observe mode it called %s", call)
		}
	}
	if kinds := o.queue.kinds(); len(kinds) > 0 {
		t.Errorf("something is left to do: %v", kinds)
	}
}

func TestWhatIsNotGuardedIsNobodysBusiness(t *testing.T) {
	o := newOffice(t)
	o.ec2.start(openID)
	o.events(openID, auth.Pending, auth.Running, auth.Stopping, auth.Stopped, auth.Terminated)
	if said := o.chat.all(); len(said) > 0 || o.ec2.count("Stop") > 0 || len(o.redis.Keys()) > 0 {
		t.Errorf("said %+v, stopped %d times, wrote %v", said, o.ec2.count("Stop"), o.redis.Keys())
	}
}

func TestSayIsSaidInTheEnd(t *testing.T) {
	o := newOffice(t)
	o.chat.goAway(errors.New("Slack is away"))
	o.ec2.start(webID)
	o.ec2.change(webID, func(i *auth.Instance) { i.State, i.LaunchTime = auth.Running, noon.Add(-time.Hour) })
	sum, err := o.SweepOnce(t.Context())
	if err != nil || sum.Running != 1 {
		t.Fatalf("%+v, %v", sum, err)
	}
	for try := range 3 {
		if err := o.work("Say"); err != nil {
			t.Fatalf("try %d: %v", try, err)
		}
	}
	o.chat.goAway(nil)
	if err := o.work("Say"); err != nil {
		t.Fatal(err)
	}
	if s := o.chat.next(t, "post"); s.channel != alerts || !strings.Contains(s.text, "`web-1`") || !strings.Contains(s.text, "already running") {
		t.Errorf("said %+v", s)
	}
	o.queue.away = errors.New("SQS is away")
	o.chat.goAway(errors.New("Slack is away"))
	say := commands.Event{Source: "sekisho.task", DetailType: "Say", Detail: []byte(fmt.Sprintf(`{"channel":%q,"text":"x"}`, alerts))}
	if err := o.run(say); err == nil {
		t.Error("with neither Slack nor the queue, it is lost")
	}
}

func TestTheSweepFindsAStartThatEventsMissed(t *testing.T) {
	o := newOffice(t)
	if err := o.Gate.Starts.PutSwept(t.Context(), noon.Add(-time.Hour)); err != nil {
		t.Fatal(err)
	}
	o.ec2.start(webID)
	o.ec2.change(webID, func(i *auth.Instance) { i.State = auth.Running })
	if err := o.run(commands.Event{Source: "sekisho.schedule", DetailType: "Sweep", Detail: []byte("{}")}); err != nil {
		t.Fatal(err)
	}
	if s := o.chat.next(t, "post"); o.ec2.count("Stop") != 1 || !strings.Contains(s.text, "is being stopped") {
		t.Errorf("stopped %d times, told %q", o.ec2.count("Stop"), s.text)
	}
	if kinds := o.queue.kinds(); len(kinds) != 1 || kinds[0] != "Confirm a stop" {
		t.Errorf("left to do: %v", kinds)
	}
	o.chat.all()
	if err := o.run(commands.Event{Source: "sekisho.schedule", DetailType: "Sweep"}); err != nil {
		t.Fatal(err)
	}
	if said := o.chat.all(); len(said) > 0 || o.ec2.count("Stop") != 1 {
		t.Errorf("the next sweep does it again: %+v", said)
	}
}
