package redistest_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"

	"github.com/redis/go-redis/v9"

	"sekisho/infra/redisstore/redistest"
)

// A tap shows each command, pipelined ones too, and passes every kind of answer on;
// one that is kept has had its effect.
func TestTap(t *testing.T) {
	server := redistest.Server(t)
	var mu sync.Mutex
	var seen []string
	tap := redistest.NewTap(t, server, func(command []string, do func() error) error {
		mu.Lock()
		seen = append(seen, command[0])
		mu.Unlock()
		if err := do(); err != nil {
			return err
		}
		if command[0] == "incr" {
			return errors.New("kept")
		}
		return nil
	})
	ctx := context.Background()
	client := redis.NewClient(&redis.Options{Addr: tap.Addr, MaxRetries: -1})
	_, err := client.Pipelined(ctx, func(p redis.Pipeliner) error {
		p.HSet(ctx, "hash", "a", "1\r\n$", "b", "")
		p.SAdd(ctx, "set", "x", "y")
		p.Set(ctx, "text", "0", 0)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if all, err := client.HGetAll(ctx, "hash").Result(); err != nil || len(all) != 2 || all["a"] != "1\r\n$" {
		t.Errorf("the hash: %v, %v", all, err)
	}
	if all, err := client.SMembers(ctx, "set").Result(); err != nil || len(all) != 2 {
		t.Errorf("the set: %v, %v", all, err)
	}
	if err := client.Get(ctx, "nothing").Err(); !errors.Is(err, redis.Nil) {
		t.Errorf("what is not there: %v", err)
	}
	if err := client.LPush(ctx, "text", "x").Err(); err == nil {
		t.Error("an error of the server's does not come through")
	}
	if n, err := client.Incr(ctx, "text").Result(); err == nil {
		t.Errorf("an answer that was kept arrives: %d", n)
	}
	if text, err := client.Get(ctx, "text").Result(); text != "1" || err != nil {
		t.Errorf("what was done and not answered: %q, %v", text, err)
	}
	client.Close()
	tap.Close()
	for _, want := range []string{"hset", "sadd", "set", "hgetall", "smembers", "get", "lpush", "incr"} {
		if !slices.Contains(seen, want) {
			t.Errorf("%s was not seen: %v", want, seen)
		}
	}
}
