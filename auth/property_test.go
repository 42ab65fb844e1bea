package auth_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"maps"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"pgregory.net/rapid"

	"sekisho/auth"
	"sekisho/auth/authtest"
	"sekisho/infra/redisstore"
)

// TestGateInAnyOrder plays random lives of one instance: passes, right and
// wrong tags, starts, stops, stale readings, and events that come late, twice
// or out of order. However it goes,
//
//   - a start is admitted exactly when its tag held a live pass, and so each
//     pass admits one start;
//   - an admitted start is never stopped;
//   - a start without a pass is stopped once its events have come.
func TestGateInAnyOrder(t *testing.T) {
	server := miniredis.RunT(t)
	client, err := redisstore.Dial("redis://" + server.Addr())
	if err != nil {
		t.Fatal(err)
	}
	store := redisstore.New(client)
	t.Cleanup(func() { store.Close() })
	key := pepper(t)

	rapid.Check(t, func(t *rapid.T) {
		server.FlushAll()
		l := newLife(t, store, key)
		t.Repeat(map[string]func(*rapid.T){
			"a pass":   l.askPass,
			"a tag":    l.setTag,
			"a start":  l.start,
			"it runs":  l.run,
			"a stop":   l.stopByOwner,
			"an event": l.deliver,
			"a while":  l.wait,
		})
		l.finish()
	})
}

// life is one instance that behaves as EC2 does, and what its owner knows.
type life struct {
	t      *rapid.T
	gate   *auth.Gate
	passes *auth.Passes
	now    time.Time

	is     auth.Instance // the truth
	was    auth.Instance // before the newest start
	stale  string        // what the next readings show wrongly
	stales int           // how many of them
	first  bool          // it has never run: EC2 refuses to stop it in pending
	lost   bool          // a stop that is accepted in pending comes to nothing

	codes    []string // all that were given out
	live     string   // the one that opens the gate
	deadline time.Time
	events   []auth.StateChange // all that were announced; each may come again at any time

	entitled map[int64]bool // launch → whether the tag held a live pass then
	judged   bool           // an event of the newest start was dealt with
	asked    bool           // a stop of the newest start was asked for
}

func newLife(t *rapid.T, store *redisstore.Store, key auth.Pepper) *life {
	l := &life{
		t: t, now: authtest.T0, first: true, entitled: make(map[int64]bool),
		is: guarded(web, auth.Stopped, authtest.T0.Add(-24*time.Hour)),
	}
	policy := auth.Defaults()
	policy.Gate.Mode = auth.Enforce
	policy.Gate.Guard = auth.Guard{Tags: map[string]string{"Sekisho": "guarded"}}
	policy.Gate.Lock.After = 1000 // guesses do not lock: that is another test
	policy.Passes.Limit = auth.Limit{Person: 1000, Instance: 1000, Per: time.Minute}
	now := func() time.Time { return l.now }
	l.passes = &auth.Passes{Policy: &policy, Store: store, Asks: store, Pepper: key, Now: now, Random: rand.Reader}
	l.gate = &auth.Gate{
		Policy: &policy, Instances: l, Stopper: l, Starts: store, Pepper: key, Now: now,
		Looks: []time.Duration{time.Second, time.Second}, Pause: func(context.Context, time.Duration) error { return nil },
	}
	return l
}

func (l *life) askPass(t *rapid.T) {
	if l.is.State != auth.Stopped {
		t.Skip("it is up")
	}
	p, err := l.passes.Issue(t.Context(), auth.NewPass{Instance: web, User: hana, Request: fmt.Sprint("request-", len(l.codes))}, 10*time.Minute)
	if err != nil {
		t.Fatalf("issuing a pass: %v", err)
	}
	l.live, l.deadline = p.Code.Reveal(), p.Deadline
	l.codes = append(l.codes, l.live)
	l.is = tagged(l.is, l.live)
}

func (l *life) setTag(t *rapid.T) {
	if l.is.State != auth.Stopped {
		t.Skip("it is up")
	}
	tags := append([]string{"", "let me in"}, l.codes...)
	l.is = tagged(l.is, rapid.SampledFrom(tags).Draw(t, "tag"))
}

func (l *life) start(t *rapid.T) {
	if l.is.State != auth.Stopped {
		t.Skip("it is up")
	}
	l.now = l.now.Add(2 * time.Second)
	l.was = l.is
	l.is.State, l.is.LaunchTime = auth.Pending, l.now
	entitled := l.live != "" && l.is.Tags[passTag] == l.live && !l.now.After(l.deadline)
	if entitled {
		l.live = ""
	}
	l.entitled[l.now.UnixMilli()] = entitled
	l.judged, l.asked = false, false
	l.lost = rapid.Bool().Draw(t, "a stop in pending is lost")
	l.stale = rapid.SampledFrom([]string{"state", "tags", "pass tag"}).Draw(t, "stale")
	l.stales = rapid.IntRange(0, 2).Draw(t, "stale readings")
	l.announce()
}

func (l *life) run(t *rapid.T) {
	if l.is.State != auth.Pending {
		t.Skip("it is not pending")
	}
	l.now = l.now.Add(2 * time.Second)
	l.first, l.is.State = false, auth.Running
	l.announce()
}

// stopByOwner leaves out starts that are over before any event of them came:
// nobody judges those, and they spend nothing.
func (l *life) stopByOwner(t *rapid.T) {
	if l.is.State != auth.Running || !l.judged {
		t.Skip("it does not run, or is not judged")
	}
	if !l.entitled[l.is.LaunchTime.UnixMilli()] && !l.asked {
		t.Fatal("a start without a pass was judged, and no stop was asked for")
	}
	l.rest()
}

func (l *life) deliver(t *rapid.T) {
	if len(l.events) == 0 {
		t.Skip("no event yet")
	}
	l.hand(rapid.SampledFrom(l.events).Draw(t, "event"))
}

func (l *life) wait(t *rapid.T) {
	l.now = l.now.Add(time.Duration(rapid.IntRange(1, 300).Draw(t, "seconds")) * time.Second)
	l.stales = 0 // EC2 shows everything after some seconds
}

// finish lets the newest start come up, and all events in once more.
func (l *life) finish() {
	l.stales = 0
	if l.is.State == auth.Pending {
		l.run(l.t)
	}
	l.now = l.now.Add(time.Hour)
	for _, e := range rapid.Permutation(l.events).Draw(l.t, "events at the end") {
		l.hand(e)
	}
	if l.is.State.Up() && !l.entitled[l.is.LaunchTime.UnixMilli()] {
		l.t.Fatal("a start without a pass runs on")
	}
}

func (l *life) announce() {
	l.events = append(l.events, auth.StateChange{Instance: web, State: l.is.State, At: l.now})
}

func (l *life) rest() {
	l.now = l.now.Add(2 * time.Second)
	l.is.State, l.stales = auth.Stopped, 0
	l.announce()
}

// hand gives an event to the gate and holds its verdict against the truth.
func (l *life) hand(e auth.StateChange) {
	open := l.gate.Opened
	if e.State == auth.Stopped {
		open = l.gate.Closed
	}
	o, err := open(l.t.Context(), e)
	if err != nil {
		return // it comes again
	}
	if e.State != auth.Stopped && l.is.LaunchTime.Equal(o.Start.Launch) {
		l.judged = true
	}
	if s := o.Start; !o.None() && s.Admitted != l.entitled[s.Launch.UnixMilli()] {
		l.t.Fatalf("the start at %v: %v; its tag held a live pass: %v", s.Launch, s, !s.Admitted)
	}
}

func (l *life) Instance(context.Context, string) (auth.Instance, error) {
	i := l.is
	if l.stales > 0 {
		l.stales--
		switch l.stale {
		case "state":
			i = l.was
		case "tags":
			i.Tags = nil
		case "pass tag":
			i = tagged(i, "")
		}
	}
	i.Tags = maps.Clone(i.Tags)
	return i, nil
}

func (l *life) Tags(context.Context, string) (map[string]string, error) {
	if l.stales > 0 && l.stale == "pass tag" {
		l.stales--
		return tagged(l.is, "").Tags, nil
	}
	return maps.Clone(l.is.Tags), nil
}

func (l *life) Stop(context.Context, string) error {
	if l.is.State.Up() && l.entitled[l.is.LaunchTime.UnixMilli()] {
		l.t.Fatal("an admitted start was stopped")
	}
	l.asked = true
	switch {
	case l.is.State == auth.Pending && l.first:
		return auth.ErrNotYet
	case l.is.State == auth.Pending && l.lost, !l.is.State.Up():
		return nil
	}
	l.rest()
	return nil
}

func (l *life) Untag(_ context.Context, _, key, value string) error {
	if value != "" && value == l.live {
		l.t.Fatal("the tag of a live pass was removed")
	}
	if key == passTag && l.is.Tags[key] == value {
		l.is = tagged(l.is, "")
	}
	return nil
}

func (l *life) Unprotect(context.Context, string) error { panic("nothing is protected here") }
func (l *life) Terminate(context.Context, string) error { panic("nothing is terminated here") }
