package reporttest

import (
	"bytes"
	"context"
	"slices"
	"sync"
	"time"

	"sekisho/auth/report"
)

// Memory is a report.Snapshots and a report.Deliveries that forgets everything
// with its process. It has no clock: what is older than was wanted goes when a
// report comes.
type Memory struct {
	mu      sync.Mutex
	reports map[string][]snapshot // by name, the oldest first
	parts   map[part]*report.Progress
}

type snapshot struct {
	to   time.Time
	text []byte
}

type part struct{ delivery, name string }

var (
	_ report.Snapshots  = (*Memory)(nil)
	_ report.Deliveries = (*Memory)(nil)
)

// NewMemory is empty.
func NewMemory() *Memory {
	return &Memory{reports: make(map[string][]snapshot), parts: make(map[part]*report.Progress)}
}

// PutSnapshot keeps the promise of report.Snapshots.
func (m *Memory) PutSnapshot(
	_ context.Context, name string, to time.Time, text []byte, keep int, forHow time.Duration,
) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	all := m.reports[name]
	n, there := slices.BinarySearchFunc(all, to, func(s snapshot, to time.Time) int { return s.to.Compare(to) })
	if there {
		return bytes.Clone(all[n].text), nil
	}
	all = slices.Insert(all, n, snapshot{to, append([]byte{}, text...)})
	all = all[max(0, len(all)-keep):]
	m.reports[name] = slices.DeleteFunc(all, func(s snapshot) bool { return !s.to.After(to.Add(-forHow)) })
	return bytes.Clone(text), nil
}

// Snapshot keeps the promise of report.Snapshots.
func (m *Memory) Snapshot(_ context.Context, name string, before time.Time) ([]byte, time.Time, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, s := range slices.Backward(m.reports[name]) {
		if s.to.Before(before) {
			return bytes.Clone(s.text), s.to, nil
		}
	}
	return nil, time.Time{}, nil
}

// Begin keeps the promise of report.Deliveries.
func (m *Memory) Begin(_ context.Context, delivery, name, worker string, now time.Time) (report.Progress, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	p, known := m.parts[part{delivery, name}]
	if !known {
		p = &report.Progress{By: worker, At: now}
		m.parts[part{delivery, name}] = p
	}
	got := *p
	got.Mine = !p.Done && p.By == worker
	return got, nil
}

// Finish keeps the promise of report.Deliveries.
func (m *Memory) Finish(_ context.Context, delivery, name, ref string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	p, known := m.parts[part{delivery, name}]
	if !known {
		p = &report.Progress{}
		m.parts[part{delivery, name}] = p
	}
	if !p.Done {
		p.Done, p.Ref = true, ref
	}
	return nil
}

// Release keeps the promise of report.Deliveries.
func (m *Memory) Release(_ context.Context, delivery, name, worker string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if p, known := m.parts[part{delivery, name}]; known && !p.Done && p.By == worker {
		delete(m.parts, part{delivery, name})
	}
	return nil
}
