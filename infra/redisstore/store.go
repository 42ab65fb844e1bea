// Package redisstore keeps passes, requests, starts, what becomes of access keys,
// reports and the trail in Redis or Valkey, 6.2 or newer: one server, Sentinel or
// a cluster.
//
// Every change is one Lua script on the keys of one instance, which share the
// hash tag {i-…} and so stand in one slot of a cluster; likewise on those of one
// access key, {AKIA…}, on what counts them, {keys}, and on each report and each
// delivery of one. Scripts use only commands that Redis 6.2 and Valkey both have.
// Each record begins with its version, and each key has a time to live, but for
// `sekisho:swept`, `sekisho:policy` and the trail's log and head.
//
//	sekisho:{i-…}:passes     hash: digest of a code → "1 state user issued deadline request"
//	sekisho:{i-…}:request:…  hash: one request, behind the colon the random part of its id:
//	                         record (JSON, as it was asked), change:1, change:2 … (JSON), version (their
//	                         count), told, recorded (versions), channel and ts of the card, held_until, held_by
//	sekisho:{i-…}:asking     hash: user → "id lapses" of the user's open request; with a "!"
//	                         behind the user, of the one to break the glass
//	sekisho:{i-…}:asked:…    there for a day when a command was taken, behind the colon its id's digest
//	sekisho:{i-…}:start      hash: the newest start; admitted, it is the grant
//	sekisho:{i-…}:wrong      counter of wrong codes
//	sekisho:{i-…}:lock       there while the instance is locked
//	sekisho:{U…}:asks        counter of what one person asked for
//	sekisho:requests         sorted set: id of a request → until when it is listed, milliseconds
//	sekisho:{AKIA…}:key      hash: what has become of one access key: record (JSON, as it was begun),
//	                         change:1, change:2 … and the rest as of a request
//	sekisho:{keys}:index     sorted set: id of an access key with a record → until when it is listed,
//	                         milliseconds; +inf while the key has not ended
//	sekisho:{keys}:limit     how many access keys may end within a day
//	sekisho:{keys}:ended     sorted set: id of an access key → when it was counted, milliseconds
//	sekisho:{keys}:allowed   sorted set: likewise, when somebody let it end beyond the limit
//	sekisho:{keys}:hold:…    hash: what waits for somebody's word, behind the colon its id: hold (JSON, as it
//	                         was put), keys (ids), told, by (who let it go on), call (and by which call)
//	sekisho:{report …}:texts hash: end of a report's period, milliseconds → its text (gzip); behind the blank
//	                         the report's name, escaped as in a URL's query
//	sekisho:{sent …}:parts   hash: by:PART (the worker that began it), at:PART (when, milliseconds), ref:PART
//	                         (there once it was sent), released:PART (by which call); behind the blank the
//	                         delivery's id, escaped likewise
//	sekisho:swept            up to when a sweep has judged every start, milliseconds
//	sekisho:first:…          there for a while when something was done that is done once in that time
//	sekisho:policy           hash: the policy in force, the one before, and which call noted it
//	sekisho:{trail}:log      stream: "<seq>-<mark of the batch>" → e (an entry, JSON)
//	sekisho:{trail}:head     hash: seq and hash of the newest entry
//	sekisho:{trail}:turn     the writer for whom others wait
package redisstore

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"sekisho/auth"
)

// Store is an auth.PassStore, auth.AskCounter, auth.RequestStore,
// auth.StartStore and auth.CardStore. Close it when done.
type Store struct {
	client redis.UniversalClient
	// tellers holds, by record, the name under which this process may tell about
	// it. Of two workers of one process it is the later one's.
	tellers sync.Map
}

var (
	_ auth.PassStore    = (*Store)(nil)
	_ auth.AskCounter   = (*Store)(nil)
	_ auth.RequestStore = (*Store)(nil)
	_ auth.StartStore   = (*Store)(nil)
	_ auth.CardStore    = (*Store)(nil)
)

// New takes over the client.
func New(client redis.UniversalClient) *Store { return &Store{client: client} }

// Close closes the connections.
func (s *Store) Close() error { return s.client.Close() }

// Ping says whether the store can be reached.
func (s *Store) Ping(ctx context.Context) error { return away(s.client.Ping(ctx).Err()) }

const (
	keepPasses = 24 * time.Hour      // past the deadline, so that a refusal can say what was wrong
	keepStarts = 30 * 24 * time.Hour // the sweep renews it while the instance runs
	atOnce     = 500                 // commands in one pipeline, entries of the trail in one answer
)

func passesKey(instance string) string { return "sekisho:{" + instance + "}:passes" }
func startKey(instance string) string  { return "sekisho:{" + instance + "}:start" }
func wrongKey(instance string) string  { return "sekisho:{" + instance + "}:wrong" }
func lockKey(instance string) string   { return "sekisho:{" + instance + "}:lock" }
func asksKey(user string) string       { return "sekisho:{" + user + "}:asks" }

const sweptKey = "sekisho:swept"

// away marks what kept the store from answering. Whatever it is, a network
// fault, a full memory or a lost primary, nothing could be decided; only the
// caller's own cancellation is not the store's doing.
func away(err error) error {
	if err == nil || errors.Is(err, context.Canceled) {
		return err
	}
	return fmt.Errorf("%w: redis: %w", auth.ErrUnavailable, err)
}

// readAll runs one HGETALL per id in pipelines, and hands over each answer.
func (s *Store) readAll(
	ctx context.Context, ids []string, key func(string) string, each func(id string, fields map[string]string),
) error {
	for len(ids) > 0 {
		part := ids[:min(atOnce, len(ids))]
		ids = ids[len(part):]
		answers := make([]*redis.MapStringStringCmd, len(part))
		_, err := s.client.Pipelined(ctx, func(p redis.Pipeliner) error {
			for n, id := range part {
				answers[n] = p.HGetAll(ctx, key(id))
			}
			return nil
		})
		if err != nil {
			return away(err)
		}
		for n, id := range part {
			each(id, answers[n].Val())
		}
	}
	return nil
}
