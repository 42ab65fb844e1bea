package redisstore_test

import (
	"context"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"sekisho/auth"
	"sekisho/auth/authtest"
	"sekisho/infra/redisstore"
)

// twice sends every command a second time, as the client does when the first
// answer was lost on the way.
type twice struct{}

func (twice) DialHook(next redis.DialHook) redis.DialHook { return next }
func (twice) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		if err := next(ctx, cmd); err != nil {
			return err
		}
		return next(ctx, cmd)
	}
}
func (twice) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}

func TestALostAnswerChangesNothing(t *testing.T) {
	client := connect(t, "redis://"+miniredis.RunT(t).Addr())
	client.AddHook(twice{})
	s := redisstore.New(client)
	now := authtest.T0

	pass := auth.NewPass{ID: "A", Instance: web, User: "U0HANA", Request: "r", Now: now, Deadline: now.Add(time.Minute), Limit: auth.Limit{Instance: 1, Per: time.Minute}}
	if _, err := s.PutPass(t.Context(), pass); err != nil {
		t.Errorf("the pass: %v", err)
	}
	start, _, err := s.Judge(t.Context(), auth.Knock{Instance: web, Launch: now, Now: now, Code: "A", Final: true, Lock: auth.Lock{After: 5, Within: time.Minute, For: time.Minute}})
	if err != nil || !start.Admitted {
		t.Errorf("the verdict: %v, %v", start, err)
	}
	if _, ok, err := s.TakeCard(t.Context(), web, now, now, time.Minute); !ok || err != nil {
		t.Errorf("the right to tell: %v, %v", ok, err)
	}
	if _, _, err := s.TakeCard(t.Context(), web, now, now, time.Minute); err == nil {
		t.Error("another one may tell as well")
	}
	if first, err := s.NameCaller(t.Context(), web, now, "arn", "event", now, time.Minute); !first || err != nil {
		t.Errorf("the caller: first %v, %v", first, err)
	}

	for _, hash := range []string{"A", "B"} {
		if before, err := s.SwapPolicy(t.Context(), hash); before == hash || err != nil {
			t.Errorf("policy %s: before it %q, %v", hash, before, err)
		}
	}

	for n, want := range []bool{true, false} {
		if first, err := s.First(t.Context(), "something", time.Minute); first != want || err != nil {
			t.Errorf("First, call %d: %v, %v", n+1, first, err)
		}
	}

	r, err := s.PutRequest(t.Context(), aRequest())
	if err != nil {
		t.Errorf("the request: %v", err)
	}
	if _, changed, err := s.ChangeRequest(t.Context(), approved(r)); !changed || err != nil {
		t.Errorf("its change: changed %v, %v", changed, err)
	}
	if _, _, ok, err := s.TakeTelling(t.Context(), r.ID, now, time.Minute); !ok || err != nil {
		t.Errorf("the right to tell about it: %v, %v", ok, err)
	}
	if more, err := s.PutTold(t.Context(), r.ID, auth.Told{Version: 1, Recorded: 1}); more || err != nil {
		t.Errorf("what was told: more %v, %v", more, err)
	}

	k := s.Keys()
	change(t, k, warned(testKey))
	change(t, k, gone(warned(testKey), now))
	if f, err := k.Record(t.Context(), testKey); err != nil || f.Version() != 2 {
		t.Errorf("the record of a key: %+v, %v", f, err)
	}
	if ok, err := k.Claim(t.Context(), []string{testKey}, false, now); !ok || err != nil {
		t.Errorf("the count of a key: %v, %v", ok, err)
	}
	if _, err := k.PutHold(t.Context(), aHold()); err != nil {
		t.Errorf("what waits: %v", err)
	}
	for n := range 2 {
		if _, won, err := k.Allow(t.Context(), "h", "U0BEN", now); won != (n == 0) || err != nil {
			t.Errorf("click %d: won %v, %v", n, won, err)
		}
	}

	reports := s.Reports()
	for n := range 2 {
		at := now.Add(time.Duration(n) * time.Hour)
		kept, err := reports.PutSnapshot(t.Context(), "weekly", at, []byte("text"), 1, day)
		if string(kept) != "text" || err != nil {
			t.Errorf("a report: %q, %v", kept, err)
		}
	}
	if p, err := reports.Begin(t.Context(), "weekly/1", "mail", "worker", now); !p.Mine || err != nil {
		t.Errorf("a part of it: %+v, %v", p, err)
	}
}
