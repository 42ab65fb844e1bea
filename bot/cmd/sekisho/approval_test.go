package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"sekisho/infra/local/awssim"
	"sekisho/infra/local/slacksim"
)

const (
	approvals = "C0APPROVE"
	rosa      = "U0ROSA"
)

// approvalRules ask Ben or Rosa about what belongs to the ML team.
const approvalRules = `
  - name: gpu
    match: {tags: {Team: ml}}
    ask: [everyone]
    approve: {by: [S0LEADS], count: %d, within: 1h, reason: required}
    break_glass: {by: [U0HANA]}
  - name: everyone else
    ask: [everyone]`

// press clicks the message's button with this action.
func (w *world) press(user string, m slacksim.Message, action string) {
	w.t.Helper()
	w.do(w.tryPress(user, m, action))
}

func (w *world) tryPress(user string, m slacksim.Message, action string) error {
	var blocks []struct {
		ID       string `json:"block_id"`
		Elements []struct {
			Action string `json:"action_id"`
		} `json:"elements"`
		Accessory struct {
			Action string `json:"action_id"`
		} `json:"accessory"`
	}
	if err := json.Unmarshal(m.Blocks, &blocks); err != nil {
		return err
	}
	for _, b := range blocks {
		for _, e := range append(b.Elements, b.Accessory) {
			if e.Action == action {
				return w.Slack.ClickSeen(w.ctx, user, m, b.ID, action)
			}
		}
	}
	return fmt.Errorf("there is no button %q in %s", action, readable(m))
}

// answer waits for a private message to the user in the channel.
func (w *world) answer(user, channel string, texts ...string) slacksim.Message {
	w.t.Helper()
	return w.seen(func(m slacksim.Message) bool {
		return m.Channel == channel && m.Ephemeral && m.To == user && holds(m, texts)
	}, texts)
}

// direct waits for a direct message to the user.
func (w *world) direct(user string, texts ...string) slacksim.Message {
	w.t.Helper()
	return w.seen(func(m slacksim.Message) bool {
		return strings.HasPrefix(m.Channel, "D") && m.Channel == "D"+strings.TrimPrefix(user, "U") && !m.Ephemeral && holds(m, texts)
	}, texts)
}

// modal waits for a modal of the user's.
func (w *world) modal(user, title string) slacksim.View {
	w.t.Helper()
	changes := w.Slack.Changes(w.ctx)
	over := time.After(patience)
	for {
		for _, v := range w.Slack.Views(user) {
			if v.Title == title {
				return v
			}
		}
		select {
		case <-changes:
		case <-over:
			w.t.Fatalf("%s never saw the modal %q; open are %+v", user, title, w.Slack.Views(user))
		}
	}
}

func (w *world) submit(user string, v slacksim.View, fields map[string]slacksim.Input) {
	w.t.Helper()
	values := make(map[string]map[string]slacksim.Input)
	for name, in := range fields {
		values[name] = map[string]slacksim.Input{name: in}
	}
	w.do(w.Slack.Submit(w.ctx, user, v.ID, values))
}

func (w *world) holdsAll(m slacksim.Message, texts ...string) {
	w.t.Helper()
	if !holds(m, texts) {
		w.t.Errorf("not all of %q is in: %s", texts, readable(m))
	}
}

// home waits for a person's Home tab to hold the texts.
func (w *world) home(user string, texts ...string) {
	w.t.Helper()
	changes := w.Slack.Changes(w.ctx)
	over := time.After(patience)
	for {
		v, _ := w.Slack.Home(user)
		if holds(slacksim.Message{Blocks: v.Blocks}, texts) {
			return
		}
		select {
		case <-changes:
		case <-over:
			w.t.Fatalf("%s's Home tab never held %q; it is %s", user, texts, v.Blocks)
		}
	}
}

// pressView clicks a button of a view.
func (w *world) pressView(user string, v slacksim.View, action string) {
	w.t.Helper()
	var blocks []struct {
		ID       string `json:"block_id"`
		Elements []struct {
			Action string `json:"action_id"`
		} `json:"elements"`
	}
	w.do(json.Unmarshal(v.Blocks, &blocks))
	for _, b := range blocks {
		for _, e := range b.Elements {
			if e.Action == action {
				w.do(w.Slack.ClickView(w.ctx, user, v.ID, b.ID, action))
				return
			}
		}
	}
	w.t.Fatalf("there is no button %q in %s", action, v.Blocks)
}

// waitAnswers waits until so many private messages were seen in the channel.
func (w *world) waitAnswers(channel string, n int) {
	w.t.Helper()
	_, err := w.Slack.Wait(w.ctx, func(all []slacksim.Message) bool {
		count := 0
		for _, m := range all {
			if m.Channel == channel && m.Ephemeral {
				count++
			}
		}
		return count >= n
	})
	w.do(err)
}

// audited is what `sekisho audit …` prints.
func (w *world) audited(args ...string) string {
	w.t.Helper()
	p := w.run(append([]string{"audit"}, args...))
	if code := p.end(); code != 0 {
		w.t.Errorf("audit %v ended with %d", args, code)
	}
	return p.said.String()
}

// audit verifies the trail.
func (w *world) audit(says string) {
	w.t.Helper()
	if text := w.audited("verify"); !strings.Contains(text, says) {
		w.t.Errorf("audit verify says %q", text)
	}
}

func TestASecondPersonApproves(t *testing.T) {
	w := open(t, "enforce", "stop", fmt.Sprintf(approvalRules, 1))
	bot := w.serve()
	gpu := w.instance("gpu-1")

	if m := w.command(hana, "gpu-1"); !holds(m, []string{"wants to know why"}) {
		t.Errorf("without a reason: %s", readable(m))
	}
	w.holdsAll(w.command(hana, "gpu-1 for the nightly training"), "Asked", "<!subteam^S0LEADS>")
	card := w.message(approvals, "<@U0HANA> asks to start", "gpu-1", "p5.48xlarge", "nightly training", "Team=ml", "You can decide", "lapses")

	w.press(hana, card, "request_approve")
	w.answer(hana, approvals, "somebody else must decide")
	w.press(ben, card, "request_approve")
	w.answer(ben, approvals, "You approved")
	w.message(approvals, "approved by <@U0BEN>")
	dm := w.direct(hana, "<@U0BEN> approved", "Show my pass")
	w.answer(hana, ops, "<@U0BEN> approved", "Show my pass")
	w.press(rosa, card, "request_deny") // an old card, still on her screen
	w.answer(rosa, approvals, "came too late", "<@U0BEN> approved")

	w.press(hana, dm, "request_show")
	shown := w.answer(hana, dm.Channel, "One-time pass for")
	code := codeIn.FindStringSubmatch(string(shown.Blocks))
	if code == nil {
		t.Fatalf("no code in %s", readable(shown))
	}
	w.message(approvals, "the pass was fetched")
	w.do(w.AWS.SetTag(gpu.ID, "Auth", code[1]))
	w.do(w.AWS.StartInstanceAs(gpu.ID, "hana"))
	w.card("<@U0HANA> was let in", "gpu-1")
	w.until("gpu-1", "running without its tag", func(i awssim.Instance) bool {
		_, tagged := i.Tags["Auth"]
		return i.State == "running" && !tagged
	})
	w.card("CloudTrail", "<@U0HANA>", "user/hana", "That is the pass's owner")

	for _, m := range w.Slack.Messages(approvals, ben) {
		if strings.Contains(readable(m), code[1]) {
			t.Errorf("the code stands in the approvals channel: %s", readable(m))
		}
	}
	if strings.Contains(bot.said.String(), code[1]) {
		t.Error("the code stands in the log or the trail")
	}
	w.audit("is whole")
	found := w.audited("find", "--user", hana)
	for _, want := range []string{"request.ask", "request.approve", "own_request", "request.show", "start.judge", "start.caller", "too_late", "needs_reason"} {
		if !strings.Contains(found, want) {
			t.Errorf("the trail does not say %q:\n%s", want, found)
		}
	}
}

func TestDenyingNeedsAReason(t *testing.T) {
	w := open(t, "enforce", "stop", fmt.Sprintf(approvalRules, 1))
	w.serve()
	w.command(hana, "gpu-1 for the nightly training")
	card := w.message(approvals, "<@U0HANA> asks to start")
	w.press(ben, card, "request_deny")
	form := w.modal(ben, "Deny a request")
	w.submit(ben, form, map[string]slacksim.Input{"why": {Value: "The budget is used up <!channel>"}})
	w.message(approvals, "Denied by <@U0BEN>", "The budget is used up")
	w.direct(hana, "<@U0BEN> denied", "The budget is used up")
	w.press(rosa, card, "request_approve")
	w.answer(rosa, approvals, "came too late", "<@U0BEN> denied")
}

func TestTheGlassIsBrokenLoudly(t *testing.T) {
	w := open(t, "enforce", "stop", fmt.Sprintf(approvalRules, 1))
	w.serve()
	if m := w.command(ben, "break-glass gpu-1 for fun"); !holds(m, []string{"does not let you go without approval"}) {
		t.Errorf("somebody whom the policy does not name: %s", readable(m))
	}
	page := w.command(hana, "break-glass gpu-1 for the outage")
	w.press(hana, page, "request_break")
	w.answer(hana, ops, "One-time pass for")
	w.card("Break-glass", "<@U0HANA> took a pass", "the outage")
}

func TestAFormAsks(t *testing.T) {
	w := open(t, "enforce", "stop", fmt.Sprintf(approvalRules, 1))
	w.serve()
	w.do(w.Slack.Command(w.ctx, hana, ops, "/ec2-pass", ""))
	form := w.modal(hana, "Ask for a pass")
	w.submit(hana, form, map[string]slacksim.Input{
		"instance": {Selected: w.instance("web-1").ID}, "why": {Value: "to look"}, "long": {Selected: "5m0s"},
	})
	if m := w.modal(hana, "Sekisho"); codeIn.FindStringSubmatch(string(m.Blocks)) == nil {
		t.Errorf("no pass in the modal: %s", m.Blocks)
	}
	w.do(w.Slack.Shortcut(w.ctx, ben, "ec2_pass"))
	w.modal(ben, "Ask for a pass")
}

func TestTheHomeTab(t *testing.T) {
	w := open(t, "enforce", "stop", fmt.Sprintf(approvalRules, 1))
	w.serve()
	w.command(hana, "gpu-1 for the nightly training")
	w.message(approvals, "<@U0HANA> asks to start")
	w.do(w.Slack.OpenHome(w.ctx, ben))
	w.home(ben, "Waiting for your decision (1)", "nightly training")
	w.do(w.Slack.OpenHome(w.ctx, hana))
	w.home(hana, "Waiting for your decision (0)", "Your requests (1)")
	v, _ := w.Slack.Home(ben)
	w.pressView(ben, v, "request_approve:0")
	w.home(ben, "Waiting for your decision (0)")
	w.direct(hana, "<@U0BEN> approved")
}

// A thousand decisions on one request, by two people through two processes:
// one wins, the trail knows of every other, and everybody reads the same.
func TestOneOfAThousandDecisionsWins(t *testing.T) {
	w := open(t, "enforce", "stop", fmt.Sprintf(approvalRules, 1))
	w.serve()
	w.serve()
	w.command(hana, "gpu-1 for the nightly training")
	card := w.message(approvals, "<@U0HANA> asks to start")
	const decisions, atOnce = 1000, 50
	var all sync.WaitGroup
	slots := make(chan struct{}, atOnce)
	for n := range decisions {
		slots <- struct{}{}
		all.Go(func() {
			defer func() { <-slots }()
			user := []string{ben, rosa}[n%2]
			if err := w.tryPress(user, card, "request_approve"); err != nil {
				t.Errorf("click %d: %v", n, err)
			}
		})
	}
	all.Wait()
	w.message(approvals, "may start")
	w.waitAnswers(approvals, decisions)
	won := 0
	for _, user := range []string{ben, rosa} {
		for _, m := range w.Slack.Messages(approvals, user) {
			if m.Ephemeral && m.To == user && holds(m, []string{"You approved"}) {
				won++
			}
		}
	}
	if won != 1 {
		t.Errorf("%d people were told that they approved", won)
	}
	done, refused := 0, 0
	for line := range strings.Lines(w.audited("export", "--since", "1d")) {
		if strings.Contains(line, `"act":"request.approve"`) {
			if strings.Contains(line, `"outcome":"done"`) {
				done++
			} else {
				refused++
			}
		}
	}
	if done != 1 || refused != decisions-1 {
		t.Errorf("the trail has %d approvals and %d refused ones, of %d", done, refused, decisions)
	}
	w.audit("is whole")
}

func TestARequestLapsesByItself(t *testing.T) {
	rules := strings.Replace(fmt.Sprintf(approvalRules, 1), "within: 1h", "within: 5s", 1)
	w := open(t, "enforce", "stop", rules)
	w.serve()
	w.command(hana, "gpu-1 for the nightly training")
	card := w.message(approvals, "<@U0HANA> asks to start")
	w.message(approvals, "<!subteam^S0LEADS>: still waiting")
	w.direct(hana, "lapsed", "nobody decided")
	w.message(approvals, "Lapsed, nobody decided")
	w.press(ben, card, "request_approve")
	w.answer(ben, approvals, "came too late", "lapsed")
}
