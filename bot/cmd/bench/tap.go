package main

import (
	"context"
	"fmt"
	"net"
	"sync"

	"github.com/redis/go-redis/v9"
)

// tap counts the round trips of a Redis client, and keeps the last command.
type tap struct {
	mu    sync.Mutex
	trips int
	last  []string
}

func (t *tap) count() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.trips
}

// lastSent gives the last command's words as they went over the wire.
func (t *tap) lastSent() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.last
}

func (t *tap) see(c redis.Cmder) {
	var words []string
	for _, a := range c.Args() {
		words = append(words, wireForm(a))
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.trips++
	t.last = words
}

func wireForm(arg any) string {
	switch a := arg.(type) {
	case bool:
		if a {
			return "1"
		}
		return "0"
	default:
		return fmt.Sprint(a)
	}
}

// ProcessHook and ProcessPipelineHook make tap a redis.Hook. A pipeline is one
// round trip.
func (t *tap) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, c redis.Cmder) error {
		t.see(c)
		return next(ctx, c)
	}
}

func (t *tap) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, all []redis.Cmder) error {
		t.see(all[len(all)-1])
		return next(ctx, all)
	}
}

// DialHook leaves dialing alone.
func (t *tap) DialHook(next redis.DialHook) redis.DialHook {
	return func(ctx context.Context, network, addr string) (net.Conn, error) { return next(ctx, network, addr) }
}
