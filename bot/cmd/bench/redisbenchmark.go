package main

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"sekisho/infra/redisstore"
)

// scripts are the store's two commands with placeholders for redis-benchmark,
// which puts another number of 12 digits in the place of each.
type scripts struct{ put, judge []string }

const (
	random       = "__rand_int__"
	someInstance = "i-00000" + random
	someID       = random + "0123456789" // as long as a digest
	oneID        = "0123456789012345678901"
)

// captureScripts has the store send each command, and takes down what it
// sends: so both sides run the same, also when the store changes. Where
// redis-benchmark draws an instance again, a few times in a hundred, a script
// ends early, in its favour.
func captureScripts(ctx context.Context, server *redisServer) (s scripts, err error) {
	client, err := server.dial()
	if err != nil {
		return s, err
	}
	defer client.Close()
	var t tap
	client.AddHook(&t)
	store := redisstore.New(client)
	// The first command of a kind loads its script, the second is as all others.
	for range 2 {
		if err := client.FlushAll(ctx).Err(); err != nil {
			return s, err
		}
		if _, err := store.PutPass(ctx, newPass(someInstance, person, someID)); err != nil {
			return s, err
		}
		s.put = t.lastSent()
	}
	launch := time.UnixMilli(1_000_000_000_000)
	for range 2 {
		if _, _, err := store.Judge(ctx, knock(someInstance, oneID, launch)); err != nil {
			return s, err
		}
		s.judge = t.lastSent()
	}
	// A start that was judged before is answered at once, so each needs a launch of its own.
	for n, word := range s.judge {
		s.judge[n] = strings.Replace(word, "1000000000000", "1"+random, 1)
	}
	if s.put[0] != "evalsha" || s.judge[0] != "evalsha" {
		return s, fmt.Errorf("the store does not send scripts: %q, %q", s.put[0], s.judge[0])
	}
	return s, nil
}

// rate gives the operations per second of both scripts, as many of one as of
// the other.
func (s scripts) rate(ctx context.Context, client *redis.Client, port string) (perSecond float64, err error) {
	if err := client.FlushAll(ctx).Err(); err != nil {
		return 0, err
	}
	puts, err := redisBenchmark(ctx, port, s.put)
	if err == nil {
		err = wrote(ctx, client, 0)
	}
	if err != nil {
		return 0, err
	}
	if err := s.fill(ctx, client); err != nil {
		return 0, err
	}
	judgements, err := redisBenchmark(ctx, port, s.judge)
	if err == nil {
		err = wrote(ctx, client, issueSpace)
	}
	if err != nil {
		return 0, err
	}
	return 2 / (1/puts + 1/judgements), nil
}

// wrote makes sure that a script did its work: nearly every run of it adds a
// key, a pass or a start, to those that there were.
func wrote(ctx context.Context, client *redis.Client, before int64) error {
	n, err := client.DBSize(ctx).Result()
	if err == nil && n-before < issuePairs*8/10 {
		err = fmt.Errorf("redis-benchmark ran a script %d times, which wrote %d keys: it does not do what the store does", issuePairs, n-before)
	}
	return err
}

// fill gives every instance a live pass with the id that judge asks for.
func (s scripts) fill(ctx context.Context, client *redis.Client) error {
	if err := client.FlushAll(ctx).Err(); err != nil {
		return err
	}
	key := func(n int) string { return strings.Replace(s.judge[3], random, fmt.Sprintf("%012d", n), 1) }
	if _, err := redisstore.New(client).PutPass(ctx, newPass("i-"+strings.Repeat("0", 17), person, oneID)); err != nil {
		return err
	}
	pass, err := client.Dump(ctx, key(0)).Result()
	if err != nil {
		return fmt.Errorf("the pass is not where the script looks for it: %w", err)
	}
	const batch = 10_000
	for n := 1; n < issueSpace; n += batch {
		_, err := client.Pipelined(ctx, func(p redis.Pipeliner) error {
			for m := n; m < min(n+batch, issueSpace); m++ {
				p.RestoreReplace(ctx, key(m), 24*time.Hour, pass)
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// redisBenchmark runs one command as often as a round has pairs.
func redisBenchmark(ctx context.Context, port string, command []string) (perSecond float64, err error) {
	args := append([]string{
		"-p", port, "-c", strconv.Itoa(issueCallers), "-P", "1", "-n", strconv.Itoa(issuePairs), "-r", strconv.Itoa(issueSpace), "--csv",
	}, command...)
	out, err := exec.CommandContext(ctx, "redis-benchmark", args...).Output()
	if err != nil {
		return 0, fmt.Errorf("redis-benchmark: %w\n%s", err, out)
	}
	lines, err := csv.NewReader(strings.NewReader(string(out))).ReadAll()
	if err != nil || len(lines) != 2 || len(lines[1]) < 2 {
		return 0, errors.Join(fmt.Errorf("redis-benchmark answered something else than a table: %q", out), err)
	}
	return strconv.ParseFloat(lines[1][1], 64)
}
