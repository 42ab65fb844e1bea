package bot_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"sekisho/auth"
	"sekisho/commands"
)

// taker is what a Source hands messages to.
type taker = func(ctx context.Context, id, text string, sent time.Time) error

// source plays a queue: each entry is one Receive.
type source struct {
	mu    sync.Mutex
	plays []func(context.Context, taker) error
	times []time.Time
	end   context.CancelFunc // called when all is played
}

func (s *source) Receive(ctx context.Context, handle taker) error {
	s.mu.Lock()
	s.times = append(s.times, time.Now())
	if len(s.plays) == 0 {
		s.mu.Unlock()
		s.end()
		<-ctx.Done()
		return ctx.Err()
	}
	play := s.plays[0]
	s.plays = s.plays[1:]
	s.mu.Unlock()
	return play(ctx, handle)
}

func TestPollHandsOverUntilItsEnd(t *testing.T) {
	w := newWorld(t)
	w.ec2.up(webID, noon)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var good, bad error
	s := &source{end: cancel}
	s.plays = append(s.plays, func(ctx context.Context, handle taker) error {
		good = handle(ctx, "m1", string(fixture(t, "events/pending.json")), noon)
		bad = handle(ctx, "m2", "no event", noon)
		return nil
	})
	w.Poll(ctx, s)
	if good != nil || len(w.ec2.stopped) != 1 {
		t.Errorf("the good message: %v, stopped %v", good, w.ec2.stopped)
	}
	if bad == nil {
		t.Error("the bad message was handled without an error: it would be removed")
	}
}

// A source that is away is asked again, less and less often; one good answer
// makes the pauses short again.
func TestPollHasPatience(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := worldOn(t, nil)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		fails := func(context.Context, taker) error {
			return errors.New("SQS is away")
		}
		works := func(context.Context, taker) error { return nil }
		s := &source{end: cancel}
		for range 12 {
			s.plays = append(s.plays, fails)
		}
		s.plays = append(s.plays, works, fails)
		w.Poll(ctx, s)
		pause := func(n int) time.Duration { return s.times[n+1].Sub(s.times[n]) }
		if first := pause(0); first < 200*time.Millisecond || first > time.Second {
			t.Errorf("the first pause is %s", first)
		}
		if last := pause(11); last < 10*time.Second || last > time.Minute {
			t.Errorf("after 12 failures the pause is %s", last)
		}
		if pause(12) != 0 {
			t.Errorf("after a good answer it paused for %s", pause(12))
		}
		if again := pause(13); again > time.Second {
			t.Errorf("the first pause after a good answer is %s", again)
		}
	})
}

func TestPollEndsWhileItWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := worldOn(t, nil)
		ctx, cancel := context.WithCancel(t.Context())
		s := &source{end: cancel}
		for range 100 {
			s.plays = append(s.plays, func(context.Context, taker) error {
				return errors.New("SQS is away")
			})
		}
		ended := make(chan struct{})
		go func() { w.Poll(ctx, s); close(ended) }()
		synctest.Wait() // it pauses
		cancel()
		synctest.Wait()
		select {
		case <-ended:
		default:
			t.Error("it sleeps on")
		}
	})
}

// A job that takes minutes keeps the next start waiting for one at most, and
// at its end Poll has finished it.
func TestPollReadsOnBesideALongJob(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := worldOn(t, nil)
		w.AddJob(commands.Job{Source: "test", DetailType: "long", Door: auth.DoorKeys, Within: time.Hour,
			Run: func(context.Context, *commands.Desk, commands.Event) error {
				time.Sleep(10 * time.Minute)
				return nil
			}})
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		start := time.Now()
		var next, finished time.Duration
		s := &source{end: cancel}
		s.plays = append(s.plays, func(ctx context.Context, handle taker) error {
			err := handle(context.WithoutCancel(ctx), "m1", `{"source":"test","detail-type":"long"}`, noon)
			finished = time.Since(start)
			return err
		}, func(context.Context, taker) error {
			next = time.Since(start)
			return nil
		})
		w.Poll(ctx, s)
		if next != time.Minute || finished != 10*time.Minute || time.Since(start) != finished {
			t.Errorf("the next was read after %v, the long job finished after %v, and Poll after %v; want 1m, 10m, 10m",
				next, finished, time.Since(start))
		}
	})
}
