package redisstore_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"sekisho/auth"
	"sekisho/auth/authtest"
	"sekisho/infra/redisstore"
)

const (
	logKey  = "sekisho:{trail}:log"
	headKey = "sekisho:{trail}:head"
)

func testPepper(t *testing.T) auth.Pepper {
	t.Helper()
	p, err := auth.NewPepper("a pepper of the tests, 32 bytes and more")
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func trailStore(t *testing.T, client redis.UniversalClient) authtest.TrailStore {
	done := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	pepper, ctx := testPepper(t), t.Context()
	return authtest.TrailStore{
		Open: func() authtest.Trail { return redisstore.New(client).Trail(pepper) },
		Rewrite: func(change func([]auth.Entry) []auth.Entry) {
			var entries []auth.Entry
			messages, err := client.XRange(ctx, logKey, "-", "+").Result()
			done(err)
			for _, m := range messages {
				var e auth.Entry
				done(json.Unmarshal([]byte(m.Values["e"].(string)), &e))
				entries = append(entries, e)
			}
			entries = change(entries)
			done(client.Del(ctx, logKey).Err())
			for n, e := range entries {
				text, err := json.Marshal(e)
				done(err)
				id := fmt.Sprintf("%d-0", n+1)
				done(client.XAdd(ctx, &redis.XAddArgs{Stream: logKey, ID: id, Values: []any{"e", text}}).Err())
			}
		},
		LoseHead: func() { done(client.Del(ctx, headKey).Err()) },
	}
}

func something() auth.Entry {
	return auth.Entry{Time: authtest.T0, Act: auth.ActRequest, Outcome: auth.Done}
}

func TestWhatIsNoEntryIsNamed(t *testing.T) {
	for name, text := range map[string]string{
		"no JSON":     `{"seq":2`,
		"nothing":     ``,
		"a new field": `{"seq":2,"time":"2027-01-15T08:00:00Z","act":"x","outcome":"done","prev":"","hash":"","extra":1}`,
	} {
		t.Run(name, func(t *testing.T) {
			m := miniredis.RunT(t)
			trail := redisstore.New(connect(t, "redis://"+m.Addr())).Trail(testPepper(t))
			if _, err := trail.Append(t.Context(), something()); err != nil {
				t.Fatal(err)
			}
			if _, err := m.XAdd(logKey, "2-7", []string{"e", text}); err != nil {
				t.Fatal(err)
			}
			_, err := trail.Verify(t.Context(), func(auth.Entry) {})
			if !errors.Is(err, auth.ErrTampered) || !strings.Contains(err.Error(), "2-7") {
				t.Errorf("error %v; want one that names 2-7", err)
			}
		})
	}
}

// interrupted sends each command of this kind a second time, and before that
// lets somebody else have a turn.
type interrupted struct {
	kind    string
	between func()
}

func (interrupted) DialHook(next redis.DialHook) redis.DialHook { return next }
func (i interrupted) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		if err := next(ctx, cmd); err != nil || !strings.HasPrefix(cmd.Name(), i.kind) {
			return err
		}
		i.between()
		return next(ctx, cmd)
	}
}
func (interrupted) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}

func TestALostAnswerAppendsOnce(t *testing.T) {
	url := "redis://" + miniredis.RunT(t).Addr()
	client, pepper := connect(t, url), testPepper(t)
	others := redisstore.New(connect(t, url)).Trail(pepper)
	turns := 0
	client.AddHook(interrupted{"eval", func() {
		if turns++; turns%2 == 0 {
			if _, err := others.Append(t.Context(), something()); err != nil {
				t.Errorf("the other process: %v", err)
			}
		}
	}})
	trail := redisstore.New(client).Trail(pepper)
	const calls = 6
	var seqs []int64
	for range calls {
		got, err := trail.Append(t.Context(), something(), something())
		if err != nil {
			t.Fatal(err)
		}
		seqs = append(seqs, got[0].Seq, got[1].Seq)
	}
	c, err := others.Verify(t.Context(), func(auth.Entry) {})
	if want := int64(2*calls + turns/2); err != nil || c.Count != want || turns < calls {
		t.Errorf("%d entries, %v; %d were appended", c.Count, err, want)
	}
	slices.Sort(seqs)
	if len(slices.Compact(seqs)) != 2*calls {
		t.Errorf("one place was given twice: %v", seqs)
	}
}

func TestVerifyWhileOthersAppend(t *testing.T) {
	url := "redis://" + miniredis.RunT(t).Addr()
	client, pepper := connect(t, url), testPepper(t)
	others := redisstore.New(connect(t, url)).Trail(pepper)
	add := func() {
		if _, err := others.Append(t.Context(), something(), something()); err != nil {
			t.Errorf("the other process: %v", err)
		}
	}
	add()
	client.AddHook(interrupted{"hgetall", add}) // between the entries and the head
	c, err := redisstore.New(client).Trail(pepper).Verify(t.Context(), func(auth.Entry) {})
	if err != nil || c.Count != 4 {
		t.Errorf("%d entries are good, %v; want 4", c.Count, err)
	}
}

func TestAStoreThatBeganAnew(t *testing.T) {
	m := miniredis.RunT(t)
	s := redisstore.New(connect(t, "redis://"+m.Addr()))
	old, other := s.Trail(testPepper(t)), s.Trail(testPepper(t))
	add := func(trail *redisstore.Trail, reason string) {
		t.Helper()
		e := something()
		e.Reason = reason
		if _, err := trail.Append(t.Context(), e); err != nil {
			t.Fatal(err)
		}
	}
	add(old, "lost with the store")
	m.FlushAll()
	add(other, "the first again") // the same number, another hash
	add(old, "the second")
	if c, err := old.Verify(t.Context(), func(auth.Entry) {}); err != nil || c.Count != 2 {
		t.Errorf("%d entries are good, %v", c.Count, err)
	}
}

func TestATrailThatIsAwaySaysSo(t *testing.T) {
	m := miniredis.RunT(t)
	trail := redisstore.New(connect(t, "redis://"+m.Addr())).Trail(testPepper(t))
	m.SetError("ERR the test took the store away")
	if _, err := trail.Append(t.Context(), something()); !errors.Is(err, auth.ErrUnavailable) {
		t.Errorf("error %v", err)
	}
	m.SetError("")
	if got, err := trail.Append(t.Context(), something()); err != nil || got[0].Seq != 1 {
		t.Errorf("afterwards: %+v, %v", got, err)
	}
}
