package main

import (
	"context"
	"slices"
	"time"

	"sekisho/auth"
	"sekisho/infra/local/awssim"
	"sekisho/infra/local/slacksim"
)

// letIn says whether the instance runs with its tag gone and its card complete.
func (r *run) letIn() bool {
	i := r.instance(r.name)
	return i.State == "running" && i.Tags["Auth"] == "" &&
		len(r.cards(alerts, "<@U0HANA> was let in", "the tag removed")) > 0 && len(r.below(alerts, "CloudTrail")) > 0
}

func (r *run) holdsLetIn() {
	r.t.Helper()
	if !r.letIn() {
		r.t.Errorf("it is %+v", r.instance(r.name))
	}
	said := r.unnoted()
	r.once("cards", len(r.cards(alerts)), said)
	r.once("lines of the caller", len(r.below(alerts, "CloudTrail")), said)
	if n := r.livePasses(); n != 0 {
		r.t.Errorf("%d passes are left", n)
	}
}

var passSpent = flow{
	name:   "a pass is asked for and spent",
	shards: 1,
	act: func(r *run) {
		r.machine(nil)
		code := r.code(r.ask(r.name, "One-time pass for", r.id))
		r.do(r.AWS.SetTag(r.id, "Auth", code))
		r.do(r.AWS.StartInstanceAs(r.id, "hana"))
		r.reach("being let in", r.letIn)
	},
	holds: (*run).holdsLetIn,
	first: auth.ActStart,
	trail: map[auth.Act]int{auth.ActStart: 1, auth.ActStartCaller: 1},
}

var startRefused = flow{
	name:   "a first launch without a pass",
	shards: 4,
	act: func(r *run) {
		r.AWS.HoldBoots(true)
		defer r.AWS.HoldBoots(false)
		i, err := r.AWS.Launch(awssim.Instance{Name: r.name, Tags: map[string]string{"Sekisho": "guarded"}})
		r.do(err)
		r.id = i.ID
		r.reach("EC2's refusal at pending", func() bool {
			refused := slices.ContainsFunc(r.AWS.Calls(), func(c awssim.Call) bool {
				return c.ErrorCode == "IncorrectInstanceState" && slices.Contains(c.IDs, r.id)
			})
			return refused && (r.victim() != nil || len(r.cards(alerts, "will be stopped as soon as EC2 allows")) > 0)
		})
		r.AWS.HoldBoots(false)
		r.reach("being stopped", func() bool {
			return r.instance(r.name).State == "stopped" && len(r.cards(alerts, "is stopped")) > 0 && len(r.below(alerts, "CloudTrail")) > 0
		})
	},
	holds: func(r *run) {
		if state := r.instance(r.name).State; state != "stopped" {
			r.t.Errorf("it is %s", state)
		}
		said := r.unnoted()
		r.once("cards", len(r.cards(alerts)), said)
		for _, line := range []string{"seen stopped", "CloudTrail"} {
			r.once(line, len(r.below(alerts, line)), said)
		}
		for _, line := range []string{"EC2 refused the stop", "EC2 accepted the stop"} { // left out where there is news already
			if n := len(r.below(alerts, line)); n > 0 {
				r.once(line, n, said)
			}
		}
	},
	first: auth.ActStart,
	trail: map[auth.Act]int{auth.ActStart: 1, auth.ActStartCaller: 1}, // start.stop depends on where it was when it was told
}

var approved = flow{
	name:   "a request is approved",
	shards: 1,
	act: func(r *run) {
		r.machine(map[string]string{"Team": "ml"})
		r.ask(r.name+" for the nightly training", r.name, "sked")
		r.reach("a card", func() bool { return len(r.cards(approvals, "asks to start")) > 0 })
		r.click(ben, r.cards(approvals)[0], "request_approve", "You approved", "came too late")
		var dm []slacksim.Message
		r.reach("a direct message", func() bool {
			dm = r.cards("D0HANA", "<@U0BEN> approved", "Show my pass")
			return len(dm) > 0
		})
		r.code(r.click(hana, dm[0], "request_show", "One-time pass for"))
		r.reach("a card that says so", func() bool { return len(r.cards(approvals, "the pass was fetched")) > 0 })
	},
	holds: func(r *run) {
		said := r.unnoted()
		r.once("cards", len(r.cards(approvals)), said)
		r.once("direct messages", len(r.cards("D0HANA")), said)
		if n := r.livePasses(); n != 1 {
			r.t.Errorf("%d passes are good", n)
		}
	},
	first: auth.ActRequest,
	trail: map[auth.Act]int{auth.ActRequest: 1, auth.ActApprove: 1},
}

var startedNow = flow{
	name:   "started now for the owner",
	shards: 1,
	act: func(r *run) {
		r.machine(nil)
		for range 3 {
			page := r.ask(r.name, "One-time pass for", r.id, "Start it now")
			r.insist("Start it now",
				func(ctx context.Context) error {
					w := *r.world
					w.ctx = ctx
					return w.tryPress(hana, page, actionStartNow)
				},
				func() bool { return len(r.in(ops, "Starting `"+r.id+"` for you")) > 0 || r.answeredStart() != "" })
			r.reach("an answer", func() bool { return r.answeredStart() != "" })
			if r.answeredStart() == "good" {
				break
			}
		}
		r.reach("being let in", r.letIn)
	},
	holds: (*run).holdsLetIn,
	first: auth.ActStart,
	trail: map[auth.Act]int{auth.ActStart: 1, auth.ActStartCaller: 1},
}

const actionStartNow = "pass_start"

// answeredStart says how "Start it now" came out at last.
func (r *run) answeredStart() string {
	var m slacksim.Message
	if !last(r.in(ops, r.id), &m) {
		return ""
	}
	switch {
	case holds(m, []string{"EC2 is starting"}), holds(m, []string{"is running"}), holds(m, []string{"is pending"}):
		return "good"
	case holds(m, []string{":warning:"}):
		return "again"
	}
	return ""
}

// aged adds a user with an access key that is too old.
func (r *run) aged() {
	u, err := r.AWS.AddUser(awssim.User{Name: r.name, Keys: []awssim.AccessKey{{Active: true}}})
	r.do(err)
	r.id = u.Keys[0].ID
	r.do(r.AWS.AgeKey(r.id, 100*day))
}

func (r *run) isOff() bool {
	return inactive(r.key(r.name, r.id)) && len(r.cards(keysRoom, "is deactivated")) > 0
}

func (r *run) holdsOff() {
	if !r.isOff() {
		r.t.Error("the key is active, or its card does not say")
	}
	r.once("cards", len(r.cards(keysRoom)), r.unnoted())
	n := 0
	for _, c := range r.AWS.Calls() {
		if c.Action == "UpdateAccessKey" && slices.Contains(c.IDs, r.id) {
			n++
		}
	}
	r.once("deactivations", n, r.fell != nil && r.aim.operation == "UpdateAccessKey")
}

var keyByButton = flow{
	name:   "an access key is deactivated by the button",
	shards: 2,
	policy: "keys: {mode: enforce, grace: 14d, decide: [S0SECURITY], cap: {keys: 1000, share: 100%}}\n",
	act: func(r *run) {
		r.aged()
		r.do(r.AWS.CheckCompliance(r.name))
		r.reach("a card", func() bool { return len(r.cards(keysRoom, "will be deactivated")) > 0 })
		r.click(ben, r.cards(keysRoom)[0], "key_off", "I am deactivating it", "came too late")
		r.reach("its end", r.isOff)
	},
	holds: (*run).holdsOff,
	first: auth.ActKeyWarn,
	trail: map[auth.Act]int{auth.ActKeyWarn: 1, auth.ActKeyOrder: 1, auth.ActKeyOff: 1},
}

var keyBySweep = flow{
	name:   "an access key is deactivated by the sweep",
	shards: 1,
	policy: "keys: {mode: enforce, grace: 14d, first_run: at_once, decide: [S0SECURITY], cap: {keys: 1000, share: 100%}}\n",
	act: func(r *run) {
		r.aged()
		r.schedule("Keys", nil)
		r.reach("its end", r.isOff)
	},
	holds: (*run).holdsOff,
	first: auth.ActKeyOff,
	trail: map[auth.Act]int{auth.ActKeyOff: 1},
}

var reported = flow{
	name:   "a report",
	shards: 3,
	policy: "reports:\n  - {name: weekly, every: 7d, slack: true, mail: {from: bot@example.com, to: [security@example.com]}}\n",
	act: func(r *run) {
		r.do(r.time.forward(7 * day))
		r.mailed = len(r.AWS.Mails())
		r.id = r.schedule("Report", map[string]string{"name": "weekly"}).Format(time.RFC3339)
		r.settle()
	},
	holds: func(r *run) {
		all := r.in(reportsRoom)
		message := slices.DeleteFunc(slices.Clone(all), func(m slacksim.Message) bool { return m.ThreadTS != "" || !holds(m, []string{"Sekisho report"}) })
		files := slices.DeleteFunc(slices.Clone(all), func(m slacksim.Message) bool { return len(m.Files) == 0 })
		for what, n := range map[string]int{
			"its message in Slack": len(message), "its files in Slack": len(files), "its mail": len(r.AWS.Mails()) - r.mailed,
		} {
			doubts := len(r.in(alerts, what+" may not have arrived"))
			if n > 1 || n == 0 && doubts == 0 {
				r.t.Errorf("%s: %d, and %d doubts", what, n, doubts)
			}
			if r.fell == nil && doubts > 0 {
				r.t.Errorf("%s: a doubt although nobody was killed", what)
			}
		}
	},
	trail: map[auth.Act]int{auth.ActReport: 1},
}
