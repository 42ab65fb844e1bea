package purgetest

import (
	"bytes"
	"context"
	"encoding/json"
	"sync"
	"time"

	"sekisho/auth"
	"sekisho/auth/purge"
)

const (
	day   = 24 * time.Hour
	waits = 2 * day // a hold
)

// Memory is a purge.Store and a purge.Budget that forgets everything with its
// process. What it is given and what it gives out are copies.
type Memory struct {
	mu      sync.Mutex
	records map[string]filed
	limit   int
	ended   map[string]time.Time // when a key was counted
	allowed map[string]time.Time // when somebody let it end beyond the limit
	holds   map[string]purge.Hold
	held    map[string]time.Time // since when a key is held
}

// filed is a record, and until when somebody has the right to tell about it.
type filed struct {
	purge.Filed
	held time.Time
}

var (
	_ purge.Store  = (*Memory)(nil)
	_ purge.Budget = (*Memory)(nil)
)

// NewMemory is empty.
func NewMemory() *Memory {
	return &Memory{
		records: make(map[string]filed),
		limit:   1,
		ended:   make(map[string]time.Time),
		allowed: make(map[string]time.Time),
		holds:   make(map[string]purge.Hold),
		held:    make(map[string]time.Time),
	}
}

// Records keeps the promise of purge.Store.
func (m *Memory) Records(context.Context) (map[string]purge.Filed, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	all := make(map[string]purge.Filed, len(m.records))
	for id, f := range m.records {
		all[id] = f.copy()
	}
	return all, nil
}

// Record keeps the promise of purge.Store.
func (m *Memory) Record(_ context.Context, id string) (purge.Filed, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.records[id].copy(), nil
}

// Change keeps the promise of purge.Store. The same change again is not stored
// twice and succeeds.
func (m *Memory) Change(_ context.Context, r purge.Record) (purge.Record, bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	f := m.records[r.ID]
	n := r.Version()
	switch {
	case f.Version() == n-1:
		r = clone(r)
		if n > 1 {
			r.ID, r.User, r.UserID, r.Account, r.Created = f.ID, f.User, f.UserID, f.Account, f.Created
			r.History = append(f.History, r.History[n-1])
		}
		f.Record = r
		m.records[r.ID] = f
		return clone(r), true, nil
	case n > 0 && f.Version() >= n:
		return clone(f.Record), same(f.History[n-1], r.History[n-1]), nil
	}
	return clone(f.Record), false, nil
}

// TakeTelling keeps the promise of purge.Store.
func (m *Memory) TakeTelling(_ context.Context, id string, now time.Time, lease time.Duration) (purge.Filed, bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	f := m.records[id]
	switch {
	case !f.restless():
		return purge.Filed{}, false, nil
	case f.held.After(now):
		return purge.Filed{}, false, auth.ErrCardHeld
	}
	f.held = now.Add(lease)
	m.records[id] = f
	return f.copy(), true, nil
}

// PutTold keeps the promise of purge.Store.
func (m *Memory) PutTold(_ context.Context, id string, t auth.Told) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	f, ok := m.records[id]
	if !ok {
		return false, nil
	}
	f.Told, f.held = t, time.Time{}
	m.records[id] = f
	return f.restless(), nil
}

// SetLimit keeps the promise of purge.Budget.
func (m *Memory) SetLimit(_ context.Context, limit int) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.limit = limit
	return nil
}

// Claim keeps the promise of purge.Budget.
func (m *Memory) Claim(_ context.Context, ids []string, whole bool, now time.Time) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	counted := make(map[string]bool)
	for id, at := range m.ended {
		if now.Sub(at) < day {
			counted[id] = true
		}
	}
	more := make(map[string]bool)
	for _, id := range ids {
		at, allowed := m.allowed[id]
		if counted[id] || allowed && now.Sub(at) < day {
			continue
		}
		if since, held := m.held[id]; held && !whole && now.Sub(since) < waits {
			return false, nil
		}
		more[id] = true
	}
	if len(more) > 0 && len(counted)+len(more) > m.limit {
		return false, nil
	}
	for id := range more {
		m.ended[id] = now
		delete(m.held, id)
	}
	return true, nil
}

// PutHold keeps the promise of purge.Budget.
func (m *Memory) PutHold(_ context.Context, h purge.Hold) (purge.Hold, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, known := m.holds[h.ID]; !known {
		m.holds[h.ID] = clone(h)
		for _, k := range h.Keys {
			m.held[k.ID] = h.At
		}
	}
	return clone(m.holds[h.ID]), nil
}

// ToldHold keeps the promise of purge.Budget.
func (m *Memory) ToldHold(_ context.Context, id string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if h, known := m.holds[id]; known {
		h.Told = true
		m.holds[id] = h
	}
	return nil
}

// Allow keeps the promise of purge.Budget.
func (m *Memory) Allow(_ context.Context, id, user string, now time.Time) (purge.Hold, bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	h, known := m.holds[id]
	if !known || now.Sub(h.At) >= waits {
		return purge.Hold{}, false, &auth.Refusal{Reason: auth.TooLate}
	}
	won := h.By == ""
	if won {
		h.By = user
		m.holds[id] = h
		for _, k := range h.Keys {
			m.allowed[k.ID] = now
		}
	}
	return clone(h), won, nil
}

func (f filed) copy() purge.Filed { return purge.Filed{Record: clone(f.Record), Told: f.Told} }

// restless says whether there is something to record or to tell.
func (f filed) restless() bool {
	return f.Told.Version < f.Version() || f.Told.Recorded < f.Version()
}

// clone copies through JSON, as a store does.
func clone[T any](v T) T {
	var c T
	if err := json.Unmarshal(text(v), &c); err != nil {
		panic(err)
	}
	return c
}

func same(a, b any) bool { return bytes.Equal(text(a), text(b)) }

// text panics where a value has no JSON: a record is made of what has.
func text(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return b
}
