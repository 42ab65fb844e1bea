package redisstore

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/redis/go-redis/v9"
)

// LogTo has go-redis write what it says by itself, such as of Sentinels, to this
// log: it has one for the whole process.
func LogTo(log *slog.Logger) { redis.SetLogger(logger{log}) }

type logger struct{ *slog.Logger }

// Printf is what go-redis calls; it has no levels.
func (l logger) Printf(ctx context.Context, format string, args ...any) {
	l.WarnContext(ctx, "go-redis", "says", fmt.Sprintf(format, args...))
}
