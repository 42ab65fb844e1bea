package redisstore

import (
	"context"
	"errors"

	"github.com/redis/go-redis/v9"
)

// Watch calls failed for every command that failed after all tries, and once
// for a pipeline. That a key is not there, that a transaction came too late, and
// that a script is not known yet, are answers.
func Watch(client redis.UniversalClient, failed func(error)) { client.AddHook(watch(failed)) }

type watch func(error)

func (watch) DialHook(next redis.DialHook) redis.DialHook { return next } // a command fails with it

func (w watch) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, c redis.Cmder) error {
		err := next(ctx, c)
		if isFailure(c.Name(), err) {
			w(err)
		}
		return err
	}
}

func (w watch) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, all []redis.Cmder) error {
		err := next(ctx, all)
		for _, c := range all {
			if isFailure(c.Name(), c.Err()) {
				w(c.Err())
				break
			}
		}
		return err
	}
}

func isFailure(command string, err error) bool {
	switch command {
	case "hello", "client", "auth": // how a connection begins: where that matters, what it is for fails too
		return false
	}
	return err != nil && !errors.Is(err, redis.Nil) && !errors.Is(err, redis.TxFailedErr) && !redis.HasErrorPrefix(err, "NOSCRIPT")
}
