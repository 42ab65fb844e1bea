package metrics

import (
	"encoding/json"
	"io"
	"math"
	"slices"
	"time"

	"sekisho/auth/measure"
)

// Namespace is where CloudWatch shows the metrics.
const Namespace = "Sekisho"

// Flush writes what was measured since the last Flush, in one Write: a line of
// the embedded metric format for each series, from which CloudWatch makes metrics
// wherever the lines reach a log group. Nothing is written of what did not
// happen; a level is written for as long as the process lives. Lines that w
// does not take are lost.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
func (m *Meter) Flush(w io.Writer) error {
	var text []byte
	at := m.now()
	for _, s := range m.sorted() {
		value := s.take()
		if value == nil {
			continue
		}
		line, err := line(at, s.total.Metric, s.total.By, value)
		if err != nil {
			return err
		}
		text = append(append(text, line...), '\n')
	}
	if len(text) == 0 {
		return nil
	}
	_, err := w.Write(text)
	return err
}

// take gives what CloudWatch is to be told of the series, nil for nothing, and
// begins anew.
func (s *series) take() any {
	s.mu.Lock()
	defer s.mu.Unlock()
	more := s.total.Count - s.flushed
	s.flushed = s.total.Count
	switch s.total.Metric.About().Kind {
	case measure.Level:
		return s.total.Level
	case measure.Time:
		times := slices.Clone(s.times)
		s.times = s.times[:0]
		if len(times) > 0 {
			return milliseconds(times)
		}
	case measure.Count:
		if more > 0 {
			return more
		}
	}
	return nil
}

// milliseconds are CloudWatch's unit, here to the microsecond.
func milliseconds(times []time.Duration) []float64 {
	all := make([]float64, len(times))
	for n, d := range times {
		all[n] = math.Round(float64(d)/float64(time.Microsecond)) / 1000
	}
	return all
}

// directive tells CloudWatch which members of a line are metrics and which
// tell them apart.
type directive struct {
	Timestamp int64        // milliseconds
	Metrics   [1]metricSet `json:"CloudWatchMetrics"`
}

type metricSet struct {
	Namespace  string
	Dimensions [][]string // sets of them: each makes a series
	Metrics    [1]metric
}

type metric struct{ Name, Unit string }

func line(at time.Time, m measure.Metric, by measure.By, value any) ([]byte, error) {
	about, unit := m.About(), "Count"
	if about.Kind == measure.Time {
		unit = "Milliseconds"
	}
	// Without dimensions there is one set still, which is empty and not null.
	dimensions := [][]string{append([]string{}, about.By...)}
	if m.Summed() {
		dimensions = append(dimensions, []string{})
	}
	members := map[string]any{
		"_aws":     directive{at.UnixMilli(), [1]metricSet{{Namespace, dimensions, [1]metric{{about.Name, unit}}}}},
		about.Name: value,
	}
	for n, dimension := range about.By {
		members[dimension] = by[n]
	}
	return json.Marshal(members)
}
