package commands_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"sekisho/auth"
	"sekisho/commands"
)

// home opens the user's Home tab, and gives what they see.
func (o *office) home(user string) string {
	o.t.Helper()
	if err := commands.Notices()[0].Run(o.t.Context(), o.Desk, commands.Request{User: user, Door: "socket"}); err != nil {
		o.t.Fatal(err)
	}
	blocks, ok := o.views.published[user]
	if !ok {
		o.t.Fatal("nothing was published")
	}
	return reads(o.t, "", blocks)
}

func TestHomeShowsWhatIsWaitingAskedAndHeld(t *testing.T) {
	o := newCheckpoint(t)
	wants(t, "an empty tab", o.home(hana), `"ask_open"`, "decision (0)", "Your requests (0)", "live passes (0)")

	gpu, _ := o.requested(hana, "gpu-1 for the nightly training")
	prod, _ := o.requested(hana, "prod-db for the migration")
	code(t, o.ask(hana, "web-1"))
	hanas := o.home(hana)
	wants(t, "the asker's", hanas, "decision (0)", "Your requests (2)", "*`gpu-1`* (p4d.24xlarge) — pending", "Waiting for <!subteam^S0LEADS>",
		"request_withdraw:0", "request_withdraw:1", "live passes (1)", "*`web-1`*", "pass_revoke:0")
	lacks(t, "the asker's", hanas, "request_approve")
	bens := o.home(ben)
	wants(t, "an approver's", bens, "decision (2)", "<@U0HANA> asks to start *`gpu-1`*", "`the nightly training`", "request_approve:0", "request_deny:1", gpu, prod)
	lacks(t, "an approver's", bens, "request_withdraw", "pass_revoke")
	wants(t, "who decides about one of them", o.home(tom), "decision (1)", prod)
	lacks(t, "who decides about one of them", o.home(tom), gpu)
	lacks(t, "nobody's", o.home(outsider), gpu, prod)

	o.click(ben, "request_approve:0", gpu)
	wants(t, "the asker's, approved", o.home(hana), "— approved", "request_show:", "Show my pass")
	wants(t, "the approver's, then", o.home(ben), "decision (1)")
	o.click(hana, "request_show", gpu)
	hanas = o.home(hana)
	wants(t, "the asker's, shown", hanas, "live passes (2)")
	lacks(t, "the asker's, shown", hanas, "request_show:")
	o.submit(ben, "deny", prod, map[string]string{"why": "not on a Friday"})
	wants(t, "the asker's, denied", o.home(hana), "— denied", "`not on a Friday`")
}

// A question to oneself that was not confirmed is nobody's request.
func TestHomeAndBreakGlass(t *testing.T) {
	o := newCheckpoint(t)
	id := buttonValue(t, o.ask(hana, "break-glass gpu-1 for the outage"), "request_break")
	for _, user := range []string{hana, ben} {
		lacks(t, user, o.home(user), "`gpu-1`")
	}
	o.click(hana, "request_break", id)
	wants(t, "hana's", o.home(hana), "Your requests (1)", "live passes (1)")
}

func TestHomeIsBounded(t *testing.T) {
	o := newCheckpoint(t)
	o.Policy.Passes.Limit.Person = 1000
	for n := range 25 {
		id := fmt.Sprintf("i-00000000000000%03d", n)
		o.ec2.change(id, func(i *auth.Instance) {
			i.State, i.Region, i.Type = auth.Stopped, "eu-central-1", "p5.48xlarge"
			i.Tags = map[string]string{"Name": fmt.Sprintf("gpu-node-%d", n), "Sekisho": "guarded", "Team": "ml"}
		})
		o.ask(hana, id)
		o.ask(ben, id)
	}
	text := o.home(hana)
	if blocks := o.views.published[hana]; len(blocks) > 60 {
		t.Errorf("%d blocks", len(blocks))
	}
	for _, action := range []string{"request_approve", "request_withdraw"} {
		if n := strings.Count(text, `"`+action+`:`); n != 10 {
			t.Errorf("%d buttons %s", n, action)
		}
	}
	wants(t, "the tab", text, "Your requests (25)")
}

func TestHomeSaysWhatIsAway(t *testing.T) {
	for name, away := range map[string]func(*office){
		"Redis": func(o *office) { o.redis.SetError(gone) },
		"EC2":   func(o *office) { o.ec2.fail["Guarded"] = errors.New("EC2 is away") },
	} {
		t.Run(name, func(t *testing.T) {
			o := newCheckpoint(t)
			away(o)
			wants(t, "the tab", o.home(hana), ":warning:", "Open this tab again")
		})
	}
	o := newCheckpoint(t)
	o.views.away = errAway
	if err := commands.Notices()[0].Run(t.Context(), o.Desk, commands.Request{User: hana}); err == nil {
		t.Error("that it could not be published is not said")
	}
}
