package commands

import (
	"time"

	"sekisho/auth/measure"
)

// Meter takes what is measured. Every request calls it, many at once: it is
// quick, and it cannot fail.
type Meter interface {
	// Count counts one more.
	Count(measure.Metric, measure.By)
	// Took notes how long one took.
	Took(measure.Metric, measure.By, time.Duration)
	// Level notes that there are so many more, or fewer.
	Level(measure.Metric, int)
}

// Count counts one more. A Desk without a Meter measures nothing.
func (d *Desk) Count(m measure.Metric, by ...string) {
	if d.Meter != nil {
		d.Meter.Count(m, values(by))
	}
}

// Since notes how long it took from then until now.
func (d *Desk) Since(then time.Time, m measure.Metric, by ...string) {
	if d.Meter != nil {
		d.Meter.Took(m, values(by), d.Now().Sub(then))
	}
}

// Level notes that there are so many more, or fewer.
func (d *Desk) Level(m measure.Metric, more int) {
	if d.Meter != nil {
		d.Meter.Level(m, more)
	}
}

func values(by []string) (v measure.By) {
	copy(v[:], by)
	return v
}
