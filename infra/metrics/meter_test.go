package metrics_test

import (
	"slices"
	"sync"
	"testing"
	"time"

	"sekisho/auth/measure"
	"sekisho/commands"
	"sekisho/infra/metrics"
)

var _ commands.Meter = (*metrics.Meter)(nil)

var noon = time.Unix(1_800_000_000, 0)

func newMeter() *metrics.Meter { return metrics.New(func() time.Time { return noon }) }

// of is what one series has come to.
func of(t *testing.T, m *metrics.Meter, metric measure.Metric, by measure.By) metrics.Total {
	t.Helper()
	for _, total := range m.Totals() {
		if total.Metric == metric && total.By == by {
			return total
		}
	}
	t.Fatalf("%s %q was not measured", metric.About().Name, by)
	return metrics.Total{}
}

func TestWhatManyMeasureAtOnceAddsUp(t *testing.T) {
	m := newMeter()
	const workers, each = 8, 1000
	var all sync.WaitGroup
	for range workers {
		all.Go(func() {
			for n := range each {
				m.Count(measure.Decisions, measure.By{"pass.issue", []string{"done", "refused"}[n%2]})
				m.Took(measure.DoorLatency, measure.By{"http"}, 2*time.Millisecond)
				m.Level(measure.SocketConnections, 1)
				m.Totals()
			}
		})
	}
	all.Wait()
	for _, outcome := range []string{"done", "refused"} {
		if got := of(t, m, measure.Decisions, measure.By{"pass.issue", outcome}).Count; got != workers*each/2 {
			t.Errorf("%s: %d", outcome, got)
		}
	}
	took := of(t, m, measure.DoorLatency, measure.By{"http"})
	if took.Count != workers*each || took.Sum != workers*each*2*time.Millisecond || took.Buckets[1] != workers*each {
		t.Errorf("times: %+v", took)
	}
	if got := of(t, m, measure.SocketConnections, measure.By{}).Level; got != workers*each {
		t.Errorf("level: %d", got)
	}
}

func TestTimesFallIntoTheirBuckets(t *testing.T) {
	limits := metrics.Bounds()
	if !slices.IsSorted(limits[:]) {
		t.Fatalf("the bounds are not in order: %v", limits)
	}
	for took, want := range map[time.Duration]int{
		-time.Second: 0, 0: 0, time.Millisecond: 0, time.Millisecond + 1: 1,
		2500 * time.Millisecond: 9, 15 * time.Minute: len(limits) - 1, time.Hour: len(limits),
	} {
		m := newMeter()
		m.Took(measure.GateLatency, measure.By{}, took)
		got := of(t, m, measure.GateLatency, measure.By{})
		if got.Buckets[want] != 1 || got.Sum != max(took, 0) {
			t.Errorf("%v: buckets %v, sum %v; want it in the %dth", took, got.Buckets, got.Sum, want)
		}
	}
}

// Every request measures: it must cost nothing.
func TestMeasuringAgainAllocatesNothing(t *testing.T) {
	m := newMeter()
	door, err := "ht"+string([]byte{'t', 'p'}), "done" // a text that is no constant
	if n := testing.AllocsPerRun(1000, func() {
		m.Took(measure.DoorLatency, measure.By{door}, time.Millisecond)
		m.Count(measure.Decisions, measure.By{door, err})
		m.Level(measure.SocketConnections, 1)
	}); n > 0 {
		t.Errorf("%v allocations", n)
	}
	d := &commands.Desk{Meter: m, Now: time.Now}
	if n := testing.AllocsPerRun(1000, func() {
		d.Since(noon, measure.DoorLatency, door)
		d.Count(measure.Decisions, door, err)
	}); n > 0 {
		t.Errorf("%v allocations through a Desk", n)
	}
}

func TestADeskWithoutAMeterMeasuresNothing(t *testing.T) {
	d := &commands.Desk{}
	d.Since(noon, measure.DoorLatency, "http")
	d.Count(measure.Sweeps)
	d.Level(measure.SocketConnections, 1)
}

func BenchmarkTook(b *testing.B) {
	m := newMeter()
	b.ReportAllocs()
	b.RunParallel(func(p *testing.PB) {
		for p.Next() {
			m.Took(measure.DoorLatency, measure.By{"http"}, time.Millisecond)
		}
	})
}
