package main

import (
	"strings"
	"testing"
	"time"

	"sekisho/infra/local/awssim"
	"sekisho/infra/redisstore/redistest"
)

func TestDuplicateAndReversedEventsChangeNothing(t *testing.T) {
	w := open(t, "enforce", "stop")
	w.serve()
	w.AWS.DuplicateEvents(true)
	web := w.instance("web-1")
	w.AWS.HoldEvents(true)
	w.do(w.AWS.SetTag(web.ID, "Auth", w.pass(hana, "web-1")))
	w.do(w.AWS.StartInstance(web.ID))
	w.untilState("web-1", "running")
	w.AWS.HoldEvents(false) // running comes before pending now, and both twice
	w.card("<@U0HANA> was let in", "the tag removed")

	w.do(w.AWS.StartInstance(w.instance("gpu-1").ID))
	w.card("Refused", "gpu-1", "is stopped") // all earlier events were handled before it
	if w.cards() != 2 {
		t.Errorf("%d cards for 2 starts", w.cards())
	}
	if state := w.instance("web-1").State; state != "running" {
		t.Errorf("the admitted start is %s", state)
	}
}

func TestStaleReadsAreReadAgain(t *testing.T) {
	w := open(t, "enforce", "stop")
	w.serve()
	for name, lie := range map[string]func(id string){
		"web-1": func(id string) { w.AWS.StaleReads(id, 1) },
		"gpu-1": func(id string) { w.AWS.HideTags(id, 2) },
	} {
		i := w.instance(name)
		w.do(w.AWS.SetTag(i.ID, "Auth", w.pass(hana, name)))
		lie(i.ID)
		w.do(w.AWS.StartInstance(i.ID))
		w.card("<@U0HANA> was let in", name)
		w.untilState(name, "running")
	}
	if n := w.called("StopInstances"); n != 0 {
		t.Errorf("StopInstances was called %d times", n)
	}
}

func TestThrottlingIsOutlasted(t *testing.T) {
	w := open(t, "enforce", "stop")
	w.serve()
	w.AWS.Throttle("StopInstances", 2)
	w.AWS.Throttle("DescribeInstances", 2)
	w.do(w.AWS.StartInstance(w.instance("web-1").ID))
	w.card("Refused", "web-1", "is stopped")
}

func TestSlackAwayDelaysTheCardAndNotTheGate(t *testing.T) {
	w := open(t, "enforce", "stop")
	w.serve()
	w.Slack.Away(true)
	w.do(w.AWS.StartInstance(w.instance("web-1").ID))
	w.untilState("web-1", "running")
	w.untilState("web-1", "stopped")
	w.Slack.Away(false)
	w.card("Refused", "web-1", "is stopped")
	if w.cards() != 1 {
		t.Errorf("%d cards for 1 start", w.cards())
	}
}

func TestRedisAwayStops(t *testing.T) {
	w := open(t, "enforce", "stop")
	proxy := redistest.NewProxy(t, w.redis)
	w.env = append(w.env, "REDIS_URL=redis://"+proxy.Addr)
	w.serve()
	code := w.pass(hana, "web-1")
	web := w.instance("web-1")
	w.do(w.AWS.SetTag(web.ID, "Auth", code))
	proxy.Cut()
	if m := w.command(hana, "gpu-1"); !strings.Contains(m.Text, "Redis") {
		t.Errorf("without Redis /ec2-pass says: %s", m.Text)
	}
	w.do(w.AWS.StartInstance(web.ID))
	w.card("web-1", "my memory (Redis) was away", "when_unavailable: stop")
	w.untilState("web-1", "stopped")
	proxy.Mend()
	w.card("Refused", "web-1", "is stopped", "my memory (Redis) was away") // written down, and the same card goes on
	if w.cards() != 1 {
		t.Errorf("%d cards for 1 start", w.cards())
	}
	w.do(w.AWS.StartInstance(web.ID)) // its pass was not spent
	w.card("<@U0HANA> was let in", "web-1")
}

func TestRedisAwayAllows(t *testing.T) {
	w := open(t, "enforce", "allow")
	proxy := redistest.NewProxy(t, w.redis)
	w.env = append(w.env, "REDIS_URL=redis://"+proxy.Addr)
	bot := w.serve()
	proxy.Cut()
	w.do(w.AWS.StartInstance(w.instance("web-1").ID))
	w.card("Let in without a judgement", "web-1", "when_unavailable: allow")
	w.untilState("web-1", "running")
	proxy.Mend()
	bot.waitFor(`"recorded":true`)
	sweep := w.run([]string{"sweep"})
	if code := sweep.end(); code != 0 {
		t.Fatalf("sweep ended with %d: %s", code, sweep.said)
	}
	if state := w.instance("web-1").State; state != "running" {
		t.Errorf("after the sweep the allowed start is %s", state)
	}
}

func TestTheSweepFindsWhatEventsMissed(t *testing.T) {
	w := open(t, "enforce", "stop")
	w.clock.set(-5 * time.Second) // launch times are whole seconds
	w.do(w.AWS.StartInstance(w.instance("gpu-1").ID))
	w.untilState("gpu-1", "running")
	first := w.run([]string{"sweep"}) // its memory begins here
	if code := first.end(); code != 0 || !strings.Contains(first.said.String(), "(before)") {
		t.Fatalf("the first sweep ended with %d: %s", code, first.said)
	}
	w.card("already running when my records begin", "gpu-1")

	w.AWS.DropEvents(1000)
	w.clock.set(5 * time.Second)
	web, db := w.instance("web-1"), w.instance("db-1")
	w.do(w.AWS.SetTag(db.ID, "Auth", "left-over"))
	w.do(w.AWS.StartInstance(web.ID))
	w.untilState("web-1", "running")
	second := w.run([]string{"sweep"})
	if code := second.end(); code != 0 {
		t.Fatalf("the sweep ended with %d: %s", code, second.said)
	}
	w.untilState("web-1", "stopped")
	w.card("Refused", "web-1", "no pass")
	w.until("db-1", "rid of its stale tag", func(i awssim.Instance) bool { return i.Tags["Auth"] == "" })
	if state := w.instance("gpu-1").State; state != "running" {
		t.Errorf("gpu-1, which ran before, is %s", state)
	}
}
