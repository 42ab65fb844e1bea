package awssim_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"sekisho/infra/local/awssim"
)

const statesPattern = `{"source":["aws.ec2"],"detail-type":["EC2 Instance State-change Notification"]}`

// detailTypes lists the kinds of the events in a queue.
func (w *world) detailTypes(t *testing.T, queueURL string) []string {
	t.Helper()
	kinds := []string{}
	for _, body := range w.Queue(queueURL).Visible {
		var e event
		wantOK(t, json.Unmarshal([]byte(body), &e))
		kinds = append(kinds, e.DetailType)
	}
	return kinds
}

// Whatever the cloud sends goes by its rules: to all targets of each that matches, and nowhere else.
func TestRulesRoute(t *testing.T) {
	w := newWorld(t, awssim.Options{BootTime: never})
	states, all, mails := w.CreateQueue("states", time.Minute, "", 0), w.CreateQueue("all", time.Minute, "", 0), w.CreateQueue("mails", time.Minute, "", 0)
	to := func(queues ...string) (targets []awssim.Target) {
		for _, q := range queues {
			targets = append(targets, awssim.Target{Queue: q})
		}
		return targets
	}
	wantOK(t, w.PutRule(awssim.Rule{Name: "states", Pattern: statesPattern, Targets: to(states, all)}))
	wantOK(t, w.PutRule(awssim.Rule{Name: "trail", Pattern: `{"detail-type":["AWS API Call via CloudTrail"]}`, Targets: to(all)}))
	wantOK(t, w.PutRule(awssim.Rule{Name: "config", Pattern: `{"source":["aws.config"]}`, Targets: to(all)}))
	wantOK(t, w.PutRule(awssim.Rule{Name: "mails", Pattern: `{"source":["aws.ses"]}`, Targets: to(mails)}))
	wantOK(t, w.PutRule(awssim.Rule{Name: "clock", Schedule: "rate(5 minutes)", Targets: to(all, states, mails)}))

	i := w.Add(awssim.Instance{})
	wantOK(t, w.StartInstance(i.ID))
	w.addUser(t, awssim.User{Name: "hana"})
	w.CheckAll()
	if got := w.detailTypes(t, states); !slices.Equal(got, []string{"EC2 Instance State-change Notification"}) {
		t.Errorf("the rule on states sent %q", got)
	}
	if got := w.detailTypes(t, all); !slices.Equal(got, []string{"EC2 Instance State-change Notification", trailType, configType}) {
		t.Errorf("three rules sent %q", got)
	}
	if got := w.detailTypes(t, mails); len(got) != 0 {
		t.Errorf("the rule on mail sent %q", got)
	}
	w.Emit([]byte(`{"source":"aws.ses","detail-type":"Email Rejected"}`))
	if got := w.detailTypes(t, mails); !slices.Equal(got, []string{"Email Rejected"}) {
		t.Errorf("the rule on mail sent %q", got)
	}
}

func TestRulesAreSwitchedReplacedAndRemoved(t *testing.T) {
	w := newWorld(t, awssim.Options{})
	queue := w.CreateQueue("q", time.Minute, "", 0)
	arrives := func(want bool, when string) {
		t.Helper()
		before := len(w.Queue(queue).Visible)
		w.Emit([]byte(`{"source":"a"}`))
		if got := len(w.Queue(queue).Visible) > before; got != want {
			t.Errorf("%s: an event arrives: %t, want %t", when, got, want)
		}
	}
	rule := awssim.Rule{Name: "r", Pattern: `{"source":["a"]}`, Targets: []awssim.Target{{Queue: queue}}, Disabled: true}
	wantOK(t, w.PutRule(rule))
	arrives(false, "disabled")
	w.EnableRule("r", true)
	arrives(true, "enabled")
	w.EnableRule("r", false)
	arrives(false, "disabled again")

	rule.Disabled = false
	wantOK(t, w.PutRule(rule))
	arrives(true, "replaced")
	rule.Pattern = `{"source":["b"]}`
	arrives(true, "the caller's copy changed")
	wantOK(t, w.PutRule(rule))
	arrives(false, "another pattern")
	if err := w.PutRule(awssim.Rule{Name: "r", Pattern: "x"}); err == nil {
		t.Error("a bad pattern was taken")
	}
	w.Emit([]byte(`{"source":"b"}`))
	if got := w.Queue(queue).Visible; got[len(got)-1] != `{"source":"b"}` {
		t.Error("a rule that was refused took the old one's place")
	}
	w.RouteEventsTo(queue)
	arrives(true, "everything")
	w.RouteEventsTo("")
	arrives(false, "no longer everything")
	w.RemoveRule("r")
	w.RemoveRule("r") // once more does no harm
	w.Emit([]byte(`{"source":"b"}`))
	if got := len(w.Queue(queue).Visible); got != 5 {
		t.Errorf("%d events in all, want 5", got)
	}
}

// A function is called like a hook: without the lock, in order, rule by rule.
func TestRulesInvoke(t *testing.T) {
	w := newWorld(t, awssim.Options{})
	called := make(chan string, 10)
	target := func(name string) awssim.Target {
		return awssim.Target{ARN: "arn:aws:lambda:eu-central-1:111122223333:function:" + name, Invoke: func(event []byte) {
			called <- fmt.Sprint(name, " ", len(w.Instances()), " ", string(event))
		}}
	}
	wantOK(t, w.PutRule(awssim.Rule{Name: "b", Pattern: `{"n":[1,2]}`, Targets: []awssim.Target{target("keeper")}}))
	wantOK(t, w.PutRule(awssim.Rule{Name: "a", Pattern: `{"n":[1]}`, Targets: []awssim.Target{target("gate"), target("front")}}))
	event := []byte(`{"n":1}`)
	w.Emit(event)
	event[5] = '9' // the cloud has a copy
	w.Emit([]byte(`{"n":2}`))
	w.Emit([]byte(`{"n":3}`))
	for _, want := range []string{`gate 0 {"n":1}`, `front 0 {"n":1}`, `keeper 0 {"n":1}`, `keeper 0 {"n":2}`} {
		select {
		case got := <-called:
			if got != want {
				t.Errorf("called %s, want %s", got, want)
			}
		case <-time.After(10 * time.Second):
			t.Fatalf("no call, want %s", want)
		}
	}
}

// The faults of events come before the rules.
func TestRulesAndFaults(t *testing.T) {
	w := newWorld(t, awssim.Options{})
	queue := w.CreateQueue("q", time.Minute, "", 0)
	wantOK(t, w.PutRule(awssim.Rule{Name: "r", Pattern: `{"n":[{"exists":true}]}`, Targets: []awssim.Target{{Queue: queue}}}))
	w.DropEvents(1)
	w.Emit([]byte(`{"n":1}`))
	w.DuplicateEvents(true)
	w.Emit([]byte(`{"n":2}`))
	if got := w.Queue(queue).Visible; !slices.Equal(got, []string{`{"n":2}`, `{"n":2}`}) {
		t.Errorf("the queue has %q", got)
	}
}

func TestRulesRefused(t *testing.T) {
	w := newWorld(t, awssim.Options{})
	queue := w.CreateQueue("q", time.Minute, "", 0)
	good := awssim.Rule{Name: "r", Pattern: statesPattern}
	tests := []struct {
		name  string
		spoil func(*awssim.Rule)
		code  string
	}{
		{"no name", func(r *awssim.Rule) { r.Name = "" }, "ValidationException"},
		{"a long name", func(r *awssim.Rule) { r.Name = strings.Repeat("r", 65) }, "ValidationException"},
		{"a space", func(r *awssim.Rule) { r.Name = "a b" }, "ValidationException"},
		{"nothing to go by", func(r *awssim.Rule) { r.Pattern = "" }, "ValidationException"},
		{"a bad schedule", func(r *awssim.Rule) { r.Schedule = "5 minutes" }, "ValidationException"},
		{"six targets", func(r *awssim.Rule) { r.Targets = make([]awssim.Target, 6) }, "LimitExceededException"},
		{"no queue", func(r *awssim.Rule) { r.Targets = []awssim.Target{{Queue: queue + "x"}} }, "ValidationException"},
		{"no ARN", func(r *awssim.Rule) { r.Targets = []awssim.Target{{Invoke: func([]byte) {}}} }, "ValidationException"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			bad := good
			tt.spoil(&bad)
			wantCode(t, w.PutRule(bad), tt.code)
		})
	}
	for name, mistake := range map[string]func(){
		"EnableRule of none": func() { w.EnableRule("none", true) },
		"Emit of no JSON":    func() { w.Emit([]byte("x")) },
		"Emit of a list":     func() { w.Emit([]byte("[]")) },
		"Emit of null":       func() { w.Emit([]byte("null")) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s doesn't panic", name)
				}
			}()
			mistake()
		}()
	}
}
