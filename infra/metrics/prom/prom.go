// Package prom shows what was measured to Prometheus. It is apart from package
// metrics so that a program that is not scraped does not link it.
package prom

import (
	"net/http"
	"strings"
	"time"
	"unicode"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"sekisho/auth/measure"
	"sekisho/infra/metrics"
)

// Handler answers with the Meter's numbers, the Go runtime's and the process's.
func Handler(m *metrics.Meter) http.Handler {
	r := prometheus.NewRegistry()
	r.MustRegister(newCollector(m), collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return promhttp.HandlerFor(r, promhttp.HandlerOpts{})
}

// collector reads a Meter whenever Prometheus asks.
type collector struct {
	meter *metrics.Meter
	names map[measure.Metric]*prometheus.Desc
}

func newCollector(m *metrics.Meter) *collector {
	c := &collector{m, make(map[measure.Metric]*prometheus.Desc)}
	for one := range measure.All() {
		about := one.About()
		var labels []string
		for _, by := range about.By {
			labels = append(labels, snake(by))
		}
		c.names[one] = prometheus.NewDesc(name(about), about.Help, labels, nil)
	}
	return c
}

// name is a metric's: sekisho_decisions_total, sekisho_door_latency_seconds.
// https://prometheus.io/docs/practices/naming/
func name(about measure.About) string {
	suffix := map[measure.Kind]string{measure.Count: "_total", measure.Time: "_seconds"}
	return "sekisho_" + snake(about.Name) + suffix[about.Kind]
}

// snake writes DoorLatency as door_latency.
func snake(name string) string {
	var b strings.Builder
	for n, r := range name {
		if unicode.IsUpper(r) && n > 0 {
			b.WriteByte('_')
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}

func (c *collector) Describe(to chan<- *prometheus.Desc) {
	for _, d := range c.names {
		to <- d
	}
}

func (c *collector) Collect(to chan<- prometheus.Metric) {
	for _, t := range c.meter.Totals() {
		about, d := t.Metric.About(), c.names[t.Metric]
		labels := t.By[:len(about.By)]
		switch about.Kind {
		case measure.Count:
			to <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(t.Count), labels...)
		case measure.Level:
			to <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, float64(t.Level), labels...)
		case measure.Time:
			to <- prometheus.MustNewConstHistogram(d, t.Count, t.Sum.Seconds(), buckets(t), labels...)
		}
	}
}

// buckets are Prometheus's: each counts all up to its bound.
func buckets(t metrics.Total) map[float64]uint64 {
	all := make(map[float64]uint64)
	var sum uint64
	for n, most := range metrics.Bounds() {
		sum += t.Buckets[n]
		all[float64(most)/float64(time.Second)] = sum
	}
	return all
}
