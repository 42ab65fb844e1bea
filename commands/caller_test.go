package commands_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"sekisho/auth"
	"sekisho/commands"
)

const (
	hanasARN = "arn:aws:sts::111122223333:assumed-role/Ops/hana@example.test"
	bensARN  = "arn:aws:sts::111122223333:assumed-role/Ops/ben@example.test"
)

// called is CloudTrail's record of a start.
func called(at time.Time, identity map[string]any, ids ...string) commands.Event {
	var items []map[string]any
	for _, id := range ids {
		items = append(items, map[string]any{"instanceId": id, "currentState": map[string]any{"code": 0, "name": "pending"}})
	}
	detail, _ := json.Marshal(map[string]any{
		"eventSource": "ec2.amazonaws.com", "eventName": "StartInstances", "eventTime": at.UTC().Format(time.RFC3339),
		"userIdentity": identity, "responseElements": map[string]any{"instancesSet": map[string]any{"items": items}},
	})
	return commands.Event{ID: "cloudtrail-1", Source: "aws.ec2", DetailType: "AWS API Call via CloudTrail", Region: "eu-central-1", Detail: detail}
}

func by(arn string) map[string]any { return map[string]any{"type": "AssumedRole", "arn": arn} }

// started spends hana's pass for web-1, and looks past what is told of it.
func (o *office) started() (card said) {
	o.t.Helper()
	o.ec2.tag(webID, "Auth", code(o.t, o.ask(hana, "web-1")))
	o.ec2.start(webID)
	o.events(webID, auth.Pending)
	card = o.chat.next(o.t, "post")
	o.chat.all()
	return card
}

func TestCloudTrailNamesTheCaller(t *testing.T) {
	known := map[string][]auth.Principal{hana: {"session/hana@example.test"}, ben: {"session/ben@example.test"}}
	for name, c := range map[string]struct {
		identity map[string]any
		people   auth.PeoplePolicy
		want     string
		fit      auth.Fit
	}{
		"the owner":                {by(hanasARN), auth.PeoplePolicy{Principals: known}, "by <@U0HANA> (`" + hanasARN + "`), <!date^1800000005^", auth.FitSame},
		"the owner, by e-mail":     {by(hanasARN), auth.PeoplePolicy{MatchEmail: true}, "That is the pass's owner", auth.FitSame},
		"nobody knows":             {by(hanasARN), auth.PeoplePolicy{}, "by `" + hanasARN + "`", auth.FitUnknown},
		"somebody else":            {by(bensARN), auth.PeoplePolicy{Principals: known}, "by <@U0BEN> (`" + bensARN + "`)", auth.FitOther},
		"a stranger":               {by("arn:aws:sts::111122223333:assumed-role/CI/build"), auth.PeoplePolicy{Principals: known}, "*That is not the pass's owner.*", auth.FitOther},
		"somebody else, by e-mail": {by(bensARN), auth.PeoplePolicy{MatchEmail: true}, "*That is not the pass's owner.*", auth.FitOther},
		"a service":                {map[string]any{"type": "AWSService", "invokedBy": "autoscaling.amazonaws.com"}, auth.PeoplePolicy{}, "by `autoscaling.amazonaws.com`", auth.FitUnknown},
		"the root":                 {map[string]any{"type": "Root", "arn": "arn:aws:iam::111122223333:root"}, auth.PeoplePolicy{}, ":root`", auth.FitUnknown},
	} {
		t.Run(name, func(t *testing.T) {
			o := newOffice(t)
			c.people.OnMismatch = auth.AlertMismatch
			o.Policy.People = c.people
			card := o.started()
			e := called(noon.Add(5*time.Second), c.identity, webID)
			for _, e.ID = range []string{"cloudtrail-1", "cloudtrail-2"} { // CloudTrail delivers once at least
				if err := o.run(e); err != nil {
					t.Fatal(err)
				}
			}
			lines := 0
			for _, s := range o.chat.all() {
				if s.thread != card.ts {
					continue
				}
				lines++
				wants(t, "the thread", s.text, "CloudTrail: `StartInstances`", c.want)
				if c.fit == auth.FitUnknown {
					lacks(t, "the thread", s.text, "owner")
				}
			}
			if lines != 1 {
				t.Errorf("%d lines in the thread", lines)
			}
			entry := o.wantNoted(auth.ActStartCaller, auth.Done)
			if entry.Reason != string(c.fit) || entry.Submitted != hana || entry.Instance != webID || entry.Note == "" ||
				entry.Door != "events" || entry.Source != "cloudtrail-1" {
				t.Errorf("the trail has %+v", entry)
			}
		})
	}
}

// A pass that somebody else has spent is told loudly, and with on_mismatch:
// stop the start is ended, but in observe mode.
func TestAPassThatSomebodyElseSpent(t *testing.T) {
	for name, c := range map[string]struct {
		mode  auth.Mode
		on    auth.Mismatch
		fails error
		stops int
		want  string
	}{
		"alert":            {auth.Enforce, auth.AlertMismatch, nil, 0, "It is left running"},
		"stop":             {auth.Enforce, auth.StopMismatch, nil, 1, "I have asked EC2 to stop it"},
		"stop that fails":  {auth.Enforce, auth.StopMismatch, errors.New("EC2: InternalError"), 1, "*It could not be stopped*"},
		"observe":          {auth.Observe, auth.StopMismatch, nil, 0, "Observe mode"},
		"observe an alert": {auth.Observe, auth.AlertMismatch, nil, 0, "It is left running"},
	} {
		t.Run(name, func(t *testing.T) {
			o := newOffice(t)
			o.Policy.Gate.Mode = c.mode
			o.Policy.People = auth.PeoplePolicy{OnMismatch: c.on, Principals: map[string][]auth.Principal{hana: {"session/hana@example.test"}}}
			o.started()
			o.ec2.fail["Stop"] = c.fails
			e := called(noon.Add(5*time.Second), by(bensARN), webID)
			for _, e.ID = range []string{"cloudtrail-1", "cloudtrail-2"} {
				if err := o.run(e); err != nil {
					t.Fatal(err)
				}
			}
			if n := o.ec2.count("Stop"); n != c.stops {
				t.Errorf("stopped %d times", n)
			}
			alarms := 0
			for _, s := range o.chat.all() {
				if s.thread == "" {
					alarms++
					wants(t, "the alarm", s.text, "<!here>", "pass of <@U0HANA>", "`"+webID+"`", "`"+bensARN+"`", c.want, "ask <@U0HANA>")
					if s.channel != alerts {
						t.Errorf("the alarm is in %s", s.channel)
					}
				}
			}
			if alarms != 1 {
				t.Errorf("%d alarms", alarms)
			}
			want := auth.Done
			if c.fails != nil {
				want = auth.Refused
			}
			if noted := o.noted(auth.ActStartStop, want); len(noted) != c.stops {
				t.Errorf("the trail has %+v", o.entries())
			}
		})
	}
}

// The stop does not wait for Slack, and what could not be told is told when
// the event comes again.
func TestAMismatchIsStoppedWithoutSlackAndQueue(t *testing.T) {
	o := newOffice(t)
	o.Policy.People = auth.PeoplePolicy{OnMismatch: auth.StopMismatch, Principals: map[string][]auth.Principal{hana: {"session/hana@example.test"}}}
	o.started()
	o.chat.goAway(errAway)
	o.queue.away = errors.New("SQS is away")
	if err := o.run(called(noon.Add(5*time.Second), by(bensARN), webID)); err == nil {
		t.Error("the event is done with, and nobody was told")
	}
	if o.ec2.count("Stop") != 1 {
		t.Error("it was not stopped")
	}
	o.chat.goAway(nil)
	o.queue.away = nil
	o.clock.add(time.Minute) // until then another worker may be telling it
	if err := o.run(called(noon.Add(5*time.Second), by(bensARN), webID)); err != nil {
		t.Fatal(err)
	}
	if said := o.chat.all(); len(said) != 2 {
		t.Errorf("told %+v", said)
	}
}

// The event comes again while it is being told: that worker tells it, and the other
// looks later whether it did.
func TestTheCallerIsToldByOneWorker(t *testing.T) {
	o := newOffice(t)
	o.started()
	e := called(noon.Add(5*time.Second), by(hanasARN), webID)
	o.chat.during = func() {
		if err := o.run(e); err != nil {
			t.Error(err)
		}
	}
	if err := o.run(e); err != nil {
		t.Fatal(err)
	}
	if err := o.work("Name a caller"); err != nil {
		t.Error(err)
	}
	if said := o.chat.all(); len(said) != 1 {
		t.Errorf("told %+v", said)
	}
	if noted := o.noted(auth.ActStartCaller, auth.Done); len(noted) != 1 {
		t.Errorf("the trail has %+v", noted)
	}
}

func TestTheBotsOwnStartIsNamedSo(t *testing.T) {
	o := newOffice(t)
	o.Policy.People = auth.PeoplePolicy{OnMismatch: auth.StopMismatch, Principals: map[string][]auth.Principal{hana: {"session/hana@example.test"}}}
	startNow(o)
	if err := o.work("Start for the owner"); err != nil {
		t.Fatal(err)
	}
	o.events(webID, auth.Pending)
	o.chat.all()
	if err := o.run(called(noon, by("arn:aws:sts::111122223333:assumed-role/sekisho/worker"), webID)); err != nil {
		t.Fatal(err)
	}
	s := o.chat.next(t, "post")
	wants(t, "the thread", s.text, "That is me: “Start it now” for <@U0HANA>")
	if more := o.chat.all(); len(more) > 0 || o.ec2.count("Stop") > 0 {
		t.Errorf("an alarm about the bot itself: %+v", more)
	}
}

// Of a start that was refused there is no owner to compare with.
func TestTheCallerOfARefusedStart(t *testing.T) {
	o := newOffice(t)
	o.Policy.People = auth.PeoplePolicy{OnMismatch: auth.StopMismatch, Principals: map[string][]auth.Principal{ben: {"session/ben@example.test"}}}
	o.ec2.start(webID)
	o.events(webID, auth.Pending)
	card := o.chat.next(t, "post")
	o.chat.all()
	if err := o.run(called(noon, by(bensARN), webID)); err != nil {
		t.Fatal(err)
	}
	if s := o.chat.next(t, "post"); s.thread != card.ts || !strings.Contains(s.text, "by <@U0BEN>") {
		t.Errorf("told %+v", s)
	}
}

// CloudTrail's word may come before the card does, and then waits for it.
func TestTheCallerWaitsForTheCard(t *testing.T) {
	o := newOffice(t)
	o.chat.goAway(errAway)
	o.ec2.start(webID)
	o.events(webID, auth.Pending)
	tell := o.queue.tasks
	o.queue.tasks = nil
	if err := o.run(called(noon, by(hanasARN), webID)); err != nil {
		t.Fatal(err)
	}
	if err := o.work("Name a caller"); err != nil { // too early still
		t.Fatal(err)
	}
	o.chat.goAway(nil)
	caller := o.queue.tasks
	o.queue.tasks = tell[1:]
	if err := o.work("Tell about a start"); err != nil {
		t.Fatal(err)
	}
	card := o.chat.next(t, "post")
	o.chat.all()
	o.queue.tasks = caller
	if err := o.work("Name a caller"); err != nil {
		t.Fatal(err)
	}
	if s := o.chat.next(t, "post"); s.thread != card.ts || !strings.Contains(s.text, "CloudTrail") {
		t.Errorf("told %+v", s)
	}
}

// What is not guarded has no card, and what failed or ended is nobody's
// business: after a few tries nothing was said and nothing is left.
func TestCallersThatNobodyIsToldOf(t *testing.T) {
	change := func(e commands.Event, how func(map[string]any)) commands.Event {
		var detail map[string]any
		json.Unmarshal(e.Detail, &detail)
		how(detail)
		e.Detail, _ = json.Marshal(detail)
		return e
	}
	e := called(noon, by(hanasARN), webID)
	for name, c := range map[string]struct {
		event commands.Event
		tries bool
	}{
		"not guarded":        {called(noon, by(hanasARN), openID), true},
		"an earlier start":   {called(noon.Add(-time.Hour), by(hanasARN), webID), true},
		"a call that failed": {change(e, func(d map[string]any) { d["errorCode"] = "Client.UnauthorizedOperation" }), false},
		"a stop":             {change(e, func(d map[string]any) { d["eventName"] = "StopInstances" }), false},
		"nothing started":    {change(e, func(d map[string]any) { d["responseElements"] = nil }), false},
	} {
		t.Run(name, func(t *testing.T) {
			o := newOffice(t)
			o.started()
			if err := o.run(c.event); err != nil {
				t.Fatal(err)
			}
			if tries := len(o.queue.tasks) > 0; tries != c.tries {
				t.Errorf("left to do: %v", o.queue.kinds())
			}
			for n := 0; len(o.queue.tasks) > 0; n++ {
				if err := o.work("Name a caller"); err != nil || n > 20 {
					t.Fatalf("after %d tries: %v", n, err)
				}
			}
			if said := o.chat.all(); len(said) > 0 {
				t.Errorf("told %+v", said)
			}
		})
	}
	o := newOffice(t)
	if err := o.run(commands.Event{Source: "aws.ec2", DetailType: "AWS API Call via CloudTrail", Detail: []byte(`{"eventName":7}`)}); err == nil {
		t.Error("what cannot be read is no error")
	}
}

// Several instances in one call are named each.
func TestOneCallStartsSeveral(t *testing.T) {
	o := newOffice(t)
	for _, id := range []string{webID, dbID} {
		o.ec2.start(id)
		o.events(id, auth.Pending)
	}
	o.chat.all()
	if err := o.run(called(noon, by(hanasARN), webID, dbID)); err != nil {
		t.Fatal(err)
	}
	if a, b := o.chat.next(t, "post"), o.chat.next(t, "post"); a.thread == b.thread {
		t.Errorf("both in %s", a.thread)
	}
}
