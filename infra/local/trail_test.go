package local

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"sekisho/auth"
)

// line is an entry as the bot writes it.
func line(t *testing.T, e auth.Entry) string {
	t.Helper()
	text, err := json.Marshal(struct {
		Kind string `json:"kind"`
		auth.Entry
	}{"trail", e})
	if err != nil {
		t.Fatal(err)
	}
	return string(text) + "\n"
}

func TestTrailTakesWhatTheBotWrites(t *testing.T) {
	w, base := newWorld(t, Options{})
	at := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	first := auth.Entry{
		Seq: 1, Time: at, Act: auth.ActApprove, Outcome: auth.Refused, Decided: "U0BEN", Submitted: "U0HANA", Instance: "i-1", Request: "R1",
		Reason: "own_request", Rule: "leads", Note: "a note", Key: "AKIA1", IAMUser: "ben",
	}
	out := w.TrailWriter()
	stdout := "starting\n" + `{"level":"INFO","msg":"not an entry"}` + "\n" + line(t, first) +
		line(t, auth.Entry{Act: auth.ActShow, Time: at}) + // not in the trail yet
		line(t, auth.Entry{Seq: 2, Act: auth.ActShow, Time: at})
	changes := w.subscribe(t.Context())
	for i := 0; i < len(stdout); i += 7 { // in pieces, as a pipe may bring it
		if n, err := out.Write([]byte(stdout[i:min(i+7, len(stdout))])); err != nil || n == 0 {
			t.Fatalf("%d, %v", n, err)
		}
	}
	select {
	case <-changes:
	case <-time.After(5 * time.Second):
		t.Error("no page was told")
	}
	s := follow(t, base, "U0HANA", func(s snapshot) bool { return len(s.Trail) == 2 })
	want := trailEntry{
		Seq: 1, Time: at, Act: "request.approve", Outcome: "refused", Decided: "U0BEN", Submitted: "U0HANA", Instance: "i-1", Request: "R1",
		Reason: "own_request", Rule: "leads", Note: "a note", Key: "AKIA1", IAMUser: "ben",
	}
	if s.Trail[0] != want || s.Trail[1].Seq != 2 {
		t.Errorf("the page has %+v", s.Trail)
	}
}

// TestTrailNamesAreAuths: a field by another name would stay empty.
func TestTrailNamesAreAuths(t *testing.T) {
	var names []string
	for f := range reflect.TypeFor[auth.Entry]().Fields() {
		names = append(names, f.Tag.Get("json"))
	}
	for f := range reflect.TypeFor[trailEntry]().Fields() {
		if tag := f.Tag.Get("json"); !slices.Contains(names, tag) {
			t.Errorf("%s is %q, which auth.Entry does not write", f.Name, tag)
		}
	}
}

func TestTrailForgetsTheOldest(t *testing.T) {
	w, _ := newWorld(t, Options{})
	out := w.TrailWriter()
	for n := range trailLength + 3 {
		fmt.Fprint(out, line(t, auth.Entry{Seq: int64(n + 1), Act: auth.ActShow}))
	}
	if all := w.snapshot("U0HANA").Trail; len(all) != trailLength || all[0].Seq != 4 {
		t.Errorf("%d entries, the first is %+v", len(all), all[0])
	}
}

func TestTrailKeepsNoEndlessLine(t *testing.T) {
	w, _ := newWorld(t, Options{})
	out := w.TrailWriter().(*trailWriter)
	for range 3 {
		fmt.Fprint(out, strings.Repeat("x", maxLine))
	}
	if len(out.rest) > maxLine {
		t.Errorf("%d bytes are kept", len(out.rest))
	}
	fmt.Fprint(out, "\n"+line(t, auth.Entry{Seq: 1, Act: auth.ActShow}))
	if n := len(w.snapshot("U0HANA").Trail); n != 1 {
		t.Errorf("%d entries after it, want 1", n)
	}
}
