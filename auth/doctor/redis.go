package doctor

import (
	"context"
	"strconv"
	"strings"
	"time"
)

// oldest is the Redis whose commands are used, and Valkey began later.
const oldestMajor, oldestMinor = 6, 2

const (
	// slowRedis is a round trip that people would feel: a command makes three.
	slowRedis = 100 * time.Millisecond
	// skew is how far clocks may be apart. Slack and AWS refuse what was signed 5
	// minutes ago; passes and deadlines are judged by the process's own.
	skew = 30 * time.Second
	// sweepsEvery is longer than any sensible schedule of sweeps.
	sweepsEvery = time.Hour
	// listedLate is what a sweep's mark lies behind it.
	listedLate = 2 * time.Minute
)

func (d *Doctor) redis(ctx context.Context) []Line {
	f, err := d.Redis.Look(ctx)
	if err != nil {
		return []Line{failed("redis.reach", "Redis cannot be looked at", "compare REDIS_URL, security groups, TLS (rediss://) and the password", err)}
	}
	if f.Cluster != f.AsCluster {
		return []Line{cluster(f)} // it was asked for nothing more
	}
	return []Line{
		reach(f), version(f), eviction(f), persistence(f), cluster(f),
		d.clock("redis.clock", "Redis's", f.Clock), d.swept(f),
	}
}

func reach(f RedisFacts) Line {
	took := f.RoundTrip.Round(10 * time.Microsecond)
	if f.RoundTrip > slowRedis {
		return bad("redis.reach", "put the process and Redis into one Region, and look whether Redis is busy", "Redis answers after %v, and each command asks it three times", took)
	}
	return good("redis.reach", "Redis answers in %v", took)
}

func version(f RedisFacts) Line {
	if f.Version == "" {
		return unknown("redis.version", "see in its console that it is Redis 6.2, Valkey 7.2 or newer", "Redis does not say which version it is")
	}
	major, minor, _ := strings.Cut(f.Version, ".")
	minor, _, _ = strings.Cut(minor, ".")
	x, _ := strconv.Atoi(major)
	y, _ := strconv.Atoi(minor)
	if x < oldestMajor || x == oldestMajor && y < oldestMinor {
		return bad("redis.version", "move to Redis 6.2 or Valkey 7.2, or newer", "%s %s lacks commands that are used", program(f), f.Version)
	}
	return good("redis.version", "%s %s", program(f), f.Version)
}

func program(f RedisFacts) string {
	if f.Program == "valkey" {
		return "Valkey, as Redis"
	}
	return "Redis"
}

func eviction(f RedisFacts) Line {
	const check, do = "redis.eviction", "set maxmemory-policy to noeviction, and an alarm on its memory"
	switch f.Eviction {
	case "":
		return unknown(check, "see in its console that maxmemory-policy is noeviction", "Redis does not say what it does when its memory is full")
	case "noeviction":
		return good(check, "Redis evicts nothing when its memory is full")
	}
	return bad(check, do, "Redis evicts keys when its memory is full (%s): it would lose passes, grants and the trail", f.Eviction)
}

func persistence(f RedisFacts) Line {
	const check = "redis.persistence"
	switch {
	case f.Append == "1":
		return good(check, "Redis writes each change to disk (AOF)")
	case f.Snapshots == "1":
		return good(check, "Redis saves snapshots; a crash loses what came after the last")
	case f.Append != "0" || f.Snapshots != "0": // managed services keep their data in ways of their own, and say little
		return unknown(check, "see in its console that it has backups, replicas in several zones or a durable log", "Redis does not say whether it keeps anything over a restart")
	}
	return bad(check, "switch on AOF (appendonly yes), or snapshots, or use a durable service", "Redis keeps nothing over a restart: passes, grants and the trail would be gone")
}

func cluster(f RedisFacts) Line {
	const check = "redis.cluster"
	switch {
	case !f.Cluster && f.AsCluster:
		return bad(check, "take ?cluster=true out of REDIS_URL, or name one server", "this Redis is one server, and REDIS_URL speaks to it as to a cluster")
	case f.Cluster && !f.AsCluster:
		return bad(check, "add ?cluster=true to REDIS_URL, or name several nodes", "this Redis is a cluster, and REDIS_URL speaks to it as to one server")
	case f.Cluster:
		return good(check, "a cluster")
	}
	return good(check, "one server, or Sentinel's")
}

// swept looks whether the schedule of sweeps arrives.
func (d *Doctor) swept(f RedisFacts) Line {
	const check, do = "sweep", "look at the schedule that sends the event Sweep, and at its dead-letter queue; `sekisho sweep` makes one now"
	if f.Swept.IsZero() {
		return bad(check, do, "no sweep was ever finished: nothing would find what events missed")
	}
	ago := d.Now().Sub(f.Swept) - listedLate
	if ago > sweepsEvery {
		return bad(check, do, "the last sweep was %v ago", ago.Round(time.Minute))
	}
	return good(check, "the last sweep was %v ago", max(ago, 0).Round(time.Second))
}

// clock compares another's clock with the process's own.
func (d *Doctor) clock(check, whose string, its time.Time) Line {
	if its.IsZero() {
		return unknown(check, "", "%s clock is not known", whose)
	}
	off := d.Now().Sub(its)
	if off.Abs() > skew {
		return bad(check, "set this machine's clock by NTP", "this clock and %s are %v apart: signatures will be refused, and deadlines be wrong", whose, off.Abs().Round(time.Second))
	}
	return good(check, "this clock and %s are together", whose)
}
