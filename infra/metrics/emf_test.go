package metrics_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"sekisho/auth/measure"
	"sekisho/infra/metrics"
)

// flushed gives the lines of a Flush, each held against the format's rules.
func flushed(t *testing.T, m *metrics.Meter) (lines []map[string]any) {
	t.Helper()
	var out writes
	if err := m.Flush(&out); err != nil {
		t.Fatal(err)
	}
	if out.n > 1 {
		t.Errorf("written in %d pieces: another writer's line could come between", out.n)
	}
	for text := range strings.Lines(out.String()) {
		if !strings.HasSuffix(text, "\n") {
			t.Errorf("a line without its end: %q", text)
		}
		var line map[string]any
		if err := json.Unmarshal([]byte(text), &line); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		if err := holds(line); err != nil {
			t.Errorf("%s: %v", text, err)
		}
		lines = append(lines, line)
	}
	return lines
}

// writes counts how often it is written to.
type writes struct {
	bytes.Buffer
	n int
}

func (w *writes) Write(p []byte) (int, error) {
	w.n++
	return w.Buffer.Write(p)
}

// holds checks a line against what the format asks for: its shape, its limits,
// and that every name it speaks of is a member of the line, and no other is.
func holds(line map[string]any) error {
	schema, err := jsonschema.NewCompiler().Compile("testdata/emf.schema.json")
	if err != nil {
		return err
	}
	if err := schema.Validate(line); err != nil {
		return err
	}
	named := map[string]bool{"_aws": true}
	set := line["_aws"].(map[string]any)["CloudWatchMetrics"].([]any)[0].(map[string]any)
	for _, dimensions := range set["Dimensions"].([]any) {
		for _, dimension := range dimensions.([]any) {
			named[dimension.(string)] = true
			if text, ok := line[dimension.(string)].(string); !ok || text == "" {
				return fmt.Errorf("the dimension %v has the value %v", dimension, line[dimension.(string)])
			}
		}
	}
	for _, metric := range set["Metrics"].([]any) {
		name := metric.(map[string]any)["Name"].(string)
		named[name] = true
		switch v := line[name].(type) {
		case float64:
		case []any:
			if len(v) == 0 || len(v) > 100 || slices.ContainsFunc(v, func(one any) bool { _, ok := one.(float64); return !ok }) {
				return fmt.Errorf("%d values, or some that are no numbers: %v", len(v), v)
			}
		default:
			return fmt.Errorf("the metric %s has the value %v", name, v)
		}
	}
	if len(named) != len(line) {
		return fmt.Errorf("%d members, of which %d are spoken of", len(line), len(named))
	}
	return nil
}

func TestEveryMetricIsALine(t *testing.T) {
	m := newMeter()
	var want []string
	for metric := range measure.All() {
		about := metric.About()
		var by measure.By
		for n, name := range about.By {
			by[n] = "a “" + name + "”"
		}
		switch about.Kind {
		case measure.Count:
			m.Count(metric, by)
		case measure.Time:
			m.Took(metric, by, 1500*time.Microsecond)
		case measure.Level:
			m.Level(metric, 1)
		}
		want = append(want, about.Name)
	}
	lines := flushed(t, m)
	if len(lines) != len(want) {
		t.Fatalf("%d lines for %d metrics", len(lines), len(want))
	}
	for n, line := range lines {
		if line[want[n]] == nil {
			t.Errorf("line %d is %v, want %s", n, line, want[n])
		}
	}
}

func TestALine(t *testing.T) {
	m := newMeter()
	for range 3 {
		m.Count(measure.Decisions, measure.By{"pass.issue", "done"})
	}
	m.Took(measure.JobLatency, measure.By{"Sweep"}, 1500*time.Microsecond)
	m.Took(measure.JobLatency, measure.By{"Sweep"}, 2*time.Second)
	m.Count(measure.JobErrors, measure.By{"Sweep"})
	m.Count(measure.Sweeps, measure.By{})
	var out bytes.Buffer
	if err := m.Flush(&out); err != nil {
		t.Fatal(err)
	}
	const want = `{"Act":"pass.issue","Decisions":3,"Outcome":"done","_aws":{"Timestamp":1800000000000,"CloudWatchMetrics":[{"Namespace":"Sekisho","Dimensions":[["Act","Outcome"]],"Metrics":[{"Name":"Decisions","Unit":"Count"}]}]}}
{"Sweeps":1,"_aws":{"Timestamp":1800000000000,"CloudWatchMetrics":[{"Namespace":"Sekisho","Dimensions":[[]],"Metrics":[{"Name":"Sweeps","Unit":"Count"}]}]}}
{"Job":"Sweep","JobLatency":[1.5,2000],"_aws":{"Timestamp":1800000000000,"CloudWatchMetrics":[{"Namespace":"Sekisho","Dimensions":[["Job"]],"Metrics":[{"Name":"JobLatency","Unit":"Milliseconds"}]}]}}
{"Job":"Sweep","JobErrors":1,"_aws":{"Timestamp":1800000000000,"CloudWatchMetrics":[{"Namespace":"Sekisho","Dimensions":[["Job"],[]],"Metrics":[{"Name":"JobErrors","Unit":"Count"}]}]}}
`
	if out.String() != want {
		t.Errorf("written:\n%swant:\n%s", out.String(), want)
	}
}

func TestAFlushTellsOnlyWhatIsNew(t *testing.T) {
	m := newMeter()
	m.Count(measure.Sweeps, measure.By{})
	m.Took(measure.GateLatency, measure.By{}, time.Second)
	m.Level(measure.SocketConnections, 1)
	if n := len(flushed(t, m)); n != 3 {
		t.Fatalf("%d lines", n)
	}
	if lines := flushed(t, m); len(lines) != 1 || lines[0]["SocketConnections"] != 1.0 {
		t.Errorf("nothing happened since, and it writes %v; want the level alone", lines)
	}
	m.Count(measure.Sweeps, measure.By{})
	m.Level(measure.SocketConnections, -1)
	if lines := flushed(t, m); len(lines) != 2 || lines[0]["Sweeps"] != 1.0 || lines[1]["SocketConnections"] != 0.0 {
		t.Errorf("it writes %v", lines)
	}
	if got := of(t, m, measure.Sweeps, measure.By{}).Count; got != 2 {
		t.Errorf("a Flush took from the total: %d", got)
	}
}

func TestNothingMeasuredIsNothingWritten(t *testing.T) {
	var out writes
	if err := newMeter().Flush(&out); err != nil || out.n > 0 {
		t.Errorf("%v, written %d times", err, out.n)
	}
}

// Of many times a hundred are told, and those are chosen fairly: the last as
// likely as the first.
func TestOfManyTimesSomeAreTold(t *testing.T) {
	m := newMeter()
	for round := range 2 {
		const many = 100_000
		for n := range many {
			m.Took(measure.DoorLatency, measure.By{"http"}, time.Duration(n)*time.Millisecond)
		}
		times := flushed(t, m)[0]["DoorLatency"].([]any)
		sum := 0.0
		for _, one := range times {
			sum += one.(float64)
		}
		// The mean of 100 has a deviation of 2,900 around 50,000: eight of them are never seen.
		if mean := sum / 100; len(times) != 100 || mean < 27_000 || mean > 73_000 {
			t.Errorf("round %d: %d times with the mean %.0f", round, len(times), mean)
		}
	}
}

func TestAFullLogIsAnError(t *testing.T) {
	m := newMeter()
	m.Count(measure.Sweeps, measure.By{})
	full := errors.New("no space left")
	if err := m.Flush(broken{full}); !errors.Is(err, full) {
		t.Errorf("the error is %v", err)
	}
}

type broken struct{ error }

func (b broken) Write([]byte) (int, error) { return 0, b.error }

func TestTheSchemaRefuses(t *testing.T) {
	good := `{"Job":"x","JobErrors":1,"_aws":{"Timestamp":1,"CloudWatchMetrics":[{"Namespace":"Sekisho","Dimensions":[["Job"]],"Metrics":[{"Name":"JobErrors","Unit":"Count"}]}]}}`
	for name, change := range map[string][2]string{
		"another namespace":   {`"Namespace":"Sekisho"`, `"Namespace":"AWS/Lambda"`},
		"no time":             {`"Timestamp":1,`, ``},
		"a time as text":      {`"Timestamp":1`, `"Timestamp":"1"`},
		"a unit of its own":   {`"Unit":"Count"`, `"Unit":"Pieces"`},
		"null dimensions":     {`[["Job"]]`, `[null]`},
		"a missing dimension": {`"Job":"x",`, ``},
		"a value as text":     {`"JobErrors":1`, `"JobErrors":"1"`},
		"no values":           {`"JobErrors":1`, `"JobErrors":[]`},
		"too many values":     {`"JobErrors":1`, `"JobErrors":[` + strings.Repeat("1,", 100) + `1]`},
	} {
		var line map[string]any
		if err := json.Unmarshal([]byte(strings.Replace(good, change[0], change[1], 1)), &line); err != nil {
			t.Fatal(err)
		}
		if holds(line) == nil {
			t.Errorf("%s is taken", name)
		}
	}
	var line map[string]any
	if err := errors.Join(json.Unmarshal([]byte(good), &line), holds(line)); err != nil {
		t.Errorf("the good line: %v", err)
	}
}
