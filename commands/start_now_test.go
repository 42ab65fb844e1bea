package commands_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"sekisho/auth"
	"sekisho/commands"
)

// startNow gets a pass for web-1 and presses "Start it now".
func startNow(o *office) (page, answer commands.Message) {
	o.t.Helper()
	page = o.ask(hana, "web-1")
	return page, o.click(hana, "pass_start", buttonValue(o.t, page, "pass_start"))
}

func TestStartItNow(t *testing.T) {
	o := newOffice(t)
	page, answer := startNow(o)
	if !answer.Replace || !strings.Contains(answer.Text, "Starting") {
		t.Errorf("the click is answered with %+v", answer)
	}
	if o.ec2.count("Start") > 0 {
		t.Error("the door that Slack reaches started it itself")
	}
	if err := o.work("Start for the owner"); err != nil {
		t.Fatal(err)
	}
	if s := o.chat.next(t, "respond"); s.url != answerAt || !s.replace || !strings.Contains(s.text, "EC2 is starting") {
		t.Errorf("the owner is told %+v", s)
	}
	i := o.ec2.get(webID)
	if i.State != auth.Pending {
		t.Fatalf("it is %s", i.State)
	}
	if i.Tags["Auth"] == code(t, page) {
		t.Error("the tag holds the code that was shown: it would stand in two places")
	}
	o.events(webID, auth.Pending, auth.Running)
	if s := o.chat.next(t, "post"); o.ec2.count("Stop") > 0 || !strings.Contains(s.text, "<@U0HANA> was let in") {
		t.Errorf("the channel is told %q", s.text)
	}
	// The code that was shown is void.
	o.later(time.Minute)
	o.ec2.tag(webID, "Auth", code(t, page))
	o.ec2.start(webID)
	o.events(webID, auth.Pending)
	if o.ec2.count("Stop") != 1 {
		t.Error("the code that was shown opened the gate once more")
	}
}

func TestStartItNowThatEC2DoesNotTake(t *testing.T) {
	for name, c := range map[string]struct {
		fail map[string]error
		want string
	}{
		"not stopped yet":    {map[string]error{"Start": auth.ErrNotYet}, "not stopped yet"},
		"gone":               {map[string]error{"Start": auth.ErrNoInstance}, "does not know it any more"},
		"a fault":            {map[string]error{"Start": errors.New("EC2: InternalError")}, "did not take the start"},
		"after the tag":      {map[string]error{"StartAfterTag": errors.New("EC2: InsufficientInstanceCapacity")}, "the tag is clean"},
		"and the tag stays":  {map[string]error{"StartAfterTag": auth.ErrNotYet, "Untag": errors.New("EC2: Throttled")}, "could not be removed"},
		"nothing of a fault": {map[string]error{"Start": errors.New("secret-looking detail")}, "was not started"},
	} {
		t.Run(name, func(t *testing.T) {
			o := newOffice(t)
			o.ec2.fail = c.fail
			startNow(o)
			if err := o.work("Start for the owner"); err != nil {
				t.Fatalf("the task would come again: %v", err)
			}
			s := o.chat.next(t, "respond")
			if !strings.Contains(s.text, c.want) || !strings.Contains(s.text, "was not started") || strings.Contains(s.text, "secret-looking") {
				t.Errorf("the owner is told %q", s.text)
			}
			tag, left := o.ec2.get(webID).Tags["Auth"]
			if left && !strings.Contains(s.text, "could not be removed") {
				t.Errorf("the tag is left, and the owner is told %q", s.text)
			}
			if m := o.ask(hana, "mine"); !strings.Contains(m.Text, "no live pass") {
				t.Errorf("a pass that nobody can use is left: %v", texts(m.Blocks))
			}
			if left { // and it opens nothing
				o.ec2.tag(webID, "Auth", tag)
				o.ec2.start(webID)
				o.events(webID, auth.Pending)
				if o.ec2.count("Stop") != 1 {
					t.Error("the tag that was left opened the gate")
				}
			}
		})
	}
}

// The task may be delivered again: after it was done, or after its worker died
// half-way.
func TestStartItNowDeliveredAgain(t *testing.T) {
	o := newOffice(t)
	startNow(o)
	again := o.queue.tasks[0]
	if err := o.work("Start for the owner"); err != nil {
		t.Fatal(err)
	}
	o.queue.tasks = append(o.queue.tasks, again)
	if err := o.work("Start for the owner"); err != nil {
		t.Fatal(err)
	}
	if o.ec2.count("Start") != 1 {
		t.Errorf("it was started %d times", o.ec2.count("Start"))
	}
	o.chat.next(t, "respond")
	if s := o.chat.next(t, "respond"); !strings.Contains(s.text, "is pending") {
		t.Errorf("the owner is told %q", s.text)
	}
	o.events(webID, auth.Pending)
	if o.ec2.count("Stop") > 0 {
		t.Error("the second delivery spoilt the pass")
	}
}

func TestStartItNowCutShort(t *testing.T) {
	o := newOffice(t)
	page, _ := startNow(o)
	// A worker sets the tag, and dies before it starts the instance.
	_, id, _ := strings.Cut(buttonValue(t, page, "pass_start"), " ")
	by := auth.Actor{User: hana, Door: "events", Source: fmt.Sprintf("trigger.%d", o.asked)}
	pass, err := o.Requests.Exchange(t.Context(), by, o.ec2.get(webID), auth.PassRecord{ID: id, Issued: noon})
	if err != nil {
		t.Fatal(err)
	}
	o.ec2.tag(webID, "Auth", pass.Code.Reveal())
	if err := o.work("Start for the owner"); err != nil {
		t.Fatal(err)
	}
	if s := o.chat.next(t, "respond"); !strings.Contains(s.text, "cut short") || !strings.Contains(s.text, "ask again") {
		t.Errorf("the owner is told %q", s.text)
	}
	if _, there := o.ec2.get(webID).Tags["Auth"]; !there {
		t.Error("the first try may be under way, and its tag is gone")
	}
}

func TestStartItNowIsTheOwners(t *testing.T) {
	o := newOffice(t)
	page := o.ask(hana, "web-1")
	value := buttonValue(t, page, "pass_start")
	for name, m := range map[string]commands.Message{
		"another person":   o.click(ben, "pass_start", value),
		"another instance": o.click(hana, "pass_start", dbID+value[len(webID):]),
	} {
		if !strings.Contains(m.Text, "no live pass") || m.Replace {
			t.Errorf("%s is answered with %q", name, m.Text)
		}
	}
	o.ask(hana, "web-1")
	if m := o.click(hana, "pass_start", value); !strings.Contains(m.Text, "no live pass") {
		t.Errorf("the button of a voided pass is answered with %q", m.Text)
	}
	o.later(time.Hour)
	if m := o.click(hana, "pass_start", value); !strings.Contains(m.Text, "no live pass") {
		t.Errorf("the button of an expired pass is answered with %q", m.Text)
	}
	if len(o.queue.tasks) > 0 {
		t.Errorf("something is to be started: %v", o.queue.kinds())
	}
}

// A pass that ends between the click and the worker starts nothing.
func TestStartItNowAfterThePassWasRevoked(t *testing.T) {
	o := newOffice(t)
	startNow(o)
	o.ask(hana, "revoke web-1")
	if err := o.work("Start for the owner"); err != nil {
		t.Fatal(err)
	}
	if s := o.chat.next(t, "respond"); o.ec2.count("Start") > 0 || !strings.Contains(s.text, "no live pass") {
		t.Errorf("started %d times, the owner is told %q", o.ec2.count("Start"), s.text)
	}
}

func TestStartItNowIsOfferedOnlyWhereItWorks(t *testing.T) {
	o := newOffice(t)
	value := buttonValue(t, o.ask(hana, "web-1"), "pass_start")
	for name, off := range map[string]func(){
		"by policy":     func() { o.Policy.Passes.StartNow = false },
		"for no worker": func() { o.Policy.Passes.StartNow = true; o.Queue = nil },
	} {
		off()
		m := o.ask(hana, "web-1")
		for _, b := range m.Blocks {
			if text := string(line(t, b)); strings.Contains(text, "pass_start") {
				t.Errorf("switched off %s, it is offered: %s", name, text)
			}
		}
		if m := o.click(hana, "pass_start", value); !strings.Contains(m.Text, "switched off") {
			t.Errorf("switched off %s, an older button is answered with %q", name, m.Text)
		}
	}
}

// That the answer cannot be delivered does not start it again.
func TestStartItNowWhenSlackIsAway(t *testing.T) {
	o := newOffice(t)
	startNow(o)
	o.chat.goAway(errors.New("Slack is away"))
	if err := o.work("Start for the owner"); err != nil {
		t.Errorf("the task would come again: %v", err)
	}
	if o.ec2.count("Start") != 1 || !strings.Contains(o.log.String(), "telling the owner") {
		t.Errorf("started %d times; the log: %s", o.ec2.count("Start"), o.log)
	}
}

// The queue away: nothing is begun, and the person is told so.
func TestStartItNowWhenTheQueueIsAway(t *testing.T) {
	o := newOffice(t)
	page := o.ask(hana, "web-1")
	o.queue.away = errors.New("SQS is away")
	m := o.click(hana, "pass_start", buttonValue(t, page, "pass_start"))
	if !strings.Contains(m.Text, "Something went wrong") || m.Replace {
		t.Errorf("answered with %+v", m)
	}
	o.ec2.tag(webID, "Auth", code(t, page))
	o.ec2.start(webID)
	o.events(webID, auth.Pending)
	if o.ec2.count("Stop") > 0 {
		t.Error("the code that was shown is void, though nothing was begun")
	}
}
