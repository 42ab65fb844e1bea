package commands_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"sekisho/auth"
	"sekisho/commands"
)

// A request that nobody decides about is reminded of three times, each pause
// twice the one before, and then lapses: all of it by itself.
func TestARequestRemindsAndLapsesByItself(t *testing.T) {
	o := newCheckpoint(t)
	id, card := o.requested(hana, "gpu-1")
	for n, at := range []time.Duration{30 * time.Minute, 90 * time.Minute, 210 * time.Minute} {
		if err := o.work(attendTask); err != nil {
			t.Fatal(err)
		}
		if passed := o.clock.Now().Sub(noon); passed < at || passed > at+5*time.Second {
			t.Errorf("reminder %d comes after %s, not %s", n+1, passed, at)
		}
		if s := o.chat.next(t, "update"); s.ts != card.ts {
			t.Errorf("another message is rewritten: %+v", s)
		}
		s := o.chat.next(t, "post")
		if s.channel != approvals || s.thread != card.ts {
			t.Errorf("the reminder is not in the card's thread: %+v", s)
		}
		wants(t, "the reminder", s.text, "<!subteam^S0LEADS>", "still waiting")
		lacks(t, "the reminder", s.text, "<!here>", "<!channel>")
	}
	if err := o.work(attendTask); err != nil {
		t.Fatal(err)
	}
	if passed := o.clock.Now().Sub(noon); passed < 4*time.Hour || passed > 4*time.Hour+5*time.Second {
		t.Errorf("it lapses after %s", passed)
	}
	update := o.chat.next(t, "update")
	now := reads(t, update.text, update.blocks)
	wants(t, "the card", now, "Lapsed, nobody decided", "lapsed <!date^")
	lacks(t, "the card", now, "button")
	if s := o.chat.next(t, "direct"); s.channel != hana || !strings.Contains(s.text, "nobody decided. Ask again, and tell <!subteam^S0LEADS>") {
		t.Errorf("the asker is told %+v", s)
	}
	if more := o.chat.all(); len(more) > 0 {
		t.Errorf("and more was said: %+v", more)
	}
	if kinds := o.queue.kinds(); len(kinds) > 0 {
		t.Errorf("something is left to do: %v", kinds)
	}
	if e := o.wantNoted(auth.ActLapse, auth.Done); e.Decided != "" || e.Submitted != hana || e.Request != id {
		t.Errorf("the trail has %+v", e)
	}
	if m := o.click(hana, "request_show", id); !strings.Contains(m.Text, "too late") {
		t.Errorf("a pass of it: %q", m.Text)
	}
	o.requested(hana, "gpu-1") // another one is possible
}

// After a time in which nothing worked, those who decide are reminded once,
// not as often as was missed.
func TestMissedRemindersDoNotComeAtOnce(t *testing.T) {
	o := newCheckpoint(t)
	o.requested(hana, "gpu-1")
	o.later(3 * time.Hour)
	if err := o.work(attendTask); err != nil {
		t.Fatal(err)
	}
	o.chat.next(t, "update")
	o.chat.next(t, "post")
	if after := o.queue.tasks[0].after; after < 10*time.Minute {
		t.Errorf("the next reminder comes %s after the first", after)
	}
}

// Nobody is reminded of what is decided.
func TestADecidedRequestRemindsNobody(t *testing.T) {
	o := newCheckpoint(t)
	o.approved()
	for range 2 { // the reminder that was due, and what comes after it
		if err := o.work(attendTask); err != nil {
			t.Fatal(err)
		}
	}
	if more := o.chat.all(); o.clock.Now().Sub(noon) < time.Hour || len(more) != 2 {
		t.Fatalf("after %s: %+v", o.clock.Now().Sub(noon), more)
	}
}

// An approval that is not made use of lapses as well, and the asker hears of it.
func TestAnApprovalThatIsNotFetchedLapses(t *testing.T) {
	o := newCheckpoint(t)
	id, card := o.approved()
	for o.stored(id).Open() {
		if err := o.work(attendTask); err != nil {
			t.Fatal(err)
		}
	}
	update, direct := o.chat.next(t, "update"), o.chat.next(t, "direct")
	if update.ts != card.ts {
		t.Errorf("another message is rewritten: %+v", update)
	}
	wants(t, "the card", reads(t, update.text, update.blocks), "approved by <@U0BEN>", "lapsed <!date^", "the pass was not fetched")
	wants(t, "the asker", reads(t, direct.text, direct.blocks), "It lapsed", "because the pass was not fetched")
	lacks(t, "the asker", reads(t, direct.text, direct.blocks), "request_show")
	if m := o.click(hana, "request_show", id); !strings.Contains(m.Text, "because the pass was not fetched") {
		t.Errorf("a pass of it: %q", m.Text)
	}
	o.wantNoted(auth.ActLapse, auth.Done)
	o.wantNoted(auth.ActShow, auth.Refused)
}

// The minute between its time and the worker's: no pass, and a sentence that says why.
func TestAnApprovalWhoseTimeIsUpGivesNoPass(t *testing.T) {
	o := newCheckpoint(t)
	id, _ := o.approved()
	o.later(5 * time.Hour)
	m := o.click(hana, "request_show", id)
	wants(t, "the asker", m.Text, "lapsed")
	if live, err := o.Passes.Live(t.Context(), hana, []string{gpuID}); err != nil || len(live) > 0 {
		t.Errorf("a pass was given out: %v, %v", live, err)
	}
}

// The sweep makes up for whatever task was lost.
func TestTheSweepMakesUpForALostTask(t *testing.T) {
	o := newCheckpoint(t)
	id := buttonValue(t, o.ask(hana, "gpu-1"), "request_withdraw")
	o.queue.tasks = nil // the card was never posted
	o.SweepOnce(t.Context())
	if s := o.chat.next(t, "post"); s.channel != approvals || !strings.Contains(s.text, "asks to start") {
		t.Errorf("the sweep tells %+v", s)
	}
	o.click(ben, "request_approve", id)
	o.queue.tasks = nil // nor the asker told
	o.SweepOnce(t.Context())
	o.chat.next(t, "update")
	o.chat.next(t, "respond")
	o.chat.next(t, "direct")
	o.later(5 * time.Hour) // nor the end noticed
	o.SweepOnce(t.Context())
	if s := o.chat.next(t, "update"); !strings.Contains(reads(t, s.text, s.blocks), "was not fetched") {
		t.Errorf("the card becomes %+v", s)
	}
	o.chat.next(t, "direct")
	o.SweepOnce(t.Context())
	if more := o.chat.all(); len(more) > 0 {
		t.Errorf("the next sweep tells it again: %+v", more)
	}
	if r := o.stored(id); r.Open() {
		t.Errorf("it is open: %+v", r.History)
	}
}

// Without a queue nothing comes by itself, and all the same nothing is lost.
func TestWithoutAQueueTheRequestIsToldAtOnce(t *testing.T) {
	o := newCheckpoint(t)
	o.Queue = nil
	id := buttonValue(t, o.ask(hana, "gpu-1"), "request_withdraw")
	o.chat.next(t, "post")
	o.click(ben, "request_approve", id)
	o.chat.next(t, "update")
	o.chat.next(t, "respond")
	o.chat.next(t, "direct")
}

// A task of a request that is forgotten is done with; one that cannot be read
// is kept for people to look at.
func TestAttendAnything(t *testing.T) {
	o := newCheckpoint(t)
	attend := func(detail string) error {
		return o.run(commands.Event{ID: "test-event", Source: "sekisho.task", DetailType: attendTask, Detail: json.RawMessage(detail)})
	}
	if err := attend(`{"id":"` + gpuID + `/gone","again":true}`); err != nil || len(o.queue.tasks) > 0 {
		t.Errorf("of one that is forgotten: %v, %v", err, o.queue.kinds())
	}
	for _, detail := range []string{``, `[]`, `{"id":7}`} {
		if err := attend(detail); err == nil {
			t.Errorf("%q is no error", detail)
		}
	}
	id, _ := o.requested(hana, "gpu-1")
	o.redis.SetError(gone)
	if err := attend(`{"id":"` + id + `"}`); !errors.Is(err, auth.ErrUnavailable) {
		t.Errorf("with the store away: %v", err)
	}
}
