package redisstore_test

import (
	"context"
	"testing"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"sekisho/auth/authtest"
	"sekisho/infra/redisstore"
	"sekisho/infra/redisstore/redistest"
)

func TestPromisesOnMiniredis(t *testing.T) {
	authtest.Stores(t, func(t *testing.T) authtest.Store {
		return open(t, "redis://"+miniredis.RunT(t).Addr())
	})
}

func TestPromisesOnRedis(t *testing.T) {
	url := "redis://" + redistest.Server(t)
	authtest.Stores(t, func(t *testing.T) authtest.Store { return open(t, url) })
}

func TestPromisesOnACluster(t *testing.T) {
	addrs := redistest.Cluster(t)
	authtest.Stores(t, func(t *testing.T) authtest.Store {
		return open(t, "redis://"+addrs[0]+","+addrs[1]+","+addrs[2])
	})
}

// open gives an empty store at the URL.
func open(t *testing.T, url string) *redisstore.Store {
	t.Helper()
	client, err := redisstore.Dial(url)
	if err != nil {
		t.Fatal(err)
	}
	s := redisstore.New(client)
	t.Cleanup(func() { s.Close() })
	flush := func(ctx context.Context, c *redis.Client) error { return c.FlushAll(ctx).Err() }
	if cluster, ok := client.(*redis.ClusterClient); ok {
		err = cluster.ForEachMaster(t.Context(), flush)
	} else {
		err = flush(t.Context(), client.(*redis.Client))
	}
	if err != nil {
		t.Fatal(err)
	}
	return s
}
