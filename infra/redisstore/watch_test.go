package redisstore_test

import (
	"context"
	"testing"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"sekisho/infra/redisstore"
)

func TestWatchSeesWhatFailed(t *testing.T) {
	server := miniredis.RunT(t)
	client, err := redisstore.Dial("redis://" + server.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	var failures []error
	redisstore.Watch(client, func(err error) { failures = append(failures, err) })
	if err := client.Set(t.Context(), "text", "x", 0).Err(); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		do   func(context.Context)
		want int
	}{
		{"a key that is there", func(ctx context.Context) { client.Get(ctx, "text") }, 0},
		{"a key that is not", func(ctx context.Context) { client.Get(ctx, "nothing") }, 0},
		{"a script that is not known yet", func(ctx context.Context) { redis.NewScript("return 1").Run(ctx, client, nil) }, 0},
		{"a command refused", func(ctx context.Context) { client.HGetAll(ctx, "text") }, 1},
		{"a pipeline that works", func(ctx context.Context) {
			client.Pipelined(ctx, func(p redis.Pipeliner) error { p.Get(ctx, "nothing"); p.Get(ctx, "text"); return nil })
		}, 0},
		{"a pipeline of which two are refused", func(ctx context.Context) {
			client.Pipelined(ctx, func(p redis.Pipeliner) error {
				p.Get(ctx, "nothing")
				p.HGetAll(ctx, "text")
				p.HGetAll(ctx, "text")
				return nil
			})
		}, 1},
		{"a server that is gone", func(ctx context.Context) { server.Close(); client.Get(ctx, "text") }, 1},
	} {
		failures = nil
		c.do(t.Context())
		if len(failures) != c.want {
			t.Errorf("%s: %d failures, want %d: %v", c.name, len(failures), c.want, failures)
		}
	}
}
