package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

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
	scripts, err := captureScripts(ctx, server)
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

// storeRate issues and spends passes and gives the operations per second, two
// to a pass.
func storeRate(ctx context.Context, store *redisstore.Store) (perSecond float64, err error) {
	perSecond, err = rate(issueCallers, issuePairs, func(n int) error {
		instance := fmt.Sprintf("i-%017d", rand.IntN(issueSpace))
		return issueOne(ctx, store, instance, passID(n))
	})
	return 2 * perSecond, err
}

// rate has many callers do something so many times together, and gives how
// often it was done in a second.
func rate(callers, times int, do func(n int) error) (perSecond float64, err error) {
	var begun atomic.Int64
	var all sync.WaitGroup
	failed := make(chan error, callers)
	begin := time.Now()
	for range callers {
		all.Go(func() {
			for n := begun.Add(1); n <= int64(times); n = begun.Add(1) {
				if err := do(int(n)); err != nil {
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
		return float64(times) / time.Since(begin).Seconds(), nil
	}
}

// issueOne stores a pass and spends it. Each pass has an owner of its own: a
// second pass of the same owner for the same instance would void the first.
func issueOne(ctx context.Context, store *redisstore.Store, instance, id string) error {
	if _, err := store.PutPass(ctx, newPass(instance, "U"+id[2:12], id)); err != nil {
		return err
	}
	start, _, err := store.Judge(ctx, knock(instance, id, time.Now()))
	if err == nil && !start.Admitted {
		err = fmt.Errorf("a good pass was refused: %s", start.Reason)
	}
	return err
}

// passID is as long as a digest; the number is in its first twelve digits.
func passID(n int) string { return fmt.Sprintf("%012d0123456789", n) }

// newPass is a pass whose request has about the length that the program gives it.
func newPass(instance, user, id string) auth.NewPass {
	now := time.Now()
	return auth.NewPass{
		ID: id, Instance: instance, User: user, Request: id[:12], Now: now, Deadline: now.Add(10 * time.Minute),
		Limit: auth.Limit{Person: 1000, Instance: 1000, Per: 10 * time.Minute},
	}
}

func knock(instance, id string, launch time.Time) auth.Knock {
	return auth.Knock{
		Instance: instance, Launch: launch, Now: time.Now(), Code: id, Misfit: auth.Expired,
		Lock: auth.Lock{After: 5, Within: 10 * time.Minute, For: 15 * time.Minute},
	}
}
