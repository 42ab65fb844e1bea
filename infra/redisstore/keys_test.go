package redisstore_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"sekisho/auth"
	"sekisho/auth/authtest"
	"sekisho/auth/purge"
	"sekisho/infra/redisstore"
)

const (
	testKey  = "AKIATEST000000000001"
	otherKey = "AKIATEST000000000002"
	day      = 24 * time.Hour
	index    = "sekisho:{keys}:index"
)

// warned is a key's record with its first change.
func warned(id string) purge.Record {
	return purge.Record{ID: id, User: "ci", Created: authtest.T0.Add(-80 * day)}.
		With(purge.Change{Verb: purge.Warned, At: authtest.T0})
}

func gone(r purge.Record, at time.Time) purge.Record {
	return r.With(purge.Change{Verb: purge.Gone, At: at})
}

func change(t *testing.T, k *redisstore.Keys, r purge.Record) {
	t.Helper()
	if _, changed, err := k.Change(t.Context(), r); !changed || err != nil {
		t.Fatalf("version %d of %s: changed %v, %v", r.Version(), r.ID, changed, err)
	}
}

func aHold() purge.Hold {
	return purge.Hold{ID: "h", At: authtest.T0, Keys: []purge.Held{{Ref: purge.Ref{ID: testKey}, Do: purge.Delete}}}
}

// wantListed wants Records to hold these keys.
func wantListed(t *testing.T, k *redisstore.Keys, ids ...string) {
	t.Helper()
	all, err := k.Records(t.Context())
	if err != nil || len(all) != len(ids) {
		t.Errorf("listed: %+v, %v; want %v", all, err, ids)
	}
	for _, id := range ids {
		if all[id].ID != id {
			t.Errorf("%s is not listed", id)
		}
	}
}

func TestAKeysRecordStaysWhileSomebodyLooks(t *testing.T) {
	s, m := onMiniredis(t)
	k := s.Keys()
	change(t, k, warned(testKey))
	for range 3 {
		m.FastForward(399 * day)
		wantListed(t, k, testKey)
	}
	m.FastForward(401 * day)
	if wantListed(t, k); len(m.Keys()) != 0 {
		t.Errorf("nobody has looked for 401 days, and there is %v", m.Keys())
	}
}

func TestAnEndedKeysRecordGoes(t *testing.T) {
	s, m := onMiniredis(t)
	k := s.Keys()
	change(t, k, warned(testKey))
	change(t, k, gone(warned(testKey), authtest.T0))
	late := purge.Record{ID: testKey}.With(purge.Change{Verb: purge.Warned, At: authtest.T0.Add(time.Hour)})
	if _, changed, err := k.Change(t.Context(), late); changed || err != nil {
		t.Fatalf("a worker that comes late: changed %v, %v", changed, err)
	}
	change(t, k, warned(otherKey))
	m.FastForward(89 * day)
	wantListed(t, k, testKey, otherKey) // which renews the other one's alone
	m.FastForward(2 * day)
	wantListed(t, k, otherKey)
	if f, err := k.Record(t.Context(), testKey); err != nil || f.Version() != 0 {
		t.Errorf("91 days after its end: %+v, %v", f, err)
	}
	change(t, k, gone(warned(otherKey), authtest.T0.Add(91*day)))
	if ids, err := m.ZMembers(index); err != nil || len(ids) != 1 || ids[0] != otherKey {
		t.Errorf("the index lists %v, %v", ids, err)
	}
}

func TestTheIndexOfKeys(t *testing.T) {
	s, m := onMiniredis(t)
	k := s.Keys()
	change(t, k, warned(testKey))
	if m.TTL(index) != 400*day {
		t.Errorf("its time to live is %v", m.TTL(index))
	}
	m.ZAdd(index, 9e15, "AKIATEST00000CRASHED")
	wantListed(t, k, testKey)

	m.Del(index) // evicted
	wantListed(t, k)
	change(t, k, warned(testKey).With(purge.Change{Verb: purge.Kept, At: authtest.T0}))
	wantListed(t, k, testKey)
}

// A key that was not gone after all is listed for as long as any other.
func TestAKeyThatCameBackStaysListed(t *testing.T) {
	s, m := onMiniredis(t)
	k := s.Keys()
	back := gone(warned(testKey), authtest.T0).With(purge.Change{Verb: purge.FoundOn, At: authtest.T0.Add(time.Hour)})
	change(t, k, warned(testKey))
	change(t, k, gone(warned(testKey), authtest.T0))
	change(t, k, back)
	change(t, k, warned(otherKey))
	change(t, k, gone(warned(otherKey), authtest.T0.Add(100*day))) // which strikes off what has ended
	m.FastForward(100 * day)
	wantListed(t, k, testKey)
}

// pipelines counts what is sent.
type pipelines struct {
	single int
	piped  []int
}

func (*pipelines) DialHook(next redis.DialHook) redis.DialHook { return next }
func (p *pipelines) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		p.single++
		return next(ctx, cmd)
	}
}
func (p *pipelines) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		p.piped = append(p.piped, len(cmds))
		return next(ctx, cmds)
	}
}

func TestManyKeysAreReadInPipelines(t *testing.T) {
	client := connect(t, "redis://"+miniredis.RunT(t).Addr())
	k := redisstore.New(client).Keys()
	const n = 1200
	for n := range n {
		change(t, k, warned(fmt.Sprintf("AKIATEST%012d", n)))
	}
	var sent pipelines
	client.AddHook(&sent)
	all, err := k.Records(t.Context())
	if err != nil || len(all) != n {
		t.Fatalf("%d records, %v", len(all), err)
	}
	if sent.single != 1 || fmt.Sprint(sent.piped) != "[500 500 200 501 501 201]" {
		t.Errorf("%d commands, pipelines %v", sent.single, sent.piped)
	}
}

func TestANewerSekishosKeys(t *testing.T) {
	s, m := onMiniredis(t)
	k := s.Keys()
	change(t, k, warned(testKey))
	if _, err := k.PutHold(t.Context(), aHold()); err != nil {
		t.Fatal(err)
	}
	record, hold := "sekisho:{"+testKey+"}:key", "sekisho:{keys}:hold:h"
	m.HSet(record, "v", "2")
	m.HSet(hold, "v", "2")
	_, read := k.Record(t.Context(), testKey)
	_, changed, change := k.Change(t.Context(), gone(warned(testKey), authtest.T0))
	_, list := k.Records(t.Context())
	_, ok, take := k.TakeTelling(t.Context(), testKey, authtest.T0, time.Minute)
	_, put := k.PutHold(t.Context(), aHold())
	_, won, allow := k.Allow(t.Context(), "h", "U0BEN", authtest.T0)
	for name, err := range map[string]error{
		"reading": read, "changing": change, "listing": list, "telling": take, "holding": put, "allowing": allow,
	} {
		if err == nil || !strings.Contains(err.Error(), "newer sekisho") {
			t.Errorf("%s: error %v", name, err)
		}
	}
	if changed || ok || won || m.HGet(record, "version") != "1" || m.HGet(hold, "by") != "" {
		t.Errorf("changed %v, told %v, won %v, version %s", changed, ok, won, m.HGet(record, "version"))
	}
}

func TestAFieldOfANewerSekishoSurvivesAChangeOfAKey(t *testing.T) {
	s, m := onMiniredis(t)
	change(t, s.Keys(), warned(testKey))
	key := "sekisho:{" + testKey + "}:key"
	newer := strings.Replace(m.HGet(key, "record"), "{", `{"newer":[],`, 1)
	m.HSet(key, "record", newer)
	change(t, s.Keys(), gone(warned(testKey), authtest.T0))
	if got := m.HGet(key, "record"); got != newer || strings.Contains(got, "history") {
		t.Errorf("the record is %s", got)
	}
}

func TestAHoldWaitsTwoDays(t *testing.T) {
	s, m := onMiniredis(t)
	if _, err := s.Keys().PutHold(t.Context(), aHold()); err != nil {
		t.Fatal(err)
	}
	m.FastForward(47 * time.Hour)
	if err := s.Keys().ToldHold(t.Context(), "h"); err != nil || !m.Exists("sekisho:{keys}:hold:h") {
		t.Errorf("after 47 hours: %v", err)
	}
	m.FastForward(time.Hour)
	_, _, err := s.Keys().Allow(t.Context(), "h", "U0BEN", authtest.T0)
	var r *auth.Refusal
	if !errors.As(err, &r) || r.Reason != auth.TooLate || m.Exists("sekisho:{keys}:hold:h") {
		t.Errorf("after 48 hours: %v, keys %v", err, m.Keys())
	}
}

func TestKeysThatAreAwaySaySo(t *testing.T) {
	s, m := onMiniredis(t)
	k, ctx, now := s.Keys(), t.Context(), authtest.T0
	m.SetError("ERR the test took the store away")
	for name, call := range map[string]func() error{
		"Records":     func() error { _, err := k.Records(ctx); return err },
		"Record":      func() error { _, err := k.Record(ctx, testKey); return err },
		"Change":      func() error { _, _, err := k.Change(ctx, warned(testKey)); return err },
		"its end":     func() error { _, _, err := k.Change(ctx, gone(warned(testKey), now)); return err },
		"TakeTelling": func() error { _, _, err := k.TakeTelling(ctx, testKey, now, time.Minute); return err },
		"PutTold":     func() error { _, err := k.PutTold(ctx, testKey, auth.Told{}); return err },
		"SetLimit":    func() error { return k.SetLimit(ctx, 1) },
		"Claim":       func() error { _, err := k.Claim(ctx, []string{testKey}, false, now); return err },
		"PutHold":     func() error { _, err := k.PutHold(ctx, aHold()); return err },
		"ToldHold":    func() error { return k.ToldHold(ctx, "h") },
		"Allow":       func() error { _, _, err := k.Allow(ctx, "h", "U0BEN", now); return err },
	} {
		if err := call(); !errors.Is(err, auth.ErrUnavailable) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
