package redisstore_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"sekisho/auth"
	"sekisho/auth/doctor"
	"sekisho/infra/redisstore"
	"sekisho/infra/redisstore/redistest"
)

// set changes a server's settings, one pair after another.
func set(t *testing.T, addr string, pairs ...string) *redis.Client {
	t.Helper()
	c := redis.NewClient(&redis.Options{Addr: addr})
	t.Cleanup(func() { c.Close() })
	for ; len(pairs) > 0; pairs = pairs[2:] {
		if err := c.ConfigSet(t.Context(), pairs[0], pairs[1]).Err(); err != nil {
			t.Fatal(err)
		}
	}
	return c
}

// look looks through REDIS_URL. The round trip and the memory in use are what they are.
func look(t *testing.T, url string) (f doctor.RedisFacts, rest doctor.RedisFacts) {
	t.Helper()
	client, err := redisstore.Dial(url)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	if f, err = redisstore.New(client).Look(t.Context()); err != nil {
		t.Fatal(err)
	}
	rest = f
	rest.Version, rest.Used, rest.RoundTrip, rest.Clock, rest.Swept = "", 0, 0, time.Time{}, time.Time{}
	return f, rest
}

func TestLook(t *testing.T) {
	addr := redistest.Server(t)
	url := "redis://" + addr
	bare := doctor.RedisFacts{Program: "redis", Append: "0", Snapshots: "0", Eviction: "noeviction"}
	f, rest := look(t, url)
	if rest != bare {
		t.Errorf("a bare server: %+v", f)
	}
	if !strings.Contains(f.Version, ".") || f.Used < 100_000 || f.RoundTrip <= 0 ||
		time.Since(f.Clock).Abs() > time.Minute || !f.Swept.IsZero() {
		t.Errorf("of a new server: %+v", f)
	}

	client := set(t, addr, "maxmemory-policy", "allkeys-lru", "maxmemory", "100mb", "appendonly", "yes", "save", "60 1")
	swept := time.UnixMilli(1_764_000_000_123)
	if err := redisstore.New(client).PutSwept(t.Context(), swept); err != nil {
		t.Fatal(err)
	}
	want := doctor.RedisFacts{Program: "redis", Append: "1", Snapshots: "1", Eviction: "allkeys-lru", Max: 100 << 20}
	if f, rest := look(t, url); rest != want || !f.Swept.Equal(swept) {
		t.Errorf("changed: %+v", f)
	}
}

// One node that is not as it must be is enough, whichever it is.
func TestLookAtACluster(t *testing.T) {
	addrs := redistest.Cluster(t)
	url := "redis://" + strings.Join(addrs, ",")
	all := doctor.RedisFacts{
		Program: "redis", Cluster: true, AsCluster: true, Append: "1", Snapshots: "1", Eviction: "noeviction", Max: 900 << 30,
	}
	for _, addr := range addrs {
		set(t, addr, "appendonly", "yes", "save", "60 1", "maxmemory", "900gb")
	}
	f, rest := look(t, url)
	if rest != all || f.Version == "" || f.Used == 0 || f.Clock.IsZero() {
		t.Errorf("a cluster: %+v", f)
	}
	for n, addr := range addrs {
		for setting, c := range map[string]struct {
			bad, good string
			change    func(*doctor.RedisFacts)
		}{
			"appendonly":       {"no", "yes", func(f *doctor.RedisFacts) { f.Append = "0" }},
			"save":             {"", "60 1", func(f *doctor.RedisFacts) { f.Snapshots = "0" }},
			"maxmemory-policy": {"volatile-ttl", "noeviction", func(f *doctor.RedisFacts) { f.Eviction = "volatile-ttl" }},
			"maxmemory":        {"100mb", "900gb", func(f *doctor.RedisFacts) { f.Max = 100 << 20 }},
		} {
			want := all
			c.change(&want)
			set(t, addr, setting, c.bad)
			if f, rest := look(t, url); rest != want {
				t.Errorf("with %s %q on node %d: %+v", setting, c.bad, n, f)
			}
			set(t, addr, setting, c.good)
		}
	}
	alone, _ := look(t, "redis://"+addrs[0])
	if !alone.Cluster || alone.AsCluster || alone.Append != "1" {
		t.Errorf("a cluster taken for one server: %+v", alone)
	}
}

func TestLookAtOneServerTakenForACluster(t *testing.T) {
	f, _ := look(t, "redis://"+redistest.Server(t)+"?cluster=true")
	if f.Cluster || !f.AsCluster || f.Append != "0" || f.Version == "" {
		t.Errorf("got %+v", f)
	}
}

// A server that says nothing of itself has no facts but these.
func TestLookAtATaciturnServer(t *testing.T) {
	server := miniredis.RunT(t)
	f, rest := look(t, "redis://"+server.Addr())
	if rest != (doctor.RedisFacts{}) || f.RoundTrip <= 0 || f.Clock.IsZero() {
		t.Errorf("got %+v", f)
	}
}

func TestLookWithoutTheRight(t *testing.T) {
	addr := redistest.Server(t)
	admin := set(t, addr)
	for user, rules := range map[string][]any{"noinfo": {"-info"}, "notime": {"-time"}} {
		args := append([]any{"ACL", "SETUSER", user, "on", ">test-password", "~*", "+@all"}, rules...)
		if err := admin.Do(t.Context(), args...).Err(); err != nil {
			t.Fatal(err)
		}
		client, err := redisstore.Dial("redis://" + user + ":test-password@" + addr)
		if err != nil {
			t.Fatal(err)
		}
		defer client.Close()
		_, err = redisstore.New(client).Look(t.Context())
		if !errors.Is(err, doctor.ErrUnseen) || errors.Is(err, auth.ErrUnavailable) || !strings.Contains(err.Error(), "+info and +time") {
			t.Errorf("%s: %v", user, err)
		}
		if strings.Contains(err.Error(), "test-password") {
			t.Errorf("%s: the error holds the password: %v", user, err)
		}
	}
	// CONFIG is an administrator's: without it the facts are fewer.
	if err := admin.Do(t.Context(), "ACL", "SETUSER", "noconfig", "on", ">test-password", "~*", "+@all", "-config").Err(); err != nil {
		t.Fatal(err)
	}
	if f, _ := look(t, "redis://noconfig:test-password@"+addr); f.Snapshots != "" || f.Append != "0" {
		t.Errorf("without CONFIG: %+v", f)
	}
}

func TestLookWhereTheStoreIsAway(t *testing.T) {
	proxy := redistest.NewProxy(t, redistest.Server(t))
	proxy.Cut()
	for _, url := range []string{"redis://" + proxy.Addr, "redis://" + proxy.Addr + "?cluster=true"} {
		client, err := redisstore.Dial(url)
		if err != nil {
			t.Fatal(err)
		}
		defer client.Close()
		if _, err := redisstore.New(client).Look(context.Background()); !errors.Is(err, auth.ErrUnavailable) {
			t.Errorf("%s: %v", url, err)
		}
	}
}
