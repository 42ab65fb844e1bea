package main

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"math/rand/v2"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"

	"sekisho/auth"
	"sekisho/infra/redisstore"
)

const (
	issueRounds  = 5
	issueCallers = 64
	issuePairs   = 30_000  // a round
	issueSpace   = 400_000 // instances to choose from
)

// issueAndConsume measures passes issued and at once spent, through the store,
// against redis-benchmark that runs the same two scripts.
func issueAndConsume(ctx context.Context, w *workshop) ([]row, error) {
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
	admin := server.admin()
	defer admin.Close()
	scripts, err := captureScripts(ctx, admin)
	if err != nil {
		return nil, err
	}
	ours := func() (float64, error) {
		if err := admin.FlushAll(ctx).Err(); err != nil {
			return 0, err
		}
		return storeRate(ctx, redisstore.New(client))
	}
	theirs := func() (float64, error) { return scripts.rate(ctx, admin, server.port) }
	o, t, err := rounds(issueRounds, ours, theirs)
	if err != nil {
		return nil, err
	}
	r, ratio := compare("pass issued + consumed, 64 at once", "redis-benchmark, same scripts", "%.0f ops/s", o, t)
	return []row{r.judge(ratio, reach{atLeast: 0.6, format: "%.2f×"})}, nil
}

// storeRate issues and spends passes from many goroutines and gives the
// operations per second, two to a pass.
func storeRate(ctx context.Context, store *redisstore.Store) (perSecond float64, err error) {
	var begun atomic.Int64
	var all sync.WaitGroup
	failed := make(chan error, issueCallers)
	begin := time.Now()
	for range issueCallers {
		all.Go(func() {
			for n := begun.Add(1); n <= issuePairs; n = begun.Add(1) {
				instance := fmt.Sprintf("i-%017d", rand.IntN(issueSpace))
				if err := issueOne(ctx, store, instance, fmt.Sprintf("%022d", n)); err != nil {
					failed <- err
					return
				}
			}
		})
	}
	all.Wait()
	select {
	case err := <-failed:
		return 0, err
	default:
		return 2 * issuePairs / time.Since(begin).Seconds(), nil
	}
}

// issueOne stores a pass and spends it. Each pass has an owner of its own: a
// second pass of the same owner for the same instance would void the first.
func issueOne(ctx context.Context, store *redisstore.Store, instance, id string) error {
	if _, err := store.PutPass(ctx, newPass(instance, "U"+id[len(id)-10:], id)); err != nil {
		return err
	}
	start, _, err := store.Judge(ctx, knock(instance, id, time.Now()))
	if err == nil && !start.Admitted {
		err = fmt.Errorf("a good pass was refused: %s", start.Reason)
	}
	return err
}

func newPass(instance, user, id string) auth.NewPass {
	now := time.Now()
	return auth.NewPass{
		ID: id, Instance: instance, User: user, Request: id, Now: now, Deadline: now.Add(10 * time.Minute),
		Limit: auth.Limit{Person: 1000, Instance: 1000, Per: 10 * time.Minute},
	}
}

func knock(instance, id string, launch time.Time) auth.Knock {
	return auth.Knock{
		Instance: instance, Launch: launch, Now: time.Now(), Code: id, Misfit: auth.Expired,
		Lock: auth.Lock{After: 5, Within: 10 * time.Minute, For: 15 * time.Minute},
	}
}

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
func captureScripts(ctx context.Context, client *redis.Client) (s scripts, err error) {
	var t tap
	tapped := redis.NewClient(client.Options())
	defer tapped.Close()
	tapped.AddHook(&t)
	store := redisstore.New(tapped)
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
	if err != nil {
		return 0, err
	}
	if err := s.fill(ctx, client); err != nil {
		return 0, err
	}
	judgements, err := redisBenchmark(ctx, port, s.judge)
	if err != nil {
		return 0, err
	}
	return 2 / (1/puts + 1/judgements), nil
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
