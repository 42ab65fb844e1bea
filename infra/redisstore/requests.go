package redisstore

import (
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"sekisho/auth"
)

var (
	//go:embed scripts/put_request.lua
	putRequestLua string
	//go:embed scripts/change_request.lua
	changeRequestLua string

	putRequest    = script(putRequestLua)
	changeRequest = script(changeRequestLua)
)

const (
	keepRequests = 30 * 24 * time.Hour // after the last change
	keepSources  = 24 * time.Hour      // Slack's ids of commands, to tell a replay apart
	listClosed   = 24 * time.Hour      // after the last change
)

const requestsKey = "sekisho:requests"

func requestKey(id string) string {
	instance, random, _ := strings.Cut(id, "/")
	return "sekisho:{" + instance + "}:request:" + random
}

func askingKey(instance string) string { return "sekisho:{" + instance + "}:asking" }

// asking is the field of the asker's open request. Whoever waits for an
// approval can break the glass meanwhile.
func asking(r auth.Request) string {
	if r.Break {
		return r.Asker + "!"
	}
	return r.Asker
}

// sourceKey holds a digest: the source is somebody else's text of any length.
// A request without one is told apart by its id.
func sourceKey(r auth.Request) string {
	source := r.Source
	if source == "" {
		source = r.ID
	}
	sum := sha256.Sum256([]byte(source))
	return "sekisho:{" + r.Instance + "}:asked:" + base64.RawURLEncoding.EncodeToString(sum[:16])
}

// PutRequest keeps the promise of auth.RequestStore; the same call again
// stores nothing more and succeeds. The request is listed first: a crash
// between leaves an id without a record, which is passed over, and never a
// record that nobody lists.
func (s *Store) PutRequest(ctx context.Context, r auth.Request) (auth.Request, error) {
	if i, ok := auth.InstanceOf(r.ID); !ok || i != r.Instance {
		return auth.Request{}, fmt.Errorf("a request for %q cannot have the id %q: it begins with the instance and a slash",
			r.Instance, r.ID)
	}
	record, err := json.Marshal(r)
	if err != nil {
		return auth.Request{}, fmt.Errorf("encoding the request %s: %w", r.ID, err)
	}
	if err := s.list(ctx, r.ID, r.Asked, keepRequests); err != nil {
		return auth.Request{}, err
	}
	answer, err := putRequest.Run(ctx, s.client, []string{requestKey(r.ID), askingKey(r.Instance), sourceKey(r)},
		r.ID, record, r.Version(), asking(r), r.Asked.UnixMilli(), r.Lapses().UnixMilli(),
		keepRequests.Milliseconds(), keepSources.Milliseconds()).StringSlice()
	if err != nil {
		return auth.Request{}, away(err)
	}
	why := auth.Reason(answer[0])
	if why == auth.AlreadyAsked || why == auth.Replayed && answer[1] != r.ID {
		_ = s.client.ZRem(ctx, requestsKey, r.ID).Err() // or it is listed for nothing, which does no harm
	}
	switch why {
	case auth.AlreadyAsked:
		other, _, err := s.Request(ctx, answer[1])
		if err != nil {
			return auth.Request{}, err
		}
		return other, &auth.Refusal{Reason: why}
	case auth.Replayed:
		return auth.Request{}, &auth.Refusal{Reason: why}
	}
	return r, nil
}

// list has Requests list the request for so long, and strikes off what was
// listed long enough.
func (s *Store) list(ctx context.Context, id string, now time.Time, long time.Duration) error {
	_, err := s.client.Pipelined(ctx, func(p redis.Pipeliner) error {
		p.ZRemRangeByScore(ctx, requestsKey, "-inf", fmt.Sprint(now.UnixMilli()))
		p.ZAdd(ctx, requestsKey, redis.Z{Score: float64(now.Add(long).UnixMilli()), Member: id})
		p.PExpire(ctx, requestsKey, keepRequests)
		return nil
	})
	return away(err)
}

// Request keeps the promise of auth.RequestStore.
func (s *Store) Request(ctx context.Context, id string) (auth.Request, auth.Told, error) {
	fields, err := s.client.HGetAll(ctx, requestKey(id)).Result()
	if err != nil {
		return auth.Request{}, auth.Told{}, away(err)
	}
	return readRequest(id, fields)
}

// ChangeRequest keeps the promise of auth.RequestStore. Only the newest change
// is stored: what was asked, and what happened before, nobody can rewrite, nor
// lose a field of it that a newer sekisho wrote. The same call again changes
// nothing more and succeeds.
func (s *Store) ChangeRequest(ctx context.Context, r auth.Request) (auth.Request, bool, error) {
	n := r.Version()
	if n == 0 {
		return auth.Request{}, false, fmt.Errorf("the request %s is to be changed, and comes without a change", r.ID)
	}
	newest := r.History[n-1]
	change, err := json.Marshal(newest)
	if err != nil {
		return auth.Request{}, false, fmt.Errorf("encoding a change of %s: %w", r.ID, err)
	}
	lapses, listed := "", listClosed
	if r.Open() {
		lapses, listed = fmt.Sprint(r.Lapses().UnixMilli()), keepRequests
	}
	answer, err := changeRequest.Run(ctx, s.client, []string{requestKey(r.ID), askingKey(r.Instance)},
		n, change, r.ID, asking(r), lapses, keepRequests.Milliseconds()).Slice()
	if err != nil {
		return auth.Request{}, false, away(err)
	}
	now, _, err := readRequest(r.ID, pairs(answer[1]))
	changed := err == nil && answer[0] == int64(1)
	if changed {
		// The change stands whatever becomes of this: the request is then
		// listed for as long as it was.
		_ = s.list(ctx, r.ID, newest.At, listed)
	}
	return now, changed, err
}

// Requests keeps the promise of auth.RequestStore, the oldest first. It has no
// clock: a closed request drops out when another is stored or changed a day
// after it.
func (s *Store) Requests(ctx context.Context) ([]auth.Request, error) {
	ids, err := s.client.ZRange(ctx, requestsKey, 0, -1).Result()
	if err != nil {
		return nil, away(err)
	}
	var all []auth.Request
	var bad error
	err = s.readAll(ctx, ids, requestKey, func(id string, fields map[string]string) {
		r, _, err := readRequest(id, fields)
		var gone *auth.Refusal
		switch {
		case err == nil:
			all = append(all, r)
		case !errors.As(err, &gone):
			bad = err
		}
	})
	if err == nil {
		err = bad
	}
	slices.SortFunc(all, func(a, b auth.Request) int { return a.Asked.Compare(b.Asked) })
	return all, err
}

// TakeTelling keeps the promise of auth.RequestStore.
func (s *Store) TakeTelling(
	ctx context.Context, id string, now time.Time, lease time.Duration,
) (auth.Request, auth.Told, bool, error) {
	word, fields, err := s.takeTelling(ctx, tellingRequest(id), now, lease)
	if err == nil && word == other {
		err = &auth.Refusal{Reason: auth.NoRequest}
	}
	if err != nil || word != yours {
		return auth.Request{}, auth.Told{}, false, err
	}
	r, t, err := readRequest(id, fields)
	return r, t, err == nil, err
}

// PutTold keeps the promise of auth.RequestStore.
func (s *Store) PutTold(ctx context.Context, id string, t auth.Told) (bool, error) {
	n, err := s.putTold(ctx, tellingRequest(id), t.Channel, t.TS, t.Version, t.Recorded)
	if err == nil && n < 0 {
		err = &auth.Refusal{Reason: auth.NoRequest}
	}
	return n == 1, err
}

// tellingRequest has something to tell until it is both told and recorded.
func tellingRequest(id string) telling {
	return telling{key: requestKey(id), field: "id", value: id, progress: "version", marks: []any{"told", "recorded"}}
}

// readRequest reads a request's hash: what it was when it was stored, and what
// has happened since.
func readRequest(id string, f map[string]string) (auth.Request, auth.Told, error) {
	if len(f) == 0 {
		return auth.Request{}, auth.Told{}, &auth.Refusal{Reason: auth.NoRequest}
	}
	if f["v"] != "1" {
		return auth.Request{}, auth.Told{}, errNewer("the request "+id, f["v"])
	}
	var r auth.Request
	err := json.Unmarshal([]byte(f["record"]), &r)
	if err == nil {
		var since []auth.Change
		since, err = changes[auth.Change](f, r.Version())
		r.History = append(r.History, since...)
	}
	if err != nil {
		return auth.Request{}, auth.Told{}, fmt.Errorf("the record of the request %s cannot be read: %w", id, err)
	}
	return r, told(f), nil
}
