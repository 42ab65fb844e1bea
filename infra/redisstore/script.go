package redisstore

import (
	"context"
	"sync"

	"github.com/redis/go-redis/v9"
)

// lua is a script whose digest is made when it is first run, and not with the
// process: every cold start would wait for all of them.
type lua struct {
	text   string
	once   sync.Once
	script *redis.Script
}

func script(text string) *lua { return &lua{text: text} }

// Run runs it by its digest, and sends its text where Redis does not know that.
func (l *lua) Run(ctx context.Context, c redis.Scripter, keys []string, args ...any) *redis.Cmd {
	l.once.Do(func() { l.script = redis.NewScript(l.text) })
	return l.script.Run(ctx, c, keys, args...)
}
