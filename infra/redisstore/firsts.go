package redisstore

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"time"

	"github.com/google/uuid"
	"github.com/redis/go-redis/v9"
)

// First says whether nobody has asked for this within the time. A call that is
// sent again because its answer was lost knows its own mark.
func (s *Store) First(ctx context.Context, what string, within time.Duration) (bool, error) {
	sum := sha256.Sum256([]byte(what))
	key, mark := "sekisho:first:"+base64.RawURLEncoding.EncodeToString(sum[:16]), uuid.NewString()
	first, err := s.client.SetNX(ctx, key, mark, within).Result()
	if err != nil || first {
		return first, away(err)
	}
	by, err := s.client.Get(ctx, key).Result()
	if errors.Is(err, redis.Nil) {
		return false, nil // its time has just come to an end
	}
	return by == mark, away(err)
}
