// Package redisstore keeps passes and starts in Redis or Valkey, 6.2 or newer:
// one server, Sentinel or a cluster.
//
// Every change is one Lua script on the keys of one instance, which share the
// hash tag {i-…} and so stand in one slot of a cluster. Scripts use only
// commands that Redis 6.2 and Valkey both have. Each record begins with its
// version, and each key but `sekisho:swept` has a time to live.
//
//	sekisho:{i-…}:passes  hash: digest of a code → "1 state user issued deadline request"
//	sekisho:{i-…}:start   hash: the newest start; admitted, it is the grant
//	sekisho:{i-…}:wrong   counter of wrong codes
//	sekisho:{i-…}:lock    there while the instance is locked
//	sekisho:{U…}:asks     counter of what one person asked for
//	sekisho:swept         up to when a sweep has judged every start, milliseconds
package redisstore

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"

	"sekisho/auth"
)

// Store is an auth.PassStore, auth.AskCounter, auth.StartStore and
// auth.CardStore. Close it when done.
type Store struct{ client redis.UniversalClient }

var (
	_ auth.PassStore  = (*Store)(nil)
	_ auth.AskCounter = (*Store)(nil)
	_ auth.StartStore = (*Store)(nil)
	_ auth.CardStore  = (*Store)(nil)
)

// New takes over the client.
func New(client redis.UniversalClient) *Store { return &Store{client} }

// Close closes the connections.
func (s *Store) Close() error { return s.client.Close() }

// Ping says whether the store can be reached.
func (s *Store) Ping(ctx context.Context) error { return away(s.client.Ping(ctx).Err()) }

const (
	keepPasses = 24 * time.Hour      // past the deadline, so that a refusal can say what was wrong
	keepStarts = 30 * 24 * time.Hour // the sweep renews it while the instance runs
	atOnce     = 500                 // commands in one pipeline
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

// readAll runs one HGETALL per key in pipelines, and hands over each answer.
func (s *Store) readAll(ctx context.Context, instances []string, key func(string) string, each func(instance string, fields map[string]string)) error {
	for len(instances) > 0 {
		part := instances[:min(atOnce, len(instances))]
		instances = instances[len(part):]
		answers := make([]*redis.MapStringStringCmd, len(part))
		_, err := s.client.Pipelined(ctx, func(p redis.Pipeliner) error {
			for n, i := range part {
				answers[n] = p.HGetAll(ctx, key(i))
			}
			return nil
		})
		if err != nil {
			return away(err)
		}
		for n, i := range part {
			each(i, answers[n].Val())
		}
	}
	return nil
}
