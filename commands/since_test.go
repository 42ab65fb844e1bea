package commands_test

import (
	"strings"
	"testing"
	"time"

	"sekisho/commands"
)

func TestReadSince(t *testing.T) {
	now := time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)
	for text, want := range map[string]time.Time{
		"7d": now.AddDate(0, 0, -7), "0d": now, "90m": now.Add(-90 * time.Minute), "1h30m": now.Add(-90 * time.Minute),
		"2026-01-01":                time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC),
		"2026-01-01T00:00:00Z":      time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC),
		"2026-01-01T01:00:00+01:00": time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC),
	} {
		if got, err := commands.ReadSince(text, now); err != nil || !got.Equal(want) {
			t.Errorf("%q: %v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "yesterday", "-3d", "-5m", "d", "7", "7D", "7 d", "2026-13-01", strings.Repeat("7", 99) + "d"} {
		_, err := commands.ReadSince(text, now)
		if err == nil || !strings.Contains(err.Error(), "is neither a time (2026-01-31") || strings.Contains(err.Error(), "--since") || len(err.Error()) > 200 {
			t.Errorf("%q: %v", text, err)
		}
	}
}
