package redisstore

import (
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"math"
	"time"

	"github.com/redis/go-redis/v9"

	"sekisho/auth"
	"sekisho/auth/purge"
)

var (
	//go:embed scripts/change_key.lua
	changeKeyLua string

	changeKey = script(changeKeyLua)
)

const (
	keepKeys  = 400 * 24 * time.Hour // after the last change, or the last look at all of them
	keepEnded = 90 * 24 * time.Hour  // after the key's end
)

const keysIndex = "sekisho:{keys}:index"

func keyKey(id string) string { return "sekisho:{" + id + "}:key" }

// Keys is a purge.Store and a purge.Budget.
type Keys struct{ store *Store }

var (
	_ purge.Store  = (*Keys)(nil)
	_ purge.Budget = (*Keys)(nil)
)

// Keys keeps what becomes of access keys.
func (s *Store) Keys() *Keys { return &Keys{s} }

// Records keeps the promise of purge.Store, with one read of the index and
// pipelines. It renews the time to live of the records that it reads of keys
// that have not ended: as long as somebody looks, they do not vanish.
func (k *Keys) Records(ctx context.Context) (map[string]purge.Filed, error) {
	ids, err := k.store.client.ZRange(ctx, keysIndex, 0, -1).Result()
	if err != nil {
		return nil, away(err)
	}
	all := make(map[string]purge.Filed, len(ids))
	var live []string
	var bad error
	err = k.store.readAll(ctx, ids, keyKey, func(id string, fields map[string]string) {
		f, err := readKey(id, fields)
		switch {
		case err != nil:
			bad = err
		case f.Version() == 0: // a crash came before the record, or its time is up
		case f.State(false).Ended:
			all[id] = f
		default:
			all[id] = f
			live = append(live, id)
		}
	})
	if err == nil {
		err = bad
	}
	if err == nil {
		err = k.renew(ctx, live)
	}
	return all, err
}

func (k *Keys) renew(ctx context.Context, ids []string) error {
	for len(ids) > 0 {
		part := ids[:min(atOnce, len(ids))]
		ids = ids[len(part):]
		_, err := k.store.client.Pipelined(ctx, func(p redis.Pipeliner) error {
			for _, id := range part {
				p.PExpire(ctx, keyKey(id), keepKeys)
			}
			p.PExpire(ctx, keysIndex, keepKeys)
			return nil
		})
		if err != nil {
			return away(err)
		}
	}
	return nil
}

// Record keeps the promise of purge.Store.
func (k *Keys) Record(ctx context.Context, id string) (purge.Filed, error) {
	fields, err := k.store.client.HGetAll(ctx, keyKey(id)).Result()
	if err != nil {
		return purge.Filed{}, away(err)
	}
	return readKey(id, fields)
}

// Change keeps the promise of purge.Store. Only the newest change is stored,
// as with a request; the same call again changes nothing more and succeeds. A
// key that has not ended is listed first: a crash between leaves an id without
// a record, which is passed over, and never a record that nobody lists.
func (k *Keys) Change(ctx context.Context, r purge.Record) (purge.Record, bool, error) {
	n := r.Version()
	if n == 0 {
		return purge.Record{}, false, fmt.Errorf("the record of %s is to be changed, and comes without a change", r.ID)
	}
	newest, begun := r.History[n-1], r
	begun.History = nil
	change, err := json.Marshal(newest)
	if err != nil {
		return purge.Record{}, false, fmt.Errorf("encoding a change of %s: %w", r.ID, err)
	}
	record, err := json.Marshal(begun)
	if err != nil {
		return purge.Record{}, false, fmt.Errorf("encoding the record of %s: %w", r.ID, err)
	}
	ended, keep := r.State(false).Ended, keepKeys
	if ended {
		keep = keepEnded
	} else if err := k.list(ctx, r.ID); err != nil {
		return purge.Record{}, false, err
	}
	answer, err := changeKey.Run(ctx, k.store.client, []string{keyKey(r.ID)},
		n, change, r.ID, record, keep.Milliseconds()).Slice()
	if err != nil {
		return purge.Record{}, false, away(err)
	}
	f, err := readKey(r.ID, pairs(answer[1]))
	changed := err == nil && answer[0] == int64(1)
	if changed && ended {
		// The change stands whatever becomes of this: the id is then listed for
		// nothing once the record is gone.
		_ = k.listUntil(ctx, r.ID, newest.At, newest.At.Add(keepEnded))
	}
	if before := (purge.Record{History: r.History[:n-1]}); changed && !ended && before.State(false).Ended {
		err = away(k.store.client.ZAdd(ctx, keysIndex, redis.Z{Score: math.Inf(1), Member: r.ID}).Err()) // it was not gone after all
	}
	return f.Record, changed, err
}

// list has Records list the key until it has ended, and not longer where it has.
func (k *Keys) list(ctx context.Context, id string) error {
	_, err := k.store.client.Pipelined(ctx, func(p redis.Pipeliner) error {
		p.ZAddNX(ctx, keysIndex, redis.Z{Score: math.Inf(1), Member: id})
		p.PExpire(ctx, keysIndex, keepKeys)
		return nil
	})
	return away(err)
}

// listUntil has Records list the key until then, and strikes off those whose
// time has come.
func (k *Keys) listUntil(ctx context.Context, id string, now, until time.Time) error {
	_, err := k.store.client.Pipelined(ctx, func(p redis.Pipeliner) error {
		p.ZRemRangeByScore(ctx, keysIndex, "-inf", fmt.Sprint(now.UnixMilli()))
		p.ZAdd(ctx, keysIndex, redis.Z{Score: float64(until.UnixMilli()), Member: id})
		p.PExpire(ctx, keysIndex, keepKeys)
		return nil
	})
	return away(err)
}

// TakeTelling keeps the promise of purge.Store.
func (k *Keys) TakeTelling(
	ctx context.Context, id string, now time.Time, lease time.Duration,
) (purge.Filed, bool, error) {
	word, fields, err := k.store.takeTelling(ctx, tellingKey(id), now, lease)
	if err != nil || word != yours {
		return purge.Filed{}, false, err
	}
	f, err := readKey(id, fields)
	return f, err == nil, err
}

// PutTold keeps the promise of purge.Store.
func (k *Keys) PutTold(ctx context.Context, id string, t auth.Told) (bool, error) {
	n, err := k.store.putTold(ctx, tellingKey(id), t.Channel, t.TS, t.Version, t.Recorded)
	return n == 1, err
}

func tellingKey(id string) telling {
	return telling{key: keyKey(id), field: "id", value: id, progress: "version", marks: []any{"told", "recorded"}}
}

// readKey reads the hash of a key's record; without fields it is the zero Filed.
func readKey(id string, f map[string]string) (purge.Filed, error) {
	if len(f) == 0 {
		return purge.Filed{}, nil
	}
	if f["v"] != "1" {
		return purge.Filed{}, errNewer("the record of "+id, f["v"])
	}
	var r purge.Record
	err := json.Unmarshal([]byte(f["record"]), &r)
	if err == nil {
		r.History, err = changes[purge.Change](f, 0)
	}
	if err != nil {
		return purge.Filed{}, fmt.Errorf("the record of %s cannot be read: %w", id, err)
	}
	return purge.Filed{Record: r, Told: told(f)}, nil
}
