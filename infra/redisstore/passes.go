package redisstore

import (
	"cmp"
	"context"
	_ "embed"
	"fmt"
	"strings"
	"time"
	"unicode"

	"sekisho/auth"
)

var (
	//go:embed scripts/put_pass.lua
	putPassLua string
	//go:embed scripts/void_pass.lua
	voidPassLua string
	//go:embed scripts/count_ask.lua
	countAskLua string

	putPass  = script(putPassLua)
	voidPass = script(voidPassLua)
	countAsk = script(countAskLua)
)

// noRequest stands for the name of a request where there is none.
const noRequest = "-"

// PutPass keeps the promise of auth.PassStore.
func (s *Store) PutPass(ctx context.Context, p auth.NewPass) (time.Time, error) {
	if strings.ContainsFunc(p.Request, unicode.IsSpace) {
		return time.Time{}, fmt.Errorf("a pass was asked for by %q: what asks must have a name without blanks", p.Request)
	}
	answer, err := putPass.Run(ctx, s.client, []string{passesKey(p.Instance), lockKey(p.Instance)},
		p.ID, p.User, cmp.Or(p.Request, noRequest), p.Now.UnixMilli(), p.Deadline.UnixMilli(), p.Instead,
		p.Limit.Instance, p.Limit.Per.Milliseconds(), keepPasses.Milliseconds()).Slice()
	if err != nil {
		return time.Time{}, away(err)
	}
	word, n := answer[0].(string), answer[1].(int64)
	if word == "ok" {
		return time.UnixMilli(n), nil
	}
	return time.Time{}, &auth.Refusal{Reason: auth.Reason(word), Wait: time.Duration(n) * time.Millisecond}
}

// VoidPass keeps the promise of auth.PassStore.
func (s *Store) VoidPass(ctx context.Context, instance, user string, now time.Time) (int, error) {
	n, err := voidPass.Run(ctx, s.client, []string{passesKey(instance)}, user, now.UnixMilli()).Int()
	return n, away(err)
}

// PassesOf keeps the promise of auth.PassStore, in one round trip for up to
// 500 instances.
func (s *Store) PassesOf(ctx context.Context, instances []string) ([]auth.PassRecord, error) {
	var all []auth.PassRecord
	err := s.readAll(ctx, instances, passesKey, func(i string, fields map[string]string) {
		for id, text := range fields {
			if p, ok := readPass(text); ok {
				p.ID, p.Instance = id, i
				all = append(all, p)
			}
		}
	})
	return all, err
}

// readPass reads a record of version 1. One of another version is not ours to
// judge and is passed over.
func readPass(text string) (auth.PassRecord, bool) {
	f := strings.Fields(text)
	if len(f) != 6 || f[0] != "1" {
		return auth.PassRecord{}, false
	}
	return auth.PassRecord{
		State: auth.PassState(f[1]), User: f[2], Issued: when(f[3]), Deadline: when(f[4]), Request: named(f[5]),
	}, true
}

func named(request string) string {
	if request == noRequest {
		return ""
	}
	return request
}

// CountAsk keeps the promise of auth.AskCounter.
func (s *Store) CountAsk(ctx context.Context, user string, limit auth.Limit) error {
	answer, err := countAsk.Run(ctx, s.client, []string{asksKey(user)}, limit.Per.Milliseconds()).Int64Slice()
	if err != nil {
		return away(err)
	}
	if answer[0] > int64(limit.Person) {
		return &auth.Refusal{Reason: auth.TooManyPerson, Wait: time.Duration(answer[1]) * time.Millisecond}
	}
	return nil
}
