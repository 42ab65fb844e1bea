package redisstore

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"sekisho/auth/doctor"
)

var _ doctor.Redis = (*Store)(nil)

// pings is how often the way to the store and back is measured.
const pings = 5

// Look keeps the promise of doctor.Redis. Of a cluster's primaries it gives the
// worst of each fact: the state is on all of them. A cluster that REDIS_URL takes
// for one server, or the other way round, is asked for nothing more.
func (s *Store) Look(ctx context.Context) (doctor.RedisFacts, error) {
	facts, err := s.nodes(ctx)
	if err != nil || facts.Cluster != facts.AsCluster {
		return facts, unseen(err)
	}
	if facts.RoundTrip, err = s.roundTrip(ctx); err != nil {
		return facts, unseen(err)
	}
	if facts.Clock, err = s.client.Time(ctx).Result(); err != nil {
		return facts, unseen(err)
	}
	facts.Swept, err = s.Swept(ctx)
	return facts, err
}

// nodes looks at every primary.
func (s *Store) nodes(ctx context.Context) (doctor.RedisFacts, error) {
	cluster, ok := s.client.(*redis.ClusterClient)
	if !ok {
		return lookAt(ctx, s.client)
	}
	var mu sync.Mutex
	var all []doctor.RedisFacts
	err := cluster.ForEachMaster(ctx, func(ctx context.Context, node *redis.Client) error {
		one, err := lookAt(ctx, node)
		mu.Lock()
		defer mu.Unlock()
		all = append(all, one)
		return err
	})
	if err != nil && strings.Contains(err.Error(), "cluster support disabled") {
		return lookAlone(ctx, cluster.Options())
	}
	if err != nil || len(all) == 0 {
		return doctor.RedisFacts{}, err
	}
	worst := all[0]
	for _, one := range all[1:] {
		worst = worse(worst, one)
	}
	worst.Cluster, worst.AsCluster = true, true // it has named its primaries, whatever INFO leaves out
	return worst, nil
}

// lookAlone looks at a server that is not the cluster which REDIS_URL takes it for.
func lookAlone(ctx context.Context, o *redis.ClusterOptions) (doctor.RedisFacts, error) {
	node := redis.NewClient(&redis.Options{
		Addr: o.Addrs[0], Username: o.Username, Password: o.Password, TLSConfig: o.TLSConfig,
		DialTimeout: o.DialTimeout, ReadTimeout: o.ReadTimeout, WriteTimeout: o.WriteTimeout, ContextTimeoutEnabled: true,
		MaintNotificationsConfig: o.MaintNotificationsConfig,
	})
	defer node.Close()
	facts, err := lookAt(ctx, node)
	facts.AsCluster = true
	return facts, err
}

// lookAt reads one node. INFO without a section is what every server takes; older
// ones take no two sections.
// https://redis.io/docs/latest/commands/info/
func lookAt(ctx context.Context, node redis.Cmdable) (doctor.RedisFacts, error) {
	text, err := node.Info(ctx).Result()
	if err != nil {
		return doctor.RedisFacts{}, err
	}
	info := make(map[string]string)
	for line := range strings.Lines(text) {
		if key, value, ok := strings.Cut(strings.TrimSpace(line), ":"); ok {
			info[key] = value
		}
	}
	f := doctor.RedisFacts{
		Version: info["redis_version"], Program: info["server_name"], Cluster: info["cluster_enabled"] == "1",
		Append: info["aof_enabled"], Snapshots: snapshots(ctx, node), Eviction: info["maxmemory_policy"],
	}
	if f.Program == "" && f.Version != "" {
		f.Program = "redis" // which does not say so
	}
	f.Used, _ = strconv.ParseInt(info["used_memory"], 10, 64)
	f.Max, _ = strconv.ParseInt(info["maxmemory"], 10, 64)
	return f, nil
}

// snapshots asks for what INFO does not say. Managed services have no CONFIG, and
// there nothing is known.
func snapshots(ctx context.Context, node redis.Cmdable) string {
	set, err := node.ConfigGet(ctx, "save").Result()
	schedule, said := set["save"]
	switch {
	case err != nil || !said:
		return ""
	case schedule == "":
		return "0"
	}
	return "1"
}

// worse joins what two nodes say, fact by fact.
func worse(a, b doctor.RedisFacts) doctor.RedisFacts {
	if slices.Compare(numbers(b.Version), numbers(a.Version)) < 0 {
		a.Version, a.Program = b.Version, b.Program
	}
	a.Append, a.Snapshots = min(a.Append, b.Append), min(a.Snapshots, b.Snapshots)
	if a.Eviction == "noeviction" {
		a.Eviction = b.Eviction
	}
	if fuller(b, a) {
		a.Used, a.Max = b.Used, b.Max
	}
	return a
}

// fuller compares shares of the limit; where there is none, nothing is full.
func fuller(a, b doctor.RedisFacts) bool {
	share := func(f doctor.RedisFacts) float64 {
		if f.Max == 0 {
			return 0
		}
		return float64(f.Used) / float64(f.Max)
	}
	return cmp.Or(cmp.Compare(share(a), share(b)), cmp.Compare(a.Used, b.Used)) > 0
}

// numbers reads "7.0.15".
func numbers(version string) (all []int) {
	for _, part := range strings.Split(version, ".") {
		n, _ := strconv.Atoi(part)
		all = append(all, n)
	}
	return all
}

// roundTrip is the median, so that opening a connection does not count.
func (s *Store) roundTrip(ctx context.Context) (time.Duration, error) {
	took := make([]time.Duration, pings)
	for n := range took {
		begun := time.Now()
		if err := s.client.Ping(ctx).Err(); err != nil {
			return 0, err
		}
		took[n] = time.Since(begun)
	}
	slices.Sort(took)
	return took[pings/2], nil
}

// unseen marks what the store's ACL keeps from the bot, which otherwise works.
func unseen(err error) error {
	if redis.HasErrorPrefix(err, "NOPERM") {
		return fmt.Errorf("redis %w: %w; allow its user +info and +time", doctor.ErrUnseen, err)
	}
	return away(err)
}
