package redisstore

import (
	"context"
	_ "embed"

	"github.com/google/uuid"

	"sekisho/auth"
)

var (
	//go:embed scripts/swap_policy.lua
	swapPolicyLua string

	swapPolicy = script(swapPolicyLua)
)

var _ auth.PolicyStore = (*Store)(nil)

const policyKey = "sekisho:policy"

// SwapPolicy keeps the promise of auth.PolicyStore; a call that is sent twice
// because its answer was lost gets the same answer.
func (s *Store) SwapPolicy(ctx context.Context, hash string) (before string, err error) {
	before, err = swapPolicy.Run(ctx, s.client, []string{policyKey}, hash, uuid.NewString()).Text()
	return before, away(err)
}
