package redisstore_test

import (
	"context"
	"testing"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"sekisho/auth/authtest"
	"sekisho/auth/purge"
	"sekisho/auth/purge/purgetest"
	"sekisho/auth/report"
	"sekisho/auth/report/reporttest"
	"sekisho/infra/redisstore"
	"sekisho/infra/redisstore/redistest"
)

func TestPromisesOnMiniredis(t *testing.T) {
	promises(t, func(t *testing.T) string { return "redis://" + miniredis.RunT(t).Addr() })
}

func TestPromisesOnRedis(t *testing.T) {
	url := "redis://" + redistest.Server(t)
	promises(t, func(*testing.T) string { return url })
}

func TestPromisesOnACluster(t *testing.T) {
	addrs := redistest.Cluster(t)
	url := "redis://" + addrs[0] + "," + addrs[1] + "," + addrs[2]
	promises(t, func(*testing.T) string { return url })
}

func promises(t *testing.T, url func(*testing.T) string) {
	authtest.Stores(t, func(t *testing.T) authtest.Store { return redisstore.New(connect(t, url(t))) })
	purgetest.Stores(t, func(t *testing.T) (purge.Store, purge.Budget) {
		keys := redisstore.New(connect(t, url(t))).Keys()
		return keys, keys
	})
	authtest.Trails(t, func(t *testing.T) authtest.TrailStore { return trailStore(t, connect(t, url(t))) })
	reports := func(t *testing.T) *redisstore.Reports { return redisstore.New(connect(t, url(t))).Reports() }
	reporttest.Snapshots(t, func(t *testing.T) report.Snapshots { return reports(t) })
	reporttest.Deliveries(t, func(t *testing.T) report.Deliveries { return reports(t) })
	t.Run("the trail is read from a time on", func(t *testing.T) { since(t, connect(t, url(t))) })
}

// connect gives a client of the server at the URL, which it empties.
func connect(t *testing.T, url string) redis.UniversalClient {
	t.Helper()
	client, err := redisstore.Dial(url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close() })
	flush := func(ctx context.Context, c *redis.Client) error { return c.FlushAll(ctx).Err() }
	if cluster, ok := client.(*redis.ClusterClient); ok {
		err = cluster.ForEachMaster(t.Context(), flush)
	} else {
		err = flush(t.Context(), client.(*redis.Client))
	}
	if err != nil {
		t.Fatal(err)
	}
	return client
}
