package charts

import (
	"time"

	"github.com/go-analyze/charts"

	"sekisho/auth/report"
)

// count is a number of things. Such a number is never negative, and a float
// does not overflow where many are added.
func count(n int) float64 { return max(0, float64(n)) }

// number is a count in full, as in 12,345, as long as anybody reads it so.
func number(n float64) string {
	if n < 10_000_000 {
		return charts.FormatValueHumanize(n, 0, false)
	}
	return charts.FormatValueHumanizeShort(n, 1, false)
}

// short is a count where there is little room, as in 12.3k.
func short(n float64) string {
	if n < 10_000 {
		return number(n)
	}
	return charts.FormatValueHumanizeShort(n, 1, false)
}

const fullDate = "2 January 2006"

// span is the period's first and last day, in UTC, as in 30 November to 6
// December 2026.
func span(p report.Period) string {
	first, last := p.From.UTC(), p.To.UTC().Add(-time.Nanosecond)
	switch to := last.Format(fullDate); {
	case !last.After(first) || first.Format(fullDate) == to:
		return first.Format(fullDate)
	case first.Year() != last.Year():
		return first.Format(fullDate) + " to " + to
	case first.Month() != last.Month():
		return first.Format("2 January") + " to " + to
	default:
		return first.Format("2") + " to " + to
	}
}
