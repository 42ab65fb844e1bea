// Package metrics keeps what the program measures of itself, and writes it as
// CloudWatch reads it from a log.
package metrics

import (
	"cmp"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"sekisho/auth/measure"
)

// Meter adds up. It is safe for concurrent use, and allocates only what it has
// not counted before. The zero Meter is not ready: use New.
type Meter struct {
	now func() time.Time
	// all is replaced where a series is added, never changed: to find one takes
	// no lock.
	all atomic.Pointer[map[key]*series]
	mu  sync.Mutex // of those who replace it
}

// key is what a series is of.
type key struct {
	metric measure.Metric
	by     measure.By
}

// atMost is how many times a series keeps for one Flush: of more, a random
// choice. It is what CloudWatch takes in one line.
const atMost = 100

// series is one metric by one set of values.
type series struct {
	mu      sync.Mutex
	total   Total
	flushed uint64          // of the total's Count
	times   []time.Duration // since the last Flush
}

// New makes a Meter, which stamps what it writes with this clock.
func New(now func() time.Time) *Meter {
	m := &Meter{now: now}
	m.all.Store(new(map[key]*series))
	return m
}

// Count counts one more.
func (m *Meter) Count(metric measure.Metric, by measure.By) {
	s := m.series(key{metric, by})
	s.mu.Lock()
	defer s.mu.Unlock()
	s.total.Count++
}

// Took notes how long one took; where clocks disagree, no less than nothing.
func (m *Meter) Took(metric measure.Metric, by measure.By, d time.Duration) {
	d = max(d, 0)
	s := m.series(key{metric, by})
	s.mu.Lock()
	defer s.mu.Unlock()
	s.total.Count++
	s.total.Sum += d
	s.total.Buckets[bucket(d)]++
	if len(s.times) < atMost {
		s.times = append(s.times, d)
	} else if n := rand.Uint64N(s.total.Count - s.flushed); n < atMost {
		s.times[n] = d // every one of them has had the same chance to be kept
	}
}

// Level notes that there are so many more, or fewer.
func (m *Meter) Level(metric measure.Metric, more int) {
	s := m.series(key{metric: metric})
	s.mu.Lock()
	defer s.mu.Unlock()
	s.total.Level += more
}

func (m *Meter) series(k key) *series {
	if s := (*m.all.Load())[k]; s != nil {
		return s
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	all := *m.all.Load()
	if s := all[k]; s != nil {
		return s
	}
	s := &series{total: Total{Metric: k.metric, By: k.by}}
	if k.metric.About().Kind == measure.Time {
		s.times = make([]time.Duration, 0, atMost)
	}
	more := maps.Clone(all)
	if more == nil {
		more = make(map[key]*series)
	}
	more[k] = s
	m.all.Store(&more)
	return s
}

// sorted lists the series in the order of their metrics.
func (m *Meter) sorted() []*series {
	return slices.SortedFunc(maps.Values(*m.all.Load()), func(a, b *series) int {
		return cmp.Or(cmp.Compare(a.total.Metric, b.total.Metric), slices.Compare(a.total.By[:], b.total.By[:]))
	})
}
