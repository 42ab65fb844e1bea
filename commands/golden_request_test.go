package commands_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/slack-go/slack"

	"sekisho/auth"
	"sekisho/commands"
)

// asked is a request of hana's for an instance of this name, in which every
// text that somebody else wrote is that name, as long as it may be.
func asked(name string) auth.Request {
	why := name
	if len(name) >= 300 {
		why = string([]rune(name + name)[:500])
	}
	return auth.Request{
		ID: gpuID + "/golden", Asker: hana, Instance: gpuID, Name: name, Type: "p4d.24xlarge", Region: "eu-central-1", Account: "111122223333",
		Matched: []string{"Team=" + name}, Why: why, TTL: 10 * time.Minute, Rule: name, By: []string{leads, ben}, Need: 1,
		Within: 4 * time.Hour, Asked: noon, Channel: ops,
	}
}

// happened is the request after these changes, a minute apart.
func happened(r auth.Request, changes ...auth.Change) auth.Request {
	for n, c := range changes {
		c.At = noon.Add(time.Duration(n+1) * time.Minute)
		r = r.With(c)
	}
	return r
}

func requestMessages(name string, message func(file, name string, m commands.Message), add func(file, name, text string, blocks []slack.Block)) {
	r := asked(name)
	two := r
	two.Need, two.Confirm = 2, true
	bare := r
	bare.Why, bare.Matched, bare.Type = "", nil, "mac1.metal"
	many := r
	many.Matched = strings.Split(strings.Repeat("x,", 11)+"x", ",")
	for n := range many.Matched {
		many.Matched[n] = fmt.Sprint(n, "=", name)
	}
	for n := range 15 {
		many.By = append(many.By, fmt.Sprintf("U0LEAD%02d", n))
	}
	broken := r
	broken.Break, broken.By, broken.Need, broken.Within = true, nil, 0, 10*time.Minute

	approve := func(by string, settles bool) auth.Change {
		return auth.Change{Verb: auth.Approved, By: by, Settles: settles}
	}
	denied := auth.Change{Verb: auth.Denied, By: ben, Note: r.Why, Settles: true}
	lapsed := auth.Change{Verb: auth.Lapsed, Settles: true}
	unfetched := auth.Change{Verb: auth.Lapsed}
	withdrawn := auth.Change{Verb: auth.Withdraw, By: hana, Settles: true}
	shown := auth.Change{Verb: auth.Shown, By: hana}
	broke := auth.Change{Verb: auth.Broke, By: hana, Settles: true}

	for _, c := range []struct {
		name string
		r    auth.Request
	}{
		{"pending", r}, {"pending, without a reason", bare}, {"pending, with many of all", many},
		{"pending, 0 of 2", two}, {"pending, 1 of 2", happened(two, approve(ben, false))},
		{"approved", happened(r, approve(ben, true))}, {"approved by 2", happened(two, approve(ben, false), approve(mai, true))},
		{"denied", happened(r, denied)}, {"denied after 1 of 2", happened(two, approve(ben, false), denied)},
		{"lapsed", happened(r, lapsed)}, {"withdrawn", happened(r, withdrawn)},
		{"fetched", happened(r, approve(ben, true), shown)}, {"not fetched", happened(r, approve(ben, true), unfetched)},
	} {
		text, blocks := commands.RequestCard(c.r)
		add("request_card", c.name, text, blocks)
		if _, settled := c.r.Settled(); settled {
			message("request", "the asker: "+c.name, commands.OutcomePage(c.r, noon.Add(time.Hour)))
		}
	}
	message("request", "the asker: asked", commands.AskedPage(r, "Asked"))
	message("request", "the asker: asked, with many of all", commands.AskedPage(many, "Asked"))
	message("request", "the asker: asked 2", commands.AskedPage(two, "You have asked for this already"))
	message("request", "too late: it waits still", commands.OutcomePage(r, noon.Add(time.Hour)))
	message("request", "too late: nobody decided", commands.OutcomePage(r, noon.Add(5*time.Hour)))
	message("request", "too late: its time was up a moment ago", commands.OutcomePage(happened(r, approve(ben, true)), noon.Add(5*time.Hour)))

	p := testPolicy()
	p.Channels.BreakGlass = loud
	message("break_glass", "the question", commands.BreakPage(p, broken))
	message("break_glass", "not confirmed", commands.OutcomePage(happened(broken, lapsed), noon.Add(time.Hour)))
	message("break_glass", "confirmed", commands.OutcomePage(happened(broken, broke, shown), noon.Add(time.Hour)))
	text := commands.BrokenGlass(happened(broken, broke))
	add("break_glass", "the loud message", text, []slack.Block{commands.Section(text)})
}

func callers(name string, add func(file, name, text string, blocks []slack.Block)) {
	p := testPolicy()
	p.People.Principals = map[string][]auth.Principal{hana: {"session/hana@example.test"}}
	s := auth.Start{Instance: webID, Launch: noon, Admitted: true, User: hana}
	n := auth.Named{Instance: webID, At: noon, Action: "StartInstances", Caller: auth.Caller{Type: "AssumedRole", ARN: hanasARN}}
	line := func(label string, n auth.Named, s auth.Start, fit auth.Fit) {
		text := commands.CallerText(p, s, n, fit)
		add("caller", label, text, []slack.Block{commands.Section(text)})
	}
	line("the owner", n, s, auth.FitSame)
	line("unknown", n, s, auth.FitUnknown)
	n.Caller.ARN = "arn:aws:sts::111122223333:assumed-role/Ops/" + name
	line("somebody else", n, s, auth.FitOther)
	n.Caller = auth.Caller{}
	line("nobody", n, s, auth.FitUnknown)
	s.Asked = "now:trigger.1"
	n.Caller = auth.Caller{Type: "AssumedRole", ARN: "arn:aws:sts::111122223333:assumed-role/sekisho/worker"}
	line("the bot", n, s, auth.FitUnknown)
}

// homes are Home tabs: an empty one, one of each kind, and a full one.
func homes(name string, add func(file, name string, blocks []slack.Block)) {
	r := asked(name)
	r.Confirm = true
	approved := happened(r, auth.Change{Verb: auth.Approved, By: ben, Settles: true})
	mine := []auth.Request{
		r, approved, happened(r, auth.Change{Verb: auth.Denied, By: ben, Note: r.Why, Settles: true}),
		happened(r, auth.Change{Verb: auth.Lapsed, Settles: true}),
	}
	pass := auth.PassRecord{Instance: webID, User: hana, State: auth.PassLive, Issued: noon, Deadline: noon.Add(10 * time.Minute)}
	names := map[string]string{webID: name}
	add("home", "empty", commands.HomePage(nil, nil, nil, nil))
	add("home", "one of each kind", commands.HomePage([]auth.Request{r}, mine, []auth.PassRecord{pass}, names))
	full := func(r auth.Request, n int) (all []auth.Request) {
		for range n {
			all = append(all, r)
		}
		return all
	}
	var passes []auth.PassRecord
	for range 30 {
		passes = append(passes, pass)
	}
	add(limits, "a full Home tab", commands.HomePage(full(r, 10), full(mine[2], 30), passes, names))
}

// forms are the modals, those too that show an answer.
func forms(name string, add func(file, name string, v slack.ModalViewRequest)) {
	p := testPolicy()
	p.Rules[0].TTL = 8 * time.Hour
	var many []auth.Instance
	for n := range 101 {
		i := web(name)
		i.ID = fmt.Sprintf("i-0000000000000%04d", n)
		many = append(many, i)
	}
	add("form", "ask", commands.AskModal(p, many[:2], ops))
	add("form", "ask, nothing guarded", commands.AskModal(p, nil, ops))
	add("form", "ask, too many for a menu", commands.AskModal(p, many, ops))
	add(limits, "ask, as many as a menu takes", commands.AskModal(p, many[:100], ops))
	add("form", "deny", commands.DenyModal(asked(name)))
	add("form", "an answer with buttons", commands.AskedPage(asked(name), "Asked").Modal())
}

// A message's buttons and blocks must be told apart.
func TestNoTwoIDsInOneMessage(t *testing.T) {
	for _, m := range everyMessage(t, "web-1") {
		seen := make(map[string]bool)
		walk(m.blocks, func(v map[string]any) {
			for _, key := range []string{"action_id", "block_id"} {
				if id, ok := v[key].(string); ok && id != "" {
					if seen[key+id] {
						t.Errorf("%s, %s: two of %s %s", m.file, m.name, key, id)
					}
					seen[key+id] = true
				}
			}
		})
	}
}

func TestHourly(t *testing.T) {
	for kind, want := range map[string]string{
		"t3.nano": "below $0.10", "t3.small": "below $0.10", "m6i.large": "below $0.10", "m6i.xlarge": "$0.10 to $1", "m6i.4xlarge": "$0.10 to $1",
		"r6i.12xlarge": "$1 to $10", "g5.xlarge": "$1 to $10", "p4d.24xlarge": "above $10", "p5.48xlarge": "above $10", "trn1.32xlarge": "above $10",
		"mac1.metal": "", "u-6tb1.metal": "", "": "", "m6i": "", ".large": "", "m6i.0xlarge": "", "m6i.-2xlarge": "",
	} {
		if got := commands.Hourly(kind); got != want && (want == "" || !strings.Contains(got, want)) {
			t.Errorf("%q costs %q, not %q", kind, got, want)
		}
	}
}
