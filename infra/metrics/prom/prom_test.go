package prom_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"sekisho/auth/measure"
	"sekisho/infra/metrics"
	"sekisho/infra/metrics/prom"
)

// scraped is what Prometheus reads, by the name and labels of each sample.
func scraped(t *testing.T, h http.Handler) map[string]string {
	t.Helper()
	answer := httptest.NewRecorder()
	h.ServeHTTP(answer, httptest.NewRequest("GET", "/metrics", nil))
	body, _ := io.ReadAll(answer.Body)
	if kind := answer.Header().Get("Content-Type"); answer.Code != http.StatusOK || !strings.HasPrefix(kind, "text/plain; version=0.0.4") {
		t.Fatalf("%d %s: %s", answer.Code, kind, body)
	}
	samples := make(map[string]string)
	for line := range strings.Lines(string(body)) {
		if !strings.HasPrefix(line, "#") {
			at := strings.LastIndex(line, " ")
			samples[line[:at]] = strings.TrimSpace(line[at:])
		}
	}
	return samples
}

func TestPrometheusReadsTheTotals(t *testing.T) {
	m := metrics.New(time.Now)
	h := prom.Handler(m)
	if got := scraped(t, h); got["go_goroutines"] == "" || got["process_start_time_seconds"] == "" {
		t.Error("the runtime's and the process's numbers are missing")
	}
	m.Count(measure.Decisions, measure.By{"pass.issue", "done"})
	m.Count(measure.Decisions, measure.By{"pass.issue", "done"})
	m.Count(measure.Decisions, measure.By{"pass.issue", "refused"})
	m.Count(measure.Sweeps, measure.By{})
	m.Count(measure.Errors, measure.By{"EC2"})
	m.Count(measure.JobErrors, measure.By{`A "job"`})
	m.Level(measure.SocketConnections, 2)
	m.Level(measure.SocketConnections, -1)
	m.Took(measure.DoorLatency, measure.By{"http"}, 3*time.Millisecond)
	m.Took(measure.DoorLatency, measure.By{"http"}, 2*time.Second)
	m.Took(measure.DoorLatency, measure.By{"http"}, time.Hour)
	m.Took(measure.GateLatency, measure.By{}, time.Second)
	m.Took(measure.JobLatency, measure.By{"Sweep"}, time.Second)
	m.Took(measure.EventLag, measure.By{"sqs"}, time.Second)
	m.Flush(io.Discard) // takes nothing from the totals
	want := map[string]string{
		`sekisho_decisions_total{act="pass.issue",outcome="done"}`:    "2",
		`sekisho_decisions_total{act="pass.issue",outcome="refused"}`: "1",
		`sekisho_sweeps_total`:                                        "1",
		`sekisho_errors_total{service="EC2"}`:                         "1",
		`sekisho_job_errors_total{job="A \"job\""}`:                   "1",
		`sekisho_socket_connections`:                                  "1",
		`sekisho_door_latency_seconds_bucket{door="http",le="0.001"}`: "0",
		`sekisho_door_latency_seconds_bucket{door="http",le="0.005"}`: "1",
		`sekisho_door_latency_seconds_bucket{door="http",le="1"}`:     "1",
		`sekisho_door_latency_seconds_bucket{door="http",le="2.5"}`:   "2",
		`sekisho_door_latency_seconds_bucket{door="http",le="900"}`:   "2",
		`sekisho_door_latency_seconds_bucket{door="http",le="+Inf"}`:  "3",
		`sekisho_door_latency_seconds_count{door="http"}`:             "3",
		`sekisho_door_latency_seconds_sum{door="http"}`:               "3602.003",
		`sekisho_gate_latency_seconds_count`:                          "1",
		`sekisho_job_latency_seconds_count{job="Sweep"}`:              "1",
		`sekisho_event_lag_seconds_bucket{way="sqs",le="0.5"}`:        "0",
		`sekisho_event_lag_seconds_bucket{way="sqs",le="1"}`:          "1",
	}
	got := scraped(t, h)
	for name, value := range want {
		if got[name] != value {
			t.Errorf("%s is %q, want %s", name, got[name], value)
		}
	}
}

// A name that has once been scraped stands in dashboards and alarms.
func TestTheNamesAreGood(t *testing.T) {
	m := metrics.New(time.Now)
	for metric := range measure.All() {
		switch metric.About().Kind {
		case measure.Count:
			m.Count(metric, measure.By{"x", "y"}) // one label too many must not be shown
		case measure.Time:
			m.Took(metric, measure.By{"x", "y"}, 1)
		case measure.Level:
			m.Level(metric, 1)
		}
	}
	good := regexp.MustCompile(`^sekisho(_[a-z]+)+(\{([a-z]+="[^"]*",?)+\})?$`)
	n := 0
	for name := range scraped(t, prom.Handler(m)) {
		if !strings.HasPrefix(name, "sekisho") {
			continue
		}
		if n++; !good.MatchString(name) {
			t.Errorf("the name %s", name)
		}
	}
	if n == 0 {
		t.Error("nothing is shown")
	}
}
