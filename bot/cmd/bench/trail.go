package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"sekisho/auth"
	"sekisho/infra/redisstore"
)

const (
	trailRounds  = 5
	trailWriters = 2  // as if two processes wrote the trail
	trailCallers = 64 // of both together
	trailEntries = 20_000
)

// trailAppends measures entries put into the trail one at a time by many
// callers through two writers that know nothing of each other, against
// redis-benchmark that adds as much to a stream, and keeps no chain.
func trailAppends(ctx context.Context, w *workshop) ([]row, error) {
	server, err := startRedis(ctx, w.dir)
	if err != nil {
		return nil, err
	}
	defer server.Close()
	admin := server.admin()
	defer admin.Close()
	var writers []*redisstore.Trail
	pepper, err := auth.NewPepper(strings.Repeat("bench-pepper-", 4))
	if err != nil {
		return nil, err
	}
	for range trailWriters {
		client, err := server.dial()
		if err != nil {
			return nil, err
		}
		defer client.Close()
		writers = append(writers, redisstore.New(client).Trail(pepper))
	}
	ours := func() (float64, error) {
		if err := admin.FlushAll(ctx).Err(); err != nil {
			return 0, err
		}
		perSecond, err := rate(trailCallers, trailEntries, func(n int) error {
			_, err := writers[n%len(writers)].Append(ctx, someEntry())
			return err
		})
		if err != nil {
			return 0, err
		}
		seen, err := writers[0].Verify(ctx, func(auth.Entry) {})
		if err == nil && seen.Count != trailEntries {
			err = fmt.Errorf("%d entries were written, and %d stand in the trail", trailEntries, seen.Count)
		}
		return perSecond, err
	}
	size := strings.Repeat("x", 400) // about what an entry has
	theirs := func() (float64, error) {
		return redisBenchmark(ctx, server.port, []string{"xadd", "stream", "*", "e", size})
	}
	o, t, err := rounds(trailRounds, ours, theirs)
	if err != nil {
		return nil, err
	}
	r, _ := compare("trail: entries appended, 64 at once, two writers", "redis-benchmark, xadd", "%.0f/s", o, t)
	return []row{r.judge(median(o), reach{atLeast: 2000, format: "%.0f/s"})}, nil
}

func someEntry() auth.Entry {
	return auth.Entry{
		Time: time.Now(), Act: auth.ActApprove, Outcome: auth.Done, Decided: "U0BENCH0002", Submitted: person,
		Instance: "i-00000000000000001", Request: "i-00000000000000001/0123456789012345678901", Rule: "gpu", Policy: "0123456789ab",
		Door: "http", Source: "13345224609.738474920.8088930838d88f008e0", Note: "for the nightly training",
	}
}
