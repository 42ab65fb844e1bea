package redisstore

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/redis/go-redis/v9"

	"sekisho/auth"
)

var (
	//go:embed scripts/judge.lua
	judgeLua string
	//go:embed scripts/advance.lua
	advanceLua string
	//go:embed scripts/name_caller.lua
	nameCallerLua string

	judge      = script(judgeLua)
	advance    = script(advanceLua)
	nameCaller = script(nameCallerLua)
)

// Judge keeps the promise of auth.StartStore in one round trip.
func (s *Store) Judge(ctx context.Context, k auth.Knock) (auth.Start, bool, error) {
	i := k.Instance
	answer, err := judge.Run(ctx, s.client, []string{passesKey(i), startKey(i), wrongKey(i), lockKey(i)},
		k.Launch.UnixMilli(), k.Now.UnixMilli(), k.Code, string(k.Misfit), k.Final,
		string(k.Forced), k.Admit, keepStarts.Milliseconds(),
		k.Lock.After, k.Lock.Within.Milliseconds(), k.Lock.For.Milliseconds()).Slice()
	if err != nil {
		return auth.Start{}, false, away(err)
	}
	start, err := readStart(i, pairs(answer[2]))
	if answer[1] == int64(0) {
		start.Stage = 0 // not written down
	}
	return start, answer[0] == int64(1), err
}

// Starts keeps the promise of auth.StartStore, in one round trip for up to 500
// instances.
func (s *Store) Starts(ctx context.Context, instances []string) (map[string]auth.Start, error) {
	starts := make(map[string]auth.Start)
	var bad error
	err := s.readAll(ctx, instances, startKey, func(i string, fields map[string]string) {
		if len(fields) == 0 {
			return
		}
		start, err := readStart(i, fields)
		if err != nil {
			bad = err
		}
		starts[i] = start
	})
	if err == nil {
		err = bad
	}
	return starts, err
}

// Advance keeps the promise of auth.StartStore.
func (s *Store) Advance(ctx context.Context, instance string, launch time.Time, to auth.Stage, note string, now time.Time) (auth.Start, bool, error) {
	answer, err := advance.Run(ctx, s.client, []string{startKey(instance)},
		launch.UnixMilli(), int(to), note, now.UnixMilli()).Slice()
	if err != nil {
		return auth.Start{}, false, away(err)
	}
	start, err := readStart(instance, pairs(answer[1]))
	return start, answer[0] == int64(1), err
}

// NameCaller keeps the promise of auth.StartStore.
func (s *Store) NameCaller(
	ctx context.Context, instance string, launch time.Time, caller, event string, now time.Time, lease time.Duration,
) (bool, error) {
	word, err := nameCaller.Run(ctx, s.client, []string{startKey(instance)},
		launch.UnixMilli(), caller, event, now.UnixMilli(), lease.Milliseconds(), uuid.NewString()).Text()
	if err != nil {
		return false, away(err)
	}
	if word == held {
		return false, auth.ErrCardHeld
	}
	return word == yours, nil
}

// CallerTold keeps the promise of auth.StartStore.
func (s *Store) CallerTold(ctx context.Context, instance string, launch time.Time) error {
	return away(nameCaller.Run(ctx, s.client, []string{startKey(instance)}, launch.UnixMilli(), "").Err())
}

// Keep keeps the promise of auth.StartStore.
func (s *Store) Keep(ctx context.Context, instance string) error {
	return away(s.client.PExpire(ctx, startKey(instance), keepStarts).Err())
}

// Swept keeps the promise of auth.StartStore.
func (s *Store) Swept(ctx context.Context) (time.Time, error) {
	ms, err := s.client.Get(ctx, sweptKey).Int64()
	if errors.Is(err, redis.Nil) {
		return time.Time{}, nil
	}
	return time.UnixMilli(ms), away(err)
}

// PutSwept keeps the promise of auth.StartStore.
func (s *Store) PutSwept(ctx context.Context, until time.Time) error {
	return away(s.client.Set(ctx, sweptKey, until.UnixMilli(), 0).Err())
}

// TakeCard keeps the promise of auth.CardStore.
func (s *Store) TakeCard(ctx context.Context, instance string, launch, now time.Time, lease time.Duration) (auth.Start, bool, error) {
	word, fields, err := s.takeTelling(ctx, tellingStart(instance, launch), now, lease)
	if err != nil || word != yours {
		return auth.Start{}, false, err
	}
	start, err := readStart(instance, fields)
	return start, err == nil, err
}

// PutCard keeps the promise of auth.CardStore.
func (s *Store) PutCard(ctx context.Context, instance string, launch time.Time, c auth.Card) (bool, error) {
	n, err := s.putTold(ctx, tellingStart(instance, launch), c.Channel, c.TS, int(c.Told), int(c.Recorded))
	return n == 1, err
}

// tellingStart knows a start by its launch.
func tellingStart(instance string, launch time.Time) telling {
	return telling{
		key: startKey(instance), field: "launch", value: fmt.Sprint(launch.UnixMilli()), progress: "stage",
		marks: []any{"told"},
	}
}

// readStart reads a start's hash; without fields it is the zero Start.
func readStart(instance string, f map[string]string) (auth.Start, error) {
	if len(f) == 0 {
		return auth.Start{}, nil
	}
	if f["v"] != "1" {
		return auth.Start{}, errNewer("the start of "+instance, f["v"])
	}
	return auth.Start{
		Instance: instance,
		Launch:   when(f["launch"]),
		Admitted: f["admitted"] == "1",
		Reason:   auth.Reason(f["reason"]),
		User:     f["user"],
		Asked:    named(f["asked"]),
		Decided:  when(f["decided"]),
		Stage:    auth.Stage(number(f["stage"])),
		StageAt:  when(f["stage_at"]),
		Note:     f["note"],
		Card: auth.Card{
			Channel: f["channel"], TS: f["ts"],
			Told: auth.Stage(number(f["told"])), Recorded: auth.Stage(number(f["recorded"])),
		},
	}, nil
}
