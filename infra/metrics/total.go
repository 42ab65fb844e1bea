package metrics

import (
	"time"

	"sekisho/auth/measure"
)

// Total is what one series has come to since the process began.
type Total struct {
	Metric measure.Metric
	By     measure.By
	Count  uint64 // how often, and of times how many
	Level  int
	Sum    time.Duration
	// Buckets has, for each of Bounds, how many times were within it and above the
	// bound before; at the end those above the last.
	Buckets [bounds + 1]uint64
}

const bounds = 16

// Bounds are those of the buckets: an answer takes milliseconds and must not
// take 3 s, a report may take 13 minutes.
func Bounds() [bounds]time.Duration { return limits }

var limits = [bounds]time.Duration{
	time.Millisecond, 5 * time.Millisecond, 10 * time.Millisecond, 25 * time.Millisecond, 50 * time.Millisecond,
	100 * time.Millisecond, 250 * time.Millisecond, 500 * time.Millisecond, time.Second, 2500 * time.Millisecond,
	5 * time.Second, 10 * time.Second, 30 * time.Second, time.Minute, 5 * time.Minute, 15 * time.Minute,
}

func bucket(d time.Duration) int {
	for n, most := range limits {
		if d <= most {
			return n
		}
	}
	return bounds
}

// Totals lists what was measured so far, in the order of the metrics.
func (m *Meter) Totals() []Total {
	var all []Total
	for _, s := range m.sorted() {
		s.mu.Lock()
		all = append(all, s.total)
		s.mu.Unlock()
	}
	return all
}
