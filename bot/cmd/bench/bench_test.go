package main

import (
	"bufio"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestBothSidesAreMeasuredInTurn(t *testing.T) {
	var order []string
	side := func(name string, value float64) func() (float64, error) {
		return func() (float64, error) { order = append(order, name); return value, nil }
	}
	ours, theirs, err := rounds(3, side("ours", 1), side("theirs", 2))
	if err != nil || !slices.Equal(ours, []float64{1, 1, 1}) || !slices.Equal(theirs, []float64{2, 2, 2}) {
		t.Errorf("ours %v, theirs %v, %v", ours, theirs, err)
	}
	if got := strings.Join(order, " "); got != "ours theirs theirs ours ours theirs" {
		t.Errorf("measured in the order %s", got)
	}
	away := errors.New("away")
	if _, _, err := rounds(3, side("ours", 1), func() (float64, error) { return 0, away }); !errors.Is(err, away) {
		t.Errorf("the failure of one side came out as %v", err)
	}
}

// The ratio is the median of the rounds' own, not the ratio of the medians: a
// disturbance falls on both sides of one round.
func TestTheRatioIsOfEachRound(t *testing.T) {
	_, ratio := compare("", "", "%.0f", []float64{10, 40, 30}, []float64{20, 20, 60})
	if ratio != 0.5 {
		t.Errorf("the ratio is %v", ratio)
	}
}

func TestReaches(t *testing.T) {
	atMost, atLeast := reach{atMost: 1.6, format: "%.2f×"}, reach{atLeast: 0.7, format: "%.2f×"}
	for _, c := range []struct {
		value  float64
		to     reach
		missed bool
		text   string
	}{
		{1.6, atMost, false, "≤ 1.60×"}, {1.61, atMost, true, "≤ 1.60×"},
		{0.7, atLeast, false, "≥ 0.70×"}, {0.69, atLeast, true, "≥ 0.70×"},
	} {
		if r := (row{}).judge(c.value, c.to); r.missed != c.missed || r.reach != c.text {
			t.Errorf("%v held against %s: missed %v, reach %q", c.value, c.text, r.missed, r.reach)
		}
	}
}

func TestMedian(t *testing.T) {
	for want, values := range map[float64][]float64{3: {9, 1, 3}, 2.5: {4, 1, 2, 3}} {
		if got := median(values); got != want {
			t.Errorf("median(%v) = %v", values, got)
		}
	}
}

// The load counts nothing but whole answers of 200.
func TestOnlyGoodAnswersCount(t *testing.T) {
	const good = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
	r := bufio.NewReader(strings.NewReader(good + good + "HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n"))
	for n, bad := range []bool{false, false, true} {
		if err := readAnswer(r); (err != nil) != bad {
			t.Errorf("answer %d: %v", n, err)
		}
	}
	for _, text := range []string{"HTTP/1.1 200 OK\r\n\r\n", good[:len(good)-1], "HTTP/1.1 200 OK\r\n"} {
		if err := readAnswer(bufio.NewReader(strings.NewReader(text))); err == nil {
			t.Errorf("%q was taken for an answer", text)
		}
	}
}

// The function is told of one invocation only, and what it says comes back.
func TestRuntimeAPI(t *testing.T) {
	api, err := startRuntimeAPI([]byte(`{"n":1}`))
	if err != nil {
		t.Fatal(err)
	}
	defer api.Close()
	base := "http://" + api.addr + "/2018-06-01/runtime/invocation/"
	if text := get(t, base+"next"); text != `{"n":1}` {
		t.Errorf("the function was given %q", text)
	}
	if polled := <-api.polled; time.Since(polled) < 0 {
		t.Errorf("polled at %v", polled)
	}
	post(t, base+"1/response", "done")
	if a := <-api.answered; !a.ok || string(a.body) != "done" {
		t.Errorf("answered with %+v", a)
	}
	post(t, base+"1/error", "failed")
	if a := <-api.answered; a.ok {
		t.Error("an error was taken for an answer")
	}
}

func TestMeasurementsCanBeChosen(t *testing.T) {
	all, err := choose("")
	if err != nil || len(all) != len(measurements()) {
		t.Errorf("without a choice: %d, %v", len(all), err)
	}
	some, err := choose("size, cold")
	if err != nil || len(some) != 2 || some[0].name != "size" || some[1].name != "cold" {
		t.Errorf("two of them: %v, %v", some, err)
	}
	if _, err := choose("heat"); err == nil || !strings.Contains(err.Error(), "heat") {
		t.Errorf("one that is not there: %v", err)
	}
}

func TestTheTableSaysWhatMissed(t *testing.T) {
	var out strings.Builder
	printTable(&out, []row{
		row{measured: "a", ours: "1"}.judge(1, reach{atMost: 1, format: "%.0f"}),
		row{measured: "b", ours: "2"}.judge(2, reach{atMost: 1, format: "%.0f"}),
		{measured: "c", ours: "3"},
	})
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if len(lines) != 4 || !strings.HasSuffix(lines[1], "ok") || !strings.HasSuffix(lines[2], "MISS") || strings.Contains(lines[3], "ok") {
		t.Errorf("the table is\n%s", out.String())
	}
}

func get(t *testing.T, url string) string {
	t.Helper()
	answer, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func post(t *testing.T, url, body string) {
	t.Helper()
	answer, err := http.Post(url, "application/json", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
}
