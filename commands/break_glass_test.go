package commands_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"sekisho/auth"
)

func TestBreakGlass(t *testing.T) {
	o := newCheckpoint(t)
	page := o.ask(hana, "break-glass gpu-1 for the outage")
	wants(t, "the question", reads(t, page.Text, page.Blocks), "*Break-glass*", "`gpu-1`", "good for 5 minutes", "`the outage`",
		"<#C0LOUD> is told at once", `"confirm"`, "Everybody in the break-glass channel is told")
	o.rush()
	if said := o.chat.all(); len(said) > 0 {
		t.Errorf("told before it is confirmed: %+v", said)
	}
	id := buttonValue(t, page, "request_break")
	if m := o.click(ben, "request_break", id); !strings.Contains(m.Text, "nobody else") {
		t.Errorf("ben is answered with %q", m.Text)
	}
	m := o.click(hana, "request_break", id)
	secret := code(t, m)
	if !m.Replace {
		t.Error("the question stays beside the pass")
	}
	o.rush()
	s := o.chat.next(t, "post")
	if s.channel != loud || s.thread != "" {
		t.Errorf("told in %s", s.channel)
	}
	wants(t, "the loud message", s.text, "<!here>", "<@U0HANA> took a pass for `gpu-1`", "without approval", "`the outage`", "`gpus`")
	lacks(t, "the loud message", s.text, secret)
	o.rush()
	for _, s := range o.chat.all() {
		if s.how == "post" || s.how == "direct" {
			t.Errorf("told again: %+v", s)
		}
	}
	e := o.wantNoted(auth.ActBreakGlass, auth.Done)
	if e.Decided != hana || e.Submitted != hana || e.Note != "the outage" || e.Rule != "gpus" || e.Instance != gpuID || e.Request != id {
		t.Errorf("the trail has %+v", e)
	}
	o.wantNoted(auth.ActBreakGlass, auth.Refused) // ben
	o.wantNoted(auth.ActShow, auth.Done)

	o.ec2.tag(gpuID, "Auth", secret)
	o.later(4 * time.Minute)
	o.ec2.start(gpuID)
	o.events(gpuID, auth.Pending)
	if o.ec2.count("Stop") > 0 {
		t.Error("it was stopped")
	}
}

func TestABreakGlassPassIsShort(t *testing.T) {
	o := newCheckpoint(t)
	m := o.click(hana, "request_break", buttonValue(t, o.ask(hana, "break-glass gpu-1 for the outage"), "request_break"))
	o.ec2.tag(gpuID, "Auth", code(t, m))
	o.later(6 * time.Minute)
	o.ec2.start(gpuID)
	o.events(gpuID, auth.Pending)
	if o.ec2.count("Stop") != 1 {
		t.Error("after 6 minutes it lets a start in")
	}
}

func TestBreakGlassIsForThoseWhomThePolicyNames(t *testing.T) {
	for name, c := range map[string]struct{ user, text, want string }{
		"somebody else":    {ben, "break-glass gpu-1 for the outage", "`gpus` does not let you go without approval"},
		"without a reason": {hana, "break-glass gpu-1", "`gpus` wants to know why"},
		"another rule's":   {hana, "break-glass prod-db for the outage", "`databases` does not let you"},
		"of nothing":       {hana, "break-glass", "It needs a reason, and everybody is told"},
		"of an unknown":    {hana, "break-glass mail-7 for the outage", "no instance named `mail-7`"},
	} {
		t.Run(name, func(t *testing.T) {
			o := newCheckpoint(t)
			if m := o.ask(c.user, c.text); !strings.Contains(m.Text, c.want) {
				t.Errorf("answered with %q", m.Text)
			}
			if all, err := o.Requests.Store.Requests(t.Context()); err != nil || len(all) > 0 {
				t.Errorf("a request was made: %+v, %v", all, err)
			}
		})
	}
}

func TestABreakGlassQuestionLapsesAndIsTakenBack(t *testing.T) {
	o := newCheckpoint(t)
	page := o.ask(hana, "break-glass gpu-1 for the outage")
	id := buttonValue(t, page, "request_break")
	if again := buttonValue(t, o.ask(hana, "break-glass gpu-1 for the outage"), "request_break"); again != id {
		t.Error("asked twice, it is two questions")
	}
	o.rush()
	o.later(11 * time.Minute)
	if m := o.click(hana, "request_break", id); !strings.Contains(m.Text, "lapsed") {
		t.Errorf("after 11 minutes: %q", m.Text)
	}
	for len(o.queue.tasks) > 0 {
		if err := o.work(attendTask); err != nil {
			t.Fatal(err)
		}
	}
	for _, s := range o.chat.all() {
		if s.how == "post" {
			t.Errorf("a question that nobody answered is told: %+v", s)
		}
		wants(t, "the asker", s.text, "`gpu-1`", "lapsed")
		lacks(t, "the asker", s.text, "tell  that", "nobody decided")
	}
	o.click(hana, "request_withdraw", buttonValue(t, o.ask(hana, "break-glass gpu-1 for the outage"), "request_withdraw"))
	o.rush()
	if said := o.chat.all(); len(said) > 0 {
		t.Errorf("one that was taken back is told: %+v", said)
	}
}

// Who waits for an approval can still go without it, and the other way round.
func TestBreakGlassWhileOthersDecide(t *testing.T) {
	o := newCheckpoint(t)
	usual, _ := o.requested(hana, "gpu-1")
	id := buttonValue(t, o.ask(hana, "break-glass gpu-1 for the outage"), "request_break")
	if id == usual {
		t.Fatal("it is the request that others decide about")
	}
	code(t, o.click(hana, "request_break", id))
	if m := o.ask(hana, "gpu-1"); buttonValue(t, m, "request_withdraw") != usual {
		t.Errorf("asked again: %q", m.Text)
	}
	o.click(ben, "request_break", usual)
	if r := o.stored(usual); r.State() != auth.RequestPending {
		t.Errorf("what others decide about is %s", r.State())
	}
}

// The pass is out and the loud channel away: it is told in the end.
func TestABrokenGlassIsToldInTheEnd(t *testing.T) {
	o := newCheckpoint(t)
	id := buttonValue(t, o.ask(hana, "break-glass gpu-1 for the outage"), "request_break")
	o.rush()
	o.chat.goAway(errors.New("Slack is away"))
	code(t, o.click(hana, "request_break", id))
	o.rush()
	o.chat.goAway(nil)
	for range o.queue.tasks {
		if err := o.work(attendTask); err != nil {
			t.Fatal(err)
		}
	}
	if s := o.chat.next(t, "post"); s.channel != loud || !strings.Contains(s.text, "<!here>") {
		t.Errorf("told %+v", s)
	}
	for _, s := range o.chat.all() {
		if s.how == "post" {
			t.Errorf("told twice: %+v", s)
		}
	}
}

// EC2 fails between the confirmation and the pass: the pass can still be had.
func TestABrokenGlassWhosePassWasNotShown(t *testing.T) {
	o := newCheckpoint(t)
	id := buttonValue(t, o.ask(hana, "break-glass gpu-1 for the outage"), "request_break")
	r := o.request(hana)
	r.Value = id
	if _, err := o.Requests.Confirm(t.Context(), id, auth.Actor{User: hana, Door: "socket", Source: r.ID}); err != nil {
		t.Fatal(err)
	}
	code(t, o.click(hana, "request_show", buttonValue(t, o.ask(hana, "break-glass gpu-1 for the outage"), "request_show")))
}
