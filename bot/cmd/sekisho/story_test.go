package main

import (
	"encoding/json"
	"strings"
	"testing"

	"sekisho/infra/local/awssim"
)

func TestAPassOpensTheGateOnce(t *testing.T) {
	w := open(t, "enforce", "stop")
	bot := w.serve()
	web := w.instance("web-1")

	code := w.pass(hana, "web-1")
	w.do(w.AWS.SetTag(web.ID, "Auth", code))
	w.do(w.AWS.StartInstance(web.ID))
	w.card("<@U0HANA> was let in", "web-1", "the pass is spent and the tag removed")
	w.until("web-1", "running without its tag", func(i awssim.Instance) bool {
		_, tagged := i.Tags["Auth"]
		return i.State == "running" && !tagged
	})

	w.do(w.AWS.StopInstance(web.ID))
	w.untilState("web-1", "stopped")
	w.do(w.AWS.SetTag(web.ID, "Auth", code))
	w.do(w.AWS.StartInstance(web.ID))
	w.card("Refused", "is stopped", "already used", "<@U0HANA>", "*Next:*")
	w.untilState("web-1", "stopped")

	for _, m := range w.Slack.Messages(alerts, hana) {
		if strings.Contains(readable(m), code) {
			t.Errorf("the code stands in the alerts channel: %s", readable(m))
		}
	}
	if strings.Contains(bot.said.String(), code) {
		t.Error("the code stands in the log")
	}
}

func TestEveryRefusalSaysWhich(t *testing.T) {
	w := open(t, "enforce", "stop")
	w.serve()
	web, gpu := w.instance("web-1"), w.instance("gpu-1")
	voided := w.pass(hana, "web-1")
	w.pass(hana, "web-1")
	for _, c := range []struct{ name, tag, says string }{
		{"no tag", "", "no pass"},
		{"a wrong code", "hunter2", "wrong code"},
		{"another instance's", w.pass(hana, "gpu-1"), "another instance's pass"},
		{"a voided one", voided, "void"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.tag != "" {
				w.do(w.AWS.SetTag(web.ID, "Auth", c.tag))
			}
			w.do(w.AWS.StartInstance(web.ID))
			w.card("Refused", "web-1", "is stopped", c.says)
			w.untilState("web-1", "stopped")
		})
	}
	if w.cards() != 4 {
		t.Errorf("%d cards for 4 starts", w.cards())
	}
	if gpu = w.instance("gpu-1"); gpu.State != "stopped" {
		t.Errorf("gpu-1, which nobody started, is %s", gpu.State)
	}
}

func TestAFirstLaunchIsStoppedWhenItRuns(t *testing.T) {
	w := open(t, "enforce", "stop")
	w.serve()
	_, err := w.AWS.Launch(awssim.Instance{Name: "fresh-1", Tags: map[string]string{"Name": "fresh-1", "Sekisho": "guarded"}})
	w.do(err)
	w.card("Refused", "fresh-1", "is stopped")
	w.untilState("fresh-1", "stopped")
}

func TestWhatCannotBeStoppedIsLeftLoudly(t *testing.T) {
	w := open(t, "enforce", "stop")
	w.serve()
	for name, why := range map[string]string{
		"batch-asg-1": "Auto Scaling group", "db-1": "protected against stopping",
	} {
		w.do(w.AWS.StartInstance(w.instance(name).ID))
		w.card("left running", name, why, "somebody must look *now*")
		w.untilState(name, "running")
	}
}

func TestStartItNow(t *testing.T) {
	w := open(t, "enforce", "stop")
	w.serve()
	m := w.command(hana, "web-1")
	var blocks []struct {
		ID       string `json:"block_id"`
		Elements []struct {
			Action string `json:"action_id"`
		} `json:"elements"`
	}
	w.do(json.Unmarshal(m.Blocks, &blocks))
	clicked := false
	for _, b := range blocks {
		if len(b.Elements) > 0 && b.Elements[0].Action == "pass_start" {
			w.do(w.Slack.Click(w.ctx, hana, ops, m.ID, b.ID, "pass_start"))
			clicked = true
		}
	}
	if !clicked {
		t.Fatalf("no “Start it now” in %s", readable(m))
	}
	w.card("<@U0HANA> was let in", "web-1")
	w.until("web-1", "running without its tag", func(i awssim.Instance) bool {
		_, tagged := i.Tags["Auth"]
		return i.State == "running" && !tagged
	})
	w.message(ops, "EC2 is starting")
}

func TestObserveChangesNothing(t *testing.T) {
	w := open(t, "observe", "stop")
	w.serve()
	web := w.instance("web-1")
	w.do(w.AWS.StartInstance(web.ID))
	w.card("Would have refused", "web-1", "no pass")
	code := w.pass(hana, "gpu-1")
	gpu := w.instance("gpu-1")
	w.do(w.AWS.SetTag(gpu.ID, "Auth", code))
	w.do(w.AWS.StartInstance(gpu.ID))
	w.card("<@U0HANA> was let in", "gpu-1", "Observe mode")
	w.do(w.AWS.StopInstance(web.ID)) // its owner stops it, later
	w.untilState("web-1", "stopped")
	w.do(w.AWS.StartInstance(w.instance("db-1").ID))
	w.card("Would have refused", "db-1") // what came before it was handled
	w.card("Would have refused", "web-1")
	for _, action := range []string{"StopInstances", "TerminateInstances", "DeleteTags", "CreateTags", "StartInstances", "ModifyInstanceAttribute"} {
		if n := w.called(action); n != 0 {
			t.Errorf("observe mode called %s %d times", action, n)
		}
	}
}
