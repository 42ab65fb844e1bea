package commands_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"sekisho/auth"
)

var (
	errAway    = errors.New("no word from Slack")
	errBlocked = fmt.Errorf("conversations.open: %w", auth.ErrNotReachable)
)

// Whoever cannot be written to is told where they asked, so that only they see
// it; and where that does not work, by name below the card.
func TestAnAskerWhoCannotBeWrittenToIsToldAllTheSame(t *testing.T) {
	for name, c := range map[string]struct {
		fail map[string]error
		want []string // how they are told, of this request
	}{
		"reached":                {nil, []string{"respond", "direct"}},
		"blocked":                {map[string]error{"direct": errBlocked}, []string{"respond", "whisper"}},
		"blocked and elsewhere":  {map[string]error{"direct": errBlocked, "whisper": errBlocked}, []string{"respond", "post"}},
		"the old answer is gone": {map[string]error{"respond": errors.New("used_url")}, []string{"direct"}},
	} {
		t.Run(name, func(t *testing.T) {
			o := newCheckpoint(t)
			id, card := o.requested(hana, "gpu-1")
			for how, err := range c.fail {
				o.chat.fail[how] = err
			}
			o.click(ben, "request_approve", id)
			o.rush()
			o.chat.next(t, "update")
			for _, how := range c.want {
				s := o.chat.next(t, how)
				text := reads(t, s.text, s.blocks)
				wants(t, how, text, "<@U0BEN> approved the request for `gpu-1`")
				switch how {
				case "whisper":
					if s.channel != ops || s.thread != hana {
						t.Errorf("whispered to %s in %s", s.thread, s.channel)
					}
					wants(t, how, text, "request_show")
				case "post":
					if s.channel != approvals || s.thread != card.ts {
						t.Errorf("not below the card, but %+v", s)
					}
					wants(t, how, text, "<@U0HANA>, I cannot write to you", "Your Home tab")
					lacks(t, how, text, "request_show") // it is theirs alone
				}
			}
			if more := o.chat.all(); len(more) > 0 {
				t.Errorf("and more was said: %+v", more)
			}
			if len(o.queue.kinds()) != 1 {
				t.Errorf("it is told again: %v", o.queue.kinds())
			}
		})
	}
}

// Slack takes answers through a response URL for 30 minutes.
func TestTheAnswerIsRewrittenForHalfAnHour(t *testing.T) {
	for after, want := range map[time.Duration]int{29 * time.Minute: 1, 30 * time.Minute: 0, 3 * time.Hour: 0} {
		o := newCheckpoint(t)
		id, _ := o.requested(hana, "gpu-1")
		o.later(after)
		o.click(ben, "request_approve", id)
		o.rush()
		n, direct := 0, 0
		for _, s := range o.chat.all() {
			switch s.how {
			case "respond":
				n++
			case "direct":
				direct++
			}
		}
		if n != want || direct != 1 {
			t.Errorf("after %s it is rewritten %d times, and told directly %d times", after, n, direct)
		}
	}
}

// A request that was asked in a form has no answer to rewrite and no channel.
func TestARequestByFormIsToldDirectly(t *testing.T) {
	o := newCheckpoint(t)
	if m := o.submit(hana, "ask", "", map[string]string{"instance": gpuID, "why": "", "long": "0"}); !strings.Contains(m.Text, "*Asked*") {
		t.Fatalf("answered with %+v", m)
	}
	o.rush()
	o.chat.next(t, "post")
	all, _ := o.Requests.Store.Requests(t.Context())
	o.chat.fail["direct"] = errBlocked
	o.click(ben, "request_approve", all[0].ID)
	o.rush()
	o.chat.next(t, "update")
	if s := o.chat.next(t, "post"); s.channel != approvals || s.thread == "" {
		t.Errorf("told %+v", s)
	}
}

// While the approvals channel cannot be written to, everything goes on and is
// told in the end: once, in order, and as it stands then.
func TestACardThatCannotBePostedIsRetried(t *testing.T) {
	o := newCheckpoint(t)
	o.chat.fail["post "+approvals] = errAway
	id := buttonValue(t, o.ask(hana, "gpu-1"), "request_withdraw")
	o.rush()
	o.click(ben, "request_approve", id) // from the Home tab
	o.rush()
	var waits []time.Duration
	for n := 0; n < len(o.queue.tasks); n++ {
		waits = append(waits, o.queue.tasks[n].after)
	}
	if said := o.chat.all(); len(said) > 0 || len(waits) < 2 || waits[0] > time.Minute {
		t.Errorf("said %+v, waiting %v", said, waits)
	}
	if n := len(o.noted(auth.ActRequest, auth.Done)) + len(o.noted(auth.ActApprove, auth.Done)); n != 2 {
		t.Errorf("the trail waits for Slack: %+v", o.entries())
	}
	o.pass(time.Minute) // still away
	clear(o.chat.fail)
	o.pass(5 * time.Minute)
	card := o.chat.next(t, "post")
	wants(t, "the card", reads(t, card.text, card.blocks), "approved by <@U0BEN>")
	direct := 0
	for _, s := range o.chat.all() {
		if s.how == "post" {
			t.Errorf("a second card: %+v", s)
		}
		if s.how == "direct" {
			direct++
		}
	}
	if direct != 1 {
		t.Errorf("the asker was told %d times", direct)
	}
}

// A channel that does not take the card, however often it is tried, is named
// in the one that does.
func TestACardWhoseChannelIsClosedIsShownInAlerts(t *testing.T) {
	o := newCheckpoint(t)
	o.chat.fail["post "+approvals] = fmt.Errorf("not_in_channel: %w", auth.ErrNotReachable)
	id, card := o.requested(hana, "gpu-1")
	if card.channel != alerts {
		t.Errorf("the card is in %s", card.channel)
	}
	wants(t, "the card", reads(t, card.text, card.blocks), "asks to start", "request_approve", "belongs into <#C0APPROVALS>")
	o.click(ben, "request_approve", id)
	o.rush()
	if s := o.chat.next(t, "update"); s.channel != alerts || s.ts != card.ts {
		t.Errorf("another message is rewritten: %+v", s)
	}
}

// Two workers at the same request post one card.
func TestTwoWorkersPostOneCard(t *testing.T) {
	o := newCheckpoint(t)
	id := buttonValue(t, o.ask(hana, "gpu-1"), "request_withdraw")
	o.chat.during = func() { // the sweep comes while the card is on its way
		if _, err := o.SweepOnce(t.Context()); err != nil {
			t.Error(err)
		}
		o.click(ben, "request_approve", id)
	}
	o.rush()
	o.pass(5 * time.Minute)
	cards, direct := 0, 0
	for _, s := range o.chat.all() {
		switch {
		case s.how == "post" && s.thread == "":
			cards++
		case s.how == "direct":
			direct++
		}
	}
	if cards != 1 || direct != 1 {
		t.Errorf("%d cards were posted, and the asker was told %d times", cards, direct)
	}
}

// A worker died with the card in its hands: another one posts it.
func TestACardOfADeadWorkerIsPosted(t *testing.T) {
	o := newCheckpoint(t)
	id := buttonValue(t, o.ask(hana, "gpu-1"), "request_withdraw")
	if _, _, ok, err := o.Requests.Store.TakeTelling(t.Context(), id, o.clock.Now(), 30*time.Second); !ok || err != nil {
		t.Fatal(ok, err)
	}
	o.rush()
	if said := o.chat.all(); len(said) > 0 {
		t.Errorf("it is posted beside the other worker: %+v", said)
	}
	o.pass(time.Minute)
	if s := o.chat.next(t, "post"); s.channel != approvals {
		t.Errorf("told %+v", s)
	}
}

// Neither Slack nor the queue: the event's error keeps it, and the sweep tells.
func TestWithoutSlackAndQueueTheSweepTellsTheRequest(t *testing.T) {
	o := newCheckpoint(t)
	o.chat.goAway(errAway)
	o.queue.away = errors.New("SQS is away")
	m := o.ask(hana, "gpu-1")
	if !strings.Contains(m.Text, "*Asked*") {
		t.Errorf("the asker is answered with %q", m.Text)
	}
	o.chat.goAway(nil)
	o.queue.away = nil
	o.later(time.Minute)
	if _, err := o.SweepOnce(t.Context()); err != nil {
		t.Fatal(err)
	}
	if s := o.chat.next(t, "post"); s.channel != approvals {
		t.Errorf("told %+v", s)
	}
}
