package redisstore

import (
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"

	"sekisho/auth"
	"sekisho/auth/purge"
)

var (
	//go:embed scripts/claim_keys.lua
	claimKeysLua string
	//go:embed scripts/put_hold.lua
	putHoldLua string
	//go:embed scripts/told_hold.lua
	toldHoldLua string
	//go:embed scripts/allow_hold.lua
	allowHoldLua string

	claimKeys = script(claimKeysLua)
	putHold   = script(putHoldLua)
	toldHold  = script(toldHoldLua)
	allowHold = script(allowHoldLua)
)

const (
	countFor  = 24 * time.Hour
	keepCount = 48 * time.Hour      // longer, should a worker's clock be ahead
	keepHolds = 48 * time.Hour      // as purge.Budget says
	keepLimit = 30 * 24 * time.Hour // a sweep sets it anew; without one for so long, caution
)

const (
	limitKey   = "sekisho:{keys}:limit"
	endedKey   = "sekisho:{keys}:ended"
	allowedKey = "sekisho:{keys}:allowed"
	heldKey    = "sekisho:{keys}:held"
)

func holdKey(id string) string { return "sekisho:{keys}:hold:" + id }

// SetLimit keeps the promise of purge.Budget.
func (k *Keys) SetLimit(ctx context.Context, limit int) error {
	return away(k.store.client.Set(ctx, limitKey, limit, keepLimit).Err())
}

// Claim keeps the promise of purge.Budget. The same call again finds its keys
// counted, and succeeds.
func (k *Keys) Claim(ctx context.Context, ids []string, whole bool, now time.Time) (bool, error) {
	args := []any{now.UnixMilli(), countFor.Milliseconds(), keepHolds.Milliseconds(), keepCount.Milliseconds(), whole}
	for _, id := range ids {
		args = append(args, id)
	}
	ok, err := claimKeys.Run(ctx, k.store.client, []string{limitKey, endedKey, allowedKey, heldKey}, args...).Bool()
	return ok, away(err)
}

// PutHold keeps the promise of purge.Budget.
func (k *Keys) PutHold(ctx context.Context, h purge.Hold) (purge.Hold, error) {
	hold, err := json.Marshal(h)
	if err != nil {
		return purge.Hold{}, fmt.Errorf("encoding the hold %s: %w", h.ID, err)
	}
	ids := make([]string, len(h.Keys))
	for n, held := range h.Keys {
		ids[n] = held.ID
	}
	fields, err := putHold.Run(ctx, k.store.client, []string{holdKey(h.ID), heldKey},
		hold, strings.Join(ids, " "), h.At.UnixMilli(), keepHolds.Milliseconds()).Slice()
	if err != nil {
		return purge.Hold{}, away(err)
	}
	return readHold(h.ID, pairs(fields))
}

// ToldHold keeps the promise of purge.Budget.
func (k *Keys) ToldHold(ctx context.Context, id string) error {
	return away(toldHold.Run(ctx, k.store.client, []string{holdKey(id)}).Err())
}

// Allow keeps the promise of purge.Budget.
func (k *Keys) Allow(ctx context.Context, id, user string, now time.Time) (purge.Hold, bool, error) {
	answer, err := allowHold.Run(ctx, k.store.client, []string{holdKey(id), allowedKey},
		user, uuid.NewString(), now.UnixMilli(), keepCount.Milliseconds()).Slice()
	if err != nil {
		return purge.Hold{}, false, away(err)
	}
	h, err := readHold(id, pairs(answer[1]))
	return h, err == nil && answer[0] == int64(1), err
}

// readHold reads a hold's hash: what it was when it was stored, and what has
// become of it.
func readHold(id string, f map[string]string) (purge.Hold, error) {
	if len(f) == 0 {
		return purge.Hold{}, &auth.Refusal{Reason: auth.TooLate}
	}
	if f["v"] != "1" {
		return purge.Hold{}, errNewer("the hold "+id, f["v"])
	}
	var h purge.Hold
	if err := json.Unmarshal([]byte(f["hold"]), &h); err != nil {
		return purge.Hold{}, fmt.Errorf("the hold %s cannot be read: %w", id, err)
	}
	h.Told, h.By = f["told"] == "1", f["by"]
	return h, nil
}
