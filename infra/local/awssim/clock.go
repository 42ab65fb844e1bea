package awssim

import (
	"slices"
	"time"
)

// What follows is for tests whose clock (Options.Now) does not wait: they put it forward when nothing is to happen before.

// Hidden is a message that nobody can receive now.
type Hidden struct {
	Until   time.Time
	Receipt string // of whoever received it; empty where it waits for the first time
}

// Waiting says how many of a queue's messages can be received now, and lists the others, the soonest visible first.
func (c *Cloud) Waiting(queueURL string) (visible int, hidden []Hidden) {
	c.mu.Lock()
	defer c.mu.Unlock()
	q := c.mustQueue("Waiting", queueURL)
	c.redrive(q)
	now := c.opts.Now()
	for _, m := range q.messages {
		if m.visibleAt.After(now) {
			hidden = append(hidden, Hidden{m.visibleAt, m.receipt})
		} else {
			visible++
		}
	}
	slices.SortFunc(hidden, func(a, b Hidden) int { return a.Until.Compare(b.Until) })
	return visible, hidden
}

// Moved says that the clock was put forward: whoever waits for a message looks again.
func (c *Cloud) Moved() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, q := range c.queues {
		q.wake()
	}
	c.changed()
}

// Busy says whether something is under way that ends by itself: an instance changes its state, or an event is on its way.
func (c *Cloud) Busy() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, m := range c.machines {
		if m.timer != nil {
			return true
		}
	}
	return len(c.errands) > 0
}
