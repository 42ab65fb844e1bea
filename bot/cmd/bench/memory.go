package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/redis/go-redis/v9"

	"sekisho/infra/redisstore"
)

const (
	memoryPasses  = 1_000_000
	memoryCallers = 512
)

// passMemory measures what a live pass takes in Redis: a million of them, each
// of another instance, which is the dearest way to have them.
func passMemory(ctx context.Context, w *workshop) ([]row, error) {
	server, err := startRedis(ctx, w.dir)
	if err != nil {
		return nil, err
	}
	defer server.Close()
	client, err := server.dial()
	if err != nil {
		return nil, err
	}
	defer client.Close()
	before, err := usedMemory(ctx, client)
	if err != nil {
		return nil, err
	}
	if err := putMany(ctx, client, memoryPasses); err != nil {
		return nil, err
	}
	after, err := usedMemory(ctx, client)
	if err != nil {
		return nil, err
	}
	if n := client.DBSize(ctx).Val(); n != memoryPasses {
		return nil, fmt.Errorf("there are %d keys after %d passes", n, memoryPasses)
	}
	each := (after - before) / memoryPasses
	r := row{measured: "Redis memory, 1,000,000 live passes", ours: fmt.Sprintf("%.0f MiB, %.0f B each", (after-before)/(1<<20), each)}
	return []row{r.judge(each, reach{atMost: 400, format: "%.0f B"})}, nil
}

// putMany stores passes from many goroutines, whose commands share round trips.
func putMany(ctx context.Context, client *redis.Client, passes int) error {
	batched, err := client.AutoPipeline()
	if err != nil {
		return err
	}
	defer batched.Close()
	store := redisstore.New(batched)
	_, err = rate(memoryCallers, passes, func(n int) error {
		_, err := store.PutPass(ctx, newPass(fmt.Sprintf("i-%017x", n), person, passID(n)))
		return err
	})
	return err
}

func usedMemory(ctx context.Context, client *redis.Client) (float64, error) {
	info, err := client.Info(ctx, "memory").Result()
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(info) {
		if value, ok := strings.CutPrefix(line, "used_memory:"); ok {
			return strconv.ParseFloat(strings.TrimSpace(value), 64)
		}
	}
	return 0, errors.New("INFO memory says nothing of used_memory")
}
