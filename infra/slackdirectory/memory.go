package slackdirectory

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/slack-go/slack"
	"golang.org/x/sync/singleflight"

	"sekisho/auth"
)

const (
	fresh   = time.Minute      // usergroups.users.list takes 20 calls a minute
	retry   = 10 * time.Second // after which Slack, when away, is asked again
	stale   = 24 * time.Hour   // after which an old answer no longer stands in
	callFor = 5 * time.Second
	// patience is how long somebody waits who could have an old answer: Slack
	// itself gives a request 3 seconds.
	patience = time.Second
	most     = 1000 // answers remembered
)

// memory asks once for all who want to know the same at the same time, and
// remembers. auth.ErrNobody is an answer too.
type memory[V any] struct {
	ask     func(ctx context.Context, id string) (V, error)
	log     *slog.Logger
	now     func() time.Time
	flights singleflight.Group
	mu      sync.Mutex
	known   map[string]answer[V]
}

type answer[V any] struct {
	value V
	err   error     // auth.ErrNobody or nil
	at    time.Time // when Slack gave it
	next  time.Time // when to ask again
}

func newMemory[V any](ask func(context.Context, string) (V, error), log *slog.Logger, now func() time.Time) *memory[V] {
	return &memory[V]{ask: ask, log: log, now: now, known: make(map[string]answer[V])}
}

// recall gives a fresh answer, or the last good one while Slack is away. The
// call goes on for others when ctx ends.
func (m *memory[V]) recall(ctx context.Context, id string) (V, error) {
	last, known := m.look(id)
	if known && m.now().Before(last.next) {
		return last.value, last.err
	}
	var enough <-chan time.Time
	if known {
		enough = time.After(patience)
	}
	var none V
	select {
	case got := <-m.flights.DoChan(id, func() (any, error) { return m.fetch(context.WithoutCancel(ctx), id) }):
		if got.Err != nil {
			return none, got.Err
		}
		a := got.Val.(answer[V])
		return a.value, a.err
	case <-enough:
		return last.value, last.err
	case <-ctx.Done():
		return none, context.Cause(ctx)
	}
}

func (m *memory[V]) fetch(ctx context.Context, id string) (answer[V], error) {
	last, known := m.look(id)
	if known && m.now().Before(last.next) {
		return last, nil // another flight landed between the caller's look and this one
	}
	ctx, cancel := context.WithTimeout(ctx, callFor)
	defer cancel()
	v, err := m.ask(ctx, id)
	now := m.now()
	var refused *refusal
	switch {
	case err == nil || errors.Is(err, auth.ErrNobody):
		last = answer[V]{v, err, now, now.Add(fresh)}
	case errors.As(err, &refused):
		m.forget(id)
		return last, err
	case !known:
		return last, err
	default:
		last.next = now.Add(holdOff(err))
		m.log.Warn("Slack is away: its last answer stands", "of", id, "age", now.Sub(last.at), "error", err)
	}
	m.keep(id, last)
	return last, nil
}

// holdOff is how long not to ask again.
func holdOff(err error) time.Duration {
	var limited *slack.RateLimitedError
	if errors.As(err, &limited) {
		return max(retry, limited.RetryAfter)
	}
	return retry
}

func (m *memory[V]) look(id string) (answer[V], bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	a, known := m.known[id]
	if known && m.now().Sub(a.at) > stale {
		delete(m.known, id)
		return answer[V]{}, false
	}
	return a, known
}

// keep remembers an answer, if need be in the place of the oldest.
func (m *memory[V]) keep(id string, a answer[V]) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, known := m.known[id]; !known && len(m.known) >= most {
		oldest := ""
		for other, o := range m.known {
			if oldest == "" || o.at.Before(m.known[oldest].at) {
				oldest = other
			}
		}
		delete(m.known, oldest)
	}
	m.known[id] = a
}

func (m *memory[V]) forget(id string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.known, id)
}
