package main

import (
	"os"
	"slices"
	"strconv"
	"time"

	"sekisho/infra/local/awssim"
)

// testClock names the file of the clock that the tests' processes go by.
const testClock = "SEKISHO_TEST_CLOCK"

// sharedClock is one clock for a world and every process in it, by a file that
// says how far it was put forward, in nanoseconds.
type sharedClock string

func (c sharedClock) ahead() time.Duration {
	text, err := os.ReadFile(string(c))
	if err != nil {
		return 0 // the test is over
	}
	n, err := strconv.ParseInt(string(text), 10, 64)
	if err != nil {
		return 0
	}
	return time.Duration(n)
}

func (c sharedClock) now() time.Time { return time.Now().Add(c.ahead()) }

// forward replaces the file: nobody reads half of one.
func (c sharedClock) forward(d time.Duration) error {
	next := string(c) + ".next"
	if err := os.WriteFile(next, []byte(strconv.FormatInt(int64(c.ahead()+d), 10)), 0o600); err != nil {
		return err
	}
	return os.Rename(next, string(c))
}

// ready waits until all four are at work.
func (f *fleet) ready() {
	f.t.Helper()
	f.await("all four at work", func() bool {
		f.mu.Lock()
		defer f.mu.Unlock()
		living, waits := 0, 0
		for _, m := range f.crew {
			if !m.dead {
				living++
				if m.waits > 0 {
					waits++
				}
			}
		}
		return living == 4 && waits == 2 && f.Slack.Sockets() == 2
	})
}

// quiet says whether nothing happens any more before the clock is put forward:
// the messages that are left wait, or were received by somebody who is dead.
func (f *fleet) quiet() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, m := range f.crew {
		if m.calls > 0 || m.dead && m.waits > 0 || !m.dead && len(m.holding) > 0 {
			return false
		}
	}
	if f.AWS.Busy() {
		return false
	}
	visible, hidden := f.AWS.Waiting(f.variable("SEKISHO_QUEUE_URL"))
	return visible == 0 && !slices.ContainsFunc(hidden, func(h awssim.Hidden) bool { return h.Receipt != "" && !f.lost[h.Receipt] })
}

// jump puts the clock forward to when the next message can be received, if there
// is one.
func (f *fleet) jump() bool {
	f.t.Helper()
	visible, hidden := f.AWS.Waiting(f.variable("SEKISHO_QUEUE_URL"))
	if visible > 0 || len(hidden) == 0 {
		return visible > 0 // just now, by itself
	}
	if d := hidden[0].Until.Sub(f.time.now()); d > 0 {
		f.do(f.time.forward(d))
	}
	f.AWS.Moved()
	return true
}

// await waits for something that comes without the clock being put forward.
func (f *fleet) await(what string, done func() bool) {
	f.t.Helper()
	f.wait(what, done, func() bool { return false })
}

// reach waits for something, through as much time as it takes.
func (f *fleet) reach(what string, done func() bool) {
	f.t.Helper()
	const most = 100
	jumps := 0
	f.wait(what, done, func() bool {
		if !f.quiet() {
			return false
		}
		if jumps++; done() || jumps < most && f.jump() {
			return true
		}
		f.t.Fatalf("it never came to %s, and nothing is to come", what)
		return false
	})
}

func (f *fleet) wait(what string, done func() bool, onward func() bool) {
	f.t.Helper()
	over := time.After(patience)
	for !done() {
		if onward() {
			continue
		}
		select {
		case <-f.ticks:
		case <-over:
			visible, hidden := f.AWS.Waiting(f.variable("SEKISHO_QUEUE_URL"))
			f.t.Fatalf("it never came to %s; %d messages can be received, and hidden are %+v", what, visible, hidden)
		}
	}
}

// settle waits until nothing is left to do.
func (f *fleet) settle() {
	f.t.Helper()
	f.reach("an empty queue", func() bool {
		visible, hidden := f.AWS.Waiting(f.variable("SEKISHO_QUEUE_URL"))
		return visible == 0 && len(hidden) == 0 && !f.AWS.Busy()
	})
}
