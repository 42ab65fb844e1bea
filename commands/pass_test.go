package commands_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"sekisho/auth"
	"sekisho/commands"
)

func TestAPassLetsOneStartIn(t *testing.T) {
	o := newOffice(t)
	secret := code(t, o.ask(hana, "web-1"))
	o.ec2.tag(webID, "Auth", secret)
	o.ec2.start(webID)
	o.events(webID, auth.Pending, auth.Running)
	if n := o.ec2.count("Stop"); n > 0 {
		t.Errorf("it was stopped %d times", n)
	}
	if _, left := o.ec2.get(webID).Tags["Auth"]; left {
		t.Error("the spent code is left in the tag")
	}
	if s := o.chat.next(t, "post"); !strings.Contains(s.text, "<@U0HANA> was let in") {
		t.Errorf("the channel is told %q", s.text)
	}
}

// The code is for its owner's eyes only.
func TestTheCodeStandsInTheAnswerAlone(t *testing.T) {
	o := newOffice(t)
	secret := code(t, o.ask(hana, "web-1"))
	o.ec2.tag(webID, "Auth", secret)
	o.ec2.start(webID)
	o.events(webID, auth.Pending)
	o.later(time.Minute)
	o.ec2.change(webID, func(i *auth.Instance) { i.State = auth.Stopped })
	o.events(webID, auth.Stopped)
	o.later(time.Minute)
	o.ec2.tag(webID, "Auth", secret) // once more, which is refused
	o.ec2.start(webID)
	o.events(webID, auth.Pending)

	places := map[string]string{"the log": o.log.String(), "Redis": o.redis.Dump()}
	for n, s := range o.chat.all() {
		places[fmt.Sprintf("message %d", n)] = s.text + strings.Join(texts(s.blocks), "\n")
	}
	for n, task := range o.queue.tasks {
		places[fmt.Sprintf("task %d", n)] = task.text
	}
	for _, text := range []string{"mine", "list", "help", "revoke web-1"} {
		m := o.ask(hana, text)
		places["/ec2-pass "+text] = m.Text + strings.Join(texts(m.Blocks), "\n")
	}
	for place, text := range places {
		if strings.Contains(strings.ToUpper(text), secret) {
			t.Errorf("%s holds the code: %s", place, text)
		}
	}
	if len(places) < 8 {
		t.Errorf("only %d places were looked at", len(places))
	}
}

func TestWhoMayNotAskIsToldSo(t *testing.T) {
	o := newOffice(t)
	for _, m := range []commands.Message{o.ask(outsider, "web-1"), o.click(outsider, "pass_get", webID)} {
		if !strings.Contains(m.Text, "rule `operators` does not let you ask") {
			t.Errorf("answered with %q", m.Text)
		}
	}
	if live, err := o.Passes.Live(t.Context(), outsider, []string{webID}); err != nil || len(live) > 0 {
		t.Errorf("a pass was issued all the same: %v, %v", live, err)
	}
}

func TestAPersonsLimit(t *testing.T) {
	o := newOffice(t)
	o.Policy.Passes.Limit = auth.Limit{Person: 3, Instance: 100, Per: 10 * time.Minute}
	for range 3 {
		code(t, o.ask(hana, "web-1"))
	}
	calls := len(o.ec2.calls)
	if m := o.ask(hana, "db-1"); !strings.Contains(m.Text, "again in 10 minutes") {
		t.Errorf("the fourth is answered with %q", m.Text)
	}
	if m := o.click(hana, "pass_get", dbID); !strings.Contains(m.Text, "again in 10 minutes") {
		t.Errorf("the fifth is answered with %q", m.Text)
	}
	if len(o.ec2.calls) > calls {
		t.Error("AWS was asked beyond the limit")
	}
	code(t, o.ask(ben, "web-1")) // another person's is another limit
	o.later(10*time.Minute + time.Second)
	code(t, o.ask(hana, "web-1"))
}

func TestAnInstancesLimit(t *testing.T) {
	o := newOffice(t)
	o.Policy.Passes.Limit = auth.Limit{Person: 100, Instance: 2, Per: 10 * time.Minute}
	code(t, o.ask(hana, "web-1"))
	o.later(4 * time.Minute)
	code(t, o.ask(ben, "web-1"))
	if m := o.ask(hana, "web-1"); !strings.Contains(m.Text, "in 6 minutes") {
		t.Errorf("the third is answered with %q", m.Text)
	}
	code(t, o.ask(hana, "db-1"))
	o.later(6*time.Minute + time.Second)
	code(t, o.ask(hana, "web-1"))
}

func TestAReplayedRequestShowsNoSecondCode(t *testing.T) {
	o := newOffice(t)
	r := o.request(hana)
	r.Text = "web-1"
	first := o.answer(commands.Commands()[0].Answers, r)
	again := o.answer(commands.Commands()[0].Answers, r)
	if !strings.Contains(again.Text, "answered already") {
		t.Errorf("the replay is answered with %q", again.Text)
	}
	o.ec2.tag(webID, "Auth", code(t, first))
	o.ec2.start(webID)
	o.events(webID, auth.Pending)
	if o.ec2.count("Stop") > 0 {
		t.Error("the replay voided the pass")
	}
}

func TestASecondPassVoidsTheFirst(t *testing.T) {
	o := newOffice(t)
	first := code(t, o.ask(hana, "web-1"))
	code(t, o.ask(hana, "web-1"))
	o.ec2.tag(webID, "Auth", first)
	o.ec2.start(webID)
	o.events(webID, auth.Pending)
	if s := o.chat.next(t, "post"); o.ec2.count("Stop") != 1 || !strings.Contains(strings.Join(texts(s.blocks), "\n"), "*void*") {
		t.Errorf("stopped %d times, told %v", o.ec2.count("Stop"), texts(s.blocks))
	}
}

func TestALockedInstanceGivesNoPasses(t *testing.T) {
	o := newOffice(t)
	for range o.Policy.Gate.Lock.After {
		o.later(time.Second)
		o.ec2.tag(webID, "Auth", "wrong")
		o.ec2.start(webID)
		o.events(webID, auth.Pending)
	}
	if m := o.ask(hana, "web-1"); !strings.Contains(m.Text, "locked") || !strings.Contains(m.Text, "15 minutes") {
		t.Errorf("answered with %q", m.Text)
	}
	code(t, o.ask(hana, "db-1"))
}

func TestMineShowsOnlyOnesOwnAndOnlyLivePasses(t *testing.T) {
	o := newOffice(t)
	code(t, o.ask(hana, "web-1"))
	code(t, o.ask(ben, "db-1"))
	m := o.ask(hana, "mine")
	if all := strings.Join(texts(m.Blocks), "\n"); !strings.Contains(all, "`web-1`") || strings.Contains(all, "db-1") {
		t.Errorf("hana holds %s", all)
	}
	o.later(11 * time.Minute)
	if m := o.ask(hana, "mine"); !strings.Contains(m.Text, "no live pass") {
		t.Errorf("after the deadline: %q", m.Text)
	}
}

func TestRevokeEndsThePass(t *testing.T) {
	for name, revoke := range map[string]func(o *office, page commands.Message) commands.Message{
		"by name": func(o *office, _ commands.Message) commands.Message { return o.ask(hana, "revoke web-1") },
		"by id":   func(o *office, _ commands.Message) commands.Message { return o.ask(hana, "revoke "+webID) },
		"by the page's button": func(o *office, page commands.Message) commands.Message {
			return o.click(hana, "pass_revoke", buttonValue(o.t, page, "pass_revoke"))
		},
		"by the button of mine": func(o *office, _ commands.Message) commands.Message {
			return o.click(hana, "pass_revoke", buttonValue(o.t, o.ask(hana, "mine"), "pass_revoke:0"))
		},
	} {
		t.Run(name, func(t *testing.T) {
			o := newOffice(t)
			page := o.ask(hana, "web-1")
			bens := code(t, o.ask(ben, "web-1"))
			if m := revoke(o, page); !strings.Contains(m.Text, "is revoked") {
				t.Fatalf("answered with %q", m.Text)
			}
			o.ec2.tag(webID, "Auth", code(t, page))
			o.ec2.start(webID)
			o.events(webID, auth.Pending)
			if o.ec2.count("Stop") != 1 {
				t.Error("the revoked pass let a start in")
			}
			o.later(time.Minute)
			o.ec2.tag(webID, "Auth", bens)
			o.ec2.start(webID)
			o.events(webID, auth.Pending)
			if o.ec2.count("Stop") != 1 {
				t.Error("another person's pass was revoked too")
			}
		})
	}
}

func TestOnlyTheOwnerRevokes(t *testing.T) {
	o := newOffice(t)
	page := o.ask(hana, "web-1")
	if m := o.click(ben, "pass_revoke", buttonValue(t, page, "pass_revoke")); !strings.Contains(m.Text, "no live pass") || m.Replace {
		t.Errorf("ben is answered with %q", m.Text)
	}
	o.ec2.tag(webID, "Auth", code(t, page))
	o.ec2.start(webID)
	o.events(webID, auth.Pending)
	if o.ec2.count("Stop") > 0 {
		t.Error("ben revoked hana's pass")
	}
}

func TestTheListTurnsItsPages(t *testing.T) {
	o := newOffice(t)
	for n := range 20 {
		o.ec2.change(fmt.Sprintf("i-00000000000000%03d", n), func(i *auth.Instance) {
			i.State, i.Region = auth.Stopped, "eu-central-1"
			i.Tags = map[string]string{"Name": fmt.Sprintf("node-%02d", n), "Sekisho": "guarded"}
		})
	}
	seen := make(map[string]bool)
	m := o.ask(hana, "list")
	for page := 0; ; page++ {
		if m.Replace != (page > 0) {
			t.Errorf("page %d: replaces the list: %t", page+1, m.Replace)
		}
		for _, text := range texts(m.Blocks) {
			if _, name, ok := strings.Cut(text, "*`"); ok {
				name, _, _ = strings.Cut(name, "`")
				if seen[name] {
					t.Errorf("%s stands on two pages", name)
				}
				seen[name] = true
			}
		}
		if page == 2 {
			break
		}
		m = o.click(hana, "pass_page", buttonValue(t, m, "pass_page:next"))
	}
	if len(seen) != 22 {
		t.Errorf("%d instances were listed", len(seen))
	}
	m = o.click(hana, "pass_page", buttonValue(t, m, "pass_page:back"))
	if all := strings.Join(texts(m.Blocks), "\n"); !strings.Contains(all, "Page 2 of 3") {
		t.Errorf("back from page 3 is %s", all)
	}
}
