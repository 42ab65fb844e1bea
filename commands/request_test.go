package commands_test

import (
	"strings"
	"sync"
	"testing"
	"time"

	"sekisho/auth"
)

// What people see of a request, from the wish to the start.
func TestARequestIsAskedApprovedShownAndSpent(t *testing.T) {
	o := newCheckpoint(t)
	asked := o.ask(hana, "gpu-1 for the nightly training")
	wants(t, "the asker's page", reads(t, asked.Text, asked.Blocks), "*Asked*", "<!subteam^S0LEADS>", "`gpu-1`",
		"Your reason: `the nightly training`", "One approval is needed", "request_withdraw")
	id := buttonValue(t, asked, "request_withdraw")
	o.rush()
	card := o.chat.next(t, "post")
	if card.channel != approvals {
		t.Errorf("the card is in %s", card.channel)
	}
	wants(t, "the card", reads(t, card.text, card.blocks), "<@U0HANA> asks to start *`gpu-1`*", "p4d.24xlarge", "roughly above $10 an hour",
		"`the nightly training`", "`Team=ml`", "if you are one of <!subteam^S0LEADS>: the rule `gpus`", "10 minutes", `"request_approve"`, `"request_deny"`)

	if m := o.click(ben, "request_approve", id); !strings.Contains(m.Text, "You approved `gpu-1` for <@U0HANA>") {
		t.Errorf("ben is answered with %q", m.Text)
	}
	o.rush()
	update := o.chat.next(t, "update")
	if update.channel != approvals || update.ts != card.ts {
		t.Errorf("another message is rewritten: %+v", update)
	}
	now := reads(t, update.text, update.blocks)
	wants(t, "the approved card", now, "<@U0HANA> may start", "approved by <@U0BEN>", "approved <!date^")
	lacks(t, "the approved card", now, "button", "fetched")
	respond := o.chat.next(t, "respond")
	if respond.url != answerAt || !respond.replace {
		t.Errorf("what the asker was answered is not rewritten: %+v", respond)
	}
	direct := o.chat.next(t, "direct")
	for _, s := range []said{respond, direct} {
		wants(t, "what the asker is told", reads(t, s.text, s.blocks), "<@U0BEN> approved the request for `gpu-1`", `"request_show"`)
	}
	if direct.channel != hana {
		t.Errorf("%s is told", direct.channel)
	}

	o.later(time.Hour) // the pass's time begins when it is shown
	secret := code(t, o.click(hana, "request_show", id))
	o.rush()
	wants(t, "the fetched card", reads(t, "", o.chat.next(t, "update").blocks), "the pass was fetched <!date^")
	if more := o.chat.all(); len(more) > 0 {
		t.Errorf("and more was said: %+v", more)
	}
	o.later(9 * time.Minute)
	o.ec2.tag(gpuID, "Auth", secret)
	o.ec2.start(gpuID)
	o.events(gpuID, auth.Pending)
	if s := o.chat.next(t, "post"); o.ec2.count("Stop") > 0 || s.channel != alerts || !strings.Contains(s.text, "<@U0HANA> was let in") {
		t.Errorf("stopped %d times, told %+v", o.ec2.count("Stop"), s)
	}
	o.ec2.change(gpuID, func(i *auth.Instance) { i.State = auth.Stopped })
	if m := o.click(hana, "request_show", id); !strings.Contains(m.Text, "good for one start") {
		t.Errorf("a second start by one approval: %q", m.Text)
	}
}

// Of two codes of one approval the newer one counts, and both end together.
func TestAPassThatIsShownAgainIsTheOnlyOne(t *testing.T) {
	o := newCheckpoint(t)
	id, _ := o.approved()
	first := code(t, o.click(hana, "request_show", id))
	o.later(8 * time.Minute)
	second := code(t, o.click(hana, "request_show", id))
	if first == second {
		t.Fatal("the code is kept somewhere")
	}
	if n := len(o.noted(auth.ActShow, auth.Done)); n != 2 {
		t.Errorf("the trail knows of %d codes", n)
	}
	o.ec2.tag(gpuID, "Auth", first)
	o.ec2.start(gpuID)
	o.events(gpuID, auth.Pending)
	if o.ec2.count("Stop") != 1 {
		t.Error("the first code opens still")
	}
	o.later(3 * time.Minute)
	if m := o.click(hana, "request_show", id); !strings.Contains(m.Text, "its time is up") {
		t.Errorf("11 minutes after it was first shown: %q", m.Text)
	}
}

func TestWhoMayNotDecideIsToldWhy(t *testing.T) {
	for name, c := range map[string]struct {
		user string
		is   func(*auth.Person)
		want string
	}{
		"the asker":          {hana, nil, "You asked for this yourself"},
		"not an approver":    {tom, nil, "The rule `gpus` does not name you"},
		"a guest":            {mai, func(p *auth.Person) { p.Guest = true }, "guests decide nothing"},
		"one who has left":   {mai, func(p *auth.Person) { p.Deactivated = true }, "does not name you"},
		"of another company": {mai, func(p *auth.Person) { p.Outside = true }, "does not name you"},
	} {
		t.Run(name, func(t *testing.T) {
			o := newCheckpoint(t)
			id, _ := o.requested(hana, "gpu-1")
			if c.is != nil {
				p := o.people.all[c.user]
				c.is(&p)
				o.people.all[c.user] = p
			}
			for _, action := range []string{"request_approve", "request_deny"} {
				if m := o.click(c.user, action, id); !strings.Contains(m.Text, c.want) || m.Replace {
					t.Errorf("%s is answered with %q", action, m.Text)
				}
			}
			if m := o.submit(c.user, "deny", id, map[string]string{"why": "no"}); !strings.Contains(m.Text, c.want) {
				t.Errorf("the form is answered with %q", m.Text)
			}
			if r := o.stored(id); r.Version() > 0 {
				t.Errorf("something happened: %+v", r.History)
			}
			o.rush()
			if said := o.chat.all(); len(said) > 0 || len(o.views.opened) > 0 {
				t.Errorf("others are told: %+v, %+v", said, o.views.opened)
			}
			for _, act := range []auth.Act{auth.ActApprove, auth.ActDeny} {
				for _, e := range o.noted(act, auth.Refused) {
					if e.Decided != c.user || e.Submitted != hana || e.Request != id || e.Instance != gpuID || e.Rule != "gpus" {
						t.Errorf("the trail has %+v", e)
					}
				}
			}
			if a, d := o.noted(auth.ActApprove, auth.Refused), o.noted(auth.ActDeny, auth.Refused); len(a) != 1 || len(d) != 2 {
				t.Errorf("the trail has %d approvals and %d denials refused", len(a), len(d))
			}
		})
	}
}

func TestADenialGivesItsReason(t *testing.T) {
	o := newCheckpoint(t)
	id, card := o.requested(hana, "gpu-1")
	r := o.request(ben)
	if m := o.click(ben, "request_deny", id); m.Text != "" {
		t.Errorf("besides the form: %q", m.Text)
	}
	form := o.views.last(t)
	if form.CallbackID != "deny" || form.PrivateMetadata != id || o.views.triggers[0] == r.ID {
		t.Errorf("the form is %+v, for %v", form, o.views.triggers)
	}
	for text, want := range map[string]string{"": "in a few words", " \n\t ": "in a few words", strings.Repeat("ä", 501): "501 characters", strings.Repeat("x", 10_000): "10000 characters"} {
		if m := o.submit(ben, "deny", id, map[string]string{"why": text}); m.Text != "" || !strings.Contains(m.Wrong["why"], want) {
			t.Errorf("%.20q is answered with %+v", text, m)
		}
	}
	if m := o.submit(ben, "deny", id, map[string]string{"why": " use gpu-2 <instead> "}); !strings.Contains(m.Text, "You denied `gpu-1` for <@U0HANA>") {
		t.Errorf("answered with %q", m.Text)
	}
	o.rush()
	update := o.chat.next(t, "update")
	now := reads(t, update.text, update.blocks)
	wants(t, "the card", now, "Denied by <@U0BEN>", "`use gpu-2 &lt;instead&gt;`")
	lacks(t, "the card", now, "button")
	if update.ts != card.ts {
		t.Errorf("another message is rewritten: %+v", update)
	}
	for _, how := range []string{"respond", "direct"} {
		s := o.chat.next(t, how)
		wants(t, "the asker", reads(t, s.text, s.blocks), "<@U0BEN> denied the request for `gpu-1`", "`use gpu-2 &lt;instead&gt;`")
	}
	if e := o.wantNoted(auth.ActDeny, auth.Done); e.Note != "use gpu-2 <instead>" || e.Decided != ben || e.Submitted != hana {
		t.Errorf("the trail has %+v", e)
	}
	if m := o.click(hana, "request_show", id); !strings.Contains(m.Text, "too late") {
		t.Errorf("a pass of it: %q", m.Text)
	}
}

func TestWhoComesTooLateReadsWhoWasFirst(t *testing.T) {
	for name, c := range map[string]struct {
		first func(o *office, id string)
		want  string
	}{
		"approved":  {func(o *office, id string) { o.click(ben, "request_approve", id) }, "<@U0BEN> approved the request for `gpu-1` <!date^1800000060^"},
		"denied":    {func(o *office, id string) { o.submit(ben, "deny", id, map[string]string{"why": "no"}) }, "<@U0BEN> denied the request for `gpu-1` <!date^1800000060^"},
		"withdrawn": {func(o *office, id string) { o.click(hana, "request_withdraw", id) }, "was withdrawn <!date^1800000060^"},
		"lapsed":    {func(o *office, _ string) { o.later(5 * time.Hour) }, "has lapsed: nobody decided in time"},
	} {
		t.Run(name, func(t *testing.T) {
			o := newCheckpoint(t)
			id, _ := o.requested(hana, "gpu-1")
			o.later(time.Minute)
			c.first(o, id)
			o.later(time.Minute)
			was := o.stored(id).Version()
			for _, action := range []string{"request_approve", "request_deny"} {
				if m := o.click(mai, action, id); !strings.Contains(m.Text, "too late, and changed nothing") || !strings.Contains(m.Text, c.want) {
					t.Errorf("%s is answered with %q", action, m.Text)
				}
			}
			if m := o.submit(mai, "deny", id, map[string]string{"why": "no"}); !strings.Contains(m.Text, c.want) {
				t.Errorf("the form is answered with %q", m.Text)
			}
			if o.stored(id).Version() != was {
				t.Error("something happened all the same")
			}
		})
	}
}

// Of many decisions at once exactly one wins, and the asker hears of that one.
func TestOneDecisionWins(t *testing.T) {
	o := newCheckpoint(t)
	id, _ := o.requested(hana, "gpu-1")
	var all sync.WaitGroup
	for n := range 20 {
		r := o.request([]string{ben, mai}[n%2])
		r.Value, r.Fields = id, map[string]string{"why": "no"}
		answers := o.form("deny")
		if n%3 == 0 {
			answers = o.button("request_approve")
		}
		all.Go(func() { answers(t.Context(), o.Desk, r) })
	}
	all.Wait()
	o.rush()
	direct := 0
	for _, s := range o.chat.all() {
		if s.how == "direct" {
			direct++
		}
	}
	if done := len(o.noted(auth.ActApprove, auth.Done)) + len(o.noted(auth.ActDeny, auth.Done)); done != 1 || direct != 1 {
		t.Errorf("%d decisions won, and the asker was told %d times", done, direct)
	}
	if lost := len(o.noted(auth.ActApprove, auth.Refused)) + len(o.noted(auth.ActDeny, auth.Refused)); lost != 19 {
		t.Errorf("%d decisions lost", lost)
	}
}

func TestTwoMustApprove(t *testing.T) {
	o := newCheckpoint(t)
	if m := o.ask(hana, "prod-db"); !strings.Contains(m.Text, "`databases` wants to know why") {
		t.Errorf("without a reason: %q", m.Text)
	}
	id, card := o.requested(hana, "prod-db for the migration")
	text := reads(t, card.text, card.blocks)
	wants(t, "the card", text, "2 must approve, one can deny", `"confirm"`, "Approve this start?")
	if m := o.click(ben, "request_approve", id); !strings.Contains(m.Text, "1 of 2") {
		t.Errorf("the first is answered with %q", m.Text)
	}
	if m := o.click(ben, "request_approve", id); !strings.Contains(m.Text, "counts already") {
		t.Errorf("the same person again is answered with %q", m.Text)
	}
	if m := o.click(hana, "request_show", id); !strings.Contains(m.Text, "Nobody has approved") {
		t.Errorf("a pass by one approval of two: %q", m.Text)
	}
	o.rush()
	update := o.chat.next(t, "update")
	wants(t, "the card", reads(t, update.text, update.blocks), "asks to start", "1 of 2 so far: <@U0BEN>", `"request_approve"`)
	if more := o.chat.all(); len(more) > 0 {
		t.Errorf("half an approval is told: %+v", more)
	}
	o.click(tom, "request_approve", id)
	o.rush()
	update = o.chat.next(t, "update")
	wants(t, "the card", reads(t, update.text, update.blocks), "approved by <@U0BEN>, <@U0TOM>")
	code(t, o.click(hana, "request_show", id))
	if n := len(o.noted(auth.ActApprove, auth.Done)); n != 2 {
		t.Errorf("the trail has %d approvals", n)
	}
}

// Who has approved may think again, while it is not decided.
func TestAnApproverMayThinkAgain(t *testing.T) {
	o := newCheckpoint(t)
	id, _ := o.requested(hana, "prod-db for the migration")
	o.click(ben, "request_approve", id)
	o.click(ben, "request_deny", id)
	o.views.last(t)
	o.submit(ben, "deny", id, map[string]string{"why": "on second thoughts"})
	if r := o.stored(id); r.State() != auth.RequestDenied {
		t.Errorf("it is %s", r.State())
	}
}

func TestWithdraw(t *testing.T) {
	for name, withdraw := range map[string]func(*office, string) string{
		"by button": func(o *office, id string) string {
			m := o.click(hana, "request_withdraw", id)
			if !m.Replace {
				o.t.Error("the page with the button stays")
			}
			return m.Text
		},
		"by name": func(o *office, _ string) string { return o.ask(hana, "withdraw gpu-1").Text },
		"by id":   func(o *office, _ string) string { return o.ask(hana, "withdraw "+gpuID).Text },
	} {
		t.Run(name, func(t *testing.T) {
			o := newCheckpoint(t)
			if text := o.ask(hana, "withdraw gpu-1").Text; !strings.Contains(text, "no open request") {
				t.Errorf("without one: %q", text)
			}
			id, _ := o.requested(hana, "gpu-1")
			if m := o.click(ben, "request_withdraw", id); !strings.Contains(m.Text, "nobody else") {
				t.Errorf("ben is answered with %q", m.Text)
			}
			if text := o.ask(ben, "withdraw gpu-1").Text; !strings.Contains(text, "no open request") {
				t.Errorf("ben is answered with %q", text)
			}
			if text := withdraw(o, id); !strings.Contains(text, "is withdrawn") {
				t.Errorf("answered with %q", text)
			}
			o.rush()
			update := o.chat.next(t, "update")
			now := reads(t, update.text, update.blocks)
			wants(t, "the card", now, "Withdrawn: <@U0HANA> asked to start")
			lacks(t, "the card", now, "button")
			if more := o.chat.all(); len(more) > 0 {
				t.Errorf("who did it is told of it: %+v", more)
			}
			if e := o.wantNoted(auth.ActWithdraw, auth.Done); e.Decided != hana {
				t.Errorf("the trail has %+v", e)
			}
			o.requested(hana, "gpu-1") // another one is possible
		})
	}
}

func TestAskingTwiceMakesOneRequest(t *testing.T) {
	o := newCheckpoint(t)
	id, _ := o.requested(hana, "gpu-1 for the nightly training")
	m := o.ask(hana, "gpu-1 for another reason")
	wants(t, "the second answer", reads(t, m.Text, m.Blocks), "asked for this already", "the nightly training")
	if again := buttonValue(t, m, "request_withdraw"); again != id {
		t.Errorf("another request: %s", again)
	}
	o.rush()
	if more := o.chat.all(); len(more) > 0 {
		t.Errorf("a second card: %+v", more)
	}
	o.click(ben, "request_approve", id)
	m = o.ask(hana, "gpu-1")
	if buttonValue(t, m, "request_show") != id {
		t.Error("the pass that waits cannot be fetched")
	}
	lacks(t, "the answer after the approval", m.Text, "Waiting", "if nobody decides")
}

// Whoever took the request died before a worker heard of it: asking again brings
// the card, once.
func TestAskingAgainBringsTheCardThatWasLost(t *testing.T) {
	o := newCheckpoint(t)
	o.ask(hana, "gpu-1 for the nightly training")
	o.queue.take(t)
	for range 2 {
		o.ask(hana, "gpu-1")
	}
	o.rush()
	if cards := o.chat.all(); len(cards) != 1 || cards[0].how != "post" {
		t.Errorf("said %+v", cards)
	}
}

// What was agreed to must be enough at the click and when the pass is shown.
func TestAPolicyThatChangesUnderARequest(t *testing.T) {
	o := newCheckpoint(t)
	id, _ := o.approved()
	o.people.groups[leads] = []string{mai, hana} // ben is no lead any more
	if m := o.click(hana, "request_show", id); !strings.Contains(m.Text, "has changed since this was asked") {
		t.Errorf("answered with %q", m.Text)
	}
	if e := o.wantNoted(auth.ActShow, auth.Refused); e.Reason != string(auth.PolicyChanged) || e.Request != id {
		t.Errorf("the trail has %+v", e)
	}
	o.people.groups[leads] = []string{ben, hana}
	code(t, o.click(hana, "request_show", id))
}

func TestTooFewApproversAskNobody(t *testing.T) {
	o := newCheckpoint(t)
	o.people.groups[leads] = []string{hana}
	if m := o.ask(hana, "gpu-1"); !strings.Contains(m.Text, "you are the only approver") {
		t.Errorf("answered with %q", m.Text)
	}
	if len(o.queue.tasks) > 0 {
		t.Errorf("something was asked: %v", o.queue.kinds())
	}
	o.wantNoted(auth.ActRequest, auth.Refused)
}

// A reason has room on a card, whichever way it is typed.
func TestAReasonOf10000Characters(t *testing.T) {
	o := newCheckpoint(t)
	long := strings.Repeat("ä", 10_000)
	for _, text := range []string{"gpu-1 for " + long, gpuID + " " + long, "gpu-1 " + strings.Repeat("because ", 100), "break-glass gpu-1 for " + long} {
		if m := o.ask(hana, text); !strings.Contains(m.Text, "room for 500") {
			t.Errorf("%.30q is answered with %.200q", text, m.Text)
		}
	}
	o.requested(hana, "gpu-1 for "+strings.Repeat("ä", 500))
}
