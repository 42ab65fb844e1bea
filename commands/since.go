package commands

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// ReadSince reads a time, or how long ago it is.
func ReadSince(text string, now time.Time) (time.Time, error) {
	if t, err := time.Parse(time.RFC3339, text); err == nil {
		return t, nil
	}
	if t, err := time.Parse(time.DateOnly, text); err == nil {
		return t, nil
	}
	if days, err := strconv.Atoi(strings.TrimSuffix(text, "d")); err == nil && strings.HasSuffix(text, "d") && days >= 0 {
		return now.AddDate(0, 0, -days), nil
	}
	if d, err := time.ParseDuration(text); err == nil && d >= 0 {
		return now.Add(-d), nil
	}
	return time.Time{}, fmt.Errorf("%.40q is neither a time (2026-01-31 or 2026-01-31T15:04:05Z) nor how long ago (7d, 12h)", text)
}
