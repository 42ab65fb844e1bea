package deploy_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"regexp"
	"strings"
	"testing"

	"sekisho/auth/measure"
)

// TestTheDashboardShowsWhatIsMeasured holds its metrics and their dimensions
// against the program's own list.
func TestTheDashboardShowsWhatIsMeasured(t *testing.T) {
	text, err := os.ReadFile("dashboard.json")
	if err != nil {
		t.Fatal(err)
	}
	var dashboard struct {
		Widgets []struct {
			Type       string
			Properties struct {
				Title, Region string
				Metrics       [][]any
			}
		}
	}
	if err := json.Unmarshal(text, &dashboard); err != nil {
		t.Fatal(err)
	}
	search := regexp.MustCompile(`^SEARCH\('\{Sekisho,([A-Za-z,]+)\} MetricName="([A-Za-z]+)"', '[a-zA-Z0-9]+', [0-9]+\)$`)
	got := make(map[string]string) // name to dimensions
	for _, w := range dashboard.Widgets {
		if w.Type == "metric" && (w.Properties.Title == "" || w.Properties.Region == "") {
			t.Errorf("a widget without title or Region: %+v", w)
		}
		for _, m := range w.Properties.Metrics {
			if expression, ok := m[0].(map[string]any); ok {
				found := search.FindStringSubmatch(fmt.Sprint(expression["expression"]))
				if found == nil {
					t.Fatalf("%s: %v", w.Properties.Title, expression)
				}
				got[found[2]] = found[1]
				continue
			}
			if m[0] != "Sekisho" {
				t.Errorf("%s: %v", w.Properties.Title, m)
			}
			got[fmt.Sprint(m[1])] = ""
		}
	}
	want := make(map[string]string)
	alone := make(map[any]bool) // a series without dimensions
	for m := range measure.All() {
		want[m.About().Name] = strings.Join(m.About().By, ",")
		alone[m.About().Name] = len(m.About().By) == 0 || m.Summed()
	}
	if !maps.Equal(got, want) {
		t.Errorf("the dashboard shows %v, want %v", got, want)
	}
	for _, d := range deployments {
		s := d.stack(t, nil)
		for _, id := range s.Of("AWS::CloudWatch::Alarm") {
			p := s.Resources[id].Properties
			if p["Namespace"] == "Sekisho" && !alone[p["MetricName"]] {
				t.Errorf("%s looks at %v, of which CloudWatch has no series without dimensions", id, p["MetricName"])
			}
		}
	}
}
