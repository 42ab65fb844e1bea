package redisstore

import (
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"sekisho/auth"
)

var (
	//go:embed scripts/append.lua
	appendLua string

	appendEntries = script(appendLua)
)

const (
	logKey  = "sekisho:{trail}:log"
	headKey = "sekisho:{trail}:head"
	turnKey = "sekisho:{trail}:turn"

	batchSize = 256 // entries that one script call takes
	// turn is how long others wait for a writer whose place was taken while it
	// linked its batch. Else one that has much to say would keep it out.
	turn = 100 * time.Millisecond
	// appendTries bounds how often a batch waits for its turn: 0.6 s on average.
	appendTries = 50
)

// Trail is an auth.Trail. Callers that come while entries are on their way wait
// together and are sent as one batch, so that the trail takes many more entries
// a second than round trips fit into one.
type Trail struct {
	client redis.UniversalClient
	pepper auth.Pepper
	writer uint64 // names this one among all that append

	mu      sync.Mutex
	waiting []*addition
	busy    bool

	// The head as it was last seen. Only the one who is busy touches it.
	seq  int64
	hash string
}

var _ auth.Trail = (*Trail)(nil)

// addition is what one call of Append adds.
type addition struct {
	entries []auth.Entry
	done    chan error
}

// Trail gives the trail that stands in this store. The pepper keys its hashes.
func (s *Store) Trail(pepper auth.Pepper) *Trail {
	return &Trail{client: s.client, pepper: pepper, writer: rand.Uint64()}
}

// Append keeps the promise of auth.Trail. The entries of one call are stored
// all or none. One caller's cancellation keeps nothing from the trail.
func (t *Trail) Append(ctx context.Context, entries ...auth.Entry) ([]auth.Entry, error) {
	if len(entries) == 0 {
		return nil, nil
	}
	for _, e := range entries {
		if _, err := json.Marshal(e.Time); err != nil { // all else of it is text
			return nil, fmt.Errorf("an entry of the trail (%s) cannot be encoded: %w", e.Act, err)
		}
	}
	a := &addition{slices.Clone(entries), make(chan error, 1)}
	t.enqueue(a)
	select {
	case err := <-a.done:
		if err != nil {
			return nil, err
		}
		return a.entries, nil
	case <-ctx.Done():
		return nil, away(ctx.Err())
	}
}

func (t *Trail) enqueue(a *addition) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.waiting = append(t.waiting, a)
	if !t.busy {
		t.busy = true
		go t.work()
	}
}

// work sends batches until nobody waits.
func (t *Trail) work() {
	for batch := t.next(); len(batch) > 0; batch = t.next() {
		err := t.add(batch)
		for _, a := range batch {
			a.done <- err
		}
	}
}

// next takes as many waiting additions as fit into a batch, and one at least.
func (t *Trail) next() []*addition {
	t.mu.Lock()
	defer t.mu.Unlock()
	n, size := 0, 0
	for ; n < len(t.waiting); n++ {
		size += len(t.waiting[n].entries)
		if n > 0 && size > batchSize {
			break
		}
	}
	batch := slices.Clone(t.waiting[:n])
	t.waiting = slices.Delete(t.waiting, 0, n)
	t.busy = n > 0
	return batch
}

// add links the batch to the trail's head and stores it, again from the head
// as it is where another process came first.
func (t *Trail) add(batch []*addition) error {
	mark := rand.Uint64()
	for try := range appendTries {
		// No caller's context: all of them wait. The client's timeouts end it.
		answer, err := appendEntries.Run(context.Background(), t.client,
			[]string{logKey, headKey, turnKey}, t.link(batch, mark)...).StringSlice()
		if err != nil {
			return away(err)
		}
		t.seq, t.hash = number(answer[1]), answer[2]
		switch answer[0] {
		case "done":
			return nil
		case "wait":
			time.Sleep(rand.N(time.Duration(try+1) * time.Millisecond))
		}
	}
	return fmt.Errorf("%w: redis: the trail was others' turn %d times; nothing was stored", auth.ErrUnavailable, appendTries)
}

// link gives each entry its place behind the head, and makes the script's
// arguments. The mark tells this batch from any other that wants the place.
func (t *Trail) link(batch []*addition, mark uint64) []any {
	seq, hash := t.seq, t.hash
	args := []any{seq, hash, nil, t.writer, turn.Milliseconds()}
	for _, a := range batch {
		for n, e := range a.entries {
			e = t.pepper.Link(e, seq, hash)
			text, _ := json.Marshal(e) // cannot fail: Link has encoded it too
			a.entries[n], seq, hash = e, e.Seq, e.Hash
			args = append(args, fmt.Sprintf("%d-%d", seq, mark), text)
		}
	}
	args[2] = hash
	return args
}
