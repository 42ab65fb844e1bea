package wire

import (
	"context"
	"errors"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"sekisho/infra/redisstore"
)

// OpenTrail gives the trail to who only reads it: that needs REDIS_URL and
// SEKISHO_PEPPER, no Slack, and AWS only where these are references. Close the
// store when done.
func OpenTrail(ctx context.Context, env Env, amazon func(service string) aws.Config) (*redisstore.Trail, *redisstore.Store, error) {
	r := newReader(ctx, Config{Env: env, AWS: amazon, Now: time.Now}, varRedis, varPepper)
	url, pepper := r.redis(), r.pepper()
	if err := errors.Join(r.faults...); err != nil {
		return nil, nil, err
	}
	client, err := redisstore.Dial(url)
	if err != nil {
		return nil, nil, err
	}
	store := redisstore.New(client)
	return store.Trail(pepper), store, nil
}
