package wire

import (
	"errors"

	"sekisho/infra/redisstore"
)

// OpenTrail gives the trail to who only reads it: that needs REDIS_URL and
// SEKISHO_PEPPER, and neither Slack nor AWS. Close the store when done.
func OpenTrail(env Env) (*redisstore.Trail, *redisstore.Store, error) {
	r := reader{env: env}
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
