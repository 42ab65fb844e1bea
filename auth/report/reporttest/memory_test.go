package reporttest_test

import (
	"fmt"
	"testing"
	"time"

	"sekisho/auth/report"
	"sekisho/auth/report/reporttest"
)

func TestPromisesInMemory(t *testing.T) {
	reporttest.Snapshots(t, func(*testing.T) report.Snapshots { return reporttest.NewMemory() })
	reporttest.Deliveries(t, func(*testing.T) report.Deliveries { return reporttest.NewMemory() })
}

func TestAnOldReportGoesWithTheNext(t *testing.T) {
	m, t0 := reporttest.NewMemory(), reporttest.T0
	for n, want := range []string{"hour 0", "hour 0", ""} { // the third comes when the first has been kept for two hours
		text := fmt.Append(nil, "hour ", n)
		if _, err := m.PutSnapshot(t.Context(), "weekly", t0.Add(time.Duration(n)*time.Hour), text, 9, 2*time.Hour); err != nil {
			t.Fatal(err)
		}
		if got, _, err := m.Snapshot(t.Context(), "weekly", t0.Add(time.Minute)); string(got) != want || err != nil {
			t.Errorf("after hour %d: %q, %v; want %q", n, got, err, want)
		}
	}
}
